"""The calculated network against slow oracles and against k-nearest neighbors."""

import pickle
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from factories import read_only
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._data import TrainingData
from skmetricmlp.initialization.pairs import select_pairs
from skmetricmlp.initialization.tournament import (
    REACH,
    averaging_layer,
    nearest_network,
)
from skmetricmlp.metrics.formulas import squared_euclidean

NEIGHBORS = [1, 2, 3, 5, 7]
TRAINABLE = ["relu", "logistic", "tanh"]


@cache
def random_problem(seed, *, kind="continuous", n_exemplars=20, n_classes=3, n_rows=120):
    """Exemplars, their codes, and rows with their codes."""
    rng = np.random.default_rng(seed)
    shape = (n_exemplars, 4), (n_rows, 4)
    if kind == "grid":  # distances tie
        points, X = (rng.integers(0, 4, s).astype(float) for s in shape)
    else:
        points, X = (rng.normal(size=s) for s in shape)
    if kind == "duplicates":
        points[-(n_exemplars // 4) :] = points[: n_exemplars // 4]
    labels = rng.permutation(np.arange(n_exemplars) % n_classes)
    codes = rng.integers(0, n_classes, n_rows)
    return read_only(points), read_only(labels, int), read_only(X), read_only(codes, int)


@cache
def nearest_of(seed, kind):
    """For each row of a problem, all exemplars by (distance, index)."""
    points, _, X, _ = random_problem(seed, kind=kind)
    ranked = []
    for x in X.tolist():
        distances = [
            sum((a - b) ** 2 for a, b in zip(x, p, strict=True)) for p in points.tolist()
        ]
        ranked.append(sorted(range(len(points)), key=lambda i, d=distances: (d[i], i)))
    return ranked


def build(points, labels, X, codes, **settings):
    sample = TrainingData(X, codes, np.ones(len(X)))
    n_classes = int(labels.max()) + 1
    votes = np.eye(n_classes)[labels]
    return nearest_network(squared_euclidean(points), votes, sample, **settings)


def predict(network, X):
    return network.affine_output(X).argmax(axis=1)


def votes_of_nearest(seed, kind, k):
    """Of the k nearest of each row: the most votes by (votes, lowest class)."""
    labels = random_problem(seed, kind=kind)[1].tolist()
    winners = []
    for nearest in nearest_of(seed, kind):
        votes = [sum(labels[i] == c for i in nearest[:k]) for c in range(3)]
        winners.append(votes.index(max(votes)))
    return winners


def decided_rows(neighbors, X):
    """Rows whose k-th distance is less than the next."""
    k = neighbors.n_neighbors
    distances, _ = neighbors.kneighbors(X, k + 1)
    return distances[:, k - 1] < distances[:, k]


# --- the guarantee: with a step it is the k-nearest-exemplars classifier ---


@pytest.mark.parametrize("k", NEIGHBORS)
@pytest.mark.parametrize("kind", ["continuous", "duplicates", "grid"])
def test_step_network_is_the_vote_of_the_nearest(kind, k):
    for seed in range(5):
        points, labels, X, codes = random_problem(seed, kind=kind)
        network = build(points, labels, X, codes, n_neighbors=k, activation="step")
        expected = votes_of_nearest(seed, kind, k)
        np.testing.assert_array_equal(predict(network, X), expected)


@pytest.mark.parametrize("k", NEIGHBORS)
@pytest.mark.parametrize("kind", ["continuous", "duplicates", "grid"])
def test_step_estimator_equals_k_neighbors_classifier(kind, k):
    """Row for row, also where votes tie, or k = 1 and distances do.

    Where the k-th and the next distance are equal to the last bit, scikit-learn keeps
    the one that its heap happens to hold, "depending on the ordering of the training
    data"; the network keeps the lower index. Up to k = 2 that is the same.
    """
    compared = 0
    for seed in range(5):
        points, labels, X, _ = random_problem(seed, kind=kind)
        clf = MetricInitMLPClassifier(
            exemplars=(points, labels), n_neighbors=k, activation="step", max_iter=0
        ).fit(points, labels)
        neighbors = KNeighborsClassifier(k).fit(points, labels)
        decided = decided_rows(neighbors, X) | (k <= 2)
        np.testing.assert_array_equal(
            clf.predict(X[decided]), neighbors.predict(X[decided])
        )
        compared += decided.sum()
    assert compared > 200


@pytest.mark.parametrize("k", [*NEIGHBORS, 15])
@pytest.mark.parametrize(("loss", "tied"), [("log_loss", False), ("squared_error", True)])
def test_probabilities_of_the_step_network_are_those_of_k_neighbors_classifier(
    k, loss, tied
):
    compared = 0
    for seed, kind in enumerate(["continuous", "duplicates", "grid", "continuous"]):
        points, labels, X, _ = random_problem(seed, kind=kind)
        clf = MetricInitMLPClassifier(
            exemplars=(points, labels),
            n_neighbors=k,
            activation="step",
            loss=loss,
            tied=tied,
            max_iter=0,
        ).fit(points, labels)
        p = clf.predict_proba(X)
        # The winner of the votes is what is predicted, also where votes tie.
        np.testing.assert_array_equal(p.argmax(axis=1), clf.predict(X))
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
        neighbors = KNeighborsClassifier(k).fit(points, labels)
        decided = decided_rows(neighbors, X) | (k <= 2)
        expected = neighbors.predict_proba(X)
        np.testing.assert_allclose(p[decided], expected[decided], rtol=1e-14)
        log_p = clf.predict_log_proba(X)
        np.testing.assert_allclose(np.exp(log_p), p, rtol=1e-12)
        assert (np.isneginf(log_p) == (p == 0)).all()
        assert (k == 1) == (set(np.unique(p)) == {0.0, 1.0})
        compared += decided.sum()
    assert compared > 240


@pytest.mark.parametrize("k", [1, 3, 5, 15])
def test_votes_on_data_rank_rows_as_the_neighbors_do(four_data_sets, k):
    for X_train, y_train, X_test, y_test, exemplars in four_data_sets:
        clf = MetricInitMLPClassifier(
            exemplars=exemplars, n_neighbors=k, activation="step", max_iter=0
        ).fit(X_train, y_train)
        neighbors = KNeighborsClassifier(k, algorithm="brute")
        neighbors.fit(clf.exemplars_, clf.exemplar_labels_)
        p, expected = clf.predict_proba(X_test), neighbors.predict_proba(X_test)
        np.testing.assert_allclose(p, expected, rtol=1e-14)
        np.testing.assert_array_equal(p.argmax(axis=1), clf.predict(X_test))
        if len(clf.classes_) == 2:
            aucs = [roc_auc_score(y_test, q[:, 1]) for q in (p, expected)]
            assert aucs[0] == aucs[1]


@pytest.mark.parametrize("pairs", [5, 10])
def test_probabilities_are_shares_of_all_votes_where_pairs_are_few(pairs):
    points, labels, X, _ = random_problem(2, n_exemplars=30)
    for k in (1, 3):
        clf = MetricInitMLPClassifier(
            exemplars=(points, labels),
            n_neighbors=k,
            pairs=pairs,
            activation="step",
            max_iter=0,
        ).fit(points, labels)
        fires = clf.network_.activations(X)[2]
        votes = np.stack([fires[:, labels == c].sum(axis=1) for c in range(3)], axis=1)
        assert (votes.sum(axis=1) > k).any()
        expected = votes / votes.sum(axis=1, keepdims=True)
        p = clf.predict_proba(X)
        np.testing.assert_allclose(p, expected)
        np.testing.assert_array_equal(p.argmax(axis=1), clf.predict(X))


def test_with_pairs_of_other_classes_the_class_of_the_nearest_is_certain():
    points, labels, X, _ = random_problem(4)
    clf = MetricInitMLPClassifier(
        exemplars=(points, labels),
        n_neighbors=1,
        pairs="other_classes",
        activation="step",
        max_iter=0,
    ).fit(points, labels)
    expected = KNeighborsClassifier(1).fit(points, labels).predict_proba(X)
    np.testing.assert_array_equal(clf.predict_proba(X), expected)


def test_probabilities_of_a_step_network_without_votes_are_those_of_its_output():
    """A fitted output says more than a vote, and drawn or given weights have none."""
    X, codes = random_problem(1)[2:]
    settings = dict(activation="step", max_iter=0, n_exemplars=9, random_state=0)
    for others in (
        dict(),
        dict(init="random", n_neighbors=1),
    ):
        clf = MetricInitMLPClassifier(**settings, **others).fit(X, codes)
        p = clf.predict_proba(X)
        np.testing.assert_allclose(p, clf.network_.forward(X))
        np.testing.assert_array_equal(p.argmax(axis=1), clf.predict(X))
        assert len(np.unique(p.round(9))) > 6 or "init" in others


def test_what_a_step_network_counts_is_settled_when_it_is_fitted():
    points, labels, X, _ = random_problem(0)
    clf = MetricInitMLPClassifier(
        exemplars=(points, labels), n_neighbors=3, activation="step", max_iter=0
    ).fit(points, labels)
    p = clf.predict_proba(X)
    clf.set_params(activation="relu", n_neighbors=None)
    np.testing.assert_array_equal(clf.predict_proba(X), p)
    loaded = pickle.loads(pickle.dumps(clf))  # noqa: S301
    np.testing.assert_array_equal(loaded.predict_proba(X), p)
    assert clf.out_activation_ == "softmax"


def test_a_class_without_exemplars_gets_no_votes():
    points, labels, X, codes = random_problem(0)
    kept = labels != 1
    clf = MetricInitMLPClassifier(
        exemplars=(points[kept], labels[kept]),
        n_neighbors=3,
        activation="step",
        max_iter=0,
    ).fit(X, codes)
    p = clf.predict_proba(X)
    neighbors = KNeighborsClassifier(3).fit(points[kept], labels[kept])
    np.testing.assert_allclose(p[:, [0, 2]], neighbors.predict_proba(X))
    assert not p[:, 1].any()
    assert np.isneginf(clf.predict_log_proba(X)[:, 1]).all()


def test_votes_of_nearest_are_what_k_neighbors_classifier_computes():
    points, labels, X, _ = random_problem(0)
    for k in NEIGHBORS:
        expected = KNeighborsClassifier(k).fit(points, labels).predict(X)
        assert votes_of_nearest(0, "continuous", k) == expected.tolist()


@pytest.mark.parametrize("k", [1, 4])
def test_as_many_neighbors_as_exemplars(k):
    points, labels, X, codes = random_problem(3, n_exemplars=4, n_classes=2)
    for activation in ("step", *TRAINABLE):
        network = build(points, labels, X, codes, n_neighbors=k, activation=activation)
        if k == len(points) and activation == "step":
            # All vote, two for each class, so the lower class wins.
            assert not predict(network, X).any()
        assert np.isfinite(network.affine_output(X)).all()


# --- the formulas, neuron by neuron ---


def test_step_neurons_are_the_equations_of_the_design():
    points, labels, X, codes = random_problem(1, n_exemplars=6, n_rows=20)
    n, k = 6, 3
    network = build(points, labels, X, codes, n_neighbors=k, activation="step")
    _, wins, fires, class_wins = network.activations(X)
    for row, x in enumerate(X):
        distance = [float(np.sum((x - p) ** 2)) for p in points]
        pairs = [(i, j) for i in range(n) for j in range(n) if j != i]
        h = {(i, j): float(distance[i] < distance[j]) for i, j in pairs}
        assert wins[row].tolist() == [h[pair] for pair in pairs]
        e = [
            float(sum(h[i, j] for j in range(n) if j != i) - (n - k) + 0.5 > 0)
            for i in range(n)
        ]
        assert fires[row].tolist() == e
        votes = [sum(e[i] for i in range(n) if labels[i] == c) for c in range(3)]
        expected = [
            float(votes[a] > votes[b] or (votes[a] == votes[b] and a < b))
            for a in range(3)
            for b in range(3)
            if a != b
        ]
        assert class_wins[row].tolist() == expected


def test_relu_neurons_are_the_equations_of_the_design():
    points, labels, X, codes = random_problem(2, n_exemplars=6, n_rows=20)
    network = build(points, labels, X, codes, activation="relu")
    _, defeats, exemplar_values = network.activations(X)
    margins = [
        float(np.sum((x - q) ** 2) - np.sum((x - p) ** 2))
        for x in X
        for i, p in enumerate(points)
        for j, q in enumerate(points)
        if i != j
    ]
    scale = np.sqrt(np.mean(np.square(margins)))
    expected = np.maximum(-np.reshape(margins, (20, 30)), 0) / scale
    np.testing.assert_allclose(defeats, expected, atol=1e-7)
    sums = expected.reshape(20, 6, 5).sum(axis=2)
    reach = REACH * np.mean([sorted(row)[1] for row in sums])  # of the second nearest
    np.testing.assert_allclose(
        exemplar_values, np.maximum(1 - sums / reach, 0), atol=1e-6
    )


@pytest.mark.parametrize("activation", ["logistic", "tanh"])
def test_saturating_counts_have_the_order_of_the_distances(activation):
    points, labels, X, codes = random_problem(4)
    for sharpness in (0.1, 1.0, 10.0):
        network = build(
            points, labels, X, codes, activation=activation, sharpness=sharpness
        )
        _, h, _ = network.activations(X)
        counts = h.reshape(len(X), 20, 19).sum(axis=2)
        distances = ((X[:, None] - points) ** 2).sum(axis=2)
        np.testing.assert_array_equal(
            np.argsort(-counts, axis=1)[:, :3], np.argsort(distances, axis=1)[:, :3]
        )


# --- trainable activations ---


@pytest.mark.parametrize(
    ("activation", "k"),
    [("relu", 1), *[(f, k) for f in ("logistic", "tanh") for k in NEIGHBORS]],
)
@pytest.mark.parametrize("kind", ["continuous", "duplicates"])
def test_sharp_limit_agrees_with_k_neighbors(activation, k, kind):
    rows = agreeing = 0
    for seed in range(3):
        points, labels, X, codes = random_problem(seed, kind=kind)
        settings = {"n_neighbors": k, "activation": activation, "sharpness": 1e6}
        network = build(points, labels, X, codes, **settings)
        expected = votes_of_nearest(seed, kind, k)
        agreeing += (predict(network, X) == expected).sum()
        rows += len(X)
    assert agreeing / rows >= 0.99


@pytest.fixture(scope="module")
def four_data_sets():
    """Rows to train and to test on of scikit-learn's four data sets, and 30 exemplars.

    Alternately centers of k-means, as by default, and rows.
    """
    problems = []
    loaders = load_iris, load_wine, load_digits, load_breast_cancer
    for load, exemplars in zip(loaders, ["kmeans", "random"] * 2, strict=True):
        X, y = load(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(
            X[:600], y[:600], random_state=0
        )
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = map(scaler.transform, (X_train, X_test))
        clf = MetricInitMLPClassifier(
            exemplars=exemplars, n_neighbors=1, max_iter=0, random_state=0
        ).fit(X_train, y_train)
        chosen = clf.exemplars_, clf.exemplar_labels_
        problems.append((X_train, y_train, X_test, y_test, chosen))
    return problems


@pytest.mark.parametrize("activation", TRAINABLE)
@pytest.mark.parametrize("k", [1, 3, 5])
def test_default_constants_are_as_accurate_as_the_neighbors(
    four_data_sets, activation, k
):
    differences = []
    for X_train, y_train, X_test, y_test, exemplars in four_data_sets:
        clf = MetricInitMLPClassifier(
            exemplars=exemplars, n_neighbors=k, activation=activation, max_iter=0
        ).fit(X_train, y_train)
        neighbors = KNeighborsClassifier(k).fit(clf.exemplars_, clf.exemplar_labels_)
        differences.append(clf.score(X_test, y_test) - neighbors.score(X_test, y_test))
    assert np.mean(differences) >= -0.01


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_tanh_is_logistic_in_other_units(k, loss):
    """As ``tanh(z) = 2 logistic(2 z) - 1``, both networks are the same function."""
    points, labels, X, codes = random_problem(5)
    logistic, tanh = (
        build(points, labels, X, codes, n_neighbors=k, activation=f, loss=loss)
        for f in ("logistic", "tanh")
    )
    np.testing.assert_allclose(logistic.forward(X), tanh.forward(X), atol=1e-9)


@pytest.mark.parametrize("activation", TRAINABLE)
@pytest.mark.parametrize("k", [1, 3])
def test_units_rotation_and_origin_of_the_data_do_not_matter(activation, k):
    points, labels, X, codes = random_problem(6)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    settings = {"n_neighbors": k, "activation": activation}
    before = build(points, labels, X, codes, **settings).forward(X)
    moved, moved_X = (1000 * (array @ rotation + 3) for array in (points, X))
    after = build(moved, labels, moved_X, codes, **settings).forward(moved_X)
    np.testing.assert_allclose(before, after, atol=1e-6)


@pytest.mark.parametrize("activation", TRAINABLE)
def test_weights_of_the_sample_are_repetitions(activation):
    points, labels, X, codes = random_problem(7, n_rows=60)
    counts = np.random.default_rng(0).integers(1, 4, len(X))
    repeated = TrainingData(
        X.repeat(counts, axis=0), codes.repeat(counts), np.ones(counts.sum())
    )
    weighted = TrainingData(X, codes, counts.astype(float))
    networks = [
        nearest_network(
            squared_euclidean(points), np.eye(3)[labels], sample, activation=activation
        )
        for sample in (repeated, weighted)
    ]
    for one, other in zip(*(network.parameters for network in networks), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


# --- shapes and edges ---


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
@pytest.mark.parametrize("k", [1, 3])
def test_layers_have_the_widths_of_the_design(activation, k):
    points, labels, X, codes = random_problem(9, n_exemplars=5)
    network = build(points, labels, X, codes, activation=activation, n_neighbors=k)
    widths = [4, 5 * 4, 5, 3] if k == 1 else [4, 5 * 4, 5, 3 * 2, 3]
    shapes = [layer.weights.shape for layer in network.dense().layers]
    assert shapes == list(pairwise(widths))
    assert [layer.activation for layer in network.layers[:-1]] == [activation] * (
        len(widths) - 2
    )


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
def test_one_exemplar_and_one_class(activation):
    X = np.arange(6.0).reshape(3, 2)
    network = build(X[:1], np.array([0]), X, np.zeros(3, int), activation=activation)
    assert network.forward(X).shape == (3, 1)
    assert np.isfinite(network.affine_output(X)).all()


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
def test_exemplars_that_are_all_the_same(activation):
    X = np.ones((4, 2))
    labels = np.array([1, 0, 1, 0])
    network = build(X, labels, X, labels, activation=activation, sharpness=1e6)
    assert predict(network, X).tolist() == [1, 1, 1, 1]  # the class of the first


# --- values instead of classes ---


def values_of(points, n_outputs=2, seed=0):
    rng = np.random.default_rng(100 + seed)
    values = 10 + rng.normal(size=(len(points), n_outputs)) * np.arange(1, n_outputs + 1)
    return read_only(values)


def build_values(points, values, X, weights=None, **settings):
    weights = np.ones(len(X)) if weights is None else weights
    sample = TrainingData(X, np.zeros(len(X), int), weights)
    settings["loss"] = "identity_squared_error"
    return nearest_network(squared_euclidean(points), values, sample, **settings)


def means_of_nearest(seed, kind, k, values):
    """Mean values of the k nearest of each row."""
    return [
        [sum(values[i][c] for i in nearest[:k]) / k for c in range(values.shape[1])]
        for nearest in nearest_of(seed, kind)
    ]


@pytest.mark.parametrize("k", NEIGHBORS)
@pytest.mark.parametrize("kind", ["continuous", "duplicates", "grid"])
def test_step_network_is_the_mean_of_the_nearest(kind, k):
    for seed in range(3):
        points, _, X, _ = random_problem(seed, kind=kind)
        values = values_of(points, seed=seed)
        network = build_values(points, values, X, n_neighbors=k, activation="step")
        expected = means_of_nearest(seed, kind, k, values)
        np.testing.assert_allclose(network.forward(X), expected)


@pytest.mark.parametrize("k", NEIGHBORS)
@pytest.mark.parametrize("kind", ["continuous", "duplicates", "grid"])
def test_step_estimator_equals_k_neighbors_regressor(kind, k):
    """Row for row where the k-th distance is less than the next."""
    compared = 0
    for seed in range(5):
        points, _, X, _ = random_problem(seed, kind=kind)
        values = values_of(points, 1 + seed % 2, seed)
        reg = MetricInitMLPRegressor(
            exemplars=(points, values), n_neighbors=k, activation="step", max_iter=0
        ).fit(points, values)
        neighbors = KNeighborsRegressor(k).fit(points, values)
        decided = decided_rows(neighbors, X)
        expected = neighbors.predict(X[decided])
        np.testing.assert_allclose(reg.predict(X[decided]), expected)
        compared += decided.sum()
    assert compared > 200


@pytest.mark.parametrize(
    ("activation", "k"),
    [("relu", 1), *[(f, k) for f in ("logistic", "tanh") for k in (1, 3, 7)]],
)
def test_sharp_limit_agrees_with_the_mean_of_the_nearest(activation, k):
    agreeing = []
    for seed in range(3):
        points, _, X, _ = random_problem(seed)
        values = values_of(points, seed=seed)
        settings = {"n_neighbors": k, "activation": activation, "sharpness": 1e6}
        found = build_values(points, values, X, **settings).forward(X)
        expected = means_of_nearest(seed, "continuous", k, values)
        agreeing += (abs(found - expected).max(axis=1) < 0.01).tolist()
    assert np.mean(agreeing) >= 0.97


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
def test_averaging_layer_is_its_loop(activation):
    rng = np.random.default_rng(0)
    targets, weights = values_of(np.zeros(5), 2), rng.uniform(1, 3, 12)
    off, on = {"tanh": (-1.0, 1.0)}.get(activation, (0.0, 1.0))
    fires = rng.integers(0, 2, (12, 5))
    if activation != "step":  # less than one may fire
        fires = 0.2 * rng.random((12, 5))
    values = off + (on - off) * fires
    layer = averaging_layer(targets, values, weights, activation)
    assert layer.activation == "identity"
    number = sum(w * sum(f) for w, f in zip(weights, fires, strict=True)) / sum(weights)
    mean = sum(targets) / 5
    for fire, found in zip(fires, layer.affine(values), strict=True):
        total = sum(f * (t - mean) for f, t in zip(fire, targets, strict=True))
        np.testing.assert_allclose(found, mean + total / number)


def test_averaging_of_exemplars_that_never_fire_is_finite():
    targets = values_of(np.zeros(4))
    layer = averaging_layer(targets, np.zeros((3, 4)), np.ones(3), "relu")
    np.testing.assert_allclose(layer.affine(np.zeros((1, 4)))[0], targets.mean(axis=0))


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
@pytest.mark.parametrize("k", [1, 3])
def test_units_and_origin_of_the_values_do_not_matter(activation, k):
    points, _, X, _ = random_problem(6)
    values = values_of(points)
    settings = {"n_neighbors": k, "activation": activation}
    one = build_values(points, values, X, **settings).forward(X)
    unit = np.array([-30.0, 0.01])
    other = build_values(points, values * unit - 7, X, **settings).forward(X)
    np.testing.assert_allclose(other, one * unit - 7)


@pytest.mark.parametrize("k", [1, 3])
def test_tanh_is_logistic_in_other_units_for_values_too(k):
    points, _, X, _ = random_problem(5)
    logistic, tanh = (
        build_values(points, values_of(points), X, n_neighbors=k, activation=f)
        for f in ("logistic", "tanh")
    )
    np.testing.assert_allclose(logistic.forward(X), tanh.forward(X), atol=1e-9)


@pytest.mark.parametrize("activation", TRAINABLE)
def test_weights_of_a_sample_with_values_are_repetitions(activation):
    points, _, X, _ = random_problem(7, n_rows=60)
    counts = np.random.default_rng(0).integers(1, 4, len(X))
    values, settings = values_of(points), {"n_neighbors": 3, "activation": activation}
    repeated = build_values(points, values, X.repeat(counts, axis=0), **settings)
    weighted = build_values(points, values, X, counts.astype(float), **settings)
    for one, other in zip(repeated.parameters, weighted.parameters, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
@pytest.mark.parametrize("k", [1, 3])
def test_values_take_three_layers_for_every_k(activation, k):
    points, _, X, _ = random_problem(9, n_exemplars=5)
    values = values_of(points, 3)
    network = build_values(points, values, X, activation=activation, n_neighbors=k)
    shapes = [layer.weights.shape for layer in network.dense().layers]
    assert shapes == list(pairwise([4, 5 * 4, 5, 3]))
    names = [layer.activation for layer in network.layers]
    assert names == [activation, activation, "identity"]


def test_with_few_pairs_all_exemplars_that_win_theirs_are_averaged():
    points, _, X, _ = random_problem(3)
    values = values_of(points)
    scores = squared_euclidean(points)
    pairs = select_pairs(scores, points, np.zeros(20, int), 4)
    network = build_values(points, values, X, pairs=pairs, activation="step")
    distances = ((X[:, None] - points) ** 2).sum(axis=2)
    fires = (distances[:, :, None] < distances[:, pairs]).all(axis=2)
    assert fires.any(axis=1).all()
    assert fires.sum() > len(X)
    totals = fires @ (values - values.mean(axis=0))
    expected = values.mean(axis=0) + totals / fires.sum(axis=1).mean()
    np.testing.assert_allclose(network.forward(X), expected)


@pytest.mark.parametrize("activation", ["step", *TRAINABLE])
def test_one_exemplar_or_equal_ones_with_values(activation):
    X = np.arange(6.0).reshape(3, 2)
    network = build_values(X[:1], np.array([[4.0]]), X, activation=activation)
    np.testing.assert_allclose(network.forward(X), np.full((3, 1), 4.0))
    same = build_values(np.ones((4, 2)), values_of(X[[0] * 4]), X, activation=activation)
    assert np.isfinite(same.forward(X)).all()
