"""The order of the examples in the gallery, and the setup before each example."""

import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning

__all__ = ["reading_order", "without_convergence_warnings"]

# The examples of general interest come first. Examples that are not listed come last.
FIRST = (
    "exemplars_of_digits",
    "mixed_columns",
    "mnist",
    "few_labels",
    "search_metrics",
    "explain_a_prediction",
    "streaming",
    "callbacks",
    "regression",
    "functions",
    "parquet_larger_than_memory",
    "dask_incremental",
    "dask_grid_search",
)


def reading_order(file_name):
    """Return the sort key of an example."""
    stem = Path(file_name).stem
    return (FIRST.index(stem) if stem in FIRST else len(FIRST), stem)


def without_convergence_warnings(gallery_conf, fname):  # noqa: ARG001
    """Ignore convergence warnings, because the examples train for few epochs."""
    warnings.simplefilter("ignore", ConvergenceWarning)
