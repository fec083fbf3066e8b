"""Basis networks: small networks that were trained, once, to be the monomials.

One for each monomial ``x_1^e_1 .. x_d^e_d`` up to a degree, on the reference domain
``[-1, 1]^d``: one hidden layer of GELU units and one output. The file ``blocks.npz``
beside this module has them; :mod:`skmetricmlp.basis.pretraining` made it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.network import Dense, Network

__all__ = [
    "ACTIVATION",
    "FILE",
    "Blocks",
    "errors",
    "grid",
    "load_blocks",
    "load_settings",
    "monomials",
    "save_blocks",
]


ACTIVATION = "gelu"
FILE = Path(str(files(__package__))) / "blocks.npz"
# Points of an axis on which errors are taken, by the number of axes.
GRID_POINTS = {1: 1001, 2: 101}


@dataclass(frozen=True)
class Blocks:
    """Basis networks of ``d`` inputs and ``u`` hidden units, B of them.

    Parameters
    ----------
    exponents : int array of shape (B, d)
        The monomials, in the order of their degrees.
    weights : array of shape (B, d, u)
    bias : array of shape (B, u)
    output_weights : array of shape (B, u)
    output_bias : array of shape (B,)
    """

    exponents: Ints
    weights: Floats
    bias: Floats
    output_weights: Floats
    output_bias: Floats

    @property
    def degree(self) -> int:
        """Highest degree."""
        return int(self.exponents.sum(axis=1).max())

    def up_to(self, degree: int) -> Blocks:
        """Return the blocks of no higher degree.

        Raises
        ------
        ValueError
            If ``degree`` is not from 1 to the highest degree that there is.
        """
        if not 1 <= degree <= self.degree:
            n_inputs = self.exponents.shape[1]
            msg = (
                f"degree must be from 1 to {self.degree} for functions of {n_inputs} "
                f"variable{'s' if n_inputs > 1 else ''}, got {degree}"
            )
            raise ValueError(msg)
        kept = self.exponents.sum(axis=1) <= degree
        return Blocks(*(getattr(self, field.name)[kept] for field in fields(self)))

    def network(self, index: int) -> Network:
        """Return one of the basis networks."""
        output = Dense(
            self.output_weights[index][:, None], self.output_bias[[index]], "identity"
        )
        hidden = Dense(self.weights[index], self.bias[index], ACTIVATION)
        return Network((hidden, output))

    def hidden(self) -> Dense:
        """Return the hidden layers side by side: one of ``B u`` units."""
        weights = self.weights.transpose(1, 0, 2).reshape(self.weights.shape[1], -1)
        return Dense(weights, self.bias.ravel(), ACTIVATION)

    def outputs(self, X: Floats) -> Floats:
        """Values (n, B) of all basis networks at ``X`` (n, d)."""
        networks = (self.network(k) for k in range(len(self.exponents)))
        return np.concatenate([network.forward(X) for network in networks], axis=1)


@cache
def load_blocks(n_inputs: int) -> Blocks:
    """Load the pretrained basis networks for functions of so many variables.

    Parameters
    ----------
    n_inputs : {1, 2}

    Returns
    -------
    Blocks
        Of read-only arrays.

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> load_blocks(2).up_to(2).exponents.tolist()
    [[1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    """
    if n_inputs not in GRID_POINTS:
        msg = f"there are basis networks for X of 1 or 2 features, got {n_inputs}"
        raise ValueError(msg)
    with np.load(FILE) as data:
        arrays = [data[f"{field.name}_{n_inputs}"] for field in fields(Blocks)]
    for array in arrays:
        array.flags.writeable = False
    return Blocks(*arrays)


def load_settings() -> dict[str, Any]:
    """Load how the blocks were made, and their errors, both by number of variables."""
    with np.load(FILE) as data:
        settings: dict[str, Any] = json.loads(str(data["settings"]))
    return settings


def save_blocks(
    file: Path, blocks: Mapping[int, Blocks], settings: Mapping[str, Any]
) -> None:
    """Write blocks, by number of variables, and a description of how they were made."""
    arrays = {
        f"{field.name}_{n_inputs}": getattr(of_inputs, field.name)
        for n_inputs, of_inputs in blocks.items()
        for field in fields(of_inputs)
    }
    np.savez(file, allow_pickle=False, settings=json.dumps(settings), **arrays)


def monomials(X: Floats, exponents: Ints) -> Floats:
    """``x_1^e_1 .. x_d^e_d`` (n, B) of the rows ``X`` (n, d), for ``exponents`` (B, d).

    Examples
    --------
    >>> monomials(np.array([[2.0, 3.0]]), np.array([[1, 0], [2, 1]]))
    array([[ 2., 12.]])
    """
    powers: Floats = np.prod(X[:, None, :] ** exponents, axis=2)
    return powers


def grid(n_inputs: int) -> Floats:
    """Points (n, n_inputs) at equal distances, in ``[-1, 1]^n_inputs``."""
    axis = np.linspace(-1.0, 1.0, GRID_POINTS[n_inputs])
    return np.stack(np.meshgrid(*[axis] * n_inputs), axis=-1).reshape(-1, n_inputs)


def errors(blocks: Blocks) -> tuple[Floats, Floats]:
    """Root of the mean squared error, and largest error, of each block on the grid."""
    X = grid(blocks.exponents.shape[1])
    deviations = blocks.outputs(X) - monomials(X, blocks.exponents)
    return np.sqrt(np.mean(deviations**2, axis=0)), np.max(np.abs(deviations), axis=0)
