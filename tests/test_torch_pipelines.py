"""Pipelines of images as PyTorch modules."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons

torch = pytest.importorskip("torch")

from skmetricmlp.torch import to_torch  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("pooling", "stride", "padding"), [("both", 1, 0), ("max", 2, 1), ("mean", 1, 2)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pipeline_of_images_is_a_module(pooling, stride, padding, dtype):
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(40, 7, 6, 3)).astype(dtype)
    classes = rng.integers(3, size=40)
    patches = PatchComparisons(
        patch_size=(3, 2),
        stride=stride,
        padding=padding,
        pooling=pooling,
        n_comparisons=8,
        n_exemplars=6,
        grid=(2, 1),
        random_state=0,
    )
    model = make_pipeline(patches, StandardScaler(), RidgeClassifier())
    model.fit(images, classes)
    module = to_torch(model)
    atol = 1e-4 if dtype == np.float32 else 1e-9
    features = module[0](torch.tensor(images)).detach().numpy()
    np.testing.assert_allclose(features, model[0].transform(images), atol=atol)
    expected = model.decision_function(images)
    for given in (images, images.reshape(40, -1)):
        found = module(torch.tensor(given)).detach().numpy()
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, atol=atol)


def test_two_layers_of_patches_and_a_network_are_a_module():
    X, y = load_digits(return_X_y=True)
    X, y = X[:200], y[:200]
    small = {"patch_size": 3, "n_comparisons": 10, "n_exemplars": 20, "random_state": 0}
    model = make_pipeline(
        PatchComparisons(pooling="max", grid=4, **small),
        PatchComparisons((4, 4, -1), grid=1, **small),
        MetricInitMLPClassifier(n_comparisons=30, max_iter=1, random_state=0),
    ).fit(X, y)
    module = to_torch(model)
    probabilities = torch.softmax(module(torch.tensor(X)), dim=1).detach().numpy()
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)


def test_filters_of_a_module_are_trained():
    X, y = load_digits(return_X_y=True)
    patches = PatchComparisons(patch_size=3, n_comparisons=10, random_state=0)
    model = make_pipeline(patches, LogisticRegression(max_iter=50)).fit(X[:99], y[:99])
    module, inputs = to_torch(model), torch.tensor(X[:99])
    loss = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(module.parameters(), 1e-3)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        value = loss(module(inputs), torch.tensor(y[:99]))
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0]
    weight, start = (m[0].filters.weight.detach() for m in (module, to_torch(model)))
    assert not torch.allclose(weight, start)


def test_a_step_that_is_no_module_is_named():
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(MinMaxScaler(), RidgeClassifier()).fit(X, y)
    with pytest.raises(TypeError, match="step 'minmaxscaler' must be PatchComparisons"):
        to_torch(model)
