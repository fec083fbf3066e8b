"""Distinct neurons, and statistics of surfaces."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from networks import random_network as network_of
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.initialization import dense_layers
from skmetricmlp.inspection import (
    count_distinct_neurons,
    random_network,
    random_network_statistics,
    surface,
    surface_statistics,
)
from skmetricmlp.network import Dense, Network

SMALL = dict(n_exemplars=8, batch_size=16, tol=0, random_state=0)
FORMS = [dict(n_comparisons=3, n_conjunctions=0), dict(n_neighbors=1)]
RANDOM = ["random", "uniform", "glorot_uniform", "he_uniform"]


def fitted(network):
    """An estimator of scikit-learn with the weights of a network."""
    mlp = MLPRegressor()
    mlp.coefs_ = [layer.weights for layer in network.layers]
    mlp.intercepts_ = [layer.bias for layer in network.layers]
    return mlp


def distinct(estimator, **settings):
    return count_distinct_neurons(estimator, **settings)["n_distinct"].to_list()


def with_copies(network, copies, rng):
    """Repeat hidden neurons, and divide their outgoing weights among the copies.

    ``copies`` has the number of copies of every neuron, for each hidden layer.
    """
    layers = list(network.layers)
    for depth, times in enumerate(copies):
        layer, reader = layers[depth], layers[depth + 1]
        origin = np.repeat(np.arange(layer.n_out), times)
        shares = rng.uniform(0.5, 2, len(origin))
        shares /= np.bincount(origin, shares)[origin]
        order = rng.permutation(len(origin))
        layers[depth] = Dense(
            layer.weights[:, origin][:, order], layer.bias[origin][order], "tanh"
        )
        read = (reader.weights[origin] * shares[:, None])[order]
        layers[depth + 1] = Dense(read, reader.bias, reader.activation)
    return Network(tuple(layers))


def slow_count(network, tol):
    """Compare pairs of neurons: their biases, and sums of weights over equal inputs."""
    counts, groups = [], [{i} for i in range(len(network.layers[0].weights))]
    for layer in network.layers[:-1]:
        largest = max(
            abs(v)
            for k in range(layer.n_out)
            for v in [
                layer.bias[k],
                *(sum(layer.weights[i, k] for i in group) for group in groups),
            ]
        )

        def same(j, k, layer=layer, groups=groups, largest=largest):
            differences = [layer.bias[j] - layer.bias[k]] + [
                sum(layer.weights[i, j] - layer.weights[i, k] for i in group)
                for group in groups
            ]
            return all(abs(d) <= tol * largest for d in differences)

        merged = []
        for k in range(layer.n_out):
            mine = [group for group in merged if any(same(j, k) for j in group)]
            merged = [group for group in merged if group not in mine]
            merged.append({k}.union(*mine))
        counts.append(len(merged))
        groups = merged
    return counts


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return read_only(StandardScaler().fit_transform(X)), read_only(y, int)


# --- distinct neurons ---


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_counted_once(seed):
    rng = np.random.default_rng(seed)
    network = network_of((4, 6, 5, 3), seed=seed)
    copied = with_copies(network, [rng.integers(1, 4, 6), rng.integers(1, 4, 5)], rng)
    X = rng.normal(size=(9, 4))
    assert_allclose(copied.forward(X), network.forward(X), rtol=1e-12)
    assert distinct(fitted(copied)) == slow_count(copied, 1e-6) == [6, 5]
    assert count_distinct_neurons(fitted(copied))["n_neurons"].to_list() == [
        layer.n_out for layer in copied.layers[:-1]
    ]


def test_copies_are_merged_however_they_are_read():
    """Two neurons of the second layer divide one sum in different ways."""
    first = Dense(read_only([[1, 1, 2]]), read_only([3, 3, 3]), "tanh")
    second = Dense(
        read_only([[1, 5, 1], [6, 2, 5], [4, 4, 4]]), read_only([0] * 3), "tanh"
    )
    last = Dense(read_only([[1], [2], [3]]), read_only([0]), "identity")
    network = Network((first, second, last))
    assert distinct(fitted(network)) == slow_count(network, 1e-6) == [2, 2]
    apart = Network((first, Dense(second.weights[[0, 2, 1]], second.bias, "tanh"), last))
    assert distinct(fitted(apart)) == slow_count(apart, 1e-6) == [2, 3]


@pytest.mark.parametrize("tol", [0, 1e-9, 0.05, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(4))
def test_count_is_that_of_a_double_loop(seed, tol):
    """With few inputs some weights are equal within the tolerance, also in chains."""
    network = network_of((2, 12, 9, 2), seed=seed)
    assert distinct(fitted(network), tol=tol) == slow_count(network, tol)


def test_double_loop_finds_something_to_merge():
    counts = [slow_count(network_of((2, 12, 9, 2), seed=s), 0.3)[0] for s in range(4)]
    assert 1 < min(counts) < 12


@pytest.mark.parametrize("tol", [1e-6, 0.3])
def test_order_of_neurons_and_scale_of_layers_make_no_difference(tol):
    rng = np.random.default_rng(0)
    network = with_copies(network_of((2, 12, 9, 2)), [[2] * 12, [1] * 9], rng)
    first, second, last = network.layers
    p, q = rng.permutation(24), rng.permutation(9)
    moved = Network(
        (
            Dense(8 * first.weights[:, p], 8 * first.bias[p], "tanh"),
            Dense(second.weights[np.ix_(p, q)] / 4, second.bias[q] / 4, "tanh"),
            Dense(last.weights[q], last.bias, "identity"),
        )
    )
    assert distinct(fitted(moved), tol=tol) == distinct(fitted(network), tol=tol)


def test_tolerance_is_relative_to_the_largest_weight():
    def count(difference):
        first = Dense(read_only([[1, 1 + difference, -100]]), read_only([0] * 3), "tanh")
        last = Dense(read_only(np.ones((3, 1))), read_only([0]), "identity")
        return distinct(fitted(Network((first, last))), tol=0.01)

    assert (count(0.99), count(1.01)) == ([2], [3])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("init", ["zeros", "ones"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_constant_weights_stay_as_good_as_one_neuron(iris, init, form, activation, dtype):
    X, y = (part[20:] for part in iris)  # so that the classes have different shares
    settings = dict(activation=activation, **form, **SMALL)
    clf = MetricInitMLPClassifier(init, max_iter=0, **settings).fit(X.astype(dtype), y)
    before, counts = clf.network_, count_distinct_neurons(clf)
    assert (counts["n_neurons"] > 1).all()
    assert (counts["n_distinct"] == 1).all()
    clf.set_params(max_iter=20).fit(X.astype(dtype), y)
    assert clf.n_iter_ == 20
    assert (count_distinct_neurons(clf)["n_distinct"] == 1).all()
    moved = [
        not np.array_equal(old, new)
        for old, new in zip(before.parameters, clf.network_.parameters, strict=True)
    ]
    # ReLU neurons that are zero have no gradient: only the last bias is trained.
    stuck = init == "zeros" and activation == "relu"
    assert moved == (
        [False] * (len(moved) - 1) + [True] if stuck else [True] * len(moved)
    )
    if stuck:
        assert len(np.unique(clf.predict(X))) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_conjunctions_of_equal_neurons_make_them_distinct(iris):
    """The first of two that are equal decides, and only that one gets the gradient."""
    clf = MetricInitMLPClassifier("ones", n_comparisons=20, max_iter=2, **SMALL)
    assert distinct(clf.fit(*iris))[0] > 1


@pytest.mark.parametrize(
    "form", [dict(n_comparisons=30), *FORMS[1:], FORMS[1] | dict(tied=True)], ids=str
)
@pytest.mark.parametrize("init", RANDOM)
def test_random_neurons_are_all_distinct(iris, init, form):
    settings = dict(max_iter=0, **form, **SMALL)
    counts = count_distinct_neurons(MetricInitMLPClassifier(init, **settings).fit(*iris))
    widths = [56, 8] if "n_neighbors" in form else [30]
    assert counts["n_neurons"].to_list() == widths
    assert counts["n_distinct"].to_list() == widths


@pytest.mark.parametrize("activation", ["relu", "logistic", "step"])
@pytest.mark.parametrize("tied", [False, True])
def test_calculated_neurons_are_all_distinct_and_none_is_drawn(iris, activation, tied):
    X, y = iris
    rows = np.arange(0, 150, 15)
    networks = []
    for seed in (0, 1):
        clf = MetricInitMLPClassifier(
            exemplars=(X[rows], y[rows]),
            n_neighbors=1,
            activation=activation,
            tied=tied,
            max_iter=0,
            random_state=seed,
        ).fit(X, y)
        counts = count_distinct_neurons(clf)
        assert counts["n_neurons"][0] == 90
        assert_array_equal(counts["n_distinct"], counts["n_neurons"])
        networks.append(clf.network_)
    for one, other in zip(*(network.parameters for network in networks), strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_of_scikit_learn_are_counted(iris, kind):
    mlp = kind(hidden_layer_sizes=(7, 5), max_iter=2, random_state=0).fit(*iris)
    expected = {"layer": [1, 2], "n_neurons": [7, 5], "n_distinct": [7, 5]}
    pd.testing.assert_frame_equal(count_distinct_neurons(mlp), pd.DataFrame(expected))
    mlp.coefs_[0][:, 3], mlp.intercepts_[0][3] = (
        mlp.coefs_[0][:, 6],
        mlp.intercepts_[0][6],
    )
    assert distinct(mlp) == [6, 5]


def test_network_without_hidden_layer_has_nothing_to_count():
    counts = count_distinct_neurons(fitted(network_of((4, 3))))
    assert counts.columns.to_list() == ["layer", "n_neurons", "n_distinct"]
    assert counts.empty


def test_what_has_no_weights_is_refused(iris):
    with pytest.raises(NotFittedError):
        count_distinct_neurons(MetricInitMLPClassifier())
    with pytest.raises(TypeError, match="must have coefs_ and intercepts_, got a Linear"):
        count_distinct_neurons(LinearRegression().fit(*iris))
    settings = dict(max_iter=0, **SMALL)
    pipeline = make_pipeline(StandardScaler(), MetricInitMLPClassifier(**settings))
    with pytest.raises(TypeError, match="for a Pipeline pass the last step"):
        count_distinct_neurons(pipeline.fit(*iris))
    with pytest.raises(TypeError, match="not an estimator instance"):
        count_distinct_neurons(SimpleNamespace())


def test_weights_that_are_not_finite_are_refused():
    mlp = fitted(network_of((4, 3, 2)))
    mlp.coefs_[0] = np.where(mlp.coefs_[0] > 0, np.nan, 1.0)
    with pytest.raises(ValueError, match="must be finite, got NaN or infinity"):
        count_distinct_neurons(mlp)


@pytest.mark.parametrize(
    ("tol", "error"), [(-1, ValueError), (1, ValueError), ("", TypeError)]
)
def test_tolerance_is_checked(tol, error):
    with pytest.raises(error, match="tol"):
        count_distinct_neurons(fitted(network_of((4, 3, 2))), tol=tol)


# --- surfaces ---


def himmelblau(X):
    x, y = X.T
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def slow_minima(z, depth):
    """Flood from each point. The flood from a minimum reaches no edge or lower point.

    ``depth`` is in units of z.
    """
    n, m = z.shape
    found = set()
    for start in product(range(1, n - 1), range(1, m - 1)):
        pool, front = {start}, [start]
        while front:
            i, j = front.pop()
            for point in product((i - 1, i, i + 1), (j - 1, j, j + 1)):
                inside = 0 <= point[0] < n and 0 <= point[1] < m
                if inside and point not in pool and z[point] <= z[start] + depth:
                    pool.add(point)
                    front.append(point)
        on_edge = any(i in {0, n - 1} or j in {0, m - 1} for i, j in pool)
        if not on_edge and min(z[p] for p in pool) == z[start]:
            found.add(frozenset(p for p in pool if z[p] == z[start]))
    return len(found)


def bumps(seed, shape=(15, 12)):
    rng = np.random.default_rng(seed)
    return read_only(rng.normal(size=shape))


@pytest.mark.parametrize("n_grid", [31, 64])
def test_optima_of_a_known_function(n_grid):
    statistics = surface_statistics(surface(himmelblau, ((-5, 5), (-5, 5)), n_grid).z)
    assert (statistics.n_minima, statistics.n_maxima) == (4, 1)
    assert not statistics.minimum_on_boundary
    assert statistics.maximum_on_boundary


@pytest.mark.parametrize("slopes", [(1, 0), (0, -2), (0.3, 0.7), (-1e-3, 5)])
def test_plane_is_flat(slopes):
    statistics = surface_statistics(surface(lambda X: X @ slopes + 3, n_grid=20).z)
    assert_allclose(statistics.r2, 1, rtol=1e-12)
    assert statistics[1:] == (True, True, 0, 0)


@pytest.mark.parametrize("value", [0, 0.1, -1e300])
def test_constant_is_flat(value):
    assert surface_statistics(np.full((4, 5), value)) == (1, True, True, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_r2_is_that_of_linear_regression(seed):
    rng = np.random.default_rng(seed)
    weights, slopes = rng.normal(size=(2, 4)), rng.normal(size=2)
    x, y, z = surface(
        lambda X: np.sin(X @ weights).sum(axis=1) + X @ slopes, ((-3, 1), (2, 2.5)), 17
    )
    for width in (17, 9):
        rows = np.array([(a, b) for a in x for b in y[:width]])
        part = z[:, :width]
        expected = LinearRegression().fit(rows, part.ravel()).score(rows, part.ravel())
        assert_allclose(surface_statistics(part).r2, expected, rtol=1e-10)


@pytest.mark.parametrize("depth", [0, 0.002, 0.05, 0.3])
@pytest.mark.parametrize("levels", [None, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_optima_are_those_of_a_slow_flood(seed, levels, depth):
    """Rough surfaces, and surfaces of few levels, which have many plateaus."""
    z = bumps(seed)
    if levels:
        z = np.round(levels * (z - z.min()) / np.ptp(z))
    statistics = surface_statistics(z, depth=depth)
    for sign, found in ((1, statistics.n_minima), (-1, statistics.n_maxima)):
        assert found == slow_minima(sign * z, depth * np.ptp(z))


def test_rough_surfaces_have_optima_to_find():
    assert slow_minima(bumps(0), 0) > slow_minima(bumps(0), 0.3 * np.ptp(bumps(0))) > 0


def test_strict_optima_are_below_all_eight_neighbors():
    z = bumps(3, (20, 20))
    expected = sum(
        all(
            z[i, j] < z[i + a, j + b]
            for a, b in product((-1, 0, 1), repeat=2)
            if (a, b) != (0, 0)
        )
        for i, j in product(range(1, 19), repeat=2)
    )
    assert surface_statistics(z, depth=0).n_minima == expected > 10


def test_plateau_counts_once_and_at_the_boundary_not_at_all():
    z = np.ones((9, 9))
    z[2:5, 2:6] = 0
    assert surface_statistics(z)[1:] == (False, True, 1, 0)
    assert surface_statistics(-z)[1:] == (True, False, 0, 1)
    z[3, :3] = 0
    assert surface_statistics(z)[1:] == (True, True, 0, 0)
    z[3, :2], z[5, 5], z[6, 6] = 1, 0, -1  # a way down, over a corner
    assert surface_statistics(z).n_minima == 1


def test_depth_is_what_an_optimum_is_worth():
    """Two minima of the depths 0.3 and 0.1 in a surface from 0 to 1."""
    z = np.ones((9, 9))
    z[2, 2], z[6, 6], z[0, 0] = 0.7, 0.9, 0
    counts = [surface_statistics(z, depth=d).n_minima for d in (0, 0.09, 0.11, 0.31)]
    assert counts == [2, 2, 1, 0]


@pytest.mark.parametrize("seed", range(3))
def test_scale_shift_and_axes_make_no_difference(seed):
    z = bumps(seed)
    statistics = surface_statistics(z)
    for same in (5 * z, z + 7, 1e-30 * z, z.T, z[::-1], z[:, ::-1], z.T[::-1]):
        assert_allclose(surface_statistics(same), statistics, rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_upside_down_minima_are_maxima(seed):
    s, t = surface_statistics(bumps(seed)), surface_statistics(-bumps(seed))
    assert_allclose(t.r2, s.r2, rtol=1e-12)
    assert (t.n_minima, t.n_maxima) == (s.n_maxima, s.n_minima)
    assert t.minimum_on_boundary == s.maximum_on_boundary
    assert t.maximum_on_boundary == s.minimum_on_boundary


def test_surface_is_evaluated_where_it_says():
    x, y, z = surface(lambda X: X[:, :1] ** 2 - X[:, 1:], ((-1, 2), (3, 5)), 4)
    assert_allclose(x, [-1, 0, 1, 2])
    assert_allclose(y, [3, 11 / 3, 13 / 3, 5])
    for i, j in product(range(4), repeat=2):
        assert_allclose(z[i, j], x[i] ** 2 - y[j], rtol=1e-13)


# --- random networks ---


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("init", RANDOM[2:])
def test_relu_without_biases_is_linear_along_rays(init, seed):
    network = random_network(init=init, random_state=seed)
    X = np.random.default_rng(seed).random((20, 2))
    for c in (0, 0.3, 7):
        assert_allclose(network.forward(c * X), c * network.forward(X), atol=1e-12)


def test_relu_without_biases_has_its_extremes_on_the_boundary_and_no_optimum():
    """Optima that only the grid has are less deep than its steps."""
    table = random_network_statistics(
        n_networks=30, n_grid=41, depth=0.02, random_state=1
    )
    assert table["minimum_on_boundary"].all()
    assert table["maximum_on_boundary"].all()
    assert not table[["n_minima", "n_maxima"]].any(axis=None)


def test_statistics_are_those_of_the_networks_of_their_seeds():
    settings = dict(init="uniform", activation="tanh")
    bounds, sizes = ((-9, 9), (-5, 9)), (2, 30, 1)
    table = random_network_statistics(
        sizes, n_networks=4, bounds=bounds, n_grid=21, random_state=0, **settings
    )
    assert table["seed"].is_unique
    for row in table.itertuples(index=False):
        network = random_network(sizes, random_state=row.seed, **settings)
        expected = surface_statistics(surface(network.forward, bounds, 21).z)
        assert row[1:] == expected
    assert table["r2"].nunique() == 4
    again = random_network_statistics(
        sizes, n_networks=4, bounds=bounds, n_grid=21, random_state=0, **settings
    )
    pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize(
    ("init", "square"), [("glorot_uniform", 6 / 60), ("he_uniform", 0.3)]
)
def test_biases_are_drawn_as_weights_are(init, square):
    drawn, zero = (
        random_network((20, 40, 1), init=init, draw_biases=draw, random_state=0)
        for draw in (True, False)
    )
    biases = np.concatenate(
        [
            random_network((20, 40, 1), init=init, draw_biases=True, random_state=seed)
            .layers[0]
            .bias
            for seed in range(100)
        ]
    )
    for array in (drawn.layers[0].weights, biases):
        assert np.abs(array).max() <= np.sqrt(square)
        assert_allclose(np.mean(array**2), square / 3, rtol=0.1)
    assert not np.any(zero.layers[0].bias)
    assert_array_equal(zero.layers[0].weights, drawn.layers[0].weights)


@pytest.mark.parametrize(
    ("activation", "bound"), [("relu", np.sqrt(6 / 5)), ("tanh", np.sqrt(6 / 1005))]
)
def test_random_is_he_or_glorot_by_the_first_activation(activation, bound):
    (first, last) = dense_layers(
        "random", [5, 1000, 2], [activation, "identity"], np.random.RandomState(0)
    )
    assert (first.activation, last.activation) == (activation, "identity")
    assert 0.99 * bound < np.abs(first.weights).max() <= bound


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_grid": 2}, ValueError, "n_grid == 2, must be >= 3"),
        ({"n_grid": 9.0}, TypeError, "n_grid must be an instance of"),
        ({"bounds": ((0, 1),)}, ValueError, "two pairs .least, greatest., got .*0, 1"),
        ({"bounds": ((0, 1), (1, 1))}, ValueError, "bounds must be two pairs"),
        ({"predict": np.copy}, ValueError, "each of 10201 rows, got .* .10201, 2."),
    ],
)
def test_surface_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        surface(**{"predict": himmelblau, **arguments})


@pytest.mark.parametrize(
    ("z", "depth", "error", "message"),
    [
        (np.ones((2, 9)), 0, ValueError, r"at least \(3, 3\), got \(2, 9\)"),
        (np.ones(9), 0, ValueError, r"at least \(3, 3\), got \(9,\)"),
        ([[np.nan] * 3] * 3, 0, ValueError, "must be finite"),
        (np.ones((3, 3)), 1, ValueError, "depth == 1, must be < 1"),
        (np.ones((3, 3)), "", TypeError, "depth must be an instance"),
    ],
)
def test_surface_statistics_refuse(z, depth, error, message):
    with pytest.raises(error, match=message):
        surface_statistics(z, depth=depth)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layer_sizes": (2,)}, ValueError, "layer_sizes must be at least two sizes"),
        ({"layer_sizes": (2, 0, 1)}, ValueError, r"layer_sizes\[1\] == 0, must be >= 1"),
        ({"layer_sizes": (2, 1.5, 1)}, TypeError, r"layer_sizes\[1\] must be an inst"),
        ({"init": "metric"}, ValueError, "init must be one of 'random', .* got 'metric'"),
        ({"activation": "gelu"}, ValueError, "activation must be one of 'relu', .*gelu"),
    ],
)
def test_random_network_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        random_network(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer_sizes": (3, 1)}, "layer_sizes must begin with 2 and end with 1, got"),
        ({"layer_sizes": (2, 2)}, "layer_sizes must begin with 2 and end with 1, got"),
        ({"n_networks": 0}, "n_networks == 0, must be >= 1"),
    ],
)
def test_random_network_statistics_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_network_statistics(**arguments)
