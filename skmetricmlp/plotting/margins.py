"""Display that explains one prediction: margins and contributions of exemplars."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import is_classifier

from skmetricmlp._typing import Array
from skmetricmlp.plotting._base import BaseDisplay
from skmetricmlp.plotting._drawing import PALETTE, Keywords, abbreviate, is_narrow
from skmetricmlp.plotting._estimators import EstimatorParts, format_labels, is_index

__all__ = ["MarginsDisplay", "select_prediction"]

COLUMNS = {"row", "predicted", "term", "rank", "exemplar", "excess", "contribution"}
# The terms of a prediction, in the order of drawing.
TERMS = ("exemplar", "other exemplars", "interaction", "bias")
OTHER_TERMS_COLOR = PALETTE[3]


class MarginsDisplay(BaseDisplay):
    """Margins of the nearest exemplars of one prediction, and their contributions.

    The left axes shows the margin of each exemplar: how much nearer it is than the
    nearest exemplar of another class. For a regressor it shows the excess: how much
    farther the exemplar is than the nearest. The right axes shows the contributions to
    the output that is explained. Exemplars of the predicted class are blue, and others
    are orange. Gray bars are the other terms of the output: exemplars that are not shown,
    and the bias. Use :meth:`from_estimator` or :meth:`from_predictions` to
    create the display.

    Parameters
    ----------
    explained : pandas.DataFrame
        Rows of one prediction in a table that ``explain`` returned.

    Attributes
    ----------
    explained : pandas.DataFrame
        The rows sorted by rank; the other terms come last.
    labels : ndarray of shape (n_nearest,)
        Classes, or values, of the exemplars.
    distances : ndarray of shape (n_nearest,)
        Margins, or excesses for a regressor.
    terms : list of str
        The term of each contribution: ``"exemplar"`` for each exemplar, and other terms.
    contributions : ndarray of shape (n_terms,)
        Their sum is the output that is explained.
    predicted : object
        The predicted class or value.
    is_classifier : bool
        Whether the prediction is a class.
    axes_ : list of two matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : list of two matplotlib BarContainer

    Raises
    ------
    ValueError
        If the table is not from ``explain``, or has several predictions.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.plotting import MarginsDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MetricInitMLPClassifier(exemplars=(X[::25], y[::25]), max_iter=0).fit(X, y)
    >>> display = MarginsDisplay.from_estimator(clf, X[-1], n_nearest=3)
    >>> display.distances.round(2)
    array([ 0.67, -0.67, -0.49])
    >>> plt.close(display.figure_)
    """

    axes_: list[Any]

    _needs_exemplars = True

    def __init__(self, explained: pd.DataFrame) -> None:
        self.explained = select_prediction(explained, None)
        self.is_classifier = "label" in self.explained
        names = ("label", "margin") if self.is_classifier else ("value", "excess")
        near = self.explained[self.explained["term"] == TERMS[0]]
        self.labels = near[names[0]].to_numpy()
        self.distances = near[names[1]].to_numpy()
        self.terms = self.explained["term"].tolist()
        self.contributions = self.explained["contribution"].to_numpy()
        self.predicted = self.explained["predicted"].iloc[0]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        x: ArrayLike,
        *,
        n_nearest: int | None = 5,
        output: int = 0,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Explain and draw the prediction for one row.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            A fitted estimator.
        x : {array-like, sparse matrix} of shape (n_features,) or (1, n_features)
            The row, as input of the first step. A Series or DataFrame is accepted too.
        n_nearest : int or None, default=5
            Largest number of exemplars, or None for all.
        output : int, default=0
            Index of the output that is explained, for a regressor with several.
        ax : matplotlib Axes or sequence of two Axes, default=None
            Axes to draw on. A single one must be part of a grid, and is divided. By
            default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : MarginsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not from this package.
        ValueError
            If the estimator has no exemplars, or another argument is invalid.
        """
        parts = cls._check_estimator(estimator)
        explained = _explain(parts, _one_row(x), n_nearest, output)
        return cls(explained).plot(ax=ax, **plot_kw)

    @classmethod
    def from_predictions(
        cls, explained: pd.DataFrame, *, row: Any = None, ax: Any = None, **plot_kw: Any
    ) -> Self:
        """Draw one prediction of a table that ``explain`` returned.

        Parameters
        ----------
        explained : pandas.DataFrame
        row : object, default=None
            The value of the column ``row``. It is required if there are several.
        ax : matplotlib Axes or sequence of two Axes, default=None
            Axes to draw on. A single one must be part of a grid, and is divided. By
            default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : MarginsDisplay

        Raises
        ------
        ValueError
            If the table is not from ``explain``, or has no such row.
        """
        return cls(select_prediction(explained, row)).plot(ax=ax, **plot_kw)

    def plot(self, ax: Any = None, *, bar_kw: Keywords = None) -> Self:
        """Draw the margins and contributions.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two Axes, default=None
            Axes to draw on. A single one must be part of a grid, and is divided. By
            default a new figure is made.
        bar_kw : dict, default=None
            Keywords for matplotlib's ``barh``.

        Returns
        -------
        self : MarginsDisplay
        """
        n = len(self.terms)
        size = 7.6, min(12.0, 1.5 + 0.36 * n)
        self.axes_ = self._make_axes(ax, 2, size)
        colors = self._colors()
        self.bars_ = []
        distances = np.nan_to_num(self.distances, posinf=np.nan)
        for panel, widths in zip(
            self.axes_, (distances, self.contributions), strict=True
        ):
            n_bars = len(widths)
            keywords = {"color": colors[:n_bars], "height": 0.7, **(bar_kw or {})}
            bars = panel.barh(np.arange(n_bars), widths, **keywords)
            if not is_narrow(panel):
                numbers = ["" if np.isnan(w) else f"{w:.3g}" for w in widths]
                panel.bar_label(bars, numbers, padding=3, fontsize="small")
            panel.axvline(0, color=panel.spines["left"].get_edgecolor(), linewidth=0.8)
            panel.margins(x=0.25)
            panel.spines[["top", "right", "left"]].set_visible(False)
            panel.tick_params(axis="y", length=0)
            panel.set_ylim(n - 0.4, -0.6)
            panel.set_yticks(np.arange(n), [""] * n)
            self.bars_.append(bars)
        self._label_axes()
        return self

    def _colors(self) -> list[str]:
        """Return the color of each term."""
        of_exemplars = [
            PALETTE[0 if not self.is_classifier or label == self.predicted else 1]
            for label in self.labels
        ]
        n_others = len(self.terms) - len(of_exemplars)
        return of_exemplars + [OTHER_TERMS_COLOR] * n_others

    def _label_axes(self) -> None:
        size = "x-small" if is_narrow(self.axes_[0]) else "medium"
        names = format_labels(self.labels, self.is_classifier)
        numbers = self.explained["exemplar"].dropna()
        titles = [
            f"{abbreviate(name, 20)}  (exemplar {k})"
            for name, k in zip(names, numbers, strict=True)
        ]
        titles += self.terms[len(titles) :]
        self.axes_[0].set_yticks(np.arange(len(titles)), titles, fontsize=size)
        (predicted,) = format_labels([self.predicted], self.is_classifier)
        if self.is_classifier:
            left = "margin over other classes"
            total = self.contributions.sum()
            right = f"contribution to {abbreviate(predicted, 24)}: {total:.3g} in all"
        else:
            left = "distance beyond the nearest"
            right = f"contribution to the value {predicted}"
        self.axes_[0].set_xlabel(left, fontsize=size)
        self.axes_[1].set_xlabel(right, fontsize=size)
        self.axes_[0].set_ylabel("nearest first", fontsize=size)


def select_prediction(explained: pd.DataFrame, row: Any) -> pd.DataFrame:
    """Select the terms of one prediction, and sort them by rank.

    Parameters
    ----------
    explained : pandas.DataFrame
        A table that ``explain`` returned.
    row : object or None
        The value of the column ``row``. None is accepted if there is only one.

    Returns
    -------
    pandas.DataFrame
        The exemplars by rank, and then the other terms.

    Raises
    ------
    ValueError
        If columns are missing, there is no such row, or there are several rows and
        ``row`` is None.
    """
    if missing := sorted(COLUMNS - set(getattr(explained, "columns", ()))):
        msg = f"explained must be a table from explain, which has the columns {missing}"
        raise ValueError(msg)
    rows = explained["row"].unique().tolist()
    if row is None and len(rows) == 1:
        row = rows[0]
    if row not in rows:
        more = " and so on" if len(rows) > 12 else ""
        msg = f"row must be one of {rows[:12]}{more}, got {row!r}"
        raise ValueError(msg)
    selected: pd.DataFrame = explained[explained["row"] == row]
    order = selected["term"].map(TERMS.index)
    return selected.iloc[np.lexsort((selected["rank"].fillna(0), order))]


def _explain(
    parts: EstimatorParts, x: Array, n_nearest: int | None, output: int
) -> pd.DataFrame:
    if is_index(n_nearest, np.inf) and n_nearest > parts.model.n_exemplars_:
        n_nearest = None
    keywords: dict[str, Any] = {"n_nearest": n_nearest}
    if not is_classifier(parts.model):
        keywords["output"] = output
    explained: pd.DataFrame = parts.model.explain(parts.transform(x), **keywords)
    return explained


def _one_row(x: Any) -> Array:
    """Return x as a table of one row."""
    if isinstance(x, pd.Series):
        x = x.to_frame().T.infer_objects()
    if not (isinstance(x, pd.DataFrame) or sp.issparse(x)):
        x = np.asarray(x)
        x = x[None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[0] != 1:
        msg = (
            f"x must be one row, of shape (n_features,) or (1, n_features), got {x.shape}"
        )
        raise ValueError(msg)
    return x
