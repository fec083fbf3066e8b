"""Calculated filters of images against random ones and other models, no gradient step.

    python benchmarks/images.py --data mnist.npz --rows 300 1000
    python benchmarks/images.py --data cifar10_5k.npz --rows 4000 --test-rows 1000

``--data`` is a NumPy file with ``x_train``, ``y_train``, ``x_test`` and ``y_test``, or
with ``X``, ``y`` and the number of training rows ``n_train``. Pixels are from 0 to 255.

``calculated`` are comparisons of patches, ``random`` as many random filters with the sum
zero on patches of the same normalization, and pooled in the same way. ``two layers`` are
comparisons of what 40 filters saw, beside those of pixels. ``k-means`` are as many
centers with the activation of A. Coates, A. Ng and H. Lee (AISTATS 2011), and
``scattering`` is that of kymatio, where it is installed, for gray images. After each of
them there is the same output: ``MetricInitMLPClassifier(n_comparisons=0, max_iter=0)``.
``ridge`` has scikit-learn's in its place, and ``default`` the default network. ``dense``
is the default network on pixels, and ``SVM`` a support vector machine on them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

try:  # kymatio.numpy imports what SciPy no longer has, for other dimensions
    from kymatio.scattering2d.frontend.numpy_frontend import ScatteringNumPy2D
except ImportError:
    ScatteringNumPy2D = None

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons
from skmetricmlp.images.patches import (
    draw_patches,
    normalized,
    patches_of,
    pooled,
    whitened,
)

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


def normalized_sample(
    patches: PatchComparisons, X: np.ndarray, rng: np.random.RandomState
) -> np.ndarray:
    """Return 20,000 normalized patches of images."""
    images = np.reshape(X, (-1, *patches.image_shape_))
    views = patches_of(images, patches.kernels_.shape[:2])
    sample, _ = draw_patches(views, 20_000, rng)
    return normalized(sample.reshape(len(sample), -1), patches.epsilon_)


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


class KMeansFeatures(PatchComparisons):
    """How much nearer a patch is to each center than to the mean of them."""

    def fit(self, X: Any, y: Any = None) -> KMeansFeatures:
        """Find the centers."""
        super().fit(X, y)
        flat = normalized_sample(self, X, np.random.RandomState(self.random_state))
        metric = whitened(flat, self.whitening)
        self.map_ = metric.parameters["L"].astype(self.kernels_.dtype)
        self.centers_ = self.exemplars_.astype(self.kernels_.dtype) @ self.map_
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the pooled activations."""
        images = np.asarray(X).reshape(-1, *self.image_shape_)
        size = self.kernels_.shape[:2]
        return np.concatenate(
            [self._block(images[k : k + 50], size) for k in range(0, len(images), 50)]
        )

    def _block(self, images: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        views = patches_of(images, size, self.stride)
        flat = (
            normalized(views.reshape(-1, self.map_.shape[0]), self.epsilon_) @ self.map_
        )
        squares = np.sum(flat**2, axis=1)[:, None] + np.sum(self.centers_**2, axis=1)
        far = np.sqrt(np.maximum(squares - 2 * flat @ self.centers_.T, 0.0))
        near = np.maximum(far.mean(axis=1, keepdims=True) - far, 0.0)
        return pooled(near.reshape(*views.shape[:3], -1), self.grid_, ("mean", "max"))


class Scattering(TransformerMixin, BaseEstimator):
    """Scattering of gray images."""

    def fit(self, X: Any, y: Any = None) -> Scattering:
        """Make the wavelets."""
        del y
        self.scattering_ = ScatteringNumPy2D(2, X.shape[1:3])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the coefficients."""
        blocks = (self.scattering_(X[k : k + 100]) for k in range(0, len(X), 100))
        return np.concatenate([block.reshape(len(block), -1) for block in blocks])


def features(seed: int, n_comparisons: int, *, is_gray: bool) -> dict[str, Any]:
    """Return what the same output follows."""
    settings = {"n_comparisons": n_comparisons, "random_state": seed}
    calculated = PatchComparisons(**settings)
    few = {"patch_size": 5, "n_comparisons": 40, "grid": 11, "pooling": "max"}
    second = PatchComparisons((11, 11, 40), patch_size=3, **settings)
    deep = make_pipeline(PatchComparisons(**settings | few), second)
    made = {
        "calculated": calculated,
        "random": RandomFilters(**settings),
        "two layers": make_union(calculated, deep),
        "k-means": KMeansFeatures(**settings, n_exemplars=n_comparisons),
    }
    if is_gray and ScatteringNumPy2D is not None:
        made["scattering"] = Scattering()
    return made


def models(seed: int, n_comparisons: int, *, is_gray: bool) -> dict[str, Any]:
    """Return the models by name."""
    untrained = MetricInitMLPClassifier(max_iter=0, random_state=seed)
    linear = MetricInitMLPClassifier(n_comparisons=0, max_iter=0)
    made = features(seed, n_comparisons, is_gray=is_gray)
    piped = {name: make_pipeline(part, linear) for name, part in made.items()}
    ridge = StandardScaler(copy=False), RidgeClassifierCV(RIDGES)
    piped["ridge"] = make_pipeline(made["calculated"], *ridge)
    piped["default"] = make_pipeline(made["calculated"], untrained)
    return piped | {"dense": untrained, "SVM": SVC(C=10.0)}


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
    parser.add_argument("--models", nargs="+", help="all by default")
    options = parser.parse_args()
    for path in options.data:
        X, X_test, y, y_test = load(path)
        X_test, y_test = X_test[: options.test_rows], y_test[: options.test_rows]
        for rows in options.rows:
            found: dict[str, list[tuple[float, float]]] = {}
            for seed in range(options.seeds):
                order = np.random.RandomState(seed).permutation(len(X))[:rows]
                made = models(seed, options.n_comparisons, is_gray=X.ndim == 3)
                for name in options.models or made:
                    if name not in made:
                        continue
                    model = made[name]
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
