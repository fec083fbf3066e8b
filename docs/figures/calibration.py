"""Plot how often the predicted probabilities of four models come true."""

import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier

X, y = make_classification(
    6000, n_informative=6, n_clusters_per_class=3, flip_y=0.1, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=2000, random_state=0)
models = {
    "fit(X, y)": (MetricInitMLPClassifier(random_state=0), "#2a7fb8"),
    "max_iter=0": (MetricInitMLPClassifier(max_iter=0, random_state=0), "#7fbfe6"),
    "random forest": (RandomForestClassifier(random_state=0), "#3d9a63"),
    "gradient boosting": (HistGradientBoostingClassifier(random_state=0), "0.45"),
}
figure, panel = plt.subplots(figsize=(5.6, 4.2))
for name, (clf, color) in models.items():
    p = clf.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    brier, loss = brier_score_loss(y_test, p), log_loss(y_test, p)
    CalibrationDisplay.from_predictions(
        y_test,
        p,
        n_bins=10,
        ax=panel,
        name=f"{name}: Brier {brier:.3f}, log loss {loss:.3f}",
        color=color,
        ms=4,
    )
panel.set(xlabel="predicted probability", ylabel="share of rows in the class")
panel.legend(frameon=False, fontsize=8, loc="upper left")
plt.show()
