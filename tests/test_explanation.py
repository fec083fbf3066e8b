"""What a prediction is explained by, against loops over rows and exemplars."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor, explanation
from skmetricmlp.explanation import margins
from skmetricmlp.network import ACTIVATIONS

X, codes = load_iris(return_X_y=True)
y = np.array(["setosa", "versicolor", "virginica"])[codes]
X.flags.writeable = y.flags.writeable = False


def fitted(epochs=2, **settings):
    defaults = dict(
        exemplars="random",
        n_exemplars=9,
        readout="exemplars",
        max_iter=0,
        random_state=0,
    )
    clf = MetricInitMLPClassifier(**(defaults | settings)).fit(X, y)
    for _ in range(epochs):
        clf.partial_fit(X, y)
    return clf


def distances(clf, x):
    return [sum((a - b) ** 2 for a, b in zip(x, p, strict=True)) for p in clf.exemplars_]


def test_ranks_excesses_and_margins_are_those_of_the_distances():
    clf = fitted()
    frame = clf.explain(X[::15], n_nearest=None)
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
    frame = clf.explain(X, n_nearest=1)
    np.testing.assert_array_equal(frame["predicted"], clf.predict(X))
    untrained = fitted(0, activation="step")
    frame = untrained.explain(X, n_nearest=1)
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
    frame = clf.explain(X[::15], n_nearest=None)
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


def test_contributions_of_three_layers_add_up_to_the_output():
    clf = fitted()
    total = clf.explain(X, n_nearest=None).groupby("row")["contribution"].sum()
    log_p = clf.predict_log_proba(X)
    output = (log_p - log_p.mean(axis=1, keepdims=True)).max(axis=1)
    bias = clf.intercepts_[-1] - clf.intercepts_[-1].mean()
    silent = bias[log_p.argmax(axis=1)]
    np.testing.assert_allclose(total + silent, output)


@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh"])
def test_contributions_of_comparisons_are_half_of_what_each_pair_says(activation):
    clf = fitted(readout="comparisons", activation=activation, n_spare_units=4)
    (first, second), (bias, _) = clf.coefs_, clf.intercepts_
    frame = clf.explain(X[::15], n_nearest=None)
    classes = clf.classes_.tolist()
    for line in frame.itertuples():
        h = ACTIVATIONS[activation].function(X[::15][[line.row]] @ first + bias)[0]
        chosen, own, said = classes.index(line.predicted), 0.0, 0.0
        pairs = [(i, j) for i in range(9) for j in range(9) if i != j]
        for k, pair in enumerate(pairs):
            if line.exemplar in pair:
                said += h[k] * (second[k, chosen] - second[k].mean()) / 2
            if line.exemplar == pair[0]:
                own += h[k]
        assert line.contribution == pytest.approx(said, abs=1e-9)
        assert line.activation == pytest.approx(own)


def test_contributions_of_comparisons_add_up_to_the_output():
    clf = fitted(readout="comparisons", n_spare_units=0)
    total = clf.explain(X, n_nearest=None).groupby("row")["contribution"].sum()
    log_p = clf.predict_log_proba(X)
    output = (log_p - log_p.mean(axis=1, keepdims=True)).max(axis=1)
    bias = clf.intercepts_[-1] - clf.intercepts_[-1].mean()
    np.testing.assert_allclose(total + bias[log_p.argmax(axis=1)], output)


def test_rows_are_named_by_the_index_of_a_data_frame():
    clf = MetricInitMLPClassifier(n_exemplars=6, max_iter=0)
    frame = pd.DataFrame(X[:3], columns=list("abcd"), index=["first", "second", "third"])
    clf.fit(pd.DataFrame(X, columns=list("abcd")), y)
    explained = clf.explain(frame, n_nearest=2)
    assert explained["row"].tolist() == ["first"] * 2 + ["second"] * 2 + ["third"] * 2


@pytest.mark.parametrize("readout", ["comparisons", "exemplars"])
def test_blocks_sparse_rows_and_single_precision_make_no_difference(monkeypatch, readout):
    clf = fitted(readout=readout)
    expected = clf.explain(X)
    monkeypatch.setattr(explanation, "BLOCK_ELEMENTS", 10_000)
    for rows in (X, sp.csr_array(X)):
        pd.testing.assert_frame_equal(clf.explain(rows), expected)
    single = MetricInitMLPClassifier(n_exemplars=9, max_iter=0, random_state=0)
    frame = single.fit(X.astype(np.float32), y).explain(X.astype(np.float32))
    assert frame.notna().all().all()


def test_margins_where_there_is_one_class_only():
    found = margins(np.array([[1.0, 2.0]]), np.array([1, 1]))
    assert (found == np.inf).all()


def test_a_class_without_exemplars_can_be_predicted():
    given = X[:100:10], y[:100:10]
    clf = MetricInitMLPClassifier(
        exemplars=given, learning_rate_init=0.05, max_iter=0, random_state=0
    )
    clf.partial_fit(X[:100], y[:100], classes=np.unique(y))
    for _ in range(30):
        clf.partial_fit(X, y)
    frame = clf.explain(X)
    assert set(frame["predicted"]) == set(y)
    assert set(frame["label"]) == set(y[:100])


@pytest.mark.parametrize("n_nearest", [0, -1, 10, 2.0, "all", True])
def test_numbers_of_exemplars_that_are_not_accepted(n_nearest):
    shown = r"^n_nearest must be None, for all exemplars, or an int from 1 to 9, got "
    with pytest.raises(ValueError, match=shown + repr(n_nearest)):
        fitted(0).explain(X, n_nearest=n_nearest)


def test_without_exemplars_there_is_no_explanation():
    with pytest.raises(NotFittedError):
        MetricInitMLPClassifier().explain(X)
    with pytest.raises(AttributeError, match="init='random' has no exemplars"):
        fitted(init="random").explain(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        fitted(0).explain(X[:, :3])


# --- of values ---

weights_of_rows = np.random.default_rng(0).normal(size=(4, 2))
values = 100 + 30 * np.sin(X @ weights_of_rows)
values.flags.writeable = False


def fitted_to_values(epochs=2, target=values, **settings):
    defaults = dict(
        exemplars="random",
        n_exemplars=9,
        readout="exemplars",
        max_iter=0,
        random_state=0,
    )
    reg = MetricInitMLPRegressor(**(defaults | settings)).fit(X, target)
    for _ in range(epochs):
        reg.partial_fit(X, target)
    return reg


@pytest.mark.parametrize("output", [0, 1])
def test_ranks_values_and_predictions_of_an_output(output):
    reg = fitted_to_values()
    frame = reg.explain(X[::15], n_nearest=None, output=output)
    assert frame.columns.tolist() == [
        "row",
        "predicted",
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
    frame = reg.explain(X[::15], n_nearest=None, output=1)
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


def test_contributions_of_comparisons_to_a_value():
    reg = fitted_to_values(readout="comparisons", n_spare_units=0)
    frame = reg.explain(X[::15], n_nearest=None, output=1)
    h = np.maximum(X[::15] @ reg.coefs_[0] + reg.intercepts_[0], 0)
    pairs = [(i, j) for i in range(9) for j in range(9) if i != j]
    for line in frame.itertuples():
        said = [
            h[line.row, k] * reg.coefs_[1][k, 1] / 2
            for k, pair in enumerate(pairs)
            if line.exemplar in pair
        ]
        assert line.contribution == pytest.approx(sum(said), abs=1e-7)
    total = frame.groupby("row")["contribution"].sum() + reg.intercepts_[1][1]
    np.testing.assert_allclose(total, reg.predict(X[::15])[:, 1])


@pytest.mark.parametrize("readout", ["comparisons", "exemplars"])
def test_explanations_are_in_the_units_of_the_values(readout):
    target = values[:, 0]
    one = fitted_to_values(0, target, readout=readout).explain(X[::15])
    other = fitted_to_values(0, 5 - 3 * target, readout=readout).explain(X[::15])
    for name in ("rank", "exemplar", "excess", "activation"):
        np.testing.assert_array_equal(one[name], other[name])
    for name in ("predicted", "value"):
        np.testing.assert_allclose(other[name], 5 - 3 * one[name])
    np.testing.assert_allclose(other["contribution"], -3 * one["contribution"], atol=1e-6)


@pytest.mark.parametrize("output", [-1, 2, 0.0, True, None, "all"])
def test_outputs_that_there_are_not(output):
    shown = r"^output must be an int from 0 to 1, got "
    with pytest.raises(ValueError, match=shown + repr(output)):
        fitted_to_values(0).explain(X, output=output)


def test_a_regressor_without_exemplars_or_rows_explains_nothing():
    with pytest.raises(NotFittedError):
        MetricInitMLPRegressor().explain(X)
    with pytest.raises(AttributeError, match="init='random' has no exemplars"):
        fitted_to_values(init="random").explain(X)
    with pytest.raises(ValueError, match="X has 3 features"):
        fitted_to_values(0).explain(X[:, :3])
    with pytest.raises(ValueError, match=r"^n_nearest must be None"):
        fitted_to_values(0).explain(X, n_nearest=10)


def test_rows_of_values_are_named_by_the_index_of_a_data_frame():
    frame = pd.DataFrame(X[:2], columns=list("abcd"), index=["first", "second"])
    reg = MetricInitMLPRegressor(n_exemplars=6, max_iter=0)
    reg.fit(pd.DataFrame(X, columns=list("abcd")), values[:, 0])
    explained = reg.explain(frame, n_nearest=2)
    assert explained["row"].tolist() == ["first"] * 2 + ["second"] * 2
