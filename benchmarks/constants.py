"""Accuracy before and after training for several values of ``sharpness``.

    python benchmarks/constants.py

The table has the mean test accuracy over scikit-learn's four data sets (iris, wine,
digits, breast cancer; standardized) and seeds. The networks have n_neighbors of 1 or 3,
and otherwise default settings. They are tested before training and after 5 and 20 epochs,
beside k-nearest neighbors over the same exemplars, and beside the same architecture with
random weights.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from datasets import split, tables
from sklearn.neighbors import KNeighborsClassifier

from skmetricmlp import MetricInitMLPClassifier

SHARPNESS = (0.25, 0.5, 1.0, 2.0, 4.0, 100.0)
EPOCHS = (0, 5, 20)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    problems = [
        split(X, y, seed) for _, X, y in tables() for seed in range(options.seeds)
    ]
    records = []
    for k in (1, 3):
        for activation in ("relu", "logistic", "tanh"):
            common = dict(
                n_neighbors=k, activation=activation, batch_size=options.batch_size
            )
            starts = {"random": dict(init="random")}
            starts |= {f"sharpness {s:g}": dict(sharpness=s) for s in SHARPNESS}
            for name, start in starts.items():
                rows = [learning_curve(p, **common, **start) for p in problems]
                records.append((k, activation, name, *np.mean(rows, axis=0)))
    columns = ["k", "activation", "start", "k-NN", *(f"epoch {e}" for e in EPOCHS)]
    table = pd.DataFrame(records, columns=columns).set_index(columns[:3])
    print(table.to_string(float_format="{:.4f}".format, na_rep="-"))


def learning_curve(problem: tuple[np.ndarray, ...], **settings) -> list[float]:  # noqa: ANN003
    """Return the accuracy of k-NN over the exemplars, if any, and that of the network."""
    X, y, X_test, y_test = problem
    clf = MetricInitMLPClassifier(max_iter=0, random_state=0, **settings)
    clf.fit(X, y)
    accuracies = [np.nan]
    if hasattr(clf, "exemplars_"):
        neighbors = KNeighborsClassifier(settings["n_neighbors"])
        neighbors.fit(clf.exemplars_, clf.exemplar_labels_)
        accuracies = [neighbors.score(X_test, y_test)]
    for epoch in range(max(EPOCHS) + 1):
        if epoch:
            clf.partial_fit(X, y)
        if epoch in EPOCHS:
            accuracies.append(clf.score(X_test, y_test))
    return accuracies


if __name__ == "__main__":
    main()
