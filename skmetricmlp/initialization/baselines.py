"""Baselines: random, constant and given weights for the same architecture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from skmetricmlp._typing import Array, Floats
from skmetricmlp.initialization.architecture import layer_sizes
from skmetricmlp.initialization.config import NetworkConfig, Weights
from skmetricmlp.initialization.pairs import circulant_pairs, n_pairs_per_exemplar
from skmetricmlp.network import (
    Conjunctive,
    Dense,
    Grouped,
    Layer,
    Network,
    PairIncidence,
    Scaling,
    TiedComparison,
    unscaled,
)

__all__ = [
    "BASELINES",
    "baseline_network",
    "dense_layers",
    "given_network",
    "resolve_init",
    "weight_variance",
]


CONSTANTS = ("zeros", "ones")
BASELINES = ("random", "uniform", "glorot_uniform", "he_uniform", *CONSTANTS)


def baseline_network(
    config: NetworkConfig,
    n_features: int,
    counts: Sequence[int],
    n_outputs: int,
    rng: np.random.RandomState,
    scaling: Scaling | None = None,
) -> Network:
    """Draw, or fill, the weights of a network.

    Random weights of the first layer are drawn for scaled inputs, if a scaling is given,
    and then turned into those of the user's features. Constant ones are constant.

    Parameters
    ----------
    config : NetworkConfig
        Its ``init`` is one of :data:`BASELINES`: ``"random"`` is ``"he_uniform"`` with
        ReLU and ``"glorot_uniform"`` otherwise.
    n_features : int
    counts : sequence of int
        Exemplars of each class that the widths are made for.
    n_outputs : int
    rng : numpy.random.RandomState
    scaling : pair of arrays of shape (n_features,), optional

    Returns
    -------
    Network
        In double precision.
    """
    sizes = layer_sizes(config, n_features, counts, n_outputs)
    init = resolve_init(str(config.init), config.activation)
    layers: list[Layer] = []
    if config.n_neighbors is None and not config.is_linear:
        layers.append(_conjunctive(config, init, n_features, rng))
    elif config.tied:
        n, m = sum(counts), n_pairs_per_exemplar(config.pairs, np.array(counts))
        layers.append(_tied_comparison(config, init, n_features, n, m, rng))
        weights, bias = _arrays(init, m, n, rng)  # one unit reads m inputs
        layers.append(Grouped(weights.T, bias, config.activation))
    depth = len(layers)
    activations = [config.activation] * (len(sizes) - 2) + [config.output_activation]
    layers += dense_layers(init, sizes[depth:], activations[depth:], rng)
    if scaling and init not in CONSTANTS:
        layers[0] = unscaled(layers[0], scaling)
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
    init = resolve_init(init, activations[0])
    return [
        Dense(*_arrays(init, n_in, n_out, rng, draw_biases), activation)
        for (n_in, n_out), activation in zip(pairwise(sizes), activations, strict=True)
    ]


def _conjunctive(
    config: NetworkConfig, init: str, n_features: int, rng: np.random.RandomState
) -> Conjunctive:
    """Draw a layer of the form of the comparisons.

    Biases are drawn too, as MLPClassifier does: units with a fitted output are random
    features (A. Rahimi, B. Recht, NeurIPS 2007), or an extreme learning machine (G.-B.
    Huang, Q.-Y. Zhu, C.-K. Siew, Neurocomputing 70, 2006), and those through the mean of
    the data alone are weaker.
    """
    arrays = _arrays(init, n_features, config.n_comparisons, rng, draw_biases=True)
    return Conjunctive(*arrays, config.activation, config.n_shifts)


def _tied_comparison(
    config: NetworkConfig,
    init: str,
    n_features: int,
    n: int,
    m: int,
    rng: np.random.RandomState,
) -> TiedComparison:
    weights, bias = _arrays(init, n_features, n, rng)
    if init in {"he_uniform", "glorot_uniform"}:
        weights /= np.sqrt(2.0)  # a comparison is the difference of two of them
    pairs = PairIncidence(circulant_pairs(n, m))
    offsets = np.full(pairs.table.shape, float(init == "ones"))
    return TiedComparison(weights, bias, offsets, pairs, config.activation)


def resolve_init(init: str, activation: str) -> str:
    """Return ``init``, and for ``"random"`` the one that suits the activation.

    Weights that nothing is compared with are drawn as for ``"random"``.
    """
    if init not in {"random", "metric"}:
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


def given_network(
    init: Weights,
    shapes: Sequence[tuple[int, int]],
    activation: str,
    output_activation: str,
    n_shifts: int | None = None,
) -> Network:
    """Build a network from the weights of the user.

    Parameters
    ----------
    init : pair of sequences of arrays
        Weights (n_in, n_out) and biases (n_out,) of each layer. A softmax of two classes
        may be given as one output, the log odds of the second class.
    shapes : sequence of pairs of int
        Shape of the weights of every layer.
    activation, output_activation : str
        Of the hidden layers, and of the last.
    n_shifts : int, optional
        Conjunctions of each neuron of the first layer; that layer is dense by default.

    Raises
    ------
    ValueError
        If their shapes do not fit the network, or they are not finite.
    """
    try:
        coefs, intercepts = ([np.asarray(a, float) for a in arrays] for arrays in init)
    except (TypeError, ValueError) as error:
        msg = f"init=(coefs, intercepts) must be two lists of arrays: {error}"
        raise ValueError(msg) from error
    if output_activation == "softmax" and shapes[-1][1] == 2:
        coefs, intercepts = _two_outputs(coefs, intercepts)
    given = [c.shape for c in coefs], [b.shape for b in intercepts]
    expected = list(shapes), [(n_out,) for _, n_out in shapes]
    if given != expected:
        msg = (
            f"init=(coefs, intercepts) must have the shapes {expected[0]} and "
            f"{expected[1]}, got {given[0]} and {given[1]}"
        )
        raise ValueError(msg)
    if not all(np.isfinite(array).all() for array in (*coefs, *intercepts)):
        msg = "init=(coefs, intercepts) contains values that are not finite"
        raise ValueError(msg)
    activations = [activation] * (len(coefs) - 1) + [output_activation]
    arrays = zip(coefs, intercepts, activations, strict=True)
    layers: list[Layer] = [Dense(*layer) for layer in arrays]
    if n_shifts is not None:
        layers[0] = Conjunctive(coefs[0], intercepts[0], activation, n_shifts)
    return Network(tuple(layers))


def _two_outputs(
    coefs: list[Array], intercepts: list[Array]
) -> tuple[list[Array], list[Array]]:
    """Split one output, as MLPClassifier has for two classes, into one for each."""
    if not (coefs and intercepts and coefs[-1].shape[1:] == intercepts[-1].shape == (1,)):
        return coefs, intercepts
    halves = np.array([-0.5, 0.5])
    return [*coefs[:-1], coefs[-1] * halves], [*intercepts[:-1], intercepts[-1] * halves]
