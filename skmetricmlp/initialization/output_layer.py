"""The last layer in closed form, or as near to it as it comes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from skmetricmlp.network import LOSSES

__all__ = ["best_scale"]

Floats = NDArray[np.floating[Any]]

# Beyond the upper limit an output is as good as certain, and its gradient as good as
# zero; rows that are all classified rightly would otherwise have no best scale.
LIMITS = (1e-2, 10.0)


def best_scale(
    scores: Floats, codes: NDArray[np.intp], weights: Floats, loss: str
) -> float:
    """Return the factor of ``scores`` at which the mean loss is least.

    Called temperature scaling where the loss is the log loss: C. Guo, G. Pleiss,
    Y. Sun, K. Q. Weinberger, ICML 2017.

    Parameters
    ----------
    scores : array of shape (n, n_classes)
        Outputs before their activation.
    codes : int array of shape (n,)
        The classes that the rows have.
    weights : array of shape (n,)
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.

    Returns
    -------
    float
        Between 0.01 and 10.
    """
    targets = np.eye(scores.shape[1])[codes]
    values = LOSSES[loss].values

    def mean_loss(log_scale: float) -> float:
        losses = values(np.exp(log_scale) * scores, targets)
        return float(np.average(losses, weights=weights))

    found = minimize_scalar(mean_loss, bounds=np.log(LIMITS), method="bounded")
    return float(np.exp(found.x))
