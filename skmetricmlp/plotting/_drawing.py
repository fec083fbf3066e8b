"""What the displays share in drawing: axes, colors, mosaics.

Colors of lines and text are matplotlib's own settings, so that every style is followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.plotting._text import drawn, visible

__all__ = [
    "PALETTE",
    "Mosaic",
    "abbreviated",
    "add_legend",
    "class_style",
    "color_bar",
    "contrasting",
    "diverging_map",
    "draw_mosaic",
    "feature_ticks",
    "ink_map",
    "is_narrow",
    "legend_lines",
    "make_mosaic",
    "mosaic_columns",
    "mosaic_size",
    "panels",
    "pyplot",
    "value_map",
]

Keywords = Mapping[str, Any] | None

# Told apart by the color-blind, and seen on light and on dark: M. A. Petroff, Accessible
# color sequences for data visualization, arXiv 2107.02270.
PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
VALUE_COLORS = ("#3d6fd1", "#2fa3a0", "#e0a11b")
LINES, MARKERS = ("-", "--", ":", "-."), "osD^vPX*<>"
MOST_IN_LEGEND = 20
CELL_INCHES, TITLE_SHARE, GAP_SHARE = 0.75, 0.34, 0.14


def pyplot(display: str) -> Any:
    """Import matplotlib, which is optional.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed; it says how to install it.
    """
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"{display}.plot needs matplotlib: run pip install 'skmetricmlp[plot]'"
        raise ModuleNotFoundError(msg, name=error.name) from error
    return plt


def panels(display: str, ax: Any, n: int, figsize: tuple[float, float]) -> list[Any]:
    """Return n axes in a row: of a new figure, in the place of ``ax``, or those given.

    Raises
    ------
    ValueError
        If ``ax`` is a number of axes other than n, or one without a place in a grid.
    """
    plt = pyplot(display)
    if ax is None:
        _, axes = plt.subplots(1, n, figsize=figsize, squeeze=False, layout="constrained")
        return list(axes[0])
    given = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(given) == n:
        return given
    spec = given[0].get_subplotspec() if len(given) == 1 else None
    if spec is None:
        msg = f"ax must be an axes in a grid of a figure, or {n} axes, got {ax!r}"
        raise ValueError(msg)
    given[0].set_axis_off()
    return [given[0].figure.add_subplot(part) for part in spec.subgridspec(1, n)]


def class_style(k: int) -> dict[str, Any]:
    """Color, line and marker of the k-th class: forty are told apart."""
    turn = k // len(PALETTE)
    return {
        "color": PALETTE[k % len(PALETTE)],
        "linestyle": LINES[turn % len(LINES)],
        "marker": MARKERS[turn % len(MARKERS)],
    }


def add_legend(
    ax: Any, handles: Sequence[Any], titles: Sequence[str], heading: str
) -> None:
    """Put a legend to the right of the axes; of many entries the first twenty."""
    # matplotlib 3.9 leaves out what begins with an underscore.
    shown = [
        re.sub("^_", " _", abbreviated(title, 24)) for title in titles[:MOST_IN_LEGEND]
    ]
    heading = abbreviated(str(heading), 24)
    if len(titles) > MOST_IN_LEGEND:
        heading = f"{heading}: first {MOST_IN_LEGEND} of {len(titles)}"
    ax.legend(
        handles[:MOST_IN_LEGEND],
        shown,
        title=heading,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        fontsize="small" if len(shown) <= 10 else "x-small",
        title_fontsize="small",
        frameon=False,
    )


def legend_lines(n: int) -> list[Any]:
    """Return a line in the style of each of n classes."""
    from matplotlib.lines import Line2D  # noqa: PLC0415

    return [Line2D([], [], markersize=4, **class_style(k)) for k in range(n)]


def abbreviated(text: str, length: int) -> str:
    """Cut a text to so many characters, and write it for matplotlib.

    Examples
    --------
    >>> abbreviated("versicolor", 10), abbreviated("versicolor", 6)
    ('versicolor', 'versi…')
    """
    text = visible(text)
    return drawn(text if len(text) <= length else text[: max(1, length - 1)] + "…")


def feature_ticks(ax: Any, names: Sequence[str], most: int = 24) -> None:
    """Write the names of features below the axes, upright if they are long.

    Of more than ``most`` features those at even steps are named.
    """
    step = ceil(len(names) / most)
    shown = [abbreviated(name, 24) for name in names[::step]]
    room = ax.get_window_extent().width * 72 / ax.figure.dpi / 6  # characters
    crowded = len(shown) * (max(map(len, shown)) + 1) > 0.9 * room
    turn = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    ax.set_xticks(np.arange(0, len(names), step), shown, fontsize="small", **turn)


def is_narrow(ax: Any) -> bool:
    """Say whether an axes is less than 2.4 inches wide, to begin with."""
    return bool(ax.get_window_extent().width / ax.figure.dpi < 2.4)


def value_map() -> Any:
    """Return a color map for lines, of colors that are seen on light and on dark."""
    import matplotlib as mpl  # noqa: PLC0415

    return mpl.colors.LinearSegmentedColormap.from_list("value", VALUE_COLORS)


def color_bar(im: Any, ax: Any, label: str) -> Any:
    """Add a color bar beside the axes."""
    bar = ax.figure.colorbar(im, ax=ax, fraction=0.046, pad=0.03)
    bar.set_label(label, fontsize="small")
    bar.ax.tick_params(labelsize="small")
    bar.outline.set_visible(False)
    return bar


def _paper_and_ink(ax: Any) -> tuple[Floats, Floats]:
    """Colors of the background and of the text, as the style has them."""
    import matplotlib as mpl  # noqa: PLC0415

    faces = ax.get_facecolor(), ax.figure.get_facecolor(), "white"
    solid = (mpl.colors.to_rgba(face) for face in faces)
    paper = next(color for color in solid if color[3] > 0.5)
    ink = mpl.colors.to_rgb(mpl.rcParams["text.color"])
    return np.array(paper[:3]), np.array(ink)


def ink_map(ax: Any) -> Any:
    """Return the color map from the background of the axes to the color of text."""
    import matplotlib as mpl  # noqa: PLC0415

    return mpl.colors.LinearSegmentedColormap.from_list("ink", _paper_and_ink(ax))


def diverging_map(ax: Any) -> Any:
    """Return the color map from blue over the background of the axes to orange."""
    import matplotlib as mpl  # noqa: PLC0415

    paper, ink = _paper_and_ink(ax)
    blue, orange = (np.array(mpl.colors.to_rgb(c)) for c in ("#2f7fd6", "#e2560c"))
    ends = [0.65 * blue + 0.35 * ink, blue, paper, orange, 0.65 * orange + 0.35 * ink]
    return mpl.colors.LinearSegmentedColormap.from_list("diverging", ends)


def contrasting(ax: Any, colors: Floats) -> list[Any]:
    """Return the color of text on each color: that of the style, or the background's.

    ``colors`` (n, 3) are of red, green and blue; the contrast is that of WCAG 2.
    """
    candidates = np.array(_paper_and_ink(ax))
    behind, before = (_luminance(c) + 0.05 for c in (colors, candidates))
    ratio = before[:, None] / behind
    best = np.argmax(np.maximum(ratio, 1 / ratio) * [[0.8], [1.0]], axis=0)
    return list(candidates[best])


def _luminance(colors: Floats) -> Floats:
    linear = np.where(
        colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    )
    luminance: Floats = linear @ [0.2126, 0.7152, 0.0722]
    return luminance


class Mosaic(NamedTuple):
    """Images in one: ``pixels``, missing between them, and the upper left of each."""

    pixels: Floats
    tops: Ints
    lefts: Ints


def mosaic_columns(n: int, shape: tuple[int, int]) -> int:
    """Return how many of n images stand in a row, so that the mosaic is wider than high.

    Examples
    --------
    >>> [mosaic_columns(n, (28, 28)) for n in (1, 6, 30, 60)]
    [1, 3, 8, 10]
    """
    height, width = np.add(shape, _gaps(shape))
    most = int(min(n, max(1, ceil(np.sqrt(1.4 * n * height / width)))))
    return ceil(n / ceil(n / most))


def make_mosaic(images: Floats, n_columns: int) -> Mosaic:
    """Put images side by side, with room for a title above each.

    Parameters
    ----------
    images : array of shape (n, rows, columns)
    n_columns : int

    Returns
    -------
    Mosaic
        Image k is ``pixels[tops[k] : tops[k] + rows, lefts[k] : lefts[k] + columns]``.
    """
    n, height, width = images.shape
    above, beside = _gaps((height, width))
    tops = above + (height + above) * (np.arange(n) // n_columns)
    lefts = (width + beside) * (np.arange(n) % n_columns)
    size = tops.max() + height, lefts.max() + width
    pixels = np.full(size, np.nan)
    for image, top, left in zip(images, tops, lefts, strict=True):
        pixels[top : top + height, left : left + width] = image
    return Mosaic(pixels, tops, lefts)


def _gaps(shape: tuple[int, int]) -> tuple[int, int]:
    """Pixels above each image of a mosaic, for its title, and beside it."""
    least = min(shape)
    return max(1, round(TITLE_SHARE * least)), max(1, round(GAP_SHARE * least))


def mosaic_size(n: int, n_columns: int, shape: tuple[int, int]) -> tuple[float, float]:
    """Width and height in inches of a figure for a mosaic."""
    height, width = np.add(shape, _gaps(shape)) * (CELL_INCHES / min(shape))
    scale = min(1.0, 14.0 / (width * n_columns))
    rows = ceil(n / n_columns)
    return max(2.5, scale * width * n_columns), max(1.5, scale * height * rows + 0.4)


def draw_mosaic(
    ax: Any,
    mosaic: Mosaic,
    shape: tuple[int, int],
    titles: Sequence[str],
    im_kw: Mapping[str, Any],
    text_kw: Keywords,
) -> tuple[Any, list[Any]]:
    """Draw a mosaic, with a title above each image that is as wide as the image at most.

    Returns
    -------
    im : matplotlib AxesImage
    texts : list of matplotlib Text
    """
    im = ax.imshow(mosaic.pixels, **im_kw)
    ax.set_axis_off()
    size, length = _title_size(ax, mosaic.pixels.shape, shape, titles)
    text_kw = {"ha": "center", "va": "bottom", "fontsize": size, **(text_kw or {})}
    middle = (shape[1] - 1) / 2
    texts = [
        ax.text(left + middle, top - 0.8, abbreviated(title, length), **text_kw)
        for title, top, left in zip(titles, mosaic.tops, mosaic.lefts, strict=True)
    ]
    return im, texts


def _title_size(
    ax: Any, pixels: tuple[int, ...], shape: tuple[int, int], titles: Sequence[str]
) -> tuple[float, int]:
    """Points of the font, and how many characters of it are as wide as an image."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi * min(box.width / pixels[1], box.height / pixels[0])
    above, beside = _gaps(shape)
    room = points * (shape[1] + 0.5 * beside)  # a character is 0.6 of its size wide
    longest = max(map(len, titles), default=1)
    usual = FontProperties(size="medium").get_size_in_points()
    size = min(usual, 0.8 * points * above, room / (0.6 * longest))
    size = max(size, min(usual, 5.0))
    return size, max(1, int(room / (0.6 * size)))
