"""Other models on the same splits: whether to use this network at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from signal import SIG_IGN, SIGINT, signal
from time import perf_counter
from typing import Any, NamedTuple
from warnings import catch_warnings

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from skmetricmlp.study.data import Dataset
from skmetricmlp.study.design import FITTED, Design
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.progress import progress_bar
from skmetricmlp.study.runs import Split, count_pairs, split_rows
from skmetricmlp.study.scores import measure, order_labels, predict, scorings_of
from skmetricmlp.study.tasks import CLASSES, Task

__all__ = [
    "CONSTANTS",
    "OURS",
    "RIVALS",
    "UNTRAINED",
    "ModelResults",
    "check_rivals",
    "compare_models",
    "fitted_models",
]

#: The default network after its default ``fit``.
OURS = "this network"
UNTRAINED = "this network, untrained"

#: Models by name: for classes, and for values. The first knows nothing of the features.
RIVALS: dict[str, tuple[Any, Any]] = {
    "constant": (DummyClassifier(), DummyRegressor()),
    "linear": (LogisticRegression(max_iter=1000), RidgeCV(np.logspace(-3, 3, 13))),
    "neighbors": (KNeighborsClassifier(), KNeighborsRegressor()),
    "boosting": (HistGradientBoostingClassifier(), HistGradientBoostingRegressor()),
    "forest": (RandomForestClassifier(), RandomForestRegressor()),
    "mlp": (MLPClassifier(), MLPRegressor()),
    "random": (None, None),  # the estimator of this package, with drawn hidden units
}

#: What they are called in tables and sentences.
TITLES = {
    "constant": ("the most frequent class", "the mean"),
    "linear": ("logistic regression", "ridge regression"),
    "neighbors": ("five nearest neighbors",) * 2,
    "boosting": ("gradient boosting",) * 2,
    "forest": ("a random forest",) * 2,
    "mlp": ("MLPClassifier", "MLPRegressor"),
    "random": ("random units with a fitted output",) * 2,
}

#: Names of the models that know nothing of the features.
CONSTANTS = TITLES["constant"]


class ModelResults(NamedTuple):
    """Results of this network and other models.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row per model and split, with the columns ``model``, ``seed``, the scores of
        :attr:`Study.curves`, and ``seconds`` of the fit.
    predictions : pandas.DataFrame or None
        For classes, the ``count`` of test rows for each pair of ``true`` and
        ``predicted`` of each ``model``, over all splits.
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame | None


def check_rivals(names: Sequence[str]) -> list[str]:
    """Return the names of other models, without "none".

    Raises
    ------
    DataError
        If a name is not known.
    """
    unknown = [name for name in names if name not in {*RIVALS, "none"}]
    if unknown or ("none" in names and len(names) > 1):
        known = ", ".join(RIVALS)
        msg = f"baselines must be none, or of {known}; got {' '.join(names)}"
        raise DataError(msg)
    return [name for name in names if name != "none"]


def fitted_models(task: Task, names: Sequence[str]) -> dict[str, Any]:
    """Return unfitted models by what they are called, this network first."""
    place = 0 if task == CLASSES else 1
    models = {OURS: task.estimator(), UNTRAINED: task.estimator(max_iter=0)}
    for name in names:
        model = RIVALS[name][place]
        models[TITLES[name][place]] = task.estimator(**FITTED) if model is None else model
    return models


def compare_models(
    dataset: Dataset,
    design: Design,
    names: Sequence[str] = tuple(RIVALS),
    *,
    n_jobs: int | None = None,
    progress: bool = False,
) -> ModelResults:
    """Fit this network and other models with their default settings, on the same splits.

    Parameters
    ----------
    dataset : Dataset
    design : Design
        Its largest number of training rows is taken.
    names : sequence of str
        Of :data:`RIVALS`.
    n_jobs : int, optional
        Number of models that are fitted at a time.
    progress : bool
        Whether to show a progress bar. It needs tqdm.

    Returns
    -------
    ModelResults
    """
    models = fitted_models(dataset.task, names)
    size = design.sizes[-1]
    splits = [Split(design.n_train, size, seed) for seed in range(design.n_seeds)]
    main_process = os.getpid()
    tasks = [(split, name) for split in splits for name in models]
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator")
    scorings = scorings_of(dataset.task, design.scoring)
    results = parallel(
        joblib.delayed(_judge)(dataset, split, models[name], scorings, main_process)
        for split, name in tasks
    )
    scores, pairs = [], []
    with progress_bar(progress, "model", "model", [1] * len(tasks)) as update:
        for (split, name), (measures, counts) in zip(tasks, results, strict=True):
            scores.append({"model": name, "seed": split.seed, **measures})
            pairs.append(counts.assign(model=name))
            update(1)
    return ModelResults(pd.DataFrame(scores), _sum_counts(dataset.task, pairs))


def _sum_counts(task: Task, pairs: list[pd.DataFrame]) -> pd.DataFrame | None:
    if task != CLASSES:
        return None
    keys = ["model", "true", "predicted"]
    together = pd.concat(pairs).groupby(keys, sort=False)["count"]
    return together.sum().reset_index()


def _judge(
    dataset: Dataset,
    split: Split,
    model: Any,
    scorings: Sequence[str],
    main_process: int,
) -> tuple[dict[str, float], pd.DataFrame]:
    if os.getpid() != main_process:  # the main process ends the workers
        signal(SIGINT, SIG_IGN)
    train, test = split_rows(dataset, split)
    model = clone(model)
    if "random_state" in model.get_params():
        model.set_params(random_state=split.seed)
    pipeline = make_pipeline(clone(dataset.transformer), model)
    y, y_test = dataset.y.iloc[train], dataset.y.to_numpy()[test]
    with catch_warnings(action="ignore"):  # of epochs that end, above all
        started = perf_counter()
        pipeline.fit(dataset.X.iloc[train], y)
        seconds = perf_counter() - started
        labels = order_labels(dataset.task, dataset.y)
        predictions = predict(pipeline, dataset.X.iloc[test], labels)
    measures = measure(y_test, predictions, scorings, labels)
    pairs = count_pairs(y_test, predictions.predicted)
    return {**measures, "seconds": seconds}, pairs
