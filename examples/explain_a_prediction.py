"""
Which exemplar decided?
=======================

If the output layer reads exemplars only, they explain a prediction: which exemplars were
near, by how much the nearest won, and what each contributes after training.
"""

# %%
# The exemplars are rows of the data, so that they can be looked up. With
# ``n_neighbors=1`` each of them votes.
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.plotting import ExemplarsDisplay, MarginsDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = make_pipeline(
    StandardScaler().set_output(transform="pandas"),
    MetricInitMLPClassifier(
        exemplars="kmedoids",
        n_exemplars=12,
        n_neighbors=1,
        max_iter=20,
        tol=0,
        random_state=0,
    ),
)
model.fit(X_train, y_train)
print(f"accuracy: {model.score(X_test, y_test):.3f}\n")

# %%
# The patient with the closest decision. At rank 1 the margin is the distance of the
# nearest exemplar of the other class minus that of the nearest exemplar.
scaler, clf = model[0], model[-1]
explained = clf.explain(scaler.transform(X_test), n_nearest=4)
nearest = explained[explained["rank"] == 1]
patient = nearest.loc[nearest["margin"].idxmin(), "row"]
print(f"patient {patient} is {y_test[patient]}\n")
columns = ["term", "exemplar", "label", "excess", "margin", "contribution"]
print(explained.loc[explained["row"] == patient, columns].round(2).to_string(index=False))

# %%
# The contributions add up to the output of the predicted class. The last rows are the
# rest of it: the other eight exemplars, and a bias that training has changed a little.
#
# The figure shows the margin of each exemplar, and its contribution to the predicted
# class. The gray bars are the other terms.
MarginsDisplay.from_predictions(explained, row=patient)

# %%
# The exemplars are training rows. These are the patients that the case is compared with.
near = explained.loc[explained["row"] == patient, "exemplar"].dropna()
rows = X_train.index[clf.exemplar_indices_[near]]
shown = ["mean radius", "mean texture", "worst concavity"]
print("\n", X.loc[[patient, *rows], shown].round(2).to_string(), sep="")

# %%
# All exemplars, with the measurements in units of their standard deviations. Malignant
# ones are larger in radius, perimeter and area. One of the benign exemplars is an
# outlier.
figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
ExemplarsDisplay.from_estimator(model, ax=axes)
plt.show()
