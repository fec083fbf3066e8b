"""What is predicted, classes or values, and how well is said in whose terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import type_of_target

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

__all__ = ["CLASSES", "TASKS", "VALUES", "Task", "task_of"]


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Attributes
    ----------
    name : str
        "classes" or "values".
    estimator : type
    score : str
        Column of the score in tables.
    score_name : str
        The same in words.
    measure : callable
        From true and predicted to the score; higher is better.
    scale : float
        Scores are shown times that.
    digits : int
        Of scores that are shown.
    unit, difference_unit : str
        Follow a score that is shown, and a difference of two.
    """

    name: str
    estimator: type
    score: str
    score_name: str
    measure: Callable[[Any, Any], float]
    scale: float
    digits: int
    unit: str
    difference_unit: str

    def number(self, score: float) -> str:
        """Return a score as it is shown, without its unit."""
        return f"{self.scale * score:.{self.digits}f}"

    def text(self, score: float) -> str:
        """Return a score with its unit.

        Examples
        --------
        >>> CLASSES.text(0.95), VALUES.text(0.95)
        ('95.0 %', '0.950')
        """
        return self.number(score) + self.unit


CLASSES = Task(
    name="classes",
    estimator=MetricInitMLPClassifier,
    score="accuracy",
    score_name="accuracy",
    measure=accuracy_score,
    scale=100.0,
    digits=1,
    unit=" %",
    difference_unit=" points",
)

VALUES = Task(
    name="values",
    estimator=MetricInitMLPRegressor,
    score="r2",
    score_name="R²",
    measure=r2_score,
    scale=1.0,
    digits=3,
    unit="",
    difference_unit="",
)

TASKS = {task.name: task for task in (CLASSES, VALUES)}


def task_of(y: pd.Series[Any]) -> Task:
    """Return what is to be predicted, judged by the targets.

    Numbers are values if some are no integers, or more than half of them differ.
    Everything else is classes.

    Examples
    --------
    >>> task_of(pd.Series([0.5, 1.5, 1.5, 2.0])).name
    'values'
    >>> task_of(pd.Series([0, 1, 1, 0])).name
    'classes'
    """
    if not pd.api.types.is_any_real_numeric_dtype(y) or y.isna().any():
        return CLASSES
    numbers = y.to_numpy(dtype=float)
    if not np.isfinite(numbers).all() or 2 * y.nunique() > len(y):
        return VALUES
    return VALUES if type_of_target(numbers) == "continuous" else CLASSES
