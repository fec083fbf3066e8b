"""The conclusions of a comparison in sentences, with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skmetricmlp.study.compare import Study
from skmetricmlp.study.rivals import OURS, UNTRAINED
from skmetricmlp.study.summary import CONFIDENCE, paired_difference, summarize
from skmetricmlp.study.tasks import Task

__all__ = ["conclusions", "describe_models", "describe_row"]

#: Names of starts that are followed by the word "weights".
INIT_NAMES = frozenset(
    {"calculated", "random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
)


def conclusions(study: Study) -> list[str]:
    """Say whether to use this network, and how each start compares with its reference.

    Returns
    -------
    list of str
        First the answer, if there are other models. Then a few sentences per size and
        start. The largest size is first.
    """
    answer = [] if study.models is None else [describe_models(study)]
    summary = summarize(study).sort_values("size", ascending=False, kind="stable")
    return [*answer, *(describe_row(row, study) for row in summary.to_dict("records"))]


def describe_models(study: Study) -> str:
    """Say which model to use, by the score of the task.

    The interval of the difference from the best other model is that of one of as many
    comparisons as there are other models (Bonferroni).
    """
    assert study.models is not None  # noqa: S101
    task, design = study.dataset.task, study.design
    scores = study.models.pivot_table(index="seed", columns="model", values=task.score)
    ours = scores[OURS]
    others = scores.drop(columns=[OURS, UNTRAINED])
    best = str(others.mean().idxmax())
    confidence = 1 - (1 - CONFIDENCE) / others.shape[1]
    difference = paired_difference(
        ours.to_numpy(),
        others[best].to_numpy(),
        design.n_train,
        design.n_test,
        confidence=confidence,
    )
    has, other_has = (task.text(float(s.mean())) for s in (ours, others[best]))
    amount = task.number(abs(difference.mean)) + task.difference_unit
    rows = f"With {design.sizes[-1]:,} training rows"
    n_others = f"the best of {others.shape[1]} other models"
    if math.isnan(difference.half_width):
        where = "ahead of" if difference.mean >= 0 else "behind"
        return (
            f"{rows} this network has an {task.score_name} of {has}, {amount} {where} "
            f"{best}, {n_others}, in one split, which does not show the uncertainty."
        )
    spread = (
        f"{task.number(abs(difference.mean))} ± {task.number(difference.half_width)}"
        f"{task.difference_unit}"
    )
    if abs(difference.mean) <= difference.half_width:
        return (
            f"This network and {best}, {n_others}, are level. {rows} they have an "
            f"{task.score_name} of {has} and {other_has}, which differ by {spread}."
        )
    if difference.mean > 0:
        return (
            f"Use this network. {rows} it has an {task.score_name} of {has}, {spread} "
            f"ahead of {best}, {n_others}."
        )
    return (
        f"Use {best} instead. {rows} it has an {task.score_name} of {other_has}, "
        f"{spread} ahead of this network."
    )


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
