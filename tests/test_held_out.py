"""How far training moves the start, and that it is never far where it does harm."""

import warnings

import numpy as np
import pytest
from factories import classifier, regressor, standardized, training_raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_squared_error

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._data import TrainingData, distinct_rows
from skmetricmlp._state import FitState
from skmetricmlp.estimators._held_out import held_out_share
from skmetricmlp.network import Dense, Network
from skmetricmlp.training import (
    Adam,
    Objective,
    TrainingConfig,
    best_share,
    between,
    kept_and_held_out,
    with_scaled_output,
)

SHARES = [0.0, 0.125, 0.25, 0.5, 0.75, 1.0]
X, y = standardized("iris")
AUTO = {"trained_share": "auto", "learning_rate": "linear", "max_iter": 20}


def network(seed, n_features=4, n_classes=3):
    rng = np.random.default_rng(seed)
    sizes = [n_features, 5, n_classes]
    activations = ["relu", "softmax"]
    return Network(
        tuple(
            Dense(rng.normal(size=(n, m)), rng.normal(size=m), activation)
            for n, m, activation in zip(sizes, sizes[1:], activations, strict=False)
        )
    )


def outputs(net, x):
    first, second = net.layers
    return np.maximum(x @ first.weights + first.bias, 0) @ second.weights + second.bias


def probabilities(z):
    return np.exp(z) / np.exp(z).sum()


def best_factor(outputs, codes, weights):
    """By a fine grid, from the definition."""
    costs, n = {}, len(codes)
    for factor in np.exp(np.linspace(-2.0, 0.0, 2001)):
        odds = np.exp(factor * np.array(outputs))
        likelihoods = np.log(odds[range(n), codes] / odds.sum(axis=1))
        prior = (np.log(factor) / 0.2) ** 2 / 2
        costs[factor] = prior - n * np.average(likelihoods, weights=weights)
    return min(costs, key=costs.get)


# --- which rows ---


def test_every_fifth_distinct_row_of_each_class_is_held_out():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [4, 41, 75])
    rows = distinct_rows(rng.normal(size=(120, 2)), labels, np.ones(120))
    kept, held_out = kept_and_held_out(rows)
    assert np.bincount(labels[held_out.index], minlength=3).tolist() == [0, 8, 15]
    assert sorted([*kept.index, *held_out.index]) == list(range(120))
    # By hand: count the rows of the class that come before, in the order of the hash.
    before = [int((rows.y[:k] == rows.y[k]).sum()) for k in range(120)]
    expected = [i for i, n in zip(rows.index, before, strict=True) if n % 5 == 4]
    assert held_out.index.tolist() == expected


@pytest.mark.parametrize("n", [99, 100])
def test_none_is_held_out_where_they_would_be_fewer_than_twenty(n):
    rows = distinct_rows(np.arange(n)[:, None] / n, np.zeros(n), np.ones(n))
    kept, held_out = kept_and_held_out(rows)
    assert len(held_out.index) == (20 if n == 100 else 0)
    assert sorted([*kept.index, *held_out.index]) == list(range(n))


def test_the_order_of_rows_has_no_effect_and_a_copy_is_a_weight():
    order = np.random.default_rng(1).permutation(np.r_[0:150, 0:150:3])
    weights = np.where(np.arange(150) % 3, 1.0, 2.0)
    held_out = []
    for data in ((X, y, weights), (X[order], y[order], np.ones(200))):
        kept, out = (part.data() for part in kept_and_held_out(distinct_rows(*data)))
        assert not set(map(tuple, kept.X)) & set(map(tuple, out.X))
        held_out.append(out)
    for one, other in zip(*held_out, strict=True):
        assert_array_equal(one, other)


# --- which network ---


@pytest.mark.parametrize("share", SHARES)
def test_between_is_on_the_line(share):
    start, end = network(0), network(1)
    for p, q, got in zip(
        start.parameters,
        end.parameters,
        between(start, end, share).parameters,
        strict=True,
    ):
        assert_allclose(got, (1 - share) * p + share * q, rtol=1e-12, atol=1e-14)
    assert between(start, end, 0.0) is start
    assert between(start, end, 1.0) is end


def test_the_smallest_share_that_is_level_with_the_best():
    start, end, chosen = network(0), network(1), []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows, weights = rng.normal(size=(30, 4)), rng.uniform(size=30)
        # Labels that some network of the line has a reason to like, and others.
        liked = between(start, end, rng.choice(SHARES))
        codes = [outputs(liked, row).argmax() for row in rows]
        codes = np.where(rng.random(30) < 0.7, codes, rng.integers(3, size=30))
        losses, factors = [], []
        for share in SHARES:
            z = [outputs(between(start, end, share), row) for row in rows]
            factors.append(best_factor(z, codes, weights) if share else 1.0)
            losses.append(
                [
                    -np.log(probabilities(factors[-1] * one)[code])
                    for one, code in zip(z, codes, strict=True)
                ]
            )
        means = [np.average(one, weights=weights) for one in losses]
        best = int(np.argmin(means))
        for share, one, mean in zip(SHARES, losses, means, strict=True):
            differences = np.subtract(one, losses[best])
            deviations = weights * (differences - mean + means[best])
            error = np.sqrt(sum(deviations**2)) / sum(weights)
            if mean - means[best] <= error:
                expected = share
                break
        data = TrainingData(rows, codes, weights)
        found, factor = best_share(start, end, data, "log_loss")
        assert found == expected
        assert_allclose(factor, factors[SHARES.index(found)], atol=1e-3)
        chosen.append((found, SHARES[best], factor))
    assert len({found for found, *_ in chosen}) > 2
    assert any(found < best for found, best, _ in chosen)
    assert any(0.0 < found == best for found, best, _ in chosen)
    assert any(found > 0.0 and factor == 1.0 for found, _, factor in chosen)
    assert any(factor < 0.9 for *_, factor in chosen)


def test_a_loss_that_is_not_finite_is_never_the_best_and_a_tie_is_the_start():
    start = network(0)
    broken = start.with_parameters([p * np.nan for p in start.parameters])
    data = TrainingData(X, y, np.ones(len(y)))
    assert best_share(start, broken, data, "log_loss") == (0.0, 1.0)
    assert best_share(start, start, data, "squared_error") == (0.0, 1.0)


@pytest.mark.parametrize(("given", "factor"), [(2.5, 0.4), (1.25, 0.8), (0.4, 1.0)])
def test_a_factor_undoes_certainty_and_never_adds_any(given, factor):
    rng = np.random.default_rng(0)
    start, right = network(0), network(1)
    end = with_scaled_output(right, given)
    rows = rng.normal(size=(4000, 4))
    z = outputs(right, rows)
    assert_allclose(end.affine_output(rows), given * z, rtol=1e-12)
    shares = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    codes = (shares.cumsum(axis=1) < rng.random(4000)[:, None]).sum(axis=1)
    data = TrainingData(rows, codes, np.full(4000, 7.0))
    share, found = best_share(start, end, data, "log_loss", [0.0, 1.0])
    assert share == 1.0
    assert_allclose(found, factor, rtol=0.0 if factor == 1.0 else 0.05)


def test_few_rows_move_the_factor_little():
    """Three rows whose labels are wrong, and three thousand."""
    start, certain = network(0), with_scaled_output(network(1), 8.0)
    rows = np.random.default_rng(0).normal(size=(3, 4))
    wrong = outputs(certain, rows).argmin(axis=1)
    few = TrainingData(rows, wrong, np.ones(3))
    many = TrainingData(np.tile(rows, (1000, 1)), np.tile(wrong, 1000), np.ones(3000))
    (_, of_few), (_, of_many) = (
        best_share(start, certain, data, "log_loss", [1.0]) for data in (few, many)
    )
    assert 0.3 < of_few < 0.8
    assert of_many < 0.2


def test_a_factor_undoes_what_a_factor_does_to_several_labels():
    rng = np.random.default_rng(0)
    start, right = network(0), network(1)
    rows = rng.normal(size=(4000, 4))
    p = 1 / (1 + np.exp(-outputs(right, rows)))
    labels = (rng.random(p.shape) < p).astype(float)
    data = TrainingData(rows, labels, np.full(4000, 7.0))
    certain = with_scaled_output(right, 2.5)
    share, factor = best_share(start, certain, data, "binary_log_loss", [0.0, 1.0])
    assert share == 1.0
    assert_allclose(factor, 0.4, rtol=0.05)


def test_outputs_that_are_no_logarithms_of_odds_are_not_scaled():
    start, end = network(0), with_scaled_output(network(1), 3.0)
    codes = outputs(end, X).argmax(axis=1)
    data = TrainingData(X, codes, np.ones(len(codes)))
    assert best_share(start, end, data, "squared_error", [0, 1]) == (1.0, 1.0)
    values = TrainingData(X, outputs(end, X), np.ones(len(X)))
    assert best_share(start, end, values, "identity_squared_error") == (1.0, 1.0)


def test_copies_of_rows_and_weights_give_the_same_share():
    start = network(0)
    config = TrainingConfig(
        Objective("log_loss"), Adam(), [1e-2, 1e-2], 20, 10, schedule="linear"
    )
    seen = []

    def initialize(data, where, _):
        seen.append((data, where))
        return FitState(start)

    weights = np.where(np.arange(150) % 3, 1.0, 2.0)
    copies = np.repeat(np.arange(150), weights.astype(int))
    shares = [
        held_out_share(initialize, rows, config, np.random.RandomState(0))
        for rows in (
            TrainingData(X, y, weights),
            TrainingData(X[copies], y[copies], np.ones(len(copies))),
        )
    ]
    assert_allclose(shares[0], shares[1], rtol=1e-9)
    assert shares[0][0] > 0
    assert_array_equal(seen[0][0].X, seen[1][0].X)
    assert_array_equal(seen[0][0].X, X[seen[0][1]])


# --- estimators ---


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_is_that_of_the_way_that_training_goes(make, share):
    settings = {"max_iter": 3, "learning_rate": "linear"}
    data = (X, y) if make is classifier else (X[:, 1:], X[:, 0])
    ends = [make(max_iter=0).fit(*data), make(**settings, trained_share=1.0).fit(*data)]
    fitted = make(**settings, trained_share=share).fit(*data)
    assert fitted.trained_share_ == share
    assert fitted.n_iter_ == 3
    for name in ("coefs_", "intercepts_"):
        start, end, got = (getattr(e, name) for e in (*ends, fitted))
        for p, q, array in zip(start, end, got, strict=True):
            assert_allclose(array, p + share * (q - p), rtol=1e-9, atol=1e-12)


def test_the_output_alone_is_scaled():
    rows, _ = make_classification(400, 8, n_informative=6, random_state=0)
    wrong = np.random.default_rng(0).random(400) < 0.15  # else no certainty is too much
    labels = (rows[:, 0] * rows[:, 1] > 0) ^ wrong
    auto = AUTO | {"max_iter": 80}
    settings = {"max_iter": 0}, auto | {"trained_share": 1.0}, auto
    start, end, fitted = (classifier(**s).fit(rows, labels) for s in settings)
    share, factor = fitted.trained_share_, None
    assert share > 0
    for name in ("intercepts_", "coefs_"):
        arrays = zip(*(getattr(e, name) for e in (start, end, fitted)), strict=True)
        on_the_way = [(p + share * (q - p), found) for p, q, found in arrays]
        (hidden, found_hidden), (output, found_output) = on_the_way
        assert_allclose(found_hidden, hidden, rtol=1e-9, atol=1e-12)
        factor = factor or found_output[0] / output[0]
        assert_allclose(found_output, factor * output, rtol=1e-9, atol=1e-12)
    assert 0.5 < factor < 0.98


def test_labels_at_random_are_not_learned_and_those_with_a_rule_are():
    """The rows are the same: what differs is whether training helps."""
    data, _ = make_classification(600, 8, n_informative=6, random_state=0)
    rule = (data[:, 0] * data[:, 1] > 0).astype(int)
    chance = np.random.default_rng(0).integers(2, size=600)
    half = slice(300), slice(300, 600)
    for labels, gains in ((rule, True), (chance, False)):
        losses = {}
        for name, settings in {
            "start": {"max_iter": 0},
            "auto": AUTO,
            "whole": AUTO | {"trained_share": 1.0},
        }.items():
            model = classifier(n_comparisons=200, learning_rate_init=1e-3, **settings)
            model.fit(data[half[0]], labels[half[0]])
            losses[name] = log_loss(labels[half[1]], model.predict_proba(data[half[1]]))
            if name == "auto":
                assert (model.trained_share_ >= 0.5) == gains
        if gains:
            assert losses["auto"] < 0.95 * losses["start"]
        else:
            assert losses["whole"] > 1.05 * losses["start"]
            assert losses["auto"] <= 1.01 * losses["start"]


def test_the_default_is_no_worse_than_its_start_on_data_with_little_to_learn():
    data, values = load_diabetes(return_X_y=True)
    errors = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(values))
        train, test = order[:300], order[300:]
        for epochs in (0, 20):
            model = MetricInitMLPRegressor(max_iter=epochs, random_state=seed)
            model.fit(data[train], values[train])
            errors.append(mean_squared_error(values[test], model.predict(data[test])))
    start, trained = np.reshape(errors, (3, 2)).mean(axis=0)
    assert trained <= 1.02 * start


def test_the_default_gains_where_there_is_much_to_learn():
    data = np.random.default_rng(0).uniform(-1, 1, (2000, 5))
    labels = (np.sin(5 * data[:, 0]) > data[:, 1] * data[:, 2]).astype(int)
    losses = []
    for epochs in (0, 20):
        model = MetricInitMLPClassifier(max_iter=epochs, random_state=0)
        model.fit(data[:1000], labels[:1000])
        losses.append(log_loss(labels[1000:], model.predict_proba(data[1000:])))
    assert model.trained_share_ > 0
    assert losses[1] < 0.9 * losses[0]


def test_too_few_rows_to_hold_any_out_keep_the_start():
    few = np.r_[0:3, 50:53, 100:103]
    start = classifier(max_iter=0).fit(X[few], y[few])
    fitted = classifier(**AUTO).fit(X[few], y[few])
    assert fitted.trained_share_ == 0.0
    assert_array_equal(fitted.predict_proba(X), start.predict_proba(X))


@pytest.mark.parametrize(
    "settings",
    [
        {"early_stopping": True},
        {"warm_start": True},
        {"init": "random"},
        {"n_neighbors": 1, "init": "glorot_uniform"},
    ],
)
def test_starts_that_are_left_for_good(settings):
    fitted = classifier(**AUTO | {"max_iter": 2}, **settings).fit(X, y)
    assert fitted.trained_share_ == 1.0


@pytest.mark.parametrize("n_steps", [0, 3])
def test_an_interrupt_while_rows_are_held_out_keeps_the_start(n_steps):
    start = classifier(max_iter=0).fit(X, y)
    with (
        training_raises(KeyboardInterrupt, n_steps),
        pytest.warns(UserWarning, match="interrupted in epoch 1"),
    ):
        fitted = classifier(**AUTO).fit(X, y)
    assert fitted.n_iter_ == 0
    assert_array_equal(fitted.predict_proba(X), start.predict_proba(X))


def test_partial_fit_goes_all_the_way_and_no_training_none():
    stream = classifier(**AUTO).partial_fit(X, y, classes=[0, 1, 2])
    assert stream.trained_share_ == 1.0
    assert classifier(**AUTO | {"max_iter": 0}).fit(X, y).trained_share_ == 0.0


def test_a_schedule_with_an_end_needs_no_convergence():
    with warnings.catch_warnings(action="error", category=ConvergenceWarning):
        classifier(**AUTO | {"max_iter": 2}).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="after max_iter=2 "):
        classifier(max_iter=2, learning_rate="constant").fit(X, y)


@pytest.mark.parametrize("share", [-0.1, 1.5, "best", None, True, np.nan])
def test_other_shares_are_refused(share):
    with pytest.raises((ValueError, TypeError), match="trained_share"):
        classifier(trained_share=share).fit(X, y)
