"""How far training moves the start: chosen by the loss of rows that it has not seen.

The weights on the way from the start to the end of training, ``start + share (end -
start)``, are networks too. Few rows, or noisy ones, are learned by heart toward the end,
and a part of the way is then better than both ends. Fine-tuned networks are averaged
with their start in this way: M. Wortsman et al., CVPR 2022 (WiSE-FT). Toward the end the
probabilities become too certain too, which a temperature undoes: C. Guo, G. Pleiss, Y.
Sun, K. Q. Weinberger, ICML 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from skmetricmlp._array_api import to_numpy
from skmetricmlp._data import DistinctRows, TrainingData
from skmetricmlp._typing import Array, Floats
from skmetricmlp.network import LOSSES, Network
from skmetricmlp.training.objective import output_targets

__all__ = ["SHARES", "best_share", "between", "kept_and_held_out", "with_scaled_output"]

SHARES = (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)
# One distinct row in so many of each class is held out, of so many rows at most.
ONE_IN = 5
MOST_ROWS = 20_000
# Fewer rows than this judge by luck, and none are held out.
LEAST_HELD_OUT = 20
# Losses whose outputs are scaled, so that probabilities are not too certain.
LOG_LOSSES = "log_loss", "binary_log_loss"
# Deviation of the normal prior of the logarithm of an output's factor, which decides
# where rows are few, and the least logarithm.
LOG_FACTOR_DEVIATION, LEAST_LOG_FACTOR = 0.2, -2.0


def kept_and_held_out(rows: DistinctRows) -> tuple[DistinctRows, DistinctRows]:
    """Divide distinct rows, the same share of each class, whatever their order was.

    Equal rows are on the same side. A class with fewer than five distinct rows is kept
    whole. Where fewer than twenty rows would be held out none is.

    Parameters
    ----------
    rows : DistinctRows

    Returns
    -------
    kept, held_out : DistinctRows
        Of at most 20,000 distinct rows together.
    """
    rows = rows.take(slice(MOST_ROWS))
    place = pd.Series(rows.codes).groupby(rows.codes).cumcount().to_numpy()
    is_held_out = place % ONE_IN == ONE_IN - 1
    if is_held_out.sum() < LEAST_HELD_OUT:
        is_held_out[:] = False
    return rows.take(~is_held_out), rows.take(is_held_out)


def between(start: Network, end: Network, share: float) -> Network:
    """Return the network at ``start + share (end - start)``, of the same form.

    Parameters
    ----------
    start, end : Network
    share : float
        0 is the start itself, and 1 the end.
    """
    if share in {0.0, 1.0}:
        return end if share else start
    pairs = zip(start.parameters, end.parameters, strict=True)
    return start.with_parameters([p + share * (q - p) for p, q in pairs])


def with_scaled_output(network: Network, factor: float) -> Network:
    """Return the network with ``factor`` times the output before its activation."""
    *hidden, output = network.layers
    scaled = output.with_parameters([factor * array for array in output.parameters])
    return Network((*hidden, scaled))


def best_share(
    start: Network,
    end: Network,
    data: TrainingData,
    loss: str,
    shares: Sequence[float] = SHARES,
) -> tuple[float, float]:
    """Return the smallest share that is level with the best one, and its factor.

    That is the rule of one standard error (L. Breiman, J. Friedman, R. Olshen, C. Stone,
    Classification and Regression Trees, 1984), with paired differences: the best share
    has the lowest weighted mean loss, and a share is level with it if the difference of
    their mean losses is at most its standard error. With the log loss each network but
    the start has its output scaled by the factor up to 1 that suits these rows.

    Parameters
    ----------
    start, end : Network
    data : TrainingData
        Rows that neither has seen.
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.
    shares : sequence of float, default=SHARES

    Returns
    -------
    share : float
        0, the start, unless the best share is clearly better.
    factor : float
        Of the output at that share, 1 or less. 1 for the start, and with other losses.
    """
    weights = to_numpy(data.sample_weight).astype(np.float64)
    weights /= weights.sum()
    candidates = []
    for share in shares:
        z = to_numpy(between(start, end, share).affine_output(data.X)).astype(np.float64)
        targets = output_targets(to_numpy(data.y), z)
        is_scaled = share > 0.0 and loss in LOG_LOSSES
        factor = _best_factor(z, targets, weights, loss) if is_scaled else 1.0
        candidates.append((share, factor, LOSSES[loss].losses(factor * z, targets)))
    means = np.nan_to_num([weights @ losses for *_, losses in candidates], nan=np.inf)
    best = candidates[int(np.argmin(means))][-1]

    def is_level(losses: Floats) -> bool:
        excess = losses - best
        mean = weights @ excess
        return bool(mean**2 <= np.sum((weights * (excess - mean)) ** 2))

    return next(
        (share, factor) for share, factor, losses in candidates if is_level(losses)
    )


def _best_factor(z: Array, targets: Array, weights: Floats, loss: str) -> float:
    """Return the factor of ``z`` up to 1 that is most likely, with a prior around 1.

    It minimizes ``n sum_i w_i loss_i + 1/2 (log factor / deviation)^2``, with weights
    ``w`` of sum one. Training makes outputs too certain, so that a factor above 1 would
    fit the luck of few rows, and so would one far below it.
    """
    loss_of, n = LOSSES[loss].losses, len(weights)

    def cost(log_factor: float) -> float:
        likelihood = n * (weights @ loss_of(np.exp(log_factor) * z, targets))
        return float(likelihood + 0.5 * (log_factor / LOG_FACTOR_DEVIATION) ** 2)

    limits = LEAST_LOG_FACTOR, 0.0
    found = minimize_scalar(cost, bounds=limits, method="bounded")
    return float(np.exp(found.x)) if found.fun < cost(0.0) else 1.0
