"""Data sets and settings for several benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

Problem = tuple[np.ndarray, ...]  # X_train, y_train, X_test, y_test
LOADERS = (load_iris, load_wine, load_digits, load_breast_cancer)
LEAST_ROWS, MOST_CLASSES = 4, 26
SOURCE = {"n_neighbors": 1}  # the three-layer network of the source


def tables(folder: Path | None = None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, X and class codes: scikit-learn's four sets and CSV files.

    The files have no header, and the label in the last column. Classes with fewer than
    four rows and data sets with more than 26 classes are left out.
    """
    for load in LOADERS:
        yield load.__name__.removeprefix("load_"), *load(return_X_y=True)
    for path in sorted(folder.glob("*.csv")) if folder else ():
        frame = pd.read_csv(path, header=None, sep=None, engine="python").dropna()
        y = frame.iloc[:, -1].astype(str)
        frame = frame[y.map(y.value_counts()) >= LEAST_ROWS]
        codes, labels = pd.factorize(y[frame.index])
        if len(labels) <= MOST_CLASSES:
            features = pd.get_dummies(frame.iloc[:, :-1]).to_numpy(float)
            yield path.stem, features, codes


def split(
    X: np.ndarray, y: np.ndarray, seed: int, most_rows: int | None = None
) -> Problem:
    """Return training data and 30 % test data, stratified and standardized."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=seed
    )
    X_train, y_train = X_train[:most_rows], y_train[:most_rows]
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), y_train, scaler.transform(X_test), y_test


def few(problem: Problem, labels: int | None) -> Problem:
    """Keep the first training rows of each class, if their number is given."""
    X, y, *test = problem
    if labels is None:
        return problem
    kept = (pd.Series(y).groupby(y).cumcount() < labels).to_numpy()
    return X[kept], y[kept], *test


def mnist(path: Path, rows: int | None = None) -> Problem:
    """Return training data, or its first rows, and test data, with values from 0 to 1.

    The arrays of the .npz file are x_train (60000, 28, 28), y_train, x_test (10000, 28,
    28) and y_test.
    """
    with np.load(path) as arrays:
        x_train, y_train, x_test, y_test = (
            arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")
        )
    x_train, y_train = x_train[:rows], y_train[:rows]
    x_train, x_test = (
        x.reshape(len(x), -1).astype(np.float32) / 255 for x in (x_train, x_test)
    )
    return x_train, y_train, x_test, y_test


def high_water() -> float:
    """Return the peak memory of this process in MiB; NaN where there is no /proc."""
    # ru_maxrss would start with the peak of the parent process.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(sizes[0]) / 1024 if sizes else float("nan")
