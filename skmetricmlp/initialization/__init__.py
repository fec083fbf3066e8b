"""The weights before training: pure functions on arrays."""

from skmetricmlp.initialization.baselines import BASELINES, dense_layers, given_network
from skmetricmlp.initialization.build import cast_network, initial_state
from skmetricmlp.initialization.comparisons import (
    Comparisons,
    compared_exemplars,
    middles,
)
from skmetricmlp.initialization.config import FITTED_OUTPUTS, NetworkConfig
from skmetricmlp.initialization.memory import check_dense_size, check_n_weights
from skmetricmlp.initialization.new_classes import lacks_classes, with_new_classes
from skmetricmlp.initialization.output_sums import KEPT_ROWS, OutputSums
from skmetricmlp.initialization.row_sample import RowSample
from skmetricmlp.initialization.tournament import nearest_network

__all__ = [
    "BASELINES",
    "FITTED_OUTPUTS",
    "KEPT_ROWS",
    "Comparisons",
    "NetworkConfig",
    "OutputSums",
    "RowSample",
    "cast_network",
    "check_dense_size",
    "check_n_weights",
    "compared_exemplars",
    "dense_layers",
    "given_network",
    "initial_state",
    "lacks_classes",
    "middles",
    "nearest_network",
    "with_new_classes",
]
