# ruff: noqa: E501 - a line is a case
"""Estimators as PyTorch modules and back, and calculated weights for other modules."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from factories import classifier, regressor, standardized
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge

from skmetricmlp import BasisInitMLPRegressor, MetricInitMLPClassifier
from skmetricmlp._data import TrainingData
from skmetricmlp.network import (
    ClippedInput,
    Conjunctive,
    Dense,
    Grouped,
    Network,
    PairIncidence,
    ScaledInput,
    TiedComparison,
)
from skmetricmlp.training import Objective

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from skmetricmlp.torch import (  # noqa: E402
    calculated_conv2d_,
    calculated_linear_,
    fit_output_,
    frozen_features,
    module_of,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]

X, y = standardized("iris")
VALUES, PAIRS = 10 * X[:, 0] + 3, np.stack([3 * X[:, 0], 100 + X[:, 1]], axis=1)
FORMS = {
    "comparisons": {},
    "tanh": {"activation": "tanh", "n_conjunctions": 2},
    "logistic": {"activation": "logistic", "n_conjunctions": 0},
    "drawn": {"init": "random"},
    "nearest": {"n_neighbors": 1},
    "three nearest": {"n_neighbors": 3},
    "tied": {"n_neighbors": 1, "tied": True},
    "three nearest, tied": {"n_neighbors": 3, "tied": True, "pairs": 3},
}


def tensor(array):
    return torch.tensor(np.asarray(array))


def outputs(module, rows):
    with torch.no_grad():
        return module(tensor(rows))


def fitted(make, form, rows=X, targets=y, **settings):
    return make(**{"max_iter": 2} | FORMS[form] | settings).fit(rows, targets)


def with_holes(rows):
    rows = np.array(rows)
    rows[::3, 1] = rows[::4, 2] = np.nan
    return rows


# --- estimators as modules ---


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_logits_are_those_of_the_classifier(form, holes):
    clf = fitted(classifier, form)
    rows = with_holes(X) if holes else X
    logits = outputs(clf.to_torch(), clf.encode(rows))
    assert logits.shape == (len(X), 3)
    probabilities = clf.predict_proba(rows)
    np.testing.assert_allclose(logits.softmax(dim=1), probabilities, atol=1e-9)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("form", [form for form in FORMS if form != "three nearest"])
@pytest.mark.parametrize("targets", [VALUES, PAIRS], ids=["vector", "two"])
def test_values_are_those_of_the_regressor(targets, form, holes):
    reg = fitted(regressor, form, targets=targets)
    rows = with_holes(X) if holes else X
    values = outputs(reg.to_torch(), reg.encode(rows))
    assert values.shape == targets.shape
    np.testing.assert_allclose(values, reg.predict(rows), rtol=1e-9)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_values_are_those_of_the_basis_regressor(n_features):
    rows = X[:, :n_features] * [1e3, 1.0, 1.0][:n_features]
    reg = BasisInitMLPRegressor(max_iter=2, degree=3).fit(rows, PAIRS)
    module = reg.to_torch()
    np.testing.assert_allclose(outputs(module, rows), reg.predict(rows), rtol=1e-8)
    assert module.basis.weight.shape == reg.coefs_[0].T.shape


def test_two_classes_have_two_logits():
    clf = classifier().fit(X[:100], y[:100])
    logits = outputs(clf.to_torch(), X)
    np.testing.assert_allclose(logits.softmax(dim=1), clf.predict_proba(X), atol=1e-9)
    assert logits.shape == (150, 2)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_several_labels_have_a_logit_each(loss):
    rows, labels = make_multilabel_classification(n_classes=4, random_state=0)
    clf = classifier(loss=loss).fit(rows, labels)
    p = outputs(clf.to_torch(), clf.encode(rows)).sigmoid()
    np.testing.assert_allclose(p, clf.predict_proba(rows), atol=1e-9)


def test_the_softmax_is_right_for_the_squared_error_too():
    clf = fitted(classifier, "comparisons", loss="squared_error")
    p = outputs(clf.to_torch(), X).softmax(dim=1)
    np.testing.assert_allclose(p, clf.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("form", ["comparisons", "nearest", "three nearest, tied"])
def test_a_step_predicts_and_passes_no_gradient(form):
    clf = fitted(classifier, form, activation="step", max_iter=0)
    module = clf.to_torch()
    output = module(tensor(X))
    np.testing.assert_array_equal(output.argmax(dim=1), clf.predict(X))
    output.sum().backward()
    assert module.comparisons.weight.grad is None
    assert module.output.weight.grad is not None


@pytest.mark.parametrize("parameters", [{}, {"n_neighbors": 1}, {"init": "random"}])
def test_tables_are_encoded(mixed_frame, parameters):
    table, label = mixed_frame.drop(columns="label"), mixed_frame["label"]
    clf = classifier(max_iter=1, **parameters).fit(table, label)
    encoded = clf.encode(table)
    assert encoded.shape[1] == len(clf.encoded_feature_names_)
    assert not np.isnan(encoded).any()  # all columns had missing values in fit
    p = outputs(clf.to_torch(), encoded).softmax(dim=1)
    np.testing.assert_allclose(p, clf.predict_proba(table), atol=1e-9)
    complete = classifier(max_iter=1, **parameters).fit(
        table.dropna(), label[table.dropna().index]
    )
    encoded = complete.encode(table)
    assert np.isnan(encoded).any()
    p = outputs(complete.to_torch(), encoded).softmax(dim=1)
    np.testing.assert_allclose(p, complete.predict_proba(table), atol=1e-9)


def test_nothing_is_missing_where_the_metric_cannot_leave_it_out():
    clf = classifier(metric="mahalanobis").fit(X, y)
    module = clf.to_torch()
    assert outputs(module, with_holes(X)).isnan().any(dim=1).sum() == 75
    np.testing.assert_allclose(
        outputs(module, X).softmax(dim=1), clf.predict_proba(X), atol=1e-9
    )


def test_the_precision_is_that_of_the_network():
    rows = X.astype(np.float32)
    clf = fitted(classifier, "comparisons", rows=rows)
    assert clf.encode(X).dtype == np.float32
    module = clf.to_torch()
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    p = outputs(module, clf.encode(X)).softmax(dim=1)
    np.testing.assert_allclose(p, clf.predict_proba(rows), atol=1e-5)
    reg = fitted(regressor, "nearest", targets=VALUES)
    single = outputs(reg.to_torch().float(), rows)
    np.testing.assert_allclose(single, reg.predict(X), atol=1e-4 * VALUES.std())


def test_a_module_is_a_copy_that_is_pickled_and_draws_no_random_numbers():
    clf = fitted(classifier, "comparisons")
    before, state = clf.predict_proba(X), torch.random.get_rng_state()
    module = clf.to_torch()
    assert torch.equal(torch.random.get_rng_state(), state)
    again = pickle.loads(pickle.dumps(module))  # noqa: S301 - our own
    rows = with_holes(X)
    np.testing.assert_array_equal(outputs(again, rows), outputs(module, rows))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.mark.parametrize("form", ["comparisons", "tied"])
def test_a_module_that_is_exported_reads_missing_values(form):
    """Although the rows that it is exported with are complete."""
    clf = fitted(classifier, form)
    expected = clf.predict_proba(with_holes(X))
    exported = torch.export.export(clf.to_torch(), (tensor(X),)).module()
    p = outputs(exported, with_holes(X)).softmax(dim=1)
    np.testing.assert_allclose(p, expected, atol=1e-9)


def test_names_tell_the_layers():
    names = {
        form: {name for name, _ in fitted(classifier, form).to_torch().named_parameters()}
        for form in ("comparisons", "three nearest, tied")
    }
    layers = ["comparisons", "exemplars", "class_comparisons", "output"]
    both = {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    assert names["three nearest, tied"] == both | {"comparisons.offset"}
    assert names["comparisons"] == {n for n in both if n.split(".")[0] in layers[::3]}


# --- gradients, and steps ---


def layers_of_all_kinds():
    rng = np.random.default_rng(0)
    draw = rng.normal
    pairs = PairIncidence(np.array([[1, 2], [2, 0], [0, 1]]))
    tied = TiedComparison(
        draw(size=(4, 3)), draw(size=3), draw(size=(3, 2)), pairs, "relu"
    )
    rows = draw(size=4), rng.uniform(0.5, 2, 4)
    low, high = np.full(4, -0.5), np.full(4, 0.9)
    conjunctive = Conjunctive(draw(size=(4, 4)), draw(size=4), "gelu", 2)
    # A comparison that occurs twice is equal to itself in a conjunction.
    conjunctive.weights[:, 1], conjunctive.bias[1] = (
        conjunctive.weights[:, 0],
        conjunctive.bias[0],
    )
    output = {n: Dense(draw(size=(n, 3)), draw(size=3), "softmax") for n in (3, 5, 9)}
    return {
        "scaled and tied": (
            ScaledInput(tied, *rows),
            Grouped(draw(size=(3, 2)), draw(size=3), "tanh"),
            output[3],
        ),
        "clipped conjunctions": (
            ClippedInput(ScaledInput(conjunctive, *rows), low, high),
            output[9],
        ),
        "dense": (
            Dense(draw(size=(4, 6)), draw(size=6), "logistic"),
            Dense(draw(size=(6, 5)), draw(size=5), "relu"),
            output[5],
        ),
    }  # fmt: skip


@pytest.mark.parametrize("kind", layers_of_all_kinds())
def test_gradients_are_those_of_the_network(kind):
    network = Network(layers_of_all_kinds()[kind])
    names = [f"layer_{k}" for k in range(len(network.layers))]
    module = module_of(network, names)
    data = TrainingData(X, y, np.ones(len(X)))
    value, gradient = Objective("log_loss").value_and_gradient(network, data)
    loss = F.cross_entropy(module(tensor(X)), tensor(y))
    loss.backward()
    assert loss.item() == pytest.approx(value)
    for parameter, g, array in zip(
        module.parameters(), gradient, network.parameters, strict=True
    ):
        is_turned = array.ndim == 2 and array.shape[::-1] == tuple(parameter.shape)
        np.testing.assert_allclose(
            parameter.grad, g.T if is_turned else g, rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("form", ["comparisons", "three nearest, tied"])
@pytest.mark.parametrize("is_class", [True, False])
def test_a_step_is_that_of_partial_fit(is_class, form):
    """In units of the targets, and with features of any units."""
    rows = X * [1e3, 1.0, 1e-3, 1.0]
    targets = y if is_class else 1e4 * VALUES
    steps = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "batch_size": 150}
    steps |= {"learning_rate_init": 0.02, "max_iter": 0}
    make = classifier if is_class else regressor
    estimator = fitted(make, form, rows=rows, targets=targets, **steps)
    module = estimator.to_torch()
    output = module(tensor(rows))
    if is_class:
        loss = F.cross_entropy(output, tensor(y))
    else:
        loss = F.mse_loss(output, tensor(targets)) / (2 * targets.var())
    loss.backward()
    torch.optim.SGD(module.parameters(), lr=0.02).step()
    if is_class:
        stepped = clone(estimator).partial_fit(rows, y, classes=range(3))
        got = outputs(module, rows).softmax(dim=1)
        np.testing.assert_allclose(got, stepped.predict_proba(rows), atol=1e-9)
    else:
        stepped = clone(estimator).partial_fit(rows, targets)
        np.testing.assert_allclose(
            outputs(module, rows), stepped.predict(rows), rtol=1e-9
        )


# --- back ---


@pytest.mark.parametrize("as_state", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_trained_weights_go_back(form, as_state):
    clf = fitted(classifier, form)
    module = clf.to_torch()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(module(tensor(X)), tensor(y)).backward()
        optimizer.step()
    before = clf.predict_proba(X)
    assert clf.from_torch(module.state_dict() if as_state else module) is clf
    p = clf.predict_proba(X)
    assert abs(p - before).max() > 1e-4
    np.testing.assert_allclose(outputs(module, X).softmax(dim=1), p, atol=1e-9)
    again = outputs(clf.to_torch(), X).softmax(dim=1)
    np.testing.assert_allclose(again, p, atol=1e-9)
    clf.partial_fit(X, y)  # training goes on


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    "make",
    [lambda: fitted(regressor, "tied", targets=PAIRS), lambda: BasisInitMLPRegressor(max_iter=0, degree=3).fit(X, PAIRS)],
    ids=["metric", "basis"],
)  # fmt: skip
def test_weights_of_values_go_back_in_any_precision(make, half):
    reg = make()
    before = reg.predict(X)
    module = reg.to_torch()
    with torch.no_grad():
        module.output.weight *= 0.5
    reg.from_torch(module.bfloat16() if half else module)
    mean, close = PAIRS.mean(axis=0), 0.05 if half else 1e-9
    expected = outputs(module.double(), X)
    np.testing.assert_allclose(reg.predict(X), expected, atol=close * PAIRS.std())
    assert not np.allclose(reg.predict(X), before)
    assert reg.network_.parameters[0].dtype == np.float64
    assert np.all(abs(mean - reg.predict(X).mean(axis=0)) < 5 * PAIRS.std(axis=0))


def test_weights_that_are_taken_over_end_the_sums():
    clf = MetricInitMLPClassifier(solver="closed_form", n_comparisons=40, random_state=0)
    clf.fit(X, y)
    module = clf.to_torch()
    with torch.no_grad():
        module.output.weight.zero_()
    clf.from_torch(module)
    assert not clf.coefs_[-1].any()
    with pytest.raises(NotFittedError, match="no sums of rows"):
        clf.forget(X[:9], y[:9])


def refused(words, change):
    """Words of the error for a state that is changed, which changes no weight."""
    clf = fitted(classifier, "tied")
    before = deepcopy(clf.network_.parameters)
    state = clf.to_torch().state_dict()
    with pytest.raises((ValueError, TypeError), match=words):
        clf.from_torch(change(state))
    for array, expected in zip(clf.network_.parameters, before, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("words", "change"),
    [
        (
            r"lacks \['output.bias'\], and has \['more'\]",
            lambda s: {("more" if n == "output.bias" else n): t for n, t in s.items()},
        ),
        (
            r"output.weight must have the shape \(3, 9\), got \(3, 8\)",
            lambda s: s | {"output.weight": torch.zeros(3, 8)},
        ),
        (
            r"output.bias has values that are not finite",
            lambda s: s | {"output.bias": torch.tensor([np.nan] * 3)},
        ),
        (
            r"comparisons.pairs of the module differs",
            lambda s: s | {"comparisons.pairs": s["comparisons.pairs"].flip(0)},
        ),
        (
            r"input.scale of the module differs .* another fit",
            lambda s: s | {"input.scale": 2 * s["input.scale"]},
        ),
        ("module must be a torch.nn.Module or its state_dict", list),
        ("parameters that to_torch", lambda _: nn.Linear(4, 3)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_as_a_whole(words, change):
    refused(words, change)


@pytest.mark.parametrize("method", ["to_torch", "from_torch", "encode"])
def test_an_estimator_has_to_be_fitted(method):
    arguments = () if method == "to_torch" else (X,)
    with pytest.raises(NotFittedError):
        getattr(classifier(), method)(*arguments)


def test_without_pytorch_the_message_has_the_command(monkeypatch):
    clf = classifier().fit(X, y)
    monkeypatch.setitem(__import__("sys").modules, "skmetricmlp.torch", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'skmetricmlp\[torch\]'"):
        clf.to_torch()


# --- calculated layers ---


def distance(x, p, features):
    return sum((x[f] - p[f]) ** 2 / X[:, f].var() for f in features)


@pytest.mark.parametrize("targets", [y, VALUES.astype("f"), PAIRS], ids=["classes", "values", "two"])  # fmt: skip
def test_a_linear_layer_compares_two_exemplars(targets):
    """With the rows as exemplars, each unit is a difference of two distances."""
    few = slice(None, None, 5)
    rows = X[few]
    layer = nn.Linear(4, 20, dtype=torch.float64)
    calculated_linear_(
        layer, tensor(rows), targets[few], n_exemplars=30, exemplars="random",
        max_features=2, random_state=0,
    )  # fmt: skip
    z = layer(tensor(rows)).detach().numpy()
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-6)
    variances = rows.var(axis=0)
    for k, weight in enumerate(layer.weight.detach().numpy()):
        features = np.flatnonzero(weight)
        assert len(features) <= 2
        found = []
        for i in rows:
            for j in rows:
                slope = 2 * (i - j) / variances
                bias = sum((j[f] ** 2 - i[f] ** 2) / variances[f] for f in features)
                factor = (
                    weight[features]
                    @ slope[features]
                    / max(slope[features] @ slope[features], 1e-9)
                )
                if factor > 0 and np.allclose(factor * slope[features], weight[features]):
                    found.append(np.isclose(factor * bias, layer.bias[k].item()))
        assert any(found)


def test_units_are_positive_near_one_class():
    rows = np.concatenate([X[:50] - 4, X[50:100] + 4])
    layer = calculated_linear_(
        nn.Linear(4, 50), rows, ["a"] * 50 + ["b"] * 50, max_features=None, random_state=0
    )
    z = outputs(layer, rows.astype("f")).numpy()
    is_between = abs((z[:50] > 0).mean(axis=0) - (z[50:] > 0).mean(axis=0)) == 1
    assert is_between.mean() > 0.6
    assert {0.0, 1.0} <= set((z[:50] > 0).mean(axis=0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_seed_decides_in_any_precision(dtype):
    state = torch.random.get_rng_state()
    one, other = (
        calculated_linear_(nn.Linear(4, 30, dtype=dtype), tensor(X), y, random_state=3)
        for _ in range(2)
    )
    assert torch.equal(one.weight, other.weight)
    assert one.weight.dtype == dtype
    another = calculated_linear_(nn.Linear(4, 30), X, y, random_state=4)
    assert not torch.allclose(one.weight.float(), another.weight, atol=1e-2)
    torch.random.set_rng_state(state)


def images_of(n, channels, height, width):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, channels, height, width))


def normalized(patch, least):
    mean = sum(patch) / len(patch)
    variance = sum((v - mean) ** 2 for v in patch) / len(patch)
    return np.array([(v - mean) / (variance + least) ** 0.5 for v in patch])


def test_a_convolution_compares_two_exemplar_patches():
    """Of images that are one patch, and all of them exemplars."""
    images = images_of(6, 2, 3, 2)
    layer = nn.Conv2d(2, 30, (3, 2), dtype=torch.float64)
    calculated_conv2d_(layer, images, n_exemplars=6, n_patches=600, random_state=0)
    patches = [list(image.ravel()) for image in images]
    variances = [np.var(patch) for patch in patches]
    found, contrasts = 0, []
    drawn = np.random.RandomState(0)  # how often each image is drawn tells the means
    order = drawn.permutation(6)
    counts = np.bincount(order[drawn.randint(6, size=600)], minlength=6)
    least = 0.1 * (counts @ variances) / 600
    contrasts = [(variance + least) ** 0.5 for variance in variances]
    mean_contrast = (counts @ contrasts) / 600
    exemplars = [mean_contrast * normalized(patch, least) for patch in patches]
    for kernel, bias in zip(
        layer.weight.detach().numpy(), layer.bias.tolist(), strict=True
    ):
        for i in exemplars:
            for j in exemplars:
                slope = 2 * (i - j)
                factor = kernel.ravel() @ slope / max(slope @ slope, 1e-9)
                if factor > 0 and np.allclose(factor * slope, kernel.ravel(), atol=1e-8):
                    found += 1
                    halfway = (i + j) / 2
                    assert kernel.ravel() @ halfway + bias == pytest.approx(0, abs=1e-8)
    assert found == 30


LAYERS = [
    {"kernel_size": 3},
    {"kernel_size": (3, 1), "stride": (2, 1), "padding": (1, 0)},
    {"kernel_size": 2, "dilation": (1, 3), "padding": "same"},
    {"kernel_size": 3, "padding": 2, "padding_mode": "reflect", "stride": 3},
    {"kernel_size": (2, 4), "padding": "valid"},
]


@pytest.mark.parametrize("settings", LAYERS)
def test_channels_have_unit_deviation_where_the_layer_reads(settings):
    images = tensor(images_of(12, 3, 8, 9)).float()
    layer = nn.Conv2d(3, 7, **settings)
    labels = np.arange(12) % 3
    calculated_conv2d_(layer, images, labels, n_exemplars=9, random_state=0)
    z = outputs(layer, images.numpy())
    np.testing.assert_allclose(z.std(dim=(0, 2, 3)), 1, atol=0.05)
    if layer.padding in {"valid", (0, 0)}:  # brighter images are the same
        brighter = outputs(layer, images.numpy() + 5)
        np.testing.assert_allclose(brighter, z, atol=1e-4)


@pytest.mark.parametrize("settings", LAYERS)
def test_patches_are_those_that_the_convolution_reads(settings):
    from skmetricmlp.torch.initializers import _patches  # noqa: PLC0415

    images = tensor(images_of(3, 2, 8, 9))
    layer = nn.Conv2d(2, 1, **settings, dtype=torch.float64)
    size = layer.weight.numel()
    reads = nn.Conv2d(2, size, **settings, dtype=torch.float64)
    with torch.no_grad():
        reads.weight.copy_(torch.eye(size).reshape(reads.weight.shape))
        reads.bias.zero_()
    rng = np.random.RandomState(0)
    patches, of_image = _patches(layer, images, 2000, rng)
    for k, image in enumerate(images):
        all_of_it = reads(image[None]).detach().numpy()[0].reshape(size, -1).T
        drawn = patches[of_image == k]
        np.testing.assert_array_equal(
            np.unique(drawn, axis=0), np.unique(all_of_it, axis=0)
        )


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("layer must be a torch.nn.Linear, got", lambda: calculated_linear_(nn.ReLU(), X, y)),
        ("torch.nn.Linear with a bias", lambda: calculated_linear_(nn.Linear(4, 3, bias=False), X, y)),
        (r"X must be of shape \(n, 5\), .* got \(150, 4\)", lambda: calculated_linear_(nn.Linear(5, 3), X, y)),
        ("X has values that are not finite", lambda: calculated_linear_(nn.Linear(4, 3), with_holes(X), y)),
        ("y must be of 150 rows", lambda: calculated_linear_(nn.Linear(4, 3), X, y[:9])),
        ("y has values that are not finite", lambda: calculated_linear_(nn.Linear(4, 3), X, X[:, 0] / 0)),
        ("n_exemplars must be an int", lambda: calculated_linear_(nn.Linear(4, 3), X, y, n_exemplars=0)),
        ("exemplars must be one of", lambda: calculated_linear_(nn.Linear(4, 3), X, VALUES, exemplars="lvq")),
        ("max_features must be", lambda: calculated_linear_(nn.Linear(4, 3), X, y, max_features="all")),
        ("a torch.nn.Conv2d, got", lambda: calculated_conv2d_(nn.Linear(4, 3), X)),
        ("groups of the layer must be 1, got 2", lambda: calculated_conv2d_(nn.Conv2d(2, 2, 3, groups=2), images_of(2, 2, 5, 5))),
        (r"images must be of shape \(n, 1, height, width\)", lambda: calculated_conv2d_(nn.Conv2d(1, 2, 3), images_of(2, 2, 5, 5))),
        (r"smaller than the kernel \(6, 6\)", lambda: calculated_conv2d_(nn.Conv2d(2, 2, 6), images_of(2, 2, 5, 5))),
        ("y must be None or classes", lambda: calculated_conv2d_(nn.Conv2d(2, 2, 3), images_of(2, 2, 5, 5), [1.0, 2.0])),
        ("n_patches must be an int", lambda: calculated_conv2d_(nn.Conv2d(2, 2, 3), images_of(2, 2, 5, 5), n_patches=0)),
    ],
)  # fmt: skip
def test_layers_and_data_that_do_not_go_together(words, call):
    with np.errstate(all="ignore"), pytest.raises((TypeError, ValueError), match=words):
        call()


# --- the output in closed form ---


def small_net(n_out=3, seed=0):
    torch.manual_seed(seed)
    parts = (
        nn.Linear(4, 8),
        nn.BatchNorm1d(8),
        nn.Dropout(0.5),
        nn.Tanh(),
        nn.Linear(8, n_out),
    )
    return nn.Sequential(*parts)  # fmt: skip


def hidden_of(net, rows):
    net.eval()
    with torch.no_grad():
        return net[:-1](tensor(rows).float()).numpy().astype(float)


def test_a_ridge_is_that_of_scikit_learn():
    net = small_net(2).train()
    state = deepcopy(net[:-1].state_dict())
    assert fit_output_(net, (X, PAIRS), alpha=0.7) is net[-1]
    assert net.training
    assert net[2].training
    assert all(torch.equal(t, state[name]) for name, t in net[:-1].state_dict().items())
    ridge = Ridge(alpha=0.7).fit(hidden_of(net, X), PAIRS)
    weight, bias = (p.detach().numpy() for p in net[-1].parameters())
    np.testing.assert_allclose(weight, ridge.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, ridge.intercept_, rtol=1e-5)


@pytest.mark.parametrize("alpha", [None, 2.0])
def test_batches_add_up_to_all_rows(alpha):
    rows, targets = (
        np.tile(X, (9, 1)) + np.arange(1350)[:, None] / 1e3,
        np.tile(VALUES, 9),
    )
    rows, targets = tensor(rows).float(), tensor(targets).float()
    whole, by_batch = small_net(1), small_net(1)
    fit_output_(whole, (rows, targets), alpha=alpha, batch_size=5000)
    loader = DataLoader(TensorDataset(rows, targets), batch_size=37, shuffle=True)
    fit_output_(by_batch, loader, alpha=alpha)
    torch.testing.assert_close(
        whole[-1].weight, by_batch[-1].weight, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("targets", [y, np.eye(3, dtype=int)[y][:, :2]], ids=["classes", "labels"])  # fmt: skip
def test_the_output_is_that_of_the_estimator(targets):
    """Which takes the same ridge, and the same scale."""
    clf = classifier().fit(X, targets)
    module, expected = clf.to_torch(), clf.predict_proba(X)
    with torch.no_grad():
        module.output.weight.zero_()
    fit_output_(module, (X, targets))
    z = outputs(module, X)
    p = z.softmax(dim=1) if targets.ndim == 1 else z.sigmoid()
    np.testing.assert_allclose(p, expected, atol=1e-4)


@pytest.mark.parametrize("targets", [1e3 * VALUES, PAIRS], ids=["vector", "two"])
@pytest.mark.parametrize("alpha", [None, 1e-6])
def test_the_output_of_a_regressor_is_fitted_in_the_units_of_its_targets(targets, alpha):
    module = regressor(n_comparisons=9).fit(X, targets).to_torch()
    with torch.no_grad():
        module.output.weight.zero_()
    fit_output_(module, (X, targets + 7.0), alpha=alpha)
    left = outputs(module, X).numpy() - (targets + 7.0)
    assert np.all((left**2).mean(axis=0) < 0.05 * targets.var(axis=0))
    hidden = frozen_features(module, X, "comparisons")
    np.testing.assert_allclose(
        hidden, module.comparisons(module.input(tensor(X))).detach()
    )
    if alpha is not None:  # no other linear function of the hidden layer is closer
        others = LinearRegression().fit(hidden, targets).predict(hidden) - targets
        np.testing.assert_allclose((left**2).mean(), (others**2).mean(), rtol=1e-3)


def test_a_single_logit_is_of_a_label():
    net = small_net(1)
    is_last = (y == 2).astype(int)
    fit_output_(net, (X, is_last))
    right = (outputs(net.eval(), X.astype("f"))[:, 0] > 0).numpy() == is_last
    assert right.mean() > 0.9
    same = small_net(1)
    fit_output_(same, (X, is_last.astype(float)), kind="labels")
    torch.testing.assert_close(net[-1].weight, same[-1].weight)


def test_sequences_and_a_named_layer():
    net = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3))
    rows, values = (
        X.reshape(50, 3, 4),
        np.repeat(PAIRS, 3, axis=1)[:, :3].reshape(50, 3, 3),
    )
    fit_output_(net, (rows, values), alpha=1e-9)
    flat = deepcopy(net)
    fit_output_(flat, (X, values.reshape(150, 3)), alpha=1e-9)
    torch.testing.assert_close(net[1].weight, flat[1].weight)
    first = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.Sequential(nn.Linear(4, 9)))
    assert fit_output_(first[0], (X, X), alpha=1.0) is first[0]
    ridge = Ridge(alpha=1.0).fit(X, X)
    np.testing.assert_allclose(first[0].weight.detach(), ridge.coef_, atol=1e-5)
    labels = np.eye(4, dtype=int)[y]
    assert fit_output_(first, (X, labels), layer="0") is first[0]


def test_weights_with_the_mean_square_of_he():
    one, other = small_net(), small_net()
    fit_output_(one, (X, y), method="norm_constrained", random_state=0)
    fit_output_(other, (X, y), method="norm_constrained", random_state=0)
    assert one[-1].weight.square().mean().item() == pytest.approx(2 / 8)
    assert torch.equal(one[-1].weight, other[-1].weight)
    # No other weights of this size are better, near these.
    hidden, targets = hidden_of(one, X), np.eye(3)[y] - 0.5
    W = one[-1].weight.detach().numpy().astype(float)

    def error(W):
        left = targets - hidden @ W.T
        return np.sum((left - left.mean(axis=0)) ** 2)

    rng = np.random.default_rng(0)
    for _ in range(20):
        moved = W + 0.05 * rng.normal(size=W.shape)
        moved *= np.linalg.norm(W) / np.linalg.norm(moved)
        assert error(moved) > error(W)


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("module must be a torch.nn.Module", lambda: fit_output_(X, (X, y))),
        ("module must have a torch.nn.Linear", lambda: fit_output_(nn.ReLU(), (X, y))),
        ("layer must be a torch.nn.Linear with a bias", lambda: fit_output_(small_net(), (X, y), layer="1")),
        ("layer must be a part of the module", lambda: fit_output_(small_net(), (X, y), layer="9")),
        ("kind must be", lambda: fit_output_(small_net(), (X, y), kind="class")),
        ("method must be", lambda: fit_output_(small_net(), (X, y), method="lasso")),
        ("alpha must be None, or with method='ridge' a positive", lambda: fit_output_(small_net(), (X, y), alpha=0)),
        ("alpha must be None", lambda: fit_output_(small_net(), (X, y), alpha=1.0, method="norm_constrained")),
        ("batch_size must be", lambda: fit_output_(small_net(), (X, y), batch_size=0)),
        ("data has 150 inputs, and 9 targets", lambda: fit_output_(small_net(), (X, y[:9]))),
        ("batches of inputs and targets", lambda: fit_output_(small_net(), [X])),
        ("data must be a tuple", lambda: fit_output_(small_net(), 3)),
        ("at least one row", lambda: fit_output_(small_net(), [])),
        ("data must have at least one", lambda: fit_output_(small_net(), (X[:0], y[:0]))),
        ("integers from 0 to 2", lambda: fit_output_(small_net(), (X, y + 1))),
        (r"targets of shape \(150, 3\), got \(150, 2\)", lambda: fit_output_(small_net(), (X, PAIRS))),
        ("from 0 to 1", lambda: fit_output_(small_net(2), (X, PAIRS), kind="labels")),
        ("not finite", lambda: fit_output_(small_net(1), (with_holes(X), VALUES))),
        ("what its last linear layer returns", lambda: fit_output_(nn.Sequential(small_net(1), nn.ReLU()), (X, VALUES))),
        ("was 2 times", lambda: fit_output_(nn.Sequential(*[nn.Linear(4, 4)] * 2), (X, y))),
    ],
)  # fmt: skip
def test_outputs_that_cannot_be_fitted(words, call):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


# --- features of a frozen module ---


def test_features_are_the_activations_of_a_part():
    net = small_net().train()
    expected = hidden_of(net, X)
    net.train()
    net[0].eval()
    rows = tensor(X).float()
    forms = [X, rows, DataLoader(TensorDataset(rows, tensor(y)), 40), rows.split(40)]
    for data in forms:
        for layer in ("3", net[3]):
            found = frozen_features(net, data, layer, batch_size=64)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert [part.training for part in net] == [False, True, True, True, True]
    assert frozen_features(net, X).shape == (150, 3)
    assert not any(part._forward_hooks for part in net.modules())


def test_features_of_images_are_flat_and_of_half_precision_single():
    net = nn.Conv2d(1, 2, 3, dtype=torch.bfloat16)
    found = frozen_features(net, images_of(5, 1, 4, 4), device="cpu")
    assert found.shape == (5, 8)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("backbone must be", lambda: frozen_features(X, X)),
        ("layer must be a part of the module: one of '0', '1'", lambda: frozen_features(small_net(), X, "head")),
        ("batch_size must be an int", lambda: frozen_features(small_net(), X, batch_size=-1)),
        ("X must have at least one row", lambda: frozen_features(small_net(), X[:0])),
        ("X must be an array", lambda: frozen_features(small_net(), 3)),
        ("it was 0 times", lambda: frozen_features(Unused(), X, "part")),
        ("with 150 rows.* got tuple", lambda: frozen_features(Unused(), X)),
    ],
)  # fmt: skip
def test_features_that_there_are_not(words, call):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = nn.Linear(4, 4)

    def forward(self, x):
        return x, x
