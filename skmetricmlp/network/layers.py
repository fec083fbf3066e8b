"""One layer: an affine map followed by an activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from skmetricmlp.network.activations import ACTIVATIONS

__all__ = ["Dense"]

Array = Any


@dataclass(frozen=True)
class Dense:
    """Every output reads every input: ``a = f(x @ weights + bias)``.

    Parameters
    ----------
    weights : array of shape (n_in, n_out)
    bias : array of shape (n_out,)
    activation : str
        A key of :data:`~skmetricmlp.network.activations.ACTIVATIONS`.
    """

    weights: Array
    bias: Array
    activation: str

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, n_out) of ``x`` (n, n_in), dense or SciPy sparse."""
        z = x @ self.weights
        z += self.bias
        return z

    def forward(self, x: Array) -> Array:
        """Activation ``a`` (n, n_out) of ``x`` (n, n_in)."""
        return ACTIVATIONS[self.activation].function(self.affine(x))

    def gradient(self, x: Array, delta: Array) -> tuple[Array, Array]:
        """Gradient of weights and bias from ``delta = dL/dz`` (n, n_out)."""
        xp = array_namespace(delta)
        return x.T @ delta, xp.sum(delta, axis=0)

    def input_gradient(self, delta: Array) -> Array:
        """``dL/dx`` (n, n_in) from ``delta = dL/dz`` (n, n_out)."""
        return delta @ self.weights.T
