"""From training rows and settings to the network that training starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmetricmlp.initialization.exemplars import (
    DistinctRows,
    Exemplars,
    distinct_rows,
    exemplar_counts,
    select_exemplars,
)
from skmetricmlp.initialization.metrics import squared_euclidean
from skmetricmlp.initialization.nearest import Sample, nearest_network
from skmetricmlp.initialization.random import baseline_network, layer_sizes
from skmetricmlp.network import LOSSES, Dense, Network

__all__ = ["initial_network"]

Array = Any
Weights = tuple[Sequence[Array], Sequence[Array]]

# Numbers in the comparisons of the sample that sets the scales: at most 1,000 rows, and
# fewer for many exemplars.
SAMPLE_ROWS, SAMPLE_ELEMENTS = 1000, 2**24


def initial_network(
    X: Array,
    codes: NDArray[np.intp],
    weights: NDArray[np.floating[Any]],
    classes: Array,
    *,
    init: str | Weights,
    n_exemplars: float | Mapping[Any, int],
    exemplars: str | Exemplars,
    n_neighbors: int,
    activation: str,
    sharpness: float,
    loss: str,
    rng: np.random.RandomState,
) -> tuple[Network, Exemplars | None]:
    """Calculate, draw or take over the weights before training.

    Every ``init`` gives the architecture that ``"metric"`` has for the same settings.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    codes : int array of shape (n,)
    weights : array of shape (n,)
        All positive.
    classes : array of shape (n_classes,)
        The labels that ``codes`` stand for.
    init, n_exemplars, exemplars, n_neighbors, activation, sharpness, loss
        As in :class:`~skmetricmlp.MetricInitMLPClassifier`; ``exemplars`` is a method
        or the exemplars themselves.
    rng : numpy.random.RandomState

    Returns
    -------
    network : Network
        In the precision of ``X``.
    exemplars : Exemplars or None
        None where the weights are not calculated.
    """
    rows = distinct_rows(X, codes, weights)
    counts = (
        exemplar_counts(n_exemplars, classes, rows)
        if isinstance(exemplars, str)
        else np.bincount(exemplars.codes, minlength=len(classes))
    )
    n = int(counts.sum())
    if n_neighbors > n:
        msg = (
            f"n_neighbors={n_neighbors} is more than there are exemplars: {n}, "
            f"with n_samples={X.shape[0]}"
        )
        raise ValueError(msg)
    if init != "metric":
        sizes = layer_sizes(X.shape[1], n, len(classes), n_neighbors)
        output = LOSSES[loss].output_activation
        network = (
            baseline_network(init, sizes, activation, output, rng)
            if isinstance(init, str)
            else _given_network(init, sizes, activation, output)
        )
        return network.astype(X.dtype), None
    if isinstance(exemplars, str):
        exemplars = select_exemplars(exemplars, X, rows, counts, rng)
    network = nearest_network(
        squared_euclidean(exemplars.points.astype(np.float64)),
        exemplars.codes,
        len(classes),
        _sample(X, rows, max(1, min(SAMPLE_ROWS, SAMPLE_ELEMENTS // n**2))),
        n_neighbors=n_neighbors,
        activation=activation,
        sharpness=sharpness,
        loss=loss,
    ).astype(X.dtype)
    if not all(np.isfinite(array).all() for array in network.parameters):
        msg = (
            f"X is too large to calculate weights from, with values of up to "
            f"{abs(exemplars.points).max():.3g}: scale its features"
        )
        raise ValueError(msg)
    return network, exemplars


def _sample(X: Array, rows: DistinctRows, size: int) -> Sample:
    """Take the first distinct rows: their order is random, and always the same."""
    block = X[rows.index[:size]]
    block = block.toarray() if sp.issparse(block) else block
    return Sample(block.astype(np.float64), rows.codes[:size], rows.weights[:size])


def _given_network(
    init: Weights, sizes: Sequence[int], activation: str, output_activation: str
) -> Network:
    """Build a network of weights that the user supplies, if their shapes fit."""
    try:
        coefs, intercepts = ([np.asarray(a, float) for a in arrays] for arrays in init)
    except (TypeError, ValueError) as error:
        msg = f"init=(coefs, intercepts) must be two lists of arrays: {error}"
        raise ValueError(msg) from error
    given = [c.shape for c in coefs], [b.shape for b in intercepts]
    expected = list(pairwise(sizes)), [(width,) for width in sizes[1:]]
    if given != expected:
        msg = (
            f"init=(coefs, intercepts) must have the shapes {expected[0]} and "
            f"{expected[1]}, got {given[0]} and {given[1]}"
        )
        raise ValueError(msg)
    if not all(np.isfinite(array).all() for array in (*coefs, *intercepts)):
        msg = "init=(coefs, intercepts) contains values that are not finite"
        raise ValueError(msg)
    activations = [activation] * (len(coefs) - 1) + [output_activation]
    layers = zip(coefs, intercepts, activations, strict=True)
    return Network(tuple(Dense(*layer) for layer in layers))
