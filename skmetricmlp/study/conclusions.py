"""The conclusions of a comparison in sentences, with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skmetricmlp.study.compare import Study
from skmetricmlp.study.summary import summarize
from skmetricmlp.study.tasks import Task

__all__ = ["conclusions", "describe_row"]

#: Names of starts that are followed by the word "weights".
INIT_NAMES = frozenset(
    {"calculated", "random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
)


def conclusions(study: Study) -> list[str]:
    """Describe how each start compares with its reference.

    Returns
    -------
    list of str
        A few sentences per size and start. The largest size is first.
    """
    summary = summarize(study).sort_values("size", ascending=False, kind="stable")
    return [describe_row(row, study) for row in summary.to_dict("records")]


def describe_row(row: Mapping[Any, Any], study: Study) -> str:
    """Describe a row of :func:`~skmetricmlp.study.summary.summarize` in sentences."""
    task, target = study.dataset.task, study.design.target_score
    ours, theirs = _start_name(row["start"]), _start_name(row["reference"])
    goal = f"the {task.score_name} of {task.text(row['target'])} at which {theirs} ended"
    if target is not None:
        goal = f"the target of {task.text(target)}"
    arrival = _arrival(row, goal, theirs)
    # After a sentence about the reference, "they" would be ambiguous.
    subject = _capitalize(ours) if arrival.startswith(_capitalize(theirs)) else "They"
    return (
        f"With {row['size']:,} training rows, {ours} had an {task.score_name} of "
        f"{task.text(row['untrained'])} before training. {arrival} {subject} ended "
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
            f"{_capitalize(theirs)} took {_epochs(reference)}, and {1 / time:.1f} times "
            f"as long as the calculation, to reach {goal.replace(theirs, 'they')}."
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
        return f"{amount} {where}, in one split, which does not show the uncertainty"
    spread = f"{amount} ± {task.number(half_width)}{task.difference_unit} {where}"
    if abs(difference) > half_width:
        return spread
    return f"{spread}, which is not significant with {n_splits} splits"


def _interval(row: Mapping[Any, Any]) -> str:
    if math.isinf(row["high"]):
        return f"{row['low']:.1f} or more"
    return f"{row['low']:.1f} to {row['high']:.1f}"


def _start_name(name: str) -> str:
    """Return "calculated weights (metric=kl)" for "calculated, metric=kl"."""
    head, _, rest = name.partition(", ")
    if head not in INIT_NAMES:
        return f"“{name}”"
    return f"{head} weights" + (f" ({rest})" if rest else "")


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _after(epochs: float) -> str:
    return f"After {_epochs(epochs)}" if epochs else "Before training"


def _epochs(count: float) -> str:
    return "one epoch" if count == 1 else f"{count:.0f} epochs"
