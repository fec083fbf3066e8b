"""Why a row was predicted: its nearest exemplars, and the terms of its output."""

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
    """The output that is explained for each of m rows.

    Parameters
    ----------
    outputs : int array of shape (m,)
        Index of the output.
    centered : bool
        Subtract the mean over all outputs, because only differences between classes
        matter.
    """

    outputs: Ints
    centered: bool

    def take(self, rows: Any) -> Explained:
        """Take some of the rows."""
        return Explained(self.outputs[rows], self.centered)

    def select(self, z: Floats) -> Floats:
        """Select the explained output (m,) from all outputs (m, n_outputs)."""
        if self.centered:
            # Outputs that are all equal are then exactly zero.
            z = z - z[:, :1]
            z = z - z.mean(axis=1, keepdims=True)
        own: Floats = z[np.arange(len(z)), self.outputs]
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
        hidden = network.activations(block.astype(dtype))[1:]
        parts = (
            comparison_parts(network, hidden[0], explained.take(rows), pairs, nearest)
            if len(hidden) == 1
            else exemplar_parts(network, hidden[1], explained.take(rows), nearest)
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

    Parameters
    ----------
    activations : array of shape (m, N)
        Higher is nearer.
    shown : array of shape (m, n)
        Contributions of the nearest exemplars.
    others : dict of str to array of shape (m,)
        The other terms of the output, by name.
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
        series = pd.Series(table.ravel())
        return series.astype("Int64") if column.dtype.kind == "i" else series

    contributions = np.column_stack([parts.shown, *parts.others.values()])
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(m), n + n_others),
            "term": np.tile([EXEMPLAR] * n + list(parts.others), m),
            **{name: filled(column) for name, column in columns.items()},
            "contribution": contributions.ravel(),
        }
    )


def at_exemplars(properties: Array, exemplars: pd.Series) -> Any:
    """Look up a property (N,) of exemplars; missing where there is none.

    Integers and booleans become pandas' nullable types.

    Examples
    --------
    >>> at_exemplars(np.array([5, 7]), pd.Series([1, None], dtype="Int64")).tolist()
    [7, <NA>]
    """
    is_nullable = properties.dtype.kind in "biu"
    known = pd.array(properties) if is_nullable else pd.Series(properties).array
    return known.take(exemplars.fillna(-1).to_numpy(np.intp), allow_fill=True)


def _at(table: Floats, index: Ints) -> Floats:
    return np.take_along_axis(table, index, axis=1)


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
    network: Network, hidden: Floats, explained: Explained, nearest: Ints
) -> Parts:
    """Decompose an output that reads an exemplar layer.

    The bias is the output with no active exemplar. The contribution of the other
    exemplars is the difference that all of them make. With three layers these are all
    terms. With four layers classes are compared by their votes, so that the joint effect
    of exemplars differs from the sum of their single ones: the rest is an interaction.

    Parameters
    ----------
    network : Network
        Of three layers or four.
    hidden : array of shape (m, N)
        Activations of the exemplar layer.
    explained : Explained
    nearest : int array of shape (m, n)
        The exemplars to show, for each row.

    Returns
    -------
    Parts
    """
    upper = Network(network.layers[2:]).astype(np.float64)
    silent = np.full(hidden.shape, _silence(network))
    total = explained.select(upper.affine_output(hidden.astype(np.float64)))
    bias = explained.select(upper.affine_output(silent))
    shown = contributions(network, hidden, explained, nearest)
    others: dict[str, Floats] = {}
    if nearest.shape[1] < hidden.shape[1]:
        alone = silent
        np.put_along_axis(alone, nearest, _at(hidden, nearest), axis=1)
        others[OTHER_EXEMPLARS] = total - explained.select(upper.affine_output(alone))
    if len(upper.layers) > 1:
        others[INTERACTION] = total - bias - shown.sum(axis=1) - sum(others.values())
    return Parts(hidden, shown, {**others, BIAS: bias})


def contributions(
    network: Network, hidden: Floats, explained: Explained, exemplars: Ints
) -> Floats:
    """Return the contributions of single exemplars to an output.

    A contribution is the output before its activation, minus the output with the unit
    of the exemplar set to its inactive value. With three layers those of all N exemplars
    add up to the output less that of an inactive layer.

    Parameters
    ----------
    network : Network
    hidden : array of shape (m, N)
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
    hidden = hidden.astype(np.float64)
    silenced = np.repeat(hidden[:, None, :], n, axis=1)
    np.put_along_axis(silenced, exemplars[..., None], _silence(network), axis=2)
    upper = Network(network.layers[2:]).astype(np.float64)
    present = explained.select(upper.affine_output(hidden))
    repeated = explained.take(np.repeat(np.arange(m), n))
    without = repeated.select(upper.affine_output(silenced.reshape(m * n, -1)))
    difference: Floats = present[:, None] - without.reshape(m, n)
    return difference


def _silence(network: Network) -> float:
    """Value of an inactive unit of the exemplar layer."""
    scale, offset = UNIT_INTERVAL_MAP[network.layers[1].activation]
    return -offset / scale


def comparison_parts(
    network: Network, hidden: Floats, explained: Explained, pairs: Ints, nearest: Ints
) -> Parts:
    """Decompose an output that reads comparisons and random units.

    Parameters
    ----------
    network : Network
        Of two layers.
    hidden : array of shape (m, N M + n_random_units)
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
    terms, bias = _terms(network, hidden, explained)
    compared, random = np.split(terms, [pairs.size], axis=1)
    shares = comparison_shares(compared, pairs)
    shown = _at(shares, nearest)
    others: dict[str, Floats] = {}
    if nearest.shape[1] < shares.shape[1]:
        np.put_along_axis(shares, nearest, 0.0, axis=1)
        others[OTHER_EXEMPLARS] = shares.sum(axis=1)
    if random.shape[1]:
        others[RANDOM_UNITS] = random.sum(axis=1)
    standing = standings(hidden[:, : pairs.size], pairs, network.layers[0].activation)
    return Parts(standing, shown, {**others, BIAS: bias})


def _terms(
    network: Network, hidden: Floats, explained: Explained
) -> tuple[Floats, Floats]:
    """Return the terms of an output: one per unit (m, width), and the bias (m,)."""
    weights, bias = (p.astype(np.float64) for p in network.layers[1].parameters)
    if explained.centered:
        weights = weights - weights.mean(axis=1, keepdims=True)
        bias = bias - bias.mean()
    return hidden * weights.T[explained.outputs], bias[explained.outputs]


def standings(hidden: Floats, pairs: Ints, activation: str) -> Floats:
    """Count the comparisons that each exemplar loses, or add them up with ReLU; negative.

    Higher is nearer with every activation, and none is above zero. Before training and
    with all pairs they are in the order of the distances.

    Parameters
    ----------
    hidden : array of shape (m, N M)
        The comparisons.
    pairs : int array of shape (N, M)
    activation : str

    Returns
    -------
    array of shape (m, N)
    """
    n, m = pairs.shape
    standing: Floats = win_count_layer(n, m, activation).affine(hidden)
    return standing


def comparison_shares(terms: Floats, pairs: Ints) -> Floats:
    """Divide the terms of the comparisons among the exemplars.

    Each exemplar gets half of the term of each comparison (i, j) that it is part of, in
    either place. This is its Shapley value where a comparison needs both exemplars
    (L. S. Shapley, 1953). Those of all N exemplars add up to the output before its
    activation, less its bias and the terms of random units.

    Parameters
    ----------
    terms : array of shape (m, N M)
        The term of each comparison in the output.
    pairs : int array of shape (N, M)
        The exemplars j that each exemplar i is compared with.

    Returns
    -------
    array of shape (m, N)
    """
    # The length is given, because one exemplar has no comparisons.
    as_i = terms.reshape(len(terms), *pairs.shape).sum(axis=2)
    # The totals are the terms as j minus the terms as i.
    as_j = PairIncidence(pairs).totals(terms.T).T + as_i
    shares: Floats = (as_i + as_j) / 2
    return shares
