"""
The exemplars are the network
=============================

The weights are calculated from the centers of a few clusters per class. The network can
be examined before training, and it recognizes the digits already.
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
clf = MetricInitMLPClassifier(n_exemplars=30, n_neighbors=1, max_iter=0, random_state=0)
clf.fit(X_train, y_train)
ExemplarsDisplay.from_estimator(clf, image_shape=(8, 8))

# %%
# With ``n_neighbors=1`` a unit of the first layer compares two exemplars on all pixels:
# to which of them is an image nearer? Its weights are proportional to the difference
# between the two. The figure compares the first exemplars of two classes.
first = {label: i for i, label in reversed(list(enumerate(clf.exemplar_labels_)))}
pairs = [(first[a], first[b]) for a, b in ((0, 1), (3, 8), (4, 9), (1, 7))]
ComparisonWeightsDisplay.from_estimator(clf, pairs=pairs, image_shape=(8, 8))

# %%
# With ``n_neighbors=1`` the layers have the widths d, N(N-1), N and C, and the network
# predicts the class of the nearest exemplar. By default 800 units compare two exemplars
# on few pixels each, and a ridge regression finds the weights of the output layer.
models = {
    f"n_neighbors={n_neighbors}": MetricInitMLPClassifier(
        n_exemplars=30, n_neighbors=n_neighbors, max_iter=0, random_state=0
    ).fit(X_train, y_train)
    for n_neighbors in (1, None)
}
for name, model in models.items():
    widths = [len(model.coefs_[0]), *(len(b) for b in model.intercepts_)]
    print(f"{name:16} layers {widths}")

# %%
# The accuracy of both before training and after each epoch. These data are easy, so that
# training gains little.
accuracies = {}
for name, model in models.items():
    accuracies[name] = [model.score(X_test, y_test)]
    for _ in range(5):
        model.partial_fit(X_train, y_train)
        accuracies[name].append(model.score(X_test, y_test))
    print(f"{name:16}", *(f"{a:.3f}" for a in accuracies[name]))

figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for name, values in accuracies.items():
    axes.plot(values, marker="o", label=name)
axes.set(xlabel="epochs of training", ylabel="accuracy on test rows")
axes.legend()
plt.show()
