"""River: rows come one at a time, after thirty that the network begins with."""

from river import compat, metrics
from sklearn.datasets import load_breast_cancer
from sklearn.utils import shuffle

from skmetricmlp import MetricInitMLPClassifier

X, y = shuffle(*load_breast_cancer(return_X_y=True, as_frame=True), random_state=0)
clf = MetricInitMLPClassifier(n_exemplars=10, random_state=0)
clf.partial_fit(X[:30], y[:30], classes=[0, 1])
model = compat.convert_sklearn_to_river(clf, classes=[0, 1])
accuracy = metrics.Accuracy()
for row, label in zip(X[30:230].to_dict(orient="records"), y[30:230], strict=True):
    accuracy.update(label, model.predict_one(row))
    model.learn_one(row, label)
print(f"river: {accuracy}")
assert accuracy.get() > 0.9
