"""What the regressor promises: values, their units, and what the classifier promises."""

import copy as copying
import pickle
import re
import warnings
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import (
    assert_nearly_same_network,
    assert_same_network,
    parameters_of,
    read_only,
    regressor,
    shapes,
    training_raises,
)
from scipy.special import expit
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_diabetes, make_regression
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale
from sklearn.utils.validation import check_is_fitted

from skmetricmlp.estimators._targets import RegressionTargets

# Few epochs are the point of these tests.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

BASELINES = ("random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones")
N = 150
HELD_OUT = np.arange(N) % 3 == 0
WEIGHTS = np.linspace(1, 3, N)


def frozen(features, values):
    return read_only(features), read_only(values)


def diabetes():
    features, values = load_diabetes(return_X_y=True)
    return frozen(scale(features)[:N], values[:N])


X, y = diabetes()
Y = read_only(np.column_stack([y, 1000 * X[:, 0] - 3 * y, np.sin(y)]))


def assert_predicts(estimator, expected, rows=X, *, by=1e-8):
    """Within some part of the deviation of what is expected."""
    tolerance = by * max(np.std(expected), np.finfo(float).tiny)
    np.testing.assert_allclose(estimator.predict(rows), expected, rtol=0, atol=tolerance)


def given(estimator):
    return estimator.coefs_, estimator.intercepts_


# --- before training: the mean of the nearest exemplars ---


def linear():
    return frozen(*make_regression(120, 6, noise=5.0, random_state=0))


def several():
    return frozen(*make_regression(90, 5, n_targets=3, noise=5.0, random_state=1))


def noise():
    rng = np.random.default_rng(0)
    return frozen(rng.normal(size=(80, 3)), rng.normal(size=80))


PROBLEMS = {
    "diabetes": lambda: (X, y),
    "three outputs": lambda: (X, Y),
    "one column": lambda: (X, y[:, None]),
    "linear": linear,
    "linear, several": several,
    "noise": noise,
}


def exemplars_of(how, features, values):
    return (features[::7], values[::7]) if how == "given" else how


EXEMPLARS, NEIGHBORS = ("kmeans", "random", "kmedoids", "given"), (1, 2, 3, 5)


@pytest.mark.parametrize(
    ("problem", "how", "k"),
    [  # each method with each k, and each problem with all of both
        (problem, how, NEIGHBORS[(i + j) % 4])
        for i, problem in enumerate(PROBLEMS)
        for j, how in enumerate(EXEMPLARS)
    ],
)
def test_untrained_step_network_is_the_nearest_exemplars_regressor(problem, how, k):
    """The data are continuous: no two exemplars are as near."""
    features, values = PROBLEMS[problem]()
    estimator = regressor(
        activation="step", exemplars=exemplars_of(how, features, values), n_neighbors=k
    ).fit(features, values)
    points, carried = estimator.exemplars_, estimator.exemplar_values_
    assert carried.shape == (len(points), *values.shape[1:])
    expected = KNeighborsRegressor(k).fit(points, carried).predict(features)
    assert estimator.predict(features).shape == values.shape
    assert_predicts(estimator, expected, features)
    by_hand = [
        np.mean(
            [carried[i] for i in np.argsort([sum((p - x) ** 2) for p in points])[:k]],
            axis=0,
        )
        for x in features[:10]
    ]
    assert_predicts(estimator, np.array(by_hand), features[:10])


@pytest.mark.parametrize(
    ("activation", "k"),
    [("relu", 1), ("logistic", 1), ("logistic", 3), ("tanh", 1), ("tanh", 5)],
)
@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
def test_sharp_networks_tend_to_the_nearest_exemplars_regressor(values, activation, k):
    far = []
    for sharpness in (1.0, 30.0, 1e6):
        estimator = regressor(
            activation=activation, n_neighbors=k, sharpness=sharpness
        ).fit(X, values)
        neighbors = KNeighborsRegressor(k)
        neighbors.fit(estimator.exemplars_, estimator.exemplar_values_)
        error = abs(estimator.predict(X) - neighbors.predict(X)) / values.std(axis=0)
        far.append(error.reshape(N, -1).mean(axis=0))
    assert (far[0] > far[1]).all()
    assert (far[1] > far[2]).all()
    # A count is soft where two exemplars are nearly as near.
    assert (far[2] < 0.02).all()


def test_sharp_relu_is_the_nearest_exemplar_for_every_k():
    one, three = (regressor(n_neighbors=k, sharpness=1e6).fit(X, y) for k in (1, 3))
    differs = abs(one.predict(X) - three.predict(X)) > 1e-6 * y.std()
    assert differs.mean() < 0.02


@pytest.mark.parametrize("load", [linear, lambda: (X, y)])
def test_untrained_it_is_better_than_the_nearest_exemplar(load):
    features, values = load()
    test = np.arange(len(values)) % 3 == 0
    estimator = regressor(n_exemplars=20, n_comparisons=800)
    estimator.fit(features[~test], values[~test])
    nearest = KNeighborsRegressor(1)
    nearest.fit(estimator.exemplars_, estimator.exemplar_values_)
    ours, theirs = (r.score(features[test], values[test]) for r in (estimator, nearest))
    assert ours > theirs + 0.1
    assert ours > 0.3


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"output_init": "norm_constrained"}, {"output_init": "ridge"}],
)
def test_a_fitted_output_predicts_better_than_the_mean(settings, activation, values):
    score = regressor(activation=activation, **settings).fit(X, values).score(X, values)
    assert score > 0.2


# --- the values of exemplars ---


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
def test_values_of_centers_are_means_of_what_is_nearest(values):
    estimator = regressor().fit(X, values, WEIGHTS)
    cells = [
        min(range(9), key=lambda i: sum((x - estimator.exemplars_[i]) ** 2)) for x in X
    ]
    for cell, carried in enumerate(estimator.exemplar_values_):
        own = np.flatnonzero(np.array(cells) == cell)
        total = sum(WEIGHTS[row] * values[row] for row in own)
        np.testing.assert_allclose(carried, total / WEIGHTS[own].sum())


@pytest.mark.parametrize("exemplars", ["random", "kmedoids"])
def test_values_of_rows_are_their_own_or_the_mean_of_equal_ones(exemplars):
    estimator = regressor(exemplars=exemplars).fit(X, y)
    index = estimator.exemplar_indices_
    np.testing.assert_array_equal(estimator.exemplars_, X[index])
    np.testing.assert_allclose(estimator.exemplar_values_, y[index])
    twice = np.concatenate([y, y + 30])
    weights = np.concatenate([WEIGHTS, 2 * WEIGHTS])
    estimator.fit(np.tile(X, (2, 1)), twice, weights)
    index = estimator.exemplar_indices_ % N
    np.testing.assert_allclose(estimator.exemplar_values_, y[index] + 20)


def test_given_exemplars_keep_their_values():
    estimator = regressor(exemplars=(X[::10], y[::10] + 7)).fit(X, y)
    np.testing.assert_array_equal(estimator.exemplars_, X[::10])
    np.testing.assert_allclose(estimator.exemplar_values_, y[::10] + 7)
    assert estimator.n_exemplars_ == 15
    with pytest.raises(ValueError, match="n_exemplars=3 has no effect: exemplars are "):
        estimator.set_params(n_exemplars=3).fit(X, y)


# Parameters, and the beginning of the error.
VOTES = "has no effect: n_neighbors=3 is the network that votes. Leave "
REFUSED = [
    ({"sharpness": 2.0}, "sharpness=2.0 has no effect: n_neighbors=None takes no votes"),
    (
        {"sharpness": 2.0, "n_neighbors": 1, "activation": "step", "max_iter": 0},
        "sharpness=2.0 has no effect: activation='step' is the limit",
    ),
    ({"n_neighbors": 3, "output_init": "ridge"}, f"output_init='ridge' {VOTES}"),
    ({"n_neighbors": 3, "n_comparisons": 5}, f"n_comparisons=5 {VOTES}"),
    ({"n_neighbors": 3, "n_conjunctions": 0}, f"n_conjunctions=0 {VOTES}"),
    ({"n_neighbors": 3, "max_features": 0.5}, f"max_features=0.5 {VOTES}"),
    ({"metric": "cosine", "max_features": 2}, "max_features=2 needs a metric that is a "),
    ({"n_neighbors": 3, "pairs": 2}, "pairs=2 is less than n_neighbors=3"),
    (
        {"n_neighbors": 1, "tied": True, "init": ([], [])},
        "init=(coefs, intercepts) has weights of its own",
    ),
    (
        {"output_init": "logistic"},
        "output_init must be one of 'auto', 'ridge', 'norm_con",
    ),
    ({"output_init": "values"}, "output_init must be one of 'auto', 'ridge', 'norm_cons"),
    (
        {"pairs": "other_classes"},
        "pairs must be one of 'all', or an int >= 1, got 'other",
    ),
    ({"activation": "step", "max_iter": 1}, "activation='step' has no gradient"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_parameters_without_effect_and_contradictions_are_errors(settings, message):
    for init in ("metric", "random"):
        estimator = regressor(**{"init": init} | settings)
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            estimator.fit(X, y)


# --- units, and rows that are the same ---

FORMS = [
    {},
    {"exemplars": "random", "activation": "tanh"},
    {"n_neighbors": 3, "exemplars": "kmedoids"},
    {"n_neighbors": 3, "activation": "logistic"},
    {"n_neighbors": 1},
    {"tied": True, "pairs": 4},
    {"max_features": 2, "n_conjunctions": 3},
    {"metric": "mahalanobis", "n_conjunctions": 0},
]
AUTO = {"n_exemplars": "auto"}  # takes far longer than the others


@pytest.mark.parametrize(
    ("form", "unit", "shift"),
    [
        *(
            (form, unit, shift)
            for form in [*FORMS, {"output_init": "norm_constrained"}]
            for unit, shift in [(1e-3, 0.1), (-250.0, 1e4)]
        ),
        ({"output_init": "norm_constrained"}, 250.0, -1e4),
        (AUTO, -250.0, 1e4),
    ],
    ids=str,
)
def test_another_unit_changes_what_is_predicted_by_that_alone(form, unit, shift):
    one, other = (regressor(**form).fit(X, v) for v in (y, unit * y + shift))
    np.testing.assert_array_equal(one.exemplars_, other.exemplars_)
    np.testing.assert_allclose(
        other.exemplar_values_, unit * one.exemplar_values_ + shift
    )
    assert_predicts(other, unit * one.predict(X) + shift)
    for a, b in zip(one.coefs_[:-1], other.coefs_[:-1], strict=True):
        np.testing.assert_array_equal(a, b)
    if unit > 0 or "output_init" not in form:  # where no row sees them, weights are drawn
        np.testing.assert_allclose(other.coefs_[-1], unit * one.coefs_[-1], rtol=1e-5)
        last, expected = other.intercepts_[-1], unit * one.intercepts_[-1] + shift
        np.testing.assert_allclose(last, expected, rtol=1e-6)


@pytest.mark.parametrize("unit", [250.0, -0.02])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_neighbors": 1, "solver": "sgd", "learning_rate_init": 0.1},
        {"tied": True, "batch_size": 40},
        {"early_stopping": True, "alpha": 0.1},
    ],
)
def test_another_unit_is_trained_as_the_first(settings, unit):
    # No ReLU, whose derivative jumps: a rounding error may become a step of training.
    settings = {"activation": "tanh", "max_iter": 5, **settings}
    one, other = (regressor(**settings).fit(X, v) for v in (y, unit * y - 7))
    assert_predicts(other, unit * one.predict(X) - 7)
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_)
    np.testing.assert_allclose(other.coefs_[0], one.coefs_[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        other.coefs_[-1], unit * one.coefs_[-1], atol=1e-8 * abs(unit) * y.std()
    )
    if other.validation_scores_:
        np.testing.assert_allclose(other.validation_scores_, one.validation_scores_)


def test_units_of_outputs_do_not_matter_to_each_other():
    unit, shift = np.array([1e-3, 50.0, 1e6]), np.array([1.0, 0.0, -1e5])
    settings = {"max_iter": 3, "activation": "tanh"}
    one = regressor(**settings).fit(X, Y).predict(X)
    other = regressor(**settings).fit(X, unit * Y + shift).predict(X)
    np.testing.assert_allclose((other - shift) / unit, one, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("form", [*FORMS, AUTO], ids=str)
def test_row_of_weight_two_counts_as_two_rows(form):
    times = np.random.default_rng(0).integers(1, 4, N)
    repeated = regressor(**form).fit(X.repeat(times, axis=0), y.repeat(times))
    weighted = regressor(**form).fit(X, y, sample_weight=times)
    unweighted = regressor(**form).fit(X, y)
    np.testing.assert_array_equal(repeated.exemplars_, weighted.exemplars_)
    assert_predicts(repeated, weighted.predict(X))
    assert abs(weighted.predict(X) - unweighted.predict(X)).max() > 1e-3 * y.std()


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_row_of_weight_two_trains_as_two_rows(solver):
    settings = {"solver": solver, "max_iter": 5, "batch_size": 1000, "activation": "tanh"}
    times = np.random.default_rng(0).integers(1, 4, N)
    repeated = regressor(**settings).fit(X.repeat(times, axis=0), y.repeat(times))
    weighted = regressor(**settings).fit(X, y, sample_weight=times)
    np.testing.assert_allclose(repeated.loss_curve_, weighted.loss_curve_)
    assert_predicts(repeated, weighted.predict(X), by=1e-6)


@pytest.mark.parametrize("form", [*FORMS, AUTO], ids=str)
def test_calculated_network_does_not_depend_on_the_order_of_the_rows(form):
    order = np.random.default_rng(0).permutation(N)
    one = regressor(**form).fit(X, y, WEIGHTS)
    other = regressor(**form).fit(X[order], y[order], WEIGHTS[order])
    np.testing.assert_array_equal(one.exemplars_, other.exemplars_)
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    assert_predicts(other, one.predict(X))


@pytest.mark.parametrize(
    ("values", "form"),
    # One ridge for several outputs would depend on how much each of them is spread.
    [
        *((y, form) for form in FORMS),
        (Y, {"n_neighbors": 3}),
        (Y, {"n_neighbors": 1}),
    ],
)
def test_equal_rows_of_different_values_count_as_their_mean(values, form):
    rng = np.random.default_rng(0)
    above = abs(rng.normal(size=values.shape)) * values.std(axis=0)
    # Of weights one and three, and so on: the mean is what it was.
    rows, spread = (
        np.tile(X, (2, 1)),
        np.concatenate([values - 3 * above, values + above]),
    )
    weights = np.repeat([1.0, 3.0], N)
    one = regressor(**form).fit(X, values)
    other = regressor(**form).fit(rows, spread, sample_weight=weights)
    assert_predicts(other, one.predict(X))


@pytest.mark.parametrize(
    ("form", "max_iter"), [*((form, 3) for form in FORMS), (AUTO, 0)], ids=str
)
def test_only_relative_weights_count(form, max_iter):
    settings = {**form, "max_iter": max_iter, "alpha": 0.0}
    one, other = (regressor(**settings).fit(X, y, w) for w in (WEIGHTS, 8 * WEIGHTS))
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_)
    assert_predicts(other, one.predict(X))


@pytest.mark.parametrize(
    ("form", "max_iter"), [*((form, 2) for form in FORMS), (AUTO, 0)], ids=str
)
def test_row_of_weight_zero_is_left_out(form, max_iter):
    weights = np.random.default_rng(0).integers(0, 2, N)
    kept = weights > 0
    values = np.where(kept, y, 1e6)
    settings = {**form, "max_iter": max_iter}
    weighted = regressor(**settings).fit(X, values, sample_weight=weights)
    expected = regressor(**settings).fit(X[kept], y[kept])
    assert_predicts(weighted, expected.predict(X))


@pytest.mark.parametrize("form", [{}, {"n_neighbors": 3}])
def test_a_heavier_row_is_fitted_better(form):
    errors = []
    for weight in (1.0, 1e4):
        weights = np.where(np.arange(N) == 5, weight, 1.0)
        estimator = regressor(**form, max_iter=20).fit(X, y, weights)
        errors.append(abs(estimator.predict(X[[5]])[0] - y[5]))
    assert errors[1] < errors[0]


# --- the network, in the units of y ---


@pytest.mark.parametrize(
    ("n_neighbors", "values"), [(None, Y), (1, y), (3, Y)], ids=["None", "1", "3"]
)
@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("relu", lambda z: np.maximum(z, 0)),
        ("logistic", expit),
        ("tanh", np.tanh),
        ("step", lambda z: np.where(z > 0, 1.0, 0.0)),
    ],
)
def test_predictions_are_the_forward_pass_of_coefs_and_intercepts(
    activation, function, n_neighbors, values
):
    estimator = regressor(
        activation=activation,
        n_neighbors=n_neighbors,
        max_iter=0 if activation == "step" else 2,
    ).fit(X, values)
    a = X
    *hidden, last = zip(*given(estimator), strict=True)
    for weights, bias in hidden:
        if n_neighbors is None:
            first = estimator.network_.layers[0]
            a = np.clip(a, first.low, first.high)
        a = function(a @ weights + bias)
        if n_neighbors is None:
            a = np.hstack([a, np.minimum(a[:, :-1], a[:, 1:])])
    expected = (a @ last[0] + last[1]).reshape(values.shape)
    assert_predicts(estimator, expected, by=1e-10)


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
@pytest.mark.parametrize(
    "settings",
    [
        {"n_conjunctions": 0},
        {"n_conjunctions": 0, "output_init": "norm_constrained", "activation": "tanh"},
        {"n_neighbors": 1, "activation": "tanh"},
        {"tied": True, "n_neighbors": 2},
    ],
)
def test_scikit_learns_own_network_takes_the_weights(settings, values):
    estimator = regressor(max_iter=2, **settings).fit(X, values)
    widths = [len(bias) for bias in estimator.intercepts_[:-1]]
    mlp = MLPRegressor(
        hidden_layer_sizes=widths, activation=estimator.activation, max_iter=1
    )
    mlp.partial_fit(X, values)
    mlp.coefs_, mlp.intercepts_ = given(estimator)
    assert_predicts(estimator, mlp.predict(X), by=1e-10)


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
@pytest.mark.parametrize(
    "settings", [{}, {"n_neighbors": 1}, {"n_neighbors": 3, "activation": "tanh"}]
)
def test_weights_of_another_estimator_give_its_predictions(settings, values):
    calculated = regressor(max_iter=2, **settings).fit(X, values)
    estimator = regressor(init=given(calculated), **settings).fit(X, values)
    assert_predicts(estimator, calculated.predict(X), by=1e-10)
    # They are in the units of y, whatever values the rows have that they are given with.
    estimator.fit(X[:50], 9 * values[:50] - 4)
    assert_predicts(estimator, calculated.predict(X), by=1e-10)


@pytest.mark.parametrize(("widths", "n_neighbors"), [((92,), None), ((72, 9), 1)])
def test_weights_of_scikit_learns_own_network_give_its_predictions(widths, n_neighbors):
    mlp = MLPRegressor(hidden_layer_sizes=widths, random_state=0).partial_fit(X, y)
    form = {"n_neighbors": n_neighbors}
    if n_neighbors is None:
        form |= {"n_comparisons": 92, "n_conjunctions": 0}
    estimator = regressor(given(mlp), **form).fit(X, y)
    assert_predicts(estimator, mlp.predict(X), by=1e-10)
    estimator.partial_fit(X, y)
    assert estimator.score(X, y) > mlp.score(X, y)


@pytest.mark.parametrize("values", [y, y[:, None], Y, Y[:, :2]], ids=np.shape)
@pytest.mark.parametrize(
    ("form", "hidden", "n_read"),
    [
        ({"n_comparisons": 800}, [(10, 800)], 1599),
        ({"n_comparisons": 30, "n_conjunctions": 2}, [(10, 30)], 30 + 29 + 28),
        ({"n_neighbors": 1}, [(10, 72), (72, 9)], 9),
        ({"n_neighbors": 3, "activation": "tanh"}, [(10, 72), (72, 9)], 9),
        ({"n_neighbors": 1, "pairs": 4}, [(10, 36), (36, 9)], 9),
    ],
)
def test_attributes_that_describe_the_network(form, hidden, n_read, values):
    n_outputs = values[:1].size
    estimator = regressor(**form, max_iter=3).fit(X, values)
    expected = [*hidden, (n_read, n_outputs)]
    assert [w.shape for w in estimator.coefs_] == expected
    assert [b.shape for b in estimator.intercepts_] == [(n,) for _, n in expected]
    assert estimator.n_layers_ == len(expected) + 1
    assert estimator.n_outputs_ == n_outputs
    assert estimator.out_activation_ == "identity"
    assert estimator.predict(X[:4]).shape == (4, *values.shape[1:])
    assert estimator.exemplar_values_.shape == (9, *values.shape[1:])
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 3
    assert estimator.t_ == 3 * N
    assert estimator.loss_ == estimator.loss_curve_[-1]
    assert estimator.best_loss_ == min(estimator.loss_curve_)
    assert estimator.validation_scores_ is estimator.validation_loss_curve_ is None
    assert estimator.best_validation_score_ is None
    baseline = regressor("random", **form).fit(X, values)
    assert shapes(baseline) == shapes(estimator)
    assert not hasattr(estimator, "classes_")
    assert "class_weight" not in estimator.get_params()


def test_loss_is_half_the_squared_error_in_units_of_the_variance():
    estimator = regressor(max_iter=2, alpha=0, batch_size=1000)
    estimator.fit(X[~HELD_OUT], Y[~HELD_OUT], X_val=X[HELD_OUT], y_val=Y[HELD_OUT])
    residual = (estimator.predict(X[HELD_OUT]) - Y[HELD_OUT]) / Y[~HELD_OUT].std(axis=0)
    expected = 0.5 * (residual**2).sum(axis=1).mean()
    assert estimator.validation_loss_curve_[-1] == pytest.approx(expected)
    start = regressor().fit(X[~HELD_OUT], Y[~HELD_OUT])
    residual = (start.predict(X[~HELD_OUT]) - Y[~HELD_OUT]) / Y[~HELD_OUT].std(axis=0)
    expected = 0.5 * (residual**2).sum(axis=1).mean()
    assert estimator.loss_curve_[0] == pytest.approx(expected)


def test_training_lowers_the_loss_and_learns():
    estimator = regressor(max_iter=60, learning_rate_init=0.003).fit(X, y)
    assert estimator.loss_curve_[-1] < 0.7 * estimator.loss_curve_[0]
    assert estimator.score(X, y) > regressor().fit(X, y).score(X, y) + 0.05


# --- several outputs ---


@pytest.mark.parametrize("exemplars", ["kmeans", "random", "kmedoids"])
@pytest.mark.parametrize(
    "form", [{"n_neighbors": 1}, {"n_neighbors": 3, "activation": "tanh"}]
)
def test_values_of_exemplars_are_averaged_for_each_output_alone(form, exemplars):
    together = regressor(exemplars=exemplars, **form).fit(X, Y)
    for output in range(3):
        alone = regressor(exemplars=exemplars, **form).fit(X, Y[:, output])
        np.testing.assert_array_equal(together.exemplars_, alone.exemplars_)
        np.testing.assert_allclose(
            together.predict(X)[:, output], alone.predict(X), rtol=1e-9, atol=1e-9
        )


def test_an_output_that_is_another_in_other_units_is_predicted_as_that():
    """One ridge is chosen for all outputs, which is then the best for each."""
    values = np.column_stack([y, 5 - 3 * y])
    together = regressor().fit(X, values).predict(X)
    alone = regressor().fit(X, y).predict(X)
    np.testing.assert_allclose(together, np.column_stack([alone, 5 - 3 * alone]))


def test_the_order_of_outputs_does_not_matter():
    for form in [*FORMS, AUTO]:
        one, other = (regressor(**form).fit(X, v) for v in (Y, Y[:, ::-1]))
        assert_predicts(other, one.predict(X)[:, ::-1])


def test_a_column_is_predicted_as_a_column():
    vector, column = (regressor(max_iter=2).fit(X, v) for v in (y, y[:, None]))
    np.testing.assert_array_equal(column.predict(X), vector.predict(X)[:, None])
    assert_same_network(vector, column)


def test_score_is_the_mean_of_r2_over_the_outputs():
    estimator = regressor().fit(X, Y)
    predicted = estimator.predict(X)
    expected = np.mean([r2_score(a, b) for a, b in zip(Y.T, predicted.T, strict=True)])
    assert estimator.score(X, Y) == pytest.approx(expected)


# --- precision, containers, what is left alone ---


@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
@pytest.mark.parametrize("max_iter", [0, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype, max_iter, exemplars):
    features = X.astype(dtype)
    estimator = regressor(max_iter=max_iter, exemplars=exemplars)
    estimator.fit(features, y, sample_weight=np.ones(N))
    assert {array.dtype for array in parameters_of(estimator)} == {np.dtype(dtype)}
    assert estimator.exemplars_.dtype == estimator.predict(features).dtype == dtype


def test_single_precision_is_nearly_double():
    for form in ({}, {"n_neighbors": 1}, {"n_neighbors": 3, "activation": "tanh"}):
        settings = {"exemplars": (X[::15], y[::15]), "max_iter": 1, **form}
        double = regressor(**settings).fit(X, y)
        single = regressor(**settings).fit(X.astype(np.float32), y)
        assert_predicts(single, double.predict(X), X.astype(np.float32), by=1e-3)


def test_given_weights_take_the_precision_of_the_rows():
    start = regressor(max_iter=2).fit(X, y)
    single = regressor(init=given(start)).fit(X.astype(np.float32), y)
    assert {array.dtype for array in parameters_of(single)} == {np.dtype("float32")}
    assert_predicts(single, start.predict(X), X.astype(np.float32), by=1e-4)


@pytest.mark.parametrize("kind", [int, np.float32, object, bool])
def test_values_are_numbers_of_every_kind(kind):
    values = y > 100 if kind is bool else y.astype(int).astype(kind)
    estimator = regressor(max_iter=1).fit(X, values)
    expected = regressor(max_iter=1).fit(X, values.astype(float))
    assert_same_network(estimator, expected)
    assert estimator.predict(X).dtype == np.float64


@pytest.mark.parametrize(
    ("container", "exemplars"),
    [(sp.csr_matrix, "kmeans"), (sp.csc_matrix, "random"), (sp.csr_array, "random")],
)
@pytest.mark.parametrize(
    "settings", [{"max_iter": 0}, {"max_iter": 2, "activation": "tanh"}]
)
def test_sparse_features_give_the_same_as_dense_ones(container, exemplars, settings):
    features = X * (np.abs(X) > 0.5)
    estimator = regressor(exemplars=exemplars, **settings)
    dense = clone(estimator).fit(features, y)
    sparse = clone(estimator).fit(container(features), y)
    np.testing.assert_allclose(sparse.exemplars_, dense.exemplars_, atol=1e-12)
    np.testing.assert_allclose(sparse.exemplar_values_, dense.exemplar_values_)
    np.testing.assert_allclose(
        sparse.predict(container(features)), dense.predict(features), rtol=1e-8
    )


def test_inputs_are_neither_changed_nor_kept():
    features, values, weights = np.array(X), np.array(Y), np.linspace(0, 2, N)
    points, carried = np.array(X[::10]), np.array(Y[::10])
    start = regressor(exemplars=(points, carried)).fit(X, Y)
    init = tuple([np.array(array) for array in arrays] for arrays in given(start))
    arrays = [features, values, weights, points, carried, *init[0], *init[1]]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    for settings in (
        {},
        {"init": init},
        {"n_neighbors": 1, "early_stopping": True},
    ):
        estimator = regressor(exemplars=(points, carried), max_iter=2, **settings)
        estimator.fit(features, values, weights, X_val=features, y_val=values)
        estimator.set_params(early_stopping=False).partial_fit(features, values)
        for array in parameters_of(estimator):
            assert not any(np.shares_memory(array, mine) for mine in arrays)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_frames_give_feature_names_and_the_same_network():
    names = [f"x{i}" for i in range(10)]
    frame = pd.DataFrame(X, columns=names)
    estimator = regressor(max_iter=1).fit(frame, pd.Series(y))
    assert estimator.feature_names_in_.tolist() == names
    assert estimator.n_features_in_ == 10
    assert_same_network(estimator, regressor(max_iter=1).fit(X, y))
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame[names[::-1]])
    several_values = regressor().fit(frame, pd.DataFrame(Y))
    assert_predicts(several_values, regressor().fit(X, Y).predict(X), frame)


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
def test_same_seed_same_network(init, exemplars):
    settings = {"init": init, "exemplars": exemplars, "max_iter": 2, "batch_size": 50}
    first = regressor(**settings).fit(X, y)
    assert_same_network(first, regressor(**settings).fit(X, y))


@pytest.mark.parametrize("settings", [{"init": "random"}, {"exemplars": "random"}])
def test_different_seed_different_network(settings):
    first, second = (regressor(random_state=i, **settings).fit(X, y) for i in (0, 1))
    assert all(
        not np.array_equal(a, b) for a, b in zip(first.coefs_, second.coefs_, strict=True)
    )


@pytest.mark.parametrize("settings", [{}, {"init": "random"}, {"solver": "sgd"}])
def test_pickle_predicts_and_trains_on_as_the_original(settings):
    estimator = regressor(max_iter=2, batch_size=50, **settings).fit(X, Y)
    copy = pickle.loads(pickle.dumps(estimator))  # noqa: S301 - made just now
    np.testing.assert_array_equal(copy.predict(X), estimator.predict(X))
    assert_same_network(copy.partial_fit(X, Y), estimator.partial_fit(X, Y))
    assert copy.loss_curve_ == estimator.loss_curve_


@pytest.mark.parametrize(
    "settings",
    [{}, {"exemplars": (X[::10], y[::10]), "learning_rate_init": (0.1, 0.01)}],
)
def test_clone_is_unfitted_and_has_the_same_parameters(settings):
    estimator = regressor(**settings).fit(X, y)
    copy = clone(estimator)
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)
    for name, value in estimator.get_params().items():
        assert repr(copy.get_params()[name]) == repr(value)
    assert_same_network(copy.fit(X, y), estimator)


# --- baselines ---


@pytest.mark.parametrize("n_neighbors", [None, 1, 3])
def test_baselines_have_the_architecture_of_the_method(n_neighbors):
    calculated = regressor(n_neighbors=n_neighbors).fit(X, Y)
    for init in BASELINES:
        baseline = regressor(init, n_neighbors=n_neighbors).fit(X, Y)
        assert shapes(baseline) == shapes(calculated)
        assert baseline.out_activation_ == "identity"
        assert baseline.n_exemplars_ == 9
        for name in ("exemplars_", "exemplar_values_", "exemplar_indices_"):
            with pytest.raises(AttributeError, match=f"init='{init}' has no exemplars"):
                getattr(baseline, name)


@pytest.mark.parametrize("init", ["zeros", "random"])
def test_baselines_start_at_the_mean_and_in_units_of_the_deviation(init):
    estimator = regressor(init=init).fit(X, Y, WEIGHTS)
    mean = np.average(Y, axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(estimator.intercepts_[-1], mean)
    deviation = np.sqrt(np.average((Y - mean) ** 2, axis=0, weights=WEIGHTS))
    in_units = estimator.coefs_[-1] / deviation
    if init == "zeros":
        assert_predicts(estimator, np.tile(mean, (N, 1)))
    else:
        bound = np.sqrt(6 / 79)
        assert 0.9 * bound < abs(in_units).max() <= bound


# --- training goes on ---


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.001},
        {"init": "random", "shuffle": False},
        {"exemplars": "random", "batch_size": 32, "activation": "logistic"},
        {"n_neighbors": 3, "tied": True, "batch_size": 32},
        {"output_init": "norm_constrained"},
    ],
)
def test_partial_fit_is_one_more_epoch_of_fit(settings):
    max_iter = 3
    settings = {**settings, "tol": 0, "n_iter_no_change": 100}
    with pytest.warns(ConvergenceWarning, match=f"after max_iter={max_iter} "):
        fitted = regressor(max_iter=max_iter, **settings).fit(X, Y)
    started = regressor(**settings).fit(X, Y)
    from_nothing = regressor(**settings).partial_fit(X, Y)
    for _ in range(max_iter):
        started.partial_fit(X, Y)
    for _ in range(max_iter - 1):
        from_nothing.partial_fit(X, Y)
    for estimator in (started, from_nothing):
        assert_nearly_same_network(estimator, fitted, by=1e-8)
        assert estimator.loss_curve_ == pytest.approx(fitted.loss_curve_)
        assert estimator.n_iter_ == fitted.n_iter_ == max_iter
        assert estimator.t_ == fitted.t_ == max_iter * N


def test_partial_fit_keeps_the_units_of_the_first_rows():
    estimator = regressor(init="zeros").fit(X, y)
    network = estimator.network_
    estimator.partial_fit(X[:30], 1000 * y[:30], sample_weight=np.full(30, 2.0))
    targets = estimator._fit_state.targets
    assert targets.mean == pytest.approx(y.mean())
    assert targets.deviation == pytest.approx(y.std())
    # The first gradient step is along the mean of the targets in those units.
    expected = ((1000 * y[:30] - y.mean()) / y.std()).mean()
    step = estimator.network_.layers[-1].bias - network.layers[-1].bias
    assert np.sign(step) == np.sign(expected)
    assert estimator.n_iter_ == 1


def test_partial_fit_warns_of_nothing_and_takes_no_early_stopping():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = regressor(max_iter=1).partial_fit(X, y).partial_fit(X, y)
    with pytest.raises(ValueError, match="does not support early_stopping"):
        estimator.set_params(early_stopping=True).partial_fit(X, y)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("first", "then", "shape"),
    [
        (y, Y, r"\(150,\), got \(150, 3\)"),
        (Y, y, r"\(150, 3\), got \(150,\)"),
        (Y, Y[:, :2], r"\(150, 3\), got \(150, 2\)"),
        (y, Y[:, :2], r"\(150,\), got \(150, 2\)"),
    ],
)
def test_later_rows_have_as_many_outputs(first, then, shape, method):
    estimator = regressor(warm_start=True).fit(X, first)
    with (
        unchanged(estimator, {}),
        pytest.raises(ValueError, match=f"^y must have shape {shape}"),
    ):
        getattr(estimator, method)(X, then)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_goes_on(solver):
    settings = {"solver": solver, "tol": 0, "batch_size": 50}
    twice = regressor(warm_start=True, max_iter=3, **settings).fit(X, y)
    curve = list(twice.loss_curve_)
    shallow = copying.copy(twice)
    twice.fit(X, y)
    at_once = regressor(max_iter=6, **settings).fit(X, y)
    assert twice.n_iter_ == 6
    assert twice.loss_curve_[:3] == curve
    assert twice.loss_curve_ == pytest.approx(at_once.loss_curve_)
    assert_nearly_same_network(twice, at_once, by=1e-8)
    assert_same_network(shallow.fit(X, y), twice)  # the earlier state has stayed


@pytest.mark.parametrize("init", ["metric", "random"])
def test_fit_starts_anew_without_warm_start(init):
    estimator = regressor(init=init, max_iter=3).fit(X[::2], 50 * Y[::2])
    estimator.fit(X, y)
    fresh = regressor(init=init, max_iter=3).fit(X, y)
    assert estimator.n_iter_ == 3
    assert estimator.loss_curve_ == fresh.loss_curve_
    assert_same_network(estimator, fresh)


@pytest.mark.parametrize(
    ("form", "name", "value"),
    [
        ({}, "activation", "tanh"),
        ({"n_comparisons": 800}, "n_neighbors", 1),
        ({}, "n_comparisons", 41),
        ({}, "n_conjunctions", 2),
        ({}, "max_features", 3),
        ({"n_neighbors": 1}, "n_neighbors", 3),
        ({"n_neighbors": 1}, "tied", True),
        ({"n_neighbors": 1}, "pairs", 3),
    ],
    ids=str,
)
def test_a_network_is_not_gone_on_with_as_another_one(form, name, value):
    estimator = regressor(warm_start=True, max_iter=1, **form).fit(X, y)
    for method in ("fit", "partial_fit"):
        with (
            unchanged(estimator, {name: value}),
            pytest.raises(ValueError, match=f"{name}={value!r} does not go with"),
        ):
            getattr(estimator, method)(X, y)


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 3e-4),
        ({"output_init": "norm_constrained"}, 1e-3),
        ({"n_neighbors": 1}, 1e-3),
        ({"init": "random"}, 1e-3),
        ({"init": "random", "output_init": "ridge"}, 3e-4),
    ],
)
def test_a_fitted_output_is_trained_at_a_gentler_rate(settings, rate):
    settings = {**settings, "max_iter": 2}
    assert_same_network(
        regressor(**settings).fit(X, y),
        regressor(learning_rate_init=rate, **settings).fit(X, y),
    )


@pytest.mark.parametrize("n_steps", [0, 1, 4])
def test_interrupt_leaves_a_usable_estimator_that_can_go_on(n_steps):
    estimator = regressor(max_iter=10, batch_size=50, warm_start=True)
    with (
        training_raises(KeyboardInterrupt, n_steps),
        pytest.warns(UserWarning, match=f"interrupted in epoch {n_steps // 3 + 1}"),
    ):
        estimator.fit(X, y)
    assert estimator.n_iter_ == n_steps // 3
    assert estimator.t_ == 50 * n_steps
    assert estimator.score(X, y) > 0.3
    assert estimator.set_params(max_iter=3).fit(X, y).n_iter_ == n_steps // 3 + 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_keeps_the_last_weights_of_finite_loss(dtype):
    features = X.astype(dtype)
    settings = {"solver": "sgd", "learning_rate_init": 1e100, "batch_size": len(X)}
    with pytest.warns(ConvergenceWarning, match="smaller learning_rate_init"):
        diverged = regressor(max_iter=50, **settings).fit(features, y)
    assert 0 <= diverged.n_iter_ < 50
    assert all(np.isfinite(array).all() for array in parameters_of(diverged))
    assert np.isfinite(diverged.predict(features)).all()
    assert np.isfinite(diverged.loss_curve_).all()
    before = regressor(max_iter=diverged.n_iter_ - 1, **settings).fit(features, y)
    assert_same_network(diverged, before)


# --- validation rows and early stopping ---


LARGE_STEPS = {
    "activation": "tanh",
    "solver": "sgd",
    "learning_rate_init": 0.5,
    "max_iter": 8,
    "tol": 0,
}


def fit_with_validation(**settings):
    """Steps so large that the validation score goes up and down."""
    settings = {**LARGE_STEPS, **settings}
    estimator = regressor(**settings)
    held_out = X[HELD_OUT], Y[HELD_OUT], WEIGHTS[HELD_OUT]
    named = dict(zip(("X_val", "y_val", "sample_weight_val"), held_out, strict=True))
    return estimator.fit(X[~HELD_OUT], Y[~HELD_OUT], **named), held_out


def test_early_stopping_keeps_the_network_of_the_best_r2():
    estimator, held_out = fit_with_validation(
        early_stopping=True, init="zeros", batch_size=200
    )
    scores = estimator.validation_scores_
    assert scores[-1] < max(scores)
    assert estimator.best_validation_score_ == max(scores)
    assert estimator.score(*held_out) == pytest.approx(max(scores))
    assert estimator.best_loss_ is None


def test_validation_rows_without_early_stopping_only_watch():
    estimator, held_out = fit_with_validation(learning_rate_init=0.01)
    assert estimator.score(*held_out) == pytest.approx(estimator.validation_scores_[-1])
    assert len(estimator.validation_scores_) == estimator.n_iter_
    unwatched = regressor(**{**LARGE_STEPS, "learning_rate_init": 0.01}).fit(
        X[~HELD_OUT], Y[~HELD_OUT]
    )
    assert_same_network(estimator, unwatched)


def test_early_stopping_keeps_a_start_that_training_does_not_reach():
    estimator, held_out = fit_with_validation(early_stopping=True, learning_rate_init=2)
    start = regressor(activation="tanh").fit(X[~HELD_OUT], Y[~HELD_OUT])
    assert start.score(*held_out) > max(estimator.validation_scores_)
    assert_same_network(estimator, start)


def test_held_out_rows_are_never_exemplars():
    # With every training row an exemplar, the rows that are none were held out.
    features, values = X[::3], y[::3]
    weights = np.where(np.arange(50) % 10 == 0, 0, 1)
    estimator = regressor(
        exemplars="random",
        n_exemplars=1.0,
        early_stopping=True,
        validation_fraction=0.2,
        max_iter=3,
    ).fit(features, values, sample_weight=weights)
    index = estimator.exemplar_indices_
    held_out = np.setdiff1d(np.flatnonzero(weights), index)
    assert len(held_out) == 9
    assert estimator.t_ == 3 * len(index)
    np.testing.assert_array_equal(features[index], estimator.exemplars_)
    np.testing.assert_allclose(values[index], estimator.exemplar_values_)
    scores = estimator.validation_scores_
    score = estimator.score(features[held_out], values[held_out])
    assert score >= max(scores) - 1e-12
    watched = regressor(exemplars="random", n_exemplars=1.0, max_iter=3).fit(
        features[index], values[index], X_val=features[held_out], y_val=values[held_out]
    )
    assert len(watched.validation_scores_) == 3


def test_early_stopping_without_training_holds_nothing_out():
    assert_same_network(regressor(early_stopping=True).fit(X, y), regressor().fit(X, y))


def test_warm_start_holds_the_same_rows_out():
    settings = {"early_stopping": True, "max_iter": 1, "exemplars": "random"}
    estimator = regressor(warm_start=True, **settings).fit(X, y)
    scores = list(estimator.validation_scores_)
    estimator.set_params(learning_rate_init=1e-12).fit(X, y)
    # What is kept is the start or the first epoch; hardly moved, it scores the same.
    kept = estimator.validation_scores_[1]
    assert kept >= scores[0] - 1e-9
    assert estimator.validation_scores_[:1] == scores


def test_an_output_that_does_not_vary_leaves_the_score_finite():
    values = np.column_stack([y, np.full(N, 0.1)])
    estimator = regressor(early_stopping=True, max_iter=3).fit(X, values)
    scores = np.array(estimator.validation_scores_)
    assert (scores <= 1).all()
    assert (scores > -1).all()


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"X_val": X}, "y_val is missing"),
        ({"y_val": y}, "X_val is missing"),
        ({"X_val": X, "y_val": Y}, r"^y_val must have shape \(150,\), got \(150, 3\)"),
        ({"X_val": X[:, :3], "y_val": y}, "X_val.*3 features"),
        ({"X_val": X, "y_val": np.where(y > 99, np.nan, y)}, "y_val.*NaN"),
        ({"X_val": X, "y_val": np.full(N, "a")}, "y_val.*: y must be numbers, got 'a'"),
    ],
)
def test_validation_rows_that_are_not_accepted(named, message):
    with pytest.raises(ValueError, match=message):
        regressor(max_iter=1).fit(X, y, **named)


# --- edges ---


@pytest.mark.parametrize(
    ("form", "value"),
    [
        *((form, 0.1) for form in [*FORMS, {"init": "zeros"}, AUTO]),
        *((form, v) for form in ({}, {"n_neighbors": 3}) for v in (0.0, -7.3, 1e12)),
    ],
    ids=str,
)
def test_values_that_are_all_the_same_are_predicted(form, value):
    estimator = regressor(**form).fit(X, np.full(N, value))
    np.testing.assert_allclose(estimator.predict(X), value, rtol=1e-12, atol=1e-12)
    trained = regressor(**form, max_iter=3, alpha=0.0).fit(X, np.full(N, value))
    np.testing.assert_allclose(trained.predict(X), value, rtol=1e-9, atol=1e-9)


def test_an_output_that_does_not_vary_is_predicted_beside_one_that_does():
    for form in [*FORMS, AUTO]:
        predicted = regressor(**form).fit(X, np.column_stack([y, np.full(N, 3.3)]))
        predicted = predicted.predict(X)
        np.testing.assert_allclose(predicted[:, 1], 3.3)
        assert r2_score(y, predicted[:, 0]) > 0


@pytest.mark.parametrize("max_iter", [0, 3])
@pytest.mark.parametrize(
    "form",
    [{}, {"n_neighbors": 1}, {"output_init": "norm_constrained"}, {"tied": True}],
)
def test_one_row_is_predicted_everywhere(form, max_iter):
    # Weights that are not needed decay by the penalty, which moves the prediction.
    settings = {**form, "max_iter": max_iter, "alpha": 0.0}
    estimator = regressor(**settings).fit(X[:1], y[:1])
    assert estimator.n_exemplars_ == 1
    np.testing.assert_allclose(estimator.predict(X[:1]), y[:1])
    if "output_init" not in form:
        np.testing.assert_allclose(estimator.predict(X), y[0])


@pytest.mark.parametrize("exemplars", ["kmeans", (X[:1], [42.0])])
def test_one_exemplar_predicts_its_value(exemplars):
    estimator = regressor(n_exemplars=1, exemplars=exemplars, n_neighbors=1)
    estimator.fit(X, y, WEIGHTS)
    assert shapes(estimator)[:3] == [(10, 0), (0, 1), (1, 1)]
    value = np.average(y, weights=WEIGHTS) if exemplars == "kmeans" else 42.0
    np.testing.assert_allclose(estimator.predict(X), value)
    np.testing.assert_allclose(estimator.exemplar_values_, [value])


def test_with_nothing_to_compare_the_mean_is_predicted():
    for output_init in ("ridge", "norm_constrained"):
        estimator = regressor(n_exemplars=1, n_comparisons=30, output_init=output_init)
        estimator.fit(X, Y, WEIGHTS)
        mean = np.average(Y, axis=0, weights=WEIGHTS)
        np.testing.assert_allclose(estimator.predict(X), np.tile(mean, (N, 1)))


@pytest.mark.parametrize("exemplars", ["kmeans", "random", "kmedoids"])
@pytest.mark.parametrize("n_exemplars", [1000, 1.0])
def test_more_exemplars_than_distinct_rows_are_all_of_them(exemplars, n_exemplars):
    features, values = np.tile(X[::5], (2, 1)), np.tile(y[::5], 2)
    estimator = regressor(exemplars=exemplars, n_exemplars=n_exemplars)
    estimator.fit(features, values)
    found = np.column_stack([estimator.exemplars_, estimator.exemplar_values_])
    expected = np.column_stack([X[::5], y[::5]])
    np.testing.assert_allclose(
        found[np.lexsort(found.T[::-1])], expected[np.lexsort(expected.T[::-1])]
    )


@pytest.mark.parametrize(("asked", "total"), [(0.1, 15), (0.001, 1), (11, 11)])
def test_counts_of_exemplars(asked, total):
    for exemplars in ("kmeans", "random", "kmedoids"):
        estimator = regressor(n_exemplars=asked, exemplars=exemplars).fit(X, y)
        assert estimator.n_exemplars_ == len(estimator.exemplars_) == total


@pytest.mark.parametrize("activation", ["step", "relu", "logistic", "tanh"])
def test_duplicate_exemplars_do_not_hurt(activation):
    settings = {"activation": activation, "n_neighbors": 1}
    if activation != "step":
        settings["sharpness"] = 1e6
    points, values = X[::15].repeat(2, axis=0), y[::15].repeat(2)
    once = regressor(exemplars=(X[::15], y[::15]), **settings).fit(X, y)
    twice = regressor(exemplars=(points, values), **settings).fit(X, y)
    assert all(np.isfinite(array).all() for array in parameters_of(twice))
    if activation in ("step", "relu"):
        far = abs(once.predict(X) - twice.predict(X)) > 0.01 * y.std()
        assert far.mean() < 0.02


@pytest.mark.parametrize("max_iter", [0, 2])
@pytest.mark.parametrize("form", [{}, {"n_neighbors": 1}])
def test_constant_features_and_equal_exemplars(form, max_iter):
    constant = regressor(max_iter=max_iter, **form).fit(np.ones((N, 4)), y)
    assert constant.n_exemplars_ == 1
    if not max_iter:
        np.testing.assert_allclose(constant.predict(np.ones((N, 4))), y.mean())
    points = np.tile(X[:1], (6, 1))
    same = regressor(exemplars=(points, y[:6]), max_iter=max_iter, **form).fit(X, y)
    assert np.isfinite(same.predict(X)).all()


@pytest.mark.parametrize(
    ("dtype", "unit"), [(np.float64, 1e300), (np.float64, 1e155), (np.float32, 1e20)]
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_values_too_large_to_be_represented_are_refused(method, dtype, unit):
    with pytest.raises(ValueError, match=r"^y is too large, .* up to .*: scale it"):
        getattr(regressor(), method)(X.astype(dtype), unit * y)


@pytest.mark.parametrize(
    ("dtype", "unit"), [(np.float64, 1e150), (np.float64, 1e-150), (np.float32, 1e15)]
)
def test_large_and_small_values_are_learned(dtype, unit):
    features = X.astype(dtype)
    expected = regressor(max_iter=2).fit(features, y).predict(features)
    estimator = regressor(max_iter=2).fit(features, unit * y)
    by = 1e-3 if dtype == np.float32 else 1e-8
    assert_predicts(estimator, unit * expected.astype(float), features, by=by)


def test_values_that_come_late_and_are_too_large_leave_a_finite_network():
    for dtype in (np.float32, np.float64):
        estimator = regressor().fit(X.astype(dtype), y)
        with pytest.warns(ConvergenceWarning, match="stopped being finite"):
            estimator.partial_fit(X.astype(dtype), 1e300 * y)
        assert np.isfinite(estimator.predict(X.astype(dtype))).all()


# --- errors ---

FAILURES = {
    "bad parameter": ({"alpha": -1}, X, y, "alpha"),
    "not a number": ({}, X, np.where(y > 99, np.nan, y), "NaN"),
    "strings": ({}, X, np.full(N, "a"), "^y must be numbers, got 'a'"),
    "complex": ({}, X, y + 1j, "Complex data"),
    "three dimensions": ({}, X, Y[..., None], "dim 3"),
    "lengths differ": ({}, X, y[1:], "inconsistent numbers of samples"),
    "no rows": ({}, X[:0], y[:0], "0 sample"),
}
START_FAILURES = {
    "exemplars of other features": (
        {"exemplars": (X[:3, :2], y[:3]), "n_exemplars": 3}, X, y,
        r"\(points, values\).* of 10 features"
    ),
    "values of another shape": (
        {"exemplars": (X[:3], Y[:3]), "n_exemplars": 3}, X, y,
        r"exemplars\[1\] must have shape \(3,\)"
    ),
    "values that are not finite": (
        {"exemplars": (X[:2], [1, np.inf]), "n_exemplars": 2}, X, y,
        r"exemplars\[1\] .* not finite"
    ),
    "values that are no numbers": (
        {"exemplars": (X[:2], ["a", "b"]), "n_exemplars": 2}, X, y,
        r"exemplars\[1\] must be numbers"
    ),
    "too few values": (
        {"exemplars": (X[:3], y[:2]), "n_exemplars": 30}, X, y,
        r"\(points, values\) .* values of shape \(2,\)"
    ),
    "weights of other shapes": ({"init": ([X], [y])}, X, y, "init"),
    "too many neighbors": ({"n_neighbors": 10}, X, y, "n_neighbors"),
    "hold out too little": (
        {"early_stopping": True, "validation_fraction": 0.999, "max_iter": 1},
        X[:3], y[:3], "validation_fraction|early_stopping",
    ),
}  # fmt: skip


@contextmanager
def unchanged(estimator, parameters):
    """Check that a fitted estimator is, has and predicts the same afterwards."""
    predicted = estimator.predict(X)
    arrays = [array.copy() for array in parameters_of(estimator)]
    estimator.set_params(**parameters)
    before = dict(vars(estimator))
    yield
    after = vars(estimator)
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    for array, copy in zip(parameters_of(estimator), arrays, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(estimator.predict(X), predicted)
    estimator.set_params(**{name: before[name] for name in parameters})


@pytest.fixture(scope="module")
def trained():
    return regressor(max_iter=1).fit(X, y)


@pytest.mark.parametrize("failure", FAILURES | START_FAILURES)
def test_failing_fit_leaves_a_fitted_estimator_as_it_was(failure, trained):
    parameters, features, values, message = (FAILURES | START_FAILURES)[failure]
    estimator = deepcopy(trained)
    with unchanged(estimator, parameters), pytest.raises(ValueError, match=message):
        estimator.fit(features, values)


@pytest.mark.parametrize("failure", FAILURES)
def test_failing_partial_fit_leaves_a_fitted_estimator_as_it_was(failure, trained):
    parameters, features, values, message = FAILURES[failure]
    estimator = deepcopy(trained)
    with unchanged(estimator, parameters), pytest.raises(ValueError, match=message):
        estimator.partial_fit(features, values)


@pytest.mark.parametrize("failure", FAILURES | START_FAILURES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_failing_first_call_leaves_the_estimator_unfitted(failure, method):
    parameters, features, values, message = (FAILURES | START_FAILURES)[failure]
    estimator = regressor(**parameters)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        getattr(estimator, method)(features, values)
    assert vars(estimator) == before
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@pytest.mark.parametrize(("method", "n_steps"), [("fit", 4), ("partial_fit", 2)])
def test_error_in_the_middle_of_training_leaves_the_estimator_as_it_was(method, n_steps):
    estimator = regressor(max_iter=3, batch_size=50, warm_start=True).fit(X, y)
    twin = deepcopy(estimator)
    with (
        training_raises(MemoryError, n_steps),
        unchanged(estimator, {}),
        pytest.raises(MemoryError),
    ):
        getattr(estimator, method)(X, y)
    assert_same_network(estimator.partial_fit(X, y), twin.partial_fit(X, y))


# --- ties, pairs and metrics ---


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
@pytest.mark.parametrize(
    "form",
    [
        {"n_neighbors": 1},
        {"n_neighbors": 3, "activation": "tanh"},
        {"n_neighbors": 1, "pairs": 4},
    ],
)
def test_tied_comparisons_start_as_the_same_network(form, values):
    untied, tied = (regressor(tied=t, **form).fit(X, values) for t in (False, True))
    assert shapes(untied) == shapes(tied)
    assert_predicts(tied, untied.predict(X), by=1e-6)
    assert len(tied.network_.parameters[0][0]) < len(untied.network_.parameters[0][0])
    trained = clone(tied).set_params(max_iter=3).fit(X, values)
    assert trained.loss_curve_[-1] < trained.loss_curve_[0]


def test_as_many_pairs_as_there_are_others_are_all():
    for form in ({"n_neighbors": 1}, {"n_neighbors": 3}):
        assert_same_network(
            regressor(pairs=8, **form).fit(X, y), regressor(**form).fit(X, y)
        )
    few = regressor(pairs=3, n_neighbors=1).fit(X, y)
    assert shapes(few)[:3] == [(10, 27), (27, 9), (9, 1)]
    assert few.score(X, y) > 0


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
def test_an_unfitted_transformer_is_fitted_on_the_values_of_the_user(values):
    seen = []

    class Recording(PCA):
        def fit(self, rows, given=None):
            seen.append((np.array(rows), np.array(given)))
            return super().fit(rows)

    weights = np.where(np.arange(N) % 4 == 0, 0.0, 1.0)
    regressor(metric=Recording(3)).fit(X, values, sample_weight=weights)
    ((rows, targets),) = seen
    np.testing.assert_array_equal(rows, X[weights > 0])
    assert targets.shape == values[weights > 0].shape
    np.testing.assert_allclose(targets, values[weights > 0])


@pytest.mark.parametrize("values", [y, Y], ids=["one output", "three"])
def test_a_supervised_metric_is_that_of_the_transformed_rows(values):
    pls = PLSRegression(3).fit(X, values)
    fitted, unfitted = (
        regressor(metric=m, activation="step", exemplars="random", n_neighbors=1).fit(
            X, values
        )
        for m in (pls, PLSRegression(3))
    )
    assert_predicts(unfitted, fitted.predict(X))
    neighbors = KNeighborsRegressor(1)
    neighbors.fit(pls.transform(fitted.exemplars_), fitted.exemplar_values_)
    assert_predicts(fitted, neighbors.predict(pls.transform(X)))
    assert fitted.effective_metric_params_["L"].shape == (3, 10)


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis", "cosine"])
def test_metrics_decide_what_is_near(metric):
    settings = {"activation": "step", "exemplars": "kmedoids", "n_neighbors": 1}
    estimator = regressor(metric=metric, **settings)
    estimator.fit(X, y)
    params = estimator.effective_metric_params_
    neighbors = KNeighborsRegressor(
        1, algorithm="brute", metric=metric, metric_params=params or None
    ).fit(estimator.exemplars_, estimator.exemplar_values_)
    assert_predicts(estimator, neighbors.predict(X))


# --- how values are standardized ---


@pytest.mark.parametrize("values", [y, y[:, None], Y], ids=np.shape)
def test_values_are_taken_by_their_weighted_mean_and_deviation(values):
    outputs = RegressionTargets.from_values(values, WEIGHTS)
    assert outputs.is_vector == (values.ndim == 1)
    for column, mean, deviation in zip(
        values.reshape(N, -1).T, outputs.mean, outputs.deviation, strict=True
    ):
        total = sum(WEIGHTS)
        expected = sum(w * v for w, v in zip(WEIGHTS, column, strict=True)) / total
        squares = sum(
            w * (v - expected) ** 2 for w, v in zip(WEIGHTS, column, strict=True)
        )
        assert mean == pytest.approx(expected)
        assert deviation == pytest.approx(np.sqrt(squares / total))
    targets = outputs.encode(values)
    assert targets.shape == (N, values[:1].size)
    np.testing.assert_allclose(np.average(targets, axis=0, weights=WEIGHTS), 0, atol=1e-9)
    np.testing.assert_allclose(np.average(targets**2, axis=0, weights=WEIGHTS), 1)
    np.testing.assert_allclose(outputs.decode(targets), values)


def test_a_deviation_of_rounding_errors_is_none():
    values = np.full(7, 1e9) + np.array([0, 1, -1, 2, 0, 0, 1]) * 2e-7
    assert RegressionTargets.from_values(values, np.ones(7)).deviation == [1.0]
    assert RegressionTargets.from_values(1e-3 * values, np.ones(7)).deviation == [1.0]
    assert RegressionTargets.from_values(values - 1e9, np.ones(7)).deviation < 1e-6
    assert RegressionTargets.from_values(
        1e9 + np.arange(7.0), np.ones(7)
    ).deviation == pytest.approx(2.0)


def test_a_network_in_units_and_back_is_the_same():
    estimator = regressor(max_iter=1).fit(X, Y)
    in_units, targets = estimator.network_, estimator._fit_state.targets
    network = targets.to_training_units(in_units)
    np.testing.assert_allclose(
        in_units.affine_output(X), targets.decode(network.affine_output(X))
    )
    back = targets.to_training_units(targets.to_user_units(network))
    for a, b in zip(network.parameters, back.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    for a, b in zip(network.layers[:-1], in_units.layers[:-1], strict=True):
        assert a is b
