"""Read-only arrays and networks of random weights, for the tests of several layers."""

from itertools import pairwise

import numpy as np

from skmetricmlp.network import Dense, Network


def read_only(values, dtype=float):
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


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
