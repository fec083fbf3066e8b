"""A network: an immutable sequence of layers, with a forward and a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from array_api_compat import array_namespace

from skmetricmlp._data import rows_per_batch
from skmetricmlp._typing import Array
from skmetricmlp.network.activations import ACTIVATIONS
from skmetricmlp.network.layers import ClippedInput, Conjunctive, Dense, Layer

__all__ = ["Network"]


@dataclass(frozen=True)
class Network:
    """A sequence of layers.

    Training never changes a network. Each step makes a new network, whose parameters use
    the memory of the gradients. A reference to an earlier network is therefore a
    checkpoint without a copy.

    Parameters
    ----------
    layers : tuple of Layer
        The last one is the output layer.
    """

    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> list[Array]:
        """Parameters of each layer in turn: ``[W_1, b_1, W_2, b_2, ...]``."""
        return [array for layer in self.layers for array in layer.parameters]

    @property
    def is_weight(self) -> list[bool]:
        """Whether each of the ``parameters`` is a weight; otherwise it is a bias."""
        return [flag for layer in self.layers for flag in layer.is_weight]

    def with_parameters(self, parameters: Sequence[Array]) -> Network:
        """Return a network of the same form with other parameters, in the same order."""
        if len(parameters) != len(self.parameters):
            msg = f"{len(self.parameters)} parameters expected, got {len(parameters)}"
            raise ValueError(msg)
        arrays = iter(parameters)
        return Network(
            tuple(
                layer.with_parameters([next(arrays) for _ in layer.parameters])
                for layer in self.layers
            )
        )

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters of :meth:`dense`."""
        return sum(layer.n_dense_weights for layer in self.layers)

    @property
    def is_dense(self) -> bool:
        """Whether each neuron has weights of its own, for all inputs."""
        layers = (getattr(layer, "layer", layer) for layer in self.layers)
        return all(isinstance(layer, Dense | Conjunctive) for layer in layers)

    def dense(self) -> Network:
        """Return the same function as a network of dense layers."""
        return Network(tuple(layer.dense() for layer in self.layers))

    @property
    def block_rows(self) -> int:
        """Number of rows that are evaluated at a time.

        By :func:`~skmetricmlp._data.rows_per_batch`, the activations of the widest layer
        take at most 32 MiB.
        """
        return rows_per_batch(max(layer.n_out for layer in self.layers))

    def astype(self, dtype: Any) -> Network:
        """Return the same network in another precision."""
        xp = array_namespace(*self.parameters)

        def converted(array: Array) -> Array:
            return xp.astype(array, dtype)

        layers = self.with_parameters(list(map(converted, self.parameters))).layers
        return Network(
            tuple(
                replace(layer, low=converted(layer.low), high=converted(layer.high))
                if isinstance(layer, ClippedInput)
                else layer
                for layer in layers
            )
        )

    def activations(self, x: Array) -> list[Array]:
        """Return ``x`` and the activations (n, width) of every hidden layer."""
        activations = [x]
        for layer in self.layers[:-1]:
            function = ACTIVATIONS[layer.activation].function
            activations.append(function(layer.affine(activations[-1])))
        return activations

    def affine_output(self, x: Array) -> Array:
        """Output (n, n_outputs) before the output activation.

        Rows are evaluated :attr:`block_rows` at a time, which limits the size of
        temporaries.
        """
        n, size = x.shape[0], self.block_rows
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
        """Gradients by backpropagation, in the order of ``parameters``.

        Parameters
        ----------
        activations : list of arrays
            The result of :meth:`activations`.
        delta : array of shape (n, n_outputs)
            Gradient of the loss with respect to the output before its activation.
        """
        gradients: list[Array] = []
        for depth in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[depth]
            x, *own = activations[depth : depth + 2]  # without those of the last layer
            gradients[:0] = layer.gradient(x, delta, *own)
            if depth:
                delta = layer.input_gradient(x, delta)
                delta *= self._slope(depth, activations)
        return gradients

    def _slope(self, depth: int, activations: Sequence[Array]) -> Array:
        """Return the derivative of a hidden layer at ``activations[depth]``."""
        layer = self.layers[depth - 1]
        activation = ACTIVATIONS[layer.activation]
        if activation.derivative is None:
            msg = f"activation {layer.activation!r} of layer {depth} has no derivative"
            raise ValueError(msg)
        if activation.through_value:
            return activation.derivative(activations[depth])
        # It is recalculated, so that the forward pass need not keep it for every layer.
        return activation.derivative(layer.affine(activations[depth - 1]))
