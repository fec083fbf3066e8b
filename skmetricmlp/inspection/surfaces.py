"""Functions of two inputs on a grid: how flat they are, and where their optima lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import label, minimum_filter
from sklearn.utils import check_random_state, check_scalar

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
HIDDEN = ("relu", "logistic", "tanh", "step", "identity")
EIGHT_NEIGHBORS = np.ones((3, 3))
EPS = float(np.finfo(float).eps)


class Surface(NamedTuple):
    """``z[i, j]`` at ``(x[i], y[j])``."""

    x: Floats
    y: Floats
    z: Floats


class SurfaceStatistics(NamedTuple):
    """What :func:`surface_statistics` says of a surface."""

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
        From rows (n, 2) to values (n,) or (n, 1): ``predict`` of a fitted regressor, or
        ``forward`` of a :class:`~skmetricmlp.network.Network`.
    bounds : sequence of two pairs, default=((0.0, 1.0), (0.0, 1.0))
        Least and greatest value of each input.
    n_grid : int, default=101
        Points along each input, both ends among them; at least 3.

    Returns
    -------
    Surface
        ``x`` and ``y`` of shape (n_grid,), ``z`` of shape (n_grid, n_grid).

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted, or ``predict`` returns another shape.

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
        msg = f"bounds must be two pairs (least, greatest), got {bounds!r}"
        raise ValueError(msg)
    x, y = (np.linspace(low, high, n_grid) for low, high in limits)
    rows = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    values = np.asarray(predict(rows))
    if values.shape not in {(len(rows),), (len(rows), 1)}:
        msg = (
            f"predict must return a value for each of {len(rows)} rows, got an array of "
            f"shape {values.shape}"
        )
        raise ValueError(msg)
    return Surface(x, y, values.reshape(n_grid, n_grid))


def surface_statistics(z: ArrayLike, *, depth: float = 0.002) -> SurfaceStatistics:
    """Say how flat a surface is, and where its optima lie.

    Parameters
    ----------
    z : array-like of shape (n, m)
        On a grid of equal steps along each input; at least 3 by 3.
    depth : float, default=0.002
        How deep a local minimum, or high a maximum, has to be: a share of the range of
        all values, from 0 up to 1.

    Returns
    -------
    SurfaceStatistics
        ``r2``: coefficient of determination of the plane that fits best by least
        squares; 1 for a constant.
        ``minimum_on_boundary``, ``maximum_on_boundary``: whether a point on the boundary
        of the grid has the least, the greatest value, up to ``depth``. It need not be
        the only one.
        ``n_minima``, ``n_maxima``: local optima inside. A point is a minimum if every way
        from it, by steps to any of eight neighbors, to a lower point or to the boundary
        rises by more than ``depth``. Points of equal value between which none does are
        one minimum: a plateau counts once, or if it reaches the boundary not at all.

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted.

    Notes
    -----
    With ``depth=0`` a grid shows optima that the function does not have: where a narrow
    valley runs between the lines of the grid, the points next to it are now nearer to its
    bottom and now further away.

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
    """Values from 0 to 1; zeros for a constant."""
    array = np.asarray(z, dtype=float)
    if array.ndim != 2 or min(array.shape) < 3:
        msg = f"z must have a shape of at least (3, 3), got {array.shape}"
        raise ValueError(msg)
    if not np.isfinite(array).all():
        msg = "z must be finite, got NaN or infinity"
        raise ValueError(msg)
    span = np.ptp(array)
    if span <= 8 * EPS * np.abs(array).max():  # nothing but rounding
        return np.zeros(array.shape)
    heights: Floats = (array - array.min()) / span
    return heights


def _r2_of_plane(heights: Floats) -> float:
    """Sum of the squared correlations with both inputs, which a grid makes orthogonal."""
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
        # All points of this height in the pool get the same answer.
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
    """Draw a network with the identity as its output activation.

    Parameters
    ----------
    layer_sizes : sequence of int, default=(2, 100, 100, 1)
        Width of the input and of every layer.
    init : str, default="glorot_uniform"
        As in :class:`~skmetricmlp.MetricInitMLPClassifier`: ``"random"``, ``"uniform"``,
        ``"glorot_uniform"``, ``"he_uniform"``, ``"zeros"`` or ``"ones"``.
    activation : {"relu", "logistic", "tanh", "step", "identity"}, default="relu"
        Of the hidden layers.
    draw_biases : bool, default=False
        Draw biases from the distribution of the weights beside them, as
        :class:`~sklearn.neural_network.MLPRegressor` does. If False they are zero, except
        that ``"uniform"`` always draws them and ``"ones"`` sets them to one.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted.

    Notes
    -----
    Without biases a ReLU network is homogeneous, ``f(c x) = c f(x)`` for ``c >= 0``. It
    is linear along every ray from the origin, so that no point but the origin can be a
    strict local optimum, and the least and the greatest value on a square with a corner
    at the origin lie on its boundary, whatever was drawn.

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
        msg = f"layer_sizes must have two or more, got {layer_sizes!r}"
        raise ValueError(msg)
    for i, size in enumerate(sizes):
        check_scalar(size, f"layer_sizes[{i}]", Integral, min_val=1)
    if init not in BASELINES:
        accepted = ", ".join(map(repr, BASELINES))
        msg = f"init must be one of {accepted}, got {init!r}"
        raise ValueError(msg)
    if activation not in HIDDEN:
        accepted = ", ".join(map(repr, HIDDEN))
        msg = f"activation must be one of {accepted}, got {activation!r}"
        raise ValueError(msg)
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
    """Draw networks of two inputs and one output, and describe the surface of each.

    Parameters
    ----------
    layer_sizes, init, activation, draw_biases : various
        As in :func:`random_network`; the sizes begin with 2 and end with 1.
    n_networks : int, default=100
    bounds, n_grid : various
        As in :func:`surface`.
    depth : float, default=0.002
        As in :func:`surface_statistics`.
    random_state : int, RandomState instance or None, default=None
        Draws the seeds.

    Returns
    -------
    pandas.DataFrame
        A row per network: ``seed``, with which :func:`random_network` draws it again,
        and the fields of :class:`SurfaceStatistics`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted.

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
