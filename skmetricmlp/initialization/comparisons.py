"""Comparisons of two exemplars on a few features: the hidden layer of the default.

A distance on a subset S of the features is affine too, for a metric that is a sum over
features. So a neuron can be a triple ``(i, j, S)``: it is active where a row is nearer to
exemplar i than to exemplar j *on S*. The layer is a sample of such triples. Its width
does not depend on the number of exemplars, and it looks along single features and small
groups of them, as trees do (L. Grinsztajn, E. Oyallon, G. Varoquaux, NeurIPS 2022).

Random subspaces are due to T. K. Ho (IEEE Transactions on Pattern Analysis and Machine
Intelligence 20, 1998), pairs of rows as weights to E. Bolager and others (NeurIPS 2023).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from skmetricmlp._array_api import to_numpy
from skmetricmlp._data import mean_and_deviation
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Bools, Floats, Ints
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization.least_squares import unit_scale
from skmetricmlp.initialization.output_layer import ridge_weights
from skmetricmlp.metrics import Metric
from skmetricmlp.network import Conjunctive, Network, forward

__all__ = [
    "Comparisons",
    "compared_exemplars",
    "comparison_layer",
    "draw_comparisons",
    "feature_relevance",
    "middles",
    "n_groups",
    "one_hot_groups",
    "subset_sizes",
]


# Shares of the comparisons on one, two and three features among those on few features.
# The others are on all: one in six, and more for many features, where three say little.
SHARES = (0.4, 0.4, 0.2)
LEAST_SHARE_OF_ALL, MANY_FEATURES = 1 / 6, 100
# How often a triple whose exemplars are of one class is drawn again. Of classes of equal
# size at least three quarters of the comparisons are then of two classes, and fewer of
# unequal ones.
SHARE_OF_CLASSES = 0.7
# Exemplars that differ by so little of the range of a feature are equal on it.
ROUNDING = 1e-9
# How often a triple is drawn again whose exemplars are equal on the features.
MOST_DRAWS = 20
# The network that tells the relevance of the features: its comparisons and rows at most,
# the power of the mean squared gradient, and the share that all features have equally.
RELEVANCE_COMPARISONS, RELEVANCE_ROWS = 400, 3000
RELEVANCE_POWER, EQUAL_SHARE = 0.7, 0.2


@dataclass(frozen=True)
class Comparisons:
    """P triples of two exemplars and the features that they are compared on.

    Parameters
    ----------
    first, second : int arrays of shape (P,)
        Neuron p is active where a row is nearer to ``first[p]`` than to ``second[p]``.
    features : bool array of shape (P, n_features)
        The columns that are compared.
    scale : array of shape (P,)
        What the difference of the distances is divided by.
    """

    first: Ints
    second: Ints
    features: Bools
    scale: Floats

    def followed_by(self, others: Comparisons) -> Comparisons:
        """Return these and other comparisons."""
        both = (
            (getattr(self, field.name), getattr(others, field.name))
            for field in fields(self)
        )
        return Comparisons(*map(np.concatenate, both))

    def differences(self, metric: Metric, points: Array) -> tuple[Floats, Floats, Floats]:
        """Return the terms of ``(D_j - D_i) / scale`` by feature, and its bias.

        Parameters
        ----------
        metric : Metric
        points : array of shape (N, d)

        Returns
        -------
        weights, offsets : arrays of shape (P, d)
            Feature f of a row x has the term ``x_f weights_f + offsets_f``.
        bias : array of shape (P,)
            The sum of the offsets. A metric that is not a sum over features has no
            offset of a feature. They are then taken to be zero halfway between the two
            exemplars, and the bias differs from their sum.
        """
        i, j = self.first, self.second
        A, b = metric(points)
        # A term that all exemplars share cancels. Without it they are small, and exact.
        A = A - A.mean(axis=0)
        factor = self.features / self.scale[:, None]
        weights = factor * (A[j] - A[i])
        if metric.is_additive:
            terms = metric.offset_terms(points)
            terms = terms - terms.mean(axis=0)
            offsets = factor * (terms[j] - terms[i])
            return weights, offsets, offsets.sum(axis=1)
        points = np.asarray(points, dtype=np.float64)
        offsets = -weights * (points[i] + points[j]) / 2
        exists = self.features.any(axis=1)
        return weights, offsets, exists * (b[j] - b[i]) / self.scale


def middles(metric: Metric, points: Array, first: Ints, second: Ints) -> Floats:
    """Return where two exemplars are equally far on each feature.

    Parameters
    ----------
    metric : Metric
        Of one that is not a sum over features, the point halfway is returned.
    points : array of shape (N, d)
    first, second : int arrays of shape (P,)

    Returns
    -------
    array of shape (P, d)
    """
    points = np.asarray(points, dtype=np.float64)
    halfway: Floats = (points[first] + points[second]) / 2
    # From the distances it would lose digits on features far from zero.
    if metric.is_equal_halfway or not metric.is_additive:
        return halfway
    slopes, terms = metric(points)[0], metric.offset_terms(points)
    slope, term = slopes[second] - slopes[first], terms[second] - terms[first]
    np.divide(-term, slope, out=halfway, where=slope != 0)
    return halfway


def compared_exemplars(state: FitState, network: Network) -> tuple[Floats, Ints, Ints]:
    """Return the exemplars, and the two of them that each unit compares.

    Parameters
    ----------
    state : FitState
        Of a network that was calculated from exemplars.
    network : Network
        The present one.

    Returns
    -------
    points : array of shape (N, d)
        Within the bounds of the features.
    first, second : int arrays of shape (P,)
    """
    exemplars: Any = state.exemplars
    if state.comparisons is None:
        pairs: Any = state.pairs
        n, m = pairs.shape
        return exemplars.points, np.repeat(np.arange(n), m), pairs.ravel()
    layer: Any = network.layers[0]
    points = np.clip(exemplars.points, to_numpy(layer.low), to_numpy(layer.high))
    return points, state.comparisons.first, state.comparisons.second


def subset_sizes(
    max_features: float | str | None, n_features: int, n: int, rng: np.random.RandomState
) -> Ints:
    """Draw the number of features (n,) of n comparisons.

    Parameters
    ----------
    max_features : int, float, {"mixed", "sqrt", "log2"} or None
        An int is the number, a float a share of the features, and None is all. With
        ``"mixed"`` it is 1, 2, 3 or all.
    n_features : int
        Features, of which a categorical one may have several columns.
    n : int
    rng : numpy.random.RandomState
    """
    if max_features == "mixed":
        of_all = max(LEAST_SHARE_OF_ALL, n_features / (n_features + MANY_FEATURES))
        few = (1.0 - of_all) * np.array(SHARES)
        sizes: Ints = rng.choice([1, 2, 3, n_features], size=n, p=[*few, of_all])
        return np.minimum(sizes, n_features)
    size = n_features if max_features is None else max_features
    if isinstance(size, str):
        size = np.sqrt(n_features) if size == "sqrt" else np.log2(n_features)
    elif isinstance(size, float):
        size = size * n_features
    return np.full(n, min(max(int(size), 1), n_features))


def draw_comparisons(
    exemplars: Exemplars,
    groups: Ints,
    n: int,
    max_features: float | str | None,
    rng: np.random.RandomState,
    relevance: Floats | None = None,
    start: int = 0,
) -> Comparisons:
    """Draw n triples of two exemplars and features.

    The exemplars of a triple differ on its features, and mostly in class. A triple for
    which no such exemplars are found has none of the features, so that its neuron is
    zero.

    Parameters
    ----------
    exemplars : Exemplars
    groups : int array of shape (n_columns,)
        The feature that each column belongs to, from 0 on.
    n : int
    max_features : int, float, {"mixed", "sqrt", "log2"} or None
    rng : numpy.random.RandomState
    relevance : array of shape (n_features,), optional
        Features are drawn in proportion to it, without replacement.
    start : int, default=0
        The first exemplar of a triple is this one or a later one.

    Returns
    -------
    Comparisons
        Not scaled.
    """
    n_features = n_groups(groups)
    sizes = subset_sizes(max_features, n_features, n, rng)
    columns = _draw_subsets(sizes, n_features, rng, relevance)[:, groups]
    points, codes = np.asarray(exemplars.points, dtype=np.float64), exemplars.codes
    several_classes = len(np.unique(codes)) > 1
    least = ROUNDING * np.ptp(points, axis=0)
    first, second = np.zeros((2, n), dtype=np.intp)
    waiting = np.arange(n)
    for _ in range(MOST_DRAWS):
        i = rng.randint(start, len(points), size=len(waiting))
        j = rng.randint(len(points), size=len(waiting))
        first[waiting], second[waiting] = i, j
        distinct = np.abs(points[i] - points[j]) > least
        differ = (distinct & columns[waiting]).any(axis=1)
        if several_classes:
            is_free = rng.uniform(size=len(waiting)) > SHARE_OF_CLASSES
            differ &= is_free | (codes[i] != codes[j])
        waiting = waiting[~differ]
        if not len(waiting):
            break
    columns[waiting] = False
    return Comparisons(first, second, columns, np.ones(n))


def _draw_subsets(
    sizes: Ints, n_features: int, rng: np.random.RandomState, relevance: Floats | None
) -> Bools:
    """Draw subsets (n, n_features) of the given sizes (n,), without replacement.

    The largest of ``log relevance`` plus Gumbel noise are such a sample.
    """
    noise = rng.gumbel(size=(len(sizes), n_features))
    if relevance is not None:
        noise += np.log(relevance)
    ranks = np.empty(noise.shape, dtype=np.intp)
    order = np.argsort(-noise, axis=1)
    np.put_along_axis(ranks, order, np.arange(n_features)[None, :], axis=1)
    return ranks < sizes[:, None]


def comparison_layer(
    comparisons: Comparisons,
    metric: Metric,
    exemplars: Exemplars,
    sample: tuple[Array, Floats],
    activation: str,
    n_shifts: int,
) -> tuple[Conjunctive, Comparisons]:
    """Make the layer of comparisons, each of unit deviation in a sample.

    Parameters
    ----------
    comparisons : Comparisons
    metric : Metric
    exemplars : Exemplars
    sample : tuple of array or SciPy CSR of shape (m, d) and array of shape (m,)
        Rows and their weights.
    activation : str
    n_shifts : int
        Conjunctions of each comparison with the following ones.

    Returns
    -------
    layer : Conjunctive
        In double precision.
    scaled : Comparisons
    """
    X, sample_weight = sample
    weights, _, bias = comparisons.differences(metric, exemplars.points)
    z = X @ weights.T + bias
    _, deviation = mean_and_deviation(z, sample_weight)
    scale = unit_scale(deviation)
    layer = Conjunctive(
        np.ascontiguousarray((weights / scale[:, None]).T),
        bias / scale,
        activation,
        min(n_shifts, len(scale) - 1),
    )
    return layer, replace(comparisons, scale=scale)


def feature_relevance(
    metric: Metric,
    exemplars: Exemplars,
    groups: Ints,
    X: Array,
    targets: Floats,
    sample_weight: Floats,
    rng: np.random.RandomState,
) -> Floats:
    """How much the output of a small network of comparisons depends on each feature.

    This is the diagonal of the average outer product of its gradient, in units of the
    variance of the features (A. Radhakrishnan, D. Beaglehole, P. Pandit, M. Belkin,
    Science 383, 2024).

    Parameters
    ----------
    metric : Metric
    exemplars : Exemplars
    groups : int array of shape (n_columns,)
        The feature that each column belongs to.
    X : array or SciPy CSR of shape (m, n_columns)
    targets : array of shape (m, n_outputs)
        Classes, one-hot, or values.
    sample_weight : array of shape (m,)
    rng : numpy.random.RandomState

    Returns
    -------
    array of shape (n_features,)
        Positive, with sum one.
    """
    n_features = n_groups(groups)
    drawn = draw_comparisons(exemplars, groups, RELEVANCE_COMPARISONS, "mixed", rng)
    sample = X, sample_weight
    layer, _ = comparison_layer(drawn, metric, exemplars, sample, "relu", 0)
    hidden = forward(layer, X)
    W, _, _ = ridge_weights(hidden, targets, sample_weight)
    shares = (sample_weight / sample_weight.sum())[:, None]
    # A row halfway between two exemplars is at no side of them, whatever rounding says.
    active = (hidden > ROUNDING).astype(np.float64)
    # The mean over rows of the outer product of the gradient with itself.
    outer = (active.T @ (shares * active)) * (W @ W.T)
    squares = np.sum(layer.weights * (layer.weights @ outer), axis=1)
    _, deviation = mean_and_deviation(X, sample_weight)
    of_features = np.bincount(groups, np.maximum(squares, 0.0) * deviation**2)
    relevance: Floats = of_features**RELEVANCE_POWER
    total = float(relevance.sum())
    equal = np.full(n_features, 1.0 / n_features)
    if not (np.isfinite(total) and total > 0):
        return equal
    return (1.0 - EQUAL_SHARE) * (relevance / total) + EQUAL_SHARE * equal


def n_groups(groups: Ints) -> int:
    """Return the number of features that the columns belong to."""
    return int(groups.max(initial=0)) + 1


def one_hot_groups(X: Array) -> Ints:
    """Find the columns that encode one categorical feature together.

    These are adjacent columns of two values each, of which every row has exactly one at
    the higher value, scaled or not. Any other column is a feature of its own, except a
    constant one between two columns of a feature: a category that none of the rows has.

    Parameters
    ----------
    X : array of shape (n, n_columns)

    Returns
    -------
    int array of shape (n_columns,)
        The feature of each column, from 0 on.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.5, 1, 0, 0, 0], [0.1, 0, 0, 1, 1], [0.7, 0, 1, 0, 1]])
    >>> one_hot_groups(X)
    array([0, 1, 1, 1, 2])
    """
    low, high = X.min(axis=0), X.max(axis=0)
    varying = np.flatnonzero(low < high)
    values = X[:, varying]
    is_on = high[varying] == values
    is_binary = (is_on | (low[varying] == values)).all(axis=0)
    first = np.arange(X.shape[1])  # column of the feature that each belongs to
    start = 0
    while start < len(varying):
        stop = _end_of_one_hot(is_on, is_binary, start)
        first[varying[start] : varying[stop - 1] + 1] = varying[start]
        start = stop
    groups: Ints = np.unique(first, return_inverse=True)[1]
    return groups


def _end_of_one_hot(is_on: Bools, is_binary: Bools, start: int) -> int:
    """End of the group of columns that begins at ``start``; one column at least."""
    n_on = np.zeros(len(is_on), dtype=np.intp)
    for column in range(start, len(is_binary)):
        if not is_binary[column]:
            break
        n_on += is_on[:, column]
        if n_on.max() > 1:
            break
        if n_on.min() == 1:
            return column + 1
    return start + 1
