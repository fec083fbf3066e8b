"""What is set before each example of the gallery runs."""

import warnings

from sklearn.exceptions import ConvergenceWarning

__all__ = ["without_convergence_warnings"]


def without_convergence_warnings(gallery_conf, fname):  # noqa: ARG001
    """Few epochs are meant in the examples."""
    warnings.simplefilter("ignore", ConvergenceWarning)
