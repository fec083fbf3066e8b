"""How large the network of a form is, before there is one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skmetricmlp.initialization.form import Form
from skmetricmlp.initialization.pairs import n_pairs_per_exemplar

__all__ = ["Architecture"]


@dataclass(frozen=True)
class Architecture:
    """A form, for so many features, exemplars of each class, and outputs.

    There is an output for each class, unless ``n_values`` says how many values there are
    to predict; all exemplars are then of one class.

    Examples
    --------
    >>> from skmetricmlp.initialization.form import Form
    >>> form = Form("exemplars", 1, "relu", 1.0, "votes", 0, False, "all", "log_loss")
    >>> Architecture(form, 784, (3,) * 10).sizes
    [784, 870, 30, 10]
    >>> Architecture(form, 784, (3,) * 10).n_parameters
    709390
    """

    form: Form
    n_features: int
    counts: tuple[int, ...]
    n_values: int | None = None

    @property
    def n_outputs(self) -> int:
        """Width of the last layer."""
        return len(self.counts) if self.n_values is None else self.n_values

    @property
    def n_exemplars(self) -> int:
        """N, of all classes."""
        return sum(self.counts)

    @property
    def n_pairs_per_exemplar(self) -> int:
        """M, the exemplars that each exemplar is compared with."""
        return n_pairs_per_exemplar(self.form.pairs, np.array(self.counts))

    @property
    def sizes(self) -> list[int]:
        """Width of the input and of every layer."""
        form, n_outputs = self.form, self.n_outputs
        hidden = [self.n_exemplars * self.n_pairs_per_exemplar + form.n_random_units]
        if form.readout == "exemplars":
            hidden.append(self.n_exemplars)
        if form.n_neighbors > 1 and self.n_values is None:
            hidden.append(n_outputs * (n_outputs - 1))
        return [self.n_features, *hidden, n_outputs]

    @property
    def n_parameters(self) -> int:
        """Weights and biases, those that comparisons share counted once."""
        of_layers = [(n_in + 1) * n_out for n_in, n_out in pairwise(self.sizes)]
        if self.form.tied:
            n, n_random = self.n_exemplars, self.form.n_random_units
            n_comparisons = n * self.n_pairs_per_exemplar
            of_layers[0] = (self.n_features + 1) * (n + n_random) + n_comparisons
            if self.form.readout == "exemplars":
                of_layers[1] = n_comparisons + (n_random + 1) * n
        return sum(of_layers)
