"""What many rows, columns and classes take.

    python benchmarks/limits.py

Networks of default settings and ``max_iter=0`` are fitted to numbers drawn by
scikit-learn, each in a process of its own. ``fit s`` is processor time, which hardly
depends on what else runs. ``peak MiB`` is the most memory of the process beyond that of
the data, and ``data MiB`` is the size of X.
"""

from __future__ import annotations

import pickle
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from datasets import high_water
from sklearn.datasets import make_classification

from skmetricmlp import MetricInitMLPClassifier

RESET_PEAK = Path("/proc/self/clear_refs")  # of Linux
# Rows, columns, classes, and the share of numbers that are not zero.
CASES = [
    (10_000, 20, 2, 1.0),
    (100_000, 20, 2, 1.0),
    (1_000_000, 20, 2, 1.0),
    (2_000, 1_000, 2, 1.0),
    (2_000, 10_000, 2, 1.0),
    (2_000, 100_000, 2, 0.001),
    (20_000, 20, 100, 1.0),
    (20_000, 20, 1_000, 1.0),
]


def main() -> None:
    rows = []
    for case in CASES:
        with get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measured, case))
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:,.4g}".format))


def measured(n: int, d: int, n_classes: int, density: float) -> dict[str, float]:
    X, y = drawn(n, d, n_classes, density)
    size = X.data.nbytes / 2**20
    RESET_PEAK.write_text("5")
    before = high_water()
    start = time.process_time()
    clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
    fitted = time.process_time()
    clf.predict(X[:1000])
    return {
        "rows": n,
        "columns": d,
        "classes": n_classes,
        "data MiB": size,
        "fit s": fitted - start,
        "predict 1000 rows s": time.process_time() - fitted,
        "peak MiB": high_water() - before,
        "pickle KiB": len(pickle.dumps(clf)) / 1024,
    }


def drawn(n: int, d: int, n_classes: int, density: float) -> tuple[np.ndarray, ...]:
    if density < 1:
        X = sp.random(n, d, density, "csr", random_state=0)
        half = np.asarray(X[:, : d // 2].sum(axis=1)).ravel()
        return X, (half > np.median(half)).astype(int)
    X, y = make_classification(
        n,
        d,
        n_informative=10,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=0,
    )
    return X, y


if __name__ == "__main__":
    main()
