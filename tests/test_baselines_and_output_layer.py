"""Random and constant weights, and the scale of the output."""

import numpy as np
import pytest

from skmetricmlp.initialization.output_layer import LIMITS, best_scale
from skmetricmlp.initialization.random import BASELINES, baseline_network, layer_sizes

SIZES = [40, 90, 30, 5]


def draw(init, activation="relu", seed=0):
    rng = np.random.RandomState(seed)
    return baseline_network(init, SIZES, activation, "softmax", rng)


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
    assert [p.shape for p in network.parameters[::2]] == [(40, 90), (90, 30), (30, 5)]
    assert [layer.activation for layer in network.layers] == ["tanh", "tanh", "softmax"]


def test_layer_sizes_without_neurons_to_compare():
    assert layer_sizes(3, 1, 1, n_neighbors=1) == [3, 0, 1, 1]
    with np.errstate(all="raise"):
        network = baseline_network(
            "he_uniform", [3, 0, 1, 1], "relu", "softmax", np.random.RandomState(0)
        )
    assert network.forward(np.ones((2, 3))).shape == (2, 1)


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
