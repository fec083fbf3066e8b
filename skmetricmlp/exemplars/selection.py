"""The methods that select exemplars, by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skmetricmlp._data import DistinctRows
from skmetricmlp._inner_fit import inner_fit
from skmetricmlp._threads import one_thread
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars._geometry import (
    Exemplars,
    distances,
    mapped,
    points_at,
    rounded,
)
from skmetricmlp.exemplars.cluster_means import exemplar_values
from skmetricmlp.exemplars.condensed import condensed_exemplars
from skmetricmlp.exemplars.kmedoids import partition_around_medoids
from skmetricmlp.exemplars.lvq import move_exemplars
from skmetricmlp.metrics.fitting import Metric

__all__ = ["SELECTORS", "VALUE_SELECTORS", "select_exemplars"]


# k-means uses at most so many rows of a class, or so many for each of its centers if
# those are more. k-medoids uses at most so many, as its cost grows with their square.
KMEANS_ROWS, KMEANS_ROWS_PER_CENTER = 2000, 50
MEDOID_ROWS = 1000


def select_exemplars(
    method: str,
    rows: DistinctRows,
    metric: Metric,
    counts: Ints,
    rng: np.random.RandomState,
) -> Exemplars:
    """Select exemplars from the rows.

    Parameters
    ----------
    method : str
        A key of :data:`SELECTORS`.
    rows : DistinctRows
        With class codes, or with values for a method of :data:`VALUE_SELECTORS`.
    metric : Metric
    counts : int array of shape (n_classes,)
        Number of exemplars of each class; at most its number of distinct rows. For
        ``"condensed"`` their sum is the maximum number in all.
    rng : numpy.random.RandomState

    Returns
    -------
    Exemplars
        Ordered by class; with values if the rows have values. Those that are means are
        means of the known values.
    """
    selected = SELECTORS[method](rows, metric, counts, rng)
    if metric.holes is not None:
        selected = replace(selected, points=metric.holes.completed(selected.points))
    if rows.y.ndim == 1:
        return selected
    return replace(selected, values=exemplar_values(selected, rows, metric))


def _kmeans(
    rows: DistinctRows, metric: Metric, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Select the centers of weighted k-means in each class, or in a sample of it.

    The metric is used if it is the Euclidean distance of linearly mapped rows. Centers
    are means, so the centers of the mapped rows are means of the same unmapped rows.
    """
    centers = []
    for code in np.flatnonzero(counts).tolist():
        size = max(KMEANS_ROWS, KMEANS_ROWS_PER_CENTER * counts[code])
        own = _of_class(rows, code).take(slice(size))
        kmeans = KMeans(n_clusters=counts[code], n_init=1, random_state=rng)
        with (
            # Several threads would add up their sums in a random order, so the result
            # would not be reproducible. k-means also makes many small products, which
            # are ten times slower with two threads on a busy machine.
            one_thread(),
            # Rows that differ by rounding errors only make equal centers: no problem.
            warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
        ):
            X = own.X[own.index]
            Z = mapped(X, metric)
            if not np.isfinite(Z.data if sp.issparse(Z) else Z).all():
                msg = (
                    f"X has values of up to {abs(X).max():.3g}, whose differences "
                    f"overflow: scale its features"
                )
                raise ValueError(msg)
            sample_weight = own.sample_weight / own.sample_weight.max()
            inner_fit(kmeans, Z, sample_weight=sample_weight)
        centers.append(_means(X, own.sample_weight, kmeans))
    return Exemplars(np.concatenate(centers), _codes(counts), None)


def _means(X: Array, sample_weight: Floats, kmeans: KMeans) -> Floats:
    """Weighted mean (k, d) of the rows of each cluster."""
    labels, shape = kmeans.labels_, (kmeans.n_clusters, X.shape[0])
    sums = np.bincount(labels, sample_weight, shape[0])
    # Equal mapped rows may leave a cluster empty: its center is the mean of all rows.
    empty = np.flatnonzero(sums == 0)
    entries = sample_weight / sums[labels], (labels, np.arange(shape[1]))
    shares = sp.csr_array(entries, shape)
    if len(empty):
        shares = shares.tolil()
        shares[empty] = sample_weight / sample_weight.sum()
    means = shares @ X
    centers: Floats = means.toarray() if sp.issparse(means) else means
    return centers.astype(X.dtype)


def _random(
    rows: DistinctRows, metric: Metric, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Draw rows of each class without replacement, in proportion to their weight."""
    del metric
    drawn = []
    for code in np.flatnonzero(counts).tolist():
        own = _of_class(rows, code)
        p = own.sample_weight / own.sample_weight.sum()
        drawn.append(rng.choice(own.index, size=counts[code], replace=False, p=p))
    return _at(rows, np.concatenate(drawn), counts)


def _kmedoids(
    rows: DistinctRows, metric: Metric, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Select the medoids of each class, or of a sample of it, without random draws."""
    del rng
    medoids = []
    for code in np.flatnonzero(counts).tolist():
        own = _of_class(rows, code).take(slice(max(MEDOID_ROWS, counts[code])))
        table = distances(own, metric)
        table -= table[:, :1]  # removes the term that the distances of a row share
        table = rounded(table, float(table.std()) or 1.0)
        found = partition_around_medoids(table, own.sample_weight, counts[code])
        medoids.append(own.index[found])
    return _at(rows, np.concatenate(medoids), counts)


def _condensed(
    rows: DistinctRows, metric: Metric, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    del rng
    return condensed_exemplars(rows, metric, int(counts.sum()))


def _lvq(
    rows: DistinctRows, metric: Metric, counts: Ints, rng: np.random.RandomState
) -> Exemplars:
    """Move the centers of k-means."""
    start = _kmeans(rows, metric, counts, rng)
    if len(start.codes) < 2:
        return start
    # Threads slow down the thousands of small products, above all on a busy machine.
    with one_thread():
        return move_exemplars(start, rows, metric)


def _of_class(rows: DistinctRows, code: int) -> DistinctRows:
    return rows.take(rows.codes == code)


def _at(rows: DistinctRows, index: Ints, counts: Ints) -> Exemplars:
    return Exemplars(points_at(rows, index), _codes(counts), index)


def _codes(counts: Ints) -> Ints:
    return np.repeat(np.arange(len(counts)), counts)


Selector = Callable[[DistinctRows, Metric, Ints, np.random.RandomState], Exemplars]
SELECTORS: Mapping[str, Selector] = {
    "kmeans": _kmeans,
    "random": _random,
    "kmedoids": _kmedoids,
    "condensed": _condensed,
    "lvq": _lvq,
}
# The methods that need no classes.
VALUE_SELECTORS = ("kmeans", "random", "kmedoids")
