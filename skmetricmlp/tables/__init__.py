"""Tables: the columns of numbers that a network reads, and values that are missing."""

from skmetricmlp.tables.encoding import (
    Categories,
    Numbers,
    TableEncoding,
    as_frame,
    check_numbers,
    fit_encoding,
    value_kind,
)

__all__ = [
    "Categories",
    "Numbers",
    "TableEncoding",
    "as_frame",
    "check_numbers",
    "fit_encoding",
    "value_kind",
]
