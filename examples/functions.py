"""
A function from its values
==========================

The start is a network that is assembled from small networks, which were trained once to
compute polynomials. It fits smooth functions of one or two variables, and training only
refines it.
"""

# %%
# Two hundred values of a function on [0, 10], and test points inside and outside.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from skmetricmlp import BasisInitMLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are meant


def damped(x):
    """Return a damped oscillation."""
    return np.exp(-x / 4) * np.sin(2 * x)


X = np.random.default_rng(0).uniform(0, 10, (200, 1))
y = damped(X[:, 0])
inside = np.linspace(0, 10, 1001)
outside = np.linspace(10, 11, 101)

# %%
# The largest errors of three starts before training and after 20 and 200 iterations of
# L-BFGS. The starts are basis networks, two sets of them for the halves of the domain,
# and Glorot's random weights.
STARTS = {
    "basis": {},
    "basis, 2 parts": {"n_parts": 2},
    "Glorot": {"init": "glorot_uniform"},
}
rows, curves = [], {}
for name, settings in STARTS.items():
    for epochs in (0, 20, 200):
        reg = BasisInitMLPRegressor(
            domain=[[0, 10]], max_iter=epochs, tol=0, random_state=0, **settings
        ).fit(X, y)
        curves[name, epochs] = reg.predict(np.linspace(0, 11, 1101)[:, None])
        rows.append(
            {
                "start": name,
                "units": len(reg.intercepts_[0]),
                "epochs": epochs,
                "inside": np.abs(reg.predict(inside[:, None]) - damped(inside)).max(),
                "outside": np.abs(reg.predict(outside[:, None]) - damped(outside)).max(),
            }
        )
print(pd.DataFrame(rows).to_string(index=False, float_format="{:.1e}".format), "\n")

# %%
# The functions before training and after 20 iterations. The data contain no point
# beyond 10.
figure, panels = plt.subplots(
    1, 2, figsize=(10, 3.2), sharex=True, sharey=True, layout="constrained"
)
for panel, epochs in zip(panels, (0, 20), strict=True):
    panel.plot(X[:, 0], y, ".", color="0.7", label="values")
    for name in STARTS:
        panel.plot(np.linspace(0, 11, 1101), curves[name, epochs], label=name)
    panel.set(title=f"after {epochs} epochs", xlabel="x", ylim=(-1, 1.2))
panels[0].legend()

# %%
# Franke's function of two variables, with noise of a standard deviation of 0.01.
X = np.random.default_rng(1).uniform(0, 1, (600, 2))


def franke(X):
    """Return the height of two peaks and a dip, on the unit square."""
    x, y = 9 * X[:, 0], 9 * X[:, 1]
    return (
        0.75 * np.exp(-((x - 2) ** 2 + (y - 2) ** 2) / 4)
        + 0.75 * np.exp(-((x + 1) ** 2) / 49 - (y + 1) / 10)
        + 0.5 * np.exp(-((x - 7) ** 2 + (y - 3) ** 2) / 4)
        - 0.2 * np.exp(-((x - 4) ** 2) - (y - 7) ** 2)
    )


y = franke(X) + 0.01 * np.random.default_rng(2).normal(size=len(X))
axis = np.linspace(0, 1, 51)
grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
errors = {}
for name, settings in STARTS.items():
    reg = BasisInitMLPRegressor(max_iter=20, tol=0, random_state=0, **settings).fit(X, y)
    errors[name] = (reg.predict(grid) - franke(grid)).reshape(51, 51)
    deviation = np.sqrt(np.mean(errors[name] ** 2))
    print(f"{name}: root mean squared error after 20 epochs {deviation:.1e}")

# %%
# The errors as functions of the two variables.
figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
for panel, (name, error) in zip(panels, errors.items(), strict=True):
    image = panel.imshow(error, origin="lower", cmap="RdBu", extent=(0, 1, 0, 1))
    image.set_clim(-0.1, 0.1)
    panel.set_title(name)
figure.colorbar(image, ax=panels, label="error")
plt.show()
