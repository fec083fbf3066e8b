"""The transformer of images into comparisons of patches."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import Tags, check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skmetricmlp._data import distinct_rows
from skmetricmlp._errors import invalid_parameter, is_integer, unchanged_on_error
from skmetricmlp._typing import Array, Floats
from skmetricmlp.exemplars import VALUE_SELECTORS, Exemplars, select_exemplars
from skmetricmlp.images.patches import (
    Filters,
    comparing_filters,
    draw_patches,
    normalized,
    patches_of,
    placed,
    pooled,
    responses,
    whitened,
)
from skmetricmlp.metrics import Metric

__all__ = ["PatchComparisons"]

# Patches that tell the exemplars, the whitening and the scales.
N_PATCHES = 20_000
# Numbers in the patches and the responses of a block of images: 32 MiB in single
# precision.
BLOCK_ELEMENTS = 2**23
POOLING = {"mean": ("mean",), "max": ("max",), "both": ("mean", "max")}


class PatchComparisons(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Compare each patch of an image with pairs of exemplar patches.

    A comparison "nearer to exemplar i than to exemplar j" is affine in the patch. Slid
    over the image it is a convolution, and its kernel is calculated. Patches have their
    mean subtracted, and are divided by their deviation. The exemplars are centers of
    k-means of such patches, and distances are those of whitened patches. What follows is
    a ReLU, and the mean and the maximum over the cells of a grid.

    Labels are not used. A classifier comes after it in a pipeline. The features are an
    image too: of the cells, with a channel for each feature of a cell.

    Parameters
    ----------
    image_shape : tuple of ints, optional
        ``(height, width)`` or ``(height, width, channels)`` of a row of X. One of them
        may be -1, and then follows from the number of columns. By default it is the
        shape of images that are given as arrays of three or four dimensions, and rows
        are square gray images.
    n_comparisons : int, default=300
        Filters.
    patch_size : int or tuple of two ints, default=7
        Height and width of a patch. A larger one than the image is as large as the image.
    stride : int, default=1
        Steps between patches.
    padding : int, default=0
        Rows and columns of zeros around the image.
    n_exemplars : int, default=400
        Exemplars, at most the number of distinct patches.
    exemplars : {"kmeans", "random", "kmedoids"}, default="kmeans"
        Centers of k-means of whitened patches, patches drawn at random, or medoids.
    epsilon : float, default=0.1
        Added to the variance of a patch before its root divides it, in units of the mean
        variance of patches.
    whitening : float or None, default=2.0
        Added to the variances of the patches along their principal axes, in units of
        their mean, before whitening. Less of it emphasizes edges more. None is no
        whitening.
    pooling : {"both", "mean", "max"}, default="both"
        What is taken of each cell.
    grid : int or tuple of two ints, default=3
        Cells in the height and in the width, at most the number of patches there.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    exemplars_ : array of shape (n_exemplars, d)
        Normalized patches of ``d = height * width * channels`` values.
    pairs_ : int array of shape (n_comparisons, 2)
        Filter p is positive where a patch is nearer to the first exemplar than to the
        second.
    kernels_ : array of shape (height, width, channels, n_comparisons)
    intercepts_ : array of shape (n_comparisons,)
    epsilon_ : float
        In the units of X, squared.
    image_shape_ : tuple of three ints
    grid_ : tuple of two ints
    n_features_in_ : int

    References
    ----------
    A. Coates, A. Ng, H. Lee, "An analysis of single-layer networks in unsupervised
    feature learning", AISTATS 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmetricmlp.images import PatchComparisons
    >>> X, y = load_digits(return_X_y=True)
    >>> patches = PatchComparisons((8, 8), patch_size=3, n_comparisons=60, random_state=0)
    >>> model = make_pipeline(patches, StandardScaler(), RidgeClassifier(100.0))
    >>> model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "image_shape": [tuple, list, None],
        "n_comparisons": [Interval(Integral, 1, None, closed="left")],
        "patch_size": [Interval(Integral, 1, None, closed="left"), tuple],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "padding": [Interval(Integral, 0, None, closed="left")],
        "n_exemplars": [Interval(Integral, 2, None, closed="left")],
        "exemplars": [StrOptions(set(VALUE_SELECTORS))],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "whitening": [Interval(Real, 0, None, closed="neither"), None],
        "pooling": [StrOptions(set(POOLING))],
        "grid": [Interval(Integral, 1, None, closed="left"), tuple],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        image_shape: tuple[int, ...] | None = None,
        *,
        n_comparisons: int = 300,
        patch_size: int | tuple[int, int] = 7,
        stride: int = 1,
        padding: int = 0,
        n_exemplars: int = 400,
        exemplars: str = "kmeans",
        epsilon: float = 0.1,
        whitening: float | None = 2.0,
        pooling: str = "both",
        grid: int | tuple[int, int] = 3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.image_shape = image_shape
        self.n_comparisons = n_comparisons
        self.patch_size = patch_size
        self.stride = stride
        self.padding = padding
        self.n_exemplars = n_exemplars
        self.exemplars = exemplars
        self.epsilon = epsilon
        self.whitening = whitening
        self.pooling = pooling
        self.grid = grid
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Calculate the filters.

        Parameters
        ----------
        X : array of shape (n, height * width * channels), or of the shape of images
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the shape of the images does not fit X, or all patches are equal.
        """
        del y
        with unchanged_on_error(self):
            self._fit(X)
        return self

    def _fit(self, X: ArrayLike) -> None:
        rows, dimensions = self._rows(X, reset=True)
        shape = _image_shape(dimensions, self.image_shape)
        images = self._padded(rows.reshape(-1, *shape))
        rng = check_random_state(self.random_state)
        size = _pair("patch_size", self.patch_size)
        size = min(size[0], images.shape[1]), min(size[1], images.shape[2])
        patches = draw_patches(patches_of(images, size), N_PATCHES, rng)[0]
        patches = patches.reshape(N_PATCHES, -1)
        # Patches of one value say nothing, and there are many of them in drawings.
        varying = patches[np.ptp(patches, axis=1) > 0]
        if not len(varying):
            msg = (
                f"X has images without contrast: each patch of {size[0]} x {size[1]} "
                f"has a single value (n_features = {rows.shape[1]})"
            )
            raise ValueError(msg)
        epsilon = self.epsilon * float(np.mean(np.var(patches, axis=1)))
        patches = normalized(patches, epsilon)
        metric = whitened(patches, self.whitening)
        exemplars = self._exemplars(normalized(varying, epsilon), metric, rng)
        filters, pairs = comparing_filters(
            metric, exemplars, patches, self.n_comparisons, rng
        )
        self.exemplars_ = exemplars.points
        self.pairs_ = pairs
        self.kernels_ = filters.kernels.reshape(*size, shape[2], -1).astype(images.dtype)
        self.intercepts_ = filters.bias.astype(images.dtype)
        self.epsilon_ = epsilon
        self.image_shape_ = shape
        counts = (
            (length - side) // self.stride + 1
            for length, side in zip(images.shape[1:3], size, strict=True)
        )
        grid = _pair("grid", self.grid)
        rows, columns = map(min, grid, counts)
        self.grid_ = rows, columns

    def _exemplars(
        self, patches: Floats, metric: Metric, rng: np.random.RandomState
    ) -> Exemplars:
        """Choose exemplars of normalized patches, all of one class."""
        n = len(patches)
        rows = distinct_rows(patches, np.zeros(n, dtype=np.intp), np.ones(n))
        k = min(self.n_exemplars, len(rows.index))
        if k < 2:
            msg = "X has a single patch, and two different ones are compared"
            raise ValueError(msg)
        return select_exemplars(self.exemplars, rows, metric, np.array([k]), rng)

    def transform(self, X: ArrayLike) -> Floats:
        """Compare the patches of images.

        Parameters
        ----------
        X : array of shape (n, height * width * channels), or of the shape of images

        Returns
        -------
        array of shape (n, n_features_out)
            In the precision of X. Blocks of images bound the memory in between.
        """
        how = POOLING[self.pooling]
        return self._in_blocks(X, lambda values, _: pooled(values, self.grid_, how))

    def contributions(self, X: ArrayLike, coef: ArrayLike) -> Floats:
        """Divide a linear function of the features among the patches of images.

        Parameters
        ----------
        X : array of shape (n, height * width * channels), or of the shape of images
        coef : array of shape (n_features_out,) or (n, n_features_out)
            The weight of each feature, for all images or for each.

        Returns
        -------
        array of shape (n, rows, columns)
            Of the patches from the top and from the left, in steps of ``stride``. Those
            of an image add up to ``transform(X) @ coef``. A maximum belongs to the first
            patch that has it.

        Raises
        ------
        ValueError
            If ``coef`` does not fit the features.
        """
        check_is_fitted(self)
        weights = np.asarray(coef, dtype=np.float64)
        shape, n_out = np.shape(weights), self._n_features_out
        n = len(self._rows(X, reset=False)[0])
        if shape not in {(n_out,), (n, n_out)}:
            msg = f"coef must have the shape {(n_out,)} or {(n, n_out)}, got {shape}"
            raise ValueError(msg)
        weights = np.broadcast_to(weights, (n, n_out))
        how = POOLING[self.pooling]
        return self._in_blocks(
            X, lambda values, part: placed(values, weights[part], self.grid_, how)
        )

    def responses(self, X: ArrayLike) -> Floats:
        """Return the responses of all filters before pooling.

        Parameters
        ----------
        X : array of shape (n, height * width * channels), or of the shape of images

        Returns
        -------
        array of shape (n, rows, columns, n_comparisons)
        """
        return self._in_blocks(X, lambda values, _: values)

    def _in_blocks(
        self, X: ArrayLike, of_block: Callable[[Floats, slice], Floats]
    ) -> Floats:
        """Return ``of_block(responses, images)`` of all images, from blocks of them."""
        check_is_fitted(self)
        rows, dimensions = self._rows(X, reset=False)
        _check_images(dimensions, self.image_shape_)
        images = self._padded(rows.reshape(-1, *self.image_shape_))
        size = self.kernels_.shape[0], self.kernels_.shape[1]
        flat = self.kernels_.reshape(-1, self.kernels_.shape[-1])
        filters = Filters(
            flat.astype(images.dtype), self.intercepts_.astype(images.dtype)
        )
        places = images.shape[1] * images.shape[2] // self.stride**2 + 1
        block = max(1, BLOCK_ELEMENTS // (places * sum(flat.shape)))
        result: Floats = np.empty(0)
        for part in gen_batches(len(images), block):
            of_filters = images[part], size, self.stride, filters, self.epsilon_
            found = of_block(responses(*of_filters), part)
            if part.start == 0:
                result = np.empty((len(images), *found.shape[1:]), found.dtype)
            result[part] = found
        return result

    @property
    def _n_features_out(self) -> int:
        n_cells: int = self.grid_[0] * self.grid_[1]
        return n_cells * len(POOLING[self.pooling]) * len(self.pairs_)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the features.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        array of shape (n_features_out,) of str
            Such as ``"mean nearer to patch 3 than to 17 at 0, 2"``, with the row and the
            column of the cell.
        """
        del input_features
        check_is_fitted(self)
        rows, columns = self.grid_
        names = [
            f"{how} nearer to patch {i} than to {j} at {row}, {column} ({p})"
            for row in range(rows)
            for column in range(columns)
            for how in POOLING[self.pooling]
            for p, (i, j) in enumerate(self.pairs_)
        ]
        return np.array(names, dtype=object)

    def _rows(self, X: ArrayLike, *, reset: bool) -> tuple[Array, tuple[int, ...]]:
        """Images as rows of numbers, and the shape that they were given in."""
        dimensions = np.shape(X) if hasattr(X, "ndim") and X.ndim > 2 else None
        if dimensions is not None:
            X = np.reshape(X, (dimensions[0], -1))
        rows = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        return rows, dimensions or rows.shape

    def _padded(self, images: Array) -> Array:
        side = (self.padding, self.padding)
        return np.pad(images, ((0, 0), side, side, (0, 0))) if self.padding else images

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _image_shape(dimensions: tuple[int, ...], given: Any) -> tuple[int, int, int]:
    """Height, width and channels of images in an array of this shape."""
    if given is None and len(dimensions) in {3, 4}:
        height, width, channels = (*dimensions[1:], 1)[:3]
        return height, width, channels
    columns = int(np.prod(dimensions[1:]))
    if given is None:
        side = int(np.sqrt(columns))
        if side * side != columns:
            msg = (
                f"image_shape must be given: X has {columns} columns, which are no "
                f"square image"
            )
            raise ValueError(msg)
        return side, side, 1
    accepted = "(height, width) or (height, width, channels)"
    if len(given) not in {2, 3} or not all(
        is_integer(side) and (side > 0 or side == -1) for side in given
    ):
        raise invalid_parameter("image_shape", given, accepted)
    shape = [int(side) for side in (*given, 1)[:3]]
    if shape.count(-1) == 1:
        known = -int(np.prod(shape))
        shape[shape.index(-1)] = max(columns // known, 1)
    if np.prod(shape) != columns or -1 in shape:
        msg = f"image_shape {tuple(given)} does not fit X, which has {columns} columns"
        raise ValueError(msg)
    height, width, channels = shape
    _check_images(dimensions, (height, width, channels))
    return height, width, channels


def _check_images(dimensions: tuple[int, ...], shape: tuple[int, int, int]) -> None:
    """Refuse images that are given in another shape."""
    if len(dimensions) > 2 and (*dimensions[1:], 1)[:3] != shape:
        msg = f"X has images of shape {dimensions[1:]}, and not of {shape}"
        raise ValueError(msg)


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = (value, value) if is_integer(value) else tuple(value)
    if len(pair) != 2 or not all(is_integer(side) and side > 0 for side in pair):
        raise invalid_parameter(name, value, "a positive int, or two of them")
    return int(pair[0]), int(pair[1])
