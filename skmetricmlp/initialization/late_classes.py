"""Classes whose first rows come when the network is there already.

They get what the others got from their first rows: exemplars, the comparisons with all
others, and an output. **What was there stays as it is**: a weight between two units that
have nothing to do with the late classes keeps its value, trained as it may be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skmetricmlp.initialization.exemplars import (
    Candidates,
    Exemplars,
    select_exemplars,
)
from skmetricmlp.initialization.form import Form
from skmetricmlp.initialization.rows import DistinctRows, distinct_rows
from skmetricmlp.initialization.start import Origin, Start, calculated_network
from skmetricmlp.network import Dense, Network

__all__ = ["with_late_classes"]

Array = Any
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

# What a comparison says of an exemplar that is far away: that it lost.
WON = {"relu": 0.0, "logistic": 1.0, "tanh": 1.0, "step": 1.0}


class _Units(NamedTuple):
    """Units of a layer that were there before: where they were, and where they are."""

    old: Ints
    new: Ints


def with_late_classes(
    start: Start,
    X: Array,
    codes: Ints,
    weights: Floats,
    n_classes: int,
    form: Form,
    method: str,
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
    rng : numpy.random.RandomState

    Returns
    -------
    Start
        Its exemplars are the earlier ones and then the new ones.
    """
    if start.origin is None or np.isin(codes, start.origin.exemplars.codes).all():
        return start
    present, metric = start.origin
    rows = distinct_rows(X, codes, weights)
    added = _select(present, Candidates(X, rows, metric), n_classes, method, rng)
    points = np.concatenate([present.points, added.points])
    grown = Exemplars(points, np.concatenate([present.codes, added.codes]), None)
    origin = Origin(grown, metric)
    X, rows = _with_exemplars(X, rows, present)
    calculated = calculated_network(X, rows, origin, n_classes, form, rng)
    units = _units_kept(start.network, present, len(points), n_classes)
    calculated = (
        _in_scale(start.network, calculated, *units[-2:])
        if form.output_init == "votes"
        else _unread(calculated, np.unique(present.codes))
    )
    network = _keep(start.network, calculated, units)
    return Start(network, len(points), origin)


def _select(
    present: Exemplars,
    candidates: Candidates,
    n_classes: int,
    method: str,
    rng: np.random.RandomState,
) -> Exemplars:
    late = ~np.isin(candidates.rows.codes, present.codes)
    candidates = candidates._replace(rows=candidates.rows.take(late))
    available = np.bincount(candidates.rows.codes, minlength=n_classes)
    counts = np.minimum(available, max(1, len(present.codes) // n_classes))
    return select_exemplars(method, candidates, counts, rng)


def _with_exemplars(
    X: Array, rows: DistinctRows, exemplars: Exemplars
) -> tuple[Array, DistinctRows]:
    """Put exemplars before the rows, each of the mean weight of a row."""
    n = len(exemplars.codes)
    points = exemplars.points.astype(X.dtype)
    X = sp.vstack([points, X], format="csr") if sp.issparse(X) else np.vstack([points, X])
    return X, DistinctRows(
        np.concatenate([np.arange(n), rows.index + n]),
        np.concatenate([exemplars.codes, rows.codes]),
        np.concatenate([np.full(n, rows.weights.mean()), rows.weights]),
    )


def _in_scale(
    present: Network, calculated: Network, inputs: _Units, outputs: _Units
) -> Network:
    """Scale the calculated output as the present one is scaled, by least squares.

    Votes for all classes have to count alike.
    """
    old, new = present.layers[-1], calculated.layers[-1]
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
    output = network.layers[-1]
    weights = output.weights.copy()
    weights[:, classes] = 0.0
    return Network((*network.layers[:-1], replace(output, weights=weights)))


def _units_kept(
    network: Network, present: Exemplars, n_exemplars: int, n_classes: int
) -> list[_Units]:
    """Of the input and of each layer, the units that no late class is involved in."""
    n, classes = len(present.codes), np.unique(present.codes)
    n_features, width = network.layers[0].weights.shape
    pairs = _pairs_among(np.arange(n), n_exemplars)
    spare = n_exemplars * (n_exemplars - 1) + np.arange(width - len(pairs))
    class_pairs = _pairs_among(classes, n_classes)
    hidden = [
        _Units(np.arange(width), np.concatenate([pairs, spare])),
        _Units(np.arange(n), np.arange(n)),
        _Units(class_pairs, class_pairs),
    ]
    return [
        _Units(np.arange(n_features), np.arange(n_features)),
        *hidden[: len(network.layers) - 1],
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
    return Network(tuple(layers)).astype(present.layers[0].weights.dtype)


def _splice(
    present: Dense, calculated: Dense, inputs: _Units, outputs: _Units, *, counts: bool
) -> Dense:
    """Keep what is between units that were there before.

    A unit that counts wins also counts those over the late exemplars; its threshold
    rises by as many as it has over exemplars that are far away.
    """
    weights, bias = calculated.weights.copy(), calculated.bias.copy()
    bias[outputs.new] = present.bias[outputs.old]
    if counts:
        late = np.delete(weights, inputs.new, axis=0)[:, outputs.new]
        bias[outputs.new] -= WON[present.activation] * late.sum(axis=0)
    kept = present.weights[np.ix_(inputs.old, outputs.old)]
    weights[np.ix_(inputs.new, outputs.new)] = kept
    return replace(calculated, weights=weights, bias=bias)


def _pairs_among(members: Ints, n: int) -> Ints:
    """Where the ordered pairs of some members are among those of n contestants."""
    table = np.full((n, n), -1)
    table[~np.eye(n, dtype=bool)] = np.arange(n * (n - 1))
    among = table[np.ix_(members, members)]
    kept: Ints = among[among >= 0]
    return kept
