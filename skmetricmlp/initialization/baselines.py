"""Baselines: the usual random and constant weights, for a given architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from skmetricmlp._typing import Floats
from skmetricmlp.initialization.architecture import Architecture
from skmetricmlp.initialization.pairs import circulant_pairs
from skmetricmlp.network import (
    Dense,
    Grouped,
    Layer,
    Network,
    PairIncidence,
    TiedComparison,
)
from skmetricmlp.network.scaling import InputScaling

__all__ = [
    "BASELINES",
    "baseline_network",
    "dense_layers",
    "usual_init",
    "weight_variance",
    "with_random_units",
]


CONSTANTS = ("zeros", "ones")
BASELINES = ("random", "uniform", "glorot_uniform", "he_uniform", *CONSTANTS)


def baseline_network(
    init: str,
    architecture: Architecture,
    rng: np.random.RandomState,
    scaling: InputScaling | None = None,
) -> Network:
    """Draw, or fill, the weights of a network.

    Random weights of the first layer are drawn for scaled inputs, if a scaling is given,
    and then turned into those of the user's features; constant ones are constant.

    Parameters
    ----------
    init : {"random", "uniform", "glorot_uniform", "he_uniform", "zeros", "ones"}
        ``"random"`` is ``"he_uniform"`` with ReLU and ``"glorot_uniform"`` otherwise.
    architecture : Architecture
    rng : numpy.random.RandomState
    scaling : InputScaling, optional

    Returns
    -------
    Network
        In double precision.
    """
    form, sizes = architecture.form, architecture.sizes
    init = usual_init(init, form.activation)
    layers: list[Layer] = []
    if form.tied:
        layers.append(_tied_comparison(init, architecture, rng))
        if form.readout == "exemplars":
            layers.append(_grouped(init, architecture, rng))
    depth = len(layers)
    activations = [form.activation] * (len(sizes) - 2) + [form.output_activation]
    layers += dense_layers(init, sizes[depth:], activations[depth:], rng)
    if scaling and init not in CONSTANTS:
        layers[0] = scaling.unscaled(layers[0])
    return Network(tuple(layers))


def dense_layers(
    init: str,
    sizes: Sequence[int],
    activations: Sequence[str],
    rng: np.random.RandomState,
    draw_biases: bool = False,
) -> list[Dense]:
    """Draw, or fill, layers in which every neuron reads every input.

    Parameters
    ----------
    init : str
        One of :data:`BASELINES`.
    sizes : sequence of int
        Width of the input and of every layer.
    activations : sequence of str
        Of every layer; that of the first decides what ``"random"`` is.
    rng : numpy.random.RandomState
    draw_biases : bool, default=False
        Draw biases from the distribution of the weights beside them, where they would
        be zero.

    Returns
    -------
    list of Dense
        In double precision.
    """
    init = usual_init(init, activations[0])
    return [
        Dense(*_arrays(init, n_in, n_out, rng, draw_biases), activation)
        for (n_in, n_out), activation in zip(pairwise(sizes), activations, strict=True)
    ]


def _tied_comparison(
    init: str, architecture: Architecture, rng: np.random.RandomState
) -> TiedComparison:
    n, n_random = architecture.n_exemplars, architecture.form.n_random_units
    weights, bias = _arrays(init, architecture.n_features, n + n_random, rng)
    if init in {"he_uniform", "glorot_uniform"}:
        weights[:, :n] /= np.sqrt(2.0)  # of two of them a comparison takes the difference
    table = circulant_pairs(n, architecture.n_pairs_per_exemplar)
    offsets = np.full(table.shape, float(init == "ones"))
    pairs = PairIncidence(table, n_random)
    return TiedComparison(weights, bias, offsets, pairs, architecture.form.activation)


def _grouped(
    init: str, architecture: Architecture, rng: np.random.RandomState
) -> Grouped:
    n, m = architecture.n_exemplars, architecture.n_pairs_per_exemplar
    n_in = m + architecture.form.n_random_units  # that one neuron reads
    weights, bias = _arrays(init, n_in, n, rng)
    return Grouped(weights[:m].T, weights[m:], bias, architecture.form.activation)


def with_random_units(
    layers: Sequence[Layer],
    n: int,
    rng: np.random.RandomState,
    scaling: InputScaling | None = None,
) -> tuple[Layer, ...]:
    """Add n random units to the first layer, which the exemplar layer does not read yet.

    Parameters
    ----------
    layers : sequence of Layer
        Calculated hidden layers.
    n : int
    rng : numpy.random.RandomState
    scaling : InputScaling, optional
        Weights are drawn for scaled inputs.

    Returns
    -------
    tuple of Layer
    """
    activation = layers[0].activation
    n_in = layers[0].parameters[0].shape[0]
    units = Dense(*_arrays(usual_init("random", activation), n_in, n, rng), activation)
    weights, bias = (scaling.unscaled(units) if scaling else units).parameters

    def widened(layer: Layer) -> Layer:
        if isinstance(layer, TiedComparison):
            return replace(
                layer,
                weights=np.concatenate([layer.weights, weights], axis=1),
                bias=np.concatenate([layer.bias, bias]),
                pairs=PairIncidence(layer.pairs.table, n),
            )
        if isinstance(layer, Grouped):
            return replace(layer, others=np.zeros((n, layer.n_out)))
        return layer

    return tuple(map(widened, layers))


def usual_init(init: str, activation: str) -> str:
    """Return ``init``, or of ``"random"`` the one that suits the activation."""
    if init != "random":
        return init
    return "he_uniform" if activation == "relu" else "glorot_uniform"


def _arrays(
    init: str,
    n_in: int,
    n_out: int,
    rng: np.random.RandomState,
    draw_biases: bool = False,
) -> tuple[Floats, Floats]:
    """Weights (n_in, n_out) and bias (n_out,) of a layer."""
    if init in CONSTANTS:
        value = float(init == "ones")
        return np.full((n_in, n_out), value), np.full(n_out, value)
    bound = _bound(init, n_in, n_out)
    weights = rng.uniform(-bound, bound, (n_in, n_out))
    if draw_biases or init == "uniform":
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


def weight_variance(init: str, n_in: int, n_out: int) -> float:
    """Return the mean square that the weights of a layer have when they are drawn.

    Of uncorrelated inputs ``h_j`` the sum ``sum_j W_j h_j`` has the variance
    ``sum_j W_j^2 Var[h_j]``, so to keep it takes ``mean(W^2) = 1 / n_in``, and to keep
    that of the gradients ``1 / n_out``, whatever the mean of the weights: it counts for
    ``E[W^2]``, and Glorot and He, who have it zero, write ``Var[W]``. Between the two
    there is Glorot's ``2 / (n_in + n_out)``; He's ``2 / n_in`` makes up for the half of
    the mean square that ReLU takes away.

    Parameters
    ----------
    init : {"he_uniform", "glorot_uniform", "uniform"}
    n_in, n_out : int

    Returns
    -------
    float

    Examples
    --------
    >>> print(f"{weight_variance('he_uniform', 8, 2):.3f}")
    0.250
    >>> print(f"{weight_variance('glorot_uniform', 8, 2):.3f}")
    0.200
    """
    return _bound(init, n_in, n_out) ** 2 / 3.0  # of the uniform distribution
