"""Display of the exemplars: as images, or as profiles over the features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier as predicts_classes

from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.plotting._base import FeatureDisplay
from skmetricmlp.plotting._drawing import (
    Keywords,
    Mosaic,
    add_color_bar,
    add_legend,
    class_style,
    draw_mosaic,
    ink_map,
    label_features,
    legend_lines,
    make_mosaic,
    mosaic_columns,
    mosaic_size,
    value_map,
)
from skmetricmlp.plotting._estimators import (
    check_count,
    format_labels,
    get_exemplar_targets,
)

__all__ = ["ExemplarsDisplay", "select_shown"]


class ExemplarsDisplay(FeatureDisplay):
    """The exemplars that the weights were calculated from.

    Images are drawn in a mosaic, sorted by label. Other exemplars are drawn as lines over
    the features. Use :meth:`from_estimator` to create the display.

    Parameters
    ----------
    exemplars : array of shape (n_exemplars, n_features)
    labels : array of shape (n_exemplars,)
        Classes, or values of a regression target.
    image_shape : tuple of two ints, default=None
        Rows and columns, if the features are pixels.
    feature_names : sequence of str, default=None
        Names of the features. By default ``x0``, ``x1`` and so on.
    is_classifier : bool, default=True
        Whether the labels are classes.

    Attributes
    ----------
    exemplars, labels, image_shape, feature_names, is_classifier
        The parameters, with their defaults filled in.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    shown_ : int array
        Indices of the exemplars that are drawn, in the order of drawing.
    mosaic_ : Mosaic or None
        The mosaic of images, with ``pixels``, and ``tops`` and ``lefts``, the first row
        and column of each image. None for profiles.
    im_ : matplotlib AxesImage or None
    text_ : list of matplotlib Text
        Titles of the images.
    lines_ : list of matplotlib Line2D
        The profiles.

    Raises
    ------
    ValueError
        If ``labels``, ``image_shape`` or ``feature_names`` do not match ``exemplars``.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.plotting import ExemplarsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X / 16, y)
    >>> display = ExemplarsDisplay.from_estimator(clf, image_shape=(8, 8))
    >>> [text.get_text() for text in display.text_[:6]]
    ['0', '0', '0', '1', '1', '1']
    >>> plt.close(display.figure_)
    """

    ax_: Any

    def __init__(
        self,
        exemplars: ArrayLike,
        labels: ArrayLike,
        *,
        image_shape: tuple[int, int] | None = None,
        feature_names: ArrayLike | None = None,
        is_classifier: bool = True,
    ) -> None:
        self.exemplars = np.asarray(exemplars)
        self.labels = np.asarray(labels)
        n, d = self.exemplars.shape
        if self.labels.shape != (n,):
            msg = f"labels must have shape {(n,)}, got {self.labels.shape}"
            raise ValueError(msg)
        self._set_features(d, image_shape, feature_names)
        self.is_classifier = is_classifier

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        feature_names: ArrayLike | None = None,
        output: int = 0,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the exemplars of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            A fitted estimator. Exemplars are drawn over the network's input features,
            which are the outputs of the steps before.
        image_shape : tuple of two ints, default=None
            Rows and columns, if the features are pixels. By default the ``image_shape``
            of the estimator's ``metric_params``, if there is one.
        feature_names : sequence of str, default=None
            Names of the network's input features. By default those seen in fit, or the
            output names of the steps before.
        output : int, default=0
            Index of the output whose values are shown, for a regressor with several.
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : ExemplarsDisplay

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
        exemplars = parts.model.exemplars_
        display = cls(
            exemplars,
            get_exemplar_targets(parts.model, output),
            is_classifier=predicts_classes(parts.model),
            **cls._resolve_features(parts, exemplars, image_shape, feature_names),
        )
        return display.plot(ax=ax, **plot_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        max_images: int = 60,
        n_columns: int | None = None,
        im_kw: Keywords = None,
        text_kw: Keywords = None,
        line_kw: Keywords = None,
    ) -> Self:
        """Draw the exemplars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        max_images : int, default=60
            Largest number of images. If there are more, the first ones of each class are
            drawn, and the title has both numbers.
        n_columns : int, default=None
            Number of images in a row. By default the mosaic is a little wider than high.
        im_kw, text_kw, line_kw : dict, default=None
            Keywords for matplotlib's ``imshow``, ``text`` of the titles, and ``plot``.

        Returns
        -------
        self : ExemplarsDisplay
        """
        self.shown_ = select_shown(
            self.labels,
            check_count("max_images", max_images) if self.image_shape else None,
            is_classifier=self.is_classifier,
        )
        self.mosaic_: Mosaic | None = None
        self.im_: Any = None
        self.text_: list[Any] = []
        self.lines_: list[Any] = []
        if self.image_shape:
            self._plot_images(ax, n_columns, im_kw, text_kw)
        else:
            self._plot_profiles(ax, line_kw or {})
        return self

    def _plot_images(
        self, ax: Any, n_columns: int | None, im_kw: Keywords, text_kw: Keywords
    ) -> None:
        n, shape = len(self.shown_), self.image_shape
        assert shape is not None  # noqa: S101 - checked by plot
        n_columns = mosaic_columns(n, shape) if n_columns is None else n_columns
        n_columns = check_count("n_columns", n_columns)
        size = mosaic_size(n, n_columns, shape)
        (self.ax_,) = self._make_axes(ax, 1, size)
        self.mosaic_ = make_mosaic(
            self.exemplars[self.shown_].reshape(-1, *shape), n_columns
        )
        self.im_, self.text_ = draw_mosaic(
            self.ax_,
            self.mosaic_,
            shape,
            format_labels(self.labels[self.shown_], self.is_classifier),
            {"cmap": ink_map(self.ax_), **(im_kw or {})},
            text_kw,
        )
        if n < len(self.labels):
            self.ax_.set_title(f"{n} of {len(self.labels)} exemplars", fontsize="medium")

    def _plot_profiles(self, ax: Any, line_kw: Mapping[str, Any]) -> None:
        n, d = self.exemplars.shape
        size = min(14.0, 4.5 + 0.25 * d), 3.8
        (self.ax_,) = self._make_axes(ax, 1, size)
        faint = {"alpha": max(0.2, min(0.9, 20 / n)), "linewidth": 1.2, "markersize": 3}
        classes, codes = np.unique(self.labels, return_inverse=True)
        colors = None if self.is_classifier else _value_colors(self.labels)
        for k in self.shown_:
            style = class_style(codes[k]) | {"marker": "o" if d <= 24 else ""}
            if colors:
                style |= {"color": colors.to_rgba(self.labels[k]), "linestyle": "-"}
            (line,) = self.ax_.plot(
                np.arange(d), self.exemplars[k], **{**faint, **style, **line_kw}
            )
            self.lines_.append(line)
        self.ax_.set(xlabel="feature", ylabel="value in the exemplar")
        self.ax_.set_xlim(-0.3, d - 0.7)
        label_features(self.ax_, self.feature_names)
        self.ax_.grid(alpha=0.25, axis="x" if d <= 24 else "y")
        if colors:
            add_color_bar(colors, self.ax_, "value of the exemplar")
        else:
            titles = format_labels(classes, self.is_classifier)
            add_legend(self.ax_, legend_lines(len(classes)), titles, "class")


def select_shown(
    labels: Array, most: int | None = None, *, is_classifier: bool = True
) -> Ints:
    """Choose the exemplars to draw, sorted by label.

    Parameters
    ----------
    labels : array of shape (n,)
        Classes, or values of a regression target.
    most : int, optional
        Largest number of exemplars. If there are more, the first ones of each class in
        turn are chosen, or values at even steps of their order.
    is_classifier : bool
        Whether the labels are classes.

    Returns
    -------
    int array of shape (min(n, most),)
        Indices.

    Examples
    --------
    >>> select_shown(np.array(["b", "b", "b", "a", "a"]))
    array([3, 4, 0, 1, 2])
    >>> select_shown(np.array(["b", "b", "b", "a", "a"]), most=3)
    array([3, 4, 0])
    """
    order = np.argsort(labels, kind="stable")
    n = len(labels)
    if most is None or n <= most:
        return order
    if not is_classifier:
        return order[np.linspace(0, n - 1, most).round().astype(np.intp)]
    ranked = labels[order]
    rank_in_class = np.arange(n) - np.searchsorted(ranked, ranked)
    # The first exemplars of all classes, then the second ones, and so on.
    first = np.lexsort((np.arange(n), rank_in_class))[:most]
    return order[np.sort(first)]


def _value_colors(values: Floats) -> Any:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415
    from matplotlib.colors import Normalize  # noqa: PLC0415

    return ScalarMappable(Normalize(values.min(), values.max()), value_map())
