"""Optuna: a search over the parameters, as over those of any estimator."""

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.integration import OptunaSearchCV
from sklearn.datasets import load_wine

from skmetricmlp import MetricInitMLPClassifier

optuna.logging.set_verbosity(optuna.logging.WARNING)
X, y = load_wine(return_X_y=True)
search = OptunaSearchCV(
    MetricInitMLPClassifier(max_iter=0, random_state=0),
    {
        "n_exemplars": IntDistribution(3, 30),
        "max_features": CategoricalDistribution(["mixed", None, 1]),
    },
    n_trials=6,
    cv=3,
    random_state=0,
)
search.fit(X, y)
print(f"optuna: {search.best_params_} {search.best_score_:.3f}")
assert search.best_score_ > 0.95
