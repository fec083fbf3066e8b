"""The method: affine scores, what the exemplars stand for, and k, to a network.

Source: P. Sh. Geidarov, arXiv 2505.23876, with a threshold, a slope and a scale that
are set by data, so that what the step network does exactly, a network with trainable
activations does nearly.

**A tournament** takes two layers. Its N contestants have scores that are affine in the
input, ``D_i(x) = a_i . x + b_i``, and low scores win.

1. *Comparison*, N M neurons: contestant ``i`` with each of its M pairs ``j``, positive
   where ``i`` wins: ``z_ij = D_j - D_i``. A tie goes to the lower index. With all others
   as pairs, M = N-1.
2. *Count*, N neurons: each adds up the M comparisons of its own; contestant ``i`` is
   among the k best of all exactly when it loses less than k of its N-1 comparisons:
   ``sum_j step(z_ij) > N - k - 1/2``. With fewer pairs it is necessary to lose less than
   k of them, and not quite sufficient.

**Three layers** are a tournament of the exemplars by distance and a layer that adds up
the votes of the winner's class. **Four layers** are two tournaments: the exemplars by
distance, of which k win, and the classes by votes, of which one wins.

**Values** instead of classes take three layers for any k: the output is the mean of the
values of the k that win.

**Trainable activations.** The saturating ones (logistic, tanh) count wins as the step
does, only softly, and the order of the counts is the order of the distances at any slope.
ReLU adds up defeats instead: ``s_i = sum_j relu(D_i - D_j)`` is zero for the nearest
exemplar alone, grows with ``D_i``, and gives the vote ``relu(1 - s_i / reach)``. The
reach is the mean sum of the (k+1)-th nearest exemplar, so that typically k exemplars
vote. In the sharp limit that is the nearest exemplar, for every k.
For k > 1 it is no exact k-nearest vote: nearer exemplars vote more strongly, more of
them vote where many are about as near, and fewer where one is the nearest by far.

**Tied and untied.** What is made here is tied: all comparisons share the N scores, and a
count reads its own comparisons only. In the source every comparison has a table of
weights ``a_j - a_i`` of its own, which is ``Network.dense()``: the same function, of
N M d instead of N d weights, to begin training from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.initialization.output_layer import best_scale
from skmetricmlp.initialization.pairs import all_pairs
from skmetricmlp.network import (
    LOSSES,
    Dense,
    Grouped,
    Layer,
    Network,
    PairIncidence,
    TiedComparison,
    forward,
)

__all__ = [
    "AffineMap",
    "Sample",
    "averaging_layer",
    "comparison_layer",
    "count_layer",
    "hidden_layers",
    "nearest_network",
    "output_layer",
    "standing_layer",
    "vote_map",
]

Scores = tuple[Floats, Floats]

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
    scores: Scores,
    targets: Floats,
    sample: Sample,
    *,
    pairs: Ints | None = None,
    n_neighbors: int = 1,
    activation: str = "relu",
    sharpness: float = 1.0,
    loss: str = "log_loss",
) -> Network:
    """Calculate the network that is a (k-)nearest-exemplar classifier or regressor.

    Parameters
    ----------
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of a metric: ``D_i(x) = A_i . x + b_i`` up to a common term.
    targets : array of shape (N, n_outputs)
        What each exemplar stands for: 1 for its class and 0 for the others, or values.
    sample : Sample
        Sets the scale of the margins, the thresholds and the output scale.
    pairs : int array of shape (N, M), optional
        Whom each exemplar is compared with; all others by default.
    n_neighbors : int
        k; three layers for 1, and with classes four for more.
    activation : {"step", "logistic", "tanh", "relu"}
        Of the hidden layers.
    sharpness : float
        How near the trainable activations come to the step: as it grows, logistic and
        tanh networks become the k-nearest, and the ReLU network, for every k, the
        nearest-exemplar classifier. No effect on ``"step"``.
    loss : str
        Decides the output activation, and so whether the targets are classes, and the
        scale of the output.

    Returns
    -------
    Network
        In double precision, and tied. Three layers: d -> N M -> N -> C. Four:
        d -> N M -> N -> C(C-1) -> C.
    """
    pairs = all_pairs(len(targets)) if pairs is None else pairs
    votes = None if LOSSES[loss].output_activation == "identity" else targets
    layers = hidden_layers(
        scores, votes, sample, pairs, n_neighbors, activation, sharpness
    )
    values = Network((*layers, layers[-1])).activations(sample.X)[-1]
    if votes is None:
        last = averaging_layer(targets, values, sample.weights, activation)
        return Network((*layers, last))
    n_classes = votes.shape[1]
    verdict = vote_map(votes, activation)
    if n_neighbors > 1:
        standing = standing_layer(n_classes, n_classes - 1, activation).dense()
        verdict = AffineMap(*standing.parameters)
    last = output_layer(verdict, values, sample.codes, sample.weights, loss)
    return Network((*layers, last))


def hidden_layers(
    scores: Scores,
    votes: Floats | None,
    sample: Sample,
    pairs: Ints,
    n_neighbors: int,
    activation: str,
    sharpness: float,
) -> tuple[Layer, ...]:
    """Calculate all layers but the last; see :func:`nearest_network`.

    ``votes`` (N, n_classes) are those of the exemplars; None where there are no classes.
    """
    X, _, weights = sample
    style = n_neighbors, activation, sharpness
    layers: list[Layer] = [comparison_layer(scores, pairs, X, weights, *style)]
    values = forward(layers[-1], X)
    distances = X @ scores[0].T + scores[1]
    layers.append(count_layer(pairs, distances, values, weights, *style))
    if n_neighbors > 1 and votes is not None:
        values = forward(layers[-1], values)
        votes_for = vote_map(votes, activation)
        defeats = -votes_for.weights.T, -votes_for.bias  # many votes win, low scores win
        others = all_pairs(votes.shape[1])
        style = 1, activation, sharpness
        layers.append(comparison_layer(defeats, others, values, weights, *style).dense())
    return tuple(layers)


class AffineMap(NamedTuple):
    """``values @ weights + bias``: something that can be read off a layer's values."""

    weights: Floats
    bias: Floats

    def __call__(self, values: Floats) -> Floats:
        """Read it off."""
        return values @ self.weights + self.bias


def comparison_layer(
    scores: Scores,
    pairs: Ints,
    X: Any,
    weights: Floats,
    places: int,
    activation: str,
    sharpness: float,
) -> TiedComparison:
    """Compare each of n affine scores of ``X`` with those of its pairs: the lower wins.

    Neuron ``(i, m)``, at position ``i M + m``, has the pre-activation ``slope (D_j -
    D_i) / scale``, negative with ReLU, with j the m-th rival of i. The scale is the
    typical margin of a decision, or with step and ReLU the deviation of all margins.

    Parameters
    ----------
    scores : tuple of arrays of shapes (n, n_in) and (n,)
        ``(A, b)``.
    pairs : int array of shape (n, M)
    X : array or SciPy CSR of shape (m, n_in)
    weights : array of shape (m,)
    places : int
        How many contestants are going to win.
    activation : str
    sharpness : float

    Returns
    -------
    TiedComparison
        Of shape (n_in, n M).
    """
    A, b = scores
    values = X @ A.T + b
    scale, slope = _margin_deviation(values, weights), 1.0
    if activation == "relu":
        # The function does not depend on the scale, which the reach takes back, but its
        # training does: margins of unit deviation make weights of a usual size.
        slope = -1.0
    elif activation != "step":
        scale = _typical_margin(values, weights, places)
        slope = SHARE[activation][0] * SLOPE * sharpness
    tie_break = np.where(np.arange(len(b))[:, None] < pairs, TINY, -TINY)
    # What all scores have in common cancels; without it they are small, and exact.
    return TiedComparison(
        (slope / scale) * (A - A.mean(axis=0)).T,
        (slope / scale) * (b - b.mean()),
        slope * tie_break,
        PairIncidence(pairs),
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


def standing_layer(n: int, m: int, activation: str) -> Grouped:
    """From the n m comparisons of n contestants to the standing of each.

    Minus the number of defeats, or with ReLU minus their sum: higher is better.
    """
    scale, offset = SHARE[activation]
    bias = (offset - 1.0) * m
    if activation == "relu":
        scale, bias = -1.0, 0.0
    return Grouped(np.full((n, m), scale), np.zeros((0, n)), np.full(n, bias), "identity")


def vote_map(votes: Floats, activation: str) -> AffineMap:
    """From the values of N exemplar neurons to the sum of the votes (N, n_outputs)."""
    scale, offset = SHARE[activation]
    return AffineMap(scale * votes, offset * votes.sum(axis=0))


def count_layer(
    pairs: Ints,
    distances: Floats,
    values: Floats,
    weights: Floats,
    places: int,
    activation: str,
    sharpness: float,
) -> Grouped:
    """Fire for the ``places`` contestants of the highest standing.

    The pre-activation is ``gain (standing - threshold)``. Both are taken from the
    standings that the nearest contestants have in the sample; for a step they are known.

    Parameters
    ----------
    pairs : int array of shape (n, M)
    distances : array of shape (m, n)
        The scores that are compared.
    values : array of shape (m, n M)
        Their comparisons.
    weights : array of shape (m,)
    places : int
    activation : str
    sharpness : float

    Returns
    -------
    Grouped
        Of shape (n M, n).
    """
    standing = standing_layer(pairs.shape[0], pairs.shape[1], activation)
    last, following = _standings_about(distances, standing.affine(values), places)
    if activation == "step":
        gain, threshold = 1.0, 0.5 - places
    elif activation == "relu":
        reach = REACH / sharpness * float(np.average(-following, weights=weights))
        threshold = -max(reach, TINY)
        gain = -1.0 / threshold
    else:
        threshold, gap = _threshold_and_gap(last, following, weights)
        gain = GAIN * sharpness / max(gap, TINY)
    gain *= SHARE[activation][0]
    return replace(
        standing,
        weights=gain * standing.weights,
        bias=gain * (standing.bias - threshold),
        activation=activation,
    )


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
    first_two = _standings_about(-scores, scores, 1)
    threshold, _ = _threshold_and_gap(*first_two, weights)
    scale = best_scale(scores - threshold, codes, weights, loss)
    return Dense(
        scale * verdict.weights,
        scale * (verdict.bias - threshold),
        LOSSES[loss].output_activation,
    )


def averaging_layer(
    targets: Floats, values: Floats, weights: Floats, activation: str
) -> Dense:
    """Average the targets of the exemplars that fire.

    Their sum over the number that fires in the mean over the sample, which is k with a
    step, unless pairs are few. What all targets have in common does not depend on that
    number: they are taken less their mean.

    Parameters
    ----------
    targets : array of shape (N, n_outputs)
    values : array of shape (m, N)
        Of the exemplar layer.
    weights : array of shape (m,)
    activation : str

    Returns
    -------
    Dense
        Of shape (N, n_outputs).
    """
    mean = targets.mean(axis=0)
    scale, offset = SHARE[activation]
    fired = np.average((scale * values + offset).sum(axis=1), weights=weights)
    total = vote_map((targets - mean) / max(fired, TINY), activation)
    return Dense(total.weights, total.bias + mean, "identity")


def _threshold_and_gap(
    last: Floats, following: Floats, weights: Floats
) -> tuple[float, float]:
    """Halfway between the typical last winner and the next, and how far apart they are.

    Medians, because ties move a mean but should not move the threshold.
    """
    upper, lower = (
        float(np.quantile(values, 0.5, weights=weights, method="inverted_cdf"))
        for values in (last, following)
    )
    return (upper + lower) / 2, upper - lower


def _standings_about(
    distances: Floats, standings: Floats, places: int
) -> tuple[Floats, Floats]:
    """Standing of the last winner and of the next (m,), one lower if there is none."""
    order = np.argsort(distances, axis=1, kind="stable")[:, places - 1 : places + 1]
    about = np.take_along_axis(standings, order, axis=1)
    return about[:, 0], about[:, 1] if about.shape[1] > 1 else about[:, 0] - 1.0
