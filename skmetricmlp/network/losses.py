"""Losses by name, each with the output activation that belongs to it.

A loss takes the output ``z`` *before* its activation. In terms of ``z``, the formulas of
the loss and of its gradient are short and cannot overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from array_api_compat import array_namespace

from skmetricmlp._typing import Array
from skmetricmlp.network.activations import ACTIVATIONS

__all__ = ["LOG_PROBABILITIES", "LOSSES", "Loss"]


@dataclass(frozen=True)
class Loss:
    """A loss of the output ``z`` (n, n_outputs) and the targets ``t`` (n, n_outputs).

    Attributes
    ----------
    output_activation : str
        The activation that maps ``z`` to probabilities; the identity in a regression.
    targets : {"classes", "labels", "values"}
        What the outputs are: classes, of which each row has one; labels, of which each
        row has any number; or values.
    losses : callable (z, t) -> array of shape (n,)
        The loss of each row.
    losses_and_delta : callable (z, t) -> arrays of shapes (n,) and (n, n_outputs)
        The same losses and their gradient with respect to ``z``, a new array.
    """

    output_activation: str
    targets: str
    losses: Callable[[Array, Array], Array]
    losses_and_delta: Callable[[Array, Array], tuple[Array, Array]]


def _log_softmax(z: Array) -> Array:
    xp = array_namespace(z)
    shifted = z - xp.max(z, axis=1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))


def _log_logistic(z: Array) -> Array:
    xp = array_namespace(z)
    return -ACTIVATIONS["relu"].function(-z) - xp.log1p(xp.exp(-xp.abs(z)))


def _log_loss(z: Array, t: Array) -> Array:
    """``-sum_c t_c log softmax(z)_c``."""
    return -array_namespace(z).sum(_log_softmax(z) * t, axis=1)


def _log_loss_and_delta(z: Array, t: Array) -> tuple[Array, Array]:
    """``softmax(z) - t`` is the gradient; both need the exponentials only once."""
    xp = array_namespace(z)
    shifted = z - xp.max(z, axis=1, keepdims=True)
    exp = xp.exp(shifted)
    total = xp.sum(exp, axis=1, keepdims=True)
    losses = -xp.sum((shifted - xp.log(total)) * t, axis=1)
    return losses, exp / total - t


def _binary_log_loss(z: Array, t: Array) -> Array:
    """``-sum_c t_c log p_c + (1 - t_c) log(1 - p_c)``, ``p`` the logistic of ``z``."""
    xp = array_namespace(z)
    return xp.sum(
        ACTIVATIONS["relu"].function(z) - t * z + xp.log1p(xp.exp(-xp.abs(z))), axis=1
    )


def _binary_log_loss_and_delta(z: Array, t: Array) -> tuple[Array, Array]:
    return _binary_log_loss(z, t), ACTIVATIONS["logistic"].function(z) - t


def _identity_squared_error(z: Array, t: Array) -> Array:
    """``1/2 sum_c (z_c - t_c)^2``."""
    return 0.5 * array_namespace(z).sum((z - t) ** 2, axis=1)


def _identity_squared_error_and_delta(z: Array, t: Array) -> tuple[Array, Array]:
    delta = z - t
    return 0.5 * array_namespace(z).sum(delta**2, axis=1), delta


def _squared_error(z: Array, t: Array) -> Array:
    """``1/2 sum_c (p_c - t_c)^2`` with ``p`` the logistic function of ``z``."""
    xp = array_namespace(z)
    return 0.5 * xp.sum((ACTIVATIONS["logistic"].function(z) - t) ** 2, axis=1)


def _squared_error_and_delta(z: Array, t: Array) -> tuple[Array, Array]:
    p = ACTIVATIONS["logistic"].function(z)
    error = p - t
    losses = 0.5 * array_namespace(z).sum(error**2, axis=1)
    return losses, error * p * (1.0 - p)


LOSSES = {
    "log_loss": Loss("softmax", "classes", _log_loss, _log_loss_and_delta),
    "squared_error": Loss(
        "logistic", "classes", _squared_error, _squared_error_and_delta
    ),
    "binary_log_loss": Loss(
        "logistic", "labels", _binary_log_loss, _binary_log_loss_and_delta
    ),
    "binary_squared_error": Loss(
        "logistic", "labels", _squared_error, _squared_error_and_delta
    ),
    "identity_squared_error": Loss(
        "identity", "values", _identity_squared_error, _identity_squared_error_and_delta
    ),
}

# By loss: the logarithms (n, n_outputs) of the outputs as a function of z. Those of
# classes are scaled so that they sum to one.
LOG_PROBABILITIES: dict[str, Callable[[Array], Array]] = {
    "log_loss": _log_softmax,
    "squared_error": lambda z: _log_softmax(_log_logistic(z)),
    "binary_log_loss": _log_logistic,
    "binary_squared_error": _log_logistic,
}
