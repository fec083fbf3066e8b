"""What several test modules share, and a setting made before scikit-learn is imported."""

import os

# scikit-learn 1.6 refuses to load its estimator checks beside array-api-compat without.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def mixed_frame():
    """Numbers, categories, truth values and times, each with missing values."""
    rng = np.random.default_rng(0)
    n = 120
    label = rng.choice(["no", "yes"], n)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n) + 3 * (label == "yes"),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "color": rng.choice(["red", "green"], n),
            "open": pd.array(rng.random(n) < 0.5, dtype="boolean"),
            "day": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(rng.integers(0, 99, n), "D"),
            "label": label,
        }
    )
    for column in ("size", "count", "color", "open", "day"):
        frame.loc[rng.choice(n, 10, replace=False), column] = None
    return frame
