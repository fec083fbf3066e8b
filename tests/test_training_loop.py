from dataclasses import replace
from math import exp, inf, isfinite, log
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from networks import random_network, read_only
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPClassifier
from sklearn.utils import check_random_state

from skmetricmlp._data import TrainingData
from skmetricmlp.network import LOSSES, Network
from skmetricmlp.training import (
    SGD,
    Adam,
    History,
    Objective,
    TrainingConfig,
    loss_and_score,
    train,
)

OPTIMIZERS = [Adam(), SGD(momentum=0.9, nesterov=True)]
N_ROWS = 10


class Point(NamedTuple):
    """A network and the state of its optimizer."""

    network: Network
    state: Any


def start_of(network, optimizer):
    return Point(network, optimizer.init(network.parameters))


def run(start, history, data, config, rng, **listeners):
    """Train from a point, and return the point where training ends."""
    end = train(*start, history, data, config, rng, **listeners)
    return Point(*end[:2]), *end[2:]


def config_of(objective=None, optimizer=OPTIMIZERS[0], *, rates=(0.01, 0.02), **settings):
    """Return a configuration for the network of two layers that never stops by itself."""
    defaults = {"batch_size": 4, "max_epochs": 3, "tol": -inf}
    objective = objective or Objective("log_loss", 0.1)
    return TrainingConfig(objective, optimizer, rates, **(defaults | settings))


def arrays_of(point):
    """Every array that training moved."""
    state = point.state or []
    lists = state[1:] if isinstance(state, tuple) else [state]
    return [*point.network.parameters, *(array for part in lists for array in part)]


def assert_same_point(actual, expected, **tolerance):
    for a, e in zip(arrays_of(actual), arrays_of(expected), strict=True):
        if tolerance:
            assert_allclose(np.asarray(a), e, **tolerance)
        else:
            assert_array_equal(a, e)
    if isinstance(expected.state, tuple):  # Adam's has the number of steps
        assert actual.state[0] == expected.state[0]


def total_weight(batch):
    return float(np.sum(batch.sample_weight))


def scripted(losses):
    """Objective with a loss for each step, and slopes of one."""
    losses = iter(losses)

    def value_and_gradient(network, _):
        return next(losses), [np.ones_like(p) for p in network.parameters]

    return SimpleNamespace(
        value=lambda *_: 0.0, value_and_gradient=value_and_gradient, total=total_weight
    )


@pytest.fixture
def network():
    return random_network((3, 5, 3))


@pytest.fixture
def data():
    """Ten rows of three features, three classes, weights between 1/2 and 2."""
    rng = np.random.default_rng(1)
    return TrainingData(
        read_only(rng.normal(size=(N_ROWS, 3))),
        read_only(np.arange(N_ROWS) % 3, int),
        read_only(rng.uniform(0.5, 2, N_ROWS)),
    )


@pytest.fixture
def rng():
    return check_random_state(0)


@pytest.fixture(params=["array_api_strict", "array_api_compat.torch"])
def xp(request):
    return pytest.importorskip(request.param)


# Solver, hidden layers, and settings of both.
CASES = [
    ("adam", (8,), {}),
    ("adam", (7, 6), {}),
    ("sgd", (8,), {}),
    ("sgd", (7, 6), {}),
    ("sgd", (8,), {"learning_rate": "invscaling", "power_t": 0.3}),
    ("sgd", (8,), {"learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 1}),
]


@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize(("solver", "hidden", "settings"), CASES)
def test_training_is_that_of_scikit_learn(rng, solver, hidden, settings, activation):
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = read_only((X - X.mean(axis=0))[order]), y[order]
    network = random_network((4, *hidden, 3), activation)
    settings = {
        "learning_rate": "constant",
        "power_t": 0.5,
        "tol": 0,
        "n_iter_no_change": 100,
    } | settings
    theirs = MLPClassifier(
        hidden,
        activation=activation,
        solver=solver,
        alpha=0.5,
        batch_size=32,
        learning_rate_init=0.01,
        max_iter=8,
        shuffle=False,
        momentum=0.9,
        nesterovs_momentum=True,
        warm_start=True,
        **settings,
    )
    # This makes the attributes; the fit below starts a new optimizer from the weights.
    theirs.partial_fit(X, y, classes=[0, 1, 2])
    theirs.coefs_ = [w.copy() for w in network.parameters[::2]]
    theirs.intercepts_ = [b.copy() for b in network.parameters[1::2]]
    theirs.t_, theirs.best_loss_, theirs._no_improvement_count = 0, inf, 0
    with pytest.warns(ConvergenceWarning):
        theirs.fit(X, y)

    optimizer = Adam() if solver == "adam" else SGD(momentum=0.9, nesterov=True)
    config = TrainingConfig(
        Objective("log_loss", alpha=0.5),
        optimizer,
        rates=[0.01] * len(network.layers),
        batch_size=32,
        max_epochs=8,
        shuffle=False,
        tol=settings["tol"],
        patience=settings["n_iter_no_change"],
        schedule=settings["learning_rate"],
        power_t=settings["power_t"],
    )
    data = TrainingData(X, y, read_only(np.ones(len(y))))
    start = start_of(network, optimizer)
    ours, history, reason = run(start, History(), data, config, rng)

    assert reason == "max_epochs"
    for a, b in zip(ours.network.parameters[::2], theirs.coefs_, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-8)
    for a, b in zip(ours.network.parameters[1::2], theirs.intercepts_, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-8)
    assert_allclose(history.losses, theirs.loss_curve_[-8:], rtol=0, atol=1e-8)
    # The comparison says nothing about weights that did not move.
    moves = zip(ours.network.parameters, network.parameters, strict=True)
    assert all(np.abs(a - b).max() > 1e-3 for a, b in moves)
    if settings["learning_rate"] == "adaptive":
        assert theirs._optimizer.learning_rate < 0.01


@pytest.mark.parametrize("rate", [0.1, 1e-5])
def test_the_adaptive_schedule_ends_at_the_rate_of_scikit_learn(network, data, rng, rate):
    config = config_of(
        scripted([1.0] * 99), SGD(), rates=[rate, rate / 2], batch_size=N_ROWS,
        max_epochs=99, tol=0.5, patience=1, schedule="adaptive",
    )  # fmt: skip
    _, history, reason = run(start_of(network, SGD()), History(), data, config, rng)
    n_cuts = 0
    while rate / 5**n_cuts > 1e-6:
        n_cuts += 1
    assert reason == "converged"
    assert len(history) == 1 + 2 * (n_cuts + 1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_training_composes_steps_of_the_optimizer(network, data, rng, optimizer):
    objective = Objective("squared_error", 0.1)
    rates = [0.01, 0.02]
    parameters, state = network.parameters, optimizer.init(network.parameters)
    losses = []
    for _ in range(2):
        total = 0.0
        for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
            batch = TrainingData(*(part[rows] for part in data))
            present = network.with_parameters(parameters)
            loss, gradients = objective.value_and_gradient(present, batch)
            total += loss * sum(batch.sample_weight)
            parameters, state = optimizer.step(
                parameters, gradients, state, [0.01, 0.01, 0.02, 0.02]
            )
        losses.append(total / sum(data.sample_weight))
    expected = Point(network.with_parameters(parameters), state)

    config = config_of(objective, optimizer, rates=rates, max_epochs=2, shuffle=False)
    actual, history, _ = run(start_of(network, optimizer), History(), data, config, rng)
    assert_same_point(actual, expected)
    assert_allclose(history.losses, losses, rtol=1e-13)


@pytest.mark.parametrize("frozen", [0, 1, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_layer_with_a_rate_of_zero_stays(data, rng, optimizer, frozen):
    network = random_network((3, 5, 4, 3))
    rates = [0.0 if k == frozen else 0.01 for k in range(3)]
    config = config_of(optimizer=optimizer, rates=rates)
    end, _, _ = run(start_of(network, optimizer), History(), data, config, rng)
    for k, (before, after) in enumerate(
        zip(network.layers, end.network.layers, strict=True)
    ):
        assert np.array_equal(before.weights, after.weights) == (k == frozen)
        assert np.array_equal(before.bias, after.bias) == (k == frozen)


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize(
    ("tol", "losses", "stale_from"),
    [
        (0.5, [5, 4, 3, *[3.0] * 20], 3),
        (0.5, [5, 4, 3, *np.linspace(2.99, 2.6, 20)], 3),
        (0.5, [5, 4, 3, *[7.0] * 20], 3),
        # A loss that is lower by exactly tol is an improvement.
        (0.5, [5, 4.5, 4, 3.5, *[3.25] * 20], 4),
        (0.0, [5, 5, 5, *[6.0] * 20], 3),
        (-inf, [*range(20)], 20),
    ],
)
def test_stops_after_more_stale_epochs_than_patience(
    network, data, rng, patience, tol, losses, stale_from
):
    # A mean with one weight of ten is exact.
    data = data._replace(sample_weight=np.ones(N_ROWS))
    config = config_of(
        scripted(losses), batch_size=N_ROWS, max_epochs=20, tol=tol, patience=patience
    )
    _, history, reason = run(start_of(network, Adam()), History(), data, config, rng)
    expected = min(stale_from + patience + 1, 20)
    assert_allclose(history.losses, losses[:expected], rtol=1e-14)
    assert reason == ("max_epochs" if stale_from == 20 else "converged")


def test_an_improvement_starts_patience_anew(network, data, rng):
    losses = [5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 3.0, 1.0, 0.0]
    config = config_of(
        scripted(losses), batch_size=N_ROWS, max_epochs=9, tol=0.5, patience=1
    )
    _, history, reason = run(start_of(network, Adam()), History(), data, config, rng)
    assert_allclose(history.losses, losses[:7], rtol=1e-14)
    assert reason == "converged"


def test_what_counts_is_the_lowest_loss_of_all_epochs(network, data, rng):
    config = config_of(
        scripted([5.0, 4.0, 3.0, 2.0]), batch_size=N_ROWS, max_epochs=4, tol=0, patience=2
    )
    earlier = History(n_rows=20).followed_by(2.5).followed_by(9.0)
    _, history, reason = run(start_of(network, Adam()), earlier, data, config, rng)
    assert_allclose(history.losses, [2.5, 9.0, 5.0, 4.0, 3.0], rtol=1e-14)
    assert reason == "converged"


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.1, 0.9, 0.3, 0.2, 0.8], 2),
        ([0.9, 0.1, 0.3, 0.2, 0.8], 1),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 5),
        ([0.5, 0.7, 0.7, 0.6, 0.7], 2),
        # Highest is highest, also where the improvement is below tol.
        ([0.5, 0.5001, 0.2, 0.5002, 0.1], 4),
    ],
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_early_stopping_returns_the_best_network_and_its_state(
    network, data, optimizer, scores, best
):
    seen = []

    def validate(present):
        seen.append(present)
        return 1.0, [0.0, *scores][len(seen) - 1]

    config = config_of(optimizer=optimizer, max_epochs=5, tol=0.01, early_stopping=True)
    start = start_of(network, optimizer)
    end, history, reason = run(
        start, History(), data, config, check_random_state(0), validate=validate
    )
    assert reason == "max_epochs"
    assert history.validation_scores == scores
    assert end.network is seen[best]
    alone, _, _ = run(
        start, History(), data, config_of(optimizer=optimizer, max_epochs=best),
        check_random_state(0),
    )  # fmt: skip
    assert_same_point(end, alone)


def test_without_early_stopping_scores_change_nothing(network, data):
    start = start_of(network, Adam())
    watched, history, _ = run(
        start, History(), data, config_of(), check_random_state(0),
        validate=lambda network: (float(network.layers[0].bias[0]), -1.0),
    )  # fmt: skip
    alone, other, _ = run(start, History(), data, config_of(), check_random_state(0))
    assert_same_point(watched, alone)
    assert history.losses == other.losses
    assert history.validation_scores == [-1.0] * 3
    assert history.validation_losses[-1] == alone.network.layers[0].bias[0]


def test_early_stopping_is_patient_with_the_score_not_the_loss(network, data, rng):
    scores = iter([0.0, 0.1, 0.5, 0.5, 0.4, 0.9])
    config = config_of(
        scripted([5.0, 4.0, 3.0, 2.0, 1.0]),
        batch_size=N_ROWS, max_epochs=5, tol=0.01, patience=1, early_stopping=True,
    )  # fmt: skip
    _, history, reason = run(
        start_of(network, Adam()), History(), data, config, rng,
        validate=lambda _: (0.0, next(scores)),
    )  # fmt: skip
    assert reason == "converged"
    assert history.validation_scores == [0.1, 0.5, 0.5, 0.4]


@pytest.mark.parametrize(
    ("scores", "epochs"),
    [([0.9, 0.1, 0.3, 0.2, 0.8], 3), ([0.5, 0.5, 0.5, 0.5, 0.6], 3)],
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_start_is_the_network_to_beat(network, data, rng, optimizer, scores, epochs):
    seen = []

    def validate(present):
        seen.append(present)
        return 1.0, scores[len(seen) - 1]

    config = config_of(
        optimizer=optimizer, max_epochs=4, tol=0.01, patience=2, early_stopping=True
    )
    start = start_of(network, optimizer)
    before = [array.copy() for array in arrays_of(start)]
    end, history, reason = run(start, History(), data, config, rng, validate=validate)
    assert end.network is network
    for array, copy in zip(arrays_of(end), before, strict=True):
        assert_array_equal(array, copy)
    assert seen[0] is network
    # The history has epochs only, and patience counts from the start.
    assert history.validation_scores == scores[1 : epochs + 1]
    assert reason == "converged"


@pytest.mark.parametrize("bad", [np.nan, KeyboardInterrupt])
@pytest.mark.parametrize("step", [1, 3])
def test_the_start_is_the_best_until_an_epoch_is_over(network, data, rng, step, bad):
    scripted_objective = scripted([1.0] * (step - 1))

    def value_and_gradient(present, batch):
        try:
            return scripted_objective.value_and_gradient(present, batch)
        except StopIteration:
            if bad is KeyboardInterrupt:
                raise KeyboardInterrupt from None
            return bad, []

    objective = SimpleNamespace(
        value=lambda *_: 0.0, value_and_gradient=value_and_gradient, total=total_weight
    )
    start = start_of(network, Adam())
    end, history, reason = run(
        start, History(), data, config_of(objective, early_stopping=True), rng,
        validate=lambda _: (0.0, 0.5),
    )  # fmt: skip
    assert end.network is network
    assert end.state is start.state
    assert history.losses == []
    assert reason == ("interrupted" if bad is KeyboardInterrupt else "diverged")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_start_is_scored_where_it_is_the_one_to_beat(
    network, data, rng, early_stopping
):
    seen = []

    def validate(present):
        seen.append(present)
        return 0.0, 0.5

    config = config_of(early_stopping=early_stopping)
    run(start_of(network, Adam()), History(), data, config, rng, validate=validate)
    assert len(seen) == config.max_epochs + early_stopping
    assert (seen[0] is network) == early_stopping


@pytest.mark.parametrize("earlier", [0.1, 0.9])
def test_early_stopping_asks_nothing_of_scores_on_earlier_rows(
    network, data, rng, earlier
):
    history = History(n_rows=10).followed_by(1.0, (1.0, earlier))
    scores = iter([0.6, 0.7, 0.8, 0.75])
    end, later, _ = run(
        start_of(network, Adam()), history, data, config_of(early_stopping=True), rng,
        validate=lambda _: (0.0, next(scores)),
    )  # fmt: skip
    assert later.validation_scores == [earlier, 0.7, 0.8, 0.75]
    assert later.kept_score == 0.8
    assert end.network is not network


def test_early_stopping_keeps_the_start_if_no_epoch_is_better(network, data, rng):
    start, scores = start_of(network, Adam()), iter([0.6, 0.5, 0.6, 0.4])
    end, history, _ = run(
        start, History(), data, config_of(early_stopping=True), rng,
        validate=lambda _: (0.0, next(scores)),
    )  # fmt: skip
    assert end.network is network
    assert end.state is start.state
    assert history.kept_score == 0.6


@pytest.mark.parametrize("rate", [0.01, 1.0, 1e3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@np.errstate(over="ignore", invalid="ignore")
def test_what_is_kept_is_no_worse_than_the_start(data, rng, optimizer, rate):
    network = random_network((3, 5, 4, 3), "relu")
    config = config_of(
        optimizer=optimizer, rates=[rate] * 3, max_epochs=20, keeps_best=True
    )
    end, history, reason = run(start_of(network, optimizer), History(), data, config, rng)
    at_start, at_end = (config.objective.value(n, data) for n in (network, end.network))
    assert at_end <= at_start
    last, _, why = run(
        start_of(network, optimizer), History(), data,
        replace(config, keeps_best=False), np.random.RandomState(0),
    )  # fmt: skip
    at_last = config.objective.value(last.network, data)
    is_worse = at_last > 1.01 * at_start  # with a tol of minus infinity
    assert reason == ("worse" if is_worse and why != "diverged" else why)
    if at_last <= at_start:
        assert_same_point(end, last)
    assert len(history.losses) > 1


def test_weights_of_a_batch_count_by_the_mean_weight_of_all_rows(network, data):
    """Where all rows of a batch weigh the same, too."""
    one = data.take(np.array([4]))
    heavy = one._replace(sample_weight=3 * one.sample_weight)
    value, gradients = Objective("log_loss", 0.0, 2.0).value_and_gradient(network, one)
    other, thrice = Objective("log_loss", 0.0, 2.0).value_and_gradient(network, heavy)
    assert_allclose(other, 3 * value, rtol=1e-12)
    for g, h in zip(gradients, thrice, strict=True):
        assert_allclose(h, 3 * g, rtol=1e-12)
    mean, _ = Objective("log_loss").value_and_gradient(network, one)
    assert_allclose(value, mean * one.sample_weight[0] / 2, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [3, N_ROWS])
@pytest.mark.parametrize("max_epochs", [1, 20])
@pytest.mark.parametrize("rate", [1e160, 1e200])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_divergence_returns_the_last_finite_position(
    data, rng, optimizer, rate, max_epochs, batch_size
):
    network = random_network((3, 5, 4, 3), "relu")
    objective = Objective("log_loss", 0.1)
    config = config_of(
        objective, optimizer, rates=[rate] * 3, max_epochs=max_epochs,
        batch_size=batch_size,
    )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):
        end, history, reason = run(
            start_of(network, optimizer), History(), data, config, rng
        )
    assert reason == "diverged"
    assert all(np.isfinite(array).all() for array in arrays_of(end))
    assert isfinite(objective.value(end.network, data))
    assert all(isfinite(loss) for loss in history.losses)


def test_divergence_after_some_epochs_keeps_what_they_reached(network, data, rng):
    # The penalty multiplies the weights by about -1e18 a step, until they overflow.
    objective = Objective("log_loss", 1.0)
    config = config_of(
        objective,
        SGD(momentum=0),
        rates=[1e19] * 2,
        batch_size=N_ROWS,
        max_epochs=40,
    )
    start = start_of(network, config.optimizer)
    with np.errstate(over="ignore", invalid="ignore"):
        end, history, reason = run(start, History(), data, config, rng)
        _, gradients = objective.value_and_gradient(end.network, data)
        after = [
            p - 1e19 * g for p, g in zip(end.network.parameters, gradients, strict=True)
        ]
        loss_after = objective.value(network.with_parameters(after), data)
    assert reason == "diverged"
    assert all(np.isfinite(array).all() for array in arrays_of(end))
    assert not isfinite(loss_after)
    # Full batches: the loss at the returned network is that of the last epoch.
    assert len(history.losses) > 3
    assert_allclose(history.losses[-1], objective.value(end.network, data), rtol=1e-12)


@pytest.mark.parametrize("bad", [inf, -inf, np.nan])
@pytest.mark.parametrize("step", [1, 2, 3, 4, 6])
def test_divergence_goes_back_to_where_the_loss_was_finite(network, data, rng, step, bad):
    # Steps 1 to 3 are the first epoch.
    seen = []
    losses = scripted([*[1.0] * (step - 1), bad])

    def value_and_gradient(present, batch):
        seen.append(present)
        return losses.value_and_gradient(present, batch)

    objective = SimpleNamespace(
        value=losses.value, value_and_gradient=value_and_gradient, total=total_weight
    )
    end, history, reason = run(
        start_of(network, Adam()), History(), data, config_of(objective), rng
    )
    assert reason == "diverged"
    # The loss of the last network seen is not finite; that of the one before it is.
    assert end.network is seen[max(step - 2, 0)]
    # The sums hold the gradient that led astray: the optimizer begins anew.
    assert end.state is None
    assert len(history.losses) == (step - 1) // 3


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_interrupt_between_epochs_returns_where_training_stands(
    network, data, rng, epoch
):
    seen = []

    def validate(present):
        seen.append(present)
        return 1.0, 0.5

    def on_epoch(history, *_):
        if len(history.losses) == epoch:
            raise KeyboardInterrupt

    end, history, reason = run(
        start_of(network, Adam()), History(), data, config_of(), rng,
        validate=validate, on_epoch=on_epoch,
    )  # fmt: skip
    assert reason == "interrupted"
    assert end.network is seen[epoch - 1]
    assert end.state[0] == 3 * epoch
    assert len(history.losses) == len(history.validation_scores) == epoch


@pytest.mark.parametrize("step", [1, 2, 3, 4, 6])
def test_interrupt_amid_an_epoch_returns_where_training_stands(network, data, rng, step):
    objective = Objective("log_loss", 0.1)
    seen = []

    def value_and_gradient(present, batch):
        seen.append(present)
        if len(seen) == step:
            raise KeyboardInterrupt
        return objective.value_and_gradient(present, batch)

    interrupted = SimpleNamespace(
        total=total_weight, value=objective.value, value_and_gradient=value_and_gradient
    )
    end, history, reason = run(
        start_of(network, Adam()), History(), data, config_of(interrupted), rng
    )
    assert reason == "interrupted"
    assert end.network is seen[-1]
    assert end.state[0] == step - 1
    assert isfinite(objective.value(end.network, data))
    assert len(history.losses) == (step - 1) // 3


def test_interrupt_with_early_stopping_returns_the_best_so_far(network, data, rng):
    scores, seen = [0.0, 0.1, 0.9, 0.3], []

    def validate(present):
        seen.append(present)
        if len(seen) > len(scores):
            raise KeyboardInterrupt
        return 1.0, scores[len(seen) - 1]

    config = config_of(max_epochs=9, early_stopping=True)
    start = start_of(network, Adam())
    end, _, reason = run(start, History(), data, config, rng, validate=validate)
    assert reason == "interrupted"
    assert end.network is seen[2]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_training_leaves_start_and_history_as_they_are(network, data, rng, optimizer):
    start = start_of(network, optimizer)
    for array in arrays_of(start):
        array.flags.writeable = False
    before = [array.copy() for array in arrays_of(start)]
    history = History(n_rows=7).followed_by(2.0, (3.0, 0.5))
    config = config_of(optimizer=optimizer)
    end, later, _ = run(start, history, data, config, rng, validate=lambda _: (1.0, 1.0))
    assert history == History(n_rows=7).followed_by(2.0, (3.0, 0.5))
    assert start.network is network
    for array, copy in zip(arrays_of(start), before, strict=True):
        assert_array_equal(array, copy)
    assert later.losses[0] == 2.0
    assert len(later.losses) == len(later.validation_losses) == 4
    assert not np.array_equal(end.network.layers[0].weights, before[0])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_no_network_changes_once_it_is_made(network, data, rng, optimizer):
    objective = Objective("log_loss", 0.1)
    seen = []

    def value_and_gradient(present, batch):
        seen.append((present, [p.copy() for p in present.parameters]))
        return objective.value_and_gradient(present, batch)

    watched = SimpleNamespace(
        total=total_weight, value=objective.value, value_and_gradient=value_and_gradient
    )
    run(start_of(network, optimizer), History(), data, config_of(watched, optimizer), rng)
    assert len(seen) == 9
    for present, copies in seen:
        for p, copy in zip(present.parameters, copies, strict=True):
            assert_array_equal(p, copy)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("limit", [1, 8])
def test_training_in_blocks_is_the_same(network, data, optimizer, limit, monkeypatch):
    start, config = start_of(network, optimizer), config_of(optimizer=optimizer)
    expected, history, _ = run(start, History(), data, config, check_random_state(0))
    monkeypatch.setattr("skmetricmlp._array_api.BLOCK_ELEMENTS", limit)
    actual, other, _ = run(start, History(), data, config, check_random_state(0))
    assert_same_point(actual, expected, rtol=1e-13)
    assert_allclose(other.losses, history.losses, rtol=1e-13)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_two_calls_equal_one_call_of_all_epochs(network, data, optimizer):
    start = start_of(network, optimizer)
    config = config_of(optimizer=optimizer, max_epochs=5)
    expected, whole, _ = run(start, History(), data, config, check_random_state(0))

    rng = check_random_state(0)
    point, history = start, History()
    for epochs in (2, 0, 3):
        config = config_of(optimizer=optimizer, max_epochs=epochs)
        point, history, _ = run(point, history, data, config, rng)
    assert_same_point(point, expected)
    assert history == whole


def test_no_epochs_return_the_start(network, data, rng):
    start = start_of(network, Adam())
    end, history, reason = run(start, History(), data, config_of(max_epochs=0), rng)
    assert end.network is network
    assert_same_point(end, start)
    assert history == History()
    assert reason == "max_epochs"


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 4, 5, N_ROWS, 2 * N_ROWS + 1])
def test_an_epoch_visits_each_row_once(data, rng, batch_size, shuffle):
    network = random_network((1, 3))
    data = data._replace(X=read_only(np.arange(N_ROWS))[:, None])
    steps = []

    def value_and_gradient(network, batch):
        rows = batch.X[:, 0].astype(int)
        assert_array_equal(batch.y, data.y[rows])
        assert_array_equal(batch.sample_weight, data.sample_weight[rows])
        steps.append(rows.tolist())
        return 1.0, [np.zeros_like(p) for p in network.parameters]

    objective = SimpleNamespace(
        value=lambda *_: 0.0, value_and_gradient=value_and_gradient, total=total_weight
    )
    config = config_of(objective, rates=[0.1], batch_size=batch_size, shuffle=shuffle)
    run(start_of(network, Adam()), History(), data, config, rng)

    full, left = divmod(N_ROWS, batch_size)
    sizes = [batch_size] * full + [left] * (left > 0)
    assert [len(rows) for rows in steps] == 3 * sizes
    visited = np.reshape([row for rows in steps for row in rows], (3, N_ROWS))
    assert_array_equal(np.sort(visited, axis=1), [list(range(N_ROWS))] * 3)
    if shuffle:
        assert len({tuple(epoch) for epoch in visited.tolist()}) == 3
    else:
        assert_array_equal(visited, [list(range(N_ROWS))] * 3)


def test_shuffle_false_draws_nothing_and_shuffle_follows_the_generator(network, data):
    start = start_of(network, Adam())
    ends = {}
    for shuffle in (False, True):
        for seed in (0, 1):
            rng = check_random_state(seed)
            config = config_of(shuffle=shuffle)
            ends[shuffle, seed], _, _ = run(start, History(), data, config, rng)
            untouched = rng.randint(2**31) == check_random_state(seed).randint(2**31)
            assert untouched == (not shuffle)
    assert_same_point(ends[False, 0], ends[False, 1])
    a, b = (ends[True, seed].network.layers[0].weights for seed in (0, 1))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix])
def test_sparse_rows_train_as_dense_rows_do(network, data, sparse):
    X = data.X * (data.X > 0)
    results = [
        run(
            start_of(network, Adam()), History(), data._replace(X=rows), config_of(),
            check_random_state(0),
        )
        for rows in (X, sparse(X))
    ]  # fmt: skip
    (dense, dense_history, _), (other, other_history, _) = results
    assert_same_point(other, dense, rtol=1e-9, atol=1e-12)
    assert_allclose(other_history.losses, dense_history.losses, rtol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_rows_given_twice_are_rows_of_weight_two(network, data, rng, optimizer):
    # In full batches; alpha is divided by the total weight, the same in both.
    twice = data.take(np.repeat(np.arange(N_ROWS), 2))
    heavy = data._replace(sample_weight=2 * data.sample_weight)
    ends, histories = [], []
    for rows in (twice, heavy):
        config = config_of(optimizer=optimizer, batch_size=2 * N_ROWS)
        start = start_of(network, optimizer)
        end, history, _ = run(start, History(), rows, config, rng)
        ends.append(end)
        histories.append(history.losses)
    assert_same_point(ends[0], ends[1], rtol=1e-9, atol=1e-12)
    assert_allclose(histories[0], histories[1], rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("scale", [1e-3, 7.0, 1e6])
def test_without_penalty_only_relative_weights_count(data, loss, scale):
    network = random_network((3, 5, 3), output=LOSSES[loss].output_activation)
    scaled = data._replace(sample_weight=scale * data.sample_weight)
    objective = Objective(loss)
    value, gradients = objective.value_and_gradient(network, data)
    other, other_gradients = objective.value_and_gradient(network, scaled)
    assert_allclose(other, value, rtol=1e-12)
    for a, b in zip(other_gradients, gradients, strict=True):
        assert_allclose(a, b, rtol=1e-11, atol=1e-15)
    config = config_of(objective)
    ends = [
        run(start_of(network, Adam()), History(), rows, config, check_random_state(0))
        for rows in (data, scaled)
    ]
    assert_same_point(ends[1][0], ends[0][0], rtol=1e-8, atol=1e-11)
    assert_allclose(ends[1][1].losses, ends[0][1].losses, rtol=1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_training_on_another_namespace_equals_numpy(network, data, xp, optimizer):
    def move(array):
        return xp.asarray(array.copy())

    moved = network.with_parameters([move(p) for p in network.parameters])
    config = config_of(optimizer=optimizer)
    ends = [
        run(
            start_of(start, optimizer), History(), rows, config, check_random_state(0),
            validate=lambda network, rows=rows: loss_and_score(
                "log_loss", network, rows
            ),
        )
        for start, rows in ((network, data), (moved, TrainingData(*map(move, data))))
    ]  # fmt: skip
    (expected, history, reason), (actual, other, other_reason) = ends
    assert {type(array) for array in arrays_of(actual)} == {type(xp.asarray(0.0))}
    assert_same_point(actual, expected, rtol=1e-9, atol=1e-12)
    assert_allclose(other.losses, history.losses, rtol=1e-11)
    assert_allclose(other.validation_losses, history.validation_losses, rtol=1e-11)
    assert_allclose(other.validation_scores, history.validation_scores, rtol=1e-11)
    assert other_reason == reason == "max_epochs"


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_training_keeps_float32(network, data, rng, optimizer):
    single = TrainingData(*(read_only(p, t) for p, t in zip(data, "fif", strict=True)))
    start = start_of(network.astype(np.float32), optimizer)
    end, _, _ = run(start, History(), single, config_of(optimizer=optimizer), rng)
    assert {array.dtype for array in arrays_of(end)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("validated", [False, True])
def test_history_has_an_entry_an_epoch(network, data, rng, validated):
    lengths = []

    def on_epoch(history, *_):
        lengths.append(
            (len(history.losses), len(history.validation_losses), history.n_rows)
        )

    validate = (lambda _: (0.25, 0.75)) if validated else None
    _, history, _ = run(
        start_of(network, Adam()), History(), data, config_of(max_epochs=4), rng,
        validate=validate, on_epoch=on_epoch,
    )  # fmt: skip
    assert lengths == [(k, k * validated, N_ROWS * k) for k in (1, 2, 3, 4)]
    assert history.validation_losses == [0.25] * (4 * validated)
    assert history.validation_scores == [0.75] * (4 * validated)
    assert history.n_rows == 4 * N_ROWS


def test_epochs_begin_where_the_one_before_ended(network, data, rng):
    events = []

    def note(kind):
        return lambda history, present, _: events.append(
            (kind, len(history.losses), present)
        )

    end, _, _ = run(
        start_of(network, Adam()), History(), data, config_of(), rng,
        before_epoch=note("before"), on_epoch=note("on"),
    )  # fmt: skip
    expected = [("before", 0), ("on", 1), ("before", 1), ("on", 2), ("before", 2)]
    assert [event[:2] for event in events] == [*expected, ("on", 3)]
    networks = [event[2] for event in events]
    assert networks[0] is network
    assert networks[1] is networks[2] is not networks[3] is networks[4]
    assert networks[5] is end.network


@pytest.mark.parametrize("epoch", [1, 2, 3])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_listener_can_stop_training(network, data, rng, epoch, early_stopping):
    scores = iter([0.1, 0.4, 0.3, 0.2])
    seen = [network]

    def on_epoch(history, present, _):
        seen.append(present)
        return len(history.losses) == epoch

    end, history, reason = run(
        start_of(network, Adam()), History(), data,
        config_of(early_stopping=early_stopping), rng,
        validate=lambda _: (1.0, next(scores)), on_epoch=on_epoch,
    )  # fmt: skip
    assert reason == "stopped"
    assert len(history.losses) == epoch
    assert end.network is seen[1 if early_stopping else epoch]


def test_training_lowers_the_objective(network, data, rng):
    objective = Objective("log_loss", 0.1)
    config = config_of(objective, max_epochs=50)
    end, history, _ = run(start_of(network, Adam()), History(), data, config, rng)
    assert objective.value(end.network, data) < 0.8 * objective.value(network, data)
    assert history.losses[-1] < history.losses[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_score_is_its_loop(data, loss):
    network = random_network((3, 5, 3), output=LOSSES[loss].output_activation)
    lost = right = total = 0.0
    for row, code, weight in zip(*(part.tolist() for part in data), strict=True):
        z = network.affine_output(np.array([row]))[0].tolist()
        if loss == "log_loss":
            lost += weight * (log(sum(exp(v) for v in z)) - z[code])
        elif loss == "binary_log_loss":
            for c, v in enumerate(z):
                lost += weight * log(1 + exp(-v if c == code else v))
        else:
            for c, v in enumerate(z):
                said = v if loss == "identity_squared_error" else 1 / (1 + exp(-v))
                lost += weight * (said - (c == code)) ** 2 / 2
        right += weight * (z[code] == max(z))
        total += weight
    assert 0 < right < total
    actual = loss_and_score(loss, network, data)
    assert_allclose(actual, (lost / total, right / total), rtol=1e-12)
    scaled = loss_and_score(
        loss, network, data._replace(sample_weight=7 * data.sample_weight)
    )
    assert_allclose(scaled, actual, rtol=1e-12)


@pytest.mark.parametrize("loss", ["binary_log_loss", "binary_squared_error"])
def test_loss_and_score_of_several_labels_are_their_loop(data, loss):
    network = random_network((3, 5, 2), output="logistic")
    y = (network.affine_output(data.X) > 0).astype(float)
    y[::3, 0] = 1 - y[::3, 0]
    lost = right = total = 0.0
    for row, labels, weight in zip(data.X, y, data.sample_weight, strict=True):
        p = [1 / (1 + exp(-v)) for v in network.affine_output(row[None])[0].tolist()]
        pairs = list(zip(p, labels.tolist(), strict=True))
        if loss == "binary_log_loss":
            lost -= weight * sum(log(a) if t else log(1 - a) for a, t in pairs)
        else:
            lost += weight * sum((a - t) ** 2 / 2 for a, t in pairs)
        right += weight * all((a > 0.5) == t for a, t in pairs)
        total += weight
    assert 0 < right < total
    actual = loss_and_score(loss, network, data._replace(y=read_only(y)))
    assert_allclose(actual, (lost / total, right / total), rtol=1e-12)


def test_accuracy_with_equal_weights_is_that_of_the_predictions(network, data):
    data = data._replace(sample_weight=read_only(np.ones(N_ROWS)))
    _, accuracy = loss_and_score("log_loss", network, data)
    predicted = np.argmax(network.forward(data.X), axis=1)
    assert_allclose(accuracy, np.mean(predicted == data.y), rtol=1e-15)


def values_to_learn(data, n_outputs=3):
    """The rows, with values instead of classes."""
    values = np.random.default_rng(3).normal(size=(len(data.sample_weight), n_outputs))
    return data._replace(y=read_only(values * np.arange(1, n_outputs + 1)))


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_loss_and_r2_of_values_are_their_loops(data, n_outputs):
    data = values_to_learn(data, n_outputs)
    network = random_network((3, 5, n_outputs), output="identity")
    said, total = network.affine_output(data.X), sum(data.sample_weight)
    lost, scores = 0.0, []
    for z, t in zip(said.T.tolist(), data.y.T.tolist(), strict=True):
        rows = list(zip(z, t, data.sample_weight.tolist(), strict=True))
        mean = sum(w * b for _, b, w in rows) / total
        left = sum(w * (a - b) ** 2 for a, b, w in rows)
        scores.append(1 - left / sum(w * (b - mean) ** 2 for _, b, w in rows))
        lost += left / 2 / total
    actual = loss_and_score("identity_squared_error", network, data)
    assert_allclose(actual, (lost, np.mean(scores)), rtol=1e-12)
    assert_allclose(
        actual[1], r2_score(data.y, said, sample_weight=data.sample_weight), rtol=1e-12
    )
    scaled = data._replace(sample_weight=7 * data.sample_weight)
    assert_allclose(
        loss_and_score("identity_squared_error", network, scaled), actual, rtol=1e-12
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_r2_of_values_that_are_all_the_same(data, value):
    """One where they are predicted exactly, else zero, as scikit-learn has it."""
    network = random_network((3, 5, 2), output="identity")
    data = values_to_learn(data, 2)
    n = len(data.sample_weight)
    targets = np.column_stack([np.full(n, value), data.y[:, 0]])
    _, score = loss_and_score("identity_squared_error", network, data._replace(y=targets))
    z = network.affine_output(data.X)
    varying = r2_score(targets[:, 1], z[:, 1], sample_weight=data.sample_weight)
    assert_allclose(score, (0 + varying) / 2, rtol=1e-12)
    last = network.layers[-1]
    exact = last.with_parameters((last.weights * [0.0, 1.0], np.array([value, 0.3])))
    network = type(network)((*network.layers[:-1], exact))
    _, score = loss_and_score("identity_squared_error", network, data._replace(y=targets))
    z = network.affine_output(data.X)
    varying = r2_score(targets[:, 1], z[:, 1], sample_weight=data.sample_weight)
    assert_allclose(score, (1 + varying) / 2, rtol=1e-12)


def test_loss_and_r2_on_another_namespace_equal_numpy(data, xp):
    data = values_to_learn(data)
    network = random_network((3, 5, 3), output="identity")
    expected = loss_and_score("identity_squared_error", network, data)
    moved = type(data)(*(xp.asarray(np.array(part)) for part in data))
    there = type(network)(
        tuple(
            layer.with_parameters([xp.asarray(np.array(p)) for p in layer.parameters])
            for layer in network.layers
        )
    )
    actual = loss_and_score("identity_squared_error", there, moved)
    assert_allclose(actual, expected, rtol=1e-12)
