"""Fit to rows in partitions, by any engine that maps functions over them and adds up.

The closed-form network needs only sums over rows. Each machine adds up its own, and the
sums are added in any order, as in a tree. The result is the network that one machine
would calculate from all rows.
"""

# ruff: noqa: SLF001 - the parts of a fit of estimators of this package

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier

from skmetricmlp._errors import invalid_parameter
from skmetricmlp.estimators import closed_form
from skmetricmlp.estimators.closed_form import CLOSED_FORM, ClosedFormMixin
from skmetricmlp.initialization import RowSample
from skmetricmlp.tables import TableSummary, table_summary

__all__ = ["fit_partitions", "has_no_weight", "sums_of"]

# Rows of a partition that tell of its columns and types.
HEAD_ROWS = 100

MapReduce: TypeAlias = Callable[[Callable[..., Any], Any, Callable[..., Any]], Any]


def fit_partitions(
    estimator: Any, map_reduce: MapReduce, *, classes: ArrayLike | None = None
) -> Any:
    """Fit an estimator with ``solver="closed_form"`` to rows in partitions.

    There are two passes over the data. The first summarizes the columns and the labels,
    and draws a sample of 5,000 distinct rows, from which the exemplars and the hidden
    layer are calculated. The second adds up the sums that the output layer needs, by
    :func:`sums_of`. None of these depends on the partitions: the network is that of
    ``estimator.fit`` with all rows, to rounding.

    Categories and missing values are encoded when all of them are known. Rows with any of
    these are sampled in a pass of its own, unless ``exemplars`` are given, and so are
    rows with a ``class_weight``.

    Parameters
    ----------
    estimator : MetricInitMLPClassifier or MetricInitMLPRegressor
        With ``solver="closed_form"``. It is not changed.
    map_reduce : callable
        ``map_reduce(function, shared, add)`` returns the total of ``function(shared, X,
        y, sample_weight)`` over all partitions, by ``add(one, other)``, which may be
        called in any order. It is called once in each pass. Partitions may be unequal or
        empty; ``sample_weight`` may be None.
    classes : array-like, default=None
        All labels. By default they are those of ``y``.

    Returns
    -------
    estimator
        A fitted one.

    Raises
    ------
    ValueError, TypeError
        If the estimator has another solver, or the data are not accepted.

    Examples
    --------
    >>> from functools import reduce
    >>> from sklearn.datasets import load_digits
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.partitions import fit_partitions
    >>> X, y = load_digits(return_X_y=True)
    >>> partitions = [(X[k::3], y[k::3], None) for k in range(3)]
    >>> def map_reduce(function, shared, add):
    ...     return reduce(add, [function(shared, *part) for part in partitions])
    >>> clf = MetricInitMLPClassifier(solver="closed_form", random_state=0)
    >>> bool(fit_partitions(clf, map_reduce).score(X, y) > 0.99)
    True
    """
    if not isinstance(estimator, ClosedFormMixin) or estimator.solver != CLOSED_FORM:
        accepted = "one with solver='closed_form'"
        raise invalid_parameter("estimator", estimator, accepted, TypeError)
    outline = map_reduce(partial(_outline_of, classes), estimator, _joined)
    if outline is None:
        msg = "X has no rows"
        raise ValueError(msg)
    begun = _begun(clone(estimator), outline, classes)
    if begun._learned.sums is None:
        sample = outline.sample
        if not outline.is_sampled:
            sample = map_reduce(_sample_of, begun, _joined)
        begun = _with_sample(begun, sample)
    if begun._learned.sums is None:
        return begun  # which has learned all rows
    return map_reduce(sums_of, begun, _merged)


def sums_of(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None = None,
    *,
    classes: ArrayLike | None = None,
) -> Any:
    """Return the sums over the rows of a partition, as an estimator that learned them.

    Its ``merge`` adds those of other partitions.

    Parameters
    ----------
    estimator : MetricInitMLPClassifier or MetricInitMLPRegressor
        With ``solver="closed_form"`` and given exemplars. It is not changed.
    X : array-like or table of shape (n, n_columns)
    y : array-like of shape (n,) or (n, n_outputs)
    sample_weight : array-like of shape (n,), default=None
    classes : array-like, default=None
        All labels, which a classifier that has learned no row has to know.

    Returns
    -------
    estimator or None
        None if the partition has no rows, or none with a weight.

    Examples
    --------
    >>> from skmetricmlp import MetricInitMLPRegressor
    >>> from skmetricmlp.partitions import sums_of
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 4.0, 9.0]
    >>> empty = MetricInitMLPRegressor(
    ...     solver="closed_form", exemplars=(X, y), random_state=0
    ... )
    >>> model = sums_of(empty, X[:2], y[:2]).merge(sums_of(empty, X[2:], y[2:]))
    >>> bool(abs(model.predict(X) - empty.fit(X, y).predict(X)).max() < 1e-9)
    True
    """
    if has_no_weight(X, sample_weight):
        return None
    declared = {} if classes is None else {"classes": classes}
    return copy(estimator).partial_fit(X, y, sample_weight=sample_weight, **declared)


@dataclass(frozen=True)
class _Outline:
    """Of a part of the rows: what a fit on many machines has to know of all of them.

    Parameters
    ----------
    X : array or table of shape (n, n_columns)
        A few rows, which tell of the columns and types.
    y : array of shape (n,) or (n, n_outputs)
        Their targets.
    summary : TableSummary or None
        Of the columns; None if X is sparse.
    classes : array of shape (n_classes,) or None
        The labels in y of a classifier.
    sample : RowSample or None
        Of all rows, with the positions of their classes. None if no row has a weight, or
        if they cannot be sampled yet.
    is_sampled : bool
        Whether the sample is known. It is not if X has categories or missing values,
        which are encoded when all rows are known, or if the exemplars are given.
    """

    X: Any
    y: Any
    summary: TableSummary | None
    classes: Any
    sample: RowSample | None
    is_sampled: bool

    def plus(self, other: _Outline) -> _Outline:
        """Return the outline of the rows of both."""
        summary = None
        if self.summary is not None and other.summary is not None:
            summary = self.summary.plus(other.summary)
        is_sampled, classes = self.is_sampled and other.is_sampled, self.classes
        if classes is not None:
            classes = np.union1d(classes, other.classes)
        parts = [part.sample_among(classes) for part in (self, other)]
        samples = [part for part in parts if part is not None]
        sample = None
        if is_sampled and samples:
            sample = reduce(RowSample.plus, samples)
        return _Outline(self.X, self.y, summary, classes, sample, is_sampled)

    def sample_among(self, classes: Any) -> RowSample | None:
        """Return the sample with the positions of its classes among others."""
        if self.sample is None or classes is None or self.sample.data.y.ndim > 1:
            return self.sample
        codes = np.searchsorted(classes, self.classes)[self.sample.data.y]
        return replace(self.sample, data=self.sample.data._replace(y=codes))


def _outline_of(
    classes: Any, estimator: ClosedFormMixin, X: Any, y: Any, sample_weight: Any
) -> _Outline | None:
    """Return the outline of a partition for an estimator that need not be fitted."""
    if not X.shape[0]:
        return None
    y = np.asarray(y)
    summary, settings = None, estimator.get_params(deep=False)
    if hasattr(X, "columns") or isinstance(X, np.ndarray):
        summary = table_summary(X, settings["categorical_features"])
    labels = None
    if is_classifier(estimator) and y.ndim == 1 and classes is None:
        labels = np.unique(y)
    # Given exemplars need no sample; weights of classes need all of them to be known.
    is_sampled = (
        isinstance(settings["exemplars"], str)
        and settings.get("class_weight") is None
        and (summary is None or summary.encoding() is None)
    )
    sample = None
    if is_sampled and not has_no_weight(X, sample_weight):
        known = labels if classes is None else classes
        rows, _ = clone(estimator)._rows_of_call(X, y, sample_weight, known, "fit")
        sample = RowSample.of(rows, closed_form.SAMPLE_ROWS)
    return _Outline(X[:HEAD_ROWS], y[:HEAD_ROWS], summary, labels, sample, is_sampled)


def _begun(estimator: ClosedFormMixin, outline: _Outline, classes: Any) -> Any:
    """Begin a fit, without rows."""
    classes = outline.classes if classes is None else classes
    rows = outline.X, outline.y, None, classes, "fit", outline.summary
    _, learned = estimator._rows_of_call(*rows)
    estimator._keep(learned)
    return estimator


def _sample_of(estimator: ClosedFormMixin, X: Any, y: Any, sample_weight: Any) -> Any:
    """Return the sample of a partition for an estimator that has begun."""
    if has_no_weight(X, sample_weight):
        return None
    rows, _ = copy(estimator)._rows_of_call(X, y, sample_weight, None, "partial_fit")
    return RowSample.of(rows, closed_form.SAMPLE_ROWS)


def _with_sample(estimator: ClosedFormMixin, sample: RowSample | None) -> Any:
    """Learn the rows of the sample if these are all, or calculate the hidden layers."""
    if sample is None:
        msg = "the weight of every row, sample_weight, is zero"
        raise ValueError(msg)
    estimator._keep(estimator._with_sample(estimator._learned, sample, []))
    return estimator


def _joined(one: Any, other: Any) -> Any:
    """Join outlines or samples, of which a partition may have none."""
    return (one or other) if one is None or other is None else one.plus(other)


def _merged(one: Any, other: Any) -> Any:
    """Merge estimators likewise, without a change of any."""
    return (one or other) if one is None or other is None else copy(one).merge(other)


def has_no_weight(X: Any, sample_weight: Any) -> bool:
    """Whether a partition has no rows, or none with a weight."""
    no_rows = not (X.shape[0] if hasattr(X, "shape") else len(X))
    return no_rows or (sample_weight is not None and not np.any(sample_weight))
