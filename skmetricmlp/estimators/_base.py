"""What all estimators share: fit, partial_fit, the network and views of it."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import replace
from math import inf
from numbers import Number
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import Place, map_arrays, numpy_type, to_numpy
from skmetricmlp._typing import Array
from skmetricmlp._validation import (
    Rows,
    check_features,
    check_held_out,
    check_layers,
    check_outputs,
    check_products,
    check_rows,
    unchanged_on_error,
)
from skmetricmlp.estimators._callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
)
from skmetricmlp.estimators._learning import Fitted, Initialization, learn
from skmetricmlp.estimators._streams import Young
from skmetricmlp.estimators._targets import Classes, Outputs
from skmetricmlp.initialization import check_dense_size, memory_budget
from skmetricmlp.network import DenseWeights, LayerList, Network, read_only
from skmetricmlp.training import Batch, StopReason

__all__ = ["Lesson", "NetworkEstimator", "learns_in_steps"]


def learns_in_steps(estimator: NetworkEstimator) -> bool:
    """Say whether there can be a ``partial_fit``.

    L-BFGS needs all rows, and the step function has no gradient.

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
    if getattr(estimator, "activation", None) == "step":
        msg = (
            "partial_fit does not support activation='step', which has no gradient: set "
            "max_iter=0 and call fit, or choose 'relu', 'logistic' or 'tanh'"
        )
        raise AttributeError(msg)
    return True


def _labels(outputs: Outputs) -> Array | None:
    """Return the classes that were declared, where outputs are classes."""
    return outputs.labels if isinstance(outputs, Classes) else None


class Lesson(NamedTuple):
    """Rows to learn from, and to validate on if there are any, and what they mean."""

    outputs: Outputs
    rows: Batch
    held_out: Batch | None


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """A network that is initialized somehow, and trained.

    An estimator says how it checks its parameters, what ``y`` means, and where a network
    comes from; and what is predicted.
    """

    # Names of losses as the parameter has them, and as the network has them.
    _losses: ClassVar[Mapping[str, str]]
    # What rows of the first call are needed for, as a warning says it.
    _needs: ClassVar[str]
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
            present = self._present() if self.warm_start else None
            network = self.network_ if present else None
            rows = check_rows(self, X, y, sample_weight, network)
            self._check_values(rows.X, present)
            others = check_held_out(self, *held_out, rows.X)
            if others:
                self._check_values(others.X, present, "X_val")
            lesson = self._lesson(rows, others, present, None)
            if present and present.young:
                present = self._outgrown(parameters, rows, lesson, present)
                lesson = self._lesson(rows, others, present, _labels(lesson.outputs))
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
            present = self._present()
            network = self.network_ if present else None
            rows = check_rows(self, X, y, sample_weight, network, "partial_fit")
            self._check_values(rows.X, present)
            lesson = self._lesson(rows, None, present, declared)
            before, (present, young) = (
                present,
                self._grown(parameters, rows, lesson, present),
            )
            if present is not before:
                lesson = self._lesson(rows, None, present, declared)
            task = self._task(X, y, sample_weight, rows)
            reason = self._learn(
                task, "partial-fit", parameters, lesson, present, 1, young
            )
        if young and not before:
            self._warn_of_few_rows(young, parameters, lesson.outputs)
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

    def _present(self) -> Fitted | None:
        """Where the last call left, with the weights as they are now."""
        fitted: Fitted | None = getattr(self, "_fitted", None)
        return fitted and replace(fitted, network=self.network_)

    def _with_loss(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Name the loss as the network has it."""
        return {**parameters, "loss": self._losses[parameters["loss"]]}

    def _grown(
        self,
        parameters: Mapping[str, Any],
        rows: Rows,
        lesson: Lesson,
        present: Fitted | None,
    ) -> tuple[Fitted | None, Young | None]:
        """Make the network of a young stream anew if it has grown by these rows.

        Return where to go on from, and what to keep of the stream.
        """
        if present and not present.young:
            return present, None
        parameters = self._with_loss(parameters)
        initialization = self._initialization(parameters, lesson.outputs)
        n = initialization.n_needed
        if present is None or present.young is None:
            rng = deepcopy(check_random_state(parameters["random_state"]))
            return None, Young.of(rows, lesson.rows, n, rng)
        young = present.young.followed_by(rows, lesson.rows, n)
        suffices = initialization.suffices(present.start, lesson.rows.targets)
        if young.has_grown or not suffices:
            present.made_with.check_same(initialization.made_with)
            present = self._anew(parameters, young.rows_beside(rows.X), present)
            young = young.calculated
        return present, None if young.is_over else young

    def _anew(self, parameters: Mapping[str, Any], rows: Rows, present: Fitted) -> Fitted:
        """Make the network from these rows, as a first call does, but keep the history.

        Weights that are not calculated from rows stay; their units change.
        """
        if present.young:
            parameters = {**parameters, "random_state": deepcopy(present.young.rng)}
        lesson = self._lesson(rows, None, None, _labels(present.outputs))
        initialization = self._initialization(parameters, lesson.outputs)
        made = learn(
            parameters,
            lesson.rows,
            lesson.outputs,
            initialization.of_young_stream(),
            epochs=0,
        )
        if initialization.is_of_rows:
            return replace(made, history=present.history)
        return present.in_units_of(made)

    def _outgrown(
        self,
        parameters: Mapping[str, Any],
        rows: Rows,
        lesson: Lesson,
        present: Fitted,
    ) -> Fitted | None:
        """Say where ``fit`` goes on from after a young stream, if it is not much more."""
        parameters = self._with_loss(parameters)
        initialization = self._initialization(parameters, lesson.outputs)
        young = present.young and present.young.followed_by(
            rows, lesson.rows, initialization.n_needed
        )
        suffices = initialization.suffices(present.start, lesson.rows.targets)
        if suffices and not (young and young.has_grown):
            return present
        present.made_with.check_same(initialization.made_with)
        return (
            None if initialization.is_of_rows else self._anew(parameters, rows, present)
        )

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
        young: Young | None = None,
    ) -> StopReason:
        parameters = self._with_loss(parameters)
        initialization = self._initialization(parameters, lesson.outputs)
        if young and young.lacks_rows:
            initialization = initialization.of_young_stream()
        task.begin(name, epochs)
        fitted = learn(
            parameters,
            lesson.rows,
            lesson.outputs,
            initialization,
            epochs=epochs,
            held_out=lesson.held_out,
            present=present,
            listener=task,
            is_whole=name == "fit",
            young=young,
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
        self.loss_ = history.loss[-1] if history.loss else inf
        self.best_loss_ = None if self.early_stopping else history.loss.lowest
        self.best_validation_score_ = history.kept_score

    def _warn_of_few_rows(
        self, young: Young, parameters: Mapping[str, Any], outputs: Outputs
    ) -> None:
        initialization = self._initialization(self._with_loss(parameters), outputs)
        if young.lacks_rows and initialization.is_of_rows:
            n = len(young.keys)
            warnings.warn(
                f"The first call of partial_fit has {n} distinct row{'s' * (n > 1)}, and "
                f"{self._needs} need {young.n_needed} or more. While the stream is young "
                f"its rows are kept, and the network is calculated anew when there are "
                f"twice as many. Pass more rows to the first call: it is better.",
                stacklevel=4,
            )

    def _warn(self, reason: StopReason) -> None:
        epoch = self.n_iter_ + 1
        if reason == "diverged":
            message = (
                f"The loss stopped being finite in epoch {epoch}; the last weights with "
                f"a finite loss are kept, or better ones before. {self._advice()}"
            )
        elif reason == "worse":
            message = (
                f"Training made the network worse: after {self.n_iter_} epochs the loss "
                f"on the training rows was above that before training. The best weights "
                f"before that are kept. {self._advice()}"
            )
        elif reason == "max_epochs" and self.max_iter:
            message = (
                f"Training stopped after max_iter={self.max_iter} epochs without having "
                f"converged."
            )
        elif reason == "interrupted":
            message = (
                f"Training was interrupted in epoch {epoch}; the weights reached by then "
                f"are kept."
            )
        else:
            return
        category = UserWarning if reason == "interrupted" else ConvergenceWarning
        warnings.warn(message, category, stacklevel=4)

    def _advice(self) -> str:
        if self.solver == "lbfgs":
            return "Try features of unit scale."
        rates = sorted(set(self._fitted.rates), reverse=True)
        listed = ", ".join(f"{rate:g}" for rate in rates)
        return f"Try a smaller learning_rate_init (it was {listed})."

    def _output(self, X: ArrayLike, method: str, network: Network | None = None) -> Array:
        """Output (n, n_outputs) of the network, or another, before its activation."""
        check_is_fitted(self)
        X = check_features(self, X, self.network_, method)
        self._check_values(X, self._fitted)
        network = network or self.network_
        check_products(X, network)
        with np.errstate(over="ignore", invalid="ignore"):
            output = network.affine_output(X)
        check_outputs(output, X)
        return output

    def move_to(self, xp: Any, device: Any = None) -> Self:
        """Copy the estimator, with the network in another namespace or on another device.

        The copy predicts the same, of rows that are there, and can go on training: the
        state of the optimizer moves too. On a device without double precision the
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
        place = Place.of(xp, device)

        def copied(array: Array) -> Array:
            # One that is there already too: weights may be edited in place.
            moved = place.move(array)
            is_same = moved is array
            return place.namespace.asarray(array, copy=True) if is_same else moved

        return self.__sklearn_array_api_convert__(copied)

    def __sklearn_array_api_convert__(self, converter: Callable[[Array], Array]) -> Self:
        """Copy the estimator with converted arrays, as scikit-learn's protocol asks."""
        moved = copy(self)
        if present := self._present():
            moved._assign(present.convert(converter))  # noqa: SLF001 - of its class
        return moved

    @property
    def loss_curve_(self) -> list[float]:
        """Loss of each epoch, in a list of the caller's own."""
        return list(self._fitted.history.loss)

    @property
    def validation_loss_curve_(self) -> list[float] | None:
        """Loss on the validation rows after each epoch, likewise."""
        return list(self._fitted.history.validation_loss) or None

    @property
    def validation_scores_(self) -> list[float] | None:
        """Score of the validation rows after each epoch, likewise."""
        return list(self._fitted.history.validation_score) or None

    @property
    def coefs_(self) -> Sequence[Array]:
        """Weights of each layer, of a tied network those of its dense equivalent."""
        network = self.network_
        if network.is_dense:
            return self._layer_list("coefs_")
        dtype = numpy_type(network.parameters[0])
        limit = self.get_params(deep=False).get("memory_limit", "auto")
        budget = memory_budget(limit, copies=1)
        check_dense_size(network.n_dense_weights, dtype, budget)
        return DenseWeights(network)

    @coefs_.setter
    def coefs_(self, value: Sequence[ArrayLike]) -> None:
        self._set_layers("coefs_", value)

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of each layer, likewise."""
        return self._layer_list("intercepts_")

    @intercepts_.setter
    def intercepts_(self, value: Sequence[ArrayLike]) -> None:
        self._set_layers("intercepts_", value)

    def _layer_list(self, name: str) -> LayerList:
        def assign(arrays: list[Array]) -> LayerList:
            self._set_layers(name, arrays)
            return self._layer_list(name)

        network = self.network_
        if network.is_dense:
            arrays = network.parameters[name == "intercepts_" :: 2]
        else:
            arrays = [read_only(layer.dense_bias()) for layer in network.layers]
        return LayerList(arrays, assign)

    def _set_layers(self, name: str, value: Any) -> None:
        """Let the network have other weights or biases from now on."""
        check_is_fitted(self)
        network = self.network_
        if not network.is_dense:
            msg = (
                f"{name} of a network with tied=True cannot be set, because comparisons "
                f"share their weights: fit with tied=False, or start with tied=False "
                f"from init=(coefs, intercepts)"
            )
            raise AttributeError(msg)
        parameters = network.parameters
        layers = slice(name == "intercepts_", None, 2)
        parameters[layers] = check_layers(name, value, parameters[layers])
        self.network_ = network.with_parameters(parameters)

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
