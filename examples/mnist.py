"""
MNIST from thirty exemplars
===========================

The setting of the source of the method: thirty images decide what all others are, and
training refines that. The images come from OpenML, or from a file that you have::

    python examples/mnist.py path/to/mnist.npz

in which ``x_train``, ``y_train``, ``x_test`` and ``y_test`` are arrays, as in the file
that Keras downloads. Without a network and without a file it makes do with the small
digits of scikit-learn.
"""

# %%
import math
import sys
import warnings
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import fetch_openml, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.plotting import ExemplarsDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are meant
N_TRAIN = 10_000  # of 60,000, so that it takes seconds
N_EPOCHS = 3


def of_file(path):
    """Read images and labels, to train on and to test on, from a file of NumPy."""
    names = ("x_train", "x_test", "y_train", "y_test")
    with np.load(path) as arrays:
        if missing := [name for name in names if name not in arrays]:
            sys.exit(f"{path} has no {', '.join(missing)}, but {', '.join(arrays)}")
        X_train, X_test, y_train, y_test = (arrays[name] for name in names)
    side = math.isqrt(X_train[0].size)  # images may be there as rows, too
    X_train, X_test = (X.reshape(-1, side, side) for X in (X_train, X_test))
    return X_train, X_test, y_train.ravel(), y_test.ravel()


def of_openml():
    """Fetch the same, 15 MB; scikit-learn keeps them for the next time."""
    with warnings.catch_warnings(action="ignore"):  # of the second try
        X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False, n_retries=1)
    X = X.reshape(-1, 28, 28)
    return X[:60_000], X[60_000:], y[:60_000].astype(int), y[60_000:].astype(int)


def of_scikit_learn():
    """Load the digits of 8 by 8 pixels that come with scikit-learn."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.reshape(-1, 8, 8), y, random_state=0)


def images():
    """Get images with values from 0 to 1, and their labels."""
    if sys.argv[1:]:
        X_train, X_test, y_train, y_test = of_file(sys.argv[1])
        print(f"images of {sys.argv[1]}")
    else:
        try:
            X_train, X_test, y_train, y_test = of_openml()
            print("MNIST of OpenML")
        except OSError as error:
            X_train, X_test, y_train, y_test = of_scikit_learn()
            print(f"OpenML cannot be reached ({error}).")
            print("These are the small digits of scikit-learn instead.")
    order = np.random.default_rng(0).permutation(len(y_train))[:N_TRAIN]
    greatest = X_train.max()
    X_train, X_test = ((X / greatest).astype(np.float32) for X in (X_train, X_test))
    return X_train[order], X_test, y_train[order], y_test


X_train, X_test, y_train, y_test = images()
image_shape = X_train.shape[1:]
X_train, X_test = (X.reshape(len(X), -1) for X in (X_train, X_test))
print(f"{len(X_train)} images to train on, {len(X_test)} to test on, {image_shape}\n")

# %%
# The source takes any three images of each digit, and the distances between the black
# pixels of two. Centers of clusters are better exemplars, and outputs that are fitted to
# the training rows, which is the default, are better than votes.
MODELS = {
    "as in the source": MetricInitMLPClassifier(
        exemplars="random",
        metric="chamfer",
        metric_params={"image_shape": image_shape},
        n_neighbors=1,
        random_state=0,
    ),
    "k-means, votes": MetricInitMLPClassifier(n_neighbors=1, random_state=0),
    "by default": MetricInitMLPClassifier(random_state=0),
}
accuracies = {}
print(f"{'accuracy':18} untrained   after each epoch   seconds")
for name, model in MODELS.items():
    started = perf_counter()
    model.set_params(n_exemplars=30, max_iter=0).fit(X_train, y_train)
    values = [model.score(X_test, y_test)]
    for _ in range(N_EPOCHS):
        model.partial_fit(X_train, y_train)
        values.append(model.score(X_test, y_test))
    accuracies[name] = values
    shown = "   ".join(f"{value:.3f}" for value in values)
    print(f"{name:18} {shown}   {perf_counter() - started:.1f}")

# %%
# Thirty images of the training rows, and thirty centers of clusters.
figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for panel, name in zip(panels, MODELS, strict=False):
    ExemplarsDisplay.from_estimator(MODELS[name], image_shape=image_shape, ax=panel)
    panel.set_title(name)

# %%
figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
for name, values in accuracies.items():
    axes.plot(values, marker="o", label=name)
axes.set(xlabel="epochs of training", ylabel="accuracy on test images")
axes.set_xticks(range(N_EPOCHS + 1))
axes.legend()
plt.show()
