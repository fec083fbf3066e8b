"""What the estimator promises: its parameters, methods and fitted attributes."""

import copy as copying
import gc
import pickle
import re
import warnings
import weakref
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from itertools import pairwise
from string import ascii_lowercase

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import (
    assert_nearly_same_network,
    assert_same_network,
    classifier,
    parameters_of,
    shapes,
    standardized,
    training_raises,
)
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted

# Few epochs are the point of these tests.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning",
    "ignore:Stochastic Optimizer. Maximum iter:sklearn.exceptions.ConvergenceWarning",
)

BASELINES = ("random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones")
HELD_OUT = np.arange(150) % 3 == 0


X, y = standardized("iris")


def overlapping_classes(n_rows):
    return make_blobs(list(n_rows), centers=[[0, 0], [1, 1]], random_state=0)


def letters():
    features, codes = make_blobs(
        208, n_features=10, centers=26, cluster_std=0.5, random_state=0
    )
    return features, np.array(list(ascii_lowercase))[codes]


PROBLEMS = {
    "one class": lambda: (X[::5], np.full(30, "only")),
    "binary": lambda: standardized("cancer", 200),
    "strings": lambda: (X, np.array(["versicolor", "setosa", "virginica"])[y]),
    "negative labels": lambda: (X, y - 7),
    "26 classes": letters,
}


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_labels_probabilities_and_score_agree(problem, loss):
    features, labels = PROBLEMS[problem]()
    estimator = classifier(n_exemplars=26, loss=loss, max_iter=2).fit(features, labels)
    p = estimator.predict_proba(features)
    predicted = estimator.predict(features)
    np.testing.assert_array_equal(estimator.classes_, np.unique(labels))
    assert p.shape == (len(features), len(np.unique(labels)))
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(estimator.predict_log_proba(features)), p)
    np.testing.assert_array_equal(predicted, estimator.classes_[p.argmax(axis=1)])
    assert estimator.score(features, labels) == accuracy_score(labels, predicted)
    assert estimator.score(features, labels) > 0.9


@pytest.mark.parametrize("n_neighbors", [None, 1, 3])
@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("relu", lambda z: np.maximum(z, 0)),
        ("logistic", expit),
        ("tanh", np.tanh),
    ],
)
@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("log_loss", lambda z: softmax(z, axis=1)),
        ("squared_error", lambda z: expit(z) / expit(z).sum(axis=1, keepdims=True)),
    ],
)
def test_probabilities_are_the_forward_pass_of_coefs_and_intercepts(
    loss, output, activation, function, n_neighbors
):
    estimator = classifier(
        loss=loss,
        activation=activation,
        n_neighbors=n_neighbors,
        max_iter=1,
    ).fit(X, y)
    a = X
    for weights, bias in zip(
        estimator.coefs_[:-1], estimator.intercepts_[:-1], strict=True
    ):
        if n_neighbors is None:
            first = estimator.network_.layers[0]
            a = np.clip(a, first.low, first.high)
        a = function(a @ weights + bias)
        if n_neighbors is None:
            a = np.hstack([a, np.minimum(a[:, :-1], a[:, 1:])])
    z = a @ estimator.coefs_[-1] + estimator.intercepts_[-1]
    np.testing.assert_allclose(estimator.predict_proba(X), output(z))


@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
def test_untrained_step_network_is_the_nearest_exemplars_classifier(
    exemplars, n_neighbors
):
    estimator = classifier(
        activation="step", exemplars=exemplars, n_neighbors=n_neighbors
    ).fit(X, y)
    neighbors = KNeighborsClassifier(n_neighbors)
    neighbors.fit(estimator.exemplars_, estimator.exemplar_labels_)
    np.testing.assert_array_equal(estimator.predict(X), neighbors.predict(X))


@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
@pytest.mark.parametrize("max_iter", [0, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype, max_iter, exemplars):
    features = X.astype(dtype)
    weights = np.ones(150)
    estimator = classifier(max_iter=max_iter, exemplars=exemplars)
    estimator.fit(features, y, sample_weight=weights)
    assert {array.dtype for array in parameters_of(estimator)} == {np.dtype(dtype)}
    assert estimator.exemplars_.dtype == dtype
    assert estimator.predict_proba(features).dtype == dtype


def test_given_exemplars_and_weights_take_the_precision_of_the_rows():
    features = X.astype(np.float32)
    start = classifier(exemplars=(X[::20], y[::20])).fit(features, y)
    assert start.exemplars_.dtype == np.float32
    init = tuple(
        [array.astype(float) for array in arrays]
        for arrays in (start.coefs_, start.intercepts_)
    )
    taken_over = classifier(n_exemplars=len(X[::20]), init=init).fit(features, y)
    assert {array.dtype for array in parameters_of(taken_over)} == {np.dtype("float32")}


def test_integers_are_learned_in_double_precision():
    estimator = classifier().fit((10 * X).astype(int), y)
    assert {array.dtype for array in parameters_of(estimator)} == {np.dtype(float)}


@pytest.mark.parametrize(
    ("container", "exemplars"),
    [(sp.csr_matrix, "kmeans"), (sp.csc_matrix, "random"), (sp.csr_array, "random")],
)
# No ReLU, whose derivative jumps: there a rounding error may become a step of training.
@pytest.mark.parametrize(
    "settings", [{"max_iter": 0}, {"max_iter": 2, "activation": "tanh"}]
)
def test_sparse_features_give_the_same_as_dense_ones(container, exemplars, settings):
    features, labels = standardized("wine")
    features = features * (np.abs(features) > 0.5)
    estimator = classifier(exemplars=exemplars, **settings)
    dense = clone(estimator).fit(features, labels)
    sparse = clone(estimator).fit(container(features), labels)
    np.testing.assert_allclose(sparse.exemplars_, dense.exemplars_, atol=1e-12)
    np.testing.assert_allclose(
        sparse.predict_proba(container(features)),
        dense.predict_proba(features),
        atol=1e-9,
    )
    np.testing.assert_array_equal(
        dense.predict(container(features)), dense.predict(features)
    )


def test_inputs_are_neither_changed_nor_kept():
    features, labels, weights = np.array(X), np.array(y), np.linspace(0, 2, 150)
    points, codes = np.array(X[::10]), np.array(y[::10])
    start = classifier(exemplars=(points, codes)).fit(X, y)
    init = (
        [np.array(array) for array in start.coefs_],
        [np.array(array) for array in start.intercepts_],
    )
    given = [features, labels, weights, points, codes, *init[0], *init[1]]
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    estimator = classifier(exemplars=(points, codes), max_iter=2)
    estimator.fit(features, labels, weights).partial_fit(features, labels)
    other = classifier(exemplars=(points, codes), init=init, max_iter=2)
    other.fit(features, labels, weights).partial_fit(features, labels)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for array in parameters_of(other):
        assert not any(np.shares_memory(array, mine) for mine in given)


def test_frames_give_feature_names_and_the_same_network():
    frame = pd.DataFrame(X, columns=list("abcd"))
    labels = pd.Series(np.array(["x", "y", "z"])[y])
    estimator = classifier(max_iter=1).fit(frame, labels)
    assert estimator.feature_names_in_.tolist() == list("abcd")
    assert estimator.n_features_in_ == 4
    assert_same_network(estimator, classifier(max_iter=1).fit(X, y))
    np.testing.assert_array_equal(estimator.classes_, ["x", "y", "z"])
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame[list("dcba")])


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize(
    ("form", "shapes_of_weights"),
    [
        ({"n_comparisons": 800}, [(4, 800), (1599, 3)]),
        ({"n_comparisons": 5, "n_conjunctions": 0}, [(4, 5), (5, 3)]),
        ({"n_comparisons": 5, "n_conjunctions": 2}, [(4, 5), (5 + 4 + 3, 3)]),
        ({"n_comparisons": 3, "n_conjunctions": 9}, [(4, 3), (3 + 2 + 1, 3)]),
        ({"activation": "step", "max_iter": 0}, [(4, 40), (79, 3)]),
        *(
            ({"n_neighbors": k}, list(pairwise(sizes)))
            for k, sizes in [
                (1, [4, 72, 9, 3]), (2, [4, 72, 9, 6, 3]), (3, [4, 72, 9, 6, 3])
            ]
        ),
    ],
)  # fmt: skip
def test_attributes_that_describe_the_network(form, shapes_of_weights, loss):
    estimator = classifier(**{"max_iter": 3} | form, loss=loss).fit(X, y)
    n_epochs = estimator.max_iter
    assert [w.shape for w in estimator.coefs_] == shapes_of_weights
    assert [b.shape for b in estimator.intercepts_] == [
        (n,) for _, n in shapes_of_weights
    ]
    assert estimator.n_layers_ == len(shapes_of_weights) + 1
    assert estimator.n_outputs_ == 3
    assert (
        estimator.out_activation_
        == {
            "log_loss": "softmax",
            "squared_error": "logistic",
        }[loss]
    )
    assert estimator.n_iter_ == len(estimator.loss_curve_) == n_epochs
    assert estimator.t_ == n_epochs * 150
    assert estimator.loss_ == [np.inf, *estimator.loss_curve_][-1]
    assert estimator.best_loss_ == min([np.inf, *estimator.loss_curve_])
    baseline = classifier("random", **form, loss=loss).fit(X, y)
    assert shapes(baseline) == shapes(estimator)
    assert estimator.validation_scores_ is None
    assert estimator.validation_loss_curve_ is None
    assert estimator.best_validation_score_ is None


@pytest.mark.parametrize(
    ("settings", "k"),
    [
        ({"n_neighbors": 1, "sharpness": 100}, 1),
        ({"n_neighbors": 3, "sharpness": 1e6}, 1),  # with ReLU the nearest for every k
        ({"n_neighbors": 3, "sharpness": 1e6, "activation": "tanh"}, 3),
    ],
)
def test_exemplars_vote_with_an_integer_n_neighbors(settings, k):
    estimator = classifier(**settings).fit(X, y)
    neighbors = KNeighborsClassifier(k)
    neighbors.fit(estimator.exemplars_, estimator.exemplar_labels_)
    np.testing.assert_array_equal(estimator.predict(X), neighbors.predict(X))


@pytest.mark.parametrize("name", ["iris", "wine", "cancer"])
def test_untrained_it_is_better_than_the_nearest_exemplar(name):
    features, labels = standardized(name)
    test = np.arange(len(labels)) % 3 == 0
    estimator = classifier(n_exemplars=30, n_comparisons=500).fit(
        features[~test], labels[~test]
    )
    nearest = KNeighborsClassifier(1)
    nearest.fit(estimator.exemplars_, estimator.exemplar_labels_)
    ours, theirs = (
        clf.score(features[test], labels[test]) for clf in (estimator, nearest)
    )
    assert ours >= theirs
    assert ours > 0.95


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
def test_same_seed_same_network(init, exemplars):
    settings = {"init": init, "exemplars": exemplars, "max_iter": 2, "batch_size": 50}
    first = classifier(**settings).fit(X, y)
    assert_same_network(first, classifier(**settings).fit(X, y))


@pytest.mark.parametrize("settings", [{"init": "random"}, {"exemplars": "random"}])
def test_different_seed_different_network(settings):
    first = classifier(random_state=0, **settings).fit(X, y)
    second = classifier(random_state=1, **settings).fit(X, y)
    assert all(
        not np.array_equal(a, b)
        for a, b in zip(first.coefs_[:2], second.coefs_[:2], strict=True)
    )


def test_random_state_instance_is_drawn_from():
    seed = np.random.RandomState(0)
    first = classifier(init="random", random_state=seed).fit(X, y)
    second = classifier(init="random", random_state=seed).fit(X, y)
    assert not np.array_equal(first.coefs_[0], second.coefs_[0])
    again = classifier(init="random", random_state=np.random.RandomState(0)).fit(X, y)
    assert_same_network(first, again)


CALCULATED = [
    {"exemplars": "kmeans"},
    {"exemplars": "random"},
    {"exemplars": "lvq", "max_features": 1, "n_conjunctions": 3},
    {"exemplars": "kmedoids", "metric": "mahalanobis", "activation": "tanh"},
    {"exemplars": "kmeans", "n_neighbors": 3, "activation": "tanh"},
    {"exemplars": "random", "n_neighbors": 3, "activation": "logistic"},
]


@pytest.mark.parametrize("settings", CALCULATED)
def test_calculated_network_does_not_depend_on_the_order_of_the_rows(settings):
    order = np.random.default_rng(0).permutation(150)
    weights = np.linspace(1, 2, 150)
    assert_same_network(
        classifier(**settings).fit(X, y, weights),
        classifier(**settings).fit(X[order], y[order], weights[order]),
    )


@pytest.mark.parametrize("settings", CALCULATED)
def test_row_of_weight_two_counts_as_two_rows(settings):
    times = np.random.default_rng(0).integers(1, 4, 150)
    repeated = classifier(**settings).fit(X.repeat(times, axis=0), y.repeat(times))
    weighted = classifier(**settings).fit(X, y, sample_weight=times)
    unweighted = classifier(**settings).fit(X, y)
    assert_same_network(repeated, weighted)
    assert not np.array_equal(weighted.coefs_[-1], unweighted.coefs_[-1])


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_row_of_weight_two_trains_as_two_rows(solver):
    # Batches of all rows, so that both see the same rows in each step, and no ReLU, whose
    # derivative jumps: there a rounding error may become a step of training.
    settings = {"solver": solver, "max_iter": 5, "batch_size": 1000, "activation": "tanh"}
    times = np.random.default_rng(0).integers(1, 4, 150)
    repeated = classifier(**settings).fit(X.repeat(times, axis=0), y.repeat(times))
    weighted = classifier(**settings).fit(X, y, sample_weight=times)
    np.testing.assert_allclose(repeated.loss_curve_, weighted.loss_curve_)
    np.testing.assert_allclose(
        repeated.predict_proba(X), weighted.predict_proba(X), atol=1e-9
    )


@pytest.mark.parametrize("settings", CALCULATED)
def test_row_of_weight_zero_is_left_out(settings):
    weights = np.random.default_rng(0).integers(0, 2, 150)
    kept = weights > 0
    settings = {**settings, "max_iter": 2}
    weighted = classifier(**settings).fit(X, y, sample_weight=weights)
    assert_same_network(weighted, classifier(**settings).fit(X[kept], y[kept]))


@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
def test_row_of_weight_zero_never_becomes_an_exemplar(exemplars):
    weights = np.where(np.arange(150) % 5 == 0, 1.0, 0.0)
    estimator = classifier(exemplars=exemplars, n_exemplars=1.0)
    estimator.fit(X, y, sample_weight=weights)
    expected = np.unique(X[weights > 0], axis=0)
    found = estimator.exemplars_[np.lexsort(estimator.exemplars_.T[::-1])]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_random_exemplars_are_drawn_in_proportion_to_their_weight():
    heavy = np.arange(150) % 50 < 3
    estimator = classifier(exemplars="random", n_exemplars={0: 3, 1: 3, 2: 3})
    estimator.fit(X, y, sample_weight=np.where(heavy, 1e9, 1))
    assert sorted(estimator.exemplar_indices_) == np.flatnonzero(heavy).tolist()


def test_class_of_weight_zero_has_no_exemplar():
    estimator = classifier().fit(X, y, sample_weight=np.where(y == 1, 0, 1))
    assert set(estimator.exemplar_labels_) == {0, 2}
    np.testing.assert_array_equal(estimator.classes_, [0, 1, 2])


@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
def test_int_n_exemplars_is_the_total(exemplars):
    estimator = classifier(exemplars=exemplars, n_exemplars=11).fit(X, y)
    assert estimator.exemplars_.shape == (11, 4)
    assert set(estimator.exemplar_labels_) == {0, 1, 2}


def test_float_n_exemplars_is_a_share_of_the_distinct_rows():
    features, labels = np.tile(X[::5], (4, 1)), np.tile(y[::5], 4)
    estimator = classifier(n_exemplars=0.5).fit(features, labels)
    assert len(estimator.exemplars_) == 15


@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
@pytest.mark.parametrize("n_neighbors", [None, 3])
def test_dict_n_exemplars_is_the_count_of_each_class(exemplars, n_neighbors):
    labels = np.array(["a", "b", "c"])[y]
    estimator = classifier(
        exemplars=exemplars,
        n_exemplars={"c": 2, "a": 1, "b": 6},
        n_neighbors=n_neighbors,
        max_iter=1,
    ).fit(X, labels)
    assert "".join(sorted(estimator.exemplar_labels_)) == "abbbbbbcc"
    assert set(estimator.predict(X)) == {"a", "b", "c"}


@pytest.mark.parametrize("exemplars", ["kmeans", "random"])
@pytest.mark.parametrize("n_exemplars", [1000, 1.0])
def test_more_exemplars_than_distinct_rows_are_all_of_them(exemplars, n_exemplars):
    features, labels = np.tile(X[::5], (2, 1)), np.tile(y[::5], 2)
    estimator = classifier(exemplars=exemplars, n_exemplars=n_exemplars)
    estimator.fit(features, labels)
    found = np.column_stack([estimator.exemplars_, estimator.exemplar_labels_])
    expected = np.unique(np.column_stack([features, labels]), axis=0)
    np.testing.assert_allclose(found[np.lexsort(found.T[::-1])], expected, atol=1e-12)


@pytest.mark.parametrize("n_exemplars", [1, 0.001])
def test_fewer_exemplars_than_classes_are_one_of_each(n_exemplars):
    estimator = classifier(n_exemplars=n_exemplars).fit(X, y)
    np.testing.assert_array_equal(estimator.exemplar_labels_, [0, 1, 2])
    means = [X[y == label].mean(axis=0) for label in range(3)]
    np.testing.assert_allclose(estimator.exemplars_, means)


@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh"])
@pytest.mark.parametrize(
    "settings", [{"n_exemplars": 1}, {"n_exemplars": 4}, {"n_neighbors": 3}]
)
def test_one_class_is_certain(settings, activation):
    estimator = classifier(activation=activation, max_iter=2, **settings)
    estimator.fit(X, np.full(150, "only"))
    assert estimator.n_outputs_ == 1
    np.testing.assert_array_equal(estimator.predict_proba(X), np.ones((150, 1)))
    np.testing.assert_array_equal(estimator.predict(X), np.full(150, "only"))


def test_one_exemplar_for_several_classes_predicts_its_own():
    estimator = classifier(exemplars=(X[:1], [2]), n_neighbors=1).fit(X, y)
    assert shapes(estimator)[:3] == [(4, 0), (0, 1), (1, 3)]
    np.testing.assert_array_equal(estimator.predict(X), np.full(150, 2))


def test_with_nothing_to_compare_the_shares_of_the_classes_are_predicted():
    estimator = classifier(exemplars=(X[:1], [2]), n_comparisons=30, class_weight={0: 3})
    p = estimator.fit(X, y).predict_proba(X)
    assert not estimator.coefs_[0].any()
    assert not estimator.comparison_features_.any()
    np.testing.assert_allclose(p, p[:1].repeat(150, axis=0))
    assert p[0, 0] > p[0, 1] == pytest.approx(p[0, 2])


@pytest.mark.parametrize("activation", ["step", "relu", "logistic", "tanh"])
def test_duplicate_exemplars_do_not_hurt(activation):
    points, labels = X[::15], y[::15]
    settings = {"activation": activation, "n_neighbors": 1}
    if activation != "step":
        settings["sharpness"] = 1e6
    once = classifier(exemplars=(points, labels), **settings).fit(X, y)
    twice = classifier(
        exemplars=(points.repeat(2, axis=0), labels.repeat(2)), **settings
    ).fit(X, y)
    assert all(np.isfinite(array).all() for array in parameters_of(twice))
    np.testing.assert_array_equal(once.predict(X), twice.predict(X))


@pytest.mark.parametrize("max_iter", [0, 2])
def test_exemplars_that_are_all_the_same_point(max_iter):
    points = np.tile(X[:1], (6, 1))
    estimator = classifier(exemplars=(points, [0, 0, 1, 1, 2, 2]), max_iter=max_iter)
    estimator.fit(X, y)
    assert all(np.isfinite(array).all() for array in parameters_of(estimator))
    np.testing.assert_allclose(estimator.predict_proba(X).sum(axis=1), 1)


def test_constant_features():
    estimator = classifier(max_iter=2).fit(np.ones((150, 4)), y)
    assert len(estimator.exemplars_) == 3
    assert all(np.isfinite(array).all() for array in parameters_of(estimator))


def test_given_exemplars_stay_as_they_are():
    for n_exemplars in (30, 15):  # the default, or their number
        estimator = classifier(exemplars=(X[::10], y[::10]), n_exemplars=n_exemplars)
        estimator.fit(X, y)
        np.testing.assert_array_equal(estimator.exemplars_, X[::10])
        np.testing.assert_array_equal(estimator.exemplar_labels_, y[::10])


@pytest.mark.parametrize("n_exemplars", [3, 15.0, 0.5, "auto", {0: 5, 1: 5, 2: 5}])
@pytest.mark.parametrize("init", ["metric", "random"])
def test_n_exemplars_beside_given_ones_is_an_error(init, n_exemplars):
    estimator = classifier(init, exemplars=(X[::10], y[::10]), n_exemplars=n_exemplars)
    message = re.escape(f"n_exemplars={n_exemplars!r} has no effect: exemplars are given")
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


VOTES = "has no effect: n_neighbors={} is the network that votes. Leave {} at {!r}, or "
# Parameters, and the beginning of the error.
REFUSED = [
    (
        {"sharpness": 2.0},
        "sharpness=2.0 has no effect: n_neighbors=None takes no votes. Leave ",
    ),
    (
        {"sharpness": 0.5, "n_neighbors": 3, "activation": "step", "max_iter": 0},
        "sharpness=0.5 has no effect: activation='step' is the limit. Leave ",
    ),
    *(
        (
            {"output_init": output_init, "n_neighbors": k},
            f"output_init='{output_init}' {VOTES.format(k, 'output_init', 'auto')}",
        )
        for output_init, k in [("ridge", 1), ("logistic", 2), ("norm_constrained", 1)]
    ),
    *(
        (
            {"n_comparisons": 5, "n_neighbors": k},
            f"n_comparisons=5 {VOTES.format(k, 'n_comparisons', 800)}",
        )
        for k in (1, 3)
    ),
    (
        {"pairs": "other_classes", "n_neighbors": 3},
        "pairs='other_classes' cannot count the 3 nearest, which may include several of ",
    ),
    ({"pairs": 2, "n_neighbors": 3}, "pairs=2 is less than n_neighbors=3: no exemplar "),
    (
        {"n_neighbors": 1, "tied": True, "init": ([], [])},
        "init=(coefs, intercepts) has weights of its own for each comparison: it needs ",
    ),
    *(
        (
            {name: value},
            f"{name}={value!r} has no effect: n_neighbors=None takes no votes",
        )
        for name, value in [("tied", True), ("pairs", 4), ("pairs", "other_classes")]
    ),
    *(
        (
            {"max_features": value, "metric": metric},
            f"max_features={value!r} needs a metric that is a sum over features, got ",
        )
        for value in (1, 0.5, "sqrt")
        for metric in ("mahalanobis", "cosine", PCA(2))
    ),
    ({"feature_groups": [0, 1]}, "feature_groups must have a label for each of the 4 "),
    (
        {"output_init": "logistic", "loss": "squared_error"},
        "output_init='logistic' is the regression of the log loss: it needs loss=",
    ),
]


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_parameters_without_effect_and_contradictions_are_errors(settings, message, init):
    for method, more in (("fit", {}), ("partial_fit", {"classes": [0, 1, 2]})):
        estimator = type(classifier())(**{"init": init, "max_iter": 0} | settings)
        if hasattr(estimator, method):
            with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
                getattr(estimator, method)(X, y, **more)
            assert not hasattr(estimator, "network_")


def test_a_step_is_not_trained():
    for k in (None, 1):
        estimator = classifier(activation="step", n_neighbors=k, max_iter=1)
        with pytest.raises(ValueError, match="has no gradient and cannot be trained"):
            estimator.fit(X, y)
        assert not hasattr(estimator, "partial_fit")


@pytest.mark.parametrize(
    "settings",
    [
        {"n_neighbors": 3, "sharpness": 2.0},
        {"n_neighbors": 3, "activation": "step", "sharpness": 1},
        {"n_neighbors": 1, "n_comparisons": 800, "output_init": "auto"},
        {"n_neighbors": 1, "pairs": "other_classes"},
        {"n_neighbors": 3, "pairs": 3},
        {"sharpness": np.float32(1.0), "tied": np.False_},
        {"output_init": "norm_constrained", "loss": "squared_error"},
        {"metric": "mahalanobis", "max_features": None},
    ],
    ids=str,
)
def test_neighboring_parameters_are_accepted(settings):
    estimator = classifier(**settings).fit(X, y)
    assert shapes(classifier("random", **settings).fit(X, y)) == shapes(estimator)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", "comparisons", [1]])
def test_n_neighbors_is_none_or_a_positive_integer(value):
    message = re.escape(f"n_neighbors must be None or an int >= 1, got {value!r}")
    with pytest.raises(ValueError, match=message):
        classifier(n_neighbors=value).fit(X, y)


@pytest.mark.parametrize("word", ["votes", "values", "lagrange", "none"])
def test_output_init_is_a_method_of_fitting(word):
    with pytest.raises(ValueError, match="output_init must be one of 'auto', 'ridge', "):
        classifier(output_init=word).fit(X, y)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True, "max_iter": 2}])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_exemplar_indices_are_positions_in_all_rows(container, settings):
    weights = np.where(np.arange(150) % 4 == 0, 0, 1)
    estimator = classifier(exemplars="random", **settings)
    estimator.fit(container(X), y, sample_weight=weights)
    index = estimator.exemplar_indices_
    assert len(set(index)) == 9
    np.testing.assert_array_equal(X[index], estimator.exemplars_)
    np.testing.assert_array_equal(y[index], estimator.exemplar_labels_)


@pytest.mark.parametrize("exemplars", ["kmeans", (X[::10], y[::10])])
def test_exemplars_that_are_no_rows_have_no_indices(exemplars):
    estimator = classifier(exemplars=exemplars).fit(X, y)
    with pytest.raises(AttributeError, match="are not rows of X"):
        _ = estimator.exemplar_indices_


@pytest.mark.parametrize(
    "name",
    [
        "exemplars_",
        "exemplar_labels_",
        "exemplar_indices_",
        "comparisons_",
        "comparison_features_",
        "pairs_",
    ],
)
def test_weights_that_are_not_calculated_have_no_exemplars(name):
    estimator = classifier(init="random", exemplars="random").fit(X, y)
    with pytest.raises(AttributeError, match="init='random' has no exemplars"):
        getattr(estimator, name)


@pytest.mark.parametrize("n_neighbors", [None, 1, 3])
def test_baselines_have_the_architecture_of_the_method(n_neighbors):
    calculated = classifier(n_neighbors=n_neighbors).fit(X, y)
    for init in BASELINES:
        baseline = classifier(init, n_neighbors=n_neighbors).fit(X, y)
        assert shapes(baseline) == shapes(calculated)
        assert baseline.out_activation_ == calculated.out_activation_


@pytest.mark.parametrize(("init", "value"), [("zeros", 0.0), ("ones", 1.0)])
def test_constant_weights(init, value):
    estimator = classifier(init=init).fit(X, y)
    assert all(np.all(array == value) for array in parameters_of(estimator))


@pytest.mark.parametrize("shape", [np.asarray, pd.Series, list])
def test_columns_of_one_label_are_compared_together(shape):
    groups = shape(["a", "b", "a", "b"])
    estimator = classifier(feature_groups=groups, max_features=1).fit(X, y)
    kinds = {tuple(subset) for subset in estimator.comparison_features_.tolist()}
    assert kinds == {(True, False, True, False), (False, True, False, True)}
    assert shapes(classifier("random", feature_groups=groups).fit(X, y)) == shapes(
        estimator
    )


def test_columns_of_a_one_hot_encoding_are_compared_together():
    kinds = np.random.default_rng(0).integers(3, size=150)
    features = np.column_stack([X[:, 0], np.eye(3)[kinds], X[:, 1]])
    found, given = (
        classifier(feature_groups=groups, max_features=1).fit(features, y)
        for groups in (None, [0, 1, 1, 1, 2])
    )
    subsets = found.comparison_features_
    assert (subsets[:, 1:4].all(axis=1) == subsets[:, 1:4].any(axis=1)).all()
    assert_same_network(found, given)
    assert_same_network(found, classifier(max_features=1).fit(sp.csr_array(features), y))


def test_labels_of_columns_are_as_many_as_the_columns():
    with pytest.raises(ValueError, match=r"^feature_groups must have a label for each "):
        classifier(feature_groups=[0, 1]).fit(X, y)
    names = pd.Series([0, 0, 1, 1], index=list("abdc"))
    frame = pd.DataFrame(X, columns=list("abcd"))
    with pytest.raises(ValueError, match=r"^feature_groups"):
        classifier(feature_groups=names).fit(frame, y)


def test_attributes_of_the_other_network_say_where_they_are():
    fitted, source = classifier().fit(X, y), classifier(n_neighbors=1).fit(X, y)
    assert source.pairs_.shape == (9, 8)
    with pytest.raises(AttributeError, match="comparisons_ and comparison_features_ "):
        _ = fitted.pairs_
    for name in ("comparisons_", "comparison_features_"):
        with pytest.raises(AttributeError, match=r"n_neighbors=1 compares all .* pairs_"):
            getattr(source, name)


def assert_uniform(values, bound):
    """Within the bounds, and with the mean and deviation that a uniform one has."""
    assert np.abs(values).max() <= bound
    error = bound / np.sqrt(values.size)
    assert abs(values.mean()) < 3 * error
    assert abs(values.std() - bound / np.sqrt(3)) < 3 * error


def test_uniform_weights_and_biases():
    estimator = classifier(init="uniform").fit(X, y)
    (first, *coefs), (bias, *intercepts) = estimator.coefs_, estimator.intercepts_
    first, bias = first * np.sqrt(X.var(axis=0).mean()), bias + X.mean(axis=0) @ first
    arrays = first, bias, *coefs, *intercepts
    assert_uniform(np.concatenate([a.ravel() for a in arrays]), 0.5)
    for array in (bias, *intercepts):
        assert array.std() > 0


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("he_uniform", lambda n_in, _: np.sqrt(6 / n_in)),
        ("glorot_uniform", lambda n_in, n_out: np.sqrt(6 / (n_in + n_out))),
    ],
)
def test_bounds_of_he_and_glorot(init, bound):
    """Of the first layer, for features less their mean and over their common scale."""
    estimator = classifier(init=init, n_neighbors=3).fit(X, y)
    (first, *coefs), (bias, *intercepts) = estimator.coefs_, estimator.intercepts_
    np.testing.assert_allclose(bias, -X.mean(axis=0) @ first, atol=1e-12)
    scale = np.sqrt(X.var(axis=0).mean())
    for weights in (scale * first, *coefs):
        assert_uniform(weights, bound(*weights.shape))
    for bias in intercepts:
        assert not bias.any()


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        ("relu", "he_uniform"),
        ("logistic", "glorot_uniform"),
        ("tanh", "glorot_uniform"),
    ],
)
def test_random_weights_suit_the_activation(activation, named):
    assert_same_network(
        classifier(activation=activation, init="random").fit(X, y),
        classifier(activation=activation, init=named).fit(X, y),
    )


@pytest.mark.parametrize("container", [tuple, list])
@pytest.mark.parametrize("as_given", [np.asarray, np.ndarray.tolist])
def test_given_weights_are_taken_over(as_given, container):
    rng = np.random.default_rng(0)
    sizes = [4, 72, 9, 3]
    coefs = [rng.normal(size=shape) for shape in pairwise(sizes)]
    intercepts = [rng.normal(size=n) for n in sizes[1:]]
    init = container(
        [as_given(array) for array in arrays] for arrays in (coefs, intercepts)
    )
    estimator = classifier(init=init, n_neighbors=1).fit(X, y)
    for found, given in zip(parameters_of(estimator), [*coefs, *intercepts], strict=True):
        np.testing.assert_array_equal(found, given)


@pytest.mark.parametrize("settings", [{}, {"n_neighbors": 3, "activation": "tanh"}])
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_weights_of_another_estimator_give_its_predictions(loss, settings):
    calculated = classifier(loss=loss, max_iter=2, **settings).fit(X, y)
    init = (calculated.coefs_, calculated.intercepts_)
    estimator = classifier(loss=loss, init=init, **settings).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), calculated.predict_proba(X))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.03},
        {"init": "random", "shuffle": False},
        {"exemplars": "random", "batch_size": 32, "activation": "logistic"},
        {"n_neighbors": 3, "loss": "squared_error", "batch_size": 32},
    ],
)
def test_partial_fit_is_one_more_epoch_of_fit(settings):
    max_iter = 3
    settings = {**settings, "tol": 0, "n_iter_no_change": 100}
    with pytest.warns(ConvergenceWarning, match=f"after max_iter={max_iter} "):
        fitted = classifier(max_iter=max_iter, **settings).fit(X, y)
    started = classifier(**settings).fit(X, y)
    from_nothing = classifier(**settings).partial_fit(X, y, classes=[0, 1, 2])
    for _ in range(max_iter):
        started.partial_fit(X, y)
    for _ in range(max_iter - 1):
        from_nothing.partial_fit(X, y)
    for estimator in (started, from_nothing):
        assert_same_network(estimator, fitted)
        assert estimator.loss_curve_ == fitted.loss_curve_
        assert estimator.n_iter_ == fitted.n_iter_ == max_iter
        assert estimator.t_ == fitted.t_ == max_iter * 150


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_network_that_a_user_holds_stays(solver):
    estimator = classifier(solver=solver).partial_fit(X, y, classes=[0, 1, 2])
    held = estimator.network_
    arrays = [*estimator.coefs_, *estimator.intercepts_]
    before = [array.copy() for array in arrays]
    other = deepcopy(estimator)
    for _ in range(2):
        estimator.partial_fit(X, y)
    assert estimator.network_ is not held
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
    # The optimizer state of the earlier fit has stayed as well.
    for _ in range(2):
        other.partial_fit(X, y)
    assert_same_network(other, estimator)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_leaves_the_earlier_state(solver):
    estimator = classifier(solver=solver, warm_start=True, max_iter=1)
    shallow = copying.copy(estimator.partial_fit(X, y, classes=[0, 1, 2]))
    estimator.partial_fit(X, y)
    assert_same_network(shallow.partial_fit(X, y), estimator)


def test_partial_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier(max_iter=1).partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)


def test_partial_fit_needs_classes_at_the_first_call():
    with pytest.raises(ValueError, match="classes must be passed at the first call"):
        classifier().partial_fit(X, y)


def test_partial_fit_takes_the_same_classes_only():
    estimator = classifier().partial_fit(X, y, classes=[2, 1, 0])
    estimator.partial_fit(X, y, classes=[0, 1, 2, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] must be the same"):
        estimator.partial_fit(X, y, classes=[0, 1])


def test_partial_fit_learns_a_class_that_the_first_batch_lacks():
    first = y < 2
    estimator = classifier(learning_rate_init=0.01)
    estimator.partial_fit(X[first], y[first], classes=[0, 1, 2])
    assert set(estimator.exemplar_labels_) == {0, 1}
    assert estimator.score(X[~first], y[~first]) == 0
    for _ in range(3):
        estimator.partial_fit(X, y)
    assert estimator.score(X[~first], y[~first]) > 0.8
    assert set(estimator.exemplar_labels_) == {0, 1, 2}


@pytest.mark.parametrize(
    "parameter", [{"early_stopping": True}, {"class_weight": "balanced"}]
)
def test_partial_fit_cannot_do_what_needs_all_rows(parameter):
    with pytest.raises(ValueError, match=f"does not support {next(iter(parameter))}"):
        classifier(**parameter).partial_fit(X, y, classes=[0, 1, 2])


def test_partial_fit_weighs_rows_and_classes():
    weights = np.where(y == 1, 3.0, 1.0)
    settings = {"init": "random"}
    by_row = classifier(**settings)
    by_row.partial_fit(X, y, classes=[0, 1, 2], sample_weight=weights)
    by_class = classifier(class_weight={0: 1, 1: 3, 2: 1}, **settings)
    by_class.partial_fit(X, y, classes=[0, 1, 2])
    unweighted = classifier(**settings).partial_fit(X, y, classes=[0, 1, 2])
    assert_same_network(by_row, by_class)
    assert not np.array_equal(by_row.coefs_[-1], unweighted.coefs_[-1])


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_goes_on(solver):
    settings = {"solver": solver, "tol": 0, "batch_size": 50}
    twice = classifier(warm_start=True, max_iter=3, **settings).fit(X, y)
    curve = list(twice.loss_curve_)
    twice.fit(X, y)
    at_once = classifier(max_iter=6, **settings).fit(X, y)
    assert twice.n_iter_ == 6
    assert twice.loss_curve_[:3] == curve
    assert twice.loss_curve_ == at_once.loss_curve_
    assert_same_network(twice, at_once)


@pytest.mark.parametrize("init", ["metric", "random"])
def test_fit_starts_anew_without_warm_start(init):
    estimator = classifier(init=init, max_iter=3).fit(X[::2], y[::2])
    estimator.fit(X, y)
    fresh = classifier(init=init, max_iter=3).fit(X, y)
    assert estimator.n_iter_ == 3
    assert estimator.loss_curve_ == fresh.loss_curve_
    assert_same_network(estimator, fresh)


def test_warm_start_refuses_other_labels_and_features():
    estimator = classifier(warm_start=True).fit(X[y < 2], y[y < 2])
    with pytest.raises(ValueError, match="labels"):
        estimator.fit(X, y)
    with pytest.raises(ValueError, match="3 features"):
        estimator.fit(X[:, :3], y)


def test_present_weights_cannot_be_trained_with_another_loss():
    estimator = classifier(warm_start=True).fit(X, y).set_params(loss="squared_error")
    with pytest.raises(ValueError, match="loss='squared_error'"):
        estimator.fit(X, y)


def test_training_stops_when_the_loss_stops_improving():
    # No epoch but the first, which has nothing before it, improves that much.
    settings = {"tol": 100.0, "n_iter_no_change": 2, "max_iter": 50}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = classifier(**settings).fit(X, y)
    assert estimator.n_iter_ == 4


def test_max_iter_reached_warns_at_the_line_of_the_call():
    with pytest.warns(ConvergenceWarning, match="after max_iter=2 epochs") as caught:
        classifier(max_iter=2).fit(X, y)
    assert [warning.filename for warning in caught] == [__file__]


def test_untrained_network_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = classifier(max_iter=0).fit(X, y)
    assert estimator.n_iter_ == estimator.t_ == 0
    assert estimator.loss_curve_ == []
    assert estimator.loss_ == estimator.best_loss_ == np.inf
    assert estimator.score(X, y) > 0.8


def test_early_stopping_holds_rows_out():
    settings = {"early_stopping": True, "max_iter": 4}
    estimator = classifier(validation_fraction=0.2, **settings).fit(X, y)
    assert estimator.t_ == 4 * 120
    assert len(estimator.validation_scores_) == 4
    assert len(estimator.validation_loss_curve_) == 4
    assert estimator.best_validation_score_ == max(estimator.validation_scores_)
    assert estimator.best_loss_ is None


def test_held_out_rows_are_stratified_and_never_exemplars():
    # With every training row an exemplar, the rows that are none were held out.
    features, labels = X[::3], y[::3]
    weights = np.where(np.arange(50) % 10 == 0, 0, 1)
    estimator = classifier(
        exemplars="random",
        n_exemplars=1.0,
        early_stopping=True,
        validation_fraction=0.2,
        max_iter=3,
    ).fit(features, labels, sample_weight=weights)
    held_out = np.setdiff1d(np.flatnonzero(weights), estimator.exemplar_indices_)
    assert len(held_out) == 9
    assert np.bincount(labels[held_out]).tolist() == [3, 3, 3]
    assert estimator.t_ == 3 * len(estimator.exemplar_indices_)
    score = estimator.score(features[held_out], labels[held_out])
    assert score == estimator.best_validation_score_


def fit_with_validation(max_iter=8, **settings):
    """Steps so large that the validation score goes up and down."""
    steps = {"solver": "sgd", "learning_rate_init": 1.0, "max_iter": max_iter}
    estimator = classifier(**steps, **settings)
    weights = np.where(y == 1, 3.0, 1.0)
    return estimator.fit(
        X[~HELD_OUT],
        y[~HELD_OUT],
        X_val=X[HELD_OUT],
        y_val=y[HELD_OUT],
        sample_weight_val=weights[HELD_OUT],
    ), (X[HELD_OUT], y[HELD_OUT], weights[HELD_OUT])


def weighted_log_loss(estimator, features, labels, weights):
    log_p = estimator.predict_log_proba(features)
    codes = np.searchsorted(estimator.classes_, labels)
    return np.average(-log_p[np.arange(len(codes)), codes], weights=weights)


def test_early_stopping_keeps_the_network_of_the_best_score():
    estimator, held_out = fit_with_validation(
        early_stopping=True, init="random", n_neighbors=1
    )
    scores = estimator.validation_scores_
    assert scores[-1] < max(scores)
    assert estimator.score(*held_out) == pytest.approx(estimator.best_validation_score_)
    assert estimator.best_validation_score_ == max(scores)
    assert weighted_log_loss(estimator, *held_out) == pytest.approx(
        estimator.validation_loss_curve_[np.argmax(scores)]
    )
    assert estimator.t_ == 8 * 100


def test_validation_rows_without_early_stopping_only_watch():
    estimator, held_out = fit_with_validation(7, init="random")
    scores = estimator.validation_scores_
    assert scores[-1] < max(scores)
    assert estimator.best_validation_score_ == scores[-1]
    assert estimator.score(*held_out) == pytest.approx(scores[-1])
    assert weighted_log_loss(estimator, *held_out) == pytest.approx(
        estimator.validation_loss_curve_[-1]
    )
    unwatched = classifier(
        init="random", solver="sgd", learning_rate_init=1.0, max_iter=7
    )
    assert_same_network(estimator, unwatched.fit(X[~HELD_OUT], y[~HELD_OUT]))


def test_early_stopping_without_training_holds_nothing_out():
    assert_same_network(classifier(early_stopping=True).fit(X, y), classifier().fit(X, y))


def test_early_stopping_never_goes_on_to_something_worse():
    estimator = classifier(early_stopping=True, warm_start=True, max_iter=3)
    held_out = {"X_val": X[HELD_OUT], "y_val": y[HELD_OUT]}
    estimator.fit(X[~HELD_OUT], y[~HELD_OUT], **held_out)
    best = deepcopy(estimator)
    estimator.set_params(solver="sgd", learning_rate_init=1e3)
    estimator.fit(X[~HELD_OUT], y[~HELD_OUT], **held_out)
    assert estimator.n_iter_ == 6
    assert max(estimator.validation_scores_[3:]) < best.best_validation_score_
    assert estimator.best_validation_score_ == best.best_validation_score_
    assert_same_network(estimator, best)


def test_class_weight_counts_on_validation_rows_too():
    estimator = classifier(class_weight={0: 1, 1: 4, 2: 2}, max_iter=2)
    estimator.fit(X[~HELD_OUT], y[~HELD_OUT], X_val=X[HELD_OUT], y_val=y[HELD_OUT])
    held_out = X[HELD_OUT], y[HELD_OUT], np.array([1, 4, 2])[y[HELD_OUT]]
    assert estimator.score(*held_out) == pytest.approx(estimator.validation_scores_[-1])
    assert weighted_log_loss(estimator, *held_out) == pytest.approx(
        estimator.validation_loss_curve_[-1]
    )


def test_early_stopping_keeps_a_start_that_training_does_not_reach():
    features, labels = X[HELD_OUT], y[HELD_OUT]
    start = classifier().fit(X[~HELD_OUT], y[~HELD_OUT])
    estimator, held_out = fit_with_validation(early_stopping=True)
    assert start.score(*held_out) > max(estimator.validation_scores_)
    assert estimator.n_iter_ == 8
    np.testing.assert_array_equal(estimator.predict(features), start.predict(features))
    assert_same_network(estimator, start)
    assert estimator.score(features, labels) > 0.8


@pytest.mark.parametrize("init", ["metric", "random"])
def test_early_stopping_ends_after_epochs_without_improvement(init):
    rows, held_out = (X[~HELD_OUT], y[~HELD_OUT]), (X[HELD_OUT], y[HELD_OUT])
    start = classifier(init=init).fit(*rows).score(*held_out)
    estimator = classifier(
        init=init, early_stopping=True, n_iter_no_change=3, max_iter=200
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator.fit(*rows, X_val=held_out[0], y_val=held_out[1])
    best = int(np.argmax([start, *estimator.validation_scores_]))
    assert estimator.n_iter_ == best + 3 + 1


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"X_val": X}, "y_val is missing"),
        ({"y_val": y}, "X_val is missing"),
        ({"sample_weight_val": np.ones(150)}, "X_val is missing"),
    ],
)
def test_validation_rows_come_with_their_labels(given, missing):
    with pytest.raises(ValueError, match=missing):
        classifier(max_iter=1).fit(X, y, **given)


def test_validation_rows_with_an_unknown_label():
    with pytest.raises(ValueError, match=r"y_val has labels \[3\]"):
        classifier(max_iter=1).fit(X, y, X_val=X, y_val=y + 1)


def test_validation_rows_with_other_features():
    with pytest.raises(ValueError, match="3 features"):
        classifier(max_iter=1).fit(X, y, X_val=X[:, :3], y_val=y)


@pytest.mark.parametrize("max_iter", [0, 5])
@pytest.mark.parametrize("settings", [{}, {"n_neighbors": 3}, {"activation": "logistic"}])
def test_class_weight_tilts_toward_the_heavier_class(settings, max_iter):
    features, labels = overlapping_classes((100, 100))
    shares = [
        classifier(class_weight=class_weight, max_iter=max_iter, **settings)
        .fit(features, labels)
        .predict(features)
        .mean()
        for class_weight in ({0: 5, 1: 1}, None, {0: 1, 1: 5})
    ]
    assert shares[0] < shares[1] < shares[2]


@pytest.mark.parametrize("max_iter", [0, 5])
def test_balanced_class_weight_tilts_toward_the_rarer_class(max_iter):
    features, labels = overlapping_classes((150, 30))
    plain, balanced, explicit = (
        classifier(class_weight=class_weight, max_iter=max_iter).fit(features, labels)
        for class_weight in (None, "balanced", {0: 180 / 300, 1: 180 / 60})
    )
    assert plain.predict(features).mean() < balanced.predict(features).mean()
    assert_same_network(balanced, explicit)


def test_class_weight_multiplies_the_sample_weight():
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.5, 2, 150)
    settings = {"init": "random", "max_iter": 3}
    by_both = classifier(class_weight={0: 1, 1: 4, 2: 2}, **settings)
    by_row = classifier(**settings)
    assert_same_network(
        by_both.fit(X, y, weights), by_row.fit(X, y, weights * np.array([1, 4, 2])[y])
    )


def test_sample_weight_may_be_one_number_for_all_rows():
    settings = {"max_iter": 2}
    assert_same_network(
        classifier(**settings).fit(X, y, sample_weight=2.0),
        classifier(**settings).fit(X, y, sample_weight=np.full(150, 2.0)),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_keeps_the_last_weights_of_finite_loss(dtype):
    features = X.astype(dtype)
    settings = {"solver": "sgd", "learning_rate_init": 1e100, "batch_size": 200}
    with pytest.warns(
        ConvergenceWarning, match=r"smaller learning_rate_init \(it was 1e\+100\)"
    ):
        diverged = classifier(max_iter=50, **settings).fit(features, y)
    assert 0 < diverged.n_iter_ < 50
    assert all(np.isfinite(array).all() for array in parameters_of(diverged))
    assert np.isfinite(diverged.predict_log_proba(features)).all()
    assert np.isfinite(diverged.loss_curve_).all()
    # And what is kept is no worse than the start.
    losses = [
        log_loss(y, model.predict_proba(features))
        for model in (diverged, classifier().fit(features, y))
    ]
    assert losses[0] <= losses[1] + 1e-6


def test_divergence_with_early_stopping_keeps_the_best_network():
    settings = {"solver": "sgd", "learning_rate_init": 1e100, "batch_size": 200}
    estimator = classifier(
        max_iter=50, n_iter_no_change=50, early_stopping=True, **settings
    )
    with pytest.warns(ConvergenceWarning, match="stopped being finite"):
        estimator.fit(X[~HELD_OUT], y[~HELD_OUT], X_val=X[HELD_OUT], y_val=y[HELD_OUT])
    start = classifier().fit(X[~HELD_OUT], y[~HELD_OUT]).score(X[HELD_OUT], y[HELD_OUT])
    best = max(start, *estimator.validation_scores_)
    assert estimator.score(X[HELD_OUT], y[HELD_OUT]) == pytest.approx(best)


@cache
def fit_interrupted(n_steps, **settings):
    """Interrupt training after so many steps, three of which are an epoch."""
    estimator = classifier(max_iter=10, batch_size=50, **settings)
    epoch = n_steps // 3 + 1
    with (
        training_raises(KeyboardInterrupt, n_steps),
        pytest.warns(UserWarning, match=f"interrupted in epoch {epoch}"),
    ):
        return estimator.fit(X, y)


@pytest.mark.parametrize("n_steps", [0, 1, 4, 7])
@pytest.mark.parametrize(("early_stopping", "n_rows"), [(False, 150), (True, 135)])
def test_interrupt_leaves_a_usable_estimator(early_stopping, n_rows, n_steps):
    settings = {"early_stopping": early_stopping}
    start = fit_interrupted(0, **settings)
    estimator = fit_interrupted(n_steps, **settings)
    n_epochs, more_steps = divmod(n_steps, 3)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == n_epochs
    assert estimator.t_ == n_epochs * n_rows + more_steps * 50
    assert estimator.score(X, y) > 0.8
    moved = not np.array_equal(estimator.coefs_[0], start.coefs_[0])
    # The validation rows prefer the start to what the first epochs make of it.
    assert moved == (n_steps > 0 and not early_stopping)


def test_interrupted_training_can_go_on():
    estimator = deepcopy(fit_interrupted(4, warm_start=True)).set_params(max_iter=3)
    estimator.fit(X, y)
    assert estimator.n_iter_ == 4
    assert estimator.loss_curve_[-1] < estimator.loss_curve_[0]


def with_nan():
    features = np.array(X)
    features[3, 1] = np.nan
    return features


# What fails: parameters, X, y and what the error says.
FAILURES = {
    "bad parameter": ({"alpha": -1}, X, y, "alpha"),
    "bad layer rates": ({"learning_rate_init": (1, 2, 3)}, X, y, "learning_rate_init"),
    "not a number": ({"metric": "cosine"}, with_nan(), y, "missing values"),
    "lengths differ": ({}, X, y[1:], "inconsistent numbers of samples"),
    "continuous labels": ({}, X, X[:, 0], "continuous"),
    "no rows": ({}, X[:0], y[:0], "0 sample"),
}
START_FAILURES = {
    "exemplars of other features": (
        {"exemplars": (X[:3, :2], y[:3]), "n_exemplars": 3}, X, y, "points of 4 features"
    ),
    "exemplars of unknown labels": (
        {"exemplars": (X[:1], [9]), "n_exemplars": 30}, X, y, "labels .9."
    ),
    "weights of other shapes": ({"init": ([X], [y])}, X, y, "init"),
    "too many neighbors": ({"n_neighbors": 10}, X, y, "n_neighbors"),
    "hold out too little": (
        {"early_stopping": True, "validation_fraction": 0.001, "max_iter": 1},
        X, y, "validation_fraction|early_stopping",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    return classifier(max_iter=1).fit(X, y)


@pytest.mark.parametrize("failure", FAILURES | START_FAILURES)
def test_failing_fit_leaves_a_fitted_estimator_as_it_was(failure, trained):
    parameters, features, labels, message = (FAILURES | START_FAILURES)[failure]
    estimator = deepcopy(trained)
    with unchanged(estimator, parameters), pytest.raises(ValueError, match=message):
        estimator.fit(features, labels)


@pytest.mark.parametrize("failure", FAILURES)
def test_failing_partial_fit_leaves_a_fitted_estimator_as_it_was(failure, trained):
    parameters, features, labels, message = FAILURES[failure]
    estimator = deepcopy(trained)
    with unchanged(estimator, parameters), pytest.raises(ValueError, match=message):
        estimator.partial_fit(features, labels)


# Three steps are an epoch; partial_fit has no second one.
@pytest.mark.parametrize(("method", "n_steps"), [("fit", 4), ("partial_fit", 2)])
def test_error_in_the_middle_of_training_leaves_the_estimator_as_it_was(method, n_steps):
    estimator = classifier(max_iter=3, batch_size=50, warm_start=True).fit(X, y)
    twin = deepcopy(estimator)
    with (
        training_raises(MemoryError, n_steps),
        unchanged(estimator, {}),
        pytest.raises(MemoryError),
    ):
        getattr(estimator, method)(X, y)
    assert_same_network(estimator.partial_fit(X, y), twin.partial_fit(X, y))
    assert estimator.loss_curve_ == twin.loss_curve_
    assert estimator.t_ == twin.t_


@contextmanager
def unchanged(estimator, parameters):
    """Check that a fitted estimator is, has and predicts the same afterwards."""
    p = estimator.predict_proba(X)
    arrays = [array.copy() for array in parameters_of(estimator)]
    curve = list(estimator.loss_curve_)
    estimator.set_params(**parameters)
    before = dict(vars(estimator))
    yield
    after = vars(estimator)
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    assert estimator.loss_curve_ == curve
    for array, copy in zip(parameters_of(estimator), arrays, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(estimator.predict_proba(X), p)


@pytest.mark.parametrize("failure", FAILURES | START_FAILURES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_failing_first_call_leaves_the_estimator_unfitted(failure, method):
    parameters, features, labels, message = (FAILURES | START_FAILURES)[failure]
    estimator = classifier(**parameters)
    before = dict(vars(estimator))
    classes = {} if method == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(ValueError, match=message):
        getattr(estimator, method)(features, labels, **classes)
    assert vars(estimator) == before
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@pytest.mark.parametrize(
    ("form", "n_layers"),
    [({}, 2), ({"n_neighbors": 1}, 3), ({"n_neighbors": 3}, 4)],
)
def test_layers_learn_at_their_own_rates(form, n_layers):
    settings = {"alpha": 0.01, **form}
    start = classifier(**settings).fit(X, y)
    for layer in range(n_layers):
        # A step of 1e-300 is lost against any weight that is not zero.
        rates = [1e-300] * n_layers
        rates[layer] = 1e-4
        estimator = classifier(learning_rate_init=rates, max_iter=2, **settings)
        estimator.fit(X, y)
        moved = [
            not np.allclose(a, b, rtol=1e-12, atol=1e-12)
            for a, b in zip(estimator.coefs_, start.coefs_, strict=True)
        ]
        assert moved == [i == layer for i in range(n_layers)]


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_same_rate_for_each_layer_is_one_rate(solver):
    settings = {"solver": solver, "max_iter": 2}
    assert_same_network(
        classifier(learning_rate_init=1e-4, **settings).fit(X, y),
        classifier(learning_rate_init=(1e-4, 1e-4), **settings).fit(X, y),
    )


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("linear", [1, 3 / 4, 2 / 4, 1 / 4]),
        ("invscaling", [1, 151**-0.5, 301**-0.5, 451**-0.5]),
    ],
)
def test_schedules_lower_the_learning_rate_from_epoch_to_epoch(solver, schedule, shares):
    settings = {"solver": solver, "shuffle": False, "tol": 0}
    falling = classifier(
        learning_rate=schedule, learning_rate_init=1e-3, max_iter=4, **settings
    ).fit(X, y)
    expected = classifier(**settings).fit(X, y)
    for share in shares:
        expected.set_params(learning_rate_init=share * 1e-3).partial_fit(X, y)
    assert_nearly_same_network(falling, expected)


@pytest.mark.parametrize("schedule", ["linear", "adaptive"])
def test_partial_fit_lowers_the_learning_rate_by_invscaling_only(schedule):
    plain, other = (
        classifier(learning_rate=schedule, tol=1e3, n_iter_no_change=1).fit(X, y)
        for schedule in ("constant", schedule)
    )
    for _ in range(5):
        assert_same_network(plain.partial_fit(X, y), other.partial_fit(X, y))


# --- learning rates that change, beside scikit-learn's own network ---


HIDDEN = 10


def networks_of_the_same_weights(**settings):
    """Return scikit-learn's network and ours, with the same weights before training."""
    settings = {
        "solver": "sgd",
        "shuffle": False,
        "batch_size": 40,
        "alpha": 0.01,
    } | settings
    settings |= {"random_state": 0}
    still = MLPClassifier(
        HIDDEN, **settings | {"learning_rate_init": 1e-300, "max_iter": 1}
    ).partial_fit(X, y, classes=[0, 1, 2])
    init = still.coefs_, still.intercepts_
    form = {"n_comparisons": HIDDEN, "n_conjunctions": 0}
    return MLPClassifier(HIDDEN, **settings), classifier(init, **form, **settings)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": "invscaling", "learning_rate_init": 0.5, "max_iter": 12},
        {"learning_rate": "invscaling", "power_t": 0.2, "momentum": 0.5, "max_iter": 12},
        {
            "learning_rate": "adaptive",
            "learning_rate_init": 0.3,
            "tol": 0.02,
            "n_iter_no_change": 2,
            "nesterovs_momentum": False,
            "max_iter": 60,
        },
    ],
    ids=str,
)
def test_losses_are_those_of_scikit_learns_own_network(settings, activation):
    theirs, ours = networks_of_the_same_weights(activation=activation, **settings)
    theirs.fit(X, y)
    ours.fit(X, y)
    assert len(ours.loss_curve_) > 10
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-8, atol=1e-12
    )


def test_adaptive_training_ends_once_the_rate_is_at_most_a_millionth():
    settings = {"learning_rate": "adaptive", "tol": 1e3, "n_iter_no_change": 1}
    # Every epoch after the first is stale, so every second one ends the patience.
    for rate, n_cuts in ((1e-3, 5), (2e-6, 1), (1e-6, 0)):
        theirs, ours = networks_of_the_same_weights(
            learning_rate_init=rate, **settings, max_iter=50
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ours.fit(X, y)
        assert ours.n_iter_ == theirs.fit(X, y).n_iter_ == 1 + 2 * (n_cuts + 1)
        assert rate * 5.0**-n_cuts <= 1e-6
    # The highest of the rates of the layers decides.
    ours.set_params(learning_rate_init=(1e-9, 1e-3), **settings, max_iter=50).fit(X, y)
    assert ours.n_iter_ == 13


def test_adaptive_training_with_adam_goes_on_at_lower_rates():
    settings = {"tol": 1e3, "n_iter_no_change": 1, "shuffle": False}
    falling = classifier(learning_rate="adaptive", max_iter=5, **settings).fit(X, y)
    expected = classifier(**settings).fit(X, y)
    for cuts in (0, 0, 0, 1, 1):
        rate = 3e-4 * 5.0**-cuts
        expected.set_params(learning_rate_init=rate).partial_fit(X, y)
    assert_nearly_same_network(falling, expected)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_invscaling_goes_on_in_partial_fit(solver):
    settings = {"learning_rate": "invscaling", "learning_rate_init": 0.1, "tol": 0}
    theirs, ours = networks_of_the_same_weights(solver=solver, **settings)
    at_once = clone(ours).set_params(max_iter=4).fit(X, y)
    for _ in range(4):
        ours.partial_fit(X, y, classes=[0, 1, 2])
        theirs.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_allclose(ours.loss_curve_, at_once.loss_curve_, rtol=1e-12)
    assert_nearly_same_network(ours, at_once)
    if solver == "sgd":
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
    constant = clone(at_once).set_params(learning_rate="constant").fit(X, y)
    assert constant.loss_curve_[0] == at_once.loss_curve_[0]
    assert abs(constant.loss_curve_[-1] / at_once.loss_curve_[-1] - 1) > 1e-3


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 3e-4),
        ({"output_init": "logistic"}, 3e-4),
        ({"output_init": "norm_constrained"}, 1e-3),
        ({"n_neighbors": 1}, 1e-3),
        ({"init": "random"}, 1e-3),
    ],
)
def test_a_fitted_output_is_trained_at_a_gentler_rate(settings, rate):
    settings = {**settings, "max_iter": 2}
    assert_same_network(
        classifier(**settings).fit(X, y),
        classifier(learning_rate_init=rate, **settings).fit(X, y),
    )


@pytest.mark.parametrize(
    ("form", "n_layers"),
    [({}, 2), ({"n_neighbors": 1}, 3), ({"n_neighbors": 3}, 4)],
)
@pytest.mark.parametrize("n_rates", [0, 1, 5])
def test_count_of_layer_rates(n_rates, form, n_layers):
    rates = (0.01,) * n_rates
    estimator = classifier(learning_rate_init=rates, **form)
    with pytest.raises(ValueError, match=f"learning_rate_init .* the {n_layers} layers"):
        estimator.fit(X, y)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_every_row_is_seen_in_each_epoch_whatever_the_batch_size(batch_size):
    rows = X[::2], y[::2]
    estimator = classifier(batch_size=batch_size, max_iter=2).fit(*rows)
    start = classifier().fit(*rows)
    assert estimator.t_ == 150
    assert estimator.score(X, y) > 0.8
    assert not np.array_equal(estimator.coefs_[0], start.coefs_[0])


@pytest.mark.parametrize(("n", "size"), [(300, 32), (3200, 50), (15_000, 200)])
def test_auto_batch_size_is_a_share_of_the_rows(n, size):
    features, labels = overlapping_classes((n // 2, n // 2))
    assert_same_network(
        classifier(max_iter=1).fit(features, labels),
        classifier(max_iter=1, batch_size=size).fit(features, labels),
    )


def test_verbose_prints_a_line_for_each_epoch(capsys):
    estimator = classifier(max_iter=3, verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"Epoch {epoch}, loss = {loss:.8f}"
        for epoch, loss in enumerate(estimator.loss_curve_, start=1)
    ]


def test_verbose_prints_the_validation_score(capsys):
    estimator = classifier(max_iter=3, verbose=True, early_stopping=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("validation score = ")[2] for line in lines] == [
        f"{score:f}" for score in estimator.validation_scores_
    ]


def test_silent_unless_verbose(capsys):
    classifier(max_iter=3).fit(X, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("settings", [{}, {"init": "random"}, {"solver": "sgd"}])
def test_pickle_predicts_and_trains_on_as_the_original(settings):
    estimator = classifier(max_iter=2, batch_size=50, **settings).fit(X, y)
    copy = pickle.loads(pickle.dumps(estimator))  # noqa: S301 - made just now
    np.testing.assert_array_equal(copy.predict_proba(X), estimator.predict_proba(X))
    assert_same_network(copy.partial_fit(X, y), estimator.partial_fit(X, y))
    assert copy.loss_curve_ == estimator.loss_curve_


@pytest.mark.parametrize(
    "settings",
    [
        {"n_exemplars": {0: 1, 1: 2, 2: 3}, "class_weight": {0: 1, 1: 2, 2: 3}},
        {"exemplars": (X[::10], y[::10]), "learning_rate_init": (0.1, 0.01)},
        {"init": ([X[:3], X], [y, y])},
    ],
)
def test_clone_is_unfitted_and_has_the_same_parameters(settings):
    estimator = classifier(**settings)
    if "init" not in settings:
        estimator.fit(X, y)
    copy = clone(estimator)
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)
    for name, value in estimator.get_params().items():
        assert repr(copy.get_params()[name]) == repr(value)
    if "init" not in settings:
        assert_same_network(copy.fit(X, y), estimator)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("activation", "tanh"),
        ("loss", "squared_error"),
        ("n_neighbors", 1),
        ("n_neighbors", 3),
        ("n_comparisons", 801),
        ("n_conjunctions", 0),
        ("max_features", None),
        ("max_features", 1.0),
        ("feature_groups", [0, 0, 1, 1]),
    ],
)
def test_a_network_is_not_gone_on_with_as_another_one(name, value):
    fitted = type(classifier())(warm_start=True, max_iter=0, random_state=0).fit(X, y)
    before = fitted.predict_proba(X)
    fitted.set_params(**{name: value, "max_iter": 1})
    for learn in (fitted.fit, fitted.partial_fit):
        message = re.escape(f"{name}={value!r} does not go with")
        with pytest.raises(ValueError, match=message):
            learn(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_an_unknown_label_is_named():
    fitted = classifier().fit(X[y < 2], y[y < 2])
    with pytest.raises(ValueError, match=r"y has labels \[2\] .* among \[0, 1\]"):
        fitted.partial_fit(X, y)


def test_balanced_weights_count_weights_not_rows():
    weights = np.where(y == 0, 2.0, 1.0)
    repeated = np.repeat(np.arange(150), weights.astype(int))
    settings = {"class_weight": "balanced", "max_iter": 0}
    assert_same_network(
        classifier(**settings).fit(X, y, sample_weight=weights),
        classifier(**settings).fit(X[repeated], y[repeated]),
    )


def test_warm_start_holds_the_same_rows_out():
    settings = {"early_stopping": True, "max_iter": 1, "exemplars": "random"}
    clf = classifier(warm_start=True, **settings).fit(X, y)
    scores = list(clf.validation_scores_)
    clf.set_params(learning_rate_init=1e-12).fit(X, y)
    # The network hardly moved, so on the same rows its score is the same.
    assert clf.validation_scores_ == [*scores, scores[-1]]


def test_data_too_large_for_distances_are_refused():
    with pytest.raises(ValueError, match=r"values of up to .* scale (its|the) features"):
        classifier().fit(X * 1e200, y)


def test_weights_before_a_step_are_not_kept():
    estimator = classifier(max_iter=0).fit(X, y)
    before = weakref.ref(estimator.coefs_[0])
    estimator.partial_fit(X, y)
    gc.collect()
    assert before() is None
