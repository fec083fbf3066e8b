"""What the least squares fits of the last layer share: centering, axes, left-out rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches
from threadpoolctl import threadpool_limits

from skmetricmlp._typing import Floats

__all__ = [
    "CenteredRows",
    "PrincipalAxes",
    "centered_rows",
    "left_out_residuals",
    "principal_axes",
]


TINY = float(np.finfo(float).eps)
BLOCK_ROWS = 1024


class CenteredRows(NamedTuple):
    """Rows less their weighted mean, times the square roots of their shares.

    With the best bias for each ``W``, the weighted mean squared error of
    ``values @ W + bias`` is ``||A W - Y||^2``.

    ``A`` (n, n_hidden), in the precision of the values; ``Y`` (n, n_targets); ``mean``
    (n_hidden,), ``target_mean`` (n_targets,) and ``shares`` (n,), which add up to one.
    """

    A: Floats
    Y: Floats
    mean: Floats
    target_mean: Floats
    shares: Floats

    def bias(self, W: Floats) -> Floats:
        """Bias (n_targets,) that is the best beside the weights ``W``."""
        return self.target_mean - self.mean @ W


def centered_rows(values: Floats, targets: Floats, weights: Floats) -> CenteredRows:
    """Eliminate the bias from a weighted least squares problem.

    Parameters
    ----------
    values : array of shape (n, n_hidden)
    targets : array of shape (n, n_targets)
    weights : array of shape (n,)
        All positive.

    Returns
    -------
    CenteredRows
    """
    shares = weights / weights.sum()
    roots = np.sqrt(shares)[:, None]
    A, mean = _centered(values, shares.astype(values.dtype))
    A *= roots.astype(values.dtype)
    Y, target_mean = _centered(targets, shares)
    return CenteredRows(A, roots * Y, mean, target_mean, shares)


def _centered(values: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """``values`` less their mean, and the mean.

    By way of their differences from the first row: a constant column is then exactly
    zero, and not what rounding leaves of it.
    """
    differences = values - values[0]
    mean = shares @ differences
    differences -= mean
    return differences, values[0] + mean


def left_out_residuals(
    U: Floats, shrinkages: Floats, Y: Floats, shares: Floats
) -> list[Floats]:
    """Residual of each row by the fit to all other rows, without fitting it.

    With the leverage h_x of a row, which is that of its values and of the bias, it is
    ``residual_x / (1 - h_x)`` (D. M. Allen, Technometrics 16, 1974).

    Parameters
    ----------
    U : array of shape (n, rank)
        Left singular vectors of the centered values.
    shrinkages : array of shape (n_fits, rank)
        Of each fit, what it leaves of the response along each of them.
    Y : array of shape (n, n_targets)
        Centered targets.
    shares : array of shape (n,)

    Returns
    -------
    list of n_fits arrays of shape (n, n_targets)
    """
    leverages = shrinkages @ (U**2).T + shares
    projected = U.T @ Y
    return [
        (Y - U @ (shrinkage[:, None] * projected))
        / np.maximum(1.0 - leverage, TINY)[:, None]
        for shrinkage, leverage in zip(shrinkages, leverages, strict=True)
    ]


class PrincipalAxes(NamedTuple):
    """``A = U sqrt(squares) V^T``, as far as the singular values are not zero.

    ``A`` (n, n_hidden); ``squares`` (rank,), rising. Of the singular vectors there are
    those of the shorter side alone, which are ``V`` (n_hidden, rank) unless ``A`` is
    ``wide``, and then ``U`` (n, rank): those of the other side are large, and what is
    wanted of them is their product with a few columns.
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
    if not np.isfinite(gram).all():  # which LAPACK does not check
        msg = (
            "X has columns that are too large, or differ by too little: hidden values, "
            "to which the output layer is fitted, overflow; scale its features"
        )
        raise ValueError(msg)
    # Thousands of small products, which threads slow down, the more the busier they are.
    with threadpool_limits(limits=1, user_api="blas"):
        squares, vectors = np.linalg.eigh(gram)
    kept = squares > squares.max(initial=0.0) * max(A.shape) * TINY
    return PrincipalAxes(A, squares[kept], vectors[:, kept], wide)


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
