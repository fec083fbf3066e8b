"""How weights change. Runs on arrays of any array API namespace."""

from skmetricmlp.training.curve import Curve
from skmetricmlp.training.lbfgs import LBFGS, train_lbfgs
from skmetricmlp.training.monitor import History, Plan, Position, StopReason
from skmetricmlp.training.objective import Batch, Objective, loss_and_score
from skmetricmlp.training.optimizers import SGD, Adam, Optimizer
from skmetricmlp.training.stochastic import train

__all__ = [
    "LBFGS",
    "SGD",
    "Adam",
    "Batch",
    "Curve",
    "History",
    "Objective",
    "Optimizer",
    "Plan",
    "Position",
    "StopReason",
    "loss_and_score",
    "train",
    "train_lbfgs",
]
