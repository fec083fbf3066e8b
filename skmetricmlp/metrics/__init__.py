"""Metrics: affine scores of an input, calculated from exemplars."""

from skmetricmlp.metrics.fitting import Metric, fit_metric
from skmetricmlp.metrics.formulas import METRICS, Scores, ValueRange

__all__ = ["METRICS", "Metric", "Scores", "ValueRange", "fit_metric"]
