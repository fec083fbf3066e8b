"""Parameters that a network depends on, which cannot change when training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from reprlib import Repr
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from skmetricmlp._array_api import is_array, to_numpy

__all__ = ["Recorded", "check_same_parameters", "record_parameters"]

_SHORT = Repr()
_SHORT.maxother = 80


# By name of the parameter: a key of the given value, a key of the resolved one, by which
# values are compared, and a text of it.
Recorded: TypeAlias = Mapping[str, tuple[Any, Any, str]]


def record_parameters(
    parameters: Mapping[str, Any], resolved: Mapping[str, Any] | None = None
) -> Recorded:
    """Record the parameters that a network depends on.

    Numbers are compared by value, and arrays, tables and lists of numbers by content, of
    which a digest is kept. Transformers are compared by class, parameters and fitted
    arrays, and functions by identity.

    Parameters
    ----------
    parameters : mapping
        As the user set them.
    resolved : mapping, optional
        The values of some of them that ``"auto"`` stands for.

    Returns
    -------
    mapping

    Examples
    --------
    >>> import numpy as np
    >>> before = record_parameters({"n_exemplars": 30, "metric_params": {"V": [1, 2.0]}})
    >>> same = {"n_exemplars": np.int64(30), "metric_params": {"V": np.array([1, 2])}}
    >>> check_same_parameters(before, record_parameters(same))
    >>> check_same_parameters(before, record_parameters({**same, "n_exemplars": 20}))
    Traceback (most recent call last):
    ValueError: n_exemplars=20 does not go with the network, which was fitted with 30: \
set it back, or call fit without warm_start
    """
    resolved = resolved or {}
    recorded = {}
    for name, value in parameters.items():
        given = _key(value)
        key = _key(resolved[name]) if name in resolved else given
        text = _text(value)
        if isinstance(value, str) and key != given:
            text += f" ({_text(key)})"
        recorded[name] = given, key, text
    return recorded


def check_same_parameters(before: Recorded, after: Recorded) -> None:
    """Refuse to continue with other parameters than before.

    Raises
    ------
    ValueError
        With the first parameter that changed, its value and the earlier one.
    """
    for name, (given, key, text) in after.items():
        given_before, key_before, text_before = before[name]
        # The value of "auto" may have changed with another parameter, which is reported.
        is_word = isinstance(given, str)
        is_same = is_word and _are_equal(given_before, given)
        if not (is_same or _are_equal(key_before, key)):
            earlier = "another one" if text_before == text else text_before
            msg = (
                f"{name}={text} does not go with the network, which was fitted with "
                f"{earlier}: set it back, or call fit without warm_start"
            )
            raise ValueError(msg)


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # objects that have arrays, and do not compare them
        return one is other


def _key(value: Any) -> Any:
    """Return a key that equal values share, and no other values."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {_key(name): _key(item) for name, item in value.items()}
    if isinstance(value, (str, bytes)) or value is None:
        return value
    if hasattr(value, "get_params") and not isinstance(value, type):
        return type(value), _key(value.get_params()), _fitted_arrays(value)
    return _content(value) if _is_collection(value) else value


def _fitted_arrays(transformer: Any) -> dict[str, Any]:
    """Return the keys of the fitted arrays of a transformer."""
    attributes = vars(transformer).items()
    return {
        name: _key(value)
        for name, value in attributes
        if name.endswith("_") and not name.startswith("_") and is_array(value)
    }


def _is_collection(value: Any) -> bool:
    is_one = isinstance(value, Sequence) or is_array(value) or sp.issparse(value)
    return is_one or hasattr(value, "__array__")


def _content(value: Any) -> Any:
    """Return the shape and a digest of numbers, or the keys of the items.

    Equal numbers of any type and container have the same digest.
    """
    value = value.toarray() if sp.issparse(value) else to_numpy(value)
    try:
        array = np.asarray(value)
    except ValueError:  # of several shapes
        return tuple(map(_key, value))
    if array.ndim == 0:
        return array.item()
    if array.dtype.kind not in "biuf":
        is_listed = isinstance(value, Sequence)
        return tuple(map(_key, value if is_listed else array.tolist()))
    # Adding zero removes the sign of zero.
    numbers = np.ascontiguousarray(array, dtype=np.float64) + 0.0
    return array.shape, blake2b(numbers.data, digest_size=16).hexdigest()


def _text(value: Any) -> str:
    """Return a short text of a value, and the shape of a large one."""
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, Mapping):
        items = [f"{name!r}: {_text(item)}" for name, item in value.items()]
        return f"{{{', '.join(items[:6])}}}"
    if isinstance(value, list):
        few = f"[{', '.join(map(_text, value[:6]))}]"
        return few if len(value) <= 6 else f"a list of {len(value)}"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array of shape {tuple(shape)}"
    return repr(value) if isinstance(value, str) else _SHORT.repr(value)
