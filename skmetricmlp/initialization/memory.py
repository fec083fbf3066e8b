"""Refuse a network that does not fit into memory, before any of it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from skmetricmlp.initialization.architecture import Architecture

__all__ = [
    "Budget",
    "available_memory",
    "check_dense_size",
    "check_memory",
    "memory_budget",
    "training_budget",
]

FEW_RIVALS = 20  # to suggest
# Arrays of all weights that training holds, in their own precision and in double: the
# weights, their gradient, and one or two moments of it; of L-BFGS, SciPy's workspace and
# bounds (measured, SciPy 1.17).
HELD = {"adam": (4, 0), "sgd": (3, 0), "lbfgs": (4, 38)}
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Budget:
    """Bytes that weights may take, in words, and how often training holds them.

    That is ``copies`` times in their own precision and ``doubles`` times in double.
    """

    limit: float
    words: str
    copies: int
    doubles: int = 0


def memory_budget(memory_limit: float | str, copies: int, doubles: int = 0) -> Budget:
    """Budget of so many bytes, or with ``"auto"`` of half of what is available now.

    Examples
    --------
    >>> memory_budget(2e9, copies=4).words
    'memory_limit=2000000000.0'
    """
    if isinstance(memory_limit, str):
        words = "memory_limit='auto', half of the memory available"
        return Budget(available_memory() / 2, words, copies, doubles)
    return Budget(memory_limit, f"memory_limit={memory_limit}", copies, doubles)


def training_budget(memory_limit: float | str, solver: str) -> Budget:
    """Budget of so many bytes for what a solver holds."""
    return memory_budget(memory_limit, *HELD[solver])


def available_memory() -> int:
    """Bytes that this process can get without swapping, or by its control group."""
    available = int(psutil.virtual_memory().available)
    try:
        most, used, details = (
            (CGROUP / f"memory.{name}").read_text(encoding="ascii").split()
            for name in ("max", "current", "stat")
        )
    except OSError:
        return available
    if most == ["max"]:
        return available
    # Files that are only cached give way.
    cached = details[details.index("inactive_file") + 1]
    return min(available, int(most[0]) - int(used[0]) + int(cached))


def check_memory(architecture: Architecture, dtype: Any, budget: Budget) -> None:
    """Refuse an architecture that takes more than the budget.

    Raises
    ------
    ValueError
        Saying how much it would take, and what would take less.
    """
    needed = _size(architecture, dtype, budget)
    if needed <= budget.limit:
        return
    held = budget.copies + budget.doubles
    words = "; ".join(
        f"{name} ({_words(size)})"
        for name, size in _smaller(architecture, dtype, budget)
        if size < needed
    )
    msg = (
        f"n_exemplars={architecture.n_exemplars} with n_features="
        f"{architecture.n_features} makes a network of {architecture.n_parameters:,} "
        f"weights. In {np.dtype(dtype)} they take {_words(needed)}, being held "
        f"{held} times (with gradient and state of the solver), more than "
        f"{_words(budget.limit)} ({budget.words}). What takes less: {words}"
    )
    raise ValueError(msg)


def check_dense_size(n_weights: int, dtype: Any, budget: Budget) -> None:
    """Refuse to make the dense equivalent of a network if that takes too much.

    Raises
    ------
    AttributeError
        As of an attribute that is not there: ``hasattr`` and ``dir`` ask for all of them.
    """
    needed = n_weights * np.dtype(dtype).itemsize * budget.copies
    if needed > budget.limit:
        msg = (
            f"the dense equivalent of the network has {n_weights:,} weights, which take "
            f"{_words(needed)}, more than {_words(budget.limit)} "
            f"({budget.words}); the tied one is network_"
        )
        raise AttributeError(msg)


def _size(architecture: Architecture, dtype: Any, budget: Budget) -> int:
    size = int(np.dtype(dtype).itemsize) * budget.copies + 8 * budget.doubles
    return architecture.n_parameters * size


def _smaller(
    architecture: Architecture, dtype: Any, budget: Budget
) -> Iterator[tuple[str, int]]:
    """Yield settings that take less, and how much they take."""
    form = architecture.form
    few = max(FEW_RIVALS, form.n_neighbors)
    settings: list[dict[str, Any]] = [{"rivals": few}]
    if not form.tied:
        settings = [{"tied": True}, *settings, {"tied": True, "rivals": few}]
    for changes in settings:
        changed = replace(architecture, form=replace(form, **changes))
        name = ", ".join(f"{name}={value}" for name, value in changes.items())
        yield name, _size(changed, dtype, budget)
    if fewer := _fitting(architecture, dtype, budget):
        yield f"n_exemplars={fewer.n_exemplars}", _size(fewer, dtype, budget)
    yield "X in float32", _size(architecture, np.float32, budget)


def _fitting(
    architecture: Architecture, dtype: Any, budget: Budget
) -> Architecture | None:
    """Return the architecture of the most exemplars that fits, if there is one."""
    least, most = len(architecture.counts), architecture.n_exemplars
    found = None
    while least <= most:
        middle = (least + most) // 2
        tried = replace(architecture, counts=_shared_out(middle, architecture.counts))
        if _size(tried, dtype, budget) <= budget.limit:
            found, least = tried, middle + 1
        else:
            most = middle - 1
    return found


def _shared_out(total: int, counts: tuple[int, ...]) -> tuple[int, ...]:
    """Share out a total about as the counts are."""
    ends = np.cumsum(counts) * total // sum(counts)
    return tuple(np.diff(ends, prepend=0).tolist())


def _words(size: float) -> str:
    size = min(size, 10**300)  # ints may be larger than floats
    return f"{size / 1e9:.3g} GB" if size >= 1e8 else f"{size / 1e6:.3g} MB"
