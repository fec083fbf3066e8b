"""A scikit-learn compatible neural network with weights calculated from exemplars."""

from skmetricmlp.classifier import MetricInitMLPClassifier

__all__ = ["MetricInitMLPClassifier"]

__version__ = "0.1.0"
