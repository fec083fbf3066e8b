"""How many exemplars each class gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skmetricmlp._data import DistinctRows
from skmetricmlp._typing import Array, Floats, Ints

__all__ = ["coming_counts", "exemplar_counts", "share_exemplars"]


def exemplar_counts(
    n_exemplars: float | Mapping[Any, Any],
    classes: Array,
    rows: DistinctRows,
    *,
    lowers: bool = False,
) -> Ints:
    """How many exemplars each class gets.

    Parameters
    ----------
    n_exemplars : int, float or mapping
        A total, at least one per class and shared out by :func:`share_exemplars`; a
        fraction of the distinct rows, likewise; or a count for each class by label.
    classes : array of shape (n_classes,)
        The labels.
    rows : DistinctRows
        Of the training data.
    lowers : bool, default=False
        Lower the counts of a mapping to the distinct rows that there are.

    Returns
    -------
    counts : int array of shape (n_classes,)

    Raises
    ------
    ValueError
        If a mapping leaves out a class, or asks for fewer exemplars than one or more
        than the class has distinct rows. (A class that is declared but has no rows yet
        gets none. A label that is no class counts for nothing: a part of the data may
        lack it.)
    """
    available = np.bincount(rows.codes, minlength=len(classes))
    if isinstance(n_exemplars, Mapping):
        return _counts_by_label(n_exemplars, classes, available, lowers=lowers)
    is_total = isinstance(n_exemplars, (int, np.integer))
    total = int(n_exemplars) if is_total else round(n_exemplars * len(rows.codes))
    total = min(total, 2**53)  # which is exact as a float
    class_weights = np.bincount(rows.codes, rows.weights, len(classes)).astype(float)
    return share_exemplars(total, class_weights, available)


def _counts_by_label(
    n_exemplars: Mapping[Any, Any], classes: Array, available: Ints, *, lowers: bool
) -> Ints:
    labels = classes.tolist()
    if missing := [label for label in labels if label not in n_exemplars]:
        msg = f"n_exemplars has no count for {missing}; the classes of y are {labels}"
        if unknown := [label for label in n_exemplars if label not in labels]:
            msg += f", and it has counts for {unknown}"
        raise ValueError(msg)
    for label, most in zip(labels, available, strict=True):
        count = n_exemplars[label]
        whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
        if most and not (whole and count >= 1 and (lowers or count <= most)):
            msg = (
                f"n_exemplars[{label!r}]={count!r} must be a whole number from 1 to "
                f"{most}, the distinct rows of that class"
            )
            raise ValueError(msg)
    counts = [n_exemplars[label] for label in labels]
    asked = np.where(available > 0, np.array(counts, dtype=object), 0).astype(np.intp)
    return np.minimum(asked, available)


def coming_counts(n_exemplars: int | Mapping[Any, int], classes: Array) -> Ints:
    """How many exemplars each class will get when there are rows enough.

    Of a total all classes get as many, as nobody knows their weights yet.

    Examples
    --------
    >>> import numpy as np
    >>> coming_counts(8, np.array(["a", "b", "c"]))
    array([3, 3, 2])
    """
    n = len(classes)
    if isinstance(n_exemplars, Mapping):
        counts = [n_exemplars[label] for label in classes.tolist()]
        return np.array(counts, dtype=np.intp)
    return share_exemplars(n_exemplars, np.ones(n), np.full(n, max(n_exemplars, 1)))


def share_exemplars(total: int, class_weights: Floats, available: Ints) -> Ints:
    """Share exemplars out among the classes by the square root of their weight.

    Shares proportional to the weight leave a rare class one exemplar and no shape;
    equal shares claim too much of the space for it. After one for each class, seats go
    one by one to the class with the largest quotient (Webster's method). What a class
    cannot take goes to the others, unless their weight is worth no seat at all.

    Parameters
    ----------
    total : int
        Raised to one per class, and lowered to what is available.
    class_weights : array of shape (n_classes,)
    available : array of shape (n_classes,)
        The most that a class can take. A class with none gets none.

    Returns
    -------
    counts : int array of shape (n_classes,)

    Examples
    --------
    >>> import numpy as np
    >>> share_exemplars(30, np.array([900.0, 100.0]), np.array([900, 100]))
    array([23,  7])
    """
    counts = np.minimum(available, 1)
    priority = np.sqrt(class_weights)
    worth_a_seat = 2 * total * priority >= priority.sum()
    available = np.where(worth_a_seat, available, counts)
    for _ in range(min(total, int(available.sum())) - int(counts.sum())):
        quotients = np.where(counts < available, priority / (counts + 0.5), -1.0)
        counts[np.argmax(quotients)] += 1
    return counts
