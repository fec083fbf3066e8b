"""What a network was made with, which cannot change when training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from reprlib import Repr
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from skmetricmlp._array_api import is_array, to_numpy

__all__ = ["MadeWith"]

_SHORT = Repr()
_SHORT.maxother = 80


class _Value(NamedTuple):
    """A value as it is given and what it comes to, to compare by, and words for it."""

    given: Any
    settled: Any
    words: str


@dataclass(frozen=True)
class MadeWith:
    """Values of the parameters that decide what a network is and how it is made.

    They are compared by what they say: numbers by value, arrays, tables and lists of
    numbers by content (of which a digest is kept), transformers by class, parameters and
    what they were fitted to, functions by identity.

    Examples
    --------
    >>> import numpy as np
    >>> made = MadeWith.of({"n_exemplars": 30, "metric_params": {"V": [1.0, 2.0]}})
    >>> same = {"n_exemplars": np.int64(30), "metric_params": {"V": np.array([1, 2])}}
    >>> made.check_same(MadeWith.of(same))
    >>> made.check_same(MadeWith.of({**same, "n_exemplars": 20}))
    Traceback (most recent call last):
    ValueError: n_exemplars=20 does not go with the network, which was fitted with 30: \
set it back, or call fit without warm_start
    """

    values: Mapping[str, _Value]

    @classmethod
    def of(
        cls, parameters: Mapping[str, Any], settled: Mapping[str, Any] | None = None
    ) -> Self:
        """Record parameters by name.

        Parameters
        ----------
        parameters : mapping
            As the user has them.
        settled : mapping, optional
            What some of them come to, such as those that say ``"auto"``.
        """
        settled = settled or {}
        values = {}
        for name, value in parameters.items():
            given = _key(value)
            key = _key(settled[name]) if name in settled else given
            words = _words(value)
            if isinstance(value, str) and key != given:
                words += f" ({_words(key)})"
            values[name] = _Value(given, key, words)
        return cls(values)

    def check_same(self, others: MadeWith) -> None:
        """Refuse to go on with others than these.

        Raises
        ------
        ValueError
            Naming the first parameter that changed, its value and the earlier one.
        """
        for name, value in others.values.items():
            before = self.values[name]
            # What "auto" comes to may have changed with another parameter, to be named.
            is_word = isinstance(value.given, str)
            is_same = is_word and _are_equal(before.given, value.given)
            if not (is_same or _are_equal(before.settled, value.settled)):
                earlier = "another one" if before.words == value.words else before.words
                msg = (
                    f"{name}={value.words} does not go with the network, which was "
                    f"fitted with {earlier}: set it back, or call fit without warm_start"
                )
                raise ValueError(msg)


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # objects that have arrays, and do not compare them
        return one is other


def _key(value: Any) -> Any:
    """Return what equal values have in common, and no others."""
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
    """Return the keys of what a transformer has learned, if it is fitted."""
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
    """Return the shape and a digest of numbers, or the keys of what is in a collection.

    Numbers of any type and container that are equal have the same one.
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
    # Zero has a sign, which does not matter.
    numbers = np.ascontiguousarray(array, dtype=np.float64) + 0.0
    return array.shape, blake2b(numbers.data, digest_size=16).hexdigest()


def _words(value: Any) -> str:
    """Return a short text of a value, of what is large its shape."""
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, tuple):
        return f"({', '.join(map(_words, value))})"
    if isinstance(value, Mapping):
        items = [f"{name!r}: {_words(item)}" for name, item in value.items()]
        return f"{{{', '.join(items[:6])}}}"
    if isinstance(value, list):
        few = f"[{', '.join(map(_words, value[:6]))}]"
        return few if len(value) <= 6 else f"a list of {len(value)}"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array of shape {tuple(shape)}"
    return repr(value) if isinstance(value, str) else _SHORT.repr(value)
