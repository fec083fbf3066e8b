"""Plot the table of MNIST in docs/scale.md: gain and cost of more exemplars."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "scale.md").read_text(encoding="utf-8")
table = text.split("```text")[1].split("```")[0]
ROW = re.compile(r"^(\d*) +(default|untied, all|tied, 10) +([-\d,. ]+)$", re.MULTILINE)
forms = {"default": [], "tied, 10": [], "untied, all": []}
count = 0
for given, form, cells in ROW.findall(table):
    count = int(given or count)
    forms[form].append((count, *(float(c.replace(",", "")) for c in cells.split())))

figure, (accuracy, cost) = plt.subplots(1, 2, figsize=(9.6, 2.9))
for form, color in (("default", "#2a7fb8"), ("tied, 10", "#e07b39")):
    counts, _, _, _, untrained, epoch, _, peak, linear = zip(*forms[form], strict=True)
    accuracy.plot(counts, untrained, "o--", color=color, label=f"{form}, untrained")
    accuracy.plot(counts, linear, "o-", color=color, label=f"{form}, 3 epochs")
    cost.plot(counts, epoch, "o-", color=color, label=f"{form}, seconds per epoch")
    gib = [mib / 1024 for mib in peak]
    cost.plot(counts, gib, "s--", color=color, label=f"{form}, peak GiB")
accuracy.set(xscale="log", xlabel="exemplars", ylabel="test accuracy")
cost.set(xscale="log", yscale="log", xlabel="exemplars")
for panel in (accuracy, cost):
    panel.legend(frameon=False, fontsize=7)
plt.show()
