"""The values that exemplars stand for, where values are to be predicted."""

from __future__ import annotations

import numpy as np
from sklearn.utils import gen_batches

from skmetricmlp._typing import Floats
from skmetricmlp.exemplars.candidates import Candidates, Exemplars

__all__ = ["exemplar_values"]


BLOCK_ELEMENTS = 2**22


def exemplar_values(exemplars: Exemplars, candidates: Candidates) -> Floats:
    """Value of the row that an exemplar is, or mean over the rows of its cluster.

    A cluster are the rows to which no other exemplar is nearer by the metric. An exemplar
    without any has the mean of all rows.

    Parameters
    ----------
    exemplars : Exemplars
        N of them.
    candidates : Candidates
        Rows that they were chosen from, with values.

    Returns
    -------
    array of shape (N, n_outputs)
    """
    rows = candidates.rows
    if exemplars.index is not None:
        order = np.argsort(rows.index)
        at = np.searchsorted(rows.index, exemplars.index, sorter=order)
        chosen: Floats = rows.targets[order[at]]
        return chosen
    points, size = exemplars.points, max(1, BLOCK_ELEMENTS // candidates.X.shape[1])
    blocks = gen_batches(len(rows.index), size)
    nearest = [candidates.scores(points, rows.index[b]).argmin(axis=1) for b in blocks]
    cluster = np.concatenate(nearest)
    sums = np.bincount(cluster, rows.weights, len(points))[:, None]
    totals = [np.bincount(cluster, rows.weights * v, len(points)) for v in rows.targets.T]
    overall = rows.weights @ rows.targets / rows.weights.sum()
    empty = sums == 0
    return np.where(empty, overall, np.stack(totals, axis=1) / np.where(empty, 1.0, sums))
