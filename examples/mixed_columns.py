"""
A table with numbers, categories and missing values
===================================================

The classifier takes its place at the end of a pipeline like any other: numbers are
imputed and scaled, categories are one-hot encoded, and a grid search looks for the number
of exemplars and of neighbours.
"""

# %%
# A table of 400 customers, made up so that the example runs anywhere. Who has many orders
# of a small value, or few of a great one on the web, stays.
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmetricmlp import MetricInitMLPClassifier

rng = np.random.default_rng(0)
n = 400
table = pd.DataFrame(
    {
        "orders": rng.poisson(6, n).astype(float),
        "value": rng.gamma(2.0, 30.0, n),
        "channel": rng.choice(["shop", "web", "phone"], n),
    }
)
score = table["orders"] - table["value"] / 15 + 4 * (table["channel"] == "web")
stays = np.where(score + rng.normal(size=n) > 2, "yes", "no")
for column in table:
    table.loc[rng.choice(n, 20, replace=False), column] = None

# %%
# Everything that is learned from the data is inside the pipeline, so that the search
# never sees the rows that it tests on.
features = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["orders", "value"]),
    (OneHotEncoder(handle_unknown="ignore"), ["channel"]),
)
pipeline = make_pipeline(
    features, MetricInitMLPClassifier(max_iter=30, tol=0, random_state=0)
)
search = GridSearchCV(
    pipeline,
    {
        "metricinitmlpclassifier__n_exemplars": [6, 12, 24],
        "metricinitmlpclassifier__n_neighbors": [1, 3],
        "metricinitmlpclassifier__max_iter": [0, 30],
    },
    n_jobs=2,
)
X_train, X_test, y_train, y_test = train_test_split(table, stays, random_state=0)
search.fit(X_train, y_train)

# %%
# Best settings, and their accuracy on rows that the search has not seen.
for name, value in search.best_params_.items():
    print(f"{name.split('__')[-1]:12} {value}")
print(f"{'accuracy':12} {search.score(X_test, y_test):.3f}")
