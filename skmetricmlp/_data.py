"""The distinct rows of a data set, and batches of rows.

All weights of networks are calculated from *distinct* rows with summed sample weights, in
an order that depends on the values of the rows only. Therefore a row that occurs twice
has exactly the same effect as a row of twice the weight, and the order of the rows in the
data has no effect at all. The order of the distinct rows also does not depend on the
units of the features, nor on a constant that is added to a feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from array_api_compat import array_namespace, device
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.utils.sparsefuncs import mean_variance_axis

from skmetricmlp._typing import Array, Floats, Ints

__all__ = [
    "DistinctRows",
    "TrainingData",
    "distinct_rows",
    "group_means",
    "grouped",
    "in_form_of",
    "mean_and_deviation",
    "row_batches",
    "row_keys",
    "rows_per_batch",
]

Keys = NDArray[np.uint64]

MIB = 2**20
MOST_MIB = 32  # for temporaries; more memory hardly makes anything faster
TEMPORARIES = 4  # arrays of the size of a block of rows that exist at the same time
SAFE_EXPONENT = 400
TINY = 10.0 * float(np.finfo(float).eps)  # relative deviation due to rounding errors
# Standardized values are rounded to so many steps per deviation before they are hashed.
# The steps are far larger than rounding errors, and small enough to separate most rows.
STEPS_PER_DEVIATION = 2.0**20
LARGEST_STEP = 2.0**52
SMALLEST = float(np.finfo(float).tiny)
SHIFT = 0.3183098861837907  # moves values away from multiples of 1/2, where ties occur

LEAST_WEIGHT = 1e-30  # negligible beside a weight of one


def rows_per_batch(width: int) -> int:
    """Return how many rows are calculated at a time.

    They take at most 32 MiB, and at most scikit-learn's ``working_memory`` (in MiB; see
    :func:`sklearn.set_config`), in double precision; but there is at least one row.

    Parameters
    ----------
    width : int
        Numbers in each row.

    Examples
    --------
    >>> rows_per_batch(1024)
    4096
    """
    limit = min(MOST_MIB, get_config()["working_memory"]) * MIB
    return max(1, int(limit // (8 * max(1, width))))


def row_batches(n_rows: int, width: int) -> Iterator[slice]:
    """Yield slices of rows, each of :func:`rows_per_batch` rows but the last.

    Parameters
    ----------
    n_rows : int
    width : int
        Numbers in each row.

    Examples
    --------
    >>> list(row_batches(10000, 1024))
    [slice(0, 4096, None), slice(4096, 8192, None), slice(8192, 10000, None)]
    """
    size = rows_per_batch(width)
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


@dataclass(frozen=True)
class DistinctRows:
    """The distinct rows of a data set, or its distinct pairs of a row and a class.

    They are ordered by a hash of their values, so any slice of them is a reproducible
    random sample.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
        The whole data set, as it was passed; it is not copied.
    index : int array of shape (m,)
        Position in ``X`` at which each distinct row occurs first.
    y : array of shape (m,) or (m, n_outputs)
        Class codes, or the weighted means of the values of equal rows.
    sample_weight : array of shape (m,)
        Sums over equal rows, relative to the greatest sum.
    """

    X: Array
    index: Ints
    y: Array
    sample_weight: Floats

    @property
    def codes(self) -> Ints:
        """Class codes (m,); zeros if ``y`` has values instead of class codes."""
        if self.y.ndim == 1:
            codes: Ints = self.y
            return codes
        return np.zeros(len(self.index), dtype=np.intp)

    def targets(self, n_outputs: int) -> Floats:
        """Return the one-hot classes (m, n_outputs) or the values of the rows."""
        return np.eye(n_outputs)[self.y] if self.y.ndim == 1 else self.y

    def data(self) -> TrainingData:
        """Return a copy of the rows, with their targets and weights."""
        return TrainingData(self.X[self.index], self.y, self.sample_weight)

    def take(self, where: Any) -> DistinctRows:
        """Return some of the distinct rows: a slice, a mask or an array of positions."""
        return DistinctRows(
            self.X, self.index[where], self.y[where], self.sample_weight[where]
        )


def distinct_rows(X: Array, y: Array, sample_weight: Floats) -> DistinctRows:
    """Merge equal rows of the same class, and order the distinct rows by a hash.

    Equal rows with different values get the weighted mean of these values, which is the
    same to a fit by least squares.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    y : array of shape (n,) or (n, n_outputs)
        Class codes or values.
    sample_weight : array of shape (n,)

    Returns
    -------
    DistinctRows
    """
    codes = y if y.ndim == 1 else np.zeros(len(y), dtype=np.intp)
    order_key, exact_key = _keys(X, sample_weight)
    with np.errstate(over="ignore"):
        order_key = _mixed(order_key + _mixed(codes.astype(np.uint64)))
    index, group = grouped(order_key, exact_key, codes)
    sample_weight = _relative(sample_weight.astype(float))
    sums = np.bincount(group, sample_weight)
    merged = codes[index] if y.ndim == 1 else group_means(group, y, sample_weight)
    return DistinctRows(X, index, merged, sums / sums.max())


def grouped(*keys: Any) -> tuple[Ints, Ints]:
    """Group rows whose keys are all equal, in the order of the first key, and so on.

    Parameters
    ----------
    *keys : arrays of shape (n,)

    Returns
    -------
    index : int array of shape (m,)
        The row of each group that occurs first.
    group : int array of shape (n,)
        The group of each row.
    """
    order = np.lexsort(keys[::-1])  # stable
    is_first = np.zeros(len(order), dtype=bool)
    is_first[:1] = True
    for key in keys:
        is_first[1:] |= key[order[1:]] != key[order[:-1]]
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.cumsum(is_first) - 1
    return order[is_first], group


def group_means(group: Ints, values: Floats, sample_weight: Floats) -> Floats:
    """Weighted means (m, n_outputs) of values (n, n_outputs) by group (n,)."""
    sums = np.bincount(group, sample_weight)
    means = [np.bincount(group, sample_weight * output) / sums for output in values.T]
    return np.stack(means, axis=1)


def _keys(X: Array, sample_weight: Floats) -> tuple[Keys, Keys]:
    """Hash the rows: once their rounded standardized values, once their exact values.

    Both keys (n,) are sums over the features, modulo 2^64, of an integer times a random
    factor. The zeros of a sparse row therefore add the same as those of a dense row.
    """
    mean, deviation = mean_and_deviation(X, sample_weight)
    # In a constant feature, rounding errors are small beside the value itself.
    deviation = np.where(deviation > 0, deviation, np.maximum(abs(mean), SMALLEST))
    rng = np.random.default_rng(0)
    factors = rng.integers(2**64, size=(2, X.shape[1]), dtype=np.uint64) | np.uint64(1)

    def steps(x: Floats, columns: Any) -> Keys:
        x = (x - mean[columns]) / deviation[columns]
        x = np.floor(x * STEPS_PER_DEVIATION + SHIFT)
        return x.clip(-LARGEST_STEP, LARGEST_STEP).astype(np.int64).view(np.uint64)

    def bits(x: Floats, columns: Any) -> Keys:
        del columns
        # Adding zero turns -0.0 into 0.0: they are equal, so their bits should be.
        words = (x + 0.0).view(f"u{x.itemsize}").astype(np.uint64)
        return words ^ (words >> np.uint64(29))

    return _sums(X, factors[0], steps), _sums(X, factors[1], bits)


def row_keys(X: Array) -> Floats:
    """Hash the exact values of rows to numbers that are distributed equally.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)

    Returns
    -------
    array of shape (n,)
        From 0 to below 1. Equal rows of any precision and form have the same.
    """
    rng = np.random.default_rng(1)
    factors = rng.integers(2**64, size=X.shape[1], dtype=np.uint64) | np.uint64(1)

    def bits(x: Floats, columns: Any) -> Keys:
        del columns
        words = (x.astype(np.float64) + 0.0).view(np.uint64)
        return words ^ (words >> np.uint64(29))

    with np.errstate(over="ignore"):
        keys = _mixed(_sums(X, factors, bits))
    return np.ldexp((keys >> np.uint64(11)).astype(np.float64), -53)


def _sums(X: Array, factors: Keys, integers: Callable[[Floats, Any], Keys]) -> Keys:
    """Sum ``factors_j integers(x_ij)`` over the features, modulo 2^64."""
    every = slice(None)
    if not sp.issparse(X):
        batches = row_batches(len(X), TEMPORARIES * X.shape[1])
        blocks = (np.ascontiguousarray(X[rows]) for rows in batches)
        return np.concatenate([integers(block, every) @ factors for block in blocks])
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    zeros = integers(np.zeros(X.shape[1], dtype=X.dtype), every)
    terms = (integers(X.data, X.indices) - zeros[X.indices]) * factors[X.indices]
    totals = np.append(np.uint64(0), np.cumsum(terms, dtype=np.uint64))
    sums: Keys = totals[X.indptr[1:]] - totals[X.indptr[:-1]] + zeros @ factors
    return sums


def _mixed(keys: Keys) -> Keys:
    """Scramble integers by a bijection: the finalizer of SplitMix64.

    G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014.
    """
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _relative(sample_weight: Floats) -> Floats:
    """Scale weights so that the greatest is about one, and raise those that would vanish.

    Then no sum or product of weights overflows, and each row keeps a positive share, also
    in single precision. The scale is a power of two, so it changes no digits.
    """
    exponent = int(np.frexp(sample_weight.max())[1])
    return np.maximum(np.ldexp(sample_weight, -exponent), LEAST_WEIGHT)


def mean_and_deviation(
    X: Array, sample_weight: Floats, index: Ints | None = None
) -> tuple[Floats, Floats]:
    """Weighted mean and standard deviation of the columns of ``X[index]``.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    sample_weight : array of shape (m,)
    index : int array of shape (m,), optional
        By default all rows.

    Returns
    -------
    mean : array of shape (d,)
    deviation : array of shape (d,)
        Zero for a column that is constant up to rounding errors.
    """
    shares = sample_weight.astype(np.float64) / sample_weight.max()
    shares /= shares.sum()
    exponent = _exponent(X)
    if sp.issparse(X):
        scaled = (X if index is None else X[index]).astype(np.float64)
        scaled.data = np.ldexp(scaled.data, -exponent)
        mean, variance = mean_variance_axis(scaled, axis=0, weights=shares)
    else:
        index = np.arange(len(X)) if index is None else index
        parts = partial(_blocks, X, shares, index, exponent)
        origin = np.ldexp(X[index[0]].astype(np.float64), -exponent)
        zeros = np.zeros(X.shape[1])
        mean = sum((share @ (x - origin) for share, x in parts()), zeros) + origin
        variance = sum((share @ (x - mean) ** 2 for share, x in parts()), zeros)
    deviation = np.sqrt(variance)
    deviation = np.where(deviation > TINY * abs(mean), deviation, 0.0)
    return np.ldexp(mean, exponent), np.ldexp(deviation, exponent)


def _blocks(
    X: Array, shares: Floats, index: Ints, exponent: int
) -> Iterator[tuple[Floats, Floats]]:
    """Yield batches of shares and of rows ``2^-exponent X``, in double precision."""
    for rows in row_batches(len(index), TEMPORARIES * X.shape[1]):
        block = X[index[rows]].astype(np.float64)
        yield shares[rows], np.ldexp(block, -exponent) if exponent else block


def _exponent(X: Array) -> int:
    """Binary exponent of the largest value if squares would over- or underflow, else 0.

    Scaling by a power of two changes no digits.
    """
    x = X.data if sp.issparse(X) else X
    largest = max(abs(float(x.max(initial=0))), abs(float(x.min(initial=0))))
    exponent = int(np.frexp(largest)[1])
    return exponent if abs(exponent) > SAFE_EXPONENT else 0


def in_form_of(X: Array, kept: Array) -> Array:
    """Return rows on the host, dense or sparse and in the precision of others."""
    if sp.issparse(kept):
        return sp.csr_array(X, dtype=kept.dtype)
    return np.asarray(X.toarray() if sp.issparse(X) else X, dtype=kept.dtype)


class TrainingData(NamedTuple):
    """Rows to train on or to validate on.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    y : array of shape (n,) or (n, n_outputs)
        What the user passed; once encoded, class codes or values in training units.
    sample_weight : array of shape (n,)
    """

    X: Array
    y: Array
    sample_weight: Array

    def take(self, index: Array) -> TrainingData:
        """Return the rows at the positions ``index`` (m,)."""
        xp = array_namespace(self.y)
        X = self.X[index] if hasattr(self.X, "tocsr") else xp.take(self.X, index, axis=0)
        y = xp.take(self.y, index, axis=0)
        return TrainingData(X, y, xp.take(self.sample_weight, index))

    def followed_by(self, other: TrainingData) -> TrainingData:
        """Return the rows of both on the host, in the form and precision of the first."""
        X = in_form_of(other.X, self.X)
        return TrainingData(
            sp.vstack([self.X, X]) if sp.issparse(X) else np.concatenate([self.X, X]),
            np.concatenate([self.y, other.y]),
            np.concatenate(
                [self.sample_weight, other.sample_weight.astype(self.sample_weight.dtype)]
            ),
        )

    def spread(self, size: int) -> TrainingData:
        """Return at most ``size`` rows, evenly spread over all of them."""
        n = int(self.sample_weight.shape[0])
        if n <= size:
            return self
        xp = array_namespace(self.sample_weight)
        where = device(self.sample_weight)
        return self.take(xp.arange(size, device=where, dtype=xp.int64) * n // size)

    def blocks(self, size: int) -> Iterator[TrainingData]:
        """Yield at most ``size`` rows at a time, as views of what is dense."""
        n = self.sample_weight.shape[0]
        if n <= size:
            yield self
            return
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            yield TrainingData(
                self.X[rows, :], self.y[rows, ...], self.sample_weight[rows]
            )
