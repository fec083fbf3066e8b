"""The last layer in closed form, with weights of the mean square that suits training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from skmetricmlp._typing import Floats
from skmetricmlp.initialization.least_squares import (
    PrincipalAxes,
    centered,
    principal_axes,
)

__all__ = ["constrained_weights"]


TINY = float(np.finfo(float).eps)
# What is taken for zero, of the largest that there could be: some thousand roundings.
ZERO = 1e-12
MAX_ITERATIONS = 1000  # of a root find that needs some ten; one costs (rank,) additions


def constrained_weights(
    hidden: Floats,
    targets: Floats,
    sample_weight: Floats,
    variance: float,
    rng: np.random.RandomState,
) -> tuple[Floats, Floats]:
    """Minimize ``sum_x w_x ||hidden_x W + b - t_x||^2`` where ``mean(W^2) = variance``.

    With ``H`` and ``G`` the products of the centered values with themselves and with the
    centered targets, and the ``w_x`` adding up to one, the minimum is where::

        (H + mu I) W = G,    ||W||^2 = n_hidden n_targets variance,

    and ``H + mu I`` has no negative eigenvalue. So the multiplier ``mu`` may be negative,
    but not below minus the least eigenvalue of ``H``; from there on ``||W||`` falls with
    ``mu``, and one value of it fits. It is found in the eigenvectors of ``H``.

    In the *hard case* there is no such value: the least eigenvalue is ``-mu``, ``G`` has
    no part in its eigenvectors, and what is fitted to the others is too short. Whatever
    is added along these eigenvectors costs the same, so the length that is missing goes
    to normal random numbers there. The hard case is common: where rows are fewer than
    units, or units are constant or say the same as others do, the eigenvectors are what
    no row sees, and the error is that of least squares without a constraint.

    The output layer of I. de Pater, M. Mitici, Neural Networks 166, 2023. The equations:
    W. Gander, Numerische Mathematik 36, 1981, and G. H. Golub, U. von Matt, Numerische
    Mathematik 59, 1991; the hard case: J. J. Moré, D. C. Sorensen, SIAM Journal on
    Scientific and Statistical Computing 4, 1983.

    Parameters
    ----------
    hidden : array of shape (n, n_hidden)
        In single or double precision.
    targets : array of shape (n, n_targets)
    sample_weight : array of shape (n,)
        All positive.
    variance : float
        Positive; those of He and Glorot are in
        :func:`~skmetricmlp.initialization.baselines.weight_variance`.
    rng : numpy.random.RandomState
        Asked in the hard case alone.

    Returns
    -------
    W : array of shape (n_hidden, n_targets)
        In double precision, as ``b``.
    b : array of shape (n_targets,)

    Examples
    --------
    The best slope is 2; weights that have to be longer or shorter come as near to it as
    they can, and the bias makes up for what it can.

    >>> import numpy as np
    >>> from skmetricmlp.initialization.norm_constrained import constrained_weights
    >>> hidden, targets = np.array([[0.0], [1.0]]), np.array([[3.0], [5.0]])
    >>> rng = np.random.RandomState(0)
    >>> W, b = constrained_weights(hidden, targets, np.ones(2), 0.25, rng)
    >>> print(W.round(3), b.round(3))
    [[0.5]] [3.75]
    """
    A, Y, mean, target_mean, _ = centered(hidden, targets, sample_weight)
    shape = A.shape[1], Y.shape[1]
    if not all(shape):
        return np.zeros(shape), target_mean
    radius = float(np.sqrt(shape[0] * shape[1] * variance))
    axes = principal_axes(A)
    gaps, gradient, seen = _spectrum(axes, Y)
    shift = _shift(gaps[seen], np.linalg.norm(gradient[seen], axis=1), radius)
    coordinates = np.zeros_like(gradient)
    coordinates[seen] = gradient[seen] / (gaps[seen] + shift)[:, None]
    W = axes.weights(coordinates)
    if shift == 0.0:
        missing = np.sqrt(np.maximum(radius**2 - np.sum(W**2), 0.0))
        unseen = rng.normal(size=shape)
        unseen -= axes.weights(axes.coordinates(unseen) * seen[:, None])
        W += missing / np.linalg.norm(unseen) * unseen
    W *= radius / np.linalg.norm(W)  # one but for rounding
    return W, target_mean - mean @ W


def _spectrum(axes: PrincipalAxes, Y: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Problem in the eigenvectors of ``H``, which are the principal axes.

    Returns
    -------
    gaps : array of shape (rank,)
        Eigenvalues less the least, which is zero if the rank is not full.
    gradient : array of shape (rank, n_targets)
        Coordinates of ``G``.
    seen : bool array of shape (rank,)
        False for an axis of the least eigenvalue that ``G`` has no part in.
    """
    squares, gradient = axes.squares, axes.gradient(Y)
    full = len(squares) == axes.A.shape[1]
    gaps = squares - squares[0] if full else squares
    largest = squares.max(initial=0.0)
    longest = np.sqrt(largest) * np.linalg.norm(Y)  # that a coordinate of G could be
    lengths = np.linalg.norm(gradient, axis=1)
    return gaps, gradient, (gaps > ZERO * largest) | (lengths > ZERO * longest)


def _shift(gaps: Floats, lengths: Floats, radius: float) -> float:
    """Solve ``sum_i (lengths_i / (gaps_i + s))^2 = radius^2`` for ``s > 0``.

    Zero in the hard case, where the sum is too small for all ``s``. No term is more than
    the sum, and with no gaps it would be greater: this gives a bracket of the root. The
    root of the sum is what is inverted, since that is nearly linear in ``s``.

    Parameters
    ----------
    gaps : array of shape (rank,)
        None is negative; where one is zero, its length is not.
    lengths : array of shape (rank,)
    radius : float

    Returns
    -------
    float
    """
    lower = np.max(lengths / radius - gaps, initial=0.0)
    if lower == 0.0 and np.linalg.norm(lengths / gaps) <= radius:
        return 0.0
    return float(
        brentq(
            lambda s: 1.0 / np.linalg.norm(lengths / (gaps + s)) - 1.0 / radius,
            lower / 2.0,  # by half and twice, for rounding
            2.0 * np.linalg.norm(lengths) / radius,
            xtol=TINY * (lower + gaps.min()),
            rtol=4 * TINY,
            maxiter=MAX_ITERATIONS,
        )
    )
