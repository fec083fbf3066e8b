"""Condensed nearest neighbor: add rows where the nearest exemplar has the wrong class.

P. E. Hart, IEEE Transactions on Information Theory 14, 1968, in the form of F. Angiulli,
IEEE Transactions on Knowledge and Data Engineering 19, 2007 (FCNN), which does not depend
on the order of the rows. The selection starts with the row in the middle of each class.
It then adds the middle of the rows that the present exemplars misclassify. It adds one
row at a time, where most of the weight is misclassified, so it can stop at any number.
"""

from __future__ import annotations

import numpy as np

from skmetricmlp._data import DistinctRows, row_batches
from skmetricmlp._typing import Ints
from skmetricmlp.exemplars._geometry import (
    Exemplars,
    distances,
    points_at,
    rounded,
    scores,
)
from skmetricmlp.metrics.fitting import Metric

__all__ = ["condensed_exemplars"]


SAMPLE_ROWS = 200


def condensed_exemplars(rows: DistinctRows, metric: Metric, limit: int) -> Exemplars:
    """Select rows until the nearest of them has the right class for every row.

    Parameters
    ----------
    rows : DistinctRows
    metric : Metric
    limit : int
        Maximum number of exemplars. Each class gets at least one, though.

    Returns
    -------
    Exemplars
        Ordered by class.
    """
    index, codes, sample_weight = rows.index, rows.codes, rows.sample_weight
    present = np.unique(codes)
    unit = _typical_difference(rows, metric)
    selected = [
        _middle(rows, metric, np.flatnonzero(codes == code), unit) for code in present
    ]
    table = scores(rows, metric, points_at(rows, index[selected]))
    # For each row, the nearest exemplar (the first of several) and its score.
    least = table.min(axis=1)
    nearest = np.argmin(rounded(table - least[:, None], unit), axis=1)
    is_selected = np.zeros(len(codes), dtype=bool)
    is_selected[selected] = True
    while len(selected) < limit:
        # Equal rows of different classes stay misclassified whatever is added.
        wrong = np.flatnonzero((codes[selected][nearest] != codes) & ~is_selected)
        if not len(wrong):
            break
        cells, cell = np.unique(
            np.stack([nearest[wrong], codes[wrong]]), axis=1, return_inverse=True
        )
        worst = np.argmax(np.bincount(cell, sample_weight[wrong], cells.shape[1]))
        selected.append(_middle(rows, metric, wrong[cell == worst], unit))
        is_selected[selected[-1]] = True
        added = scores(rows, metric, points_at(rows, index[selected[-1:]]))[:, 0]
        nearest[rounded(least - added, unit) > 0] = len(selected) - 1
        np.minimum(least, added, out=least)
    by_class = np.argsort(codes[selected], kind="stable")
    taken = index[np.array(selected)[by_class]]
    return Exemplars(points_at(rows, taken), codes[selected][by_class], taken)


def _typical_difference(rows: DistinctRows, metric: Metric) -> float:
    """Deviation of distances; much smaller differences are rounding errors."""
    table = distances(rows.take(slice(SAMPLE_ROWS)), metric)
    return float((table - table[:, :1]).std()) or 1.0


def _middle(rows: DistinctRows, metric: Metric, members: Ints, unit: float) -> int:
    """Return the member with the least total distance from the members.

    ``sum_x w_x D(x, p)`` is, up to a constant, the score of ``p`` at the mean of the
    members, because scores are affine. The first of several equal members is returned.
    """
    own = rows.take(members)
    mean = (own.sample_weight / own.sample_weight.sum()) @ own.X[own.index]
    parts = []
    for block in row_batches(len(members), own.X.shape[1]):  # the points are dense
        A, b = metric(points_at(own, own.index[block]))
        parts.append(A @ mean + b)
    totals = np.concatenate(parts)
    return int(members[np.argmin(rounded(totals - totals.min(), unit))])
