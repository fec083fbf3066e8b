"""Plot the weights of comparison units as images, for two metrics."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skmetricmlp import MetricInitMLPClassifier

X, y = load_digits(return_X_y=True)
X = X / 16
figure, panels = plt.subplots(2, 5, figsize=(9.6, 3.9))
for row, (metric, params) in zip(
    panels, (("sqeuclidean", None), ("chamfer", {"image_shape": (8, 8)})), strict=True
):
    clf = MetricInitMLPClassifier(
        exemplars="kmedoids",
        n_exemplars=10,
        metric=metric,
        metric_params=params,
        n_neighbors=1,
        activation="logistic",
        max_iter=0,
        random_state=0,
    ).fit(X, y)
    tables = clf.coefs_[0].T.reshape(10, 9, 8, 8)
    i, others = 3, (5, 8, 9)
    for panel, label in zip(row[:2], (i, others[0]), strict=True):
        panel.imshow(clf.exemplars_[label].reshape(8, 8), cmap="gray_r")
        panel.set_title(f"exemplar of {label}")
    for panel, j in zip(row[2:], others, strict=True):
        table = tables[i, j - (j > i)]
        limit = np.abs(table).max()
        panel.imshow(table, cmap="RdBu_r", vmin=-limit, vmax=limit)
        panel.set_title(f"nearer to {i} than to {j}")
    row[0].set_ylabel(metric)
for panel in panels.flat:
    panel.set(xticks=[], yticks=[])
plt.show()
