"""What all estimators share: fit, partial_fit, the network and views of it."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping
from copy import copy
from math import inf
from numbers import Number
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skmetricmlp.arrays import Place, map_arrays, numpy_type, to_numpy
from skmetricmlp.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from skmetricmlp.initialization import check_dense_size, memory_budget
from skmetricmlp.learning import Fitted, Initialization, learn
from skmetricmlp.network import Network
from skmetricmlp.targets import Outputs
from skmetricmlp.training import Batch, StopReason
from skmetricmlp.validation import (
    Rows,
    check_features,
    check_held_out,
    check_outputs,
    check_products,
    check_rows,
    unchanged_on_error,
)

__all__ = ["Lesson", "NetworkEstimator", "learns_in_steps"]

Array = Any


def learns_in_steps(estimator: NetworkEstimator) -> bool:
    """Say whether there can be a ``partial_fit``: no L-BFGS, which needs all rows.

    Raises
    ------
    AttributeError
        If there is none, as of a method that is not there: ``hasattr`` asks.
    """
    if estimator.solver == "lbfgs":
        msg = (
            "partial_fit does not support solver='lbfgs', which needs all rows: choose "
            "'adam' or 'sgd', or call fit"
        )
        raise AttributeError(msg)
    return True


class Lesson(NamedTuple):
    """Rows to learn from, and to validate on if there are any, and what they mean."""

    outputs: Outputs
    rows: Batch
    held_out: Batch | None


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """A network that is initialised somehow, and trained.

    An estimator says how it checks its parameters, what ``y`` means, and where a network
    comes from; and what is predicted.
    """

    # Names of losses as the parameter has them, and as the network has them.
    _losses: ClassVar[Mapping[str, str]]
    network_: Network

    @abstractmethod
    def _check_parameters(self, parameters: Mapping[str, Any], *, trains: bool) -> None:
        """Check what can be checked without data."""

    @abstractmethod
    def _check_values(self, X: Array, present: Fitted | None, whose: str = "X") -> None:
        """Check that rows, of numbers, are such that the method is defined for them."""

    @abstractmethod
    def _lesson(
        self, rows: Rows, held_out: Rows | None, present: Fitted | None, declared: Any
    ) -> Lesson:
        """Say what the rows teach; the first call may have declared what is to come."""

    @abstractmethod
    def _initialization(
        self, parameters: Mapping[str, Any], outputs: Any
    ) -> Initialization:
        """Say where a network comes from."""

    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: Any,
        held_out: tuple[Any, Any, Any],
    ) -> Self:
        with unchanged_on_error(self):
            parameters = self._parameters()
            self._check_parameters(parameters, trains=self.max_iter != 0)
            present = getattr(self, "_fitted", None) if self.warm_start else None
            network = self.network_ if present else None
            rows = check_rows(self, X, y, sample_weight, network)
            self._check_values(rows.X, present)
            others = check_held_out(self, *held_out, rows.X)
            if others:
                self._check_values(others.X, present, "X_val")
            lesson = self._lesson(rows, others, present, None)
            task = self._task(X, y, sample_weight, rows)
            reason = self._learn(task, "fit", parameters, lesson, present, self.max_iter)
        self._warn(reason)
        return self

    def _partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: Any, declared: Any = None
    ) -> Self:
        with unchanged_on_error(self):
            parameters = self._parameters()
            self._check_parameters(parameters, trains=True)
            if self.early_stopping:
                msg = "partial_fit does not support early_stopping=True"
                raise ValueError(msg)
            present = getattr(self, "_fitted", None)
            network = self.network_ if present else None
            rows = check_rows(self, X, y, sample_weight, network, "partial_fit")
            self._check_values(rows.X, present)
            lesson = self._lesson(rows, None, present, declared)
            task = self._task(X, y, sample_weight, rows)
            reason = self._learn(task, "partial-fit", parameters, lesson, present, 1)
        if reason != "max_epochs":
            self._warn(reason)
        return self

    def _parameters(self) -> dict[str, Any]:
        """Parameters in NumPy; single numbers are Python's, which do not overflow."""
        parameters = map_arrays(to_numpy, self.get_params(deep=False))
        return {
            name: value.item() if isinstance(value, np.number) else value
            for name, value in parameters.items()
        }

    def _task(self, X: Any, y: Any, sample_weight: Any, rows: Rows) -> FitTask:
        """Make what callbacks see: what the user passed, and a weight for each row."""
        metadata = None
        if sample_weight is not None:
            is_one = isinstance(sample_weight, Number)
            metadata = {"sample_weight": rows.sample_weight if is_one else sample_weight}
        shown = {"X": X, "y": y, "metadata": metadata}
        return FitTask(self, shown, lambda fitted: fitted and self._attributes(fitted))

    @with_callbacks  # type: ignore[untyped-decorator]
    def _learn(
        self,
        task: FitTask,
        name: str,
        parameters: Mapping[str, Any],
        lesson: Lesson,
        present: Fitted | None,
        epochs: int,
    ) -> StopReason:
        parameters = {**parameters, "loss": self._losses[parameters["loss"]]}
        task.begin(name, epochs)
        fitted = learn(
            parameters,
            lesson.rows,
            lesson.outputs,
            self._initialization(parameters, lesson.outputs),
            epochs=epochs,
            held_out=lesson.held_out,
            present=present,
            listener=task,
        )
        self._assign(fitted)
        task.end()
        return fitted.reason

    def _attributes(self, fitted: Fitted) -> dict[str, Any]:
        """Attributes of this estimator if it was fitted so."""
        other = copy(self)
        other._assign(fitted)  # noqa: SLF001 - of its class
        return dict(vars(other))

    def _assign(self, fitted: Fitted) -> None:
        history = fitted.history
        self._fitted = fitted
        self.network_ = fitted.network
        self.n_iter_ = len(history.loss)
        self.t_ = history.n_rows
        self.loss_curve_ = history.loss
        self.loss_ = history.loss[-1] if history.loss else inf
        self.best_loss_ = None if self.early_stopping else min(history.loss, default=inf)
        self.validation_loss_curve_ = history.validation_loss or None
        self.validation_scores_ = history.validation_score or None
        self.best_validation_score_ = max(history.validation_score, default=None)

    def _warn(self, reason: StopReason) -> None:
        if reason == "diverged":
            advice = "features of unit scale"
            if self.solver != "lbfgs":
                rate = f"learning_rate_init (it was {self.learning_rate_init!r})"
                advice = f"a smaller {rate}, and {advice}"
            warnings.warn(
                f"The loss stopped being finite in epoch {self.n_iter_ + 1}; the last "
                f"weights with a finite loss are kept. Try {advice}.",
                ConvergenceWarning,
                stacklevel=4,
            )
        elif reason == "interrupted":
            warnings.warn(
                f"Training was interrupted in epoch {self.n_iter_ + 1}; the weights "
                f"reached by then are kept.",
                stacklevel=4,
            )
        elif reason == "max_epochs" and self.max_iter:
            warnings.warn(
                f"Training stopped after max_iter={self.max_iter} epochs without having "
                f"converged.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _output(self, X: ArrayLike, method: str) -> Array:
        """Output (n, n_outputs) of the network, before its activation."""
        check_is_fitted(self)
        X = check_features(self, X, self.network_, method)
        self._check_values(X, self._fitted)
        check_products(X, self.network_)
        with np.errstate(over="ignore", invalid="ignore"):
            output = self.network_.affine_output(X)
        check_outputs(output, X)
        return output

    def move_to(self, xp: Any, device: Any = None) -> Self:
        """Copy the estimator, with the network in another namespace or on another device.

        The copy predicts the same, of rows that are there, and can go on training: the
        state of the optimiser moves too. On a device without double precision the
        network becomes one of single precision.

        Parameters
        ----------
        xp : namespace
            Of the array API: ``numpy``, ``torch``, ``cupy`` or ``array_api_strict``.
        device : str or device, default=None
            A device of that namespace; by default the one that it makes arrays on.

        Returns
        -------
        moved : estimator
            ``coefs_``, ``intercepts_`` and numbers in ``classes_`` are there; exemplars
            stay in NumPy. This estimator is left as it is.

        Raises
        ------
        NotFittedError
            If there is no network yet.
        TypeError
            If ``xp`` is no namespace of the array API.

        Examples
        --------
        >>> import array_api_strict, numpy
        >>> from sklearn import config_context
        >>> from sklearn.datasets import load_iris
        >>> from skmetricmlp import MetricInitMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
        >>> moved = clf.move_to(array_api_strict)
        >>> with config_context(array_api_dispatch=True):
        ...     type(moved.predict(array_api_strict.asarray(X))).__module__
        'array_api_strict._array_object'
        >>> bool((moved.move_to(numpy).predict(X) == clf.predict(X)).all())
        True
        """
        check_is_fitted(self)
        return self.__sklearn_array_api_convert__(Place.of(xp, device).move)

    def __sklearn_array_api_convert__(self, converter: Callable[[Array], Array]) -> Self:
        """Copy the estimator with converted arrays, as scikit-learn's protocol asks."""
        moved = copy(self)
        if hasattr(self, "_fitted"):
            moved._assign(self._fitted.convert(converter))  # noqa: SLF001 - of its class
        return moved

    @property
    def coefs_(self) -> list[Array]:
        """Weights of each layer, of a tied network those of its dense equivalent."""
        return self._dense().parameters[::2]

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of each layer, likewise."""
        return self._dense().parameters[1::2]

    def _dense(self) -> Network:
        n = self.network_.n_dense_weights
        dtype = numpy_type(self.network_.parameters[0])
        limit = self.get_params(deep=False).get("memory_limit", "auto")
        check_dense_size(n, dtype, memory_budget(limit, copies=1))
        return self.network_.dense()

    @property
    def n_layers_(self) -> int:
        """Number of layers, including the input."""
        return len(self.network_.layers) + 1

    @property
    def n_outputs_(self) -> int:
        """Number of outputs."""
        return self.network_.layers[-1].n_out

    @property
    def out_activation_(self) -> str:
        """Name of the output activation."""
        return self.network_.layers[-1].activation

    def __sklearn_tags__(self) -> Tags:
        """Say what the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags
