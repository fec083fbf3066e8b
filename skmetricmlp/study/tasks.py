"""Classification or regression, and how scores are computed and printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import type_of_target

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

__all__ = ["CLASSES", "TASKS", "VALUES", "Task", "infer_task", "task_hint"]


#: Distinct integers that are classes by default; more are values.
MOST_CLASSES = 20


@dataclass(frozen=True)
class Task:
    """A kind of prediction.

    Attributes
    ----------
    name : str
        "classes" or "values".
    estimator : type
        Class of the estimator.
    score : str
        Column of the score in tables.
    score_name : str
        Name of the score in sentences.
    measure : callable
        Function of true and predicted targets that returns the score. Higher is better.
    scale : float
        Factor of a printed score.
    digits : int
        Number of decimals of a printed score.
    unit, difference_unit : str
        Units of a printed score, and of a printed difference of two scores.
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
        """Format a score without its unit."""
        return f"{self.scale * score:.{self.digits}f}"

    def text(self, score: float) -> str:
        """Format a score with its unit.

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


def infer_task(y: pd.Series[Any]) -> Task:
    """Infer the task from the targets.

    Numbers are values if some are not integers, or if more than 20 of them, or than half
    the rows, differ. All other targets are classes.

    Examples
    --------
    >>> infer_task(pd.Series([0.5, 1.5, 1.5, 2.0])).name
    'values'
    >>> infer_task(pd.Series([0, 1, 1, 0])).name
    'classes'
    """
    if not pd.api.types.is_any_real_numeric_dtype(y) or y.isna().any():
        return CLASSES
    numbers = y.to_numpy(dtype=float)
    n_distinct = y.nunique()
    if (
        not np.isfinite(numbers).all()
        or 2 * n_distinct > len(y)
        or n_distinct > MOST_CLASSES
    ):
        return VALUES
    return VALUES if type_of_target(numbers) == "continuous" else CLASSES


def task_hint(y: pd.Series[Any], task: Task) -> str:
    """Name the option for the other task, where the targets could be of either.

    Examples
    --------
    >>> task_hint(pd.Series([3, 1, 2, 1, 2, 3]), CLASSES)
    'for regression use --task values'
    """
    is_number = pd.api.types.is_any_real_numeric_dtype(y)
    if not is_number or (y % 1 != 0).any():
        return ""
    if task is CLASSES:
        return "for regression use --task values" if y.nunique() > 2 else ""
    is_possible = 2 * y.nunique() <= len(y)
    return "for classification use --task classes" if is_possible else ""
