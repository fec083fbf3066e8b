"""
MNIST from thirty exemplars
===========================

The setting of the source of the method: a network is calculated from thirty images, and
training refines it. The images are downloaded from OpenML, or read from a file::

    python examples/mnist.py path/to/mnist.npz

The file contains the arrays ``x_train``, ``y_train``, ``x_test`` and ``y_test``, like
the file that Keras downloads. Without a file and without a network connection the
example uses the small digits of scikit-learn.
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
    """Read training and test images and their labels from a NumPy file."""
    names = ("x_train", "x_test", "y_train", "y_test")
    with np.load(path) as arrays:
        if missing := [name for name in names if name not in arrays]:
            sys.exit(f"{path} has no {', '.join(missing)}, but {', '.join(arrays)}")
        X_train, X_test, y_train, y_test = (arrays[name] for name in names)
    side = math.isqrt(X_train[0].size)  # images may also be stored as rows
    X_train, X_test = (X.reshape(-1, side, side) for X in (X_train, X_test))
    return X_train, X_test, y_train.ravel(), y_test.ravel()


def of_openml():
    """Download the same data, 15 MB, which scikit-learn caches."""
    with warnings.catch_warnings(action="ignore"):  # about the second attempt
        X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False, n_retries=1)
    X = X.reshape(-1, 28, 28)
    return X[:60_000], X[60_000:], y[:60_000].astype(int), y[60_000:].astype(int)


def of_scikit_learn():
    """Load the digits of 8 by 8 pixels that come with scikit-learn."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.reshape(-1, 8, 8), y, random_state=0)


def images():
    """Return images with values from 0 to 1, and their labels."""
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
# The source uses three random images of each digit, and distances between the black
# pixels of two images. Centers of clusters are better exemplars. An output layer that
# is fitted to the training data, the default, is better than votes.
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
# Thirty training images, and thirty centers of clusters.
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
