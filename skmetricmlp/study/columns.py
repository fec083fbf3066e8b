"""How the columns of a table were read, and what in them looks unintended."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

__all__ = ["are_dates", "count_kinds", "describe_columns"]

#: Categories that are told apart; the rarest beyond share one column.
MOST_CATEGORIES = 20

#: Share of the values that look like numbers, from which on text is suspicious.
MOST_ARE_NUMBERS = 0.9

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
        "category", "date", "one value" or "empty"), ``missing`` and ``distinct``, two
        counts, and ``note``, which is empty if nothing is unusual.

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


def are_dates(column: pd.Series[Any]) -> bool:
    """Whether text is of dates, such as 2026-11-27 or 2026-11-27 08:30."""
    known = column.dropna()
    if not len(known) or not known.map(lambda value: isinstance(value, str)).all():
        return False
    if not known.str.match(r"\s*\d{4}-\d{2}-\d{2}").all():
        return False
    return bool(pd.to_datetime(known, format="ISO8601", errors="coerce").notna().all())


def _described(column: pd.Series[Any], y: pd.Series[Any]) -> dict[str, Any]:
    known = column.dropna()
    kind, note = _kind(column), ""
    values = known.astype(str) if kind == "category" else known
    n_distinct = int(values.nunique())
    if kind == "category":
        note = _note_on_text(values, n_distinct)
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
    if types.is_datetime64_any_dtype(column) or are_dates(column):
        return "date"
    is_number = types.is_any_real_numeric_dtype(column)
    return "number" if is_number and not types.is_bool_dtype(column) else "category"


def _note_on_text(text: pd.Series[Any], n_distinct: int) -> str:
    plain = pd.to_numeric(text, errors="coerce")
    if plain.notna().mean() >= MOST_ARE_NUMBERS and plain.isna().any():
        others = text[plain.isna()]
        return (
            f"{len(others)} of {len(text)} values are no numbers, such as "
            f"{others.iloc[0]!r}; the column is read as text"
        )
    bare = text.str.replace(AROUND_NUMBERS, "", regex=True)
    with_point = pd.to_numeric(bare.str.replace(",", ""), errors="coerce")
    swapped = bare.str.replace(".", "").str.replace(",", ".")
    with_comma = pd.to_numeric(swapped, errors="coerce")
    if n_distinct > 1 and plain.isna().all():
        if (
            with_comma.notna().all()
            and text.str.contains(",").any()
            and bare.equals(text)
        ):
            return "numbers with a decimal comma, read as text: see --decimal ','"
        if with_point.notna().all() or with_comma.notna().all():
            return f"numbers in a form that is read as text, such as {text.iloc[0]!r}"
    if n_distinct == len(text) and n_distinct > MOST_CATEGORIES:
        return "all values differ, so that they tell nothing of new rows"
    if n_distinct > MOST_CATEGORIES:
        return f"the {MOST_CATEGORIES - 1} most frequent values are told apart"
    return ""


def _note_on_leaks(
    column: pd.Series[Any], y: pd.Series[Any], kind: str, n_distinct: int
) -> str:
    """Tell whether a column decides the target alone."""
    known = column.notna()
    is_rule = 1 < n_distinct <= known.sum() / ROWS_OF_A_RULE
    if is_rule and y[known].groupby(column[known].astype(str)).nunique().max() == 1:
        return "it decides the target alone: is it known before?"
    if kind != "number" or not types.is_any_real_numeric_dtype(y):
        return ""
    x, t = column[known].astype(float), y[known].astype(float)
    if len(x) > 2 and x.std() > 0 and t.std() > 0 and abs(np.corrcoef(x, t)[0, 1]) > SAME:
        return "it is the target, up to its units"
    return ""
