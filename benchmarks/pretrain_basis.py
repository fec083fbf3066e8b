"""Train the basis networks that the package contains, and print their errors.

    python benchmarks/pretrain_basis.py --out FILE

The table has a line for each monomial: root mean squared error and largest error, on
equidistant points of the reference domain, and the largest weights of the hidden layer
and of the output layer. With ``--from-scratch``, the script compares training from the
degree below with training from random weights: number of evaluations of the gradient,
and root mean squared error.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import numpy as np
import pandas as pd
import pretraining
from pretraining import Settings, description, errors, pretrain, save_blocks

from skmetricmlp.basis import Blocks
from skmetricmlp.basis.networks import FILE
from skmetricmlp.network import Network

SETTINGS = {
    1: Settings(degree=8, n_units=16, n_points=128),
    2: Settings(degree=5, n_units=24, n_points=20),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help=f"the file of the package is {FILE}")
    parser.add_argument("--from-scratch", action="store_true")
    options = parser.parse_args()
    if options.from_scratch:
        print(against_scratch().to_string(float_format="{:.1e}".format))
        return
    started = perf_counter()
    blocks = {n_inputs: pretrain(n_inputs, s) for n_inputs, s in SETTINGS.items()}
    for of_inputs in blocks.values():
        print(error_table(of_inputs).to_string(float_format="{:.1e}".format), "\n")
    print(f"{perf_counter() - started:.0f} s")
    if options.out:
        save_blocks(options.out, blocks, description(blocks, SETTINGS))


def error_table(blocks: Blocks) -> pd.DataFrame:
    rms, largest = errors(blocks)
    hidden = np.maximum(
        abs(blocks.weights).max(axis=(1, 2)), abs(blocks.bias).max(axis=1)
    )
    columns = {
        "RMS error": rms,
        "largest error": largest,
        "largest hidden weight": hidden,
        "largest output weight": abs(blocks.output_weights).max(axis=1),
    }
    index = [" ".join(map(str, e)) for e in blocks.exponents.tolist()]
    return pd.DataFrame(columns, index=pd.Index(index, name="exponents"))


def against_scratch(n_seeds: int = 5) -> pd.DataFrame:
    """Compare starts from the degree below and from random weights; means over seeds."""
    records = [
        {"variables": n_inputs, "start": start, **effort(n_inputs, seeded, start)}
        for n_inputs, settings in SETTINGS.items()
        for seeded in (replace(settings, seed=seed) for seed in range(n_seeds))
        for start in ("degree below", "random")
    ]
    return pd.DataFrame(records).groupby(["variables", "start"], sort=False).mean()


def effort(n_inputs: int, settings: Settings, start: str) -> dict[str, float]:
    """Count the gradients for all monomials, and return the mean of their errors."""
    spy = partial(patch.object, Network, "backward", autospec=True)
    with spy(side_effect=Network.backward) as backward:
        if start == "random":  # as if no degree below had been trained
            with patch.object(pretraining, "_below", return_value=()):
                blocks = pretrain(n_inputs, settings)
        else:
            blocks = pretrain(n_inputs, settings)
    return {
        "evaluations": backward.call_count,
        "mean RMS error": errors(blocks)[0].mean(),
    }


if __name__ == "__main__":
    main()
