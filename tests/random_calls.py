"""Random calls of the estimators, and what is a fault among their outcomes.

A scene is an estimator with random parameters and a sequence of calls with random data;
its number decides all of it. A call may return a result, whose predictions are finite, or
raise an error that names a parameter, an argument or a column. ``python
tests/random_calls.py --calls 20000`` plays many scenes and prints a shorter scene for
each kind of fault; ``--scene NUMBER`` plays one, with its traceback.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import re
import sys
import tempfile
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from random_scenes import ACTIONS, Call, Scene, draw_scene
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning

__all__ = ["Fault", "play"]


class Fault(NamedTuple):
    """What went wrong in which call; faults of one ``kind`` have one cause, likely."""

    kind: str
    call: Call
    details: str


# --- what is a fault ---

ARGUMENTS = (
    *("X", "y", "sample_weight", "X_val", "y_val", "sample_weight_val", "classes"),
    *("n_nearest", "by", "output", "column", "features", "feature names"),
)
ALLOWED_ERRORS = (
    *("ValueError", "TypeError", "MemoryError", "AttributeError", "NotFittedError"),
)
# Of scikit-learn, about X or y, or about a fit that failed.
KNOWN_ERRORS = (
    "Found array with 0 sample",
    "Expected 2D array",
    "is not fitted yet",
    "Unknown label type",
    "has no attribute 'partial_fit'",
    "Sparse data was passed for X",
)
OF_SCORE = (UndefinedMetricWarning,)


def play(scene: Scene) -> tuple[Counter[str], list[Fault]]:
    """Make the calls of a scene, and return how they ended and what went wrong.

    Calls of an estimator that is not fitted, after the first, are not worth making.
    """
    outcomes, faults = Counter[str](), list[Fault]()
    estimator = scene.estimator(**deepcopy(scene.parameters))
    for call in scene.calls:
        outcome, found, estimator = _made(estimator, call)
        outcomes[outcome] += 1
        faults += found
        if outcome == "NotFittedError":
            break
    return outcomes, faults


def _made(estimator: Any, call: Call) -> tuple[str, list[Fault], Any]:
    """Make one call, and judge it."""
    before, given = _state(estimator), _frozen(call.arguments)
    outcome, following, details = "result", estimator, ""
    with _captured() as (said, warned):
        try:
            result, following = _called(estimator, call)
        except Exception as error:  # noqa: BLE001 - which is judged
            outcome, details = (
                type(error).__name__,
                "".join(traceback.format_exception(error)),
            )
            complaints = [_wrong_error(error, estimator)]
            if _state(estimator) != before and call.name != "set_params":
                complaints.append(f"changed the estimator, and raised {outcome}")
        else:
            complaints, details = [_wrong_result(estimator, call, result)], repr(result)
    complaints += [_wrong_warning(warning, call) for warning in warned]
    if said:
        complaints.append(f"printed {said.decode(errors='replace').strip()[:80]!r}")
    if _frozen(call.arguments) != given:
        complaints.append("changed its arguments")
    faults = [Fault(f"{call.name}: {c}", call, details) for c in complaints if c]
    return outcome, faults, following


def _called(estimator: Any, call: Call) -> tuple[Any, Any]:
    """Return the result of a call, and the estimator that the next one is made of."""
    if call.name in ACTIONS:
        result = ACTS[call.name](estimator)
        return result, result if call.name in {"clone", "pickle"} else estimator
    result = getattr(estimator, call.name)(**call.arguments)
    return result, estimator


def _attributes(estimator: Any) -> dict[str, Any]:
    names = [name for name in dir(estimator) if name.endswith("_") and name[0] != "_"]
    found = {}
    for name in names:
        try:
            found[name] = getattr(estimator, name)
        except AttributeError:
            continue
    return found


ACTS: Mapping[str, Callable[[Any], Any]] = {
    "clone": clone,
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),  # noqa: S301
    "attributes": _attributes,
    "repr": lambda estimator: repr(estimator) + estimator._repr_html_(),
}


@contextmanager
def _captured() -> Iterator[tuple[bytearray, list[warnings.WarningMessage]]]:
    """Collect what libraries of other languages print, and warnings."""
    said, kept = bytearray(), [os.dup(1), os.dup(2)]
    with (
        tempfile.TemporaryFile() as file,
        redirect_stdout(io.StringIO()),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield said, warned
        finally:
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            file.seek(0)
            said += file.read()


def _wrong_error(error: Exception, estimator: Any) -> str | None:
    """Say what is wrong with an error."""
    kind, message = type(error).__name__, str(error)
    if kind not in ALLOWED_ERRORS:
        return f"raised {kind} {_where(error)}"
    names = [*estimator.get_params(deep=False), *ARGUMENTS]
    named = re.search(rf"(?<!\w)({'|'.join(map(re.escape, names))})(?!\w)", message)
    if named or any(known in message for known in KNOWN_ERRORS):
        return None
    return f"raised a {kind} that names nothing {_where(error)}"


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/skmetricmlp/" in frame.filename]
    frame, said = (own or frames)[-1], (str(error).splitlines() or [""])[0]
    return f"in {Path(frame.filename).name}:{frame.name}: {said[:60]}"


def _wrong_warning(warning: warnings.WarningMessage, call: Call) -> str | None:
    kind = warning.category
    if issubclass(kind, ConvergenceWarning):
        return None
    if call.name == "score" and issubclass(kind, (*OF_SCORE, RuntimeWarning)):
        return None  # of the score of scikit-learn
    if issubclass(kind, (RuntimeWarning, DeprecationWarning, FutureWarning)):
        where = f"{Path(warning.filename).name}:{warning.lineno}"
        return f"warned {kind.__name__} {where} {str(warning.message)[:60]!r}"
    return None


def _wrong_result(estimator: Any, call: Call, result: Any) -> str | None:
    """Say what is wrong with a result."""
    for words, is_right in CHECKS.get(call.name, ()):
        if not is_right(result, estimator):
            return words
    return None


def _are_labels(result: Any, estimator: Any) -> bool:
    classes = getattr(estimator, "classes_", None)
    return bool(
        np.isfinite(result).all() if classes is None else np.isin(result, classes).all()
    )


def _are_numbers(frame: pd.DataFrame, _: Any) -> bool:
    own = frame[frame["term"] == "exemplar"].filter(["excess", "activation"])
    all_terms = frame[["contribution"]]
    return all(np.isfinite(part.to_numpy()).all() for part in (own, all_terms))


def _are_weights(attributes: Mapping[str, Any], _: Any) -> bool:
    arrays = [*attributes.get("coefs_", ()), *attributes.get("intercepts_", ())]
    return all(np.isfinite(array).all() for array in arrays)


# What a result has to be, and what is said of one that is not.
CHECKS: Mapping[str, tuple[tuple[str, Callable[[Any, Any], bool]], ...]] = {
    "predict": (("predicted values that are not finite, or no classes", _are_labels),),
    "predict_proba": (
        (
            "predicted probabilities that are not finite",
            lambda p, _: np.isfinite(p).all(),
        ),
        (
            "predicted probabilities that do not add up to one",
            lambda p, _: (p >= 0).all() and np.allclose(p.sum(axis=1), 1.0, atol=1e-5),
        ),
    ),
    "predict_log_proba": (("predicted NaN", lambda p, _: not np.isnan(p).any()),),
    "explain": (("explained with numbers that are not finite", _are_numbers),),
    "attributes": (("has weights that are not finite", _are_weights),),
}


def _state(estimator: Any) -> bytes:
    """All that an estimator has, but for a generator that a call may have drawn from."""
    state = dict(vars(estimator))
    if isinstance(state.get("random_state"), np.random.RandomState):
        del state["random_state"]
    state = {k: v for k, v in state.items() if k not in {"metric", "metric_params"}}
    return pickle.dumps(state)


def _frozen(value: Any) -> Any:
    """What can be compared after a call."""
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype.str, value.shape, value.tobytes()
    if sp.issparse(value):
        names = ("data", "indices", "indptr", "row", "col")
        return [getattr(value, name).tobytes() for name in names if hasattr(value, name)]
    if isinstance(value, (pd.DataFrame, pd.Series)):
        return repr(value.to_dict()), repr(value.index)
    return repr(value)


# --- by hand ---


def shrink(scene: Scene, kind: str) -> Scene:
    """Leave out calls, parameters and arguments that a fault does not need."""
    for call in scene.calls:
        calls = tuple(other for other in scene.calls if other is not call)
        scene = _if_still(replace(scene, calls=calls), scene, kind)
    for name in scene.parameters:
        parameters = {k: v for k, v in scene.parameters.items() if k != name}
        scene = _if_still(replace(scene, parameters=parameters), scene, kind)
    for call in scene.calls:
        for name in call.arguments:
            fewer = {k: v for k, v in call.arguments.items() if k != name}
            changed = Call(call.name, fewer)
            calls = tuple(changed if c is call else c for c in scene.calls)
            scene = _if_still(replace(scene, calls=calls), scene, kind)
    return scene


def _if_still(shorter: Scene, scene: Scene, kind: str) -> Scene:
    """Return the shorter scene if it has a fault of that kind too."""
    try:
        return shorter if any(f.kind == kind for f in play(shorter)[1]) else scene
    except Exception:  # noqa: BLE001 - of parameters that do not go together
        return scene


def shown(scene: Scene) -> str:
    """Describe a scene, nearly as a script."""
    lines = [f"scene {scene.number}: {scene.estimator.__name__}(**{scene.parameters!r})"]
    for call in scene.calls:
        arguments = ", ".join(f"{k}={v!r}" for k, v in call.arguments.items())
        lines.append(f"  .{call.name}({arguments[:1500]})")
    return "\n".join(lines)


def main() -> int:
    """Play scenes until there were so many calls; return 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="of the numbers of scenes")
    parser.add_argument("--scene", type=int, help="the only scene to play")
    options = parser.parse_args()
    if options.scene is not None:
        scene = draw_scene(options.scene)
        print(shown(scene))
        outcomes, faults = play(scene)
        for fault in faults:
            print(f"\n{fault.kind}\n{fault.details}")
        print(dict(outcomes))
        return int(bool(faults))
    outcomes, scenes = Counter[str](), defaultdict[str, list[Scene]](list)
    number = options.seed * 10**6
    while outcomes.total() < options.calls:
        scene = draw_scene(number)
        played, faults = play(scene)
        outcomes += played
        for kind in {fault.kind for fault in faults}:
            scenes[kind].append(scene)
        number += 1
    for kind, found in sorted(scenes.items(), key=lambda item: -len(item[1])):
        print(f"\n=== {len(found)} x {kind}: {[s.number for s in found[:5]]}")
        print(shown(shrink(found[0], kind)))
    print(f"\n{outcomes.total()} calls: {dict(outcomes.most_common())}")
    print(f"{len(scenes)} kinds of faults")
    return int(bool(scenes))


if __name__ == "__main__":
    sys.exit(main())
