"""What the displays ask of an estimator: its steps, its exemplars and its features."""

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
    "Parts",
    "check_count",
    "check_image_shape",
    "check_names",
    "column_values",
    "exemplar_values",
    "fitted_parts",
    "image_shape_of",
    "is_position",
    "name_features",
    "parts_of",
    "require_exemplars",
    "titles_of",
]

ESTIMATORS = (MetricInitMLPClassifier, MetricInitMLPRegressor, BasisInitMLPRegressor)


class Parts(NamedTuple):
    """An estimator of this package, and the steps before it; None if there are none."""

    steps: Any
    model: Any

    def transform(self, X: Array) -> Array:
        """Take rows of the user to those that the estimator reads."""
        return X if self.steps is None else self.steps.transform(X)

    def predict(self, X: Array) -> Array:
        """Predict of rows of the user."""
        return self.model.predict(self.transform(X))


def parts_of(estimator: Any) -> Parts:
    """Take an estimator apart, fitted or not.

    Raises
    ------
    TypeError
        If it is none of this package, and no Pipeline that ends in one.
    """
    model, steps = estimator, None
    if isinstance(estimator, Pipeline):
        model = estimator.steps[-1][1]
        steps = estimator[:-1] if len(estimator.steps) > 1 else None
    if not isinstance(model, ESTIMATORS):
        names = ", ".join(kind.__name__ for kind in ESTIMATORS)
        msg = (
            f"estimator must be one of {names}, or a Pipeline that ends in one, "
            f"got {estimator!r}"
        )
        raise TypeError(msg)
    return Parts(steps, model)


def fitted_parts(estimator: Any) -> Parts:
    """Take a fitted estimator apart, with its network in NumPy.

    Raises
    ------
    TypeError
        As of :func:`parts_of`.
    NotFittedError
        If it is not fitted.
    """
    steps, model = parts_of(estimator)
    check_is_fitted(model)
    if not isinstance(model.network_.parameters[0], np.ndarray):
        model = model.move_to(np)
    return Parts(steps, model)


def require_exemplars(model: Any, display: str) -> None:
    """Refuse an estimator whose weights were not calculated from exemplars."""
    if not hasattr(model, "exemplars_"):
        given = f"{type(model).__name__}(init={getattr(model, 'init', None)!r})"
        msg = f"{display} needs exemplars, which init='metric' has, got {given}"
        raise ValueError(msg)


def exemplar_values(model: Any, output: int) -> Array:
    """Labels (N,) of the exemplars of a classifier, or values (N,) of one output."""
    if is_classifier(model):
        return np.asarray(model.exemplar_labels_)
    return column_values(model.exemplar_values_, output)


def column_values(values: Array, output: int) -> Array:
    """One output (n,) of values (n,) or (n, n_outputs).

    Raises
    ------
    ValueError
        If there is no such output.
    """
    table = np.asarray(values).reshape(len(values), -1)
    if not is_position(output, table.shape[1]):
        msg = f"output must be an int from 0 to {table.shape[1] - 1}, got {output!r}"
        raise ValueError(msg)
    return table[:, output]


def name_features(parts: Parts, given: ArrayLike | None) -> list[str]:
    """Names of the features that the network reads: given, or those it was fitted on.

    Raises
    ------
    ValueError
        If more or fewer are given than there are features.
    """
    n = parts.model.n_features_in_
    if given is not None:
        return check_names(given, n)
    known = getattr(parts.model, "feature_names_in_", None)
    if known is None and hasattr(parts.steps, "get_feature_names_out"):
        known = parts.steps.get_feature_names_out()
    return [f"x{i}" for i in range(n)] if known is None else list(map(str, known))


def check_names(names: Any, n_features: int) -> list[str]:
    """Refuse names that are more or fewer than there are features."""
    known = [str(name) for name in names]
    if len(known) != n_features:
        msg = f"feature_names must be {n_features} names, one a feature, got {len(known)}"
        raise ValueError(msg)
    return known


def image_shape_of(model: Any, given: Any) -> tuple[int, int] | None:
    """Rows and columns of an image: given, or those that the metric has, or none."""
    shape = given
    if shape is None:
        shape = (getattr(model, "metric_params", None) or {}).get("image_shape")
        if shape is None or len(shape) != 2:
            return None
    return check_image_shape(shape, model.n_features_in_)


def check_image_shape(shape: Any, n_features: int) -> tuple[int, int]:
    """Refuse a shape that is none of an image of so many pixels."""
    accepted = f"two positive ints (rows, columns) whose product is {n_features}"
    whole = isinstance(shape, Sequence) and all(
        is_position(length, n_features + 1) and length for length in shape
    )
    if not (whole and len(shape) == 2 and prod(shape) == n_features):
        msg = f"image_shape must be {accepted}, the number of features, got {shape!r}"
        raise ValueError(msg)
    return int(shape[0]), int(shape[1])


def check_count(name: str, value: Any, least: int = 1) -> int:
    """Refuse what is not an int of at least ``least``."""
    if not (is_position(value, np.inf) and value >= least):
        msg = f"{name} must be an int of at least {least}, got {value!r}"
        raise ValueError(msg)
    return int(value)


def is_position(value: Any, n: float) -> bool:
    """Say whether it is an int from 0 to ``n - 1``; a bool is none."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and 0 <= value < n


def titles_of(labels: Array, are_classes: bool) -> list[str]:
    """Write class labels as they are, and values with three digits.

    Examples
    --------
    >>> titles_of(np.array([3, 8]), True), titles_of(np.array([1.2345, 20000.0]), False)
    (['3', '8'], ['1.23', '2e+04'])
    """
    return [str(label) if are_classes else f"{label:.3g}" for label in labels]
