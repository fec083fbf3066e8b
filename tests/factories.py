"""Small estimators and data sets for several tests."""

from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import scale

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

SMALL = {"n_exemplars": 9, "n_random_units": 20, "max_iter": 0, "random_state": 0}
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
    """Return a classifier of 9 exemplars and 20 random units, without training.

    Numbers that would have no effect stay at their defaults: of exemplars where
    ``exemplars`` are given, and of random units where ``n_neighbors`` is given.
    """
    return _small(MetricInitMLPClassifier, init, parameters)


def regressor(init="metric", **parameters):
    """Return a regressor, likewise."""
    return _small(MetricInitMLPRegressor, init, parameters)


def _small(estimator, init, parameters):
    settings = dict(SMALL)
    if not isinstance(parameters.get("exemplars", ""), str):
        del settings["n_exemplars"]
    if parameters.get("n_neighbors") is not None:
        del settings["n_random_units"]
    return estimator(init, **settings | parameters)


@cache
def standardized(name, n_rows=None):
    """Return read-only features of mean 0 and deviation 1, and class codes."""
    X, y = LOADERS[name](return_X_y=True)
    return read_only(scale(X[:n_rows])), read_only(y[:n_rows], y.dtype)
