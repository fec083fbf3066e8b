"""The comparison, as functions and from the command line."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.__main__ import main
from skmetricmlp.study import (
    DataError,
    accuracy_table,
    compare,
    load_digits_dataset,
    read_dataset,
    target_table,
    time_to_target,
)
from skmetricmlp.study.compare import _stratified_order
from skmetricmlp.study.report import draw_curves

QUICK = ["--seeds", "2", "--epochs", "2", "--n-exemplars", "6"]


@pytest.fixture(scope="module")
def mixed_frame():
    """Numbers, categories, truth values and times, each with missing values."""
    rng = np.random.default_rng(0)
    n = 120
    label = rng.choice(["no", "yes"], n)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n) + 3 * (label == "yes"),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "colour": rng.choice(["red", "green"], n),
            "open": pd.array(rng.random(n) < 0.5, dtype="boolean"),
            "day": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(rng.integers(0, 99, n), "D"),
            "label": label,
        }
    )
    for column in ("size", "count", "colour", "open", "day"):
        frame.loc[rng.choice(n, 10, replace=False), column] = None
    return frame


@pytest.fixture(scope="module")
def curves():
    return compare(
        load_digits_dataset(), sizes=[40, 80], n_seeds=2, n_epochs=2, test_fraction=0.3
    )


# --- the run ---


def test_a_row_for_each_size_seed_start_and_epoch(curves):
    keys = ["size", "seed", "start", "epoch"]
    assert len(curves) == 2 * 2 * 2 * 3
    assert not curves.duplicated(keys).any()
    assert curves["accuracy"].between(0, 1).all()
    assert (curves.groupby(keys[:3])["seconds"].diff().dropna() > 0).all()


def test_the_figures_are_those_of_the_public_estimator(curves):
    """The same rows, by hand: an own split, then ``max_iter`` epochs in one fit."""
    data = load_digits_dataset()
    order = _stratified_order(data.y.to_numpy(), seed=1)
    n_test = round(0.3 * len(order))
    test, train = order[:n_test], order[n_test:][:40]
    X, y = data.X.to_numpy() / 16, data.y.to_numpy()
    for start in ("metric", "random"):
        clf = MetricInitMLPClassifier(start, max_iter=0, random_state=1)
        accuracies = [clf.fit(X[train], y[train]).score(X[test], y[test])]
        for _ in range(2):
            clf.partial_fit(X[train], y[train])
            accuracies.append(clf.score(X[test], y[test]))
        rows = curves.query("size == 40 and seed == 1 and start == @start")
        assert rows.sort_values("epoch")["accuracy"].tolist() == accuracies


def test_every_stretch_of_the_order_is_stratified():
    y = np.repeat([0, 1, 2], [300, 60, 12])
    order = _stratified_order(y, seed=0)
    assert sorted(order) == list(range(len(y)))
    for start in range(0, 372, 93):
        counts = np.bincount(y[order[start : start + 93]], minlength=3)
        assert np.abs(counts - [75, 15, 3]).max() <= 1
    assert not np.array_equal(order, _stratified_order(y, seed=1))


def test_sizes_that_are_impossible():
    data = load_digits_dataset()
    for size in (9, 5000):
        with pytest.raises(DataError, match=f"size {size}"):
            compare(data, sizes=[size], n_seeds=1, n_epochs=1)


# --- the tables ---


@pytest.fixture
def made_up_curves():
    """Two seeds; "metric" is at 0.5, 0.8 and 0.9, "random" at 0.1, 0.5 and 0.8 or 0.6."""
    accuracy = {
        ("metric", 0): [0.5, 0.8, 0.9],
        ("metric", 1): [0.5, 0.8, 0.9],
        ("random", 0): [0.1, 0.5, 0.8],
        ("random", 1): [0.1, 0.5, 0.6],
    }
    return pd.DataFrame(
        [
            {
                "size": 10,
                "seed": seed,
                "start": start,
                "epoch": epoch,
                "accuracy": value,
                "seconds": 1.0 + epoch,
            }
            for (start, seed), values in accuracy.items()
            for epoch, value in enumerate(values)
        ]
    )


def test_time_to_the_accuracy_at_which_the_baseline_ends(made_up_curves):
    times = time_to_target(made_up_curves).set_index(["start", "seed"])
    assert times["target"].unique() == pytest.approx([0.7])
    assert times.loc["metric", "epoch"].tolist() == [1, 1]
    assert times.loc[("random", 0), "epoch"] == 2
    assert np.isnan(times.loc[("random", 1), "epoch"])
    assert times.loc[("metric", 0), "seconds"] == 2.0


def test_time_to_a_given_target(made_up_curves):
    times = time_to_target(made_up_curves, 0.9).set_index(["start", "seed"])
    assert times.loc["metric", "epoch"].tolist() == [2, 2]
    assert times.loc["random", "epoch"].isna().all()


def test_tables_say_mean_deviation_and_never(made_up_curves):
    table = accuracy_table(made_up_curves)
    assert table.loc[2, (10, "calculated")] == "90.0 ± 0.0"
    assert table.loc[2, (10, "random")] == "70.0 ± 14.1"
    times = target_table(time_to_target(made_up_curves, 0.9))
    assert times.loc[(10, "random"), "epochs"] == "never"
    assert times.loc[(10, "random"), "reached"] == "0 of 2"
    assert times.loc[(10, "calculated"), "epochs"] == "2.0 ± 0.0"


def test_the_picture_shows_the_mean_of_the_seeds(made_up_curves):
    (panel,) = draw_curves(made_up_curves, "title").axes
    lines = {line.get_label(): line.get_ydata() for line in panel.get_lines()}
    np.testing.assert_allclose(lines["calculated"], [0.5, 0.8, 0.9])
    np.testing.assert_allclose(lines["random"], [0.1, 0.5, 0.7])


# --- files ---


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_mixed_columns_and_missing_values_become_numbers(tmp_path, mixed_frame, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        mixed_frame.to_parquet(path)
    else:
        mixed_frame.to_csv(path, index=False)
    data = read_dataset(path, "label")
    assert data.name == "table"
    assert data.y.tolist() == mixed_frame["label"].tolist()
    X = clone(data.transformer).fit_transform(data.X)
    assert X.dtype == float
    assert np.isfinite(X).all()
    assert len(X) == len(mixed_frame)


def test_rows_without_a_label_are_left_out(tmp_path, mixed_frame):
    frame = mixed_frame.copy()
    frame.loc[:9, "label"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert len(read_dataset(tmp_path / "t.csv", "label").y) == len(frame) - 10


@pytest.mark.parametrize(
    ("target", "change", "message"),
    [
        ("labl", lambda frame: frame, "no column 'labl'.*did you mean 'label'"),
        (None, lambda frame: frame, "--target.*size, count"),
        ("label", lambda frame: frame.assign(label="yes"), "one class 'yes'"),
        ("label", lambda frame: frame.assign(label=None), "no label"),
        ("label", lambda frame: frame.head(15), "at least 20 labelled rows.*15"),
        ("size", lambda frame: frame, "no set of classes"),
        ("label", lambda frame: frame[["label"]], "no column besides"),
    ],
)
def test_errors_say_what_is_wrong_with_the_file(
    tmp_path, mixed_frame, target, change, message
):
    path = tmp_path / "table.csv"
    change(mixed_frame).to_csv(path, index=False)
    with pytest.raises(DataError, match=message):
        read_dataset(path, target)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "no such file: .*missing.csv"),
        ("table.xlsx", b"", "must be a .csv or .parquet file"),
        ("table.csv", b"", "cannot be read"),
        ("table.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path / name, "label")


# --- the command line ---


def test_command_on_a_file_writes_tables_and_picture(tmp_path, mixed_frame):
    """In a process of its own, as a user runs it."""
    mixed_frame.to_csv(tmp_path / "shop.csv", index=False)
    command = [sys.executable, "-m", "skmetricmlp", "compare"]
    result = subprocess.run(
        [*command, "shop.csv", "--target", "label", "--sizes", "30", "60", *QUICK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "PYTHONIOENCODING": "utf-8", "HOME": str(tmp_path)},
    )
    assert "8/8" in result.stderr  # the progress: sizes x seeds x starts
    assert "calculated" in result.stdout
    folder = tmp_path / "reports" / "compare-shop"
    written = pd.read_csv(folder / "curves.csv")
    assert len(written) == 2 * 2 * 2 * 3
    percent = 100 * written.groupby(["size", "start", "epoch"])["accuracy"].mean()
    assert f"{percent[30, 'metric', 0]:.1f}" in result.stdout
    assert len(pd.read_csv(folder / "to_target.csv")) == 8
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert str(folder.relative_to(tmp_path) / "curves.png") in result.stdout


def test_command_takes_metrics_exemplars_and_a_count_to_be_chosen(tmp_path, capsys):
    load_iris(as_frame=True).frame.to_csv(tmp_path / "iris.csv", index=False)
    arguments = ["--metric", "cosine", "--exemplars", "lvq", "--n-exemplars", "auto"]
    arguments += [str(tmp_path / "iris.csv"), "--target", "target"]
    assert main(["compare", *QUICK, *arguments, "--output", str(tmp_path)]) == 0
    curves = pd.read_csv(tmp_path / "curves.csv")
    assert "calculated" in capsys.readouterr().out
    untrained = curves[(curves["start"] == "metric") & (curves["epoch"] == 0)]
    assert untrained["accuracy"].min() > 0.6


def test_command_takes_settings_and_another_baseline(tmp_path, capsys):
    load_iris(as_frame=True).frame.to_csv(tmp_path / "iris.csv", index=False)
    arguments = ["--baseline", "zeros", "--activation", "tanh", "--output", str(tmp_path)]
    path = str(tmp_path / "iris.csv")
    assert main(["compare", path, "--target", "target", *QUICK, *arguments]) == 0
    assert "zeros" in capsys.readouterr().out
    starts = pd.read_csv(tmp_path / "curves.csv")["start"]
    assert starts.unique().tolist() == ["metric", "zeros"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv", "--target", "label"], "no such file: nowhere.csv"),
        (["--target", "label"], "no file is given"),
        (["--sizes", "5000"], "size 5000"),
        (["--activation", "step"], "activation='step'"),
        (["--baseline", "gaussian"], "init must be one of"),
        (["--metric", "manhattan"], "metric must be one of"),
        (["--exemplars", "best"], "exemplars must be one of"),
    ],
)
def test_command_reports_errors_without_a_traceback(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *QUICK, *arguments]) == 2
    captured = capsys.readouterr()
    last_line = captured.err.splitlines()[-1]
    assert last_line.startswith("error: ")
    assert message in last_line
    assert not list(tmp_path.iterdir())


def test_command_without_the_extra_names_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(["compare"]) == 2
    assert "pip install 'skmetricmlp[study]'" in capsys.readouterr().err
