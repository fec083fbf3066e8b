"""The estimator inside pipelines, searches, ensembles and metadata routing."""

from functools import wraps

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.ensemble import BaggingRegressor, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


def classifier(**parameters):
    defaults = {"n_exemplars": 9, "max_iter": 2, "random_state": 0}
    return MetricInitMLPClassifier(**(defaults | parameters))


def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def assert_same_network(first, second):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(first, name), getattr(second, name), strict=True):
            np.testing.assert_array_equal(a, b)


def differ(first, second):
    return not np.array_equal(first.coefs_[-1], second.coefs_[-1])


def test_pipeline_with_a_scaler():
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    pipeline = make_pipeline(StandardScaler(), classifier()).fit(X_train, y_train)
    by_hand = classifier().fit(scale(X_train), y_train)
    assert_same_network(pipeline[-1], by_hand)
    assert pipeline.score(X_test, y_test) > 0.9


def customers(n_rows=240):
    """Numbers, categories and gaps, and a target that depends on both."""
    rng = np.random.default_rng(0)
    age = rng.uniform(18, 80, n_rows)
    plan = rng.choice(["basic", "plus", "pro"], n_rows)
    stays = age / 80 + 0.5 * (plan == "pro") + rng.normal(0, 0.1, n_rows) > 0.8
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n_rows) < 0.1, np.nan, age),
            "visits": rng.poisson(5, n_rows),
            "plan": pd.Series(
                np.where(rng.random(n_rows) < 0.1, None, plan), dtype=object
            ),
            "region": pd.Categorical(rng.choice(["north", "south"], n_rows)),
        }
    )
    return frame, pd.Series(np.where(stays, "stays", "leaves"), name="outcome")


def customer_pipeline(**parameters):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    categories = make_pipeline(
        SimpleImputer(missing_values=None, strategy="constant", fill_value="unknown"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = make_column_transformer(
        (numbers, ["age", "visits"]),
        (categories, ["plan"]),
        (OneHotEncoder(), ["region"]),
        **parameters,
    )
    return make_pipeline(
        columns, classifier(n_exemplars=20, max_iter=20, activation="tanh")
    )


def test_frame_of_numbers_and_categories_with_missing_values():
    X, y = customers()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    pipeline = customer_pipeline().fit(X_train, y_train)
    assert pipeline.classes_.tolist() == ["leaves", "stays"]
    assert set(pipeline.predict(X_test)) == {"leaves", "stays"}
    assert pipeline[-1].n_features_in_ == 2 + 4 + 2
    most_frequent = y_test.value_counts(normalize=True).max()
    assert pipeline.score(X_test, y_test) > most_frequent + 0.1


def test_columns_encoded_sparsely_give_the_same_predictions():
    X, y = customers()
    sparse = customer_pipeline(sparse_threshold=1.0).fit(X, y)
    dense = customer_pipeline(sparse_threshold=0.0).fit(X, y)
    np.testing.assert_allclose(sparse.predict_proba(X), dense.predict_proba(X), atol=1e-9)


def test_feature_names_of_a_transformer_that_returns_frames():
    X, y = load_iris(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), classifier())
    pipeline.set_output(transform="pandas").fit(X, y)
    assert pipeline[-1].feature_names_in_.tolist() == X.columns.tolist()


def test_grid_search_over_architecture_and_start():
    X, y = iris()
    grid = [
        {"n_exemplars": [3, 6], "n_neighbors": [1, 3]},
        {"init": ["random"], "activation": ["relu", "tanh"]},
    ]
    search = GridSearchCV(classifier(), grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(X, y)
    scores = [
        cross_val_score(classifier(**candidate), X, y, cv=2).mean()
        for candidate in search.cv_results_["params"]
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], scores)
    assert_same_network(
        search.best_estimator_, classifier(**search.best_params_).fit(X, y)
    )


def test_processes_do_not_change_the_result():
    X, y = iris()
    one, two = (
        GridSearchCV(
            make_pipeline(StandardScaler(), classifier(exemplars="random")),
            {"metricinitmlpclassifier__n_exemplars": [0.1, {0: 1, 1: 4, 2: 4}]},
            cv=2,
            n_jobs=n_jobs,
            error_score="raise",
        ).fit(X, y)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert_same_network(one.best_estimator_[-1], two.best_estimator_[-1])


def test_cross_validated_probabilities_are_those_of_the_folds():
    X, y = iris()
    folds = StratifiedKFold(3)
    p = cross_val_predict(classifier(), X, y, cv=folds, method="predict_proba")
    np.testing.assert_allclose(p.sum(axis=1), 1)
    for train, test in folds.split(X, y):
        fold = classifier().fit(X[train], y[train])
        np.testing.assert_allclose(p[test], fold.predict_proba(X[test]))


def test_calibration():
    X, y = iris()
    calibrated = CalibratedClassifierCV(classifier(activation="tanh"), cv=2).fit(X, y)
    p = calibrated.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert log_loss(y, p) < log_loss(y, np.full((150, 3), 1 / 3)) / 2


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_voting(voting):
    X, y = iris()
    labels = np.array(["a", "b", "c"])[y]
    members = [("calculated", classifier()), ("neighbors", KNeighborsClassifier())]
    ensemble = VotingClassifier(members, voting=voting).fit(X, labels)
    assert ensemble.score(X, labels) > 0.9
    if voting == "soft":
        p = [clone(member).fit(X, labels).predict_proba(X) for _, member in members]
        np.testing.assert_allclose(ensemble.predict_proba(X), np.mean(p, axis=0))


@pytest.fixture
def metadata_routing():
    with config_context(enable_metadata_routing=True):
        yield


def uneven_weights(y):
    return np.random.default_rng(0).uniform(0.1, 2, len(y)) * np.array([1, 5, 1])[y]


@pytest.mark.usefixtures("metadata_routing")
def test_sample_weight_is_routed_through_a_pipeline():
    X, y = iris()
    weights = uneven_weights(y)
    pipeline = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        classifier().set_fit_request(sample_weight=True),
    ).fit(X, y, sample_weight=weights)
    transformed = pipeline[0].transform(X)
    weighted = classifier().fit(transformed, y, sample_weight=weights)
    assert_same_network(pipeline[-1], weighted)
    assert differ(weighted, classifier().fit(transformed, y))


@pytest.mark.usefixtures("metadata_routing")
def test_sample_weight_is_routed_through_a_grid_search():
    X, y = iris()
    weights = uneven_weights(y)
    estimator = classifier().set_fit_request(sample_weight=True)
    estimator.set_score_request(sample_weight=True)
    grid = {"activation": ["relu", "tanh"]}
    search = GridSearchCV(estimator, grid, cv=2, error_score="raise")
    search.fit(X, y, sample_weight=weights)
    best = classifier(**search.best_params_)
    assert_same_network(
        search.best_estimator_, clone(best).fit(X, y, sample_weight=weights)
    )
    scores = []
    for train, test in StratifiedKFold(2).split(X, y):
        fold = clone(best).fit(X[train], y[train], weights[train])
        scores.append(fold.score(X[test], y[test], weights[test]))
    assert search.best_score_ == pytest.approx(np.mean(scores))


@pytest.mark.usefixtures("metadata_routing")
def test_sample_weight_that_was_not_requested_does_not_arrive():
    X, y = iris()
    estimator = classifier().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(estimator)
    with pytest.raises(TypeError, match="sample_weight"):
        pipeline.fit(X, y, sample_weight=uneven_weights(y))


@pytest.mark.usefixtures("metadata_routing")
def test_validation_rows_are_transformed_and_routed_by_a_pipeline():
    X, y = load_wine(return_X_y=True)
    X, X_val, y, y_val = train_test_split(X, y, random_state=0)
    settings = {"early_stopping": True, "max_iter": 5}
    estimator = classifier(**settings).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("classify", estimator)],
        transform_input=["X_val"],
    ).fit(X, y, X_val=X_val, y_val=y_val)
    transform = pipeline[0].transform
    by_hand = classifier(**settings)
    by_hand.fit(transform(X), y, X_val=transform(X_val), y_val=y_val)
    assert pipeline[-1].validation_loss_curve_ == by_hand.validation_loss_curve_
    assert_same_network(pipeline[-1], by_hand)
    assert pipeline.score(X_val, y_val) == by_hand.best_validation_score_


# --- the regressor ---


def regressor(**parameters):
    defaults = {"n_exemplars": 9, "n_comparisons": 20, "max_iter": 2, "random_state": 0}
    return MetricInitMLPRegressor(**(defaults | parameters))


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X[:150], y[:150]


def test_regressor_in_a_pipeline_with_a_scaler():
    X, y = diabetes()
    pipeline = make_pipeline(StandardScaler(), regressor()).fit(X, y)
    assert_same_network(pipeline[-1], regressor().fit(scale(X), y))
    assert pipeline.score(X, y) > 0.4


def test_grid_search_over_regressors():
    X, y = diabetes()
    grid = [
        {"n_exemplars": [3, 6], "n_neighbors": [1, 3]},
        {"n_comparisons": [20], "max_features": [1, "mixed"]},
        {
            "init": ["random"],
            "n_comparisons": [20],
            "output_init": ["auto", "norm_constrained"],
        },
    ]
    auto = regressor(n_comparisons=800)
    one, two = (
        GridSearchCV(auto, grid, cv=2, n_jobs=n, error_score="raise").fit(X, y)
        for n in (1, 2)
    )
    scores = [
        cross_val_score(clone(auto).set_params(**candidate), X, y, cv=KFold(2)).mean()
        for candidate in one.cv_results_["params"]
    ]
    np.testing.assert_allclose(one.cv_results_["mean_test_score"], scores)
    np.testing.assert_allclose(two.cv_results_["mean_test_score"], scores)
    best = clone(auto).set_params(**one.best_params_)
    assert_same_network(one.best_estimator_, best.fit(X, y))
    assert_same_network(one.best_estimator_, two.best_estimator_)


def test_transformed_targets_make_no_difference_where_they_are_linear():
    X, y = diabetes()
    scaled = TransformedTargetRegressor(
        regressor(activation="tanh"), transformer=StandardScaler()
    )
    plain = regressor(activation="tanh").fit(X, y)
    np.testing.assert_allclose(scaled.fit(X, y).predict(X), plain.predict(X))


def test_meta_regressors():
    X, y = diabetes()
    Y = np.column_stack([y, -(y**2)])
    each = MultiOutputRegressor(regressor()).fit(X, Y)
    for column, member in zip(Y.T, each.estimators_, strict=True):
        assert_same_network(member, regressor().fit(X, column))
    together = BaggingRegressor(regressor(random_state=None), 3, random_state=0)
    assert together.fit(X, y).score(X, y) > 0.3


@pytest.mark.usefixtures("metadata_routing")
def test_weights_and_validation_rows_are_routed_to_a_regressor():
    X, y = diabetes()
    X, X_val, y, y_val = train_test_split(X, y, random_state=0)
    weights = np.random.default_rng(0).uniform(0.1, 2, len(y))
    settings = {"early_stopping": True, "max_iter": 3}
    estimator = regressor(**settings)
    estimator.set_fit_request(X_val=True, y_val=True, sample_weight=True)
    pipeline = Pipeline(
        [("scale", StandardScaler().set_fit_request(sample_weight=False)),
         ("regress", estimator)],
        transform_input=["X_val"],
    ).fit(X, y, X_val=X_val, y_val=y_val, sample_weight=weights)  # fmt: skip
    transform = pipeline[0].transform
    by_hand = regressor(**settings)
    by_hand.fit(transform(X), y, weights, X_val=transform(X_val), y_val=y_val)
    assert pipeline[-1].validation_loss_curve_ == by_hand.validation_loss_curve_
    assert_same_network(pipeline[-1], by_hand)
    assert differ(by_hand, regressor(**settings).fit(transform(X), y))


# --- other tools ---


def test_the_display_links_to_the_documentation():
    html = classifier()._repr_html_()
    page = "api/generated/skmetricmlp.MetricInitMLPClassifier.html"
    assert f"https://skmetricmlp.readthedocs.io/page/{page}" in html


def test_tools_that_replace_fit_do_not_see_the_steps_of_a_fit(monkeypatch):
    """MLflow replaces it so, to record each fit of an estimator of scikit-learn."""
    seen = []

    def recorded(fit):
        @wraps(fit)
        def record(estimator, *args, **keywords):
            seen.append(type(estimator).__name__)
            return fit(estimator, *args, **keywords)

        return record

    for kind in (KMeans, LogisticRegression):
        monkeypatch.setattr(kind, "fit", recorded(kind.fit))
    X, y = iris()
    clf = classifier(output_init="logistic", max_iter=0).fit(X, y)
    assert seen == []
    LogisticRegression().fit(X, y)
    assert seen == ["LogisticRegression"]
    monkeypatch.undo()
    assert_same_network(clf, classifier(output_init="logistic", max_iter=0).fit(X, y))


def test_labels_in_parameters_are_positions_where_an_ensemble_encodes_them():
    X, y = iris()
    labels = np.array(["a", "b", "c"])[y]
    member = classifier(n_exemplars={0: 2, 1: 3, 2: 4}, class_weight={0: 1, 1: 2, 2: 1})
    ensemble = VotingClassifier([("one", member)]).fit(X, labels)
    assert ensemble.estimators_[0].n_exemplars_ == 9
    assert set(ensemble.predict(X)) == {"a", "b", "c"}
    by_label = classifier(class_weight={"a": 1, "b": 2, "c": 1})
    with pytest.raises(ValueError, match=r"\['a', 'b', 'c'\].* classes are \[0, 1, 2\]"):
        VotingClassifier([("one", by_label)]).fit(X, labels)
