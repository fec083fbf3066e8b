"""
A grid search on a cluster
==========================

joblib hands the fits of ``GridSearchCV`` to a Dask cluster. A worker that dies costs the
fits that it was at: the scheduler gives them to another one, and the search goes on, if
what it needs is elsewhere too.
"""

# %%
import pandas as pd
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skmetricmlp import MetricInitMLPClassifier

X, y = load_digits(return_X_y=True)
splits = list(StratifiedKFold(2).split(X, y))
search = GridSearchCV(
    # Without a seed no fit could be repeated.
    MetricInitMLPClassifier(max_iter=5, tol=0, random_state=0),
    {"n_exemplars": [10, 20, 30], "n_neighbors": [1, None]},
    cv=splits,
)

# %%
# Every worker gets every array. Left to itself joblib puts arrays, those of the splits
# too, on one worker, and they are lost with it.
arrays = [X, y, *(rows for split in splits for rows in split)]

# %%
# Two processes here; ``Client("scheduler-address:8786")`` is a cluster of machines. Each
# process reads this script again, so that what starts them stands behind this line.
if __name__ == "__main__":
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster),
        parallel_config("dask", scatter=arrays),
    ):
        search.fit(X, y)
    results = pd.DataFrame(search.cv_results_)
    table = results.pivot_table(
        index="param_n_exemplars", columns="param_n_neighbors", values="mean_test_score"
    )
    print(table.round(3).to_string())
    print(f"best: {search.best_params_}")
