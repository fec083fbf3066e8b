"""
Few labels
==========

Labels cost time, so often there are only some of each class. Where all of them can be
exemplars, the calculated network knows from the start what the nearest labeled row
knows, and with enough of them a little more.
"""

# %%
# One to twenty labeled images of each of ten digits, drawn six times, and a thousand
# other images to test on. All labeled rows are exemplars, up to thirty; the random start
# is a network of the same size.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skmetricmlp import MetricInitMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are meant
X, y = load_digits(return_X_y=True)
X = X / 16
LABELS = (1, 2, 5, 10, 20)
N_DRAWS = 6


def drawn(n_labels, seed):
    """Draw rows to learn from, so many of each class, and rows to test on."""
    order = np.random.default_rng(seed).permutation(len(y))
    rows = [order[y[order] == digit][:n_labels] for digit in range(10)]
    train = np.concatenate(rows)
    return train, np.setdiff1d(order, train)[:1000]


def models(n_labels, seed):
    """Make the pairs, for so many labels of each class."""
    settings = {
        "n_exemplars": min(10 * n_labels, 30),
        "n_random_units": 50,
        "random_state": seed,
    }
    return {
        "calculated": MetricInitMLPClassifier(max_iter=0, **settings),
        "calculated, trained": MetricInitMLPClassifier(max_iter=50, **settings),
        "random, trained": MetricInitMLPClassifier("random", max_iter=50, **settings),
        "logistic regression": LogisticRegression(max_iter=500),
        "1-NN": KNeighborsClassifier(1),
    }


# %%
rows = []
for n_labels in LABELS:
    for seed in range(N_DRAWS):
        train, test = drawn(n_labels, seed)
        for name, model in models(n_labels, seed).items():
            accuracy = model.fit(X[train], y[train]).score(X[test], y[test])
            row = {"model": name, "labels": n_labels, "draw": seed, "accuracy": accuracy}
            rows.append(row)
results = pd.DataFrame(rows)
by_model = results.groupby(["model", "labels"], sort=False)["accuracy"]
print("accuracy, mean of six draws")
print(by_model.mean().unstack().round(3).to_string(), "\n")
print("standard deviation")
print(by_model.std().unstack().round(3).to_string())

# %%
# How far each is ahead of the nearest neighbor that learned from the same draw: mean and
# standard deviation. With one or two labels of each class nothing is ahead of logistic
# regression, and epochs of training do harm; with five or more the calculated network is
# the best of these, and does not need to be trained.
table = results.pivot_table("accuracy", ["labels", "draw"], "model", sort=False)
ahead = 100 * table.drop(columns="1-NN").sub(table["1-NN"], axis=0)
means, spreads = (getattr(ahead.groupby("labels"), name)() for name in ("mean", "std"))
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for k, name in enumerate(ahead):
    places = np.arange(len(LABELS)) + 0.08 * (k - 1.5)
    axes.errorbar(places, means[name], spreads[name], fmt="o-", label=name, capsize=3)
axes.axhline(0, color="0.6", linestyle="--", label="1-NN")
axes.set_xticks(range(len(LABELS)), LABELS)
axes.set(xlabel="labels of each class", ylabel="percentage points ahead of 1-NN")
axes.legend()
plt.show()
