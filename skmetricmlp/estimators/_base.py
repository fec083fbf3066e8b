"""What all estimators share: the path of ``fit`` and ``partial_fit``, and the network."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from math import inf, isfinite
from numbers import Number
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import Device, device_of, map_arrays, numpy_type, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import (
    Recorded,
    check_features,
    check_incremental,
    check_layers,
    check_outputs,
    check_products,
    check_same_parameters,
    check_training_data,
    check_validation_data,
    check_validation_size,
    layer_rates,
)
from skmetricmlp.estimators._callbacks import (
    CallbackSupportMixin,
    FitTask,
    with_callbacks,
)
from skmetricmlp.estimators._files import restored, written
from skmetricmlp.estimators._held_out import held_out_share
from skmetricmlp.estimators._pytorch import PyTorchMixin
from skmetricmlp.estimators._streams import EarlyStream
from skmetricmlp.estimators._targets import ClassTargets
from skmetricmlp.initialization import check_dense_size
from skmetricmlp.network import (
    DenseWeights,
    LayerList,
    Network,
    from_training,
    read_only,
    to_training,
)
from skmetricmlp.training import (
    SGD,
    Adam,
    History,
    Objective,
    Optimizer,
    StopReason,
    Trained,
    TrainingConfig,
    Validate,
    between,
    loss_and_score,
    train,
    with_scaled_output,
)

__all__ = ["Config", "NetworkEstimator", "Validation", "supports_partial_fit"]

# On this host "page/" leads to the default version.
DOCUMENTATION = "https://skmetricmlp.readthedocs.io/"

# X, y and sample weight of the validation data, or None for each.
Validation = tuple[Any, Any, Any]


class Config(Protocol):
    """Configuration of a network; ``encoding`` is of a table, or None."""

    loss: str
    encoding: Any

    def default_batch_size(self, n_rows: int) -> int:
        """Rows per step where no number is given."""

    def default_rates(self, n_layers: int, *, falls: bool) -> list[float]:
        """One rate per layer where none is given; ``falls`` if they fall to zero."""

    @property
    def is_from_rows(self) -> bool:
        """Whether some weights are calculated from the training data."""


def supports_partial_fit(estimator: NetworkEstimator) -> bool:
    """Whether there is a ``partial_fit``.

    L-BFGS needs all rows, and the step function has no gradient.

    Raises
    ------
    AttributeError
        If there is none, so that ``hasattr`` is False.
    """
    if estimator.solver == "lbfgs":
        msg = (
            "partial_fit does not support solver='lbfgs', which needs all rows: choose "
            "'adam' or 'sgd', or call fit"
        )
        raise AttributeError(msg)
    has_step = getattr(estimator, "activation", None) == "step"
    if has_step and estimator.solver != "closed_form":
        msg = (
            "partial_fit does not support activation='step', which has no gradient: set "
            "max_iter=0 and call fit, or choose 'relu', 'logistic' or 'tanh'"
        )
        raise AttributeError(msg)
    return True


class NetworkEstimator(CallbackSupportMixin, PyTorchMixin, BaseEstimator):  # type: ignore[misc]
    """A network that is initialized and trained.

    A subclass checks its parameters and data, encodes ``y``, and makes the network.
    """

    network_: Network

    # Displays in notebooks link to the documentation: scikit-learn's developer guide.
    _doc_link_module = "skmetricmlp"
    _doc_link_template = (
        f"{DOCUMENTATION}page/api/generated/skmetricmlp.{{estimator_name}}.html"
    )

    @abstractmethod
    def _configure(self, *, trains: bool) -> Any:
        """Check the parameters, and return the configuration of the network."""

    @abstractmethod
    def _check_values(
        self, X: Array, state: FitState | None, encoding: Any, name: str = "X"
    ) -> None:
        """Check that the method is defined for the values of encoded rows."""

    def _with_encoding(self, config: Any, X: Any, state: FitState | None) -> Any:
        """Return the configuration with how to encode X, where it is a table."""
        del X, state
        return config

    def _with_targets(self, config: Any, y: Array) -> Any:
        """Return the configuration with the loss of targets that are several labels."""
        del y
        return config

    @abstractmethod
    def _encode(
        self,
        data: TrainingData,
        validation: TrainingData | None,
        state: FitState | None,
        classes: Any,
    ) -> tuple[Any, TrainingData, TrainingData | None]:
        """Return what the outputs mean, and both data with encoded targets."""

    @abstractmethod
    def _initialize(
        self,
        config: Any,
        targets: Any,
        data: TrainingData,
        y: Array,
        index: Ints,
        state: FitState | None,
        rng: np.random.RandomState,
        *,
        few_rows: bool,
    ) -> FitState:
        """Make a network, or extend that of the state, with outputs in training units.

        ``data`` is on the host, encoded, and has the rows at ``index`` of ``y``, which is
        in the units of the user. The result is on the host.
        """

    @abstractmethod
    def _suffices(self, state: FitState, y: Array) -> bool:
        """Whether the present network has outputs for encoded targets."""

    @abstractmethod
    def _n_rows_needed(self, config: Any, targets: Any) -> int:
        """Distinct rows that the initialization needs."""

    @abstractmethod
    def _record(self, config: Any) -> Recorded:
        """Record the parameters that must stay the same when training goes on."""

    # An overflow is reported where it shows: in the calculated weights, or in the loss.
    @with_callbacks  # type: ignore[untyped-decorator]
    @np.errstate(over="ignore", invalid="ignore")
    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: Any = None,
        validation: Validation = (None, None, None),
        *,
        classes: Any = None,
        incremental: bool = False,
    ) -> EarlyStream | None:
        """Validate, encode, initialize, train, assign.

        This is the one path of ``fit`` and ``partial_fit``. Return the stream if its
        first rows are fewer than the initialization needs, for a warning.
        """
        method = "partial_fit" if incremental else "fit"
        n_epochs = 1 if incremental else self.max_iter
        # Validate.
        config = self._configure(trains=n_epochs != 0)
        check_incremental(self, incremental=incremental)
        state = self._state() if incremental or self.warm_start else None
        like = state.network.parameters[0] if state else None
        config = self._with_encoding(config, X, state)
        table = config.encoding
        data = check_training_data(self, X, y, sample_weight, like, method, table)
        self._check_values(data.X, state, table)
        held_out = self._held_out(validation, data.X, state, table)
        # Encode.
        config = self._with_targets(config, data.y)
        encoded = self._encode(data, held_out, state, classes)
        stream, earlier = None, state
        if state.stream if state else incremental:
            state, stream = self._follow(config, *encoded[:2], data, state, incremental)
        if state is not earlier:  # the stream has other units now, and the same classes
            classes = _labels(encoded[0])
            encoded = self._encode(data, held_out, state, classes)
        targets, rows, validation_rows = encoded
        rng = check_random_state(self.random_state)
        index, validation_rows = self._split(
            rows, validation_rows, targets, rng, n_epochs
        )
        rows = _on_one_device(rows, index)
        task = FitTask(self, _shown(X, y, sample_weight, data), self._attributes)
        task.begin(method.replace("_", "-"), n_epochs)
        # Initialize.
        if state:
            check_same_parameters(state.recorded, self._record(config))
            rng = deepcopy(state.rng)
        previous, start = state, None
        if state is None or not self._suffices(state, rows.y):
            few_rows = stream is not None and stream.lacks_rows
            host = TrainingData(*map(to_numpy, rows))
            made = self._initialize(
                config, targets, host, data.y, index, state, rng, few_rows=few_rows
            )
            state, start = self._in_user_units(made, config, targets, rows.X)
        start = start or targets.to_training_units(state.network)
        training = self._training_config(config, start, rows, n_epochs, incremental)
        if state is not previous or state.optimizer != training.optimizer:
            state = replace(state, optimizer_state=None)
        state = replace(
            state,
            targets=targets,
            rng=rng,
            stream=stream,
            optimizer=training.optimizer,
            rates=training.rates,
            reason="max_epochs",
        )
        # Train.
        if n_epochs:

            def initialize(
                part: TrainingData, where: Ints, rng: np.random.RandomState
            ) -> FitState:
                of_all = config, targets, part, data.y, index[where], None, rng
                return self._initialize(*of_all, few_rows=True)

            share = 1.0 if incremental else self._known_share(config, previous)
            judge = partial(held_out_share, initialize, rows, training)
            state = self._train(
                state, start, rows, training, validation_rows, task, share, judge
            )
        # Assign.
        self._assign(state)
        task.end()
        is_first = previous is None and config.is_from_rows
        return stream if is_first and stream and stream.lacks_rows else None

    def _held_out(
        self, validation: Validation, X: Array, state: FitState | None, table: Any
    ) -> TrainingData | None:
        """Check the validation data."""
        held_out = check_validation_data(self, *validation, X, table)
        if held_out:
            self._check_values(held_out.X, state, table, "X_val")
        return held_out

    def _in_user_units(
        self, made: FitState, config: Any, targets: Any, X: Array
    ) -> tuple[FitState, Network]:
        """Return a new state with its network on the device of X, in the user's units.

        Return the network in training units too.
        """
        start = map_arrays(device_of(X).move, made.network)
        network = targets.to_user_units(start)
        recorded = self._record(config)
        return replace(made, network=network, recorded=recorded, targets=targets), start

    def _state(self) -> FitState | None:
        """Return the state of the last call, with the present weights."""
        state: FitState | None = getattr(self, "_fit_state", None)
        return state and replace(state, network=self.network_)

    def _split(
        self,
        rows: TrainingData,
        validation: TrainingData | None,
        targets: Any,
        rng: np.random.RandomState,
        n_epochs: int,
    ) -> tuple[Ints, TrainingData | None]:
        """Return the rows to train on, and the validation data.

        Rows of weight zero are left out of both. With ``early_stopping`` and no
        validation data, a share of the rows is drawn, stratified by class. A warm start
        with the same rows and seed draws the same ones again.
        """
        index, given = _rows_with_weight(rows), validation is not None
        if validation:
            validation = _on_one_device(validation, _rows_with_weight(validation))
        elif self.early_stopping and n_epochs:
            is_class = isinstance(targets, ClassTargets)
            try:
                kept, taken = train_test_split(
                    np.arange(len(index)),
                    test_size=self.validation_fraction,
                    stratify=rows.y[index] if is_class else None,
                    random_state=rng,
                )
            except ValueError as error:
                msg = (
                    f"validation_fraction={self.validation_fraction} leaves too few "
                    f"rows: {error}"
                )
                raise ValueError(msg) from error
            validation = _on_one_device(rows, index[taken])
            index = index[kept]
        if validation and self.early_stopping and is_regressor(self):
            check_validation_size(validation, self.validation_fraction, given=given)
        return index, validation

    def _training_config(
        self,
        config: Config,
        start: Network,
        rows: TrainingData,
        n_epochs: int,
        incremental: bool,
    ) -> TrainingConfig:
        """Return the configuration of the training.

        In ``fit`` the weights of rows count by their share. In a stream a weight of two
        is that of two rows. Python's floats, unlike NumPy's, leave single precision.
        """
        mean_weight, weights = 1.0, to_numpy(rows.sample_weight)
        if not incremental:
            mean_weight = float(np.mean(weights, dtype=np.float64))
        optimizer: Optimizer | None = None  # L-BFGS takes all rows at once
        if self.solver == "adam":
            optimizer = Adam(float(self.beta_1), float(self.beta_2), float(self.epsilon))
        elif self.solver == "sgd":
            optimizer = SGD(float(self.momentum), bool(self.nesterovs_momentum))
        rate = to_numpy(self.learning_rate_init)
        if isinstance(rate, str) and rate == "auto":
            falls = self.learning_rate == "linear" and not incremental
            rate = config.default_rates(len(start.layers), falls=falls)
        # L-BFGS ends by the gradient: its loss may rest for a while.
        by_loss = self.solver != "lbfgs" or self.early_stopping
        size = self.batch_size
        if isinstance(size, str):
            size = config.default_batch_size(len(weights))
        return TrainingConfig(
            Objective(config.loss, float(self.alpha), mean_weight),
            optimizer,
            rates=layer_rates(rate, len(start.layers)),
            batch_size=int(size),
            max_epochs=n_epochs,
            shuffle=self.shuffle,
            tol=self.tol,
            patience=self.n_iter_no_change if by_loss else inf,
            early_stopping=self.early_stopping,
            schedule=self.learning_rate,
            power_t=float(self.power_t),
            keeps_best=not incremental,
        )

    def _train(
        self,
        state: FitState,
        start: Network,
        rows: TrainingData,
        training: TrainingConfig,
        validation: TrainingData | None,
        task: FitTask,
        share: float | None,
        judge: Callable[[Any], tuple[float, float]],
    ) -> FitState:
        """Return the state after training, at a share of the way from the start.

        The start has outputs in training units. Where the share is not known the judge
        tells it, and the factor of the output there. If it is interrupted the start
        stays.
        """
        rng: Any = state.rng
        try:
            share, factor = judge(deepcopy(rng)) if share is None else (share, 1.0)
        except KeyboardInterrupt:
            return replace(state, reason="interrupted")
        network = to_training(start, state.scaling) if state.scaling else start
        listeners = self._listeners(state, network, rows, training, validation, task)
        trained = train(
            network,
            state.optimizer_state,
            state.history,
            rows,
            training,
            rng,
            **listeners,
        )
        trained = _shortened(network, trained, share, factor, listeners["validate"])
        return replace(_after(state, network, *trained), trained_share=share)

    def _known_share(self, config: Config, previous: FitState | None) -> float | None:
        """How far ``fit`` is to move the start, or None if held-out rows shall tell.

        With ``early_stopping`` the start is among the candidates already. With
        ``warm_start`` a later call goes on where this one ends. Weights that are drawn,
        given or trained before are nothing to come back to.
        """
        share = getattr(self, "trained_share", 1.0)
        if not isinstance(share, str):
            return float(share)
        goes_on = self.early_stopping or self.warm_start or previous is not None
        return 1.0 if goes_on or not config.is_from_rows else None

    def _listeners(
        self,
        state: FitState,
        start: Network,
        rows: TrainingData,
        training: TrainingConfig,
        validation: TrainingData | None,
        task: FitTask,
    ) -> dict[str, Any]:
        """Return the functions that training calls after and before epochs.

        Callbacks may ask for a fitted estimator. That costs a loss of all rows and a
        copy of the optimizer state. There is none where the loss is not finite.
        """

        def fitted(
            history: History, network: Network, optimizer_state: Any
        ) -> FitState | None:
            if not isfinite(training.objective.value(network, rows)):
                return None
            optimizer = training.optimizer
            copied = optimizer and optimizer.copy(optimizer_state)
            reached = _after(state, start, network, copied, history, state.reason)
            return replace(reached, rng=deepcopy(state.rng))

        def before_epoch(*reached: Any) -> None:
            task.begin_epoch(partial(fitted, *reached))

        def on_epoch(history: History, *reached: Any) -> bool:
            if self.verbose:
                _print_epoch(history)
            return task.end_epoch(partial(fitted, history, *reached))

        loss = training.objective.loss
        validate = validation and partial(loss_and_score, loss, data=validation)
        return {
            "validate": validate,
            "before_epoch": before_epoch,
            "on_epoch": on_epoch,
        }

    def _follow(
        self,
        config: Any,
        targets: Any,
        rows: TrainingData,
        data: TrainingData,
        state: FitState | None,
        incremental: bool,
    ) -> tuple[FitState | None, EarlyStream | None]:
        """Follow a stream that has had few rows so far.

        When it has grown, the network is calculated again from all its rows, or in
        ``fit`` from the rows of ``fit``. The history goes on. Weights that are drawn or
        given stay, and only their units change.

        Returns
        -------
        state : FitState or None
            The state to continue from.
        stream : EarlyStream or None
            What is kept for the next call.
        """
        n_needed = self._n_rows_needed(config, targets)
        if state is None:
            rng = deepcopy(check_random_state(self.random_state))
            return None, EarlyStream.from_first_rows(data, rows, n_needed, rng)
        stream = state.stream.followed_by(data, rows, n_needed)
        if stream.has_grown or not self._suffices(state, rows.y):
            check_same_parameters(state.recorded, self._record(config))
            if not incremental and config.is_from_rows:
                return None, None
            kept = stream.data_beside(data.X) if incremental else data
            state = self._calculated_again(config, targets, kept, state)
            stream = stream.calculated
        return state, None if stream.is_over or not incremental else stream

    def _calculated_again(
        self, config: Any, targets: Any, data: TrainingData, state: FitState
    ) -> FitState:
        targets, rows, _ = self._encode(data, None, None, _labels(targets))
        index, rng = _rows_with_weight(rows), deepcopy(state.stream.rng)
        rows = _on_one_device(rows, index)
        host = TrainingData(*map(to_numpy, rows))
        made = self._initialize(
            config, targets, host, data.y, index, None, rng, few_rows=True
        )
        made, _ = self._in_user_units(made, config, targets, rows.X)
        if config.is_from_rows:
            return replace(made, history=state.history, rng=rng)
        units = {"targets": targets, "scaling": made.scaling}
        return replace(state, optimizer_state=None, **units)

    def _attributes(self, state: FitState | None) -> dict[str, Any] | None:
        """Attributes of this estimator if it was in that state."""
        if state is None:
            return None
        other = copy(self)
        other._assign(state)  # noqa: SLF001 - of its class
        return dict(vars(other))

    def _assign(self, state: FitState) -> None:
        self._fit_state = state
        self.network_ = state.network
        self._assign_history(state.history)
        self._assign_targets(state.targets, state.network.parameters[0])

    def _assign_targets(self, targets: Any, like: Array) -> None:
        """Set what depends on the targets, where the array ``like`` is."""

    def _assign_history(self, history: History) -> None:
        self.n_iter_ = len(history)
        self.t_ = history.n_rows
        self.loss_ = history.last[0] if self.n_iter_ else inf
        self.best_loss_ = None if self.early_stopping else history.lowest_loss
        self.best_validation_score_ = history.kept_score

    def _warn(self, stream: EarlyStream | None, *, incremental: bool = False) -> Self:
        """Warn of few rows and of how training ended, at the line of the user's call."""
        if stream:
            n, n_needed = len(stream.keys), stream.n_needed
            warnings.warn(
                f"The first call of partial_fit has {n} distinct row{'s' * (n > 1)}, and "
                f"the initialization needs {n_needed} or more. The rows are kept, and "
                f"the network is calculated again when there are twice as many. It is "
                f"better to pass more rows to the first call.",
                stacklevel=3,
            )
        if (
            self.solver == "closed_form"
        ):  # there was no training, and maybe no network yet
            return self
        reason = self._fit_state.reason
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
        elif reason == "max_epochs" and self._should_converge(incremental):
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
            return self
        category = UserWarning if reason == "interrupted" else ConvergenceWarning
        warnings.warn(message, category, stacklevel=3)
        return self

    def _should_converge(self, incremental: bool) -> bool:
        """Whether training has no end of its own: the linear schedule ends by itself."""
        is_planned = self.learning_rate == "linear" and self.solver != "lbfgs"
        return bool(self.max_iter) and not incremental and not is_planned

    def _advice(self) -> str:
        if self.solver == "lbfgs":
            return "Try features of unit scale."
        rates = sorted(set(self._fit_state.rates), reverse=True)
        listed = ", ".join(f"{rate:g}" for rate in rates)
        return f"Try a smaller learning_rate_init (it was {listed})."

    def _output(self, X: ArrayLike, method: str, network: Network | None = None) -> Array:
        """Output (n, n_outputs) of the network, or another, before its activation."""
        check_is_fitted(self)
        state = self._fit_state
        rows = check_features(self, X, self.network_, method, state.encoding)
        network, rows = self._without_holes(network or self.network_, rows)
        n_columns = self.network_.layers[0].parameters[0].shape[0]
        known = rows[:, :n_columns] if rows.shape[1] > n_columns else rows
        self._check_values(known, state, state.encoding)
        check_products(rows, network)
        with np.errstate(over="ignore", invalid="ignore"):
            output = network.affine_output(rows)
        check_outputs(output, rows)
        return output

    def _without_holes(self, network: Network, X: Array) -> tuple[Network, Array]:
        """Return rows without missing values, and the network that reads them."""
        return network, X

    def _column_names(self, encoding: Any) -> Array | None:
        """Names of the columns that the network reads, if they have any."""
        if encoding is not None:
            return np.array(encoding.names, dtype=object)
        return getattr(self, "feature_names_in_", None)

    def move_to(self, xp: Any, device: Any = None) -> Self:
        """Copy the estimator, with the network in another namespace or on another device.

        The copy makes the same predictions for rows on that device, and can be trained
        further: the state of the optimizer moves too. On a device without double
        precision the network becomes one of single precision.

        Parameters
        ----------
        xp : namespace
            Namespace of the array API: ``numpy``, ``torch``, ``cupy`` or
            ``array_api_strict``.
        device : str or device, default=None
            Device of that namespace; by default its default device.

        Returns
        -------
        moved : estimator
            The copy. Its ``coefs_``, ``intercepts_`` and numbers in ``classes_`` are on
            the device, and exemplars stay in NumPy. This estimator is not changed.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
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
        device = Device.of(xp, device)

        def copied(array: Array) -> Array:
            # Copied even if it is there already: weights may be edited in place.
            moved = device.move(array)
            is_same = moved is array
            return device.namespace.asarray(array, copy=True) if is_same else moved

        return self.__sklearn_array_api_convert__(copied)

    def __copy__(self) -> Self:
        # Without a detour by what is written to a file.
        return self._with_attributes(self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._with_attributes(deepcopy(self.__dict__, memo))

    def _with_attributes(self, attributes: dict[str, Any]) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(attributes)
        return other

    def __getstate__(self) -> dict[str, Any]:
        return written(super().__getstate__())

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(restored(self, state))

    def __sklearn_array_api_convert__(self, converter: Callable[[Array], Array]) -> Self:
        """Copy the estimator with converted arrays: the protocol of scikit-learn."""
        moved = copy(self)
        if state := self._state():
            moved._assign(state.convert(converter))  # noqa: SLF001 - of its class
        return moved

    @property
    def trained_share_(self) -> float:
        """How far the last call moved the weights that it began with, from 0 to 1."""
        check_is_fitted(self)
        share: float = self._fit_state.trained_share
        return share

    @property
    def loss_curve_(self) -> list[float]:
        """Loss of each epoch, in a new list."""
        return self._fit_state.history.losses

    @property
    def validation_loss_curve_(self) -> list[float] | None:
        """Loss on the validation data after each epoch, in a new list."""
        return self._fit_state.history.validation_losses or None

    @property
    def validation_scores_(self) -> list[float] | None:
        """Score on the validation data after each epoch, in a new list."""
        return self._fit_state.history.validation_scores or None

    @property
    def coefs_(self) -> Sequence[Array]:
        """Weights of each layer, or of the dense equivalent of a tied network."""
        network = self.network_
        if network.is_dense:
            return self._layer_list("coefs_")
        dtype = numpy_type(network.parameters[0])
        return DenseWeights(network, partial(check_dense_size, dtype=dtype))

    @coefs_.setter
    def coefs_(self, value: Sequence[ArrayLike]) -> None:
        self._set_layers("coefs_", value)

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of each layer, or of the dense equivalent of a tied network."""
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
        """Replace the weights or biases of the network."""
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
        """Tell scikit-learn what the estimator accepts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags


def _shortened(
    start: Network,
    trained: Trained,
    share: float,
    factor: float,
    validate: Validate | None,
) -> Trained:
    """Return the result of training at a share of the way, with a scaled output."""
    end, _, history, reason = trained
    if (share, factor) == (1.0, 1.0) or end is start:
        return trained
    network = between(start, end, share)
    if factor != 1.0:
        network = with_scaled_output(network, factor)
    if validate:
        history = replace(history, kept_score=validate(network)[1])
    return network, None, history, reason


def _after(
    state: FitState,
    start: Network,
    network: Network,
    optimizer_state: Any,
    history: History,
    reason: StopReason,
) -> FitState:
    """Return the state after training that began at ``start``."""
    changes = {"optimizer_state": optimizer_state, "history": history, "reason": reason}
    if network is not start:  # the start is not converted twice, which would round it
        if state.scaling:
            network = from_training(network, state.scaling)
        changes["network"] = state.targets.to_user_units(network)
    return replace(state, **changes)


def _labels(targets: Any) -> Array | None:
    """Labels of the classes, or None where there are none."""
    return targets.labels if isinstance(targets, ClassTargets) else None


def _rows_with_weight(rows: TrainingData) -> Ints:
    index = np.flatnonzero(rows.sample_weight > 0)
    if not len(index):
        by_class = " times class_weight" if rows.y.ndim == 1 else ""
        msg = f"the weight of every row, sample_weight{by_class}, is zero"
        raise ValueError(msg)
    return index


def _on_one_device(rows: TrainingData, index: Ints) -> TrainingData:
    """Return the rows at the positions ``index``, all on the device of ``X``."""
    device = device_of(rows.X)
    moved = TrainingData(rows.X, device.move(rows.y), device.move(rows.sample_weight))
    is_whole = len(index) == len(rows.sample_weight)
    return moved if is_whole else moved.take(device.move(index))


def _shown(X: Any, y: Any, sample_weight: Any, data: TrainingData) -> dict[str, Any]:
    """Return what callbacks see: the data of the user, and a weight for each row."""
    metadata = None
    if sample_weight is not None:
        is_one = isinstance(sample_weight, Number)
        metadata = {"sample_weight": data.sample_weight if is_one else sample_weight}
    return {"X": X, "y": y, "metadata": metadata}


def _print_epoch(history: History) -> None:
    loss, _, score = history.last
    line = f"Epoch {len(history)}, loss = {loss:.8f}"
    if score is not None:
        line += f", validation score = {score:f}"
    print(line)  # noqa: T201 - verbose means to print
