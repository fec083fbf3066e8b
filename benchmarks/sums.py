"""Rows from ten thousand to millions: seconds and memory of the closed form.

    python benchmarks/sums.py
    python benchmarks/sums.py --rows 10000 100000 1000000 --widths 1000 3000
    python benchmarks/sums.py --rows 1000000 --widths 3000 --boosting
    python benchmarks/sums.py --rows 100000 --exemplars

Made rows of 50 features are written to a Parquet file, row group by row group, and read
from it again the same way, by ``partial_fit`` with ``solver="closed_form"``. Each line is
measured in a process of its own. Its peak memory is what comes on top of the imports.
``products`` are the seconds that NumPy needs for H^T H alone, the products of so many
hidden values with themselves, measured between the batches; ``ratio`` is the time of the
fit, less these, over it. ``solve`` are the seconds until the network is calculated from
the sums. With ``--boosting`` scikit-learn's gradient boosting is fitted to all rows at
once. With ``--parts 2`` two processes learn half of the rows each, and are merged. With
``--exemplars`` the table has where exemplars of a stream come from: the first rows, a
sample of all rows (``fit``), given rows, or the centers of mini-batch k-means in each
class, of the first batch or from a pass before.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import high_water
from sklearn.cluster import MiniBatchKMeans
from sklearn.ensemble import HistGradientBoostingClassifier

from skmetricmlp import MetricInitMLPClassifier

N_FEATURES, GROUP, N_TEST = 50, 10_000, 10_000
EVERY = 5  # batches, after which the products are measured


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of five classes, which depend on a few features each."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, N_FEATURES))
    scores = np.stack(
        [X[:, k] * X[:, k + 1] + np.sin(2 * X[:, k + 5]) for k in range(5)], axis=1
    )
    return X, (scores + 0.3 * rng.normal(size=scores.shape)).argmax(axis=1)


def write(path: Path, n: int) -> None:
    """Write n rows, a row group at a time."""
    fields = [(f"x{k}", pa.float64()) for k in range(N_FEATURES)]
    schema = pa.schema([*fields, ("y", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n, GROUP):
            X, y = made(min(GROUP, n - start), start)
            columns = {f"x{k}": X[:, k] for k in range(N_FEATURES)} | {"y": y}
            writer.write_table(pa.table(columns, schema=schema))


def batches(path: Path, part: int, parts: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read every ``parts``-th row group, from the one at ``part``."""
    file = pq.ParquetFile(path)
    for group in range(part, file.num_row_groups, parts):
        table = file.read_row_group(group)
        columns = [table[f"x{k}"].to_numpy() for k in range(N_FEATURES)]
        yield np.stack(columns, axis=1), table["y"].to_numpy()


def network(width: int) -> MetricInitMLPClassifier:
    """Return a network of that many hidden units, half of them conjunctions."""
    n = (width + 1) // 2
    return MetricInitMLPClassifier(solver="closed_form", n_comparisons=n, random_state=0)


def fit(path: Path, width: int, part: int = 0, parts: int = 1) -> Any:
    """Fit to a share of the row groups."""
    model, share = network(width), batches(path, part, parts)
    if parts > 1:  # all have the hidden layer of one
        X, y = next(batches(path, 0, 1))
        few = slice(0, None, 4)
        model.set_params(exemplars=(X[few], y[few]))
    for X, y in share:
        model.partial_fit(X, y, classes=range(5))
    return model


def closed_form(path: Path, width: int, parts: int) -> dict[str, Any]:
    """Measure the fit, and between its batches the products of hidden values alone."""
    X, y = made(N_TEST, 10**9)
    block, alone = np.random.default_rng(0).normal(size=(2**22 // width, width)), []
    products(block)
    before, start = high_water(), perf_counter()
    if parts > 1:
        with _processes(parts) as pool:
            tasks = [pool.submit(fit, path, width, k, parts) for k in range(parts)]
            model, *others = [task.result() for task in tasks]
        for other in others:
            model.merge(other)
    else:
        model = network(width)
        for k, batch in enumerate(batches(path, 0, 1)):
            model.partial_fit(*batch, classes=range(5))
            if k % EVERY == 0:
                alone.append(products(block))
    added = perf_counter()
    score = model.score(X, y)
    solved, peak = perf_counter(), high_water() - before
    seconds = {"fit": solved - start - sum(alone), "solve": solved - added}
    if alone:
        n = pq.ParquetFile(path).metadata.num_rows
        seconds["products"] = float(np.mean(alone)) * n / len(block)
        seconds["ratio"] = seconds["fit"] / seconds["products"]
    return seconds | {"MiB": peak, "accuracy": score}


def products(block: np.ndarray) -> float:
    """Return the seconds of the products of an array with itself."""
    start = perf_counter()
    block.T @ block
    return perf_counter() - start


def boosting(path: Path) -> dict[str, Any]:
    """Measure gradient boosting, which needs all rows at once."""
    before, start = high_water(), perf_counter()
    X, y = (np.concatenate(part) for part in zip(*batches(path, 0, 1), strict=True))
    model = HistGradientBoostingClassifier(random_state=0).fit(X, y)
    fitted = perf_counter() - start
    peak = high_water() - before
    return {"fit": fitted, "MiB": peak, "accuracy": model.score(*made(N_TEST, 10**9))}


def exemplar_table(path: Path) -> list[dict[str, Any]]:
    """Measure exemplars of several origins, at the default width."""
    X, y = made(N_TEST, 10**9)
    first, labels = next(batches(path, 0, 1))
    lines = []
    given = ("30 rows", "300 rows", "3000 rows")
    centers = {"centers of 10,000 rows": 1, "centers of all rows": None}
    for name in ("first 5,000 rows", "sample of all", *given, *centers):
        start, exemplars = perf_counter(), None
        if name in given:
            few = slice(int(name.split()[0]))
            exemplars = first[few], labels[few]
        elif name in centers:
            exemplars = _centers(islice(batches(path, 0, 1), centers[name]))
        chosen = perf_counter()
        model = network(1599)
        if exemplars:
            model.set_params(exemplars=exemplars)
        if name == "sample of all":
            parts = zip(*batches(path, 0, 1), strict=True)
            model.fit(*map(np.concatenate, parts))
        else:
            for rows, codes in batches(path, 0, 1):
                model.partial_fit(rows, codes, classes=range(5))
        score = model.score(X, y)
        seconds = {"choose": chosen - start, "fit": perf_counter() - chosen}
        lines.append({"exemplars": name} | seconds | {"accuracy": score})
    return lines


def _centers(
    stream: Iterable[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return 300 centers, as many in each class, of the batches of a stream."""
    kmeans = [MiniBatchKMeans(60, random_state=0) for _ in range(5)]
    for X, y in stream:
        for label, centers in enumerate(kmeans):
            centers.partial_fit(X[y == label])
    points = np.concatenate([centers.cluster_centers_ for centers in kmeans])
    return points, np.repeat(np.arange(5), 60)


def _processes(n: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n, mp_context=context)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--widths", type=int, nargs="+", default=[1599])
    parser.add_argument("--parts", type=int, default=1, help="processes that learn")
    parser.add_argument("--boosting", action="store_true")
    parser.add_argument("--exemplars", action="store_true", help="their origin")
    options = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for n in options.rows:
            path = Path(folder) / f"{n}.parquet"
            write(path, n)
            if options.exemplars:
                table = pd.DataFrame(exemplar_table(path)).set_index("exemplars")
                print(table.to_string(float_format="{:.4g}".format))
                return
            for width in options.widths:
                with _processes(1) as pool:
                    measured = pool.submit(closed_form, path, width, options.parts)
                    lines.append({"rows": n, "width": width} | measured.result())
            if options.boosting:
                with _processes(1) as pool:
                    measured = pool.submit(boosting, path)
                    lines.append({"rows": n, "width": "boosting"} | measured.result())
            path.unlink()
    table = pd.DataFrame(lines).set_index(["rows", "width"])
    print(table.to_string(na_rep="", float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
