"""One run: a network is trained on one split, and looked at before and after epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from time import perf_counter
from typing import Any, NamedTuple
from warnings import catch_warnings, filterwarnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer

from skmetricmlp.study.data import Dataset
from skmetricmlp.study.tasks import CLASSES, Task

__all__ = [
    "Result",
    "Split",
    "feature_names",
    "split_rows",
    "train_and_score",
    "untrained",
]

Array = NDArray[Any]


class Split(NamedTuple):
    """Which rows are learned from, ``size`` of ``n_train``; a seed draws them."""

    n_train: int
    size: int
    seed: int


class Result(NamedTuple):
    """What a run has found.

    Attributes
    ----------
    curve : pandas.DataFrame
        A row for each epoch, with ``epoch`` (0 is untrained), the score on the test rows
        and ``seconds`` spent so far on calculating the weights and training.
    predictions : pandas.DataFrame
        For the first and the last ``epoch``, the ``count`` of test rows of each pair of
        ``true`` and ``predicted``.
    """

    curve: pd.DataFrame
    predictions: pd.DataFrame


def train_and_score(
    dataset: Dataset,
    split: Split,
    parameters: Mapping[str, Any],
    n_epochs: int,
) -> Result:
    """Train one network, and test it before training and after each epoch.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    parameters : mapping
        Of the estimator.
    n_epochs : int

    Returns
    -------
    Result
    """
    train, test = split_rows(dataset, split)
    # Fitted on training rows, outside the time that is taken.
    transformer = clone(dataset.transformer)
    X_train = transformer.fit_transform(dataset.X.iloc[train])
    X_test = transformer.transform(dataset.X.iloc[test])
    y_train, y_test = dataset.y.iloc[train], dataset.y.to_numpy()[test]
    model = untrained(dataset.task, parameters, split.seed)
    _warm_up(dataset.task)
    points, predicted, seconds = [], {}, 0.0
    for epoch in range(n_epochs + 1):
        started = perf_counter()
        learn = model.partial_fit if epoch else model.fit
        _uninterrupted(learn, X_train, y_train)
        seconds += perf_counter() - started
        predicted[epoch] = model.predict(X_test)
        score = float(dataset.task.measure(y_test, predicted[epoch]))
        points.append({"epoch": epoch, dataset.task.score: score, "seconds": seconds})
    pairs = [_pairs(epoch, y_test, predicted[epoch]) for epoch in (0, n_epochs)]
    return Result(pd.DataFrame(points), pd.concat(pairs, ignore_index=True))


def untrained(task: Task, parameters: Mapping[str, Any], seed: int) -> Any:
    """Return an estimator that is not trained by ``fit``, only by ``partial_fit``.

    Raises
    ------
    ValueError
        If the parameters make one that cannot be trained so.
    """
    model = task.estimator(**{**parameters, "max_iter": 0, "random_state": seed})
    try:
        _ = model.partial_fit
    except AttributeError as error:
        msg = f"a comparison trains epoch by epoch: {error.__cause__ or error}"
        raise ValueError(msg) from error
    return model


def feature_names(transformer: Any) -> list[str] | None:
    """Return names without the part of the transformer that they come from, if known."""
    if not hasattr(transformer, "get_feature_names_out"):
        return None
    names = [str(name) for name in transformer.get_feature_names_out()]
    if isinstance(transformer, ColumnTransformer):
        return [name.partition("__")[2] or name for name in names]
    return names


def split_rows(
    dataset: Dataset, split: Split
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Divide rows into training and test rows, each in the proportions of the classes.

    Smaller training sets of a seed are parts of its larger ones.

    Returns
    -------
    train : ndarray of shape (size,)
    test : ndarray of shape (n_samples - n_train,)
    """
    shuffled = _stratified_order if dataset.task == CLASSES else _random_order
    order = shuffled(dataset.y.to_numpy(), split.seed)
    n_test = len(order) - split.n_train
    return order[n_test : n_test + split.size], order[:n_test]


def _uninterrupted(learn: Callable[[Any, Any], object], X: Any, y: Any) -> None:
    """Learn, or end as the whole run does: what was cut short must not be kept."""
    with catch_warnings():
        filterwarnings("error", message="Training was interrupted", category=UserWarning)
        try:
            learn(X, y)
        except UserWarning as error:
            raise KeyboardInterrupt from error


@cache
def _warm_up(task: Task) -> None:
    """Load what is loaded when it is first needed, once in a process, untimed."""
    X, y = np.eye(20), np.arange(20) % 2
    model = untrained(task, {"n_exemplars": 4, "n_random_units": 4}, seed=0)
    model.fit(X, y).partial_fit(X, y).predict(X)


def _pairs(epoch: int, true: Array, predicted: Array) -> pd.DataFrame:
    pairs = pd.DataFrame({"epoch": epoch, "true": true, "predicted": predicted})
    return pairs.value_counts(sort=False).rename("count").reset_index()


def _stratified_order(y: Array, seed: int) -> NDArray[np.intp]:
    """Shuffle rows so that every stretch of the order has the classes in proportion."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(y))
    within = pd.Series(shuffled).groupby(y[shuffled])
    share = (within.cumcount() + rng.uniform(size=len(y))) / within.transform("size")
    return shuffled[np.argsort(share.to_numpy())]


def _random_order(y: Array, seed: int) -> NDArray[np.intp]:
    return np.random.default_rng(seed).permutation(len(y))
