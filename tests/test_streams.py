"""Streams: many calls of ``partial_fit``, and first calls with few rows."""

import copy
import gc
import pickle
import tracemalloc
import warnings
from functools import cache

import numpy as np
import pytest
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp.training import (
    SGD,
    Adam,
    Batch,
    Curve,
    History,
    Objective,
    Plan,
    Position,
    train,
)
from skmetricmlp.training.optimizers import AdamState

OPTIMIZERS = [
    SGD(momentum=0.0),
    SGD(momentum=0.8, nesterov=False),
    SGD(momentum=0.8, nesterov=True),
    Adam(),
]
X, y = map(read_only, load_iris(return_X_y=True))
VALUES = read_only(X[:, 3].copy())


def classifier(**parameters):
    return MetricInitMLPClassifier(
        **{"n_exemplars": 6, "n_spare_units": 4, "random_state": 0, **parameters}
    )


def regressor(**parameters):
    return MetricInitMLPRegressor(
        **{"n_exemplars": 6, "n_spare_units": 4, "random_state": 0, **parameters}
    )


def basis(**parameters):
    return BasisInitMLPRegressor(
        **{"degree": 2, "solver": "adam", "random_state": 0, **parameters}
    )


# Long streams


def arrays_of(state):
    lists = state[1:] if isinstance(state, AdamState) else [state]
    return [array for part in lists for array in part]


@pytest.mark.parametrize("block", [1, 4, 2**16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("namespace", ["numpy", "array_api_strict"])
@pytest.mark.parametrize("rates", [[0.1, 0.2, 0.3], [0.1, 0.1, 0.1]])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_step_out_of_place_is_a_copy_and_a_step(
    optimizer, rates, namespace, dtype, block, monkeypatch
):
    xp = pytest.importorskip(namespace)
    monkeypatch.setattr("skmetricmlp.training.blocks.BLOCK_ELEMENTS", block)
    rng = np.random.default_rng(0)

    def arrays():
        shapes = [(3, 2), (2,), (1, 1)]
        return [xp.asarray(rng.normal(size=shape).astype(dtype)) for shape in shapes]

    parameters = arrays()
    _, state = optimizer.step(parameters, arrays(), optimizer.init(parameters), rates)
    gradients = arrays()
    twin = [xp.asarray(g, copy=True) for g in gradients]
    before = [np.array(array) for array in arrays_of(state)]
    expected = optimizer.step(parameters, twin, optimizer.copy(state), rates)
    actual = optimizer.step(parameters, gradients, state, rates, in_place=False)
    for array, kept in zip(arrays_of(state), before, strict=True):
        assert_array_equal(np.asarray(array), kept)
    assert len(arrays_of(actual[1])) == len(before)
    for a, e in zip(
        [*actual[0], *arrays_of(actual[1])],
        [*expected[0], *arrays_of(expected[1])],
        strict=True,
    ):
        assert_array_equal(np.asarray(a), np.asarray(e))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("batch_size", [4, 200])
def test_a_stream_is_the_textbook_loop(solver, batch_size):
    """Each call: copy all state, and step through the rows."""
    clf = classifier(solver=solver, batch_size=batch_size, shuffle=False, max_iter=0)
    clf.fit(X, y)
    optimizer = Adam() if solver == "adam" else SGD()
    objective = Objective("log_loss", 1e-4)
    network = clf.network_
    start = Position(network, optimizer.init(network.parameters))
    losses = []
    for call in range(6):
        rows = slice(20 * call, 20 * call + 20)
        clf.partial_fit(X[rows], y[rows])
        position = start.checkpoint(optimizer)
        of_steps, sizes = [], []
        for first in range(0, 20, batch_size):
            taken = slice(first, min(first + batch_size, 20))
            weights = np.ones(taken.stop - taken.start)
            batch = Batch(X[rows][taken], y[rows][taken], weights)
            loss, gradients = objective.value_and_gradient(position.network, batch)
            rates = [3e-4] * len(network.parameters)
            parameters, state = optimizer.step(
                position.network.parameters, gradients, position.state, rates
            )
            position = Position(network.with_parameters(parameters), state)
            of_steps.append(loss)
            sizes.append(len(weights))
        start = position
        losses.append(np.average(of_steps, weights=sizes))
    for actual, expected in zip(
        clf.network_.parameters, start.network.parameters, strict=True
    ):
        assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
    assert_allclose(clf.loss_curve_, losses, rtol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_call_copies_no_optimizer_state(solver, monkeypatch):
    clf = classifier(solver=solver).partial_fit(X, y, classes=[0, 1, 2])
    for optimizer in (Adam, SGD):
        monkeypatch.setattr(optimizer, "copy", lambda *_: pytest.fail("copied"))
    clf.partial_fit(X, y)


def test_training_leaves_the_state_that_it_began_with():
    clf = classifier(max_iter=0).fit(X, y)
    network, optimizer = clf.network_, Adam()
    batch = Batch(X, y, np.ones(len(y)))
    plan = Plan(Objective("log_loss"), optimizer, [0.01, 0.01], 50, max_epochs=2)
    start = Position(network, optimizer.init(network.parameters))
    for _ in range(3):
        for array in arrays_of(start.state):
            array.flags.writeable = False
        kept = [array.copy() for array in arrays_of(start.state)]
        end, _, _ = train(start, History(), batch, plan, np.random.RandomState(0))
        for array, copied in zip(arrays_of(start.state), kept, strict=True):
            assert_array_equal(array, copied)
        start = end


def peak_of(function):
    """Most bytes that a call has at a time, beyond those before it."""
    gc.collect()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@cache
def after_epochs(n):
    clf = classifier(max_iter=n, tol=0, n_iter_no_change=n, learning_rate_init=1e-12)
    rows = slice(None, None, 30)
    with warnings.catch_warnings(action="ignore"):
        return clf.fit(X[rows], y[rows])


def test_a_call_takes_no_more_memory_after_many():
    peaks = []
    for n in (20, 4_000):
        clf = copy.copy(after_epochs(n))
        clf.partial_fit(X[:1], y[:1])
        assert clf.n_iter_ == n + 1
        peaks.append(peak_of(lambda clf=clf: clf.partial_fit(X[:1], y[:1])))
    # A list of the losses has eight bytes for each.
    assert peaks[1] < peaks[0] + 10_000


def test_a_number_of_a_curve_is_copied_a_few_times_however_many_follow():
    n_copied, curve, kept = 0, Curve(), []
    n = 5000
    for k in range(n):
        longer = curve.followed_by(float(k))
        old = set(map(id, curve.blocks))
        n_copied += sum(len(block) for block in longer.blocks if id(block) not in old)
        kept.append(curve)
        curve = longer
    assert n_copied <= n * (np.log2(n) + 1)
    assert all(len(block) < 14 for block in (c.blocks for c in kept))
    for k in (0, 1, 7, 100, n - 1):
        assert kept[k] == list(range(k))


def test_a_curve_is_the_list_of_its_numbers():
    values = np.random.default_rng(0).normal(size=100).tolist()
    curve = Curve()
    assert not curve
    assert (curve.lowest, curve.highest) == (np.inf, -np.inf)
    for k, value in enumerate(values, 1):
        branch, curve = curve.followed_by(-value), curve.followed_by(value)
        assert list(curve) == values[:k]
        assert list(branch) == [*values[: k - 1], -value]
        assert (curve.lowest, curve.highest) == (min(values[:k]), max(values[:k]))
        assert curve[-1] == value
    assert curve == values
    assert curve == Curve.of(values)
    assert curve != values[:-1]
    assert curve[3] == values[3]
    assert curve[2:9] == values[2:9]
    assert pickle.loads(pickle.dumps(curve)) == curve  # noqa: S301 - ours
    with pytest.raises(IndexError):
        curve[100]


def test_what_a_user_does_to_a_curve_changes_nothing():
    clf = classifier().partial_fit(X, y, classes=[0, 1, 2])
    earlier, losses = copy.copy(clf), clf.loss_curve_
    assert type(losses) is list
    clf.loss_curve_.append(-1.0)
    losses[0] = 7.0
    clf.partial_fit(X, y)
    assert clf.n_iter_ == len(clf.loss_curve_) == 2
    assert clf.loss_curve_[0] == earlier.loss_curve_[0] != 7.0
    assert clf.best_loss_ == min(clf.loss_curve_)
    assert clf.loss_ == clf.loss_curve_[-1]
    # Two futures of one state.
    other = earlier.partial_fit(X[:50], y[:50])
    assert other.loss_curve_[0] == clf.loss_curve_[0]
    assert other.loss_curve_[1] != clf.loss_curve_[1]
    again = pickle.loads(pickle.dumps(clf))  # noqa: S301 - ours
    assert again.loss_curve_ == clf.loss_curve_
    assert clf.validation_scores_ is None
    assert clf.validation_loss_curve_ is None


def test_there_is_no_curve_before_the_first_call():
    for name in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
        assert not hasattr(classifier(), name)
