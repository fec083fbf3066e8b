from math import sqrt

import numpy as np
import pytest
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal

from skmetricmlp._array_api import blocks
from skmetricmlp.training import SGD, Adam

N_STEPS = 7
RATES = [0.05, 0.2, 0.01]
OPTIMIZERS = [
    SGD(momentum=0.0),
    SGD(momentum=0.8, nesterov=False),
    SGD(momentum=0.8, nesterov=True),
    Adam(beta_1=0.8, beta_2=0.9, epsilon=0.1),
]


def slope(p):
    """Gradient of ``p^4 / 4 - p``: what a step learns depends on where it stands."""
    return p * p * p - 1


def freeze(arrays):
    for array in arrays:
        array.flags.writeable = False


def arrays_of(state):
    """Every array of an optimizer state."""
    lists = state[1:] if isinstance(state, tuple) else [state]
    return [array for part in lists for array in part]


def path(optimizer, parameters, rates, gradient=slope):
    """Parameters after each step, none of which may write into those before it."""
    state = optimizer.init(parameters)
    visited = []
    for _ in range(N_STEPS):
        freeze(parameters)
        gradients = [gradient(p) for p in parameters]
        parameters, state = optimizer.step(parameters, gradients, state, rates)
        visited.append([p.copy() for p in parameters])
    return visited


def assert_paths_equal(actual, expected, **tolerance):
    assert len(actual) == len(expected) == N_STEPS
    for after, wanted in zip(actual, expected, strict=True):
        for a, w in zip(after, wanted, strict=True):
            assert_allclose(np.asarray(a), w, **tolerance)


def scalar_path(numbers, parameters):
    """Run ``numbers(p, rate)``, N_STEPS values of one number, on every number."""
    visited = [[np.empty_like(p) for p in parameters] for _ in range(N_STEPS)]
    for k, (p, rate) in enumerate(zip(parameters, RATES, strict=True)):
        for index in np.ndindex(p.shape):
            for after, value in zip(visited, numbers(float(p[index]), rate), strict=True):
                after[k][index] = value
    return visited


@pytest.fixture(params=[1, 4, 2**16])
def parameters(request, monkeypatch):
    """A matrix, a vector and a layer of one number, stepped in blocks of rows."""
    monkeypatch.setattr("skmetricmlp._array_api.BLOCK_ELEMENTS", request.param)
    rng = np.random.default_rng(0)
    return [read_only(rng.normal(size=shape)) for shape in [(3, 2), (2,), (1, 1)]]


@pytest.fixture(params=["array_api_strict", "array_api_compat.torch"])
def xp(request):
    return pytest.importorskip(request.param)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_without_momentum_is_gradient_descent(parameters, nesterov):
    def numbers(p, rate):
        for _ in range(N_STEPS):
            p -= rate * slope(p)
            yield p

    actual = path(SGD(momentum=0, nesterov=nesterov), parameters, RATES)
    assert_paths_equal(actual, scalar_path(numbers, parameters), rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_sgd_momentum_is_its_scalar_formula(parameters, momentum):
    def numbers(p, rate):
        velocity = 0.0
        for _ in range(N_STEPS):
            velocity = momentum * velocity - rate * slope(p)
            p += velocity
            yield p

    actual = path(SGD(momentum, nesterov=False), parameters, RATES)
    assert_paths_equal(actual, scalar_path(numbers, parameters), rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_nesterov_takes_the_gradient_where_the_momentum_leads(parameters, momentum):
    # Equations 3 and 4 of Sutskever et al. (2013) take the gradient at p + m v. The
    # optimizer keeps that point, p + m v, instead of p.
    def numbers(p, rate):
        velocity = 0.0
        for _ in range(N_STEPS):
            velocity = momentum * velocity - rate * slope(p + momentum * velocity)
            p += velocity
            yield p + momentum * velocity

    actual = path(SGD(momentum, nesterov=True), parameters, RATES)
    assert_paths_equal(actual, scalar_path(numbers, parameters), rtol=1e-12)


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.8), (0.0, 0.9)])
def test_adam_is_its_scalar_formula(parameters, betas, epsilon):
    # Kingma and Ba (2015), Algorithm 1 with its bias-corrected means, as the sums that
    # they stand for (section 3). The faster order of section 2 is the same with
    # epsilon / sqrt(1 - beta_2^t).
    beta_1, beta_2 = betas

    def numbers(p, rate):
        seen = []
        for t in range(1, N_STEPS + 1):
            seen.append(slope(p))
            ages = range(t - 1, -1, -1)
            mean = sum(beta_1**a * g for a, g in zip(ages, seen, strict=True))
            mean /= sum(beta_1**a for a in ages)
            square = sum(beta_2**a * g * g for a, g in zip(ages, seen, strict=True))
            square /= sum(beta_2**a for a in ages)
            p -= rate * mean / (sqrt(square) + epsilon / sqrt(1 - beta_2**t))
            yield p

    actual = path(Adam(beta_1, beta_2, epsilon), parameters, RATES)
    assert_paths_equal(actual, scalar_path(numbers, parameters), rtol=1e-11)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e6, 1e100])
def test_first_step_of_adam_has_the_size_of_the_rate(parameters, scale):
    optimizer = Adam(epsilon=1e-30)
    gradients = [scale * np.sign(p) * (1 + p * p) for p in parameters]
    state = optimizer.init(parameters)
    after, state = optimizer.step(parameters, gradients, state, RATES)
    for p, a, rate in zip(parameters, after, RATES, strict=True):
        assert_allclose(a - p, -rate * np.sign(p), rtol=1e-10)
    assert state[0] == 1


def test_path_of_adam_ignores_the_scale_of_the_gradients(parameters):
    optimizer = Adam(epsilon=0.0)
    expected = path(optimizer, parameters, RATES)
    actual = path(optimizer, parameters, RATES, lambda p: 1e5 * slope(p))
    assert_paths_equal(actual, expected, rtol=1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:3], ids=str)
def test_path_of_sgd_depends_on_rate_times_gradient_only(parameters, optimizer):
    expected = path(optimizer, parameters, RATES)
    rates = [rate / 8 for rate in RATES]
    actual = path(optimizer, parameters, rates, lambda p: 8 * slope(p))
    assert_paths_equal(actual, expected, rtol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_rate_of_zero_keeps_its_parameter_and_no_other(parameters, optimizer):
    expected = path(optimizer, parameters, RATES)
    rates = [RATES[0], 0.0, RATES[2]]
    for after, wanted in zip(path(optimizer, parameters, rates), expected, strict=True):
        assert_array_equal(after[1], parameters[1])
        assert_array_equal(after[0], wanted[0])
        assert_array_equal(after[2], wanted[2])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_step_asks_for_one_rate_per_parameter(parameters, optimizer):
    state, gradients = optimizer.init(parameters), [slope(p) for p in parameters]
    with pytest.raises(ValueError, match="zip"):
        optimizer.step(parameters, gradients, state, RATES[:2])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_steps_depend_on_the_arguments_alone(parameters, optimizer):
    def gradients():
        return [slope(p) for p in parameters]

    _, state = optimizer.step(parameters, gradients(), optimizer.init(parameters), RATES)
    copy = optimizer.copy(state)
    first, one = optimizer.step(parameters, gradients(), state, RATES)
    second, other = optimizer.step(parameters, gradients(), copy, RATES)
    for a, b in zip([*first, *arrays_of(one)], [*second, *arrays_of(other)], strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_copy_of_the_state_stays_when_steps_go_on(parameters, optimizer):
    gradients = [slope(p) for p in parameters]
    _, state = optimizer.step(parameters, gradients, optimizer.init(parameters), RATES)
    freeze(arrays_of(state))
    copy = optimizer.copy(state)
    kept = [array.copy() for array in arrays_of(state)]
    _, moved = optimizer.step(parameters, [slope(p) for p in parameters], copy, RATES)
    for a, b in zip(arrays_of(state), kept, strict=True):
        assert_array_equal(a, b)
    if optimizer != SGD(momentum=0):
        pairs = zip(arrays_of(moved), kept, strict=True)
        assert not any(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_step_writes_into_the_gradients_and_the_state(parameters, optimizer):
    state = optimizer.init(parameters)
    gradients = [slope(p) for p in parameters]
    after, moved = optimizer.step(parameters, gradients, state, RATES)
    given = [*gradients, *arrays_of(state)]
    for a, b in zip([*after, *arrays_of(moved)], given, strict=True):
        assert a is b


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_order_in_memory_changes_nothing(parameters, optimizer):
    expected = path(optimizer, parameters, RATES)
    column_major = [np.asfortranarray(p) for p in parameters]
    assert not column_major[0].flags.c_contiguous
    assert_paths_equal(path(optimizer, column_major, RATES), expected, rtol=0)
    lists = arrays_of(optimizer.init(column_major))
    assert all(array.flags.c_contiguous for array in lists)


@pytest.mark.parametrize("shape", [(1,), (7,), (7, 3), (1, 9), (5, 0), (0, 5), (4, 2, 2)])
@pytest.mark.parametrize("limit", [1, 3, 6, 7, 100])
def test_blocks_are_views_that_cover_every_row_once(monkeypatch, shape, limit):
    monkeypatch.setattr("skmetricmlp._array_api.BLOCK_ELEMENTS", limit)
    a, b = np.zeros(shape), np.ones(shape)
    for x, y in blocks(a, b):
        assert x.shape == y.shape
        assert x.size <= limit or x.shape[0] == 1
        np.add(x, y, out=x)
    assert_array_equal(a, b)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_float32_stays_float32(parameters, optimizer):
    single = [read_only(p, np.float32) for p in parameters]
    actual = path(optimizer, single, RATES)
    assert {p.dtype for after in actual for p in after} == {np.dtype(np.float32)}
    assert_paths_equal(actual, path(optimizer, parameters, RATES), rtol=1e-4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_another_namespace_equals_numpy(parameters, xp, optimizer):
    expected = path(optimizer, parameters, RATES)
    moved = [xp.asarray(p.copy()) for p in parameters]
    state = optimizer.init(moved)
    for wanted in expected:
        gradients = [slope(p) for p in moved]
        moved, state = optimizer.step(moved, gradients, state, RATES)
        assert {type(p) for p in moved} == {type(xp.asarray(0.0))}
        for p, w in zip(moved, wanted, strict=True):
            assert_allclose(np.asarray(p), w, rtol=1e-12)
