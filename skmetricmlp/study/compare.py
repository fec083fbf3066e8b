"""Run the study: the same network from calculated and from other weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.study.data import DataError, Dataset

__all__ = ["Run", "compare", "default_sizes", "time_to_target"]

Array = NDArray[Any]
Track = Callable[[Sequence[Any]], Iterable[Any]]


class Run(NamedTuple):
    """One network to train."""

    size: int
    seed: int
    start: str


def compare(
    dataset: Dataset,
    *,
    sizes: Sequence[int] | None = None,
    n_seeds: int = 5,
    n_epochs: int = 10,
    starts: Sequence[str] = ("metric", "random"),
    test_fraction: float = 0.25,
    settings: Mapping[str, Any] | None = None,
    track: Track = iter,
) -> pd.DataFrame:
    """Train the same architecture from several starts, and record each epoch.

    For each seed the rows are divided anew, stratified, into test and training rows;
    smaller training sets are parts of the larger ones. The transformer is fitted on the
    training rows, outside the time that is taken.

    Parameters
    ----------
    dataset : Dataset
    sizes : sequence of int, optional
        Numbers of training rows; by default :func:`default_sizes`.
    n_seeds : int
    n_epochs : int
    starts : sequence of str
        Values of ``init``.
    test_fraction : float
    settings : mapping, optional
        Further parameters of :class:`~skmetricmlp.MetricInitMLPClassifier`.
    track : callable
        Wraps the list of runs, to show progress: ``tqdm.tqdm``, for example.

    Returns
    -------
    pandas.DataFrame
        A row per size, seed, start and epoch, with the columns ``size``, ``seed``,
        ``start``, ``epoch`` (0 is untrained), ``accuracy`` on the test rows and
        ``seconds`` spent so far on calculating the weights and training.

    Raises
    ------
    DataError
        If a size is more than there are training rows, or too few for the classes.
    """
    n_train = len(dataset.y) - round(test_fraction * len(dataset.y))
    n_classes = dataset.y.nunique()
    sizes = default_sizes(n_train, n_classes) if sizes is None else sizes
    for size in sizes:
        if not n_classes <= size <= n_train:
            msg = (
                f"size {size} is not possible: {n_classes} classes need as many "
                f"training rows, and there are {n_train}"
            )
            raise DataError(msg)
    runs = [Run(*run) for run in product(sizes, range(n_seeds), starts)]
    records = [
        {**run._asdict(), **point}
        for run in track(runs)
        for point in _learning_curve(
            dataset, run, n_train, n_epochs, dict(settings or {})
        )
    ]
    return pd.DataFrame.from_records(records)


def default_sizes(n_train: int, n_classes: int) -> list[int]:
    """All rows, a quarter and a sixteenth, as far as each class gets a few.

    Examples
    --------
    >>> default_sizes(1348, n_classes=10)
    [84, 337, 1348]
    """
    sizes = [n_train // 16, n_train // 4, n_train]
    return [size for size in sizes if size >= max(20, 5 * n_classes)] or [n_train]


def time_to_target(
    curves: pd.DataFrame, target_accuracy: float | None = None
) -> pd.DataFrame:
    """Epochs and seconds until the test accuracy first reaches a target.

    Parameters
    ----------
    curves : pandas.DataFrame
        As :func:`compare` returns it.
    target_accuracy : float, optional
        By default, for each size, where the last of the starts ends: its mean accuracy
        over the seeds after the last epoch.

    Returns
    -------
    pandas.DataFrame
        A row per size, seed and start, with the columns ``target``, ``epoch`` and
        ``seconds``, which are missing where the target was not reached.
    """
    last = curves[curves["epoch"] == curves["epoch"].max()]
    reference = last[last["start"] == curves["start"].iloc[-1]]
    targets = reference.groupby("size")["accuracy"].mean()
    if target_accuracy is not None:
        targets[:] = target_accuracy
    curves = curves.assign(target=curves["size"].map(targets))
    keys = ["size", "seed", "start"]
    reached = curves[curves["accuracy"] >= curves["target"]]
    first = reached.sort_values("epoch").groupby(keys)[["epoch", "seconds"]].first()
    runs = curves.groupby(keys, sort=False)["target"].first().to_frame()
    return runs.join(first).reset_index()


def _learning_curve(
    dataset: Dataset,
    run: Run,
    n_train: int,
    n_epochs: int,
    settings: dict[str, Any],
) -> Iterator[dict[str, float]]:
    """Yield accuracy and time spent, before training and after each epoch."""
    order = _stratified_order(dataset.y.to_numpy(), run.seed)
    n_test = len(order) - n_train
    test, train = order[:n_test], order[n_test : n_test + run.size]
    transformer = clone(dataset.transformer)
    X_train = transformer.fit_transform(dataset.X.iloc[train])
    X_test = transformer.transform(dataset.X.iloc[test])
    y_train, y_test = dataset.y.iloc[train], dataset.y.iloc[test]
    model = MetricInitMLPClassifier(
        run.start, **{**settings, "max_iter": 0, "random_state": run.seed}
    )
    seconds = 0.0
    for epoch in range(n_epochs + 1):
        started = perf_counter()
        learn = model.partial_fit if epoch else model.fit
        learn(X_train, y_train)
        seconds += perf_counter() - started
        accuracy = float(model.score(X_test, y_test))
        yield {"epoch": epoch, "accuracy": accuracy, "seconds": seconds}


def _stratified_order(y: Array, seed: int) -> NDArray[np.intp]:
    """Shuffle rows so that every stretch of the order has the classes in proportion."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(y))
    within = pd.Series(shuffled).groupby(y[shuffled])
    share = (within.cumcount() + rng.uniform(size=len(y))) / within.transform("size")
    return shuffled[np.argsort(share.to_numpy())]
