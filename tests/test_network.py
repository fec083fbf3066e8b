from functools import partial
from math import exp, log, pi, sqrt, tanh

import numpy as np
import pytest
from networks import random_batch, random_network, read_only, temporaries_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix

from skmetricmlp._data import TrainingData
from skmetricmlp.network import ACTIVATIONS, LOSSES, Dense, forward
from skmetricmlp.training import Objective

SCALAR = {
    "step": lambda z: 1.0 if z > 0 else 0.0,
    "logistic": lambda z: 1 / (1 + exp(-z)),
    "tanh": tanh,
    "relu": lambda z: z if z > 0 else 0.0,
    "gelu": lambda z: z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))) / 2,
}
HIDDEN = ["logistic", "tanh", "relu", "gelu"]
WIDTHS = [(4, 3), (4, 5, 3), (4, 5, 6, 3), (4, 5, 2, 6, 3)]
DEEP = WIDTHS[2:]


def network_for(loss, widths, activation):
    return random_network(widths, activation, LOSSES[loss].output_activation)


def loop_affine(rows, layer):
    weights, bias = layer.weights.tolist(), layer.bias.tolist()
    return [
        [b + sum(v * w[j] for v, w in zip(row, weights, strict=True))
         for j, b in enumerate(bias)]
        for row in rows
    ]  # fmt: skip


def loop_objective(loss, alpha, network, batch):
    """Compute the objective with a loop over rows, classes and weights."""
    total = squares = 0.0
    for row, code, weight in zip(*(part.tolist() for part in batch), strict=True):
        values = [row]
        for layer in network.layers[:-1]:
            values = [
                [SCALAR[layer.activation](z) for z in loop_affine(values, layer)[0]]
            ]
        z = loop_affine(values, network.layers[-1])[0]
        if loss == "log_loss":
            total += weight * (log(sum(exp(v) for v in z)) - z[code])
        elif loss == "binary_log_loss":
            for c, v in enumerate(z):
                total += weight * log(1 + exp(-v if c == code else v))
        else:
            for c, v in enumerate(z):
                said = v if loss == "identity_squared_error" else 1 / (1 + exp(-v))
                total += weight * (said - (c == code)) ** 2 / 2
    for layer in network.layers:
        squares += sum(w * w for row in layer.weights.tolist() for w in row)
    return (total + alpha * squares / 2) / sum(batch.sample_weight.tolist())


def slopes(function, parameters, h=1e-6):
    """Central differences of ``function(parameters)`` in every number."""
    gradients = [np.empty_like(p) for p in parameters]
    for k, p in enumerate(parameters):
        for index in np.ndindex(p.shape):
            sides = []
            for step in (h, -h):
                moved = p.copy()
                moved[index] += step
                sides.append(function([*parameters[:k], moved, *parameters[k + 1 :]]))
            gradients[k][index] = (sides[0] - sides[1]) / (2 * h)
    return gradients


def moved(network, move):
    return network.with_parameters([move(p) for p in network.parameters])


def assert_all_close(actual, expected, **tolerance):
    for a, e in zip(actual, expected, strict=True):
        assert np.shape(a) == np.shape(e)
        assert_allclose(np.asarray(a), e, **tolerance)


@pytest.fixture
def batch():
    return random_batch()


@pytest.fixture(params=["array_api_strict", "array_api_compat.torch"])
def xp(request):
    return pytest.importorskip(request.param)


@pytest.fixture
def move(xp):
    """Move a NumPy array to the other namespace."""
    return lambda array: xp.asarray(array.copy())


@pytest.mark.parametrize("activation", SCALAR)
def test_dense_is_its_loop(batch, activation):
    (layer,) = random_network((4, 5), output=activation).layers
    z = loop_affine(batch.X.tolist(), layer)
    assert_allclose(layer.affine(batch.X), z, rtol=1e-12)
    a = [[SCALAR[activation](value) for value in row] for row in z]
    assert_allclose(forward(layer, batch.X), a, rtol=1e-12)


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix])
def test_dense_reads_sparse_rows(batch, sparse):
    (layer,) = random_network((4, 5), output="relu").layers
    X = batch.X * (batch.X > 0)
    for method in (layer.affine, partial(forward, layer)):
        result = method(sparse(X))
        assert type(result) is np.ndarray
        assert_allclose(result, method(X), rtol=1e-13)
    delta = np.ones((9, 5))
    assert_all_close(layer.gradient(sparse(X), delta), layer.gradient(X, delta))


def test_dense_affine_is_affine(batch):
    (layer,) = random_network((4, 5)).layers
    a, b = batch.X[:4], batch.X[4:8]
    mixed = 0.25 * layer.affine(a) + 0.75 * layer.affine(b)
    assert_allclose(layer.affine(0.25 * a + 0.75 * b), mixed, atol=1e-13)


@pytest.mark.parametrize("output", ["softmax", "logistic", "step"])
def test_network_forward_composes_its_layers(batch, output):
    network = random_network((4, 5, 6, 3), "relu", output)
    first, second, last = network.layers
    a, b = forward(first, batch.X), forward(second, forward(first, batch.X))
    assert_all_close(network.activations(batch.X), [batch.X, a, b], rtol=0)
    assert_allclose(network.affine_output(batch.X), last.affine(b), rtol=1e-13)
    expected = ACTIVATIONS[output].function(last.affine(b))
    assert_allclose(network.forward(batch.X), expected, rtol=1e-13)


def test_network_forward_treats_each_row_alone(batch):
    network = random_network((4, 5, 6, 3))
    order = np.array([5, 0, 8, 2])
    actual = network.forward(batch.X[order])
    assert_allclose(actual, network.forward(batch.X)[order], rtol=1e-13)


def test_parameters_alternate_weights_and_biases():
    network = random_network((4, 5, 6, 3))
    shapes = [p.shape for p in network.parameters]
    assert shapes == [(4, 5), (5,), (5, 6), (6,), (6, 3), (3,)]
    assert network.parameters[2] is network.layers[1].weights
    assert network.parameters[5] is network.layers[2].bias


def test_with_parameters_makes_the_next_network_and_keeps_this_one():
    network = random_network((4, 5, 3), "relu")
    other = random_network((4, 5, 3), "tanh", seed=1)
    result = network.with_parameters(other.parameters)
    pairs = zip(result.parameters, other.parameters, strict=True)
    assert all(a is b for a, b in pairs)
    assert [layer.activation for layer in result.layers] == ["relu", "softmax"]
    assert network.parameters[0] is not other.parameters[0]


@pytest.mark.parametrize("count", [0, 2, 3, 5, 6])
def test_with_parameters_asks_for_as_many_as_there_are(count):
    network = random_network((4, 5, 3))
    parameters = (network.parameters + network.parameters)[:count]
    with pytest.raises(ValueError, match=f"4 parameters expected, got {count}"):
        network.with_parameters(parameters)


def test_astype_changes_the_precision_of_a_copy(batch):
    network = random_network((4, 5, 3))
    half = network.astype(np.float32)
    assert {p.dtype for p in half.parameters} == {np.dtype(np.float32)}
    assert {p.dtype for p in network.parameters} == {np.dtype(np.float64)}
    assert half.forward(batch.X.astype(np.float32)).dtype == np.float32
    exact = network.forward(batch.X)
    assert_allclose(half.forward(batch.X.astype(np.float32)), exact, atol=1e-5)


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 9])
@pytest.mark.parametrize("limit", [1, 6, 13, 54])
def test_affine_output_in_blocks_is_the_same_and_small(batch, monkeypatch, rows, limit):
    network = random_network((4, 5, 6, 3), "relu")
    X = batch.X[:rows]
    whole = network.affine_output(X)
    sizes = []
    affine = Dense.affine

    def spy(layer, x):
        sizes.append(x.shape[0])
        return affine(layer, x)

    monkeypatch.setattr(Dense, "affine", spy)
    with temporaries_of(limit):
        blocked = network.affine_output(X)
    assert blocked.shape == (rows, 3)
    assert_allclose(blocked, whole, rtol=1e-13)
    assert sum(sizes) == 3 * rows
    # The widest layer has six neurons.
    assert max(sizes) <= max(1, limit / 6)


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix])
def test_affine_output_in_blocks_of_sparse_rows(batch, sparse):
    network = random_network((4, 5, 6, 3), "relu")
    with temporaries_of(13):
        actual = network.affine_output(sparse(batch.X))
    assert_allclose(actual, network.affine_output(batch.X), rtol=1e-13)


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_objective_is_its_loop(batch, loss, alpha, widths):
    network = network_for(loss, widths, "logistic")
    expected = loop_objective(loss, alpha, network, batch)
    assert_allclose(Objective(loss, alpha).value(network, batch), expected, rtol=1e-12)
    value, _ = Objective(loss, alpha).value_and_gradient(network, batch)
    assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.parametrize("widths", DEEP)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN)
def test_gradient_is_the_slope_of_the_objective(batch, activation, loss, widths):
    network = network_for(loss, widths, activation)
    _, gradients = Objective(loss, 0.3).value_and_gradient(network, batch)
    expected = slopes(
        lambda p: loop_objective(loss, 0.3, network.with_parameters(p), batch),
        network.parameters,
    )
    assert_all_close(gradients, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("widths", DEEP)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN)
def test_gradient_is_that_of_autograd(batch, activation, loss, widths):
    torch = pytest.importorskip("torch")
    network = network_for(loss, widths, activation)
    value, gradients = Objective(loss, 0.3).value_and_gradient(network, batch)

    leaves = [torch.tensor(p.copy(), requires_grad=True) for p in network.parameters]
    X, codes, weights = (torch.tensor(part.copy()) for part in batch)
    a = X
    for k in range(0, len(leaves) - 2, 2):
        z = torch.nn.functional.linear(a, leaves[k].T, leaves[k + 1])
        a = {
            "logistic": torch.sigmoid,
            "tanh": torch.tanh,
            "relu": torch.relu,
            "gelu": partial(torch.nn.functional.gelu, approximate="tanh"),
        }[activation](z)
    z = torch.nn.functional.linear(a, leaves[-2].T, leaves[-1])
    if loss == "log_loss":
        losses = torch.nn.functional.cross_entropy(z, codes, reduction="none")
    elif loss == "binary_log_loss":
        one_hot = torch.nn.functional.one_hot(codes, 3).to(z.dtype)
        log_loss = torch.nn.functional.binary_cross_entropy_with_logits
        losses = log_loss(z, one_hot, reduction="none").sum(dim=1)
    else:
        one_hot = torch.nn.functional.one_hot(codes, 3).to(z.dtype)
        said = z if loss == "identity_squared_error" else torch.sigmoid(z)
        mse = torch.nn.functional.mse_loss(said, one_hot, reduction="none")
        losses = mse.sum(dim=1) / 2
    penalty = 0.3 / 2 * sum(torch.linalg.norm(w) ** 2 for w in leaves[::2])
    expected = (weights @ losses + penalty) / weights.sum()
    expected.backward()

    assert_allclose(value, expected.item(), rtol=1e-12)
    assert_all_close(gradients, [p.grad.numpy() for p in leaves], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix])
def test_gradient_of_sparse_rows_is_that_of_dense_rows(batch, sparse):
    network = random_network((4, 5, 6, 3))
    objective = Objective("log_loss", 0.3)
    value, gradients = objective.value_and_gradient(network, batch)
    other = batch._replace(X=sparse(batch.X))
    assert_allclose(objective.value(network, other), value, rtol=1e-13)
    sparse_value, sparse_gradients = objective.value_and_gradient(network, other)
    assert_allclose(sparse_value, value, rtol=1e-13)
    assert {type(g) for g in sparse_gradients} == {np.ndarray}
    assert_all_close(sparse_gradients, gradients, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("limit", [1, 6, 13])
def test_penalty_in_blocks_is_the_same(batch, monkeypatch, limit):
    network = random_network((4, 5, 6, 3))
    objective = Objective("log_loss", 0.3)
    _, whole = objective.value_and_gradient(network, batch)
    monkeypatch.setattr("skmetricmlp._array_api.BLOCK_ELEMENTS", limit)
    _, gradients = objective.value_and_gradient(network, batch)
    assert_all_close(gradients, whole, rtol=0)


def test_gradient_is_the_callers_to_write_into(batch):
    network = random_network((4, 5, 6, 3))
    objective = Objective("log_loss")
    value, gradients = objective.value_and_gradient(network, batch)
    for g in gradients:
        g[...] = np.nan
    # The networks and batches of the tests are read-only, so this is no alias of them.
    assert objective.value(network, batch) == pytest.approx(value, rel=1e-13)
    pairs = [(g, p) for g in gradients for p in [*network.parameters, *batch]]
    assert not any(np.shares_memory(*pair) for pair in pairs)


def test_penalty_of_large_weights_keeps_its_digits_in_float32():
    # The squares of 1.2 million numbers are summed in single precision.
    network = random_network((400, 3000, 3)).astype(np.float32)
    X = np.zeros((1, 400), np.float32)
    single = TrainingData(X, np.zeros(1, int), np.ones(1, "f"))
    value = Objective("log_loss", 2.0).value(network, single)
    value -= Objective("log_loss", 0.0).value(network, single)
    expected = sum((p.astype(float) ** 2).sum() for p in network.parameters[::2])
    assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_of_a_batch_is_the_weighted_mean_over_its_rows(batch, loss):
    network = network_for(loss, (4, 5, 6, 3), "tanh")
    objective = Objective(loss)
    value, gradients = objective.value_and_gradient(network, batch)
    means = [np.zeros_like(p) for p in network.parameters]
    mean_value = 0.0
    for i, share in enumerate(batch.sample_weight / batch.sample_weight.sum()):
        row_value, row = objective.value_and_gradient(network, batch.take([i]))
        mean_value += share * row_value
        means = [m + share * g for m, g in zip(means, row, strict=True)]
    assert_allclose(value, mean_value, rtol=1e-12)
    assert_all_close(gradients, means, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_keeps_float32(batch, loss):
    network = network_for(loss, (4, 5, 3), "relu").astype(np.float32)
    single = TrainingData(*(read_only(p, t) for p, t in zip(batch, "fif", strict=True)))
    value, gradients = Objective(loss, 0.3).value_and_gradient(network, single)
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    exact = Objective(loss, 0.3).value(network.astype(np.float64), batch)
    assert_allclose(value, exact, rtol=1e-5)


@pytest.mark.parametrize("widths", [(4, 0, 3), (4, 5, 0, 3), (4, 0, 5, 3)])
@pytest.mark.parametrize("activation", HIDDEN)
def test_layer_without_neurons_cuts_the_output_from_the_input(batch, activation, widths):
    network = random_network(widths, activation)
    output = network.forward(batch.X)
    assert output.shape == (9, 3)
    assert_array_equal(output, np.tile(output[0], (9, 1)))
    value, gradients = Objective("log_loss", 0.3).value_and_gradient(network, batch)
    objective = loop_objective("log_loss", 0.3, network, batch)
    assert_allclose(value, objective, rtol=1e-12)
    expected = slopes(
        lambda p: loop_objective("log_loss", 0.3, network.with_parameters(p), batch),
        network.parameters,
    )
    assert_all_close(gradients, expected, rtol=1e-6, atol=1e-8)


def test_no_gradient_passes_a_step_layer(batch):
    network = random_network((4, 5, 3), "step")
    with pytest.raises(
        ValueError, match="activation 'step' of layer 1 has no derivative"
    ):
        Objective("log_loss").value_and_gradient(network, batch)


def test_backward_needs_no_derivative_of_the_output_activation(batch):
    activations = random_network((4, 5, 3)).activations(batch.X)
    delta = read_only(np.random.default_rng(2).normal(size=(9, 3)))
    outputs = ["softmax", "step", "identity"]
    gradients = [
        random_network((4, 5, 3), output=output).backward(activations, delta)
        for output in outputs
    ]
    assert_all_close(gradients[1], gradients[0], rtol=0)
    assert_all_close(gradients[2], gradients[0], rtol=0)


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN)
def test_gradient_on_another_namespace_equals_numpy(
    batch, xp, move, activation, loss, widths
):
    network = network_for(loss, widths, activation)
    objective = Objective(loss, 0.3)
    value, gradients = objective.value_and_gradient(network, batch)
    moved_value, moved_gradients = objective.value_and_gradient(
        moved(network, move), TrainingData(*map(move, batch))
    )
    assert_allclose(moved_value, value, rtol=1e-12)
    assert {type(g) for g in moved_gradients} == {type(xp.asarray(0.0))}
    assert_all_close(moved_gradients, gradients, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("limit", [13, 2**22])
def test_output_on_another_namespace_equals_numpy(batch, xp, move, loss, widths, limit):
    network = network_for(loss, widths, "relu")
    objective = Objective(loss, 0.3)
    output, value = network.forward(batch.X), objective.value(network, batch)
    with temporaries_of(limit):
        moved_output = moved(network, move).forward(move(batch.X))
        moved_batch = TrainingData(*map(move, batch))
        moved_value = objective.value(moved(network, move), moved_batch)
    assert type(moved_output) is type(xp.asarray(0.0))
    assert_allclose(np.asarray(moved_output), output, rtol=1e-12)
    assert_allclose(moved_value, value, rtol=1e-12)


def test_astype_on_another_namespace(xp, move):
    network = random_network((4, 5, 3))
    half = moved(network, move).astype(xp.float32)
    assert {p.dtype for p in half.parameters} == {xp.float32}
    assert_all_close(half.parameters, network.parameters, rtol=1e-6)
