"""Metrics against loops over the formulas, and untrained networks against brute force."""

import pickle
from math import log, sqrt

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.utils import get_tags

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp._data import distinct_rows
from skmetricmlp.metrics.fitting import fit_metric, linear_part
from skmetricmlp.metrics.formulas import METRICS, chamfer

flowers, species = load_iris(return_X_y=True)
images, digits = load_digits(return_X_y=True)
images = images[:600] / 16
digits = digits[:600]
for array in (flowers, species, images, digits):
    array.flags.writeable = False

D = 6
RNG = np.random.default_rng(0)
V = RNG.uniform(0.5, 3, D)
ROOT = RNG.normal(size=(D, D))
VI = ROOT @ ROOT.T
SMOOTHING = 0.3
SHAPE = (2, 3)


# --- the formulas, from the definitions of the distances ---


def squares(x, p):
    return sum((a - b) ** 2 for a, b in zip(x, p, strict=True))


def by_variance(x, p):
    return sum((a - b) ** 2 / v for a, b, v in zip(x, p, V, strict=True))


def by_matrix(x, p):
    return sum(
        (x[j] - p[j]) * VI[j, k] * (x[k] - p[k]) for j in range(D) for k in range(D)
    )


def scaled_cosine(x, p):
    norm_x, norm_p = (sqrt(sum(a * a for a in v)) for v in (x, p))
    return norm_x * (1 - sum(a * b for a, b in zip(x, p, strict=True)) / norm_x / norm_p)


def divergence(x, p):
    pairs = [(a + SMOOTHING, b + SMOOTHING) for a, b in zip(x, p, strict=True)]
    return sum(a * log(a / b) - a + b for a, b in pairs)


def itakura_saito(x, p):
    return sum(a / b - log(a / b) - 1 for a, b in zip(x, p, strict=True))


def pixel_distance(x, p):
    """Sum over the cells of x of the squared distance to a cell of p in that state."""
    cells = [divmod(c, SHAPE[1]) for c in range(D)]

    def nearest(cell, state):
        found = [
            (cell[0] - other[0]) ** 2 + (cell[1] - other[1]) ** 2
            for other, value in zip(cells, p, strict=True)
            if (value > 0.5) == state
        ]
        return min(found, default=SHAPE[0] ** 2 + SHAPE[1] ** 2)

    return sum(
        a * nearest(cell, state=True) + (1 - a) * nearest(cell, state=False)
        for a, cell in zip(x, cells, strict=True)
    )


ORACLES = {
    "sqeuclidean": (squares, {}),
    "seuclidean": (by_variance, {"V": V}),
    "mahalanobis": (by_matrix, {"VI": VI}),
    "cosine": (scaled_cosine, {}),
    "kl": (divergence, {"smoothing": SMOOTHING}),
    "itakura_saito": (itakura_saito, {}),
    "chamfer": (pixel_distance, {"image_shape": SHAPE, "threshold": 0.5}),
}


def test_every_metric_has_an_oracle():
    assert ORACLES.keys() == METRICS.keys()


@pytest.mark.parametrize("name", METRICS)
def test_scores_are_the_distance_up_to_a_term_per_row(name):
    distance, parameters = ORACLES[name]
    points, X = RNG.uniform(0.05, 1, (5, D)), RNG.uniform(0.05, 1, (7, D))
    points.flags.writeable = X.flags.writeable = False
    A, b = METRICS[name].function(points, **parameters)
    assert A.shape == (5, D)
    assert b.shape == (5,)
    expected = np.array([[distance(x, p) for p in points] for x in X])
    scores = X @ A.T + b
    np.testing.assert_allclose(scores - scores[:, :1], expected - expected[:, :1])


def test_chamfer_of_images_that_are_all_on_or_all_off():
    points = np.array([[1.0] * D, [0.0] * D])
    A, b = chamfer(points, SHAPE, 0.5)
    for x in (np.zeros(D), np.ones(D), np.linspace(0, 1, D)):
        expected = [pixel_distance(x, p) for p in points]
        np.testing.assert_allclose(A @ x + b, expected)


def test_the_cosine_distance_from_zero_is_one():
    A, b = METRICS["cosine"].function(np.array([[0.0, 0.0], [1.0, 0.0]]))
    x = np.array([3.0, 4.0])
    np.testing.assert_allclose((A @ x + b) / 5 + 1, [1.0, 1 - 0.6])


# --- invariances of the metrics ---


def scores_of(name, X, points, weights=None, **parameters):
    weights = np.ones(len(X)) if weights is None else weights
    codes = np.zeros(len(X), dtype=int)
    rows = distinct_rows(X, codes, weights)
    A, b = fit_metric(name, parameters, rows, codes)(points)
    scores = X @ A.T + b
    return scores - scores[:, :1]


def positive(seed, n):
    return np.random.default_rng(seed).uniform(0.1, 1, (n, D))


def rotation():
    return np.linalg.qr(ROOT)[0]


TRANSFORMATIONS = {
    "sqeuclidean": lambda X: X @ rotation() + 3.0,
    "seuclidean": lambda X: X * V - 7.0,
    "mahalanobis": lambda X: X @ ROOT + 1.0,
    "itakura_saito": lambda X: X * V,
    "kl": lambda X: X[:, ::-1],
    "cosine": lambda X: X @ rotation(),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_scores_do_not_change_with_what_the_metric_does_not_see(name):
    X, points, change = positive(1, 40), positive(2, 5), TRANSFORMATIONS[name]
    np.testing.assert_allclose(
        scores_of(name, change(X), change(points)), scores_of(name, X, points)
    )


def test_cosine_scores_do_not_depend_on_the_length_of_exemplars():
    X, points = positive(1, 40), positive(2, 5)
    lengths = np.arange(1.0, 6.0)[:, None]
    np.testing.assert_allclose(
        scores_of("cosine", X, points * lengths), scores_of("cosine", X, points)
    )


def test_chamfer_scores_do_not_change_when_images_are_turned():
    X, points = positive(1, 40), positive(2, 5)

    def turn(images):
        return images.reshape(-1, *SHAPE).transpose(0, 2, 1).reshape(-1, D)

    np.testing.assert_allclose(
        scores_of("chamfer", turn(X), turn(points), image_shape=SHAPE[::-1]),
        scores_of("chamfer", X, points, image_shape=SHAPE),
    )


@pytest.mark.parametrize("name", ["seuclidean", "mahalanobis", "kl"])
def test_a_row_of_weight_two_is_the_row_twice(name):
    X, points = positive(1, 30), positive(2, 5)
    weights = np.random.default_rng(3).integers(1, 4, 30)
    repeated = np.repeat(X, weights, axis=0)
    order = np.random.default_rng(4).permutation(len(repeated))
    first = np.repeat(np.cumsum(np.r_[0, weights[:-1]]), 1)
    np.testing.assert_array_equal(
        scores_of(name, repeated[order], points)[np.argsort(order)][first],
        scores_of(name, X, points, weights.astype(float)),
    )


def test_what_is_learned_from_the_rows():
    X = positive(1, 50)
    rows = distinct_rows(X, np.zeros(50, int), np.ones(50))

    def learned(name):
        return fit_metric(name, None, rows, None).parameters

    np.testing.assert_allclose(learned("seuclidean")["V"], X.var(axis=0))
    covariance = np.cov(X.T, ddof=0)
    np.testing.assert_allclose(learned("mahalanobis")["VI"], np.linalg.inv(covariance))
    assert learned("kl")["smoothing"] == pytest.approx(0.1 * X.mean())


def test_constant_and_dependent_columns_leave_the_metric_finite():
    X = np.c_[positive(1, 40), np.full(40, 7.0)]
    X = np.c_[X, X[:, 0] + X[:, 1]]
    for name in ("seuclidean", "mahalanobis"):
        clf = MetricInitMLPClassifier(metric=name, n_exemplars=6, max_iter=0)
        assert np.isfinite(clf.fit(X, np.arange(40) % 2).predict_proba(X)).all()


# --- untrained networks are the nearest exemplar in the metric ---


def untrained(X, y, n_neighbors=1, **settings):
    return MetricInitMLPClassifier(
        n_exemplars=12,
        exemplars="random",
        n_neighbors=n_neighbors,
        activation="step",
        max_iter=0,
        random_state=0,
        **settings,
    ).fit(X, y)


def brute_force(clf, X, k=1, **metric):
    neighbors = KNeighborsClassifier(k, algorithm="brute", **metric)
    return neighbors.fit(clf.exemplars_, clf.exemplar_labels_).predict(X)


def kl_of(x, p):
    x, p = x + SMOOTHING, p + SMOOTHING
    return float(np.sum(x * np.log(x / p) - x + p))


def itakura_saito_of(x, p):
    return float(np.sum(x / p - np.log(x / p) - 1))


LIBRARY = {
    "sqeuclidean": ({}, {"metric": "sqeuclidean"}),
    "seuclidean": (
        {},
        {"metric": "seuclidean", "metric_params": {"V": flowers.var(axis=0)}},
    ),
    "mahalanobis": (
        {},
        {
            "metric": "mahalanobis",
            "metric_params": {"VI": np.linalg.inv(np.cov(flowers.T))},
        },
    ),
    "cosine": ({}, {"metric": "cosine"}),
    "kl": ({"metric_params": {"smoothing": SMOOTHING}}, {"metric": kl_of}),
    "itakura_saito": ({}, {"metric": itakura_saito_of}),
}


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", LIBRARY)
def test_untrained_network_is_the_nearest_exemplar(name, k):
    settings, library = LIBRARY[name]
    clf = untrained(flowers, species, metric=name, n_neighbors=k, **settings)
    np.testing.assert_array_equal(
        clf.predict(flowers), brute_force(clf, flowers, k, **library)
    )


def test_untrained_chamfer_network_is_the_nearest_exemplar():
    X, y = images[:200], digits[:200]
    clf = untrained(X, y, metric="chamfer", metric_params={"image_shape": (8, 8)})
    cells = np.indices((8, 8)).reshape(2, -1).T
    apart = ((cells[:, None] - cells) ** 2).sum(axis=2)

    def distance(x, p):
        to_on = apart[:, p > 0.5].min(axis=1, initial=128)
        to_off = apart[:, p <= 0.5].min(axis=1, initial=128)
        return float(x @ to_on + (1 - x) @ to_off)

    expected = brute_force(clf, X, metric=distance)
    np.testing.assert_array_equal(clf.predict(X), expected)
    assert len(set(expected)) == 10


@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("name", [*LIBRARY, "chamfer"])
def test_a_sharp_network_is_nearly_the_nearest_exemplar(name, activation):
    settings = dict(
        metric=name,
        metric_params={"image_shape": (8, 8)} if name == "chamfer" else None,
        n_exemplars=20,
        max_iter=0,
        random_state=0,
    )
    X = images + 0.01 * (name != "chamfer")
    step = MetricInitMLPClassifier(n_neighbors=1, activation="step", **settings).fit(
        X, digits
    )
    sharp = MetricInitMLPClassifier(
        n_neighbors=1, activation=activation, sharpness=100, **settings
    )
    agreement = np.mean(sharp.fit(X, digits).predict(X) == step.predict(X))
    assert agreement > 0.98


@pytest.mark.parametrize("kind", ["float32", "csr_array", "csr_matrix"])
@pytest.mark.parametrize("name", ["seuclidean", "mahalanobis", "cosine", "kl"])
def test_single_precision_and_sparse_rows(name, kind):
    X = images.astype(np.float32) if kind == "float32" else getattr(sp, kind)(images)
    settings = dict(
        exemplars=(images[:30], digits[:30]), max_iter=0, n_neighbors=1, activation="step"
    )
    dense, other = (
        MetricInitMLPClassifier(metric=name, **settings).fit(rows, digits)
        for rows in (images, X)
    )
    assert np.mean(other.predict(X) == dense.predict(images)) > 0.99


# --- transformers ---

TRANSFORMERS = {
    "nca": NeighborhoodComponentsAnalysis(n_components=2, random_state=0, max_iter=20),
    "lda": LinearDiscriminantAnalysis(),
    "lda, eigen": LinearDiscriminantAnalysis(solver="eigen", n_components=1),
    "pca": PCA(2),
    "pca, whitened": PCA(3, whiten=True),
    "svd": TruncatedSVD(2, random_state=0),
    "scaler": StandardScaler(),
    "pipeline": make_pipeline(StandardScaler(), PCA(2)),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_is_folded_into_the_weights(name):
    transformer = TRANSFORMERS[name]
    clf = untrained(flowers, species, metric=transformer)
    fitted = clone(transformer).fit(flowers, species)
    neighbors = KNeighborsClassifier(1)
    neighbors.fit(fitted.transform(clf.exemplars_), clf.exemplar_labels_)
    expected = neighbors.predict(fitted.transform(flowers))
    np.testing.assert_array_equal(clf.predict(flowers), expected)
    assert not hasattr(transformer, "n_features_in_")  # a clone was fitted

    for given in (fitted, FrozenEstimator(fitted)):
        again = untrained(flowers, species, metric=given)
        np.testing.assert_array_equal(again.coefs_[0], clf.coefs_[0])


def test_a_fitted_transformer_is_not_fitted_again():
    fitted = PCA(1).fit(flowers[:50])
    clf = untrained(flowers, species, metric=fitted)
    L = clf.effective_metric_params_["L"]
    np.testing.assert_allclose(L, fitted.components_, atol=1e-12)


def test_the_linear_part_of_features_of_very_different_scale():
    X = flowers * [1e-6, 1.0, 1e6, 1.0] + [0.0, 0.0, 1e9, 0.0]
    fitted = LinearDiscriminantAnalysis().fit(X, species)
    expected = fitted.scalings_.T[:2]
    np.testing.assert_allclose(linear_part(fitted, X), expected, rtol=1e-4)


def test_a_transformer_that_was_fitted_on_a_data_frame():
    names = ["a", "b", "c", "d"]
    frame = pd.DataFrame(flowers, columns=names)
    fitted = PCA(2).set_output(transform="pandas").fit(frame)
    clf = untrained(frame, species, metric=fitted)
    plain = untrained(flowers, species, metric=PCA(2))
    np.testing.assert_allclose(clf.coefs_[0], plain.coefs_[0], atol=1e-10)
    with pytest.raises(ValueError, match=r"fitted on the features .*'a'.* X has .*'d'"):
        untrained(frame[names[::-1]], species, metric=fitted)


@pytest.mark.parametrize(
    "transformer", [KernelPCA(2, kernel="rbf"), QuantileTransformer(n_quantiles=50)]
)
def test_a_transformer_that_is_not_linear_is_refused(transformer):
    with pytest.raises(ValueError, match=r"^metric=.*is not linear.*differs .* by "):
        untrained(flowers, species, metric=transformer)


def test_a_transformer_of_other_features_is_refused():
    with pytest.raises(ValueError, match=r"^metric=PCA.*X has 4 features.* 2 features"):
        untrained(flowers, species, metric=PCA(1).fit(flowers[:, :2]))


# --- a function of the user ---


def weighted(points, power=1.0):
    weights = np.arange(1.0, 1 + points.shape[1]) ** power
    return -2 * points * weights, (points * points * weights).sum(axis=1)


def test_a_callable_metric():
    clf = untrained(flowers, species, metric=weighted, metric_params={"power": 2.0})
    scale = np.arange(1.0, 5.0)
    neighbors = KNeighborsClassifier(1).fit(clf.exemplars_ * scale, clf.exemplar_labels_)
    np.testing.assert_array_equal(
        clf.predict(flowers), neighbors.predict(flowers * scale)
    )
    assert clf.effective_metric_params_ == {"power": 2.0}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda points: points, "must return a pair"),
        (lambda points: (points, points), r"of shapes \(12, 4\) and \(12,\), got "),
        (lambda points: (points[:2], points[:2, 0]), r"got \(2, 4\) and \(2,\)"),
        (lambda points: (points, points[:, 0] * np.nan), "not finite"),
        (lambda _: 3, "must return a pair .*cannot unpack|must return .* iterable"),
        (lambda _: ("a", "b"), "must return a pair .*'a'"),
    ],
)
def test_a_callable_that_returns_no_scores_is_refused(function, message):
    with pytest.raises(ValueError, match=rf"^metric=<lambda> .*{message}"):
        untrained(flowers, species, metric=function)


# --- errors ---

names_4 = ["sepal length", "sepal width", "petal length", "petal width"]


def with_value(value):
    frame = pd.DataFrame(flowers, columns=names_4)
    frame.loc[7, "petal length"] = value
    return frame


DOMAINS = [
    ("kl", -0.5, "values >= 0"),
    ("itakura_saito", 0.0, "values > 0"),
    ("itakura_saito", -1.0, "values > 0"),
    ("chamfer", -0.1, "values from 0 to 1"),
    ("chamfer", 10.5, "values from 0 to 1"),
]


@pytest.mark.parametrize(("name", "value", "words"), DOMAINS)
def test_data_outside_the_domain_name_the_column(name, value, words):
    bad = with_value(value)
    good = with_value(1.0) / 10 if name == "chamfer" else with_value(1.0)
    bad = bad / 10 if name == "chamfer" else bad
    params = {"image_shape": (2, 2)} if name == "chamfer" else None
    shown = f"{bad.loc[7, 'petal length']:.6g}"
    message = rf"metric='{name}' takes {words}, but X has {shown} in column 2 \('petal le"
    clf = MetricInitMLPClassifier(
        n_exemplars=6, metric=name, metric_params=params, max_iter=0
    )
    with pytest.raises(ValueError, match=message):
        clf.fit(bad, species)
    assert not hasattr(clf, "classes_")
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(bad, species, classes=[0, 1, 2])
    clf.fit(good, species)
    before = clf.coefs_
    for call in (
        lambda: clf.predict(bad),
        lambda: clf.predict_proba(bad),
        lambda: clf.explain(bad),
        lambda: clf.partial_fit(bad, species),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert all(one is other for one, other in zip(clf.coefs_, before, strict=True))
    with pytest.raises(ValueError, match=message.replace("X has", "X_val has")):
        clf.fit(good, species, X_val=bad, y_val=species)


def test_implicit_zeros_of_a_sparse_matrix_are_values():
    X = sp.csr_array(flowers * (np.arange(150) > 3)[:, None])
    clf = MetricInitMLPClassifier(metric="itakura_saito", max_iter=0)
    with pytest.raises(ValueError, match="but X has 0 in column 0"):
        clf.fit(X, species)
    clf.set_params(metric="kl").fit(X, species)


def test_exemplars_outside_the_domain_are_refused():
    clf = MetricInitMLPClassifier(exemplars=(-flowers[::20], species[::20]), metric="kl")
    with pytest.raises(ValueError, match=r"but exemplars has -6\.9 in column 0"):
        clf.fit(flowers, species)


@pytest.mark.parametrize(
    ("metric", "params", "message"),
    [
        ("euclid", None, r"^metric must be one of 'auto', .* got 'euclid'"),
        (None, None, "^metric must be one of "),
        (3, None, "^metric must be one of "),
        (PCA, None, "^metric must be one of .*PCA"),
        ("cosine", {"V": V}, r"^metric_params has \['V'\]; .*takes no parameters"),
        ("seuclidean", {"VI": VI}, r"^metric_params has \['VI'\]; .*takes 'V'"),
        ("kl", {"alpha": 1}, "takes 'smoothing'"),
        ("kl", {"smoothing": 0}, r"^metric_params\['smoothing'\] must be positive.*0"),
        ("kl", {"smoothing": "1"}, r"\['smoothing'\] must be positive"),
        ("mahalanobis", {"V": VI, "VI": VI}, "not both"),
        ("mahalanobis", {"VI": np.eye(3)}, r"\['VI'\] must have shape \(4, 4\), got"),
        ("mahalanobis", {"V": np.triu(np.ones((4, 4)))}, r"\['V'\] must be symmetric"),
        ("mahalanobis", {"V": -np.eye(4)}, "positive semi-definite.* eigenvalue of -1"),
        ("mahalanobis", {"VI": np.full((4, 4), np.nan)}, "not finite"),
        ("seuclidean", {"V": [1, 2]}, r"must have shape \(4,\), got \(2,\)"),
        ("seuclidean", {"V": [1, 2, 0, 1]}, r"\['V'\] must be positive, got 0"),
        ("seuclidean", {"V": ["a"] * 4}, "must be an array of shape"),
        ("chamfer", None, "needs metric_params={'image_shape'"),
        ("chamfer", {"image_shape": (3, 3)}, "has 9 cells, and X has 4 features"),
        ("chamfer", {"image_shape": 4}, "must be a tuple of positive ints, got 4"),
        ("chamfer", {"image_shape": (-2, -2)}, "must be a tuple of positive ints"),
        ("chamfer", {"image_shape": (2, 2), "threshold": 1}, "from 0 to less than 1"),
        (PCA(1), {"V": V}, "must be None with a transformer"),
    ],
)
def test_metrics_that_are_not_accepted(metric, params, message):
    clf = MetricInitMLPClassifier(metric=metric, metric_params=params, max_iter=0)
    with pytest.raises(ValueError, match=message):
        clf.fit(flowers / 10, species)
    assert not hasattr(clf, "classes_")


def test_metric_params_must_be_a_dict():
    clf = MetricInitMLPClassifier(metric_params=[1])
    with pytest.raises(TypeError, match=r"^metric_params must be a dict or None, got"):
        clf.fit(flowers, species)


# --- with the rest of scikit-learn ---


@pytest.mark.parametrize("name", METRICS)
def test_the_tags_say_which_metrics_take_positive_data_only(name):
    clf = MetricInitMLPClassifier(metric=name, max_iter=0)
    params = {"image_shape": (2, 2)} if name == "chamfer" else None
    positive_only = name in {"kl", "itakura_saito", "chamfer"}
    assert get_tags(clf).input_tags.positive_only == positive_only
    centered = flowers - flowers.mean()
    if positive_only:
        with pytest.raises(ValueError, match="Negative values in data"):
            clf.set_params(metric_params=params).fit(centered, species)
    else:
        clf.fit(centered, species)


def test_parameters_of_a_transformer_are_searched():
    search = GridSearchCV(
        MetricInitMLPClassifier(metric=PCA(), n_exemplars=6, max_iter=0, random_state=0),
        {"metric__n_components": [1, 3], "init": ["metric"]},
        cv=3,
    ).fit(flowers, species)
    L = search.best_estimator_.effective_metric_params_["L"]
    assert L.shape == (search.best_params_["metric__n_components"], 4)


@pytest.mark.parametrize("name", [*METRICS, "pca"])
def test_fitted_metrics_are_pickled_and_trained_on(name):
    metric = PCA(20) if name == "pca" else name
    params = {"image_shape": (8, 8)} if name == "chamfer" else None
    X = images + (name == "itakura_saito")
    clf = MetricInitMLPClassifier(
        metric=metric, metric_params=params, n_exemplars=20, max_iter=0, random_state=0
    ).fit(X, digits)
    before = clf.score(X, digits)
    copy = pickle.loads(pickle.dumps(clf))  # noqa: S301 - made just now
    for _ in range(3):
        clf.partial_fit(X, digits)
        copy.partial_fit(X, digits)
    np.testing.assert_array_equal(copy.predict_proba(X), clf.predict_proba(X))
    assert before > 0.6
    assert clf.score(X, digits) > 0.85


def test_the_metric_does_not_matter_to_a_random_start():
    one, other = (
        MetricInitMLPClassifier("random", metric=m, max_iter=0, random_state=0)
        for m in ("sqeuclidean", "cosine")
    )
    np.testing.assert_array_equal(
        one.fit(flowers, species).coefs_[0], other.fit(flowers, species).coefs_[0]
    )
    with pytest.raises(AttributeError, match="init='random' has no exemplars"):
        _ = one.effective_metric_params_
