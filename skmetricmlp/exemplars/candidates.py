"""What exemplars are chosen from, and what is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from skmetricmlp._data import DistinctRows
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.metrics.fitting import Metric
from skmetricmlp.metrics.formulas import (
    linear_map,
    mahalanobis,
    standardized_euclidean,
)
from skmetricmlp.network.scaling import InputScaling

__all__ = ["Candidates", "Exemplars", "rounded"]


BLOCK_ELEMENTS = 2**20
ROUNDING = 2.0**26


@dataclass(frozen=True)
class Exemplars:
    """``points`` (N, d) and their class ``codes`` (N,), or ``values`` (N, n_outputs).

    ``index`` (N,) says which rows of the data they are; None where they are none.
    """

    points: Floats
    codes: Ints
    index: Ints | None
    values: Floats | None = None

    def targets(self, n_outputs: int) -> Floats:
        """Return what outputs are to say of each (N, n_outputs): 1 for its class."""
        return np.eye(n_outputs)[self.codes] if self.values is None else self.values


class Candidates(NamedTuple):
    """Rows ``X`` (n, d) that exemplars are chosen from, and what is near to what."""

    X: Array
    rows: DistinctRows
    metric: Metric
    scaling: InputScaling

    def points(self, index: Ints) -> Floats:
        """Rows of ``X``, dense."""
        block = self.X[index]
        points: Floats = block.toarray() if sp.issparse(block) else block
        return points

    def mapped(self, rows: Array) -> Array:
        """Map rows to where the metric is Euclidean, if it is so after a linear map.

        Other metrics leave the rows as they are, but for the scale of all features, and
        of dense rows the mean. Values are rounded, so that what is chosen by them does
        not depend on units by the rounding errors of a tie.
        """
        metric, scaling = self.metric, self.scaling
        if sp.issparse(rows):
            scale = scaling.scale
            if metric.function is standardized_euclidean:
                scale = np.sqrt(metric.parameters["V"])
            mapped = sp.csr_array(rows @ sp.diags_array(1.0 / scale))
            if metric.function in {mahalanobis, linear_map}:
                return rounded(self._mapped_dense(rows.toarray()))
            mapped.data = rounded(mapped.data)
            return mapped
        return rounded(self._mapped_dense(rows))

    def _mapped_dense(self, rows: Floats) -> Floats:
        metric, (mean, scale) = self.metric, self.scaling.arrays
        values: Floats = (rows - mean) / scale
        if metric.function is standardized_euclidean:
            values = values * (scale / np.sqrt(metric.parameters["V"]))
        if metric.function is mahalanobis:
            VI = metric.parameters["VI"] * scale * scale[:, None]
            squares, vectors = np.linalg.eigh(VI)
            root = (vectors * np.sqrt(np.maximum(squares, 0.0))) @ vectors.T
            values = values @ root
        if metric.function is linear_map:
            values = values @ (metric.parameters["L"] * scale).T
        return values

    def distances(self, index: Ints) -> Floats:
        """Distances (m, m) of rows of ``X`` from each other, up to a term per row.

        Sparse rows are made dense some at a time.
        """
        size = max(1, BLOCK_ELEMENTS // self.X.shape[1])
        blocks = (index[block] for block in gen_batches(len(index), size))
        return np.concatenate(
            [self.scores(self.points(block), index) for block in blocks], axis=1
        )

    def scores(self, points: Floats, index: Ints) -> Floats:
        """Distances (m, N) of rows of ``X`` from points (N, d), up to a term per row."""
        A, b = self.metric(points)
        blocks = gen_batches(len(index), max(1, BLOCK_ELEMENTS // self.X.shape[1]))
        return np.concatenate([self.X[index[block]] @ A.T + b for block in blocks])


def rounded(values: Floats, unit: float = 1.0) -> Floats:
    """Round to a fine fraction of ``unit``, so that rounding errors make no difference.

    Examples
    --------
    >>> import numpy as np
    >>> float(rounded(np.array(1.0 + 1e-15)))
    1.0
    """
    steps: Floats = np.rint(values / unit * ROUNDING)
    return steps / ROUNDING
