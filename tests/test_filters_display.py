"""The display of filters shows what they compare and where they respond."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from skmetricmlp.images import PatchComparisons
from skmetricmlp.plotting import FiltersDisplay

plt = pytest.importorskip("matplotlib.pyplot")

X, y = load_digits(return_X_y=True)
SMALL = {"patch_size": 3, "n_comparisons": 9, "n_exemplars": 12, "random_state": 0}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_a_column_has_both_exemplars_the_kernel_and_the_responses():
    patches = PatchComparisons((8, 8), **SMALL).fit(X[:100])
    display = FiltersDisplay.from_estimator(patches, X[3], n_filters=4)
    values = patches.responses(X[3:4])[0]
    order = np.argsort(-values.sum(axis=(0, 1)), kind="stable")[:4]
    np.testing.assert_array_equal(display.shown_, order)
    assert len(display.images_) == 16
    for k, p in enumerate(order):
        first, second, kernel, response = (
            im.get_array() for im in display.images_[4 * k : 4 * k + 4]
        )
        for tile, i in zip((first, second), patches.pairs_[p], strict=True):
            exemplar = patches.exemplars_[i].reshape(3, 3)
            assert np.corrcoef(tile.ravel(), exemplar.ravel())[0, 1] > 1 - 1e-9
            assert (tile.min(), tile.max()) == (0, 1)
        np.testing.assert_allclose(kernel, patches.kernels_[:, :, 0, p])
        np.testing.assert_allclose(response, values[..., p])


def test_without_an_image_the_first_filters_are_drawn():
    model = make_pipeline(PatchComparisons((8, 8), **SMALL), RidgeClassifier())
    model.fit(X[:100], y[:100])
    display = FiltersDisplay.from_estimator(model, n_filters=5)
    np.testing.assert_array_equal(display.shown_, range(5))
    assert len(display.images_) == 15
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["nearer to", "than to", "kernel"]


def test_colors_are_drawn():
    images = np.random.default_rng(0).uniform(size=(20, 6, 6, 3))
    patches = PatchComparisons(**SMALL).fit(images)
    _, ax = plt.subplots()
    display = FiltersDisplay.from_estimator(patches, images[0], n_filters=99, ax=ax)
    assert display.ax_ is ax
    shapes = [im.get_array().shape for im in display.images_[:4]]
    assert shapes == [(3, 3, 3)] * 3 + [(4, 4)]


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match="got RidgeClassifier"):
        FiltersDisplay.from_estimator(RidgeClassifier().fit(X, y))
