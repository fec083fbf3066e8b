"""A score before training and after each epoch: mean and spread over repetitions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from skmetricmlp._typing import Array
from skmetricmlp.plotting._drawing import add_legend, class_style, panels
from skmetricmlp.plotting._estimators import check_count, parts_of
from skmetricmlp.plotting._text import drawn

__all__ = ["LearningCurvesDisplay", "learning_curves", "summarize"]

Keywords = Mapping[str, Any] | None


class LearningCurvesDisplay:
    """A score before training and after each epoch: mean and standard deviation.

    It is recommended to use :meth:`from_estimator` or :meth:`from_curves`.

    Parameters
    ----------
    curves : pandas.DataFrame
        A row per repetition and epoch, and curve if there are several.
    x, y : str, default="epoch", "accuracy"
        Columns of the epoch, and of the score.
    hue : str or None, default="start"
        Column that says which curve a row is of; None if there is one.
    score_name : str, default=None
        Label of the axis of scores, by default ``y``.

    Attributes
    ----------
    curves, x, y, hue, score_name
        As given, or by default.
    summary : pandas.DataFrame
        A row per curve and x, with the columns ``mean``, ``std`` (of a sample, missing
        for a single repetition) and ``count``.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        The means, one line a curve.
    fill_between_ : list of matplotlib PolyCollection
        A standard deviation on either side.

    Raises
    ------
    ValueError
        If there are no rows, or no such columns.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.plotting import LearningCurvesDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MetricInitMLPClassifier(n_exemplars=6, random_state=0)
    >>> display = LearningCurvesDisplay.from_estimator(clf, X, y, n_epochs=3)
    >>> display.curves.shape
    (20, 3)
    >>> display.summary["mean"].index.tolist()
    [0, 1, 2, 3]
    >>> plt.close(display.figure_)
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        curves: pd.DataFrame,
        *,
        x: str = "epoch",
        y: str = "accuracy",
        hue: str | None = "start",
        score_name: str | None = None,
    ) -> None:
        self.curves = curves
        self.x, self.y, self.hue = x, y, hue
        self.score_name = y if score_name is None else score_name
        self.summary = summarize(curves, x=x, y=y, hue=hue)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        n_epochs: int = 10,
        cv: Any = 5,
        scoring: Any = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Train clones of an estimator, and draw their scores on the rows left out.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            Fitted or not; stays as it is. Its ``max_iter``, ``early_stopping`` and
            ``warm_start`` have no effect.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        n_epochs : int, default=10
        cv : int, splitter or iterable, default=5
            The splits, as :func:`~sklearn.model_selection.cross_val_score` takes them.
        scoring : str, callable or None, default=None
            By default the accuracy, or of a regressor R^2.
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : LearningCurvesDisplay
            Its ``curves`` have the columns ``split``, ``epoch`` and ``score``.

        Raises
        ------
        TypeError
            If the estimator is none of this package.
        ValueError
            If it has ``learning_rate="linear"``, or another argument is not accepted.
        """
        name = scoring.replace("_", " ") if isinstance(scoring, str) else "score"
        if scoring is None:
            name = "accuracy" if is_classifier(parts_of(estimator).model) else "R²"
        curves = learning_curves(
            estimator, X, y, n_epochs=n_epochs, cv=cv, scoring=scoring
        )
        display = cls(curves, x="epoch", y="score", hue=None, score_name=name)
        return display.plot(ax=ax, **plot_kw)

    @classmethod
    def from_curves(
        cls,
        frame: pd.DataFrame,
        *,
        x: str = "epoch",
        y: str = "accuracy",
        hue: str | None = "start",
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw curves of a tidy table.

        Parameters
        ----------
        frame : pandas.DataFrame
            A row per repetition, epoch and curve, such as the study has for one size.
            Rows of the same ``x`` and ``hue`` are repetitions.
        x, y : str, default="epoch", "accuracy"
            Columns of the epoch, and of the score.
        hue : str or None, default="start"
            Column that says which curve a row is of; None if there is one.
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : LearningCurvesDisplay

        Raises
        ------
        ValueError
            If there are no rows, or no such columns.
        """
        return cls(frame, x=x, y=y, hue=hue).plot(ax=ax, **plot_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kw: Keywords = None,
        fill_between_kw: Keywords = None,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        line_kw, fill_between_kw : dict, default=None
            Passed on to matplotlib's ``plot`` of the means, and ``fill_between``.

        Returns
        -------
        self : LearningCurvesDisplay
        """
        (self.ax_,) = panels(type(self).__name__, ax, 1, (5.4, 3.6))
        self.figure_ = self.ax_.figure
        self.lines_, self.fill_between_ = [], []
        curves = (
            [("", self.summary)]
            if self.hue is None
            else list(self.summary.groupby(level=0, sort=False))
        )
        for k, (_, curve) in enumerate(curves):
            at = curve.index.get_level_values(-1).to_numpy()
            mean, std = curve["mean"].to_numpy(), curve["std"].fillna(0.0).to_numpy()
            style = class_style(k) | {"markersize": 4} | dict(line_kw or {})
            (line,) = self.ax_.plot(at, mean, **style)
            band = {"color": line.get_color(), "alpha": 0.22, "linewidth": 0}
            band |= dict(fill_between_kw or {})
            self.fill_between_.append(
                self.ax_.fill_between(at, mean - std, mean + std, **band)
            )
            self.lines_.append(line)
        self.ax_.set(xlabel="epochs" if self.x == "epoch" else drawn(str(self.x)))
        self.ax_.set_ylabel(drawn(str(self.score_name)))
        self.ax_.locator_params(axis="x", integer=True)
        self.ax_.grid(alpha=0.25)
        if self.hue is not None:
            names = [str(name) for name, _ in curves]
            add_legend(self.ax_, self.lines_, names, self.hue)
        return self


def summarize(
    curves: pd.DataFrame, *, x: str = "epoch", y: str = "accuracy", hue: str | None = None
) -> pd.DataFrame:
    """Mean, standard deviation and number of the repetitions, by curve and by x.

    Parameters
    ----------
    curves : pandas.DataFrame
    x, y : str
        Columns of the epoch, and of the score.
    hue : str or None
        Column that says which curve a row is of.

    Returns
    -------
    pandas.DataFrame
        With the columns ``mean``, ``std`` and ``count``; curves in the order in which
        they occur, and x ascending.

    Examples
    --------
    >>> frame = pd.DataFrame({"epoch": [0, 0, 1], "accuracy": [0.5, 0.7, 0.9]})
    >>> summarize(frame).round(3).reset_index()
       epoch  mean    std  count
    0      0   0.6  0.141      2
    1      1   0.9    NaN      1
    """
    for name, column in {"x": x, "y": y, "hue": hue}.items():
        if column is not None and column not in curves:
            columns = list(map(str, curves.columns))
            msg = f"{name} must be one of the columns {columns}, got {column!r}"
            raise ValueError(msg)
    if not len(curves):
        raise ValueError("the curves have no rows")
    ordered = curves.sort_values(x, kind="stable")
    keys = x if hue is None else [hue, x]
    summary = ordered.groupby(keys, sort=False)[y].agg(["mean", "std", "count"])
    if hue is not None:
        summary = pd.concat({name: summary.loc[name] for name in curves[hue].unique()})
        summary.index.names = [hue, x]
    return summary


def learning_curves(
    estimator: Any,
    X: Array,
    y: Array,
    *,
    n_epochs: int = 10,
    cv: Any = 5,
    scoring: Any = None,
) -> pd.DataFrame:
    """Score clones on the rows left out, before training and after each epoch.

    Parameters
    ----------
    estimator, X, y, n_epochs, cv, scoring : various
        As in :meth:`LearningCurvesDisplay.from_estimator`.

    Returns
    -------
    pandas.DataFrame
        A row per split and epoch, with the columns ``split``, ``epoch`` (0 is untrained)
        and ``score``.

    Raises
    ------
    TypeError, ValueError
        As :meth:`LearningCurvesDisplay.from_estimator` does.
    """
    steps, model = parts_of(estimator)
    check_count("n_epochs", n_epochs)
    if model.learning_rate == "linear":
        msg = (
            "learning_rate must be 'constant' for learning curves, got 'linear': each "
            "epoch is a call of fit, and each call begins anew"
        )
        raise ValueError(msg)
    scorer = check_scoring(model, scoring=scoring)
    X, y = (a if hasattr(a, "iloc") or sp.issparse(a) else np.asarray(a) for a in (X, y))
    X = X.tocsr() if sp.issparse(X) else X
    records = []
    splits = check_cv(cv, y, classifier=is_classifier(model)).split(X, y)
    for split, (train, test) in enumerate(splits):
        X_train, y_train, X_test, y_test = (
            a.iloc[rows] if hasattr(a, "iloc") else a[rows]
            for rows in (train, test)
            for a in (X, y)
        )
        if steps is not None:
            before = clone(steps)
            X_train = before.fit_transform(X_train, y_train)
            X_test = before.transform(X_test)
        models = _epochs(model, X_train, y_train, n_epochs)
        records += [
            {"split": split, "epoch": epoch, "score": float(scorer(m, X_test, y_test))}
            for epoch, m in enumerate(models)
        ]
    return pd.DataFrame.from_records(records)


def _epochs(model: Any, X: Array, y: Array, n_epochs: int) -> Iterator[Any]:
    """Yield a clone before training and after each epoch of one training."""
    model = clone(model).set_params(max_iter=0, early_stopping=False, warm_start=False)
    if model.solver == "lbfgs":
        # What L-BFGS knows of the curvature is lost between calls: each begins anew.
        seed = check_random_state(model.random_state).randint(2**31 - 1)
        model.set_params(random_state=seed)
        for epoch in range(n_epochs + 1):
            yield _fit(model.set_params(max_iter=epoch), X, y)
        return
    yield _fit(model, X, y)
    model.set_params(max_iter=1, warm_start=True)
    for _ in range(n_epochs):
        yield _fit(model, X, y)


def _fit(model: Any, X: Array, y: Array) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)
