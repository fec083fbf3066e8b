"""Epochs and minibatches: init, step, terminate.

The loop owns no weights. A step takes a network and makes the next one. To stop, by
convergence, by divergence or by the keyboard, is only to choose which of them to return.
The optimizer state that the loop is given stays too: the first step makes a new one, and
the later steps change that one in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np

from skmetricmlp._array_api import HOST, device_of
from skmetricmlp._data import TrainingData
from skmetricmlp.network import Network
from skmetricmlp.training.config import TrainingConfig
from skmetricmlp.training.history import History
from skmetricmlp.training.lbfgs import train_lbfgs
from skmetricmlp.training.monitor import (
    Listener,
    Monitor,
    StopReason,
    Trained,
    Validate,
    check_finite,
)

__all__ = ["step", "train"]

# Numbers that are taken from the rows on a device at once.
TAKE_ELEMENTS = 2**22


def train(
    network: Network,
    state: Any,
    history: History,
    data: TrainingData,
    config: TrainingConfig,
    rng: np.random.RandomState,
    *,
    validate: Validate | None = None,
    before_epoch: Listener = lambda *_: None,
    on_epoch: Listener = lambda *_: None,
) -> Trained:
    """Train until convergence or for ``config.max_epochs`` epochs.

    Parameters
    ----------
    network : Network
        The start. It stays as it is, as do ``state`` and ``history``.
    state : object
        State of the optimizer; None for a new one.
    history : History
        Of the earlier epochs.
    data : TrainingData
        Encoded, on the device of the network.
    config : TrainingConfig
    rng : numpy.random.RandomState
        Draws the order of the rows.
    validate : callable, optional
        From a network to its loss and its score (higher is better) on validation data.
        Required by ``config.early_stopping``, where it also scores the start.
    before_epoch, on_epoch : callable
        Called with the history, the network and the optimizer state before and after
        each epoch. Later steps change the optimizer state in place. If ``on_epoch``
        returns True, training stops.

    Returns
    -------
    network : Network
        With ``early_stopping`` the best one. Otherwise the last one, or after a loss
        that is not finite the last one with a finite loss. With ``config.keeps_best`` it
        is never worse than the start.
    state : object
        The optimizer state that belongs to it, or None where it begins anew. After an
        interruption it may hold a part of the step that was interrupted.
    history : History
    reason : {"converged", "stopped", "max_epochs", "diverged", "interrupted", "worse"}
        ``"worse"``: training ended at a higher objective than that of the start.
    """
    listeners = validate, before_epoch, on_epoch
    if config.optimizer is None:
        return train_lbfgs(network, history, data, config, *listeners)
    monitor = Monitor(config, history, network, network, state, *listeners)
    first_state = state
    if state is None:
        state = first_state = config.optimizer.init(network.parameters)
    last_finite = network
    reason: StopReason = "max_epochs"
    try:
        for epoch in range(config.max_epochs):
            monitor.begin(network, state)
            rates = config.rates_in(epoch, monitor.history.n_rows, monitor.n_cuts)
            losses, totals = [], []
            for batch in _minibatches(data, config, rng):
                in_place = state is not first_state
                loss, following, state = step(
                    network, state, batch, config, rates, in_place=in_place
                )
                last_finite, network = network, following
                losses.append(loss)
                totals.append(config.objective.total(batch))
                n_rows = batch.sample_weight.shape[0]
                monitor.history = monitor.history.with_rows(n_rows)
            monitor.end(float(np.average(losses, weights=totals)), network, state)
            if monitor.reason:
                reason = monitor.reason
                break
    except KeyboardInterrupt:
        reason = "interrupted"
    except FloatingPointError:
        reason = "diverged"
    # No later step has computed the loss of the network that the last step made.
    if network is not last_finite and not isfinite(
        config.objective.value(network, batch)
    ):
        reason = "diverged"
    return monitor.result(network, state, last_finite, reason, data)


def step(
    network: Network,
    state: Any,
    batch: TrainingData,
    config: TrainingConfig,
    rates: Sequence[float],
    *,
    in_place: bool = True,
) -> tuple[float, Network, Any]:
    """Take one step.

    Parameters
    ----------
    network : Network
    state : object
        Optimizer state, which the step may change if ``in_place``.
    batch : TrainingData
    config : TrainingConfig
    rates : sequence of float
        One per layer.
    in_place : bool, default=True

    Returns
    -------
    loss : float
        At ``network``.
    network : Network
    state : object

    Raises
    ------
    FloatingPointError
        If that loss is not finite.
    """
    loss, gradients = config.objective.value_and_gradient(network, batch)
    check_finite(loss)
    rates = [
        rate
        for layer, rate in zip(network.layers, rates, strict=True)
        for _ in layer.parameters
    ]
    parameters, state = config.optimizer.step(  # type: ignore[union-attr] # not L-BFGS
        network.parameters, gradients, state, rates, in_place=in_place
    )
    return loss, network.with_parameters(parameters), state


def _minibatches(
    data: TrainingData, config: TrainingConfig, rng: np.random.RandomState
) -> Iterator[TrainingData]:
    n = data.sample_weight.shape[0]
    order = rng.permutation(n) if config.shuffle else np.arange(n)
    device = device_of(data.sample_weight)
    order = device.move(order)
    # On the host each minibatch is taken just before its step, which then finds it in the
    # cache. On a device the rows of many steps are taken with the calls of one.
    size = config.batch_size
    if device != HOST:
        size *= max(1, TAKE_ELEMENTS // max(1, size * data.X.shape[1]))
    for start in range(0, n, size):
        taken = data.take(order[start : min(start + size, n)])
        yield from taken.blocks(config.batch_size)
