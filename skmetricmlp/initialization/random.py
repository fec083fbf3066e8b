"""Baselines: the usual random and constant weights, for a given architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from skmetricmlp.network import Dense, Network

__all__ = ["BASELINES", "baseline_network", "layer_sizes", "with_spare_units"]

BASELINES = ("random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones")


def layer_sizes(
    n_features: int,
    n_exemplars: int,
    n_classes: int,
    n_neighbors: int = 1,
    readout: str = "exemplars",
    n_spare_units: int = 0,
) -> list[int]:
    """Width of the input and of every layer of the network of N exemplars.

    Examples
    --------
    >>> layer_sizes(64, 30, 10)
    [64, 870, 30, 10]
    >>> layer_sizes(64, 30, 10, n_neighbors=3)
    [64, 870, 30, 90, 10]
    >>> layer_sizes(64, 30, 10, readout="comparisons", n_spare_units=500)
    [64, 1370, 10]
    """
    hidden = [n_exemplars * (n_exemplars - 1) + n_spare_units]
    if readout == "exemplars":
        hidden.append(n_exemplars)
    if n_neighbors > 1:
        hidden.append(n_classes * (n_classes - 1))
    return [n_features, *hidden, n_classes]


def baseline_network(
    init: str,
    sizes: Sequence[int],
    activation: str,
    output_activation: str,
    rng: np.random.RandomState,
) -> Network:
    """Draw, or fill, the weights of a network.

    Parameters
    ----------
    init : {"random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
        ``"random"`` is ``"he_uniform"`` with ReLU and ``"glorot_uniform"`` otherwise.
    sizes : sequence of int
        Width of the input and of every layer.
    activation, output_activation : str
        Of the hidden layers and of the last one.
    rng : numpy.random.RandomState

    Returns
    -------
    Network
        In double precision.
    """
    init = _usual(init, activation)
    activations = [activation] * (len(sizes) - 2) + [output_activation]
    return Network(
        tuple(
            _layer(init, n_in, n_out, f, rng)
            for (n_in, n_out), f in zip(pairwise(sizes), activations, strict=True)
        )
    )


def with_spare_units(network: Network, n: int, rng: np.random.RandomState) -> Network:
    """Add n random units to the first layer, which nothing reads yet.

    The network is the same function. Training can make use of them.

    Parameters
    ----------
    network : Network
        Of two layers or more.
    n : int
    rng : numpy.random.RandomState

    Returns
    -------
    Network
    """
    first, second, *upper = network.layers
    n_in, activation = first.weights.shape[0], first.activation
    spare = _layer(_usual("random", activation), n_in, n, activation, rng)
    unread = np.zeros((n, second.weights.shape[1]))
    widened = Dense(
        np.concatenate([first.weights, spare.weights], axis=1),
        np.concatenate([first.bias, spare.bias]),
        activation,
    )
    reading = replace(second, weights=np.concatenate([second.weights, unread]))
    return Network((widened, reading, *upper))


def _usual(init: str, activation: str) -> str:
    if init != "random":
        return init
    return "he_uniform" if activation == "relu" else "glorot_uniform"


def _layer(
    init: str, n_in: int, n_out: int, activation: str, rng: np.random.RandomState
) -> Dense:
    if init in {"zeros", "ones"}:
        value = float(init == "ones")
        return Dense(np.full((n_in, n_out), value), np.full(n_out, value), activation)
    bound = _bound(init, n_in, n_out)
    weights = rng.uniform(-bound, bound, (n_in, n_out))
    if init == "uniform":
        return Dense(weights, rng.uniform(-bound, bound, n_out), activation)
    return Dense(weights, np.zeros(n_out), activation)


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
