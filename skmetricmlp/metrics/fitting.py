"""What a metric learns from the training rows: from its name to a function of points."""

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
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skmetricmlp._data import DistinctRows, mean_and_deviation
from skmetricmlp._typing import Array, Floats
from skmetricmlp.metrics.formulas import METRICS, Domain, Scores, linear_map

__all__ = ["Metric", "fit_metric", "linear_part"]


PSEUDO_COUNT = 0.1  # of the mean value: the smoothing of the Kullback-Leibler divergence
SAMPLE_ROWS = 1000
BLOCK_ELEMENTS = 2**22
TOLERANCE = 1e-5  # how far a map may be from linear, per deviation of its output


@dataclass(frozen=True)
class Metric:
    """A function of points and its parameters, which are known by now."""

    name: str
    function: Callable[..., Scores]
    parameters: Mapping[str, Any]
    domain: Domain | None = None

    def __call__(self, points: Array) -> Scores:
        """Affine scores ``(A, b)`` of shapes (n, d) and (n,), in double precision.

        Raises
        ------
        ValueError
            If they are of another shape or not finite, which names what was given.
        """
        points = np.asarray(points, dtype=np.float64)
        if not np.isfinite(points).all():
            msg = "exemplars are not finite: X is too large to calculate them, scale it"
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
        return A, b


def fit_metric(
    metric: Any,
    parameters: Mapping[str, Any] | None,
    X: Array,
    y: Array,
    rows: DistinctRows,
    weights: Floats | None = None,
) -> Metric:
    """Complete the parameters of a metric from the training rows.

    Parameters
    ----------
    metric : str, transformer or callable
        A key of :data:`~skmetricmlp.metrics.formulas.METRICS`; a scikit-learn
        transformer that is linear, which is fitted on the rows unless it is fitted; or
        a function from points, and ``parameters`` by name, to ``(A, b)``.
    parameters : mapping or None
        What is given. What is not is taken from the rows: the variance, the covariance
        (of which a pseudo-inverse is taken), and 0.1 of the mean value for smoothing.
    X : array or SciPy CSR of shape (n, d)
    y : array of shape (n,)
        Labels.
    rows : DistinctRows
        Of ``X``.
    weights : array of shape (n,), optional
        A transformer is fitted with them if its ``fit`` takes ``sample_weight``.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If a transformer is not linear.
    """
    given = dict(parameters or {})
    if not isinstance(metric, str):
        if hasattr(metric, "transform"):
            fitted = _fitted_transformer(metric, X, y, weights)
            L = linear_part(fitted, _dense(X[rows.index[:SAMPLE_ROWS]]))
            return Metric(repr(metric), linear_map, {"L": L})
        return Metric(getattr(metric, "__name__", repr(metric)), metric, given)
    if metric == "seuclidean" and "V" not in given:
        given["V"] = _variance(X, rows)
    if metric == "mahalanobis":
        covariance = given.pop("V", None)
        if "VI" not in given:
            if covariance is None:
                covariance = _covariance(X, rows)
            given["VI"] = _inverse(covariance)
    if metric == "kl":
        mean = float(np.mean(_mean(X, rows))) or 1.0
        given.setdefault("smoothing", PSEUDO_COUNT * mean)
    if metric == "chamfer":
        given.setdefault("threshold", 0.5)
    formula = METRICS[metric]
    return Metric(repr(metric), formula.function, given, formula.domain)


def _weighted_sum(
    X: Array, rows: DistinctRows, statistic: Callable[..., Floats]
) -> Floats:
    """Sum of ``statistic(weights, values)`` over blocks, for weights that add up to 1."""
    shares = rows.weights / rows.weights.sum()
    blocks = gen_batches(len(shares), max(1, BLOCK_ELEMENTS // X.shape[1]))
    terms = (statistic(shares[part], _dense(X[rows.index[part]])) for part in blocks)
    return sum(terms, start=np.zeros(()))


def _mean(X: Array, rows: DistinctRows) -> Floats:
    return _weighted_sum(X, rows, np.matmul)


def _variance(X: Array, rows: DistinctRows) -> Floats:
    """Weighted variance of each column; 1 where it is zero, as in StandardScaler."""
    _, deviation = mean_and_deviation(X, rows.weights, rows.index)
    return np.where(deviation > 0, deviation, 1.0) ** 2


def _covariance(X: Array, rows: DistinctRows) -> Floats:
    mean, deviation = mean_and_deviation(X, rows.weights, rows.index)
    covariance = _weighted_sum(
        X, rows, lambda share, x: (x - mean).T @ (share[:, None] * (x - mean))
    )
    # What rounding errors leave of a constant column is no covariance.
    covariance[deviation == 0] = 0.0
    covariance[:, deviation == 0] = 0.0
    return covariance


def _inverse(covariance: Floats) -> Floats:
    """Pseudo-inverse, by that of the correlations: units do not matter to its rank."""
    deviation = np.sqrt(np.diagonal(covariance))
    deviation = np.where(deviation > 0, deviation, 1.0)
    correlation = covariance / deviation / deviation[:, None]
    inverse: Floats = scipy.linalg.pinvh(correlation) / deviation / deviation[:, None]
    return inverse


def _dense(X: Array) -> Floats:
    block: Floats = X.toarray() if sp.issparse(X) else X
    return block.astype(np.float64, copy=False)


def _fitted_transformer(
    transformer: Any, X: Array, y: Array, weights: Floats | None
) -> Any:
    """Return the transformer if it is fitted, or a clone of it that is."""
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        given = {}
        # Weights that are all the same say nothing.
        is_weighted = weights is not None and bool((weights != weights[0]).any())
        if is_weighted and has_fit_parameter(transformer, "sample_weight"):
            given["sample_weight"] = weights
        return _fit_transformer(clone(transformer), X, y, given)
    except TypeError as error:  # a table has a method transform too
        msg = f"metric must be an estimator if it has a method transform: {error}"
        raise ValueError(msg) from error
    return transformer


def _fit_transformer(
    transformer: Any, X: Array, y: Array, given: Mapping[str, Any]
) -> Any:
    """Fit a transformer; what it calculates from rows is checked where it is used.

    Raises
    ------
    ValueError
        Naming ``metric`` if it raises anything: of degenerate rows an eigenvalue problem
        without a solution, or an index of no component. And if squares of X overflow,
        which transformers do not check, and LAPACK prints lines about.
    """
    largest = float(abs(X).max())
    if largest > (np.finfo(X.dtype).max / max(*X.shape)) ** 0.5:
        msg = (
            f"metric={transformer!r} cannot be fitted to X with values of up to "
            f"{largest:.3g}, the squares of which overflow: scale its features"
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
    """Matrix of a fitted transformer, found by moving one feature at a time.

    So it does not matter which attributes a transformer keeps its map in, or whether it
    is a pipeline of several.

    Parameters
    ----------
    transformer : transformer
        Fitted.
    sample : array of shape (n, d)
        Rows to start from, and to test on.

    Returns
    -------
    L : array of shape (n_components, d)

    Raises
    ------
    ValueError
        If the transformer takes other features, or is not linear on them, or returns
        none.
    """
    center, deviation = sample.mean(axis=0), sample.std(axis=0)
    width = np.where(deviation > 0, deviation, 1.0)
    origin = _transform(transformer, center[None])
    if not origin.shape[1]:
        msg = (
            f"metric={transformer!r} maps the rows of X to no component, as a "
            f"discriminant analysis of a single class does: choose another metric"
        )
        raise ValueError(msg)
    columns = []
    for features in gen_batches(len(center), max(1, BLOCK_ELEMENTS // len(center))):
        moved = np.tile(center, (features.stop - features.start, 1))
        index = np.arange(features.start, features.stop)
        moved[index - features.start, index] += width[index]
        columns.append((_transform(transformer, moved) - origin) / width[index, None])
    L: Floats = np.concatenate(columns).T
    if not np.isfinite(L).all():
        msg = (
            f"metric={transformer!r} transforms rows of X to values that are not finite, "
            f"with values of X of up to {np.abs(sample).max():.3g}"
        )
        raise ValueError(msg)
    expected = origin + (sample - center) @ L.T
    error = np.abs(_transform(transformer, sample) - expected).max()
    if not error <= TOLERANCE * max(float(expected.std()), np.finfo(float).tiny):
        msg = (
            f"metric={transformer!r} is not linear, so it cannot be folded into weights: "
            f"on rows of X it differs from its linear part by {error:.3g}"
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
        msg = f"metric={transformer!r} does not transform rows of X: {error}"
        raise ValueError(msg) from error
    return _dense(Z) if sp.issparse(Z) else np.asarray(Z, dtype=np.float64)
