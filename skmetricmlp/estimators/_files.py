"""What a file of an estimator holds: built-in types, and arrays.

Pickle and skops write a class by the path of its module. Records of this package, such as
a network and its layers, are therefore written as dictionaries, under names that stay the
same when a module is renamed. So a file needs no class of ours but the estimator's, and
no private one has to be trusted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from skmetricmlp import __version__

__all__ = ["from_plain", "restored", "to_plain", "written"]

# Changes when an older version could not read the files.
FORMAT = 1
FORMAT_KEY, VERSION_KEY = "_skmetricmlp_format", "_skmetricmlp_version"
# The key of the name in the dictionary of a record.
KIND = "_kind"

# Names in files, and where the classes and functions are now.
PATHS = {
    "adam": "training.optimizers:Adam",
    "basis_config": "estimators.basis_regressor:_BasisConfig",
    "categories": "tables.encoding:Categories",
    "class_targets": "estimators._targets:ClassTargets",
    "clipped_input": "network.layers:ClippedInput",
    "comparisons": "initialization.comparisons:Comparisons",
    "conjunctive": "network.layers:Conjunctive",
    "dense": "network.layers:Dense",
    "domain_targets": "estimators._targets:DomainTargets",
    "exemplars": "exemplars._geometry:Exemplars",
    "fit_state": "_state:FitState",
    "grouped": "network.layers:Grouped",
    "history": "training.history:History",
    "holes": "metrics.holes:Holes",
    "label_targets": "estimators._targets:LabelTargets",
    "learned": "estimators.closed_form:Learned",
    "metric": "metrics.fitting:Metric",
    "network": "network.network:Network",
    "network_config": "initialization.config:NetworkConfig",
    "numbers": "tables.encoding:Numbers",
    "output_sums": "initialization.output_sums:OutputSums",
    "pair_incidence": "network.incidence:PairIncidence",
    "regression_targets": "estimators._targets:RegressionTargets",
    "row_sample": "initialization.row_sample:RowSample",
    "scaled_input": "network.layers:ScaledInput",
    "sgd": "training.optimizers:SGD",
    "stream": "estimators._streams:EarlyStream",
    "sums": "initialization.least_squares:Sums",
    "table_encoding": "tables.encoding:TableEncoding",
    "tied_comparison": "network.layers:TiedComparison",
    "training_data": "_data:TrainingData",
    "value_range": "metrics.formulas:ValueRange",
    # The formulas of the metrics, and the terms of their offsets.
    "chamfer": "metrics.formulas:chamfer",
    "chamfer_terms": "metrics.formulas:_distances_to_off",
    "cosine": "metrics.formulas:cosine",
    "itakura_saito": "metrics.formulas:itakura_saito",
    "kullback_leibler": "metrics.formulas:kullback_leibler",
    "kullback_leibler_terms": "metrics.formulas:_kullback_leibler_terms",
    "linear_map": "metrics.formulas:linear_map",
    "mahalanobis": "metrics.formulas:mahalanobis",
    "squared_euclidean": "metrics.formulas:squared_euclidean",
    "squared_euclidean_terms": "metrics.formulas:_squares",
    "standardized_euclidean": "metrics.formulas:standardized_euclidean",
    "standardized_euclidean_terms": "metrics.formulas:_scaled_squares",
}
# Types of values that are no records, and hold none.
ATOMS = frozenset({bool, bytes, float, int, np.ndarray, str, type(None)})
PACKAGE = __name__.partition(".")[0]
NAMES = {f"{PACKAGE}.{path}": name for name, path in PATHS.items()}


def written(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is written of the attributes of an estimator."""
    return {**to_plain(dict(attributes)), VERSION_KEY: __version__, FORMAT_KEY: FORMAT}


def restored(estimator: Any, written: Any) -> dict[str, Any]:
    """Return the attributes of an estimator from what was written of them.

    Parameters
    ----------
    estimator : estimator
        Of the class whose attributes they are.
    written : mapping

    Warns
    -----
    InconsistentVersionWarning
        If it was written by another version.

    Raises
    ------
    ValueError
        If it is not the state of such an estimator, or a newer version wrote it and this
        one cannot read it.
    """
    name = type(estimator).__name__
    parameters = estimator._get_param_names()  # noqa: SLF001 - as scikit-learn does
    if not isinstance(written, Mapping) or not set(parameters) & set(written):
        msg = (
            f"this is no state of {name}, which has its parameters, such as "
            f"{', '.join(parameters[:3])}: got {_abbreviated(written)}"
        )
        raise ValueError(msg)
    attributes = dict(written)
    version = attributes.pop(VERSION_KEY, "before 0.1.0")
    written_format = attributes.pop(FORMAT_KEY, FORMAT)
    if written_format > FORMAT:
        msg = (
            f"{name} was written by {PACKAGE} {version} in format {written_format}, and "
            f"{PACKAGE} {__version__} reads formats up to {FORMAT}: install {PACKAGE} "
            f"{version} or newer"
        )
        raise ValueError(msg)
    if version != __version__:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=f"{PACKAGE}.{name}",
                current_sklearn_version=f"{__version__} of {PACKAGE}",
                original_sklearn_version=version,
            ),
            stacklevel=3,
        )
    try:
        restored: dict[str, Any] = from_plain(attributes)
    except _UnknownPartError as error:
        msg = (
            f"{name} was written by {PACKAGE} {version}, and {PACKAGE} {__version__} "
            f"cannot read it: {error}. Install {PACKAGE} {version}, or fit again"
        )
        raise ValueError(msg) from error
    return restored


class _UnknownPartError(ValueError):
    """A part of a file that this version does not know."""


def _abbreviated(state: Any) -> str:
    if isinstance(state, Mapping):
        return f"a mapping with the keys {list(state)[:3]}"
    return f"an object of type {type(state).__name__}"


def to_plain(value: Any) -> Any:
    """Return a value with dictionaries in the place of records of this package.

    Tuples, lists and dictionaries are searched at any depth. What is shared stays shared,
    and arrays are not copied.

    Examples
    --------
    >>> from skmetricmlp.training import SGD
    >>> to_plain([SGD(), "relu"])
    [{'_kind': 'sgd', 'momentum': 0.9, 'nesterov': True}, 'relu']
    """
    return _converted(value, _to_plain)


def from_plain(value: Any) -> Any:
    """Undo :func:`to_plain`.

    Examples
    --------
    >>> from_plain([{"_kind": "sgd", "momentum": 0.5, "nesterov": True}, "relu"])
    [SGD(momentum=0.5, nesterov=True), 'relu']
    """
    return _converted(value, _from_plain)


Convert = Callable[[Any], Any]


def _converted(value: Any, convert: Callable[[Any, Convert], Any]) -> Any:
    """Convert each object once."""
    done: dict[int, Any] = {}

    def convert_once(item: Any) -> Any:
        if type(item) in ATOMS:
            return item
        if id(item) not in done:
            # The item is kept too, so that no other object gets its id.
            done[id(item)] = item, convert(item, convert_once)
        return done[id(item)][1]

    return convert_once(value)


def _to_plain(value: Any, convert: Convert) -> Any:
    kind = type(value)
    if isinstance(value, FunctionType):
        name = NAMES.get(_path(value))
        return {KIND: name} if name else value
    if name := NAMES.get(_path(kind)):
        items = _fields(value).items()
        return {KIND: name, **{field: convert(item) for field, item in items}}
    if kind is frozenset:
        return {KIND: "frozenset", "items": sorted(value)}
    if getattr(kind, "are_layers", False) and isinstance(value, list):
        return list(value)
    return _with_items(value, convert)


def _from_plain(value: Any, convert: Convert) -> Any:
    if type(value) is not dict or KIND not in value:
        return _with_items(value, convert)
    name, items = value[KIND], {k: v for k, v in value.items() if k != KIND}
    if name == "frozenset":
        return frozenset(items["items"])
    if name not in PATHS:
        msg = f"it has a part {name!r}, which is not known"
        raise _UnknownPartError(msg)
    kind = _named(name)
    if isinstance(kind, FunctionType):
        return kind
    try:
        return kind(**{field: convert(item) for field, item in items.items()})
    except TypeError as error:
        msg = f"its part {name!r} has other fields, {sorted(items)}"
        raise _UnknownPartError(msg) from error


def _with_items(value: Any, convert: Convert) -> Any:
    """Convert the items of a container, or return the same object."""
    if type(value) is dict:
        changed: Any = {key: convert(item) for key, item in value.items()}
        pairs = zip(changed.values(), value.values(), strict=True)
    elif type(value) in (tuple, list):
        changed = type(value)(map(convert, value))
        pairs = zip(changed, value, strict=True)
    else:
        return value
    return value if all(new is old for new, old in pairs) else changed


@cache
def _named(name: str) -> Any:
    """Return the class or function that has a name in files."""
    module, _, attribute = PATHS[name].partition(":")
    return getattr(import_module(f"{PACKAGE}.{module}"), attribute)


def _path(named: Any) -> str:
    return f"{named.__module__}:{named.__qualname__}"


def _fields(record: Any) -> dict[str, Any]:
    """Return what a record is made of, by the names of its parameters."""
    if is_dataclass(record):
        names = [field.name for field in fields(record) if field.init]
        return {name: getattr(record, name) for name in names}
    if hasattr(record, "_asdict"):
        named: dict[str, Any] = record._asdict()
        return named
    state: dict[str, Any] = record.__getstate__()
    return state
