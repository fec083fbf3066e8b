"""Parameters that can be checked without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from sys import float_info
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state, check_scalar

from skmetricmlp._array_api import map_arrays, to_numpy
from skmetricmlp._errors import invalid_parameter, is_integer, is_number
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation.metric import check_metric, is_additive
from skmetricmlp._validation.names import check_names, index_names
from skmetricmlp.exemplars import SELECTORS, VALUE_SELECTORS
from skmetricmlp.initialization import BASELINES, FITTED_OUTPUTS
from skmetricmlp.training import SCHEDULES

__all__ = [
    "CLASSIFIER_CHOICES",
    "REGRESSOR_CHOICES",
    "accepts_labels",
    "check_count",
    "check_feature_groups",
    "check_incremental",
    "check_label_parameters",
    "check_max_features",
    "check_pair",
    "check_parameters",
    "check_training_parameters",
    "get_parameters",
    "layer_rates",
]

Choices = Mapping[str, tuple[str, ...]]

# Words that each parameter accepts: in every estimator, then in one.
_SHARED = {
    "init": ("metric", *BASELINES),
    "n_exemplars": ("auto",),
    "activation": ("relu", "logistic", "tanh", "step"),
    "solver": ("adam", "sgd", "lbfgs", "closed_form"),
    "learning_rate": SCHEDULES,
    "batch_size": ("auto",),
    "trained_share": ("auto",),
}
CLASSIFIER_CHOICES = _SHARED | {
    "exemplars": tuple(SELECTORS),
    "output_init": ("auto", *FITTED_OUTPUTS),
    "pairs": ("all", "other_classes"),
    "loss": ("log_loss", "squared_error"),
    "class_weight": ("balanced",),
}
REGRESSOR_CHOICES = _SHARED | {
    "exemplars": VALUE_SELECTORS,
    "output_init": ("auto", "ridge", "norm_constrained"),
    "pairs": ("all",),
    "loss": ("squared_error",),
}
# Of the classifier, where each row has several labels: words, and what else is accepted.
_LABEL_CHOICES = {
    "exemplars": (VALUE_SELECTORS, ("or a pair (points, labels)",)),
    "output_init": (("auto", "ridge", "norm_constrained"), ()),
    "pairs": (("all",), ("or an int",)),
}
# Name: type, least and greatest value, and which of the two are included.
_RANGES = {
    "sharpness": (Real, 0, None, "neither"),
    "alpha": (Real, 0, None, "left"),
    "max_iter": (Integral, 0, None, "left"),
    "tol": (Real, 0, None, "left"),
    "power_t": (Real, 0, None, "left"),
    "momentum": (Real, 0, 1, "both"),
    "beta_1": (Real, 0, 1, "left"),
    "beta_2": (Real, 0, 1, "left"),
    "epsilon": (Real, 0, None, "neither"),
    "validation_fraction": (Real, 0, 1, "neither"),
    "n_iter_no_change": (Integral, 1, None, "left"),
}
_MAY_BE_INFINITE = ("n_iter_no_change",)  # for never, as in scikit-learn
# The parameters of the two kinds of network that have no effect in the other.
TOURNAMENT = {"sharpness": 1.0, "tied": False, "pairs": "all"}
FITTED = {
    "output_init": "auto",
    "n_comparisons": 800,
    "n_conjunctions": 1,
    "max_features": "mixed",
    "feature_groups": None,
}
MAX_FEATURES = ("mixed", "sqrt", "log2")
_FLAGS = ("tied", "shuffle", "nesterovs_momentum", "early_stopping", "warm_start")


def get_parameters(estimator: Any) -> dict[str, Any]:
    """Parameters in NumPy; single numbers are Python's, which do not overflow."""
    parameters = map_arrays(to_numpy, estimator.get_params(deep=False))
    return {
        name: value.item() if isinstance(value, np.number) else value
        for name, value in parameters.items()
    }


def check_incremental(estimator: Any, *, incremental: bool) -> None:
    """Refuse parameters of ``fit`` in ``partial_fit``.

    Raises
    ------
    ValueError
    """
    if not incremental:
        return
    if estimator.early_stopping:
        msg = "partial_fit does not support early_stopping=True"
        raise ValueError(msg)
    class_weight = getattr(estimator, "class_weight", None)
    if isinstance(class_weight, str) and class_weight == "balanced":
        msg = (
            "partial_fit does not support class_weight='balanced', which needs all "
            "rows: pass a dict, or sample_weight"
        )
        raise ValueError(msg)


def check_parameters(
    parameters: Mapping[str, Any], choices: Choices, *, trains: bool
) -> None:
    """Check the parameters of an estimator with exemplars.

    Parameters
    ----------
    parameters : mapping
        As ``get_params`` returns them.
    choices : mapping
        Words that they accept.
    trains : bool
        Whether the weights are going to be trained.

    Raises
    ------
    TypeError, ValueError
        With the parameter, the given value and the accepted ones.
    """
    check_training_parameters(parameters, choices)
    has_classes = "class_weight" in choices
    for name in ("activation", "output_init"):
        _check_choice(name, parameters[name], choices)
    check_pair("init", parameters["init"], "(coefs, intercepts)", choices)
    pair = "(points, labels)" if has_classes else "(points, values)"
    check_pair("exemplars", parameters["exemplars"], pair, choices)
    _check_trained_share(parameters["trained_share"])
    _check_n_exemplars(parameters["n_exemplars"], parameters["exemplars"], choices)
    check_metric(parameters["metric"], parameters["metric_params"])
    for name, least in (("n_comparisons", 0), ("n_conjunctions", 0), ("pairs", 1)):
        check_count(name, parameters[name], least, choices)
    check_max_features(parameters["max_features"])
    _check_n_neighbors(parameters["n_neighbors"])
    if has_classes:
        _check_class_weight(parameters["class_weight"], choices)
    _check_combinations(parameters, trains=trains)


def check_label_parameters(parameters: Mapping[str, Any], n_labels: int) -> None:
    """Refuse what needs one class for each row, where ``y`` has several labels.

    Raises
    ------
    ValueError
        With the parameter, the given value and the accepted ones.
    """
    for name, remedy in _of_classes(parameters):
        msg = (
            f"{name}={parameters[name]!r} needs one class for each row, and y is an "
            f"indicator of {n_labels} labels: {remedy}"
        )
        raise ValueError(msg)


def accepts_labels(parameters: Mapping[str, Any]) -> bool:
    """Whether no parameter needs one class for each row."""
    return not list(_of_classes(parameters))


def _of_classes(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the parameters that need one class for each row, and what to do instead."""
    for name, (words, other) in _LABEL_CHOICES.items():
        value = parameters[name]
        if isinstance(value, str) and value not in words:
            yield name, "choose " + ", ".join([*map(repr, words), *other])
    if isinstance(parameters["n_exemplars"], Mapping):
        yield "n_exemplars", "choose a total, a share or 'auto'"
    if parameters["class_weight"] is not None:
        yield "class_weight", "leave it at None, and pass sample_weight"


def check_training_parameters(parameters: Mapping[str, Any], choices: Choices) -> None:
    """Check the parameters of the training.

    Raises
    ------
    TypeError, ValueError
        As in :func:`check_parameters`.
    """
    for name in [name for name in _RANGES if name in parameters]:
        _check_range(name, parameters[name])
    for name in [name for name in _FLAGS if name in parameters]:
        if not isinstance(parameters[name], (bool, np.bool_)):
            raise invalid_parameter(name, parameters[name], "True or False", TypeError)
    for name in ("loss", "solver", "learning_rate"):
        _check_choice(name, parameters[name], choices)
    check_count("batch_size", parameters["batch_size"], 1, choices)
    if not isinstance(parameters["verbose"], (int, np.integer, np.bool_)):
        raise invalid_parameter(
            "verbose", parameters["verbose"], "True or False", TypeError
        )
    try:
        check_random_state(parameters["random_state"])
    except ValueError as error:
        msg = f"random_state={parameters['random_state']!r}: {error}"
        raise ValueError(msg) from error


def _check_range(name: str, value: Any) -> None:
    kind, least, greatest, bounds = _RANGES[name]
    if name in _MAY_BE_INFINITE and isinstance(value, Real) and value == np.inf:
        return
    if isinstance(value, (bool, np.bool_)):
        raise invalid_parameter(name, value, "a number", TypeError)
    check_scalar(
        value,
        name,
        kind,
        min_val=least,
        max_val=greatest,
        include_boundaries=bounds,
    )
    if kind is Real and not abs(value) <= float_info.max:
        raise invalid_parameter(name, value, "a finite number")


def _check_combinations(parameters: Mapping[str, Any], *, trains: bool) -> None:
    k = parameters["n_neighbors"]
    if k is None:
        fitted = "n_neighbors=None takes no votes"
        for name, default in TOURNAMENT.items():
            _check_no_effect(parameters, name, default, fitted)
        _check_metric_of_few(parameters)
    else:
        source = f"n_neighbors={k} is the network that votes"
        for name, default in FITTED.items():
            _check_no_effect(parameters, name, default, source)
        if parameters["activation"] == "step":
            reason = "activation='step' is the limit"
            _check_no_effect(parameters, "sharpness", 1.0, reason)
    _check_pairs(parameters["pairs"], k or 1)
    if parameters["tied"] and not isinstance(parameters["init"], str):
        msg = (
            "init=(coefs, intercepts) has weights of its own for each comparison: it "
            "needs tied=False, got tied=True"
        )
        raise ValueError(msg)
    if parameters["output_init"] == "logistic" and parameters["loss"] != "log_loss":
        msg = (
            f"output_init='logistic' is the regression of the log loss: it needs "
            f"loss='log_loss', got loss={parameters['loss']!r}"
        )
        raise ValueError(msg)
    if parameters["solver"] == "closed_form":
        _check_closed_form(parameters)
    if parameters["activation"] == "step" and trains:
        msg = (
            "activation='step' has no gradient and cannot be trained: set max_iter=0 "
            "and call fit, or choose 'relu', 'logistic' or 'tanh'"
        )
        raise ValueError(msg)


def _check_closed_form(parameters: Mapping[str, Any]) -> None:
    """Refuse what has no output layer that sums determine."""
    k, output_init = parameters["n_neighbors"], parameters["output_init"]
    fits = "solver='closed_form' fits the output layer by a ridge regression"
    if k is not None:
        msg = f"{fits}: it needs n_neighbors=None, got n_neighbors={k!r}"
        raise ValueError(msg)
    init = parameters["init"]
    is_metric = isinstance(init, str) and init == "metric"
    if output_init != "ridge" and not (output_init == "auto" and is_metric):
        name = init if isinstance(init, str) else "(coefs, intercepts)"
        msg = (
            f"{fits}: it needs output_init='ridge', got output_init={output_init!r} with "
            f"init={name!r}"
        )
        raise ValueError(msg)


def _check_trained_share(value: Any) -> None:
    is_auto = isinstance(value, str) and value == "auto"
    if not (is_auto or (is_number(value) and 0 <= value <= 1)):
        raise invalid_parameter("trained_share", value, "'auto' or a number from 0 to 1")


def check_max_features(value: Any) -> None:
    """Refuse what is no number or share of features, and no word for them."""
    is_share = is_number(value) and not is_integer(value) and 0 < value <= 1
    is_known = value is None or (isinstance(value, str) and value in MAX_FEATURES)
    if not (is_share or is_known or (is_integer(value) and value >= 1)):
        words = ", ".join(map(repr, MAX_FEATURES))
        accepted = f"an int >= 1, a float in (0, 1], one of {words}, or None"
        raise invalid_parameter("max_features", value, accepted)


def _check_metric_of_few(parameters: Mapping[str, Any]) -> None:
    metric, value = parameters["metric"], parameters["max_features"]
    if not (is_additive(metric) or value in ("mixed", None)):
        msg = (
            f"max_features={value!r} needs a metric that is a sum over features, got "
            f"metric={metric!r}, which compares on all of them: leave max_features at "
            f"'mixed', or choose a metric such as 'sqeuclidean'"
        )
        raise ValueError(msg)


def _check_no_effect(
    parameters: Mapping[str, Any], name: str, default: Any, reason: str
) -> None:
    """Refuse another value than the default where the parameter has no effect."""
    value = parameters[name]
    is_default = value is default if default is None else bool(np.all(value == default))
    if not is_default:
        remedy = "an int" if parameters["n_neighbors"] is None else "None"
        msg = (
            f"{name}={parameters[name]!r} has no effect: {reason}. Leave {name} at "
            f"{default!r}"
        )
        if "n_neighbors" in reason:
            msg += f", or set n_neighbors to {remedy}"
        raise ValueError(msg)


def _check_pairs(pairs: int | str, k: int) -> None:
    if k > 1 and pairs == "other_classes":
        msg = (
            f"pairs='other_classes' cannot count the {k} nearest, which may include "
            f"several of one class: n_neighbors={k} needs pairs='all' or an int"
        )
        raise ValueError(msg)
    if is_integer(pairs) and int(pairs) < k:
        msg = (
            f"pairs={pairs} is less than n_neighbors={k}: no exemplar could lose that "
            f"many comparisons, and all would be among the nearest"
        )
        raise ValueError(msg)


def check_feature_groups(value: Any, n_features: int, names: Array | None) -> Ints | None:
    """Check labels of columns that belong together, and number them.

    Parameters
    ----------
    value : array-like of shape (n_features,) or None
    n_features : int
    names : array of shape (n_features,) or None
        Feature names, which those of a Series must equal.

    Returns
    -------
    int array of shape (n_features,) or None
        From 0 on.

    Raises
    ------
    ValueError
    """
    if value is None:
        return None
    try:
        labels = np.asarray(to_numpy(value))
    except (TypeError, ValueError) as error:
        raise invalid_parameter(
            "feature_groups", value, f"an array of {n_features} labels, or None"
        ) from error
    if labels.shape != (n_features,):
        msg = (
            f"feature_groups must have a label for each of the {n_features} features, "
            f"got the shape {labels.shape}"
        )
        raise ValueError(msg)
    check_names("feature_groups", index_names(value), names)
    codes: Ints = pd.factorize(labels, use_na_sentinel=False)[0]
    return codes


def _check_n_neighbors(value: Any) -> None:
    if value is not None and not (is_integer(value) and value >= 1):
        raise invalid_parameter("n_neighbors", value, "None or an int >= 1")


def _check_choice(name: str, value: Any, choices: Choices, other: str = "") -> None:
    known = choices.get(name, ())
    if not (isinstance(value, str) and value in known):
        words = ", ".join(map(repr, known))
        accepted = ", or ".join(filter(None, [words and f"one of {words}", other]))
        raise invalid_parameter(name, value, accepted)


def check_pair(name: str, value: Any, pair: str, choices: Choices) -> None:
    """Refuse a value that is neither a pair nor one of the accepted words."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise invalid_parameter(name, value, f"a pair {pair}")
    else:
        _check_choice(name, value, choices, f"a pair {pair}")


def _check_n_exemplars(value: Any, exemplars: Any, choices: Choices) -> None:
    has_classes = "class_weight" in choices
    if isinstance(exemplars, (tuple, list)) and not _is_number_of(value, exemplars):
        msg = (
            f"n_exemplars={value!r} has no effect: exemplars are given. Leave "
            f"n_exemplars at 30, or choose a method such as exemplars='kmeans'"
        )
        raise ValueError(msg)
    if isinstance(value, Mapping) and has_classes:
        if isinstance(exemplars, str) and exemplars == "condensed":
            msg = (
                f"n_exemplars must be a total with exemplars='condensed', which decides "
                f"how many of each class there are, got {dict(value)!r}"
            )
            raise ValueError(msg)
        return
    is_total = is_integer(value) and value >= 1
    is_fraction = isinstance(value, (float, np.floating)) and 0 < value <= 1
    if not (is_total or is_fraction):
        accepted = "an int >= 1, a float above 0 and up to 1"
        accepted += ", or a dict {label: count}" if has_classes else ""
        _check_choice("n_exemplars", value, choices, accepted)


def _is_number_of(n_exemplars: Any, exemplars: Any) -> bool:
    """Whether it is the default, or the number of the given exemplars."""
    if not is_integer(n_exemplars):
        return False
    targets = exemplars[1]
    n = len(targets) if isinstance(targets, Sequence) else 0
    shape = getattr(targets, "shape", (n,))
    return n_exemplars == 30 or (n_exemplars,) == tuple(shape[:1])


def check_count(name: str, value: Any, least: int, choices: Choices) -> None:
    """Refuse a value that is neither an int >= ``least`` nor one of the words."""
    if not (is_integer(value) and value >= least):
        _check_choice(name, value, choices, f"an int >= {least}")


def _check_class_weight(value: Any, choices: Choices) -> None:
    if isinstance(value, Mapping):
        for label, weight in value.items():
            if not (is_number(weight) and 0 <= weight < np.inf):
                name = f"class_weight[{label!r}]"
                raise invalid_parameter(name, weight, "a finite number >= 0")
    elif value is not None:
        other = "None or a dict {label: weight}"
        _check_choice("class_weight", value, choices, other)


def layer_rates(learning_rate_init: Any, n_layers: int) -> list[float]:
    """One learning rate per layer from one number, or from one number per layer."""
    rates = np.asarray(learning_rate_init, dtype=object)
    if rates.ndim == 0:
        rates = np.repeat(rates, n_layers)
    if rates.shape != (n_layers,):
        msg = (
            f"learning_rate_init must be 'auto', a number or one number for each of the "
            f"{n_layers} layers, got {learning_rate_init!r}"
        )
        raise ValueError(msg)
    for rate in rates:
        if not (is_number(rate) and 0 < rate <= float_info.max):
            accepted = "'auto', or positive and finite"
            raise invalid_parameter("learning_rate_init", learning_rate_init, accepted)
    return [float(rate) for rate in rates]
