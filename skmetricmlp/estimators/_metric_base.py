"""What the estimators with exemplars share: initialization, and explanations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skmetricmlp._array_api import HOST, computed, device_of, map_arrays, to_numpy
from skmetricmlp._data import TrainingData
from skmetricmlp._errors import check_integer, invalid_parameter, is_integer
from skmetricmlp._state import FitState
from skmetricmlp._typing import Array, Floats, Ints
from skmetricmlp._validation import (
    Recorded,
    accepts_sparse,
    check_exemplars,
    check_feature_groups,
    check_features,
    check_metric_data,
    check_names,
    check_outputs,
    check_parameters,
    check_products,
    check_range,
    check_size,
    column_names,
    get_parameters,
    is_additive,
    metric_parameters,
    record_parameters,
    uses_metric,
    warn_of_units,
)
from skmetricmlp.estimators._targets import (
    ClassTargets,
    LabelTargets,
    RegressionTargets,
)
from skmetricmlp.estimators.closed_form import ClosedFormMixin
from skmetricmlp.exemplars import Exemplars
from skmetricmlp.initialization import (
    Comparisons,
    NetworkConfig,
    compared_exemplars,
    initial_state,
    lacks_classes,
    middles,
    with_new_classes,
)
from skmetricmlp.inspection.explanation import (
    Explained,
    by_feature,
    explain_comparisons,
    explain_features,
    explain_rows,
    feature_importances,
)
from skmetricmlp.inspection.names import (
    comparison_names,
    conjunction_names,
    unique_names,
)
from skmetricmlp.metrics import METRICS
from skmetricmlp.network import ACTIVATIONS, Layer, Network, reading_holes
from skmetricmlp.tables import TableEncoding, fit_encoding

__all__ = ["MetricEstimator", "check_output"]

# Exemplars where the number is found by cross-validation, or given as a share.
USUAL_EXEMPLARS = 30
MOST_NAMES = 100_000
EXPLAINED = "exemplar", "feature", "comparison"
CONFIG = tuple(field.name for field in fields(NetworkConfig) if field.name != "encoding")


class MetricEstimator(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClosedFormMixin,
):
    """A network whose weights are calculated from exemplars, or a baseline of it."""

    # Words that parameters accept, and the names that losses have in the network.
    _choices: ClassVar[Mapping[str, tuple[str, ...]]]
    _losses: ClassVar[Mapping[str, str]]

    def _configure(self, *, trains: bool) -> NetworkConfig:
        parameters = get_parameters(self)
        check_parameters(parameters, self._choices, trains=trains)
        parameters["loss"] = self._losses[parameters["loss"]]
        return NetworkConfig.resolved(**{name: parameters[name] for name in CONFIG})

    def _check_values(
        self, X: Array, state: FitState | None, encoding: Any, name: str = "X"
    ) -> None:
        names = self._column_names(encoding)
        if state is None:
            check_size(X, names, name, squares=self._uses_metric())
            if self._uses_metric():
                check_metric_data(self.metric, X, names, name)
        elif state.metric is not None:
            metric = state.metric
            check_range(X, metric.value_range, metric.name, names, name)

    def _initialize(
        self,
        config: NetworkConfig,
        targets: ClassTargets | LabelTargets | RegressionTargets,
        data: TrainingData,
        y: Array,
        index: Ints,
        state: FitState | None,
        rng: np.random.RandomState,
        *,
        few_rows: bool,
    ) -> FitState:
        """Calculate, draw or take over a network, or add classes that it lacks."""
        if state and isinstance(targets, ClassTargets):
            state, n_classes = map_arrays(to_numpy, state), len(targets.labels)
            with config_context(array_api_dispatch=False):
                return with_new_classes(
                    state, data, n_classes, config, solver=self.solver, rng=rng
                )
        names = self._column_names(config.encoding)
        exemplars: Any = config.exemplars
        if not isinstance(exemplars, str):
            labels = getattr(self, "feature_names_in_", None)
            exemplars = _given_exemplars(config, data.X, labels, targets)
        metric_params = None
        if self._uses_metric():
            given = config.metric, config.metric_params
            metric_params = metric_parameters(*given, data.X.shape[1], names)
        classes = targets.labels if isinstance(targets, ClassTargets) else None
        groups = self._given_groups(config)
        config = replace(
            config,
            exemplars=exemplars,
            metric_params=metric_params,
            feature_groups=groups,
        )
        # k-means of scikit-learn 1.6 fails on NumPy arrays where it may dispatch.
        with config_context(array_api_dispatch=False):
            made = initial_state(
                config,
                data,
                y[index],
                classes,
                solver=self.solver,
                rng=rng,
                few_rows=few_rows,
            )
        is_given = not isinstance(config.init, str)
        if is_given and config.output_init is None:
            made = replace(made, network=targets.to_training_units(made.network))
        chosen = made.exemplars
        if chosen is None or chosen.index is None:
            return made
        return replace(made, exemplars=replace(chosen, index=index[chosen.index]))

    def _given_rows(
        self, config: NetworkConfig, targets: Any, rows: TrainingData
    ) -> TrainingData:
        labels = getattr(self, "feature_names_in_", None)
        given = _given_exemplars(config, rows.X, labels, targets)
        y: Any = given.codes
        if not isinstance(targets, ClassTargets):
            y = given.targets(rows.y.shape[1])
        if isinstance(targets, RegressionTargets):
            y = targets.decode(y).reshape(y.shape)
        points = given.points.astype(rows.X.dtype)
        return TrainingData(points, y, np.ones(len(points), dtype=points.dtype))

    def _given_groups(self, config: NetworkConfig) -> Ints | None:
        """Return the group of each column that the network reads, where it is given."""
        labels = getattr(self, "feature_names_in_", None)
        groups = check_feature_groups(config.feature_groups, self.n_features_in_, labels)
        if groups is None or config.encoding is None:
            return groups
        return groups[config.encoding.groups]

    def _with_encoding(
        self, config: NetworkConfig, X: Any, state: FitState | None
    ) -> NetworkConfig:
        if state is not None:
            return replace(config, encoding=state.encoding)
        encoding = fit_encoding(computed(X), self.categorical_features)
        return replace(config, encoding=encoding)

    def _without_holes(self, network: Network, X: Array) -> tuple[Network, Array]:
        state: Any = self._fit_state
        if device_of(X) != HOST or sp.issparse(X) or not np.isnan(X).any():
            return network, X
        between = None
        if state.metric is not None:
            if state.comparisons is None:
                network = network.dense()
            compared = compared_exemplars(state, network)
            between = middles(state.metric, *compared)
        return reading_holes(network, X, state.scaling[0], between)

    def _suffices(self, state: FitState, y: Array) -> bool:
        if not isinstance(self.exemplars, str) or y.ndim > 1:
            return True
        return not lacks_classes(state, to_numpy(y))

    def _n_rows_needed(self, config: NetworkConfig, targets: Any) -> int:
        """Return one row for each exemplar that is asked for."""
        n, exemplars = config.n_exemplars, config.exemplars
        if isinstance(exemplars, (tuple, list)):
            return len(exemplars[1])
        if isinstance(n, Mapping):
            return int(sum(n.values()))
        n = int(n) if isinstance(n, (int, np.integer)) else USUAL_EXEMPLARS
        is_class = isinstance(targets, ClassTargets)
        return max(n, len(targets.labels)) if is_class else n

    def _record(self, config: NetworkConfig) -> Recorded:
        parameters = get_parameters(self)
        given = {name: parameters[name] for name in (*CONFIG, "categorical_features")}
        resolved = {
            "output_init": config.output_init,
            "metric_params": given["metric_params"] or {},
        }
        if isinstance(given["n_exemplars"], float):  # 1.0 is all rows, and 1 is one
            resolved["n_exemplars"] = "share", given["n_exemplars"]
        if isinstance(given["max_features"], float):
            resolved["max_features"] = "share", given["max_features"]
        return record_parameters(given, resolved)

    def transform(self, X: ArrayLike) -> Array:
        """Return the values of the first hidden layer, as features for another model.

        With ``init="metric"`` each of them tells whether a row is nearer to one exemplar
        than to another, in the present network. With ``activation="relu"`` it is zero if
        not, and grows with the difference of the distances otherwise.

        Parameters
        ----------
        X : {array-like, DataFrame, sparse matrix} of shape (n_samples, n_features)
            Rows to transform.

        Returns
        -------
        hidden : array of shape (n_samples, n_hidden)
            Dense, on the device of X. With ``n_neighbors=None`` the comparisons come
            first, and then the conjunctions. ``set_output`` makes it a DataFrame.

        Raises
        ------
        ValueError
            If X is not accepted, or is on another device than the network.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> from skmetricmlp import MetricInitMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> hidden = MetricInitMLPClassifier(
        ...     n_exemplars=6, n_comparisons=50, max_iter=0, random_state=0
        ... )
        >>> hidden.fit_transform(X, y).shape
        (150, 99)
        >>> model = make_pipeline(hidden, LogisticRegression(max_iter=1000))
        >>> model.fit(X, y).score(X, y) > 0.95
        True
        """
        check_is_fitted(self)
        first = self._first_hidden
        output = self._output(X, "transform", Network((first,)))
        return ACTIVATIONS[first.activation].function(output)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the columns of :meth:`transform`.

        They name the exemplars and the features that are compared, and both comparisons
        of a conjunction. A name that occurs again gets a number. Training moves weights
        away from what the names say. Weights that were not calculated from exemplars are
        numbered.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,) or None, default=None
            Names of the features. They must be ``feature_names_in_`` where there are
            such names, and are used otherwise.

        Returns
        -------
        names : ndarray of shape (n_hidden,)
            Names, all different.

        Raises
        ------
        ValueError
            If ``input_features`` are not those of X, or there are more than 100,000
            columns.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmetricmlp import MetricInitMLPClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> clf = MetricInitMLPClassifier(
        ...     n_exemplars=6, n_comparisons=50, max_iter=0, random_state=0
        ... )
        >>> names = clf.fit(X, y).get_feature_names_out()
        >>> print(names[1])
        nearer to exemplar 5 than to 3
        >>> names[50] == f"{names[0]} and {names[1]}"
        True
        """
        check_is_fitted(self)
        if self._n_features_out > MOST_NAMES:  # a display in a notebook would list them
            msg = (
                f"there are names of at most {MOST_NAMES} columns, and transform has "
                f"{self._n_features_out}: pairs_ tells what they compare"
            )
            raise ValueError(msg)
        state = self._fit_state
        if state.pairs is None and state.comparisons is None:
            numbered: Array = super().get_feature_names_out(input_features)
            return numbered
        features = _check_feature_names_in(self, input_features)
        if state.pairs is not None:
            _, first, second = compared_exemplars(state, self.network_)
            return unique_names(comparison_names(first, second))
        first, second = self.comparisons_.T
        names = comparison_names(first, second, self.comparison_features_, features)
        layer: Any = self.network_.layers[0]
        return unique_names([*names, *conjunction_names(names, layer.layer.n_shifts)])

    @property
    def _n_features_out(self) -> int:
        return self._first_hidden.n_out

    @property
    def _first_hidden(self) -> Layer:
        if len(self.network_.layers) == 1:
            msg = "n_comparisons=0 makes no hidden layer, whose values transform returns"
            raise AttributeError(msg)
        return self.network_.layers[0]

    @property
    def feature_importances_(self) -> Array:
        """Mean absolute contribution of each feature to the output, with sum one."""
        compared_on = self._comparisons().features
        if self.network_.layers[0].activation == "step":
            msg = (
                "activation='step' does not see the distances on each feature: there is "
                "no feature_importances_"
            )
            raise AttributeError(msg)
        state: Any = self._fit_state  # which has a sample of the rows
        X, sample_weight = state.sample
        network = map_arrays(to_numpy, self.network_)
        groups = self._features(compared_on.shape[1])[1]
        outputs = network.affine_output(X)
        each = [
            Explained(np.full(len(outputs), k), centered=False)
            for k in range(outputs.shape[1])
        ]
        if isinstance(state.targets, ClassTargets):
            each = [Explained(np.argmax(outputs, axis=1), centered=True)]
        offsets = self._offsets(network)
        shares = [
            feature_importances(X, sample_weight, explained, network, offsets, groups)
            for explained in each
        ]
        importances: Floats = np.mean(shares, axis=0)
        return importances

    @property
    def exemplars_(self) -> Array:
        """Points that the weights were calculated from, without missing values."""
        points = self._exemplars().points
        encoding = self._fit_state.encoding
        holes = encoding.holes if encoding else None
        return points if holes is None else np.delete(points, holes.indicators, axis=1)

    @property
    def encoded_feature_names_(self) -> Array:
        """Names of the columns that the network reads, the rows of ``coefs_[0]``."""
        check_is_fitted(self)
        encoding = self._fit_state.encoding
        if encoding is not None:
            return np.array(encoding.names, dtype=object)
        return self._features(self.n_features_in_)[0]

    @property
    def exemplar_indices_(self) -> Array:
        """Rows of the training data that are the exemplars."""
        index = self._exemplars().index
        if index is None:
            msg = f"exemplars={self.exemplars!r} are not rows of X"
            raise AttributeError(msg)
        return index

    @property
    def comparisons_(self) -> Array:
        """Two exemplars that each unit of the first layer compares."""
        compared = self._comparisons()
        return np.stack([compared.first, compared.second], axis=1)

    @property
    def comparison_features_(self) -> Array:
        """Features that each unit of the first layer compares them on."""
        compared = self._comparisons().features
        encoding = self._fit_state.encoding
        return compared if encoding is None else by_feature(compared, encoding.groups) > 0

    @property
    def pairs_(self) -> Array:
        """Exemplars that each exemplar is compared with, in the order of the layer."""
        self._exemplars()
        if self._fit_state.pairs is None:
            msg = (
                "n_neighbors=None samples pairs of exemplars and features: comparisons_ "
                "and comparison_features_ have them"
            )
            raise AttributeError(msg)
        return self._fit_state.pairs

    @property
    def effective_metric_params_(self) -> dict[str, Any]:
        """Parameters of the metric, given or taken from the training data."""
        self._exemplars()
        metric: Any = self._fit_state.metric
        return dict(metric.parameters)

    @property
    def n_exemplars_(self) -> int:
        """Number of exemplars, or with another ``init`` of those there would be."""
        check_is_fitted(self)
        n: int = self._fit_state.n_exemplars
        return n

    def _comparisons(self) -> Comparisons:
        self._exemplars()
        compared: Comparisons | None = self._fit_state.comparisons
        if compared is None:
            msg = f"n_neighbors={self.n_neighbors!r} compares all exemplars: see pairs_"
            raise AttributeError(msg)
        return compared

    def _exemplars(self) -> Exemplars:
        check_is_fitted(self)
        exemplars: Exemplars | None = self._fit_state.exemplars
        if exemplars is None:
            is_linear = len(self.network_.layers) == 1
            setting = "n_comparisons=0" if is_linear else f"init={self.init!r}"
            msg = f"{setting} has no exemplars"
            raise AttributeError(msg)
        return exemplars

    def _explain(
        self, X: ArrayLike, n_nearest: int | None, output: int | None, by: str
    ) -> pd.DataFrame:
        """Explain an output of each row, or that of the class with the highest one.

        The column ``predicted`` has the value of the output, or the code of that class.
        """
        exemplars = self._exemplars()
        if by not in EXPLAINED:
            raise invalid_parameter("by", by, "one of " + ", ".join(map(repr, EXPLAINED)))
        state: Any = self._fit_state  # which has exemplars and metric
        most = len(exemplars.codes)
        if by != "exemplar":
            most = len(self._comparisons().first)
        if by == "feature" and self.network_.layers[0].activation == "step":
            msg = (
                "by='feature' divides a comparison in proportion to the distances on "
                "each feature, which activation='step' does not see: choose "
                "by='exemplar' or 'comparison', or another activation"
            )
            raise ValueError(msg)
        n_nearest = most if n_nearest is None else n_nearest
        check_integer("n_nearest", n_nearest, most, f"None, for all {by}s,")
        index = X.index if isinstance(X, pd.DataFrame) else None
        X = check_features(self, X, self.network_, "explain", state.encoding)
        X = to_numpy(X)
        _check_complete(X, self._column_names(state.encoding))
        self._check_values(X, state, state.encoding)
        network = map_arrays(to_numpy, self.network_)
        check_products(X, network)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = network.affine_output(X)
        check_outputs(outputs, X)
        explained = (
            Explained(np.argmax(outputs, axis=1), centered=True)
            if output is None
            else Explained(np.full(len(outputs), output), centered=False)
        )
        with np.errstate(over="ignore", invalid="ignore"):
            frame = self._explained_by(by, X, explained, network, n_nearest)
        for name in {"excess", "activation"} & set(frame):
            is_nearest = frame["term"] == "exemplar"  # the other terms have no distance
            check_outputs(frame.loc[is_nearest, name].to_numpy(), X)
        check_outputs(frame["contribution"].to_numpy(), X)
        position = frame["row"].to_numpy()
        predicted = explained.outputs if output is None else outputs[:, output]
        frame.insert(1, "predicted", predicted[position])
        return frame if index is None else frame.assign(row=index[position])

    def _explained_by(
        self, by: str, X: Array, explained: Explained, network: Network, n_nearest: int
    ) -> pd.DataFrame:
        state: Any = self._fit_state
        compared = state.comparisons
        if by == "exemplar":
            scores = state.metric(state.exemplars.points)
            return explain_rows(
                X, explained, network, state.exemplars, scores, compared, n_nearest
            )
        names, groups = self._features(X.shape[1])
        if by == "comparison":
            features = by_feature(compared.features, groups) > 0
            compared = replace(compared, features=features)
            return explain_comparisons(X, explained, network, compared, names, n_nearest)
        offsets = self._offsets(network)
        return explain_features(X, explained, network, offsets, names, groups)

    def _offsets(self, network: Network) -> Floats:
        """Return the offset (P, d) of each column in each comparison.

        What training has added to a weight has no effect at the mean of the column, as in
        training. So the offsets of columns do not matter.
        """
        state: Any = self._fit_state
        first: Any = network.layers[0]
        points, _, _ = compared_exemplars(state, network)
        weights, offsets, _ = state.comparisons.differences(state.metric, points)
        learned = first.parameters[0].T.astype(np.float64) - weights
        present: Floats = offsets - learned * state.scaling[0]
        return present

    def _features(self, n_columns: int) -> tuple[Array, Ints]:
        """Names of the features, and which of them each column belongs to."""
        encoding = self._fit_state.encoding
        if encoding is not None:
            return np.array(encoding.labels, dtype=object), encoding.groups
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = np.array([f"x{k}" for k in range(n_columns)], dtype=object)
        return names, np.arange(n_columns)

    def _uses_metric(self) -> bool:
        return uses_metric(self.init, self.exemplars, self.n_exemplars)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn what the estimator accepts."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = not self._uses_metric() or is_additive(self.metric)
        if self._uses_metric():
            formula = METRICS.get(self.metric) if isinstance(self.metric, str) else None
            has_range = formula is not None and formula.value_range is not None
            tags.input_tags.positive_only = has_range
            tags.input_tags.sparse = accepts_sparse(self.metric)
        return tags


def check_output(output: Any, n_outputs: int) -> None:
    """Refuse the index of an output that there is not."""
    if not (is_integer(output) and 0 <= output < n_outputs):
        raise invalid_parameter("output", output, f"an int from 0 to {n_outputs - 1}")


def _check_complete(X: Array, names: Array | None) -> None:
    """Refuse missing values in columns that had none in the training data."""
    if sp.issparse(X):
        return
    columns = np.flatnonzero(np.isnan(X).any(axis=0))
    if len(columns):
        at = columns[0]
        name = f"{at}" if names is None else f"{str(names[at])!r}"
        msg = (
            f"explain needs values in column {name}, which had no missing ones in the "
            f"training data"
        )
        raise ValueError(msg)


def _given_exemplars(
    config: NetworkConfig,
    X: Array,
    names: Array | None,
    targets: ClassTargets | LabelTargets | RegressionTargets,
) -> Exemplars:
    """Check the exemplars of the user, and encode their labels or values.

    Exemplars of classes that ``y`` lacks are left out.
    """
    meaning = "values" if isinstance(targets, RegressionTargets) else "labels"
    metric = config.metric if config.is_calculated else None
    given: Any = config.exemplars
    if config.encoding is not None:
        given = _encoded_exemplars(given, config.encoding, names, meaning)
        names = np.array(config.encoding.names, dtype=object)
    points, labels = check_exemplars(given, X, metric, names, meaning)
    if isinstance(targets, ClassTargets):
        codes, is_known = targets.encode_known(labels)
        exemplars = Exemplars(points[is_known], codes, None)
    else:
        encoded = targets.encode(labels, "exemplars[1]")
        codes = np.zeros(len(points), dtype=np.intp)
        exemplars = Exemplars(points, codes, None, encoded)
    if config.is_calculated:
        warn_of_units(exemplars.points, X, meaning)
    return exemplars


def _encoded_exemplars(
    given: tuple[Any, Any], encoding: TableEncoding, names: Array | None, meaning: str
) -> tuple[Array, Any]:
    """Encode exemplars that are rows of a table."""
    points, labels = given
    pair, points = f"exemplars=(points, {meaning})", computed(points)
    check_names(pair, column_names(pair, points), names)
    if np.ndim(points) != 2 or points.shape[1] != len(encoding.columns):
        msg = (
            f"{pair} must have points of {len(encoding.columns)} features, as X has, got "
            f"shape {np.shape(points)}"
        )
        raise ValueError(msg)
    return encoding.encode(points), labels
