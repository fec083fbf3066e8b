"""Data sets to compare on: a table of one's own, or scikit-learn's digits."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_digits
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

__all__ = [
    "LEAST_ROWS",
    "DataError",
    "Dataset",
    "load_digits_dataset",
    "read_dataset",
    "tabular_transformer",
]

LEAST_ROWS = 20


class DataError(ValueError):
    """The data cannot be compared on; the message says why, in terms of the file."""


@dataclass(frozen=True)
class Dataset:
    """Features ``X``, labels ``y`` and an unfitted transformer of the features."""

    name: str
    X: pd.DataFrame
    y: pd.Series[Any]
    transformer: Any


def load_digits_dataset() -> Dataset:
    """Load scikit-learn's digits: 1,797 images of 8 x 8 pixels, scaled to [0, 1]."""
    X, y = load_digits(return_X_y=True, as_frame=True)
    return Dataset("digits", X, y, FunctionTransformer(_pixels))


def _pixels(X: pd.DataFrame) -> np.ndarray[Any, Any]:
    return X.to_numpy() / 16.0


def read_dataset(
    path: str | Path, target: str | None, *, separator: str = ","
) -> Dataset:
    """Read a CSV or Parquet file with a column of class labels.

    Numbers are imputed by their median and standardised; everything else is one-hot
    encoded, with a missing value as a category of its own. Rows without a label are
    left out.

    Parameters
    ----------
    path : str or Path
        ``.csv`` (also compressed, as in ``.csv.gz``) or ``.parquet``.
    target : str or None
        Column of the labels.
    separator : str
        Of a CSV file.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there is no such file or column, or the labels are not two or more classes of
        enough rows.
    """
    path = Path(path)
    frame = _read_frame(path, separator)
    columns = [str(column) for column in frame.columns]
    frame.columns = pd.Index(columns)
    if target is None:
        msg = f"name the column of labels with --target; {path} has {_listed(columns)}"
        raise DataError(msg)
    if target not in columns:
        close = get_close_matches(target, columns, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        msg = f"no column {target!r} in {path}{hint}; it has {_listed(columns)}"
        raise DataError(msg)
    labelled = frame[frame[target].notna()]
    y = labelled[target]
    _check_labels(y, target)
    X = _tidy_features(labelled.drop(columns=target))
    if X.shape[1] == 0:
        msg = f"{path} has no column besides the target {target!r}"
        raise DataError(msg)
    return Dataset(path.name.split(".")[0], X, y, tabular_transformer())


def tabular_transformer() -> ColumnTransformer:
    """Return a transformer of mixed columns with missing values to numbers."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
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


def _read_frame(path: Path, separator: str) -> pd.DataFrame:
    if not path.is_file():
        msg = f"no such file: {path}"
        raise DataError(msg)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if ".csv" in path.suffixes:
            return pd.read_csv(path, sep=separator)
    except ImportError as error:
        msg = "reading Parquet needs pyarrow: pip install 'skmetricmlp[parquet]'"
        raise DataError(msg) from error
    except (ValueError, OSError) as error:
        msg = f"{path} cannot be read: {error}"
        raise DataError(msg) from error
    msg = f"{path} must be a .csv or .parquet file"
    raise DataError(msg)


def _check_labels(y: pd.Series[Any], target: str) -> None:
    n_classes = y.nunique()
    if n_classes < 2:
        found = f"the one class {y.iloc[0]!r}" if n_classes else "no label"
        msg = f"the target {target!r} needs at least two classes; it has {found}"
        raise DataError(msg)
    if len(y) < LEAST_ROWS:
        msg = f"at least {LEAST_ROWS} labelled rows are needed, there are {len(y)}"
        raise DataError(msg)
    if 2 * n_classes > len(y):
        msg = (
            f"the target {target!r} has {n_classes} different values in {len(y)} rows: "
            f"that is no set of classes"
        )
        raise DataError(msg)


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
    return pd.DataFrame(tidy, index=X.index)


def _listed(columns: list[str], most: int = 12) -> str:
    shown = ", ".join(columns[:most])
    return f"the columns {shown}" + (", ..." if len(columns) > most else "")
