"""All of scikit-learn's checks, for one setting of each path through the code."""

import pytest
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)

# Training that goes all the way takes half the time.
SMALL = {"n_exemplars": 6, "max_iter": 10, "trained_share": 1.0}
FITTED = {"n_comparisons": 20, **SMALL}
ESTIMATORS = [
    # The default: comparisons on few features, read by a ridge regression.
    MetricInitMLPClassifier(**FITTED | {"trained_share": "auto"}),
    # No conjunctions, and a logistic regression, in a metric that is a transformer.
    MetricInitMLPClassifier(
        n_conjunctions=0,
        output_init="logistic",
        metric=PCA(random_state=0),
        exemplars="condensed",
        **FITTED,
    ),
    # The source's networks: three layers with ReLU and shared scores, in pairs that
    # depend on the classes, and minibatches with momentum; four layers with smooth steps.
    MetricInitMLPClassifier(
        n_neighbors=1,
        tied=True,
        exemplars="lvq",
        pairs="other_classes",
        solver="sgd",
        **SMALL,
    ),
    MetricInitMLPClassifier(n_neighbors=3, activation="logistic", **SMALL),
    # All rows at once, without partial_fit; the other loss and output of a classifier. A
    # metric that does not take all rows, and exemplars that are rows of X. (Those that
    # take positive rows only fail a check that forgets the tag.)
    MetricInitMLPClassifier(
        solver="lbfgs",
        loss="squared_error",
        output_init="norm_constrained",
        metric="cosine",
        exemplars="kmedoids",
        **FITTED,
    ),
    # Sums over rows, whose network is calculated when it is asked for; comparisons on one
    # feature.
    MetricInitMLPClassifier(solver="closed_form", max_features=1, **FITTED),
    MetricInitMLPRegressor(solver="closed_form", **FITTED),
    # A baseline: random weights, unlike calculated ones, have to learn in few epochs.
    MetricInitMLPClassifier("random", learning_rate_init=0.03, **FITTED),
    # The default of a regressor, for one output and several, in units of the rows.
    MetricInitMLPRegressor(exemplars="random", **FITTED | {"trained_share": "auto"}),
    # Values of exemplars are averaged, from tied comparisons.
    MetricInitMLPRegressor(
        n_neighbors=2, tied=True, **SMALL | {"n_exemplars": 20, "max_iter": 30}
    ),
    # A baseline, whose unit of y comes from the rows.
    MetricInitMLPRegressor("random", learning_rate_init=0.1, **FITTED | {"max_iter": 20}),
    # Another initialization and another check of the data; L-BFGS and minibatches.
    BasisInitMLPRegressor(degree=4, max_iter=10),
    BasisInitMLPRegressor("random", solver="adam", degree=3, max_iter=50),
]

checks = parametrize_with_checks(ESTIMATORS)
argument_names, pairs = checks.args
id_of = checks.kwargs["ids"]
# scikit-learn 1.6 has one check twice, and a generator, which pytest 9 deprecates.
cases = {"-".join(map(id_of, pair)): pair for pair in pairs}
# Without epochs the number of epochs is zero, and not one at least.
cases = {
    name: pair
    for name, pair in cases.items()
    if not ("closed_form" in name and name.endswith("_n_iter"))
}


# The checks fit data of all scales for as few epochs as they can, and few rows.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The first call of partial_fit has:UserWarning")
@pytest.mark.parametrize(argument_names, list(cases.values()), ids=list(cases))
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)
