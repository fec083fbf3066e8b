"""
Regression
==========

A regressor that is accurate before training, the ways to fit its output layer, and the
exemplars behind a prediction.
"""

# %%
# The target is the progression of diabetes in a year, from ten measurements of 442
# patients.
import warnings

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPRegressor
from skmetricmlp.plotting import MarginsDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are meant
X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# R^2 on test data before training and after 1, 5 and 20 epochs. The output layer is
# fitted by a ridge regression, or under the constraint that its weights have the size
# of He's, also to random hidden layers. Weights of this size are easy to train. But
# these data have four times as many weights as rows, and the weights fit noise.
STARTS = {
    "calculated, ridge": {},
    "calculated, norm_constrained": {"output_init": "norm_constrained"},
    "random, ridge": {"init": "random", "output_init": "ridge"},
    "random, norm_constrained": {"init": "random", "output_init": "norm_constrained"},
    "random": {"init": "random"},
}
EPOCHS = (0, 1, 5, 20)


def score(regressor):
    """Fit in a pipeline, and return R^2 on the test rows."""
    model = make_pipeline(StandardScaler(), regressor)
    return model.fit(X_train, y_train).score(X_test, y_test)


table = {
    name: [
        score(MetricInitMLPRegressor(max_iter=epochs, random_state=0, **settings))
        for epochs in EPOCHS
    ]
    for name, settings in STARTS.items()
}
other = MLPRegressor(max_iter=20, random_state=0)
other = TransformedTargetRegressor(other, transformer=StandardScaler())
table["MLPRegressor"] = [float("nan")] * 3 + [score(other)]
columns = [f"{epochs} epochs" for epochs in EPOCHS]
frame = pd.DataFrame.from_dict(table, orient="index", columns=columns)
print(frame.to_string(float_format="{:.2f}".format, na_rep="-"))
neighbors = score(KNeighborsRegressor(5))
print(f"\n5 nearest patients: {neighbors:.2f}\n")

# %%
# The calculated start is most accurate before training, because training on so few rows
# fits their noise.
figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name in STARTS:
    axes.plot(range(len(EPOCHS)), table[name], marker="o", label=name)
axes.axhline(neighbors, color="0.6", linestyle="--", label="5 nearest patients")
axes.set(xlabel="epochs of training", ylabel="R$^2$ on test rows", ylim=(-0.5, 0.6))
axes.set_xticks(range(len(EPOCHS)), EPOCHS)
axes.legend(loc="lower right", fontsize="small")

# %%
# With an integer ``n_neighbors`` the output averages the values of exemplars, which are
# rows here. With a step activation the prediction is the mean of the three nearest
# exemplars, and ``explain`` identifies them.
nearest = MetricInitMLPRegressor(
    exemplars="kmedoids", n_neighbors=3, activation="step", max_iter=0
)
model = make_pipeline(StandardScaler().set_output(transform="pandas"), nearest)
model.fit(X_train, y_train)
patient = X_test.iloc[[0]]
explained = nearest.explain(model[0].transform(patient), n_nearest=4)
shown = ["term", "rank", "exemplar", "value", "excess", "contribution"]
print(explained[shown].round(2).to_string(index=False))
rows = X_train.index[nearest.exemplar_indices_[explained["exemplar"][:3].astype(int)]]
print(
    "\n", X.loc[[*patient.index, *rows], ["age", "bmi", "bp", "s5"]].to_string(), sep=""
)

# %%
# The distance of each exemplar in excess of the nearest, and its contribution to the
# prediction. The fourth and all further exemplars contribute nothing. The bias is the
# prediction without any exemplar, which is about the mean of all values.
MarginsDisplay.from_predictions(explained)
plt.show()
