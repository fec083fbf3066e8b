"""Basis networks, the networks that are assembled from them, and their training."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from networks import read_only
from numpy.testing import assert_allclose, assert_array_equal
from pretraining import (
    Settings,
    description,
    errors,
    exponents_up_to,
    fitted_block,
    load_settings,
    monomials,
    pretrain,
    random_hidden,
    save_blocks,
)
from scipy.optimize import lsq_linear

from skmetricmlp.basis import (
    basis_network,
    domain_of,
    hidden_layer,
    hidden_width,
    least_squares_output,
    load_blocks,
    middle_and_half,
    on_domain,
)
from skmetricmlp.basis.assembly import RIDGES, parts
from skmetricmlp.initialization.baselines import dense_layers
from skmetricmlp.network import Network, forward

DOMAINS = {1: [[2.0, 5.0]], 2: [[-3.0, 1.0], [100.0, 1000.0]]}
DEGREES = {1: 8, 2: 5}


def rows_on(domain, n=300, seed=0):
    domain = np.array(domain)
    rng = np.random.default_rng(seed)
    return read_only(rng.uniform(*domain.T, (n, len(domain))))


def mapped(X, domain):
    """Map the domain to the reference domain, one number at a time."""
    return np.array(
        [
            [
                2 * (x - low) / (high - low) - 1
                for x, (low, high) in zip(row, domain, strict=True)
            ]
            for row in X.tolist()
        ]
    )


def gelu(z):
    return z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) / 2


@pytest.mark.parametrize("n_inputs", [1, 2])
def test_blocks_have_the_errors_that_are_written_beside_them(n_inputs):
    blocks = load_blocks(n_inputs)
    axis = np.linspace(-1, 1, {1: 1001, 2: 101}[n_inputs])
    X = np.stack(np.meshgrid(*[axis] * n_inputs), axis=-1).reshape(-1, n_inputs)
    written = load_settings()[str(n_inputs)]
    for k, exponents in enumerate(blocks.exponents.tolist()):
        hidden = gelu(X @ blocks.weights[k] + blocks.bias[k])
        value = hidden @ blocks.output_weights[k] + blocks.output_bias[k]
        target = np.ones(len(X))
        for column, power in zip(X.T, exponents, strict=True):
            for _ in range(power):
                target = target * column
        rms = np.sqrt(np.mean((value - target) ** 2))
        # The outputs are sums of hundreds of numbers of size ten; the errors are 1e-6.
        assert_allclose(written["rms_errors"][k], rms, rtol=1e-6)
        assert_allclose(written["max_errors"][k], abs(value - target).max(), rtol=1e-6)
        assert rms**2 < (1e-8 if sum(exponents) <= 2 else 5e-8)


@pytest.mark.parametrize("n_inputs", [1, 2])
def test_blocks_are_all_monomials_up_to_the_degree(n_inputs):
    blocks = load_blocks(n_inputs)
    settings = Settings(**load_settings()[str(n_inputs)]["settings"])
    assert blocks.degree == settings.degree == DEGREES[n_inputs]
    expected = {
        powers
        for powers in np.ndindex(*[blocks.degree + 1] * n_inputs)
        if 1 <= sum(powers) <= blocks.degree
    }
    assert set(map(tuple, blocks.exponents.tolist())) == expected
    assert len(blocks.exponents) == len(expected)
    assert blocks.weights.shape[2] == settings.n_units
    assert not blocks.weights.flags.writeable


def test_blocks_up_to_a_degree_are_the_first():
    blocks = load_blocks(2)
    lower = blocks.up_to(2)
    assert len(lower.exponents) == 5
    assert lower.degree == 2
    assert_array_equal(lower.weights, blocks.weights[:5])
    assert_array_equal(lower.output_bias, blocks.output_bias[:5])


def test_outputs_are_those_of_each_network():
    blocks, X = load_blocks(2), rows_on([[-1, 1], [-1, 1]], 7)
    for k, column in enumerate(blocks.outputs(X).T):
        assert_allclose(blocks.network(k).forward(X)[:, 0], column, rtol=1e-13)


@pytest.mark.parametrize("n_inputs", [0, 3])
def test_error_where_there_are_no_basis_networks(n_inputs):
    with pytest.raises(ValueError, match=f"1 or 2 features, got {n_inputs}"):
        load_blocks(n_inputs)


@pytest.mark.parametrize("n_parts", [1, 3])
def test_of_more_variables_each_has_units_of_its_own(n_parts):
    domain = np.array([[-1.0, 1.0], [0.0, 5.0], [7.0, 8.0]])
    X = rows_on(domain.tolist())
    values = forward(hidden_layer(domain, 4, n_parts), X)
    alone = [forward(hidden_layer(domain[[j]], 4, n_parts), X[:, [j]]) for j in range(3)]
    assert_allclose(values, np.concatenate(alone, axis=1), atol=1e-13)
    assert values.shape[1] == hidden_width(3, 4, n_parts)
    # Therefore a sum of functions of one variable is fitted as well as each of them.
    y = np.sin(2 * X[:, [0]]) + X[:, [1]] ** 2 - np.exp(X[:, [2]] - 7)
    net = basis_network(X, y, np.ones(len(X)), degree=6, domain=domain)
    assert np.abs(net.forward(X) - y).max() < 1e-2


@pytest.mark.parametrize(("n_inputs", "degree"), [(1, 0), (1, 9), (2, 6)])
def test_error_of_a_degree_that_there_is_not(n_inputs, degree):
    message = (
        f"from 1 to {DEGREES[n_inputs]} for functions of {n_inputs} variable.*{degree}"
    )
    with pytest.raises(ValueError, match=message):
        load_blocks(n_inputs).up_to(degree)


@pytest.mark.parametrize("n_inputs", [1, 2])
def test_hidden_layer_has_the_values_of_the_blocks_on_mapped_inputs(n_inputs):
    blocks, domain = load_blocks(n_inputs).up_to(3), DOMAINS[n_inputs]
    X = rows_on(domain)
    values = forward(hidden_layer(np.array(domain), 3), X)
    reference = mapped(X, domain)
    u = blocks.weights.shape[2]
    assert values.shape == (len(X), u * len(blocks.exponents))
    for k in range(len(blocks.exponents)):
        expected = gelu(reference @ blocks.weights[k] + blocks.bias[k])
        assert_allclose(values[:, k * u : (k + 1) * u], expected, atol=1e-12)


def test_every_part_has_the_units_of_a_domain_of_its_own():
    domain = np.array(DOMAINS[2])
    quarters = [
        [[-3, -1], [100, 550]],
        [[-3, -1], [550, 1000]],
        [[-1, 1], [100, 550]],
        [[-1, 1], [550, 1000]],
    ]
    assert_allclose(parts(domain, 2), quarters)
    X = rows_on(domain)
    expected = [forward(hidden_layer(np.array(q), 2), X) for q in quarters]
    values = forward(hidden_layer(domain, 2, 2), X)
    assert values.shape[1] == hidden_width(2, 2, 2)
    assert_allclose(values, np.concatenate(expected, axis=1), atol=1e-12)


def test_a_side_of_no_length_is_mapped_to_zero():
    X = np.array([[3.0, 7.0]])
    values = forward(hidden_layer(np.array([[3.0, 3.0], [6.0, 8.0]]), 2), X)
    reference = np.array([[-1.0, 1.0], [-1.0, 1.0]])
    expected = forward(hidden_layer(reference, 2), np.zeros((1, 2)))
    assert_allclose(values, expected, atol=1e-13)


def test_a_layer_of_mapped_inputs_can_read_the_domain_itself():
    domain = np.array(DOMAINS[2])
    X = rows_on(domain)
    layer = random_hidden(2, 5, np.random.RandomState(0))
    values = forward(on_domain(layer, *middle_and_half(domain)), X)
    assert_allclose(values, forward(layer, mapped(X, DOMAINS[2])), atol=1e-12)


def test_domain_of_rows_is_their_range():
    X = rows_on(DOMAINS[2])
    expected = [[min(c), max(c)] for c in X.T.tolist()]
    assert_array_equal(domain_of(X), expected)


@pytest.mark.parametrize("n_inputs", [1, 2])
@pytest.mark.parametrize("degree", [1, 3, 5])
def test_polynomials_are_reproduced_on_any_domain(n_inputs, degree):
    domain = DOMAINS[n_inputs]
    exponents = exponents_up_to(n_inputs, degree)
    coefficients = np.random.default_rng(1).normal(size=(len(exponents), 2))
    X, unseen = rows_on(domain), rows_on(domain, seed=2)
    targets, expected = (
        monomials(mapped(rows, domain), exponents) @ coefficients + [5.0, -3.0]
        for rows in (X, unseen)
    )
    network = basis_network(
        X, targets, np.ones(len(X)), degree=degree, domain=np.array(domain)
    )
    # The same combination of the outputs of the blocks has at most this error.
    rms, _ = errors(load_blocks(n_inputs).up_to(degree))
    bound = np.sqrt(np.sum(coefficients**2, axis=0) * np.sum(rms**2))
    deviation = np.sqrt(np.mean((network.forward(unseen) - expected) ** 2, axis=0))
    assert (deviation < 2 * bound).all()


@pytest.mark.parametrize("n_parts", [1, 2])
def test_an_affine_change_of_the_domain_changes_nothing(n_parts):
    domain = np.array(DOMAINS[2])
    X, unseen = rows_on(domain), rows_on(domain, 50, seed=2)
    targets = np.sin(X[:, [0]]) + np.cos(X[:, [1]] / 200)
    build = partial(basis_network, degree=3, n_parts=n_parts)
    scale, shift = np.array([-0.5, 1e-3]), np.array([4.0, -2.0])
    moved = np.sort(domain * scale[:, None] + shift[:, None], axis=1)
    first = build(X, targets, np.ones(len(X)), domain=domain)
    expected = first.forward(unseen)
    same_way = np.abs(scale)
    moved = domain * same_way[:, None] + shift[:, None]
    second = build(X * same_way + shift, targets, np.ones(len(X)), domain=moved)
    # The inputs have rounding errors, which output weights that cancel amplify.
    assert_allclose(second.forward(unseen * same_way + shift), expected, atol=1e-6)
    assert len(np.unique(expected)) == 50


def test_outputs_are_fitted_each_for_itself():
    X = rows_on(DOMAINS[1])
    targets = np.concatenate([np.sin(X), 1e6 * np.exp(-X)], axis=1)
    build = partial(
        basis_network, X, sample_weight=np.ones(len(X)), degree=6, domain=domain_of(X)
    )
    both = build(targets).forward(X)
    assert both.shape == (300, 2)
    for k in range(2):
        alone = build(targets[:, [k]]).forward(X)
        assert_allclose(both[:, [k]], alone, rtol=1e-8, atol=1e-8)


def ridge_by_hand(values, targets, weights, ridge):
    """Solve for one output as a least squares problem with extra rows for the ridge."""
    n, u = values.shape
    share = np.sqrt(weights / weights.sum())
    rows = np.concatenate([values, np.ones((n, 1))], axis=1) * share[:, None]
    penalty = np.sqrt(ridge) * np.eye(u, u + 1)
    response = np.concatenate([targets * share, np.zeros(u)])
    return lsq_linear(np.concatenate([rows, penalty]), response).x


@pytest.mark.parametrize("n", [6, 30])  # fewer rows than units, and more
def test_output_is_the_ridge_that_errs_least_on_rows_left_out(n):
    rng = np.random.default_rng(3)
    values = read_only(rng.normal(size=(n, 10)) * np.logspace(0, -4, 10))
    targets = read_only(values @ rng.normal(size=(10, 2)) + 0.1 * rng.normal(size=(n, 2)))
    weights = read_only(rng.uniform(0.5, 2, n))
    share = weights / weights.sum()
    centered = np.sqrt(share)[:, None] * (values - share @ values)
    top = np.linalg.norm(centered, 2) ** 2
    W, b = least_squares_output(values, targets, weights)
    chosen = []
    for k in range(2):
        left_out = []
        for ridge in RIDGES * top:
            total = 0.0
            for i in range(n):
                # Centering is not needed, as the bias has no ridge. The shares are those
                # of all rows.
                kept = np.arange(n) != i
                part = weights[kept].sum() / weights.sum()
                solution = ridge_by_hand(
                    values[kept], targets[kept, k], weights[kept], ridge / part
                )
                residual = targets[i, k] - values[i] @ solution[:-1] - solution[-1]
                total += share[i] * residual**2
            left_out.append(total)
        chosen.append(int(np.argmin(left_out)))
        expected = ridge_by_hand(values, targets[:, k], weights, RIDGES[chosen[-1]] * top)
        assert_allclose(W[:, k], expected[:-1], rtol=1e-6, atol=1e-8)
        assert_allclose(b[k], expected[-1], rtol=1e-6, atol=1e-8)
    assert max(chosen) > 0


def test_weights_are_repetitions_of_rows():
    X = rows_on(DOMAINS[1], 120)
    targets = np.sin(2 * X)
    counts = np.random.default_rng(4).integers(1, 4, len(X))
    build = partial(basis_network, degree=4, domain=np.array(DOMAINS[1]))
    weighted = build(X, targets, counts.astype(float)).forward(X)
    repeated = build(
        X.repeat(counts, axis=0), targets.repeat(counts, axis=0), np.ones(counts.sum())
    ).forward(X)
    assert_allclose(weighted, repeated, atol=1e-7)
    assert not np.allclose(
        build(X, targets, np.ones(120)).forward(X), weighted, atol=1e-7
    )


def test_scale_of_the_weights_does_not_matter():
    X = rows_on(DOMAINS[1], 40)
    targets, weights = np.sin(2 * X), read_only(np.linspace(1, 2, 40))
    build = partial(basis_network, X, targets, degree=4, domain=domain_of(X))
    expected = build(weights).forward(X)
    assert_allclose(build(1e-3 * weights).forward(X), expected, atol=1e-7)


def test_constant_targets_are_met_exactly():
    X = rows_on(DOMAINS[1], 40)
    targets = np.full((40, 1), 7.0)
    network = basis_network(X, targets, np.ones(40), degree=3, domain=domain_of(X))
    assert_allclose(network.forward(X), targets, rtol=1e-12)


def test_one_row_is_met():
    X = np.array([[2.0, 3.0]])
    network = basis_network(
        X, np.array([[4.0]]), np.ones(1), degree=2, domain=domain_of(X)
    )
    assert_allclose(network.forward(X), [[4.0]], rtol=1e-12)


def test_start_knows_the_function_that_glorots_does_not():
    X, unseen = rows_on([[-1, 1]], 100), rows_on([[-1, 1]], seed=5)
    network = basis_network(
        X, np.sin(3 * X), np.ones(100), degree=6, domain=np.array([[-1.0, 1.0]])
    )
    sizes = (1, network.layers[0].n_out, 1)
    rng = np.random.RandomState(0)
    random = Network(
        tuple(dense_layers("glorot_uniform", sizes, ["gelu", "identity"], rng))
    )
    assert [p.shape for p in random.parameters] == [p.shape for p in network.parameters]
    deviations = [
        np.abs(net.forward(unseen) - np.sin(3 * unseen)).max()
        for net in (network, random)
    ]
    assert deviations[0] < 1e-3
    assert deviations[1] > 0.1


SMALL = Settings(degree=2, n_units=6, n_points=24, max_iter=60)


@pytest.mark.parametrize("n_inputs", [1, 2])
def test_pretraining_makes_networks_of_the_monomials(n_inputs):
    settings = replace(SMALL, n_points={1: 24, 2: 8}[n_inputs])
    start, _ = errors(pretrain(n_inputs, replace(settings, max_iter=1)))
    blocks = pretrain(n_inputs, settings)
    end, _ = errors(blocks)
    assert_array_equal(blocks.exponents, load_blocks(n_inputs).up_to(2).exponents)
    assert (end < 0.2 * start).all()
    again = pretrain(n_inputs, settings)
    assert_allclose(again.weights, blocks.weights, rtol=1e-12)
    other = pretrain(n_inputs, replace(settings, seed=1))
    assert not np.allclose(other.weights, blocks.weights)


@pytest.mark.parametrize(("below", "exponents"), [(0, [2, 0]), (1, [1, 1]), (1, [0, 2])])
def test_each_block_starts_from_one_of_the_degree_below(below, exponents):
    settings = replace(SMALL, n_points=8)
    blocks = pretrain(2, settings)
    axis = np.cos((np.arange(8) + 0.5) * np.pi / 8)
    X = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    target = X[:, 0] ** exponents[0] * X[:, 1] ** exponents[1]
    start = blocks.network(below).layers[0]
    hidden, output = fitted_block(start, X, target, settings)
    k = blocks.exponents.tolist().index(exponents)
    assert_allclose(blocks.weights[k], hidden.weights, rtol=1e-10)
    assert_allclose(blocks.output_weights[k], output.weights[:, 0], rtol=1e-10)


def test_pretraining_lowers_its_objective_to_a_point_without_slope():
    settings = replace(SMALL, max_iter=5000, penalty=1e-4)
    start = random_hidden(1, 6, np.random.RandomState(0))
    X = np.linspace(-1, 1, 40)[:, None]
    target = X[:, 0] ** 3
    network = Network(fitted_block(start, X, target, settings))

    def objective(parameters):
        W, b, V, c = parameters
        value = gelu(X @ W + b) @ V + c
        squares = (W**2).sum() + (b**2).sum() + (V**2).sum()
        return 0.5 * np.mean((value[:, 0] - target) ** 2) + 0.5e-4 * squares

    best = objective(network.parameters)
    for k, parameter in enumerate(network.parameters):
        for index in np.ndindex(parameter.shape):
            sides = []
            for step in (1e-4, -1e-4):
                other = [p.copy() for p in network.parameters]
                other[k][index] += step
                sides.append(objective(other))
            # This is a minimum along each axis, to the precision of the optimizer.
            assert min(sides) > best - 1e-9


def test_blocks_are_described_by_their_settings_and_errors():
    blocks, settings = load_blocks(1).up_to(2), replace(SMALL, degree=2)
    rms, largest = errors(blocks)
    written = description({1: blocks}, {1: settings})["1"]
    assert Settings(**written["settings"]) == settings
    assert_array_equal(written["rms_errors"], rms)
    assert_array_equal(written["max_errors"], largest)


def test_blocks_can_be_written_and_read(tmp_path, monkeypatch):
    blocks = pretrain(1, SMALL)
    save_blocks(tmp_path / "blocks.npz", {1: blocks}, {"1": "tiny"})
    monkeypatch.setattr("skmetricmlp.basis.networks.FILE", tmp_path / "blocks.npz")
    assert load_settings(tmp_path / "blocks.npz") == {"1": "tiny"}
    read = load_blocks.__wrapped__(1)
    assert_array_equal(read.output_weights, blocks.output_weights)
    assert_array_equal(read.exponents, blocks.exponents)
