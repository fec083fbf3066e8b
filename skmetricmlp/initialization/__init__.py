"""What the weights are before training: pure functions on arrays."""

from skmetricmlp.initialization.exemplars import SELECTORS, Exemplars
from skmetricmlp.initialization.random import BASELINES
from skmetricmlp.initialization.start import initial_network

__all__ = ["BASELINES", "SELECTORS", "Exemplars", "initial_network"]
