"""What all training shares: a plan, a position, and what the end of an epoch means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any, Literal, NamedTuple

from skmetricmlp.network import Network
from skmetricmlp.training.curve import Curve
from skmetricmlp.training.objective import Batch, Objective
from skmetricmlp.training.optimizers import Optimizer

__all__ = ["History", "Plan", "Position", "StopReason", "Watch", "check_finite"]

StopReason = Literal[
    "converged", "stopped", "max_epochs", "diverged", "interrupted", "worse"
]


# Rows on which the end of training is compared with the start: a bounded share of an
# epoch's work.
COMPARED_ROWS = 2**14
# Share of the start's objective by which training may end above it without a warning,
# beside ``tol``: it wanders by as much about a minimum.
EXCUSED = 0.01


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
    patience : float
        More epochs in a row than this without improvement end the training.
    early_stopping : bool
        Look for improvement in the validation score, and return the network where it
        was highest, be it the one before the first epoch, instead of looking at the
        training loss.
    linear_decay : bool
        Lower the rates from epoch to epoch, in equal steps toward zero after
        ``max_epochs``.
    keeps_best : bool
        Without ``early_stopping``, return the best of the start and the epoch with the
        lowest loss where training ends at a higher objective than that of the start.
    """

    objective: Objective
    optimizer: Optimizer
    rates: Sequence[float]
    batch_size: int
    max_epochs: int
    shuffle: bool = True
    tol: float = 1e-4
    patience: float = 10
    early_stopping: bool = False
    linear_decay: bool = False
    keeps_best: bool = False

    def rates_in(self, epoch: int) -> list[float]:
        """One rate for each layer, in an epoch counted from zero."""
        share = 1 - epoch / self.max_epochs if self.linear_decay else 1.0
        return [share * rate for rate in self.rates]


class Position(NamedTuple):
    """Where training stands: a network and the optimizer state that belongs to it.

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

    The validation curves stay empty where there are no validation rows; ``n_rows``
    counts the rows that steps have learned from. ``kept_score`` is the validation score
    of the network that was returned, if it has one. A curve may be given as a list.
    """

    loss: Curve = field(default_factory=Curve)
    validation_loss: Curve = field(default_factory=Curve)
    validation_score: Curve = field(default_factory=Curve)
    n_rows: int = 0
    kept_score: float | None = None

    def __post_init__(self) -> None:
        """Make curves of lists."""
        self.loss = Curve.of(self.loss)
        self.validation_loss = Curve.of(self.validation_loss)
        self.validation_score = Curve.of(self.validation_score)

    def append(self, loss: float, held_out: tuple[float, float] | None) -> None:
        """Add an epoch: its loss, and the loss and score on held-out rows, if any."""
        self.loss = self.loss.followed_by(loss)
        if held_out is not None:
            self.validation_loss = self.validation_loss.followed_by(held_out[0])
            self.validation_score = self.validation_score.followed_by(held_out[1])

    def copy(self) -> History:
        """Return a history that can grow apart from this one, at no cost."""
        return replace(self)


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


@dataclass
class Watch:
    """Looks at each epoch that ends: keeps history and the best, knows when to stop.

    Parameters
    ----------
    plan : Plan
    history : History
        Grows with each epoch.
    start : Position
    best : Position
        With ``early_stopping`` the one with the highest score, counting the start; else
        the one with the lowest loss of an epoch.
    validate, before_epoch, on_epoch : callable
        Those of :func:`~skmetricmlp.training.train`.
    """

    plan: Plan
    history: History
    start: Position
    best: Position
    validate: Callable[[Network], tuple[float, float]] | None
    before_epoch: Callable[[History, Position], object]
    on_epoch: Callable[[History, Position], object]
    _patience: _Patience
    _last: Network | None = None
    _has_begun: bool = False
    _is_told_to_stop: bool = False

    @classmethod
    def of(
        cls,
        start: Position,
        history: History,
        plan: Plan,
        validate: Callable[[Network], tuple[float, float]] | None,
        before_epoch: Callable[[History, Position], object],
        on_epoch: Callable[[History, Position], object],
    ) -> Watch:
        """Watch training from ``start`` on; ``history`` is copied."""
        patience = _Patience(plan.tol, _lowest(start, history, plan, validate))
        history = history.copy()
        return cls(
            plan, history, start, start, validate, before_epoch, on_epoch, patience
        )

    @property
    def verdict(self) -> StopReason | None:
        """Why training is over after this epoch, or None where it goes on."""
        if self._is_told_to_stop:
            return "stopped"
        return "converged" if self._patience.stale > self.plan.patience else None

    def begin(self, position: Position) -> None:
        """Say that an epoch begins, unless that has been said."""
        if not self._has_begun:
            self._has_begun = True
            self.before_epoch(self.history, position)

    def see(self, loss: float, position: Position) -> None:
        """Take the loss of an epoch and where it ended.

        Raises
        ------
        FloatingPointError
            If the loss on held-out rows is not finite.
        """
        validate = self.validate
        held_out = None if validate is None else validate(position.network)
        check_finite(held_out[0] if held_out else 0.0)
        self.history.append(loss, held_out)
        self._last = position.network
        is_lowest = self._patience.update(_criterion(self.history, self.plan))
        if is_lowest and self.plan.early_stopping:
            self.best = position.checkpoint(self.plan.optimizer)
        elif is_lowest and self.plan.keeps_best:
            self.best = Position(position.network, None)
        self._has_begun = False
        self._is_told_to_stop = self.on_epoch(self.history, position) is True

    def result(
        self, position: Position, trusted: Network, reason: StopReason, data: Batch
    ) -> tuple[Position, History, StopReason]:
        """Choose the position to return, ``trusted`` having had a finite loss."""
        if self.plan.early_stopping:
            self.history.kept_score = -self._patience.lowest
            return self.best, self.history, reason
        if reason == "diverged":
            position = self._restart(trusted)
        if self.plan.keeps_best and position.network is not self.start.network:
            networks = position.network, self.start.network, self.best.network
            network, is_worse = _least(networks, self.plan, data)
            if network is not position.network:
                position = self._restart(network)
            if is_worse and reason != "diverged":
                reason = "worse"
        if self.validate and self._last is not None:
            is_last = position.network is self._last
            scores = self.history.validation_score
            kept = scores[-1] if is_last else self.validate(position.network)[1]
            self.history.kept_score = kept
        return position, self.history, reason

    def _restart(self, network: Network) -> Position:
        return Position(network, self.plan.optimizer.init(network.parameters))


def check_finite(loss: float) -> None:
    """Raise a FloatingPointError if a loss is not finite."""
    if not isfinite(loss):
        raise FloatingPointError


def _least(
    networks: tuple[Network, Network, Network], plan: Plan, data: Batch
) -> tuple[Network, bool]:
    """Return the last network, unless the start has a lower objective: then the best.

    The networks are the last one, the start, and that of the epoch with the lowest loss.
    Also say whether the last one is worse than the start by more than it wanders about a
    minimum.
    """
    last, start, best = networks
    rows, value = data.spread(COMPARED_ROWS), plan.objective.value
    at_start, at_end = value(start, rows), value(last, rows)
    if at_end <= at_start:
        return last, False
    is_worse = not at_end <= (1 + EXCUSED) * at_start + max(plan.tol, 0.0)
    return best if value(best, rows) <= at_start else start, is_worse


def _criterion(history: History, plan: Plan) -> float:
    """Return what training wants to be low, after the last epoch."""
    return -history.validation_score[-1] if plan.early_stopping else history.loss[-1]


def _lowest(
    start: Position,
    history: History,
    plan: Plan,
    validate: Callable[[Network], tuple[float, float]] | None,
) -> float:
    """Return the criterion to beat: the score of the start, or the lowest loss so far.

    A score of earlier rows says nothing of these ones.
    """
    if not plan.early_stopping:
        return history.loss.lowest
    return -validate(start.network)[1] if validate else inf
