"""The classifier: parameters, fit / partial_fit / predict, fitted attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._array_api import HOST, device_of, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._errors import invalid_parameter, unchanged_on_error
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Ints
from skmetricmlp._validation import (
    CLASSIFIER_CHOICES,
    accepts_labels,
    check_label_parameters,
    class_weights,
    get_parameters,
    in_precision,
)
from skmetricmlp.estimators._base import supports_partial_fit
from skmetricmlp.estimators._metric_base import MetricEstimator, check_output
from skmetricmlp.estimators._targets import ClassTargets, LabelTargets
from skmetricmlp.initialization import NetworkConfig
from skmetricmlp.inspection.explanation import at_exemplars
from skmetricmlp.network import LOG_PROBABILITIES, Dense, Network

__all__ = ["MetricInitMLPClassifier"]


class MetricInitMLPClassifier(ClassifierMixin, MetricEstimator):  # type: ignore[misc]
    """Multi-layer perceptron whose weights are calculated from a few exemplars.

    Each comparison of the first layer tells which of two exemplars is nearer.
    ``n_neighbors`` decides what is compared, and what reads it.

    - ``n_neighbors=None``: each of ``n_comparisons`` units is positive where a row is
      nearer to one exemplar than to another *on a few features*. Two in a row also form
      a conjunction, which is positive where both are. An output layer that is fitted to
      all rows in closed form reads both. The widths are d, 1599 and C for d features
      and C classes. This is the most accurate start.
    - ``n_neighbors=1``: the network of the source. All N exemplars are compared on all
      features. There are three layers of the widths N(N-1), N and C. Unit i of the second
      layer counts the comparisons that exemplar i wins. Before training the network is
      the nearest-exemplar classifier.
    - ``n_neighbors=k`` > 1: the network of the source with four layers, of the widths
      N(N-1), N, C(C-1) and C. Before training it is the k-nearest-exemplars classifier.

    With ``activation="step"`` the source's networks equal
    :class:`~sklearn.neighbors.KNeighborsClassifier` on the exemplars; with trainable
    activations they nearly do. Backpropagation refines all of them.

    The five parameters to know are ``n_exemplars``, ``n_neighbors``, ``metric``,
    ``max_iter`` and ``random_state``. With an integer ``n_neighbors`` the number of
    weights grows with the square of N; ``tied`` and ``pairs`` make it linear.

    X may be a DataFrame with categories and missing values. A distance is taken over the
    features that a row has. With ``n_neighbors=None`` the units of the features do not
    matter; with an int put a :class:`~sklearn.preprocessing.StandardScaler` before the
    estimator, or choose a metric that does not depend on units. Training reads each
    feature less its mean and divided by a scale.

    Under ``sklearn.config_context(array_api_dispatch=True)`` X may be an array of PyTorch
    or CuPy. The weights are calculated on the host. The network is trained and predicts
    on the device of X, and y and the weights follow X. :meth:`move_to` moves it.

    A network that would take more than half of the memory available in training is
    refused with a ``MemoryError`` before memory is taken. Temporary arrays follow
    ``working_memory`` of :func:`sklearn.set_config`.

    Parameters
    ----------
    init : str or tuple, default="metric"
        The weights before training.

        - ``"metric"``: calculated from exemplars.
        - ``"random"``: a baseline, He's weights with ReLU and Glorot's otherwise.
        - ``"he_uniform"``, ``"glorot_uniform"``: one of the two.
        - ``"uniform"``: on [-0.5, 0.5], as in the source.
        - ``"zeros"``, ``"ones"``: constants.
        - ``(coefs, intercepts)``: given weights.

        All have the architecture of ``"metric"``. A baseline accepts the parameters that
        only calculated weights use, so that it can be compared by ``init`` alone.
    n_exemplars : int, float, dict or "auto", default=30
        Number of exemplars.

        - An int: the total, at least one per class and at most the distinct rows. It is
          divided among the classes by the square root of their weights.
        - A float: the total as a fraction of the distinct rows.
        - A dict: ``{label: count}`` with a count for every class of y. Labels that y
          lacks are ignored.
        - ``"auto"``: the smallest of several totals, from one to 34 per class, whose
          accuracy in cross-validation is not clearly worse than the best.
    exemplars : str or tuple, default="kmeans"
        How exemplars are chosen.

        - ``"kmeans"``: centers of k-means in each class.
        - ``"random"``: rows drawn from each class.
        - ``"kmedoids"``: the rows of each class with the smallest total distance from the
          others.
        - ``"condensed"``: rows are added where the nearest exemplar is wrong, until none
          is or there are ``n_exemplars``.
        - ``"lvq"``: centers of k-means, moved by learning vector quantization. Usually
          the best before training.
        - ``(points, labels)``: given ones, of shapes (N, d) and (N,), dense or sparse, in
          the units and the column order of X. With an indicator the labels are one too,
          of shape (N, n_outputs). Exemplars of labels that y lacks are left
          out if all classes of y have exemplars. A warning is raised if most points lie
          far outside the training data. ``n_exemplars`` must keep its default.

        If y is an indicator, the first three choose from all rows at once, and the other
        two are an error.
    metric : str, transformer or callable, default="auto"
        The distance that comparisons are made by.

        - ``"auto"``: with ``n_neighbors=None``, ``"seuclidean"``, so that the units of
          the features do not matter. Columns of 0 and 1 that encode a category count as
          they are. It is ``"sqeuclidean"`` with an int, and where all columns have the
          same unit: most of them have the same least and the same greatest value, as
          pixels have, or there are more than 2,500 columns, such as words.
        - ``"sqeuclidean"``: the squared Euclidean distance.
        - ``"seuclidean"``: the same with each feature divided by its variance.
        - ``"mahalanobis"``: the squared Mahalanobis distance.
        - ``"cosine"``: the cosine distance.
        - ``"kl"``: the generalized Kullback-Leibler divergence, for data >= 0.
        - ``"itakura_saito"``: the Itakura-Saito divergence, for data > 0.
        - ``"chamfer"``: the source's distance of images with values from 0 to 1.
        - A linear scikit-learn transformer, such as
          :class:`~sklearn.neighbors.NeighborhoodComponentsAnalysis`: the squared
          Euclidean distance of the transformed rows. It is fitted to the training data
          unless it is fitted already; wrap it in :class:`~sklearn.frozen.FrozenEstimator`
          to keep it fitted in a grid search. Weights are passed to its ``fit`` if that
          has a parameter ``sample_weight``.
        - A function that returns ``(A, b)``, of shapes (N, d) and (N,), for points of
          shape (N, d). The distances of x from the points are ``A @ x + b``, up to a
          term that all points share.
    metric_params : dict or None, default=None
        Parameters of the metric. Others are estimated from the training data. The names
        of a DataFrame or Series must be those of the features of X, in the same order.

        - ``"seuclidean"``: ``V``, the variances, of shape (d,).
        - ``"mahalanobis"``: ``V``, the covariance, or ``VI``, its inverse.
        - ``"kl"``: ``smoothing``, which is added to all values; by default 0.1 of their
          mean.
        - ``"chamfer"``: ``image_shape`` (required), and ``threshold`` (0.5).
        - A function: its keyword arguments.
    n_neighbors : int or None, default=None
        The number of nearest exemplars that vote, or None for an output that is fitted to
        the comparisons; see above.
    activation : {"relu", "logistic", "tanh", "step"}, default="relu"
        Activation of the hidden layers.

        - ``"relu"``: with ``n_neighbors`` > 1 the weight of an exemplar falls linearly
          with the sum of its distance differences from all nearer exemplars. Typically k
          exemplars have a weight above zero.
        - ``"logistic"``, ``"tanh"``: smooth steps.
        - ``"step"``: exact comparisons. It has no gradient, so that it needs
          ``max_iter=0``.
    sharpness : float, default=1.0
        How closely the untrained network with an integer ``n_neighbors`` approximates
        the network with a step. In the limit logistic and tanh networks are the
        k-nearest classifier, and ReLU networks the nearest-exemplar classifier
        for every k. A sharp start is harder to train. Other values than 1.0 are an error
        where they have no effect: with ``n_neighbors=None`` and ``activation="step"``.
    output_init : {"auto", "ridge", "logistic", "norm_constrained"}, default="auto"
        How the output layer is fitted to the training data, with ``n_neighbors=None``.

        - ``"ridge"``: by least squares, with the penalty that has the lowest left-out
          error.
        - ``"logistic"``: by logistic regression, which is slower. It needs
          ``loss="log_loss"``.
        - ``"norm_constrained"``: by least squares with weights of the mean square that He
          (ReLU) or Glorot gives them, to targets of 1/2 for the class and -1/2 for the
          others. It starts a little worse, and trains better for many epochs.

        ``"auto"`` is ``"ridge"`` for calculated weights. For another ``init`` the output
        is drawn or given like the other layers unless one of the methods is named.
    n_comparisons : int, default=800
        Comparisons in the hidden layer, with ``n_neighbors=None``. 0 is no hidden layer:
        the output reads the features, and there are no exemplars.
    n_conjunctions : int, default=1
        Each comparison also forms a conjunction with so many of those that follow it in
        the layer: a unit that is as active as the less active of the two.
    max_features : int, float, {"mixed", "sqrt", "log2"} or None, default="mixed"
        How many features a comparison looks at, with ``n_neighbors=None``.

        - ``"mixed"``: 1, 2, 3 or all. Those on all are one in six, and more for more
          than 20 features.
        - An int: that many.
        - A float: that share of the features.
        - ``"sqrt"``, ``"log2"``: the square root or the logarithm of their number.
        - None: all.

        Features that matter are drawn more often. With a metric that is not a sum over
        features, ``"mixed"`` is all, and other numbers are an error: ``"mahalanobis"``,
        ``"cosine"``, transformers and functions.
    feature_groups : array-like of shape (n_features,) or None, default=None
        A label for each column. Columns of the same label encode one feature, which a
        comparison looks at as a whole. None finds the columns of a one-hot encoding:
        neighbors with two values each, of which each row has exactly one at the higher.
    categorical_features : {"from_dtype"}, array-like or None, default="from_dtype"
        Columns of categories: their names, positions or a mask, or with
        ``"from_dtype"`` the columns of a DataFrame of text or of a categorical type.
        Each becomes up to 20 columns of 0 and 1, and is one feature to a comparison. The
        rarest categories beyond share a column with those that are not in the training
        data. A missing category is a category. None reads numbers alone.
    tied : bool, default=False
        With an integer ``n_neighbors``, let all comparisons share the N scores of the
        exemplars, ``u_j - u_i``, instead of having d weights each. There are N(d + M)
        weights instead of N M d, for M pairs per exemplar. Before training the network is
        the same, to rounding. Training can change it less.
    pairs : "all", "other_classes" or int, default="all"
        With an integer ``n_neighbors``, the exemplars that each is compared with.

        - ``"all"``: all N-1 others.
        - ``"other_classes"``: those of other classes. The nearest-exemplar decision stays
          exact. It needs ``n_neighbors=1``.
        - An int: that many of the nearest of each other class in turn. It must be at
          least ``n_neighbors``; N-1 or more is ``"all"``.
    loss : {"log_loss", "squared_error"}, default="log_loss"
        Cross-entropy of a softmax output, or half the squared error, summed over the
        classes, of a logistic output. If y is an indicator, both are those of a logistic
        output, summed over the labels.
    solver : {"adam", "sgd", "lbfgs", "closed_form"}, default="adam"
        How the weights are found.

        - ``"adam"``: Adam, on minibatches.
        - ``"sgd"``: stochastic gradient descent with momentum.
        - ``"lbfgs"``: L-BFGS on all rows at once, for small or smooth problems. An epoch
          is an iteration, and its loss the objective at its end. As in
          :class:`~sklearn.neural_network.MLPClassifier`, parameters of minibatches and
          steps have no effect, and there is no ``partial_fit``.
        - ``"closed_form"``: no gradient steps. The network is the calculated one, whose
          output needs only sums over the rows. ``partial_fit`` adds rows to them, so
          that the order and the size of its calls do not matter; ``forget`` takes rows
          away, ``merge`` adds those of another estimator, and ``discount`` lets old rows
          fade. The hidden layer is calculated from a sample of 5,000 rows, or from
          given ``exemplars`` alone. It needs ``n_neighbors=None`` and a ridge.
    alpha : float, default=0.0001
        Strength of the L2 penalty, which is divided by the rows of the minibatch times
        the mean weight of a row. It applies to the weights for scaled inputs.
    batch_size : int or "auto", default="auto"
        Rows per gradient step. ``"auto"`` is the 64th part of the rows, but at least
        32 and at most 200.
    learning_rate_init : "auto", float or sequence of float, default="auto"
        One step size, or one for each layer. ``"auto"`` is 0.001, and 0.0003 for an
        output layer that was fitted freely, which is at its optimum already. If then the
        step size does not fall to zero, as in ``partial_fit``, it is 0.0003 for all
        layers, so that the fit is not lost.
    learning_rate : {"constant", "linear", "invscaling", "adaptive"}, default="linear"
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
    max_iter : int, default=20
        Number of epochs at most. 0 leaves the weights as they are calculated, which is
        the fastest. Weights with a higher training objective than those before training
        are not kept.
    trained_share : float or "auto", default="auto"
        How far ``fit`` moves the weights, of the way from their start to the end of
        training: 0 keeps the start, and 1 goes all the way. ``"auto"`` takes one of 0,
        1/8, 1/4, 1/2, 3/4 and 1 by the loss of held-out rows: every fifth distinct row,
        in each class, of 20,000 rows at most. The smallest one is taken that is level
        with the best. With the log loss the output is then scaled by the factor that
        suits these rows, so that probabilities are not too certain. A second network is
        calculated and trained without these rows, so that ``fit`` takes up to twice as
        long. It is 1 with ``early_stopping`` or ``warm_start``, in ``partial_fit``, and
        for a start that is drawn or given; and 0 if fewer than twenty rows can be held
        out.
    shuffle : bool, default=True
        Draw a new order of the rows for each epoch.
    random_state : int, RandomState instance or None, default=None
        Draws exemplars, random weights, validation data and the order of the rows.
    tol : float, default=0.0001
        Smallest improvement of the training loss, or with ``early_stopping`` of the
        validation accuracy, that counts. With ``solver="lbfgs"`` training ends where no
        element of the gradient is larger.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Let ``fit`` continue from the present weights. As in ``partial_fit``, the
        parameters that the network depends on must not change then: ``init``,
        ``n_exemplars``, ``exemplars``, ``metric``, ``metric_params``, ``n_neighbors``,
        ``activation``, ``sharpness``, ``output_init``, ``n_comparisons``,
        ``n_conjunctions``, ``max_features``, ``feature_groups``, ``tied``, ``pairs`` and
        ``loss``. All others may change from call to call.
    momentum : float, default=0.9
        Momentum of ``solver="sgd"``, from 0 to 1.
    nesterovs_momentum : bool, default=True
        Use Nesterov's momentum with ``solver="sgd"``.
    early_stopping : bool, default=False
        Stop when the accuracy on validation data stops improving, and keep the weights
        with the highest one. The weights before the first epoch count too.
    validation_fraction : float, default=0.1
        Share of the training data that ``early_stopping`` uses as validation data if
        ``fit`` gets none. It is stratified by class, unless y is an indicator. They never
        become exemplars.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the moments of ``solver="adam"``, from 0 to less than 1.
    epsilon : float, default=1e-8
        Added to the denominator of ``solver="adam"``.
    n_iter_no_change : int, default=10
        Training ends after more epochs in a row than this without improvement. Infinity
        stands for never.
    class_weight : dict, "balanced" or None, default=None
        Weights ``{label: weight}`` that multiply the sample weights. It must be None if y
        is an indicator. ``"balanced"`` gives all classes the same total. A class of
        higher weight gets more exemplars. A dict may leave out classes, whose weight is
        1, or name labels that y lacks, but not both. Ensembles that encode ``y``, such as
        :class:`~sklearn.ensemble.VotingClassifier`, ``StackingClassifier`` and
        ``BaggingClassifier``, need the codes 0, 1, ... instead of the labels, also in
        ``n_exemplars`` and ``exemplars``.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The sorted labels. Numbers are where X was. Of an indicator they are the positions
        of its columns.
    multilabel_ : bool
        Whether y was an indicator of several labels.
    network_ : Network
        The present network. The next six attributes are views of it.
    coefs_ : list of array of shape (n_in, n_out)
        Weights of each layer, where X was. Conjunctions have none of their own, so that
        the first layer has ``n_comparisons`` columns with ``n_neighbors=None``. They may
        be edited in place and replaced, one or all, by arrays of the same shapes.
        Predictions, ``partial_fit`` and a warm start use them. With ``tied=True`` it is a
        read-only sequence of the weights of the equivalent untied network, which are made
        on access.
    intercepts_ : list of array of shape (n_out,)
        Biases of each layer, likewise.
    n_layers_ : int
        Number of layers, the input included: 3 with ``n_neighbors=None``, 4 with 1 or
        with an indicator, and otherwise 5.
    n_outputs_ : int
        Number of outputs: one per class, also for two classes, or one per label.
    out_activation_ : {"softmax", "logistic"}
        Activation of the output layer.
    encoded_feature_names_ : ndarray of shape (n_encoded,)
        Names of the columns that the network reads: those of X, or what its categories
        and missing values are encoded as. They are the rows of ``coefs_[0]``.
    exemplars_ : ndarray of shape (n_exemplars, n_encoded)
        The exemplars, in NumPy, without the columns that tell of missing values. Only
        with ``init="metric"``, as are the next seven.
    exemplar_labels_ : ndarray of shape (n_exemplars,) or (n_exemplars, n_outputs)
        Their labels, or the share of each label.
    exemplar_indices_ : ndarray of shape (n_exemplars,)
        Rows of X that are the exemplars; in a stream they count from the first call. Not
        with ``exemplars="kmeans"`` or ``"lvq"``, or given ones.
    comparisons_ : ndarray of shape (n_comparisons, 2)
        Positions of the two exemplars that each unit of the first layer compares. It is
        positive where a row is nearer to the first. With ``n_neighbors=None``.
    comparison_features_ : ndarray of shape (n_comparisons, n_features)
        Which features it compares them on, as booleans.
    pairs_ : ndarray of shape (n_exemplars, n_pairs_per_exemplar)
        Positions of the exemplars that each exemplar is compared with, with an integer
        ``n_neighbors``. With M columns, unit ``i M + m`` of the first layer compares i
        with ``pairs_[i, m]``.
    feature_importances_ : ndarray of shape (n_features,)
        Mean absolute contribution of each feature to the output, as ``explain`` with
        ``by="feature"`` has it, divided by the sum over the features. It is calculated
        on access from the present network and 200 rows of the training data, which are
        kept, so that it tells what the network uses, not what new rows need. Of features
        that are correlated each gets a part. Prefer
        :func:`~sklearn.inspection.permutation_importance` on held-out rows where its
        cost is no matter. With ``n_neighbors=None`` and another activation than
        ``"step"``.
    effective_metric_params_ : dict
        Parameters of the metric, given or estimated. For a transformer, its matrix ``L``
        of shape (n_components, n_features).
    n_exemplars_ : int
        Number of exemplars. With another ``init``, the number that the widths are made
        for.
    loss_ : float
        Loss of the last epoch; infinite before the first.
    best_loss_ : float or None
        The lowest loss; None with ``early_stopping``.
    loss_curve_ : list of float
        Mean objective over the minibatches of each epoch.
    validation_loss_curve_ : list of float or None
        Mean loss on the validation data after each epoch; None without such data.
    validation_scores_ : list of float or None
        Accuracy on the validation data, likewise; of an indicator the share of rows all
        labels of which are right. Rows count by ``sample_weight_val`` and
        ``class_weight``.
    best_validation_score_ : float or None
        Validation score of the weights that were kept, which may be those of the start.
    trained_share_ : float
        How far the last call moved the weights that it began with; 0 with ``max_iter=0``,
        and 1 after ``partial_fit``.
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
    [800, 10]
    >>> source = MetricInitMLPClassifier(n_neighbors=1, max_iter=0, random_state=0)
    >>> [len(bias) for bias in source.fit(X_train, y_train).intercepts_]
    [870, 30, 10]

    A row may have several labels:

    >>> from sklearn.datasets import make_multilabel_classification
    >>> X, y = make_multilabel_classification(n_classes=3, random_state=0)
    >>> clf = MetricInitMLPClassifier(max_iter=0, random_state=0).fit(X, y)
    >>> clf.predict(X[:2]).tolist(), clf.out_activation_
    ([[0, 1, 0], [0, 1, 0]], 'logistic')
    """

    _choices = CLASSIFIER_CHOICES
    _losses = {"log_loss": "log_loss", "squared_error": "squared_error"}  # noqa: RUF012

    def __init__(
        self,
        init: str | tuple[Sequence[ArrayLike], Sequence[ArrayLike]] = "metric",
        *,
        n_exemplars: str | float | Mapping[Any, int] = 30,
        exemplars: str | tuple[ArrayLike, ArrayLike] = "kmeans",
        metric: Any = "auto",
        metric_params: Mapping[str, Any] | None = None,
        n_neighbors: int | None = None,
        activation: str = "relu",
        sharpness: float = 1.0,
        output_init: str = "auto",
        n_comparisons: int = 800,
        n_conjunctions: int = 1,
        max_features: float | str | None = "mixed",
        feature_groups: ArrayLike | None = None,
        categorical_features: ArrayLike | str | None = "from_dtype",
        tied: bool = False,
        pairs: int | str = "all",
        loss: str = "log_loss",
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: str | float | Sequence[float] = "auto",
        learning_rate: str = "linear",
        power_t: float = 0.5,
        max_iter: int = 20,
        trained_share: float | str = "auto",
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
        self.n_comparisons = n_comparisons
        self.n_conjunctions = n_conjunctions
        self.max_features = max_features
        self.feature_groups = feature_groups
        self.categorical_features = categorical_features
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
        self.trained_share = trained_share
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
        X : {array-like, DataFrame, sparse matrix} of shape (n_samples, n_features)
            Training data. float32 stays float32. Columns of a DataFrame may be numbers,
            categories, text, truth values or dates, and values may be missing.
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or an indicator of several labels for each row: zeros and ones,
            as :class:`~sklearn.neural_network.MLPClassifier` takes them. Then exemplars
            are chosen without classes, and have the share of each label among their
            rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. A row of weight zero is left out, and a row of weight
            two counts as two rows.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Validation data, which are evaluated after each epoch, also without
            ``early_stopping``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : MetricInitMLPClassifier
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
            If ``max_iter`` epochs did not suffice, unless ``learning_rate="linear"`` ends
            with them, if the loss stopped being finite, or
            if training raised the training objective. The best weights are then kept.
        UserWarning
            If most of the given exemplars lie far outside the training data.
        """
        with unchanged_on_error(self):
            validation = X_val, y_val, sample_weight_val
            stream = self._fit(X, y, sample_weight, validation)
        return self._warn(stream)

    @available_if(supports_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> MetricInitMLPClassifier:
        """Train for one epoch over the given rows.

        There is no such method with ``solver="lbfgs"``, nor for epochs with
        ``activation="step"``.

        With ``solver="closed_form"`` there is no epoch: the rows are added to the sums
        that the output layer is fitted to, and the network is calculated when it is next
        asked for. It is that of one ``fit`` with all rows, as long as these are at most
        5,000, or if ``exemplars`` are given. Otherwise the hidden layer is that of the
        first 5,000 rows.

        The first call chooses the exemplars and calculates the weights from its rows. If
        it has fewer than three distinct rows per exemplar, the rows are kept. Whenever
        there are twice as many, exemplars, scales and output are calculated again from
        all of them, as in a first call with all rows so far. Gradient steps in between
        are lost; ``n_iter_`` and ``loss_curve_`` continue. When there are enough rows,
        they are dropped. It is better to pass more rows to the first call.

        A class that all earlier rows lack gets exemplars, comparisons and an output from
        its first rows: as many exemplars as the mean over all classes. The layers grow,
        trained weights stay, and the optimizer begins anew. Given exemplars and baselines
        do not grow.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or an indicator of several labels for each row.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Required in the first call. Given exemplars
            of these classes are kept, whether or not the rows have them. With an
            indicator it is ``range(n_outputs)``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : MetricInitMLPClassifier
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
        if classes is None and not hasattr(self, "classes_"):
            msg = "classes must be passed at the first call of partial_fit"
            raise ValueError(msg)
        with unchanged_on_error(self):
            stream = self._fit(X, y, sample_weight, classes=classes, incremental=True)
        return self._warn(stream, incremental=True)

    def predict(self, X: ArrayLike) -> Array:
        """Predict class labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            Predicted labels, on the device of X. Labels that are no numbers are in NumPy.
            If ``y`` was an indicator, it is one of zeros and ones: 1 where the
            probability is above 1/2.

        Raises
        ------
        ValueError
            If X is not accepted, or is on another device than the network.
        """
        if self.multilabel_:
            p = self._proba(X, "predict")
            xp = device_of(p).namespace
            return xp.astype(p > 0.5, xp.int64)
        log_p = self._network_log_proba(X, "predict")
        xp = device_of(log_p).namespace
        codes = xp.argmax(log_p, axis=1)
        if device_of(self.classes_) == HOST:
            return self.classes_[to_numpy(codes)]
        return xp.take(self.classes_, codes)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Estimate class probabilities.

        They are the values of the output activation. The untrained source's network with
        ``activation="step"`` returns the shares of the votes instead, as
        :class:`~sklearn.neighbors.KNeighborsClassifier` does.

        If ``y`` was an indicator, there is a probability for each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        p : array of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``. Rows sum to one, unless ``y`` was
            an indicator.

        Raises
        ------
        ValueError
            If X is not accepted, or is on another device than the network.
        """
        return self._proba(X, "predict_proba")

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Estimate the logarithm of the class probabilities.

        It is minus infinity where a class gets no vote of the network with a step; see
        :meth:`predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        log_p : array of shape (n_samples, n_classes)
            Logarithms in the order of ``classes_``.

        Raises
        ------
        ValueError
            If X is not accepted, or is on another device than the network.
        """
        if not self._counts_votes:
            return self._network_log_proba(X, "predict_log_proba")
        shares = self._vote_shares(X, "predict_log_proba")
        with np.errstate(divide="ignore"):
            return device_of(shares).namespace.log(shares)

    def explain(
        self,
        X: ArrayLike,
        *,
        n_nearest: int | None = 5,
        output: int | None = None,
        by: str = "exemplar",
    ) -> pd.DataFrame:
        """Explain predictions by exemplars, features or comparisons.

        Distances are those that the weights were calculated for. Activations and
        contributions are those of the present network, after any training.

        The contributions to a row add up to the output of the predicted class
        before its activation, less the mean over the classes. If ``y`` was an indicator,
        they add up to the output of one label before its activation, which is its log
        odds.
        With ``n_neighbors=None`` every hidden unit compares exemplars, so that nothing
        but the bias is left beside them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to explain.
        n_nearest : int or None, default=5
            Number of exemplars, or of comparisons, for each row; None for all.
        output : int or None, default=None
            Index of the label to explain, if ``y`` was an indicator; None is the first.
            Otherwise it must be None.
        by : {"exemplar", "feature", "comparison"}, default="exemplar"
            What the output is divided among. The last two need ``n_neighbors=None``.
            Features are always all shown, and need another activation than ``"step"``.

        Returns
        -------
        pandas.DataFrame
            For each row of X, one row per exemplar, the nearest first, and then one row
            per other term of the output, with the columns

            - ``row``: position in X, or its index if X is a DataFrame;
            - ``predicted``: predicted label, or 1 if the row has the explained label;
            - ``term``: ``"exemplar"``, or another term, as below;
            - ``rank``: 1 for the nearest exemplar; missing for other terms, as are the
              next five;
            - ``exemplar``: position in ``exemplars_``;
            - ``label``: its class, or the explained label: 1, 0 or a number between;
            - ``excess``: its distance minus that of the nearest exemplar;
            - ``margin``: distance of the nearest exemplar of another class minus its own.
              At rank 1 a small margin is near to a tie. Only of classes;
            - ``activation``: higher is nearer. With an integer ``n_neighbors``, the value
              of its unit in the exemplar layer. With None, the share of its
              comparisons that it wins;
            - ``contribution``: the output minus what it is without that unit. With
              ``n_neighbors=None``, half of the contributions of all comparisons that the
              exemplar is part of.

            The other terms are

            - ``"other exemplars"``: those that are not among the ``n_nearest``;
            - ``"interaction"``: with ``n_neighbors`` > 1, the joint effect of exemplars
              beyond the sum of their single ones;
            - ``"bias"``: the output without all of these.

            ``rank``, ``exemplar``, and integer labels have pandas' nullable types.
            ``frame[frame["term"] == "exemplar"]`` selects the exemplars.

            Before training, with an integer ``n_neighbors`` and ``pairs="all"``,
            activations do not rise with the rank. Distances are in the units of the
            metric: squared with ``"sqeuclidean"``, and times the norm of the row with
            ``"cosine"``.

            With ``by="feature"`` there is a row for each feature, with the columns
            ``row``, ``predicted``, ``term``, ``feature`` and ``contribution``, and the
            terms ``"remainder"``, which is zero before training, and ``"bias"``.

            With ``by="comparison"`` there is a row for each of the ``n_nearest``
            comparisons that contribute most, with the columns ``row``, ``predicted``,
            ``term``, ``rank``, ``nearer`` and ``farther``, the positions of the exemplar
            that the row is nearer to and of the other, ``features``, the names of those
            that were compared, and ``contribution``. The other terms are
            ``"other comparisons"`` and ``"bias"``.

        Raises
        ------
        AttributeError
            If the weights were not calculated from exemplars.
        ValueError
            If ``n_nearest``, ``output``, ``by`` or X is not accepted.

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
        0          2     1      1    0.00    0.67
        1          2     2      2    0.67   -0.67
        2          2     3      1    1.16   -0.49
        >>> frame["term"].tolist()
        ['exemplar', 'exemplar', 'exemplar', 'other exemplars', 'bias']
        >>> by_feature = clf.explain(X[[-1]], by="feature")
        >>> by_feature[["term", "feature"]]
                term feature
        0    feature      x0
        1    feature      x1
        2    feature      x2
        3    feature      x3
        4  remainder     NaN
        5       bias     NaN
        >>> totals = [table["contribution"].sum() for table in (frame, by_feature)]
        >>> bool(abs(totals[0] - totals[1]) < 1e-6)
        True
        """
        labels = self.exemplar_labels_
        if self.multilabel_:
            output = 0 if output is None else output
            check_output(output, self.n_outputs_)
            labels = labels[:, output]
        elif output is not None:
            accepted = "None, which is the predicted class, unless y was an indicator"
            raise invalid_parameter("output", output, accepted)
        frame = self._explain(X, n_nearest, output, by)
        if self.multilabel_:
            frame["predicted"] = (frame["predicted"] > 0).astype(int)
            frame = frame.drop(columns="margin", errors="ignore")
        else:
            frame["predicted"] = self._fit_state.targets.labels[frame["predicted"]]
        if by == "exemplar":
            frame.insert(5, "label", at_exemplars(labels, frame["exemplar"]))
        return frame

    @property
    def exemplar_labels_(self) -> Array:
        """Classes of the exemplars, or the share of each label."""
        exemplars = self._exemplars()
        if self.multilabel_:
            return exemplars.targets(self.n_outputs_)
        return self._fit_state.targets.labels[exemplars.codes]

    @property
    def multilabel_(self) -> bool:
        """Whether ``y`` was an indicator of several labels."""
        check_is_fitted(self)
        return isinstance(self._fit_state.targets, LabelTargets)

    def _with_targets(self, config: NetworkConfig, y: Array) -> NetworkConfig:
        if y.ndim == 1:
            return config
        check_label_parameters(get_parameters(self), y.shape[1])
        return replace(config, loss=f"binary_{config.loss}")

    def _encode(
        self,
        data: TrainingData,
        validation: TrainingData | None,
        state: FitState | None,
        classes: Any,
    ) -> tuple[ClassTargets | LabelTargets, TrainingData, TrainingData | None]:
        """Turn labels into class codes, and multiply weights by those of the classes.

        Several labels of a row stay as they are.
        """
        targets: Any = state.targets if state else _targets_of(data.y, classes)
        targets.check_same(classes)
        codes = targets.encode(data.y)
        if isinstance(targets, LabelTargets):
            if validation:
                validation = _with_y(validation, targets.encode(validation.y, "y_val"))
            return targets, _with_y(data, codes), validation
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

    def _assign_targets(self, targets: ClassTargets, like: Array) -> None:
        labels = targets.labels
        # Only NumPy has arrays of strings.
        is_number = labels.dtype.kind in "biuf"
        device = device_of(like) if is_number else HOST
        self.classes_ = device.move(labels)

    def _network_log_proba(self, X: ArrayLike, method: str) -> Array:
        output = self._output(X, method)
        return LOG_PROBABILITIES[self._fit_state.config.loss](output)

    def _proba(self, X: ArrayLike, method: str) -> Array:
        if self._counts_votes:
            return self._vote_shares(X, method)
        log_p = self._network_log_proba(X, method)
        return device_of(log_p).namespace.exp(log_p)

    @property
    def _counts_votes(self) -> bool:
        """Whether the exemplar layer has votes; the output then has only their winner."""
        check_is_fitted(self)
        return bool(self._fit_state.config.counts_votes)

    def _vote_shares(self, X: ArrayLike, method: str) -> Array:
        """Share (n, n_outputs) of each class or label in the exemplar layer's votes."""
        hidden = self.network_.layers[:2]
        example = hidden[0].parameters[0]
        device = device_of(example)
        xp = device.namespace
        table = self._exemplars().targets(self.n_outputs_)
        table = np.column_stack([table, np.ones(len(table))])
        table = xp.astype(device.move(table), example.dtype)
        counter = Dense(table, 0.0 * table[0, :], "identity")
        counts = self._output(X, method, Network((*hidden, counter)))
        votes, total = counts[:, :-1], counts[:, -1:]
        # There are no votes where rounding errors make each exemplar lose to another.
        is_none = xp.astype(total == 0, total.dtype)
        return (votes + is_none) / (total + self.n_outputs_ * is_none)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what the estimator accepts."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = accepts_labels(vars(self))
        return tags


def _targets_of(y: Array, classes: Any) -> ClassTargets | LabelTargets:
    if y.ndim > 1:
        return LabelTargets(y.shape[1])
    return ClassTargets.from_labels(y, classes)


def _with_y(data: TrainingData, y: Array) -> TrainingData:
    """Return data with encoded labels, in the precision of the weights."""
    return data._replace(y=y.astype(data.sample_weight.dtype))
