"""PyTorch: estimators as modules, and calculated weights for other people's modules.

Functions whose name ends with an underscore change a layer in place, as those of
``torch.nn.init`` do.
"""

from skmetricmlp.torch.features import frozen_features
from skmetricmlp.torch.initializers import calculated_conv2d_, calculated_linear_
from skmetricmlp.torch.modules import (
    CalculatedNetwork,
    Compared,
    Comparisons,
    Groups,
    MissingValues,
    ScaledInput,
    ScaledTargets,
    TiedComparisons,
    module_of,
    network_like,
)
from skmetricmlp.torch.outputs import fit_output_
from skmetricmlp.torch.pipelines import PatchModule, Standardized, to_torch

__all__ = [
    "CalculatedNetwork",
    "Compared",
    "Comparisons",
    "Groups",
    "MissingValues",
    "PatchModule",
    "ScaledInput",
    "ScaledTargets",
    "Standardized",
    "TiedComparisons",
    "calculated_conv2d_",
    "calculated_linear_",
    "fit_output_",
    "frozen_features",
    "module_of",
    "network_like",
    "to_torch",
]
