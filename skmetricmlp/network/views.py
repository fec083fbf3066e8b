"""Lists of the weights of the layers, for the attributes of estimators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from skmetricmlp._typing import Array
from skmetricmlp.network.layers import Layer
from skmetricmlp.network.network import Network

__all__ = ["DenseWeights", "LayerList", "read_only"]


class LayerList(list[Any]):
    """A list with an array for each layer, whose items can be replaced.

    Parameters
    ----------
    arrays : iterable of array
    assign : callable
        It is called with the list in which an item has been replaced. It sets the arrays
        of the layers, or raises an error, and returns the new arrays.
    """

    are_layers: ClassVar[bool] = True

    def __init__(
        self, arrays: Iterable[Array], assign: Callable[[list[Array]], Iterable[Array]]
    ) -> None:
        super().__init__(arrays)
        self._assign = assign

    def __setitem__(self, index: Any, value: Any) -> None:
        changed = list(self)
        changed[index] = value
        super().__setitem__(slice(None), self._assign(changed))

    def __reduce__(self) -> tuple[type, tuple[list[Array]]]:
        return list, (list(self),)


class DenseWeights(Sequence[Array]):
    """Weights of the dense equivalent of a network, made layer by layer when accessed.

    They are many more than the network holds. An estimator's display in a notebook, which
    accesses all attributes, makes none of them.

    The arrays are copies, and read-only in NumPy: to change them would change nothing.

    Parameters
    ----------
    network : Network
    check : callable
        Called with the number of weights of a layer before they are made.
    """

    are_layers: ClassVar[bool] = True

    def __init__(
        self, network: Network, check: Callable[[int], object] = lambda _: None
    ) -> None:
        self._network = network
        self._check = check

    def __len__(self) -> int:
        return len(self._network.layers)

    def __getitem__(self, index: Any) -> Any:
        layers = self._network.layers[index]
        if isinstance(layers, tuple):
            return [self._weights(layer) for layer in layers]
        return self._weights(layers)

    def __setitem__(self, index: Any, value: Any) -> None:
        msg = "the weights of a network with tied=True are read-only copies"
        raise TypeError(msg)

    def __repr__(self) -> str:
        widths = [layer.n_out for layer in self._network.layers]
        return f"<weights of {len(widths)} layers of widths {widths}, made when accessed>"

    def _weights(self, layer: Layer) -> Array:
        self._check(layer.n_dense_weights)
        return read_only(layer.dense().parameters[0])


def read_only(array: Array) -> Array:
    """Return a read-only view of a NumPy array, or another array itself."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
