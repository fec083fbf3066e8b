"""Refuse a network that does not fit into memory, before any of it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
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

Changes = dict[str, Any]

FEW_PAIRS = 20  # to suggest
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
        Saying how much it would take, and what would fit, or is the smallest.
    """
    needed = _size(architecture, dtype, budget)
    if needed <= budget.limit:
        return
    held = budget.copies + budget.doubles
    msg = (
        f"n_exemplars={architecture.n_exemplars} with n_features="
        f"{architecture.n_features} makes a network of {architecture.n_parameters:,} "
        f"weights. In {np.dtype(dtype)} they take {_words(needed)}, being held "
        f"{held} times (with gradient and state of the solver), more than "
        f"{_words(budget.limit)} ({budget.words}). "
    )
    fitting = list(_fitting_settings(architecture, dtype, budget))
    if fitting:
        words = (f"{name} ({_words(size)})" for name, size in fitting)
        raise ValueError(msg + f"What takes less: {'; '.join(words)}")
    name, size = _smallest(architecture, dtype, budget)
    msg += f"Nothing that takes less fits; the smallest is {name} ({_words(size)})"
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


def _fitting_settings(
    architecture: Architecture, dtype: Any, budget: Budget
) -> Iterator[tuple[str, int]]:
    """Yield settings that fit, none with more changes than it needs, and their sizes."""
    found: list[Changes] = []
    for changes in _changes_of_form(architecture):
        size = _size(_with(architecture, changes), dtype, budget)
        is_more = any(fewer.items() <= changes.items() for fewer in found)
        if changes and size <= budget.limit and not is_more:
            found.append(changes)
            yield _name(changes), size
    for changes in _changes_of_form(architecture):
        if fewer := _fitting(_with(architecture, changes), dtype, budget):
            size = _size(fewer, dtype, budget)
            yield _name({**changes, "n_exemplars": fewer.n_exemplars}), size
            break
    single = _size(architecture, np.float32, budget)
    if single <= budget.limit:
        yield "X in float32", single


def _smallest(architecture: Architecture, dtype: Any, budget: Budget) -> tuple[str, int]:
    """Return the settings that take the least, and how much that is."""
    n_classes = len(architecture.counts)
    least = replace(architecture, counts=(1,) * n_classes if n_classes > 1 else (2,))
    changed = [(c, _with(least, c)) for c in _changes_of_form(architecture)]
    changes, smallest = min(changed, key=lambda pair: _size(pair[1], dtype, budget))
    name = _name({**changes, "n_exemplars": least.n_exemplars})
    single = np.dtype(np.float32)
    if np.dtype(dtype) != single:
        name += " with X in float32"
    return name, _size(smallest, single, budget)


def _changes_of_form(architecture: Architecture) -> list[Changes]:
    """Return none, each and all combinations of what makes a network smaller."""
    form = architecture.form
    few = max(FEW_PAIRS, form.n_neighbors)
    changes: Changes = {}
    if not form.tied:
        changes["tied"] = True
    if architecture.n_pairs_per_exemplar > few:
        changes["pairs"] = few
    if form.n_random_units:
        changes["n_random_units"] = 0
    counts = range(len(changes) + 1)
    return [dict(some) for n in counts for some in combinations(changes.items(), n)]


def _with(architecture: Architecture, changes: Changes) -> Architecture:
    return replace(architecture, form=replace(architecture.form, **changes))


def _name(changes: Changes) -> str:
    return ", ".join(f"{name}={value}" for name, value in changes.items())


def _fitting(
    architecture: Architecture, dtype: Any, budget: Budget
) -> Architecture | None:
    """Return the architecture of the most exemplars that fits, if there is one."""
    # Of one alone there are no comparisons.
    least, most = max(2, len(architecture.counts)), architecture.n_exemplars - 1
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
