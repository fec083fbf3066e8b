"""Condensed nearest neighbor: rows are added where the nearest exemplar is wrong.

P. E. Hart, IEEE Transactions on Information Theory 14, 1968, in the form of F. Angiulli,
IEEE Transactions on Knowledge and Data Engineering 19, 2007 (FCNN), which does not depend
on the order of the rows: it starts from a row in the middle of each class, and adds the
middle of the rows that the present exemplars get wrong. One is added at a time, where
most are wrong, so that it can be stopped at any number.
"""

from __future__ import annotations

import numpy as np
from sklearn.utils import gen_batches

from skmetricmlp._typing import Ints
from skmetricmlp.exemplars.candidates import (
    Candidates,
    Exemplars,
    rounded,
)

__all__ = ["condensed_exemplars"]


SAMPLE_ROWS, BLOCK_ELEMENTS = 200, 2**20


def condensed_exemplars(candidates: Candidates, limit: int) -> Exemplars:
    """Choose rows until the nearest of them is right for every row, or up to a limit.

    Parameters
    ----------
    candidates : Candidates
    limit : int
        Most exemplars, but at least one is taken for each class.

    Returns
    -------
    Exemplars
        Ordered by class.
    """
    rows = candidates.rows
    index, codes, weights = rows.index, rows.codes, rows.weights
    present = np.unique(codes)
    unit = _typical_difference(candidates)
    chosen = [
        _middle(candidates, np.flatnonzero(codes == code), unit) for code in present
    ]
    scores = candidates.scores(candidates.points(index[chosen]), index)
    # Of each row, the first of the exemplars that are nearest, and its score.
    least = scores.min(axis=1)
    nearest = np.argmin(rounded(scores - least[:, None], unit), axis=1)
    is_chosen = np.zeros(len(codes), dtype=bool)
    is_chosen[chosen] = True
    while len(chosen) < limit:
        # Equal rows of different classes stay wrong whatever is added.
        wrong = np.flatnonzero((codes[chosen][nearest] != codes) & ~is_chosen)
        if not len(wrong):
            break
        cells, cell = np.unique(
            np.stack([nearest[wrong], codes[wrong]]), axis=1, return_inverse=True
        )
        worst = np.argmax(np.bincount(cell, weights[wrong], cells.shape[1]))
        chosen.append(_middle(candidates, wrong[cell == worst], unit))
        is_chosen[chosen[-1]] = True
        added = candidates.scores(candidates.points(index[chosen[-1:]]), index)[:, 0]
        nearest[rounded(least - added, unit) > 0] = len(chosen) - 1
        np.minimum(least, added, out=least)
    by_class = np.argsort(codes[chosen], kind="stable")
    taken = index[np.array(chosen)[by_class]]
    return Exemplars(candidates.points(taken), codes[chosen][by_class], taken)


def _typical_difference(candidates: Candidates) -> float:
    """Deviation of distances: what is far less than that is a rounding error."""
    index = candidates.rows.index[:SAMPLE_ROWS]
    scores = candidates.distances(index)
    return float((scores - scores[:, :1]).std()) or 1.0


def _middle(candidates: Candidates, members: Ints, unit: float) -> int:
    """Member with the least total distance from the others, of equal ones the first.

    ``sum_x w_x D(x, p)`` is, up to a constant, the score of ``p`` at the mean of the
    rows: scores are affine.
    """
    rows = candidates.rows.take(members)
    mean = (rows.weights / rows.weights.sum()) @ candidates.X[rows.index]
    size = max(1, BLOCK_ELEMENTS // candidates.X.shape[1])
    parts = []
    for block in gen_batches(len(members), size):  # sparse rows are made dense here
        A, b = candidates.metric(candidates.points(rows.index[block]))
        parts.append(A @ mean + b)
    totals = np.concatenate(parts)
    return int(members[np.argmin(rounded(totals - totals.min(), unit))])
