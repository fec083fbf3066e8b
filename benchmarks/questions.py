"""One table for each question that the source of the method leaves open.

    python benchmarks/questions.py neighbors --data FOLDER
    python benchmarks/questions.py tables --data FOLDER
    python benchmarks/questions.py steps --data FOLDER
    python benchmarks/questions.py counts --mnist mnist.npz
    python benchmarks/questions.py selections --mnist mnist.npz
    python benchmarks/questions.py chamfer --mnist mnist.npz

``--data`` is a folder of CSV files without a header and with the label in the last
column; scikit-learn's four data sets are used too. ``--mnist`` is an .npz file with the
arrays x_train (60000, 28, 28), y_train, x_test (10000, 28, 28) and y_test. The source is
P. Sh. Geidarov, arXiv 2505.23876. The networks are those of the source, with an integer
``n_neighbors``.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import SOURCE, mnist, split, tables
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from skmetricmlp import MetricInitMLPClassifier

Problem = tuple[np.ndarray, ...]
MOST_ROWS = 2000  # training rows of each table


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    table = TABLES[options.table](options)
    print(table.to_string(float_format="{:.3f}".format, na_rep="-"))


def problems(options: argparse.Namespace) -> Iterator[tuple[str, int, Problem]]:
    """Yield name, seed and standardized data of each table."""
    for name, X, y in tables(options.data):
        for seed in range(options.seeds):
            X_train, y_train, *test = split(X, y, seed, MOST_ROWS)
            yield name, seed, (X_train, y_train, *test)


def learning_curve(
    problem: Problem, epochs: tuple[int, ...], **settings: Any
) -> Iterator[dict[str, float]]:
    """Yield scores and losses of the network after several numbers of epochs."""
    X, y, X_test, y_test = problem
    clf = MetricInitMLPClassifier(max_iter=0, **{**SOURCE, **settings}).fit(X, y)
    for epoch in range(max(epochs) + 1):
        if epoch:
            clf.partial_fit(X, y)
        if epoch in epochs:
            p = clf.predict_proba(X_test)
            yield {
                "epoch": epoch,
                "accuracy": float(np.mean(clf.classes_[p.argmax(axis=1)] == y_test)),
                "test loss": float(log_loss(y_test, p, labels=clf.classes_)),
                "training loss": float(log_loss(y, clf.predict_proba(X))),
                "neighbors": _neighbors_score(clf, problem),
            }


def _neighbors_score(clf: MetricInitMLPClassifier, problem: Problem) -> float:
    """Return the accuracy of k-nearest neighbors over the exemplars, if any."""
    if not hasattr(clf, "exemplars_"):
        return np.nan
    neighbors = KNeighborsClassifier(clf.n_neighbors)
    neighbors.fit(clf.exemplars_, clf.exemplar_labels_)
    return float(neighbors.score(*problem[2:]))


def neighbors(options: argparse.Namespace) -> pd.DataFrame:
    """Compare k = 1 (three layers) with 3, 5, 7 (four): mean accuracy over the tables."""
    records = []
    for name, seed, problem in problems(options):
        n = max(30, 2 * len(np.unique(problem[1])))
        for k in (1, 3, 5, 7):
            for activation in ("relu", "logistic"):
                for init in ("metric", "random"):
                    key = {"activation": activation, "init": init, "k": k}
                    records += [
                        {"data": name, **key, **point}
                        for point in learning_curve(
                            problem,
                            (0, 1, 5, 20),
                            init=init,
                            n_exemplars=n,
                            n_neighbors=k,
                            activation=activation,
                            batch_size=32,
                            random_state=seed,
                        )
                    ]
    keys = ["activation", "init", "k"]
    frame = pd.DataFrame(records)
    table = frame.groupby([*keys, "epoch"], sort=False)["accuracy"].mean().unstack()
    k_nn = frame.groupby(keys, sort=False)["neighbors"].mean()
    return table.rename(columns="epoch {}".format).assign(**{"k-NN": k_nn})


def counts(options: argparse.Namespace) -> pd.DataFrame:
    """Compare N = 10 to 200 exemplars on 20,000 rows of MNIST, calculated and random."""
    X, y, X_test, y_test = mnist(options.mnist)
    problem = X[:20000], y[:20000], X_test, y_test
    records = [
        {"exemplars": method, "N": n, "init": init, **point}
        for n in (10, 20, 30, 60, 100, 200)
        for init, method in (("metric", "kmeans"), ("metric", "lvq"), ("random", "-"))
        for point in learning_curve(
            problem,
            (0, 1, 3),
            init=init,
            n_exemplars=n,
            exemplars="kmeans" if method == "-" else method,
            random_state=0,
        )
    ]
    return _by_epoch(records, ["N", "init", "exemplars"], ["accuracy"])


def selections(options: argparse.Namespace) -> pd.DataFrame:
    """Return the spread over 20 samples of 10,000 rows for exemplars and training."""
    X, y, X_test, y_test = mnist(options.mnist)
    records = []
    for seed in range(20):
        rows = np.random.default_rng(seed).choice(len(X), 10000, replace=False)
        problem = X[rows], y[rows], X_test, y_test
        methods = ("random", "kmedoids", "kmeans", "condensed", "lvq", "(random weights)")
        for method in methods:
            start = (
                {"init": "random"} if method.startswith("(") else {"exemplars": method}
            )
            records += [
                {"exemplars": method, **point}
                for point in learning_curve(
                    problem, (0, 1, 3), random_state=seed, **start
                )
            ]
    frame = pd.DataFrame(records)
    accuracy = frame.groupby(["exemplars", "epoch"], sort=False)["accuracy"]
    return accuracy.agg(["mean", "std", "min", "max"]).unstack("epoch")


def chamfer(options: argparse.Namespace) -> pd.DataFrame:
    """Compare metrics before training, with three exemplars per class."""
    X, y, X_test, y_test = mnist(options.mnist)
    metrics: dict[str, dict[str, Any]] = {
        "chamfer": {"metric": "chamfer", "metric_params": {"image_shape": (28, 28)}},
        **{name: {"metric": name} for name in ("sqeuclidean", "cosine", "kl")},
    }
    records = []
    for seed in range(6):
        # As in the source, random exemplars are drawn from the test set.
        sources = {
            "random, of the test set": ("random", X_test, y_test),
            "k-means": ("kmeans", X[:20000], y[:20000]),
            "lvq": ("lvq", X[:20000], y[:20000]),
        }
        for source, (method, rows, labels) in sources.items():
            for name, metric in metrics.items():
                clf = MetricInitMLPClassifier(
                    exemplars=method,
                    n_exemplars=dict.fromkeys(range(10), 3),
                    activation="step",
                    max_iter=0,
                    random_state=seed,
                    **SOURCE,
                    **metric,
                ).fit(rows, labels)
                accuracy = clf.score(X_test, y_test)
                records.append({"from": source, "metric": name, "accuracy": accuracy})
    frame = pd.DataFrame(records).groupby(["from", "metric"], sort=False)["accuracy"]
    return frame.agg(["mean", "min", "max"])


def tables_of_numbers(options: argparse.Namespace) -> pd.DataFrame:
    """Compare on data that are not images: accuracy per table, calculated and random."""
    records = []
    for name, seed, problem in problems(options):
        n = max(30, 2 * len(np.unique(problem[1])))
        starts = {
            "k-means": {"exemplars": "kmeans"},
            "lvq": {"exemplars": "lvq"},
            "random": {"init": "random"},
        }
        for start, setting in starts.items():
            for activation in ("relu", "logistic"):
                records += [
                    {"data": name, "start": f"{start}, {activation}", **point}
                    for point in learning_curve(
                        problem,
                        (0, 5, 20),
                        n_exemplars=n,
                        activation=activation,
                        batch_size=32,
                        random_state=seed,
                        **setting,
                    )
                ]
        records += [
            {"data": name, "start": "MLPClassifier", "epoch": epoch, "accuracy": accuracy}
            for epoch, accuracy in _scikit_learn_curve(problem, seed)
        ]
    frame = pd.DataFrame(records)
    table = frame.groupby(["data", "start", "epoch"], sort=False)["accuracy"].mean()
    table = table.unstack(["start", "epoch"])
    table.loc["mean"] = table.mean()
    return table.T


def _scikit_learn_curve(problem: Problem, seed: int) -> Iterator[tuple[int, float]]:
    X, y, X_test, y_test = problem
    mlp = MLPClassifier(batch_size=min(32, len(X)), random_state=seed)
    for epoch in range(1, 21):
        mlp.partial_fit(X, y, classes=np.unique(y))
        if epoch in {5, 20}:
            yield epoch, float(mlp.score(X_test, y_test))


def steps(options: argparse.Namespace) -> pd.DataFrame:
    """Return the mean log loss on training and test data over the tables, by epoch."""
    records = []
    for name, seed, problem in problems(options):
        n = max(30, 2 * len(np.unique(problem[1])))
        starts = {
            "k-means": {},
            "lvq": {"exemplars": "lvq"},
            "random": {"init": "random"},
        }
        for start, setting in starts.items():
            for activation in ("relu", "logistic"):
                records += [
                    {"data": name, "activation": activation, "start": start, **point}
                    for point in learning_curve(
                        problem,
                        (0, 1, 2, 3, 5, 10, 20, 40),
                        n_exemplars=n,
                        activation=activation,
                        batch_size=32,
                        random_state=seed,
                        **setting,
                    )
                ]
    return _by_epoch(
        records, ["activation", "start"], ["training loss", "test loss", "accuracy"]
    )


def _by_epoch(
    records: list[dict[str, Any]],
    keys: list[str],
    values: list[str],
) -> pd.DataFrame:
    frame = pd.DataFrame(records).groupby([*keys, "epoch"], sort=False)[values]
    return frame.mean().unstack("epoch")


TABLES = {
    "neighbors": neighbors,
    "tables": tables_of_numbers,
    "steps": steps,
    "counts": counts,
    "selections": selections,
    "chamfer": chamfer,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
