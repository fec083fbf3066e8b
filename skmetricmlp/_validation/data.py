"""Training and validation data, class labels and weights, and given exemplars."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import is_regressor
from sklearn.utils import check_array, check_X_y, get_tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from skmetricmlp._array_api import HOST, Device, computed, device_of, numpy_type, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._typing import Array
from skmetricmlp._validation.distance import are_far
from skmetricmlp._validation.metric import check_range, value_range_of
from skmetricmlp._validation.names import check_names, column_names
from skmetricmlp.network import Network
from skmetricmlp.tables import TableEncoding, check_container, check_numbers

__all__ = [
    "check_classes",
    "check_exemplars",
    "check_features",
    "check_labels",
    "check_training_data",
    "check_validation_data",
    "check_validation_size",
    "class_codes",
    "class_weights",
    "in_precision",
    "warn_of_units",
]


def check_features(
    estimator: Any,
    X: Any,
    network: Network,
    method: str = "predict",
    encoding: TableEncoding | None = None,
) -> Array:
    """Check rows to predict.

    Parameters
    ----------
    estimator : estimator
        ``n_features_in_`` and ``feature_names_in_`` are compared.
    X : array-like or sparse of shape (n, d)
    network : Network
        The network of the estimator.
    method : str
        Method of the estimator, for the message.
    encoding : TableEncoding, optional
        How the columns of the network are made of those of X.

    Returns
    -------
    array or SciPy CSR of shape (n, d)
        On the device of the network, and off the host in its precision. A missing value
        is NaN, where the estimator accepts that.

    Raises
    ------
    ValueError
        If X is not accepted or is on another device.
    """
    X = computed(X)
    check_container(X)
    types = _types(estimator, X, network.parameters[0], method)
    if encoding is not None:
        return _encoded(estimator, X, encoding, types)
    with np.errstate(over="ignore", invalid="ignore"), _named_columns(X):
        X = validate_data(
            estimator,
            X,
            accept_sparse=_sparse_formats(estimator),
            dtype=types,
            ensure_all_finite=_finite(estimator, X),
            reset=False,
        )
    return _canonical(X)


@contextmanager
def _named_columns(X: Any) -> Iterator[None]:
    """Name the column of a table that scikit-learn refuses the values of."""
    try:
        yield
    except (TypeError, ValueError):
        check_numbers(X)
        raise


def _finite(estimator: Any, X: Any) -> bool | str:
    """Return what scikit-learn is to accept of the values of rows to predict."""
    is_dense = device_of(X) == HOST and not sp.issparse(X)
    accepts = is_dense and get_tags(estimator).input_tags.allow_nan
    return "allow-nan" if accepts else True


def _encoded(
    estimator: Any,
    X: Any,
    encoding: TableEncoding,
    types: tuple[Any, ...],
) -> Array:
    """Check the names and the number of the columns of a table, and encode it."""
    validate_data(estimator, X, skip_check_array=True, reset=False)
    return check_array(
        encoding.encode(X),
        dtype=types,
        ensure_all_finite="allow-nan",
        estimator=estimator,
        input_name="X",
    )


def _canonical(X: Array) -> Array:
    """Sort the numbers of sparse rows and add up duplicates, in a copy.

    SciPy would do so in the user's matrix when it computes the maximum.
    """
    if sp.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def check_training_data(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    before: Array | None = None,
    method: str = "fit",
    encoding: TableEncoding | None = None,
) -> TrainingData:
    """Check the features, targets and weights of training data.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set, or compared if there was
        an earlier call.
    X : array-like or sparse of shape (n, d)
    y : array-like of shape (n,) or (n, n_outputs)
        Labels, an indicator of several labels, which may be sparse, or of a regressor
        values.
    sample_weight : None, number or array-like of shape (n,)
    before : array, optional
        An array of the network that training continues from, or of an earlier X.
    method : str
        Method of the estimator, for the message.
    encoding : TableEncoding, optional
        How the columns of the network are made of those of X.

    Returns
    -------
    TrainingData
        ``X`` in float64 or float32, or off the host in the precision of the network;
        ``sample_weight`` in the same precision, ones where there was None.

    Raises
    ------
    ValueError
        If any of them is not accepted, or X is on another device than the network.
    """
    X = computed(X)
    types = _types(estimator, X, before, method)
    reset = before is None
    return _rows(estimator, X, y, sample_weight, types, encoding, reset=reset)


def _types(estimator: Any, X: Any, before: Array | None, method: str) -> tuple[Any, ...]:
    """Return the accepted types of X, which must be on the device of the network."""
    device = _input_device(X)
    if before is None:
        return device.floats
    fitted = device_of(before)
    if device != fitted:
        # The first sentence is scikit-learn's, which its estimator checks look for.
        msg = (
            f"Inputs passed to {type(estimator).__name__}.{method}() must use the same "
            f"namespace and the same device as those passed to fit(). These are in "
            f"{device}, and the network is in {fitted}: move them, or the estimator with "
            f"its method move_to"
        )
        if fitted != HOST and not get_config()["array_api_dispatch"]:
            msg += ", and work under sklearn.config_context(array_api_dispatch=True)"
        raise ValueError(msg)
    # NumPy multiplies arrays of different precision; other namespaces refuse.
    return device.floats if device == HOST else (before.dtype,)


def _input_device(X: Any) -> Device:
    """Device where scikit-learn leaves an input: without dispatch, the host."""
    return device_of(X) if get_config()["array_api_dispatch"] else HOST


def _sparse_formats(estimator: Any) -> str | bool:
    return "csr" if get_tags(estimator).input_tags.sparse else False


def _rows(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    types: tuple[Any, ...],
    encoding: TableEncoding | None,
    *,
    reset: bool,
) -> TrainingData:
    check_container(X)
    has_values = is_regressor(estimator)
    y = to_numpy(y)
    if has_values:
        _check_numbers(y)
    is_table = has_values or _has_several_labels(y)
    _check_known(y)
    if encoding is not None:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        X = encoding.filled(encoding.encode(X))
    with np.errstate(over="ignore", invalid="ignore"):  # of the sum of X
        checked = {
            "accept_sparse": _sparse_formats(estimator),
            "dtype": types,
            "y_numeric": has_values,
            "multi_output": is_table,
        }
        if encoding is None:
            with _named_columns(X):
                X, y = validate_data(estimator, X, y, reset=reset, **checked)
        else:
            X, y = check_X_y(X, y, estimator=estimator, **checked)
    X = _canonical(X)
    if not has_values:
        check_classification_targets(y)
        y = y.toarray() if sp.issparse(y) else y
    if sample_weight is None or isinstance(sample_weight, Number):
        value = 1.0 if sample_weight is None else sample_weight
        sample_weight = np.full(X.shape[0], value, dtype=np.float64)
    try:
        sample_weight = check_array(
            to_numpy(sample_weight), ensure_2d=False, dtype=np.float64
        )
    except (ValueError, TypeError) as error:
        msg = f"sample_weight must be numbers: {error}"
        raise ValueError(msg) from error
    if sample_weight.shape != (X.shape[0],):
        msg = (
            f"sample_weight must have shape {(X.shape[0],)}, a number for each row of X, "
            f"got {sample_weight.shape}"
        )
        raise ValueError(msg)
    if np.any(sample_weight < 0):
        msg = f"sample_weight must not be negative, got {sample_weight.min()}"
        raise ValueError(msg)
    return TrainingData(X, y, in_precision(sample_weight, numpy_type(X), "sample_weight"))


def in_precision(weights: Array, dtype: Any, name: str) -> Array:
    """Convert weights (n,) to the precision of the network.

    Raises
    ------
    ValueError
        If their sum overflows, or all weights become zero. The message begins with
        ``name``.
    """
    info = np.finfo(dtype)
    with np.errstate(over="ignore"):
        total = weights.sum()
    if total > info.max or 0 < weights.max(initial=0.0) < info.tiny:
        msg = (
            f"{name} must have a sum that {info.dtype} can hold, from {info.tiny:.3g} to "
            f"{info.max:.3g}, got {total:.3g}: divide all weights by their mean"
        )
        raise ValueError(msg)
    return weights.astype(dtype)


def _has_several_labels(y: Any) -> bool:
    """Whether ``y`` has a column of 0 and 1 for each of several labels.

    Raises
    ------
    ValueError
        If it has other columns. The message names an estimator for them.
    """
    try:
        columns = y if sp.issparse(y) else np.asarray(y)
    except ValueError:  # lists of several lengths: scikit-learn's message is better
        return False
    if columns.ndim != 2 or columns.shape[1] < 2:
        return False
    try:
        kind = type_of_target(columns)
    except (TypeError, ValueError):
        kind = "unknown"
    if kind == "multilabel-indicator":
        least, greatest = columns.min(), columns.max()
        if least >= 0 and greatest <= 1:
            return True
        advice = (
            f"an indicator of several labels has the values 0 and 1, got {least} and "
            f"{greatest}"
        )
    elif kind.startswith("continuous"):
        advice = "for values instead of labels, take MetricInitMLPRegressor"
    else:
        advice = "for several targets, put the estimator into MultiOutputClassifier"
    # scikit-learn's estimator checks expect the first part.
    msg = (
        f"y should be a 1d array, got an array of shape {columns.shape} instead: {advice}"
    )
    raise ValueError(msg)


def _check_known(y: Any) -> None:
    """Refuse missing labels of text. Numbers are checked later."""
    if not isinstance(y, (np.ndarray, pd.Series)) or y.ndim != 1:
        return
    missing = pd.isna(y) if np.asarray(y).dtype == object else np.zeros(1, dtype=bool)
    if missing.any():
        msg = f"Input y contains NaN: {missing.sum()} of {len(y)} labels are missing"
        raise ValueError(msg)


def _check_numbers(y: Any) -> None:
    """Refuse values that NumPy would convert to numbers, such as dates."""
    if sp.issparse(y):
        msg = "y must be dense, got a sparse matrix: pass its toarray()"
        raise ValueError(msg)
    kind = np.asarray(y).dtype
    if kind.kind in "mM":
        msg = f"y must be numbers, got values of the type {kind}"
        raise ValueError(msg)
    if kind.kind not in "OUS" or np.ndim(y) == 0:  # scikit-learn refuses None
        return
    cells = np.asarray(y).ravel().tolist()
    wrong = [cell for cell in cells if not (_is_numeric(cell) or pd.isna(cell) is True)]
    if wrong:
        msg = f"y must be numbers, got {wrong[0]!r}: for classes take a classifier"
        raise ValueError(msg)
    if n_missing := sum(map(pd.isna, cells)):
        msg = f"Input y contains NaN: {n_missing} of {len(cells)} values are missing"
        raise ValueError(msg)


def _is_numeric(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError):
        return False
    return True


def check_validation_data(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    trained_on: Array,
    encoding: TableEncoding | None = None,
) -> TrainingData | None:
    """Check validation data, if there are any, and move them to the training data."""
    if X is None and y is None and sample_weight is None:
        return None
    if X is None or y is None:
        missing = "X_val" if X is None else "y_val"
        msg = f"X_val and y_val must be passed together; {missing} is missing"
        raise ValueError(msg)
    try:
        X = computed(X)
        types = _input_device(X).floats
        rows = _rows(estimator, X, y, sample_weight, types, encoding, reset=False)
        device = device_of(trained_on)
        X = device.move(rows.X)
    except ValueError as error:
        msg = f"X_val, y_val, sample_weight_val: {error}"
        raise ValueError(msg) from error
    if device != HOST:
        X = device.namespace.astype(X, trained_on.dtype)
    elif X.dtype != trained_on.dtype == np.float64:
        X = X.astype(np.float64)  # single precision may be too little for X
    return rows._replace(X=X)


def check_validation_size(data: TrainingData, fraction: float, *, given: bool) -> None:
    """Refuse to score a regression by the R^2 of a single row.

    Raises
    ------
    ValueError
    """
    if data.sample_weight.shape[0] > 1:
        return
    source = "X_val has" if given else f"validation_fraction={fraction} holds out"
    msg = (
        f"The validation data are too small: {source} 1 row, and early_stopping=True of "
        f"a regressor scores by R^2, which needs 2 rows or more"
    )
    raise ValueError(msg)


def class_codes(y: Array, classes: Array, name: str = "y") -> NDArray[np.intp]:
    """Return the position of each label in the sorted ``classes``."""
    if y.ndim > 1:
        msg = f"{name} must have one label for each row, got the shape {y.shape}"
        raise ValueError(msg)
    if unknown := sorted(set(y.tolist()) - set(classes.tolist()), key=str):
        msg = f"{name} has labels {unknown} that are not among {classes.tolist()}"
        raise ValueError(msg)
    return np.searchsorted(classes, np.asarray(y))


def check_classes(classes: Any) -> Array:
    """Return the sorted distinct labels of the parameter ``classes``."""
    labels = np.asarray(to_numpy(classes))
    if labels.ndim != 1 or not len(labels) or np.any(labels != labels):  # noqa: PLR0124
        msg = f"classes must be a 1-dimensional list of labels, got {classes!r}"
        raise ValueError(msg)
    return np.unique(labels)


def class_weights(
    class_weight: Any, classes: Array, codes: NDArray[np.intp], weights: Array
) -> NDArray[np.float64]:
    """Return the factor of the weight of each class, of shape (n_classes,).

    ``"balanced"`` gives all classes of ``codes`` the same total weight. A dict may leave
    out classes, and it may name labels that are no classes, but not both.

    Raises
    ------
    ValueError
        If it does both.
    """
    if class_weight is None:
        return np.ones(len(classes))
    labels = classes.tolist()
    if isinstance(class_weight, Mapping):
        check_labels("class_weight has weights for", class_weight, labels)
        return np.array([float(class_weight.get(label, 1.0)) for label in labels])
    totals = np.bincount(codes, weights, len(labels)).astype(float)
    absent = totals == 0
    return np.where(absent, 1.0, totals.sum() / (len(labels) * totals + absent))


def check_labels(has: str, named: Iterable[Any], classes: list[Any]) -> None:
    """Refuse unknown labels if some classes are missing.

    A subset of the data may lack a class, so that an unknown label alone is no error. If
    a class is missing too, the label may be misspelled or of another type. This is
    scikit-learn's rule for class weights.

    Raises
    ------
    ValueError
        The message begins with ``has`` and those labels.
    """
    named = list(named)
    unknown = [label for label in dict.fromkeys(named) if label not in classes]
    missing = [label for label in classes if label not in named]
    if unknown and missing:
        msg = f"{has} {unknown}, and none for {missing}; the classes are {classes}"
        raise ValueError(msg)


def check_exemplars(
    exemplars: Sequence[Any],
    X: Array,
    metric: Any,
    names: Array | None,
    meaning: str = "labels",
) -> tuple[Array, Array]:
    """Check given exemplars, ``(points, labels)`` or ``(points, values)``.

    Parameters
    ----------
    exemplars : pair
    X : array or SciPy CSR of shape (n, d)
        Training data.
    metric : str, transformer, callable or None
        None if the exemplars are only counted.
    names : array of shape (d,) or None
        Feature names of X.
    meaning : str
        "labels" or "values", for errors.

    Returns
    -------
    points : array of shape (N, d)
        Dense.
    labels : array of shape (N,) or (N, n_outputs)

    Raises
    ------
    ValueError
        If their shapes or names do not fit each other or the data, or the metric is not
        defined for them.
    """
    given, labels = map(computed, exemplars)
    pair = f"exemplars=(points, {meaning})"
    try:
        points = check_array(
            given, accept_sparse="csr", dtype=X.dtype, input_name="exemplars"
        )
    except (ValueError, TypeError) as error:
        msg = f"{pair} has points that are no matrix: {error}"
        raise ValueError(msg) from error
    labels = np.asarray(labels)
    if labels.shape[:1] != points.shape[:1]:
        msg = (
            f"{pair} must have one label or value per point, got points of shape "
            f"{points.shape} and {meaning} of shape {labels.shape}"
        )
        raise ValueError(msg)
    if points.shape[1] != X.shape[1]:
        msg = (
            f"{pair} must have points of {X.shape[1]} features, as X has, got shape "
            f"{points.shape}"
        )
        raise ValueError(msg)
    check_names(pair, column_names(pair, given), names)
    points = points.toarray() if sp.issparse(points) else points
    if isinstance(metric, str):
        check_range(points, value_range_of(metric), repr(metric), names, "exemplars")
    return points, labels


def warn_of_units(points: Array, X: Array, meaning: str = "labels") -> None:
    """Warn if most of the given exemplars lie far outside the training data."""
    n_far = int(are_far(points, X).sum())
    if 2 * n_far > len(points):
        warnings.warn(
            f"exemplars=(points, {meaning}): {n_far} of {len(points)} points lie far "
            f"outside the rows of X. They must be in the units of X. After a scaler "
            f"these are the units that it returns.",
            stacklevel=2,
        )
