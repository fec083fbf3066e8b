"""The scale of the inputs: training does not depend on the units of the features.

A network is trained on ``(x - mean) / scale``. Its first layer is that of the user's
features in other coordinates, ``W' = scale W`` and ``b' = b + mean W``, so both are the
same function of a row, but one step of an optimizer is not the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmetricmlp._array_api import place_of
from skmetricmlp._data import mean_and_deviation
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.network.layers import ScaledInput
from skmetricmlp.network.network import Network

__all__ = ["InputScaling", "input_scaling"]


# A step of Adam moves every weight by the rate, and so a neuron by the rate times the sum
# over all features. More features than these are scaled down to the length of a row of
# these; docs/benchmarks.md has what it does.
UNIT_FEATURES = 64


@dataclass(frozen=True)
class InputScaling:
    """Training reads ``(x - mean) / scale``; both are of shape (d,)."""

    mean: Floats
    scale: Floats

    @property
    def arrays(self) -> tuple[Floats, Floats]:
        """Mean and scale."""
        return self.mean, self.scale

    def to_training(self, network: Network) -> Network:
        """Return the same function of the user's features, as training has it.

        Its first layer scales what it reads, and its weights are for scaled features.
        """
        first, *others = network.layers
        mean, scale = self._beside(first.parameters[0])
        weights, bias, *rest = first.parameters
        scaled = (weights * scale[:, None], bias + _product(mean, weights), *rest)
        layer: Any = first.with_parameters(scaled)
        return Network((ScaledInput(layer, mean, scale), *others))

    def from_training(self, network: Network) -> Network:
        """Undo :meth:`to_training`."""
        first, *others = network.layers
        layer = first.layer if isinstance(first, ScaledInput) else first
        return Network((self.unscaled(layer), *others))

    def unscaled(self, layer: Any) -> Any:
        """Return a first layer that reads the user's features for one of scaled ones."""
        weights, bias, *rest = layer.parameters
        mean, scale = self._beside(weights)
        weights = weights / scale[:, None]
        return layer.with_parameters((weights, bias - _product(mean, weights), *rest))

    def _beside(self, array: Array) -> tuple[Array, Array]:
        """Mean and scale where ``array`` is, in its precision."""
        place = place_of(array)
        xp = place.namespace
        mean, scale = (
            xp.astype(place.move(part), array.dtype) for part in (self.mean, self.scale)
        )
        return mean, scale


def _product(mean: Array, weights: Array) -> Array:
    """``mean @ weights``, so that equal neurons stay equal to the last bit."""
    return place_of(weights).namespace.sum(weights * mean[:, None], axis=0)


def input_scaling(
    X: Array, weights: Floats, index: Ints | None = None, *, per_feature: bool
) -> InputScaling:
    """Take the scale of the inputs from rows.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    weights : array of shape (m,)
        All positive.
    index : int array of shape (m,), optional
        Which rows; all of them by default.
    per_feature : bool
        Give each feature a scale of its own, instead of one to all.

    Returns
    -------
    InputScaling

    Examples
    --------
    >>> X = np.array([[0.0, 10.0], [2.0, 30.0]])
    >>> scaling = input_scaling(X, np.ones(2), per_feature=True)
    >>> scaling.mean, scaling.scale
    (array([ 1., 20.]), array([ 1., 10.]))
    """
    mean, deviation = mean_and_deviation(X, weights, index)
    varies = deviation > 0
    n_varying = int(np.count_nonzero(varies))
    n_units = min(n_varying, UNIT_FEATURES)
    if n_units == 0:
        return InputScaling(mean, np.ones(len(mean)))
    if per_feature:
        longer = np.sqrt(n_varying / n_units)
        return InputScaling(mean, np.where(varies, deviation * longer, 1.0))
    largest = deviation.max()  # so that no square overflows
    length = largest * np.sqrt(np.sum((deviation / largest) ** 2))
    return InputScaling(mean, np.full(len(mean), length / np.sqrt(n_units)))
