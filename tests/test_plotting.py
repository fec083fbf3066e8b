"""The displays, compared with the estimators and with loops."""

import inspect
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp.plotting import (
    ComparisonWeightsDisplay,
    DecisionBoundariesDisplay,
    ExemplarsDisplay,
    LearningCurvesDisplay,
    MarginsDisplay,
)
from skmetricmlp.plotting._drawing import PALETTE, class_style, make_mosaic, value_map
from skmetricmlp.plotting.comparison_weights import closest_pairs, strongest_comparisons
from skmetricmlp.plotting.decision_boundaries import decision_boundaries, fit_untrained
from skmetricmlp.plotting.learning_curves import learning_curves, summarize_curves

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

iris = load_iris(as_frame=True)
X, NAMES = iris.data.to_numpy(), list(iris.data.columns)
y = np.array(["setosa", "versicolor", "virginica"])[iris.target]
Xr, yr = load_diabetes(return_X_y=True, scaled=False)
Xr = (Xr - Xr.mean(axis=0)) / Xr.std(axis=0)
for array in (X, y, Xr, yr):
    array.flags.writeable = False


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    assert not plt.get_fignums()
    yield
    plt.close("all")


def classifier(X=X, y=y, epochs=2, **settings):
    defaults = dict(n_exemplars=9, max_iter=0, random_state=0)
    if settings.get("tied") or "pairs" in settings:
        defaults["n_neighbors"] = 1
    elif settings.get("n_neighbors") is None:
        defaults["n_comparisons"] = 4
    clf = MetricInitMLPClassifier(**(defaults | settings)).fit(X, y)
    for _ in range(epochs):
        clf.partial_fit(X, y)
    return clf


def regressor(X=Xr, y=yr, **settings):
    defaults = dict(n_exemplars=9, n_comparisons=4, max_iter=0, random_state=0)
    return MetricInitMLPRegressor(**(defaults | settings)).fit(X, y)


def scaled(**settings):
    model = MetricInitMLPClassifier(n_exemplars=9, max_iter=0, random_state=0)
    model.set_params(**settings)
    return make_pipeline(StandardScaler(), model).fit(iris.data, y)


def draw_exemplars(fitted, **keywords):
    return ExemplarsDisplay.from_estimator(fitted, **keywords)


def draw_weights(fitted, **keywords):
    return ComparisonWeightsDisplay.from_estimator(fitted, **keywords)


def draw_boundaries(fitted, **keywords):
    keywords = dict(grid_resolution=5) | keywords
    return DecisionBoundariesDisplay.from_estimator(fitted, X, y, **keywords)


def draw_margins(fitted, **keywords):
    return MarginsDisplay.from_estimator(fitted, X[0], **keywords)


def draw_curves(estimator, **keywords):
    keywords = dict(n_epochs=1, cv=2) | keywords
    return LearningCurvesDisplay.from_estimator(estimator, X, y, **keywords)


FROM_EXEMPLARS = [draw_exemplars, draw_weights, draw_margins]
FROM_FITTED = [*FROM_EXEMPLARS, draw_boundaries]
FROM_ANY = [*FROM_FITTED, draw_curves]


def cells(display):
    """Images cut out of the mosaic that was passed to matplotlib."""
    rows, columns = display.image_shape
    drawn = np.ma.filled(display.im_.get_array(), np.nan)
    return np.array(
        [
            drawn[top : top + rows, left : left + columns]
            for top, left in zip(display.mosaic_.tops, display.mosaic_.lefts, strict=True)
        ]
    )


# Exemplars


def test_the_cells_of_the_mosaic_are_the_exemplars_by_class_with_their_labels():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(60, 12))
    labels = np.array(list("cab") * 20)
    clf = classifier(images, labels, n_exemplars=11)
    display = ExemplarsDisplay.from_estimator(clf, image_shape=(3, 4))
    expected = sorted(range(11), key=lambda k: (clf.exemplar_labels_[k], k))
    np.testing.assert_array_equal(
        cells(display), [clf.exemplars_[k].reshape(3, 4) for k in expected]
    )
    titles = [text.get_text() for text in display.text_]
    assert titles == [clf.exemplar_labels_[k] for k in expected]
    # Each pixel of the images is drawn once, and no other pixel.
    assert np.isfinite(display.mosaic_.pixels).sum() == 11 * 12


def test_titles_stand_above_their_images_and_do_not_overlap():
    labels = np.array([f"a rather long name {k % 3}" for k in range(9)])
    display = ExemplarsDisplay(np.ones((9, 6)), labels, image_shape=(2, 3)).plot()
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.text_]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
    to_data = display.ax_.transData.inverted()
    for box, top, left in zip(
        boxes, display.mosaic_.tops, display.mosaic_.lefts, strict=True
    ):
        (x0, bottom), (x1, _) = to_data.transform(box.get_points())
        assert bottom < top - 0.5
        assert (x0 + x1) / 2 == pytest.approx(left + 1, abs=0.1)


def test_of_many_images_the_first_of_each_class_are_drawn():
    labels = np.repeat(["a", "b", "c"], [10, 2, 10])
    points = np.arange(22.0)[:, None] * np.ones(4)
    display = ExemplarsDisplay(points, labels, image_shape=(2, 2)).plot(max_images=9)
    assert display.shown_.tolist() == [0, 1, 2, 3, 10, 11, 12, 13, 14]
    assert display.ax_.get_title() == "9 of 22 exemplars"
    everyone = display.plot(max_images=22)
    assert len(everyone.text_) == 22
    assert everyone.ax_.get_title() == ""


def test_values_are_drawn_in_their_order_and_the_cut_keeps_the_ends():
    values = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    display = ExemplarsDisplay(
        np.eye(5)[:, :4], values, image_shape=(2, 2), is_classifier=False
    )
    assert display.plot().shown_.tolist() == [1, 2, 0, 4, 3]
    assert display.plot(max_images=3).shown_.tolist() == [1, 0, 3]
    assert [text.get_text() for text in display.text_] == ["1", "3", "5"]


def test_the_shape_of_an_image_is_that_of_the_metric():
    images = np.random.default_rng(0).uniform(size=(40, 12))
    params = {"image_shape": (4, 3)}
    clf = classifier(
        images, np.arange(40) % 2, metric="chamfer", metric_params=params, n_exemplars=4
    )
    assert ExemplarsDisplay.from_estimator(clf).image_shape == (4, 3)
    assert ExemplarsDisplay.from_estimator(clf, image_shape=(3, 4)).image_shape == (3, 4)
    assert ComparisonWeightsDisplay.from_estimator(clf).image_shape == (4, 3)


def test_profiles_are_the_exemplars_in_the_color_of_their_class():
    pipeline = scaled()
    model = pipeline[-1]
    display = ExemplarsDisplay.from_estimator(pipeline)
    classes = model.classes_.tolist()
    for line, k in zip(display.lines_, display.shown_, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), model.exemplars_[k])
        code = classes.index(model.exemplar_labels_[k])
        assert line.get_color() == PALETTE[code]
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == NAMES
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == classes


def test_profiles_of_values_are_colored_by_value():
    reg = regressor()
    display = ExemplarsDisplay.from_estimator(reg)
    np.testing.assert_array_equal(display.labels, reg.exemplar_values_)
    low, high = reg.exemplar_values_.min(), reg.exemplar_values_.max()
    for line, k in zip(display.lines_, display.shown_, strict=True):
        share = (reg.exemplar_values_[k] - low) / (high - low)
        assert tuple(line.get_color()) == tuple(value_map()(share))
    bar = display.figure_.axes[1]
    assert bar.get_ylim() == pytest.approx((low, high))


def test_labels_of_floats_are_classes_nevertheless():
    clf = classifier(X, iris.target.to_numpy().astype(float))
    display = ExemplarsDisplay.from_estimator(clf, image_shape=(2, 2))
    assert {text.get_text() for text in display.text_} == {"0.0", "1.0", "2.0"}


def test_one_of_several_outputs_is_shown():
    values = np.stack([yr, -2 * yr], axis=1)
    reg = regressor(y=values)
    display = ExemplarsDisplay.from_estimator(reg, output=1)
    np.testing.assert_allclose(display.labels, reg.exemplar_values_[:, 1])
    with pytest.raises(ValueError, match="output must be an int from 0 to 1, got 2"):
        ExemplarsDisplay.from_estimator(reg, output=2)


def test_forty_classes_are_told_apart():
    styles = {tuple(sorted(class_style(k).items())) for k in range(40)}
    assert len(styles) == 40
    labels = np.array([f"class {k}" for k in range(26)])
    display = ExemplarsDisplay(np.eye(26), labels).plot()
    legend = display.ax_.get_legend()
    assert legend.get_title().get_text() == "class: first 20 of 26"
    assert len(legend.get_texts()) == 20


# Weights of comparisons


@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "step"])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("metric", ["sqeuclidean", "cosine"])
def test_at_the_start_a_table_is_the_difference_of_the_metric(activation, tied, metric):
    settings = dict(activation=activation, tied=tied, metric=metric)
    clf = classifier(epochs=0, n_neighbors=1, **settings)
    pairs = [(0, 8), (5, 2), (8, 0)]
    display = ComparisonWeightsDisplay.from_estimator(clf, pairs=pairs)
    P = clf.exemplars_
    slopes = (
        -2 * P if metric == "sqeuclidean" else -P / np.linalg.norm(P, axis=1)[:, None]
    )
    expected = np.array([slopes[j] - slopes[i] for i, j in pairs])
    scale = np.linalg.norm(display.weights) / np.linalg.norm(expected)
    assert scale > 0
    np.testing.assert_allclose(display.weights, scale * expected, atol=1e-9 * scale)
    np.testing.assert_array_equal(display.im_.get_array(), display.weights)
    # The weights of (i, j) and (j, i) have opposite signs.
    np.testing.assert_allclose(display.weights[0], -display.weights[2])


@pytest.mark.parametrize("pairs", ["all", "other_classes", 3])
@pytest.mark.parametrize("tied", [False, True])
def test_after_training_a_table_is_the_column_of_that_comparison(pairs, tied):
    clf = classifier(pairs=pairs, tied=tied)
    every = [(i, j) for i, others in enumerate(clf.pairs_) for j in others]
    drawn = ComparisonWeightsDisplay.from_estimator(clf, pairs=every)
    # The neurons are in the order of the pairs.
    np.testing.assert_allclose(drawn.weights, -clf.coefs_[0].T)
    backwards = ComparisonWeightsDisplay.from_estimator(clf, pairs=every[::-1])
    np.testing.assert_array_equal(backwards.weights, drawn.weights[::-1])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_tables_of_comparisons_on_few_features(activation):
    clf = classifier(epochs=0, activation=activation, n_comparisons=40)
    units = [7, 3, 39]
    display = ComparisonWeightsDisplay.from_estimator(clf, comparisons=units)
    labels, points = clf.exemplar_labels_, clf.exemplars_
    for weights, (one, other), unit in zip(
        display.weights, display.pairs, units, strict=True
    ):
        i, j = clf.comparisons_[unit]
        compared = clf.comparison_features_[unit]
        variance = clf.effective_metric_params_["V"]
        expected = np.where(compared, (points[i] - points[j]) / variance, 0.0)
        scale = np.linalg.norm(weights) / np.linalg.norm(expected)
        np.testing.assert_allclose(weights, scale * expected, atol=1e-9 * scale)
        assert one.startswith(str(labels[i]))
        assert other.startswith(str(labels[j]))


def test_the_comparisons_that_are_chosen_have_the_longest_weights():
    clf = classifier(n_comparisons=40)
    lengths = [np.sqrt(sum(row**2)) for row in clf.coefs_[1][:40]]
    expected = sorted(range(40), key=lambda unit: -lengths[unit])[:6]
    assert strongest_comparisons(clf) == expected
    display = ComparisonWeightsDisplay.from_estimator(clf)
    np.testing.assert_array_equal(display.weights, clf.coefs_[0][:, expected].T)


@pytest.mark.parametrize("units", [[40], [-1], [0.0], [True], []])
def test_comparisons_that_are_none(units):
    clf = classifier(n_comparisons=40)
    with pytest.raises(ValueError, match="comparisons must be"):
        ComparisonWeightsDisplay.from_estimator(clf, comparisons=units)


def test_pairs_and_comparisons_belong_to_different_networks():
    with pytest.raises(ValueError, match="pairs needs an integer n_neighbors"):
        ComparisonWeightsDisplay.from_estimator(classifier(), pairs=[(0, 1)])
    with pytest.raises(ValueError, match="comparisons needs n_neighbors=None, got 1"):
        ComparisonWeightsDisplay.from_estimator(
            classifier(n_neighbors=1), comparisons=[0]
        )


def test_tables_of_classes_that_came_late():
    clf = MetricInitMLPClassifier(n_exemplars=9, n_neighbors=1, random_state=0)
    clf.partial_fit(X[:100], y[:100], classes=np.unique(y)).partial_fit(X, y)
    n, m = clf.pairs_.shape
    assert n == len(clf.exemplars_) > 9
    for i, j in ((0, n - 1), (n - 1, 3)):
        column = clf.coefs_[0][:, i * m + clf.pairs_[i].tolist().index(j)]
        drawn = ComparisonWeightsDisplay.from_estimator(clf, pairs=[(i, j)]).weights[0]
        np.testing.assert_allclose(drawn, -column)
        assert drawn @ (clf.exemplars_[i] - clf.exemplars_[j]) > 0


def test_the_sign_says_which_of_both_is_nearer():
    clf = classifier(epochs=0, n_neighbors=1)
    (i, j), *_ = pairs = closest_pairs(clf.exemplars_, clf.pairs_, clf.exemplar_labels_)
    (table, *_) = ComparisonWeightsDisplay.from_estimator(clf, pairs=pairs).weights
    # The weighted sum is larger at exemplar i than at exemplar j.
    assert table @ (clf.exemplars_[i] - clf.exemplars_[j]) > 0


def test_tables_of_images_stand_in_a_mosaic_about_zero():
    clf = classifier(n_neighbors=1)
    display = ComparisonWeightsDisplay.from_estimator(
        clf, pairs=[(0, 4), (1, 8), (2, 7)], image_shape=(2, 2)
    )
    np.testing.assert_array_equal(cells(display), display.weights.reshape(3, 2, 2))
    low, high = display.im_.get_clim()
    assert -low == high == abs(display.weights).max()
    label = clf.exemplar_labels_
    titles = [text.get_text() for text in display.text_]
    assert titles == [f"{label[i]} or {label[j]}" for i, j in [(0, 4), (1, 8), (2, 7)]]


def test_the_pairs_that_are_chosen_are_the_nearest_of_two_classes():
    clf = classifier(pairs=4)
    points, labels = clf.exemplars_, clf.exemplar_labels_
    best = {}
    for i, others in enumerate(clf.pairs_):
        for j in others:
            if labels[i] != labels[j]:
                key = frozenset((labels[i], labels[j]))
                away = sum((points[i] - points[j]) ** 2)
                best[key] = min(best.get(key, np.inf), away)
    chosen = closest_pairs(points, clf.pairs_, labels)
    found = [sum((points[i] - points[j]) ** 2) for i, j in chosen]
    np.testing.assert_allclose(found, sorted(best.values()))


def test_pairs_of_one_class_or_of_values_are_chosen_too():
    points = np.array([[0.0], [1.0], [5.0], [5.5]])
    pairs = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    assert closest_pairs(points, pairs) == [(2, 3), (0, 1)]
    assert closest_pairs(points, pairs, np.zeros(4)) == [(2, 3)]
    display = ComparisonWeightsDisplay.from_estimator(regressor())
    assert len(display.weights) == 4


@pytest.mark.parametrize(
    "pair", [(0, 0), (0, 9), (-1, 2), (0.0, 1), (True, 2), (1, 2, 3), 4]
)
def test_pairs_that_are_none(pair):
    with pytest.raises(ValueError, match=r"pairs must be .* from 0 to 8, got .*"):
        ComparisonWeightsDisplay.from_estimator(classifier(n_neighbors=1), pairs=[pair])


def test_pairs_that_are_not_compared():
    clf = classifier(pairs="other_classes")
    with pytest.raises(ValueError, match=r"compared, got \(0, 1\): exemplar 0 is comp"):
        ComparisonWeightsDisplay.from_estimator(clf, pairs=[(0, 1)])
    with pytest.raises(ValueError, match="pairs must be one pair of exemplars or more"):
        ComparisonWeightsDisplay.from_estimator(clf, pairs=[])


# Decision boundaries


@pytest.mark.parametrize(("n_neighbors", "tied"), [(None, False), (1, False), (1, True)])
def test_regions_are_what_is_predicted_on_the_grid(n_neighbors, tied):
    clf = classifier(n_neighbors=n_neighbors, tied=tied)
    start = classifier(epochs=0, n_neighbors=n_neighbors, tied=tied)
    display = DecisionBoundariesDisplay.from_estimator(
        clf, X, y, features=(3, 1), grid_resolution=7
    )
    median = np.median(X, axis=0)
    assert display.xx0.min() < X[:, 3].min()
    assert display.xx0.max() > X[:, 3].max()
    for a, b in np.ndindex(7, 7):
        row = median.copy()
        row[3], row[1] = display.xx0[a, b], display.xx1[a, b]
        assert display.after[a, b] == clf.predict([row])[0]
        assert display.before[a, b] == start.predict([row])[0]
    np.testing.assert_array_equal(display.exemplars, clf.exemplars_[:, [3, 1]])
    np.testing.assert_array_equal(display.labels, clf.exemplar_labels_)
    for surface, regions in zip(
        display.surfaces_, (display.before, display.after), strict=True
    ):
        drawn = clf.classes_[np.asarray(surface.get_array()).reshape(7, 7).astype(int)]
        np.testing.assert_array_equal(drawn, regions)


def test_axes_are_features_of_the_user_and_the_estimator_stays_as_it_is():
    pipeline = scaled().set_params(metricinitmlpclassifier__max_iter=3)
    pipeline.fit(iris.data, y)
    before = [a.copy() for a in pipeline[-1].coefs_]
    features = ("petal width (cm)", "sepal length (cm)")
    display = DecisionBoundariesDisplay.from_estimator(
        pipeline, iris.data, y, features=features, grid_resolution=6
    )
    left, right = display.axes_
    assert (left.get_xlabel(), left.get_ylabel()) == features
    assert right.get_xlabel() == features[0]
    restored = pipeline[0].inverse_transform(pipeline[-1].exemplars_)[:, [3, 0]]
    np.testing.assert_allclose(display.exemplars, restored)
    rows = pd.DataFrame([iris.data.median()] * 36)
    rows[features[0]], rows[features[1]] = display.xx0.ravel(), display.xx1.ravel()
    np.testing.assert_array_equal(display.after.ravel(), pipeline.predict(rows))
    start = clone(pipeline).set_params(metricinitmlpclassifier__max_iter=0)
    start.fit(iris.data, y)
    np.testing.assert_array_equal(display.before.ravel(), start.predict(rows))
    for one, other in zip(before, pipeline[-1].coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert pipeline[-1].max_iter == 3


@pytest.mark.parametrize("make", [classifier, regressor])
def test_the_start_has_the_exemplars_of_the_estimator_without_a_seed(make):
    model = make(random_state=None, exemplars="random")
    rows, targets = (X, y) if make is classifier else (Xr, yr)
    for _ in range(3):
        start = fit_untrained(model, rows, targets)
        np.testing.assert_array_equal(start.exemplars_, model.exemplars_)
        assert start.n_iter_ == 0
    few = fit_untrained(model, rows[::2], targets[::2])
    np.testing.assert_array_equal(few.exemplars_, model.exemplars_)


def test_the_start_with_a_seed_is_that_of_the_estimator():
    start, again = classifier(epochs=0), fit_untrained(classifier(epochs=3), X, y)
    for one, other in zip(start.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_contours_are_the_predictions_of_a_regressor():
    reg = regressor(y=np.stack([yr, yr**2], axis=1))
    display = DecisionBoundariesDisplay.from_estimator(
        reg, Xr, np.stack([yr, yr**2], axis=1), grid_resolution=5, output=1
    )
    rows = np.tile(np.median(Xr, axis=0), (25, 1))
    rows[:, 0], rows[:, 1] = display.xx0.ravel(), display.xx1.ravel()
    np.testing.assert_allclose(display.after.ravel(), reg.predict(rows)[:, 1])
    np.testing.assert_allclose(display.before, display.after)
    np.testing.assert_allclose(display.labels, reg.exemplar_values_[:, 1])
    assert display.surfaces_[0].levels.tolist() == display.surfaces_[1].levels.tolist()


def test_rows_that_are_sparse_and_columns_that_are_no_numbers():
    clf = classifier()
    dense = decision_boundaries(clf, X, y, grid_resolution=4)
    sparse = decision_boundaries(clf, sp.csr_array(X), y, grid_resolution=4)
    for one, other in zip(dense[:4], sparse[:4], strict=True):
        np.testing.assert_array_equal(one, other)
    frame = iris.data.assign(color=pd.Categorical(np.where(X[:, 0] > 5, "red", "blue")))
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), remainder="passthrough"
    )
    pipeline = make_pipeline(columns, clone(clf)).fit(frame, y)
    computed = decision_boundaries(pipeline, frame, y, grid_resolution=4)
    rows = pd.DataFrame([frame[NAMES].median()] * 16).assign(color="red")
    rows[NAMES[0]], rows[NAMES[1]] = computed.xx0.ravel(), computed.xx1.ravel()
    np.testing.assert_array_equal(computed.after.ravel(), pipeline.predict(rows))
    assert computed.exemplars is None
    with pytest.raises(ValueError, match="features must be columns of numbers, got 'col"):
        decision_boundaries(pipeline, frame, y, features=(0, "color"))


def test_the_grid_keeps_to_the_domain_of_a_metric():
    clf = classifier(metric="kl")
    computed = decision_boundaries(clf, X, y, features=(2, 3), grid_resolution=3)
    assert computed.xx0.min() == X[:, 2].min()
    assert computed.xx1.max() == X[:, 3].max()


def test_baselines_have_boundaries_and_no_exemplars():
    clf = classifier(init="random")
    display = DecisionBoundariesDisplay.from_estimator(clf, X, y, grid_resolution=4)
    assert display.exemplars is None
    assert display.points_ == []
    basis = BasisInitMLPRegressor(max_iter=0, random_state=0).fit(Xr[:, :2], yr)
    display = DecisionBoundariesDisplay.from_estimator(
        basis, Xr[:, :2], yr, grid_resolution=4
    )
    assert display.after.shape == (4, 4)


@pytest.mark.parametrize(
    "features",
    [(0, 0), (0, 4), (-1, 0), ("petal", 1), (1,), (0, 1, 2), "ab", 3, (0, True)],
)
def test_features_that_are_no_two_columns(features):
    with pytest.raises(ValueError, match=r"features must be two different columns .*got"):
        decision_boundaries(classifier(), iris.data.to_numpy(), y, features=features)


def test_the_start_needs_y():
    with pytest.raises(ValueError, match="y must be given"):
        DecisionBoundariesDisplay.from_estimator(classifier(), X)
    with pytest.raises(ValueError, match="grid_resolution must be an int of at least 2"):
        DecisionBoundariesDisplay.from_estimator(classifier(), X, y, grid_resolution=1)


# Learning curves


@pytest.mark.parametrize(
    ("solver", "learning_rate"),
    [
        ("adam", "constant"),
        ("sgd", "constant"),
        ("sgd", "invscaling"),
        ("lbfgs", "constant"),
    ],
)
def test_scores_are_those_of_networks_trained_for_so_many_epochs(solver, learning_rate):
    pipeline = make_pipeline(
        StandardScaler(),
        MetricInitMLPClassifier(
            n_exemplars=6,
            n_neighbors=1,
            init="random",
            solver=solver,
            learning_rate=learning_rate,
            class_weight="balanced",
            early_stopping=True,
            random_state=0,
        ),
    )
    cv = KFold(3, shuffle=True, random_state=0)
    frame = learning_curves(
        pipeline, iris.data, y, n_epochs=3, cv=cv, scoring="neg_log_loss"
    )
    assert frame.columns.tolist() == ["split", "epoch", "score"]
    rows = frame.itertuples()
    model = clone(pipeline[-1]).set_params(early_stopping=False)
    if solver == "lbfgs":
        model.set_params(random_state=np.random.RandomState(0).randint(2**31 - 1))
    for split, (train, test) in enumerate(cv.split(X)):
        scaler = StandardScaler().fit(X[train])
        for epoch in range(4):
            model.set_params(max_iter=epoch)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(scaler.transform(X[train]), y[train])
            proba = model.predict_proba(scaler.transform(X[test]))
            line = next(rows)
            assert (line.split, line.epoch) == (split, epoch)
            assert line.score == pytest.approx(-log_loss(y[test], proba))
    assert next(rows, None) is None
    assert frame.groupby("split")["score"].nunique().min() > 1


def test_the_score_is_the_accuracy_or_r2_unless_another_is_asked_for():
    clf = MetricInitMLPClassifier(n_exemplars=6, random_state=0)
    display = LearningCurvesDisplay.from_estimator(clf, X, y, n_epochs=1, cv=2)
    assert display.ax_.get_ylabel() == "accuracy"
    assert not hasattr(clf, "network_")
    splits = enumerate(StratifiedKFold(2).split(X, y))
    for split, (train, test) in splits:
        start = clone(clf).set_params(max_iter=0).fit(X[train], y[train])
        expected = accuracy_score(y[test], start.predict(X[test]))
        assert display.curves.query(f"split == {split}")["score"].iloc[0] == expected
    reg = MetricInitMLPRegressor(n_exemplars=6, random_state=0)
    display = LearningCurvesDisplay.from_estimator(reg, Xr, yr, n_epochs=1, cv=2)
    assert display.ax_.get_ylabel() == "R²"
    start = clone(reg).set_params(max_iter=0).fit(Xr[221:], yr[221:])
    assert display.curves["score"].iloc[0] == start.score(Xr[:221], yr[:221])
    display = LearningCurvesDisplay.from_estimator(
        clf, sp.csr_array(X), list(y), n_epochs=1, cv=2, scoring="balanced_accuracy"
    )
    assert display.ax_.get_ylabel() == "balanced accuracy"


def test_curves_are_means_and_deviations_by_hand():
    rng = np.random.default_rng(0)
    lines = [
        (start, seed, epoch, rng.uniform())
        for start in ("random", "metric")
        for seed in range(4)
        for epoch in (2, 0, 1)
    ]
    frame = pd.DataFrame(lines, columns=["start", "seed", "epoch", "accuracy"])
    display = LearningCurvesDisplay.from_curves(frame)
    texts = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in texts] == ["random", "metric"]
    for name, line, band in zip(
        ["random", "metric"], display.lines_, display.fill_between_, strict=True
    ):
        assert line.get_xdata().tolist() == [0, 1, 2]
        (polygon,) = band.get_paths()
        for epoch in range(3):
            own = np.array([v for s, _, e, v in lines if (s, e) == (name, epoch)])
            mean = own.sum() / 4
            spread = np.sqrt(((own - mean) ** 2).sum() / 3)
            assert line.get_ydata()[epoch] == pytest.approx(mean)
            drawn = polygon.vertices[polygon.vertices[:, 0] == epoch, 1]
            assert drawn.min() == pytest.approx(mean - spread)
            assert drawn.max() == pytest.approx(mean + spread)


def test_one_repetition_has_a_curve_and_no_spread():
    frame = pd.DataFrame({"epoch": [0, 1], "accuracy": [0.5, 0.75]})
    display = LearningCurvesDisplay.from_curves(frame, hue=None)
    assert display.lines_[0].get_ydata().tolist() == [0.5, 0.75]
    assert display.summary["std"].isna().all()
    assert display.ax_.get_legend() is None


def test_curves_that_are_not_accepted():
    frame = pd.DataFrame({"epoch": [0], "accuracy": [0.5]})
    with pytest.raises(ValueError, match=r"hue must be one of the columns \['epoch', 'a"):
        LearningCurvesDisplay.from_curves(frame)
    with pytest.raises(ValueError, match=r"y must be one of the columns .*, got 'score'"):
        summarize_curves(frame, y="score")
    with pytest.raises(ValueError, match="curves has no rows"):
        summarize_curves(frame[:0])
    clf = MetricInitMLPClassifier(learning_rate="adaptive")
    with pytest.raises(ValueError, match="learning_rate must be 'constant', 'linear'"):
        LearningCurvesDisplay.from_estimator(clf, X, y)
    clf = MetricInitMLPClassifier()
    with pytest.raises(ValueError, match="n_epochs must be an int of at least 1, got 0"):
        LearningCurvesDisplay.from_estimator(clf, X, y, n_epochs=0)


# Margins


@pytest.mark.parametrize("x", [X[70], X[[70]], sp.csr_array(X[[70]])])
@pytest.mark.parametrize(
    ("form", "rest"),
    [
        (dict(), ["other exemplars", "bias"]),
        (dict(n_neighbors=1), ["other exemplars", "bias"]),
        (dict(n_neighbors=3), ["other exemplars", "interaction", "bias"]),
    ],
    ids=str,
)
def test_bars_are_what_explain_says(x, form, rest):
    clf = classifier(**form)
    explained = clf.explain(X[[70]], n_nearest=4)
    expected = explained[:4]
    display = MarginsDisplay.from_estimator(clf, x, n_nearest=4)
    widths = [[bar.get_width() for bar in bars] for bars in display.bars_]
    np.testing.assert_allclose(widths[0], expected["margin"])
    np.testing.assert_allclose(widths[1], explained["contribution"])
    z = clf.network_.affine_output(X[[70]])[0]
    assert sum(widths[1]) == pytest.approx(z.max() - z.mean())
    label = display.axes_[1].get_xlabel()
    assert label == f"contribution to {display.predicted}: {sum(widths[1]):.3g} in all"
    assert display.predicted == clf.predict(X[[70]])[0]
    for bars in display.bars_:  # beside each other, at the height of their names
        middles = [bar.get_y() + bar.get_height() / 2 for bar in bars]
        np.testing.assert_allclose(middles, range(len(bars)), atol=1e-9)
    ticks = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert display.terms == ["exemplar"] * 4 + rest
    assert ticks[4:] == rest
    assert ticks[:4] == [
        f"{line.label}  (exemplar {line.exemplar})" for line in expected.itertuples()
    ]
    # The nearest is at the top.
    assert display.axes_[0].yaxis_inverted()
    colors = [mpl.colors.to_hex(bar.get_facecolor()) for bar in display.bars_[0]]
    assert colors == [
        PALETTE[0 if label == display.predicted else 1] for label in expected["label"]
    ]
    gray = [mpl.colors.to_hex(bar.get_facecolor()) for bar in display.bars_[1]][4:]
    assert gray == [PALETTE[3]] * len(rest)


def test_bars_of_a_regressor_are_excesses():
    reg = regressor(y=np.stack([yr, -yr], axis=1))
    expected = reg.explain(Xr[[5]], output=1)
    display = MarginsDisplay.from_estimator(reg, Xr[5], output=1)
    np.testing.assert_allclose(display.distances, expected["excess"][:5])
    np.testing.assert_allclose(display.contributions, expected["contribution"])
    np.testing.assert_allclose(display.labels, expected["value"][:5])
    predicted = reg.predict(Xr[[5]])[0, 1]
    assert display.contributions.sum() == pytest.approx(predicted)
    assert display.terms[5:] == ["other exemplars", "bias"]


def test_rows_go_through_the_steps_before_the_estimator():
    pipeline = scaled()
    expected = pipeline[-1].explain(pipeline[0].transform(iris.data.iloc[[7]]))
    for x in (iris.data.iloc[[7]], iris.data.iloc[7]):
        display = MarginsDisplay.from_estimator(pipeline, x)
        np.testing.assert_allclose(display.distances, expected["margin"][:5])


def test_one_prediction_of_a_table():
    clf = classifier()
    frame = pd.DataFrame(X[:3], index=["first", "second", "third"])
    explained = clf.explain(frame, n_nearest=2)
    display = MarginsDisplay.from_predictions(explained[::-1], row="second")
    expected = explained[explained["row"] == "second"]
    pd.testing.assert_frame_equal(display.explained, expected)
    near = explained[explained["term"] == "exemplar"]
    assert MarginsDisplay.from_predictions(near, row="first").terms == ["exemplar"] * 2
    for row in (None, "fourth", 1):
        with pytest.raises(ValueError, match=r"row must be one of \['first', 'second', "):
            MarginsDisplay.from_predictions(explained, row=row)
    with pytest.raises(ValueError, match=r"has the columns \['contribution', 'excess'"):
        MarginsDisplay.from_predictions(explained[["row", "rank"]], row="first")
    with pytest.raises(ValueError, match=r"n_nearest must be None, .*, got 0"):
        MarginsDisplay.from_estimator(clf, X[0], n_nearest=0)
    with pytest.raises(ValueError, match=r"x must be one row, .*, got \(2, 4\)"):
        MarginsDisplay.from_estimator(clf, X[:2])


def test_a_margin_over_nothing_has_no_bar():
    clf = classifier(X[:60], y[:60], exemplars=(X[:3], y[:3]), n_exemplars=3)
    display = MarginsDisplay.from_estimator(clf, X[0])
    assert np.isinf(display.distances).all()
    display.figure_.canvas.draw()
    assert all(np.isnan(bar.get_width()) for bar in display.bars_[0])


# All displays


@pytest.mark.parametrize("draw", FROM_ANY)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_given_axes_are_used_and_others_left_alone(draw, style):
    with plt.style.context(style):
        figure, (left, right) = plt.subplots(1, 2, layout="constrained")
        own = set(figure.axes)
        display = draw(classifier(), ax=left)
        figure.canvas.draw()
    axes = getattr(display, "axes_", None) or [display.ax_]
    bars = getattr(display, "colorbar_", None)
    expected = own | set(axes) | ({bars.ax} if bars else set())
    assert set(figure.axes) == expected
    assert display.figure_ is figure
    assert not right.has_data()
    assert plt.get_fignums() == [figure.number]
    if axes != [left]:
        assert not left.axison
        row = left.get_subplotspec()
        assert all(ax.get_subplotspec().get_topmost_subplotspec() == row for ax in axes)


@pytest.mark.parametrize("draw", FROM_ANY)
def test_without_axes_a_figure_is_made_and_plot_can_be_called_again(draw):
    first = draw(classifier())
    figure = first.figure_
    assert plt.get_fignums() == [figure.number]
    assert first.plot() is first
    assert first.figure_ is not figure
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize("draw", [draw_boundaries, draw_margins])
def test_two_axes_may_be_given(draw):
    _, axes = plt.subplots(2, 1)
    assert draw(classifier(), ax=axes).axes_ == list(axes)
    figure, axes = plt.subplots(3, 1)
    with pytest.raises(
        ValueError, match="ax must be an axes in a grid of a figure, or 2"
    ):
        draw(classifier(), ax=axes)
    with pytest.raises(ValueError, match="ax must be an axes in a grid"):
        draw(classifier(), ax=figure.add_axes((0, 0, 1, 1)))


def test_keywords_are_passed_on():
    clf = classifier()
    display = ExemplarsDisplay.from_estimator(
        clf, image_shape=(2, 2), im_kw={"cmap": "magma"}, text_kw={"color": "red"}
    )
    assert display.im_.get_cmap().name == "magma"
    assert display.text_[0].get_color() == "red"
    display = ExemplarsDisplay.from_estimator(clf, line_kw={"linewidth": 7})
    assert display.lines_[0].get_linewidth() == 7
    display = ComparisonWeightsDisplay.from_estimator(
        clf, colorbar=False, im_kw={"cmap": "coolwarm"}, text_kw={"color": "red"}
    )
    assert display.colorbar_ is None
    assert display.im_.get_cmap().name == "coolwarm"
    assert display.text_[0].get_color() == "red"
    display = draw_boundaries(clf, surface_kw={"alpha": 1.0}, point_kw={"s": 99})
    assert display.surfaces_[0].get_alpha() == 1.0
    assert display.points_[0].get_sizes() == [99]
    display = draw_margins(clf, bar_kw={"height": 0.5})
    assert display.bars_[0][0].get_height() == 0.5
    display = draw_curves(
        clf, line_kw={"color": "red"}, fill_between_kw={"color": "blue"}
    )
    assert display.lines_[0].get_color() == "red"
    assert mpl.colors.same_color(display.fill_between_[0].get_facecolor()[0, :3], "blue")


@pytest.mark.parametrize("draw", FROM_ANY)
def test_text_has_the_color_of_the_style(draw):
    with plt.style.context("dark_background"):
        display = draw(classifier())
    axes = getattr(display, "axes_", None) or [display.ax_]
    texts = [t for ax in axes for t in ax.findobj(mpl.text.Text) if t.get_text()]
    assert texts
    light = [np.mean(mpl.colors.to_rgb(t.get_color())) > 0.5 for t in texts]
    # Only the numbers on bright cells of a table are dark.
    on_cells = set(getattr(display, "text_", []))
    assert all(
        is_light or t in on_cells for t, is_light in zip(texts, light, strict=True)
    )


def parameter_texts(function):
    """Texts of the section of parameters of a docstring, by name."""
    section = inspect.getdoc(function).split("Parameters\n----------\n")[1]
    section = section.split("\n\n")[0]
    texts = re.split(r"(?m)^(?=\S)", section)[1:]
    return {text.split(" ")[0].strip(): text.strip() for text in texts}


def test_displays_of_features_describe_shared_parameters_equally():
    one = parameter_texts(ExemplarsDisplay.from_estimator)
    other = parameter_texts(ComparisonWeightsDisplay.from_estimator)
    for name in ("image_shape", "feature_names", "ax", "**plot_kw"):
        assert one[name] == other[name]


def test_displays_describe_ax_equally():
    displays = [
        ComparisonWeightsDisplay,
        DecisionBoundariesDisplay,
        ExemplarsDisplay,
        LearningCurvesDisplay,
        MarginsDisplay,
    ]
    texts = {
        parameter_texts(method)["ax"]
        for display in displays
        for method in (display.from_estimator, display.plot)
    }
    assert len(texts) == 2  # one axes, and two
    assert {parameter_texts(d.from_estimator)["**plot_kw"] for d in displays} == {
        "**plot_kw\n    Passed to :meth:`plot`."
    }


@pytest.mark.parametrize("draw", FROM_FITTED)
def test_an_estimator_that_is_not_fitted(draw):
    for unfitted in (
        MetricInitMLPClassifier(),
        make_pipeline(StandardScaler(), MetricInitMLPClassifier()),
    ):
        with pytest.raises(NotFittedError):
            draw(unfitted)
    assert not plt.get_fignums()


@pytest.mark.parametrize("draw", FROM_ANY)
def test_an_estimator_of_another_kind(draw):
    with pytest.raises(TypeError, match="estimator must be one of MetricInitMLPClassifi"):
        draw(LogisticRegression())
    with pytest.raises(TypeError, match=r"ends in one, got Pipeline\("):
        draw(make_pipeline(StandardScaler(), LogisticRegression()))


@pytest.mark.parametrize("draw", FROM_EXEMPLARS)
def test_an_estimator_without_exemplars(draw):
    with pytest.raises(
        ValueError,
        match=r"Display needs exemplars, which init='metric' has, got .*'zeros'",
    ):
        draw(classifier(init="zeros"))


@pytest.mark.parametrize(
    "shape", [(3, 2), (4,), (1, 2, 2), 4, (-2, -2), (2.0, 2.0), "ab"]
)
@pytest.mark.parametrize("display", [ExemplarsDisplay, ComparisonWeightsDisplay])
def test_images_of_another_shape(display, shape):
    with pytest.raises(ValueError, match=r"image_shape must be .* product is 4, .* got"):
        display.from_estimator(classifier(), image_shape=shape)


@pytest.mark.parametrize("display", [ExemplarsDisplay, ComparisonWeightsDisplay])
def test_other_arguments_that_are_not_accepted(display):
    with pytest.raises(ValueError, match=r"feature_names must be 4 names, .*got 3"):
        display.from_estimator(classifier(), feature_names=list("abc"))
    with pytest.raises(ValueError, match="n_columns must be an int of at least 1, got 0"):
        display.from_estimator(classifier(), image_shape=(2, 2), n_columns=0)
    with pytest.raises(ValueError, match="max_images must be an int of at least 1"):
        ExemplarsDisplay.from_estimator(classifier(), image_shape=(2, 2), max_images=2.5)
    with pytest.raises(ValueError, match=r"labels must have shape \(3,\), got \(2,\)"):
        ExemplarsDisplay(np.ones((3, 2)), [0, 1])
    with pytest.raises(
        ValueError, match="pairs must be 3, one per row of weights, got 1"
    ):
        ComparisonWeightsDisplay(np.ones((3, 2)), [("a", "b")])


@pytest.mark.parametrize("display", [ExemplarsDisplay, ComparisonWeightsDisplay])
def test_names_of_features(display):
    assert display.from_estimator(classifier()).feature_names == ["x0", "x1", "x2", "x3"]
    assert display.from_estimator(classifier(iris.data)).feature_names == NAMES
    assert display.from_estimator(scaled()).feature_names == NAMES
    reduced = make_pipeline(PCA(2), MetricInitMLPClassifier(n_exemplars=6, max_iter=0))
    drawn = display.from_estimator(reduced.fit(iris.data, y))
    assert drawn.feature_names == ["pca0", "pca1"]
    drawn = display.from_estimator(scaled(), feature_names=list("abcd"))
    assert drawn.feature_names == list("abcd")
    ticks = [text.get_text() for text in drawn.ax_.get_xticklabels()]
    assert ticks == list("abcd")


@pytest.mark.parametrize(
    "settings",
    [
        dict(n_neighbors=3),
        dict(n_neighbors=1, tied=True, pairs=3),
        dict(n_neighbors=1, pairs="other_classes", activation="logistic"),
        dict(metric=NeighborhoodComponentsAnalysis(1, random_state=0)),
    ],
)
@pytest.mark.parametrize("draw", FROM_ANY)
def test_networks_of_every_form_are_drawn(draw, settings):
    draw(classifier(**settings)).figure_.canvas.draw()


def test_a_network_elsewhere_is_drawn():
    strict = pytest.importorskip("array_api_strict")
    clf = classifier()
    moved = clf.move_to(strict)
    for draw, attribute in zip(
        FROM_FITTED, ("exemplars", "weights", "distances", "after"), strict=True
    ):
        np.testing.assert_array_equal(
            getattr(draw(moved), attribute), getattr(draw(clf), attribute)
        )


def test_steps_without_an_inverse_or_names():
    pipeline = make_pipeline(
        StandardScaler(), Normalizer(), MetricInitMLPClassifier(n_exemplars=6, max_iter=0)
    ).fit(X, y)
    for draw in FROM_ANY:
        draw(pipeline)
    assert decision_boundaries(pipeline, X, y, grid_resolution=3).exemplars is None


def test_a_mosaic_is_undone_by_cutting():
    images = np.random.default_rng(0).normal(size=(7, 2, 5))
    for n_columns in (1, 3, 7):
        pixels, tops, lefts = make_mosaic(images, n_columns)
        for image, top, left in zip(images, tops, lefts, strict=True):
            np.testing.assert_array_equal(pixels[top : top + 2, left : left + 5], image)
        assert np.isfinite(pixels).sum() == images.size
        assert len(np.unique(lefts)) == n_columns


@pytest.mark.parametrize("draw", FROM_ANY)
def test_without_matplotlib_the_error_says_what_to_install(monkeypatch, draw):
    clf = classifier()
    display = draw(clf)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for call in (display.plot, lambda: draw(clf)):
        with pytest.raises(
            ModuleNotFoundError, match=r"pip install 'skmetricmlp\[plot\]'"
        ):
            call()


def test_without_matplotlib_displays_are_made(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    clf = classifier()
    ExemplarsDisplay(clf.exemplars_, clf.exemplar_labels_)
    ComparisonWeightsDisplay(clf.coefs_[0][:, :1].T, [("a", "b")])
    computed = decision_boundaries(clf, X, y, grid_resolution=3)
    DecisionBoundariesDisplay(**computed._asdict())
    curves = learning_curves(clf, X, y, n_epochs=1, cv=2)
    LearningCurvesDisplay(curves, y="score", hue=None)
    MarginsDisplay(clf.explain(X[:1]))


def test_matplotlib_is_not_imported_before_something_is_drawn():
    code = "import sys, skmetricmlp.plotting; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_table_is_shown_by_the_columns_that_the_network_reads(mixed_frame):
    X, y = mixed_frame.drop(columns="label"), mixed_frame["label"]
    clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
    weights = ComparisonWeightsDisplay.from_estimator(clf)
    assert weights.feature_names == list(clf.encoded_feature_names_)
    assert "missingindicator_size" in weights.feature_names
    exemplars = ExemplarsDisplay.from_estimator(clf)
    of_values = [n for n in weights.feature_names if n[:17] != "missingindicator_"]
    assert exemplars.feature_names == of_values
    assert len(of_values) == clf.exemplars_.shape[1]
    holes = np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 1.0], [0.0, 2.0]])
    clf = MetricInitMLPClassifier(max_iter=0, n_exemplars=2).fit(holes, [0, 0, 1, 1])
    assert ExemplarsDisplay.from_estimator(clf).feature_names == ["x0", "x1"]
