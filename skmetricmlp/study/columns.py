"""How the columns of a table were read, and what in them looks unintended."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from skmetricmlp._columns import with_plain_type
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.tasks import CLASSES, Task

__all__ = [
    "count_kinds",
    "date_formats",
    "describe_columns",
    "describe_target",
    "with_given_dates",
    "with_known_dates",
]

#: Categories that are told apart; the rarest beyond share one column.
MOST_CATEGORIES = 20

#: Share of the values that look like numbers, from which on text is suspicious.
MOST_ARE_NUMBERS = 0.5

#: Formats of dates that are text, each with or without a time.
DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d")
TIME_FORMATS = ("", " %H:%M", " %H:%M:%S")
ISO_DATE = r"\s*\d{4}-\d{2}-\d{2}"
ANY_DATE = rf"{ISO_DATE}|\s*\d{{1,4}}[./]\d{{1,2}}[./]\d{{2,4}}"

#: What may stand around a number: currencies, percent signs, spaces, apostrophes.
AROUND_NUMBERS = re.compile(r"[\s€$£¥%']")

#: Rows that each value of a column must have on average to be a rule for the target.
ROWS_OF_A_RULE = 5

#: Correlation with the target from which on a column is the target in other units.
SAME = 0.99999


def describe_columns(X: pd.DataFrame, y: pd.Series[Any]) -> pd.DataFrame:
    """Tell how each column of a table is read.

    Parameters
    ----------
    X : pandas.DataFrame
        As it was in the file.
    y : pandas.Series
        The target, of the same rows.

    Returns
    -------
    pandas.DataFrame
        One row per column, in order, with the columns ``column``, ``read as`` ("number",
        "category", "date", "duration", "one value" or "empty"), ``missing`` and
        ``distinct``, two counts, and ``note``, which is empty if nothing is unusual.

    Examples
    --------
    >>> X = pd.DataFrame({"age": ["53,9", "61,2"], "id": ["a7", "c3"]})
    >>> described = describe_columns(X, pd.Series(["yes", "no"]))
    >>> described["note"][0]
    "numbers with a decimal comma, read as text: see --decimal ','"
    """
    targets = y.reset_index(drop=True)
    return pd.DataFrame(
        [
            {"column": name, **_described(column.reset_index(drop=True), targets)}
            for name, column in X.items()
        ]
    )


def count_kinds(described: pd.DataFrame) -> str:
    """Count the columns of each kind.

    Examples
    --------
    >>> count_kinds(pd.DataFrame({"read as": ["number", "category", "number"]}))
    '2 numbers, 1 category'
    """
    plurals = {"category": "categories", "one value": "of one value", "empty": "empty"}
    counts = described["read as"].map(str).value_counts(sort=False)
    parts = []
    for kind, n in zip(map(str, counts.index), counts, strict=True):
        is_noun = kind not in {"one value", "empty"}
        several = plurals.get(kind, f"{kind}s")
        parts.append(f"{n} {kind if n == 1 and is_noun else several}")
    return ", ".join(parts)


def describe_target(y: pd.Series[Any], task: Task) -> str:
    """Describe the target in a line.

    Examples
    --------
    >>> describe_target(pd.Series(["no", "no", "yes"], name="bought"), CLASSES)
    "bought: 2 classes, from 2 rows ('no') to 1 ('yes')"
    """
    if task is not CLASSES:
        return f"{y.name}: values from {y.min():g} to {y.max():g}"
    counts = y.value_counts()
    most, least = int(counts.iloc[0]), int(counts.iloc[-1])
    if most == least:
        return f"{y.name}: {len(counts)} classes of {most:,} rows each"
    labels = counts.index.tolist()
    return (
        f"{y.name}: {len(counts)} classes, from {most:,} rows ({labels[0]!r}) to "
        f"{least:,} ({labels[-1]!r})"
    )


def date_formats(column: pd.Series[Any]) -> list[str]:
    """Return the usual formats of dates that fit all of a column of text.

    Examples
    --------
    >>> date_formats(pd.Series(["27.11.2026", None]))
    ['%d.%m.%Y']
    >>> date_formats(pd.Series(["01/11/2026", "02/12/2026"]))
    ['%d/%m/%Y', '%m/%d/%Y']
    """
    known = column.dropna()
    if not len(known) or not known.map(lambda value: isinstance(value, str)).all():
        return []
    if not known.str.match(ANY_DATE).all():
        return []
    if known.str.match(ISO_DATE).all():
        formats = ["ISO8601"]
    else:
        formats = [date + time for date in DATE_FORMATS for time in TIME_FORMATS]
    return [date for date in formats if _parsed(known, date).notna().all()]


def with_known_dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """Convert text of dates to dates, if one of the usual formats fits all of it."""
    formats = date_formats(column)
    return _parsed(column, formats[0]) if len(formats) == 1 else column


def with_given_dates(X: pd.DataFrame, date_format: str) -> pd.DataFrame:
    """Convert columns of text or whole numbers that all have a format to dates.

    Raises
    ------
    DataError
        If it is not a format, or there is no such column.
    """
    text = {name: _as_text(column) for name, column in X.items()}
    converted = {
        name: _parsed(column, date_format)
        for name, column in text.items()
        if column is not None and _fits(column, date_format)
    }
    if not converted:
        msg = (
            f"no column has dates of the format {date_format!r} (--dates) in all of its "
            f"rows"
        )
        raise DataError(msg)
    columns = {name: converted.get(name, column) for name, column in X.items()}
    return pd.DataFrame(columns, index=X.index)


def _as_text(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return text and whole numbers as text, and None for other columns."""
    known = column.dropna()
    if types.is_bool_dtype(column) or not len(known):
        return None
    if types.is_numeric_dtype(column):
        is_whole = _are_whole(known)
        return column.astype("Int64").astype("string") if is_whole else None
    is_text = known.map(lambda value: isinstance(value, str)).all()
    return column if is_text else None


def _are_whole(numbers: pd.Series[Any]) -> bool:
    values = numbers.to_numpy(dtype=float)
    return bool((np.isfinite(values) & (values == np.floor(values))).all())


def _fits(column: pd.Series[Any], date_format: str) -> bool:
    try:
        return bool(_parsed(column.dropna(), date_format).notna().all())
    except (ValueError, re.error) as error:
        msg = f"--dates must be a format such as '%d.%m.%Y', got {date_format!r}"
        raise DataError(msg) from error


def _parsed(column: pd.Series[Any], date_format: str) -> pd.Series[Any]:
    dates = pd.to_datetime(column, format=date_format, errors="coerce", utc=True)
    return dates.dt.tz_localize(None)


def _described(column: pd.Series[Any], y: pd.Series[Any]) -> dict[str, Any]:
    column = with_known_dates(with_plain_type(column))
    known = column.dropna()
    kind, note = _kind(column), ""
    values = known.astype(str) if kind == "category" else known
    n_distinct = int(values.nunique())
    if kind == "category":
        note = _note_on_text(values, n_distinct)
    if kind == "number":
        note = _note_on_numbers(known)
    note = "; ".join(filter(None, [note, _note_on_leaks(column, y, kind, n_distinct)]))
    return {
        "read as": kind,
        "missing": len(column) - len(known),
        "distinct": n_distinct,
        "note": note,
    }


def _kind(column: pd.Series[Any]) -> str:
    known = column.dropna()
    if not len(known):
        return "empty"
    text = known.astype(str)
    if (text == text.iloc[0]).all():
        return "one value"
    if types.is_datetime64_any_dtype(column):
        return "date"
    if types.is_timedelta64_dtype(column):
        return "duration"
    is_number = types.is_any_real_numeric_dtype(column)
    return "number" if is_number and not types.is_bool_dtype(column) else "category"


def _note_on_text(text: pd.Series[Any], n_distinct: int) -> str:
    numbers = pd.to_numeric(text, errors="coerce").notna()
    for found, noun in ((numbers, "number"), (text.str.match(ANY_DATE), "date")):
        if MOST_ARE_NUMBERS <= found.mean() < 1:
            return _note_on_others(text[~found], len(text), noun)
    if len(formats := date_formats(text)) > 1:
        return (
            f"dates whose days and months cannot be told apart, read as text: see "
            f"--dates {formats[0]!r}"
        )
    if note := _note_on_forms(text, numbers.mean()):
        return note
    if n_distinct == len(text) and n_distinct > MOST_CATEGORIES:
        return "all values differ, so that they tell nothing of new rows: see --drop"
    if n_distinct > MOST_CATEGORIES:
        return f"the {MOST_CATEGORIES - 1} most frequent values are told apart"
    return ""


def _note_on_forms(text: pd.Series[Any], share: float) -> str:
    """Tell of numbers in a form that is not the file's; of the text, a share is plain."""
    if share == 1 and text.str.contains(".", regex=False).any():
        return "numbers with a decimal point, read as text: see --decimal '.'"
    if share > 0:
        return ""
    bare = text.str.replace(AROUND_NUMBERS, "", regex=True)
    with_point = pd.to_numeric(bare.str.replace(",", ""), errors="coerce")
    swapped = bare.str.replace(".", "").str.replace(",", ".")
    with_comma = pd.to_numeric(swapped, errors="coerce")
    has_comma = text.str.contains(",").any()
    if with_comma.notna().all() and has_comma and bare.equals(text):
        return "numbers with a decimal comma, read as text: see --decimal ','"
    if with_point.notna().all() or with_comma.notna().all():
        return (
            f"numbers in a form that is read as text, such as {text.iloc[0]!r}: write "
            f"them as plain numbers"
        )
    return ""


def _note_on_others(others: pd.Series[Any], n: int, noun: str) -> str:
    are = f"is not a {noun}" if len(others) == 1 else f"are not {noun}s"
    return (
        f"{len(others)} of {n} values {are}, such as {others.iloc[0]!r}, so that the "
        f"column is read as text: see --missing"
    )


def _note_on_numbers(numbers: pd.Series[Any]) -> str:
    values = numbers.to_numpy(dtype=float)
    if len(values) <= MOST_CATEGORIES or not _are_whole(numbers):
        return ""
    if (np.diff(values) == 1).all():
        return "row numbers, which tell nothing of new rows: see --drop"
    is_compact = ((values > 19e6) & (values < 22e6)).all()
    if is_compact and _fits(numbers.astype("Int64").astype("string"), "%Y%m%d"):
        return f"dates such as {int(values[0])}, read as numbers: see --dates '%Y%m%d'"
    return ""


def _note_on_leaks(
    column: pd.Series[Any], y: pd.Series[Any], kind: str, n_distinct: int
) -> str:
    """Tell whether a column decides the target alone."""
    known = column.notna()
    is_rule = 1 < n_distinct <= known.sum() / ROWS_OF_A_RULE
    decides = is_rule and y[known].groupby(column[known].astype(str)).nunique().max() == 1
    is_number = kind == "number"
    if decides or (is_number and _are_apart(column[known].astype(float), y[known])):
        return "it decides the target alone: is it known before? Otherwise see --drop"
    if not is_number or not types.is_any_real_numeric_dtype(y):
        return ""
    x, t = column[known].astype(float), y[known].astype(float)
    if len(x) > 2 and x.std() > 0 and t.std() > 0 and abs(np.corrcoef(x, t)[0, 1]) > SAME:
        return "it is the target, up to its units: see --drop"
    return ""


def _are_apart(x: pd.Series[Any], y: pd.Series[Any]) -> bool:
    """Whether thresholds divide the numbers into the classes, each of several rows."""
    by_class = x.groupby(y.astype(str)).agg(["min", "max", "size"])
    by_class = by_class.sort_values("min")
    is_above = by_class["min"].to_numpy()[1:] > by_class["max"].to_numpy()[:-1]
    are_many = (by_class["size"] >= ROWS_OF_A_RULE).all()
    return bool(len(by_class) > 1 and are_many and is_above.all())
