"""Parameters that can be checked without data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from sys import float_info
from typing import Any

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from skmetricmlp._errors import is_number, is_whole, not_accepted
from skmetricmlp._validation.metric import check_metric
from skmetricmlp.exemplars import SELECTORS, VALUE_SELECTORS
from skmetricmlp.initialization import BASELINES, Form, form_of

__all__ = [
    "CLASSIFIER_CHOICES",
    "REGRESSOR_CHOICES",
    "check_count",
    "check_pair",
    "check_parameters",
    "check_training_parameters",
    "layer_rates",
]

Choices = Mapping[str, tuple[str, ...]]

# Words that each parameter takes: of every estimator, then of one.
_SHARED = {
    "init": ("metric", *BASELINES),
    "n_exemplars": ("auto",),
    "activation": ("relu", "logistic", "tanh", "step"),
    "readout": ("auto", "comparisons", "exemplars"),
    "n_random_units": ("auto",),
    "memory_limit": ("auto",),
    "solver": ("adam", "sgd", "lbfgs"),
    "learning_rate": ("constant", "linear"),
    "batch_size": ("auto",),
}
CLASSIFIER_CHOICES = _SHARED | {
    "exemplars": tuple(SELECTORS),
    "output_init": ("auto", "votes", "ridge", "logistic", "norm_constrained"),
    "pairs": ("all", "other_classes"),
    "loss": ("log_loss", "squared_error"),
    "class_weight": ("balanced",),
}
REGRESSOR_CHOICES = _SHARED | {
    "exemplars": VALUE_SELECTORS,
    "output_init": ("auto", "values", "ridge", "norm_constrained"),
    "pairs": ("all",),
    "loss": ("squared_error",),
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
_MAY_BE_INFINITE = ("n_iter_no_change",)  # as scikit-learn has it: never
_FLAGS = ("tied", "shuffle", "nesterovs_momentum", "early_stopping", "warm_start")


def check_parameters(
    parameters: Mapping[str, Any], choices: Choices, *, trains: bool
) -> None:
    """Check all parameters of a network of exemplars that can be checked without data.

    Parameters
    ----------
    parameters : mapping
        As ``get_params`` returns them.
    choices : mapping
        Words that they take.
    trains : bool
        Whether weights are going to be changed.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, what was given and what is accepted.
    """
    check_training_parameters(parameters, choices)
    has_classes = "class_weight" in choices
    for name in ("activation", "readout", "output_init"):
        _check_choice(name, parameters[name], choices)
    check_pair("init", parameters["init"], "(coefs, intercepts)", choices)
    pair = "(points, labels)" if has_classes else "(points, values)"
    check_pair("exemplars", parameters["exemplars"], pair, choices)
    _check_n_exemplars(parameters["n_exemplars"], parameters["exemplars"], choices)
    check_metric(parameters["metric"], parameters["metric_params"])
    for name, least in (("n_random_units", 0), ("pairs", 1)):
        check_count(name, parameters[name], least, choices)
    _check_memory_limit(parameters["memory_limit"], choices)
    if has_classes:
        _check_class_weight(parameters["class_weight"], choices)
    _check_combinations(parameters, trains=trains)


def check_training_parameters(parameters: Mapping[str, Any], choices: Choices) -> None:
    """Check numbers and flags, and what says how to train.

    Raises
    ------
    TypeError, ValueError
        As of :func:`check_parameters`.
    """
    for name in [name for name in _RANGES if name in parameters]:
        _check_range(name, parameters[name])
    for name in [name for name in _FLAGS if name in parameters]:
        if not isinstance(parameters[name], (bool, np.bool_)):
            raise not_accepted(name, parameters[name], "True or False", TypeError)
    for name in ("loss", "solver", "learning_rate"):
        _check_choice(name, parameters[name], choices)
    check_count("batch_size", parameters["batch_size"], 1, choices)
    if not isinstance(parameters["verbose"], (int, np.integer, np.bool_)):
        raise not_accepted("verbose", parameters["verbose"], "True or False", TypeError)
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
        raise not_accepted(name, value, "a number", TypeError)
    check_scalar(
        value,
        name,
        kind,
        min_val=least,
        max_val=greatest,
        include_boundaries=bounds,
    )
    if kind is Real and not abs(value) <= float_info.max:
        raise not_accepted(name, value, "a finite number")


def _check_combinations(parameters: Mapping[str, Any], *, trains: bool) -> None:
    if parameters["readout"] == "comparisons":
        if parameters["n_neighbors"] > 1:
            msg = (
                f"n_neighbors={parameters['n_neighbors']} is counted by the exemplar "
                f"layer: it needs readout='exemplars', got readout='comparisons'"
            )
            raise ValueError(msg)
        if parameters["output_init"] in {"votes", "values"}:
            msg = (
                f"output_init={parameters['output_init']!r} adds up what the exemplar "
                f"layer says: it needs readout='exemplars', got readout='comparisons'"
            )
            raise ValueError(msg)
    pairs, k = parameters["pairs"], parameters["n_neighbors"]
    if k > 1 and pairs == "other_classes":
        msg = (
            f"pairs='other_classes' cannot count the {k} nearest, among which may be "
            f"several of one class: n_neighbors={k} needs pairs='all' or an int"
        )
        raise ValueError(msg)
    if is_whole(pairs) and pairs < k:
        msg = (
            f"pairs={pairs} is less than n_neighbors={k}: no exemplar could lose to so "
            f"many, and all would be among the nearest"
        )
        raise ValueError(msg)
    if parameters["tied"] and not isinstance(parameters["init"], str):
        msg = (
            "init=(coefs, intercepts) has weights of its own for each comparison: it "
            "needs tied=False, got tied=True"
        )
        raise ValueError(msg)
    _check_sharpness(parameters)
    if parameters["output_init"] == "logistic" and parameters["loss"] != "log_loss":
        msg = (
            f"output_init='logistic' is the log loss's own regression: it needs "
            f"loss='log_loss', got loss={parameters['loss']!r}"
        )
        raise ValueError(msg)
    if parameters["activation"] == "step" and trains:
        msg = (
            "activation='step' has no gradient and cannot be trained: set max_iter=0 "
            "and call fit, or choose 'relu', 'logistic' or 'tanh'"
        )
        raise ValueError(msg)


def _check_sharpness(parameters: Mapping[str, Any]) -> None:
    """Refuse a sharpness that would have no effect.

    A step is as sharp as can be, and a baseline is not calculated: that they take any is
    for a search over ``activation`` or ``init``.
    """
    sharpness, init = parameters["sharpness"], parameters["init"]
    if sharpness == 1 or not (isinstance(init, str) and init == "metric"):
        return
    form = form_of(**{field.name: parameters[field.name] for field in fields(Form)})
    if form.activation == "relu" and form.readout == "comparisons":
        msg = (
            f"sharpness={sharpness!r} has no effect with activation='relu' and "
            f"readout='comparisons': leave it at 1.0, or choose readout='exemplars', or "
            f"activation='logistic' or 'tanh'"
        )
        raise ValueError(msg)


def _check_choice(name: str, value: Any, choices: Choices, other: str = "") -> None:
    if not (isinstance(value, str) and value in choices[name]):
        words = ", ".join(map(repr, choices[name]))
        accepted = ", or ".join(filter(None, [words and f"one of {words}", other]))
        raise not_accepted(name, value, accepted)


def check_pair(name: str, value: Any, pair: str, choices: Choices) -> None:
    """Refuse what is neither a pair nor one of the words that are accepted."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise not_accepted(name, value, f"a pair {pair}")
    else:
        _check_choice(name, value, choices, f"a pair {pair}")


def _check_n_exemplars(value: Any, exemplars: Any, choices: Choices) -> None:
    has_classes = "class_weight" in choices
    if isinstance(value, Mapping) and has_classes:
        if isinstance(exemplars, str) and exemplars == "condensed":
            msg = (
                f"n_exemplars must be a total with exemplars='condensed', which decides "
                f"how many of each class there are, got {dict(value)!r}"
            )
            raise ValueError(msg)
        return
    is_total = is_whole(value) and value >= 1
    is_fraction = isinstance(value, (float, np.floating)) and 0 < value <= 1
    if not (is_total or is_fraction):
        accepted = "an int >= 1, a float above 0 and up to 1"
        accepted += ", or a dict {label: count}" if has_classes else ""
        _check_choice("n_exemplars", value, choices, accepted)


def check_count(name: str, value: Any, least: int, choices: Choices) -> None:
    """Refuse what is neither an int >= ``least`` nor one of the words."""
    if not (is_whole(value) and value >= least):
        _check_choice(name, value, choices, f"an int >= {least}")


def _check_memory_limit(value: Any, choices: Choices) -> None:
    if not (is_number(value) and value > 0):
        _check_choice("memory_limit", value, choices, "a number of bytes above 0")


def _check_class_weight(value: Any, choices: Choices) -> None:
    if isinstance(value, Mapping):
        for label, weight in value.items():
            if not (is_number(weight) and 0 <= weight < np.inf):
                name = f"class_weight[{label!r}]"
                raise not_accepted(name, weight, "a finite number >= 0")
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
            raise not_accepted("learning_rate_init", learning_rate_init, accepted)
    return [float(rate) for rate in rates]
