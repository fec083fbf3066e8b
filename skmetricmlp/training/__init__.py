"""How weights change. The functions accept arrays of any array API namespace."""

from skmetricmlp.training.config import SCHEDULES, TrainingConfig
from skmetricmlp.training.held_out import (
    best_share,
    between,
    kept_and_held_out,
    with_scaled_output,
)
from skmetricmlp.training.history import History
from skmetricmlp.training.lbfgs import train_lbfgs
from skmetricmlp.training.monitor import StopReason, Trained, Validate
from skmetricmlp.training.objective import Objective, loss_and_score, output_targets
from skmetricmlp.training.optimizers import SGD, Adam, Optimizer
from skmetricmlp.training.stochastic import train

__all__ = [
    "SCHEDULES",
    "SGD",
    "Adam",
    "History",
    "Objective",
    "Optimizer",
    "StopReason",
    "Trained",
    "TrainingConfig",
    "Validate",
    "best_share",
    "between",
    "kept_and_held_out",
    "loss_and_score",
    "output_targets",
    "train",
    "train_lbfgs",
    "with_scaled_output",
]
