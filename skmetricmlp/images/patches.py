"""Patches of images: where they are, their contrast, and filters that compare two.

The normalization and the whitening of patches, and the cells of a grid, are those of
A. Coates, A. Ng, H. Lee (AISTATS 2011). They slide distances from centers over an image.
Here it is the difference of two distances, which is affine, and so a convolution.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization.comparisons import comparison_layer, draw_comparisons
from skmetricmlp.metrics import Metric
from skmetricmlp.metrics.formulas import linear_map

__all__ = [
    "Filters",
    "cells",
    "centered_and_deviation",
    "comparing_filters",
    "draw_patches",
    "normalized",
    "patches_of",
    "placed",
    "pooled",
    "responses",
    "whitened",
]

Pair = tuple[int, int]
TINY = float(np.finfo(np.float32).tiny)


class Filters(NamedTuple):
    """P filters of patches with d values.

    Attributes
    ----------
    kernels : array of shape (d, P)
        Each has the sum zero, so that the mean of a patch does not matter.
    bias : array of shape (P,)
    """

    kernels: Floats
    bias: Floats


def patches_of(
    images: Array, size: Pair, stride: Pair | int = 1, dilation: Pair | int = 1
) -> Array:
    """View all patches of images.

    Parameters
    ----------
    images : array of shape (n, height, width, channels)
    size : tuple of two ints
        Height and width of a patch.
    stride, dilation : int or tuple of two ints, default=1
        Steps between patches, and between the pixels of a patch, down and to the right.

    Returns
    -------
    array of shape (n, rows, columns, size[0], size[1], channels)
        It has no rows or columns where the images are smaller than a patch.
    """
    strides, steps = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    spans = tuple(steps * (np.array(size) - 1) + 1)
    if (np.array(images.shape[1:3]) < spans).any():
        return np.empty((len(images), 0, 0, *size, images.shape[3]), images.dtype)
    views = sliding_window_view(images, spans, axis=(1, 2))
    views = views[:, :: strides[0], :: strides[1], :, :: steps[0], :: steps[1]]
    return views.transpose(0, 1, 2, 4, 5, 3)


def draw_patches(views: Array, n: int, rng: np.random.RandomState) -> tuple[Floats, Ints]:
    """Draw patches from any place of any image.

    Parameters
    ----------
    views : array of shape (n_images, rows, columns, height, width, channels)
        Of :func:`patches_of`.
    n : int
    rng : numpy.random.RandomState

    Returns
    -------
    patches : array of shape (n, height, width, channels)
        In double precision.
    of_image : int array of shape (n,)
        The image of each.
    """
    at = tuple(rng.randint(length, size=n) for length in views.shape[:3])
    return views[at].astype(np.float64), at[0]


def centered_and_deviation(patches: Floats, epsilon: float) -> tuple[Floats, Floats]:
    """Subtract the mean of each patch (n, d), and return its deviation (n,) too.

    The deviation is the root of the variance plus ``epsilon``, so that a patch of nearly
    one value is not blown up.
    """
    centered = patches - patches.mean(axis=1, keepdims=True)
    return centered, np.sqrt(np.mean(centered**2, axis=1) + epsilon)


def normalized(patches: Floats, epsilon: float) -> Floats:
    """Subtract the mean of each patch (n, d), and divide by its deviation."""
    centered, deviation = centered_and_deviation(patches, epsilon)
    result: Floats = centered / deviation[:, None]
    return result


def whitened(patches: Floats, regularization: float | None) -> Metric:
    """Return the squared Euclidean distance of whitened patches.

    The patches (n, d) are mapped by the symmetric matrix
    ``(C + regularization * I)^(-1/2)``, with their covariance C in units of its mean
    variance: zero-phase component analysis (A. Bell, T. Sejnowski, Vision Research 37,
    1997). With None they stay as they are.
    """
    d = patches.shape[1]
    L = np.eye(d)
    if regularization is not None:
        covariance = np.atleast_2d(np.cov(patches, rowvar=False, bias=True))
        covariance /= max(np.trace(covariance) / d, TINY)
        values, vectors = np.linalg.eigh(covariance)
        roots = np.sqrt(np.maximum(values, 0.0) + regularization)
        L = (vectors / roots) @ vectors.T
    return Metric("whitened", linear_map, {"L": L})


def comparing_filters(
    metric: Metric,
    exemplars: Exemplars,
    patches: Floats,
    n: int,
    rng: np.random.RandomState,
) -> tuple[Filters, Ints]:
    """Make filters that are positive where a patch is nearer to one of two exemplars.

    Parameters
    ----------
    metric : Metric
    exemplars : Exemplars
        Normalized patches.
    patches : array of shape (n_patches, d)
        Normalized ones. Each filter has the deviation one on them.
    n : int
        Number of filters.
    rng : numpy.random.RandomState

    Returns
    -------
    filters : Filters
    pairs : int array of shape (n, 2)
        The two exemplars of each.
    """
    drawn = draw_comparisons(exemplars, np.arange(patches.shape[1]), n, None, rng)
    sample = patches, np.ones(len(patches))
    layer, _ = comparison_layer(drawn, metric, exemplars, sample, "relu", 0)
    # The mean of a normalized patch is zero. So the mean of a kernel has no effect.
    kernels = layer.weights - layer.weights.mean(axis=0)
    return Filters(kernels, layer.bias), np.stack([drawn.first, drawn.second], axis=1)


def responses(
    images: Array, size: tuple[int, int], stride: int, filters: Filters, epsilon: float
) -> Floats:
    """Slide filters over images: ``relu(normalized(patch) @ kernels + bias)``.

    The kernels have the sum zero, so that only the deviation of each patch is needed.

    Parameters
    ----------
    images : array of shape (n, height, width, channels)
    size : tuple of two ints
    stride : int
    filters : Filters
        In the precision of the images.
    epsilon : float
        Added to the variance of a patch.

    Returns
    -------
    array of shape (n, rows, columns, P)
    """
    views = patches_of(images, size, stride)
    patches = views.reshape(-1, filters.kernels.shape[0])
    mean = patches.mean(axis=1)
    squares = np.einsum("ij,ij->i", patches, patches) / patches.shape[1]
    deviation = np.sqrt(np.maximum(squares - mean**2, 0.0) + epsilon)
    z = patches @ filters.kernels
    z /= deviation[:, None]
    z += filters.bias
    np.maximum(z, 0.0, out=z)
    result: Floats = z.reshape(*views.shape[:3], -1)
    return result


def pooled(values: Floats, grid: tuple[int, int], how: tuple[str, ...]) -> Floats:
    """Summarize values in the cells of a grid.

    Parameters
    ----------
    values : array of shape (n, rows, columns, P)
    grid : tuple of two ints
        Cells in the height and in the width, of nearly equal size.
    how : tuple of {"mean", "max"}

    Returns
    -------
    array of shape (n, grid[0] * grid[1] * len(how) * P)
        In the order of this product: an image of the cells.
    """
    n, P = len(values), values.shape[-1]
    of_cells = (
        values[:, rows, columns].reshape(n, -1, P)
        for rows, columns in cells(values.shape[1:3], grid)
    )
    found = [
        cell.mean(axis=1) if name == "mean" else cell.max(axis=1)
        for cell in of_cells
        for name in how
    ]
    return np.concatenate(found, axis=1)


def placed(
    values: Floats, coef: Floats, grid: tuple[int, int], how: tuple[str, ...]
) -> Floats:
    """Divide ``pooled(values, grid, how) @ coef`` among the places of the patches.

    A maximum belongs to the first place that has it.

    Parameters
    ----------
    values : array of shape (n, rows, columns, P)
    coef : array of shape (n, n_features) or (n_features,)
        The weight of each feature of :func:`pooled`, for all images or for each.
    grid : tuple of two ints
    how : tuple of {"mean", "max"}

    Returns
    -------
    array of shape (n, rows, columns)
    """
    n, P = len(values), values.shape[-1]
    places = np.zeros(values.shape[:3], dtype=np.result_type(values, coef))
    weights = np.broadcast_to(coef, (n, np.shape(coef)[-1])).reshape(n, -1, len(how), P)
    for i, (rows, columns) in enumerate(cells(values.shape[1:3], grid)):
        part = places[:, rows, columns]
        cell = values[:, rows, columns].reshape(n, -1, P)
        of_places = np.zeros(cell.shape[:2], dtype=places.dtype)
        for name, weight in zip(how, weights[:, i].transpose(1, 0, 2), strict=True):
            if name == "mean":
                of_places += np.einsum("ikp,ip->ik", cell, weight) / cell.shape[1]
                continue
            at = np.arange(n)[:, None], cell.argmax(axis=1)
            np.add.at(of_places, at, weight * cell.max(axis=1))
        part += of_places.reshape(part.shape)
    return places


def cells(size: tuple[int, ...], grid: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Return the rows and the columns of each cell of a grid over so many places."""
    rows, columns = (
        [slice(*ends) for ends in pairwise(np.linspace(0, length, n + 1).astype(int))]
        for length, n in zip(size, grid, strict=True)
    )
    return [(row, column) for row in rows for column in columns]
