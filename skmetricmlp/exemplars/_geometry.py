"""Exemplars, and the distances of rows from points by a metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from skmetricmlp._data import DistinctRows, row_batches
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.metrics.fitting import Metric
from skmetricmlp.metrics.formulas import (
    linear_map,
    mahalanobis,
    standardized_euclidean,
)

__all__ = ["Exemplars", "distances", "mapped", "points_at", "rounded", "scores"]


ROUNDING = 2.0**26


@dataclass(frozen=True)
class Exemplars:
    """The exemplars: points, and the class or the values of each.

    Parameters
    ----------
    points : array of shape (N, d)
    codes : int array of shape (N,)
        Class codes; zeros if the exemplars have values instead of classes.
    index : int array of shape (N,) or None
        Position of each exemplar in the training data; None if the exemplars are not
        rows of it.
    values : array of shape (N, n_outputs), optional
    """

    points: Floats
    codes: Ints
    index: Ints | None
    values: Floats | None = None

    def targets(self, n_outputs: int) -> Floats:
        """Return the one-hot classes (N, n_outputs) or the values of the exemplars."""
        return np.eye(n_outputs)[self.codes] if self.values is None else self.values


def points_at(rows: DistinctRows, index: Ints) -> Floats:
    """Return the rows of ``rows.X`` at the positions ``index``, as a dense array."""
    block = rows.X[index]
    points: Floats = block.toarray() if sp.issparse(block) else block
    return points


def scores(rows: DistinctRows, metric: Metric, points: Floats) -> Floats:
    """Distances of rows from points, up to a term that depends on the row only.

    Parameters
    ----------
    rows : DistinctRows
        m of them.
    metric : Metric
    points : array of shape (N, d)

    Returns
    -------
    array of shape (m, N)
    """
    A, b = metric(points)
    blocks = row_batches(len(rows.index), rows.X.shape[1])
    return np.concatenate([rows.X[rows.index[block]] @ A.T + b for block in blocks])


def distances(rows: DistinctRows, metric: Metric) -> Floats:
    """Distances (m, m) between rows, up to a term that depends on the first row only.

    Sparse rows are converted to dense arrays in blocks.
    """
    batches = row_batches(len(rows.index), rows.X.shape[1])
    blocks = (rows.index[batch] for batch in batches)
    return np.concatenate(
        [scores(rows, metric, points_at(rows, block)) for block in blocks], axis=1
    )


def mapped(X: Array, metric: Metric) -> Array:
    """Map rows so that their Euclidean distance is the metric, if a linear map can.

    For other metrics, the map is the scaling of the inputs alone. The mean of the inputs
    is subtracted from dense rows only. The mapped values are rounded: otherwise the
    rounding errors of a tie, which depend on the units of the features, could decide
    which exemplars are selected.

    Parameters
    ----------
    X : array or SciPy CSR of shape (m, d)
    metric : Metric

    Returns
    -------
    array or SciPy CSR of shape (m, d) or (m, n_components)
    """
    if not sp.issparse(X):
        return rounded(_mapped_dense(X, metric))
    if metric.function in {mahalanobis, linear_map}:
        return rounded(_mapped_dense(X.toarray(), metric))
    _, scale = _mean_and_scale(metric, X.shape[1])
    if metric.function is standardized_euclidean:
        scale = np.sqrt(metric.parameters["V"])
    scaled = sp.csr_array(X @ sp.diags_array(1.0 / scale))
    scaled.data = rounded(scaled.data)
    return scaled


def _mapped_dense(X: Floats, metric: Metric) -> Floats:
    mean, scale = _mean_and_scale(metric, X.shape[1])
    Z: Floats = (X - mean) / scale
    if metric.function is standardized_euclidean:
        Z = Z * (scale / np.sqrt(metric.parameters["V"]))
    if metric.function is mahalanobis:
        with np.errstate(over="ignore"):
            VI = metric.parameters["VI"] * scale * scale[:, None]
        if not np.isfinite(VI).all():
            msg = "metric_params['V'] is too small for the values of X: scale both"
            raise ValueError(msg)
        squares, vectors = np.linalg.eigh(VI)
        root = (vectors * np.sqrt(np.maximum(squares, 0.0))) @ vectors.T
        Z = Z @ root
    if metric.function is linear_map:
        Z = Z @ (metric.parameters["L"] * scale).T
    return Z


def _mean_and_scale(metric: Metric, n_features: int) -> tuple[Floats, Floats]:
    """Return the mean and the scale of the inputs; zero and one by default."""
    mean = np.zeros(n_features) if metric.mean is None else metric.mean
    return mean, np.ones(n_features) if metric.scale is None else metric.scale


def rounded(values: Floats, unit: float = 1.0) -> Floats:
    """Round to a small fraction of ``unit``, so that rounding errors have no effect.

    Examples
    --------
    >>> import numpy as np
    >>> float(rounded(np.array(1.0 + 1e-15)))
    1.0
    """
    steps: Floats = np.rint(values / unit * ROUNDING)
    return steps / ROUNDING
