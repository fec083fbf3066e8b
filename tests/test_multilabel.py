"""Several labels for each row: an indicator as y of the classifier."""

from math import exp

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import classifier
from networks import random_network
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skmetricmlp._data import TrainingData
from skmetricmlp.initialization.output_layer import ridge_weights
from skmetricmlp.training import Objective

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


def made(n=160, seed=0):
    """Four features, and three labels that overlap; none for some of the rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    noise = 0.3 * rng.normal(size=(n, 3))
    y = np.stack([X[:, 0] > 0.3, X[:, 0] + X[:, 1] > 0, X[:, 2] ** 2 > 0.6], axis=1)
    moved = np.stack([X[:, 0] - 0.3, X[:, 0] + X[:, 1], X[:, 2] ** 2 - 0.6], axis=1)
    return X, np.where(abs(moved) < 0.2, moved + noise > 0, y).astype(int)


X, Y = made()
N = len(X)


def log_odds(p):
    return np.log(p) - np.log1p(-p)


def binary_log_loss(p, y):
    return -np.mean(np.sum(y * np.log(p) + (1 - y) * np.log1p(-p), axis=1))


# --- the networks before training ---


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_with_a_step_it_is_the_k_nearest_classifier(k):
    """Ties of the votes included: most of the k exemplars must have a label."""
    exemplars = X[:60], Y[:60]
    clf = classifier(exemplars=exemplars, n_neighbors=k, activation="step").fit(X, Y)
    nearest = KNeighborsClassifier(k).fit(*exemplars)
    shares = np.stack([p[:, 1] for p in nearest.predict_proba(X)], axis=1)
    assert_array_equal(clf.predict(X), nearest.predict(X))
    assert_allclose(clf.predict_proba(X), shares, atol=1e-12)
    with np.errstate(divide="ignore"):
        assert_allclose(clf.predict_log_proba(X), np.log(shares), atol=1e-12)
    baseline = classifier("random", n_exemplars=60, n_neighbors=k).fit(X, Y)
    shapes = [[W.shape for W in one.coefs_] for one in (clf, baseline)]
    assert shapes[0] == shapes[1] == [(4, 60 * 59), (60 * 59, 60), (60, 3)]


def test_all_rows_can_be_exemplars():
    clf = classifier(
        n_exemplars=1.0, exemplars="random", n_neighbors=3, activation="step"
    )
    clf.fit(X, Y)
    assert clf.n_exemplars_ == N
    assert_array_equal(clf.exemplar_labels_, Y[clf.exemplar_indices_])
    assert_array_equal(clf.predict(X), KNeighborsClassifier(3).fit(X, Y).predict(X))


@pytest.mark.parametrize("activation", ["logistic", "tanh"])
def test_smooth_votes_approach_the_k_nearest_classifier(activation):
    exemplars = X[:40], Y[:40]
    clf = classifier(
        exemplars=exemplars, n_neighbors=3, activation=activation, sharpness=1e6
    ).fit(X, Y)
    expected = KNeighborsClassifier(3).fit(*exemplars).predict(X)
    assert_array_equal(clf.predict(X), expected)


def test_exemplars_of_clusters_have_shares_of_labels():
    clf = classifier().fit(X, Y)
    nearest = ((X[:, None] - clf.exemplars_) ** 2 / X.var(axis=0)).sum(axis=2).argmin(1)
    for i, labels in enumerate(clf.exemplar_labels_):
        assert_allclose(labels, Y[nearest == i].mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_the_output_is_a_ridge_regression_on_the_indicator(loss):
    clf = classifier(loss=loss).fit(X, Y)
    hidden = clf.network_.activations(X)[-1]
    deviation = hidden.std(axis=0)
    deviation = np.maximum(deviation, 0.1 * np.median(deviation[deviation > 0]))
    W, b, left_out = ridge_weights(hidden / deviation, Y.astype(float), np.ones(N))

    def mean_loss(log_scale):
        p = 1 / (1 + np.exp(-np.exp(log_scale) * (left_out - 0.5)))
        if loss == "log_loss":
            return binary_log_loss(p, Y)
        return np.mean(np.sum((p - Y) ** 2, axis=1))

    bounds = np.log([0.01, 10.0])
    scale = exp(minimize_scalar(mean_loss, bounds=bounds, method="bounded").x)
    z = scale * (hidden / deviation @ W + b - 0.5)
    assert_allclose(log_odds(clf.predict_proba(X)), z, atol=1e-4)


def test_a_ridge_from_sums_of_many_rows_decides_as_one_of_all_rows():
    rows, labels = made(1300)
    clf = classifier(n_comparisons=20).fit(rows, labels)
    hidden = clf.network_.activations(rows)[-1]
    hidden = hidden / hidden.std(axis=0)
    W, b, _ = ridge_weights(hidden, labels.astype(float), np.ones(1300))
    assert np.mean((hidden @ W + b > 0.5) == clf.predict(rows)) > 0.99


# --- what does not change ---


@pytest.mark.parametrize(
    "settings",
    [{}, {"max_iter": 3}, {"n_neighbors": 3}, {"output_init": "norm_constrained"}],
)
def test_the_order_of_the_labels_is_that_of_the_outputs(settings):
    order = [2, 0, 1]
    p, permuted = (
        classifier(**settings).fit(X, labels).predict_proba(X)
        for labels in (Y, Y[:, order])
    )
    atol = 0.05 if "output_init" in settings else 1e-7
    assert_allclose(permuted, p[:, order], atol=atol)


@pytest.mark.parametrize(
    "settings", [{}, {"n_neighbors": 3}, {"output_init": "norm_constrained"}]
)
def test_labels_that_are_turned_into_their_opposite(settings):
    p, opposite = (
        classifier(**settings).fit(X, labels).predict_proba(X) for labels in (Y, 1 - Y)
    )
    assert_allclose(opposite, 1 - p, atol=1e-7)


def test_a_weight_of_two_is_two_rows_and_of_zero_is_none():
    weights = np.arange(N) % 3
    index = np.repeat(np.arange(N), weights)
    weighted = classifier().fit(X, Y, weights).predict_proba(X)
    repeated = classifier().fit(X[index], Y[index]).predict_proba(X)
    assert_allclose(weighted, repeated, atol=1e-7)


def test_equal_rows_with_other_labels_are_one_row_with_their_mean():
    settings = {"exemplars": "random", "n_exemplars": 1.0, "n_neighbors": 1}
    twice = np.concatenate([X, X[:50]]), np.concatenate([Y, 1 - Y[:50]])
    clf = classifier(**settings, activation="step").fit(
        *twice, np.repeat([3.0, 1], [N, 50])
    )
    assert clf.n_exemplars_ == N
    expected = Y.astype(float)
    expected[:50] = (3 * Y[:50] + 1 - Y[:50]) / 4
    assert_allclose(clf.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize("constant", [0, 1])
@pytest.mark.parametrize("settings", [{}, {"max_iter": 3}, {"n_neighbors": 1}])
def test_a_label_that_no_row_or_every_row_has(settings, constant):
    labels = np.column_stack([Y[:, 0], np.full(N, constant)])
    clf = classifier(**settings).fit(X, labels)
    assert_array_equal(clf.predict(X)[:, 1], constant)
    assert np.isfinite(clf.predict_log_proba(X)).all()


def test_one_column_is_a_vector_of_classes():
    with pytest.warns(DataConversionWarning):
        clf = classifier().fit(X, Y[:, [0]])
    assert not clf.multilabel_
    expected = classifier().fit(X, Y[:, 0])
    assert_array_equal(clf.predict(X), expected.predict(X))


# --- the interface of MLPClassifier ---


def test_attributes_and_predictions_are_those_of_mlp_classifier():
    clf = classifier().fit(X, Y)
    mlp = MLPClassifier((5,), max_iter=1, solver="sgd")
    mlp = mlp.partial_fit(X, Y, classes=[0, 1, 2])
    for name in ("n_outputs_", "out_activation_"):
        assert getattr(clf, name) == getattr(mlp, name)
    assert_array_equal(clf.classes_, mlp._label_binarizer.classes_)
    for ours, theirs in (
        (clf.predict(X), mlp.predict(X)),
        (clf.predict_proba(X), mlp.predict_proba(X)),
        (clf.predict_log_proba(X), mlp.predict_log_proba(X)),
    ):
        assert ours.shape == theirs.shape == (N, 3)
        assert ours.dtype == theirs.dtype
    assert_array_equal(clf.predict(X), clf.predict_proba(X) > 0.5)
    assert_allclose(np.exp(clf.predict_log_proba(X)), clf.predict_proba(X), rtol=1e-12)
    assert clf.score(X, Y) == np.mean((clf.predict(X) == Y).all(axis=1))
    assert clf.multilabel_


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_mlp_classifier_with_its_weights_makes_the_same_predictions(loss):
    settings = {"n_neighbors": 1, "n_exemplars": 8, "activation": "logistic"}
    clf = classifier(**settings, max_iter=2, loss=loss).fit(X, Y)
    sizes = [len(bias) for bias in clf.intercepts_[:-1]]
    mlp = MLPClassifier(sizes, activation="logistic", max_iter=1, solver="sgd")
    mlp = mlp.partial_fit(X, Y, classes=[0, 1, 2])
    mlp.coefs_, mlp.intercepts_ = list(clf.coefs_), list(clf.intercepts_)
    assert_allclose(clf.predict_proba(X), mlp.predict_proba(X), atol=1e-12)


KINDS = {
    "list": np.ndarray.tolist,
    "frame": pd.DataFrame,
    "csr_array": sp.csr_array,
    "csc_matrix": sp.csc_matrix,
    "coo_array": sp.coo_array,
    "bool": lambda y: y.astype(bool),
    "single precision": lambda y: y.astype(np.float32),
}


@pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_indicators_of_all_kinds(convert, method):
    more = {} if method == "fit" else {"classes": range(3)}
    settings = {"max_iter": 1, "n_exemplars": 5}
    expected, clf = (
        getattr(classifier(**settings), method)(X, y, **more) for y in (Y, convert(Y))
    )
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert clf.score(X, convert(Y)) == expected.score(X, Y)
    assert isinstance(clf.predict(X), np.ndarray)


def test_one_hot_classes_are_labels_too():
    """As for MLPClassifier. With one nearest exemplar it is the same decision."""
    features, codes = load_iris(return_X_y=True)
    settings = {"exemplars": "random", "n_neighbors": 1, "activation": "step"}
    given = {"exemplars": (features[::7], np.eye(3, dtype=int)[codes[::7]])}
    labels = classifier(**settings | given).fit(features, np.eye(3, dtype=int)[codes])
    given = {"exemplars": (features[::7], codes[::7])}
    classes = classifier(**settings | given).fit(features, codes)
    assert_array_equal(labels.predict(features).argmax(axis=1), classes.predict(features))


# --- training ---


def test_the_gradient_of_the_objective_is_its_slope():
    network = random_network((4, 6, 3), "tanh", "logistic")
    weights = np.random.default_rng(0).uniform(0.5, 2, N)
    targets = np.where(np.arange(N)[:, None] % 4, Y, 0.3)
    data = TrainingData(X, targets, weights)
    objective = Objective("binary_log_loss", 0.1)
    value, gradient = objective.value_and_gradient(network, data)

    def by_hand(parameters):
        W, b, V, c = parameters
        p = 1 / (1 + np.exp(-(np.tanh(X @ W + b) @ V + c)))
        losses = -np.sum(targets * np.log(p) + (1 - targets) * np.log(1 - p), axis=1)
        penalty = 0.05 * (np.sum(W**2) + np.sum(V**2))
        return (weights @ losses + penalty) / weights.sum()

    parameters = [np.array(p) for p in network.parameters]
    assert_allclose(value, by_hand(parameters), rtol=1e-12)
    h = 1e-6
    for array, slopes in zip(parameters, gradient, strict=True):
        for at in list(np.ndindex(array.shape))[::5]:
            middle = array[at]
            values = []
            for array[at] in (middle + h, middle - h):
                values.append(by_hand(parameters))
            array[at] = middle
            assert_allclose(slopes[at], (values[0] - values[1]) / (2 * h), atol=1e-7)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("settings", [{}, {"init": "random"}, {"n_neighbors": 3}])
def test_training_lowers_the_loss(settings, solver):
    more = {"solver": solver, "learning_rate_init": 0.01, **settings}
    start, end = (classifier(**more, max_iter=n).fit(X, Y) for n in (0, 8))
    before, after = (binary_log_loss(c.predict_proba(X), Y) for c in (start, end))
    assert after < before


def test_held_out_rows_tell_how_far_to_train():
    rows, labels = made(800, seed=1)
    settings = {"trained_share": "auto", "max_iter": 20, "learning_rate": "linear"}
    start, end = (
        classifier(**settings | {"max_iter": n}).fit(rows, labels) for n in (0, 20)
    )
    assert 0 < end.trained_share_ <= 1
    p, q = (clf.predict_proba(X) for clf in (start, end))
    assert binary_log_loss(q, Y) < binary_log_loss(p, Y)


@pytest.mark.parametrize("given", [True, False])
def test_early_stopping_by_rows_all_labels_of_which_are_right(given):
    data = {"X_val": X[100:], "y_val": sp.csr_array(Y[100:])} if given else {}
    clf = classifier(early_stopping=True, max_iter=4)
    clf.fit(X[:100], Y[:100], **data)
    assert len(clf.validation_scores_) == 4
    assert clf.best_validation_score_ >= max(clf.validation_scores_)
    if given:
        assert clf.best_validation_score_ == clf.score(X[100:], Y[100:])


def test_one_row_can_validate():
    clf = classifier(early_stopping=True, max_iter=1)
    clf.fit(X, Y, X_val=X[:1], y_val=Y[:1])
    assert clf.validation_scores_[0] in {0.0, 1.0}


def test_a_stream_that_begins_with_few_rows_and_labels():
    clf = classifier(n_exemplars=10)
    with pytest.warns(UserWarning, match="first call"):
        clf.partial_fit(X[:5], np.zeros((5, 3), int), classes=[0, 1, 2])
    for start in range(5, N, 31):
        clf.partial_fit(X[start : start + 31], sp.csr_array(Y[start : start + 31]))
    assert clf.score(X, Y) > 0.5
    with pytest.raises(ValueError, match=r"y must have shape \(160, 3\), got \(160, 2\)"):
        clf.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"y must have shape \(160, 3\), got \(160,\)"):
        clf.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] must be the positions"):
        clf.partial_fit(X, Y, classes=[0, 1])


def test_classes_cannot_become_labels():
    clf = classifier(max_iter=1, warm_start=True).fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=r"y must have one label for each row.*\(160, 3"):
        clf.fit(X, Y)


def test_a_warm_start_goes_on():
    clf = classifier(max_iter=1, warm_start=True).fit(X, Y)
    first = clf.predict_proba(X)
    assert clf.fit(X, Y).n_iter_ == 2
    assert not np.array_equal(clf.predict_proba(X), first)


# --- what needs classes ---


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exemplars": "lvq"}, "exemplars='lvq' needs one class.*3 labels: .*'kmeans'"),
        ({"exemplars": "condensed"}, "exemplars='condensed' .*'kmedoids', or a pair"),
        ({"pairs": "other_classes"}, "pairs='other_classes' .*choose 'all', or an int"),
        ({"output_init": "logistic"}, "output_init='logistic' .*'auto', 'ridge'"),
        ({"n_exemplars": {0: 3, 1: 2}}, r"n_exemplars=\{0: 3, 1: 2\} .*a total"),
        ({"class_weight": "balanced"}, "class_weight='balanced' .*sample_weight"),
        ({"class_weight": {0: 2.0}}, r"class_weight=\{0: 2.0\} .*sample_weight"),
        ({"metric": LinearDiscriminantAnalysis()}, "metric=LinearDis.*1d array"),
    ],
)
def test_what_needs_classes_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        classifier(**settings).fit(X, Y)
    if "metric" not in settings:
        assert not get_tags(classifier(**settings)).classifier_tags.multi_label
    classifier(**settings | {"n_exemplars": 9}).fit(X, Y[:, 0])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Y[:9, :2], r"exemplars\[1\] must have shape \(9, 3\), got \(9, 2\)"),
        (Y[:9, 0], r"exemplars\[1\] must have shape \(9, 3\), got \(9,\)"),
        (2 * Y[:9], r"exemplars\[1\] must have values from 0 to 1"),
        (Y[:8], r"one label or value per point.*\(9, 4\).*\(8, 3\)"),
    ],
)
def test_given_exemplars_have_all_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        classifier(exemplars=(X[:9], labels)).fit(X, Y)


def test_y_val_has_the_same_labels():
    with pytest.raises(ValueError, match=r"y_val must have shape \(160, 3\), got .*2\)"):
        classifier().fit(X, Y, X_val=X, y_val=Y[:, :2])


# --- explanations and displays ---


@pytest.mark.parametrize("output", [None, 0, 2])
@pytest.mark.parametrize("by", ["exemplar", "feature", "comparison"])
def test_contributions_add_up_to_the_log_odds_of_a_label(by, output):
    clf = classifier(max_iter=2).fit(X, Y)
    frame = clf.explain(X[:7], by=by, output=output, n_nearest=4)
    at = output or 0
    sums = frame.groupby("row")["contribution"].sum()
    assert_allclose(sums, log_odds(clf.predict_proba(X[:7]))[:, at], atol=1e-9)
    predicted = frame.groupby("row")["predicted"].first()
    assert_array_equal(predicted, clf.predict(X[:7])[:, at])


@pytest.mark.parametrize("k", [None, 3])
def test_an_explanation_shows_the_labels_of_exemplars(k):
    clf = classifier(exemplars=(X[:30], Y[:30]), n_neighbors=k).fit(X, Y)
    frame = clf.explain(X[:3], output=1, n_nearest=2)
    columns = ["row", "predicted", "term", "rank", "exemplar", "label", "excess"]
    assert frame.columns.tolist() == [*columns, "activation", "contribution"]
    shown = frame[frame["term"] == "exemplar"]
    labels = Y[:30, 1][shown["exemplar"].astype(int)]
    assert_array_equal(shown["label"].astype(float), labels)


def test_the_output_of_an_explanation_is_a_label():
    clf = classifier().fit(X, Y)
    for output in (3, -1, True, "a"):
        with pytest.raises(ValueError, match="output must be an int from 0 to 2"):
            clf.explain(X, output=output)
    with pytest.raises(ValueError, match=r"output must be None.*unless y was an indica"):
        classifier().fit(X, Y[:, 0]).explain(X, output=0)


def test_displays_of_one_class_lead_on():
    plotting = pytest.importorskip("skmetricmlp.plotting")
    clf = classifier().fit(X, Y)
    calls = {
        "ExemplarsDisplay": (clf,),
        "ComparisonWeightsDisplay": (clf,),
        "MarginsDisplay": (clf, X[0]),
        "DecisionBoundariesDisplay": (clf, X, Y),
    }
    for name, arguments in calls.items():
        with pytest.raises(ValueError, match=r"indicator of 3 labels.*MultiOutputClassi"):
            getattr(plotting, name).from_estimator(*arguments)


def test_learning_curves_of_labels():
    plotting = pytest.importorskip("skmetricmlp.plotting.learning_curves")
    curves = plotting.learning_curves(classifier(), X, Y, n_epochs=1, cv=2)
    assert curves["score"].between(0, 1).all()
    assert len(curves) == 4


# --- in scikit-learn ---


def test_a_search_in_a_pipeline_by_f1():
    pipeline = make_pipeline(StandardScaler(), classifier())
    grid = {"metricinitmlpclassifier__n_neighbors": [None, 1]}
    pipeline[-1].set_params(n_comparisons=800)
    search = GridSearchCV(pipeline, grid, scoring="f1_macro", cv=2).fit(X, Y)
    assert search.best_score_ > 0.7
    assert search.predict(X).shape == (N, 3)
    assert cross_val_score(search.best_estimator_, X, Y, cv=2).min() > 0.3


@pytest.mark.parametrize("around", [MultiOutputClassifier, ClassifierChain])
def test_wrappers_with_an_estimator_for_each_label(around):
    found = around(classifier()).fit(X, Y).predict(X)
    assert (found == Y).mean() > 0.8


def test_clone_and_pickle_keep_labels():
    clf = classifier().fit(X, Y)
    assert get_tags(clf).classifier_tags.multi_label
    assert_array_equal(clone(clf).fit(X, Y).predict(X), clf.predict(X))


def test_tables_with_categories_and_missing_values():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(
        plan=pd.Categorical(
            np.where(Y[:, 2] == rng.integers(5, size=N).clip(0, 1), "x", "y")
        )
    )
    frame.loc[::7, "a"] = np.nan
    for settings in ({}, {"n_neighbors": 3}):
        clf = classifier(**settings).fit(frame, pd.DataFrame(Y, columns=["p", "q", "r"]))
        assert clf.predict(frame).shape == (N, 3)
        assert (clf.predict(frame) == Y).mean() > 0.7


def test_sparse_rows_and_single_precision():
    settings = {"metric": "sqeuclidean", "n_neighbors": 3}
    sparse, dense = (
        classifier(**settings).fit(rows, Y).predict_proba(X)
        for rows in (sp.csr_array(X), X)
    )
    assert_allclose(sparse, dense, atol=1e-7)
    single = X.astype(np.float32)
    clf = classifier(max_iter=2).fit(single, Y)
    assert clf.predict_proba(single).dtype == np.float32
    assert (clf.predict(single) == Y).mean() > 0.8


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_another_namespace(loss):
    xp = pytest.importorskip("array_api_strict")
    settings = {"max_iter": 2, "loss": loss, "trained_share": "auto"}
    expected = classifier(**settings).fit(X, Y)
    with config_context(array_api_dispatch=True):
        rows, labels = xp.asarray(X), xp.asarray(Y)
        clf = classifier(**settings).fit(rows, labels)
        p, found = clf.predict_proba(rows), clf.predict(rows)
    assert_allclose(np.asarray(p), expected.predict_proba(X), atol=1e-9)
    assert_array_equal(np.asarray(found), expected.predict(X))
