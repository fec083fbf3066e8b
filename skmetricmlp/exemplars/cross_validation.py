"""``n_exemplars="auto"``: as many exemplars as lower the error on rows left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmetricmlp._data import DistinctRows
from skmetricmlp._typing import Floats, Ints
from skmetricmlp.exemplars.apportionment import exemplar_counts
from skmetricmlp.exemplars.candidates import Candidates, Exemplars
from skmetricmlp.exemplars.selection import select_exemplars

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
VALUE_CLASSES = 6  # as many exemplars are tried for values as for so many classes


def candidate_totals(
    n_classes: int, n_features: int, n_rows: int, n_neighbors: int
) -> list[int]:
    """Totals to choose among, as far as they go with the data.

    From one to 34 per class, but at most 200, half of the rows, and as many as make a
    first layer of 2**22 weights. At least one per class, and ``n_neighbors``.

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
    candidates: Candidates,
    n_classes: int,
    n_neighbors: int,
    rng: np.random.RandomState,
) -> int:
    """Choose the least total that is not clearly worse than the best.

    The vote of the nearest exemplars, or the mean of their values, is tried on rows that
    they were not chosen from, in four folds of at most 4,000 rows. Not clearly worse: the
    mean difference in accuracy, or squared error, from the best is at most its standard
    error (the one-standard-error rule of L. Breiman, J. H. Friedman, R. A. Olshen,
    C. J. Stone, 1984, on paired differences).

    Parameters
    ----------
    method : str
        A key of :data:`~skmetricmlp.exemplars.selection.SELECTORS`.
    candidates : Candidates
    n_classes : int
    n_neighbors : int
        How many vote.
    rng : numpy.random.RandomState

    Returns
    -------
    int
    """
    rows = candidates.rows.take(slice(ROWS))
    has_values = rows.targets.ndim > 1
    n_present = VALUE_CLASSES if has_values else len(np.unique(rows.codes))
    totals = candidate_totals(
        n_present, candidates.X.shape[1], len(rows.codes), n_neighbors
    )
    fold = _folds(rows.codes)
    merits = np.zeros((len(totals), len(rows.codes)))
    for position, total in enumerate(totals):
        for number in range(FOLDS):
            chosen_from = candidates._replace(rows=rows.take(fold != number))
            left_out = fold == number
            if not left_out.any() or not len(chosen_from.rows.codes):
                continue
            counts = exemplar_counts(total, np.arange(n_classes), chosen_from.rows)
            exemplars = select_exemplars(method, chosen_from, counts, rng)
            tried = candidates, exemplars, rows.take(left_out)
            merits[position, left_out] = (
                -squared_errors(*tried, n_neighbors)
                if has_values
                else is_classified(*tried, n_classes, n_neighbors)
            )
    return _least_total(totals, merits, rows.weights)


def _folds(codes: Ints) -> Ints:
    """Deal the rows of each class out in turn: they are in random order already."""
    fold = np.empty(len(codes), dtype=np.intp)
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        fold[own] = np.arange(len(own)) % FOLDS
    return fold


def is_classified(
    candidates: Candidates,
    exemplars: Exemplars,
    rows: DistinctRows,
    n_classes: int,
    n_neighbors: int,
) -> NDArray[np.bool_]:
    """Say which rows the vote of the nearest exemplars classifies rightly."""
    nearest = _nearest(candidates, exemplars, rows, n_neighbors)
    votes = np.eye(n_classes)[exemplars.codes][nearest].sum(axis=1)
    right: NDArray[np.bool_] = votes.argmax(axis=1) == rows.codes
    return right


def squared_errors(
    candidates: Candidates, exemplars: Exemplars, rows: DistinctRows, n_neighbors: int
) -> Floats:
    """Squared error (m,) of the mean value of the nearest exemplars, over the outputs."""
    nearest = _nearest(candidates, exemplars, rows, n_neighbors)
    values = exemplars.targets(rows.targets.shape[1])
    errors: Floats = np.mean((values[nearest].mean(axis=1) - rows.targets) ** 2, axis=1)
    return errors


def _nearest(
    candidates: Candidates, exemplars: Exemplars, rows: DistinctRows, n_neighbors: int
) -> Ints:
    scores = candidates.scores(exemplars.points, rows.index)
    k = min(n_neighbors, len(exemplars.codes))
    return np.argsort(scores, axis=1, kind="stable")[:, :k]


def _least_total(totals: list[int], merits: Floats, weights: Floats) -> int:
    shares = weights / weights.sum()
    best = merits[np.argmax(merits @ shares)]
    for total, own in zip(totals, merits, strict=True):
        lead = best - own
        mean = shares @ lead
        error = np.sqrt(np.square(shares) @ np.square(lead - mean))
        if mean <= error:
            return total
    return totals[-1]
