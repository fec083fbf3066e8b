"""L-BFGS: the objective of all rows at once, minimized by SciPy on the host.

R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, SIAM J. Sci. Comput. 16 (1995), 1190-1208.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from array_api_compat import size
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from skmetricmlp._array_api import device_of, numpy_type, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._typing import Array
from skmetricmlp.network import Network
from skmetricmlp.training.config import TrainingConfig
from skmetricmlp.training.history import History
from skmetricmlp.training.monitor import (
    Listener,
    Monitor,
    StopReason,
    Trained,
    Validate,
    check_finite,
)

__all__ = ["flatten", "train_lbfgs", "unflatten"]

Vector = NDArray[np.float64]


def train_lbfgs(
    network: Network,
    history: History,
    data: TrainingData,
    config: TrainingConfig,
    validate: Validate | None = None,
    before_epoch: Listener = lambda *_: None,
    on_epoch: Listener = lambda *_: None,
) -> Trained:
    """Minimize ``config.objective`` over all rows of ``data`` by L-BFGS.

    An epoch is an iteration: a direction, and a search along it that may evaluate the
    objective several times. The loss of an epoch is the objective at its end, which
    never rises. Training ends where no element of the gradient is larger than
    ``config.tol``, as in :class:`sklearn.neural_network.MLPClassifier`. Nothing is
    drawn, and ``rates``, ``batch_size``, ``shuffle`` and ``schedule`` have no effect.
    Vectors of all parameters are in double precision and on the host. Objective and
    gradient are computed on the device of the parameters, in their precision.

    Parameters
    ----------
    network, history, data, config, validate, before_epoch, on_epoch
        As in :func:`~skmetricmlp.training.train`. An epoch begins but does not end where
        no lower objective is found in it.

    Returns
    -------
    network : Network
        With ``early_stopping`` the best one. Otherwise the one after the last complete
        iteration, or after an objective that is not finite the last with a finite one.
    state : None
        L-BFGS leaves no state.
    history : History
    reason : {"converged", "stopped", "max_epochs", "diverged", "interrupted"}
        ``"converged"`` also where no lower objective is found. If none is found from the
        start, the history gets one epoch, which changes nothing.
    """
    listeners = validate, before_epoch, on_epoch
    monitor = Monitor(config, history, network, network, None, *listeners)
    if not config.max_epochs:
        return network, None, history, "max_epochs"
    like, last_finite = network, network
    reason: StopReason = "converged"

    def value_and_gradient(x: Vector) -> tuple[float, Vector]:
        monitor.begin(network, None)
        at = unflatten(x, like)
        value, gradients = config.objective.value_and_gradient(at, data)
        gradient = flatten(gradients)
        check_finite(value)
        check_finite(float(np.sum(gradient)))
        return value, gradient

    def advance(iteration: OptimizeResult) -> None:
        nonlocal network, last_finite
        network = unflatten(iteration.x, like)
        monitor.history = monitor.history.with_rows(data.sample_weight.shape[0])
        monitor.end(float(iteration.fun), network, None)
        last_finite = network

    def callback(intermediate_result: OptimizeResult) -> None:
        advance(intermediate_result)
        if monitor.reason:
            raise StopIteration

    # It stops where the gradient is small, or where no step lowers the objective.
    options = {
        "maxiter": config.max_epochs,
        "maxfun": inf,
        "ftol": 0.0,
        "gtol": config.tol,
    }
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
        is_last = result.nit == config.max_epochs
        reason = monitor.reason or ("max_epochs" if is_last else "converged")
    except KeyboardInterrupt:
        reason = "interrupted"
    except FloatingPointError:
        reason = "diverged"
    return monitor.result(network, None, last_finite, reason, data)


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
        parameters.append(device_of(array).move(part))
    return network.with_parameters(parameters)
