"""Rows in partitions, by any engine: the network is that of one ``fit``."""

import pickle
from functools import reduce

import numpy as np
import pytest
from factories import classifier, regressor, standardized
from numpy.testing import assert_allclose

from skmetricmlp.estimators import closed_form
from skmetricmlp.initialization import output_sums
from skmetricmlp.partitions import fit_partitions, sums_of

X, y = standardized("wine")
VALUES = np.stack([X[:, 0] + X[:, 1] ** 2, np.sin(X[:, 2])], axis=1)
WEIGHTS = np.random.default_rng(0).uniform(0.2, 3, len(y))
WEIGHTS[100:140] = 0.0
CLOSED = {"solver": "closed_form", "n_comparisons": 60}


@pytest.fixture
def small_samples(monkeypatch):
    monkeypatch.setattr(output_sums, "KEPT_ROWS", 90)
    monkeypatch.setattr(output_sums, "RIDGE_ROWS", 70)
    monkeypatch.setattr(closed_form, "SAMPLE_ROWS", 90)


def partitions(targets, ends=(60, 60, 100, 140, 141)):
    """Return unequal ones; one is empty, one has no weight, and they are sorted by y."""
    parts = [np.split(array, ends) for array in (X, targets, WEIGHTS)]
    return list(zip(*parts, strict=True))


def outputs(estimator):
    predict = getattr(estimator, "predict_proba", estimator.predict)
    return predict(X)


def engine(parts, calls=None):
    """Return one that sends everything by pickle, and adds up from the last to the first.

    It counts how often it is called.
    """

    def sent(value):
        return pickle.loads(pickle.dumps(value))  # noqa: S301 - of this test

    def map_reduce(function, shared, add):
        if calls is not None:
            calls.append(function)
        totals = [sent(sent(function)(sent(shared), *part)) for part in parts]
        return reduce(lambda one, other: sent(sent(add)(other, one)), totals[::-1])

    return map_reduce


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    ("make", "targets"), [(classifier, y), (regressor, VALUES), (regressor, VALUES[:, 0])]
)
@pytest.mark.usefixtures("small_samples")
def test_it_is_one_fit_in_two_passes(make, targets, given):
    settings = {"exemplars": (X[::4], targets[::4])} if given else {}
    whole = make(**CLOSED, **settings).fit(X, targets, sample_weight=WEIGHTS)
    calls = []
    map_reduce = engine(partitions(targets), calls)
    model = fit_partitions(make(**CLOSED, **settings), map_reduce)
    assert_allclose(outputs(model), outputs(whole), rtol=1e-8, atol=1e-10)
    assert len(calls) == 2


def test_few_rows_are_one_pass():
    whole = classifier(**CLOSED).fit(X, y, sample_weight=WEIGHTS)
    calls = []
    model = fit_partitions(classifier(**CLOSED), engine(partitions(y), calls))
    assert_allclose(outputs(model), outputs(whole), rtol=1e-8, atol=1e-10)
    assert len(calls) == 1


@pytest.mark.parametrize("names", [[0, 1, 2], [0, 1, 2, 3]])
@pytest.mark.usefixtures("small_samples")
def test_classes_that_are_declared(names):
    model = fit_partitions(classifier(**CLOSED), engine(partitions(y)), classes=names)
    assert model.classes_.tolist() == names
    assert model.score(X, y) > 0.9


@pytest.mark.usefixtures("small_samples")
def test_sums_of_partitions_add_up():
    exemplars = X[::4], y[::4]
    empty = classifier(exemplars=exemplars, **CLOSED)
    whole = classifier(exemplars=exemplars, **CLOSED).fit(X, y, sample_weight=WEIGHTS)
    sums = [
        sums_of(empty, rows, labels, weights, classes=range(3))
        for rows, labels, weights in partitions(y)
    ]
    assert [part is None for part in sums] == [False, True, False, True, False, False]
    total = reduce(lambda one, other: one.merge(other), filter(None, sums))
    assert_allclose(outputs(total), outputs(whole), rtol=1e-8, atol=1e-10)
    assert not hasattr(empty, "classes_")


@pytest.mark.parametrize("model", [classifier(), object()])
def test_another_solver_is_refused(model):
    with pytest.raises(TypeError, match="estimator must be one with solver"):
        fit_partitions(model, engine([]))
