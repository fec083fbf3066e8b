"""Hidden features, their names, and the importance of the features they are made of."""

import factories
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_diabetes, load_iris, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFECV, SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skmetricmlp.inspection.names import unique_names

X, y = load_iris(return_X_y=True)
X.flags.writeable = y.flags.writeable = False
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
FRAME = pd.DataFrame(X, columns=NAMES)


def classifier(*init, **settings):
    return factories.classifier(*init, **{"learning_rate": "linear"} | settings)


def regressor(*init, **settings):
    return factories.regressor(*init, **{"learning_rate": "linear"} | settings)


def test_hidden_features_are_what_the_output_layer_reads():
    for clf in (
        classifier(max_iter=2),
        classifier(activation="tanh", n_conjunctions=2),
        classifier("random"),
    ):
        hidden = clf.fit_transform(X, y)
        z = hidden @ clf.coefs_[1] + clf.intercepts_[1]
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(p, clf.predict_proba(X), atol=1e-8)


def test_a_name_says_when_its_feature_is_positive():
    """Distances are those of the named exemplars on the named features alone."""
    clf = classifier(metric="sqeuclidean").set_output(transform="pandas").fit(FRAME, y)
    hidden = clf.transform(FRAME)
    layer = clf.network_.layers[0]
    rows, points = (
        pd.DataFrame(np.clip(values, layer.low, layer.high), columns=NAMES)
        for values in (X, clf.exemplars_)
    )
    assert hidden.columns.is_unique
    assert len(hidden.columns) == 40 + 39

    def margin(comparison):
        compared, _, features = comparison.partition(" on ")
        words = compared.split()
        away = [
            ((rows - points.iloc[k])[features.split(", ") if features else NAMES] ** 2)
            .sum(axis=1)
            .to_numpy()
            for k in (int(words[3]), int(words[6]))
        ]
        return away[1] - away[0]

    for name, values in hidden.items():
        parts = name.split(" (")[0].split(" and ")
        margins = np.min([margin(part) for part in parts], axis=0)
        is_clear = abs(margins) > 1e-9
        np.testing.assert_array_equal((values > 0)[is_clear], (margins > 0)[is_clear])


@pytest.mark.parametrize("settings", [{}, {"tied": True}, {"pairs": 2}], ids=str)
def test_names_of_a_tournament(settings):
    clf = classifier(n_neighbors=1, activation="step", **settings).fit(X, y)
    hidden = pd.DataFrame(clf.transform(X), columns=clf.get_feature_names_out())
    away = ((X[:, None] - clf.exemplars_) ** 2).sum(axis=2)
    assert hidden.columns.is_unique
    assert len(hidden.columns) == clf.pairs_.size
    for name, values in hidden.items():
        i, j = (int(word) for word in name.split() if word.isdigit())
        nearer = away[:, i] < away[:, j]
        is_clear = abs(away[:, i] - away[:, j]) > 1e-9
        np.testing.assert_array_equal(values[is_clear] > 0, nearer[is_clear])


def test_names_of_weights_that_are_not_calculated_are_numbers():
    names = classifier("random").fit(X, y).get_feature_names_out()
    assert names[:2].tolist() == ["metricinitmlpclassifier0", "metricinitmlpclassifier1"]
    assert len(names) == 79


def test_names_of_features_that_are_passed():
    clf = classifier(max_features=1).fit(X, y)
    assert " on petal" in " ".join(clf.get_feature_names_out(NAMES))
    assert " on x2" in " ".join(clf.get_feature_names_out())
    with pytest.raises(ValueError, match="input_features should have length equal"):
        clf.get_feature_names_out(NAMES[:2])
    with pytest.raises(ValueError, match="input_features is not equal to feature_names"):
        clf.fit(FRAME, y).get_feature_names_out(NAMES[::-1])


def test_too_many_names(monkeypatch):
    monkeypatch.setattr("skmetricmlp.estimators._metric_base.MOST_NAMES", 78)
    clf = classifier().fit(X, y)
    with pytest.raises(ValueError, match="at most 78 columns, and transform has 79"):
        clf.get_feature_names_out()
    assert "nearer to exemplar" not in clf._repr_html_()


def test_equal_names_are_numbered():
    names = unique_names(["a", "a (2)", "a", "b", "a", "a (2)"]).tolist()
    assert len(set(names)) == 6
    assert [names[k] for k in (0, 1, 3)] == ["a", "a (2)", "b"]


def test_tables_with_holes_and_categories():
    frame = FRAME.assign(color=np.where(X[:, 3] > 1, "blue", "red"))
    frame.loc[::7, "petal width"] = np.nan
    clf = classifier().set_output(transform="polars").fit(frame, y)
    hidden = clf.transform(frame.head(20))
    assert isinstance(hidden, pl.DataFrame)
    assert any(" on color" in name for name in hidden.columns)
    assert not any("missingindicator" in name for name in hidden.columns)
    with_more = frame.head(20).assign(**{"sepal width": np.nan})
    assert np.isfinite(clf.transform(with_more).to_numpy()).all()
    assert clf.feature_importances_.shape == (5,)


def test_sparse_rows_single_precision_and_no_fit():
    reg = regressor(metric="sqeuclidean").fit(X, y)
    np.testing.assert_allclose(
        reg.transform(sp.csr_array(X[::20])), reg.transform(X[::20]), atol=1e-8
    )
    single = X.astype(np.float32)
    assert reg.fit(single, y).transform(single[:3]).dtype == np.float32
    with pytest.raises(NotFittedError):
        regressor().transform(X)
    with pytest.raises(NotFittedError):
        _ = regressor().feature_importances_


def test_hidden_features_in_a_pipeline():
    model = make_pipeline(classifier(), LogisticRegression(max_iter=5000))
    model.set_output(transform="pandas").fit(FRAME, y)
    names = model[0].get_feature_names_out().tolist()
    assert model[1].feature_names_in_.tolist() == names
    assert model.score(FRAME, y) > 0.95


# --- importances ---


@pytest.mark.parametrize("epochs", [0, 2])
def test_importances_are_mean_contributions(epochs):
    """All 150 rows are kept, so that an explanation of all of them has the same."""
    Y = np.column_stack([y, X[:, 1] * 100.0])
    clf, reg = classifier(max_iter=epochs), regressor(max_iter=epochs)
    for estimator, targets, outputs in ((clf, y, [None]), (reg, Y, [0, 1])):
        estimator.fit(X, targets)
        expected = np.zeros(4)
        for output in outputs:
            frame = estimator.explain(X, by="feature", output=output)
            own = frame[frame["term"] == "feature"]
            sums = own["contribution"].abs().groupby(own["feature"]).sum().to_numpy()
            expected += sums / sums.sum() / len(outputs)
        np.testing.assert_allclose(estimator.feature_importances_, expected, atol=1e-9)


def test_importances_find_the_features_that_matter():
    table, values = make_friedman1(300, n_features=8, random_state=0)
    reg = regressor(n_comparisons=150).fit(table, values)
    importances = reg.feature_importances_
    assert importances.sum() == pytest.approx(1)
    assert importances[:5].min() > 2 * importances[5:].max()
    search = RFECV(regressor(), step=3, cv=2).fit(table, values)
    assert search.ranking_[[0, 1, 3]].tolist() == [1, 1, 1]
    chosen = SelectFromModel(reg, prefit=True).transform(table)
    np.testing.assert_array_equal(chosen, table[:, importances >= importances.mean()])


def test_importances_do_not_depend_on_units_order_or_duplicates():
    table, values = load_diabetes(return_X_y=True)
    table, values = table[:60], values[:60]
    expected = regressor(max_iter=2).fit(table, values).feature_importances_
    moved = 100.0 + 7.0 * table
    reg = regressor(max_iter=2).fit(moved, values)
    np.testing.assert_allclose(reg.feature_importances_, expected, rtol=1e-6)
    untrained = regressor().fit(table, values).feature_importances_
    twice = np.concatenate([table[::-1], table[:20]])
    doubled = regressor().fit(twice, np.concatenate([values[::-1], values[:20]]))
    weighted = regressor().fit(table, values, np.where(np.arange(60) < 20, 2.0, 1.0))
    np.testing.assert_allclose(
        doubled.feature_importances_, weighted.feature_importances_, rtol=1e-9
    )
    assert abs(weighted.feature_importances_ - untrained).max() > 1e-3


def test_importances_of_the_present_network():
    clf = classifier().fit(X, y)
    before = clf.feature_importances_
    clf.coefs_[0][2] = 0.0  # the network no longer reads it
    assert abs(clf.feature_importances_ - before).max() > 0.01
    constant = classifier("metric").fit(np.ones((6, 2)), [0, 1] * 3)
    np.testing.assert_array_equal(constant.feature_importances_, [0, 0])


def test_networks_without_importances():
    for settings in ({"n_neighbors": 1}, {"init": "random"}, {"activation": "step"}):
        assert not hasattr(classifier(**settings).fit(X, y), "feature_importances_")
