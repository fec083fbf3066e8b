"""Display of the weights of comparisons: the evidence for one of two exemplars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.metrics import euclidean_distances

from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.plotting._base import FeatureDisplay
from skmetricmlp.plotting._drawing import (
    Keywords,
    Mosaic,
    abbreviate,
    add_color_bar,
    contrasting_colors,
    diverging_map,
    draw_mosaic,
    label_features,
    make_mosaic,
    mosaic_columns,
    mosaic_size,
)
from skmetricmlp.plotting._estimators import (
    check_count,
    format_labels,
    get_exemplar_targets,
    is_index,
)

__all__ = [
    "ComparisonWeightsDisplay",
    "closest_pairs",
    "comparison_weights",
    "strongest_comparisons",
]

Pairs = Sequence[tuple[int, int]]


class ComparisonWeightsDisplay(FeatureDisplay):
    """Weights of the comparisons (i, j), as a table or as images.

    The weights are those of ``D_j - D_i``: a weight is positive where a larger value of
    the feature favors exemplar i, and negative where it favors exemplar j. Before
    training the weights are ``a_j - a_i`` of the metric, up to a positive factor, and
    zero for features that are not compared. In the source's network, units with ReLU
    compute ``D_i - D_j``, so that their weights are drawn with the opposite sign. Use
    :meth:`from_estimator` to create the display.

    Parameters
    ----------
    weights : array of shape (n_pairs, n_features)
        Weights; positive ones favor the first exemplar of the pair.
    pairs : sequence of pairs of str
        Titles of the two exemplars of each comparison.
    image_shape : tuple of two ints, default=None
        Rows and columns, if the features are pixels.
    feature_names : sequence of str, default=None
        Names of the features. By default ``x0``, ``x1`` and so on.

    Attributes
    ----------
    weights, pairs, image_shape, feature_names
        The parameters, with their defaults filled in.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    mosaic_ : Mosaic or None
        The mosaic of images, with ``pixels``, and ``tops`` and ``lefts``, the first row
        and column of each image. None for a table.
    im_ : matplotlib AxesImage
    colorbar_ : matplotlib Colorbar or None
    text_ : list of matplotlib Text
        Titles of the images, or the numbers in the table.

    Raises
    ------
    ValueError
        If ``pairs``, ``image_shape`` or ``feature_names`` do not match ``weights``.

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
    >>> display = ComparisonWeightsDisplay.from_estimator(clf.fit(X, y))
    >>> display.weights.shape
    (6, 4)
    >>> plt.close(display.figure_)
    """

    ax_: Any

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
            msg = f"pairs must be {n}, one per row of weights, got {len(self.pairs)}"
            raise ValueError(msg)
        self._set_features(d, image_shape, feature_names)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        pairs: Pairs | None = None,
        comparisons: Sequence[int] | None = None,
        image_shape: tuple[int, int] | None = None,
        feature_names: ArrayLike | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the weights of comparisons of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package, or Pipeline that ends in one
            A fitted estimator. The weights belong to the network's input features, which
            are the outputs of the steps before.
        pairs : sequence of pairs of int, default=None
            Indices ``(i, j)`` of compared exemplars: j must be in ``pairs_[i]``. By
            default up to six pairs of close exemplars of different classes; see
            :func:`closest_pairs`. Only with an integer ``n_neighbors``.
        comparisons : sequence of int, default=None
            Units of the first layer, as rows of ``comparisons_``. By default the six
            with the longest weights in the output layer. Only with
            ``n_neighbors=None``.
        image_shape : tuple of two ints, default=None
            Rows and columns, if the features are pixels. By default the ``image_shape``
            of the estimator's ``metric_params``, if there is one.
        feature_names : sequence of str, default=None
            Names of the network's input features. By default those seen in fit, or the
            output names of the steps before.
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : ComparisonWeightsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not from this package.
        ValueError
            If the estimator has no exemplars, a pair is not compared, or another argument
            is invalid.
        """
        parts = cls._check_estimator(estimator)
        model = parts.model
        targets = get_exemplar_targets(model, 0)
        units, pairs = _chosen_units(model, targets, pairs, comparisons)
        titles = format_labels(targets, is_classifier(model))
        weights = comparison_weights(model, units)
        display = cls(
            weights,
            [(titles[i], titles[j]) for i, j in pairs],
            **cls._resolve_features(parts, weights, image_shape, feature_names),
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
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        n_columns : int, default=None
            Number of images in a row. By default the mosaic is a little wider than high.
        colorbar : bool, default=True
            Whether to add a color bar.
        im_kw, text_kw : dict, default=None
            Keywords for matplotlib's ``imshow``, and for ``text`` of titles or numbers.

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
        (self.ax_,) = self._make_axes(ax, 1, size)
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
            self.colorbar_ = add_color_bar(self.im_, self.ax_, label)
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
        titles = [f"{abbreviate(i, 16)} or {abbreviate(j, 16)}" for i, j in self.pairs]
        self.ax_.set_yticks(np.arange(n), titles, fontsize="small")
        label_features(self.ax_, self.feature_names)
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        texts = self._write_numbers(im, text_kw) if d <= 12 and n <= 20 else []
        return im, texts

    def _write_numbers(self, im: Any, text_kw: Keywords) -> list[Any]:
        keywords = {"ha": "center", "va": "center", "fontsize": "small"}
        rgb = im.cmap(im.norm(self.weights.ravel()))[:, :3]
        digits = max(0, 1 - int(np.floor(np.log10(im.norm.vmax))))
        cells = zip(
            np.ndindex(self.weights.shape), contrasting_colors(self.ax_, rgb), strict=True
        )
        return [
            self.ax_.text(
                *at[::-1],
                f"{self.weights[at]:z.{digits}f}",
                **{**keywords, "color": color, **(text_kw or {})},
            )
            for at, color in cells
        ]


def _chosen_units(
    model: Any, targets: Array, pairs: Pairs | None, comparisons: Sequence[int] | None
) -> tuple[list[int], Pairs]:
    """Units of the first layer to draw, and the two exemplars of each."""
    if model.n_neighbors is None:
        if pairs is not None:
            msg = (
                "pairs needs an integer n_neighbors: with n_neighbors=None choose units "
                "by comparisons=[...], rows of comparisons_"
            )
            raise ValueError(msg)
        compared = model.comparisons_
        if comparisons is None:
            comparisons = strongest_comparisons(model)
        units = [_checked_unit(unit, len(compared)) for unit in comparisons]
        if not units:
            msg = "comparisons must be one unit or more, got none"
            raise ValueError(msg)
        return units, [tuple(compared[unit]) for unit in units]
    if comparisons is not None:
        msg = f"comparisons needs n_neighbors=None, got {model.n_neighbors}: pass pairs"
        raise ValueError(msg)
    if pairs is None:
        labels = targets if is_classifier(model) else None
        pairs = closest_pairs(model.exemplars_, model.pairs_, labels)
    units = [_unit_index(pair, model.pairs_) for pair in pairs]
    if not units:
        msg = "pairs must be one pair of exemplars or more, got none"
        raise ValueError(msg)
    return units, pairs


def _checked_unit(unit: Any, n: int) -> int:
    if not is_index(unit, n):
        msg = f"comparisons must be indices from 0 to {n - 1}, got {unit!r}"
        raise ValueError(msg)
    return int(unit)


def strongest_comparisons(model: Any, n: int = 6) -> list[int]:
    """Choose the comparisons with the longest weights in the output layer.

    Parameters
    ----------
    model : MetricInitMLPClassifier or MetricInitMLPRegressor
        Fitted, with ``n_neighbors=None``, in NumPy.
    n : int
        Largest number of comparisons.

    Returns
    -------
    list of int
        Those with the longest first.
    """
    lengths = np.linalg.norm(model.coefs_[1][: len(model.comparisons_)], axis=1)
    order: list[int] = np.argsort(-lengths, kind="stable")[:n].tolist()
    return order


def comparison_weights(model: Any, units: Sequence[int]) -> Floats:
    """Return the weights of ``D_j - D_i`` of units of the first layer.

    Parameters
    ----------
    model : MetricInitMLPClassifier or MetricInitMLPRegressor
        A fitted estimator with exemplars, in NumPy.
    units : sequence of int

    Returns
    -------
    array of shape (n_units, n_features)
        Columns of ``coefs_[0]``. In the source's network they are negated for ReLU, whose
        units compute ``D_i - D_j``.
    """
    layer = model.network_.layers[0]
    if model.n_neighbors is None:
        kept: Floats = layer.parameters[0][:, units].T
        return kept
    if hasattr(layer, "pairs"):
        # A tied layer has the scores. Its dense weights may not fit into memory.
        first, second = (index[units] for index in layer.pairs.indices)
        weights = layer.weights[:, second] - layer.weights[:, first]
    else:
        weights = layer.weights[:, units]
    sign = -1 if layer.activation == "relu" else 1
    tables: Floats = sign * weights.T
    return tables


def _unit_index(pair: Any, compared: Ints) -> int:
    """Return the index of comparison (i, j) in the first layer.

    ``compared`` (N, M) has the exemplars that each exemplar is compared with.
    """
    n, m = compared.shape
    accepted = f"pairs of different indices from 0 to {n - 1}"
    try:
        i, j = pair
    except (TypeError, ValueError) as error:
        msg = f"pairs must be {accepted}, got {pair!r}"
        raise ValueError(msg) from error
    if not (is_index(i, n) and is_index(j, n) and i != j):
        msg = f"pairs must be {accepted}, got {pair!r}"
        raise ValueError(msg)
    columns = np.flatnonzero(compared[i] == j)
    if not len(columns):
        msg = (
            f"pairs must be of exemplars that are compared, got {pair!r}: exemplar {i} "
            f"is compared with {compared[i].tolist()}"
        )
        raise ValueError(msg)
    return int(i * m + columns[0])


def closest_pairs(
    exemplars: Floats, compared: Ints, labels: Array | None = None, n_pairs: int = 6
) -> list[tuple[int, int]]:
    """Choose comparisons of exemplars with a small Euclidean distance.

    Parameters
    ----------
    exemplars : array of shape (N, d)
    compared : int array of shape (N, M)
        The exemplars that each exemplar is compared with.
    labels : array of shape (N,), optional
        Classes. If they are given, the exemplars of a pair have different classes where
        such comparisons exist, and each pair of classes is chosen at most once.
        Otherwise each exemplar is chosen at most once.
    n_pairs : int
        Largest number of pairs.

    Returns
    -------
    list of pairs of int
        The pairs by increasing distance. If both ``(i, j)`` and ``(j, i)`` are compared,
        the list has the one with ``i < j``.

    Examples
    --------
    >>> exemplars = np.array([[0.0], [1.0], [1.5], [9.0]])
    >>> compared = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    >>> closest_pairs(exemplars, compared, np.array(["a", "a", "b", "c"]))
    [(1, 2), (2, 3), (1, 3)]
    """
    i, j = np.repeat(np.arange(len(compared)), compared.shape[1]), compared.ravel()
    if labels is not None and (labels[i] != labels[j]).any():
        differ = labels[i] != labels[j]
        i, j = i[differ], j[differ]
    distances = euclidean_distances(exemplars)[i, j]
    chosen: list[tuple[int, int]] = []
    seen: set[Any] = set()
    for k in np.lexsort((i, distances.round(12))):
        pair = int(i[k]), int(j[k])
        # Pairs of classes, or exemplars, that may not be chosen again.
        used = {frozenset(labels[list(pair)].tolist())} if labels is not None else {*pair}
        if not used & seen and len(chosen) < n_pairs:
            chosen.append(pair)
            seen |= used
    return chosen
