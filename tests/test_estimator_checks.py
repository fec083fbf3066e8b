"""All of scikit-learn's checks, for settings that take different paths."""

import pytest
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)

SMALL = {"n_exemplars": 6, "max_iter": 10}
ESTIMATORS = [
    MetricInitMLPClassifier(),
    # Random weights, unlike calculated ones, have to learn in those few epochs.
    MetricInitMLPClassifier(init="random", learning_rate_init=0.03, **SMALL),
    MetricInitMLPClassifier(n_neighbors=3, **SMALL),
    MetricInitMLPClassifier(activation="logistic", **SMALL),
    MetricInitMLPClassifier(activation="tanh", **SMALL),
    MetricInitMLPClassifier(solver="sgd", **SMALL),
    MetricInitMLPClassifier(solver="lbfgs", n_random_units=20, **SMALL),
    MetricInitMLPClassifier(exemplars="random", **SMALL),
    MetricInitMLPClassifier(loss="squared_error", **SMALL),
    MetricInitMLPClassifier(exemplars="lvq", n_exemplars="auto", max_iter=10),
    MetricInitMLPClassifier(exemplars="condensed", metric="cosine", **SMALL),
    MetricInitMLPClassifier(exemplars="kmedoids", metric="mahalanobis", **SMALL),
    MetricInitMLPClassifier(
        output_init="logistic",
        n_random_units=10,
        activation="tanh",
        sharpness=0.25,
        **SMALL,
    ),
    MetricInitMLPClassifier(metric=PCA(random_state=0), **SMALL),
    MetricInitMLPClassifier(tied=True, pairs=2, **SMALL),
    MetricInitMLPClassifier(
        tied=True, pairs="other_classes", readout="exemplars", **SMALL
    ),
    MetricInitMLPClassifier(init="random", output_init="norm_constrained", **SMALL),
    BasisInitMLPRegressor(max_iter=20),
    BasisInitMLPRegressor(solver="adam", degree=3, max_iter=10),
    BasisInitMLPRegressor("random", degree=3, max_iter=50),
    MetricInitMLPRegressor(),
    MetricInitMLPRegressor(
        init="random", learning_rate_init=0.03, n_exemplars=6, max_iter=50
    ),
    MetricInitMLPRegressor(
        n_neighbors=3, n_exemplars=20, activation="logistic", max_iter=50
    ),
    MetricInitMLPRegressor(activation="logistic", solver="sgd", **SMALL),
    MetricInitMLPRegressor(solver="lbfgs", n_random_units=20, **SMALL),
    MetricInitMLPRegressor(output_init="norm_constrained", exemplars="kmedoids", **SMALL),
    MetricInitMLPRegressor(
        tied=True, pairs=5, readout="exemplars", exemplars="random", max_iter=50
    ),
]

checks = parametrize_with_checks(ESTIMATORS)
argument_names, pairs = checks.args
id_of = checks.kwargs["ids"]
# scikit-learn 1.6 has one check twice, and a generator, which pytest 9 deprecates.
cases = {"-".join(map(id_of, pair)): pair for pair in pairs}


# The checks fit data of all scales for as few epochs as they can, and few rows.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The first call of partial_fit has:UserWarning")
@pytest.mark.parametrize(argument_names, list(cases.values()), ids=list(cases))
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)
