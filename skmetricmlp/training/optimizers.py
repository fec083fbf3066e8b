"""Stochastic optimisers: settings are frozen, state is passed in and returned.

Every ``step`` takes one learning rate per parameter array, so that layers may
learn at different rates, and returns new parameters: none is changed in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from array_api_compat import array_namespace

__all__ = ["SGD", "Adam", "AdamState", "Optimizer"]

Array = Any
Arrays = list[Array]


class Optimizer(Protocol):
    """What the training loop needs of an optimiser."""

    def init(self, parameters: Sequence[Array]) -> Any:
        """Return the state before the first step."""

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Sequence[Array],
        state: Any,
        rates: Sequence[float],
    ) -> tuple[Arrays, Any]:
        """Return the next parameters and the next state."""


def _zeros_like(parameters: Sequence[Array]) -> Arrays:
    return [array_namespace(p).zeros_like(p) for p in parameters]


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: ``v <- m v - rate g``, ``p <- p + v``.

    With ``nesterov`` the step looks ahead: ``p <- p + m v - rate g``
    (I. Sutskever, J. Martens, G. Dahl, G. Hinton, ICML 2013).
    """

    momentum: float = 0.9
    nesterov: bool = True

    def init(self, parameters: Sequence[Array]) -> Arrays:
        """Velocities of zero."""
        return _zeros_like(parameters)

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Sequence[Array],
        state: Arrays,
        rates: Sequence[float],
    ) -> tuple[Arrays, Arrays]:
        """Return the next parameters and velocities."""
        steps = [-r * g for r, g in zip(rates, gradients, strict=True)]
        if self.momentum == 0:
            return [p + s for p, s in zip(parameters, steps, strict=True)], state
        m = self.momentum
        velocities = [m * v + s for v, s in zip(state, steps, strict=True)]
        if self.nesterov:
            steps = [m * v + s for v, s in zip(velocities, steps, strict=True)]
        else:
            steps = velocities
        return [p + s for p, s in zip(parameters, steps, strict=True)], velocities


class AdamState(NamedTuple):
    """Steps taken, and running means of the gradient and of its square."""

    t: int
    means: Arrays
    squares: Arrays


@dataclass(frozen=True)
class Adam:
    """Adam (D. P. Kingma, J. Ba, ICLR 2015), in the order of its section 2."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def init(self, parameters: Sequence[Array]) -> AdamState:
        """Means of zero."""
        return AdamState(0, _zeros_like(parameters), _zeros_like(parameters))

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Sequence[Array],
        state: AdamState,
        rates: Sequence[float],
    ) -> tuple[Arrays, AdamState]:
        """Return the next parameters and running means."""
        t = state.t + 1
        means = [
            self.beta_1 * m + (1 - self.beta_1) * g
            for m, g in zip(state.means, gradients, strict=True)
        ]
        squares = [
            self.beta_2 * v + (1 - self.beta_2) * (g * g)
            for v, g in zip(state.squares, gradients, strict=True)
        ]
        correction = (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        parameters = [
            p - (rate * correction) * m / (array_namespace(v).sqrt(v) + self.epsilon)
            for p, rate, m, v in zip(parameters, rates, means, squares, strict=True)
        ]
        return parameters, AdamState(t, means, squares)
