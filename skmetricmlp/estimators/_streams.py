"""Young streams: the rows of a stream that has brought few so far.

Exemplars, scales and the output are calculated from the rows of the first call of
``partial_fit``. If those are few, they are kept, and so are the next ones, and all of it
is calculated anew when there are twice as many. So the work is that of a few calculations
from all rows, and the memory that of a few rows for each exemplar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
import scipy.sparse as sp

from skmetricmlp._array_api import numpy_type, place_of, to_numpy
from skmetricmlp._typing import Array
from skmetricmlp._validation import Rows
from skmetricmlp.training import Batch

__all__ = ["Young"]


# Distinct rows for each that is needed, with which a stream is grown. So 30 exemplars,
# the default, do with a first call of a hundred rows. Of four tables more rows gain on
# digits alone (benchmarks/streams.py), and memory stays below that of the weights.
ROWS_FOR_EACH = 3
# A stream that repeats itself is grown after so many times as many rows: it stays
# bounded, and what is learned of few rows for long is not thrown away.
REPEATS = 10
# Kept rows are calculated from anew when there are so many times as many.
GROWTH = 2


@dataclass(frozen=True)
class Young:
    """What is kept of a young stream.

    Parameters
    ----------
    rows : Rows
        All rows so far, on the host.
    keys : frozenset of bytes
        One for each of the distinct rows, or pairs of a row and a class, that have a
        weight.
    n_needed : int
        Distinct rows that there should be at the least.
    n_calculated : int
        Distinct rows that there were when the network was calculated.
    rng : numpy.random.RandomState
        As it was before the first call.
    """

    rows: Rows
    keys: frozenset[bytes]
    n_needed: int
    n_calculated: int
    rng: np.random.RandomState

    @classmethod
    def of(
        cls, rows: Rows, learned: Batch, n_needed: int, rng: np.random.RandomState
    ) -> Young | None:
        """Return what is kept of the first rows, or None if they are enough.

        Parameters
        ----------
        rows : Rows
            As they were passed.
        learned : Batch
            The same, as they are learned from.
        n_needed : int
        rng : numpy.random.RandomState
        """
        n = rows.X.shape[0]
        if n >= REPEATS * ROWS_FOR_EACH * n_needed:
            return None
        kept = rows._replace(X=to_numpy(rows.X))
        keys = _keys(kept.X, learned)
        young = cls(kept, keys, n_needed, len(keys), rng)
        return None if young.is_over else young

    @property
    def lacks_rows(self) -> bool:
        """Whether there are fewer distinct rows than are needed at the least."""
        return len(self.keys) < self.n_needed

    @property
    def is_over(self) -> bool:
        """Whether the stream is grown now."""
        most = ROWS_FOR_EACH * self.n_needed
        return len(self.keys) >= most or len(self.rows.y) >= REPEATS * most

    @property
    def has_grown(self) -> bool:
        """Whether there are enough rows more than the network was calculated from."""
        n, before = len(self.keys), self.n_calculated
        most = ROWS_FOR_EACH * self.n_needed
        return n >= GROWTH * before or before < most <= n

    @property
    def calculated(self) -> Young:
        """The same after a calculation from all rows."""
        return replace(self, n_calculated=len(self.keys))

    def followed_by(self, rows: Rows, learned: Batch, n_needed: int) -> Young:
        """Keep the rows of a further call too."""
        X, y, weights = self.rows
        room = ROWS_FOR_EACH * n_needed
        following = _as(rows.X, X, room)
        n = following.shape[0]
        keys = self.keys | _keys(following, learned)
        stack = sp.vstack if sp.issparse(X) else np.concatenate
        kept = Rows(
            stack([X, following]),
            np.concatenate([y, rows.y[:n].reshape(n, *y.shape[1:])]),
            np.concatenate([weights, rows.sample_weight[:n].astype(weights.dtype)]),
        )
        return replace(self, rows=kept, keys=keys, n_needed=n_needed)

    def rows_beside(self, X: Array) -> Rows:
        """Return all rows, where ``X`` is."""
        kept = self.rows.X
        if sp.issparse(kept):
            return self.rows._replace(X=kept.tocsr())
        return self.rows._replace(X=place_of(X).move(kept))


def _as(X: Array, kept: Array, room: int) -> Array:
    """Return rows on the host, in the form and precision of the kept ones.

    Of sparse rows that have to be made dense no more than there is ``room`` for.
    """
    X = to_numpy(X)
    if sp.issparse(kept):
        return sp.csr_array(X, dtype=kept.dtype)
    if sp.issparse(X):
        X = X[:room].toarray()
    return np.asarray(X, dtype=numpy_type(kept))


def _keys(X: Array, learned: Batch) -> frozenset[bytes]:
    """Digests of the rows ``X``, the first ones of those that are learned from.

    Of those that have a weight, and with their classes if they have any.
    """
    n = X.shape[0]
    index = np.flatnonzero(learned.weights[:n] > 0).tolist()
    has_codes = learned.targets.ndim == 1
    codes = learned.targets[:n] if has_codes else np.zeros(n, dtype=int)
    codes = codes.astype("<i8")
    if sp.issparse(X):
        X = sp.csr_array(X, copy=True)
        X.sum_duplicates()
        X.eliminate_zeros()
        parts = np.split(X.indices.astype("<i8"), X.indptr[1:-1])
        values = np.split(X.data, X.indptr[1:-1])
        rows = [a.tobytes() + b.tobytes() for a, b in zip(parts, values, strict=True)]
    else:
        # Adding zero turns -0.0 into 0.0: they are equal, so their bytes should be.
        rows = [(row + 0.0).tobytes() for row in X]
    return frozenset(
        blake2b(codes[i].tobytes() + rows[i], digest_size=16).digest() for i in index
    )
