"""The calculated weights as arrays, for training in another framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmetricmlp.estimators.classifier import MetricInitMLPClassifier

__all__ = ["nearest_exemplar_weights"]

Arrays = list[NDArray[np.floating[Any]]]


def nearest_exemplar_weights(
    exemplars: ArrayLike,
    labels: ArrayLike,
    *,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    metric: Any = "sqeuclidean",
    metric_params: Mapping[str, Any] | None = None,
    n_neighbors: int = 1,
    pairs: int | str = "all",
    activation: str = "relu",
    sharpness: float = 1.0,
    loss: str = "log_loss",
    single_output: bool = True,
) -> tuple[Arrays, Arrays]:
    """Calculate the weights of a (k-)nearest-exemplar network.

    Parameters
    ----------
    exemplars : array-like of shape (n_exemplars, n_features)
    labels : array-like of shape (n_exemplars,)
        Their labels.
    X : array-like of shape (n_samples, n_features), default=None
        Rows that the scales and the parameters of the metric are estimated from. The
        training data are best; by default the exemplars.
    y : array-like of shape (n_samples,), default=None
        Labels of ``X``, which must include those of the exemplars.
    metric, metric_params, n_neighbors, pairs, activation, sharpness, loss : various
        As in :class:`MetricInitMLPClassifier`.
    single_output : bool, default=True
        With two classes and the log loss, return one output, the log odds of the
        second class, like :class:`~sklearn.neural_network.MLPClassifier`. Otherwise
        there is one output per class.

    Returns
    -------
    coefs : list of ndarray of shape (n_in, n_out)
        Weights of each layer: three, or four with ``n_neighbors > 1``.
    intercepts : list of ndarray of shape (n_out,)
        Biases of each layer. The outputs are in the order of the sorted classes.

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted.

    References
    ----------
    P. Sh. Geidarov, arXiv 2505.23876.

    Examples
    --------
    Weights for scikit-learn's network, which accepts them after a call that creates its
    layers:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skmetricmlp import nearest_exemplar_weights
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> coefs, intercepts = nearest_exemplar_weights(X[:30], y[:30], X=X, y=y)
    >>> [len(bias) for bias in intercepts]
    [870, 30, 10]
    >>> mlp = MLPClassifier(hidden_layer_sizes=(870, 30), warm_start=True)
    >>> mlp = mlp.partial_fit(X[:10], y[:10], classes=range(10))
    >>> mlp.coefs_, mlp.intercepts_ = coefs, intercepts
    >>> mlp.score(X, y) > 0.7
    True
    """
    if (X is None) != (y is None):
        missing = "X" if X is None else "y"
        msg = f"X and y must be passed together; {missing} is missing"
        raise ValueError(msg)
    classifier = MetricInitMLPClassifier(
        exemplars=(exemplars, labels),
        metric=metric,
        metric_params=metric_params,
        n_neighbors=n_neighbors,
        pairs=pairs,
        activation=activation,
        sharpness=sharpness,
        loss=loss,
        max_iter=0,
    )
    classifier.fit(exemplars if X is None else X, labels if y is None else y)
    known = classifier.classes_.tolist()
    given = dict.fromkeys(np.asarray(labels).tolist())
    if unknown := [label for label in given if label not in known]:
        msg = f"labels has {unknown}, which y lacks; the classes of y are {known}"
        raise ValueError(msg)
    coefs, intercepts = list(classifier.coefs_), list(classifier.intercepts_)
    if single_output and loss == "log_loss" and len(intercepts[-1]) == 2:
        coefs[-1] = np.diff(coefs[-1], axis=1)
        intercepts[-1] = np.diff(intercepts[-1])
    return coefs, intercepts
