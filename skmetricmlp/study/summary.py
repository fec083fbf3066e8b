"""Summaries of a comparison: tables, and differences with confidence intervals."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t

from skmetricmlp.study.compare import KEYS, Study
from skmetricmlp.study.scores import Score, find_score, scorings_of
from skmetricmlp.study.tasks import CLASSES

__all__ = [
    "Difference",
    "arrivals",
    "confidence_of",
    "is_imbalanced",
    "measure_table",
    "model_table",
    "paired_difference",
    "rank_starts",
    "ranking_table",
    "recall_table",
    "score_table",
    "summarize",
    "target_table",
    "time_to_target",
]

CONFIDENCE = 0.95
SHOWN_EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)

#: Classes are imbalanced if one has so many times as many rows as another one.
IMBALANCE = 3

Array = NDArray[Any]


class Difference(NamedTuple):
    """A mean difference, and half the width of its confidence interval."""

    mean: float
    half_width: float


def summarize(study: Study) -> pd.DataFrame:
    """Compare each start with its reference.

    Returns
    -------
    pandas.DataFrame
        One row per size and start that has a reference, with the columns

        - ``size``, ``start`` and ``reference``;
        - the mean scores ``untrained``, ``end`` and ``reference_end``;
        - ``difference`` at the end and ``half_width``, from :func:`paired_difference`;
        - ``target``, ``reached``, ``epochs`` and ``seconds``, from :func:`arrivals`.
    """
    design = study.design
    arrived = arrivals(study).to_dict("index")
    rows = []
    for size in design.sizes:
        scores = _scores_by_start(study, size)
        for start in design.compared:
            ours, theirs = scores[start.name], scores[start.reference]
            difference = paired_difference(
                ours[:, -1], theirs[:, -1], design.n_train, design.n_test
            )
            rows.append(
                {
                    "size": size,
                    "start": start.name,
                    "reference": start.reference,
                    "untrained": ours[:, 0].mean(),
                    "end": ours[:, -1].mean(),
                    "reference_end": theirs[:, -1].mean(),
                    "difference": difference.mean,
                    "half_width": difference.half_width,
                    **arrived[size, start.name],
                }
            )
    return pd.DataFrame(rows)


def paired_difference(
    ours: Array,
    theirs: Array,
    n_train: int,
    n_test: int,
    *,
    confidence: float = CONFIDENCE,
) -> Difference:
    """Compute the mean difference over random splits with a confidence interval.

    The training sets of different splits overlap, so that the differences are correlated.
    Therefore the variance of their mean is estimated as ``1 / n_splits + n_test /
    n_train`` times their variance (C. Nadeau and Y. Bengio, Machine Learning 52, 2003).

    Parameters
    ----------
    ours, theirs : ndarray of shape (n_splits,)
        Scores of a start and of its reference.
    n_train, n_test : int
        Numbers of training and test rows. If the networks are trained on a subset of the
        training rows, the overlap is smaller and the interval is too wide.
    confidence : float, default=0.95
        Of the interval.

    Returns
    -------
    Difference
        With one split ``half_width`` is NaN.

    Examples
    --------
    >>> ours, theirs = np.array([0.9, 0.8, 1.0]), np.array([0.7, 0.8, 0.9])
    >>> difference = paired_difference(ours, theirs, n_train=75, n_test=25)
    >>> print(f"{difference.mean:.2f} ± {difference.half_width:.2f}")
    0.10 ± 0.35
    """
    differences = np.asarray(ours) - np.asarray(theirs)
    n_splits = len(differences)
    if n_splits == 1:
        return Difference(float(differences[0]), float("nan"))
    variance = differences.var(ddof=1) * (1 / n_splits + n_test / n_train)
    quantile = student_t.ppf((1 + confidence) / 2, n_splits - 1)
    return Difference(float(differences.mean()), float(quantile * np.sqrt(variance)))


def time_to_target(study: Study) -> pd.DataFrame:
    """Compute the epochs and seconds until the test score of each run reaches a target.

    The target is that of the design. By default it is the score of the calculated network
    before training, for the same number of training rows and the same split. It does not
    depend on the number of epochs.

    Returns
    -------
    pandas.DataFrame
        One row per size, seed and start, with the columns ``target``, ``epoch`` and
        ``seconds``. The last two are NaN if the target was not reached.
    """
    curves, design, score = study.curves, study.design, study.score
    untrained = curves[curves["epoch"] == 0].set_index(KEYS)[score.scoring]
    origins = curves["start"].map(design.origins)
    keys_of_target = pd.MultiIndex.from_arrays([curves["size"], curves["seed"], origins])
    targets = untrained.reindex(keys_of_target).to_numpy()
    if design.target_score is not None:
        targets = np.full(len(curves), score.sign * design.target_score)
    curves = curves.assign(target=targets)
    # The tolerance covers rounding.
    reached = curves[curves[score.scoring] >= curves["target"] - 1e-12]
    first = reached.sort_values("epoch").groupby(KEYS)[["epoch", "seconds"]].first()
    runs = curves.groupby(KEYS, sort=False)["target"].first().to_frame()
    return runs.join(first).reset_index()


def arrivals(study: Study) -> pd.DataFrame:
    """Summarize :func:`time_to_target` over the splits.

    Returns
    -------
    pandas.DataFrame
        One row per size and start, which are the index, with the mean ``target``, the
        number of splits in which it was ``reached``, and the medians of ``epochs`` and
        ``seconds`` over all splits. A split that does not reach the target counts as
        infinite, so that medians are infinite if less than half of the splits reach it.
    """
    by_run = time_to_target(study).groupby(["size", "start"], sort=False)
    return pd.DataFrame(
        {
            "target": by_run["target"].mean(),
            "reached": by_run["epoch"].count(),
            "epochs": by_run["epoch"].agg(_median),
            "seconds": by_run["seconds"].agg(_median),
        }
    )


def rank_starts(study: Study, epoch: int | None = None) -> pd.DataFrame:
    """Rank all starts by their mean score, and compare each with the best one.

    The largest number of training rows is taken. The intervals of the differences allow
    for the choice of the best of several (Bonferroni), as those of
    :func:`~skmetricmlp.study.conclusions.describe_models` do.

    Parameters
    ----------
    study : Study
    epoch : int, optional
        By default the last one.

    Returns
    -------
    pandas.DataFrame
        One row per start, which is the index, the best first, with the columns ``score``,
        ``difference`` from the best, which is at most 0, and its ``half_width``. Those
        of the best are 0 and NaN.
    """
    design = study.design
    scores = {
        start: values[:, -1 if epoch is None else epoch]
        for start, values in _scores_by_start(study, design.sizes[-1]).items()
    }
    # Equal ones stay in the order of the design.
    names = sorted([s.name for s in design.starts], key=lambda name: -scores[name].mean())
    rows = {
        name: paired_difference(
            scores[name],
            scores[names[0]],
            design.n_train,
            design.n_test,
            confidence=confidence_of(len(names) - 1),
        )
        for name in names
    }
    return pd.DataFrame(
        {
            "score": {name: scores[name].mean() for name in names},
            "difference": {name: row.mean for name, row in rows.items()},
            "half_width": {
                name: row.half_width if name != names[0] else float("nan")
                for name, row in rows.items()
            },
        }
    ).rename_axis("start")


def confidence_of(n_comparisons: int) -> float:
    """Return the confidence of one of several intervals that all hold with 95 %.

    Examples
    --------
    >>> f"{confidence_of(5):.2f}"
    '0.99'
    """
    return 1 - (1 - CONFIDENCE) / n_comparisons


def model_table(study: Study) -> pd.DataFrame:
    """Format mean and standard deviation of each measure of the models, best first.

    Raises
    ------
    ValueError
        If the study has no other models.
    """
    if study.models is None:
        msg = "the study has no other models"
        raise ValueError(msg)
    model = study.models["model"]
    table = _format_measures(study, study.models.groupby("model", sort=False))
    seconds = study.models["seconds"].groupby(model, sort=False)
    table["seconds"] = seconds.agg(_mean_and_deviation, digits=2)
    means = study.models[study.score.scoring].groupby(model, sort=False).mean()
    return table.loc[means.sort_values(ascending=False, kind="stable").index]


def measure_table(study: Study) -> pd.DataFrame:
    """Format all measures of the starts after the last epoch, for the largest size."""
    design, curves = study.design, study.curves
    ends = curves[
        (curves["size"] == design.sizes[-1]) & (curves["epoch"] == design.n_epochs)
    ]
    return _format_measures(study, ends.groupby("start", sort=False))


def is_imbalanced(study: Study) -> bool:
    """Whether some class has several times as many rows as another one."""
    if study.dataset.task != CLASSES:
        return False
    counts = study.dataset.y.value_counts()
    return bool(counts.max() >= IMBALANCE * counts.min())


def recall_table(study: Study, most_classes: int = 10) -> pd.DataFrame:
    """Format the recall of each class in percent, over the test rows of all splits.

    The starts are those of the largest size after the last epoch.

    Parameters
    ----------
    study : Study
    most_classes : int
        Only so many of the rarest classes are taken.

    Returns
    -------
    pandas.DataFrame
        One column per class, the rarest first if they are imbalanced. The first row has
        the shares of the rows in percent. The others have the recall of each model and
        start.
    """
    design, y = study.design, study.dataset.y
    shares = y.value_counts(normalize=True, sort=False)
    order = sorted(shares.index, key=str)
    if is_imbalanced(study) or len(order) > most_classes:
        order.sort(key=lambda label: shares[label])
    pairs = study.predictions
    pairs = pairs[
        (pairs["size"] == design.sizes[-1]) & (pairs["epoch"] == design.n_epochs)
    ]
    parts = [_recalls(pairs, "start")[[start.name for start in design.starts]]]
    if study.model_predictions is not None:
        models = _recalls(study.model_predictions, "model")
        parts.insert(0, models[study.model_predictions["model"].unique()])
    recalls = pd.concat(parts, axis=1).reindex(order[:most_classes])
    cells = (100 * recalls).map(lambda r: "" if np.isnan(r) else f"{r:.0f}")
    cells.insert(0, "share of the rows", [f"{100 * shares[k]:.1f}" for k in cells.index])
    return cells.T.rename_axis(index="recall in percent", columns="class")


def score_table(study: Study) -> pd.DataFrame:
    """Format mean and standard deviation of the score, by size, start and epoch."""
    curves, score = study.curves, study.score
    shown = curves[curves["epoch"].isin([*SHOWN_EPOCHS, study.design.n_epochs])]
    scores = shown.set_index(["size", "start", "epoch"])[score.scoring]
    by_cell = (score.sign * score.scale * scores).groupby(level=[0, 1, 2], sort=False)
    cells = by_cell.agg(_mean_and_deviation, digits=score.digits)
    table = cells.unstack("epoch", sort=False).sort_index(
        level="size", ascending=False, sort_remaining=False, kind="stable"
    )
    return table.rename_axis(index=["training rows", "start"])


def target_table(study: Study) -> pd.DataFrame:
    """Format :func:`arrivals`, with the range of the epochs over the splits."""
    score, n_epochs = study.score, study.design.n_epochs
    arrived = arrivals(study)
    by_run = time_to_target(study).groupby(["size", "start"], sort=False)

    table = pd.DataFrame(
        {
            "target": arrived["target"].map(score.text),
            "reached": [f"{n} of {study.design.n_seeds}" for n in arrived["reached"]],
            "epochs": by_run["epoch"].agg(_median_and_range, 0, f"> {n_epochs}"),
            "seconds": by_run["seconds"].agg(_median_and_range, 2, "-"),
        }
    )
    table = table.sort_index(
        level="size", ascending=False, sort_remaining=False, kind="stable"
    )
    return table.rename_axis(index=["training rows", "start"])


def ranking_table(study: Study) -> pd.DataFrame:
    """Format :func:`rank_starts` for the last epoch and before training."""
    score = study.score
    parts = {}
    epochs = {"before training": 0, f"after {study.design.n_epochs} epochs": None}
    for when, epoch in epochs.items():
        ranked = rank_starts(study, epoch)
        parts[f"{score.name} {when}"] = ranked["score"].map(score.text)
        parts[f"{when}, worse than the best by"] = pd.Series(
            {
                name: _behind(score, row["difference"], row["half_width"])
                for name, row in ranked.iterrows()
            }
        )
    names = rank_starts(study).index
    return pd.DataFrame(parts).loc[names].rename_axis("start")


def _behind(score: Score, difference: float, half_width: float) -> str:
    if difference == 0 and np.isnan(half_width):
        return "the best"
    return score.amount(difference, None if np.isnan(half_width) else half_width)


def _format_measures(study: Study, groups: Any) -> pd.DataFrame:
    dataset = study.dataset
    scores = [
        find_score(scoring, dataset.task, dataset.y)
        for scoring in scorings_of(dataset.task, study.design.scoring)
    ]
    return pd.DataFrame(
        {
            score.title: (groups[score.scoring]).agg(
                lambda values, score=score: _mean_and_deviation(
                    score.sign * score.scale * values, score.digits
                )
            )
            for score in scores
        }
    )


def _recalls(pairs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the recall of each true class, with a column for each start or model."""
    total = pairs.groupby(["true", column])["count"].sum()
    right = pairs[pairs["true"] == pairs["predicted"]]
    found = right.groupby(["true", column])["count"].sum()
    return (found.reindex(total.index, fill_value=0) / total).unstack(column)


def _scores_by_start(study: Study, size: int) -> dict[str, Array]:
    """Return an array of shape (n_seeds, n_epochs + 1) for each start."""
    curves = study.curves[study.curves["size"] == size]
    return {
        str(start): group.pivot_table(
            index="seed", columns="epoch", values=study.score.scoring
        ).to_numpy()
        for start, group in curves.groupby("start")
    }


def _median(values: pd.Series[Any]) -> float:
    """Return the lower median. NaN counts as infinite."""
    numbers = values.fillna(np.inf).to_numpy(dtype=float)
    return float(np.quantile(numbers, 0.5, method="inverted_cdf"))


def _median_and_range(values: pd.Series[Any], digits: int, beyond: str) -> str:
    """Format the median and the range. ``beyond`` stands for an infinite median."""
    if not values.count():
        return "never"
    median, low = _median(values), f"{values.min():.{digits}f}"
    high = f"to {values.max():.{digits}f}" if values.notna().all() else "or more"
    if math.isinf(median):
        return beyond
    text = f"{median:.{digits}f}"
    return text if high == f"to {low}" else f"{text} ({low} {high})"


def _mean_and_deviation(values: pd.Series[Any], digits: int = 1) -> str:
    spread = f" ± {values.std():.{digits}f}" if values.count() > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
