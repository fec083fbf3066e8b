"""The scale of the inputs: training does not depend on the units of the features.

A network is trained on ``(x - mean) / scale``. Its first layer is that of the user's
features in other coordinates, ``W' = scale W`` and ``b' = b + mean W``. Both networks are
the same function of a row, but a step of an optimizer differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias, cast

import numpy as np

from skmetricmlp._array_api import device_of
from skmetricmlp._data import mean_and_deviation
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.network.layers import ClippedInput, ScaledInput
from skmetricmlp.network.network import Network

__all__ = ["Scaling", "from_training", "input_scaling", "to_training", "unscaled"]

# Mean and scale of the inputs, both of shape (d,).
Scaling: TypeAlias = tuple[Floats, Floats]

# A step of Adam moves every weight by the rate, and so a pre-activation by the rate times
# the sum over all features. More features than these are scaled down to the length of a
# row of these; docs/benchmarks.md has the effect.
UNIT_FEATURES = 64


def to_training(network: Network, scaling: Scaling) -> Network:
    """Return the same function of the user's features, with weights for scaled ones.

    The first layer of the result scales its input.
    """
    first, *others = network.layers
    if isinstance(first, ClippedInput):
        inner = to_training(Network((first.layer,)), scaling).layers[0]
        return Network((replace(first, layer=cast("ScaledInput", inner)), *others))
    mean, scale = _on_device_of(first.parameters[0], scaling)
    weights, bias, *rest = first.parameters
    scaled = (weights * scale[:, None], bias + _product(mean, weights), *rest)
    layer: Any = first.with_parameters(scaled)
    return Network((ScaledInput(layer, mean, scale), *others))


def from_training(network: Network, scaling: Scaling) -> Network:
    """Undo :func:`to_training`."""
    first, *others = network.layers
    return Network((unscaled(first, scaling), *others))


def unscaled(layer: Any, scaling: Scaling) -> Any:
    """Turn a first layer that reads scaled features into one that reads the user's."""
    if isinstance(layer, ClippedInput):  # the bounds are those of the user's features
        return replace(layer, layer=unscaled(layer.layer, scaling))
    if isinstance(layer, ScaledInput):
        layer = layer.layer
    weights, bias, *rest = layer.parameters
    mean, scale = _on_device_of(weights, scaling)
    weights = weights / scale[:, None]
    return layer.with_parameters((weights, bias - _product(mean, weights), *rest))


def _on_device_of(array: Array, scaling: Scaling) -> tuple[Array, Array]:
    """Mean and scale on the device of ``array``, in its precision."""
    device = device_of(array)
    xp = device.namespace
    mean, scale = (xp.astype(device.move(part), array.dtype) for part in scaling)
    return mean, scale


def _product(mean: Array, weights: Array) -> Array:
    """``mean @ weights``, so that equal neurons stay equal to the last bit."""
    return device_of(weights).namespace.sum(weights * mean[:, None], axis=0)


def input_scaling(
    X: Array,
    sample_weight: Floats,
    index: Ints | None = None,
    *,
    per_feature: bool,
    units: Floats | None = None,
) -> Scaling:
    """Take the scale of the inputs from rows.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    sample_weight : array of shape (m,)
        All positive.
    index : int array of shape (m,), optional
        Which rows; all of them by default.
    per_feature : bool
        Give each feature a scale of its own, instead of one to all.
    units : array of shape (d,), optional
        The scale of each feature, up to a factor; by default its deviation.

    Returns
    -------
    mean, scale : arrays of shape (d,)

    Examples
    --------
    >>> X = np.array([[0.0, 10.0], [2.0, 30.0]])
    >>> input_scaling(X, np.ones(2), per_feature=True)
    (array([ 1., 20.]), array([ 1., 10.]))
    """
    mean, deviation = mean_and_deviation(X, sample_weight, index)
    varies = deviation > 0
    n_varying = int(np.count_nonzero(varies))
    n_units = min(n_varying, UNIT_FEATURES)
    if n_units == 0:
        return mean, np.ones(len(mean))
    if per_feature:
        longer = np.sqrt(n_varying / n_units)
        units = deviation if units is None else units
        return mean, np.where(varies, units * longer, 1.0)
    largest = deviation.max()  # so that no square overflows
    length = largest * np.sqrt(np.sum((deviation / largest) ** 2))
    return mean, np.full(len(mean), length / np.sqrt(n_units))
