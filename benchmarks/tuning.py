"""What each parameter of the start is worth, and what it costs.

    python benchmarks/tuning.py

Cross-validated loss of networks without a gradient step, on data that come with
scikit-learn: log loss with classes, root mean squared error with values. One parameter
differs from its default. Losses and processor times of fits are ratios to the default;
``time`` is the geometric mean over the data.

The second table is of a grid search with three folds, in one half of the data. It has the
loss in the other half, for the default and for the best of 24 combinations.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
)
from sklearn.metrics import get_scorer, log_loss, root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    train_test_split,
)

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

GRID = {
    "n_conjunctions": [0, 2, 4],
    "n_comparisons": [200, 400, 1600],
    "max_features": [None, 1, 3],
    "metric": ["sqeuclidean", "mahalanobis"],
    "n_exemplars": [10, 100],
    "activation": ["logistic", "tanh"],
    "n_neighbors": [1],
}
SEARCH = {
    "activation": ["relu", "logistic"],
    "n_conjunctions": [0, 1, 4],
    "max_features": ["mixed", 1],
    "n_exemplars": [30, 100],
}


def main() -> None:
    columns = {}
    for name, estimator, X, y in problems():
        default = measured(estimator, X, y)
        columns[name] = {
            (key, str(value)): measured(estimator, X, y, **{key: value}) / default
            for key, values in GRID.items()
            for value in values
        }
    ratios = pd.DataFrame(columns)
    table = ratios.map(lambda ratio: ratio[0])
    times = ratios.map(lambda ratio: ratio[1])
    table["mean"] = np.exp(np.log(table).mean(axis=1))
    table["time"] = np.exp(np.log(times).mean(axis=1))
    print(table.to_string(float_format="{:.2f}".format))

    print("\nsearch, half of the data for training:")
    rows = [
        {"data": name, **searched(estimator, X, y, seed)}
        for name, estimator, X, y in problems()
        for seed in range(3)
    ]
    means = pd.DataFrame(rows).groupby("data", sort=False).mean()
    means["ratio"] = means["searched"] / means["default"]
    print(means.to_string(float_format="{:.3f}".format))


def problems() -> Iterator[tuple[str, Any, np.ndarray, np.ndarray]]:
    digits, labels = load_digits(return_X_y=True)
    few = np.random.default_rng(0).permutation(len(labels))[:400]
    yield "400 digits", MetricInitMLPClassifier, digits[few], labels[few]
    yield (
        "breast cancer",
        MetricInitMLPClassifier,
        *load_breast_cancer(return_X_y=True),
    )
    yield "wine", MetricInitMLPClassifier, *load_wine(return_X_y=True)
    yield "diabetes", MetricInitMLPRegressor, *load_diabetes(return_X_y=True)
    made = make_friedman1(1000, noise=1.0, random_state=0)
    yield "friedman1", MetricInitMLPRegressor, *made


def searched(estimator: Any, X: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Return the loss of the default and of the best of ``SEARCH`` in the other half."""
    model = estimator(max_iter=0, random_state=seed)
    strata = y if is_classifier(model) else None
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=strata, random_state=seed
    )
    name = f"neg_{'log_loss' if is_classifier(model) else 'root_mean_squared_error'}"
    search = GridSearchCV(model, SEARCH, scoring=name, cv=3).fit(X_train, y_train)
    score = get_scorer(name)
    return {
        "default": -score(model.fit(X_train, y_train), X_test, y_test),
        "searched": -score(search, X_test, y_test),
    }


def measured(estimator: Any, X: np.ndarray, y: np.ndarray, **settings: Any) -> np.ndarray:
    """Return the loss of five folds and the processor time of their fits."""
    model = estimator(max_iter=0, random_state=0, **settings)
    folds = StratifiedKFold if is_classifier(model) else KFold
    losses, seconds = [], 0.0
    for train, test in folds(5, shuffle=True, random_state=0).split(X, y):
        start = time.process_time()
        model.fit(X[train], y[train])
        seconds += time.process_time() - start
        if is_classifier(model):
            losses.append(log_loss(y[test], model.predict_proba(X[test])))
        else:
            losses.append(root_mean_squared_error(y[test], model.predict(X[test])))
    return np.array([np.mean(losses), seconds])


if __name__ == "__main__":
    main()
