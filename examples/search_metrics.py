"""
Which metric, which exemplars, and how many?
============================================

All three are parameters, so a grid search can choose them. They matter most with
``n_neighbors=1``, where the nearest exemplar decides. Untrained networks are cheap: the
search uses ``max_iter=0`` on all cores, and only the best network is trained.
"""

# %%
# Scikit-learn's digits, with values from 0 to 1, and two grids, because the chamfer
# distance has a parameter of its own.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, train_test_split

from skmetricmlp import MetricInitMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
common = {"exemplars": ["kmeans", "lvq"], "n_exemplars": [10, 20, 40]}
learned = LinearDiscriminantAnalysis()
grids = [
    {"metric": ["sqeuclidean", "cosine", "kl", learned], **common},
    {"metric": ["chamfer"], "metric_params": [{"image_shape": (8, 8)}], **common},
]

# %%
search = GridSearchCV(
    MetricInitMLPClassifier(n_neighbors=1, max_iter=0, random_state=0),
    grids,
    cv=3,
    n_jobs=-1,
)
search.fit(X_train, y_train)
results = pd.DataFrame(search.cv_results_)
for name in ("metric", "exemplars", "n_exemplars"):
    results[name] = (
        results[f"param_{name}"].astype(str).str.replace(r"\(.*", "", regex=True)
    )
results["n_exemplars"] = results["n_exemplars"].astype(int)
table = results.pivot_table(
    index="metric", columns=["exemplars", "n_exemplars"], values="mean_test_score"
)
print(table.round(3).to_string())

# %%
# With one exemplar of each class the learned map of a linear discriminant analysis is
# far ahead. More exemplars, or exemplars moved by LVQ, reach the same accuracy. The
# chamfer distance treats the gray values of these small images as black and white.
figure, panels = plt.subplots(
    1, 2, figsize=(9, 3.6), sharex=True, sharey=True, layout="constrained"
)
for panel, exemplars in zip(panels, common["exemplars"], strict=True):
    table[exemplars].T.plot(ax=panel, marker="o", legend=False, title=exemplars)
    panel.set(xlabel="exemplars", ylabel="accuracy, untrained")
    panel.set_xticks(common["n_exemplars"])
panels[1].legend(loc="lower right", fontsize="small")

# %%
# The accuracy of the best network, before training and after five epochs.
best = search.best_estimator_
print(f"\n{best}\n")
print(f"untrained:       {best.score(X_test, y_test):.3f}")
for _ in range(5):
    best.partial_fit(X_train, y_train)
print(f"after 5 epochs:  {best.score(X_test, y_test):.3f}")
plt.show()
