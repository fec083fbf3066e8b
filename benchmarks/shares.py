"""Ways to divide exemplars among unbalanced classes.

    python benchmarks/shares.py --data FOLDER

The table has the accuracy and the balanced accuracy of the nearest of 30 k-means
exemplars, on data sets of scikit-learn and the CSV files in ``--data`` (no header, label
in the last column). Shares are equal, by the square root of the class weights as in the
classifier, or proportional. Classes with fewer than four rows are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import split, tables
from sklearn.metrics import balanced_accuracy_score

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.exemplars.apportionment import share_exemplars

POWERS = {"equal": 0.0, "square root": 1.0, "proportional": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=4)
    options = parser.parse_args()
    records = []
    for name, X, y in tables(options.data):
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


def score(problem: tuple[np.ndarray, ...], power: float, seed: int) -> dict[str, float]:
    X, y, X_test, y_test = problem
    sizes = np.bincount(y)
    counts = share_exemplars(30, sizes**power, sizes)
    clf = MetricInitMLPClassifier(
        n_exemplars=dict(enumerate(counts.tolist())),
        n_neighbors=1,
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
