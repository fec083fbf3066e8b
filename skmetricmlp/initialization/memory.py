"""Refuse a network that does not fit into memory, before any of it is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from skmetricmlp.initialization.architecture import n_parameters
from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.pairs import n_pairs_per_exemplar

__all__ = ["available_memory", "check_dense_size", "check_memory", "check_n_weights"]

Changes = dict[str, Any]
Counts = Sequence[int]
# Bytes of a network of this configuration, with so many exemplars of each class.
Size: TypeAlias = Callable[[NetworkConfig, Counts], int]

FEW_PAIRS, FEW_COMPARISONS = 20, 100  # for a suggestion
# Arrays of all weights that training holds, in their own precision and in double: the
# weights, their gradient, and one or two moments of it; with L-BFGS, SciPy's workspace
# and bounds (measured with SciPy 1.17). In closed form there are the weights alone.
N_COPIES = {"adam": (4, 0), "sgd": (3, 0), "lbfgs": (4, 38), "closed_form": (1, 0)}
MEMORY_INFO, CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def available_memory() -> float:
    """Bytes that this process can get without swapping, or infinity where unknown.

    psutil tells it if it is installed. On Linux the kernel does, and the limit of the
    control group counts.
    """
    return min(_free_memory(), _free_in_control_group())


def _free_memory() -> float:
    try:
        import psutil  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415
    except ImportError:
        pass
    else:
        return float(psutil.virtual_memory().available)
    try:
        lines = MEMORY_INFO.read_text(encoding="ascii").splitlines()
        kilobytes = next(line for line in lines if line.startswith("MemAvailable:"))
        return 1024.0 * int(kilobytes.split()[1])
    except (OSError, StopIteration):
        return np.inf


def _free_in_control_group() -> float:
    try:
        limit, used, details = (
            (CGROUP / f"memory.{name}").read_text(encoding="ascii").split()
            for name in ("max", "current", "stat")
        )
    except OSError:
        return np.inf
    if limit == ["max"]:
        return np.inf
    # The kernel frees cached files when a process needs the memory.
    cached = details[details.index("inactive_file") + 1]
    return float(int(limit[0]) - int(used[0]) + int(cached))


def check_n_weights(n_weights: int, dtype: Any, solver: str, advice: str) -> None:
    """Refuse to train so many weights if that takes more than half of the memory.

    Raises
    ------
    MemoryError
        With the size, and the advice.
    """
    limit = available_memory() / 2
    if n_weights * _size_of_weight(dtype, solver) > limit:
        msg = f"{_too_large(n_weights, dtype, solver, limit)}. {advice}"
        raise MemoryError(msg)


def check_memory(
    config: NetworkConfig,
    n_features: int,
    counts: Counts,
    n_outputs: int,
    dtype: Any,
    solver: str,
) -> None:
    """Refuse a network whose training takes more than half of the memory available.

    Parameters
    ----------
    config : NetworkConfig
    n_features : int
    counts : sequence of int
        Exemplars of each class.
    n_outputs : int
    dtype : dtype
        Of the weights.
    solver : {"adam", "sgd", "lbfgs"}

    Raises
    ------
    MemoryError
        With the size of the network, and settings that fit or the smallest one.
    """
    limit = available_memory() / 2

    def size_in(precision: Any) -> Size:
        of_one = _size_of_weight(precision, solver)
        return lambda config, counts: (
            of_one * n_parameters(config, n_features, counts, n_outputs)
        )

    size, size_in_single = size_in(dtype), size_in(np.float32)
    if size(config, counts) <= limit:
        return
    n_weights = n_parameters(config, n_features, counts, n_outputs)
    width = (
        f"n_comparisons={config.n_comparisons}"
        if config.n_neighbors is None
        else f"n_exemplars={sum(counts)}"
    )
    msg = (
        f"{width} with n_features={n_features}: "
        f"{_too_large(n_weights, dtype, solver, limit)}. "
    )
    fitting = list(_fitting_settings(config, counts, size, limit))
    if size_in_single(config, counts) <= limit:
        fitting.append(("X in float32", size_in_single(config, counts)))
    if fitting:
        words = (f"{name} ({_bytes(needed)})" for name, needed in fitting)
        msg += f"These settings take less: {'; '.join(words)}"
        raise MemoryError(msg)
    name, needed = _smallest(config, counts, size_in_single)
    if np.dtype(dtype) != np.float32:
        name += " with X in float32"
    fits = "These settings take less:" if needed <= limit else "The smallest network is"
    msg += f"{fits} {name} ({_bytes(needed)})"
    raise MemoryError(msg)


def check_dense_size(n_weights: int, dtype: Any) -> None:
    """Refuse to make a dense layer if its weights take more than half of the memory.

    Raises
    ------
    MemoryError
    """
    needed, limit = n_weights * np.dtype(dtype).itemsize, available_memory() / 2
    if needed > limit:
        msg = (
            f"The dense equivalent of this layer has {n_weights:,} weights, which take "
            f"{_bytes(needed)}, more than half of the memory available "
            f"({_bytes(limit)}). The tied network is network_"
        )
        raise MemoryError(msg)


def _size_of_weight(dtype: Any, solver: str) -> int:
    """Bytes that training holds for each weight."""
    copies, doubles = N_COPIES[solver]
    return int(np.dtype(dtype).itemsize) * copies + 8 * doubles


def _too_large(n_weights: int, dtype: Any, solver: str, limit: float) -> str:
    needed = n_weights * _size_of_weight(dtype, solver)
    return (
        f"the network has {n_weights:,} weights, which take {_bytes(needed)} in "
        f"{np.dtype(dtype)} ({sum(N_COPIES[solver])} times, with the gradient and the "
        f"state of the solver), more than half of the memory available ({_bytes(limit)})"
    )


def _fitting_settings(
    config: NetworkConfig, counts: Counts, size: Size, limit: float
) -> Iterator[tuple[str, int]]:
    """Yield settings that fit, none with more changes than it needs, and their sizes."""
    found: list[Changes] = []
    for changes in _changes(config, counts):
        needed = size(replace(config, **changes), counts)
        is_more = any(fewer.items() <= changes.items() for fewer in found)
        if changes and needed <= limit and not is_more:
            found.append(changes)
            yield _name(changes), needed
    if config.n_neighbors is None:  # its width does not depend on the exemplars
        return
    for changes in _changes(config, counts):
        changed = replace(config, **changes)
        if fewer := _fitting_counts(changed, counts, size, limit):
            name = _name({**changes, "n_exemplars": sum(fewer)})
            yield name, size(changed, fewer)
            break


def _smallest(config: NetworkConfig, counts: Counts, size: Size) -> tuple[str, int]:
    """Return the settings that take the least, and how much that is."""
    least = (1,) * len(counts) if len(counts) > 1 else (2,)
    sizes = [(c, size(replace(config, **c), least)) for c in _changes(config, least)]
    changes, smallest = min(sizes, key=lambda pair: pair[1])
    if config.n_neighbors is None:
        return _name(changes) or f"n_comparisons={config.n_comparisons}", smallest
    return _name({**changes, "n_exemplars": sum(least)}), smallest


def _changes(config: NetworkConfig, counts: Counts) -> list[Changes]:
    """Return no change, each one and all combinations that make a network smaller."""
    changes: Changes = {}
    if config.n_neighbors is None:
        if config.n_comparisons > FEW_COMPARISONS:
            changes["n_comparisons"] = FEW_COMPARISONS
    else:
        few = max(FEW_PAIRS, config.n_neighbors)
        if not config.tied:
            changes["tied"] = True
        if n_pairs_per_exemplar(config.pairs, np.array(counts)) > few:
            changes["pairs"] = few
    sizes = range(len(changes) + 1)
    return [dict(some) for n in sizes for some in combinations(changes.items(), n)]


def _name(changes: Changes) -> str:
    return ", ".join(f"{name}={value}" for name, value in changes.items())


def _fitting_counts(
    config: NetworkConfig, counts: Counts, size: Size, limit: float
) -> Counts | None:
    """Return the most exemplars of each class that fit, or None."""
    # One exemplar alone has no comparisons.
    least, most = max(2, len(counts)), sum(counts) - 1
    found = None
    while least <= most:
        middle = (least + most) // 2
        tried = _shared_out(middle, counts)
        if size(config, tried) <= limit:
            found, least = tried, middle + 1
        else:
            most = middle - 1
    return found


def _shared_out(total: int, counts: Counts) -> Counts:
    """Divide a total about in proportion to the counts."""
    ends = np.cumsum(counts) * total // sum(counts)
    return tuple(np.diff(ends, prepend=0).tolist())


def _bytes(size: float) -> str:
    size = min(size, 10**300)  # ints may be larger than floats
    return f"{size / 1e9:.3g} GB" if size >= 1e8 else f"{size / 1e6:.3g} MB"
