"""The source's network: exemplars, their affine scores and k give a tournament.

Source: P. Sh. Geidarov, arXiv 2505.23876. Thresholds, slopes and scales are taken from
data, so that a network with trainable activations nearly does what the network with a
step does exactly.

**A tournament** takes two layers. Its N contestants have scores that are affine in the
input, ``D_i(x) = a_i . x + b_i``, and low scores win.

1. *Comparisons*, N M units: contestant ``i`` is compared with M others ``j``. The unit is
   positive where ``i`` wins: ``z_ij = D_j - D_i``. A tie goes to the lower index. If all
   others are compared, M = N-1.
2. *Thresholds*, N units: unit ``i`` adds up the M comparisons of contestant ``i``. A
   contestant is among the k best of all exactly if it loses fewer than k of N-1
   comparisons: ``sum_j step(z_ij) > N - k - 1/2``. With fewer pairs the condition is
   necessary, and not quite sufficient.

**Three layers** are a tournament of the exemplars by distance, and a layer that adds up
the votes for each class. **Four layers** are two tournaments: the exemplars by distance,
of which k win, and the classes by votes, of which one wins.

**A regression** takes three layers for any k. The output is the mean target of the k
exemplars that win. **Several labels of a row** do too: each is decided by itself, and
the output of a label is positive where most of the k exemplars have it.

**Trainable activations.** Logistic and tanh units count wins softly. The order of the
counts is the order of the distances at any slope. ReLU units add up defeats instead: the
sum ``s_i = sum_j relu(D_i - D_j)`` is zero for the nearest exemplar alone and grows with
``D_i``. The vote is ``relu(1 - s_i / reach)``, where the reach is the mean sum of the
(k+1)-th nearest exemplar, so that typically k exemplars vote. In the sharp limit only the
nearest exemplar votes, for every k. For k > 1 this is no exact k-nearest vote: nearer
exemplars have a larger vote, more exemplars vote where many are about equally near, and
fewer vote where one is by far the nearest.

**Tied and untied.** The layers of this module are tied: all comparisons share the N
scores, and a threshold unit reads only its own comparisons. In the source each comparison
has its own weights ``a_j - a_i``. That network is ``Network.dense()``: the same function
with N M d instead of N d weights to train.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skmetricmlp._data import TrainingData
from skmetricmlp._typing import Array, Floats, Ints
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
    "UNIT_INTERVAL_MAP",
    "averaging_layer",
    "comparison_layer",
    "hidden_layers",
    "nearest_network",
    "output_layer",
    "scaled_layer",
    "threshold_layer",
    "vote_sum",
    "win_count_layer",
]

Scores = tuple[Floats, Floats]

# Dimensionless constants at sharpness 1 (docs/benchmarks.md has their effect).
SLOPE = 1.0  # of a saturating comparison, per typical margin
GAIN = 2.0  # of a saturating count, per gap between the last winner and the next
REACH = 1.25  # of a ReLU vote, per mean sum of defeats of the first that lost
TINY = float(np.sqrt(np.finfo(float).eps))  # breaks ties

# ``scale * activation + offset`` is 1 for a comparison that is won and 0 for a lost one.
# The tanh is a logistic function of twice the slope between -1 and 1.
UNIT_INTERVAL_MAP = {
    "step": (1.0, 0.0),
    "logistic": (1.0, 0.0),
    "tanh": (0.5, 0.5),
    "relu": (1.0, 0.0),
}


def nearest_network(
    scores: Scores,
    targets: Floats,
    sample: TrainingData,
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
        Of each exemplar: 1 for its class or labels and 0 for the others, or its values.
    sample : TrainingData
        Sets the scale of the margins, the thresholds and the output scale.
    pairs : int array of shape (N, M), optional
        The exemplars that each is compared with; all others by default.
    n_neighbors : int
        k. With classes there are three layers for k = 1 and four for more.
    activation : {"step", "logistic", "tanh", "relu"}
        Of the hidden layers.
    sharpness : float
        As it grows, logistic and tanh networks become the k-nearest classifier, and the
        ReLU network, for every k, the nearest-exemplar classifier. It has no effect on
        ``"step"``.
    loss : str
        It determines the output activation, and whether the targets are classes, labels
        or values.

    Returns
    -------
    Network
        In double precision, and tied. Three layers: d -> N M -> N -> C. Four:
        d -> N M -> N -> C(C-1) -> C.
    """
    pairs = all_pairs(len(targets)) if pairs is None else pairs
    kind = LOSSES[loss].targets
    votes = targets if kind == "classes" else None
    layers = hidden_layers(
        scores, votes, sample, pairs, n_neighbors, activation, sharpness
    )
    hidden = Network((*layers, layers[-1])).activations(sample.X)[-1]
    if votes is None:
        last = averaging_layer(targets, hidden, sample.sample_weight, activation)
        if kind == "labels":
            coef, mean = last.parameters
            judged = hidden, sample.y, sample.sample_weight, loss
            last = scaled_layer(coef, mean - 0.5, *judged)
        return Network((*layers, last))
    n_classes = votes.shape[1]
    coef, intercept = vote_sum(votes, activation)
    if n_neighbors > 1:
        wins = win_count_layer(n_classes, n_classes - 1, activation).dense()
        coef, intercept = wins.parameters
    last = output_layer(coef, intercept, hidden, sample.y, sample.sample_weight, loss)
    return Network((*layers, last))


def hidden_layers(
    scores: Scores,
    votes: Floats | None,
    sample: TrainingData,
    pairs: Ints,
    n_neighbors: int,
    activation: str,
    sharpness: float,
) -> tuple[Layer, ...]:
    """Calculate all layers but the last; see :func:`nearest_network`.

    ``votes`` (N, n_classes) are those of the exemplars; None without classes.
    """
    X, _, sample_weight = sample
    style = n_neighbors, activation, sharpness
    layers: list[Layer] = [comparison_layer(scores, pairs, X, sample_weight, *style)]
    hidden = forward(layers[-1], X)
    distances = X @ scores[0].T + scores[1]
    layers.append(threshold_layer(pairs, distances, hidden, sample_weight, *style))
    if n_neighbors > 1 and votes is not None:
        hidden = forward(layers[-1], hidden)
        coef, intercept = vote_sum(votes, activation)
        # The class with the most votes wins, and in a tournament the lowest score.
        negated = -coef.T, -intercept
        others = all_pairs(votes.shape[1])
        style = 1, activation, sharpness
        layer = comparison_layer(negated, others, hidden, sample_weight, *style)
        layers.append(layer.dense())
    return tuple(layers)


def comparison_layer(
    scores: Scores,
    pairs: Ints,
    X: Any,
    sample_weight: Floats,
    n_winners: int,
    activation: str,
    sharpness: float,
) -> TiedComparison:
    """Compare n affine scores of ``X`` in pairs: the lower score wins.

    Neuron ``(i, m)``, at position ``i M + m``, has the pre-activation ``slope (D_j -
    D_i) / scale``, negative with ReLU, where j is the m-th of those that i is compared
    with. The scale is the typical margin of a decision, or with step and ReLU the
    deviation of all margins.

    Parameters
    ----------
    scores : tuple of arrays of shapes (n, n_in) and (n,)
        ``(A, b)``.
    pairs : int array of shape (n, M)
    X : array or SciPy CSR of shape (m, n_in)
    sample_weight : array of shape (m,)
    n_winners : int
        Number of contestants that win.
    activation : str
    sharpness : float

    Returns
    -------
    TiedComparison
        Of shape (n_in, n M).
    """
    A, b = scores
    distances = X @ A.T + b
    scale, slope = _margin_deviation(distances, sample_weight), 1.0
    if activation == "relu":
        # The reach cancels the scale, so the function does not depend on it. Training
        # does: margins of unit deviation make weights of a usual size.
        slope = -1.0
    elif activation != "step":
        scale = _typical_margin(distances, sample_weight, n_winners)
        slope = UNIT_INTERVAL_MAP[activation][0] * SLOPE * sharpness
    tie_break = np.where(np.arange(len(b))[:, None] < pairs, TINY, -TINY)
    # A term that all scores share cancels. Without it they are small, and exact.
    return TiedComparison(
        np.ascontiguousarray((slope / scale) * (A - A.mean(axis=0)).T),
        (slope / scale) * (b - b.mean()),
        slope * tie_break,
        PairIncidence(pairs),
        activation,
    )


def _typical_margin(scores: Floats, sample_weight: Floats, n_winners: int) -> float:
    """Mean margin between the last winner and the first that lost.

    Decisions are made on this scale. Contestants that are far from winning set the
    deviation of all margins, which is used where that mean is zero but for rounding.
    """
    deviation = _margin_deviation(scores, sample_weight)
    if n_winners == scores.shape[1]:
        return deviation
    ranked = np.sort(scores, axis=1)
    gaps = ranked[:, n_winners] - ranked[:, n_winners - 1]
    margin = float(np.average(gaps, weights=sample_weight))
    return margin if margin > TINY * deviation else deviation


def _margin_deviation(scores: Floats, sample_weight: Floats) -> float:
    """Deviation of ``D_j - D_i`` over the rows and all ordered pairs; 1 if it is zero.

    The mean of ``(D_j - D_i)^2`` over the pairs is ``2 n / (n - 1)`` times the variance
    of the n scores, so no pair need be formed.
    """
    n = scores.shape[1]
    variance = np.average(scores.var(axis=1), weights=sample_weight)
    return float(np.sqrt(2 * n / max(n - 1, 1) * variance)) or 1.0


def win_count_layer(n: int, m: int, activation: str) -> Grouped:
    """Rate n contestants by their m comparisons each; higher is better.

    The rating is minus the number of comparisons that a contestant loses, or with ReLU
    minus their sum.
    """
    scale, offset = UNIT_INTERVAL_MAP[activation]
    bias = (offset - 1.0) * m
    if activation == "relu":
        scale, bias = -1.0, 0.0
    return Grouped(np.full((n, m), scale), np.full(n, bias), "identity")


def vote_sum(votes: Floats, activation: str) -> tuple[Floats, Floats]:
    """Map the N exemplar units to the sum of their votes.

    Parameters
    ----------
    votes : array of shape (N, n_outputs)
    activation : str

    Returns
    -------
    coef : array of shape (N, n_outputs)
    intercept : array of shape (n_outputs,)
    """
    scale, offset = UNIT_INTERVAL_MAP[activation]
    return scale * votes, offset * votes.sum(axis=0)


def threshold_layer(
    pairs: Ints,
    distances: Floats,
    hidden: Floats,
    sample_weight: Floats,
    n_winners: int,
    activation: str,
    sharpness: float,
) -> Grouped:
    """Activate the ``n_winners`` contestants with the highest ratings.

    The pre-activation is ``gain (rating - threshold)``. Gain and threshold are taken
    from the ratings of the nearest contestants in the sample; with a step they are known.

    Parameters
    ----------
    pairs : int array of shape (n, M)
    distances : array of shape (m, n)
        The scores that are compared.
    hidden : array of shape (m, n M)
        The comparisons.
    sample_weight : array of shape (m,)
    n_winners : int
    activation : str
    sharpness : float

    Returns
    -------
    Grouped
        Of shape (n M, n).
    """
    rating = win_count_layer(pairs.shape[0], pairs.shape[1], activation)
    last, following = _ratings_around(distances, rating.affine(hidden), n_winners)
    if activation == "step":
        gain, threshold = 1.0, 0.5 - n_winners
    elif activation == "relu":
        reach = REACH / sharpness * float(np.average(-following, weights=sample_weight))
        threshold = -max(reach, TINY)
        gain = -1.0 / threshold
    else:
        threshold, gap = _threshold_and_gap(last, following, sample_weight)
        gain = GAIN * sharpness / max(gap, TINY)
    gain *= UNIT_INTERVAL_MAP[activation][0]
    return replace(
        rating,
        weights=gain * rating.weights,
        bias=gain * (rating.bias - threshold),
        activation=activation,
    )


def output_layer(
    coef: Floats,
    intercept: Floats,
    hidden: Floats,
    codes: Ints,
    sample_weight: Floats,
    loss: str,
) -> Dense:
    """Scale the scores of the classes until the loss on the sample is lowest.

    Parameters
    ----------
    coef : array of shape (n_hidden, C)
        From the last hidden layer to C scores, the highest of which wins.
    intercept : array of shape (C,)
    hidden : array of shape (m, n_hidden)
    codes : int array of shape (m,)
    sample_weight : array of shape (m,)
    loss : str

    Returns
    -------
    Dense
        Of shape (n_hidden, C).
    """
    scores = hidden @ coef + intercept
    first_two = _ratings_around(-scores, scores, 1)
    threshold, _ = _threshold_and_gap(*first_two, sample_weight)
    return scaled_layer(coef, intercept - threshold, hidden, codes, sample_weight, loss)


def scaled_layer(
    coef: Floats,
    intercept: Floats,
    hidden: Floats,
    y: Array,
    sample_weight: Floats,
    loss: str,
) -> Dense:
    """Scale scores, which are positive for what is predicted, for the lowest loss.

    ``y`` has class codes (m,) or labels (m, n_outputs); the others are as in
    :func:`output_layer`.
    """
    scale = best_scale(hidden @ coef + intercept, y, sample_weight, loss)
    return Dense(scale * coef, scale * intercept, LOSSES[loss].output_activation)


def averaging_layer(
    targets: Floats, hidden: Floats, sample_weight: Floats, activation: str
) -> Dense:
    """Average the targets of the exemplars whose unit is active.

    Their sum is divided by the mean number of active units in the sample. With a step
    that number is k, unless each exemplar has few pairs. The mean of all targets does
    not depend on that number, so it is taken out first.

    Parameters
    ----------
    targets : array of shape (N, n_outputs)
    hidden : array of shape (m, N)
        The exemplar layer.
    sample_weight : array of shape (m,)
    activation : str

    Returns
    -------
    Dense
        Of shape (N, n_outputs).
    """
    mean = targets.mean(axis=0)
    scale, offset = UNIT_INTERVAL_MAP[activation]
    n_active = np.average((scale * hidden + offset).sum(axis=1), weights=sample_weight)
    coef, intercept = vote_sum((targets - mean) / max(n_active, TINY), activation)
    return Dense(coef, intercept + mean, "identity")


def _threshold_and_gap(
    last: Floats, following: Floats, sample_weight: Floats
) -> tuple[float, float]:
    """Halfway between the typical last winner and the next, and their difference.

    Medians, because ties move a mean but should not move the threshold.
    """
    upper, lower = (
        float(np.quantile(ratings, 0.5, weights=sample_weight, method="inverted_cdf"))
        for ratings in (last, following)
    )
    return (upper + lower) / 2, upper - lower


def _ratings_around(
    distances: Floats, ratings: Floats, n_winners: int
) -> tuple[Floats, Floats]:
    """Ratings (m,) of the last winner and of the next, or one lower if there is none."""
    order = np.argsort(distances, axis=1, kind="stable")[:, n_winners - 1 : n_winners + 1]
    around = np.take_along_axis(ratings, order, axis=1)
    return around[:, 0], around[:, 1] if around.shape[1] > 1 else around[:, 0] - 1.0
