"""The order of the examples in the gallery, and what is set before each runs."""

import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning

__all__ = ["reading_order", "without_convergence_warnings"]

# What most readers want to see comes first; examples that are not named come last.
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
    """Return what the examples are sorted by."""
    stem = Path(file_name).stem
    return (FIRST.index(stem) if stem in FIRST else len(FIRST), stem)


def without_convergence_warnings(gallery_conf, fname):  # noqa: ARG001
    """Few epochs are meant in the examples."""
    warnings.simplefilter("ignore", ConvergenceWarning)
