"""Comparisons on few features, their conjunctions and sums, against loops."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from factories import assert_nearly_same_network, classifier, regressor, standardized
from networks import random_batch, temporaries_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.metrics.pairwise import cosine_distances

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp._data import TrainingData, distinct_rows, mean_and_deviation
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization.comparisons import (
    comparison_layer,
    draw_comparisons,
    feature_relevance,
    one_hot_groups,
    subset_sizes,
)
from skmetricmlp.initialization.least_squares import normal_equations, summed
from skmetricmlp.initialization.output_layer import (
    LOG_RIDGE_DEVIATION,
    LOG_RIDGE_MEAN,
    LOG_RIDGES,
    ridge_of_sums,
    ridge_weights,
)
from skmetricmlp.metrics import fit_metric
from skmetricmlp.network import ClippedInput, Conjunctive, Dense, Network
from skmetricmlp.network.activations import ACTIVATIONS
from skmetricmlp.network.layers import forward, n_conjunctive
from skmetricmlp.training import Objective

X, y = standardized("wine")


@pytest.fixture(params=["numpy", "array_api_strict", "array_api_compat.torch"])
def xp(request):
    return pytest.importorskip(request.param)


def network(n_shifts, activation="tanh"):
    rng = np.random.default_rng(0)
    first = Conjunctive(rng.normal(size=(4, 6)), rng.normal(size=6), activation, n_shifts)
    clipped = ClippedInput(first, np.full(4, -0.8), np.full(4, 0.9))
    last = Dense(rng.normal(size=(first.n_out, 3)), rng.normal(size=3), "softmax")
    return Network((clipped, last))


# --- the layer ---


@pytest.mark.parametrize("n_shifts", [0, 1, 3])
def test_a_conjunctive_layer_is_its_loop(n_shifts, xp):
    layer = network(n_shifts).layers[0]
    rows = np.random.default_rng(1).normal(size=(9, 4))
    expected = []
    for row in rows:
        x = [min(max(v, -0.8), 0.9) for v in row]
        W, b = layer.layer.weights, layer.layer.bias
        u = [b[p] + sum(x[f] * W[f, p] for f in range(4)) for p in range(6)]
        both = [min(u[p], u[p + s]) for s in range(1, n_shifts + 1) for p in range(6 - s)]
        expected.append(u + both)
    assert layer.n_out == len(expected[0])
    assert_allclose(layer.affine(rows), expected, atol=1e-12)
    assert_allclose(layer.affine(csr_array(rows)), expected, atol=1e-12)
    moved = ClippedInput(
        Conjunctive(*map(xp.asarray, layer.parameters), "tanh", n_shifts),
        xp.asarray(layer.low),
        xp.asarray(layer.high),
    )
    assert_allclose(np.asarray(moved.affine(xp.asarray(rows))), expected, atol=1e-12)


@pytest.mark.parametrize("n_shifts", [0, 1, 3])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_gradient_is_the_slope(n_shifts, sparse):
    batch, objective, h = random_batch(), Objective("log_loss", alpha=0.3), 1e-6
    rows = batch._replace(X=csr_array(batch.X)) if sparse else batch
    made = network(n_shifts)
    _, gradient = objective.value_and_gradient(made, rows)
    rng = np.random.default_rng(3)
    for k, (p, g) in enumerate(zip(made.parameters, gradient, strict=True)):
        direction, values = rng.normal(size=p.shape), []
        for step in (h, -h):
            moved = made.parameters
            moved[k] = p + step * direction
            values.append(objective.value(made.with_parameters(moved), rows))
        slope = (values[0] - values[1]) / (2 * h)
        assert np.sum(g * direction) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("n_shifts", [0, 2])
def test_the_gradient_of_the_input_is_the_slope(n_shifts):
    layer, rng, h = network(n_shifts).layers[0], np.random.default_rng(2), 1e-6
    x, delta = rng.normal(size=(5, 4)), rng.normal(size=(5, layer.n_out))
    found = layer.input_gradient(x, delta)
    for i, f in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i, f] = h
        change = layer.affine(x + step) - layer.affine(x - step)
        assert found[i, f] == pytest.approx(np.sum(delta * change) / (2 * h), abs=1e-7)


@pytest.mark.parametrize("n_shifts", [0, 1, 3])
def test_a_value_of_a_conjunction_belongs_to_the_lower_of_its_two(n_shifts, xp):
    layer, rng = network(n_shifts).layers[0].layer, np.random.default_rng(4)
    u = rng.integers(-2, 3, (30, 6)).astype(float)  # often equal: then to the first
    values = rng.normal(size=(30, layer.n_out))
    expected = values[:, :6].copy()
    pairs = [(p, p + s) for s in range(1, n_shifts + 1) for p in range(6 - s)]
    assert layer.n_out == 6 + len(pairs) == n_conjunctive(6, n_shifts)
    for row, of_neurons, sums in zip(u, values, expected, strict=True):
        for (p, q), value in zip(pairs, of_neurons[6:], strict=True):
            sums[p if row[p] <= row[q] else q] += value
    found = np.asarray(layer.to_plain(xp.asarray(u), xp.asarray(values)))
    assert_allclose(found, expected, atol=1e-12)
    assert_allclose(found.sum(axis=1), values.sum(axis=1), atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "gelu"])
def test_activations_tell_which_of_two_is_lower(activation):
    rng = np.random.default_rng(5)
    layer = Conjunctive(rng.normal(size=(4, 6)), rng.normal(size=6), activation, 2)
    made = Network((layer, Dense(rng.normal(size=(15, 2)), np.zeros(2), "identity")))
    x, delta = rng.normal(size=(40, 4)), rng.normal(size=(40, 2))
    found = made.backward(made.activations(x), delta)
    z = layer.affine(x)
    slope = (ACTIVATIONS[activation].function(z + 1e-6) - forward(layer, x)) / 1e-6
    expected = layer.gradient(x, delta @ made.layers[1].weights.T * slope)
    for ours, other in zip(found, expected, strict=False):
        assert_allclose(ours, other, atol=1e-4)


def test_all_shifts_are_all_pairs():
    assert n_conjunctive(7, 6) == 7 + len(list(combinations(range(7), 2)))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "step"])
def test_a_conjunction_is_the_lower_of_two_activations(activation):
    clf = classifier(activation=activation, n_conjunctions=2).fit(X, y)
    a = clf.network_.activations(X)[-1]
    n = len(clf.comparisons_)
    assert a.shape[1] == n + (n - 1) + (n - 2) == clf.coefs_[-1].shape[0]
    assert_array_equal(a[:, n : 2 * n - 1], np.minimum(a[:, : n - 1], a[:, 1:n]))
    assert_array_equal(a[:, 2 * n - 1 :], np.minimum(a[:, : n - 2], a[:, 2:n]))


@pytest.mark.parametrize("n_conjunctions", [0, 1])
def test_the_least_width_is_one_comparison(n_conjunctions):
    clf = classifier(n_comparisons=1, n_conjunctions=n_conjunctions).fit(X, y)
    assert [w.shape for w in clf.coefs_] == [(13, 1), (1, 3)]


# --- what is compared ---


def distance(metric, params, x, p):
    """Terms of a distance by feature, by definition."""
    if metric == "seuclidean":
        return [(a - b) ** 2 / v for a, b, v in zip(x, p, params["V"], strict=True)]
    if metric == "kl":
        s = params["smoothing"]
        pairs = [(a + s, b + s) for a, b in zip(x, p, strict=True)]
        return [a * np.log(a / b) - a + b for a, b in pairs]
    if metric == "itakura_saito":
        return [a / b - np.log(a / b) - 1 for a, b in zip(x, p, strict=True)]
    return [(a - b) ** 2 for a, b in zip(x, p, strict=True)]


@pytest.mark.parametrize("metric", ["sqeuclidean", "seuclidean", "kl", "itakura_saito"])
@pytest.mark.parametrize("max_features", ["mixed", 2, 0.5, None])
def test_a_unit_is_positive_where_a_row_is_nearer_to_the_first(metric, max_features):
    rows = np.exp(X[:, :5])
    clf = classifier(metric=metric, max_features=max_features).fit(rows, y)
    layer, params = clf.network_.layers[0], clf.effective_metric_params_
    points = np.clip(clf.exemplars_, layer.low, layer.high)
    features = clf.comparison_features_
    if max_features != "mixed":
        assert_array_equal(features.sum(axis=1), {2: 2, 0.5: 2, None: 5}[max_features])
    for x in np.clip(rows[::20], layer.low, layer.high):
        u = layer.layer.plain(x[None])[0]
        for p, (i, j) in enumerate(clf.comparisons_):
            near, far = (distance(metric, params, x, points[k]) for k in (i, j))
            margin = sum(np.subtract(far, near)[features[p]])
            if abs(margin) > 1e-9:
                assert (u[p] > 0) == (margin > 0)


@pytest.mark.parametrize("metric", ["mahalanobis", "cosine"])
def test_a_metric_that_is_no_sum_compares_on_all_features(metric):
    assert classifier(metric=metric).fit(X, y).comparison_features_.all()


def test_a_unit_is_positive_where_an_image_is_nearer_to_the_first():
    """Squared distances to the nearest cell that is on, or off, by a loop over cells."""
    images, digits = standardized("digits", 200)
    images = np.clip(images + 0.5, 0, 1)
    shape = {"image_shape": (8, 8), "threshold": 0.4}
    clf = classifier(metric="chamfer", metric_params=shape, max_features=3)
    clf.fit(images, digits)
    layer, cells = clf.network_.layers[0], np.array([divmod(c, 8) for c in range(64)])

    def to_nearest(cell, kept):
        squares = ((cells[kept] - cells[cell]) ** 2).sum(axis=1)
        return squares.min(initial=8**2 + 8**2)

    points = np.clip(clf.exemplars_, layer.low, layer.high)
    to_on, to_off = (
        np.array([[to_nearest(c, on) for c in range(64)] for on in kept])
        for kept in (points > 0.4, points <= 0.4)
    )
    n_decided = 0
    for x in np.clip(images[::10], layer.low, layer.high):
        u = layer.layer.plain(x[None])[0]
        terms = x * to_on + (1 - x) * to_off
        for p, (i, j) in enumerate(clf.comparisons_):
            margin = (terms[j] - terms[i])[clf.comparison_features_[p]].sum()
            if abs(margin) > 1e-9:
                assert (u[p] > 0) == (margin > 0)
                n_decided += 1
    assert n_decided > 200


@pytest.mark.parametrize("metric", ["mahalanobis", "cosine"])
def test_other_metrics_are_compared_too(metric):
    clf = classifier(metric=metric).fit(X, y)
    layer = clf.network_.layers[0]
    rows = np.clip(X, layer.low, layer.high)
    points = np.clip(clf.exemplars_, layer.low, layer.high)
    if metric == "cosine":
        distances = cosine_distances(rows, points)
    else:
        difference = rows[:, None] - points
        VI = clf.effective_metric_params_["VI"]
        distances = np.einsum("nic,cd,nid->ni", difference, VI, difference)
    i, j = clf.comparisons_.T
    margins, u = distances[:, j] - distances[:, i], layer.layer.plain(rows)
    clear = abs(margins) > 1e-9
    assert clear.mean() > 0.9
    assert_array_equal(u[clear] > 0, margins[clear] > 0)


@pytest.mark.parametrize("metric", ["sqeuclidean", "cosine"])
def test_comparisons_have_unit_deviation(metric):
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    clf = classifier(metric=metric).fit(X, y, weights)
    layer = clf.network_.layers[0]
    u = layer.layer.plain(layer.clipped(X))
    mean = np.average(u, axis=0, weights=weights)
    deviation = np.sqrt(np.average((u - mean) ** 2, axis=0, weights=weights))
    assert (deviation < 1 + 1e-9).all()
    # Others would vary by less than a tenth of the median.
    assert (deviation > 1 - 1e-9).mean() > 0.9


@pytest.mark.parametrize("sparse", [False, True])
def test_features_are_read_within_bounds(sparse):
    rows = X.copy()
    rows[0, 2] = 1e3  # more than five deviations from the mean
    clf = classifier(n_exemplars=9).fit(csr_array(rows) if sparse else rows, y)
    layer = clf.network_.layers[0]
    for f, column in enumerate(rows.T):
        mean, deviation = np.mean(column), np.std(column)
        low = max(column.min() - deviation / 2, mean - 5 * deviation)
        high = min(column.max() + deviation / 2, mean + 5 * deviation)
        assert_allclose([layer.low[f], layer.high[f]], [low, high])
    assert layer.high[2] < 1e3
    beyond = rows[:1].copy()
    beyond[0, 2] = layer.high[2]
    assert_allclose(clf.predict_proba(rows[:1]), clf.predict_proba(beyond))


@pytest.mark.parametrize(
    ("max_features", "expected"),
    [(3, {3}), (99, {20}), (0.25, {5}), (1e-9, {1}), ("sqrt", {4}), ("log2", {4}),
     (None, {20}), ("mixed", {1, 2, 3, 20})],
)  # fmt: skip
def test_sizes_of_subsets(max_features, expected):
    sizes = subset_sizes(max_features, 20, 500, np.random.RandomState(0))
    assert set(sizes.tolist()) == expected


def test_exemplars_of_a_comparison_differ_and_groups_are_whole():
    rng = np.random.default_rng(0)
    points = rng.integers(0, 2, (12, 6)).astype(float)
    exemplars = Exemplars(points, np.arange(12) % 3, None)
    groups = np.array([0, 0, 1, 2, 2, 2])
    drawn = draw_comparisons(exemplars, groups, 2000, "mixed", np.random.RandomState(0))
    i, j, features = drawn.first, drawn.second, drawn.features
    assert ((points[i] != points[j]) & features).any(axis=1).all()
    for group in range(3):  # as a whole
        columns = features[:, groups == group]
        assert (columns == columns[:, :1]).all()


def test_features_that_matter_are_compared_more_often():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 10))
    reg = regressor(n_comparisons=400, max_features=1)
    counts = reg.fit(rows, np.sin(2 * rows[:, 3])).comparison_features_.sum(axis=0)
    assert counts[3] > 5 * np.delete(counts, 3).max()


def test_equal_exemplars_are_not_compared():
    points = np.ones((4, 13))
    clf = classifier(exemplars=(points, np.arange(4) % 3)).fit(X, y)
    assert not clf.comparison_features_.any()
    p = clf.predict_proba(X)
    assert_allclose(p, p[:1].repeat(len(X), axis=0))


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_exemplars_of_a_comparison_mostly_differ_in_class(n_classes):
    points = np.random.default_rng(0).normal(size=(12, 4))
    exemplars = Exemplars(points, np.arange(12) % n_classes, None)
    rng = np.random.RandomState(0)
    drawn = draw_comparisons(exemplars, np.arange(4), 5000, "mixed", rng)
    i, j = drawn.first % n_classes, drawn.second % n_classes
    by_chance = (12 - 12 / n_classes) / 11
    # Three of ten pairs of one class are accepted.
    expected = by_chance / (by_chance + 0.3 * (1 - by_chance))
    assert np.mean(i != j) == pytest.approx(expected, abs=0.02)
    assert np.mean(i != j) > max(0.7, by_chance)


def test_later_exemplars_are_compared_with_all():
    points = np.random.default_rng(0).normal(size=(12, 6))
    exemplars = Exemplars(points, np.arange(12) % 3, None)
    rng = np.random.RandomState(0)
    drawn = draw_comparisons(exemplars, np.arange(6), 500, 2, rng, start=9)
    assert set(drawn.first.tolist()) == {9, 10, 11}
    assert set(drawn.second.tolist()) == set(range(12))


def test_features_are_drawn_in_proportion_to_their_relevance():
    """Without replacement: the second in proportion among those that are left."""
    points = np.random.default_rng(0).normal(size=(12, 4))
    exemplars, relevance = Exemplars(points, np.arange(12), None), [0.5, 0.3, 0.15, 0.05]
    for size in (1, 2):
        rng = np.random.RandomState(0)
        drawn = draw_comparisons(
            exemplars, np.arange(4), 40_000, size, rng, np.array(relevance)
        )
        expected = np.array(relevance)
        if size == 2:
            for first, then in np.ndindex(4, 4):
                if first != then:
                    left = 1 - relevance[first]
                    expected[then] += relevance[first] * relevance[then] / left
        assert_allclose(drawn.features.mean(axis=0), expected, atol=0.01)


def test_classes_of_one_exemplar_each_and_a_single_class_are_compared():
    points = np.random.default_rng(0).normal(size=(5, 3))
    for codes in (np.arange(5), np.zeros(5, dtype=int)):
        rng = np.random.RandomState(0)
        exemplars = Exemplars(points, codes, None)
        drawn = draw_comparisons(exemplars, np.arange(3), 300, "mixed", rng)
        assert (drawn.first != drawn.second).all()
        assert drawn.features.any(axis=1).all()


@pytest.mark.parametrize("metric", ["sqeuclidean", "mahalanobis", "kl"])
def test_one_exemplar_is_compared_with_none(metric):
    rows = np.exp(X[:, :4])
    given = regressor(metric=metric, exemplars=(rows[:1], [3.0])).fit(rows, rows[:, 0])
    assert not given.comparison_features_.any()
    assert not given.coefs_[0].any()
    assert_allclose(given.predict(rows), rows[:, 0].mean())


# --- the relevance of features ---


def relevance(rows, values, groups=None, metric="sqeuclidean", weights=None):
    """Of a network of comparisons of the first 30 rows."""
    rows, values = np.asarray(rows), np.asarray(values)[:, None]
    groups = np.arange(rows.shape[1]) if groups is None else np.asarray(groups)
    weights = np.ones(len(rows)) if weights is None else weights
    data = TrainingData(rows, values, weights)
    fitted = fit_metric(metric, None, distinct_rows(*data), None)
    exemplars = Exemplars(rows[:30], np.arange(30), None)
    rng = np.random.RandomState(0)
    return feature_relevance(fitted, exemplars, groups, *data, rng)


def test_relevance_is_the_mean_of_squared_slopes():
    """By finite differences of the small network, row by row."""
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(60, 4)) * [1, 2, 3, 4], rng.uniform(0.1, 5, 60)
    values, groups = np.sin(rows[:, :2]), np.array([0, 1, 1, 2])
    metric = fit_metric("sqeuclidean", None, distinct_rows(rows, values, weights), None)
    exemplars = Exemplars(rows[:20], np.arange(20), None)
    found = feature_relevance(
        metric, exemplars, groups, rows, values, weights, np.random.RandomState(0)
    )

    drawn = draw_comparisons(exemplars, groups, 400, "mixed", np.random.RandomState(0))
    layer, _ = comparison_layer(drawn, metric, exemplars, (rows, weights), "relu", 0)
    hidden = np.maximum(layer.affine(rows), 0)
    W, _, _ = ridge_weights(hidden, values, weights)
    share, h, total = weights / weights.sum(), 1e-6, np.zeros(3)
    variance = share @ (rows - share @ rows) ** 2
    for x, of_row in zip(rows, share, strict=True):
        u = layer.affine(x[None])[0]
        for f in range(4):
            # Away from kinks, which units have halfway between their exemplars.
            moved = layer.affine((x + h * np.eye(4)[f])[None])[0] - u
            slope = (moved * (u > 1e-9)) @ W / h
            total[groups[f]] += of_row * np.sum(slope**2) * variance[f]
    expected = total**0.7 / np.sum(total**0.7)
    assert_allclose(found, 0.8 * expected + 0.2 / 3, rtol=1e-5)


def test_a_feature_without_effect_has_little_relevance():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 6))
    found = relevance(rows, rows[:, 1] + np.sin(3 * rows[:, 4]))
    assert found.sum() == pytest.approx(1.0)
    assert (found > 0).all()
    assert found[[1, 4]].min() > 2 * found[[0, 2, 3, 5]].max()


def test_relevance_of_a_group_is_that_of_its_columns_together():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 6))
    found = relevance(rows, rows[:, 1] + rows[:, 2], [0, 1, 1, 2, 2, 2])
    assert found.shape == (3,)
    assert found.sum() == pytest.approx(1.0)
    assert found[1] > 3 * found[[0, 2]].max()


def test_relevance_does_not_depend_on_units():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 4))
    values, unit = rows[:, 0] * rows[:, 2], 2.0 ** np.array([-9, 3, 7, 0])
    found = relevance(rows, values, metric="seuclidean")
    assert_allclose(relevance(rows * unit, values, metric="seuclidean"), found, rtol=1e-6)
    assert np.ptp(found) > 0.1


def test_heavy_rows_decide_what_is_relevant():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 4))
    is_first = np.arange(600) % 2 == 0
    values = np.where(is_first, rows[:, 0], rows[:, 2])
    for heavy, (more, less) in ((is_first, (0, 2)), (~is_first, (2, 0))):
        weights = np.where(heavy, 1.0, 0.01)
        found = relevance(rows, values, weights=weights)
        assert found[more] > 2 * found[less]
        assert_allclose(relevance(rows, values, weights=7 * weights), found, rtol=1e-6)


def test_relevance_of_nothing_is_equal():
    rows = np.random.default_rng(0).normal(size=(50, 4))
    assert_allclose(relevance(rows, np.full(50, 3.0)), 0.25)


# --- columns of one feature ---


@pytest.mark.parametrize("scaled", [False, True])
def test_one_hot_columns_are_one_feature(scaled):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 3, 60), rng.integers(0, 4, 60)
    columns = [
        rng.normal(size=(60, 1)),
        np.eye(3)[first],
        np.eye(4)[second],
        rng.integers(0, 2, (60, 1)),
        np.eye(3)[first][:, 1:],  # a category was dropped
    ]
    table = np.hstack(columns).astype(float)
    if scaled:
        table = (table - table.mean(axis=0)) / table.std(axis=0)
    expected = [0, 1, 1, 1, 2, 2, 2, 2, 3, 4, 5]
    assert one_hot_groups(table).tolist() == expected
    assert one_hot_groups(table[rng.permutation(60)]).tolist() == expected


def test_categories_that_no_row_of_a_sample_has_belong_to_their_feature():
    category = np.arange(40) % 4
    table = np.eye(7)[np.array([0, 2, 4, 5])[category]]  # no row has 1, 3 or 6
    table = np.column_stack([np.zeros(40), np.arange(40), table, np.zeros(40)])
    expected = [0, 1, 2, 2, 2, 2, 2, 2, 3, 4]
    assert one_hot_groups(table).tolist() == expected
    assert one_hot_groups(table - 0.01).tolist() == expected
    assert one_hot_groups(np.zeros((5, 3))).tolist() == [0, 1, 2]


def test_a_category_of_two_rows_leaves_its_feature_whole():
    rng = np.random.default_rng(0)
    n = 5000
    category = rng.choice([0, 2, 3, 4], n)
    category[[19, 4000]] = 1
    rows = np.column_stack([rng.normal(size=n), np.eye(5)[category]])
    reg = regressor(n_comparisons=200, max_features=1).fit(rows, rows[:, 0] + category)
    columns = reg.comparison_features_[:, 1:]
    assert columns.any()
    assert_array_equal(columns, columns[:, :1].repeat(5, axis=1))


def test_width_and_cost_do_not_depend_on_the_number_of_exemplars():
    few, many = (classifier(n_exemplars=n).fit(X, y) for n in (6, 100))
    assert [w.shape for w in few.coefs_] == [w.shape for w in many.coefs_]


# --- the output from sums ---


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("n_blocks", [1, 7])
def test_the_fit_from_sums_is_that_of_the_rows(n_blocks, offset):
    """With all rows in the sample, also where rows differ much in leverage."""
    rng = np.random.default_rng(0)
    hidden = offset + rng.normal(size=(400, 12)) @ rng.normal(size=(12, 12))
    hidden[:, 3] = offset + np.where(np.arange(400) < 9, hidden[:, 3] - offset, 0.0)
    targets = hidden[:, :2] - offset + rng.normal(size=(400, 2))
    weights = rng.uniform(0.5, 2, 400)
    equations = equations_of(hidden, targets, weights, n_blocks, offset + 0.3)
    found = ridge_of_sums(equations, 400, (hidden, targets, weights))
    _, deviation = mean_and_deviation(hidden, weights)
    scale = np.maximum(deviation, np.median(deviation) / 10)
    W, b, left_out = ridge_weights(hidden / scale, targets, weights)
    assert_allclose(found[0], W / scale[:, None], rtol=1e-6, atol=1e-8)
    assert_allclose(found[1], b, rtol=1e-6, atol=1e-6 * (1 + offset))
    assert_allclose(found[2], left_out, rtol=1e-6, atol=1e-6)


def sums_of(hidden, targets, weights, n_blocks=1, center=0.0):
    blocks, width = np.array_split(hidden.copy(), n_blocks), hidden.shape[1]
    return summed(blocks, targets, weights, np.full(width, center))


def equations_of(hidden, targets, weights, n_blocks=1, center=0.0):
    sums = sums_of(hidden, targets, weights, n_blocks, center)
    return normal_equations(sums, np.full(hidden.shape[1], center))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_sums_do_not_depend_on_blocks_center_or_repetition(offset):
    rng = np.random.default_rng(0)
    hidden, targets = offset + rng.normal(size=(60, 5)), rng.normal(size=(60, 2))
    weights = rng.integers(1, 4, 60)
    share = weights / weights.sum()
    A, Y = hidden - share @ hidden, targets - share @ targets
    scale = np.sqrt(share @ A**2)
    A /= scale
    expected = A.T @ (share[:, None] * A), A.T @ (share[:, None] * Y)
    repeated = hidden.repeat(weights, axis=0), targets.repeat(weights, axis=0)
    for equations in (
        equations_of(hidden, targets, weights, 1, offset),
        equations_of(hidden, targets, 8.0 * weights, 60, offset + 0.5),
        equations_of(*repeated, np.ones(weights.sum()), 9, offset),
    ):
        assert_allclose(equations.scale, scale, rtol=1e-8)
        assert_allclose(equations.gram, expected[0], rtol=1e-8, atol=1e-10)
        assert_allclose(equations.response, expected[1], rtol=1e-8, atol=1e-10)
        assert_allclose(equations.mean, share @ hidden / scale, rtol=1e-8)
        assert equations.square == pytest.approx(np.sum(share[:, None] * Y**2))


def test_sums_of_parts_add_up_and_can_be_taken_away():
    rng = np.random.default_rng(0)
    hidden, targets = rng.normal(size=(60, 5)), rng.normal(size=(60, 2))
    weights, whole = rng.uniform(0.5, 2, 60), slice(None)
    sums = {
        part: sums_of(hidden[rows], targets[rows], weights[rows], center=0.2)
        for part, rows in (("all", whole), ("a", slice(20)), ("b", slice(20, None)))
    }
    for found, expected in zip(sums["a"].plus(sums["b"]), sums["all"], strict=True):
        assert_allclose(found, expected, rtol=1e-12)
    for found, expected in zip(
        sums["all"].plus(sums["b"].scaled(-1)), sums["a"], strict=True
    ):
        assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_the_ridge_of_sums_has_the_lowest_error_of_rows_left_out():
    """By fits without each row of a sample, and the training error of all rows."""
    rng = np.random.default_rng(0)
    hidden, weights = rng.normal(size=(90, 6)), rng.uniform(0.5, 2, 90)
    targets = hidden @ rng.normal(size=(6, 2)) + 2 * rng.normal(size=(90, 2))
    share = weights / weights.sum()
    scale = np.sqrt(share @ (hidden - share @ hidden) ** 2)
    scaled = np.hstack([(hidden - share @ hidden) / scale, np.ones((90, 1))])
    gram = scaled[:, :6].T @ (share[:, None] * scaled[:, :6])
    sample, costs, fits = range(25), [], []

    def fit(kept, ridge):
        roots = np.sqrt(share * kept)[:, None]
        penalty = np.hstack([np.sqrt(ridge) * np.eye(6), np.zeros((6, 1))])
        design = np.vstack([roots * scaled, penalty])
        response = np.vstack([roots * targets, np.zeros((6, 2))])
        return np.linalg.lstsq(design, response)[0]

    for log_ridge in LOG_RIDGES:
        ridge = 10.0**log_ridge * np.trace(gram) / 6
        every = np.ones(90)
        weights_of_all = fit(every, ridge)
        squares = np.sum((scaled @ weights_of_all - targets) ** 2, axis=1) * share
        left_out = [scaled[k] @ fit(every - np.eye(90)[k], ridge) for k in sample]
        errors = np.sum((np.array(left_out) - targets[:25]) ** 2, axis=1) * share[:25]
        error = squares.sum() * errors.sum() / squares[:25].sum()
        prior = ((log_ridge - LOG_RIDGE_MEAN) / LOG_RIDGE_DEVIATION) ** 2
        costs.append(90 * np.log(error) + prior)
        fits.append((weights_of_all, left_out))
    best = int(np.argmin(costs))
    assert 0 < best < len(LOG_RIDGES) - 1
    few = hidden[:25], targets[:25], weights[:25]
    W, b, left_out = ridge_of_sums(equations_of(hidden, targets, weights), 90, few)
    expected, predicted = fits[best]
    assert_allclose(W * scale[:, None], expected[:6], rtol=1e-7, atol=1e-9)
    center = share @ hidden
    assert_allclose(b + center @ W, expected[6], rtol=1e-7, atol=1e-9)
    assert_allclose(left_out, predicted, rtol=1e-7, atol=1e-9)


def test_the_output_is_fitted_to_all_rows_whatever_the_batches():
    rng = np.random.default_rng(0)
    rows, width = rng.normal(size=(2500, 3)), 40 + 39
    values = np.sin(2 * rows[:, 0]) + 0.1 * rng.normal(size=2500)
    given = {"exemplars": (rows[:9], values[:9])}
    whole = regressor(**given).fit(rows, values)
    with temporaries_of(100 * width):
        blocks = regressor(**given).fit(rows, values)
    assert_allclose(blocks.predict(rows), whole.predict(rows), rtol=1e-7, atol=1e-9)
    # The normal equations of all rows: the gradient of the error is that of the ridge,
    # on weights of units that are divided by their deviation.
    hidden = whole.network_.activations(rows)[-1]
    deviation = hidden.std(axis=0)
    scale = np.maximum(deviation, 0.1 * np.median(deviation[deviation > 0]))
    errors = values - whole.predict(rows)
    assert abs(errors.mean()) < 1e-9
    gradient = (hidden - hidden.mean(axis=0)).T @ errors / 2500
    W = whole.coefs_[-1][:, 0]
    ridges = gradient[deviation > 0] / (W * scale**2)[deviation > 0]
    assert (ridges > 0).all()
    assert_allclose(ridges, np.median(ridges), rtol=1e-4)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_row_of_weight_two_counts_as_two_of_many_rows(make):
    rng = np.random.default_rng(0)
    rows, times = rng.normal(size=(2500, 3)), rng.integers(1, 4, 2500)
    targets = (rows[:, 0] + rows[:, 1] ** 2 > 0.5) * 1
    weighted = make().fit(rows, targets, sample_weight=times)
    repeated = make().fit(rows.repeat(times, axis=0), targets.repeat(times))
    order = rng.permutation(2500)
    moved = make().fit(rows[order], targets[order], sample_weight=times[order])
    for other in (repeated, moved):
        assert_nearly_same_network(weighted, other)
    unweighted = make().fit(rows, targets)
    assert not np.array_equal(weighted.coefs_[-1], unweighted.coefs_[-1])


def test_hidden_values_of_all_rows_are_never_in_memory_together():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 4))
    codes = (rows[:, 0] > 0) * 1
    clf = classifier(n_comparisons=400)
    width = 400 + 399
    with temporaries_of(2**20):  # of 8 MiB
        clf.fit(rows[:1500], codes[:1500])
        tracemalloc.start()
        try:
            clf.fit(rows, codes)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * width * len(rows) / 2


def test_the_order_of_classes_makes_no_difference():
    points, codes = X[::6], y[::6]
    exemplars = points, codes
    expected = classifier(exemplars=exemplars).fit(X, y).predict_proba(X)
    for order in ([2, 0, 1], [1, 0, 2]):
        names = np.array(order)
        other = classifier(exemplars=(points, names[codes])).fit(X, names[y])
        found = other.predict_proba(X)[:, names]
        assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_every_row_counts_beyond_those_that_choose_the_ridge():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 3))
    values = rows[:, 0] + 0.1 * rng.normal(size=3000)
    before = regressor(exemplars=(rows[:9], values[:9])).fit(rows, values)
    n_changed = 0
    for k in range(0, 3000, 300):
        changed = values.copy()
        changed[k] += 5.0
        after = regressor(exemplars=(rows[:9], values[:9])).fit(rows, changed)
        n_changed += np.abs(after.coefs_[-1] - before.coefs_[-1]).max() > 1e-9
    assert n_changed == 10


def test_order_and_repetition_of_rows_make_no_difference():
    order = np.random.default_rng(0).permutation(len(X))
    clf = MetricInitMLPClassifier(n_comparisons=30, max_iter=0, random_state=0)
    expected = clf.fit(X, y).predict_proba(X)
    assert_allclose(clf.fit(X[order], y[order]).predict_proba(X), expected, atol=1e-9)
    twice = clf.fit(np.tile(X, (2, 1)), np.tile(y, 2)).predict_proba(X)
    assert_allclose(twice, expected, atol=1e-6)
