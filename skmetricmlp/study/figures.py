"""The figures of a comparison, each for a light and for a dark page."""

from __future__ import annotations

import math
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
from skmetricmlp.plotting._text import escape_controls, escape_for_matplotlib
from skmetricmlp.study.compare import Study
from skmetricmlp.study.runs import Split, feature_names, split_rows, untrained
from skmetricmlp.study.summary import arrivals
from skmetricmlp.study.tasks import CLASSES

__all__ = ["Figure", "draw_figures"]

#: Largest number of classes in a readable confusion matrix.
MOST_CLASSES = 20

MOST_DOTS = 1000

#: Characters of the longest name in a legend, which is as wide as a figure.
LONGEST_NAME = 48

#: What the line of the target is called in a legend.
TARGET = "target"

#: Room above and below curves, as a share of the range, and the range of equal scores.
ROOM, LEAST_RANGE = 0.06, 0.02

STYLES = {"light": "default", "dark": "dark_background"}

#: Colors of 0 and 100 percent in confusion matrices. That of 0 is the color of the page.
SHADES = {"light": ("#ffffff", "#08306b"), "dark": ("#14171a", "#7ab8ff")}

#: Text is drawn as paths, which look the same on every system.
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


class Figure(NamedTuple):
    """A figure as data URIs, with a description.

    Attributes
    ----------
    light, dark : str
        SVG images without a background, for a light and for a dark page.
    alt : str
        Alternative text, which describes the figure.
    caption : str
    """

    light: str
    dark: str
    alt: str
    caption: str


def draw_figures(study: Study) -> dict[str, list[Figure]]:
    """Draw all figures of the report, by section.

    Returns
    -------
    dict of str to list of Figure
        - "curves": the learning curves, one figure per size.
        - "sizes": the score against the size, if there are several sizes.
        - "seconds": the score against time.
        - "predictions": predicted against true targets, for the first start and for its
          reference. There are none for more than twenty classes.
        - "exemplars": those of the first start that has exemplars.
    """
    return {
        "curves": [_curves(study, size) for size in reversed(study.design.sizes)],
        "sizes": [_sizes(study)] if len(study.design.sizes) > 1 else [],
        "seconds": [_seconds(study)],
        "predictions": _predictions(study),
        "exemplars": _exemplars(study),
    }


def _curves(study: Study, size: int) -> Figure:
    curves = study.curves[study.curves["size"] == size]
    names = [*curves["start"].unique()]
    target = _single_target(study, size)
    shown = names if target is None else [*names, TARGET]

    def paint(ax: Any) -> None:
        display = _draw_curves(study, curves, ax=ax)
        lines = [*display.lines_, *_draw_target(ax, target)]
        ax.set_xlabel("epochs")
        _legend_below(ax, lines, shown)

    ends = curves[curves["epoch"] == study.design.n_epochs]
    return _make_figure(
        paint,
        alt=f"Learning curves with {size:,} training rows. "
        f"In the end: {_means(study, ends)}",
        caption=f"{size:,} training rows",
        size=(4.8, _height(shown)),
    )


def _sizes(study: Study) -> Figure:
    curves, n_epochs = study.curves, study.design.n_epochs
    first, last = (curves[curves["epoch"] == epoch] for epoch in (0, n_epochs))
    names = [*last["start"].unique()]

    def paint(ax: Any) -> None:
        trained = _draw_curves(study, last, x="size", ax=ax)
        dotted = {"linestyle": ":"}
        _draw_curves(study, first, x="size", ax=ax, line_kw=dotted)
        ax.set_ylim(*_limits(study, pd.concat([first, last])))
        ax.set_xscale("log")
        ax.set_xticks(study.design.sizes, [f"{size:,}" for size in study.design.sizes])
        ax.minorticks_off()
        ax.set_xlabel("training rows")
        _legend_below(ax, trained.lines_, names)

    return _make_figure(
        paint,
        alt=f"Test {study.score.name} against the number of training rows, before "
        f"training and at the end",
        caption=f"After {n_epochs} epochs, and before training (dotted)",
        size=(4.8, _height(names)),
    )


def _seconds(study: Study) -> Figure:
    from matplotlib.ticker import AutoLocator  # noqa: PLC0415

    largest = study.design.sizes[-1]
    curves = study.curves[study.curves["size"] == largest]
    # The curves are means over splits at equal x, but each split has its own seconds.
    seconds = curves.groupby(["start", "epoch"])["seconds"].transform("mean")
    timed = curves.assign(seconds=seconds)
    names = [*curves["start"].unique()]
    target = _single_target(study, largest)
    shown = names if target is None else [*names, TARGET]

    def paint(ax: Any) -> None:
        display = _draw_curves(study, timed, x="seconds", ax=ax)
        lines = [*display.lines_, *_draw_target(ax, target)]
        ax.xaxis.set_major_locator(AutoLocator())
        ax.set_xlabel("seconds, including the calculation of the weights")
        ax.set_xlim(left=0)
        _legend_below(ax, lines, shown)

    return _make_figure(
        paint,
        alt=f"Test {study.score.name} against time with {largest:,} training rows",
        caption=f"Against time, {largest:,} training rows",
        size=(4.8, _height(shown)),
    )


def _predictions(study: Study) -> list[Figure]:
    draw = _confusion if study.dataset.task == CLASSES else _errors
    if draw is _confusion and study.dataset.y.nunique() > MOST_CLASSES:
        return []
    first, pairs = study.design.compared[0], study.predictions
    at_the_end = (pairs["size"] == study.design.sizes[-1]) & (
        pairs["epoch"] == study.design.n_epochs
    )
    return [
        draw(start, pairs[at_the_end & (pairs["start"] == start)])
        for start in (first.name, first.reference)
    ]


def _confusion(start: str, pairs: pd.DataFrame) -> Figure:
    # A class may be predicted that no test row has.
    labels = sorted({*pairs["true"], *pairs["predicted"]})
    counts = pairs.pivot_table("count", "true", "predicted", "sum", fill_value=0)
    counts = counts.reindex(index=labels, columns=labels, fill_value=0)
    percent = 100 * counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    names = [escape_for_matplotlib(_shorten(str(label), 16)) for label in labels]

    def paint(ax: Any) -> None:
        display = ConfusionMatrixDisplay(percent.to_numpy(), display_labels=names)
        display.plot(
            ax=ax,
            cmap=_shades(ax),
            colorbar=False,
            values_format=".0f",
            xticks_rotation=0 if max(map(len, names)) < 4 else 90,
            im_kw={"vmin": 0, "vmax": 100},
            text_kw={"fontsize": 10 if len(names) <= 12 else 7},
        )
        ax.grid(visible=False)
        ax.set(xlabel="predicted", ylabel="true")

    correct = np.trace(counts.to_numpy()) / counts.to_numpy().sum()
    return _make_figure(
        paint,
        alt=f"Confusion matrix of {start}: {100 * correct:.1f} percent on the diagonal",
        caption=f"{start}, in percent of the true class",
        size=(4.8, 4.8),
    )


def _shades(ax: Any) -> Any:
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    is_dark = np.mean(ax.get_facecolor()[:3]) < 0.5
    shades = SHADES["dark" if is_dark else "light"]
    return LinearSegmentedColormap.from_list("shades", shades)


def _errors(start: str, pairs: pd.DataFrame) -> Figure:
    # The number of dots is limited, as each one adds to the size of the page.
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

    return _make_figure(
        paint,
        alt=f"True against predicted values of {start}, {len(pairs):,} test rows",
        caption=start,
        size=(4.8, 4.8),
    )


def _exemplars(study: Study) -> list[Figure]:
    """Draw the exemplars of the first start that has any, for the first split."""
    dataset, design = study.dataset, study.design
    starts = [start for start in design.starts if start.is_calculated]
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
        _make_figure(
            paint,
            alt=f"The {count} exemplars of {starts[0].name}",
            caption=f"The {count} exemplars of {starts[0].name}, chosen from "
            f"{split.size:,} training rows of the first split",
            size=(8.0, 4.5),
        )
    ]


def _make_figure(
    paint: Paint, *, alt: str, caption: str, size: tuple[float, float] = (4.8, 3.6)
) -> Figure:
    light, dark = (_svg(paint, style, size) for style in STYLES.values())
    return Figure(light, dark, alt, caption)


def _svg(paint: Paint, style: str, size: tuple[float, float]) -> str:
    # matplotlib is optional, so that it is imported only for drawing.
    import matplotlib.style  # noqa: PLC0415
    from matplotlib.figure import Figure as MatplotlibFigure  # noqa: PLC0415

    with matplotlib.style.context([style, SETTINGS]):
        canvas = MatplotlibFigure(figsize=size, layout="constrained")
        paint(canvas.subplots())
        file = BytesIO()
        with catch_warnings():
            # Names with glyphs that the font lacks can be read in the tables.
            filterwarnings("ignore", message="Glyph ", category=UserWarning)
            canvas.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return "data:image/svg+xml;base64," + b64encode(file.getvalue()).decode()


def _draw_curves(study: Study, curves: pd.DataFrame, **options: Any) -> Any:
    """Draw scores. Those far below what matters, as before training, are outside."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    score = study.score
    shown = curves.assign(**{score.scoring: score.sign * curves[score.scoring]})
    display = LearningCurvesDisplay.from_curves(shown, y=score.scoring, **options)
    axis = display.ax_.yaxis
    display.ax_.set_ylabel(f"test {score.title.removesuffix(' in percent')}")
    axis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], min_n_ticks=4))
    if score.unit:
        # All digits are shown, so that ticks differ, but no errors of rounding.
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{round(100 * x, 6):g} %"))
    display.ax_.set_ylim(*_limits(study, curves))
    return display


def _limits(study: Study, curves: pd.DataFrame) -> tuple[float, float]:
    """Return limits of an axis for calculated weights and the ends of all curves.

    Other curves may begin so far below that the differences would not be seen.
    """
    score, design = study.score, study.design
    calculated = [start.name for start in design.starts if start.is_calculated]
    is_relevant = (curves["epoch"] == design.n_epochs) | (
        curves["start"].isin(calculated) & (curves["epoch"] == 0)
    )
    keys = ["size", "start", "epoch"]
    relevant = curves[is_relevant].groupby(keys)[score.scoring].mean()
    points = curves.groupby(keys)[score.scoring].agg(["mean", "std"]).fillna(0.0)
    lowest = float((points["mean"] - points["std"]).min())
    highest = float((points["mean"] + points["std"]).max())
    worst, best = float(relevant.min()), float(points["mean"].max())
    low = max(lowest, worst - (best - worst or highest - worst or LEAST_RANGE))
    room = ROOM * (highest - low or LEAST_RANGE)
    low, high = low - room, highest + room
    # No accuracy is above 1, and no error below 0. A line there is not cut.
    bound = 0.0 if score.sign < 0 else 1.0
    if best <= bound:
        high = min(high, bound + ROOM / 3 * (bound - low))
    one, other = sorted((score.sign * low, score.sign * high))
    return one, other


def _single_target(study: Study, size: int) -> float | None:
    """Return the mean target, as it is printed, if all starts have the same one."""
    targets = arrivals(study)["target"].xs(size).to_numpy()
    if (targets != targets[0]).any():
        return None
    return study.score.sign * float(targets[0])


def _draw_target(ax: Any, target: float | None) -> list[Any]:
    if target is None:
        return []
    return [ax.axhline(target, color="0.5", linestyle="--", linewidth=1.2)]


def _legend_below(ax: Any, lines: Sequence[Any], names: Iterable[str]) -> None:
    """Move the legend below the axes, where it covers no curve."""
    if ax.get_legend() is not None:
        ax.get_legend().remove()
    # matplotlib 3.9 omits labels that begin with an underscore.
    shown = [
        re.sub("^_", " _", escape_for_matplotlib(_shorten(str(name), LONGEST_NAME)))
        for name in names
    ]
    ax.figure.legend(
        lines, shown, loc="outside lower left", ncols=_columns(shown), fontsize=10
    )


def _columns(names: Sequence[str]) -> int:
    """Return the number of columns of a legend as wide as a figure."""
    return max(1, min(3, LONGEST_NAME // (max(map(len, names)) + 6)))


def _height(names: Sequence[str]) -> float:
    """Return the height of a figure with a legend of so many names."""
    rows = math.ceil(len(names) / _columns([_shorten(n, LONGEST_NAME) for n in names]))
    return 3.3 + 0.23 * rows


def _shorten(name: str, length: int) -> str:
    name = escape_controls(name)
    return name if len(name) <= length else name[: length - 1] + "…"


def _means(study: Study, ends: pd.DataFrame) -> str:
    score = study.score
    means = ends.groupby("start", sort=False)[score.scoring].mean()
    return ", ".join(f"{start} {score.text(mean)}" for start, mean in means.items())
