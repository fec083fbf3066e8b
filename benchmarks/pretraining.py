"""Train the basis networks: each from a basis network of the degree below.

At every step the output layer is the least squares solution for the present hidden layer
(variable projection: G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 1973). L-BFGS
therefore optimizes the hidden layer only, with the gradient of the network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import lstsq
from scipy.optimize import minimize

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.basis.networks import ACTIVATION, FILE, Blocks
from skmetricmlp.network import Dense, Network, forward

# L-BFGS-B stops by the decrease of the objective relative to the objective, or to one
# where the objective is smaller. Without this factor it would stop too early.
SCALE = 1e6
# Grid points along each axis to calculate errors on, by the number of axes.
GRID_POINTS = {1: 1001, 2: 101}


@dataclass(frozen=True)
class Settings:
    """Settings of the training of basis networks.

    Parameters
    ----------
    degree : int
        Highest total degree of the monomials.
    n_units : int
        Hidden units of each basis network.
    n_points : int
        Training points along each axis: the roots of the Chebyshev polynomial, which are
        denser toward the ends, where errors would be largest.
    penalty : float
        Half of the penalty times the sum of the squares of all weights and of the hidden
        biases is added to half the mean squared error. Without it, large weights that
        cancel would be more exact, but the first step of a later training would destroy
        this balance.
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
    """Train a network for each monomial, starting from one of the degree below.

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
    y = monomials(X, exponents)
    trained: dict[tuple[int, ...], tuple[Dense, Dense]] = {}
    start = random_hidden(n_inputs, settings.n_units, rng)
    for exponent, target in zip(exponents.tolist(), y.T, strict=True):
        below = trained.get(_below(exponent))
        hidden = start if below is None else below[0]
        trained[tuple(exponent)] = fitted_block(hidden, X, target, settings)
    parameters = zip(*(Network(b).parameters for b in trained.values()), strict=True)
    weights, bias, output_weights, output_bias = map(np.stack, parameters)
    return Blocks(exponents, weights, bias, output_weights[:, :, 0], output_bias[:, 0])


def exponents_up_to(n_inputs: int, degree: int) -> Ints:
    """Exponents (B, n_inputs) of all monomials but the constant, in order of degree.

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
    """Divide a monomial by its first variable, and return the exponents."""
    first = next(axis for axis, power in enumerate(exponent) if power)
    return tuple(power - (axis == first) for axis, power in enumerate(exponent))


def _chebyshev_points(n_inputs: int, n_points: int) -> Floats:
    axis = np.cos((np.arange(n_points) + 0.5) * np.pi / n_points)
    return np.stack(np.meshgrid(*[axis] * n_inputs), axis=-1).reshape(-1, n_inputs)


def random_hidden(n_inputs: int, n_units: int, rng: np.random.RandomState) -> Dense:
    """Draw Glorot's weights, and biases from -1 to 1 to spread the bends of the units."""
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
        Hidden layer to start from.
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
        activations = forward(hidden := hidden_of(flat), X)
        output = _best_output(activations, target, settings.penalty)
        residuals = output.affine(activations) - target[:, None]
        # The gradient with respect to the best output layer is zero, so its dependence
        # on the hidden layer adds nothing.
        network = Network((hidden, output))
        gradients = network.backward([X, activations], residuals / len(X))
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


def _best_output(hidden: Floats, target: Floats, penalty: float) -> Dense:
    """Minimize ``mean((hidden w + b - target)^2) + penalty ||w||^2``."""
    n, u = hidden.shape
    A = np.concatenate([hidden, np.ones((n, 1))], axis=1) / np.sqrt(n)
    ridge = np.sqrt(penalty) * np.eye(u, u + 1)
    response = np.concatenate([target / np.sqrt(n), np.zeros(u)])
    solution = lstsq(np.concatenate([A, ridge]), response)[0]
    return Dense(solution[:-1, None], solution[-1:], "identity")


def monomials(X: Floats, exponents: Ints) -> Floats:
    """``x_1^e_1 .. x_d^e_d`` (n, B) at the rows ``X`` (n, d), for ``exponents`` (B, d).

    Examples
    --------
    >>> monomials(np.array([[2.0, 3.0]]), np.array([[1, 0], [2, 1]]))
    array([[ 2., 12.]])
    """
    powers: Floats = np.prod(X[:, None, :] ** exponents, axis=2)
    return powers


def grid(n_inputs: int) -> Floats:
    """Equidistant points (n, n_inputs) of ``[-1, 1]^n_inputs``."""
    axis = np.linspace(-1.0, 1.0, GRID_POINTS[n_inputs])
    return np.stack(np.meshgrid(*[axis] * n_inputs), axis=-1).reshape(-1, n_inputs)


def errors(blocks: Blocks) -> tuple[Floats, Floats]:
    """Root mean squared error (B,) and largest error (B,) of the blocks on the grid."""
    X = grid(blocks.exponents.shape[1])
    deviations = blocks.outputs(X) - monomials(X, blocks.exponents)
    return np.sqrt(np.mean(deviations**2, axis=0)), np.max(np.abs(deviations), axis=0)


def description(
    blocks: Mapping[int, Blocks], settings: Mapping[int, Settings]
) -> dict[str, Any]:
    """Return settings and errors of the blocks, by number of variables."""
    written = {}
    for n_inputs, of_inputs in blocks.items():
        rms, largest = errors(of_inputs)
        written[str(n_inputs)] = {
            "settings": asdict(settings[n_inputs]),
            "rms_errors": rms.tolist(),
            "max_errors": largest.tolist(),
        }
    return written


def save_blocks(
    file: Path, blocks: Mapping[int, Blocks], settings: Mapping[str, Any]
) -> None:
    """Write blocks, by number of variables, and their :func:`description` to a file."""
    arrays = {
        f"{field.name}_{n_inputs}": getattr(of_inputs, field.name)
        for n_inputs, of_inputs in blocks.items()
        for field in fields(of_inputs)
    }
    np.savez(file, allow_pickle=False, settings=json.dumps(settings), **arrays)


def load_settings(file: Path = FILE) -> dict[str, Any]:
    """Load the :func:`description` of the blocks in a file."""
    with np.load(file) as data:
        settings: dict[str, Any] = json.loads(str(data["settings"]))
    return settings
