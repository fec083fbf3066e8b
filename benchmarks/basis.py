"""Networks assembled from basis networks, beside Glorot's random start.

    python benchmarks/basis.py
    python benchmarks/basis.py --solver adam
    python benchmarks/basis.py --noise 0.05
    python benchmarks/basis.py --readouts

The functions have one variable (200 rows, degree 8) or two (400 rows, degree 5). The rows
are drawn uniformly from the reference domain, and the targets have mean zero and variance
one. The tables have geometric means over seeds of the root mean squared error: on a grid
after 0, 10, 100 and 1,000 epochs, and outside the domain, up to a quarter of its half
width away, at the start and after the last epoch. An epoch is an iteration of L-BFGS, or
with ``--solver adam`` a pass over the rows in batches of 50. "equal" is the first epoch
(of 0, 1, .. 10, 20, ..) with an error no larger than the final one of "Glorot", or
"never".

- "basis" is BasisInitMLPRegressor with its defaults, and "Glorot" its baseline in the
  same architecture.
- "outputs" is the same start with an output layer that is fitted to the outputs of the
  basis networks instead of to the hidden units.
- "fitted" has Glorot's hidden layer, and an output layer that is fitted to it.
- "deep" has Glorot's weights in two hidden layers of 64.

``--readouts`` compares ways to fit the output layer, before training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.linalg import lstsq

from skmetricmlp._data import TrainingData
from skmetricmlp.basis import (
    basis_network,
    hidden_layer,
    least_squares_output,
    load_blocks,
)
from skmetricmlp.initialization.baselines import dense_layers
from skmetricmlp.initialization.output_layer import ridge_weights
from skmetricmlp.network import Dense, Network, forward
from skmetricmlp.training import Adam, History, Objective, TrainingConfig, train

Floats = NDArray[np.floating[Any]]

MARKS = (0, 10, 100, 1000)
OUTSIDE = 1.25
DEGREES, ROWS, POINTS = {1: 8, 2: 5}, {1: 200, 2: 400}, {1: 501, 2: 51}
BATCH_SIZE = 50


def franke(x: Floats, y: Floats) -> Floats:
    x, y = 4.5 * (x + 1), 4.5 * (y + 1)  # 9 times the unit square's
    return (
        0.75 * np.exp(-((x - 2) ** 2 + (y - 2) ** 2) / 4)
        + 0.75 * np.exp(-((x + 1) ** 2) / 49 - (y + 1) / 10)
        + 0.5 * np.exp(-((x - 7) ** 2 + (y - 3) ** 2) / 4)
        - 0.2 * np.exp(-((x - 4) ** 2) - (y - 7) ** 2)
    )


def himmelblau(x: Floats, y: Floats) -> Floats:
    x, y = 5 * x, 5 * y
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def peaks(x: Floats, y: Floats) -> Floats:
    x, y = 3 * x, 3 * y
    return (
        3 * (1 - x) ** 2 * np.exp(-(x**2) - (y + 1) ** 2)
        - 10 * (x / 5 - x**3 - y**5) * np.exp(-(x**2) - y**2)
        - np.exp(-((x + 1) ** 2) - y**2) / 3
    )


FUNCTIONS: dict[str, tuple[int, Callable[..., Floats]]] = {
    "exp(x) cos(x)": (1, lambda x: np.exp(x) * np.cos(x)),
    "sin(2 pi x)": (1, lambda x: np.sin(2 * np.pi * x)),
    "exp(-x) sin(5 pi x)": (1, lambda x: np.exp(-x) * np.sin(5 * np.pi * x)),
    "|x - 0.3|": (1, lambda x: np.abs(x - 0.3)),
    "tanh(20 x)": (1, lambda x: np.tanh(20 * x)),
    "Runge": (1, lambda x: 1 / (1 + 25 * x**2)),
    "Franke": (2, franke),
    "Himmelblau": (2, himmelblau),
    "peaks": (2, peaks),
}


class Problem(NamedTuple):
    """Training data, and grids with the values of the function inside and outside."""

    X: Floats
    targets: Floats
    inside: tuple[Floats, Floats]
    outside: tuple[Floats, Floats]


def problem(name: str, noise: float, seed: int) -> Problem:
    n_inputs, function = FUNCTIONS[name]
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1, 1, (ROWS[n_inputs], n_inputs))
    exact = function(*X.T)[:, None]
    mean, deviation = exact.mean(), exact.std()

    def values(points: Floats) -> tuple[Floats, Floats]:
        return points, (function(*points.T)[:, None] - mean) / deviation

    wide = lattice(n_inputs, OUTSIDE)
    beyond = wide[np.abs(wide).max(axis=1) > 1]
    targets = (exact - mean) / deviation + noise * rng.normal(size=exact.shape)
    return Problem(X, targets, values(lattice(n_inputs, 1.0)), values(beyond))


def lattice(n_inputs: int, half_width: float) -> Floats:
    axis = np.linspace(-half_width, half_width, POINTS[n_inputs])
    return np.stack(np.meshgrid(*[axis] * n_inputs), axis=-1).reshape(-1, n_inputs)


def reference(n_inputs: int) -> Floats:
    return np.tile([-1.0, 1.0], (n_inputs, 1))


def from_basis(data: Problem, _: int, n_parts: int = 1) -> Network:
    n, d = data.X.shape
    return basis_network(
        data.X,
        data.targets,
        np.ones(n),
        degree=DEGREES[d],
        domain=reference(d),
        n_parts=n_parts,
    )


def from_outputs(data: Problem, _: int) -> Network:
    d = data.X.shape[1]
    hidden = hidden_layer(reference(d), DEGREES[d])
    return Network((hidden, Dense(*outputs_readout(data), "identity")))


def from_glorot(data: Problem, seed: int) -> Network:
    width = from_basis(data, seed).layers[0].n_out
    return glorot(data.X.shape[1], (width,), seed)


def from_deep(data: Problem, seed: int) -> Network:
    return glorot(data.X.shape[1], (64, 64), seed)


def glorot(n_inputs: int, hidden: tuple[int, ...], seed: int) -> Network:
    rng = np.random.RandomState(seed)
    sizes, activations = (n_inputs, *hidden, 1), ["gelu"] * len(hidden) + ["identity"]
    return Network(tuple(dense_layers("glorot_uniform", sizes, activations, rng)))


def from_fitted(data: Problem, seed: int) -> Network:
    hidden = from_glorot(data, seed).layers[0]
    arrays = least_squares_output(
        forward(hidden, data.X), data.targets, np.ones(len(data.X))
    )
    return Network((hidden, Dense(*arrays, "identity")))


STARTS: dict[str, Callable[[Problem, int], Network]] = {
    "basis": from_basis,
    "basis, 2 parts": partial(from_basis, n_parts=2),
    "outputs": from_outputs,
    "Glorot": from_glorot,
    "fitted": from_fitted,
    "deep": from_deep,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solver", choices=["lbfgs", "adam"], default="lbfgs")
    parser.add_argument("--rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--readouts", action="store_true")
    options = parser.parse_args()
    if options.readouts:
        print(readout_table(options).to_string(float_format="{:.1e}".format))
        return
    tables = []
    for name in FUNCTIONS:
        tables.append(function_table(name, options))
        print(tables[-1].to_string(float_format="{:.2g}".format), "\n", flush=True)
    print(summary(pd.concat(tables)).to_string(float_format="{:.2g}".format))


def function_table(name: str, options: argparse.Namespace) -> pd.DataFrame:
    """Return the errors for a function, in a row per start."""
    # For two variables, four parts would have more than a thousand units.
    starts = [s for s in STARTS if s != "basis, 2 parts" or FUNCTIONS[name][0] == 1]
    jobs = (
        delayed(course)(start, name, seed, options)
        for start in starts
        for seed in range(options.seeds)
    )
    courses = Parallel(n_jobs=options.jobs)(jobs)
    curves = {
        start: geometric_mean(courses[k * options.seeds : (k + 1) * options.seeds])
        for k, start in enumerate(starts)
    }
    goal = curves["Glorot"]["inside"].iloc[-1]
    rows = {}
    for start, curve in curves.items():
        reached = curve.index[curve["inside"] <= goal]
        rows[name, start] = {
            **{f"{epoch} epochs": curve["inside"][epoch] for epoch in MARKS},
            "equal": str(reached[0]) if len(reached) else "never",
            "outside, 0": curve["outside"].iloc[0],
            "outside, end": curve["outside"].iloc[-1],
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def geometric_mean(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return np.exp(sum(np.log(frame) for frame in frames) / len(frames))


def course(start: str, name: str, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """Return the errors inside and outside the domain, by epoch."""
    data = problem(name, options.noise, seed)
    networks = [STARTS[start](data, seed)]

    def look(network: Network) -> tuple[float, float]:
        networks.append(network)
        return 0.0, 0.0

    config = TrainingConfig(
        Objective("identity_squared_error"),
        None if options.solver == "lbfgs" else Adam(),
        rates=[options.rate] * len(networks[0].layers),
        batch_size=BATCH_SIZE,
        max_epochs=MARKS[-1],
        tol=0.0,
        patience=MARKS[-1],
    )
    rows = TrainingData(data.X, data.targets, np.ones(len(data.X)))
    rng = np.random.RandomState(seed)
    train(networks[0], None, History(), rows, config, rng, validate=look)
    networks += networks[-1:] * (MARKS[-1] + 1 - len(networks))  # where it ended early
    looked_at = [*range(MARKS[1]), *range(MARKS[1], MARKS[-1] + 1, MARKS[1])]
    return pd.DataFrame(
        {
            "inside": [rms_error(networks[e], *data.inside) for e in looked_at],
            "outside": [rms_error(networks[e], *data.outside) for e in looked_at],
        },
        index=looked_at,
    )


def rms_error(network: Network, X: Floats, values: Floats) -> float:
    return float(np.sqrt(np.mean((network.forward(X) - values) ** 2)))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return geometric means over the functions of one variable, and of two."""
    errors = np.log(table.drop(columns="equal"))
    n_inputs = [FUNCTIONS[name][0] for name, _ in table.index]
    groups = errors.groupby([n_inputs, errors.index.get_level_values(1)], sort=False)
    return np.exp(groups.mean()).rename_axis(["variables", "start"])


def hidden_values(data: Problem) -> Floats:
    d = data.X.shape[1]
    hidden = hidden_layer(reference(d), DEGREES[d])
    return forward(hidden, data.X)


def outputs_readout(data: Problem) -> tuple[Floats, Floats]:
    """Fit to the few outputs of the basis networks, and merge both into one layer."""
    n, d = data.X.shape
    blocks = load_blocks(d).up_to(DEGREES[d])
    rows = np.concatenate([blocks.outputs(data.X), np.ones((n, 1))], axis=1)
    *shares, constant = lstsq(rows, data.targets)[0][:, 0]
    W = np.array(shares)[:, None] * blocks.output_weights
    return W.reshape(-1, 1), np.array([constant + shares @ blocks.output_bias])


def cut_readout(cond: float, data: Problem) -> tuple[Floats, Floats]:
    """Solve least squares without singular values below ``cond`` times the largest."""
    values = hidden_values(data)
    rows = np.concatenate([values, np.ones((len(values), 1))], axis=1)
    solution = lstsq(rows, data.targets, cond=cond)[0]
    return solution[:-1], solution[-1]


def own_readout(data: Problem) -> tuple[Floats, Floats]:
    n = len(data.X)
    return least_squares_output(hidden_values(data), data.targets, np.ones(n))


def classifiers_readout(data: Problem) -> tuple[Floats, Floats]:
    return ridge_weights(hidden_values(data), data.targets, np.ones(len(data.X)))[:2]


READOUTS: dict[str, Callable[[Problem], tuple[Floats, Floats]]] = {
    "outputs": outputs_readout,
    "least_squares_output": own_readout,
    "ridge_weights": classifiers_readout,
    **{f"cut at {cond:.0e}": partial(cut_readout, cond) for cond in (1e-4, 1e-6, 1e-9)},
}


def readout_table(options: argparse.Namespace) -> pd.DataFrame:
    """Return errors by fit and number of variables, and the largest output weight."""
    records = []
    for name, (d, _) in FUNCTIONS.items():
        hidden = hidden_layer(reference(d), DEGREES[d])
        for seed in range(options.seeds):
            data = problem(name, options.noise, seed)
            for readout, fit in READOUTS.items():
                W, b = fit(data)
                network = Network((hidden, Dense(W, b, "identity")))
                outcome = {
                    "inside": rms_error(network, *data.inside),
                    "outside": rms_error(network, *data.outside),
                    "largest weight": np.abs(W).max(),
                }
                keys = {"variables": d, "readout": readout}
                records.append(keys | {k: np.log(v) for k, v in outcome.items()})
    frame = pd.DataFrame(records).groupby(["variables", "readout"], sort=False)
    return np.exp(frame.mean())


if __name__ == "__main__":
    main()
