"""The number of exemplars of each class."""

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
    """Return the number of exemplars of each class.

    Parameters
    ----------
    n_exemplars : int, float or mapping
        A total, which :func:`share_exemplars` shares out among the classes, with at
        least one for each; a fraction of the distinct rows, which is shared out in the
        same way; or a mapping from each label to a count.
    classes : array of shape (n_classes,)
        The labels.
    rows : DistinctRows
        The training data.
    lowers : bool, default=False
        Whether to lower the counts of a mapping to the number of distinct rows.

    Returns
    -------
    counts : int array of shape (n_classes,)
        Zero for a class without rows.

    Raises
    ------
    ValueError
        If a mapping has no count for a class, or if the count is not a whole number
        from one to the number of distinct rows of the class. A class without rows may
        have any count. Labels that are no classes are ignored, since a part of the data
        may lack a class.
    """
    available = np.bincount(rows.codes, minlength=len(classes))
    if isinstance(n_exemplars, Mapping):
        return _counts_by_label(n_exemplars, classes, available, lowers=lowers)
    is_total = isinstance(n_exemplars, (int, np.integer))
    total = int(n_exemplars) if is_total else round(n_exemplars * len(rows.codes))
    total = min(total, 2**53)  # the largest whole number that is exact as a float
    class_weight = np.bincount(rows.codes, rows.sample_weight, len(classes))
    return share_exemplars(total, class_weight.astype(float), available)


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
                f"{most}, the number of distinct rows of that class"
            )
            raise ValueError(msg)
    counts = [n_exemplars[label] for label in labels]
    asked = np.where(available > 0, np.array(counts, dtype=object), 0).astype(np.intp)
    return np.minimum(asked, available)


def coming_counts(n_exemplars: int | Mapping[Any, int], classes: Array) -> Ints:
    """Return the number of exemplars of each class once there are enough rows.

    A total is shared out equally, because the weights of the classes are not known yet.

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


def share_exemplars(total: int, class_weight: Floats, available: Ints) -> Ints:
    """Share exemplars out among the classes by the square roots of their weights.

    Proportional shares would leave a rare class with one exemplar. Equal shares would
    give it too many. Each class first gets one exemplar. Each further one goes to the
    class with the largest quotient (Webster's method). Exemplars that a class cannot take
    go to other classes, except those whose weight is worth less than one exemplar.

    Parameters
    ----------
    total : int
        Raised to one per class, and lowered to the number of available rows.
    class_weight : array of shape (n_classes,)
    available : array of shape (n_classes,)
        Maximum of each class. A class with zero gets none.

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
    priority = np.sqrt(class_weight)
    worth_a_seat = 2 * total * priority >= priority.sum()
    available = np.where(worth_a_seat, available, counts)
    for _ in range(min(total, int(available.sum())) - int(counts.sum())):
        quotients = np.where(counts < available, priority / (counts + 0.5), -1.0)
        counts[np.argmax(quotients)] += 1
    return counts
