"""Calculated filters of images against random ones and other models, no gradient step.

    python benchmarks/images.py --data mnist.npz --rows 300 1000
    python benchmarks/images.py --data cifar10_5k.npz --rows 4000 --test-rows 1000

``--data`` is a NumPy file with ``x_train``, ``y_train``, ``x_test`` and ``y_test``, or
with ``X``, ``y`` and the number of training rows ``n_train``. Pixels are from 0 to 255.

``calculated`` are comparisons of patches, ``random`` as many random filters with the sum
zero on patches of the same normalization, and pooled in the same way. After both there
is the same ridge classifier. ``network`` has the default network without training in
its place. ``dense`` is that network on pixels, and ``SVM`` a support vector machine on
them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons

RIDGES = np.logspace(1.0, 6.0, 16)


def load(path: Path) -> tuple[np.ndarray, ...]:
    """Return images and labels for training and for testing."""
    file = np.load(path)
    if "x_train" in file:
        X, y, X_test, y_test = (
            file[k] for k in ("x_train", "y_train", "x_test", "y_test")
        )
    else:
        n = int(file["n_train"])
        X, X_test = file["X"][:n], file["X"][n:]
        y, y_test = file["y"][:n], file["y"][n:]
    return *((part / 255).astype(np.float32) for part in (X, X_test)), y, y_test


class RandomFilters(PatchComparisons):
    """Random filters in place of the calculated ones."""

    def fit(self, X: Any, y: Any = None) -> RandomFilters:
        """Draw the filters."""
        super().fit(X, y)
        rng = np.random.RandomState(self.random_state)
        kernels = rng.normal(size=self.kernels_.shape)
        kernels -= kernels.mean(axis=(0, 1, 2))
        self.kernels_ = kernels.astype(self.kernels_.dtype)
        self.intercepts_ = np.zeros_like(self.intercepts_)
        return self


def models(seed: int, n_comparisons: int) -> dict[str, Any]:
    """Return the models by name."""
    filters = {
        "calculated": PatchComparisons(n_comparisons=n_comparisons, random_state=seed),
        "random": RandomFilters(n_comparisons=n_comparisons, random_state=seed),
    }
    piped = {
        name: make_pipeline(made, StandardScaler(copy=False), RidgeClassifierCV(RIDGES))
        for name, made in filters.items()
    }
    dense = MetricInitMLPClassifier(max_iter=0, random_state=seed)
    piped["network"] = make_pipeline(filters["calculated"], StandardScaler(), dense)
    return piped | {"dense": dense, "SVM": SVC(C=10.0)}


def main() -> None:
    """Print the accuracy of all models."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--test-rows", type=int, default=2000)
    parser.add_argument("--n-comparisons", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    for path in options.data:
        X, X_test, y, y_test = load(path)
        X_test, y_test = X_test[: options.test_rows], y_test[: options.test_rows]
        for rows in options.rows:
            found: dict[str, list[tuple[float, float]]] = {}
            for seed in range(options.seeds):
                order = np.random.RandomState(seed).permutation(len(X))[:rows]
                for name, model in models(seed, options.n_comparisons).items():
                    is_flat = name in {"dense", "SVM"}
                    train, test = (
                        part.reshape(len(part), -1) if is_flat else part
                        for part in (X[order], X_test)
                    )
                    start = time.perf_counter()
                    fitted = model.fit(train, y[order])
                    seconds = time.perf_counter() - start
                    score = fitted.score(test, y_test)
                    found.setdefault(name, []).append((score, seconds))
            print(f"{path.stem}, {rows} rows")
            for name, pairs in found.items():
                score, seconds = np.mean(pairs, axis=0)
                print(f"  {name:<10} {score:.4f} {seconds:7.1f} s", flush=True)


if __name__ == "__main__":
    main()
