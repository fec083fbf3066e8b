"""The regressor: parameters, fit / partial_fit / predict, fitted attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from skmetricmlp._data import TrainingData
from skmetricmlp._errors import unchanged_on_error
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array
from skmetricmlp._validation import REGRESSOR_CHOICES, invalid_parameter, is_integer
from skmetricmlp.estimators._base import supports_partial_fit
from skmetricmlp.estimators._metric_base import MetricEstimator
from skmetricmlp.estimators._targets import RegressionTargets
from skmetricmlp.inspection.explanation import at_exemplars

__all__ = ["MetricInitMLPRegressor"]


class MetricInitMLPRegressor(RegressorMixin, MetricEstimator):  # type: ignore[misc]
    """Multi-layer perceptron for values, its weights calculated from a few exemplars.

    Neuron (i, j) of the first layer compares the distances of two exemplars from the
    input, as in :class:`MetricInitMLPClassifier`. What reads them is a choice,
    ``readout``:

    - ``"comparisons"``: an output layer, fitted in closed form, reads the comparisons
      and ``n_random_units`` random units beside them. Layers of the widths d,
      N(N-1) + 500, n_outputs for d features and N exemplars.
    - ``"exemplars"``: the output layer carries the values of the exemplars. Before any
      training the network is a nearest-exemplar regressor, or with ``n_neighbors > 1``
      the mean of the nearest: exactly with ``activation="step"``, nearly with the
      activations that can be trained. Widths d, N(N-1), N, n_outputs.

    Backpropagation then refines either. In training, values are taken less their mean
    and over their deviation, so that their units do not matter; ``coefs_`` and
    ``intercepts_`` are in the units of ``y``.

    Distances want features of comparable scale: put a
    :class:`~sklearn.preprocessing.StandardScaler` before it, or choose a metric that does
    not depend on units. Training does not depend on them: inside it reads features less
    their mean and over their scale.

    Parameters
    ----------
    init : str or tuple, default="metric"
        The weights before training. ``"metric"`` calculates them. The others are
        baselines of the same architecture: ``"random"`` (He with ReLU, else Glorot),
        ``"uniform"`` (on [-0.5, 0.5]), ``"glorot_uniform"``, ``"he_uniform"``,
        ``"zeros"``, ``"ones"``, or weights to start from, as ``(coefs, intercepts)`` in
        the units of ``y``.
    n_exemplars : int, float or "auto", default=30
        An int is the total, at most the distinct rows. A float is that total as a
        fraction of the distinct training rows. ``"auto"`` is the least of several totals,
        from 6 to 126, at which the mean value of the nearest exemplars is not clearly
        worse than at the best, by cross-validation; ``n_exemplars_`` says which.
    exemplars : str or tuple, default="kmeans"
        ``"kmeans"``: centers of k-means, each with the mean value of its cluster.
        ``"random"``: rows. ``"kmedoids"``: the rows with the least total distance from
        the others. Or given as ``(points, values)`` of shapes (N, d) and (N,) or
        (N, n_outputs), which overrides ``n_exemplars``. Points, dense or sparse, are in
        the units of X and, if they have column names, in the order of its features; a
        warning says if most of them lie far outside the rows. Of rows that are equal, the
        value is the mean.
    metric : str, transformer or callable, default="sqeuclidean"
        What is near. ``"sqeuclidean"``; ``"seuclidean"``; ``"mahalanobis"``;
        ``"cosine"``; ``"kl"``, the generalized Kullback-Leibler divergence of data >= 0;
        ``"itakura_saito"``, of data > 0; ``"chamfer"``, of images with values from 0
        to 1; a scikit-learn transformer with a linear map, such as
        :class:`~sklearn.cross_decomposition.PLSRegression`, the distance being the one
        between transformed rows; or a function that returns
        ``(A, b)``, of shapes (N, d) and (N,), for points of shape (N, d), so that
        ``A @ x + b`` are the distances of x from the points, up to a term that is the
        same for all. A transformer is fitted on the training rows unless it is fitted;
        to keep it so in a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`. Weights of rows are passed to it only if
        its ``fit`` takes ``sample_weight``, as that of
        :class:`~sklearn.preprocessing.StandardScaler` does; a pipeline's does not.
    metric_params : dict or None, default=None
        ``V`` (variances) of ``"seuclidean"``; ``V`` (covariance) or ``VI`` (its inverse)
        of ``"mahalanobis"``; ``smoothing`` of ``"kl"``, added to all values, by default
        0.1 of their mean; ``image_shape`` (required) and ``threshold`` (0.5) of
        ``"chamfer"``; keyword arguments of a callable. What is not given is taken from
        the training rows. The names of a DataFrame or Series must be those of the
        features of X, in the same order.
    n_neighbors : int, default=1
        Of how many nearest exemplars the values are averaged, with
        ``readout="exemplars"``.
    readout : {"auto", "comparisons", "exemplars"}, default="auto"
        What the output reads; see above. ``"auto"`` is ``"exemplars"`` where a mean of
        the nearest is asked for, by ``n_neighbors > 1``, ``activation="step"`` or
        ``output_init="values"``, or three layers or more are given as ``init``, and
        ``"comparisons"`` otherwise.
    activation : {"relu", "logistic", "tanh", "step"}, default="relu"
        Of the hidden layers. ``"step"`` has no gradient and needs ``max_iter=0``. With
        ReLU, ``n_neighbors > 1`` is a mean weighted by distance: the weight falls
        linearly with the sum of the excesses over all nearer exemplars, and typically k
        of them have any.
    sharpness : float, default=1.0
        How near the untrained network comes to the step network. In the limit logistic
        and tanh are the k-nearest, and ReLU the nearest-exemplar regressor (for every
        k); a sharp start is harder to train. With ReLU it has an effect
        where ``readout`` is ``"exemplars"``, and another value than 1.0 is an error where
        it is ``"comparisons"``. No effect on ``"step"``, nor, as those of ``exemplars``,
        ``metric`` and ``metric_params``, with an ``init`` other than ``"metric"``.
    output_init : {"auto", "ridge", "norm_constrained", "values"}, default="auto"
        The last layer before training. ``"ridge"``: fitted to the training rows by least
        squares, the penalty being the one that is best for rows left out. ``"values"``:
        the values of the exemplars, over the number of them that are averaged; needs
        ``readout="exemplars"``. ``"norm_constrained"``: fitted like ``"ridge"``, but with weights
        whose mean square, in units of the variance of ``y``, is the one that He (ReLU) or
        Glorot gives. It begins a little worse, and trains better for many epochs.
        ``"auto"`` is ``"ridge"`` with ``readout="comparisons"`` and ``"values"`` with
        ``"exemplars"``. An output that is to be fitted is fitted for every ``init``; with
        another one than ``"metric"``, ``"auto"`` and ``"values"`` leave it as it is drawn
        or given.
    n_random_units : int or "auto", default="auto"
        Random units in the first layer beside the comparisons. An output that reads the
        comparisons reads them too; exemplar neurons do not read them before training.
        ``"auto"`` is 500 with ``readout="comparisons"`` and 0 with ``"exemplars"``.
    tied : bool, default=False
        Let all comparisons share the N scores of the exemplars, ``u_j - u_i``, instead
        of having d weights each: N(d + M) weights instead of N M d, for M pairs. With
        ``readout="exemplars"`` an exemplar neuron then reads its own comparisons only.
        The same network before training, to rounding; what it can learn is less.
    pairs : "all" or int, default="all"
        Which others each exemplar is compared with: all N-1, or so many of the nearest.
        An int must be at least ``n_neighbors``; N-1 or more is the same as ``"all"``.
        With fewer, more than ``n_neighbors`` exemplars may be averaged.
    memory_limit : float or "auto", default="auto"
        Bytes that the weights may take in training, with their gradient and the state of
        the solver (4 arrays with Adam, 3 with SGD, 42 with L-BFGS, 38 of them in double
        precision). A network that would take more is refused before it is made.
        ``"auto"`` is half of the memory that is available. Also the most that
        ``coefs_`` of a tied network may take.
    loss : {"squared_error"}, default="squared_error"
        Half the squared error, summed over the outputs, each in units of its variance.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        ``"lbfgs"``: L-BFGS on all rows at once, for small or smooth problems. An epoch is
        then an iteration, and its loss the objective of all rows after it; what is said
        of minibatches and step sizes (``batch_size``, ``learning_rate_init``,
        ``learning_rate``, ``shuffle``, ``momentum`` and so on) has no effect, and there
        is no ``partial_fit``.
    alpha : float, default=0.0001
        Strength of the L2 penalty, which is divided by the rows of the minibatch times
        the mean weight of a row. Weights are penalized as they are for scaled inputs.
    batch_size : int or "auto", default="auto"
        Rows per gradient step; ``"auto"`` is ``min(200, n_samples)``.
    learning_rate_init : "auto", float or sequence of float, default="auto"
        One step size, or one for each layer. ``"auto"`` is 0.0003 where the output was
        fitted freely to the rows (``"ridge"``), small enough not to throw that away, and
        0.001 otherwise.
    learning_rate : {"constant", "linear"}, default="constant"
        ``"linear"`` lowers the step size from epoch to epoch, toward zero after
        ``max_iter`` of them; each call of ``fit`` begins anew, and ``partial_fit`` does
        not lower it.
    max_iter : int, default=200
        Most epochs. 0 leaves the weights as calculated. Weights that are worse on the
        training rows than those before training are not kept.
    shuffle : bool, default=True
        Draw a new order of the rows for each epoch.
    random_state : int, RandomState instance or None, default=None
        Draws exemplars, random weights, the validation rows and the order of the rows.
    tol : float, default=0.0001
        An epoch that does not improve the training loss (or, with ``early_stopping``,
        the validation R^2) by this much counts as one without improvement. With
        ``solver="lbfgs"`` training ends instead where no element of the gradient is
        larger.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Let ``fit`` go on from the present weights. As for ``partial_fit``, the parameters
        that the network was made with have to stay then, and a change of them is an
        error: ``init``, ``n_exemplars``, ``exemplars``, ``metric``, ``metric_params``,
        ``n_neighbors``, ``readout``, ``activation``, ``sharpness``, ``output_init``,
        ``n_random_units``, ``tied``, ``pairs`` and ``loss``. Others may change
        from call to call: the solver and its settings, step sizes, ``alpha``,
        ``batch_size``, ``max_iter``, ``shuffle``, ``tol``, early stopping,
        ``random_state`` (which then draws validation rows only) and ``memory_limit``.
    momentum : float, default=0.9
        Of ``solver="sgd"``, from 0 to 1.
    nesterovs_momentum : bool, default=True
        Of ``solver="sgd"``.
    early_stopping : bool, default=False
        Stop when the R^2 on validation rows stops improving, and keep the weights
        with which it was highest, be it those before the first epoch.
    validation_fraction : float, default=0.1
        Share of the training rows that ``early_stopping`` holds out where
        ``fit`` is not given any. Held-out rows never become exemplars.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the running means of ``solver="adam"``, from 0 up to 1.
    epsilon : float, default=1e-8
        Of ``solver="adam"``.
    n_iter_no_change : int, default=10
        More epochs in a row than this without improvement end the training; infinity
        stands for never.

    Attributes
    ----------
    network_ : Network
        The network as it is now; the next six attributes are views of it.
    coefs_ : list of array of shape (n_in, n_out)
        Weights of each layer, where X was. They may be edited in place, and replaced, one
        or all, by others of the same shapes: that is what predicts, and what
        ``partial_fit`` and a warm start go on from. Of a tied network a read-only
        sequence of those of the same function without tying: each is made when it is
        read, if ``memory_limit`` allows (else an AttributeError), and none can be set.
    intercepts_ : list of array of shape (n_out,)
        Biases of each layer, likewise.
    n_layers_ : int
        Layers including the input: 3, and with ``readout="exemplars"`` 4.
    n_outputs_ : int
    out_activation_ : {"identity"}
    exemplars_ : ndarray of shape (n_exemplars, n_features)
        In NumPy. Only with ``init="metric"``, as are the next four.
    exemplar_values_ : ndarray of shape (n_exemplars,) or (n_exemplars, n_outputs)
    exemplar_indices_ : ndarray of shape (n_exemplars,)
        Rows of X that are the exemplars, of a young stream counted from the first call;
        not with ``exemplars="kmeans"`` or given ones.
    pairs_ : ndarray of shape (n_exemplars, n_pairs_per_exemplar)
        Positions of the exemplars that each is compared with: neuron ``i M + m``
        of the first layer compares i with ``pairs_[i, m]``, and random units follow.
    effective_metric_params_ : dict
        Parameters of the metric, given or taken from the training rows. Of a
        transformer: its matrix ``L`` of shape (n_components, n_features).
    n_exemplars_ : int
        Exemplars there are, or with another ``init`` would be.
    loss_ : float
        Of the last epoch; infinite before the first.
    best_loss_ : float or None
        The lowest; None with ``early_stopping``.
    loss_curve_ : list of float
        Mean objective over the minibatches of each epoch, in units of the variance of y.
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
    MetricInitMLPClassifier : For classes.
    sklearn.neural_network.MLPRegressor : Starts from random weights.
    sklearn.neighbors.KNeighborsRegressor : Does not train.

    References
    ----------
    P. Sh. Geidarov, arXiv 2505.23876, for classes.

    I. de Pater, M. Mitici, Neural Networks 166, 2023 (``"norm_constrained"``).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.preprocessing import scale
    >>> from skmetricmlp import MetricInitMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(scale(X), y, random_state=0)
    >>> untrained = MetricInitMLPRegressor(max_iter=0, random_state=0)
    >>> untrained.fit(X_train, y_train).score(X_test, y_test) > 0.3
    True
    >>> nearest = MetricInitMLPRegressor(activation="step", max_iter=0, random_state=0)
    >>> [len(bias) for bias in nearest.fit(X_train, y_train).intercepts_]
    [870, 30, 1]
    """

    _choices = REGRESSOR_CHOICES
    _losses = {"squared_error": "identity_squared_error"}  # noqa: RUF012

    def __init__(
        self,
        init: str | tuple[Sequence[ArrayLike], Sequence[ArrayLike]] = "metric",
        *,
        n_exemplars: str | float = 30,
        exemplars: str | tuple[ArrayLike, ArrayLike] = "kmeans",
        metric: Any = "sqeuclidean",
        metric_params: Mapping[str, Any] | None = None,
        n_neighbors: int | None = None,
        activation: str = "relu",
        sharpness: float = 1.0,
        output_init: str = "auto",
        n_random_units: int | str = "auto",
        tied: bool = False,
        pairs: int | str = "all",
        loss: str = "squared_error",
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: str | float | Sequence[float] = "auto",
        learning_rate: str = "constant",
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
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
        self.n_exemplars = n_exemplars
        self.exemplars = exemplars
        self.metric = metric
        self.metric_params = metric_params
        self.n_neighbors = n_neighbors
        self.activation = activation
        self.sharpness = sharpness
        self.output_init = output_init
        self.n_random_units = n_random_units
        self.tied = tied
        self.pairs = pairs
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
    ) -> MetricInitMLPRegressor:
        """Choose exemplars, calculate the weights and train them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 stays float32.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative. A row of weight zero is left out; one of weight two counts
            as two rows.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, also without ``early_stopping``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
        sample_weight_val : array-like of shape (n_val,), default=None

        Returns
        -------
        self : MetricInitMLPRegressor
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
        UserWarning
            If most of the given exemplars lie far outside the rows of X.
        """
        with unchanged_on_error(self):
            self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        return self

    @available_if(supports_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> MetricInitMLPRegressor:
        """Train for one epoch over the given rows.

        There is no such method with ``solver="lbfgs"`` or ``activation="step"``.

        The first call chooses the exemplars, and the mean and the deviation that values
        are taken by, from the rows that it is given. If these are few, less than three
        distinct rows for each exemplar that ``n_exemplars`` asks for, the stream is
        young: rows are kept, and whenever there are twice as many, all of it is
        calculated anew, as by a first call with all rows so far; gradient steps in
        between are forgotten, and ``n_iter_`` and ``loss_curve_`` go on. Of weights that
        are drawn or given only the mean and the deviation are. When there are enough the
        rows are dropped. More rows in the first call are better still.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : MetricInitMLPRegressor
            The same object.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not accepted; the estimator is then as it was.

        Warns
        -----
        UserWarning
            If the first call has fewer distinct rows than exemplars are asked for.
        """
        with unchanged_on_error(self):
            self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Predict values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

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
        return output[:, 0] if self._fit_state.targets.is_vector else output

    def explain(
        self, X: ArrayLike, *, n_nearest: int | None = 5, output: int = 0
    ) -> pd.DataFrame:
        """Say which exemplars are near each row, and what its value is made of.

        Distances are those that the weights were calculated for. What neurons do is that
        of the present network, after any training.

        The contributions to a row add up to the value that is predicted. Exemplars are a
        part of it: with ``readout="comparisons"``, the default, the random units beside
        the comparisons take part too, often most of all, and always the bias.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_nearest : int or None, default=5
            How many exemplars for each row; None for all.
        output : int, default=0
            Which of several outputs is explained, counted from zero.

        Returns
        -------
        pandas.DataFrame
            For each row of X a row per exemplar, the nearest first, and then one for each
            other term of the value, with the columns

            - ``row``: position in X, or its index if X is a DataFrame;
            - ``predicted``: value that the network predicts;
            - ``term``: ``"exemplar"``, or another term, as below;
            - ``rank``: 1 for the nearest exemplar; missing at other terms, as are the
              next four;
            - ``exemplar``: position in ``exemplars_``;
            - ``value``: its value;
            - ``excess``: its distance minus that of the nearest exemplar;
            - ``activation``: how the exemplar does against its pairs, higher being
              nearer: the value of its neuron in the exemplar layer. With
              ``readout="comparisons"`` minus the number of comparisons that it loses,
              or with ReLU minus their sum: zero for one that loses none;
            - ``contribution``: how much less the prediction would be without that
              neuron; with ``readout="comparisons"`` half of what all comparisons that it
              is part of add to it. Those of all terms add up to the prediction.

            The other terms, where there are such, are

            - ``"other exemplars"``: those that are not among the ``n_nearest``;
            - ``"random units"``: with ``readout="comparisons"``, the random units;
            - ``"bias"``: what the value is if all of these are silent.

            ``rank`` and ``exemplar`` have pandas' nullable type of integers.
            ``frame[frame["term"] == "exemplar"]`` has the exemplars alone.

            Before training, and with ``pairs="all"``, activations fall with the rank, or
            stay. Random units that exemplar neurons have learned to read count as part
            of these.

        Raises
        ------
        AttributeError
            If the weights were not calculated: there are no exemplars.
        ValueError
            If ``n_nearest``, ``output`` or X is not accepted.

        Examples
        --------
        >>> from skmetricmlp import MetricInitMLPRegressor
        >>> X, y = [[0.0], [1.0], [4.0]], [10.0, 20.0, 70.0]
        >>> reg = MetricInitMLPRegressor(
        ...     exemplars=(X, y), activation="step", n_neighbors=2, max_iter=0
        ... ).fit(X, y)
        >>> frame = reg.explain([[3.0]], n_nearest=3)
        >>> columns = ["term", "rank", "value", "excess", "activation", "contribution"]
        >>> frame[columns].round(1)
               term  rank  value  excess  activation  contribution
        0  exemplar     1   70.0     0.0         1.0          18.3
        1  exemplar     2   20.0     3.0         1.0          -6.7
        2  exemplar     3   10.0     8.0         0.0           0.0
        3      bias  <NA>    NaN     NaN         NaN          33.3
        """
        values = self.exemplar_values_.reshape(self.n_exemplars_, -1)
        n_outputs = values.shape[1]
        if not (is_integer(output) and 0 <= output < n_outputs):
            raise invalid_parameter("output", output, f"an int from 0 to {n_outputs - 1}")
        frame = self._explain(X, n_nearest, output).drop(columns="margin")
        carried = at_exemplars(values[:, output], frame["exemplar"])
        frame.insert(5, "value", carried)
        return frame

    @property
    def exemplar_values_(self) -> Array:
        """Values of the exemplars."""
        targets = self._exemplars().targets(self.n_outputs_)
        return self._fit_state.targets.decode(targets)

    def _encode(
        self,
        data: TrainingData,
        validation: TrainingData | None,
        state: FitState | None,
        classes: Any,
    ) -> tuple[RegressionTargets, TrainingData, TrainingData | None]:
        """Standardize the values."""
        del classes
        targets = (
            state.targets
            if state
            else RegressionTargets.from_values(data.y, data.sample_weight)
        )

        def encoded(data: TrainingData, name: str) -> TrainingData:
            y = targets.encode(data.y, name).astype(data.sample_weight.dtype)
            return data._replace(y=y)

        held_out = encoded(validation, "y_val") if validation else None
        return targets, encoded(data, "y"), held_out

    def __sklearn_tags__(self) -> Tags:
        """Say what the estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
