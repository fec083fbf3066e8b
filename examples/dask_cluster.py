"""
A fit on a Dask cluster
=======================

The closed-form network needs only sums over rows. ``OnDask`` adds them up where the rows
are, and the result is the network that one machine would calculate from all of them.
Gradient training may go on from it.
"""

# %%
# Scikit-learn's digits, twenty times with noise, in a Dask array. Its twenty partitions
# are computed when they are used, so it may be larger than memory.
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.dask import OnDask

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
part = da.from_array(X_train, chunks=(len(X_train), -1))
noise = da.random.default_rng(0).normal(
    0, 0.1, (20 * len(X_train), 64), chunks=part.shape
)
rows = da.concatenate([part] * 20) + noise
labels = da.concatenate([da.from_array(y_train, chunks=len(y_train))] * 20)

# %%
# Two processes serve as the cluster; ``Client("scheduler-address:8786")`` connects to a
# cluster of machines. Each process imports this script, so the code that starts them is
# guarded by the following line. The dashboard shows the progress: it is at
# ``cluster.dashboard_link``. The test rows are predicted by the fitted estimator itself,
# which needs no Dask.
if __name__ == "__main__":
    print(f"{rows.shape[0]} rows in {rows.npartitions} partitions")
    closed = MetricInitMLPClassifier(
        solver="closed_form", n_comparisons=200, random_state=0
    )
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster),
    ):
        model = OnDask(closed).fit(rows, labels)
        print(f"accuracy of the training rows: {model.score(rows, labels):.4f}")
    clf = model.estimator_
    print(f"accuracy of the test rows:     {clf.score(X_test, y_test):.4f}")

    # One machine that has room for all rows calculates the same.
    local = closed.fit(rows.compute(), labels.compute())
    difference = clf.predict_proba(X_test) - local.predict_proba(X_test)
    print(f"largest difference to a local fit: {np.abs(difference).max():.0e}")

    # Gradient steps go on from there, partition by partition.
    clf.set_params(solver="adam")
    for k in range(rows.npartitions):
        clf.partial_fit(rows.partitions[k].compute(), labels.partitions[k].compute())
    print(f"after one epoch of Adam:       {clf.score(X_test, y_test):.4f}")
