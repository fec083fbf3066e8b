"""Names of the hidden units: which exemplars each compares, on which features."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from skmetricmlp._typing import Array, Bools, Ints

__all__ = ["comparison_names", "conjunction_names", "feature_list", "unique_names"]


def feature_list(names: Array, features: Bools) -> str:
    """Name some of the features (n_features,).

    Examples
    --------
    >>> feature_list(np.array(["age", "city", "income"]), np.array([True, False, True]))
    'age, income'
    """
    return ", ".join(map(str, names[features]))


def comparison_names(
    first: Ints, second: Ints, features: Bools | None = None, names: Array | None = None
) -> list[str]:
    """Name comparisons by their two exemplars, and by features unless these are all.

    Parameters
    ----------
    first, second : int arrays of shape (P,)
    features : bool array of shape (P, n_features), optional
        By default all.
    names : array of shape (n_features,), optional
        Names of the features.

    Returns
    -------
    list of str

    Examples
    --------
    >>> features = np.array([[True, False], [True, True]])
    >>> names = np.array(["age", "income"])
    >>> comparison_names(np.array([3, 0]), np.array([17, 1]), features, names)
    ['nearer to exemplar 3 than to 17 on age', 'nearer to exemplar 0 than to 1']
    """
    named = [
        f"nearer to exemplar {i} than to {j}" for i, j in zip(first, second, strict=True)
    ]
    if features is None or names is None:
        return named
    # Exemplars that are equal on all features that were tried are compared on none.
    suffixes = [
        "" if some.all() else f" on {feature_list(names, some) or 'no feature'}"
        for some in features
    ]
    return [name + suffix for name, suffix in zip(named, suffixes, strict=True)]


def conjunction_names(names: list[str], n_shifts: int) -> list[str]:
    """Name the conjunctions of a :class:`~skmetricmlp.network.layers.Conjunctive` layer.

    Examples
    --------
    >>> conjunction_names(["a", "b", "c"], 2)
    ['a and b', 'b and c', 'a and c']
    """
    return [
        f"{one} and {other}"
        for shift in range(1, n_shifts + 1)
        for one, other in zip(names[:-shift], names[shift:], strict=True)
    ]


def unique_names(names: Iterable[str]) -> Array:
    """Append a number to names that occur again, so that all differ.

    Examples
    --------
    >>> unique_names(["a", "b", "a", "a (2)"]).tolist()
    ['a', 'b', 'a (2)', 'a (2) (2)']
    """
    taken: dict[str, int] = {}
    for name in names:
        candidate = name
        while candidate in taken:
            taken[name] += 1
            candidate = f"{name} ({taken[name]})"
        taken[candidate] = 1
    return np.array(list(taken), dtype=object)
