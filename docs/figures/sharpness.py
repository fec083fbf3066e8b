"""Plot an exemplar unit along a line, for several values of sharpness."""

import matplotlib.pyplot as plt
import numpy as np

from skmetricmlp import MetricInitMLPClassifier

points = np.array([[0.0], [1.0], [2.2], [3.0]])
way = np.linspace(-0.7, 3.7, 600)[:, None]
X = np.random.default_rng(0).uniform(-0.7, 3.7, (300, 1))
y = np.abs(X - points.T).argmin(axis=1)

figure, panels = plt.subplots(1, 2, figsize=(9.6, 2.8), sharey=True)
for panel, activation in zip(panels, ("logistic", "relu"), strict=True):
    shades = plt.colormaps["viridis"](np.linspace(0.9, 0, 5))
    for sharpness, shade in zip((0.25, 0.5, 1, 4, 100), shades, strict=True):
        clf = MetricInitMLPClassifier(
            exemplars=(points, np.arange(4)),
            n_neighbors=1,
            activation=activation,
            sharpness=sharpness,
            max_iter=0,
        ).fit(X, y)
        values = clf.network_.activations(way)[2][:, 1]
        width = 2.4 if sharpness == 1 else 1.1
        panel.plot(way, values, color=shade, lw=width, label=f"{sharpness:g}")
    panel.plot(points, np.zeros(4), "o", color="0.5", clip_on=False)
    panel.axvspan(0.5, 1.6, color="0.5", alpha=0.12, lw=0)
    panel.set(title=f"{activation}: $e_2$", xlabel="$x$")
panels[1].legend(title="sharpness", frameon=False)
plt.show()
