"""Output layers that are fitted to the hidden values of the training data."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.initialization.least_squares import (
    Sums,
    centered,
    eigenvectors,
    left_out_residuals,
    principal_axes,
)
from skmetricmlp.network import LOSSES

__all__ = [
    "best_scale",
    "logistic_weights",
    "ridge_weights",
    "ridge_weights_of_sums",
    "scaled_classifier",
]


# Beyond the upper limit an output is nearly certain, and its gradient nearly zero.
# Without it, rows that are all classified correctly would have no best scale.
LIMITS = (1e-2, 10.0)
LOGISTIC_RIDGE = 1.0  # on the weights of the logistic regression, per row of mean weight
# Decimal logarithms of the ridges to choose from, in units of the mean eigenvalue of the
# Gram matrix, and their prior mean and deviation.
LOG_RIDGES = np.arange(-5.0, 1.5, 0.5)
LOG_RIDGE_MEAN, LOG_RIDGE_DEVIATION = -1.0, 0.5
TINY = float(np.finfo(float).eps)


def best_scale(scores: Floats, codes: Ints, sample_weight: Floats, loss: str) -> float:
    """Return the factor of ``scores`` with the lowest mean loss.

    With the log loss this is temperature scaling: C. Guo, G. Pleiss,
    Y. Sun, K. Q. Weinberger, ICML 2017.

    Parameters
    ----------
    scores : array of shape (n, n_classes)
        Outputs before their activation.
    codes : int array of shape (n,)
        Classes of the rows.
    sample_weight : array of shape (n,)
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.

    Returns
    -------
    float
        Between 0.01 and 10.
    """
    targets = np.eye(scores.shape[1])[codes]
    loss_of = LOSSES[loss].losses

    def mean_loss(log_scale: float) -> float:
        losses = loss_of(np.exp(log_scale) * scores, targets)
        return float(np.average(losses, weights=sample_weight))

    found = minimize_scalar(mean_loss, bounds=np.log(LIMITS), method="bounded")
    return float(np.exp(found.x))


def scaled_classifier(
    fit: tuple[Floats, Floats, Floats], codes: Ints, sample_weight: Floats, loss: str
) -> tuple[Floats, Floats]:
    """Scale the scores of a least squares fit to the classes, for the lowest loss.

    The targets of the fit are one for the row's class and zero for the others. The
    scores, less one half, are scaled until the loss is lowest, where the fit to all
    other rows predicts each row: the fit to all rows is overconfident on them.

    Parameters
    ----------
    fit : tuple of arrays
        ``W``, ``b`` and ``left_out`` of :func:`ridge_weights`.
    codes : int array of shape (n,)
    sample_weight : array of shape (n,)
        All positive.
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.

    Returns
    -------
    W : array of shape (n_hidden, n_classes)
    b : array of shape (n_classes,)
    """
    W, b, left_out = fit
    scale = best_scale(left_out - 0.5, codes, sample_weight, loss)
    return scale * W, scale * (b - 0.5)


def ridge_weights(
    hidden: Floats, targets: Floats, sample_weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Minimize ``sum_x w_x ||hidden_x W + b - t_x||^2 + ridge ||W||^2``, in closed form.

    The ridge minimizes ``n log(error) + ((log ridge - mean) / deviation)^2``, with the
    weighted mean squared error of rows that are left out one at a time. This is twice
    the negative logarithm of a normal likelihood and of a normal prior, which decides
    where rows are few. One eigendecomposition of the smaller Gram matrix serves all
    ridges.

    Parameters
    ----------
    hidden : array of shape (n, n_hidden)
    targets : array of shape (n, n_targets)
    sample_weight : array of shape (n,)
        All positive.

    Returns
    -------
    W : array of shape (n_hidden, n_targets)
    b : array of shape (n_targets,)
    left_out : array of shape (n, n_targets)
        Prediction for each row by the fit to all other rows.
    """
    A, Y, mean, target_mean, shares = centered(hidden, targets, sample_weight)
    axes = principal_axes(A)
    U, response = axes.left(), Y.astype(hidden.dtype)
    shrunken, left_out = _best_ridge(
        axes.squares, U.T @ response, U, response, shares.astype(hidden.dtype), len(U)
    )
    W = axes.weights(shrunken)
    return W, target_mean - mean @ W, targets - left_out


def ridge_weights_of_sums(
    sums: Sums, n: int, hidden: Floats, targets: Floats, shares: Floats
) -> tuple[Floats, Floats, Floats]:
    """Minimize the same from sums over n rows, with the ridge by a sample of them.

    Parameters
    ----------
    sums : Sums
        Of all rows.
    n : int
        Number of rows.
    hidden : array of shape (m, n_hidden)
        Hidden values of the sample.
    targets : array of shape (m, n_targets)
    shares : array of shape (m,)
        Weights of the sample, divided by the sum of the weights of all rows.

    Returns
    -------
    W : array of shape (n_hidden, n_targets)
    b : array of shape (n_targets,)
    left_out : array of shape (m, n_targets)
        Prediction for each row of the sample by the fit to all other rows.
    """
    squares, vectors = eigenvectors(sums.gram, n)
    roots = np.sqrt(shares)[:, None]
    U = (roots * (hidden - sums.mean)) @ (vectors / np.sqrt(squares))
    Y = roots * (targets - sums.target_mean)
    projected = (vectors.T @ sums.response) / np.sqrt(squares)[:, None]
    shrunken, left_out = _best_ridge(squares, projected, U, Y, shares, n)
    W = vectors @ shrunken
    return W, sums.target_mean - sums.mean @ W, targets - left_out


def _best_ridge(
    squares: Floats, projected: Floats, U: Floats, Y: Floats, shares: Floats, n: int
) -> tuple[Floats, Floats]:
    """Choose the ridge for n rows, of which U, Y and shares have a sample.

    Returns
    -------
    shrunken : array of shape (rank, n_targets)
        The weights along the principal axes.
    left_out : array of shape (m, n_targets)
        Residual of each row of the sample by the fit to all other rows.
    """
    ridges = 10.0**LOG_RIDGES * max(squares.mean() if len(squares) else 0.0, TINY)
    shrinkages = (squares / (squares + ridges[:, None])).astype(U.dtype)
    left_out = left_out_residuals(U, shrinkages, projected, Y, shares)
    errors = np.array([np.sum(residuals**2) for residuals in left_out], dtype=float)
    prior = ((LOG_RIDGES - LOG_RIDGE_MEAN) / LOG_RIDGE_DEVIATION) ** 2
    best = int(np.argmin(n * np.log(np.maximum(errors, TINY)) + prior))
    shrunken = (np.sqrt(squares) / (squares + ridges[best]))[:, None] * projected
    return shrunken, left_out[best] / np.sqrt(shares)[:, None]


def logistic_weights(
    hidden: Floats, codes: Ints, sample_weight: Floats, n_classes: int
) -> tuple[Floats, Floats]:
    """Regress the classes on the last hidden layer: multinomial, with a ridge.

    The minimum of ``sum_x w_x loss(hidden_x W + b) + 1/2 ||W||^2``, with weights of mean
    one. A class without rows has weights of zero and a bias below all others.

    Parameters
    ----------
    hidden : array of shape (n, n_hidden)
    codes : int array of shape (n,)
    sample_weight : array of shape (n,)
    n_classes : int

    Returns
    -------
    W : array of shape (n_hidden, n_classes)
    b : array of shape (n_classes,)
    """
    present = np.unique(codes)
    W, b = np.zeros((hidden.shape[1], n_classes)), np.zeros(n_classes)
    if len(present) > 1:
        regression = LogisticRegression(C=1.0 / LOGISTIC_RIDGE, max_iter=1000)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            regression.fit(
                hidden, codes, sample_weight=sample_weight / sample_weight.mean()
            )
        coef, intercept = regression.coef_, regression.intercept_
        if len(present) == 2:  # scikit-learn has the second class's log odds alone
            coef, intercept = (np.concatenate([-a, a]) / 2 for a in (coef, intercept))
        W[:, present], b[present] = coef.T, intercept
    absent = np.setdiff1d(np.arange(n_classes), present)
    b[absent] = b[present].min() - np.log(1.0 + len(codes))
    return W, b
