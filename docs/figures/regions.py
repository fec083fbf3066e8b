"""Plot class regions from calculated and random weights, before and after training."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier

X, y = make_moons(400, noise=0.25, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
u, v = np.meshgrid(np.linspace(-1.8, 2.8, 200), np.linspace(-1.4, 1.9, 160))
plane = np.stack([u.ravel(), v.ravel()], axis=1)
two = ListedColormap(["#2a7fb8", "#e07b39"])

figure, panels = plt.subplots(2, 3, figsize=(9.6, 5), sharex=True, sharey=True)
for row, init in zip(panels, ("metric", "random"), strict=True):
    clf = MetricInitMLPClassifier(init, n_exemplars=12, max_iter=0, random_state=0)
    clf.fit(X_train, y_train)
    trained = 0
    for panel, epochs in zip(row, (0, 1, 20), strict=True):
        for _ in range(epochs - trained):
            clf.partial_fit(X_train, y_train)
        trained = epochs
        shares = clf.predict_proba(plane)[:, 1].reshape(u.shape)
        panel.contourf(
            u, v, shares, levels=np.linspace(0, 1, 11), cmap="RdYlBu_r", alpha=0.6
        )
        panel.contour(u, v, shares, levels=[0.5], colors="0.2", linewidths=1)
        panel.scatter(*X_test.T, c=y_test, cmap=two, s=9, edgecolors="none")
        if init == "metric":
            panel.scatter(
                *clf.exemplars_.T, c="white", s=28, edgecolors="0.1", marker="D"
            )
        name = {"metric": "calculated", "random": "random"}[init]
        passed = f"{epochs} epochs" if epochs > 1 else ("untrained", "1 epoch")[epochs]
        accuracy = clf.score(X_test, y_test)
        panel.set(title=f"{name}, {passed}: {accuracy:.2f}", xticks=[], yticks=[])
plt.show()
