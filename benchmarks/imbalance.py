"""A rare class: weights, thresholds, and how far probabilities can be trusted.

    python benchmarks/imbalance.py
    python benchmarks/imbalance.py --data FOLDER

The data are 6,000 rows made by scikit-learn, with 6 % in the rare class, and
``mammography.csv`` if it is in ``--data`` (no header, label in the last column). Half of
the rows are for training. The table has means over the splits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from datasets import tables
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    log_loss,
    precision_score,
    recall_score,
)
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--splits", type=int, default=3)
    options = parser.parse_args()
    for name, X, y in problems(options.data):
        records = [
            {"model": model, **scores(clf, X, y, seed)}
            for seed in range(options.splits)
            for model, clf in models(seed).items()
        ]
        frame = pd.DataFrame(records).groupby("model", sort=False).mean()
        print(f"{name}, {y.mean():.1%} in the rare class:")
        print(frame.to_string(float_format="{:.3f}".format), "\n", flush=True)


def problems(folder: Path | None) -> Iterator[tuple[str, NDArray, NDArray]]:
    yield (
        "made data",
        *make_classification(
            6000,
            n_informative=6,
            n_clusters_per_class=3,
            weights=[0.95],
            flip_y=0.02,
            random_state=0,
        ),
    )
    for name, X, y in tables(folder) if folder else ():
        if name == "mammography":
            yield name, X, (y == y.max()).astype(int)


def models(seed: int) -> dict[str, ClassifierMixin]:
    untrained = MetricInitMLPClassifier(max_iter=0, random_state=seed)
    balanced = MetricInitMLPClassifier(
        class_weight="balanced", max_iter=0, random_state=seed
    )
    return {
        "fit": MetricInitMLPClassifier(random_state=seed),
        "max_iter=0": untrained,
        "max_iter=0, tuned threshold": TunedThresholdClassifierCV(
            untrained, random_state=seed
        ),
        "max_iter=0, class_weight": balanced,
        "random forest": RandomForestClassifier(random_state=seed),
        "boosting": HistGradientBoostingClassifier(random_state=seed),
        "boosting, tuned threshold": TunedThresholdClassifierCV(
            HistGradientBoostingClassifier(random_state=seed), random_state=seed
        ),
        "boosting, class_weight": HistGradientBoostingClassifier(
            class_weight="balanced", random_state=seed
        ),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "MLPClassifier": make_pipeline(
            StandardScaler(), MLPClassifier(random_state=seed)
        ),
    }


def scores(clf: ClassifierMixin, X: NDArray, y: NDArray, seed: int) -> dict[str, float]:
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    clf.fit(X_train, y_train)
    predicted, p = clf.predict(X_test), clf.predict_proba(X_test)[:, 1]
    return {
        "balanced accuracy": balanced_accuracy_score(y_test, predicted),
        "recall": recall_score(y_test, predicted),
        "precision": precision_score(y_test, predicted),
        "average precision": average_precision_score(y_test, p),
        "Brier": brier_score_loss(y_test, p),
        "log loss": log_loss(y_test, p),
    }


if __name__ == "__main__":
    main()
