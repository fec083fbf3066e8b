"""What training minimizes: a weighted mean loss plus an L2 penalty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import NamedTuple

from array_api_compat import array_namespace, device, is_numpy_array

from skmetricmlp._typing import Array
from skmetricmlp.network import LOSSES, Network
from skmetricmlp.training.blocks import blocks

__all__ = ["Batch", "Objective", "loss_and_score", "output_targets"]


class Batch(NamedTuple):
    """Rows to learn from.

    ``X`` (n, n_features), dense or SciPy sparse; ``targets``, class codes (n,) or values
    (n, n_outputs); ``weights`` (n,), all positive.
    """

    X: Array
    targets: Array
    weights: Array

    def take(self, index: Array) -> Batch:
        """Return the rows at the positions ``index`` (m,)."""
        xp = array_namespace(self.targets)
        X = self.X[index] if hasattr(self.X, "tocsr") else xp.take(self.X, index, axis=0)
        targets = xp.take(self.targets, index, axis=0)
        return Batch(X, targets, xp.take(self.weights, index))

    def spread(self, size: int) -> Batch:
        """Return at most ``size`` rows, evenly spread over all of them."""
        n = int(self.weights.shape[0])
        if n <= size:
            return self
        xp = array_namespace(self.weights)
        index = xp.arange(size, device=device(self.weights), dtype=xp.int64) * n // size
        return self.take(index)

    def blocks(self, size: int) -> Iterator[Batch]:
        """Yield at most ``size`` rows at a time, as views of what is dense."""
        n = self.weights.shape[0]
        if n <= size:
            yield self
            return
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            yield Batch(self.X[rows, :], self.targets[rows, ...], self.weights[rows])


@dataclass(frozen=True)
class Objective:
    """``sum_i w_i loss_i / (n w) + alpha ||W||^2 / (2 n w)``.

    The sum runs over the n rows of one minibatch, and ``W`` are all weights but no bias:
    the objective of :class:`sklearn.neural_network.MLPClassifier`. In training the mean
    weight ``w`` is that of all rows, not of the minibatch: a row of weight two counts
    twice also where all rows of a minibatch weigh the same.

    Parameters
    ----------
    loss : str
        A key of :data:`~skmetricmlp.network.losses.LOSSES`.
    alpha : float
        Strength of the L2 penalty.
    mean_weight : float, optional
        ``w``; by default that of the rows of the batch.
    """

    loss: str
    alpha: float = 0.0
    mean_weight: float | None = None

    def total(self, batch: Batch) -> float:
        """Weight that the objective of a batch is divided by, ``n w``."""
        if self.mean_weight is None:
            return float(array_namespace(batch.weights).sum(batch.weights))
        return self.mean_weight * int(batch.weights.shape[0])

    def value(self, network: Network, batch: Batch) -> float:
        """Objective of a batch."""
        z = network.affine_output(batch.X)
        xp = array_namespace(z)
        losses = LOSSES[self.loss].losses(z, output_targets(batch.targets, z))
        value = xp.sum(losses * batch.weights)
        if self.alpha:
            pairs = zip(network.parameters, network.is_weight, strict=True)
            squares = sum(_squares(W) for W, is_weight in pairs if is_weight)
            value += 0.5 * self.alpha * squares
        return float(value) / self.total(batch)

    def value_and_gradient(
        self, network: Network, batch: Batch
    ) -> tuple[float, list[Array]]:
        """Objective of a batch and its gradient, ordered as ``network.parameters``.

        The arrays of the gradient are new ones, the caller's to write into. Rows are
        taken in blocks of twice :attr:`Network.block_rows`: no temporary holds more than
        2^23 numbers, or the values of two rows.
        """
        # Arrays until the end: each number that is asked of a device waits for it.
        total = self.total(batch)
        # Not smaller: each block costs a pass over the gradient.
        first, *others = batch.blocks(2 * network.block_rows)
        value, gradients = self._sum_and_gradient(network, first, total)
        for block in others:
            summand, following = self._sum_and_gradient(network, block, total)
            value += summand
            for g, h in zip(gradients, following, strict=True):
                _add(g, h)
        if self.alpha:
            decay = self.alpha / total
            arrays = zip(network.parameters, gradients, network.is_weight, strict=True)
            squares = sum(_add_decay(decay, W, g) for W, g, is_w in arrays if is_w)
            value += 0.5 * self.alpha * squares
        return float(value) / total, gradients

    def _sum_and_gradient(
        self, network: Network, batch: Batch, total: float
    ) -> tuple[Array, list[Array]]:
        """Weighted sum of the losses, and the gradient of that over ``total``."""
        xp = array_namespace(batch.weights)
        activations = network.activations(batch.X)
        z = network.layers[-1].affine(activations[-1])
        targets = output_targets(batch.targets, z)
        losses, delta = LOSSES[self.loss].losses_and_delta(z, targets)
        delta *= (batch.weights / total)[:, None]
        gradients = network.backward(activations, delta)
        return xp.sum(losses * batch.weights), gradients


def _squares(W: Array) -> Array:
    xp = array_namespace(W)
    if not is_numpy_array(W):
        flat = xp.reshape(W, (-1,))
        return flat @ flat
    # Row by row: no temporary, and sums short enough for single precision.
    return xp.sum(xp.vecdot(W, W))


def _add_decay(decay: float, W: Array, gradient: Array) -> Array:
    """Add ``decay W`` to the gradient, and return the sum of the squares of ``W``."""
    squares: Array = 0.0
    for w, g in blocks(W, gradient):  # one pass: a block is in the cache for both
        _add(g, decay * w)
        squares += _squares(w)
    return squares


def _add(total: Array, summand: Array) -> None:
    total += summand


def loss_and_score(loss: str, network: Network, batch: Batch) -> tuple[float, float]:
    """Weighted mean loss of a batch, without penalty, and weighted accuracy or R^2.

    The R^2 is the mean over the outputs; of values that are all the same it is 1 where
    they are predicted exactly, else 0. A single row has none.
    """
    z = network.affine_output(batch.X)
    xp = array_namespace(z)
    total = xp.sum(batch.weights)
    targets = output_targets(batch.targets, z)
    mean = xp.sum(LOSSES[loss].losses(z, targets) * batch.weights) / total
    if batch.targets.ndim == 1:
        right = xp.astype(xp.argmax(z, axis=1) == batch.targets, z.dtype)
        return float(mean), float(xp.sum(right * batch.weights) / total)
    if batch.weights.shape[0] < 2:
        return float(mean), nan
    share = batch.weights / total
    residual = share @ (z - targets) ** 2
    variance = share @ (targets - share @ targets) ** 2
    # Rounding may leave values that are all the same some variance.
    constant = xp.max(targets, axis=0) == xp.min(targets, axis=0)
    constant = constant | (variance == 0)
    known = 1 - residual / xp.where(constant, xp.ones_like(variance), variance)
    scores = xp.where(constant, xp.astype(residual == 0, z.dtype), known)
    return float(mean), float(xp.mean(scores))


def output_targets(targets: Array, z: Array) -> Array:
    """Targets (n, n_outputs) of the output ``z``: values, or class codes (n,) one-hot."""
    if targets.ndim > 1:
        return targets
    xp = array_namespace(z)
    classes = xp.arange(z.shape[1], device=device(z), dtype=targets.dtype)
    return xp.astype(targets[:, None] == classes[None, :], z.dtype)
