"""From the parameters of an estimator to a network that is made of basis networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmetricmlp._data import distinct_rows
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import MadeWith
from skmetricmlp.basis import basis_network, hidden_width, n_polynomials
from skmetricmlp.estimators._targets import Function
from skmetricmlp.initialization import Start, dense_layers, given_network, training_budget
from skmetricmlp.network import Network
from skmetricmlp.training import Batch

__all__ = ["BasisInitialization"]


USUAL_RATE, FITTED_RATE = 1e-3, 1e-4
# Parameters that decide what a network is and how it is made.
MADE_OF = ("init", "degree", "n_parts", "domain", "loss")


@dataclass(frozen=True)
class BasisInitialization:
    """Parameters of an estimator, checked, and the function that it is to be."""

    parameters: Mapping[str, Any]
    outputs: Function

    @property
    def rate(self) -> float:
        """Step size where none is given."""
        return FITTED_RATE if self._is_assembled else USUAL_RATE

    @property
    def is_of_rows(self) -> bool:
        """Whether weights are calculated from rows."""
        return self._is_assembled

    @property
    def n_needed(self) -> int:
        """Distinct rows that it takes at the least: one for each polynomial."""
        form = self.parameters["degree"], self.parameters["n_parts"]
        return n_polynomials(len(self.outputs.domain), *form)

    @property
    def _is_assembled(self) -> bool:
        init = self.parameters["init"]
        return isinstance(init, str) and init == "basis"

    @property
    def _reference(self) -> NDArray[np.float64]:
        """Domain (d, 2) of the rows, which are mapped."""
        return np.tile([-1.0, 1.0], (len(self.outputs.domain), 1))

    @property
    def _sizes(self) -> list[int]:
        form = self.parameters["degree"], self.parameters["n_parts"]
        d, n_outputs = len(self.outputs.domain), len(self.outputs.values.mean)
        return [d, hidden_width(d, *form), n_outputs]

    def of_young_stream(self) -> BasisInitialization:
        """Return the same: the width does not depend on the rows."""
        return self

    @property
    def made_with(self) -> MadeWith:
        """Parameters that cannot change when training goes on."""
        return MadeWith.of({name: self.parameters[name] for name in MADE_OF})

    def suffices(self, present: Start, targets: Array) -> bool:
        """Say that the present network does for any rows."""
        del present, targets
        return True

    def make(
        self, present: Start | None, rows: Batch, index: Ints, rng: np.random.RandomState
    ) -> Start:
        """Assemble, draw or take over a network, on the host."""
        del present, index
        self._check_memory(rows.X.dtype)
        return Start(self._network(rows, rng).astype(rows.X.dtype), 0, None)

    def _network(self, rows: Batch, rng: np.random.RandomState) -> Network:
        init, sizes = self.parameters["init"], self._sizes
        if self._is_assembled:
            # Of equal rows the mean: to count a row twice is to give it twice.
            distinct = distinct_rows(*rows)
            return basis_network(
                rows.X[distinct.index],
                distinct.y,
                distinct.sample_weight,
                degree=self.parameters["degree"],
                domain=self._reference,
                n_parts=self.parameters["n_parts"],
            )
        if isinstance(init, str):
            return Network(tuple(dense_layers(init, sizes, ("gelu", "identity"), rng)))
        return self.outputs.standardized(given_network(init, sizes, "gelu", "identity"))

    def _check_memory(self, dtype: Any) -> None:
        """Refuse a network whose training takes more than half of the memory there is."""
        d, n_hidden, n_outputs = self._sizes
        budget = training_budget("auto", self.parameters["solver"])
        held = np.dtype(dtype).itemsize * budget.copies + 8 * budget.doubles
        if (d + 1 + n_outputs) * n_hidden * held > budget.limit:
            msg = (
                f"X has {d} features, which with degree={self.parameters['degree']} and "
                f"n_parts={self.parameters['n_parts']} make {n_hidden:,} hidden units, "
                f"and more weights than there is memory for: choose fewer"
            )
            raise ValueError(msg)
