"""k-medoids: the rows of a class with the least total distance from its other rows.

Partitioning around medoids (L. Kaufman, P. J. Rousseeuw, *Finding Groups in Data*,
1990) adds the best medoid until there are k. It then makes the best swap of a medoid and
another row until no swap lowers the total. The gains of all swaps are computed together,
as by E. Schubert, P. J. Rousseeuw, Information Systems 101, 2021 (FastPAM1).
"""

from __future__ import annotations

import numpy as np

from skmetricmlp._typing import Floats, Ints

__all__ = ["partition_around_medoids"]


def partition_around_medoids(distances: Floats, sample_weight: Floats, k: int) -> Ints:
    """Choose k columns with a small ``sum_x w_x min_i D[x, medoid_i]``.

    The result is the same if a constant is added to all distances of a row.

    Parameters
    ----------
    distances : array of shape (m, m)
        From each row to each candidate, which are the same rows.
    sample_weight : array of shape (m,)
    k : int
        At most m.

    Returns
    -------
    medoids : int array of shape (k,)
        Distinct column indices, sorted. No swap of one of them lowers the sum.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    >>> distances = np.abs(x[:, None] - x)
    >>> partition_around_medoids(distances, np.ones(6), 2)
    array([1, 4])
    """
    medoids = _build(distances, sample_weight, k)
    # A single medoid already is the best candidate; m medoids are all candidates.
    if 1 < k < len(distances):
        smallest = np.finfo(float).eps * np.abs(sample_weight @ distances).max()
        while True:
            change = _swap_changes(distances, sample_weight, medoids)
            leaving, coming = np.unravel_index(np.argmin(change), change.shape)
            if change[leaving, coming] >= -smallest:
                break
            medoids[leaving] = coming
    return np.sort(medoids)


def _build(distances: Floats, sample_weight: Floats, k: int) -> Ints:
    """Add medoids one by one; each lowers the sum by as much as possible."""
    medoids = [int(np.argmin(sample_weight @ distances))]
    while len(medoids) < k:
        nearest = distances[:, medoids].min(axis=1, keepdims=True)
        gain = sample_weight @ np.maximum(nearest - distances, 0.0)
        gain[medoids] = -1.0
        medoids.append(int(np.argmax(gain)))
    return np.array(medoids)


def _swap_changes(distances: Floats, sample_weight: Floats, medoids: Ints) -> Floats:
    """Change of the sum (k, m) when medoid i leaves and column j comes.

    A row that belongs to another medoid moves to j if j is nearer. A row that belongs to
    medoid i moves to j or to its second nearest medoid. The first term of the sum treats
    all rows as if they belonged to other medoids; the second term corrects this.
    """
    to_medoids = distances[:, medoids]
    owner = np.argmin(to_medoids, axis=1)
    first, second = np.partition(to_medoids, 1, axis=1)[:, :2].T[..., None]
    if_other = sample_weight[:, None] * np.minimum(distances - first, 0.0)
    if_own = sample_weight[:, None] * (np.minimum(distances, second) - first)
    is_owner = np.eye(len(medoids))[owner]
    change: Floats = if_other.sum(axis=0) + is_owner.T @ (if_own - if_other)
    change[:, medoids] = np.inf
    return change
