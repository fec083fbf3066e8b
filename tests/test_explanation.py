"""What a prediction is explained by, against loops over rows and exemplars."""

from copy import deepcopy
from functools import cache

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from factories import classifier, regressor, standardized
from networks import temporaries_of
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp.inspection.explanation import margins
from skmetricmlp.network import ACTIVATIONS

X, codes = load_iris(return_X_y=True)
y = np.array(["setosa", "versicolor", "virginica"])[codes]
X.flags.writeable = y.flags.writeable = False


@cache
def _fitted(kind, epochs, settings):
    make, target = {"labels": (classifier, y), "values": (regressor, values)}[kind]
    if not epochs:
        return make(exemplars="random", **dict(settings)).fit(X, target)
    return deepcopy(_fitted(kind, epochs - 1, settings)).partial_fit(X, target)


def fitted(epochs=2, **settings):
    """Return a classifier that several tests share; by default exemplars vote."""
    settings = {"n_neighbors": 1} | settings
    return _fitted("labels", epochs, tuple(sorted(settings.items())))


def distances(clf, x):
    return [sum((a - b) ** 2 for a, b in zip(x, p, strict=True)) for p in clf.exemplars_]


def exemplars_near(estimator, rows, **keywords):
    frame = estimator.explain(rows, **keywords)
    return frame[frame["term"] == "exemplar"]


def test_ranks_excesses_and_margins_are_those_of_the_distances():
    clf = fitted()
    frame = exemplars_near(clf, X[::15], n_nearest=None)
    assert len(frame) == 10 * 9
    labels = clf.exemplar_labels_
    for row, group in frame.groupby("row"):
        away = distances(clf, X[::15][row])
        assert sorted(group["exemplar"]) == list(range(9))
        assert (np.diff(np.take(away, group["exemplar"])) > -1e-9).all()
        assert group["rank"].tolist() == list(range(1, 10))
        assert group["label"].tolist() == labels[group["exemplar"]].tolist()
        for line in group.itertuples():
            own = away[line.exemplar]
            others = [d for d, c in zip(away, labels, strict=True) if c != line.label]
            assert line.excess == pytest.approx(own - min(away))
            assert line.margin == pytest.approx(min(others) - own)


def test_the_predictions_are_those_of_the_classifier():
    clf = fitted()
    frame = exemplars_near(clf, X, n_nearest=1)
    np.testing.assert_array_equal(frame["predicted"], clf.predict(X))
    untrained = fitted(0, activation="step")
    frame = exemplars_near(untrained, X, n_nearest=1)
    np.testing.assert_array_equal(frame["label"], untrained.predict(X))
    assert (frame["margin"] > 0).all()


@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "step"])
def test_contributions_are_what_the_output_loses_without_the_neuron(
    activation, n_neighbors
):
    clf = fitted(
        0 if activation == "step" else 2, activation=activation, n_neighbors=n_neighbors
    )
    function = ACTIVATIONS[activation].function

    def output(values):
        """Of the layers above the exemplar layer, less its mean."""
        upper = list(zip(clf.coefs_, clf.intercepts_, strict=True))[2:]
        for weights, bias in upper[:-1]:
            values = function(values @ weights + bias)
        weights, bias = upper[-1]
        z = values @ weights + bias
        return z - z.mean()

    off = -1.0 if activation == "tanh" else 0.0
    frame = exemplars_near(clf, X[::15], n_nearest=None)
    for line in frame.itertuples():
        values = X[::15][[line.row]]
        for weights, bias in zip(clf.coefs_[:2], clf.intercepts_[:2], strict=True):
            values = function(values @ weights + bias)
        assert line.activation == pytest.approx(values[0, line.exemplar])
        silenced = values.copy()
        silenced[0, line.exemplar] = off
        chosen = clf.classes_.tolist().index(line.predicted)
        expected = output(values)[0, chosen] - output(silenced)[0, chosen]
        assert line.contribution == pytest.approx(expected, abs=1e-9)


def terms_by_loops(estimator, x, output):
    """Terms of an output of one row: by comparison, exemplar and feature, and the bias.

    One hidden unit at a time. A conjunction gives its term to the weaker comparison.
    Without ``output`` that of the predicted class, less the mean over the classes.
    """
    function = ACTIVATIONS[estimator.activation].function
    (first, second), (bias, last) = estimator.coefs_, estimator.intercepts_
    layer = estimator.network_.layers[0]
    x, P = np.clip(x, layer.low, layer.high), len(bias)
    u = [bias[p] + sum(x[f] * first[f, p] for f in range(len(x))) for p in range(P)]
    deciding = list(range(P))
    for s in range(1, estimator.n_conjunctions + 1):
        deciding += [p if u[p] <= u[p + s] else p + s for p in range(P - s)]
    tie = function(np.zeros(1))[0]
    if output is None:
        z = last + sum(
            function(np.array([u[p]]))[0] * w
            for p, w in zip(deciding, second, strict=True)
        )
        second, last = second - second.mean(axis=1, keepdims=True), last - last.mean()
        output = int(np.argmax(z))
    of_comparisons, total = np.zeros(P), last[output]
    for p, w in zip(deciding, second[:, output], strict=True):
        of_comparisons[p] += w * (function(np.array([u[p]]))[0] - tie)
        total += w * tie
    of_exemplars = np.zeros(estimator.n_exemplars_)
    for pair, term in zip(estimator.comparisons_, of_comparisons, strict=True):
        for exemplar in pair:
            of_exemplars[exemplar] += term / 2
    return u, of_comparisons, of_exemplars, total


COMPARING = [
    {"n_comparisons": 7},
    {"n_comparisons": 7, "n_conjunctions": 3},
    {"n_comparisons": 1, "n_conjunctions": 0},
    {"n_comparisons": 7, "metric": "mahalanobis"},
]
STYLES = [("relu", 2), ("relu", 0), ("logistic", 2), ("tanh", 0), ("step", 0)]


@pytest.mark.parametrize("form", COMPARING, ids=str)
@pytest.mark.parametrize(("activation", "epochs"), STYLES)
def test_terms_of_comparisons_are_those_of_loops(activation, epochs, form):
    style = {"n_neighbors": None, "activation": activation} | form
    for estimator, output in (
        (fitted(epochs, **style), None),
        (fitted_to_values(epochs, **style), 1),
    ):
        keywords = {} if output is None else {"output": output}
        rows = X[::40]
        near = exemplars_near(estimator, rows, n_nearest=None, **keywords)
        strongest = estimator.explain(rows, by="comparison", n_nearest=None, **keywords)
        strongest = strongest[strongest["term"] == "comparison"]
        for k, x in enumerate(rows):
            u, of_comparisons, of_exemplars, bias = terms_by_loops(estimator, x, output)
            own = near[near["row"] == k].sort_values("exemplar")
            np.testing.assert_allclose(own["contribution"], of_exemplars, atol=1e-8)
            listed = strongest[strongest["row"] == k]
            order = np.argsort(-abs(of_comparisons), kind="stable")
            np.testing.assert_allclose(
                listed["contribution"], of_comparisons[order], atol=1e-8
            )
            for line, p in zip(listed.itertuples(), order, strict=True):
                i, j = estimator.comparisons_[p]
                assert (line.nearer, line.farther) == ((i, j) if u[p] > 0 else (j, i))
                names = np.array(["x0", "x1", "x2", "x3"])
                compared = names[estimator.comparison_features_[p]]
                assert line.features == ", ".join(compared)
            frame = estimator.explain(rows[[k]], **keywords)
            found = frame[frame["term"] == "bias"]["contribution"].iloc[0]
            assert found == pytest.approx(bias, abs=1e-8)
            for exemplar, activation_of in zip(
                own["exemplar"], own["activation"], strict=True
            ):
                won = [
                    (u[p] > 0 and i == exemplar) + (u[p] < 0 and j == exemplar)
                    for p, (i, j) in enumerate(estimator.comparisons_)
                    if exemplar in (i, j)
                ]
                assert activation_of == pytest.approx(np.mean(won) if won else 0)


@pytest.mark.parametrize("by", ["exemplar", "feature", "comparison"])
@pytest.mark.parametrize("form", COMPARING, ids=str)
@pytest.mark.parametrize(("activation", "epochs"), STYLES)
def test_contributions_by_anything_add_up(activation, epochs, form, by):
    if (activation, by) == ("step", "feature"):
        pytest.skip("a step has no parts by feature")
    style = {"n_neighbors": None, "activation": activation} | form
    clf, reg = fitted(epochs, **style), fitted_to_values(epochs, **style)
    z = clf.network_.affine_output(X)
    expected = (z - z.mean(axis=1, keepdims=True)).max(axis=1)
    total = clf.explain(X, by=by, n_nearest=1).groupby("row")["contribution"].sum()
    np.testing.assert_allclose(total, expected, atol=1e-9)
    total = reg.explain(X, by=by, n_nearest=1, output=1).groupby("row")["contribution"]
    np.testing.assert_allclose(total.sum(), reg.predict(X)[:, 1], atol=1e-7)


@pytest.mark.parametrize("metric", ["sqeuclidean", "kl", "mahalanobis"])
def test_features_get_what_their_distances_say(metric):
    """The restricted distances of both exemplars, feature by feature."""
    clf = fitted(0, n_neighbors=None, n_comparisons=9, n_conjunctions=0, metric=metric)
    frame = clf.explain(X[::30], by="feature")
    layer, points = clf.network_.layers[0], clf.exemplars_
    scale = clf._fit_state.comparisons.scale
    s = clf.effective_metric_params_.get("smoothing", 0.0)
    VI = clf.effective_metric_params_.get("VI")
    for row, group in frame.groupby("row"):
        x = np.clip(X[::30][row], layer.low, layer.high)
        expected, weights = np.zeros(4), clf.coefs_[1]
        winner = clf.classes_.tolist().index(group["predicted"].iloc[0])
        for p, (i, j) in enumerate(clf.comparisons_):
            away = np.zeros((2, 4))
            for k, point in enumerate((points[i], points[j])):
                q = np.clip(point, layer.low, layer.high)
                if metric == "sqeuclidean":
                    away[k] = (x - q) ** 2
                elif metric == "kl":
                    away[k] = (x + s) * np.log((x + s) / (q + s)) - x + q
                else:
                    away[k] = (x - q) * (VI @ (x - q))
            of_features = clf.comparison_features_[p] * (away[1] - away[0]) / scale[p]
            if metric == "mahalanobis":  # halfway between both
                q = np.clip(points[[i, j]], layer.low, layer.high)
                slope = 2 * VI @ (q[0] - q[1]) / scale[p]
                of_features = slope * (x - q.mean(axis=0))
            if of_features.sum() > 0:
                expected += of_features * (weights[p, winner] - weights[p].mean())
        found = group[group["term"] == "feature"]["contribution"]
        np.testing.assert_allclose(found, expected, atol=1e-8)
        remainder = group[group["term"] == "remainder"]["contribution"].iloc[0]
        assert remainder == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("by", ["features", None, 1, "pair"])
def test_an_explanation_by_something_else(by):
    with pytest.raises(ValueError, match=r"^by must be one of 'exemplar', "):
        fitted(0, n_neighbors=None).explain(X, by=by)
    for name in ("feature", "comparison"):
        with pytest.raises(AttributeError, match="n_neighbors=1 compares all exemplars"):
            fitted(0).explain(X, by=name)
    with pytest.raises(ValueError, match=r"by='feature' .* activation='step'"):
        fitted(0, n_neighbors=None, activation="step").explain(X, by="feature")


def test_rows_are_named_by_the_index_of_a_data_frame():
    clf = classifier(n_exemplars=6)
    frame = pd.DataFrame(X[:3], columns=list("abcd"), index=["first", "second", "third"])
    clf.fit(pd.DataFrame(X, columns=list("abcd")), y)
    explained = exemplars_near(clf, frame, n_nearest=2)
    assert explained["row"].tolist() == ["first"] * 2 + ["second"] * 2 + ["third"] * 2


@pytest.mark.parametrize("n_neighbors", [None, 1])
def test_blocks_sparse_rows_and_single_precision_make_no_difference(n_neighbors):
    clf = fitted(n_neighbors=n_neighbors)
    expected = clf.explain(X)
    for rows in (X, sp.csr_array(X)):
        with temporaries_of(10_000):
            found = clf.explain(rows)
        pd.testing.assert_frame_equal(found, expected)
    rows = X.astype(np.float32)
    frame = exemplars_near(classifier(n_neighbors=n_neighbors).fit(rows, y), rows)
    assert frame.notna().all().all()


def test_margins_where_there_is_one_class_only():
    found = margins(np.array([[1.0, 2.0]]), np.array([1, 1]))
    assert (found == np.inf).all()


def test_a_class_without_exemplars_can_be_predicted():
    given = X[:100:10], y[:100:10]
    clf = classifier(exemplars=given, learning_rate_init=0.05)
    clf.partial_fit(X[:100], y[:100], classes=np.unique(y))
    for _ in range(30):
        clf.partial_fit(X, y)
    frame = clf.explain(X)
    assert set(frame["predicted"]) == set(y)
    assert set(frame["label"].dropna()) <= set(y[:100])


@pytest.mark.parametrize("n_nearest", [0, -1, 10, 2.0, "all", True])
def test_numbers_of_exemplars_that_are_not_accepted(n_nearest):
    shown = r"^n_nearest must be None, for all exemplars, or an int from 1 to 9, got "
    with pytest.raises(ValueError, match=shown + repr(n_nearest)):
        fitted(0).explain(X, n_nearest=n_nearest)


def test_without_exemplars_there_is_no_explanation():
    with pytest.raises(NotFittedError):
        MetricInitMLPClassifier().explain(X)
    with pytest.raises(AttributeError, match="init='random' has no exemplars"):
        classifier("random").fit(X, y).explain(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        fitted(0).explain(X[:, :3])


# --- of values ---

weights_of_rows = np.random.default_rng(0).normal(size=(4, 2))
values = 100 + 30 * np.sin(X @ weights_of_rows)
values.flags.writeable = False


def fitted_to_values(epochs=2, **settings):
    settings = {"n_neighbors": 1} | settings
    return _fitted("values", epochs, tuple(sorted(settings.items())))


@pytest.mark.parametrize("output", [0, 1])
def test_ranks_values_and_predictions_of_an_output(output):
    reg = fitted_to_values()
    frame = exemplars_near(reg, X[::15], n_nearest=None, output=output)
    assert frame.columns.tolist() == [
        "row",
        "predicted",
        "term",
        "rank",
        "exemplar",
        "value",
        "excess",
        "activation",
        "contribution",
    ]
    predicted = reg.predict(X[::15])[:, output]
    for row, group in frame.groupby("row"):
        away = distances(reg, X[::15][row])
        assert sorted(group["exemplar"]) == list(range(9))
        assert (np.diff(np.take(away, group["exemplar"])) > -1e-9).all()
        assert group["rank"].tolist() == list(range(1, 10))
        np.testing.assert_allclose(group["predicted"], predicted[row])
        for line in group.itertuples():
            carried = reg.exemplar_values_[line.exemplar, output]
            assert line.value == carried
            assert carried == pytest.approx(
                values[reg.exemplar_indices_[line.exemplar], output]
            )
            assert line.excess == pytest.approx(away[line.exemplar] - min(away))


@pytest.mark.parametrize("n_neighbors", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "step"])
def test_contributions_are_what_a_value_loses_without_the_neuron(activation, n_neighbors):
    reg = fitted_to_values(
        0 if activation == "step" else 2, activation=activation, n_neighbors=n_neighbors
    )
    function = ACTIVATIONS[activation].function
    off = -1.0 if activation == "tanh" else 0.0
    weights, bias = reg.coefs_[-1], reg.intercepts_[-1]
    frame = exemplars_near(reg, X[::15], n_nearest=None, output=1)
    for line in frame.itertuples():
        fires = X[::15][line.row]
        for w, b in zip(reg.coefs_[:2], reg.intercepts_[:2], strict=True):
            fires = function(fires @ w + b)
        assert line.activation == pytest.approx(fires[line.exemplar])
        silenced = fires.copy()
        silenced[line.exemplar] = off
        expected = ((fires - silenced) @ weights)[1]
        assert line.contribution == pytest.approx(expected, abs=1e-7)
    total = frame.groupby("row")["contribution"].sum()
    silent = bias[1] + off * weights[:, 1].sum()
    np.testing.assert_allclose(total + silent, reg.predict(X[::15])[:, 1])


@pytest.mark.parametrize("n_neighbors", [None, 1])
def test_explanations_are_in_the_units_of_the_values(n_neighbors):
    one, other = (
        regressor(exemplars="random", n_neighbors=n_neighbors)
        .fit(X, target)
        .explain(X[::15])
        for target in (values[:, 0], 5 - 3 * values[:, 0])
    )
    for name in ("term", "rank", "exemplar", "excess", "activation"):
        pd.testing.assert_series_equal(one[name], other[name])
    for name in ("predicted", "value"):
        np.testing.assert_allclose(other[name], 5 - 3 * one[name])
    constant = np.where(one["term"] == "bias", 5, 0)
    expected = constant - 3 * one["contribution"]
    np.testing.assert_allclose(other["contribution"], expected, atol=1e-6)


@pytest.mark.parametrize("output", [-1, 2, 0.0, True, None, "all"])
def test_outputs_that_there_are_not(output):
    shown = r"^output must be an int from 0 to 1, got "
    with pytest.raises(ValueError, match=shown + repr(output)):
        fitted_to_values(0).explain(X, output=output)


def test_a_regressor_without_exemplars_or_rows_explains_nothing():
    with pytest.raises(NotFittedError):
        MetricInitMLPRegressor().explain(X)
    with pytest.raises(AttributeError, match="init='random' has no exemplars"):
        regressor("random").fit(X, values).explain(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        fitted_to_values(0).explain(X[:, :3])
    with pytest.raises(ValueError, match=r"^n_nearest must be None"):
        fitted_to_values(0).explain(X, n_nearest=10)


def test_rows_of_values_are_named_by_the_index_of_a_data_frame():
    frame = pd.DataFrame(X[:2], columns=list("abcd"), index=["first", "second"])
    reg = regressor(n_exemplars=6)
    reg.fit(pd.DataFrame(X, columns=list("abcd")), values[:, 0])
    explained = exemplars_near(reg, frame, n_nearest=2)
    assert explained["row"].tolist() == ["first"] * 2 + ["second"] * 2


# --- one sense of activations ---

ACTIVATION_NAMES = ["relu", "logistic", "tanh", "step"]


@pytest.mark.parametrize("fit", [fitted, fitted_to_values])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_the_nearer_exemplar_has_the_higher_activation(activation, k, tied, fit):
    estimator = fit(0, activation=activation, n_neighbors=k, tied=tied)
    frame = exemplars_near(estimator, X[::3], n_nearest=None)
    by_rank = frame["activation"].to_numpy().reshape(50, 9)
    assert (np.diff(by_rank, axis=1) <= 1e-12).all()
    assert (by_rank[:, 0] > by_rank[:, -1]).all()


def test_ties_go_to_the_lower_index_as_in_the_network():
    """Distances that are equal but for rounding are told apart by neither."""
    for seed in range(10):
        clf = fitted(0, activation="step", n_exemplars=30, random_state=seed)
        first = exemplars_near(clf, X, n_nearest=1)
        fires = clf.network_.activations(X)[2]
        assert (fires.sum(axis=1) == 1).all()
        assert first["exemplar"].tolist() == fires.argmax(axis=1).tolist()
        assert (first["activation"] == 1).all()


# --- what contributions add up to ---


def forward_pass(estimator, rows):
    """Values of all hidden layers, and the weights of all, by plain NumPy."""
    function = ACTIVATIONS[estimator.activation].function
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    layers = [(w.astype(float), b.astype(float)) for w, b in layers]
    values = [rows]
    for weights, bias in layers[:-1]:
        values.append(function(values[-1] @ weights + bias))
    return values[1:], layers


def expected_terms(estimator, x, shown, output):
    """Terms of an output of one row: parts of the network silenced by hand.

    Without ``output`` that of the predicted class, less the mean over the classes.
    """
    function = ACTIVATIONS[estimator.activation].function
    off = -1.0 if estimator.activation == "tanh" else 0.0
    values, layers = forward_pass(estimator, x[None])
    depth = 2

    def result(value, upper):
        for weights, bias in upper[:-1]:
            value = function(value @ weights + bias)
        weights, bias = upper[-1]
        return (value @ weights + bias)[0]

    def explained(value):
        z = result(value, layers[depth:])
        return z[output] if output is not None else z[winner] - z.mean()

    value = values[depth - 1]
    winner = result(value, layers[depth:]).argmax()
    n = estimator.n_exemplars_
    hidden = sorted(set(range(n)) - set(shown))
    terms = {}
    terms["bias"] = explained(np.full_like(value, off))
    without = value.copy()
    without[:, hidden] = off
    terms["other exemplars"] = explained(value) - explained(without)
    return terms, explained(value)


def check_terms(estimator, rows, n_nearest, output, atol):
    keywords = {} if output is None else {"output": output}
    frame = estimator.explain(rows, n_nearest=n_nearest, **keywords)
    n = estimator.n_exemplars_
    n_layers = len(estimator.coefs_)
    for _, group in frame.groupby("row"):
        near, rest = (group[group["rank"].notna() == known] for known in (True, False))
        assert near["rank"].tolist() == list(range(1, 1 + (n_nearest or n)))
        assert group["term"].tolist() == [*["exemplar"] * len(near), *rest["term"]]
        shown = near["exemplar"].tolist()
        terms, total = expected_terms(estimator, rows[group.row.iloc[0]], shown, output)
        assert group["contribution"].sum() == pytest.approx(total, abs=atol)
        if output is not None:
            assert group["predicted"].iloc[0] == pytest.approx(total, abs=atol)
        found = rest.set_index("term")["contribution"]
        expected = ["other exemplars"] * (n_nearest is not None)
        if n_layers == 4:
            expected.append("interaction")
        assert found.index.tolist() == [*expected, "bias"]
        for name in found.index.difference(["interaction"]):
            assert found[name] == pytest.approx(terms[name], abs=atol)
        assert (
            rest.drop(columns=["row", "predicted", "term", "contribution"])
            .isna()
            .all(axis=None)
        )


FORMS = [
    dict(n_neighbors=1),
    dict(n_neighbors=1, tied=True, pairs=4),
    dict(n_neighbors=3),
    dict(n_neighbors=3, tied=True),
]


@pytest.mark.parametrize(
    ("activation", "epochs"), [("relu", 2), ("logistic", 2), ("tanh", 0), ("step", 0)]
)
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_contributions_of_all_terms_add_up(form, activation, epochs):
    style = form | dict(activation=activation)
    clf, reg = fitted(epochs, **style), fitted_to_values(epochs, **style)
    rows = X[::50]  # one of each class
    for n_nearest in (1, 4, None):
        check_terms(clf, rows, n_nearest, None, 1e-10)
    for n_nearest, output in ((4, 0), (None, 1)):
        check_terms(reg, rows, n_nearest, output, 1e-8)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_contributions_add_up_to_what_probabilities_are_made_of(loss):
    for form in FORMS:
        clf = fitted(loss=loss, **form)
        total = clf.explain(X[::3]).groupby("row")["contribution"].sum()
        z = clf.network_.affine_output(X[::3])
        np.testing.assert_allclose(total, (z - z.mean(axis=1, keepdims=True)).max(axis=1))
        if loss == "log_loss":
            log_p = clf.predict_log_proba(X[::3])
            expected = (log_p - log_p.mean(axis=1, keepdims=True)).max(axis=1)
            np.testing.assert_allclose(total, expected)


@pytest.mark.parametrize("form", [dict(n_neighbors=None), *FORMS], ids=str)
@pytest.mark.parametrize("container", ["sparse", "frame", "single"])
def test_terms_of_other_containers(form, container):
    settings = dict(exemplars=(X[::17], y[::17])) | form
    clf = classifier(**settings).fit(X, y)
    expected = clf.explain(X[:20], n_nearest=2)
    if container == "single":
        rows = X.astype(np.float32)
        single = classifier(**settings).fit(rows, y)
        frame = single.explain(rows[:20], n_nearest=2)
        total = frame.groupby("row")["contribution"].sum()
        z = single.network_.affine_output(rows[:20])
        z = (z - z.mean(axis=1, keepdims=True)).max(axis=1)
        np.testing.assert_allclose(total, z, rtol=1e-4, atol=1e-4)
        return
    if container == "sparse":
        pd.testing.assert_frame_equal(
            clf.explain(sp.csr_array(X[:20]), n_nearest=2), expected
        )
        return
    index = [f"row {i}" for i in range(20)]
    named = classifier(**settings).fit(pd.DataFrame(X), y)
    frame = named.explain(pd.DataFrame(X[:20], index=index), n_nearest=2)
    assert frame["row"].tolist() == [f"row {i}" for i in expected["row"]]
    pd.testing.assert_frame_equal(frame.drop(columns="row"), expected.drop(columns="row"))


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (codes, "Int64"),
        (codes.astype(np.uint8), "UInt8"),
        (codes == 1, "boolean"),
        (codes * 1.0, "float64"),
        (y, None),
        (y.astype(object), None),
    ],
    ids=["int", "byte", "bool", "float", "str", "object"],
)
def test_labels_stay_what_they_are_beside_missing_ones(labels, dtype):
    clf = classifier()
    frame = clf.fit(X, labels).explain(X[:4], n_nearest=3)
    assert dtype is None or frame["label"].dtype == dtype
    assert frame["label"].isna().tolist() == (frame["term"] != "exemplar").tolist()
    near = frame[frame["rank"] <= 2]
    assert near["exemplar"].notna().all()
    at = near["exemplar"].to_numpy(int)
    assert near["label"].tolist() == clf.exemplar_labels_[at].tolist()
    assert (frame[frame["rank"] == 1]["label"] == frame["predicted"][::5]).all()
    with pytest.raises((IndexError, TypeError, ValueError)):  # and not the last one
        clf.exemplar_labels_[frame["exemplar"]]


def test_exemplars_decide_and_nothing_else():
    """By default, and where exemplars vote."""
    digits, labels = standardized("digits")
    clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(digits, labels)
    frame = clf.explain(digits[:200], n_nearest=None)
    assert set(frame["term"]) == {"exemplar", "bias"}
    total = frame.groupby("term")["contribution"].sum()
    assert total["exemplar"] > 0.5 * total.sum()

    clf = classifier(n_exemplars=30, n_neighbors=1)
    frame = clf.fit(digits, labels).explain(digits[:200], n_nearest=None)
    assert set(frame["term"]) == {"exemplar", "bias"}
    bias = frame.loc[frame["term"] == "bias", "contribution"]
    np.testing.assert_allclose(bias, 0, atol=1e-12)
    best = frame.loc[frame.groupby("row")["contribution"].idxmax()]
    assert (best["label"] == best["predicted"]).all()
