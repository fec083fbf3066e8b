"""Data sets for a comparison: the user's tables, and data of scikit-learn by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

from skmetricmlp._columns import first_container, with_plain_type
from skmetricmlp.study.columns import (
    MOST_CATEGORIES,
    describe_columns,
    with_given_dates,
    with_known_dates,
)
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.tables import (
    TextFormat,
    check_column_names,
    format_columns,
    read_frame,
    separator_hint,
)
from skmetricmlp.study.tasks import CLASSES, TASKS, Task, infer_task

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

#: Data sets that scikit-learn includes.
NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")

#: Largest absolute value. Scaling sums squares, which must not overflow.
GREATEST = 1e150

#: Types of objects that are not accepted as labels.
REFUSED = (bytes, list, tuple, dict, set, np.ndarray)

SCALERS = {"standard": StandardScaler(), "minmax": MinMaxScaler(clip=True)}

#: Prefix of the names of data sets that are downloaded.
OPENML = "openml:"


@dataclass(frozen=True)
class Dataset:
    """Features and targets, with a transformer of the features to numbers.

    Attributes
    ----------
    name : str
        Name in the report.
    X : pandas.DataFrame
        Features: numbers, which may be missing, or text.
    y : pandas.Series
        Labels, or values of a regression target.
    task : Task
        Classification or regression.
    transformer : scikit-learn transformer
        An unfitted transformer of ``X`` to numbers. It is fitted to training data only.
    image_shape : tuple of int, optional
        Rows and columns, if the transformed features are pixels.
    columns : pandas.DataFrame, optional
        How the columns were read; see
        :func:`~skmetricmlp.study.columns.describe_columns`.
    guessed : str
        Options about the format of a file that were guessed, as "--separator ';'".
    n_available : int, optional
        Number of rows from which those of the data set were drawn, if they were.
    """

    name: str
    X: pd.DataFrame
    y: pd.Series[Any]
    task: Task
    transformer: Any
    image_shape: tuple[int, int] | None = None
    columns: pd.DataFrame | None = None
    guessed: str = ""
    n_available: int | None = None

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
        """Make a data set from features and targets.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Numbers, categories, truth values or times. They may be missing.
        y : array-like of shape (n_samples,)
            Labels, or values of a regression target. Rows without a target are omitted.
        name : str
            Name in the report.
        task : {"classes", "values"}, optional
            By default it is inferred by :func:`~skmetricmlp.study.tasks.infer_task`.
        transformer : scikit-learn transformer, optional
            By default :func:`tabular_transformer`.
        image_shape : tuple of int, optional
            Rows and columns, if the transformed features are pixels.

        Returns
        -------
        Dataset

        Raises
        ------
        DataError
            If there are too few rows, fewer than two classes, values that are not finite,
            no features, two features with the same name, an infinite feature, or a
            feature with lists or the like.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> Dataset.from_arrays(*load_wine(return_X_y=True), name="wine").X.shape
        (178, 13)
        """
        frame = pd.DataFrame(X).copy(deep=False)
        targets = pd.Series(np.asarray(y), name=_name_of(y))
        if len(frame) != len(targets):
            msg = f"X has {len(frame)} rows and y has {len(targets)}"
            raise DataError(msg)
        has_target = targets.notna().to_numpy()
        targets = targets[has_target].reset_index(drop=True).infer_objects()
        targets = _as_labels(targets)
        resolved = _resolve_task(task, targets)
        check = _check_labels if resolved == CLASSES else _check_values
        check(targets)
        if frame.shape[1] == 0:
            msg = f"{name} has no column besides the target"
            raise DataError(msg)
        names = [str(column) for column in frame.columns]
        check_column_names(names, "X")
        frame.columns = pd.Index(names)
        frame.index = pd.RangeIndex(1, len(frame) + 1)
        frame = pd.DataFrame(
            {name: _with_known_type(column) for name, column in frame.items()},
            index=frame.index,
        )
        features = _tidy_features(frame[has_target]).reset_index(drop=True)
        described = None
        if image_shape is None:
            described = describe_columns(frame[has_target], targets)
        transformer = tabular_transformer() if transformer is None else transformer
        return cls(name, features, targets, resolved, transformer, image_shape, described)

    @property
    def fingerprint(self) -> str:
        """Hash of the data, the column names, the task and the transformer."""
        settings = list(self.X), self.task.name, self.transformer
        digest = sha256(joblib.hash(settings).encode())
        for part in (self.X, self.y):
            hashes = pd.util.hash_pandas_object(part, index=False)
            digest.update(hashes.to_numpy().tobytes())
        return digest.hexdigest()


def load_dataset(name: str) -> Dataset:
    """Load a data set that scikit-learn includes or downloads.

    Parameters
    ----------
    name : str
        "breast_cancer", "diabetes", "digits", "iris" or "wine", or "openml:NAME" for a
        data set of `OpenML <https://www.openml.org>`_, which scikit-learn downloads to
        its cache. The pixels of "digits" are scaled to [0, 1]. All other data sets are
        tables.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there is no such data set, or it could not be downloaded.

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
            f"no data set {name!r}{hint}: name one of {', '.join(NAMES)}, {OPENML}NAME, "
            f"or a .csv or .parquet file"
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
    missing: Sequence[str] = (),
    dates: str | None = None,
    drop: Sequence[str] = (),
    task: str | None = None,
) -> Dataset:
    """Read a CSV or Parquet file with a column to predict.

    Missing numbers are replaced by the median of the column, and numbers are
    standardized, as are durations, and dates, which may be text such as 2026-11-27 or
    27.11.2026. All other columns are one-hot encoded; a missing value is a category.
    Rows without a target are omitted.

    Parameters
    ----------
    path : str or Path
        A ``.parquet`` file, or a text file such as ``.csv`` or ``.tsv``, which may be
        compressed, as in ``.csv.gz``.
    target : str or None
        Name of the column to predict. With None the error lists the columns.
    separator : str, optional
        Separator of the columns of a CSV file. By default it is guessed from the first
        rows, of comma, semicolon, tab and "|".
    has_header : bool
        Whether the first row of a CSV file has the names of the columns. Otherwise the
        names are "0", "1" and so on.
    encoding : str, optional
        Encoding of a CSV file. By default it is guessed: UTF-8, or "cp1252", which Excel
        writes in Western Europe.
    decimal : str, optional
        Decimal separator of a CSV file. By default it is guessed: a point or a comma.
    missing : sequence of str
        Cells of a CSV file that count as missing, such as "?", besides empty cells and
        "NA", "null" and the like.
    dates : str, optional
        Format of dates that are text, such as "%m/%d/%Y", besides the usual ones.
    drop : sequence of str
        Names of columns that are left out.
    task : {"classes", "values"}, optional
        By default it is inferred by :func:`~skmetricmlp.study.tasks.infer_task`.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the file or the column does not exist, the file does not have the given format,
        two columns have the same name, or the data are invalid, as in
        :meth:`Dataset.from_arrays`.
    """
    path = Path(path)
    given = TextFormat(separator, has_header, encoding, decimal, tuple(missing))
    frame, used = read_frame(path, given)
    guessed = used.describe_guess(given, path)
    columns = [str(column) for column in frame.columns]
    frame.columns = pd.Index(columns)
    check_column_names(columns, str(path))
    if target is None:
        hint = separator_hint(path, used)
        msg = (
            f"name the column to predict with --target; {path} has "
            f"{format_columns(columns)}{hint}"
        )
        raise DataError(msg)
    for name in (target, *drop):
        if name not in columns:
            raise _unknown_column(name, columns, path, used, guessed)
    if target in drop:
        msg = f"--drop must not name the target {target!r}"
        raise DataError(msg)
    features = frame.drop(columns=[target, *drop])
    if dates is not None:
        features = with_given_dates(features, dates)
    data = Dataset.from_arrays(
        features, frame[target], name=path.name.split(".")[0], task=task
    )
    return replace(data, guessed=guessed)


def _unknown_column(
    name: str, columns: list[str], path: Path, used: TextFormat, guessed: str
) -> DataError:
    close = get_close_matches(name, columns, n=1)
    hint = separator_hint(path, used)
    if guessed and not hint:
        hint = f" (read with {guessed})"
    if close and not hint:
        hint = f" (did you mean {close[0]!r}?)"
    msg = f"no column {name!r} in {path}{hint}; it has {format_columns(columns)}"
    return DataError(msg)


def tabular_transformer(scale: str = "standard") -> ColumnTransformer:
    """Make a transformer of mixed columns with missing values to numbers.

    Parameters
    ----------
    scale : {"standard", "minmax"}
        Scaling of numbers. "minmax" scales to [0, 1] and clips test data to this range.
        It is needed by metrics of nonnegative data.

    Returns
    -------
    ColumnTransformer

    Raises
    ------
    DataError
        If ``scale`` is invalid.
    """
    if scale not in SCALERS:
        msg = f"scale must be one of {', '.join(SCALERS)}, got {scale!r}"
        raise DataError(msg)
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), clone(SCALERS[scale])
    )
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("categories", categories, make_column_selector(dtype_exclude="number")),
        ]
    )


def _name_of(y: Any) -> str:
    name = getattr(y, "name", None)
    return "y" if name is None else str(name)


def _with_known_type(column: pd.Series[Any]) -> pd.Series[Any]:
    """Convert dates, durations and numbers of any type to those of NumPy."""
    if (cell := first_container(column)) is not None:
        msg = (
            f"the column {column.name!r} has values of type {type(cell).__name__}; it "
            f"must have text, numbers or dates: leave it out with --drop"
        )
        raise DataError(msg)
    return with_known_dates(with_plain_type(column))


def _as_labels(y: pd.Series[Any]) -> pd.Series[Any]:
    """Convert durations to days, decimals to numbers, and other objects to text."""
    types = pd.api.types
    kinds = {type(value) for value in y} if y.dtype == object else set()
    if refused := [kind for kind in kinds if issubclass(kind, REFUSED)]:
        msg = (
            f"the target {y.name!r} has values of type {refused[0].__name__}; it must "
            f"have text or numbers"
        )
        raise DataError(msg)
    y = with_plain_type(y)
    if types.is_timedelta64_dtype(y):
        days: pd.Series[Any] = y.dt.total_seconds() / 86400
        return days
    if types.is_numeric_dtype(y) or types.is_bool_dtype(y) or types.is_string_dtype(y):
        return y
    if kinds and kinds <= {str, bool}:
        return y
    return y.map(str)


def _check_labels(y: pd.Series[Any]) -> None:
    n_classes, target = y.nunique(), y.name
    if n_classes < 2:
        found = f"one class {y.iloc[0]!r}" if n_classes else "no labels"
        msg = f"the target {target!r} needs at least two classes; it has {found}"
        raise DataError(msg)
    _check_number(y)
    if 2 * n_classes > len(y):
        is_number = pd.api.types.is_any_real_numeric_dtype(y)
        remedy = "use --task values for regression" if is_number else "predict numbers"
        msg = (
            f"the target {target!r} has {n_classes} distinct values in {len(y)} rows, "
            f"which are too many classes: {remedy}, or a column of fewer classes"
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
        msg = f"at least {LEAST_ROWS} labeled rows are needed, got {len(y)}"
        raise DataError(msg)


def _resolve_task(name: str | None, y: pd.Series[Any]) -> Task:
    if name is None:
        return infer_task(y)
    if name not in TASKS:
        msg = f"task must be one of {', '.join(TASKS)}, got {name!r}"
        raise DataError(msg)
    return TASKS[name]


def _tidy_features(X: pd.DataFrame) -> pd.DataFrame:
    """Convert numbers to floats, times to seconds, and other columns to text."""
    types = pd.api.types
    tidy = {}
    for name, column in X.items():
        if types.is_datetime64_any_dtype(column):
            tidy[name] = (column - column.min()).dt.total_seconds().astype(float)
        elif types.is_timedelta64_dtype(column):
            tidy[name] = column.dt.total_seconds().astype(float)
        elif types.is_any_real_numeric_dtype(column) and not types.is_bool_dtype(column):
            tidy[name] = column.astype("Float64").astype(float)
            _check_feature(str(name), tidy[name])
        else:
            text = column.astype("string").astype(object)
            tidy[name] = text.where(column.notna(), "missing")
    return pd.DataFrame(tidy, index=X.index)


def _check_feature(name: str, column: pd.Series[Any]) -> None:
    is_large = column.abs() > GREATEST
    if not is_large.any():
        return
    k, count = int(is_large.argmax()), int(is_large.sum())
    value = "infinity" if np.isinf(column.iloc[k]) else f"{column.iloc[k]:g}"
    rows = "1 row" if count == 1 else f"{count} rows"
    msg = (
        f"the column {name!r} has {value} in {rows}, first in row {column.index[k]}: "
        f"absolute values must be at most {GREATEST:g}; cells may be empty"
    )
    raise DataError(msg)
