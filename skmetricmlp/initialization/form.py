"""The form of the network that the parameters of an estimator ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skmetricmlp.network import LOSSES

__all__ = ["Form", "form_of"]

# Comparisons of N exemplars see N-1 directions of the input and bend at the borders
# between exemplars. Random units see the rest; docs/benchmarks.md has what they do.
N_RANDOM_UNITS = 500
# Ways to fit the last layer, and those in which it carries what the exemplars stand for.
FITTED_OUTPUTS = ("ridge", "logistic", "norm_constrained")
CARRIED_OUTPUTS = ("votes", "values")


@dataclass(frozen=True)
class Form:
    """Of a network: parameters of an estimator, with no ``"auto"`` among them.

    An ``output_init`` of ``"init"`` is that of a network that is not calculated, and
    whose output is drawn or given as the other layers are.
    """

    readout: str
    n_neighbors: int
    activation: str
    sharpness: float
    output_init: str
    n_random_units: int
    tied: bool
    pairs: int | str
    loss: str

    @property
    def output_activation(self) -> str:
        """Activation of the last layer."""
        return LOSSES[self.loss].output_activation

    @property
    def has_values(self) -> bool:
        """Whether values are predicted, and not classes."""
        return self.output_activation == "identity"

    @property
    def has_fitted_output(self) -> bool:
        """Whether the last layer is fitted to the training rows."""
        return self.output_init in FITTED_OUTPUTS

    @property
    def counts_votes(self) -> bool:
        """Whether each exemplar neuron is one or zero, a vote for its class or none."""
        return self.activation == "step" and self.output_init == "votes"


def form_of(
    *,
    readout: str,
    n_neighbors: int,
    activation: str,
    output_init: str,
    n_random_units: int | str,
    loss: str,
    is_calculated: bool = True,
    n_given_layers: int = 0,
    **others: Any,
) -> Form:
    """Form that the parameters of an estimator ask for.

    Who asks for a vote of the nearest, by ``n_neighbors``, ``activation`` or
    ``output_init``, gets one; weights that are given have the form that they have.

    Examples
    --------
    >>> parameters = dict(
    ...     readout="auto", n_neighbors=1, activation="relu", sharpness=1.0,
    ...     output_init="auto", n_random_units="auto", tied=False, pairs="all",
    ...     loss="log_loss",
    ... )
    >>> form_of(**parameters).output_init
    'ridge'
    >>> form_of(**{**parameters, "n_neighbors": 3}).output_init
    'votes'
    """
    if readout == "auto":
        of_nearest = n_neighbors > 1 or activation == "step"
        of_nearest = of_nearest or output_init in CARRIED_OUTPUTS
        readout = "exemplars" if of_nearest or n_given_layers > 2 else "comparisons"
    if not is_calculated and output_init not in FITTED_OUTPUTS:
        output_init = "init"
    if output_init == "auto":
        has_values = LOSSES[loss].output_activation == "identity"
        carried = "values" if has_values else "votes"
        output_init = carried if readout == "exemplars" else "ridge"
    if isinstance(n_random_units, str):
        n_random_units = 0 if readout == "exemplars" else N_RANDOM_UNITS
    return Form(
        readout=readout,
        n_neighbors=n_neighbors,
        activation=activation,
        output_init=output_init,
        n_random_units=n_random_units,
        loss=loss,
        **others,
    )
