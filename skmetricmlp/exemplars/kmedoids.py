"""k-medoids: the rows of a class with the least total distance from all others.

Partitioning around medoids (L. Kaufman, P. J. Rousseeuw, *Finding Groups in Data*,
1990): add the best medoid until there are k, then make the best swap of a medoid and
another row until none helps. The gains of all swaps are computed together, as by
E. Schubert, P. J. Rousseeuw, Information Systems 101, 2021 (FastPAM1).
"""

from __future__ import annotations

import numpy as np

from skmetricmlp._typing import Floats, Ints

__all__ = ["partition_around_medoids"]


def partition_around_medoids(distances: Floats, weights: Floats, k: int) -> Ints:
    """Choose k columns with a small ``sum_x w_x min_i D[x, medoid_i]``.

    A term that is added to a whole row of the distances changes nothing.

    Parameters
    ----------
    distances : array of shape (m, m)
        From each row to each candidate.
    weights : array of shape (m,)
    k : int
        At most m.

    Returns
    -------
    medoids : int array of shape (k,)
        Positions of the columns, all different. No swap of one of them lowers the sum.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    >>> distances = np.abs(x[:, None] - x)
    >>> partition_around_medoids(distances, np.ones(6), 2)
    array([1, 4])
    """
    medoids = _build(distances, weights, k)
    # One medoid is the best of all candidates already; m medoids are all of them.
    if 1 < k < len(distances):
        smallest = np.finfo(float).eps * np.abs(weights @ distances).max()
        while True:
            change = _swap_changes(distances, weights, medoids)
            leaving, coming = np.unravel_index(np.argmin(change), change.shape)
            if change[leaving, coming] >= -smallest:
                break
            medoids[leaving] = coming
    return np.sort(medoids)


def _build(distances: Floats, weights: Floats, k: int) -> Ints:
    """Add medoids one by one, each the one that lowers the sum most."""
    medoids = [int(np.argmin(weights @ distances))]
    while len(medoids) < k:
        nearest = distances[:, medoids].min(axis=1, keepdims=True)
        gain = weights @ np.maximum(nearest - distances, 0.0)
        gain[medoids] = -1.0
        medoids.append(int(np.argmax(gain)))
    return np.array(medoids)


def _swap_changes(distances: Floats, weights: Floats, medoids: Ints) -> Floats:
    """Change of the sum (k, m) when medoid i leaves and column j comes.

    A row of another medoid moves to j if that is nearer. A row of medoid i moves to j or
    to its second nearest medoid: the second term corrects what the first says of it.
    """
    to_medoids = distances[:, medoids]
    owner = np.argmin(to_medoids, axis=1)
    first, second = np.partition(to_medoids, 1, axis=1)[:, :2].T[..., None]
    if_other = weights[:, None] * np.minimum(distances - first, 0.0)
    if_own = weights[:, None] * (np.minimum(distances, second) - first)
    is_owner = np.eye(len(medoids))[owner]
    change: Floats = if_other.sum(axis=0) + is_owner.T @ (if_own - if_other)
    change[:, medoids] = np.inf
    return change
