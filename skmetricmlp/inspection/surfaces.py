"""Functions of two inputs on a grid: their flatness, and the location of optima."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import label, minimum_filter
from sklearn.utils import check_random_state, check_scalar

from skmetricmlp._errors import invalid_parameter
from skmetricmlp._typing import Floats
from skmetricmlp.initialization import BASELINES, dense_layers
from skmetricmlp.network import Network

__all__ = [
    "Surface",
    "SurfaceStatistics",
    "random_network",
    "random_network_statistics",
    "surface",
    "surface_statistics",
]

Bools = NDArray[np.bool_]
Bounds = Sequence[tuple[float, float]]

UNIT_SQUARE = ((0.0, 1.0), (0.0, 1.0))
HIDDEN_ACTIVATIONS = ("relu", "logistic", "tanh", "step", "identity")
EIGHT_NEIGHBORS = np.ones((3, 3))
EPS = float(np.finfo(float).eps)


class Surface(NamedTuple):
    """A function on a grid: ``z[i, j]`` is its value at ``(x[i], y[j])``."""

    x: Floats
    y: Floats
    z: Floats


class SurfaceStatistics(NamedTuple):
    """The results of :func:`surface_statistics`."""

    r2: float
    minimum_on_boundary: bool
    maximum_on_boundary: bool
    n_minima: int
    n_maxima: int


def surface(
    predict: Callable[[Floats], Any], bounds: Bounds = UNIT_SQUARE, n_grid: int = 101
) -> Surface:
    """Evaluate a function of two inputs on a grid.

    Parameters
    ----------
    predict : callable
        Function of inputs of shape (n, 2) that returns an array of shape (n,) or (n, 1),
        such as ``predict`` of a fitted regressor, or ``forward`` of a
        :class:`~skmetricmlp.network.Network`.
    bounds : sequence of two pairs, default=((0.0, 1.0), (0.0, 1.0))
        Smallest and largest value of each input.
    n_grid : int, default=101
        Number of grid points along each input, including both ends; at least 3.

    Returns
    -------
    Surface
        ``x`` and ``y`` of shape (n_grid,), ``z`` of shape (n_grid, n_grid).

    Raises
    ------
    ValueError, TypeError
        If an argument is invalid, or ``predict`` returns an array of another shape.

    Examples
    --------
    >>> surface(lambda X: X[:, 0] + 10 * X[:, 1], n_grid=3).z
    array([[ 0. ,  5. , 10. ],
           [ 0.5,  5.5, 10.5],
           [ 1. ,  6. , 11. ]])
    """
    check_scalar(n_grid, "n_grid", Integral, min_val=3)
    limits = np.asarray(bounds, dtype=float)
    if limits.shape != (2, 2) or not np.all(limits[:, 0] < limits[:, 1]):
        raise invalid_parameter("bounds", bounds, "two pairs (least, greatest)")
    x, y = (np.linspace(low, high, n_grid) for low, high in limits)
    inputs = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    z = np.asarray(predict(inputs))
    if z.shape not in {(len(inputs),), (len(inputs), 1)}:
        msg = (
            f"predict must return a value for each of {len(inputs)} rows, got an array "
            f"of shape {z.shape}"
        )
        raise ValueError(msg)
    return Surface(x, y, z.reshape(n_grid, n_grid))


def surface_statistics(z: ArrayLike, *, depth: float = 0.002) -> SurfaceStatistics:
    """Measure how flat a surface is, and count its optima.

    Parameters
    ----------
    z : array-like of shape (n, m)
        Values on a grid with equal steps along each input; at least 3 by 3.
    depth : float, default=0.002
        Smallest depth of a local minimum, and height of a maximum, as a share of the
        range of z; from 0 to less than 1.

    Returns
    -------
    SurfaceStatistics
        - ``r2``: coefficient of determination of the least-squares plane; 1 for a
          constant.
        - ``minimum_on_boundary``, ``maximum_on_boundary``: whether a point on the
          boundary of the grid has the smallest, or largest, value up to ``depth``. Other
          points may have it too.
        - ``n_minima``, ``n_maxima``: numbers of local optima inside the grid. A point is
          a minimum if each path from it to a lower point or to the boundary rises by
          more than ``depth``. A path has steps to any of the eight neighbors. Points of
          equal value count once if a path between them does not rise by more than
          ``depth``. So a plateau counts once, and one that reaches the boundary does not
          count.

    Raises
    ------
    ValueError, TypeError
        If an argument is invalid.

    Notes
    -----
    With ``depth=0`` a grid has optima that the function does not have. An example is a
    narrow valley between the lines of the grid: the grid points along it have different
    distances from its bottom, and some of them are local minima.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.mgrid[-1:1:21j, -1:1:21j]
    >>> statistics = surface_statistics(np.maximum(x**2 + y**2, 0.1))
    >>> round(statistics.r2, 3), statistics.n_minima, statistics.n_maxima
    (0.0, 1, 0)
    >>> statistics.minimum_on_boundary, statistics.maximum_on_boundary
    (False, True)
    """
    check_scalar(depth, "depth", Real, min_val=0, max_val=1, include_boundaries="left")
    heights = _heights(z)
    edge = np.ones(heights.shape, dtype=bool)
    edge[1:-1, 1:-1] = False
    return SurfaceStatistics(
        r2=_r2_of_plane(heights),
        minimum_on_boundary=bool(heights[edge].min() <= heights.min() + depth),
        maximum_on_boundary=bool(heights[edge].max() >= heights.max() - depth),
        n_minima=_n_interior_minima(heights, edge, depth),
        n_maxima=_n_interior_minima(-heights, edge, depth),
    )


def _heights(z: ArrayLike) -> Floats:
    """Scale z to the range from 0 to 1. A constant becomes zeros."""
    array = np.asarray(z, dtype=float)
    if array.ndim != 2 or min(array.shape) < 3:
        msg = f"z must have a shape of at least (3, 3), got {array.shape}"
        raise ValueError(msg)
    if not np.isfinite(array).all():
        msg = "z must be finite, got NaN or infinity"
        raise ValueError(msg)
    span = np.ptp(array)
    # A smaller range than this is rounding error.
    if span <= 8 * EPS * np.abs(array).max():
        return np.zeros(array.shape)
    heights: Floats = (array - array.min()) / span
    return heights


def _r2_of_plane(heights: Floats) -> float:
    """Return R^2: the sum of the squared correlations with both orthogonal inputs."""
    centered = heights - heights.mean()
    total = np.sum(centered**2)
    if total == 0:
        return 1.0
    explained = 0.0
    for axis, n in enumerate(heights.shape):
        steps = np.linspace(-1, 1, n)
        along = centered.mean(axis=1 - axis)
        explained += (steps @ along) ** 2 / (steps @ steps) * heights.size / n
    return float(explained / total)


def _n_interior_minima(heights: Floats, edge: Bools, depth: float) -> int:
    candidates = (heights == minimum_filter(heights, size=3)) & ~edge
    n_found = 0
    while candidates.any():
        lowest = np.where(candidates, heights, np.inf).argmin()
        height = heights.flat[lowest]
        pools, _ = label(heights <= height + depth, EIGHT_NEIGHBORS)
        pool = pools == pools.flat[lowest]
        n_found += not pool[edge].any() and bool(heights[pool].min() == height)
        # The result is the same for all points of this height in the pool.
        candidates &= ~(pool & (heights == height))
    return n_found


def random_network(
    layer_sizes: Sequence[int] = (2, 100, 100, 1),
    *,
    init: str = "glorot_uniform",
    activation: str = "relu",
    draw_biases: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Network:
    """Draw a network of random weights with a linear output.

    Parameters
    ----------
    layer_sizes : sequence of int, default=(2, 100, 100, 1)
        Number of inputs, and number of units of each layer.
    init : str, default="glorot_uniform"
        As in :class:`~skmetricmlp.MetricInitMLPClassifier`: ``"random"``, ``"uniform"``,
        ``"glorot_uniform"``, ``"he_uniform"``, ``"zeros"`` or ``"ones"``.
    activation : {"relu", "logistic", "tanh", "step", "identity"}, default="relu"
        Activation of the hidden layers.
    draw_biases : bool, default=False
        Whether to draw biases from the distribution of the weights of their layer, as
        :class:`~sklearn.neural_network.MLPRegressor` does. If False, biases are zero,
        except for ``"uniform"``, which always draws them, and ``"ones"``, which sets them
        to one.
    random_state : int, RandomState instance or None, default=None
        Draws the weights and biases.

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        If an argument is invalid.

    Notes
    -----
    A ReLU network without biases is homogeneous: ``f(c x) = c f(x)`` for ``c >= 0``. It
    is linear along each ray from the origin, so that only the origin can be a strict
    local optimum. On a square with a corner at the origin, the smallest and the largest
    value lie on the boundary, for all weights.

    Examples
    --------
    >>> import numpy as np
    >>> network = random_network(random_state=0)
    >>> x = np.array([[0.1, 0.4]])
    >>> bool(np.isclose(network.forward(2 * x), 2 * network.forward(x)).all())
    True
    """
    sizes = list(layer_sizes)
    if len(sizes) < 2:
        raise invalid_parameter("layer_sizes", layer_sizes, "at least two sizes")
    for i, size in enumerate(sizes):
        check_scalar(size, f"layer_sizes[{i}]", Integral, min_val=1)
    if init not in BASELINES:
        names = ", ".join(map(repr, BASELINES))
        raise invalid_parameter("init", init, f"one of {names}")
    if activation not in HIDDEN_ACTIVATIONS:
        names = ", ".join(map(repr, HIDDEN_ACTIVATIONS))
        raise invalid_parameter("activation", activation, f"one of {names}")
    activations = [activation] * (len(sizes) - 2) + ["identity"]
    rng = check_random_state(random_state)
    return Network(tuple(dense_layers(init, sizes, activations, rng, draw_biases)))


def random_network_statistics(
    layer_sizes: Sequence[int] = (2, 100, 100, 1),
    *,
    init: str = "glorot_uniform",
    activation: str = "relu",
    draw_biases: bool = False,
    n_networks: int = 100,
    bounds: Bounds = UNIT_SQUARE,
    n_grid: int = 101,
    depth: float = 0.002,
    random_state: int | np.random.RandomState | None = None,
) -> pd.DataFrame:
    """Draw networks with two inputs and one output, and measure their surfaces.

    Parameters
    ----------
    layer_sizes, init, activation, draw_biases : various
        Parameters of :func:`random_network`. The sizes must begin with 2 and end with 1.
    n_networks : int, default=100
        Number of networks.
    bounds, n_grid : various
        Parameters of :func:`surface`.
    depth : float, default=0.002
        Parameter of :func:`surface_statistics`.
    random_state : int, RandomState instance or None, default=None
        Draws a seed for each network.

    Returns
    -------
    pandas.DataFrame
        One row per network, with the columns ``seed`` and the fields of
        :class:`SurfaceStatistics`. :func:`random_network` with
        ``random_state=seed`` draws the network again.

    Raises
    ------
    ValueError, TypeError
        If an argument is invalid.

    Examples
    --------
    >>> table = random_network_statistics(n_networks=3, n_grid=21, random_state=0)
    >>> bool((table["r2"] > 0.5).all())
    True
    >>> table["n_minima"].to_list()
    [0, 0, 0]
    """
    if len(layer_sizes) < 2 or (layer_sizes[0], layer_sizes[-1]) != (2, 1):
        msg = f"layer_sizes must begin with 2 and end with 1, got {layer_sizes!r}"
        raise ValueError(msg)
    check_scalar(n_networks, "n_networks", Integral, min_val=1)
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n_networks)

    def statistics(seed: int) -> SurfaceStatistics:
        network = random_network(
            layer_sizes,
            init=init,
            activation=activation,
            draw_biases=draw_biases,
            random_state=seed,
        )
        z = surface(network.forward, bounds, n_grid).z
        return surface_statistics(z, depth=depth)

    table = pd.DataFrame([statistics(int(seed)) for seed in seeds])
    table.insert(0, "seed", seeds)
    return table
