"""Random scenes: calls of an estimator with random parameters and random data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, FactorAnalysis, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)

__all__ = ["ACTIONS", "Call", "Scene", "draw_scene"]

Rng = np.random.Generator
ESTIMATORS = (MetricInitMLPClassifier, MetricInitMLPRegressor, BasisInitMLPRegressor)


class Call(NamedTuple):
    """A method, or one of the names in ``ACTIONS``, and its arguments by name."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Calls of one estimator, in order."""

    number: int
    estimator: type[BaseEstimator]
    parameters: dict[str, Any]
    calls: tuple[Call, ...]


# --- what is drawn: values of X ---

ROWS = (1, 2, 3, 5, 8, 13, 20, 40)
COLUMNS = (1, 2, 3, 4, 6, 9)
ORDINARY_SCALES = (1.0, 1.0, 1.0, 0.01, 100.0)
EXTREME_SCALES = (
    *(1e-320, 1e-310, 1e-200, 1e-160, 1e-40, 1e-30, 1e-12),
    *(1e6, 1e10, 1e19, 1e30, 1e37, 1e38, 1e150, 1e160, 1e200, 1e300, 1e307),
)
OFFSETS = (0.0, 0.0, 0.0, 1.0, 1e4, 1e8, 1e12, 1e17)


def _choice(rng: Rng, values: Any) -> Any:
    return values[rng.integers(len(values))]


def _replaced(X: Any, where: Any, value: Any) -> Any:
    X[where] = value
    return X


# From normal rows to others; those named twice are drawn more often.
SHAPES: tuple[tuple[str, Callable[[Rng, Any], Any]], ...] = (
    *(("normal", lambda _, X: X),) * 4,
    *(("shares", lambda rng, X: rng.random(X.shape)),) * 3,
    ("counts", lambda rng, X: rng.poisson(2.0, X.shape).astype(float)),
    ("bits", lambda _, X: (X > 0).astype(float)),
    ("equal rows", lambda _, X: np.tile(X[:1], (len(X), 1))),
    ("duplicates", lambda rng, X: X[rng.integers(max(1, len(X) // 3), size=len(X))]),
    ("rank 1", lambda rng, X: np.outer(X[:, 0], rng.normal(size=X.shape[1]))),
    ("constant column", lambda rng, X: _replaced(X, (..., rng.integers(X.shape[1])), 3)),
    ("zeros", lambda _, X: np.zeros(X.shape)),
    ("rows of zeros", lambda rng, X: _replaced(X, rng.random(len(X)) < 0.5, 0.0)),
    ("one far", lambda rng, X: _replaced(X, (0, 0), 10.0 ** rng.integers(3, 12))),
    ("nearly equal", lambda _, X: 1.0 + np.finfo(float).eps * X.round()),
    ("collinear", lambda _, X: _replaced(X, (..., -1), X.sum(axis=1))),
)


def draw_values(rng: Rng, n: int, d: int, extreme: float = 0.2) -> Any:
    """Draw rows (n, d) in double precision: ordinary, degenerate or of extreme size."""
    _, shaped = _choice(rng, SHAPES)
    X = shaped(rng, rng.normal(size=(n, d)))
    X = np.abs(X) if rng.random() < 0.2 else X
    if rng.random() >= extreme:
        return X * _choice(rng, ORDINARY_SCALES) + _choice(rng, OFFSETS)
    columns = rng.integers(d) if rng.random() < 0.3 else slice(None)
    with np.errstate(over="ignore", invalid="ignore"):
        X[:, columns] *= _choice(rng, EXTREME_SCALES)
    return np.clip(np.nan_to_num(X), -1.7e308, 1.7e308)


def _spoil(rng: Rng, X: Any, share: float = 0.03) -> Any:
    """Put a value that is not finite in, sometimes."""
    if X.dtype.kind == "f" and X.size and rng.random() < share:
        X = X.copy()
        X.flat[rng.integers(X.size)] = _choice(rng, (np.nan, np.inf, -np.inf))
    return X


# --- what is drawn: containers of X ---


def _contained(rng: Rng, X: Any) -> Any:
    kind = _choice(
        rng,
        ["array"] * 6
        + ["float32"] * 3
        + ["list", "fortran", "read-only", "strided", "reversed", "swapped", "object"]
        + ["int", "bool", "float16", "frame", "frame", "numbered", "nullable", "mixed"]
        + ["csr", "csc", "coo", "csr32", "unsorted", "sparse array", "longdouble"],
    )
    with np.errstate(all="ignore"):
        return CONTAINERS[kind](rng, X)


def _strided(_: Rng, X: Any) -> Any:
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]))
    wide[::2, ::3] = X
    return wide[::2, ::3]


def _read_only(_: Rng, X: Any) -> Any:
    X = X.copy()
    X.flags.writeable = False
    return X


def _frame(rng: Rng, X: Any) -> Any:
    n, d = X.shape
    frame = pd.DataFrame(X, columns=[f"column {j}" for j in range(d)])
    if rng.random() < 0.4:
        frame.index = pd.CategoricalIndex(rng.choice(["a", "b"], n))
    return frame


def _mixed(rng: Rng, X: Any) -> Any:
    frame = _frame(rng, X)
    small = np.clip(X[:, 0], -100, 100).round()
    frame["column 0"] = small.astype(_choice(rng, ["int8", "int64", "float32", "bool"]))
    return frame


def _integers(rng: Rng, X: Any) -> Any:
    return np.clip(X, -1e9, 1e9).astype(_choice(rng, ["int8", "int32", "int64", "uint8"]))


def _unsorted(_: Rng, X: Any) -> Any:
    csr = sp.csr_matrix(X)
    for start, stop in zip(csr.indptr[:-1], csr.indptr[1:], strict=True):
        csr.indices[start:stop] = csr.indices[start:stop][::-1].copy()
        csr.data[start:stop] = csr.data[start:stop][::-1].copy()
    csr.has_sorted_indices = False
    return csr


def _single(X: Any) -> Any:
    most = float(np.finfo(np.float32).max)
    return np.clip(X, -most, most).astype(np.float32)


CONTAINERS: Mapping[str, Callable[[Rng, Any], Any]] = {
    "array": lambda _, X: X,
    "float32": lambda _, X: _single(X),
    "list": lambda _, X: X.tolist(),
    "fortran": lambda _, X: np.asfortranarray(X),
    "read-only": _read_only,
    "strided": _strided,
    "reversed": lambda _, X: X[::-1, ::-1],
    "swapped": lambda _, X: X.astype(">f8"),
    "object": lambda _, X: X.astype(object),
    "int": _integers,
    "bool": lambda _, X: X > 0,
    "float16": lambda _, X: np.clip(X, -6e4, 6e4).astype(np.float16),
    "frame": _frame,
    "numbered": lambda _, X: pd.DataFrame(X),
    "nullable": lambda rng, X: _frame(rng, X).astype("Float64"),
    "mixed": _mixed,
    "csr": lambda _, X: sp.csr_matrix(X),
    "csc": lambda _, X: sp.csc_matrix(X),
    "coo": lambda _, X: sp.coo_matrix(X),
    "csr32": lambda _, X: sp.csr_matrix(_single(X)),
    "unsorted": _unsorted,
    "sparse array": lambda _, X: sp.csr_array(X),
    "longdouble": lambda _, X: X.astype(np.longdouble),
}


# --- what is drawn: y and weights ---


def draw_labels(rng: Rng, n: int) -> Any:
    """Labels of n rows, in some container."""
    n_classes = _choice(rng, (1, 2, 2, 2, 3, 3, 5, max(n, 1)))
    codes = rng.integers(n_classes, size=n)
    if rng.random() < 0.7:  # each class has a row, as far as there are rows
        codes[: min(n, n_classes)] = np.arange(min(n, n_classes))
    kind = _choice(rng, ["int"] * 5 + ["negative", "str", "object", "bool", "float"])
    labels = {
        "int": codes,
        "negative": -7 * codes,
        "str": np.array([f"class {c}" for c in codes]),
        "object": np.array([f"class {c}" for c in codes], dtype=object),
        "bool": codes > 0,
        "float": codes / _choice(rng, (1.0,) * 5 + (2.0,)),
    }[kind]
    return _in_container(rng, labels)


def draw_targets(rng: Rng, n: int) -> Any:
    """Values of n rows, in some container."""
    kind = _choice(rng, ["normal"] * 5 + ["constant", "int", "bool", "two", "two", "one"])
    y = rng.normal(size=n)
    if kind == "constant":
        y = np.full(n, rng.normal())
    elif kind in {"int", "bool"}:
        y = rng.integers(3, size=n) if kind == "int" else y > 0
    elif kind in {"one", "two"}:
        y = rng.normal(size=(n, 1 + (kind == "two")))
        y[:, -1] = y[:, -1] if rng.random() < 0.5 else 3.0
    if y.dtype.kind == "f" and rng.random() < 0.25:
        scales = (1e-320, 1e-300, 1e-160, 1e-30, 1e6, 1e30, 1e38, 1e150, 1e160, 1e307)
        y = y * _choice(rng, scales)
    elif y.dtype.kind == "f" and rng.random() < 0.2:
        y = y + _choice(rng, OFFSETS)
    return _in_container(rng, _spoil(rng, y, 0.02))


def _in_container(rng: Rng, y: Any) -> Any:
    kind = _choice(rng, ["array"] * 6 + ["list", "series", "categorical", "column", "32"])
    if kind == "list":
        return y.tolist()
    if kind in {"series", "categorical"} and y.ndim == 1:
        series = pd.Series(y, index=np.arange(len(y))[::-1])
        is_float = y.dtype.kind == "f"
        return series if is_float or kind == "series" else series.astype("category")
    if kind == "column" and y.ndim == 1:
        return y[:, None]
    if kind == "32" and y.dtype.kind == "f":
        return _single(y)
    return y


def draw_weights(rng: Rng, n: int) -> Any:
    """Weights of n rows, or a number."""
    kind = _choice(rng, ["random"] * 3 + ["zeros", "huge", "tiny", "wide", "counts"] * 2)
    weights = rng.random(n) + 0.1
    if kind == "zeros":
        weights *= rng.random(n) < _choice(rng, (0.0, 0.3, 0.6, 0.9))
    elif kind == "huge":
        weights *= _choice(rng, (1e6, 1e30, 1e37, 1e150, 1e300, 1e307))
    elif kind == "tiny":
        weights *= _choice(rng, (1e-6, 1e-30, 1e-40, 1e-150, 1e-300, 1e-320))
    elif kind == "wide":
        weights = 10.0 ** rng.uniform(-200, 200, n)
    elif kind == "counts":
        weights = rng.integers(0, 3, n)
    bad = rng.random()
    if bad < 0.04:
        wrong = (weights[:-1], -weights - 1.0, np.full(n, np.nan), np.full(n, np.inf))
        return wrong[rng.integers(len(wrong))]
    if bad < 0.08:
        return float(weights[0])
    return (weights, weights.tolist(), pd.Series(weights))[rng.integers(3)]


# --- what is drawn: parameters ---


def _wide(points: Any) -> Any:
    return -2.0 * points, np.sum(points * points, axis=1)


def _misshapen(points: Any) -> Any:
    return points[:, :-1], points[:, 0]


def _not_finite(points: Any) -> Any:
    return points * np.nan, points[:, 0]


def _transformer(rng: Rng, d: int) -> Any:
    made = _choice(
        rng,
        [
            PCA,
            lambda: PCA(1),
            lambda: PCA(0.9, svd_solver="full"),
            lambda: PCA("mle"),
            lambda: PCA(1, svd_solver="arpack"),
            lambda: PCA(1, svd_solver="randomized"),
            lambda: PCA(whiten=True),
            lambda: TruncatedSVD(1),
            lambda: TruncatedSVD(1, algorithm="arpack"),
            lambda: IncrementalPCA(1),
            lambda: FactorAnalysis(1, max_iter=20),
            lambda: NeighborhoodComponentsAnalysis(max_iter=2),
            lambda: NeighborhoodComponentsAnalysis(1, init="lda", max_iter=2),
            LinearDiscriminantAnalysis,
            lambda: LinearDiscriminantAnalysis(solver="eigen"),
            lambda: LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto"),
            StandardScaler,
            lambda: StandardScaler(with_mean=False),
            MinMaxScaler,
            MaxAbsScaler,
            RobustScaler,
            Normalizer,
            FunctionTransformer,
            VarianceThreshold,
            lambda: SelectKBest(f_classif, k=1),
            lambda: GaussianRandomProjection(2, random_state=0),
            lambda: make_pipeline(StandardScaler(), PCA(1)),
            lambda: make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()),
            lambda: FrozenEstimator(PCA(1).fit(np.eye(d + 1, d))),
        ],
    )
    return made()


def _metric(rng: Rng, d: int) -> tuple[Any, Any]:
    """Metric for d features, and its parameters."""
    name = _choice(
        rng,
        ["sqeuclidean", "seuclidean", "mahalanobis", "cosine"] * 2
        + ["kl", "itakura_saito", "chamfer"]
        + ["transformer"] * 6
        + [_wide, _wide, _choice(rng, (_misshapen, _not_finite, "euclidean", None))],
    )
    if name == "transformer":
        return _transformer(rng, d), None
    size = _choice(rng, (1.0, 1e-300, 1e-10, 1e10, 1e300))
    L = rng.normal(size=(d, d)) * _choice(rng, (1.0, 0.0, 1e-150, 1e150))
    params: Any = {
        "seuclidean": [None, None, {"V": size * (rng.random(d) + 0.1)}],
        "mahalanobis": [None, None, {"V": L @ L.T}, {"VI": L @ L.T}],
        "kl": [None, {"smoothing": size}, {"smoothing": 0.0}],
        "chamfer": [{"image_shape": (d, 1)}, {"image_shape": (d,), "threshold": 0.0}],
    }.get(name if isinstance(name, str) else "", [None])
    params = _choice(rng, params)
    if rng.random() < 0.05:
        params = {"p": 3}
    return name, params


TRAINING: Mapping[str, tuple[Any, ...]] = {
    "init": ("random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"),
    "solver": ("adam", "sgd", "lbfgs", "lbfgs"),
    "alpha": (0.0, 1e-300, 1.0, 1e6, 1e300),
    "batch_size": (1, 2, 7, 1000, "auto"),
    "learning_rate_init": (1e-300, 1e-5, 0.1, 10.0, 1e10, 1e300, [1e-3, 1e-2]),
    "learning_rate": ("constant", "linear", "invscaling", "adaptive"),
    "power_t": (0.0, 0.5, 2.0, 1e300),
    "shuffle": (True, False),
    "tol": (0.0, 1e-12, 1.0, 1e300),
    "verbose": (True,),
    "warm_start": (True,),
    "momentum": (0.0, 0.5, 1.0),
    "nesterovs_momentum": (True, False),
    "early_stopping": (True,),
    "validation_fraction": (0.01, 0.3, 0.5, 0.9, 0.999),
    "beta_1": (0.0, 0.5, 0.999999),
    "beta_2": (0.0, 0.5, 0.999999),
    "epsilon": (1e-300, 1e-8, 1.0, 1e300),
    "n_iter_no_change": (1, 2, 10**9),
}
OF_EXEMPLARS: Mapping[str, tuple[Any, ...]] = {
    "n_exemplars": (1, 2, 3, 8, 10**6, 0.1, 0.5, 1.0, "auto"),
    "exemplars": ("kmeans", "random", "kmedoids"),
    "n_neighbors": (None, 1, 1, 2, 3, 5, 50),
    "activation": ("logistic", "tanh", "step", "step"),
    "sharpness": (1e-300, 0.1, 10.0, 1e10, 1e300),
    "output_init": ("ridge", "norm_constrained", "norm_constrained"),
    "n_conjunctions": (0, 2, 10**6),
    "max_features": (1, 0.5, "sqrt", "log2", None),
    "feature_groups": ("equal", "alternating", "apart"),
    "tied": (True, True, False),
    "pairs": ("all", 1, 2, 5, 10**6),
}
OF_CLASSES: Mapping[str, tuple[Any, ...]] = {
    "exemplars": ("kmeans", "random", "kmedoids", "condensed", "lvq"),
    "output_init": ("ridge", "logistic", "norm_constrained"),
    "pairs": ("all", "other_classes", 1, 2, 5, 10**6),
    "loss": ("log_loss", "squared_error"),
    "class_weight": ("balanced", {0: 0.0}, {0: 1e300, 1: 1e-300}, {0: 2.0, 1: 1.0}),
}
OF_VALUES: Mapping[str, tuple[Any, ...]] = {
    "output_init": ("ridge", "norm_constrained"),
    "loss": ("squared_error",),
}
OF_BASIS: Mapping[str, tuple[Any, ...]] = {
    "degree": (1, 2, 3, 5, 8, 9, "auto"),
    "n_parts": (1, 2, 3),
    "domain": ([[-1.0, 1.0]], [[0.0, 1e300]], "auto"),
}
# Those that are an error beside an integer n_neighbors.
OF_COMPARISONS = (
    *("output_init", "n_comparisons", "n_conjunctions", "max_features", "feature_groups"),
)
WRONG = (None, -1, 0, 1.5, "word", np.nan, np.inf, True, [], {}, np.ones(2), 10**400)


def _drop_what_has_no_effect(parameters: dict[str, Any]) -> None:
    """Leave out what would be an error beside ``n_neighbors``."""
    if parameters.get("n_neighbors") is None:
        for name in ("sharpness", "tied", "pairs"):
            parameters.pop(name, None)
        return
    for name in OF_COMPARISONS:
        parameters.pop(name, None)
    if parameters.get("activation") == "step":
        parameters.pop("sharpness", None)


def draw_parameters(rng: Rng, estimator: type[BaseEstimator], d: int) -> dict[str, Any]:
    """Parameters that are not the defaults; some are wrong, and some large."""
    is_basis = estimator is BasisInitMLPRegressor
    own = OF_CLASSES if estimator is MetricInitMLPClassifier else OF_VALUES
    values = {**TRAINING, **(OF_BASIS if is_basis else {**OF_EXEMPLARS, **own})}
    parameters: dict[str, Any] = {"random_state": int(rng.integers(3))}
    # Defaults that would cost most of the time.
    parameters["max_iter"] = int(_choice(rng, (0, 0, 0, 1, 2, 4)))
    if is_basis:
        parameters["degree"] = 2
    else:
        parameters["n_comparisons"] = int(_choice(rng, (1, 2, 5, 20)))
    names = list(values)
    for name in rng.choice(names, size=min(rng.geometric(0.25), 12), replace=False):
        parameters[str(name)] = _choice(rng, values[name])
    if rng.random() < 0.9:
        _drop_what_has_no_effect(parameters)
    if not is_basis and rng.random() < 0.4:
        parameters["metric"], parameters["metric_params"] = _metric(rng, d)
    groups = {"equal": [0] * d, "alternating": [*"ab" * d][:d], "apart": [*range(d)]}
    if (kind := parameters.get("feature_groups")) in tuple(groups):
        parameters["feature_groups"] = groups[kind]
    if isinstance(parameters.get("domain"), list):
        parameters["domain"] = parameters["domain"] * d
    if rng.random() < 0.03:
        parameters["random_state"] = np.random.RandomState(0)
    if parameters.get("activation") == "step" and rng.random() < 0.95:
        parameters["max_iter"] = 0
    if rng.random() < 0.03:
        parameters[str(_choice(rng, names))] = _choice(rng, WRONG)
    return parameters


# --- what is drawn: calls ---

ACTIONS = ("clone", "pickle", "attributes", "repr")
FOLLOWING = (
    *("predict", "predict", "predict", "predict_proba", "predict_log_proba", "score"),
    *("explain", "explain", "set_params", "fit", "partial_fit", "partial_fit", *ACTIONS),
)


def draw_scene(number: int) -> Scene:
    """Scene of that number, always the same."""
    rng = np.random.default_rng([20, number])
    estimator = ESTIMATORS[_choice(rng, (0, 0, 0, 1, 1, 2))]
    columns = (1, 1, 1, 2, 2, 3) if estimator is BasisInitMLPRegressor else COLUMNS
    n, d = int(_choice(rng, ROWS)), int(_choice(rng, columns))
    draw = _Draw(rng, estimator, d)
    values, y = draw_values(rng, n, d), draw.y(n)
    data = draw.X(values), y
    parameters = draw_parameters(rng, estimator, d)
    if estimator is not BasisInitMLPRegressor:
        parameters |= _given_exemplars(rng, estimator, values, y)
    first = "fit" if rng.random() < 0.8 else "partial_fit"
    if first == "partial_fit" and rng.random() < 0.9:
        parameters |= {"solver": str(_choice(rng, ("adam", "sgd"))), "max_iter": 2}
        parameters |= {"early_stopping": False}
        if str(parameters.get("activation")) == "step":
            del parameters["activation"]
    calls = [draw.training(first, *data), Call("predict", {"X": data[0]})]
    if draw.has_classes:
        calls.append(Call("predict_proba", {"X": data[0]}))
    for _ in range(rng.geometric(0.4) - 1):
        calls += draw.following(str(_choice(rng, FOLLOWING)), *data)
    return Scene(number, estimator, parameters, tuple(calls))


def _given_exemplars(
    rng: Rng, estimator: type[BaseEstimator], X: Any, y: Any
) -> dict[str, Any]:
    """Some of the rows as exemplars, or counts by label; seldom."""
    if rng.random() < 0.06:
        chosen = slice(None, None, int(_choice(rng, (1, 2, 3))))
        given = X[chosen], np.asarray(y)[chosen]
        return {"exemplars": given, "n_exemplars": 30}
    if estimator is MetricInitMLPClassifier and rng.random() < 0.05:
        return {"n_exemplars": dict.fromkeys(np.ravel(y).tolist(), 1)}
    return {}


class _Draw(NamedTuple):
    """Draws what goes with an estimator and d features."""

    rng: Rng
    estimator: type[BaseEstimator]
    d: int

    @property
    def has_classes(self) -> bool:
        return self.estimator is MetricInitMLPClassifier

    def y(self, n: int) -> Any:
        return draw_labels(self.rng, n) if self.has_classes else draw_targets(self.rng, n)

    def X(self, values: Any) -> Any:
        contained = _contained(self.rng, _spoil(self.rng, values))
        is_dense = self.estimator is BasisInitMLPRegressor and self.rng.random() < 0.9
        return contained.toarray() if is_dense and sp.issparse(contained) else contained

    def other_X(self, X: Any) -> Any:
        """Draw the same rows, or others; few have another number of columns."""
        rng = self.rng
        if rng.random() > 0.4:
            return X
        m, d = int(_choice(rng, ROWS[:5])), self.d + (rng.random() < 0.03)
        values = draw_values(rng, m, d, extreme=0.5)
        return self.X(values[: 0 if rng.random() < 0.02 else m])

    def training(self, name: str, X: Any, y: Any) -> Call:
        """Draw a call of fit or partial_fit."""
        rng, arguments, n = self.rng, {"X": X, "y": y}, len(y)
        if rng.random() < 0.4:
            arguments["sample_weight"] = draw_weights(rng, n)
        if name == "fit" and rng.random() < 0.12:
            m = int(_choice(rng, (1, 3, 10)))
            own = n < m or rng.random() < 0.2
            arguments["y_val"] = self.y(m) if own else y[:m]
            arguments["X_val"] = self.X(draw_values(rng, m, self.d))
            if rng.random() < 0.3:
                arguments["sample_weight_val"] = draw_weights(rng, m)
        if name == "partial_fit" and self.has_classes and rng.random() < 0.98:
            arguments["classes"] = list(np.unique(np.asarray(y)))
        return Call(name, arguments)

    def following(self, name: str, X: Any, y: Any) -> Iterator[Call]:
        """Draw what may come after a first fit on X and y."""
        if not hasattr(self.estimator, name) and name not in ACTIONS:
            name = "predict"
        if name.startswith("predict"):
            yield Call(name, {"X": self.other_X(X)})
        elif name == "explain":
            nearest = _choice(self.rng, (None, None, 1, 1, 2, 10**6))
            by = str(_choice(self.rng, ("exemplar", "exemplar", "feature", "comparison")))
            yield Call(name, {"X": self.other_X(X), "n_nearest": nearest, "by": by})
        elif name == "score":
            yield Call(name, {"X": X, "y": y})
        elif name == "set_params":
            yield Call(name, draw_parameters(self.rng, self.estimator, self.d))
            yield self.training("fit", X, y)
        elif name in ACTIONS:
            yield Call(name, {})
        else:
            yield self.training(name, X, y)
