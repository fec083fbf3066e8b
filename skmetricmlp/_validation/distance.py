"""Points that lie far outside the data, such as points in other units."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmetricmlp._data import row_batches
from skmetricmlp._typing import Array, Floats

__all__ = ["are_far"]


# A point is far if its distance from the mean is so many times this quantile of the
# distances of the rows.
TIMES, QUANTILE = 2.0, 0.95
# Fewer rows have no reliable deviation. At most so many are used.
LEAST_ROWS, MOST_ROWS = 10, 1000


def are_far(points: Array, X: Array) -> NDArray[np.bool_]:
    """Find the points that lie far outside the rows.

    Distances from the mean are measured in the deviation of each feature, so it matters
    neither which units the features have, nor where they are zero. Features that are the
    same in all rows have no such unit, and do not count. A point that is within the range
    of the rows in every feature is not far.

    Parameters
    ----------
    points : array of shape (N, d)
    X : array or SciPy CSR of shape (n, d)

    Returns
    -------
    bool array of shape (N,)

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> are_far(np.array([[2.0, 2.0, 2.0], [9.0, 9.0, 9.0]]), X)
    array([False,  True])
    """
    n = X.shape[0]
    if n < LEAST_ROWS:
        return np.zeros(len(points), dtype=bool)
    sample = X[:: -(-n // MOST_ROWS)]
    low, high, mean, deviation = _statistics(sample)
    is_varied = np.isfinite(deviation) & (deviation > 0)
    if not is_varied.any():
        return np.zeros(len(points), dtype=bool)
    scale = np.where(is_varied, deviation, np.inf)
    rows = _squared_distances(sample, mean, scale)
    usual = np.quantile(rows, QUANTILE)
    is_outside = ((points < low) | (points > high))[:, is_varied].any(axis=1)
    squares = _squared_distances(points, mean, scale)
    is_far: NDArray[np.bool_] = is_outside & (squares > TIMES**2 * usual)
    return is_far


def _statistics(X: Array) -> tuple[Floats, Floats, Floats, Floats]:
    """Least and greatest value, mean and deviation of each feature."""
    blocks = [_dense(X[:, columns]) for columns in _column_blocks(X)]
    parts = [
        (b.min(axis=0), b.max(axis=0), b.mean(axis=0), b.std(axis=0)) for b in blocks
    ]
    low, high, mean, deviation = (np.concatenate(p) for p in zip(*parts, strict=True))
    # A constant column has a deviation of zero but for rounding.
    return low, high, mean, np.where(high > low, deviation, 0.0)


def _squared_distances(X: Array, mean: Floats, scale: Floats) -> Floats:
    """Squared distance (n,) from the mean, in units of ``scale`` (d,)."""
    total = np.zeros(X.shape[0])
    for columns in _column_blocks(X):
        block = (_dense(X[:, columns]) - mean[columns]) / scale[columns]
        total += np.einsum("ij,ij->i", block, block)
    return total


def _column_blocks(X: Array) -> list[slice]:
    # Up to four arrays of the size of a block exist at the same time.
    return list(row_batches(X.shape[1], 4 * X.shape[0]))


def _dense(X: Array) -> Floats:
    dense: Floats = (X.toarray() if sp.issparse(X) else X).astype(np.float64)
    return dense
