"""A sample of rows that does not depend on their order, nor on how often they occur.

Each row has a key, a hash of its values, and the rows with the lowest keys are kept: a
bottom-k sketch (E. Cohen, H. Kaplan, PODC 2007). The sample of two sets of rows is found
from their samples, so that it can be collected from a stream or on many machines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skmetricmlp._data import TrainingData, group_means, grouped, row_keys
from skmetricmlp._typing import Floats

__all__ = ["RowSample"]

# What is left of a weight that is taken away is no more than this share of it.
ROUNDING = 1e-9


@dataclass(frozen=True)
class RowSample:
    """The distinct rows with the lowest keys, or distinct pairs of a row and a class.

    Parameters
    ----------
    keys : array of shape (m,)
        From 0 to 1, in rising order.
    data : TrainingData
        The rows, with class codes (m,) or the weighted means of values (m, n_outputs),
        and sums of weights in double precision.
    size : int
        So many rows are kept.
    limit : float
        All rows with keys below it are in the sample, and no others.
    """

    keys: Floats
    data: TrainingData
    size: int
    limit: float = 1.0

    @classmethod
    def of(cls, data: TrainingData, size: int) -> RowSample:
        """Return the sample of some rows, on the host, with positive weights."""
        keys = row_keys(data.X)
        if len(keys) > 2 * size:
            # Usually most of the rows differ, and the others have higher keys.
            low = np.flatnonzero(keys <= np.partition(keys, 2 * size)[2 * size])
            sample = _merged(keys[low], data.take(low), size, 1.0)
            if not sample.is_complete:
                return sample
        return _merged(keys, data, size, 1.0)

    @property
    def is_complete(self) -> bool:
        """Whether all rows are in the sample."""
        return self.limit == 1.0

    @property
    def n_distinct(self) -> int:
        """Number of distinct rows, estimated where the sample is not complete."""
        return round(len(self.keys) / self.limit)

    def plus(self, other: RowSample, factor: float = 1.0) -> RowSample:
        """Return the sample of the rows of both, with ``factor`` times other weights.

        A row of no weight is left out.

        Raises
        ------
        ValueError
            If a row has less than no weight.
        """
        limit = min(self.limit, other.limit)
        keys = np.concatenate([self.keys, other.keys])
        both = self.data.followed_by(other.scaled(factor).data)
        return _merged(keys, both, self.size, limit)

    def scaled(self, factor: float) -> RowSample:
        """Return the sample with all weights times a factor."""
        weights = factor * self.data.sample_weight
        return replace(self, data=self.data._replace(sample_weight=weights))

    def first(self, size: int) -> RowSample:
        """Return a smaller sample of the same rows."""
        return _merged(self.keys, self.data, size, self.limit)


def _merged(keys: Floats, data: TrainingData, size: int, limit: float) -> RowSample:
    """Merge equal rows, and keep those with the lowest keys, below the limit."""
    low = np.flatnonzero(keys < limit)
    if len(low) < len(keys):
        keys, data = keys[low], data.take(low)
    weights = data.sample_weight.astype(np.float64)
    codes = data.y if data.y.ndim == 1 else np.zeros(len(data.y), dtype=np.intp)
    index, group = grouped(keys, codes)
    sums, gross = np.bincount(group, weights), np.bincount(group, abs(weights))
    if np.any(sums < -ROUNDING * gross):
        msg = "rows can only be forgotten that were learned, with at most their weights"
        raise ValueError(msg)
    known = sums > ROUNDING * gross
    if known.sum() > size:
        limit = min(limit, float(keys[index[known][size]]))
    kept = known & (keys[index] < limit)
    y = data.y[index[kept]]
    if data.y.ndim > 1:
        with np.errstate(invalid="ignore", divide="ignore"):  # of rows without weight
            y = group_means(group, data.y, weights)[kept]
    merged = TrainingData(data.X[index[kept]], y, sums[kept])
    return RowSample(keys[index[kept]], merged, size, limit)
