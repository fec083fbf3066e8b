"""The method: affine scores, labels and k to a network.

Source: P. Sh. Geidarov, arXiv 2505.23876, with a threshold, a slope and a scale that
are set by data, so that what the step network does exactly, a network with trainable
activations does nearly.

**A tournament** takes two layers. Its N contestants have scores that are affine in the
input, ``D_i(x) = a_i . x + b_i``, and low scores win.

1. *Comparison*, N(N-1) neurons: one for each ordered pair ``i != j``, positive where
   ``i`` beats ``j``: ``z_ij = (a_j - a_i) . x + (b_j - b_i)``. A tie goes to the lower
   index.
2. *Count*, N neurons: each adds up its own N-1 comparisons; contestant ``i`` is among the
   k best exactly when it wins at least N-k of them: ``sum_j step(z_ij) > N - k - 1/2``.

**Three layers** are a tournament of the exemplars by distance and a layer that adds up
the votes of the winner's class. **Four layers** are two tournaments: the exemplars by
distance, of which k win, and the classes by votes, of which one wins.

**Trainable activations.** The saturating ones (logistic, tanh) count wins as the step
does, only softly, and the order of the counts is the order of the distances at any slope.
ReLU adds up defeats instead: ``s_i = sum_j relu(D_i - D_j)`` is zero for the nearest
exemplar alone, grows with ``D_i``, and gives the vote ``relu(1 - s_i / reach)``. The
reach is the mean sum of the (k+1)-th nearest exemplar, so that typically k exemplars
vote. In the sharp limit that is the nearest exemplar, for every k.
For k > 1 it is no exact k-nearest vote: nearer exemplars vote more strongly, more of
them vote where many are about as near, and fewer where one is the nearest by far.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmetricmlp.initialization.output_layer import best_scale
from skmetricmlp.network import LOSSES, Dense, Network

__all__ = [
    "AffineMap",
    "Sample",
    "comparison_layer",
    "count_layer",
    "nearest_network",
    "output_layer",
    "standing_map",
    "vote_map",
]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

# Dimensionless constants at sharpness 1 (docs/benchmarks.md has what they do).
SLOPE = 1.0  # of a saturating comparison, per typical margin
GAIN = 2.0  # of a saturating count, per gap between the last winner and the next
REACH = 1.25  # of a ReLU vote, per mean sum of defeats of the first that lost
TINY = float(np.sqrt(np.finfo(float).eps))  # what a tie is broken by

# What a value says as a share of one: ``scale * value + offset`` is 1 for "won" and 0
# for "lost". The tanh is a logistic function of twice the slope between -1 and 1.
SHARE = {
    "step": (1.0, 0.0),
    "logistic": (1.0, 0.0),
    "tanh": (0.5, 0.5),
    "relu": (1.0, 0.0),
}


class Sample(NamedTuple):
    """Rows that set the scales: ``X`` (m, d), ``codes`` (m,), ``weights`` (m,)."""

    X: Any
    codes: Ints
    weights: Floats


def nearest_network(
    scores: tuple[Floats, Floats],
    labels: Ints,
    n_classes: int,
    sample: Sample,
    *,
    n_neighbors: int = 1,
    activation: str = "relu",
    sharpness: float = 1.0,
    loss: str = "log_loss",
) -> Network:
    """Calculate the network that is a (k-)nearest-exemplar classifier.

    Parameters
    ----------
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of a metric: ``D_i(x) = A_i . x + b_i`` up to a common term.
    labels : int array of shape (N,)
        Class code of each exemplar, from 0 to ``n_classes - 1``.
    n_classes : int
    sample : Sample
        Sets the scale of the margins, the thresholds and the output scale.
    n_neighbors : int
        k; three layers for 1, four for more.
    activation : {"step", "logistic", "tanh", "relu"}
        Of the hidden layers.
    sharpness : float
        How near the trainable activations come to the step: as it grows, logistic and
        tanh networks become the k-nearest, and the ReLU network, for every k, the
        nearest-exemplar classifier. No effect on ``"step"``.
    loss : str
        Decides the output activation, and with it the scale of the output.

    Returns
    -------
    Network
        In double precision. Three layers: d -> N(N-1) -> N -> C. Four:
        d -> N(N-1) -> N -> C(C-1) -> C.
    """
    values, codes, weights = sample
    layers = [
        comparison_layer(*scores, values, weights, n_neighbors, activation, sharpness)
    ]
    values = layers[-1].forward(values)
    standing = standing_map(len(labels), activation)
    layers.append(
        count_layer(standing, values, weights, n_neighbors, activation, sharpness)
    )
    values = layers[-1].forward(values)
    verdict = vote_map(labels, n_classes, activation)
    if n_neighbors > 1:
        defeats = (-verdict.weights.T, -verdict.bias)  # many votes win, low scores win
        layers.append(
            comparison_layer(*defeats, values, weights, 1, activation, sharpness)
        )
        values = layers[-1].forward(values)
        verdict = standing_map(n_classes, activation)
    return Network((*layers, output_layer(verdict, values, codes, weights, loss)))


class AffineMap(NamedTuple):
    """``values @ weights + bias``: something that can be read off a layer's values."""

    weights: Floats
    bias: Floats

    def __call__(self, values: Floats) -> Floats:
        """Read it off."""
        return values @ self.weights + self.bias


def comparison_layer(
    A: Floats,
    b: Floats,
    X: Any,
    weights: Floats,
    places: int,
    activation: str,
    sharpness: float,
) -> Dense:
    """Compare all ordered pairs of n affine scores of ``X``: the lower one wins.

    Neuron ``(i, j)``, at position ``i (n - 1) + (j if j < i else j - 1)``, has the
    pre-activation ``slope (D_j - D_i) / scale``, negative with ReLU. The scale is the
    typical margin of a decision, or with step and ReLU the deviation of all margins.

    Parameters
    ----------
    A : array of shape (n, n_in)
    b : array of shape (n,)
    X : array or SciPy CSR of shape (m, n_in)
    weights : array of shape (m,)
    places : int
        How many contestants are going to win.
    activation : str
    sharpness : float

    Returns
    -------
    Dense
        Of shape (n_in, n(n-1)).
    """
    n = len(b)
    winner = np.repeat(np.arange(n), n - 1)
    loser = np.tile(np.arange(n - 1), n)
    loser += loser >= winner
    tie_break = TINY * np.where(winner < loser, 1.0, -1.0)
    scores = X @ A.T + b
    scale, slope = _margin_deviation(scores, weights), 1.0
    if activation == "relu":
        # The function does not depend on the scale, which the reach takes back, but its
        # training does: margins of unit deviation make weights of a usual size.
        slope = -1.0
    elif activation != "step":
        scale = _typical_margin(scores, weights, places)
        slope = SHARE[activation][0] * SLOPE * sharpness
    return Dense(
        (slope / scale) * (A[loser] - A[winner]).T,
        slope * ((b[loser] - b[winner]) / scale + tie_break),
        activation,
    )


def _typical_margin(scores: Floats, weights: Floats, places: int) -> float:
    """Mean margin between the last winner and the first that lost.

    On this scale comparisons are decided. The deviation of all margins is set by
    contestants that are far from winning; it serves where there is no such margin, or
    none but rounding errors.
    """
    deviation = _margin_deviation(scores, weights)
    if places == scores.shape[1]:
        return deviation
    ranked = np.sort(scores, axis=1)
    gaps = ranked[:, places] - ranked[:, places - 1]
    margin = float(np.average(gaps, weights=weights))
    return margin if margin > TINY * deviation else deviation


def _margin_deviation(scores: Floats, weights: Floats) -> float:
    """Deviation of ``D_j - D_i`` over the rows and all ordered pairs; 1 if it is zero.

    The mean of ``(D_j - D_i)^2`` over the pairs is ``2 n / (n - 1)`` times the variance
    of the n scores, so no pair need be formed.
    """
    n = scores.shape[1]
    variance = np.average(scores.var(axis=1), weights=weights)
    return float(np.sqrt(2 * n / max(n - 1, 1) * variance)) or 1.0


def standing_map(n: int, activation: str) -> AffineMap:
    """From the n(n-1) comparisons of n contestants to the standing of each.

    The number of wins, or with ReLU minus the sum of defeats: higher is better.
    """
    scale, offset = SHARE[activation]
    own = np.kron(np.eye(n), np.ones((n - 1, 1)))
    if activation == "relu":
        scale = -1.0
    return AffineMap(scale * own, np.full(n, offset * (n - 1)))


def vote_map(labels: Ints, n_classes: int, activation: str) -> AffineMap:
    """From the values of N exemplar neurons to the votes for each class."""
    scale, offset = SHARE[activation]
    votes = np.eye(n_classes)[labels]
    return AffineMap(scale * votes, offset * votes.sum(axis=0))


def count_layer(
    standing: AffineMap,
    values: Floats,
    weights: Floats,
    places: int,
    activation: str,
    sharpness: float,
) -> Dense:
    """Fire for the ``places`` contestants of the highest standing.

    The pre-activation is ``gain (standing - threshold)``. Both are taken from the
    standings seen in the sample; for a step they are known.

    Parameters
    ----------
    standing : AffineMap
        From n(n-1) comparisons to n standings.
    values : array of shape (m, n(n-1))
        Comparisons of the sample.
    weights : array of shape (m,)
    places : int
    activation : str
    sharpness : float

    Returns
    -------
    Dense
        Of shape (n(n-1), n).
    """
    standings = standing(values)
    n = standings.shape[1]
    if activation == "step":
        gain, threshold = 1.0, n - places - 0.5
    elif activation == "relu":
        sums = -_ranked(standings, places)[1]
        reach = REACH / sharpness * float(np.average(sums, weights=weights))
        threshold = -max(reach, TINY)
        gain = -1.0 / threshold
    else:
        threshold, gap = _threshold_and_gap(standings, weights, places)
        gain = GAIN * sharpness / max(gap, TINY)
    gain *= SHARE[activation][0]
    return Dense(gain * standing.weights, gain * (standing.bias - threshold), activation)


def output_layer(
    verdict: AffineMap, values: Floats, codes: Ints, weights: Floats, loss: str
) -> Dense:
    """Scale the verdict on each class until the loss on the sample is least.

    Parameters
    ----------
    verdict : AffineMap
        From the last hidden layer to C numbers, the highest of which wins.
    values : array of shape (m, n_hidden)
    codes : int array of shape (m,)
    weights : array of shape (m,)
    loss : str

    Returns
    -------
    Dense
        Of shape (n_hidden, C).
    """
    scores = verdict(values)
    threshold, _ = _threshold_and_gap(scores, weights, 1)
    scale = best_scale(scores - threshold, codes, weights, loss)
    return Dense(
        scale * verdict.weights,
        scale * (verdict.bias - threshold),
        LOSSES[loss].output_activation,
    )


def _threshold_and_gap(
    standings: Floats, weights: Floats, places: int
) -> tuple[float, float]:
    """Halfway between the typical last winner and the next, and how far apart they are.

    Medians, because ties move a mean but should not move the threshold.
    """
    upper, lower = (
        float(np.quantile(values, 0.5, weights=weights, method="inverted_cdf"))
        for values in _ranked(standings, places)
    )
    return (upper + lower) / 2, upper - lower


def _ranked(standings: Floats, places: int) -> tuple[Floats, Floats]:
    """Standing of the last winner and of the next (m,), one lower if there is none."""
    ranked = -np.sort(-standings, axis=1)
    last = ranked[:, places - 1]
    return last, ranked[:, places] if places < standings.shape[1] else last - 1.0
