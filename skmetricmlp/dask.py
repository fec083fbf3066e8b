"""Fit on the machines of a Dask cluster: rows are summed where they are.

The sums of :mod:`skmetricmlp.partitions` are added in a tree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, Self

import dask.array as da
import numpy as np
from dask import compute, delayed, is_dask_collection
from dask.dataframe.utils import meta_nonempty
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._errors import invalid_parameter
from skmetricmlp.partitions import fit_partitions, has_no_weight

__all__ = ["OnDask"]

FAN_IN = 8  # sums that one task adds up

Partition = tuple[Any, Any, Any]  # X, y and the sample weight, which may be None


def _has_probabilities(wrapper: OnDask) -> bool:
    return hasattr(wrapper.estimator, "predict_proba")


class OnDask(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit an estimator with ``solver="closed_form"`` to Dask arrays or data frames.

    There are two passes over the data, those of
    :func:`~skmetricmlp.partitions.fit_partitions`: for a sample and for sums. The network
    is that of ``estimator.fit`` with all rows, to rounding.

    A worker needs memory for one partition and for the sums, which are the square of the
    width in double precision. Dask computes the sums of a worker that is lost again.

    Parameters
    ----------
    estimator : MetricInitMLPClassifier or MetricInitMLPRegressor
        With ``solver="closed_form"``. It is not changed.

    Attributes
    ----------
    estimator_ : estimator
        The fitted one. It needs no Dask.
    classes_ : array of shape (n_classes,)
        The sorted labels, of a classifier.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_digits
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.dask import OnDask
    >>> X, y = (da.from_array(a, chunks=500) for a in load_digits(return_X_y=True))
    >>> clf = MetricInitMLPClassifier(solver="closed_form", random_state=0)
    >>> model = OnDask(clf).fit(X.rechunk((500, -1)), y)
    >>> bool(model.score(X.rechunk((500, -1)), y) > 0.99)
    True
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, classes: Any = None
    ) -> Self:
        """Calculate the network from all rows.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
            Rows in partitions, which may be unequal or empty.
        y : dask.array.Array or dask.dataframe.Series of shape (n_samples,)
            In the partitions of X.
        sample_weight : dask collection of shape (n_samples,), default=None
            Likewise.
        classes : array-like, default=None
            All labels. By default they are collected from ``y`` before.

        Returns
        -------
        self : OnDask

        Raises
        ------
        ValueError, TypeError
            If the estimator has another solver, or the data are not accepted.
        """
        partitions = _partitions(X, y, sample_weight)
        in_tree = partial(_map_reduce, partitions)
        estimator = fit_partitions(self.estimator, in_tree, classes=classes)
        self.estimator_, self._example = estimator, _example(X)
        if is_classifier(estimator):
            self.classes_ = estimator.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Predict each partition where it is.

        Parameters
        ----------
        X : Dask collection or array-like of shape (n_samples, n_features)

        Returns
        -------
        dask.array.Array of shape (n_samples,) or (n_samples, n_outputs)
            A NumPy array if X is no Dask collection.
        """
        return self._mapped(X, "predict")

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Estimate the probabilities of the classes, likewise.

        Parameters
        ----------
        X : Dask collection or array-like of shape (n_samples, n_features)

        Returns
        -------
        dask.array.Array of shape (n_samples, n_classes)
        """
        return self._mapped(X, "predict_proba")

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy, or the coefficient of determination of a regressor.

        Parameters
        ----------
        X, y, sample_weight : Dask collections
            As in :meth:`fit`.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        partitions = _partitions(X, y, sample_weight)
        if is_classifier(self.estimator_):
            add, center = _wrong, None
        else:
            weight, of_y = _map_reduce(partitions, _weighted, None, _added)
            add, center = _squares, of_y / weight
        shared = self.estimator_, center
        total, errors = _map_reduce(partitions, add, shared, _added)
        return float(np.mean(1.0 - errors / total))

    def _mapped(self, X: Any, method: str) -> Any:
        check_is_fitted(self)
        predict = getattr(self.estimator_, method)
        if not is_dask_collection(X):
            return predict(X)
        parts = np.ravel(np.array(_whole_rows(X).to_delayed(), dtype=object)).tolist()
        lengths = X.chunks[0] if hasattr(X, "chunks") else [np.nan] * len(parts)
        empty, model = predict(self._example)[:0], delayed(self.estimator_)
        blocks = [
            da.from_delayed(
                delayed(_predicted)(model, method, part, empty),
                shape=(length, *empty.shape[1:]),
                dtype=empty.dtype,
            )
            for part, length in zip(parts, lengths, strict=True)
        ]
        return da.concatenate(blocks, allow_unknown_chunksizes=True)


def _whole_rows(rows: Any) -> Any:
    """Return an array with all columns of a row in one partition."""
    has_columns = hasattr(rows, "chunks") and rows.ndim > 1
    return rows.rechunk({1: -1}) if has_columns else rows


def _predicted(model: Any, method: str, X: Any, empty: Any) -> Any:
    return getattr(model, method)(X) if X.shape[0] else empty


def _partitions(X: Any, y: Any, sample_weight: Any) -> list[Partition]:
    """Return the partitions of the rows, as delayed objects."""
    parts = []
    for name, value in (("X", X), ("y", y), ("sample_weight", sample_weight)):
        if value is None:
            continue
        if not is_dask_collection(value):
            raise invalid_parameter(
                name, type(value).__name__, "a Dask array or data frame", TypeError
            )
        delayed_parts = np.array(_whole_rows(value).to_delayed(), dtype=object)
        parts.append(np.ravel(delayed_parts).tolist())
        if len(parts[-1]) != len(parts[0]):
            msg = (
                f"{name} has {len(parts[-1])} partitions, and X has {len(parts[0])}: "
                f"each must have the same rows in both"
            )
            raise ValueError(msg)
    weights = parts[2] if len(parts) > 2 else [None] * len(parts[0])
    return list(zip(parts[0], parts[1], weights, strict=True))


def _example(X: Any) -> Any:
    """Return a made row of the columns of X."""
    if hasattr(X, "columns"):
        return meta_nonempty(X._meta)[:1]  # noqa: SLF001 - its name in all of Dask
    return np.ones((1, X.shape[1]), X.dtype)


def _map_reduce(
    partitions: list[Partition],
    function: Callable[..., Any],
    shared: Any,
    add: Callable[[Any, Any], Any],
) -> Any:
    """Apply a function to each partition, and add up the results in a tree."""
    copied = delayed(shared)  # once for each worker
    parts = [delayed(function)(copied, *part) for part in partitions]
    while len(parts) > 1:
        groups = [parts[k : k + FAN_IN] for k in range(0, len(parts), FAN_IN)]
        parts = [delayed(reduce)(add, group) for group in groups]
    (total,) = compute(parts[0])
    return total


def _added(one: Any, other: Any) -> Any:
    """Add tuples of numbers, of which a partition without weight has none."""
    if one is None or other is None:
        return one or other
    return tuple(map(sum, zip(one, other, strict=True)))


def _weighted(_: None, X: Any, y: Any, sample_weight: Any) -> Any:
    """Return the sum of the weights, and that of the weighted values (n_outputs,)."""
    if has_no_weight(X, sample_weight):
        return None
    y, weight = _values_and_weights(y, sample_weight)
    return weight.sum(), weight @ y


def _squares(shared: tuple[Any, Any], X: Any, y: Any, sample_weight: Any) -> Any:
    """Return weighted sums of squares around the center, and of the errors."""
    model, center = shared
    if has_no_weight(X, sample_weight):
        return None
    predicted = model.predict(X)
    y, weight = _values_and_weights(y, sample_weight)
    errors = y - predicted.reshape(y.shape)
    return weight @ (y - center) ** 2, weight @ errors**2


def _wrong(shared: tuple[Any, Any], X: Any, y: Any, sample_weight: Any) -> Any:
    """Return the sum of the weights, and that of the rows that are not predicted."""
    model, _ = shared
    if has_no_weight(X, sample_weight):
        return None
    wrong = model.predict(X) != np.asarray(y)
    wrong, weight = _values_and_weights(wrong, sample_weight)
    return weight.sum(), weight @ wrong.any(axis=1)


def _values_and_weights(y: Any, sample_weight: Any) -> tuple[Any, Any]:
    values = np.asarray(y).reshape(len(y), -1)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    return values, weight
