"""The classifier: parameters, fit / partial_fit / predict, fitted attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import HOST, device_of, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._errors import unchanged_on_error
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import CLASSIFIER_CHOICES, class_weights, in_precision
from skmetricmlp.estimators._base import supports_partial_fit
from skmetricmlp.estimators._metric_base import MetricEstimator
from skmetricmlp.estimators._targets import ClassTargets
from skmetricmlp.inspection.explanation import at_exemplars
from skmetricmlp.network import LOG_PROBABILITIES, Dense, Network

__all__ = ["MetricInitMLPClassifier"]


class MetricInitMLPClassifier(ClassifierMixin, MetricEstimator):  # type: ignore[misc]
    """Multi-layer perceptron whose weights are calculated from a few exemplars.

    Neuron (i, j) of the first layer compares the distances of two exemplars from the
    input: N(N-1) of them for N exemplars. What reads them is a choice, ``readout``:

    - ``"comparisons"``: an output layer, fitted in closed form, reads the comparisons
      and ``n_random_units`` random units beside them. Layers of the widths d,
      N(N-1) + 500, C for d features and C classes. The most accurate start.
    - ``"exemplars"``: the network of the source, which before any training is a
      nearest-exemplar classifier or, with ``n_neighbors > 1``, a k-nearest-exemplars
      classifier: exactly with ``activation="step"``, nearly with the activations that
      can be trained. Neuron i of the second layer counts the comparisons that exemplar
      i wins, and the rest counts votes. Widths d, N(N-1), N, C, or with
      ``n_neighbors > 1`` d, N(N-1), N, C(C-1), C.

    Backpropagation then refines either. The weights of the comparisons grow with the
    square of N; for hundreds or thousands of exemplars there are ``tied`` and ``pairs``.

    Under ``sklearn.config_context(array_api_dispatch=True)`` X may be an array of PyTorch
    or CuPy. The weights are calculated on the host, and the network then is trained and
    predicts where X is; all else that is passed follows X. :meth:`move_to` moves it.

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
        ``"zeros"``, ``"ones"``, or weights to start from, as ``(coefs, intercepts)``.
    n_exemplars : int, float, dict or "auto", default=30
        An int is the total, at least one per class and at most the distinct rows,
        shared out by the square root of the class weights. A float is that total as a
        fraction of the distinct training rows. A dict gives ``{label: count}``, with a
        count for every class of y; those of labels that y lacks are ignored.
        ``"auto"`` is the least of several totals, from one to 34 per class, at which the
        vote of the nearest exemplars is not clearly worse than at the best, by
        cross-validation; ``n_exemplars_`` says which.
    exemplars : str or tuple, default="kmeans"
        ``"kmeans"``: centers of k-means in each class. ``"random"``: rows drawn from each
        class. ``"kmedoids"``: the rows of each class with the least total distance from
        the others. ``"condensed"``: rows added where the nearest exemplar is wrong,
        until none is or there are ``n_exemplars``. ``"lvq"``: centers of k-means moved
        by learning vector quantization until they classify well, usually the best
        before training. Or given as ``(points, labels)`` of shapes (N, d) and (N,),
        which overrides ``n_exemplars``. Points, dense or sparse, are in the units of X
        and, if they have column names, in the order of its features; a warning says if
        most of them lie far outside the rows. Where y lacks a label, as a part of the
        data may, its exemplars are left out, if all classes of y have exemplars.
    metric : str, transformer or callable, default="sqeuclidean"
        What is near. ``"sqeuclidean"``; ``"seuclidean"``; ``"mahalanobis"``;
        ``"cosine"``; ``"kl"``, the generalized Kullback-Leibler divergence of data >= 0;
        ``"itakura_saito"``, of data > 0; ``"chamfer"``, of images with values from 0
        to 1; a scikit-learn transformer with a linear map, such as
        :class:`~sklearn.neighbors.NeighborhoodComponentsAnalysis`, the distance being
        the one between transformed rows; or a function that returns
        ``(A, b)``, of shapes (N, d) and (N,), for points of shape (N, d), so that
        ``A @ x + b`` are the distances of x from the points, up to a term that is the
        same for all. A transformer is fitted on the training rows unless it is fitted;
        to keep it so in a grid search, wrap it in
        :class:`~sklearn.frozen.FrozenEstimator`. Weights of rows and classes are passed
        to it only if its ``fit`` takes ``sample_weight``, as that of
        :class:`~sklearn.preprocessing.StandardScaler` does; a pipeline's does not.
    metric_params : dict or None, default=None
        ``V`` (variances) of ``"seuclidean"``; ``V`` (covariance) or ``VI`` (its inverse)
        of ``"mahalanobis"``; ``smoothing`` of ``"kl"``, added to all values, by default
        0.1 of their mean; ``image_shape`` (required) and ``threshold`` (0.5) of
        ``"chamfer"``; keyword arguments of a callable. What is not given is taken from
        the training rows. The names of a DataFrame or Series must be those of the
        features of X, in the same order.
    n_neighbors : int, default=1
        How many nearest exemplars vote, with ``readout="exemplars"``.
    readout : {"auto", "comparisons", "exemplars"}, default="auto"
        What the output reads; see above. ``"auto"`` is ``"exemplars"`` where a vote is
        asked for, by ``n_neighbors > 1``, ``activation="step"`` or
        ``output_init="votes"``, or three layers or more are given as ``init``, and
        ``"comparisons"`` otherwise.
    activation : {"relu", "logistic", "tanh", "step"}, default="relu"
        Of the hidden layers. ``"step"`` has no gradient and needs ``max_iter=0``. With
        ReLU, ``n_neighbors > 1`` is a vote weighted by distance: it falls linearly with
        the sum of the excesses over all nearer exemplars, and typically k of them vote.
    sharpness : float, default=1.0
        How near the untrained network comes to the step network. In the limit logistic
        and tanh are the k-nearest, and ReLU the nearest-exemplar classifier (for every
        k); a sharp start is harder to train. With ReLU it has an effect
        where ``readout`` is ``"exemplars"``, and another value than 1.0 is an error where
        it is ``"comparisons"``. No effect on ``"step"``, nor, as those of ``exemplars``,
        ``metric`` and ``metric_params``, with an ``init`` other than ``"metric"``.
    output_init : {"auto", "ridge", "logistic", "norm_constrained", "votes"}, default="auto"
        The last layer before training. ``"ridge"``: fitted to the training rows by least
        squares, the penalty being the one that is best for rows left out. ``"logistic"``:
        by logistic regression, which is slower; needs ``loss="log_loss"``.
        ``"norm_constrained"``: by least squares, to 1/2 for the row's class and -1/2 for the
        others, with weights of the mean square that He (ReLU) or Glorot gives them. It
        begins a little worse, and trains better for many epochs. ``"votes"`` for the
        class of each exemplar; needs ``readout="exemplars"``. ``"auto"`` is ``"ridge"``
        with ``readout="comparisons"`` and ``"votes"`` with ``"exemplars"``. An output
        that is to be fitted is fitted for every ``init``; with another one than
        ``"metric"``, ``"auto"`` and ``"votes"`` leave it as it is drawn or given.
    n_random_units : int or "auto", default="auto"
        Random units in the first layer beside the comparisons. An output that reads the
        comparisons reads them too; exemplar neurons do not read them before training.
        ``"auto"`` is 500 with ``readout="comparisons"`` and 0 with ``"exemplars"``.
    tied : bool, default=False
        Let all comparisons share the N scores of the exemplars, ``u_j - u_i``, instead
        of having d weights each: N(d + M) weights instead of N M d, for M pairs. With
        ``readout="exemplars"`` an exemplar neuron then reads its own comparisons only.
        The same network before training, to rounding; what it can learn is less.
    pairs : "all", "other_classes" or int, default="all"
        Which others each exemplar is compared with: all N-1; those of other classes,
        which leaves the nearest-exemplar decision exact and needs ``n_neighbors=1``; or
        so many of the nearest, with ``readout="exemplars"`` of each other class in turn,
        which leaves the decision nearly so. An int must be at least ``n_neighbors``; N-1
        or more is the same as ``"all"``.
    memory_limit : float or "auto", default="auto"
        Bytes that the weights may take in training, with their gradient and the state of
        the solver (4 arrays with Adam, 3 with SGD, 42 with L-BFGS, 38 of them in double
        precision). A network that would take more is refused before it is made.
        ``"auto"`` is half of the memory that is available. Also the most that
        ``coefs_`` of a tied network may take.
    loss : {"log_loss", "squared_error"}, default="log_loss"
        Cross-entropy of a softmax output, or half the squared error, summed over the
        classes, of a logistic output.
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
        fitted freely to the rows (``"ridge"``, ``"logistic"``), small enough not to throw
        that away, and 0.001 otherwise.
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
        the validation accuracy) by this much counts as one without improvement. With
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
        ``random_state`` (which then draws validation rows only), ``memory_limit`` and
        ``class_weight``.
    momentum : float, default=0.9
        Of ``solver="sgd"``, from 0 to 1.
    nesterovs_momentum : bool, default=True
        Of ``solver="sgd"``.
    early_stopping : bool, default=False
        Stop when the accuracy on validation rows stops improving, and keep the weights
        with which it was highest, be it those before the first epoch.
    validation_fraction : float, default=0.1
        Share of the training rows that ``early_stopping`` holds out, stratified, where
        ``fit`` is not given any. Held-out rows never become exemplars.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the running means of ``solver="adam"``, from 0 up to 1.
    epsilon : float, default=1e-8
        Of ``solver="adam"``.
    n_iter_no_change : int, default=10
        More epochs in a row than this without improvement end the training; infinity
        stands for never.
    class_weight : dict, "balanced" or None, default=None
        Weights ``{label: weight}`` that multiply the sample weights; ``"balanced"``
        gives all classes the same total. A class of more weight gets more exemplars. A
        dict may leave out classes, whose weight is 1, or name labels that y lacks, as a
        part of the data may, but not both. Labels are those that ``fit`` is given:
        ensembles that encode ``y`` beforehand, such as
        :class:`~sklearn.ensemble.VotingClassifier`, ``StackingClassifier`` and
        ``BaggingClassifier``, want the codes 0, 1, ... in their device, also in
        ``n_exemplars`` and ``exemplars``.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The labels, sorted; numbers are where X was.
    network_ : Network
        The network as it is now; the next six attributes are views of it.
    coefs_ : list of array of shape (n_in, n_out)
        Weights of each layer, where X was. They may be edited in device, and replaced, one
        or all, by others of the same shapes: that is what predicts, and what
        ``partial_fit`` and a warm start go on from. Of a tied network a read-only
        sequence of those of the same function without tying: each is made when it is
        read, if ``memory_limit`` allows (else an AttributeError), and none can be set.
    intercepts_ : list of array of shape (n_out,)
        Biases of each layer, likewise.
    n_layers_ : int
        Layers including the input: 3, with ``readout="exemplars"`` 4, and with
        ``n_neighbors > 1`` 5.
    n_outputs_ : int
        One per class, also for two classes.
    out_activation_ : {"softmax", "logistic"}
    exemplars_ : ndarray of shape (n_exemplars, n_features)
        In NumPy. Only with ``init="metric"``, as are the next four.
    exemplar_labels_ : ndarray of shape (n_exemplars,)
    exemplar_indices_ : ndarray of shape (n_exemplars,)
        Rows of X that are the exemplars, of a young stream counted from the first call;
        not with ``exemplars="kmeans"`` or ``"lvq"``, or with given ones.
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
        Mean objective over the minibatches of each epoch.
    validation_loss_curve_ : list of float or None
        Mean loss on the validation rows after each epoch; None without such rows.
    validation_scores_ : list of float or None
        Their accuracy, likewise; rows count by ``sample_weight_val`` and
        ``class_weight``.
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
    sklearn.neural_network.MLPClassifier : Starts from random weights.
    sklearn.neighbors.KNeighborsClassifier : Does not train.

    References
    ----------
    P. Sh. Geidarov, arXiv 2505.23876.

    I. de Pater, M. Mitici, Neural Networks 166, 2023 (``"norm_constrained"``).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> untrained = MetricInitMLPClassifier(max_iter=0, random_state=0)
    >>> untrained.fit(X_train, y_train).score(X_test, y_test) > 0.95
    True
    >>> [len(bias) for bias in untrained.intercepts_]
    [1370, 10]
    >>> source = MetricInitMLPClassifier(readout="exemplars", max_iter=0, random_state=0)
    >>> [len(bias) for bias in source.fit(X_train, y_train).intercepts_]
    [870, 30, 10]
    """

    _choices = CLASSIFIER_CHOICES
    _losses = {"log_loss": "log_loss", "squared_error": "squared_error"}  # noqa: RUF012

    def __init__(
        self,
        init: str | tuple[Sequence[ArrayLike], Sequence[ArrayLike]] = "metric",
        *,
        n_exemplars: str | float | Mapping[Any, int] = 30,
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
        loss: str = "log_loss",
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
        class_weight: Mapping[Any, float] | str | None = None,
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
        self.class_weight = class_weight

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> MetricInitMLPClassifier:
        """Choose exemplars, calculate the weights and train them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 stays float32.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Not negative. A row of weight zero is left out; one of weight two counts
            as two rows.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to validate on after each epoch, also without ``early_stopping``.
        y_val : array-like of shape (n_val,), default=None
        sample_weight_val : array-like of shape (n_val,), default=None

        Returns
        -------
        self : MetricInitMLPClassifier
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
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> MetricInitMLPClassifier:
        """Train for one epoch over the given rows.

        There is no such method with ``solver="lbfgs"`` or ``activation="step"``.

        The first call chooses the exemplars and calculates the weights, from the rows
        that it is given. If these are few, less than three distinct rows for each
        exemplar that ``n_exemplars`` asks for, the stream is young: rows are kept, and
        whenever there are twice as many, exemplars, scales and output are calculated
        anew from all of them, as by a first call with all rows so far; gradient steps
        in between are forgotten, and ``n_iter_`` and ``loss_curve_`` go on. When there
        are enough the rows are dropped. More rows in the first call are better still.

        A class that all rows of a grown stream lack gets exemplars, comparisons and an
        output from the first rows of it that arrive: as many exemplars as the mean over
        all classes, so the layers grow. What was learned by then stays, and the
        optimizer begins anew. Exemplars
        that were given are not added to, and baselines do not grow.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Required at the first call. Given exemplars
            of these classes are kept, whether or not the rows have them.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : MetricInitMLPClassifier
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
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            msg = (
                "partial_fit does not support class_weight='balanced', which needs all "
                "rows: pass a dict, or sample_weight"
            )
            raise ValueError(msg)
        if classes is None and not hasattr(self, "_fit_state"):
            msg = "classes must be passed at the first call of partial_fit"
            raise ValueError(msg)
        with unchanged_on_error(self):
            self._fit(X, y, sample_weight, classes=classes, incremental=True)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,)
            Where X is; labels that are no numbers are in NumPy.

        Raises
        ------
        ValueError
            If X is not accepted, or is in another namespace or on another device than
            the network.
        """
        log_p = self._network_log_proba(X, "predict")
        xp = device_of(log_p).namespace
        codes = xp.argmax(log_p, axis=1)
        if device_of(self.classes_) == HOST:
            return self.classes_[to_numpy(codes)]
        return xp.take(self.classes_, codes)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Estimate class probabilities.

        They are what the output activation says. The untrained step network whose
        exemplars vote, ``activation="step"``, has the shares of the votes instead, as
        :class:`~sklearn.neighbors.KNeighborsClassifier` has them: its output has the
        winner of the votes, and not by how much.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : array of shape (n_samples, n_classes)
            In the order of ``classes_``; rows sum to one.

        Raises
        ------
        ValueError
            As of :meth:`predict`.
        """
        if self._counts_votes:
            return self._vote_shares(X, "predict_proba")
        log_p = self._network_log_proba(X, "predict_proba")
        return device_of(log_p).namespace.exp(log_p)

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Estimate the logarithm of the class probabilities.

        It is minus infinity where a class gets no vote of a step network; see
        :meth:`predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_p : array of shape (n_samples, n_classes)

        Raises
        ------
        ValueError
            As of :meth:`predict`.
        """
        if not self._counts_votes:
            return self._network_log_proba(X, "predict_log_proba")
        shares = self._vote_shares(X, "predict_log_proba")
        with np.errstate(divide="ignore"):
            return device_of(shares).namespace.log(shares)

    def explain(self, X: ArrayLike, *, n_nearest: int | None = 5) -> pd.DataFrame:
        """Say which exemplars are near each row, and what its output is made of.

        Distances are those that the weights were calculated for. What neurons do is that
        of the present network, after any training.

        The contributions to a row add up to the output of the predicted class, before its
        activation and less the mean over the classes. Exemplars are a part of it: with
        ``readout="comparisons"``, the default, the random units beside the comparisons
        and the bias take part, often most of all. With ``readout="exemplars"`` nothing
        but exemplars and the bias does, and the bias of an untrained network that votes
        for the class of the nearest exemplar is zero.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_nearest : int or None, default=5
            How many exemplars for each row; None for all.

        Returns
        -------
        pandas.DataFrame
            For each row of X a row per exemplar, the nearest first, and then one for each
            other term of the output, with the columns

            - ``row``: position in X, or its index if X is a DataFrame;
            - ``predicted``: label that the network predicts;
            - ``term``: ``"exemplar"``, or another term, as below;
            - ``rank``: 1 for the nearest exemplar; missing at other terms, as are the
              next five;
            - ``exemplar``: position in ``exemplars_``;
            - ``label``: its class;
            - ``excess``: its distance minus that of the nearest exemplar;
            - ``margin``: distance of the nearest exemplar of another class minus its
              own: at rank 1 what decided where the nearest exemplar decides, the smaller
              the nearer to a tie;
            - ``activation``: how the exemplar does against its pairs, higher being
              nearer: the value of its neuron in the exemplar layer. With
              ``readout="comparisons"`` minus the number of comparisons that it loses,
              or with ReLU minus their sum: zero for one that loses none;
            - ``contribution``: how much less the output would be without that neuron;
              with ``readout="comparisons"`` half of what all comparisons that it is
              part of add to the output.

            The other terms, where there are such, are

            - ``"other exemplars"``: those that are not among the ``n_nearest``;
            - ``"random units"``: with ``readout="comparisons"``, the random units;
            - ``"interaction"``: with ``n_neighbors > 1``, what is left because exemplars
              do more or less together than each does alone;
            - ``"bias"``: what the output is if all of these are silent.

            ``rank``, ``exemplar``, and labels that are integers have pandas' nullable
            types. ``frame[frame["term"] == "exemplar"]`` has the exemplars alone.

            Before training, and with ``pairs="all"``, activations fall with the rank, or
            stay. Random units that exemplar neurons have learned to read count as part
            of these. Distances are in the units of the metric: of ``"sqeuclidean"``
            squared, of ``"cosine"`` times the norm of the row.

        Raises
        ------
        AttributeError
            If the weights were not calculated: there are no exemplars.
        ValueError
            If ``n_nearest`` or X is not accepted.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetricmlp import MetricInitMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MetricInitMLPClassifier(
        ...     exemplars=(X[::25], y[::25]), max_iter=0, random_state=0
        ... )
        >>> frame = clf.fit(X, y).explain(X[[-1]], n_nearest=3)
        >>> frame[["predicted", "rank", "label", "excess", "margin"]][:3].round(2)
           predicted  rank  label  excess  margin
        0          2     1      1    0.00    0.41
        1          2     2      2    0.41   -0.41
        2          2     3      1    0.43   -0.02
        >>> frame[["term", "rank", "contribution"]].round(1)
                      term  rank  contribution
        0         exemplar     1          -0.0
        1         exemplar     2           0.0
        2         exemplar     3          -0.0
        3  other exemplars  <NA>           0.1
        4     random units  <NA>           8.4
        5             bias  <NA>          -5.2
        """
        frame = self._explain(X, n_nearest, None)
        labels = self._fit_state.targets.labels
        frame["predicted"] = labels[frame["predicted"]]
        of_exemplars = at_exemplars(self.exemplar_labels_, frame["exemplar"])
        frame.insert(5, "label", of_exemplars)
        return frame

    @property
    def exemplar_labels_(self) -> Array:
        """Classes of the exemplars."""
        return self._fit_state.targets.labels[self._exemplars().codes]

    def _encode(
        self,
        data: TrainingData,
        validation: TrainingData | None,
        state: FitState | None,
        classes: Any,
    ) -> tuple[ClassTargets, TrainingData, TrainingData | None]:
        """Turn labels into class codes, and multiply weights by those of the classes."""
        targets = state.targets if state else ClassTargets.from_labels(data.y, classes)
        targets.check_same(classes)
        codes = targets.encode(data.y)
        by_class = class_weights(
            self.class_weight, targets.labels, codes, data.sample_weight
        )

        def encoded(data: TrainingData, codes: Ints) -> TrainingData:
            weight = data.sample_weight
            name = "sample_weight times class_weight"
            weight = in_precision(weight * by_class[codes], weight.dtype, name)
            return TrainingData(data.X, codes, weight)

        if validation:
            validation = encoded(validation, targets.encode(validation.y, "y_val"))
        return targets, encoded(data, codes), validation

    def _assign(self, state: FitState) -> None:
        super()._assign(state)
        labels = state.targets.labels
        # Only NumPy has arrays of strings.
        is_number = labels.dtype.kind in "biuf"
        device = device_of(self.network_.parameters[0]) if is_number else HOST
        self.classes_ = device.move(labels)

    def _network_log_proba(self, X: ArrayLike, method: str) -> Array:
        output = self._output(X, method)
        return LOG_PROBABILITIES[self.out_activation_](output)

    @property
    def _counts_votes(self) -> bool:
        """Whether the exemplar layer has votes; the output then has only their winner."""
        check_is_fitted(self)
        return bool(self._fit_state.config.counts_votes)

    def _vote_shares(self, X: ArrayLike, method: str) -> Array:
        """Share (n, n_classes) of each class in the votes of the exemplar layer."""
        hidden = self.network_.layers[:2]
        example = hidden[0].parameters[0]
        device = device_of(example)
        xp = device.namespace
        table = self._exemplars().targets(self.n_outputs_)
        table = xp.astype(device.move(table), example.dtype)
        counter = Dense(table, 0.0 * table[0, :], "identity")
        votes = self._output(X, method, Network((*hidden, counter)))
        total = xp.sum(votes, axis=1, keepdims=True)
        # There are no votes where rounding errors make each exemplar lose to another.
        is_none = xp.astype(total == 0, total.dtype)
        return (votes + is_none) / (total + self.n_outputs_ * is_none)
