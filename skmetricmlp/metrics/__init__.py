"""Metrics: affine scores of an input, calculated from exemplars."""

from skmetricmlp.metrics.fitting import Metric, feature_variances, fit_metric
from skmetricmlp.metrics.formulas import METRICS, Scores, ValueRange
from skmetricmlp.metrics.holes import Holes

__all__ = [
    "METRICS",
    "Holes",
    "Metric",
    "Scores",
    "ValueRange",
    "feature_variances",
    "fit_metric",
]
