"""Distinct rows, and the number and the selection of exemplars."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from networks import temporaries_of
from sklearn import config_context
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._data import distinct_rows, row_batches, rows_per_batch
from skmetricmlp.exemplars import (
    SELECTORS,
    Exemplars,
    exemplar_counts,
    select_exemplars,
    selection,
)
from skmetricmlp.exemplars import _geometry as geometry
from skmetricmlp.exemplars._geometry import distances, mapped, points_at, scores
from skmetricmlp.exemplars.apportionment import share_exemplars
from skmetricmlp.exemplars.cluster_means import exemplar_values
from skmetricmlp.exemplars.condensed import condensed_exemplars
from skmetricmlp.exemplars.cross_validation import (
    _least_total,
    candidate_totals,
    cross_validated_total,
    is_classified,
    squared_errors,
)
from skmetricmlp.exemplars.kmedoids import (
    _swap_changes,
    partition_around_medoids,
)
from skmetricmlp.exemplars.lvq import attraction
from skmetricmlp.exemplars.selection import VALUE_SELECTORS
from skmetricmlp.metrics.fitting import fit_metric
from skmetricmlp.network.scaling import input_scaling


def rows_and_metric(X, y, sample_weight=None, metric="sqeuclidean"):
    sample_weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
    rows = distinct_rows(X, y, sample_weight)
    scaling = input_scaling(X, rows.sample_weight, rows.index, per_feature=False)
    return rows, fit_metric(metric, None, rows, y, scaling=scaling)


def select(method, X, codes, counts, weights=None, seed=0):
    rng = np.random.RandomState(seed)
    rows, metric = rows_and_metric(X, codes, weights)
    return select_exemplars(method, rows, metric, np.array(counts), rng)


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
    found = {
        (*X[i], codes[i]): w for i, w in zip(rows.index, rows.sample_weight, strict=True)
    }
    assert found.keys() == expected.keys()
    assert len(rows.index) == len(found)
    for key, weight in found.items():
        assert weight == pytest.approx(expected[key] / max(expected.values()))
    np.testing.assert_array_equal(rows.codes, codes[rows.index])


def test_distinct_rows_hold_the_data_without_a_copy():
    X, codes, weights = rows_and_codes()
    rows = distinct_rows(X, codes, weights)
    few = rows.take(rows.codes == 1)
    assert rows.X is few.X is X
    np.testing.assert_array_equal(codes[few.index], 1)
    np.testing.assert_array_equal(few.index, rows.index[rows.codes == 1])


def test_distinct_rows_do_not_depend_on_the_order():
    X, codes, weights = rows_and_codes()
    order = np.random.default_rng(1).permutation(len(X))
    one = distinct_rows(X, codes, weights)
    other = distinct_rows(X[order], codes[order], weights[order])
    np.testing.assert_array_equal(X[one.index], X[order][other.index])
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_allclose(one.sample_weight, other.sample_weight)


def test_distinct_rows_are_the_same_in_sparse_form_and_for_negative_zero():
    X, codes, weights = rows_and_codes()
    one = distinct_rows(X, codes, weights)
    negative = np.where(X == 0, -0.0, X)
    for form in (sp.csr_array(X), sp.csr_matrix(X), negative):
        other = distinct_rows(form, codes, weights)
        np.testing.assert_array_equal(one.index, other.index)
        np.testing.assert_array_equal(one.sample_weight, other.sample_weight)


def test_a_stretch_of_the_order_is_a_fair_sample():
    """The order by the hash is random, so a slice has about the mean of all rows."""
    X = np.random.default_rng(0).normal(size=(4000, 1))
    rows = distinct_rows(X, np.zeros(4000, int), np.ones(4000))
    assert abs(X[rows.index[:1000]].mean() - X.mean()) < 4 / np.sqrt(1000)


def rows_and_values():
    X, _, weights = rows_and_codes()
    values = np.random.default_rng(2).normal(size=(60, 2))
    values.flags.writeable = False
    return X, values, weights


def test_equal_rows_have_the_mean_of_their_values():
    X, values, weights = rows_and_values()
    expected = {}
    for x, value, weight in zip(X, values, weights, strict=True):
        total, sums = expected.get(tuple(x), (0.0, 0.0))
        expected[tuple(x)] = total + weight, sums + weight * value
    rows = distinct_rows(X, values, weights)
    heaviest = max(total for total, _ in expected.values())
    assert len(rows.index) == len(expected) == 9
    for index, target, weight in zip(rows.index, rows.y, rows.sample_weight, strict=True):
        total, sums = expected[tuple(X[index])]
        np.testing.assert_allclose(target, sums / total)
        assert weight == pytest.approx(total / heaviest)
    np.testing.assert_array_equal(rows.codes, np.zeros(9))
    few = rows.take(slice(3))
    np.testing.assert_array_equal(few.y, rows.y[:3])
    np.testing.assert_array_equal(few.codes, [0, 0, 0])


def test_rows_with_values_are_in_the_order_of_one_class():
    X, values, weights = rows_and_values()
    order = np.random.default_rng(1).permutation(len(X))
    one = distinct_rows(X, values, weights)
    other = distinct_rows(X[order], values[order], weights[order])
    of_one_class = distinct_rows(X, np.zeros(60, int), weights)
    np.testing.assert_array_equal(one.index, of_one_class.index)
    np.testing.assert_array_equal(X[one.index], X[order][other.index])
    np.testing.assert_allclose(one.y, other.y)


# --- the size of temporary arrays ---


@pytest.mark.parametrize(
    ("working_memory", "width", "expected"),
    [
        (1024, 2**22, 1),
        (1024, 2**22 // 7, 7),
        (64, 1, 2**22),
        (1, 128, 1024),
        (0.5, 1000, 65),
        (1, 2**18, 1),
        (0, 5, 1),
        (1024, 0, 2**22),
    ],
)
def test_rows_of_a_batch_stay_within_the_working_memory(working_memory, width, expected):
    with config_context(working_memory=working_memory):
        assert rows_per_batch(width) == expected
        batches = list(row_batches(2 * expected + 1, width))
    sizes = [batch.stop - batch.start for batch in batches]
    assert sizes == [expected, expected, 1]
    rows = np.arange(2 * expected + 1)
    np.testing.assert_array_equal(np.concatenate([rows[b] for b in batches]), rows)
    assert list(row_batches(0, width)) == []


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis", "kl", "cosine"])
def test_batches_of_rows_make_no_difference_but_rounding(form, metric, monkeypatch):
    X = form(np.random.default_rng(0).uniform(0.1, 1, (60, 4)))
    y, weights = np.arange(60) % 2, np.random.default_rng(1).uniform(0.5, 2, 60)
    n_batches = []

    def counted(n_rows, width):
        batches = list(row_batches(n_rows, width))
        n_batches.append(len(batches))
        return batches

    monkeypatch.setattr(geometry, "row_batches", counted)

    def results():
        rows, fitted = rows_and_metric(X, y, weights, metric)
        chosen = select_exemplars(
            "condensed", rows, fitted, np.array([3, 4]), np.random.RandomState(0)
        )
        arrays = *fitted(chosen.points), fitted.mean, fitted.scale
        return rows.index, chosen.index, distances(rows, fitted), *arrays

    expected = results()
    assert set(n_batches) == {1}
    n_batches.clear()
    with temporaries_of(30):
        found = results()
    assert max(n_batches) == 9
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


# --- the number of exemplars ---


def best_shares(total, class_weights, available):
    """Find the counts that satisfy the definition of Webster's method, by enumeration.

    The counts have the given total, and each is from one to the available number. The
    largest quotient that was refused is at most the smallest quotient that was granted.
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
    # The second class is worth less than one exemplar, so it gets none from the first.
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


# --- the selection of exemplars ---


@pytest.mark.parametrize("method", SELECTORS)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_exemplars_are_of_their_class(method, form):
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 2], [20, 40])
    X = rng.normal(size=(60, 2)) + 100 * codes[:, None]
    chosen = select(method, form(X), codes, [1, 0, 4])
    if method == "condensed":  # two exemplars are enough
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


def test_kmeans_exemplars_are_weighted_centers_of_their_cells():
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
    data = rows_and_metric(X, np.zeros(3, int), np.array([1.0, 2.0, 7.0]))
    rng = np.random.RandomState(0)
    drawn = [
        select_exemplars("random", *data, np.array([1]), rng).index[0]
        for _ in range(2000)
    ]
    shares = np.bincount(drawn, minlength=3) / 2000
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=4 * np.sqrt(0.21 / 2000))


# --- distances and mapped rows ---


METRIC_PARAMETERS = {
    "sqeuclidean": {},
    "seuclidean": {"V": np.array([4.0, 9.0])},
    "mahalanobis": {"VI": np.array([[2.0, 1.0], [1.0, 3.0]])},
}


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("metric", METRIC_PARAMETERS)
def test_mapped_rows_have_the_distances_of_a_linear_metric(metric, form, scaled):
    X = np.random.default_rng(0).normal(size=(20, 2)) + 5.0
    rows = distinct_rows(form(X), np.zeros(20, int), np.ones(20))
    scaling = input_scaling(form(X), np.ones(20), per_feature=False) if scaled else None
    parameters = METRIC_PARAMETERS[metric]
    fitted = fit_metric(metric, parameters, rows, None, scaling=scaling)
    Z = mapped(form(X), fitted)
    Z = Z.toarray() if sp.issparse(Z) else Z
    expected = distances(rows, fitted)
    own = ((Z[rows.index, None] - Z[rows.index]) ** 2).sum(axis=2)
    if scaled and metric == "sqeuclidean":
        own *= scaling[1][0] ** 2
    np.testing.assert_allclose(
        expected - expected.diagonal()[:, None], own, rtol=1e-6, atol=1e-6
    )


def test_points_at_positions_are_dense_rows():
    X = np.arange(12.0).reshape(6, 2)
    for form in (np.asarray, sp.csr_array, sp.csr_matrix):
        rows = distinct_rows(form(X), np.zeros(6, int), np.ones(6))
        np.testing.assert_array_equal(points_at(rows, np.array([4, 1])), X[[4, 1]])


# --- the values of exemplars ---


@pytest.mark.parametrize("n_numbers", [1, 11, 2**22])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_values_of_centers_are_means_over_the_rows_nearest_to_each(form, n_numbers):
    rng = np.random.default_rng(0)
    X, y, weights = (
        rng.normal(size=(80, 2)),
        rng.normal(size=(80, 3)),
        rng.uniform(1, 5, 80),
    )
    points = np.concatenate([rng.normal(size=(4, 2)), [[99.0, 99.0]]])
    data = rows_and_metric(form(X), y, weights)
    with temporaries_of(n_numbers):
        found = exemplar_values(Exemplars(points, np.zeros(5, int), None), *data)
    nearest = [min(range(5), key=lambda i: sum((x - points[i]) ** 2)) for x in X]
    for cell in range(4):
        own = [row for row in range(80) if nearest[row] == cell]
        expected = sum(weights[row] * y[row] for row in own) / weights[own].sum()
        np.testing.assert_allclose(found[cell], expected)
    np.testing.assert_allclose(found[4], np.average(y, axis=0, weights=weights))


@pytest.mark.parametrize("method", ["random", "kmedoids"])
def test_values_of_rows_are_theirs(method):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    chosen = select(method, X, y, [12])
    assert len(set(chosen.index.tolist())) == 12
    np.testing.assert_array_equal(chosen.points, X[chosen.index])
    np.testing.assert_allclose(chosen.values, y[chosen.index])
    np.testing.assert_array_equal(chosen.targets(2), chosen.values)
    with_classes = select(method, X, np.zeros(40, int), [12])
    assert with_classes.values is None
    np.testing.assert_array_equal(with_classes.index, chosen.index)
    np.testing.assert_array_equal(with_classes.targets(2), [[1, 0]] * 12)


@pytest.mark.parametrize("method", VALUE_SELECTORS)
@pytest.mark.parametrize("metric", ["sqeuclidean", "mahalanobis"])
def test_points_and_values_depend_on_neither_order_nor_repetition(method, metric):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.normal(size=60)
    order = rng.permutation(np.repeat(np.arange(60), 2))
    settings = dict(exemplars=method, metric=metric, n_exemplars=10, max_iter=0)
    one, other = (
        MetricInitMLPRegressor(random_state=0, **settings).fit(X[rows], y[rows])
        for rows in (slice(None), order)
    )
    np.testing.assert_array_equal(one.exemplars_, other.exemplars_)
    np.testing.assert_allclose(one.exemplar_values_, other.exemplar_values_)


# --- k-medoids ---


def total_distance(distances, weights, medoids):
    return sum(
        w * min(row[m] for m in medoids)
        for w, row in zip(weights, distances, strict=True)
    )


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_no_swap_of_a_medoid_helps(seed, k):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(14, 2)), rng.uniform(0.5, 2, 14)
    distances = ((X[:, None] - X) ** 2).sum(axis=2)
    medoids = partition_around_medoids(distances, weights, k)
    assert len(set(medoids.tolist())) == k
    reached = total_distance(distances, weights, medoids)
    for leaving, coming in product(range(k), range(14)):
        swapped = [*np.delete(medoids, leaving), coming]
        assert total_distance(distances, weights, swapped) >= reached - 1e-12
    if k == 1:
        assert reached == min(total_distance(distances, weights, [m]) for m in range(14))


def test_changes_by_a_swap_are_what_swapping_changes():
    rng = np.random.default_rng(0)
    distances, weights = rng.uniform(size=(12, 12)), rng.uniform(0.5, 2, 12)
    medoids = np.array([2, 5, 7])
    change = _swap_changes(distances, weights, medoids)
    before = total_distance(distances, weights, medoids)
    for leaving, coming in product(range(3), range(12)):
        if coming in medoids:
            assert change[leaving, coming] == np.inf
            continue
        swapped = [*np.delete(medoids, leaving), coming]
        after = total_distance(distances, weights, swapped)
        assert change[leaving, coming] == pytest.approx(after - before)


def test_medoids_do_not_depend_on_a_term_per_row():
    rng = np.random.default_rng(0)
    distances, weights = rng.uniform(size=(30, 30)), rng.uniform(0.5, 2, 30)
    np.testing.assert_array_equal(
        partition_around_medoids(distances, weights, 4),
        partition_around_medoids(distances - 9 * weights[:, None], weights, 4),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_medoids_are_different_where_a_metric_sees_no_difference(k):
    medoids = partition_around_medoids(np.zeros((5, 5)), np.ones(5), k)
    assert len(set(medoids.tolist())) == k


def test_kmeans_looks_at_a_sample_of_a_large_class(monkeypatch):
    X = np.random.default_rng(0).normal(size=(300, 2))
    rows = distinct_rows(X, np.zeros(300, int), np.ones(300))
    for count, size in ((4, 50), (30, 150)):
        monkeypatch.setattr(selection, "KMEANS_ROWS", 50)
        monkeypatch.setattr(selection, "KMEANS_ROWS_PER_CENTER", 5)
        seen = select("kmeans", X, np.zeros(300, int), [count]).points
        # The centers are those of the first rows: they have the mean of these rows.
        mean = np.mean(X[rows.index[:size]], axis=0)
        nearest = np.argmin(((X[:, None] - seen) ** 2).sum(axis=2), axis=1)
        assert len(set(nearest)) == count
        looked_at = rows.index[:size]
        sizes = np.bincount(nearest[looked_at], minlength=count)
        np.testing.assert_allclose(sizes @ seen / size, mean, atol=0.05)
        monkeypatch.setattr(selection, "KMEANS_ROWS", 300)
        assert not np.array_equal(
            seen, select("kmeans", X, np.zeros(300, int), [count]).points
        )


def test_medoids_of_a_class_that_is_larger_than_the_sample(monkeypatch):
    monkeypatch.setattr(selection, "MEDOID_ROWS", 20)
    X = np.random.default_rng(0).normal(size=(200, 2))
    chosen = select("kmedoids", X, np.zeros(200, int), [25])
    assert len(set(chosen.index.tolist())) == 25


# --- condensed nearest neighbor ---


def two_moons(n=150, noise=0.1):
    X, codes = make_moons(n, noise=noise, random_state=0)
    X.flags.writeable = False
    return X, codes


def errors_of_nearest(points, labels, X, codes):
    nearest = ((X[:, None] - points) ** 2).sum(axis=2).argmin(axis=1)
    return np.flatnonzero(labels[nearest] != codes)


def condensed_by_hand(X, codes, weights, limit):
    """Take the middle of each class, then the middle of the largest group of errors."""

    def middle(members):
        totals = [
            sum(weights[x] * ((X[x] - X[p]) ** 2).sum() for x in members) for p in members
        ]
        return members[int(np.argmin(totals))]

    chosen = [middle(np.flatnonzero(codes == c)) for c in np.unique(codes)]
    while len(chosen) < limit:
        groups = {}
        for x in range(len(X)):
            nearest = min(chosen, key=lambda p: ((X[x] - X[p]) ** 2).sum())
            if codes[nearest] != codes[x]:
                groups.setdefault((nearest, codes[x]), []).append(x)
        if not groups:
            break
        chosen.append(middle(max(groups.values(), key=lambda g: weights[g].sum())))
    return set(chosen)


@pytest.mark.parametrize("limit", range(2, 12))
def test_condensed_rows_are_those_of_the_rule(limit):
    X, codes = two_moons(60)
    weights = np.random.default_rng(0).uniform(0.5, 2, 60)
    chosen = select("condensed", X, codes, [limit, 0], weights)
    assert set(chosen.index.tolist()) == condensed_by_hand(X, codes, weights, limit)


def condensed_by_table(rows, metric, limit):
    """Select the rows by a table of all scores, which grows by a column each time.

    Scores that differ by rounding errors only are equal, and the first one counts.
    """
    X, index, codes, weights = rows.X, rows.index, rows.codes, rows.sample_weight

    def middle(members):
        share = weights[members] / weights[members].sum()
        mean = share @ X[index[members]]
        A, b = metric(X[index[members]])
        return int(members[np.argmin(np.round(A @ mean + b, 7))])

    chosen = [middle(np.flatnonzero(codes == code)) for code in np.unique(codes)]
    table = scores(rows, metric, X[index[chosen]])
    while len(chosen) < limit:
        nearest = np.argmin(np.round(table, 7), axis=1)
        wrong = np.flatnonzero(codes[chosen][nearest] != codes)
        wrong = wrong[~np.isin(wrong, chosen)]
        if not len(wrong):
            break
        pairs = np.stack([nearest[wrong], codes[wrong]])
        cells, cell = np.unique(pairs, axis=1, return_inverse=True)
        worst = np.argmax(np.bincount(cell, weights[wrong], cells.shape[1]))
        chosen.append(middle(wrong[cell == worst]))
        added = scores(rows, metric, X[index[chosen[-1:]]])
        table = np.concatenate([table, added], axis=1)
    by_class = np.argsort(codes[chosen], kind="stable")
    return index[np.array(chosen)[by_class]]


@pytest.mark.parametrize("metric", ["sqeuclidean", "mahalanobis"])
@pytest.mark.parametrize("decimals", [0, 1, 9])  # few decimals make ties and equal rows
def test_condensed_rows_are_those_of_a_table_of_all_scores(decimals, metric):
    X, codes = two_moons(400, noise=0.4)
    X = np.round(X, decimals)
    weights = np.random.default_rng(0).uniform(0.5, 2, 400)
    given = rows_and_metric(X, codes, weights, metric)
    for limit in (2, 3, 7, 40, 400):
        chosen = condensed_exemplars(*given, limit)
        np.testing.assert_array_equal(chosen.index, condensed_by_table(*given, limit))
        np.testing.assert_array_equal(chosen.codes, codes[chosen.index])


def test_condensed_exemplars_hold_no_table_of_scores():
    X, codes = two_moons(4000, noise=0.6)
    given = rows_and_metric(X, codes)
    tracemalloc.start()
    try:
        n = len(condensed_exemplars(*given, 200).codes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n == 200
    assert peak < 0.25 * 200 * X.shape[0] * 8


def test_condensed_exemplars_classify_all_rows():
    X, codes = two_moons(noise=0.3)
    chosen = select("condensed", X, codes, [75, 75])
    assert len(chosen.codes) < 75
    assert not len(errors_of_nearest(chosen.points, chosen.codes, X, codes))
    np.testing.assert_array_equal(chosen.points, X[chosen.index])
    np.testing.assert_array_equal(chosen.codes, codes[chosen.index])


def test_condensed_exemplars_stop_at_the_limit_and_at_contradictions():
    X, codes = two_moons(noise=0.3)
    assert len(select("condensed", X, codes, [3, 4]).codes) == 7
    assert len(select("condensed", X, codes, [1, 0]).codes) == 2
    X, codes = np.tile(X[:20], (2, 1)), np.repeat([0, 1], 20)
    chosen = select("condensed", X, codes, [20, 20])
    assert len(errors_of_nearest(chosen.points, chosen.codes, X, codes)) <= 20
    assert len(set(chosen.index.tolist())) == len(chosen.index)


# --- learning vector quantization ---


def test_attraction_is_the_difference_of_two_probabilities():
    rng = np.random.default_rng(0)
    scores, labels, codes = rng.normal(size=(6, 5)), np.array([0, 0, 1, 1, 2]), [0, 1] * 3
    found = attraction(scores, labels == np.array(codes)[:, None])
    for row, code, pull in zip(scores, codes, found, strict=True):
        mass = np.exp(-row)
        own = sum(m for m, label in zip(mass, labels, strict=True) if label == code)
        for i in range(5):
            given_class = mass[i] / own if labels[i] == code else 0.0
            assert pull[i] == pytest.approx(given_class - mass[i] / mass.sum())


def test_attraction_of_extreme_scores_and_of_a_class_without_exemplars():
    scores = np.array([[0.0, 1e6], [1e6, 0.0], [-1e300, 1e300]])
    same = np.array([[True, False], [True, False], [False, False]])
    np.testing.assert_allclose(attraction(scores, same), [[0, 0], [1, -1], [0, 0]])


def test_exemplars_move_along_the_gradient_of_the_likelihood():
    """Compare with finite differences of log P(class | x) for the squared distance."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(4, 2)), np.array([0, 0, 1, 1])
    X, codes = rng.normal(size=(9, 2)), np.arange(9) % 2

    def scores(points):
        return ((X[:, None] - points) ** 2).sum(axis=2)

    def log_likelihood(points):
        mass = np.exp(-scores(points))
        own = np.where(labels == codes[:, None], mass, 0).sum(axis=1)
        return np.log(own / mass.sum(axis=1)).sum()

    pull = attraction(scores(points), labels == codes[:, None])
    direction = pull.T @ X - pull.sum(axis=0)[:, None] * points
    for i, j in product(range(4), range(2)):
        step = np.zeros((4, 2))
        step[i, j] = 1e-6
        rise = log_likelihood(points + step) - log_likelihood(points - step)
        assert 2 * direction[i, j] == pytest.approx(rise / 2e-6, rel=1e-5)


@pytest.mark.parametrize("metric", ["sqeuclidean", "cosine", "kl"])
def test_moved_exemplars_classify_better(metric):
    X, codes = load_digits(return_X_y=True)
    scores = []
    for method in ("kmeans", "lvq"):
        clf = MetricInitMLPClassifier(
            metric=metric,
            exemplars=method,
            n_neighbors=1,
            activation="step",
            max_iter=0,
            random_state=0,
        )
        scores.append(clf.fit(X[:1200], codes[:1200]).score(X[1200:], codes[1200:]))
    assert scores[1] > scores[0] + 0.01
    assert clf.exemplars_.min() >= 0
    assert clf.exemplars_.max() <= 16


def test_exemplars_stay_where_moving_them_makes_it_worse():
    X, codes = load_digits(return_X_y=True)
    wrong = []
    for method in ("kmeans", "lvq"):
        chosen = MetricInitMLPClassifier(
            metric="mahalanobis",
            exemplars=method,
            n_neighbors=1,
            activation="step",
            max_iter=0,
            random_state=0,
        ).fit(X[:1200], codes[:1200])
        wrong.append(1 - chosen.score(X[:1200], codes[:1200]))
    assert wrong[1] <= wrong[0]


def test_one_exemplar_or_one_class_does_not_move():
    X, _ = two_moons()
    assert len(select("lvq", X, np.zeros(150, int), [1]).codes) == 1
    start = select("kmeans", X, np.zeros(150, int), [4])
    moved = select("lvq", X, np.zeros(150, int), [4])
    np.testing.assert_allclose(moved.points, start.points)


# --- invariances of all methods ---


@pytest.mark.parametrize("method", SELECTORS)
@pytest.mark.parametrize("metric", ["sqeuclidean", "mahalanobis"])
def test_choice_depends_on_neither_order_nor_repetition_of_rows(method, metric):
    X, codes = two_moons()
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(150), 2))
    settings = dict(exemplars=method, metric=metric, n_exemplars=10, max_iter=0)
    one, other = (
        MetricInitMLPClassifier(random_state=0, **settings).fit(X[rows], codes[rows])
        for rows in (slice(None), order)
    )
    np.testing.assert_array_equal(one.exemplars_, other.exemplars_)
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize("method", ["random", "kmedoids", "condensed"])
def test_indices_are_rows_of_the_users_data(method):
    X, codes = two_moons()
    weights = np.where(np.arange(150) % 5 == 0, 0.0, 1.0)
    clf = MetricInitMLPClassifier(
        exemplars=method,
        n_exemplars=10,
        early_stopping=True,
        max_iter=1,
        random_state=0,
    )
    clf.fit(X, codes, sample_weight=weights)
    np.testing.assert_array_equal(clf.exemplars_, X[clf.exemplar_indices_])
    np.testing.assert_array_equal(clf.exemplar_labels_, codes[clf.exemplar_indices_])
    assert (weights[clf.exemplar_indices_] > 0).all()


def test_condensed_needs_a_total():
    clf = MetricInitMLPClassifier(exemplars="condensed", n_exemplars={0: 3, 1: 3})
    with pytest.raises(
        ValueError, match=r"^n_exemplars must be a total .*\{0: 3, 1: 3\}"
    ):
        clf.fit(*two_moons())


# --- the number of exemplars by cross-validation ---


def blobs(per_class, seed=0):
    """Four distant groups of points, in four classes, or in two as diagonal pairs."""
    X, groups = make_blobs(
        240, centers=[[0, 0], [0, 20], [20, 0], [20, 20]], random_state=seed
    )
    return X, groups if per_class == 1 else np.isin(groups, (0, 3)).astype(int)


@pytest.mark.parametrize("method", ["kmeans", "lvq", "kmedoids"])
@pytest.mark.parametrize(("per_class", "expected"), [(1, 4), (2, 4)])
def test_auto_finds_the_number_of_groups(method, per_class, expected):
    X, codes = blobs(per_class)
    clf = MetricInitMLPClassifier(
        n_exemplars="auto", exemplars=method, max_iter=0, random_state=0
    ).fit(X, codes)
    assert clf.n_exemplars_ == len(clf.exemplars_) == expected
    assert clf.score(X, codes) == 1


def test_auto_tries_exemplars_on_rows_that_they_were_not_chosen_from():
    """With random labels, more exemplars classify only their own rows better."""
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(200, 2)), rng.integers(0, 2, 200)
    clf = MetricInitMLPClassifier(
        n_exemplars="auto", exemplars="random", max_iter=0, random_state=0
    )
    assert clf.fit(X, codes).n_exemplars_ <= 10


def test_auto_takes_the_least_that_is_not_clearly_worse():
    """The differences from the best on 100 rows are 20 (in 40 rows), 1 (in 11) and 0.

    Their standard errors are 6.0 (20 is clearly worse) and 3.3 (1 is not).
    """
    best = np.repeat([0.0, 1.0], [10, 90])
    near = np.concatenate([np.repeat([1.0, 0.0], [5, 11]), np.ones(84)])
    far = np.concatenate([np.repeat([1.0, 0.0], [10, 30]), np.ones(60)])
    weights = np.ones(100)
    assert _least_total([2, 4, 8], np.stack([far, near, best]), weights) == 4
    assert _least_total([2, 4, 8], np.stack([near, far, best]), weights) == 2
    assert _least_total([2, 4, 8], np.stack([far, far, best]), weights) == 8


def test_auto_counts_rows_rightly_classified():
    X, codes = two_moons(30)
    rows, metric = rows_and_metric(X, codes)
    exemplars = select("random", X, codes, [3, 3])
    for k in (1, 3):
        expected = (
            KNeighborsClassifier(k).fit(exemplars.points, exemplars.codes).predict(X)
            == codes
        )
        found = is_classified(exemplars, rows, metric, 2, k)
        np.testing.assert_array_equal(found, expected[rows.index])


@pytest.mark.parametrize("k", [1, 3, 99])
def test_auto_counts_squared_errors_of_values(k):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    rows, metric = rows_and_metric(X, y)
    exemplars = select("kmeans", X, y, [6])
    neighbors = KNeighborsRegressor(min(k, 6)).fit(exemplars.points, exemplars.values)
    expected = np.mean((neighbors.predict(X) - y) ** 2, axis=1)
    found = squared_errors(exemplars, rows, metric, k)
    np.testing.assert_allclose(found, expected[rows.index])


@pytest.mark.parametrize("method", VALUE_SELECTORS)
@pytest.mark.parametrize(("n_groups", "expected"), [(5, 6), (12, 12)])
def test_auto_finds_the_number_of_groups_of_values(method, n_groups, expected):
    """It is the smallest of 6, 12, 18, 30, … for which every group has an exemplar."""
    rng = np.random.default_rng(n_groups)
    groups = np.arange(320) % n_groups
    X = np.column_stack([20 * groups, np.zeros(320)]) + rng.normal(size=(320, 2))
    y = rng.permutation(n_groups)[groups] + 0.01 * rng.normal(size=320)
    data = rows_and_metric(X, y[:, None])
    found = cross_validated_total(method, *data, 1, 1, np.random.RandomState(0))
    if method == "kmedoids":  # other methods miss groups, and need more exemplars
        assert found == expected
    assert found >= expected


def test_auto_tries_values_on_rows_that_they_were_not_chosen_from():
    """With random values, more exemplars predict only their own rows better."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), rng.normal(size=200)
    reg = MetricInitMLPRegressor(
        n_exemplars="auto", exemplars="random", max_iter=0, random_state=0
    )
    assert reg.fit(X, y).n_exemplars_ <= 12
    smooth = reg.fit(X, np.sin(3 * X[:, 0]))
    assert smooth.n_exemplars_ >= 30


@pytest.mark.parametrize(
    ("n_neighbors", "init", "least"), [(1, "metric", 6), (9, "metric", 9), (1, "ones", 6)]
)
def test_auto_of_values_with_neighbors_baselines_and_few_rows(n_neighbors, init, least):
    X, _ = two_moons()
    y = X[:, 0] ** 2
    settings = dict(n_exemplars="auto", n_neighbors=n_neighbors, max_iter=0)
    reg = MetricInitMLPRegressor(init, random_state=0, **settings).fit(X, y)
    calculated = MetricInitMLPRegressor(random_state=0, **settings).fit(X, y)
    assert least <= reg.n_exemplars_ == calculated.n_exemplars_ <= 126
    for n in (1, 2, 5):
        few = MetricInitMLPRegressor(n_exemplars="auto", max_iter=0, random_state=0)
        assert few.fit(X[:n], y[:n]).n_exemplars_ == n


@pytest.mark.parametrize(
    ("n_neighbors", "init"), [(1, "metric"), (5, "metric"), (1, "ones")]
)
def test_auto_with_neighbors_baselines_and_few_rows(n_neighbors, init):
    X, codes = two_moons()
    settings = dict(n_exemplars="auto", n_neighbors=n_neighbors, max_iter=0)
    clf = MetricInitMLPClassifier(init, random_state=0, **settings).fit(X, codes)
    calculated = MetricInitMLPClassifier(random_state=0, **settings).fit(X, codes)
    assert clf.n_exemplars_ == calculated.n_exemplars_ >= n_neighbors
    clf.fit(X[[0, 1, 2, 3, 4, 5]], [0, 1, 0, 1, 1, 1])
    assert clf.n_exemplars_ >= 2


def test_totals_to_choose_among_fit_the_data():
    assert candidate_totals(2, 4, 40, 1) == [2, 4, 6, 10, 16]
    assert candidate_totals(3, 4, 10**6, 1)[-1] == 102
    assert candidate_totals(3, 10**5, 10**6, 1)[-1] == 6
    assert candidate_totals(2, 4, 40, 7) == [7, 10, 16]
    assert candidate_totals(2, 4, 3, 1) == [2]
    assert candidate_totals(500, 4, 10**6, 1) == [500]
