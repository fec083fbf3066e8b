"""Plot the tables "Under the protocol of the source" of docs/benchmarks.md."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "benchmarks.md").read_text(encoding="utf-8")
section = text.split("### Under the protocol of the source")[1].split("\n## ")[0]
rows = re.findall(r"^(\d*) +(metric|random) +([-\d. ]+)$", section, re.MULTILINE)
# By epoch. The 0.63 is of 60,000 rows, on which nothing depends before training.
REPORTED = {"metric": [(0, 0.63), (3, 0.908)], "random": [(3, 0.803)]}
LOOKS = {
    "metric": ("calculated", "#2a7fb8", "o"),
    "random": ("random", "#e07b39", "s"),
}

_, panel = plt.subplots(figsize=(5.2, 2.9))
panel.set(title="20,000 rows", xlabel="epochs", xticks=range(4), ylabel="test accuracy")
for _, start, cells in rows:
    name, color, marker = LOOKS[start]
    accuracies = [float(cell) for cell in cells.split()[:4]]
    panel.plot(accuracies, color=color, marker=marker, ms=5, label=f"{name}, ours")
    epochs, reported = zip(*REPORTED[start], strict=True)
    hollow = {"mfc": "none", "ms": 9, "mew": 1.6, "clip_on": False, "ls": ""}
    label = f"{name}, source"
    panel.plot(epochs, reported, marker, color=color, label=label, **hollow)
panel.legend(frameon=False, loc="lower right")
plt.show()
