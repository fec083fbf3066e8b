"""How weights change. Runs on arrays of any array API namespace."""

from skmetricmlp.training.loop import (
    History,
    Plan,
    Position,
    StopReason,
    train,
)
from skmetricmlp.training.objective import Batch, Objective, loss_and_score
from skmetricmlp.training.optimizers import SGD, Adam, Optimizer

__all__ = [
    "SGD",
    "Adam",
    "Batch",
    "History",
    "Objective",
    "Optimizer",
    "Plan",
    "Position",
    "StopReason",
    "loss_and_score",
    "train",
]
