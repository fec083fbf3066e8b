"""Which exemplars each exemplar is compared with.

An exemplar that beats *all* others is the nearest. To beat its *nearest rivals* is
necessary for that, and nearly sufficient: what lies between two far exemplars mostly lies
nearer to a third.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

__all__ = ["all_rivals", "chosen_rivals", "cyclic_rivals", "n_rivals"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

BLOCK_ELEMENTS = 2**22


def n_rivals(rivals: int | str, counts: Ints) -> int:
    """Return M, the rivals that each exemplar has.

    Parameters
    ----------
    rivals : {"all", "other_classes"} or int
    counts : int array of shape (n_classes,)
        Exemplars of each class.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([3, 5, 4])
    >>> [n_rivals(rivals, counts) for rivals in ("all", "other_classes", 7, 100)]
    [11, 9, 7, 11]
    """
    n = int(counts.sum())
    if rivals == "other_classes":
        return n - int(counts[counts > 0].min())
    return n - 1 if isinstance(rivals, str) else min(int(rivals), n - 1)


def all_rivals(n: int) -> Ints:
    """Return the table (n, n - 1) in which all others are the rivals of each.

    Examples
    --------
    >>> all_rivals(3)
    array([[1, 2],
           [0, 2],
           [0, 1]])
    """
    return np.arange(n - 1) + (np.arange(n - 1) >= np.arange(n)[:, None])


def cyclic_rivals(n: int, m: int) -> Ints:
    """Return a table (n, m) of the next m after each, for scores that are all alike.

    Examples
    --------
    >>> cyclic_rivals(4, 2)
    array([[1, 2],
           [2, 3],
           [0, 3],
           [0, 1]])
    """
    return np.sort((np.arange(n)[:, None] + np.arange(1, m + 1)) % n, axis=1)


def chosen_rivals(
    scores: tuple[Floats, Floats], points: Floats, codes: Ints, rivals: int | str
) -> Ints:
    """Choose the rivals of each exemplar, ordered by their position.

    Parameters
    ----------
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of a metric at the points.
    points : array of shape (N, d)
    codes : int array of shape (N,)
        Class codes.
    rivals : {"all", "other_classes"} or int
        All others; the exemplars of other classes; or so many of those that are nearest
        to the exemplar. Every exemplar has as many: with ``"other_classes"`` one of a
        class that has more exemplars than the smallest is also compared with the
        nearest of its own.

    Returns
    -------
    int array of shape (N, M)
    """
    A, b = scores
    n = len(b)
    m = n_rivals(rivals, np.bincount(codes))
    if m == n - 1:
        return all_rivals(n)
    table = np.empty((n, m), dtype=np.intp)
    for rows in gen_batches(n, max(1, BLOCK_ELEMENTS // n)):
        distances = points[rows].astype(np.float64) @ A.T + b
        if rivals == "other_classes":
            span = np.ptp(distances, axis=1, keepdims=True) + 1.0
            distances += span * (codes[rows, None] == codes)
        own = np.arange(rows.start, rows.stop)
        distances[own - rows.start, own] = np.inf
        table[rows] = np.argpartition(distances, m - 1, axis=1)[:, :m]
    return np.sort(table, axis=1)
