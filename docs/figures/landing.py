"""Plot predictions from random and calculated weights before training."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier

X, y = make_moons(400, noise=0.25, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
u, v = np.meshgrid(np.linspace(-1.7, 2.7, 240), np.linspace(-1.3, 1.8, 170))
plane = np.stack([u.ravel(), v.ravel()], axis=1)
two = ListedColormap(["#2a7fb8", "#e07b39"])
STARTS = {
    "random": {"init": "random"},
    "random, fitted output": {"init": "random", "output_init": "ridge"},
    "calculated": {},
}

figure, panels = plt.subplots(1, 3, figsize=(9, 2.5))
for panel, (name, start) in zip(panels, STARTS.items(), strict=True):
    clf = MetricInitMLPClassifier(n_exemplars=12, max_iter=0, random_state=0, **start)
    accuracy = clf.fit(X_train, y_train).score(X_test, y_test)
    shares = clf.predict_proba(plane)[:, 1].reshape(u.shape)
    panel.contourf(
        u, v, shares, levels=np.linspace(0, 1, 11), cmap="RdYlBu_r", alpha=0.55
    )
    panel.contour(u, v, shares, levels=[0.5], colors="0.2", linewidths=1.3)
    panel.scatter(*X_test.T, c=y_test, cmap=two, s=12, edgecolors="none")
    if not start:
        panel.scatter(*clf.exemplars_.T, c="white", s=32, edgecolors="0.1", marker="D")
    panel.set_title(f"{name}: {accuracy:.2f}", size=11)
    panel.set(xticks=[], yticks=[])
plt.show()
