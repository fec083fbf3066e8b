"""What the weights are before training: pure functions on arrays."""

from skmetricmlp.initialization.exemplars import SELECTORS, VALUE_SELECTORS, Exemplars
from skmetricmlp.initialization.form import Form, form_of
from skmetricmlp.initialization.given import given_network
from skmetricmlp.initialization.late_classes import lacks_classes, with_late_classes
from skmetricmlp.initialization.memory import (
    Budget,
    check_dense_size,
    memory_budget,
    training_budget,
)
from skmetricmlp.initialization.metric_fit import Metric, fit_metric
from skmetricmlp.initialization.metrics import METRICS, Domain
from skmetricmlp.initialization.nearest import Sample, nearest_network
from skmetricmlp.initialization.random import BASELINES, dense_layers
from skmetricmlp.initialization.rows import distinct_rows
from skmetricmlp.initialization.scaling import InputScaling
from skmetricmlp.initialization.start import Origin, Start, initial_network

__all__ = [
    "BASELINES",
    "METRICS",
    "SELECTORS",
    "VALUE_SELECTORS",
    "Budget",
    "Domain",
    "Exemplars",
    "Form",
    "InputScaling",
    "Metric",
    "Origin",
    "Sample",
    "Start",
    "check_dense_size",
    "dense_layers",
    "distinct_rows",
    "fit_metric",
    "form_of",
    "given_network",
    "initial_network",
    "lacks_classes",
    "memory_budget",
    "nearest_network",
    "training_budget",
    "with_late_classes",
]
