"""Why a row was predicted as it was: its nearest exemplars, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp

from skmetricmlp._data import row_batches
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization.tournament import TINY, UNIT_INTERVAL_MAP, win_count_layer
from skmetricmlp.metrics.formulas import Scores
from skmetricmlp.network import Network, PairIncidence

__all__ = [
    "Explained",
    "Parts",
    "at_exemplars",
    "comparison_parts",
    "comparison_shares",
    "contributions",
    "exemplar_parts",
    "explain_rows",
    "margins",
    "standings",
]


# The terms that an output is made of.
EXEMPLAR, OTHER_EXEMPLARS = "exemplar", "other exemplars"
RANDOM_UNITS, INTERACTION, BIAS = "random units", "interaction", "bias"


class Explained(NamedTuple):
    """What is explained of each of m rows: the value of one output.

    ``outputs`` (m,) says of which. If ``centered`` it is taken less the mean over all
    outputs: of classes only differences matter.
    """

    outputs: Ints
    centered: bool

    def take(self, rows: Any) -> Explained:
        """Take some of the rows."""
        return Explained(self.outputs[rows], self.centered)

    def of(self, values: Floats) -> Floats:
        """Take it from the values (m, n_outputs) of all outputs."""
        if self.centered:
            # Outputs that are all the same then are zero exactly.
            values = values - values[:, :1]
            values = values - values.mean(axis=1, keepdims=True)
        own: Floats = values[np.arange(len(values)), self.outputs]
        return own


def explain_rows(
    X: Array,
    explained: Explained,
    network: Network,
    exemplars: Exemplars,
    scores: Scores,
    pairs: Ints,
    n_nearest: int,
) -> pd.DataFrame:
    """Describe the nearest exemplars of each row, and the other terms of its output.

    Parameters
    ----------
    X : array or SciPy CSR of shape (m, d)
    explained : Explained
        The output of the predicted class, or one of the values.
    network : Network
    exemplars : Exemplars
        The N exemplars of the network.
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of the metric at the exemplars.
    pairs : int array of shape (N, M)
        The exemplars that each is compared with.
    n_nearest : int
        Number of exemplars for each row, at most N.

    Returns
    -------
    pandas.DataFrame
        For each row of X its ``n_nearest`` exemplars, by rank, and then the other terms
        of its output, whose ``rank``, ``exemplar`` and so on are missing. So the column
        ``contribution`` adds up to the output. The columns are ``row``, ``term``,
        ``rank``, ``exemplar``, ``excess``, ``margin``, ``activation`` and
        ``contribution``.
    """
    A, b = scores
    dtype = network.parameters[0].dtype
    widest = max(layer.n_out for layer in network.layers) * (3 + n_nearest)
    frames = []
    for rows in row_batches(X.shape[0], widest):
        block = X[rows].toarray() if sp.issparse(X) else X[rows]
        distances = block.astype(np.float64) @ A.T + b
        away = distances - distances.min(axis=1, keepdims=True)
        nearest = _nearest(away, n_nearest)
        values = network.activations(block.astype(dtype))[1:]
        parts = (
            comparison_parts(network, values[0], explained.take(rows), pairs, nearest)
            if len(values) == 1
            else exemplar_parts(network, values[1], explained.take(rows), nearest)
        )
        columns = {
            "rank": np.broadcast_to(np.arange(1, n_nearest + 1), nearest.shape),
            "exemplar": nearest,
            "excess": _at(away, nearest),
            "margin": _at(margins(distances, exemplars.codes), nearest),
            "activation": _at(parts.activations, nearest),
        }
        frame = _table(columns, parts)
        frames.append(frame.assign(row=frame["row"] + rows.start))
    return pd.concat(frames, ignore_index=True)


def _nearest(away: Floats, n: int) -> Ints:
    """Find the n nearest exemplars of each row.

    Distances that are equal to rounding are a tie, which goes to the lower index, as in
    the comparisons of the network.
    """
    unit = TINY * away.max(axis=1, keepdims=True)
    ties = np.rint(away / np.where(unit > 0, unit, 1.0))
    order: Ints = np.argsort(ties, axis=1, kind="stable")[:, :n]
    return order


@dataclass(frozen=True)
class Parts:
    """Activations of the exemplars for m rows, and the terms of an output.

    ``activations`` (m, N) of all exemplars are the higher the nearer they are. ``shown``
    (m, n) is what the nearest contribute, and ``others``, by name, what else makes up
    the output (m,).
    """

    activations: Floats
    shown: Floats
    others: dict[str, Floats]


def _table(columns: Mapping[str, Array], parts: Parts) -> pd.DataFrame:
    """Make a table of columns (m, n) of exemplars, and of all contributions."""
    m, n = parts.shown.shape
    n_others = len(parts.others)

    def filled(column: Array) -> Any:
        table = np.pad(column.astype(float), ((0, 0), (0, n_others)), constant_values=nan)
        values = pd.Series(table.ravel())
        return values.astype("Int64") if column.dtype.kind == "i" else values

    contributions = np.column_stack([parts.shown, *parts.others.values()])
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(m), n + n_others),
            "term": np.tile([EXEMPLAR] * n + list(parts.others), m),
            **{name: filled(column) for name, column in columns.items()},
            "contribution": contributions.ravel(),
        }
    )


def at_exemplars(values: Array, exemplars: pd.Series) -> Any:
    """Look up a property (N,) of exemplars; missing where there is none.

    Integers and booleans become pandas' nullable types.

    Examples
    --------
    >>> at_exemplars(np.array([5, 7]), pd.Series([1, None], dtype="Int64")).tolist()
    [7, <NA>]
    """
    known = pd.array(values) if values.dtype.kind in "biu" else pd.Series(values).array
    return known.take(exemplars.fillna(-1).to_numpy(np.intp), allow_fill=True)


def _at(values: Floats, index: Ints) -> Floats:
    return np.take_along_axis(values, index, axis=1)


def margins(distances: Floats, codes: Ints) -> Floats:
    """Return how much nearer each exemplar is than the nearest of another class.

    Parameters
    ----------
    distances : array of shape (m, N)
    codes : int array of shape (N,)

    Returns
    -------
    array of shape (m, N)
        Infinite where there is no other class.
    """
    present = np.unique(codes)
    nearest = np.stack([distances[:, codes == c].min(axis=1) for c in present], axis=1)
    others = np.stack(
        [
            np.delete(nearest, k, axis=1).min(axis=1, initial=np.inf)
            for k in range(len(present))
        ],
        axis=1,
    )
    result: Floats = others[:, np.searchsorted(present, codes)] - distances
    return result


def exemplar_parts(
    network: Network, values: Floats, explained: Explained, nearest: Ints
) -> Parts:
    """Decompose an output that reads an exemplar layer.

    The bias is what the output is where no exemplar fires, and the other exemplars
    contribute what it loses without all of them. With three layers that is all. With
    four, classes are compared by their votes, and what several exemplars do together is
    more or less than what each does alone: the rest is an interaction.

    Parameters
    ----------
    network : Network
        Of three layers or four.
    values : array of shape (m, N)
        Activations of the exemplar layer.
    explained : Explained
    nearest : int array of shape (m, n)
        The exemplars to show, for each row.

    Returns
    -------
    Parts
    """
    upper = Network(network.layers[2:]).astype(np.float64)
    silent = np.full(values.shape, _silence(network))
    total = explained.of(upper.affine_output(values.astype(np.float64)))
    bias = explained.of(upper.affine_output(silent))
    shown = contributions(network, values, explained, nearest)
    others: dict[str, Floats] = {}
    if nearest.shape[1] < values.shape[1]:
        alone = silent
        np.put_along_axis(alone, nearest, _at(values, nearest), axis=1)
        others[OTHER_EXEMPLARS] = total - explained.of(upper.affine_output(alone))
    if len(upper.layers) > 1:
        others[INTERACTION] = total - bias - shown.sum(axis=1) - sum(others.values())
    return Parts(values, shown, {**others, BIAS: bias})


def contributions(
    network: Network, values: Floats, explained: Explained, exemplars: Ints
) -> Floats:
    """Return the contributions of single exemplars to an output.

    The output, before its activation, minus what it is when the neuron is silenced, that
    is set to the value that says "not near". With three layers these add up: over all N,
    to the output less that of a silent layer.

    Parameters
    ----------
    network : Network
    values : array of shape (m, N)
        Activations of the exemplar layer.
    explained : Explained
    exemplars : int array of shape (m, n)
        The exemplars, for each row.

    Returns
    -------
    array of shape (m, n)
        In double precision.
    """
    m, n = exemplars.shape
    values = values.astype(np.float64)
    silenced = np.repeat(values[:, None, :], n, axis=1)
    np.put_along_axis(silenced, exemplars[..., None], _silence(network), axis=2)
    upper = Network(network.layers[2:]).astype(np.float64)
    present = explained.of(upper.affine_output(values))
    repeated = explained.take(np.repeat(np.arange(m), n))
    without = repeated.of(upper.affine_output(silenced.reshape(m * n, -1)))
    difference: Floats = present[:, None] - without.reshape(m, n)
    return difference


def _silence(network: Network) -> float:
    """Value of an inactive unit of the exemplar layer."""
    scale, offset = UNIT_INTERVAL_MAP[network.layers[1].activation]
    return -offset / scale


def comparison_parts(
    network: Network, values: Floats, explained: Explained, pairs: Ints, nearest: Ints
) -> Parts:
    """Decompose an output that reads comparisons and random units.

    Parameters
    ----------
    network : Network
        Of two layers.
    values : array of shape (m, N M + n_random_units)
        Activations of the first layer.
    explained : Explained
    pairs : int array of shape (N, M)
        The exemplars j that each exemplar i is compared with.
    nearest : int array of shape (m, n)
        The exemplars to show, for each row.

    Returns
    -------
    Parts
        With the activations of :func:`standings` and the contributions of
        :func:`comparison_shares`.
    """
    said, bias = _said(network, values, explained)
    compared, random = np.split(said, [pairs.size], axis=1)
    shares = comparison_shares(compared, pairs)
    shown = _at(shares, nearest)
    others: dict[str, Floats] = {}
    if nearest.shape[1] < shares.shape[1]:
        np.put_along_axis(shares, nearest, 0.0, axis=1)
        others[OTHER_EXEMPLARS] = shares.sum(axis=1)
    if random.shape[1]:
        others[RANDOM_UNITS] = random.sum(axis=1)
    standing = standings(values[:, : pairs.size], pairs, network.layers[0].activation)
    return Parts(standing, shown, {**others, BIAS: bias})


def _said(
    network: Network, values: Floats, explained: Explained
) -> tuple[Floats, Floats]:
    """Return what each value (m, width) and the bias (m,) add to an output."""
    weights, bias = (p.astype(np.float64) for p in network.layers[1].parameters)
    if explained.centered:
        weights = weights - weights.mean(axis=1, keepdims=True)
        bias = bias - bias.mean()
    return values * weights.T[explained.outputs], bias[explained.outputs]


def standings(values: Floats, pairs: Ints, activation: str) -> Floats:
    """Minus the comparisons that each exemplar loses, or with ReLU minus their sum.

    With every activation higher is nearer, and none is above zero: before training, and
    with all others as pairs, they are in the order of the distances.

    Parameters
    ----------
    values : array of shape (m, N M)
        Of the comparisons.
    pairs : int array of shape (N, M)
    activation : str

    Returns
    -------
    array of shape (m, N)
    """
    n, m = pairs.shape
    standing: Floats = win_count_layer(n, m, activation).affine(values)
    return standing


def comparison_shares(said: Floats, pairs: Ints) -> Floats:
    """Share out what comparisons add to an output among the exemplars.

    The output, before its activation, adds up what single comparisons (i, j) say.
    Exemplar i is given half of what each comparison that it is part of says, as either of
    the two: its Shapley value where a comparison needs both (L. S. Shapley, 1953). Over
    all N these add up to the output less its bias and what random units say.

    Parameters
    ----------
    said : array of shape (m, N M)
        What each comparison adds to the output.
    pairs : int array of shape (N, M)
        The exemplars j that each exemplar i is compared with.

    Returns
    -------
    array of shape (m, N)
    """
    # Of one exemplar there are no comparisons.
    as_i = said.reshape(len(said), *pairs.shape).sum(axis=2)
    # The totals are those as j less those as i.
    as_j = PairIncidence(pairs).totals(said.T).T + as_i
    shares: Floats = (as_i + as_j) / 2
    return shares
