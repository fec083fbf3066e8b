"""Latency and size of files beside scikit-learn's MLPClassifier of the same width.

    python benchmarks/latency.py
    python benchmarks/latency.py --n-neighbors 1
    python benchmarks/latency.py --n-neighbors 1 --tied
    python benchmarks/latency.py --frame

Each model predicts the probabilities of one row and of 1,000 rows, with NumPy and with
onnxruntime in single precision, on one thread. The models take turns, so that the ratios
are reliable on a noisy machine. Each ratio is the median over the turns of the time of a
model divided by that of ``MLPClassifier``. "complete" is the conversion with the option
``missing=False``, for rows in which nothing is missing; with ``--tied`` both are the
same. Files are in KiB. That of ``MLPClassifier`` has the state of its optimizer too.

With ``--frame`` the rows are of a pandas data frame of ten numbers and five categories.
The peer is then ``MLPClassifier`` in a pipeline, after a ``ColumnTransformer`` with
``SimpleImputer``, ``StandardScaler`` and ``OneHotEncoder``.
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
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
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
    parser.add_argument("--frame", action="store_true", help="rows of a data frame")
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)

    if options.frame:
        print("\na data frame of ten numbers and five categories:")
        table = latencies(*frame(), options.turns)
        print(table.T.to_string(float_format="{:.3g}".format))
        return
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
        made = models(ours, peer, X)
        table = pd.concat([latencies(made, X, options.turns), sizes(made)])
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


def frame() -> tuple[dict[str, Any], pd.DataFrame]:
    """Return estimators of a data frame by name, and the frame."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2000, 10))).add_prefix("number_")
    for k in range(5):
        X[f"category_{k}"] = pd.Categorical(rng.choice(list("abcdef"), len(X)))
    y = X["number_0"] + (X["category_0"] == "a") > 0
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), X.columns[:10]),
        (OneHotEncoder(handle_unknown="ignore"), X.columns[10:]),
    )
    ours = MetricInitMLPClassifier(max_iter=EPOCHS, random_state=0).fit(X, y)
    peer = MLPClassifier(ours.network_.layers[0].n_out, max_iter=EPOCHS, random_state=0)
    boosting = HistGradientBoostingClassifier(categorical_features="from_dtype")
    made = {
        "metric": ours,
        f"{PEER} in a pipeline": make_pipeline(columns, peer).fit(X, y),
        "HistGradientBoosting": boosting.fit(X, y),
    }
    return made, X


def latencies(made: dict[str, Any], X: Any, turns: int) -> pd.DataFrame:
    """Return the median times in ms, and their ratios to those of the peer."""
    functions = {name: predictor(model) for name, model in made.items()}
    rows = {}
    for n_rows in N_ROWS:
        rows_of = np.arange(n_rows) % len(X)
        batch = X.iloc[rows_of] if isinstance(X, pd.DataFrame) else X[rows_of]
        with threadpool_limits(1):
            times = pd.DataFrame(
                [
                    {name: seconds(predict, batch) for name, predict in functions.items()}
                    for _ in range(turns if n_rows == 1 else turns // 4)
                ]
            )
        peer = next(name for name in times if name.startswith(PEER))
        ratios = times.div(times[peer], axis=0)
        label = "1 row" if n_rows == 1 else f"{n_rows} rows"
        rows[f"{label} (ms)"] = 1000 * times.median()
        rows[f"{label} / peer"] = ratios.median()
    return pd.DataFrame(rows).T


def predictor(model: Any) -> Callable[[Any], Any]:
    """Return the function that predicts probabilities, of rows in double precision."""
    if hasattr(model, "predict_proba"):
        predict: Callable[[Any], Any] = model.predict_proba
        return predict
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(model.SerializeToString(), options)
    return lambda X: session.run(["probabilities"], {"X": X.astype(np.float32)})


def seconds(predict: Callable[[Any], Any], X: Any) -> float:
    predict(X)  # so that the cache has nothing of the model before
    start = perf_counter()
    predict(X)
    return perf_counter() - start


def sizes(made: dict[str, Any]) -> pd.DataFrame:
    """Return the sizes of the files in KiB."""
    rows: dict[str, dict[str, float]] = {}
    for name, model in made.items():
        files = (
            {"ONNX": model.SerializeToString()}
            if hasattr(model, "SerializeToString")
            else {"pickle": pickle.dumps(model), "skops": skops.io.dumps(model)}
        )
        rows[name] = {f"{kind} (KiB)": len(file) / 1024 for kind, file in files.items()}
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
