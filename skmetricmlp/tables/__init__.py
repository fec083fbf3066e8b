"""Tables: the columns of numbers that a network reads, and values that are missing."""

from skmetricmlp.tables.encoding import (
    Categories,
    Numbers,
    TableEncoding,
    TableSummary,
    as_frame,
    check_container,
    check_numbers,
    fit_encoding,
    table_summary,
    value_kind,
)

__all__ = [
    "Categories",
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
