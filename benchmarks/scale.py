"""Exemplars from tens to ten thousands: memory, seconds and accuracy on MNIST.

    python benchmarks/scale.py --data mnist.npz
    python benchmarks/scale.py --data mnist.npz --table pairs

``--data`` is an .npz file with the arrays x_train (60000, 28, 28), y_train, x_test
(10000, 28, 28) and y_test. Each row of the first table is measured in a process of its
own, whose peak memory includes the data. Exemplars are centers of k-means. The second
table has the accuracy of untrained networks that vote if each exemplar is compared with a
few others instead of all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from datasets import Problem, high_water, mnist
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier

from skmetricmlp import MetricInitMLPClassifier

COUNTS = [30, 100, 300, 1000, 3000, 10000]
VOTERS = {
    "step": {"activation": "step", "n_neighbors": 1},
    "relu": {"n_neighbors": 1},
    "step, k=3": {"activation": "step", "n_neighbors": 3},
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="an .npz file, see above"
    )
    parser.add_argument("--table", choices=["scale", "pairs"], default="scale")
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--n-exemplars", type=int, nargs="+")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if arguments.table != "scale":
        table = pd.DataFrame(pairs(arguments)).set_index(["N", "pairs"])
        print(table.to_string(na_rep="", float_format="{:.4f}".format))
        return
    table = pd.DataFrame(scale(arguments)).set_index(["N", "form"])
    table["weights"] = table["weights"].map("{:,.0f}".format)
    print(table.to_string(na_rep="", float_format="{:.4g}".format))


def scale(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield a row for each number of exemplars."""
    tied = {"n_neighbors": 1, "tied": True, "pairs": arguments.pairs}
    counts = arguments.n_exemplars or COUNTS
    forms = [(n, "default", {}) for n in counts]
    untied = {"n_neighbors": 1}
    forms += [(n, "untied, all", untied) for n in counts if n == COUNTS[0]]
    forms += [(n, f"tied, {arguments.pairs}", tied) for n in counts]
    context = multiprocessing.get_context("spawn")
    for n, form, settings in forms:
        task = arguments.data, arguments.rows, n, settings, arguments.epochs
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            yield {"N": n, "form": form, **pool.submit(measure, *task).result()}


def measure(
    path: Path, rows: int, n: int, settings: dict[str, object], epochs: int
) -> dict[str, float]:
    """Choose exemplars, calculate and train, in a process of its own."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y, X_test, y_test = mnist(path, rows)
    given, seconds = select(X, y, n)
    settings = {"exemplars": given, "random_state": 0, **settings}
    clf = MetricInitMLPClassifier(max_iter=0, **settings)
    start = perf_counter()
    clf.fit(X, y)
    result = {
        "weights": sum(p.size for p in clf.network_.parameters),
        "select s": seconds,
        "calculate s": perf_counter() - start,
        "untrained": clf.score(X_test, y_test),
    }
    laps = []
    for _ in range(epochs):
        start = perf_counter()
        clf.partial_fit(X, y)
        laps.append(perf_counter() - start)
    result["epoch s"] = min(laps)
    result[f"{epochs} epochs"] = clf.score(X_test, y_test)
    result["peak MiB"] = high_water()
    clf = MetricInitMLPClassifier(max_iter=epochs, trained_share=1.0, **settings)
    result["linear rate"] = clf.fit(X, y).score(X_test, y_test)
    return result


def select(
    X: np.ndarray, y: np.ndarray, n: int
) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """Return exemplars as ``(points, labels)``, and the seconds of their selection."""
    clf = MetricInitMLPClassifier(
        n_exemplars=n, n_neighbors=1, tied=True, pairs=1, max_iter=0, random_state=0
    )
    start = perf_counter()
    clf.fit(X, y)
    return (clf.exemplars_, clf.exemplar_labels_), perf_counter() - start


def pairs(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield a row for each number of exemplars and choice of pairs."""
    X, y, X_test, y_test = mnist(arguments.data, arguments.rows)
    for n in arguments.n_exemplars or [100, 300, 1000]:
        given, _ = select(X, y, n)
        nearest = {k: KNeighborsClassifier(k).fit(*given) for k in (1, 3)}
        yield {
            "N": n,
            "pairs": "k-NN",
            "step": nearest[1].score(X_test, y_test),
            "step, k=3": nearest[3].score(X_test, y_test),
        }
        for m in (10, 20, 50, 100, "other_classes"):
            yield {"N": n, "pairs": m, **vote((X, y, X_test, y_test), given, m)}


def vote(
    problem: Problem, given: tuple[np.ndarray, np.ndarray], m: int | str
) -> dict[str, float]:
    """Return the test accuracy of untrained networks that vote."""
    X, y, *test = problem
    return {
        name: MetricInitMLPClassifier(
            exemplars=given, tied=True, pairs=m, max_iter=0, **settings
        )
        .fit(X, y)
        .score(*test)
        for name, settings in VOTERS.items()
        if m != "other_classes" or settings["n_neighbors"] == 1
    }


if __name__ == "__main__":
    main()
