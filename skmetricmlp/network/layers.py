"""Layers: an affine map, dense or of a special form, followed by an activation.

A layer has ``n_in`` inputs, ``n_out`` neurons and a tuple of ``parameters``. The tuple
``is_weight`` tells which of them are weights, which the L2 penalty includes, and which
are biases. ``dense`` returns the same function as a dense layer, which has
``n_dense_weights`` parameters.

Arrays of activations have a row per sample. In memory, all activations of one neuron are
adjacent, so comparisons of scores and sums over groups add up long contiguous vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from array_api_compat import array_namespace, device, size

from skmetricmlp._typing import Array
from skmetricmlp.network.activations import ACTIVATIONS
from skmetricmlp.network.incidence import PairIncidence

__all__ = [
    "ClippedInput",
    "Conjunctive",
    "Dense",
    "Grouped",
    "Layer",
    "ScaledInput",
    "TiedComparison",
    "clip_rows",
    "forward",
    "n_conjunctive",
]

Arrays = Sequence[Array]


@dataclass(frozen=True)
class Dense:
    """A layer in which every neuron reads every input: ``a = f(x @ weights + bias)``.

    Parameters
    ----------
    weights : array of shape (n_in, n_out)
    bias : array of shape (n_out,)
    activation : str
        A key of :data:`~skmetricmlp.network.activations.ACTIVATIONS`.
    """

    weights: Array
    bias: Array
    activation: str

    is_weight: ClassVar[tuple[bool, ...]] = (True, False)

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return int(self.bias.shape[0])

    @property
    def parameters(self) -> tuple[Array, ...]:
        """Weights and bias."""
        return self.weights, self.bias

    def with_parameters(self, parameters: Arrays) -> Dense:
        """Return the same layer with other parameters."""
        weights, bias = parameters
        return replace(self, weights=weights, bias=bias)

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, n_out) of ``x`` (n, n_in), dense or SciPy sparse."""
        z = self.weights.T @ x.T
        z += self.bias[:, None]
        return z.T

    def gradient(self, x: Array, delta: Array, a: Array | None = None) -> list[Array]:
        """Gradient of weights and bias from ``delta = dL/dz`` (n, n_out)."""
        del a
        return [x.T @ delta, array_namespace(delta).sum(delta, axis=0)]

    def input_gradient(self, x: Array, delta: Array) -> Array:
        """``dL/dx`` (n, n_in) at ``x`` from ``delta = dL/dz`` (n, n_out)."""
        del x
        if self.n_out == 1:  # faster than a product of matrices
            return (self.weights * delta.T).T
        return (self.weights @ delta.T).T

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters."""
        return int(size(self.weights)) + self.n_out

    def dense(self) -> Dense:
        """Return the layer itself."""
        return self

    def dense_bias(self) -> Array:
        """Bias of :meth:`dense`."""
        return self.bias


@dataclass(frozen=True)
class Conjunctive:
    """A dense layer with the conjunctions of its neurons: both of two are active.

    With ``u = x W + bias``, neuron p < P has the pre-activation ``u_p``. After these P,
    for each shift s from 1 to K, follow P - s conjunctions, ``min(u_p, u_(p + s))``.
    Activations do not decrease, so that the activation of a conjunction is the lower of
    two activations. This is the usual AND of fuzzy logic (L. A. Zadeh, Information and
    Control 8, 1965).

    Parameters
    ----------
    weights : array of shape (n_in, P)
        ``W``.
    bias : array of shape (P,)
    activation : str
    n_shifts : int
        K, less than P.
    """

    weights: Array
    bias: Array
    activation: str
    n_shifts: int = 1

    is_weight: ClassVar[tuple[bool, ...]] = (True, False)

    @property
    def n_plain(self) -> int:
        """Number of neurons that are no conjunction, P."""
        return int(self.bias.shape[0])

    @property
    def n_out(self) -> int:
        """Number of neurons, conjunctions included."""
        return n_conjunctive(self.n_plain, self.n_shifts)

    @property
    def parameters(self) -> tuple[Array, ...]:
        """Weights and bias."""
        return self.weights, self.bias

    def with_parameters(self, parameters: Arrays) -> Conjunctive:
        """Return the same layer with other parameters."""
        weights, bias = parameters
        return replace(self, weights=weights, bias=bias)

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, n_out) of ``x`` (n, n_in), dense or SciPy sparse."""
        u = self.plain(x).T
        xp = array_namespace(u)
        z = xp.empty((self.n_out, u.shape[1]), dtype=u.dtype, device=device(u))
        z[: self.n_plain, :] = u
        for s, start, stop in self._shifts():
            z[start:stop, :] = xp.minimum(u[:-s, :], u[s:, :])
        return z.T

    def plain(self, x: Array) -> Array:
        """``u`` (n, P) of ``x`` (n, n_in), dense or SciPy sparse."""
        u = self.weights.T @ x.T
        u += self.bias[:, None]
        return u.T

    def to_plain(self, u: Array, of_neurons: Array) -> Array:
        """Sum a value (n, n_out) of each neuron over the ``u`` (n, P) that decide it.

        A conjunction is decided by the lower of its two ``u``, and by the first of them
        if they are equal. Of values ``dL/dz`` this makes ``dL/du``.
        """
        xp = array_namespace(u)
        u, values = u.T, of_neurons.T
        sums = xp.asarray(values[: self.n_plain, :], copy=True)
        for s, start, stop in self._shifts():
            block = values[start:stop, :]
            of_first = xp.where(u[:-s, :] <= u[s:, :], block, xp.zeros_like(block))
            sums[:-s, :] += of_first
            sums[s:, :] += block - of_first
        return sums.T

    def gradient(self, x: Array, delta: Array, a: Array | None = None) -> list[Array]:
        """Gradient of weights and bias from ``delta = dL/dz`` (n, n_out).

        The activations ``a`` (n, n_out) save a product: they tell which of two ``u`` is
        lower. Where two are equal and ``u`` is not, the activation has no slope.
        """
        if a is None or not ACTIVATIONS[self.activation].through_value:
            of_plain = self.to_plain(self.plain(x), delta)
        else:
            of_plain = self.to_plain(a[:, : self.n_plain], delta)
        return [x.T @ of_plain, array_namespace(delta).sum(of_plain, axis=0)]

    def input_gradient(self, x: Array, delta: Array) -> Array:
        """``dL/dx`` (n, n_in) at ``x`` from ``delta = dL/dz`` (n, n_out)."""
        return (self.weights @ self.to_plain(self.plain(x), delta).T).T

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters."""
        return int(size(self.weights)) + self.n_plain

    def dense(self) -> Conjunctive:
        """Return the layer itself, whose weights are not shared."""
        return self

    def dense_bias(self) -> Array:
        """Bias of :meth:`dense`."""
        return self.bias

    def _shifts(self) -> Iterator[tuple[int, int, int]]:
        """Yield each shift, and the range of the neurons that belong to it."""
        start = self.n_plain
        for s in range(1, self.n_shifts + 1):
            stop = start + self.n_plain - s
            yield s, start, stop
            start = stop


def n_conjunctive(n_plain: int, n_shifts: int) -> int:
    """Return the number of neurons of a :class:`Conjunctive` layer.

    Examples
    --------
    >>> n_conjunctive(5, 2)
    12
    """
    return n_plain + sum(n_plain - s for s in range(1, n_shifts + 1))


@dataclass(frozen=True)
class TiedComparison:
    """Comparisons of scores: ``z_ij = u_j - u_i + offset_ij`` with ``u = x W + bias``.

    All comparisons share the N scores, so there are N n_in weights instead of N M n_in.
    Neuron ``i M + m`` compares score i with score j of its m-th pair.

    Parameters
    ----------
    weights : array of shape (n_in, N)
        ``W``.
    bias : array of shape (N,)
    offsets : array of shape (N, M)
    pairs : PairIncidence
        With a table of shape (N, M).
    activation : str
    """

    weights: Array
    bias: Array
    offsets: Array
    pairs: PairIncidence
    activation: str

    is_weight: ClassVar[tuple[bool, ...]] = (True, False, False)

    @property
    def n_out(self) -> int:
        """Number of neurons, N M."""
        return self.pairs.n_pairs

    @property
    def parameters(self) -> tuple[Array, ...]:
        """Weights, bias and offsets."""
        return self.weights, self.bias, self.offsets

    def with_parameters(self, parameters: Arrays) -> TiedComparison:
        """Return the same layer with other parameters."""
        weights, bias, offsets = parameters
        return replace(self, weights=weights, bias=bias, offsets=offsets)

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, n_out) of ``x`` (n, n_in), dense or SciPy sparse."""
        scores = self.weights.T @ x.T
        scores += self.bias[:, None]
        z = self.pairs.differences(scores)
        z += self._flat_offsets()[:, None]
        return z.T

    def gradient(self, x: Array, delta: Array, a: Array | None = None) -> list[Array]:
        """Gradient of weights, bias and offsets from ``delta = dL/dz`` (n, n_out)."""
        del a
        xp = array_namespace(delta)
        of_scores = self.pairs.totals(delta.T)
        of_offsets = xp.sum(delta, axis=0)
        return [
            x.T @ of_scores.T,
            xp.sum(of_scores, axis=1),
            xp.reshape(of_offsets, self.pairs.table.shape),
        ]

    def input_gradient(self, x: Array, delta: Array) -> Array:
        """``dL/dx`` (n, n_in) at ``x`` from ``delta = dL/dz`` (n, n_out)."""
        del x
        return (self.weights @ self.pairs.totals(delta.T)).T

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters if each comparison has weights of its own."""
        return (int(self.weights.shape[0]) + 1) * self.n_out

    def dense(self) -> Dense:
        """Give each comparison weights of its own, ``w_j - w_i``."""
        weights = self.pairs.spread(self.weights.T).T
        return Dense(weights, self.dense_bias(), self.activation)

    def dense_bias(self) -> Array:
        """Bias of :meth:`dense`, without its weights."""
        bias = self.pairs.spread(self.bias[:, None])[:, 0]
        bias += self._flat_offsets()
        return bias

    def _flat_offsets(self) -> Array:
        return array_namespace(self.offsets).reshape(self.offsets, (-1,))


@dataclass(frozen=True)
class Grouped:
    """Unit i reads the i-th group of M inputs.

    ``z_i = sum_m weights_im x_(iM+m) + bias_i``

    Parameters
    ----------
    weights : array of shape (N, M)
    bias : array of shape (N,)
    activation : str
    """

    weights: Array
    bias: Array
    activation: str

    is_weight: ClassVar[tuple[bool, ...]] = (True, False)

    @property
    def n_out(self) -> int:
        """Number of units, N."""
        return int(self.bias.shape[0])

    @property
    def parameters(self) -> tuple[Array, ...]:
        """Weights and bias."""
        return self.weights, self.bias

    def with_parameters(self, parameters: Arrays) -> Grouped:
        """Return the same layer with other parameters."""
        weights, bias = parameters
        return replace(self, weights=weights, bias=bias)

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, N) of ``x`` (n, N M)."""
        z = (self.weights[:, None, :] @ self._groups(x))[:, 0, :]
        z += self.bias[:, None]
        return z.T

    def gradient(self, x: Array, delta: Array, a: Array | None = None) -> list[Array]:
        """Gradient of weights and bias from ``delta = dL/dz`` (n, N)."""
        del a
        of_weights = (self._groups(x) @ delta.T[:, :, None])[:, :, 0]
        return [of_weights, array_namespace(delta).sum(delta, axis=0)]

    def input_gradient(self, x: Array, delta: Array) -> Array:
        """``dL/dx`` (n, N M) at ``x`` from ``delta = dL/dz`` (n, N)."""
        del x
        xp = array_namespace(delta)
        of_groups = self.weights[:, :, None] * delta.T[:, None, :]
        return xp.reshape(of_groups, (size(self.weights), delta.shape[0])).T

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters if every unit read every input."""
        return (int(size(self.weights)) + 1) * self.n_out

    def dense(self) -> Dense:
        """Let each unit read all inputs, other groups with a weight of zero."""
        xp, where = array_namespace(self.weights), device(self.weights)
        n, m = self.weights.shape
        weights = xp.zeros((n * m, n), dtype=self.weights.dtype, device=where)
        for i in range(n):
            weights[i * m : (i + 1) * m, i] = self.weights[i, :]
        return Dense(weights, self.bias, self.activation)

    def dense_bias(self) -> Array:
        """Bias of :meth:`dense`, without its weights."""
        return self.bias

    def _groups(self, x: Array) -> Array:
        """Return the inputs (N, M, n) of each unit."""
        shape = (*self.weights.shape, x.shape[0])
        return array_namespace(x).reshape(x.T, shape)


@dataclass(frozen=True)
class ScaledInput:
    """A first layer that reads ``(x - mean) / scale`` instead of ``x``.

    Parameters
    ----------
    layer : Dense, Conjunctive or TiedComparison
        Its parameters apply to the scaled inputs. They are the parameters of this layer.
    mean : array of shape (n_in,)
    scale : array of shape (n_in,)
        Positive.
    """

    layer: Dense | Conjunctive | TiedComparison
    mean: Array
    scale: Array

    @property
    def is_weight(self) -> tuple[bool, ...]:
        """Whether each of the parameters is a weight."""
        return self.layer.is_weight

    @property
    def activation(self) -> str:
        """Activation of the layer."""
        return self.layer.activation

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return self.layer.n_out

    @property
    def parameters(self) -> tuple[Array, ...]:
        """Parameters of the layer."""
        return self.layer.parameters

    def with_parameters(self, parameters: Arrays) -> ScaledInput:
        """Return the same layer with other parameters."""
        return replace(self, layer=self.layer.with_parameters(parameters))

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, n_out) of ``x`` (n, n_in), dense or SciPy sparse."""
        if hasattr(x, "tocsr"):  # less the mean it would be dense
            return self._unscaled().affine(x)
        return self.layer.affine((x - self.mean) / self.scale)

    def gradient(self, x: Array, delta: Array, a: Array | None = None) -> list[Array]:
        """Gradient of the parameters from ``delta = dL/dz`` (n, n_out)."""
        if not hasattr(x, "tocsr"):
            return self.layer.gradient((x - self.mean) / self.scale, delta, a)
        of_weights, of_bias, *others = self._unscaled().gradient(x, delta, a)
        of_weights -= self.mean[:, None] * of_bias
        return [of_weights / self.scale[:, None], of_bias, *others]

    def _unscaled(self) -> Dense | Conjunctive | TiedComparison:
        """Return the layer of the same form that reads the unscaled ``x``."""
        weights, bias, *others = self.layer.parameters
        weights = weights / self.scale[:, None]
        return self.layer.with_parameters([weights, bias - self.mean @ weights, *others])

    def input_gradient(self, x: Array, delta: Array) -> Array:
        """``dL/dx`` (n, n_in) at ``x`` from ``delta = dL/dz`` (n, n_out)."""
        if hasattr(x, "tocsr"):
            return self._unscaled().input_gradient(x, delta)
        scaled = (x - self.mean) / self.scale
        return self.layer.input_gradient(scaled, delta) / self.scale

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters of :meth:`dense`."""
        return self.layer.n_dense_weights

    def dense_bias(self) -> Array:
        """Bias of :meth:`dense`."""
        return self.dense().bias

    def dense(self) -> Dense | Conjunctive:
        """Return the dense layer that reads the unscaled ``x``."""
        return self._unscaled().dense()


@dataclass(frozen=True)
class ClippedInput:
    """A first layer that reads features no lower and no higher than bounds.

    Parameters
    ----------
    layer : Dense, Conjunctive, TiedComparison or ScaledInput
        Its parameters are the parameters of this layer.
    low, high : arrays of shape (n_in,)
    """

    layer: Dense | Conjunctive | TiedComparison | ScaledInput
    low: Array
    high: Array

    @property
    def is_weight(self) -> tuple[bool, ...]:
        """Whether each of the parameters is a weight."""
        return self.layer.is_weight

    @property
    def activation(self) -> str:
        """Activation of the layer."""
        return self.layer.activation

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return self.layer.n_out

    @property
    def parameters(self) -> tuple[Array, ...]:
        """Parameters of the layer."""
        return self.layer.parameters

    def with_parameters(self, parameters: Arrays) -> ClippedInput:
        """Return the same layer with other parameters."""
        return replace(self, layer=self.layer.with_parameters(parameters))

    def clipped(self, x: Array) -> Array:
        """Rows ``x`` (n, n_in) within the bounds."""
        return clip_rows(x, self.low, self.high)

    def affine(self, x: Array) -> Array:
        """Pre-activation ``z`` (n, n_out) of ``x`` (n, n_in), dense or SciPy sparse."""
        return self.layer.affine(self.clipped(x))

    def gradient(self, x: Array, delta: Array, a: Array | None = None) -> list[Array]:
        """Gradient of the parameters from ``delta = dL/dz`` (n, n_out)."""
        return self.layer.gradient(self.clipped(x), delta, a)

    def input_gradient(self, x: Array, delta: Array) -> Array:
        """``dL/dx`` (n, n_in) at ``x`` from ``delta = dL/dz``; zero beyond the bounds."""
        clipped = self.clipped(x)
        is_inside = array_namespace(x).astype(clipped == x, x.dtype)
        return self.layer.input_gradient(clipped, delta) * is_inside

    @property
    def n_dense_weights(self) -> int:
        """Number of parameters of :meth:`dense`."""
        return self.layer.n_dense_weights

    def dense_bias(self) -> Array:
        """Bias of :meth:`dense`."""
        return self.layer.dense_bias()

    def dense(self) -> ClippedInput:
        """Return the layer with a dense one."""
        return replace(self, layer=self.layer.dense())


def clip_rows(x: Array, low: Array, high: Array) -> Array:
    """Return the rows ``x`` (n, n_in) within bounds.

    Sparse rows become dense if zero is beyond the bounds of a feature.
    """
    if not hasattr(x, "tocsr"):
        return array_namespace(x).clip(x, low, high)
    if (low > 0).any() or (high < 0).any():
        return clip_rows(x.toarray(), low, high)
    clipped = x.copy()
    at = clipped.indices
    clipped.data = clipped.data.clip(low[at], high[at])
    return clipped


Layer = Dense | Conjunctive | TiedComparison | Grouped | ScaledInput | ClippedInput


def forward(layer: Layer, x: Array) -> Array:
    """Activation ``a`` (n, n_out) of ``x`` (n, n_in)."""
    return ACTIVATIONS[layer.activation].function(layer.affine(x))
