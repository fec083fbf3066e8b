"""Basis networks: small networks that were trained in advance to be monomials.

There is one for each monomial ``x_1^e_1 .. x_d^e_d`` up to a degree, on the reference
domain ``[-1, 1]^d``. It has one hidden layer of GELU units and one output. The file
``blocks.npz`` beside this module holds their weights; ``benchmarks/pretrain_basis.py``
made this file.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.network import Dense, Network

__all__ = [
    "ACTIVATION",
    "FILE",
    "Blocks",
    "load_blocks",
]


ACTIVATION = "gelu"
FILE = Path(str(files(__package__))) / "blocks.npz"
# Numbers of variables for which there are basis networks.
N_VARIABLES = (1, 2)


@dataclass(frozen=True)
class Blocks:
    """B basis networks with ``d`` inputs and ``u`` hidden units each.

    Parameters
    ----------
    exponents : int array of shape (B, d)
        Exponents of the monomials, in order of degree.
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
        """Return the blocks up to a degree.

        Raises
        ------
        ValueError
            If ``degree`` is not from 1 to the highest degree of these blocks.
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
        """Return one layer of ``B u`` units: all hidden layers side by side."""
        weights = self.weights.transpose(1, 0, 2).reshape(self.weights.shape[1], -1)
        return Dense(weights, self.bias.ravel(), ACTIVATION)

    def outputs(self, X: Floats) -> Floats:
        """Output (n, B) of all basis networks at ``X`` (n, d)."""
        networks = (self.network(k) for k in range(len(self.exponents)))
        return np.concatenate([network.forward(X) for network in networks], axis=1)


@cache
def load_blocks(n_inputs: int) -> Blocks:
    """Load the basis networks for functions of one or two variables.

    Parameters
    ----------
    n_inputs : {1, 2}

    Returns
    -------
    Blocks
        With read-only arrays.

    Raises
    ------
    ValueError
        If there are no basis networks for that number of variables.

    Examples
    --------
    >>> load_blocks(2).up_to(2).exponents.tolist()
    [[1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    """
    if n_inputs not in N_VARIABLES:
        msg = f"there are basis networks for X of 1 or 2 features, got {n_inputs}"
        raise ValueError(msg)
    with np.load(FILE) as data:
        arrays = [data[f"{field.name}_{n_inputs}"] for field in fields(Blocks)]
    for array in arrays:
        array.flags.writeable = False
    return Blocks(*arrays)
