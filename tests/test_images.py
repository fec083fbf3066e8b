"""Comparisons of patches, against loops over places written from the mathematics."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons, explain_patches
from skmetricmlp.images.explanation import linear_output
from skmetricmlp.images.patches import whitened

SMALL = {"n_comparisons": 6, "n_exemplars": 5, "patch_size": (3, 2), "random_state": 0}


@parametrize_with_checks([PatchComparisons((1, -1), n_comparisons=4, n_exemplars=5)])
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


@pytest.fixture(scope="module")
def color():
    return np.random.default_rng(0).uniform(size=(12, 6, 7, 3))


def by_hand(fitted, images, stride, padding, grid, pooling):
    """Loop over images, places and filters, and over distances from exemplars."""
    height, width, _, n = fitted.kernels_.shape
    pad = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    rows = []
    for image in np.pad(images, pad):
        tops = range(0, image.shape[0] - height + 1, stride)
        lefts = range(0, image.shape[1] - width + 1, stride)
        z = np.zeros((len(tops), len(lefts), n))
        for a, top in enumerate(tops):
            for b, left in enumerate(lefts):
                patch = image[top : top + height, left : left + width]
                patch = patch - patch.mean()
                patch = patch / np.sqrt(np.mean(patch**2) + fitted.epsilon_)
                for p in range(n):
                    score = (
                        np.sum(patch * fitted.kernels_[..., p]) + fitted.intercepts_[p]
                    )
                    z[a, b, p] = max(score, 0.0)
        cells = [
            z[edge[0] : edge[1], other[0] : other[1]].reshape(-1, n)
            for edge in bounds(len(tops), grid[0])
            for other in bounds(len(lefts), grid[1])
        ]
        summary = {"mean": lambda c: c.mean(axis=0), "max": lambda c: c.max(axis=0)}
        rows.append(np.concatenate([summary[how](c) for c in cells for how in pooling]))
    return np.array(rows)


def bounds(length, n):
    edges = [length * i // n for i in range(n + 1)]
    return list(pairwise(edges))


@pytest.mark.parametrize(
    ("stride", "padding", "grid", "pooling"),
    [(1, 0, (1, 1), "mean"), (2, 1, (2, 3), "both"), (1, 2, (3, 2), "max")],
)
def test_features_are_pooled_comparisons(color, stride, padding, grid, pooling):
    patches = PatchComparisons(
        stride=stride, padding=padding, grid=grid, pooling=pooling, **SMALL
    ).fit(color)
    how = ("mean", "max") if pooling == "both" else (pooling,)
    expected = by_hand(patches, color, stride, padding, grid, how)
    np.testing.assert_allclose(patches.transform(color), expected, rtol=1e-9, atol=1e-12)
    assert len(set(patches.get_feature_names_out())) == expected.shape[1]


@pytest.mark.parametrize("exemplars", ["kmeans", "random", "kmedoids"])
@pytest.mark.parametrize("whitening", [None, 0.5])
def test_a_filter_is_the_difference_of_distances(color, exemplars, whitening):
    """From two exemplars, of normalized and whitened patches, up to a factor."""
    settings = SMALL | {"exemplars": exemplars, "whitening": whitening}
    patches = PatchComparisons(**settings).fit(color)
    n = len(patches.pairs_)
    # Whitening by hand, from patches at all places.
    windows = np.lib.stride_tricks.sliding_window_view(color, (3, 2), axis=(1, 2))
    every = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 18)
    every = every - every.mean(axis=1, keepdims=True)
    every /= np.sqrt(np.mean(every**2, axis=1, keepdims=True) + patches.epsilon_)
    z = every @ patches.kernels_.reshape(-1, n) + patches.intercepts_
    W = np.eye(18)
    if whitening is not None:
        C = np.cov(every, rowvar=False, bias=True)
        values, vectors = np.linalg.eigh(C / np.diag(C).mean() + whitening * np.eye(18))
        W = vectors @ np.diag(values**-0.5) @ vectors.T
    for p, (i, j) in enumerate(patches.pairs_):
        near, far = (
            np.sum(((every - patches.exemplars_[e]) @ W) ** 2, axis=1) for e in (i, j)
        )
        # The patches that were drawn have almost the covariance of all.
        closeness = 1e-9 if whitening is None else 0.05
        slope = (z[:, p] @ (far - near)) / np.sum((far - near) ** 2)
        assert slope > 0
        rest = z[:, p] - slope * (far - near)
        assert np.abs(rest).max() < closeness * np.abs(z[:, p]).max()


def test_whitening_is_the_inverse_root_of_the_covariance():
    X = np.random.default_rng(0).normal(size=(500, 4)) @ np.diag([1.0, 2, 3, 4])
    W = whitened(X, 0.25).parameters["L"]
    C = np.cov(X, rowvar=False, bias=True)
    C = C / (np.trace(C) / 4) + 0.25 * np.eye(4)
    np.testing.assert_allclose(W @ C @ W, np.eye(4), atol=1e-10)


def test_features_do_not_depend_on_brightness_and_contrast():
    X = load_digits().data[:60]
    patches = PatchComparisons((8, 8), patch_size=3, n_comparisons=20, random_state=0)
    expected = clone(patches).fit_transform(X)
    np.testing.assert_allclose(clone(patches).fit_transform(3 * X + 5), expected, 1e-6)
    # Nor on the block, nor on how images are given.
    fitted = clone(patches).fit(X.reshape(-1, 8, 8))
    np.testing.assert_allclose(fitted.transform(X[:7]), expected[:7], 1e-9)
    single = clone(patches).fit(X.astype(np.float32)).transform(X.astype(np.float32))
    assert single.dtype == np.float32


def test_few_labels_on_digits():
    """The filters are more accurate than pixels, in a pipeline and in a search."""
    X, y = load_digits(return_X_y=True)
    patches = PatchComparisons((8, 8), n_comparisons=60, patch_size=3, random_state=0)
    model = make_pipeline(patches, StandardScaler(), RidgeClassifier(100.0))
    ridge = RidgeClassifier().fit(X[:300], y[:300])
    search = GridSearchCV(model, {"patchcomparisons__pooling": ["both", "mean"]}, cv=2)
    search.fit(X[:300], y[:300])
    assert (
        search.score(X[300:800], y[300:800]) > ridge.score(X[300:800], y[300:800]) + 0.02
    )


@pytest.mark.parametrize(
    ("words", "settings", "shape"),
    [
        ("image_shape must be given: X has 8 columns", {}, (5, 8)),
        ("does not fit X, which has 8", {"image_shape": (3, 3)}, (5, 8)),
        ("image_shape must be .height, width", {"image_shape": (8,)}, (5, 8)),
        (r"shape \(4, 2\), and not of \(2, 4, 1\)", {"image_shape": (2, 4)}, (5, 4, 2)),
        ("patch_size must be a positive int, or two", {"patch_size": (2, 0)}, (5, 4, 4)),
        ("grid must be a positive int, or two", {"grid": (1, 2, 3)}, (5, 4, 4)),
        ("'whitening' parameter", {"whitening": -1.0}, (5, 4, 4)),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(words, settings, shape):
    X = np.random.default_rng(0).uniform(size=shape)
    with pytest.raises((TypeError, ValueError), match=words):
        PatchComparisons(**settings).fit(X)


def test_images_without_contrast():
    with pytest.raises(ValueError, match="X has images without contrast"):
        PatchComparisons((4, 4), patch_size=2).fit(np.ones((5, 16)))


@pytest.mark.parametrize("pooling", ["both", "mean", "max"])
def test_contributions_of_patches_add_up(color, pooling):
    patches = PatchComparisons(pooling=pooling, grid=2, padding=1, **SMALL).fit(color)
    features = patches.transform(color)
    coef = np.random.default_rng(1).normal(size=features.shape)
    maps = patches.contributions(color, coef)
    assert maps.shape == (12, 6, 8)
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), np.sum(features * coef, axis=1))
    shared = patches.contributions(color, coef[0])
    np.testing.assert_allclose(shared.sum(axis=(1, 2)), features @ coef[0])


def test_a_patch_contributes_where_it_differs():
    images = np.zeros((1, 9, 9))
    images[0, 1:3, 6:8] = [[1.0, 0.0], [0.0, 2.0]]
    patches = PatchComparisons(patch_size=2, n_comparisons=4, grid=1, random_state=0)
    patches.fit(images)
    # Patches of one value are all alike: without bias they have no response.
    patches.intercepts_ = np.zeros_like(patches.intercepts_)
    maps = patches.contributions(images, np.ones(8))
    rows, columns = np.nonzero(maps[0])
    assert len(rows)
    assert set(rows) <= {0, 1, 2}
    assert set(columns) <= {5, 6, 7}


def test_contributions_need_a_weight_for_each_feature(color):
    patches = PatchComparisons(**SMALL).fit(color)
    with pytest.raises(ValueError, match=r"coef must have the shape \(108,\)"):
        patches.contributions(color, np.ones(3))


MODELS = [
    (StandardScaler(), RidgeClassifier()),
    (LogisticRegression(max_iter=5000),),
    (MetricInitMLPClassifier(n_comparisons=0, max_iter=0),),
]


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("steps", MODELS)
def test_explained_patches_add_up_to_the_output(digits, steps, n_classes):
    X, y = (part[digits[1] < n_classes] for part in digits)
    patches = PatchComparisons((8, 8), **SMALL)
    model = make_pipeline(clone(patches), *map(clone, steps)).fit(X, y)
    few = X[:9]
    frame = explain_patches(model, few, 5)
    assert frame.groupby("row").size().tolist() == [6] * 9
    np.testing.assert_array_equal(frame["predicted"][::6], model.predict(few))
    _, coef, intercept = linear_output(model)
    outputs = model[0].transform(few) @ coef + intercept
    expected = outputs.max(axis=1) - outputs.mean(axis=1)
    total = frame.groupby("row")["contribution"].sum()
    np.testing.assert_allclose(total, expected, rtol=1e-6, atol=1e-9)
    every = explain_patches(model, few, None).groupby("row")["contribution"]
    np.testing.assert_allclose(every.sum(), expected, rtol=1e-6, atol=1e-9)
    if hasattr(model, "decision_function") and n_classes == 10:
        scores = model.decision_function(few)
        centered = scores.max(axis=1) - scores.mean(axis=1)
        np.testing.assert_allclose(expected, centered, rtol=1e-6)


def test_explained_values_add_up(digits):
    X, y = digits
    model = make_pipeline(PatchComparisons((8, 8), **SMALL), Ridge()).fit(X, y)
    total = explain_patches(model, X[:5], 4).groupby("row")["contribution"].sum()
    np.testing.assert_allclose(total, model.predict(X[:5]))


def test_only_linear_pipelines_are_explained(digits):
    X, y = digits
    patches = PatchComparisons((8, 8), **SMALL)
    with pytest.raises(TypeError, match="got PatchComparisons, MinMaxScaler, Ridge"):
        explain_patches(make_pipeline(patches, MinMaxScaler(), Ridge()).fit(X, y), X)
    with pytest.raises(TypeError, match=r"must be linear.*KNeighborsClassifier"):
        explain_patches(make_pipeline(patches, KNeighborsClassifier()).fit(X, y), X)
    with pytest.raises(TypeError, match="pipeline must be"):
        explain_patches(Ridge(), X)
    with pytest.raises(ValueError, match="n_patches"):
        explain_patches(make_pipeline(patches, Ridge()).fit(X, y), X, 43)


def test_two_layers_are_two_steps(digits):
    X, y = digits
    first = PatchComparisons((8, 8), pooling="max", grid=4, **SMALL)
    second = PatchComparisons((4, 4, -1), grid=1, **SMALL)
    model = make_pipeline(first, second, StandardScaler(), RidgeClassifier())
    assert model.fit(X[:300], y[:300])[1].image_shape_ == (4, 4, 6)
    cell = model[0].transform(X[:2]).reshape(2, 4, 4, 6)
    alone = PatchComparisons((8, 8), pooling="max", grid=1, **SMALL).fit(X[:300])
    np.testing.assert_allclose(cell.max(axis=(1, 2)), alone.transform(X[:2]))
