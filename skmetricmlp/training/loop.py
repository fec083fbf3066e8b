"""Epochs and minibatches: init, step, terminate.

The loop owns no weights. A step takes a network and makes the next one, so to stop, by
convergence, by divergence or by the keyboard, is only to choose which of them to return.
The optimiser state is the loop's own, and a step changes it in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any, Literal, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from skmetricmlp.arrays import HOST, place_of, to_numpy
from skmetricmlp.network import Network
from skmetricmlp.training.objective import Batch, Objective
from skmetricmlp.training.optimizers import Optimizer

__all__ = ["History", "Plan", "Position", "StopReason", "train"]

Array = Any
# Numbers to take from the rows on a device at once.
TAKE_ELEMENTS = 2**22

StopReason = Literal["converged", "max_epochs", "diverged", "interrupted"]


@dataclass(frozen=True)
class Plan:
    """How to train: everything that stays the same from the first step to the last.

    Parameters
    ----------
    objective : Objective
    optimizer : Optimizer
    rates : sequence of float
        One learning rate per layer.
    batch_size : int
        Rows per step.
    max_epochs : int
    shuffle : bool
        Draw a new order of the rows for each epoch.
    tol : float
        What counts as an improvement.
    patience : int
        More epochs in a row than this without improvement end the training.
    early_stopping : bool
        Look for improvement in the validation score, and return the network where it
        was highest, be it the one before the first epoch, instead of looking at the
        training loss.
    linear_decay : bool
        Lower the rates from epoch to epoch, in equal steps towards zero after
        ``max_epochs``.
    """

    objective: Objective
    optimizer: Optimizer
    rates: Sequence[float]
    batch_size: int
    max_epochs: int
    shuffle: bool = True
    tol: float = 1e-4
    patience: int = 10
    early_stopping: bool = False
    linear_decay: bool = False

    def rates_in(self, epoch: int) -> list[float]:
        """One rate for each layer, in an epoch counted from zero."""
        share = 1 - epoch / self.max_epochs if self.linear_decay else 1.0
        return [share * rate for rate in self.rates]


class Position(NamedTuple):
    """Where training stands: a network and the optimiser state that belongs to it.

    The network never changes, so a reference to it is a checkpoint that costs nothing;
    the state does with the next step.
    """

    network: Network
    state: Any

    def checkpoint(self, optimizer: Optimizer) -> Position:
        """Return a position that stays when steps go on from here."""
        return Position(self.network, optimizer.copy(self.state))


@dataclass
class History:
    """What was seen so far, an entry an epoch.

    The validation lists stay empty where there are no validation rows; ``n_rows``
    counts the rows that steps have learned from.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_score: list[float] = field(default_factory=list)
    n_rows: int = 0

    def append(self, loss: float, held_out: tuple[float, float] | None) -> None:
        """Add an epoch: its loss, and the loss and score on held-out rows, if any."""
        self.loss.append(loss)
        if held_out is not None:
            self.validation_loss.append(held_out[0])
            self.validation_score.append(held_out[1])

    def copy(self) -> History:
        """Return a history that can grow apart from this one."""
        return replace(
            self,
            loss=list(self.loss),
            validation_loss=list(self.validation_loss),
            validation_score=list(self.validation_score),
        )


def train(
    start: Position,
    history: History,
    data: Batch,
    plan: Plan,
    rng: np.random.RandomState,
    *,
    validate: Callable[[Network], tuple[float, float]] | None = None,
    on_epoch: Callable[[History], None] = lambda _: None,
) -> tuple[Position, History, StopReason]:
    """Train from ``start`` until convergence or ``plan.max_epochs``.

    Parameters
    ----------
    start : Position
        Left as it is, as is ``history``: its optimiser state is copied once.
    history : History
        Of the earlier epochs, if any.
    data : Batch
        The training rows.
    plan : Plan
    rng : numpy.random.RandomState
        Draws the order of the rows.
    validate : callable, optional
        From a network to its loss and its score (higher is better) on held-out rows.
        Required by ``plan.early_stopping``. Without earlier epochs that also scores the
        start, which then is the network to beat; the history says nothing of it.
    on_epoch : callable
        Called with the history after each epoch.

    Returns
    -------
    position : Position
        The best one with ``early_stopping``; else the last one, or after a loss that is
        not finite the last network at which it was, with a new optimiser state. An
        interruption amid a step may leave some of its gradient in the state.
    history : History
    reason : {"converged", "max_epochs", "diverged", "interrupted"}
    """
    history = history.copy()
    patience = _Patience(plan.tol, _lowest(start, history, plan, validate))
    position, trusted, best = start.checkpoint(plan.optimizer), start.network, start
    reason: StopReason = "max_epochs"
    try:
        for epoch in range(plan.max_epochs):
            rates = plan.rates_in(epoch)
            losses, totals = [], []
            for batch in _minibatches(data, plan, rng):
                loss, following = _step(position, batch, plan, rates)
                trusted, position = position.network, following
                losses.append(loss)
                totals.append(array_namespace(batch.weights).sum(batch.weights))
                history.n_rows += batch.weights.shape[0]
            held_out = None if validate is None else validate(position.network)
            _check_finite(held_out[0] if held_out else 0.0)
            history.append(_average(losses, totals), held_out)
            if patience.update(_criterion(history, plan)) and plan.early_stopping:
                best = position.checkpoint(plan.optimizer)
            on_epoch(history)
            if patience.stale > plan.patience:
                reason = "converged"
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
    if plan.early_stopping:
        position = best
    elif reason == "diverged":
        position = Position(trusted, plan.optimizer.init(trusted.parameters))
    return position, history, reason


def _step(
    position: Position, batch: Batch, plan: Plan, rates: Sequence[float]
) -> tuple[float, Position]:
    """Loss at ``position`` and the position after a step, with one rate per layer.

    Raises
    ------
    FloatingPointError
        If that loss is not finite.
    """
    network, state = position
    loss, gradients = plan.objective.value_and_gradient(network, batch)
    _check_finite(loss)
    rates = [
        rate
        for layer, rate in zip(network.layers, rates, strict=True)
        for _ in layer.parameters
    ]
    parameters, state = plan.optimizer.step(network.parameters, gradients, state, rates)
    return loss, Position(network.with_parameters(parameters), state)


def _check_finite(loss: float) -> None:
    if not isfinite(loss):
        raise FloatingPointError


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


def _average(losses: Sequence[float], totals: Sequence[Array]) -> float:
    weights = to_numpy(array_namespace(totals[0]).stack(totals))
    return float(np.average(losses, weights=weights))


def _criterion(history: History, plan: Plan) -> float:
    """Return what training wants to be low, after the last epoch."""
    return -history.validation_score[-1] if plan.early_stopping else history.loss[-1]


def _lowest(
    start: Position,
    history: History,
    plan: Plan,
    validate: Callable[[Network], tuple[float, float]] | None,
) -> float:
    """Return the lowest criterion of the epochs so far, or the one of the start."""
    if not plan.early_stopping:
        return min(history.loss, default=inf)
    scores = history.validation_score
    if validate and not scores:
        scores = [validate(start.network)[1]]
    return -max(scores, default=-inf)


@dataclass
class _Patience:
    """Counts the epochs in a row that did not improve ``lowest`` by ``tol``."""

    tol: float
    lowest: float
    stale: int = 0

    def update(self, value: float) -> bool:
        """Take an epoch's criterion and say whether it is the lowest so far."""
        self.stale = self.stale + 1 if value > self.lowest - self.tol else 0
        is_lowest = value < self.lowest
        self.lowest = min(value, self.lowest)
        return is_lowest
