"""Fits from sums over rows: ``solver="closed_form"``.

The exemplars and the hidden layer are calculated from a sample of the rows, or from given
exemplars alone. The output layer then needs only sums, which rows are added to in any
order, and taken away from. The network is calculated when it is next asked for.
"""

from __future__ import annotations

from abc import abstractmethod
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from skmetricmlp._array_api import HOST, device_of, map_arrays, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._errors import invalid_parameter, is_number, unchanged_on_error
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Floats
from skmetricmlp._validation import (
    Recorded,
    check_incremental,
    check_same_parameters,
    check_training_data,
)
from skmetricmlp.estimators._base import NetworkEstimator, Validation
from skmetricmlp.estimators._streams import EarlyStream
from skmetricmlp.estimators._targets import (
    ClassTargets,
    LabelTargets,
    RegressionTargets,
    Targets,
)
from skmetricmlp.initialization import (
    KEPT_ROWS,
    OutputSums,
    RowSample,
    cast_network,
)
from skmetricmlp.network import Network
from skmetricmlp.tables import TableSummary
from skmetricmlp.training import History

__all__ = ["CLOSED_FORM", "ClosedFormMixin", "Learned"]

# The exemplars and the hidden layer are calculated from at most so many rows. Until there
# are more, all rows are kept, and the network is that of all of them.
SAMPLE_ROWS = KEPT_ROWS
# Rows that are added to the sums at once, at least.
FEW_ROWS = 512
CLOSED_FORM = "closed_form"


@dataclass(frozen=True)
class Learned:
    """What is known of the rows so far.

    Parameters
    ----------
    config : NetworkConfig
    recorded : mapping
        Parameters that must stay the same.
    targets : ClassTargets or RegressionTargets
    rng : numpy.random.RandomState
        As it was before the first call.
    like : array of shape (0, d)
        An array as the first X was.
    few_rows : bool
        Whether the rows are those of a stream, of which there may be few.
    rows : RowSample or None
        All rows, as long as they are few. Values are in the units of the user.
    hidden : FitState or None
        With the hidden layers; None as long as the rows are few.
    sums : OutputSums or None
        Likewise.
    waiting : TrainingData or None
        A few rows that the sums still lack: many rows are added faster at once.
    """

    config: Any
    recorded: Recorded
    targets: Targets
    rng: np.random.RandomState
    like: Array
    few_rows: bool
    rows: RowSample | None = None
    hidden: FitState | None = None
    sums: OutputSums | None = None
    waiting: TrainingData | None = None


def _is_closed_form(estimator: Any) -> bool:
    """Whether an estimator has the solver of this module.

    Raises
    ------
    AttributeError
        If not, so that ``hasattr`` is False.
    """
    if estimator.solver == CLOSED_FORM:
        return True
    msg = f"it needs solver={CLOSED_FORM!r}, got {estimator.solver!r}"
    raise AttributeError(msg)


class ClosedFormMixin(NetworkEstimator):
    """Learns, forgets and merges rows with ``solver="closed_form"``."""

    _learned: Learned

    @property
    def _fit_state(self) -> FitState:
        """The state of the fit, calculated now if rows were added since."""
        if "_fit_state" not in vars(self):
            if "_learned" not in vars(self):
                msg = f"{type(self).__name__} is not fitted"
                raise AttributeError(msg)
            learned = _settled(self._learned)
            self._assign(self._solved(learned))
            self._learned = learned
        state: FitState = vars(self)["_fit_state"]
        return state

    @_fit_state.setter
    def _fit_state(self, state: FitState) -> None:
        self.__dict__["_fit_state"] = state
        self.__dict__.pop("_learned", None)  # sums of an earlier hidden layer

    @property
    def network_(self) -> Network:
        """The present network."""
        if "network_" not in vars(self):
            return self._fit_state.network
        network: Network = vars(self)["network_"]
        return network

    @network_.setter
    def network_(self, network: Network) -> None:
        self.__dict__["network_"] = network
        self.__dict__.pop("_learned", None)  # the weights are no longer those of the sums

    @available_if(_is_closed_form)  # type: ignore[untyped-decorator]
    def forget(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Take rows away again that were learned: the network is that of the others.

        Only with ``solver="closed_form"``. Exemplars stay where they are. Whether a row
        was learned is known of the rows that are kept: all, up to 5,000, and otherwise a
        sample of as many.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows that ``fit`` or ``partial_fit`` had.
        y : array-like of shape (n_samples,)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If rows were not learned, or so few are left that the sums lose their digits.
        """
        with unchanged_on_error(self):
            data, learned = self._rows_of_call(X, y, sample_weight, None, "forget")
            learned = _settled(learned)
            if learned.sums is None:
                assert learned.rows is not None  # noqa: S101 - as there are no sums
                rows = learned.rows.plus(RowSample.of(data, len(data.y)), -1.0)
                if not len(rows.keys):
                    msg = "forget needs to leave rows, and these are all"
                    raise ValueError(msg)
                learned = replace(learned, rows=rows)
            else:
                learned = replace(learned, sums=_with_sums(learned, data, -1.0))
            self._keep(learned)
        return self

    @available_if(_is_closed_form)  # type: ignore[untyped-decorator]
    def merge(self, other: Self) -> Self:
        """Learn all rows that another estimator has learned.

        Only with ``solver="closed_form"``. Both need the same parameters and classes, and
        the same hidden layer, as with the same given ``exemplars`` and ``random_state``
        or from copies of one estimator. As long as one of them has at most 5,000 distinct
        rows, and no exemplars are given, it has no hidden layer of its own.

        Parameters
        ----------
        other : estimator
            It is not changed.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If they do not go together.
        """
        mine: Any = _settled(self._started())
        theirs: Any = _settled(other._started())
        try:
            check_same_parameters(mine.recorded, theirs.recorded)
        except ValueError as error:
            msg = f"merge needs two estimators with the same parameters: {error}"
            raise ValueError(msg) from error
        _check_same_targets(mine.targets, theirs.targets)
        with unchanged_on_error(self):
            if mine.sums is None and theirs.sums is not None:
                mine, theirs = theirs, mine
            if mine.sums is None:
                parts = [mine.rows.data, theirs.rows.data]
                learned = self._with_sample(mine, mine.rows.plus(theirs.rows), parts)
            elif theirs.sums is None:
                learned = _with_rows(mine, theirs.rows.data)
            elif mine.sums.has_layers_of(theirs.sums):
                learned = replace(mine, sums=mine.sums.plus(theirs.sums))
            else:
                msg = (
                    "merge needs estimators with the same hidden layer: give both the "
                    "same exemplars=(points, labels) and random_state, or copy one"
                )
                raise ValueError(msg)
            self._keep(learned)
        return self

    @available_if(_is_closed_form)  # type: ignore[untyped-decorator]
    def discount(self, factor: float) -> Self:
        """Multiply the weights of all rows so far, so that later rows count for more.

        Only with ``solver="closed_form"``. Called before each batch, it makes old rows
        fade exponentially.

        Parameters
        ----------
        factor : float
            From above 0 to 1.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If ``factor`` is not accepted.
        """
        if not (is_number(factor) and 0 < factor <= 1):
            raise invalid_parameter("factor", factor, "a number above 0, and at most 1")
        learned = _settled(self._started())
        if learned.sums is not None:
            learned = replace(learned, sums=learned.sums.scaled(float(factor)))
        elif learned.rows is not None:
            learned = replace(learned, rows=learned.rows.scaled(float(factor)))
        self._keep(learned)
        return self

    @abstractmethod
    def _given_rows(self, config: Any, targets: Any, rows: TrainingData) -> TrainingData:
        """Return given exemplars as rows, with class codes or the values of the user."""

    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: Any = None,
        validation: Validation = (None, None, None),
        *,
        classes: Any = None,
        incremental: bool = False,
    ) -> EarlyStream | None:
        """Add rows to those so far, or in ``fit`` begin with them."""
        if self.solver != CLOSED_FORM:
            stream: EarlyStream | None = super()._fit(
                X, y, sample_weight, validation, classes=classes, incremental=incremental
            )
            return stream
        if any(part is not None for part in validation):
            msg = f"X_val needs epochs to validate, and solver={CLOSED_FORM!r} has none"
            raise ValueError(msg)
        check_incremental(self, incremental=incremental)
        method = "partial_fit" if incremental else "fit"
        data, learned = self._rows_of_call(X, y, sample_weight, classes, method)
        if learned.sums is not None:
            learned = _with_rows(learned, data)
        else:
            added = RowSample.of(data, SAMPLE_ROWS)
            rows = learned.rows.plus(added) if learned.rows else added
            parts = [learned.rows.data, data] if learned.rows else [data]
            learned = self._with_sample(learned, rows, parts)
        self._keep(learned)
        if not incremental:
            self._fit_state  # noqa: B018 - calculates it, for an error in fit
        return None

    def _started(self) -> Learned:
        learned: Learned | None = vars(self).get("_learned")
        if learned is None:
            msg = (
                f"this {type(self).__name__} has no sums of rows: it was not fitted with "
                f"solver='closed_form', or was trained since"
            )
            raise NotFittedError(msg)
        return learned

    def _rows_of_call(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: Any,
        classes: Any,
        method: str,
        summary: TableSummary | None = None,
    ) -> tuple[TrainingData, Learned]:
        """Check the rows of a call, and return what was learned before.

        A first call may know the columns of more rows than its own, from their summary.
        The rows are on the host and have positive weights, and class codes, or values in
        the units of the user.
        """
        config = self._configure(trains=False)
        has_begun = method != "fit" and "_learned" in vars(self)
        if method == "forget" or (method != "fit" and "_fit_state" in vars(self)):
            self._started()
        before: Any = self._learned if has_begun else None
        if summary is None:
            config = self._with_encoding(config, X, before and before.config)
        else:
            config = replace(config, encoding=summary.encoding())
        like = before.like if before else None
        data = check_training_data(
            self, X, y, sample_weight, like, method, config.encoding
        )
        config = self._with_targets(config, data.y)
        self._check_values(data.X, before and before.hidden, config.encoding)
        targets, encoded, _ = self._encode(data, None, before, classes)
        index = np.flatnonzero(encoded.sample_weight > 0)
        if not len(index):
            msg = "the weight of every row, sample_weight, is zero"
            raise ValueError(msg)
        codes: Any = to_numpy(encoded.y)
        if isinstance(targets, RegressionTargets):
            codes = np.asarray(data.y, dtype=np.float64).reshape(len(codes), -1)
        rows = TrainingData(to_numpy(data.X), codes, to_numpy(encoded.sample_weight))
        rows = rows.take(index) if len(index) < len(codes) else rows
        if before:
            check_same_parameters(before.recorded, self._record(config))
            return rows, before
        rng = deepcopy(check_random_state(self.random_state))
        of_fit = self._record(config), targets, rng, data.X[:0, :], method != "fit"
        learned = Learned(config, *of_fit)
        if method == "fit" and self.warm_start and hasattr(self, "n_iter_"):
            return rows, self._with_present_layers(learned, rows)
        if config.is_calculated and not isinstance(config.exemplars, str):
            learned = self._with_layers(learned, self._given_rows(config, targets, rows))
        return rows, learned

    def _with_sample(
        self, learned: Learned, rows: RowSample, parts: list[TrainingData]
    ) -> Learned:
        """Keep the sample, or calculate the hidden layer from it and add all rows."""
        if rows.is_complete:
            return replace(learned, rows=rows)
        learned = self._with_layers(learned, rows.data)
        for data in parts:
            learned = _with_rows(learned, data)
        return learned

    def _with_present_layers(self, learned: Learned, rows: TrainingData) -> Learned:
        """Keep the hidden layers of the present network, and begin sums over no rows."""
        state = replace(self._fit_state, network=self.network_)
        check_same_parameters(state.recorded, learned.recorded)
        targets = state.targets
        network = map_arrays(to_numpy, targets.to_training_units(state.network))
        n_outputs = network.layers[-1].n_out
        sums = OutputSums.without_rows(network.layers[:-1], rows, n_outputs)
        return replace(learned, targets=targets, hidden=state, sums=sums)

    def _with_layers(self, learned: Learned, reference: TrainingData) -> Learned:
        """Calculate the hidden layers from some rows, and begin sums over no rows."""
        config = learned.config
        without_output = replace(learned, config=replace(config, output_init=None))
        made, targets = self._made(without_output, reference)
        layers = made.network.layers
        if not config.is_calculated:  # the output is drawn with the other layers
            layers = layers[:-1]
        n_outputs = _outputs(targets, reference.y[:1]).shape[1]
        sums = OutputSums.without_rows(layers, reference, n_outputs)
        resolved = replace(made.config, output_init=config.output_init)
        made = replace(made, config=resolved)
        return replace(learned, targets=targets, hidden=made, sums=sums, rows=None)

    def _made(self, learned: Learned, data: TrainingData) -> tuple[FitState, Targets]:
        """Calculate a network from rows, with outputs in training units."""
        X, y, sample_weight = data
        sample_weight = sample_weight.astype(X.dtype)
        targets = learned.targets
        of_user = y
        if isinstance(targets, ClassTargets):
            of_user = targets.labels[y]
        elif isinstance(targets, RegressionTargets):
            of_user = y[:, 0] if targets.is_vector else y
            targets = RegressionTargets.from_values(of_user, sample_weight)
            y = targets.encode(of_user).astype(sample_weight.dtype)
        made = self._initialize(
            learned.config,
            targets,
            TrainingData(X, y, sample_weight),
            of_user,
            np.arange(len(y)),
            None,
            deepcopy(learned.rng),
            few_rows=learned.few_rows,
        )
        if made.exemplars is not None:  # they are rows of a sample
            made = replace(made, exemplars=replace(made.exemplars, index=None))
        return made, targets

    def _solved(self, learned: Learned) -> FitState:
        """Calculate the network of all rows so far."""
        config, sums = learned.config, learned.sums
        if sums is None:
            assert learned.rows is not None  # noqa: S101 - as there are no sums
            made, targets = self._made(learned, learned.rows.data)
        else:
            assert learned.hidden is not None  # noqa: S101 - as there are sums
            targets = learned.targets
            output = sums.output(config, partial(_outputs, targets))
            network = Network((*sums.layers, output))
            made = replace(learned.hidden, network=cast_network(network, learned.like))
        state, _ = self._in_user_units(made, config, targets, learned.like)
        return replace(state, rng=deepcopy(learned.rng))

    def _keep(self, learned: Learned) -> None:
        """Keep what was learned, from which the network is calculated when asked for."""
        for name in ("_fit_state", "network_"):
            self.__dict__.pop(name, None)
        self._learned = learned
        self._assign_history(History())
        self._assign_targets(learned.targets, learned.like)


def _with_rows(learned: Learned, data: TrainingData) -> Learned:
    """Add rows to the sums, or to those that wait."""
    if learned.waiting is not None:
        data = learned.waiting.followed_by(data)
    learned = replace(learned, waiting=data)
    return learned if len(data.y) < FEW_ROWS else _settled(learned)


def _settled(learned: Learned) -> Learned:
    """Add the rows that wait."""
    if learned.waiting is None or learned.sums is None:
        return learned
    sums = _with_sums(learned, learned.waiting, 1.0)
    return replace(learned, sums=sums, waiting=None)


def _with_sums(learned: Any, data: TrainingData, factor: float) -> OutputSums:
    """Return the sums with those of rows, calculated where X was if it has doubles."""
    device = device_of(learned.like)
    if device.namespace.float64 not in device.floats:
        device = HOST
    outputs = _outputs(learned.targets, data.y)
    sums: OutputSums = learned.sums.plus_rows(data, outputs, factor, device)
    return sums


def _outputs(targets: Targets, y: Array) -> Floats:
    """Return the ideal outputs (n, n_outputs): classes, labels or scaled values."""
    if isinstance(targets, ClassTargets):
        return np.eye(len(targets.labels))[y]
    if isinstance(targets, LabelTargets):
        labels: Floats = y
        return labels
    values: Floats = targets.encode(y[:, 0] if targets.is_vector else y)
    return values


def _check_same_targets(one: Any, other: Any) -> None:
    if not isinstance(one, RegressionTargets):
        one.check_same(other.labels)
