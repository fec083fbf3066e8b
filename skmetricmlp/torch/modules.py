"""The network of an estimator as a PyTorch module, and the way back.

A module has the layout of PyTorch: weights of shape (n_out, n_in). It reads features in
the units of the user, and scales them itself, as training does in ``fit``: a step of an
optimizer then does not depend on units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch uses

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.network import (
    ClippedInput,
    Conjunctive,
    Dense,
    Grouped,
    Network,
    TiedComparison,
)
from skmetricmlp.network import ScaledInput as ScaledLayer

__all__ = [
    "CalculatedNetwork",
    "Compared",
    "Comparisons",
    "Groups",
    "MissingValues",
    "ScaledInput",
    "ScaledTargets",
    "TiedComparisons",
    "module_of",
    "network_like",
]

# Relative difference of a number that a module keeps in another precision, and absolute
# one in units of the greatest.
ROUNDING, LEAST_ROUNDING = 1e-2, 1e-6


class Compared(NamedTuple):
    """What tells where a unit reads a missing value: halfway on each feature.

    The distance from exemplar k on feature f is ``slopes_kf x_f + terms_kf``.

    Parameters
    ----------
    points, slopes, terms : arrays of shape (N, d)
    first, second : int arrays of shape (P,)
        The two exemplars that each unit compares.
    """

    points: Floats
    slopes: Floats
    terms: Floats
    first: Ints
    second: Ints

    def scaled(self, mean: Floats, scale: Floats) -> Compared:
        """Return the same for features less a mean, and over a scale."""
        points, slopes, terms, first, second = self
        terms = terms + slopes * mean
        # Only differences count. Without what all exemplars share they are exact.
        slopes, terms = slopes * scale, terms - terms.mean(axis=0)
        slopes = slopes - slopes.mean(axis=0)
        return Compared((points - mean) / scale, slopes, terms, first, second)


def _step(z: Any) -> Any:
    return (z > 0).to(z.dtype)


def _identity(z: Any) -> Any:
    return z


ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = {
    "identity": _identity,
    "step": _step,
    "logistic": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "gelu": partial(F.gelu, approximate="tanh"),
}


class Comparisons(nn.Linear):  # type: ignore[misc]
    """Comparisons with weights of their own, and conjunctions of some of them.

    Parameters
    ----------
    weight : tensor of shape (n_out, n_in)
    bias : tensor of shape (n_out,)
    activation : str
        The step passes no gradient.
    n_shifts : int, default=0
        Each unit is followed by the lower of itself and of the next, of itself and of
        the one after that, and so on for so many.
    """

    def __init__(
        self, weight: Any, bias: Any, activation: str, n_shifts: int = 0
    ) -> None:
        # On no device, so that no random numbers are drawn.
        super().__init__(weight.shape[1], weight.shape[0], device="meta")
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.activation, self.n_shifts = activation, n_shifts

    def forward(self, x: Any, shift: Any = None) -> Any:
        """Activations (n, width) of inputs (n, n_in), with sums that are shifted."""
        u = F.linear(x, self.weight, self.bias)
        u = u if shift is None else u + shift
        pairs = [(u[:, :-s], u[:, s:]) for s in range(1, self.n_shifts + 1)]
        # Not the minimum, whose gradient is shared out where both are equal.
        lower = [torch.where(one <= other, one, other) for one, other in pairs]
        return ACTIVATIONS[self.activation](torch.cat([u, *lower], dim=1))

    def weight_of_each(self) -> Any:
        """Weights (n_out, n_in) of each comparison."""
        return self.weight

    def extra_repr(self) -> str:
        """Tell the sizes, the activation and the conjunctions."""
        more = f", n_shifts={self.n_shifts}" if self.n_shifts else ""
        return f"{super().extra_repr()}, activation={self.activation!r}{more}"


class TiedComparisons(nn.Module):  # type: ignore[misc]
    """Comparisons of shared scores: those of the exemplars that each is compared with.

    Parameters
    ----------
    weight : tensor of shape (N, n_in)
    bias : tensor of shape (N,)
    offset : tensor of shape (N, M)
    pairs : int tensor of shape (N, M)
        Row i has the exemplars that exemplar i is compared with.
    activation : str
    """

    def __init__(
        self, weight: Any, bias: Any, offset: Any, pairs: Any, activation: str
    ) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.offset, self.activation = nn.Parameter(offset), activation
        self.register_buffer("pairs", pairs)

    def forward(self, x: Any, shift: Any = None) -> Any:
        """Activations (n, N M) of inputs (n, n_in), with differences that are shifted."""
        scores = F.linear(x, self.weight, self.bias)
        others = scores[:, self.pairs.flatten()].unflatten(1, self.pairs.shape)
        z = (others - scores[:, :, None] + self.offset).flatten(1)
        return ACTIVATIONS[self.activation](z if shift is None else z + shift)

    def weight_of_each(self) -> Any:
        """Weights (N M, n_in) of each comparison."""
        return (self.weight[self.pairs] - self.weight[:, None, :]).flatten(0, 1)

    def extra_repr(self) -> str:
        """Tell the number of exemplars and of the pairs of each."""
        n, m = self.pairs.shape
        return f"{n} exemplars, {m} pairs each, activation={self.activation!r}"


class Groups(nn.Module):  # type: ignore[misc]
    """Units of which each reads its own group of inputs, and no other.

    Parameters
    ----------
    weight : tensor of shape (N, M)
    bias : tensor of shape (N,)
    activation : str
    """

    def __init__(self, weight: Any, bias: Any, activation: str) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.activation = activation

    def forward(self, x: Any) -> Any:
        """Activations (n, N) of inputs (n, N M)."""
        groups = x.unflatten(1, self.weight.shape)
        return ACTIVATIONS[self.activation]((groups * self.weight).sum(2) + self.bias)

    def extra_repr(self) -> str:
        """Tell the number of units and the inputs of each."""
        n, m = self.weight.shape
        return f"{n} units of {m} inputs each, activation={self.activation!r}"


class ScaledInput(nn.Module):  # type: ignore[misc]
    """Features within bounds, less a mean and over a scale.

    Parameters
    ----------
    mean, scale : tensors of shape (d,)
    low, high : tensors of shape (d,) or None
        The bounds.
    """

    def __init__(self, mean: Any, scale: Any, low: Any = None, high: Any = None) -> None:
        super().__init__()
        for name, value in zip(
            ("mean", "scale", "low", "high"), (mean, scale, low, high), strict=True
        ):
            self.register_buffer(name, value)

    def forward(self, x: Any) -> Any:
        """Scaled features (n, d); a missing value stays NaN."""
        if self.low is not None:
            x = torch.clamp(x, self.low, self.high)
        return (x - self.mean) / self.scale


class MissingValues(nn.Module):  # type: ignore[misc]
    """Where each unit reads a feature whose value is missing.

    It is the middle between the two exemplars that the unit compares, which tells
    nothing. Parameters are the tensors of :class:`Compared`. They are no part of the
    state, which has what is trained and what scales it.
    """

    def __init__(self, *tensors: Any) -> None:
        super().__init__()
        for name, tensor in zip(Compared._fields, tensors, strict=True):
            self.register_buffer(name, tensor, persistent=False)

    def forward(self) -> Any:
        """Middles (P, d)."""
        slope, term, point_sum = (
            part(table[self.first], table[self.second])
            for part, table in (
                (_difference, self.slopes),
                (_difference, self.terms),
                (torch.add, self.points),
            )
        )
        known = slope != 0
        return torch.where(known, -term / torch.where(known, slope, 1.0), point_sum / 2)


def _difference(one: Any, other: Any) -> Any:
    return other - one


class ScaledTargets(nn.Module):  # type: ignore[misc]
    """Outputs in the units of the targets: times their deviation, plus their mean.

    Parameters
    ----------
    mean, deviation : tensors of shape (n_outputs,)
    is_vector : bool
        Whether one output has no axis.
    """

    def __init__(self, mean: Any, deviation: Any, *, is_vector: bool) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.is_vector = is_vector

    def forward(self, z: Any) -> Any:
        """Values (n,) or (n, n_outputs)."""
        values = z * self.deviation + self.mean
        return values[:, 0] if self.is_vector else values

    def inverse(self, values: Any) -> Any:
        """Return what the last layer has (n, n_outputs) where these are the values."""
        return (values - self.mean.to(values)) / self.deviation.to(values)


class CalculatedNetwork(nn.Module):  # type: ignore[misc]
    """The network of an estimator, as ``estimator.to_torch()`` makes it.

    Layers are attributes: ``comparisons``, in networks of votes ``exemplars`` and
    ``class_comparisons``, and ``output``, a :class:`torch.nn.Linear`. Of
    :class:`~skmetricmlp.BasisInitMLPRegressor` the first is ``basis``.

    Parameters
    ----------
    input : ScaledInput
    layers : mapping of str to torch.nn.Module
    missing : MissingValues or None
    target : torch.nn.Module
        What follows the last layer.
    accepts_missing : bool
        Whether NaN is a missing value. Otherwise the output of its row is NaN.
    """

    def __init__(
        self,
        input: Any,  # noqa: A002 - it is the name in the state
        layers: Mapping[str, Any],
        missing: Any,
        target: Any,
        *,
        accepts_missing: bool,
    ) -> None:
        super().__init__()
        self.input, self.missing = input, missing
        self.layer_names = tuple(layers)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.target, self.accepts_missing = target, accepts_missing

    @property
    def layers(self) -> list[Any]:
        """The layers in order, the output last."""
        return [getattr(self, name) for name in self.layer_names]

    def forward(self, x: Any) -> Any:
        """Logits or values of encoded rows.

        Parameters
        ----------
        x : tensor of shape (n, n_encoded)
            As ``estimator.encode`` returns it.

        Returns
        -------
        tensor of shape (n, n_outputs), or of a vector of values (n,)
        """
        first, *others = self.layers
        values = first(*self._without_holes(self.input(x)))
        for layer in others:
            values = layer(values)
        return self.target(values)

    def _without_holes(self, x: Any) -> tuple[Any, ...]:
        """Return inputs with the mean, zero, for missing values, and what this shifts."""
        if not self.accepts_missing:
            return (x,)
        holes = torch.isnan(x)
        filled = torch.where(holes, 0.0, x)
        # What is compiled or exported is for rows with holes too.
        if self.missing is None or not (torch.compiler.is_compiling() or holes.any()):
            return (filled,)
        weight = self.layers[0].weight_of_each() * self.missing()
        return filled, F.linear(holes.to(x.dtype), weight)


class _LogSigmoid(nn.Module):  # type: ignore[misc]
    """Logarithms of outputs that are probabilities each by itself."""

    def forward(self, z: Any) -> Any:
        return F.logsigmoid(z)


def module_of(
    network: Network,
    names: Sequence[str],
    *,
    compared: Compared | None = None,
    accepts_missing: bool = False,
    units: tuple[Floats, Floats, bool] | None = None,
    log_sigmoid: bool = False,
) -> CalculatedNetwork:
    """Make a module of a network.

    Parameters
    ----------
    network : Network
        On the host. Its first layer may scale and clip its inputs.
    names : sequence of str
        A name for each layer.
    compared : Compared, optional
        In the units of the user.
    accepts_missing : bool, default=False
        Whether NaN is a missing value.
    units : tuple of mean, deviation and is_vector, optional
        Of the targets; see :class:`ScaledTargets`.
    log_sigmoid : bool, default=False
        Whether the outputs are the logarithms of their logistic function.

    Returns
    -------
    CalculatedNetwork
        In the precision of the network. Tensors are copies.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetricmlp.network import Dense, Network
    >>> from skmetricmlp.torch import module_of
    >>> network = Network((Dense(np.eye(2), np.zeros(2), "relu"),) * 2)
    >>> list(module_of(network, ["hidden", "output"]).state_dict())[-2:]
    ['output.weight', 'output.bias']
    """
    first, *others = network.layers
    dtype = first.parameters[0].dtype

    def tensor(array: Any) -> Any:
        is_float = array.dtype.kind == "f"
        return torch.tensor(np.ascontiguousarray(array, dtype if is_float else np.int64))

    d = first.parameters[0].shape[0]
    bounds, mean, scale = [], np.zeros(d), np.ones(d)
    if isinstance(first, ClippedInput):
        bounds, first = [first.low, first.high], first.layer
    if isinstance(first, ScaledLayer):
        mean, scale, first = first.mean, first.scale, first.layer
    *hidden, last = first, *others
    weights, bias = last.parameters
    output = nn.Linear(*weights.shape, device="meta")
    output.weight = nn.Parameter(tensor(weights.T))
    output.bias = nn.Parameter(tensor(bias))
    missing = compared and MissingValues(*map(tensor, compared.scaled(mean, scale)))
    target: Any = _LogSigmoid() if log_sigmoid else nn.Identity()
    if units is not None:
        target = ScaledTargets(*map(tensor, units[:2]), is_vector=units[2])
    return CalculatedNetwork(
        ScaledInput(*map(tensor, (mean, scale, *bounds))),
        dict(
            zip(names, [*(_hidden(each, tensor) for each in hidden), output], strict=True)
        ),
        missing,
        target,
        accepts_missing=accepts_missing,
    )


def _hidden(layer: Any, tensor: Callable[[Any], Any]) -> Any:
    """Return the module of a layer that scales nothing."""
    activation = layer.activation
    if isinstance(layer, Grouped):
        weight, bias = map(tensor, layer.parameters)
        return Groups(weight, bias, activation)
    weights, bias, *offset = layer.parameters
    weight, bias = tensor(weights.T), tensor(bias)
    if isinstance(layer, TiedComparison):
        table = tensor(layer.pairs.table)
        return TiedComparisons(weight, bias, tensor(offset[0]), table, activation)
    n_shifts = layer.n_shifts if isinstance(layer, Conjunctive) else 0
    assert isinstance(layer, Dense | Conjunctive)  # noqa: S101 - there are no others
    return Comparisons(weight, bias, activation, n_shifts)


def network_like(network: Network, fresh: CalculatedNetwork, given: Any) -> Network:
    """Return a network with the weights of a module.

    Parameters
    ----------
    network : Network
        What ``fresh`` was made of.
    fresh : CalculatedNetwork
        It tells which names and shapes are accepted, and is changed.
    given : torch.nn.Module or mapping of str to tensor
        A module of the same layers, or its ``state_dict()``.

    Returns
    -------
    Network
        On the host, in the precision of ``network``.

    Raises
    ------
    ValueError, TypeError
        If names, shapes or what is not trained differ, or weights are not finite.
    """
    state = given.state_dict() if isinstance(given, nn.Module) else given
    if not isinstance(state, Mapping):
        msg = f"module must be a torch.nn.Module or its state_dict(), got {given!r}"
        raise TypeError(msg)
    wanted = fresh.state_dict()
    if state.keys() != wanted.keys():
        lacking, unknown = sorted(wanted.keys() - state), sorted(state.keys() - wanted)
        msg = (
            f"module must have the parameters that to_torch() returns: it lacks "
            f"{lacking}, and has {unknown} beside them"
        )
        raise ValueError(msg)
    trained = {name for name, _ in fresh.named_parameters()}
    for name, tensor in wanted.items():
        _check_tensor(name, state[name], tensor, is_fixed=name not in trained)
    fresh.load_state_dict(state)
    arrays = [
        array.detach().numpy() for layer in fresh.layers for array in _arrays(layer)
    ]
    return network.with_parameters([np.ascontiguousarray(array) for array in arrays])


def _check_tensor(name: str, given: Any, wanted: Any, *, is_fixed: bool) -> None:
    """Refuse a tensor that does not fit; one that is not trained has to be the same."""
    if given.shape != wanted.shape:
        msg = (
            f"{name} must have the shape {tuple(wanted.shape)}, got {tuple(given.shape)}"
        )
        raise ValueError(msg)
    moved = given.detach().to("cpu", wanted.dtype)
    if not torch.isfinite(moved).all():
        msg = f"{name} has values that are not finite in the precision of the network"
        raise ValueError(msg)
    if not is_fixed:
        return
    atol = LEAST_ROUNDING * float(wanted.abs().max())
    if not torch.allclose(moved, wanted, rtol=ROUNDING, atol=atol):
        msg = (
            f"{name} of the module differs from that of this estimator: the module was "
            f"made of another one, or before another fit"
        )
        raise ValueError(msg)


def _arrays(layer: Any) -> list[Any]:
    """Return the parameters of a layer in the layout of a network."""
    if isinstance(layer, Groups):
        return [layer.weight, layer.bias]
    weight, *others = layer.parameters()
    return [weight.T, *others]
