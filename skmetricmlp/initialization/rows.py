"""The rows that everything is calculated from.

They are *distinct* rows with summed weights, in an order that depends on their values
alone. So a row given twice is a row of twice the weight, and the order of the rows does
not matter: both hold to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import gen_batches

__all__ = ["DistinctRows", "distinct_rows"]

Array = Any
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

LEAST_WEIGHT = 1e-30  # nothing beside a weight of one


@dataclass(frozen=True)
class DistinctRows:
    """Rows, or pairs of a row and a class, that occur in the data, each once.

    ``index`` (m,) is where each first occurs; ``targets`` are the class codes (m,), or
    the mean values (m, n_outputs) of the rows that are equal; ``weights`` (m,) are sums,
    relative to the greatest. They are ordered by a hash of the rows, which makes any
    stretch of them a reproducible random sample.
    """

    index: Ints
    targets: Array
    weights: Floats

    @property
    def codes(self) -> Ints:
        """Class codes (m,), which are all the same where there are values."""
        if self.targets.ndim == 1:
            codes: Ints = self.targets
            return codes
        return np.zeros(len(self.index), dtype=np.intp)

    def take(self, where: Any) -> DistinctRows:
        """Take some of them."""
        return DistinctRows(self.index[where], self.targets[where], self.weights[where])


def distinct_rows(X: Array, targets: Array, weights: Floats) -> DistinctRows:
    """Merge equal rows, if of the same class, and order what is left by a hash.

    Equal rows of different values count as their weighted mean: the same to a fit by
    least squares.

    Parameters
    ----------
    X : array or SciPy CSR of shape (n, d)
    targets : array of shape (n,) or (n, n_outputs)
        Class codes or values.
    weights : array of shape (n,)

    Returns
    -------
    DistinctRows
    """
    digests = []
    codes = targets if targets.ndim == 1 else np.zeros(len(targets), dtype=np.intp)
    for rows in gen_batches(X.shape[0], 1024):
        block = X[rows].toarray() if sp.issparse(X) else X[rows]
        # Adding zero turns -0.0 into 0.0: they are equal, so their bytes should be.
        for row, code in zip(block + 0.0, codes[rows], strict=True):
            key = row.tobytes() + int(code).to_bytes(8, "little")
            digests.append(blake2b(key, digest_size=8).digest())
    _, index, group = np.unique(
        np.frombuffer(b"".join(digests), dtype="<u8"),
        return_index=True,
        return_inverse=True,
    )
    weights = _relative(weights.astype(float))
    sums = np.bincount(group, weights)
    if targets.ndim > 1:
        parts = [np.bincount(group, weights * values) / sums for values in targets.T]
        targets = np.stack(parts, axis=1)
        return DistinctRows(index, targets, sums / sums.max())
    return DistinctRows(index, codes[index], sums / sums.max())


def _relative(weights: Floats) -> Floats:
    """Weights on a scale where the greatest is about one, and none vanishes beside it.

    So no sum or product of them overflows, and each row keeps a share above zero, in
    single precision too. A power of two leaves all their digits.
    """
    exponent = int(np.frexp(weights.max())[1])
    return np.maximum(np.ldexp(weights, -exponent), LEAST_WEIGHT)
