"""The time of an epoch and of sums on a GPU, beside the same in plain PyTorch.

    SCIPY_ARRAY_API=1 python benchmarks/gpu.py --data mnist.npz
    SCIPY_ARRAY_API=1 python benchmarks/gpu.py --data mnist.npz --namespace cupy
    SCIPY_ARRAY_API=1 python benchmarks/gpu.py --data mnist.npz --device cpu --rows 2000
    SCIPY_ARRAY_API=1 python benchmarks/gpu.py --sums
    SCIPY_ARRAY_API=1 python benchmarks/gpu.py --sums --device cpu --rows 30000

``--data`` is an .npz file as for benchmarks/mnist.py. PyTorch is needed, also with CuPy.
Both networks are trained in single precision with Adam, on the same rows and with the
same penalty and batch size. They take turns epoch by epoch in one process, so that the
ratio of their times is reliable on a noisy machine. The first epoch of each warms up the
device and is not counted. The time of our network is that of ``partial_fit``, with all of
its checks.

With ``--sums`` the table has the seconds in which ``partial_fit`` of the closed form adds
up the sums of made rows of 50 features, 10,000 at a time, at several widths; those of the
products of as many hidden values with themselves in PyTorch, in double precision too; and
``ratio``, the first over the second. The batches take turns, and the first is not
counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from datasets import SOURCE, Problem, mnist
from sklearn import config_context

from skmetricmlp import MetricInitMLPClassifier

ALPHA, RATE = 1e-4, 1e-3
SUMS_ROWS = 10_000


def dense(*widths: int) -> torch.nn.Module:
    """Return layers of the given widths with ReLU between them."""
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class Conjunctive(torch.nn.Module):
    """Comparisons, the conjunctions of each two in a row, and an output layer."""

    def __init__(self, n_features: int, n: int, n_out: int) -> None:
        super().__init__()
        self.comparisons = torch.nn.Linear(n_features, n)
        self.output = torch.nn.Linear(2 * n - 1, n_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the output before the softmax."""
        u = self.comparisons(x)
        both = torch.minimum(u[:, :-1], u[:, 1:])
        return self.output(torch.relu(torch.cat([u, both], dim=1)))


# By name: parameters of our estimator, and a function that makes the same network in
# PyTorch for the given numbers of features and classes.
CONFIGURATIONS: dict[str, tuple[dict[str, Any], Callable[..., torch.nn.Module]]] = {
    "N = 30": (
        {"n_exemplars": 30, **SOURCE},
        lambda n_features, n_classes: dense(n_features, 30 * 29, 30, n_classes),
    ),
    "default": (
        {},
        lambda n_features, n_classes: Conjunctive(n_features, 800, n_classes),
    ),
}


def main() -> None:
    """Print seconds per epoch and their ratio for each configuration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="an .npz file, see above")
    parser.add_argument("--sums", action="store_true", help="of the closed form")
    parser.add_argument("--widths", type=int, nargs="+", default=[1000, 3000])
    parser.add_argument("--rows", type=int, default=60000)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[200])
    parser.add_argument("--epochs", type=int, default=10, help="that count")
    parser.add_argument("--namespace", choices=["torch", "cupy"], default="torch")
    parser.add_argument("--device", default="cuda", help="of PyTorch")
    options = parser.parse_args()
    if options.sums:
        print(f"{options.rows} rows, {options.namespace} on {options.device}")
        lines = {width: sums(width, options) for width in options.widths}
        table = pd.DataFrame(lines).T.rename_axis("width")
        print(table.to_string(float_format="{:.4g}".format))
        return
    if not options.data:
        parser.error("--data is needed without --sums")

    x_train, y_train, x_test, y_test = mnist(options.data)
    y_train, y_test = y_train.astype(np.int64), y_test.astype(np.int64)
    data = x_train[: options.rows], y_train[: options.rows], x_test, y_test
    print(f"{len(data[0])} rows, {options.namespace} on {options.device}")
    rows = {
        (name, size): race(name, size, data, options)
        for name in CONFIGURATIONS
        for size in options.batch_size
    }
    table = pd.DataFrame(rows).T.rename_axis(["network", "batch"])
    print(table.to_string(float_format="{:.4g}".format))


def sums(width: int, options: argparse.Namespace) -> dict[str, float]:
    """Add up the sums of batches, and in turns the products of hidden values alone."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(options.rows, 50))
    codes = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)
    few = X[:3000], codes[:3000]
    model = MetricInitMLPClassifier(
        solver="closed_form",
        n_comparisons=(width + 1) // 2,
        exemplars=few,
        random_state=0,
    )
    hidden = torch.asarray(rng.normal(size=(2**22 // width, width)))
    hidden = hidden.to(options.device)
    seconds = []
    with config_context(array_api_dispatch=True):
        for start in range(0, options.rows, SUMS_ROWS):
            rows = slice(start, start + SUMS_ROWS)
            batch = asarray(X[rows], options), asarray(codes[rows], options)
            learn = partial(model.partial_fit, *batch, classes=range(2))
            alone = timed(lambda: hidden.T @ hidden, options)
            share = len(X[rows]) / len(hidden)
            seconds.append((timed(learn, options), share * alone))
    ours, products = np.array(seconds[1:]).sum(axis=0)
    return {"sums (s)": ours, "products (s)": products, "ratio": ours / products}


def race(
    name: str, size: int, data: Problem, options: argparse.Namespace
) -> dict[str, float]:
    """Train both networks in turns, one epoch each."""
    parameters, build = CONFIGURATIONS[name]
    x_train, y_train, *_ = data
    theirs = PlainTorch(build(x_train.shape[1], y_train.max() + 1), size, options.device)
    ours = MetricInitMLPClassifier(
        **parameters,
        alpha=ALPHA,
        learning_rate_init=RATE,
        batch_size=size,
        max_iter=0,
        random_state=0,
    )
    with config_context(array_api_dispatch=True):
        our_data = [asarray(array, options) for array in data]
        their_data = [torch.asarray(array, device=options.device) for array in data]
        ours.fit(*our_data[:2])
        turns = {
            "ours": lambda: ours.partial_fit(*our_data[:2]),
            "theirs": lambda: theirs.partial_fit(*their_data[:2]),
        }
        seconds = pd.DataFrame(
            {whose: timed(train, options) for whose, train in turns.items()}
            for _ in range(1 + options.epochs)
        )[1:]
        accuracy = float(ours.score(*our_data[2:])), theirs.score(*their_data[2:])
    return {
        "ours (s)": seconds["ours"].median(),
        "PyTorch (s)": seconds["theirs"].median(),
        "ratio": (seconds["ours"] / seconds["theirs"]).median(),
        "accuracy": accuracy[0],
        "of PyTorch": accuracy[1],
    }


def asarray(array: np.ndarray, options: argparse.Namespace) -> Any:
    """Copy an array to the device of our network."""
    if options.namespace == "torch":
        return torch.asarray(array, device=options.device)
    import cupy  # noqa: PLC0415 - needed for this choice only

    return cupy.asarray(array)


def timed(train: Callable[[], Any], options: argparse.Namespace) -> float:
    """Return the seconds until the device has finished."""
    wait = torch.cuda.synchronize if options.device != "cpu" else lambda: None
    wait()
    started = perf_counter()
    train()
    wait()
    return perf_counter() - started


class PlainTorch:
    """A network in PyTorch, with its own initialization and Adam.

    Parameters
    ----------
    network : torch.nn.Module
    batch_size : int
    device : str
    """

    def __init__(self, network: torch.nn.Module, batch_size: int, device: str) -> None:
        self.network, self.batch_size = network.to(device), batch_size
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=RATE, weight_decay=ALPHA / batch_size
        )

    def partial_fit(self, X: torch.Tensor, y: torch.Tensor) -> None:
        """Train for one epoch."""
        order = torch.randperm(len(X), device=X.device)
        for index in order.split(self.batch_size):
            self.optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self.network(X[index]), y[index])
            loss.backward()
            self.optimizer.step()

    def score(self, X: torch.Tensor, y: torch.Tensor) -> float:
        """Return the accuracy."""
        with torch.no_grad():
            return float((self.network(X).argmax(dim=1) == y).float().mean())


if __name__ == "__main__":
    main()
