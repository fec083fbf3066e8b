"""Ways to choose exemplars, and metrics, on tables of numbers.

    python benchmarks/choices.py exemplars --data FOLDER
    python benchmarks/choices.py metrics --data FOLDER
    python benchmarks/choices.py lvq --data FOLDER

The tables have means over scikit-learn's four data sets and the CSV files in ``--data``
(no header, label in the last column; at most 2,000 training rows, standardized): the test
accuracy of the nearest exemplar; with 30 exemplars, that of the network after 5 epochs in
batches of 32; the number of exemplars; and the seconds to calculate the untrained
network. The table of the constants of learning vector quantization has the accuracy of
the nearest exemplar only.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from datasets import SOURCE, split, tables
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import NeighborhoodComponentsAnalysis

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.exemplars import lvq

MOST_ROWS = 2000
EXEMPLARS = {
    f"{method}{', auto' if count == 'auto' else ''}": {
        "exemplars": method,
        "n_exemplars": count,
    }
    for count in (30, "auto")
    for method in ("random", "kmedoids", "kmeans", "condensed", "lvq")
}
METRICS: dict[str, dict[str, Any]] = {
    f"{name}, {method}": {"metric": metric, "exemplars": method}
    for method in ("kmeans", "lvq")
    for name, metric in {
        "sqeuclidean": "sqeuclidean",
        "mahalanobis": "mahalanobis",
        "cosine": "cosine",
        "PCA (half)": PCA(0.5),
        "LDA": LinearDiscriminantAnalysis(),
        "NCA": NeighborhoodComponentsAnalysis(max_iter=30, random_state=0),
    }.items()
}

LVQ = [
    {"PASSES": passes, "RATE": rate, "TEMPERATURE": temperature}
    for passes, rate in ((3, 0.5), (10, 0.2), (10, 0.5), (10, 1.0), (30, 0.5))
    for temperature in (0.1, 0.2, 0.4, 0.8, 1.6)
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=["exemplars", "metrics", "lvq"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    if options.table == "lvq":
        print(lvq_table(options).to_string(float_format="{:.4f}".format))
        return
    choices = EXEMPLARS if options.table == "exemplars" else METRICS
    records = [
        {
            "data": name,
            options.table: choice,
            **outcome(split(X, y, s, MOST_ROWS), s, **c),
        }
        for name, X, y in tables(options.data)
        for s in range(options.seeds)
        for choice, c in choices.items()
    ]
    frame = pd.DataFrame(records).drop(columns="data")
    mean = frame.groupby(options.table, sort=False).mean()
    print(mean.to_string(float_format="{:.3f}".format, na_rep="-"))


def lvq_table(options: argparse.Namespace) -> pd.DataFrame:
    """Return the nearest-exemplar accuracy by temperature, rate and passes."""
    records = []
    for _, X, y in tables(options.data):
        for seed in range(options.seeds):
            X_train, y_train, X_test, y_test = split(X, y, seed, MOST_ROWS)
            for constants in LVQ:
                clf = MetricInitMLPClassifier(
                    exemplars="lvq",
                    activation="step",
                    max_iter=0,
                    random_state=seed,
                    **SOURCE,
                )
                with patch.multiple(lvq, **constants):
                    clf.fit(X_train, y_train)
                records.append({**constants, "accuracy": clf.score(X_test, y_test)})
    frame = pd.DataFrame(records).groupby(list(LVQ[0]))["accuracy"]
    return frame.mean().unstack("TEMPERATURE")


def outcome(
    problem: tuple[np.ndarray, ...], seed: int, **choice: Any
) -> dict[str, float]:
    X, y, X_test, y_test = problem
    settings = {"random_state": seed, "max_iter": 0, "batch_size": 32, **SOURCE, **choice}
    started = perf_counter()
    nearest = MetricInitMLPClassifier(activation="step", **settings).fit(X, y)
    seconds = perf_counter() - started
    outcome = {"nearest": nearest.score(X_test, y_test)}
    is_chosen = choice.get("n_exemplars") == "auto"
    for activation in () if is_chosen else ("relu", "logistic"):
        clf = MetricInitMLPClassifier(activation=activation, **settings).fit(X, y)
        for _ in range(5):
            clf.partial_fit(X, y)
        outcome[f"{activation}, 5 epochs"] = clf.score(X_test, y_test)
    return {**outcome, "N": nearest.n_exemplars_, "seconds": seconds}


if __name__ == "__main__":
    main()
