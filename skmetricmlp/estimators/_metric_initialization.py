"""From the parameters of an estimator to a network that is calculated of exemplars."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import (
    MadeWith,
    check_exemplars,
    is_whole,
    metric_parameters,
    uses_metric,
    warn_of_units,
)
from skmetricmlp.estimators._targets import Classes, Values
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization import (
    Budget,
    Form,
    Start,
    form_of,
    initial_network,
    lacks_classes,
    training_budget,
    with_late_classes,
)
from skmetricmlp.training import Batch

__all__ = ["MetricInitialization"]


# Step sizes where none is given: usually that of MLPClassifier. The first steps of Adam
# move each weight by as much; where the output is fitted, and right already, this throws
# it away on wide data (docs/benchmarks.md has the figures).
USUAL_RATE, FITTED_RATE = 1e-3, 3e-4
# Exemplars where a number is not given but found: by cross-validation, or as a share.
USUAL_EXEMPLARS = 30
# Parameters that decide what a network is and how it is made.
MADE_OF = ("init", "n_exemplars", "exemplars", "metric", "metric_params")
FORM = tuple(field.name for field in fields(Form))


@dataclass(frozen=True)
class MetricInitialization:
    """Parameters of an estimator, checked, and what its outputs mean.

    ``names`` (d,) are the feature names of X, if it has any; ``more_to_come`` says that
    rows are the first few of a stream.
    """

    parameters: Mapping[str, Any]
    outputs: Classes | Values
    names: Array | None = None
    more_to_come: bool = False

    @property
    def is_calculated(self) -> bool:
        """Whether exemplars make the weights."""
        init = self.parameters["init"]
        return isinstance(init, str) and init == "metric"

    @cached_property
    def form(self) -> Form:
        """Form of the network."""
        init = self.parameters["init"]
        given = init[0] if isinstance(init, (tuple, list)) else ()
        return form_of(
            **{name: self.parameters[name] for name in FORM},
            is_calculated=self.is_calculated,
            n_given_layers=len(given) if isinstance(given, Sized) else 0,
        )

    @property
    def rate(self) -> float:
        """Step size where none is given."""
        is_free = self.form.output_init in {"ridge", "logistic"}
        return FITTED_RATE if is_free else USUAL_RATE

    @property
    def is_of_rows(self) -> bool:
        """Whether weights are calculated from rows."""
        return self.is_calculated or self.form.has_fitted_output

    @property
    def n_needed(self) -> int:
        """Distinct rows that it takes at the least: one for each exemplar asked for."""
        n, exemplars = self.parameters["n_exemplars"], self.parameters["exemplars"]
        if not isinstance(exemplars, str):
            return len(exemplars[1])
        if isinstance(n, Mapping):
            return int(sum(n.values()))
        n = int(n) if is_whole(n) else USUAL_EXEMPLARS
        if isinstance(self.outputs, Classes):
            return max(n, len(self.outputs.labels))
        return n

    def of_young_stream(self) -> MetricInitialization:
        """Return the same for the first few rows of a stream."""
        return replace(self, more_to_come=True)

    @property
    def made_with(self) -> MadeWith:
        """Parameters that cannot change when training goes on."""
        given = {name: self.parameters[name] for name in (*MADE_OF, *FORM)}
        settled = {name: getattr(self.form, name) for name in FORM}
        settled["metric_params"] = given["metric_params"] or {}
        if isinstance(given["n_exemplars"], (float, np.floating)):  # 1.0 is all, 1 is one
            settled["n_exemplars"] = "share", given["n_exemplars"]
        return MadeWith.of(given, settled)

    def suffices(self, present: Start, targets: Array) -> bool:
        """Say whether the present network has exemplars of all classes of the targets."""
        if not isinstance(self.parameters["exemplars"], str):
            return True
        return targets.ndim > 1 or not lacks_classes(present, targets)

    def make(
        self, present: Start | None, rows: Batch, index: Ints, rng: np.random.RandomState
    ) -> Start:
        """Make the first network, or add the classes that the present one lacks."""
        if present and isinstance(self.outputs, Classes):
            n_classes, method = len(self.outputs.labels), self.parameters["exemplars"]
            return with_late_classes(
                present, *rows, n_classes, self.form, method, self._budget, rng
            )
        start = initial_network(
            *rows,
            self._decoded(rows.targets),
            self.outputs.labels if isinstance(self.outputs, Classes) else None,
            self.form,
            init=self.parameters["init"],
            n_exemplars=self.parameters["n_exemplars"],
            exemplars=self._exemplars(rows.X),
            metric=self.parameters["metric"],
            metric_params=self._metric_params(rows.X),
            budget=self._budget,
            rng=rng,
            more_to_come=self.more_to_come,
        )
        origin, init = start.origin, self.parameters["init"]
        if not (isinstance(init, str) or self.form.has_fitted_output):
            return start._replace(network=self.outputs.standardized(start.network))
        if origin is None or origin.exemplars.index is None:
            return start
        chosen = replace(origin.exemplars, index=index[origin.exemplars.index])
        return start._replace(origin=origin._replace(exemplars=chosen))

    @property
    def _budget(self) -> Budget:
        return training_budget(self.parameters["memory_limit"], self.parameters["solver"])

    def _decoded(self, targets: Array) -> Array:
        if isinstance(self.outputs, Classes):
            return self.outputs.labels[targets]
        return self.outputs.decode(targets)

    def _metric_params(self, X: Array) -> Mapping[str, Any] | None:
        metric, given = self.parameters["metric"], self.parameters["metric_params"]
        if not uses_metric(**self.parameters):
            return None
        return metric_parameters(metric, given, X.shape[1], self.names)

    def _exemplars(self, X: Array) -> str | Exemplars:
        exemplars = self.parameters["exemplars"]
        if isinstance(exemplars, str):
            return exemplars
        stand_for = "labels" if isinstance(self.outputs, Classes) else "values"
        metric = self.parameters["metric"] if self.is_calculated else None
        points, labels = check_exemplars(exemplars, X, metric, self.names, stand_for)
        if isinstance(self.outputs, Classes):
            codes, is_known = self.outputs.encode_known(labels)
            chosen = Exemplars(points[is_known], codes, None)
        else:
            values = self.outputs.encode(labels, "exemplars[1]")
            codes = np.zeros(len(points), dtype=np.intp)
            chosen = Exemplars(points, codes, None, values)
        if self.is_calculated:
            warn_of_units(chosen.points, X, stand_for)
        return chosen
