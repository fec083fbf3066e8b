"""Carry out a comparison: in parallel, with progress, and going on where it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import Any, NamedTuple
from warnings import warn

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone

from skmetricmlp.study.data import Dataset, load_dataset
from skmetricmlp.study.design import Design, Run, Start
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.kept import KeptRuns
from skmetricmlp.study.runs import Result, Split, feature_names, train_and_score

__all__ = ["Study", "compare", "run_study"]

#: What metrics take that are not defined for all numbers.
LEAST = {"kl": ">= 0", "itakura_saito": "> 0"}

KEYS = ["size", "seed", "start"]


@dataclass(frozen=True)
class Study:
    """A comparison that has been carried out.

    Attributes
    ----------
    dataset : Dataset
    design : Design
    curves : pandas.DataFrame
        A row per size, seed, start and epoch, with the columns ``size``, ``seed``,
        ``start``, ``epoch`` (0 is untrained), the score on the test rows (``accuracy``
        of classes, ``r2`` of values) and ``seconds`` spent so far on calculating the
        weights and training.
    predictions : pandas.DataFrame
        For the first and the last epoch of each run, the ``count`` of test rows of each
        pair of ``true`` and ``predicted``.
    """

    dataset: Dataset
    design: Design
    curves: pd.DataFrame
    predictions: pd.DataFrame


def compare(
    dataset: Dataset | str,
    starts: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    sizes: Sequence[int] | None = None,
    n_seeds: int = 5,
    n_epochs: int = 10,
    test_fraction: float = 0.25,
    n_jobs: int | None = None,
    folder: str | Path | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Train networks from several starts, and test them before and after each epoch.

    For each seed the rows are divided anew into test and training rows, classes in their
    proportions; smaller training sets are parts of the larger ones.

    Parameters
    ----------
    dataset : Dataset or str
        A str is a name that :func:`load_dataset` knows.
    starts : mapping of str to mappings, optional
        Parameters of :class:`~skmetricmlp.MetricInitMLPClassifier` or, for values, of
        :class:`~skmetricmlp.MetricInitMLPRegressor`, by the names that the starts shall
        have. By default "calculated" and "random".
    sizes : sequence of int, optional
        Numbers of training rows; by default all, a quarter and a sixteenth.
    n_seeds : int
        How often the rows are divided.
    n_epochs : int
    test_fraction : float
    n_jobs : int, optional
        Networks that are trained at the same time, as in scikit-learn: None is one, -1 is
        one for each processor. Times are comparable within a run, not between runs
        with other ``n_jobs``.
    folder : str or Path, optional
        Results are kept there, each as soon as it is found, and are not calculated
        again. Files that are damaged are noticed, and calculated again with a warning.
    progress : bool
        Whether to show a progress bar, with an estimate of the time left. Needs tqdm.

    Returns
    -------
    pandas.DataFrame
        A row per size, seed, start and epoch, with the columns ``size``, ``seed``,
        ``start``, ``epoch`` (0 is untrained), the score on the test rows (``accuracy``
        of classes, ``r2`` of values) and ``seconds`` spent so far on calculating the
        weights and training.

    Raises
    ------
    DataError
        If there are no such data, only one start, or a size is more than there are
        training rows or too few for the classes.
    OSError
        If a result cannot be written to ``folder``.

    Examples
    --------
    >>> curves = compare("iris", sizes=[30], n_seeds=2, n_epochs=3)
    >>> accuracy = curves.groupby(["start", "epoch"])["accuracy"].mean().unstack("start")
    >>> bool(accuracy.loc[0, "calculated"] > accuracy.loc[3, "random"])
    True
    """
    if isinstance(dataset, str):
        dataset = load_dataset(dataset)
    if starts is None:
        starts = {"calculated": {"init": "metric"}, "random": {"init": "random"}}
    reference = list(starts)[-1]
    design = Design.of(
        dataset,
        [Start(name, parameters, reference) for name, parameters in starts.items()],
        sizes=sizes,
        n_seeds=n_seeds,
        n_epochs=n_epochs,
        test_fraction=test_fraction,
    )
    study = run_study(dataset, design, n_jobs=n_jobs, folder=folder, progress=progress)
    return study.curves


def run_study(
    dataset: Dataset,
    design: Design,
    *,
    n_jobs: int | None = None,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Study:
    """Carry out a design; the parameters are those of :func:`compare`.

    Returns
    -------
    Study

    Raises
    ------
    DataError
        If a column has values that a metric is not defined for.
    OSError
        If a result cannot be written to ``folder``.
    """
    _check_domains(dataset, design)
    kept = None
    if folder is not None:
        kept = KeptRuns(Path(folder), dataset, dataset.fingerprint)
    calls = _calls(design)
    results = _already_there(calls, kept)
    left = [run for run in calls if run not in results]
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    caller = os.getpid()
    found = parallel(
        joblib.delayed(_carried_out)(run, dataset, calls[run], kept, caller)
        for run in left
    )
    with _bar(progress, calls, results) as update:
        for run, result in found:
            results[run] = result
            update(run)
    # Small sizes first, whatever the order was in which they were found.
    runs = sorted(calls, key=lambda run: (run.size, run.seed))
    return Study(
        dataset,
        design,
        curves=_stacked({run: results[run].curve for run in runs}),
        predictions=_stacked({run: results[run].predictions for run in runs}),
    )


def _check_domains(dataset: Dataset, design: Design) -> None:
    """Name the user's column, where an estimator would name one of those it is given."""
    metrics = [
        metric
        for start in design.starts
        if start.parameters.get("init", "metric") == "metric"
        and (metric := start.parameters.get("metric")) in LEAST
    ]
    if not metrics:
        return
    transformer = clone(dataset.transformer)
    X = np.asarray(transformer.fit_transform(dataset.X), dtype=float)
    names = feature_names(transformer) or [str(k) for k in range(X.shape[1])]
    lowest = X.min(axis=0)
    for metric in metrics:
        outside = lowest < 0 if LEAST[metric] == ">= 0" else lowest <= 0
        if not outside.any():
            continue
        k = int(outside.argmax())
        msg = (
            f"metric={metric!r} takes values {LEAST[metric]}, and the column "
            f"{names[k]!r} has {lowest[k]:.6g} as it is scaled: "
        )
        if LEAST[metric] == ">= 0":
            msg += "give --scale minmax, which takes numbers to [0, 1]"
        else:
            msg += "'kl' with --scale minmax is a metric that takes 0, too"
        raise DataError(msg)


class _Call(NamedTuple):
    """What a run depends on besides the data."""

    split: Split
    parameters: Mapping[str, Any]
    n_epochs: int


def _calls(design: Design) -> dict[Run, _Call]:
    return {
        run: _Call(
            Split(design.n_train, run.size, run.seed),
            dict(design.by_name[run.start].parameters),
            design.n_epochs,
        )
        for run in design.runs
    }


def _already_there(
    calls: Mapping[Run, _Call], kept: KeptRuns | None
) -> dict[Run, Result]:
    if kept is None:
        return {}
    files = {run: kept.read(*call) for run, call in calls.items()}
    if n_damaged := sum(file.is_damaged for file in files.values()):
        what = "1 kept run is" if n_damaged == 1 else f"{n_damaged} kept runs are"
        msg = f"{what} damaged, and calculated again: {kept.folder}"
        warn(msg, UserWarning, stacklevel=3)
    return {run: file.result for run, file in files.items() if file.result is not None}


def _carried_out(
    run: Run, dataset: Dataset, call: _Call, kept: KeptRuns | None, caller: int
) -> tuple[Run, Result]:
    if os.getpid() != caller:
        # Ctrl-C reaches the workers too, but it is the caller who ends them.
        signal(SIGINT, SIG_IGN)
    # Another command may have finished the run since this one began.
    if kept is not None and (found := kept.read(*call).result) is not None:
        return run, found
    result = train_and_score(dataset, *call)
    if kept is not None:
        kept.write(*call, result)
    return run, result


@contextmanager
def _bar(
    progress: bool, runs: Collection[Run], done: Collection[Run]
) -> Iterator[Callable[[Run], None]]:
    """Show training rows instead of runs, so that the time left is estimated well."""
    if not progress:
        yield lambda _: None
        return
    # Imported when a bar is shown: tqdm is optional.
    from tqdm import tqdm  # noqa: PLC0415

    total, initial = (sum(run.size for run in some) for some in (runs, done))
    numbers = count(len(done) + 1)

    def update(run: Run) -> None:
        bar.set_postfix_str(f"{next(numbers)} of {len(runs)} runs", refresh=False)
        bar.update(run.size)

    with tqdm(
        total=total, initial=initial, unit="row", unit_scale=True, smoothing=0
    ) as bar:
        bar.set_postfix_str(f"{len(done)} of {len(runs)} runs")
        yield update


def _stacked(frames: Mapping[Run, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, names=KEYS).droplevel(-1).reset_index()
