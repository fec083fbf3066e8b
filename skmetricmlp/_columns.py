"""Columns of a table whose type says less than their values do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

__all__ = ["NUMBERS", "first_container", "with_plain_type"]

#: Names that pandas gives to what a column of objects holds.
NUMBERS = ("decimal", "floating", "integer", "mixed-integer-float")
DATES = ("datetime", "datetime64")
DURATIONS = ("timedelta", "timedelta64")


def with_plain_type(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates, durations and numbers with the NumPy type of their kind.

    Dates are those of any library, periods, and Python objects. They become times in
    UTC, without a time zone. Columns of anything else stay as they are.

    Examples
    --------
    >>> from datetime import date
    >>> with_plain_type(pd.Series([date(2026, 11, 27), None])).dtype.kind
    'M'
    """
    kind = types.infer_dtype(column, skipna=True)
    if kind == "period":
        times: pd.Series[Any] = column.dt.to_timestamp()
        return times
    if kind in ("date", *DATES, *DURATIONS) and isinstance(column.dtype, pd.ArrowDtype):
        column = column.astype(object)
    if kind == "date":  # Nanoseconds, pandas' choice before 3.0, end in the year 2262.
        return column.astype("datetime64[us]")
    if kind in DATES:
        return pd.to_datetime(column, utc=True).dt.tz_localize(None)
    if kind in DURATIONS:
        return pd.to_timedelta(column)
    if kind in NUMBERS and column.dtype == object:
        values = column.to_numpy(np.float64, na_value=np.nan)
        return pd.Series(values, column.index, name=column.name)
    return column


def first_container(column: pd.Series[Any]) -> Any:
    """Return the first cell that is a list, an array, a dictionary or the like, or None.

    Examples
    --------
    >>> first_container(pd.Series(["a", None, [1, 2]]))
    [1, 2]
    """
    kind = types.infer_dtype(column, skipna=True)
    if not kind.startswith(("mixed", "unknown")):
        return None
    return next((cell for cell in column if types.is_list_like(cell)), None)
