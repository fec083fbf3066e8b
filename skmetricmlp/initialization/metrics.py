"""Metrics: exemplars to affine scores.

A distance is usable when it is affine in ``x`` up to a term that all exemplars share,
``D_i(x) = r(x) + a_i . x + b_i``: then comparing two distances takes one neuron. A
metric is therefore a function from points (N, d) to ``(A, b)``, of shapes (N, d) and
(N,), and what follows never asks which metric it was.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

__all__ = ["squared_euclidean"]

Array = Any


def squared_euclidean(points: Array) -> tuple[Array, Array]:
    """``||x - p_i||^2 = ||x||^2 - 2 p_i . x + p_i . p_i``.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)

    Returns
    -------
    A : array of shape (n_exemplars, n_features)
        ``-2 p_i``.
    b : array of shape (n_exemplars,)
        ``p_i . p_i``.

    Examples
    --------
    >>> import numpy as np
    >>> A, b = squared_euclidean(np.array([[1.0, 2.0]]))
    >>> A, b
    (array([[-2., -4.]]), array([5.]))
    """
    return -2.0 * points, array_namespace(points).sum(points * points, axis=1)
