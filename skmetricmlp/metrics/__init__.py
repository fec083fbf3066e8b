"""Metrics: from exemplars to scores that are affine in the input."""

from skmetricmlp.metrics.fitting import Metric, fit_metric
from skmetricmlp.metrics.formulas import METRICS, Domain, Scores

__all__ = ["METRICS", "Domain", "Metric", "Scores", "fit_metric"]
