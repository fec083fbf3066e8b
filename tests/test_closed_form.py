"""``solver="closed_form"``: a stream, parts and rows taken away, against one fit."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from factories import classifier, regressor, standardized
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from skmetricmlp._data import TrainingData, row_keys
from skmetricmlp.estimators import closed_form
from skmetricmlp.initialization import RowSample, output_sums

X, y = standardized("wine")
WEIGHTS = np.random.default_rng(0).uniform(0.2, 3, len(y))
VALUES = np.stack([X[:, 0] + X[:, 1] ** 2, np.sin(X[:, 2])], axis=1)
LABELS = (X[:, :3] > 0) * 1
CLOSED = {"solver": "closed_form", "n_comparisons": 60}


def closed(make=classifier, targets=y, **settings):
    """Return an estimator with given exemplars: every fourth row."""
    return make(exemplars=(X[::4], targets[::4]), **CLOSED, **settings)


def outputs(estimator, rows=X):
    predict = getattr(estimator, "predict_proba", estimator.predict)
    return predict(rows)


def streamed(estimator, parts, rows=X, targets=y, weights=WEIGHTS):
    classes = {"classes": range(3)} if hasattr(estimator, "predict_proba") else {}
    for part in parts:
        batch = rows[part], targets[part]
        estimator.partial_fit(*batch, sample_weight=weights[part], **classes)
    return estimator


def parts_of(size, seed=0):
    order = np.random.default_rng(seed).permutation(len(y))
    return np.array_split(order, range(size, len(y), size))


@pytest.fixture
def small_samples(monkeypatch):
    """Samples of fewer rows than the data have, and no rows that wait."""
    monkeypatch.setattr(output_sums, "KEPT_ROWS", 90)
    monkeypatch.setattr(output_sums, "RIDGE_ROWS", 70)
    monkeypatch.setattr(closed_form, "SAMPLE_ROWS", 90)
    monkeypatch.setattr(closed_form, "FEW_ROWS", 4)


@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize(
    ("make", "targets"), [(classifier, y), (regressor, VALUES), (classifier, LABELS)]
)
@pytest.mark.usefixtures("small_samples")
def test_a_stream_in_any_order_is_one_fit(make, targets, size):
    whole = closed(make, targets).fit(X, targets, sample_weight=WEIGHTS)
    for seed in (0, 1):
        stream = closed(make, targets)
        streamed(stream, parts_of(size, seed), targets=targets)
        assert_allclose(outputs(stream), outputs(whole), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [7, 100])
def test_without_given_exemplars_a_stream_is_the_fit_of_its_rows(size):
    """They are kept as long as they are few."""
    whole = classifier(**CLOSED).fit(X, y, sample_weight=WEIGHTS)
    stream = streamed(classifier(**CLOSED), parts_of(size))
    assert_allclose(outputs(stream), outputs(whole), rtol=1e-9, atol=1e-12)
    untrained = classifier(n_comparisons=60, max_iter=0).fit(X, y, sample_weight=WEIGHTS)
    assert_allclose(outputs(whole), outputs(untrained), rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("small_samples")
def test_with_many_rows_the_hidden_layer_stays_and_all_rows_count():
    stream = streamed(classifier(**CLOSED), [slice(100)])
    exemplars, before = stream.exemplars_, outputs(stream)
    streamed(stream, [slice(100, None)])
    assert_array_equal(stream.exemplars_, exemplars)
    assert abs(outputs(stream) - before).max() > 1e-3
    again = streamed(classifier(**CLOSED), [slice(100)])
    again.set_params(warm_start=True).fit(X, y, sample_weight=WEIGHTS)
    assert_allclose(outputs(stream), outputs(again), rtol=1e-8, atol=1e-10)


@pytest.mark.usefixtures("small_samples")
def test_the_output_solves_the_normal_equations_of_all_rows():
    """Written without sums: the gradient of the error is that of the ridge."""
    targets = VALUES[:, 0]
    model = closed(regressor, targets)
    for part in parts_of(30):
        model.partial_fit(X[part], targets[part], sample_weight=WEIGHTS[part])
    hidden, share = model.network_.activations(X)[-1], WEIGHTS / WEIGHTS.sum()
    centered = hidden - share @ hidden
    deviation = np.sqrt(share @ centered**2)
    scale = np.maximum(deviation, np.median(deviation[deviation > 0]) / 10)
    errors = targets - model.predict(X)
    assert abs(share @ errors) < 1e-9
    varies = deviation > 0
    gradient = (centered.T @ (share * errors))[varies]
    ridges = gradient / (model.coefs_[-1][:, 0] * scale**2)[varies]
    assert (ridges > 0).all()
    assert_allclose(ridges, np.median(ridges), rtol=1e-5)


@pytest.mark.parametrize("kind", [csr_array, np.float32])
@pytest.mark.usefixtures("small_samples")
def test_sparse_rows_and_single_precision(kind):
    rows = np.round(np.where(X > 0, X, 0), 2)
    rows = rows.astype(kind) if kind is np.float32 else kind(rows)
    make = {"exemplars": (rows[::4], y[::4]), **CLOSED}
    whole = classifier(**make).fit(rows, y, sample_weight=WEIGHTS)
    stream = streamed(classifier(**make), parts_of(13), rows=rows)
    tolerance = 1e-3 if kind is np.float32 else 1e-9
    assert_allclose(outputs(stream, rows), outputs(whole, rows), atol=tolerance)
    assert stream.coefs_[-1].dtype == rows.dtype


@pytest.mark.usefixtures("small_samples")
def test_classes_that_come_late():
    order = np.argsort(y, kind="stable")  # one class after the other
    whole = closed().fit(X, y)
    stream = closed()
    for part in np.array_split(order, 9):
        stream.partial_fit(X[part], y[part], classes=np.unique(y))
    assert_allclose(outputs(stream), outputs(whole), rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("small_samples")
def test_a_row_of_weight_two_is_two_rows():
    times = np.random.default_rng(1).integers(1, 4, len(y))
    weighted = closed().fit(X, y, sample_weight=times)
    repeated = closed().fit(X.repeat(times, axis=0), y.repeat(times))
    assert_allclose(outputs(repeated), outputs(weighted), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("given", [True, False])
def test_rows_that_are_forgotten_leave_no_trace(given):
    make = closed if given else lambda: classifier(**CLOSED)
    for part in (slice(5), slice(60, None)):
        rest = np.delete(np.arange(len(y)), np.arange(len(y))[part])
        model = make().fit(X, y, sample_weight=WEIGHTS)
        model.forget(X[part], y[part], sample_weight=WEIGHTS[part])
        other = make().partial_fit(
            X[rest], y[rest], np.unique(y), sample_weight=WEIGHTS[rest]
        )
        assert_allclose(outputs(model), outputs(other), rtol=1e-7, atol=1e-9)
    part_of_weight = make().fit(X, y)
    part_of_weight.forget(X[:9], y[:9], sample_weight=np.full(9, 0.25))
    weights = np.where(np.arange(len(y)) < 9, 0.75, 1)
    lighter = make().fit(X, y, sample_weight=weights)
    assert_allclose(outputs(part_of_weight), outputs(lighter), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("given", [True, False])
def test_rows_that_cannot_be_forgotten(given):
    model = closed() if given else classifier(**CLOSED)
    model.fit(X, y)
    before = outputs(model)
    with pytest.raises(ValueError, match="can only be forgotten that were learned"):
        model.forget(X[:3] + 1, y[:3])
    with pytest.raises(ValueError, match="can only be forgotten that were learned"):
        model.forget(X[:3], y[:3], sample_weight=2)
    with pytest.raises(ValueError, match=r"needs to leave rows|has to stay"):
        model.forget(X, y)
    assert_array_equal(outputs(model), before)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(("make", "targets"), [(classifier, y), (regressor, VALUES)])
def test_merged_estimators_have_learned_the_rows_of_both(make, targets, given):
    def new():
        return closed(make, targets) if given else make(**CLOSED)

    whole = new().fit(X, targets, sample_weight=WEIGHTS)
    parts = [streamed(new(), [part], targets=targets) for part in parts_of(60)]
    others = [outputs(part) for part in parts[1:]]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    assert_allclose(outputs(merged), outputs(whole), rtol=1e-9, atol=1e-11)
    for part, before in zip(parts[1:], others, strict=True):
        assert_array_equal(outputs(part), before)


@pytest.mark.usefixtures("small_samples")
def test_few_rows_merge_with_many_and_two_hidden_layers_do_not():
    many = streamed(classifier(**CLOSED), [slice(120)])
    few = streamed(classifier(**CLOSED), [slice(120, None)])
    whole = streamed(classifier(**CLOSED), [slice(120), slice(120, None)])
    for one, other in ((many, few), (few, many)):
        merged = deepcopy(one).merge(other)
        assert_allclose(outputs(merged), outputs(whole), rtol=1e-8, atol=1e-10)
    with pytest.raises(ValueError, match="same hidden layer"):
        many.merge(streamed(classifier(**CLOSED), [slice(60, None)]))
    other = streamed(classifier(**{**CLOSED, "n_comparisons": 50}), [slice(120)])
    with pytest.raises(ValueError, match="same parameters: n_comparisons=50 does not go"):
        many.merge(other)


@pytest.mark.parametrize("given", [True, False])
def test_discounted_rows_have_less_weight(given):
    make = closed if given else lambda: classifier(**CLOSED)
    model = streamed(make(), [slice(100)]).discount(0.5)
    streamed(model, [slice(100, None)]).discount(0.2)
    weights = WEIGHTS * np.where(np.arange(len(y)) < 100, 0.5, 1)
    other = make().fit(X, y, sample_weight=weights)
    assert_allclose(outputs(model), outputs(other), rtol=1e-9, atol=1e-11)
    for factor in (0, 1.5, "0.5"):
        with pytest.raises(ValueError, match="factor must be a number above 0"):
            model.discount(factor)


@pytest.mark.usefixtures("small_samples")
def test_of_few_rows_of_the_sample_no_ridge_is_chosen():
    model = streamed(classifier(**CLOSED), [slice(0, 178)])
    with pytest.raises(ValueError, match="rows of the sample would be left"):
        model.forget(X[:150], y[:150], sample_weight=WEIGHTS[:150])
    assert model.score(X, y) > 0.9


def test_weights_that_are_assigned_end_the_sums():
    model = closed().fit(X, y)
    model.coefs_ = [2 * array for array in model.coefs_]
    with pytest.raises(NotFittedError, match="has no sums of rows"):
        model.partial_fit(X, y)


def test_rows_of_single_precision_that_fade_for_long():
    rows = X.astype(np.float32)
    model = classifier(exemplars=(rows[::4], y[::4]), **CLOSED).fit(rows[::2], y[::2])
    for _ in range(200):
        model.discount(0.5)
    model.partial_fit(rows, y)
    recent = classifier(exemplars=(rows[::4], y[::4]), **CLOSED).fit(rows, y)
    assert_allclose(outputs(model, rows), outputs(recent, rows), atol=1e-3)


def test_training_goes_on_from_it_and_ends_the_sums():
    model = closed().fit(X, y).set_params(solver="adam", learning_rate_init=1e-3)
    start = closed(max_iter=0).set_params(solver="closed_form").fit(X, y)
    assert_allclose(outputs(model), outputs(start))
    model.partial_fit(X, y)
    assert model.n_iter_ == 1
    assert not hasattr(model, "forget")
    model.set_params(solver="closed_form")
    with pytest.raises(NotFittedError, match="has no sums of rows"):
        model.partial_fit(X, y)
    # The output alone is fitted again, to the hidden layer that was trained.
    hidden = model.coefs_[0].copy()
    model.set_params(warm_start=True).fit(X, y)
    assert_array_equal(model.coefs_[0], hidden)
    assert model.score(X, y) > 0.95


def test_copies_pickles_and_attributes():
    model = streamed(closed(), [slice(150)])
    assert (model.n_iter_, model.n_features_in_) == (0, X.shape[1])
    assert_array_equal(model.classes_, np.unique(y))
    copied = pickle.loads(pickle.dumps(model))  # noqa: S301 - of ours
    for one in (model, copied):
        streamed(one, [slice(150, None)])
    assert_array_equal(outputs(model), outputs(copied))
    assert_allclose(outputs(model), outputs(closed().fit(X, y, sample_weight=WEIGHTS)))
    assert set(model.explain(X[:2])["row"]) == {0, 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_neighbors": 1}, "needs n_neighbors=None, got n_neighbors=1"),
        ({"init": "random"}, "needs output_init='ridge', got output_init='auto'"),
        ({"output_init": "logistic"}, "needs output_init='ridge', got"),
    ],
)
def test_networks_that_sums_do_not_determine(settings, message):
    with pytest.raises(ValueError, match=message):
        classifier(solver="closed_form", **settings).fit(X, y)


def test_calls_that_need_epochs_or_another_solver():
    with pytest.raises(ValueError, match="X_val needs epochs"):
        closed().fit(X, y, X_val=X, y_val=y)
    with pytest.raises(AttributeError, match="no attribute 'forget'"):
        classifier().forget(X, y)
    with pytest.raises(NotFittedError, match="has no sums"):
        closed().forget(X, y)
    for rejected in (X[:, 1:], np.full_like(X, np.nan)):
        model = closed().fit(X, y)
        before = outputs(model)
        with pytest.raises(ValueError, match=r"features|NaN"):
            model.partial_fit(rejected, y)
        assert_array_equal(outputs(model), before)


def test_random_units_have_a_closed_form_too():
    settings = {"init": "random", "output_init": "ridge", **CLOSED}
    whole = classifier(**settings).fit(X, y, sample_weight=WEIGHTS)
    stream = streamed(classifier(**settings), parts_of(50))
    assert_allclose(outputs(stream), outputs(whole), rtol=1e-9, atol=1e-12)


# --- the sample ---


def sample_of(part, size=40):
    return RowSample.of(TrainingData(X[part], y[part], WEIGHTS[part]), size)


def assert_same_sample(one, other):
    assert one.limit == other.limit
    assert_array_equal(one.keys, other.keys)
    for mine, theirs in zip(one.data, other.data, strict=True):
        assert_allclose(mine, theirs, rtol=1e-12)


def test_a_sample_does_not_depend_on_order_parts_or_repetition():
    whole = sample_of(slice(None))
    assert len(whole.keys) == 40
    assert_array_equal(whole.keys, np.sort(row_keys(X))[:40])
    assert_same_sample(sample_of(np.random.default_rng(0).permutation(len(y))), whole)
    parts = [sample_of(part) for part in parts_of(30)]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.plus(part)
    assert_same_sample(joined, whole)
    assert_same_sample(whole.plus(whole).scaled(0.5), whole)
    assert_same_sample(whole.plus(sample_of(slice(50)), -1.0), _without(whole, 50))
    assert_same_sample(whole.first(10), sample_of(slice(None), 10))


def _without(whole, n):
    rest = sample_of(slice(n, None), size=len(y))
    kept = np.flatnonzero(rest.keys < whole.limit)
    return RowSample(rest.keys[kept], rest.data.take(kept), 40, whole.limit)


def test_keys_do_not_depend_on_precision_or_form():
    rows = np.where(X > 0, X, 0).astype(np.float32)
    keys = row_keys(rows)
    assert_array_equal(row_keys(rows.astype(float)), keys)
    assert_array_equal(row_keys(csr_array(rows)), keys)
    assert len(np.unique(keys)) == len(np.unique(rows, axis=0))


def test_the_number_of_distinct_rows_is_estimated():
    rows = np.random.default_rng(0).normal(size=(20_000, 2)).repeat(2, axis=0)
    data = TrainingData(rows, np.zeros(40_000, dtype=int), np.ones(40_000))
    sample = RowSample.of(data, 2000)
    assert not sample.is_complete
    assert sample.n_distinct == pytest.approx(20_000, rel=0.1)
    assert_allclose(sample.data.sample_weight, 2.0)
    few = RowSample.of(data.take(np.arange(99)), 2000)
    assert (few.n_distinct, few.is_complete) == (50, True)


def test_equal_rows_of_values_have_their_weighted_mean():
    data = TrainingData(
        np.ones((3, 2)), np.array([[1.0], [2], [6]]), np.array([2.0, 1, 1])
    )
    sample = RowSample.of(data, 5)
    assert_allclose(sample.data.y, [[2.5]])
    without = sample.plus(RowSample.of(data.take(np.array([2])), 5), -1.0)
    assert_allclose(without.data.y, [[4 / 3]])
