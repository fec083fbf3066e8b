"""
The exemplars are the network
=============================

The network is calculated from the centers of a few clusters per class. It can be looked
at before it is trained, and it already tells digits apart.
"""

# %%
# Thirty exemplars of scikit-learn's digits, three for each.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.plotting import ComparisonWeightsDisplay, ExemplarsDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
clf = MetricInitMLPClassifier(n_exemplars=30, max_iter=0, random_state=0)
clf.fit(X_train, y_train)
ExemplarsDisplay.from_estimator(clf, image_shape=(8, 8))

# %%
# A neuron of the first layer compares two of them: is an image nearer to the one or to
# the other? Its weights are the difference of the two. Here is the first exemplar of a
# class against the first of another one.
first = {label: i for i, label in reversed(list(enumerate(clf.exemplar_labels_)))}
pairs = [(first[a], first[b]) for a, b in ((0, 1), (3, 8), (4, 9), (1, 7))]
ComparisonWeightsDisplay.from_estimator(clf, pairs=pairs, image_shape=(8, 8))

# %%
# With ``readout="exemplars"`` the widths are d, N(N-1), N and C, and the function is the
# class of the nearest exemplar. By default the outputs read the comparisons directly, and
# some random units beside them, by weights that a ridge regression finds.
models = {
    readout: MetricInitMLPClassifier(
        n_exemplars=30, readout=readout, max_iter=0, random_state=0
    ).fit(X_train, y_train)
    for readout in ("exemplars", "comparisons")
}
for readout, model in models.items():
    widths = [len(model.coefs_[0]), *(len(b) for b in model.intercepts_)]
    print(f"{readout:12} layers {widths}")

# %%
# Both before training, and after each epoch of it. On data as easy as these there is
# little to refine.
accuracies = {}
for readout, model in models.items():
    accuracies[readout] = [model.score(X_test, y_test)]
    for _ in range(5):
        model.partial_fit(X_train, y_train)
        accuracies[readout].append(model.score(X_test, y_test))
    print(f"{readout:12}", *(f"{a:.3f}" for a in accuracies[readout]))

figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for readout, values in accuracies.items():
    axes.plot(values, marker="o", label=f'readout="{readout}"')
axes.set(xlabel="epochs of training", ylabel="accuracy on test rows")
axes.legend()
plt.show()
