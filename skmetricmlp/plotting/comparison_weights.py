"""The weights of single comparisons: what speaks for one of two exemplars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.metrics import euclidean_distances

from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.plotting._drawing import (
    Mosaic,
    abbreviated,
    color_bar,
    contrasting,
    diverging_map,
    draw_mosaic,
    feature_ticks,
    make_mosaic,
    mosaic_columns,
    mosaic_size,
    panels,
)
from skmetricmlp.plotting._estimators import (
    check_count,
    check_image_shape,
    check_names,
    exemplar_values,
    fitted_parts,
    image_shape_of,
    is_position,
    name_features,
    require_exemplars,
    titles_of,
)

__all__ = ["ComparisonWeightsDisplay", "comparison_weights", "telling_pairs"]

Keywords = Mapping[str, Any] | None
Pairs = Sequence[tuple[int, int]]


class ComparisonWeightsDisplay:
    """The tables of weights of comparison neurons (i, j).

    A weight is positive where a larger feature speaks for exemplar i, and negative where
    it speaks for j: the weights of ``D_j - D_i``. Those of a ReLU network, whose neurons
    compute ``D_i - D_j``, are drawn with the opposite sign for that. Before training they
    are ``a_j - a_i`` of the metric, up to a positive factor. It is recommended to use
    :meth:`from_estimator`.

    Parameters
    ----------
    weights : array of shape (n_pairs, n_features)
        Positive for the first of a pair.
    pairs : sequence of pairs of str
        The titles of both exemplars of each.
    image_shape : tuple of two ints, default=None
        Rows and columns, if the features are pixels.
    feature_names : sequence of str, default=None
        By default ``x0``, ``x1`` and so on.

    Attributes
    ----------
    weights, pairs, image_shape, feature_names
        As given, or by default.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    mosaic_ : Mosaic or None
        The picture that is drawn of images: ``pixels``, and where each table begins,
        ``tops`` and ``lefts``.
    im_ : matplotlib AxesImage
    colorbar_ : matplotlib Colorbar or None
    text_ : list of matplotlib Text
        Titles of images, or the numbers in a table.

    References
    ----------
    P. Sh. Geidarov, arXiv 2505.23876, draws tables of weights in this way.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.plotting import ComparisonWeightsDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = MetricInitMLPClassifier(n_exemplars=6, random_state=0, max_iter=0)
    >>> display = ComparisonWeightsDisplay.from_estimator(clf.fit(X, y), pairs=[(0, 2)])
    >>> display.weights.shape
    (1, 4)
    >>> plt.close(display.figure_)
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        weights: ArrayLike,
        pairs: Sequence[tuple[str, str]],
        *,
        image_shape: tuple[int, int] | None = None,
        feature_names: ArrayLike | None = None,
    ) -> None:
        self.weights = np.asarray(weights)
        n, d = self.weights.shape
        self.pairs = [(str(i), str(j)) for i, j in pairs]
        if len(self.pairs) != n:
            msg = f"pairs must be {n}, one a row of weights, got {len(self.pairs)}"
            raise ValueError(msg)
        given = image_shape is not None
        self.image_shape = check_image_shape(image_shape, d) if given else None
        names = [f"x{k}" for k in range(d)] if feature_names is None else feature_names
        self.feature_names = check_names(names, d)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        pairs: Pairs | None = None,
        image_shape: tuple[int, int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the weights of comparisons of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            Fitted. Weights are those of the features that the network reads, after the
            steps before it.
        pairs : sequence of pairs of int, default=None
            Positions ``(i, j)`` in ``exemplars_`` of exemplars that are compared, those
            that ``pairs_`` lists for i. By default six pairs of different classes that
            are near to each other: see :func:`telling_pairs`.
        image_shape : tuple of two ints, default=None
            Rows and columns of an image. By default those of ``metric_params``, if they
            have any, else features are no pixels.
        feature_names : sequence of str, default=None
            By default those that the estimator or the steps before it know.
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        **plot_kw
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ComparisonWeightsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is none of this package.
        ValueError
            If it has no exemplars, a pair is not compared, or another argument is not
            accepted.
        """
        parts = fitted_parts(estimator)
        model = parts.model
        require_exemplars(model, cls.__name__)
        values = exemplar_values(model, 0)
        chosen = (
            telling_pairs(
                model.exemplars_, model.pairs_, values if is_classifier(model) else None
            )
            if pairs is None
            else pairs
        )
        weights = comparison_weights(model, chosen)
        titles = titles_of(values, is_classifier(model))
        display = cls(
            weights,
            [(titles[i], titles[j]) for i, j in chosen],
            image_shape=image_shape_of(model, image_shape),
            feature_names=name_features(parts, feature_names),
        )
        return display.plot(ax=ax, **plot_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        n_columns: int | None = None,
        colorbar: bool = True,
        im_kw: Keywords = None,
        text_kw: Keywords = None,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            By default that of a new figure.
        n_columns : int, default=None
            How many images stand in a row; by default the mosaic is a little wider than
            high.
        colorbar : bool, default=True
        im_kw, text_kw : dict, default=None
            Passed on to matplotlib's ``imshow``, and ``text`` of the titles or numbers.

        Returns
        -------
        self : ComparisonWeightsDisplay
        """
        n, shape = len(self.weights), self.image_shape
        mosaic, size = None, self._table_size()
        if shape:
            n_columns = mosaic_columns(n, shape) if n_columns is None else n_columns
            n_columns = check_count("n_columns", n_columns)
            mosaic = make_mosaic(self.weights.reshape(n, *shape), n_columns)
            width, height = mosaic_size(n, n_columns, shape)
            size = 1.6 * width + 1.2, 1.6 * height
        (self.ax_,) = panels(type(self).__name__, ax, 1, size)
        limit = float(abs(self.weights).max()) or 1.0
        defaults = {"cmap": diverging_map(self.ax_), "vmin": -limit, "vmax": limit}
        im_kw = {**defaults, **(im_kw or {})}
        self.mosaic_, self.colorbar_ = mosaic, None
        self.im_, self.text_ = (
            self._plot_images(mosaic, shape, im_kw, text_kw)
            if mosaic and shape
            else self._plot_table(im_kw, text_kw)
        )
        if colorbar:
            label = "← second   weight   first →"
            self.colorbar_ = color_bar(self.im_, self.ax_, label)
        self.figure_ = self.ax_.figure
        return self

    def _table_size(self) -> tuple[float, float]:
        n, d = self.weights.shape
        return min(14.0, 3.6 + 0.55 * d), min(12.0, max(2.9, 1.6 + 0.34 * n))

    def _plot_images(
        self,
        mosaic: Mosaic,
        shape: tuple[int, int],
        im_kw: Mapping[str, Any],
        text_kw: Keywords,
    ) -> tuple[Any, list[Any]]:
        from matplotlib.patches import Rectangle  # noqa: PLC0415

        frame: dict[str, Any] = {
            "fill": False,
            "alpha": 0.4,
            "linewidth": 0.6,
            "clip_on": False,
        }
        for corner in zip(mosaic.lefts - 0.5, mosaic.tops - 0.5, strict=True):
            edge = self.ax_.xaxis.label.get_color()
            self.ax_.add_patch(Rectangle(corner, *shape[::-1], edgecolor=edge, **frame))
        titles = [f"{i} or {j}" for i, j in self.pairs]
        return draw_mosaic(self.ax_, mosaic, shape, titles, im_kw, text_kw)

    def _plot_table(
        self, im_kw: Mapping[str, Any], text_kw: Keywords
    ) -> tuple[Any, list[Any]]:
        n, d = self.weights.shape
        im = self.ax_.imshow(self.weights, **{"aspect": "auto", **im_kw})
        titles = [f"{abbreviated(i, 16)} or {abbreviated(j, 16)}" for i, j in self.pairs]
        self.ax_.set_yticks(np.arange(n), titles, fontsize="small")
        feature_ticks(self.ax_, self.feature_names)
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        texts = self._write_numbers(im, text_kw) if d <= 12 and n <= 20 else []
        return im, texts

    def _write_numbers(self, im: Any, text_kw: Keywords) -> list[Any]:
        keywords = {"ha": "center", "va": "center", "fontsize": "small"}
        rgb = im.cmap(im.norm(self.weights.ravel()))[:, :3]
        digits = max(0, 1 - int(np.floor(np.log10(im.norm.vmax))))
        cells = zip(
            np.ndindex(self.weights.shape), contrasting(self.ax_, rgb), strict=True
        )
        return [
            self.ax_.text(
                *at[::-1],
                f"{self.weights[at]:z.{digits}f}",
                **{**keywords, "color": color, **(text_kw or {})},
            )
            for at, color in cells
        ]


def comparison_weights(model: Any, pairs: Pairs) -> Floats:
    """Return the weights of comparisons, those of ``D_j - D_i`` of each pair (i, j).

    Parameters
    ----------
    model : MetricInitMLPClassifier or MetricInitMLPRegressor
        Fitted, with exemplars, in NumPy.
    pairs : sequence of pairs of int

    Returns
    -------
    array of shape (n_pairs, n_features)
        Those of ``coefs_[0]``; with ReLU, whose neurons compute ``D_i - D_j``, times -1.

    Raises
    ------
    ValueError
        If a pair is none of two exemplars that are compared.
    """
    columns = [_neuron(pair, model.pairs_) for pair in pairs]
    if not columns:
        msg = "pairs must be one pair of exemplars or more, got none"
        raise ValueError(msg)
    layer = model.network_.layers[0]
    if hasattr(layer, "table"):
        # Tied: by way of the scores, as dense weights may not fit into memory.
        i, j = np.array(pairs).T
        weights = layer.weights[:, j] - layer.weights[:, i]
    else:
        weights = layer.weights[:, columns]
    sign = -1 if layer.activation == "relu" else 1
    tables: Floats = sign * weights.T
    return tables


def _neuron(pair: Any, table: Ints) -> int:
    """Position of comparison (i, j) in the first layer."""
    n, m = table.shape
    accepted = f"pairs of different positions from 0 to {n - 1}"
    try:
        i, j = pair
    except (TypeError, ValueError) as error:
        msg = f"pairs must be {accepted}, got {pair!r}"
        raise ValueError(msg) from error
    if not (is_position(i, n) and is_position(j, n) and i != j):
        msg = f"pairs must be {accepted}, got {pair!r}"
        raise ValueError(msg)
    place = np.flatnonzero(table[i] == j)
    if not len(place):
        msg = (
            f"pairs must be of exemplars that are compared, got {pair!r}: exemplar {i} "
            f"is compared with {table[i].tolist()}"
        )
        raise ValueError(msg)
    return int(i * m + place[0])


def telling_pairs(
    exemplars: Floats, table: Ints, labels: Array | None = None, n_pairs: int = 6
) -> list[tuple[int, int]]:
    """Choose comparisons of exemplars that are near to each other.

    Parameters
    ----------
    exemplars : array of shape (N, d)
        Near by the Euclidean distance.
    table : int array of shape (N, M)
        Whom each is compared with.
    labels : array of shape (N,), optional
        With these, both are of different classes if any are, and each two classes occur
        once. Without, each exemplar occurs once.
    n_pairs : int
        How many there are at most.

    Returns
    -------
    list of pairs of int
        The nearest first. Of ``(i, j)`` and ``(j, i)`` the one with ``i < j`` if both
        are compared.

    Examples
    --------
    >>> exemplars = np.array([[0.0], [1.0], [1.5], [9.0]])
    >>> table = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    >>> telling_pairs(exemplars, table, np.array(["a", "a", "b", "c"]))
    [(1, 2), (2, 3), (1, 3)]
    """
    i, j = np.repeat(np.arange(len(table)), table.shape[1]), table.ravel()
    if labels is not None and (labels[i] != labels[j]).any():
        differ = labels[i] != labels[j]
        i, j = i[differ], j[differ]
    away = euclidean_distances(exemplars)[i, j]
    taken: list[tuple[int, int]] = []
    seen: set[Any] = set()
    for k in np.lexsort((i, away.round(12))):
        pair = int(i[k]), int(j[k])
        own = {frozenset(labels[list(pair)].tolist())} if labels is not None else {*pair}
        if not own & seen and len(taken) < n_pairs:
            taken.append(pair)
            seen |= own
    return taken
