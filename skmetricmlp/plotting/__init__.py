"""Displays of an estimator, with the interface of scikit-learn's displays.

The methods ``from_...`` compute and draw, and ``plot`` draws again. Only drawing needs
matplotlib: ``pip install 'skmetricmlp[plot]'``.
"""

from skmetricmlp.plotting.comparison_weights import ComparisonWeightsDisplay
from skmetricmlp.plotting.decision_boundaries import DecisionBoundariesDisplay
from skmetricmlp.plotting.exemplars import ExemplarsDisplay
from skmetricmlp.plotting.filters import FiltersDisplay
from skmetricmlp.plotting.learning_curves import LearningCurvesDisplay
from skmetricmlp.plotting.margins import MarginsDisplay

__all__ = [
    "ComparisonWeightsDisplay",
    "DecisionBoundariesDisplay",
    "ExemplarsDisplay",
    "FiltersDisplay",
    "LearningCurvesDisplay",
    "MarginsDisplay",
]
