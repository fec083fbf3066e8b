"""Models of ONNX predict as the estimators that they are converted from."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

from skmetricmlp.onnx import OPSET, to_onnx  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
D, values = load_diabetes(return_X_y=True)


def few_units(parameters):
    few = {} if "n_neighbors" in parameters else {"n_comparisons": 40}
    return {"max_iter": 2, "random_state": 0, **few, **parameters}


def classifier(**parameters):
    return MetricInitMLPClassifier(**few_units(parameters))


def regressor(**parameters):
    return MetricInitMLPRegressor(**few_units(parameters))


def run(model, rows, dtype=np.float32):
    """Return the outputs for an array, or a table whose columns are inputs."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    if not hasattr(rows, "columns"):
        return session.run(None, {"X": rows.astype(dtype)})
    inputs = {
        item.name: rows[[item.name]].astype(object).fillna("").to_numpy(object)
        if item.type == "tensor(string)"
        else rows[[item.name]].to_numpy(dtype)
        for item in session.get_inputs()
    }
    return session.run(None, inputs)


def assert_same(estimator, rows, model=None, dtype=np.float32, atol=1e-5):
    """Compare with the estimator's predictions for the same rows."""
    model = to_onnx(estimator, rows, dtype=dtype) if model is None else model
    outputs = run(model, rows, dtype)
    given = rows if hasattr(rows, "columns") else rows.astype(dtype)
    if not hasattr(estimator, "predict_proba"):
        expected = estimator.predict(given)
        unit = np.abs(expected).max()
        (found,) = outputs
        assert found.shape == expected.reshape(len(rows), -1).shape
        np.testing.assert_allclose(
            found / unit, expected.reshape(found.shape) / unit, atol=atol
        )
        return
    label, p = outputs
    np.testing.assert_allclose(p, estimator.predict_proba(given), atol=atol)
    np.testing.assert_array_equal(label, estimator.predict(given))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_conjunctions": 0},
        {"n_conjunctions": 3},
        {"activation": "tanh"},
        {"activation": "logistic"},
        {"activation": "step", "max_iter": 0},
        {"loss": "squared_error"},
        {"init": "random"},
        {"metric": "mahalanobis"},
        {"solver": "closed_form"},
        {"n_neighbors": 1},
        {"n_neighbors": 1, "tied": True},
        {"n_neighbors": 3, "pairs": 5},
        {"n_neighbors": 3, "tied": True, "pairs": 5},
        {"n_neighbors": 3, "tied": True, "activation": "logistic", "max_iter": 0},
        {"n_neighbors": 1, "activation": "step", "max_iter": 0},
        {"n_neighbors": 3, "activation": "step", "max_iter": 0, "tied": True},
    ],
    ids=str,
)
def test_networks_of_all_forms(parameters):
    assert_same(classifier(**parameters).fit(X, y), X[::3] + 0.01)


@pytest.mark.parametrize(
    "labels", [[0, 1, 2], ["a", "bb", "ü"], [-5, 7, 300], [1.0, 2.0, 4.0]]
)
@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_labels_are_those_of_the_user(labels, n_classes):
    rows = y < n_classes
    clf = classifier(max_iter=0).fit(X[rows], np.array(labels)[y[rows]])
    assert_same(clf, X)


def test_truth_values_are_integers():
    clf = classifier(max_iter=0).fit(X, y == 1)
    label, _ = run(to_onnx(clf, X), X)
    np.testing.assert_array_equal(label, clf.predict(X).astype(int))


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_several_labels(loss):
    Y = np.column_stack([y == 0, y > 0, X[:, 0] > 6]).astype(int)
    assert_same(classifier(loss=loss).fit(X, Y), X)
    voting = classifier(n_neighbors=3, activation="step", max_iter=0).fit(X, Y)
    assert_same(voting, X[::3] + 0.01)


@pytest.mark.parametrize("parameters", [{}, {"n_neighbors": 2, "tied": True}])
def test_values(parameters):
    reg = regressor(**parameters)
    assert_same(reg.fit(D, values), D)
    assert_same(reg.fit(D, np.column_stack([values, D[:, 2]])), D)


def test_basis_networks():
    reg = BasisInitMLPRegressor(max_iter=2, random_state=0)
    assert_same(reg.fit(D[:, :3], values), D[:, :3])
    assert_same(reg.fit(D[:, :3] * 1e3 + 4e3, values), D[:, :3] * 1e3 + 4e3)


def test_features_far_from_zero():
    far = (X + 5000).astype(np.float32).astype(float)
    assert_same(classifier(max_iter=5).fit(far, y), far)


def test_double_precision():
    clf = classifier().fit(X, y)
    assert_same(clf, X, dtype=np.float64, atol=1e-12)


def with_holes(rows, columns, seed=0):
    rows = rows.copy()
    rng = np.random.default_rng(seed)
    rows[:, columns] = np.where(
        rng.random(rows[:, columns].shape) < 0.2, np.nan, rows[:, columns]
    )
    return rows


@pytest.mark.parametrize(
    "parameters",
    [{}, {"n_neighbors": 3}, {"init": "random"}, {"metric": "sqeuclidean"}],
    ids=str,
)
def test_values_that_are_missing(parameters):
    clf = classifier(**parameters).fit(with_holes(X, [1, 3]), y)
    assert_same(clf, with_holes(X, [1, 3], seed=1))
    assert_same(clf, with_holes(X, [0, 1, 2, 3], seed=1))  # where none was in fit
    complete = classifier(**parameters).fit(X, y)
    assert_same(complete, with_holes(X, [0, 1, 2, 3]))


def test_missing_values_of_tied_networks_are_an_option():
    clf = classifier(n_neighbors=1, tied=True, max_iter=0).fit(X, y)
    options = {id(clf): {"zipmap": False, "missing": True}}
    model = to_onnx(clf, X, options=options)
    assert_same(clf, with_holes(X, [0, 2]), model)
    assert to_onnx(clf, X).ByteSize() < model.ByteSize()


def table(n=150):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(with_holes(X[:n], [1]), columns=["a", "b", "c", "d"])
    frame.insert(1, "kind", rng.choice(["u", "v", "w", None], n))
    frame["grade"] = pd.Categorical(rng.choice([1.5, 2.0, np.nan], n))
    frame["many"] = [f"m{k}" for k in rng.integers(0, 30, n)]
    frame["yes"] = rng.random(n) < 0.5
    frame["count"] = rng.integers(0, 9, n)
    return frame


def test_tables_have_an_input_for_each_column():
    frame = table()
    clf = classifier().fit(frame, y)
    model = to_onnx(clf, frame)
    assert [item.name for item in model.graph.input] == list(frame.columns)
    assert_same(clf, frame, model)
    other = frame.assign(kind=["new", *frame["kind"][1:]], many="unknown", c=np.nan)
    assert_same(clf, other, model)
    reg = regressor(n_neighbors=2).fit(frame, X[:, 0])
    assert_same(reg, frame)


def test_names_of_inputs_are_those_of_the_columns_whatever_they_are():
    names = ["a b", "a_b", "7", "größe", "capital-gain", "kind of"]
    frame = pd.DataFrame(X, columns=names[:4])
    frame[names[4]], frame[names[5]] = X[:, 0] ** 2, table()["kind"]
    clf = classifier().fit(frame, y)
    model = to_onnx(clf, frame)
    assert [item.name for item in model.graph.input] == names
    assert_same(clf, frame, model)
    scaled = ColumnTransformer([("n", StandardScaler(), names[:3])])
    assert_same(make_pipeline(scaled, classifier()).fit(frame, y), frame)


def test_skl2onnx_converts_tables_of_numbers_and_text():
    frame = table()[["kind", "a", "c"]].fillna({"kind": ""})
    clf = classifier().fit(frame, y)
    model = skl2onnx.to_onnx(clf, frame, options={"zipmap": False})
    assert_same(clf, frame, model, dtype=np.float64)


def test_pipelines():
    assert_same(make_pipeline(StandardScaler(), classifier()).fit(X, y), X)
    frame = table()[["a", "c", "kind"]].fillna("")
    columns = ColumnTransformer(
        [("n", StandardScaler(), ["a", "c"]), ("t", OneHotEncoder(), ["kind"])]
    )
    assert_same(make_pipeline(columns, classifier()).fit(frame, y), frame)
    search = GridSearchCV(classifier(), {"max_iter": [0, 1]}, cv=2).fit(X, y)
    assert_same(search, X)


def test_outputs_are_those_of_scikit_learn():
    clf = classifier(max_iter=0).fit(X, np.array(["a", "b", "c"])[y])
    model = skl2onnx.to_onnx(clf, X[:1].astype(np.float32))
    assert [item.name for item in model.graph.output] == [
        "output_label",
        "output_probability",
    ]
    _, maps = run(model, X)
    np.testing.assert_allclose(
        pd.DataFrame(maps)[list(clf.classes_)], clf.predict_proba(X), atol=1e-5
    )
    columns = skl2onnx.to_onnx(
        clf, X[:1].astype(np.float32), options={"zipmap": "columns"}
    )
    label, *parts = run(columns, X)
    np.testing.assert_array_equal(label, clf.predict(X))
    np.testing.assert_allclose(np.column_stack(parts), clf.predict_proba(X), atol=1e-5)


def test_the_same_operators_whatever_is_installed():
    clf = classifier(max_iter=0).fit(X, y)
    model = to_onnx(clf, X)
    versions = {item.domain: item.version for item in model.opset_import}
    assert versions[""] == OPSET[""]
    assert set(versions) <= set(OPSET)
    assert_same(clf, X, to_onnx(clf, X, target_opset=13))
    with pytest.raises(ValueError, match=r"target_opset must be 13 or more.* 12"):
        to_onnx(clf, X, target_opset=12)


def test_what_cannot_be_converted_is_named():
    with pytest.raises(NotFittedError, match="MetricInitMLPClassifier"):
        to_onnx(classifier(), X)
    dates = table().assign(since=pd.date_range("2026-01-01", periods=150))
    clf = classifier(max_iter=0).fit(dates, y)
    with pytest.raises(ValueError, match="'since' has dates"):
        to_onnx(clf, dates)
    days = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], dtype="M8[D]")
    with pytest.raises(ValueError, match=r"has the labels \[datetime"):
        to_onnx(classifier(max_iter=0).fit(X, days[y]), X)
    with pytest.raises(ValueError, match="dtype"):
        to_onnx(clf, X, dtype=np.float16)
    with pytest.raises((RuntimeError, NotImplementedError), match="FunctionTransformer"):
        to_onnx(make_pipeline(FunctionTransformer(np.sqrt), classifier()).fit(X, y), X)
    numbers = classifier(max_iter=0).fit(X, y)
    with pytest.raises(ValueError, match=r"4 columns.* 3"):
        to_onnx(numbers, pd.DataFrame(X[:, :3], columns=list("abc")))
    frame = table()[["kind", "a"]]
    with pytest.raises(ValueError, match="'kind' has categories that are text"):
        to_onnx(classifier(max_iter=0).fit(frame, y), frame.assign(kind=1.0))
    with pytest.raises(TypeError, match="'a' has numbers"):
        to_onnx(classifier(max_iter=0).fit(frame, y), frame.assign(a="u"))
