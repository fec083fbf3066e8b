"""The last layer, fitted to the values of the layer before."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skmetricmlp.network import LOSSES

__all__ = ["best_scale", "logistic_weights"]

Floats = NDArray[np.floating[Any]]

# Beyond the upper limit an output is as good as certain, and its gradient as good as
# zero; rows that are all classified rightly would otherwise have no best scale.
LIMITS = (1e-2, 10.0)
RIDGE = 1.0  # on the weights of the logistic regression, per row of mean weight


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


def logistic_weights(
    values: Floats, codes: NDArray[np.intp], weights: Floats, n_classes: int
) -> tuple[Floats, Floats]:
    """Regress the classes on the last hidden layer: multinomial, with a ridge.

    The minimum of ``sum_x w_x loss(values_x W + b) + 1/2 ||W||^2``, with weights of mean
    one. A class without rows has weights of zero and a bias below all others.

    Parameters
    ----------
    values : array of shape (n, n_hidden)
    codes : int array of shape (n,)
    weights : array of shape (n,)
    n_classes : int

    Returns
    -------
    W : array of shape (n_hidden, n_classes)
    b : array of shape (n_classes,)
    """
    present = np.unique(codes)
    W, b = np.zeros((values.shape[1], n_classes)), np.zeros(n_classes)
    if len(present) > 1:
        regression = LogisticRegression(C=1.0 / RIDGE, max_iter=1000)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            regression.fit(values, codes, sample_weight=weights / weights.mean())
        coef, intercept = regression.coef_, regression.intercept_
        if len(present) == 2:  # scikit-learn has the second class's log odds alone
            coef, intercept = (np.concatenate([-a, a]) / 2 for a in (coef, intercept))
        W[:, present], b[present] = coef.T, intercept
    absent = np.setdiff1d(np.arange(n_classes), present)
    b[absent] = b[present].min() - np.log(1.0 + len(codes))
    return W, b
