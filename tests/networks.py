"""Networks of random weights, and batches, for several tests."""

from itertools import pairwise

import numpy as np
from factories import read_only
from sklearn import config_context

from skmetricmlp._data import TrainingData
from skmetricmlp.network import Dense, Network

__all__ = ["random_batch", "random_network", "read_only", "temporaries_of"]


def temporaries_of(n_numbers):
    """Let a temporary array have at most so many numbers of double precision."""
    return config_context(working_memory=8 * n_numbers / 2**20)


def random_network(widths, activation="tanh", output="softmax", seed=0):
    rng = np.random.default_rng(seed)
    activations = [activation] * (len(widths) - 2) + [output]
    layers = [
        Dense(
            read_only(rng.normal(size=shape)), read_only(rng.normal(size=shape[1])), name
        )
        for shape, name in zip(pairwise(widths), activations, strict=True)
    ]
    return Network(tuple(layers))


def random_batch():
    """Nine rows of four features, three classes, weights between 1/2 and 2."""
    rng = np.random.default_rng(1)
    return TrainingData(
        read_only(rng.normal(size=(9, 4))),
        read_only(np.arange(9) % 3, int),
        read_only(rng.uniform(0.5, 2, 9)),
    )
