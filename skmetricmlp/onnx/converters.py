"""Estimators as models of ONNX: the function for users, and converters for skl2onnx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import GraphProto, ModelProto, TensorProto
from skl2onnx import to_onnx as convert
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
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
from skmetricmlp.network import Network, to_training
from skmetricmlp.onnx.columns import Inputs, encoded, input_types
from skmetricmlp.onnx.graph import Graph
from skmetricmlp.onnx.layers import added_layers

__all__ = ["OPSET", "to_onnx"]

#: Versions of ONNX's operators in the files of :func:`to_onnx`, whatever is installed.
OPSET: Mapping[str, int] = {"": 18, "ai.onnx.ml": 3}
LEAST_OPSET = 13  # The first one in which ReduceSum takes its axes as an input.


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
    types = input_types(X, np.dtype(dtype))
    model: ModelProto = convert(
        estimator,
        initial_types=types,
        target_opset=target_opset,
        options=options,
    )
    inputs = [item.name for item in model.graph.input]
    names = {old: new for old, (new, _) in zip(inputs, types, strict=True) if old != new}
    if names:
        _rename_inputs(model.graph, names)
    return model


def _rename_inputs(graph: GraphProto, names: Mapping[str, str]) -> None:
    """Give the inputs the names of their columns, which skl2onnx made identifiers of."""
    for item in graph.input:
        item.name = names.get(item.name, item.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_inputs(attribute.g, names)


def _output(graph: Graph, operator: Any) -> list[str]:
    """Add the network of an estimator."""
    estimator = operator.raw_operator
    encoding = estimator._fit_state.encoding  # noqa: SLF001 - of this package
    x, complete = encoded(graph, Inputs(operator), encoding)
    network = map_arrays(to_numpy, estimator.network_).astype(np.float64)
    options = graph.scope.get_options(estimator, {"missing": network.is_dense})
    if options["missing"] and get_tags(estimator).input_tags.allow_nan:
        network, x = _without_holes(graph, estimator, network, x, complete)
    return added_layers(graph, _scaled(estimator, network, graph.dtype), x)


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
    graph: Graph, estimator: Any, network: Network, x: str, complete: list[int]
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


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    graph = Graph(scope, container, _dtype(operator))
    values = _output(graph, operator)[-1]
    graph("Identity", values, output=operator.outputs[0].full_name)


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    estimator = operator.raw_operator
    graph = Graph(scope, container, _dtype(operator))
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


def _probabilities(graph: Graph, estimator: Any, z: str) -> str:
    """Add the probabilities of classes or labels from the output before activation."""
    if estimator.multilabel_:
        return graph("Sigmoid", z)
    if estimator.out_activation_ == "logistic":  # scaled to a sum of one
        z = graph("Neg", graph("Softplus", graph("Neg", z)))
    return graph("Softmax", z, axis=1)


def _vote_shares(graph: Graph, estimator: Any, won: str) -> str:
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
