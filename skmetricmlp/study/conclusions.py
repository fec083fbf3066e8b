"""The conclusions of a comparison in sentences, with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skmetricmlp.study.compare import Study
from skmetricmlp.study.rivals import CONSTANTS, OURS, UNTRAINED
from skmetricmlp.study.scores import Score
from skmetricmlp.study.summary import (
    arrivals,
    confidence_of,
    is_imbalanced,
    paired_difference,
    rank_starts,
    summarize,
)

__all__ = [
    "conclusions",
    "describe_balance",
    "describe_models",
    "describe_ranking",
    "describe_start",
    "has_several_settings",
]

#: What values of ``init`` are called in sentences.
INIT_NAMES = {
    "random, fitted": "random weights with a fitted output",
    **{
        name: f"{name} weights"
        for name in (
            "calculated",
            "random",
            "uniform",
            "glorot_uniform",
            "he_uniform",
            "zeros",
            "ones",
        )
    },
}


def conclusions(study: Study) -> list[str]:
    """Say whether to use this network, and how each start compares with its reference.

    Returns
    -------
    list of str
        First the answer, if there are other models. Then a paragraph about the classes if
        they are imbalanced, one about the best of several settings, and one for each size
        and each calculated start. The largest size is first.
    """
    paragraphs = [] if study.models is None else [describe_models(study)]
    if is_imbalanced(study):
        paragraphs.append(describe_balance(study))
    if has_several_settings(study):
        paragraphs.append(describe_ranking(study))
    origins = dict.fromkeys(study.design.origins.values())
    return paragraphs + [
        describe_start(study, size, origin)
        for size in reversed(study.design.sizes)
        for origin in origins
    ]


def has_several_settings(study: Study) -> bool:
    """Whether several starts have weights of one kind, so that one is to be chosen."""
    kinds = [repr(_kind(start.parameters)) for start in study.design.starts]
    return len(set(kinds)) < len(kinds)


def describe_models(study: Study) -> str:
    """Say which model to use, by the score of the study.

    The interval of the difference from the best other model is that of one of as many
    comparisons as there are other models (Bonferroni).
    """
    assert study.models is not None  # noqa: S101
    score, design = study.score, study.design
    scores = study.models.pivot_table(index="seed", columns="model", values=score.scoring)
    ours, others = scores[OURS], scores.drop(columns=[OURS, UNTRAINED])
    best = str(others.mean().idxmax())
    mean, half_width = paired_difference(
        ours.to_numpy(),
        others[best].to_numpy(),
        design.n_train,
        design.n_test,
        confidence=confidence_of(others.shape[1]),
    )
    n_others, n_seeds = others.shape[1], design.n_seeds
    has, other_has = (score.text(float(s.mean())) for s in (ours, others[best]))
    among = f", the best of {n_others} other models," if n_others > 1 else ""
    return (
        f"{_answer(best, mean, half_width)} With {design.sizes[-1]:,} training rows, the "
        f"{score.name} of this network is {has}. That of {best}{among} is {other_has}. "
        f"{_difference(score, mean, half_width, n_seeds)}"
    )


def _answer(best: str, difference: float, half_width: float) -> str:
    if math.isnan(half_width):
        better = "better" if difference > 0 else "not better"
        return f"In one split, this network is {better} than {best}."
    if abs(difference) <= half_width:
        return f"This network and {best} are level."
    if difference > 0:
        return "Use this network."
    if best in CONSTANTS:
        return f"No model is better than always predicting {best}."
    return f"Use {best} instead."


def describe_balance(study: Study) -> str:
    """Say how rare the rarest class is, and what the accuracy hides."""
    y = study.dataset.y
    shares = y.value_counts(normalize=True)
    rarest, most = shares.index[-1], shares.index[0]
    rarest_share, most_share = (_percent(s) for s in (shares.min(), shares.max()))
    sentences = [
        "The classes are imbalanced.",
        f"“{rarest}” has {rarest_share} of the rows, and “{most}” {most_share}.",
    ]
    if study.score.scoring == "accuracy":
        sentences += [
            f"Always predicting “{most}” has an accuracy of {most_share}.",
            "So look at the recall of each class too.",
            "The scoring balanced_accuracy counts every class alike.",
        ]
    return " ".join(sentences)


def describe_ranking(study: Study) -> str:
    """Say which of several settings is the best, and which others may be as good."""
    score, design = study.score, study.design
    ranked = rank_starts(study)
    best, others = str(ranked.index[0]), ranked.iloc[1:]
    first = (
        f"Of {len(ranked)} settings, {_start_name(best)} had the best {score.name} after "
        f"{_epochs(design.n_epochs)}, {score.text(float(ranked['score'].iloc[0]))}."
    )
    if design.n_seeds == 1:
        return f"{first} This is one split, so the uncertainty is unknown."
    n_level = int((others["difference"].abs() <= others["half_width"]).sum())
    splits = f"{design.n_seeds} splits"
    if not n_level:
        return f"{first} All others are worse, beyond the uncertainty of {splits}."
    if n_level == len(others):
        return f"{first} No difference from it is significant with {splits}."
    level = "one other is" if n_level == 1 else f"{n_level} others are"
    return f"{first} With {splits}, {level} not significantly worse."


def describe_start(study: Study, size: int, origin: str) -> str:
    """Describe a calculated start, and those that are to reach it, for one size.

    Parameters
    ----------
    study : Study
    size : int
        Number of training rows.
    origin : str
        One of the values of :attr:`Design.origins`.
    """
    score, design = study.score, study.design
    arrived = arrivals(study).loc[size]
    followers = [name for name, of in design.origins.items() if of == origin]
    arriving = [name for name in followers if name != origin]
    name = _start_name(origin)
    curves = study.curves
    before = curves[
        (curves["size"] == size) & (curves["start"] == origin) & (curves["epoch"] == 0)
    ]
    untrained = float(before[score.scoring].mean())
    seconds = _seconds(float(before["seconds"].median()))
    first = (
        f"With {size:,} training rows, the {score.name} of {name} was "
        f"{score.text(untrained)} before training, after {seconds}."
    )
    goal = "this"
    if design.target_score is not None:
        goal = f"the target of {score.text(score.sign * design.target_score)}"
        arriving = followers
    reached = [
        _arrival(_start_name(follower), arrived.loc[follower].to_dict(), goal, study)
        for follower in arriving
    ]
    summary = summarize(study)
    rows = summary[(summary["size"] == size) & summary["start"].isin(followers)]
    if origin in set(rows["start"]):
        rows = rows[rows["start"] == origin]
    ends = [_end(study, row) for row in rows.to_dict("records")]
    return " ".join([first, *reached, *ends])


def _arrival(name: str, row: Mapping[Any, Any], goal: str, study: Study) -> str:
    n_seeds, n_epochs = study.design.n_seeds, study.design.n_epochs
    subject, in_splits = _capitalize(name), f"{int(row['reached'])} of {n_seeds} splits"
    if row["reached"] == 0:
        return f"{subject} did not reach {goal} in {_epochs(n_epochs)}."
    if math.isinf(row["epochs"]):
        return (
            f"{subject} reached {goal} in {in_splits}, and not in the others in "
            f"{_epochs(n_epochs)}."
        )
    where = "" if row["reached"] == n_seeds else f" in {in_splits}"
    when = f"after {_epochs(row['epochs'])} and {_seconds(row['seconds'])}"
    if row["epochs"] == 0:
        when = f"before training, after {_seconds(row['seconds'])}"
    median = " (median)" if n_seeds > 1 else ""
    return f"{subject} reached {goal}{where} {when}{median}."


def _end(study: Study, row: Mapping[Any, Any]) -> str:
    score, design = study.score, study.design
    ours, theirs = _start_name(row["start"]), _start_name(row["reference"])
    return (
        f"After {_epochs(design.n_epochs)}, the {score.name} of {ours} was "
        f"{score.text(row['end'])}, and that of {theirs} was "
        f"{score.text(row['reference_end'])}. "
        + _difference(score, row["difference"], row["half_width"], design.n_seeds)
    )


def _difference(score: Score, mean: float, half_width: float, n_splits: int) -> str:
    if math.isnan(half_width):
        return (
            f"The difference of {score.amount(mean)} is from one split, so its "
            f"uncertainty is unknown."
        )
    amount = score.amount(mean, half_width)
    if abs(mean) > half_width:
        return f"The difference is {amount}."
    return f"The difference of {amount} is not significant with {n_splits} splits."


def _kind(parameters: Mapping[str, Any]) -> tuple[Any, Any]:
    return parameters.get("init", "metric"), parameters.get("output_init")


def _start_name(name: str) -> str:
    """Return "calculated weights (metric=kl)" for "calculated, metric=kl"."""
    for init in ("random, fitted", *INIT_NAMES):
        if name == init or name.startswith(f"{init}, "):
            rest = name.removeprefix(init).removeprefix(", ")
            return INIT_NAMES[init] + (f" ({rest})" if rest else "")
    return f"“{name}”"


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _epochs(count: float) -> str:
    return "one epoch" if count == 1 else f"{count:.0f} epochs"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
