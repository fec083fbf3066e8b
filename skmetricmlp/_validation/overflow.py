"""Rows whose products overflow: an error instead of wrong predictions."""

from __future__ import annotations

from math import isfinite

import numpy as np
import scipy.sparse as sp

from skmetricmlp._array_api import device_of, to_numpy
from skmetricmlp._typing import Array
from skmetricmlp.network import Network

__all__ = ["check_outputs", "check_products"]


def check_products(X: Array, network: Network) -> None:
    """Refuse rows whose products with the first layer may overflow.

    A sum of such products may come out as infinity of either sign, or NaN. An activation
    such as a step or ReLU makes a finite number of it, which is wrong.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
        Finite.
    network : Network

    Raises
    ------
    ValueError
        With the largest value of ``X``.
    """
    largest = _largest(X)
    most = float(np.finfo(str(X.dtype).rpartition(".")[2]).max)
    # Weights above this come from rows below its inverse, and both are rare together.
    if largest <= most**0.5:
        return
    weights = to_numpy(network.layers[0].parameters[0])
    with np.errstate(over="ignore"):
        sums = np.abs(weights).sum(axis=0, dtype=np.float64)
        is_safe = largest * float(sums.max(initial=0.0)) < most
    if not is_safe:
        raise _overflow(largest)


def check_outputs(outputs: Array, X: Array) -> None:
    """Refuse rows (n, d) for which the outputs (n, n_outputs) are not finite.

    Raises
    ------
    ValueError
        With the largest value of ``X``.
    """
    xp = device_of(outputs).namespace
    if not bool(xp.all(xp.isfinite(outputs))):
        raise _overflow(_largest(X))


def _overflow(largest: float) -> ValueError:
    msg = (
        f"X has values of up to {largest:.3g}, for which numbers in the network "
        f"overflow: scale its features, the same way for fit and predict"
    )
    return ValueError(msg)


def _largest(X: Array) -> float:
    """Return the largest absolute value, or zero without values."""
    values = X.data if sp.issparse(X) else X
    xp = device_of(values).namespace
    if 0 in values.shape:
        return 0.0
    largest = max(float(xp.max(values)), -float(xp.min(values)))
    return largest if isfinite(largest) else float("inf")
