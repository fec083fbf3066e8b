"""A network: a frozen sequence of layers, its forward and its backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from array_api_compat import array_namespace

from skmetricmlp.network.activations import ACTIVATIONS
from skmetricmlp.network.layers import Dense

__all__ = ["Network"]

Array = Any

BLOCK_ELEMENTS = 2**22


@dataclass(frozen=True)
class Network:
    """Layers applied one after the other.

    Training never changes a network: it makes the next one, of the memory of the
    gradients. A reference to an earlier network is therefore a checkpoint that costs
    nothing.

    Parameters
    ----------
    layers : tuple of Dense
        The last one is the output layer.
    """

    layers: tuple[Dense, ...]

    @property
    def parameters(self) -> list[Array]:
        """Weights and bias of each layer in turn: ``[W_1, b_1, W_2, b_2, ...]``."""
        return [array for layer in self.layers for array in (layer.weights, layer.bias)]

    def with_parameters(self, parameters: Sequence[Array]) -> Network:
        """Return the same architecture with other weights, ordered as ``parameters``."""
        pairs = zip(parameters[::2], parameters[1::2], strict=True)
        return Network(
            tuple(
                replace(layer, weights=weights, bias=bias)
                for layer, (weights, bias) in zip(self.layers, pairs, strict=True)
            )
        )

    def astype(self, dtype: Any) -> Network:
        """Return the same network in another precision."""
        xp = array_namespace(*self.parameters)
        return self.with_parameters([xp.astype(p, dtype) for p in self.parameters])

    def activations(self, x: Array) -> list[Array]:
        """``x`` and the values of every hidden layer, each of shape (n, width)."""
        values = [x]
        for layer in self.layers[:-1]:
            values.append(layer.forward(values[-1]))
        return values

    def affine_output(self, x: Array) -> Array:
        """Output (n, n_outputs) before the output activation.

        Rows are taken in blocks, so that no temporary holds more than
        :data:`BLOCK_ELEMENTS` numbers (or one row).
        """
        widest = max(layer.bias.shape[0] for layer in self.layers)
        n = x.shape[0]
        size = max(1, BLOCK_ELEMENTS // max(widest, 1))
        blocks = [
            self.layers[-1].affine(
                self.activations(x[start : min(start + size, n), :])[-1]
            )
            for start in range(0, max(n, 1), size)
        ]
        return array_namespace(blocks[0]).concat(blocks, axis=0)

    def forward(self, x: Array) -> Array:
        """Output (n, n_outputs)."""
        activation = ACTIVATIONS[self.layers[-1].activation]
        return activation.function(self.affine_output(x))

    def backward(self, activations: Sequence[Array], delta: Array) -> list[Array]:
        """Gradients, ordered as ``parameters``, by backpropagation.

        Parameters
        ----------
        activations : list of arrays
            What :meth:`activations` returned.
        delta : array of shape (n, n_outputs)
            Gradient of the loss with respect to the output before its activation.
        """
        gradients: list[Array] = []
        for depth in range(len(self.layers) - 1, -1, -1):
            layer, value = self.layers[depth], activations[depth]
            gradients[:0] = layer.gradient(value, delta)
            if depth:
                derivative = ACTIVATIONS[self.layers[depth - 1].activation].derivative
                if derivative is None:
                    msg = f"layer {depth} has no useful derivative"
                    raise ValueError(msg)
                delta = layer.input_gradient(delta)
                delta *= derivative(value)
        return gradients
