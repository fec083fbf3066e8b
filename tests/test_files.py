"""Files of estimators: pickle, joblib and skops, and what they are made of."""

import copy
import pickle
import warnings
from io import BytesIO

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmetricmlp
from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp.estimators import _files

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The first call of partial_fit"),
]

X, y = load_iris(return_X_y=True)
D, values = load_diabetes(return_X_y=True)
D = D[:, :3]
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(
    e=np.array(["u", "v", None], dtype=object)[np.arange(150) % 3]
)
FRAME.loc[::7, "a"] = np.nan
POSITIVE = X + 0.1


def fitted(kind, rows, targets, **parameters):
    few = (
        {}
        if "n_neighbors" in parameters or "degree" in parameters
        else {"n_comparisons": 30}
    )
    parameters = {"max_iter": 1, "random_state": 0, **few, **parameters}
    return kind(**parameters).fit(rows, targets), rows, targets


def streamed(kind, rows, targets, **parameters):
    estimator = kind(random_state=0, n_comparisons=30, **parameters)
    known = {"classes": np.unique(targets)} if kind is MetricInitMLPClassifier else {}
    few = rows[::12], targets[::12]
    return estimator.partial_fit(*few, **known), rows, targets


C, R, B = MetricInitMLPClassifier, MetricInitMLPRegressor, BasisInitMLPRegressor
SETTINGS = {
    "comparisons": (fitted, C, X, y, {}),
    "labels of text": (fitted, C, X, np.array(["a", "b", "c"])[y], {"solver": "sgd"}),
    "table": (fitted, C, FRAME, y, {}),
    "several labels": (fitted, C, X, np.eye(3, dtype=int)[y], {}),
    "votes": (fitted, C, X, y, {"n_neighbors": 3, "solver": "lbfgs"}),
    "tied": (fitted, C, X, y, {"n_neighbors": 1, "tied": True}),
    "random": (fitted, C, X, y, {"init": "random"}),
    "given": (fitted, C, X, y, {"exemplars": (X[::9], y[::9])}),
    "kl": (fitted, C, POSITIVE, y, {"metric": "kl"}),
    "itakura_saito": (fitted, C, POSITIVE, y, {"metric": "itakura_saito"}),
    "cosine": (fitted, C, X, y, {"metric": "cosine"}),
    "mahalanobis": (fitted, C, X, y, {"metric": "mahalanobis"}),
    "seed": (fitted, C, X, y, {"random_state": np.random.RandomState(1)}),
    "stream": (streamed, C, X, y, {}),
    "sums": (streamed, C, X, y, {"solver": "closed_form", "exemplars": (X[::9], y[::9])}),
    "sums of all": (fitted, R, D, values, {"solver": "closed_form"}),
    "values": (fitted, R, D, np.column_stack([values, D]), {"n_neighbors": 2}),
    "basis": (fitted, B, D, values, {"degree": 2}),
}


@pytest.fixture(params=SETTINGS)
def case(request):
    make, kind, rows, targets, parameters = SETTINGS[request.param]
    return make(kind, rows, targets, **parameters)


def goes_on(estimator, rows, targets):
    """Predictions, and those after more training, where there can be more."""
    predicted = [estimator.predict(rows)]
    if hasattr(estimator, "partial_fit"):
        predicted.append(estimator.partial_fit(rows, targets).predict(rows))
    return predicted


def assert_same(one, other, rows, targets):
    for a, b in zip(
        goes_on(one, rows, targets), goes_on(other, rows, targets), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_copy_predicts_and_goes_on_as_the_estimator(case):
    estimator, rows, targets = case
    copied = copy.deepcopy(estimator)
    assert set(vars(copied)) == set(vars(estimator))
    pickled = pickle.loads(pickle.dumps(estimator))  # noqa: S301
    assert_same(copied, pickled, rows, targets)


def test_skops_trusts_nothing_but_the_estimator(case):
    sio = pytest.importorskip("skops.io")
    estimator, rows, targets = case
    pipeline = make_pipeline("passthrough", estimator)
    data = sio.dumps(pipeline)
    kind = type(estimator)
    untrusted = sio.get_untrusted_types(data=data)
    assert untrusted == [f"{kind.__module__}.{kind.__name__}"]
    loaded = sio.loads(data, trusted=untrusted)[-1]
    assert_same(loaded, estimator, rows, targets)


def test_the_names_in_files_stay():
    assert [f"{kind.__module__}.{kind.__name__}" for kind in (C, R, B)] == [
        "skmetricmlp.estimators.classifier.MetricInitMLPClassifier",
        "skmetricmlp.estimators.regressor.MetricInitMLPRegressor",
        "skmetricmlp.estimators.basis_regressor.BasisInitMLPRegressor",
    ]
    for path in _files.PATHS.values():
        module, _, name = path.partition(":")
        found = _files.import_module(f"skmetricmlp.{module}")
        assert hasattr(found, name), path


def test_a_file_has_no_private_class():
    estimator, *_ = fitted(C, FRAME, y)
    names = {
        line for line in pickle_globals(pickle.dumps(estimator)) if "skmetric" in line
    }
    assert names == {"skmetricmlp.estimators.classifier MetricInitMLPClassifier"}


def pickle_globals(data):
    """Classes and functions that a pickle names."""
    found = []

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            found.append(f"{module} {name}")
            return super().find_class(module, name)

    Reader(BytesIO(data)).load()
    return found


def test_what_is_shared_stays_shared():
    estimator, *_ = fitted(C, X, y)
    loaded = pickle.loads(pickle.dumps(estimator))  # noqa: S301
    assert loaded.network_ is loaded._fit_state.network
    shallow = copy.copy(estimator)
    assert shallow.network_.parameters[0] is estimator.network_.parameters[0]


def test_joblib_maps_weights_from_a_file(tmp_path):
    estimator, rows, _ = fitted(C, X, y)
    joblib.dump(estimator, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert isinstance(mapped.network_.parameters[0], np.memmap)
    np.testing.assert_array_equal(mapped.predict(rows), estimator.predict(rows))
    copied = clone(cloudpickle.loads(cloudpickle.dumps(mapped)))
    assert copied.get_params() == estimator.get_params()


def test_a_function_as_metric_is_written_by_its_own_name():
    def euclidean(points):
        return -2 * points, (points**2).sum(axis=1)

    estimator, *_ = fitted(C, X, y, metric=euclidean)
    loaded = cloudpickle.loads(cloudpickle.dumps(estimator))
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))


def state_of(**changes):
    estimator, *_ = fitted(C, X, y)
    return {**estimator.__getstate__(), **changes}


def restored(state):
    estimator = C()
    estimator.__setstate__(state)
    return estimator


def test_another_version_is_warned_of():
    message = r"MetricInitMLPClassifier from version 0\.0\.9 when using version 0\.1"
    with pytest.warns(InconsistentVersionWarning, match=message):
        loaded = restored(state_of(_skmetricmlp_version="0.0.9"))
    assert loaded.score(X, y) > 0.9
    assert not {"_skmetricmlp_version", "_skmetricmlp_format"} & set(vars(loaded))


def test_a_file_of_this_version_is_loaded_silently():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        restored(state_of())
    assert state_of()["_skmetricmlp_version"] == skmetricmlp.__version__


def test_a_file_from_before_has_the_records_themselves():
    estimator, *_ = fitted(C, X, y)
    with pytest.warns(InconsistentVersionWarning, match="before"):
        loaded = restored(dict(vars(estimator)))
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))


@pytest.mark.parametrize("state", [None, [1, 2], {}, {"weights": 3}])
def test_what_is_no_model_is_refused(state):
    with pytest.raises(ValueError, match="no state of MetricInitMLPClassifier"):
        restored(state)


def test_what_only_a_newer_version_reads_is_refused():
    with pytest.raises(ValueError, match=r"format 99.*install skmetricmlp 7.0"):
        restored(state_of(_skmetricmlp_format=99, _skmetricmlp_version="7.0"))
    parts = [{"_kind": "rotary"}, {"_kind": "dense", "weights": 1}]
    for part, named in zip(parts, ["'rotary'", "'dense' has other fields"], strict=True):
        with pytest.raises(ValueError, match=f"cannot read it.*{named}"):
            restored(state_of(network_=part))


def test_a_pipeline_is_saved_as_a_whole(tmp_path):
    pipeline = make_pipeline(StandardScaler(), C(max_iter=0, random_state=0)).fit(X, y)
    joblib.dump(pipeline, tmp_path / "model", compress=3)
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), pipeline.predict(X))
