"""What the curves of a comparison amount to: tables, and differences with intervals."""

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
    """Epochs to a target over those of the reference, with a confidence interval."""

    epochs: float
    reference_epochs: float
    low: float
    high: float


def summarize(study: Study) -> pd.DataFrame:
    """Compare each start with its reference.

    Returns
    -------
    pandas.DataFrame
        A row per size and start that has a reference, with the columns ``size``,
        ``start``, ``reference``; mean scores ``untrained``, ``end`` and
        ``reference_end``; ``difference`` at the end and ``half_width``, of
        :func:`paired_difference`; ``target``, which is ``reference_end`` if none was
        given; ``epochs``, ``reference_epochs``, ``low`` and ``high``, of
        :func:`epochs_ratio`; and ``seconds`` and ``reference_seconds``, the mean of what
        was spent by those epochs. Epochs are infinite and seconds missing where the
        target was not reached.
    """
    design = study.design
    rows = []
    for size in design.sizes:
        of_size = study.curves[study.curves["size"] == size]
        names = study.dataset.task.score, "seconds"
        scores, seconds = (_by_start(of_size, name) for name in names)
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
                    "seconds": _spent(seconds[start.name], ratio.epochs),
                    "reference_seconds": _spent(
                        seconds[start.reference], ratio.reference_epochs
                    ),
                }
            )
    return pd.DataFrame(rows)


def paired_difference(
    ours: Array, theirs: Array, n_train: int, n_test: int
) -> Difference:
    """Mean difference over random splits, with a confidence interval of 95 percent.

    Training sets of different splits share rows, so that differences are correlated. The
    variance of their mean is therefore taken as ``(1 / n_splits + n_test / n_train)``
    times their variance (C. Nadeau and Y. Bengio, Machine Learning 52, 2003).

    Parameters
    ----------
    ours, theirs : ndarray of shape (n_splits,)
    n_train, n_test : int
        Rows of a split. Where only some of the training rows are learned from, training
        sets share less, and the interval is wider than need be.

    Returns
    -------
    Difference
        ``half_width`` is NaN for one split, which says nothing about others.

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
    quantile = student_t.ppf((1 + CONFIDENCE) / 2, n_splits - 1)
    return Difference(float(differences.mean()), float(quantile * np.sqrt(variance)))


def epochs_ratio(ours: Array, theirs: Array, target: float | None = None) -> EpochsRatio:
    """Epochs to a target, for the mean curve over the splits, and for the reference's.

    The interval of their ratio is that of the bootstrap over the splits (percentiles, 95
    percent).

    Parameters
    ----------
    ours, theirs : ndarray of shape (n_splits, n_epochs + 1)
        Scores before training and after each epoch.
    target : float, optional
        By default where the mean curve of the reference ends.

    Returns
    -------
    EpochsRatio
        Epochs are infinite where the target is not reached. The interval is NaN for one
        split, and where the reference needs no epoch.

    Examples
    --------
    >>> ours, theirs = np.array([[0.8, 0.9, 0.9]]), np.array([[0.1, 0.5, 0.85]])
    >>> epochs_ratio(ours, theirs)[:2]
    (1.0, 2.0)
    """
    n_splits = len(ours)
    drawn = np.random.default_rng(0).integers(n_splits, size=(N_RESAMPLES, n_splits))
    drawn = np.vstack([np.arange(n_splits), drawn])
    targets = np.broadcast_to(_target(theirs[drawn], target), len(drawn))
    epochs, reference = (
        _first_at_least(curves[drawn].mean(axis=1), targets) for curves in (ours, theirs)
    )
    low = high = float("nan")
    if n_splits > 1 and 0 < reference[0] < np.inf:
        # Where neither arrives, neither is faster.
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
    """Epochs and seconds until the test score of each run first reaches a target.

    The target is the one of the design or, for each size, the mean score over the
    seeds at which the reference ends.

    Returns
    -------
    pandas.DataFrame
        A row per size, seed and start, with the columns ``target``, ``epoch`` and
        ``seconds``, which are missing where the target was not reached.
    """
    curves, design, score = study.curves, study.design, study.dataset.task.score
    references = {start.name: start.reference for start in design.starts}
    last = curves[curves["epoch"] == design.n_epochs]
    ends = last.groupby(["size", "start"])[score].mean()
    if design.target_score is not None:
        ends[:] = design.target_score
    which = pd.MultiIndex.from_arrays([curves["size"], curves["start"].map(references)])
    curves = curves.assign(target=ends.reindex(which).to_numpy())
    keys = ["size", "seed", "start"]
    reached = curves[curves[score] >= curves["target"]]
    first = reached.sort_values("epoch").groupby(keys)[["epoch", "seconds"]].first()
    runs = curves.groupby(keys, sort=False)["target"].first().to_frame()
    return runs.join(first).reset_index()


def score_table(study: Study) -> pd.DataFrame:
    """Mean and deviation of the score as it is shown: sizes and starts by epochs."""
    curves, task = study.curves, study.dataset.task
    shown = curves[curves["epoch"].isin([*SHOWN_EPOCHS, study.design.n_epochs])]
    scores = task.scale * shown.set_index(["size", "start", "epoch"])[task.score]
    by_cell = scores.groupby(level=[0, 1, 2], sort=False)
    cells = by_cell.agg(_mean_and_deviation, digits=task.digits)
    table = cells.unstack("epoch", sort=False)
    return table.rename_axis(index=["training rows", "start"])


def target_table(study: Study) -> pd.DataFrame:
    """Epochs and seconds to the target, and how many seeds reached it."""
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
    """Arrays of shape (n_seeds, n_epochs + 1)."""
    return {
        str(start): group.pivot_table(
            index="seed", columns="epoch", values=column
        ).to_numpy()
        for start, group in curves.groupby("start")
    }


def _target(theirs: Array, given: float | None) -> Array:
    """Where the mean curve ends: (..., n_splits, n_epochs + 1) to (...)."""
    if given is not None:
        return np.asarray(given)
    return np.asarray(theirs[..., -1].mean(axis=-1))


def _first_at_least(curves: Array, targets: Array) -> Array:
    """First epochs, (n,), at which curves, (n, n_epochs + 1), are at their targets."""
    # A mean is not above itself because it was added up in another order.
    reached = curves >= targets[:, None] - 1e-12
    return np.where(reached.any(axis=1), reached.argmax(axis=1).astype(float), np.inf)


def _spent(seconds: Array, epochs: float) -> float:
    return float("nan") if np.isinf(epochs) else float(seconds[:, int(epochs)].mean())


def _mean_and_deviation(values: pd.Series[Any], digits: int = 1) -> str:
    if values.count() == 0:
        return "never"
    spread = f" ± {values.std():.{digits}f}" if values.count() > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"
