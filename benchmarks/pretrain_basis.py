"""Make the basis networks that the package has, and print their errors.

    python benchmarks/pretrain_basis.py --out FILE

For each monomial, on points at equal distances of the reference domain: root mean
squared error, largest error, and largest weight of the hidden and of the output layer.
With ``--from-scratch``, what it takes to train each from random weights instead of from
the degree below: evaluations of the gradient, and the root mean squared error.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from skmetricmlp.basis import Blocks, pretraining
from skmetricmlp.basis.networks import FILE, errors, save_blocks
from skmetricmlp.basis.pretraining import Settings, pretrain
from skmetricmlp.network import Network

SETTINGS = {
    1: Settings(degree=8, n_units=16, n_points=128),
    2: Settings(degree=5, n_units=24, n_points=20),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help=f"the package's own is {FILE}")
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
        save_blocks(options.out, blocks, description(blocks))


def description(blocks: dict[int, Blocks]) -> dict[str, Any]:
    """Give settings and errors, by number of variables."""
    of_inputs = {}
    for n_inputs, settings in SETTINGS.items():
        rms, largest = errors(blocks[n_inputs])
        of_inputs[str(n_inputs)] = {
            "settings": asdict(settings),
            "rms_errors": rms.tolist(),
            "max_errors": largest.tolist(),
        }
    return of_inputs


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
    """Mean over seeds of all monomials: from the degree below, and from random."""
    records = [
        {"variables": n_inputs, "start": start, **effort(n_inputs, seeded, start)}
        for n_inputs, settings in SETTINGS.items()
        for seeded in (replace(settings, seed=seed) for seed in range(n_seeds))
        for start in ("degree below", "random")
    ]
    return pd.DataFrame(records).groupby(["variables", "start"], sort=False).mean()


def effort(n_inputs: int, settings: Settings, start: str) -> dict[str, float]:
    """Count gradients for all monomials, and take the mean of the errors."""
    spy = partial(patch.object, Network, "backward", autospec=True)
    with spy(side_effect=Network.backward) as backward:
        if start == "random":  # nothing is known of the degree below
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
