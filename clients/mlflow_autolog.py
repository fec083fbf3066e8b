"""MLflow: a plain fit records nothing, and a pipeline records its parameters."""

import os
from tempfile import TemporaryDirectory

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # it is read when MLflow is imported

import mlflow
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline

from skmetricmlp import MetricInitMLPClassifier

X, y = load_wine(return_X_y=True, as_frame=True)
clf = MetricInitMLPClassifier(output_init="logistic", max_iter=0, random_state=0)
with TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"file:{folder}")
    mlflow.set_experiment("wine")
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    clf.fit(X, y)
    assert mlflow.search_runs(output_format="list") == []
    make_pipeline(clf).fit(X, y)
    (run,) = mlflow.search_runs(output_format="list")
print(f"mlflow: {run.data.params['metricinitmlpclassifier__output_init']}")
assert run.data.params["metricinitmlpclassifier__output_init"] == "logistic"
assert run.data.metrics["training_accuracy_score"] > 0.9
