"""What a comparison will do and how long it takes, told before and while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from time import perf_counter

import joblib

__all__ = ["estimate_seconds", "format_count", "format_seconds", "progress_bar"]

#: Estimates of fewer seconds are not printed.
LONG = 60.0


def format_count(count: int, noun: str) -> str:
    """Format a count with its noun in singular or plural.

    Examples
    --------
    >>> format_count(1, "column"), format_count(1797, "row")
    ('1 column', '1,797 rows')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def format_seconds(seconds: float) -> str:
    """Format a duration roughly.

    Examples
    --------
    >>> format_seconds(95), format_seconds(260), format_seconds(9000)
    ('95 seconds', '4 minutes', '2.5 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 120 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def estimate_seconds(
    first: float, done: float, remaining: float, n_jobs: int | None
) -> float:
    """Estimate the time left from that of the first finished task.

    Parameters
    ----------
    first : float
        Seconds of the first task.
    done, remaining : float
        Amounts of work of the first task, and of all others.
    n_jobs : int or None
        Number of tasks at a time, as in joblib.

    Examples
    --------
    >>> estimate_seconds(2.0, done=100, remaining=1000, n_jobs=None)
    20.0
    """
    n_workers: int = joblib.effective_n_jobs(n_jobs)
    return first * remaining / done / n_workers


@contextmanager
def progress_bar(
    progress: bool,
    noun: str,
    unit: str,
    amounts: list[int],
    *,
    done: list[int] | None = None,
    n_jobs: int | None = None,
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar, and the estimated time left after the first task.

    Parameters
    ----------
    progress : bool
        Whether to show anything. It needs tqdm.
    noun, unit : str
        What the tasks are, such as "run", and the unit of their amounts of work.
    amounts : list of int
        The amounts of work of all tasks.
    done : list of int, optional
        Those of tasks that were finished before.
    n_jobs : int, optional

    Yields
    ------
    callable
        To be called with the amount of work of each task when it is finished.
    """
    if not progress:
        yield lambda _: None
        return
    # tqdm is optional, so that it is imported only for a bar.
    from tqdm import tqdm  # noqa: PLC0415

    done = done or []
    numbers = count(len(done) + 1)
    started = perf_counter()

    def update(amount: int) -> None:
        number = next(numbers)
        remaining = bar.total - bar.n - amount
        if number == len(done) + 1:
            first = perf_counter() - started
            left = estimate_seconds(first, amount, remaining, n_jobs)
            if left > LONG:
                others = format_count(len(amounts) - number, f"other {noun}")
                bar.write(
                    f"about {format_seconds(left)} for {others}, judging by the first",
                    file=bar.fp,
                )
        bar.set_postfix_str(f"{number} of {len(amounts)} {noun}s", refresh=False)
        bar.update(amount)

    with tqdm(
        total=sum(amounts),
        initial=sum(done),
        unit=unit,
        unit_scale=max(amounts, default=0) > 1,  # not 1.00 model
        smoothing=0,
    ) as bar:
        bar.set_postfix_str(f"{len(done)} of {len(amounts)} {noun}s")
        yield update
