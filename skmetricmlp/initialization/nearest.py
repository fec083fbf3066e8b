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
reach is such that k exemplars and a few more vote on average. In the sharp limit that
is the nearest exemplar for k = 1. For k > 1 it is no exact k-nearest vote in any limit:
nearer exemplars vote more strongly, more of them vote where many are about as near, and
fewer where one is the nearest by far.
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

# Dimensionless constants at sharpness 1. They were chosen by untrained and trained
# accuracy together (docs/constants.md) and hold for margins of unit deviation.
SLOPE = {"step": 1.0, "logistic": 2.0, "tanh": 2.0, "relu": 1.0}  # of a comparison
GAIN = 2.0  # of a saturating count, per gap between the last winner and the next
SPARE_VOTES = 2.0  # ReLU: how many exemplars vote on average beyond k

LEAST_WEIGHT = 1e-9  # of a class, relative to the greatest: no logarithm of zero

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
    class_weight: Floats | None = None,
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
        tanh networks become the k-nearest and the ReLU network the nearest-exemplar
        classifier. No effect on ``"step"``.
    loss : str
        Decides the output activation, and with it the scale of the output.
    class_weight : array of shape (n_classes,), optional
        Factors of the class probabilities; the decision is then no longer that of the
        nearest exemplars.

    Returns
    -------
    Network
        In double precision. Three layers: d -> N(N-1) -> N -> C. Four:
        d -> N(N-1) -> N -> C(C-1) -> C.
    """
    values, codes, weights = sample
    layers = [comparison_layer(*scores, values, weights, activation, sharpness)]
    values = layers[-1].forward(values)
    standing = standing_map(len(labels), activation)
    layers.append(
        count_layer(standing, values, weights, n_neighbors, activation, sharpness)
    )
    values = layers[-1].forward(values)
    verdict = vote_map(labels, n_classes, activation)
    if n_neighbors > 1:
        defeats = (-verdict.weights.T, -verdict.bias)  # many votes win, low scores win
        layers.append(comparison_layer(*defeats, values, weights, activation, sharpness))
        values = layers[-1].forward(values)
        verdict = standing_map(n_classes, activation)
    prior = np.ones(n_classes) if class_weight is None else class_weight
    layers.append(output_layer(verdict, values, codes, weights, loss, prior))
    return Network(tuple(layers))


class AffineMap(NamedTuple):
    """``values @ weights + bias``: something that can be read off a layer's values."""

    weights: Floats
    bias: Floats

    def __call__(self, values: Floats) -> Floats:
        """Read it off."""
        return values @ self.weights + self.bias


def comparison_layer(
    A: Floats, b: Floats, X: Any, weights: Floats, activation: str, sharpness: float
) -> Dense:
    """Compare all ordered pairs of n affine scores of ``X``: the lower one wins.

    Neuron ``(i, j)``, at position ``i (n - 1) + (j if j < i else j - 1)``, has the
    pre-activation ``slope (D_j - D_i) / s``, or with ReLU the negative of that, where
    ``s`` is the deviation of all margins over the rows of ``X``.

    Parameters
    ----------
    A : array of shape (n, n_in)
    b : array of shape (n,)
    X : array or SciPy CSR of shape (m, n_in)
    weights : array of shape (m,)
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
    scale = _margin_scale(X @ A.T + b, weights)
    tie_break = np.sqrt(np.finfo(float).eps) * np.where(winner < loser, 1.0, -1.0)
    slope = SLOPE[activation] * (1.0 if activation == "step" else sharpness)
    if activation == "relu":
        slope = -SLOPE["relu"]  # the scale of ReLU cancels against its reach
    slope *= SHARE[activation][0]
    return Dense(
        (slope / scale) * (A[loser] - A[winner]).T,
        slope * ((b[loser] - b[winner]) / scale + tie_break),
        activation,
    )


def _margin_scale(scores: Floats, weights: Floats) -> float:
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
        voters = min(places + SPARE_VOTES / sharpness, (places + n) / 2)
        reach = -_standing_of_rank(standings, weights, voters)
        reach = max(reach, np.sqrt(np.finfo(float).eps))
        gain, threshold = 1.0 / reach, -reach
    else:
        upper, threshold, lower = _last_winner(standings, weights, places)
        gain = GAIN * sharpness / max(upper - lower, np.sqrt(np.finfo(float).eps))
    gain *= SHARE[activation][0]
    return Dense(gain * standing.weights, gain * (standing.bias - threshold), activation)


def output_layer(
    verdict: AffineMap,
    values: Floats,
    codes: Ints,
    weights: Floats,
    loss: str,
    class_weight: Floats,
) -> Dense:
    """Scale the verdict on each class until the loss on the sample is least.

    Then class weights multiply the probabilities: a class is chosen where its weight
    times its probability is highest (C. Elkan, IJCAI 2001).

    Parameters
    ----------
    verdict : AffineMap
        From the last hidden layer to C numbers, the highest of which wins.
    values : array of shape (m, n_hidden)
    codes : int array of shape (m,)
    weights : array of shape (m,)
    loss : str
    class_weight : array of shape (C,)

    Returns
    -------
    Dense
        Of shape (n_hidden, C).
    """
    scores = verdict(values)
    _, threshold, _ = _last_winner(scores, weights, 1)
    scale = best_scale(scores - threshold, codes, weights, loss)
    prior = np.log(np.maximum(class_weight, LEAST_WEIGHT * class_weight.max()))
    return Dense(
        scale * verdict.weights,
        scale * (verdict.bias - threshold) + (prior - prior.mean()),
        LOSSES[loss].output_activation,
    )


def _last_winner(
    standings: Floats, weights: Floats, places: int
) -> tuple[float, float, float]:
    """Typical standing of the last winner, halfway, and of the first that lost."""
    upper = _standing_of_rank(standings, weights, places - 0.5)
    if places == standings.shape[1]:
        return upper, upper - 0.5, upper - 1.0
    lower = _standing_of_rank(standings, weights, places + 0.5)
    return upper, (upper + lower) / 2, lower


def _standing_of_rank(standings: Floats, weights: Floats, rank: float) -> float:
    """Return the standing that ``rank`` contestants reach, on average over the rows."""
    n = standings.shape[1]
    flat = standings.ravel()
    return float(
        np.quantile(
            flat, 1 - rank / n, weights=np.repeat(weights, n), method="inverted_cdf"
        )
    )
