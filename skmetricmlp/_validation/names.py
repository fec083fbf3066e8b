"""Feature names of parameters, which must be those of X in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skmetricmlp._typing import Array

__all__ = ["check_names", "column_names", "index_names"]


def column_names(name: str, table: Any) -> Array | None:
    """Return the column names (d,) of a parameter that is a table, if all are strings.

    scikit-learn reads them, as it reads those of X.

    Raises
    ------
    TypeError
        If some are strings and some are not.
    """
    reader = BaseEstimator()
    try:
        validate_data(reader, table, skip_check_array=True)
    except TypeError as error:
        msg = f"{name}: {error}"
        raise TypeError(msg) from error
    return getattr(reader, "feature_names_in_", None)


def index_names(value: Any) -> Array | None:
    """Return the index names (d,) of a pandas table or series, if all are strings."""
    if not isinstance(value, (pd.DataFrame, pd.Series)):
        return None
    names = np.asarray(value.index, dtype=object)
    return names if len(names) and all(isinstance(n, str) for n in names) else None


def check_names(name: str, given: Array | None, names: Array | None) -> None:
    """Refuse feature names that are not those of X, in the order of X.

    Parameters
    ----------
    name : str
        Name of the parameter.
    given : array of shape (d,) or None
        Its feature names. Without names it is used by position.
    names : array of shape (d,) or None
        Feature names of X.

    Raises
    ------
    ValueError
        With the name of the parameter and the difference.
    """
    if given is None or names is None or list(given) == list(names):
        return
    unknown = [label for label in given if label not in set(names)]
    missing = [label for label in names if label not in set(given)]
    if unknown or missing:
        parts = [f"X has no {_listed(unknown)}"] if unknown else []
        parts += [f"it lacks {_listed(missing)}"] if missing else []
        differs = " and ".join(parts)
    else:
        pairs = enumerate(zip(given, names, strict=True))
        column, (one, other) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
        differs = f"number {column} is {str(one)!r}, and {str(other)!r} in X"
    msg = f"{name} must have the feature names of X, in the same order: {differs}"
    raise ValueError(msg)


def _listed(labels: list[Any], most: int = 5) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return f"{list(map(str, labels[:most]))}{more}"
