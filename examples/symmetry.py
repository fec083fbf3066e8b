"""
Why weights must differ
=======================

Neurons of the same weights get the same gradient, and stay the same however long the
network is trained. Random weights break that symmetry. Calculated ones do so too, and
nothing in them is drawn.
"""

# %%
# Three exemplars of each digit, given as rows, so that the calculated network has nothing
# to draw. The other starts fill a network of the same size: 870 neurons, 30, and 10.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.inspection import count_distinct_neurons

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
rows = np.concatenate([np.flatnonzero(y_train == digit)[:3] for digit in range(10)])
exemplars = X_train[rows], y_train[rows]


def fitted(init, activation="relu", epochs=0, seed=0):
    """Start a network, and train it for so many epochs."""
    clf = MetricInitMLPClassifier(
        init,
        exemplars=exemplars,
        n_neighbors=1,
        activation=activation,
        max_iter=epochs,
        tol=0,
        random_state=seed,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return clf.fit(X_train, y_train)


# %%
# How many neurons of each hidden layer compute different functions, and the accuracy on
# test rows, before and after 20 epochs over shuffled minibatches.
table, trained = [], {}
for activation in ("relu", "logistic"):
    for init in ("zeros", "ones", "random", "metric"):
        row = {"activation": activation, "init": init}
        for when, epochs in (("before", 0), ("after", 20)):
            clf = fitted(init, activation, epochs)
            distinct = count_distinct_neurons(clf)["n_distinct"]
            row[f"distinct {when}"] = " ".join(map(str, distinct))
            trained[activation, init] = clf
            row[f"accuracy {when}"] = f"{clf.score(X_test, y_test):.3f}"
        table.append(row)
print(pd.DataFrame(table).to_string(index=False), "\n")

# %%
# Constant weights train to a network one neuron wide, whatever its size: it sees one
# number of an image, and cannot tell ten digits apart. ReLU neurons of zero weights do
# not even get there: they have no slope, and only the bias of the output is trained.
clf = fitted("ones", "logistic", 20)
hidden = clf.network_.activations(X_test)[1:]
for layer, values in enumerate(hidden, start=1):
    spread = np.ptp(values, axis=1).max()
    print(f"ones: the {values.shape[1]} neurons of layer {layer} differ by {spread:.0e}")

# %%
# The weights of forty neurons of the first layer after training, each a column of 64
# pixels: where all columns are the same there is one neuron, forty times.
figure, panels = plt.subplots(1, 4, figsize=(10, 3.6), layout="constrained")
for panel, init in zip(panels, ("zeros", "ones", "random", "metric"), strict=True):
    weights = trained["logistic", init].coefs_[0][:, :40]
    largest = abs(weights).max() or 1.0
    panel.imshow(weights, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto")
    panel.set(title=init, xlabel="neuron")
panels[0].set_ylabel("pixel")

# %%
# What was drawn depends on the seed. What was calculated does not: with another seed the
# weights are the same to the last bit, and no two neurons are alike.
for init in ("random", "metric"):
    one, other = (fitted(init, seed=seed).network_.parameters for seed in (0, 1))
    same = all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    print(f"{init}: two seeds give {'the same' if same else 'different'} weights")

plt.show()
