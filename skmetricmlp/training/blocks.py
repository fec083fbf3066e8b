"""Arrays in pieces of a good size: of NumPy in small ones, on a device in large ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from array_api_compat import array_namespace, is_numpy_array, size

from skmetricmlp._typing import Array

__all__ = ["blocks", "joined", "split"]


# A step reads and writes six arrays of a block, which together should fit into a core's
# cache; a block of a quarter of this costs as much again in calls.
BLOCK_ELEMENTS = 2**16
# Off the host, arrays of fewer numbers in all cost more in calls than to be joined.
JOIN_ELEMENTS = 2**24


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


def joined(
    *lists: Sequence[Array], rates: Sequence[float]
) -> tuple[list[Sequence[Array]], Sequence[float]]:
    """Join the arrays of each list into one vector, if they all have the same rate.

    A step of an optimizer is then a dozen calls for all parameters together instead of
    for each. Arrays of NumPy, where a call costs little, and very large ones stay apart.
    """
    first = lists[0]
    if (
        is_numpy_array(first[0])
        or len(first) == 1
        or len(set(rates)) > 1
        or sum(map(size, first)) > JOIN_ELEMENTS
    ):
        return list(lists), rates
    xp = array_namespace(first[0])
    vectors = [xp.concat([xp.reshape(a, (-1,)) for a in arrays]) for arrays in lists]
    return [[vector] for vector in vectors], rates[:1]


def split(arrays: Sequence[Array], like: Sequence[Array]) -> list[Array]:
    """Undo :func:`joined`: arrays of the shapes of others, or as they are if they are."""
    if len(arrays) == len(like):
        return list(arrays)
    (vector,) = arrays
    xp, parts, start = array_namespace(vector), [], 0
    for array in like:
        stop = start + size(array)
        parts.append(xp.reshape(vector[start:stop], array.shape))
        start = stop
    return parts
