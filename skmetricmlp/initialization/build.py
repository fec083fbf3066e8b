"""From training rows and settings to the network that training starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skmetricmlp._data import DistinctRows, distinct_rows
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import (
    Exemplars,
    coming_counts,
    cross_validated_total,
    exemplar_counts,
    select_exemplars,
)
from skmetricmlp.initialization.architecture import Architecture
from skmetricmlp.initialization.baselines import (
    baseline_network,
    usual_init,
    weight_variance,
    with_random_units,
)
from skmetricmlp.initialization.form import Form
from skmetricmlp.initialization.given import Weights, given_network
from skmetricmlp.initialization.memory import Budget, check_memory
from skmetricmlp.initialization.norm_constrained import constrained_weights
from skmetricmlp.initialization.output_layer import (
    logistic_weights,
    ridge_readout,
    ridge_weights,
)
from skmetricmlp.initialization.pairs import select_pairs
from skmetricmlp.initialization.tournament import (
    Sample,
    comparison_layer,
    hidden_layers,
    nearest_network,
)
from skmetricmlp.metrics.fitting import Metric, fit_metric
from skmetricmlp.network import Dense, Layer, Network, forward
from skmetricmlp.network.scaling import InputScaling, input_scaling

__all__ = ["Origin", "Start", "calculated_network", "fitted_output", "initial_network"]

Scores = tuple[Floats, Floats]

# Metrics that do not depend on the units of single features.
SCALE_FREE_METRICS = ("seuclidean", "mahalanobis")
# Numbers in the comparisons of the sample that sets the scales: at most 1,000 rows, and
# fewer for many exemplars.
SAMPLE_ROWS, SAMPLE_ELEMENTS = 1000, 2**24
# Rows that the output is fitted to: so many that their hidden values are 32 MiB in single
# precision. A layer wider than 1,600 is fitted to as many rows, or to as many as have
# values of 512 MiB: the work grows with the cube of the smaller of both numbers. Four
# times as many rows gain half a point untrained on MNIST, and nothing after an epoch.
FIT_ELEMENTS, FIT_ROWS, MOST_FIT_ELEMENTS = 2**23, 1600, 2**27


class Origin(NamedTuple):
    """What weights are calculated from.

    ``pairs`` (N, M) says which exemplars each is compared with, and ``counts_votes``
    whether the exemplar neurons are votes, each one or zero.
    """

    exemplars: Exemplars
    metric: Metric
    pairs: Ints
    counts_votes: bool = False


class Start(NamedTuple):
    """A network before training, the exemplars that it is made for, and where from.

    ``origin`` is None where the weights are not calculated. ``scaling`` is that of the
    inputs in training; None leaves them as they are.
    """

    network: Network
    n_exemplars: int
    origin: Origin | None
    scaling: InputScaling | None = None


def initial_network(
    X: Array,
    targets: Array,
    weights: Floats,
    y: Array,
    classes: Array | None,
    form: Form,
    *,
    init: str | Weights,
    n_exemplars: str | float | Mapping[Any, int],
    exemplars: str | Exemplars,
    metric: Any,
    metric_params: Mapping[str, Any] | None,
    budget: Budget,
    rng: np.random.RandomState,
    more_to_come: bool = False,
) -> Start:
    """Calculate, draw or take over the weights before training.

    Every ``init`` gives the architecture that ``"metric"`` has for the same settings.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    targets : array of shape (n,) or (n, n_outputs)
        Class codes or values.
    weights : array of shape (n,)
        All positive.
    y : array of shape (n,) or (n, n_outputs)
        The same as the user has them, for a metric that is fitted to them.
    classes : array of shape (n_classes,) or None
        The labels that class codes stand for.
    form : Form
    init, n_exemplars, exemplars, metric, metric_params : various
        As in :class:`~skmetricmlp.MetricInitMLPClassifier`; ``exemplars`` is a method
        or the exemplars themselves.
    budget : Budget
        Memory that the weights may take.
    rng : numpy.random.RandomState
    more_to_come : bool, default=False
        Whether the rows are the first few of a stream: counts of exemplars by class are
        then lowered to them, and baselines are as wide as for all that is asked for.

    Returns
    -------
    Start
        In the precision of ``X``.
    """
    rows = distinct_rows(X, targets, weights)
    scaling = _scaling(X, rows, metric)
    n_values = None if classes is not None else targets.shape[1]
    classes = np.zeros(1) if classes is None else classes

    def choose() -> tuple[Exemplars, Metric]:
        fitted = fit_metric(metric, metric_params, rows, y, weights, scaling=scaling)
        if isinstance(exemplars, Exemplars):
            return exemplars, fitted
        count = (
            cross_validated_total(
                exemplars, rows, fitted, len(classes), form.n_neighbors, rng
            )
            if isinstance(n_exemplars, str)
            else n_exemplars
        )
        counts = exemplar_counts(count, classes, rows, lowers=more_to_come)
        return select_exemplars(exemplars, rows, fitted, counts, rng), fitted

    # Baselines need no exemplars, only as many as there would be.
    chosen = None
    if isinstance(exemplars, Exemplars):
        counts = np.bincount(exemplars.codes, minlength=len(classes))
    elif isinstance(n_exemplars, str) or exemplars == "condensed":
        chosen = choose()
        counts = np.bincount(chosen[0].codes, minlength=len(classes))
    elif more_to_come and init != "metric" and not isinstance(n_exemplars, float):
        counts = coming_counts(n_exemplars, classes)
    else:
        counts = exemplar_counts(n_exemplars, classes, rows, lowers=more_to_come)
    architecture = Architecture(form, X.shape[1], tuple(counts.tolist()), n_values)
    _check_enough(architecture, X)
    check_memory(architecture, X.dtype, budget)
    n = architecture.n_exemplars
    if isinstance(init, str) and init == "metric":
        selected, fitted = chosen or choose()
        points = selected.points
        scores, by_class = fitted(points), form.readout == "exemplars"
        table = select_pairs(
            scores, points, selected.codes, form.pairs, by_class=by_class
        )
        stand_for = selected.targets(architecture.n_outputs)
        network = calculated_network(
            X, rows, scores, stand_for, table, form, rng, scaling
        )
        network = _in_precision_of(X, network, points)
        origin = Origin(selected, fitted, table, form.counts_votes)
        return Start(network, n, origin, scaling)
    network = (
        baseline_network(init, architecture, rng, scaling)
        if isinstance(init, str)
        else given_network(
            init, architecture.sizes, form.activation, form.output_activation
        )
    )
    if form.has_fitted_output:
        hidden = network.layers[:-1]
        output = fitted_output(hidden, X, rows, architecture.n_outputs, form, rng)
        network = Network((*hidden, output))
    return Start(_in_precision_of(X, network, X, init), n, None, scaling)


def calculated_network(
    X: Array,
    rows: DistinctRows,
    scores: Scores,
    stand_for: Floats,
    pairs: Ints,
    form: Form,
    rng: np.random.RandomState,
    scaling: InputScaling | None,
) -> Network:
    """Calculate the nearest-exemplar network, or its comparisons and what reads them.

    ``stand_for`` (N, n_outputs) are the classes, one-hot, or the values of the exemplars.
    """
    size = min(SAMPLE_ROWS, max(1, SAMPLE_ELEMENTS // max(pairs.size, 1)))
    sample = _sample(X, rows, size)
    if not form.has_fitted_output:
        network = nearest_network(
            scores,
            stand_for,
            sample,
            pairs=pairs,
            n_neighbors=form.n_neighbors,
            activation=form.activation,
            sharpness=form.sharpness,
            loss=form.loss,
        )
        hidden = with_random_units(network.layers[:-1], form.n_random_units, rng, scaling)
        output = network.layers[-1]
    else:
        style = form.n_neighbors, form.activation, form.sharpness
        hidden = (
            (comparison_layer(scores, pairs, sample.X, sample.weights, *style),)
            if form.readout == "comparisons"
            else hidden_layers(
                scores, None if form.has_values else stand_for, sample, pairs, *style
            )
        )
        hidden = with_random_units(hidden, form.n_random_units, rng, scaling)
        output = fitted_output(hidden, X, rows, stand_for.shape[1], form, rng)
    network = Network((*hidden, output))
    return network if form.tied else network.dense()


def fitted_output(
    hidden: tuple[Layer, ...],
    X: Array,
    rows: DistinctRows,
    n_outputs: int,
    form: Form,
    rng: np.random.RandomState,
) -> Dense:
    """Fit an output layer to what the hidden layers make of the rows.

    Where the weights are to have a certain variance, the targets of classes are 1/2 for
    the row's class and -1/2 for the others, and that of the weights is He's with ReLU
    and Glorot's otherwise.
    """
    width = max(hidden[0].n_out, 1)
    most = FIT_ELEMENTS if width <= FIT_ROWS else min(FIT_ROWS * width, MOST_FIT_ELEMENTS)
    rows = rows.take(slice(max(1, most // width)))
    values = _hidden_values(hidden, X, rows.index)
    if form.output_init == "logistic":
        fit = logistic_weights(values, rows.codes, rows.sample_weight, n_outputs)
    elif form.output_init == "norm_constrained":
        targets = rows.y if form.has_values else np.eye(n_outputs)[rows.codes] - 0.5
        usual = usual_init("random", hidden[-1].activation)
        variance = weight_variance(usual, values.shape[1], n_outputs)
        fit = constrained_weights(values, targets, rows.sample_weight, variance, rng)
    elif form.has_values:
        fit = ridge_weights(values, rows.y, rows.sample_weight)[:2]
    else:
        fit = ridge_readout(values, rows.codes, rows.sample_weight, n_outputs, form.loss)
    return Dense(*fit, form.output_activation)


def _hidden_values(hidden: tuple[Layer, ...], X: Array, index: Ints) -> Floats:
    """Values of the last of the layers, in the precision of ``X``, block by block."""
    network = Network(hidden).astype(X.dtype)
    values = np.empty((len(index), hidden[-1].n_out), dtype=X.dtype)
    for block in gen_batches(len(index), network.block_rows):
        value = X[index[block]]
        for layer in network.layers:
            value = forward(layer, value)
        values[block] = value
    return values


def _check_enough(architecture: Architecture, X: Array) -> None:
    n, n_neighbors = architecture.n_exemplars, architecture.form.n_neighbors
    if n_neighbors > n:
        msg = (
            f"n_neighbors={n_neighbors} is more than there are exemplars: {n}, with "
            f"n_samples={X.shape[0]}"
        )
        raise ValueError(msg)


def _in_precision_of(
    X: Array, network: Network, points: Array, init: str | Weights = "metric"
) -> Network:
    with np.errstate(over="ignore"):
        network = network.astype(X.dtype)
    if not all(np.isfinite(array).all() for array in network.parameters):
        if not isinstance(init, str):
            msg = f"init=(coefs, intercepts) has weights that {X.dtype} cannot hold"
            raise ValueError(msg)
        largest = abs(points).max()
        what = "is too large" if largest > 1 else "differs by too little"
        msg = (
            f"X {what} to calculate weights from in {X.dtype}, with values of up to "
            f"{largest:.3g}: scale its features"
        )
        raise ValueError(msg)
    return network


def _scaling(X: Array, rows: DistinctRows, metric: Any) -> InputScaling:
    """Scale inputs as the metric does: each feature by itself, or all of them alike."""
    per_feature = (
        metric in SCALE_FREE_METRICS
        if isinstance(metric, str)
        else hasattr(metric, "transform")
    )
    return input_scaling(X, rows.sample_weight, rows.index, per_feature=per_feature)


def _sample(X: Array, rows: DistinctRows, size: int) -> Sample:
    """Take the first distinct rows: their order is random, and always the same."""
    block = X[rows.index[:size]]
    return Sample(block.astype(np.float64), rows.codes[:size], rows.sample_weight[:size])
