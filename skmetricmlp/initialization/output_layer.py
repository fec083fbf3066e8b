"""The last layer, fitted to the values of the layer before."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.initialization.least_squares import (
    centered_rows,
    left_out_residuals,
    principal_axes,
)
from skmetricmlp.network import LOSSES

__all__ = [
    "Readout",
    "best_scale",
    "logistic_weights",
    "ridge_readout",
    "ridge_weights",
]


# Beyond the upper limit an output is as good as certain, and its gradient as good as
# zero; rows that are all classified rightly would otherwise have no best scale.
LIMITS = (1e-2, 10.0)
LOGISTIC_RIDGE = 1.0  # on the weights of the logistic regression, per row of mean weight
# Decimal logarithms of the ridges to choose from, in units of the mean eigenvalue of the
# Gram matrix, and what is thought likely of them before there are rows.
LOG_RIDGES = np.arange(-5.0, 1.5, 0.5)
LIKELY_LOG_RIDGE, LOG_RIDGE_DEVIATION = -1.0, 0.5
TINY = float(np.finfo(float).eps)


def best_scale(scores: Floats, codes: Ints, weights: Floats, loss: str) -> float:
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
    losses_of = LOSSES[loss].losses

    def mean_loss(log_scale: float) -> float:
        losses = losses_of(np.exp(log_scale) * scores, targets)
        return float(np.average(losses, weights=weights))

    found = minimize_scalar(mean_loss, bounds=np.log(LIMITS), method="bounded")
    return float(np.exp(found.x))


class Readout(NamedTuple):
    """``values @ weights + bias``, and what it says of rows that it has not seen.

    ``weights`` (n_hidden, n_classes), ``bias`` (n_classes,); ``left_out`` (n, n_classes)
    is the prediction for each row by the fit to all other rows.
    """

    weights: Floats
    bias: Floats
    left_out: Floats


def ridge_readout(
    values: Floats, codes: Ints, weights: Floats, n_classes: int, loss: str
) -> tuple[Floats, Floats]:
    """Regress the classes on the last hidden layer: least squares with a ridge.

    The targets are one for the row's class and zero for the others. The scores, less
    one half, are scaled until the loss of the rows is least, each predicted by the fit
    to the others: the fit to all is too sure of the rows that it has seen.

    Parameters
    ----------
    values : array of shape (n, n_hidden)
    codes : int array of shape (n,)
    weights : array of shape (n,)
        All positive.
    n_classes : int
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.

    Returns
    -------
    W : array of shape (n_hidden, n_classes)
    b : array of shape (n_classes,)
    """
    fit = ridge_weights(values, np.eye(n_classes)[codes], weights)
    scale = best_scale(fit.left_out - 0.5, codes, weights, loss)
    return scale * fit.weights, scale * (fit.bias - 0.5)


def ridge_weights(values: Floats, targets: Floats, weights: Floats) -> Readout:
    """Minimize ``sum_x w_x ||values_x W + b - t_x||^2 + ridge ||W||^2``, in closed form.

    The ridge has the least ``n log(error) + ((log ridge - likely) / deviation)^2``, with
    the weighted mean squared error of rows that are left out one at a time: twice the
    negative logarithm of a normal likelihood, and of a normal prior, which decides where
    rows are few. One eigendecomposition of the smaller Gram matrix serves all ridges.

    Parameters
    ----------
    values : array of shape (n, n_hidden)
    targets : array of shape (n, n_targets)
    weights : array of shape (n,)
        All positive.

    Returns
    -------
    Readout
    """
    rows = centered_rows(values, targets, weights)
    axes = principal_axes(rows.A)
    squares, U = axes.squares, axes.left()
    response, share = (a.astype(values.dtype) for a in (rows.Y, rows.shares))
    ridges = 10.0**LOG_RIDGES * max(squares.mean() if len(squares) else 0.0, TINY)
    shrinkages = (squares / (squares + ridges[:, None])).astype(values.dtype)
    left_out = left_out_residuals(U, shrinkages, response, share)
    errors = np.array([np.sum(residuals**2) for residuals in left_out], dtype=float)
    unlikely = ((LOG_RIDGES - LIKELY_LOG_RIDGE) / LOG_RIDGE_DEVIATION) ** 2
    best = int(np.argmin(len(values) * np.log(np.maximum(errors, TINY)) + unlikely))
    shrunken = (np.sqrt(squares) / (squares + ridges[best]))[:, None] * (U.T @ response)
    W = axes.weights(shrunken)
    return Readout(W, rows.bias(W), targets - left_out[best] / np.sqrt(share)[:, None])


def logistic_weights(
    values: Floats, codes: Ints, weights: Floats, n_classes: int
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
        regression = LogisticRegression(C=1.0 / LOGISTIC_RIDGE, max_iter=1000)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            regression.fit(values, codes, sample_weight=weights / weights.mean())
        coef, intercept = regression.coef_, regression.intercept_
        if len(present) == 2:  # scikit-learn has the second class's log odds alone
            coef, intercept = (np.concatenate([-a, a]) / 2 for a in (coef, intercept))
        W[:, present], b[present] = coef.T, intercept
    absent = np.setdiff1d(np.arange(n_classes), present)
    b[absent] = b[present].min() - np.log(1.0 + len(codes))
    return W, b
