"""The door: everything a user passes in is checked here, once."""

from skmetricmlp._errors import (
    check_whole,
    is_whole,
    not_accepted,
    unchanged_on_error,
)
from skmetricmlp._validation.basis import (
    check_basis_parameters,
    check_box,
    check_sides,
)
from skmetricmlp._validation.metric import (
    check_domain,
    check_metric,
    check_metric_data,
    check_size,
    metric_parameters,
    takes_sparse,
    uses_metric,
)
from skmetricmlp._validation.overflow import check_outputs, check_products
from skmetricmlp._validation.parameters import (
    CLASSIFIER_CHOICES,
    REGRESSOR_CHOICES,
    check_parameters,
    check_training_parameters,
    layer_rates,
)
from skmetricmlp._validation.rows import (
    Rows,
    check_classes,
    check_exemplars,
    check_features,
    check_held_out,
    check_labels,
    check_rows,
    class_codes,
    class_weights,
    in_precision,
    warn_of_units,
)
from skmetricmlp._validation.warm_start import MadeWith
from skmetricmlp._validation.weights import check_layers

__all__ = [
    "CLASSIFIER_CHOICES",
    "REGRESSOR_CHOICES",
    "MadeWith",
    "Rows",
    "check_basis_parameters",
    "check_box",
    "check_classes",
    "check_domain",
    "check_exemplars",
    "check_features",
    "check_held_out",
    "check_labels",
    "check_layers",
    "check_metric",
    "check_metric_data",
    "check_outputs",
    "check_parameters",
    "check_products",
    "check_rows",
    "check_sides",
    "check_size",
    "check_training_parameters",
    "check_whole",
    "class_codes",
    "class_weights",
    "in_precision",
    "is_whole",
    "layer_rates",
    "metric_parameters",
    "not_accepted",
    "takes_sparse",
    "unchanged_on_error",
    "uses_metric",
    "warn_of_units",
]
