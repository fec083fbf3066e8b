"""Display of a score before training and after each epoch, over repetitions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
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
from skmetricmlp.plotting._base import BaseDisplay
from skmetricmlp.plotting._drawing import Keywords, add_legend, class_style
from skmetricmlp.plotting._estimators import check_count, split_estimator
from skmetricmlp.plotting._text import escape_for_matplotlib

__all__ = ["LearningCurvesDisplay", "learning_curves", "summarize_curves"]

# Schedules of the learning rate that continue from one call of fit to the next.
STEPWISE_SCHEDULES = ("constant", "linear", "invscaling")


class LearningCurvesDisplay(BaseDisplay):
    """Mean and standard deviation of a score before training and after each epoch.

    Use :meth:`from_estimator` or :meth:`from_curves` to create the display.

    Parameters
    ----------
    curves : pandas.DataFrame
        One row per curve, repetition and epoch.
    x, y : str, default="epoch", "accuracy"
        Columns of the epoch and of the score.
    hue : str or None, default="start"
        Column that identifies the curve of a row. None if there is one curve.
    score_name : str, default=None
        Label of the y axis. By default ``y``.

    Attributes
    ----------
    curves, x, y, hue, score_name
        The parameters, with their defaults filled in.
    summary : pandas.DataFrame
        One row per curve and x, with the columns ``mean``, ``std`` and ``count``. The
        standard deviation is that of a sample, and NaN for a single repetition.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        The mean of each curve.
    fill_between_ : list of matplotlib PolyCollection
        Bands of one standard deviation on either side.

    Raises
    ------
    ValueError
        If ``curves`` has no rows or lacks a column.

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
        self.summary = summarize_curves(curves, x=x, y=y, hue=hue)

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
        """Train clones of an estimator, and draw their scores in cross-validation.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            An estimator, fitted or not, which does not change. Its ``max_iter``,
            ``trained_share``, ``early_stopping`` and ``warm_start`` have no effect. Its
            ``learning_rate`` must be ``"constant"``, ``"linear"`` or ``"invscaling"``;
            ``"linear"`` counts as constant, because epochs are trained one by one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        n_epochs : int, default=10
            Number of epochs of each training.
        cv : int, splitter or iterable, default=5
            The splits, as in :func:`~sklearn.model_selection.cross_val_score`.
        scoring : str, callable or None, default=None
            The score. By default accuracy for a classifier, and R^2 for a regressor.
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : LearningCurvesDisplay
            Its ``curves`` have the columns ``split``, ``epoch`` and ``score``.

        Raises
        ------
        TypeError
            If the estimator is not from this package.
        ValueError
            If the ``learning_rate`` of the estimator or another argument is invalid.
        """
        name = scoring.replace("_", " ") if isinstance(scoring, str) else "score"
        if scoring is None:
            name = "accuracy" if is_classifier(split_estimator(estimator).model) else "R²"
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
        """Draw the curves of a tidy table.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row per curve, repetition and epoch, such as the curves of a study for one
            size. Rows with equal ``x`` and ``hue`` are repetitions.
        x, y : str, default="epoch", "accuracy"
            Columns of the epoch and of the score.
        hue : str or None, default="start"
            Column that identifies the curve of a row. None if there is one curve.
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : LearningCurvesDisplay

        Raises
        ------
        ValueError
            If the table has no rows or lacks a column.
        """
        return cls(frame, x=x, y=y, hue=hue).plot(ax=ax, **plot_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kw: Keywords = None,
        fill_between_kw: Keywords = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        line_kw, fill_between_kw : dict, default=None
            Keywords for matplotlib's ``plot`` of the means, and for ``fill_between``.

        Returns
        -------
        self : LearningCurvesDisplay
        """
        (self.ax_,) = self._make_axes(ax, 1, (5.4, 3.6))
        self.lines_, self.fill_between_ = [], []
        curves = (
            [("", self.summary)]
            if self.hue is None
            else list(self.summary.groupby(level=0, sort=False))
        )
        for k, (_, curve) in enumerate(curves):
            x = curve.index.get_level_values(-1).to_numpy()
            mean, std = curve["mean"].to_numpy(), curve["std"].fillna(0.0).to_numpy()
            style = class_style(k) | {"markersize": 4} | dict(line_kw or {})
            (line,) = self.ax_.plot(x, mean, **style)
            band = {"color": line.get_color(), "alpha": 0.22, "linewidth": 0}
            band |= dict(fill_between_kw or {})
            self.fill_between_.append(
                self.ax_.fill_between(x, mean - std, mean + std, **band)
            )
            self.lines_.append(line)
        x_name = escape_for_matplotlib(str(self.x))
        self.ax_.set(xlabel="epochs" if self.x == "epoch" else x_name)
        self.ax_.set_ylabel(escape_for_matplotlib(str(self.score_name)))
        self.ax_.locator_params(axis="x", integer=True)
        self.ax_.grid(alpha=0.25)
        if self.hue is not None:
            names = [str(name) for name, _ in curves]
            add_legend(self.ax_, self.lines_, names, self.hue)
        return self


def summarize_curves(
    curves: pd.DataFrame, *, x: str = "epoch", y: str = "accuracy", hue: str | None = None
) -> pd.DataFrame:
    """Compute mean, standard deviation and number of the repetitions.

    Parameters
    ----------
    curves : pandas.DataFrame
    x, y : str
        Columns of the epoch and of the score.
    hue : str or None
        Column that identifies the curve of a row.

    Returns
    -------
    pandas.DataFrame
        One row per curve and x, with the columns ``mean``, ``std`` and ``count``. Curves
        are in the order of their first rows, and x is ascending.

    Raises
    ------
    ValueError
        If ``curves`` has no rows or lacks a column.

    Examples
    --------
    >>> frame = pd.DataFrame({"epoch": [0, 0, 1], "accuracy": [0.5, 0.7, 0.9]})
    >>> summarize_curves(frame).round(3).reset_index()
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
        raise ValueError("curves has no rows")
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
    """Score clones on test data, before training and after each epoch.

    Parameters
    ----------
    estimator, X, y, n_epochs, cv, scoring : various
        Parameters of :meth:`LearningCurvesDisplay.from_estimator`.

    Returns
    -------
    pandas.DataFrame
        One row per split and epoch, with the columns ``split``, ``epoch`` and ``score``.
        Epoch 0 is the untrained network.

    Raises
    ------
    TypeError, ValueError
        As in :meth:`LearningCurvesDisplay.from_estimator`.
    """
    steps, model = split_estimator(estimator)
    check_count("n_epochs", n_epochs)
    if model.learning_rate not in STEPWISE_SCHEDULES:
        msg = (
            f"learning_rate must be 'constant', 'linear' or 'invscaling' for learning "
            f"curves, got {model.learning_rate!r}: each epoch is one call of fit, and "
            f"other schedules begin again in each call"
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
            preprocessing = clone(steps)
            X_train = preprocessing.fit_transform(X_train, y_train)
            X_test = preprocessing.transform(X_test)
        models = _train_by_epoch(model, X_train, y_train, n_epochs)
        records += [
            {"split": split, "epoch": epoch, "score": float(scorer(m, X_test, y_test))}
            for epoch, m in enumerate(models)
        ]
    return pd.DataFrame.from_records(records)


def _train_by_epoch(model: Any, X: Array, y: Array, n_epochs: int) -> Iterator[Any]:
    """Yield a clone before training and after each epoch."""
    model = clone(model).set_params(max_iter=0, early_stopping=False, warm_start=False)
    if model.learning_rate == "linear":
        model.set_params(learning_rate="constant")
    if "trained_share" in model.get_params():
        model.set_params(trained_share=1.0)
    if model.solver == "lbfgs":
        # L-BFGS loses its estimate of the curvature between calls, so that each number
        # of epochs needs a fit of its own.
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
