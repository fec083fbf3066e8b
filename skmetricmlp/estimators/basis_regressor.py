"""The regressor for functions: parameters, fit / partial_fit / predict, attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from skmetricmlp._array_api import numpy_type, to_numpy
from skmetricmlp._data import TrainingData, distinct_rows
from skmetricmlp._errors import unchanged_on_error
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import (
    Recorded,
    check_basis_parameters,
    check_box,
    check_sides,
    check_size,
    get_parameters,
    record_parameters,
)
from skmetricmlp.basis import (
    basis_network,
    domain_of,
    hidden_width,
    highest_degree,
    n_polynomials,
)
from skmetricmlp.estimators._base import NetworkEstimator, supports_partial_fit
from skmetricmlp.estimators._targets import DomainTargets, RegressionTargets
from skmetricmlp.initialization import check_n_weights, dense_layers, given_network
from skmetricmlp.network import Network

__all__ = ["BasisInitMLPRegressor"]


# Learning rates where none is given.
USUAL_RATE, FITTED_RATE = 1e-3, 1e-4
USUAL_BATCH = 200


@dataclass(frozen=True)
class _BasisConfig:
    """Configuration of a network that is assembled from basis networks."""

    init: Any = "basis"
    degree: int | str = "auto"
    n_parts: int = 1
    loss: str = "identity_squared_error"
    encoding: ClassVar[None] = None

    def resolved_degree(self, n_features: int) -> int:
        """Return the degree, or the highest one for ``"auto"``."""
        if isinstance(self.degree, str):
            return highest_degree(n_features)
        return self.degree

    @property
    def is_from_rows(self) -> bool:
        """Whether the output is fitted to the training data."""
        return isinstance(self.init, str) and self.init == "basis"

    def default_batch_size(self, n_rows: int) -> int:  # noqa: ARG002 - one for all
        """Rows per step where no number is given."""
        return USUAL_BATCH

    def default_rates(self, n_layers: int, *, falls: bool) -> list[float]:
        """One rate per layer where none is given."""
        del falls
        return [FITTED_RATE if self.is_from_rows else USUAL_RATE] * n_layers


class BasisInitMLPRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """Network for a function of few variables, assembled from networks of polynomials.

    The package contains small networks of GELU units that were trained to be the
    monomials of one variable and of two on a reference domain. Their hidden units form
    one hidden layer, and inputs are mapped from the domain of the function to the
    reference domain. The output layer is fitted to the training data by least squares,
    and training refines everything.

    For smooth functions the network is precise before training. With more than two
    variables each variable has the basis networks of one variable, as if the function was
    a sum of functions of one variable each. Training has to find the rest, and
    :class:`MetricInitMLPRegressor` is the better choice.

    Parameters
    ----------
    init : str or tuple, default="basis"
        The weights before training.

        - ``"basis"``: assembled from basis networks.
        - ``"random"``, ``"glorot_uniform"``: baselines, both with Glorot's weights.
        - ``"he_uniform"``: He's weights.
        - ``"uniform"``: on [-0.5, 0.5].
        - ``"zeros"``, ``"ones"``: constants.
        - ``(coefs, intercepts)``: given weights in the units of X and ``y``.

        All have the architecture of ``"basis"``.
    degree : int or "auto", default="auto"
        Highest degree of the monomials. For two variables up to 5, with 20 monomials of
        24 units each; otherwise up to 8 of each variable, with 16 units each. ``"auto"``
        is the highest.
    n_parts : int, default=1
        Number of parts that each side of the domain is divided into, each with basis
        networks of its own, for functions that vary more than one polynomial can.
    domain : array-like of shape (n_features, 2) or "auto", default="auto"
        Lower and upper end of each variable. ``"auto"`` is the range of the training
        data. The rows of the first call must lie in it; later rows, and those to predict,
        need not. The index of a DataFrame with feature names must be the names of X, in
        the same order.
    loss : {"squared_error"}, default="squared_error"
        Half the squared error, summed over the outputs, each in units of its variance.
    solver : {"lbfgs", "adam", "sgd"}, default="lbfgs"
        The optimizer.

        - ``"lbfgs"``: L-BFGS on all rows at once. An epoch is an iteration.
        - ``"adam"``, ``"sgd"``: on minibatches. Their steps are too coarse to refine a
          precise start.
    alpha : float, default=0.0
        Strength of the L2 penalty, which is divided by the rows of the minibatch times
        the mean weight of a row. It applies to the weights for scaled inputs.
    batch_size : int or "auto", default="auto"
        Rows per gradient step. ``"auto"`` is ``min(200, n_samples)``.
    learning_rate_init : "auto", float or sequence of float, default="auto"
        One step size, or one for each of the two layers. ``"auto"`` is 0.0001 with
        ``init="basis"``, and 0.001 otherwise.
    learning_rate : {"constant", "linear", "invscaling", "adaptive"}, default="constant"
        How the step size changes during ``fit``. ``partial_fit`` lowers it by
        ``"invscaling"`` only.

        - ``"constant"``: not at all.
        - ``"linear"``: by equal amounts per epoch, toward zero after ``max_iter`` epochs.
        - ``"invscaling"``: divided by ``(t + 1)^power_t`` after t rows.
        - ``"adaptive"``: divided by 5 each time that training would end because it does
          not improve, until it is at most 1e-6.

        The last two are those of :class:`~sklearn.neural_network.MLPClassifier`. Here
        they work with ``solver="adam"`` too.
    power_t : float, default=0.5
        Exponent of ``learning_rate="invscaling"``.
    max_iter : int, default=200
        Number of epochs at most. 0 leaves the network as it is assembled. Weights with a
        higher training objective than those before training are not kept.
    shuffle : bool, default=True
        Draw a new order of the rows for each epoch.
    random_state : int, RandomState instance or None, default=None
        Draws random weights, validation data and the order of the rows.
    tol : float, default=1e-9
        Smallest improvement of the training loss, or with ``early_stopping`` of the
        validation R^2, that counts. With ``solver="lbfgs"`` training ends where no
        element of the gradient is larger.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Let ``fit`` continue from the present weights. As in ``partial_fit``, the
        parameters that the network depends on must not change then: ``init``,
        ``degree``, ``n_parts``, ``domain`` and ``loss``.
        All others may change from call to call.
    momentum : float, default=0.9
        Momentum of ``solver="sgd"``, from 0 to 1.
    nesterovs_momentum : bool, default=True
        Use Nesterov's momentum with ``solver="sgd"``.
    early_stopping : bool, default=False
        Stop when the R^2 on validation data stops improving, and keep the weights
        with the highest one. The weights before the first epoch count too.
    validation_fraction : float, default=0.1
        Share of the training data that ``early_stopping`` uses as validation data, if
        ``fit`` gets none.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the moments of ``solver="adam"``, from 0 to less than 1.
    epsilon : float, default=1e-8
        Added to the denominator of ``solver="adam"``.
    n_iter_no_change : int, default=10
        Training ends after more epochs in a row than this without improvement. Infinity
        stands for never.

    Attributes
    ----------
    domain_ : ndarray of shape (n_features, 2)
        Lower and upper end of each variable.
    network_ : Network
        The present network, in the units of X and y. The next five attributes are views
        of it.
    coefs_ : list of array of shape (n_in, n_out)
        Weights of both layers, where X was. They may be edited in place and replaced, one
        or all, by arrays of the same shapes. Predictions, ``partial_fit`` and a warm
        start use them.
    intercepts_ : list of array of shape (n_out,)
        Biases of both layers, likewise.
    n_layers_ : int
        Number of layers, the input included: 3.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : {"identity"}
        Activation of the output layer.
    loss_ : float
        Loss of the last epoch; infinite before the first.
    best_loss_ : float or None
        The lowest loss; None with ``early_stopping``.
    loss_curve_ : list of float
        Mean objective over the minibatches of each epoch, in units of the variance of y.
    validation_loss_curve_ : list of float or None
        Mean loss on the validation data after each epoch; None without such data.
    validation_scores_ : list of float or None
        R^2 on the validation data, likewise; NaN for a single row.
    best_validation_score_ : float or None
        Validation score of the weights that were kept, which may be those of the start.
    n_iter_ : int
        Epochs since the weights were initialized.
    t_ : int
        Rows that gradient steps have used.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Feature names. Only if X has names that are all strings.

    See Also
    --------
    MetricInitMLPRegressor : For any number of features, and noisy tables.
    sklearn.neural_network.MLPRegressor : Starts from random weights.

    References
    ----------
    X. Hu, Y. Huang, N. Yi, P. Yin, arXiv 2510.08780.

    Examples
    --------
    >>> import numpy as np
    >>> from skmetricmlp import BasisInitMLPRegressor
    >>> X = np.linspace(0, 3, 200).reshape(-1, 1)
    >>> y = 100 * np.exp(-X[:, 0]) * np.cos(3 * X[:, 0])
    >>> reg = BasisInitMLPRegressor(max_iter=0).fit(X, y)
    >>> bool(abs(reg.predict(X) - y).max() < 0.5)
    True
    """

    def __init__(
        self,
        init: str | tuple[Sequence[ArrayLike], Sequence[ArrayLike]] = "basis",
        *,
        degree: int | str = "auto",
        n_parts: int = 1,
        domain: ArrayLike | str = "auto",
        loss: str = "squared_error",
        solver: str = "lbfgs",
        alpha: float = 0.0,
        batch_size: int | str = "auto",
        learning_rate_init: str | float | Sequence[float] = "auto",
        learning_rate: str = "constant",
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-9,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
    ) -> None:
        self.init = init
        self.degree = degree
        self.n_parts = n_parts
        self.domain = domain
        self.loss = loss
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> BasisInitMLPRegressor:
        """Assemble basis networks, fit the output and train.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data. float32 stays float32.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. A row of weight zero is left out, and a row of weight
            two counts as two rows.
        X_val : array-like of shape (n_val, n_features), default=None
            Validation data, which are evaluated after each epoch, also without
            ``early_stopping``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : BasisInitMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not accepted. The estimator stays as it was.
        MemoryError
            If the network would take more than half of the memory available.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` epochs did not suffice, if the loss stopped being finite, or
            if training raised the training objective. The best weights are then kept.
        """
        with unchanged_on_error(self):
            validation = X_val, y_val, sample_weight_val
            stream = self._fit(X, y, sample_weight, validation)
        return self._warn(stream)

    @available_if(supports_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> BasisInitMLPRegressor:
        """Train for one epoch over the given rows.

        There is no such method with ``solver="lbfgs"``.

        The first call fits the output to its rows, and a ``domain`` of ``"auto"`` is
        their range. If it has fewer than three distinct rows per polynomial, the rows are
        kept. Whenever there are twice as many, the domain, the mean and the deviation of
        ``y`` and the output are calculated again from all of them, as in a first call
        with all rows so far. Gradient steps in between are lost. Functions with drawn or
        given weights stay as they are. When there are enough rows, they are dropped.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : BasisInitMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not accepted. The estimator stays as it was.
        MemoryError
            If the network would take more than half of the memory available.

        Warns
        -----
        UserWarning
            If the first call has fewer distinct rows than the initialization needs.
        """
        with unchanged_on_error(self):
            stream = self._fit(X, y, sample_weight, incremental=True)
        return self._warn(stream, incremental=True)

    def predict(self, X: ArrayLike) -> Array:
        """Predict values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to predict. Outside the domain polynomials grow fast.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Predicted values on the device of X, of the shape that ``fit`` was given.

        Raises
        ------
        ValueError
            If X is not accepted, or is on another device than the network.
        """
        output = self._output(X, "predict")
        return output[:, 0] if self._fit_state.targets.is_vector else output

    @property
    def domain_(self) -> Array:
        """Lower and upper end of each variable."""
        return self._fit_state.targets.domain

    def _configure(self, *, trains: bool) -> _BasisConfig:
        del trains
        parameters = get_parameters(self)
        check_basis_parameters(parameters)
        form = {name: parameters[name] for name in ("init", "degree", "n_parts")}
        return _BasisConfig(**form)

    def _check_values(
        self, X: Array, state: FitState | None, encoding: Any, name: str = "X"
    ) -> None:
        """Accept numbers outside the domain too."""
        if state is None:
            check_size(X, self._column_names(encoding), name)

    def _encode(
        self,
        data: TrainingData,
        validation: TrainingData | None,
        state: FitState | None,
        classes: Any,
    ) -> tuple[DomainTargets, TrainingData, TrainingData | None]:
        """Standardize the values, and map the variables to the reference domain."""
        del classes
        targets: DomainTargets
        if state:
            targets = state.targets
        else:
            has_weight = data.sample_weight > 0
            X = to_numpy(data.X)[has_weight if has_weight.any() else slice(None)]
            names = getattr(self, "feature_names_in_", None)
            is_auto = isinstance(self.domain, str) and self.domain == "auto"
            domain = domain_of(X) if is_auto else check_box(self.domain, X, names)
            check_sides(domain, numpy_type(data.X))
            values = RegressionTargets.from_values(data.y, data.sample_weight)
            targets = DomainTargets(values, domain)

        def encoded(data: TrainingData, name: str) -> TrainingData:
            y = targets.encode(data.y, name).astype(data.sample_weight.dtype)
            return TrainingData(targets.mapped(data.X), y, data.sample_weight)

        held_out = encoded(validation, "y_val") if validation else None
        return targets, encoded(data, "y"), held_out

    def _initialize(
        self,
        config: _BasisConfig,
        targets: DomainTargets,
        data: TrainingData,
        y: Array,
        index: Ints,
        state: FitState | None,
        rng: np.random.RandomState,
        *,
        few_rows: bool,
    ) -> FitState:
        """Assemble, draw or take over a network."""
        del y, index, state, few_rows  # the width does not depend on the rows
        d, n_outputs = len(targets.domain), len(targets.values.mean)
        degree = config.resolved_degree(d)
        sizes = [d, hidden_width(d, degree, config.n_parts), n_outputs]
        check_n_weights(
            (d + 1 + n_outputs) * sizes[1],
            data.X.dtype,
            self.solver,
            f"Choose a smaller degree (it was {degree}) or fewer parts (n_parts="
            f"{config.n_parts}), or select some of the {d} features",
        )
        if config.is_from_rows:
            # Equal rows count as their mean: to weight a row twice is to repeat it.
            rows = distinct_rows(*data)
            network = basis_network(
                data.X[rows.index],
                rows.y,
                rows.sample_weight,
                degree=degree,
                domain=np.tile([-1.0, 1.0], (d, 1)),  # of the mapped variables
                n_parts=config.n_parts,
            )
        elif isinstance(config.init, str):
            layers = dense_layers(config.init, sizes, ("gelu", "identity"), rng)
            network = Network(tuple(layers))
        else:
            network = given_network(
                config.init, list(pairwise(sizes)), "gelu", "identity"
            )
            network = targets.to_training_units(network)
        return FitState(network.astype(data.X.dtype), config=config)

    def _suffices(self, state: FitState, y: Array) -> bool:
        del state, y
        return True

    def _n_rows_needed(self, config: _BasisConfig, targets: DomainTargets) -> int:
        """Return one row for each polynomial."""
        d = len(targets.domain)
        return n_polynomials(d, config.resolved_degree(d), config.n_parts)

    def _record(self, config: _BasisConfig) -> Recorded:
        parameters = get_parameters(self)
        names = ("init", "degree", "n_parts", "domain", "loss")
        resolved = {"degree": config.resolved_degree(self.n_features_in_)}
        return record_parameters({name: parameters[name] for name in names}, resolved)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what the estimator accepts."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.target_tags.multi_output = True
        return tags
