"""Calculated weights for the layers of any PyTorch module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch uses

from skmetricmlp._data import TrainingData
from skmetricmlp._errors import check_integer, invalid_parameter
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp._validation import check_max_features
from skmetricmlp.exemplars import SELECTORS, VALUE_SELECTORS
from skmetricmlp.images.patches import (
    centered_and_deviation,
    draw_patches,
    patches_of,
)
from skmetricmlp.initialization import NetworkConfig, initial_state
from skmetricmlp.initialization.comparisons import comparison_layer
from skmetricmlp.torch.features import MOST_ROWS, as_tensor

__all__ = ["calculated_conv2d_", "calculated_linear_"]

# Rows that set the scale of the units, drawn from all.
SCALE_ROWS = 5000
# Images that patches are drawn from, at most.
MOST_IMAGES = 1000
# Least variance of a patch, of the mean over all: a patch of one value is no exemplar.
LEAST_CONTRAST = 0.1


def calculated_linear_(
    layer: Any,
    X: Any,
    y: Any,
    *,
    n_exemplars: int = 30,
    exemplars: str = "kmeans",
    max_features: float | str | None = "mixed",
    random_state: Any = None,
) -> Any:
    """Fill a linear layer with comparisons of exemplars.

    Each unit compares two exemplars on a few features: it is positive where a row is
    nearer to the first. Exemplars and features are chosen as by
    :class:`~skmetricmlp.MetricInitMLPClassifier`, and each unit has unit deviation. Let a
    ReLU follow, and fit the last layer with :func:`fit_output_`.

    Parameters
    ----------
    layer : torch.nn.Linear
        With a bias, on any device and in any precision.
    X : tensor or array of shape (n, n_in)
        What the layer reads. For a layer inside a network these are the activations
        before it.
    y : tensor or array of shape (n,) or (n, n_outputs)
        Integers, text or truth values of shape (n,) are classes. Floats, and all of shape
        (n, n_outputs), are values.
    n_exemplars : int, default=30
        Number of exemplars in all.
    exemplars : {"kmeans", "random", "kmedoids", "condensed", "lvq"}, default="kmeans"
        How they are chosen; the last two need classes.
    max_features : int, float, {"mixed", "sqrt", "log2"} or None, default="mixed"
        Features that a unit compares its exemplars on; None for all.
    random_state : int, RandomState or None, default=None
        Seed. PyTorch's generators are not used.

    Returns
    -------
    layer : torch.nn.Linear
        The same layer.

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted. The layer stays as it was.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_iris
    >>> from skmetricmlp.torch import calculated_linear_, fit_output_
    >>> X, y = (torch.as_tensor(a) for a in load_iris(return_X_y=True))
    >>> X = X.float()
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 50), torch.nn.ReLU(), torch.nn.Linear(50, 3)
    ... )
    >>> calculated_linear_(net[0], X, y, random_state=0)
    Linear(in_features=4, out_features=50, bias=True)
    >>> _ = fit_output_(net, (X, y))
    >>> bool((net(X).argmax(dim=1) == y).float().mean() > 0.95)
    True
    """
    _check_layer(layer, nn.Linear, "torch.nn.Linear")
    rows = _floats(X)
    if rows.ndim != 2 or rows.shape[1] != layer.in_features:
        accepted = f"of shape (n, {layer.in_features}), as the layer reads"
        raise invalid_parameter("X", rows.shape, accepted)
    rng = check_random_state(random_state)
    state = _compared(
        rows,
        _targets(y, len(rows)),
        layer.out_features,
        n_exemplars=n_exemplars,
        exemplars=exemplars,
        max_features=max_features,
        rng=rng,
    )
    few = rng.permutation(len(rows))[:SCALE_ROWS]
    weights, bias = _unit_weights(state, rows[few])
    return _assigned(layer, weights, bias)


def calculated_conv2d_(
    layer: Any,
    images: Any,
    y: Any = None,
    *,
    n_exemplars: int = 100,
    n_patches: int = 20000,
    random_state: Any = None,
) -> Any:
    """Fill a convolution with comparisons of exemplar patches.

    The exemplars are centers of k-means of patches of the images, each less its mean and
    over its contrast. A channel is positive where a patch is nearer to one exemplar than
    to another, both with the mean contrast of all patches. The brightness of a patch has
    no effect. Each channel has unit deviation on the patches.

    Parameters
    ----------
    layer : torch.nn.Conv2d
        With a bias and ``groups=1``. Any kernel, stride, padding and dilation.
    images : tensor or array of shape (n, in_channels, height, width)
        What the layer reads.
    y : tensor or array of shape (n,), default=None
        Classes of the images. Then there are exemplars of each class, and most channels
        compare those of two classes.
    n_exemplars : int, default=100
        Number of exemplars in all.
    n_patches : int, default=20000
        Patches that are drawn, where the layer reads them, from at most 1,000 images.
    random_state : int, RandomState or None, default=None
        Seed. PyTorch's generators are not used.

    Returns
    -------
    layer : torch.nn.Conv2d
        The same layer.

    Raises
    ------
    ValueError, TypeError
        If an argument is not accepted. The layer stays as it was.

    References
    ----------
    A. Coates, H. Lee, A. Y. Ng, AISTATS 2011, for centers of normalized patches.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skmetricmlp.torch import calculated_conv2d_
    >>> images = torch.as_tensor(load_digits().images[:, None]).float() / 16
    >>> layer = calculated_conv2d_(
    ...     torch.nn.Conv2d(1, 8, 3), images, n_exemplars=10, random_state=0
    ... )
    >>> layer(images).std(dim=(0, 2, 3)).round(decimals=1).tolist() == [1.0] * 8
    True
    """
    _check_layer(layer, nn.Conv2d, "torch.nn.Conv2d")
    if layer.groups != 1:
        raise invalid_parameter("groups of the layer", layer.groups, "1")
    check_integer("n_patches", n_patches, MOST_ROWS)
    tensor = as_tensor(images)
    if tensor.ndim != 4 or tensor.shape[1] != layer.in_channels or not len(tensor):
        accepted = f"of shape (n, {layer.in_channels}, height, width)"
        raise invalid_parameter("images", tuple(tensor.shape), accepted)
    targets = np.zeros((len(tensor), 1)) if y is None else _targets(y, len(tensor))
    if y is not None and targets.ndim > 1:
        raise invalid_parameter("y", y, "None or classes of shape (n,)")
    rng = check_random_state(random_state)
    patches, of_image = _patches(layer, tensor, n_patches, rng)
    centered, contrast = _contrast(patches)
    mean_contrast = float(contrast.mean())
    state = _compared(
        centered / contrast[:, None] * mean_contrast,
        targets[of_image],
        layer.out_channels,
        n_exemplars=n_exemplars,
        exemplars="kmeans",
        max_features=None,
        metric="sqeuclidean",
        rng=rng,
    )
    weights, bias = _unit_weights(state, centered)
    # Exemplars have no mean, but for rounding, and so units do not read the brightness.
    weights -= weights.mean(axis=1, keepdims=True)
    return _assigned(layer, weights, bias)


def _check_layer(layer: Any, kind: type, name: str) -> None:
    if not isinstance(layer, kind):
        raise invalid_parameter("layer", layer, f"a {name}", TypeError)
    if getattr(layer, "bias", None) is None:
        raise invalid_parameter("layer", layer, f"a {name} with a bias")


def _floats(X: Any) -> Floats:
    """Return numbers on the host, in double precision."""
    floats: Floats = as_tensor(X).detach().to("cpu", torch.float64).numpy()
    if not np.isfinite(floats).all():
        msg = "X has values that are not finite"
        raise ValueError(msg)
    return floats


def _targets(y: Any, n: int) -> Array:
    """Return labels (n,), or values (n, n_outputs) of unit deviation."""
    array = y.detach().cpu() if isinstance(y, torch.Tensor) else y
    if isinstance(array, torch.Tensor) and array.is_floating_point():
        array = array.double()  # NumPy lacks bfloat16
    values = np.asarray(array)
    if values.shape[:1] != (n,) or values.ndim > 2:
        raise invalid_parameter("y", values.shape, f"of {n} rows, as the inputs are")
    if values.ndim == 1 and values.dtype.kind != "f":
        return values
    values = values.reshape(n, -1).astype(np.float64)
    if not np.isfinite(values).all():
        msg = "y has values that are not finite"
        raise ValueError(msg)
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _compared(
    X: Floats,
    y: Array,
    n_units: int,
    *,
    n_exemplars: int,
    exemplars: str,
    max_features: float | str | None,
    rng: np.random.RandomState,
    metric: str = "auto",
) -> FitState:
    """Choose exemplars, and draw the comparisons of so many units."""
    has_classes = y.ndim == 1
    check_integer("n_exemplars", n_exemplars, MOST_ROWS)
    choices = SELECTORS if has_classes else VALUE_SELECTORS
    if exemplars not in choices:
        listed = ", ".join(map(repr, choices))
        raise invalid_parameter("exemplars", exemplars, f"one of {listed}")
    check_max_features(max_features)
    codes, classes = y, None
    if has_classes:
        classes, codes = np.unique(y, return_inverse=True)
    config = NetworkConfig.resolved(
        init="metric",
        n_neighbors=None,
        output_init="auto",
        n_comparisons=n_units,
        n_conjunctions=0,
        loss="identity_squared_error" if classes is None else "log_loss",
        n_exemplars=n_exemplars,
        exemplars=exemplars,
        metric=metric,
        max_features=max_features,
    )
    return initial_state(
        replace(config, output_init=None),
        TrainingData(X, codes, np.ones(len(X))),
        y,
        classes,
        solver="adam",
        rng=rng,
    )


def _unit_weights(state: FitState, X: Floats) -> tuple[Floats, Floats]:
    """Return weights (n_units, d) and biases of units that have unit deviation in X."""
    comparisons, exemplars, metric = state.comparisons, state.exemplars, state.metric
    assert exemplars is not None  # noqa: S101 - of a calculated network
    assert metric is not None  # noqa: S101
    sample = X, np.ones(len(X))
    unscaled = replace(comparisons, scale=np.ones_like(comparisons.scale))
    layer, _ = comparison_layer(unscaled, metric, exemplars, sample, "relu", 0)
    return layer.weights.T.copy(), layer.bias


def _assigned(layer: Any, weights: Floats, bias: Floats) -> Any:
    """Copy weights and biases into a layer, unless its precision cannot hold them."""
    weight = torch.tensor(weights).reshape(layer.weight.shape).to(layer.weight)
    biases = torch.tensor(bias).to(layer.bias)
    if not (torch.isfinite(weight).all() and torch.isfinite(biases).all()):
        msg = f"weights are not finite in {weight.dtype}: scale the features"
        raise ValueError(msg)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(biases)
    return layer


def _patches(
    layer: Any, images: Any, n: int, rng: np.random.RandomState
) -> tuple[Floats, Ints]:
    """Draw patches that the layer reads, and tell the image of each.

    Returns
    -------
    patches : array of shape (n, in_channels * kernel height * kernel width)
    of_image : int array of shape (n,)
    """
    chosen = rng.permutation(len(images))[:MOST_IMAGES]
    some = images[torch.as_tensor(chosen, device=images.device)]
    padded = _padded(layer, torch.from_numpy(_floats(some))).permute(0, 2, 3, 1).numpy()
    views = patches_of(padded, layer.kernel_size, layer.stride, layer.dilation)
    if not views.size:
        shape = tuple(images.shape[2:])
        msg = f"images of {shape} are smaller than the kernel {layer.kernel_size}"
        raise ValueError(msg)
    patches, of_image = draw_patches(views, n, rng)
    return patches.transpose(0, 3, 1, 2).reshape(n, -1), chosen[of_image]


def _padded(layer: Any, images: Any) -> Any:
    """Return images with the padding of the layer."""
    padding: list[int] = []
    for axis in (1, 0):  # the last dimension comes first
        if layer.padding == "same":
            total = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
            padding += [total // 2, total - total // 2]
        else:
            size = 0 if layer.padding == "valid" else layer.padding[axis]
            padding += [size, size]
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return F.pad(images, padding, mode=mode)


def _contrast(patches: Floats) -> tuple[Floats, Floats]:
    """Return patches (n, d) less their mean, and the contrast (n,) of each."""
    least = LEAST_CONTRAST * float(patches.var(axis=1).mean())
    return centered_and_deviation(patches, least or 1.0)
