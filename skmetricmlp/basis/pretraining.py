"""How the basis networks are made: each from the one of the degree below.

The output layer is the least squares solution for the hidden layer at every step
(variable projection: G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 1973), so that
L-BFGS sees the hidden layer only, and its gradient is the network's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lstsq
from scipy.optimize import minimize

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.basis.networks import ACTIVATION, Blocks, monomials
from skmetricmlp.network import Dense, Network, forward

__all__ = ["Settings", "exponents_up_to", "fitted_block", "pretrain", "random_hidden"]


# L-BFGS-B stops by the decrease of the objective, or of one where it is less.
SCALE = 1e6


@dataclass(frozen=True)
class Settings:
    """How to pretrain.

    Parameters
    ----------
    degree : int
        Highest total degree of the monomials.
    n_units : int
        Hidden units of each basis network.
    n_points : int
        Training points of each axis, the roots of the Chebyshev polynomial: denser
        toward the ends, where errors would be largest.
    penalty : float
        Of the squares of all weights, and of the hidden biases: half of it is added to
        half the mean squared error. Large weights that cancel would be more exact, and
        lost at the first step of a training.
    max_iter : int
    seed : int
    """

    degree: int
    n_units: int = 16
    n_points: int = 128
    penalty: float = 1e-9
    max_iter: int = 2000
    seed: int = 0


def pretrain(n_inputs: int, settings: Settings) -> Blocks:
    """Train a network for each monomial, started from one of the degree below.

    Parameters
    ----------
    n_inputs : {1, 2}
    settings : Settings

    Returns
    -------
    Blocks
    """
    rng = np.random.RandomState(settings.seed)
    exponents = exponents_up_to(n_inputs, settings.degree)
    X = _chebyshev_points(n_inputs, settings.n_points)
    targets = monomials(X, exponents)
    trained: dict[tuple[int, ...], tuple[Dense, Dense]] = {}
    start = random_hidden(n_inputs, settings.n_units, rng)
    for exponent, target in zip(exponents.tolist(), targets.T, strict=True):
        below = trained.get(_below(exponent))
        hidden = start if below is None else below[0]
        trained[tuple(exponent)] = fitted_block(hidden, X, target, settings)
    parameters = zip(*(Network(b).parameters for b in trained.values()), strict=True)
    weights, bias, output_weights, output_bias = map(np.stack, parameters)
    return Blocks(exponents, weights, bias, output_weights[:, :, 0], output_bias[:, 0])


def exponents_up_to(n_inputs: int, degree: int) -> Ints:
    """Exponents (B, n_inputs) of all monomials but the constant, by their degree.

    Examples
    --------
    >>> exponents_up_to(2, 2).tolist()
    [[1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    """
    table = np.indices((degree + 1,) * n_inputs).reshape(n_inputs, -1).T
    totals = table.sum(axis=1)
    order = np.lexsort((-table[:, 0], totals))
    kept: Ints = table[order[(totals[order] > 0) & (totals[order] <= degree)]]
    return kept


def _below(exponent: list[int]) -> tuple[int, ...]:
    """Exponents of the monomial without a factor of its first variable."""
    first = next(axis for axis, power in enumerate(exponent) if power)
    return tuple(power - (axis == first) for axis, power in enumerate(exponent))


def _chebyshev_points(n_inputs: int, n_points: int) -> Floats:
    axis = np.cos((np.arange(n_points) + 0.5) * np.pi / n_points)
    return np.stack(np.meshgrid(*[axis] * n_inputs), axis=-1).reshape(-1, n_inputs)


def random_hidden(n_inputs: int, n_units: int, rng: np.random.RandomState) -> Dense:
    """Glorot's weights, and biases from -1 to 1, so that units bend at many places."""
    bound = np.sqrt(6.0 / (n_inputs + n_units))
    weights = rng.uniform(-bound, bound, (n_inputs, n_units))
    return Dense(weights, rng.uniform(-1.0, 1.0, n_units), ACTIVATION)


def fitted_block(
    start: Dense, X: Floats, target: Floats, settings: Settings
) -> tuple[Dense, Dense]:
    """Train a network of one hidden layer.

    Parameters
    ----------
    start : Dense
        Its hidden layer before.
    X : array of shape (n, n_inputs)
    target : array of shape (n,)
    settings : Settings

    Returns
    -------
    hidden, output : Dense
    """
    shape = start.weights.shape

    def hidden_of(flat: Floats) -> Dense:
        n = start.weights.size
        return Dense(flat[:n].reshape(shape), flat[n:], start.activation)

    def value_and_gradient(flat: Floats) -> tuple[float, Floats]:
        values = forward(hidden := hidden_of(flat), X)
        output = _best_output(values, target, settings.penalty)
        residuals = output.affine(values) - target[:, None]
        # At the best output layer its own gradient is zero, and the way it moves with
        # the hidden layer adds nothing.
        gradients = Network((hidden, output)).backward([X, values], residuals / len(X))
        squares = np.sum(output.weights**2) + np.sum(flat**2)
        value = 0.5 * (np.mean(residuals**2) + settings.penalty * squares)
        gradient = np.concatenate([g.ravel() for g in gradients[:2]])
        return SCALE * float(value), SCALE * (gradient + settings.penalty * flat)

    found = minimize(
        value_and_gradient,
        np.concatenate([start.weights.ravel(), start.bias]),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": settings.max_iter,
            "maxfun": 2 * settings.max_iter,
            "maxcor": 30,
            "ftol": 1e-15,
            "gtol": 1e-9,
        },
    )
    hidden = hidden_of(found.x)
    output = _best_output(forward(hidden, X), target, settings.penalty)
    return hidden, output


def _best_output(values: Floats, target: Floats, penalty: float) -> Dense:
    """Minimize ``mean((values w + b - target)^2) + penalty ||w||^2``."""
    n, u = values.shape
    rows = np.concatenate([values, np.ones((n, 1))], axis=1) / np.sqrt(n)
    ridge = np.sqrt(penalty) * np.eye(u, u + 1)
    response = np.concatenate([target / np.sqrt(n), np.zeros(u)])
    solution = lstsq(np.concatenate([rows, ridge]), response)[0]
    return Dense(solution[:-1, None], solution[-1:], "identity")
