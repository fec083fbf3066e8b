"""What is compared: starts, sizes of the training set, seeds and a budget of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np

from skmetricmlp.study.data import Dataset
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.tasks import CLASSES

__all__ = ["Design", "Run", "Start", "default_sizes", "starts_of"]

#: Parameters that say which exemplars there are, which is nothing to other weights.
OF_EXEMPLARS = frozenset({"exemplars", "metric", "metric_params", "sharpness"})

#: What the values of ``init`` are called.
WORDS = {"metric": "calculated"}


@dataclass(frozen=True)
class Start:
    """A network before training.

    Attributes
    ----------
    name : str
    parameters : mapping
        Of the estimator.
    reference : str
        Name of the start that it is compared with; its own where it is the reference.
    """

    name: str
    parameters: Mapping[str, Any]
    reference: str

    @property
    def is_reference(self) -> bool:
        """Whether others are compared with it."""
        return self.name == self.reference


class Run(NamedTuple):
    """One network to train."""

    size: int
    seed: int
    start: str


@dataclass(frozen=True)
class Design:
    """A comparison that can be carried out.

    Attributes
    ----------
    starts : tuple of Start
    sizes : tuple of int
        Numbers of training rows.
    n_seeds : int
        How often the rows are divided anew into test and training rows.
    n_epochs : int
        Each network is trained as long.
    n_train, n_test : int
        Training rows at most, and test rows.
    target_score : float, optional
        By default, for each size, where the reference ends.
    """

    starts: tuple[Start, ...]
    sizes: tuple[int, ...]
    n_seeds: int
    n_epochs: int
    n_train: int
    n_test: int
    target_score: float | None = None

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        starts: Sequence[Start],
        *,
        sizes: Sequence[int] | None = None,
        n_seeds: int = 5,
        n_epochs: int = 10,
        test_fraction: float = 0.25,
        target_score: float | None = None,
    ) -> Self:
        """Check that the data set allows the sizes, and complete what it knows.

        That is the sizes by default, and for ``metric="chamfer"`` the shape of images.

        Raises
        ------
        DataError
            If there is only one start, a size is more than there are training rows or
            too few for the classes, or a number is out of its range.
        """
        if len(starts) < 2:
            names = ", ".join(start.name for start in starts) or "none"
            msg = f"starts must be at least two, to be compared, got {names}"
            raise DataError(msg)
        _check_range("n_seeds", n_seeds, n_seeds >= 1, "at least 1")
        _check_range("n_epochs", n_epochs, n_epochs >= 1, "at least 1")
        _check_range(
            "test_fraction", test_fraction, 0 < test_fraction < 1, "between 0 and 1"
        )
        _check_range(
            "target_score",
            target_score,
            target_score is None or -np.inf < target_score <= 1,
            "at most 1",
        )
        n_test = max(1, round(test_fraction * len(dataset.y)))
        n_train = len(dataset.y) - n_test
        n_classes = dataset.y.nunique() if dataset.task == CLASSES else 1
        sizes = default_sizes(n_train, n_classes) if sizes is None else sorted(set(sizes))
        for size in sizes:
            least = max(2, n_classes)
            if not least <= size <= n_train:
                msg = (
                    f"size {size} is not possible: at least {least} training rows are "
                    f"needed for {dataset.name}, and there are {n_train}"
                )
                raise DataError(msg)
        return cls(
            starts=tuple(_with_image_shape(start, dataset) for start in starts),
            sizes=tuple(sizes),
            n_seeds=n_seeds,
            n_epochs=n_epochs,
            n_train=n_train,
            n_test=n_test,
            target_score=target_score,
        )

    @property
    def runs(self) -> list[Run]:
        """All networks, the most expensive first, starts of a split side by side."""
        names = [start.name for start in self.starts]
        large_first = sorted(self.sizes, reverse=True)
        return [Run(*run) for run in product(large_first, range(self.n_seeds), names)]

    @property
    def by_name(self) -> dict[str, Start]:
        """Starts by their names."""
        return {start.name: start for start in self.starts}

    @property
    def compared(self) -> list[Start]:
        """Starts that have a reference."""
        return [start for start in self.starts if not start.is_reference]


def starts_of(grid: Mapping[str, Sequence[Any]]) -> tuple[Start, ...]:
    """Combine values of parameters to starts.

    A start is compared with the one of the same parameters that has the last of the
    values of ``init``; where there is one value only, with the first start. Parameters
    of exemplars are left out where weights are not calculated from exemplars.

    Parameters
    ----------
    grid : mapping of str to sequences
        Parameters of the estimator; ``init`` is ("metric", "random") if it is not there.

    Returns
    -------
    tuple of Start
        Named by the parameters that have several values.

    Examples
    --------
    >>> for start in starts_of({"metric": ["sqeuclidean", "kl"], "n_exemplars": [30]}):
    ...     print(f"{start.name!r} is compared with {start.reference!r}")
    'calculated, metric=sqeuclidean' is compared with 'random'
    'calculated, metric=kl' is compared with 'random'
    'random' is compared with 'random'
    """
    grid = {"init": ("metric", "random"), **grid}
    varied = [name for name, values in grid.items() if len(values) > 1]
    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    names = {_name(point, varied): _relevant(point) for point in points}
    references = {
        _name(point, varied): _name({**point, "init": grid["init"][-1]}, varied)
        for point in points
    }
    if len(grid["init"]) == 1:
        references = dict.fromkeys(names, next(iter(names)))
    return tuple(Start(name, names[name], references[name]) for name in names)


def default_sizes(n_train: int, n_classes: int) -> list[int]:
    """All rows, a quarter and a sixteenth, as far as each class gets a few.

    Examples
    --------
    >>> default_sizes(1348, n_classes=10)
    [84, 337, 1348]
    """
    sizes = [n_train // 16, n_train // 4, n_train]
    return [size for size in sizes if size >= max(20, 5 * n_classes)] or [n_train]


def _with_image_shape(start: Start, dataset: Dataset) -> Start:
    wanted = start.parameters.get("metric") == "chamfer"
    if not wanted or dataset.image_shape is None or "metric_params" in start.parameters:
        return start
    known = {"metric_params": {"image_shape": dataset.image_shape}}
    return replace(start, parameters={**start.parameters, **known})


def _relevant(point: Mapping[str, Any]) -> dict[str, Any]:
    from_exemplars = point["init"] == "metric"
    return {
        name: value
        for name, value in point.items()
        if from_exemplars or name not in OF_EXEMPLARS
    }


def _name(point: Mapping[str, Any], varied: Sequence[str]) -> str:
    parts = [WORDS.get(point["init"], str(point["init"]))]
    parts += [
        f"{name}={value}"
        for name, value in _relevant(point).items()
        if name in varied and name != "init"
    ]
    return ", ".join(parts)


def _check_range(name: str, value: float | None, accepted: bool, range_: str) -> None:
    if not accepted:
        msg = f"{name} must be {range_}, got {value}"
        raise DataError(msg)
