"""What the estimators with exemplars share: exemplars, their metric, explanations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import map_arrays, to_numpy
from skmetricmlp._typing import Array
from skmetricmlp._validation import (
    check_domain,
    check_features,
    check_metric_data,
    check_outputs,
    check_parameters,
    check_products,
    check_size,
    check_whole,
    takes_sparse,
    uses_metric,
)
from skmetricmlp.estimators._base import NetworkEstimator
from skmetricmlp.estimators._learning import Fitted
from skmetricmlp.estimators._metric_initialization import MetricInitialization
from skmetricmlp.initialization import Origin
from skmetricmlp.inspection.explanation import Explained, explain_rows
from skmetricmlp.metrics import METRICS

__all__ = ["MetricEstimator"]


class MetricEstimator(NetworkEstimator):
    """A network whose weights are calculated of exemplars, or a baseline of the form."""

    # Words that parameters take.
    _choices: ClassVar[Mapping[str, tuple[str, ...]]]
    _needs = "exemplars"

    def _check_parameters(self, parameters: Mapping[str, Any], *, trains: bool) -> None:
        check_parameters(parameters, self._choices, trains=trains)

    def _initialization(
        self, parameters: Mapping[str, Any], outputs: Any
    ) -> MetricInitialization:
        names = getattr(self, "feature_names_in_", None)
        return MetricInitialization(parameters, outputs, names)

    def _check_values(self, X: Array, present: Fitted | None, whose: str = "X") -> None:
        names = getattr(self, "feature_names_in_", None)
        if present is None:
            check_size(X, names, whose, squares=self._uses_metric())
            if self._uses_metric():
                check_metric_data(self.metric, X, names, whose)
        elif present.origin is not None:
            metric = present.origin.metric
            check_domain(X, metric.value_range, metric.name, names, whose)

    @property
    def exemplars_(self) -> Array:
        """Points that the weights were calculated from."""
        return self._origin().exemplars.points

    @property
    def exemplar_indices_(self) -> Array:
        """Rows of the training data that are the exemplars."""
        index = self._origin().exemplars.index
        if index is None:
            msg = f"exemplars={self.exemplars!r} are not rows of X"
            raise AttributeError(msg)
        return index

    @property
    def pairs_(self) -> Array:
        """Whom each exemplar is compared with, in the order of the comparisons."""
        return self._origin().pairs

    @property
    def effective_metric_params_(self) -> dict[str, Any]:
        """Parameters of the metric, given or taken from the training rows."""
        return dict(self._origin().metric.parameters)

    @property
    def n_exemplars_(self) -> int:
        """Number of exemplars, or with another ``init`` of those there would be."""
        check_is_fitted(self)
        n: int = self._fitted.n_exemplars
        return n

    def _origin(self) -> Origin:
        check_is_fitted(self)
        origin: Origin | None = self._fitted.origin
        if origin is None:
            msg = f"init={self.init!r} has no exemplars"
            raise AttributeError(msg)
        return origin

    def _explain(
        self, X: ArrayLike, n_nearest: int | None, output: int | None
    ) -> pd.DataFrame:
        """Explain an output of each row, or that of the class with the highest one.

        What is predicted is the value of the output, or the code of that class.
        """
        exemplars, metric, pairs = self._origin()[:3]
        n = len(exemplars.codes)
        n_nearest = n if n_nearest is None else n_nearest
        check_whole("n_nearest", n_nearest, n, "None, for all exemplars,")
        index = X.index if isinstance(X, pd.DataFrame) else None
        X = to_numpy(check_features(self, X, self.network_, "explain"))
        self._check_values(X, self._fitted)
        network = map_arrays(to_numpy, self.network_)
        check_products(X, network)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = network.affine_output(X)
        check_outputs(outputs, X)
        explained = (
            Explained(np.argmax(outputs, axis=1), centered=True)
            if output is None
            else Explained(np.full(len(outputs), output), centered=False)
        )
        scores = metric(exemplars.points)
        with np.errstate(over="ignore", invalid="ignore"):
            frame = explain_rows(
                X, explained, network, exemplars, scores, pairs, n_nearest
            )
        is_nearest = frame["term"] == "exemplar"  # the other terms have no distance
        distances = frame.loc[is_nearest, ["excess", "activation"]]
        check_outputs(distances.to_numpy(), X)
        check_outputs(frame["contribution"].to_numpy(), X)
        position = frame["row"].to_numpy()
        predicted = explained.outputs if output is None else outputs[:, output]
        frame.insert(1, "predicted", predicted[position])
        return frame if index is None else frame.assign(row=index[position])

    def _uses_metric(self) -> bool:
        return uses_metric(self.init, self.exemplars, self.n_exemplars)

    def __sklearn_tags__(self) -> Tags:
        """Say what the estimator takes."""
        tags = super().__sklearn_tags__()
        if self._uses_metric():
            formula = METRICS.get(self.metric) if isinstance(self.metric, str) else None
            has_domain = formula is not None and formula.value_range is not None
            tags.input_tags.positive_only = has_domain
            tags.input_tags.sparse = takes_sparse(self.metric)
        return tags
