"""A pipeline of images as a module: convolution, pooling and output.

Its filters are calculated, and can be trained with the rest.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from skmetricmlp.images import PatchComparisons
from skmetricmlp.images.patch_comparisons import POOLING
from skmetricmlp.images.patches import cells

__all__ = ["PatchModule", "Standardized", "to_torch"]


class PatchModule(nn.Module):  # type: ignore[misc]
    """Comparisons of patches, as :class:`~skmetricmlp.images.PatchComparisons`.

    ``filters`` is a :class:`torch.nn.Conv2d` with the kernels and the biases. What it
    returns is divided by the deviation of each patch before the bias is added.

    Parameters
    ----------
    patches : PatchComparisons
        Fitted.
    """

    def __init__(self, patches: PatchComparisons) -> None:
        super().__init__()
        check_is_fitted(patches)
        height, width, channels, n = patches.kernels_.shape
        self.filters = nn.Conv2d(channels, n, (height, width), stride=patches.stride)
        kernels = patches.kernels_.transpose(3, 2, 0, 1)
        self.filters.weight = nn.Parameter(torch.tensor(np.ascontiguousarray(kernels)))
        self.filters.bias = nn.Parameter(torch.tensor(patches.intercepts_))
        self.padding = nn.ZeroPad2d(patches.padding)
        self.image_shape, self.epsilon = patches.image_shape_, patches.epsilon_
        self.grid, self.how = patches.grid_, POOLING[patches.pooling]

    def forward(self, x: Any) -> Any:
        """Features of images.

        Parameters
        ----------
        x : tensor of shape (n, height * width * channels), or of the shape of images
            Channels are last, as in X of the pipeline.

        Returns
        -------
        tensor of shape (n, n_features_out)
        """
        images = x.reshape(-1, *self.image_shape).movedim(-1, 1)
        values = F.relu(self._compared(self.padding(images)))
        cell = [
            values[:, :, rows, columns].flatten(2)
            for rows, columns in cells(values.shape[2:], self.grid)
        ]
        found = [
            part.mean(dim=2) if name == "mean" else part.amax(dim=2)
            for part in cell
            for name in self.how
        ]
        return torch.cat(found, dim=1)

    def _compared(self, images: Any) -> Any:
        """Return what the filters say of normalized patches (n, P, rows, columns)."""
        filters, stride = self.filters, self.filters.stride
        # A normalized patch has the mean zero, and so has no use of that of a kernel.
        kernels = filters.weight - filters.weight.mean(dim=(1, 2, 3), keepdim=True)
        z = F.conv2d(images, kernels, stride=stride)
        mean, square = (
            F.avg_pool2d(x.mean(dim=1, keepdim=True), filters.kernel_size, stride)
            for x in (images, images**2)
        )
        variance = square - mean**2
        deviation = torch.sqrt(variance.clamp(min=0.0) + self.epsilon)
        return z / deviation + filters.bias[:, None, None]


class Standardized(nn.Module):  # type: ignore[misc]
    """A fitted ``StandardScaler``: ``(x - mean) / scale``, not trained.

    Parameters
    ----------
    scaler : sklearn.preprocessing.StandardScaler
    """

    def __init__(self, scaler: StandardScaler) -> None:
        super().__init__()
        check_is_fitted(scaler)
        n = scaler.n_features_in_
        mean = scaler.mean_ if scaler.with_mean else np.zeros(n)
        scale = scaler.scale_ if scaler.with_std else np.ones(n)
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, x: Any) -> Any:
        """Standardize features (n, d)."""
        return (x - self.mean) / self.scale


def to_torch(pipeline: Pipeline) -> nn.Sequential:
    """Make a module of a fitted pipeline of images.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Of :class:`~skmetricmlp.images.PatchComparisons`, one or more of them,
        ``StandardScaler``, and last an estimator of this package or a linear model.

    Returns
    -------
    torch.nn.Sequential
        In the precision of the filters, on the CPU, with the names of the steps. It
        returns logits or values: of an estimator of this package as its own
        ``to_torch`` does, of a linear model its decision function (n, n_outputs).
        Tensors are copies.

    Raises
    ------
    TypeError
        If a step is not known.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.images import PatchComparisons
    >>> from skmetricmlp.torch import to_torch
    >>> X, y = load_digits(return_X_y=True)
    >>> patches = PatchComparisons(patch_size=3, n_comparisons=20, random_state=0)
    >>> linear = MetricInitMLPClassifier(n_comparisons=0, max_iter=0)
    >>> pipeline = make_pipeline(patches, linear).fit(X, y)
    >>> module = to_torch(pipeline)
    >>> logits = module(torch.tensor(X[:5]))
    >>> logits.argmax(dim=1).tolist() == pipeline.predict(X[:5]).tolist()
    True
    """
    steps = getattr(pipeline, "steps", [("", pipeline)])
    modules = OrderedDict((name, _module_of(name, step)) for name, step in steps)
    precision = torch.float64
    for module in modules.values():
        if isinstance(module, PatchModule):
            precision = module.filters.weight.dtype
            break
    return nn.Sequential(modules).to(precision)


def _module_of(name: str, step: Any) -> nn.Module:
    if isinstance(step, PatchComparisons):
        return PatchModule(step)
    if isinstance(step, StandardScaler):
        return Standardized(step)
    if hasattr(step, "to_torch"):
        return step.to_torch()
    if not hasattr(step, "coef_"):
        msg = (
            f"step {name!r} must be PatchComparisons, StandardScaler, an estimator of "
            f"skmetricmlp, or a linear model with coef_, got {type(step).__name__}"
        )
        raise TypeError(msg)
    coef = np.atleast_2d(step.coef_)
    linear = nn.Linear(coef.shape[1], coef.shape[0], dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(coef))
        linear.bias.copy_(torch.tensor(np.broadcast_to(step.intercept_, len(coef))))
    return linear
