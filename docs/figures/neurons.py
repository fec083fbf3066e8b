"""Plot the values of a comparison unit and of an exemplar unit over a plane."""

import matplotlib.pyplot as plt
import numpy as np

from skmetricmlp import MetricInitMLPClassifier

points = np.array(
    [[1.3, 2.4], [3.1, 3.2], [4.6, 1.9], [1.0, 0.8], [2.9, 1.3], [4.4, 3.6]]
)
labels = np.array([0, 0, 1, 2, 2, 1])
i, j = 4, 1
u, v = np.meshgrid(np.linspace(0, 5.5, 200), np.linspace(0, 4.4, 160))
plane = np.stack([u.ravel(), v.ravel()], axis=1)
X = np.random.default_rng(0).uniform([0, 0], [5.5, 4.4], (300, 2))
y = labels[np.linalg.norm(X[:, None] - points, axis=2).argmin(axis=1)]

figure, panels = plt.subplots(2, 3, figsize=(9.6, 5), sharex=True, sharey=True)
for (top, bottom), activation in zip(panels.T, ("step", "logistic", "relu"), strict=True):
    clf = MetricInitMLPClassifier(
        exemplars=(points, labels),
        n_neighbors=1,
        activation=activation,
        max_iter=0,
    ).fit(X, y)
    _, comparisons, exemplars = clf.network_.activations(plane)
    # Unit (i, j) is at position i (N - 1) + j, minus one if j > i.
    neuron = i * (len(points) - 1) + j - (j > i)
    named = {"relu": "defeats"}.get(activation, "wins")
    for panel, values, title in (
        (top, comparisons[:, neuron], f"{activation}: $h_{{ij}}$, {named}"),
        (bottom, exemplars[:, i], f"{activation}: $e_i$"),
    ):
        drawn = panel.pcolormesh(u, v, values.reshape(u.shape), cmap="viridis")
        figure.colorbar(drawn, ax=panel, shrink=0.9)
        panel.scatter(*points.T, c="white", s=14, edgecolors="black", linewidths=0.6)
        for name, k in (("i", i), ("j", j)):
            panel.annotate(
                f"${name}$",
                points[k],
                xytext=(5, 3),
                textcoords="offset points",
                color="0.1" if activation != "relu" else "white",
            )
        panel.set(title=title, xticks=[], yticks=[])
plt.show()
