"""Reading an estimator for a display: its steps, its exemplars and its features."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp._typing import Array

__all__ = [
    "EstimatorParts",
    "check_count",
    "check_feature_names",
    "check_has_exemplars",
    "check_image_shape",
    "format_labels",
    "get_exemplar_targets",
    "get_feature_names",
    "is_index",
    "resolve_image_shape",
    "select_output",
    "split_estimator",
    "split_fitted_estimator",
]

ESTIMATORS = (MetricInitMLPClassifier, MetricInitMLPRegressor, BasisInitMLPRegressor)


class EstimatorParts(NamedTuple):
    """An estimator of this package and the pipeline steps before it.

    ``steps`` is None if there are no steps.
    """

    steps: Any
    model: Any

    def transform(self, X: Array) -> Array:
        """Apply the steps to the user's data."""
        return X if self.steps is None else self.steps.transform(X)

    def predict(self, X: Array) -> Array:
        """Predict from the user's data."""
        return self.model.predict(self.transform(X))


def split_estimator(estimator: Any) -> EstimatorParts:
    """Separate an estimator, fitted or not, from the steps before it.

    Raises
    ------
    TypeError
        If the estimator is not from this package, nor a Pipeline that ends in one.
    """
    model, steps = estimator, None
    if isinstance(estimator, Pipeline):
        model = estimator.steps[-1][1]
        steps = estimator[:-1] if len(estimator.steps) > 1 else None
    if not isinstance(model, ESTIMATORS):
        names = ", ".join(kind.__name__ for kind in ESTIMATORS)
        accepted = f"one of {names}, or a Pipeline that ends in one"
        msg = f"estimator must be {accepted}, got {estimator!r}"
        raise TypeError(msg)
    return EstimatorParts(steps, model)


def split_fitted_estimator(estimator: Any) -> EstimatorParts:
    """Separate a fitted estimator from the steps before it, and move it to NumPy.

    Raises
    ------
    TypeError
        If the estimator is not from this package.
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If it predicts several labels for each row, which no display shows.
    """
    steps, model = split_estimator(estimator)
    check_is_fitted(model)
    if getattr(model, "multilabel_", False):
        msg = (
            f"displays show one class or value for each row, and y was an indicator of "
            f"{model.n_outputs_} labels: put the estimator into MultiOutputClassifier, "
            f"and show one of its estimators_"
        )
        raise ValueError(msg)
    if not isinstance(model.network_.parameters[0], np.ndarray):
        model = model.move_to(np)
    return EstimatorParts(steps, model)


def check_has_exemplars(model: Any, display: str) -> None:
    """Refuse an estimator whose weights were not calculated from exemplars."""
    if not hasattr(model, "exemplars_"):
        given = f"{type(model).__name__}(init={getattr(model, 'init', None)!r})"
        msg = f"{display} needs exemplars, which init='metric' has, got {given}"
        raise ValueError(msg)


def get_exemplar_targets(model: Any, output: int) -> Array:
    """Return the labels (N,) of the exemplars, or the values (N,) of one output."""
    if is_classifier(model):
        return np.asarray(model.exemplar_labels_)
    return select_output(model.exemplar_values_, output)


def select_output(y: Array, output: int) -> Array:
    """Return one output (n,) of targets of shape (n,) or (n, n_outputs).

    Raises
    ------
    ValueError
        If there is no such output.
    """
    table = np.asarray(y).reshape(len(y), -1)
    if not is_index(output, table.shape[1]):
        msg = f"output must be an int from 0 to {table.shape[1] - 1}, got {output!r}"
        raise ValueError(msg)
    return table[:, output]


def get_feature_names(
    parts: EstimatorParts, given: ArrayLike | None, n_features: int
) -> list[str]:
    """Return the given names of the columns that are shown, or the fitted names.

    Parameters
    ----------
    parts : EstimatorParts
    given : array-like of shape (n_features,) or None
    n_features : int
        Columns that the network reads; or, of the exemplars, without those that tell
        which values are missing.

    Raises
    ------
    ValueError
        If the number of given names is not the number of columns.
    """
    if given is not None:
        return check_feature_names(given, n_features)
    names = getattr(parts.model, "feature_names_in_", None)
    if hasattr(parts.steps, "get_feature_names_out") and names is None:
        names = parts.steps.get_feature_names_out()
    if names is None:
        names = [f"x{i}" for i in range(parts.model.n_features_in_)]
    if len(names) == n_features:
        return list(map(str, names))
    names = list(map(str, parts.model.encoded_feature_names_))
    if len(names) > n_features:
        pairs = zip(names, ["", *names[:-1]], strict=True)
        names = [name for name, last in pairs if name != f"missingindicator_{last}"]
    return check_feature_names(names, n_features)


def check_feature_names(names: Any, n_features: int) -> list[str]:
    """Return the names as a list, after checking their number."""
    as_text = [str(name) for name in names]
    if len(as_text) != n_features:
        accepted = f"feature_names must be {n_features} names, one per feature"
        msg = f"{accepted}, got {len(as_text)}"
        raise ValueError(msg)
    return as_text


def resolve_image_shape(model: Any, given: Any) -> tuple[int, int] | None:
    """Return the given shape of an image, or that of the metric, or None."""
    shape = given
    if shape is None:
        shape = (getattr(model, "metric_params", None) or {}).get("image_shape")
        if shape is None or len(shape) != 2:
            return None
    return check_image_shape(shape, model.n_features_in_)


def check_image_shape(shape: Any, n_features: int) -> tuple[int, int]:
    """Return a shape as two ints, after checking that it has n_features pixels."""
    are_lengths = isinstance(shape, Sequence) and all(
        is_index(length, n_features + 1) and length for length in shape
    )
    if not (are_lengths and len(shape) == 2 and prod(shape) == n_features):
        accepted = (
            f"two positive ints (rows, columns) whose product is {n_features}, the "
            f"number of features"
        )
        msg = f"image_shape must be {accepted}, got {shape!r}"
        raise ValueError(msg)
    return int(shape[0]), int(shape[1])


def check_count(name: str, value: Any, least: int = 1) -> int:
    """Return a value that is an int of at least ``least``, and refuse others."""
    if not (is_index(value, np.inf) and value >= least):
        msg = f"{name} must be an int of at least {least}, got {value!r}"
        raise ValueError(msg)
    return int(value)


def is_index(value: Any, n: float) -> bool:
    """Whether a value is an int, and no bool, from 0 to ``n - 1``."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_integer and 0 <= value < n


def format_labels(labels: Array, is_classifier: bool) -> list[str]:
    """Format classes as text, and regression targets with three digits.

    Examples
    --------
    >>> format_labels(np.array([3, 8]), is_classifier=True)
    ['3', '8']
    >>> format_labels(np.array([1.2345, 20000.0]), is_classifier=False)
    ['1.23', '2e+04']
    """
    return [str(label) if is_classifier else f"{label:.3g}" for label in labels]
