"""From a table of numbers, categories, dates and missing values to columns of numbers.

A column of numbers stays as it is. If it has missing values in the training data, a
column follows that is 1 where they are, and the mean stands in their place, which the
metric takes back (:class:`~skmetricmlp.metrics.Holes`). A column of categories becomes
columns of 0 and 1, one-hot. Dates are numbers of days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api import types
from sklearn.preprocessing import OneHotEncoder

from skmetricmlp._columns import NUMBERS, first_container, with_plain_type
from skmetricmlp._errors import invalid_parameter
from skmetricmlp._typing import Bools, Floats, Ints
from skmetricmlp.metrics import Holes

__all__ = [
    "Categories",
    "CategoryCounts",
    "NumberSums",
    "Numbers",
    "TableEncoding",
    "TableSummary",
    "as_frame",
    "check_container",
    "check_numbers",
    "fit_encoding",
    "table_summary",
    "value_kind",
]

# Columns that a categorical feature becomes at most. Its rare categories share one.
MOST_CATEGORIES = 20
A_DAY = np.timedelta64(1, "D")
ACCEPTED = "'from_dtype', None, or names, positions or a mask of columns"


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, the mean of those that are known, and whether some are not.

    The kind is "numbers", "dates" or "durations", or "" if none was known.
    """

    name: str
    mean: float
    has_holes: bool
    kind: str = "numbers"

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns of numbers."""
        return [self.name] + [f"missingindicator_{self.name}"] * self.has_holes

    def encode(self, column: pd.Series) -> list[Floats]:
        """Return the columns of numbers."""
        advice = f": they were {self.kind or 'numbers'} in fit"
        values = _numbers(column, self.name, self.kind, advice)
        if not self.has_holes:
            return [values]
        missing = np.isnan(values)
        return [np.where(missing, self.mean, values), missing.astype(np.float64)]


@dataclass(frozen=True)
class Categories:
    """A column of categories, which are numbers or text, and the encoder of it."""

    name: str
    are_numbers: bool
    encoder: OneHotEncoder

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns of numbers."""
        return list(self.encoder.get_feature_names_out([self.name]))

    @property
    def categories(self) -> Any:
        """Array of numbers or text (n_categories,), of which one may be missing."""
        return self.encoder.categories_[0]

    @cached_property
    def rows(self) -> Floats:
        """Columns of numbers of each category, and of an unknown one in the last row."""
        rows = self.encoder.transform(self.categories[:, None])
        unknown = np.zeros((1, rows.shape[1]))
        unknown[0, -1] = self.encoder.infrequent_categories_[0] is not None
        return np.concatenate([rows, unknown])

    def encode(self, column: pd.Series) -> list[Floats]:
        """Return the columns of numbers."""
        values = _category_values(column, self.name, are_numbers=self.are_numbers)
        # The encoder returns the same, and takes several times as long for one row.
        at = self._index.get_indexer(_as_index(values[:, 0]))
        return list(self.rows[at].T)

    @cached_property
    def _index(self) -> pd.Index:
        return _as_index(self.categories)


def _as_index(values: Any) -> pd.Index:
    """Return an index of the same type, which pandas would convert if it is text."""
    index: pd.Index = pd.Index(values, dtype=values.dtype, copy=False)
    return index


@dataclass(frozen=True)
class TableEncoding:
    """How each column of a table becomes one column of numbers, or several.

    Parameters
    ----------
    columns : tuple
        One for each column of the table, in its order.
    """

    columns: tuple[Numbers | Categories, ...]

    @cached_property
    def labels(self) -> list[str]:
        """Names of the columns of the table."""
        return [column.name for column in self.columns]

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns of numbers."""
        return [name for column in self.columns for name in column.names]

    @cached_property
    def groups(self) -> Ints:
        """Which column of the table each column of numbers belongs to."""
        widths = [len(column.names) for column in self.columns]
        return np.repeat(np.arange(len(widths)), widths)

    @cached_property
    def are_flags(self) -> Bools:
        """Whether each column of numbers has zeros and ones that say what is the case."""
        flags = []
        for column in self.columns:
            n = len(column.names)
            is_number = isinstance(column, Numbers)
            flags += [False] * is_number + [True] * (n - is_number)
        return np.array(flags, dtype=bool)

    @cached_property
    def holes(self) -> Holes | None:
        """Columns of numbers with missing values; None if no column has any."""
        first = np.searchsorted(self.groups, np.arange(len(self.columns)))
        pairs = list(zip(first, self.columns, strict=True))
        means = [
            (at, column.mean)
            for at, column in pairs
            if isinstance(column, Numbers) and column.has_holes
        ]
        if not means:
            return None
        values = np.array([at for at, _ in means], dtype=np.intp)
        return Holes(values, values + 1, np.array([mean for _, mean in means]))

    def encode(self, X: Any) -> Floats:
        """Return the columns of numbers.

        Parameters
        ----------
        X : table or array of shape (n, n_columns)

        Returns
        -------
        array of shape (n, n_encoded)
            In double precision, or in single precision as an array X is. A number that
            is missing is NaN if the column was complete in the training data.

        Raises
        ------
        ValueError
            If a column of numbers has values that are none.
        """
        table = as_frame(X)
        parts = [
            part
            for column, (_, values) in zip(self.columns, table.items(), strict=True)
            for part in column.encode(values)
        ]
        encoded: Floats = np.column_stack(parts)
        is_single = isinstance(X, np.ndarray) and X.dtype == np.float32
        return encoded.astype(np.float32) if is_single else encoded

    def filled(self, encoded: Floats) -> Floats:
        """Return encoded rows with the mean in the place of every missing number."""
        means = [
            mean
            for column in self.columns
            for mean in [
                column.mean if isinstance(column, Numbers) else 0.0,
                *[0.0] * (len(column.names) - 1),
            ]
        ]
        stand_ins = np.array(means, dtype=encoded.dtype)
        return np.where(np.isnan(encoded), stand_ins, encoded)


@dataclass(frozen=True)
class NumberSums:
    """Of a column of numbers: what its encoding needs. The kind is that of Numbers."""

    name: str
    total: float
    n_known: int
    n_rows: int
    kind: str

    def plus(self, other: NumberSums) -> NumberSums:
        """Return the sums over the rows of both."""
        if self.kind and other.kind and self.kind != other.kind:
            msg = f"X must have {self.kind} in column {self.name!r}, got {other.kind}"
            raise ValueError(msg)
        return NumberSums(
            self.name,
            self.total + other.total,
            self.n_known + other.n_known,
            self.n_rows + other.n_rows,
            self.kind or other.kind,
        )

    def encoding(self) -> Numbers:
        """Return the encoding of the column."""
        mean = self.total / self.n_known if self.n_known else 0.0
        return Numbers(self.name, mean, self.n_known < self.n_rows, self.kind)


@dataclass(frozen=True)
class CategoryCounts:
    """Of a column of categories: how often each occurs, by category, NaN for missing."""

    name: str
    are_numbers: bool
    counts: pd.Series[int]

    def plus(self, other: CategoryCounts) -> CategoryCounts:
        """Return the counts of the rows of both."""
        one, two = self, other
        if one.are_numbers != two.are_numbers:
            one, two = _with_text(one), _with_text(two)
        counts = pd.concat([one.counts, two.counts])
        counts = counts.groupby(level=0, dropna=False).sum()
        return CategoryCounts(self.name, one.are_numbers, counts)

    def encoding(self) -> Categories:
        """Return the encoding of the column.

        The encoder needs the order of the most frequent counts alone, so that it is
        fitted to few rows.
        """
        ranks = self.counts.rank(method="dense", ascending=False).to_numpy()
        times = np.maximum(MOST_CATEGORIES + 2 - ranks, 1).astype(np.intp)
        dtype = np.float64 if self.are_numbers else object
        values = np.repeat(self.counts.index.to_numpy(dtype=dtype), times)
        encoder = OneHotEncoder(
            max_categories=MOST_CATEGORIES,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
            dtype=np.float64,
        )
        return Categories(self.name, self.are_numbers, encoder.fit(values[:, None]))


def _with_text(column: CategoryCounts) -> CategoryCounts:
    """Return categories that are numbers as text, as those of a column with both are."""
    if not column.are_numbers:
        return column
    text = [cell if np.isnan(cell) else _as_text(cell) for cell in column.counts.index]
    counts = column.counts.set_axis(pd.Index(text, dtype=object))
    return CategoryCounts(column.name, are_numbers=False, counts=counts)


@dataclass(frozen=True)
class TableSummary:
    """What the encoding of a table needs of its rows.

    The summary of two sets of rows is found from their summaries.

    Parameters
    ----------
    columns : tuple
        One for each column of the table, in its order.
    is_plain : bool
        Whether there are numbers alone. If none of them is missing, they stay as they
        are.
    """

    columns: tuple[NumberSums | CategoryCounts, ...]
    is_plain: bool

    def plus(self, other: TableSummary) -> TableSummary:
        """Return the summary of the rows of both.

        Raises
        ------
        ValueError
            If they have other columns, or columns of another kind.
        """
        mine, theirs = ([c.name for c in one.columns] for one in (self, other))
        if mine != theirs:
            msg = f"X must have the same columns in all parts, got {mine} and {theirs}"
            raise ValueError(msg)
        pairs: Any = zip(self.columns, other.columns, strict=True)
        columns = []
        for one, two in pairs:
            if type(one) is not type(two):
                msg = (
                    f"X has numbers in some rows of column {one.name!r}, and categories "
                    f"in others: name it in categorical_features"
                )
                raise ValueError(msg)
            columns.append(one.plus(two))
        return TableSummary(tuple(columns), self.is_plain and other.is_plain)

    def encoding(self) -> TableEncoding | None:
        """Return the encoding, or None if all columns stay as they are."""
        columns = tuple(column.encoding() for column in self.columns)
        has_holes = any(isinstance(c, Numbers) and c.has_holes for c in columns)
        return TableEncoding(columns) if has_holes or not self.is_plain else None


def table_summary(
    X: Any, categorical_features: ArrayLike | str | None = "from_dtype"
) -> TableSummary:
    """Summarize a table for its encoding.

    Parameters
    ----------
    X : table or array of shape (n, n_columns)
    categorical_features : {"from_dtype"}, array-like or None
        As in :func:`fit_encoding`.

    Returns
    -------
    TableSummary

    Raises
    ------
    TypeError, ValueError
        If ``categorical_features`` is not accepted, or does not fit X.
    """
    is_frame, table = hasattr(X, "columns"), as_frame(X)
    is_category = _categorical(table, categorical_features, is_frame=is_frame)
    columns = tuple(
        _category_counts(column, str(name))
        if categorical
        else _number_sums(column, str(name))
        for (name, column), categorical in zip(table.items(), is_category, strict=True)
    )
    is_plain = _is_default(categorical_features) and (not is_frame or _has_plain_types(X))
    return TableSummary(columns, is_plain)


def fit_encoding(
    X: Any, categorical_features: ArrayLike | str | None = "from_dtype"
) -> TableEncoding | None:
    """Find out how to encode a table.

    Parameters
    ----------
    X : table or array of shape (n, n_columns)
    categorical_features : {"from_dtype"}, array-like or None
        Names, positions or a mask of columns that are categories. With
        ``"from_dtype"``, the columns of a table whose values are text or of a
        categorical type. With None, no column.

    Returns
    -------
    TableEncoding or None
        None if X has numbers alone, and none is missing.

    Raises
    ------
    TypeError, ValueError
        If X is no table or array, or ``categorical_features`` is not accepted or does not
        fit X.
    """
    check_container(X)
    is_frame = hasattr(X, "columns")
    if is_frame:
        _check_names(X)
    if _is_default(categorical_features):
        if is_frame and _has_plain_types(X) and not X.isna().to_numpy().any():
            return None
        # Arrays of anything but numbers and text are left to scikit-learn's validation.
        X = X if is_frame else _array_with_holes(X)
        if X is None:
            return None
    return table_summary(X, categorical_features).encoding()


def _is_default(categorical_features: Any) -> bool:
    """Whether arrays have no categories."""
    is_name = isinstance(categorical_features, str)
    return categorical_features is None or (
        is_name and categorical_features == "from_dtype"
    )


def _array_with_holes(X: Any) -> Any:
    """Return an array of numbers of which some are missing, or None."""
    if hasattr(X, "tocsr") or (hasattr(X, "dtype") and not isinstance(X, np.ndarray)):
        return None
    try:
        array = np.asarray(X)
        if array.dtype == object:
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        _check_no_text(X)
        return None
    if array.dtype.kind == "U":
        _check_no_text(array)
    has_holes = array.ndim == 2 and array.dtype.kind == "f" and np.isnan(array).any()
    return array if has_holes else None


def _check_no_text(X: Any) -> None:
    """Refuse an array with text that is no number, and name its column."""
    try:
        array = np.asarray(X, dtype=object)
    except ValueError:  # lists of several lengths
        return
    if array.ndim != 2:
        return
    for at, column in enumerate(array.T):
        text = pd.Series([cell for cell in column if isinstance(cell, str)], dtype=object)
        wrong = text[pd.to_numeric(text, errors="coerce").isna()]
        if len(wrong):
            msg = (
                f"X must have numbers in column {at}, got {wrong.iloc[0]!r}: pass a "
                f"table with named columns, or name the columns of categories in "
                f"categorical_features"
            )
            raise ValueError(msg)


def check_numbers(X: Any) -> None:
    """Refuse a table with a column that is not of finite numbers, and name the column.

    Raises
    ------
    ValueError
    """
    if hasattr(X, "columns"):
        for name, column in as_frame(X).items():
            _numbers(column, str(name), "numbers")


def check_container(X: Any) -> None:
    """Refuse dictionaries and single columns or rows, and say what makes a table of them.

    Raises
    ------
    TypeError
        For a dictionary, or a list of them.
    ValueError
        For a series of pandas or Polars.
    """
    accepted = "X must be a table or an array with rows and columns"
    # Some sparse matrices of SciPy are dictionaries, with a shape.
    if isinstance(X, Mapping) and not hasattr(X, "shape"):
        msg = (
            f"{accepted}, got a dict: pass pandas.DataFrame(X), or pandas.DataFrame([X]) "
            f"of a single row"
        )
        raise TypeError(msg)
    if isinstance(X, list | tuple) and len(X) and isinstance(X[0], Mapping):
        msg = f"{accepted}, got a {type(X).__name__} of dicts: pass pandas.DataFrame(X)"
        raise TypeError(msg)
    if type(X).__name__ == "Series":
        msg = (
            f"{accepted}, got a Series of shape {X.shape}: in pandas table.iloc[[0]] is "
            f"a table of one row, and table[['name']] of one column"
        )
        raise ValueError(msg)


def _check_names(X: Any) -> None:
    """Refuse tables without columns, with duplicate names, and of other libraries."""
    is_known = isinstance(X, pd.DataFrame) or all(isinstance(n, str) for n in X.columns)
    if not is_known:
        kind = f"{type(X).__module__}.{type(X).__name__}"
        msg = f"X must be a table of pandas or Polars, or an array, got {kind}"
        raise TypeError(msg)
    names = pd.Index(X.columns)
    if not len(names):
        msg = f"X must have at least one column, got a table of shape {X.shape}"
        raise ValueError(msg)
    if names.has_duplicates:
        twice = names[names.duplicated()][0]
        msg = f"X has two columns named {twice!r}: rename or remove one"
        raise ValueError(msg)


def _has_plain_types(table: Any) -> bool:
    """Whether all columns of a table are of NumPy's numbers."""
    if not isinstance(table, pd.DataFrame):
        return False
    dtypes = list(table.dtypes)
    return all(isinstance(t, np.dtype) and t.kind in "biuf" for t in dtypes)


def as_frame(X: Any) -> pd.DataFrame:
    """Return the columns of any table, or of an array, as those of pandas."""
    if isinstance(X, pd.DataFrame):
        return X
    if hasattr(X, "columns") and hasattr(X, "__getitem__"):  # Polars, for one
        names = [str(name) for name in X.columns]
        data = {name: _as_series(X[name], name) for name in names}
        return pd.DataFrame(data, columns=names)
    array = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
    if array.ndim != 2:
        msg = f"X must be a table or an array of two dimensions, got shape {array.shape}"
        raise ValueError(msg)
    frame = pd.DataFrame(array, columns=[f"x{k}" for k in range(array.shape[1])])
    return frame.infer_objects() if array.dtype == object else frame


def _as_series(column: Any, name: str) -> pd.Series:
    values = np.asarray(column)
    if values.ndim != 1:
        raise _containers(name, values[0])
    return pd.Series(values)


def _categorical(table: pd.DataFrame, given: Any, *, is_frame: bool) -> list[bool]:
    """Whether each column is of categories."""
    n = table.shape[1]
    if given is None:
        return [False] * n
    if isinstance(given, str):
        if given != "from_dtype":
            raise invalid_parameter("categorical_features", given, ACCEPTED)
        return [is_frame and _looks_categorical(column) for _, column in table.items()]
    chosen = np.asarray(given)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "biuUO"):
        raise invalid_parameter("categorical_features", given, ACCEPTED)
    if chosen.dtype.kind == "b":
        if len(chosen) != n:
            msg = (
                f"categorical_features is a mask of {len(chosen)} columns, and X has {n}"
            )
            raise ValueError(msg)
        return list(map(bool, chosen))
    if chosen.dtype.kind in "iu":
        if np.any((chosen < 0) | (chosen >= n)):
            msg = (
                f"categorical_features must be positions from 0 to {n - 1}, got "
                f"{chosen.tolist()}"
            )
            raise ValueError(msg)
        return [position in set(chosen.tolist()) for position in range(n)]
    names = [str(name) for name in table.columns]
    unknown = [name for name in chosen.tolist() if name not in names]
    if unknown or (not is_frame and len(chosen)):
        msg = f"categorical_features has names that X lacks: {unknown or list(chosen)}"
        raise ValueError(msg)
    return [name in set(chosen.tolist()) for name in names]


def _looks_categorical(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if types.is_bool_dtype(column) or types.infer_dtype(column) == "boolean":
        return False
    return not _kind(with_plain_type(column))


def _kind(column: pd.Series) -> str:
    """Return "numbers", "dates" or "durations", or "" for a column of anything else."""
    if types.is_datetime64_any_dtype(column):
        return "dates"
    if types.is_timedelta64_dtype(column):
        return "durations"
    return "numbers" if types.is_numeric_dtype(column) else ""


def value_kind(column: pd.Series) -> str:
    """Return "numbers", "dates" or "durations", or "text" for anything else.

    Truth values are numbers, and categories are what their values are.

    Examples
    --------
    >>> value_kind(pd.Series([1, 2, 1], dtype="category"))
    'numbers'
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = pd.Series(column.cat.categories)
    if types.infer_dtype(column, skipna=True) in ("boolean", "empty"):
        return "numbers"
    return _kind(with_plain_type(column)) or "text"


def _number_sums(column: pd.Series, name: str) -> NumberSums:
    advice = ": name it in categorical_features if it has categories"
    values = _numbers(column, name, advice=advice)
    known = values[~np.isnan(values)]
    kind = _kind(with_plain_type(column)) or "numbers"
    total, n = float(known.sum()), len(known)
    return NumberSums(name, total, n, len(values), kind if n else "")


def _category_counts(column: pd.Series, name: str) -> CategoryCounts:
    known = column.dropna()
    are_numbers = types.infer_dtype(known) in {*NUMBERS, "boolean", "empty"} or (
        isinstance(column.dtype, pd.CategoricalDtype)
        and types.is_numeric_dtype(column.cat.categories)
    )
    values = _category_values(column, name, are_numbers=are_numbers)[:, 0]
    counts = pd.Series(values).value_counts(dropna=False, sort=False)
    return CategoryCounts(name, are_numbers, counts)


def _numbers(column: pd.Series, name: str, kind: str = "", advice: str = "") -> Floats:
    """Return a column of numbers, truth values or dates, with NaN for missing ones.

    With a kind, a column of another kind is refused, unless all of it is missing. The
    advice ends the message.
    """
    _check_cells(column, name)
    column = with_plain_type(column)
    found = _kind(column)
    if kind and found and found != kind and column.notna().any():
        msg = f"X must have {kind} in column {name!r}, got {found}{advice}"
        raise ValueError(msg)
    if found == "dates":
        # In microseconds, as nanoseconds end in the year 2262.
        since = column.to_numpy("datetime64[us]") - np.datetime64(0, "us")
        return since / A_DAY
    if found == "durations":
        return column.to_numpy("timedelta64[us]") / A_DAY
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        numbers = pd.to_numeric(column.astype(object), errors="coerce")
        wrong = column[numbers.isna() & column.notna()]
        if not len(wrong):
            return numbers.to_numpy(dtype=np.float64)
        msg = (
            f"X must have {kind or 'numbers'} in column {name!r}, got "
            f"{wrong.iloc[0]!r}{advice}"
        )
        raise ValueError(msg) from None
    _check_finite(values, name)
    return values


def _category_values(column: pd.Series, name: str, *, are_numbers: bool) -> Any:
    """Return the categories (n, 1) of a column, with NaN for missing ones."""
    _check_cells(column, name)
    missing = np.asarray(column.array.isna())
    if are_numbers:
        numbers = pd.to_numeric(column.astype(object), errors="coerce")
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        _check_finite(values, name)
        return values[:, None]
    is_text = types.is_string_dtype(column)
    text = column if is_text else column.astype(object).map(_as_text)
    cells = text.to_numpy(dtype=object)
    return np.where(missing, np.array(np.nan, dtype=object), cells)[:, None]


def _as_text(cell: Any) -> str:
    """Return a category as text: whole numbers without ".0", which a missing one adds."""
    is_whole = isinstance(cell, (float, np.floating)) and float(cell).is_integer()
    return str(int(cell)) if is_whole else str(cell)


def _check_finite(values: Floats, name: str) -> None:
    if np.isinf(values).any():
        msg = f"Input X contains infinity in column {name!r}"
        raise ValueError(msg)


def _check_cells(column: pd.Series, name: str) -> None:
    """Refuse complex numbers and cells that hold several values."""
    if types.is_complex_dtype(column):
        msg = f"X must have real numbers in column {name!r}, got complex ones"
        raise ValueError(msg)
    if (cell := first_container(column)) is not None:
        raise _containers(name, cell)


def _containers(name: str, cell: Any) -> ValueError:
    return ValueError(
        f"X must have numbers, text or dates in column {name!r}, got a cell of type "
        f"{type(cell).__name__}: make columns of its parts, or drop the column"
    )
