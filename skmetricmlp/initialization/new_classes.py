"""Classes whose first rows arrive when the network already exists.

They get what the other classes got from their first rows: exemplars, the comparisons
with all others, and an output. **The rest stays as it is**: a weight between two units
that the new classes do not affect keeps its value, trained or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from skmetricmlp._data import DistinctRows, TrainingData, distinct_rows
from skmetricmlp._state import FitState
from skmetricmlp._typing import Floats, Ints
from skmetricmlp.exemplars import Exemplars, select_exemplars
from skmetricmlp.initialization.build import (
    compared_layer,
    fitted_output,
    tournament_layers,
)
from skmetricmlp.initialization.config import NetworkConfig
from skmetricmlp.initialization.memory import check_memory
from skmetricmlp.initialization.pairs import all_pairs, select_pairs
from skmetricmlp.metrics import Metric
from skmetricmlp.network import (
    Conjunctive,
    Dense,
    Grouped,
    Layer,
    Network,
    PairIncidence,
    TiedComparison,
    n_conjunctive,
)

__all__ = ["lacks_classes", "with_new_classes"]

# Value of a comparison with an exemplar that is far away, which lost it. A unit that
# counts wins also counts those over the new exemplars: its threshold rises by as many.
FAR_VALUE = {"relu": 0.0, "logistic": 1.0, "tanh": 1.0, "step": 1.0}


class _Units(NamedTuple):
    """Positions of the units of a layer that are kept: in the old and the new network."""

    old: Ints
    new: Ints


def lacks_classes(state: FitState, codes: Ints) -> bool:
    """Whether some classes of the rows have no exemplar in a calculated network."""
    exemplars = state.exemplars
    return exemplars is not None and not np.isin(codes, exemplars.codes).all()


def with_new_classes(
    state: FitState,
    data: TrainingData,
    n_classes: int,
    config: NetworkConfig,
    *,
    solver: str,
    rng: np.random.RandomState,
) -> FitState:
    """Add exemplars, comparisons and outputs of the classes that have no exemplar yet.

    Each new class gets as many exemplars as the mean over all classes. If the rows
    are of the new classes alone, the exemplars of the others stand in for rows of these.

    Parameters
    ----------
    state : FitState
        Of a calculated network.
    data : TrainingData
        On the host, with class codes and positive weights.
    n_classes : int
    config : NetworkConfig
    solver : str
    rng : numpy.random.RandomState

    Returns
    -------
    FitState
        With the earlier exemplars, and then the new ones.

    Raises
    ------
    MemoryError
        If the larger network would take more than half of the memory available.
    """
    before, metric = state.exemplars, state.metric
    if before is None or metric is None:
        return state
    # Exemplars, which stand in for rows, may be means: no row of a one-hot encoding.
    config = replace(config, feature_groups=state.config.feature_groups)
    rows = distinct_rows(*data)
    added = _select(before, rows, metric, n_classes, str(config.exemplars), rng)
    points = np.concatenate([before.points, added.points])
    grown = Exemplars(points, np.concatenate([before.codes, added.codes]), None)
    rows = _with_exemplars(rows, before)
    state = replace(state, n_exemplars=len(points), config=config)
    grow = _with_comparisons if config.n_neighbors is None else _with_pairs
    state = grow(state, grown, rows, n_classes, solver, rng)
    return replace(state, exemplars=grown)


def _with_comparisons(
    state: FitState,
    grown: Exemplars,
    rows: DistinctRows,
    n_classes: int,
    solver: str,
    rng: np.random.RandomState,
) -> FitState:
    """Add comparisons of the new exemplars with all, and the outputs of new classes.

    The number of comparisons grows like the number of exemplars.
    """
    before, metric, known = state.exemplars, state.metric, state.comparisons
    assert before is not None  # noqa: S101 - of a calculated network
    assert metric is not None  # noqa: S101
    old, config, n = state.network, state.config, len(before.codes)
    n_known = len(known.first)
    n_new = max(1, round(n_known * (len(grown.codes) - n) / n))
    counts = tuple(np.bincount(grown.codes, minlength=n_classes).tolist())
    larger = replace(config, n_comparisons=n_known + n_new)
    check_memory(larger, rows.X.shape[1], counts, n_classes, rows.X.dtype, solver)
    added = replace(config, n_comparisons=n_new)
    clipping: Any = old.layers[0]
    bounds = clipping.low, clipping.high
    layer, comparisons = compared_layer(
        added, rows, grown, metric, bounds, n_classes, rng, n
    )
    first, new_parameters = clipping.layer, layer.parameters
    weights, bias = (
        np.concatenate([known, new.astype(known.dtype)], axis=-1)
        for known, new in zip(first.parameters, new_parameters, strict=True)
    )
    larger_layer = replace(first, weights=weights, bias=bias)
    hidden = replace(clipping, layer=larger_layer)
    output = fitted_output(config, (hidden,), rows, n_classes, rng)
    classes = np.unique(before.codes)
    new = _unread(Network((hidden, output)), classes)
    kept = _conjunctions_in_both(first, larger_layer)
    last = _splice(
        old.layers[-1], new.layers[-1], kept, _Units(classes, classes), counts=False
    )
    return replace(
        state,
        network=Network((hidden, last)).astype(weights.dtype),
        comparisons=known.followed_by(comparisons),
    )


def _conjunctions_in_both(old: Conjunctive, new: Conjunctive) -> _Units:
    """Find the neurons of the old layer in the new one, which has more comparisons."""
    n, grown = old.n_plain, new.n_plain
    starts = [n_conjunctive(grown, s) for s in range(old.n_shifts)]
    later = [start + np.arange(n - s) for s, start in enumerate(starts, start=1)]
    return _Units(np.arange(old.n_out), np.concatenate([np.arange(n), *later]))


def _with_pairs(
    state: FitState,
    grown: Exemplars,
    rows: DistinctRows,
    n_classes: int,
    solver: str,
    rng: np.random.RandomState,
) -> FitState:
    """Add to the source's network the pairs, and the votes, of the new exemplars."""
    del rng
    before, metric, table = state.exemplars, state.metric, state.pairs
    assert before is not None  # noqa: S101 - of a calculated network
    assert metric is not None  # noqa: S101
    assert table is not None  # noqa: S101
    old, config = state.network, state.config
    scores = metric(grown.points)
    pairs = _grown_pairs(table, scores, grown, config)
    counts = tuple(np.bincount(grown.codes, minlength=n_classes).tolist())
    shape = replace(config, pairs=pairs.shape[1])
    check_memory(shape, rows.X.shape[1], counts, n_classes, rows.X.dtype, solver)
    votes = grown.targets(n_classes)
    layers = tournament_layers(config, rows, scores, votes, pairs)
    new = Network(layers) if config.tied else Network(layers).dense()
    units = _units_kept(before, table, pairs, n_classes, len(old.layers) - 1)
    new = _in_scale(old, new, *units[-2:])
    return replace(state, network=_keep(old, new, units), pairs=pairs)


def _grown_pairs(
    table: Ints,
    scores: tuple[Floats, Floats],
    exemplars: Exemplars,
    config: NetworkConfig,
) -> Ints:
    """Keep the pairs of each exemplar, and add as many with new exemplars, or all.

    If there were fewer exemplars than pairs, the missing ones are added too.
    """
    points, codes = exemplars.points, exemplars.codes
    if isinstance(config.pairs, str):
        return select_pairs(scores, points, codes, config.pairs)
    (n, m), n_new = table.shape, len(codes) - len(table)
    m_new = min(n_new, max(m, config.pairs - m))
    if m + m_new >= len(codes) - 1:
        return all_pairs(len(codes))
    distances = points[:n] @ scores[0][n:].T + scores[1][n:]
    new = n + np.argsort(distances, axis=1, kind="stable")[:, :m_new]
    chosen = select_pairs(scores, points, codes, m + m_new)
    return np.concatenate([np.concatenate([table, np.sort(new)], axis=1), chosen[n:]])


def _select(
    before: Exemplars,
    rows: DistinctRows,
    metric: Metric,
    n_classes: int,
    method: str,
    rng: np.random.RandomState,
) -> Exemplars:
    rows = rows.take(~np.isin(rows.codes, before.codes))
    available = np.bincount(rows.codes, minlength=n_classes)
    counts = np.minimum(available, max(1, len(before.codes) // n_classes))
    return select_exemplars(method, rows, metric, counts, rng)


def _with_exemplars(rows: DistinctRows, exemplars: Exemplars) -> DistinctRows:
    """Put exemplars before the rows, each with the mean weight of a row."""
    n, X = len(exemplars.codes), rows.X
    points = exemplars.points.astype(X.dtype)
    X = sp.vstack([points, X], format="csr") if sp.issparse(X) else np.vstack([points, X])
    weight = rows.sample_weight
    return DistinctRows(
        X,
        np.concatenate([np.arange(n), rows.index + n]),
        np.concatenate([exemplars.codes, rows.codes]),
        np.concatenate([np.full(n, weight.mean()), weight]),
    )


def _in_scale(old: Network, new: Network, inputs: _Units, outputs: _Units) -> Network:
    """Scale the new output like the old one, so that votes of all classes are equal."""
    before: Any = old.layers[-1].dense()
    after: Any = new.layers[-1].dense()
    theirs = before.weights[np.ix_(inputs.old, outputs.old)]
    ours = after.weights[np.ix_(inputs.new, outputs.new)]
    product = float(np.sum(theirs * ours))
    scale = product / float(np.sum(ours**2)) if product > 0 else 1.0
    bias = scale * after.bias
    bias += np.mean(before.bias[outputs.old] - bias[outputs.new])
    scaled = replace(after, weights=scale * after.weights, bias=bias)
    return Network((*new.layers[:-1], scaled))


def _unread(network: Network, classes: Ints) -> Network:
    """Set the output weights of some classes to zero.

    Those that were fitted together with weights of the old units are wrong where the old
    units keep their own weights.
    """
    output: Any = network.layers[-1].dense()
    weights = output.weights.copy()
    weights[:, classes] = 0.0
    return Network((*network.layers[:-1], replace(output, weights=weights)))


def _pairs_in_both(old: Ints, new: Ints) -> _Units:
    """Find the comparisons (i, j) that are in both tables of pairs."""
    n = len(new)
    old_keys, new_keys = (
        n * i + j for i, j in (PairIncidence(table).indices for table in (old, new))
    )
    _, before, after = np.intersect1d(
        old_keys, new_keys, assume_unique=True, return_indices=True
    )
    return _Units(before, after)


def _units_kept(
    before: Exemplars,
    table: Ints,
    pairs: Ints,
    n_classes: int,
    n_hidden: int,
) -> list[_Units]:
    """Return the units of the input and of each layer that no new class affects."""
    n, classes = len(table), np.unique(before.codes)
    n_features = before.points.shape[1]
    both = _pairs_in_both(table, pairs)
    i, j = PairIncidence(all_pairs(n_classes)).indices
    class_pairs = np.flatnonzero(np.isin(i, classes) & np.isin(j, classes))
    hidden = [
        both,
        _Units(np.arange(n), np.arange(n)),
        _Units(class_pairs, class_pairs),
    ]
    return [
        _Units(np.arange(n_features), np.arange(n_features)),
        *hidden[:n_hidden],
        _Units(classes, classes),
    ]


def _keep(old: Network, new: Network, units: list[_Units]) -> Network:
    """Put the weights of the old network into the new, larger one."""
    counting = 1 if len(old.layers) > 2 else None
    layers = [
        _splice(before, after, *units[depth : depth + 2], counts=depth == counting)
        for depth, (before, after) in enumerate(zip(old.layers, new.layers, strict=True))
    ]
    return Network(tuple(layers)).astype(old.parameters[0].dtype)


def _splice(
    old: Layer, new: Layer, inputs: _Units, outputs: _Units, *, counts: bool
) -> Layer:
    """Keep the weights between units that are kept.

    The thresholds of units that count comparisons rise by those with new exemplars.
    """
    if isinstance(old, TiedComparison) and isinstance(new, TiedComparison):
        return _splice_scores(old, new, outputs)
    if isinstance(old, Grouped) and isinstance(new, Grouped):
        return _splice_groups(old, new, inputs)
    before: Any = old.dense()
    after: Any = new.dense()
    weights, bias = after.weights.copy(), after.bias.copy()
    bias[outputs.new] = before.bias[outputs.old]
    if counts:
        added = np.delete(weights, inputs.new, axis=0)[:, outputs.new]
        bias[outputs.new] -= FAR_VALUE[before.activation] * added.sum(axis=0)
    kept = before.weights[np.ix_(inputs.old, outputs.old)]
    weights[np.ix_(inputs.new, outputs.new)] = kept
    spliced: Dense = replace(after, weights=weights, bias=bias)
    return spliced


def _splice_scores(
    old: TiedComparison, new: TiedComparison, both: _Units
) -> TiedComparison:
    """Keep the old scores, and bring the new ones to their scale.

    The scale and the common term are those of the least squares between the old scores
    and the same ones as calculated again.
    """
    n = len(old.offsets)
    before, after = np.vstack([old.weights, old.bias]), np.vstack([new.weights, new.bias])
    old_mean = before[:, :n].mean(axis=1, keepdims=True)
    mean = after[:, :n].mean(axis=1, keepdims=True)
    deviation = after[:, :n] - mean
    scale = np.sum(deviation * before[:, :n]) / (np.sum(deviation**2) or 1.0)
    after = (scale or 1.0) * (after - mean) + old_mean
    after[:, :n] = before
    offsets = new.offsets.ravel().copy()
    offsets[both.new] = old.offsets.ravel()[both.old]
    offsets = offsets.reshape(new.offsets.shape)
    return replace(new, weights=after[:-1], bias=after[-1], offsets=offsets)


def _splice_groups(old: Grouped, new: Grouped, inputs: _Units) -> Grouped:
    """Keep the weights of the old comparisons, and raise thresholds."""
    n, shape = old.n_out, new.weights.shape
    added = new.weights.ravel().copy()
    added[inputs.new] = 0.0
    weights = added.copy()
    weights[inputs.new] = old.weights.ravel()[inputs.old]
    bias = new.bias.copy()
    won = added.reshape(shape)[:n].sum(axis=1)
    bias[:n] = old.bias - FAR_VALUE[old.activation] * won
    return replace(new, weights=weights.reshape(shape), bias=bias)
