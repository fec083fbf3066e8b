"""Running a comparison: in parallel, with a progress bar, and from cached results."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import Any, NamedTuple
from warnings import warn

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone

from skmetricmlp.study.cache import RunCache
from skmetricmlp.study.data import Dataset, load_dataset
from skmetricmlp.study.design import FITTED, Design, Run, Start
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.progress import progress_bar
from skmetricmlp.study.runs import Result, Split, feature_names, train_and_score
from skmetricmlp.study.scores import Score, find_score, scorings_of

__all__ = ["KEYS", "Study", "compare", "run_study"]

#: Domains of the metrics that are not defined for all numbers.
DOMAINS = {"kl": ">= 0", "itakura_saito": "> 0"}

KEYS = ["size", "seed", "start"]


@dataclass(frozen=True)
class Study:
    """A comparison and its results.

    Attributes
    ----------
    dataset : Dataset
    design : Design
    curves : pandas.DataFrame
        One row per size, seed, start and epoch, with the columns ``size``, ``seed``,
        ``start``, ``epoch``, scores on the test rows, and ``seconds``. The scores have
        the names and values of scikit-learn's scorers: ``accuracy``,
        ``balanced_accuracy``, ``average_precision`` and ``neg_log_loss`` for classes, or
        ``r2``, ``neg_root_mean_squared_error`` and ``neg_mean_absolute_error`` for
        values, and that of the design. Epoch 0 is the untrained network. The seconds are
        those spent so far on calculating the weights and on training.
    predictions : pandas.DataFrame
        The ``count`` of test rows for each pair of ``true`` and ``predicted``, before
        training and after the last epoch of each run.
    models : pandas.DataFrame, optional
        This network and other models on the same splits; see
        :func:`~skmetricmlp.study.rivals.compare_models`.
    model_predictions : pandas.DataFrame, optional
        For classes, the ``count`` of test rows for each pair of ``true`` and
        ``predicted`` of each ``model``, over all splits.
    """

    dataset: Dataset
    design: Design
    curves: pd.DataFrame
    predictions: pd.DataFrame
    models: pd.DataFrame | None = None
    model_predictions: pd.DataFrame | None = None

    @property
    def score(self) -> Score:
        """The score by which starts and models are compared."""
        dataset = self.dataset
        scoring = self.design.scoring or dataset.task.scoring
        return find_score(scoring, dataset.task, dataset.y)


def compare(
    dataset: Dataset | str,
    starts: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    sizes: Sequence[int] | None = None,
    n_seeds: int = 5,
    n_epochs: int = 10,
    test_fraction: float = 0.25,
    scoring: str | None = None,
    n_jobs: int | None = None,
    folder: str | Path | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Train networks from several starts, and test them before and after each epoch.

    For each seed the rows are split into training and test data, stratified by class.
    Smaller training sets are subsets of the larger ones.

    Parameters
    ----------
    dataset : Dataset or str
        A data set, or a name for :func:`load_dataset`.
    starts : mapping of str to mappings, optional
        Parameters of :class:`~skmetricmlp.MetricInitMLPClassifier`, or for values of
        :class:`~skmetricmlp.MetricInitMLPRegressor`, by the name of the start. By default
        there are three: "calculated", "random", and "random, fitted", which are random
        units with the closed-form output of calculated ones. All are compared with the
        last one.
    sizes : sequence of int, optional
        Numbers of training rows. By default all rows, a quarter and a sixteenth.
    n_seeds : int
        Number of random splits.
    n_epochs : int
        Number of epochs of each training.
    test_fraction : float
        Share of the rows in the test data.
    scoring : str, optional
        Name of a scorer of scikit-learn, whose values become a column of the curves if
        they are not one already.
    n_jobs : int, optional
        Number of networks that are trained in parallel, as in scikit-learn: None is one,
        -1 is one per processor. Times can be compared within a study, but not between
        studies with different ``n_jobs``.
    folder : str or Path, optional
        Folder for the results of finished runs, which are not repeated later. A damaged
        file causes a warning, and its run is repeated.
    progress : bool
        Whether to show a progress bar with the estimated time left. It needs tqdm.

    Returns
    -------
    pandas.DataFrame
        One row per size, seed, start and epoch, with the columns of
        :attr:`Study.curves`.

    Raises
    ------
    DataError
        If the data do not exist, there is only one start, or a size exceeds the number of
        training rows or is too small for the number of classes, or there is no such
        scorer for the targets.
    ValueError
        If a parameter of a start is invalid, or needs ``fit`` for several epochs.
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
        starts = {
            "calculated": {"init": "metric"},
            "random": {"init": "random"},
            "random, fitted": FITTED,
        }
    reference = list(starts)[-1]
    design = Design.from_dataset(
        dataset,
        [Start(name, parameters, reference) for name, parameters in starts.items()],
        sizes=sizes,
        n_seeds=n_seeds,
        n_epochs=n_epochs,
        test_fraction=test_fraction,
        scoring=scoring,
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
    """Run all trainings of a design.

    Parameters
    ----------
    dataset : Dataset
    design : Design
    n_jobs, folder, progress : various
        Parameters of :func:`compare`.

    Returns
    -------
    Study

    Raises
    ------
    DataError
        If a column has values outside the domain of a metric.
    ValueError
        If a parameter of a start is invalid.
    OSError
        If a result cannot be written to ``folder``.
    """
    _check_domains(dataset, design)
    cache = None
    if folder is not None:
        cache = RunCache(Path(folder), dataset, dataset.fingerprint)
    settings = _run_settings(design, scorings_of(dataset.task, design.scoring))
    results = _cached_results(settings, cache)
    remaining = [run for run in settings if run not in results]
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    main_process = os.getpid()
    finished = parallel(
        joblib.delayed(_carry_out)(run, dataset, settings[run], cache, main_process)
        for run in remaining
    )
    # Training rows give a better estimate of the time left than runs.
    amounts, done = ([run.size for run in part] for part in (settings, results))
    with progress_bar(
        progress, "run", "row", amounts, done=done, n_jobs=n_jobs
    ) as update:
        for run, result in finished:
            results[run] = result
            update(run.size)
    # The rows are sorted by size, in whatever order the runs were finished.
    runs = sorted(settings, key=lambda run: (run.size, run.seed))
    return Study(
        dataset,
        design,
        curves=_concatenate({run: results[run].curve for run in runs}),
        predictions=_concatenate({run: results[run].predictions for run in runs}),
    )


def _check_domains(dataset: Dataset, design: Design) -> None:
    """Check the columns here, as errors of an estimator have no names of columns."""
    metrics = [
        metric
        for start in design.starts
        if start.is_calculated and (metric := start.parameters.get("metric")) in DOMAINS
    ]
    if not metrics:
        return
    transformer = clone(dataset.transformer)
    X = np.asarray(transformer.fit_transform(dataset.X), dtype=float)
    names = feature_names(transformer) or [str(k) for k in range(X.shape[1])]
    lowest = X.min(axis=0)
    for metric in metrics:
        outside = lowest < 0 if DOMAINS[metric] == ">= 0" else lowest <= 0
        if not outside.any():
            continue
        k = int(outside.argmax())
        msg = (
            f"metric={metric!r} needs values {DOMAINS[metric]}, and the column "
            f"{names[k]!r} has {lowest[k]:.6g} after scaling: "
        )
        if DOMAINS[metric] == ">= 0":
            msg += "use --scale minmax, which scales numbers to [0, 1]"
        else:
            msg += "use metric='kl', which accepts 0, with --scale minmax"
        raise DataError(msg)


class _RunSettings(NamedTuple):
    """The inputs of a run besides the data."""

    split: Split
    parameters: Mapping[str, Any]
    n_epochs: int
    scorings: tuple[str, ...]


def _run_settings(design: Design, scorings: tuple[str, ...]) -> dict[Run, _RunSettings]:
    return {
        run: _RunSettings(
            Split(design.n_train, run.size, run.seed),
            dict(design.by_name[run.start].parameters),
            design.n_epochs,
            scorings,
        )
        for run in design.runs
    }


def _cached_results(
    settings: Mapping[Run, _RunSettings], cache: RunCache | None
) -> dict[Run, Result]:
    if cache is None:
        return {}
    entries = {run: cache.read(*inputs) for run, inputs in settings.items()}
    if n_damaged := sum(entry.is_damaged for entry in entries.values()):
        files = "1 file is" if n_damaged == 1 else f"{n_damaged} files are"
        repeated = "its run is" if n_damaged == 1 else "their runs are"
        msg = f"{files} damaged in {cache.folder}, and {repeated} repeated"
        warn(msg, UserWarning, stacklevel=3)
    return {
        run: entry.result for run, entry in entries.items() if entry.result is not None
    }


def _carry_out(
    run: Run,
    dataset: Dataset,
    inputs: _RunSettings,
    cache: RunCache | None,
    main_process: int,
) -> tuple[Run, Result]:
    if os.getpid() != main_process:
        # Ctrl-C interrupts all processes. The main process ends the workers.
        signal(SIGINT, SIG_IGN)
    # Another command may have finished the run in the meantime.
    if cache is not None and (cached := cache.read(*inputs).result) is not None:
        return run, cached
    result = train_and_score(dataset, *inputs)
    if cache is not None:
        cache.write(*inputs, result)
    return run, result


def _concatenate(frames: Mapping[Run, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, names=KEYS).droplevel(-1).reset_index()
