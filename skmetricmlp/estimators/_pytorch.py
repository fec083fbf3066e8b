"""Estimators as PyTorch modules, and modules put back into estimators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import ArrayLike
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import HOST, device_of, map_arrays, numpy_type, to_numpy
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array
from skmetricmlp._validation import check_features
from skmetricmlp.estimators._targets import (
    DomainTargets,
    RegressionTargets,
    training_units,
)
from skmetricmlp.initialization import compared_exemplars
from skmetricmlp.network import Network, Scaling, from_training, to_training

__all__ = ["PyTorchMixin"]

# By number of layers.
LAYER_NAMES = {
    1: ("output",),
    2: ("comparisons", "output"),
    3: ("comparisons", "exemplars", "output"),
    4: ("comparisons", "exemplars", "class_comparisons", "output"),
}


class PyTorchMixin:
    """``encode``, ``to_torch`` and ``from_torch`` of an estimator."""

    network_: Network
    _fit_state: FitState

    def encode(self, X: ArrayLike) -> Array:
        """Encode rows as the network reads them.

        Categories become columns of zeros and ones, dates numbers of days. A missing
        number is the mean and a one in the column that tells of it; in a column that
        was complete in ``fit`` it is NaN. Arrays of numbers stay as they are.

        Parameters
        ----------
        X : {array-like, DataFrame, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        array of shape (n_samples, n_encoded)
            In the precision of the network, and on its device. A sparse matrix stays
            sparse.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If X is not accepted.

        Examples
        --------
        >>> import pandas as pd
        >>> from skmetricmlp import MetricInitMLPRegressor
        >>> X = pd.DataFrame({"size": [1.0, 2.0, None], "color": ["red", "blue", "red"]})
        >>> reg = MetricInitMLPRegressor(max_iter=0).fit(X, [1.0, 2.0, 4.0])
        >>> reg.encode(X[1:])
        array([[2. , 0. , 1. , 0. ],
               [1.5, 1. , 0. , 1. ]])
        """
        check_is_fitted(self)
        rows = check_features(self, X, self.network_, "encode", self._fit_state.encoding)
        if device_of(rows) != HOST:
            return rows
        return rows.astype(numpy_type(self.network_.parameters[0]), copy=False)

    def to_torch(self) -> Any:
        """Return the network as a PyTorch module, which has the same outputs.

        The module is a copy that can be trained: to put its weights back, pass it to
        ``from_torch``. It reads encoded rows, ``torch.as_tensor(estimator.encode(X))``,
        in the precision of the network; ``to_torch().float()`` reads single precision.

        - Of classes it returns logits of shape (n, n_classes), in the order of
          ``classes_``, for :class:`torch.nn.CrossEntropyLoss`. Two classes have two.
          Their softmax is ``predict_proba``.
        - Of several labels it returns logits (n, n_labels), for
          :class:`torch.nn.BCEWithLogitsLoss`. Their logistic function is
          ``predict_proba``.
        - Of values it returns what ``predict`` returns, of shape (n,) or
          (n, n_outputs), in the units of ``y``.

        Input and output are scaled inside the module, as in ``fit``, so that one
        learning rate suits all units. With ``activation="step"`` the layers before the
        last have no gradient, and of the source's network the softmax is not the share
        of votes that ``predict_proba`` returns.

        Returns
        -------
        module : skmetricmlp.torch.CalculatedNetwork
            On the device of the network if that is PyTorch's, otherwise on the CPU.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ModuleNotFoundError
            If PyTorch is not installed.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_iris
        >>> from skmetricmlp import MetricInitMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
        >>> module = clf.to_torch()
        >>> p = module(torch.as_tensor(clf.encode(X))).softmax(dim=1)
        >>> bool(abs(p.detach().numpy() - clf.predict_proba(X)).max() < 1e-9)
        True
        >>> module.output
        Linear(in_features=1599, out_features=3, bias=True)
        """
        check_is_fitted(self)
        module = _module_of(self)
        example = self.network_.parameters[0]
        return module.to(example.device) if is_torch_array(example) else module

    def from_torch(self, module: Any) -> Self:
        """Take over the weights of a PyTorch module that ``to_torch`` returned.

        They are used for predictions, and further training goes on from them. With
        ``solver="closed_form"`` the sums of earlier rows end, as when weights are
        assigned.

        Parameters
        ----------
        module : torch.nn.Module or mapping of str to tensor
            The module, in any precision and on any device, or its ``state_dict()``.

        Returns
        -------
        self : estimator

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ModuleNotFoundError
            If PyTorch is not installed.
        ValueError, TypeError
            If the module has other parameters or shapes, was made of another fit, or has
            weights that are not finite. The estimator stays as it was.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_iris
        >>> from skmetricmlp import MetricInitMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
        >>> module = clf.to_torch()
        >>> with torch.no_grad():
        ...     module.output.weight *= 0
        >>> bool(clf.from_torch(module).coefs_[-1].any())
        False
        """
        check_is_fitted(self)
        fresh = _module_of(self)
        from skmetricmlp.torch import network_like  # noqa: PLC0415 - it is optional

        state = self._fit_state
        targets, scaling = training_units(state)
        start = _training_network(self.network_, targets, scaling)
        network = network_like(start, fresh, module)
        if scaling is not None:
            network = from_training(network, scaling)
        device = device_of(self.network_.parameters[0])
        self.network_ = map_arrays(device.move, targets.to_user_units(network))
        return self


def _module_of(estimator: Any) -> Any:
    """Make a module on the CPU."""
    try:
        from skmetricmlp.torch import module_of  # noqa: PLC0415 - it is optional
    except ModuleNotFoundError as error:
        msg = "this needs PyTorch: run pip install 'skmetricmlp[torch]'"
        raise ModuleNotFoundError(msg, name=error.name) from error
    state = replace(estimator._fit_state, network=estimator.network_)  # noqa: SLF001
    targets, scaling = training_units(state)
    has_domain = isinstance(state.targets, DomainTargets)
    accepts_missing = bool(get_tags(estimator).input_tags.allow_nan)
    units = None
    if isinstance(targets, RegressionTargets):
        units = targets.mean, targets.deviation, targets.is_vector
    names = LAYER_NAMES[len(state.network.layers)]
    return module_of(
        _training_network(state.network, targets, scaling),
        ("basis", "output") if has_domain else names,
        compared=_compared(state) if accepts_missing and state.metric else None,
        accepts_missing=accepts_missing,
        units=units,
        log_sigmoid=not has_domain and state.config.loss == "squared_error",
    )


def _training_network(network: Network, targets: Any, scaling: Scaling | None) -> Network:
    """Return the network on the host, as training changes it."""
    network = targets.to_training_units(map_arrays(to_numpy, network))
    return to_training(network, scaling) if scaling is not None else network


def _compared(state: FitState) -> Any:
    """Return what tells where each unit reads a missing value."""
    from skmetricmlp.torch import Compared  # noqa: PLC0415 - it is optional

    metric: Any = state.metric
    points, first, second = compared_exemplars(state, state.network)
    points = np.asarray(points, dtype=np.float64)
    if metric.is_equal_halfway:  # as where slopes are equal
        slopes = terms = np.zeros_like(points)
    else:
        slopes, terms = metric(points)[0], metric.offset_terms(points)
    return Compared(points, slopes, terms, first, second)
