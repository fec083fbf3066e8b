"""Recall of two digits that the first batch of ``partial_fit`` lacks.

    python benchmarks/late_classes.py [--seeds 3]

The data are scikit-learn's digits in batches of about 260 rows. The table has the recall
of 3 and 8, and of the other digits, on test data after several numbers of epochs. In the
rows "lacks" the first batch has no 3 and no 8. A network with random weights and
scikit-learn's ``MLPClassifier`` are included for comparison.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skmetricmlp import MetricInitMLPClassifier

LATE = [3, 8]
EPOCHS = (0, 1, 2, 5, 10)
N_FIRST, N_BATCHES = 300, 4
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "n_neighbors=1": {"n_neighbors": 1},
    "n_neighbors=3": {"n_neighbors": 3},
    "random weights": {"init": "random"},
}
NETWORKS: dict[str, Callable[[int], Any]] = {
    **{
        name: lambda seed, settings=settings: MetricInitMLPClassifier(
            random_state=seed, **settings
        )
        for name, settings in SETTINGS.items()
    },
    "MLPClassifier": lambda seed: MLPClassifier(1370, random_state=seed),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    rows = [
        {"network": name, "first batch": first, **found}
        for name in NETWORKS
        for first in ("lacks 3 and 8", "has all")
        for seed in range(parser.parse_args().seeds)
        for found in recalls(NETWORKS[name](seed), seed, lacks=first != "has all")
    ]
    table = pd.DataFrame(rows).pivot_table(
        index=["network", "first batch"],
        columns="epoch",
        values=["3 and 8", "others"],
        sort=False,
    )
    print(table.round(3).to_string())


def recalls(clf: Any, seed: int, *, lacks: bool) -> Iterator[dict[str, float]]:
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=seed, stratify=y)
    usable = np.flatnonzero(~np.isin(y, LATE)) if lacks else np.arange(len(y))
    first = usable[:N_FIRST]
    rest = np.setdiff1d(np.arange(len(y)), first)
    clf.partial_fit(X[first], y[first], classes=np.arange(10))
    for epoch in range(max(EPOCHS) + 1):
        if epoch:
            for batch in (*np.array_split(rest, N_BATCHES), first):
                clf.partial_fit(X[batch], y[batch])
        if epoch in EPOCHS:
            recall = recall_score(y_test, clf.predict(X_test), average=None)
            yield {
                "epoch": epoch,
                "3 and 8": recall[LATE].mean(),
                "others": np.delete(recall, LATE).mean(),
            }


if __name__ == "__main__":
    main()
