"""Baselines: the usual random and constant weights, for a given architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetricmlp.initialization.architecture import Architecture
from skmetricmlp.initialization.rivals import cyclic_rivals
from skmetricmlp.network import Dense, Grouped, Layer, Network, Rivals, TiedComparison

__all__ = ["BASELINES", "baseline_network", "dense_network", "with_spare_units"]

Floats = NDArray[np.floating[Any]]

BASELINES = ("random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones")


def baseline_network(
    init: str, architecture: Architecture, rng: np.random.RandomState
) -> Network:
    """Draw, or fill, the weights of a network.

    Parameters
    ----------
    init : {"random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
        ``"random"`` is ``"he_uniform"`` with ReLU and ``"glorot_uniform"`` otherwise.
    architecture : Architecture
    rng : numpy.random.RandomState

    Returns
    -------
    Network
        In double precision.
    """
    form, sizes = architecture.form, architecture.sizes
    init = _usual(init, form.activation)
    layers: list[Layer] = []
    if form.tied:
        layers.append(_tied_comparison(init, architecture, rng))
        if form.readout == "exemplars":
            layers.append(_grouped(init, architecture, rng))
    depth = len(layers)
    activations = [form.activation] * (len(sizes) - 2) + [form.output_activation]
    layers += [
        Dense(*_arrays(init, n_in, n_out, rng), activation)
        for (n_in, n_out), activation in zip(
            pairwise(sizes[depth:]), activations[depth:], strict=True
        )
    ]
    return Network(tuple(layers))


def dense_network(
    init: str, sizes: Sequence[int], activation: str, rng: np.random.RandomState
) -> Network:
    """Draw, or fill, the weights of dense layers with an identity output.

    Parameters
    ----------
    init : {"random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
    sizes : sequence of int
        Width of the input and of every layer.
    activation : str
        Of the hidden layers.
    rng : numpy.random.RandomState

    Returns
    -------
    Network
        In double precision.
    """
    init = _usual(init, activation)
    activations = [activation] * (len(sizes) - 2) + ["identity"]
    layers = [
        Dense(*_arrays(init, n_in, n_out, rng), name)
        for (n_in, n_out), name in zip(pairwise(sizes), activations, strict=True)
    ]
    return Network(tuple(layers))


def _tied_comparison(
    init: str, architecture: Architecture, rng: np.random.RandomState
) -> TiedComparison:
    n, n_spare = architecture.n_exemplars, architecture.form.n_spare_units
    weights, bias = _arrays(init, architecture.n_features, n + n_spare, rng)
    if init in {"he_uniform", "glorot_uniform"}:
        weights[:, :n] /= np.sqrt(2.0)  # of two of them a comparison takes the difference
    table = cyclic_rivals(n, architecture.n_rivals)
    offsets = np.full(table.shape, float(init == "ones"))
    rivals = Rivals(table, n_spare)
    return TiedComparison(weights, bias, offsets, rivals, architecture.form.activation)


def _grouped(
    init: str, architecture: Architecture, rng: np.random.RandomState
) -> Grouped:
    n, m = architecture.n_exemplars, architecture.n_rivals
    n_in = m + architecture.form.n_spare_units  # that one neuron reads
    weights, bias = _arrays(init, n_in, n, rng)
    return Grouped(weights[:m].T, weights[m:], bias, architecture.form.activation)


def with_spare_units(
    layers: Sequence[Layer], n: int, rng: np.random.RandomState
) -> tuple[Layer, ...]:
    """Add n random units to the first layer, which the exemplar layer does not read yet.

    Parameters
    ----------
    layers : sequence of Layer
        Calculated hidden layers.
    n : int
    rng : numpy.random.RandomState

    Returns
    -------
    tuple of Layer
    """
    n_in, init = layers[0].parameters[0].shape[0], _usual("random", layers[0].activation)
    weights, bias = _arrays(init, n_in, n, rng)

    def widened(layer: Layer) -> Layer:
        if isinstance(layer, TiedComparison):
            return replace(
                layer,
                weights=np.concatenate([layer.weights, weights], axis=1),
                bias=np.concatenate([layer.bias, bias]),
                rivals=Rivals(layer.rivals.table, n),
            )
        if isinstance(layer, Grouped):
            return replace(layer, others=np.zeros((n, layer.n_out)))
        return layer

    return tuple(map(widened, layers))


def _usual(init: str, activation: str) -> str:
    if init != "random":
        return init
    return "he_uniform" if activation == "relu" else "glorot_uniform"


def _arrays(
    init: str, n_in: int, n_out: int, rng: np.random.RandomState
) -> tuple[Floats, Floats]:
    """Weights (n_in, n_out) and bias (n_out,) of a layer."""
    if init in {"zeros", "ones"}:
        value = float(init == "ones")
        return np.full((n_in, n_out), value), np.full(n_out, value)
    bound = _bound(init, n_in, n_out)
    weights = rng.uniform(-bound, bound, (n_in, n_out))
    if init == "uniform":
        return weights, rng.uniform(-bound, bound, n_out)
    return weights, np.zeros(n_out)


def _bound(init: str, n_in: int, n_out: int) -> float:
    """Return half the width of the uniform distribution that weights are drawn from.

    He: ``sqrt(6 / n_in)`` (K. He, X. Zhang, S. Ren, J. Sun, ICCV 2015). Glorot:
    ``sqrt(6 / (n_in + n_out))`` (X. Glorot, Y. Bengio, AISTATS 2010). Uniform: 1/2, as
    in the source of the method, where biases are drawn too.
    """
    if init == "he_uniform":
        return float(np.sqrt(6.0 / max(n_in, 1)))
    if init == "glorot_uniform":
        return float(np.sqrt(6.0 / max(n_in + n_out, 1)))
    return 0.5
