"""How many neurons of a network differ from each other."""

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

    From the inputs up, neurons with the same incoming weights and bias are merged into
    one. What reads several that were merged reads the sum of its weights to them, since
    they always have the same value: how it shares that sum out makes no difference.

    Neurons that are also read with the same weights get the same gradient, and no
    training tells them apart: a layer of constant weights stays as good as one neuron.

    Parameters
    ----------
    estimator : object
        A fitted network with ``coefs_`` and ``intercepts_``:
        :class:`~skmetricmlp.MetricInitMLPClassifier`, or scikit-learn's
        :class:`~sklearn.neural_network.MLPClassifier` or
        :class:`~sklearn.neural_network.MLPRegressor`.
    tol : float, default=1e-6
        Weights and biases are the same if they differ by at most this share of the
        largest of the layer. Neurons that are the same as a third one are the same.

    Returns
    -------
    pandas.DataFrame
        A row per hidden layer, with the columns ``layer`` (from 1), ``n_neurons`` and
        ``n_distinct``.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If it has no such weights.
    ValueError
        If a weight is not finite, or ``tol`` is not accepted.

    Notes
    -----
    Functions are compared, not values on data: two ReLU neurons that are both silent on
    all rows are different if their weights are, and so are two of which one is a multiple
    of the other.

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
    coefs, intercepts = _weights(estimator)
    counts: list[tuple[int, int, int]] = []
    groups = np.arange(len(coefs[0]))
    for weights, bias in zip(coefs[:-1], intercepts[:-1], strict=True):
        groups = _same_rows(_incoming(weights, bias, groups), tol)
        counts.append((len(counts) + 1, len(groups), int(groups.max()) + 1))
    return pd.DataFrame(counts, columns=["layer", "n_neurons", "n_distinct"])


def _weights(estimator: Any) -> tuple[list[Floats], list[Floats]]:
    check_is_fitted(estimator)
    try:
        coefs, intercepts = estimator.coefs_, estimator.intercepts_
    except AttributeError as error:
        msg = (
            f"estimator must have coefs_ and intercepts_, got a "
            f"{type(estimator).__name__}; of a pipeline pass the last step"
        )
        raise TypeError(msg) from error
    coefs, intercepts = [[to_numpy(a) for a in arrays] for arrays in (coefs, intercepts)]
    if not all(np.isfinite(array).all() for array in (*coefs, *intercepts)):
        msg = "the weights of estimator must be finite, got NaN or infinity"
        raise ValueError(msg)
    return coefs, intercepts


def _incoming(weights: Floats, bias: Floats, groups: Ints) -> Floats:
    """Sum up what each neuron reads of each group of inputs.

    Parameters
    ----------
    weights : array of shape (n_in, n_out)
    bias : array of shape (n_out,)
    groups : int array of shape (n_in,)
        From 0, by input.

    Returns
    -------
    array of shape (n_out, n_groups + 1)
        With the bias in the last column.
    """
    summed = np.zeros((groups.max() + 1, weights.shape[1]))
    np.add.at(summed, groups, weights)
    return np.vstack([summed, bias]).T


def _same_rows(rows: Floats, tol: float) -> Ints:
    """Find rows that are the same: the number of its group, from 0, for each."""
    distinct, index = np.unique(rows, axis=0, return_inverse=True)
    # A point of DBSCAN that needs no neighbors is grouped with all within reach, and
    # with theirs. Its radius must be positive: 0 leaves the rows that are equal.
    radius = tol * np.abs(rows).max()
    if radius == 0:
        return index.ravel()
    clusters = DBSCAN(radius, min_samples=1, metric="chebyshev", algorithm="kd_tree")
    groups: Ints = clusters.fit(distinct).labels_[index.ravel()]
    return groups
