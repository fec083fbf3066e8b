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
    arrivals,
    compare,
    conclusions,
    load_dataset,
    mistakes_table,
    rank_starts,
    ranking_table,
    run_study,
    score_table,
    starts_from_grid,
    summarize,
    target_table,
    time_to_target,
)
from skmetricmlp.study.conclusions import _start_name
from skmetricmlp.study.runs import Split, _warm_up, split_rows
from skmetricmlp.study.summary import paired_difference
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
        starts=tuple(
            Start(name, {} if name == "calculated" else {"init": name}, names[-1])
            for name in names
        ),
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


def test_the_target_is_the_untrained_calculated_network_on_the_same_split():
    study = made_up_study(
        {
            "calculated": [[0.6, 0.5, 0.9], [0.4, 0.8, 0.9], [0.7, 0.7, 0.7]],
            "random": [[0.1, 0.5, 0.6], [0.1, 0.5, 0.3], [0.1, 0.2, 0.3]],
        }
    )
    times = time_to_target(study).set_index(["start", "seed"])
    for start in ("calculated", "random"):
        assert times.loc[start, "target"].tolist() == [0.6, 0.4, 0.7]
    assert times.loc["calculated", "epoch"].tolist() == [0, 0, 0]
    assert times.loc["random", "epoch"].tolist()[:2] == [2, 1]
    assert times.loc["random", "seconds"].tolist()[:2] == [3.0, 2.0]
    assert np.isnan(times.loc[("random", 2), "epoch"])
    arrived = arrivals(study).loc[(30, "random")]
    assert arrived.to_dict() == pytest.approx(
        # The median of 1, 2 and never.
        {"target": 1.7 / 3, "reached": 2, "epochs": 2, "seconds": 3}
    )
    table = target_table(study)
    assert table.loc[(30, "random"), "reached"] == "2 of 3"
    assert table.loc[(30, "random"), "epochs"] == "2 (1 or more)"
    assert table.loc[(30, "calculated"), "epochs"] == "0"


def test_the_target_does_not_depend_on_the_number_of_epochs():
    ours, theirs = [[0.6, 0.7, 0.8, 0.9]], [[0.1, 0.6, 0.7, 0.8]]
    few = made_up_study({"calculated": [ours[0][:2]], "random": [theirs[0][:2]]})
    many = made_up_study({"calculated": ours, "random": theirs})
    pd.testing.assert_frame_equal(time_to_target(few), time_to_target(many))


def test_a_target_that_most_splits_do_not_reach_has_no_median():
    study = made_up_study(
        {"calculated": [[0.6, 0.6]] * 3, "random": [[0, 0.7], [0, 0.1], [0, 0.1]]}
    )
    arrived = arrivals(study).loc[(30, "random")]
    assert (arrived["reached"], arrived["epochs"]) == (1, np.inf)
    table = target_table(study).loc[(30, "random")]
    assert (table["reached"], table["epochs"], table["seconds"]) == ("1 of 3", "> 1", "-")


def test_each_start_has_the_target_of_the_calculated_one_with_its_parameters():
    grid = {"init": ["metric", "random"], "n_exemplars": [6, 30], "metric": ["kl", "l2"]}
    starts = starts_from_grid(grid)
    design = Design.from_dataset(load_dataset("iris"), starts)
    calculated = [start.name for start in starts if start.is_calculated]
    assert len(calculated) == 4
    assert design.origins == {
        **{name: name for name in calculated},
        "random, n_exemplars=6": "calculated, n_exemplars=6, metric=kl",
        "random, n_exemplars=30": "calculated, n_exemplars=30, metric=kl",
    }
    starts = starts_from_grid({"init": ["zeros", "random"]})
    design = Design.from_dataset(load_dataset("iris"), starts)
    assert design.origins == {"zeros": "zeros", "random": "zeros"}


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
    assert times.loc[(30, "calculated"), "epochs"] == "2"


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


def test_the_summary_is_made_of_means_over_the_splits(made_up):
    (row,) = summarize(made_up).to_dict("records")
    assert (row["start"], row["reference"], row["size"]) == ("calculated", "random", 30)
    means = {"untrained": 0.5, "end": 0.9, "reference_end": 0.7, "difference": 0.2}
    assert {name: row[name] for name in means} == pytest.approx(means)
    assert (row["reached"], row["epochs"], row["seconds"]) == (2, 0, 1.0)
    assert row["target"] == pytest.approx(0.5)
    plain = ttest_rel([0.9, 0.9], [0.8, 0.6]).confidence_interval(0.95)
    corrected = (plain.high - plain.low) / 2 * np.sqrt(1 + 2 * 10 / 120)
    assert row["half_width"] == pytest.approx(corrected)


def test_the_order_of_the_splits_does_not_matter(made_up):
    swapped = made_up.curves.assign(seed=1 - made_up.curves["seed"])
    one, other = (
        summarize(replace(made_up, curves=c)) for c in (made_up.curves, swapped)
    )
    pd.testing.assert_frame_equal(one, other)


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

OURS, THEIRS = [0.6, 0.7, 0.9], [0.1, 0.5, 0.6]


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([OURS] * 3, [THEIRS] * 3, "With 30 training rows, the accuracy of calculated "),
        ([OURS] * 3, [THEIRS] * 3, "was 60.0 % before training, after 1 s."),
        (
            [OURS] * 3,
            [THEIRS] * 3,
            "Random weights reached this after 2 epochs and 3 s (",
        ),
        ([OURS], [THEIRS], "Random weights reached this after 2 epochs and 3 s. "),
        (
            [OURS] * 3,
            [THEIRS, THEIRS, [0, 0, 0]],
            "reached this in 2 of 3 splits after 2 epochs and 3 s (median).",
        ),
        (
            [OURS] * 3,
            [THEIRS, [0, 0, 0], [0, 0, 0]],
            "reached this in 1 of 3 splits, and not in the others in 2 epochs.",
        ),
        ([OURS] * 2, [[0, 0, 0]] * 2, "Random weights did not reach this in 2 epochs."),
        ([OURS] * 2, [OURS] * 2, "reached this before training, after 1 s (median)."),
        (
            [[0, 0, 0.9], [0, 0, 0.8]],
            [[0, 0, 0.5], [0, 0, 0.6]],
            "was 55.0 %. The difference of 30.0 ± 137.2 points is not significant with 2",
        ),
        (
            [[0, 0, 0.9], [0, 0, 0.8]],
            [[0, 0, 0.5], [0, 0, 0.4]],
            "The difference is 40.0 ± 0.0 points.",
        ),
        ([OURS], [THEIRS], "of 30.0 points is from one split, so its uncertainty is "),
    ],
)
def test_the_conclusions_in_words(ours, theirs, words):
    (paragraph,) = conclusions(made_up_study({"calculated": ours, "random": theirs}))
    assert words in paragraph


def test_the_conclusions_about_a_given_target():
    curves = {"calculated": [OURS], "random": [THEIRS]}
    (paragraph,) = conclusions(made_up_study(curves, target=0.7))
    assert "Calculated weights reached the target of 70.0 % after one epoch" in paragraph
    assert "Random weights did not reach the target of 70.0 % in 2 epochs." in paragraph


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("calculated, metric=kl", "calculated weights (metric=kl)"),
        ("random, fitted", "random weights with a fitted output"),
        ("random, fitted, n=6", "random weights with a fitted output (n=6)"),
        ("he_uniform", "he_uniform weights"),
        ("randomly", "“randomly”"),
    ],
)
def test_names_of_starts_in_sentences(name, expected):
    assert _start_name(name) == expected


def test_a_paragraph_for_each_size_the_largest_first(study):
    large, small = conclusions(study)
    assert large.startswith("With 80 training rows, the accuracy of calculated weights")
    assert small.startswith("With 40 training rows")
    (row,) = summarize(study).query("size == 80").to_dict("records")
    assert f"was {100 * row['untrained']:.1f} % before training" in large
    spread = f"{100 * abs(row['difference']):.1f} ± {100 * row['half_width']:.1f} points"
    assert spread in large


# --- several settings ---


def three_settings():
    """Three settings with four splits, of which the second one is the best."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0.8, 0.02, 4)
    ends = {
        "calculated, metric=a": shared - 0.001 + np.array([0.01, -0.01, 0.02, -0.02]),
        "calculated, metric=b": shared,
        "calculated, metric=c": shared - 0.2 + rng.normal(0, 0.001, 4),
    }
    study = made_up_study(
        {name: np.column_stack([np.full(4, 0.3), end]) for name, end in ends.items()}
    )
    starts = tuple(Start(name, {}, "calculated, metric=a") for name in ends)
    return replace(study, design=replace(study.design, starts=starts)), ends


def test_settings_are_ranked_with_intervals_for_the_best_of_several():
    study, ends = three_settings()
    ranked = rank_starts(study)
    names = [f"calculated, metric={name}" for name in "bac"]
    assert ranked.index.tolist() == names
    best = ends[names[0]]
    assert ranked["score"].tolist() == pytest.approx([ends[n].mean() for n in names])
    assert (ranked["difference"].iloc[0], ranked["half_width"].isna().sum()) == (0, 1)
    for name in names[1:]:
        # Two comparisons, each with the error probability of 2.5 %.
        plain = ttest_rel(ends[name], best).confidence_interval(0.975)
        corrected = (plain.high - plain.low) / 2 * np.sqrt(1 + 4 * 10 / 120)
        assert ranked.loc[name, "difference"] == pytest.approx((ends[name] - best).mean())
        assert ranked.loc[name, "half_width"] == pytest.approx(corrected)
    before = rank_starts(study, epoch=0)
    assert before["difference"].tolist() == [0, 0, 0]


def test_the_conclusion_names_the_best_setting_and_those_that_may_be_as_good():
    study, ends = three_settings()
    sentence = conclusions(study)[0]
    best = 100 * ends["calculated, metric=b"].mean()
    assert sentence == (
        "Of 3 settings, calculated weights (metric=b) had the best accuracy after one "
        f"epoch, {best:.1f} %. With 4 splits, one other is not significantly worse."
    )
    table = ranking_table(study)
    assert table.iloc[0].tolist()[2:] == [f"{best:.1f} %", "the best"]
    worst = best - 100 * ends["calculated, metric=c"].mean()
    assert table.iloc[2, -1].startswith(f"{worst:.1f} ± ")


def test_one_setting_is_not_ranked(study):
    assert not any("settings" in sentence for sentence in conclusions(study))


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
    assert f"was {row['untrained']:.3f} before training" in large
    assert f"{abs(row['difference']):.3f} ± {row['half_width']:.3f}" in large
    assert "the R² of calculated weights" in large
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
