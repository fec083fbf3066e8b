"""Learning vector quantization: exemplars that are moved until they classify well.

T. Kohonen's rule, *Self-Organizing Maps*, 1995: an exemplar moves toward rows of its
class and away from others. Here softly, by the probabilities of a mixture with one part
for each exemplar, as in S. Seo, K. Obermayer, Neural Computation 15, 2003 (robust soft
LVQ): ``p_i`` moves along ``(P(i | x, y) - P(i | x)) (x - p_i)``, with ``P(i | x)``
proportional to ``exp(-D_i(x) / temperature)``. That is the gradient of the log-likelihood
of the class for the squared Euclidean distance, and for any Bregman divergence up to a
positive definite matrix. What is added to all distances of a row cancels, so affine
scores suffice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import softmax

from skmetricmlp._typing import Floats
from skmetricmlp.exemplars.candidates import Candidates, Exemplars

__all__ = ["attraction", "move_exemplars"]


# Chosen on 16 tables: docs/questions.md has what they do.
PASSES = 10
BATCH_ROWS = 200
RATE = 0.5  # share of the way at first; falls to zero
TEMPERATURE = 0.4  # per mean margin between the nearest exemplar and the next
SAMPLE_ROWS = 1000


def move_exemplars(candidates: Candidates, exemplars: Exemplars) -> Exemplars:
    """Move exemplars for ten passes over the rows, within the range of their values.

    They stay where they are if fewer rows would have a nearest exemplar of their class.

    Parameters
    ----------
    candidates : Candidates
    exemplars : Exemplars
        Where to start; two or more.

    Returns
    -------
    Exemplars
        Where they were moved, no rows any more.
    """
    X, rows = candidates.X, candidates.rows
    index, weights = rows.index, rows.weights
    points, n = exemplars.points.astype(np.float64), len(exemplars.codes)
    same_class = exemplars.codes == rows.codes[:, None]
    low, high = _range(X)
    temperature = TEMPERATURE * _mean_margin(candidates, points)
    # The order of distinct rows is random already, and always the same.
    n_batches = -(-len(index) // BATCH_ROWS)
    n_steps = PASSES * n_batches
    for step in range(n_steps):
        batch = slice(step % n_batches, None, n_batches)
        scores = candidates.scores(points, index[batch])
        pull = weights[batch, None] * attraction(scores / temperature, same_class[batch])
        way = pull.T @ X[index[batch]] - pull.sum(axis=0)[:, None] * points
        # No exemplar goes further than the mean of what pulls it.
        mass = np.maximum(np.abs(pull).sum(axis=0), weights[batch].sum() / n)
        rate = RATE * (1 - step / n_steps) / mass
        points = np.clip(points + rate[:, None] * way, low, high)
    moved = Exemplars(points.astype(exemplars.points.dtype), exemplars.codes, None)
    is_better = _error(candidates, moved) <= _error(candidates, exemplars)
    return moved if is_better else exemplars


def attraction(scores: Floats, same_class: NDArray[np.bool_]) -> Floats:
    """``P(i | x, y) - P(i | x)``: positive for exemplars of the row's class.

    Parameters
    ----------
    scores : array of shape (m, N)
        Distances per temperature, up to a term per row.
    same_class : bool array of shape (m, N)

    Returns
    -------
    array of shape (m, N)
        Zero for a row whose class has no exemplar.
    """
    among_all = softmax(-scores, axis=1)
    lowest = np.where(same_class, scores, np.inf).min(axis=1, keepdims=True)
    own = np.where(same_class, np.exp(np.minimum(lowest - scores, 0.0)), 0.0)
    total = own.sum(axis=1, keepdims=True)
    pull: Floats = own / np.where(total > 0, total, 1.0) - among_all
    return np.where(total > 0, pull, 0.0)


def _error(candidates: Candidates, exemplars: Exemplars) -> float:
    """Weight of the rows whose nearest exemplar is of another class."""
    rows = candidates.rows
    nearest = candidates.scores(exemplars.points, rows.index).argmin(axis=1)
    return float(rows.weights @ (exemplars.codes[nearest] != rows.codes))


def _mean_margin(candidates: Candidates, points: Floats) -> float:
    rows = candidates.rows.take(slice(SAMPLE_ROWS))
    scores = candidates.scores(points, rows.index)
    first, second = np.partition(scores, 1, axis=1)[:, :2].T
    return float(np.average(second - first, weights=rows.weights)) or 1.0


def _range(X: Any) -> tuple[Floats, Floats]:
    """Least and greatest value of each column: no metric is undefined between them."""
    low, high = X.min(axis=0), X.max(axis=0)
    if sp.issparse(X):
        low, high = low.toarray().ravel(), high.toarray().ravel()
    return low, high
