"""Which rows stand for the classes, and how many."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.cluster import KMeans

from skmetricmlp.initialization.exemplars import (
    SELECTORS,
    Candidates,
    exemplar_counts,
    select_exemplars,
)
from skmetricmlp.initialization.exemplars.shares import share_exemplars
from skmetricmlp.initialization.metric_fit import fit_metric
from skmetricmlp.initialization.rows import distinct_rows


def candidates(X, codes, weights=None, metric="sqeuclidean"):
    weights = np.ones(X.shape[0]) if weights is None else weights
    rows = distinct_rows(X, codes, weights)
    return Candidates(X, rows, fit_metric(metric, None, X, codes, rows))


def select(method, X, codes, counts, weights=None, seed=0):
    rng = np.random.RandomState(seed)
    return select_exemplars(method, candidates(X, codes, weights), np.array(counts), rng)


# --- distinct rows ---


def rows_and_codes():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (60, 2)).astype(float)
    X.flags.writeable = False
    return X, rng.integers(0, 2, 60), rng.uniform(0.5, 2.0, 60)


def test_distinct_rows_against_a_dictionary():
    X, codes, weights = rows_and_codes()
    expected = {}
    for x, code, weight in zip(X, codes, weights, strict=True):
        key = (*x, code)
        expected[key] = expected.get(key, 0.0) + weight
    rows = distinct_rows(X, codes, weights)
    found = {(*X[i], codes[i]): w for i, w in zip(rows.index, rows.weights, strict=True)}
    assert found.keys() == expected.keys()
    assert len(rows.index) == len(found)
    for key, weight in found.items():
        assert weight == pytest.approx(expected[key] / max(expected.values()))
    np.testing.assert_array_equal(rows.codes, codes[rows.index])


def test_distinct_rows_do_not_depend_on_the_order():
    X, codes, weights = rows_and_codes()
    order = np.random.default_rng(1).permutation(len(X))
    one = distinct_rows(X, codes, weights)
    other = distinct_rows(X[order], codes[order], weights[order])
    np.testing.assert_array_equal(X[one.index], X[order][other.index])
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_allclose(one.weights, other.weights)


def test_distinct_rows_are_the_same_in_sparse_form_and_for_negative_zero():
    X, codes, weights = rows_and_codes()
    one = distinct_rows(X, codes, weights)
    negative = np.where(X == 0, -0.0, X)
    for form in (sp.csr_array(X), sp.csr_matrix(X), negative):
        other = distinct_rows(form, codes, weights)
        np.testing.assert_array_equal(one.index, other.index)
        np.testing.assert_array_equal(one.weights, other.weights)


def test_a_stretch_of_the_order_is_a_fair_sample():
    """The hash has nothing to do with the values: their mean is that of all rows."""
    X = np.random.default_rng(0).normal(size=(4000, 1))
    rows = distinct_rows(X, np.zeros(4000, int), np.ones(4000))
    assert abs(X[rows.index[:1000]].mean() - X.mean()) < 4 / np.sqrt(1000)


# --- how many ---


def best_shares(total, class_weights, available):
    """The counts that Webster's method is defined by: the smallest spread of quotients.

    Among all counts of that total, at least one each and none above what there is, the
    largest quotient that was refused is at most the smallest one that was granted.
    """
    priority = np.sqrt(class_weights)
    for counts in product(*(range(1, a + 1) for a in available)):
        if sum(counts) != total:
            continue
        granted = [p / (c - 0.5) for p, c in zip(priority, counts, strict=True) if c > 1]
        refused = [
            p / (c + 0.5)
            for p, c, a in zip(priority, counts, available, strict=True)
            if c < a
        ]
        if max(refused, default=0.0) <= min(granted, default=np.inf):
            yield list(counts)


@pytest.mark.parametrize("seed", range(8))
def test_shares_are_websters(seed):
    rng = np.random.default_rng(seed)
    class_weights = rng.uniform(1, 50, 3)
    available = rng.integers(1, 8, 3)
    total = int(rng.integers(3, available.sum() + 1))
    counts = share_exemplars(total, class_weights, available)
    assert counts.tolist() in list(best_shares(total, class_weights, available))


def test_shares_edges():
    weights = np.array([9.0, 1.0])
    many = np.array([100, 100])
    assert share_exemplars(1, weights, many).tolist() == [1, 1]
    assert share_exemplars(8, weights, many).tolist() == [6, 2]
    assert share_exemplars(500, weights, many).sum() == 200
    assert share_exemplars(8, weights, np.array([2, 100])).tolist() == [2, 6]
    assert share_exemplars(8, weights, np.array([100, 0])).tolist() == [8, 0]
    # What the first class cannot take is not for one that is worth no seat.
    assert share_exemplars(8, np.array([1e6, 1.0]), np.array([3, 9])).tolist() == [3, 1]


def test_shares_do_not_depend_on_the_unit_of_the_weights():
    weights = np.random.default_rng(0).uniform(size=6)
    available = np.full(6, 50)
    np.testing.assert_array_equal(
        share_exemplars(40, weights, available),
        share_exemplars(40, 1000 * weights, available),
    )


def test_a_fraction_counts_distinct_rows():
    X = np.arange(40.0).reshape(20, 2)
    codes = np.arange(20) % 2
    classes = np.array(["a", "b"])
    once = distinct_rows(X, codes, np.ones(20))
    twice = distinct_rows(np.tile(X, (2, 1)), np.tile(codes, 2), np.ones(40))
    for rows in (once, twice):
        assert exemplar_counts(0.3, classes, rows).sum() == 6
        assert exemplar_counts(1.0, classes, rows).tolist() == [10, 10]


# --- which ones ---


@pytest.mark.parametrize("method", SELECTORS)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_exemplars_are_of_their_class(method, form):
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 2], [20, 40])
    X = rng.normal(size=(60, 2)) + 100 * codes[:, None]
    chosen = select(method, form(X), codes, [1, 0, 4])
    if method == "condensed":  # two are enough
        assert chosen.codes.tolist() == [0, 2]
    else:
        assert chosen.codes.tolist() == [0, 2, 2, 2, 2]
    assert chosen.points.shape == (len(chosen.codes), 2)
    np.testing.assert_array_equal(np.round(chosen.points[:, 0] / 100), chosen.codes)
    if method in {"random", "kmedoids", "condensed"}:
        np.testing.assert_array_equal(chosen.points, X[chosen.index])
        assert len(set(chosen.index)) == len(chosen.codes)
    else:
        assert chosen.index is None


def test_kmeans_exemplars_are_weighted_centres_of_their_cells():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(80, 2)), rng.uniform(1, 5, 80)
    chosen = select("kmeans", X, np.zeros(80, int), [4], weights)
    nearest = ((X[:, None] - chosen.points) ** 2).sum(axis=2).argmin(axis=1)
    for cell, point in enumerate(chosen.points):
        of_cell = nearest == cell
        expected = np.average(X[of_cell], axis=0, weights=weights[of_cell])
        np.testing.assert_allclose(point, expected)
    inertia = (weights * ((X - chosen.points[nearest]) ** 2).sum(axis=1)).sum()
    best = KMeans(4, n_init=10, random_state=0).fit(X, sample_weight=weights).inertia_
    assert inertia < 1.5 * best


def test_random_exemplars_come_in_proportion_to_weight():
    X = np.arange(3.0)[:, None]
    rows = candidates(X, np.zeros(3, int), np.array([1.0, 2.0, 7.0]))
    rng = np.random.RandomState(0)
    drawn = [
        select_exemplars("random", rows, np.array([1]), rng).index[0] for _ in range(2000)
    ]
    shares = np.bincount(drawn, minlength=3) / 2000
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=4 * np.sqrt(0.21 / 2000))
