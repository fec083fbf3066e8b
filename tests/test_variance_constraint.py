"""Least squares with weights of a given mean square."""

import numpy as np
import pytest
from factories import read_only
from scipy.linalg import hadamard
from scipy.optimize import minimize

from skmetricmlp.initialization import NetworkConfig
from skmetricmlp.initialization.baselines import baseline_network, weight_variance
from skmetricmlp.initialization.norm_constrained import constrained_weights

# Times the mean square of the least squares solution: mu > 0 below one, < 0 above.
FACTORS = [1e-4, 0.3, 0.95, 1.05, 3.0, 1e4]


def problem(n=30, n_hidden=4, n_outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, n_hidden)) @ rng.normal(size=(n_hidden, n_hidden)) + 1.0
    targets = values[:, :1] ** 2 / 3 + rng.normal(size=(n, n_outputs))
    return tuple(map(read_only, (values, targets, rng.uniform(0.2, 2.0, n))))


def solve(values, targets, weights, variance, seed=0):
    return constrained_weights(
        values, targets, weights, variance, np.random.RandomState(seed)
    )


def error(W, b, values, targets, weights):
    """Weighted mean squared error, row by row."""
    total = 0.0
    for value, target, weight in zip(values, targets, weights, strict=True):
        total += weight * sum((value @ W + b - target) ** 2)
    return total / sum(weights)


def least_squares(values, targets, weights):
    """Shortest weights without a constraint, with the bias eliminated by hand."""
    share = weights / weights.sum()
    root = np.sqrt(share)[:, None]
    A, Y = (root * (a - (share[:, None] * a).sum(axis=0)) for a in (values, targets))
    W = np.linalg.lstsq(A, Y)[0]
    return W, share @ (targets - values @ W)


def least_squares_variance(*rows):
    return np.mean(least_squares(*rows)[0] ** 2)


def covariances(values, targets, weights):
    """``H`` and ``G``, entry by entry."""
    share = weights / weights.sum()

    def covariance(one, other):
        return sum(share * (one - sum(share * one)) * (other - sum(share * other)))

    H = [[covariance(u, v) for v in values.T] for u in values.T]
    G = [[covariance(u, t) for t in targets.T] for u in values.T]
    return np.array(H), np.array(G)


def assert_optimal(W, b, values, targets, weights, variance, tol=1e-10):
    """What is necessary and sufficient for the global minimum; returns ``mu``."""
    assert np.mean(W**2) == pytest.approx(variance, rel=1e-12)
    H, G = covariances(values, targets, weights)
    slope = G - H @ W
    mu = np.sum(W * slope) / np.sum(W**2)
    scale = max(np.linalg.norm(G), np.linalg.norm(H) * np.linalg.norm(W))
    np.testing.assert_allclose(slope - mu * W, 0.0, atol=tol * scale)
    assert np.linalg.eigvalsh(H)[0] + mu >= -tol * np.linalg.norm(H)
    residuals = values @ W + b - targets
    np.testing.assert_allclose(
        weights @ residuals / weights.sum(), 0.0, atol=tol * max(abs(targets).max(), 1.0)
    )
    return mu


# --- against a general optimizer, and the conditions of optimality ---


def least_error_by_search(values, targets, weights, variance, n_starts=8):
    """Let a general optimizer search from several places; keep the best."""
    n_hidden, n_outputs = values.shape[1], targets.shape[1]
    size = n_hidden * n_outputs
    share = (weights / weights.sum())[:, None]

    def parts(x):
        return x[:size].reshape(n_hidden, n_outputs), x[size:]

    def loss(x):
        W, b = parts(x)
        return np.sum(share * (values @ W + b - targets) ** 2)

    def gradient(x):
        W, b = parts(x)
        residuals = 2 * share * (values @ W + b - targets)
        return np.concatenate([(values.T @ residuals).ravel(), residuals.sum(axis=0)])

    on_sphere = {
        "type": "eq",
        "fun": lambda x: np.mean(x[:size] ** 2) / variance - 1,
        "jac": lambda x: np.append(2 * x[:size] / size / variance, 0 * x[size:]),
    }
    rng, found = np.random.default_rng(0), []
    for _ in range(n_starts):
        W = rng.normal(size=size)
        W *= np.sqrt(variance / np.mean(W**2))
        x = minimize(
            loss,
            np.append(W, rng.normal(size=n_outputs)),
            jac=gradient,
            method="SLSQP",
            constraints=[on_sphere],
            options={"ftol": 1e-14, "maxiter": 2000},
        ).x
        W, b = parts(x)
        W *= np.sqrt(variance / np.mean(W**2))
        found.append((error(W, b, values, targets, weights), W, b))
    return min(found, key=lambda trial: trial[0])


@pytest.mark.parametrize("factor", [0.1, 0.9, 1.5, 20.0])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_general_optimizer_finds_the_same_minimum(factor, n_outputs):
    rows = problem(20, 3, n_outputs)
    variance = factor * least_squares_variance(*rows)
    W, b = solve(*rows, variance)
    least, searched_W, searched_b = least_error_by_search(*rows, variance)
    assert error(W, b, *rows) == pytest.approx(least, rel=1e-6)
    np.testing.assert_allclose(W, searched_W, atol=2e-3 * np.sqrt(variance))
    np.testing.assert_allclose(b, searched_b, atol=1e-2)


@pytest.mark.parametrize(("n", "n_hidden"), [(4, 9), (6, 6)])
def test_a_general_optimizer_finds_no_less_error_where_rows_are_few(n, n_hidden):
    rows = problem(n, n_hidden, 2)
    for factor in (0.2, 5.0):
        variance = factor * least_squares_variance(*rows)
        least = least_error_by_search(*rows, variance)[0]
        found = error(*solve(*rows, variance), *rows)
        assert found == pytest.approx(least, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("n_outputs", [1, 5])
@pytest.mark.parametrize(
    ("n", "n_hidden"), [(40, 1), (40, 7), (12, 11), (12, 12), (5, 20)]
)
def test_conditions_of_optimality(n, n_hidden, n_outputs, factor):
    rows = problem(n, n_hidden, n_outputs, seed=n_hidden)
    variance = factor * least_squares_variance(*rows)
    mu = assert_optimal(*solve(*rows, variance), *rows, variance)
    unit = np.linalg.norm(covariances(*rows)[0])
    if factor < 1:
        assert mu > 0
    elif n > n_hidden:
        assert mu < 0
    else:  # what no row sees makes up the length
        assert mu == pytest.approx(0, abs=1e-10 * unit)


@pytest.mark.parametrize("seed", range(5))
def test_no_random_weights_on_the_sphere_do_better(seed):
    rows = problem(15, 5, 2, seed)
    values, targets, weights = rows
    rng = np.random.default_rng(seed)
    for factor in (0.1, 10.0):
        variance = factor * least_squares_variance(*rows)
        W, b = solve(*rows, variance)
        least = error(W, b, *rows)
        for distance in (1e-3, 0.1, 1.0, 10.0):
            for _ in range(20):
                other = W + distance * np.sqrt(variance) * rng.normal(size=W.shape)
                other *= np.sqrt(variance / np.mean(other**2))
                bias = weights @ (targets - values @ other) / weights.sum()
                assert error(other, bias, *rows) >= least * (1 - 1e-12)


def test_the_length_of_least_squares_gives_least_squares():
    rows = problem(25, 6, 2)
    W, b = solve(*rows, least_squares_variance(*rows))
    expected_W, expected_b = least_squares(*rows)
    np.testing.assert_allclose(W, expected_W, atol=1e-11)
    np.testing.assert_allclose(b, expected_b, atol=1e-11)


def test_one_unit_and_one_output_leave_the_sign_alone():
    values, targets, weights = problem(10, 1, 1)
    for sign in (1, -1):
        W, _ = solve(values, sign * targets, weights, 0.09)
        G = covariances(values, sign * targets, weights)[1]
        np.testing.assert_allclose(W, 0.3 * np.sign(G))


# --- the hard case ---


def hadamard_problem(part_in_the_lowest):
    """Units of eigenvalues 9, 4, 1, and outputs with known parts in each."""
    units = hadamard(8)[:, 1:4].astype(float)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    scales = np.array([3.0, 2.0, 1.0])
    parts = np.array([[1.0, 2.0], [-0.5, 0.25], part_in_the_lowest])
    targets = (units * scales) @ parts + hadamard(8)[:, 5:7] + [3.0, -4.0]
    values = units * scales @ rotation.T + 5.0
    rows = tuple(map(read_only, (values, targets, np.full(8, 0.7))))
    return rows, rotation, scales[:, None] ** 2 * parts


def test_the_hard_case_with_eigenvalues_above_zero():
    rows, rotation, G = hadamard_problem([0.0, 0.0])
    fitted = G[:2] / (np.array([[9.0], [4.0]]) - 1.0)  # mu = -1
    missing = 2.5
    variance = (np.sum(fitted**2) + missing**2) / 6
    directions = []
    for seed in range(40):
        W, b = solve(*rows, variance, seed)
        assert assert_optimal(W, b, *rows, variance) == pytest.approx(-1.0)
        coordinates = rotation.T @ W
        np.testing.assert_allclose(coordinates[:2], fitted, atol=1e-10)
        assert np.linalg.norm(coordinates[2]) == pytest.approx(missing)
        directions.append(coordinates[2] / missing)
    assert_uniform_directions(np.array(directions))


def assert_uniform_directions(directions):
    n, d = directions.shape
    assert abs(directions.mean(axis=0)).max() < 4 / np.sqrt(n * d)
    np.testing.assert_allclose(directions.T @ directions / n, np.eye(d) / d, atol=0.3)


def test_not_the_hard_case_if_what_is_fitted_is_too_long():
    rows, rotation, G = hadamard_problem([0.0, 0.0])
    fitted = G[:2] / (np.array([[9.0], [4.0]]) - 1.0)
    variance = 0.99 * np.sum(fitted**2) / 6
    W, b = solve(*rows, variance)
    assert assert_optimal(W, b, *rows, variance) > -1.0
    np.testing.assert_allclose((rotation.T @ W)[2], 0.0, atol=1e-12)


@pytest.mark.parametrize("part", [1e-3, -1e-3, 1e-6, -1e-6])
def test_next_to_the_hard_case_the_rows_decide_and_not_chance(part):
    rows, rotation, _ = hadamard_problem([part, 0.0])
    for seed in range(5):
        W, b = solve(*rows, 10.0, seed)
        assert_optimal(W, b, *rows, 10.0)
        lowest = (rotation.T @ W)[2]
        assert lowest[0] == pytest.approx(np.sign(part) * np.linalg.norm(lowest))


@pytest.mark.parametrize(("n", "n_hidden"), [(1, 3), (2, 3), (5, 6), (6, 6), (10, 300)])
@pytest.mark.parametrize("factor", [1.01, 7.0])
def test_fewer_rows_than_units_have_the_error_of_least_squares(n, n_hidden, factor):
    rows = problem(n, n_hidden, 2)
    values, targets, _ = rows
    variance = factor * (least_squares_variance(*rows) + 0.1 * (n == 1))
    shortest, bias = least_squares(*rows)
    found = [solve(*rows, variance, seed) for seed in (0, 0, 1)]
    for W, b in found:
        assert np.mean(W**2) == pytest.approx(variance, rel=1e-12)
        np.testing.assert_allclose(values @ W + b, targets, atol=1e-8)
        assert error(W, b, *rows) == pytest.approx(
            error(shortest, bias, *rows), abs=1e-14
        )
        # The rest is at right angles to what least squares makes of the rows.
        assert np.sum((W - shortest) * shortest) == pytest.approx(0.0, abs=1e-8)
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert abs(found[0][0] - found[2][0]).max() > 0.01 * np.sqrt(variance)


@pytest.mark.parametrize("n", [60, 5])
def test_what_no_row_sees_is_normal(n):
    """Dead and constant units alone are not seen if the rows have full rank beside."""
    values, targets, weights = problem(n, 4, 2)
    values = np.insert(values, [1, 4], [0.0, 7.0], axis=1)  # units 1 and 5
    seen = [0, 2, 3, 4]
    shortest, _ = least_squares(values[:, seen], targets, weights)
    variance = 2 * np.sum(shortest**2) / 12
    missing = np.sqrt(12 * variance - np.sum(shortest**2))
    directions = []
    for seed in range(60):
        W, b = solve(values, targets, weights, variance, seed)
        assert_optimal(W, b, values, targets, weights, variance)
        np.testing.assert_allclose(W[seen], shortest, atol=1e-9)
        assert np.linalg.norm(W[[1, 5]]) == pytest.approx(missing)
        directions.append(W[[1, 5]].ravel() / missing)
    assert_uniform_directions(np.array(directions))


@pytest.mark.parametrize("n", [60, 5])
def test_dead_units_have_no_weight_where_weights_have_to_be_short(n):
    values, targets, weights = problem(n, 4, 2)
    values = np.insert(values, [1, 4], [0.0, 7.0], axis=1)
    rows = values, targets, weights
    variance = 0.5 * least_squares_variance(*rows)
    rng = np.random.RandomState(0)
    W, b = constrained_weights(*rows, variance, rng)
    assert assert_optimal(W, b, *rows, variance) > 0
    np.testing.assert_allclose(W[[1, 5]], 0.0, atol=1e-12 * np.sqrt(variance))
    assert rng.randint(10**9) == np.random.RandomState(0).randint(10**9)  # not asked


@pytest.mark.parametrize("n", [60, 5])
def test_duplicated_units(n):
    values, targets, weights = problem(n, 3, 2)
    twice = np.hstack([values, values])
    rows = twice, targets, weights
    least = least_squares_variance(*rows)
    short, _ = solve(*rows, least / 2)
    np.testing.assert_allclose(short[:3], short[3:], atol=1e-12)
    long, b = solve(*rows, 2 * least)
    expected, expected_b = least_squares(values, targets, weights)
    np.testing.assert_allclose(long[:3] + long[3:], expected, atol=1e-9)
    np.testing.assert_allclose(b, expected_b, atol=1e-9)
    assert abs(long[:3] - long[3:]).max() > 1e-2
    assert np.mean(long**2) == pytest.approx(2 * least, rel=1e-12)


# --- what must not matter ---


@pytest.fixture(params=[0.2, 4.0])
def solved(request):
    rows = problem(20, 5, 3)
    variance = request.param * least_squares_variance(*rows)
    return (*rows, variance, *solve(*rows, variance))


def test_a_repeated_row_is_a_row_of_twice_the_weight(solved):
    values, targets, weights, variance, _, _ = solved
    heavier = weights * np.where(np.arange(20) < 3, 2, 1)
    again = [np.concatenate([a, a[:3]]) for a in (values, targets, weights)]
    for one, other in zip(
        solve(values, targets, heavier, variance), solve(*again, variance), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_weights_matter_by_their_shares_alone(solved):
    values, targets, weights, variance, W, b = solved
    other_W, other_b = solve(values, targets, 1e6 * weights, variance)
    np.testing.assert_allclose(other_W, W, atol=1e-10)
    np.testing.assert_allclose(other_b, b, atol=1e-10)


def test_a_shift_of_the_targets_moves_the_bias_alone(solved):
    values, targets, weights, variance, W, b = solved
    shift = np.array([1.0, -20.0, 300.0])
    other_W, other_b = solve(values, targets + shift, weights, variance)
    np.testing.assert_allclose(other_W, W, atol=1e-10)
    np.testing.assert_allclose(other_b, b + shift, atol=1e-10)


def test_a_shift_of_the_values_moves_the_bias_alone(solved):
    values, targets, weights, variance, W, b = solved
    shift = np.array([1.0, -20.0, 300.0, 0.5, 0.0])
    other_W, other_b = solve(values + shift, targets, weights, variance)
    np.testing.assert_allclose(other_W, W, atol=1e-9)
    np.testing.assert_allclose(other_b, b - shift @ W, atol=1e-7)


def test_a_rotation_of_the_values_rotates_the_weights(solved):
    values, targets, weights, variance, W, b = solved
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    other_W, other_b = solve(values @ rotation, targets, weights, variance)
    np.testing.assert_allclose(rotation @ other_W, W, atol=1e-10)
    np.testing.assert_allclose(other_b, b, atol=1e-10)


def test_a_rotation_of_the_targets_rotates_the_weights(solved):
    values, targets, weights, variance, W, b = solved
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    other_W, other_b = solve(values, targets @ rotation, weights, variance)
    np.testing.assert_allclose(other_W, W @ rotation, atol=1e-10)
    np.testing.assert_allclose(other_b, b @ rotation, atol=1e-10)


def test_the_order_of_rows_does_not_matter(solved):
    values, targets, weights, variance, W, b = solved
    order = np.random.default_rng(3).permutation(20)
    other_W, other_b = solve(values[order], targets[order], weights[order], variance)
    np.testing.assert_allclose(other_W, W, atol=1e-10)
    np.testing.assert_allclose(other_b, b, atol=1e-10)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_of_values_and_targets(solved, unit):
    values, targets, weights, variance, W, b = solved
    other_W, other_b = solve(unit * values, targets, weights, variance / unit**2)
    np.testing.assert_allclose(unit * other_W, W, atol=1e-10)
    np.testing.assert_allclose(other_b, b, atol=1e-10)
    other_W, other_b = solve(values, unit * targets, weights, variance * unit**2)
    np.testing.assert_allclose(other_W / unit, W, atol=1e-10)
    np.testing.assert_allclose(other_b / unit, b, atol=1e-10)


# --- precision and edges ---


@pytest.mark.parametrize("factor", [0.3, 3.0])
@pytest.mark.parametrize(("n", "n_hidden"), [(3000, 8), (12, 40)])
def test_single_precision(n, n_hidden, factor):
    values, targets, weights = problem(n, n_hidden, 3)
    single = values.astype(np.float32)
    rows = single.astype(np.float64), targets, weights
    variance = factor * least_squares_variance(*rows)
    W, b = solve(single, targets, weights, variance)
    assert np.mean(W**2) == pytest.approx(variance, rel=1e-6)
    expected_W, expected_b = solve(*rows, variance)
    atol = 1e-4 * np.sqrt(variance)
    np.testing.assert_allclose(W, expected_W, atol=atol)
    np.testing.assert_allclose(b, expected_b, atol=10 * atol)
    np.testing.assert_allclose(
        error(W, b, *rows), error(expected_W, expected_b, *rows), rtol=1e-5, atol=1e-8
    )


def test_weights_of_very_different_sizes():
    values, targets, _ = problem(30, 4, 2)
    weights = np.logspace(-8, 8, 30)
    for factor in (0.2, 5.0):
        variance = factor * least_squares_variance(values, targets, weights)
        W, b = solve(values, targets, weights, variance)
        assert_optimal(W, b, values, targets, weights, variance)


def test_units_of_very_different_sizes():
    values, targets, weights = problem(40, 4, 2)
    rows = values * [1e-4, 1.0, 1e2, 1e-2], targets, weights
    for variance in (1e-8, 1e-2, 1.0, 1e4, 1e10):
        assert_optimal(*solve(*rows, variance), *rows, variance, tol=1e-9)


@pytest.mark.parametrize("shape", [(40, 20), (20, 40)])
@pytest.mark.parametrize("variance", [1e-4, 1.0, 1e4])
def test_units_that_nearly_say_the_same(shape, variance):
    """Singular values down to a billionth: by bisection, from a decomposition of A."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(size, 20)))[0] for size in shape)
    U -= U.mean(axis=0)
    values = np.sqrt(shape[0]) * U * np.logspace(0, -9, 20) @ V.T
    targets, weights = rng.normal(size=(shape[0], 2)), np.ones(shape[0])
    W, b = solve(values, targets, weights, variance)
    assert np.mean(W**2) == pytest.approx(variance, rel=1e-12)
    A = (values - values.mean(axis=0)) / np.sqrt(shape[0])
    left, singular, right = np.linalg.svd(A, full_matrices=False)
    projected = left.T @ (targets - targets.mean(axis=0)) / np.sqrt(shape[0])

    def weights_at(mu):
        return right.T @ ((singular / (singular**2 + mu))[:, None] * projected)

    low, high = 1e-30, 1e6
    for _ in range(200):
        mu = np.sqrt(low * high)
        low, high = (mu, high) if np.mean(weights_at(mu) ** 2) > variance else (low, mu)
    best = weights_at(high)
    bias = (targets - values @ best).mean(axis=0)
    found = error(W, b, values, targets, weights)
    assert found == pytest.approx(error(best, bias, values, targets, weights), rel=1e-6)


def test_no_units():
    _, targets, weights = problem(10, 1, 2)
    W, b = solve(np.empty((10, 0)), targets, weights, 0.1)
    assert W.shape == (0, 2)
    np.testing.assert_allclose(b, np.average(targets, axis=0, weights=weights))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 9])
def test_rows_that_say_nothing_get_random_weights(n, dtype):
    """All values the same: any weights do, and the bias gives the mean."""
    _, targets, weights = problem(n, 1, 2)
    values = np.tile(np.array([0.1, -0.7, 1e5], dtype), (n, 1))
    with np.errstate(all="raise"):
        W, b = solve(values, targets, weights, 0.3)
        other = solve(values, targets, weights, 0.3, seed=1)[0]
    assert np.mean(W**2) == pytest.approx(0.3, rel=1e-12)
    expected = np.tile(np.average(targets, axis=0, weights=weights), (n, 1))
    np.testing.assert_allclose(values @ W + b, expected, rtol=1e-4)
    assert abs(W - other).max() > 0.01
    normal = np.random.RandomState(0).normal(size=(3, 2))
    np.testing.assert_allclose(W / W[0, 0], normal / normal[0, 0])


def test_constant_targets_are_disturbed_the_least():
    """All weight goes where values vary the least, and the bias gives the constant."""
    values, _, weights = problem(30, 4, 1)
    targets = np.tile([0.1, 3.0], (30, 1))
    W, b = solve(values, targets, weights, 0.25)
    H = covariances(values, targets, weights)[0]
    squares, vectors = np.linalg.eigh(H)
    np.testing.assert_allclose(vectors[:, 1:].T @ W, 0.0, atol=1e-10)
    assert error(W, b, values, targets, weights) == pytest.approx(squares[0] * 8 * 0.25)


def test_memory_order_and_views_do_not_matter():
    values, targets, weights = problem(20, 5, 3)
    W, b = solve(values, targets, weights, 0.1)
    wide = np.repeat(values, 2, axis=1)
    for same in (np.asfortranarray(values), wide[:, ::2]):
        other_W, other_b = solve(same, targets, weights, 0.1)
        np.testing.assert_allclose(other_W, W, atol=1e-12)
        np.testing.assert_allclose(other_b, b, atol=1e-12)


@pytest.mark.parametrize("wide", [False, True])
def test_more_rows_than_a_block(wide):
    """Products are summed block by block."""
    n, n_hidden = (1100, 1200) if wide else (2100, 3)
    rng = np.random.default_rng(0)
    values, targets = rng.normal(size=(n, n_hidden)), rng.normal(size=(n, 1))
    weights = rng.uniform(0.5, 2.0, n)
    share = weights / weights.sum()
    A = values - share @ values
    variance = 1e-5 if wide else 1.0
    W, _ = solve(values, targets, weights, variance)
    slope = A.T @ (share[:, None] * (targets - A @ W))
    mu = np.sum(W * slope) / np.sum(W**2)
    np.testing.assert_allclose(slope, mu * W, atol=1e-12)
    assert mu > 0 if wide else mu < 0


# --- the variance of Glorot and He ---


@pytest.mark.parametrize("init", ["he_uniform", "glorot_uniform", "uniform"])
def test_weight_variance_is_that_of_drawn_weights(init):
    config = NetworkConfig(init=init, n_neighbors=1, n_comparisons=30)
    size = 40, (2, 2, 2, 2, 2), 5
    layers = [
        baseline_network(config, *size, np.random.RandomState(seed)).layers
        for seed in range(20)
    ]
    for same in zip(*layers, strict=True):
        drawn = np.array([layer.weights for layer in same])
        expected = weight_variance(init, *drawn.shape[1:])
        # The squares have 4/5 of the square of their mean for variance.
        relative = 4 * np.sqrt(0.8 / drawn.size)
        assert np.mean(drawn**2) == pytest.approx(expected, rel=relative)


def test_weight_variance_is_that_of_the_papers():
    assert weight_variance("he_uniform", 50, 7) == pytest.approx(2 / 50)
    assert weight_variance("glorot_uniform", 50, 7) == pytest.approx(2 / 57)


@pytest.mark.parametrize("mean", [0.0, 0.9])
def test_weight_variance_keeps_the_variance_whatever_the_mean_of_the_weights(mean):
    """Of outputs, and of gradients, where a layer has as many inputs as outputs."""
    rng = np.random.default_rng(0)
    W = mean + rng.normal(size=(30, 30))
    W *= np.sqrt(weight_variance("glorot_uniform", 30, 30) / np.mean(W**2))
    signals = rng.normal(size=(20_000, 30))
    for layer in (W, W.T):
        assert np.var(signals @ layer, axis=0).mean() == pytest.approx(1.0, rel=0.05)


def test_he_makes_up_for_what_relu_takes_away():
    rng = np.random.default_rng(0)
    values = np.maximum(rng.normal(size=(5_000, 400)), 0)
    W = rng.normal(size=(400, 300)) * np.sqrt(weight_variance("he_uniform", 400, 300))
    assert np.mean((values @ W) ** 2) == pytest.approx(1.0, rel=0.05)
