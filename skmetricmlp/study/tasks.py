"""Classification or regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
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
    scoring : str
        Name of the scorer by default.
    measures : tuple of str
        Names of the scorers that are always reported.
    """

    name: str
    estimator: type
    scoring: str
    measures: tuple[str, ...]


CLASSES = Task(
    name="classes",
    estimator=MetricInitMLPClassifier,
    scoring="accuracy",
    measures=("accuracy", "balanced_accuracy", "average_precision", "neg_log_loss"),
)

VALUES = Task(
    name="values",
    estimator=MetricInitMLPRegressor,
    scoring="r2",
    measures=("r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"),
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
