"""Plot the tables "Under the protocol of the source" of docs/benchmarks.md."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "benchmarks.md").read_text(encoding="utf-8")
section = text.split("### Under the protocol of the source")[1].split("\n## ")[0]
rows = re.findall(r"^(\d*) +(metric|random) +([-\d. ]+)$", section, re.MULTILINE)
REPORTED = {("60000", "metric"): [(0, 0.63)], ("20000", "metric"): [(3, 0.908)]}
REPORTED["20000", "random"] = [(3, 0.803)]
LOOKS = {
    "metric": ("calculated", "#2a7fb8", "o"),
    "random": ("random", "#e07b39", "s"),
}

figure, panels = plt.subplots(1, 3, figsize=(9.6, 2.9), sharey=True)
shown = iter(panels)
for size, start, cells in rows:
    if size:
        panel, n_rows = next(shown), size
        panel.set(title=f"{int(size):,} rows", xlabel="epochs", xticks=range(4))
    name, color, marker = LOOKS[start]
    accuracies = [float(cell) for cell in cells.split()[:4]]
    panel.plot(accuracies, color=color, marker=marker, ms=5, label=f"{name}, ours")
    for epoch, accuracy in REPORTED.get((n_rows, start), []):
        hollow = dict(mfc="none", ms=9, mew=1.6, clip_on=False, ls="")
        panel.plot(
            epoch, accuracy, marker, color=color, label=f"{name}, source", **hollow
        )
panels[0].set_ylabel("test accuracy")
panels[2].legend(frameon=False, loc="lower right")
plt.show()
