"""The exemplars: images side by side, or a profile of each over the features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier as predicts_classes

from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.plotting._drawing import (
    Mosaic,
    add_legend,
    class_style,
    color_bar,
    draw_mosaic,
    feature_ticks,
    ink_map,
    legend_lines,
    make_mosaic,
    mosaic_columns,
    mosaic_size,
    panels,
    value_map,
)
from skmetricmlp.plotting._estimators import (
    check_count,
    check_image_shape,
    check_names,
    exemplar_values,
    fitted_parts,
    image_shape_of,
    name_features,
    require_exemplars,
    titles_of,
)

__all__ = ["ExemplarsDisplay", "shown_exemplars"]

Keywords = Mapping[str, Any] | None


class ExemplarsDisplay:
    """The exemplars that the weights were calculated from.

    Images stand in a mosaic, in the order of their labels. Other exemplars are lines over
    the features. It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    exemplars : array of shape (n_exemplars, n_features)
    labels : array of shape (n_exemplars,)
        Classes, or values.
    image_shape : tuple of two ints, default=None
        Rows and columns, if exemplars are images.
    feature_names : sequence of str, default=None
        By default ``x0``, ``x1`` and so on.
    is_classifier : bool, default=True
        Whether labels are classes.

    Attributes
    ----------
    exemplars, labels, image_shape, feature_names, is_classifier
        As given, or by default.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    shown_ : int array
        Exemplars that are drawn, in their order.
    mosaic_ : Mosaic or None
        The picture that is drawn of images: ``pixels``, and where each image begins,
        ``tops`` and ``lefts``.
    im_ : matplotlib AxesImage or None
    text_ : list of matplotlib Text
        Titles of images.
    lines_ : list of matplotlib Line2D
        Profiles.

    Raises
    ------
    ValueError
        If there are not as many labels, names or pixels as there are exemplars and
        features.

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
    figure_: Any

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
        given = image_shape is not None
        self.image_shape = check_image_shape(image_shape, d) if given else None
        names = [f"x{i}" for i in range(d)] if feature_names is None else feature_names
        self.feature_names = check_names(names, d)
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
            Fitted. Exemplars are drawn in the features that the network reads, those
            after the steps before it.
        image_shape : tuple of two ints, default=None
            Rows and columns of an image. By default those of ``metric_params``, if they
            have any, else exemplars are no images.
        feature_names : sequence of str, default=None
            By default those that the estimator or the steps before it know.
        output : int, default=0
            Of a regressor of several outputs, the one whose values are shown.
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ExemplarsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of this package.
        ValueError
            If it has no exemplars, or another argument is not accepted.
        """
        parts = fitted_parts(estimator)
        require_exemplars(parts.model, cls.__name__)
        display = cls(
            parts.model.exemplars_,
            exemplar_values(parts.model, output),
            image_shape=image_shape_of(parts.model, image_shape),
            feature_names=name_features(parts, feature_names),
            is_classifier=predicts_classes(parts.model),
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
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        max_images : int, default=60
            Of more images so many are drawn, the first ones of each class; a title says
            so.
        n_columns : int, default=None
            How many images stand in a row; by default the mosaic is a little wider than
            high.
        im_kw, text_kw, line_kw : dict, default=None
            Passed on to matplotlib's ``imshow``, ``text`` of the titles, and ``plot``.

        Returns
        -------
        self : ExemplarsDisplay
        """
        self.shown_ = shown_exemplars(
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
        self.figure_ = self.ax_.figure
        return self

    def _plot_images(
        self, ax: Any, n_columns: int | None, im_kw: Keywords, text_kw: Keywords
    ) -> None:
        n, shape = len(self.shown_), self.image_shape
        assert shape is not None  # noqa: S101 - what plot asks first
        n_columns = mosaic_columns(n, shape) if n_columns is None else n_columns
        n_columns = check_count("n_columns", n_columns)
        size = mosaic_size(n, n_columns, shape)
        (self.ax_,) = panels(type(self).__name__, ax, 1, size)
        self.mosaic_ = make_mosaic(
            self.exemplars[self.shown_].reshape(-1, *shape), n_columns
        )
        self.im_, self.text_ = draw_mosaic(
            self.ax_,
            self.mosaic_,
            shape,
            titles_of(self.labels[self.shown_], self.is_classifier),
            {"cmap": ink_map(self.ax_), **(im_kw or {})},
            text_kw,
        )
        if n < len(self.labels):
            self.ax_.set_title(f"{n} of {len(self.labels)} exemplars", fontsize="medium")

    def _plot_profiles(self, ax: Any, line_kw: Mapping[str, Any]) -> None:
        n, d = self.exemplars.shape
        size = min(14.0, 4.5 + 0.25 * d), 3.8
        (self.ax_,) = panels(type(self).__name__, ax, 1, size)
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
        feature_ticks(self.ax_, self.feature_names)
        self.ax_.grid(alpha=0.25, axis="x" if d <= 24 else "y")
        if colors:
            color_bar(colors, self.ax_, "value that it stands for")
        else:
            titles = titles_of(classes, self.is_classifier)
            add_legend(self.ax_, legend_lines(len(classes)), titles, "class")


def shown_exemplars(
    labels: Array, most: int | None = None, *, is_classifier: bool = True
) -> Ints:
    """Choose what is shown, in the order of the labels.

    Parameters
    ----------
    labels : array of shape (n,)
        Classes, or values.
    most : int, optional
        Of more than these, the first ones of each class in turn are taken; of values,
        those at even steps of their order.
    is_classifier : bool
        Whether labels are classes.

    Returns
    -------
    int array of shape (min(n, most),)

    Examples
    --------
    >>> shown_exemplars(np.array(["b", "b", "b", "a", "a"]))
    array([3, 4, 0, 1, 2])
    >>> shown_exemplars(np.array(["b", "b", "b", "a", "a"]), most=3)
    array([3, 4, 0])
    """
    order = np.argsort(labels, kind="stable")
    n = len(labels)
    if most is None or n <= most:
        return order
    if not is_classifier:
        return order[np.linspace(0, n - 1, most).round().astype(np.intp)]
    ranked = labels[order]
    turn = np.arange(n) - np.searchsorted(ranked, ranked)
    # By turn and then by class.
    first = np.lexsort((np.arange(n), turn))[:most]
    return order[np.sort(first)]


def _value_colors(values: Floats) -> Any:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415
    from matplotlib.colors import Normalize  # noqa: PLC0415

    return ScalarMappable(Normalize(values.min(), values.max()), value_map())
