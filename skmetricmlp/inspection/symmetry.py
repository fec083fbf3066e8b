"""The number of distinct neurons in each layer of a network."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import to_numpy
from skmetricmlp._typing import Floats, Ints

__all__ = ["count_distinct_neurons"]


def count_distinct_neurons(estimator: Any, *, tol: float = 1e-6) -> pd.DataFrame:
    """Count the neurons of each hidden layer that compute different functions.

    Neurons with the same incoming weights and the same bias are merged, beginning with
    the first hidden layer. Merged neurons always have the same activation, so that only
    the sum of their outgoing weights to a neuron of the next layer matters. Therefore the
    next layer is compared by these sums.

    Neurons whose outgoing weights are also the same have equal gradients, and training
    cannot make them different. So a layer of constant weights stays equivalent to one
    neuron.

    Parameters
    ----------
    estimator : object
        A fitted network with ``coefs_`` and ``intercepts_``:
        :class:`~skmetricmlp.MetricInitMLPClassifier`, or scikit-learn's
        :class:`~sklearn.neural_network.MLPClassifier` or
        :class:`~sklearn.neural_network.MLPRegressor`.
    tol : float, default=1e-6
        Tolerance: weights and biases are the same if their difference is at most this
        share of the largest absolute value in the layer. Two neurons that are the same as
        a third one are the same.

    Returns
    -------
    pandas.DataFrame
        One row per hidden layer, with the columns ``layer``, ``n_neurons`` and
        ``n_distinct``. Layers count from 1.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator has no ``coefs_`` and ``intercepts_``.
    ValueError
        If a weight is not finite, or ``tol`` is invalid.

    Notes
    -----
    The weights are compared, not the activations on data. So two ReLU neurons that are
    zero on all rows are distinct if their weights differ. A neuron and a multiple of it
    are distinct too.

    Conjunctions have no weights of their own, and are not counted. In training they make
    equal neurons distinct, because only the first of two that are equal gets a gradient.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.inspection import count_distinct_neurons
    >>> X, y = load_iris(return_X_y=True)
    >>> settings = dict(n_exemplars=6, n_neighbors=1, max_iter=0, random_state=0)
    >>> for init in ("ones", "metric"):
    ...     clf = MetricInitMLPClassifier(init, **settings).fit(X, y)
    ...     print(count_distinct_neurons(clf))
       layer  n_neurons  n_distinct
    0      1         30           1
    1      2          6           1
       layer  n_neurons  n_distinct
    0      1         30          30
    1      2          6           6
    """
    check_scalar(tol, "tol", Real, min_val=0, max_val=1, include_boundaries="left")
    coefs, intercepts = _get_weights(estimator)
    counts: list[tuple[int, int, int]] = []
    groups = np.arange(len(coefs[0]))
    for weights, bias in zip(coefs[:-1], intercepts[:-1], strict=True):
        groups = _group_equal_rows(_incoming_weights(weights, bias, groups), tol)
        counts.append((len(counts) + 1, len(groups), int(groups.max()) + 1))
    return pd.DataFrame(counts, columns=["layer", "n_neurons", "n_distinct"])


def _get_weights(estimator: Any) -> tuple[list[Floats], list[Floats]]:
    check_is_fitted(estimator)
    try:
        coefs, intercepts = estimator.coefs_, estimator.intercepts_
    except AttributeError as error:
        msg = (
            f"estimator must have coefs_ and intercepts_, got a "
            f"{type(estimator).__name__}; for a Pipeline pass the last step"
        )
        raise TypeError(msg) from error
    coefs, intercepts = [[to_numpy(a) for a in arrays] for arrays in (coefs, intercepts)]
    if not all(np.isfinite(array).all() for array in (*coefs, *intercepts)):
        msg = "the weights of estimator must be finite, got NaN or infinity"
        raise ValueError(msg)
    return coefs, intercepts


def _incoming_weights(weights: Floats, bias: Floats, groups: Ints) -> Floats:
    """Sum the incoming weights of each neuron over groups of equal inputs.

    Parameters
    ----------
    weights : array of shape (n_in, n_out)
    bias : array of shape (n_out,)
    groups : int array of shape (n_in,)
        Group of each input, from 0.

    Returns
    -------
    array of shape (n_out, n_groups + 1)
        The last column is the bias.
    """
    summed = np.zeros((groups.max() + 1, weights.shape[1]))
    np.add.at(summed, groups, weights)
    return np.vstack([summed, bias]).T


def _group_equal_rows(rows: Floats, tol: float) -> Ints:
    """Return the index of the group of equal rows that each row belongs to."""
    distinct, index = np.unique(rows, axis=0, return_inverse=True)
    # DBSCAN with min_samples=1 finds the connected components of the graph of rows within
    # the radius. It needs a positive radius.
    radius = tol * np.abs(rows).max()
    if radius == 0:
        return index.ravel()
    clusters = DBSCAN(radius, min_samples=1, metric="chebyshev", algorithm="kd_tree")
    groups: Ints = clusters.fit(distinct).labels_[index.ravel()]
    return groups
