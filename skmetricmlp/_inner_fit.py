"""Fits of scikit-learn's estimators that are a step of a fit of this package."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import Any

__all__ = ["inner_fit"]


def inner_fit(estimator: Any, *args: Any, **keywords: Any) -> None:
    """Fit an estimator by the function that scikit-learn defines.

    Tools such as MLflow replace ``fit`` of scikit-learn's classes to record each call.
    They would record the steps of a fit as models of the user.

    Parameters
    ----------
    estimator : estimator
        Of scikit-learn. It is changed.
    *args, **keywords
        Arguments of its ``fit``.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> kmeans = KMeans(1)
    >>> inner_fit(kmeans, [[0.0], [4.0]])
    >>> kmeans.cluster_centers_.tolist()
    [[2.0]]
    """
    unwrap(type(estimator).fit, stop=_is_of_sklearn)(estimator, *args, **keywords)


def _is_of_sklearn(function: Callable[..., Any]) -> bool:
    module = getattr(function, "__globals__", {}).get("__name__", "")
    return bool(module.startswith("sklearn."))
