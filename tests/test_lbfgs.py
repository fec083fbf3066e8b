"""L-BFGS: the minimum it finds, what an epoch is, and why it ends."""

from typing import NamedTuple

import array_api_strict
import numpy as np
import pytest
from networks import random_network, read_only
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_iris, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._data import TrainingData
from skmetricmlp.network import Dense, Network
from skmetricmlp.training import (
    History,
    Objective,
    TrainingConfig,
    loss_and_score,
    train_lbfgs,
)
from skmetricmlp.training.lbfgs import flatten, unflatten

N_ROWS = 30
NEVER = -np.inf  # a tol that no epoch fails


def config_of(objective=None, **settings):
    """Return a configuration that stops only after ``max_epochs`` or at rest."""
    defaults = {"rates": [1.0], "batch_size": 4, "max_epochs": 5, "tol": NEVER}
    objective = objective or Objective("log_loss", 0.1)
    return TrainingConfig(objective, None, **(defaults | settings))


class End(NamedTuple):
    """The network and the state of the optimizer at the end of training."""

    network: Network
    state: None


def minimize(network, data, config=None, history=None, **listeners):
    end = train_lbfgs(
        network, history or History(), data, config or config_of(), **listeners
    )
    return End(*end[:2]), *end[2:]


class Scripted:
    """Half the sum of squares of the parameters, until an evaluation that is not."""

    def __init__(self, bad, at):
        self.bad, self.left, self.seen = bad, at, []

    def value_and_gradient(self, network, _):
        self.seen.append(network)
        self.left -= 1
        if self.left == 0:
            if self.bad is KeyboardInterrupt:
                raise KeyboardInterrupt
            if self.bad == "gradient":
                return 1.0, [np.full_like(p, np.nan) for p in network.parameters]
            return self.bad, [np.ones_like(p) for p in network.parameters]
        value, gradients = 0.0, []
        for k, p in enumerate(network.parameters):  # curved, for several iterations
            value += float(np.sum(p**4)) + (k + 1) * float(np.sum(p**2)) / 2
            gradients.append(4 * p**3 + (k + 1) * p)
        return value, gradients


@pytest.fixture
def network():
    return random_network((3, 5, 3))


@pytest.fixture
def data():
    """Thirty rows of three features, three classes, weights between 1/2 and 2."""
    rng = np.random.default_rng(1)
    return TrainingData(
        read_only(rng.normal(size=(N_ROWS, 3))),
        read_only(np.arange(N_ROWS) % 3, int),
        read_only(rng.uniform(0.5, 2, N_ROWS)),
    )


def test_flatten_goes_there_and_back():
    network = random_network((3, 5, 2)).astype(np.float32)
    vector = flatten(network.parameters)
    assert vector.dtype == np.float64
    assert_array_equal(vector[15:20], network.layers[0].bias)
    assert vector[1] == network.layers[0].weights[0, 1]
    other = unflatten(vector, network)
    vector[:] = 0
    for a, b in zip(other.parameters, network.parameters, strict=True):
        assert_array_equal(a, b)
        assert a.dtype == np.float32


@pytest.mark.parametrize("order", ["C", "F"])
def test_flatten_is_in_row_major_order(order):
    array = np.array([[1.0, 2.0], [3.0, 4.0]], order=order)
    assert flatten([array, np.array([5.0])]).tolist() == [1, 2, 3, 4, 5]


def test_least_squares_end_at_the_closed_form():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 6)), rng.normal(size=(40, 2))
    w, alpha = rng.uniform(0.5, 2, 40), 3.0
    network = Network((Dense(rng.normal(size=(6, 2)), rng.normal(size=2), "identity"),))
    data = TrainingData(*map(read_only, (X, Y, w)))
    config = config_of(Objective("identity_squared_error", alpha), max_epochs=500)
    end, history, reason = minimize(network, data, config)

    # Normal equations of the rows and a column of ones, which has no penalty.
    A = np.column_stack([X, np.ones(40)])
    normal = A.T @ (w[:, None] * A) + alpha * np.diag([1.0] * 6 + [0.0])
    expected = np.linalg.solve(normal, A.T @ (w[:, None] * Y))
    assert reason == "converged"
    assert len(history.losses) < 100
    assert_allclose(end.network.layers[0].weights, expected[:6], rtol=0, atol=1e-6)
    assert_allclose(end.network.layers[0].bias, expected[6], rtol=0, atol=1e-6)


def test_softmax_regression_is_that_of_scikit_learn():
    X, y = load_iris(return_X_y=True)
    X = read_only(scale(X))
    weights = read_only(np.random.default_rng(0).uniform(0.5, 2, len(y)))
    theirs = LogisticRegression(C=1 / 0.5, solver="newton-cg", tol=1e-12)
    theirs.fit(X, y, weights)
    network = random_network((4, 3))
    config = config_of(Objective("log_loss", 0.5), max_epochs=1000)
    end, _, reason = minimize(network, TrainingData(X, y, weights), config)
    assert reason == "converged"
    (layer,) = end.network.layers
    assert_allclose(layer.weights, theirs.coef_.T, rtol=0, atol=1e-6)
    # Only differences of the biases count.
    bias, intercept = layer.bias, theirs.intercept_
    assert_allclose(bias - bias.mean(), intercept - intercept.mean(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
@pytest.mark.parametrize("is_classifier", [True, False])
def test_it_ends_as_low_as_scikit_learn_from_the_same_weights(activation, is_classifier):
    X, y = load_iris(return_X_y=True) if is_classifier else load_diabetes(return_X_y=True)
    X, y = scale(X), y if is_classifier else scale(y)
    common = {"activation": activation, "alpha": 0.1, "solver": "lbfgs", "tol": 0}
    n_in, n_out, output = (4, 3, "softmax") if is_classifier else (10, 1, "identity")
    start = random_network((n_in, 6, n_out), activation, output)
    coefs, intercepts = start.parameters[::2], start.parameters[1::2]

    theirs = (MLPClassifier if is_classifier else MLPRegressor)(
        hidden_layer_sizes=6, max_iter=1, warm_start=True, **common
    )
    with pytest.warns(ConvergenceWarning):
        theirs.fit(X, y)
    theirs.coefs_ = [w.copy() for w in coefs]
    theirs.intercepts_ = [b.copy() for b in intercepts]
    theirs.set_params(max_iter=15)
    ours = (MetricInitMLPClassifier if is_classifier else MetricInitMLPRegressor)(
        init=(coefs, intercepts), n_comparisons=6, n_conjunctions=0, max_iter=15, **common
    )
    for model in (theirs, ours):
        with pytest.warns(ConvergenceWarning):
            model.fit(X, y)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-4)
    assert ours.n_iter_ == 15


def test_an_epoch_is_an_iteration_and_its_loss_the_objective_after_it(network, data):
    config = config_of(max_epochs=12)
    seen = []

    def validate(present):
        seen.append((present, [p.copy() for p in present.parameters]))
        return 1.0, 0.5

    end, history, reason = minimize(network, data, config, validate=validate)
    assert reason == "max_epochs"
    assert len(seen) == len(history.losses) == 12
    assert history.n_rows == 12 * N_ROWS
    assert end.network is seen[-1][0]
    assert end.state is None
    for (present, copies), loss in zip(seen, history.losses, strict=True):
        assert_allclose(config.objective.value(present, data), loss, rtol=1e-12)
        for p, copy in zip(present.parameters, copies, strict=True):
            assert_array_equal(p, copy)
    losses = [config.objective.value(network, data), *history.losses]
    assert (np.diff(losses) < 0).all()


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_start_and_its_history_stay(network, data, early_stopping):
    history = History(n_rows=7).followed_by(9.0, (3.0, 0.5))
    before = [p.copy() for p in network.parameters]
    config = config_of(early_stopping=early_stopping)
    _, later, _ = minimize(network, data, config, history, validate=lambda _: (1.0, 0.9))
    assert history == History(n_rows=7).followed_by(9.0, (3.0, 0.5))
    assert later.losses[0] == 9.0
    assert later.n_rows == 7 + 5 * N_ROWS
    for p, copy in zip(network.parameters, before, strict=True):
        assert_array_equal(p, copy)


def test_no_epochs_return_the_start(network, data):
    end, history, reason = minimize(network, data, config_of(max_epochs=0))
    assert end.network is network
    assert (history, reason) == (History(), "max_epochs")


def test_at_the_minimum_an_epoch_changes_nothing(network, data):
    zero = network.with_parameters([np.zeros_like(p) for p in network.parameters])
    config = config_of(Scripted(np.nan, at=-1))
    end, history, reason = minimize(zero, data, config)
    assert reason == "converged"
    assert history == History(n_rows=N_ROWS).followed_by(0.0)
    assert not flatten(end.network.parameters).any()


def test_a_search_that_fails_is_convergence(network, data):
    class Wrong(Scripted):
        def value_and_gradient(self, network, batch):
            value, gradients = super().value_and_gradient(network, batch)
            return value, [-g for g in gradients]  # uphill

    objective = Wrong(np.nan, at=-1)
    end, history, reason = minimize(network, data, config_of(objective))
    assert reason == "converged"
    assert len(history.losses) == 1
    assert len(objective.seen) > 5
    assert_allclose(flatten(end.network.parameters), flatten(network.parameters))


@pytest.mark.parametrize("epoch", [1, 2, 5])
def test_a_listener_can_stop_it(network, data, epoch):
    events, networks = [], [network]

    def before_epoch(history, present, _):
        events.append(("before", len(history.losses)))
        assert present is networks[-1]

    def on_epoch(history, present, _):
        events.append(("on", len(history.losses)))
        networks.append(present)
        return len(history.losses) == epoch

    end, history, reason = minimize(
        network, data, before_epoch=before_epoch, on_epoch=on_epoch
    )
    assert reason == "stopped"
    assert len(history.losses) == epoch
    assert events == [
        (k, n + (k == "on")) for n in range(epoch) for k in ("before", "on")
    ]
    assert end.network is networks[-1]


@pytest.mark.parametrize("tol", [1e-1, 1e-2, 1e-4])
def test_tol_is_that_of_the_gradient(network, data, tol):
    end, history, reason = minimize(
        network, data, config_of(max_epochs=500, tol=tol, patience=np.inf)
    )
    assert reason == "converged"
    _, gradients = config_of().objective.value_and_gradient(end.network, data)
    assert abs(flatten(gradients)).max() <= tol
    # And no epoch before was there.
    config = config_of(max_epochs=len(history.losses) - 1, tol=tol, patience=np.inf)
    before, _, reason = minimize(network, data, config)
    assert reason == "max_epochs"
    _, gradients = config_of().objective.value_and_gradient(before.network, data)
    assert abs(flatten(gradients)).max() > tol


def test_a_regression_converges_as_far_as_that_of_scikit_learn():
    X, y = make_regression(300, 20, noise=10.0, random_state=0)
    X, y = scale(X), scale(y)
    common = dict(solver="lbfgs", max_iter=1000, random_state=0)
    theirs = MLPRegressor(hidden_layer_sizes=100, **common).fit(X, y)
    ours = MetricInitMLPRegressor(
        "random", n_comparisons=100, n_conjunctions=0, **common
    ).fit(X, y)
    assert ours.network_.layers[0].n_out == 100
    assert theirs.loss_ < 1e-4
    assert ours.loss_ < 1e-4


@pytest.mark.parametrize(
    ("scores", "best"), [([0.0, 0.1, 0.9, 0.3], 2), ([0.9, 0.1, 0.8, 0.3], 0)]
)
@pytest.mark.parametrize("last", [None, KeyboardInterrupt, np.nan])
def test_early_stopping_keeps_the_best_the_start_counting(
    network, data, scores, best, last
):
    seen = []

    def validate(present):
        seen.append(present)
        if len(seen) <= len(scores):
            return 1.0, scores[len(seen) - 1]
        if last is KeyboardInterrupt:
            raise KeyboardInterrupt
        return last or 1.0, 0.2

    config = config_of(early_stopping=True)
    end, history, reason = minimize(network, data, config, validate=validate)
    reasons = {None: "max_epochs", KeyboardInterrupt: "interrupted"}
    assert reason == reasons.get(last, "diverged")
    assert end.network is seen[best]
    assert seen[0] is network
    assert history.validation_scores[:3] == scores[1:4]
    assert len(history.losses) == len(seen) - 1 - (last is not None and len(seen) > 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, "gradient", KeyboardInterrupt])
@pytest.mark.parametrize("at", [1, 2, 6])
def test_bad_evaluations_leave_the_last_iteration(network, data, bad, at):
    objective, seen = Scripted(bad, at), [network]
    end, history, reason = minimize(
        network,
        data,
        config_of(objective, max_epochs=50),
        validate=lambda present: (seen.append(present), (1.0, 0.5))[1],
    )
    assert reason == ("interrupted" if bad is KeyboardInterrupt else "diverged")
    assert len(objective.seen) == at
    assert len(history.losses) == len(seen) - 1 >= (at == 6)
    assert end.network is seen[-1]
    assert end.state is None


def test_a_held_out_loss_that_is_not_finite_takes_the_epoch_back(network, data):
    seen = []

    def validate(present):
        seen.append(present)
        return (np.nan if len(seen) == 3 else 1.0), 0.5

    end, history, reason = minimize(network, data, validate=validate)
    assert reason == "diverged"
    assert end.network is seen[1]
    assert len(history.losses) == 2


def test_an_interrupted_report_keeps_its_epoch(network, data):
    def report(history, *_):
        if len(history.losses) == 3:
            raise KeyboardInterrupt

    config = config_of()
    end, history, reason = minimize(network, data, config, on_epoch=report)
    assert reason == "interrupted"
    assert_allclose(
        config.objective.value(end.network, data), history.losses[2], rtol=1e-12
    )


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix])
def test_sparse_rows_are_dense_rows(network, data, sparse):
    X = data.X * (data.X > 0)
    ends = [minimize(network, data._replace(X=rows)) for rows in (X, sparse(X))]
    assert_allclose(
        *(flatten(end.network.parameters) for end, _, _ in ends), rtol=1e-7, atol=1e-9
    )
    assert_allclose(ends[0][1].losses, ends[1][1].losses, rtol=1e-9)


def test_a_row_of_weight_two_is_two_rows(network, data):
    twice = data.take(np.repeat(np.arange(N_ROWS), 2))
    heavy = data._replace(sample_weight=2 * data.sample_weight)
    ends = [minimize(network, rows) for rows in (twice, heavy)]
    assert_allclose(ends[0][1].losses, ends[1][1].losses, rtol=1e-9)


@pytest.mark.parametrize("place", ["array_api_strict", "array_api_compat.torch"])
def test_arrays_of_another_namespace_stay_there(network, data, place):
    xp = pytest.importorskip(place)

    def move(array):
        return xp.asarray(array.copy())

    def validate_on(rows):
        return lambda present: loss_and_score("log_loss", present, rows)

    moved = network.with_parameters([move(p) for p in network.parameters])
    rows = TrainingData(*map(move, data))
    expected, history, _ = minimize(network, data, validate=validate_on(data))
    actual, other, _ = minimize(moved, rows, validate=validate_on(rows))
    types = {type(p) for p in actual.network.parameters}
    assert types == {type(xp.asarray(0.0))}
    assert_allclose(other.losses, history.losses, rtol=1e-9)
    assert_allclose(other.validation_losses, history.validation_losses, rtol=1e-9)
    assert_allclose(
        flatten(actual.network.parameters),
        flatten(expected.network.parameters),
        rtol=1e-7,
    )


def test_single_precision_stays_and_learns_the_same(network, data):
    single = TrainingData(*(read_only(p, t) for p, t in zip(data, "fif", strict=True)))
    _, expected, _ = minimize(network, data)
    end, history, _ = minimize(network.astype(np.float32), single)
    assert {p.dtype for p in end.network.parameters} == {np.dtype(np.float32)}
    assert_allclose(history.losses, expected.losses, rtol=1e-4)


# Of the estimators.

ESTIMATORS = [MetricInitMLPClassifier, MetricInitMLPRegressor]


@pytest.fixture
def rows():
    X, y = load_iris(return_X_y=True)
    return read_only(scale(X)), y


def small(cls, **settings):
    defaults = {"n_exemplars": 4, "n_comparisons": 5, "max_iter": 6, "tol": 0.0}
    defaults |= {"trained_share": 1.0}
    return cls(solver="lbfgs", random_state=0, **(defaults | settings))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", ESTIMATORS)
class TestEstimators:
    def test_what_is_said_of_minibatches_has_no_effect(self, cls, rows):
        others = {
            "batch_size": 7,
            "shuffle": False,
            "learning_rate_init": 0.5,
            "learning_rate": "linear",
            "momentum": 0.1,
            "beta_1": 0.2,
        }
        expected, actual = small(cls).fit(*rows), small(cls, **others).fit(*rows)
        assert actual.loss_curve_ == expected.loss_curve_
        assert len(expected.loss_curve_) == 6
        assert expected.t_ == 6 * len(rows[1])

    @pytest.mark.parametrize("n_conjunctions", [0, 1])
    def test_it_lowers_the_objective_at_every_epoch(self, cls, rows, n_conjunctions):
        form = {"n_conjunctions": n_conjunctions, "init": "metric", "max_iter": 15}
        model = small(cls, **form).fit(*rows)
        assert (np.diff(model.loss_curve_) <= 0).all()
        assert model.loss_ < model.loss_curve_[0]

    def test_zero_epochs_leave_the_weights_as_with_adam(self, cls, rows):
        ours = small(cls, max_iter=0).fit(*rows)
        adam = small(cls, max_iter=0).set_params(solver="adam").fit(*rows)
        for a, b in zip(ours.coefs_, adam.coefs_, strict=True):
            assert_array_equal(a, b)

    def test_a_warm_start_goes_on_from_the_present_weights(self, cls, rows):
        model = small(cls, warm_start=True).fit(*rows)
        first, coefs = list(model.loss_curve_), model.coefs_
        given = (coefs, model.intercepts_)
        model.fit(*rows)
        assert model.loss_curve_[:6] == first
        assert model.n_iter_ == len(model.loss_curve_) == 12
        assert (np.diff(model.loss_curve_) < 0).all()
        if cls is MetricInitMLPClassifier:  # the regressor's network is in other units
            again = small(cls, init=given).fit(*rows)
            assert_allclose(again.loss_curve_, model.loss_curve_[6:], rtol=1e-12)

    def test_solvers_take_turns(self, cls, rows):
        model = small(cls, warm_start=True).fit(*rows)
        model.set_params(solver="adam").fit(*rows).partial_fit(*rows)
        before = model.loss_
        model.set_params(solver="lbfgs").fit(*rows)
        assert model.n_iter_ == 19
        assert model.loss_ < before

    def test_convergence_gives_no_warning(self, cls, rows, recwarn):
        model = small(cls, max_iter=500, tol=1e-2, alpha=1.0).fit(*rows)
        assert model.n_iter_ < 500
        assert not list(recwarn)

    def test_curves_and_early_stopping_on_given_rows(self, cls, rows):
        X, y = rows
        held_out = {"X_val": X[::3], "y_val": y[::3]}
        model = small(cls, early_stopping=True, max_iter=20)
        model.fit(X, y, **held_out)
        scores = model.validation_scores_
        assert len(scores) == len(model.validation_loss_curve_) == model.n_iter_
        untrained = small(cls, max_iter=0).fit(X, y)
        best = max(*scores, untrained.score(X[::3], y[::3]))
        assert_allclose(model.score(X[::3], y[::3]), best, rtol=1e-9)

    def test_sample_weights_count(self, cls, rows):
        X, y = rows
        weights = np.where(np.arange(len(y)) % 2, 1.0, 0.0)
        settings = {"init": "random", "output_init": "auto"}
        odd = small(cls, **settings).fit(X[1::2], y[1::2])
        weighted = small(cls, **settings).fit(X, y, weights)
        assert_allclose(weighted.loss_curve_, odd.loss_curve_, rtol=1e-9)

    def test_float32_stays(self, cls, rows):
        X, y = rows
        model = small(cls, init="random").fit(X.astype(np.float32), y)
        assert {a.dtype for a in model.coefs_} == {np.dtype(np.float32)}
        double = small(cls, init="random").fit(X, y)
        assert_allclose(model.loss_, double.loss_, rtol=0.1)

    def test_arrays_stay_where_they_are(self, cls, rows):
        X, y = rows
        expected = small(cls, init="random").fit(X, y)
        with config_context(array_api_dispatch=True):
            X, y = (array_api_strict.asarray(a.copy()) for a in (X, y))
            model = small(cls, init="random").fit(X, y)
            assert type(model.coefs_[0]) is type(X)
        assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-9)
        moved = model.move_to(np).set_params(warm_start=True, max_iter=2).fit(*rows)
        assert moved.n_iter_ == 8

    def test_there_is_no_partial_fit(self, cls, rows):
        model = small(cls)
        assert not hasattr(model, "partial_fit")
        with pytest.raises(AttributeError, match="partial_fit") as caught:
            model.partial_fit(*rows)
        assert "solver='lbfgs', which needs all rows" in str(caught.value.__cause__)
        model.set_params(solver="sgd")
        assert hasattr(model, "partial_fit")

    def test_verbose_prints_a_line_an_epoch(self, cls, rows, capsys):
        model = small(cls, verbose=True).fit(*rows)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 6
        assert lines[-1] == f"Epoch 6, loss = {model.loss_:.8f}"

    def test_a_refused_fit_changes_nothing(self, cls, rows):
        model = small(cls, warm_start=True).fit(*rows)
        before = dict(vars(model))
        with pytest.raises(ValueError, match="n_neighbors"):
            model.set_params(n_neighbors=0).fit(*rows)
        after = {**vars(model), "n_neighbors": None}
        assert after.keys() == before.keys()
        assert all(after[name] is value for name, value in before.items())

    def test_an_interrupt_keeps_what_was_reached(self, cls, rows, monkeypatch):
        value_and_gradient, calls = Objective.value_and_gradient, []

        def interrupted(self, network, batch):
            calls.append(network)
            if len(calls) == 5:
                raise KeyboardInterrupt
            return value_and_gradient(self, network, batch)

        monkeypatch.setattr(Objective, "value_and_gradient", interrupted)
        with pytest.warns(UserWarning, match="interrupted in epoch"):
            model = small(cls).fit(*rows)
        assert 1 <= model.n_iter_ <= 4
        monkeypatch.undo()
        alone = small(cls, max_iter=model.n_iter_).fit(*rows)
        for a, b in zip(model.coefs_, alone.coefs_, strict=True):
            assert_array_equal(a, b)

    def test_divergence_keeps_the_start_and_names_no_step_size(
        self, cls, rows, monkeypatch
    ):
        def bad(_, network, __):
            return np.nan, network.parameters

        monkeypatch.setattr(Objective, "value_and_gradient", bad)
        with pytest.warns(ConvergenceWarning, match="Try features of unit scale"):
            model = small(cls).fit(*rows)
        monkeypatch.undo()
        start = small(cls, max_iter=0).fit(*rows)
        for a, b in zip(model.coefs_, start.coefs_, strict=True):
            assert_array_equal(a, b)

    @pytest.mark.parametrize(("dtype", "size"), [(float, 42 * 8), ("f", 4 * 4 + 38 * 8)])
    def test_the_memory_of_the_pairs_counts(self, cls, rows, dtype, size, monkeypatch):
        X, y = rows[0].astype(dtype), rows[1]
        n = sum(a.size for a in small(cls, max_iter=0).fit(X, y).network_.parameters)

        def leave(n_bytes):
            name = "skmetricmlp.initialization.memory.available_memory"
            monkeypatch.setattr(name, lambda: 2 * n_bytes)

        leave(n * size)
        small(cls, max_iter=0).fit(X, y)
        leave(n * size - 1)
        with pytest.raises(MemoryError, match=r"\(42 times"):
            small(cls).fit(X, y)
