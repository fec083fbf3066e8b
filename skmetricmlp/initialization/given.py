"""Weights that the user supplies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from skmetricmlp._typing import Array
from skmetricmlp.network import Dense, Network

__all__ = ["Weights", "given_network"]

Weights = tuple[Sequence[Array], Sequence[Array]]


def given_network(
    init: Weights, sizes: Sequence[int], activation: str, output_activation: str
) -> Network:
    """Build a network of weights that the user supplies.

    Parameters
    ----------
    init : pair of sequences of arrays
        Weights (n_in, n_out) and biases (n_out,) of each layer. With a softmax of two
        classes there may be one output, the log odds of the second.
    sizes : sequence of int
        Width of the input and of every layer.
    activation, output_activation : str
        Of the hidden layers, and of the last.

    Raises
    ------
    ValueError
        If their shapes do not fit, or they are not finite.
    """
    try:
        coefs, intercepts = ([np.asarray(a, float) for a in arrays] for arrays in init)
    except (TypeError, ValueError) as error:
        msg = f"init=(coefs, intercepts) must be two lists of arrays: {error}"
        raise ValueError(msg) from error
    if output_activation == "softmax" and sizes[-1] == 2:
        coefs, intercepts = _two_outputs(coefs, intercepts)
    given = [c.shape for c in coefs], [b.shape for b in intercepts]
    expected = list(pairwise(sizes)), [(width,) for width in sizes[1:]]
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
    layers = zip(coefs, intercepts, activations, strict=True)
    return Network(tuple(Dense(*layer) for layer in layers))


def _two_outputs(
    coefs: list[Array], intercepts: list[Array]
) -> tuple[list[Array], list[Array]]:
    """Split one output, as MLPClassifier has for two classes, into one for each."""
    if not (coefs and intercepts and coefs[-1].shape[1:] == intercepts[-1].shape == (1,)):
        return coefs, intercepts
    halves = np.array([-0.5, 0.5])
    return [*coefs[:-1], coefs[-1] * halves], [*intercepts[:-1], intercepts[-1] * halves]
