"""
A random network is nearly flat
===============================

Before training, a network with random weights computes a function. Over a square most of
these functions are close to a plane, without local optima. A calculated network begins
with the shape of the data.
"""

# %%
# Himmelblau's function has four minima, one maximum between them, and hardly any trend.
# Both inputs are scaled from [-5, 5] to [0, 1], the target to a deviation of one.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from skmetricmlp import MetricInitMLPRegressor
from skmetricmlp.inspection import (
    random_network,
    random_network_statistics,
    surface,
    surface_statistics,
)


def himmelblau(X):
    """Four minima of value 0, of inputs from 0 to 1."""
    x, y = (10 * X - 5).T
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


X = np.random.default_rng(0).random((2000, 2))
y = scale(himmelblau(X))

# %%
# One hundred networks of the widths 2-100-100-1: the share of the variance that the best
# plane explains, how often the lowest and the highest value lie on the boundary, and the
# number of local optima inside.
#
# Glorot initialization sets the biases to zero, and a ReLU network without biases is
# linear along every ray from the origin. On this square it therefore has no optimum
# inside, for any weights. The few that are counted are artifacts of the grid, and
# vanish on a finer one. With random biases, as scikit-learn draws them, there may be
# optima. On a square around the origin the network bends at the origin, and is no
# plane. With tanh it is even flatter.
STARTS = {
    "Glorot, ReLU": {},
    "with biases": dict(draw_biases=True),
    "on [-1, 1]^2": dict(bounds=((-1, 1), (-1, 1))),
    "U[-0.5, 0.5]": dict(init="uniform"),
    "Glorot, tanh": dict(activation="tanh"),
}


def described(seeds):
    """Summarize a table that has a row for each seed."""
    flat = seeds["r2"]
    optima = seeds["n_minima"] + seeds["n_maxima"]
    on_boundary = seeds["minimum_on_boundary"] & seeds["maximum_on_boundary"]
    return {
        "mean R2": flat.mean(),
        "median R2": flat.median(),
        "least R2": flat.min(),
        "R2 > 0.9": (flat > 0.9).mean(),
        "extremes on boundary": on_boundary.mean(),
        "optima inside": optima.mean(),
    }


rows = {
    name: described(random_network_statistics(n_networks=100, random_state=0, **settings))
    for name, settings in STARTS.items()
}
print("100 random networks")
print(pd.DataFrame(rows).T.round(3).to_string(), "\n")

# %%
# The function itself, a network of these widths that was trained on 2000 points, and a
# network that was calculated from as many points and not trained.
models = {
    "trained": MLPRegressor(hidden_layer_sizes=(100, 100), random_state=0),
    "calculated": MetricInitMLPRegressor(max_iter=0, random_state=0),
}
functions = {"Himmelblau": himmelblau}
functions |= {name: model.fit(X, y).predict for name, model in models.items()}
statistics = {
    name: surface_statistics(surface(predict).z) for name, predict in functions.items()
}
table = pd.DataFrame(statistics.values(), index=statistics.keys())
print(table.round(3).to_string(), "\n")

X_test = np.random.default_rng(1).random((2000, 2))
y_test = (himmelblau(X_test) - himmelblau(X).mean()) / himmelblau(X).std()
for name, model in models.items():
    print(
        f"{name}: R2 of its predictions on other points {model.score(X_test, y_test):.3f}"
    )

# %%
# The surfaces of a random, the trained and the calculated network.
shown = {"random": random_network(random_state=0).forward, **functions}
del shown["Himmelblau"]
figure = plt.figure(figsize=(11, 4), layout="constrained")
for place, (name, predict) in enumerate(shown.items(), start=1):
    u, v, z = surface(predict, n_grid=61)
    panel = figure.add_subplot(1, 3, place, projection="3d")
    panel.plot_surface(*np.meshgrid(u, v, indexing="ij"), z, cmap="viridis")
    panel.set(title=name, xlabel="first input", ylabel="second input")
plt.show()
