"""Plot the first table of docs/benchmarks.md: mean accuracy over sixteen data sets."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "benchmarks.md").read_text(encoding="utf-8")
table = re.search(r"mean accuracy over 16 sets, after epoch\n(.*?)\n\n", text, re.DOTALL)[
    1
]
EPOCHS = [0, 1, 5, 20, 50]
DRAWN = {
    "metric": ("calculated weights", "#2a7fb8", "o-"),
    "random": ("random weights, same network", "#e07b39", "s-"),
    "MLP same": ("MLPClassifier, same size", "#8c6bb1", "^-"),
    "MLP 100": ("MLPClassifier, default", "#b59ad0", "v-"),
}
figure, panel = plt.subplots(figsize=(7, 3.3))
for line in table.splitlines()[2:]:
    name, *cells = re.match(r"(.+?)\s+((?:[-.\d]+\s*){7})$", line).groups()
    values = [float(cell) if cell != "-" else None for cell in cells[0].split()]
    if name in DRAWN:
        label, color, style = DRAWN[name]
        known = [(e, v) for e, v in enumerate(values[:5]) if v is not None]
        panel.plot(*zip(*known, strict=True), style, color=color, label=label, ms=5)
    elif name in {"gradient boosting", "1-NN exemplars"}:
        panel.axhline(values[-1], color="0.5", lw=0.9, ls=":")
        panel.text(4.2, values[-1], name, va="center", color="0.35", fontsize=8)
panel.set(
    xticks=range(5),
    xticklabels=EPOCHS,
    xlim=(-0.1, 4.15),
    xlabel="epochs",
    ylabel="accuracy",
)
panel.legend(frameon=False, loc="lower right")
plt.show()
