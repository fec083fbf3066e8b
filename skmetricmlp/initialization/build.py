"""From training data and a configuration to the network that training starts from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from skmetricmlp._data import DistinctRows, TrainingData, distinct_rows
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import (
    Exemplars,
    coming_counts,
    cross_validated_total,
    exemplar_counts,
    select_exemplars,
)
from skmetricmlp.initialization.architecture import layer_sizes
from skmetricmlp.initialization.baselines import (
    baseline_network,
    given_network,
    resolve_init,
    weight_variance,
    with_random_units,
)
from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.memory import check_memory
from skmetricmlp.initialization.norm_constrained import constrained_weights
from skmetricmlp.initialization.output_layer import (
    logistic_weights,
    ridge_classifier,
    ridge_weights,
)
from skmetricmlp.initialization.pairs import select_pairs
from skmetricmlp.initialization.tournament import comparison_layer, nearest_network
from skmetricmlp.metrics import Metric, fit_metric
from skmetricmlp.network import Dense, Layer, Network, Scaling, input_scaling

__all__ = ["calculated_layers", "fitted_output", "initial_state"]

Scores = tuple[Floats, Floats]

# Metrics that do not depend on the units of single features.
SCALE_FREE_METRICS = ("seuclidean", "mahalanobis")
# Numbers in the comparisons of the sample that sets the scales: at most 1,000 rows, and
# fewer for many exemplars.
SAMPLE_ROWS, SAMPLE_ELEMENTS = 1000, 2**24
# Rows that the output is fitted to: as many as have hidden values of 32 MiB in single
# precision. A layer wider than 1,600 is fitted to as many rows as it has units, or to as
# many as have values of 512 MiB: the work grows with the cube of the smaller number. Four
# times as many rows gain half a point untrained on MNIST, and nothing after an epoch.
FIT_ELEMENTS, FIT_ROWS, MOST_FIT_ELEMENTS = 2**23, 1600, 2**27


def initial_state(
    config: NetworkConfig,
    data: TrainingData,
    y: Array,
    classes: Array | None,
    *,
    solver: str,
    rng: np.random.RandomState,
    few_rows: bool = False,
) -> FitState:
    """Calculate, draw or take over the weights before training.

    Every ``init`` has the architecture that ``"metric"`` has for the same configuration.

    Parameters
    ----------
    config : NetworkConfig
        Its ``exemplars`` are a method or :class:`Exemplars`.
    data : TrainingData
        On the host, with class codes (n,) or values (n, n_outputs) in training units,
        and positive weights.
    y : array of shape (n,) or (n, n_outputs)
        The same targets in the units of the user, for a metric that is fitted to them.
    classes : array of shape (n_classes,) or None
        The labels; None in a regression.
    solver : str
        Its memory counts in what the network may take.
    rng : numpy.random.RandomState
    few_rows : bool, default=False
        Whether the rows are the first few of a stream. Counts of exemplars by class are
        then lowered to what is available, and baselines are as wide as for all exemplars
        that are asked for.

    Returns
    -------
    FitState
        In the precision of ``X``, with outputs in training units.

    Raises
    ------
    ValueError
        If there are fewer exemplars than neighbors, or numbers overflow.
    MemoryError
        If the network would take more than half of the memory available.
    """
    rows = distinct_rows(*data)
    scaling = _scaling(rows, config.metric)
    labels = np.zeros(1) if classes is None else classes
    n_outputs = data.y.shape[1] if classes is None else len(classes)
    chosen, counts = None, _counts(config, rows, labels, few_rows=few_rows)
    if counts is None:
        chosen = _choose(config, data, y, rows, scaling, labels, rng, few_rows=few_rows)
        counts = np.bincount(chosen[0].codes, minlength=len(labels))
    size = data.X.shape[1], tuple(counts.tolist()), n_outputs
    n = int(counts.sum())
    if (config.n_neighbors or 0) > n:
        msg = (
            f"n_neighbors={config.n_neighbors} is more than there are exemplars: {n}, "
            f"with n_samples={len(data.sample_weight)}"
        )
        raise ValueError(msg)
    check_memory(config, *size, data.X.dtype, solver)
    state = FitState(Network(()), n, scaling=scaling, config=config)
    if config.is_calculated:
        exemplars, metric = chosen or _choose(
            config, data, y, rows, scaling, labels, rng, few_rows=few_rows
        )
        scores = metric(exemplars.points)
        pairs = select_pairs(
            scores,
            exemplars.points,
            exemplars.codes,
            config.pairs,
            by_class=config.n_neighbors is not None,
        )
        targets = exemplars.targets(n_outputs)
        layers = calculated_layers(config, rows, scores, targets, pairs, rng, scaling)
        state = replace(state, exemplars=exemplars, metric=metric, pairs=pairs)
        points = exemplars.points
    else:
        layers, points = _baseline_layers(config, size, rng, scaling), data.X
    if config.output_init is not None:
        hidden = layers if config.is_calculated else layers[:-1]
        layers = (*hidden, fitted_output(config, hidden, rows, n_outputs, rng))
    network = Network(layers) if config.tied else Network(layers).dense()
    is_given = not isinstance(config.init, str)
    network = _in_precision(network, data.X.dtype, points, is_given=is_given)
    return replace(state, network=network)


def calculated_layers(
    config: NetworkConfig,
    rows: DistinctRows,
    scores: Scores,
    targets: Floats,
    pairs: Ints,
    rng: np.random.RandomState,
    scaling: Scaling | None,
) -> tuple[Layer, ...]:
    """Calculate the source's network, or the hidden layer of the one with fitted output.

    Parameters
    ----------
    config : NetworkConfig
    rows : DistinctRows
        They set the scales.
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of the metric at the exemplars.
    targets : array of shape (N, n_outputs)
        Classes of the exemplars, one-hot, or their values.
    pairs : int array of shape (N, M)
    rng : numpy.random.RandomState
    scaling : pair of arrays of shape (d,) or None
        Random units are drawn for scaled inputs.

    Returns
    -------
    tuple of Layer
        Tied.
    """
    size = min(SAMPLE_ROWS, max(1, SAMPLE_ELEMENTS // max(pairs.size, 1)))
    # The order of distinct rows is random, but always the same.
    X = rows.X[rows.index[:size]].astype(np.float64)
    sample = TrainingData(X, rows.codes[:size], rows.sample_weight[:size])
    if config.n_neighbors is None:
        style = 1, config.activation, config.sharpness
        first = comparison_layer(scores, pairs, X, sample.sample_weight, *style)
        return (with_random_units(first, config.n_random_units, rng, scaling),)
    return nearest_network(
        scores,
        targets,
        sample,
        pairs=pairs,
        n_neighbors=config.n_neighbors,
        activation=config.activation,
        sharpness=config.sharpness,
        loss=config.loss,
    ).layers


def _baseline_layers(
    config: NetworkConfig,
    size: tuple[int, tuple[int, ...], int],
    rng: np.random.RandomState,
    scaling: Scaling,
) -> tuple[Layer, ...]:
    if isinstance(config.init, str):
        return baseline_network(config, *size, rng, scaling).layers
    sizes = layer_sizes(config, *size)
    activations = config.activation, config.output_activation
    return given_network(config.init, sizes, *activations).layers


def fitted_output(
    config: NetworkConfig,
    layers: tuple[Layer, ...],
    rows: DistinctRows,
    n_outputs: int,
    rng: np.random.RandomState,
) -> Dense:
    """Fit an output layer to the hidden values of the rows.

    With ``output_init="norm_constrained"`` the targets of classes are 1/2 for the row's
    class and -1/2 for the others. The variance of the weights is He's with ReLU and
    Glorot's otherwise.

    Parameters
    ----------
    config : NetworkConfig
    layers : tuple of Layer
        The hidden layers.
    rows : DistinctRows
    n_outputs : int
    rng : numpy.random.RandomState

    Returns
    -------
    Dense
    """
    width = max(layers[0].n_out, 1)
    most = FIT_ELEMENTS if width <= FIT_ROWS else min(FIT_ROWS * width, MOST_FIT_ELEMENTS)
    rows = rows.take(slice(max(1, most // width)))
    hidden = _hidden_values(layers, rows)
    if config.output_init == "logistic":
        fit = logistic_weights(hidden, rows.codes, rows.sample_weight, n_outputs)
    elif config.output_init == "norm_constrained":
        targets = rows.y if config.is_regression else np.eye(n_outputs)[rows.codes] - 0.5
        init = resolve_init("random", layers[-1].activation)
        variance = weight_variance(init, hidden.shape[1], n_outputs)
        fit = constrained_weights(hidden, targets, rows.sample_weight, variance, rng)
    elif config.is_regression:
        fit = ridge_weights(hidden, rows.y, rows.sample_weight)[:2]
    else:
        fit = ridge_classifier(
            hidden, rows.codes, rows.sample_weight, n_outputs, config.loss
        )
    return Dense(*fit, config.output_activation)


def _hidden_values(layers: tuple[Layer, ...], rows: DistinctRows) -> Floats:
    """Values of the last hidden layer, in the precision of ``X``, block by block."""
    X, index = rows.X, rows.index
    network = Network((*layers, layers[-1])).astype(X.dtype)
    hidden = np.empty((len(index), layers[-1].n_out), dtype=X.dtype)
    for block in gen_batches(len(index), network.block_rows):
        hidden[block] = network.activations(X[index[block]])[-1]
    return hidden


def _counts(
    config: NetworkConfig, rows: DistinctRows, labels: Array, *, few_rows: bool
) -> Ints | None:
    """Exemplars of each class, or None if they have to be chosen to count them."""
    n_exemplars, exemplars = config.n_exemplars, config.exemplars
    if isinstance(exemplars, Exemplars):
        return np.bincount(exemplars.codes, minlength=len(labels))
    if isinstance(n_exemplars, str) or exemplars == "condensed":
        return None
    if few_rows and not config.is_calculated and not isinstance(n_exemplars, float):
        return coming_counts(n_exemplars, labels)
    return exemplar_counts(n_exemplars, labels, rows, lowers=few_rows)


def _choose(
    config: NetworkConfig,
    data: TrainingData,
    y: Array,
    rows: DistinctRows,
    scaling: Scaling,
    labels: Array,
    rng: np.random.RandomState,
    *,
    few_rows: bool,
) -> tuple[Exemplars, Metric]:
    """Fit the metric, and choose the exemplars unless they are given."""
    metric = fit_metric(
        config.metric,
        config.metric_params,
        rows,
        y,
        data.sample_weight,
        scaling=scaling,
    )
    method = config.exemplars
    if not isinstance(method, str):
        return method, metric  # type: ignore[return-value] # they are Exemplars
    total = config.n_exemplars
    if isinstance(total, str):
        k = config.n_neighbors or 1
        total = cross_validated_total(method, rows, metric, len(labels), k, rng)
    counts = exemplar_counts(total, labels, rows, lowers=few_rows)
    return select_exemplars(method, rows, metric, counts, rng), metric


def _in_precision(
    network: Network, dtype: Any, points: Array, *, is_given: bool = False
) -> Network:
    """Convert the weights, all of which must be finite then."""
    with np.errstate(over="ignore"):
        network = network.astype(dtype)
    if not all(np.isfinite(array).all() for array in network.parameters):
        if is_given:
            msg = f"init=(coefs, intercepts) has weights that {dtype} cannot hold"
            raise ValueError(msg)
        largest = abs(points).max()
        problem = "is too large" if largest > 1 else "differs by too little"
        msg = (
            f"X {problem} to calculate weights from in {dtype}, with values of up to "
            f"{largest:.3g}: scale its features"
        )
        raise ValueError(msg)
    return network


def _scaling(rows: DistinctRows, metric: Any) -> Scaling:
    """Scale inputs as the metric does: each feature by itself, or all of them alike."""
    per_feature = (
        metric in SCALE_FREE_METRICS
        if isinstance(metric, str)
        else hasattr(metric, "transform")
    )
    return input_scaling(rows.X, rows.sample_weight, rows.index, per_feature=per_feature)
