"""Initializations and other regressors on three tables.

    python benchmarks/regression.py --data FOLDER
    python benchmarks/regression.py --data FOLDER --batch-size 32
    python benchmarks/regression.py --data FOLDER --norm-constrained

``--data`` is a folder with ``NAME.csv.gz``, without a header and with the target in the
last column, and ``NAME.test_mask.csv.gz``, whose column k marks the test rows of split k.
Without it the data set is scikit-learn's diabetes, with ten splits. Features and target
are standardized by the training data for all models. The error is the root mean squared
error on the test data, divided by the deviation of the target; a constant prediction of
the mean has an error of 1.

The networks are tested after 0, 5, 20 and 100 epochs of one run at a constant rate, and
at the end. This is the default ``fit`` of the networks of this package, and convergence
for those of scikit-learn, with the default ``tol`` and ``n_iter_no_change`` and at most
1,000 epochs. The models are calculated weights (``metric``), random weights in the same
architecture (``random``), these with a fitted output (``random, ridge``), calculated
weights with a norm-constrained output (``metric, norm_constrained``), MLPRegressor with
its 100 units and with as many as the others, KNeighborsRegressor on the rows and on the
exemplars, and gradient boosting.

``--norm-constrained`` counts epochs. It compares a norm-constrained last layer with He's
random one, for the same random hidden layers (``he``, ``he, norm_constrained``) and for
calculated ones. A fifth of the training data is validation data. The table has the epochs
until the validation loss is as low as the lowest one of He's start within 200 epochs.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import Problem
from joblib import Parallel, delayed
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import ShuffleSplit, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

from skmetricmlp import MetricInitMLPRegressor

EPOCHS, MOST_EPOCHS, VALIDATED_EPOCHS = (0, 5, 20, 100), 1000, 200
FIT = {"max_iter": 20, "batch_size": "auto"}
STARTS = {
    "metric": {},
    "random": {"init": "random"},
    "random, ridge": {"init": "random", "output_init": "ridge"},
    "metric, norm_constrained": {"output_init": "norm_constrained"},
}
LAST_LAYERS = {
    "he": {"init": "he_uniform"},
    "he, norm_constrained": {"init": "he_uniform", "output_init": "norm_constrained"},
    "he, ridge": {"init": "he_uniform", "output_init": "ridge"},
    "metric, norm_constrained": {"output_init": "norm_constrained"},
    "metric, ridge": {},
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=200)
    parser.add_argument("--norm-constrained", action="store_true")
    parser.add_argument(
        "--rate", type=float, help="learning_rate_init, for --norm-constrained"
    )
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    judge = epochs_to_target if options.norm_constrained else errors
    jobs = (
        delayed(quietly)(judge, name, number, problem, options)
        for name, number, problem in problems(options.data, options.splits)
    )
    results = pd.DataFrame(chain.from_iterable(Parallel(n_jobs=options.jobs)(jobs)))
    (report_epochs if options.norm_constrained else report_errors)(results)


def problems(folder: Path | None, splits: int) -> Iterator[tuple[str, int, Problem]]:
    """Yield the name, the number of the split, and its standardized data."""
    for name, X, y, masks in tables(folder):
        for number, mask in enumerate(masks[:splits]):
            together = np.column_stack([X, y])
            mean, deviation = together[~mask].mean(axis=0), together[~mask].std(axis=0)
            rows = (together - mean) / np.where(deviation > 0, deviation, 1.0)
            train, test = rows[~mask], rows[mask]
            yield name, number, (train[:, :-1], train[:, -1], test[:, :-1], test[:, -1])


def tables(folder: Path | None) -> Iterator[tuple[str, np.ndarray, np.ndarray, Any]]:
    """Yield name, X, y and the test rows of each split, as masks (n_splits, n)."""
    if folder is None:
        X, y = load_diabetes(return_X_y=True)
        tests = [
            test for _, test in ShuffleSplit(10, test_size=0.1, random_state=0).split(X)
        ]
        yield "diabetes", X, y, [np.isin(np.arange(len(y)), test) for test in tests]
    for path in sorted(folder.glob("*.test_mask.csv.gz")) if folder else ():
        name = path.name.removesuffix(".test_mask.csv.gz")
        frame = pd.read_csv(folder / f"{name}.csv.gz", header=None).to_numpy(float)
        masks = pd.read_csv(path, header=None).to_numpy().T.astype(bool)
        yield name, frame[:, :-1], frame[:, -1], masks


def quietly(judge: Any, name: str, split: int, *arguments: Any) -> list[dict[str, Any]]:
    """Return the results of one split, on one thread and without warnings."""
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        return [{"data": name, "split": split, **r} for r in judge(split, *arguments)]


def errors(
    seed: int, problem: Problem, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Yield model, epoch (or a label in its place) and error."""
    X, y, X_test, y_test = problem

    def result(model: str, epoch: Any, regressor: Any) -> dict[str, Any]:
        residuals = regressor.predict(X_test) - y_test
        return {"model": model, "epoch": epoch, "error": np.sqrt(np.mean(residuals**2))}

    common = {"random_state": seed, "batch_size": options.batch_size}
    learners: dict[str, Any] = {
        name: MetricInitMLPRegressor(**common, **settings)
        for name, settings in STARTS.items()
    }
    first = MetricInitMLPRegressor(**common, max_iter=0).fit(X, y)
    width = len(first.intercepts_[0])
    learners["MLP 100"] = MLPRegressor(**common)
    learners["MLP same"] = MLPRegressor(hidden_layer_sizes=width, **common)
    for model, learner in learners.items():
        is_ours = isinstance(learner, MetricInitMLPRegressor)
        if is_ours:
            yield result(model, 0, learner.set_params(max_iter=0).fit(X, y))
        for epoch in range(1, max(EPOCHS) + 1):
            learner.partial_fit(X, y)
            if epoch in EPOCHS:
                yield result(model, epoch, learner)
        # Ours by the default fit, and the others until they converge.
        end = FIT if is_ours else {"max_iter": MOST_EPOCHS}
        learner.set_params(**end).fit(X, y)
        yield result(model, "end", learner) | {"epochs": learner.n_iter_}
    nearest = KNeighborsRegressor(1).fit(first.exemplars_, first.exemplar_values_)
    yield result("1-NN exemplars", "-", nearest)
    yield result("k-NN", "-", KNeighborsRegressor(5).fit(X, y))
    boosting = HistGradientBoostingRegressor(random_state=seed)
    yield result("gradient boosting", "-", boosting.fit(X, y))


def report_errors(results: pd.DataFrame) -> None:
    """Print the mean error on each data set, and the lead of the calculated start."""
    models = results["model"].unique()
    columns = [*EPOCHS, "end", "-"]
    for name, part in results.groupby("data", sort=False):
        print(f"\n{name}: error after epoch, mean over {part['split'].nunique()} splits")
        table = part.pivot_table("error", "model", "epoch").reindex(models)[columns]
        table["epochs"] = part.groupby("model")["epochs"].mean()
        print(table.to_string(float_format="{:.3f}".format, na_rep="-"))
    curves = results.pivot(index=["data", "split"], columns=["model", "epoch"])["error"]
    for peer in ("random", "random, ridge", "MLP same"):
        print(f"\nerror of metric less that of {peer}: mean, standard error over splits")
        epochs = [e for e in (*EPOCHS, "end") if (peer, e) in curves]
        lead = curves["metric"][epochs] - curves[peer][epochs]
        by_set = lead.groupby("data", sort=False)
        mean, error = by_set.mean(), by_set.sem()
        print(
            (mean.map("{:+.3f}".format) + " ± " + error.map("{:.3f}".format)).to_string()
        )


def epochs_to_target(
    seed: int, problem: Problem, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Yield the epochs to the lowest loss of He's start, for each last layer."""
    X, X_val, y, y_val = train_test_split(*problem[:2], test_size=0.2, random_state=seed)
    curves = {}
    for name, settings in LAST_LAYERS.items():
        regressor = MetricInitMLPRegressor(
            random_state=seed,
            batch_size=options.batch_size,
            learning_rate_init=options.rate or "auto",
            max_iter=VALIDATED_EPOCHS,
            learning_rate="constant",
            trained_share=1.0,
            tol=0.0,
            n_iter_no_change=VALIDATED_EPOCHS,
            **settings,
        ).fit(X, y, X_val=X_val, y_val=y_val)
        curve = regressor.validation_loss_curve_
        untrained = regressor.set_params(max_iter=0).fit(X, y).predict(X_val)
        start = float(np.mean((untrained - y_val) ** 2) / (2 * y.var()))
        curves[name] = np.array([start, *curve])
    target = curves["he"].min()
    for name, curve in curves.items():
        reached = curve <= target
        yield {
            "model": name,
            "start": curve[0],
            "best": curve.min(),
            "epochs": reached.argmax() if reached.any() else np.nan,
        }


def report_epochs(results: pd.DataFrame) -> None:
    """Print the epochs that each last layer needs to the lowest loss of He's start."""
    models = results["model"].unique()
    epochs = results.pivot(index=["data", "split"], columns="model", values="epochs")
    share = epochs.div(epochs["he"], axis=0)
    for name, part in results.groupby("data", sort=False):
        table = part.groupby("model")[["start", "best"]].mean().reindex(models)
        table["reached"] = epochs.loc[name].notna().mean()
        # A run that never reaches the loss counts as infinite in the median.
        table["median epochs"] = epochs.loc[name].fillna(np.inf).median()
        table["mean share, where reached"] = share.loc[name].mean()
        print(f"\n{name}: loss on validation rows before training and at its lowest, and")
        print("epochs until it is the lowest of He's start, also as a share of He's")
        print(table.to_string(float_format="{:.3f}".format))
    print("\nall sets: mean share of He's epochs, where reached; how often reached")
    overall = pd.DataFrame({"share": share.mean(), "reached": epochs.notna().mean()})
    print(overall.reindex(models).to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
