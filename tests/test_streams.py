"""Streams: many calls of ``partial_fit``, and first calls with few rows."""

import copy
import gc
import pickle
import tracemalloc
import warnings
from functools import cache

import numpy as np
import pytest
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_iris, load_wine

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp._data import TrainingData
from skmetricmlp.estimators import _metric_base
from skmetricmlp.training import (
    SGD,
    Adam,
    History,
    Objective,
    TrainingConfig,
    train,
)

OPTIMIZERS = [
    SGD(momentum=0.0),
    SGD(momentum=0.8, nesterov=False),
    SGD(momentum=0.8, nesterov=True),
    Adam(),
]
X, y = map(read_only, load_iris(return_X_y=True))
VALUES = read_only(X[:, 3].copy())


def small(estimator, parameters):
    """Return an estimator with 6 exemplars, and 4 comparisons where there are any."""
    settings = {"n_exemplars": 6, "random_state": 0}
    if not isinstance(parameters.get("exemplars", ""), str):
        del settings["n_exemplars"]
    if parameters.get("tied") or parameters.get("pairs", "all") != "all":
        parameters = {"n_neighbors": 1} | parameters
    if parameters.get("n_neighbors") is None:
        settings["n_comparisons"] = 4
    return estimator(**settings | parameters)


def classifier(**parameters):
    return small(MetricInitMLPClassifier, parameters)


def regressor(**parameters):
    return small(MetricInitMLPRegressor, parameters)


def basis(**parameters):
    return BasisInitMLPRegressor(
        **{"degree": 2, "solver": "adam", "random_state": 0, **parameters}
    )


# Long streams


def arrays_of(state):
    lists = state[1:] if isinstance(state, tuple) else [state]
    return [array for part in lists for array in part]


@pytest.mark.parametrize("block", [1, 4, 2**16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("namespace", ["numpy", "array_api_strict"])
@pytest.mark.parametrize("rates", [[0.1, 0.2, 0.3], [0.1, 0.1, 0.1]])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_step_out_of_place_is_a_copy_and_a_step(
    optimizer, rates, namespace, dtype, block, monkeypatch
):
    xp = pytest.importorskip(namespace)
    monkeypatch.setattr("skmetricmlp._array_api.BLOCK_ELEMENTS", block)
    rng = np.random.default_rng(0)

    def arrays():
        shapes = [(3, 2), (2,), (1, 1)]
        return [xp.asarray(rng.normal(size=shape).astype(dtype)) for shape in shapes]

    parameters = arrays()
    _, state = optimizer.step(parameters, arrays(), optimizer.init(parameters), rates)
    gradients = arrays()
    twin = [xp.asarray(g, copy=True) for g in gradients]
    before = [np.array(array) for array in arrays_of(state)]
    expected = optimizer.step(parameters, twin, optimizer.copy(state), rates)
    actual = optimizer.step(parameters, gradients, state, rates, in_place=False)
    for array, kept in zip(arrays_of(state), before, strict=True):
        assert_array_equal(np.asarray(array), kept)
    assert len(arrays_of(actual[1])) == len(before)
    for a, e in zip(
        [*actual[0], *arrays_of(actual[1])],
        [*expected[0], *arrays_of(expected[1])],
        strict=True,
    ):
        assert_array_equal(np.asarray(a), np.asarray(e))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("batch_size", [4, 200])
def test_a_stream_is_the_textbook_loop(optimizer, batch_size):
    """Each call copies all state and all losses, and steps through the rows."""
    network, objective = classifier(max_iter=0).fit(X, y).network_, Objective("log_loss")
    config = TrainingConfig(
        objective, optimizer, [1e-3, 2e-3], batch_size, 1, shuffle=False
    )
    state = optimizer.init(network.parameters)
    actual, of_optimizer, history, losses = network, optimizer.copy(state), History(), []
    rates = [1e-3, 1e-3, 2e-3, 2e-3]
    for call in range(6):
        rows = slice(20 * call, 20 * call + 20)
        batch = TrainingData(X[rows], y[rows], np.ones(20))
        actual, of_optimizer, history, _ = train(
            actual, of_optimizer, history, batch, config, np.random.RandomState(0)
        )
        state, of_steps = optimizer.copy(state), []
        for step in batch.blocks(batch_size):
            loss, gradients = objective.value_and_gradient(network, step)
            parameters, state = optimizer.step(
                network.parameters, gradients, state, rates
            )
            network = network.with_parameters(parameters)
            of_steps.append(loss)
        losses.append(np.mean(of_steps))
    for a, e in zip(
        [*actual.parameters, *arrays_of(of_optimizer)],
        [*network.parameters, *arrays_of(state)],
        strict=True,
    ):
        assert_array_equal(a, e)
    assert_allclose(history.losses, losses, rtol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_call_copies_no_optimizer_state(solver, monkeypatch):
    clf = classifier(solver=solver).partial_fit(X, y, classes=[0, 1, 2])
    for optimizer in (Adam, SGD):
        monkeypatch.setattr(optimizer, "copy", lambda *_: pytest.fail("copied"))
    clf.partial_fit(X, y)


def test_training_leaves_the_state_that_it_began_with():
    clf = classifier(max_iter=0).fit(X, y)
    network, optimizer = clf.network_, Adam()
    batch = TrainingData(X, y, np.ones(len(y)))
    config = TrainingConfig(
        Objective("log_loss"), optimizer, [0.01, 0.01], 50, max_epochs=2
    )
    state = optimizer.init(network.parameters)
    for _ in range(3):
        for array in arrays_of(state):
            array.flags.writeable = False
        kept = [array.copy() for array in arrays_of(state)]
        network, after, _, _ = train(
            network, state, History(), batch, config, np.random.RandomState(0)
        )
        for array, copied in zip(arrays_of(state), kept, strict=True):
            assert_array_equal(array, copied)
        state = after


def peak_of(function):
    """Most bytes that a call has at a time, beyond those before it."""
    gc.collect()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@cache
def after_epochs(n):
    clf = classifier(
        n_exemplars=3, n_comparisons=30, max_iter=n, tol=0, n_iter_no_change=n,
        learning_rate_init=1e-12,
    )  # fmt: skip
    rows = slice(None, None, 30)
    with warnings.catch_warnings(action="ignore"):
        return clf.fit(X[rows], y[rows])


def test_a_call_takes_no_more_memory_after_many():
    peaks = []
    for n in (20, 2_000):
        clf = copy.copy(after_epochs(n))
        clf.partial_fit(X[:1], y[:1])
        assert clf.n_iter_ == n + 1
        peaks.append(peak_of(lambda clf=clf: clf.partial_fit(X[:1], y[:1])))
    # A list of the losses has eight bytes for each.
    assert peaks[1] < peaks[0] + 10_000


def test_an_entry_of_a_history_is_copied_a_few_times_however_many_follow():
    n_copied, history, kept = 0, History(), []
    n = 5000
    for k in range(n):
        longer = history.followed_by(float(k))
        old = set(map(id, history.blocks))
        n_copied += sum(len(block) for block in longer.blocks if id(block) not in old)
        kept.append(history)
        history = longer
    assert n_copied <= n * (np.log2(n) + 1)
    assert all(len(h.blocks) < 14 for h in kept)
    for k in (0, 1, 7, 100, n - 1):
        assert kept[k].losses == list(range(k))


def test_a_history_is_the_list_of_its_epochs():
    values = np.random.default_rng(0).normal(size=100).tolist()
    history = History()
    assert (len(history), history.losses, history.lowest_loss) == (0, [], np.inf)
    for k, value in enumerate(values, 1):
        branch = history.followed_by(-value)
        history = history.followed_by(value, (2 * value, 3 * value) if k % 2 else None)
        assert history.losses == values[:k]
        assert branch.losses == [*values[: k - 1], -value]
        assert (len(history), history.lowest_loss) == (k, min(values[:k]))
        assert history.last[0] == value
    assert history.validation_losses == [2 * value for value in values[::2]]
    assert history.validation_scores == [3 * value for value in values[::2]]
    assert pickle.loads(pickle.dumps(history)) == history  # noqa: S301 - ours
    assert history != branch


def test_what_a_user_does_to_a_curve_changes_nothing():
    clf = classifier().partial_fit(X, y, classes=[0, 1, 2])
    earlier, losses = copy.copy(clf), clf.loss_curve_
    assert type(losses) is list
    clf.loss_curve_.append(-1.0)
    losses[0] = 7.0
    clf.partial_fit(X, y)
    assert clf.n_iter_ == len(clf.loss_curve_) == 2
    assert clf.loss_curve_[0] == earlier.loss_curve_[0] != 7.0
    assert clf.best_loss_ == min(clf.loss_curve_)
    assert clf.loss_ == clf.loss_curve_[-1]
    # Two futures of one state.
    other = earlier.partial_fit(X[:50], y[:50])
    assert other.loss_curve_[0] == clf.loss_curve_[0]
    assert other.loss_curve_[1] != clf.loss_curve_[1]
    again = pickle.loads(pickle.dumps(clf))  # noqa: S301 - ours
    assert again.loss_curve_ == clf.loss_curve_
    assert clf.validation_scores_ is None
    assert clf.validation_loss_curve_ is None


def test_there_is_no_curve_before_the_first_call():
    for name in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
        assert not hasattr(classifier(), name)


# Early streams


ORDER = np.random.default_rng(0).permutation(len(y))
ROWS, LABELS, NUMBERS = (read_only(a[ORDER]) for a in (X, y, VALUES))
WEIGHTS = read_only(np.random.default_rng(1).uniform(0.5, 2, len(y)))
FEW = "distinct rows?, and"
quiet = pytest.mark.filterwarnings(f"ignore:The first call of partial_fit has .* {FEW}")


def assert_same_network(actual, expected, *, exactly=True):
    """Compare weights, to rounding where units were changed there and back."""
    pairs = zip(actual.network_.parameters, expected.network_.parameters, strict=True)
    for a, e in pairs:
        if exactly:
            assert_array_equal(np.asarray(a), np.asarray(e))
        else:
            assert_allclose(a, e, rtol=1e-6, atol=1e-6)


def learn(estimator, rows, features=ROWS, weights=None):
    """Let an estimator learn from some rows."""
    weights = None if weights is None else weights[rows]
    if isinstance(estimator, MetricInitMLPClassifier):
        labels = LABELS[rows]
        return estimator.partial_fit(features[rows], labels, [0, 1, 2], weights)
    return estimator.partial_fit(features[rows], NUMBERS[rows], weights)


def calculated(estimator, rows, features=ROWS, weights=None):
    """Return one with the weights that it would have of all these rows, untrained."""
    fresh = copy.deepcopy(estimator).set_params(max_iter=0)
    targets = LABELS if isinstance(estimator, MetricInitMLPClassifier) else NUMBERS
    weights = None if weights is None else weights[rows]
    return fresh.fit(features[rows], targets[rows], weights)


def half_step(x):
    return np.floor(2 * x) / 2


CASES = {
    "classifier": (classifier(), ROWS, None),
    "n_exemplars=30": (classifier(n_exemplars=30), ROWS, None),
    "auto": (classifier(n_exemplars="auto"), ROWS, None),
    "share": (classifier(n_exemplars=0.5), ROWS, None),
    "exemplars": (classifier(n_neighbors=1), ROWS, None),
    "two neighbors": (classifier(n_neighbors=2), ROWS, None),
    "tied": (classifier(tied=True, pairs=3, n_exemplars=10), ROWS, None),
    "medoids": (classifier(exemplars="kmedoids", metric="cosine"), ROWS, None),
    "condensed": (classifier(exemplars="condensed"), ROWS, None),
    "given": (classifier(exemplars=(X[::15], y[::15])), ROWS, None),
    "random hidden": (classifier(init="random", output_init="ridge"), ROWS, None),
    "weights": (classifier(), ROWS, WEIGHTS),
    "class weights": (classifier(class_weight={1: 3.0}), ROWS, WEIGHTS),
    "sparse": (classifier(), csr_array(half_step(ROWS)), None),
    "float32": (classifier(), ROWS.astype(np.float32), WEIGHTS),
    "sgd": (classifier(solver="sgd"), ROWS, None),
    "regressor": (regressor(), ROWS, None),
    "regressor weights": (regressor(), ROWS, WEIGHTS),
    "regressor given": (regressor(exemplars=(X[::15], VALUES[::15])), ROWS, None),
    "regressor votes": (regressor(n_neighbors=1), ROWS, None),
    "basis": (basis(), ROWS[:, :2], None),
    "basis of a domain": (basis(domain=[[0, 9], [0, 9]]), ROWS[:, :2], WEIGHTS),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
# One for each kind of rows and of network.
FEW_CASES = (
    *("classifier", "exemplars", "condensed", "random hidden", "sparse", "float32"),
    *("regressor weights", "basis of a domain"),
)


@quiet
@every_case
def test_an_early_stream_is_a_first_call_with_all_of_its_rows(case):
    """And the steps are then those for the last rows alone."""
    estimator, features, weights = case
    model = learn(copy.deepcopy(estimator), slice(4), features, weights)
    learn(model, slice(4, 13), features, weights)
    expected = calculated(estimator, slice(13), features, weights)
    learn(expected, slice(4, 13), features, weights)
    assert_same_network(model, expected)
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert model.t_ == 13
    assert model.loss_ == expected.loss_
    # Few rows more are learned from by steps alone.
    for k in (13, 14):
        learn(model, slice(k, k + 1), features, weights)
        learn(expected, slice(k, k + 1), features, weights)
    assert_same_network(model, expected)


@every_case
def test_enough_rows_are_a_start_that_stays(case):
    estimator, features, weights = case
    first = slice(100)
    model = learn(copy.deepcopy(estimator), first, features, weights)
    expected = learn(
        calculated(estimator, first, features, weights), first, features, weights
    )
    for rows in (slice(100, 150), slice(150)):
        learn(model, rows, features, weights)
        learn(expected, rows, features, weights)
    assert_same_network(model, expected, exactly=False)
    assert abs(len(pickle.dumps(model)) - len(pickle.dumps(expected))) < 200


@quiet
@pytest.mark.parametrize("name", FEW_CASES)
def test_rows_that_come_again_are_no_growth(name):
    estimator, features, weights = CASES[name]
    first = slice(10)
    model = learn(copy.deepcopy(estimator), first, features, weights)
    expected = learn(
        calculated(estimator, first, features, weights), first, features, weights
    )
    for _ in range(20):  # after 18 calls the rows are not kept any more
        learn(model, first, features, weights)
        learn(expected, first, features, weights)
    assert_same_network(model, expected, exactly=False)


@pytest.fixture
def made(monkeypatch):
    """Numbers of the rows that networks are calculated from."""
    numbers, initial_state = [], _metric_base.initial_state

    def counted(config, data, *arguments, **settings):
        numbers.append(len(data.sample_weight))
        return initial_state(config, data, *arguments, **settings)

    monkeypatch.setattr(_metric_base, "initial_state", counted)
    return numbers


@quiet
def test_calculations_are_few_and_end(made):
    model = regressor()
    for k in range(60):
        learn(model, slice(k, k + 1), WEIGHTS[:, None] + ROWS)
    assert made == [1, 2, 4, 8, 16, 18]
    grown = regressor()
    learn(grown, slice(30))
    # No row is kept.
    assert abs(len(pickle.dumps(model)) - len(pickle.dumps(grown))) < 2000


@quiet
def test_a_stream_that_repeats_itself_is_grown_too(made):
    model = regressor()
    for _ in range(200):
        learn(model, slice(1))
    learn(model, slice(60))
    assert made == [1]


@quiet
def test_a_class_that_comes_late_in_an_early_stream_is_among_all(made):
    order = np.argsort(LABELS, kind="stable")[[0, 1, 2, 3, 4, 50, 100, 101]]
    model = classifier(n_exemplars=9)
    for k in order:
        model.partial_fit(ROWS[[k]], LABELS[[k]], [0, 1, 2])
        assert LABELS[k] in model.exemplar_labels_
    assert made == [1, 2, 4, 6, 7]
    assert_array_equal(np.bincount(model.exemplar_labels_), [5, 1, 1])
    # Later, in a grown stream, it is added to what there is.
    grown = classifier(n_exemplars=9)
    early = np.flatnonzero(LABELS != 2)
    grown.partial_fit(ROWS[early], LABELS[early], [0, 1, 2])
    kept = grown.exemplars_
    learn(grown, slice(150))
    assert_array_equal(grown.exemplars_[:9], kept)
    assert made[5:] == [100]


def last_predictions(model, features, targets, **declared):
    predicted = []
    for k in range(len(targets)):
        if k:
            predicted.append(model.predict(features[[k]])[0])
        model.partial_fit(features[[k]], targets[[k]], **declared)
    return np.array(predicted)[-100:], targets[-100:]


@quiet
def test_one_row_at_a_time_is_no_worse_than_from_random_weights():
    wine, kinds = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(kinds))
    wine, kinds = ((wine - wine.mean(axis=0)) / wine.std(axis=0))[order], kinds[order]
    accuracies = []
    for init in ("metric", "random"):
        clf = MetricInitMLPClassifier(init, random_state=0)
        predicted, true = last_predictions(clf, wine, kinds, classes=[0, 1, 2])
        accuracies.append(np.mean(predicted == true))
    assert accuracies[0] >= accuracies[1] - 0.02
    assert accuracies[0] > 0.93


@quiet
def test_the_unit_of_y_is_not_that_of_the_first_row():
    features, values = load_diabetes(return_X_y=True, scaled=False)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    order = np.random.default_rng(0).permutation(len(values))[:300]
    reg = MetricInitMLPRegressor(random_state=0)
    predicted, true = last_predictions(reg, features[order], values[order])
    assert np.mean(abs(predicted - true)) < 58  # the mean value alone: 66


@pytest.mark.parametrize(
    ("make", "n_needed"),
    [(classifier, 6), (regressor, 6), (basis, 6), (lambda: classifier(n_exemplars=9), 9)],
)
def test_few_rows_in_the_first_call_get_one_warning(make, n_needed):
    features = ROWS[:, :2] if make is basis else ROWS
    model = make()
    message = rf"has 3 distinct rows, and .* needs {n_needed} or more"
    with pytest.warns(UserWarning, match=message) as caught:
        learn(model, [0, 1, 2, 0], features)
    assert [w.filename for w in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn(model, [3], features)
        learn(model, slice(40), features)
        learn(make(), slice(n_needed + 6), features)
    # fit has all the rows that there are.
    with warnings.catch_warnings(action="error"):
        calculated(model, slice(3), features)


def test_drawn_weights_need_no_rows():
    with warnings.catch_warnings(action="error"):
        learn(classifier(init="random"), slice(1))
        learn(regressor(init="random"), slice(1))
        learn(basis(init="random"), slice(1), ROWS[:, :2])


@pytest.mark.parametrize("n_neighbors", [None, 1])
@pytest.mark.parametrize("n_exemplars", [12, {0: 2, 1: 7, 2: 3}])
def test_drawn_weights_are_as_many_as_will_be(n_neighbors, n_exemplars):
    few, all_rows = (
        learn(
            classifier(
                init="random",
                n_neighbors=n_neighbors,
                n_exemplars=n_exemplars,
            ),
            rows,
        )
        for rows in (slice(1), slice(150))
    )
    assert [w.shape for w in few.coefs_] == [w.shape for w in all_rows.coefs_]
    assert few.n_exemplars_ == 12
    given = classifier(
        init=(few.coefs_, few.intercepts_),
        n_neighbors=n_neighbors,
        n_exemplars=n_exemplars,
    )
    learn(given, slice(1))


@pytest.mark.parametrize("make", [regressor, basis])
def test_a_drawn_network_is_kept_in_new_units(make):
    features = ROWS[:, :2]
    values = 1e4 * NUMBERS + 1e6
    model = make(init="random", learning_rate_init=1e-12, alpha=0.0)
    model.partial_fit(features[:1], values[:1])
    for k, n in ((1, 1), (2, 2), (4, 4), (8, 30)):
        before = model.predict(features)
        model.partial_fit(features[k : k + n], values[k : k + n])
        assert_allclose(model.predict(features), before, rtol=1e-9)
        # What is trained on are deviations in the units of all rows so far.
        deviation = values[: k + n].std()
        rest = (before[k : k + n] - values[k : k + n]) / deviation
        assert_allclose(model.loss_, np.mean(rest**2) / 2, rtol=1e-6)
    model.partial_fit(features[:9], values[:9])
    unit = model.loss_ / np.mean((model.predict(features[:9]) - values[:9]) ** 2)
    model.partial_fit(features[100:], 100 * values[100:])
    model.partial_fit(features[:9], values[:9])
    again = model.loss_ / np.mean((model.predict(features[:9]) - values[:9]) ** 2)
    assert_allclose(again, unit, rtol=1e-6)


@quiet
def test_counts_by_class_are_reached_as_rows_come():
    model = classifier(n_exemplars={0: 2, 1: 4, 2: 3})
    for k in range(40):
        learn(model, slice(k, k + 1))
    assert_array_equal(np.bincount(model.exemplar_labels_), [2, 4, 3])
    with pytest.raises(ValueError, match=r"n_exemplars\[1\]=0 must be"):
        learn(classifier(n_exemplars={0: 2, 1: 0, 2: 9}), slice(10))


@quiet
def test_exemplars_are_rows_of_the_stream():
    model = classifier(exemplars="kmedoids", n_exemplars=9)
    learn(model, slice(3))
    learn(model, slice(3, 5), weights=np.where(np.arange(150) == 4, 0.0, 1.0))
    learn(model, slice(5, 20))
    assert 4 not in model.exemplar_indices_
    assert model.exemplar_indices_.max() > 5
    assert_array_equal(ROWS[model.exemplar_indices_], model.exemplars_)


def unpickled(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301 - ours


@quiet
@pytest.mark.parametrize(
    ("name", "random_state"),
    [
        *((name, 3) for name in FEW_CASES),
        ("classifier", np.random.RandomState(3)),
        ("classifier", None),
    ],
)
def test_a_copy_goes_on_as_an_early_stream(name, random_state):
    estimator, features, weights = CASES[name]
    model = copy.deepcopy(estimator).set_params(random_state=random_state)
    learn(model, slice(4), features, weights)
    models = [model, copy.copy(model), copy.deepcopy(model), unpickled(model)]
    for m in models:
        learn(m, slice(4, 10), features, weights)
        learn(m, slice(10, 22), features, weights)
    for m in models[1:]:
        assert_same_network(m, model)


@quiet
def test_an_error_leaves_an_early_estimator_as_it_was(monkeypatch):
    model = learn(classifier(), slice(4))
    twin, before = copy.deepcopy(model), dict(vars(model))

    with monkeypatch.context() as patch:
        patch.delattr(Adam, "step")
        with pytest.raises(AttributeError):
            learn(model, slice(4, 14))
    with pytest.raises(ValueError, match="labels"):
        model.partial_fit(ROWS[4:14], LABELS[4:14] + 1)
    model.set_params(activation="tanh")
    with pytest.raises(ValueError, match="activation"):
        learn(model, slice(4, 14))
    model.set_params(activation="relu")
    after = vars(model)
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    assert_same_network(learn(model, slice(4, 14)), learn(twin, slice(4, 14)))


@quiet
@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("first", ["dense", "sparse"])
def test_rows_may_be_sparse_or_dense_in_turn(make, first):
    features = half_step(ROWS)
    forms = {"dense": features, "sparse": csr_array(features)}
    other = forms.pop(first), *forms.values()
    mixed, pure = make(), make()
    for k, rows in enumerate((slice(3), slice(3, 7), slice(7, 15), slice(15, 20))):
        learn(mixed, rows, other[k % 2])
        learn(pure, rows, other[0])
    assert_allclose(
        mixed.network_.affine_output(features), pure.network_.affine_output(features)
    )
    assert type(mixed.exemplars_) is np.ndarray


@quiet
def test_rows_of_single_precision_stay_so_when_others_come():
    model = classifier(max_iter=0, warm_start=True, exemplars="random")
    learn(model, slice(4), ROWS.astype(np.float32))
    learn(model, slice(4, 14), ROWS)
    assert model.exemplars_.dtype == np.float32


@quiet
@pytest.mark.parametrize("make", [classifier, regressor, basis])
def test_arrays_of_another_namespace(make):
    xp = pytest.importorskip("array_api_strict")
    features = ROWS[:, :2]
    expected, model = make(), make()
    moved = learn(make(), slice(3), features).move_to(xp)
    for rows in (slice(3), slice(3, 7), slice(7, 15), slice(15, 20)):
        learn(expected, rows, features)
        with config_context(array_api_dispatch=True):
            for m in (model, moved) if rows.start else (model,):
                targets = LABELS if make is classifier else NUMBERS
                declared = {"classes": [0, 1, 2]} if make is classifier else {}
                there = xp.asarray(features[rows].copy())
                m.partial_fit(there, targets[rows], **declared)
    for m in (model, moved):
        assert type(m.network_.parameters[0]) is type(xp.asarray(0.0))
        pairs = zip(m.network_.parameters, expected.network_.parameters, strict=True)
        for a, e in pairs:
            assert_allclose(np.asarray(a), e, rtol=1e-6, atol=1e-9)


@quiet
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("make", [classifier, regressor, basis])
def test_fit_that_goes_on_from_an_early_stream_begins_with_its_own_rows(
    make, early_stopping
):
    features = ROWS[:, :2]
    targets = LABELS if make is classifier else NUMBERS
    model = make(warm_start=True, max_iter=2)
    learn(model, slice(4), features)
    fresh = make(warm_start=True, max_iter=2)
    for m in (model, fresh):
        m.set_params(early_stopping=early_stopping)
        with warnings.catch_warnings(action="ignore"):
            m.fit(features, targets)
            m.fit(features, targets)
    assert_same_network(model, fresh)
    # As many rows as before are no new start.
    model = learn(make(warm_start=True, max_iter=0), slice(4), features)
    before = model.network_.affine_output(features)
    model.fit(features[:4], targets[:4])
    assert_allclose(model.network_.affine_output(features), before, rtol=1e-9)


@quiet
def test_fit_after_an_early_stream_of_drawn_weights_keeps_them():
    model = regressor(init="random", warm_start=True, max_iter=0)
    learn(model, slice(1))
    before = model.predict(ROWS)
    model.fit(ROWS, 1e3 * NUMBERS)
    assert_allclose(model.predict(ROWS), before, rtol=1e-9)
    # The unit of the values is theirs.
    model.set_params(max_iter=1, alpha=0.0, learning_rate_init=1e-12)
    with warnings.catch_warnings(action="ignore"):
        model.fit(ROWS, 1e3 * NUMBERS)
    rest = (before - 1e3 * NUMBERS) / (1e3 * NUMBERS.std())
    assert_allclose(model.loss_, np.mean(rest**2) / 2, rtol=1e-6)


@quiet
def test_what_a_callback_keeps_is_early_too():
    pytest.importorskip("sklearn.callback")
    kept = []

    class Keeper:
        def setup(self, estimator, context):
            """Nothing."""

        def teardown(self, estimator, context):
            """Nothing."""

        def on_fit_task_begin(self, estimator, context):
            """Nothing."""

        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            del estimator
            if context.task_name == "epoch":
                kept.append(fitted_estimator)

    model = regressor()
    model.set_callbacks(Keeper())
    learn(model, slice(4))
    learn(model, slice(4, 9))
    expected = learn(learn(regressor(), slice(4)), slice(4, 9))
    assert_same_network(model, expected)
    (first, second) = kept
    first.set_callbacks()
    second.set_callbacks()
    assert_same_network(learn(first, slice(4, 9)), expected)
    for m in (second, expected):
        learn(m, slice(9, 40))
    assert_same_network(second, expected)


def test_a_warm_start_after_few_rows_keeps_the_classes_that_were_passed():
    clf = classifier(max_iter=0, warm_start=True)
    clf.partial_fit(X[:10], y[:10], classes=[0, 1, 2])
    early = y < 2
    clf.fit(X[early], y[early])
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X).shape == (len(X), 3)
    assert set(clf.partial_fit(X, y).exemplar_labels_) == {0, 1, 2}
