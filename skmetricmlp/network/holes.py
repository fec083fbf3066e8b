"""Rows with values that are missing where none was in the training data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skmetricmlp._typing import Array, Floats
from skmetricmlp.network.layers import ClippedInput
from skmetricmlp.network.network import Network

__all__ = ["reading_holes"]


def reading_holes(
    network: Network, X: Array, stand_ins: Floats, middles: Floats | None
) -> tuple[Network, Array]:
    """Return rows without holes, and the network that reads them.

    A neuron reads a missing feature where it tells nothing: in the middle between the
    two exemplars that it compares. So its sum is that over the features that are known.

    Parameters
    ----------
    network : Network
        With a dense first layer, in NumPy.
    X : array of shape (n, d)
        With NaN where a value is missing.
    stand_ins : array of shape (d,)
        What is written in the place of missing values.
    middles : array of shape (n_neurons, d) or None
        Where each neuron reads a missing feature; None for the stand-in.

    Returns
    -------
    network : Network
        It reads a column more for each feature with holes, which tells of them.
    X : array of shape (n, d + n_features_with_holes)
    """
    holes = np.isnan(X)
    columns = np.flatnonzero(holes.any(axis=0))
    filled = np.where(holes, stand_ins.astype(X.dtype), X)
    if middles is None:
        return network, filled
    first, *others = network.layers
    inner: Any = first.layer if isinstance(first, ClippedInput) else first
    weights, *rest = inner.parameters
    if isinstance(first, ClippedInput):
        stand_ins = np.clip(stand_ins, first.low, first.high)
    moves = (middles[:, columns] - stand_ins[columns]).T
    added = (weights[columns] * moves).astype(weights.dtype)
    inner = inner.with_parameters([np.concatenate([weights, added]), *rest])
    if isinstance(first, ClippedInput):
        flags = np.zeros(len(columns), first.low.dtype), np.ones(len(columns))
        low, high = (
            np.concatenate([bound, flag]).astype(bound.dtype)
            for bound, flag in zip((first.low, first.high), flags, strict=True)
        )
        inner = replace(first, layer=inner, low=low, high=high)
    flags_of_rows = holes[:, columns].astype(X.dtype)
    return Network((inner, *others)), np.concatenate([filled, flags_of_rows], axis=1)
