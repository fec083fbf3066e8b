"""The scale of the inputs: training does not depend on the units of the features.

A network is trained on ``(x - mean) / scale``. Its first layer is that of the user's
features in other coordinates, ``W' = scale W`` and ``b' = b + mean W``, so both are the
same function of a row, but one step of an optimizer is not the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import gen_batches
from sklearn.utils.sparsefuncs import mean_variance_axis

from skmetricmlp.arrays import place_of
from skmetricmlp.network import Network, ScaledInput

__all__ = ["InputScaling", "input_scaling", "mean_and_deviation"]

Array = Any
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

BLOCK_ELEMENTS = 2**20
SAFE_EXPONENT = 400
TINY = 10.0 * float(np.finfo(float).eps)  # a deviation that is none but rounding errors
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


def mean_and_deviation(
    X: Array, weights: Floats, index: Ints | None = None
) -> tuple[Floats, Floats]:
    """Weighted mean and standard deviation (d,) of the columns of ``X[index]`` (m, d).

    The deviation of a column that is constant, up to rounding errors, is zero.
    """
    shares = weights.astype(np.float64) / weights.max()
    shares /= shares.sum()
    exponent = _exponent(X)
    if sp.issparse(X):
        values = (X if index is None else X[index]).astype(np.float64)
        values.data = np.ldexp(values.data, -exponent)
        mean, variance = mean_variance_axis(values, axis=0, weights=shares)
    else:
        index = np.arange(len(X)) if index is None else index
        parts = partial(_blocks, X, shares, index, exponent)
        origin = np.ldexp(X[index[0]].astype(np.float64), -exponent)
        none = np.zeros(X.shape[1])
        mean = sum((share @ (x - origin) for share, x in parts()), none) + origin
        variance = sum((share @ (x - mean) ** 2 for share, x in parts()), none)
    deviation = np.sqrt(variance)
    deviation = np.where(deviation > TINY * abs(mean), deviation, 0.0)
    return np.ldexp(mean, exponent), np.ldexp(deviation, exponent)


def _blocks(
    X: Array, shares: Floats, index: Ints, exponent: int
) -> Iterator[tuple[Floats, Floats]]:
    """Yield shares and rows ``2^-exponent X`` in double precision, some at a time."""
    for rows in gen_batches(len(index), max(1, BLOCK_ELEMENTS // max(1, X.shape[1]))):
        block = X[index[rows]].astype(np.float64)
        yield shares[rows], np.ldexp(block, -exponent) if exponent else block


def _exponent(X: Array) -> int:
    """Power of two of the largest value, where squares would over- or underflow; else 0.

    To scale by a power of two changes no digit.
    """
    values = X.data if sp.issparse(X) else X
    largest = max(abs(float(values.max(initial=0))), abs(float(values.min(initial=0))))
    exponent = int(np.frexp(largest)[1])
    return exponent if abs(exponent) > SAFE_EXPONENT else 0
