"""The results of finished runs on disk: one JSON file per run, checked on reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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

__all__ = ["CacheEntry", "RunCache"]

#: Version of the file format.
FORMAT = 3

Array = np.ndarray[Any, Any]
Content = Mapping[str, Any]


@dataclass(frozen=True)
class CacheEntry:
    """The cached result of a run, if there is one.

    Attributes
    ----------
    result : Result or None
        None if there is no file, or if it is damaged.
    is_damaged : bool
        Whether there is a file without a valid result of this run.
    """

    result: Result | None = None
    is_damaged: bool = False


@dataclass(frozen=True)
class RunCache:
    """A folder with the results of runs on one data set.

    The name of a file is a digest of everything that the result depends on: data,
    settings, and the version of the package. So results are never confused, and several
    processes may use one folder. The files are JSON, which cannot execute code.

    Attributes
    ----------
    folder : Path
    dataset : Dataset
    fingerprint : str
        Fingerprint of the data set.
    """

    folder: Path
    dataset: Dataset
    fingerprint: str

    def key(
        self,
        split: Split,
        parameters: Mapping[str, Any],
        n_epochs: int,
        scorings: Sequence[str],
    ) -> str:
        """Return a digest of everything that the result of a run depends on."""
        inputs = [FORMAT, __version__, self.fingerprint]
        inputs += [tuple(split), dict(parameters), n_epochs, list(scorings)]
        return sha256(joblib.hash(inputs).encode()).hexdigest()

    def path(self, key: str) -> Path:
        """Return the path of the file of a run."""
        return self.folder / f"{key[:32]}.json"

    def read(
        self,
        split: Split,
        parameters: Mapping[str, Any],
        n_epochs: int,
        scorings: Sequence[str],
    ) -> CacheEntry:
        """Read and check the result of a run."""
        key = self.key(split, parameters, n_epochs, scorings)
        try:
            content = json.loads(self.path(key).read_bytes())
        except FileNotFoundError:
            return CacheEntry()
        except (OSError, ValueError, RecursionError):
            return CacheEntry(is_damaged=True)
        try:
            _check(content, key)
            encoded = content["result"]
            result = _decode(encoded, self.dataset, split, n_epochs, scorings)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            return CacheEntry(is_damaged=True)
        return CacheEntry(result)

    def write(
        self,
        split: Split,
        parameters: Mapping[str, Any],
        n_epochs: int,
        scorings: Sequence[str],
        result: Result,
    ) -> None:
        """Write the file of a run, and replace a damaged one.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        key = self.key(split, parameters, n_epochs, scorings)
        encoded = _encode(result, self.dataset, scorings)
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
        raise ValueError("the file is not that of this run")


def _digest(encoded: Any) -> str:
    return sha256(json.dumps(encoded, sort_keys=True).encode()).hexdigest()


def _encode(result: Result, dataset: Dataset, scorings: Sequence[str]) -> dict[str, Any]:
    """Return the result as lists of numbers. Classes are encoded as integers."""
    curve, pairs = result
    true, predicted = pairs["true"], pairs["predicted"]
    if dataset.task == CLASSES:
        classes = pd.Index(dataset.y.unique())
        true, predicted = (classes.get_indexer(labels) for labels in (true, predicted))
    return {
        "scores": {name: curve[name].tolist() for name in scorings},
        "seconds": curve["seconds"].tolist(),
        "epoch": pairs["epoch"].tolist(),
        "true": true.tolist(),
        "predicted": predicted.tolist(),
        "count": pairs["count"].tolist(),
    }


def _decode(
    encoded: Content,
    dataset: Dataset,
    split: Split,
    n_epochs: int,
    scorings: Sequence[str],
) -> Result:
    """Return the result, or raise an error if it is not a result of such a run."""
    seconds = _floats(encoded["seconds"])
    scores = {name: _floats(encoded["scores"][name]) for name in scorings}
    epoch, count = (_integers(encoded[name]) for name in ("epoch", "count"))
    n_test = len(dataset.y) - split.n_train
    if not (
        all(len(values) == n_epochs + 1 for values in (seconds, *scores.values()))
        and (np.diff(seconds, prepend=0.0) >= 0).all()
        and set(epoch.tolist()) == {0, n_epochs}
        and (count >= 1).all()
        and all(count[epoch == end].sum() == n_test for end in (0, n_epochs))
    ):
        raise ValueError("not a result of such a run")
    if dataset.task == CLASSES:
        classes = np.asarray(dataset.y.unique())
        true, predicted = (
            classes[_codes(encoded[name], len(classes))] for name in ("true", "predicted")
        )
    else:
        true = _floats(encoded["true"]).astype(dataset.y.to_numpy().dtype)
        predicted = _floats(encoded["predicted"])
    points = {"epoch": range(n_epochs + 1), **scores}
    pairs = {"epoch": epoch, "true": true, "predicted": predicted, "count": count}
    return Result(pd.DataFrame({**points, "seconds": seconds}), pd.DataFrame(pairs))


def _floats(values: Any) -> Array:
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError("not finite numbers")
    return numbers


def _integers(values: Any) -> Array:
    numbers = np.asarray(values)
    if numbers.ndim != 1 or numbers.dtype != int:
        raise ValueError("not integers")
    return numbers


def _codes(values: Any, n_classes: int) -> Array:
    codes = _integers(values)
    if not ((codes >= 0) & (codes < n_classes)).all():
        raise ValueError("not codes of classes")
    return codes
