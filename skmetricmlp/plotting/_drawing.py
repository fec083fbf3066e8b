"""Drawing for all displays: axes, colors, legends and mosaics of images.

Lines and text keep the colors of matplotlib's style.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from skmetricmlp._typing import Floats, Ints
from skmetricmlp.plotting._text import escape_controls, escape_for_matplotlib

__all__ = [
    "PALETTE",
    "Mosaic",
    "abbreviate",
    "add_color_bar",
    "add_legend",
    "class_style",
    "contrasting_colors",
    "diverging_map",
    "draw_mosaic",
    "import_pyplot",
    "ink_map",
    "is_narrow",
    "label_features",
    "legend_lines",
    "make_axes",
    "make_mosaic",
    "mosaic_columns",
    "mosaic_size",
    "value_map",
]

Keywords = Mapping[str, Any] | None

# These colors are distinct to color-blind readers, on light and on dark backgrounds:
# M. A. Petroff, Accessible color sequences for data visualization, arXiv 2107.02270.
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
MAX_LEGEND_ENTRIES = 20
CELL_INCHES, TITLE_SHARE, GAP_SHARE = 0.75, 0.34, 0.14


def import_pyplot(display: str) -> Any:
    """Import ``matplotlib.pyplot``. The package is optional.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed. The message has the command that installs it.
    """
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415
    except ModuleNotFoundError as error:
        msg = f"{display}.plot needs matplotlib: run pip install 'skmetricmlp[plot]'"
        raise ModuleNotFoundError(msg, name=error.name) from error
    return plt


def make_axes(display: str, ax: Any, n: int, figsize: tuple[float, float]) -> list[Any]:
    """Return n axes, which are the given ones or are made.

    Parameters
    ----------
    display : str
        Name of the display, for errors.
    ax : matplotlib Axes, sequence of n Axes, or None
        A single axes is divided into n in a row if n > 1. None makes a new figure.
    n : int
    figsize : tuple of float
        Width and height of a new figure in inches.

    Raises
    ------
    ValueError
        If ``ax`` has another number of axes than n, or is a single axes outside a grid.
    """
    plt = import_pyplot(display)
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
    """Return color, line style and marker of class k. Forty classes are distinct."""
    turn = k // len(PALETTE)
    return {
        "color": PALETTE[k % len(PALETTE)],
        "linestyle": LINES[turn % len(LINES)],
        "marker": MARKERS[turn % len(MARKERS)],
    }


def add_legend(
    ax: Any, handles: Sequence[Any], titles: Sequence[str], heading: str
) -> None:
    """Add a legend with at most twenty entries to the right of the axes."""
    # matplotlib 3.9 omits labels that begin with an underscore.
    shown = [
        re.sub("^_", " _", abbreviate(title, 24)) for title in titles[:MAX_LEGEND_ENTRIES]
    ]
    heading = abbreviate(str(heading), 24)
    if len(titles) > MAX_LEGEND_ENTRIES:
        heading = f"{heading}: first {MAX_LEGEND_ENTRIES} of {len(titles)}"
    ax.legend(
        handles[:MAX_LEGEND_ENTRIES],
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
    """Return one line for each of n classes, in the style of the class."""
    from matplotlib.lines import Line2D  # noqa: PLC0415

    return [Line2D([], [], markersize=4, **class_style(k)) for k in range(n)]


def abbreviate(text: str, length: int) -> str:
    """Shorten a text to a number of characters, and escape it for matplotlib.

    Examples
    --------
    >>> abbreviate("versicolor", 10), abbreviate("versicolor", 6)
    ('versicolor', 'versi…')
    """
    text = escape_controls(text)
    return escape_for_matplotlib(
        text if len(text) <= length else text[: max(1, length - 1)] + "…"
    )


def label_features(ax: Any, names: Sequence[str], most: int = 24) -> None:
    """Label the x axis with the names of the features.

    Long names are rotated. Of more than ``most`` features only every k-th has a label.
    """
    step = ceil(len(names) / most)
    shown = [abbreviate(name, 24) for name in names[::step]]
    n_characters = ax.get_window_extent().width * 72 / ax.figure.dpi / 6
    crowded = len(shown) * (max(map(len, shown)) + 1) > 0.9 * n_characters
    rotation = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    )
    ax.set_xticks(np.arange(0, len(names), step), shown, fontsize="small", **rotation)


def is_narrow(ax: Any) -> bool:
    """Whether an axes is less than 2.4 inches wide."""
    return bool(ax.get_window_extent().width / ax.figure.dpi < 2.4)


def value_map() -> Any:
    """Return a color map for lines, visible on light and on dark backgrounds."""
    import matplotlib as mpl  # noqa: PLC0415

    return mpl.colors.LinearSegmentedColormap.from_list("value", VALUE_COLORS)


def add_color_bar(im: Any, ax: Any, label: str) -> Any:
    """Add a color bar beside the axes."""
    bar = ax.figure.colorbar(im, ax=ax, fraction=0.046, pad=0.03)
    bar.set_label(label, fontsize="small")
    bar.ax.tick_params(labelsize="small")
    bar.outline.set_visible(False)
    return bar


def _paper_and_ink(ax: Any) -> tuple[Floats, Floats]:
    """Return the colors (3,) of the background and of the text."""
    import matplotlib as mpl  # noqa: PLC0415

    faces = ax.get_facecolor(), ax.figure.get_facecolor(), "white"
    solid = (mpl.colors.to_rgba(face) for face in faces)
    paper = next(color for color in solid if color[3] > 0.5)
    ink = mpl.colors.to_rgb(mpl.rcParams["text.color"])
    return np.array(paper[:3]), np.array(ink)


def ink_map(ax: Any) -> Any:
    """Return the color map from the background of the axes to the color of the text."""
    import matplotlib as mpl  # noqa: PLC0415

    return mpl.colors.LinearSegmentedColormap.from_list("ink", _paper_and_ink(ax))


def diverging_map(ax: Any) -> Any:
    """Return the color map from blue over the background of the axes to orange."""
    import matplotlib as mpl  # noqa: PLC0415

    paper, ink = _paper_and_ink(ax)
    blue, orange = (np.array(mpl.colors.to_rgb(c)) for c in ("#2f7fd6", "#e2560c"))
    ends = [0.65 * blue + 0.35 * ink, blue, paper, orange, 0.65 * orange + 0.35 * ink]
    return mpl.colors.LinearSegmentedColormap.from_list("diverging", ends)


def contrasting_colors(ax: Any, colors: Floats) -> list[Any]:
    """Choose a readable color of the text for each background color.

    The candidates are the colors of the text and of the axes' background, and the
    contrast is that of WCAG 2. ``colors`` has shape (n, 3): red, green and blue.
    """
    candidates = np.array(_paper_and_ink(ax))
    background, text = (_luminance(c) + 0.05 for c in (colors, candidates))
    ratio = text[:, None] / background
    best = np.argmax(np.maximum(ratio, 1 / ratio) * [[0.8], [1.0]], axis=0)
    return list(candidates[best])


def _luminance(colors: Floats) -> Floats:
    linear = np.where(
        colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    )
    luminance: Floats = linear @ [0.2126, 0.7152, 0.0722]
    return luminance


class Mosaic(NamedTuple):
    """Several images in one array.

    ``pixels`` is NaN between the images. Image k begins at row ``tops[k]`` and column
    ``lefts[k]``.
    """

    pixels: Floats
    tops: Ints
    lefts: Ints


def mosaic_columns(n: int, shape: tuple[int, int]) -> int:
    """Return a number of columns that makes the mosaic of n images wider than high.

    Examples
    --------
    >>> [mosaic_columns(n, (28, 28)) for n in (1, 6, 30, 60)]
    [1, 3, 8, 10]
    """
    height, width = np.add(shape, _gaps(shape))
    most = int(min(n, max(1, ceil(np.sqrt(1.4 * n * height / width)))))
    return ceil(n / ceil(n / most))


def make_mosaic(images: Floats, n_columns: int) -> Mosaic:
    """Arrange images in a grid, with space for a title above each.

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
    above, between = _gaps((height, width))
    tops = above + (height + above) * (np.arange(n) // n_columns)
    lefts = (width + between) * (np.arange(n) % n_columns)
    size = tops.max() + height, lefts.max() + width
    pixels = np.full(size, np.nan)
    for image, top, left in zip(images, tops, lefts, strict=True):
        pixels[top : top + height, left : left + width] = image
    return Mosaic(pixels, tops, lefts)


def _gaps(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the pixels above each image of a mosaic, for its title, and beside it."""
    side = min(shape)
    return max(1, round(TITLE_SHARE * side)), max(1, round(GAP_SHARE * side))


def mosaic_size(n: int, n_columns: int, shape: tuple[int, int]) -> tuple[float, float]:
    """Return the width and height in inches of a figure for a mosaic."""
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
    """Draw a mosaic, with a title above each image that is no wider than the image.

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
        ax.text(left + middle, top - 0.8, abbreviate(title, length), **text_kw)
        for title, top, left in zip(titles, mosaic.tops, mosaic.lefts, strict=True)
    ]
    return im, texts


def _title_size(
    ax: Any, pixels: tuple[int, ...], shape: tuple[int, int], titles: Sequence[str]
) -> tuple[float, int]:
    """Return the font size in points, and how many characters fit above an image."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi * min(box.width / pixels[1], box.height / pixels[0])
    above, between = _gaps(shape)
    # A character is about 0.6 times as wide as its font size.
    room = points * (shape[1] + 0.5 * between)
    longest = max(map(len, titles), default=1)
    usual = FontProperties(size="medium").get_size_in_points()
    size = min(usual, 0.8 * points * above, room / (0.6 * longest))
    size = max(size, min(usual, 5.0))
    return size, max(1, int(room / (0.6 * size)))
