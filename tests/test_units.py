"""Units and offsets of the features make no difference to training."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from networks import random_batch, random_network
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._data import distinct_rows
from skmetricmlp.network import (
    PairIncidence,
    TiedComparison,
    from_training,
    input_scaling,
    to_training,
)
from skmetricmlp.training import Objective

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)
WINE, CULTIVAR = load_wine(return_X_y=True)
ROWS, VALUES = (array[:200] for array in load_diabetes(return_X_y=True))
VALUES = VALUES / VALUES.std()
whitening = make_pipeline(StandardScaler(), PCA(5))


def in_other_units(X, *, per_feature, seed):
    rng = np.random.default_rng(seed)
    factor = 10.0 ** rng.uniform(-4, 4, X.shape[1] if per_feature else 1)
    return factor * (X + rng.uniform(-10, 10, X.shape[1]) * X.std(axis=0))


METRICS = [
    ("sqeuclidean", False),
    ("seuclidean", True),
    ("mahalanobis", True),
    (whitening, True),
]
SETTINGS = [
    {"n_comparisons": 20},
    {"init": "random", "n_neighbors": 1, "tied": True},
    {"exemplars": "random", "n_neighbors": 3},
]
SOLVERS = ["adam", "sgd", "lbfgs"]


# Each solver with each metric, and with each of the settings.
@pytest.mark.parametrize(
    ("metric", "per_feature", "settings", "solver"),
    [
        (*metric, settings, SOLVERS[(i + j) % 3])
        for i, metric in enumerate(METRICS)
        for j, settings in enumerate(SETTINGS)
    ],
)
def test_predictions_do_not_depend_on_units(metric, per_feature, settings, solver):
    common = dict(solver=solver, metric=metric, n_exemplars=9, max_iter=5, random_state=3)
    for make, rows, target, method in (
        (MetricInitMLPClassifier, WINE, CULTIVAR, "predict_proba"),
        (MetricInitMLPRegressor, ROWS, VALUES, "predict"),
    ):
        model = make(**common, **settings)
        other = in_other_units(rows, per_feature=per_feature, seed=3)
        expected = getattr(model.fit(rows, target), method)(rows)
        found = getattr(model.fit(other, target), method)(other)
        assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("exemplars", ["kmeans", "kmedoids", "lvq", "condensed"])
@pytest.mark.parametrize("metric", ["sqeuclidean", "seuclidean", "mahalanobis"])
def test_exemplars_do_not_depend_on_units(exemplars, metric):
    clf = MetricInitMLPClassifier(
        exemplars=exemplars, metric=metric, n_exemplars=12, n_comparisons=20,
        max_iter=0, random_state=0,
    )  # fmt: skip
    expected = clf.fit(WINE, CULTIVAR).predict_proba(WINE)
    for seed in range(2):
        per_feature = metric != "sqeuclidean"
        other = in_other_units(WINE, per_feature=per_feature, seed=seed)
        assert_allclose(
            clf.fit(other, CULTIVAR).predict_proba(other), expected, atol=1e-7
        )


def test_steps_of_a_stream_do_not_depend_on_units():
    other = in_other_units(WINE, per_feature=True, seed=3)
    one, two = (
        MetricInitMLPClassifier(metric="seuclidean", n_exemplars=9, random_state=0)
        for _ in range(2)
    )
    order = np.random.default_rng(0).permutation(len(WINE))
    for part in np.array_split(order, 6):
        one.partial_fit(WINE[part], CULTIVAR[part], classes=[0, 1, 2])
        two.partial_fit(other[part], CULTIVAR[part], classes=[0, 1, 2])
    # Thirty rows and 1,599 units: the small ridge multiplies rounding errors by 1e9.
    assert_allclose(two.predict_proba(other), one.predict_proba(WINE), atol=1e-6)


@pytest.mark.parametrize("unit", [1e-8, 1e4, 1e12])
def test_an_accurate_start_stays_accurate_in_any_unit(unit):
    X, y = load_iris(return_X_y=True)
    clf = MetricInitMLPClassifier(random_state=0).fit(unit * X, y)
    assert clf.score(unit * X, y) > 0.97
    assert clf.loss_ <= clf.loss_curve_[0]


def test_training_that_makes_it_worse_is_warned_of_and_not_kept():
    X, y = load_iris(return_X_y=True)
    start = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
    clf = MetricInitMLPClassifier(
        solver="sgd", learning_rate_init=5.0, max_iter=20, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match=r"worse.*\(it was 5\)"):
        clf.fit(X, y)
    codes = np.arange(len(y)), y
    before, after = (-np.log(m.predict_proba(X)[codes]).mean() for m in (start, clf))
    assert after <= before
    assert clf.n_iter_ > 0


def test_sparse_and_dense_rows_train_alike():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 30)) * (rng.random((120, 30)) < 0.2)
    y = np.arange(120) % 3
    for settings in ({}, {"n_neighbors": 1, "tied": True}, {"solver": "lbfgs"}):
        clf = MetricInitMLPClassifier(
            n_exemplars=6, max_iter=5, random_state=0, **settings
        )
        expected = clf.fit(X, y).predict_proba(X)
        sparse = sp.csr_array(X)
        assert_allclose(clf.fit(sparse, y).predict_proba(sparse), expected, atol=1e-8)


# --- the scale of the inputs ---


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_the_scale_is_that_of_the_rows(kind, weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [1.0, 10.0, 0.0, 0.1] + [0.0, 3.0, 7.0, 0.0]
    weights = rng.uniform(0.5, 2, 50) if weighted else np.ones(50)
    mean = sum(w * x for w, x in zip(weights, X, strict=True)) / weights.sum()
    squares = sum(w * (x - mean) ** 2 for w, x in zip(weights, X, strict=True))
    deviation = np.sqrt(squares / weights.sum())
    means, scale = input_scaling(kind(X), weights, per_feature=True)
    assert_allclose(means, mean, rtol=1e-10, atol=1e-12)
    assert_allclose(scale, np.where(deviation > 1e-12, deviation, 1), rtol=1e-10)
    # One scale for all, with which a row has the length of one of unit features.
    _, scale = input_scaling(kind(X), weights, per_feature=False)
    length = np.sum((X - mean) ** 2 / scale**2, axis=1)
    assert_allclose(np.average(length, weights=weights), 3, rtol=1e-10)
    assert len(set(scale)) == 1


def test_many_features_have_the_length_of_64():
    X = np.random.default_rng(0).normal(size=(40, 300))
    for per_feature in (False, True):
        mean, scale = input_scaling(X, np.ones(40), per_feature=per_feature)
        lengths = np.sum(((X - mean) / scale) ** 2, axis=1)
        assert_allclose(lengths.mean(), 64)


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e200, 1e307])
def test_the_scale_of_extreme_values_is_finite(size):
    X = size * np.random.default_rng(0).uniform(1, 2, (20, 3))
    _, scale = input_scaling(X, np.ones(20), per_feature=True)
    assert_allclose(scale / size, (X / size).std(axis=0), rtol=1e-2)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array])
def test_a_scaled_network_is_the_same_function_with_gradients_of_its_own(kind, tied):
    batch = random_batch()
    scaling = np.array([1.0, -2, 0, 3]), np.array([0.1, 2, 1, 30])
    network = random_network((4, 6, 3))
    if tied:
        table = np.array([[1], [2], [0]])
        first = TiedComparison(
            *(a[..., :3] for a in network.layers[0].parameters),
            np.ones((3, 1)), PairIncidence(table), "tanh",
        )  # fmt: skip
        last = network.layers[1]
        last = last.with_parameters((last.weights[:3], last.bias))
        network = type(network)((first, last))
    scaled = to_training(network, scaling)
    assert_allclose(scaled.forward(kind(batch.X)), network.forward(batch.X), rtol=1e-10)
    back = from_training(scaled, scaling)
    for a, b in zip(back.parameters, network.parameters, strict=True):
        assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    # Independently: the slope of the objective in each of its parameters.
    rows = batch._replace(X=kind(batch.X))
    _, gradients = Objective("log_loss", 0.1).value_and_gradient(scaled, rows)
    for k, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [p.copy() for p in scaled.parameters]
                moved[k][index] += step
                value = Objective("log_loss", 0.1).value
                sides.append(value(scaled.with_parameters(moved), rows))
            slope = (sides[0] - sides[1]) / 2e-6
            assert_allclose(gradient[index], slope, rtol=1e-5, atol=1e-7)


# --- the order of the distinct rows ---


def test_distinct_rows_are_those_of_a_dictionary():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(200, 3)).astype(float)
    X[X == 0] = rng.choice([0.0, -0.0], size=(X == 0).sum())
    codes, weights = rng.integers(0, 2, 200), rng.uniform(0.5, 2, 200)
    sums, first = {}, {}
    for k, (row, code) in enumerate(zip((X + 0.0).tolist(), codes, strict=True)):
        key = (*row, code)
        sums[key] = sums.get(key, 0.0) + weights[k]
        first.setdefault(key, k)
    for kind in (np.asarray, sp.csr_array, lambda X: X.astype(np.float32)):
        rows = distinct_rows(kind(X), codes, weights)
        assert sorted(rows.index) == sorted(first.values())
        keys = [(*(X[i] + 0.0).tolist(), codes[i]) for i in rows.index]
        expected = np.array([sums[key] for key in keys])
        assert_allclose(rows.sample_weight, expected / expected.max())


def test_rows_that_differ_in_the_last_bit_are_distinct():
    x = np.random.default_rng(0).normal(size=(1, 5))
    X = np.concatenate([x, x, np.nextafter(x, np.inf), x + 1])
    rows = distinct_rows(X, np.zeros(4, int), np.ones(4))
    assert sorted(rows.index) == [0, 2, 3]


def test_the_order_of_distinct_rows_is_that_of_neither_rows_nor_units():
    X = np.random.default_rng(0).normal(size=(300, 4))
    expected = distinct_rows(X, np.zeros(300, int), np.ones(300)).index
    assert abs(np.corrcoef(expected, np.arange(300))[0, 1]) < 0.2
    assert abs(np.corrcoef(X[expected, 0], np.arange(300))[0, 1]) < 0.2
    for seed in range(5):
        other = in_other_units(X, per_feature=True, seed=seed)
        order = np.random.default_rng(seed).permutation(300)
        found = distinct_rows(other[order], np.zeros(300, int), np.ones(300)).index
        np.testing.assert_array_equal(order[found], expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("exemplars", ["random", "kmeans", "kmedoids", "condensed"])
def test_sparse_rows_are_not_made_dense_all_at_once(exemplars):
    """All temporaries take less than an eighth of the dense rows."""
    X = sp.random(1000, 10_000, density=1e-3, format="csr", random_state=0)
    clf = MetricInitMLPClassifier(
        exemplars=exemplars, n_exemplars=4, n_comparisons=4, max_iter=1,
        random_state=0,
    )  # fmt: skip
    with config_context(working_memory=1):
        tracemalloc.start()
        try:
            clf.fit(X, np.arange(1000) % 2).predict(X)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * 1000 * 10_000 / 8
