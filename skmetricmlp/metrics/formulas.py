"""The formulas of the metrics: from exemplars to affine scores.

A distance can be used if it is affine in ``x`` up to a term that all exemplars share,
``D_i(x) = r(x) + a_i . x + b_i``. One neuron can then compare two distances. A metric is
therefore a function from points (N, d) to ``(A, b)``, of shapes (N, d) and (N,), and the
rest of the package does not depend on which metric it is.

Most metrics are Bregman divergences, ``D(x || p) = phi(x) - phi(p) - grad phi(p) . (x -
p)``. Without the shared term ``phi(x)``, they have ``a = -grad phi(p)`` and
``b = grad phi(p) . p - phi(p)`` (A. Banerjee, S. Merugu, I. S. Dhillon, J. Ghosh, Journal
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
    "Formula",
    "Scores",
    "ValueRange",
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
class ValueRange:
    """Range of the values for which a metric is defined.

    Parameters
    ----------
    description : str
        For error messages.
    low, high : float
        Ends of the range.
    is_open : bool
        Whether ``low`` itself is outside the range.
    """

    description: str
    low: float = -np.inf
    high: float = np.inf
    is_open: bool = False

    def outside(self, values: Floats) -> NDArray[np.bool_]:
        """Return which values are outside the range."""
        too_low = values <= self.low if self.is_open else values < self.low
        return too_low | (values > self.high)


@dataclass(frozen=True)
class Formula:
    """A metric: its function, the names of its parameters, and its range of values.

    ``terms`` is for a metric that is a sum over features: its terms of the offsets, of
    shape (n_exemplars, n_features), whose sums are ``b``.
    """

    function: Callable[..., Scores]
    parameters: tuple[str, ...] = ()
    value_range: ValueRange | None = None
    terms: Callable[..., Floats] | None = None


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
    return -2.0 * points, np.sum(_squares(points), axis=1)


def _squares(points: Floats) -> Floats:
    return points * points


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
    return -2.0 * (points / V), np.sum(_scaled_squares(points, V), axis=1)


def _scaled_squares(points: Floats, V: Floats) -> Floats:
    return points * (points / V)


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
    """``||L x - L p||^2``, the squared Euclidean distance after a linear map.

    An offset of the map would cancel, so there is none.

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
    """``||x|| (1 - cos(x, p)) = ||x|| - x . p / ||p||``, the scaled cosine distance.

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
    """Generalized divergence of ``x + s`` from ``p + s``.

    Without the pseudo-count ``s`` it is ``sum_j x_j log(x_j / p_j) - x_j + p_j``. The
    pseudo-count keeps the distance from an exemplar with a zero finite.

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
    terms = _kullback_leibler_terms(points, smoothing)
    return -np.log(points + smoothing), np.sum(terms, axis=1)


def _kullback_leibler_terms(points: Floats, smoothing: float) -> Floats:
    smoothed = points + smoothing
    terms: Floats = smoothed - smoothing * np.log(smoothed)
    return terms


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

    ``x_c`` in [0, 1] is the degree to which cell c is on. ``E_on(c)`` is the squared
    Euclidean distance, in cells, from c to the nearest cell of the exemplar that is on
    (above the threshold), and ``E_off(c)`` to the nearest cell that is off. If there is
    no such cell, it is the squared diagonal of the image, which is farther than any
    cell. This is formula (1) of P. Sh. Geidarov, arXiv 2505.23876, with both of its
    tables of distances.

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
    to_off = _distances_to_off(points, image_shape, threshold)
    return to_on - to_off, to_off.sum(axis=1)


def _distances_to_off(
    points: Floats, image_shape: tuple[int, ...], threshold: float
) -> Floats:
    on = points.reshape(-1, *image_shape) > threshold
    tables = np.stack([_squared_distances(~image) for image in on])
    return tables.reshape(points.shape)


def _squared_distances(targets: NDArray[np.bool_]) -> Floats:
    """Squared distance of each cell to the nearest target."""
    if not targets.any():
        return np.full(targets.shape, float(np.square(targets.shape).sum()))
    squares: Floats = np.square(distance_transform_edt(~targets))
    return squares


NON_NEGATIVE = ValueRange("values >= 0", low=0.0)
POSITIVE = ValueRange("values > 0", low=0.0, is_open=True)
SHARES = ValueRange("values from 0 to 1", low=0.0, high=1.0)

METRICS: Mapping[str, Formula] = {
    "sqeuclidean": Formula(squared_euclidean, terms=_squares),
    "seuclidean": Formula(standardized_euclidean, ("V",), terms=_scaled_squares),
    "mahalanobis": Formula(mahalanobis, ("V", "VI")),
    "cosine": Formula(cosine),
    "kl": Formula(
        kullback_leibler, ("smoothing",), NON_NEGATIVE, _kullback_leibler_terms
    ),
    "itakura_saito": Formula(itakura_saito, (), POSITIVE, np.log),
    "chamfer": Formula(chamfer, ("image_shape", "threshold"), SHARES, _distances_to_off),
}
