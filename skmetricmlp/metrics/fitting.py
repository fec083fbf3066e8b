"""Metrics with the parameters that are estimated from the training data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.linalg
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skmetricmlp._data import DistinctRows, mean_and_deviation, row_batches
from skmetricmlp._typing import Array, Bools, Floats
from skmetricmlp.metrics.formulas import (
    METRICS,
    Scores,
    ValueRange,
    linear_map,
    squared_euclidean,
    standardized_euclidean,
)
from skmetricmlp.metrics.holes import Holes
from skmetricmlp.network import Scaling

__all__ = ["Metric", "feature_variances", "fit_metric", "linear_part"]


# Smoothing of the Kullback-Leibler divergence, in units of the mean of all values.
PSEUDO_COUNT = 0.1
SAMPLE_ROWS = 1000
TOLERANCE = 1e-5  # largest nonlinearity, in standard deviations of the output of a map


@dataclass(frozen=True)
class Metric:
    """A function from points to affine scores, with values for all its parameters.

    Parameters
    ----------
    name : str
        For error messages.
    function : callable
        From points, and the parameters by name, to ``(A, b)``.
    parameters : mapping
    value_range : ValueRange, optional
        The values for which the metric is defined; all values by default.
    mean, scale : arrays of shape (d,), optional
        Scaling of the inputs in training, which k-means uses for metrics that have no
        scaling of their own. By default the inputs are not scaled.
    terms : callable, optional
        For a metric that is a sum over features: from points, and the parameters by
        name, to the terms (n, d) of ``b``.
    holes : Holes, optional
        Columns with missing values.
    """

    name: str
    function: Callable[..., Scores]
    parameters: Mapping[str, Any]
    value_range: ValueRange | None = None
    mean: Floats | None = None
    scale: Floats | None = None
    terms: Callable[..., Floats] | None = None
    holes: Holes | None = None

    def __call__(self, points: Array) -> Scores:
        """Return affine scores ``(A, b)`` in double precision.

        Parameters
        ----------
        points : array of shape (n, d)

        Returns
        -------
        A : array of shape (n, d)
        b : array of shape (n,)

        Raises
        ------
        ValueError
            If the points or the scores are not finite, or if the function does not
            return arrays of these shapes.
        """
        points = self._features_of(points)
        if not np.isfinite(points).all():
            msg = "the exemplars are not finite as X is too large: scale its features"
            raise ValueError(msg)
        try:
            A, b = (
                np.asarray(array, dtype=np.float64)
                for array in self.function(points, **self.parameters)
            )
        except (TypeError, ValueError) as error:
            msg = (
                f"metric={self.name} must return a pair (A, b) for points of shape "
                f"{points.shape}: {error}"
            )
            raise ValueError(msg) from error
        if A.shape != points.shape or b.shape != points.shape[:1]:
            msg = (
                f"metric={self.name} must return (A, b) of shapes {points.shape} and "
                f"{points.shape[:1]}, got {A.shape} and {b.shape}"
            )
            raise ValueError(msg)
        if not (np.isfinite(A).all() and np.isfinite(b).all()):
            msg = (
                f"metric={self.name} gives scores that are not finite for points with "
                f"values of up to {np.abs(points).max():.3g}: scale the features"
            )
            raise ValueError(msg)
        if self.holes is None:
            return A, b
        return self.holes.takes_back(A, self.offset_terms(points)), b

    @property
    def is_additive(self) -> bool:
        """Whether the metric is a sum over features, which can be taken over few."""
        return self.terms is not None

    @property
    def is_equal_halfway(self) -> bool:
        """Whether two points are equally far halfway between them, on each feature."""
        return self.function in (squared_euclidean, standardized_euclidean)

    def offset_terms(self, points: Array) -> Floats:
        """Return the terms (n, d) of the offsets ``b`` of an additive metric."""
        if self.terms is None:
            msg = f"metric={self.name} is not a sum over features"
            raise ValueError(msg)
        return self.terms(self._features_of(points), **self.parameters)

    def _features_of(self, points: Array) -> Floats:
        doubles: Floats = np.asarray(points, dtype=np.float64)
        return doubles if self.holes is None else self.holes.features_of(doubles)


def fit_metric(
    metric: Any,
    parameters: Mapping[str, Any] | None,
    rows: DistinctRows,
    y: Array,
    sample_weight: Floats | None = None,
    *,
    scaling: Scaling | None = None,
    holes: Holes | None = None,
) -> Metric:
    """Estimate the parameters of a metric that are not given from the training data.

    Parameters
    ----------
    metric : str, transformer or callable
        A key of :data:`~skmetricmlp.metrics.formulas.METRICS`; a linear scikit-learn
        transformer, which is fitted to the data unless it is already fitted; or a
        function from points, and ``parameters`` by name, to ``(A, b)``.
    parameters : mapping or None
        The given parameters. Others are estimated: the variances; the covariance, of
        which the pseudo-inverse is used; and the smoothing, as 0.1 of the mean of all
        values.
    rows : DistinctRows
        The training data: the distinct rows, and the whole data in ``rows.X``.
    y : array of shape (n,) or (n, n_outputs)
        Labels or values of the rows of ``rows.X``, to fit a transformer.
    sample_weight : array of shape (n,), optional
        Weights of the rows of ``rows.X``. A transformer is fitted with them if its
        ``fit`` has a parameter ``sample_weight``.
    scaling : pair of arrays of shape (d,), optional
        Scaling of the inputs in training.
    holes : Holes, optional
        Columns with missing values.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If a transformer is not linear, or cannot be fitted, or X has missing values and
        the metric is not a sum over features.
    """
    is_additive = isinstance(metric, str) and METRICS[metric].terms is not None
    if holes is not None and not is_additive:
        known = ", ".join(repr(name) for name, of in METRICS.items() if of.terms)
        msg = (
            f"X has missing values (NaN), and metric={metric!r} is not a sum over "
            f"features, which can be taken over those that are known: choose one of "
            f"{known}, or fill in the values"
        )
        raise ValueError(msg)
    X = rows.X
    mean, scale = scaling or (None, None)
    given = dict(parameters or {})
    if not isinstance(metric, str):
        if hasattr(metric, "transform"):
            fitted = _fitted_transformer(metric, X, y, sample_weight)
            L = linear_part(fitted, _dense(X[rows.index[:SAMPLE_ROWS]]))
            return Metric(repr(metric), linear_map, {"L": L}, None, mean, scale)
        name = getattr(metric, "__name__", repr(metric))
        return Metric(name, metric, given, None, mean, scale)
    if metric == "seuclidean" and "V" not in given:
        given["V"] = _variance(rows)
    if metric == "mahalanobis":
        covariance = given.pop("V", None)
        if "VI" not in given:
            if covariance is None:
                covariance = _covariance(rows)
            given["VI"] = _inverse(covariance)
    if metric == "kl":
        of_values = float(np.mean(_mean(rows))) or 1.0
        given.setdefault("smoothing", PSEUDO_COUNT * of_values)
    if metric == "chamfer":
        given.setdefault("threshold", 0.5)
    formula = METRICS[metric]
    return Metric(
        repr(metric),
        formula.function,
        given,
        formula.value_range,
        mean,
        scale,
        formula.terms,
        holes,
    )


def feature_variances(rows: DistinctRows, are_flags: Bools) -> Floats | None:
    """Choose the variance that each feature counts with, for ``metric="auto"``.

    Columns of 0 and 1 count as they are: two categories, one-hot, then differ by as much
    as values at 1.4 deviations.

    Parameters
    ----------
    rows : DistinctRows
    are_flags : bool array of shape (n_columns,)
        Columns of two values, such as those of a category.

    Returns
    -------
    array of shape (n_columns,) or None
        None if all columns have the same unit, which is so if most of those that vary
        have the same least and the same greatest value, as pixels have.
    """
    low, high = _extremes(rows.X[rows.index])
    varies = low < high
    are_numbers = varies & ~are_flags
    n_numbers = int(np.count_nonzero(are_numbers))
    if not n_numbers:
        return None
    least, greatest = low[are_numbers].min(), high[are_numbers].max()
    n_alike = np.count_nonzero(are_numbers & (low == least) & (high == greatest))
    if 2 * n_alike >= n_numbers > 1:
        return None
    return np.where(are_flags & varies, (high - low) ** 2, _variance(rows))


def _extremes(X: Array) -> tuple[Floats, Floats]:
    """Least and greatest value of each column, in double precision."""
    low, high = X.min(axis=0), X.max(axis=0)
    if sp.issparse(X):
        low, high = low.toarray().ravel(), high.toarray().ravel()
    return low.astype(np.float64), high.astype(np.float64)


def _weighted_sum(rows: DistinctRows, statistic: Callable[..., Floats]) -> Floats:
    """Sum of ``statistic(shares, x)`` over blocks of rows; the shares add up to one."""
    shares = rows.sample_weight / rows.sample_weight.sum()
    blocks = row_batches(len(shares), rows.X.shape[1])
    terms = (
        statistic(shares[block], _dense(rows.X[rows.index[block]])) for block in blocks
    )
    return sum(terms, start=np.zeros(()))


def _mean(rows: DistinctRows) -> Floats:
    return _weighted_sum(rows, np.matmul)


def _variance(rows: DistinctRows) -> Floats:
    """Weighted variance of each column; 1 where it is zero, as in StandardScaler."""
    _, deviation = mean_and_deviation(rows.X, rows.sample_weight, rows.index)
    return np.where(deviation > 0, deviation, 1.0) ** 2


def _covariance(rows: DistinctRows) -> Floats:
    mean, deviation = mean_and_deviation(rows.X, rows.sample_weight, rows.index)
    covariance = _weighted_sum(
        rows, lambda share, x: (x - mean).T @ (share[:, None] * (x - mean))
    )
    # The covariance of a constant column is zero up to rounding errors.
    covariance[deviation == 0] = 0.0
    covariance[:, deviation == 0] = 0.0
    return covariance


def _inverse(covariance: Floats) -> Floats:
    """Pseudo-inverse by way of the correlations, so that its rank is free of units."""
    deviation = np.sqrt(np.diagonal(covariance))
    deviation = np.where(deviation > 0, deviation, 1.0)
    correlation = covariance / deviation / deviation[:, None]
    inverse: Floats = scipy.linalg.pinvh(correlation) / deviation / deviation[:, None]
    return inverse


def _dense(X: Array) -> Floats:
    block: Floats = X.toarray() if sp.issparse(X) else X
    return block.astype(np.float64, copy=False)


def _fitted_transformer(
    transformer: Any, X: Array, y: Array, sample_weight: Floats | None
) -> Any:
    """Return the transformer if it is fitted, or else a fitted clone of it."""
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        given = {}
        # Equal weights have no effect, so they need not be passed.
        is_weighted = sample_weight is not None and bool(
            (sample_weight != sample_weight[0]).any()
        )
        if is_weighted and has_fit_parameter(transformer, "sample_weight"):
            given["sample_weight"] = sample_weight
        return _fit_transformer(clone(transformer), X, y, given)
    except TypeError as error:  # data frames also have a method transform
        msg = f"metric must be an estimator if it has a method transform: {error}"
        raise ValueError(msg) from error
    return transformer


def _fit_transformer(
    transformer: Any, X: Array, y: Array, given: Mapping[str, Any]
) -> Any:
    """Fit a transformer, with an error that names ``metric`` if the fit fails.

    Raises
    ------
    ValueError
        If the fit raises any error, as for degenerate rows whose eigenvalue problem has
        no solution. Also if squares of X overflow: transformers do not check this, and
        LAPACK would print messages.
    """
    largest = float(abs(X).max())
    if largest > (np.finfo(X.dtype).max / max(*X.shape)) ** 0.5:
        msg = (
            f"metric={transformer!r} cannot be fitted to X with values of up to "
            f"{largest:.3g}, whose squares overflow: scale its features"
        )
        raise ValueError(msg)
    try:
        with np.errstate(all="ignore"):
            return transformer.fit(X, y, **given)
    except Exception as error:
        msg = (
            f"metric={transformer!r} cannot be fitted to the rows of X, of shape "
            f"{X.shape}: {type(error).__name__}: {error}"
        )
        raise ValueError(msg) from error


def linear_part(transformer: Any, sample: Floats) -> Floats:
    """Find the matrix of a fitted transformer by changing one feature at a time.

    This works whichever attributes of the transformer hold its map, and also if the
    transformer is a pipeline.

    Parameters
    ----------
    transformer : transformer
        Fitted.
    sample : array of shape (n, d)
        Rows on which the linearity is tested; their mean is the point that is changed.

    Returns
    -------
    L : array of shape (n_components, d)

    Raises
    ------
    ValueError
        If the transformer does not accept these features, is not linear on them, or
        returns no component.
    """
    center, deviation = sample.mean(axis=0), sample.std(axis=0)
    width = np.where(deviation > 0, deviation, 1.0)
    origin = _transform(transformer, center[None])
    if not origin.shape[1]:
        msg = (
            f"metric={transformer!r} maps X to no component, as a discriminant "
            f"analysis of a single class does: choose another metric"
        )
        raise ValueError(msg)
    columns = []
    for features in row_batches(len(center), len(center)):
        moved = np.tile(center, (features.stop - features.start, 1))
        index = np.arange(features.start, features.stop)
        moved[index - features.start, index] += width[index]
        columns.append((_transform(transformer, moved) - origin) / width[index, None])
    L: Floats = np.concatenate(columns).T
    if not np.isfinite(L).all():
        msg = (
            f"metric={transformer!r} transforms X to values that are not finite; X has "
            f"values of up to {np.abs(sample).max():.3g}"
        )
        raise ValueError(msg)
    expected = origin + (sample - center) @ L.T
    error = np.abs(_transform(transformer, sample) - expected).max()
    if not error <= TOLERANCE * max(float(expected.std()), np.finfo(float).tiny):
        msg = (
            f"metric={transformer!r} is not linear, so weights cannot represent it: on "
            f"rows of X it differs from its linear part by {error:.3g}"
        )
        raise ValueError(msg)
    return L


def _transform(transformer: Any, X: Floats) -> Floats:
    names = getattr(transformer, "feature_names_in_", None)
    named = names is not None and len(names) == X.shape[1]
    try:
        with np.errstate(all="ignore"):
            Z = transformer.transform(pd.DataFrame(X, columns=names) if named else X)
    except Exception as error:
        msg = f"metric={transformer!r} cannot transform rows of X: {error}"
        raise ValueError(msg) from error
    return _dense(Z) if sp.issparse(Z) else np.asarray(Z, dtype=np.float64)
