"""Other models on the same splits, and the sentence that says which one to use."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.pipeline import make_pipeline

from skmetricmlp._command import BASELINES, main
from skmetricmlp.study import (
    DataError,
    Dataset,
    Design,
    compare_models,
    conclusions,
    load_dataset,
    model_table,
    run_study,
    starts_from_grid,
    tabular_transformer,
    write_report,
)
from skmetricmlp.study.rivals import OURS, RIVALS, UNTRAINED, check_rivals
from skmetricmlp.study.runs import Split, split_rows

TWO = {"init": ["metric", "random"], "n_comparisons": [10]}


def designed(data, **settings):
    settings = {"sizes": [40, 60], "n_seeds": 3, "n_epochs": 1} | settings
    return Design.from_dataset(data, starts_from_grid(TWO), **settings)


@pytest.fixture(scope="module")
def study():
    data = load_dataset("iris")
    return run_study(data, designed(data))


def judged(study, ours, theirs, n=2):
    """The study with n other models, the last of which has the scores ``theirs``."""
    worse = np.array(theirs) - 0.3
    scores = {OURS: ours, UNTRAINED: ours, **{f"model {k}": worse for k in range(n - 1)}}
    scores["the best"] = theirs
    rows = [
        {"model": name, "seed": seed, "accuracy": score}
        for name, values in scores.items()
        for seed, score in enumerate(values)
    ]
    return replace(study, models=pd.DataFrame(rows))


def test_models_are_fitted_to_the_splits_of_the_starts(study):
    data, design = study.dataset, study.design
    models, predictions = compare_models(data, design, ["constant", "linear"])
    assert models["model"].unique().tolist() == [
        OURS,
        UNTRAINED,
        "the most frequent class",
        "logistic regression",
    ]
    for name, model in {
        "logistic regression": LogisticRegression(max_iter=1000),
        "the most frequent class": DummyClassifier(),
    }.items():
        for seed in range(3):
            train, test = split_rows(data, Split(design.n_train, 60, seed))
            expected = make_pipeline(tabular_transformer(), model)
            expected.fit(data.X.iloc[train], data.y.iloc[train])
            X_test, y_test = data.X.iloc[test], data.y.iloc[test]
            found = models[(models["model"] == name) & (models["seed"] == seed)].iloc[0]
            predicted = expected.predict(X_test)
            assert found["accuracy"] == accuracy_score(y_test, predicted)
            assert found["balanced_accuracy"] == balanced_accuracy_score(
                y_test, predicted
            )
            loss = log_loss(y_test, expected.predict_proba(X_test))
            assert found["neg_log_loss"] == pytest.approx(-loss)
            assert found["seconds"] > 0
    counts = predictions.query("model == 'logistic regression'")
    n_right = counts.loc[counts["true"] == counts["predicted"], "count"].sum()
    assert counts["count"].sum() == 3 * design.n_test
    accuracy = models.query("model == 'logistic regression'")["accuracy"].mean()
    assert n_right / (3 * design.n_test) == pytest.approx(accuracy)


def test_the_same_models_whatever_the_number_of_processes(study):
    names = ["linear", "neighbors"]
    one, two = (
        compare_models(study.dataset, study.design, names, n_jobs=jobs).scores.drop(
            columns="seconds"
        )
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)


def test_values_have_their_own_models_and_measures():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    data = Dataset.from_arrays(X[:120], y[:120], name="diabetes", task="values")
    models, predictions = compare_models(data, designed(data, n_seeds=1), [*RIVALS])
    assert predictions is None
    assert len(models) == len(RIVALS) + 2
    mean = models[models["model"] == "the mean"].iloc[0]
    assert mean["r2"] <= 0
    assert mean["neg_root_mean_squared_error"] <= mean["neg_mean_absolute_error"] < 0


@pytest.mark.parametrize(
    ("ours", "theirs", "n", "begins"),
    [
        ([0.9, 0.91, 0.92], [0.7, 0.71, 0.72], 2, "Use this network. With 60 training"),
        ([0.7, 0.71, 0.72], [0.9, 0.91, 0.92], 2, "Use the best instead. With 60"),
        ([0.8, 0.9, 0.7], [0.85, 0.8, 0.81], 2, "This network and the best are level."),
        # Significant as the only other model, and not as the best of many.
        ([0.9, 0.91, 0.92], [0.86, 0.88, 0.87], 1, "Use this network."),
        ([0.9, 0.91, 0.92], [0.86, 0.88, 0.87], 7, "This network and the best are le"),
    ],
)
def test_the_first_sentence_says_what_to_use(study, ours, theirs, n, begins):
    sentence, *others = conclusions(judged(study, ours, theirs, n))
    assert sentence.startswith(begins)
    assert f"{100 * abs(np.mean(ours) - np.mean(theirs)):.1f} ± " in sentence
    assert others == conclusions(study)


def test_the_interval_is_that_of_the_best_of_several(study):
    ours, theirs = [0.9, 0.91, 0.92], [0.86, 0.88, 0.87]
    sentence = conclusions(judged(study, ours, theirs, 4))[0]
    differences = np.subtract(ours, theirs)
    share = 1 / 3 + study.design.n_test / study.design.n_train
    deviation = np.sqrt(differences.var(ddof=1) * share)
    # The t distribution with two degrees of freedom has this quantile of 1 - .05 / 8.
    p = 1 - 0.05 / 8
    quantile = (2 * p - 1) / np.sqrt(2 * p * (1 - p))
    assert f"± {100 * quantile * deviation:.1f} points" in sentence


def test_one_split_shows_no_uncertainty(study):
    models = judged(study, [0.9] * 3, [0.8] * 3).models
    alone = replace(study, models=models[models["seed"] == 0])
    sentence = conclusions(alone)[0]
    assert sentence.startswith("In one split, this network is better than the best.")
    assert "10.0 points is from one split, so its uncertainty is unknown." in sentence


def test_no_model_is_better_than_a_constant(study):
    models = judged(study, [0.3] * 3, [0.6] * 3).models
    names = {"the best": "the most frequent class"}
    found = replace(study, models=models.replace(names))
    expected = "No model is better than always predicting the most frequent class."
    assert conclusions(found)[0].startswith(expected)


def test_the_page_has_the_answer_first_and_a_table(study, tmp_path):
    models = compare_models(study.dataset, study.design, ["linear"])
    full = replace(study, models=models.scores, model_predictions=models.predictions)
    write_report(tmp_path, full)
    page = (tmp_path / "report.html").read_text()
    table = model_table(full)
    means = full.models.groupby("model")["accuracy"].mean()
    assert means[table.index[0]] == means.max()
    assert table.loc[OURS, "accuracy in percent"].startswith(
        f"{100 * means[OURS]:.1f} ± "
    )
    assert "Other models on the same splits" in page
    assert page.index("logistic regression") < page.index("the accuracy of calculated")
    write_report(tmp_path, study)
    assert "Other models" not in (tmp_path / "report.html").read_text()


def test_names_of_models():
    assert tuple(RIVALS) == BASELINES
    assert check_rivals(["none"]) == []
    assert check_rivals(["linear", "mlp"]) == ["linear", "mlp"]
    for names in (["tabpfn"], ["none", "linear"]):
        with pytest.raises(DataError, match="baselines must be none, or of constant"):
            check_rivals(names)


def test_the_command_compares_with_models_by_name(tmp_path, capsys):
    options = ["--sizes", "60", "--seeds", "2", "--epochs", "1", "--quiet"]
    output = ["--output", str(tmp_path)]
    command = ["compare", "wine", *options, *output, "--baselines"]
    assert main([*command, "linear", "constant"]) == 0
    printed = capsys.readouterr().out
    assert "Other models on the same splits" in printed
    assert "logistic regression" in printed
    assert "random forest" not in printed
    assert main([*command, "xgboost"]) == 2
    assert "baselines must be none, or of" in capsys.readouterr().err
