"""From checked rows to a fitted network: the one path of fit and partial_fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isfinite
from typing import Any, Protocol, Self

import numpy as np
from sklearn import config_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skmetricmlp._array_api import map_arrays, place_of, to_numpy
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import MadeWith, layer_rates
from skmetricmlp.estimators._streams import Young
from skmetricmlp.estimators._targets import Classes, Outputs
from skmetricmlp.initialization import Origin, Start
from skmetricmlp.network import InputScaling, Network
from skmetricmlp.training import (
    LBFGS,
    SGD,
    Adam,
    Batch,
    History,
    Objective,
    Optimizer,
    Plan,
    Position,
    StopReason,
    loss_and_score,
    train,
    train_lbfgs,
)

__all__ = ["Fitted", "Initialization", "Listener", "learn"]

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Fitted:
    """What a call of fit or partial_fit leaves, to the user and to the next call.

    The network, of features and outputs as the user has them, and the state of the
    optimizer are where X was, on a device perhaps; the rest is in NumPy. ``young`` are
    the rows of a stream that has brought few so far.
    """

    outputs: Any  # Classes, Values or Function, as the estimator has it
    network: Network
    state: Any
    made_with: MadeWith
    n_exemplars: int
    origin: Origin | None
    scaling: InputScaling | None
    optimizer: Optimizer
    history: History
    rng: np.random.RandomState
    reason: StopReason
    rates: Sequence[float]
    young: Young | None = None

    @property
    def start(self) -> Start:
        """Where training would go on from."""
        network = self.outputs.standardized(self.network)
        return Start(network, self.n_exemplars, self.origin, self.scaling)

    def convert(self, converter: Callable[[Array], Array]) -> Fitted:
        """Return the same with other arrays of the network and the optimizer state."""
        network, state = map_arrays(converter, (self.network, self.state))
        return replace(self, network=network, state=state)

    def at(self, position: Position, start: Network) -> Fitted:
        """Return what is fitted where training stands, which began at ``start``."""
        network = position.network
        if network is start:  # that of the user, which is not rounded twice
            return replace(self, state=position.state)
        if self.scaling:
            network = self.scaling.from_training(network)
        network = self.outputs.in_units(network)
        return replace(self, network=network, state=position.state)

    def in_units_of(self, other: Fitted) -> Fitted:
        """Return the same network, to train in the units of another; steps begin anew."""
        return replace(self, outputs=other.outputs, scaling=other.scaling, state=None)


class Initialization(Protocol):
    """How an estimator comes by a network to train."""

    @property
    def rate(self) -> float:
        """Step size where none is given."""

    @property
    def is_of_rows(self) -> bool:
        """Whether weights are calculated from rows."""

    @property
    def n_needed(self) -> int:
        """Distinct rows that it takes at the least."""

    def of_young_stream(self) -> Self:
        """Return the same for the first few rows of a stream."""

    def suffices(self, present: Start, targets: Array) -> bool:
        """Say whether the present network does for further rows."""

    def make(
        self, present: Start | None, rows: Batch, index: Ints, rng: np.random.RandomState
    ) -> Start:
        """Make a network, out of the present one if there is one, on the host.

        The rows, on the host too, are those at ``index`` (n,) of the user's rows.
        """

    @property
    def made_with(self) -> MadeWith:
        """Parameters that cannot change when training goes on."""


class Listener(Protocol):
    """Who is told of epochs.

    ``training``, where it is called, says what is fitted if training ends there, or None
    if the loss is not finite there. It costs a loss of all rows and copies of the state.
    """

    def begin_epoch(self, training: Callable[[], Fitted | None]) -> None:
        """Hear of an epoch that begins."""

    def end_epoch(self, training: Callable[[], Fitted | None]) -> bool:
        """Hear of an epoch that ended, and say whether to stop."""


# An overflow is answered where it shows: in the calculated weights, or in the loss.
@np.errstate(over="ignore", invalid="ignore")
def learn(
    parameters: Parameters,
    rows: Batch,
    outputs: Outputs,
    initialization: Initialization,
    *,
    epochs: int,
    held_out: Batch | None = None,
    present: Fitted | None = None,
    listener: Listener | None = None,
    is_whole: bool = True,
    young: Young | None = None,
) -> Fitted:
    """Initialize a network, or take the present one, and train it.

    Parameters
    ----------
    parameters : mapping
        Those of the estimator, checked; ``loss`` by its name among
        :data:`~skmetricmlp.network.losses.LOSSES`.
    rows : Batch
        To learn from: ``X`` where it is, targets and weights on the host.
    outputs : Classes, Values or Function
        What the targets mean.
    initialization : Initialization
    epochs : int
        At most so many.
    held_out : Batch, optional
        To validate on.
    present : Fitted, optional
        Where to go on from.
    listener : Listener, optional
        To tell of each epoch.
    is_whole : bool, default=True
        Whether the rows are all there are, as of ``fit``: weights then count by their
        share, and what is returned is not worse than the start. Of a stream a weight of
        two is that of two rows.
    young : Young, optional
        To leave to the next call.

    Returns
    -------
    Fitted
        A new one; ``present`` is left as it is.
    """
    made_with = initialization.made_with
    if present:
        present.made_with.check_same(made_with)
    rng = check_random_state(parameters["random_state"])
    index, validation = _rows_of_weight(rows), None
    if held_out:
        validation = _batch(held_out, _rows_of_weight(held_out))
    elif parameters["early_stopping"] and epochs:
        # A warm start with the same rows and seed holds out the same ones again.
        classes = rows.targets[index] if isinstance(outputs, Classes) else None
        kept, taken = _hold_out(
            len(index), classes, parameters["validation_fraction"], rng
        )
        validation = _batch(rows, index[taken])
        index = index[kept]
    data = _batch(rows, index)
    if validation and parameters["early_stopping"]:
        _check_validation(
            validation, held_out, parameters["validation_fraction"], outputs
        )
    if present:
        rng = deepcopy(present.rng)
    start, is_new = _start(present, data, initialization, rng, index)
    weights = to_numpy(data.weights)
    mean_weight = float(np.mean(weights, dtype=np.float64)) if is_whole else None
    plan = _plan(
        parameters, initialization.rate, len(start.network.layers), epochs, mean_weight
    )
    goes_on = present and not is_new and present.optimizer == plan.optimizer
    fitted = Fitted(
        outputs,
        present.network if present and not is_new else outputs.in_units(start.network),
        present.state if present and goes_on else None,
        made_with,
        start.n_exemplars,
        start.origin,
        start.scaling,
        plan.optimizer,
        present.history if present else History(),
        rng,
        "max_epochs",
        plan.rates,
        young,
    )
    if not epochs:
        return fitted
    return _train(fitted, start.network, data, validation, plan, parameters, listener)


def _rows_of_weight(rows: Batch) -> Ints:
    index = np.flatnonzero(rows.weights > 0)
    if not len(index):
        by_class = " times class_weight" if rows.targets.ndim == 1 else ""
        msg = f"the weight of every row, sample_weight{by_class}, is zero"
        raise ValueError(msg)
    return index


def _batch(rows: Batch, index: Ints) -> Batch:
    """Rows at the positions ``index``, all of which is then where ``X`` is."""
    place = place_of(rows.X)
    batch = Batch(rows.X, place.move(rows.targets), place.move(rows.weights))
    return batch if len(index) == len(rows.weights) else batch.take(place.move(index))


def _hold_out(
    n: int, classes: Ints | None, fraction: float, rng: np.random.RandomState
) -> tuple[Ints, Ints]:
    """Draw the rows to train on and those to validate on, stratified by class."""
    try:
        kept, taken = train_test_split(
            np.arange(n), test_size=fraction, stratify=classes, random_state=rng
        )
    except ValueError as error:
        msg = f"validation_fraction={fraction} cannot be held out: {error}"
        raise ValueError(msg) from error
    return kept, taken


def _check_validation(
    validation: Batch, held_out: Batch | None, fraction: float, outputs: Outputs
) -> None:
    """Refuse to judge values by the R^2 of a single row, which it does not have."""
    if isinstance(outputs, Classes) or validation.weights.shape[0] > 1:
        return
    source = "X_val has" if held_out else f"validation_fraction={fraction} holds out"
    msg = (
        f"The validation set is too small: {source} 1 row, and early_stopping=True of a "
        f"regressor scores by R^2, which takes 2 rows or more"
    )
    raise ValueError(msg)


def _start(
    present: Fitted | None,
    data: Batch,
    initialization: Initialization,
    rng: np.random.RandomState,
    index: Ints,
) -> tuple[Start, bool]:
    """Where training starts from, and whether that was made now.

    The network is where ``X`` is, but is calculated on the host.
    """
    targets = to_numpy(data.targets)
    start = present.start if present else None
    if start and initialization.suffices(start, targets):
        return start, False
    host = Batch(to_numpy(data.X), targets, to_numpy(data.weights))
    # k-means of scikit-learn 1.6 fails on NumPy arrays where it may dispatch.
    with config_context(array_api_dispatch=False):
        made = initialization.make(map_arrays(to_numpy, start), host, index, rng)
    network = map_arrays(place_of(data.X).move, made.network)
    return made._replace(network=network), True


def _plan(
    parameters: Parameters,
    usual_rate: float,
    n_layers: int,
    epochs: int,
    mean_weight: float | None,
) -> Plan:
    """Say how to train: on all rows, of this mean weight, or on some of a stream."""
    # Python's floats, unlike NumPy's scalars, leave single precision as it is.
    alpha, momentum, beta_1, beta_2, epsilon = (
        float(parameters[name])
        for name in ("alpha", "momentum", "beta_1", "beta_2", "epsilon")
    )
    optimizers: dict[str, Optimizer] = {
        "adam": Adam(beta_1, beta_2, epsilon),
        "sgd": SGD(momentum, parameters["nesterovs_momentum"]),
        "lbfgs": LBFGS(),
    }
    size, rate = parameters["batch_size"], parameters["learning_rate_init"]
    if isinstance(rate, str) and rate == "auto":
        rate = usual_rate
    # The tolerance of L-BFGS is that of the gradient: its loss may rest for a while.
    by_loss = parameters["solver"] != "lbfgs" or parameters["early_stopping"]
    return Plan(
        Objective(parameters["loss"], alpha, 1.0 if mean_weight is None else mean_weight),
        optimizers[parameters["solver"]],
        rates=layer_rates(rate, n_layers),
        batch_size=200 if size == "auto" else size,
        max_epochs=epochs,
        shuffle=parameters["shuffle"],
        tol=parameters["tol"],
        patience=parameters["n_iter_no_change"] if by_loss else inf,
        early_stopping=parameters["early_stopping"],
        linear_decay=parameters["learning_rate"] == "linear",
        keeps_best=mean_weight is not None,
    )


def _train(
    fitted: Fitted,
    network: Network,
    data: Batch,
    validation: Batch | None,
    plan: Plan,
    parameters: Parameters,
    listener: Listener | None,
) -> Fitted:
    """Train, and tell of each epoch."""
    if fitted.scaling:
        network = fitted.scaling.to_training(network)
    state = fitted.state
    if state is None:
        state = plan.optimizer.init(network.parameters)

    def ended(history: History, position: Position) -> Fitted | None:
        if not isfinite(plan.objective.value(position.network, data)):
            return None
        # It stays as it is if training goes on.
        kept = fitted.at(position.checkpoint(plan.optimizer), network)
        return replace(kept, history=history.copy(), rng=deepcopy(fitted.rng))

    def before_epoch(history: History, position: Position) -> None:
        if listener:
            listener.begin_epoch(partial(ended, history, position))

    def on_epoch(history: History, position: Position) -> bool:
        if parameters["verbose"]:
            _report(history)
        return bool(listener and listener.end_epoch(partial(ended, history, position)))

    run = train_lbfgs if parameters["solver"] == "lbfgs" else train
    position, history, reason = run(
        Position(network, state),
        fitted.history,
        data,
        plan,
        fitted.rng,
        validate=validation
        and partial(loss_and_score, parameters["loss"], batch=validation),
        before_epoch=before_epoch,
        on_epoch=on_epoch,
    )
    return replace(fitted.at(position, network), history=history, reason=reason)


def _report(history: History) -> None:
    line = f"Epoch {len(history.loss)}, loss = {history.loss[-1]:.8f}"
    if history.validation_score:
        line += f", validation score = {history.validation_score[-1]:f}"
    print(line)  # noqa: T201 - verbose means to print
