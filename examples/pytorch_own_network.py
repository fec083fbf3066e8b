"""
A network of your own in PyTorch
================================

A network that you have written yourself can start from calculated weights too. Two
functions fill its layers in place, as those of ``torch.nn.init`` do. Everything else
stays as it is: the module, the optimizer, the loop, or skorch.
"""

# %%
# Digits, in units from 0 to 1. The network has two hidden layers, of 256 and 128 units.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import TensorDataset

from skmetricmlp.torch import calculated_linear_, fit_output_

warnings.simplefilter("ignore", ConvergenceWarning)
torch.set_num_threads(1)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = map(
    torch.as_tensor, train_test_split(X, y, random_state=0)
)


def my_network():
    """Return a network as anybody writes it."""
    return nn.Sequential(
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


# %%
# Each hidden layer is filled with comparisons of exemplars of what it reads. For the
# second layer these are the activations of the first. Then the output layer is fitted in
# closed form. The honest rival keeps PyTorch's hidden layers and fits the output only.


def calculate(net, X, y):
    """Fill both hidden layers, and fit the output layer."""
    calculated_linear_(net[0], X, y, random_state=0)
    with torch.no_grad():
        hidden = net[:2](X)
    calculated_linear_(net[2], hidden, y, random_state=0)
    fit_output_(net, (X, y))


def leave(*_):
    """Keep PyTorch's default start."""


def fit_last(net, X, y):
    """Keep PyTorch's hidden layers, and fit the output layer."""
    fit_output_(net, (X, y))


# %%
# The usual loop: batches of 64 rows, and Adam. Its first steps are as long as the
# learning rate, however small the gradient is. From a start that is good already they
# lead away, so that the two starts with a fitted output get a lower rate.
STARTS = {
    "PyTorch's default": (leave, 1e-3),
    "default, fitted output": (fit_last, 3e-4),
    "calculated": (calculate, 3e-4),
}
N_STEPS, EVERY = 300, 5


def losses(start, learning_rate, seed):
    """Train, and return the loss on test rows every few steps."""
    torch.manual_seed(seed)
    net = my_network()
    start(net, X_train, y_train)
    optimizer = torch.optim.Adam(net.parameters(), lr=learning_rate)
    found = []
    for step in range(N_STEPS + 1):
        if step % EVERY == 0:
            with torch.no_grad():
                found.append(nn.functional.cross_entropy(net(X_test), y_test).item())
        rows = torch.randint(len(y_train), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X_train[rows]), y_train[rows]).backward()
        optimizer.step()
    return found


by_step = {
    name: np.mean([losses(start, rate, seed) for seed in range(2)], axis=0)
    for name, (start, rate) in STARTS.items()
}
by_step = pd.DataFrame(by_step, pd.RangeIndex(0, N_STEPS + 1, EVERY, name="step"))
print("test loss, mean of two seeds")
print(by_step.loc[[0, 10, 30, 100, N_STEPS]].round(3).to_string(), "\n")

# %%
# skorch makes the network inside of ``fit``. A callback fills it before training, so that
# ``cross_val_score`` and searches start each fit from weights of their own training rows.
# Rows for validation have to be split off before, as here: a callback gets all rows that
# ``fit`` gets.


class CalculatedStart(Callback):
    """Fill the network before the first step."""

    def on_train_begin(self, net, X=None, y=None, **_):
        """Calculate the weights from the training rows."""
        calculate(net.module_, X, y)


settings = {
    "criterion": nn.CrossEntropyLoss,
    "optimizer": torch.optim.Adam,
    "batch_size": 64,
    "max_epochs": 12,
    "iterator_train__shuffle": True,
    "train_split": predefined_split(TensorDataset(X_test, y_test)),
    "verbose": 0,
}
classifiers = {
    "PyTorch's default": NeuralNetClassifier(my_network, lr=1e-3, **settings),
    "calculated": NeuralNetClassifier(
        my_network, lr=3e-4, callbacks=[CalculatedStart()], **settings
    ),
}
by_epoch = {}
for name, clf in classifiers.items():
    torch.manual_seed(0)
    by_epoch[name] = clf.fit(X_train, y_train).history[:, "valid_loss"]
    print(f"skorch, {name}: accuracy {clf.score(X_test, y_test.numpy()):.3f}")

# %%
# Before its first step the calculated network is ahead of the default one after its last.
# A fitted output alone is most of this. What the calculated hidden layers add is less,
# and after three hundred steps it is gone.
figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4), sharey=True, layout="constrained"
)
colors = dict(zip(STARTS, ("tab:gray", "tab:blue", "tab:orange"), strict=True))
for name, values in by_step.items():
    left.plot(values, label=name, color=colors[name])
for name, values in by_epoch.items():
    right.plot(np.arange(1, len(values) + 1), values, "o-", color=colors[name])
left.set(title="own loop", xlabel="step", ylabel="log loss of test rows", yscale="log")
right.set(title="skorch", xlabel="epoch of 22 steps")
left.legend()
plt.show()
