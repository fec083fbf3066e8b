"""Display of the filters of an image: what they compare, and where they respond."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._typing import Array, Floats
from skmetricmlp.images import PatchComparisons
from skmetricmlp.plotting._base import BaseDisplay
from skmetricmlp.plotting._drawing import Keywords, diverging_map
from skmetricmlp.plotting._estimators import check_count

__all__ = ["FiltersDisplay"]

GAP = 0.15


class FiltersDisplay(BaseDisplay):
    """Filters that compare patches with two exemplars, a column for each.

    From the top: the exemplar that a patch is nearer to where the filter is positive, the
    other one, the kernel, and the responses to an image. Use :meth:`from_estimator` to
    create the display.

    Parameters
    ----------
    exemplars : array of shape (n_exemplars, height, width, channels)
    pairs : int array of shape (n_filters, 2)
        The exemplars of each filter.
    kernels : array of shape (height, width, channels, n_filters)
    responses : array of shape (rows, columns, n_filters), default=None
        To an image.

    Attributes
    ----------
    exemplars, pairs, kernels, responses
        The parameters.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    shown_ : int array
        Filters that are drawn: those of the largest responses, or the first ones.
    images_ : list of matplotlib AxesImage
        Column by column.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skmetricmlp.images import PatchComparisons
    >>> from skmetricmlp.plotting import FiltersDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> patches = PatchComparisons(patch_size=3, n_comparisons=20, random_state=0).fit(X)
    >>> display = FiltersDisplay.from_estimator(patches, X[0], n_filters=6)
    >>> len(display.images_)
    24
    >>> plt.close(display.figure_)
    """

    ax_: Any

    def __init__(
        self,
        exemplars: Floats,
        pairs: Array,
        kernels: Floats,
        responses: Floats | None = None,
    ) -> None:
        self.exemplars, self.pairs = exemplars, pairs
        self.kernels, self.responses = kernels, responses

    @classmethod
    def from_estimator(
        cls,
        estimator: PatchComparisons | Pipeline,
        image: ArrayLike | None = None,
        *,
        n_filters: int = 12,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the filters of fitted comparisons of patches.

        Parameters
        ----------
        estimator : PatchComparisons, or Pipeline that begins with it
            Fitted.
        image : array, default=None
            One row of X, or one image. Its responses are drawn too.
        n_filters : int, default=12
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        **plot_kw
            Passed to :meth:`plot`.

        Returns
        -------
        display : FiltersDisplay

        Raises
        ------
        TypeError
            If the estimator is another one.
        ValueError
            If the image has another shape than those of fit.
        """
        patches = estimator[0] if isinstance(estimator, Pipeline) else estimator
        if not isinstance(patches, PatchComparisons):
            msg = (
                f"FiltersDisplay is of PatchComparisons, or of a pipeline that begins "
                f"with it, got {type(estimator).__name__}"
            )
            raise TypeError(msg)
        check_is_fitted(patches)
        responses = None
        if image is not None:
            responses = patches.responses(np.asarray(image)[None])[0]
        shape = -1, *patches.kernels_.shape[:3]
        display = cls(
            patches.exemplars_.reshape(shape), patches.pairs_, patches.kernels_, responses
        )
        return display.plot(ax, n_filters=n_filters, **plot_kw)

    def plot(
        self, ax: Any = None, *, n_filters: int = 12, im_kw: Keywords = None
    ) -> Self:
        """Draw the filters.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. By default a new figure is made.
        n_filters : int, default=12
            The most filters that are drawn.
        im_kw : dict, default=None
            Keywords for matplotlib's ``imshow``.

        Returns
        -------
        self : FiltersDisplay
        """
        n = min(check_count("n_filters", n_filters), len(self.pairs))
        self.shown_ = np.arange(n)
        rows = ["nearer to", "than to", "kernel"]
        if self.responses is not None:
            total = self.responses.sum(axis=(0, 1))
            self.shown_ = np.argsort(-total, kind="stable")[:n]
            rows.append("response")
        step = 1 + GAP
        size = 0.6 * step * n + 1.2, 0.6 * step * len(rows)
        (self.ax_,) = self._make_axes(ax, 1, size)
        self.images_ = [
            self.ax_.imshow(
                tile,
                extent=(left, left + 1, top + 1, top),
                **{"cmap": colors, "interpolation": "nearest", **limits, **(im_kw or {})},
            )
            for left, p in zip(step * np.arange(n), self.shown_, strict=True)
            for top, (tile, colors, limits) in zip(
                step * np.arange(len(rows)), self._tiles(int(p)), strict=False
            )
        ]
        self.ax_.set_xlim(0, step * n - GAP)
        self.ax_.set_ylim(step * len(rows) - GAP, 0)
        self.ax_.set_yticks(step * np.arange(len(rows)) + 0.5, rows)
        self.ax_.set_xticks(step * np.arange(n) + 0.5, map(str, self.shown_))
        self.ax_.set_xlabel("filter")
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        return self

    def _tiles(self, p: int) -> list[tuple[Floats, Any, dict[str, float]]]:
        """Images of a filter, with their colors and limits."""
        first, second = (_visible(self.exemplars[i]) for i in self.pairs[p])
        kernel = _visible(self.kernels[..., p])
        tiles: list[tuple[Floats, Any, dict[str, float]]] = [
            (_stretched(first), "gray", {}),
            (_stretched(second), "gray", {}),
        ]
        most = max(float(abs(kernel).max()), np.finfo(float).tiny)
        if kernel.ndim == 3:
            tiles.append((0.5 + kernel / (2 * most), None, {}))
        else:
            tiles.append((kernel, diverging_map(self.ax_), {"vmin": -most, "vmax": most}))
        if self.responses is not None:
            tiles.append((self.responses[..., p], "gray", {"vmin": 0.0}))
        return tiles


def _visible(image: Floats) -> Floats:
    """Return colors, or the only or the mean channel, of an image."""
    channels = image.shape[-1]
    return image if channels == 3 else image.mean(axis=-1)


def _stretched(image: Floats) -> Floats:
    """Return an image with values from 0 to 1."""
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.zeros_like(image)
