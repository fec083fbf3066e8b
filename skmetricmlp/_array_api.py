"""Arrays of any namespace: where they are, how they move, and how to loop over them.

The code that differs between NumPy and other namespaces is in this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array, size
from numpy.typing import NDArray

from skmetricmlp._typing import Array

__all__ = [
    "HOST",
    "Device",
    "blocks",
    "computed",
    "device_of",
    "is_array",
    "joined",
    "map_arrays",
    "numpy_type",
    "split",
    "to_numpy",
]


class Device(NamedTuple):
    """A namespace of the array API and a device of it."""

    namespace: Any
    device: Any

    @classmethod
    def of(cls, namespace: Any, device: Any = None) -> Device:
        """Return the named device, by default the default device of the namespace.

        Raises
        ------
        TypeError
            If ``namespace`` is no array API namespace.
        """
        try:
            # PyTorch and CuPy have the array API by array-api-compat only.
            namespace = array_namespace(namespace.empty(0))
        except (AttributeError, TypeError) as error:
            msg = (
                f"xp must be a namespace of the array API, such as numpy, torch or cupy, "
                f"got {namespace!r}"
            )
            raise TypeError(msg) from error
        # The device of an array has its full name: cuda:0 instead of cuda.
        return device_of(namespace.empty(0, device=device))

    @property
    def floats(self) -> tuple[Any, ...]:
        """Types of double and single precision that the device has."""
        types = self._float_types()
        return tuple(types[name] for name in ("float64", "float32") if name in types)

    def move(self, array: Array) -> Array:
        """Return the array if it is on this device, or a copy, made by way of the host.

        Double precision becomes single on a device that has only single.

        Raises
        ------
        ValueError
            If the array is sparse and this is not NumPy's place.
        """
        if device_of(array) == self:
            return array
        if not is_array(array):
            msg = f"a {type(array).__name__} cannot be moved to {self}"
            raise ValueError(msg)
        host = to_numpy(array)
        if self == HOST:
            return host
        dtype = host.dtype.newbyteorder("=")
        if dtype == np.float64 and "float64" not in self._float_types():
            dtype = np.dtype(np.float32)
        # PyTorch supports few functions of wider unsigned integers.
        is_torch = array_api_compat.is_torch_namespace(self.namespace)
        if is_torch and dtype.kind == "u" and dtype.itemsize > 1:
            dtype = np.dtype(np.int64)
        # PyTorch accepts no negative strides, and read-only arrays only as copies.
        host = host.astype(dtype, order="C", copy=False)
        return self.namespace.asarray(host, device=self.device, copy=True)

    def _float_types(self) -> dict[str, Any]:
        info = self.namespace.__array_namespace_info__()
        types: dict[str, Any] = info.dtypes(device=self.device, kind="real floating")
        return types

    def __str__(self) -> str:
        name = self.namespace.__name__.removeprefix("array_api_compat.")
        return f"{name} on {self.device}"


HOST = Device(array_namespace(np.empty(0)), "cpu")


def is_array(value: Any) -> bool:
    """Whether a value is a dense array on a device; scalars are not.

    Lazy arrays such as Dask's have no device, and are not either.
    """
    if isinstance(value, np.generic) or not is_array_api_obj(value):
        return False
    return (
        isinstance(value, np.ndarray)
        or array_api_compat.is_torch_array(value)
        or array_api_compat.is_cupy_array(value)
        or hasattr(value, "to_device")
    ) and not array_api_compat.is_pydata_sparse_array(value)


def _is_lazy(value: Any) -> bool:
    """Whether a value is an array that is not computed yet."""
    return (
        is_array_api_obj(value)
        and not isinstance(value, np.generic)
        and not is_array(value)
        and not array_api_compat.is_pydata_sparse_array(value)
    )


def device_of(value: Any) -> Device:
    """Device of an array; the host for sparse matrices, tables and lists."""
    if isinstance(value, np.ndarray) or not is_array(value):
        return HOST
    return Device(array_namespace(value), array_api_compat.device(value))


def numpy_type(array: Array) -> type[np.floating[Any]]:
    """Return NumPy's type of the same precision as an array of floats."""
    return np.float32 if array.dtype == device_of(array).namespace.float32 else np.float64


def to_numpy(value: Any) -> Any:
    """Return an array of any namespace and device in NumPy; other values as they are.

    Lazy arrays are computed.
    """
    value = computed(value)
    if isinstance(value, np.ndarray) or not is_array(value):
        return value
    if array_api_compat.is_torch_array(value):
        return value.detach().cpu().numpy()
    if array_api_compat.is_cupy_array(value):
        return value.get()
    info = array_namespace(value).__array_namespace_info__()
    host: NDArray[Any] = np.asarray(value.to_device(info.default_device()))
    return host


def computed(value: Any) -> Any:
    """Compute a lazy array or table; return other values as they are.

    Tables of Dask have names only after that.
    """
    if hasattr(value, "__dask_graph__"):
        return value.compute()
    return np.asarray(value) if _is_lazy(value) else value


def map_arrays(function: Callable[[Array], Array], value: Any) -> Any:
    """Apply a function to every array in a value.

    Parameters
    ----------
    function : callable
        From an array to an array.
    value : dataclass, named tuple, tuple, list, dict, array or anything else
        Containers are searched at any depth, and so are dataclasses of this package.
        Other dataclasses are not, because a new one may lack fitted attributes.

    Returns
    -------
    A new value of the same type, or the same object if nothing has changed.

    Examples
    --------
    >>> import numpy as np
    >>> map_arrays(np.sum, {"weights": [np.ones(3), np.ones(2)], "activation": "relu"})
    {'weights': [np.float64(3.0), np.float64(2.0)], 'activation': 'relu'}
    """
    if is_array(value) or _is_lazy(value):
        return function(value)
    if _is_own_dataclass(value):
        names = [field.name for field in fields(value) if field.init]
        old = [getattr(value, name) for name in names]
        new = [map_arrays(function, item) for item in old]
        return (
            value
            if _same(old, new)
            else replace(value, **dict(zip(names, new, strict=True)))
        )
    if isinstance(value, tuple) and hasattr(value, "_make"):
        items = [map_arrays(function, item) for item in value]
        return value if _same(value, items) else value._make(items)
    are_layers = getattr(type(value), "are_layers", False)  # weights of another network
    if are_layers or type(value) in (tuple, list):
        items = [map_arrays(function, item) for item in value]
        kind = list if are_layers else type(value)
        return value if not are_layers and _same(value, items) else kind(items)
    if type(value) is dict:
        items = [map_arrays(function, item) for item in value.values()]
        same = _same(value.values(), items)
        return value if same else dict(zip(value, items, strict=True))
    return value


def _is_own_dataclass(value: Any) -> bool:
    package = __name__.partition(".")[0]
    is_own = type(value).__module__.partition(".")[0] == package
    return is_own and is_dataclass(value)


def _same(old: Iterable[Any], new: Iterable[Any]) -> bool:
    return all(a is b for a, b in zip(old, new, strict=True))


# A step reads and writes six arrays of a block, which together fit into the cache of a
# core. Blocks of a quarter of this size double the cost in calls.
BLOCK_ELEMENTS = 2**16
# Off the host, fewer numbers than these cost less to join than separate calls.
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

    A step of an optimizer then takes a dozen calls for all parameters instead of a dozen
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
    """Undo :func:`joined`: split a vector into arrays of the shapes of ``like``."""
    if len(arrays) == len(like):
        return list(arrays)
    (vector,) = arrays
    xp, parts, start = array_namespace(vector), [], 0
    for array in like:
        stop = start + size(array)
        parts.append(xp.reshape(vector[start:stop], array.shape))
        start = stop
    return parts
