"""Streams whose first call of ``partial_fit`` has few rows.

    python benchmarks/streams.py
    python benchmarks/streams.py --first 1 --data wine
    python benchmarks/streams.py --speed

The models are trained once on each of scikit-learn's data sets, in a random order, one
row at a time after the first call. Each row is predicted before the model is trained on
it. The tables have the accuracy of the last 100 predictions, or in a regression their
mean absolute error, as the mean over ``--orders`` orders. Features are standardized by
all rows, of which there are at most 400.

With ``--speed`` the table has the time of a call with one row after 1,000 and 10,000
calls, divided by that after 100 calls. The times are medians over the last tenth of these
calls, for our classifier and scikit-learn's MLPClassifier of the same width, which take
turns.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

DATA: dict[str, Callable[..., Any]] = {
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
    "diabetes": load_diabetes,
}
CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    "metric": lambda seed: MetricInitMLPClassifier(random_state=seed),
    "random": lambda seed: MetricInitMLPClassifier("random", random_state=seed),
    "MLP": lambda seed: MLPClassifier(random_state=seed),
    "SGD": lambda seed: SGDClassifier(loss="log_loss", random_state=seed),
}
REGRESSORS: dict[str, Callable[[int], Any]] = {
    "metric": lambda seed: MetricInitMLPRegressor(random_state=seed),
    "random": lambda seed: MetricInitMLPRegressor("random", random_state=seed),
    "MLP": lambda seed: MLPRegressor(random_state=seed),
    "SGD": lambda seed: SGDRegressor(random_state=seed),
}
MOST_ROWS, LAST = 400, 100
SPEED_CALLS = (100, 1000, 10000)


def main() -> None:
    """Print a table for each data set, or the times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--first", type=int, nargs="+", default=[1, 5, 30, 60])
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--learners", nargs="+", choices=CLASSIFIERS)
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # the first call has few rows
    if options.speed:
        print(speed().to_string(float_format="{:.2f}".format))
        return
    for name in options.data:
        X, y = DATA[name](return_X_y=True)
        learners = REGRESSORS if name == "diabetes" else CLASSIFIERS
        table = pd.DataFrame(
            {
                learner: {
                    first: np.mean(
                        [
                            stream(learners[learner](seed), X, y, first, seed)
                            for seed in range(options.orders)
                        ]
                    )
                    for first in options.first
                }
                for learner in options.learners or learners
            }
        )
        print(f"\n{name}, rows in the first call:")
        decimals = 1 if name == "diabetes" else 3
        print(table.to_string(float_format=f"{{:.{decimals}f}}".format), flush=True)


def stream(model: Any, X: np.ndarray, y: np.ndarray, first: int, seed: int) -> float:
    """Return the accuracy or mean absolute error of the last predictions of a stream."""
    order = np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS]
    X = (X - X.mean(axis=0)) / (X.std(axis=0) + (X.std(axis=0) == 0))
    X, y, classes = X[order], y[order], np.unique(y)
    declared = {"classes": classes} if is_classifier(model) else {}
    model.partial_fit(X[:first], y[:first], **declared)
    predictions = []
    for k in range(first, len(y)):
        predictions.append(model.predict(X[[k]])[0])
        model.partial_fit(X[[k]], y[[k]])
    predicted, true = np.array(predictions)[-LAST:], y[first:][-LAST:]
    if is_classifier(model):
        return float(np.mean(predicted == true))
    return float(np.mean(abs(predicted - true)))


def speed() -> pd.DataFrame:
    """Return the time of a call, divided by that of the first ones."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    models = {
        "metric": MetricInitMLPClassifier(n_comparisons=30, random_state=0),
        "MLP": MLPClassifier((870,), random_state=0),
    }
    for model in models.values():
        model.partial_fit(X[:300], y[:300], classes=np.unique(y))
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for k in range(SPEED_CALLS[-1]):
        rows = slice(k % len(y), k % len(y) + 1)
        for name, model in models.items():
            start = perf_counter()
            model.partial_fit(X[rows], y[rows])
            seconds[name].append(perf_counter() - start)
    table = pd.DataFrame(
        {
            name: {n: np.median(times[n - n // 10 : n]) for n in SPEED_CALLS}
            for name, times in seconds.items()
        }
    )
    table["metric / MLP"] = table["metric"] / table["MLP"]
    for name in models:
        table[name] /= table[name].iloc[0]
    return table.rename_axis("call")


if __name__ == "__main__":
    main()
