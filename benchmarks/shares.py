"""How to share exemplars out among unbalanced classes.

    python benchmarks/shares.py --data FOLDER

Accuracy and balanced accuracy of the nearest of 30 k-means exemplars, on data sets of
scikit-learn and the CSV files in ``--data`` (no header, label in the last column).
Shares are equal, by the square root of the class weights as in the classifier, or
proportional. Classes of fewer than four rows are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.initialization.exemplars import share_exemplars

LOADERS = (load_iris, load_wine, load_digits, load_breast_cancer)
LEAST_ROWS, MOST_CLASSES = 4, 26
POWERS = {"equal": 0.0, "square root": 1.0, "proportional": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=4)
    options = parser.parse_args()
    records = []
    for name, X, y in data_sets(options.data):
        for seed in range(options.splits):
            problem = split(X, y, seed)
            records += [
                {"data": name, "shares": shares, **score(problem, power, seed)}
                for shares, power in POWERS.items()
            ]
    frame = pd.DataFrame(records)
    table = frame.groupby(["data", "shares"], sort=False).mean().unstack("shares")
    table.loc["mean"] = table.mean()
    print(table.to_string(float_format="{:.3f}".format))


def data_sets(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for load in LOADERS:
        yield load.__name__.removeprefix("load_"), *load(return_X_y=True)
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, header=None, sep=None, engine="python").dropna()
        y = frame.iloc[:, -1].astype(str)
        frame = frame[y.map(y.value_counts()) >= LEAST_ROWS]
        codes, labels = pd.factorize(y[frame.index])
        if len(labels) <= MOST_CLASSES:
            features = pd.get_dummies(frame.iloc[:, :-1]).to_numpy(float)
            yield path.stem, features, codes


def split(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=seed
    )
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), y_train, scaler.transform(X_test), y_test


def score(problem: tuple[np.ndarray, ...], power: float, seed: int) -> dict[str, float]:
    X, y, X_test, y_test = problem
    sizes = np.bincount(y)
    counts = share_exemplars(30, sizes**power, sizes)
    clf = MetricInitMLPClassifier(
        n_exemplars=dict(enumerate(counts.tolist())),
        activation="step",
        max_iter=0,
        random_state=seed,
    )
    predicted = clf.fit(X, y).predict(X_test)
    return {
        "accuracy": float(np.mean(predicted == y_test)),
        "balanced": float(balanced_accuracy_score(y_test, predicted)),
    }


if __name__ == "__main__":
    main()
