"""What the estimators share is described in the same words, but for what is listed."""

import ast
import inspect

import pytest

from skmetricmlp import (
    BasisInitMLPRegressor,
    MetricInitMLPClassifier,
    MetricInitMLPRegressor,
)

CLASSIFIER_AND_REGRESSOR = (MetricInitMLPClassifier, MetricInitMLPRegressor)
REGRESSORS = (MetricInitMLPRegressor, BasisInitMLPRegressor)
ESTIMATORS = (*CLASSIFIER_AND_REGRESSOR, BasisInitMLPRegressor)
LATER = "to be unified"
# Texts that differ, and why; ``name: Section`` and ``name(parameter)`` are of methods.
DIFFERENT = {
    CLASSIFIER_AND_REGRESSOR: {
        "early_stopping": "the validation score is accuracy or R^2",
        "exemplar_indices_": "only a classifier has LVQ",
        "exemplars": "only a classifier has condensed exemplars, LVQ and labels",
        "explain": "an explanation is of a class or of a value",
        "explain(output)": "a label, or a value",
        "explain: Returns": "the columns label and margin, or value",
        "fit(y)": "labels, or values of one output or several",
        "init": "given weights are in the units of y, and labels have none",
        "loss": "the losses",
        "loss_curve_": "only values have a unit",
        "metric": "the example is a transformer that reads labels or values",
        "n_exemplars": "only a classifier has a count for each class",
        "n_layers_": "four layers vote for classes",
        "n_neighbors": "exemplars vote, or their values are averaged",
        "n_outputs_": "one for each class",
        "out_activation_": "the activations",
        "output_init": "only a classifier has the logistic regression",
        "pairs": "only a classifier has other classes",
        "partial_fit": "classes come late, and values have a unit",
        "partial_fit(y)": "labels, or values of one output or several",
        "predict": "labels or values",
        "predict: Returns": "labels or values",
        "sharpness": "the limit is a classifier or a regressor",
        "tol": "the validation score is accuracy or R^2",
        "validation_fraction": "only classes can be stratified",
        "validation_scores_": "accuracy or R^2",
    },
    REGRESSORS: {
        "batch_size": "the usual sizes",
        "coefs_": "only a network with exemplars can be tied",
        "fit": "what is fitted",
        "fit(X)": "basis networks read no sparse matrix",
        "fit(X_val)": "basis networks read no sparse matrix",
        "fit: Warns": "exemplars far outside the training data",
        "init": "the kinds of weights",
        "intercepts_": "basis networks have two layers",
        "learning_rate_init": "the usual rates",
        "max_iter": "basis networks are assembled",
        "n_layers_": "only a network with exemplars can have more than three",
        "network_": LATER,  # the same network, which has one view less
        "partial_fit": "what the first rows decide",
        "partial_fit(X)": "basis networks read no sparse matrix",
        "predict(X)": "the domain, and no sparse matrix",
        "random_state": "basis networks have no exemplars",
        "solver": "another default, as minibatches are too coarse for a precise start",
        "validation_fraction": "basis networks have no exemplars",
        "warm_start": "the parameters that decide the network",
    },
}


def sections(text):
    """Lines below each underlined title; those before the first are of ``""``."""
    found, title = {"": []}, ""
    lines = inspect.cleandoc(text).splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line and set(below) == {"-"} and len(below) == len(line):
            title = line
            found[title] = []
        elif set(line) != {"-"}:
            found[title].append(line)
    return found


def without_default(kind):
    return kind.partition(", default=")[0]


def entries(lines):
    """Type and description of each name in a section of ``name : type`` entries."""
    found, names = {}, []
    for line in lines:
        if line and not line.startswith(" "):
            left, _, kind = line.partition(" : ")
            names = left.split(", ")
            found |= {name: [without_default(kind)] for name in names}
        else:
            for name in names:
                found[name].append(line)
    return {name: "\n".join(text).strip() for name, text in found.items()}


def texts_of_method(estimator, name):
    """The parameters of a method, and the rest; of a class, its name is left out."""
    text = inspect.getdoc(getattr(estimator, name)) or ""
    parts = sections(text.replace(estimator.__name__, "Estimator"))
    parts.pop("Examples", None)
    parameters = entries(parts.pop("Parameters", []))
    rest = {title: "\n".join(lines).strip() for title, lines in parts.items()}
    return {
        name: rest.pop(""),
        **{f"{name}: {title}": part for title, part in rest.items()},
        **{f"{name}({parameter})": part for parameter, part in parameters.items()},
    }


def texts(estimator):
    """All that is described: parameters, attributes, and methods with their parts."""
    parts = sections(estimator.__doc__)
    found = entries(parts["Parameters"]) | entries(parts["Attributes"])
    for name, method in inspect.getmembers(estimator, inspect.isfunction):
        if name[0] != "_" and method.__module__.startswith("skmetricmlp."):
            found |= texts_of_method(estimator, name)
    return found


@pytest.mark.parametrize("pair", DIFFERENT, ids=lambda pair: pair[1].__name__)
def test_shared_texts_are_equal(pair):
    one, other = map(texts, pair)
    differ = {name for name in one.keys() & other.keys() if one[name] != other[name]}
    assert differ == DIFFERENT[pair].keys()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_parameter_and_method_is_described(estimator):
    described = texts(estimator)
    assert set(estimator().get_params(deep=False)) <= described.keys()
    assert all(described.values())
    for name in ("fit", "predict"):
        for parameter in inspect.signature(getattr(estimator, name)).parameters:
            assert parameter == "self" or f"{name}({parameter})" in described


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_described_defaults_are_those_of_the_signature(estimator):
    defaults = inspect.signature(estimator).parameters
    described = {}
    for line in sections(estimator.__doc__)["Parameters"]:
        if line and not line.startswith(" "):
            left, _, kind = line.partition(" : ")
            names = left.split(", ")
            values = kind.partition(", default=")[2].split(", ")
            described |= dict(zip(names, map(ast.literal_eval, values), strict=True))
    expected = {name: parameter.default for name, parameter in defaults.items()}
    assert list(described.items()) == list(expected.items())
