"""Stochastic optimizers: settings are frozen, state is passed in and returned.

Every ``step`` takes one learning rate per parameter array, so that layers may
learn at different rates. It leaves the parameters as they are, and writes the next ones
where the gradients were, and the next state where the present one is: with NumPy no step
needs memory of its own beyond a block. Only the first step of a training makes new arrays
for the state, as it goes along, so that the state that training began with stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any, Protocol

from array_api_compat import array_namespace, device

from skmetricmlp._array_api import blocks, joined, split
from skmetricmlp._typing import Array

__all__ = ["SGD", "Adam", "Optimizer"]

Arrays = list[Array]


class Optimizer(Protocol):
    """Interface of an optimizer of minibatches."""

    def init(self, parameters: Sequence[Array]) -> Any:
        """Return the state before the first step."""

    def copy(self, state: Any) -> Any:
        """Return a copy of a state, which steps may change."""

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Arrays,
        state: Any,
        rates: Sequence[float],
        *,
        in_place: bool = True,
    ) -> tuple[Arrays, Any]:
        """Return the next parameters, in place of ``gradients``, and the next state.

        The arrays of ``state`` may be changed unless ``in_place`` is False. Those of the
        next state may be the same arrays only if they were not changed.
        """


def _zeros_like(parameters: Sequence[Array]) -> Arrays:
    # In row-major order like the gradients, whatever the order of the parameters.
    return [
        array_namespace(p).zeros(p.shape, dtype=p.dtype, device=device(p))
        for p in parameters
    ]


def _copies(arrays: Sequence[Array]) -> Arrays:
    return [array_namespace(a).asarray(a, copy=True) for a in arrays]


def _run(
    step: Callable[..., None],
    parameters: Sequence[Array],
    gradients: Arrays,
    states: Sequence[Arrays],
    rates: Sequence[float],
    *,
    in_place: bool,
) -> list[Arrays]:
    """Take a step in blocks of all arrays; return the gradients' lists and the states'.

    ``step(p, g, *s, rate)`` writes into ``g`` and the arrays of the states. If those are
    to stay, each block is copied just before its step, which then finds it in the cache.
    """
    lists, rates = joined(parameters, gradients, *states, rates=rates)
    present, n = lists[2:], len(states)
    # Joined arrays are copies already.
    if in_place or len(lists[0]) < len(parameters):
        following, present = present, []
    else:
        following = [[_empty_like(array) for array in arrays] for arrays in present]
    for *arrays, rate in zip(*lists[:2], *following, *present, rates, strict=True):
        for p, g, *others in blocks(*arrays):
            for new, old in zip(others, others[n:], strict=False):
                new[...] = old
            step(p, g, *others[:n], rate)
    return [split(arrays, like=parameters) for arrays in (lists[1], *following)]


def _empty_like(array: Array) -> Array:
    xp = array_namespace(array)
    return xp.empty(array.shape, dtype=array.dtype, device=device(array))


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: ``v <- m v - rate g``, ``p <- p + v``.

    With ``nesterov`` the step looks ahead: ``p <- p + m v - rate g``
    (I. Sutskever, J. Martens, G. Dahl, G. Hinton, ICML 2013).
    """

    momentum: float = 0.9
    nesterov: bool = True

    def init(self, parameters: Sequence[Array]) -> Arrays:
        """Return velocities of zero."""
        return _zeros_like(parameters)

    def copy(self, state: Arrays) -> Arrays:
        """Return a copy of the velocities."""
        return _copies(state)

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Arrays,
        state: Arrays,
        rates: Sequence[float],
        *,
        in_place: bool = True,
    ) -> tuple[Arrays, Arrays]:
        """Return the next parameters, in place of ``gradients``, and velocities."""
        gradients, state = _run(
            self._step,
            parameters,
            gradients,
            [state],
            rates,
            in_place=in_place or not self.momentum,  # then velocities stay zero
        )
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


# Steps taken, and decaying sums of the gradient and of its square.
AdamState = tuple[int, Arrays, Arrays]


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
        return 0, _zeros_like(parameters), _zeros_like(parameters)

    def copy(self, state: AdamState) -> AdamState:
        """Return a copy of the sums."""
        t, sums, squares = state
        return t, _copies(sums), _copies(squares)

    def step(
        self,
        parameters: Sequence[Array],
        gradients: Arrays,
        state: AdamState,
        rates: Sequence[float],
        *,
        in_place: bool = True,
    ) -> tuple[Arrays, AdamState]:
        """Return the next parameters, in place of ``gradients``, and sums."""
        t, *present = state
        t += 1
        scale = sqrt(1 - self.beta_2)
        correction = sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        factor = -correction * (1 - self.beta_1) / scale
        gradients, sums, squares = _run(
            partial(self._step, factor=factor, epsilon=self.epsilon / scale),
            parameters,
            gradients,
            present,
            rates,
            in_place=in_place,
        )
        return gradients, (t, sums, squares)

    def _step(
        self,
        p: Array,
        g: Array,
        m: Array,
        v: Array,
        rate: float,
        *,
        factor: float,
        epsilon: float,
    ) -> None:
        """Change the sums, and then ``g`` into ``p + rate m / (sqrt(v) + epsilon)``."""
        m *= self.beta_1
        m += g
        g *= g
        v *= self.beta_2
        v += g
        xp = array_namespace(v)
        root = xp.sqrt(v)
        # At least the root of the smallest square, because a smaller one has vanished.
        root += max(epsilon, float(xp.finfo(v.dtype).smallest_normal) ** 0.5)
        g[...] = m
        g /= root
        g *= factor * rate
        g += p
