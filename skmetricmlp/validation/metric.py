"""The metric and its parameters, and data for which it is not defined."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import scipy.sparse as sp

from skmetricmlp.arrays import place_of, to_numpy
from skmetricmlp.initialization import METRICS, Domain
from skmetricmlp.validation.errors import is_number, is_whole, not_accepted

__all__ = ["check_domain", "check_metric", "check_metric_data"]

Array = Any


def check_metric(metric: Any, metric_params: Any) -> None:
    """Check a metric and its parameters as far as that goes without data.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, what was given and what is accepted.
    """
    if metric_params is not None and not isinstance(metric_params, Mapping):
        raise not_accepted("metric_params", metric_params, "a dict or None", TypeError)
    names = set(metric_params or {})
    if isinstance(metric, str) and metric in METRICS:
        _check_names(metric, names, METRICS[metric].parameters)
        _check_values(metric, metric_params or {})
    elif hasattr(metric, "transform") and not isinstance(metric, type):
        if names:
            msg = f"metric_params must be None with a transformer, got {metric_params!r}"
            raise ValueError(msg)
    elif not callable(metric) or isinstance(metric, type):
        accepted = ", ".join(map(repr, METRICS))
        accepted = f"one of {accepted}, a linear transformer, or a function of points"
        raise not_accepted("metric", metric, accepted)


def _check_names(metric: str, names: set[str], accepted: tuple[str, ...]) -> None:
    if unknown := sorted(map(str, names - set(accepted))):
        listed = " or ".join(map(repr, accepted)) or "no parameters"
        msg = f"metric_params has {unknown}; metric={metric!r} takes {listed}"
        raise ValueError(msg)
    if metric == "chamfer" and "image_shape" not in names:
        msg = (
            "metric='chamfer' needs metric_params={'image_shape': (rows, columns)}, so "
            "that it knows which pixels are neighbours"
        )
        raise ValueError(msg)
    if {"V", "VI"} <= names:
        msg = "metric_params must have V (covariance) or VI (its inverse), not both"
        raise ValueError(msg)


def _check_values(metric: str, params: Mapping[str, Any]) -> None:
    if metric == "kl" and "smoothing" in params:
        value = params["smoothing"]
        if not (is_number(value) and 0 < value < np.inf):
            name = "metric_params['smoothing']"
            raise not_accepted(name, value, "positive and finite")
    if metric == "chamfer":
        value = params.get("threshold", 0.5)
        if not (is_number(value) and 0 <= value < 1):
            name = "metric_params['threshold']"
            raise not_accepted(name, value, "from 0 to less than 1")
        shape = params["image_shape"]
        if not (
            isinstance(shape, (tuple, list))
            and shape
            and all(is_whole(length) and length > 0 for length in shape)
        ):
            name = "metric_params['image_shape']"
            raise not_accepted(name, shape, "a tuple of positive ints")


def check_metric_data(
    metric: Any,
    metric_params: Mapping[str, Any] | None,
    X: Array,
    names: Array | None,
    whose: str = "X",
) -> None:
    """Check that a metric goes with the features of the data and is defined for them.

    Parameters
    ----------
    metric : str, transformer or callable
    metric_params : mapping or None
    X : array or sparse of shape (n, d)
    names : array of shape (d,) or None
        Feature names.
    whose : str
        What an error calls ``X``.

    Raises
    ------
    ValueError
        If a matrix, an image or a transformer has another number of features, or other
        names, or a column has values that the metric is not defined for.
    """
    n_features, params = X.shape[1], metric_params or {}
    if isinstance(metric, str):
        check_domain(X, METRICS[metric].domain, repr(metric), names, whose)
    else:
        known = getattr(metric, "feature_names_in_", None)
        if known is not None and names is not None and list(known) != list(names):
            msg = (
                f"metric={metric!r} was fitted on the features {list(known)}, and X has "
                f"{list(names)}"
            )
            raise ValueError(msg)
        return
    if metric == "chamfer" and prod(params["image_shape"]) != n_features:
        msg = (
            f"metric_params['image_shape']={tuple(params['image_shape'])} has "
            f"{prod(params['image_shape'])} cells, and X has {n_features} features"
        )
        raise ValueError(msg)
    for name in {"V", "VI"} & set(params):
        _check_matrix(metric, name, params[name], n_features)


def _check_matrix(metric: str, name: str, value: Any, n_features: int) -> None:
    expected = (n_features,) * (1 if metric == "seuclidean" else 2)
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        msg = f"metric_params[{name!r}] must be an array of shape {expected}: {error}"
        raise ValueError(msg) from error
    if array.shape != expected:
        msg = f"metric_params[{name!r}] must have shape {expected}, got {array.shape}"
        raise ValueError(msg)
    if not np.isfinite(array).all():
        msg = f"metric_params[{name!r}] has values that are not finite"
        raise ValueError(msg)
    if array.ndim == 1:
        if not (array > 0).all():
            msg = f"metric_params[{name!r}] must be positive, got {array.min()}"
            raise ValueError(msg)
        return
    if not np.allclose(array, array.T):
        msg = f"metric_params[{name!r}] must be symmetric"
        raise ValueError(msg)
    eigenvalues = np.linalg.eigvalsh(array)
    if eigenvalues[0] < -1e-8 * abs(eigenvalues).max():
        msg = (
            f"metric_params[{name!r}] must be positive semi-definite, got an eigenvalue "
            f"of {eigenvalues[0]:.3g}"
        )
        raise ValueError(msg)


def check_domain(
    X: Array,
    domain: Domain | None,
    metric: str,
    names: Array | None = None,
    whose: str = "X",
) -> None:
    """Refuse values that a metric is not defined for, and name the first such column."""
    if domain is None or not X.shape[0]:
        return
    if sp.issparse(X):
        least, greatest = (v.toarray().ravel() for v in (X.min(axis=0), X.max(axis=0)))
    else:
        xp = place_of(X).namespace
        least, greatest = to_numpy(xp.min(X, axis=0)), to_numpy(xp.max(X, axis=0))
    too_low = domain.outside(least)
    columns = np.flatnonzero(too_low | domain.outside(greatest))
    if len(columns):
        column = columns[0]
        value = (least if too_low[column] else greatest)[column]
        name = "" if names is None else f" ({str(names[column])!r})"
        # scikit-learn's words, which its estimator checks look for.
        negative = "Negative values in data: " if least.min() < 0 else ""
        msg = (
            f"{negative}metric={metric} takes {domain.words}, but {whose} has "
            f"{value:.6g} in column {column}{name}"
        )
        raise ValueError(msg)
