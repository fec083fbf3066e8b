"""Parameters of a network of basis networks, and the domain of a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetricmlp._array_api import computed, to_numpy
from skmetricmlp._typing import Floats
from skmetricmlp._validation.names import check_names, index_names
from skmetricmlp._validation.parameters import (
    check_count,
    check_pair,
    check_training_parameters,
)
from skmetricmlp.initialization import BASELINES
from skmetricmlp.training import SCHEDULES

__all__ = ["check_basis_parameters", "check_box", "check_sides"]


# Factors to the largest and the smallest number, for weights and their sums.
WIDEST, NARROWEST = 1e4, 1e6

BASIS_CHOICES = {
    "init": ("basis", *BASELINES),
    "degree": ("auto",),
    "n_parts": (),
    "loss": ("squared_error",),
    "solver": ("lbfgs", "adam", "sgd"),
    "learning_rate": SCHEDULES,
    "batch_size": ("auto",),
}


def check_basis_parameters(parameters: Mapping[str, Any]) -> None:
    """Check all parameters that can be checked without data.

    Raises
    ------
    TypeError, ValueError
        With the parameter, the given value and the accepted ones.
    """
    check_training_parameters(parameters, BASIS_CHOICES)
    check_pair("init", parameters["init"], "(coefs, intercepts)", BASIS_CHOICES)
    for name in ("degree", "n_parts"):
        check_count(name, parameters[name], 1, BASIS_CHOICES)


def check_sides(domain: NDArray[np.floating[Any]], dtype: Any) -> None:
    """Check that weights for each side of a domain (d, 2) can be held in a precision.

    They are divided by half the length of the side, and are some hundreds at most.

    Raises
    ------
    ValueError
        If not, which names the first such column.
    """
    info = np.finfo(dtype)
    low, high = domain.T
    length = high / 2.0 - low / 2.0
    is_wide = np.abs(domain).max(axis=1) > info.max / WIDEST
    is_narrow = (length > 0.0) & (length < NARROWEST * info.tiny)
    columns = np.flatnonzero(is_wide | is_narrow)
    if len(columns):
        j = columns[0]
        msg = (
            f"domain[{j}] goes from {low[j]:.6g} to {high[j]:.6g}, which is too "
            f"{'wide' if is_wide[j] else 'narrow'} for weights in {info.dtype}: scale "
            f"column {j} of X"
        )
        raise ValueError(msg)


def check_box(domain: Any, X: Floats, names: Any = None) -> Floats:
    """Check the domain (d, 2) that a user gives for rows (n, d).

    ``names`` (d,) are the feature names of X, if it has any.

    Raises
    ------
    ValueError
        If it is none, or its index has other names, or rows are outside, which names the
        first such column.
    """
    domain, shape = computed(domain), (X.shape[1], 2)
    try:
        box = np.asarray(to_numpy(domain), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"domain must be 'auto' or an array of shape {shape}: {error}"
        raise ValueError(msg) from error
    if box.shape != shape:
        msg = (
            f"domain must be 'auto' or have the shape {shape}, lower and upper end of "
            f"each feature of X, got {domain!r}"
        )
        raise ValueError(msg)
    check_names("domain", index_names(domain), names)
    if not (np.isfinite(box).all() and (box[:, 0] < box[:, 1]).all()):
        msg = f"domain must have finite ends, the lower one first, got {domain!r}"
        raise ValueError(msg)
    least, greatest = X.min(axis=0), X.max(axis=0)
    outside = np.flatnonzero((least < box[:, 0]) | (greatest > box[:, 1]))
    if len(outside):
        j = outside[0]
        msg = (
            f"X must lie in the domain: column {j} goes from {least[j]:.6g} to "
            f"{greatest[j]:.6g}, and domain[{j}] from {box[j, 0]:.6g} to {box[j, 1]:.6g}"
        )
        raise ValueError(msg)
    return box
