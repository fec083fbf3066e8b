"""Comparisons on few features, their conjunctions and sums, against loops."""

import numpy as np
import pytest
from factories import classifier, regressor, standardized
from networks import random_batch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization.comparisons import (
    draw_comparisons,
    one_hot_groups,
    subset_sizes,
)
from skmetricmlp.initialization.least_squares import summed
from skmetricmlp.initialization.output_layer import (
    left_out_of_sums,
    ridge_of_sums,
    ridge_weights,
)
from skmetricmlp.network import ClippedInput, Conjunctive, Dense, Network
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


@pytest.mark.parametrize(
    ("max_features", "expected"),
    [(3, {3}), (99, {20}), (0.25, {5}), (1e-9, {1}), ("sqrt", {4}), ("log2", {4}),
     (None, {20}), ("mixed", {1, 2, 3, 20})],
)  # fmt: skip
def test_sizes_of_subsets(max_features, expected):
    sizes = subset_sizes(max_features, 20, 500, np.random.RandomState(0))
    assert set(sizes.tolist()) == expected


def test_exemplars_of_a_comparison_differ_and_mostly_in_class():
    rng = np.random.default_rng(0)
    points = rng.integers(0, 2, (12, 6)).astype(float)
    exemplars = Exemplars(points, np.arange(12) % 3, None)
    groups = np.array([0, 0, 1, 2, 2, 2])
    drawn = draw_comparisons(exemplars, groups, 2000, "mixed", np.random.RandomState(0))
    i, j, features = drawn.first, drawn.second, drawn.features
    assert ((points[i] != points[j]) & features).any(axis=1).all()
    assert 0.7 < np.mean(i % 3 != j % 3) < 0.95
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


def test_width_and_cost_do_not_depend_on_the_number_of_exemplars():
    few, many = (classifier(n_exemplars=n).fit(X, y) for n in (6, 100))
    assert [w.shape for w in few.coefs_] == [w.shape for w in many.coefs_]


# --- the output from sums ---


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("n_blocks", [1, 7])
def test_the_fit_from_sums_is_that_of_the_rows(n_blocks, offset):
    rng = np.random.default_rng(0)
    hidden = offset + rng.normal(size=(400, 12)) @ rng.normal(size=(12, 12))
    targets = hidden[:, :2] - offset + rng.normal(size=(400, 2))
    weights, scale = rng.uniform(0.5, 2, 400), rng.uniform(0.5, 2, 12)
    center = hidden[:50].mean(axis=0)
    blocks = np.array_split(hidden, n_blocks)
    sums = summed(blocks, targets, weights, center, scale)
    fit = ridge_of_sums(sums, 400)
    W, b, left_out = ridge_weights(hidden / scale, targets, weights)
    assert_allclose(fit[0], W, rtol=1e-6, atol=1e-8)
    assert_allclose(sums.target_mean - sums.mean @ fit[0], b, rtol=1e-6, atol=1e-6)
    shares = weights[:50] / weights.sum()
    found = left_out_of_sums(fit, sums, hidden[:50] / scale, targets[:50], shares)
    assert_allclose(found, left_out[:50], rtol=1e-6, atol=1e-6)


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
