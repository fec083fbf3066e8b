"""The default settings beside the usual classifiers, on tables.

    python benchmarks/tabular.py --data FOLDER
    python benchmarks/tabular.py --data FOLDER --batch-size 32
    python benchmarks/tabular.py --data FOLDER --labels 5 10 20 50

``--data`` is a folder of CSV files without a header and with the label in the last
column; scikit-learn's four data sets are used too. All models have their default settings
and the same splits. They are calculated weights (``metric``), random weights in the same
architecture (``random``), MLPClassifier with its 100 units and with as many as the
others, 1-NN over the exemplars of ``metric``, and three that are not trained in epochs.
The networks are tested after 0, 1, 5, 20 and 50 epochs of one run, and once more where
early stopping ends (``stop``). ``--labels`` limits the training rows per class.
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
from datasets import Problem, few, split, tables
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skmetricmlp import MetricInitMLPClassifier

EPOCHS = (0, 1, 5, 20, 50)
OURS, PEERS = "metric", ("random", "MLP 100", "MLP same")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2000, help="training rows at most")
    parser.add_argument("--labels", type=int, nargs="*", help="training rows per class")
    parser.add_argument("--batch-size", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--csv", type=Path, help="write all single results there")
    options = parser.parse_args()
    results = pd.concat(
        {labels or "all": run(labels, options) for labels in options.labels or [None]},
        names=["labels"],
    ).reset_index("labels")
    if options.csv:
        results.to_csv(options.csv, index=False)
    for labels, part in results.groupby("labels", sort=False):
        print(f"\n=== labeled rows per class: {labels} ===")
        report(part)


def run(labels: int | None, options: argparse.Namespace) -> pd.DataFrame:
    """Return the results of all models on all data sets and splits."""
    jobs = (
        delayed(judge)(name, seed, few(problem, labels), options.batch_size, labels)
        for name, X, y in tables(options.data)
        for seed in range(options.seeds)
        for problem in [split(X, y, seed, options.rows)]
    )
    return pd.DataFrame(chain.from_iterable(Parallel(n_jobs=options.jobs)(jobs)))


def judge(
    name: str, seed: int, problem: Problem, batch_size: int, labels: int | None
) -> list[dict[str, Any]]:
    """Return accuracy and log loss of all models on the test data of one split."""
    warnings.simplefilter("ignore")  # of few epochs, and of small batches
    with threadpool_limits(1):
        return [
            {"data": name, "seed": seed, "model": model, "epoch": epoch, **result}
            for model, epoch, result in results_of(problem, seed, batch_size, labels)
        ]


def results_of(
    problem: Problem, seed: int, batch_size: int, labels: int | None
) -> Iterator[tuple[str, Any, dict[str, float]]]:
    """Yield model, epoch (or a label in its place) and results."""
    X, y, *_ = problem
    least = np.unique_counts(y).counts.min()
    common = {"random_state": seed, "batch_size": min(batch_size, len(X))}
    metric = MetricInitMLPClassifier(**common, max_iter=0).fit(X, y)
    width = len(metric.intercepts_[0])
    learners = {
        OURS: metric,
        "random": MetricInitMLPClassifier("random", **common, max_iter=0).fit(X, y),
        "MLP 100": MLPClassifier(**common),
        "MLP same": MLPClassifier(hidden_layer_sizes=width, **common),
    }
    nearest = KNeighborsClassifier(1).fit(metric.exemplars_, metric.exemplar_labels_)
    yield "1-NN exemplars", "-", results(nearest, problem)
    for model, clf in learners.items():
        for epoch in range(max(EPOCHS) + 1):
            if epoch:
                clf.partial_fit(X, y, classes=None if epoch > 1 else np.unique(y))
            if epoch in EPOCHS and (epoch or model in {OURS, "random"}):
                yield model, epoch, results(clf, problem)
        if labels is None and least > 1:  # otherwise there is too little validation data
            stopping = clf.set_params(early_stopping=True, max_iter=200)
            yield model, "stop", results(stopping.fit(X, y), problem)
    for model, other in {
        "k-NN": KNeighborsClassifier(min(5, len(X))),
        "logistic regression": LogisticRegression(max_iter=1000),
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed),
    }.items():
        yield model, "-", results(other.fit(X, y), problem)


def results(clf: Any, problem: Problem) -> dict[str, float]:
    """Return accuracy and log loss on the test data."""
    X_test, y_test = problem[2:]
    p = clf.predict_proba(X_test)
    known = np.isin(y_test, clf.classes_)
    loss = log_loss(y_test[known], p[known], labels=clf.classes_)
    accuracy = float(np.mean(clf.classes_[p.argmax(axis=1)] == y_test))
    return {"accuracy": accuracy, "log loss": float(loss)}


def report(part: pd.DataFrame) -> None:
    """Print means, ranks, the spread over the splits, and the lead on each data set."""
    epochs = list(part["epoch"].unique())
    order = {"index": part["model"].unique(), "columns": sorted(epochs, key=str)}
    order["columns"] = [e for e in (*EPOCHS, "stop", "-") if e in epochs]
    for measure in ("accuracy", "log loss"):
        print(f"\nmean {measure} over {part['data'].nunique()} sets, after epoch")
        show(part.pivot_table(measure, "model", "epoch").reindex(**order))
    by_set = part.groupby(["data", "model", "epoch"])["accuracy"]
    print("\nspread: deviation of the accuracy over the splits, mean over the sets")
    show(by_set.std().groupby(["model", "epoch"]).mean().unstack().reindex(**order))
    last = "stop" if "stop" in epochs else max(EPOCHS)
    mean = by_set.mean().unstack("epoch")
    final = mean[last].fillna(mean["-"]).unstack("model")[order["index"]]
    ranks = final.rank(axis=1, ascending=False).mean().sort_values()
    print(f"\nmean rank by accuracy over the sets, after epoch {last}")
    print(ranks.to_string(float_format="{:.2f}".format))
    curves = mean.drop(columns="-").unstack("model")
    for epoch in [e for e in order["columns"] if e not in {0, "-"}]:
        ahead = curves[epoch][OURS] - curves[epoch][list(PEERS)].max(axis=1)
        print(
            f"\nepoch {epoch}: {OURS} less the best of {', '.join(PEERS)}, by set: "
            f"mean {ahead.mean():+.3f}, least {ahead.min():+.3f} ({ahead.idxmin()}), "
            f"ahead or level on {(ahead >= 0).sum()} of {len(ahead)}"
        )


def show(table: pd.DataFrame) -> None:
    """Print a table of means."""
    print(table.to_string(float_format="{:.3f}".format, na_rep="-"))


if __name__ == "__main__":
    main()
