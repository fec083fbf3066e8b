"""The pairs of scores that are compared: the sparse matrix ``C`` of ``z = C u``."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from array_api_compat import array_namespace, device, is_numpy_array

from skmetricmlp._typing import Array, Ints

__all__ = ["PairIncidence"]


class PairIncidence:
    """The pairs of scores that are compared: each of N scores with M others.

    The matrix C has a row for each pair (i, j), with -1 in column i and 1 in column j.
    NumPy arrays are multiplied by a SciPy matrix; for other arrays, the scores are
    gathered and added up.

    Parameters
    ----------
    table : int array of shape (N, M)
        Row i has the distinct indices j of the scores that score i is compared with. It
        is a NumPy array for scores of any namespace.
    """

    def __init__(self, table: Ints) -> None:
        # Not a dataclass: the table stays on the host when a network moves to a device.
        self.table = table

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
        """``C u``: ``u_j - u_i`` for each pair.

        Parameters
        ----------
        scores : array of shape (N, n)

        Returns
        -------
        array of shape (N M, n)
        """
        if is_numpy_array(scores):
            return self._matrices[0] @ scores
        xp, at = array_namespace(scores), self._indices_beside(scores)
        return xp.take(scores, at.j, axis=0) - xp.take(scores, at.i, axis=0)

    def spread(self, scores: Array) -> Array:
        """Return the same as :meth:`differences`, without extra memory.

        It takes no memory beyond its result, not even for the matrix, and is meant for a
        single product with many columns.
        """
        xp, where = array_namespace(scores), device(scores)
        (n, m), width = self.table.shape, scores.shape[1]
        spread = xp.empty((self.n_pairs, width), dtype=scores.dtype, device=where)
        for i in range(n):
            j = xp.asarray(self.table[i], device=where)
            spread[i * m : (i + 1) * m, :] = xp.take(scores, j, axis=0) - scores[i, :]
        return spread

    def totals(self, v: Array) -> Array:
        """``C^T v``: for each score, the signed sum over the pairs that contain it.

        Parameters
        ----------
        v : array of shape (N M, n)

        Returns
        -------
        array of shape (N, n)
        """
        if is_numpy_array(v):
            return self._matrices[1] @ v
        xp, at = array_namespace(v), self._indices_beside(v)
        n = v.shape[1]
        as_i = xp.sum(xp.reshape(v, (*self.table.shape, n)), axis=1)
        zero = xp.zeros((1, n), dtype=v.dtype, device=device(v))
        padded = xp.concat([v, zero], axis=0)
        sums = [
            xp.sum(xp.reshape(xp.take(padded, index, axis=0), (-1, width, n)), axis=1)
            for width, index in at.buckets
        ]
        as_j = xp.take(xp.concat(sums, axis=0), at.rows, axis=0)
        return as_j - as_i

    @cached_property
    def _matrices(self) -> tuple[sp.csr_array, sp.csr_array]:
        """C and its transpose, both in row-major order."""
        i, j = self.indices
        pair = np.arange(self.n_pairs)
        signs = np.repeat([-1, 1], len(pair))
        rows, columns = np.concatenate([pair, pair]), np.concatenate([i, j])
        # 8-bit integers, which SciPy converts to the precision of the other factor.
        matrix = sp.csr_array(
            (signs.astype(np.int8), (rows, columns)),
            shape=(len(pair), len(self.table)),
        )
        return matrix, matrix.T.tocsr()

    @cached_property
    def _indices(self) -> dict[Any, _Indices]:
        """Copies of the indices by namespace and device, each made once."""
        return {}

    def _indices_beside(self, array: Array) -> _Indices:
        """Return the indices in the namespace and on the device of an array."""
        xp, where = array_namespace(array), device(array)
        if (xp, where) not in self._indices:

            def beside(index: Ints) -> Array:
                return xp.asarray(index, device=where, copy=True)

            i, j = self.indices
            tables, rows = _occurrences(j, len(self.table))
            buckets = [(table.shape[1], beside(table.ravel())) for table in tables]
            self._indices[xp, where] = _Indices(
                beside(i), beside(j), buckets, beside(rows)
            )
        return self._indices[xp, where]

    def __getstate__(self) -> dict[str, Any]:
        return {"table": self.table}


class _Indices(NamedTuple):
    """The pairs ``i`` and ``j``, and the occurrences of each j by :func:`_occurrences`.

    A bucket is the width of a table and its flattened entries.
    """

    i: Array
    j: Array
    buckets: list[tuple[int, Array]]
    rows: Array


def _occurrences(index: Ints, n: int) -> tuple[list[Ints], Ints]:
    """Find the positions at which each number from 0 to n - 1 occurs in ``index``.

    Returns
    -------
    tables : list of int arrays
        The numbers are divided into buckets by the power of two that their count is
        rounded up to, which is the width of the table of a bucket. A table has a row of
        positions for each number, padded with ``len(index)``.
    rows : int array of shape (n,)
        The row of each number in the concatenated tables.
    """
    counts = np.bincount(index, minlength=n)
    widths = 2 ** np.ceil(np.log2(np.maximum(counts, 1))).astype(np.intp)
    order = np.append(np.argsort(index, kind="stable"), len(index))
    starts = np.cumsum(counts) - counts
    tables, numbers = [], []
    for width in np.unique(widths):
        own = np.flatnonzero(widths == width)
        k = np.arange(width)
        at = np.where(k < counts[own, None], starts[own, None] + k, len(index))
        tables.append(order[at])
        numbers.append(own)
    return tables, np.argsort(np.concatenate(numbers))
