"""The comparison: its design, its runs and its summaries."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from sklearn.base import clone

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp.study import (
    DataError,
    Dataset,
    Design,
    Start,
    Study,
    compare,
    conclusions,
    load_dataset,
    mistakes_table,
    run_study,
    score_table,
    starts_from_grid,
    summarize,
    target_table,
    time_to_target,
)
from skmetricmlp.study.conclusions import describe_row
from skmetricmlp.study.runs import Split, _warm_up, split_rows
from skmetricmlp.study.summary import epochs_ratio, paired_difference
from skmetricmlp.study.tasks import CLASSES, VALUES, infer_task
from skmetricmlp.training import stochastic

TWO = {"init": ["metric", "random"]}


KEYS = ["size", "seed", "start"]


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.fixture(scope="module")
def small_design(digits):
    return Design.from_dataset(
        digits,
        starts_from_grid(TWO),
        sizes=[80, 40],
        n_seeds=2,
        n_epochs=2,
        test_fraction=0.3,
    )


@pytest.fixture(scope="module")
def study(digits, small_design):
    return run_study(digits, small_design)


# --- the design ---


def test_starts_are_all_combinations_and_have_their_reference():
    grid = {"init": ["metric", "he_uniform"], "n_exemplars": [6, 12], "batch_size": [16]}
    starts = starts_from_grid(grid)
    assert [(s.name, s.reference) for s in starts] == [
        ("calculated, n_exemplars=6", "he_uniform, n_exemplars=6"),
        ("calculated, n_exemplars=12", "he_uniform, n_exemplars=12"),
        ("he_uniform, n_exemplars=6", "he_uniform, n_exemplars=6"),
        ("he_uniform, n_exemplars=12", "he_uniform, n_exemplars=12"),
    ]
    assert starts[1].parameters == {"init": "metric", "n_exemplars": 12, "batch_size": 16}


def test_weights_that_are_not_calculated_know_no_metric():
    starts = starts_from_grid({**TWO, "metric": ["kl", "cosine"], "exemplars": ["lvq"]})
    assert [s.name for s in starts] == [
        "calculated, metric=kl",
        "calculated, metric=cosine",
        "random",
    ]
    assert starts[-1].parameters == {"init": "random"}
    assert all(s.reference == "random" for s in starts)


def test_one_value_of_init_is_compared_with_the_first_start():
    starts = starts_from_grid(
        {"init": ["metric"], "metric": ["kl", "cosine", "sqeuclidean"]}
    )
    assert {s.reference for s in starts} == {"calculated, metric=kl"}
    assert [s.is_reference for s in starts] == [True, False, False]


def test_the_metric_of_images_is_told_their_shape(digits):
    starts = starts_from_grid({**TWO, "metric": ["chamfer", "cosine"]})
    design = Design.from_dataset(digits, starts)
    chamfer, cosine, random = (start.parameters for start in design.starts)
    assert chamfer["metric_params"] == {"image_shape": (8, 8)}
    assert "metric_params" not in {**cosine, **random}
    own = [replace(starts[0], parameters={"metric": "chamfer", "metric_params": {}})]
    design = Design.from_dataset(digits, [*own, *starts[1:]])
    assert design.starts[0].parameters["metric_params"] == {}
    iris = Design.from_dataset(load_dataset("iris"), starts)
    assert "metric_params" not in iris.starts[0].parameters


def test_expensive_runs_come_first_and_starts_of_a_split_together(small_design):
    assert [(run.size, run.seed) for run in small_design.runs[::2]] == [
        (80, 0),
        (80, 1),
        (40, 0),
        (40, 1),
    ]
    assert [run.start for run in small_design.runs[:2]] == ["calculated", "random"]


def test_sizes_by_default_are_all_rows_a_quarter_and_a_sixteenth(digits):
    design = Design.from_dataset(digits, starts_from_grid(TWO))
    assert design.n_train + design.n_test == len(digits.y)
    assert design.sizes == (84, 337, design.n_train)
    iris = load_dataset("iris")
    assert Design.from_dataset(iris, starts_from_grid(TWO)).sizes == (28, 112)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"sizes": [9]},
            "size 9 is not possible: digits needs at least 10 training rows",
        ),
        ({"sizes": [5000]}, "size 5000 is not possible.*has 1348"),
        ({"n_seeds": 0}, "n_seeds must be at least 1, got 0"),
        ({"n_epochs": 0}, "n_epochs must be at least 1, got 0"),
        ({"test_fraction": 1.0}, "test_fraction must be between 0 and 1, got 1.0"),
        ({"target_score": 95}, "target_score must be at most 1, got 95"),
    ],
)
def test_designs_that_are_impossible(digits, parameters, message):
    with pytest.raises(DataError, match=message):
        Design.from_dataset(digits, starts_from_grid(TWO), **parameters)


# --- the runs ---


def test_a_row_for_each_size_seed_start_and_epoch(study):
    curves = study.curves
    assert len(curves) == 2 * 2 * 2 * 3
    assert not curves.duplicated([*KEYS, "epoch"]).any()
    assert curves["accuracy"].between(0, 1).all()
    assert (curves.groupby(KEYS)["seconds"].diff().dropna() > 0).all()
    assert curves["size"].is_monotonic_increasing


def test_the_figures_are_those_of_the_public_estimator(study, digits):
    """The same split and the same epochs, with the public estimator."""
    n_test = study.design.n_test
    split = Split(n_train=len(digits.y) - n_test, size=40, seed=1)
    train, test = split_rows(digits, split)
    assert len(set(train) | set(test)) == 40 + n_test
    X, y = digits.X.to_numpy() / 16, digits.y.to_numpy()
    for name, init in (("calculated", "metric"), ("random", "random")):
        clf = MetricInitMLPClassifier(init, max_iter=0, random_state=1)
        accuracies = [clf.fit(X[train], y[train]).score(X[test], y[test])]
        for _ in range(2):
            clf.partial_fit(X[train], y[train])
            accuracies.append(clf.score(X[test], y[test]))
        of_run = f"size == 40 and seed == 1 and start == {name!r}"
        rows = study.curves.query(of_run).sort_values("epoch")
        np.testing.assert_allclose(rows["accuracy"], accuracies, rtol=1e-12)
        found = study.predictions.query(of_run + " and epoch == 2")
        for true, predicted in product(range(10), repeat=2):
            count = np.sum((y[test] == true) & (clf.predict(X[test]) == predicted))
            pair = (found["true"] == true) & (found["predicted"] == predicted)
            assert found.loc[pair, "count"].sum() == count


def test_smaller_training_sets_are_parts_of_larger_ones():
    y = np.repeat([0, 1, 2], [300, 60, 12])
    data = Dataset.from_arrays(np.zeros((len(y), 1)), y)
    large, test = split_rows(data, Split(n_train=279, size=279, seed=0))
    small, same_test = split_rows(data, Split(n_train=279, size=93, seed=0))
    np.testing.assert_array_equal(test, same_test)
    np.testing.assert_array_equal(small, large[:93])
    assert sorted([*test, *large]) == list(range(len(y)))
    for rows in (test, small):
        assert np.abs(np.bincount(y[rows], minlength=3) - [75, 15, 3]).max() <= 1
    other, _ = split_rows(data, Split(n_train=279, size=279, seed=1))
    assert not np.array_equal(large, other)


def test_compare_takes_starts_by_names_of_ones_own():
    starts = {
        "few": {"n_exemplars": 3, "metric": "cosine"},
        "zeros": {"init": "zeros"},
        "none": {"init": "random"},
    }
    curves = compare("iris", starts, sizes=[40], n_seeds=1, n_epochs=1)
    assert curves["start"].unique().tolist() == ["few", "zeros", "none"]


def test_a_learning_rate_that_needs_one_fit_of_all_epochs_is_refused():
    starts = {"a": {"learning_rate": "adaptive"}, "b": {"init": "random"}}
    with pytest.raises(ValueError, match="'linear' or 'invscaling', got 'adaptive'"):
        compare("iris", starts, sizes=[40], n_seeds=1, n_epochs=1)


# --- continuing ---


class StoppedError(Exception):
    """An error that ends a study early."""


def test_what_is_finished_is_not_calculated_again(
    digits, small_design, study, tmp_path, monkeypatch
):
    """A study that was stopped continues, and has the same results."""
    fit, fitted = MetricInitMLPClassifier.fit, []
    _warm_up(CLASSES)

    def fit_five_times(self, X, y):
        if len(fitted) == 5:
            raise StoppedError
        fitted.append((len(X), self.random_state, self.init))
        return fit(self, X, y)

    monkeypatch.setattr(MetricInitMLPClassifier, "fit", fit_five_times)
    with pytest.raises(StoppedError):
        run_study(digits, small_design, folder=tmp_path)
    before = fitted.copy()
    fitted.clear()
    found = run_study(digits, small_design, folder=tmp_path)
    assert len(before) + len(fitted) == 8
    assert not set(before) & set(fitted)
    columns = [*KEYS, "epoch", "accuracy"]
    pd.testing.assert_frame_equal(found.curves[columns], study.curves[columns])
    pd.testing.assert_frame_equal(found.predictions, study.predictions)
    fitted.clear()
    again = run_study(digits, small_design, folder=tmp_path)
    assert not fitted
    pd.testing.assert_frame_equal(again.curves, found.curves)


def test_results_of_other_data_or_settings_are_not_taken(tmp_path, monkeypatch):
    fit, fitted = MetricInitMLPClassifier.fit, []
    _warm_up(CLASSES)

    def counted(self, X, y):
        fitted.append(self)
        return fit(self, X, y)

    monkeypatch.setattr(MetricInitMLPClassifier, "fit", counted)
    iris = load_dataset("iris")
    few = {"sizes": [60], "n_seeds": 1, "n_epochs": 1}
    changes = [
        {},
        {"dataset": replace(iris, y=iris.y[::-1].reset_index(drop=True))},
        {"n_epochs": 2},
        {"sizes": [70]},
        {"starts": {"one": {"n_exemplars": 6}, "other": {"init": "random"}}},
    ]
    numbers = []
    for change in changes:
        fitted.clear()
        compare(**{"dataset": iris, **few, **change}, folder=tmp_path)
        numbers.append(len(fitted))
    assert numbers == [3, 3, 3, 3, 1]  # the last shares its "random" with the first
    fitted.clear()
    compare(iris, **few | {"n_seeds": 3}, folder=tmp_path)
    assert len(fitted) == 6


def test_a_training_that_is_interrupted_ends_the_study_and_is_not_kept(
    digits, small_design, tmp_path, monkeypatch
):
    """The estimator only warns, and has the weights of an incomplete epoch."""
    minibatches, calls = stochastic._minibatches, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return minibatches(*args)

    _warm_up(CLASSES)
    monkeypatch.setattr(stochastic, "_minibatches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study(digits, small_design, folder=tmp_path)
    # The first run is saved. The second was interrupted in its first epoch.
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_two_processes_find_what_one_finds(digits, small_design, study):
    found = run_study(digits, small_design, n_jobs=2)
    columns = [*KEYS, "epoch", "accuracy"]
    pd.testing.assert_frame_equal(found.curves[columns], study.curves[columns])


def test_the_bar_counts_rows_and_knows_what_was_done(
    digits, small_design, tmp_path, capsys
):
    few = replace(small_design, n_seeds=1)
    run_study(digits, few, folder=tmp_path)
    run_study(digits, small_design, folder=tmp_path, progress=True)
    shown = capsys.readouterr().err.split("\r")
    rows = 2 * (40 + 80)
    assert any(f"{rows}/{2 * rows}" in line and "4 of 8 runs" in line for line in shown)
    assert f"{2 * rows}/{2 * rows}" in shown[-1]


# --- summaries ---


def made_up_study(accuracy, *, target=None, size=30):
    """A study of given curves. The last start is the reference; an epoch takes 1 s."""
    names = list(accuracy)
    n_seeds, n_points = np.shape(next(iter(accuracy.values())))
    curves = [
        {"size": size, "seed": seed, "start": start, "epoch": epoch, "accuracy": value}
        for start, of_seeds in accuracy.items()
        for seed, values in enumerate(of_seeds)
        for epoch, value in enumerate(values)
    ]
    frame = pd.DataFrame(curves)
    frame["seconds"] = 1.0 + frame["epoch"]
    pairs = pd.DataFrame(columns=[*KEYS, "epoch", "true", "predicted", "count"])
    design = Design(
        starts=tuple(Start(name, {}, names[-1]) for name in names),
        sizes=(size,),
        n_seeds=n_seeds,
        n_epochs=n_points - 1,
        n_train=4 * size,
        n_test=10,
        target_score=target,
    )
    return Study(load_dataset("iris"), design, frame, pairs)


@pytest.fixture
def made_up():
    """Scores of 0.5, 0.8 and 0.9; those of the reference are 0.1, 0.5 and 0.8 or 0.6."""
    ours, theirs = [0.5, 0.8, 0.9], [[0.1, 0.5, 0.8], [0.1, 0.5, 0.6]]
    return made_up_study({"calculated": [ours, ours], "random": theirs})


def test_time_to_the_accuracy_at_which_the_reference_ends(made_up):
    times = time_to_target(made_up).set_index(["start", "seed"])
    assert times["target"].unique() == pytest.approx([0.7])
    assert times.loc["calculated", "epoch"].tolist() == [1, 1]
    assert times.loc[("random", 0), "epoch"] == 2
    assert np.isnan(times.loc[("random", 1), "epoch"])
    assert times.loc[("calculated", 0), "seconds"] == 2.0


def test_each_start_has_the_target_of_its_own_reference():
    curves = {"a": [[0.5, 0.6]], "b": [[0.1, 0.55]], "c": [[0.2, 0.9]]}
    study = made_up_study(curves)
    starts = (Start("a", {}, "b"), Start("b", {}, "b"), Start("c", {}, "c"))
    design = replace(study.design, starts=starts)
    times = time_to_target(replace(study, design=design))
    targets = times.set_index("start")["target"]
    assert targets.to_dict() == {"a": 0.55, "b": 0.55, "c": 0.9}


def test_time_to_a_given_target(made_up):
    design = replace(made_up.design, target_score=0.9)
    times = time_to_target(replace(made_up, design=design))
    times = times.set_index(["start", "seed"])
    assert times.loc["calculated", "epoch"].tolist() == [2, 2]
    assert times.loc["random", "epoch"].isna().all()


def test_tables_say_mean_deviation_and_never(made_up):
    table = score_table(made_up)
    assert table.loc[(30, "calculated"), 2] == "90.0 ± 0.0"
    assert table.loc[(30, "random"), 2] == "70.0 ± 14.1"
    design = replace(made_up.design, target_score=0.9)
    times = target_table(replace(made_up, design=design))
    assert times.loc[(30, "random"), "epochs"] == "never"
    assert times.loc[(30, "random"), "reached"] == "0 of 2"
    assert times.loc[(30, "calculated"), "epochs"] == "2.0 ± 0.0"


def test_long_trainings_are_shown_at_a_few_epochs():
    curves = np.linspace(0, 1, 38)[None]
    study = made_up_study({"calculated": curves, "random": curves})
    assert score_table(study).columns.tolist() == [0, 1, 2, 5, 10, 20, 37]


def test_the_interval_of_a_difference_is_that_of_a_corrected_t_test():
    """Without test rows it is the paired t-test of SciPy."""
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(2, 7))
    plain = ttest_rel(ours, theirs).confidence_interval(0.95)
    mean, half_width = paired_difference(ours, theirs, n_train=100, n_test=0)
    assert (mean - half_width, mean + half_width) == pytest.approx(plain)
    corrected = paired_difference(ours, theirs, n_train=75, n_test=25).half_width
    assert corrected / half_width == pytest.approx(np.sqrt(1 + 7 * 25 / 75))
    shifted = paired_difference(ours + 3, theirs + 3, n_train=75, n_test=25)
    assert shifted == pytest.approx((mean, corrected))


def test_the_interval_of_a_ratio_is_that_of_all_resamples():
    """All 27 samples of three splits with replacement are counted."""
    ours = np.array([[0.2, 0.6, 0.9], [0.1, 0.8, 0.8], [0.3, 0.4, 0.95]])
    theirs = np.array([[0.0, 0.3, 0.5], [0.1, 0.7, 0.6], [0.2, 0.2, 0.9]])

    def first(curves, target):
        for epoch, value in enumerate(curves):
            if value >= target:
                return epoch
        return np.inf

    ratios = []
    for drawn in product(range(3), repeat=3):
        target = np.mean([theirs[k][-1] for k in drawn])
        mean_ours = [np.mean([ours[k][e] for k in drawn]) for e in range(3)]
        mean_theirs = [np.mean([theirs[k][e] for k in drawn]) for e in range(3)]
        # The tolerance covers the rounding of the means.
        ratios.append(
            first(mean_ours, target - 1e-12) / first(mean_theirs, target - 1e-12)
        )
    found = epochs_ratio(ours, theirs)
    assert found.epochs == first(ours.mean(axis=0), theirs[:, -1].mean())
    assert found.reference_epochs == 2
    expected = np.quantile(ratios, [0.025, 0.975], method="inverted_cdf")
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_ratios_without_an_interval():
    flat = np.full((3, 4), 0.7)
    rising = np.array([[0.1, 0.5, 0.7, 0.8]] * 3)
    same = epochs_ratio(rising, rising)
    assert (same.epochs, same.low, same.high) == (3, 1, 1)
    assert np.isnan(epochs_ratio(rising, flat).low)  # the reference needs no epoch
    assert np.isnan(epochs_ratio(rising[:1], rising[:1]).low)  # one split
    never = epochs_ratio(flat - 0.1, rising)
    assert np.isinf([never.epochs, never.low, never.high]).all()
    assert np.isinf(epochs_ratio(flat, flat, target=0.9).reference_epochs)


def test_the_summary_is_made_of_means_over_the_splits(made_up):
    (row,) = summarize(made_up).to_dict("records")
    assert (row["start"], row["reference"], row["size"]) == ("calculated", "random", 30)
    means = {"untrained": 0.5, "end": 0.9, "reference_end": 0.7, "difference": 0.2}
    assert {name: row[name] for name in means} == pytest.approx(means)
    assert (row["epochs"], row["reference_epochs"]) == (1, 2)
    assert (row["seconds"], row["reference_seconds"]) == (2.0, 3.0)
    assert row["target"] == pytest.approx(0.7)
    plain = ttest_rel([0.9, 0.9], [0.8, 0.6]).confidence_interval(0.95)
    corrected = (plain.high - plain.low) / 2 * np.sqrt(1 + 2 * 10 / 120)
    assert row["half_width"] == pytest.approx(corrected)


def test_the_order_of_the_splits_does_not_matter(made_up):
    swapped = made_up.curves.assign(seed=1 - made_up.curves["seed"])
    one, other = (
        summarize(replace(made_up, curves=c)) for c in (made_up.curves, swapped)
    )
    exact = [name for name in one if name not in {"low", "high"}]  # those are drawn
    pd.testing.assert_frame_equal(one[exact], other[exact])


def test_mistakes_are_shares_of_the_true_class(study):
    table = mistakes_table(study)
    assert 0 < len(table) <= 10
    found = study.predictions.query("size == 80 and epoch == 2 and start == 'random'")
    for true, predicted in table.index:
        of_class = found[found["true"] == true]
        wrong = of_class.loc[of_class["predicted"] == predicted, "count"].sum()
        share = 100 * wrong / of_class["count"].sum()
        assert table.loc[(true, predicted), "random"] == pytest.approx(share)
    assert table.max(axis=1).is_monotonic_decreasing


# --- conclusions ---

ROW = {
    "size": 1000,
    "start": "calculated, metric=kl",
    "reference": "random",
    "untrained": 0.9,
    "target": 0.95,
    "epochs": 4.0,
    "reference_epochs": 10.0,
    "low": 0.3,
    "high": 0.6,
    "difference": 0.012,
    "half_width": 0.003,
    "seconds": 0.5,
    "reference_seconds": 2.0,
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "With 1,000 training rows, calculated weights (metric=kl) had an "),
        ({}, "In 0.4 (0.3 to 0.6) of the epochs, and 0.2 of the time, they reached the "),
        ({}, "the accuracy of 95.0 % at which random weights ended."),
        ({}, "ended 1.2 ± 0.3 points ahead."),
        ({"difference": -0.012}, "ended 1.2 ± 0.3 points behind."),
        ({"half_width": 0.02}, "1.2 ± 2.0 points ahead, which is not significant with 5"),
        ({"half_width": np.nan}, "1.2 points ahead, in one split, which does not show"),
        ({"low": np.nan}, "In 0.4 of the epochs"),
        ({"high": np.inf}, "In 0.4 (0.3 or more) of the epochs"),
        ({"epochs": np.inf}, "They did not reach the accuracy of 95.0 % at which"),
        (
            {"epochs": 0.0},
            "took 10 epochs, and 4.0 times as long as the calculation, to reach the acc",
        ),
        ({"reference_epochs": 0.0}, "After 4 epochs they reached the accuracy of 95"),
        (
            {"start": "mine"},
            "With 1,000 training rows, “mine” had an accuracy of 90.0 % before",
        ),
    ],
)
def test_the_verdict_in_words(changes, words):
    study = made_up_study({"calculated": np.zeros((5, 2)), "random": np.zeros((5, 2))})
    assert words in describe_row({**ROW, **changes}, study)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"reference_epochs": np.inf},
            "After 4 epochs they reached the target of 97.0 %",
        ),
        (
            {"reference_epochs": np.inf, "epochs": np.inf},
            "Neither they nor random weights reached the target of 97.0 %.",
        ),
    ],
)
def test_the_verdict_about_a_given_target(changes, words):
    curves = np.zeros((5, 2))
    study = made_up_study({"calculated": curves, "random": curves}, target=0.97)
    assert words in describe_row({**ROW, **changes}, study)


def test_a_verdict_for_each_size_the_largest_first(study):
    large, small = conclusions(study)
    assert large.startswith("With 80 training rows, calculated weights had")
    assert small.startswith("With 40 training rows")
    (row,) = summarize(study).query("size == 80").to_dict("records")
    assert f"had an accuracy of {100 * row['untrained']:.1f} % before" in large
    assert f"ended {100 * row['difference']:.1f} ± {100 * row['half_width']:.1f}" in large


# --- values ---


@pytest.fixture(scope="module")
def study_of_values():
    data = load_dataset("diabetes")
    design = Design.from_dataset(
        data, starts_from_grid(TWO), sizes=[60, 120], n_seeds=3, n_epochs=2
    )
    return run_study(data, design)


def test_the_figures_of_values_are_those_of_the_public_regressor(study_of_values):
    """R^2 computed from its formula, with the public estimator."""
    data = study_of_values.dataset
    split = Split(n_train=study_of_values.design.n_train, size=60, seed=2)
    train, test = split_rows(data, split)
    y, scaler = data.y.to_numpy(), clone(data.transformer)
    X_train = scaler.fit_transform(data.X.iloc[train])
    X_test = scaler.transform(data.X.iloc[test])
    np.testing.assert_allclose(X_train.std(axis=0), 1)
    for name, init in (("calculated", "metric"), ("random", "random")):
        reg = MetricInitMLPRegressor(init, max_iter=0, random_state=2).fit(
            X_train, y[train]
        )
        of_run = f"size == 60 and seed == 2 and start == {name!r}"
        scores = study_of_values.curves.query(of_run).set_index("epoch")["r2"]
        for epoch in range(3):
            if epoch:
                reg.partial_fit(X_train, y[train])
            residual = np.sum((y[test] - reg.predict(X_test)) ** 2)
            total = np.sum((y[test] - y[test].mean()) ** 2)
            assert scores[epoch] == pytest.approx(1 - residual / total, rel=1e-9)
        found = study_of_values.predictions.query(of_run + " and epoch == 2")
        pairs = sorted(zip(y[test], reg.predict(X_test), strict=True))
        expected = pd.DataFrame(pairs, columns=["true", "predicted"])
        repeated = found.loc[found.index.repeat(found["count"]), ["true", "predicted"]]
        repeated = repeated.sort_values(["true", "predicted"], ignore_index=True)
        pd.testing.assert_frame_equal(repeated, expected)


def test_the_verdict_on_values_is_in_terms_of_r2(study_of_values):
    large, _ = conclusions(study_of_values)
    (row,) = summarize(study_of_values).query("size == 120").to_dict("records")
    assert f"had an R² of {row['untrained']:.3f} before training" in large
    assert f"{abs(row['difference']):.3f} ± {row['half_width']:.3f} ahead" in large
    assert "%" not in large
    assert "points" not in large


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([0.5, 1.5, 0.5, 1.5], VALUES),
        ([1.0, 2.0, 1.0, 2.0], CLASSES),
        (range(30), VALUES),
        (["a", "b", "c", "d"], CLASSES),
        ([True, False, True, True], CLASSES),
        ([1, 2, 1, 2], CLASSES),
    ],
)
def test_numbers_that_differ_are_values(y, task):
    assert infer_task(pd.Series(y)) is task


def test_random_units_with_a_fitted_output_are_the_rival_by_default():
    starts = starts_from_grid({"n_comparisons": [20]})
    assert [s.name for s in starts] == ["calculated", "random", "random, fitted"]
    assert {s.reference for s in starts} == {"random, fitted"}
    assert starts[-1].parameters == {
        "init": "random",
        "output_init": "ridge",
        "n_comparisons": 20,
    }
    # There is none where exemplars vote.
    starts = starts_from_grid({"n_neighbors": [1]})
    assert [s.name for s in starts] == ["calculated", "random"]
    assert {s.reference for s in starts} == {"random"}
    starts = starts_from_grid({"n_neighbors": [None, 1]})
    assert [(s.name, s.reference) for s in starts] == [
        ("calculated, n_neighbors=None", "random, fitted, n_neighbors=None"),
        ("calculated, n_neighbors=1", "random, n_neighbors=1"),
        ("random, n_neighbors=None", "random, fitted, n_neighbors=None"),
        ("random, n_neighbors=1", "random, n_neighbors=1"),
        ("random, fitted, n_neighbors=None", "random, fitted, n_neighbors=None"),
    ]
