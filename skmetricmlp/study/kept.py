"""Finished runs that are kept: one JSON file each, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from skmetricmlp import __version__
from skmetricmlp.study.data import Dataset
from skmetricmlp.study.files import write_files
from skmetricmlp.study.runs import Result, Split
from skmetricmlp.study.tasks import CLASSES

__all__ = ["Kept", "KeptRuns"]

#: Another one when the files are written in another way.
FORMAT = 1

Array = np.ndarray[Any, Any]
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """What is there of a run: a result, a file that is no good, or nothing.

    Attributes
    ----------
    result : Result or None
    is_damaged : bool
        Whether there is a file that does not hold the result of this run.
    """

    result: Result | None = None
    is_damaged: bool = False


@dataclass(frozen=True)
class KeptRuns:
    """Results of runs on a data set, in a folder.

    The name of a file is a digest of everything that its result depends on, so that
    results of other data, settings or versions are never found under it, and several
    processes may use one folder. Files are JSON: reading one runs no code.

    Attributes
    ----------
    folder : Path
    dataset : Dataset
    fingerprint : str
        Of the data set.
    """

    folder: Path
    dataset: Dataset
    fingerprint: str

    def key(self, split: Split, parameters: Mapping[str, Any], n_epochs: int) -> str:
        """Return a digest of what the result of a run depends on."""
        about = [FORMAT, __version__, self.fingerprint]
        about += [tuple(split), dict(parameters), n_epochs]
        return sha256(joblib.hash(about).encode()).hexdigest()

    def path(self, key: str) -> Path:
        """Return the file of a run."""
        return self.folder / f"{key[:32]}.json"

    def read(self, split: Split, parameters: Mapping[str, Any], n_epochs: int) -> Kept:
        """Look for the result of a run, and check that it is whole and of this run."""
        key = self.key(split, parameters, n_epochs)
        try:
            content = json.loads(self.path(key).read_bytes())
        except FileNotFoundError:
            return Kept()
        except (OSError, ValueError, RecursionError):
            return Kept(is_damaged=True)
        try:
            _check(content, key)
            found = _decode(content["result"], self.dataset, split, n_epochs)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            return Kept(is_damaged=True)
        return Kept(found)

    def write(
        self,
        split: Split,
        parameters: Mapping[str, Any],
        n_epochs: int,
        result: Result,
    ) -> None:
        """Keep a result, in the place of a damaged one.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        key = self.key(split, parameters, n_epochs)
        encoded = _encode(result, self.dataset)
        content = {
            "format": FORMAT,
            "version": __version__,
            "key": key,
            "data": self.dataset.name,
            "split": split._asdict(),
            "parameters": {name: repr(value) for name, value in parameters.items()},
            "n_epochs": n_epochs,
            "sha256": _digest(encoded),
            "result": encoded,
        }
        text = json.dumps(content, indent=1)
        write_files(self.folder, {self.path(key).name: text.encode()})


def _check(content: Any, key: str) -> None:
    if not (
        isinstance(content, dict)
        and content["format"] == FORMAT
        and content["version"] == __version__
        and content["key"] == key
        and content["sha256"] == _digest(content["result"])
    ):
        raise ValueError("not the file of this run")


def _digest(encoded: Any) -> str:
    return sha256(json.dumps(encoded, sort_keys=True).encode()).hexdigest()


def _encode(result: Result, dataset: Dataset) -> dict[str, Any]:
    """Take classes by their numbers in the data, which JSON holds whatever they are."""
    curve, pairs = result
    score = dataset.task.score
    true, predicted = pairs["true"], pairs["predicted"]
    if dataset.task == CLASSES:
        classes = pd.Index(dataset.y.unique())
        true, predicted = (classes.get_indexer(labels) for labels in (true, predicted))
    return {
        "scores": curve[score].tolist(),
        "seconds": curve["seconds"].tolist(),
        "epoch": pairs["epoch"].tolist(),
        "true": true.tolist(),
        "predicted": predicted.tolist(),
        "count": pairs["count"].tolist(),
    }


def _decode(encoded: Content, dataset: Dataset, split: Split, n_epochs: int) -> Result:
    """Return the result, or raise an error of some kind where it is no such result."""
    scores, seconds = (_numbers(encoded[name]) for name in ("scores", "seconds"))
    epoch, count = (_wholes(encoded[name]) for name in ("epoch", "count"))
    n_test = len(dataset.y) - split.n_train
    if not (
        len(scores) == len(seconds) == n_epochs + 1
        and (np.diff(seconds, prepend=0.0) >= 0).all()
        and (scores <= 1).all()
        and set(epoch.tolist()) == {0, n_epochs}
        and (count >= 1).all()
        and all(count[epoch == end].sum() == n_test for end in (0, n_epochs))
    ):
        raise ValueError("no result of such a run")
    if dataset.task == CLASSES:
        classes = np.asarray(dataset.y.unique())
        true, predicted = (
            classes[_codes(encoded[name], len(classes))] for name in ("true", "predicted")
        )
    else:
        true = _numbers(encoded["true"]).astype(dataset.y.to_numpy().dtype)
        predicted = _numbers(encoded["predicted"])
    points = {"epoch": range(n_epochs + 1), dataset.task.score: scores}
    pairs = {"epoch": epoch, "true": true, "predicted": predicted, "count": count}
    return Result(pd.DataFrame({**points, "seconds": seconds}), pd.DataFrame(pairs))


def _numbers(values: Any) -> Array:
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError("not finite numbers")
    return numbers


def _wholes(values: Any) -> Array:
    numbers = np.asarray(values)
    if numbers.ndim != 1 or numbers.dtype != int:
        raise ValueError("not whole numbers")
    return numbers


def _codes(values: Any, n_classes: int) -> Array:
    codes = _wholes(values)
    if not ((codes >= 0) & (codes < n_classes)).all():
        raise ValueError("not numbers of classes")
    return codes
