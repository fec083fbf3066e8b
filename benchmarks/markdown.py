"""Turn what ``benchmarks/tables.py`` prints into tables of Markdown that fit a page.

    python benchmarks/tables.py --data FOLDER --results FILE > FILE.txt
    python benchmarks/markdown.py < FILE.txt

Lines that belong to no table stay as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

SHORT = {
    "mean rank": ("rank", 2),
    "mean accuracy": ("accuracy", 3),
    "mean log loss": ("log loss", 3),
    "rank of loss": ("its rank", 2),
    "mean rmse": ("RMSE", 3),
    "ratio to ours": ("ratio", 3),
    "fit s": ("fit (s)", 2),
    "predict s": ("predict (s)", 3),
    "fit / boosting": ("fit / boosting", 2),
    "ours ahead by": ("ahead by", 4),
    "+-": ("±", 4),
}


def main() -> None:
    print("\n".join(converted(line.rstrip("\n") for line in sys.stdin)))


def converted(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with each table converted."""
    heading: list[str] = []
    for line in lines:
        cells = re.split(r"\s{2,}", line.strip())
        if line.startswith(" ") and set(cells) <= set(SHORT):
            heading = cells
        elif heading and line == "model":
            yield from ("", row(["model", *(SHORT[name][0] for name in heading)]))
            yield row(["---"] * (1 + len(heading)))
        elif heading and len(cells) == 1 + len(heading):
            yield row([cells[0], *map(rounded, heading, cells[1:])])
        else:
            if heading:
                yield ""
            heading = []
            yield f"**{line.strip('= ')}**" if line.startswith("===") else line


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rounded(name: str, cell: str) -> str:
    return f"{float(cell):.{SHORT[name][1]}f}".replace("-0.0000", "0.0000")


if __name__ == "__main__":
    main()
