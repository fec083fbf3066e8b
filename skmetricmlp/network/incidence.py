"""Who is compared with whom: the sparse matrix ``C`` of ``z = C u``."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from array_api_compat import array_namespace, device, is_numpy_array

from skmetricmlp._typing import Array, Ints

__all__ = ["PairIncidence"]


class PairIncidence:
    """Pairs of scores to compare: score i with each of its M pairs.

    The matrix C has a row for each pair (i, j), with -1 in column i and 1 in column j,
    and below them a row with a single 1 for each spare score, which stays as it is.
    NumPy's arrays are multiplied by SciPy's matrix, others are gathered and added up.

    Parameters
    ----------
    table : int array of shape (N, M)
        Row i has the pairs of i, each once. NumPy's, whatever is compared.
    n_random : int
        Scores after the first N.
    """

    def __init__(self, table: Ints, n_random: int = 0) -> None:
        # No dataclass: this stays on the host when the arrays of a network are moved.
        self.table = table
        self.n_random = n_random

    @property
    def n_pairs(self) -> int:
        """Number of comparisons, N M."""
        return self.table.size

    @property
    def indices(self) -> tuple[Ints, Ints]:
        """``i`` and ``j`` of each pair, both of shape (N M,)."""
        n, m = self.table.shape
        return np.repeat(np.arange(n), m), self.table.ravel()

    def differences(self, scores: Array) -> Array:
        """``C u``: ``u_j - u_i`` of each pair, and the spare scores below.

        Parameters
        ----------
        scores : array of shape (N + n_random, n)

        Returns
        -------
        array of shape (N M + n_random, n)
        """
        if is_numpy_array(scores):
            return self._matrices[0] @ scores
        xp, at = array_namespace(scores), self._places_beside(scores)
        compared = xp.take(scores, at.j, axis=0) - xp.take(scores, at.i, axis=0)
        return xp.concat([compared, scores[self.table.shape[0] :, :]], axis=0)

    def spread(self, scores: Array) -> Array:
        """Return the same as :meth:`differences`, of many columns once.

        It takes no more memory than what it returns, not even the matrix.
        """
        xp, where = array_namespace(scores), device(scores)
        (n, m), width = self.table.shape, scores.shape[1]
        shape = self.n_pairs + self.n_random, width
        spread = xp.empty(shape, dtype=scores.dtype, device=where)
        for i in range(n):
            j = xp.asarray(self.table[i], device=where)
            spread[i * m : (i + 1) * m, :] = xp.take(scores, j, axis=0) - scores[i, :]
        spread[self.n_pairs :, :] = scores[n:, :]
        return spread

    def totals(self, values: Array) -> Array:
        """``C^T v``: the sum over the pairs of each score, with their signs.

        Parameters
        ----------
        values : array of shape (N M + n_random, n)

        Returns
        -------
        array of shape (N + n_random, n)
        """
        if is_numpy_array(values):
            return self._matrices[1] @ values
        xp, at = array_namespace(values), self._places_beside(values)
        compared, spare = values[: self.n_pairs, :], values[self.n_pairs :, :]
        n = values.shape[1]
        as_i = xp.sum(xp.reshape(compared, (*self.table.shape, n)), axis=1)
        none = xp.zeros((1, n), dtype=values.dtype, device=device(values))
        padded = xp.concat([compared, none], axis=0)
        sums = [
            xp.sum(xp.reshape(xp.take(padded, places, axis=0), (-1, width, n)), axis=1)
            for width, places in at.tables
        ]
        as_j = xp.take(xp.concat(sums, axis=0), at.rows, axis=0)
        return xp.concat([as_j - as_i, spare], axis=0)

    @cached_property
    def _matrices(self) -> tuple[sp.csr_array, sp.csr_array]:
        """C and its transpose, both in row-major order."""
        i, j = self.indices
        pair, spare = np.arange(self.n_pairs), np.arange(self.n_random)
        signs = np.repeat([-1, 1, 1], [len(pair), len(pair), len(spare)])
        rows = np.concatenate([pair, pair, len(pair) + spare])
        columns = np.concatenate([i, j, len(self.table) + spare])
        # Bytes, which SciPy turns into the precision of what they are multiplied with.
        matrix = sp.csr_array(
            (signs.astype(np.int8), (rows, columns)),
            shape=(len(pair) + len(spare), len(self.table) + len(spare)),
        )
        return matrix, matrix.T.tocsr()

    @cached_property
    def _places(self) -> dict[Any, _Places]:
        """By namespace and device: copies are made once."""
        return {}

    def _places_beside(self, array: Array) -> _Places:
        """Places of the pairs, on the device of an array."""
        xp, where = array_namespace(array), device(array)
        if (xp, where) not in self._places:

            def beside(index: Ints) -> Array:
                return xp.asarray(index, device=where, copy=True)

            i, j = self.indices
            tables, rows = _places_of_each(j, len(self.table))
            places = [(table.shape[1], beside(table.ravel())) for table in tables]
            self._places[xp, where] = _Places(beside(i), beside(j), places, beside(rows))
        return self._places[xp, where]

    def __getstate__(self) -> dict[str, Any]:
        return {"table": self.table, "n_random": self.n_random}


class _Places(NamedTuple):
    """The pairs ``i`` and ``j``, and where each j occurs: see :func:`_places_of_each`."""

    i: Array
    j: Array
    tables: list[tuple[int, Array]]
    rows: Array


def _places_of_each(index: Ints, n: int) -> tuple[list[Ints], Ints]:
    """Where each of the numbers from 0 to n - 1 occurs in ``index``.

    Returns
    -------
    tables : list of int arrays
        Each has a row for each number that occurs about as often, up to a factor of two,
        filled up with ``len(index)``.
    rows : int array of shape (n,)
        The row that each number has in all tables together.
    """
    counts = np.bincount(index, minlength=n)
    widths = 2 ** np.ceil(np.log2(np.maximum(counts, 1))).astype(np.intp)
    order = np.append(np.argsort(index, kind="stable"), len(index))
    starts = np.cumsum(counts) - counts
    tables, numbers = [], []
    for width in np.unique(widths):
        own = np.flatnonzero(widths == width)
        k = np.arange(width)
        places = np.where(k < counts[own, None], starts[own, None] + k, len(index))
        tables.append(order[places])
        numbers.append(own)
    return tables, np.argsort(np.concatenate(numbers))
