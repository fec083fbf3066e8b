"""Features of a frozen module, and what calls of a module on batches need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from skmetricmlp._errors import check_integer, invalid_parameter
from skmetricmlp._typing import Floats

__all__ = [
    "as_tensor",
    "caught",
    "evaluating",
    "example_of",
    "frozen_features",
    "like",
    "part_of",
    "to_host",
]

MOST_ROWS = 2**30


def frozen_features(
    backbone: Any,
    X: Any,
    layer: Any = None,
    *,
    batch_size: int = 256,
    device: Any = None,
) -> Floats:
    """Return the features that a module has learned, as an array for any estimator.

    The module is evaluated without gradients and in evaluation mode. Afterwards it is in
    the mode that it was in.

    Parameters
    ----------
    backbone : torch.nn.Module
    X : array-like, tensor or iterable of batches
        Inputs (n, ...), or a :class:`torch.utils.data.DataLoader`, whose batches are
        inputs or begin with them.
    layer : str or torch.nn.Module, default=None
        Part of the backbone whose output is returned, or its name; by default the output
        of the backbone.
    batch_size : int, default=256
        Rows of an array or a tensor that are evaluated at a time.
    device : str or torch.device, default=None
        Device that the backbone is moved to; by default it stays where it is.

    Returns
    -------
    ndarray of shape (n, n_features)
        Outputs of more dimensions are flattened.

    Raises
    ------
    ValueError, TypeError
        If ``X`` has no rows, or ``layer`` is no part of the backbone, is not called once
        for each batch, or returns no tensor with a row for each input.

    Examples
    --------
    >>> import torch
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.torch import frozen_features
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    ... )
    >>> frozen_features(net, torch.ones(5, 4), layer="1").shape
    (5, 8)
    >>> to_features = FunctionTransformer(lambda X: frozen_features(net, X, "1"))
    >>> clf = make_pipeline(to_features, MetricInitMLPClassifier(max_iter=0))
    """
    _check_module("backbone", backbone)
    part = part_of(backbone, layer)
    check_integer("batch_size", batch_size, MOST_ROWS)
    if device is not None:
        backbone.to(device)
    example, blocks = example_of(backbone), []
    with evaluating(backbone), caught(part) as outputs:
        for inputs in _inputs(X, batch_size):
            backbone(like(inputs, example))
            blocks.append(_rows(outputs, len(inputs)))
    if not blocks:
        msg = "X must have at least one row"
        raise ValueError(msg)
    return np.concatenate(blocks)


def _check_module(name: str, value: Any) -> None:
    if not isinstance(value, nn.Module):
        raise invalid_parameter(name, value, "a torch.nn.Module", TypeError)


def part_of(module: Any, layer: Any) -> Any:
    """Return a part of a module by its name, or the part itself.

    Raises
    ------
    ValueError
        If it is no part of the module.
    """
    if layer is None:
        return module
    named = dict(module.named_modules())
    if isinstance(layer, str) and layer in named:
        return named[layer]
    if any(layer is part for part in named.values()):
        return layer
    names = ", ".join(repr(name) for name in named if name)
    raise invalid_parameter("layer", layer, f"a part of the module: one of {names}")


def _inputs(X: Any, batch_size: int) -> Iterator[Any]:
    """Yield batches of inputs as tensors."""
    if hasattr(X, "shape"):
        yield from as_tensor(X).split(batch_size) if len(X) else ()
        return
    if not isinstance(X, Iterable):
        accepted = "an array, a tensor or an iterable of batches"
        raise invalid_parameter("X", X, accepted, TypeError)
    for batch in X:
        yield as_tensor(batch[0] if isinstance(batch, (tuple, list)) else batch)


def as_tensor(value: Any) -> Any:
    """Return a tensor as it is, and an array as a tensor; read-only arrays are copied."""
    if isinstance(value, torch.Tensor):
        return value
    return torch.from_numpy(np.require(value, requirements=["C", "W"]))


def like(inputs: Any, example: Any) -> Any:
    """Move inputs to the device of a parameter, and floats to its precision."""
    dtype = example.dtype if inputs.is_floating_point() else inputs.dtype
    return inputs.to(example.device, dtype)


def example_of(module: Any) -> Any:
    """Return a floating tensor of a module, or one as PyTorch makes them by default."""
    tensors = [*module.parameters(), *module.buffers()]
    return next((t for t in tensors if t.is_floating_point()), torch.empty(0))


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Put a module into evaluation mode without gradients, and restore its modes."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def caught(part: Any, *, inputs: bool = False) -> Iterator[list[Any]]:
    """Collect what a part of a module returns, or its ``inputs``, while it is called."""
    values: list[Any] = []

    def catch(_: Any, args: Any, output: Any) -> None:
        values.append(args[0] if inputs else output)

    handle = part.register_forward_hook(catch)
    try:
        yield values
    finally:
        handle.remove()


def _rows(outputs: list[Any], n: int) -> Floats:
    """Return the one caught output (n, n_features), and forget it."""
    if len(outputs) != 1:
        msg = f"layer must be called once for each batch, and it was {len(outputs)} times"
        raise ValueError(msg)
    output = outputs.pop()
    if not (isinstance(output, torch.Tensor) and output.ndim and len(output) == n):
        found = tuple(output.shape) if hasattr(output, "shape") else type(output).__name__
        msg = f"layer must return a tensor with {n} rows, as the batch has, got {found}"
        raise ValueError(msg)
    rows: Floats = to_host(output.reshape(n, -1))
    return rows


def to_host(tensor: Any) -> Any:
    """Return a tensor in NumPy, with numbers of half precision in single."""
    is_half = tensor.is_floating_point() and tensor.element_size() < 4
    return tensor.detach().to("cpu", torch.float32 if is_half else None).numpy()
