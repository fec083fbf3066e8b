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
from skmetricmlp.initialization import Comparisons
from skmetricmlp.initialization.tournament import TINY, UNIT_INTERVAL_MAP
from skmetricmlp.inspection.names import feature_list
from skmetricmlp.metrics.formulas import Scores
from skmetricmlp.network import ACTIVATIONS, Network

__all__ = [
    "Explained",
    "FeatureTerms",
    "Parts",
    "Terms",
    "at_exemplars",
    "by_feature",
    "comparison_parts",
    "comparison_terms",
    "contributions",
    "exemplar_parts",
    "explain_comparisons",
    "explain_features",
    "explain_rows",
    "feature_importances",
    "feature_terms",
    "margins",
]


# The terms that an output is made of.
EXEMPLAR, OTHER_EXEMPLARS = "exemplar", "other exemplars"
COMPARISON, OTHER_COMPARISONS = "comparison", "other comparisons"
FEATURE, REMAINDER = "feature", "remainder"
INTERACTION, BIAS = "interaction", "bias"


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
    comparisons: Comparisons | None,
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
    comparisons : Comparisons or None
        Of the first layer; None in the source's network.
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
        x, own = block.astype(dtype), explained.take(rows)
        parts = (
            comparison_parts(network, x, own, comparisons, len(b), nearest)
            if comparisons is not None
            else exemplar_parts(network, network.activations(x)[2], own, nearest)
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


class Terms(NamedTuple):
    """The terms of an output that the comparisons make, for m rows.

    Parameters
    ----------
    u : array of shape (m, P)
        Pre-activations of the comparisons.
    of_comparisons : array of shape (m, P)
    bias : array of shape (m,)
        The output of comparisons that are all ties. Added to the terms it is the output.
    """

    u: Floats
    of_comparisons: Floats
    bias: Floats


def comparison_terms(network: Network, x: Floats, explained: Explained) -> Terms:
    """Decompose an output that reads comparisons and their conjunctions.

    A conjunction is as strong as the weaker of its comparisons, which gets its term.

    Parameters
    ----------
    network : Network
        Of two layers, the first of which is conjunctive, with clipped inputs.
    x : array of shape (m, d)
    explained : Explained

    Returns
    -------
    Terms
        In double precision.
    """
    network = network.astype(np.float64)
    clipping: Any = network.layers[0]
    layer, x = clipping.layer, clipping.clipped(x.astype(np.float64))
    weights, bias = network.layers[1].parameters
    if explained.centered:
        weights = weights - weights.mean(axis=1, keepdims=True)
        bias = bias - bias.mean()
    of_units = weights.T[explained.outputs]
    function = ACTIVATIONS[layer.activation].function
    tie = float(function(np.zeros(1))[0])
    u = layer.plain(x)
    changes = of_units * (function(layer.affine(x)) - tie)
    of_ties = tie * of_units.sum(axis=1)
    return Terms(u, layer.to_plain(u, changes), bias[explained.outputs] + of_ties)


def comparison_parts(
    network: Network,
    x: Floats,
    explained: Explained,
    comparisons: Comparisons,
    n_exemplars: int,
    nearest: Ints,
) -> Parts:
    """Divide the terms of the comparisons among the exemplars.

    Each exemplar gets half of the term of each comparison that it is part of, in either
    place. This is its Shapley value where a comparison needs both exemplars (L. S.
    Shapley, 1953). Its activation is the share of its comparisons that it wins.

    Parameters
    ----------
    network : Network
    x : array of shape (m, d)
    explained : Explained
    comparisons : Comparisons
    n_exemplars : int
    nearest : int array of shape (m, n)
        The exemplars to show, for each row.

    Returns
    -------
    Parts
    """
    terms = comparison_terms(network, x, explained)
    as_first, as_second = _memberships(comparisons, n_exemplars)
    shares = 0.5 * (terms.of_comparisons @ (as_first + as_second))
    n_compared = np.maximum((as_first + as_second).sum(axis=0), 1)
    won = (terms.u > 0) @ as_first + (terms.u < 0) @ as_second
    shown = _at(shares, nearest)
    others: dict[str, Floats] = {}
    if nearest.shape[1] < n_exemplars:
        np.put_along_axis(shares, nearest, 0.0, axis=1)
        others[OTHER_EXEMPLARS] = shares.sum(axis=1)
    return Parts(won / n_compared, shown, {**others, BIAS: terms.bias})


def _memberships(comparisons: Comparisons, n_exemplars: int) -> tuple[Any, Any]:
    """Sparse matrices (P, N) with a one for the first and the second exemplar."""
    n = len(comparisons.first)
    ones, rows = np.ones(n), np.arange(n)
    first, second = (
        sp.csr_array((ones, (rows, index)), shape=(n, n_exemplars))
        for index in (comparisons.first, comparisons.second)
    )
    return first, second


def by_feature(columns: Array, groups: Ints) -> Floats:
    """Sum columns (n, n_columns) over the features (n_columns,) they belong to."""
    sums = np.zeros((int(groups.max(initial=-1)) + 1, len(columns)))
    np.add.at(sums, groups, columns.T)
    return sums.T


class FeatureTerms(NamedTuple):
    """The terms of an output that the features make, for m rows.

    Parameters
    ----------
    of_features : array of shape (m, n_features)
    remainder : array of shape (m,)
    bias : array of shape (m,)
    """

    of_features: Floats
    remainder: Floats
    bias: Floats


def feature_terms(
    x: Floats, explained: Explained, network: Network, offsets: Floats, groups: Ints
) -> FeatureTerms:
    """Divide the terms of the comparisons among the features.

    A comparison is a sum over features, ``u = sum_f x_f w_f + o_f + r``, with x within
    the bounds of the network. Its term is divided in the same proportions.

    Parameters
    ----------
    x : array of shape (m, d)
        In double precision.
    explained : Explained
    network : Network
    offsets : array of shape (P, d)
        Of the comparisons as they were calculated.
    groups : int array of shape (d,)
        The feature that each column belongs to.

    Returns
    -------
    FeatureTerms
    """
    layer: Any = network.layers[0]
    weights, bias = (p.astype(np.float64) for p in layer.parameters)
    terms = comparison_terms(network, x, explained)
    slopes = _ratio(terms.of_comparisons, terms.u)
    of_columns = layer.clipped(x) * (slopes @ weights.T) + slopes @ offsets
    remainder = slopes @ (bias - offsets.sum(axis=1))
    return FeatureTerms(by_feature(of_columns, groups), remainder, terms.bias)


def explain_features(
    X: Array,
    explained: Explained,
    network: Network,
    offsets: Floats,
    names: Array,
    groups: Ints,
) -> pd.DataFrame:
    """Describe the terms of the features.

    The remainder is zero before training, and for metrics that are not a sum over
    features where both exemplars are equally far from the origin.

    Parameters
    ----------
    X : array or SciPy CSR of shape (m, d)
    explained : Explained
    network : Network
    offsets : array of shape (P, d)
        Of the comparisons as they were calculated.
    names : array of shape (n_features,)
        Names of the features.
    groups : int array of shape (d,)
        The feature that each column belongs to.

    Returns
    -------
    pandas.DataFrame
        With the columns ``row``, ``term``, ``feature`` and ``contribution``, which adds
        up to the output. After the features come the terms ``"remainder"`` and
        ``"bias"``.
    """
    frames = []
    for rows in row_batches(X.shape[0], 3 * network.layers[0].n_out):
        x = _dense(X[rows])
        terms = feature_terms(x, explained.take(rows), network, offsets, groups)
        m, d = terms.of_features.shape
        frames.append(
            pd.DataFrame(
                {
                    "row": np.repeat(np.arange(m) + rows.start, d + 2),
                    "term": np.tile([*[FEATURE] * d, REMAINDER, BIAS], m),
                    "feature": np.tile(np.array([*names, None, None], dtype=object), m),
                    "contribution": np.column_stack(terms).ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def feature_importances(
    X: Array,
    sample_weight: Floats,
    explained: Explained,
    network: Network,
    offsets: Floats,
    groups: Ints,
) -> Floats:
    """Weighted mean of the absolute term of each feature, as a share of their sum.

    Parameters
    ----------
    X : array or SciPy CSR of shape (m, d)
    sample_weight : array of shape (m,)
    explained : Explained
    network : Network
    offsets : array of shape (P, d)
        Of the comparisons as they were calculated.
    groups : int array of shape (d,)
        The feature that each column belongs to.

    Returns
    -------
    array of shape (n_features,)
        With sum one, or zeros if no feature has a term.
    """
    total = np.zeros(int(groups.max()) + 1)
    for rows in row_batches(X.shape[0], X.shape[1] + 3 * network.layers[0].n_out):
        x = _dense(X[rows])
        terms = feature_terms(x, explained.take(rows), network, offsets, groups)
        total += sample_weight[rows] @ abs(terms.of_features)
    return total / (float(total.sum()) or 1.0)


def _dense(X: Array) -> Floats:
    """Dense rows in double precision."""
    dense: Floats = (X.toarray() if sp.issparse(X) else X).astype(np.float64)
    return dense


def _ratio(terms: Floats, u: Floats) -> Floats:
    """``terms / u``, and zero for a tie, whose term is zero."""
    return np.divide(terms, u, out=np.zeros_like(u), where=u != 0)


def explain_comparisons(
    X: Array,
    explained: Explained,
    network: Network,
    comparisons: Comparisons,
    names: Array,
    n_shown: int,
) -> pd.DataFrame:
    """List the comparisons that contribute most to an output.

    Parameters
    ----------
    X : array or SciPy CSR of shape (m, d)
    explained : Explained
    network : Network
    comparisons : Comparisons
    names : array of shape (d,)
        Names of the features.
    n_shown : int
        Number of comparisons for each row, at most P.

    Returns
    -------
    pandas.DataFrame
        With the columns ``row``, ``term``, ``rank``, ``nearer`` and ``farther``, the two
        exemplars, ``features`` and ``contribution``, which adds up to the output. After
        the comparisons come the terms ``"other comparisons"`` and ``"bias"``.
    """
    layer: Any = network.layers[0]
    frames = []
    for rows in row_batches(X.shape[0], 3 * layer.n_out):
        x = _dense(X[rows])
        terms = comparison_terms(network, x, explained.take(rows))
        of_comparisons = terms.of_comparisons
        order = np.argsort(-np.abs(of_comparisons), axis=1, kind="stable")[:, :n_shown]
        shown = _at(of_comparisons, order)
        others = of_comparisons.sum(axis=1) - shown.sum(axis=1)
        m, n = shown.shape
        first, second = comparisons.first[order], comparisons.second[order]
        is_first = _at(terms.u, order) > 0

        def filled(table: Ints) -> Any:
            padded = np.pad(table.astype(float), ((0, 0), (0, 2)), constant_values=nan)
            return pd.Series(padded.ravel()).astype("Int64")

        features = np.full((m, n + 2), None, dtype=object)
        for at in np.ndindex(order.shape):
            features[at] = feature_list(names, comparisons.features[order[at]])
        columns = [shown, others[:, None], terms.bias[:, None]]
        frames.append(
            pd.DataFrame(
                {
                    "row": np.repeat(np.arange(m) + rows.start, n + 2),
                    "term": np.tile([*[COMPARISON] * n, OTHER_COMPARISONS, BIAS], m),
                    "rank": filled(np.tile(np.arange(1, n + 1), (m, 1))),
                    "nearer": filled(np.where(is_first, first, second)),
                    "farther": filled(np.where(is_first, second, first)),
                    "features": features.ravel(),
                    "contribution": np.concatenate(columns, axis=1).ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
