"""From checked rows to a fitted network: the one path of fit and partial_fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skmetricmlp.initialization import Exemplars, initial_network
from skmetricmlp.network import LOSSES, Network
from skmetricmlp.training import (
    SGD,
    Adam,
    Batch,
    History,
    Objective,
    Optimizer,
    Plan,
    Position,
    StopReason,
    loss_and_accuracy,
    train,
)
from skmetricmlp.validation import (
    Rows,
    check_exemplars,
    class_codes,
    class_weights,
    layer_rates,
)

__all__ = ["Fitted", "learn"]

Array = Any
Ints = NDArray[np.intp]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Fitted:
    """What a call of fit or partial_fit leaves, to the user and to the next call."""

    classes: Array
    exemplars: Exemplars | None
    optimizer: Optimizer
    position: Position
    history: History
    rng: np.random.RandomState
    reason: StopReason

    @property
    def network(self) -> Network:
        """The network at the present position."""
        return self.position.network


def learn(
    parameters: Parameters,
    rows: Rows,
    *,
    epochs: int,
    classes: ArrayLike | None = None,
    held_out: Rows | None = None,
    present: Fitted | None = None,
) -> Fitted:
    """Initialise a network, or take the present one, and train it.

    Parameters
    ----------
    parameters : mapping
        Those of :class:`~skmetricmlp.MetricInitMLPClassifier`, checked.
    rows : Rows
        To learn from.
    epochs : int
        At most so many.
    classes : array-like of shape (n_classes,), optional
        All labels; by default those of ``rows``, or the present ones.
    held_out : Rows, optional
        To validate on.
    present : Fitted, optional
        Where to go on from.

    Returns
    -------
    Fitted
        A new one; ``present`` is left as it is.
    """
    known = _known_classes(rows.y, classes, present)
    by_class = class_weights(parameters["class_weight"], known, rows.y)
    rng = check_random_state(parameters["random_state"])
    if present:
        rng = deepcopy(present.rng)
    data, index = _rows_that_count(rows, known, by_class)
    validation = None
    if held_out:
        validation, _ = _rows_that_count(held_out, known, by_class, "y_val")
    elif parameters["early_stopping"] and epochs:
        kept, taken = _hold_out(data.codes, parameters["validation_fraction"], rng)
        data, validation, index = data.take(kept), data.take(taken), index[kept]

    if present:
        network, exemplars = present.network, present.exemplars
    else:
        network, exemplars = _initialize(parameters, data, known, by_class, rng)
        if exemplars and exemplars.index is not None:
            exemplars = replace(exemplars, index=index[exemplars.index])
    plan = _plan(parameters, network, epochs)
    state = (
        present.position.state
        if present and present.optimizer == plan.optimizer
        else plan.optimizer.init(network.parameters)
    )
    # An overflow shows in the loss, and the loop answers it there.
    with np.errstate(over="ignore", invalid="ignore"):
        position, history, reason = train(
            Position(network, state),
            present.history if present else History(),
            _weigh(data, by_class),
            plan,
            rng,
            validate=validation
            and partial(
                loss_and_accuracy, parameters["loss"], batch=_weigh(validation, by_class)
            ),
            on_epoch=_reporter(parameters["verbose"]),
        )
    return Fitted(known, exemplars, plan.optimizer, position, history, rng, reason)


def _known_classes(y: Array, classes: ArrayLike | None, present: Fitted | None) -> Array:
    """Sorted labels: those declared, else those of ``y``, or those known already."""
    if present is None:
        return np.unique(y if classes is None else np.asarray(classes))
    if classes is not None and not np.array_equal(np.unique(classes), present.classes):
        msg = (
            f"classes={np.unique(classes).tolist()} must be the same at every call; "
            f"they were {present.classes.tolist()}"
        )
        raise ValueError(msg)
    return present.classes


def _rows_that_count(
    rows: Rows, classes: Array, by_class: Array, name: str = "y"
) -> tuple[Batch, Ints]:
    """Encode the labels; leave out rows whose sample or class weight is zero.

    Returns what is left, and where in ``rows`` it is.
    """
    codes = class_codes(rows.y, classes, name)
    data = Batch(rows.X, codes, rows.sample_weight)
    keep = data.weights * by_class[codes] > 0
    if not keep.any():
        msg = "the weight of every row, sample_weight times class_weight, is zero"
        raise ValueError(msg)
    index = np.flatnonzero(keep)
    return (data if keep.all() else data.take(index)), index


def _weigh(data: Batch, by_class: Array) -> Batch:
    """Multiply the sample weights by the class weights."""
    weights = (data.weights * by_class[data.codes]).astype(data.weights.dtype)
    return data._replace(weights=weights)


def _hold_out(
    codes: Ints, fraction: float, rng: np.random.RandomState
) -> tuple[Ints, Ints]:
    """Draw the rows to train on and those to validate on, stratified by class."""
    try:
        kept, taken = train_test_split(
            np.arange(len(codes)), test_size=fraction, stratify=codes, random_state=rng
        )
    except ValueError as error:
        msg = f"validation_fraction={fraction} cannot be held out: {error}"
        raise ValueError(msg) from error
    return kept, taken


def _initialize(
    parameters: Parameters,
    data: Batch,
    classes: Array,
    by_class: NDArray[np.float64],
    rng: np.random.RandomState,
) -> tuple[Network, Exemplars | None]:
    exemplars = parameters["exemplars"]
    if not isinstance(exemplars, str):
        X = data.X
        exemplars = check_exemplars(exemplars, classes, X.shape[1], X.dtype)
    passed_on = (
        "init", "n_exemplars", "n_neighbors", "activation", "sharpness", "loss"
    )  # fmt: skip
    return initial_network(
        *data,
        classes,
        exemplars=exemplars,
        class_weight=by_class,
        rng=rng,
        **{name: parameters[name] for name in passed_on},
    )


def _plan(parameters: Parameters, network: Network, epochs: int) -> Plan:
    loss = parameters["loss"]
    if LOSSES[loss].output_activation != network.layers[-1].activation:
        msg = f"loss={loss!r} is not the loss that the network was fitted with"
        raise ValueError(msg)
    # Python's floats, unlike NumPy's scalars, leave single precision as it is.
    alpha, momentum, beta_1, beta_2, epsilon = (
        float(parameters[name])
        for name in ("alpha", "momentum", "beta_1", "beta_2", "epsilon")
    )
    optimizer: Optimizer = (
        Adam(beta_1, beta_2, epsilon)
        if parameters["solver"] == "adam"
        else SGD(momentum, parameters["nesterovs_momentum"])
    )
    size = parameters["batch_size"]
    return Plan(
        Objective(loss, alpha),
        optimizer,
        rates=layer_rates(parameters["learning_rate_init"], len(network.layers)),
        batch_size=200 if size == "auto" else size,
        max_epochs=epochs,
        shuffle=parameters["shuffle"],
        tol=parameters["tol"],
        patience=parameters["n_iter_no_change"],
        early_stopping=parameters["early_stopping"],
    )


def _reporter(verbose: bool) -> Callable[[History], None]:
    def report(history: History) -> None:
        if verbose:
            line = f"Epoch {len(history.loss)}, loss = {history.loss[-1]:.8f}"
            if history.validation_score:
                line += f", validation score = {history.validation_score[-1]:f}"
            print(line)  # noqa: T201 - verbose means to print

    return report
