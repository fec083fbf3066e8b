"""Which pairs of exemplars the source's network compares.

An exemplar that wins against *all* others is the nearest. An exemplar that wins against
all exemplars of *other classes* has the class of the nearest, so that comparisons within
a class are not needed for the decision. Which few pairs suffice: a vote needs the nearest
exemplars *of each other class*. A row that is far from an exemplar is mostly nearer to
one of these. In many dimensions a far exemplar often wins against the few around it,
which are alike.
"""

from __future__ import annotations

import numpy as np

from skmetricmlp._data import row_batches
from skmetricmlp._typing import Floats, Ints

__all__ = ["all_pairs", "circulant_pairs", "n_pairs_per_exemplar", "select_pairs"]


def n_pairs_per_exemplar(pairs: int | str, counts: Ints) -> int:
    """Return M, the pairs that each exemplar has.

    Parameters
    ----------
    pairs : {"all", "other_classes"} or int
    counts : int array of shape (n_classes,)
        Exemplars of each class.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([3, 5, 4])
    >>> choices = ("all", "other_classes", 7, 100)
    >>> [n_pairs_per_exemplar(pairs, counts) for pairs in choices]
    [11, 9, 7, 11]
    """
    n = int(counts.sum())
    if pairs == "other_classes":
        return n - int(counts[counts > 0].min())
    return n - 1 if isinstance(pairs, str) else min(int(pairs), n - 1)


def all_pairs(n: int) -> Ints:
    """Return the table (n, n - 1) in which all others are the pairs of each.

    Examples
    --------
    >>> all_pairs(3)
    array([[1, 2],
           [0, 2],
           [0, 1]])
    """
    return np.arange(n - 1) + (np.arange(n - 1) >= np.arange(n)[:, None])


def circulant_pairs(n: int, m: int) -> Ints:
    """Return a table (n, m) of the next m after each, for scores that are all alike.

    Examples
    --------
    >>> circulant_pairs(4, 2)
    array([[1, 2],
           [2, 3],
           [0, 3],
           [0, 1]])
    """
    return np.sort((np.arange(n)[:, None] + np.arange(1, m + 1)) % n, axis=1)


def select_pairs(
    scores: tuple[Floats, Floats],
    points: Floats,
    codes: Ints,
    pairs: int | str,
) -> Ints:
    """Choose the pairs of each exemplar, ordered by their position.

    With few of them these are the nearest of each other class, then the second nearest
    of each, and so on, and after those all of its own class.

    Parameters
    ----------
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of a metric at the points.
    points : array of shape (N, d)
    codes : int array of shape (N,)
        Class codes.
    pairs : {"all", "other_classes"} or int
        All others; those of other classes; or so many of the nearest. Every exemplar has
        as many: with ``"other_classes"`` one of a class that has more exemplars than the
        smallest also has the nearest of its own.

    Returns
    -------
    int array of shape (N, M)
    """
    A, b = scores
    n = len(b)
    m = n_pairs_per_exemplar(pairs, np.bincount(codes))
    if m == n - 1:
        return all_pairs(n)
    table = np.empty((n, m), dtype=np.intp)
    for rows in row_batches(n, n):
        distances = points[rows].astype(np.float64) @ A.T + b
        own = np.arange(rows.start, rows.stop)[:, None]
        np.put_along_axis(distances, own, np.inf, axis=1)
        order = np.argsort(distances, axis=1, kind="stable")
        turn = np.arange(n) + n * _turns(codes[order], codes[rows])
        first = np.argpartition(turn, m - 1, axis=1)[:, :m]
        table[rows] = np.take_along_axis(order, first, axis=1)
    return np.sort(table, axis=1)


def _turns(codes: Ints, own: Ints) -> Ints:
    """How many of the same class come before, with all of its own class after all others.

    ``codes`` (m, N) are those of the others of m exemplars, of the classes ``own`` (m,),
    ordered by distance.
    """
    turns = np.empty_like(codes)
    for code in np.unique(codes):
        same = codes == code
        turns[same] = (np.cumsum(same, axis=1) - 1)[same]
    turns += codes.shape[1] * (codes == own[:, None])
    return turns
