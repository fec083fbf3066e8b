"""The design of a comparison: starts, sizes of the training data, seeds and epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np

from skmetricmlp.study.data import Dataset
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.runs import Split, split_rows
from skmetricmlp.study.scores import check_scoring, find_score
from skmetricmlp.study.tasks import CLASSES

__all__ = ["FITTED", "Design", "Run", "Start", "default_sizes", "starts_from_grid"]

#: Parameters that only weights calculated from exemplars use.
EXEMPLAR_PARAMETERS = frozenset({"exemplars", "metric", "metric_params", "sharpness"})

#: Values of ``init`` in a comparison by default. The last is the reference: random units
#: with the same closed-form output, which are the strongest simple rival.
INITS = ("metric", "random", "fitted")
#: Names of values of ``init``.
INIT_NAMES = {"metric": "calculated", "fitted": "random, fitted"}
#: What "fitted" stands for.
FITTED = {"init": "random", "output_init": "ridge"}


@dataclass(frozen=True)
class Start:
    """A network before training.

    Attributes
    ----------
    name : str
    parameters : mapping
        Parameters of the estimator.
    reference : str
        Name of the start that this one is compared with. A reference has its own name.
    """

    name: str
    parameters: Mapping[str, Any]
    reference: str

    @property
    def is_reference(self) -> bool:
        """Whether other starts are compared with this one."""
        return self.name == self.reference

    @property
    def is_calculated(self) -> bool:
        """Whether the weights are calculated from exemplars."""
        return bool(self.parameters.get("init", "metric") == "metric")


class Run(NamedTuple):
    """One training of a network."""

    size: int
    seed: int
    start: str


@dataclass(frozen=True)
class Design:
    """The design of a comparison.

    Attributes
    ----------
    starts : tuple of Start
    sizes : tuple of int
        Numbers of training rows.
    n_seeds : int
        Number of random splits into training and test data.
    n_epochs : int
        Number of epochs of each training.
    n_train, n_test : int
        Largest number of training rows, and number of test rows.
    target_score : float, optional
        Score to reach, as it is printed but not in percent. By default, for each size
        and split, that of the calculated network before training.
    scoring : str, optional
        Name of a scorer of scikit-learn. By default "accuracy" for classes, and "r2" for
        values.
    """

    starts: tuple[Start, ...]
    sizes: tuple[int, ...]
    n_seeds: int
    n_epochs: int
    n_train: int
    n_test: int
    target_score: float | None = None
    scoring: str | None = None

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        starts: Sequence[Start],
        *,
        sizes: Sequence[int] | None = None,
        n_seeds: int = 5,
        n_epochs: int = 10,
        test_fraction: float = 0.25,
        target_score: float | None = None,
        scoring: str | None = None,
    ) -> Self:
        """Check the design of a comparison on a data set, and fill in defaults.

        Parameters
        ----------
        dataset : Dataset
        starts : sequence of Start
            Starts with ``metric="chamfer"`` get the ``image_shape`` of the data set.
        sizes : sequence of int, optional
            By default :func:`default_sizes`.
        n_seeds, n_epochs : int
        test_fraction : float
            Share of the rows in the test data.
        target_score : float, optional
        scoring : str, optional
            Name of a scorer of scikit-learn, for
            :func:`~sklearn.metrics.get_scorer`.

        Returns
        -------
        Design

        Raises
        ------
        DataError
            If there is only one start, a size exceeds the number of training rows or is
            too small for the number of classes, a number is out of range, or there is no
            such scorer for the targets.
        """
        if len(starts) < 2:
            names = ", ".join(start.name for start in starts) or "none"
            msg = f"a comparison needs at least two starts, got {names}"
            raise DataError(msg)
        _check_range("n_seeds", n_seeds, n_seeds >= 1, "at least 1")
        _check_range("n_epochs", n_epochs, n_epochs >= 1, "at least 1")
        _check_range(
            "test_fraction", test_fraction, 0 < test_fraction < 1, "between 0 and 1"
        )
        _check_target(target_score, scoring, dataset)
        n_test = max(1, round(test_fraction * len(dataset.y)))
        n_train = len(dataset.y) - n_test
        n_classes = dataset.y.nunique() if dataset.task == CLASSES else 1
        sizes = default_sizes(n_train, n_classes) if sizes is None else sorted(set(sizes))
        for size in sizes:
            least = max(2, n_classes)
            if not least <= size <= n_train:
                msg = (
                    f"size {size} is not possible: {dataset.name} needs at least "
                    f"{least} training rows and has {n_train}"
                )
                raise DataError(msg)
        if scoring is not None:
            for seed in range(n_seeds):
                _, test = split_rows(dataset, Split(n_train, 0, seed))
                check_scoring(scoring, dataset.task, dataset.y, test)
        return cls(
            starts=tuple(_with_image_shape(start, dataset) for start in starts),
            sizes=tuple(sizes),
            n_seeds=n_seeds,
            n_epochs=n_epochs,
            n_train=n_train,
            n_test=n_test,
            target_score=target_score,
            scoring=scoring,
        )

    @property
    def runs(self) -> list[Run]:
        """All runs: large sizes first, and the starts of a split one after the other."""
        names = [start.name for start in self.starts]
        large_first = sorted(self.sizes, reverse=True)
        return [Run(*run) for run in product(large_first, range(self.n_seeds), names)]

    @property
    def by_name(self) -> dict[str, Start]:
        """The starts by their names."""
        return {start.name: start for start in self.starts}

    @property
    def compared(self) -> list[Start]:
        """The starts that are compared with another one."""
        return [start for start in self.starts if not start.is_reference]

    @property
    def origins(self) -> dict[str, str]:
        """The start whose score before training each start is to reach.

        A calculated start is its own. That of another one is the first calculated start
        that has most of its parameters.
        """
        calculated = [s for s in self.starts if s.is_calculated] or [self.starts[0]]
        return {
            start.name: (
                start
                if start in calculated
                else max(calculated, key=lambda other: _n_common(start, other))
            ).name
            for start in self.starts
        }


def starts_from_grid(grid: Mapping[str, Sequence[Any]]) -> tuple[Start, ...]:
    """Make a start for each combination of parameters.

    The reference of a start has the same parameters and the last value of ``init``. With
    one value of ``init`` the first start is the reference of all. Parameters that only
    weights calculated from exemplars use are omitted for other weights.

    Parameters
    ----------
    grid : mapping of str to sequences
        Values of the parameters of the estimator. ``init`` may also be "fitted", for
        random units with the closed-form output of calculated ones; there is none with
        an integer ``n_neighbors``. By default ``init`` has the values "metric", "random"
        and "fitted".

    Returns
    -------
    tuple of Start
        The names have the parameters with several values.

    Examples
    --------
    >>> grid = {"metric": ["sqeuclidean", "kl"], "n_exemplars": [30]}
    >>> for start in starts_from_grid(grid):
    ...     print(f"{start.name!r} is compared with {start.reference!r}")
    'calculated, metric=sqeuclidean' is compared with 'random, fitted'
    'calculated, metric=kl' is compared with 'random, fitted'
    'random' is compared with 'random, fitted'
    'random, fitted' is compared with 'random, fitted'
    """
    grid = {"init": INITS, **grid}
    varied = [name for name, values in grid.items() if len(values) > 1]
    combinations = [
        point
        for values in product(*grid.values())
        if _exists(point := dict(zip(grid, values, strict=True)))
    ]
    parameters = {_name(point, varied): _relevant(point) for point in combinations}
    references = {
        _name(point, varied): _name(_reference(point, grid["init"]), varied)
        for point in combinations
    }
    if len(grid["init"]) == 1:
        references = dict.fromkeys(parameters, next(iter(parameters)))
    return tuple(Start(name, parameters[name], references[name]) for name in parameters)


def default_sizes(n_train: int, n_classes: int) -> list[int]:
    """Return a sixteenth, a quarter and all of the rows, omitting sizes below a minimum.

    Examples
    --------
    >>> default_sizes(1348, n_classes=10)
    [84, 337, 1348]
    """
    sizes = [n_train // 16, n_train // 4, n_train]
    return [size for size in sizes if size >= max(20, 5 * n_classes)] or [n_train]


def _with_image_shape(start: Start, dataset: Dataset) -> Start:
    needs_shape = start.parameters.get("metric") == "chamfer"
    has_params = "metric_params" in start.parameters
    if not needs_shape or has_params or dataset.image_shape is None:
        return start
    metric_params = {"image_shape": dataset.image_shape}
    return replace(start, parameters={**start.parameters, "metric_params": metric_params})


def _exists(point: Mapping[str, Any]) -> bool:
    return point["init"] != "fitted" or point.get("n_neighbors") is None


def _reference(point: Mapping[str, Any], inits: Sequence[Any]) -> dict[str, Any]:
    """Return the same parameters with the last ``init`` that exists with them."""
    others = [{**point, "init": init} for init in inits]
    return [other for other in others if _exists(other)][-1]


def _relevant(point: Mapping[str, Any]) -> dict[str, Any]:
    from_exemplars = point["init"] == "metric"
    relevant = {
        name: value
        for name, value in point.items()
        if from_exemplars or name not in EXEMPLAR_PARAMETERS
    }
    return {**relevant, **FITTED} if point["init"] == "fitted" else relevant


def _name(point: Mapping[str, Any], varied: Sequence[str]) -> str:
    parts = [INIT_NAMES.get(point["init"], str(point["init"]))]
    parts += [
        f"{name}={value}"
        for name, value in _relevant(point).items()
        if name in varied and name != "init"
    ]
    return ", ".join(parts)


def _n_common(start: Start, other: Start) -> int:
    """Count the parameters with equal values in two starts."""
    items = start.parameters.items()
    return sum(
        name in other.parameters and repr(other.parameters[name]) == repr(value)
        for name, value in items
    )


def _check_target(target: float | None, scoring: str | None, dataset: Dataset) -> None:
    if target is None:
        return
    task = dataset.task
    score = find_score(scoring or task.scoring, task, dataset.y)
    if score.sign < 0:
        _check_range("target_score", target, 0 <= target < np.inf, "at least 0")
    else:
        is_ratio = score.scoring == "positive_likelihood_ratio"
        is_accepted = -np.inf < target <= (np.inf if is_ratio else 1)
        _check_range("target_score", target, is_accepted, "at most 1")


def _check_range(name: str, value: float | None, is_accepted: bool, range_: str) -> None:
    if not is_accepted:
        msg = f"{name} must be {range_}, got {value}"
        raise DataError(msg)
