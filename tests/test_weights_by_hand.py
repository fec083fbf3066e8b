"""Weights that are looked at, edited and set by hand, and what looking at them costs."""

import inspect
import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
    nearest_exemplar_weights,
)

X, y = load_iris(return_X_y=True)
VALUES = 10 * X[:, 0] + 3
STILL = {
    "solver": "sgd",
    "learning_rate_init": 1e-12,
    "momentum": 0.0,
    "alpha": 0.0,
    "max_iter": 0,
    "random_state": 0,
}


def classifier(**settings):
    return MetricInitMLPClassifier(**{"n_exemplars": 6} | STILL | settings).fit(X, y)


def regressor(**settings):
    common = {"n_exemplars": 6} | STILL
    return MetricInitMLPRegressor(**common | settings).fit(X, VALUES)


def basis(**settings):
    return BasisInitMLPRegressor(**STILL | settings).fit(X[:, :2], VALUES)


MAKERS = [classifier, regressor, basis]


def rows(estimator):
    return X[:, : estimator.n_features_in_]


def output(estimator):
    is_classifier = hasattr(estimator, "predict_proba")
    method = estimator.predict_log_proba if is_classifier else estimator.predict
    return method(rows(estimator))


def target(estimator):
    return y if hasattr(estimator, "classes_") else VALUES


def by_hand(estimator, coefs, intercepts):
    """Output of another estimator that starts from these weights."""
    init = ([np.array(w) for w in coefs], [np.array(b) for b in intercepts])
    other = clone(estimator).set_params(init=init)
    return output(other.fit(rows(estimator), target(estimator)))


def gone_on(estimator, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "fit":
            estimator.set_params(warm_start=True, max_iter=1)
        return getattr(estimator, method)(rows(estimator), target(estimator))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("make", MAKERS)
def test_assigned_weights_predict_and_are_gone_on_from(make, name, method):
    estimator = make()
    before = output(estimator)
    changed = [0.5 * array for array in getattr(estimator, name)]
    setattr(estimator, name, changed)
    for array, expected in zip(getattr(estimator, name), changed, strict=True):
        np.testing.assert_array_equal(array, expected)
    after = output(estimator)
    assert abs(after - before).max() > 1e-3
    expected = by_hand(estimator, estimator.coefs_, estimator.intercepts_)
    np.testing.assert_allclose(after, expected, rtol=1e-9)
    np.testing.assert_allclose(output(gone_on(estimator, method)), after, rtol=1e-6)
    copy = pickle.loads(pickle.dumps(estimator))  # noqa: S301 - our own
    np.testing.assert_array_equal(output(copy), output(estimator))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("layer", [0, -1])
@pytest.mark.parametrize("make", MAKERS)
def test_weights_that_are_edited_in_place_are_gone_on_from(make, layer, method):
    estimator = make()
    scale = abs(estimator.coefs_[layer]).max()
    estimator.coefs_[layer][:] = 0
    estimator.intercepts_[layer][:] = 0
    before = output(estimator)
    gone_on(estimator, method)
    assert abs(estimator.coefs_[layer]).max() < 1e-6 * scale
    np.testing.assert_allclose(output(estimator), before, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("make", MAKERS)
def test_one_layer_may_be_replaced(make):
    estimator = make()
    estimator.coefs_[-1] = 0.0 * estimator.coefs_[-1]
    assert not estimator.coefs_[-1].any()
    estimator.coefs_[0] *= 2
    kept = [array.copy() for array in estimator.coefs_]
    with pytest.raises(ValueError, match=r"coefs_\[1\] must have the shape"):
        estimator.coefs_[1] = estimator.coefs_[1][:-1]
    for array, expected in zip(estimator.coefs_, kept, strict=True):
        np.testing.assert_array_equal(array, expected)
    listed = pickle.loads(pickle.dumps(estimator.coefs_))  # noqa: S301 - our own
    assert type(listed) is list


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_weights_that_do_not_fit_are_refused(make, name):
    estimator = make()
    before = output(estimator)
    arrays = list(getattr(estimator, name))
    shape = arrays[0].shape

    def assign(value, words, kind=ValueError):
        with pytest.raises(kind, match=words):
            setattr(estimator, name, value)

    assign(5, rf"^{name} must be a list of 2 arrays, got 5", TypeError)
    assign(arrays[:1], f"^{name} must have 2 arrays, one for each layer, got 1")
    assign([*arrays, arrays[0]], f"^{name} must have 2 arrays")
    expected = (
        rf"^{name}\[0\] must have the shape \({shape[0]}, ?.*, got \({shape[0] + 1},"
    )
    assign([np.ones((shape[0] + 1, *shape[1:])), arrays[1]], expected)
    assign([arrays[0], np.full(arrays[1].shape, np.nan)], rf"^{name}\[1\] .* not finite")
    assign([arrays[0], np.full(arrays[1].shape, "a")], rf"^{name}\[1\] .* of numbers")
    assign([arrays[0], [[1.0], [1.0, 2.0]]], rf"^{name}\[1\] .* of numbers")
    np.testing.assert_array_equal(output(estimator), before)


@pytest.mark.parametrize("make", MAKERS)
def test_weights_keep_the_precision_of_the_network(make):
    estimator = make()
    estimator.fit(rows(estimator).astype("f"), y if make is classifier else VALUES)
    mine = [np.asarray(w, dtype=float) for w in estimator.coefs_]
    estimator.coefs_ = mine
    assert {a.dtype for a in estimator.network_.parameters} == {np.dtype("f")}
    mine[0][:] = 0  # a copy was taken
    assert estimator.coefs_[0].any()
    mine[0][:] = 1e300
    with pytest.raises(ValueError, match="precision of the network"):
        estimator.coefs_ = mine


def test_weights_are_averaged_over_two_estimators():
    one, other = classifier(random_state=0), classifier(random_state=0)
    gone_on(other.set_params(learning_rate_init=0.1), "partial_fit")
    mean = [(v + w) / 2 for v, w in zip(one.coefs_, other.coefs_, strict=True)]
    one.coefs_ = other.coefs_ = mean
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    one.coefs_[0][:] = 0
    assert other.coefs_[0].any()


def test_a_moved_copy_has_weights_of_its_own():
    estimator = classifier()
    moved = estimator.move_to(np)
    moved.coefs_[0][:] = 0
    assert estimator.coefs_[0].any()


def test_other_namespaces():
    xp = pytest.importorskip("array_api_strict")
    estimator = classifier().move_to(xp)
    estimator.coefs_ = [0.5 * np.array(w) for w in classifier().coefs_]
    assert estimator.coefs_[0].__array_namespace__() is xp
    estimator.coefs_ = [xp.zeros(w.shape) for w in estimator.coefs_]
    estimator.coefs_[0][0, 0] = 3.0
    assert float(xp.max(estimator.coefs_[0])) == 3.0


def test_not_fitted():
    with pytest.raises(ValueError, match="not fitted"):
        MetricInitMLPClassifier().coefs_ = []


@pytest.mark.parametrize("tied", [False, True])
def test_another_network_may_start_from_them(tied):
    given = classifier(tied=tied, n_neighbors=1 if tied else None)
    other = clone(given).set_params(init=(given.coefs_, given.intercepts_), tied=False)
    other = clone(other).set_params(warm_start=True).fit(X, y)
    np.testing.assert_allclose(output(other), output(given), rtol=1e-9)
    other.set_params(init=(given.coefs_, given.intercepts_)).fit(X, y)
    xp = pytest.importorskip("array_api_strict")
    moved = given.move_to(xp, xp.Device("device1"))
    other.set_params(init=(moved.coefs_, moved.intercepts_)).fit(X, y)
    np.testing.assert_allclose(output(other), output(given), rtol=1e-9)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_tied_weights_say_no(make):
    estimator = make(tied=True, n_neighbors=1)
    before = output(estimator)
    for name in ("coefs_", "intercepts_"):
        arrays = getattr(estimator, name)
        with pytest.raises(AttributeError, match=rf"{name} .*tied=True cannot be set"):
            setattr(estimator, name, list(arrays))
        for layer in range(len(arrays)):
            with pytest.raises(ValueError, match="read-only"):
                arrays[layer][:] = 0
            with pytest.raises((AttributeError, TypeError), match="tied=True"):
                arrays[layer] = 0.5 * arrays[layer]
    dense = estimator.network_.dense()
    for array, expected in zip(estimator.coefs_, dense.parameters[::2], strict=True):
        np.testing.assert_array_equal(array, expected)
    for array, expected in zip(
        estimator.intercepts_, dense.parameters[1::2], strict=True
    ):
        np.testing.assert_array_equal(array, expected)
    assert len(estimator.coefs_[:1]) == 1
    np.testing.assert_array_equal(output(estimator), before)


# --- what it costs to look ---


def peak_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def large():
    """A tied network whose dense weights take a hundred times as much."""
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(200, 100)), rng.integers(0, 3, 200)
    clf = MetricInitMLPClassifier(
        tied=True, n_exemplars=100, exemplars="random", n_neighbors=1,
        max_iter=0, random_state=0,
    )  # fmt: skip
    return clf.fit(rows, labels)


LOOKS = {
    "repr": repr,
    "html": lambda clf: clf._repr_html_(),
    "members": inspect.getmembers,
    "dir": dir,
    "vars": lambda clf: repr(vars(clf)),
    "coefs": lambda clf: repr(clf.coefs_),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=list(LOOKS))
def test_to_look_at_a_tied_network_makes_no_dense_weights(large, look):
    look(large)
    assert peak_of(lambda: look(large)) < 0.1 * 8 * large.network_.n_dense_weights


def test_biases_cost_biases(large):
    size = sum(bias.nbytes for bias in large.intercepts_)
    assert peak_of(lambda: large.intercepts_) < 1.2 * size + 2e4


def test_dense_weights_cost_no_more_than_they_take(large, monkeypatch):
    taken = 8 * large.network_.n_dense_weights
    name = "skmetricmlp.initialization.memory.available_memory"
    monkeypatch.setattr(name, lambda: 2 * 1.05 * taken)
    assert peak_of(lambda: list(large.coefs_)) < 1.05 * taken
    assert peak_of(large.network_.dense) < 1.05 * taken


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_untrained_networks_are_kept_without_state_of_the_solver(make, solver):
    estimator = make(solver=solver)
    size = sum(array.nbytes for array in estimator.network_.parameters)
    if compared := getattr(estimator._fit_state, "comparisons", None):
        size += sum(array.nbytes for array in vars(compared).values())
    assert len(pickle.dumps(estimator)) < size + 2e4
    # It is made when it is needed, and then kept.
    once = gone_on(gone_on(make(solver=solver, init="random"), "fit"), "fit")
    fresh = make(solver=solver, init="random")
    fresh.set_params(max_iter=2, learning_rate="constant")
    with pytest.warns(match="max_iter"):
        fresh.fit(rows(fresh), y if make is classifier else VALUES)
    np.testing.assert_allclose(output(once), output(fresh), rtol=1e-6)


def test_weights_as_arrays_may_be_replaced():
    coefs, _ = nearest_exemplar_weights(X[::20], y[::20])
    coefs[0] = None
    assert coefs[0] is None
