"""Other models on the same splits: whether to use this network at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from signal import SIG_IGN, SIGINT, signal
from time import perf_counter
from typing import Any
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
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from skmetricmlp.study.data import Dataset
from skmetricmlp.study.design import FITTED, Design
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.runs import Split, split_rows
from skmetricmlp.study.tasks import CLASSES, Task

__all__ = ["OURS", "RIVALS", "check_rivals", "compare_models", "fitted_models"]

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
) -> pd.DataFrame:
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

    Returns
    -------
    pandas.DataFrame
        One row per model and split, with the columns ``model``, ``seed``, the measures
        and ``seconds`` of the fit. For classes the measures are ``accuracy``,
        ``balanced accuracy`` and ``log loss``; for values ``r2``, ``rmse`` and ``mae``.
    """
    models = fitted_models(dataset.task, names)
    size = design.sizes[-1]
    splits = [Split(design.n_train, size, seed) for seed in range(design.n_seeds)]
    main_process = os.getpid()
    rows = joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(_judge)(dataset, split, name, model, main_process)
        for split in splits
        for name, model in models.items()
    )
    return pd.DataFrame(rows)


def _judge(
    dataset: Dataset, split: Split, name: str, model: Any, main_process: int
) -> dict[str, Any]:
    if os.getpid() != main_process:  # the main process ends the workers
        signal(SIGINT, SIG_IGN)
    train, test = split_rows(dataset, split)
    model = clone(model)
    if "random_state" in model.get_params():
        model.set_params(random_state=split.seed)
    pipeline = make_pipeline(clone(dataset.transformer), model)
    y, y_test = dataset.y.iloc[train], dataset.y.iloc[test].to_numpy()
    with catch_warnings(action="ignore"):  # of epochs that end, above all
        started = perf_counter()
        pipeline.fit(dataset.X.iloc[train], y)
        seconds = perf_counter() - started
        measures = _measures(dataset, pipeline, test, y_test)
    return {"model": name, "seed": split.seed, **measures, "seconds": seconds}


def _measures(
    dataset: Dataset, pipeline: Any, test: Any, y_test: Any
) -> dict[str, float]:
    X_test = dataset.X.iloc[test]
    predicted = pipeline.predict(X_test)
    if dataset.task != CLASSES:
        return {
            "r2": float(r2_score(y_test, predicted)),
            "rmse": float(root_mean_squared_error(y_test, predicted)),
            "mae": float(mean_absolute_error(y_test, predicted)),
        }
    known = np.isin(y_test, pipeline.classes_)
    p = pipeline.predict_proba(X_test)[known]
    return {
        "accuracy": float(accuracy_score(y_test, predicted)),
        "balanced accuracy": float(balanced_accuracy_score(y_test, predicted)),
        "log loss": float(log_loss(y_test[known], p, labels=pipeline.classes_)),
    }
