"""The estimators: classifier, regressor, and regressor of functions."""

from skmetricmlp.estimators.basis_regressor import BasisInitMLPRegressor
from skmetricmlp.estimators.classifier import MetricInitMLPClassifier
from skmetricmlp.estimators.regressor import MetricInitMLPRegressor
from skmetricmlp.estimators.weights import nearest_exemplar_weights

__all__ = [
    "BasisInitMLPRegressor",
    "MetricInitMLPClassifier",
    "MetricInitMLPRegressor",
    "nearest_exemplar_weights",
]
