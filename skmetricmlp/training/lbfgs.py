"""L-BFGS: the objective of all rows at once, minimized by SciPy on the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NoReturn

import numpy as np
from array_api_compat import size
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from skmetricmlp._array_api import numpy_type, place_of, to_numpy
from skmetricmlp._typing import Array
from skmetricmlp.network import Network
from skmetricmlp.training.monitor import (
    History,
    Plan,
    Position,
    StopReason,
    Watch,
    check_finite,
)
from skmetricmlp.training.objective import Batch

__all__ = ["LBFGS", "flatten", "train_lbfgs", "unflatten"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS, of :func:`train_lbfgs`. It leaves no state.

    R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, SIAM J. Sci. Comput. 16 (1995), 1190-1208.
    """

    def init(self, parameters: Sequence[Array]) -> tuple[()]:  # noqa: ARG002 - a protocol
        """Nothing."""
        return ()

    def copy(self, state: tuple[()]) -> tuple[()]:
        """Nothing."""
        return state

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: there is no step of a minibatch.

        Raises
        ------
        TypeError
            Always.
        """
        msg = "L-BFGS takes all rows at once: use train_lbfgs"
        raise TypeError(msg)


def train_lbfgs(
    start: Position,
    history: History,
    data: Batch,
    plan: Plan,
    rng: np.random.RandomState,  # noqa: ARG001 - the parameters of train
    *,
    validate: Callable[[Network], tuple[float, float]] | None = None,
    before_epoch: Callable[[History, Position], object] = lambda *_: None,
    on_epoch: Callable[[History, Position], object] = lambda *_: None,
) -> tuple[Position, History, StopReason]:
    """Minimize ``plan.objective`` over all rows of ``data`` by L-BFGS.

    An epoch is an iteration: a direction, and a search along it that may look at all
    rows several times. The loss of an epoch is the objective at its end, and never
    rises. It ends where no element of the gradient is larger than ``plan.tol``, as of
    :class:`sklearn.neural_network.MLPClassifier`. Nothing is drawn, and of the plan
    ``rates``, ``batch_size``, ``shuffle`` and ``linear_decay`` have no effect. Vectors of
    all parameters are in double precision and on the host; objective and gradient are
    calculated where the parameters are, in their precision.

    Parameters
    ----------
    start, history, data, plan, rng, validate, before_epoch, on_epoch
        Those of :func:`~skmetricmlp.training.train`, with an :class:`LBFGS` in the plan.
        An epoch that begins does not end where no lower objective is found in it.

    Returns
    -------
    position : Position
        The best one with ``early_stopping``; else the one after the last iteration that
        ended, or after an objective that is not finite the last at which it was.
    history : History
    reason : {"converged", "stopped", "max_epochs", "diverged", "interrupted"}
        ``"converged"`` also where no lower objective is found any more. Where that is
        so from the start, the history gets one epoch, which changes nothing.
    """
    watch = Watch.of(start, history, plan, validate, before_epoch, on_epoch)
    if not plan.max_epochs:
        return start, watch.history, "max_epochs"
    like, state = start.network, start.state
    position, trusted = start, start.network
    reason: StopReason = "converged"

    def value_and_gradient(x: Vector) -> tuple[float, Vector]:
        watch.begin(position)
        network = unflatten(x, like)
        value, gradients = plan.objective.value_and_gradient(network, data)
        gradient = flatten(gradients)
        check_finite(value)
        check_finite(float(np.sum(gradient)))
        return value, gradient

    def advance(iteration: OptimizeResult) -> None:
        nonlocal position, trusted
        position = Position(unflatten(iteration.x, like), state)
        watch.history.n_rows += data.weights.shape[0]
        watch.see(float(iteration.fun), position)
        trusted = position.network

    def callback(intermediate_result: OptimizeResult) -> None:
        advance(intermediate_result)
        if watch.verdict:
            raise StopIteration

    # It stops where the gradient is small, or nothing moves any more.
    options = {"maxiter": plan.max_epochs, "maxfun": inf, "ftol": 0.0, "gtol": plan.tol}
    try:
        result = minimize(
            value_and_gradient,
            flatten(like.parameters),
            jac=True,
            method="L-BFGS-B",
            callback=callback,
            options=options,
        )
        if not result.nit:
            advance(result)
        is_last = result.nit == plan.max_epochs
        reason = watch.verdict or ("max_epochs" if is_last else "converged")
    except KeyboardInterrupt:
        reason = "interrupted"
    except FloatingPointError:
        reason = "diverged"
    return watch.result(position, trusted, reason, data)


def flatten(arrays: Sequence[Array]) -> Vector:
    """Join the numbers of arrays, wherever these are, into one vector on the host.

    Examples
    --------
    >>> import numpy as np
    >>> flatten([np.ones((2, 2)), np.zeros(1)])
    array([1., 1., 1., 1., 0.])
    """
    return np.concatenate([np.ravel(to_numpy(a)) for a in arrays], dtype=np.float64)


def unflatten(vector: Vector, network: Network) -> Network:
    """Return a network with weights of a vector, in the precision and place of its own.

    The vector may change afterwards: its numbers are copied.
    """
    parameters, stop = [], 0
    for array in network.parameters:
        start, stop = stop, stop + size(array)
        part = vector[start:stop].reshape(array.shape).astype(numpy_type(array))
        parameters.append(place_of(array).move(part))
    return network.with_parameters(parameters)
