"""What patches contribute to the output of a pipeline that is linear in its features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from skmetricmlp._errors import check_integer
from skmetricmlp._typing import Floats
from skmetricmlp.images.patch_comparisons import PatchComparisons

__all__ = ["explain_patches", "linear_output"]


def explain_patches(
    pipeline: Pipeline, X: ArrayLike, n_patches: int | None = 10
) -> pd.DataFrame:
    """Tell which patches made a pipeline predict what it does.

    The output of the predicted class, less the mean over the classes, is the sum of the
    contributions of all patches and of a constant. The same holds for a value.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted: :class:`~skmetricmlp.images.PatchComparisons`, then maybe a
        ``StandardScaler``, then a linear model. This is an estimator with ``coef_``, or
        one of this package with ``n_comparisons=0``.
    X : array of shape (n, height * width * channels), or of the shape of images
    n_patches : int or None, default=10
        So many patches of each image, those of the largest contributions. None is all.

    Returns
    -------
    pandas.DataFrame
        ``row`` of X, ``predicted``, ``top`` and ``left`` of the patch in pixels, and
        its ``contribution``. The last line of each image has no place: it is of all other
        patches and of the constant.

    Raises
    ------
    TypeError
        If the pipeline has other steps.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmetricmlp import MetricInitMLPClassifier
    >>> from skmetricmlp.images import PatchComparisons, explain_patches
    >>> X, y = load_digits(return_X_y=True)
    >>> patches = PatchComparisons(patch_size=3, n_comparisons=50, random_state=0)
    >>> linear = MetricInitMLPClassifier(n_comparisons=0, max_iter=0)
    >>> model = make_pipeline(patches, linear).fit(X, y)
    >>> explained = explain_patches(model, X[:2], n_patches=3)
    >>> explained.shape
    (8, 5)
    >>> explained["predicted"].unique()
    array([0, 1])
    """
    patches, coef, intercept = linear_output(pipeline)
    chosen = np.argmax(patches.transform(X) @ coef + intercept, axis=1)
    if coef.shape[1] > 1:  # a class counts by how much it is above the mean of all
        coef = coef - coef.mean(axis=1, keepdims=True)
        intercept = intercept - intercept.mean()
    maps = patches.contributions(X, coef.T[chosen])
    n, rows, columns = maps.shape
    most = rows * columns
    n_patches = most if n_patches is None else n_patches
    check_integer("n_patches", n_patches, most, "None, for all patches,")
    flat = maps.reshape(n, most)
    order = np.argsort(-abs(flat), axis=1, kind="stable")[:, :n_patches]
    largest = np.take_along_axis(flat, order, axis=1)
    others = intercept[chosen] + flat.sum(axis=1) - largest.sum(axis=1)
    nowhere = np.full(n, np.nan)
    top, left = (
        np.column_stack([at * patches.stride - patches.padding, nowhere])
        for at in np.divmod(order, columns)
    )
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(n), n_patches + 1),
            "predicted": np.repeat(pipeline.predict(X), n_patches + 1),
            "top": top.ravel(),
            "left": left.ravel(),
            "contribution": np.column_stack([largest, others]).ravel(),
        }
    )


def linear_output(pipeline: Pipeline) -> tuple[PatchComparisons, Floats, Floats]:
    """Return the linear function of the features that a pipeline calculates.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        As of :func:`explain_patches`.

    Returns
    -------
    patches : PatchComparisons
    coef : array of shape (n_features_out, n_outputs)
        For two classes there are two outputs, also if the model has one.
    intercept : array of shape (n_outputs,)

    Raises
    ------
    TypeError
        If the pipeline has other steps.
    """
    steps: list[Any] = [step for _, step in getattr(pipeline, "steps", [])]
    scalers = steps[1:-1]
    is_known = (
        len(steps) > 1
        and isinstance(steps[0], PatchComparisons)
        and all(isinstance(scaler, StandardScaler) for scaler in scalers)
    )
    if not is_known:
        names = ", ".join(type(step).__name__ for step in steps) or repr(pipeline)
        msg = (
            f"pipeline must be PatchComparisons, maybe StandardScaler, and a linear "
            f"model, got {names}"
        )
        raise TypeError(msg)
    check_is_fitted(pipeline)
    coef, intercept = _of_linear(steps[-1])
    for scaler in reversed(scalers):
        if scaler.with_std:
            coef = coef / scaler.scale_[:, None]
        if scaler.with_mean:
            intercept = intercept - scaler.mean_ @ coef
    return steps[0], coef, intercept


def _of_linear(model: Any) -> tuple[Floats, Floats]:
    """Return the weights and the bias of a fitted linear model."""
    coefs: Any = getattr(model, "coefs_", ())
    if len(coefs) == 1:
        coef, intercept = coefs[0], model.intercepts_[0]
    elif hasattr(model, "coef_"):
        coef, intercept = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
    else:
        msg = (
            f"the last step must be linear, as one with coef_ or with n_comparisons=0, "
            f"got {type(model).__name__}"
        )
        raise TypeError(msg)
    if is_classifier(model) and coef.shape[1] == 1:
        coef, intercept = (np.hstack([-part, part]) / 2 for part in (coef, intercept))
    return coef.astype(np.float64), intercept.astype(np.float64)
