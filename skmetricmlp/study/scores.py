"""Scores of predictions: which scorer of scikit-learn, and how its values are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import floor, isfinite, log10
from typing import Any, NamedTuple, TypeAlias
from warnings import catch_warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import (
    average_precision_score,
    get_scorer,
    get_scorer_names,
    log_loss,
)

from skmetricmlp.study.errors import DataError
from skmetricmlp.study.tasks import CLASSES, VALUES, Task

__all__ = [
    "Predictions",
    "Score",
    "check_scoring",
    "find_score",
    "measure",
    "order_labels",
    "predict",
    "scorings_of",
]

Array = NDArray[Any]
Labels: TypeAlias = "pd.Index[Any]"

#: Names of scores that are not those of scikit-learn without underscores.
NAMES = {
    "f1": "F1",
    "jaccard": "Jaccard index",
    "matthews_corrcoef": "Matthews correlation",
    "neg_mean_absolute_error": "MAE",
    "neg_mean_squared_error": "MSE",
    "neg_root_mean_squared_error": "RMSE",
    "r2": "R²",
    "roc_auc": "ROC AUC",
}

#: Scores that are printed in percent. Names that begin with these words are too.
PERCENT = ("accuracy", "balanced_accuracy", "top_k_accuracy", "precision", "recall")

#: Errors that do not have the unit of the target.
WITHOUT_UNIT = ("percentage", "log", "deviance")

#: Decimals of numbers without a unit, and of numbers that are compared with the target.
DIGITS, SIGNIFICANT = 3, 3

#: Scorers that an error suggests.
USUAL = {
    CLASSES.name: (*CLASSES.measures, "roc_auc", "f1"),
    VALUES.name: (*VALUES.measures, "neg_median_absolute_error"),
}


@dataclass(frozen=True)
class Score:
    """How a score is called, compared and printed.

    Attributes
    ----------
    scoring : str
        Name of a scorer of scikit-learn, and column of its values in tables. Higher
        values are better.
    name : str
        Name in sentences. Scorers whose names begin with ``neg_`` are errors, and are
        printed without the sign.
    scale : float
        Factor of a printed score.
    digits : int
        Number of decimals of a printed score.
    unit, difference_unit : str
        Units of a printed score, and of a printed difference of two scores.
    """

    scoring: str
    name: str
    scale: float = 1.0
    digits: int = DIGITS
    unit: str = ""
    difference_unit: str = ""

    @property
    def sign(self) -> int:
        """-1 for errors, of which lower ones are better, and 1 for other scores."""
        return -1 if self.scoring.startswith("neg_") else 1

    @property
    def title(self) -> str:
        """The name, with the unit and the direction of errors."""
        percent = " in percent" if self.unit else ""
        return f"{self.name}{percent}" + (" (lower is better)" if self.sign < 0 else "")

    def number(self, score: float) -> str:
        """Format a value of the scorer without its unit."""
        # Adding zero turns a negative zero into zero.
        return f"{self.sign * self.scale * score + 0.0:.{self.digits}f}"

    def text(self, score: float) -> str:
        """Format a value of the scorer with its unit.

        Examples
        --------
        >>> accuracy = Score("accuracy", "accuracy", 100.0, 1, " %", " points")
        >>> accuracy.text(0.95), Score("neg_log_loss", "log loss").text(-0.2)
        ('95.0 %', '0.200')
        """
        return self.number(score) + self.unit

    def amount(self, difference: float, half_width: float | None = None) -> str:
        """Format the absolute value of a difference, with its uncertainty if given."""
        parts = [difference] if half_width is None else [difference, half_width]
        numbers = [f"{self.scale * abs(part):.{self.digits}f}" for part in parts]
        return " ± ".join(numbers) + self.difference_unit


class Predictions(NamedTuple):
    """Predictions of rows.

    Attributes
    ----------
    predicted : ndarray of shape (n_rows,)
        Labels or values.
    probabilities : ndarray of shape (n_rows, n_classes), optional
        In the order of :func:`order_labels`. Those of classes that the model does not
        know are zero. There are none for values.
    known : ndarray of bool of shape (n_classes,), optional
        Which classes the model knows.
    """

    predicted: Array
    probabilities: Array | None = None
    known: Array | None = None


def find_score(scoring: str, task: Task, y: pd.Series[Any]) -> Score:
    """Return the score of a scorer's name, with the decimals that suit the targets.

    Raises
    ------
    DataError
        If scikit-learn has no such scorer, or it is one for another task.

    Examples
    --------
    >>> score = find_score("neg_root_mean_squared_error", VALUES, pd.Series([3e4, 5e4]))
    >>> score.title, score.text(-1234.5678)
    ('RMSE (lower is better)', '1235')
    """
    _check_name(scoring, task)
    name = NAMES.get(scoring, scoring)
    if name == scoring:
        words = scoring.removeprefix("neg_").removesuffix("_score").split("_")
        # Averages of a score have its name, such as F1 in "f1_macro".
        first = [NAMES.get(words[0], words[0])]
        if words[:2] == ["roc", "auc"]:
            first, words = [NAMES["roc_auc"]], words[1:]
        name = " ".join([*first, *words[1:]])
    if scoring.startswith(PERCENT):
        return Score(scoring, name, 100.0, 1, " %", " points")
    return Score(scoring, name, digits=_digits(scoring, task, y))


def scorings_of(task: Task, scoring: str | None) -> tuple[str, ...]:
    """Return the names of all scorers of a study: those of the task, and a given one."""
    return tuple(dict.fromkeys([*task.measures, scoring or task.scoring]))


def check_scoring(scoring: str, task: Task, y: pd.Series[Any], test: Array) -> None:
    """Check before any training that a scorer suits the targets of test rows.

    Raises
    ------
    DataError
        If scikit-learn has no such scorer, it is one for another task, or it cannot be
        computed for these targets, as if a class has no test row.
    """
    _check_name(scoring, task)
    labels, true = order_labels(task, y), y.to_numpy()[test]
    best = Predictions(true)
    if labels is not None:
        is_true = labels.get_indexer(pd.Index(true))[:, None] == np.arange(len(labels))
        best = Predictions(
            true,
            (is_true + 0.1) / (1 + 0.1 * len(labels)),
            np.ones(len(labels), dtype=bool),
        )
    measure(true, best, [scoring], labels, allow_infinite=True)


def order_labels(task: Task, y: pd.Series[Any]) -> Labels | None:
    """Return the classes. Of two classes the rarer one, which is positive, is last.

    Examples
    --------
    >>> order_labels(CLASSES, pd.Series(["bad", "good", "good"])).tolist()
    ['good', 'bad']
    """
    if task != CLASSES:
        return None
    counts = y.value_counts(sort=False)
    by_name = sorted(counts.index, key=str)
    if len(by_name) == 2:
        by_name.sort(key=lambda label: -counts[label])
    labels: Labels = pd.Index(by_name)
    return labels


def predict(model: Any, X: Any, labels: Labels | None) -> Predictions:
    """Predict rows with a fitted model."""
    predicted = model.predict(X)
    if labels is None:
        return Predictions(np.asarray(predicted, dtype=float))
    columns = labels.get_indexer(pd.Index(model.classes_))
    probabilities = np.zeros((len(predicted), len(labels)))
    probabilities[:, columns] = model.predict_proba(X)
    known = np.isin(np.arange(len(labels)), columns)
    return Predictions(predicted, probabilities, known)


def measure(
    true: Array,
    predictions: Predictions,
    scorings: Sequence[str],
    labels: Labels | None,
    *,
    allow_infinite: bool = False,
) -> dict[str, float]:
    """Compute scores of predictions.

    The average precision is that of the rarer one of two classes, and otherwise the mean
    over the classes that have rows. The log loss is that of rows whose class the model
    knows.

    Parameters
    ----------
    true : ndarray of shape (n_rows,)
    predictions : Predictions
    scorings : sequence of str
        Names of scorers.
    labels : pandas.Index or None
        From :func:`order_labels`.
    allow_infinite : bool, default=False
        Whether scores need not be finite.

    Returns
    -------
    dict of str to float

    Raises
    ------
    DataError
        If a score cannot be computed, or is not finite.
    """
    codes, estimator = _as_estimator(true, predictions, labels)
    values = {}
    for scoring in scorings:
        try:
            # Classes that are never predicted, or have no row, cause warnings.
            with catch_warnings(action="ignore"):
                if scoring in SPECIAL and labels is not None:
                    values[scoring] = SPECIAL[scoring](codes, predictions)
                else:
                    X = np.zeros((len(codes), 1))
                    values[scoring] = float(get_scorer(scoring)(estimator, X, codes))
        except (ValueError, TypeError, AttributeError) as error:
            reason = str(error).strip().split("\n")[0]
            msg = (
                f"scoring={scoring!r} cannot be computed for this target: {reason}"
                f"{_averages(scoring)}"
            )
            raise DataError(msg) from error
        if not (allow_infinite or isfinite(values[scoring])):
            msg = f"scoring={scoring!r} is not finite for some predictions: use another"
            raise DataError(msg)
    return values


class _KnownClasses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predictions of classes as an estimator, because scorers take estimators."""

    def __init__(
        self, predicted: Any = None, probabilities: Any = None, n_classes: int = 2
    ) -> None:
        self.predicted = predicted
        self.probabilities = probabilities
        self.n_classes = n_classes

    @property
    def classes_(self) -> Array:
        return np.arange(self.n_classes)

    def predict(self, X: Any) -> Any:  # noqa: ARG002
        return self.predicted

    def predict_proba(self, X: Any) -> Any:  # noqa: ARG002
        return self.probabilities


class _KnownValues(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predictions of values as an estimator."""

    def __init__(self, predicted: Any = None) -> None:
        self.predicted = predicted

    def predict(self, X: Any) -> Any:  # noqa: ARG002
        return self.predicted


def _as_estimator(
    true: Array, predictions: Predictions, labels: Labels | None
) -> tuple[Array, BaseEstimator]:
    """Return the true targets, as codes if they are classes, and an estimator.

    With codes the second of two classes is positive for all scorers.
    """
    if labels is None:
        return np.asarray(true, dtype=float), _KnownValues(predictions.predicted)
    codes, predicted = (
        labels.get_indexer(pd.Index(values)) for values in (true, predictions.predicted)
    )
    return codes, _KnownClasses(predicted, predictions.probabilities, len(labels))


def _average_precision(codes: Array, predictions: Predictions) -> float:
    p = predictions.probabilities
    assert p is not None  # noqa: S101
    classes = [1] if p.shape[1] == 2 else np.unique(codes).tolist()
    return float(np.mean([average_precision_score(codes == k, p[:, k]) for k in classes]))


def _neg_log_loss(codes: Array, predictions: Predictions) -> float:
    p, known = predictions.probabilities, predictions.known
    assert p is not None  # noqa: S101
    assert known is not None  # noqa: S101
    rows = known[codes]
    return -float(log_loss(codes[rows], p[rows][:, known], labels=np.flatnonzero(known)))


#: Scores that are defined although a class has no test row, or no training row.
SPECIAL = {"average_precision": _average_precision, "neg_log_loss": _neg_log_loss}


def _check_name(scoring: str, task: Task) -> None:
    names = {name for name in get_scorer_names() if _task_of(name) == task}
    if scoring in names:
        return
    usual = f"for {task.name} use for example {', '.join(USUAL[task.name])}"
    if scoring in get_scorer_names():
        msg = f"scoring={scoring!r} is for {_task_of(scoring).name}: {usual}"
        raise DataError(msg)
    # Names in sentences, such as RMSE, are understood too.
    spoken = {NAMES[name].lower(): name for name in NAMES if name in names}
    spoken |= {name.removeprefix("neg_"): name for name in names}
    spoken |= {name: name for name in names}
    close = get_close_matches(scoring.lower(), spoken, n=1)
    hint = f" (did you mean {spoken[close[0]]!r}?)" if close else ""
    msg = (
        f"scoring={scoring!r} is not the name of a scorer of scikit-learn{hint}: {usual}"
    )
    raise DataError(msg)


def _averages(scoring: str) -> str:
    """Suggest averages over classes of a scorer for two classes."""
    names = [name for name in get_scorer_names() if name.startswith(f"{scoring}_")]
    # Those of samples are for several labels per row.
    usable = [name for name in names if not name.endswith("_samples")]
    return f"; there are also {', '.join(usable)}" if usable else ""


@cache
def _task_of(scoring: str) -> Task:
    """Return the task of a scorer. Those for classes refuse values, or warn of them."""
    values = np.array([0.5, 1.5, 2.5])
    try:
        with catch_warnings(action="error"):
            get_scorer(scoring)(_KnownValues(values), np.zeros((3, 1)), values)
    except (ValueError, TypeError, AttributeError, UserWarning):
        return CLASSES
    return VALUES


def _digits(scoring: str, task: Task, y: pd.Series[Any]) -> int:
    """Return the decimals that show three digits of errors in the unit of the target."""
    is_error = task == VALUES and scoring.startswith("neg_")
    if not is_error or any(word in scoring for word in WITHOUT_UNIT):
        return DIGITS
    power = 2 if "squared" in scoring and "root" not in scoring else 1
    deviation = float(np.asarray(y, dtype=float).std()) ** power
    return min(max(SIGNIFICANT - 1 - floor(log10(deviation)), 0), 12)
