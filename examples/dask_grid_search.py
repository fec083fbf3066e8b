"""
A grid search on a cluster
==========================

joblib distributes the fits of ``GridSearchCV`` over a Dask cluster. If a worker dies,
the scheduler gives its fits to another worker. The search continues if the data are on
another worker too.
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
    # Without a seed a repeated fit would have another result.
    MetricInitMLPClassifier(max_iter=0, random_state=0),
    {"n_exemplars": [10, 20, 30], "n_neighbors": [1, None]},
    cv=splits,
)

# %%
# Every worker gets every array. By default joblib puts each array, also those of the
# splits, on one worker only, and it is lost if this worker dies.
arrays = [X, y, *(rows for split in splits for rows in split)]

# %%
# Two processes serve as the cluster; ``Client("scheduler-address:8786")`` connects to a
# cluster of machines. Each process imports this script, so the code that starts them is
# guarded by the following line.
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
    results["param_n_neighbors"] = results["param_n_neighbors"].map(str)
    table = results.pivot_table(
        index="param_n_exemplars", columns="param_n_neighbors", values="mean_test_score"
    )
    print(table.round(3).to_string())
    print(f"best: {search.best_params_}")
