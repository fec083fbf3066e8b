"""The values of exemplars in a regression."""

from __future__ import annotations

import numpy as np

from skmetricmlp._data import DistinctRows, row_batches
from skmetricmlp._typing import Floats
from skmetricmlp.exemplars._geometry import Exemplars, scores
from skmetricmlp.metrics.fitting import Metric

__all__ = ["exemplar_values"]


def exemplar_values(exemplars: Exemplars, rows: DistinctRows, metric: Metric) -> Floats:
    """Values of exemplars: those of a row, or the means over the rows of a cluster.

    An exemplar that is a row has the values of this row. The cluster of another exemplar
    consists of the rows to which no other exemplar is nearer by the metric. An exemplar
    with an empty cluster gets the mean over all rows.

    Parameters
    ----------
    exemplars : Exemplars
        N of them.
    rows : DistinctRows
        The rows that the exemplars were selected from, with values.
    metric : Metric

    Returns
    -------
    array of shape (N, n_outputs)
    """
    if exemplars.index is not None:
        order = np.argsort(rows.index)
        at = np.searchsorted(rows.index, exemplars.index, sorter=order)
        selected: Floats = rows.y[order[at]]
        return selected
    points, n = exemplars.points, len(exemplars.points)
    sample_weight, y = rows.sample_weight, rows.y
    cluster = np.concatenate(
        [
            scores(rows.take(block), metric, points).argmin(axis=1)
            for block in row_batches(len(rows.index), max(rows.X.shape[1], n))
        ]
    )
    weight = np.bincount(cluster, sample_weight, n)[:, None]
    totals = [np.bincount(cluster, sample_weight * output, n) for output in y.T]
    overall = sample_weight @ y / sample_weight.sum()
    is_empty = weight == 0
    means = np.stack(totals, axis=1) / np.where(is_empty, 1.0, weight)
    return np.where(is_empty, overall, means)
