"""Turn what ``benchmarks/tables.py`` prints into tables of Markdown that fit a page.

    python benchmarks/tables.py --data FOLDER --results FILE > FILE.txt
    python benchmarks/markdown.py < FILE.txt

The time of predictions is left out. Lines that belong to no table stay as they are.
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
        elif heading and line == "model":
            names = [SHOWN[name][0] for name in heading if name in SHOWN]
            yield from ("", row(["model", *names]), row(["---"] * (1 + len(names))))
        elif heading and len(cells) == 1 + len(heading):
            numbers = dict(zip(heading, map(float, cells[1:]), strict=True))
            yield row([cells[0], *written(numbers)])
        else:
            if heading:
                yield ""
            heading = []
            yield f"**{line.strip('= ')}**" if line.startswith("===") else line


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def written(numbers: dict[str, float]) -> Iterator[str]:
    """Yield the cells of a model; it is not ahead of itself."""
    for name, (_, decimals) in SHOWN.items():
        if name == "ours ahead by" and name in numbers:
            gap, deviation = numbers[name], numbers["+-"]
            yield f"{gap:.4f} ± {deviation:.4f}" if gap or deviation else ""
        elif name in numbers:
            yield f"{numbers[name]:.{decimals}f}"


if __name__ == "__main__":
    main()
