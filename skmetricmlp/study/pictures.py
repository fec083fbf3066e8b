"""The pictures of a comparison, each for light and for dark pages."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from warnings import catch_warnings, filterwarnings

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay

from skmetricmlp.plotting import ExemplarsDisplay, LearningCurvesDisplay
from skmetricmlp.plotting._text import escape_controls as visible
from skmetricmlp.plotting._text import escape_for_matplotlib as drawn
from skmetricmlp.study.compare import Study
from skmetricmlp.study.runs import Split, feature_names, split_rows, untrained
from skmetricmlp.study.tasks import CLASSES

__all__ = ["Picture", "draw_pictures"]

#: More classes than these make a matrix that nobody reads.
MOST_CLASSES = 20

MOST_DOTS = 1000

#: Worse than the mean of all rows by as much is not worth drawing.
LOWEST_R2 = -0.5

STYLES = {"light": "default", "dark": "dark_background"}

#: Outlines instead of letters look the same wherever the page is read.
SETTINGS = {
    "svg.fonttype": "path",
    "svg.hashsalt": "skmetricmlp",
    "text.usetex": False,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid.axis": "y",
    "grid.alpha": 0.3,
    "legend.frameon": False,
}

Paint = Callable[[Any], object]


class Picture(NamedTuple):
    """An image as data URIs, with what it shows in words.

    Attributes
    ----------
    light, dark : str
        SVG without a background.
    alt : str
        For those who do not see it.
    caption : str
    """

    light: str
    dark: str
    alt: str
    caption: str


def draw_pictures(study: Study) -> dict[str, list[Picture]]:
    """Draw all pictures of the report, by its sections.

    Returns
    -------
    dict of str to list of Picture
        "curves", one for each size; "sizes", where there are several; "seconds";
        "predictions" against what is true, of the first start and its reference (not of
        more than twenty classes); and "exemplars", of the first start that has some.
    """
    return {
        "curves": [_curves(study, size) for size in reversed(study.design.sizes)],
        "sizes": [_sizes(study)] if len(study.design.sizes) > 1 else [],
        "seconds": [_seconds(study)],
        "predictions": _predictions(study),
        "exemplars": _exemplars(study),
    }


def _curves(study: Study, size: int) -> Picture:
    curves = study.curves[study.curves["size"] == size]

    def paint(ax: Any) -> None:
        display = _draw_curves(study, curves, ax=ax)
        ax.set_xlabel("epochs")
        _legend_inside(ax, display.lines_, curves["start"].unique())

    ends = curves[curves["epoch"] == study.design.n_epochs]
    return _picture(
        paint,
        alt=f"Learning curves with {size:,} training rows. "
        f"In the end: {_means(study, ends)}",
        caption=f"{size:,} training rows",
    )


def _sizes(study: Study) -> Picture:
    curves, n_epochs = study.curves, study.design.n_epochs
    score = study.dataset.task.score_name
    first, last = (curves[curves["epoch"] == epoch] for epoch in (0, n_epochs))

    def paint(ax: Any) -> None:
        trained = _draw_curves(study, last, x="size", ax=ax)
        dotted = {"linestyle": ":"}
        _draw_curves(study, first, x="size", ax=ax, line_kw=dotted)
        ax.set_xscale("log")
        ax.set_xticks(study.design.sizes, [f"{size:,}" for size in study.design.sizes])
        ax.minorticks_off()
        ax.set_xlabel("training rows")
        _legend_inside(ax, trained.lines_, last["start"].unique())
        lowest = trained.summary["mean"].min()
        ax.set_ylim(bottom=lowest - 0.2 * (1 - lowest) - 0.02)

    return _picture(
        paint,
        alt=f"Test {score} against the number of training rows, before training and at "
        f"the end",
        caption=f"After {n_epochs} epochs, and before training (dotted) where in view",
    )


def _seconds(study: Study) -> Picture:
    from matplotlib.ticker import AutoLocator  # noqa: PLC0415

    largest = study.design.sizes[-1]
    curves = study.curves[study.curves["size"] == largest]
    # Splits take different times, and a mean is taken at equal ones.
    spent = curves.groupby(["start", "epoch"])["seconds"].transform("mean")
    timed = curves.assign(seconds=spent)

    def paint(ax: Any) -> None:
        display = _draw_curves(study, timed, x="seconds", ax=ax)
        ax.xaxis.set_major_locator(AutoLocator())
        ax.set_xlabel("seconds, calculating the weights included")
        ax.set_xlim(left=0)
        _legend_inside(ax, display.lines_, curves["start"].unique())

    return _picture(
        paint,
        alt=f"Test {study.dataset.task.score_name} against seconds with {largest:,} "
        f"training rows",
        caption=f"Against time, {largest:,} training rows",
    )


def _predictions(study: Study) -> list[Picture]:
    picture = _confusion if study.dataset.task == CLASSES else _errors
    if picture is _confusion and study.dataset.y.nunique() > MOST_CLASSES:
        return []
    first, all_pairs = study.design.compared[0], study.predictions
    at_the_end = (all_pairs["size"] == study.design.sizes[-1]) & (
        all_pairs["epoch"] == study.design.n_epochs
    )
    return [
        picture(start, all_pairs[at_the_end & (all_pairs["start"] == start)])
        for start in (first.name, first.reference)
    ]


def _confusion(start: str, pairs: pd.DataFrame) -> Picture:
    # A rare class may be predicted where no test row has it.
    labels = sorted({*pairs["true"], *pairs["predicted"]})
    counts = pairs.pivot_table("count", "true", "predicted", "sum", fill_value=0)
    counts = counts.reindex(index=labels, columns=labels, fill_value=0)
    percent = 100 * counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    names = [drawn(_short(str(label), 16)) for label in labels]

    def paint(ax: Any) -> None:
        display = ConfusionMatrixDisplay(percent.to_numpy(), display_labels=names)
        display.plot(
            ax=ax,
            cmap="Blues",
            colorbar=False,
            values_format=".0f",
            xticks_rotation=0 if max(map(len, names)) < 4 else 90,
            text_kw={"fontsize": 10 if len(names) <= 12 else 7},
        )
        ax.grid(visible=False)
        ax.set(xlabel="predicted", ylabel="true")

    right = np.trace(counts.to_numpy()) / counts.to_numpy().sum()
    return _picture(
        paint,
        alt=f"Confusion matrix of {start}: {100 * right:.1f} percent on the diagonal",
        caption=f"{start}, in percent of the true class",
        size=(4.8, 4.8),
    )


def _errors(start: str, pairs: pd.DataFrame) -> Picture:
    # One dot for each pair; more would only make the page large.
    pairs = pairs.sample(min(len(pairs), MOST_DOTS), random_state=0)

    def paint(ax: Any) -> None:
        display = PredictionErrorDisplay(
            y_true=pairs["true"].to_numpy(), y_pred=pairs["predicted"].to_numpy()
        )
        display.plot(
            ax=ax,
            kind="actual_vs_predicted",
            scatter_kwargs={"alpha": 0.5, "s": 12},
            line_kwargs={"color": "0.5"},
        )
        ax.grid(visible=False)
        ax.set(xlabel="predicted", ylabel="true")

    return _picture(
        paint,
        alt=f"True against predicted values of {start}, {len(pairs):,} test rows",
        caption=start,
        size=(4.8, 4.8),
    )


def _exemplars(study: Study) -> list[Picture]:
    """Draw the exemplars of the first start that has some, in the first split."""
    dataset, design = study.dataset, study.design
    starts = [s for s in design.starts if s.parameters.get("init", "metric") == "metric"]
    if not starts:
        return []
    split = Split(design.n_train, design.sizes[-1], seed=0)
    train, _ = split_rows(dataset, split)
    transformer = clone(dataset.transformer).fit(dataset.X.iloc[train])
    model = untrained(dataset.task, starts[0].parameters, split.seed)
    model.fit(transformer.transform(dataset.X.iloc[train]), dataset.y.iloc[train])

    def paint(ax: Any) -> None:
        ExemplarsDisplay.from_estimator(
            model,
            image_shape=dataset.image_shape,
            feature_names=feature_names(transformer),
            ax=ax,
        )

    count = len(model.exemplars_)
    return [
        _picture(
            paint,
            alt=f"The {count} exemplars of {starts[0].name}",
            caption=f"The {count} exemplars of {starts[0].name}, chosen from "
            f"{split.size:,} training rows of the first split",
            size=(8.0, 4.5),
        )
    ]


def _picture(
    paint: Paint, *, alt: str, caption: str, size: tuple[float, float] = (4.8, 3.6)
) -> Picture:
    light, dark = (_svg(paint, style, size) for style in STYLES.values())
    return Picture(light, dark, alt, caption)


def _svg(paint: Paint, style: str, size: tuple[float, float]) -> str:
    # Imported when something is drawn: matplotlib is optional.
    import matplotlib.style  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with matplotlib.style.context([style, SETTINGS]):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure.subplots())
        file = BytesIO()
        with catch_warnings():
            # A name in letters that the font lacks is in the tables beside the picture.
            filterwarnings("ignore", message="Glyph ", category=UserWarning)
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return "data:image/svg+xml;base64," + b64encode(file.getvalue()).decode()


def _draw_curves(study: Study, curves: pd.DataFrame, **options: Any) -> Any:
    """Draw scores; those far below a mean, as untrained ones may be, are out of view."""
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    task = study.dataset.task
    display = LearningCurvesDisplay.from_curves(curves, y=task.score, **options)
    display.ax_.set_ylabel(f"test {task.score_name}")
    if task == CLASSES:
        display.ax_.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    elif display.ax_.get_ylim()[0] < LOWEST_R2:
        display.ax_.set_ylim(bottom=LOWEST_R2)
    return display


def _legend_inside(ax: Any, lines: Sequence[Any], names: Iterable[str]) -> None:
    """Leave the width to the curves, which rise and leave room below."""
    ax.get_legend().remove()
    # matplotlib 3.9 leaves out what begins with an underscore.
    shown = [re.sub("^_", " _", drawn(_short(str(name), 40))) for name in names]
    ax.legend(lines, shown, loc="lower right")


def _short(name: str, length: int) -> str:
    name = visible(name)
    return name if len(name) <= length else name[: length - 1] + "…"


def _means(study: Study, ends: pd.DataFrame) -> str:
    task = study.dataset.task
    means = ends.groupby("start", sort=False)[task.score].mean()
    return ", ".join(f"{start} {task.text(mean)}" for start, mean in means.items())
