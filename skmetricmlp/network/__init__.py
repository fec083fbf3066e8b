"""What a network computes. Runs on arrays of any array API namespace."""

from skmetricmlp.network.activations import ACTIVATIONS
from skmetricmlp.network.layers import Dense
from skmetricmlp.network.losses import LOG_PROBABILITIES, LOSSES
from skmetricmlp.network.network import Network

__all__ = ["ACTIVATIONS", "LOG_PROBABILITIES", "LOSSES", "Dense", "Network"]
