"""From checked rows to a fitted network: the one path of fit and partial_fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skmetricmlp.initialization import (
    Form,
    Origin,
    Start,
    form_of,
    initial_network,
    with_late_classes,
)
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
    check_classes,
    check_exemplars,
    class_codes,
    class_weights,
    layer_rates,
)

__all__ = ["Fitted", "learn"]

Array = Any
Ints = NDArray[np.intp]
Parameters = Mapping[str, Any]

# Step sizes where none is given: usually that of MLPClassifier. The first steps of Adam
# move each weight by as much; where the output is fitted, and right already, this throws
# it away on wide data (docs/benchmarks.md has the figures).
USUAL_RATE, FITTED_RATE = 1e-3, 3e-4


@dataclass(frozen=True)
class Fitted:
    """What a call of fit or partial_fit leaves, to the user and to the next call."""

    classes: Array
    n_exemplars: int
    origin: Origin | None
    optimizer: Optimizer
    position: Position
    history: History
    rng: np.random.RandomState
    reason: StopReason

    @property
    def network(self) -> Network:
        """The network at the present position."""
        return self.position.network


# An overflow is answered where it shows: in the calculated weights, or in the loss.
@np.errstate(over="ignore", invalid="ignore")
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
    data = Batch(rows.X, class_codes(rows.y, known), rows.sample_weight)
    by_class = class_weights(parameters["class_weight"], known, data.codes, data.weights)
    data, index = _weigh(data, by_class)
    rng = check_random_state(parameters["random_state"])
    validation = None
    if held_out:
        codes = class_codes(held_out.y, known, "y_val")
        validation = Batch(held_out.X, codes, held_out.sample_weight)
        validation, _ = _weigh(validation, by_class)
    elif parameters["early_stopping"] and epochs:
        # A warm start with the same rows and seed holds out the same ones again.
        kept, taken = _hold_out(data.codes, parameters["validation_fraction"], rng)
        data, validation, index = data.take(kept), data.take(taken), index[kept]

    if present:
        rng = deepcopy(present.rng)
        start = Start(present.network, present.n_exemplars, present.origin)
        if isinstance(parameters["exemplars"], str):
            start = with_late_classes(
                start,
                *data,
                len(known),
                _form(parameters),
                parameters["exemplars"],
                rng,
            )
    else:
        start = _initialize(parameters, data, known, rng, index)
    network, n_exemplars, origin = start
    plan = _plan(parameters, network, epochs)
    state = (
        present.position.state
        if present and present.optimizer == plan.optimizer and present.network is network
        else plan.optimizer.init(network.parameters)
    )
    position, history, reason = train(
        Position(network, state),
        present.history if present else History(),
        data,
        plan,
        rng,
        validate=validation
        and partial(loss_and_accuracy, parameters["loss"], batch=validation),
        on_epoch=_reporter(parameters["verbose"]),
    )
    return Fitted(
        known, n_exemplars, origin, plan.optimizer, position, history, rng, reason
    )


def _known_classes(y: Array, classes: ArrayLike | None, present: Fitted | None) -> Array:
    """Sorted labels: those declared, else those of ``y``, or those known already."""
    declared = None if classes is None else check_classes(classes)
    if present is None:
        return np.unique(y) if declared is None else declared
    if declared is not None and not np.array_equal(declared, present.classes):
        msg = (
            f"classes={declared.tolist()} must be the same at every call; they were "
            f"{present.classes.tolist()}"
        )
        raise ValueError(msg)
    return present.classes


def _weigh(data: Batch, by_class: Array) -> tuple[Batch, Ints]:
    """Multiply the weights by the class weights, and leave out rows of weight zero.

    Returns what is left, and where in ``data`` it is.
    """
    weights = (data.weights * by_class[data.codes]).astype(data.weights.dtype)
    index = np.flatnonzero(weights > 0)
    if not len(index):
        msg = "the weight of every row, sample_weight times class_weight, is zero"
        raise ValueError(msg)
    data = data._replace(weights=weights)
    return (data if len(index) == len(weights) else data.take(index)), index


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
    rng: np.random.RandomState,
    index: Ints,
) -> Start:
    """Make the first network; ``index`` says where in the user's rows the data are."""
    exemplars = parameters["exemplars"]
    if not isinstance(exemplars, str):
        exemplars = check_exemplars(exemplars, classes, data.X, parameters["metric"])
    start = initial_network(
        *data,
        classes,
        _form(parameters),
        init=parameters["init"],
        n_exemplars=parameters["n_exemplars"],
        exemplars=exemplars,
        metric=parameters["metric"],
        metric_params=parameters["metric_params"],
        rng=rng,
    )
    origin = start.origin
    if origin is None or origin.exemplars.index is None:
        return start
    chosen = replace(origin.exemplars, index=index[origin.exemplars.index])
    return start._replace(origin=origin._replace(exemplars=chosen))


def _form(parameters: Parameters) -> Form:
    init = parameters["init"]
    given = init[0] if isinstance(init, (tuple, list)) else ()
    return form_of(
        **{field.name: parameters[field.name] for field in fields(Form)},
        n_given_layers=len(given) if isinstance(given, Sized) else 0,
    )


def _plan(parameters: Parameters, network: Network, epochs: int) -> Plan:
    _check_network(parameters, network)
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
    size, rate = parameters["batch_size"], parameters["learning_rate_init"]
    if isinstance(rate, str) and rate == "auto":
        init = parameters["init"]
        is_calculated = isinstance(init, str) and init == "metric"
        is_fitted = is_calculated and _form(parameters).output_init != "votes"
        rate = FITTED_RATE if is_fitted else USUAL_RATE
    return Plan(
        Objective(parameters["loss"], alpha),
        optimizer,
        rates=layer_rates(rate, len(network.layers)),
        batch_size=200 if size == "auto" else size,
        max_epochs=epochs,
        shuffle=parameters["shuffle"],
        tol=parameters["tol"],
        patience=parameters["n_iter_no_change"],
        early_stopping=parameters["early_stopping"],
        linear_decay=parameters["learning_rate"] == "linear",
    )


def _check_network(parameters: Parameters, network: Network) -> None:
    """Refuse to go on with a network of another form than the parameters say."""
    loss_of = {loss.output_activation: name for name, loss in LOSSES.items()}
    form, depth = _form(parameters), len(network.layers)
    k = form.n_neighbors
    fitted = {
        "activation": network.layers[0].activation,
        "loss": loss_of[network.layers[-1].activation],
        "n_neighbors": k if (k > 1) == (depth == 4) else "2 or more" if k == 1 else 1,
        "readout": "comparisons" if depth == 2 else "exemplars",
    }
    for name, value in fitted.items():
        if getattr(form, name) != value:
            msg = (
                f"{name}={getattr(form, name)!r} does not go with the network, which was "
                f"fitted with {value!r}: fit it anew, without warm_start"
            )
            raise ValueError(msg)


def _reporter(verbose: bool) -> Callable[[History], None]:
    def report(history: History) -> None:
        if verbose:
            line = f"Epoch {len(history.loss)}, loss = {history.loss[-1]:.8f}"
            if history.validation_score:
                line += f", validation score = {history.validation_score[-1]:f}"
            print(line)  # noqa: T201 - verbose means to print

    return report
