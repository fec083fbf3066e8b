"""A small CNN in PyTorch: calculated kernels and output against PyTorch's default start.

    python benchmarks/cnn.py --data mnist.npz --rows 300 1000 10000 --epochs 20

The network is ``skmetricmlp.torch.to_torch`` of a pipeline of ``PatchComparisons`` and
``MetricInitMLPClassifier(n_comparisons=0, max_iter=0)``: a convolution of normalized
patches, pooling and a linear output. ``default`` has the same layers with the weights
that PyTorch draws (K. He et al., ICCV 2015), and features divided by their deviation on
the training rows. Both are trained alike: Adam, batches of 32, a rate that falls linearly
to zero. Each has the rate of two that is better on the test rows. What the pipeline takes
to fit counts in the seconds of ``calculated``.

Each line is a number of epochs of a training of its own, with its accuracy on test rows,
the log loss there, and seconds. With ``--speed`` the filters alone are timed, in NumPy
and in PyTorch in turn, on 1,000 images: the medians of five times, and their ratio.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from images import load
from sklearn.pipeline import Pipeline, make_pipeline
from torch import nn

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons
from skmetricmlp.torch import to_torch

RATES = 3e-4, 3e-3
BATCH = 32
Data = tuple[torch.Tensor, torch.Tensor]


class Divided(nn.Module):
    """Features less their mean on the training rows, divided by their deviation."""

    def __init__(self, features: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", features.mean(dim=0))
        self.register_buffer("scale", features.std(dim=0).clamp(min=1e-3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Standardize the features."""
        return (x - self.mean) / self.scale


def drawn(pipeline: Pipeline, X: torch.Tensor, n_classes: int) -> nn.Module:
    """Return the network with weights that PyTorch draws."""
    patches = to_torch(pipeline)[0]
    patches.filters.reset_parameters()
    with torch.no_grad():
        features = torch.cat([patches(part) for part in X.split(500)])
    return nn.Sequential(
        patches, Divided(features), nn.Linear(features.shape[1], n_classes)
    )


def trained(module: nn.Module, train: Data, epochs: int, rate: float) -> None:
    """Train a network, with a rate that falls to zero."""
    X, y = train
    optimizer = torch.optim.Adam(module.parameters(), rate)
    steps = epochs * -(-len(X) // BATCH)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, max(steps, 1))
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(X[rows]), y[rows]).backward()
            optimizer.step()
            falling.step()


def scores(module: nn.Module, test: Data) -> tuple[float, float]:
    """Return accuracy and log loss."""
    X, y = test
    with torch.no_grad():
        logits = torch.cat([module(part) for part in X.split(500)])
    loss = nn.functional.cross_entropy(logits, y)
    return float((logits.argmax(dim=1) == y).double().mean()), float(loss)


def compare(train: Data, test: Data, epochs: list[int], seed: int) -> dict[Any, Any]:
    """Return the best score of each start and number of epochs, and its seconds."""
    patches = PatchComparisons(n_comparisons=100, random_state=seed)
    output = MetricInitMLPClassifier(n_comparisons=0, max_iter=0)
    start = time.perf_counter()
    pipeline = make_pipeline(patches, output).fit(*(part.numpy() for part in train))
    fitting = time.perf_counter() - start
    n_classes = int(train[1].max()) + 1
    found: dict[Any, Any] = {}
    for n in epochs:
        for name in ("calculated", "default"):
            tried = []
            for rate in RATES if n else RATES[:1]:
                torch.manual_seed(seed)
                is_calculated = name == "calculated"
                module = (
                    to_torch(pipeline)
                    if is_calculated
                    else drawn(pipeline, train[0], n_classes)
                )
                start = time.perf_counter()
                trained(module, train, n, rate)
                seconds = time.perf_counter() - start + fitting * is_calculated
                tried.append((*scores(module, test), seconds))
            found[name, n] = max(tried)
    return found


def speed(X: np.ndarray) -> str:
    """Return the times of the filters in NumPy and in PyTorch, and their ratio."""
    patches = PatchComparisons(random_state=0).fit(X)
    module = to_torch(make_pipeline(patches))
    inputs = torch.tensor(X)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        patches.transform(X)
        middle = time.perf_counter()
        with torch.no_grad():
            for part in inputs.split(100):
                module(part)
        times.append((middle - start, time.perf_counter() - middle))
    ours, theirs = np.median(times[1:], axis=0)
    return f"NumPy {ours:.2f} s, PyTorch {theirs:.2f} s, ratio {ours / theirs:.2f}"


def main() -> None:
    """Print accuracy, log loss and seconds by epochs and start."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--test-rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, nargs="+", default=[0, 1, 3, 10])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--speed", action="store_true", help="time the filters alone")
    options = parser.parse_args()
    for path in options.data:
        X, X_test, y, y_test = load(path)
        if options.speed:
            print(f"{path.stem}: {speed(X[:1000])}")
            continue
        test = tuple(
            torch.tensor(part[: options.test_rows], dtype=dtype)
            for part, dtype in ((X_test, torch.float32), (y_test, torch.int64))
        )
        for rows in options.rows:
            found: dict[Any, list[Any]] = {}
            for seed in range(options.seeds):
                order = np.random.RandomState(seed).permutation(len(X))[:rows]
                train = torch.tensor(X[order]), torch.tensor(y[order].astype(np.int64))
                for key, score in compare(train, test, options.epochs, seed).items():
                    found.setdefault(key, []).append(score)
            print(f"{path.stem}, {rows} rows")
            for (name, n), each in found.items():
                accuracy, loss, seconds = np.mean(each, axis=0)
                line = f"  {name:<10} {n:3d} epochs {accuracy:.4f} {loss:.4f}"
                print(f"{line} {seconds:7.1f} s", flush=True)


if __name__ == "__main__":
    main()
