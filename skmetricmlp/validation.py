"""The door: everything a user passes in is checked here, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Number, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skmetricmlp.initialization import BASELINES, SELECTORS, Exemplars
from skmetricmlp.network import LOSSES

__all__ = [
    "Rows",
    "check_classes",
    "check_exemplars",
    "check_held_out",
    "check_parameters",
    "check_rows",
    "class_codes",
    "class_weights",
    "layer_rates",
    "unchanged_on_error",
]

Array = Any

_CHOICES = {
    "init": ("metric", *BASELINES),
    "exemplars": tuple(SELECTORS),
    "activation": ("relu", "logistic", "tanh", "step"),
    "loss": tuple(LOSSES),
    "solver": ("adam", "sgd"),
    "batch_size": ("auto",),
    "class_weight": ("balanced",),
}
# Name: type, least, greatest, which of the two are allowed themselves.
_RANGES = {
    "n_neighbors": (Integral, 1, None, "left"),
    "sharpness": (Real, 0, None, "neither"),
    "alpha": (Real, 0, None, "left"),
    "max_iter": (Integral, 0, None, "left"),
    "tol": (Real, 0, None, "left"),
    "momentum": (Real, 0, 1, "both"),
    "beta_1": (Real, 0, 1, "left"),
    "beta_2": (Real, 0, 1, "left"),
    "epsilon": (Real, 0, None, "neither"),
    "validation_fraction": (Real, 0, 1, "neither"),
    "n_iter_no_change": (Integral, 1, None, "left"),
}
_FLAGS = ("shuffle", "nesterovs_momentum", "early_stopping", "warm_start")


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave an estimator as it was if anything is raised: all is assigned, or nothing."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def check_parameters(parameters: Mapping[str, Any], *, trains: bool) -> None:
    """Check all parameters that can be checked without data.

    Parameters
    ----------
    parameters : mapping
        As ``get_params`` returns them.
    trains : bool
        Whether weights are going to be changed.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, what was given and what is accepted.
    """
    for name, (kind, least, greatest, bounds) in _RANGES.items():
        value = parameters[name]
        if isinstance(value, (bool, np.bool_)):
            raise _not_accepted(name, value, "a number", TypeError)
        check_scalar(
            value,
            name,
            kind,
            min_val=least,
            max_val=greatest,
            include_boundaries=bounds,
        )
        if not np.isfinite(value):
            raise _not_accepted(name, value, "a finite number")
    for name in _FLAGS:
        if not isinstance(parameters[name], (bool, np.bool_)):
            raise _not_accepted(name, parameters[name], "True or False", TypeError)
    for name in ("activation", "loss", "solver"):
        _check_choice(name, parameters[name])
    _check_pair("init", parameters["init"], "(coefs, intercepts)")
    _check_pair("exemplars", parameters["exemplars"], "(points, labels)")
    _check_n_exemplars(parameters["n_exemplars"])
    _check_batch_size(parameters["batch_size"])
    _check_class_weight(parameters["class_weight"])
    if not isinstance(parameters["verbose"], (int, np.integer, np.bool_)):
        raise _not_accepted("verbose", parameters["verbose"], "True or False", TypeError)
    try:
        check_random_state(parameters["random_state"])
    except ValueError as error:
        msg = f"random_state={parameters['random_state']!r}: {error}"
        raise ValueError(msg) from error
    if parameters["activation"] == "step" and trains:
        msg = (
            "activation='step' has no gradient and cannot be trained: set max_iter=0 "
            "and call fit, or choose 'relu', 'logistic' or 'tanh'"
        )
        raise ValueError(msg)


def _not_accepted(
    name: str, value: Any, accepted: str, kind: type[Exception] = ValueError
) -> Exception:
    return kind(f"{name} must be {accepted}, got {value!r}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _check_choice(name: str, value: Any, other: str = "") -> None:
    if not (isinstance(value, str) and value in _CHOICES[name]):
        accepted = "one of " + ", ".join(map(repr, _CHOICES[name]))
        raise _not_accepted(name, value, accepted + (f", or {other}" if other else ""))


def _check_pair(name: str, value: Any, pair: str) -> None:
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise _not_accepted(name, value, f"a pair {pair}")
    else:
        _check_choice(name, value, f"a pair {pair}")


def _check_n_exemplars(value: Any) -> None:
    is_total = _is_whole(value) and value >= 1
    is_fraction = isinstance(value, (float, np.floating)) and 0 < value <= 1
    if not (is_total or is_fraction or isinstance(value, Mapping)):
        accepted = "an int >= 1, a float above 0 and up to 1, or a dict {label: count}"
        raise _not_accepted("n_exemplars", value, accepted)


def _check_batch_size(value: Any) -> None:
    if not (_is_whole(value) and value >= 1):
        _check_choice("batch_size", value, "an int >= 1")


def _check_class_weight(value: Any) -> None:
    if isinstance(value, Mapping):
        for label, weight in value.items():
            if not (_is_number(weight) and 0 <= weight < np.inf):
                name = f"class_weight[{label!r}]"
                raise _not_accepted(name, weight, "a finite number >= 0")
    elif value is not None:
        _check_choice("class_weight", value, "None or a dict {label: weight}")


def layer_rates(learning_rate_init: Any, n_layers: int) -> list[float]:
    """One learning rate per layer from one number, or from one number per layer."""
    rates = np.asarray(learning_rate_init, dtype=object)
    if rates.ndim == 0:
        rates = np.repeat(rates, n_layers)
    if rates.shape != (n_layers,):
        msg = (
            f"learning_rate_init must be a number or one number for each of the "
            f"{n_layers} layers, got {learning_rate_init!r}"
        )
        raise ValueError(msg)
    for rate in rates:
        if not (_is_number(rate) and 0 < rate < np.inf):
            accepted = "positive and finite"
            raise _not_accepted("learning_rate_init", learning_rate_init, accepted)
    return [float(rate) for rate in rates]


class Rows(NamedTuple):
    """``X`` (n, d), dense or CSR, labels ``y`` (n,) and ``sample_weight`` (n,)."""

    X: Array
    y: Array
    sample_weight: Array


def check_rows(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool
) -> Rows:
    """Check features, labels and weights of rows to learn from.

    Parameters
    ----------
    estimator : estimator
        ``n_features_in_`` and ``feature_names_in_`` are set, or with ``reset=False``
        compared.
    X : array-like or sparse of shape (n, d)
    y : array-like of shape (n,)
    sample_weight : None, number or array-like of shape (n,)
    reset : bool

    Returns
    -------
    Rows
        ``X`` in float64 or float32; ``sample_weight`` in the same precision, ones where
        there was None.
    """
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csr",
        dtype=(np.float64, np.float32),
        reset=reset,
    )
    check_classification_targets(y)
    if sample_weight is None or isinstance(sample_weight, Number):
        value = 1.0 if sample_weight is None else sample_weight
        sample_weight = np.full(X.shape[0], value, dtype=X.dtype)
    try:
        sample_weight = check_array(sample_weight, ensure_2d=False, dtype=X.dtype)
    except (ValueError, TypeError) as error:
        msg = f"sample_weight must be numbers: {error}"
        raise ValueError(msg) from error
    if sample_weight.shape != (X.shape[0],):
        msg = (
            f"sample_weight must have shape {(X.shape[0],)}, a number for each row of X, "
            f"got {sample_weight.shape}"
        )
        raise ValueError(msg)
    if np.any(sample_weight < 0):
        msg = f"sample_weight must not be negative, got {sample_weight.min()}"
        raise ValueError(msg)
    return Rows(X, y, sample_weight)


def check_held_out(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Rows | None:
    """Check rows to validate on, if there are any."""
    if X is None and y is None and sample_weight is None:
        return None
    if X is None or y is None:
        missing = "X_val" if X is None else "y_val"
        msg = f"X_val and y_val must be passed together; {missing} is missing"
        raise ValueError(msg)
    try:
        return check_rows(estimator, X, y, sample_weight, reset=False)
    except ValueError as error:
        msg = f"X_val, y_val, sample_weight_val: {error}"
        raise ValueError(msg) from error


def class_codes(y: Array, classes: Array, name: str = "y") -> NDArray[np.intp]:
    """Position of each label in the sorted ``classes``, all of which must be known."""
    if unknown := sorted(set(y.tolist()) - set(classes.tolist()), key=str):
        msg = f"{name} has labels {unknown} that are not among {classes.tolist()}"
        raise ValueError(msg)
    return np.searchsorted(classes, np.asarray(y))


def check_classes(classes: Any) -> Array:
    """Sort the labels that a user declares, each once."""
    labels = np.asarray(classes)
    if labels.ndim != 1 or not len(labels) or np.any(labels != labels):  # noqa: PLR0124
        msg = f"classes must be a 1-dimensional list of labels, got {classes!r}"
        raise ValueError(msg)
    return np.unique(labels)


def class_weights(
    class_weight: Any, classes: Array, codes: NDArray[np.intp], weights: Array
) -> NDArray[np.float64]:
    """Return the factor of the weight of each class, of shape (n_classes,).

    ``"balanced"`` gives all classes of ``codes`` the same total weight.
    """
    if class_weight is None:
        return np.ones(len(classes))
    labels = classes.tolist()
    if isinstance(class_weight, Mapping):
        if unknown := [label for label in class_weight if label not in labels]:
            msg = f"class_weight has weights for {unknown}; the classes are {labels}"
            raise ValueError(msg)
        return np.array([float(class_weight.get(label, 1.0)) for label in labels])
    totals = np.bincount(codes, weights, len(labels)).astype(float)
    absent = totals == 0
    return np.where(absent, 1.0, totals.sum() / (len(labels) * totals + absent))


def check_exemplars(
    exemplars: Sequence[Any], classes: Array, n_features: int, dtype: Any
) -> Exemplars:
    """Check exemplars that the user supplies as ``(points, labels)``.

    Raises
    ------
    ValueError
        If their shapes do not fit each other or the data, or a label is unknown.
    """
    points, labels = exemplars
    try:
        points = check_array(points, dtype=dtype, input_name="exemplars")
    except (ValueError, TypeError) as error:
        msg = f"exemplars=(points, labels) has points that are no matrix: {error}"
        raise ValueError(msg) from error
    labels = np.asarray(labels)
    if labels.shape != points.shape[:1]:
        msg = (
            f"exemplars=(points, labels) must have one label per point, got points of "
            f"shape {points.shape} and labels of shape {labels.shape}"
        )
        raise ValueError(msg)
    if points.shape[1] != n_features:
        msg = (
            f"exemplars=(points, labels) must have points of {n_features} features, "
            f"as X has, got shape {points.shape}"
        )
        raise ValueError(msg)
    return Exemplars(points, class_codes(labels, classes, "exemplars"), None)
