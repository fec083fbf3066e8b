"""Assemble the initial network for a function on any domain from basis networks.

The hidden layers of all blocks are placed side by side. Their weights contain the map
from the domain to the reference domain. The output layer is fitted to the training data.

The method of training basis networks on a reference domain, each from the degree below,
and of mapping other domains to it, is by X. Hu, Y. Huang, N. Yi, P. Yin,
arXiv 2510.08780.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import comb
from typing import Any

import numpy as np
from scipy.linalg import svd

from skmetricmlp._typing import Floats
from skmetricmlp.basis.networks import (
    ACTIVATION,
    N_VARIABLES,
    load_blocks,
)
from skmetricmlp.initialization.least_squares import centered, left_out_residuals
from skmetricmlp.network import Dense, Network, forward

__all__ = [
    "basis_network",
    "domain_of",
    "hidden_layer",
    "hidden_width",
    "highest_degree",
    "least_squares_output",
    "middle_and_half",
    "n_polynomials",
    "on_domain",
    "parts",
]


# Relative to the largest squared singular value. With smaller ridges, large weights that
# cancel make the fit more exact, but the first steps of training worse; see
# benchmarks/basis.py.
RIDGES = 10.0 ** np.arange(-10.0, 1.0)
TINY = float(np.finfo(float).eps)


def basis_network(
    X: Floats,
    y: Floats,
    sample_weight: Floats,
    *,
    degree: int,
    domain: Floats,
    n_parts: int = 1,
) -> Network:
    """Assemble the network for a function of few variables, before any training.

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n, n_outputs)
    sample_weight : array of shape (n,)
        All positive.
    degree : int
        Highest degree of the basis networks: up to 5 for two variables, else up to 8.
    domain : array of shape (d, 2)
        Lower and upper end of each variable.
    n_parts : int, default=1
        Each side of the domain is divided into so many parts of equal length. Every
        combination of parts is a domain with basis networks of its own; with three or
        more variables, every part of a single variable is.

    Returns
    -------
    Network
        With one hidden layer and an identity output, in double precision.

    Raises
    ------
    ValueError
        If there are no basis networks of that degree.

    Examples
    --------
    >>> X = np.linspace(0, 3, 50)[:, None]
    >>> net = basis_network(
    ...     X, np.sin(X), np.ones(50), degree=4, domain=np.array([[0.0, 3.0]])
    ... )
    >>> bool(abs(net.forward(X) - np.sin(X)).max() < 1e-3)
    True
    """
    layer = hidden_layer(domain, degree, n_parts)
    hidden = forward(layer, X.astype(np.float64))
    output = Dense(*least_squares_output(hidden, y, sample_weight), "identity")
    return Network((layer, output))


def domain_of(X: Floats) -> Floats:
    """Lowest and highest value (d, 2) of each column."""
    return np.stack([X.min(axis=0), X.max(axis=0)], axis=1).astype(np.float64)


def parts(domain: Floats, n_parts: int) -> list[Floats]:
    """Divide each side of a domain into equal parts, which gives ``n_parts^d`` domains.

    Examples
    --------
    >>> [part.tolist() for part in parts(np.array([[0.0, 4.0]]), 2)]
    [[[0.0, 2.0]], [[2.0, 4.0]]]
    """
    edges = np.linspace(domain[:, 0], domain[:, 1], n_parts + 1, axis=1)
    sides = np.stack([edges[:, :-1], edges[:, 1:]], axis=2)  # (d, n_parts, 2)
    return [np.stack(sides_of_one) for sides_of_one in product(*sides)]


def highest_degree(n_inputs: int) -> int:
    """Return the highest degree of basis networks for a number of variables."""
    return load_blocks(n_inputs if n_inputs in N_VARIABLES else 1).degree


def hidden_width(n_inputs: int, degree: int, n_parts: int = 1) -> int:
    """Return the number of units of :func:`hidden_layer` without making the layer.

    Examples
    --------
    >>> hidden_width(1, 8), hidden_width(2, 5), hidden_width(10, 8)
    (128, 480, 1280)
    """
    has_own = n_inputs in N_VARIABLES
    units = load_blocks(n_inputs if has_own else 1).up_to(degree).bias.size
    copies = n_parts**n_inputs if has_own else n_parts * n_inputs
    return int(units) * copies


def n_polynomials(n_inputs: int, degree: int, n_parts: int = 1) -> int:
    """Return the number of polynomials that the basis networks represent.

    Examples
    --------
    >>> n_polynomials(1, 8), n_polynomials(2, 5), n_polynomials(10, 8)
    (9, 21, 81)
    """
    if n_inputs in N_VARIABLES:
        return comb(n_inputs + degree, degree) * int(n_parts**n_inputs)
    return 1 + n_inputs * n_parts * degree


def hidden_layer(domain: Floats, degree: int, n_parts: int = 1) -> Dense:
    """Place the hidden layers of all blocks side by side, for inputs from a domain.

    There are blocks for functions of one and of two variables. With more variables, each
    variable gets the blocks for one, as for a sum of functions of one variable.

    Parameters
    ----------
    domain : array of shape (d, 2)
        A side of length zero is mapped to zero.
    degree : int
    n_parts : int, default=1

    Returns
    -------
    Dense
        With B u units for each part, in the order of parts and then blocks.
    """
    d = len(domain)
    if d in N_VARIABLES:
        blocks = load_blocks(d).up_to(degree)
        return _side_by_side(
            [
                on_domain(blocks.hidden(), *middle_and_half(p))
                for p in parts(domain, n_parts)
            ]
        )
    alone = [hidden_layer(domain[[j]], degree, n_parts) for j in range(d)]
    own = np.eye(d)[:, :, None]
    return _side_by_side(
        [
            Dense(own[j] * layer.weights, layer.bias, layer.activation)
            for j, layer in enumerate(alone)
        ]
    )


def _side_by_side(layers: Sequence[Dense]) -> Dense:
    weights = np.concatenate([layer.weights for layer in layers], axis=1)
    return Dense(weights, np.concatenate([layer.bias for layer in layers]), ACTIVATION)


def on_domain(layer: Dense, middle: Any, half: Any) -> Dense:
    """Convert a first layer for mapped inputs ``(x - middle) / half`` to one for ``x``.

    Parameters
    ----------
    layer : Dense
    middle, half : arrays of shape (d,)
        The result of :func:`middle_and_half`, in the namespace of the layer.

    Returns
    -------
    Dense
    """
    weights, bias = layer.parameters
    weights = weights / half[:, None]
    return layer.with_parameters((weights, bias - middle @ weights))


def middle_and_half(domain: Floats) -> tuple[Floats, Floats]:
    """Middle and half length (d,) of each side; half of a length of zero is one."""
    low, high = domain.T / 2.0  # their sum and their difference cannot overflow
    half = high - low
    return low + high, np.where(half > 0.0, half, 1.0)


def least_squares_output(
    hidden: Floats, y: Floats, sample_weight: Floats
) -> tuple[Floats, Floats]:
    """Minimize ``sum_x w_x (hidden_x W + b - y_x)^2 + ridge ||W||^2``.

    Each output has the ridge with the smallest weighted leave-one-out error. The solution
    uses the singular values of ``hidden``. The hidden units are strongly correlated, so
    a solution by ``hidden^T hidden`` would lose half of the digits.

    Parameters
    ----------
    hidden : array of shape (n, n_hidden)
        Activations of the hidden layer.
    y : array of shape (n, n_outputs)
    sample_weight : array of shape (n,)
        All positive; their scale has no effect.

    Returns
    -------
    W : array of shape (n_hidden, n_outputs)
    b : array of shape (n_outputs,)
    """
    fit = centered(hidden, y, sample_weight.astype(np.float64))
    A, Y, mean, target_mean, shares = fit
    U, s, Vt = svd(A, full_matrices=False)
    squares = s**2
    ridges = RIDGES[:, None] * max(squares.max(initial=0.0), TINY)
    left_out = left_out_residuals(U, squares / (squares + ridges), U.T @ Y, Y, shares)
    errors = np.array([np.sum(residuals**2, axis=0) for residuals in left_out])
    best = np.argmin(errors, axis=0)  # (n_outputs,)
    W = Vt.T @ ((s / (squares + ridges[best])).T * (U.T @ Y))
    return W, target_mean - mean @ W
