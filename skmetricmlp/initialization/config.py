"""What a network is and how its weights are made: the parameters of an estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from skmetricmlp._typing import Array
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.network import LOSSES
from skmetricmlp.tables import TableEncoding

__all__ = ["FITTED_OUTPUTS", "NetworkConfig", "Weights"]

Weights: TypeAlias = tuple[Sequence[Array], Sequence[Array]]

FITTED_OUTPUTS = ("ridge", "logistic", "norm_constrained")
# Learning rates where none is given: usually that of MLPClassifier. The first steps of
# Adam move each weight by as much. Where the output is fitted, and right already, that
# loses the fit on wide data, unless the rate falls to zero and the fit is found again.
USUAL_RATE, FITTED_RATE = 1e-3, 3e-4
# Rows per step where no number is given: so many steps in an epoch of few rows.
LEAST_BATCH, MOST_BATCH, STEPS = 32, 200, 64


@dataclass(frozen=True)
class NetworkConfig:
    """Configuration of a network; ``"auto"`` is resolved by :meth:`resolved`.

    The fields are parameters of :class:`~skmetricmlp.MetricInitMLPClassifier`, but
    ``loss`` is a key of :data:`~skmetricmlp.network.losses.LOSSES`, ``exemplars`` are
    the given ones as :class:`Exemplars`, and ``output_init`` is None where the output
    layer is not fitted: it then takes votes, or is drawn or given like the other layers.
    ``feature_groups`` has the feature of each column, from 0 on, and ``encoding`` tells
    how the columns were made of those of a table.
    """

    init: str | Weights = "metric"
    n_exemplars: float | str | Mapping[Any, int] = 30
    exemplars: str | Exemplars | tuple[Any, Any] = "kmeans"
    metric: Any = "sqeuclidean"
    metric_params: Mapping[str, Any] | None = None
    n_neighbors: int | None = None
    activation: str = "relu"
    sharpness: float = 1.0
    output_init: str | None = "ridge"
    n_comparisons: int = 800
    n_conjunctions: int = 1
    max_features: float | str | None = "mixed"
    feature_groups: Any = None
    tied: bool = False
    pairs: int | str = "all"
    loss: str = "log_loss"
    encoding: TableEncoding | None = None

    @classmethod
    def resolved(
        cls,
        *,
        init: Any,
        metric: Any = "sqeuclidean",
        n_neighbors: int | None,
        output_init: str,
        **others: Any,
    ) -> NetworkConfig:
        """Return the configuration with a value for every ``"auto"``.

        Only the metric of a network of comparisons depends on the rows.

        Examples
        --------
        >>> parameters = dict(init="metric", output_init="auto")
        >>> NetworkConfig.resolved(n_neighbors=None, **parameters).output_init
        'ridge'
        >>> NetworkConfig.resolved(n_neighbors=3, **parameters).output_init is None
        True
        """
        is_calculated = isinstance(init, str) and init == "metric"
        if isinstance(metric, str) and metric == "auto" and n_neighbors is not None:
            metric = "sqeuclidean"
        fitted: str | None = output_init
        if output_init == "auto":
            fitted = "ridge" if is_calculated and n_neighbors is None else None
        return cls(
            init=init,
            metric=metric,
            n_neighbors=n_neighbors,
            output_init=fitted,
            **others,
        )

    @property
    def is_calculated(self) -> bool:
        """Whether the weights are calculated from exemplars."""
        is_metric = isinstance(self.init, str) and self.init == "metric"
        return is_metric and not self.is_linear

    @property
    def is_linear(self) -> bool:
        """Whether there is no hidden layer: the output reads the features."""
        return self.n_neighbors is None and self.n_comparisons == 0

    @property
    def n_shifts(self) -> int:
        """Conjunctions of each comparison, of which there are no more than others."""
        return max(0, min(self.n_conjunctions, self.n_comparisons - 1))

    @property
    def is_from_rows(self) -> bool:
        """Whether some weights are calculated from the training data."""
        return self.is_calculated or self.output_init is not None

    @property
    def output_activation(self) -> str:
        """Activation of the output layer."""
        return LOSSES[self.loss].output_activation

    @property
    def is_regression(self) -> bool:
        """Whether the outputs are values, and neither classes nor labels."""
        return LOSSES[self.loss].targets == "values"

    @property
    def has_classes(self) -> bool:
        """Whether the outputs are classes, of which each row has one."""
        return LOSSES[self.loss].targets == "classes"

    @property
    def counts_votes(self) -> bool:
        """Whether each unit of the exemplar layer is a vote: one or zero."""
        has_votes = self.is_calculated and self.n_neighbors is not None
        return has_votes and self.activation == "step" and not self.is_regression

    def default_batch_size(self, n_rows: int) -> int:
        """Rows per step where no number is given.

        Examples
        --------
        >>> [NetworkConfig().default_batch_size(n) for n in (100, 10_000, 60_000)]
        [32, 156, 200]
        """
        return min(MOST_BATCH, max(LEAST_BATCH, n_rows // STEPS))

    def default_rates(self, n_layers: int, *, falls: bool) -> list[float]:
        """One rate per layer where none is given; ``falls`` if they fall to zero.

        A fitted output is at its optimum, and the slower layer.
        """
        if self.output_init not in {"ridge", "logistic"}:
            return [USUAL_RATE] * n_layers
        hidden = USUAL_RATE if falls else FITTED_RATE
        return [*[hidden] * (n_layers - 1), FITTED_RATE]
