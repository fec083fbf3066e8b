"""Tied comparisons and chosen pairs, against loops, dense layers and neighbors."""

import ast
import pickle
import tracemalloc

import numpy as np
import pytest
from factories import classifier, regressor, standardized
from networks import random_batch, random_network, read_only, temporaries_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.neighbors import KNeighborsClassifier

from skmetricmlp._data import TrainingData
from skmetricmlp.initialization import memory
from skmetricmlp.initialization.pairs import all_pairs, circulant_pairs, select_pairs
from skmetricmlp.initialization.tournament import nearest_network
from skmetricmlp.metrics.formulas import squared_euclidean
from skmetricmlp.network import Dense, Grouped, Network, PairIncidence, TiedComparison
from skmetricmlp.training import Objective

# No exemplar is compared with 3, and all others are with 0.
TABLE = read_only([[1, 2], [0, 4], [0, 1], [0, 4], [0, 2]], np.intp)
N, M = 5, 2


def tied_network(hidden="exemplars", activation="tanh", seed=0, table=TABLE):
    """Random weights: 4 features, comparisons, and exemplars or an output."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return read_only(rng.normal(size=shape))

    n, m = table.shape
    pairs = PairIncidence(table)
    weights, bias = draw(4, n), draw(n)
    layers = [TiedComparison(weights, bias, draw(n, m), pairs, activation)]
    if hidden == "exemplars":
        layers.append(Grouped(draw(n, m), draw(n), activation))
    layers.append(Dense(draw(layers[-1].n_out, 3), draw(3), "softmax"))
    return Network(tuple(layers))


@pytest.fixture
def batch():
    return random_batch()


@pytest.fixture(params=["numpy", "array_api_strict", "array_api_compat.torch"])
def xp(request):
    return pytest.importorskip(request.param)


# --- the layers, against loops ---


def loop_comparison(layer, rows):
    """One row, one pair, one feature at a time."""
    W, b, offsets = layer.weights.tolist(), layer.bias.tolist(), layer.offsets.tolist()
    table, result = layer.pairs.table.tolist(), []
    for row in rows.tolist():
        u = [
            b[k] + sum(x * w[k] for x, w in zip(row, W, strict=True))
            for k in range(len(b))
        ]
        z = [
            u[j] - u[i] + offsets[i][m]
            for i, js in enumerate(table)
            for m, j in enumerate(js)
        ]
        result.append(z)
    return result


def test_a_tied_comparison_is_its_loop(batch):
    layer = tied_network("comparisons").layers[0]
    assert_allclose(layer.affine(batch.X), loop_comparison(layer, batch.X), rtol=1e-12)
    sparse = layer.affine(csr_array(batch.X * (batch.X > 0)))
    assert_allclose(sparse, loop_comparison(layer, batch.X * (batch.X > 0)), rtol=1e-12)


def test_a_grouped_layer_is_its_loop():
    layer = tied_network().layers[1]
    x = np.random.default_rng(2).normal(size=(7, N * M))
    expected = [
        [
            layer.bias[i] + sum(layer.weights[i, m] * row[i * M + m] for m in range(M))
            for i in range(N)
        ]
        for row in x
    ]
    assert_allclose(layer.affine(x), expected, rtol=1e-12)


@pytest.mark.parametrize("table", [TABLE, all_pairs(5), np.zeros((1, 0), np.intp)])
def test_products_with_the_comparison_matrix(xp, table):
    """C as a dense matrix of loops; then both products of it, in any namespace."""
    rng, n = np.random.default_rng(0), len(table)
    pairs = PairIncidence(table)
    C = np.zeros((table.size, n))
    for p, (i, j) in enumerate(zip(*pairs.indices, strict=True)):
        C[p, i], C[p, j] = -1, 1
    u, v = rng.normal(size=(n, 4)), rng.normal(size=(len(C), 4))
    assert_allclose(np.asarray(pairs.differences(xp.asarray(u))), C @ u, atol=1e-14)
    assert_allclose(np.asarray(pairs.totals(xp.asarray(v))), C.T @ v, atol=1e-14)


@pytest.mark.parametrize("hidden", ["comparisons", "exemplars"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_the_dense_equivalent_is_the_same_function(batch, hidden, activation):
    network = tied_network(hidden, activation)
    dense = network.dense()
    assert all(isinstance(layer, Dense) for layer in dense.layers)
    assert network.n_dense_weights == sum(p.size for p in dense.parameters)
    for ours, theirs in zip(
        network.activations(batch.X), dense.activations(batch.X), strict=True
    ):
        assert_allclose(ours, theirs, atol=1e-13)
    assert_allclose(network.affine_output(batch.X), dense.affine_output(batch.X))


def tie(network, dense_gradients):
    """Gradient of shared parameters: the sum over all places where each occurs."""
    first = network.layers[0]
    table, n = first.pairs.table, len(first.pairs.table)
    dW, db, *upper = dense_gradients
    gW, gb = np.zeros_like(first.weights), np.zeros_like(first.bias)
    offsets = np.zeros(table.shape)
    p = 0
    for i in range(n):
        for m, j in enumerate(table[i]):
            gW[:, j] += dW[:, p]
            gW[:, i] -= dW[:, p]
            gb[j] += db[p]
            gb[i] -= db[p]
            offsets[i, m] = db[p]
            p += 1
    if len(network.layers) == 3:
        dV, dc, *upper = upper
        own = [[dV[i * table.shape[1] + m, i] for m in range(table.shape[1])]
               for i in range(n)]  # fmt: skip
        upper = [np.array(own).reshape(table.shape), dc, *upper]
    return [gW, gb, offsets, *upper]


@pytest.mark.parametrize("hidden", ["comparisons", "exemplars"])
@pytest.mark.parametrize("table", [TABLE, all_pairs(5)])
def test_the_gradient_is_that_of_the_untied_network_added_up(batch, hidden, table, xp):
    network = tied_network(hidden, table=table)
    objective = Objective("log_loss")
    _, dense = objective.value_and_gradient(network.dense(), batch)
    moved = network.with_parameters([xp.asarray(p.copy()) for p in network.parameters])
    rows = TrainingData(*(xp.asarray(part.copy()) for part in batch))
    _, gradient = objective.value_and_gradient(moved, rows)
    for ours, theirs in zip(gradient, tie(network, dense), strict=True):
        assert tuple(ours.shape) == theirs.shape
        assert_allclose(np.asarray(ours), theirs, atol=1e-13)


@pytest.mark.parametrize("hidden", ["comparisons", "exemplars"])
def test_the_gradient_is_the_slope(batch, hidden):
    network, objective, h = tied_network(hidden), Objective("log_loss", alpha=0.3), 1e-6
    _, gradient = objective.value_and_gradient(network, batch)
    rng = np.random.default_rng(3)
    for k, (p, g) in enumerate(zip(network.parameters, gradient, strict=True)):
        direction = rng.normal(size=p.shape)
        values = []
        for step in (h, -h):
            moved = network.parameters
            moved[k] = p + step * direction
            values.append(objective.value(network.with_parameters(moved), batch))
        slope = (values[0] - values[1]) / (2 * h)
        assert np.sum(g * direction) == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_the_penalty_is_on_what_multiplies(batch):
    network = tied_network()
    comparison, exemplar, output = network.layers
    weights = comparison.weights, exemplar.weights, output.weights
    expected = 0.5 * sum((W**2).sum() for W in weights) / batch.sample_weight.sum()
    penalized = Objective("log_loss", alpha=1.0).value(network, batch)
    assert penalized - Objective("log_loss").value(network, batch) == pytest.approx(
        expected
    )


def test_input_gradients_reach_a_layer_below(batch):
    """No estimator makes such a network, with a layer before the comparisons."""
    below = random_network((4, 4), output="tanh").layers
    network = Network((*below, *tied_network().layers))
    objective = Objective("log_loss")
    _, gradient = objective.value_and_gradient(network, batch)
    _, expected = objective.value_and_gradient(network.dense(), batch)
    for ours, theirs in zip(gradient[:2], expected[:2], strict=True):
        assert_allclose(ours, theirs, atol=1e-13)


# --- rows in blocks ---


@pytest.mark.parametrize("hidden", ["comparisons", "exemplars"])
@pytest.mark.parametrize("sparse", [False, True])
def test_blocks_of_rows_add_up(batch, hidden, sparse):
    network, objective = tied_network(hidden), Objective("log_loss", alpha=0.3)
    value, gradient = objective.value_and_gradient(network, batch)
    rows = batch._replace(X=csr_array(batch.X)) if sparse else batch
    with temporaries_of(4 * network.layers[0].n_out):
        assert network.block_rows == 4
        value_of_blocks, of_blocks = objective.value_and_gradient(network, rows)
    assert value_of_blocks == pytest.approx(value)
    for ours, theirs in zip(of_blocks, gradient, strict=True):
        assert_allclose(ours, theirs, atol=1e-14)


def test_temporaries_stay_below_a_bound():
    """Comparisons of all rows at once would take 16 times what is allowed."""
    network = tied_network(table=all_pairs(100))
    bound, n = 2**18, 16 * 2**18 // 9900
    rng = np.random.default_rng(0)
    batch = TrainingData(rng.normal(size=(n, 4)), np.arange(n) % 3, np.ones(n))
    Objective("log_loss").value_and_gradient(network, batch)  # matrices are made once
    tracemalloc.start()
    try:
        with temporaries_of(bound):
            Objective("log_loss").value_and_gradient(network, batch)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    parameters = sum(p.nbytes for p in network.parameters)
    assert peak < 5 * 8 * 2 * bound + 4 * parameters


# --- the pairs that are compared ---


def loop_pairs(points, codes, pairs):
    """By sorting the others of each exemplar, one after the other."""
    n = len(points)
    smallest = min(np.bincount(codes)[np.unique(codes)])
    table = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        others.sort(key=lambda j, p=points[i]: sum((p - points[j]) ** 2))
        of = {c: [j for j in others if codes[j] == c] for c in set(codes.tolist())}
        own, nearest, others = of.pop(codes[i]), others, []
        while any(of.values()):
            turn = [members.pop(0) for members in of.values() if members]
            others += [j for j in nearest if j in turn]
        others += own
        m = {"all": n - 1, "other_classes": n - smallest}.get(pairs, pairs)
        table.append(sorted(others[:m]))
    return np.array(table)


@pytest.mark.parametrize("pairs", ["all", "other_classes", 1, 4, 16, 17, 99])
def test_pairs_are_of_the_nearest_others(pairs):
    rng = np.random.default_rng(0)
    points, codes = rng.normal(size=(18, 3)), rng.integers(0, 3, 18)
    expected = loop_pairs(points, codes, pairs)
    A, b = squared_euclidean(points)
    rest = points, codes, pairs
    assert_array_equal(select_pairs((A, b), *rest), expected)
    # A common term of all distances changes nothing.
    A, b = A + np.full(3, 2.0), b - 5.0
    with temporaries_of(40):
        found = select_pairs((A, b), *rest)
    assert_array_equal(found, expected)


def test_votes_need_pairs_of_every_class():
    X, y = standardized("wine")
    given = X[::8], y[::8]
    clf = classifier(exemplars=given, pairs=4, tied=True)
    table = clf.fit(X, y).network_.layers[0].pairs.table
    assert_array_equal(table, loop_pairs(*given, 4))
    for i, row in enumerate(table):
        assert set(given[1][row]) == set(given[1]) - {given[1][i]}


def test_pairs_are_of_all_other_classes_where_classes_differ_in_size():
    codes = np.array([0, 0, 0, 0, 1, 2, 2])
    points = np.random.default_rng(0).normal(size=(7, 2))
    scores = squared_euclidean(points)
    table = select_pairs(scores, points, codes, "other_classes")
    assert table.shape == (7, 6)  # of all but the smallest class
    for i, row in enumerate(table):
        assert set(np.flatnonzero(codes != codes[i])) <= set(row)


def test_in_circulant_pairs_each_is_compared_as_often():
    table = circulant_pairs(7, 3)
    assert_array_equal(np.bincount(table.ravel()), 3)
    assert not (table == np.arange(7)[:, None]).any()


# --- the calculated network ---

TRAINABLE = [
    {"n_neighbors": 1},
    {"n_neighbors": 1, "activation": "logistic"},
    {"n_neighbors": 1, "loss": "squared_error"},
    {"n_neighbors": 2},
    {"n_neighbors": 3, "activation": "tanh"},
]
SETTINGS = [
    *TRAINABLE,
    {"activation": "step", "n_neighbors": 2},
    {"activation": "step", "n_neighbors": 1},
]


@pytest.mark.parametrize(
    "settings",
    [
        settings | {"pairs": pairs}
        for settings in SETTINGS
        for pairs in ("all", "other_classes", 4)
        if pairs != "other_classes" or settings["n_neighbors"] == 1
    ],
    ids=str,
)
def test_tied_and_untied_are_the_same_before_training(settings):
    X, y = standardized("wine")
    tied, untied = (
        classifier(tied=tied, n_exemplars=12, **settings).fit(X, y)
        for tied in (True, False)
    )
    assert isinstance(tied.network_.layers[0], TiedComparison)
    assert all(isinstance(layer, Dense) for layer in untied.network_.layers)
    assert_allclose(tied.predict_proba(X), untied.predict_proba(X), atol=1e-9)
    for ours, theirs in zip(tied.coefs_, untied.coefs_, strict=True):
        assert_allclose(ours, theirs, atol=1e-9)
    for ours, theirs in zip(tied.intercepts_, untied.intercepts_, strict=True):
        assert_allclose(ours, theirs, atol=1e-9)
    assert tied.n_layers_ == untied.n_layers_


@pytest.mark.parametrize(
    "settings", [{"n_neighbors": 1}, {"n_neighbors": 3}, {"activation": "tanh"}]
)
def test_baselines_have_the_shapes_of_the_tied_network(settings):
    X, y = standardized("iris")
    common = {"pairs": 4, "tied": True} | settings
    calculated = classifier(**common).fit(X, y).network_
    for init in ("random", "glorot_uniform", "uniform", "zeros", "ones"):
        drawn = classifier(init, **common).fit(X, y).network_
        assert list(map(type, drawn.layers)) == list(map(type, calculated.layers))
        assert [p.shape for p in drawn.parameters] == [
            p.shape for p in calculated.parameters
        ]
        if init in {"zeros", "ones"}:
            assert all((p == float(init == "ones")).all() for p in drawn.parameters)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("pairs", "k"),
    [("all", 1), ("all", 3), ("other_classes", 1), (39, 1), (38, 1), (39, 5), (100, 2)],
)
@pytest.mark.parametrize("name", ["iris", "cancer"])
def test_the_step_network_stays_exact(name, pairs, k, tied):
    """With all pairs for every k, and with those of other classes for k = 1."""
    X, y = standardized(name)
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(X), 40, replace=False)
    clf = classifier(
        exemplars=(X[chosen], y[chosen]),
        pairs=pairs,
        n_neighbors=k,
        tied=tied,
        activation="step",
    ).fit(X, y)
    neighbors = KNeighborsClassifier(k, algorithm="brute").fit(X[chosen], y[chosen])
    rows = X + rng.normal(scale=0.1, size=X.shape)  # so that no distances tie
    assert_array_equal(clf.predict(rows), neighbors.predict(rows))


@pytest.mark.parametrize("k", [1, 3])
def test_the_nearest_fire_with_few_pairs_too(k):
    """To win few comparisons is necessary for a vote, and not sufficient."""
    X, y = standardized("digits", 500)
    points, labels = X[:60], y[:60]
    scores, votes = squared_euclidean(points), np.eye(10)[labels]
    sample = TrainingData(X, y, np.ones(len(X)))
    fired = {}
    for m in (5, 20, 59):
        table = select_pairs(scores, points, labels, m)
        network = nearest_network(
            scores, votes, sample, pairs=table, n_neighbors=k, activation="step"
        )
        fired[m] = network.activations(X)[2] > 0
    exact = fired[59]
    assert_array_equal(exact.sum(axis=1), k)
    assert fired[5][exact].all()
    assert fired[20][exact].all()
    extra = {m: (fired[m] & ~exact).mean() for m in fired}
    assert extra[5] > extra[20] > extra[59] == 0


# --- the estimator ---


@pytest.mark.parametrize("settings", TRAINABLE, ids=str)
def test_a_tied_network_trains(settings):
    X, y = standardized("digits", 400)
    clf = classifier(n_exemplars=20, tied=True, pairs=8, **settings).fit(X, y)
    before = [p.copy() for p in clf.network_.parameters]
    for _ in range(6):
        clf.partial_fit(X, y)
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]
    assert clf.score(X, y) > 0.9
    assert all(
        (b != a).any()
        for a, b in zip(before, clf.network_.parameters, strict=True)
        if b.size
    )
    copied = pickle.loads(pickle.dumps(clf))  # noqa: S301
    assert_array_equal(copied.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(
        copied.partial_fit(X, y).predict_proba(X), clf.partial_fit(X, y).predict_proba(X)
    )


def test_single_precision_stays_single():
    X, y = standardized("iris")
    clf = classifier(tied=True, pairs=3, max_iter=1)
    with pytest.warns(match="max_iter"):
        clf.fit(X.astype(np.float32), y)
    arrays = [*clf.network_.parameters, *clf.coefs_, clf.predict_proba(X[:3])]
    assert {a.dtype for a in arrays[:-1]} == {np.dtype(np.float32)}


def test_tying_cannot_change_in_a_warm_start():
    X, y = standardized("iris")
    clf = classifier(n_neighbors=1).fit(X, y)
    clf.set_params(tied=True)
    with pytest.raises(ValueError, match="tied=True does not go with the network, which"):
        clf.partial_fit(X, y)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("pairs", ["other_classes", 5])
def test_explanations_add_up(pairs, tied):
    """To the output of the predicted class, less its mean over the classes."""
    X, y = standardized("wine")
    clf = classifier(n_exemplars=12, pairs=pairs, tied=tied).fit(X, y)
    frame = clf.explain(X, n_nearest=None)
    z = clf.network_.affine_output(X)
    expected = (z - z.mean(axis=1, keepdims=True))[np.arange(len(X)), z.argmax(axis=1)]
    assert_allclose(frame.groupby("row")["contribution"].sum(), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pairs": 0}, "pairs must .* 'other_classes', or an int >= 1, got 0"),
        ({"pairs": "near"}, "pairs must .* got 'near'"),
        ({"pairs": 2.5}, "pairs must .* got 2.5"),
        ({"pairs": True}, "pairs must .* got True"),
        ({"tied": 1}, "tied must be True or False, got 1"),
    ],
)
def test_parameters_that_are_not_accepted(settings, words):
    X, y = standardized("iris")
    with pytest.raises((ValueError, TypeError), match=words):
        classifier(**settings).fit(X, y)


# --- what does not fit into memory ---


@pytest.fixture
def allow(monkeypatch):
    """Let a network take so many bytes: half of the memory that is available."""

    def allow(limit):
        monkeypatch.setattr(memory, "available_memory", lambda: 2 * limit)

    return allow


def test_a_network_that_does_not_fit_is_refused_before_memory_is_taken(allow):
    """It would take 1.4 TB."""
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(20_000, 100)), np.arange(20_000) % 10
    allow(1e9)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match="n_exemplars=20000") as caught:
            classifier(exemplars=(points, labels), n_neighbors=1).fit(
                points[:100], labels[:100]
            )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < points.nbytes + 32 * 2**20  # with temporaries

    def n_weights(n):
        width = n * (n - 1)
        return (100 + 1) * width + (width + 1) * n + (n + 1) * 10

    fitting = max(n for n in range(2000) if 4 * 8 * n_weights(n) <= 1e9)
    assert f"{n_weights(20_000):,} weights" in str(caught.value)
    assert "half of the memory available (1 GB)" in str(caught.value)
    assert set(suggested(caught.value)) == {
        "tied=True, pairs=20",
        f"n_exemplars={fitting}",
    }


def suggested(error):
    """Settings that the error suggests, by name, and the bytes they would take."""
    listed = str(error).split("These settings take less: ")[1].split("; ")
    units = {"GB": 1e9, "MB": 1e6}
    sizes = {}
    for item in listed:
        name, size = item.rstrip(")").split(" (")
        number, unit = size.split()
        sizes[name] = float(number) * units[unit]
    return sizes


def settings_of(name):
    """Parameters, and the type of X, that a suggestion asks for."""
    name, _, dtype = name.replace("X in float32", " with X in float32").partition(" with")
    parts = [part.split("=") for part in name.split(", ") if part]
    return {key: ast.literal_eval(value) for key, value in parts}, "f" if dtype else "d"


@pytest.mark.parametrize(
    ("n_neighbors", "limit", "solver", "copies"),
    [
        (1, 4e5, "adam", 4),
        (1, 1.5e6, "sgd", 3),
        (1, 6e6, "adam", 4),
        (1, 1.5e7, "sgd", 3),
        (None, 3e5, "sgd", 3),
        (None, 1.5e7, "adam", 4),
    ],
)
def test_settings_that_an_error_suggests_fit(n_neighbors, limit, solver, copies, allow):
    X, y = standardized("digits", 120)
    common = {"n_exemplars": 100, "exemplars": "random"}
    common |= {"n_neighbors": n_neighbors, "solver": solver}
    if n_neighbors is None:
        common["n_comparisons"] = 10_000
    allow(limit)
    with pytest.raises(MemoryError) as caught:
        classifier(**common).fit(X, y)
    for name, size in suggested(caught.value).items():
        changes, dtype = settings_of(name)
        clf = classifier(**common | changes).fit(X.astype(dtype), y)
        held = copies * sum(a.nbytes for a in clf.network_.parameters)
        assert held == pytest.approx(size, rel=5e-3)
        assert held <= limit
        if "n_exemplars" in changes:
            changes["n_exemplars"] += 1
            with pytest.raises(MemoryError):
                classifier(**common | changes).fit(X, y)


@pytest.mark.parametrize(("make", "n"), [(classifier, 3), (regressor, 2)])
def test_the_smallest_network_is_named_where_none_fits(make, n, allow):
    X, y = standardized("iris")
    common = {"n_exemplars": 60, "exemplars": "random", "n_neighbors": 1}
    allow(100)
    with pytest.raises(MemoryError) as caught:
        make(**common).fit(X, y)
    words = str(caught.value).split("The smallest network is ")[1]
    name, size = words.removesuffix(" MB)").split(" (")
    changes, dtype = settings_of(name)
    assert changes["n_exemplars"] == n
    least = float(size) * 1e6
    allow(1.01 * least)
    make(**common | changes).fit(X.astype(dtype), y)
    allow(0.99 * least)
    with pytest.raises(MemoryError):
        make(**common | changes).fit(X.astype(dtype), y)


def test_half_of_the_available_memory_is_the_limit(monkeypatch):
    X, y = standardized("iris")
    clf = classifier()
    needed = 4 * sum(p.nbytes for p in clf.fit(X, y).network_.parameters)
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * needed)
    clf.fit(X, y)
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * needed - 2)
    with pytest.raises(MemoryError, match="half of the memory available"):
        clf.fit(X, y)


def test_a_control_group_limits_what_is_available(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    free = memory.available_memory()
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1500\n")
    (tmp_path / "memory.stat").write_text("anon 900\ninactive_file 500\nsock 7\n")
    assert memory.available_memory() == pytest.approx(free, rel=0.2)
    (tmp_path / "memory.max").write_text("5000\n")
    assert memory.available_memory() == 4000


def test_the_dense_equivalent_is_refused_where_it_does_not_fit(allow):
    X, y = standardized("digits", 200)
    allow(1.5e6)
    clf = classifier(n_exemplars=60, tied=True).fit(X, y)
    with pytest.raises(MemoryError, match=r"230,100 weights, which take 1\.84 MB"):
        _ = clf.coefs_[0]
    assert clf.coefs_[2].shape == (60, 10)
    biases = clf.network_.dense().parameters[1::2]
    for bias, expected in zip(clf.intercepts_, biases, strict=True):
        assert_array_equal(bias, expected)
    assert "MetricInitMLPClassifier" in clf._repr_html_()
    assert clf.predict(X[:5]).shape == (5,)
    allow(2e6)
    assert clf.coefs_[0].shape == (64, 60 * 59)
