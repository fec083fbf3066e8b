"""The regressor for functions: parameters, fit / partial_fit / predict, attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from skmetricmlp._array_api import numpy_type, to_numpy
from skmetricmlp._typing import Array
from skmetricmlp._validation import (
    Rows,
    check_basis_parameters,
    check_box,
    check_sides,
    check_size,
)
from skmetricmlp.basis import domain_of, highest_degree
from skmetricmlp.estimators._base import Lesson, NetworkEstimator, learns_in_steps
from skmetricmlp.estimators._basis_initialization import BasisInitialization
from skmetricmlp.estimators._learning import Fitted
from skmetricmlp.estimators._targets import Function, Values
from skmetricmlp.training import Batch

__all__ = ["BasisInitMLPRegressor"]


class BasisInitMLPRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """Network for a function of few variables, made of networks that are polynomials.

    The package has small networks of GELU units that were trained, once, to be the
    monomials on a reference domain, of one variable and of two. Their hidden units stand
    beside each other in one hidden layer, inputs are mapped from the domain of the
    function to the reference domain, the output layer is fitted to the rows by least
    squares, and then everything is refined.

    For smooth functions that is precise before any training. Of more than two variables
    each one has the basis networks of one variable, as if the function was a sum of
    functions of one variable each; what is more than a sum is for the training to find,
    and :class:`MetricInitMLPRegressor` the better choice.

    Parameters
    ----------
    init : str or tuple, default="basis"
        The weights before training. ``"basis"`` puts basis networks together. The others
        are baselines of the same architecture: ``"random"`` and ``"glorot_uniform"``
        (both Glorot's), ``"he_uniform"``, ``"uniform"`` (on [-0.5, 0.5]), ``"zeros"``,
        ``"ones"``, or weights to start from, as ``(coefs, intercepts)``.
    degree : int or "auto", default="auto"
        Highest degree of the monomials: for two variables up to 5, which is 20 of them
        with 24 units each, and otherwise up to 8 of each variable, with 16 units each.
        ``"auto"`` is the highest.
    n_parts : int, default=1
        Parts that each side of the domain is cut into, each with basis networks of its
        own: for functions that vary more than a polynomial of that degree can.
    domain : array-like of shape (n_features, 2) or "auto", default="auto"
        Lower and upper end of each variable. ``"auto"`` is the range of the training
        rows. The rows of the first call must lie in it; later ones, and those to predict,
        need not. If it is a DataFrame with feature names as its index, those must be the
        names of X, in the same order.
    loss : {"squared_error"}, default="squared_error"
        Half the squared error, summed over the outputs, each in units of its variance.
    solver : {"lbfgs", "adam", "sgd"}, default="lbfgs"
        ``"lbfgs"``: L-BFGS on all rows at once; an epoch is an iteration. The steps of
        the others are too coarse for what is fitted that precisely.
    alpha : float, default=0.0
        Strength of the L2 penalty, divided by the weight of the rows (or minibatch).
    batch_size : int or "auto", default="auto"
        Rows per gradient step; ``"auto"`` is ``min(200, n_samples)``. Not of ``"lbfgs"``.
    learning_rate_init : "auto", float or sequence of float, default="auto"
        One step size, or one for each of the two layers. ``"auto"`` is 0.0001 with
        ``init="basis"``, and 0.001 otherwise. Not of ``"lbfgs"``.
    learning_rate : {"constant", "linear"}, default="constant"
        ``"linear"`` lowers the step size from epoch to epoch, toward zero after
        ``max_iter`` of them.
    max_iter : int, default=200
        Most epochs. 0 leaves the network as it was put together.
    shuffle : bool, default=True
        Draw a new order of the rows for each epoch.
    random_state : int, RandomState instance or None, default=None
        Draws random weights, the validation rows and the order of the rows.
    tol : float, default=1e-9
        An epoch that does not improve the training loss (or, with ``early_stopping``,
        the validation R^2) by this much counts as one without improvement. With
        ``solver="lbfgs"`` training ends instead where no element of the gradient is
        larger.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Let ``fit`` go on from the present weights. As for ``partial_fit``, the parameters
        that the network was made with have to stay then, and a change of them is an
        error: ``init``, ``degree``, ``n_parts``, ``domain`` and ``loss``. Others may
        change from call to call: the solver and its settings, step sizes, ``alpha``,
        ``batch_size``, ``max_iter``, ``shuffle``, ``tol``, early stopping and
        ``random_state`` (which then draws validation rows only).
    momentum : float, default=0.9
        Of ``solver="sgd"``, from 0 to 1.
    nesterovs_momentum : bool, default=True
        Of ``solver="sgd"``.
    early_stopping : bool, default=False
        Stop when the R^2 on validation rows stops improving, and keep the weights
        with which it was highest, be it those before the first epoch.
    validation_fraction : float, default=0.1
        Share of the training rows that ``early_stopping`` holds out where ``fit`` is not
        given any.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the running means of ``solver="adam"``, from 0 up to 1.
    epsilon : float, default=1e-8
        Of ``solver="adam"``.
    n_iter_no_change : int, default=10
        More epochs in a row than this without improvement end the training; infinity
        stands for never.

    Attributes
    ----------
    domain_ : ndarray of shape (n_features, 2)
        Lower and upper end of each variable.
    network_ : Network
        The network as it is now, of inputs and outputs in the units of X and y; the next
        five attributes are views of it.
    coefs_ : list of array of shape (n_in, n_out)
        Weights of both layers, where X was. They may be edited in place, and replaced,
        one or all, by others of the same shapes: that is what predicts, and what
        ``partial_fit`` and a warm start go on from.
    intercepts_ : list of array of shape (n_out,)
        Biases of both layers, likewise.
    n_layers_ : int
        Layers including the input: 3.
    n_outputs_ : int
    out_activation_ : {"identity"}
    loss_ : float
        Of the last epoch; infinite before the first.
    best_loss_ : float or None
        The lowest; None with ``early_stopping``.
    loss_curve_ : list of float
        Objective of each epoch, in units of the variance of y.
    validation_loss_curve_ : list of float or None
        Mean loss on the validation rows after each epoch; None without such rows.
    validation_scores_ : list of float or None
        Their R^2, likewise; NaN of a single row.
    best_validation_score_ : float or None
        Validation score of the weights that were kept, be it those of the start.
    n_iter_ : int
        Epochs since the weights were initialized.
    t_ : int
        Rows that gradient steps have seen.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only if X has feature names that are all strings.

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

    _needs = "its polynomials"
    _losses = {"squared_error": "identity_squared_error"}  # noqa: RUF012

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
        """Put basis networks together, fit the output to the rows, and train.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            float32 stays float32.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values of the function.
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative. A row of weight zero is left out; one of weight two counts
            as two rows.
        X_val : array-like of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, also without ``early_stopping``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
        sample_weight_val : array-like of shape (n_val,), default=None

        Returns
        -------
        self : BasisInitMLPRegressor
            The same object.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not accepted; the estimator is then as it was.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` epochs did not suffice, the loss stopped being finite, or
            training made the network worse on the training rows than it was before;
            the best weights are then kept.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(learns_in_steps)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> BasisInitMLPRegressor:
        """Train for one epoch over the given rows.

        The first call fits the output to the rows that it is given, and a ``domain`` of
        ``"auto"`` is their range. If these are few, less than three distinct rows for
        each polynomial, the stream is young: rows are kept, and whenever there are twice
        as many, domain, mean and deviation of values, and output are calculated anew, as
        by a first call with all rows so far; gradient steps in between are forgotten. Of
        weights that are drawn or given the function stays. When there are enough the
        rows are dropped. There is no such method with ``solver="lbfgs"``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : BasisInitMLPRegressor
            The same object.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not accepted; the estimator is then as it was.

        Warns
        -----
        UserWarning
            If the first call has fewer distinct rows than there are polynomials.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: ArrayLike) -> Array:
        """Predict values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Also outside the domain, where polynomials grow fast.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Where X is, of the shape that ``fit`` was given.

        Raises
        ------
        ValueError
            If X is not accepted, or is in another namespace or on another device than
            the network.
        """
        output = self._output(X, "predict")
        return output[:, 0] if self._fitted.outputs.is_vector else output

    @property
    def domain_(self) -> Array:
        """Lower and upper end of each variable."""
        return self._fitted.outputs.domain

    def _check_parameters(self, parameters: Mapping[str, Any], *, trains: bool) -> None:
        del trains
        check_basis_parameters(parameters)

    def _check_values(self, X: Array, present: Fitted | None, whose: str = "X") -> None:
        """Accept numbers outside the domain too."""
        if present is None:
            check_size(X, getattr(self, "feature_names_in_", None), whose)

    @np.errstate(over="ignore", invalid="ignore")
    def _lesson(
        self, rows: Rows, held_out: Rows | None, present: Fitted | None, declared: Any
    ) -> Lesson:
        del declared
        function: Function
        if present:
            function = present.outputs
        else:
            counts = rows.sample_weight > 0
            X = to_numpy(rows.X)[counts if counts.any() else slice(None)]
            names = getattr(self, "feature_names_in_", None)
            is_auto = isinstance(self.domain, str) and self.domain == "auto"
            domain = domain_of(X) if is_auto else check_box(self.domain, X, names)
            check_sides(domain, numpy_type(rows.X))
            function = Function(Values.of(rows.y, rows.sample_weight), domain)

        def batch(X: Array, y: Array, weights: Array, name: str) -> Batch:
            targets = function.encode(y, name).astype(weights.dtype)
            return Batch(function.mapped(X), targets, weights)

        others = batch(*held_out, "y_val") if held_out else None
        return Lesson(function, batch(*rows, "y"), others)

    def _initialization(
        self, parameters: Mapping[str, Any], outputs: Function
    ) -> BasisInitialization:
        degree = parameters["degree"]
        if isinstance(degree, str):
            degree = highest_degree(len(outputs.domain))
        return BasisInitialization({**parameters, "degree": degree}, outputs)

    def __sklearn_tags__(self) -> Tags:
        """Say what the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.target_tags.multi_output = True
        return tags
