"""Scores of a comparison: any scorer of scikit-learn, and how its values are printed."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
)
from sklearn.preprocessing import label_binarize

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp._command import _print_plan, main
from skmetricmlp.study import (
    DataError,
    Dataset,
    Design,
    compare,
    compare_models,
    conclusions,
    find_score,
    load_dataset,
    recall_table,
    run_study,
    sample_rows,
    score_table,
    starts_from_grid,
    target_table,
    write_report,
)
from skmetricmlp.study.progress import estimate_seconds, progress_bar
from skmetricmlp.study.runs import Split, split_rows
from skmetricmlp.study.scores import measure, order_labels, predict
from skmetricmlp.study.tasks import CLASSES, VALUES

TWO = {"init": ["metric", "random"], "n_comparisons": [10], "n_exemplars": [6]}
QUICK = ["--n-exemplars", "6", "--n-comparisons", "10", "--sizes", "60", "--seeds", "2"]
QUICK += ["--epochs", "1", "--quiet", "--baselines", "none"]
Y = pd.Series([1.0, 2.0, 5.0])


def run(data, **settings):
    settings = {"sizes": [60], "n_seeds": 2, "n_epochs": 1} | settings
    return run_study(data, Design.from_dataset(data, starts_from_grid(TWO), **settings))


@pytest.fixture(scope="module")
def rare():
    """A class "fraud" with 36 of 248 rows, and a class "good"."""
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.flatnonzero((y == 1) | (np.cumsum(y == 0) <= 36))[:248]
    labels = np.where(y[rows] == 1, "good", "fraud")
    return Dataset.from_arrays(X[rows, 4:12], labels, name="rare")


@pytest.fixture(scope="module")
def study(rare):
    return run(rare)


@pytest.fixture(scope="module")
def values():
    X, y = load_diabetes(return_X_y=True)
    return Dataset.from_arrays(X[:150], y[:150], name="diabetes", task="values")


@pytest.fixture
def no_figures(monkeypatch):
    """Pages without figures, which take long to draw."""
    sections = ("curves", "sizes", "seconds", "predictions", "exemplars")
    monkeypatch.setattr(
        "skmetricmlp.study.report.draw_figures", lambda _: {name: [] for name in sections}
    )


# --- the values ---


def test_measures_of_two_classes_are_those_of_scikit_learn(rare, study):
    """The average precision is of the rarer class, although it is not the last name."""
    split = Split(study.design.n_train, 60, 1)
    train, test = split_rows(rare, split)
    X, y = rare.transformer.fit(rare.X.iloc[train]).transform(rare.X), rare.y.to_numpy()
    clf = MetricInitMLPClassifier(
        n_exemplars=6, n_comparisons=10, max_iter=0, random_state=1
    ).fit(X[train], y[train])
    p = clf.predict_proba(X[test])
    expected = {
        "accuracy": clf.score(X[test], y[test]),
        "balanced_accuracy": balanced_accuracy_score(y[test], clf.predict(X[test])),
        "average_precision": average_precision_score(
            y[test] == "fraud", p[:, clf.classes_.tolist().index("fraud")]
        ),
        "neg_log_loss": -log_loss(y[test], p, labels=clf.classes_),
    }
    curves = study.curves.query("seed == 1 and start == 'calculated' and epoch == 0")
    assert curves[list(expected)].iloc[0].to_dict() == pytest.approx(expected)


def test_measures_of_several_classes_are_those_of_scikit_learn():
    X, y = load_iris(return_X_y=True)
    names = np.array(["b", "c", "a"])[y]
    labels = order_labels(CLASSES, pd.Series(names))
    clf = MetricInitMLPClassifier(n_exemplars=6, max_iter=0, random_state=0)
    clf.fit(X[::2], names[::2])
    found = measure(
        names[1::2],
        predict(clf, X[1::2], labels),
        [*CLASSES.measures, "roc_auc_ovr"],
        labels,
    )
    for name in ("accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc_ovr"):
        scorer = get_scorer(name)
        assert found[name] == pytest.approx(scorer(clf, X[1::2], names[1::2]))
    is_class = label_binarize(names[1::2], classes=clf.classes_)
    macro = average_precision_score(is_class, clf.predict_proba(X[1::2]))
    assert found["average_precision"] == pytest.approx(macro)


def test_measures_although_a_class_has_no_test_row_or_no_training_row():
    X, y = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    labels = order_labels(CLASSES, pd.Series(names))
    known, test = y > 0, y < 2
    clf = MetricInitMLPClassifier(n_exemplars=6, max_iter=0, random_state=0)
    clf.fit(X[known], names[known])
    predictions = predict(clf, X[test], labels)
    found = measure(names[test], predictions, CLASSES.measures, labels)
    p = np.c_[np.zeros(100), clf.predict_proba(X[test])]
    # The class "a" is never predicted. That of the log loss are rows of "b".
    precisions = [
        average_precision_score(names[test] == c, p[:, k]) for k, c in enumerate("ab")
    ]
    assert found["average_precision"] == pytest.approx(np.mean(precisions))
    assert found["neg_log_loss"] == pytest.approx(np.log(p[50:, 1]).mean())


def test_scorers_with_a_positive_class_take_the_rarer_one(rare):
    study = run(rare, scoring="f1", n_seeds=1)
    train, test = split_rows(rare, Split(study.design.n_train, 60, 0))
    X, y = rare.transformer.fit(rare.X.iloc[train]).transform(rare.X), rare.y.to_numpy()
    clf = MetricInitMLPClassifier(
        n_exemplars=6, n_comparisons=10, max_iter=0, random_state=0
    ).fit(X[train], y[train])
    expected = f1_score(y[test], clf.predict(X[test]), pos_label="fraud")
    found = study.curves.query("start == 'calculated' and epoch == 0")["f1"].iloc[0]
    assert found == pytest.approx(expected)


def test_measures_of_values(values):
    study = run(values)
    train, test = split_rows(values, Split(study.design.n_train, 60, 1))
    X = values.transformer.fit(values.X.iloc[train]).transform(values.X)
    y = values.y.to_numpy()
    reg = MetricInitMLPRegressor(
        n_exemplars=6, n_comparisons=10, max_iter=0, random_state=1
    ).fit(X[train], y[train])
    predicted = reg.predict(X[test])
    expected = {
        "r2": reg.score(X[test], y[test]),
        "neg_root_mean_squared_error": -np.sqrt(mean_squared_error(y[test], predicted)),
        "neg_mean_absolute_error": -mean_absolute_error(y[test], predicted),
    }
    curves = study.curves.query("seed == 1 and start == 'calculated' and epoch == 0")
    assert curves[list(expected)].iloc[0].to_dict() == pytest.approx(expected)


# --- names ---


@pytest.mark.parametrize("task", [CLASSES, VALUES])
def test_every_scorer_of_scikit_learn_is_for_one_task(task):
    names = []
    for name in get_scorer_names():
        try:
            score = find_score(name, task, Y)
        except DataError as error:
            assert "is for " in str(error)  # noqa: PT017
        else:
            names.append(name)
            assert score.sign == (-1 if name.startswith("neg_") else 1)
    of_values = {"r2", "explained_variance", "neg_mean_absolute_error", "neg_max_error"}
    of_classes = {"f1", "roc_auc", "neg_log_loss", "adjusted_rand_score"}
    here, elsewhere = (
        (of_classes, of_values) if task == CLASSES else (of_values, of_classes)
    )
    assert here < set(names)
    assert not elsewhere & set(names)


@pytest.mark.parametrize(
    ("scoring", "task", "message"),
    [
        ("balanced_acuracy", CLASSES, "did you mean 'balanced_accuracy'?"),
        ("log_loss", CLASSES, "did you mean 'neg_log_loss'?"),
        ("RMSE", VALUES, "did you mean 'neg_root_mean_squared_error'?"),
        ("xyz", CLASSES, "is not the name of a scorer of scikit-learn: for classes use"),
        ("r2", CLASSES, "scoring='r2' is for values: for classes use for example accur"),
        ("roc_auc", VALUES, "scoring='roc_auc' is for classes: for values use"),
    ],
)
def test_names_that_are_no_scorers_for_the_task(scoring, task, message):
    with pytest.raises(DataError) as error:
        find_score(scoring, task, Y)
    assert message in str(error.value)


def test_a_scorer_that_the_targets_do_not_suit_is_an_error_before_any_training(values):
    with pytest.raises(DataError, match=r"scoring='f1' cannot be computed .* multiclass"):
        compare("iris", scoring="f1")
    with pytest.raises(DataError, match=r"there are also roc_auc_ovo, .*roc_auc_ovr,"):
        compare("iris", scoring="roc_auc")
    negative = replace(values, y=values.y - 100)
    with pytest.raises(DataError, match="'neg_mean_gamma_deviance' cannot be computed"):
        compare(negative, scoring="neg_mean_gamma_deviance")


@pytest.mark.parametrize(
    ("scoring", "y", "title", "value", "text"),
    [
        ("accuracy", Y, "accuracy in percent", 0.954, "95.4 %"),
        ("recall_macro", Y, "recall macro in percent", 0.5, "50.0 %"),
        ("roc_auc_ovr", Y, "ROC AUC ovr", 0.5, "0.500"),
        ("neg_log_loss", Y, "log loss (lower is better)", -0.25, "0.250"),
    ],
)
def test_titles_and_texts(scoring, y, title, value, text):
    score = find_score(scoring, CLASSES, y)
    assert (score.title, score.text(value)) == (title, text)


@pytest.mark.parametrize(
    ("scoring", "deviation", "text"),
    [
        ("neg_mean_absolute_error", 4e4, "1235"),
        ("neg_mean_absolute_error", 40, "1234.6"),
        ("neg_mean_absolute_error", 0.4, "1234.568"),
        ("neg_mean_squared_error", 0.04, "1234.56780"),
        ("neg_mean_absolute_percentage_error", 4e4, "1234.568"),
    ],
)
def test_errors_have_decimals_that_suit_the_target(scoring, deviation, text):
    y = pd.Series([-deviation, deviation])
    assert find_score(scoring, VALUES, y).text(-1234.5678) == text


# --- tables, sentences and pages ---


@pytest.mark.usefixtures("no_figures")
def test_errors_are_printed_without_sign_and_lower_ones_are_better(rare, tmp_path):
    study = run(rare, scoring="neg_log_loss", target_score=0.2)
    curves = study.curves.query("start == 'calculated'")
    means = curves.groupby("epoch")["neg_log_loss"].mean()
    assert (means < 0).all()
    cell = score_table(study).loc[(60, "calculated"), 0]
    assert cell.startswith(f"{-means[0]:.3f} ± ")
    assert target_table(study)["target"].unique().tolist() == ["0.200"]
    text = conclusions(study)[-1]
    assert f"the log loss of calculated weights was {-means[0]:.3f} before" in text
    models = compare_models(study.dataset, study.design, ["constant", "linear"])
    full = replace(study, models=models.scores, model_predictions=models.predictions)
    best = models.scores.groupby("model")["neg_log_loss"].mean().idxmax()
    write_report(tmp_path, full)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "log loss (lower is better)" in page
    rows = page.partition("Other models on the same splits")[2]
    assert rows.partition('<th scope="row"')[2].split(">")[1].startswith(best)


def test_a_scorer_of_ones_own_is_a_column_and_finished_runs_are_kept(rare, tmp_path):
    settings = {"sizes": [60], "n_seeds": 1, "n_epochs": 1, "folder": tmp_path}
    starts = {"a": {"init": "zeros"}, "b": {"init": "random"}}
    curves = compare(rare, starts, scoring="roc_auc", **settings)
    assert curves["roc_auc"].between(0, 1).all()
    again = compare(rare, starts, scoring="roc_auc", **settings)
    pd.testing.assert_frame_equal(again, curves)
    assert "roc_auc" not in compare(rare, starts, **settings)
    # A measure that is always computed needs no other runs.
    n_files = len(list(tmp_path.iterdir()))
    compare(rare, starts, scoring="neg_log_loss", **settings)
    assert len(list(tmp_path.iterdir())) == n_files == 4


def test_recalls_are_shares_of_each_class_the_rarest_first(rare, study):
    table = recall_table(study)
    assert table.columns.tolist() == ["fraud", "good"]
    assert table.loc["share of the rows"].tolist() == ["14.5", "85.5"]
    pairs = study.predictions.query("start == 'random' and epoch == 1")
    for label in ("fraud", "good"):
        of_class = pairs[pairs["true"] == label]
        right = of_class.loc[of_class["predicted"] == label, "count"].sum()
        expected = f"{100 * right / of_class['count'].sum():.0f}"
        assert table.loc["random", label] == expected
    models = compare_models(rare, study.design, ["constant"])
    full = replace(study, models=models.scores, model_predictions=models.predictions)
    assert recall_table(full).loc["the most frequent class"].tolist() == ["0", "100"]


@pytest.mark.usefixtures("no_figures")
def test_imbalanced_classes_are_told_and_their_recalls_come_first(study, tmp_path):
    balance = conclusions(study)[0]
    assert balance.startswith("The classes are imbalanced. “fraud” has 14.5 % of the")
    assert "Always predicting “good” has an accuracy of 85.5 %." in balance
    write_report(tmp_path, study)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.index("recall in percent") < page.index("Learning curves")
    iris = run(load_dataset("iris"))
    assert not any("imbalanced" in text for text in conclusions(iris))
    write_report(tmp_path, iris)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.index("recall in percent") > page.index("Learning curves")


@pytest.mark.usefixtures("no_figures")
def test_the_page_has_both_learning_rates_the_widths_and_the_epochs(study, tmp_path):
    write_report(tmp_path, study)
    page = (tmp_path / "report.html").read_text("utf-8")
    settings = page.partition("Settings and versions")[2]
    for name, value in {
        "learning rate": ["0.0003", "0.001"],
        "hidden units": ["10", "10"],
        "epochs": ["1", "1"],
    }.items():
        cells = settings.split(f'data-name="{name}">')[1:]
        assert [cell.partition("<")[0] for cell in cells] == value


@pytest.mark.usefixtures("no_figures")
def test_command_takes_a_score(tmp_path, capsys):
    arguments = ["compare", "iris", *QUICK, "--output", str(tmp_path)]
    assert main([*arguments, "--scoring", "neg_log_loss"]) == 0
    printed = capsys.readouterr().out
    assert "Test log loss (lower is better)" in printed
    assert "recall in percent" in printed
    assert main([*arguments, "--scoring", "acuracy"]) == 2
    assert "did you mean 'accuracy'?" in capsys.readouterr().err


# --- samples and times ---


def test_a_sample_has_the_shares_of_the_classes_and_is_the_same_again(rare):
    sample = sample_rows(rare, 62)
    assert (len(sample.X), len(sample.y), sample.n_available) == (62, 62, 248)
    assert sample.y.value_counts().to_dict() == {"good": 53, "fraud": 9}
    pd.testing.assert_frame_equal(sample_rows(rare, 62).X, sample.X)
    joined = rare.X.assign(y=rare.y)
    assert len(sample.X.assign(y=sample.y).merge(joined)) == 62
    assert sample_rows(rare, 248) is rare
    with pytest.raises(DataError, match="max_rows must be at least 20, got 5"):
        sample_rows(rare, 5)


def test_a_sample_without_a_class_is_an_error():
    y = np.where(np.arange(2000) < 2, "rare", "frequent")
    data = Dataset.from_arrays(np.zeros((2000, 1)), y)
    with pytest.raises(DataError, match="max_rows=20 leaves one class"):
        sample_rows(data, 20)


@pytest.mark.usefixtures("no_figures")
def test_command_says_what_it_does_and_that_it_draws_a_sample(tmp_path, capsys):
    arguments = ["compare", "wine", *QUICK, "--output", str(tmp_path)]
    assert main([*arguments, "--max-rows", "90"]) == 0
    printed = capsys.readouterr().out
    assert "wine: 90 rows (a random sample of 178), 13 columns" in printed
    plan = "6 trainings (3 starts, 1 size, 2 splits) of 1 epoch, on up to 60 rows"
    assert plan in printed
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "90 rows, a random sample of 178, 13 columns" in page


def test_command_suggests_a_sample_of_many_rows(rare, monkeypatch, capsys):
    monkeypatch.setattr("skmetricmlp._command.MANY_ROWS", 50)
    design = Design.from_dataset(rare, starts_from_grid(TWO))
    _print_plan(rare, design, 7)
    assert "9 models on each split" in (printed := capsys.readouterr().out)
    assert "It is shorter with --max-rows 50" in printed
    _print_plan(sample_rows(rare, 90), design, 7)
    assert "It is shorter" not in capsys.readouterr().out


def test_the_time_left_is_told_after_the_first_run(monkeypatch, capsys):
    assert estimate_seconds(3.0, done=10, remaining=40, n_jobs=2) == 6.0
    now = iter([0.0, 30.0])
    monkeypatch.setattr("skmetricmlp.study.progress.perf_counter", lambda: next(now))
    with progress_bar(True, "run", "row", [100] * 21) as update:
        update(100)
        update(100)
    shown = capsys.readouterr().err
    assert shown.count("about 10 minutes for 20 other runs, judging by the first") == 1


def test_tasks_of_one_unit_are_counted_in_whole_numbers(capsys):
    with progress_bar(True, "model", "model", [1] * 3) as update:
        update(1)
    assert re.search(r"\b1/3 ", capsys.readouterr().err)
