"""
A stream in the order of time
=============================

Each week is predicted before it is learned: *prequential* accuracy (A. P. Dawid, 1984).
What decides the class changes through the year. The learners are the closed-form
network, with and without a decay of old rows, the same network trained by gradient steps,
and learners of scikit-learn. Those of
`river <https://riverml.xyz>`__ join them if it is installed. The stream is a made one, or
a table in the order of time with a column ``target``, as CSV or Parquet::

    python examples/stream_in_order.py path/to/electricity.parquet
"""

# %%
# The made stream has a row for every hour of a year. The price rises where the demand is
# above what is usual at this hour, and both what is usual and how much the wind counts
# change with the season.
import sys
from collections import defaultdict
from importlib.util import find_spec
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier

WEEK = 7 * 24


def made():
    """Make the stream: a table of features, and whether the price rises."""
    rng = np.random.default_rng(0)
    hours = np.arange(52 * WEEK)
    hour, season = hours % 24, 2 * np.pi * hours / len(hours)
    wind, sun = rng.gamma(2, 1, len(hours)), rng.uniform(0, 1, len(hours))
    usual = 2 + np.sin(2 * np.pi * (hour - 9) / 24) + 0.7 * np.cos(season)
    demand = usual + rng.normal(0, 0.7, len(hours))
    tension = demand - usual - 0.4 * (wind - 2) * np.sin(season)
    tension -= (sun - 0.5) * (abs(hour - 12) < 5) * (1 - np.cos(season))
    X = pd.DataFrame({"hour": hour, "demand": demand, "wind": wind, "sun": sun})
    return X, (tension + rng.normal(0, 0.3, len(hours)) > 0).astype(int)


def of_file(path):
    """Read features and classes from a table; columns of categories become several."""
    table = pd.read_csv(path) if path.endswith(".csv") else pd.read_parquet(path)
    X = pd.get_dummies(table.drop(columns="target"), dtype=float)
    return X, table["target"].astype("category").cat.codes.to_numpy()


X, y = of_file(sys.argv[1]) if len(sys.argv) > 1 else made()
X, classes = X.to_numpy(float), np.unique(y)
print(f"{len(y)} rows, {X.shape[1]} columns, {len(classes)} classes")


# %%
# Each learner is a function that learns a week and one that predicts it. Those that
# take gradient steps need features of the same size, whose scale is learned as it goes.
# Those of river learn a row at a time.
def closed_form(decay=None):
    """Return the network of all rows so far. With a decay, old rows count for less."""
    model = MetricInitMLPClassifier(
        solver="closed_form", n_comparisons=100, random_state=0
    )

    def learn(rows, labels):
        if decay and hasattr(model, "classes_"):
            model.discount(decay)
        model.partial_fit(rows, labels, classes=classes)

    return learn, model.predict


def scaled(model):
    """Return a learner by gradient steps, with scaled features."""
    scaler = StandardScaler()

    def learn(rows, labels):
        rows = scaler.partial_fit(rows).transform(rows)
        model.partial_fit(rows, labels, classes=classes)

    return learn, lambda rows: model.predict(scaler.transform(rows))


def row_by_row(model):
    """Return a learner of river."""

    def learn(rows, labels):
        for row, label in zip(rows.tolist(), labels.tolist(), strict=True):
            model.learn_one(dict(enumerate(row)), label)

    def predict(rows):
        return [model.predict_one(dict(enumerate(row))) for row in rows.tolist()]

    return learn, predict


steps = MetricInitMLPClassifier(n_comparisons=100, batch_size=16, random_state=0)
mlp = MLPClassifier(batch_size=16, learning_rate_init=0.01, random_state=0)
learners = {
    "closed form": closed_form(),
    "closed form, decay 0.9": closed_form(decay=0.9),
    "its gradient steps": scaled(steps),
    "SGDClassifier": scaled(SGDClassifier(loss="log_loss", random_state=0)),
    "MLPClassifier": scaled(mlp),
}
if find_spec("river"):
    from river.forest import ARFClassifier
    from river.tree import HoeffdingAdaptiveTreeClassifier

    learners["river, Hoeffding tree"] = row_by_row(
        HoeffdingAdaptiveTreeClassifier(seed=0)
    )
    learners["river, adaptive forest"] = row_by_row(ARFClassifier(seed=0))

# %%
# The first week is learned only. ``discount`` is called before each week that follows.
right, seconds = defaultdict(list), defaultdict(float)
weeks = [slice(start, start + WEEK) for start in range(0, len(y), WEEK)]
for name, (learn, predict) in learners.items():
    begin = perf_counter()
    learn(X[weeks[0]], y[weeks[0]])
    for week in weeks[1:]:
        right[name].append(predict(X[week]) == y[week])
        learn(X[week], y[week])
    seconds[name] = perf_counter() - begin

print(f"{'':24}prequential accuracy, and in each quarter   seconds")
for name, parts in right.items():
    hits = np.concatenate(parts)
    quarters = "".join(f"{part.mean():8.3f}" for part in np.array_split(hits, 4))
    print(f"{name:24}{hits.mean():8.3f}  {quarters}  {seconds[name]:8.1f}")

# %%
# The mean over the last eight weeks.
figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
for name, parts in right.items():
    by_week = pd.Series([part.mean() for part in parts], np.arange(2, len(weeks) + 1))
    axes.plot(by_week.rolling(8).mean(), label=name)
axes.set(xlabel="week", ylabel="accuracy")
axes.legend(ncols=2)
plt.show()
