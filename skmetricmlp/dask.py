"""Fit on the machines of a Dask cluster: rows are summed where they are.

The closed-form network needs only sums over rows. Each machine adds up its own, and the
sums are added in a tree. The result is the network that one machine would calculate from
all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import reduce
from typing import Any, Self

import dask.array as da
import numpy as np
from dask import compute, delayed, is_dask_collection
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._errors import invalid_parameter
from skmetricmlp.estimators.closed_form import (
    ClosedFormMixin,
    begun,
    has_hidden_layers,
    outline_of,
    sample_of,
    with_sample,
)

__all__ = ["OnDask"]

FAN_IN = 8  # sums that one task adds up

Partition = tuple[Any, Any, Any]  # X, y and the sample weight, which may be None


def _has_probabilities(wrapper: OnDask) -> bool:
    return hasattr(wrapper.estimator, "predict_proba")


class OnDask(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit an estimator with ``solver="closed_form"`` to Dask arrays or data frames.

    There are two passes over the data. The first summarizes the columns and the labels,
    and draws a sample of 5,000 distinct rows, from which the exemplars and the hidden
    layer are calculated. The second adds up the sums that the output layer needs. None of
    these depends on the partitions: the network is that of ``estimator.fit`` with all
    rows, to rounding.

    Categories and missing values are encoded when all of them are known. Rows with any of
    these are sampled in a pass of its own, unless ``exemplars`` are given, and so are
    rows with a ``class_weight``.

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
        given = self.estimator
        if not isinstance(given, ClosedFormMixin) or given.solver != "closed_form":
            accepted = "one with solver='closed_form'"
            raise invalid_parameter("estimator", given, accepted, TypeError)
        partitions = _partitions(X, y, sample_weight)
        template = delayed(given)
        outlines = [delayed(outline_of)(template, *part, classes) for part in partitions]
        outline = _total(outlines, _joined)
        if outline is None:
            msg = "X has no rows"
            raise ValueError(msg)
        estimator = begun(clone(given), outline, classes)
        if not has_hidden_layers(estimator):
            sample = outline.sample
            if not outline.is_sampled:
                template = delayed(estimator)
                samples = [delayed(_sample)(template, *part) for part in partitions]
                sample = _total(samples, _joined)
            estimator = with_sample(estimator, sample)
        if has_hidden_layers(estimator):
            template = delayed(estimator)
            parts = [delayed(_summed)(template, *part) for part in partitions]
            estimator = _total(parts, _merged)
        self.estimator_, self._example = estimator, outline.X[:1]
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
            weight, of_y = _total([delayed(_weighted)(*p) for p in partitions], _added)
            add, center = _squares, of_y / weight
        model = delayed(self.estimator_)
        parts = [delayed(add)(model, center, *part) for part in partitions]
        total, errors = _total(parts, _added)
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


def _sample(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    if _has_no_weight(X, sample_weight):
        return None
    return sample_of(estimator, X, y, sample_weight)


def _joined(parts: Sequence[Any]) -> Any:
    return _reduced(lambda one, other: one.plus(other), parts)


def _summed(template: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    if _has_no_weight(X, sample_weight):
        return None
    return copy(template).partial_fit(X, y, sample_weight=sample_weight)


def _merged(parts: Sequence[Any]) -> Any:
    return _reduced(lambda one, other: copy(one).merge(other), parts)


def _added(parts: Sequence[Any]) -> Any:
    return _reduced(lambda *pair: tuple(map(sum, zip(*pair, strict=True))), parts)


def _reduced(add: Callable[[Any, Any], Any], parts: Sequence[Any]) -> Any:
    """Add up the parts of partitions that have rows; None if there is none."""
    known = [part for part in parts if part is not None]
    return reduce(add, known) if known else None


def _has_no_weight(X: Any, sample_weight: Any) -> bool:
    no_rows = not X.shape[0]
    return no_rows or (sample_weight is not None and not np.any(sample_weight))


def _weighted(X: Any, y: Any, sample_weight: Any) -> Any:
    """Return the sum of the weights, and that of the weighted values (n_outputs,)."""
    if _has_no_weight(X, sample_weight):
        return None
    y, weight = _values_and_weights(y, sample_weight)
    return weight.sum(), weight @ y


def _squares(model: Any, center: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Return weighted sums of squares around the center, and of the errors."""
    if _has_no_weight(X, sample_weight):
        return None
    predicted = model.predict(X)
    y, weight = _values_and_weights(y, sample_weight)
    errors = y - predicted.reshape(y.shape)
    return weight @ (y - center) ** 2, weight @ errors**2


def _wrong(model: Any, center: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Return the sum of the weights, and that of the rows that are not predicted."""
    del center
    if _has_no_weight(X, sample_weight):
        return None
    wrong = model.predict(X) != np.asarray(y)
    wrong, weight = _values_and_weights(wrong, sample_weight)
    return weight.sum(), weight @ wrong.any(axis=1)


def _values_and_weights(y: Any, sample_weight: Any) -> tuple[Any, Any]:
    values = np.asarray(y).reshape(len(y), -1)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    return values, weight


def _total(parts: list[Any], add: Callable[[Sequence[Any]], Any]) -> Any:
    """Add up delayed parts in a tree, and compute the total."""
    while len(parts) > 1:
        parts = [
            delayed(add)(parts[k : k + FAN_IN]) for k in range(0, len(parts), FAN_IN)
        ]
    (total,) = compute(delayed(add)(parts))
    return total
