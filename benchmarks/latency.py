"""Latency and size of files beside scikit-learn's MLPClassifier of the same width.

    python benchmarks/latency.py
    python benchmarks/latency.py --n-neighbors 1
    python benchmarks/latency.py --n-neighbors 1 --tied

Each model predicts the probabilities of one row and of 1,000 rows, with NumPy and with
onnxruntime in single precision, on one thread. The models take turns, so that the ratios
are reliable on a noisy machine. Each ratio is the median over the turns of the time of a
model divided by that of ``MLPClassifier``. "complete" is the conversion with the option
``missing=False``, for rows in which nothing is missing; with ``--tied`` both are the
same. Files are in KiB. That of ``MLPClassifier`` has the state of its optimizer too.
"""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import skl2onnx
import skops.io
from onnxruntime import InferenceSession, SessionOptions
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.onnx import OPSET, to_onnx

PEER = "MLPClassifier"
N_ROWS = (1, 1000)
EPOCHS = 2


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-neighbors", type=int, choices=[1])
    parser.add_argument("--tied", action="store_true", help="with --n-neighbors 1")
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)

    parameters = {"n_neighbors": options.n_neighbors, "tied": options.tied}
    for load in (load_digits, load_breast_cancer):
        X, y = load(return_X_y=True)
        X = StandardScaler().fit_transform(X)
        ours = MetricInitMLPClassifier(max_iter=EPOCHS, random_state=0, **parameters)
        ours.fit(X, y)
        widths = [layer.n_out for layer in ours.network_.layers]
        peer = MLPClassifier(widths[:-1], max_iter=EPOCHS, random_state=0).fit(X, y)
        shape = "-".join(map(str, [X.shape[1], *widths]))
        print(f"\n{load.__name__.removeprefix('load_')}, {shape}:")
        table = pd.concat([latencies(ours, peer, X, options.turns), sizes(ours, peer, X)])
        print(table.T.to_string(float_format="{:.3g}".format, na_rep="-"))


def models(ours: Any, peer: Any, X: np.ndarray) -> dict[str, Any]:
    """Return estimators and models of ONNX by name."""
    complete = {id(ours): {"zipmap": False, "missing": False}}
    return {
        "metric": ours,
        "metric, ONNX": to_onnx(ours, X),
        "metric, ONNX, complete": to_onnx(ours, X, options=complete),
        PEER: peer,
        f"{PEER}, ONNX": skl2onnx.to_onnx(
            peer,
            X[:1].astype(np.float32),
            options={"zipmap": False},
            target_opset=dict(OPSET),
        ),
    }


def latencies(ours: Any, peer: Any, X: np.ndarray, turns: int) -> pd.DataFrame:
    """Return the median times in ms, and their ratios to those of the peer."""
    functions = {name: predictor(model) for name, model in models(ours, peer, X).items()}
    rows = {}
    for n_rows in N_ROWS:
        batch = np.resize(X, (n_rows, X.shape[1]))
        with threadpool_limits(1):
            times = pd.DataFrame(
                [
                    {name: seconds(predict, batch) for name, predict in functions.items()}
                    for _ in range(turns if n_rows == 1 else turns // 4)
                ]
            )
        ratios = times.div(times[PEER], axis=0)
        label = "1 row" if n_rows == 1 else f"{n_rows} rows"
        rows[f"{label} (ms)"] = 1000 * times.median()
        rows[f"{label} / peer"] = ratios.median()
    return pd.DataFrame(rows).T


def predictor(model: Any) -> Callable[[np.ndarray], Any]:
    """Return the function that predicts probabilities, of rows in double precision."""
    if hasattr(model, "predict_proba"):
        predict: Callable[[np.ndarray], Any] = model.predict_proba
        return predict
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(model.SerializeToString(), options)
    return lambda X: session.run(["probabilities"], {"X": X.astype(np.float32)})


def seconds(predict: Callable[[np.ndarray], Any], X: np.ndarray) -> float:
    predict(X)  # so that the cache has nothing of the model before
    start = perf_counter()
    predict(X)
    return perf_counter() - start


def sizes(ours: Any, peer: Any, X: np.ndarray) -> pd.DataFrame:
    """Return the sizes of the files in KiB."""
    rows: dict[str, dict[str, float]] = {}
    for name, model in models(ours, peer, X).items():
        files = (
            {"ONNX": model.SerializeToString()}
            if hasattr(model, "SerializeToString")
            else {"pickle": pickle.dumps(model), "skops": skops.io.dumps(model)}
        )
        rows[name] = {f"{kind} (KiB)": len(file) / 1024 for kind, file in files.items()}
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
