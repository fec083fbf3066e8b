"""Turn what ``benchmarks/tables.py`` prints into tables of Markdown that fit a page.

    python benchmarks/tables.py --data FOLDER --results FILE > FILE.txt
    python benchmarks/as_markdown.py < FILE.txt

Times are left out if they are there as a ratio too. Lines that belong to no table stay.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

# Heading and decimals of each column.
SHOWN = {
    "mean rank": ("rank", 2),
    "mean accuracy": ("accuracy", 3),
    "mean log loss": ("log loss", 3),
    "rank of loss": ("its rank", 2),
    "mean rmse": ("RMSE", 3),
    "ratio to ours": ("ratio", 3),
    "fit s": ("fit (s)", 2),
    "fit / boosting": ("fit / boosting", 2),
    "ours ahead by": ("ahead by", 4),
}
OTHERS = {"predict s", "+-"}


def main() -> None:
    print("\n".join(converted(line.rstrip("\n") for line in sys.stdin)))


def converted(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with each table converted."""
    heading: list[str] = []
    for line in lines:
        cells = re.split(r"\s{2,}", line.strip())
        if line.startswith(" ") and set(cells) <= SHOWN.keys() | OTHERS:
            heading = cells
        elif heading and cells == ["model"]:
            names = [SHOWN[name][0] for name in kept(heading)]
            yield from ("", row(["model", *names]), row(["---"] * (1 + len(names))))
        elif heading and len(cells) == 1 + len(heading):
            numbers = dict(zip(heading, map(float, cells[1:]), strict=True))
            yield row([cells[0], *(written(name, numbers) for name in kept(heading))])
        else:
            if heading:
                yield ""
            heading = []
            is_title = line.startswith("===")
            yield from ("", f"**{line.strip('= ')}**") if is_title else (line,)


def kept(heading: list[str]) -> list[str]:
    """Return the columns to show."""
    twice = {"fit s"} if "fit / boosting" in heading else set()
    return [name for name in SHOWN if name in heading and name not in twice]


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def written(name: str, numbers: dict[str, float]) -> str:
    """Return a cell; a model is not ahead of itself."""
    decimals = SHOWN[name][1]
    if name != "ours ahead by":
        return f"{numbers[name]:.{decimals}f}"
    deviation = numbers["+-"]
    return f"{numbers[name]:.{decimals}f}±{deviation:.{decimals}f}" if deviation else ""


if __name__ == "__main__":
    main()
