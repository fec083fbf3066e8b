"""What exemplars are chosen from, and what is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skmetricmlp.initialization.metric_fit import Metric
from skmetricmlp.initialization.rows import DistinctRows

__all__ = ["Candidates", "Exemplars"]

Array = Any
Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.intp]

BLOCK_ELEMENTS = 2**22


@dataclass(frozen=True)
class Exemplars:
    """``points`` (N, d) and their class ``codes`` (N,), or ``values`` (N, n_outputs).

    ``index`` (N,) says which rows of the data they are; None where they are none.
    """

    points: Floats
    codes: Ints
    index: Ints | None
    values: Floats | None = None

    def targets(self, n_outputs: int) -> Floats:
        """Return what outputs are to say of each (N, n_outputs): 1 for its class."""
        return np.eye(n_outputs)[self.codes] if self.values is None else self.values


class Candidates(NamedTuple):
    """Rows ``X`` (n, d) that exemplars are chosen from, and what is near to what."""

    X: Array
    rows: DistinctRows
    metric: Metric

    def points(self, index: Ints) -> Floats:
        """Rows of ``X``, dense."""
        block = self.X[index]
        points: Floats = block.toarray() if sp.issparse(block) else block
        return points

    def scores(self, points: Floats, index: Ints) -> Floats:
        """Distances (m, N) of rows of ``X`` from points (N, d), up to a term per row."""
        A, b = self.metric(points)
        blocks = gen_batches(len(index), max(1, BLOCK_ELEMENTS // self.X.shape[1]))
        return np.concatenate([self.X[index[block]] @ A.T + b for block in blocks])
