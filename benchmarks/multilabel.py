"""Several labels for each row: made data and scikit-learn's, beside other models.

    python benchmarks/multilabel.py --splits 5

The data are two of ``make_multilabel_classification``, with 5 and with 20 labels, and two
real ones: the digits with five properties that a digit has or has not, and diabetes with
the progression above each of its quartiles. Half of the rows are test data. The tables
have, in the mean over the splits, the share of rows all labels of which are right, the
macro F1, the log loss of a label, and the time of ``fit`` over that of ``MLPClassifier``
on the same split.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_diabetes,
    load_digits,
    make_multilabel_classification,
)
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skmetricmlp import MetricInitMLPClassifier

# Even, prime, with a loop, above four, and the one.
PROPERTIES = ((0, 2, 4, 6, 8), (2, 3, 5, 7), (0, 6, 8, 9), (5, 6, 7, 8, 9), (1,))
LEAST = 1e-6  # of a probability, as a forest and neighbors may say 0


def problems() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return X and an indicator by name."""
    X, digits = load_digits(return_X_y=True)
    rows, progression = load_diabetes(return_X_y=True)
    quartiles = np.quantile(progression, [0.25, 0.5, 0.75])
    made = {"n_samples": 1000, "n_features": 20, "n_labels": 2, "random_state": 0}
    return {
        "made, 5 labels": make_multilabel_classification(n_classes=5, **made),
        "made, 20 labels": make_multilabel_classification(n_classes=20, **made),
        "digits": (X / 16, _indicator([np.isin(digits, of) for of in PROPERTIES])),
        "diabetes": (rows, _indicator([progression > least for least in quartiles])),
    }


def _indicator(columns: list[np.ndarray]) -> np.ndarray:
    return np.stack(columns, axis=1).astype(int)


def models(seed: int) -> dict[str, Any]:
    """Return the models by name."""
    ours = MetricInitMLPClassifier(random_state=seed)
    untrained = MetricInitMLPClassifier(max_iter=0, random_state=seed)
    return {
        "MLPClassifier": _scaled(MLPClassifier(random_state=seed)),
        "calculated and trained, `fit(X, y)`": ours,
        "calculated, `max_iter=0`": untrained,
        "one network for each label, `max_iter=0`": MultiOutputClassifier(untrained),
        "random forest": RandomForestClassifier(random_state=seed),
        "5 nearest neighbors": _scaled(KNeighborsClassifier()),
    }


def _scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def probabilities(model: Any, X: np.ndarray) -> np.ndarray:
    """Return the probability (n, n_labels) of each label.

    Some models have a list of those of the classes 0 and 1, or of the only one.
    """
    p = model.predict_proba(X)
    if not isinstance(p, list):
        return p
    pairs = zip(p, model.classes_, strict=True)
    return np.stack([of[:, classes == 1].sum(axis=1) for of, classes in pairs], axis=1)


def measured(model: Any, data: list[np.ndarray]) -> dict[str, float]:
    """Fit a model, and judge it by the test data."""
    X, X_test, y, y_test = data
    start = perf_counter()
    model.fit(X, y)
    seconds = perf_counter() - start
    p = probabilities(model, X_test).clip(LEAST, 1 - LEAST)
    found = model.predict(X_test)
    losses = y_test * np.log(p) + (1 - y_test) * np.log1p(-p)
    return {
        "all labels right": float(np.mean((found == y_test).all(axis=1))),
        "macro F1": float(f1_score(y_test, found, average="macro", zero_division=0)),
        "log loss": -float(losses.mean()),
        "time": seconds,
    }


def table(X: np.ndarray, y: np.ndarray, n_splits: int) -> pd.DataFrame:
    """Return the means over the splits, a row for each model."""
    records = []
    for seed in range(n_splits):
        data = train_test_split(X, y, test_size=0.5, random_state=seed)
        records += [
            {"model": name, "split": seed, **measured(model, data)}
            for name, model in models(seed).items()
        ]
    frame = pd.DataFrame.from_records(records)
    frame["time"] /= frame.groupby("split")["time"].transform("first")
    return frame.groupby("model", sort=False).mean().drop(columns="split")


def main(show: Callable[[str], None] = print) -> None:
    """Print a table for each problem."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=5)
    n_splits = parser.parse_args().splits
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for name, (X, y) in problems().items():
            show(f"{name}: {X.shape[0]} rows, {X.shape[1]} features, {y.shape[1]} labels")
            show(table(X, y, n_splits).round(3).to_string())


if __name__ == "__main__":
    main()
