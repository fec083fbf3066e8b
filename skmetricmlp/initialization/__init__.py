"""What the weights are before training: pure functions on arrays."""

from skmetricmlp.initialization.baselines import BASELINES, dense_layers
from skmetricmlp.initialization.build import Origin, Start, initial_network
from skmetricmlp.initialization.form import Form, form_of
from skmetricmlp.initialization.given import given_network
from skmetricmlp.initialization.memory import (
    Budget,
    check_dense_size,
    memory_budget,
    training_budget,
)
from skmetricmlp.initialization.new_classes import lacks_classes, with_late_classes
from skmetricmlp.initialization.tournament import Sample, nearest_network

__all__ = [
    "BASELINES",
    "Budget",
    "Form",
    "Origin",
    "Sample",
    "Start",
    "check_dense_size",
    "dense_layers",
    "form_of",
    "given_network",
    "initial_network",
    "lacks_classes",
    "memory_budget",
    "nearest_network",
    "training_budget",
    "with_late_classes",
]
