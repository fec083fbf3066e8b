"""Why a row was predicted as it was: its nearest exemplars, and what they did."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skmetricmlp.initialization import Exemplars
from skmetricmlp.initialization.metrics import Scores
from skmetricmlp.initialization.nearest import SHARE
from skmetricmlp.network import Network, Rivals

__all__ = ["Explained", "comparison_shares", "contributions", "explain_rows", "margins"]

Array = Any
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

BLOCK_ELEMENTS = 2**22


class Explained(NamedTuple):
    """What is explained of each of m rows: the value of one output.

    ``outputs`` (m,) says of which. If ``centred`` it is taken less the mean over all
    outputs: of classes only differences matter.
    """

    outputs: Ints
    centred: bool

    def take(self, rows: Any) -> Explained:
        """Take some of the rows."""
        return Explained(self.outputs[rows], self.centred)

    def of(self, values: Floats) -> Floats:
        """Take it from the values (m, n_outputs) of all outputs."""
        own: Floats = values[np.arange(len(values)), self.outputs]
        return own - values.mean(axis=1) if self.centred else own


def explain_rows(
    X: Array,
    explained: Explained,
    network: Network,
    exemplars: Exemplars,
    scores: Scores,
    rivals: Ints,
    n_nearest: int,
) -> pd.DataFrame:
    """Describe the nearest exemplars of each row.

    Parameters
    ----------
    X : array or SciPy CSR of shape (m, d)
    explained : Explained
        The output of the predicted class, or one of the values.
    network : Network
    exemplars : Exemplars
        What it was calculated from: N points.
    scores : tuple of arrays of shapes (N, d) and (N,)
        ``(A, b)`` of the metric at the exemplars.
    rivals : int array of shape (N, M)
        Whom each is compared with.
    n_nearest : int
        How many exemplars of each row, at most N.

    Returns
    -------
    pandas.DataFrame
        ``m * n_nearest`` rows, by row and by rank, with the columns ``row``, ``rank``,
        ``exemplar``, ``excess``, ``margin``, ``activation`` and ``contribution``.
    """
    A, b = scores
    dtype = network.parameters[0].dtype
    widest = max(layer.n_out for layer in network.layers) * (1 + n_nearest)
    frames = []
    for rows in gen_batches(X.shape[0], max(1, BLOCK_ELEMENTS // widest)):
        block = X[rows].toarray() if sp.issparse(X) else X[rows]
        distances = block.astype(np.float64) @ A.T + b
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :n_nearest]
        values = network.activations(block.astype(dtype))[1:]
        if len(values) == 1:
            activation, contribution = comparison_shares(
                network, values[0], explained.take(rows), rivals
            )
            contribution = _at(contribution, nearest)
        else:
            activation = values[1]
            contribution = contributions(
                network, values[1], explained.take(rows), nearest
            )
        columns = {
            "row": np.arange(rows.start, rows.stop)[:, None],
            "rank": np.arange(1, n_nearest + 1)[None],
            "exemplar": nearest,
            "excess": _at(distances - distances.min(axis=1, keepdims=True), nearest),
            "margin": _at(margins(distances, exemplars.codes), nearest),
            "activation": _at(activation, nearest),
            "contribution": contribution,
        }
        shape = nearest.shape
        frames.append(
            pd.DataFrame(
                {name: np.broadcast_to(c, shape).ravel() for name, c in columns.items()}
            )
        )
    return pd.concat(frames, ignore_index=True)


def _at(values: Floats, index: Ints) -> Floats:
    return np.take_along_axis(values, index, axis=1)


def margins(distances: Floats, codes: Ints) -> Floats:
    """How much nearer each exemplar is than the nearest of another class.

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


def contributions(
    network: Network, values: Floats, explained: Explained, exemplars: Ints
) -> Floats:
    """How much an output owes to single exemplar neurons.

    The output, before its activation, minus what it is when the neuron is silenced, that
    is set to the value that says "not near". With
    three layers these add up: over all N, to the output less that of a silent layer.

    Parameters
    ----------
    network : Network
    values : array of shape (m, N)
        Of the exemplar layer.
    explained : Explained
    exemplars : int array of shape (m, n)
        Which neurons, for each row.

    Returns
    -------
    array of shape (m, n)
    """
    scale, offset = SHARE[network.layers[1].activation]
    m, n = exemplars.shape
    silenced = np.repeat(values[:, None, :], n, axis=1)
    np.put_along_axis(silenced, exemplars[..., None], -offset / scale, axis=2)
    upper = Network(network.layers[2:])
    present = explained.of(upper.affine_output(values))
    repeated = explained.take(np.repeat(np.arange(m), n))
    without = repeated.of(upper.affine_output(silenced.reshape(m * n, -1)))
    difference: Floats = present[:, None] - without.reshape(m, n)
    return difference


def comparison_shares(
    network: Network, values: Floats, explained: Explained, rivals: Ints
) -> tuple[Floats, Floats]:
    """Sum up the comparisons of each exemplar, and what the output owes to it.

    The output, before its activation, adds up what single comparisons (i, j) say.
    Exemplar i is given half of what each comparison that it is part of says, as either of
    the two: its Shapley value where a comparison needs both (L. S. Shapley, 1953). Over
    all N these add up to the output less its bias and what spare units say.

    Parameters
    ----------
    network : Network
        Of two layers.
    values : array of shape (m, N M + n_spare_units)
        Of the first layer.
    explained : Explained
    rivals : int array of shape (N, M)
        The j that each i is compared with.

    Returns
    -------
    sums : array of shape (m, N)
        Of the comparisons (i, j) over j.
    shares : array of shape (m, N)
    """
    table = Rivals(rivals)
    values = values[:, : table.n_pairs]
    weights = network.layers[1].parameters[0][: table.n_pairs]
    if explained.centred:
        weights = weights - weights.mean(axis=1, keepdims=True)
    said = values * weights.T[explained.outputs]
    shape = len(values), *rivals.shape  # of one exemplar there are no comparisons
    as_i = said.reshape(shape).sum(axis=2)
    as_j = table.totals(said.T).T + as_i  # the totals are those as j less those as i
    return values.reshape(shape).sum(axis=2), (as_i + as_j) / 2
