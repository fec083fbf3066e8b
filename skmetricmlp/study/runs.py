"""One run: a network is trained on one split, and tested after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from time import perf_counter
from typing import Any, NamedTuple
from warnings import catch_warnings, filterwarnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer

from skmetricmlp.study.data import LEAST_ROWS, Dataset
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.scores import measure, order_labels, predict
from skmetricmlp.study.tasks import CLASSES, Task

__all__ = [
    "Result",
    "Split",
    "count_pairs",
    "feature_names",
    "sample_rows",
    "split_rows",
    "train_and_score",
    "untrained",
]

Array = NDArray[Any]


class Split(NamedTuple):
    """A random split: ``size`` of ``n_train`` training rows, drawn with a seed."""

    n_train: int
    size: int
    seed: int


class Result(NamedTuple):
    """Results of a run.

    Attributes
    ----------
    curve : pandas.DataFrame
        One row per epoch, with the columns ``epoch``, the scores on the test rows, and
        ``seconds`` spent so far on calculating the weights and on training. Epoch 0 is
        the untrained network.
    predictions : pandas.DataFrame
        The ``count`` of test rows for each pair of ``true`` and ``predicted``, for the
        first and the last ``epoch``.
    """

    curve: pd.DataFrame
    predictions: pd.DataFrame


def train_and_score(
    dataset: Dataset,
    split: Split,
    parameters: Mapping[str, Any],
    n_epochs: int,
    scorings: Sequence[str],
) -> Result:
    """Train one network, and test it before training and after each epoch.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    parameters : mapping
        Parameters of the estimator.
    n_epochs : int
    scorings : sequence of str
        Names of scorers.

    Returns
    -------
    Result

    Raises
    ------
    DataError
        If a score is not defined for some predictions.
    """
    train, test = split_rows(dataset, split)
    # The transformer is fitted to the training data. Its time is not measured.
    transformer = clone(dataset.transformer)
    X_train = transformer.fit_transform(dataset.X.iloc[train])
    X_test = transformer.transform(dataset.X.iloc[test])
    y_train, y_test = dataset.y.iloc[train], dataset.y.to_numpy()[test]
    labels = order_labels(dataset.task, dataset.y)
    model = untrained(dataset.task, parameters, split.seed)
    _warm_up(dataset.task)
    curve, predicted, seconds = [], {}, 0.0
    for epoch in range(n_epochs + 1):
        started = perf_counter()
        train_epoch = model.partial_fit if epoch else model.fit
        _raise_if_interrupted(train_epoch, X_train, y_train)
        seconds += perf_counter() - started
        predictions = predict(model, X_test, labels)
        scores = measure(y_test, predictions, scorings, labels)
        curve.append({"epoch": epoch, **scores, "seconds": seconds})
        predicted[epoch] = predictions.predicted
    pairs = {epoch: count_pairs(y_test, predicted[epoch]) for epoch in (0, n_epochs)}
    counts = pd.concat(pairs, names=["epoch"]).reset_index("epoch")
    return Result(pd.DataFrame(curve), counts.reset_index(drop=True))


def untrained(task: Task, parameters: Mapping[str, Any], seed: int) -> Any:
    """Return an estimator whose ``fit`` only calculates the weights.

    Raises
    ------
    ValueError
        If the parameters do not allow training by ``partial_fit``.
    """
    model = task.estimator(**{**parameters, "max_iter": 0, "random_state": seed})
    try:
        _ = model.partial_fit
    except AttributeError as error:
        msg = (
            f"a study trains with partial_fit, epoch by epoch: {error.__cause__ or error}"
        )
        raise ValueError(msg) from error
    if model.learning_rate == "adaptive":
        msg = (
            f"a study trains with partial_fit, epoch by epoch: learning_rate must be "
            f"'constant', 'linear' or 'invscaling', got {model.learning_rate!r}"
        )
        raise ValueError(msg)
    return model


def feature_names(transformer: Any) -> list[str] | None:
    """Return the output names of a transformer without prefixes, or None."""
    if not hasattr(transformer, "get_feature_names_out"):
        return None
    names = [str(name) for name in transformer.get_feature_names_out()]
    if isinstance(transformer, ColumnTransformer):
        return [name.partition("__")[2] or name for name in names]
    return names


def split_rows(
    dataset: Dataset, split: Split
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split the rows into training and test data, stratified by class.

    For one seed, smaller training sets are subsets of larger ones.

    Returns
    -------
    train : ndarray of shape (size,)
        Indices of rows.
    test : ndarray of shape (n_samples - n_train,)
    """
    shuffle = _stratified_order if dataset.task == CLASSES else _random_order
    order = shuffle(dataset.y.to_numpy(), split.seed)
    n_test = len(order) - split.n_train
    return order[n_test : n_test + split.size], order[:n_test]


def sample_rows(dataset: Dataset, n_rows: int) -> Dataset:
    """Draw rows at random, stratified by class. The same rows are drawn in each call.

    Returns
    -------
    Dataset
        The data set itself, if it has no more rows than that.

    Raises
    ------
    DataError
        If there are too few rows, or all of them are of one class.
    """
    if n_rows < LEAST_ROWS:
        msg = f"max_rows must be at least {LEAST_ROWS}, got {n_rows}"
        raise DataError(msg)
    n_available = len(dataset.y)
    if n_available <= n_rows:
        return dataset
    shuffle = _stratified_order if dataset.task == CLASSES else _random_order
    rows = np.sort(shuffle(dataset.y.to_numpy(), 0)[:n_rows])
    y = dataset.y.iloc[rows].reset_index(drop=True)
    if y.nunique() < 2:
        msg = f"max_rows={n_rows} leaves one class or value of the target: draw more rows"
        raise DataError(msg)
    X = dataset.X.iloc[rows].reset_index(drop=True)
    return replace(dataset, X=X, y=y, n_available=n_available)


def _raise_if_interrupted(
    train_epoch: Callable[[Any, Any], object], X: Any, y: Any
) -> None:
    """Train, and raise KeyboardInterrupt if the estimator warns of an interruption.

    Without the error the result of an incomplete epoch would be saved.
    """
    with catch_warnings():
        filterwarnings("error", message="Training was interrupted", category=UserWarning)
        try:
            train_epoch(X, y)
        except UserWarning as error:
            raise KeyboardInterrupt from error


@cache
def _warm_up(task: Task) -> None:
    """Run one small training per process, so that lazy imports are not timed."""
    X, y = np.eye(20), np.arange(20) % 2
    model = untrained(task, {"n_exemplars": 4, "n_comparisons": 4}, seed=0)
    model.fit(X, y).partial_fit(X, y).predict(X)


def count_pairs(true: Array, predicted: Array) -> pd.DataFrame:
    """Return the ``count`` of rows for each pair of ``true`` and ``predicted``."""
    pairs = pd.DataFrame({"true": true, "predicted": predicted})
    return pairs.value_counts(sort=False).rename("count").reset_index()


def _stratified_order(y: Array, seed: int) -> NDArray[np.intp]:
    """Shuffle rows so that every part of the order has the proportions of the classes."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(y))
    within = pd.Series(shuffled).groupby(y[shuffled])
    share = (within.cumcount() + rng.uniform(size=len(y))) / within.transform("size")
    return shuffled[np.argsort(share.to_numpy())]


def _random_order(y: Array, seed: int) -> NDArray[np.intp]:
    return np.random.default_rng(seed).permutation(len(y))
