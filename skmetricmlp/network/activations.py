"""Activation functions by name, with their derivatives.

A derivative is a function of the *activation* ``a = f(z)``, which the forward pass
already holds, so the backward pass needs no ``z``. If ``f`` takes the same value at two
points, as the GELU does, the derivative is a function of ``z`` instead.

All functions take and return arrays of any array API namespace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

from array_api_compat import array_namespace, device

from skmetricmlp._typing import Array

__all__ = ["ACTIVATIONS", "Activation"]


GELU_SLOPE, GELU_CUBE = sqrt(2.0 / pi), 0.044715


@dataclass(frozen=True)
class Activation:
    """A function of one array, and its derivative.

    Parameters
    ----------
    function : callable
    derivative : callable or None
        A function of the activation ``a`` if ``through_value``, else of ``z``. It is None
        for the step function, whose derivative is zero, and for the softmax, which is
        differentiated together with its loss.
    through_value : bool, default=True
    """

    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array] | None
    through_value: bool = True


def _identity(z: Array) -> Array:
    return z


def _ones_like(a: Array) -> Array:
    return array_namespace(a).ones_like(a)


def _logistic(z: Array) -> Array:
    # 1 / (1 + exp(-z)) in a form in which no exponential can overflow.
    return 0.5 * array_namespace(z).tanh(0.5 * z) + 0.5


def _tanh(z: Array) -> Array:
    return array_namespace(z).tanh(z)


def _relu(z: Array) -> Array:
    # Not clip: array-api-compat uses a boolean mask for it, which waits for the device.
    xp = array_namespace(z)
    return xp.maximum(z, xp.zeros((), dtype=z.dtype, device=device(z)))


def _gelu(z: Array) -> Array:
    """``z / 2 (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3)))``.

    D. Hendrycks, K. Gimpel, arXiv 1606.08415. This approximation differs from ``z`` times
    the normal distribution function by less than 5e-4. It works in every namespace,
    whereas the array API has no erf.
    """
    return z * _gelu_gate(z)


def _gelu_gate(z: Array) -> Array:
    return _logistic(2.0 * GELU_SLOPE * z * (1.0 + GELU_CUBE * z * z))


def _gelu_derivative(z: Array) -> Array:
    gate = _gelu_gate(z)
    inner = 2.0 * GELU_SLOPE * (1.0 + 3.0 * GELU_CUBE * z * z)
    return gate + z * inner * gate * (1.0 - gate)


def _step(z: Array) -> Array:
    return array_namespace(z).astype(z > 0, z.dtype)


def _softmax(z: Array) -> Array:
    xp = array_namespace(z)
    exp = xp.exp(z - xp.max(z, axis=1, keepdims=True))
    return exp / xp.sum(exp, axis=1, keepdims=True)


ACTIVATIONS = {
    "identity": Activation(_identity, _ones_like),
    "step": Activation(_step, None),
    "logistic": Activation(_logistic, lambda a: a * (1.0 - a)),
    "tanh": Activation(_tanh, lambda a: 1.0 - a * a),
    "relu": Activation(_relu, lambda a: array_namespace(a).astype(a > 0, a.dtype)),
    "gelu": Activation(_gelu, _gelu_derivative, through_value=False),
    "softmax": Activation(_softmax, None),
}
