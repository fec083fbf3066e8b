"""What one prediction is explained by: margins and contributions of exemplars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import is_classifier

from skmetricmlp._typing import Array
from skmetricmlp.plotting._drawing import PALETTE, abbreviated, is_narrow, panels
from skmetricmlp.plotting._estimators import (
    Parts,
    fitted_parts,
    is_position,
    require_exemplars,
    titles_of,
)

__all__ = ["MarginsDisplay", "one_prediction"]

Keywords = Mapping[str, Any] | None
COLUMNS = {"row", "predicted", "term", "rank", "exemplar", "excess", "contribution"}
# The terms of a prediction, from the top.
TERMS = ("exemplar", "other exemplars", "random units", "interaction", "bias")
REST = PALETTE[3]


class MarginsDisplay:
    """Margins of the nearest exemplars of one prediction, and all that adds up to it.

    On the left, how much nearer each exemplar is than the nearest of another class; of a
    regressor, which has no classes, how much farther it is than the nearest. On the
    right, how much it adds to what is predicted. Exemplars of the predicted class are
    blue, others are orange. What is left of the prediction has gray bars on the right:
    other exemplars than those shown, random units, the bias. It is recommended to use
    :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    explained : pandas.DataFrame
        Rows of one prediction, as ``explain`` returns them.

    Attributes
    ----------
    explained : pandas.DataFrame
        By rank, and then the other terms.
    labels : ndarray of shape (n_nearest,)
        Classes, or values, of the exemplars.
    distances : ndarray of shape (n_nearest,)
        The margins, or of a regressor the excesses.
    terms : list of str
        What the contributions are of: ``"exemplar"``, once for each, and other terms.
    contributions : ndarray of shape (n_terms,)
        They add up to the output that is explained.
    predicted : object
        What is predicted.
    is_classifier : bool
        Whether that is a class.
    axes_ : list of two matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : list of two matplotlib BarContainer

    Raises
    ------
    ValueError
        If it is no table of ``explain``, or one of several predictions.

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
    array([ 0.41, -0.41, -0.02])
    >>> plt.close(display.figure_)
    """

    axes_: list[Any]
    figure_: Any

    def __init__(self, explained: pd.DataFrame) -> None:
        self.explained = one_prediction(explained, None)
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
        """Draw what the prediction of one row is explained by.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            Fitted.
        x : {array-like, sparse matrix} of shape (n_features,) or (1, n_features)
            The row, as the first step takes it; also a Series or a DataFrame.
        n_nearest : int or None, default=5
            How many exemplars, if there are as many; None for all.
        output : int, default=0
            Of a regressor of several outputs, the one that is explained.
        ax : matplotlib Axes or sequence of two, default=None
            An axes in a grid of a figure is divided. By default a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : MarginsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of this package.
        ValueError
            If it has no exemplars, or x or another argument is not accepted.
        """
        parts = fitted_parts(estimator)
        require_exemplars(parts.model, cls.__name__)
        explained = _explain(parts, _one_row(x), n_nearest, output)
        return cls(explained).plot(ax=ax, **plot_kw)

    @classmethod
    def from_predictions(
        cls, explained: pd.DataFrame, *, row: Any = None, ax: Any = None, **plot_kw: Any
    ) -> Self:
        """Draw one prediction of a table that ``explain`` has returned.

        Parameters
        ----------
        explained : pandas.DataFrame
        row : object, default=None
            Which one, of its column ``row``. May be left out if there is only one.
        ax : matplotlib Axes or sequence of two, default=None
            An axes in a grid of a figure is divided. By default a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : MarginsDisplay

        Raises
        ------
        ValueError
            If it is no table of ``explain``, or has no such row.
        """
        return cls(one_prediction(explained, row)).plot(ax=ax, **plot_kw)

    def plot(self, ax: Any = None, *, bar_kw: Keywords = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two, default=None
            An axes in a grid of a figure is divided. By default a new figure.
        bar_kw : dict, default=None
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        self : MarginsDisplay
        """
        n = len(self.terms)
        size = 7.6, min(12.0, 1.5 + 0.36 * n)
        self.axes_ = panels(type(self).__name__, ax, 2, size)
        self.figure_ = self.axes_[0].figure
        colors = self._colors()
        self.bars_ = []
        values = np.nan_to_num(self.distances, posinf=np.nan), self.contributions
        for panel, widths in zip(self.axes_, values, strict=True):
            at, own = np.arange(len(widths)), colors[: len(widths)]
            keywords = {"color": own, "height": 0.7, **(bar_kw or {})}
            bars = panel.barh(at, widths, **keywords)
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
        self._write()
        return self

    def _colors(self) -> list[str]:
        """Color exemplars, by whether they are of the predicted class, and the rest."""
        of_class = [
            PALETTE[0 if not self.is_classifier or c == self.predicted else 1]
            for c in self.labels
        ]
        return of_class + [REST] * (len(self.terms) - len(of_class))

    def _write(self) -> None:
        size = "x-small" if is_narrow(self.axes_[0]) else "medium"
        names = titles_of(self.labels, self.is_classifier)
        numbers = self.explained["exemplar"].dropna()
        titles = [
            f"{abbreviated(name, 20)}  (exemplar {k})"
            for name, k in zip(names, numbers, strict=True)
        ]
        titles += self.terms[len(titles) :]
        self.axes_[0].set_yticks(np.arange(len(titles)), titles, fontsize=size)
        (predicted,) = titles_of([self.predicted], self.is_classifier)
        is_class = self.is_classifier
        left = "margin over other classes" if is_class else "distance beyond the nearest"
        right = abbreviated(predicted, 24) if is_class else f"the value {predicted}"
        self.axes_[0].set_xlabel(left, fontsize=size)
        total = f"{self.contributions.sum():.3g} in all"
        what = f"contribution to {right}" + (f": {total}" if is_class else "")
        self.axes_[1].set_xlabel(what, fontsize=size)
        self.axes_[0].set_ylabel("nearest first", fontsize=size)


def one_prediction(explained: pd.DataFrame, row: Any) -> pd.DataFrame:
    """Take the rows of one prediction: exemplars by rank, and then the other terms.

    Parameters
    ----------
    explained : pandas.DataFrame
        As ``explain`` returns it.
    row : object or None
        Which one, of the column ``row``; None if there is only one.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ValueError
        If columns are missing, or the row is not there or has to be named.
    """
    if missing := sorted(COLUMNS - set(getattr(explained, "columns", ()))):
        msg = f"explained must be a table of explain, which has the columns {missing}"
        raise ValueError(msg)
    known = explained["row"].unique().tolist()
    if row is None and len(known) == 1:
        row = known[0]
    if row not in known:
        more = " and so on" if len(known) > 12 else ""
        msg = f"row must be one of {known[:12]}{more}, got {row!r}"
        raise ValueError(msg)
    own: pd.DataFrame = explained[explained["row"] == row]
    order = own["term"].map(TERMS.index)
    return own.iloc[np.lexsort((own["rank"].fillna(0), order))]


def _explain(parts: Parts, x: Array, n_nearest: int | None, output: int) -> pd.DataFrame:
    few = is_position(n_nearest, np.inf) and n_nearest > parts.model.n_exemplars_
    keywords: dict[str, Any] = {"n_nearest": None if few else n_nearest}
    if not is_classifier(parts.model):
        keywords["output"] = output
    explained: pd.DataFrame = parts.model.explain(parts.transform(x), **keywords)
    return explained


def _one_row(x: Any) -> Array:
    """Make a table of one row of it."""
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
