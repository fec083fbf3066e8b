"""Least squares of the output layer: centering, principal axes, left-out residuals."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg.blas import dsyrk
from sklearn.utils import gen_batches

from skmetricmlp._array_api import HOST, Device, to_numpy
from skmetricmlp._threads import one_thread
from skmetricmlp._typing import Array, Floats

__all__ = [
    "LEAST_DEVIATION",
    "NormalEquations",
    "PrincipalAxes",
    "Sums",
    "centered",
    "check_finite",
    "left_out_residuals",
    "normal_equations",
    "principal_axes",
    "summed",
    "unit_scale",
]


TINY = float(np.finfo(float).eps)
BLOCK_ROWS = 1024
# Least deviation of a hidden unit, in units of the median: one that is nearly constant in
# some rows may be large in others.
LEAST_DEVIATION = 0.1


def centered(
    hidden: Floats, targets: Floats, sample_weight: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Eliminate the bias from a weighted least squares problem.

    With the best bias for each ``W``, the weighted mean squared error of
    ``hidden @ W + bias`` is ``||A W - Y||^2``. That bias is ``target_mean - mean @ W``.

    Parameters
    ----------
    hidden : array of shape (n, n_hidden)
    targets : array of shape (n, n_targets)
    sample_weight : array of shape (n,)
        All positive.

    Returns
    -------
    A : array of shape (n, n_hidden)
        ``hidden`` less its weighted mean, times the square roots of the shares, in the
        precision of ``hidden``.
    Y : array of shape (n, n_targets)
        The targets likewise.
    mean : array of shape (n_hidden,)
    target_mean : array of shape (n_targets,)
    shares : array of shape (n,)
        The weights, divided by their sum.
    """
    shares = sample_weight / sample_weight.sum()
    roots = np.sqrt(shares)[:, None]
    A, mean = _centered(hidden, shares.astype(hidden.dtype))
    A *= roots.astype(hidden.dtype)
    Y, target_mean = _centered(targets, shares)
    return A, roots * Y, mean, target_mean, shares


def _centered(columns: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Columns less their mean, and the mean.

    The first row is subtracted first, so that a constant column is exactly zero.
    """
    differences = columns - columns[0]
    mean = shares @ differences
    differences -= mean
    return differences, columns[0] + mean


def left_out_residuals(
    U: Floats, shrinkages: Floats, projected: Floats, Y: Floats, shares: Floats
) -> list[Floats]:
    """Residual of each row by the fit to all other rows, without fitting it.

    With the leverage h_x of a row, the bias included, the residual is
    ``residual_x / (1 - h_x)`` (D. M. Allen, Technometrics 16, 1974).

    Parameters
    ----------
    U : array of shape (n, rank)
        Left singular vectors of the centered hidden values, or some rows of them.
    shrinkages : array of shape (n_fits, rank)
        Factor of the response along each of them, in each fit.
    projected : array of shape (rank, n_targets)
        ``U^T Y`` of all rows.
    Y : array of shape (n, n_targets)
        Centered targets of the rows of U.
    shares : array of shape (n,)

    Returns
    -------
    list of n_fits arrays of shape (n, n_targets)
    """
    leverages = shrinkages @ (U**2).T + shares
    return [
        (Y - U @ (shrinkage[:, None] * projected))
        / np.maximum(1.0 - leverage, TINY)[:, None]
        for shrinkage, leverage in zip(shrinkages, leverages, strict=True)
    ]


class Sums(NamedTuple):
    """What a least squares problem needs of its rows: sums over them.

    The sums of two sets of rows are the sums of all their rows, and no row is kept.

    Parameters
    ----------
    weight : float
        ``sum_x w_x``.
    triangle : array of shape (n_hidden, n_hidden)
        Upper triangle of ``sum_x w_x a_x a_x^T``, of the hidden values ``a_x`` less a
        center, which is the same for all rows.
    response : array of shape (n_hidden, n_targets)
        ``sum_x w_x a_x t_x^T``.
    hidden : array of shape (n_hidden,)
        ``sum_x w_x a_x``.
    targets : array of shape (n_targets,)
        ``sum_x w_x t_x``.
    square : float
        ``sum_x w_x ||t_x||^2``.
    """

    weight: float
    triangle: Floats
    response: Floats
    hidden: Floats
    targets: Floats
    square: float

    @classmethod
    def of_no_rows(cls, n_hidden: int, n_targets: int) -> Sums:
        """Return sums that are zero."""
        triangle = np.zeros((n_hidden, n_hidden), order="F")
        response, hidden = np.zeros((n_hidden, n_targets)), np.zeros(n_hidden)
        return cls(0.0, triangle, response, hidden, np.zeros(n_targets), 0.0)

    def plus(self, other: Sums) -> Sums:
        """Return the sums over the rows of both."""
        pairs: Any = zip(self, other, strict=True)
        return Sums(*(mine + theirs for mine, theirs in pairs))

    def scaled(self, factor: float) -> Sums:
        """Return the sums with all weights times a factor."""
        parts: Any = self
        return Sums(*(factor * part for part in parts))


def summed(
    blocks: Iterable[Floats],
    targets: Floats,
    sample_weight: Floats,
    center: Floats,
    before: Sums | None = None,
    factor: float = 1.0,
    device: Device = HOST,
) -> Sums:
    """Add up the sums of a least squares problem, in double precision.

    Parameters
    ----------
    blocks : iterable of arrays of shape (m, n_hidden)
        Hidden values of consecutive rows. They are overwritten if in double precision.
    targets : array of shape (n, n_targets)
    sample_weight : array of shape (n,)
        All positive.
    center : array of shape (n_hidden,)
        About the mean. It is subtracted from every row, because the sums of values that
        are far from zero would lose digits.
    before : Sums, optional
        Sums over other rows, which are added. They are not changed.
    factor : float, default=1.0
        Of the rows, not of those before: -1 takes them away.
    device : Device, optional
        Where the blocks are. All else is on the host.

    Returns
    -------
    Sums
    """
    before = before or Sums.of_no_rows(len(center), targets.shape[1])
    roots = np.sqrt(sample_weight.astype(np.float64))
    weighted = roots[:, None] * targets
    # The sum of the hidden values is their product with ones.
    columns = np.column_stack([weighted, roots])
    of_blocks = _host_products if device == HOST else partial(_device_products, device)
    triangle, products = of_blocks(
        blocks, roots, columns, center, before.triangle, factor
    )
    return Sums(
        before.weight + factor * float(roots @ roots),
        triangle,
        before.response + factor * products[:, :-1],
        before.hidden + factor * products[:, -1],
        before.targets + factor * (roots @ weighted),
        before.square + factor * float(np.sum(weighted**2)),
    )


def _host_products(
    blocks: Iterable[Floats],
    roots: Floats,
    columns: Floats,
    center: Floats,
    triangle: Floats,
    factor: float,
) -> tuple[Floats, Floats]:
    """Products of weighted hidden values with themselves and with columns.

    Those with themselves are added to a copy of the triangle.
    """
    products = np.zeros((len(center), columns.shape[1]))
    triangle, start = triangle.copy(order="F"), 0
    for block in blocks:
        rows = slice(start, start + len(block))
        A = block.astype(np.float64, copy=False)
        A -= center
        if not np.all(roots[rows] == 1.0):
            A *= roots[rows, None]
        products += A.T @ columns[rows]
        # In place, without an array of this size for each block.
        by_column = A.flags.f_contiguous
        triangle = dsyrk(
            factor,
            A if by_column else A.T,
            beta=1.0,
            c=triangle,
            trans=by_column,
            overwrite_c=True,
        )
        start = rows.stop
    return triangle, products


def _device_products(
    device: Device,
    blocks: Iterable[Array],
    roots: Floats,
    columns: Floats,
    center: Floats,
    triangle: Floats,
    factor: float,
) -> tuple[Floats, Floats]:
    """Calculate the same on a device, in double precision; the result is on the host."""
    xp = device.namespace
    middle, scale, right = map(device.move, (center, roots[:, None], columns))
    gram = xp.zeros((len(center), len(center)), dtype=xp.float64, device=device.device)
    products, start = xp.zeros_like(middle[:, None] * right[:1, :]), 0
    for block in blocks:
        rows = slice(start, start + block.shape[0])
        A = (xp.astype(block, xp.float64) - middle) * scale[rows, :]
        products += A.T @ right[rows, :]
        gram += A.T @ A
        start = rows.stop
    added = np.triu(to_numpy(gram))
    return np.asfortranarray(triangle + factor * added), to_numpy(products)


class NormalEquations(NamedTuple):
    """A weighted least squares problem without its bias, and without its rows.

    Hidden values are in units of ``scale``, so that a ridge is on weights of units that
    vary alike, and targets are less their mean.

    Parameters
    ----------
    gram : array of shape (n_hidden, n_hidden)
        ``A^T A`` of the centered hidden values A of :func:`centered`.
    response : array of shape (n_hidden, n_targets)
        ``A^T Y`` of the centered targets Y.
    mean : array of shape (n_hidden,)
    target_mean : array of shape (n_targets,)
    square : float
        ``||Y||^2``.
    scale : array of shape (n_hidden,)
    weight : float
        Sum of the weights of all rows.
    """

    gram: Floats
    response: Floats
    mean: Floats
    target_mean: Floats
    square: float
    scale: Floats
    weight: float


def normal_equations(
    sums: Sums, center: Floats, least: float = LEAST_DEVIATION
) -> NormalEquations:
    """Eliminate the bias from the sums, and divide hidden values by their deviation.

    Parameters
    ----------
    sums : Sums
    center : array of shape (n_hidden,)
        What was subtracted from the hidden values.
    least : float, default=0.1
        Least deviation, in units of the median.

    Returns
    -------
    NormalEquations
    """
    mean, target_mean = sums.hidden / sums.weight, sums.targets / sums.weight
    gram = np.triu(sums.triangle) / sums.weight
    gram += np.triu(gram, 1).T
    # Rounding errors of the difference are of this size, and may not make it indefinite.
    rounding = len(center) * TINY * np.diagonal(gram)
    gram -= np.outer(mean, mean)
    gram[np.diag_indices_from(gram)] += rounding
    response = sums.response / sums.weight - np.outer(mean, target_mean)
    square = max(sums.square / sums.weight - float(target_mean @ target_mean), 0.0)
    scale = unit_scale(np.sqrt(np.maximum(np.diagonal(gram), 0.0)), least)
    gram /= scale
    gram /= scale[:, None]
    response /= scale[:, None]
    mean = (center + mean) / scale
    return NormalEquations(gram, response, mean, target_mean, square, scale, sums.weight)


def unit_scale(deviation: Floats, least: float = LEAST_DEVIATION) -> Floats:
    """Deviations (n_hidden,) to divide hidden values by, and ``least`` of their median.

    Those of zero become one where ``least`` is zero.
    """
    varying = deviation[deviation > 0]
    floor = least * float(np.median(varying)) if len(varying) else 1.0
    scale = np.maximum(deviation, floor)
    return np.where(scale > 0, scale, 1.0)


class PrincipalAxes(NamedTuple):
    """``A = U sqrt(squares) V^T``, for the singular values above zero.

    ``A`` (n, n_hidden); ``squares`` (rank,), in rising order. ``vectors`` are the
    singular vectors of the shorter side: ``U`` (n, rank) if ``A`` is ``wide``, otherwise
    ``V`` (n_hidden, rank). Those of the other side are large, and only their products
    with a few columns are needed.
    """

    A: Floats
    squares: Floats
    vectors: Floats
    wide: bool

    def left(self) -> Floats:
        """``U`` (n, rank), in the precision of ``A``."""
        if self.wide:
            return self.vectors.astype(self.A.dtype)
        return self.A @ (self.vectors / np.sqrt(self.squares)).astype(self.A.dtype)

    def gradient(self, Y: Floats) -> Floats:
        """``V^T A^T Y`` (rank, n_targets)."""
        if self.wide:
            return np.sqrt(self.squares)[:, None] * (self.vectors.T @ Y)
        return self.vectors.T @ _product(self.A, Y)

    def coordinates(self, W: Floats) -> Floats:
        """``V^T W`` (rank, n_targets)."""
        if self.wide:
            roots = np.sqrt(self.squares)[:, None]
            return self.vectors.T @ _product(self.A.T, W) / roots
        return self.vectors.T @ W

    def weights(self, coordinates: Floats) -> Floats:
        """``V coordinates`` (n_hidden, n_targets)."""
        if self.wide:
            roots = np.sqrt(self.squares)[:, None]
            return _product(self.A, self.vectors @ (coordinates / roots))
        return self.vectors @ coordinates


def principal_axes(A: Floats) -> PrincipalAxes:
    """Decompose ``A`` (n, n_hidden) by the smaller of ``A A^T`` and ``A^T A``.

    Several times faster than a singular value decomposition. Singular values below some
    ``1e-6`` of the largest are lost, as their squares are in the Gram matrix.

    Raises
    ------
    ValueError
        If squares of ``A`` overflow, or it has values that are not finite.
    """
    wide = A.shape[0] <= A.shape[1]
    gram = _gram(A.T if wide else A)
    check_finite(gram)
    # It consists of thousands of small products, which threads slow down.
    with one_thread("blas"):
        squares, vectors = np.linalg.eigh(gram)
    kept = squares > squares.max(initial=0.0) * max(A.shape) * TINY
    return PrincipalAxes(A, squares[kept], vectors[:, kept], wide)


def check_finite(gram: Floats) -> None:
    """Refuse a Gram matrix that is not finite, which LAPACK does not check.

    Raises
    ------
    ValueError
    """
    if not np.isfinite(gram).all():
        msg = (
            "X has columns that are too large or differ by too little: the hidden values "
            "that the output layer is fitted to overflow; scale its features"
        )
        raise ValueError(msg)


def _gram(A: Floats) -> Floats:
    """``A^T A`` in double precision, by blocks of rows: ``A`` may be large."""
    gram = np.zeros((A.shape[1], A.shape[1]))
    for rows in gen_batches(A.shape[0], BLOCK_ROWS):
        block = A[rows].astype(np.float64)
        gram += block.T @ block  # of an array with itself, at half the cost
    return gram


def _product(A: Floats, B: Floats) -> Floats:
    """``A^T B`` in double precision, by blocks of rows."""
    product = np.zeros((A.shape[1], B.shape[1]))
    for rows in gen_batches(A.shape[0], BLOCK_ROWS):
        product += A[rows].astype(np.float64).T @ B[rows]
    return product
