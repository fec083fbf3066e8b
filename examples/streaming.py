"""
A stream in which a class appears late
======================================

``partial_fit`` trains on one batch at a time. If the first rows of a class arrive in
the middle of the stream, the network grows: exemplars, comparisons and an output for
the class are calculated from these rows.
"""

# %%
# Scikit-learn's digits in batches of fifty. The first ten batches contain no sevens.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skmetricmlp import MetricInitMLPClassifier

LATE, BATCH, APPEARS_IN = 7, 50, 11
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
late = np.flatnonzero(y_train == LATE)
others = np.flatnonzero(y_train != LATE)
first, rest = np.split(others, [BATCH * (APPEARS_IN - 1)])
rest = np.random.default_rng(0).permutation(np.concatenate([rest, late]))
stream = np.concatenate([first, rest])

# %%
# The first call declares all classes that can occur. A network with random weights has
# an output for each class from the start, and learns in the first ten batches that
# sevens do not occur. Each batch makes five steps. Random weights get a larger step
# size.
MODELS = {
    "calculated": MetricInitMLPClassifier(
        batch_size=10, learning_rate_init=0.001, random_state=0
    ),
    "MLPClassifier": MLPClassifier(
        batch_size=10, learning_rate_init=0.01, random_state=0
    ),
}
of_late = y_test == LATE
accuracy = {name: [] for name in MODELS}
sizes = []
for start in range(0, len(stream), BATCH):
    rows = stream[start : start + BATCH]
    for name, model in MODELS.items():
        model.partial_fit(X_train[rows], y_train[rows], classes=np.arange(10))
        right = model.predict(X_test) == y_test
        accuracy[name].append((right[of_late].mean(), right[~of_late].mean()))
    sizes.append(len(MODELS["calculated"].exemplars_))

print("batch  exemplars", *(f"{name:>18}" for name in MODELS), sep="  ")
for k, n_exemplars in enumerate(sizes):
    if k % 3 == 0 or k == APPEARS_IN - 1:
        shown = (f"{a[k][0]:9.2f}{a[k][1]:9.2f}" for a in accuracy.values())
        print(f"{k + 1:5}  {n_exemplars:9}", *shown, sep="  ")
print("(accuracy on sevens, and on the others)")

# %%
# The calculated network is accurate from the start, and recognizes many sevens after
# the first batch that contains some. The other network needs more rows, and has caught
# up at the end.
figure, panels = plt.subplots(
    1, 2, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained"
)
batches = np.arange(1, len(sizes) + 1)
for panel, title, kind in zip(panels, ("sevens", "other digits"), (0, 1), strict=True):
    for name, values in accuracy.items():
        panel.plot(batches, [value[kind] for value in values], label=name)
    panel.axvline(APPEARS_IN, color="0.6", linestyle=":")
    panel.set(title=title, xlabel="batch")
panels[0].set_ylabel("accuracy on test rows")
panels[1].legend(loc="lower right")
plt.show()
