"""Lists of the weights of the layers, for the attributes of estimators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from skmetricmlp._typing import Array
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
    """Weights of the dense equivalent of a network, made for each layer on access.

    They take much more memory than the network itself. Code that only iterates over the
    attributes of an estimator, such as its display in a notebook, should not make them.

    The arrays are copies, so changing them has no effect. NumPy arrays are read-only.
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
        msg = "the weights of a network with tied=True are read-only copies"
        raise TypeError(msg)

    def __repr__(self) -> str:
        widths = [layer.n_out for layer in self._network.layers]
        return f"<weights of {len(widths)} layers of widths {widths}, made when read>"


def read_only(array: Array) -> Array:
    """Return a read-only view of a NumPy array, or another array itself."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
