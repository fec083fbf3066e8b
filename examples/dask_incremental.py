"""
Chunks of a Dask array
======================

dask-ml's ``Incremental`` calls ``partial_fit`` for one chunk of an array after the other,
wherever the chunks are, and predicts chunk by chunk.
"""

# %%
# Scikit-learn's digits in chunks of 200 rows. Dask loads, or calculates, each when it is
# asked for: the array may be larger than memory.
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
# ``fit`` starts anew, and each call of ``partial_fit`` goes on. The order of the chunks
# is drawn, so that both estimators need a seed.
model = Incremental(
    MetricInitMLPClassifier(random_state=0), scoring="accuracy", random_state=0
)
model.fit(X_train, y_train, classes=range(10))
print(f"epoch 1: accuracy {model.score(X_test, y_test):.3f}")
for epoch in range(2, 6):
    model.partial_fit(X_train, y_train)
    print(f"epoch {epoch}: accuracy {model.score(X_test, y_test):.3f}")

# %%
# Predictions are Dask arrays again: nothing is calculated until it is asked for.
probabilities = model.predict_proba(X_test)
print(probabilities)
print(f"surest: {probabilities.max(axis=1).mean().compute():.3f} on average")
