"""Small estimators and data sets, and comparisons of networks, for several tests."""

from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import scale

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp.training import stochastic

SMALL = {"n_exemplars": 9, "n_comparisons": 40, "max_iter": 0, "random_state": 0}
# Training that goes all the way at one rate, so that epochs can be counted.
SMALL |= {"learning_rate": "constant", "trained_share": 1.0}
LOADERS = {
    "iris": load_iris,
    "wine": load_wine,
    "cancer": load_breast_cancer,
    "digits": load_digits,
}


def read_only(values, dtype=float):
    """Return a read-only copy."""
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


def classifier(init="metric", **parameters):
    """Return a classifier of 9 exemplars and 40 comparisons, without training.

    Numbers that would have no effect stay at their defaults: of exemplars where
    ``exemplars`` are given, and of comparisons where ``n_neighbors`` is given. Shared
    weights and pairs are those of the network that votes.
    """
    return _small(MetricInitMLPClassifier, init, parameters)


def regressor(init="metric", **parameters):
    """Return a regressor, likewise."""
    return _small(MetricInitMLPRegressor, init, parameters)


def _small(estimator, init, parameters):
    settings = dict(SMALL)
    if parameters.get("tied", False) is True or parameters.get("pairs", "all") != "all":
        settings["n_neighbors"] = 1
    if not isinstance(parameters.get("exemplars", ""), str):
        del settings["n_exemplars"]
    if (settings | parameters).get("n_neighbors") is not None:
        del settings["n_comparisons"]
    return estimator(init, **settings | parameters)


@cache
def standardized(name, n_rows=None):
    """Return read-only features of mean 0 and deviation 1, and class codes."""
    X, y = LOADERS[name](return_X_y=True)
    return read_only(scale(X[:n_rows])), read_only(y[:n_rows], y.dtype)


def parameters_of(estimator):
    return [*estimator.coefs_, *estimator.intercepts_]


def shapes(estimator):
    return [array.shape for array in parameters_of(estimator)]


def assert_same_network(first, second):
    for a, b in zip(parameters_of(first), parameters_of(second), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_nearly_same_network(first, second, by=1e-9):
    """But for the rounding errors of a change of coordinates at every call."""
    for a, b in zip(parameters_of(first), parameters_of(second), strict=True):
        np.testing.assert_allclose(a, b, rtol=by, atol=1e-3 * by * abs(b).max())


@contextmanager
def training_raises(error, n_steps):
    """Raise an error in place of the step after so many steps of training."""
    step, made = stochastic.step, []

    def failing_step(*args, **settings):
        if len(made) == n_steps:
            raise error
        made.append(None)
        return step(*args, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stochastic, "step", failing_step)
        yield
