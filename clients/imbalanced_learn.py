"""imbalanced-learn: resampling before the network, and an ensemble of networks."""

from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_score

from skmetricmlp import MetricInitMLPClassifier

X, y = make_classification(600, weights=[0.9], class_sep=1.5, random_state=0)
clf = MetricInitMLPClassifier(n_comparisons=100, max_iter=0, random_state=0)
for model in (
    make_pipeline(SMOTE(random_state=0), clf),
    BalancedBaggingClassifier(clf, n_estimators=3, random_state=0),
):
    score = cross_val_score(model, X, y, cv=3, scoring="balanced_accuracy").mean()
    print(f"imbalanced-learn: {type(model).__name__} {score:.3f}")
    assert score > 0.8
