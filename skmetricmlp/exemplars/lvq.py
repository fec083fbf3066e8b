"""Learning vector quantization: move exemplars so that they classify better.

By the rule of T. Kohonen, *Self-Organizing Maps*, 1995, an exemplar moves toward the rows
of its class and away from other rows. Here the rule is soft: it uses the probabilities of
a mixture with one component for each exemplar, as in S. Seo, K. Obermayer, Neural
Computation 15, 2003 (robust soft LVQ). Exemplar ``p_i`` moves along
``(P(i | x, y) - P(i | x)) (x - p_i)``, with ``P(i | x)`` proportional to
``exp(-D_i(x) / temperature)``. This direction is the gradient of the log-likelihood of
the class for the squared Euclidean distance, and for any other Bregman divergence up to
a positive definite matrix. A term that is added to all distances of a row cancels, so
affine scores are sufficient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import softmax

from skmetricmlp._data import DistinctRows
from skmetricmlp._typing import Floats
from skmetricmlp.exemplars._geometry import Exemplars, scores
from skmetricmlp.metrics.fitting import Metric

__all__ = ["attraction", "move_exemplars"]


# Chosen on 16 data sets; docs/questions.md shows their effect.
PASSES = 10
BATCH_ROWS = 200
RATE = 0.5  # initial step size, as a share of the distance; it falls to zero
TEMPERATURE = 0.4  # in units of the mean margin between the two nearest exemplars
SAMPLE_ROWS = 1000


def move_exemplars(exemplars: Exemplars, rows: DistinctRows, metric: Metric) -> Exemplars:
    """Move exemplars in ten passes over the rows, within the range of each feature.

    The exemplars are returned unmoved if the moved ones misclassify more weight.

    Parameters
    ----------
    exemplars : Exemplars
        Two or more exemplars to start from.
    rows : DistinctRows
    metric : Metric

    Returns
    -------
    Exemplars
        The moved exemplars, which are no rows of the data, or the given ones.
    """
    X, index, sample_weight = rows.X, rows.index, rows.sample_weight
    points, n = exemplars.points.astype(np.float64), len(exemplars.codes)
    same_class = exemplars.codes == rows.codes[:, None]
    low, high = _range(X)
    temperature = TEMPERATURE * _mean_margin(rows, metric, points)
    # The distinct rows are already in a reproducible random order.
    n_batches = -(-len(index) // BATCH_ROWS)
    n_steps = PASSES * n_batches
    for step in range(n_steps):
        batch = slice(step % n_batches, None, n_batches)
        table = scores(rows.take(batch), metric, points)
        weight = sample_weight[batch, None] * attraction(
            table / temperature, same_class[batch]
        )
        direction = weight.T @ X[index[batch]] - weight.sum(axis=0)[:, None] * points
        # No exemplar moves beyond the mean of the rows that attract it.
        total = np.maximum(np.abs(weight).sum(axis=0), sample_weight[batch].sum() / n)
        rate = RATE * (1 - step / n_steps) / total
        points = np.clip(points + rate[:, None] * direction, low, high)
    moved = Exemplars(points.astype(exemplars.points.dtype), exemplars.codes, None)
    is_better = _error(moved, rows, metric) <= _error(exemplars, rows, metric)
    return moved if is_better else exemplars


def attraction(distances: Floats, same_class: NDArray[np.bool_]) -> Floats:
    """``P(i | x, y) - P(i | x)``, which is positive for exemplars of the row's class.

    Parameters
    ----------
    distances : array of shape (m, N)
        Divided by the temperature, and up to a term that depends on the row only.
    same_class : bool array of shape (m, N)
        Whether row and exemplar have the same class.

    Returns
    -------
    array of shape (m, N)
        Zero for a row whose class has no exemplar.
    """
    among_all = softmax(-distances, axis=1)
    lowest = np.where(same_class, distances, np.inf).min(axis=1, keepdims=True)
    own = np.where(same_class, np.exp(np.minimum(lowest - distances, 0.0)), 0.0)
    total = own.sum(axis=1, keepdims=True)
    difference: Floats = own / np.where(total > 0, total, 1.0) - among_all
    return np.where(total > 0, difference, 0.0)


def _error(exemplars: Exemplars, rows: DistinctRows, metric: Metric) -> float:
    """Total weight of the rows whose nearest exemplar is of another class."""
    nearest = scores(rows, metric, exemplars.points).argmin(axis=1)
    return float(rows.sample_weight @ (exemplars.codes[nearest] != rows.codes))


def _mean_margin(rows: DistinctRows, metric: Metric, points: Floats) -> float:
    """Mean difference between the distances of the two nearest points; 1 if it is 0."""
    sample = rows.take(slice(SAMPLE_ROWS))
    table = scores(sample, metric, points)
    first, second = np.partition(table, 1, axis=1)[:, :2].T
    return float(np.average(second - first, weights=sample.sample_weight)) or 1.0


def _range(X: Any) -> tuple[Floats, Floats]:
    """Lowest and highest value of each column; every metric is defined between them."""
    low, high = X.min(axis=0), X.max(axis=0)
    if sp.issparse(X):
        low, high = low.toarray().ravel(), high.toarray().ravel()
    return low, high
