"""The number of exemplars for ``n_exemplars="auto"``, chosen by cross-validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmetricmlp._data import DistinctRows
from skmetricmlp._typing import Floats, Ints
from skmetricmlp.exemplars._geometry import Exemplars, scores
from skmetricmlp.exemplars.apportionment import exemplar_counts
from skmetricmlp.exemplars.selection import select_exemplars
from skmetricmlp.metrics.fitting import Metric

__all__ = [
    "candidate_totals",
    "cross_validated_total",
    "is_classified",
    "squared_errors",
]


PER_CLASS = (1, 2, 3, 5, 8, 13, 21, 34)
FIRST_LAYER = 2**22  # weights at most: 32 MiB in double precision, as much as a gradient
GREATEST = 200
ROWS, FOLDS = 4000, 4
# In a regression, the totals that are tried are those for so many classes.
REGRESSION_CLASSES = 6


def candidate_totals(
    n_classes: int, n_features: int, n_rows: int, n_neighbors: int
) -> list[int]:
    """Totals to choose among, as far as the data allow them.

    They range from one to 34 per class. A total is at most 200, half of the number of
    rows, and the number of exemplars that makes a first layer of 2**22 weights. It is at
    least the number of classes and ``n_neighbors``.

    Examples
    --------
    >>> candidate_totals(n_classes=10, n_features=64, n_rows=1797, n_neighbors=1)
    [10, 20, 30, 50, 80, 130]
    >>> candidate_totals(n_classes=10, n_features=784, n_rows=60000, n_neighbors=1)
    [10, 20, 30, 50]
    """
    widest = int((1 + np.sqrt(1 + 4 * FIRST_LAYER / n_features)) / 2)
    most = min(GREATEST, n_rows // 2, widest)
    least = max(n_classes, n_neighbors)
    totals = {max(least, n * n_classes) for n in PER_CLASS if n * n_classes <= most}
    return sorted(totals) or [least]


def cross_validated_total(
    method: str,
    rows: DistinctRows,
    metric: Metric,
    n_classes: int,
    n_neighbors: int,
    rng: np.random.RandomState,
) -> int:
    """Choose the smallest total that is not clearly worse than the best.

    The vote of the nearest exemplars, or the mean of their values, is tested on rows from
    which the exemplars were not selected, in four folds of at most 4,000 rows in all. A
    total is not clearly worse if its mean difference in accuracy, or in squared error,
    from the best total is at most the standard error of this mean (the one-standard-error
    rule of L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone, 1984, applied to paired
    differences).

    Parameters
    ----------
    method : str
        A key of :data:`~skmetricmlp.exemplars.selection.SELECTORS`.
    rows : DistinctRows
    metric : Metric
    n_classes : int
    n_neighbors : int
        Number of exemplars that vote.
    rng : numpy.random.RandomState

    Returns
    -------
    int
    """
    rows = rows.take(slice(ROWS))
    is_regression = rows.y.ndim > 1
    n_present = REGRESSION_CLASSES if is_regression else len(np.unique(rows.codes))
    totals = candidate_totals(n_present, rows.X.shape[1], len(rows.codes), n_neighbors)
    fold = _folds(rows.codes)
    merits = np.zeros((len(totals), len(rows.codes)))
    for k, total in enumerate(totals):
        for number in range(FOLDS):
            train, is_test = rows.take(fold != number), fold == number
            if not is_test.any() or not len(train.codes):
                continue
            counts = exemplar_counts(total, np.arange(n_classes), train)
            exemplars = select_exemplars(method, train, metric, counts, rng)
            tested = exemplars, rows.take(is_test), metric
            merits[k, is_test] = (
                -squared_errors(*tested, n_neighbors)
                if is_regression
                else is_classified(*tested, n_classes, n_neighbors)
            )
    return _least_total(totals, merits, rows.sample_weight)


def _folds(codes: Ints) -> Ints:
    """Assign the rows of each class to folds in turn; their order is already random."""
    fold = np.empty(len(codes), dtype=np.intp)
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        fold[own] = np.arange(len(own)) % FOLDS
    return fold


def is_classified(
    exemplars: Exemplars,
    rows: DistinctRows,
    metric: Metric,
    n_classes: int,
    n_neighbors: int,
) -> NDArray[np.bool_]:
    """Return whether the vote of the nearest exemplars classifies each row correctly."""
    nearest = _nearest(exemplars, rows, metric, n_neighbors)
    votes = np.eye(n_classes)[exemplars.codes][nearest].sum(axis=1)
    is_right: NDArray[np.bool_] = votes.argmax(axis=1) == rows.codes
    return is_right


def squared_errors(
    exemplars: Exemplars, rows: DistinctRows, metric: Metric, n_neighbors: int
) -> Floats:
    """Squared error (m,) of the mean of the nearest exemplars, averaged over outputs."""
    nearest = _nearest(exemplars, rows, metric, n_neighbors)
    values = exemplars.targets(rows.y.shape[1])
    errors: Floats = np.mean((values[nearest].mean(axis=1) - rows.y) ** 2, axis=1)
    return errors


def _nearest(
    exemplars: Exemplars, rows: DistinctRows, metric: Metric, n_neighbors: int
) -> Ints:
    table = scores(rows, metric, exemplars.points)
    k = min(n_neighbors, len(exemplars.codes))
    return np.argsort(table, axis=1, kind="stable")[:, :k]


def _least_total(totals: list[int], merits: Floats, sample_weight: Floats) -> int:
    shares = sample_weight / sample_weight.sum()
    best = merits[np.argmax(merits @ shares)]
    for total, own in zip(totals, merits, strict=True):
        difference = best - own
        mean = shares @ difference
        error = np.sqrt(np.square(shares) @ np.square(difference - mean))
        if mean <= error:
            return total
    return totals[-1]
