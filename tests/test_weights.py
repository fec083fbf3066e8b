"""The weights as arrays: the network that the classifier has, wherever they go."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier, nearest_exemplar_weights


def problem(load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    return X, np.array([f"class {label}" for label in y])


def loaded_into_scikit_learn(coefs, intercepts, X, y, activation):
    """Scikit-learn's network with these weights, which it would train further."""
    mlp = MLPClassifier(
        hidden_layer_sizes=[len(bias) for bias in intercepts[:-1]],
        activation=activation,
        max_iter=1,
        warm_start=True,
        random_state=0,
    ).partial_fit(X, y, classes=np.unique(y))
    assert [c.shape for c in mlp.coefs_] == [c.shape for c in coefs]
    assert [b.shape for b in mlp.intercepts_] == [b.shape for b in intercepts]
    mlp.coefs_, mlp.intercepts_ = coefs, intercepts
    return mlp


@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh"])
@pytest.mark.parametrize("pairs", ["all", 4])
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_scikit_learns_network_predicts_the_same(load, pairs, activation, n_neighbors):
    X, y = problem(load)
    settings = dict(activation=activation, n_neighbors=n_neighbors, pairs=pairs)
    exemplars = X[::20], y[::20]
    clf = MetricInitMLPClassifier(exemplars=exemplars, max_iter=0, **settings).fit(X, y)
    weights = nearest_exemplar_weights(*exemplars, X=X, y=y, **settings)
    mlp = loaded_into_scikit_learn(*weights, X, y, activation)
    np.testing.assert_allclose(mlp.predict_proba(X), clf.predict_proba(X), atol=1e-12)
    np.testing.assert_array_equal(mlp.predict(X), clf.predict(X))


def test_scikit_learns_network_trains_on():
    X, y = problem(load_digits)
    coefs, intercepts = nearest_exemplar_weights(X[:30], y[:30], X=X, y=y)
    mlp = loaded_into_scikit_learn(coefs, intercepts, X, y, "relu")
    untrained = mlp.score(X, y)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        for _ in range(5):
            mlp.fit(X, y)
    assert mlp.score(X, y) > max(untrained, 0.9)


@pytest.mark.parametrize(("k", "widths"), [(1, [90, 10, 2]), (3, [90, 10, 2, 2])])
def test_shapes_are_those_of_the_layers(k, widths):
    X, y = problem(load_breast_cancer)
    coefs, intercepts = nearest_exemplar_weights(
        X[:500:50], y[:500:50], n_neighbors=k, single_output=False
    )
    assert [c.shape for c in coefs] == list(zip([30, *widths], widths, strict=False))
    assert [b.shape for b in intercepts] == [(n,) for n in widths]


@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "step"])
@pytest.mark.parametrize("metric", ["sqeuclidean", "mahalanobis", "cosine"])
def test_exemplars_alone_are_enough_for_the_nearest_of_them(metric, activation):
    X, y = (array[:400] for array in problem(load_digits))
    exemplars, labels = X[:40], y[:40]
    if metric == "mahalanobis":
        given = {"VI": np.linalg.pinv(np.cov(X.T), hermitian=True)}
    else:
        given = None
    weights = nearest_exemplar_weights(
        exemplars,
        labels,
        metric=metric,
        metric_params=given,
        activation=activation,
        sharpness=1.0 if activation == "step" else 100,
        single_output=False,
    )
    clf = MetricInitMLPClassifier(
        init=weights,
        exemplars=(exemplars, labels),
        n_neighbors=1,
        activation=activation,
        max_iter=0,
    ).fit(X, y)
    reference = MetricInitMLPClassifier(
        exemplars=(exemplars, labels),
        metric=metric,
        metric_params=given,
        n_neighbors=1,
        activation="step",
        max_iter=0,
    ).fit(X, y)
    assert np.mean(clf.predict(X) == reference.predict(X)) > 0.97


def test_one_output_is_split_into_two_when_it_comes_back():
    X, y = problem(load_breast_cancer)
    exemplars = X[::20], y[::20]
    one, two = (
        nearest_exemplar_weights(*exemplars, X=X, y=y, single_output=single)
        for single in (True, False)
    )
    assert one[0][-1].shape == (29, 1)
    assert two[0][-1].shape == (29, 2)
    p = [
        MetricInitMLPClassifier(weights, exemplars=exemplars, n_neighbors=1, max_iter=0)
        .fit(X, y)
        .predict_proba(X)
        for weights in (one, two)
    ]
    np.testing.assert_allclose(p[0], p[1], atol=1e-12)


def test_squared_error_keeps_an_output_per_class():
    X, y = problem(load_breast_cancer)
    coefs, _ = nearest_exemplar_weights(X[:450:50], y[:450:50], loss="squared_error")
    assert coefs[-1].shape == (9, 2)


@pytest.mark.parametrize("given", ["X", "y"])
def test_rows_and_their_labels_go_together(given):
    X, y = problem(load_iris)
    missing = {"X": "y", "y": "X"}[given]
    with pytest.raises(ValueError, match=f"passed together; {missing} is missing"):
        nearest_exemplar_weights(X[::9], y[::9], **{given: {"X": X, "y": y}[given]})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "manhattan"}, "^metric must be one of"),
        ({"activation": "gelu"}, "^activation must be one of"),
        ({"n_neighbors": 99}, "n_neighbors=99 is more than there are exemplars: 17"),
    ],
)
def test_arguments_are_checked_as_those_of_the_classifier(arguments, message):
    X, y = problem(load_iris)
    with pytest.raises(ValueError, match=message):
        nearest_exemplar_weights(X[::9], y[::9], **arguments)
