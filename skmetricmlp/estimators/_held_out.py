"""How far to train: judged by a second network that has not seen some of the rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from skmetricmlp._array_api import device_of, map_arrays, to_numpy
from skmetricmlp._data import TrainingData, distinct_rows
from skmetricmlp._state import FitState
from skmetricmlp._typing import Ints
from skmetricmlp.network import to_training
from skmetricmlp.training import (
    History,
    TrainingConfig,
    best_share,
    kept_and_held_out,
    train,
)

__all__ = ["held_out_share"]

START = 0.0, 1.0  # its share, and the factor of its output
# From rows on the host, and their positions among all rows.
Initialize: TypeAlias = Callable[[TrainingData, Ints, np.random.RandomState], FitState]


def held_out_share(
    initialize: Initialize,
    rows: TrainingData,
    training: TrainingConfig,
    rng: np.random.RandomState,
) -> tuple[float, float]:
    """Return how far training should move the start, by rows that it has not seen.

    Parameters
    ----------
    initialize : callable
        From rows, their positions and a generator to a start.
    rows : TrainingData
        Encoded, on any device.
    training : TrainingConfig
    rng : numpy.random.RandomState
        It is used up.

    Returns
    -------
    share : float
        One of :data:`~skmetricmlp.training.held_out.SHARES`. It is 0 if no row can be
        held out, or no start is made of the others.
    factor : float
        Of the output at that share.

    Raises
    ------
    KeyboardInterrupt
        If the second training is interrupted.
    """
    on_host = TrainingData(*map(to_numpy, rows))
    kept, held_out = kept_and_held_out(distinct_rows(*on_host))
    if not len(held_out.index):
        return START
    part, judges = (_in_precision(some.data(), on_host) for some in (kept, held_out))
    mean_weight = float(np.mean(part.sample_weight, dtype=np.float64))
    training = replace(
        training, objective=replace(training.objective, mean_weight=mean_weight)
    )
    device = device_of(rows.X)
    with warnings.catch_warnings(action="ignore"):  # all rows warn of the same
        try:
            made = initialize(part, kept.index, rng)
        except ValueError:  # a start needs more rows than these
            return START
        start = map_arrays(device.move, made.network)
        if made.scaling:
            start = to_training(start, made.scaling)
        part, judges = (TrainingData(*map(device.move, data)) for data in (part, judges))
        end, _, _, reason = train(start, None, History(), part, training, rng)
    if reason == "interrupted":
        raise KeyboardInterrupt
    return best_share(start, end, judges, training.objective.loss)


def _in_precision(data: TrainingData, rows: TrainingData) -> TrainingData:
    """Return data with targets and weights in the precision that those of rows have."""
    X, y, sample_weight = data
    return TrainingData(
        X, y.astype(rows.y.dtype), sample_weight.astype(rows.sample_weight.dtype)
    )
