"""The outcome of a comparison in plain words, with what is not certain about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skmetricmlp.study.compare import Study
from skmetricmlp.study.summary import summarise

__all__ = ["in_words", "verdict"]

#: Starts that are called weights: those of :func:`~skmetricmlp.study.design.starts_of`.
WEIGHTS = frozenset(
    {"calculated", "random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
)


def verdict(study: Study) -> list[str]:
    """Say how each start compares with its reference, the largest size first.

    Returns
    -------
    list of str
        A few sentences per size and start.
    """
    summary = summarise(study).sort_values("size", ascending=False, kind="stable")
    design = study.design
    return [
        in_words(row, n_splits=design.n_seeds, target=design.target_accuracy)
        for row in summary.to_dict("records")
    ]


def in_words(
    row: Mapping[Any, Any], *, n_splits: int, target: float | None = None
) -> str:
    """Put a row of :func:`~skmetricmlp.study.summary.summarise` into words.

    Examples
    --------
    >>> row = {
    ...     "size": 1000, "start": "calculated", "reference": "random",
    ...     "untrained": 0.9, "target": 0.95, "epochs": 4.0, "reference_epochs": 10.0,
    ...     "low": 0.3, "high": 0.6, "difference": 0.002, "half_width": 0.003,
    ...     "seconds": 0.5, "reference_seconds": 1.0,
    ... }
    >>> from textwrap import fill
    >>> print(fill(in_words(row, n_splits=5), 84))
    With 1,000 training rows, calculated weights had 90.0 % before training. In 0.4 (0.3
    to 0.6) of the epochs, and 0.5 of the time, they reached the 95.0 % at which random
    weights ended. They ended 0.2 ± 0.3 points ahead, which 5 splits cannot tell from
    level.
    """
    ours, theirs = _called(row["start"]), _called(row["reference"])
    goal = f"the {_percent(row['target'])} at which {theirs} ended"
    if target is not None:
        goal = f"the target of {_percent(target)}"
    arrival = _arrival(row, goal, theirs)
    # Only one of the sentences on the way is about the others.
    who = _sentence(ours) if arrival.startswith(_sentence(theirs)) else "They"
    return (
        f"With {row['size']:,} training rows, {ours} had {_percent(row['untrained'])} "
        f"before training. {arrival} {who} ended "
        f"{_end(row['difference'], row['half_width'], n_splits)}."
    )


def _arrival(row: Mapping[Any, Any], goal: str, theirs: str) -> str:
    ours, reference = row["epochs"], row["reference_epochs"]
    if math.isinf(ours):
        if math.isinf(reference):
            return f"Neither they nor {theirs} reached {goal}."
        return f"They did not reach {goal}."
    if math.isinf(reference):
        return f"{_after(ours)} they reached {goal}, which {theirs} did not."
    if reference == 0:
        return f"{_after(ours)} they reached {goal}, as {theirs} did before training."
    time = row["seconds"] / row["reference_seconds"]
    if ours == 0:
        return (
            f"{_sentence(theirs)} took {_epochs(reference)}, and {1 / time:.1f} times as "
            f"long as the calculation, to reach {goal.replace(theirs, 'they')}."
        )
    interval = "" if math.isnan(row["low"]) else f" ({_interval(row)})"
    return (
        f"In {ours / reference:.1f}{interval} of the epochs, and {time:.1f} of the time, "
        f"they reached {goal}."
    )


def _end(difference: float, half_width: float, n_splits: int) -> str:
    points = f"{abs(100 * difference):.1f}"
    where = "ahead" if difference >= 0 else "behind"
    if math.isnan(half_width):
        return f"{points} points {where}, in one split, which says nothing about others"
    spread = f"{points} ± {100 * half_width:.1f} points {where}"
    if abs(difference) > half_width:
        return spread
    return f"{spread}, which {n_splits} splits cannot tell from level"


def _interval(row: Mapping[Any, Any]) -> str:
    if math.isinf(row["high"]):
        return f"{row['low']:.1f} or more"
    return f"{row['low']:.1f} to {row['high']:.1f}"


def _called(name: str) -> str:
    """Return "calculated, metric=kl" as "calculated weights (metric=kl)"."""
    head, _, rest = name.partition(", ")
    if head not in WEIGHTS:
        return f"“{name}”"
    return f"{head} weights" + (f" ({rest})" if rest else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _after(epochs: float) -> str:
    return f"After {_epochs(epochs)}" if epochs else "Before training"


def _epochs(count: float) -> str:
    return "one epoch" if count == 1 else f"{count:.0f} epochs"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
