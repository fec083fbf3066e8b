"""What may change between calls that go on from the present weights, and what may not."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)

X, y = (array[::2] for array in load_iris(return_X_y=True))
POINTS, LABELS = X[::9], y[::9]  # nine of them
LINE, WAVE = X[:, :1], np.sin(X[:, 0])


def own_metric(points, scale=1.0):
    """Squared Euclidean distances, up to a term of the row."""
    return -2.0 * scale * points, scale * (points**2).sum(axis=1)


def other_metric(points, scale=1.0):
    """The same, as another function."""
    return own_metric(points, scale)


COMMON = {"n_exemplars": 9, "max_iter": 0, "random_state": 0}
COMMON |= {"learning_rate": "constant", "trained_share": 1.0}


def classifier(**settings):
    return MetricInitMLPClassifier(**COMMON | settings)


def regressor(**settings):
    return MetricInitMLPRegressor(**COMMON | settings)


def basis(**settings):
    return BasisInitMLPRegressor(
        **{"max_iter": 0, "solver": "adam", "random_state": 0} | settings
    )


def of_kind(make):
    """Rows and targets of an estimator."""
    return (X, y) if make is classifier else (LINE, WAVE) if make is basis else (X, WAVE)


def gone_on_with(estimator, method, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(estimator, method)(*data)


OF_BOTH = [
    ({}, {"init": "random"}, "init='random'", "'metric'"),
    ({}, {"n_exemplars": 20}, "n_exemplars=20", "9"),
    ({"n_exemplars": 1}, {"n_exemplars": 1.0}, r"n_exemplars=1\.0", "1"),
    ({}, {"n_exemplars": "auto"}, "n_exemplars='auto'", "9"),
    ({}, {"exemplars": "random"}, "exemplars='random'", "'kmeans'"),
    ({}, {"exemplars": (POINTS, LABELS)}, r"exemplars=\(an array of", "'kmeans'"),
    ({}, {"metric": "mahalanobis"}, "metric='mahalanobis'", "'auto'"),
    ({}, {"categorical_features": [0]}, r"categorical_features=\[0\]", "'from_dtype'"),
    ({"metric": own_metric}, {"metric": other_metric}, "metric=", "<function own_metric"),
    ({"metric": PCA(2)}, {"metric": PCA(3)}, "metric=PCA", "PCA"),
    (
        {"metric": "seuclidean", "metric_params": {"V": [1.0, 2.0, 3.0, 4.0]}},
        {"metric_params": {"V": [1.0, 2.0, 3.0, 5.0]}},
        "metric_params=.*5.0",
        "4.0",
    ),
    ({"n_neighbors": 1}, {"n_neighbors": 3}, "n_neighbors=3", "1"),
    ({}, {"n_neighbors": 1}, "n_neighbors=1", "None"),
    ({}, {"activation": "tanh"}, "activation='tanh'", "'relu'"),
    ({"n_neighbors": 1}, {"sharpness": 2.0}, r"sharpness=2\.0", r"1\.0"),
    (
        {},
        {"output_init": "norm_constrained"},
        "output_init='norm_constrained'",
        r"'auto' \('ridge'\)",
    ),
    ({}, {"n_comparisons": 5}, "n_comparisons=5", "800"),
    ({}, {"n_conjunctions": 0}, "n_conjunctions=0", "1"),
    ({"max_features": 1}, {"max_features": 1.0}, r"max_features=1\.0", "1"),
    ({}, {"feature_groups": [0, 0, 1, 1]}, "feature_groups=", "None"),
    ({"n_neighbors": 1}, {"tied": True}, "tied=True", "False"),
    ({"n_neighbors": 1}, {"pairs": 4}, "pairs=4", "'all'"),
]
PAIR = ([np.eye(4, 3), np.ones((3, 3))], [np.zeros(3), np.zeros(3)])
OTHER = ([np.eye(4, 3), np.ones((3, 3))], [np.zeros(3), np.ones(3)])
SMALL = {"n_comparisons": 3, "n_conjunctions": 0}
OTHERS = [
    (classifier, {}, {"loss": "squared_error"}, "loss='squared_error'", "'log_loss'"),
    (
        classifier,
        {"n_neighbors": 1},
        {"pairs": "other_classes"},
        "pairs='other_classes'",
        "'all'",
    ),
    (classifier, {}, {"n_exemplars": {0: 2, 1: 3, 2: 4}}, "n_exemplars={0: 2", "9"),
    (
        classifier,
        {"exemplars": (POINTS, LABELS)},
        {"exemplars": (POINTS + 1e-9, LABELS)},
        "exemplars=",
        "another one",
    ),
    (
        classifier,
        {"exemplars": (POINTS, LABELS)},
        {"exemplars": (POINTS, LABELS[::-1])},
        "exemplars=",
        "another one",
    ),
    (classifier, {"init": PAIR, **SMALL}, {"init": "random"}, "init='random'", "array"),
    (classifier, {"init": PAIR, **SMALL}, {"init": OTHER}, "init=", "another"),
    (basis, {}, {"init": "random"}, "init='random'", "'basis'"),
    (basis, {}, {"degree": 2}, "degree=2", "8"),
    (basis, {}, {"n_parts": 3}, "n_parts=3", "1"),
    (basis, {}, {"domain": [[0.0, 20.0]]}, r"domain=\[\[0\.0, 20\.0\]\]", "'auto'"),
]
CASES = [(make, *case) for make in (classifier, regressor) for case in OF_BOTH] + OTHERS


@pytest.mark.parametrize(("make", "first", "change", "name", "earlier"), CASES)
def test_a_network_stays_what_it_was_made_as(make, first, change, name, earlier):
    data = of_kind(make)
    if (
        "exemplars" in change
        and make is regressor
        and not isinstance(change["exemplars"], str)
    ):
        change = {"exemplars": (POINTS, LABELS.astype(float))}
    estimator = make(warm_start=True, **first).fit(*data)
    before = estimator.predict(data[0])
    estimator.set_params(**change)
    expected = f"{name}.* does not go with the network, which was fitted with .*{earlier}"
    for method in (estimator.fit, estimator.partial_fit):
        with pytest.raises(ValueError, match=expected):
            method(*data)
    np.testing.assert_array_equal(estimator.predict(data[0]), before)
    # Without a warm start all may change, and the values as they were go on.
    estimator.set_params(**{k: make(**first).get_params()[k] for k in change})
    for method in ("fit", "partial_fit"):
        gone_on_with(estimator, method, data)
    assert clone(estimator).set_params(**change, warm_start=False).fit(*data)


SAME = [
    (classifier, {}, {"n_exemplars": np.int64(9)}),
    (classifier, {"n_exemplars": 0.1}, {"n_exemplars": np.float64(0.1)}),
    (
        classifier,
        {"n_exemplars": {0: 2, 1: 3, 2: 4}},
        {"n_exemplars": {2: 4, 1: 3, 0: np.int64(2)}},
    ),
    (classifier, {"n_exemplars": "auto"}, {"n_exemplars": "auto"}),
    (classifier, {}, {"sharpness": 1}),
    (classifier, {}, {"n_comparisons": np.int64(800)}),
    (
        classifier,
        {"feature_groups": [0, 0, 1, 2]},
        {"feature_groups": np.array([0, 0, 1, 2])},
    ),
    (classifier, {}, {"output_init": "ridge"}),
    (classifier, {"n_neighbors": 3}, {"n_neighbors": np.int64(3)}),
    (classifier, {}, {"metric_params": {}}),
    (classifier, {"n_neighbors": 1, "tied": True}, {"tied": np.True_}),
    (
        classifier,
        {"exemplars": (POINTS, LABELS)},
        {"exemplars": [POINTS.tolist(), LABELS.tolist()]},
    ),
    (
        classifier,
        {"exemplars": (POINTS, LABELS)},
        {"exemplars": (pd.DataFrame(POINTS), pd.Series(LABELS))},
    ),
    (classifier, {"metric": own_metric}, {"metric": own_metric}),
    (classifier, {"metric": PCA(2)}, {"metric": PCA(2)}),
    (
        classifier,
        {"metric": "seuclidean", "metric_params": {"V": X.var(axis=0)}},
        {"metric_params": {"V": list(X.var(axis=0))}},
    ),
    (regressor, {}, {"n_exemplars": np.int32(9)}),
    (
        regressor,
        {"exemplars": (POINTS, LABELS.astype(float))},
        {"exemplars": (POINTS.copy(), LABELS)},
    ),
    (basis, {}, {"degree": 8}),
    (basis, {"domain": [[0.0, 20.0]]}, {"domain": np.array([[0, 20]])}),
]


@pytest.mark.parametrize(("make", "first", "other"), SAME)
def test_the_same_values_in_other_words_go_on(make, first, other):
    data = of_kind(make)
    fitted = make(warm_start=True, **first).fit(*data)
    before = fitted.predict(data[0])
    for estimator in (fitted, pickle.loads(pickle.dumps(fitted))):  # noqa: S301 - our own
        estimator.set_params(**other).fit(*data)
        np.testing.assert_array_equal(estimator.predict(data[0]), before)
        gone_on_with(estimator, "partial_fit", data)
        assert estimator.n_iter_ == 1


def test_a_transformer_that_changed_in_place_or_was_fitted_anew():
    metric = PCA(2)
    clf = classifier(metric=metric, warm_start=True).fit(X, y)
    clf.fit(X, y).set_params(metric__n_components=3)
    with pytest.raises(ValueError, match="metric="):
        clf.fit(X, y)
    fitted = PCA(2).fit(X[:25])
    clf = classifier(metric=fitted, warm_start=True).fit(X, y).fit(X, y)
    with pytest.raises(ValueError, match=r"metric=.* another one"):
        clf.set_params(metric=PCA(2).fit(X[25:])).fit(X, y)
    clf.set_params(metric=PCA(2).fit(X[:25])).fit(X, y)


@pytest.mark.parametrize("make", [classifier, regressor, basis])
def test_all_else_may_change(make):
    changes = {
        "solver": "sgd", "alpha": 0.01, "batch_size": 7, "learning_rate_init": 1e-4,
        "learning_rate": "invscaling", "power_t": 0.25, "max_iter": 2,
        "trained_share": 0.5, "shuffle": False, "random_state": 7,
        "tol": 0.0, "verbose": 0, "momentum": 0.5, "nesterovs_momentum": False,
        "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-6, "n_iter_no_change": 3,
        "class_weight": {0: 1, 1: 2, 2: 3},
        "early_stopping": True, "validation_fraction": 0.2,
    }  # fmt: skip
    data = of_kind(make)
    estimator = make(warm_start=True).fit(*data)
    known = estimator.get_params()
    for name, value in changes.items():
        if name in known:
            gone_on_with(estimator.set_params(**{name: value}), "fit", data)
    # With those that may not, that is all of them.
    may_not = {name for kind, _, change, *_ in CASES if kind is make for name in change}
    may_not |= {"loss"} if make is not classifier else set()
    assert set(known) - set(changes) == may_not | {"warm_start"}
