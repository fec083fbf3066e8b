"""The number of threads of linear algebra."""

from __future__ import annotations

from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


def one_thread(user_api: str | None = None) -> Any:
    """Return a context with one thread of linear algebra, and of OpenMP by default.

    Threads slow down thousands of small products, the more the busier the machine is. And
    they add up the terms of a sum in any order, so that results would not repeat.

    Parameters
    ----------
    user_api : {"blas", "openmp"} or None, default=None
        The libraries to limit; by default both.
    """
    return _controller().limit(limits=1, user_api=user_api)


@cache
def _controller() -> ThreadpoolController:
    """Find the libraries once, which takes as long as a small fit."""
    return ThreadpoolController()
