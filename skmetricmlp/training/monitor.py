"""What the end of an epoch means: history, the best network, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any, Literal

from skmetricmlp._data import TrainingData
from skmetricmlp.network import Network
from skmetricmlp.training.config import TrainingConfig
from skmetricmlp.training.history import History

__all__ = ["Listener", "Monitor", "StopReason", "Trained", "Validate", "check_finite"]

StopReason = Literal[
    "converged", "stopped", "max_epochs", "diverged", "interrupted", "worse"
]
# From a network to its loss and score (higher is better) on the validation data.
Validate = Callable[[Network], tuple[float, float]]
# Called with the history, the network and the optimizer state.
Listener = Callable[[History, Network, Any], object]
# The network, the optimizer state, the history, and why training stopped.
Trained = tuple[Network, Any, History, StopReason]

# Rows on which the end of training is compared with the start. This bounds the cost to a
# share of an epoch.
COMPARED_ROWS = 2**14
# Training may end above the start's objective by this share, beside ``tol``, without a
# warning: around a minimum the objective varies by as much.
ALLOWED_INCREASE = 0.01


@dataclass
class Monitor:
    """Observes training: records each epoch, keeps the best network, decides on the end.

    Parameters
    ----------
    config : TrainingConfig
    history : History
        Of the earlier epochs; replaced by a longer one after each epoch.
    start : Network
    best : Network
        With ``early_stopping`` the network with the highest score, where the start
        counts too; otherwise the one after the epoch with the lowest loss.
    best_state : object
        Its optimizer state; None if it has to begin anew.
    validate : callable or None
    before_epoch, on_epoch : callable
        Training stops if ``on_epoch`` returns True.
    lowest : float
        The lowest criterion so far: the loss, or minus the validation score.
    """

    config: TrainingConfig
    history: History
    start: Network
    best: Network
    best_state: Any
    validate: Validate | None
    before_epoch: Listener
    on_epoch: Listener
    lowest: float = inf
    n_stale: int = 0
    n_cuts: int = 0
    _last: Network | None = None
    _has_begun: bool = False
    _is_told_to_stop: bool = False

    def __post_init__(self) -> None:
        """Take the criterion to beat from the start, or from the earlier epochs."""
        if not self.config.early_stopping:
            self.lowest = self.history.lowest_loss
        elif self.validate:
            # The scores of the history may come from other validation data.
            self.lowest = -self.validate(self.start)[1]

    def begin(self, network: Network, state: Any) -> None:
        """Announce that an epoch begins, once."""
        if not self._has_begun:
            self._has_begun = True
            self.before_epoch(self.history, network, state)

    def end(self, loss: float, network: Network, state: Any) -> None:
        """Record the loss of an epoch and the network at its end.

        Raises
        ------
        FloatingPointError
            If the loss on the validation data is not finite.
        """
        scores = None if self.validate is None else self.validate(network)
        check_finite(scores[0] if scores else 0.0)
        self.history = self.history.followed_by(loss, scores)
        self._last = network
        early_stopping = self.config.early_stopping
        value = -scores[1] if early_stopping and scores else loss
        self.n_stale = self.n_stale + 1 if value > self.lowest - self.config.tol else 0
        if value < self.lowest and early_stopping:
            optimizer = self.config.optimizer
            self.best, self.best_state = network, optimizer and optimizer.copy(state)
        elif value < self.lowest and self.config.keeps_best:
            self.best, self.best_state = network, None
        self.lowest = min(value, self.lowest)
        if self._is_stale and self.config.can_be_lowered(self.n_cuts):
            self.n_cuts, self.n_stale = self.n_cuts + 1, 0
        self._has_begun = False
        self._is_told_to_stop = self.on_epoch(self.history, network, state) is True

    @property
    def reason(self) -> StopReason | None:
        """Why training ends after this epoch, or None if it goes on."""
        if self._is_told_to_stop:
            return "stopped"
        return "converged" if self._is_stale else None

    @property
    def _is_stale(self) -> bool:
        return self.n_stale > self.config.patience

    def result(
        self,
        network: Network,
        state: Any,
        last_finite: Network,
        reason: StopReason,
        data: TrainingData,
    ) -> Trained:
        """Choose the network to return; ``last_finite`` had a finite loss."""
        if self.config.early_stopping:
            history = replace(self.history, kept_score=-self.lowest)
            return self.best, self.best_state, history, reason
        chosen = last_finite if reason == "diverged" else network
        if self.config.keeps_best and chosen is not self.start:
            chosen, is_worse = self._least(chosen, data)
            if is_worse and reason != "diverged":
                reason = "worse"
        if reason == "diverged" or chosen is not network:
            state = None
        history = self.history
        if self.validate and self._last is not None:
            is_last = chosen is self._last
            score = history.last[2] if is_last else self.validate(chosen)[1]
            history = replace(history, kept_score=score)
        return chosen, state, history, reason

    def _least(self, network: Network, data: TrainingData) -> tuple[Network, bool]:
        """Return the network, or the best one if the start has a lower objective.

        The second value tells whether the objective rose by more than it varies around a
        minimum.
        """
        rows, value = data.spread(COMPARED_ROWS), self.config.objective.value
        at_start, at_end = value(self.start, rows), value(network, rows)
        if at_end <= at_start:
            return network, False
        allowed = (1 + ALLOWED_INCREASE) * at_start + max(self.config.tol, 0.0)
        chosen = self.best if value(self.best, rows) <= at_start else self.start
        return chosen, not at_end <= allowed


def check_finite(loss: float) -> None:
    """Raise a FloatingPointError if a loss is not finite."""
    if not isfinite(loss):
        raise FloatingPointError
