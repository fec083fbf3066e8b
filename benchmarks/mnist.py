"""The comparison of the source on MNIST: calculated and random weights, 30 exemplars.

    python benchmarks/mnist.py --data mnist.npz
    python benchmarks/mnist.py --data mnist.npz --rows 300 1000 --epochs 20 --seeds 5
    python benchmarks/mnist.py --data mnist.npz --rows 60000 --epochs 10 --protocol linear
    python benchmarks/mnist.py --data mnist.npz --protocol exemplars
    python benchmarks/mnist.py --data mnist.npz --protocol source --rows 20000

``--data`` is an .npz file with the arrays x_train (60000, 28, 28), y_train, x_test
(10000, 28, 28) and y_test. The two starts take turns epoch by epoch in one process, so
that the ratio of their times is reliable on a noisy machine. The peak memory is measured
in a separate process for each start and includes the data. The source is P. Sh. Geidarov,
arXiv 2505.23876.
"""

from __future__ import annotations

import argparse
import multiprocessing
from time import perf_counter

import numpy as np
import pandas as pd
from datasets import SOURCE as FORM
from datasets import Problem, high_water, mnist

from skmetricmlp import MetricInitMLPClassifier

# Test accuracy that the source reports, by start, rows and epoch.
SOURCE = {
    ("metric", 60000, 0): 0.63,
    ("metric", 20000, 3): 0.908,
    ("random", 20000, 3): 0.803,
}
PROTOCOLS = {
    "default": {"metric": {}, "random": {"init": "random"}},
    # The learning rate falls linearly to zero.
    "linear": {
        "metric": {"learning_rate": "linear", "trained_share": 1.0},
        "random": {"init": "random", "learning_rate": "linear"},
    },
    # The network of the source, with the default settings otherwise.
    "exemplars": {
        "metric": FORM,
        "random": {"init": "random", **FORM},
    },
    # The protocol of the source: logistic units, squared error, one row per step, random
    # weights on [-0.5, 0.5], learning rates of 0.1, 0.1 and 0.02, and no penalty.
    "source": {
        start: {
            "init": init,
            **FORM,
            "activation": "logistic",
            "loss": "squared_error",
            "solver": "sgd",
            "momentum": 0.0,
            "batch_size": 1,
            "learning_rate_init": [0.1, 0.1, 0.02],
            "alpha": 0.0,
        }
        for start, init in {"metric": "metric", "random": "uniform"}.items()
    },
}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="an .npz file, see above")
    parser.add_argument("--rows", type=int, nargs="+", default=[60000, 40000, 20000])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="default")
    parser.add_argument(
        "--exemplars",
        choices=["kmeans", "random", "kmedoids", "condensed", "lvq"],
        default="kmeans",
    )
    parser.add_argument("--n-exemplars", type=int, default=30)
    parser.add_argument("--metric", default="sqeuclidean")
    parser.add_argument("--seeds", type=int, default=1, help="runs; means are printed")
    options = parser.parse_args()

    data = mnist(options.data)
    tables = []
    for rows in options.rows:
        curves = pd.concat(race(data, rows, s, options) for s in range(options.seeds))
        curves = curves.groupby(["start", "epoch"], as_index=False).mean()
        table = curves.set_index(["start", "epoch"])["accuracy"].unstack("epoch")
        seconds = curves.groupby("start")["seconds"].agg(["first", "last"])
        table["start (s)"], table["all (s)"] = seconds["first"], seconds["last"]
        table["peak (MiB)"] = {s: peak_memory(s, rows, options) for s in table.index}
        for epoch in range(options.epochs + 1):
            table[f"source {epoch}"] = [
                SOURCE.get((start, rows, epoch), float("nan")) for start in table.index
            ]
        tables.append(table)
        ratio = table.loc["metric", "all (s)"] / table.loc["random", "all (s)"]
        print(f"{rows} rows: seconds, metric / random = {ratio:.2f}", flush=True)
    result = pd.concat(dict(zip(options.rows, tables, strict=True)), names=["rows"])
    result = result.dropna(axis="columns", how="all")
    print(f"\nTest accuracy after each epoch, protocol {options.protocol!r}:")
    print(result.to_string(float_format="{:.4g}".format, na_rep="-"))


def model(start: str, seed: int, options: argparse.Namespace) -> MetricInitMLPClassifier:
    """Return the untrained network for a start and the protocol."""
    return MetricInitMLPClassifier(
        n_exemplars=options.n_exemplars,
        exemplars=options.exemplars,
        metric=options.metric,
        max_iter=0,
        random_state=seed,
    ).set_params(**PROTOCOLS[options.protocol][start])


def race(
    data: Problem, rows: int, seed: int, options: argparse.Namespace
) -> pd.DataFrame:
    """Train both starts in turns, one epoch each.

    The training data are the first rows, or, with a seed other than 0, a random sample.
    """
    x_train, y_train, x_test, y_test = data
    if seed:
        drawn = np.random.default_rng(seed).choice(len(x_train), rows, replace=False)
        x_train, y_train = x_train[drawn], y_train[drawn]
    models = {start: model(start, seed, options) for start in ("metric", "random")}
    spent = dict.fromkeys(models, 0.0)
    records = []
    if options.protocol == "linear":
        return falling(models, (x_train[:rows], y_train[:rows], x_test, y_test), options)
    for epoch in range(options.epochs + 1):
        for start, clf in models.items():
            started = perf_counter()
            (clf.partial_fit if epoch else clf.fit)(x_train[:rows], y_train[:rows])
            spent[start] += perf_counter() - started
            accuracy = clf.score(x_test, y_test)
            records.append((start, epoch, accuracy, spent[start]))
    return pd.DataFrame(records, columns=["start", "epoch", "accuracy", "seconds"])


def falling(
    models: dict[str, MetricInitMLPClassifier],
    problem: Problem,
    options: argparse.Namespace,
) -> pd.DataFrame:
    """Train by one call of fit, because the learning rate falls over its epochs."""
    x_train, y_train, x_test, y_test = problem
    tables = []
    for start, clf in models.items():
        untrained = clf.fit(x_train, y_train).score(x_test, y_test)
        started = perf_counter()
        clf.set_params(max_iter=options.epochs, tol=0.0)
        clf.fit(x_train, y_train, X_val=x_test, y_val=y_test)
        curve = {"accuracy": [untrained, *clf.validation_scores_], "start": start}
        table = pd.DataFrame(curve).rename_axis("epoch").reset_index()
        tables.append(table.assign(seconds=perf_counter() - started))
    return pd.concat(tables)


def peak_memory(start: str, rows: int, options: argparse.Namespace) -> float:
    """Return the peak memory in MiB of a process that loads the data and trains."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_memory, (start, rows, options))


def _peak_memory(start: str, rows: int, options: argparse.Namespace) -> float:
    x_train, y_train, _, _ = mnist(options.data)
    clf = model(start, 0, options).fit(x_train[:rows], y_train[:rows])
    steps = 20 * (1 if clf.batch_size == 1 else 200)
    clf.partial_fit(x_train[:steps], y_train[:steps])
    return high_water()


if __name__ == "__main__":
    main()
