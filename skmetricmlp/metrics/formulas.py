"""Metrics: exemplars to affine scores.

A distance is usable when it is affine in ``x`` up to a term that all exemplars share,
``D_i(x) = r(x) + a_i . x + b_i``: then comparing two distances takes one neuron. A
metric is therefore a function from points (N, d) to ``(A, b)``, of shapes (N, d) and
(N,), and what follows never asks which metric it was.

Most of them are Bregman divergences, ``D(x || p) = phi(x) - phi(p) - grad phi(p) . (x -
p)``, of which ``a = -grad phi(p)`` and ``b = grad phi(p) . p - phi(p)`` are what is left
without the shared ``phi(x)`` (A. Banerjee, S. Merugu, I. S. Dhillon, J. Ghosh, Journal
of Machine Learning Research 6, 2005).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from skmetricmlp._typing import Floats

__all__ = [
    "METRICS",
    "Domain",
    "Formula",
    "Scores",
    "chamfer",
    "cosine",
    "itakura_saito",
    "kullback_leibler",
    "linear_map",
    "mahalanobis",
    "squared_euclidean",
    "standardized_euclidean",
]

Scores = tuple[Floats, Floats]


@dataclass(frozen=True)
class Domain:
    """Values that a metric is defined for: from ``low`` to ``high``, or above ``low``."""

    words: str
    low: float = -np.inf
    high: float = np.inf
    is_open: bool = False

    def outside(self, values: Floats) -> NDArray[np.bool_]:
        """Say which values are not accepted."""
        too_low = values <= self.low if self.is_open else values < self.low
        return too_low | (values > self.high)


@dataclass(frozen=True)
class Formula:
    """A metric by name: its function, the names of its parameters, and its domain."""

    function: Callable[..., Scores]
    parameters: tuple[str, ...] = ()
    domain: Domain | None = None


def squared_euclidean(points: Floats) -> Scores:
    """``||x - p||^2 = ||x||^2 - 2 p . x + p . p``.

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
    return -2.0 * points, np.sum(points * points, axis=1)


def standardized_euclidean(points: Floats, V: Floats) -> Scores:
    """``sum_j (x_j - p_j)^2 / V_j``, squared as in :func:`squared_euclidean`.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)
    V : array of shape (n_features,)
        Variance of each feature.

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    scaled = points / V
    return -2.0 * scaled, np.sum(points * scaled, axis=1)


def mahalanobis(points: Floats, VI: Floats) -> Scores:
    """``(x - p)^T VI (x - p)``, squared as in :func:`squared_euclidean`.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)
    VI : array of shape (n_features, n_features)
        Inverse of the covariance; symmetric.

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    mapped = points @ VI
    return -2.0 * mapped, np.sum(points * mapped, axis=1)


def linear_map(points: Floats, L: Floats) -> Scores:
    """``||L x - L p||^2``: what a linear map was learned for.

    An offset of the map cancels, so none is taken.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)
    L : array of shape (n_components, n_features)

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    A, b = squared_euclidean(points @ L.T)
    return A @ L, b


def cosine(points: Floats) -> Scores:
    """``||x|| (1 - cos(x, p)) = ||x|| - x . p / ||p||``: scaled cosine distance.

    The factor ``||x||`` is the same for all exemplars. As in scikit-learn, the distance
    from the zero vector is 1.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    return -points / np.where(norms == 0, 1.0, norms), np.zeros(len(points))


def kullback_leibler(points: Floats, smoothing: float) -> Scores:
    """Generalized, ``sum_j x_j log(x_j / p_j) - x_j + p_j``, of ``x + s`` and ``p + s``.

    The pseudo-count ``s`` keeps the distance from an exemplar with a zero finite.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)
        Not negative.
    smoothing : float
        ``s``.

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    smoothed = points + smoothing
    logarithms = np.log(smoothed)
    return -logarithms, np.sum(smoothed - smoothing * logarithms, axis=1)


def itakura_saito(points: Floats) -> Scores:
    """``sum_j x_j / p_j - log(x_j / p_j) - 1``.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)
        Positive.

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    return 1.0 / points, np.sum(np.log(points), axis=1)


def chamfer(points: Floats, image_shape: tuple[int, ...], threshold: float) -> Scores:
    """``sum_c x_c E_on(c) + (1 - x_c) E_off(c)`` over the cells c of an image.

    ``x_c`` in [0, 1] says how much cell c is on. ``E_on(c)`` is the squared Euclidean
    distance, in cells, from c to the nearest cell of the exemplar that is on (above the
    threshold), ``E_off(c)`` to the nearest that is off. Where there is none it is the
    squared diagonal of the image, which is further than any cell. Formula (1) of the
    source of the method, P. Sh. Geidarov, arXiv 2505.23876, with both of its tables.

    Parameters
    ----------
    points : array of shape (n_exemplars, n_features)
    image_shape : tuple of int
        Its product is ``n_features``.
    threshold : float
        Between 0 and 1.

    Returns
    -------
    A, b : arrays of shapes (n_exemplars, n_features) and (n_exemplars,)
    """
    on = points.reshape(-1, *image_shape) > threshold
    to_on = np.stack([_squared_distances(image) for image in on]).reshape(points.shape)
    to_off = np.stack([_squared_distances(~image) for image in on]).reshape(points.shape)
    return to_on - to_off, to_off.sum(axis=1)


def _squared_distances(targets: NDArray[np.bool_]) -> Floats:
    """Squared distance of each cell to the nearest target."""
    if not targets.any():
        return np.full(targets.shape, float(np.square(targets.shape).sum()))
    squares: Floats = np.square(distance_transform_edt(~targets))
    return squares


NON_NEGATIVE = Domain("values >= 0", low=0.0)
POSITIVE = Domain("values > 0", low=0.0, is_open=True)
SHARES = Domain("values from 0 to 1", low=0.0, high=1.0)

METRICS: Mapping[str, Formula] = {
    "sqeuclidean": Formula(squared_euclidean),
    "seuclidean": Formula(standardized_euclidean, ("V",)),
    "mahalanobis": Formula(mahalanobis, ("V", "VI")),
    "cosine": Formula(cosine),
    "kl": Formula(kullback_leibler, ("smoothing",), NON_NEGATIVE),
    "itakura_saito": Formula(itakura_saito, (), POSITIVE),
    "chamfer": Formula(chamfer, ("image_shape", "threshold"), SHARES),
}
