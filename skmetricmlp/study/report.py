"""Tables, a picture and files of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["accuracy_table", "draw_curves", "target_table", "write_report"]

NAMES = {"metric": "calculated"}


def accuracy_table(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean and deviation of the accuracy in percent: epochs by sizes and starts."""
    percent = 100 * curves.set_index(["size", "start", "epoch"])["accuracy"]
    cells = percent.groupby(level=[0, 1, 2], sort=False).agg(_mean_and_deviation)
    table = cells.unstack(["size", "start"])
    table = table.rename(columns=NAMES, level="start")
    table.columns.names = ["training rows", "start"]
    return table


def target_table(times: pd.DataFrame) -> pd.DataFrame:
    """Epochs and seconds to the target, and how many seeds reached it."""
    by_run = times.groupby(["size", "start"], sort=False)
    table = pd.DataFrame(
        {
            "target (%)": by_run["target"].first().mul(100).map("{:.1f}".format),
            "reached": by_run["epoch"].agg(lambda e: f"{e.count()} of {len(e)}"),
            "epochs": by_run["epoch"].agg(_mean_and_deviation),
            "seconds": by_run["seconds"].agg(lambda s: _mean_and_deviation(s, 2)),
        }
    ).rename(index=NAMES, level="start")
    table.index.names = ["training rows", "start"]
    return table


def _mean_and_deviation(values: pd.Series[Any], digits: int = 1) -> str:
    if values.count() == 0:
        return "never"
    spread = f" ± {values.std():.{digits}f}" if values.count() > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def draw_curves(curves: pd.DataFrame, title: str) -> Any:
    """Draw accuracy against epochs, a panel per size: mean and range over the seeds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    # Imported when something is drawn: matplotlib is optional.
    from matplotlib.figure import Figure  # noqa: PLC0415

    sizes = curves["size"].unique()
    figure = Figure(figsize=(1.2 + 3.2 * len(sizes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for panel, size in zip(panels, sizes, strict=True):
        for start, group in curves[curves["size"] == size].groupby("start", sort=False):
            by_epoch = group.groupby("epoch")["accuracy"]
            epochs, mean = list(by_epoch.groups), by_epoch.mean()
            label = NAMES.get(str(start), str(start))
            (line,) = panel.plot(epochs, mean, marker=".", label=label)
            panel.fill_between(
                epochs, by_epoch.min(), by_epoch.max(), alpha=0.2, color=line.get_color()
            )
        panel.set(title=f"{size} training rows", xlabel="epochs")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("test accuracy")
    panels[-1].legend(title="weights before training", loc="lower right")
    figure.suptitle(title)
    return figure


def write_report(
    folder: Path, curves: pd.DataFrame, times: pd.DataFrame, title: str
) -> list[Path]:
    """Write the figures as CSV and the picture as PNG, and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("curves.csv", "to_target.csv", "curves.png")]
    curves.to_csv(paths[0], index=False)
    times.to_csv(paths[1], index=False)
    draw_curves(curves, title).savefig(paths[2], dpi=120)
    return paths
