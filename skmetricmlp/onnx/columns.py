"""Columns of a table: the inputs of a model, and their encoding as nodes of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from onnx import TensorProto
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    StringTensorType,
)

from skmetricmlp.onnx.graph import Graph
from skmetricmlp.tables import (
    Categories,
    Numbers,
    TableEncoding,
    as_frame,
    value_kind,
)

__all__ = ["Inputs", "encoded", "input_types"]

# What stands for a missing category: ONNX has no missing text.
MISSING = ""


def input_types(X: Any, dtype: Any) -> list[tuple[str, Any]]:
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


class Inputs:
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

    def numbers(self, graph: Graph, columns: Sequence[int], names: Sequence[str]) -> str:
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

    def cells(self, graph: Graph, column: int) -> tuple[str, bool]:
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


def encoded(
    graph: Graph, inputs: Inputs, encoding: TableEncoding | None
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


def _one_hot(graph: Graph, cells: str, is_text: bool, column: Categories) -> str:
    """Add the encoding of a column of categories: a row of a table for each of them."""
    if is_text == column.are_numbers:
        has = "numbers" if column.are_numbers else "text"
        msg = (
            f"column {column.name!r} has categories that are {has}: its input must be "
            f"{has} too"
        )
        raise ValueError(msg)
    values = column.categories
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
    return graph("Gather", column.rows, at)
