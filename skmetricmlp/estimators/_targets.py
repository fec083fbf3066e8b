"""What the outputs of a network mean: classes, labels, values, or values on a domain."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import DataConversionWarning

from skmetricmlp._array_api import device_of
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp._validation import check_classes, check_labels, class_codes
from skmetricmlp.basis import middle_and_half, on_domain
from skmetricmlp.network import Network, Scaling

__all__ = [
    "ClassTargets",
    "DomainTargets",
    "LabelTargets",
    "RegressionTargets",
    "Targets",
    "training_units",
]


TINY = 10.0 * float(np.finfo(float).eps)  # a deviation that is none but rounding errors


@dataclass(frozen=True)
class ClassTargets:
    """One output per class, in the order of the sorted ``labels`` (n_classes,)."""

    labels: Array

    @classmethod
    def from_labels(cls, y: Array, classes: ArrayLike | None) -> ClassTargets:
        """Return ``classes`` if they are passed, otherwise the labels of ``y``."""
        return cls(np.unique(y) if classes is None else check_classes(classes))

    def check_same(self, classes: ArrayLike | None) -> None:
        """Refuse other classes than these.

        Raises
        ------
        ValueError
            If ``classes`` are passed, and not the same.
        """
        given = self.labels if classes is None else check_classes(classes)
        if not np.array_equal(given, self.labels):
            msg = (
                f"classes={given.tolist()} must be the same at every call; they were "
                f"{self.labels.tolist()}"
            )
            raise ValueError(msg)

    def encode(self, y: Array, name: str = "y") -> Ints:
        """Positions (n,) of labels among the classes."""
        return class_codes(y, self.labels, name)

    def encode_known(self, y: Array) -> tuple[Ints, NDArray[np.bool_]]:
        """Positions of the labels of exemplars that are classes, and which ones are.

        Raises
        ------
        ValueError
            If labels are no classes, and there are classes that have no exemplar.
        """
        is_known = np.ones(len(y), dtype=bool)
        if y.ndim == 1:
            classes = self.labels.tolist()
            check_labels("exemplars has labels", y.tolist(), classes)
            is_known[:] = [label in classes for label in y.tolist()]
        return self.encode(y[is_known], "exemplars"), is_known

    def to_user_units(self, network: Network) -> Network:
        """Return the network, as it is."""
        return network

    def to_training_units(self, network: Network) -> Network:
        """Return the network, as it is."""
        return network


@dataclass(frozen=True)
class LabelTargets:
    """One output per label, of which each row has any number; ``n_labels`` in all."""

    n_labels: int

    @property
    def labels(self) -> Ints:
        """Positions (n_labels,) of the labels, as MLPClassifier has them."""
        return np.arange(self.n_labels)

    def check_same(self, classes: ArrayLike | None) -> None:
        """Refuse other classes than the positions of these labels.

        Raises
        ------
        ValueError
            If ``classes`` are passed, and not the same.
        """
        given = self.labels if classes is None else check_classes(classes)
        if not np.array_equal(given, self.labels):
            msg = (
                f"classes={given.tolist()} must be the positions of the labels, "
                f"{self.labels.tolist()}, where y is an indicator"
            )
            raise ValueError(msg)

    def encode(self, y: Array, name: str = "y") -> Floats:
        """Zeros and ones (n, n_labels); of exemplars also numbers between.

        Raises
        ------
        ValueError
            If there are more or fewer labels, or other values.
        """
        values = _numbers(y, name)
        if values.shape[1:] != (self.n_labels,):
            msg = f"{name} must have shape {(len(y), self.n_labels)}, got {y.shape}"
            raise ValueError(msg)
        if not ((values >= 0) & (values <= 1)).all():
            msg = f"{name} must have values from 0 to 1, for labels that a row has"
            raise ValueError(msg)
        return values

    def to_user_units(self, network: Network) -> Network:
        """Return the network, as it is."""
        return network

    def to_training_units(self, network: Network) -> Network:
        """Return the network, as it is."""
        return network


@dataclass(frozen=True)
class RegressionTargets:
    """Values less their ``mean`` and over their ``deviation``, both (n_outputs,).

    One learning rate then suits values of all sizes, and predictions follow a change of
    the units of ``y``. With ``is_vector`` ``y`` is (n,) and not (n, 1).
    """

    mean: Floats
    deviation: Floats
    is_vector: bool

    @classmethod
    def from_values(cls, y: Array, sample_weight: Floats) -> RegressionTargets:
        """Return the weighted mean and deviation of ``y``, (n,) or (n, n_outputs).

        Raises
        ------
        ValueError
            If they are no numbers, or too large for the precision of the weights, which
            is that of the network.
        """
        values = _numbers(y, "y").reshape(len(y), -1)
        largest = np.finfo(sample_weight.dtype).max
        share = sample_weight.astype(np.float64)
        share /= share.sum() or 1.0
        # Relative to one value, so that values that are all equal are exactly their mean.
        origin = values[np.argmax(sample_weight)]
        mean = origin + share @ (values - origin)
        variance = share @ (values - mean) ** 2
        # The square, so that products of the deviation and weights do not overflow.
        if not ((abs(mean) <= largest).all() and (variance <= largest).all()):
            msg = (
                f"y is too large, with values of up to {abs(values).max():.3g}: scale it"
            )
            raise ValueError(msg)
        deviation = np.sqrt(variance)
        deviation = np.where(deviation > TINY * abs(mean), deviation, 1.0)
        return cls(mean, deviation, y.ndim == 1)

    def encode(self, y: Array, name: str = "y") -> Floats:
        """Deviations (n, n_outputs) from the mean.

        Of one output a column (n, 1) and a vector (n,) are the same, but for a warning.

        Raises
        ------
        ValueError
            If there are more or fewer outputs, or they are no finite numbers.
        """
        y = _numbers(y, name)
        if not np.isfinite(y).all():
            msg = f"{name} has values that are not finite"
            raise ValueError(msg)
        shape = () if self.is_vector else self.mean.shape
        if {y.shape[1:], shape} == {(), (1,)}:
            # As scikit-learn warns of a column of labels.
            warnings.warn(
                f"{name} has the shape {y.shape}; it is taken as {(len(y), *shape)}, the "
                f"shape of y in the first call.",
                DataConversionWarning,
                stacklevel=2,
            )
        elif y.shape[1:] != shape:
            msg = f"{name} must have shape {(len(y), *shape)}, got {y.shape}"
            raise ValueError(msg)
        values: Floats = (y.reshape(len(y), -1) - self.mean) / self.deviation
        return values

    def decode(self, targets: Floats) -> Floats:
        """Values (n,) or (n, n_outputs) in the units of the user, from (n, n_outputs)."""
        values = targets * self.deviation + self.mean
        return values[:, 0] if self.is_vector else values

    def to_user_units(self, network: Network) -> Network:
        """Return the network whose outputs are values as the user has them."""
        *hidden, last = network.layers
        deviation, mean = _moved((self.deviation, self.mean), last.parameters[0])
        weights, bias = last.parameters
        scaled = weights * deviation, bias * deviation + mean
        return Network((*hidden, last.with_parameters(scaled)))

    def to_training_units(self, network: Network) -> Network:
        """Undo :meth:`to_user_units`."""
        *hidden, last = network.layers
        deviation, mean = _moved((self.deviation, self.mean), last.parameters[0])
        weights, bias = last.parameters
        scaled = weights / deviation, (bias - mean) / deviation
        return Network((*hidden, last.with_parameters(scaled)))


@dataclass(frozen=True)
class DomainTargets:
    """Values of a function on a ``domain`` (d, 2), the ends of each variable.

    The network reads the variables mapped to the reference domain ``[-1, 1]^d``. One step
    for all weights would be too large on a wide domain and too small on a narrow one.
    """

    values: RegressionTargets
    domain: Floats

    @property
    def is_vector(self) -> bool:
        """Whether there is one output, and no axis for it."""
        return self.values.is_vector

    def encode(self, y: Array, name: str = "y") -> Floats:
        """Deviations (n, n_outputs) of values from their mean."""
        return self.values.encode(y, name)

    def mapped(self, X: Array) -> Array:
        """Rows ``(x - middle) / half`` of the reference domain, where ``X`` is."""
        middle, half = self._middle_and_half(X)
        return (X - middle) / half

    def to_user_units(self, network: Network) -> Network:
        """Return the network of variables and values as the user has them."""
        first, *others = self.values.to_user_units(network).layers
        middle, half = self._middle_and_half(first.parameters[0])
        layer: Any = first.dense()
        return Network((on_domain(layer, middle, half), *others))

    def to_training_units(self, network: Network) -> Network:
        """Undo :meth:`to_user_units`."""
        first, *others = self.values.to_training_units(network).layers
        weights, bias = first.parameters
        middle, half = self._middle_and_half(weights)
        first = first.with_parameters((weights * half[:, None], bias + middle @ weights))
        return Network((first, *others))

    def _middle_and_half(self, array: Array) -> tuple[Array, Array]:
        """Middle and half width (d,) of the domain, on the device of ``array``."""
        return _moved(middle_and_half(self.domain), array)


Targets = ClassTargets | DomainTargets | LabelTargets | RegressionTargets


def training_units(state: FitState) -> tuple[Any, Scaling | None]:
    """Return the targets, and the scaling of the inputs in training.

    The domain of a function is such a scaling.
    """
    targets: Any = state.targets
    if isinstance(targets, DomainTargets):
        return targets.values, middle_and_half(targets.domain)
    return targets, state.scaling


def _moved(parts: tuple[Floats, Floats], array: Array) -> tuple[Array, Array]:
    """Move arrays to the device of ``array``, in its precision."""
    device = device_of(array)
    one, other = (
        device.namespace.astype(device.move(part), array.dtype) for part in parts
    )
    return one, other


def _numbers(y: Array, name: str) -> Floats:
    try:
        return np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{name} must be numbers: {error}"
        raise ValueError(msg) from error
