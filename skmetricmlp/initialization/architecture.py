"""How large a network is, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.pairs import n_pairs_per_exemplar
from skmetricmlp.network import n_conjunctive

__all__ = ["layer_sizes", "n_parameters", "weight_shapes"]


def layer_sizes(
    config: NetworkConfig, n_features: int, counts: Sequence[int], n_outputs: int
) -> list[int]:
    """Width of the input and of every layer.

    Parameters
    ----------
    config : NetworkConfig
    n_features : int
    counts : sequence of int, of length n_classes
        Exemplars of each class; of all of them without classes.
    n_outputs : int

    Returns
    -------
    list of int

    Examples
    --------
    >>> from skmetricmlp.initialization import NetworkConfig
    >>> layer_sizes(NetworkConfig(n_neighbors=1), 784, (3,) * 10, 10)
    [784, 870, 30, 10]
    >>> layer_sizes(NetworkConfig(), 784, (3,) * 10, 10)
    [784, 1599, 10]
    """
    if config.is_linear:
        return [n_features, n_outputs]
    if config.n_neighbors is None:
        width = n_conjunctive(config.n_comparisons, config.n_shifts)
        return [n_features, width, n_outputs]
    n = sum(counts)
    hidden = [n * n_pairs_per_exemplar(config.pairs, np.array(counts)), n]
    if config.n_neighbors > 1 and config.has_classes:
        hidden.append(n_outputs * (n_outputs - 1))
    return [n_features, *hidden, n_outputs]


def weight_shapes(
    config: NetworkConfig, n_features: int, counts: Sequence[int], n_outputs: int
) -> list[tuple[int, int]]:
    """Shape of the weights of every layer, if none are shared.

    Conjunctions have no weights of their own.

    Examples
    --------
    >>> from skmetricmlp.initialization import NetworkConfig
    >>> weight_shapes(NetworkConfig(), 784, (3,) * 10, 10)
    [(784, 800), (1599, 10)]
    """
    sizes = layer_sizes(config, n_features, counts, n_outputs)
    shapes = list(pairwise(sizes))
    if config.n_neighbors is None and not config.is_linear:
        shapes[0] = n_features, config.n_comparisons
    return shapes


def n_parameters(
    config: NetworkConfig, n_features: int, counts: Sequence[int], n_outputs: int
) -> int:
    """Return the number of weights and biases, those that are shared counted once.

    Examples
    --------
    >>> from skmetricmlp.initialization import NetworkConfig
    >>> n_parameters(NetworkConfig(n_neighbors=1), 784, (3,) * 10, 10)
    709390
    """
    shapes = weight_shapes(config, n_features, counts, n_outputs)
    of_layers = [(n_in + 1) * n_out for n_in, n_out in shapes]
    if config.tied:
        n, n_pairs = sum(counts), shapes[0][1]
        of_layers[0] = (n_features + 1) * n + n_pairs
        of_layers[1] = n_pairs + n
    return sum(of_layers)
