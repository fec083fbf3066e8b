"""Finite numbers that overflow or vanish: finite predictions, or an error that says so.

Warnings are errors here, so none of these calls may say "overflow encountered".
"""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA, FactorAnalysis, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NeighborhoodComponentsAnalysis

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp._data import distinct_rows
from skmetricmlp.initialization.least_squares import principal_axes


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    return X, (X[:, 0] > 0).astype(int)


def small(estimator, parameters):
    """Return an estimator of 4 exemplars, and 5 comparisons where there are any."""
    settings = {"n_exemplars": 4, "max_iter": 0}
    if parameters.get("tied") or parameters.get("pairs", "all") != "all":
        parameters = {"n_neighbors": 1} | parameters
    if parameters.get("n_neighbors") is None:
        settings["n_comparisons"] = 5
    return estimator(**settings | parameters)


def classifier(**parameters):
    return small(MetricInitMLPClassifier, parameters)


def regressor(**parameters):
    return small(MetricInitMLPRegressor, parameters)


# --- X ---


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"init": "random"},
        {"activation": "step", "n_neighbors": 1},
        {"activation": "logistic", "n_neighbors": 1},
    ],
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_rows_to_predict_whose_products_overflow_are_refused(rows, make, parameters):
    X, y = rows
    estimator = make(**parameters).fit(X, y)

    with pytest.raises(ValueError, match=r"X has values of up to 1\.5e\+308"):
        estimator.predict([[1.5e308, 1.5e308, -1.5e308]])


def test_large_rows_that_do_not_overflow_are_predicted(rows):
    X, y = rows
    clf = classifier().fit(X, y)

    large = 1e100 * X[:5]
    np.testing.assert_allclose(clf.predict_proba(large).sum(axis=1), 1.0)


def test_float32_rows_from_a_random_start_overflow_with_an_error():
    X = np.full((3, 9), 3e38, dtype=np.float32)
    reg = regressor(init="random", n_exemplars=1, n_comparisons=50)

    with pytest.raises(ValueError, match=r"X .*3e\+38"):
        reg.fit(X, [1.0, 2.0, 3.0]).predict(X)


@pytest.mark.parametrize("init", ["random", "metric"])
def test_a_column_too_small_for_weights_in_its_units_is_refused(init):
    x = np.linspace(0, 1, 13, dtype=np.float32)
    X = np.stack([np.float32(1e-40) * x, x], axis=1)
    reg = regressor(init=init, metric="seuclidean")
    with pytest.raises(ValueError, match=r"X .* [sS]cale (its|the) features"):
        reg.fit(X, x)


def test_given_weights_that_single_precision_cannot_hold_are_refused(rows):
    X, y = rows
    coefs = [np.full((3, 2 + 1), 1e200), np.ones((3, 1))]
    init = coefs, [np.zeros(3), np.zeros(1)]
    reg = regressor(init=init, n_comparisons=3, n_conjunctions=0)
    with pytest.raises(ValueError, match=r"init=.*float32 cannot hold"):
        reg.fit(X.astype(np.float32), y)


@pytest.mark.parametrize("metric", ["sqeuclidean", "kl"])
def test_sparse_rows_of_any_order_are_left_as_they_are(metric):
    X = sp.csr_matrix(np.arange(1.0, 25.0).reshape(6, 4))
    X.indices[:4], X.data[:4] = X.indices[:4][::-1].copy(), X.data[:4][::-1].copy()
    X.has_sorted_indices = False
    before = X.indices.copy()

    clf = classifier(metric=metric).fit(X, [0, 1] * 3)
    clf.predict(X)
    clf.explain(X, n_nearest=1)

    np.testing.assert_array_equal(X.indices, before)


def test_an_explanation_of_rows_that_overflow_is_refused(rows):
    X, y = rows
    with pytest.raises(ValueError, match="X has values of up to 1e"):
        classifier().fit(X, y).explain([[1e308, -1e308, 1e308]], n_nearest=1)
    X = X.astype(np.float32)
    with pytest.raises(ValueError, match=r"X has values of up to 1e\+200"):
        regressor(n_neighbors=1).fit(X, y).explain([[1e200, 0.0, 0.0]], n_nearest=1)


def test_one_exemplar_is_explained_without_comparisons(rows):
    X, _ = rows
    reg = regressor(n_exemplars=1).fit(X, X[:, 0])

    frame = reg.explain(X[:2], n_nearest=None)

    of_exemplars = frame[frame["term"] == "exemplar"]
    assert of_exemplars["exemplar"].tolist() == [0, 0]
    assert of_exemplars["contribution"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("make", [classifier, regressor])
def test_float32_rows_near_the_largest_number_are_predicted_or_refused(make):
    most = np.finfo(np.float32).max
    X = np.array([[most, -most]] * 3 + [[-most, most]], dtype=np.float32)

    try:
        predicted = make(n_exemplars=1).fit(X, [0, 1, 0, 1]).predict(X)
    except ValueError as error:
        assert "X " in str(error)  # noqa: PT017 - either is right
    else:
        assert np.isfinite(predicted).all()


def test_rows_whose_hidden_values_have_squares_that_overflow_are_refused(capfd):
    X = np.full((4, 2), 1e307)
    X[0] /= 2.0

    with pytest.raises(ValueError, match=r"X is too large|hidden values"):
        classifier(metric="kl", metric_params={"smoothing": 1.0}).fit(X, [0, 1, 0, 1])

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_nothing_that_is_not_finite_reaches_lapack(value, capfd):
    A = np.ones((5, 3))
    A[0, 0] = value

    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ValueError, match="hidden values"),
    ):
        principal_axes(A)

    assert capfd.readouterr() == ("", "")


def test_a_covariance_that_overflows_is_refused(rows):
    X, y = rows
    with pytest.raises(ValueError, match="X is too large"):
        classifier(metric="mahalanobis", exemplars="random").fit(1e160 * X, y)


# --- transformers ---


@pytest.mark.parametrize(
    ("metric", "X", "cause"),
    [
        (LinearDiscriminantAnalysis(), np.zeros((5, 3)), IndexError),
        (PCA(1, svd_solver="arpack"), np.zeros((5, 1)), ValueError),
        (
            LinearDiscriminantAnalysis(solver="eigen"),
            np.zeros((5, 3)),
            np.linalg.LinAlgError,
        ),
        (NeighborhoodComponentsAnalysis(init="lda"), np.zeros((1, 2)), Exception),
    ],
    ids=["svd", "one column", "eigen", "one row"],
)
def test_what_a_transformer_raises_of_degenerate_rows_names_metric(metric, X, cause):
    clf = classifier(metric=metric)

    with pytest.raises(ValueError, match="metric=") as raised:
        clf.fit(X, np.arange(len(X)) % 2)

    assert type(raised.value) is ValueError
    assert isinstance(raised.value.__cause__, cause)


def test_whatever_arpack_makes_of_rows_of_zeros_is_a_result_or_names_metric():
    """An ArpackError, or with older versions of SciPy components of nothing."""
    clf = classifier(metric=TruncatedSVD(1, algorithm="arpack"))
    try:
        predicted = clf.fit(np.zeros((5, 3)), np.arange(5) % 2).predict(np.zeros((1, 3)))
    except ValueError as error:
        assert "metric=" in str(error)  # noqa: PT017 - it may also raise nothing
    else:
        assert predicted.item() in {0, 1}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_whose_squares_overflow_are_not_passed_to_a_transformer(dtype, capfd):
    X = np.random.default_rng(0).normal(size=(6, 3)).astype(dtype)
    X *= dtype(np.finfo(dtype).max ** 0.6)
    metric = TruncatedSVD(1, algorithm="arpack")
    with pytest.raises(
        ValueError, match=r"metric=.* X with values .* overflow|X is too large"
    ):
        classifier(metric=metric).fit(X, [0, 1] * 3)

    assert capfd.readouterr() == ("", "")


def test_a_transformer_of_no_component_is_refused():
    X = np.random.default_rng(0).normal(size=(6, 2))
    with pytest.raises(ValueError, match=r"metric=.* no component"):
        classifier(metric=LinearDiscriminantAnalysis(solver="eigen")).fit(X, [0] * 6)


def test_a_transformer_that_divides_by_zero_is_judged_by_what_it_returns():
    metric = FactorAnalysis(1, max_iter=20, tol=1.0)
    X = np.tile([[1.0, 2.0]], (5, 1))
    with pytest.raises(ValueError, match="metric="):
        classifier(metric=metric).fit(X, [0, 1, 0, 1, 0])


# --- weights ---


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("weight", [1e300, 1e38, 1e-300])
def test_weights_that_single_precision_cannot_hold_are_refused(rows, make, weight):
    X, y = rows
    weights = np.full(len(X), weight)

    make().fit(X, y, weights)
    with pytest.raises(ValueError, match="sample_weight must have a sum that float32"):
        make().fit(X.astype(np.float32), y, weights)


def test_products_of_sample_and_class_weight_are_refused_where_they_overflow(rows):
    X, y = rows
    clf = classifier(class_weight={0: 1e200, 1: 1.0})
    with pytest.raises(ValueError, match="sample_weight times class_weight"):
        clf.fit(X, y, np.full(len(X), 1e150))


def test_a_class_whose_weight_is_nothing_beside_another_has_exemplars(rows):
    X, y = rows
    clf = classifier(class_weight={0: 1e300, 1: 1e-300}).fit(X, y)

    assert set(clf.exemplar_labels_) == {0, 1}
    assert np.isfinite(clf.predict_proba(X)).all()


def test_weights_of_all_sizes_give_finite_predictions(rows):
    X, _ = rows
    weights = 10.0 ** np.linspace(-200, 200, len(X))
    reg = regressor().fit(X, X[:, 1], weights)

    assert np.isfinite(reg.predict(X)).all()


def test_the_scale_of_weights_does_not_matter_to_distinct_rows(rows):
    X, _ = rows
    weights = np.random.default_rng(1).random(len(X))
    one = distinct_rows(X, X[:, :1], weights)
    other = distinct_rows(X, X[:, :1], weights * 2.0**900)

    np.testing.assert_array_equal(one.sample_weight, other.sample_weight)
    np.testing.assert_array_equal(one.y, other.y)


@pytest.mark.parametrize("weight", [1e-20, 1e-30])
def test_adam_takes_finite_steps_where_squares_of_gradients_vanish(rows, weight):
    X, y = (array.astype(np.float32) for array in rows)
    reg = regressor(epsilon=1e-300, max_iter=1)
    weights = np.full(len(X), weight)
    reg.partial_fit(X, y, weights).partial_fit(X, y, weights)
    assert np.isfinite(reg.predict(X)).all()


# --- parameters, and the basis regressor ---


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_schedule_may_end_at_once(rows):
    X, y = rows
    settings = {"learning_rate": "invscaling", "power_t": 1e300, "random_state": 0}
    for more in ({}, {"solver": "sgd", "momentum": 0.0}):
        one, three = (
            classifier(max_iter=n, **settings, **more).fit(X, y) for n in (1, 3)
        )
        for a, b in zip(one.coefs_, three.coefs_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_numbers_beyond_floats_are_accepted_or_refused_by_name(rows):
    X, y = rows
    large = "n_iter_no_change", "n_exemplars", "batch_size", "n_conjunctions"
    for name in (*large, "max_features"):
        classifier(**{name: 10**400}).fit(X, y)
    for name in ("alpha", "learning_rate_init"):
        with pytest.raises(ValueError, match=name):
            classifier(**{name: 10**400}).fit(X, y)
    with pytest.raises(MemoryError, match="n_comparisons"):
        classifier(n_comparisons=10**400).fit(X, y)
    with pytest.raises(ValueError, match="domain must be"):
        BasisInitMLPRegressor(domain=[[0, 10**400]] * 3).fit(X, y)


def test_a_parameter_may_be_of_a_small_type_of_numpy(rows):
    X, y = rows
    small = {"n_exemplars": np.int8(4), "n_comparisons": np.int8(100)}
    clf = classifier(**small, alpha=np.float16(0.5), max_iter=np.int8(0)).fit(X, y)
    assert clf.network_.layers[0].n_out == 100 + 99
    reg = BasisInitMLPRegressor(n_parts=np.int8(2), max_iter=0).fit(X, X[:, 0])
    assert np.isfinite(reg.predict(X)).all()


def test_a_table_is_no_metric(rows):
    X, y = rows
    with pytest.raises(ValueError, match="metric must be an estimator"):
        classifier(metric=pd.DataFrame(X)).fit(X, y)


@pytest.mark.parametrize("scale", [1e-320, 1e-310])
def test_a_domain_too_narrow_for_weights_is_refused(scale):
    x = np.linspace(0, 1, 20)
    X = np.stack([x, scale * x], axis=1)
    with pytest.raises(ValueError, match=r"domain\[1\] .* too narrow .* column 1 of X"):
        BasisInitMLPRegressor(max_iter=0).fit(X, x)
    with pytest.raises(ValueError, match="X is too small"):
        BasisInitMLPRegressor(max_iter=0).fit(X[:, 1:], x)


def test_validation_rows_of_single_precision_are_mapped_in_that_of_the_training_rows():
    x = np.linspace(0, 1, 20)[:, None]
    X_val = np.full((3, 1), 1e-160, dtype=np.float32)
    reg = BasisInitMLPRegressor(max_iter=1)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        reg.fit(1e-160 * x, x[:, 0], X_val=X_val, y_val=[0.0, 0.0, 0.0])
    assert np.isfinite(reg.validation_loss_curve_).all()


def test_a_domain_too_wide_for_the_precision_is_refused():
    X = np.zeros((3, 1), dtype=np.float32)
    reg = BasisInitMLPRegressor(domain=[[0.0, 1e300]], max_iter=0)
    with pytest.raises(ValueError, match=r"domain\[0\] .* too wide .* float32"):
        reg.fit(X, [1.0, 2.0, 3.0])
    X = np.array([[-1.5e308], [1.5e308]])
    with pytest.raises(ValueError, match=r"too wide|X is too large"):
        BasisInitMLPRegressor(max_iter=0).fit(X, [1.0, 2.0])


def test_a_wide_domain_in_double_precision_is_no_fault():
    x = np.linspace(-1, 1, 50)[:, None]
    X = 1e300 * x
    reg = BasisInitMLPRegressor(max_iter=0).fit(X, np.sin(x[:, 0]))

    np.testing.assert_allclose(reg.predict(X), np.sin(x[:, 0]), atol=1e-3)
