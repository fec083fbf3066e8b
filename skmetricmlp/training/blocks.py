"""Large arrays in pieces that stay in the processor's cache, where that is NumPy's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from array_api_compat import is_numpy_array, size

__all__ = ["blocks"]

Array = Any

# A step reads and writes six arrays of a block, which together should fit into a core's
# cache; a block of a quarter of this costs as much again in calls.
BLOCK_ELEMENTS = 2**16


def blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Yield views of the same rows of arrays of one shape.

    A block has :data:`BLOCK_ELEMENTS` numbers at most, or is a single row. Arrays of
    other namespaces than NumPy's, which may be on a device, come whole: there a call
    costs more than what is left of a cache.
    """
    if not is_numpy_array(arrays[0]):
        yield arrays
        return
    n = arrays[0].shape[0]
    width = size(arrays[0]) // max(1, n)
    step = max(1, BLOCK_ELEMENTS // max(1, width))
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        yield tuple(array[rows, ...] for array in arrays)
