"""
A convolutional network that starts with calculated kernels
===========================================================

The pipeline of comparisons of patches and a linear output is a small convolutional
network. ``to_torch`` returns it as a module, which is trained here, beside the same
module with the weights that PyTorch draws. It needs PyTorch.
"""

# %%
# Digits of 8 x 8 pixels, and 300 of them for training.

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.images import PatchComparisons
from skmetricmlp.torch import to_torch

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=300, stratify=y, random_state=0
)

pipeline = make_pipeline(
    PatchComparisons((8, 8), patch_size=3, n_comparisons=60, random_state=0),
    StandardScaler(),
    MetricInitMLPClassifier(n_comparisons=0, max_iter=0),
).fit(X_train, y_train)
print(f"calculated, no step of training: accuracy {pipeline.score(X_test, y_test):.3f}")

# %%
# The module has the outputs of the pipeline. The other one has the same layers, drawn
# anew.

calculated = to_torch(pipeline)
print(calculated)
torch.manual_seed(0)
drawn = to_torch(pipeline)
for layer in (drawn[0].filters, drawn[2].output):
    layer.reset_parameters()

# %%
# Both are trained alike, and the weights that are drawn with a higher rate, which they
# need.

train, test = (
    (torch.tensor(rows), torch.tensor(labels))
    for rows, labels in ((X_train, y_train), (X_test, y_test))
)


def losses(module, rate, n_epochs=15):
    """Return the loss on the test rows before training and after each epoch."""
    optimizer = torch.optim.Adam(module.parameters(), rate)
    loss = nn.CrossEntropyLoss()

    def loss_on_test_rows():
        with torch.no_grad():
            return loss(module(test[0]), test[1]).item()

    found = [loss_on_test_rows()]
    for _ in range(n_epochs):
        for rows in torch.randperm(len(train[0])).split(30):
            optimizer.zero_grad()
            loss(module(train[0][rows]), train[1][rows]).backward()
            optimizer.step()
        found.append(loss_on_test_rows())
    return found


_, ax = plt.subplots(layout="constrained")
for name, module, rate in (
    ("calculated", calculated, 1e-4),
    ("PyTorch's default start", drawn, 1e-3),
):
    curve = losses(module, rate)
    accuracy = (module(test[0]).argmax(dim=1) == test[1]).double().mean()
    print(f"{name}: loss {curve[0]:.3f} to {curve[-1]:.3f}, accuracy {accuracy:.3f}")
    ax.semilogy(curve, "o-", label=name)
ax.set(xlabel="epoch", ylabel="loss on test images")
ax.legend()
plt.show()
