"""What training minimizes: a weighted mean loss plus an L2 penalty."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from array_api_compat import array_namespace, device, is_numpy_array

from skmetricmlp._array_api import blocks
from skmetricmlp._data import TrainingData
from skmetricmlp._typing import Array
from skmetricmlp.network import LOSSES, Network

__all__ = ["Objective", "loss_and_score", "output_targets"]


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
    alpha : float, default=0.0
        Strength of the L2 penalty.
    mean_weight : float, optional
        ``w``; by default that of the rows of the batch.
    """

    loss: str
    alpha: float = 0.0
    mean_weight: float | None = None

    def total(self, data: TrainingData) -> float:
        """Weight that the objective of a batch is divided by, ``n w``."""
        if self.mean_weight is None:
            return float(array_namespace(data.sample_weight).sum(data.sample_weight))
        return self.mean_weight * int(data.sample_weight.shape[0])

    def value(self, network: Network, data: TrainingData) -> float:
        """Objective of a batch."""
        z = network.affine_output(data.X)
        xp = array_namespace(z)
        losses = LOSSES[self.loss].losses(z, output_targets(data.y, z))
        value = xp.sum(losses * data.sample_weight)
        if self.alpha:
            pairs = zip(network.parameters, network.is_weight, strict=True)
            squares = sum(_squares(W) for W, is_weight in pairs if is_weight)
            value += 0.5 * self.alpha * squares
        return float(value) / self.total(data)

    def value_and_gradient(
        self, network: Network, data: TrainingData
    ) -> tuple[float, list[Array]]:
        """Objective of a batch and its gradient, ordered as ``network.parameters``.

        The caller may write into the arrays of the gradient. The batch is processed in
        blocks of twice :attr:`Network.block_rows`, which bounds the temporaries. The
        value stays an array until the end, because each number that is read from a
        device waits for it.
        """
        total, value = self.total(data), 0.0
        gradient: list[Array] = []
        # Twice, because each block costs a pass over the gradient.
        for block in data.blocks(2 * network.block_rows):
            xp = array_namespace(block.sample_weight)
            activations = network.activations(block.X)
            z = network.layers[-1].affine(activations[-1])
            targets = output_targets(block.y, z)
            losses, delta = LOSSES[self.loss].losses_and_delta(z, targets)
            delta *= (block.sample_weight / total)[:, None]
            summands = network.backward(activations, delta)
            value = value + xp.sum(losses * block.sample_weight)
            for g, summand in zip(gradient, summands, strict=False):
                _add(g, summand)
            gradient = gradient or summands
        if self.alpha:
            decay = self.alpha / total
            arrays = zip(network.parameters, gradient, network.is_weight, strict=True)
            squares = sum(_add_decay(decay, W, g) for W, g, is_w in arrays if is_w)
            value += 0.5 * self.alpha * squares
        return float(value) / total, gradient


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


def loss_and_score(
    loss: str, network: Network, data: TrainingData
) -> tuple[float, float]:
    """Weighted mean loss, without penalty, and weighted accuracy or R^2.

    Of several labels all must be right. The R^2 is the mean over the outputs. An output
    whose targets are all equal has an R^2 of 1 if they are predicted exactly, and of 0
    otherwise. One row has none: NaN.
    """
    z = network.affine_output(data.X)
    xp = array_namespace(z)
    total = xp.sum(data.sample_weight)
    targets = output_targets(data.y, z)
    mean = xp.sum(LOSSES[loss].losses(z, targets) * data.sample_weight) / total
    if data.y.ndim == 1 or LOSSES[loss].targets == "labels":
        right = xp.astype(_is_right(z, data.y), z.dtype)
        return float(mean), float(xp.sum(right * data.sample_weight) / total)
    if data.sample_weight.shape[0] < 2:
        return float(mean), nan
    share = data.sample_weight / total
    residual = share @ (z - targets) ** 2
    variance = share @ (targets - share @ targets) ** 2
    # Rounding may leave targets that are all equal some variance.
    constant = xp.max(targets, axis=0) == xp.min(targets, axis=0)
    constant = constant | (variance == 0)
    known = 1 - residual / xp.where(constant, xp.ones_like(variance), variance)
    scores = xp.where(constant, xp.astype(residual == 0, z.dtype), known)
    return float(mean), float(xp.mean(scores))


def _is_right(z: Array, y: Array) -> Array:
    """Whether the class (n,), or all labels (n, n_labels), of each row are predicted."""
    xp = array_namespace(z)
    if y.ndim == 1:
        return xp.argmax(z, axis=1) == y
    return xp.all((z > 0) == (y > 0.5), axis=1)


def output_targets(y: Array, z: Array) -> Array:
    """Targets (n, n_outputs) of the output ``z``: ``y``, or its class codes one-hot."""
    if y.ndim > 1:
        return y
    xp = array_namespace(z)
    classes = xp.arange(z.shape[1], device=device(z), dtype=y.dtype)
    return xp.astype(y[:, None] == classes[None, :], z.dtype)
