"""What is passed beside X: labels, names, units and containers, held against X and y."""

import re
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
    nearest_exemplar_weights,
)

X, y = load_iris(return_X_y=True)
values = X[:, 3]
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
table = pd.DataFrame(X, columns=NAMES)
X.flags.writeable = y.flags.writeable = False
ROWS = np.arange(0, 150, 15)


def small(estimator, parameters):
    """Return an estimator of 9 exemplars, or of those that are given."""
    settings = {"n_exemplars": 9, "n_comparisons": 20, "max_iter": 0, "random_state": 0}
    if not isinstance(parameters.get("exemplars", ""), str):
        del settings["n_exemplars"]
    return estimator(**settings | parameters)


def classifier(**parameters):
    return small(MetricInitMLPClassifier, parameters)


def regressor(**parameters):
    return small(MetricInitMLPRegressor, parameters)


def basis(**parameters):
    return BasisInitMLPRegressor(
        **{"degree": 2, "max_iter": 0, "random_state": 0, **parameters}
    )


def assert_same_network(one, other):
    for a, b in zip(one.network_.parameters, other.network_.parameters, strict=True):
        np.testing.assert_array_equal(a, b)


# --- labels that y lacks ---

BY_LABEL = {
    "class_weight": {0: 1, 1: 2, 2: 3},
    "n_exemplars": {0: 2, 1: 3, 2: 2},
    "exemplars": (X[ROWS], y[ROWS]),
}


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize("name", BY_LABEL)
def test_labels_that_y_lacks_are_ignored(name, init):
    first = y < 2
    lacking = {
        "class_weight": {0: 1, 1: 2},
        "n_exemplars": {0: 2, 1: 3},
        "exemplars": (X[ROWS[y[ROWS] < 2]], y[ROWS[y[ROWS] < 2]]),
    }
    assert_same_network(
        classifier(init=init, **{name: BY_LABEL[name]}).fit(X[first], y[first]),
        classifier(init=init, **{name: lacking[name]}).fit(X[first], y[first]),
    )


@pytest.mark.parametrize("name", BY_LABEL)
def test_folds_of_a_time_series_may_lack_a_class(name):
    folds, clf = TimeSeriesSplit(5), classifier(**{name: BY_LABEL[name]})
    assert np.isfinite(cross_val_score(clf, X, y, cv=folds, error_score="raise")).all()


@pytest.mark.parametrize("name", BY_LABEL)
def test_labels_of_declared_classes_are_kept(name):
    first = y < 2
    clf = classifier(**{name: BY_LABEL[name]})
    clf.partial_fit(X[first], y[first], classes=[0, 1, 2])
    if name == "exemplars":
        np.testing.assert_array_equal(clf.exemplar_labels_, y[ROWS])
    clf.partial_fit(X, y)
    assert clf.score(X, y) > 0.6


def test_labels_that_were_not_declared_are_ignored():
    first = y < 2
    clf = classifier(exemplars=BY_LABEL["exemplars"])
    clf.partial_fit(X[first], y[first], classes=[0, 1])
    np.testing.assert_array_equal(clf.exemplar_labels_, y[ROWS][y[ROWS] < 2])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("class_weight", {"0": 1, "1": 2, "2": 3}),
        ("class_weight", {0: 1, 1: 2, "2": 3}),
        ("class_weight", {"1": 2}),
        ("n_exemplars", {0: 1, 1: 2, "2": 3}),
        ("exemplars", (X[ROWS], y[ROWS].astype(str))),
        ("exemplars", (X[ROWS], np.where(y[ROWS] == 2, 7, y[ROWS]))),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_misspelled_labels_are_refused(name, value, method):
    classes = {} if method == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(ValueError, match=rf"^{name} has .*\[0, 1, 2\]"):
        getattr(classifier(**{name: value}), method)(X, y, **classes)


def test_a_class_without_weight_has_one():
    assert_same_network(
        classifier(class_weight={1: 2}).fit(X, y),
        classifier(class_weight={0: 1, 1: 2, 2: 1}).fit(X, y),
    )


def test_weights_of_a_network_need_the_classes_of_all_exemplars():
    with pytest.raises(ValueError, match=r"^labels has \[2\], which y lacks.*\[0, 1\]"):
        nearest_exemplar_weights(X[ROWS], y[ROWS], X=X[y < 2], y=y[y < 2])


# --- feature names ---

other = table[sorted(NAMES)[::-1]]
renamed = table.rename(columns={"petal width": "width of petals"})
inverse = np.linalg.inv(np.cov(X.T))
pair = table.iloc[ROWS], y[ROWS]


def named_inverse(frame):
    return pd.DataFrame(np.linalg.inv(frame.cov()), frame.columns, frame.columns)


def beside(frame):
    """Estimators with something of the columns of a table."""
    box = pd.DataFrame({"low": frame.min(), "high": frame.max()})
    yield "exemplars", classifier(exemplars=(frame.iloc[ROWS], y[ROWS])), y
    yield "exemplars", regressor(exemplars=(frame.iloc[ROWS], values[ROWS])), values
    for kind, target in ((classifier, y), (regressor, values)):
        for metric, name, value in (
            ("seuclidean", "V", frame.var()),
            ("mahalanobis", "V", frame.cov()),
            ("mahalanobis", "VI", named_inverse(frame)),
        ):
            est = kind(metric=metric, metric_params={name: value})
            yield f"metric_params['{name}']", est, target
    yield "domain", basis(domain=box), values


@pytest.mark.parametrize("number", range(9))
def test_names_that_are_not_those_of_X_are_refused(number):
    name, est, target = list(beside(other))[number]
    message = rf"^{re.escape(name)}.* feature names of X, in the same order: number 0 is"
    with pytest.raises(ValueError, match=message):
        est.fit(table, target)
    with pytest.raises(ValueError, match=message):
        (est.fit if name == "domain" else est.partial_fit)(
            table, target, **({"classes": [0, 1, 2]} if target is y else {})
        )
    name, est, target = list(beside(renamed))[number]
    with pytest.raises(
        ValueError, match=r"X has no .*width of petals.* lacks .*petal wi"
    ):
        est.fit(table, target)


@pytest.mark.parametrize("number", range(9))
def test_the_names_of_X_are_accepted_and_none_go_by_position(number):
    _, est, target = list(beside(table))[number]
    named = est.fit(table, target).predict(X=table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(est.fit(X, target).predict(X), named)
        _, est, target = list(beside(table.set_axis(range(4), axis=1)))[number]
        np.testing.assert_array_equal(est.fit(table, target).predict(table), named)


def test_names_of_a_table_that_is_no_pandas_table():
    pa = pytest.importorskip("pyarrow")
    right, wrong = (pa.Table.from_pandas(t.iloc[ROWS]) for t in (table, other))
    classifier(exemplars=(right, y[ROWS])).fit(table, y)
    with pytest.raises(ValueError, match=r"^exemplars.* feature names of X"):
        classifier(exemplars=(wrong, y[ROWS])).fit(table, y)


def test_names_in_nearest_exemplar_weights():
    nearest_exemplar_weights(*pair, X=table, y=y)
    with pytest.raises(ValueError, match=r"^exemplars.* feature names of X"):
        nearest_exemplar_weights(other.iloc[ROWS], y[ROWS], X=table, y=y)
    with pytest.raises(ValueError, match=r"^metric_params\['V'\].* feature names of X"):
        nearest_exemplar_weights(
            *pair, metric="seuclidean", metric_params={"V": other.var()}
        )


def test_names_of_two_kinds_are_refused():
    mixed = table.set_axis([1, *NAMES[1:]], axis=1)
    with pytest.raises(TypeError, match=r"^exemplars=.*string names"):
        classifier(exemplars=(mixed.iloc[ROWS], y[ROWS])).fit(table, y)


# --- containers ---


@pytest.mark.parametrize(
    "convert",
    [np.asarray, np.ndarray.tolist, pd.Series, np.ma.masked_array, tuple, np.float32],
)
def test_variances_in_any_container(convert):
    variance = X.var(axis=0).astype(np.float32).astype(float)
    expected = classifier(metric="seuclidean", metric_params={"V": variance}).fit(X, y)
    given = classifier(metric="seuclidean", metric_params={"V": convert(variance)})
    assert_same_network(given.fit(X, y), expected)
    assert type(given.effective_metric_params_["V"]) is np.ndarray


@pytest.mark.parametrize("name", ["V", "VI"])
@pytest.mark.parametrize(
    "convert", [np.ndarray.tolist, pd.DataFrame, np.ma.masked_array, np.matrix]
)
def test_covariances_in_any_container(convert, name):
    def fitted(value):
        return regressor(metric="mahalanobis", metric_params={name: value}).fit(X, y)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of np.matrix
        given = convert(inverse)
    assert_same_network(fitted(given), fitted(inverse))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (sp.csr_array(inverse), "must be dense, .* sparse .*: pass its toarray"),
        (np.ma.masked_array(inverse, np.eye(4)), "has values that are masked"),
        (inverse + 0j, ".*complex128"),
        (np.full((4, 4), "a"), "must be an array of shape"),
        (inverse[:3], r"must have shape \(4, 4\), got \(3, 4\)"),
    ],
)
def test_matrices_that_are_not_accepted(value, message):
    clf = classifier(metric="mahalanobis", metric_params={"VI": value})
    with pytest.raises(ValueError, match=rf"^metric_params\['VI'\] {message}"):
        clf.fit(X, y)


@pytest.mark.parametrize("shape", [np.array([2, 2]), [2, 2], (np.int64(2), 2)])
def test_the_shape_of_images_in_any_container(shape):
    images = X / X.max()
    clf = classifier(metric="chamfer", metric_params={"image_shape": shape})
    assert clf.fit(images, y).effective_metric_params_["image_shape"] == (2, 2)
    clf.set_params(metric_params={"image_shape": np.array([2.0, 2.0])})
    with pytest.raises(ValueError, match=r"^metric_params\['image_shape'\] must be"):
        clf.fit(images, y)


@pytest.mark.parametrize("features", [X, sp.csr_array(X)])
@pytest.mark.parametrize("make", [sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_sparse_exemplars(make, features):
    for kind, target in ((classifier, y), (regressor, values)):
        given = kind(exemplars=(make(X[ROWS]), target[ROWS])).fit(features, target)
        expected = kind(exemplars=(X[ROWS], target[ROWS])).fit(features, target)
        assert_same_network(given, expected)
        np.testing.assert_array_equal(given.exemplars_, X[ROWS])


@pytest.mark.parametrize("dispatch", [False, True])
def test_dask_arrays_beside_and_as_X(dispatch):
    da = pytest.importorskip("dask.array")

    def lazy(array):
        return da.from_array(array, chunks=-1 if array.ndim > 2 else 40)

    weights = np.where(y == 1, 2.0, 1.0)
    variance = X.var(axis=0)
    calls = [
        (classifier(), "fit", y, {}),
        (classifier(exemplars=(X[ROWS], y[ROWS])), "fit", y, {}),
        (classifier(metric="seuclidean", metric_params={"V": variance}), "fit", y, {}),
        (regressor(metric="mahalanobis", metric_params={"VI": inverse}), "fit", y, {}),
        (classifier(), "partial_fit", y, {"classes": np.arange(3)}),
        (regressor(exemplars=(X[ROWS], X[ROWS])), "fit", X, {}),
        (regressor(), "partial_fit", values, {}),
        (basis(domain=np.stack([X.min(axis=0), X.max(axis=0)], 1)), "fit", values, {}),
    ]
    drawn = classifier(init="random").fit(X, y)
    calls.append((classifier(init=(drawn.coefs_, drawn.intercepts_)), "fit", y, {}))
    held_out = {"X_val": X, "y_val": y, "sample_weight_val": weights}
    calls.append((classifier(max_iter=2, tol=0), "fit", y, held_out))

    def as_dask(value):
        if isinstance(value, np.ndarray):
            return lazy(value)
        if isinstance(value, dict):
            return {name: as_dask(item) for name, item in value.items()}
        return type(value)(map(as_dask, value)) if type(value) in (tuple, list) else value

    # With NumPy alone two calls are enough: they take the same way.
    for est, method, target, others in calls if dispatch else calls[:2]:
        fits = []
        for convert in (lambda value: value, as_dask):
            kind = type(est)(**convert(est.get_params()))
            with warnings.catch_warnings(), config_context(array_api_dispatch=dispatch):
                warnings.simplefilter("ignore")
                fits.append(
                    getattr(kind, method)(
                        convert(X),
                        convert(target),
                        sample_weight=convert(weights),
                        **convert(others),
                    )
                )
                prediction = fits[-1].predict(convert(X))
            assert type(prediction) is np.ndarray
        assert_same_network(*fits)


def test_tables_of_dask_have_names():
    dd = pytest.importorskip("dask.dataframe")
    right, wrong = (dd.from_pandas(t, npartitions=2) for t in (table, other))
    labels = pd.Series(y)
    clf = classifier().fit(right, dd.from_pandas(labels, npartitions=2))
    assert_same_network(clf, classifier().fit(table, y))
    assert clf.feature_names_in_.tolist() == NAMES
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(wrong)
    classifier(exemplars=(right, labels)).fit(table, y)
    with pytest.raises(ValueError, match=r"^exemplars.* feature names of X"):
        classifier(exemplars=(wrong, labels)).fit(table, y)
    with pytest.raises(ValueError, match=r"^metric_params\['V'\].* feature names of X"):
        classifier(metric="seuclidean", metric_params={"V": wrong.var()}).fit(table, y)


# --- units ---

wine, kinds = load_wine(return_X_y=True)
SOME = np.arange(0, 178, 9)


@pytest.mark.parametrize("unit", [1.0, 1e9])
@pytest.mark.parametrize(
    ("make", "target"), [(classifier, kinds), (regressor, wine[:, 0])]
)
def test_exemplars_in_other_units_are_noticed(make, target, unit):
    rows, targets = unit * wine, target
    raw = make(exemplars=(rows[SOME], targets[SOME]))
    with pytest.warns(
        UserWarning, match=r"^exemplars=.* 20 of 20 points lie far outside"
    ):
        make_pipeline(StandardScaler(), raw).fit(rows, targets)
    scaled = StandardScaler().fit_transform(rows)
    with pytest.warns(UserWarning, match="^exemplars=.* in the units of X"):
        make(exemplars=(scaled[SOME], targets[SOME])).fit(rows + 5 * unit, targets)


@pytest.mark.parametrize("by", [1.0, 1.3])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_ordinary_exemplars_are_not_warned_of(by, offset):
    scaled = StandardScaler().fit_transform(wine)
    rest = np.delete(np.arange(178), SOME)
    for make, target in ((classifier, kinds), (regressor, wine[:, 0])):
        given = make(exemplars=(by * scaled[SOME] + offset, target[SOME]))
        given.fit(scaled[rest] + offset, target[rest])


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_what_is_far_does_not_depend_on_units(unit):
    units = unit * np.arange(1, 5)
    # Of ten exemplars, some are moved away from the rows.
    for count, is_warned in ((4, False), (6, True)):
        points = X[ROWS].copy()
        points[:count] += 50 * X.std(axis=0)
        clf = classifier(exemplars=(points * units - units, y[ROWS]))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf.fit(X * units - units, y)
        assert bool(caught) is is_warned


def test_exemplars_of_classes_that_are_left_out_are_not_warned_of():
    points = np.concatenate([X[:10], 1e3 + X[50:70]])
    labels = np.repeat([0, 1], [10, 20])
    classifier(exemplars=(points, labels)).fit(X[:40], y[:40])


def test_exemplars_that_are_only_counted_are_not_warned_of():
    classifier(init="random", exemplars=(1e3 + X[ROWS], y[ROWS])).fit(X, y)


def test_sparse_rows_and_exemplars_in_other_units():
    rng = np.random.default_rng(0)
    rows = sp.csr_array(rng.random((60, 30)) * (rng.random((60, 30)) < 0.2))
    labels = np.arange(60) % 2
    classifier(exemplars=(rows[:9], labels[:9])).fit(rows, labels)
    with pytest.warns(UserWarning, match="far outside"):
        classifier(exemplars=(100 * rows[:9], labels[:9])).fit(rows, labels)


# --- several columns of y ---

one_hot = np.eye(3, dtype=int)[y]
indicator = (X[:, :2] > X[:, :2].mean(axis=0)).astype(int)


@pytest.mark.parametrize("method", ["fit", "partial_fit", "y_val"])
@pytest.mark.parametrize(
    ("columns", "advice"),
    [
        (2.0 * one_hot - 1, r"the values 0 and 1, got -1\.0 and 1\.0"),
        (sp.csr_array(2 * indicator), "the values 0 and 1, got 0 and 2"),
        (np.c_[y, y], "several targets.*MultiOutputClassifier"),
        (np.c_[y, y].astype(str), "several targets.*MultiOutputClassifier"),
        (X, "MetricInitMLPRegressor"),
    ],
)
def test_several_columns_of_y_lead_on(columns, advice, method):
    shape = re.escape(str(np.shape(columns)))
    message = rf"y should be a 1d array, got an array of shape {shape}.*: .*{advice}"
    calls = {
        "fit": lambda: classifier().fit(X, columns),
        "partial_fit": lambda: classifier().partial_fit(X, columns, classes=[0, 1, 2]),
        "y_val": lambda: classifier().fit(X, y, X_val=X, y_val=columns),
    }
    with pytest.raises(ValueError, match=message):
        calls[method]()


def test_the_advice_works():
    assert classifier().fit(X, one_hot.argmax(axis=1)).score(X, y) > 0.9
    for around in (MultiOutputClassifier, OneVsRestClassifier):
        found = around(classifier()).fit(X, indicator).predict(X)
        assert (found == indicator).mean() > 0.9
    targets = MultiOutputClassifier(classifier()).fit(X, np.c_[y, indicator])
    assert targets.predict(X).shape == (150, 3)


# --- a column where there was a vector, and the other way round ---


@pytest.mark.parametrize("make", [regressor, basis])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("first", [values, values[:, None]])
def test_one_output_as_a_column_or_a_vector(first, method, make):
    then = values[:, None] if first.ndim == 1 else values
    settings = {"solver": "adam", "warm_start": True, "max_iter": 0}
    one, two = (make(**settings).fit(X, first) for _ in range(2))
    one.set_params(max_iter=1, n_iter_no_change=1)
    two.set_params(max_iter=1, n_iter_no_change=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(one, method)(X, then)
    assert any(w.category is DataConversionWarning for w in caught)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(two, method)(X, first)
    assert_same_network(one, two)
    assert one.predict(X).shape == first.shape


def test_validation_values_and_those_of_exemplars_as_a_column():
    with pytest.warns(DataConversionWarning, match=r"^y_val has the shape \(150, 1\)"):
        regressor().fit(X, values, X_val=X, y_val=values[:, None])
    reg = regressor(exemplars=(X[ROWS], values[ROWS, None]))
    with pytest.warns(DataConversionWarning, match=r"^exemplars\[1\] has the shape"):
        reg.fit(X, values)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_labels_as_a_column(method):
    clf = classifier(warm_start=True).fit(X, y)
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        getattr(clf, method)(X, y[:, None])


@pytest.mark.parametrize("make", [regressor, basis])
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (pd.date_range("2020", periods=150), r"y must be numbers.*datetime64"),
        (pd.to_timedelta(np.arange(150), "s"), r"y must be numbers.*timedelta64"),
        (sp.csr_array(values[:, None]), "y must be dense.*sparse"),
        (pd.Series(["a"] * 150), r"y must be numbers, got 'a': .* classifier"),
        (pd.Series(["b"] * 150, dtype="category"), "y must be numbers, got 'b'"),
        ([*values[:-1], None], "Input y contains NaN: 1 of 150"),
    ],
)
def test_values_that_are_no_numbers(make, targets, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, targets)


# --- finite values that are too large or too small ---


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("exemplars", ["kmeans", "random", "kmedoids"])
@pytest.mark.parametrize(
    ("dtype", "scale", "what"),
    [
        (np.float64, 1e307, "large"),
        (np.float64, 1e200, "large"),
        (np.float64, 1e152, "large"),
        (np.float32, 4e37, "large"),
        (np.float32, 1e-40, "small"),
        (np.float64, 1e-120, "small"),
        (np.float64, 1e-320, "small"),
    ],
)
def test_values_too_large_or_too_small_are_named(make, exemplars, dtype, scale, what):
    target = y if make is classifier else values
    rows = (X * scale).astype(dtype)
    largest = f"{X.astype(dtype).max() * scale:.0e}"[1:].replace("+", r"\+")
    message = rf"^X is too {what} to calculate .* up to [0-9.]+{largest}"
    with pytest.raises(ValueError, match=message + r".* in column 0: scale"):
        make(exemplars=exemplars).fit(rows, target)
    with pytest.raises(ValueError, match=r" in column 0 \('sepal length'\): scale"):
        make(exemplars=exemplars).fit(pd.DataFrame(rows, columns=NAMES), target)


@pytest.mark.parametrize("scale", [1e307, 1e-320])
def test_values_too_large_or_too_small_for_any_start(scale):
    for est in (classifier(init="random"), regressor(init="random"), basis()):
        with pytest.raises(ValueError, match=r"^X is too (large|small)"):
            est.fit(X * scale, y)


@pytest.mark.parametrize("make", [sp.csr_array, np.asarray])
@pytest.mark.parametrize("scale", [1e-60, 1e140])
def test_large_and_small_values_that_are_within_the_range(scale, make):
    assert classifier().fit(make(X * scale), y).score(make(X * scale), y) > 0.9
    assert regressor().fit(make(X * scale), values).score(make(X * scale), values) > 0.9


def test_no_feature_varies():
    assert classifier().fit(0 * X, y).score(0 * X, y) == pytest.approx(1 / 3)


# --- metrics ---


@pytest.mark.parametrize("name", ["euclidean", "minkowski", "l2"])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_the_euclidean_distance_has_another_name(name, make):
    with pytest.raises(
        ValueError, match=f"^metric .*'{name}': 'sqeuclidean'.* neighbors"
    ):
        make(metric=name).fit(X, y)


@pytest.mark.parametrize("init", ["random", "zeros"])
def test_a_metric_that_is_not_used_refuses_nothing(init):
    clf = classifier(init=init, metric="kl")
    assert not get_tags(clf).input_tags.positive_only
    clf.fit(X - X.mean(axis=0), y)
    matrix = {"metric": "mahalanobis", "metric_params": {"VI": np.eye(3)}}
    drawn = classifier(init=init, exemplars=(-X[ROWS], y[ROWS]), **matrix).fit(X, y)
    taken_over = drawn.coefs_, drawn.intercepts_
    classifier(init=taken_over, exemplars=(-X[ROWS], y[ROWS]), metric="kl").fit(X, y)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"init": "random", "n_exemplars": "auto"},
        {"init": "random", "exemplars": "condensed"},
    ],
)
def test_a_metric_that_is_used_is_held_against_X(settings):
    clf = classifier(metric="kl", **settings)
    assert get_tags(clf).input_tags.positive_only
    with pytest.raises(ValueError, match=r"^Negative values in data.*metric='kl'"):
        clf.fit(X - X.mean(axis=0), y)


def test_sparse_rows_where_the_transformer_takes_them():
    lda, scaler = LinearDiscriminantAnalysis(), StandardScaler(with_mean=False)
    sparse = sp.csr_array(X)
    assert not get_tags(classifier(metric=lda)).input_tags.sparse
    assert not get_tags(classifier(metric=make_pipeline(scaler, lda))).input_tags.sparse
    with pytest.raises(TypeError, match="Sparse data was passed"):
        classifier(metric=lda).fit(sparse, y)
    # A fitted transformer sees dense rows only; a baseline needs none.
    for metric, init in ((lda.fit(X, y), "metric"), (scaler, "metric"), (lda, "random")):
        clf = classifier(metric=metric, init=init)
        assert get_tags(clf).input_tags.sparse
        clf.fit(sparse, y)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_transformers_that_take_weights_are_given_them(make):
    weights = 1.0 + np.arange(150) % 3
    repeated = np.repeat(np.arange(150), weights.astype(int))
    target = y if make is classifier else values
    weighted = make(metric=StandardScaler()).fit(X, target, sample_weight=weights)
    longer = make(metric=StandardScaler()).fit(X[repeated], target[repeated])
    deviation = StandardScaler().fit(X, sample_weight=weights).scale_
    for est in (weighted, longer):
        L = est.effective_metric_params_["L"]
        np.testing.assert_allclose(L, np.diag(1 / deviation), rtol=1e-9, atol=1e-12)
    classifier(metric=LinearDiscriminantAnalysis()).fit(X, y, sample_weight=weights)


def test_a_transformer_that_cannot_be_fitted_is_named():
    clf = classifier(metric=LinearDiscriminantAnalysis())
    with pytest.raises(
        ValueError, match=r"^metric=LinearDiscriminantAnalysis\(\) .*class"
    ):
        clf.fit(X[:50], y[:50])


# --- a user's objects stay as they are ---


@dataclass
class Scale(TransformerMixin, BaseEstimator):
    unit: float = 1.0

    def fit(self, rows, labels=None):
        del labels
        self.scale_ = self.unit / rows.std(axis=0)
        return self

    def transform(self, rows):
        return rows * self.scale_


def test_a_fitted_transformer_that_is_a_dataclass_is_kept():
    metric = Scale().fit(100 * X)
    clf = classifier(metric=metric).fit(X, y)
    expected = np.diag(0.01 / X.std(axis=0))
    np.testing.assert_allclose(
        clf.effective_metric_params_["L"], expected, rtol=1e-9, atol=1e-12
    )


def test_parameters_of_a_function_are_the_objects_that_were_given():
    seen = []

    @dataclass
    class Settings:
        weights: np.ndarray

    def metric(points, settings, others):
        seen.append((settings, others))
        return points * settings.weights, np.zeros(len(points))

    given = Settings(np.ones(4)), {"a": [1, np.ones(2)]}
    params = dict(zip(("settings", "others"), given, strict=True))
    clf = classifier(metric=metric, metric_params=params)
    clf.partial_fit(X[:100], y[:100], classes=[0, 1, 2]).partial_fit(X, y)
    assert len(seen) > 1  # also for the class that came late
    for settings, others in seen:
        assert settings is given[0]
        assert others is given[1]
