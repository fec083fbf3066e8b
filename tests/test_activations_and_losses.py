from math import exp, log, pi, sqrt, tanh

import numpy as np
import pytest
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from skmetricmlp.network import ACTIVATIONS, LOG_PROBABILITIES, LOSSES

# Both signs, both sides of every kink, zero, and large numbers.
POINTS = [-30.0, -2.5, -0.7, -1e-3, 0.0, 1e-3, 0.4, 3.0, 30.0]

SCALAR_ACTIVATIONS = {
    "identity": lambda z: z,
    "step": lambda z: 1.0 if z > 0 else 0.0,
    "logistic": lambda z: 1 / (1 + exp(-z)),
    "tanh": lambda z: (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
    "relu": lambda z: z if z > 0 else 0.0,
    "gelu": lambda z: z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))) / 2,
}
WITH_DERIVATIVE = ["identity", "logistic", "tanh", "relu", "gelu"]


def scalar_softmax(row):
    return [exp(v) / sum(exp(u) for u in row) for v in row]


def scalar_logistic(row):
    return [1 / (1 + exp(-v)) for v in row]


def scalar_log_loss(row, target):
    return -sum(t * log(p) for p, t in zip(scalar_softmax(row), target, strict=True))


def scalar_squared_error(row, target):
    p = scalar_logistic(row)
    return sum((a - t) ** 2 for a, t in zip(p, target, strict=True)) / 2


def scalar_binary_log_loss(row, target):
    pairs = zip(scalar_logistic(row), target, strict=True)
    return -sum(t * log(p) + (1 - t) * log(1 - p) for p, t in pairs)


def scalar_squared_error_of_values(row, target):
    return sum((a - t) ** 2 for a, t in zip(row, target, strict=True)) / 2


SCALAR_LOSSES = {
    "log_loss": scalar_log_loss,
    "squared_error": scalar_squared_error,
    "binary_log_loss": scalar_binary_log_loss,
    "binary_squared_error": scalar_squared_error,
    "identity_squared_error": scalar_squared_error_of_values,
}


@pytest.fixture
def z():
    """Outputs (12, 4) before the activation."""
    return read_only(np.random.default_rng(0).normal(scale=3, size=(12, 4)))


@pytest.fixture
def targets(z):
    """One-hot targets (12, 4)."""
    return read_only(np.eye(4)[np.arange(len(z)) % 4])


@pytest.fixture
def extreme():
    """Outputs (7, 4) for which a naive exponential overflows."""
    rows = [
        [1e4, -1e4, 0, 1],
        [-1e4, 1e4, 1, 0],
        [1e4] * 4,
        [-1e4] * 4,
        [-1e4, -1e4, 1e4, 1e4],
        [0.0] * 4,
        [800, 750, -750, -800],
    ]
    return read_only(rows)


@pytest.fixture(params=["array_api_strict", "array_api_compat.torch"])
def xp(request):
    return pytest.importorskip(request.param)


def test_every_name_has_an_oracle():
    assert set(ACTIVATIONS) == {*SCALAR_ACTIVATIONS, "softmax"}
    assert set(LOSSES) == set(SCALAR_LOSSES)
    assert {loss.output_activation for loss in LOSSES.values()} <= set(ACTIVATIONS)
    of_values = {name for name, loss in LOSSES.items() if loss.targets == "values"}
    assert set(LOG_PROBABILITIES) == set(LOSSES) - of_values


@pytest.mark.parametrize("name", SCALAR_ACTIVATIONS)
def test_activation_is_its_scalar_formula(name):
    expected = [[SCALAR_ACTIVATIONS[name](z)] for z in POINTS]
    actual = ACTIVATIONS[name].function(read_only(POINTS)[:, None])
    assert_allclose(actual, expected, rtol=1e-14, atol=1e-15)


def test_softmax_is_its_scalar_formula(z):
    expected = [scalar_softmax(row) for row in z.tolist()]
    assert_allclose(ACTIVATIONS["softmax"].function(z), expected, rtol=1e-13)


@pytest.mark.parametrize("shift", [-700.0, -1.0, 3.5, 1e4])
def test_softmax_rows_sum_to_one_and_ignore_a_shift(z, shift):
    p = ACTIVATIONS["softmax"].function(z)
    assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    shifts = shift * np.linspace(0.5, 1, len(z))[:, None]
    assert_allclose(ACTIVATIONS["softmax"].function(z + shifts), p, rtol=1e-10)


def test_step_is_zero_at_exactly_zero_and_one_just_above():
    tiny = np.finfo(float).smallest_subnormal
    z = read_only([[-tiny, -0.0, 0.0, tiny]])
    assert_array_equal(ACTIVATIONS["step"].function(z), [[0, 0, 0, 1]])


@pytest.mark.parametrize("name", ["logistic", "tanh"])
def test_sigmoids_are_odd_about_their_middle(name):
    function = ACTIVATIONS[name].function
    z = read_only(POINTS)
    middle = function(np.zeros(1))[0]
    assert_allclose(function(z) - middle, middle - function(-z), atol=1e-15)


@pytest.mark.parametrize("name", WITH_DERIVATIVE)
def test_derivative_through_the_value_or_the_argument_is_the_slope(name):
    # Central differences straddle the kink of the ReLU at zero.
    z = read_only([point for point in POINTS if point != 0])
    activation = ACTIVATIONS[name]
    h = 1e-5
    slope = (activation.function(z + h) - activation.function(z - h)) / (2 * h)
    point = activation.function(z) if activation.through_value else z
    assert_allclose(activation.derivative(point), slope, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", WITH_DERIVATIVE)
def test_derivative_leaves_its_argument_alone_and_keeps_float32(name):
    value = read_only(ACTIVATIONS[name].function(np.array([POINTS])), np.float32)
    slope = ACTIVATIONS[name].derivative(value)
    assert slope.dtype == np.float32
    assert slope.shape == value.shape


def test_derivative_through_the_argument_where_a_value_comes_twice():
    through_argument = {name for name, f in ACTIVATIONS.items() if not f.through_value}
    assert through_argument == {"gelu"}
    value = ACTIVATIONS["gelu"].function(read_only([-3.0, -0.7, -0.1]))
    assert value[1] < min(value[0], value[2])


def test_gelu_is_nearly_the_argument_times_the_normal_distribution():
    z = read_only(np.linspace(-8, 8, 1601))
    value = ACTIVATIONS["gelu"].function(z)
    assert_allclose(value, z * norm.cdf(z), atol=5e-4)
    # As for the exact GELU, f(z) - f(-z) = z.
    assert_allclose(value - ACTIVATIONS["gelu"].function(-z), z, atol=1e-14)


def test_gelu_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    z = torch.linspace(-6, 6, 241, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.gelu(z, approximate="tanh")
    expected.sum().backward()
    points = read_only(z.detach().numpy())
    gelu = ACTIVATIONS["gelu"]
    assert_allclose(gelu.function(points), expected.detach(), rtol=1e-10, atol=1e-14)
    assert_allclose(gelu.derivative(points), z.grad, rtol=1e-10, atol=1e-14)


def test_step_and_softmax_state_no_derivative():
    without = {name for name, f in ACTIVATIONS.items() if f.derivative is None}
    assert without == {"step", "softmax"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_survives_extremes_in_its_precision(extreme, name, dtype):
    z = read_only(extreme, dtype)
    value = ACTIVATIONS[name].function(z)
    assert value.dtype == dtype
    assert np.isfinite(value).all()
    bounds = {"identity": (-1e4, 1e4), "tanh": (-1, 1)}
    bounds |= dict.fromkeys(["relu", "gelu"], (0, 1e4))
    low, high = bounds.get(name, (0, 1))
    assert value.min() == low
    assert value.max() == high


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_on_another_namespace_equals_numpy(xp, z, name):
    value = ACTIVATIONS[name].function(xp.asarray(z.copy()))
    assert type(value) is type(xp.asarray(0.0))
    assert_allclose(np.asarray(value), ACTIVATIONS[name].function(z), rtol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_of_each_row_is_its_scalar_formula(z, targets, name):
    pairs = zip(z.tolist(), targets.tolist(), strict=True)
    expected = [SCALAR_LOSSES[name](row, target) for row, target in pairs]
    assert_allclose(LOSSES[name].losses(z, targets), expected, rtol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_delta_is_the_slope_of_the_loss(z, targets, name):
    loss = LOSSES[name]
    h = 1e-5
    slope = np.empty_like(z)
    for c in range(z.shape[1]):
        e = h * np.eye(z.shape[1])[c]
        rise = loss.losses(z + e, targets) - loss.losses(z - e, targets)
        slope[:, c] = rise / (2 * h)
    _, delta = loss.losses_and_delta(z, targets)
    assert_allclose(delta, slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_beside_the_delta_are_the_same_to_the_last_bit(z, targets, name, dtype):
    z, targets = read_only(z, dtype), read_only(targets, dtype)
    losses, delta = LOSSES[name].losses_and_delta(z, targets)
    assert_array_equal(losses, LOSSES[name].losses(z, targets))
    if name == "log_loss":
        assert_array_equal(delta, ACTIVATIONS["softmax"].function(z) - targets)
    delta[...] = np.nan  # a new array
    assert np.isfinite(z).all()


@pytest.mark.parametrize("name", LOSSES)
def test_loss_does_not_depend_on_the_order_of_the_classes(z, targets, name):
    order = [2, 0, 3, 1]
    loss = LOSSES[name]
    losses, delta = loss.losses_and_delta(z, targets)
    actual, actual_delta = loss.losses_and_delta(z[:, order], targets[:, order])
    assert_allclose(actual, losses, rtol=1e-13)
    assert_allclose(actual_delta, delta[:, order], rtol=1e-13)


def test_log_loss_ignores_a_shift_so_its_delta_sums_to_zero(z, targets):
    loss = LOSSES["log_loss"]
    losses, delta = loss.losses_and_delta(z, targets)
    assert_allclose(loss.losses(z + 5, targets), losses, rtol=1e-12)
    assert_allclose(delta.sum(axis=1), 0, atol=1e-14)


def test_squared_error_stays_when_outputs_and_targets_are_mirrored(z, targets):
    loss = LOSSES["squared_error"]
    assert_allclose(loss.losses(-z, 1 - targets), loss.losses(z, targets), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_survives_extremes_in_its_precision(extreme, name, dtype):
    z = read_only(extreme, dtype)
    t = read_only(np.eye(4)[[1, 1, 0, 3, 0, 2, 3]], dtype)
    losses, delta = LOSSES[name].losses_and_delta(z, t)
    assert losses.dtype == delta.dtype == dtype
    assert losses.shape == (7,)
    assert np.isfinite(losses).all()
    assert_array_equal(LOSSES[name].losses(z, t), losses)
    assert np.isfinite(delta).all()
    # By hand, row 0: all of the probability is on class 0 and the target is class 1;
    # the logistic outputs are 1, 0, 1/2, 1 / (1 + 1/e).
    p = 1 / (1 + exp(-1))
    by_hand = {"log_loss": 2e4, "squared_error": (1 + 1 + 0.25 + p * p) / 2}
    z_0 = extreme[0]
    by_hand["binary_log_loss"] = 1e4 + 1e4 + log(2) - log(1 - p)
    by_hand["binary_squared_error"] = by_hand["squared_error"]
    by_hand["identity_squared_error"] = sum((z_0 - np.eye(4)[1]) ** 2) / 2
    assert_allclose(losses[0], by_hand[name], rtol=1e-6)


def normalized(p, name):
    """Of classes the outputs are divided by their sum, and of labels they are not."""
    is_class = LOSSES[name].targets == "classes"
    return p / p.sum(axis=1, keepdims=True) if is_class else p


@pytest.mark.parametrize("name", LOG_PROBABILITIES)
def test_log_probabilities_are_the_log_of_the_normalized_outputs(z, name):
    activations = {"softmax": scalar_softmax, "logistic": scalar_logistic}
    outputs = activations[LOSSES[name].output_activation]
    expected = np.log(normalized(np.array([outputs(row) for row in z.tolist()]), name))
    assert_allclose(LOG_PROBABILITIES[name](z), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", LOG_PROBABILITIES)
def test_log_probabilities_agree_with_the_output_activation(z, name):
    output = ACTIVATIONS[LOSSES[name].output_activation].function(z)
    p = np.exp(LOG_PROBABILITIES[name](z))
    assert_allclose(p, normalized(output, name), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOG_PROBABILITIES)
def test_log_probabilities_survive_extremes_in_their_precision(extreme, name, dtype):
    log_p = LOG_PROBABILITIES[name](read_only(extreme, dtype))
    assert log_p.dtype == dtype
    assert np.isfinite(log_p).all()
    assert log_p.max() <= 0
    if LOSSES[name].targets == "classes":
        assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-6)


def test_log_probabilities_of_tiny_logistic_outputs_keep_their_differences():
    # Where sigma(z) = exp(z) to rounding, the logs are those of the softmax.
    z = read_only([[-2000.0, -2001.0, -2003.0]])
    expected = [log(p) for p in scalar_softmax([0.0, -1.0, -3.0])]
    assert_allclose(LOG_PROBABILITIES["squared_error"](z)[0], expected, rtol=1e-12)
