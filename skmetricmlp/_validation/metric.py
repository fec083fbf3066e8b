"""The metric and its parameters, and data for which it is not defined."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import computed, device_of, numpy_type, to_numpy
from skmetricmlp._errors import invalid_parameter, is_integer, is_number
from skmetricmlp._typing import Array, Floats
from skmetricmlp._validation.names import check_names, column_names, index_names
from skmetricmlp.metrics import METRICS, ValueRange

__all__ = [
    "accepts_sparse",
    "check_metric",
    "check_metric_data",
    "check_range",
    "check_size",
    "is_additive",
    "metric_parameters",
    "uses_metric",
    "value_range_of",
]


# What other libraries call the Euclidean distance, without the square.
EUCLIDEAN = ("euclidean", "l2", "minkowski")
# Between them, sums of squares do not overflow in double precision, and products of
# squares do not vanish.
SMALLEST, LARGEST = 1e-75, 1e150


def check_metric(metric: Any, metric_params: Any) -> None:
    """Check a metric and its parameters as far as that goes without data.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, what was given and what is accepted.
    """
    if metric_params is not None and not isinstance(metric_params, Mapping):
        raise invalid_parameter(
            "metric_params", metric_params, "a dict or None", TypeError
        )
    names = set(metric_params or {})
    if isinstance(metric, str) and metric == "auto":
        if names:
            msg = f"metric_params must be None with metric='auto', got {metric_params!r}"
            raise ValueError(msg)
    elif isinstance(metric, str) and metric in METRICS:
        _check_names(metric, names, METRICS[metric].parameters)
        _check_values(metric, metric_params or {})
    elif hasattr(metric, "transform") and not isinstance(metric, type):
        if names:
            msg = f"metric_params must be None with a transformer, got {metric_params!r}"
            raise ValueError(msg)
    elif not callable(metric) or isinstance(metric, type):
        accepted = ", ".join(map(repr, ("auto", *METRICS)))
        accepted = f"one of {accepted}, a linear transformer, or a function of points"
        error = invalid_parameter("metric", metric, accepted)
        if isinstance(metric, str) and metric in EUCLIDEAN:
            msg = f"{error}: 'sqeuclidean', the square of the Euclidean distance, has "
            msg += "the same neighbors"
            raise ValueError(msg)
        raise error


def _check_names(metric: str, names: set[str], accepted: tuple[str, ...]) -> None:
    if unknown := sorted(map(str, names - set(accepted))):
        listed = " or ".join(map(repr, accepted)) or "no parameters"
        msg = f"metric_params has {unknown}; metric={metric!r} takes {listed}"
        raise ValueError(msg)
    if metric == "chamfer" and "image_shape" not in names:
        msg = (
            "metric='chamfer' needs metric_params={'image_shape': (rows, columns)}, so "
            "that it knows which pixels are neighbors"
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
            raise invalid_parameter(name, value, "positive and finite")
    if metric == "chamfer":
        value = params.get("threshold", 0.5)
        if not (is_number(value) and 0 <= value < 1):
            name = "metric_params['threshold']"
            raise invalid_parameter(name, value, "from 0 to less than 1")
        shape = params["image_shape"]
        if not (
            isinstance(shape, (tuple, list))
            or (isinstance(shape, np.ndarray) and shape.ndim == 1)
        ) or not (
            len(shape) and all(is_integer(length) and length > 0 for length in shape)
        ):
            name = "metric_params['image_shape']"
            raise invalid_parameter(name, shape, "a tuple of positive ints")


def uses_metric(
    init: Any, exemplars: Any = "kmeans", n_exemplars: Any = 1, **others: Any
) -> bool:
    """Whether an estimator with these parameters computes distances.

    A baseline does so only to find the number of exemplars.
    """
    del others
    if isinstance(init, str) and init == "metric":
        return True
    return isinstance(exemplars, str) and (
        isinstance(n_exemplars, str) or exemplars == "condensed"
    )


def value_range_of(metric: str) -> ValueRange | None:
    """Range of the values that a metric is defined for; None for all values."""
    return None if metric == "auto" else METRICS[metric].value_range


def is_additive(metric: Any) -> bool:
    """Whether a metric is a sum over features, which can be taken over some of them."""
    if not isinstance(metric, str):
        return False
    return metric == "auto" or (metric in METRICS and METRICS[metric].terms is not None)


def accepts_sparse(metric: Any) -> bool:
    """Whether a metric accepts sparse rows.

    The tags of a transformer that has to be fitted tell it.
    """
    if isinstance(metric, type) or not hasattr(metric, "__sklearn_tags__"):
        return True
    try:
        check_is_fitted(metric)
    except NotFittedError:
        return bool(get_tags(metric).input_tags.sparse)
    return True


def check_metric_data(
    metric: Any, X: Array, names: Array | None, input_name: str = "X"
) -> None:
    """Check that a metric is defined for the features and the values of the data.

    Parameters
    ----------
    metric : str, transformer or callable
    X : array or sparse of shape (n, d)
    names : array of shape (d,) or None
        Feature names.
    input_name : str
        What an error calls ``X``.

    Raises
    ------
    ValueError
        If a transformer was fitted on other names, or a column has values that the
        metric is not defined for.
    """
    if isinstance(metric, str):
        check_range(X, value_range_of(metric), repr(metric), names, input_name)
        return
    known = getattr(metric, "feature_names_in_", None)
    if known is not None and names is not None and list(known) != list(names):
        msg = (
            f"metric={metric!r} was fitted on the features {list(known)}, and X has "
            f"{list(names)}"
        )
        raise ValueError(msg)


def metric_parameters(
    metric: Any,
    metric_params: Mapping[str, Any] | None,
    n_features: int,
    names: Array | None,
) -> Mapping[str, Any] | None:
    """Check the parameters of a metric against the features, and convert them.

    Parameters
    ----------
    metric : str, transformer or callable
    metric_params : mapping or None
        Checked by :func:`check_metric`.
    n_features : int
    names : array of shape (n_features,) or None
        Feature names of X.

    Returns
    -------
    mapping or None
        ``V`` and ``VI`` in NumPy in double precision, ``image_shape`` a tuple of int;
        the parameters of a callable as they are.

    Raises
    ------
    ValueError
        If a matrix or an image has another number of features, other names, or values
        that are not accepted.
    """
    if not isinstance(metric, str) or metric_params is None:
        return metric_params
    converted = dict(metric_params)
    if metric == "chamfer":
        shape = converted["image_shape"] = tuple(map(int, converted["image_shape"]))
        if prod(shape) != n_features:
            msg = (
                f"metric_params['image_shape']={shape} has {prod(shape)} cells, and X "
                f"has {n_features} features"
            )
            raise ValueError(msg)
    for name in sorted({"V", "VI"} & set(converted)):
        expected = (n_features,) * (1 if metric == "seuclidean" else 2)
        matrix = _matrix(f"metric_params[{name!r}]", converted[name], expected, names)
        _check_matrix(f"metric_params[{name!r}]", matrix)
        converted[name] = matrix
    return converted


def _matrix(
    name: str, value: Any, expected: tuple[int, ...], names: Array | None
) -> Floats:
    """Convert a vector or matrix of features, and check its shape and its names."""
    value = computed(value)
    if sp.issparse(value):
        msg = f"{name} must be dense, of shape {expected}, got a sparse matrix of shape "
        msg += f"{value.shape}: pass its toarray()"
        raise ValueError(msg)
    try:
        array = np.asarray(to_numpy(value))
        if array.dtype.kind in "cmM":
            msg = f"got values of the type {array.dtype}"
            raise TypeError(msg)  # noqa: TRY301 - said as what NumPy refuses is
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{name} must be an array of shape {expected}: {error}"
        raise ValueError(msg) from error
    if array.shape != expected:
        msg = f"{name} must have shape {expected}, got {array.shape}"
        raise ValueError(msg)
    if np.ma.is_masked(value):
        msg = f"{name} has values that are masked"
        raise ValueError(msg)
    if not np.isfinite(array).all():
        msg = f"{name} has values that are not finite"
        raise ValueError(msg)
    # A pandas table of features by features has their names twice, a Series once.
    check_names(name, index_names(value), names)
    if len(expected) == 2:
        check_names(name, column_names(name, value), names)
    return array


def _check_matrix(name: str, array: Floats) -> None:
    """Refuse what is no variance of features, or no covariance or inverse of one."""
    if array.ndim == 1:
        if not (array > 0).all():
            msg = f"{name} must be positive, got {array.min()}"
            raise ValueError(msg)
        return
    if not np.allclose(array, array.T):
        msg = f"{name} must be symmetric"
        raise ValueError(msg)
    eigenvalues = np.linalg.eigvalsh(array)
    if eigenvalues[0] < -1e-8 * abs(eigenvalues).max():
        msg = (
            f"{name} must be positive semi-definite, got an eigenvalue of "
            f"{eigenvalues[0]:.3g}"
        )
        raise ValueError(msg)


def check_range(
    X: Array,
    value_range: ValueRange | None,
    metric: str,
    names: Array | None = None,
    input_name: str = "X",
) -> None:
    """Refuse values that a metric is not defined for, and name the first such column."""
    if value_range is None or not X.shape[0]:
        return
    least, greatest = _extremes(X)
    too_low = value_range.outside(least)
    columns = np.flatnonzero(too_low | value_range.outside(greatest))
    if len(columns):
        column = columns[0]
        value = (least if too_low[column] else greatest)[column]
        name = "" if names is None else f" ({str(names[column])!r})"
        # scikit-learn's words, which its estimator checks look for.
        negative = "Negative values in data: " if least.min() < 0 else ""
        msg = (
            f"{negative}metric={metric} takes {value_range.description}, but "
            f"{input_name} has {value:.6g} in column {column}{name}"
        )
        raise ValueError(msg)


def check_size(
    X: Array, names: Array | None, input_name: str = "X", *, squares: bool = False
) -> None:
    """Refuse values that are finite, but of which sums or distances are not.

    Or that are so small that nothing is left of them.

    Parameters
    ----------
    X : array or sparse of shape (n, d)
    names : array of shape (d,) or None
        Feature names.
    input_name : str
        What an error calls ``X``.
    squares : bool
        Whether distances are calculated, which are squares in double precision.

    Raises
    ------
    ValueError
        Which names the column of the largest value.
    """
    if not min(X.shape):
        return
    least, greatest = _extremes(X)
    sizes = np.maximum(np.abs(least), np.abs(greatest))
    column = int(np.argmax(sizes))
    value = float(sizes[column])
    info = np.finfo(numpy_type(X))
    most, least_size = float(info.max) / X.shape[0], float(info.tiny)
    if squares:
        most, least_size = min(most, LARGEST), max(least_size, SMALLEST)
    if least_size <= value <= most or value == 0:
        return
    name = "" if names is None else f" ({str(names[column])!r})"
    what = "large" if value > most else "small"
    msg = (
        f"{input_name} is too {what} to calculate with in {np.dtype(info.dtype)}, with "
        f"values of up to {value:.3g} in column {column}{name}: scale its features"
    )
    raise ValueError(msg)


def _extremes(X: Array) -> tuple[Floats, Floats]:
    """Least and greatest value of each feature, on the host."""
    if sp.issparse(X):
        least, greatest = (v.toarray().ravel() for v in (X.min(axis=0), X.max(axis=0)))
    else:
        xp = device_of(X).namespace
        least, greatest = to_numpy(xp.min(X, axis=0)), to_numpy(xp.max(X, axis=0))
    return least, greatest
