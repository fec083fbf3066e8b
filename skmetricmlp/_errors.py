"""Errors that name a parameter, and estimators that errors leave unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = [
    "check_integer",
    "invalid_parameter",
    "is_integer",
    "is_number",
    "unchanged_on_error",
]


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of an estimator if an exception is raised."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def invalid_parameter(
    name: str, value: Any, accepted: str, kind: type[Exception] = ValueError
) -> Exception:
    """Make an error that names a parameter, the accepted values and the given one."""
    return kind(f"{name} must be {accepted}, got {value!r}")


def is_integer(value: Any) -> bool:
    """Whether a value is an integer and not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a real number and not a bool."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def check_integer(name: str, value: Any, greatest: int, other: str = "") -> None:
    """Refuse a value that is no int from 1 to ``greatest``; ``other`` is accepted too."""
    if not (is_integer(value) and 1 <= value <= greatest):
        accepted = f"an int from 1 to {greatest}"
        raise invalid_parameter(
            name, value, f"{other} or {accepted}" if other else accepted
        )
