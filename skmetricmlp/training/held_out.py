"""How far training moves the start: chosen by the loss of rows that it has not seen.

The weights on the way from the start to the end of training, ``start + share (end -
start)``, are networks too. Few rows, or noisy ones, are learned by heart toward the end,
and a part of the way is then better than both ends. Fine-tuned networks are averaged
with their start in this way: M. Wortsman et al., CVPR 2022 (WiSE-FT).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from skmetricmlp._array_api import to_numpy
from skmetricmlp._data import DistinctRows, TrainingData
from skmetricmlp._typing import Floats
from skmetricmlp.network import LOSSES, Network
from skmetricmlp.training.objective import output_targets

__all__ = ["SHARES", "best_share", "between", "kept_and_held_out"]

SHARES = (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)
# One distinct row in so many of each class is held out, of so many rows at most.
ONE_IN = 5
MOST_ROWS = 20_000
# Fewer rows than this judge by luck, and none are held out.
LEAST_HELD_OUT = 20


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


def best_share(
    start: Network,
    end: Network,
    data: TrainingData,
    loss: str,
    shares: Sequence[float] = SHARES,
) -> float:
    """Return the smallest share that is level with the best one.

    That is the rule of one standard error (L. Breiman, J. Friedman, R. Olshen, C. Stone,
    Classification and Regression Trees, 1984), with paired differences: the best share
    has the lowest weighted mean loss, and a share is level with it if the difference of
    their mean losses is at most its standard error.

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
    float
        0, the start, unless the best share is clearly better.
    """
    weights = to_numpy(data.sample_weight).astype(np.float64)
    weights /= weights.sum()
    losses = [_losses(between(start, end, share), data, loss) for share in shares]
    means = np.nan_to_num([weights @ one for one in losses], nan=np.inf)
    best = losses[int(np.argmin(means))]

    def is_level(one: Floats) -> bool:
        excess = one - best
        mean = weights @ excess
        return bool(mean**2 <= np.sum((weights * (excess - mean)) ** 2))

    return next(share for share, one in zip(shares, losses, strict=True) if is_level(one))


def _losses(network: Network, data: TrainingData, loss: str) -> Floats:
    """Loss (n,) of each row, on the host."""
    z = network.affine_output(data.X)
    losses = LOSSES[loss].losses(z, output_targets(data.y, z))
    on_host: Floats = to_numpy(losses).astype(np.float64)
    return on_host
