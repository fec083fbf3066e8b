"""How to train: the settings that stay the same from the first step to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skmetricmlp.training.objective import Objective
from skmetricmlp.training.optimizers import Optimizer

__all__ = ["SCHEDULES", "TrainingConfig"]

SCHEDULES = ("constant", "linear", "invscaling", "adaptive")
# The "adaptive" schedule divides the rates by this, and ends training below the least.
ADAPTIVE_DIVISOR, LEAST_ADAPTIVE_RATE = 5.0, 1e-6


@dataclass(frozen=True)
class TrainingConfig:
    """Configuration of the training.

    Parameters
    ----------
    objective : Objective
    optimizer : Optimizer or None
        None stands for L-BFGS, which takes all rows at once.
    rates : sequence of float
        One learning rate per layer.
    batch_size : int
        Rows per step.
    max_epochs : int
    shuffle : bool, default=True
        Draw a new order of the rows for each epoch.
    tol : float, default=1e-4
        Smallest improvement that counts. L-BFGS ends where no element of the gradient is
        larger.
    patience : float, default=10
        More epochs in a row than this without improvement end the training.
    early_stopping : bool, default=False
        Measure improvement by the validation score and not by the training loss, and
        return the network with the highest score. The start counts too.
    schedule : {"constant", "linear", "invscaling", "adaptive"}, default="constant"
        How the learning rates change: ``"linear"`` lowers them in equal steps toward
        zero after ``max_epochs``; ``"invscaling"`` divides them by ``(t + 1)^power_t``
        after t rows; ``"adaptive"`` divides them by 5 where the patience ends, until the
        largest is at most 1e-6.
    power_t : float, default=0.5
    keeps_best : bool, default=False
        Without ``early_stopping``, return the best of the start and the epoch with the
        lowest loss where training ends at a higher objective than that of the start.
    """

    objective: Objective
    optimizer: Optimizer | None
    rates: Sequence[float]
    batch_size: int
    max_epochs: int
    shuffle: bool = True
    tol: float = 1e-4
    patience: float = 10
    early_stopping: bool = False
    schedule: str = "constant"
    power_t: float = 0.5
    keeps_best: bool = False

    def rates_in(self, epoch: int, n_rows: int = 0, n_cuts: int = 0) -> list[float]:
        """One rate for each layer.

        Parameters
        ----------
        epoch : int
            Counted from zero.
        n_rows : int
            Rows that steps have used before this epoch.
        n_cuts : int
            How often the ``"adaptive"`` schedule has lowered the rates.
        """
        factor = 1.0
        if self.schedule == "linear":
            factor = 1 - epoch / self.max_epochs
        elif self.schedule == "invscaling" and n_rows:
            factor = (n_rows + 1.0) ** -self.power_t  # zero where the power overflows
        elif self.schedule == "adaptive":
            factor = ADAPTIVE_DIVISOR**-n_cuts
        return [factor * rate for rate in self.rates]

    def can_be_lowered(self, n_cuts: int) -> bool:
        """Whether the ``"adaptive"`` schedule goes on with lower rates."""
        if self.schedule != "adaptive":
            return False
        return max(self.rates_in(0, 0, n_cuts)) > LEAST_ADAPTIVE_RATE
