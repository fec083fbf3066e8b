"""What is said of a value that is not accepted, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["check_whole", "is_number", "is_whole", "not_accepted", "unchanged_on_error"]


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave an estimator as it was if anything is raised: all is assigned, or nothing."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def not_accepted(
    name: str, value: Any, accepted: str, kind: type[Exception] = ValueError
) -> Exception:
    """Make an error that says what a parameter must be and what was given."""
    return kind(f"{name} must be {accepted}, got {value!r}")


def is_whole(value: Any) -> bool:
    """Say whether it is an integer; a bool is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Say whether it is a real number; a bool is none."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def check_whole(name: str, value: Any, greatest: int, other: str = "") -> None:
    """Refuse what is not an int from 1 to ``greatest``; ``other`` is accepted too."""
    if not (is_whole(value) and 1 <= value <= greatest):
        accepted = f"an int from 1 to {greatest}"
        raise not_accepted(name, value, f"{other} or {accepted}" if other else accepted)
