"""
Few images, and what their filters compare
==========================================

Handwritten digits of 8 x 8 pixels, of which few have labels. The filters are calculated
from patches of the images that are given, and the output in closed form: no step of
training is taken. Below it is what the filters compare, and which patches made one
prediction.
"""

# %%
# Accuracy by number of labels, beside a support vector machine on pixels and a logistic
# regression.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons, explain_patches
from skmetricmlp.plotting import FiltersDisplay

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, test_size=0.5, random_state=0)

images = make_pipeline(
    PatchComparisons((8, 8), patch_size=4, n_comparisons=150, random_state=0),
    MetricInitMLPClassifier(n_comparisons=0, max_iter=0),
)
models = {
    "comparisons of patches": images,
    "support vector machine": SVC(C=10.0),
    "logistic regression": LogisticRegression(max_iter=1000),
}
labels = 20, 50, 100, 200, 400
_, ax = plt.subplots(layout="constrained")
for name, model in models.items():
    scores = [model.fit(X[:n], y[:n]).score(X_test, y_test) for n in labels]
    print(f"{name:24}", *(f"{score:.3f}" for score in scores))
    ax.plot(labels, scores, "o-", label=name)
ax.set(xscale="log", xticks=labels, xticklabels=labels)
ax.set(xlabel="labels", ylabel="accuracy on test images")
ax.legend()

# %%
# Each column is a filter. It responds where a patch is nearer to the first exemplar than
# to the second one. At the bottom are its responses to one image.

images.fit(X[:400], y[:400])
FiltersDisplay.from_estimator(images, X_test[0])

# %%
# The output of the predicted class is a sum over patches. Red ones speak for it.

image = X_test[:1]
explained = explain_patches(images, image, n_patches=None)
print(explained.head(5).to_string(index=False))

places = explained.dropna()
rows, columns = (places[name].astype(int) for name in ("top", "left"))
contributions = np.zeros((rows.max() + 1, columns.max() + 1))
contributions[rows, columns] = places["contribution"]
most = abs(contributions).max()

_, axes = plt.subplots(1, 2, layout="constrained", figsize=(6, 3))
axes[0].imshow(image.reshape(8, 8), cmap="gray_r")
axes[0].set(title=f"predicted {images.predict(image)[0]}", xticks=[], yticks=[])
axes[1].imshow(contributions, cmap="RdBu_r", vmin=-most, vmax=most)
axes[1].set(title="contribution of each patch", xlabel="left", ylabel="top")
plt.show()
