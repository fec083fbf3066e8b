"""Checks of what a user passes: parameters, data, exemplars and weights.

A function that learns more in a calculation raises its own error, such as a metric whose
scores are not finite.
"""

from skmetricmlp._validation.basis import (
    check_basis_parameters,
    check_box,
    check_sides,
)
from skmetricmlp._validation.data import (
    check_classes,
    check_exemplars,
    check_features,
    check_labels,
    check_training_data,
    check_validation_data,
    check_validation_size,
    class_codes,
    class_weights,
    in_precision,
    warn_of_units,
)
from skmetricmlp._validation.metric import (
    accepts_sparse,
    check_metric,
    check_metric_data,
    check_range,
    check_size,
    is_additive,
    metric_parameters,
    uses_metric,
)
from skmetricmlp._validation.names import check_names, column_names
from skmetricmlp._validation.overflow import check_outputs, check_products
from skmetricmlp._validation.parameters import (
    CLASSIFIER_CHOICES,
    REGRESSOR_CHOICES,
    accepts_labels,
    check_feature_groups,
    check_incremental,
    check_label_parameters,
    check_max_features,
    check_parameters,
    check_training_parameters,
    get_parameters,
    layer_rates,
)
from skmetricmlp._validation.warm_start import (
    Recorded,
    check_same_parameters,
    record_parameters,
)
from skmetricmlp._validation.weights import check_layers

__all__ = [
    "CLASSIFIER_CHOICES",
    "REGRESSOR_CHOICES",
    "Recorded",
    "accepts_labels",
    "accepts_sparse",
    "check_basis_parameters",
    "check_box",
    "check_classes",
    "check_exemplars",
    "check_feature_groups",
    "check_features",
    "check_incremental",
    "check_label_parameters",
    "check_labels",
    "check_layers",
    "check_max_features",
    "check_metric",
    "check_metric_data",
    "check_names",
    "check_outputs",
    "check_parameters",
    "check_products",
    "check_range",
    "check_same_parameters",
    "check_sides",
    "check_size",
    "check_training_data",
    "check_training_parameters",
    "check_validation_data",
    "check_validation_size",
    "class_codes",
    "class_weights",
    "column_names",
    "get_parameters",
    "in_precision",
    "is_additive",
    "layer_rates",
    "metric_parameters",
    "record_parameters",
    "uses_metric",
    "warn_of_units",
]
