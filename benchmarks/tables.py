"""The default settings and their strongest rivals on a folder of tables, in one run.

    python benchmarks/tables.py --data FOLDER --results FILE
    python benchmarks/tables.py --data FOLDER --results FILE --rows 2000 10000 --splits 3
    python benchmarks/tables.py --data FOLDER --results FILE --labels 5 10 20 50
    python benchmarks/tables.py --data FOLDER --results FILE --epochs 5 20 50
    python benchmarks/tables.py --data FOLDER --results FILE --models NAME NAME
    python benchmarks/tables.py --data FOLDER --results FILE --curve --models NAME
    python benchmarks/tables.py --results FILE --report

``--data`` is a folder of Parquet files. The column ``target`` is predicted: values if it
is of floats, and classes otherwise. Other columns are numbers or categories, and may have
missing values. Each result is written to ``--results`` when it is there, and is not
calculated again, so that an interrupted run goes on.

All models see the same splits. Boosting reads the table as it is. The others read it
encoded: numbers with the median for missing ones and a column that tells which are
missing, standardized, and categories one-hot. ``calculated`` has the default settings
without training, and ``calculated, trained`` with it; ``calculated, as it is`` reads the
table as boosting does. ``trained, as it is``, ``trained, ordinal`` and ``trained, skrub``
are other pipelines before the same network, for ``--models``: none, categories as
numbers, and skrub's, which is optional. ``random, fitted`` are as many
random units with the same closed-form output, trained or not. ``random, joined`` are
random units in the architecture of ``calculated``. With ``--epochs`` networks are
compared after so many epochs of ``--batch-size`` rows: calculated and fitted random ones,
which go as far as held-out rows confirm, random ones, and scikit-learn's of the same
width. ``RealMLP`` (D. Holzmueller et al., NeurIPS 2024), for ``--models``, is that of
pytabkit, which is optional. It reads categories as they are, and numbers with the median
for missing ones. ``--curve`` adds smaller calculated networks, trained or not.

``--details`` prints every table. Where the network was judged untrained and trained, on
two splits or more, it also prints what training changes on each table: the mean over the
splits of the paired differences, with its standard error, and the tables that are worse
by more than that.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import friedmanchisquare, rankdata, studentized_range
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor

OURS, TRAINED, AS_IT_IS = "calculated", "calculated, trained", "calculated, as it is"
MOST_TEST_ROWS, MOST_CATEGORIES, N_TREES = 3000, 20, 200
# A larger number of rows is tried on tables that have this many times more.
LEAST_GROWTH = 1.25
LEAST_PROBABILITY = 1e-7

Factory = Callable[[int], Any]


class Problem(NamedTuple):
    """Training and test data of one split; y has class codes or standardized values."""

    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray
    n_classes: int


def encoded(model: Any) -> Any:
    """Encode a table of numbers and categories before a model."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
    )
    categories = OneHotEncoder(
        max_categories=MOST_CATEGORIES, handle_unknown="ignore", sparse_output=False
    )
    is_category = make_column_selector(dtype_include="category")
    columns = ColumnTransformer(
        [("categories", categories, is_category)], remainder=numbers
    )
    return make_pipeline(columns, model)


def without_holes(model: Any) -> Any:
    """Impute numbers before a model that reads categories itself."""
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    is_number = make_column_selector(dtype_exclude="category")
    columns = ColumnTransformer(
        [("numbers", imputer, is_number)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(columns.set_output(transform="pandas"), model)


def ordinal(model: Any) -> Any:
    """Encode categories by numbers before a model, and impute and standardize all."""
    is_category = make_column_selector(dtype_include="category")
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("codes", codes, is_category)], remainder="passthrough")
    return make_pipeline(columns, SimpleImputer(), StandardScaler(), model)


def vectorized(model: Any) -> Any:
    """Encode a table by skrub's default before a model."""
    import skrub  # noqa: PLC0415 - optional

    return skrub.tabular_pipeline(model)


def _boosting(kind: Any, seed: int, **settings: Any) -> Any:
    return kind(categorical_features="from_dtype", random_state=seed, **settings)


def _as_it_is(kind: Any, seed: int, **settings: Any) -> Any:
    return kind(random_state=seed, **settings)


def _piped(pipeline: Callable[[Any], Any]) -> tuple[Factory, Factory]:
    """Return the networks of this package, trained, behind a pipeline."""
    return (
        lambda seed: pipeline(MetricInitMLPClassifier(random_state=seed)),
        lambda seed: pipeline(MetricInitMLPRegressor(random_state=seed)),
    )


WIDTH = 1599
RANDOM = {"init": "random", "output_init": "ridge"}
PLAIN = RANDOM | {"n_comparisons": WIDTH, "n_conjunctions": 0}


def _of(kind: Any, **settings: Any) -> Factory:
    return lambda seed: encoded(kind(random_state=seed, **settings))


def _networks(**settings: Any) -> tuple[Factory, Factory]:
    """Return a network of this package, for classes and for values."""
    kinds = MetricInitMLPClassifier, MetricInitMLPRegressor
    of_classes, of_values = (_of(kind, **settings) for kind in kinds)
    return of_classes, of_values


def _fixed(kind: Any, *args: Any, **settings: Any) -> Factory:
    return lambda _: encoded(kind(*args, **settings))


def _real_mlp(name: str) -> Factory:
    def make(seed: int) -> Any:
        import pytabkit  # noqa: PLC0415 - optional
        import torch  # noqa: PLC0415 - optional

        # As many threads as other models have: by default it takes all cores.
        kind, n_threads = getattr(pytabkit, name), torch.get_num_threads()
        return without_holes(kind(random_state=seed, n_threads=n_threads))

    return make


# By name: for classes, and for values.
MODELS: dict[str, tuple[Factory, Factory]] = {
    OURS: _networks(max_iter=0),
    TRAINED: _networks(),
    AS_IT_IS: (
        partial(_as_it_is, MetricInitMLPClassifier, max_iter=0),
        partial(_as_it_is, MetricInitMLPRegressor, max_iter=0),
    ),
    "trained, as it is": (
        partial(_as_it_is, MetricInitMLPClassifier),
        partial(_as_it_is, MetricInitMLPRegressor),
    ),
    "trained, ordinal": _piped(ordinal),
    "trained, skrub": _piped(vectorized),
    "random, fitted": _networks(**PLAIN, max_iter=0),
    "random, fitted, trained": _networks(**PLAIN),
    "random, joined": _networks(**RANDOM, max_iter=0),
    "boosting": (
        partial(_boosting, HistGradientBoostingClassifier),
        partial(_boosting, HistGradientBoostingRegressor),
    ),
    "boosting, leaf 2": (
        partial(_boosting, HistGradientBoostingClassifier, min_samples_leaf=2),
        partial(_boosting, HistGradientBoostingRegressor, min_samples_leaf=2),
    ),
    "random forest": (
        _of(RandomForestClassifier, n_estimators=N_TREES),
        _of(RandomForestRegressor, n_estimators=N_TREES),
    ),
    "extra trees": (
        _of(ExtraTreesClassifier, n_estimators=N_TREES),
        _of(ExtraTreesRegressor, n_estimators=N_TREES),
    ),
    "SVM": (
        # Probabilities by cross-validation, as SVC(probability=True) had them.
        _fixed(CalibratedClassifierCV, SVC(), ensemble=False),
        _fixed(SVR),
    ),
    "linear": (
        _fixed(LogisticRegression, max_iter=1000),
        _fixed(RidgeCV, np.logspace(-3, 3, 13)),
    ),
    "k-NN": (_fixed(KNeighborsClassifier), _fixed(KNeighborsRegressor)),
    "MLP": (_of(MLPClassifier), _of(MLPRegressor)),
    "RealMLP": (_real_mlp("RealMLP_TD_Classifier"), _real_mlp("RealMLP_TD_Regressor")),
}
PIPELINES = "trained, as it is", "trained, ordinal", "trained, skrub"
NOT_BY_DEFAULT = "RealMLP", *PIPELINES


def of_sizes() -> dict[str, tuple[Factory, Factory]]:
    """Return networks that are fitted sooner than the default one."""
    return {
        f"{n} comparisons, {epochs} epochs": _networks(n_comparisons=n, max_iter=epochs)
        for n in (100, 200, 400)
        for epochs in (0, 20)
    }


def trained(epochs: int, batch_size: int) -> dict[str, tuple[Factory, Factory]]:
    """Return the networks to compare after so many epochs of so many rows per step."""
    steps = {"max_iter": epochs, "batch_size": batch_size}
    ours = {OURS: {}, "random, fitted": PLAIN, "random": {"init": "random"}}
    models = {name: _networks(**given | steps) for name, given in ours.items()}
    wide = {"hidden_layer_sizes": (WIDTH,), **steps}
    models["MLP"] = (_of(MLPClassifier, **wide), _of(MLPRegressor, **wide))
    return {f"{name}, {epochs} epochs": pair for name, pair in models.items()}


def split(
    table: pd.DataFrame, seed: int, rows: int | None, labels: int | None
) -> Problem:
    """Divide a table into training data, of so many rows or labels, and test data."""
    order = np.random.RandomState(seed).permutation(len(table))
    n_train = int(0.7 * len(table))
    n_test = min(len(table) - n_train, MOST_TEST_ROWS)
    train, test = order[:n_train], order[n_train : n_train + n_test]
    X, target = table.drop(columns="target"), table["target"]
    if target.dtype.kind == "f":
        train = train[:rows]
        y = target.to_numpy(float)
        y = (y - y[train].mean()) / (y[test].std() or 1.0)
        return Problem(X.iloc[train], y[train], X.iloc[test], y[test], 0)
    codes = pd.factorize(target.astype(str), sort=True)[0]
    train = train[:rows]
    if labels:
        train = few_labels(train, codes, labels)
    known = np.unique(codes[train])
    test = test[np.isin(codes[test], known)]
    y = np.searchsorted(known, codes[np.concatenate([train, test])])
    n = len(train)
    return Problem(X.iloc[train], y[:n], X.iloc[test], y[n:], len(known))


def few_labels(rows: np.ndarray, codes: np.ndarray, labels: int) -> np.ndarray:
    """Keep the first rows of each class, so many at most."""
    return rows[(pd.Series(codes[rows]).groupby(codes[rows]).cumcount() < labels)]


def judge(problem: Problem, name: str, seed: int) -> dict[str, Any]:
    """Fit one model, and return its measures and seconds, or its error."""
    make = MODELS[name][0 if problem.n_classes else 1]
    try:
        with warnings.catch_warnings(action="ignore"):
            start = time.perf_counter()
            model = make(seed).fit(problem.X, problem.y)
            fitted = time.perf_counter()
            predict = model.predict_proba if problem.n_classes else model.predict
            predicted = predict(problem.X_test)
            seconds = {"fit": fitted - start, "predict": time.perf_counter() - fitted}
    except Exception as error:  # noqa: BLE001 - one model does not end the run
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    return measures(problem, predicted) | seconds


def measures(problem: Problem, predicted: np.ndarray) -> dict[str, float]:
    """Accuracy and log loss of probabilities, or RMSE over the deviation of the tests."""
    y = problem.y_test
    if not problem.n_classes:
        return {"rmse": float(np.sqrt(np.mean((np.ravel(predicted) - y) ** 2)))}
    p = np.clip(predicted, LEAST_PROBABILITY, 1.0)
    p /= p.sum(axis=1, keepdims=True)
    return {
        "accuracy": float(np.mean(p.argmax(axis=1) == y)),
        "log loss": float(-np.mean(np.log(p[np.arange(len(y)), y]))),
    }


def settings(options: argparse.Namespace, n: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the sizes that a table of n rows is judged at."""
    if options.labels:
        yield from ((f"{k} labels", {"rows": None, "labels": k}) for k in options.labels)
        return
    before = 0.0
    for rows in sorted(np.inf if r == "all" else float(r) for r in options.rows):
        available = min(rows, int(0.7 * n))
        if available >= LEAST_GROWTH * before or not before:
            limit = None if rows == np.inf else int(rows)
            name = "all rows" if limit is None else f"{limit} rows"
            yield name, {"rows": limit, "labels": None}
        before = max(before, available)


def run_table(
    path: Path, options: argparse.Namespace, done: set[tuple[Any, ...]]
) -> None:
    """Judge all models on one table, and append each result to the file."""
    table = pd.read_parquet(path)
    is_class = table["target"].dtype.kind != "f"
    if options.labels and not is_class:
        return
    for size, limits in settings(options, len(table)):
        for seed in range(options.seed, options.seed + options.splits):
            missing = [
                m for m in options.models if (path.stem, size, seed, m) not in done
            ]
            problem = split(table, seed, **limits) if missing else None
            for name in missing:
                assert problem is not None  # noqa: S101
                key = {"table": path.stem, "size": size, "seed": seed, "model": name}
                task = {"task": "classes" if is_class else "values"}
                with threadpool_limits(1 if options.jobs > 1 else None):
                    result = judge(problem, name, seed)
                with options.results.open("a") as file:
                    file.write(json.dumps(key | task | result) + "\n")


def read(path: Path) -> pd.DataFrame:
    """Return all results of a file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return pd.DataFrame([json.loads(line) for line in lines])


def ranks(table: pd.DataFrame, *, descending: bool) -> pd.DataFrame:
    """Rank the models (columns) on each table (row); a failed one is last."""
    worst = -np.inf if descending else np.inf
    values = table.fillna(worst).to_numpy() * (-1 if descending else 1)
    ranked = np.apply_along_axis(rankdata, 1, values)
    return pd.DataFrame(ranked, table.index, table.columns)


def critical_difference(n_models: int, n_tables: int, alpha: float = 0.05) -> float:
    """Difference of mean ranks that is significant by the test of Nemenyi.

    J. Demsar, Journal of Machine Learning Research 7, 2006.
    """
    q = studentized_range.ppf(1.0 - alpha, n_models, np.inf) / np.sqrt(2.0)
    return float(q * np.sqrt(n_models * (n_models + 1) / (6.0 * n_tables)))


def changes(part: pd.DataFrame, before: str, after: str) -> pd.DataFrame:
    """Return what a model changes on each table, as means over splits and their errors.

    Differences are paired by the split, and losses are in percent of the mean before.
    """
    columns = {}
    for name in ("accuracy", "log loss", "rmse"):
        if name not in part or part[name].isna().all():
            continue
        values = part.pivot_table(name, ["table", "seed"], "model")
        differences = (values[after] - values[before]).groupby("table")
        is_loss = name != "accuracy"
        factor = 100.0 / values[before].groupby("table").mean() if is_loss else 1.0
        label = f"{name}, %" if is_loss else name
        columns[label] = factor * differences.mean()
        columns[f"+- {label}"] = factor * differences.sem()
    return pd.DataFrame(columns)


def print_changes(part: pd.DataFrame, before: str, after: str) -> None:
    """Print what a model changes on each table, and on how many it is worse."""
    table = changes(part, before, after)
    print(f"{after!r} less {before!r}, by table")
    print(pd.concat([table, table.mean().to_frame("mean").T]).round(4).to_string())
    for name in table.columns[::2]:
        loss = table[name] * (-1 if name == "accuracy" else 1)
        is_worse = loss > table[f"+- {name}"]
        names = ", ".join(table.index[is_worse]) or "none"
        n = f"{is_worse.sum()} of {len(table)}"
        print(f"{name}: worse by more than a standard error on {n}: {names}")


def print_tables(part: pd.DataFrame, mean: pd.DataFrame, order: list[str]) -> None:
    """Print the measures of each table, and what training changes."""
    for name in ("accuracy", "log loss", "rmse"):
        if name in mean and mean[name].notna().any():
            print(f"{name}\n{mean[name].unstack()[order].round(4).to_string()}")
    if {OURS, TRAINED} <= set(order) and len(set(part["seed"])) > 1:
        print_changes(part, OURS, TRAINED)


def report(results: pd.DataFrame, *, details: bool) -> None:
    """Print the tables of all sizes."""
    errors = results[results["error"].notna()] if "error" in results else results[:0]
    for (size, task), part in results.groupby(["size", "task"], sort=False):
        first, descending = ("accuracy", True) if task == "classes" else ("rmse", False)
        mean = part.groupby(["table", "model"]).mean(numeric_only=True)
        by_model = mean[first].unstack()
        order = [name for name in MODELS if name in by_model]
        by_model = by_model[order]
        if len(by_model) < 2 or len(order) < 2:
            continue
        ranked = ranks(by_model, descending=descending)
        summary = pd.DataFrame(
            {"mean rank": ranked.mean(), f"mean {first}": by_model.mean()}
        )
        if task == "classes":
            losses = mean["log loss"].unstack()[order]
            summary["mean log loss"] = losses.mean()
            summary["rank of loss"] = ranks(losses, descending=False).mean()
        else:
            reference = by_model[OURS] if OURS in by_model else by_model.iloc[:, 0]
            ratios = np.log(by_model.div(reference, axis=0))
            summary["ratio to ours"] = np.exp(ratios.mean())
        for phase in ("fit", "predict"):
            summary[f"{phase} s"] = mean[phase].unstack()[order].mean()
        fits = mean["fit"].unstack()[order]
        for rival in sorted({"boosting", "RealMLP"}.intersection(order)):
            ratios = fits.div(fits[rival], axis=0)
            summary[f"fit / {rival}"] = ratios.median()
        if OURS in order:
            differences = by_model.rsub(by_model[OURS], axis=0)
            summary["ours ahead by"] = differences.mean() * (1 if descending else -1)
            summary["+-"] = differences.sem()
        n_splits = part["seed"].nunique()
        print(f"\n=== {size}, {task}: {len(by_model)} tables, {n_splits} splits ===")
        print(summary.sort_values("mean rank").round(4).to_string())
        cd = critical_difference(len(order), len(by_model))
        line = f"critical difference of mean ranks (Nemenyi, .05): {cd:.2f}"
        if len(order) > 2:
            p = friedmanchisquare(*by_model.fillna(by_model.mean()).to_numpy().T).pvalue
            line += f"; all equal by Friedman: p = {p:.2g}"
        print(line)
        if details:
            print_tables(part, mean, order)
    for _, row in errors.iterrows():
        print(f"failed: {row['model']} on {row['table']}, {row['size']}: {row['error']}")


def main(arguments: Iterable[str] | None = None) -> None:
    """Judge the models, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = [name for name in MODELS if name not in NOT_BY_DEFAULT]
    parser.add_argument("--data", type=Path)
    parser.add_argument("--results", type=Path, required=True, help="file of JSON lines")
    parser.add_argument("--tables", nargs="*", help="names of files; all by default")
    parser.add_argument("--rows", nargs="*", default=["2000"], help="numbers, or all")
    parser.add_argument("--labels", type=int, nargs="*", help="training rows per class")
    parser.add_argument("--models", nargs="*", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--epochs", type=int, nargs="*", default=[], help="of training")
    parser.add_argument("--batch-size", type=int, default=32, help="with --epochs")
    parser.add_argument("--curve", action="store_true", help="add smaller networks")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="tables at a time")
    parser.add_argument("--details", action="store_true", help="print every table")
    parser.add_argument("--report", action="store_true", help="only print results")
    options = parser.parse_args(None if arguments is None else list(arguments))
    for epochs in options.epochs:
        MODELS.update(trained(epochs, options.batch_size))
        usual = [OURS, *(name for name in MODELS if name.endswith(" epochs"))]
    options.models = options.models or usual
    if options.curve:
        MODELS.update(of_sizes())
        options.models = [*options.models, *of_sizes()]
    is_missing = not (options.report or find_spec("pytabkit"))
    if "RealMLP" in options.models and is_missing:
        print("RealMLP is skipped: it needs pytabkit (pip install pytabkit)")
        options.models.remove("RealMLP")
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"--models: {', '.join(unknown)}: choose of {', '.join(MODELS)}")
    known = read(options.results)
    if not options.report:
        if options.data is None:
            parser.error("--data is needed to run models")
        columns = ["table", "size", "seed", "model"]
        done = (
            set(known[columns].itertuples(index=False, name=None))
            if len(known)
            else set()
        )
        paths = sorted(options.data.glob("*.parquet"))
        if options.tables:
            paths = [path for path in paths if path.stem in options.tables]
        Parallel(n_jobs=options.jobs, batch_size=1)(
            delayed(run_table)(path, options, done) for path in paths
        )
        threads = "one thread each" if options.jobs > 1 else f"{os.cpu_count()} cores"
        print(f"seconds with {options.jobs} table(s) at a time, {threads}")
    results = read(options.results)
    if len(results):
        if options.tables:
            results = results[results["table"].isin(options.tables)]
        report(results[results["model"].isin(options.models)], details=options.details)


if __name__ == "__main__":
    main()
