"""The state that a fit leaves: what predicts, and what later calls continue from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skmetricmlp._array_api import map_arrays
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.metrics import Metric
from skmetricmlp.network import Network, Scaling
from skmetricmlp.training import History, Optimizer, StopReason

__all__ = ["FitState"]


@dataclass(frozen=True)
class FitState:
    """The network, what it was calculated from, and where its training stands.

    ``network`` and ``optimizer_state`` are on the device of X; everything else is on the
    host.

    Parameters
    ----------
    network : Network
        It reads the features and predicts ``y`` in the units of the user. Functions of
        ``initialization`` return it with outputs in training units.
    n_exemplars : int, default=0
        With a baseline, the number that its widths are made for.
    exemplars : Exemplars or None, default=None
        None where the weights are not calculated from exemplars, as for the next four.
    metric : Metric or None, default=None
    comparisons : Comparisons or None, default=None
        The exemplars and features that the neurons of the first layer compare.
    pairs : int array of shape (N, M) or None, default=None
        In the source's network, the exemplars that each exemplar is compared with.
    sample : pair of arrays of shapes (m, d) and (m,) or None, default=None
        A few rows of the training data and their weights, which the importance of
        features is calculated from.
    scaling : pair of arrays of shape (d,) or None, default=None
        Mean and scale of the inputs in training; None leaves inputs as they are.
    config : object
        Configuration of the network, with no ``"auto"`` left.
    recorded : mapping
        Parameters that must stay the same when training goes on; see
        :mod:`skmetricmlp._validation.warm_start`.
    targets : ClassTargets, LabelTargets, RegressionTargets or DomainTargets
        What the outputs mean.
    optimizer : Optimizer or None
    optimizer_state : object
        None if the next step begins anew.
    rates : sequence of float
        Learning rates of the last call, one per layer.
    history : History
    rng : numpy.random.RandomState or None
    reason : str
        Why training stopped.
    trained_share : float, default=0.0
        How far the last training has moved the weights it began with.
    stream : object
        Rows of a stream that has had few so far, or None.
    """

    network: Network
    n_exemplars: int = 0
    exemplars: Exemplars | None = None
    metric: Metric | None = None
    comparisons: Any = None
    pairs: Ints | None = None
    sample: tuple[Array, Floats] | None = None
    scaling: Scaling | None = None
    config: Any = None
    recorded: Mapping[str, tuple[Any, Any, str]] = field(default_factory=dict)
    targets: Any = None
    optimizer: Optimizer | None = None
    optimizer_state: Any = None
    rates: Sequence[float] = ()
    history: History = field(default_factory=History)
    rng: np.random.RandomState | None = None
    reason: StopReason = "max_epochs"
    trained_share: float = 0.0
    stream: Any = None

    @property
    def encoding(self) -> Any:
        """How the columns of the network are made of those of a table, or None."""
        return self.config and self.config.encoding

    def convert(self, converter: Callable[[Array], Array]) -> FitState:
        """Return the state with other arrays of the network and of the optimizer."""
        network, state = map_arrays(converter, (self.network, self.optimizer_state))
        return replace(self, network=network, optimizer_state=state)
