"""Display of predictions over two features, before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.base import is_classifier as predicts_classes
from sklearn.utils import gen_batches, get_tags

from skmetricmlp._typing import Array, Floats
from skmetricmlp.plotting._base import BaseDisplay
from skmetricmlp.plotting._drawing import (
    PALETTE,
    Keywords,
    abbreviate,
    add_color_bar,
    add_legend,
    class_style,
    is_narrow,
)
from skmetricmlp.plotting._estimators import (
    EstimatorParts,
    check_count,
    format_labels,
    get_exemplar_targets,
    is_index,
    select_output,
    split_fitted_estimator,
)

__all__ = [
    "Boundaries",
    "DecisionBoundariesDisplay",
    "decision_boundaries",
    "feature_grid",
    "fit_untrained",
    "get_exemplars_in_user_units",
    "grid_rows",
    "has_limited_domain",
    "predict_in_batches",
]

BATCH_ROWS = 2000
MARGIN = 0.05


class DecisionBoundariesDisplay(BaseDisplay):
    """Predictions over two features, before and after training.

    Use :meth:`from_estimator` to create the display.

    Parameters
    ----------
    xx0, xx1 : arrays of shape (grid_resolution, grid_resolution)
        The two features, as returned by :func:`numpy.meshgrid`.
    before, after : arrays of shape (grid_resolution, grid_resolution)
        Predicted classes or values at the points of the grid.
    exemplars : array of shape (n_exemplars, 2), default=None
        The two features of the exemplars.
    labels : array of shape (n_exemplars,), default=None
        Classes or values of the exemplars.
    feature_names : pair of str, default=("x0", "x1")
    is_classifier : bool, default=True
        Whether the predictions are classes.

    Attributes
    ----------
    xx0, xx1, before, after, exemplars, labels, feature_names, is_classifier
        The parameters.
    axes_ : list of two matplotlib Axes
        The axes before and after training.
    figure_ : matplotlib Figure
    surfaces_ : list of matplotlib artists
        Regions of classes, or contours of values.
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
        """Draw the predictions of an estimator, and those of its untrained network.

        The untrained network is calculated again: a clone with ``max_iter=0`` is fitted
        to ``X`` and ``y``. If its exemplars differ, because there is no seed or the data
        are not the training data, the clone is fitted with the exemplars of the
        estimator. Without a seed, comparisons and baselines are drawn again. The
        estimator does not change, and the steps before it are not refitted.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            A fitted estimator.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training data, as input of the first step.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes or values of the training data. Required.
        features : pair of int or str, default=(0, 1)
            Indices or names of two numeric columns of X. The other columns are fixed at
            their median, or at their most frequent value if they are not numeric.
        grid_resolution : int, default=100
            Number of grid points along each feature. The grid covers the range of the
            feature in X and 5 % more on either side, or only the range if the estimator
            accepts a limited domain of values.
        output : int, default=0
            Index of the output that is drawn, for a regressor with several.
        ax : matplotlib Axes or sequence of two Axes, default=None
            Axes to draw on. A single one must be part of a grid, and is divided. By
            default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : DecisionBoundariesDisplay
            Its ``exemplars`` are None if the estimator has none, or if a step before it
            has no inverse.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not from this package.
        ValueError
            If y is missing, or another argument is invalid.
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
        """Draw the predictions and the exemplars.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two Axes, default=None
            Axes to draw on. A single one must be part of a grid, and is divided. By
            default a new figure is made.
        surface_kw, point_kw : dict, default=None
            Keywords for matplotlib's ``pcolormesh`` of the regions, or ``contourf`` of
            values, and for ``scatter`` of the exemplars.

        Returns
        -------
        self : DecisionBoundariesDisplay
        """
        self.axes_ = self._make_axes(ax, 2, (8.6, 3.9))
        self.surfaces_: list[Any] = []
        self.points_: list[Any] = []
        draw = self._plot_regions if self.is_classifier else self._plot_values
        draw(dict(surface_kw or {}), dict(point_kw or {}))
        size = "x-small" if is_narrow(self.axes_[0]) else "medium"
        for panel, when in zip(self.axes_, ("before", "after"), strict=True):
            panel.set_title(f"{when} training", fontsize=size)
            panel.set_xlabel(abbreviate(self.feature_names[0], 40), fontsize=size)
            panel.set_xlim(self.xx0.min(), self.xx0.max())
            panel.set_ylim(self.xx1.min(), self.xx1.max())
        self.axes_[0].set_ylabel(abbreviate(self.feature_names[1], 40), fontsize=size)
        self.axes_[1].set_yticklabels([])
        return self

    def _plot_regions(self, surface_kw: dict[str, Any], point_kw: dict[str, Any]) -> None:
        from matplotlib.colors import ListedColormap  # noqa: PLC0415
        from matplotlib.lines import Line2D  # noqa: PLC0415

        labels = np.asarray([] if self.labels is None else self.labels)
        predicted = [self.before.ravel(), self.after.ravel()]
        drawn = [*predicted, labels] if len(labels) else predicted
        classes = np.unique(np.concatenate(drawn))
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
        add_legend(
            self.axes_[1], handles, format_labels(classes, is_classifier=True), "class"
        )

    def _plot_values(self, surface_kw: dict[str, Any], point_kw: dict[str, Any]) -> None:
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

        predicted = [self.before.ravel(), self.after.ravel()]
        low, high = np.min(predicted), np.max(predicted)
        high = high if high > low else low + 1.0
        levels = MaxNLocator(12).tick_values(low, high)
        for panel, surface in zip(self.axes_, (self.before, self.after), strict=True):
            keywords = {"levels": levels, "cmap": "viridis", **surface_kw}
            contours = panel.contourf(self.xx0, self.xx1, surface, **keywords)
            self.surfaces_.append(contours)
            if self.exemplars is not None:
                style = {"c": self.labels, "cmap": "viridis", "norm": contours.norm}
                self._scatter(panel, slice(None), style | {"s": 28} | point_kw)
        add_color_bar(self.surfaces_[1], self.axes_[1], "predicted value")

    def _scatter(self, panel: Any, chosen: Any, keywords: dict[str, Any]) -> None:
        import matplotlib as mpl  # noqa: PLC0415

        assert self.exemplars is not None  # noqa: S101 - checked by the callers
        edge = {"edgecolors": mpl.rcParams["text.color"], "linewidths": 0.9, "zorder": 3}
        x, y = self.exemplars[chosen].T
        self.points_.append(panel.scatter(x, y, **(edge | keywords)))


def _marker(k: int, size: str = "s") -> dict[str, Any]:
    style = class_style(k)
    return {
        "color": style["color"],
        "marker": style["marker"],
        size: 30 if size == "s" else 6,
    }


class Boundaries(NamedTuple):
    """The parameters of :class:`DecisionBoundariesDisplay`, by the same names."""

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
    """Predict over two features, before and after training.

    Parameters
    ----------
    estimator, X, y, features, grid_resolution, output : various
        Parameters of :meth:`DecisionBoundariesDisplay.from_estimator`.

    Returns
    -------
    Boundaries

    Raises
    ------
    NotFittedError, TypeError, ValueError
        As in :meth:`DecisionBoundariesDisplay.from_estimator`.
    """
    parts = split_fitted_estimator(estimator)
    if y is None:
        msg = "y must be given: the untrained network is calculated from X and y"
        raise ValueError(msg)
    check_count("grid_resolution", grid_resolution, 2)
    X = X if isinstance(X, pd.DataFrame) or sp.issparse(X) else np.asarray(X)
    names = _column_names(X, estimator)
    columns = _two_columns(features, names)
    margin = 0.0 if has_limited_domain(parts.model) else MARGIN
    xx0, xx1 = feature_grid(X, columns, grid_resolution, margin)
    rows = grid_rows(X, columns, xx0, xx1)
    untrained = parts._replace(model=fit_untrained(parts.model, parts.transform(X), y))
    before, after = (
        select_output(predict_in_batches(p, rows), output).reshape(xx0.shape)
        for p in (untrained, parts)
    )
    exemplars, labels = get_exemplars_in_user_units(parts), None
    if exemplars is not None:
        exemplars = exemplars[:, columns]
        labels = get_exemplar_targets(parts.model, output)
    return Boundaries(
        xx0,
        xx1,
        before,
        after,
        exemplars,
        labels,
        feature_names=(names[columns[0]], names[columns[1]]),
        is_classifier=predicts_classes(parts.model),
    )


def fit_untrained(model: Any, X: Array, y: Array) -> Any:
    """Fit a clone of an estimator without training it.

    Parameters
    ----------
    model : estimator of this package
        A fitted estimator, which does not change.
    X, y : array-like
        Data for its ``fit``.

    Returns
    -------
    estimator
        A clone that has the exemplars of the model, if the model has any.
    """
    untrained = clone(model).set_params(max_iter=0).fit(X, y)
    if not hasattr(model, "exemplars_"):
        return untrained
    points = model.exemplars_
    if np.array_equal(untrained.exemplars_, points):
        return untrained
    y_points = (
        model.exemplar_labels_ if predicts_classes(model) else model.exemplar_values_
    )
    untrained.set_params(exemplars=(points, y_points), n_exemplars=len(points))
    return untrained.fit(X, y)


def feature_grid(
    X: Array, columns: Sequence[int], grid_resolution: int, margin: float = MARGIN
) -> tuple[Floats, Floats]:
    """Return a grid over the ranges of two columns.

    Parameters
    ----------
    X : array, SciPy sparse or DataFrame of shape (n_samples, n_features)
    columns : pair of int
    grid_resolution : int
    margin : float
        Share of each range that is added on either side.

    Returns
    -------
    xx0, xx1 : arrays of shape (grid_resolution, grid_resolution)
    """
    axes = []
    for k in columns:
        column = _numeric_column(X, k)
        low, high = np.nanmin(column), np.nanmax(column)
        width = margin * (high - low)
        axes.append(np.linspace(low - width, high + width, grid_resolution))
    xx0, xx1 = np.meshgrid(*axes)
    return xx0, xx1


def has_limited_domain(model: Any) -> bool:
    """Whether an estimator accepts non-negative or positive values only."""
    is_limited: bool = get_tags(model).input_tags.positive_only
    return is_limited


def grid_rows(X: Array, columns: Sequence[int], xx0: Floats, xx1: Floats) -> Array:
    """Return one row for each point of a grid, with the other columns fixed.

    Parameters
    ----------
    X : array, SciPy sparse or DataFrame of shape (n_samples, n_features)
    columns : pair of int
    xx0, xx1 : arrays of shape (r, r)

    Returns
    -------
    array or DataFrame of shape (r * r, n_features)
        A DataFrame if X is one. The other columns are at their median, or at their most
        frequent value if they are not numeric.
    """
    varied = dict(zip(columns, (xx0.ravel(), xx1.ravel()), strict=True))
    if isinstance(X, pd.DataFrame):
        return pd.concat(
            [
                pd.Series(varied[k])
                if k in varied
                else _typical_column(X.iloc[:, k], xx0.size)
                for k in range(X.shape[1])
            ],
            axis=1,
            keys=X.columns,
        )
    dense = X.toarray() if sp.issparse(X) else X
    rows = np.tile(np.nanmedian(dense.astype(float), axis=0), (xx0.size, 1))
    for k, column in varied.items():
        rows[:, k] = column
    return rows.astype(dense.dtype) if dense.dtype.kind == "f" else rows


def _typical_column(column: Any, n: int) -> Any:
    if pd.api.types.is_numeric_dtype(column) and column.dtype != bool:
        return pd.Series(np.full(n, column.median()))
    return pd.Series([column.mode().iloc[0]] * n, dtype=column.dtype)


def predict_in_batches(parts: EstimatorParts, rows: Array) -> Array:
    """Predict many rows in batches."""
    batches = gen_batches(rows.shape[0], BATCH_ROWS)
    return np.concatenate([np.asarray(parts.predict(rows[b])) for b in batches])


def get_exemplars_in_user_units(parts: EstimatorParts) -> Floats | None:
    """Return the exemplars (N, d) in the columns of X, if the steps have an inverse."""
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
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{k}" for k in range(X.shape[1])] if names is None else list(names)


def _two_columns(features: Any, names: Sequence[str]) -> list[int]:
    """Return the indices of two features, given by index or by name."""
    more = " and so on" if len(names) > 12 else ""
    accepted = (
        f"two different columns of X, by index from 0 to {len(names) - 1} or by name "
        f"from {list(names[:12])}{more}"
    )
    msg = f"features must be {accepted}, got {features!r}"
    if isinstance(features, str) or not isinstance(features, Sequence):
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for all wrong features
    columns = [names.index(f) if f in names else f for f in features]
    exist = all(is_index(column, len(names)) for column in columns)
    if not exist or len(columns) != 2 or columns[0] == columns[1]:
        raise ValueError(msg)
    return columns


def _numeric_column(X: Array, k: int) -> Floats:
    """Return column k of X as floats."""
    if isinstance(X, pd.DataFrame):
        column = X.iloc[:, k]
        if not pd.api.types.is_numeric_dtype(column):
            msg = f"features must be columns of numbers, got {str(X.columns[k])!r}"
            raise ValueError(msg)
        return column.to_numpy(dtype=float)
    column = X[:, [k]]
    return np.asarray(column.toarray() if sp.issparse(X) else column, dtype=float)[:, 0]
