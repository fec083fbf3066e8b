"""Random and constant weights, and the scale of the output."""

from functools import cache

import numpy as np
import pytest
from factories import classifier, read_only, regressor, shapes, standardized
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import scale

from skmetricmlp._data import distinct_rows
from skmetricmlp.initialization import NetworkConfig, output_layer
from skmetricmlp.initialization.architecture import layer_sizes, n_parameters
from skmetricmlp.initialization.baselines import (
    BASELINES,
    baseline_network,
)
from skmetricmlp.initialization.norm_constrained import constrained_weights
from skmetricmlp.initialization.output_layer import (
    LIMITS,
    LOG_RIDGE_DEVIATION,
    LOG_RIDGE_MEAN,
    LOG_RIDGES,
    LOGISTIC_RIDGE,
    best_scale,
    logistic_weights,
    ridge_weights,
    scaled_classifier,
)
from skmetricmlp.network import ACTIVATIONS

SIZE = 40, (2, 2, 2, 2, 2), 5


def config_of(**settings):
    return NetworkConfig(**{"n_neighbors": 1} | settings)


def draw(init, activation="relu", seed=0, **settings):
    config = config_of(init=init, activation=activation, **settings)
    return baseline_network(config, *SIZE, np.random.RandomState(seed))


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("uniform", lambda _n_in, _n_out: 0.5),
        ("glorot_uniform", lambda n_in, n_out: np.sqrt(6 / (n_in + n_out))),
        ("he_uniform", lambda n_in, _n_out: np.sqrt(6 / n_in)),
    ],
)
def test_weights_are_uniform_within_the_published_bounds(init, bound):
    for layer in draw(init).layers:
        n_in, n_out = layer.weights.shape
        b = bound(n_in, n_out)
        share = (layer.weights / b + 1) / 2  # uniform on [0, 1]
        assert share.min() >= 0
        assert share.max() <= 1
        error = 4 / np.sqrt(12 * share.size)
        assert share.mean() == pytest.approx(0.5, abs=error)
        assert share.std() == pytest.approx(1 / np.sqrt(12), abs=error)
        assert layer.bias.any() == (init == "uniform")


@pytest.mark.parametrize(("init", "value"), [("zeros", 0.0), ("ones", 1.0)])
def test_constant_weights(init, value):
    assert all((array == value).all() for array in draw(init).parameters)


@pytest.mark.parametrize(
    ("activation", "same"),
    [("relu", "he_uniform"), ("tanh", "glorot_uniform"), ("logistic", "glorot_uniform")],
)
def test_random_is_he_or_glorot(activation, same):
    for one, other in zip(
        draw("random", activation).parameters,
        draw(same, activation).parameters,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("init", BASELINES)
def test_baselines_have_the_architecture_they_are_given(init):
    network = draw(init, "tanh")
    assert [p.shape for p in network.parameters[::2]] == [(40, 90), (90, 10), (10, 5)]
    assert [layer.activation for layer in network.layers] == ["tanh", "tanh", "softmax"]


@pytest.mark.parametrize("tied", [False, True])
def test_a_network_without_neurons_to_compare(tied):
    alone, size = config_of(init="he_uniform", tied=tied), (3, (1,), 1)
    assert layer_sizes(alone, *size) == [3, 0, 1, 1]
    with np.errstate(all="raise"):
        network = baseline_network(alone, *size, np.random.RandomState(0))
    assert network.forward(np.ones((2, 3))).shape == (2, 1)


VOTING = [
    {"n_neighbors": k, "pairs": pairs, "tied": tied}
    for k in (1, 3)
    for pairs in ("all", "other_classes", 3, 4)
    for tied in (False, True)
]
COMPARING = [
    {"n_neighbors": None, "n_comparisons": 7, "n_conjunctions": k} for k in (0, 1, 9)
]


@pytest.mark.parametrize("form", [*VOTING, *COMPARING], ids=str)
def test_parameters_are_counted_before_a_network_is_made(form):
    config = config_of(init="random", **form)
    size = 4, (3, 1, 2), 3
    network = baseline_network(config, *size, np.random.RandomState(0))
    assert n_parameters(config, *size) == sum(p.size for p in network.parameters)
    widths = [layer.n_out for layer in network.dense().layers]
    assert layer_sizes(config, *size) == [4, *widths]
    assert network.n_dense_weights == sum(p.size for p in network.dense().parameters)


def test_tied_random_comparisons_vary_as_untied_ones_do():
    """Each of two scores is drawn with half the variance of a weight of its own."""
    for init in ("he_uniform", "glorot_uniform"):
        tied = draw(init, tied=True).dense().layers[0].weights
        bound = np.sqrt(6 / (40 + (10 if init == "glorot_uniform" else 0)))
        assert tied.std() == pytest.approx(bound / np.sqrt(3), rel=0.2)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_best_scale_is_the_best_of_a_fine_grid(loss):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 200)
    scores = np.eye(3)[codes] + rng.normal(size=(200, 3))
    weights = rng.uniform(0.5, 2, 200)

    def mean_loss(scale):
        z = scale * scores
        if loss == "log_loss":
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            losses = -np.log(p[np.arange(200), codes])
        else:
            losses = ((1 / (1 + np.exp(-z)) - np.eye(3)[codes]) ** 2).sum(axis=1) / 2
        return (weights * losses).sum() / weights.sum()

    found = best_scale(scores, codes, weights, loss)
    assert (
        mean_loss(found) <= min(mean_loss(s) for s in np.geomspace(*LIMITS, 500)) + 1e-9
    )


def test_best_scale_undoes_the_unit_of_the_scores():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2, 300)
    scores = np.eye(2)[codes] + rng.normal(size=(300, 2))
    one, other = (
        best_scale(c * scores, codes, np.ones(300), "log_loss") for c in (1.0, 0.5)
    )
    assert other == pytest.approx(2 * one, rel=1e-3)


def test_best_scale_of_scores_that_are_always_right_is_the_limit():
    codes = np.arange(10) % 2
    scale = best_scale(np.eye(2)[codes], codes, np.ones(10), "log_loss")
    assert scale == pytest.approx(LIMITS[1], rel=1e-3)


# --- the output layer by logistic regression ---


def regression_problem(n_classes, n=60):
    rng = np.random.default_rng(n_classes)
    codes = rng.integers(0, n_classes, n)
    values = rng.normal(size=(n, 3)) + 0.7 * codes[:, None]
    return values, codes, rng.uniform(0.5, 2.0, n)


def penalized_loss(W, b, values, codes, weights):
    """Log loss of each row by its definition, and half the squares of the weights."""
    total = 0.5 * LOGISTIC_RIDGE * sum(w * w for w in W.ravel())
    for value, code, weight in zip(values, codes, weights / weights.mean(), strict=True):
        z = [
            sum(v * w for v, w in zip(value, W[:, c], strict=True)) + b[c]
            for c in range(len(b))
        ]
        total += weight * (np.log(sum(np.exp(a) for a in z)) - z[code])
    return total


@pytest.mark.parametrize("n_classes", [3, 4])
def test_logistic_weights_minimize_the_penalized_loss(n_classes):
    values, codes, weights = regression_problem(n_classes)
    W, b = logistic_weights(values, codes, weights, n_classes)
    least = penalized_loss(W, b, values, codes, weights)
    rng = np.random.default_rng(0)
    for _ in range(20):
        step_W, step_b = rng.normal(size=W.shape), rng.normal(size=b.shape)
        for size in (0.01, -0.01, 0.3, -0.3):
            moved = W + size * step_W, b + size * step_b
            assert penalized_loss(*moved, values, codes, weights) > least


def test_logistic_weights_of_two_classes_are_the_log_odds():
    values, codes, weights = regression_problem(2)
    W, b = logistic_weights(values, codes, weights, 2)
    reference = LogisticRegression(C=1 / LOGISTIC_RIDGE, tol=1e-8)
    reference.fit(values, codes, sample_weight=weights / weights.mean())
    log_odds = (values @ W + b) @ [-1, 1]
    np.testing.assert_allclose(log_odds, reference.decision_function(values), atol=1e-3)


def test_logistic_weights_do_not_depend_on_the_unit_of_the_weights():
    values, codes, weights = regression_problem(3)
    one = logistic_weights(values, codes, weights, 3)
    other = logistic_weights(values, codes, 1000 * weights, 3)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_class_without_rows_is_never_predicted():
    values, codes, weights = regression_problem(3)
    W, b = logistic_weights(values, 2 * codes, weights, 6)
    scores = values @ W + b
    assert set(scores.argmax(axis=1)) == {0, 2, 4}
    W, b = logistic_weights(values, np.full(60, 1), weights, 3)
    assert ((values @ W + b).argmax(axis=1) == 1).all()


def test_a_logistic_output_is_a_regression_on_the_layer_before():
    X, y = standardized("iris")
    settings = {"n_exemplars": 6, "n_comparisons": 5}
    ridge, fitted = (
        classifier(output_init=o, **settings).fit(X, y) for o in ("ridge", "logistic")
    )
    np.testing.assert_array_equal(ridge.coefs_[0], fitted.coefs_[0])
    _, index, counts = np.unique(X, axis=0, return_index=True, return_counts=True)
    rows = hidden_values(fitted, X)[index], y[index], counts.astype(float)
    regression = LogisticRegression(C=1 / LOGISTIC_RIDGE, tol=1e-10, max_iter=10_000)
    regression.fit(*rows[:2], sample_weight=counts / counts.mean())
    least = penalized_loss(regression.coef_.T, regression.intercept_, *rows)
    found = penalized_loss(fitted.coefs_[-1], fitted.intercepts_[-1], *rows)
    assert found == pytest.approx(least, rel=1e-4)


# --- random comparisons ---


@pytest.mark.parametrize("n_conjunctions", [0, 1, 3])
def test_random_comparisons_are_drawn_with_their_biases(n_conjunctions):
    settings = {"n_neighbors": None, "n_conjunctions": n_conjunctions}
    layer = draw("random", n_comparisons=2000, **settings).layers[0]
    assert layer.weights.shape == (40, 2000)
    assert layer.n_shifts == n_conjunctions
    for array in layer.parameters:
        assert abs(array).max() <= np.sqrt(6 / 40)
        assert array.std() == pytest.approx(np.sqrt(2 / 40), rel=0.05)


# --- the output layer by ridge regression ---


def ridge_problem(n, width, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, width)) * rng.uniform(0.1, 3, width) + 1.0
    codes = rng.integers(0, 3, n)
    return values + codes[:, None], np.eye(3)[codes], rng.uniform(0.2, 2.0, n)


def ridge_by_definition(values, targets, weights, ridge):
    """Solve the normal equations with a column of ones that is not penalized."""
    share = np.diag(weights / weights.sum())
    A = np.hstack([values, np.ones((len(values), 1))])
    penalty = ridge * np.diag([1.0] * values.shape[1] + [0.0])
    solution = np.linalg.solve(A.T @ share @ A + penalty, A.T @ share @ targets)
    return solution[:-1], solution[-1]


def errors_by_leaving_out(values, targets, weights, ridge):
    """Fit n times, to all rows but one: the shares of the others stay what they were."""
    total, errors = weights.sum(), []
    for i in range(len(values)):
        kept = np.arange(len(values)) != i
        rest = weights[kept].sum() / total
        W, b = ridge_by_definition(
            values[kept], targets[kept], weights[kept], ridge / rest
        )
        errors.append(targets[i] - (values[i] @ W + b))
    return np.array(errors)


@pytest.mark.parametrize(("n", "width"), [(40, 6), (12, 12), (15, 30)])
def test_ridge_weights_are_the_best_for_rows_left_out(n, width):
    values, targets, weights = ridge_problem(n, width)
    share = weights / weights.sum()
    centered = values - share @ values
    squares = np.linalg.svd(np.sqrt(share)[:, None] * centered, compute_uv=False) ** 2
    # The mean over the singular values that are not zero: centering takes one of them.
    unit = squares.sum() / min(n - 1, width)
    errors = {
        ridge: errors_by_leaving_out(values, targets, weights, ridge)
        for ridge in unit * 10.0**LOG_RIDGES
    }

    def minus_log_posterior(ridge):
        variance = share @ (errors[ridge] ** 2).sum(axis=1)
        prior = (np.log10(ridge / unit) - LOG_RIDGE_MEAN) / LOG_RIDGE_DEVIATION
        return n * np.log(variance) / 2 + prior**2 / 2

    best = min(errors, key=minus_log_posterior)
    W, b = ridge_by_definition(values, targets, weights, best)
    found = ridge_weights(values, targets, weights)
    np.testing.assert_allclose(found[0], W, atol=1e-7)
    np.testing.assert_allclose(found[1], b, atol=1e-7)
    np.testing.assert_allclose(targets - found[2], errors[best], atol=1e-6)


def test_ridge_is_scikit_learns_where_rows_decide(monkeypatch):
    monkeypatch.setattr(output_layer, "LOG_RIDGE_DEVIATION", 1e3)
    values, targets, _ = ridge_problem(60, 8)
    centered = values - values.mean(axis=0)
    alphas = 10.0**LOG_RIDGES * (centered**2).sum() / 8
    reference = RidgeCV(alphas=alphas).fit(values, targets)
    found = ridge_weights(values, targets, np.ones(60))
    np.testing.assert_allclose(found[0].T, reference.coef_, atol=1e-9)
    np.testing.assert_allclose(found[1], reference.intercept_, atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_does_not_depend_on_units_or_on_a_rotation(weighted):
    values, targets, weights = ridge_problem(50, 7)
    weights = weights if weighted else np.ones(50)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(7, 7)))[0]
    W, b, left_out = ridge_weights(values, targets, weights)
    moved = 100 * values @ rotation - 5
    turned_W, turned_b, turned = ridge_weights(moved, targets, 3 * weights)
    np.testing.assert_allclose(100 * rotation @ turned_W, W, atol=1e-9)
    np.testing.assert_allclose(turned, left_out, atol=1e-9)
    fitted = moved @ turned_W + turned_b
    np.testing.assert_allclose(fitted, values @ W + b, atol=1e-9)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_scores_of_classes_are_scaled_by_rows_left_out(loss):
    values, targets, weights = ridge_problem(30, 20)
    codes = targets.argmax(axis=1)
    W, b, left_out = ridge_weights(values, targets, weights)
    scale = best_scale(left_out - 0.5, codes, weights, loss)
    found_W, found_b = scaled_classifier((W, b, left_out), codes, weights, loss)
    np.testing.assert_allclose(found_W, scale * W)
    np.testing.assert_allclose(found_b, scale * (b - 0.5))
    seen = best_scale(values @ W + b - 0.5, codes, weights, loss)
    assert scale < seen  # rows that were fitted to look better than they are


@pytest.mark.parametrize("n", [1, 2, 5])
def test_ridge_of_few_or_equal_rows_is_finite(n):
    codes = np.arange(n) % 2
    for values in (np.ones((n, 3)), np.arange(3.0 * n).reshape(n, 3), np.ones((n, 0))):
        with np.errstate(all="raise"):
            fit = ridge_weights(values, np.eye(3)[codes], np.ones(n))
            W, b = scaled_classifier(fit, codes, np.ones(n), "log_loss")
        assert np.isfinite(W).all()
        scores = values @ W + b
        assert (scores[:, 2] < scores.max(axis=1)).all()  # a class without rows


def test_single_precision_ridge_is_nearly_that_of_double():
    values, targets, weights = ridge_problem(200, 30)
    W, b, _ = ridge_weights(values, targets, weights)
    single_W, single_b, _ = ridge_weights(values.astype(np.float32), targets, weights)
    np.testing.assert_allclose(values @ single_W + single_b, values @ W + b, atol=1e-4)


def ridge_on_equal_units(hidden, targets, weights):
    """The ridge is on weights of units that are divided by their deviation."""
    mean = np.average(hidden, axis=0, weights=weights)
    deviation = np.sqrt(np.average((hidden - mean) ** 2, axis=0, weights=weights))
    deviation = np.maximum(deviation, 0.1 * np.median(deviation[deviation > 0]))
    W, b, left_out = ridge_weights(hidden / deviation, targets, weights)
    return W / deviation[:, None], b, left_out


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_ridge_output_is_a_regression_on_units_of_equal_deviation(dtype, init):
    X, y = load_iris(return_X_y=True)
    X = X.astype(dtype)
    clf = classifier(init, output_init="ridge").fit(X, y)
    hidden = hidden_values(clf, X)
    assert hidden.shape == (150, 40 + 39)
    _, index, count = np.unique(X, axis=0, return_index=True, return_counts=True)
    weights = count / count.max()
    fit = ridge_on_equal_units(hidden[index].astype(float), np.eye(3)[y[index]], weights)
    W, b = scaled_classifier(fit, y[index], weights, "log_loss")
    z = hidden @ W + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(X), p, atol=1e-3)


# --- an output of a given variance, and fitted outputs of baselines ---


@cache
def labels_or_values(kind):
    """Estimator, rows, what to learn, and the targets that an output is fitted to."""
    if kind == "classes":
        X, y = standardized("iris")
        return classifier, X, y, np.eye(3)[y] - 0.5
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:150], y[:150]
    if kind == "values":
        y = np.column_stack([y, 1e3 * X[:, 0]])
    targets = (y - y.mean(axis=0)) / y.std(axis=0)
    return regressor, read_only(scale(X)), read_only(y), targets.reshape(150, -1)


def start_of(kind, init="metric", **settings):
    make, X, y, _ = labels_or_values(kind)
    if init == "given":
        plain = {k: v for k, v in settings.items() if k != "output_init"}
        first = make("random", **plain).fit(X, y)
        init = first.coefs_, first.intercepts_
    return make(init, **settings).fit(X, y)


def output_of(estimator):
    """Output layer in training units."""
    targets = estimator._fit_state.targets
    return targets.to_training_units(estimator.network_).layers[-1]


def hidden_values(estimator, X):
    """Of the comparisons, and of each two in a row."""
    if isinstance(estimator.init, str):  # given weights read features as they are
        bounds = estimator.network_.layers[0]
        X = np.clip(X, bounds.low, bounds.high)
    u = X @ estimator.coefs_[0] + estimator.intercepts_[0]
    both = np.concatenate([u, np.minimum(u[:, :-1], u[:, 1:])], axis=1)
    return ACTIVATIONS[estimator.activation].function(both)


KINDS = ["classes", "value", "values"]
INITS = ["metric", "random", "uniform", "glorot_uniform", "given"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
@pytest.mark.parametrize("init", INITS)
def test_a_norm_constrained_output_has_the_usual_mean_square(init, activation, kind):
    settings = {"activation": activation, "output_init": "norm_constrained"}
    weights = output_of(start_of(kind, init, exemplars="random", **settings)).weights
    n_in, n_out = weights.shape
    expected = 2 / n_in if activation == "relu" else 2 / (n_in + n_out)
    assert np.mean(weights**2) == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_norm_constrained_output_is_the_fit_to_the_layer_before(activation, init, kind):
    """Weights may be drawn where no row sees them: they change no output of a row."""
    _, X, y, targets = labels_or_values(kind)
    estimator = start_of(
        kind, init, activation=activation, output_init="norm_constrained",
        n_exemplars=4, n_comparisons=30,
    )  # fmt: skip
    codes = y if kind == "classes" else np.zeros(150, int)
    rows = distinct_rows(X, codes, np.ones(150))
    hidden = hidden_values(estimator, X)[rows.index]
    n_in, n_out = hidden.shape[1], targets.shape[1]
    variance = 2 / n_in if activation == "relu" else 2 / (n_in + n_out)
    W, b = constrained_weights(
        hidden,
        targets[rows.index],
        rows.sample_weight,
        variance,
        np.random.RandomState(0),
    )
    last = output_of(estimator)
    expected = hidden @ W + b
    atol = 1e-6 * abs(expected).max()
    np.testing.assert_allclose(hidden @ last.weights + last.bias, expected, atol=atol)
    if kind != "classes":  # in the units of the user
        found = estimator.predict(X[rows.index]).reshape(expected.shape)
        deviation, mean = y.reshape(150, -1).std(axis=0), y.reshape(150, -1).mean(axis=0)
        np.testing.assert_allclose((found - mean) / deviation, expected, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
def test_a_norm_constrained_output_is_nearer_to_the_targets_than_weights_as_long(kind):
    _, X, _, targets = labels_or_values(kind)
    estimator = start_of(kind, output_init="norm_constrained")
    hidden, rng = hidden_values(estimator, X), np.random.default_rng(0)
    last = output_of(estimator)

    def error(W):
        residual = targets - targets.mean(axis=0) - (hidden - hidden.mean(axis=0)) @ W
        return (residual**2).sum()

    least = error(last.weights)
    for size in (0.01, 0.1, 1.0):
        for _ in range(20):
            moved = last.weights + size * rng.normal(size=last.weights.shape)
            moved *= np.linalg.norm(last.weights) / np.linalg.norm(moved)
            assert error(moved) > least


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("output_init", ["ridge", "norm_constrained"])
@pytest.mark.parametrize("init", ["random", "uniform", "he_uniform", "given"])
def test_a_named_output_is_fitted_for_every_init(init, output_init, kind):
    plain, fitted = (
        start_of(kind, init, output_init=o, activation="tanh")
        for o in ("auto", output_init)
    )
    assert shapes(plain) == shapes(fitted)
    for one, other in zip(plain.coefs_[:-1], fitted.coefs_[:-1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.allclose(plain.coefs_[-1], fitted.coefs_[-1])
    _, X, y, _ = labels_or_values(kind)
    assert fitted.score(X, y) > plain.score(X, y)
    assert fitted.score(X, y) > 0.05


@pytest.mark.parametrize("init", ["metric", "random", "given"])
def test_a_ridge_output_of_values_is_the_fit_to_the_layer_before(init):
    _, X, y, targets = labels_or_values("values")
    output_init = "auto" if init == "metric" else "ridge"
    estimator = start_of("values", init, output_init=output_init)
    hidden = hidden_values(estimator, X)
    W, b, _ = ridge_on_equal_units(hidden, targets, np.ones(150))
    expected = (hidden @ W + b) * y.std(axis=0) + y.mean(axis=0)
    atol = 1e-6 * y.std(axis=0).max()
    np.testing.assert_allclose(estimator.predict(X), expected, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_is_fitted_by_the_weights_of_the_rows(kind):
    make, X, y, _ = labels_or_values(kind)
    times = np.random.default_rng(0).integers(1, 4, 150)
    for output_init in ("ridge", "norm_constrained"):
        repeated, weighted, plain = (
            make("random", output_init=output_init).fit(*rows)
            for rows in ((X.repeat(times, 0), y.repeat(times, 0)), (X, y, times), (X, y))
        )
        scale_of = abs(plain.coefs_[-1]).max()
        np.testing.assert_allclose(
            repeated.coefs_[-1], weighted.coefs_[-1], atol=1e-6 * scale_of
        )
        assert abs(plain.coefs_[-1] - weighted.coefs_[-1]).max() > 1e-3 * scale_of
