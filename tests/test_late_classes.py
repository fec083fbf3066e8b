"""Classes that the first rows lack, and that come with later ones."""

from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp._data import TrainingData
from skmetricmlp.initialization import NetworkConfig, initial_state, with_new_classes

LATE = [3, 5]
CLASSES = np.arange(6)
FORMS = [
    {},
    {"output_init": "logistic"},
    {"loss": "squared_error"},
    {"n_neighbors": 1},
    {"n_neighbors": 1, "activation": "tanh"},
    {"n_neighbors": 3},
    {"n_neighbors": 3, "activation": "logistic"},
    {"n_conjunctions": 3, "n_comparisons": 60},
    {"max_features": None, "activation": "tanh"},
    {"n_neighbors": 1, "tied": True, "pairs": 8, "n_exemplars": 36},
    {"n_neighbors": 1, "pairs": "other_classes"},
    {"tied": True, "n_neighbors": 1, "pairs": 12},
    {"tied": True, "n_neighbors": 1, "activation": "tanh"},
]


def name_of(settings):
    return "-".join(str(value) for value in settings.values()) or "default"


def digits():
    X, y = load_digits(n_class=len(CLASSES), return_X_y=True)
    return train_test_split(X / 16, y, train_size=600, random_state=0, stratify=y)


X, X_test, y, y_test = digits()
EARLY = np.flatnonzero(~np.isin(y, LATE))[:200]
REST = np.setdiff1d(np.arange(len(y)), EARLY)


def classifier(init="metric", **settings):
    if settings.get("n_neighbors") is None:
        settings = {"n_comparisons": 100} | settings
    settings = {"n_exemplars": 18, "random_state": 0} | settings
    return MetricInitMLPClassifier(init, **settings)


@cache
def _started(settings):
    return classifier(**dict(settings)).partial_fit(X[EARLY], y[EARLY], classes=CLASSES)


def started(settings):
    """Return a network that has had no row of the late classes."""
    return deepcopy(_started(tuple(settings.items())))


def epochs(clf, n):
    for _ in range(n):
        for rows in (*np.array_split(REST, 4), EARLY):
            clf.partial_fit(X[rows], y[rows])
    return clf


def recalls(clf):
    """Mean recall of the late and of the other classes."""
    recall = recall_score(y_test, clf.predict(X_test), average=None)
    return recall[LATE].mean(), np.delete(recall, LATE).mean()


@pytest.mark.parametrize("settings", FORMS, ids=name_of)
def test_a_late_class_is_not_predicted_before_its_rows_come(settings):
    clf = started(settings)
    p = clf.predict_proba(X_test)
    assert np.isfinite(clf.predict_log_proba(X_test)).all()
    assert p[:, LATE].max() < 0.2
    assert p[np.ix_(~np.isin(y_test, LATE), LATE)].mean() < 0.01
    assert not np.isin(clf.predict(X_test), LATE).any()
    assert not np.isin(clf.exemplar_labels_, LATE).any()


@pytest.mark.parametrize("settings", FORMS, ids=name_of)
def test_a_late_class_is_learned_as_well_as_the_others(settings):
    settings = settings | {"batch_size": 200}
    late = started(settings)
    # The same rows in the same steps, but the first batch has all classes.
    mixed = classifier(**settings)
    mixed.partial_fit(X[REST[:200]], y[REST[:200]], classes=CLASSES)
    of_late, of_others = recalls(epochs(late, 4))
    assert of_late > 0.88
    assert of_others > 0.93
    assert of_late > recalls(epochs(mixed, 4))[0] - 0.05
    assert set(late.exemplar_labels_) == set(CLASSES)


def test_random_weights_of_the_same_form_learn_it_no_better():
    calculated, random = (
        epochs(classifier(init).partial_fit(X[EARLY], y[EARLY], classes=CLASSES), 2)
        for init in ("metric", "random")
    )
    assert recalls(calculated)[0] > recalls(random)[0]


@pytest.mark.parametrize("settings", [{}, {"n_neighbors": 3}], ids=name_of)
def test_classes_may_come_one_after_the_other(settings):
    clf = classifier(n_exemplars=30, **settings)
    for label in CLASSES:
        clf.partial_fit(X[y == label], y[y == label], classes=CLASSES)
    # Thirty of the first class, then for each a sixth of the exemplars so far.
    assert np.bincount(clf.exemplar_labels_).tolist() == [30, 5, 5, 6, 7, 8]
    assert epochs(clf, 4).score(X_test, y_test) > 0.93


def grow(settings, noise=0.0):
    """Start without the late classes, train it, or as good as that, and add them."""
    parameters = {"n_neighbors": None, "output_init": "auto"}
    parameters |= {"n_exemplars": 12} | settings
    config = NetworkConfig.resolved(init="metric", **parameters)
    rng = np.random.RandomState(0)
    early, rest = (
        TrainingData(X[rows], y[rows], np.ones(len(rows))) for rows in (EARLY, REST)
    )
    start = initial_state(config, early, early.y, CLASSES, solver="adam", rng=rng)
    trained = [p + noise * rng.normal(size=p.shape) for p in start.network.parameters]
    start = replace(start, network=start.network.with_parameters(trained))
    n = len(CLASSES)
    return start, with_new_classes(start, rest, n, config, solver="adam", rng=rng)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    ("n_neighbors", "pairs"),
    [(k, pairs) for k in (1, 3) for pairs in ("all", 11, 99)] + [(1, "other_classes")],
)
def test_the_step_network_is_still_the_nearest_neighbors_classifier(
    n_neighbors, tied, pairs
):
    settings = {"activation": "step", "n_neighbors": n_neighbors}
    _, grown = grow({**settings, "tied": tied, "pairs": pairs})
    exemplars = grown.exemplars
    oracle = KNeighborsClassifier(n_neighbors).fit(exemplars.points, exemplars.codes)
    predicted = grown.network.forward(X_test).argmax(axis=1)
    np.testing.assert_array_equal(predicted, oracle.predict(X_test))
    assert np.isin(predicted, LATE).any()
    if n_neighbors == 1:  # a vote for one class counts as much as one for another
        bias = grown.network.layers[-1].bias
        np.testing.assert_allclose(bias, bias[0])


@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize("activation", ["logistic", "tanh"])
def test_a_sharp_network_is_nearly_that(activation, n_neighbors):
    settings = {"activation": activation, "n_neighbors": n_neighbors, "sharpness": 1e3}
    _, grown = grow(settings)
    exemplars = grown.exemplars
    oracle = KNeighborsClassifier(n_neighbors).fit(exemplars.points, exemplars.codes)
    predicted = grown.network.affine_output(X_test).argmax(axis=1)
    assert np.mean(predicted == oracle.predict(X_test)) > 0.99


@pytest.mark.parametrize("output_init", ["ridge", "logistic"])
@pytest.mark.parametrize("n_conjunctions", [0, 1, 3])
def test_the_outputs_of_the_other_classes_stay_as_they_were(output_init, n_conjunctions):
    settings = {"output_init": output_init, "n_conjunctions": n_conjunctions}
    settings["n_comparisons"] = 100
    others = np.setdiff1d(CLASSES, LATE)
    for noise in (0.01, 0.0):
        start, grown = grow(settings, noise)
        before, after = (s.network.affine_output(X_test) for s in (start, grown))
        np.testing.assert_allclose(after[:, others], before[:, others], atol=1e-9)
    # Before any step, and though no other output makes room for them.
    found = after.argmax(axis=1)[np.isin(y_test, LATE)]
    assert np.isin(found, LATE).mean() > 0.4


def test_nothing_changes_where_no_row_is_of_a_late_class():
    clf = started({})
    shapes = [coef.shape for coef in clf.coefs_]
    clf.partial_fit(X[EARLY], y[EARLY])
    assert [coef.shape for coef in clf.coefs_] == shapes


def test_exemplars_that_are_given_are_not_added_to():
    given = X[EARLY[:40]], y[EARLY[:40]]
    clf = MetricInitMLPClassifier(exemplars=given, n_comparisons=9, random_state=0)
    clf.partial_fit(X[EARLY], y[EARLY], classes=CLASSES).partial_fit(X[REST], y[REST])
    assert clf.n_exemplars_ == 40


@pytest.mark.parametrize("groups", [None, [*"aabbbbcd"]], ids=["found", "given"])
def test_columns_of_one_feature_stay_together(groups):
    rng = np.random.default_rng(0)
    kinds, labels = rng.integers(4, size=(2, 300))
    encoded = np.eye(2)[labels % 2], np.eye(4)[kinds], rng.normal(size=(300, 2))
    features = np.column_stack(encoded)
    clf = classifier(n_comparisons=40, feature_groups=groups, max_features=1)
    clf.partial_fit(features[labels < 3], labels[labels < 3], classes=[0, 1, 2, 3])
    clf.partial_fit(features, labels)
    subsets = clf.comparison_features_
    assert len(subsets) > 40
    for columns in (slice(0, 2), slice(2, 6)):
        together = subsets[:, columns]
        assert (together.all(axis=1) == together.any(axis=1)).all()
    assert (subsets.sum(axis=1) <= 4).all()


def test_sparse_rows_of_single_precision_and_an_explanation():
    dense, sparse = (
        classifier()
        .partial_fit(make(X[EARLY]), y[EARLY], classes=CLASSES)
        .partial_fit(make(X[REST]), y[REST])
        for make in (
            lambda a: a.astype(np.float32),
            lambda a: sp.csr_array(a, dtype="f4"),
        )
    )
    assert sparse.coefs_[0].dtype == np.float32
    assert sparse.coefs_[0].shape == dense.coefs_[0].shape
    assert sparse.score(X_test, y_test) > 0.93
    explained = dense.explain(X_test[y_test == 5], n_nearest=1)
    assert (explained["label"] == 5).mean() > 0.8
