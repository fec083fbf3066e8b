"""Plot the tables "Few labels" of docs/benchmarks.md."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "benchmarks.md").read_text(encoding="utf-8")
section = text.split("## Few labels\n")[1].split("\n## ")[0]
blocks = re.findall(r"\*\*(\d+) labels.*?\n\n(.*?)\n\n", section, re.DOTALL)
DRAWN = {
    "calculated": ("calculated, untrained", "#2a7fb8", "o-"),
    "random, fitted": ("random units, same output", "#e07b39", "s-"),
    "extra trees": ("extra trees", "#8c6bb1", "^-"),
    "linear": ("logistic regression", "#3d9a63", "D-"),
    "boosting": ("gradient boosting", "0.45", "v-"),
    "k-NN": ("k-NN", "0.7", "x-"),
}

figure, panel = plt.subplots(figsize=(7, 3.4))
for name, (label, color, style) in DRAWN.items():
    points = []
    for n_labels, table in blocks:
        cells = re.search(rf"^\| {name} \| (.+)$", table, re.MULTILINE)[1].split(" | ")
        points.append((int(n_labels), float(cells[1])))
    panel.plot(*zip(*points, strict=True), style, color=color, label=label, ms=5)
panel.set(xscale="log", xlabel="labeled rows per class", ylabel="mean accuracy")
panel.set_xticks([5, 10, 20, 50], [5, 10, 20, 50], minor=False)
panel.minorticks_off()
panel.legend(frameon=False, fontsize=8)
plt.show()
