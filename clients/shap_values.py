"""SHAP: Shapley values beside the contributions that the network has by itself."""

import numpy as np
import shap
from sklearn.datasets import load_diabetes

from skmetricmlp import MetricInitMLPRegressor

X, y = load_diabetes(return_X_y=True, as_frame=True)
reg = MetricInitMLPRegressor(max_iter=0, random_state=0).fit(X, y)
explain = shap.Explainer(reg.predict, X[:30], seed=0)
values = explain(X[:20], silent=True).values
shares = np.abs(values).mean(axis=0) / np.abs(values).mean(axis=0).sum()
agreement = np.corrcoef(shares, reg.feature_importances_)[0, 1]
print(f"shap: correlation with feature_importances_ {agreement:.2f}")
assert agreement > 0.8
