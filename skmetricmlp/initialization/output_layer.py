"""Output layers that are fitted to the hidden values of the training data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dtrtri
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skmetricmlp._inner_fit import inner_fit
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.initialization.least_squares import (
    NormalEquations,
    centered,
    check_finite,
)
from skmetricmlp.network import LOSSES
from skmetricmlp.training import output_targets

__all__ = [
    "best_scale",
    "logistic_weights",
    "ridge_of_sums",
    "ridge_weights",
    "ridge_with_penalty",
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

# Weights (n_hidden, n_targets), and another array that belongs to the fit.
Fit: TypeAlias = tuple[Floats, Floats]


def best_scale(scores: Floats, y: Array, sample_weight: Floats, loss: str) -> float:
    """Return the factor of ``scores`` with the lowest mean loss.

    With the log loss this is temperature scaling: C. Guo, G. Pleiss,
    Y. Sun, K. Q. Weinberger, ICML 2017.

    Parameters
    ----------
    scores : array of shape (n, n_outputs)
        Outputs before their activation.
    y : array of shape (n,) or (n, n_outputs)
        Class codes or labels of the rows.
    sample_weight : array of shape (n,)
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.

    Returns
    -------
    float
        Between 0.01 and 10.
    """
    targets = output_targets(y, scores)
    loss_of = LOSSES[loss].losses

    def mean_loss(log_scale: float) -> float:
        losses = loss_of(np.exp(log_scale) * scores, targets)
        return float(np.average(losses, weights=sample_weight))

    found = minimize_scalar(mean_loss, bounds=np.log(LIMITS), method="bounded")
    return float(np.exp(found.x))


def scaled_classifier(
    fit: tuple[Floats, Floats, Floats], y: Array, sample_weight: Floats, loss: str
) -> tuple[Floats, Floats]:
    """Scale the scores of a least squares fit to classes or labels, for the lowest loss.

    The targets of the fit are one for those of the row and zero for the others. The
    scores, less one half, are scaled until the loss is lowest, where the fit to all
    other rows predicts each row: the fit to all rows is overconfident on them.

    Parameters
    ----------
    fit : tuple of arrays
        ``W``, ``b`` and ``left_out`` of :func:`ridge_weights`.
    y : array of shape (n,) or (n, n_outputs)
        Class codes or labels.
    sample_weight : array of shape (n,)
        All positive.
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.

    Returns
    -------
    W : array of shape (n_hidden, n_outputs)
    b : array of shape (n_outputs,)
    """
    W, b, left_out = fit
    scale = best_scale(left_out - 0.5, y, sample_weight, loss)
    return scale * W, scale * (b - 0.5)


def ridge_weights(
    hidden: Floats, targets: Floats, sample_weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Minimize ``sum_x w_x ||hidden_x W + b - t_x||^2 + ridge ||W||^2``, in closed form.

    The ridge minimizes ``n log(error) + ((log ridge - mean) / deviation)^2``, with the
    weighted mean squared error of rows that are left out one at a time. This is twice
    the negative logarithm of a normal likelihood and of a normal prior, which decides
    where rows are few. With the leverage h_x of a row, the bias included, the residual of
    a row that is left out is ``residual_x / (1 - h_x)`` (D. M. Allen, Technometrics 16,
    1974).

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
    doubles = hidden.astype(np.float64)
    A, Y, mean, target_mean, shares = centered(doubles, targets, sample_weight)
    n, wide = len(A), A.shape[0] <= A.shape[1]
    gram = A @ A.T if wide else A.T @ A
    check_finite(gram)
    unit = _mean_square(gram, n, A.shape[1])
    response = A.T @ Y

    def cost(log_ridge: float) -> tuple[float, Fit]:
        ridge = 10.0**log_ridge * unit
        factor = _cholesky(gram, ridge)
        if wide:
            W, left_out = _dual_fit(factor, ridge, A, Y, shares)
        else:
            W = cho_solve((factor, True), response, check_finite=False)
            left_out = _left_out(factor, A, Y - A @ W, shares)
        error = max(float(np.sum(left_out**2)), TINY)
        return n * np.log(error) + _prior(log_ridge), (W, left_out)

    W, left_out = _lowest(cost)
    predicted = targets - left_out / np.sqrt(shares)[:, None]
    return W, target_mean - mean @ W, predicted


def ridge_of_sums(
    equations: NormalEquations,
    n: int,
    sample: tuple[Floats, Floats, Floats],
) -> tuple[Floats, Floats, Floats]:
    """Minimize the same from sums over n rows, with a few of the rows beside them.

    The left-out error of all rows is estimated: it is their training error times the
    left-out error of the sample over its training error. The leverage of the sample's
    rows is exact. Their mean would not do: where units fire for few rows some leverages
    are near one, and generalized cross-validation chooses a ridge that is far too small.

    Parameters
    ----------
    equations : NormalEquations
        Of all rows.
    n : int
        Number of distinct rows.
    sample : tuple of arrays of shapes (m, n_hidden), (m, n_targets) and (m,)
        Hidden values, targets and weights of some of the rows.

    Returns
    -------
    W : array of shape (n_hidden, n_targets)
        For hidden values that are not divided by their scale.
    b : array of shape (n_targets,)
    left_out : array of shape (m, n_targets)
        Prediction for each row of the sample by the fit to all other rows.
    """
    gram = equations.gram
    check_finite(gram)
    roots, few = _few_rows(equations, sample)
    unit = _mean_square(gram, n, len(gram))
    least = max(TINY * equations.square, TINY)
    least_residual = max(TINY * float(np.sum(few[1] ** 2)), TINY**2)

    def cost(log_ridge: float) -> tuple[float, Fit]:
        ridge = 10.0**log_ridge * unit
        W, left_out, residuals = _fit_of_sums(equations, ridge, few)
        error = equations.square - np.sum(W * equations.response) - ridge * np.sum(W**2)
        growth = np.sum(left_out**2) / max(float(np.sum(residuals**2)), least_residual)
        return n * np.log(max(error, least) * growth) + _prior(log_ridge), (W, left_out)

    W, left_out = _lowest(cost)
    b = equations.target_mean - equations.mean @ W
    return W / equations.scale[:, None], b, sample[1] - left_out / roots


def ridge_with_penalty(
    equations: NormalEquations,
    penalty: float,
    sample: tuple[Floats, Floats, Floats],
) -> tuple[Floats, Floats, Floats]:
    """Minimize ``sum_x w_x ||hidden_x W + b - t_x||^2 + penalty ||W||^2`` from sums.

    This is the ridge regression of scikit-learn, on hidden values as they are.

    Parameters
    ----------
    equations : NormalEquations
        Of all rows.
    penalty : float
        Positive.
    sample : tuple of arrays
        As in :func:`ridge_of_sums`.

    Returns
    -------
    W, b, left_out : arrays
        Likewise.
    """
    scale = equations.scale
    equations = equations._replace(
        gram=equations.gram * scale * scale[:, None],
        response=equations.response * scale[:, None],
        mean=equations.mean * scale,
        scale=np.ones_like(scale),
    )
    check_finite(equations.gram)
    roots, few = _few_rows(equations, sample)
    W, left_out, _ = _fit_of_sums(equations, penalty / equations.weight, few)
    b = equations.target_mean - equations.mean @ W
    return W, b, sample[1] - left_out / roots


def _few_rows(
    equations: NormalEquations, sample: tuple[Floats, Floats, Floats]
) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Square roots (m, 1) of the shares of some rows; and A, Y and shares of them."""
    hidden, targets, sample_weight = sample
    shares = sample_weight / equations.weight
    roots = np.sqrt(shares)[:, None]
    A = roots * (hidden / equations.scale - equations.mean)
    return roots, (A, roots * (targets - equations.target_mean), shares)


def _fit_of_sums(
    equations: NormalEquations, ridge: float, few: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Weights with a ridge, and left-out and other residuals of some rows."""
    A, Y, shares = few
    factor = _cholesky(equations.gram, ridge)
    W = cho_solve((factor, True), equations.response, check_finite=False)
    residuals = Y - A @ W
    return W, _left_out(factor, A, residuals, shares), residuals


def _mean_square(gram: Floats, n: int, width: int) -> float:
    """Mean of the eigenvalues that are not zero; centering makes one zero."""
    return max(float(np.trace(gram)) / max(min(n - 1, width), 1), TINY)


def _prior(log_ridge: float) -> float:
    return float(((log_ridge - LOG_RIDGE_MEAN) / LOG_RIDGE_DEVIATION) ** 2)


def _lowest(cost: Callable[[float], tuple[float, Fit]]) -> Fit:
    """Walk from the prior mean along the ridges as long as the cost falls."""
    at = int(np.argmin(abs(LOG_RIDGES - LOG_RIDGE_MEAN)))
    lowest, fit = cost(LOG_RIDGES[at])
    for step in (-1, 1):
        start = at
        while 0 <= at + step < len(LOG_RIDGES):
            following, other = cost(LOG_RIDGES[at + step])
            if following >= lowest:
                break
            lowest, fit, at = following, other, at + step
        if at != start:
            break
    return fit


def _cholesky(gram: Floats, ridge: float) -> Floats:
    """Lower Cholesky factor of the Gram matrix with the ridge."""
    ridged = gram.copy()
    ridged[np.diag_indices_from(ridged)] += ridge
    factor: Floats = cholesky(ridged, lower=True, overwrite_a=True, check_finite=False)
    return factor


def _left_out(factor: Floats, A: Floats, residuals: Floats, shares: Floats) -> Floats:
    """Left-out residuals of rows from the factor of ``A^T A + ridge``."""
    spread = solve_triangular(factor, A.T, lower=True, check_finite=False)
    leverages = np.sum(spread**2, axis=0) + shares
    left_out: Floats = residuals / np.maximum(1.0 - leverages, TINY)[:, None]
    return left_out


def _dual_fit(factor: Floats, ridge: float, A: Floats, Y: Floats, shares: Floats) -> Fit:
    """Weights, and left-out residuals of rows, from the factor of ``A A^T + ridge``.

    The residuals are ``ridge (A A^T + ridge)^-1 Y``, and the leverages are what the
    diagonal of that matrix lacks to one.
    """
    coefficients = cho_solve((factor, True), Y, check_finite=False)
    inverse, _ = dtrtri(factor, lower=1)
    kept = ridge * np.sum(inverse**2, axis=0) - shares
    residuals = ridge * coefficients / np.maximum(kept, TINY)[:, None]
    return A.T @ coefficients, residuals


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
            shares = sample_weight / sample_weight.mean()
            inner_fit(regression, hidden, codes, sample_weight=shares)
        coef, intercept = regression.coef_, regression.intercept_
        if len(present) == 2:  # scikit-learn has the second class's log odds alone
            coef, intercept = (np.concatenate([-a, a]) / 2 for a in (coef, intercept))
        W[:, present], b[present] = coef.T, intercept
    absent = np.setdiff1d(np.arange(n_classes), present)
    b[absent] = b[present].min() - np.log(1.0 + len(codes))
    return W, b
