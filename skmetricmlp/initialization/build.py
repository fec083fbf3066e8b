"""From training data and a configuration to the network that training starts from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from skmetricmlp._array_api import numpy_type
from skmetricmlp._data import (
    DistinctRows,
    TrainingData,
    distinct_rows,
    mean_and_deviation,
    rows_per_batch,
)
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import (
    Exemplars,
    coming_counts,
    cross_validated_total,
    exemplar_counts,
    select_exemplars,
)
from skmetricmlp.initialization.architecture import weight_shapes
from skmetricmlp.initialization.baselines import (
    baseline_network,
    given_network,
    resolve_init,
    weight_variance,
)
from skmetricmlp.initialization.comparisons import (
    RELEVANCE_ROWS,
    Comparisons,
    comparison_layer,
    draw_comparisons,
    feature_relevance,
    n_groups,
    one_hot_groups,
)
from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.least_squares import (
    LEAST_DEVIATION,
    normal_equations,
    summed,
    unit_scale,
)
from skmetricmlp.initialization.memory import check_memory
from skmetricmlp.initialization.norm_constrained import constrained_weights
from skmetricmlp.initialization.output_layer import (
    logistic_weights,
    ridge_of_sums,
    ridge_weights,
    scaled_classifier,
)
from skmetricmlp.initialization.pairs import select_pairs
from skmetricmlp.initialization.tournament import nearest_network
from skmetricmlp.metrics import Metric, feature_variances, fit_metric
from skmetricmlp.network import (
    ACTIVATIONS,
    ClippedInput,
    Dense,
    Layer,
    Network,
    Scaling,
    clip_rows,
    input_scaling,
)

__all__ = [
    "cast_network",
    "compared_layer",
    "feature_bounds",
    "fitted_output",
    "hidden_values",
    "initial_state",
    "least_deviation",
    "tournament_layers",
]

Scores = tuple[Floats, Floats]

# Metrics that do not depend on the units of single features.
SCALE_FREE_METRICS = ("seuclidean", "mahalanobis")
# Numbers in the comparisons of the sample that sets the scales: at most 1,000 rows, and
# fewer for many exemplars.
SAMPLE_ROWS, SAMPLE_ELEMENTS = 1000, 2**24
# More rows are added up in blocks, and as many of them are left out one at a time.
RIDGE_ROWS = 1000
# Rows that are kept, from which the importance of features is calculated when asked for.
IMPORTANCE_ROWS = 200
# Numbers in the hidden values that an output is fitted to otherwise: 32 MiB in single
# precision.
FIT_ELEMENTS = 2**23
# With more columns than these, none are examined: each is a feature of its own, all are
# drawn equally often, and all have one unit, as words have. A few hundred comparisons
# would tell little of them.
MOST_FEATURES = 2500
# Bounds of the features that are read: in deviations beyond the least and the greatest
# value, and from the mean.
BOUND_MARGIN, MOST_DEVIATIONS = 0.5, 5.0


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
        On the host, with class codes (n,), or labels or values (n, n_outputs) in training
        units, and positive weights.
    y : array of shape (n,) or (n, n_outputs)
        The same targets in the units of the user, for a metric that is fitted to them.
    classes : array of shape (n_classes,) or None
        The classes; None if ``y`` has values, or several labels for each row.
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
    config = _of_rows(config, rows)
    scaling = _scaling(rows, config)
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
        state = replace(state, exemplars=exemplars, metric=metric)
        layers, state = _calculated(state, rows, n_outputs, rng)
        points = exemplars.points
    else:
        layers, points = _baseline_layers(config, size, rng, scaling), data.X
        has_bounds = config.n_neighbors is None and not config.is_linear
        if has_bounds and isinstance(config.init, str):
            first: Any = layers[0]
            layers = (ClippedInput(first, *feature_bounds(rows)), *layers[1:])
    if config.output_init is not None:
        hidden = layers if config.is_calculated else layers[:-1]
        layers = (*hidden, fitted_output(config, hidden, rows, n_outputs, rng))
    network = Network(layers) if config.tied else Network(layers).dense()
    is_given = not isinstance(config.init, str)
    network = cast_network(network, data.X, points, is_given=is_given)
    return replace(state, network=network)


def _calculated(
    state: FitState, rows: DistinctRows, n_outputs: int, rng: np.random.RandomState
) -> tuple[tuple[Layer, ...], FitState]:
    """Calculate the layers from the exemplars, and the state with what they compare."""
    config, exemplars, metric = state.config, state.exemplars, state.metric
    assert exemplars is not None  # noqa: S101 - of a calculated network
    assert metric is not None  # noqa: S101
    if config.n_neighbors is None:
        bounds = feature_bounds(rows)
        layer, comparisons = compared_layer(
            config, rows, exemplars, metric, bounds, n_outputs, rng
        )
        few = rows.take(slice(IMPORTANCE_ROWS))
        sample = few.X[few.index], few.sample_weight
        return (layer,), replace(state, comparisons=comparisons, sample=sample)
    scores = metric(exemplars.points)
    pairs = select_pairs(scores, exemplars.points, exemplars.codes, config.pairs)
    targets = exemplars.targets(n_outputs)
    layers = tournament_layers(config, rows, scores, targets, pairs)
    return layers, replace(state, pairs=pairs)


def _of_rows(config: NetworkConfig, rows: DistinctRows) -> NetworkConfig:
    """Find the groups of columns and the metric that the rows tell of."""
    if config.n_neighbors is not None:
        return config
    groups, encoding = _feature_groups(config, rows), config.encoding
    config = replace(config, feature_groups=groups)
    if not (isinstance(config.metric, str) and config.metric == "auto"):
        return config
    are_flags = np.bincount(groups)[groups] > 1
    V = None
    if rows.X.shape[1] <= MOST_FEATURES:
        V = feature_variances(rows, encoding.are_flags if encoding else are_flags)
    if V is None:
        return replace(config, metric="sqeuclidean")
    return replace(config, metric="seuclidean", metric_params={"V": V})


def _feature_groups(config: NetworkConfig, rows: DistinctRows) -> Ints:
    """Return the feature of each column, from 0 on, as given or as found in the rows."""
    n_columns = rows.X.shape[1]
    if config.feature_groups is not None:
        groups: Ints = config.feature_groups
        return groups
    if config.encoding:
        return config.encoding.groups
    if n_columns > MOST_FEATURES:
        return np.arange(n_columns)
    return one_hot_groups(_dense_rows(rows.take(slice(SAMPLE_ROWS))))


def compared_layer(
    config: NetworkConfig,
    rows: DistinctRows,
    exemplars: Exemplars,
    metric: Metric,
    bounds: tuple[Floats, Floats],
    n_outputs: int,
    rng: np.random.RandomState,
    start: int = 0,
) -> tuple[ClippedInput, Comparisons]:
    """Calculate the hidden layer that a fitted output reads.

    Exemplars are compared within the bounds too.

    Parameters
    ----------
    config : NetworkConfig
        With feature groups.
    rows : DistinctRows
        They set the scales, and tell which features are relevant.
    exemplars : Exemplars
    metric : Metric
        One that is not a sum over features compares on all of them.
    bounds : tuple of two arrays of shape (d,)
        The comparisons read features within them.
    n_outputs : int
    rng : numpy.random.RandomState
    start : int, default=0
        Each comparison is of this exemplar, or a later one, with any other.

    Returns
    -------
    layer : ClippedInput
        Of a :class:`~skmetricmlp.network.layers.Conjunctive` one.
    comparisons : Comparisons
    """
    groups = config.feature_groups
    exemplars = replace(exemplars, points=np.clip(exemplars.points, *bounds))
    is_wide = rows.X.shape[1] > MOST_FEATURES
    max_features = config.max_features if metric.is_additive else None
    relevance = None
    if max_features is not None and n_groups(groups) > 1 and not is_wide:
        few = rows.take(slice(RELEVANCE_ROWS))
        targets = few.targets(n_outputs)
        X, sample_weight = _clipped(few, bounds), few.sample_weight
        relevance = feature_relevance(
            metric, exemplars, groups, X, targets, sample_weight, rng
        )
    drawn = draw_comparisons(
        exemplars, groups, config.n_comparisons, max_features, rng, relevance, start
    )
    sample = rows.take(slice(_sample_size(config.n_comparisons)))
    layer, comparisons = comparison_layer(
        drawn,
        metric,
        exemplars,
        (_clipped(sample, bounds), sample.sample_weight),
        config.activation,
        config.n_shifts,
    )
    return ClippedInput(layer, *bounds), comparisons


def feature_bounds(rows: DistinctRows) -> tuple[Floats, Floats]:
    """Bounds of the features that a network of comparisons reads.

    They are a little beyond the least and the greatest value, and at most five
    deviations from the mean: a single value far away would decide all sums.

    Parameters
    ----------
    rows : DistinctRows

    Returns
    -------
    low, high : arrays of shape (d,)
    """
    mean, deviation = mean_and_deviation(rows.X, rows.sample_weight, rows.index)
    X = rows.X[rows.index]
    least, greatest = X.min(axis=0), X.max(axis=0)
    if sp.issparse(X):
        least, greatest = (a.toarray().ravel() for a in (least, greatest))
    margin, most = BOUND_MARGIN * deviation, MOST_DEVIATIONS * deviation
    low = np.maximum(least.astype(np.float64) - margin, mean - most)
    high = np.minimum(greatest.astype(np.float64) + margin, mean + most)
    return low, high


def _clipped(rows: DistinctRows, bounds: tuple[Floats, Floats]) -> Array:
    """Rows within the bounds, in double precision."""
    return clip_rows(rows.X[rows.index].astype(np.float64), *bounds)


def tournament_layers(
    config: NetworkConfig,
    rows: DistinctRows,
    scores: Scores,
    targets: Floats,
    pairs: Ints,
) -> tuple[Layer, ...]:
    """Calculate the source's network, all layers of which are known.

    Parameters
    ----------
    config : NetworkConfig
    rows : DistinctRows
        They set the scales.
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of the metric at the exemplars.
    targets : array of shape (N, n_outputs)
        Classes of the exemplars, one-hot, or their labels or values.
    pairs : int array of shape (N, M)

    Returns
    -------
    tuple of Layer
        Tied.
    """
    sample = rows.take(slice(_sample_size(pairs.size)))
    X = sample.X[sample.index].astype(np.float64)
    return nearest_network(
        scores,
        targets,
        TrainingData(X, sample.y, sample.sample_weight),
        pairs=pairs,
        n_neighbors=config.n_neighbors or 1,
        activation=config.activation,
        sharpness=config.sharpness,
        loss=config.loss,
    ).layers


def _sample_size(width: int) -> int:
    """Rows of which so many numbers each are calculated; rows are in random order."""
    return min(SAMPLE_ROWS, max(1, SAMPLE_ELEMENTS // max(width, 1)))


def _dense_rows(rows: DistinctRows) -> Array:
    X = rows.X[rows.index]
    return X.toarray() if sp.issparse(X) else X


def _baseline_layers(
    config: NetworkConfig,
    size: tuple[int, tuple[int, ...], int],
    rng: np.random.RandomState,
    scaling: Scaling,
) -> tuple[Layer, ...]:
    if isinstance(config.init, str):
        return baseline_network(config, *size, rng, scaling).layers
    shapes = weight_shapes(config, *size)
    activations = config.activation, config.output_activation
    has_shifts = config.n_neighbors is None and not config.is_linear
    n_shifts = config.n_shifts if has_shifts else None
    return given_network(config.init, shapes, *activations, n_shifts).layers


def fitted_output(
    config: NetworkConfig,
    layers: tuple[Layer, ...],
    rows: DistinctRows,
    n_outputs: int,
    rng: np.random.RandomState,
) -> Dense:
    """Fit an output layer to the hidden values of the rows.

    With ``output_init="norm_constrained"`` the targets of classes and labels are 1/2 for
    those of the row and -1/2 for the others. The variance of the weights is He's with
    ReLU and Glorot's otherwise.

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
    if config.output_init == "ridge":
        fit = _ridge_output(config, layers, rows, n_outputs)
    else:
        width = layers[-1].n_out if layers else rows.X.shape[1]
        few = rows.take(slice(max(1, FIT_ELEMENTS // width)))
        hidden = hidden_values(layers, few.X[few.index])
        if config.output_init == "logistic":
            fit = logistic_weights(hidden, few.codes, few.sample_weight, n_outputs)
        else:
            middle = 0.0 if config.is_regression else 0.5
            targets = few.targets(n_outputs) - middle
            activation = layers[-1].activation if layers else "identity"
            init = resolve_init("random", activation)
            variance = weight_variance(init, hidden.shape[1], n_outputs)
            fit = constrained_weights(hidden, targets, few.sample_weight, variance, rng)
    return Dense(*fit, config.output_activation)


def _ridge_output(
    config: NetworkConfig, layers: tuple[Layer, ...], rows: DistinctRows, n_outputs: int
) -> tuple[Floats, Floats]:
    """Fit the output to all rows, whose hidden values are never all in memory.

    Rows of a sample are left out one at a time, to choose the ridge and the scale. Hidden
    values are divided by their deviation, so that the ridge is on weights of units that
    vary alike.
    """
    n, sample_weight = len(rows.index), rows.sample_weight
    targets = rows.targets(n_outputs)
    sample = rows.take(slice(RIDGE_ROWS))
    hidden = hidden_values(layers, sample.X[sample.index])
    center, deviation = mean_and_deviation(hidden, sample.sample_weight)
    if n <= RIDGE_ROWS:
        scale = unit_scale(deviation, least_deviation(layers))
        W, b, left_out = ridge_weights(hidden / scale, targets, sample_weight)
        W /= scale[:, None]
    else:
        blocks = (
            hidden_values(layers, rows.X[rows.index[block]])
            for block in gen_batches(n, rows_per_batch(hidden.shape[1]))
        )
        equations = normal_equations(
            summed(blocks, targets, sample_weight, center),
            center,
            least_deviation(layers),
        )
        few = hidden, targets[:RIDGE_ROWS], sample.sample_weight
        W, b, left_out = ridge_of_sums(equations, n, few)
    if config.is_regression:
        return W, b
    return scaled_classifier(
        (W, b, left_out), sample.y, sample.sample_weight, config.loss
    )


def least_deviation(layers: tuple[Layer, ...]) -> float:
    """Least deviation of what the output reads, in units of the median.

    Features have units of their own, so that none is small.
    """
    return LEAST_DEVIATION if layers else 0.0


def hidden_values(layers: tuple[Layer, ...], X: Array) -> Floats:
    """Values (n, width) of the last hidden layer, in the precision of ``X``.

    Those of a few rows are as they are calculated, without a copy. Without a hidden layer
    they are a copy of ``X``.
    """
    if not layers:
        copied: Floats = X.toarray() if sp.issparse(X) else X.copy()
        return copied
    network = Network(layers)
    if network.parameters[0].dtype != X.dtype:
        network = network.astype(X.dtype)
    if X.shape[0] <= network.block_rows:
        return _values(network, X)
    hidden = np.empty((X.shape[0], layers[-1].n_out), dtype=X.dtype)
    for block in gen_batches(X.shape[0], network.block_rows):
        hidden[block] = _values(network, X[block])
    return hidden


def _values(network: Network, X: Array) -> Floats:
    """Values (n, width) of the last layer, overwriting those before its activation."""
    values = X
    for layer in network.layers:
        values = layer.affine(values)
        if layer.activation == "relu":
            np.maximum(values, 0.0, out=values)
        else:
            values = ACTIVATIONS[layer.activation].function(values)
    result: Floats = values
    return result


def _counts(
    config: NetworkConfig, rows: DistinctRows, labels: Array, *, few_rows: bool
) -> Ints | None:
    """Exemplars of each class, or None if they have to be chosen to count them."""
    n_exemplars, exemplars = config.n_exemplars, config.exemplars
    if config.is_linear:
        return np.zeros(len(labels), dtype=np.intp)
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
    holes = config.encoding.holes if config.encoding else None
    if holes is not None and config.n_neighbors is None:
        holes = holes.compared()
    metric = fit_metric(
        config.metric,
        config.metric_params,
        rows,
        y,
        data.sample_weight,
        scaling=scaling,
        holes=holes,
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


def cast_network(
    network: Network, X: Array, points: Array | None = None, *, is_given: bool = False
) -> Network:
    """Convert the weights to the precision of X; all of them must be finite then.

    Parameters
    ----------
    network : Network
        On the host.
    X : array of any namespace
    points : array of shape (N, d), optional
        What the weights were calculated from, for the message.
    is_given : bool, default=False
        Whether the user gave the weights.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
    """
    dtype = np.dtype(numpy_type(X))
    with np.errstate(over="ignore"):
        network = network.astype(dtype)
    if not all(np.isfinite(array).all() for array in network.parameters):
        if is_given:
            msg = f"init=(coefs, intercepts) has weights that {dtype} cannot hold"
            raise ValueError(msg)
        largest = 0.0 if points is None else abs(points).max()
        problem = "is too large" if largest > 1 else "differs by too little"
        msg = f"X {problem} to calculate weights from in {dtype}"
        if points is not None:
            msg += f", with values of up to {largest:.3g}"
        raise ValueError(msg + ": scale its features")
    return network


def _scaling(rows: DistinctRows, config: NetworkConfig) -> Scaling:
    """Scale inputs as the metric does: each feature by itself, or all of them alike."""
    metric = config.metric
    per_feature = config.is_linear or (
        metric in SCALE_FREE_METRICS
        if isinstance(metric, str)
        else hasattr(metric, "transform")
    )
    is_scaled = isinstance(metric, str) and metric == "seuclidean"
    V = (config.metric_params or {}).get("V") if is_scaled else None
    return input_scaling(
        rows.X,
        rows.sample_weight,
        rows.index,
        per_feature=per_feature,
        units=None if V is None else np.sqrt(V),
    )
