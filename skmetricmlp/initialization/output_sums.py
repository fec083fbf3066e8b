"""The output layer from sums over rows, which can be added up in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import gen_batches

from skmetricmlp._array_api import HOST, Device, map_arrays
from skmetricmlp._data import TrainingData, rows_per_batch
from skmetricmlp._typing import Array, Floats
from skmetricmlp.initialization.build import (
    RIDGE_ROWS,
    hidden_values,
    least_deviation,
)
from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.least_squares import Sums, normal_equations, summed
from skmetricmlp.initialization.output_layer import ridge_of_sums, scaled_classifier
from skmetricmlp.initialization.row_sample import RowSample
from skmetricmlp.network import Dense, Layer, Network, forward

__all__ = ["KEPT_ROWS", "OutputSums"]

# So many rows are kept, of which a part is left out one at a time: enough of them stay
# when rows are taken away.
KEPT_ROWS = 5000
# Sums lose digits when rows are taken away: so much of the weight has to stay.
LEAST_SHARE = 1e-4
# And so many rows of the sample, if it lacks any: fewer choose the ridge by luck.
LEAST_ROWS = 50


@dataclass(frozen=True)
class OutputSums:
    """The hidden layers of a network, and what its output layer needs of the rows.

    Parameters
    ----------
    layers : tuple of Layer
        The hidden layers.
    center : array of shape (n_hidden,)
        About the mean of the hidden values.
    sums : Sums
        Over all rows so far.
    sample : RowSample
        Of all rows so far.
    greatest : float
        The greatest sum of weights so far.
    """

    layers: tuple[Layer, ...]
    center: Floats
    sums: Sums
    sample: RowSample
    greatest: float = 0.0

    @classmethod
    def without_rows(
        cls, layers: tuple[Layer, ...], reference: TrainingData, n_targets: int
    ) -> OutputSums:
        """Return sums over no rows, centered at the mean of the reference rows."""
        n, width = len(reference.y), layers[-1].n_out
        totals = (
            hidden_values(layers, reference.X[rows]).sum(axis=0, dtype=np.float64)
            for rows in gen_batches(n, rows_per_batch(width))
        )
        center, nothing = sum(totals, np.zeros(width)) / n, slice(0)
        sums = Sums.of_no_rows(len(center), n_targets)
        few = TrainingData(*(part[nothing] for part in reference))
        few = few._replace(sample_weight=np.zeros(0))
        return cls(layers, center, sums, RowSample(np.zeros(0), few, KEPT_ROWS))

    def plus_rows(
        self,
        data: TrainingData,
        targets: Floats,
        factor: float = 1.0,
        device: Device = HOST,
    ) -> OutputSums:
        """Return the sums with ``factor`` times those of some rows.

        Parameters
        ----------
        data : TrainingData
            On the host, with positive weights.
        targets : array of shape (n, n_targets)
            Classes, one-hot, or values.
        factor : float
            -1 takes the rows away.
        device : Device
            Where the products of matrices are calculated, in double precision.
        """
        n = len(data.sample_weight)
        X, layers, values = data.X, self.layers, hidden_values
        if device != HOST:
            values = _forward
            X = device.move(X)
            layers = Network(map_arrays(device.move, layers)).astype(X.dtype).layers
        blocks = (
            values(layers, X[rows, :])
            for rows in gen_batches(n, rows_per_batch(len(self.center)))
        )
        so_far = self.center, self.sums
        sums = summed(blocks, targets, data.sample_weight, *so_far, factor, device)
        sample = RowSample.of(data, KEPT_ROWS if factor > 0 else n)
        return self._with(sums, self.sample.plus(sample, factor), factor)

    def plus(self, other: OutputSums) -> OutputSums:
        """Return the sums over the rows of both."""
        return self._with(self.sums.plus(other.sums), self.sample.plus(other.sample))

    def scaled(self, factor: float) -> OutputSums:
        """Return the sums with all weights times a factor."""
        return replace(
            self,
            sums=self.sums.scaled(factor),
            sample=self.sample.scaled(factor),
            greatest=factor * self.greatest,
        )

    def _with(self, sums: Sums, sample: RowSample, factor: float = 1.0) -> OutputSums:
        """Return other sums, if they have enough digits, with the same hidden layers."""
        greatest = max(self.greatest, sums.weight)
        if factor < 0 and not sums.weight >= LEAST_SHARE * greatest:
            msg = (
                f"{sums.weight / greatest:.2g} of the weight of all rows would be left, "
                f"of which the sums have lost the digits. At least {LEAST_SHARE:g} of it "
                f"has to stay: call fit with the rows that stay"
            )
            raise ValueError(msg)
        if factor < 0 and len(sample.keys) < LEAST_ROWS and not sample.is_complete:
            msg = (
                f"{len(sample.keys)} rows of the sample would be left, and at least "
                f"{LEAST_ROWS} choose the ridge: call fit with the rows that stay"
            )
            raise ValueError(msg)
        return replace(self, sums=sums, sample=sample, greatest=greatest)

    def output(self, config: NetworkConfig, encode: Callable[[Array], Floats]) -> Dense:
        """Fit the output layer.

        Parameters
        ----------
        config : NetworkConfig
        encode : callable
            From ``y`` of the sample to targets (m, n_targets).

        Returns
        -------
        Dense
        """
        rows = self.sample.first(RIDGE_ROWS).data
        hidden = hidden_values(self.layers, rows.X)
        equations = normal_equations(self.sums, self.center, least_deviation(self.layers))
        few = hidden, encode(rows.y), rows.sample_weight
        fit = ridge_of_sums(equations, self.sample.n_distinct, few)
        W, b, _ = fit
        if not config.is_regression:
            W, b = scaled_classifier(fit, rows.y, few[2], config.loss)
        return Dense(W, b, config.output_activation)

    def has_layers_of(self, other: OutputSums) -> bool:
        """Whether the hidden layers are the same."""
        pairs = zip(_parameters(self), _parameters(other), strict=False)
        return len(self.layers) == len(other.layers) and all(
            np.array_equal(mine, theirs) for mine, theirs in pairs
        )


def _forward(layers: tuple[Layer, ...], X: Array) -> Array:
    """Values of the last hidden layer in any namespace."""
    for layer in layers:
        X = forward(layer, X)
    return X


def _parameters(sums: OutputSums) -> list[Array]:
    """All numbers of the hidden layers."""
    return [array for layer in sums.layers for array in layer.parameters]
