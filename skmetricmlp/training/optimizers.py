"""Stochastic optimisers: settings are frozen, state is passed in and returned.

Every ``step`` takes one learning rate per parameter array, so that layers may
learn at different rates. It leaves the parameters as they are, and writes the next ones
where the gradients were: with NumPy no step needs memory of its own beyond a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple, Protocol

from array_api_compat import array_namespace, device

from skmetricmlp.training.blocks import blocks, joined, split

__all__ = ["SGD", "Adam", "AdamState", "Optimizer"]

Array = Any
Arrays = list[Array]


class Optimizer(Protocol):
    """What the training loop needs of an optimiser."""

    def init(self, parameters: Sequence[Array]) -> Any:
        """Return the state before the first step."""

    def copy(self, state: Any) -> Any:
        """Return a state that steps can change apart from this one."""

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Arrays,
        state: Any,
        rates: Sequence[float],
    ) -> tuple[Arrays, Any]:
        """Return the next parameters, in place of ``gradients``, and the next state.

        The arrays of ``state`` may be changed in place.
        """


def _zeros_like(parameters: Sequence[Array]) -> Arrays:
    # In row-major order, as gradients are, whatever the order of the parameters.
    return [
        array_namespace(p).zeros(p.shape, dtype=p.dtype, device=device(p))
        for p in parameters
    ]


def _copies(arrays: Sequence[Array]) -> Arrays:
    return [array_namespace(a).asarray(a, copy=True) for a in arrays]


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

    def copy(self, state: Arrays) -> Arrays:
        """Return velocities that steps can change apart from these."""
        return _copies(state)

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Arrays,
        state: Arrays,
        rates: Sequence[float],
    ) -> tuple[Arrays, Arrays]:
        """Return the next parameters, in place of ``gradients``, and velocities."""
        lists, rates = joined(parameters, gradients, state, rates=rates)
        for *arrays, rate in zip(*lists, rates, strict=True):
            for p, g, v in blocks(*arrays):
                self._step(p, g, v, rate)
        gradients, state = (split(arrays, like=parameters) for arrays in lists[1:])
        return gradients, state

    def _step(self, p: Array, g: Array, v: Array, rate: float) -> None:
        """Change the velocity, and then ``g`` into the parameter after the step."""
        g *= -rate
        if self.momentum:
            v *= self.momentum
            v += g
            if self.nesterov:
                g += self.momentum * v
            else:
                g[...] = v
        g += p


class AdamState(NamedTuple):
    """Steps taken, and decaying sums of the gradient and of its square."""

    t: int
    sums: Arrays
    squares: Arrays


@dataclass(frozen=True)
class Adam:
    """Adam (D. P. Kingma, J. Ba, ICLR 2015), in the order of its section 2.

    The state has sums, ``M <- beta_1 M + g`` and ``V <- beta_2 V + g^2``, instead of the
    means ``(1 - beta_1) M`` and ``(1 - beta_2) V``: the factors go into the rate and
    epsilon, which saves two passes over the weights.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def init(self, parameters: Sequence[Array]) -> AdamState:
        """Return sums of zero."""
        return AdamState(0, _zeros_like(parameters), _zeros_like(parameters))

    def copy(self, state: AdamState) -> AdamState:
        """Return sums that steps can change apart from these."""
        return AdamState(state.t, _copies(state.sums), _copies(state.squares))

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Arrays,
        state: AdamState,
        rates: Sequence[float],
    ) -> tuple[Arrays, AdamState]:
        """Return the next parameters, in place of ``gradients``, and sums."""
        t = state.t + 1
        scale = sqrt(1 - self.beta_2)
        correction = sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        factor = -correction * (1 - self.beta_1) / scale
        lists, rates = joined(
            parameters, gradients, state.sums, state.squares, rates=rates
        )
        for *arrays, rate in zip(*lists, rates, strict=True):
            for p, g, m, v in blocks(*arrays):
                self._step(p, g, m, v, factor * rate, self.epsilon / scale)
        gradients, sums, squares = (split(a, like=parameters) for a in lists[1:])
        return gradients, AdamState(t, sums, squares)

    def _step(
        self, p: Array, g: Array, m: Array, v: Array, rate: float, epsilon: float
    ) -> None:
        """Change the sums, and then ``g`` into ``p + rate m / (sqrt(v) + epsilon)``."""
        m *= self.beta_1
        m += g
        g *= g
        v *= self.beta_2
        v += g
        root = array_namespace(v).sqrt(v)
        root += epsilon
        g[...] = m
        g /= root
        g *= rate
        g += p
