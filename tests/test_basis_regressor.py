"""The regressor for functions: parameters, fit / partial_fit / predict, attributes."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import read_only
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from skmetricmlp import BasisInitMLPRegressor
from skmetricmlp._data import distinct_rows
from skmetricmlp.basis import basis_network

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"
)  # few epochs are meant

rng = np.random.default_rng(0)
LINE = read_only(rng.uniform(2, 5, (200, 1)))
SQUARE = read_only(rng.uniform([-3, 10], [1, 90], (400, 2)))
CUBE = read_only(rng.uniform(0, 1, (300, 3)))


def wave(X):
    return read_only(50 + 20 * np.sin(2 * X[:, 0]))


def hills(X):
    return read_only(np.sin(X[:, 0]) * X[:, 1] - X[:, 1] ** 2 / 100)


def total(X):
    return read_only(np.sin(X).sum(axis=1))


FUNCTIONS = [(LINE, wave), (SQUARE, hills), (CUBE, total)]


def untrained(**settings):
    return BasisInitMLPRegressor(**{"max_iter": 0} | settings)


def by_adam(epochs, **settings):
    common = {"solver": "adam", "max_iter": epochs, "tol": 0, "random_state": 0}
    return BasisInitMLPRegressor(**common | settings)


def by_hand(reg, X):
    """Pass through both layers, in the units of the user."""
    (W, V), (b, c) = reg.coefs_, reg.intercepts_
    z = X @ W + b
    hidden = z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) / 2
    return hidden @ V + c


@pytest.mark.parametrize(("X", "function"), FUNCTIONS)
def test_a_smooth_function_is_known_before_training(X, function):
    reg = untrained().fit(X[::2], function(X[::2]))
    residuals = reg.predict(X[1::2]) - function(X[1::2])
    assert np.sqrt(np.mean(residuals**2)) < 0.01 * function(X).std()
    assert reg.n_iter_ == 0


@pytest.mark.parametrize(
    ("d", "settings", "width"),
    [
        (1, {}, 8 * 16),
        (1, {"degree": 3, "n_parts": 2}, 2 * 3 * 16),
        (2, {}, 20 * 24),
        (2, {"degree": 2, "n_parts": 3}, 9 * 5 * 24),
        (3, {"degree": 4}, 3 * 4 * 16),
    ],
)
@pytest.mark.parametrize("init", ["basis", "random"])
def test_baselines_have_the_architecture_of_the_basis_networks(d, settings, width, init):
    X, function = FUNCTIONS[d - 1]
    reg = untrained(init=init, **settings).fit(X, function(X))
    assert [c.shape for c in reg.coefs_] == [(d, width), (width, 1)]
    assert [b.shape for b in reg.intercepts_] == [(width,), (1,)]
    assert (reg.n_layers_, reg.n_outputs_, reg.out_activation_) == (3, 1, "identity")
    assert reg.network_.layers[0].activation == "gelu"


@pytest.mark.parametrize("epochs", [0, 3])
@pytest.mark.parametrize("init", ["basis", "glorot_uniform", "ones"])
def test_predictions_are_those_of_coefs_and_intercepts(init, epochs):
    reg = by_adam(epochs, init=init).fit(SQUARE, hills(SQUARE))
    assert_allclose(reg.predict(SQUARE), by_hand(reg, SQUARE)[:, 0], rtol=1e-8)


@pytest.mark.parametrize(("X", "function"), FUNCTIONS[:2])
def test_untrained_it_is_the_assembled_network_in_other_units(X, function):
    """Fitted to standardized values of mapped inputs, which is written out here."""
    y = function(X)
    low, high = X.min(axis=0), X.max(axis=0)
    mapped = 2 * (X - low) / (high - low) - 1
    targets = ((y - y.mean()) / y.std())[:, None]
    rows = distinct_rows(mapped, targets, np.ones(len(X)))
    network = basis_network(
        mapped[rows.index],
        targets[rows.index],
        rows.sample_weight,
        degree=4,
        domain=np.tile([-1.0, 1.0], (X.shape[1], 1)),
    )
    expected = network.forward(mapped)[:, 0] * y.std() + y.mean()
    actual = untrained(degree=4).fit(X, y).predict(X)
    assert_allclose(actual, expected, atol=1e-6 * y.std())


@pytest.mark.parametrize("epochs", [0, 2])
@pytest.mark.parametrize("init", ["basis", "random"])
def test_units_of_inputs_and_values_do_not_matter(init, epochs):
    y = hills(SQUARE)
    one = by_adam(epochs, init=init).fit(SQUARE, y)
    scale, shift = np.array([64.0, 0.25]), np.array([-5.0, 3.0])
    other = by_adam(epochs, init=init).fit(scale * SQUARE + shift, 8 * y - 100)
    expected = 8 * one.predict(SQUARE) - 100
    actual = other.predict(scale * SQUARE + shift)
    assert_allclose(actual, expected, atol=1e-4 * 8 * y.std())


def test_mirrored_values_are_predicted_mirrored():
    one = by_adam(2).fit(LINE, wave(LINE)).predict(LINE)
    other = by_adam(2).fit(LINE, -wave(LINE)).predict(LINE)
    assert_allclose(other, -one, rtol=1e-6)


def test_domain_is_the_range_of_the_rows_that_count_or_what_is_given():
    weights = np.ones(len(SQUARE))
    farthest = np.argsort(SQUARE[:, 1])[-5:]
    weights[farthest] = 0
    reg = untrained().fit(SQUARE, hills(SQUARE), weights)
    kept = np.delete(SQUARE, farthest, axis=0)
    assert_array_equal(reg.domain_, np.stack([kept.min(axis=0), kept.max(axis=0)], 1))
    given = untrained(domain=[[-4, 2], [0, 100]]).fit(SQUARE, hills(SQUARE))
    assert_array_equal(given.domain_, [[-4, 2], [0, 100]])
    assert np.abs(given.predict(SQUARE) - reg.predict(SQUARE)).max() > 0
    assert given.score(SQUARE, hills(SQUARE)) > 0.999


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ([[-3, 1]], r"shape \(2, 2\)"),
        ("all", r"shape \(2, 2\)"),
        ([[1, -3], [10, 90]], "lower one first"),
        ([[-4, np.nan], [0, 100]], "finite ends"),
        ([[-4, 0], [0, 100]], r"column 0 goes from -.* and domain\[0\] from -4 to 0"),
        ([[-4, 2], [50, 100]], r"column 1 goes from 10.* and domain\[1\] from 50 to 100"),
    ],
)
def test_a_domain_that_is_not_accepted(domain, message):
    reg = untrained(domain=domain)
    with pytest.raises(ValueError, match=message):
        reg.fit(SQUARE, hills(SQUARE))
    assert not hasattr(reg, "network_")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"init": "metric"}, ValueError, "init must be one of 'basis'.*'metric'"),
        ({"degree": 9}, ValueError, "degree must be from 1 to 8.*got 9"),
        ({"degree": 0}, ValueError, "degree must be.*'auto'.*int >= 1, got 0"),
        ({"degree": 2.5}, ValueError, "degree must be.*got 2.5"),
        ({"n_parts": 0}, ValueError, "n_parts must be an int >= 1, got 0"),
        ({"n_parts": "auto"}, ValueError, "n_parts must be an int >= 1, got 'auto'"),
        ({"solver": "newton"}, ValueError, "solver must be one of 'lbfgs'"),
        ({"loss": "log_loss"}, ValueError, "loss must be one of 'squared_error'"),
        ({"alpha": -1}, ValueError, "alpha"),
        ({"warm_start": "yes"}, TypeError, "warm_start must be True or False"),
        ({"init": ([], [])}, ValueError, r"init=\(coefs, intercepts\) must have"),
    ],
)
def test_parameters_that_are_not_accepted(settings, error, message):
    reg = untrained(**settings)
    with pytest.raises(error, match=message):
        reg.fit(LINE, wave(LINE))
    assert not hasattr(reg, "network_")


def test_more_hidden_units_than_memory_are_refused():
    X = rng.normal(size=(20, 3000))
    message = r"half of the memory available.*Choose a smaller degree.*the 3000 features"
    with pytest.raises(MemoryError, match=message):
        untrained(n_parts=2000).fit(X, X[:, 0])


@pytest.mark.parametrize("epochs", [0, 3])
def test_given_weights_are_taken_over_in_the_units_of_the_user(epochs):
    first = by_adam(epochs).fit(SQUARE, hills(SQUARE))
    init = first.coefs_, first.intercepts_
    again = untrained(init=init).fit(SQUARE, hills(SQUARE))
    assert_allclose(again.predict(SQUARE), first.predict(SQUARE), rtol=1e-6)


def test_a_row_of_weight_two_counts_as_two_rows():
    # Noise, so that the weights have a say in what fits best.
    y = hills(SQUARE) + np.random.default_rng(3).normal(size=len(SQUARE))
    weights = 1.0 + (np.arange(len(SQUARE)) % 3 == 0)
    weighted = untrained().fit(SQUARE, y, weights)
    twice = np.repeat(np.arange(len(SQUARE)), weights.astype(int))
    repeated = untrained().fit(SQUARE[twice], y[twice])
    assert_allclose(
        weighted.predict(SQUARE), repeated.predict(SQUARE), atol=1e-6 * y.std()
    )
    alike = untrained().fit(SQUARE, y).predict(SQUARE)
    assert np.abs(weighted.predict(SQUARE) - alike).max() > 0.1


def test_the_order_of_the_rows_does_not_matter():
    order, y = rng.permutation(len(SQUARE)), hills(SQUARE)
    one = untrained().fit(SQUARE, y).predict(SQUARE)
    other = untrained().fit(SQUARE[order], y[order]).predict(SQUARE)
    assert_allclose(other, one, atol=1e-7 * y.std())


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 2)])
def test_predictions_have_the_shape_of_the_values(shape):
    y = wave(LINE)
    y = np.stack([y, -y], axis=1) if shape == (-1, 2) else y.reshape(shape)
    reg = untrained().fit(LINE, y)
    assert reg.predict(LINE).shape == y.shape
    assert_allclose(reg.predict(LINE), y, atol=0.1)
    with pytest.raises(ValueError, match="y_val must have shape"):
        untrained().fit(LINE, y, X_val=LINE, y_val=np.ones((len(LINE), 3)))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_is_one_more_epoch_of_fit(solver):
    settings = {"init": "random", "solver": solver, "domain": [[0, 6]]}
    one = by_adam(3, **settings).fit(LINE, wave(LINE))
    other = by_adam(0, **settings).fit(LINE, wave(LINE))
    for _ in range(3):
        other.partial_fit(LINE, wave(LINE))
    for a, b in zip(one.network_.parameters, other.network_.parameters, strict=True):
        assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_later_rows_keep_domain_and_scale():
    reg = by_adam(0, domain=[[0, 6]]).partial_fit(LINE[:50], wave(LINE[:50]))
    reg.partial_fit(LINE[50:], wave(LINE[50:]))
    assert_array_equal(reg.domain_, [[0, 6]])
    assert reg.n_iter_ == 2
    with pytest.raises(ValueError, match=r"y must have shape \(200,\), got \(200, 2\)"):
        reg.partial_fit(LINE, np.ones((200, 2)))


def test_warm_start_goes_on_and_refuses_another_architecture():
    reg = by_adam(2, init="random", warm_start=True).fit(LINE, wave(LINE))
    before = reg.predict(LINE)
    assert reg.fit(LINE, wave(LINE)).n_iter_ == 4
    assert np.abs(reg.predict(LINE) - before).max() > 0
    message = r"degree=2 does not go with the network, which was fitted with 'auto' \(8\)"
    with pytest.raises(ValueError, match=message):
        reg.set_params(degree=2).fit(LINE, wave(LINE))
    assert reg.n_iter_ == 4


def test_early_stopping_never_ends_behind_the_start():
    y = wave(LINE)
    reg = by_adam(30, early_stopping=True, learning_rate_init=0.1).fit(LINE, y)
    assert max(reg.validation_scores_) < reg.best_validation_score_
    assert reg.score(LINE, y) > 0.999


def test_training_never_ends_behind_the_start():
    y = wave(LINE)
    with pytest.warns(ConvergenceWarning, match=r"made the network worse.*it was 0\.1"):
        reg = by_adam(30, learning_rate_init=0.1).fit(LINE, y)
    assert_array_equal(reg.predict(LINE), by_adam(0).fit(LINE, y).predict(LINE))


def test_validation_rows_only_watch():
    y = wave(LINE)
    settings = {"init": "random", "learning_rate_init": 0.01}
    watched = by_adam(3, **settings)
    watched.fit(LINE[::2], y[::2], X_val=LINE[1::2], y_val=y[1::2])
    alone = by_adam(3, **settings).fit(LINE[::2], y[::2])
    assert_array_equal(watched.predict(LINE), alone.predict(LINE))
    residuals = (watched.predict(LINE[1::2]) - y[1::2]) / y[::2].std()
    last = watched.validation_loss_curve_[-1]
    assert last == pytest.approx(np.mean(residuals**2) / 2)
    assert watched.validation_scores_[-1] == pytest.approx(
        watched.score(LINE[1::2], y[1::2])
    )


def test_single_precision_stays():
    X, y = LINE.astype(np.float32), wave(LINE)
    reg = by_adam(2).fit(X, y)
    assert {p.dtype for p in reg.network_.parameters} == {np.dtype(np.float32)}
    assert reg.predict(X).dtype == np.float32
    assert reg.score(X, y) > 0.99


def test_the_same_seed_gives_the_same_network():
    one, other, third = (
        by_adam(2, init="random", random_state=seed).fit(LINE, wave(LINE)).predict(LINE)
        for seed in (1, 1, 2)
    )
    assert_array_equal(one, other)
    assert np.abs(one - third).max() > 0


def test_edges():
    one_row = untrained().fit([[3.0]], [7.0])
    assert_allclose(one_row.predict([[3.0], [4.0]]), 7.0)
    constant = untrained().fit(LINE, np.full(200, 0.1))
    assert_allclose(constant.predict(LINE), 0.1)
    flat = np.column_stack([LINE, np.ones(200)])
    assert untrained().fit(flat, wave(LINE)).score(flat, wave(LINE)) > 0.999
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        untrained().fit(sp.csr_array(LINE), wave(LINE))
    with pytest.raises(NotFittedError):
        untrained().predict(LINE)


def test_it_goes_with_frames_searches_pickles_and_clones():
    frame = pd.DataFrame(SQUARE, columns=["left", "right"])
    search = GridSearchCV(untrained(), {"degree": [1, 5]}, cv=3)
    search.fit(frame, hills(SQUARE))
    assert search.best_params_ == {"degree": 5}
    reg = search.best_estimator_
    assert reg.feature_names_in_.tolist() == ["left", "right"]
    copy = pickle.loads(pickle.dumps(reg))  # noqa: S301 - our own
    assert_array_equal(copy.predict(frame), reg.predict(frame))
    assert clone(reg).get_params() == reg.get_params()


def test_it_moves_to_another_namespace_and_trains_there():
    xp = pytest.importorskip("array_api_strict")
    reg = by_adam(2).fit(LINE, wave(LINE))
    moved, X = reg.move_to(xp), xp.asarray(LINE.copy())
    with config_context(array_api_dispatch=True):
        assert_allclose(np.asarray(moved.predict(X)), reg.predict(LINE), rtol=1e-10)
        there = by_adam(2).fit(X, xp.asarray(wave(LINE).copy()))
        assert_allclose(np.asarray(there.predict(X)), reg.predict(LINE), rtol=1e-6)


def test_too_few_epochs_warn():
    with pytest.warns(ConvergenceWarning, match="max_iter=1 epochs"):
        by_adam(1).fit(LINE, wave(LINE))


@pytest.mark.parametrize("init", ["basis", "random"])
def test_by_default_all_is_refined_and_no_step_raises_the_loss(init):
    start = untrained(init=init, degree=2, random_state=0).fit(LINE, wave(LINE))
    reg = BasisInitMLPRegressor(init, degree=2, max_iter=60, tol=0, random_state=0)
    reg.fit(LINE, wave(LINE))
    assert (np.diff(reg.loss_curve_) <= 0).all()
    assert reg.score(LINE, wave(LINE)) > start.score(LINE, wave(LINE))
    for a, b in zip(reg.coefs_, start.coefs_, strict=True):
        assert np.abs(a - b).max() > 0


@pytest.mark.parametrize(("init", "rate"), [("basis", 1e-4), ("random", 1e-3)])
def test_what_is_fitted_is_trained_at_a_gentler_rate(init, rate):
    auto = by_adam(2, init=init).fit(LINE, wave(LINE)).predict(LINE)
    named = by_adam(2, init=init, learning_rate_init=rate).fit(LINE, wave(LINE))
    assert_array_equal(named.predict(LINE), auto)


def test_what_needs_all_rows_has_no_partial_fit():
    assert not hasattr(BasisInitMLPRegressor(), "partial_fit")
    assert hasattr(BasisInitMLPRegressor(solver="adam"), "partial_fit")
