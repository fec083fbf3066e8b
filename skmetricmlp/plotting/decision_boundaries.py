"""What is predicted over two features, before training and after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.base import is_classifier as predicts_classes
from sklearn.utils import gen_batches, get_tags

from skmetricmlp._typing import Array, Floats
from skmetricmlp.plotting._drawing import (
    PALETTE,
    abbreviated,
    add_legend,
    class_style,
    color_bar,
    is_narrow,
    panels,
)
from skmetricmlp.plotting._estimators import (
    Parts,
    check_count,
    column_values,
    exemplar_values,
    fitted_parts,
    is_position,
    titles_of,
)

__all__ = [
    "Boundaries",
    "DecisionBoundariesDisplay",
    "decision_boundaries",
    "exemplars_of_user",
    "feature_grid",
    "grid_rows",
    "has_domain",
    "predict_in_batches",
    "start_of",
]

Keywords = Mapping[str, Any] | None

BATCH_ROWS = 2000
MARGIN = 0.05


class DecisionBoundariesDisplay:
    """What is predicted over two features, before training and after it.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    xx0, xx1 : arrays of shape (grid_resolution, grid_resolution)
        The two features, as :func:`numpy.meshgrid` gives them.
    before, after : arrays of shape (grid_resolution, grid_resolution)
        What is predicted there: classes or values.
    exemplars : array of shape (n_exemplars, 2), default=None
        Their two features.
    labels : array of shape (n_exemplars,), default=None
        Their classes or values.
    feature_names : pair of str, default=("x0", "x1")
    is_classifier : bool, default=True
        Whether classes are predicted.

    Attributes
    ----------
    xx0, xx1, before, after, exemplars, labels, feature_names, is_classifier
        As given.
    axes_ : list of two matplotlib Axes
        Before and after.
    figure_ : matplotlib Figure
    surfaces_ : list of matplotlib artists
        The regions, or contours of values.
    points_ : list of matplotlib artists
        The exemplars.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.plotting import DecisionBoundariesDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = MetricInitMLPClassifier(n_exemplars=6, random_state=0, max_iter=0)
    >>> display = DecisionBoundariesDisplay.from_estimator(
    ...     clf.fit(X, y), X, y, features=("petal length (cm)", "petal width (cm)")
    ... )
    >>> display.after.shape
    (100, 100)
    >>> plt.close(display.figure_)
    """

    axes_: list[Any]
    figure_: Any

    def __init__(
        self,
        xx0: Floats,
        xx1: Floats,
        before: Array,
        after: Array,
        *,
        exemplars: Floats | None = None,
        labels: Array | None = None,
        feature_names: Sequence[str] = ("x0", "x1"),
        is_classifier: bool = True,
    ) -> None:
        self.xx0, self.xx1 = xx0, xx1
        self.before, self.after = before, after
        self.exemplars = exemplars
        self.labels = labels
        self.feature_names = feature_names
        self.is_classifier = is_classifier

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        features: tuple[int | str, int | str] = (0, 1),
        grid_resolution: int = 100,
        output: int = 0,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw what a fitted estimator predicts, and what it predicted before training.

        The start is calculated again, by a clone with ``max_iter=0`` that is fitted on
        ``X`` and ``y``; if that has other exemplars, for want of a seed or because other
        rows are given, from the exemplars of the estimator. Spare units and baselines
        without a seed are drawn anew. The estimator stays as it is, and steps before it
        are not fitted again.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            Fitted.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training rows, as the first step takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their classes or values. Required.
        features : pair of int or str, default=(0, 1)
            Positions or names of two columns of X, of numbers. All others stay at their
            median, or if they are no numbers at what is most frequent.
        grid_resolution : int, default=100
            Points along each feature, over its range in X and 5 % more on either side;
            no more if the estimator takes values of a domain only.
        output : int, default=0
            Of a regressor of several outputs, the one that is drawn.
        ax : matplotlib Axes or sequence of two, default=None
            An axes in a grid of a figure is divided. By default a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : DecisionBoundariesDisplay
            Exemplars are None where there are none, or if a step before the estimator
            has no inverse.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of this package.
        ValueError
            If y is missing, or another argument is not accepted.
        """
        computed = decision_boundaries(
            estimator,
            X,
            y,
            features=features,
            grid_resolution=grid_resolution,
            output=output,
        )
        return cls(**computed._asdict()).plot(ax=ax, **plot_kw)

    def plot(
        self, ax: Any = None, *, surface_kw: Keywords = None, point_kw: Keywords = None
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two, default=None
            An axes in a grid of a figure is divided. By default a new figure.
        surface_kw, point_kw : dict, default=None
            Passed on to matplotlib's ``pcolormesh`` of the regions, or ``contourf`` of
            values, and ``scatter`` of the exemplars.

        Returns
        -------
        self : DecisionBoundariesDisplay
        """
        self.axes_ = panels(type(self).__name__, ax, 2, (8.6, 3.9))
        self.figure_ = self.axes_[0].figure
        self.surfaces_: list[Any] = []
        self.points_: list[Any] = []
        draw = self._plot_regions if self.is_classifier else self._plot_values
        draw(dict(surface_kw or {}), dict(point_kw or {}))
        size = "x-small" if is_narrow(self.axes_[0]) else "medium"
        for panel, when in zip(self.axes_, ("before", "after"), strict=True):
            panel.set_title(f"{when} training", fontsize=size)
            panel.set_xlabel(abbreviated(self.feature_names[0], 40), fontsize=size)
            panel.set_xlim(self.xx0.min(), self.xx0.max())
            panel.set_ylim(self.xx1.min(), self.xx1.max())
        self.axes_[0].set_ylabel(abbreviated(self.feature_names[1], 40), fontsize=size)
        self.axes_[1].set_yticklabels([])
        return self

    def _plot_regions(self, surface_kw: dict[str, Any], point_kw: dict[str, Any]) -> None:
        from matplotlib.colors import ListedColormap  # noqa: PLC0415
        from matplotlib.lines import Line2D  # noqa: PLC0415

        seen = [self.before.ravel(), self.after.ravel()]
        labels = np.asarray([] if self.labels is None else self.labels)
        classes = np.unique(np.concatenate([*seen, labels] if len(labels) else seen))
        n = len(classes)
        colors = ListedColormap([PALETTE[k % len(PALETTE)] for k in range(n)])
        surface = {
            "cmap": colors,
            "vmin": -0.5,
            "vmax": n - 0.5,
            "alpha": 0.45,
            "linewidth": 0,
            "rasterized": True,
        }
        for panel, regions in zip(self.axes_, (self.before, self.after), strict=True):
            codes = np.searchsorted(classes, regions)
            mesh = panel.pcolormesh(self.xx0, self.xx1, codes, **(surface | surface_kw))
            self.surfaces_.append(mesh)
            for k in np.unique(codes)[1:]:
                edge = panel.get_facecolor()
                inside = (codes == k).astype(float)
                panel.contour(
                    self.xx0, self.xx1, inside, [0.5], colors=[edge], linewidths=1.2
                )
            for k, label in enumerate(classes):
                if self.exemplars is not None and (labels == label).any():
                    self._scatter(panel, labels == label, _marker(k) | point_kw)
        handles = [
            Line2D([], [], linestyle="", **_marker(k, size="markersize"))
            for k in range(n)
        ]
        add_legend(self.axes_[1], handles, titles_of(classes, are_classes=True), "class")

    def _plot_values(self, surface_kw: dict[str, Any], point_kw: dict[str, Any]) -> None:
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

        values = [self.before.ravel(), self.after.ravel()]
        low, high = np.min(values), np.max(values)
        high = high if high > low else low + 1.0
        levels = MaxNLocator(12).tick_values(low, high)
        for panel, surface in zip(self.axes_, (self.before, self.after), strict=True):
            keywords = {"levels": levels, "cmap": "viridis", **surface_kw}
            contours = panel.contourf(self.xx0, self.xx1, surface, **keywords)
            self.surfaces_.append(contours)
            if self.exemplars is not None:
                style = {"c": self.labels, "cmap": "viridis", "norm": contours.norm}
                everyone = np.ones(len(self.exemplars), dtype=bool)
                self._scatter(panel, everyone, style | {"s": 28} | point_kw)
        color_bar(self.surfaces_[1], self.axes_[1], "predicted value")

    def _scatter(self, panel: Any, rows: Array, keywords: dict[str, Any]) -> None:
        import matplotlib as mpl  # noqa: PLC0415

        assert self.exemplars is not None  # noqa: S101 - what its callers ask first
        edge = {"edgecolors": mpl.rcParams["text.color"], "linewidths": 0.9, "zorder": 3}
        points = self.exemplars[rows]
        drawn = panel.scatter(points[:, 0], points[:, 1], **(edge | keywords))
        self.points_.append(drawn)


def _marker(k: int, size: str = "s") -> dict[str, Any]:
    style = class_style(k)
    return {
        "color": style["color"],
        "marker": style["marker"],
        size: 30 if size == "s" else 6,
    }


class Boundaries(NamedTuple):
    """What a :class:`DecisionBoundariesDisplay` is made of, by the same names."""

    xx0: Floats
    xx1: Floats
    before: Array
    after: Array
    exemplars: Floats | None
    labels: Array | None
    feature_names: tuple[str, str]
    is_classifier: bool


def decision_boundaries(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    features: tuple[int | str, int | str] = (0, 1),
    grid_resolution: int = 100,
    output: int = 0,
) -> Boundaries:
    """Predict over two features, before training and after it.

    Parameters
    ----------
    estimator, X, y, features, grid_resolution, output : various
        As in :meth:`DecisionBoundariesDisplay.from_estimator`.

    Returns
    -------
    Boundaries

    Raises
    ------
    NotFittedError, TypeError, ValueError
        As :meth:`DecisionBoundariesDisplay.from_estimator` does.
    """
    parts = fitted_parts(estimator)
    if y is None:
        msg = "y must be given, as the start is calculated from X and y, got None"
        raise ValueError(msg)
    check_count("grid_resolution", grid_resolution, 2)
    X = X if isinstance(X, pd.DataFrame) or sp.issparse(X) else np.asarray(X)
    names = _column_names(X, estimator)
    columns = _two_columns(features, names)
    margin = 0.0 if has_domain(parts.model) else MARGIN
    xx0, xx1 = feature_grid(X, columns, grid_resolution, margin)
    rows = grid_rows(X, columns, xx0, xx1)
    start = Parts(parts.steps, start_of(parts.model, parts.transform(X), y))
    before, after = (
        column_values(predict_in_batches(p, rows), output).reshape(xx0.shape)
        for p in (start, parts)
    )
    points, labels = exemplars_of_user(parts), None
    if points is not None:
        points, labels = points[:, columns], exemplar_values(parts.model, output)
    return Boundaries(
        xx0,
        xx1,
        before,
        after,
        points,
        labels,
        feature_names=(names[columns[0]], names[columns[1]]),
        is_classifier=predicts_classes(parts.model),
    )


def start_of(model: Any, X: Array, y: Array) -> Any:
    """Fit a clone that is not trained.

    Parameters
    ----------
    model : estimator of this package
        Fitted; stays as it is.
    X, y : array-like
        Rows as it reads them.

    Returns
    -------
    estimator
        With the exemplars of the model, if that has any.
    """
    start = clone(model).set_params(max_iter=0).fit(X, y)
    if not hasattr(model, "exemplars_"):
        return start
    points = model.exemplars_
    if np.array_equal(start.exemplars_, points):
        return start
    values = model.exemplar_labels_ if predicts_classes(model) else model.exemplar_values_
    return start.set_params(exemplars=(points, values)).fit(X, y)


def feature_grid(
    X: Array, columns: Sequence[int], grid_resolution: int, margin: float = MARGIN
) -> tuple[Floats, Floats]:
    """Return the grid over the ranges of two columns, and a share of them on either side.

    Returns
    -------
    xx0, xx1 : arrays of shape (grid_resolution, grid_resolution)
    """
    axes = []
    for k in columns:
        values = _numbers(X, k)
        low, high = np.nanmin(values), np.nanmax(values)
        more = margin * (high - low)
        axes.append(np.linspace(low - more, high + more, grid_resolution))
    xx0, xx1 = np.meshgrid(*axes)
    return xx0, xx1


def has_domain(model: Any) -> bool:
    """Say whether an estimator refuses values of some kind, so that none is made up."""
    is_limited: bool = get_tags(model).input_tags.positive_only
    return is_limited


def grid_rows(X: Array, columns: Sequence[int], xx0: Floats, xx1: Floats) -> Array:
    """Return a row for each point of a grid, with the other columns at their median.

    Parameters
    ----------
    X : array, SciPy sparse or DataFrame of shape (n_samples, n_features)
    columns : pair of int
    xx0, xx1 : arrays of shape (r, r)

    Returns
    -------
    array or DataFrame of shape (r * r, n_features)
        A DataFrame if X is one. What is no number is at its most frequent value.
    """
    own = dict(zip(columns, (xx0.ravel(), xx1.ravel()), strict=True))
    if isinstance(X, pd.DataFrame):
        return pd.concat(
            [
                pd.Series(own[k]) if k in own else _typical_column(X.iloc[:, k], xx0.size)
                for k in range(X.shape[1])
            ],
            axis=1,
            keys=X.columns,
        )
    dense = X.toarray() if sp.issparse(X) else X
    rows = np.tile(np.nanmedian(dense.astype(float), axis=0), (xx0.size, 1))
    for k, values in own.items():
        rows[:, k] = values
    return rows.astype(dense.dtype) if dense.dtype.kind == "f" else rows


def _typical_column(column: Any, n: int) -> Any:
    if pd.api.types.is_numeric_dtype(column) and column.dtype != bool:
        return pd.Series(np.full(n, column.median()))
    return pd.Series([column.mode().iloc[0]] * n, dtype=column.dtype)


def predict_in_batches(parts: Parts, rows: Array) -> Array:
    """Predict of many rows, a few of them at a time."""
    batches = gen_batches(rows.shape[0], BATCH_ROWS)
    return np.concatenate([np.asarray(parts.predict(rows[b])) for b in batches])


def exemplars_of_user(parts: Parts) -> Floats | None:
    """Return the exemplars (N, d) as rows of the user, if the steps can be undone."""
    if not hasattr(parts.model, "exemplars_"):
        return None
    points = parts.model.exemplars_
    if parts.steps is None:
        return np.asarray(points)
    if not hasattr(parts.steps, "inverse_transform"):
        return None
    points = parts.steps.inverse_transform(points)
    return points.toarray() if sp.issparse(points) else np.asarray(points)


def _column_names(X: Array, estimator: Any) -> list[str]:
    if isinstance(X, pd.DataFrame):
        return list(map(str, X.columns))
    known = getattr(estimator, "feature_names_in_", None)
    return [f"x{k}" for k in range(X.shape[1])] if known is None else list(known)


def _two_columns(features: Any, names: Sequence[str]) -> list[int]:
    """Positions of two features that are given by name or by position."""
    accepted = (
        f"two different columns of X, by position from 0 to {len(names) - 1} or by name, "
        f"of {_listed(names)}"
    )
    msg = f"features must be {accepted}, got {features!r}"
    if isinstance(features, str) or not isinstance(features, Sequence):
        raise ValueError(msg)  # noqa: TRY004 - of two columns, however they are given
    columns = [names.index(f) if f in names else f for f in features]
    known = all(is_position(column, len(names)) for column in columns)
    if not known or len(columns) != 2 or columns[0] == columns[1]:
        raise ValueError(msg)
    return columns


def _listed(names: Sequence[str], most: int = 12) -> str:
    return str(list(names[:most])) + (" and so on" if len(names) > most else "")


def _numbers(X: Array, k: int) -> Floats:
    """Column k of X, as numbers."""
    if isinstance(X, pd.DataFrame):
        column = X.iloc[:, k]
        if not pd.api.types.is_numeric_dtype(column):
            msg = f"features must be columns of numbers, got {str(X.columns[k])!r}"
            raise ValueError(msg)
        return column.to_numpy(dtype=float)
    column = X[:, [k]]
    return np.asarray(column.toarray() if sp.issparse(X) else column, dtype=float)[:, 0]
