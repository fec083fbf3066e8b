"""The last layer of a module in closed form, in one pass over its data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn

from skmetricmlp._data import TrainingData
from skmetricmlp._errors import check_integer, invalid_parameter, is_number
from skmetricmlp._typing import Floats
from skmetricmlp.initialization import RowSample
from skmetricmlp.initialization.baselines import weight_variance
from skmetricmlp.initialization.build import FIT_ELEMENTS, RIDGE_ROWS
from skmetricmlp.initialization.least_squares import Sums, normal_equations, summed
from skmetricmlp.initialization.norm_constrained import constrained_weights
from skmetricmlp.initialization.output_layer import (
    ridge_of_sums,
    ridge_with_penalty,
    scaled_classifier,
)
from skmetricmlp.torch.features import (
    MOST_ROWS,
    as_tensor,
    caught,
    evaluating,
    example_of,
    like,
    part_of,
    to_host,
)
from skmetricmlp.torch.modules import ScaledTargets

__all__ = ["fit_output_"]

KINDS = {
    "classes": "log_loss",
    "labels": "binary_log_loss",
    "values": "identity_squared_error",
}
METHODS = "ridge", "norm_constrained"
# Rows that are added to the sums at once: their cost is that of a product then.
BLOCK_ROWS = 1024


class _Block(NamedTuple):
    """Inputs (n, n_in) of the layer, and class codes (n,) or targets (n, n_out)."""

    hidden: Floats
    y: Any


def fit_output_(
    module: Any,
    data: Any,
    *,
    layer: Any = None,
    kind: str = "auto",
    method: str = "ridge",
    alpha: float | None = None,
    batch_size: int = 256,
    random_state: Any = None,
) -> Any:
    """Fit the last linear layer of a module to data in closed form.

    The module is evaluated once on each row, without gradients and in evaluation mode.
    From the inputs of the layer only sums and a sample of rows are kept, so that the data
    may be larger than memory. All layers before stay as they are. ``to_torch()`` of a
    regressor is fitted to values in the units of its targets.

    Parameters
    ----------
    module : torch.nn.Module
        Its last :class:`torch.nn.Linear` is fitted, in the order of ``module.modules()``.
    data : tuple of inputs and targets, or iterable of such batches
        Tensors or arrays (n, ...) and (n,) or (n, n_out), or a
        :class:`torch.utils.data.DataLoader`.
    layer : str or torch.nn.Linear, default=None
        The layer to fit, or its name, if it is not the last.
    kind : {"auto", "classes", "labels", "values"}, default="auto"
        What the targets are: classes from 0 on, for
        :class:`torch.nn.CrossEntropyLoss`; zeros and ones, for
        :class:`torch.nn.BCEWithLogitsLoss`; or values, for :class:`torch.nn.MSELoss`.
        With ``"auto"`` integers of shape (n,) are classes if the layer has several
        outputs, other integers are labels, and floats are values.
    method : {"ridge", "norm_constrained"}, default="ridge"
        A ridge regression to all rows; or the best weights with the mean square that
        those of He have, from a sample of the rows. The last is made for training that
        follows, and for values of about unit size.
    alpha : float, default=None
        Ridge, as that of :class:`sklearn.linear_model.Ridge`. By default the one with the
        least error of rows that are left out one at a time, on units of equal deviation.
    batch_size : int, default=256
        Rows of a tuple that are evaluated at a time.
    random_state : int, RandomState or None, default=None
        For ``"norm_constrained"``, where the rows leave weights undetermined.

    Returns
    -------
    layer : torch.nn.Linear
        The fitted layer. Logits of classes and labels are scaled to the lowest log loss
        of rows that are left out.

    Raises
    ------
    ValueError, TypeError
        If a parameter or the data are not accepted. The layer stays as it was.

    References
    ----------
    I. de Pater, M. Mitici, Neural Networks 166, 2023 (``"norm_constrained"``).

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skmetricmlp.torch import fit_output_
    >>> images, digits = (as_tensor(a) for a in load_digits(return_X_y=True))
    >>> _ = torch.manual_seed(0)
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10)
    ... )
    >>> fit_output_(net, (images.float() / 16, digits))
    Linear(in_features=100, out_features=10, bias=True)
    >>> right = net(images.float() / 16).argmax(dim=1) == digits
    >>> bool(right.float().mean() > 0.9)
    True
    """
    linear = _linear_of(module, layer)
    _check_choices(kind, method, alpha)
    check_integer("batch_size", batch_size, MOST_ROWS)
    n_in, n_out = linear.in_features, linear.out_features
    size = RIDGE_ROWS
    if method == "norm_constrained":
        size = max(size, FIT_ELEMENTS // n_in)
    batches = _hidden(module, linear, _batches(data, batch_size), kind)
    kind, sums, center, sample = _summed(batches, n_out, max(size, BLOCK_ROWS), size)
    rows = sample.data
    targets = _encoded(rows.y, n_out)
    if method == "norm_constrained":
        rng = check_random_state(random_state)
        variance = weight_variance("he_uniform", n_in, n_out)
        middle = 0.0 if kind == "values" else 0.5
        few = rows.X, targets - middle, rows.sample_weight
        W, b = constrained_weights(*few, variance, rng)
    else:
        few = rows.X, targets, rows.sample_weight
        equations = normal_equations(sums, center)
        if alpha is None:
            fit = ridge_of_sums(equations, sample.n_distinct, few)
        else:
            fit = ridge_with_penalty(equations, float(alpha), few)
        W, b, _ = fit
        if kind != "values":
            W, b = scaled_classifier(fit, rows.y, rows.sample_weight, KINDS[kind])
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(W.T))
        linear.bias.copy_(torch.tensor(b))
    return linear


def _linear_of(module: Any, layer: Any) -> Any:
    """Return the layer to fit."""
    if not isinstance(module, nn.Module):
        raise invalid_parameter("module", module, "a torch.nn.Module", TypeError)
    linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
    if layer is None and not linear:
        msg = "module must have a torch.nn.Linear, and it has none"
        raise ValueError(msg)
    found = linear[-1] if layer is None else part_of(module, layer)
    if not isinstance(found, nn.Linear) or found.bias is None:
        raise invalid_parameter("layer", found, "a torch.nn.Linear with a bias")
    return found


def _check_choices(kind: str, method: str, alpha: Any) -> None:
    if kind not in {"auto", *KINDS}:
        raise invalid_parameter("kind", kind, "'auto', 'classes', 'labels' or 'values'")
    if method not in METHODS:
        raise invalid_parameter("method", method, "'ridge' or 'norm_constrained'")
    is_ridge = is_number(alpha) and 0 < alpha < np.inf and method == "ridge"
    if alpha is not None and not is_ridge:
        accepted = "None, or with method='ridge' a positive number"
        raise invalid_parameter("alpha", alpha, accepted)


def _batches(data: Any, batch_size: int) -> Iterator[tuple[Any, Any]]:
    """Yield batches of inputs and targets as tensors."""
    if isinstance(data, tuple) and len(data) == 2:
        inputs, targets = map(as_tensor, data)
        if len(inputs) != len(targets):
            msg = f"data has {len(inputs)} inputs, and {len(targets)} targets"
            raise ValueError(msg)
        data = zip(inputs.split(batch_size), targets.split(batch_size), strict=True)
        if not len(inputs):
            data = ()
    elif not isinstance(data, Iterable):
        accepted = "a tuple of inputs and targets, or an iterable of such batches"
        raise invalid_parameter("data", data, accepted, TypeError)
    for batch in data:
        if not (isinstance(batch, (tuple, list)) and len(batch) == 2):
            msg = f"data must have batches of inputs and targets, got {type(batch)}"
            raise ValueError(msg)
        yield as_tensor(batch[0]), as_tensor(batch[1])


def _hidden(
    module: Any, linear: Any, batches: Iterable[tuple[Any, Any]], kind: str
) -> Iterator[tuple[str, _Block]]:
    """Yield the kind of the targets, and the inputs of the layer beside them."""
    example, n_out = example_of(module), linear.out_features
    units = next((m for m in module.modules() if isinstance(m, ScaledTargets)), None)
    with evaluating(module), caught(linear, inputs=True) as found:
        for inputs, targets in batches:
            output = module(like(inputs, example))
            if len(found) != 1:
                msg = (
                    f"layer must be called once in each batch, and was {len(found)} times"
                )
                raise ValueError(msg)
            hidden = found.pop()
            kind = _kind_of(targets, n_out) if kind == "auto" else kind
            if kind == "values":
                z = linear(hidden)
                found.clear()
                _check_last(z if units is None else units(z), output)
            hidden = to_host(hidden.reshape(-1, linear.in_features)).astype(np.float64)
            y = _targets(targets, kind, len(hidden), n_out)
            if kind == "values" and units is not None:
                y = units.inverse(torch.from_numpy(y)).numpy()
            yield kind, _Block(hidden, y)


def _kind_of(targets: Any, n_out: int) -> str:
    if targets.is_floating_point():
        return "values"
    return "classes" if targets.ndim == 1 and n_out > 1 else "labels"


def _check_last(ours: Any, output: Any) -> None:
    """Refuse a module that changes the values of the layer."""
    is_same = isinstance(output, torch.Tensor) and output.numel() == ours.numel()
    if not (is_same and torch.allclose(output.reshape(ours.shape), ours, equal_nan=True)):
        msg = (
            "module must return what its last linear layer returns where the targets are "
            "values, or this in the units of the targets, as to_torch() of a regressor: "
            "fit the layer to targets in its own units"
        )
        raise ValueError(msg)


def _targets(targets: Any, kind: str, n: int, n_out: int) -> Any:
    """Return class codes (n,), or labels or values (n, n_out)."""
    y = to_host(targets)
    if kind == "classes":
        codes = y.reshape(-1)
        is_code = codes.dtype.kind in "iu" and ((codes >= 0) & (codes < n_out)).all()
        if len(codes) != n or not is_code:
            msg = (
                f"data must have {n} targets for {n} rows of the layer, integers from 0 "
                f"to {n_out - 1}, got {y.shape} of {y.dtype}"
            )
            raise ValueError(msg)
        return codes.astype(np.intp)
    if y.size != n * n_out:
        msg = f"data must have targets of shape {(n, n_out)}, got {y.shape}"
        raise ValueError(msg)
    values = y.reshape(n, n_out).astype(np.float64)
    if kind == "labels" and not ((values >= 0) & (values <= 1)).all():
        msg = "data must have targets from 0 to 1 with kind='labels'"
        raise ValueError(msg)
    return values


def _summed(
    batches: Iterable[tuple[str, _Block]], n_out: int, block_rows: int, size: int
) -> tuple[str, Sums, Floats, RowSample]:
    """Add up the sums over all rows, around a center, and draw a sample of them."""
    sums, sample, center = None, None, np.zeros(0)
    kind = ""
    for kind, (hidden, y) in _joined(batches, block_rows):  # noqa: B007 - all are equal
        if not (np.isfinite(hidden).all() and np.isfinite(y).all()):
            msg = "data has targets, or gives inputs of the layer, that are not finite"
            raise ValueError(msg)
        weight = np.ones(len(hidden))
        if sums is None:
            center = hidden.mean(axis=0)
        data = TrainingData(hidden, y, weight)
        drawn = RowSample.of(data, size)  # before the values are overwritten
        sample = drawn if sample is None else sample.plus(drawn)
        added = summed([hidden], _encoded(y, n_out), weight, center)
        sums = added if sums is None else sums.plus(added)
    if sums is None or sample is None:
        msg = "data must have at least one row"
        raise ValueError(msg)
    return kind, sums, center, sample


def _encoded(y: Any, n_out: int) -> Floats:
    """Targets (n, n_out): classes, one-hot, or labels or values as they are."""
    encoded: Floats = np.eye(n_out)[y] if y.ndim == 1 else y
    return encoded


def _joined(
    batches: Iterable[tuple[str, _Block]], n_rows: int
) -> Iterator[tuple[str, _Block]]:
    """Join batches into blocks of at least so many rows, but for the last."""
    waiting: list[_Block] = []
    kind = ""
    for kind, block in batches:
        waiting.append(block)
        if sum(len(block.y) for block in waiting) >= n_rows:
            yield kind, _Block(*map(np.concatenate, zip(*waiting, strict=True)))
            waiting = []
    if waiting:
        yield kind, _Block(*map(np.concatenate, zip(*waiting, strict=True)))
