"""The door: everything a user passes in is checked here, once."""

from skmetricmlp.validation.basis import check_basis_parameters, check_box
from skmetricmlp.validation.errors import (
    check_whole,
    is_whole,
    not_accepted,
    unchanged_on_error,
)
from skmetricmlp.validation.metric import (
    check_domain,
    check_metric,
    check_metric_data,
    check_size,
    metric_parameters,
    takes_sparse,
    uses_metric,
)
from skmetricmlp.validation.parameters import (
    CLASSIFIER_CHOICES,
    REGRESSOR_CHOICES,
    check_parameters,
    check_training_parameters,
    layer_rates,
)
from skmetricmlp.validation.rows import (
    Rows,
    check_classes,
    check_exemplars,
    check_features,
    check_held_out,
    check_labels,
    check_rows,
    class_codes,
    class_weights,
    warn_of_units,
)

__all__ = [
    "CLASSIFIER_CHOICES",
    "REGRESSOR_CHOICES",
    "Rows",
    "check_basis_parameters",
    "check_box",
    "check_classes",
    "check_domain",
    "check_exemplars",
    "check_features",
    "check_held_out",
    "check_labels",
    "check_metric",
    "check_metric_data",
    "check_parameters",
    "check_rows",
    "check_size",
    "check_training_parameters",
    "check_whole",
    "class_codes",
    "class_weights",
    "is_whole",
    "layer_rates",
    "metric_parameters",
    "not_accepted",
    "takes_sparse",
    "unchanged_on_error",
    "uses_metric",
    "warn_of_units",
]
