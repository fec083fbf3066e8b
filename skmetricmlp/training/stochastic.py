"""Epochs and minibatches: init, step, terminate.

The loop owns no weights. A step takes a network and makes the next one, so to stop, by
convergence, by divergence or by the keyboard, is only to choose which of them to return.
The optimizer state that it was given stays too: the first step makes a new one, which is
the loop's own, and the others change that in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite

import numpy as np

from skmetricmlp._array_api import HOST, place_of
from skmetricmlp.network import Network
from skmetricmlp.training.monitor import (
    History,
    Plan,
    Position,
    StopReason,
    Watch,
    check_finite,
)
from skmetricmlp.training.objective import Batch

__all__ = ["train"]

# Numbers to take from the rows on a device at once.
TAKE_ELEMENTS = 2**22


def train(
    start: Position,
    history: History,
    data: Batch,
    plan: Plan,
    rng: np.random.RandomState,
    *,
    validate: Callable[[Network], tuple[float, float]] | None = None,
    before_epoch: Callable[[History, Position], object] = lambda *_: None,
    on_epoch: Callable[[History, Position], object] = lambda *_: None,
) -> tuple[Position, History, StopReason]:
    """Train from ``start`` until convergence or ``plan.max_epochs``.

    Parameters
    ----------
    start : Position
        Left as it is, as is ``history``.
    history : History
        Of the earlier epochs, if any.
    data : Batch
        The training rows.
    plan : Plan
    rng : numpy.random.RandomState
        Draws the order of the rows.
    validate : callable, optional
        From a network to its loss and its score (higher is better) on held-out rows.
        Required by ``plan.early_stopping``, which also scores the start: that is the
        network to beat.
    before_epoch, on_epoch : callable
        Called with the history and the position before and after each epoch. Both go
        on to change, but not the network: what is to be kept has to be copied. If
        ``on_epoch`` returns True, training stops.

    Returns
    -------
    position : Position
        The best one with ``early_stopping``; else the last one, or after a loss that is
        not finite the last network at which it was, with a new optimizer state. An
        interruption amid a step may leave some of its gradient in the state. With
        ``plan.keeps_best`` it is none that is worse than the start.
    history : History
    reason : {"converged", "stopped", "max_epochs", "diverged", "interrupted", "worse"}
        ``"worse"``: training ended at a higher objective than that of the start.
    """
    watch = Watch.of(start, history, plan, validate, before_epoch, on_epoch)
    position, trusted = start, start.network
    reason: StopReason = "max_epochs"
    try:
        for epoch in range(plan.max_epochs):
            watch.begin(position)
            rates = plan.rates_in(epoch)
            losses, totals = [], []
            for batch in _minibatches(data, plan, rng):
                in_place = position is not start
                loss, following = _step(position, batch, plan, rates, in_place)
                trusted, position = position.network, following
                losses.append(loss)
                totals.append(plan.objective.total(batch))
                watch.history.n_rows += batch.weights.shape[0]
            watch.see(float(np.average(losses, weights=totals)), position)
            if watch.verdict:
                reason = watch.verdict
                break
    except KeyboardInterrupt:
        reason = "interrupted"
    except FloatingPointError:
        reason = "diverged"
    # No later step has looked at the network that the last one made.
    if position.network is not trusted and not isfinite(
        plan.objective.value(position.network, batch)
    ):
        reason = "diverged"
    return watch.result(position, trusted, reason, data)


def _step(
    position: Position,
    batch: Batch,
    plan: Plan,
    rates: Sequence[float],
    in_place: bool = True,
) -> tuple[float, Position]:
    """Loss at ``position`` and the position after a step, with one rate per layer.

    The optimizer state of ``position`` is the step's to change, if ``in_place``.

    Raises
    ------
    FloatingPointError
        If that loss is not finite.
    """
    network, state = position
    loss, gradients = plan.objective.value_and_gradient(network, batch)
    check_finite(loss)
    rates = [
        rate
        for layer, rate in zip(network.layers, rates, strict=True)
        for _ in layer.parameters
    ]
    parameters, state = plan.optimizer.step(
        network.parameters, gradients, state, rates, in_place=in_place
    )
    return loss, Position(network.with_parameters(parameters), state)


def _minibatches(data: Batch, plan: Plan, rng: np.random.RandomState) -> Iterator[Batch]:
    n = data.weights.shape[0]
    order = rng.permutation(n) if plan.shuffle else np.arange(n)
    place = place_of(data.weights)
    order = place.move(order)
    # On the host rows are taken when their turn comes, and are then in the cache; on a
    # device those of many steps at once, with as many calls as of one.
    size = plan.batch_size
    if place != HOST:
        size *= max(1, TAKE_ELEMENTS // max(1, size * data.X.shape[1]))
    for start in range(0, n, size):
        taken = data.take(order[start : min(start + size, n)])
        yield from taken.blocks(plan.batch_size)
