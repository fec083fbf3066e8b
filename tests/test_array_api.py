"""Arrays of other namespaces and devices: the same as with NumPy, and no way back."""

import pickle
from copy import deepcopy

import array_api_strict as strict
import numpy as np
import pytest
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._array_api import (
    HOST,
    Device,
    device_of,
    joined,
    map_arrays,
    split,
    to_numpy,
)
from skmetricmlp.initialization import least_squares
from skmetricmlp.training import SGD, Adam

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)

X, y = load_iris(return_X_y=True)
X = read_only((X - X.mean(axis=0)) / X.std(axis=0))
y.flags.writeable = False
NAMES = read_only(np.array(["setosa", "versicolor", "virginica"])[y], dtype=str)

DEVICE = Device.of(strict, strict.Device("device1"))
OTHER_DEVICE = Device.of(strict, strict.Device("device2"))
FORMS = [
    {},
    {"n_neighbors": 1},
    {"n_neighbors": 3},
    {"tied": True, "pairs": 3},
    {"tied": True, "n_neighbors": 1, "activation": "tanh"},
]
TOLERANCE = {"float64": 1e-10, "float32": 1e-3}


@pytest.fixture(params=["device1", "torch"])
def place(request):
    return DEVICE if request.param == "device1" else torch_device()


@pytest.fixture(params=["default device", "device1", "torch"])
def any_place(request):
    if request.param == "torch":
        return torch_device()
    return DEVICE if request.param == "device1" else Device.of(strict)


def torch_device():
    return Device.of(pytest.importorskip("torch"))


@pytest.fixture
def dispatch():
    with config_context(array_api_dispatch=True):
        yield


def small(estimator, parameters):
    """Return an estimator of 9 exemplars, and 20 comparisons where there are any."""
    defaults = {"n_exemplars": 9, "max_iter": 3, "batch_size": 40, "random_state": 0}
    if parameters.get("tied") or parameters.get("pairs", "all") != "all":
        parameters = {"n_neighbors": 1} | parameters
    if parameters.get("n_neighbors") is None:
        defaults["n_comparisons"] = 20
    if not isinstance(parameters.get("exemplars", ""), str):
        del defaults["n_exemplars"]
    return estimator(**defaults | parameters)


def classifier(**parameters):
    return small(MetricInitMLPClassifier, parameters)


def regressor(**parameters):
    return small(MetricInitMLPRegressor, parameters)


def arrays_of(clf):
    """Every array of the network and of the optimizer state, which has to follow X."""
    arrays = []
    map_arrays(arrays.append, (clf.network_, clf._fit_state.optimizer_state))
    return arrays


def assert_in(place, clf):
    assert {device_of(array) for array in arrays_of(clf)} == {place}
    assert {device_of(array) for array in (*clf.coefs_, *clf.intercepts_)} == {place}


def assert_same(clf, expected, place, atol=1e-10, X=X):
    """Compare what two classifiers predict, the first of them in another place."""
    with config_context(array_api_dispatch=True):
        given = place.move(X)
        for method in ("predict_proba", "predict_log_proba"):
            result = getattr(clf, method)(given)
            assert device_of(result) == place
            p = getattr(expected, method)(X)
            assert to_numpy(result).dtype == p.dtype
            assert_allclose(to_numpy(result), p, rtol=atol, atol=atol)


@pytest.mark.parametrize(
    ("form", "dtype"),
    [*((form, "float64") for form in FORMS), *((form, "float32") for form in FORMS[::4])],
)
def test_learns_what_it_learns_with_numpy(place, form, dtype):
    features = read_only(X, dtype)
    expected = classifier(**form).fit(features, y)
    clf = classifier(**form)
    with config_context(array_api_dispatch=True):
        clf.fit(place.move(features), place.move(y))
    atol = TOLERANCE[dtype]
    assert_in(place, clf)
    assert {to_numpy(array).dtype for array in arrays_of(clf)} == {np.dtype(dtype)}
    assert_same(clf, expected, place, atol, features)
    assert_allclose(clf.loss_curve_, expected.loss_curve_, rtol=atol)

    expected.partial_fit(features[:100], y[:100])
    with config_context(array_api_dispatch=True):
        clf.partial_fit(place.move(features[:100]), place.move(y[:100]))
        labels = clf.predict(place.move(features))
        assert device_of(labels) == device_of(clf.classes_) == place
        score = clf.score(place.move(features), place.move(y))
    assert_in(place, clf)
    assert_same(clf, expected, place, atol, features)
    assert_array_equal(to_numpy(labels), expected.predict(features))
    assert score == pytest.approx(expected.score(features, y))


@pytest.mark.parametrize("tied", [False, True])
def test_a_late_class_is_added_where_the_network_is(place, tied):
    early = np.flatnonzero(y < 2)
    expected = classifier(tied=tied).partial_fit(X[early], y[early], classes=[0, 1, 2])
    expected.partial_fit(X, y)
    clf = classifier(tied=tied)
    with config_context(array_api_dispatch=True):
        clf.partial_fit(place.move(X[early]), place.move(y[early]), classes=[0, 1, 2])
        clf.partial_fit(place.move(X), place.move(y))
    assert_in(place, clf)
    assert set(clf.exemplar_labels_) == {0, 1, 2}
    assert_same(clf, expected, place)


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "sgd"},
        {"early_stopping": True},
        {"class_weight": "balanced"},
        {"learning_rate_init": [1e-3, 1e-2]},
        {"loss": "squared_error"},
        {"activation": "logistic"},
        {"init": "random"},
        {"batch_size": 150, "shuffle": False},
        {"max_iter": 0},
    ],
    ids=str,
)
def test_settings_do_what_they_do_with_numpy(place, parameters):
    weights = np.arange(150) % 4  # with zeros: some rows are left out
    expected = classifier(**parameters).fit(X, y, weights)
    clf = classifier(**parameters)
    with config_context(array_api_dispatch=True):
        clf.fit(*map(place.move, (X, y, weights)))
    assert_in(place, clf)
    assert_same(clf, expected, place)
    if expected.validation_scores_:
        assert_allclose(clf.validation_scores_, expected.validation_scores_)


@pytest.mark.usefixtures("dispatch")
def test_everything_follows_X(any_place):
    place = any_place
    held_out = {"X_val": X[::7], "y_val": y[::7], "sample_weight_val": np.ones(22)}
    expected = classifier(early_stopping=True).fit(X, y, np.ones(150), **held_out)
    for rows, elsewhere in ((place, HOST), (HOST, place), (place, OTHER_DEVICE)):
        clf = classifier(early_stopping=True)
        moved = {name: elsewhere.move(array) for name, array in held_out.items()}
        clf.fit(rows.move(X), elsewhere.move(y), elsewhere.move(np.ones(150)), **moved)
        assert_in(rows, clf)
        assert device_of(clf.classes_) == rows
        assert_same(clf, expected, rows)
        assert_allclose(clf.validation_scores_, expected.validation_scores_)


@pytest.mark.usefixtures("dispatch")
def test_held_out_rows_of_another_precision(place):
    clf = classifier().fit(
        place.move(X.astype("f")), y, X_val=place.move(X), y_val=place.move(y)
    )
    assert len(clf.validation_scores_) == 3


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize(("fitted", "given"), ["df", "fd"])
def test_later_rows_of_another_precision(place, fitted, given):
    clf = classifier().fit(place.move(X.astype(fitted)), y)
    expected = clf.move_to(np)
    later = X.astype(given)
    p = to_numpy(clf.predict_proba(place.move(later)))
    assert p.dtype == fitted
    assert_allclose(p, expected.predict_proba(later), atol=1e-5)
    clf.partial_fit(place.move(later), y)
    assert {to_numpy(array).dtype for array in arrays_of(clf)} == {np.dtype(fitted)}


@pytest.mark.usefixtures("dispatch")
def test_classes_at_the_first_partial_fit():
    clf = classifier()
    clf.partial_fit(
        DEVICE.move(X[:60]), DEVICE.move(y[:60]), classes=DEVICE.move(np.arange(3))
    )
    assert_in(DEVICE, clf)
    assert_array_equal(to_numpy(clf.classes_), [0, 1, 2])


@pytest.mark.usefixtures("dispatch")
def test_strings_are_predicted_in_numpy(place):
    clf = classifier().fit(place.move(X), NAMES)
    assert_in(place, clf)
    assert_array_equal(clf.predict(place.move(X)), classifier().fit(X, NAMES).predict(X))
    assert clf.score(place.move(X), NAMES) > 0.9
    assert_array_equal(clf.move_to(np).predict(X), clf.predict(place.move(X)))


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "explain"]
)
@pytest.mark.parametrize("given", [HOST, OTHER_DEVICE], ids=str)
def test_rows_elsewhere_than_the_network_are_refused(method, given):
    clf = classifier().fit(DEVICE.move(X), y)
    words = (
        rf"passed to MetricInitMLPClassifier\.{method}\(\) must use the same namespace.*"
    )
    words += r"device2.*device1.*move_to" if given == OTHER_DEVICE else "numpy on cpu"
    with pytest.raises(ValueError, match=words):
        getattr(clf, method)(given.move(X))
    for rows in (X.tolist(), csr_array(X)):
        with pytest.raises(ValueError, match="must use the same namespace"):
            getattr(clf, method)(rows)


@pytest.mark.usefixtures("dispatch")
def test_training_goes_on_only_where_it_began():
    clf = classifier(warm_start=True).fit(DEVICE.move(X), y)
    before = vars(clf).copy()
    with pytest.raises(
        ValueError, match=r"\.partial_fit\(\) must use the same namespace"
    ):
        clf.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"\.fit\(\) must use the same namespace"):
        clf.fit(OTHER_DEVICE.move(X), y)
    assert vars(clf) == before
    assert clf.fit(DEVICE.move(X), y).n_iter_ == 6
    assert_in(DEVICE, clf)
    assert_in(OTHER_DEVICE, clf.set_params(warm_start=False).fit(OTHER_DEVICE.move(X), y))


def test_without_dispatch_the_error_says_how():
    with config_context(array_api_dispatch=True):
        clf = classifier().fit(DEVICE.move(X), y)
    with pytest.raises(ValueError, match=r"config_context\(array_api_dispatch=True\)"):
        clf.predict(X)


def test_without_dispatch_everything_is_numpy():
    torch = pytest.importorskip("torch")
    clf = classifier().fit(torch.asarray(X.copy()), torch.asarray(y.copy()))
    assert_in(HOST, clf)
    assert_array_equal(
        clf.predict(torch.asarray(X.copy())), classifier().fit(X, y).predict(X)
    )


@pytest.mark.usefixtures("dispatch")
def test_sparse_rows_stay_with_scipy():
    clf = classifier().fit(csr_array(X), DEVICE.move(y))
    assert_in(HOST, clf)
    assert_array_equal(clf.predict(csr_array(X)), clf.predict(X))
    with pytest.raises(
        ValueError, match=r"X_val.*csr_array cannot be moved to array_api"
    ):
        classifier().fit(DEVICE.move(X), y, X_val=csr_array(X), y_val=y)


@pytest.mark.usefixtures("dispatch")
def test_parameters_may_be_on_a_device():
    points, labels = DEVICE.move(X[::10]), DEVICE.move(y[::10])
    variances = DEVICE.move(np.arange(1.0, 5.0))
    given = {"exemplars": (points, labels), "metric": "seuclidean", "max_iter": 0}
    clf = classifier(**given, metric_params={"V": variances}).fit(DEVICE.move(X), y)
    given["exemplars"] = X[::10], y[::10]
    expected = classifier(**given, metric_params={"V": [1, 2, 3, 4]}).fit(X, y)
    assert_same(clf, expected, DEVICE)
    weights = clf.coefs_, clf.intercepts_
    again = classifier(init=weights, exemplars=(points, labels), max_iter=0)
    assert_same(again.fit(DEVICE.move(X), y), expected, DEVICE)


@pytest.mark.usefixtures("dispatch")
def test_a_metric_that_is_not_defined_names_the_column(place):
    rows = np.abs(X)
    rows[3, 2] = -1.5
    with pytest.raises(ValueError, match=r"X has -1\.5 in column 2"):
        classifier(metric="kl").fit(place.move(rows), y)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("k", [1, 5])
def test_shares_of_votes_are_counted_where_rows_are(place, k, tied):
    form = dict(activation="step", max_iter=0, n_neighbors=k, tied=tied)
    expected = classifier(**form).fit(X, y)
    moved = expected.move_to(*place)
    assert_same(moved, expected, place)
    with config_context(array_api_dispatch=True):
        clf = classifier(**form).fit(place.move(X), place.move(y))
    assert_same(clf, expected, place)
    assert set(np.unique(expected.predict_proba(X)).round(9)) <= {
        round(votes / k, 9) for votes in range(k + 1)
    }


def test_explains_and_has_exemplars_as_with_numpy(place):
    expected = classifier(exemplars="random").fit(X, y)
    with config_context(array_api_dispatch=True):
        clf = classifier(exemplars="random").fit(place.move(X), place.move(y))
        frame = clf.explain(place.move(X[:5]))
    for name in ("exemplars_", "exemplar_labels_", "exemplar_indices_"):
        assert_array_equal(getattr(clf, name), getattr(expected, name))
    reference = expected.explain(X[:5])
    for name in ("term", "exemplar", "label", "predicted"):
        assert_series_equal(frame[name], reference[name])
    for name in ("excess", "activation", "contribution"):
        assert_allclose(frame[name], reference[name], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("form", [*FORMS, {"activation": "step", "max_iter": 0}], ids=str)
def test_explains_the_same_after_it_was_moved(place, form):
    clf = classifier(**form).fit(X, y)
    with config_context(array_api_dispatch=True):
        frame = clf.move_to(*place).explain(place.move(X[:5]), n_nearest=3)
    assert_frame_equal(frame, clf.explain(X[:5], n_nearest=3))
    assert_frame_equal(clf.move_to(*place).move_to(np).explain(X[:5], n_nearest=3), frame)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sums_are_those_of_numpy(place, dtype, monkeypatch):
    """They are calculated where X is, which is seen where NumPy's may not be."""
    features = read_only(X, dtype)
    weights = np.linspace(0.5, 2, len(y))
    settings = {"solver": "closed_form", "exemplars": (features[::4], y[::4])}
    expected = classifier(**settings)
    expected.partial_fit(features, y, range(3), sample_weight=weights)
    expected.forget(features[::3], y[::3], sample_weight=weights[::3])
    expected.predict(features)
    monkeypatch.setattr(least_squares, "dsyrk", None)
    clf = classifier(**settings)
    with config_context(array_api_dispatch=True):
        rows, labels = place.move(features), place.move(y)
        clf.partial_fit(rows, labels, range(3), sample_weight=place.move(weights))
        part = place.move(features[::3]), place.move(y[::3])
        clf.forget(*part, sample_weight=place.move(weights[::3]))
        assert_in(place, clf)
    assert_same(clf, expected, place, TOLERANCE[dtype], features)


@pytest.mark.usefixtures("dispatch")
def test_single_precision_where_there_is_no_double():
    try:
        place = Device.of(strict, strict.Device("no_float64"))
    except ValueError:
        pytest.skip("array_api_strict has no such device")
    rows = X.astype(np.float32)
    expected = classifier().fit(rows, y)
    assert_same(classifier().fit(place.move(X), y), expected, place, 1e-5, rows)
    whole = strict.asarray(np.rint(10 * X).astype(int), device=place.device)
    assert_in(place, classifier().fit(whole, place.move(y)))
    closed = classifier(solver="closed_form", exemplars=(rows[::4], y[::4])).fit(rows, y)
    sums = classifier(**closed.get_params()).fit(place.move(X), y)
    assert_same(sums, closed, place, 1e-3, rows)
    moved = classifier().fit(X, y).move_to(place.namespace, place.device)
    assert {array.dtype for array in moved.coefs_} == {strict.float32}
    assert device_of(moved.partial_fit(place.move(X), y).predict(place.move(X))) == place


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_moves_and_goes_on_training(any_place, solver):
    place = any_place
    stays = classifier(solver=solver).fit(X, y)
    there = stays.move_to(place.namespace, place.device)
    assert_in(HOST, stays)
    assert_in(place, there)
    assert device_of(there.classes_) == place
    assert_same(there, stays, place)
    with config_context(array_api_dispatch=True):
        there.partial_fit(place.move(X), place.move(y))
    assert stays.n_iter_ == 3
    stays.partial_fit(X, y)
    assert_same(there, stays, place)

    back = there.move_to(np)
    assert_in(HOST, back)
    assert isinstance(back.classes_, np.ndarray)
    assert_allclose(back.predict_proba(X), stays.predict_proba(X), rtol=1e-10)
    back.partial_fit(X, y)
    assert (there.n_iter_, back.n_iter_) == (4, 5)
    assert_allclose(back.predict_proba(X), stays.partial_fit(X, y).predict_proba(X))
    assert_same(there, there.move_to(np), place)


@pytest.mark.usefixtures("dispatch")
def test_moves_as_scikit_learn_moves_estimators(place):
    array_api = pytest.importorskip("sklearn.utils._array_api")
    if not hasattr(array_api, "move_estimator_to"):
        pytest.skip("this scikit-learn does not move estimators")
    clf = classifier().fit(X, y)
    moved = array_api.move_estimator_to(clf, place.namespace, place.device)
    assert_in(place, moved)
    assert_same(moved, clf, place)
    pipeline = array_api.move_estimator_to(
        make_pipeline(clf), place.namespace, place.device
    )
    assert_in(place, pipeline[-1])
    assert_in(HOST, array_api.move_estimator_to(moved, np, "cpu"))


def test_move_to_says_what_it_takes():
    clf = classifier()
    with pytest.raises(NotFittedError):
        clf.move_to(np)
    for namespace in ("torch", pickle, None):
        with pytest.raises(TypeError, match="xp must be a namespace of the array API"):
            clf.fit(X, y).move_to(namespace)


@pytest.mark.usefixtures("dispatch")
def test_pickles_copies_and_clones(place):
    clf = classifier().fit(place.move(X), place.move(y))
    for copy in (pickle.loads(pickle.dumps(clf)), deepcopy(clf)):  # noqa: S301
        assert_in(place, copy)
        assert_same(copy, clf.move_to(np), place)
        copy.partial_fit(place.move(X), place.move(y))
    assert clf.n_iter_ == 3
    assert_same(clone(clf).fit(X, y), clf.move_to(np), HOST)


@pytest.mark.usefixtures("dispatch")
def test_the_device_is_waited_for_once_a_step(monkeypatch):
    waits = []
    kind = type(strict.zeros(1))
    for name in ("__float__", "__bool__", "__int__", "__index__"):
        original = getattr(kind, name)

        def waiting(self, original=original):
            waits.append(original)
            return original(self)

        monkeypatch.setattr(kind, name, waiting)
    rows, labels = DEVICE.move(X), DEVICE.move(y)
    for epochs in (0, 10):
        waits.clear()
        whole = {"trained_share": 1.0, "learning_rate": "constant"}
        classifier(max_iter=epochs, batch_size=15, **whole).fit(rows, labels)
        if not epochs:
            before = len(waits)  # scikit-learn's, to check the rows
    steps = 10 * 150 // 15
    # And for the last network, and to compare it with the start.
    assert len(waits) - before <= steps + 3


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize("elements", [1, 4 * 40 * 2, 4 * 10_000])
def test_rows_taken_at_once_make_no_difference(monkeypatch, elements):
    expected = classifier().fit(X, y)
    monkeypatch.setattr("skmetricmlp.training.stochastic.TAKE_ELEMENTS", elements)
    assert_same(classifier().fit(DEVICE.move(X), y), expected, DEVICE)


@pytest.mark.parametrize("optimizer", [Adam(), SGD()])
def test_a_step_of_joined_arrays_is_that_of_each(monkeypatch, optimizer):
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (4,), (4, 1), (1,)]

    def steps():
        rng = np.random.default_rng(0)
        parameters = [DEVICE.move(rng.normal(size=shape)) for shape in shapes]
        state = optimizer.init(parameters)
        for _ in range(3):
            gradients = [DEVICE.move(rng.normal(size=shape)) for shape in shapes]
            parameters, state = optimizer.step(parameters, gradients, state, [0.1] * 4)
        arrays = []
        map_arrays(lambda array: arrays.append(to_numpy(array)), (parameters, state))
        return arrays

    together = steps()
    monkeypatch.setattr("skmetricmlp._array_api.JOIN_ELEMENTS", 0)
    for one, other in zip(together, steps(), strict=True):
        assert_array_equal(one, other)

    vectors = [DEVICE.move(rng.normal(size=shape)) for shape in shapes]
    monkeypatch.undo()
    lists, rates = joined(vectors, vectors, rates=[0.1] * 4)
    assert [len(arrays) for arrays in lists] == [1, 1]
    assert rates == [0.1]
    for part, array in zip(split(lists[0], like=vectors), vectors, strict=True):
        assert_array_equal(to_numpy(part), to_numpy(array))
    apart, _ = joined(vectors, rates=[0.1, 0.2, 0.1, 0.1])
    assert apart == [vectors]


def test_device_of_what_is_no_array():
    for value in (X, csr_array(X), X.tolist(), None, np.float64(1)):
        assert device_of(value) == HOST
        assert to_numpy(value) is value


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint64", "float32", ">i4"])
def test_labels_are_numbers_of_every_kind(place, dtype):
    rows, expected = X[::5], classifier(max_iter=0).fit(X[::5], y[::5]).predict(X[::5])
    clf = classifier(max_iter=0).fit(place.move(rows), y[::5].astype(dtype))
    labels = clf.predict(place.move(rows))
    assert device_of(labels) == place
    assert_array_equal(to_numpy(labels), expected)


def test_moves_arrays_of_every_layout():
    torch = Device.of(pytest.importorskip("torch"))
    for array in (X, X[::-1], X.T, X.astype(">f8"), np.array(1.5), y):
        assert_array_equal(to_numpy(torch.move(array)), array)


# --- values ---

VALUES = read_only(np.column_stack([100 + 30 * np.sin(X @ [1, 2, 0, 1]), X[:, 0] ** 2]))
VALUE_FORMS = [
    *FORMS[:-1],
    {"output_init": "norm_constrained", "early_stopping": True},
    {"tied": True, "n_neighbors": 1, "activation": "tanh"},
]


def assert_predicts_the_same(reg, expected, place, atol=1e-9, X=X):
    with config_context(array_api_dispatch=True):
        found = reg.predict(place.move(X))
    assert device_of(found) == place
    values = expected.predict(X)
    assert to_numpy(found).dtype == values.dtype
    scale = max(values.std(), 1e-9)
    assert_allclose(to_numpy(found) / scale, values / scale, atol=atol)


@pytest.mark.parametrize(
    ("form", "values"),
    [*((form, VALUES) for form in VALUE_FORMS), ({}, VALUES[:, 0])],
    ids=[*map(str, VALUE_FORMS), "one output"],
)
def test_values_are_learned_as_with_numpy(place, form, values):
    weights = np.arange(150) % 4
    expected = regressor(**form).fit(X, values, weights)
    reg = regressor(**form)
    with config_context(array_api_dispatch=True):
        reg.fit(*map(place.move, (X, values, weights)))
    assert_in(place, reg)
    assert_predicts_the_same(reg, expected, place)
    assert_allclose(reg.loss_curve_, expected.loss_curve_)
    assert_allclose(reg.exemplar_values_, expected.exemplar_values_)
    if expected.validation_scores_:
        assert_allclose(reg.validation_scores_, expected.validation_scores_)
        return
    expected.partial_fit(X[:100], values[:100])
    with config_context(array_api_dispatch=True):
        reg.partial_fit(place.move(X[:100]), place.move(values[:100]))
    assert_in(place, reg)
    assert_predicts_the_same(reg, expected, place)


@pytest.mark.usefixtures("dispatch")
def test_values_in_single_precision(place):
    rows = read_only(X, "float32")
    expected = regressor().fit(rows, VALUES)
    reg = regressor().fit(place.move(rows), place.move(VALUES))
    assert {to_numpy(array).dtype for array in arrays_of(reg)} == {np.dtype("float32")}
    assert_predicts_the_same(reg, expected, place, 1e-3, rows)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_regressor_moves_and_goes_on_training(place, solver):
    stays = regressor(solver=solver).fit(X, VALUES)
    there = stays.move_to(place.namespace, place.device)
    assert_in(HOST, stays)
    assert_in(place, there)
    assert_predicts_the_same(there, stays, place)
    with config_context(array_api_dispatch=True):
        there.partial_fit(place.move(X), place.move(VALUES))
        frame = there.explain(place.move(X[:5]), output=1)
    stays.partial_fit(X, VALUES)
    assert_predicts_the_same(there, stays, place)
    reference = stays.explain(X[:5], output=1)
    assert_array_equal(frame["exemplar"], reference["exemplar"])
    for name in ("predicted", "value", "contribution"):
        assert_allclose(frame[name], reference[name], rtol=1e-6, atol=1e-6)
    back = there.move_to(np)
    assert_in(HOST, back)
    assert_allclose(back.predict(X), stays.predict(X), rtol=1e-8, atol=1e-8)


@pytest.mark.usefixtures("dispatch")
def test_weights_of_a_regressor_may_be_on_a_device():
    start = regressor(n_neighbors=1).fit(DEVICE.move(X), DEVICE.move(VALUES))
    given = start.coefs_, start.intercepts_
    again = regressor(init=given, n_neighbors=1, max_iter=0)
    again.fit(DEVICE.move(X), DEVICE.move(VALUES))
    assert_predicts_the_same(again, start.move_to(np), DEVICE)
    points = DEVICE.move(X[::10]), DEVICE.move(VALUES[::10])
    reg = regressor(exemplars=points, max_iter=0).fit(DEVICE.move(X), VALUES)
    assert_allclose(reg.exemplar_values_, VALUES[::10])


@pytest.mark.usefixtures("dispatch")
def test_rows_elsewhere_than_the_regressor_are_refused():
    reg = regressor().fit(DEVICE.move(X), VALUES)
    for method in ("predict", "explain"):
        with pytest.raises(
            ValueError, match=rf"MetricInitMLPRegressor\.{method}\(\) must use the same"
        ):
            getattr(reg, method)(X)
