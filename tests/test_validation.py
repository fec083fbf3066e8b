"""What is not accepted: the error names the parameter and shows what was given."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.preprocessing import scale

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

X, y = load_iris(return_X_y=True)
X = scale(X)
X.flags.writeable = y.flags.writeable = False

nan, inf = float("nan"), float("inf")

INTEGERS = ("max_iter", "n_iter_no_change")
REALS = (
    "sharpness",
    "alpha",
    "tol",
    "power_t",
    "momentum",
    "beta_1",
    "beta_2",
    "epsilon",
    "validation_fraction",
)
FLAGS = ("shuffle", "nesterovs_momentum", "early_stopping", "warm_start")
CHOICES = (
    "activation",
    "output_init",
    "loss",
    "solver",
    "learning_rate",
)
PAIRS = ("init", "exemplars")

WRONG_TYPES = [
    *((name, value) for name in INTEGERS for value in ("5", None, [5], True, 5.0, nan)),
    *((name, value) for name in REALS for value in ("0.5", None, [0.5], True, 0.5j)),
    *((name, value) for name in FLAGS for value in ("yes", None, 1, 0.0, [True])),
]

WRONG_VALUES = [
    *((name, value) for name in CHOICES for value in ("RELU", "", None, 1, ["adam"])),
    *((name, value) for name in PAIRS for value in ("RANDOM", "", None, 1, {"a": 1})),
    *(("n_neighbors", v) for v in (0, -1, "5", [5], True, 5.0, nan)),
    ("max_iter", -1),
    ("n_iter_no_change", 0),
    *((name, nan) for name in REALS if name != "sharpness"),
    *((name, -0.5) for name in REALS),
    *((name, inf) for name in REALS if name != "sharpness"),
    ("sharpness", 0.0),
    ("momentum", 1.5),
    ("beta_1", 1.0),
    ("beta_2", 1.0),
    ("epsilon", 0.0),
    ("validation_fraction", 0.0),
    ("validation_fraction", 1.0),
    *(
        ("n_exemplars", v)
        for v in (0, -3, 0.0, 1.5, -0.5, nan, inf, True, "5", None, [5])
    ),
    *(("n_comparisons", v) for v in (-1, 2.0, nan, True, "auto", None, [5])),
    *(("n_conjunctions", v) for v in (-1, 2.0, nan, True, "all", None, [5])),
    *(("max_features", v) for v in (0, -1, 0.0, 1.5, nan, True, "all", [5])),
    *(("batch_size", v) for v in (0, -1, 2.0, nan, True, "all", None, [5])),
    *(("learning_rate_init", v) for v in (0, -0.1, nan, inf, "0.1", None, {"a": 1}, 1j)),
    *(("learning_rate_init", v) for v in ((0.1, 0.1, 0), (0.1, nan, 0.1), (0.1, "a", 1))),
    *(("class_weight", v) for v in ("even", 1, 0.5, True, [1, 1, 1])),
]

ACCEPTED = [
    ("n_neighbors", None),
    ("n_neighbors", 9),
    ("n_neighbors", np.int64(2)),
    ("sharpness", 1),
    ("n_iter_no_change", inf),
    ("n_iter_no_change", np.float32(inf)),
    ("alpha", 0),
    ("tol", 0),
    ("momentum", 0),
    ("momentum", 1),
    ("beta_1", 0),
    ("beta_2", 0),
    ("validation_fraction", np.float32(0.5)),
    ("n_exemplars", 1.0),
    ("n_exemplars", np.int64(9)),
    ("n_exemplars", np.float32(0.1)),
    ("batch_size", np.int64(10)),
    ("learning_rate_init", 1),
    ("learning_rate_init", np.array([0.1, 0.2])),
    ("n_comparisons", 0),
    ("n_comparisons", np.int64(3)),
    ("n_conjunctions", 0),
    ("n_conjunctions", 10**6),
    ("max_features", 10**6),
    ("max_features", np.float32(0.5)),
    ("max_features", np.int64(2)),
    ("max_features", "sqrt"),
    ("max_features", None),
    ("feature_groups", list("aabc")),
    ("feature_groups", ("a", None, "a", None)),
    ("power_t", 0),
    ("shuffle", np.bool_(True)),
    ("random_state", np.int64(1)),
]


def small(estimator, parameters):
    """Return an estimator of 9 exemplars, or of those that are given."""
    defaults = {"n_exemplars": 9, "max_iter": 0, "random_state": 0}
    if not isinstance(parameters.get("exemplars", ""), str):
        del defaults["n_exemplars"]
    return estimator(**(defaults | parameters))


def classifier(**parameters):
    return small(MetricInitMLPClassifier, parameters)


def regressor(**parameters):
    return small(MetricInitMLPRegressor, parameters)


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES, ids=repr)
def test_wrong_type(name, value):
    shown = f"({re.escape(repr(value))}|{type(value).__name__})"
    with pytest.raises(TypeError, match=rf"^{name} must be .*{shown}"):
        classifier(**{name: value}).fit(X, y)


@pytest.mark.parametrize(("name", "value"), WRONG_VALUES, ids=repr)
def test_wrong_value(name, value):
    with pytest.raises(ValueError, match=rf"^{name} .*{re.escape(repr(value))}"):
        classifier(**{name: value}).fit(X, y)


@pytest.mark.parametrize("name", [*INTEGERS, *REALS, *FLAGS, *CHOICES, *PAIRS])
def test_partial_fit_checks_the_same_parameters(name):
    with pytest.raises((TypeError, ValueError), match=f"^{name} .*'wrong'|{name} .*str"):
        classifier(**{name: "wrong"}).partial_fit(X, y, classes=[0, 1, 2])


@pytest.mark.parametrize(("name", "value"), ACCEPTED, ids=repr)
def test_extreme_values_and_numpy_scalars_are_accepted(name, value):
    settings = {"exemplars": "random", name: value}
    estimator = classifier(**settings).fit(X[::3], y[::3])
    p = estimator.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("value", [[], [1], (1, 1, 1)], ids=repr)
def test_pairs_have_two_parts(name, value):
    shown = re.escape(repr(value))
    with pytest.raises(ValueError, match=rf"^{name} must be a pair \(.*, got {shown}$"):
        classifier(**{name: value}).fit(X, y)


def test_step_cannot_be_trained():
    estimator = classifier(activation="step", max_iter=1)
    with pytest.raises(ValueError, match=r"'step' has no gradient.*max_iter=0"):
        estimator.fit(X, y)
    estimator.set_params(max_iter=0).fit(X, y)
    assert not hasattr(estimator, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit") as caught:
        estimator.partial_fit(X, y)
    assert "activation='step', which has no gradient" in str(caught.value.__cause__)
    assert hasattr(estimator.set_params(activation="relu"), "partial_fit")


WITH_EFFECT = [
    {"n_neighbors": 1},
    {"n_neighbors": 1, "activation": "tanh"},
    {"n_neighbors": 3, "activation": "logistic"},
    {"n_neighbors": 1, "tied": True},
]
WITHOUT_EFFECT = [
    {},
    {"activation": "tanh"},
    {"output_init": "norm_constrained"},
    {"n_neighbors": 1, "activation": "step"},
]


@pytest.mark.parametrize("make", [classifier, regressor])
class TestSharpness:
    @pytest.mark.parametrize("settings", WITH_EFFECT, ids=str)
    @pytest.mark.parametrize("value", [1e-3, 1e30])
    def test_where_it_has_an_effect(self, make, settings, value):
        one = make(**settings).fit(X, y).network_.parameters
        other = make(sharpness=value, **settings).fit(X, y).network_.parameters
        assert any((p != q).any() for p, q in zip(one, other, strict=True))
        assert all(np.isfinite(p).all() for p in other)

    @pytest.mark.parametrize("settings", WITHOUT_EFFECT, ids=str)
    def test_where_it_has_none_it_is_refused(self, make, settings):
        make(sharpness=1, **settings).fit(X, y)
        with pytest.raises(ValueError, match=r"^sharpness=5 has no effect: "):
            make(sharpness=5, **settings).fit(X, y)

    def test_a_search_may_have_baselines_in_it(self, make):
        for init in ("random", "zeros"):
            settings = {"sharpness": 4.0, "metric": "mahalanobis", "n_neighbors": 1}
            make(init=init, **settings).fit(X, y)


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("output_init", "ridge"),
        ("output_init", "norm_constrained"),
        ("n_comparisons", 5),
        ("n_conjunctions", 0),
        ("max_features", 2),
        ("feature_groups", [0, 0, 1, 1]),
    ],
)
def test_a_network_that_votes_has_no_fitted_output(make, n_neighbors, name, value):
    make(n_neighbors=n_neighbors).fit(X, y)
    message = (
        f"^{name}={re.escape(repr(value))} has no effect: .*{n_neighbors}.* set "
        f"n_neighbors to None"
    )
    for init in ("metric", "random"):
        estimator = make(n_neighbors=n_neighbors, init=init, **{name: value})
        with pytest.raises(ValueError, match=message):
            estimator.fit(X, y)


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize(
    "metric", ["mahalanobis", "cosine", PCA(2), lambda p: (p, p[:, 0])]
)
def test_only_sums_over_features_compare_on_few(make, metric):
    for max_features in ("mixed", None):
        estimator = make(metric=metric, max_features=max_features).fit(X, y)
        assert estimator.comparison_features_.all()
    for max_features in (1, 4, 0.5, 1.0, "sqrt", "log2"):
        with pytest.raises(ValueError, match=f"^max_features={max_features!r} needs a "):
            make(metric=metric, max_features=max_features).fit(X, y)


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1, 2], r"a label for each of the 4 features, got the shape \(3,\)"),
        ([[0, 1, 2, 3]], r"a label for each of the 4 features, got the shape \(1, 4\)"),
        (1, r"a label for each of the 4 features, got the shape \(\)"),
        ("abcd", r"a label for each of the 4 features, got the shape \(\)"),
        ([[0], [1, 2], 3, 4], "an array of 4 labels, or None, got "),
    ],
)
def test_groups_of_features_that_do_not_fit(make, groups, message):
    for init in ("metric", "random"):
        with pytest.raises(ValueError, match=f"^feature_groups must (be|have) {message}"):
            make(init=init, feature_groups=groups).fit(X, y)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_number_beside_given_exemplars_is_theirs(make):
    given = X[::30], y[::30]
    for n_exemplars in (30, 5, np.int64(5)):
        make(exemplars=given, n_exemplars=n_exemplars).fit(X, y)
    for n_exemplars in (6, 0.5, "auto"):
        with pytest.raises(ValueError, match=r"^n_exemplars=.* has no effect: exemplars"):
            make(exemplars=given, n_exemplars=n_exemplars).fit(X, y)


def test_a_patience_without_end():
    constant = {"learning_rate": "constant", "n_iter_no_change": inf}
    clf = classifier(tol=100.0, max_iter=25, **constant)
    with pytest.warns(match="max_iter=25"):
        clf.fit(X, y)
    assert clf.n_iter_ == 25
    for solver, tol in (("sgd", 100.0), ("lbfgs", 0.0)):
        clf = classifier(tol=tol, max_iter=15, solver=solver, **constant)
        with pytest.warns(match="max_iter=15"):
            clf.fit(X, y)


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize(
    ("settings", "n"),
    [
        ({"n_exemplars": 9}, 9),
        ({"n_exemplars": 1}, 3),
        ({"n_exemplars": {0: 1, 1: 2, 2: 3}}, 6),
        ({"exemplars": (X[::30], y[::30])}, 5),
    ],
)
def test_more_neighbors_than_exemplars(settings, n, init):
    classifier(n_neighbors=n, init=init, **settings).fit(X, y)
    estimator = classifier(n_neighbors=n + 1, init=init, **settings)
    with pytest.raises(ValueError, match=f"n_neighbors={n + 1} .* exemplars: {n}"):
        estimator.fit(X, y)


@pytest.mark.parametrize("init", ["metric", "random"])
@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        (X[:6], y[:5], r"one label or value per point.*\(6, 4\).*\(5,\)"),
        (X[:6], y[:6, None], r"must have one label for each row.*\(6, 1\)"),
        (X[:6], 1, r"one label or value per point.*\(6, 4\).*\(\)"),
        (X[:6, :3], y[:6], r"points of 4 features.*\(6, 3\)"),
        (X[:2], [0, 3], r"labels \[3\].*\[0, 1, 2\]"),
        (X[:2], ["a", "b"], r"labels \['a', 'b'\].*\[0, 1, 2\]"),
        (np.full((3, 4), nan), [0, 1, 2], "NaN"),
        (np.full((3, 4), inf), [0, 1, 2], "infinity"),
    ],
)
def test_exemplars_that_do_not_fit(points, labels, message, init):
    estimator = classifier(exemplars=(points, labels), init=init)
    with pytest.raises(ValueError, match=f"exemplars.*{message}"):
        estimator.fit(X, y)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({0: 2, 1: 2}, r"n_exemplars has no count for \[2\].*\[0, 1, 2\]"),
        ({}, r"n_exemplars has no count for \[0, 1, 2\]"),
        (
            {0: 2, 1: 2, 7: 1},
            r"n_exemplars has no count for \[2\].* has counts for \[7\]",
        ),
        ({"0": 2, 1: 2, 2: 2}, r"no count for \[0\].*\[0, 1, 2\], .* for \['0'\]"),
        ({0: 0, 1: 2, 2: 2}, r"n_exemplars\[0\]=0 .* from 1 to 50"),
        ({0: 2, 1: -2, 2: 2}, r"n_exemplars\[1\]=-2 .* from 1 to 50"),
        ({0: 2, 1: 2, 2: 51}, r"n_exemplars\[2\]=51 .* from 1 to \d+"),
        ({0: 2, 1: 2, 2: 2.5}, r"n_exemplars\[2\]=2.5 must be a whole number"),
        ({0: 2, 1: 2, 2: 2.0}, r"n_exemplars\[2\]=2.0 must be a whole number"),
    ],
)
def test_counts_of_exemplars_that_do_not_fit_the_classes(counts, message, method):
    classes = {} if method == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(ValueError, match=message):
        getattr(classifier(n_exemplars=counts), method)(X, y, **classes)


def test_counts_of_exemplars_are_limited_by_distinct_rows():
    features, labels = np.tile(X[::5], (3, 1)), np.tile(y[::5], 3)
    classifier(n_exemplars={0: 10, 1: 1, 2: 1}).fit(features, labels)
    with pytest.raises(ValueError, match=r"n_exemplars\[0\]=11 .* from 1 to 10"):
        classifier(n_exemplars={0: 11, 1: 1, 2: 1}).fit(features, labels)


def weights_of(estimator):
    return [a.copy() for a in estimator.coefs_], [b.copy() for b in estimator.intercepts_]


def too_few_layers(coefs, intercepts):
    return coefs[:1], intercepts[:1]


def missing_intercepts(coefs, intercepts):
    return coefs, intercepts[:1]


def transposed(coefs, intercepts):
    return [w.T for w in coefs], intercepts


def biases_as_columns(coefs, intercepts):
    return coefs, [b[:, None] for b in intercepts]


@pytest.mark.parametrize(
    "change", [too_few_layers, missing_intercepts, transposed, biases_as_columns]
)
def test_given_weights_of_wrong_shapes(change):
    init = change(*weights_of(classifier().fit(X, y)))
    with pytest.raises(ValueError, match=r"init=.* shapes .*\(4, 800\).*, got "):
        classifier(init=init).fit(X, y)


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("part", [0, 1])
def test_given_weights_that_are_not_finite(part, value):
    init = weights_of(classifier().fit(X, y))
    init[part][1].flat[0] = value
    with pytest.raises(ValueError, match=r"init=.* not finite"):
        classifier(init=init).fit(X, y)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.where(y == 0, -0.5, 1), "sample_weight must not be negative, got -0.5"),
        (-1.0, "sample_weight must not be negative, got -1"),
        (np.ones((150, 1)), r"sample_weight must have shape \(150,\), .*got \(150, 1\)"),
        (np.ones(149), r"sample_weight must have shape \(150,\), .*got \(149,\)"),
        (np.zeros(150), "the weight of every row, sample_weight .* is zero"),
        (0.0, "the weight of every row, sample_weight .* is zero"),
        (np.where(y == 0, nan, 1), "sample_weight must be numbers: .*NaN"),
        (np.where(y == 0, inf, 1), "sample_weight must be numbers: .*infinity"),
    ],
)
def test_sample_weights_that_are_not_weights(weights, message, method):
    classes = {} if method == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(ValueError, match=message):
        getattr(classifier(), method)(X, y, sample_weight=weights, **classes)


def test_sample_and_class_weights_that_leave_no_row():
    estimator = classifier(class_weight={0: 0, 1: 1, 2: 1})
    with pytest.raises(ValueError, match="sample_weight times class_weight, is zero"):
        estimator.fit(X, y, sample_weight=np.where(y == 0, 1, 0))


def test_class_weight_of_unknown_labels():
    with pytest.raises(ValueError, match="class_weight"):
        classifier(class_weight={"a": 1, "b": 2}).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sharpness", nan, "sharpness.*nan"),
        ("sharpness", inf, "sharpness.*inf"),
        ("verbose", "yes", "verbose must be True or False, got 'yes'"),
        ("random_state", -1, "random_state=-1"),
        ("random_state", "x", "random_state='x'"),
        ("learning_rate_init", True, "learning_rate_init must be .* got True"),
        ("class_weight", {0: -1}, r"class_weight\[0\] must be .* got -1"),
        ("class_weight", {0: nan}, r"class_weight\[0\] must be .* got nan"),
        ("class_weight", {0: "a"}, r"class_weight\[0\] must be .* got 'a'"),
        ("class_weight", {7: 1.0}, r"class_weight has weights for \[7\]"),
        ("n_exemplars", {0: 3, 1: "a", 2: 3}, r"n_exemplars\[1\]='a'"),
        ("n_exemplars", {0: 3, 1: True, 2: 3}, r"n_exemplars\[1\]=True"),
        ("init", (1, 2), r"init=\(coefs, intercepts\) must be two lists"),
        ("exemplars", (1, 2), r"exemplars=\(points, labels\)"),
        ("exemplars", (["a"], [0]), r"exemplars=\(points, labels\)"),
    ],
)
def test_values_of_the_right_type_that_make_no_sense(name, value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        classifier(**{name: value}).fit(X, y)


@pytest.mark.parametrize("classes", [[[0, 1, 2]], [0, 1, 2, nan], []])
def test_declared_classes_that_are_no_list_of_labels(classes):
    with pytest.raises(ValueError, match="classes must be a 1-dimensional list"):
        classifier().partial_fit(X, y, classes=classes)


def test_errors_of_held_out_rows_say_so():
    bad = X.copy()
    bad[0, 0] = nan
    with pytest.raises(ValueError, match=r"X_val, y_val, sample_weight_val: .*NaN"):
        classifier(max_iter=1).fit(X, y, X_val=bad, y_val=y)


def test_a_logistic_output_needs_the_log_loss():
    clf = classifier(output_init="logistic", loss="squared_error")
    with pytest.raises(ValueError, match=r"^output_init='logistic' .*'squared_error'"):
        clf.fit(X, y)


# --- the regressor ---


def one_of_each(pairs):
    """Return a wrong value of each parameter that a regressor has."""
    return [pair for pair in dict(pairs).items() if pair[0] != "class_weight"]


OF_CLASSES = [
    *(("exemplars", value) for value in ("lvq", "condensed")),
    *(("output_init", value) for value in ("votes", "values", "logistic")),
    ("pairs", "other_classes"),
    ("loss", "log_loss"),
    ("n_exemplars", {0: 3}),
]


@pytest.mark.parametrize(
    ("name", "value"),
    [*OF_CLASSES, *one_of_each(WRONG_VALUES)],
    ids=repr,
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_wrong_value_of_a_regressor(method, name, value):
    with pytest.raises(ValueError, match=rf"^{name} .*{re.escape(repr(value))}"):
        getattr(regressor(**{name: value}), method)(X, y)


@pytest.mark.parametrize(("name", "value"), one_of_each(WRONG_TYPES), ids=repr)
def test_wrong_type_of_a_regressor(name, value):
    shown = f"({re.escape(repr(value))}|{type(value).__name__})"
    with pytest.raises(TypeError, match=rf"^{name} must be .*{shown}"):
        regressor(**{name: value}).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_exemplars": {0: 3}}, r"^n_exemplars must be (?!.*dict \{label).*, got"),
        ({"exemplars": "lvq"}, r"'kmeans', 'random', 'kmedoids', or a pair \(points"),
        ({"n_neighbors": 3, "pairs": 2}, "^pairs=2 is less than n_neighbors=3"),
        ({"activation": "step", "max_iter": 1}, "^activation='step' has no gradient"),
        (
            {"n_neighbors": 1, "tied": True, "init": ([X], [y])},
            "needs tied=False, got tied=True",
        ),
    ],
)  # fmt: skip
def test_what_a_regressor_takes_is_said(parameters, message):
    with pytest.raises(ValueError, match=message):
        regressor(**parameters).fit(X, y)


def test_a_regressor_has_no_class_weight():
    with pytest.raises(TypeError, match="class_weight"):
        regressor(class_weight="balanced")
    assert set(MetricInitMLPClassifier().get_params()) - set(
        regressor().get_params()
    ) == {"class_weight"}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.where(y == 0, -0.5, 1), "sample_weight must not be negative, got -0.5"),
        (np.ones(149), r"sample_weight must have shape \(150,\), .*got \(149,\)"),
        (np.zeros(150), "^the weight of every row, sample_weight, is zero"),
        (0.0, "^the weight of every row, sample_weight, is zero"),
        (np.where(y == 0, nan, 1), "sample_weight must be numbers: .*NaN"),
    ],
)
def test_weights_of_rows_that_a_regressor_refuses(weights, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(regressor(), method)(X, y, sample_weight=weights)


@pytest.mark.parametrize("change", [too_few_layers, transposed, biases_as_columns])
def test_given_weights_of_wrong_shapes_for_a_regressor(change):
    init = change(*weights_of(regressor().fit(X, y)))
    with pytest.raises(ValueError, match=r"init=.* shapes .*\(4, 800\).*, got "):
        regressor(init=init).fit(X, y)
