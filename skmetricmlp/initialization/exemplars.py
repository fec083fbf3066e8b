"""Which samples stand for the classes: how many of each, and which ones.

Everything here works on *distinct* rows with summed weights, in an order that depends
on their values alone. So a row given twice is a row of twice the weight, and the order
of the rows does not matter: both hold to the last bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches
from threadpoolctl import threadpool_limits

__all__ = [
    "SELECTORS",
    "DistinctRows",
    "Exemplars",
    "distinct_rows",
    "exemplar_counts",
    "select_exemplars",
    "share_exemplars",
]

Array = Any
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class DistinctRows:
    """Pairs of a row and a class that occur in the data, each once.

    ``index`` (m,) is where each first occurs, ``codes`` (m,) its class and ``weights``
    (m,) the sum of its weights, relative to the greatest. They are ordered by a hash of
    their values, which makes
    any stretch of them a reproducible random sample.
    """

    index: Ints
    codes: Ints
    weights: Floats


@dataclass(frozen=True)
class Exemplars:
    """``points`` (N, d) and their class ``codes`` (N,).

    ``index`` (N,) says which rows of the data they are; None where they are none.
    """

    points: Floats
    codes: Ints
    index: Ints | None


def distinct_rows(X: Array, codes: Ints, weights: Floats) -> DistinctRows:
    """Merge equal rows of the same class, and order what is left by a hash.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    codes : array of shape (n,)
    weights : array of shape (n,)

    Returns
    -------
    DistinctRows
    """
    digests = []
    for rows in gen_batches(X.shape[0], 1024):
        block = X[rows].toarray() if sp.issparse(X) else X[rows]
        # Adding zero turns -0.0 into 0.0: they are equal, so their bytes should be.
        for row, code in zip(block + 0.0, codes[rows], strict=True):
            key = row.tobytes() + int(code).to_bytes(8, "little")
            digests.append(blake2b(key, digest_size=8).digest())
    _, index, group = np.unique(
        np.frombuffer(b"".join(digests), dtype="<u8"),
        return_index=True,
        return_inverse=True,
    )
    # Relative to the greatest, so that no sum of them can overflow.
    sums = np.bincount(group, weights.astype(float))
    return DistinctRows(index, codes[index], sums / sums.max())


def exemplar_counts(
    n_exemplars: float | Mapping[Any, Any], classes: Array, rows: DistinctRows
) -> Ints:
    """How many exemplars each class gets.

    Parameters
    ----------
    n_exemplars : int, float or mapping
        A total, at least one per class and shared out by :func:`share_exemplars`; a
        fraction of the distinct rows, likewise; or a count for each class by label.
    classes : array of shape (n_classes,)
        The labels.
    rows : DistinctRows
        Of the training data.

    Returns
    -------
    counts : int array of shape (n_classes,)

    Raises
    ------
    ValueError
        If a mapping leaves out a class, names an unknown one, or asks for fewer
        exemplars than one or more than the class has distinct rows. (A class that is
        declared but has no rows yet gets none.)
    """
    available = np.bincount(rows.codes, minlength=len(classes))
    if isinstance(n_exemplars, Mapping):
        return _counts_by_label(n_exemplars, classes, available)
    is_total = isinstance(n_exemplars, (int, np.integer))
    total = int(n_exemplars) if is_total else round(n_exemplars * len(rows.codes))
    class_weights = np.bincount(rows.codes, rows.weights, len(classes)).astype(float)
    return share_exemplars(total, class_weights, available)


def _counts_by_label(
    n_exemplars: Mapping[Any, Any], classes: Array, available: Ints
) -> Ints:
    labels = classes.tolist()
    if unknown := [label for label in n_exemplars if label not in labels]:
        msg = f"n_exemplars has counts for {unknown}; the classes of y are {labels}"
        raise ValueError(msg)
    if missing := [label for label in labels if label not in n_exemplars]:
        msg = f"n_exemplars has no count for {missing}; the classes of y are {labels}"
        raise ValueError(msg)
    for label, most in zip(labels, available, strict=True):
        count = n_exemplars[label]
        whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
        if most and not (whole and 1 <= count <= most):
            msg = (
                f"n_exemplars[{label!r}]={count!r} must be a whole number from 1 to "
                f"{most}, the distinct rows of that class"
            )
            raise ValueError(msg)
    counts = [n_exemplars[label] for label in labels]
    return np.where(available > 0, np.array(counts, dtype=object), 0).astype(np.intp)


def share_exemplars(total: int, class_weights: Floats, available: Ints) -> Ints:
    """Share exemplars out among the classes by the square root of their weight.

    Shares proportional to the weight leave a rare class one exemplar and no shape;
    equal shares claim too much of the space for it. After one for each class, seats go
    one by one to the class with the largest quotient (Webster's method). What a class
    cannot take goes to the others, unless their weight is worth no seat at all.

    Parameters
    ----------
    total : int
        Raised to one per class, and lowered to what is available.
    class_weights : array of shape (n_classes,)
    available : array of shape (n_classes,)
        The most that a class can take. A class with none gets none.

    Returns
    -------
    counts : int array of shape (n_classes,)

    Examples
    --------
    >>> import numpy as np
    >>> share_exemplars(30, np.array([900.0, 100.0]), np.array([900, 100]))
    array([23,  7])
    """
    counts = np.minimum(available, 1)
    priority = np.sqrt(class_weights)
    worth_a_seat = 2 * total * priority >= priority.sum()
    available = np.where(worth_a_seat, available, counts)
    for _ in range(min(total, int(available.sum())) - int(counts.sum())):
        quotients = np.where(counts < available, priority / (counts + 0.5), -1.0)
        counts[np.argmax(quotients)] += 1
    return counts


def select_exemplars(
    method: str,
    X: Array,
    rows: DistinctRows,
    counts: Ints,
    rng: np.random.RandomState,
) -> Exemplars:
    """Choose exemplars class by class.

    Parameters
    ----------
    method : str
        A key of :data:`SELECTORS`.
    X : array or SciPy CSR of shape (n, d)
    rows : DistinctRows
        Of ``X``.
    counts : int array of shape (n_classes,)
        How many to choose of each class; at most as many as it has distinct rows.
    rng : numpy.random.RandomState

    Returns
    -------
    Exemplars
    """
    chosen = [
        SELECTORS[method](X, rows.index[of_class], rows.weights[of_class], count, rng)
        for code, count in enumerate(counts)
        if count
        for of_class in [np.flatnonzero(rows.codes == code)]
    ]
    points = [points for points, _ in chosen]
    indices = [index for _, index in chosen if index is not None]
    return Exemplars(
        np.concatenate(points),
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate(indices) if len(indices) == len(points) else None,
    )


Chosen = tuple[Floats, Ints | None]


def _kmeans(
    X: Array, index: Ints, weights: Floats, count: int, rng: np.random.RandomState
) -> Chosen:
    """Centres of weighted k-means of the rows ``index`` of ``X``."""
    kmeans = KMeans(n_clusters=count, n_init=1, random_state=rng)
    with (
        # Several threads add up their sums in any order: results would not repeat.
        threadpool_limits(limits=1, user_api="openmp"),
        # Rows that differ by rounding alone make equal centres, and those do no harm.
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        kmeans.fit(X[index], sample_weight=weights)
    return kmeans.cluster_centers_, None


def _random(
    X: Array, index: Ints, weights: Floats, count: int, rng: np.random.RandomState
) -> Chosen:
    """Rows drawn without replacement, in proportion to their weight."""
    p = weights / weights.sum()
    drawn = index[rng.choice(len(index), size=count, replace=False, p=p)]
    points = X[drawn].toarray() if sp.issparse(X) else X[drawn]
    return points, drawn


SELECTORS: Mapping[str, Callable[..., Chosen]] = {"kmeans": _kmeans, "random": _random}
