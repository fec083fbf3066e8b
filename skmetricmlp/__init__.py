"""A scikit-learn compatible neural network with weights calculated from exemplars."""

from skmetricmlp.basis_regressor import BasisInitMLPRegressor
from skmetricmlp.classifier import MetricInitMLPClassifier
from skmetricmlp.regressor import MetricInitMLPRegressor
from skmetricmlp.weights import nearest_exemplar_weights

__all__ = [
    "BasisInitMLPRegressor",
    "MetricInitMLPClassifier",
    "MetricInitMLPRegressor",
    "nearest_exemplar_weights",
]

__version__ = "0.1.0"
