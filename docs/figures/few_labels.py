"""Plot the tables "Few labels" of docs/benchmarks.md."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "benchmarks.md").read_text(encoding="utf-8")
section = text.split("### Few labels")[1].split("\n## ")[0]
blocks = re.findall(
    r"(\d+) labeled rows per class\n(.*?)(?:\n\n|```)", section, re.DOTALL
)
# The index of the column among 0, 1, 5, 20, 50 and "-".
DRAWN = {
    "metric": (0, "calculated, untrained", "#2a7fb8", "o-"),
    "random": (4, "random, 50 epochs", "#e07b39", "s-"),
    "MLP same": (4, "MLPClassifier, 50 epochs", "#8c6bb1", "^-"),
    "logistic regression": (5, "logistic regression", "#3d9a63", "D-"),
    "gradient boosting": (5, "gradient boosting", "0.45", "v-"),
    "k-NN": (5, "k-NN", "0.7", "x-"),
}

figure, panel = plt.subplots(figsize=(7, 3.4))
for name, (column, label, color, style) in DRAWN.items():
    points = []
    for n_labels, table in blocks:
        cells = re.search(rf"^{name} +(.+)$", table, re.MULTILINE)[1].split()
        points.append((int(n_labels), float(cells[column])))
    panel.plot(*zip(*points, strict=True), style, color=color, label=label, ms=5)
panel.set(xscale="log", xlabel="labeled rows per class", ylabel="mean accuracy")
panel.set_xticks([5, 10, 20, 50], [5, 10, 20, 50], minor=False)
panel.minorticks_off()
panel.legend(frameon=False, fontsize=8)
plt.show()
