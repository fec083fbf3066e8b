"""Callbacks of scikit-learn, where it has them, and none where it has not."""

import importlib.util
import pickle
import sys
import warnings
from copy import copy
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.datasets import load_iris, load_linnerud, make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmetricmlp.estimators._callbacks
from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp.training import Objective

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ModuleNotFoundError:
    HAS_CALLBACKS = False
else:
    HAS_CALLBACKS = True
needs_callbacks = pytest.mark.skipif(
    not HAS_CALLBACKS, reason="scikit-learn has callbacks from version 1.9 on"
)
ESTIMATORS = [
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
    BasisInitMLPRegressor,
]
pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)

N_EPOCHS = 4
WHOLE = {"learning_rate": "constant", "trained_share": 1.0}
SMALL = {"n_comparisons": 50, "max_iter": N_EPOCHS, "random_state": 0} | WHOLE


def read_only(array):
    array.flags.writeable = False
    return array


IRIS, SPECIES = map(read_only, load_iris(return_X_y=True))
NAMES = read_only(np.array(["setosa", "versicolor", "virginica"])[SPECIES])
ROWS, VALUES = map(read_only, make_friedman1(80, random_state=0))
EXERCISES, MEASURES = map(read_only, load_linnerud(return_X_y=True))
WEIGHTS = read_only(np.linspace(0.0, 3.0, len(IRIS)))


def classifier(**parameters):
    return MetricInitMLPClassifier(**SMALL | {"n_exemplars": 6} | parameters)


def regressor(**parameters):
    return MetricInitMLPRegressor(**SMALL | {"n_exemplars": 8} | parameters)


def basis(**parameters):
    given = {"degree": 2, "max_iter": N_EPOCHS, "random_state": 0, **parameters}
    return BasisInitMLPRegressor(**given)


# Small steps and random weights, so that scores differ from epoch to epoch.
CASES = {
    "adam": (classifier(init="random", batch_size=32), IRIS, NAMES, None),
    "sgd": (classifier(init="random", solver="sgd"), IRIS, SPECIES, None),
    "lbfgs": (classifier(init="random", solver="lbfgs"), IRIS, NAMES, None),
    "weights": (classifier(init="random"), IRIS, SPECIES, WEIGHTS),
    "calculated": (classifier(learning_rate_init=1e-4), IRIS, NAMES, None),
    "float32": (classifier(init="random"), IRIS.astype("f"), SPECIES, None),
    "float32 lbfgs": (
        classifier(init="random", solver="lbfgs"),
        IRIS.astype("f"),
        NAMES,
        WEIGHTS,
    ),
    "sparse": (classifier(init="random"), csr_array(IRIS), SPECIES, None),
    "tied": (
        regressor(n_neighbors=1, n_comparisons=800, tied=True, alpha=0.1),
        ROWS,
        VALUES,
        None,
    ),
    "regressor": (regressor(init="random"), ROWS, VALUES, VALUES),
    "two outputs": (regressor(solver="lbfgs"), EXERCISES, MEASURES, None),
    "basis": (basis(), ROWS[:, :2], VALUES, None),
    "basis adam": (basis(init="random", solver="adam"), ROWS[:, :2], VALUES, None),
}
every_case = pytest.mark.parametrize("name", CASES)


def trained_for(estimator, n_epochs, X, y, sample_weight=None):
    """Fit a clone for so many epochs, by the parameter alone."""
    model = clone(estimator).set_params(max_iter=n_epochs)
    if HAS_CALLBACKS:
        model.set_callbacks()
    return model.fit(X, y, sample_weight=sample_weight)


@cache
def trained_case(name, n_epochs):
    """Fit the estimator of a case for so many epochs, once for all tests."""
    return trained_for(CASES[name][0], n_epochs, *CASES[name][1:])


# Of their arguments callbacks must have those that they are always passed.
# ruff: noqa: ARG002


class Recorder:
    """Keeps each event: what it is, of which task, and the estimator if it is wanted."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.events = []

    def setup(self, estimator, context):
        self.events.append(("setup", context, None))

    def teardown(self, estimator, context):
        self.events.append(("teardown", context, None))

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator):
        self.events.append(("begin", context, fitted_estimator))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.events.append(("end", context, fitted_estimator))
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after

    def fitted(self, event):
        """Fitted estimators at the begin or the end of the epochs."""
        return [
            fitted
            for kind, context, fitted in self.events
            if kind == event and context.task_name == "epoch"
        ]

    def names(self):
        return [
            kind if kind in {"setup", "teardown"} else f"{kind} {context.task_name}"
            for kind, context, _ in self.events
        ]


class Bystander(Recorder):
    """Wants no fitted estimator."""

    def on_fit_task_begin(self, estimator, context):
        super().on_fit_task_begin(estimator, context, fitted_estimator=None)

    def on_fit_task_end(self, estimator, context):
        return super().on_fit_task_end(estimator, context, fitted_estimator=None)


class Keen(Recorder):
    """Asks for all that a callback can get."""

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.events.append((X, y, metadata))


def expected_names(n_epochs, method="fit"):
    epochs = ["begin epoch", "end epoch"] * n_epochs
    return ["setup", f"begin {method}", *epochs, f"end {method}", "teardown"]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_callbacks_can_be_set_where_scikit_learn_has_them(Estimator):
    assert hasattr(Estimator(), "set_callbacks") == HAS_CALLBACKS


def test_without_callbacks_in_scikit_learn_a_task_is_silent(monkeypatch):
    # An entry of None is how Python says that a module is not there.
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.spec_from_file_location(
        "callbacks_of_old", skmetricmlp.estimators._callbacks.__file__
    )
    old = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "callbacks_of_old", old)
    spec.loader.exec_module(old)

    class Model(old.CallbackSupportMixin, BaseEstimator):
        @old.with_callbacks
        def fit(self):
            task = old.FitTask(self, {"X": None, "y": None, "metadata": None}, asked)
            task.begin("fit", 2)
            stops = []
            for _ in range(2):
                task.begin_epoch(asked)
                stops.append(task.end_epoch(asked))
            task.begin_epoch(asked)
            task.end()
            return stops

    def asked(*_):
        pytest.fail("nobody wants to know")

    assert Model().fit() == [False, False]
    assert not hasattr(Model(), "set_callbacks")


@needs_callbacks
@every_case
def test_scores_are_those_of_estimators_trained_for_fewer_epochs(name):
    estimator, X, y, weights = CASES[name]
    scores = ["accuracy", "neg_log_loss"] if is_classifier(estimator) else ["r2"]
    monitor = ScoringMonitor(scoring=scores)
    model = clone(estimator).set_callbacks(monitor).fit(X, y, sample_weight=weights)
    others = [trained_case(name, k) for k in range(1, N_EPOCHS + 1)]
    logs = monitor.get_logs().data_as_pandas.set_index("task_name")
    for score in scores:
        of_epochs, of_fit = (
            [get_scorer(score)(m, X, y, sample_weight=weights) for m in models]
            for models in (others, [model])
        )
        assert_array_equal(logs.loc[["epoch"], score], of_epochs)
        assert_array_equal(logs.loc[["fit"], score], of_fit)
    assert len(set(of_epochs)) == N_EPOCHS


@needs_callbacks
@every_case
def test_epochs_begin_and_end_with_estimators_trained_for_fewer_epochs(name):
    estimator, X, y, weights = CASES[name]
    recorder = Recorder()
    model = clone(estimator).set_callbacks(recorder)
    model.fit(X, y, sample_weight=weights)
    assert recorder.names() == expected_names(N_EPOCHS)
    # Callbacks change no fit.
    alone = trained_case(name, N_EPOCHS)
    for actual, array in zip(model.coefs_, alone.coefs_, strict=True):
        assert_array_equal(actual, array)
    assert vars(model).keys() - {"_skl_callbacks"} == vars(alone).keys()
    for event, first in (("begin", 0), ("end", 1)):
        for k, fitted in enumerate(recorder.fitted(event), first):
            expected = trained_case(name, k)
            for actual, array in zip(fitted.coefs_, expected.coefs_, strict=True):
                assert_array_equal(actual, array)
            assert fitted.n_iter_ == k
            assert fitted.loss_curve_ == expected.loss_curve_
            assert fitted.t_ == expected.t_
            if event == "end" and hasattr(fitted, "partial_fit"):
                ends = [e.partial_fit(X, y) for e in (fitted, copy(expected))]
                assert_array_equal(*(end.intercepts_[-1] for end in ends))


@needs_callbacks
@pytest.mark.parametrize("callbacks", [[], [Bystander()]])
def test_nothing_is_copied_unless_a_callback_wants_it(callbacks, monkeypatch):
    monkeypatch.setattr(
        "skmetricmlp.estimators._base.deepcopy", lambda _: pytest.fail("copied")
    )
    model = classifier().set_callbacks(*callbacks).fit(IRIS, SPECIES)
    assert model.n_iter_ == N_EPOCHS
    for callback in callbacks:
        assert callback.names() == expected_names(N_EPOCHS)


@needs_callbacks
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("stop", [1, 3, N_EPOCHS])
def test_a_callback_stops_training(solver, early_stopping, stop):
    estimator = classifier(
        init="random", solver=solver, early_stopping=early_stopping, max_iter=stop
    )
    expected = estimator.fit(IRIS, NAMES)
    recorder = Recorder(stop_after=stop)
    model = clone(estimator).set_params(max_iter=N_EPOCHS).set_callbacks(recorder)
    with warnings.catch_warnings():
        # Also not the one that max_iter did not suffice: it was not reached.
        warnings.simplefilter("error")
        model.fit(IRIS, NAMES)
    assert model.n_iter_ == len(model.loss_curve_) == stop
    assert recorder.names() == expected_names(stop)
    assert model.loss_curve_ == expected.loss_curve_
    assert model.validation_scores_ == expected.validation_scores_
    assert_array_equal(model.coefs_[0], expected.coefs_[0])


@needs_callbacks
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_with_early_stopping_callbacks_see_the_present_weights(solver):
    # Steps so large that the score falls again.
    model = classifier(
        solver=solver, learning_rate_init=0.3, early_stopping=True, max_iter=12
    )
    recorder = Recorder()
    held_out = slice(None, None, 3)
    model.set_callbacks(recorder)
    model.fit(IRIS, SPECIES, X_val=IRIS[held_out], y_val=SPECIES[held_out])
    scores = [
        fitted.score(IRIS[held_out], SPECIES[held_out])
        for fitted in recorder.fitted("end")
    ]
    assert scores == model.validation_scores_
    start = recorder.fitted("begin")[0]
    best = max([start.score(IRIS[held_out], SPECIES[held_out]), *scores])
    assert model.score(IRIS[held_out], SPECIES[held_out]) == best


@needs_callbacks
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_epoch_that_ends_training_is_the_last_task(solver):
    recorder = Recorder()
    tol = 1e-3 if solver == "lbfgs" else 1.0
    model = classifier(solver=solver, n_iter_no_change=1, tol=tol, max_iter=500)
    model.set_callbacks(recorder).fit(IRIS, SPECIES)
    assert 1 < model.n_iter_ < 500
    assert recorder.names() == expected_names(model.n_iter_)


@needs_callbacks
def test_a_search_of_lbfgs_that_leads_nowhere_is_an_empty_task(monkeypatch):
    objective = Objective.value_and_gradient
    n_evaluations = 0

    def misleading(self, network, data):
        nonlocal n_evaluations
        n_evaluations += 1
        value, gradients = objective(self, network, data)
        return value, gradients if n_evaluations < 10 else [-g for g in gradients]

    monkeypatch.setattr(Objective, "value_and_gradient", misleading)
    recorder = Recorder()
    model = classifier(init="random", solver="lbfgs", max_iter=50)
    model.set_callbacks(recorder).fit(IRIS, SPECIES)
    assert 1 < model.n_iter_ < 50
    assert recorder.names() == expected_names(model.n_iter_ + 1)
    is_empty = [fitted is None for fitted in recorder.fitted("end")]
    assert is_empty == [*[False] * model.n_iter_, True]


@needs_callbacks
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_where_the_loss_is_not_finite_there_is_nothing_to_score(solver):
    monitor, recorder = ScoringMonitor(scoring="r2"), Recorder()
    # One step makes weights whose products overflow.
    huge = {"learning_rate_init": 1e200, "batch_size": 200}
    model = regressor(init="random", solver=solver, **huge)
    model.set_callbacks(monitor, recorder)
    with pytest.warns(ConvergenceWarning, match="stopped being finite"):
        model.fit(ROWS, VALUES)
    assert recorder.fitted("end") == [None, None]
    assert recorder.names() == expected_names(2)
    (row,) = monitor.get_logs().data
    assert row["task_name"] == "fit"
    assert row["r2"] == model.score(ROWS, VALUES)


@needs_callbacks
def test_callbacks_are_shown_what_the_user_passed():
    X = pd.DataFrame(IRIS, columns=list("abcd"))
    keen = Keen()
    model = classifier().set_callbacks(keen)
    model.fit(X, SPECIES, sample_weight=WEIGHTS)
    shown = keen.events[-2]
    assert shown[0] is X
    assert shown[1] is SPECIES
    assert shown[2] == {"sample_weight": WEIGHTS}
    model.fit(X, SPECIES)
    assert keen.events[-2][2] is None
    # One number for all rows is an array, which is what scorers take.
    model.fit(X, SPECIES, sample_weight=2.0)
    weights = keen.events[-2][2]["sample_weight"]
    assert_array_equal(weights, np.full(len(X), 2.0), strict=True)


@needs_callbacks
def test_an_untrained_network_is_a_task_without_epochs():
    monitor = ScoringMonitor(scoring="accuracy")
    model = classifier(max_iter=0).set_callbacks(monitor).fit(IRIS, NAMES)
    (row,) = monitor.get_logs().data
    assert row["task_name"] == "fit"
    assert row["accuracy"] == model.score(IRIS, NAMES)


@needs_callbacks
def test_a_warm_start_and_partial_fit_are_tasks_of_their_own():
    recorder = Recorder()
    model = classifier(warm_start=True).set_callbacks(recorder)
    for _ in range(2):
        model.fit(IRIS, SPECIES)
    model.partial_fit(IRIS, SPECIES)
    assert recorder.names() == [
        *expected_names(N_EPOCHS),
        *expected_names(N_EPOCHS),
        *expected_names(1, "partial-fit"),
    ]
    n_iter = [fitted.n_iter_ for fitted in recorder.fitted("end")]
    assert n_iter == list(range(1, 2 * N_EPOCHS + 2))


@needs_callbacks
@pytest.mark.parametrize("hook", ["setup", "on_fit_task_begin", "on_fit_task_end"])
def test_an_error_in_a_callback_leaves_the_estimator_as_it_was(hook):
    def fail(*_, **__):
        msg = "no more"
        raise RuntimeError(msg)

    model = classifier().fit(IRIS, SPECIES)
    recorder = Bystander()
    setattr(recorder, hook, fail)
    before = dict(vars(model.set_callbacks(recorder)))
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(IRIS[::2], NAMES[::2])
    assert vars(model) == before
    assert recorder.names()[-1] == "teardown"
    model.set_callbacks().fit(IRIS, NAMES)


@needs_callbacks
def test_what_is_not_accepted_is_no_task():
    recorder = Recorder()
    for model, y in ((classifier(max_iter=-1), SPECIES), (classifier(), SPECIES[1:])):
        with pytest.raises(ValueError, match=r"max_iter|samples"):
            model.set_callbacks(recorder).fit(IRIS, y)
    assert recorder.events == []


@needs_callbacks
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_clones_and_pickles_keep_callbacks(Estimator):
    model = Estimator(max_iter=2, learning_rate_init=1e-4, random_state=0)
    parameters, text = model.get_params(), repr(model)
    monitor = ScoringMonitor(scoring="r2")
    model.set_callbacks(monitor)
    assert model.get_params() == parameters
    assert repr(model) == text
    rows, values = ROWS[:, :2], (VALUES > 14).astype(int)
    copies = [clone(model), pickle.loads(pickle.dumps(model))]  # noqa: S301 - our own
    expected = trained_for(model, 2, rows, values).predict(rows)
    for other in (*copies, pickle.loads(pickle.dumps(copies[0].fit(rows, values)))):  # noqa: S301
        assert_array_equal(other.fit(rows, values).predict(rows), expected)
    assert len(monitor.get_logs(select="all")) == 2


@needs_callbacks
@pytest.mark.parametrize("in_pipeline", [False, True])
@pytest.mark.parametrize("Search", [GridSearchCV, RandomizedSearchCV])
def test_searches_are_monitored(Search, in_pipeline):
    monitor = ScoringMonitor(scoring="accuracy")
    model = classifier(init="random").set_callbacks(monitor)
    grid, prefix = [4, 6], ""
    if in_pipeline:
        model, prefix = (
            make_pipeline(StandardScaler(), model),
            f"{type(model).__name__}__",
        )
        prefix = prefix.lower()
    parameters = {f"{prefix}n_exemplars": grid}
    options = {"n_iter": 2, "random_state": 0} if Search is RandomizedSearchCV else {}
    search = Search(model, parameters, cv=2, **options).fit(IRIS, NAMES)
    rows = monitor.get_logs().data
    epochs = [row for row in rows if row["task_name"] == "epoch"]
    assert len(epochs) == (2 * 2 + 1) * N_EPOCHS
    # Refitted on all rows: the task after the search.
    refit = [row["accuracy"] for row in epochs if row["task_id_path"][1] == 1]
    best = search.best_estimator_
    expected = [
        clone(best).set_params(**{f"{prefix}max_iter": k}).fit(IRIS, NAMES)
        for k in range(1, N_EPOCHS + 1)
    ]
    assert refit == [other.score(IRIS, NAMES) for other in expected]


@needs_callbacks
def test_each_fit_of_a_cross_validation_is_monitored_by_itself():
    monitor = ScoringMonitor(scoring="accuracy")
    model = classifier().set_callbacks(monitor)
    result = cross_validate(
        model, IRIS, NAMES, cv=3, return_train_score=True, error_score="raise"
    )
    ends = [log.data[0]["accuracy"] for log in monitor.get_logs(select="all")]
    assert ends == result["train_score"].tolist()


@needs_callbacks
def test_progress_is_shown_of_a_fit_and_of_a_search(capsys):
    pytest.importorskip("rich")
    classifier().set_callbacks(ProgressBar()).fit(IRIS, NAMES)
    output = capsys.readouterr().out
    assert "MetricInitMLPClassifier - fit" in output
    assert "100%" in output
    search = GridSearchCV(classifier(), {"n_exemplars": [4, 6]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(IRIS, NAMES)
    # A bar for each candidate and split, and one for the last fit.
    assert capsys.readouterr().out.count("| MetricInitMLPClassifier") == 2 * 2 + 1
