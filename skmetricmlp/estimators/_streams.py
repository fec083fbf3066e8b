"""Streams with few rows so far.

Exemplars, scales and the output are calculated from the rows of the first call of
``partial_fit``. If these are few, they are kept together with those of the next calls,
and everything is calculated again when there are twice as many. The work is that of a few
calculations from all rows, and the memory that of a few rows per exemplar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
import scipy.sparse as sp

from skmetricmlp._array_api import device_of, to_numpy
from skmetricmlp._data import TrainingData, in_form_of
from skmetricmlp._typing import Array

__all__ = ["EarlyStream"]

# Distinct rows per row that is needed, after which nothing is kept. With 30 exemplars,
# the default, a first call with a hundred rows suffices. More rows help on one of four
# tables (benchmarks/streams.py), and the memory stays below that of the weights.
ROWS_PER_NEEDED = 3
# A stream that repeats its rows stops to be kept after so many times as many rows: memory
# stays bounded, and long training on few rows is not thrown away.
REPEATS = 10
# The network is calculated again when there are so many times as many rows.
GROWTH = 2


@dataclass(frozen=True)
class EarlyStream:
    """The rows of a stream that has had few so far.

    Parameters
    ----------
    data : TrainingData
        All rows so far, on the host, with ``y`` as it was passed.
    keys : frozenset of bytes
        One per distinct row, or pair of a row and a class, that has a weight.
    n_needed : int
        Distinct rows that the initialization needs.
    n_calculated : int
        Distinct rows when the network was calculated.
    rng : numpy.random.RandomState
        As it was before the first call.
    """

    data: TrainingData
    keys: frozenset[bytes]
    n_needed: int
    n_calculated: int
    rng: np.random.RandomState

    @classmethod
    def from_first_rows(
        cls,
        data: TrainingData,
        encoded: TrainingData,
        n_needed: int,
        rng: np.random.RandomState,
    ) -> EarlyStream | None:
        """Return the stream after its first rows, or None if they suffice.

        Parameters
        ----------
        data : TrainingData
            As the user passed it.
        encoded : TrainingData
            The same rows with encoded targets and class weights.
        n_needed : int
        rng : numpy.random.RandomState
        """
        n = data.X.shape[0]
        if n >= REPEATS * ROWS_PER_NEEDED * n_needed:
            return None
        kept = data._replace(X=to_numpy(data.X))
        keys = _keys(kept.X, encoded)
        stream = cls(kept, keys, n_needed, len(keys), rng)
        return None if stream.is_over else stream

    @property
    def lacks_rows(self) -> bool:
        """Whether there are fewer distinct rows than the initialization needs."""
        return len(self.keys) < self.n_needed

    @property
    def is_over(self) -> bool:
        """Whether the stream has had enough rows."""
        most = ROWS_PER_NEEDED * self.n_needed
        return len(self.keys) >= most or len(self.data.y) >= REPEATS * most

    @property
    def has_grown(self) -> bool:
        """Whether there are enough rows more than the network was calculated from."""
        n, before = len(self.keys), self.n_calculated
        most = ROWS_PER_NEEDED * self.n_needed
        return n >= GROWTH * before or before < most <= n

    @property
    def calculated(self) -> EarlyStream:
        """The stream after a calculation from all its rows."""
        return replace(self, n_calculated=len(self.keys))

    def followed_by(
        self, data: TrainingData, encoded: TrainingData, n_needed: int
    ) -> EarlyStream:
        """Return the stream with the rows of one more call."""
        X, kept = to_numpy(data.X), self.data
        if sp.issparse(X) and not sp.issparse(kept.X):  # no more rows become dense
            X = X[: ROWS_PER_NEEDED * n_needed]
        n = X.shape[0]
        following = TrainingData(
            in_form_of(X, kept.X),
            data.y[:n].reshape(n, *kept.y.shape[1:]),
            data.sample_weight[:n],
        )
        keys = self.keys | _keys(following.X, encoded)
        kept = kept.followed_by(following)
        return replace(self, data=kept, keys=keys, n_needed=n_needed)

    def data_beside(self, X: Array) -> TrainingData:
        """Return all rows on the device of ``X``."""
        kept = self.data.X
        moved = kept.tocsr() if sp.issparse(kept) else device_of(X).move(kept)
        return self.data._replace(X=moved)


def _keys(X: Array, encoded: TrainingData) -> frozenset[bytes]:
    """Digests of the rows ``X`` with a weight, and of their classes if they have any.

    ``X`` are the first rows of the encoded ones.
    """
    n = X.shape[0]
    index = np.flatnonzero(encoded.sample_weight[:n] > 0).tolist()
    has_codes = encoded.y.ndim == 1
    codes = encoded.y[:n] if has_codes else np.zeros(n, dtype=int)
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
