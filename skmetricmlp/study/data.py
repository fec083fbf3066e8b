"""Data sets to compare on: a table of one's own, or scikit-learn's by name."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import joblib
import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from skmetricmlp.study.errors import DataError
from skmetricmlp.study.tables import (
    TextFormat,
    check_names,
    listed,
    read_frame,
    separator_hint,
)
from skmetricmlp.study.tasks import CLASSES, TASKS, Task, task_of

__all__ = [
    "LEAST_ROWS",
    "NAMES",
    "OPENML",
    "Dataset",
    "load_dataset",
    "read_dataset",
    "tabular_transformer",
]

LEAST_ROWS = 20

#: Data that come with scikit-learn.
NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")

#: Squares of numbers are summed when they are scaled.
GREATEST = 1e150

#: Types that are no labels.
REFUSED = (bytes, list, tuple, dict, set, np.ndarray)

SCALERS = {"standard": StandardScaler(), "minmax": MinMaxScaler(clip=True)}

#: What names of data that are downloaded begin with.
OPENML = "openml:"


@dataclass(frozen=True)
class Dataset:
    """Rows to compare on, and what has to be done to them first.

    Attributes
    ----------
    name : str
        Names the report.
    X : pandas.DataFrame
        Features: numbers, possibly missing, or text.
    y : pandas.Series
        Labels, or values.
    task : Task
        Which of the two.
    transformer : scikit-learn transformer
        Unfitted; it makes numbers of ``X``, and is fitted on training rows only.
    image_shape : tuple of int, optional
        Rows and columns, where the transformed features are pixels.
    """

    name: str
    X: pd.DataFrame
    y: pd.Series[Any]
    task: Task
    transformer: Any
    image_shape: tuple[int, int] | None = None

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        y: Any,
        *,
        name: str = "data",
        task: str | None = None,
        transformer: Any = None,
        image_shape: tuple[int, int] | None = None,
    ) -> Self:
        """Make a data set of features and targets.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Numbers, categories, truth values or times, also missing.
        y : array-like of shape (n_samples,)
            Labels, or values. Rows without are left out.
        name : str
        task : {"classes", "values"}, optional
            By default :func:`task_of` the targets.
        transformer : scikit-learn transformer, optional
            By default :func:`tabular_transformer`.
        image_shape : tuple of int, optional

        Returns
        -------
        Dataset

        Raises
        ------
        DataError
            If there are not enough rows, the labels are not two or more classes, the
            values are not finite numbers, there is no feature, two have one name, or one
            has infinity.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> Dataset.from_arrays(*load_wine(return_X_y=True), name="wine").X.shape
        (178, 13)
        """
        frame = pd.DataFrame(X).copy(deep=False)
        targets = pd.Series(np.asarray(y), name=getattr(y, "name", None) or "y")
        if len(frame) != len(targets):
            msg = f"X has {len(frame)} rows and y has {len(targets)}"
            raise DataError(msg)
        is_there = targets.notna().to_numpy()
        targets = targets[is_there].reset_index(drop=True).infer_objects()
        targets = _plain(targets)
        kind = _task(task, targets)
        check = _check_labels if kind == CLASSES else _check_values
        check(targets)
        if frame.shape[1] == 0:
            msg = f"{name} has no column besides the target"
            raise DataError(msg)
        names = [str(column) for column in frame.columns]
        check_names(names, "X")
        frame.columns = pd.Index(names)
        frame.index = pd.RangeIndex(1, len(frame) + 1)
        features = _tidy_features(frame[is_there]).reset_index(drop=True)
        transformer = tabular_transformer() if transformer is None else transformer
        return cls(name, features, targets, kind, transformer, image_shape)

    @property
    def fingerprint(self) -> str:
        """Another one for other rows, targets, names of columns, task or transformer."""
        about = list(self.X), self.task.name, self.transformer
        digest = sha256(joblib.hash(about).encode())
        for part in (self.X, self.y):
            hashes = pd.util.hash_pandas_object(part, index=False)
            digest.update(hashes.to_numpy().tobytes())
        return digest.hexdigest()


def load_dataset(name: str) -> Dataset:
    """Load data that scikit-learn ships or downloads.

    Parameters
    ----------
    name : str
        One of "breast_cancer", "diabetes", "digits", "iris" and "wine"; or
        "openml:NAME", which is downloaded from `OpenML <https://www.openml.org>`_ and
        kept by scikit-learn. The pixels of the digits are scaled to [0, 1]; all else is
        treated as a table.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there are no such data.

    Examples
    --------
    >>> iris = load_dataset("iris")
    >>> iris.y.unique().tolist()
    ['setosa', 'versicolor', 'virginica']
    """
    if name.startswith(OPENML):
        return _download(name.removeprefix(OPENML))
    if name not in NAMES:
        close = get_close_matches(name, NAMES, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        msg = (
            f"no data named {name!r}{hint}: give {', '.join(NAMES)}, {OPENML}NAME, or a "
            f".csv or .parquet file"
        )
        raise DataError(msg)
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    if name == "diabetes":
        return Dataset.from_arrays(bunch.data, bunch.target, name=name, task="values")
    labels = pd.Series(bunch.target_names[bunch.target])
    if name == "digits":
        pixels = FunctionTransformer(_pixels, feature_names_out="one-to-one")
        return Dataset(name, bunch.data, labels, CLASSES, pixels, image_shape=(8, 8))
    return Dataset.from_arrays(bunch.data, labels, name=name)


def _pixels(X: pd.DataFrame) -> np.ndarray[Any, Any]:
    return X.to_numpy() / 16.0


def _download(name: str) -> Dataset:
    try:
        bunch = datasets.fetch_openml(name, as_frame=True)
    except (ValueError, OSError) as error:
        msg = f"{OPENML}{name} could not be downloaded: {error}"
        raise DataError(msg) from error
    if not isinstance(bunch.target, pd.Series):
        msg = f"{OPENML}{name} has no single target column"
        raise DataError(msg)
    return Dataset.from_arrays(bunch.data, bunch.target, name=name)


def read_dataset(
    path: str | Path,
    target: str | None,
    *,
    separator: str | None = None,
    has_header: bool = True,
    encoding: str | None = None,
    decimal: str | None = None,
    task: str | None = None,
) -> Dataset:
    """Read a CSV or Parquet file with a column to predict.

    Numbers are imputed by their median and standardized; everything else is one-hot
    encoded, with a missing value as a category of its own. Rows without a target
    are left out.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv`` or other text (also compressed, as in ``.csv.gz``), or
        ``.parquet``.
    target : str or None
        Column of the labels or values.
    separator : str, optional
        Between the columns of a CSV file: a comma by default, in ``.tsv`` a tab.
    has_header : bool
        Whether the first row of a CSV file has the names of the columns. Otherwise they
        are called "0", "1" and so on.
    encoding : str, optional
        Of a CSV file, by default UTF-8. Excel in Western Europe writes "cp1252".
    decimal : str, optional
        Of the numbers in a CSV file, by default a point.
    task : {"classes", "values"}, optional
        By default :func:`task_of` the column.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there is no such file or column, the file is not what its ending or the
        parameters say, a name stands for two columns, or :meth:`Dataset.from_arrays`
        refuses what it holds.
    """
    path = Path(path)
    form = TextFormat(separator, has_header, encoding, decimal)
    frame = read_frame(path, form)
    columns = [str(column) for column in frame.columns]
    frame.columns = pd.Index(columns)
    check_names(columns, str(path))
    if target is None:
        hint = separator_hint(path, form)
        msg = (
            f"name the column to predict with --target; {path} has "
            f"{listed(columns)}{hint}"
        )
        raise DataError(msg)
    if target not in columns:
        close = get_close_matches(target, columns, n=1)
        hint = separator_hint(path, form)
        if close and not hint:
            hint = f" (did you mean {close[0]!r}?)"
        msg = f"no column {target!r} in {path}{hint}; it has {listed(columns)}"
        raise DataError(msg)
    return Dataset.from_arrays(
        frame.drop(columns=target),
        frame[target],
        name=path.name.split(".")[0],
        task=task,
    )


def tabular_transformer(scale: str = "standard") -> ColumnTransformer:
    """Return a transformer of mixed columns with missing values to numbers.

    Parameters
    ----------
    scale : {"standard", "minmax"}
        "minmax" takes numbers to [0, 1], also those of rows beyond the training rows, for
        metrics of values that are not negative.

    Returns
    -------
    ColumnTransformer

    Raises
    ------
    DataError
        If ``scale`` is neither.
    """
    if scale not in SCALERS:
        msg = f"scale must be one of {', '.join(SCALERS)}, got {scale!r}"
        raise DataError(msg)
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), clone(SCALERS[scale])
    )
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=20, sparse_output=False
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("categories", categories, make_column_selector(dtype_exclude="number")),
        ]
    )


def _plain(y: pd.Series[Any]) -> pd.Series[Any]:
    """Take what is neither text nor a number as the text that it is written as."""
    types = pd.api.types
    if types.is_numeric_dtype(y) or types.is_bool_dtype(y) or types.is_string_dtype(y):
        return y
    kinds = {type(value) for value in y}
    if refused := [kind for kind in kinds if issubclass(kind, REFUSED)]:
        msg = (
            f"the target {y.name!r} has values of type {refused[0].__name__}, which are "
            f"neither text nor numbers"
        )
        raise DataError(msg)
    if kinds <= {str, bool} or kinds <= {int, float, np.float64, np.int64}:
        return y
    return y.map(str)


def _check_labels(y: pd.Series[Any]) -> None:
    n_classes, target = y.nunique(), y.name
    if n_classes < 2:
        found = (
            f"only the one class {y.iloc[0]!r}" if n_classes else "no label in any row"
        )
        msg = f"the target {target!r} needs at least two classes; it has {found}"
        raise DataError(msg)
    _check_number(y)
    if 2 * n_classes > len(y):
        msg = (
            f"the target {target!r} has {n_classes} different values in {len(y)} rows: "
            f"too many for classes; if they are numbers to predict, give --task values"
        )
        raise DataError(msg)


def _check_values(y: pd.Series[Any]) -> None:
    _check_number(y)
    if not pd.api.types.is_any_real_numeric_dtype(y) or not np.isfinite(y).all():
        msg = f"the target {y.name!r} has values that are not finite numbers"
        raise DataError(msg)
    if y.nunique() < 2:
        msg = f"the target {y.name!r} needs at least two values; it has {y.iloc[0]}"
        raise DataError(msg)


def _check_number(y: pd.Series[Any]) -> None:
    if len(y) < LEAST_ROWS:
        msg = f"at least {LEAST_ROWS} labeled rows are needed, there are {len(y)}"
        raise DataError(msg)


def _task(name: str | None, y: pd.Series[Any]) -> Task:
    if name is None:
        return task_of(y)
    if name not in TASKS:
        msg = f"task must be one of {', '.join(TASKS)}, got {name!r}"
        raise DataError(msg)
    return TASKS[name]


def _tidy_features(X: pd.DataFrame) -> pd.DataFrame:
    """Numbers as floats, times as seconds, all else as text; missing stays missing."""
    tidy = {}
    for name, column in X.items():
        if pd.api.types.is_bool_dtype(
            column
        ) or not pd.api.types.is_any_real_numeric_dtype(column):
            if pd.api.types.is_datetime64_any_dtype(column):
                seconds = (column - column.min()).dt.total_seconds()
                tidy[name] = seconds.astype(float)
            else:
                text = column.astype("string").astype(object)
                tidy[name] = text.where(column.notna(), "missing")
        else:
            tidy[name] = column.astype("Float64").astype(float)
            _check_feature(str(name), tidy[name])
    return pd.DataFrame(tidy, index=X.index)


def _check_feature(name: str, values: pd.Series[Any]) -> None:
    is_large = values.abs() > GREATEST
    if not is_large.any():
        return
    k, count = int(is_large.argmax()), int(is_large.sum())
    what = "infinity" if np.isinf(values.iloc[k]) else f"{values.iloc[k]:g}"
    rows = "1 row" if count == 1 else f"{count} rows"
    msg = (
        f"the column {name!r} has {what} in {rows}, first in row {values.index[k]}: "
        f"numbers may be as large as {GREATEST:g}, and cells may be empty"
    )
    raise DataError(msg)
