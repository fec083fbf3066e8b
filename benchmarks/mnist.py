"""The source's comparison on MNIST: calculated against random weights, 30 exemplars.

    python benchmarks/mnist.py --data mnist.npz
    python benchmarks/mnist.py --data mnist.npz --rows 60000 --epochs 10 --protocol linear
    python benchmarks/mnist.py --data mnist.npz --protocol exemplars
    python benchmarks/mnist.py --data mnist.npz --protocol source --rows 20000

``--data`` is an .npz file with the arrays x_train (60000, 28, 28), y_train, x_test
(10000, 28, 28) and y_test. The two starts take turns epoch by epoch in one process, so
that the ratio of their times holds on a noisy machine; peak memory is that of a process
for each start. The source is P. Sh. Geidarov, arXiv 2505.23876.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
from time import perf_counter

import numpy as np
import pandas as pd
from datasets import mnist

from skmetricmlp import MetricInitMLPClassifier

# Accuracy that the source reports: (start, rows, epoch) -> share of the test rows.
SOURCE = {
    ("metric", 60000, 0): 0.63,
    ("metric", 20000, 3): 0.908,
    ("random", 20000, 3): 0.803,
}
SOURCE_FORM = {"readout": "exemplars"}
PROTOCOLS = {
    "default": {"metric": {}, "random": {"init": "random"}},
    # The rate of both falls linearly to zero.
    "linear": {
        "metric": {"learning_rate": "linear"},
        "random": {"init": "random", "learning_rate": "linear"},
    },
    # The network of the source, otherwise as by default.
    "exemplars": {
        "metric": SOURCE_FORM,
        "random": {"init": "random", **SOURCE_FORM},
    },
    # The source: logistic units, squared error, one row per step, weights on [-0.5, 0.5],
    # rates of 0.1, 0.1 and 0.02, and no penalty.
    "source": {
        start: {
            "init": init,
            "readout": "exemplars",
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
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    data = mnist(options.data)
    tables = []
    for rows in options.rows:
        curves = race(data, rows, options)
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


def model(start: str, options: argparse.Namespace) -> MetricInitMLPClassifier:
    """Return the untrained network of a start under the protocol."""
    return MetricInitMLPClassifier(
        n_exemplars=30,
        exemplars=options.exemplars,
        max_iter=0,
        random_state=options.seed,
    ).set_params(**PROTOCOLS[options.protocol][start])


def race(
    data: tuple[np.ndarray, ...], rows: int, options: argparse.Namespace
) -> pd.DataFrame:
    """Train both starts on the first rows, an epoch of the one, then of the other."""
    x_train, y_train, x_test, y_test = data
    models = {start: model(start, options) for start in ("metric", "random")}
    spent = dict.fromkeys(models, 0.0)
    records = []
    for epoch in range(options.epochs + 1):
        for start, clf in models.items():
            started = perf_counter()
            (clf.partial_fit if epoch else clf.fit)(x_train[:rows], y_train[:rows])
            spent[start] += perf_counter() - started
            accuracy = clf.score(x_test, y_test)
            records.append((start, epoch, accuracy, spent[start]))
    return pd.DataFrame(records, columns=["start", "epoch", "accuracy", "seconds"])


def peak_memory(start: str, rows: int, options: argparse.Namespace) -> float:
    """Peak memory, in MiB, of a process that loads the data and trains 20 steps."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_memory, (start, rows, options))


def _peak_memory(start: str, rows: int, options: argparse.Namespace) -> float:
    x_train, y_train, _, _ = mnist(options.data)
    clf = model(start, options).fit(x_train[:rows], y_train[:rows])
    steps = 20 * (1 if clf.batch_size == 1 else 200)
    clf.partial_fit(x_train[:steps], y_train[:steps])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
