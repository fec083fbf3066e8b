"""``n_comparisons=0``: a network without a hidden layer."""

import numpy as np
import pandas as pd
import pytest
from factories import classifier, regressor, standardized
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetricmlp.initialization import output_sums

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = standardized("wine")
VALUES = X[:, 0] - 2.0 * X[:, 3] + np.sin(X[:, 5])
LABELS = (X[:, :3] > 0) * 1


def linear(make=classifier, **settings):
    return make(n_comparisons=0, **{"max_iter": 0, **settings})


def ridges_of(coef, weights=1.0):
    """Solve the normal equations of a ridge regression for its ridge, by feature.

    The ridge is on weights of features with deviation one, and so a single number.
    """
    deviation = X.std(axis=0)
    centered = (X - X.mean(axis=0)) / deviation
    W = coef * deviation
    residual = VALUES - VALUES.mean() - centered @ W
    return centered.T @ (weights * residual) / W


def test_values_are_those_of_a_ridge_regression():
    model = linear(regressor).fit(X, VALUES)
    (weights,), (bias,) = model.coefs_, model.intercepts_
    ridges = ridges_of(weights[:, 0])
    assert_allclose(ridges, np.median(ridges), rtol=1e-6)
    assert np.median(ridges) > 0
    oracle = Ridge(np.median(ridges)).fit(X / X.std(axis=0), VALUES)
    assert_allclose(model.predict(X), oracle.predict(X / X.std(axis=0)), atol=1e-8)
    assert bias.shape == (1,)


def test_the_units_of_features_do_not_matter():
    units = np.logspace(-3, 3, X.shape[1])
    for settings in ({"max_iter": 0}, {"max_iter": 3}):
        expected = linear(**settings).fit(X, y).predict_proba(X)
        found = linear(**settings).fit(X * units, y).predict_proba(X * units)
        assert_allclose(found, expected, atol=1e-6)


def test_classes_are_linear_functions_of_the_features():
    model = linear().fit(X, y)
    assert model.n_layers_ == 2
    (weights,), (bias,) = model.coefs_, model.intercepts_
    z = X @ weights + bias
    expected = np.exp(z - z.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(model.predict_proba(X), expected, atol=1e-10)
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("output_init", ["ridge", "logistic", "norm_constrained"])
def test_outputs_of_all_kinds_are_fitted_and_trained(output_init):
    start = linear(output_init=output_init).fit(X, y)
    assert start.score(X, y) > 0.9
    trained = linear(output_init=output_init, max_iter=20).fit(X, y)
    assert trained.loss_curve_[-1] <= trained.loss_curve_[0]


def test_drawn_weights_learn():
    model = linear(init="random", max_iter=200).fit(X, y)
    assert model.score(X, y) > 0.9


def test_rows_in_any_batches_give_one_network(monkeypatch):
    monkeypatch.setattr(output_sums, "KEPT_ROWS", 60)
    closed = linear(solver="closed_form").fit(X, y)
    stream = clone(closed)
    for part in np.array_split(np.random.default_rng(0).permutation(len(y)), 7):
        stream.partial_fit(X[part], y[part], classes=range(3))
    assert_allclose(stream.predict_proba(X), closed.predict_proba(X), atol=1e-9)


def test_sparse_rows_and_several_labels():
    dense, sparse = linear().fit(X, LABELS), linear().fit(csr_array(X), LABELS)
    assert_allclose(sparse.predict_proba(csr_array(X)), dense.predict_proba(X), atol=1e-8)


def test_tables_with_categories():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"color": rng.choice(["red", "blue"], 90), "size": X[:90, 0]})
    target = np.where(table["color"] == "red", "yes", "no")
    assert linear().fit(table, target).score(table, target) == 1.0


def test_it_is_a_choice_of_a_grid():
    model = make_pipeline(StandardScaler(), classifier(max_iter=0))
    search = GridSearchCV(
        model, {"metricinitmlpclassifier__n_comparisons": [0, 40]}, cv=3
    )
    search.fit(X, y)
    assert_array_equal(np.isfinite(search.cv_results_["mean_test_score"]), True)


def test_nothing_is_chosen_or_compared():
    model = linear(exemplars="condensed", n_exemplars="auto").fit(X, y)
    assert not hasattr(model, "exemplars_")
    assert not hasattr(model, "feature_importances_")
    with pytest.raises(AttributeError, match="n_comparisons=0 makes no hidden layer"):
        model.transform(X)
    with pytest.raises(AttributeError, match="n_comparisons=0 has no exemplars"):
        model.explain(X[:1])


def test_less_than_none_is_refused():
    with pytest.raises(ValueError, match="n_comparisons"):
        classifier(n_comparisons=-1).fit(X, y)


def test_other_runtimes_have_the_same_outputs():
    torch = pytest.importorskip("torch")
    rows = X[:20].copy()
    rows[3, 2] = np.nan
    for model in (linear().fit(X, y), linear(regressor).fit(X, VALUES)):
        module = model.to_torch()
        assert [name for name, _ in module.named_parameters()] == [
            "output.weight",
            "output.bias",
        ]
        with torch.no_grad():
            found = module(torch.tensor(rows))
        is_classifier = hasattr(model, "predict_proba")
        found = torch.softmax(found, dim=1) if is_classifier else found
        expected = (model.predict_proba if is_classifier else model.predict)(rows)
        assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


def test_onnx_has_the_same_outputs():
    pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from skmetricmlp.onnx import to_onnx  # noqa: PLC0415 - it is optional

    model = linear().fit(X, y)
    session = onnxruntime.InferenceSession(to_onnx(model, X[:1]).SerializeToString())
    _, found = session.run(None, {"X": X.astype(np.float32)})
    assert_allclose(found, model.predict_proba(X), atol=1e-5)
