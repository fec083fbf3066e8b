"""Networks: layers, activations and losses, on arrays of any array API namespace."""

from skmetricmlp.network.activations import ACTIVATIONS
from skmetricmlp.network.holes import reading_holes
from skmetricmlp.network.incidence import PairIncidence
from skmetricmlp.network.layers import (
    ClippedInput,
    Conjunctive,
    Dense,
    Grouped,
    Layer,
    ScaledInput,
    TiedComparison,
    clip_rows,
    forward,
    n_conjunctive,
)
from skmetricmlp.network.losses import LOG_PROBABILITIES, LOSSES
from skmetricmlp.network.network import Network
from skmetricmlp.network.scaling import (
    Scaling,
    from_training,
    input_scaling,
    to_training,
    unscaled,
)
from skmetricmlp.network.views import DenseWeights, LayerList, read_only

__all__ = [
    "ACTIVATIONS",
    "LOG_PROBABILITIES",
    "LOSSES",
    "ClippedInput",
    "Conjunctive",
    "Dense",
    "DenseWeights",
    "Grouped",
    "Layer",
    "LayerList",
    "Network",
    "PairIncidence",
    "ScaledInput",
    "Scaling",
    "TiedComparison",
    "clip_rows",
    "forward",
    "from_training",
    "input_scaling",
    "n_conjunctive",
    "read_only",
    "reading_holes",
    "to_training",
    "unscaled",
]
