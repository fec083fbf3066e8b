"""How large a network is, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.pairs import n_pairs_per_exemplar

__all__ = ["layer_sizes", "n_parameters"]


def layer_sizes(
    config: NetworkConfig, n_features: int, counts: Sequence[int], n_outputs: int
) -> list[int]:
    """Width of the input and of every layer.

    Parameters
    ----------
    config : NetworkConfig
    n_features : int
    counts : sequence of int, of length n_classes
        Exemplars of each class; of all of them in a regression.
    n_outputs : int

    Returns
    -------
    list of int

    Examples
    --------
    >>> from skmetricmlp.initialization import NetworkConfig
    >>> source = NetworkConfig(n_neighbors=1, n_random_units=0)
    >>> layer_sizes(source, 784, (3,) * 10, 10)
    [784, 870, 30, 10]
    >>> layer_sizes(NetworkConfig(), 784, (3,) * 10, 10)
    [784, 1370, 10]
    """
    n = sum(counts)
    n_pairs = n * n_pairs_per_exemplar(config.pairs, np.array(counts))
    hidden = [n_pairs + config.n_random_units]
    if config.n_neighbors is not None:
        hidden.append(n)
        if config.n_neighbors > 1 and not config.is_regression:
            hidden.append(n_outputs * (n_outputs - 1))
    return [n_features, *hidden, n_outputs]


def n_parameters(
    config: NetworkConfig, n_features: int, counts: Sequence[int], n_outputs: int
) -> int:
    """Return the number of weights and biases, those that are shared counted once.

    Examples
    --------
    >>> from skmetricmlp.initialization import NetworkConfig
    >>> n_parameters(NetworkConfig(n_neighbors=1, n_random_units=0), 784, (3,) * 10, 10)
    709390
    """
    sizes = layer_sizes(config, n_features, counts, n_outputs)
    of_layers = [(n_in + 1) * n_out for n_in, n_out in pairwise(sizes)]
    if config.tied:
        n, n_random = sum(counts), config.n_random_units
        n_pairs = sizes[1] - n_random
        of_layers[0] = (n_features + 1) * (n + n_random) + n_pairs
        if config.n_neighbors is not None:
            of_layers[1] = n_pairs + n
    return sum(of_layers)
