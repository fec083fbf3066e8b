"""Nodes and constants of a model of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from skmetricmlp._typing import Array

__all__ = ["Graph"]

ML = "ai.onnx.ml"


@dataclass(frozen=True)
class Graph:
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
