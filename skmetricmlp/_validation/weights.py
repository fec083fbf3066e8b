"""Weights that a user assigns to a fitted network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skmetricmlp._array_api import device_of, is_array, to_numpy
from skmetricmlp._typing import Array

__all__ = ["check_layers"]


def check_layers(name: str, value: Any, present: Sequence[Array]) -> list[Array]:
    """Check arrays that replace those of a network, one for each layer.

    Parameters
    ----------
    name : str
        ``"coefs_"`` or ``"intercepts_"``.
    value : sequence of array-like
    present : sequence of array

    Returns
    -------
    list of array
        Copies, on the device and in the precision of the present arrays.

    Raises
    ------
    ValueError, TypeError
        If their number or shapes differ, or they are not finite.
    """
    try:
        given = list(value)
    except TypeError as error:
        msg = f"{name} must be a list of {len(present)} arrays, got {value!r}"
        raise TypeError(msg) from error
    if len(given) != len(present):
        msg = f"{name} must have {len(present)} arrays, one for each layer, got "
        raise ValueError(msg + str(len(given)))
    return [
        _like(f"{name}[{layer}]", array, wanted)
        for layer, (array, wanted) in enumerate(zip(given, present, strict=True))
    ]


def _like(name: str, value: Any, wanted: Array) -> Array:
    """Return a copy of a value with the shape, type and device of another array."""
    shape = tuple(wanted.shape)
    try:
        array = np.asarray(to_numpy(value) if is_array(value) else value)
        numbers = array.astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        msg = f"{name} must be an array of numbers of shape {shape}: {error}"
        raise ValueError(msg) from error
    if numbers.shape != shape:
        msg = f"{name} must have the shape {shape}, got {numbers.shape}"
        raise ValueError(msg)
    device = device_of(wanted)
    with np.errstate(over="ignore"):
        moved = device.namespace.astype(device.move(numbers), wanted.dtype, copy=True)
    if not np.isfinite(to_numpy(moved)).all():
        msg = f"{name} has values that are not finite in the precision of the network"
        raise ValueError(msg)
    return moved
