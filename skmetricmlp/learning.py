"""From checked rows to a fitted network: the one path of fit and partial_fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skmetricmlp.arrays import map_arrays, place_of, to_numpy
from skmetricmlp.initialization import (
    Budget,
    Form,
    Origin,
    Start,
    form_of,
    initial_network,
    lacks_classes,
    memory_budget,
    with_late_classes,
)
from skmetricmlp.network import LOSSES, Network, TiedComparison
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
    """What a call of fit or partial_fit leaves, to the user and to the next call.

    The position is where X was, on a device perhaps; the rest is in NumPy.
    """

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

    @property
    def labels(self) -> Array:
        """The classes, where the network is; only NumPy has arrays of strings."""
        if self.classes.dtype.kind not in "biuf":
            return self.classes
        return place_of(self.network.parameters[0]).move(self.classes)

    def convert(self, converter: Callable[[Array], Array]) -> Fitted:
        """Return the same with other arrays of the network and the optimiser state."""
        return replace(self, position=map_arrays(converter, self.position))


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
    codes = class_codes(rows.y, known)
    by_class = class_weights(parameters["class_weight"], known, codes, rows.sample_weight)
    weights, index = _weigh(codes, rows.sample_weight, by_class)
    rng = check_random_state(parameters["random_state"])
    validation = None
    if held_out:
        held_codes = class_codes(held_out.y, known, "y_val")
        held_weights, taken = _weigh(held_codes, held_out.sample_weight, by_class)
        validation = _batch(held_out.X, held_codes, held_weights, taken)
    elif parameters["early_stopping"] and epochs:
        # A warm start with the same rows and seed holds out the same ones again.
        kept, taken = _hold_out(codes[index], parameters["validation_fraction"], rng)
        validation = _batch(rows.X, codes, weights, index[taken])
        index = index[kept]
    data = _batch(rows.X, codes, weights, index)

    if present:
        rng = deepcopy(present.rng)
    start = _start(
        parameters, present, data.X, codes[index], weights[index], known, rng, index
    )
    network, n_exemplars, origin = start
    plan = _plan(parameters, network, epochs)
    state = (
        present.position.state
        if present and present.network is network and present.optimizer == plan.optimizer
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


def _weigh(codes: Ints, weights: Array, by_class: Array) -> tuple[Array, Ints]:
    """Multiply weights by class weights, and say where the product is not zero."""
    weights = (weights * by_class[codes]).astype(weights.dtype)
    index = np.flatnonzero(weights > 0)
    if not len(index):
        msg = "the weight of every row, sample_weight times class_weight, is zero"
        raise ValueError(msg)
    return weights, index


def _batch(X: Array, codes: Ints, weights: Array, index: Ints) -> Batch:
    """Rows at the positions ``index``, all of which is then where ``X`` is."""
    place = place_of(X)
    batch = Batch(X, place.move(codes), place.move(weights))
    return batch if len(index) == len(codes) else batch.take(place.move(index))


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


def _start(
    parameters: Parameters,
    present: Fitted | None,
    X: Array,
    codes: Ints,
    weights: Array,
    classes: Array,
    rng: np.random.RandomState,
    index: Ints,
) -> Start:
    """Where training starts from: where ``X`` is, but calculated on the host."""
    if present:
        start = Start(present.network, present.n_exemplars, present.origin)
        if not (isinstance(parameters["exemplars"], str) and lacks_classes(start, codes)):
            return start
    host = Batch(to_numpy(X), codes, weights)
    # k-means of scikit-learn 1.6 fails on NumPy arrays where it may dispatch.
    with config_context(array_api_dispatch=False):
        start = (
            with_late_classes(
                map_arrays(to_numpy, start),
                *host,
                len(classes),
                _form(parameters),
                parameters["exemplars"],
                _budget(parameters),
                rng,
            )
            if present
            else _initialize(parameters, host, classes, rng, index)
        )
    return start._replace(network=map_arrays(place_of(X).move, start.network))


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
        budget=_budget(parameters),
        rng=rng,
    )
    origin = start.origin
    if origin is None or origin.exemplars.index is None:
        return start
    chosen = replace(origin.exemplars, index=index[origin.exemplars.index])
    return start._replace(origin=origin._replace(exemplars=chosen))


def _budget(parameters: Parameters) -> Budget:
    # Training holds the weights, their gradient, and one or two moments of it.
    copies = 4 if parameters["solver"] == "adam" else 3
    return memory_budget(parameters["memory_limit"], copies)


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
        "tied": isinstance(network.layers[0], TiedComparison),
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
