"""``OnDask``: whatever the partitions and the workers, it is the fit of one machine."""

import os
import signal
import time

import numpy as np
import pytest
from factories import classifier, regressor, standardized
from numpy.testing import assert_allclose, assert_array_equal

from skmetricmlp import partitions
from skmetricmlp.estimators import closed_form
from skmetricmlp.initialization import output_sums

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

from skmetricmlp.dask import OnDask  # noqa: E402 - it needs Dask

X, y = standardized("wine")
VALUES = np.stack([X[:, 0] + X[:, 1] ** 2, np.sin(X[:, 2])], axis=1)
LABELS = (X[:, :3] > 0) * 1
WEIGHTS = np.random.default_rng(0).uniform(0.2, 3, len(y))
WEIGHTS[100:140] = 0.0  # a whole partition of some
DASK = da.from_array(X, chunks=(60, -1)), da.from_array(y, chunks=60)
CLOSED = {"solver": "closed_form", "n_comparisons": 60}
# Unequal, and some of them empty; the rows are sorted by class.
PARTITIONS = [(0, 60, 0, 40, 40, 1, 37), (178,), (59, 119)]


@pytest.fixture
def small_samples(monkeypatch):
    """Samples of fewer rows than the data have. Workers are threads of this process."""
    monkeypatch.setattr(output_sums, "KEPT_ROWS", 90)
    monkeypatch.setattr(output_sums, "RIDGE_ROWS", 70)
    monkeypatch.setattr(closed_form, "SAMPLE_ROWS", 90)


def on_dask(rows, chunks, columns=5):
    chunks = (chunks, columns) if rows.ndim > 1 else (chunks,)
    return da.from_array(rows, chunks=chunks)


def outputs(estimator, rows=X):
    predict = getattr(estimator, "predict_proba", estimator.predict)
    return predict(rows)


@pytest.mark.parametrize("chunks", PARTITIONS)
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    ("make", "targets"),
    [
        (classifier, y),
        (classifier, LABELS),
        (regressor, VALUES),
        (regressor, 1e6 + VALUES[:, 0]),
    ],
)
@pytest.mark.usefixtures("small_samples")
def test_it_is_the_fit_of_one_machine(make, targets, given, chunks):
    settings = {"exemplars": (X[::4], targets[::4])} if given else {}
    local = make(**CLOSED, **settings).fit(X, targets, sample_weight=WEIGHTS)
    arrays = [on_dask(a, chunks, 2) for a in (X, targets, WEIGHTS)]
    model = OnDask(make(**CLOSED, **settings)).fit(*arrays)
    assert_allclose(outputs(model.estimator_), outputs(local), rtol=1e-8, atol=1e-10)
    predicted = outputs(model, arrays[0])
    assert_allclose(predicted.compute(), outputs(local), rtol=1e-8, atol=1e-10)
    assert predicted.shape == outputs(local).shape
    expected = local.score(X, targets, sample_weight=WEIGHTS)
    assert model.score(*arrays) == pytest.approx(expected)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on Windows")
def test_a_worker_that_is_killed(tmp_path):
    """In the pass for the sums. Each of the two passes loads four partitions."""
    distributed = pytest.importorskip("distributed")
    parts = np.array_split(np.arange(len(y)), 4)
    exemplars = X[::4], y[::4]

    def load(k):
        (tmp_path / f"{os.getpid()}-{k}-{time.monotonic_ns()}").touch()
        n = len(list(tmp_path.glob("*-*-*")))
        if n >= 6 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return X[parts[k]]

    blocks = [
        da.from_delayed(dask.delayed(load)(k), (len(part), X.shape[1]), X.dtype)
        for k, part in enumerate(parts)
    ]
    targets = da.from_array(y, chunks=(tuple(map(len, parts)),))
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs="CRITICAL",  # it reports the dead worker
        ) as cluster,
        distributed.Client(cluster),
    ):
        estimator = classifier(exemplars=exemplars, **CLOSED)
        model = OnDask(estimator).fit(da.concatenate(blocks), targets)
    assert (tmp_path / "died").exists()
    local = classifier(exemplars=exemplars, **CLOSED).fit(X, y)
    assert_allclose(outputs(model.estimator_), outputs(local), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("targets", [y, np.array(["a", "bb", "ccc"])[y]])
def test_labels_and_few_rows(targets):
    local = classifier(**CLOSED).fit(X, targets)
    arrays = on_dask(X, 50), on_dask(targets, 50)
    model = OnDask(classifier(**CLOSED)).fit(*arrays)
    assert_array_equal(model.classes_, local.classes_)
    assert_array_equal(model.predict(arrays[0]).compute(), local.predict(X))
    assert_array_equal(model.predict(X), local.predict(X))
    assert model.predict(arrays[0]).dtype == targets.dtype


def test_data_frames_with_categories_and_missing_values():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(X[:, :4], columns=list("abcd"))
    frame["kind"] = rng.choice(["x", "y", "z"], len(y))
    frame.loc[rng.random(len(y)) < 0.1, "b"] = np.nan
    local = classifier(**CLOSED).fit(frame, y)
    rows = dd.from_pandas(frame.assign(y=y), npartitions=4)
    features = rows[list(frame)]
    model = OnDask(classifier(**CLOSED)).fit(features, rows["y"])
    assert_allclose(
        model.predict_proba(features).compute(), outputs(local, frame), atol=1e-8
    )
    assert model.score(features, rows["y"]) == pytest.approx(local.score(frame, y))
    assert list(model.estimator_.feature_names_in_) == list(frame)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("kind", ["plain", "missing", "text"])
def test_columns_are_encoded_as_all_rows_have_them(kind, monkeypatch):
    """Also if the first rows, or partitions, lack categories and missing values."""
    pd = pytest.importorskip("pandas")
    monkeypatch.setattr(partitions, "HEAD_ROWS", 1)
    frame = pd.DataFrame(X[:, :4], columns=list("abcd"))
    if kind != "plain":
        frame.loc[len(y) - 1, "b"] = np.nan
    if kind == "text":  # more categories than have columns of their own
        frame["kind"] = [f"k{int(k**0.5 * 2)}" for k in range(len(y))]
        frame.loc[170:175, "kind"] = None
    local = classifier(**CLOSED).fit(frame, y)
    rows = dd.from_pandas(frame.assign(y=y), npartitions=5)
    model = OnDask(classifier(**CLOSED)).fit(rows[list(frame)], rows["y"])
    names = local.encoded_feature_names_.tolist()
    assert model.estimator_.encoded_feature_names_.tolist() == names
    assert_allclose(outputs(model, frame), outputs(local, frame), rtol=1e-8, atol=1e-10)


@pytest.mark.usefixtures("small_samples")
def test_rows_are_sampled_apart_from_weights_of_classes():
    settings = {"class_weight": {0: 1, 1: 3, 2: 0.5}, **CLOSED}
    local = classifier(**settings).fit(X, y)
    model = OnDask(classifier(**settings)).fit(on_dask(X, 60), on_dask(y, 60))
    assert_allclose(outputs(model), outputs(local), rtol=1e-8, atol=1e-10)


@pytest.mark.usefixtures("small_samples")
@pytest.mark.parametrize("given", [True, False])
def test_there_are_two_passes(given):
    loaded = []

    def load(k):
        loaded.append(k)
        return X[60 * k : 60 * k + 60]

    lengths = (60, 60, 58)
    blocks = [
        da.from_delayed(dask.delayed(load)(k), (n, X.shape[1]), X.dtype)
        for k, n in enumerate(lengths)
    ]
    settings = {"exemplars": (X[::4], y[::4])} if given else {}
    estimator = classifier(**CLOSED, **settings)
    OnDask(estimator).fit(da.concatenate(blocks), on_dask(y, lengths))
    assert sorted(loaded) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("make", "arguments", "error", "message"),
    [
        (classifier, DASK, TypeError, "estimator must be one with solver"),
        (lambda: classifier(**CLOSED), (X, y), TypeError, "X must be a Dask array"),
        (object, DASK, TypeError, "estimator must be one with solver"),
    ],
)
def test_what_is_not_accepted(make, arguments, error, message):
    with pytest.raises(error, match=message):
        OnDask(make()).fit(*arguments)


def test_partitions_that_do_not_match():
    model = OnDask(classifier(**CLOSED))
    with pytest.raises(ValueError, match="y has 2 partitions, and X has 3"):
        model.fit(on_dask(X, 60), on_dask(y, 90))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(on_dask(X, (60, 118)), on_dask(y, (59, 119)))
    with pytest.raises(ValueError, match="the weight of every row"):
        model.fit(on_dask(X, 60), on_dask(y, 60), on_dask(0 * WEIGHTS, 60))
    with pytest.raises(ValueError, match="X has no rows"):
        model.fit(on_dask(X[:0], 60), on_dask(y[:0], 60))
