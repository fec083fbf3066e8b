"""Layers of a network as nodes of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmetricmlp.network import (
    ClippedInput,
    Conjunctive,
    Dense,
    Grouped,
    Network,
    ScaledInput,
    TiedComparison,
)
from skmetricmlp.onnx.graph import Graph

__all__ = ["added_layers"]


def _affine(graph: Graph, layer: Any, x: str) -> str:
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


def _tied_comparison(graph: Graph, layer: TiedComparison, x: str) -> str:
    """Add differences of scores, whose rows are gathered: columns would be slow."""
    bias, offsets = layer.bias[:, None], layer.offsets[:, :, None]
    scores = graph("Gemm", layer.weights, x, bias, transA=1, transB=1)
    others = graph("Gather", scores, layer.pairs.table, axis=0)
    own = graph("Unsqueeze", scores, np.array([1]))
    z = graph("Add", graph("Sub", others, own), offsets)
    rows = graph("Reshape", z, np.array([layer.n_out, -1]))
    return graph("Transpose", rows, perm=[1, 0])


def _conjunctive(graph: Graph, layer: Conjunctive, x: str) -> str:
    u, n = graph("Gemm", x, layer.weights, layer.bias), layer.n_plain
    one = np.array([1])

    def neurons(start: int, stop: int) -> str:
        return graph("Slice", u, np.array([start]), np.array([stop]), one)

    both = [
        graph("Min", neurons(0, n - s), neurons(s, n))
        for s in range(1, layer.n_shifts + 1)
    ]
    return graph.joined([u, *both])


def _activated(graph: Graph, name: str, z: str) -> str:
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


def added_layers(graph: Graph, network: Network, x: str) -> list[str]:
    """Add the hidden layers, and return their activations and the affine output."""
    *hidden, last = network.layers
    activations: list[str] = []
    for layer in hidden:
        x = _activated(graph, layer.activation, _affine(graph, layer, x))
        activations = [*activations, x]
    return [*activations, _affine(graph, last, x)]
