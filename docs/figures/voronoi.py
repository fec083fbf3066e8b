"""Plot comparisons, their counts and the Voronoi cells of six exemplars in a plane."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from skmetricmlp.metrics.formulas import squared_euclidean

COLORS = np.array(["#2a7fb8", "#e07b39", "#3d9a63"])
points = np.array(
    [[1.3, 2.4], [3.1, 3.2], [4.6, 1.9], [1.0, 0.8], [2.9, 1.3], [4.4, 3.6]]
)
labels = np.array([0, 0, 1, 2, 2, 1])
i, j = 4, 1

# D[cell, i] is affine in the cell, up to a term that all exemplars share.
A, b = squared_euclidean(points)
u, v = np.meshgrid(np.linspace(0, 5.5, 400), np.linspace(0, 4.4, 320))
D = np.stack([u, v], axis=-1) @ A.T + b
z = D - D[..., [i]]  # z[..., j] > 0: nearer to i than to j
wins = (z > 0).sum(axis=-1)

figure, (one, count, cells) = plt.subplots(1, 3, figsize=(9.6, 2.9))
blues = ListedColormap(plt.colormaps["Greens"](np.linspace(0.05, 0.75, len(points))))
one.contourf(u, v, z[..., j] > 0, levels=[-0.5, 0.5, 1.5], cmap=blues)
one.set_title("one comparison, $z_{ij} > 0$")
for other in range(len(points)):
    if other != i:
        count.contour(u, v, z[..., other], levels=[0], colors="0.35", linewidths=0.8)
steps = np.arange(len(points) + 1) - 0.5
drawn = count.contourf(u, v, wins, levels=steps, cmap=blues, zorder=-1)
figure.colorbar(drawn, ax=count, ticks=range(len(points)), shrink=0.9)
count.set_title(r"wins of one exemplar, $\sum_j h_{ij}$")
nearest = D.argmin(axis=-1)
cells.imshow(
    labels[nearest],
    cmap=ListedColormap(COLORS),
    alpha=0.35,
    origin="lower",
    extent=(0, 5.5, 0, 4.4),
    aspect="auto",
)
for cell in range(len(points)):
    cells.contour(u, v, nearest == cell, levels=[0.5], colors="0.35", linewidths=0.8)
cells.set_title("all winners, colored by class")
for panel in (one, count, cells):
    panel.scatter(*points.T, c=COLORS[labels], s=45, edgecolors="white", zorder=3)
    panel.set(xticks=[], yticks=[])
for name, k in (("i", i), ("j", j)):
    one.annotate(f"${name}$", points[k], xytext=(6, 4), textcoords="offset points")
plt.show()
