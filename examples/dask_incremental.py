"""
Chunks of a Dask array
======================

``Incremental`` of dask-ml calls ``partial_fit`` for one chunk of an array after the
other, on the machines that hold them. Predictions are computed chunk by chunk too.
"""

# %%
# Scikit-learn's digits in chunks of 200 rows. Dask loads or computes a chunk when it is
# used, so the array may be larger than memory.
import dask.array as da
from dask_ml.wrappers import Incremental
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = (
    da.from_array(part, chunks=(200, *part.shape[1:]))
    for part in train_test_split(X / 16, y, random_state=0)
)

# %%
# ``fit`` starts again, and each call of ``partial_fit`` continues. The order of the
# chunks is random, so both estimators need a seed.
model = Incremental(
    MetricInitMLPClassifier(random_state=0), scoring="accuracy", random_state=0
)
model.fit(X_train, y_train, classes=range(10))
print(f"epoch 1: accuracy {model.score(X_test, y_test):.3f}")
for epoch in range(2, 6):
    model.partial_fit(X_train, y_train)
    print(f"epoch {epoch}: accuracy {model.score(X_test, y_test):.3f}")

# %%
# Predictions are Dask arrays too, which are computed when they are used.
probabilities = model.predict_proba(X_test)
print(probabilities)
print(f"mean confidence: {probabilities.max(axis=1).mean().compute():.3f}")
