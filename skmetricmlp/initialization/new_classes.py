"""Classes whose first rows come when the network is there already.

They get what the others got from their first rows: exemplars, the comparisons with all
others, and an output. **What was there stays as it is**: a weight between two units that
have nothing to do with the late classes keeps its value, trained as it may be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from skmetricmlp._data import DistinctRows, distinct_rows
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import Exemplars, select_exemplars
from skmetricmlp.initialization.architecture import Architecture
from skmetricmlp.initialization.build import (
    Origin,
    Start,
    calculated_network,
    fitted_output,
)
from skmetricmlp.initialization.form import Form
from skmetricmlp.initialization.memory import Budget, check_memory
from skmetricmlp.initialization.pairs import all_pairs, select_pairs
from skmetricmlp.metrics import Metric
from skmetricmlp.network import Grouped, Layer, Network, PairIncidence, TiedComparison

__all__ = ["lacks_classes", "with_late_classes"]


# What a comparison says of an exemplar that is far away: that it lost. A unit that counts
# wins also counts those over the late exemplars; its threshold rises by as many.
WON = {"relu": 0.0, "logistic": 1.0, "tanh": 1.0, "step": 1.0}


class _Units(NamedTuple):
    """Units of a layer that were there before: where they were, and where they are."""

    old: Ints
    new: Ints


def lacks_classes(start: Start, codes: Ints) -> bool:
    """Say whether weights were calculated without exemplars of some classes of rows."""
    origin = start.origin
    return origin is not None and not np.isin(codes, origin.exemplars.codes).all()


def with_late_classes(
    start: Start,
    X: Array,
    codes: Ints,
    weights: Floats,
    n_classes: int,
    form: Form,
    method: str,
    budget: Budget,
    rng: np.random.RandomState,
) -> Start:
    """Add exemplars, comparisons and outputs of the classes that have no exemplar yet.

    Each gets as many exemplars as the mean over all classes, known or not. The rows may
    be of the late classes alone: the exemplars of the others stand in for those.

    Parameters
    ----------
    start : Start
        The present network; the same is returned if its weights were not calculated or
        no row is of a late class.
    X : array or SciPy CSR of shape (n, d)
    codes : int array of shape (n,)
    weights : array of shape (n,)
        All positive.
    n_classes : int
    form : Form
    method : str
        How exemplars are selected.
    budget : Budget
        Memory that the larger network may take.
    rng : numpy.random.RandomState

    Returns
    -------
    Start
        Its exemplars are the earlier ones and then the new ones.
    """
    if start.origin is None or not lacks_classes(start, codes):
        return start
    present, metric, table = start.origin[:3]
    rows = distinct_rows(X, codes, weights)
    added = _select(present, rows, metric, n_classes, method, rng)
    points = np.concatenate([present.points, added.points])
    grown = Exemplars(points, np.concatenate([present.codes, added.codes]), None)
    scores = metric(points)
    pairs = _grown_pairs(table, scores, grown, form)
    counts = np.bincount(grown.codes, minlength=n_classes)
    shape = replace(form, pairs=pairs.shape[1])
    check_memory(Architecture(shape, X.shape[1], tuple(counts.tolist())), X.dtype, budget)
    rows = _with_exemplars(rows, present)
    X = rows.X
    votes = grown.targets(n_classes)
    calculated = calculated_network(
        X, rows, scores, votes, pairs, form, rng, start.scaling
    )
    units = _units_kept(start.origin, calculated, pairs, n_classes)
    if form.has_fitted_output:
        # Fitted to the units that there will be, those that are kept among them.
        hidden = _keep(start.network, calculated, units).layers[:-1]
        output = fitted_output(hidden, X, rows, n_classes, form, rng)
        calculated = Network((*calculated.layers[:-1], output))
        calculated = _unread(calculated, np.unique(present.codes))
    else:
        calculated = _in_scale(start.network, calculated, *units[-2:])
    network = _keep(start.network, calculated, units)
    origin = start.origin._replace(exemplars=grown, pairs=pairs)
    return Start(network, len(points), origin, start.scaling)


def _grown_pairs(
    table: Ints, scores: tuple[Floats, Floats], exemplars: Exemplars, form: Form
) -> Ints:
    """Let all keep their pairs, and get as many again of the late exemplars, or all.

    If there were fewer exemplars than pairs, there are as many more.
    """
    points, codes = exemplars.points, exemplars.codes
    by_class = form.readout == "exemplars"
    if isinstance(form.pairs, str):
        return select_pairs(scores, points, codes, form.pairs, by_class=by_class)
    (n, m), n_late = table.shape, len(codes) - len(table)
    m_late = min(n_late, max(m, form.pairs - m))
    if m + m_late >= len(codes) - 1:
        return all_pairs(len(codes))
    distances = points[:n] @ scores[0][n:].T + scores[1][n:]
    late = n + np.argsort(distances, axis=1, kind="stable")[:, :m_late]
    chosen = select_pairs(scores, points, codes, m + m_late, by_class=by_class)
    return np.concatenate([np.concatenate([table, np.sort(late)], axis=1), chosen[n:]])


def _select(
    present: Exemplars,
    rows: DistinctRows,
    metric: Metric,
    n_classes: int,
    method: str,
    rng: np.random.RandomState,
) -> Exemplars:
    rows = rows.take(~np.isin(rows.codes, present.codes))
    available = np.bincount(rows.codes, minlength=n_classes)
    counts = np.minimum(available, max(1, len(present.codes) // n_classes))
    return select_exemplars(method, rows, metric, counts, rng)


def _with_exemplars(rows: DistinctRows, exemplars: Exemplars) -> DistinctRows:
    """Put exemplars before the rows, each of the mean weight of a row."""
    n, X = len(exemplars.codes), rows.X
    points = exemplars.points.astype(X.dtype)
    X = sp.vstack([points, X], format="csr") if sp.issparse(X) else np.vstack([points, X])
    sample_weight = rows.sample_weight
    return DistinctRows(
        X,
        np.concatenate([np.arange(n), rows.index + n]),
        np.concatenate([exemplars.codes, rows.codes]),
        np.concatenate([np.full(n, sample_weight.mean()), sample_weight]),
    )


def _in_scale(
    present: Network, calculated: Network, inputs: _Units, outputs: _Units
) -> Network:
    """Scale the calculated output as the present one is scaled, by least squares.

    Votes for all classes have to count alike.
    """
    old, new = present.layers[-1].dense(), calculated.layers[-1].dense()
    ours = old.weights[np.ix_(inputs.old, outputs.old)]
    theirs = new.weights[np.ix_(inputs.new, outputs.new)]
    product = float(np.sum(ours * theirs))
    scale = product / float(np.sum(theirs**2)) if product > 0 else 1.0
    scaled = replace(new, weights=scale * new.weights, bias=scale * new.bias)
    return Network((*calculated.layers[:-1], scaled))


def _unread(network: Network, classes: Ints) -> Network:
    """Let no output of some classes read the last hidden layer.

    Outputs that were fitted to late units and the others together say nothing where the
    others keep their weights.
    """
    output = network.layers[-1].dense()
    weights = output.weights.copy()
    weights[:, classes] = 0.0
    return Network((*network.layers[:-1], replace(output, weights=weights)))


def _pairs_in_both(before: Ints, after: Ints) -> _Units:
    """Comparisons (i, j) that two tables of pairs both have."""
    (i, j), (i_after, j_after) = (
        PairIncidence(before).indices,
        PairIncidence(after).indices,
    )
    n = len(after)
    _, old, new = np.intersect1d(
        i * n + j, i_after * n + j_after, assume_unique=True, return_indices=True
    )
    return _Units(old, new)


def _units_kept(
    present: Origin, calculated: Network, pairs: Ints, n_classes: int
) -> list[_Units]:
    """Of the input and of each layer, the units that no late class is involved in."""
    n, classes = len(present.pairs), np.unique(present.exemplars.codes)
    n_features = present.exemplars.points.shape[1]
    both = _pairs_in_both(present.pairs, pairs)
    spare = np.arange(calculated.layers[0].n_out - pairs.size)
    i, j = PairIncidence(all_pairs(n_classes)).indices
    class_pairs = np.flatnonzero(np.isin(i, classes) & np.isin(j, classes))
    hidden = [
        _Units(
            np.concatenate([both.old, present.pairs.size + spare]),
            np.concatenate([both.new, pairs.size + spare]),
        ),
        _Units(np.arange(n), np.arange(n)),
        _Units(class_pairs, class_pairs),
    ]
    return [
        _Units(np.arange(n_features), np.arange(n_features)),
        *hidden[: len(calculated.layers) - 1],
        _Units(classes, classes),
    ]


def _keep(present: Network, calculated: Network, units: list[_Units]) -> Network:
    """Put the weights of the present network into the calculated, larger one."""
    counts = 1 if len(present.layers) > 2 else None
    layers = [
        _splice(before, after, *units[depth : depth + 2], counts=depth == counts)
        for depth, (before, after) in enumerate(
            zip(present.layers, calculated.layers, strict=True)
        )
    ]
    return Network(tuple(layers)).astype(present.parameters[0].dtype)


def _splice(
    present: Layer, calculated: Layer, inputs: _Units, outputs: _Units, *, counts: bool
) -> Layer:
    """Keep what is between units that were there before."""
    if isinstance(present, TiedComparison) and isinstance(calculated, TiedComparison):
        return _splice_scores(present, calculated, outputs)
    if isinstance(present, Grouped) and isinstance(calculated, Grouped):
        return _splice_groups(present, calculated, inputs)
    before, after = present.dense(), calculated.dense()
    weights, bias = after.weights.copy(), after.bias.copy()
    bias[outputs.new] = before.bias[outputs.old]
    if counts:
        late = np.delete(weights, inputs.new, axis=0)[:, outputs.new]
        bias[outputs.new] -= WON[before.activation] * late.sum(axis=0)
    kept = before.weights[np.ix_(inputs.old, outputs.old)]
    weights[np.ix_(inputs.new, outputs.new)] = kept
    return replace(after, weights=weights, bias=bias)


def _splice_scores(
    present: TiedComparison, calculated: TiedComparison, both: _Units
) -> TiedComparison:
    """Keep the scores that there are, and put the late ones on their scale.

    Their scale and what they have in common are those of the least squares between the
    present scores and the same ones as calculated.
    """
    n, n_grown = len(present.offsets), len(calculated.offsets)
    before = np.vstack([present.weights, present.bias])
    after = np.vstack([calculated.weights, calculated.bias])
    present_mean = before[:, :n].mean(axis=1, keepdims=True)
    mean = after[:, :n].mean(axis=1, keepdims=True)
    deviation = after[:, :n] - mean
    scale = np.sum(deviation * before[:, :n]) / (np.sum(deviation**2) or 1.0)
    after = (scale or 1.0) * (after - mean) + present_mean
    kept = np.concatenate([np.arange(n), np.arange(n_grown, after.shape[1])])
    after[:, kept] = before
    offsets = calculated.offsets.ravel().copy()
    n_kept = len(both.new) - present.pairs.n_random
    offsets[both.new[:n_kept]] = present.offsets.ravel()[both.old[:n_kept]]
    return replace(
        calculated,
        weights=after[:-1],
        bias=after[-1],
        offsets=offsets.reshape(calculated.offsets.shape),
    )


def _splice_groups(present: Grouped, calculated: Grouped, inputs: _Units) -> Grouped:
    """Keep the weights of comparisons that there are, and raise thresholds."""
    n, n_kept = present.n_out, len(inputs.new) - len(present.others)
    both = _Units(inputs.old[:n_kept], inputs.new[:n_kept])
    late = calculated.weights.ravel().copy()
    late[both.new] = 0.0
    weights = late.copy()
    weights[both.new] = present.weights.ravel()[both.old]
    won = late.reshape(calculated.weights.shape)[:n].sum(axis=1)
    others, bias = calculated.others.copy(), calculated.bias.copy()
    others[:, :n] = present.others
    bias[:n] = present.bias - WON[present.activation] * won
    weights = weights.reshape(calculated.weights.shape)
    return replace(calculated, weights=weights, others=others, bias=bias)
