"""Speed beside scikit-learn's MLPClassifier and PyTorch, in the same architecture.

    python benchmarks/speed.py
    python benchmarks/speed.py --data mnist.npz
    python benchmarks/speed.py --data mnist.npz --n-neighbors 1

Without ``--data`` the data are scikit-learn's digits; with it, in single precision, the
first rows of an .npz file (see mnist.py). The hidden layer has 1,599 units, or with
``--n-neighbors 1`` there are two of 870 and 30. The networks take turns, one epoch each,
so that the ratios are reliable on a noisy machine. Each ratio is the median over the
epochs of our time divided by that of the other library. "metric" starts from calculated
weights, and "start / epoch" is the time of their calculation in epochs. The others start
from random weights. "all /" is the ratio of the times of the start and all epochs
together. The time to accuracy includes the start and the epochs until the test accuracy
reaches ``--target``. The peak memory is what one epoch adds in a process of its own.
PyTorch runs on the CPU, with its eager Adam, if it is installed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from datasets import Problem, high_water, mnist
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skmetricmlp import MetricInitMLPClassifier

HIDDEN: dict[int | None, tuple[int, ...]] = {None: (1599,), 1: (870, 30)}
OURS = ("metric", "random")


def main() -> None:
    """Print a table for each batch size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="an .npz file, see above")
    parser.add_argument("--rows", type=int, default=20000, help="of --data")
    parser.add_argument("--batch-size", type=int, nargs="+", help="default: 64 200")
    parser.add_argument("--n-neighbors", type=int, choices=[1])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--target", type=float, default=0.95, help="accuracy")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)

    data = problem(options)
    sizes = options.batch_size or ([64, 200] if options.data else [200])
    for size in sizes:
        records = race(data, size, options.n_neighbors, options.epochs)
        table = summary(records, options.target)
        table["peak (MiB)"] = {
            name: peak_memory((name, size, options.n_neighbors), data) for name in MODELS
        }
        print(f"\n{len(data[0])} rows, batches of {size}:")
        print(table.to_string(float_format="{:.3g}".format, na_rep="-"))


def problem(options: argparse.Namespace) -> Problem:
    """Return training and test data, with values from 0 to 1."""
    if options.data:
        x_train, y_train, x_test, y_test = mnist(options.data)
        return x_train[: options.rows], y_train[: options.rows], x_test, y_test
    X, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    return x_train, y_train, x_test, y_test


class Torch:
    """The same network in PyTorch, with its own initialization and Adam."""

    def __init__(self, batch_size: int, hidden: tuple[int, ...]) -> None:
        self.torch: Any = import_module("torch")
        self.batch_size, self.hidden = batch_size, hidden

    def partial_fit(self, X: np.ndarray, y: np.ndarray, classes: np.ndarray) -> None:
        """Train for one epoch."""
        torch = self.torch
        features, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
        if not hasattr(self, "network"):
            self._initialize((X.shape[1], *self.hidden, len(classes)), features.dtype)
        for index in torch.randperm(len(features)).split(self.batch_size):
            self.optimizer.zero_grad()
            output = self.network(features[index])
            loss = torch.nn.functional.cross_entropy(output, labels[index])
            loss.backward()
            self.optimizer.step()

    def _initialize(self, widths: tuple[int, ...], dtype: Any) -> None:
        nn = self.torch.nn
        self.torch.manual_seed(0)
        layers: list[Any] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out, dtype=dtype), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])
        self.optimizer = self.torch.optim.Adam(self.network.parameters())

    def score(self, X: np.ndarray, y: np.ndarray) -> float:
        """Return the accuracy."""
        with self.torch.no_grad():
            predicted = self.network(self.torch.from_numpy(X)).argmax(dim=1).numpy()
        return float(np.mean(predicted == y))


def _ours(init: str) -> Callable[[int, int | None], Any]:
    return lambda size, n_neighbors: MetricInitMLPClassifier(
        init, n_neighbors=n_neighbors, batch_size=size, max_iter=0, random_state=0
    )


# Name: from batch size and n_neighbors to an untrained model.
MODELS: dict[str, Callable[[int, int | None], Any]] = {
    "metric": _ours("metric"),
    "random": _ours("random"),
    "MLPClassifier": lambda size, n_neighbors: MLPClassifier(
        HIDDEN[n_neighbors], batch_size=size, random_state=0
    ),
}
if find_spec("torch"):
    MODELS["PyTorch"] = lambda size, n_neighbors: Torch(size, HIDDEN[n_neighbors])


def race(data: Problem, size: int, n_neighbors: int | None, epochs: int) -> pd.DataFrame:
    """Return seconds and accuracy of each epoch; epoch 0 calculates the weights."""
    x_train, y_train, x_test, y_test = data
    models = {name: make(size, n_neighbors) for name, make in MODELS.items()}
    records = []
    for epoch in range(epochs + 1):
        for name, model in models.items():
            started = perf_counter()
            if epoch:
                model.partial_fit(x_train, y_train, classes=np.unique(y_train))
            elif name in OURS:
                model.fit(x_train, y_train)
            seconds = perf_counter() - started
            has_start = epoch or name in OURS
            accuracy = model.score(x_test, y_test) if has_start else 0.0
            records.append((name, epoch, seconds, accuracy))
    return pd.DataFrame(records, columns=["model", "epoch", "seconds", "accuracy"])


def summary(records: pd.DataFrame, target: float) -> pd.DataFrame:
    """Summarize the result of :func:`race` in a row per model."""
    seconds, accuracy = (
        records.set_index(["epoch", "model"])[column].unstack("model")[list(MODELS)]
        for column in ("seconds", "accuracy")
    )
    epochs = seconds.loc[1:]
    table = pd.DataFrame({"epoch (s)": epochs.median()})
    ours = epochs["metric"]
    for peer in list(MODELS)[2:]:
        table[f"epoch / {peer}"] = epochs.div(epochs[peer], axis="index").median()
        table[f"all / {peer}"] = seconds.sum() / seconds[peer].sum()
    table["start / epoch"] = seconds.loc[0] / ours.median()
    reached = (accuracy >= target).cumsum() > 0
    until = seconds.where(~reached.shift(fill_value=False), 0.0).sum()
    table[f"to {target:g} (s)"] = until.where(reached.any())
    table["accuracy"] = accuracy.iloc[-1]
    return table


def peak_memory(model: tuple[str, int, int | None], data: Problem) -> float:
    """Return the peak memory in MiB that one epoch adds, in a process of its own."""
    with TemporaryDirectory() as folder:
        # Arrays are passed in files: pickling them would raise the peak above training's.
        paths = [Path(folder, part) for part in ("X.npy", "y.npy")]
        for path, array in zip(paths, data, strict=False):
            np.save(path, array)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(_peak_memory, (*model, *paths))


def _peak_memory(name: str, size: int, n_neighbors: int | None, *paths: Path) -> float:
    model, (X, y) = MODELS[name](size, n_neighbors), map(np.load, paths)
    before = high_water()
    model.partial_fit(X, y, classes=np.unique(y))
    return high_water() - before


if __name__ == "__main__":
    main()
