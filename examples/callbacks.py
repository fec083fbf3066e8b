"""
Watch a fit, and stop it
========================

The estimators of this package support the callbacks of scikit-learn, version 1.9 or
later. Each epoch is a task that callbacks can observe, also within a search. With an
older version a loop over ``partial_fit`` serves the same purpose.
"""

# %%
# The example uses random weights, because their accuracy changes visibly.
import warnings
from importlib.util import find_spec

import matplotlib.pyplot as plt
import sklearn
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split

from skmetricmlp import MetricInitMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are meant
HAS_CALLBACKS = find_spec("sklearn.callback") is not None
print(f"scikit-learn {sklearn.__version__} has callbacks: {HAS_CALLBACKS}\n")

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
settings = {"init": "random", "n_exemplars": 20, "tol": 0, "random_state": 0}

# %%
# A monitor scores the network on the training rows after each epoch. The progress bar
# needs the package ``rich``.
if HAS_CALLBACKS:
    from sklearn.callback import ProgressBar, ScoringMonitor

    bars = [ProgressBar()] if find_spec("rich") else []
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    clf = MetricInitMLPClassifier(max_iter=10, n_iter_no_change=10, **settings)
    clf.set_callbacks(monitor, *bars).fit(X_train, y_train)
    log = monitor.get_logs().data_as_pandas
    curve = log.loc[log["task_name"] == "epoch", "accuracy"].tolist()
else:
    clf, curve = MetricInitMLPClassifier(**settings), []
    for _ in range(10):
        clf.partial_fit(X_train, y_train, classes=range(10))
        curve.append(clf.score(X_train, y_train))
print("accuracy after each epoch:", *(f"{accuracy:.3f}" for accuracy in curve))

# %%
# A custom callback has four methods. If ``on_fit_task_end`` returns True, training
# stops. The parameters after the star are the objects that it gets. A fitted estimator
# is created only if it is one of them.


class EnoughIsEnough:
    """Stop when the accuracy on some rows is high enough."""

    def __init__(self, X, y, accuracy):
        self.X, self.y, self.accuracy = X, y, accuracy

    def setup(self, estimator, context):
        """Do nothing before the fit."""

    def teardown(self, estimator, context):
        """Do nothing after the fit."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing before an epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):  # noqa: ARG002
        """Return whether to stop."""
        return fitted_estimator.score(self.X, self.y) >= self.accuracy


if HAS_CALLBACKS:
    clf = MetricInitMLPClassifier(max_iter=200, **settings)
    clf.set_callbacks(EnoughIsEnough(X_test, y_test, 0.95)).fit(X_train, y_train)
    accuracy = clf.score(X_test, y_test)
    print(f"\nstopped after {clf.n_iter_} epochs, test accuracy {accuracy:.3f}\n")

# %%
# In a grid search the progress bar is set on the search, and shows its fits too. The
# monitor is set on the estimator, and the search passes it to the clones. The path of a
# task identifies the candidate and the split of an epoch.
curves = {}
if HAS_CALLBACKS:
    monitor = ScoringMonitor(scoring="accuracy")
    clf = MetricInitMLPClassifier(max_iter=10, n_iter_no_change=10, **settings)
    rates = {"learning_rate_init": [0.001, 0.01]}
    search = GridSearchCV(clf.set_callbacks(monitor), rates, cv=2)
    search.set_callbacks(*bars).fit(X_train, y_train)
    log = monitor.get_logs().data_as_pandas
    epochs = log[log["task_name"] == "epoch"]
    for path, epoch_of in epochs.groupby("parent_task_id_path"):
        if path[1] == 0:  # a fit of the search, and not the refit of the best one
            candidate, split = divmod(path[2], search.n_splits_)
            rate = search.cv_results_["params"][candidate]["learning_rate_init"]
            curves[f"rate {rate}, split {split}"] = epoch_of["accuracy"].tolist()
    for name, accuracies in curves.items():
        print(f"{name}: {accuracies[0]:.3f} to {accuracies[-1]:.3f}")

# %%
figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, accuracies in ({"all training rows": curve} | curves).items():
    axes.plot(range(1, len(accuracies) + 1), accuracies, marker=".", label=name)
axes.set(xlabel="epoch", ylabel="accuracy on training rows")
axes.legend(fontsize="small")
plt.show()
