"""ONNX: fitted estimators, alone or in a pipeline, for other runtimes.

Importing this module registers converters with skl2onnx, so that ``skl2onnx.to_onnx``
converts pipelines that end in an estimator of this package. :func:`to_onnx` calls it with
the types of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from onnx import ModelProto, TensorProto, helper, numpy_helper
from skl2onnx import to_onnx as convert
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    guess_tensor_type,
)
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.base import is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)
from skmetricmlp._array_api import map_arrays, to_numpy
from skmetricmlp._errors import invalid_parameter
from skmetricmlp._typing import Array
from skmetricmlp.estimators._targets import training_units
from skmetricmlp.network import (
    ClippedInput,
    Conjunctive,
    Dense,
    Grouped,
    Network,
    ScaledInput,
    TiedComparison,
    to_training,
)
from skmetricmlp.tables import (
    Categories,
    Numbers,
    TableEncoding,
    as_frame,
    value_kind,
)

__all__ = ["OPSET", "to_onnx"]

#: Versions of ONNX's operators in the files of :func:`to_onnx`, whatever is installed.
OPSET: Mapping[str, int] = {"": 18, "ai.onnx.ml": 3}
LEAST_OPSET = 13  # The first one in which ReduceSum takes its axes as an input.
ML = "ai.onnx.ml"
# What stands for a missing category: ONNX has no missing text.
MISSING = ""


def to_onnx(
    estimator: Any,
    X: ArrayLike,
    *,
    dtype: Any = np.float32,
    target_opset: int | Mapping[str, int] | None = None,
    options: Mapping[Any, Any] | None = None,
) -> ModelProto:
    """Convert a fitted estimator, or a pipeline of them, to a model of ONNX.

    It calls :func:`skl2onnx.to_onnx`, which may be called instead. This function also
    takes tables with columns of categories, always writes the same versions of the
    operators, and leaves out the ``ZipMap``, so that probabilities are an array.

    Parameters
    ----------
    estimator : estimator or Pipeline
    X : array-like or table of shape (n_samples, n_features)
        Rows such as the model will get. An array becomes the one input ``"X"``. Each
        column of a table becomes an input of its own, of shape (n, 1), with the name of
        the column: text for columns of text and of categories, where ``""`` is a missing
        category, and numbers for all others.
    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Precision of the inputs, weights and outputs.
    target_opset : int, mapping or None, default=None
        Versions of the operators by domain; None is :data:`OPSET`.
    options : mapping or None, default=None
        Options of the converters, as :func:`skl2onnx.to_onnx` takes them. Those of a
        classifier are ``zipmap``, which is False here by default, and
        ``output_class_labels``. All estimators have

        - ``missing``: whether values may be missing where none was in the training data.
          False takes half of the weights of the first layer, and requires complete rows.
          The default is True, but with ``tied=True`` it is False, as there each
          comparison would need weights of its own.

    Returns
    -------
    onnx.ModelProto
        With the outputs ``label`` and ``probabilities`` of a classifier, as that of
        :class:`~sklearn.neural_network.MLPClassifier` has them, or ``variable`` of shape
        (n, n_outputs) of a regressor.

    Raises
    ------
    ValueError
        If ONNX has no type for a column or for the labels. The message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from onnxruntime import InferenceSession
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
    >>> session = InferenceSession(to_onnx(clf, X).SerializeToString())
    >>> label, p = session.run(None, {"X": X.astype(np.float32)})
    >>> bool((label == clf.predict(X)).all())
    True
    >>> bool(np.allclose(p, clf.predict_proba(X), atol=1e-5))
    True
    """
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise invalid_parameter("dtype", dtype, "numpy.float32 or numpy.float64")
    target_opset = dict(OPSET) if target_opset is None else target_opset
    main = target_opset if isinstance(target_opset, int) else target_opset.get("", 0)
    if main < LEAST_OPSET:
        accepted = f"{LEAST_OPSET} or more, for the operators of the domain ''"
        raise invalid_parameter("target_opset", target_opset, accepted)
    if options is None and is_classifier(estimator):
        options = {"zipmap": False}
    model: ModelProto = convert(
        estimator,
        initial_types=_input_types(X, np.dtype(dtype)),
        target_opset=target_opset,
        options=options,
    )
    return model


def _input_types(X: Any, dtype: Any) -> list[tuple[str, Any]]:
    """Names and types of the inputs, as skl2onnx takes them."""
    numbers = DoubleTensorType if dtype == np.float64 else FloatTensorType
    if not hasattr(X, "columns"):
        return [("X", numbers([None, np.shape(X)[1]]))]
    types = []
    for name, column in as_frame(X).items():
        kind = value_kind(column)
        _check_kind(kind, str(name))
        is_text = kind == "text"
        types.append((str(name), (StringTensorType if is_text else numbers)([None, 1])))
    return types


def _check_kind(kind: str, name: str) -> None:
    if kind in ("dates", "durations"):
        msg = (
            f"column {name!r} has {kind}, which ONNX has no type for: make numbers of it "
            f"before fit, such as days since a date"
        )
        raise ValueError(msg)


@dataclass(frozen=True)
class _Graph:
    """Adds nodes and constants to a model: ``graph("Add", x, 1.0)`` returns a name.

    Parameters
    ----------
    scope, container : objects of skl2onnx
    dtype : dtype
        Of constants that are floats.
    """

    scope: Any
    container: Any
    dtype: Any

    def __call__(
        self, kind: str, *inputs: Any, output: str = "", **attributes: Any
    ) -> str:
        """Add a node, whose inputs are names or constants."""
        name = output or self.scope.get_unique_variable_name(kind.lower())
        if kind == "LabelEncoder":  # not the newest version, which skl2onnx lacks
            attributes |= {"op_domain": ML, "op_version": 2}
        self.container.add_node(
            kind,
            [item if isinstance(item, str) else self._constant(item) for item in inputs],
            [name],
            name=self.scope.get_unique_operator_name(kind),
            **attributes,
        )
        return name

    def _constant(self, value: Any) -> str:
        array = np.asarray(value)
        name: str = self.scope.get_unique_variable_name("constant")
        if array.dtype.kind in "OU":
            text: Any = [str(item).encode() for item in array.ravel()]
            content = helper.make_tensor(name, TensorProto.STRING, array.shape, text)
            self.container.initializers.append(content)
            return name
        if array.dtype.kind == "f":
            array = _in_precision(array, self.dtype)
        content = numpy_helper.from_array(np.asarray(array, order="C"), name)
        self.container.add_initializer(name, content.data_type, array.shape, content)
        return name

    def number(self, value: str) -> str:
        """Convert to floats."""
        return self("Cast", value, to=helper.np_dtype_to_tensor_dtype(self.dtype))

    def columns(self, x: str, positions: ArrayLike) -> str:
        """Take columns of a matrix."""
        return self("Gather", x, np.asarray(positions, dtype=np.int64), axis=1)

    def joined(self, parts: Sequence[str]) -> str:
        """Join matrices side by side."""
        return parts[0] if len(parts) == 1 else self("Concat", *parts, axis=1)


def _in_precision(array: Array, dtype: Any) -> Array:
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    if (np.isinf(converted) & ~np.isinf(array)).any():
        msg = f"weights are too large for {dtype}: choose dtype=numpy.float64"
        raise ValueError(msg)
    return converted


def _affine(graph: _Graph, layer: Any, x: str) -> str:
    """Add ``layer.affine(x)``."""
    match layer:
        case ClippedInput(inner, low, high):
            return _affine(graph, inner, graph("Min", graph("Max", x, low), high))
        case ScaledInput(inner, mean, scale):
            return _affine(graph, inner, graph("Div", graph("Sub", x, mean), scale))
        case Dense():
            return graph("Gemm", x, layer.weights, layer.bias)
        case Conjunctive():
            return _conjunctive(graph, layer, x)
        case TiedComparison():
            return _tied_comparison(graph, layer, x)
        case Grouped():
            groups = graph("Reshape", x, np.array([-1, *layer.weights.shape]))
            terms = graph("Mul", groups, layer.weights)
            sums = graph("ReduceSum", terms, np.array([2]), keepdims=0)
            return graph("Add", sums, layer.bias)
        case _:
            msg = f"there is no conversion of a layer of type {type(layer).__name__}"
            raise NotImplementedError(msg)


def _tied_comparison(graph: _Graph, layer: TiedComparison, x: str) -> str:
    """Add differences of scores, whose rows are gathered: columns would be slow."""
    bias, offsets = layer.bias[:, None], layer.offsets[:, :, None]
    scores = graph("Gemm", layer.weights, x, bias, transA=1, transB=1)
    others = graph("Gather", scores, layer.pairs.table, axis=0)
    own = graph("Unsqueeze", scores, np.array([1]))
    z = graph("Add", graph("Sub", others, own), offsets)
    rows = graph("Reshape", z, np.array([layer.n_out, -1]))
    return graph("Transpose", rows, perm=[1, 0])


def _conjunctive(graph: _Graph, layer: Conjunctive, x: str) -> str:
    u, n = graph("Gemm", x, layer.weights, layer.bias), layer.n_plain
    one = np.array([1])

    def neurons(start: int, stop: int) -> str:
        return graph("Slice", u, np.array([start]), np.array([stop]), one)

    both = [
        graph("Min", neurons(0, n - s), neurons(s, n))
        for s in range(1, layer.n_shifts + 1)
    ]
    return graph.joined([u, *both])


def _activated(graph: _Graph, name: str, z: str) -> str:
    """Add an activation."""
    match name:
        case "identity":
            return z
        case "step":
            return graph.number(graph("Greater", z, 0.0))
        case "gelu":
            # The same approximation, which ONNX has as one operator from 20 on.
            cube = graph("Mul", graph("Mul", graph("Mul", z, z), z), 0.044715)
            inner = graph("Mul", graph("Add", z, cube), np.sqrt(2.0 / np.pi))
            gate = graph("Add", graph("Tanh", inner), 1.0)
            return graph("Mul", graph("Mul", z, 0.5), gate)
    operators = {"logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
    return graph(operators[name], z)


def _activations(graph: _Graph, network: Network, x: str) -> list[str]:
    """Add the hidden layers, and return their activations and the affine output."""
    *hidden, last = network.layers
    activations: list[str] = []
    for layer in hidden:
        x = _activated(graph, layer.activation, _affine(graph, layer, x))
        activations = [*activations, x]
    return [*activations, _affine(graph, last, x)]


def _output(graph: _Graph, operator: Any) -> list[str]:
    """Add the network of an estimator."""
    estimator = operator.raw_operator
    encoding = estimator._fit_state.encoding  # noqa: SLF001 - of this package
    x, complete = _encoded(graph, _Inputs(operator), encoding)
    network = map_arrays(to_numpy, estimator.network_).astype(np.float64)
    options = graph.scope.get_options(estimator, {"missing": network.is_dense})
    if options["missing"] and get_tags(estimator).input_tags.allow_nan:
        network, x = _without_holes(graph, estimator, network, x, complete)
    return _activations(graph, _scaled(estimator, network, graph.dtype), x)


def _scaled(estimator: Any, network: Network, dtype: Any) -> Network:
    """Let a network read scaled features, as in training.

    Features far from zero lose no digits so, and the scale is rounded before the weights
    are calculated for it.
    """
    _, scaling = training_units(estimator._fit_state)  # noqa: SLF001 - of this package
    if scaling is None:
        return network
    n_flags = network.parameters[0].shape[0] - len(scaling[0])
    mean, scale = (
        np.append(part, np.full(n_flags, value)).astype(dtype).astype(np.float64)
        for part, value in zip(scaling, (0.0, 1.0), strict=True)
    )
    return to_training(network, (mean, scale))


def _without_holes(
    graph: _Graph, estimator: Any, network: Network, x: str, complete: list[int]
) -> tuple[Network, str]:
    """Let a network read values that are missing in columns that were complete in fit."""
    state = estimator._fit_state  # noqa: SLF001 - of this package
    d = network.parameters[0].shape[0]
    row = np.zeros((1, d))
    row[:, complete] = np.nan
    with_flags, _ = estimator._without_holes(network, row)  # noqa: SLF001
    if not complete:
        return network, x
    is_missing = graph("IsNaN", x)
    stand_ins = np.zeros(d) if state.scaling is None else state.scaling[0]
    filled = graph("Where", is_missing, np.asarray(stand_ins, dtype=float), x)
    if with_flags.parameters[0].shape[0] == d:
        return network, filled
    flags = graph.number(is_missing)
    if len(complete) < d:
        flags = graph.columns(flags, complete)
    return with_flags, graph.joined([filled, flags])


class _Inputs:
    """The columns of the inputs of an operator.

    Parameters
    ----------
    operator : Operator
        Its inputs are matrices, whose columns are those of the table in this order.
    """

    def __init__(self, operator: Any) -> None:
        self.n_columns = operator.raw_operator.n_features_in_
        self._variables = operator.inputs
        widths = [variable.type.shape[1] for variable in operator.inputs]
        if len(widths) == 1:
            widths = [self.n_columns]
        self._ends = np.cumsum(widths).tolist()
        if self._ends[-1] != self.n_columns:
            msg = (
                f"{type(operator.raw_operator).__name__} was fitted with "
                f"{self.n_columns} columns, and the inputs have {self._ends[-1]}"
            )
            raise ValueError(msg)

    def numbers(self, graph: _Graph, columns: Sequence[int], names: Sequence[str]) -> str:
        """Join columns of numbers."""
        parts = []
        for start, stop, variable in self._spans():
            own = [column for column in columns if start <= column < stop]
            if not own:
                continue
            if isinstance(variable.type, StringTensorType):
                msg = f"column {names[own[0]]!r} has numbers, and its input is text"
                raise TypeError(msg)
            x = variable.full_name
            if len(own) < stop - start:
                x = graph.columns(x, [column - start for column in own])
            parts.append(graph.number(x))
        return graph.joined(parts)

    def cells(self, graph: _Graph, column: int) -> tuple[str, bool]:
        """Return the cells (n,) of a column, and whether they are text."""
        for start, stop, variable in self._spans():
            if start <= column < stop:
                cells = graph.columns(variable.full_name, [column - start])
                is_text = isinstance(variable.type, StringTensorType)
                return graph("Reshape", cells, np.array([-1])), is_text
        raise IndexError(column)

    def _spans(self) -> list[tuple[int, int, Any]]:
        starts = [0, *self._ends[:-1]]
        return list(zip(starts, self._ends, self._variables, strict=True))


def _encoded(
    graph: _Graph, inputs: _Inputs, encoding: TableEncoding | None
) -> tuple[str, list[int]]:
    """Add the encoding of a table.

    Returns
    -------
    x : str
        The columns that the network reads.
    complete : list of int
        Which of them are numbers that were complete in ``fit``.
    """
    if encoding is None:
        every = list(range(inputs.n_columns))
        return inputs.numbers(graph, every, [f"x{k}" for k in every]), every
    for column in encoding.columns:
        _check_kind(getattr(column, "kind", ""), column.name)
    columns = list(enumerate(encoding.columns))
    numbers = {k: column for k, column in columns if isinstance(column, Numbers)}
    categories = {k: column for k, column in columns if isinstance(column, Categories)}
    first = np.searchsorted(encoding.groups, list(numbers))
    has_holes = np.array(
        [column.has_holes for column in numbers.values()], dtype=np.bool_
    )
    # Matrices, and the positions that their columns have for the network.
    blocks = []
    if numbers:
        x = inputs.numbers(graph, list(numbers), encoding.labels)
        if has_holes.any():
            is_missing = graph("IsNaN", x)
            means = [
                column.mean if column.has_holes else np.nan for column in numbers.values()
            ]
            x = graph("Where", is_missing, np.array(means), x)
            flags = graph.columns(graph.number(is_missing), np.flatnonzero(has_holes))
            blocks.append((flags, first[has_holes] + 1))
        blocks.append((x, first))
    for k, column in categories.items():
        one_hot = _one_hot(graph, *inputs.cells(graph, k), column)
        blocks.append((one_hot, np.flatnonzero(encoding.groups == k)))
    x = graph.joined([block for block, _ in blocks])
    order = np.argsort(np.concatenate([positions for _, positions in blocks]))
    if (np.diff(order) != 1).any():
        x = graph.columns(x, order)
    return x, first[~has_holes].tolist()


def _one_hot(graph: _Graph, cells: str, is_text: bool, column: Categories) -> str:
    """Add the encoding of a column of categories: a row of a table for each of them."""
    if is_text == column.are_numbers:
        has = "numbers" if column.are_numbers else "text"
        msg = (
            f"column {column.name!r} has categories that are {has}: its input must be "
            f"{has} too"
        )
        raise ValueError(msg)
    encoder = column.encoder
    values = encoder.categories_[0]
    is_missing = pd.isna(values)
    if is_text:
        keys = np.where(is_missing, MISSING, values).astype(str).tolist()
    else:
        keys = values.astype(np.float32).tolist()
        cells = graph("Cast", cells, to=TensorProto.FLOAT)
    if len(set(keys)) < len(keys):
        where = (
            f"where {MISSING!r} is a missing one" if is_text else "in single precision"
        )
        msg = f"column {column.name!r} has categories that are equal {where}"
        raise ValueError(msg)
    rows = encoder.transform(values[:, None])
    unknown = np.zeros((1, rows.shape[1]))
    unknown[0, -1] = encoder.infrequent_categories_[0] is not None
    name_of_keys: Any = "keys_strings" if is_text else "keys_floats"
    at = graph(
        "LabelEncoder",
        cells,
        **{name_of_keys: keys},
        values_int64s=list(range(len(keys))),
        default_int64=len(keys),
    )
    if is_missing.any() and not is_text:  # a key that is NaN is never found
        at = graph("Where", graph("IsNaN", cells), np.flatnonzero(is_missing), at)
    return graph("Gather", np.concatenate([rows, unknown]), at)


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    graph = _Graph(scope, container, _dtype(operator))
    values = _output(graph, operator)[-1]
    graph("Identity", values, output=operator.outputs[0].full_name)


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    estimator = operator.raw_operator
    graph = _Graph(scope, container, _dtype(operator))
    activations = _output(graph, operator)
    label, probabilities = (variable.full_name for variable in operator.outputs)
    if estimator._counts_votes:  # noqa: SLF001 - of this package
        p = _vote_shares(graph, estimator, activations[1])
    else:
        p = _probabilities(graph, estimator, activations[-1])
    graph("Identity", p, output=probabilities)
    if estimator.multilabel_:
        graph("Cast", graph("Greater", p, 0.5), to=TensorProto.INT64, output=label)
        return
    best = graph("ArgMax", activations[-1], axis=1, keepdims=0)
    graph("Gather", _labels(scope, estimator), best, output=label)


def _probabilities(graph: _Graph, estimator: Any, z: str) -> str:
    """Add the probabilities of classes or labels from the output before activation."""
    if estimator.multilabel_:
        return graph("Sigmoid", z)
    if estimator.out_activation_ == "logistic":  # scaled to a sum of one
        z = graph("Neg", graph("Softplus", graph("Neg", z)))
    return graph("Softmax", z, axis=1)


def _vote_shares(graph: _Graph, estimator: Any, won: str) -> str:
    """Add the shares of the votes of the exemplars that are near enough."""
    n = estimator.n_outputs_
    table = estimator._fit_state.exemplars.targets(n)  # noqa: SLF001
    votes = graph("MatMul", won, np.asarray(table, dtype=float))
    total = graph("ReduceSum", won, np.array([1]), keepdims=1)
    # There are no votes where rounding errors make each exemplar lose to another.
    is_none = graph.number(graph("Equal", total, 0.0))
    votes = graph("Add", votes, is_none)
    return graph("Div", votes, graph("Add", total, graph("Mul", is_none, float(n))))


def _labels(scope: Any, estimator: Any) -> Array:
    """Labels of the classes, as integers or text, which ONNX has."""
    labels = to_numpy(get_label_classes(scope, estimator))
    if labels.dtype.kind in "biu" or (
        labels.dtype.kind == "f" and (labels == labels.astype(np.int64)).all()
    ):
        return labels.astype(np.int64)
    if all(isinstance(label, str) for label in labels.tolist()):
        return labels.astype(object)
    msg = (
        f"{type(estimator).__name__} has the labels {labels.tolist()[:3]}, and labels "
        f"in ONNX are integers or text: fit with one of the two"
    )
    raise ValueError(msg)


def _dtype(operator: Any) -> Any:
    is_double = isinstance(guess_tensor_type(operator.inputs[0].type), DoubleTensorType)
    return np.dtype(np.float64 if is_double else np.float32)


def _numbers_type(operator: Any, n_columns: int) -> Any:
    kind = type(guess_tensor_type(operator.inputs[0].type))
    return kind([operator.inputs[0].get_first_dimension(), n_columns])


def _regressor_types(operator: Any) -> None:
    """Set the type of the output."""
    check_is_fitted(operator.raw_operator)
    n_outputs = operator.raw_operator.n_outputs_
    operator.outputs[0].set_type(_numbers_type(operator, n_outputs))


def _classifier_types(operator: Any) -> None:
    """Set the types of the outputs."""
    estimator = operator.raw_operator
    check_is_fitted(estimator)
    is_text = _labels(operator.scope_inst, estimator).dtype == object
    shape = [operator.inputs[0].get_first_dimension()]
    shape += [estimator.n_outputs_] * estimator.multilabel_
    operator.outputs[0].set_type(
        (StringTensorType if is_text else Int64TensorType)(shape)
    )
    operator.outputs[1].set_type(_numbers_type(operator, estimator.n_outputs_))


def _register() -> None:
    """Tell skl2onnx how to convert the estimators."""
    missing = {"missing": [True, False]}
    update_registered_converter(
        MetricInitMLPClassifier,
        "SkmetricmlpMetricInitMLPClassifier",
        _classifier_types,
        _convert_classifier,
        options={
            "nocl": [True, False],
            "zipmap": [True, False, "columns"],
            "output_class_labels": [False, True],
            **missing,
        },
    )
    for regressor in (MetricInitMLPRegressor, BasisInitMLPRegressor):
        update_registered_converter(
            regressor,
            f"Skmetricmlp{regressor.__name__}",
            _regressor_types,
            _convert_regressor,
            options=missing,
        )


_register()
