"""Summaries of a comparison: tables, and differences with confidence intervals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t

from skmetricmlp.study.compare import Study

__all__ = [
    "Difference",
    "EpochsRatio",
    "epochs_ratio",
    "model_table",
    "paired_difference",
    "score_table",
    "summarize",
    "target_table",
    "time_to_target",
]

CONFIDENCE = 0.95
N_RESAMPLES = 2000
SHOWN_EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)

Array = NDArray[Any]


class Difference(NamedTuple):
    """A mean difference, and half the width of its confidence interval."""

    mean: float
    half_width: float


class EpochsRatio(NamedTuple):
    """Epochs to a target, those of the reference, and an interval of their ratio."""

    epochs: float
    reference_epochs: float
    low: float
    high: float


def summarize(study: Study) -> pd.DataFrame:
    """Compare each start with its reference.

    Returns
    -------
    pandas.DataFrame
        One row per size and start that has a reference, with the columns

        - ``size``, ``start`` and ``reference``;
        - the mean scores ``untrained``, ``end`` and ``reference_end``;
        - ``difference`` at the end and ``half_width``, from :func:`paired_difference`;
        - ``target``, which is ``reference_end`` by default;
        - ``epochs``, ``reference_epochs``, ``low`` and ``high``, from
          :func:`epochs_ratio`;
        - ``seconds`` and ``reference_seconds``, the mean times until those epochs.

        If the target was not reached, epochs are infinite and seconds are NaN.
    """
    design = study.design
    rows = []
    for size in design.sizes:
        curves = study.curves[study.curves["size"] == size]
        scores = _by_start(curves, study.dataset.task.score)
        seconds = _by_start(curves, "seconds")
        for start in design.compared:
            ours, theirs = scores[start.name], scores[start.reference]
            difference = paired_difference(
                ours[:, -1], theirs[:, -1], design.n_train, design.n_test
            )
            ratio = epochs_ratio(ours, theirs, design.target_score)
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
                    "target": float(_target(theirs, design.target_score)),
                    **ratio._asdict(),
                    "seconds": _mean_seconds(seconds[start.name], ratio.epochs),
                    "reference_seconds": _mean_seconds(
                        seconds[start.reference], ratio.reference_epochs
                    ),
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


def epochs_ratio(ours: Array, theirs: Array, target: float | None = None) -> EpochsRatio:
    """Count the epochs until the mean curve of a start and of its reference hit a target.

    The interval of their ratio is a percentile bootstrap over the splits, with 95 %
    confidence.

    Parameters
    ----------
    ours, theirs : ndarray of shape (n_splits, n_epochs + 1)
        Scores of a start and of its reference, before training and after each epoch.
    target : float, optional
        By default the last score of the reference's mean curve.

    Returns
    -------
    EpochsRatio
        Epochs are infinite if the target is not reached. The interval is NaN for one
        split, and if the reference reaches the target before training.

    Examples
    --------
    >>> ours, theirs = np.array([[0.8, 0.9, 0.9]]), np.array([[0.1, 0.5, 0.85]])
    >>> epochs_ratio(ours, theirs)[:2]
    (1.0, 2.0)
    """
    n_splits = len(ours)
    samples = np.random.default_rng(0).integers(n_splits, size=(N_RESAMPLES, n_splits))
    # The first sample is the splits themselves.
    samples = np.vstack([np.arange(n_splits), samples])
    targets = np.broadcast_to(_target(theirs[samples], target), len(samples))
    epochs, reference = (
        _first_at_least(curves[samples].mean(axis=1), targets)
        for curves in (ours, theirs)
    )
    low = high = float("nan")
    if n_splits > 1 and 0 < reference[0] < np.inf:
        # If neither reaches the target, the ratio is one.
        both_never = np.isinf(epochs) & np.isinf(reference)
        ratio = np.divide(
            epochs,
            reference,
            out=np.ones_like(epochs),
            where=~both_never & (reference > 0),
        )
        tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
        low, high = np.quantile(ratio[1:], tails, method="inverted_cdf").tolist()
    return EpochsRatio(float(epochs[0]), float(reference[0]), low, high)


def time_to_target(study: Study) -> pd.DataFrame:
    """Compute the epochs and seconds until the test score of each run reaches a target.

    The target is that of the design. By default it is the mean of the reference's last
    scores over the seeds, for each size.

    Returns
    -------
    pandas.DataFrame
        One row per size, seed and start, with the columns ``target``, ``epoch`` and
        ``seconds``. The last two are NaN if the target was not reached.
    """
    curves, design, score = study.curves, study.design, study.dataset.task.score
    references = {start.name: start.reference for start in design.starts}
    last = curves[curves["epoch"] == design.n_epochs]
    ends = last.groupby(["size", "start"])[score].mean()
    if design.target_score is not None:
        ends[:] = design.target_score
    keys_of_target = pd.MultiIndex.from_arrays(
        [curves["size"], curves["start"].map(references)]
    )
    curves = curves.assign(target=ends.reindex(keys_of_target).to_numpy())
    keys = ["size", "seed", "start"]
    reached = curves[curves[score] >= curves["target"]]
    first = reached.sort_values("epoch").groupby(keys)[["epoch", "seconds"]].first()
    runs = curves.groupby(keys, sort=False)["target"].first().to_frame()
    return runs.join(first).reset_index()


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
    task, model = study.dataset.task, study.models["model"]
    measures = study.models.drop(columns=["model", "seed"])
    means = measures.groupby(model, sort=False).mean()
    table = pd.DataFrame(index=means.index)
    for name in map(str, means):
        in_percent = bool(task.unit) and name.endswith("accuracy")
        scale, digits = (task.scale, 1) if in_percent else (1.0, 3)
        values = (scale * measures[name]).groupby(model, sort=False)
        cells = values.agg(_mean_and_deviation, 2 if name == "seconds" else digits)
        table[f"{name} in percent" if in_percent else name] = cells
    best_first = means[task.score].sort_values(ascending=False, kind="stable").index
    return table.loc[best_first]


def score_table(study: Study) -> pd.DataFrame:
    """Format mean and standard deviation of the score, by size, start and epoch."""
    curves, task = study.curves, study.dataset.task
    shown = curves[curves["epoch"].isin([*SHOWN_EPOCHS, study.design.n_epochs])]
    scores = task.scale * shown.set_index(["size", "start", "epoch"])[task.score]
    by_cell = scores.groupby(level=[0, 1, 2], sort=False)
    cells = by_cell.agg(_mean_and_deviation, digits=task.digits)
    table = cells.unstack("epoch", sort=False)
    return table.rename_axis(index=["training rows", "start"])


def target_table(study: Study) -> pd.DataFrame:
    """Format epochs and seconds to the target, and the number of seeds that reach it."""
    task = study.dataset.task
    by_run = time_to_target(study).groupby(["size", "start"], sort=False)
    table = pd.DataFrame(
        {
            "target": by_run["target"].first().map(task.text),
            "reached": by_run["epoch"].agg(lambda e: f"{e.count()} of {len(e)}"),
            "epochs": by_run["epoch"].agg(_mean_and_deviation),
            "seconds": by_run["seconds"].agg(_mean_and_deviation, digits=2),
        }
    )
    return table.rename_axis(index=["training rows", "start"])


def _by_start(curves: pd.DataFrame, column: str) -> dict[str, Array]:
    """Return an array of shape (n_seeds, n_epochs + 1) for each start."""
    return {
        str(start): group.pivot_table(
            index="seed", columns="epoch", values=column
        ).to_numpy()
        for start, group in curves.groupby("start")
    }


def _target(theirs: Array, given: float | None) -> Array:
    """Return the last score of the mean curve: (..., n_splits, n_epochs + 1) to (...)."""
    if given is not None:
        return np.asarray(given)
    return np.asarray(theirs[..., -1].mean(axis=-1))


def _first_at_least(curves: Array, targets: Array) -> Array:
    """Return the first epochs (n,) at which curves (n, n_epochs + 1) reach targets."""
    # The tolerance covers the rounding of means that are added in another order.
    reached = curves >= targets[:, None] - 1e-12
    return np.where(reached.any(axis=1), reached.argmax(axis=1).astype(float), np.inf)


def _mean_seconds(seconds: Array, epochs: float) -> float:
    return float("nan") if np.isinf(epochs) else float(seconds[:, int(epochs)].mean())


def _mean_and_deviation(values: pd.Series[Any], digits: int = 1) -> str:
    if values.count() == 0:
        return "never"
    spread = f" ± {values.std():.{digits}f}" if values.count() > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
