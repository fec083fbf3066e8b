"""Plot the table of MNIST in docs/scale.md: gain and cost of more exemplars."""

from pathlib import Path

import matplotlib.pyplot as plt

text = (Path.cwd().parent / "scale.md").read_text(encoding="utf-8")
table = text.split("```text")[1].split("```")[0]
lines = [line.split() for line in table.splitlines() if "tied, 10" in line]
# The count of the first pair of lines is in the line above.
rows = [line[-8:] for line in lines]
counts = [30, *(int(line[0]) for line in lines[1:])]
_, _, _, untrained, epoch, trained, peak, linear = (
    [float(cell.replace(",", "")) for cell in column]
    for column in zip(*rows, strict=True)
)

figure, (accuracy, cost) = plt.subplots(1, 2, figsize=(9.6, 2.9))
accuracy.plot(counts, untrained, "o-", color="#2a7fb8", label="untrained")
accuracy.plot(counts, trained, "s-", color="#e07b39", label="3 epochs")
accuracy.plot(counts, linear, "D-", color="#3d9a63", label="3 epochs, linear rate")
accuracy.set(xscale="log", xlabel="exemplars", ylabel="test accuracy")
accuracy.legend(frameon=False, fontsize=8)
cost.plot(counts, epoch, "o-", color="0.3", label="seconds per epoch")
cost.plot(counts, [mib / 1024 for mib in peak], "s-", color="#8c6bb1", label="peak GiB")
cost.set(xscale="log", yscale="log", xlabel="exemplars")
cost.legend(frameon=False, fontsize=8)
plt.show()
