"""Which samples stand for the classes: the methods by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skmetricmlp._data import DistinctRows
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars.candidates import (
    Candidates,
    Exemplars,
    rounded,
)
from skmetricmlp.exemplars.cluster_means import exemplar_values
from skmetricmlp.exemplars.condensed import condensed_exemplars
from skmetricmlp.exemplars.kmedoids import partition_around_medoids
from skmetricmlp.exemplars.lvq import move_exemplars

__all__ = ["SELECTORS", "VALUE_SELECTORS", "select_exemplars"]


# Rows of a class that k-means looks at, or for each of its centers if those are more,
# and rows of a class that k-medoids looks at: its work grows with their square.
KMEANS_ROWS, KMEANS_ROWS_PER_CENTER = 2000, 50
MEDOID_ROWS = 1000


def select_exemplars(
    method: str, candidates: Candidates, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Choose exemplars.

    Parameters
    ----------
    method : str
        A key of :data:`SELECTORS`.
    candidates : Candidates
    counts : int array of shape (n_classes,)
        How many to choose of each class; at most as many as it has distinct rows.
        ``"condensed"`` takes their sum as the most in all.
    rng : numpy.random.RandomState

    Returns
    -------
    Exemplars
        Ordered by class; with values, if the rows have values.
    """
    chosen = SELECTORS[method](candidates, counts, rng)
    if candidates.rows.targets.ndim == 1:
        return chosen
    return replace(chosen, values=exemplar_values(chosen, candidates))


def _kmeans(
    candidates: Candidates, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Centers of weighted k-means in each class, or in a sample of it, by the metric.

    A linear metric is the Euclidean distance of mapped rows. Centers are means, so those
    of the mapped rows are the means of the same rows as they are.
    """
    centers = []
    for code in np.flatnonzero(counts).tolist():
        size = max(KMEANS_ROWS, KMEANS_ROWS_PER_CENTER * counts[code])
        own = _of_class(candidates, code).take(slice(size))
        kmeans = KMeans(n_clusters=counts[code], n_init=1, random_state=rng)
        with (
            # Several threads add up their sums in any order: results would not repeat.
            # And its many small products are ten times slower with two on a busy machine.
            threadpool_limits(limits=1),
            # Rows that differ by rounding alone make equal centers: those do no harm.
            warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
        ):
            rows = candidates.X[own.index]
            mapped = candidates.mapped(rows)
            if not np.isfinite(mapped.data if sp.issparse(mapped) else mapped).all():
                msg = (
                    f"X has values of up to {abs(rows).max():.3g}, whose differences "
                    f"overflow: scale its features"
                )
                raise ValueError(msg)
            kmeans.fit(mapped, sample_weight=own.weights / own.weights.max())
        centers.append(_means(rows, own.weights, kmeans))
    return Exemplars(np.concatenate(centers), _codes(counts), None)


def _means(rows: Array, weights: Floats, kmeans: KMeans) -> Floats:
    """Weighted mean (k, d) of the rows of each cluster."""
    labels, shape = kmeans.labels_, (kmeans.n_clusters, rows.shape[0])
    sums = np.bincount(labels, weights, shape[0])
    # Equal mapped rows may leave a cluster empty: it has the mean of none, and so of all.
    empty = np.flatnonzero(sums == 0)
    shares = sp.csr_array((weights / sums[labels], (labels, np.arange(shape[1]))), shape)
    if len(empty):
        shares = shares.tolil()
        shares[empty] = weights / weights.sum()
    means = shares @ rows
    centers: Floats = means.toarray() if sp.issparse(means) else means
    return centers.astype(rows.dtype)


def _random(
    candidates: Candidates, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Rows of each class, drawn without replacement in proportion to their weight."""
    drawn = []
    for code in np.flatnonzero(counts).tolist():
        own = _of_class(candidates, code)
        p = own.weights / own.weights.sum()
        drawn.append(rng.choice(own.index, size=counts[code], replace=False, p=p))
    return _rows(candidates, np.concatenate(drawn), counts)


def _kmedoids(
    candidates: Candidates, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Medoids of each class, or of a sample of it; nothing is drawn."""
    del rng
    medoids = []
    for code in np.flatnonzero(counts).tolist():
        own = _of_class(candidates, code).take(slice(max(MEDOID_ROWS, counts[code])))
        distances = candidates.distances(own.index)
        distances -= distances[:, :1]  # what all of a row have in common
        distances = rounded(distances, float(distances.std()) or 1.0)
        found = partition_around_medoids(distances, own.weights, counts[code])
        medoids.append(own.index[found])
    return _rows(candidates, np.concatenate(medoids), counts)


def _condensed(
    candidates: Candidates, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    del rng
    return condensed_exemplars(candidates, int(counts.sum()))


def _lvq(candidates: Candidates, counts: Ints, rng: np.random.RandomState) -> Exemplars:
    """Centers of k-means, moved."""
    start = _kmeans(candidates, counts, rng)
    if len(start.codes) < 2:
        return start
    # Thousands of small products, which threads slow down, the more the busier they are.
    with threadpool_limits(limits=1):
        return move_exemplars(candidates, start)


def _of_class(candidates: Candidates, code: int) -> DistinctRows:
    return candidates.rows.take(candidates.rows.codes == code)


def _rows(candidates: Candidates, index: Ints, counts: Ints) -> Exemplars:
    return Exemplars(candidates.points(index), _codes(counts), index)


def _codes(counts: Ints) -> Ints:
    return np.repeat(np.arange(len(counts)), counts)


Selector = Callable[[Candidates, Ints, np.random.RandomState], Exemplars]
SELECTORS: Mapping[str, Selector] = {
    "kmeans": _kmeans,
    "random": _random,
    "kmedoids": _kmedoids,
    "condensed": _condensed,
    "lvq": _lvq,
}
# Those that need no classes.
VALUE_SELECTORS = ("kmeans", "random", "kmedoids")
