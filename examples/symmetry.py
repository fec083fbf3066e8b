"""
Why weights must differ
=======================

Units with the same weights get the same gradient, and stay the same however long the
network is trained. Random weights break this symmetry. Calculated weights break it too,
without random numbers.
"""

# %%
# Three exemplars of each digit are given, so that the calculated network needs no random
# numbers. The other starts have a network of the same size: 870, 30 and 10 units.
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
    """Initialize a network, and train it for a number of epochs."""
    clf = MetricInitMLPClassifier(
        init,
        exemplars=exemplars,
        n_neighbors=1,
        activation=activation,
        max_iter=epochs,
        batch_size=200,
        tol=0,
        random_state=seed,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return clf.fit(X_train, y_train)


# %%
# The number of units in each hidden layer that compute different functions, and the
# accuracy on test data, before and after 20 epochs over shuffled minibatches.
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
# Constant weights train to a network that is one unit wide, whatever its size. It
# computes one number for an image, which cannot distinguish ten digits. For ReLU units
# with zero weights not even this happens: their gradient is zero, and only the bias of
# the output is trained.
clf = fitted("ones", "logistic", 20)
hidden = clf.network_.activations(X_test)[1:]
for layer, values in enumerate(hidden, start=1):
    spread = np.ptp(values, axis=1).max()
    print(f"ones: the {values.shape[1]} neurons of layer {layer} differ by {spread:.0e}")

# %%
# The weights of forty units of the first layer after training, each a column of 64
# pixels. If all columns are equal, they are one unit forty times.
figure, panels = plt.subplots(1, 4, figsize=(10, 3.6), layout="constrained")
for panel, init in zip(panels, ("zeros", "ones", "random", "metric"), strict=True):
    weights = trained["logistic", init].coefs_[0][:, :40]
    largest = abs(weights).max() or 1.0
    panel.imshow(weights, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto")
    panel.set(title=init, xlabel="neuron")
panels[0].set_ylabel("pixel")

# %%
# Random weights depend on the seed, and calculated weights do not. With another seed
# they are the same to the last bit, and no two units are equal.
for init in ("random", "metric"):
    one, other = (fitted(init, seed=seed).network_.parameters for seed in (0, 1))
    same = all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    print(f"{init}: two seeds give {'the same' if same else 'different'} weights")

plt.show()
