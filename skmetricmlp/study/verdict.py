"""The outcome of a comparison in plain words, with what is not certain about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skmetricmlp.study.compare import Study
from skmetricmlp.study.summary import summarize
from skmetricmlp.study.tasks import Task

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
    summary = summarize(study).sort_values("size", ascending=False, kind="stable")
    return [in_words(row, study) for row in summary.to_dict("records")]


def in_words(row: Mapping[Any, Any], study: Study) -> str:
    """Put a row of :func:`~skmetricmlp.study.summary.summarize` into words."""
    task, target = study.dataset.task, study.design.target_score
    ours, theirs = _called(row["start"]), _called(row["reference"])
    goal = f"the {task.score_name} of {task.text(row['target'])} at which {theirs} ended"
    if target is not None:
        goal = f"the target of {task.text(target)}"
    arrival = _arrival(row, goal, theirs)
    # Only one of the sentences on the way is about the others.
    who = _sentence(ours) if arrival.startswith(_sentence(theirs)) else "They"
    return (
        f"With {row['size']:,} training rows, {ours} had an {task.score_name} of "
        f"{task.text(row['untrained'])} before training. {arrival} {who} ended "
        f"{_end(task, row['difference'], row['half_width'], study.design.n_seeds)}."
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


def _end(task: Task, difference: float, half_width: float, n_splits: int) -> str:
    amount, where = task.number(abs(difference)), "ahead" if difference >= 0 else "behind"
    if math.isnan(half_width):
        amount += task.difference_unit
        return f"{amount} {where}, in one split, which says nothing about others"
    spread = f"{amount} ± {task.number(half_width)}{task.difference_unit} {where}"
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
