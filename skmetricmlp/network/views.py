"""Weights of the layers as lists: of dense layers their own, of others on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from skmetricmlp._typing import Array
from skmetricmlp.network.network import Network

__all__ = ["DenseWeights", "LayerList", "read_only"]


class LayerList(list[Any]):
    """An array of each layer, to read, to edit in place and to replace.

    Parameters
    ----------
    arrays : iterable of array
    assign : callable
        Takes over a list in which an item was replaced, or refuses it, and returns the
        arrays that there are then.
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
    """Weights of the dense equivalent of a network, each layer's made when it is read.

    There are many more of them than the network holds, and who only looks at all
    attributes of an estimator, as its display in a notebook does, wants none.

    The arrays are copies, read-only where the namespace has that: to change one would
    change nothing.
    """

    are_layers: ClassVar[bool] = True

    def __init__(self, network: Network) -> None:
        self._network = network

    def __len__(self) -> int:
        return len(self._network.layers)

    def __getitem__(self, index: Any) -> Any:
        layers = self._network.layers[index]
        if isinstance(layers, tuple):
            return [read_only(layer.dense().weights) for layer in layers]
        return read_only(layers.dense().weights)

    def __setitem__(self, index: Any, value: Any) -> None:
        msg = "the weights of a network with tied=True are made on access, and read-only"
        raise TypeError(msg)

    def __repr__(self) -> str:
        widths = [layer.n_out for layer in self._network.layers]
        return f"<weights of {len(widths)} layers of widths {widths}, made when read>"


def read_only(array: Array) -> Array:
    """Return a view that cannot be changed, if the array is NumPy's, or else itself."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
