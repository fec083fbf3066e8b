"""What each part of the default start is worth: one setting changed at a time.

    python benchmarks/ablations.py --data FOLDER
    python benchmarks/ablations.py --data FOLDER --labels 10
    python benchmarks/ablations.py --mnist mnist.npz --rows 1000

``--data`` is a folder of CSV files without a header and with the label in the last
column; scikit-learn's four data sets are used too. ``--mnist`` is an .npz file (see
mnist.py), from which rows are drawn. The table has the mean accuracy and log loss on the
test data after several numbers of epochs in batches of 200.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import Problem, few, mnist, split, tables
from joblib import Parallel, delayed
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from skmetricmlp import MetricInitMLPClassifier

EPOCHS = (0, 1, 5, 20)


def variants(y: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the settings of each variant by name."""
    return {
        "default": {},
        "no conjunctions": {"n_comparisons": 1599, "n_conjunctions": 0},
        "320 comparisons, 4 conjunctions": {"n_comparisons": 320, "n_conjunctions": 4},
        "200 comparisons": {"n_comparisons": 200},
        "on all features": {"max_features": None},
        "on one feature": {"max_features": 1},
        "random units, fitted": {"init": "random", "output_init": "ridge"},
        "10 exemplars per class": {"n_exemplars": dict.fromkeys(np.unique(y), 10)},
        "exemplars of lvq": {"exemplars": "lvq"},
        "logistic units": {"activation": "logistic"},
        "rate 1e-3": {"learning_rate_init": 1e-3},
        "rate 1e-4": {"learning_rate_init": 1e-4},
        "output by logistic regression": {"output_init": "logistic"},
        "votes of exemplars": {"n_neighbors": 1},
        "tanh units": {"activation": "tanh"},
        "random": {"init": "random"},
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1500, help="training rows at most")
    parser.add_argument("--labels", type=int, help="training rows per class")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    jobs = (delayed(curves)(*problem) for problem in problems(options))
    points = pd.DataFrame(chain.from_iterable(Parallel(n_jobs=options.jobs)(jobs)))
    means = points.groupby(["start", "epoch"], sort=False).mean().unstack("epoch")
    print(means.to_string(float_format="{:.3f}".format))


def problems(options: argparse.Namespace) -> Iterator[tuple[Problem, int]]:
    """Yield training and test data, and a seed."""
    if options.mnist:
        X, y, *test = mnist(options.mnist)
        for seed in range(options.seeds):
            rng = np.random.default_rng(seed)
            rows = rng.choice(len(X), options.rows, replace=False)
            yield (X[rows], y[rows], *test), seed
    else:
        for _, X, y in tables(options.data):
            for seed in range(options.seeds):
                yield few(split(X, y, seed, options.rows), options.labels), seed


def curves(problem: Problem, seed: int) -> list[dict[str, Any]]:
    """Return accuracy and log loss of all variants on the test data."""
    warnings.simplefilter("ignore")  # of few epochs, and of classes with few rows
    with threadpool_limits(1):
        return [
            {"start": name, **point}
            for name, setting in variants(problem[1]).items()
            for point in learning_curve(problem, random_state=seed, **setting)
        ]


def learning_curve(problem: Problem, **settings: Any) -> Iterator[dict[str, float]]:
    """Yield accuracy and log loss after several numbers of epochs."""
    X, y, X_test, y_test = problem
    counts = settings.get("n_exemplars")
    if counts:  # at most as many as there are distinct rows
        distinct = pd.DataFrame(X).assign(y=y).drop_duplicates()["y"].value_counts()
        settings["n_exemplars"] = {c: min(counts[c], distinct[c]) for c in counts}
    clf = MetricInitMLPClassifier(max_iter=0, **settings).fit(X, y)
    for epoch in range(max(EPOCHS) + 1):
        if epoch:
            clf.partial_fit(X, y)
        if epoch in EPOCHS:
            p = clf.predict_proba(X_test)
            yield {
                "epoch": epoch,
                "accuracy": float(np.mean(clf.classes_[p.argmax(axis=1)] == y_test)),
                "log loss": float(log_loss(y_test, p, labels=clf.classes_)),
            }


if __name__ == "__main__":
    main()
