"""Pictures of an estimator, in scikit-learn's way: ``from_...`` computes, ``plot`` draws.

matplotlib is needed to draw, and for nothing else: ``pip install 'skmetricmlp[plot]'``.
"""

from skmetricmlp.plotting.comparison_weights import ComparisonWeightsDisplay
from skmetricmlp.plotting.decision_boundaries import DecisionBoundariesDisplay
from skmetricmlp.plotting.exemplars import ExemplarsDisplay
from skmetricmlp.plotting.learning_curves import LearningCurvesDisplay
from skmetricmlp.plotting.margins import MarginsDisplay

__all__ = [
    "ComparisonWeightsDisplay",
    "DecisionBoundariesDisplay",
    "ExemplarsDisplay",
    "LearningCurvesDisplay",
    "MarginsDisplay",
]
