"""Saved runs: they are exact, checked on reading, and never confused."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.study import Dataset, Design, load_dataset, run_study, starts_from_grid
from skmetricmlp.study.files import OutputError, make_folder, write_files
from skmetricmlp.study.runs import _warm_up
from skmetricmlp.study.tasks import CLASSES

TWO = {"init": ["metric", "random"]}


COMMAND = [sys.executable, "-m", "skmetricmlp", "compare"]


def small_design(dataset):
    starts = starts_from_grid({**TWO, "n_exemplars": [6]})
    return Design.from_dataset(dataset, starts, sizes=[60], n_seeds=1, n_epochs=1)


def iris_with(labels):
    X, y = load_iris(return_X_y=True)
    return Dataset.from_arrays(X, pd.Series(labels)[y].to_numpy())


@pytest.fixture
def fits(monkeypatch):
    """The values of ``init`` of all fits."""
    fit, fitted = MetricInitMLPClassifier.fit, []
    _warm_up(CLASSES)

    def counted(self, X, y):
        fitted.append(self.init)
        return fit(self, X, y)

    monkeypatch.setattr(MetricInitMLPClassifier, "fit", counted)
    return fitted


@pytest.mark.parametrize(
    "data",
    [
        lambda: iris_with(["a", "b", "ü\n\u202e"]),
        lambda: iris_with([3, -1, 2**40]),
        lambda: iris_with([True, False, False]),
        lambda: iris_with([1.0, 2.0, 7.0]),
        lambda: iris_with(pd.to_datetime(["2020-01-01", "2020-01-02", "2021-01-01"])),
        lambda: Dataset.from_arrays(*load_diabetes(return_X_y=True), task="values"),
        lambda: Dataset.from_arrays(
            np.random.default_rng(0).normal(size=(90, 2)), np.arange(90) * 2**40
        ),
    ],
    ids=["text", "integers", "truth", "floats", "times", "values", "integer values"],
)
def test_a_run_that_was_kept_is_exactly_what_was_found(tmp_path, data):
    dataset = data()
    design = small_design(dataset)
    found = run_study(dataset, design, folder=tmp_path)
    read = run_study(dataset, design, folder=tmp_path)
    pd.testing.assert_frame_equal(read.curves, found.curves, check_exact=True)
    pd.testing.assert_frame_equal(read.predictions, found.predictions, check_exact=True)


def test_kept_runs_are_json_and_nothing_else(tmp_path):
    dataset = load_dataset("iris")
    run_study(dataset, small_design(dataset), folder=tmp_path)
    files = sorted(tmp_path.rglob("*"))
    assert [file.suffix for file in files] == [".json"] * 2
    assert {json.loads(file.read_text("ascii"))["data"] for file in files} == {"iris"}


def changed(text, change):
    content = json.loads(text)
    change(content)
    return json.dumps(content)


DAMAGES = {
    "empty": lambda _: "",
    "cut off": lambda text: text[: len(text) // 2],
    "one character less": lambda text: text[:-1],
    "garbled": lambda text: text[:200] + "\0\x01" + text[202:],
    "no text": lambda _: "\udc80\udcff",
    "pickled": lambda _: "\udc80\x04\udc95.",
    "null": lambda _: "null",
    "a list": lambda _: "[1, 2]",
    "no members": lambda _: "{}",
    "deep": lambda _: "[" * 100_000,
    "long number": lambda _: "1" * 5000,
    "another score": lambda text: changed(
        text, lambda c: c["result"]["scores"]["accuracy"].__setitem__(0, 0.123)
    ),
    "no result": lambda text: changed(text, lambda c: c.pop("result")),
    "another format": lambda text: changed(text, lambda c: c.update(format=0)),
    "another version": lambda text: changed(text, lambda c: c.update(version="0.0.9")),
    "another run": lambda text: changed(text, lambda c: c.update(key="0" * 64)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_kept_run_that_is_damaged_is_noticed_and_run_again(tmp_path, damage, fits):
    dataset = load_dataset("iris")
    design = small_design(dataset)
    found = run_study(dataset, design, folder=tmp_path)
    fits.clear()
    file = next(
        file for file in tmp_path.iterdir() if "'metric'" in file.read_text("ascii")
    )
    file.write_bytes(damage(file.read_text("ascii")).encode("utf-8", "surrogateescape"))
    with pytest.warns(
        UserWarning, match="1 file is damaged in .*, and its run is repeated"
    ):
        again = run_study(dataset, design, folder=tmp_path)
    assert fits == ["metric"]  # the other one is taken
    exact = ["size", "seed", "start", "epoch", "accuracy"]
    pd.testing.assert_frame_equal(again.curves[exact], found.curves[exact])
    pd.testing.assert_frame_equal(again.predictions, found.predictions)
    fits.clear()
    run_study(dataset, design, folder=tmp_path)  # without a warning: it is mended
    assert not fits


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["scores"]["accuracy"].pop(),
        lambda r: r["scores"]["accuracy"].__setitem__(0, "high"),
        lambda r: r["scores"]["neg_log_loss"].__setitem__(0, float("nan")),
        lambda r: r["scores"].pop("balanced_accuracy"),
        lambda r: r["seconds"].reverse(),
        lambda r: r["true"].__setitem__(0, 17),
        lambda r: r["predicted"].__setitem__(0, -1),
        lambda r: r["predicted"].pop(),
        lambda r: r["count"].__setitem__(0, 1000),
        lambda r: r["epoch"].__setitem__(0, 5),
        lambda r: r.update(count={"a": 1}),
        lambda r: r.update(true=[[0]]),
        lambda r: r.pop("seconds"),
    ],
    ids=range(13),
)
def test_a_result_of_another_shape_is_not_taken_even_with_a_right_digest(
    tmp_path, change, fits
):
    from skmetricmlp.study.cache import _digest  # noqa: PLC0415

    dataset = load_dataset("iris")
    design = small_design(dataset)
    run_study(dataset, design, folder=tmp_path)
    fits.clear()
    for file in tmp_path.iterdir():
        content = json.loads(file.read_text("ascii"))
        change(content["result"])
        content["sha256"] = _digest(content["result"])
        file.write_text(json.dumps(content))
    with pytest.warns(
        UserWarning, match="2 files are damaged in .*, and their runs are repeated"
    ):
        run_study(dataset, design, folder=tmp_path)
    assert sorted(fits) == ["metric", "random"]


def test_the_file_of_another_run_is_not_taken(tmp_path, fits):
    """A file that was copied over another one, and a file of other data."""
    iris = load_dataset("iris")
    design = small_design(iris)
    run_study(iris, design, folder=tmp_path)
    fits.clear()
    one, other = tmp_path.iterdir()
    one.write_bytes(other.read_bytes())
    with pytest.warns(UserWarning, match="1 file is damaged"):
        run_study(iris, design, folder=tmp_path)
    assert len(fits) == 1
    moved = replace(iris, X=iris.X + 1e-9)
    run_study(moved, design, folder=tmp_path)
    assert len(fits) == 3


def test_a_run_that_another_command_has_finished_meanwhile_is_taken(tmp_path, fits):
    dataset = load_dataset("iris")
    design = small_design(dataset)
    fit = MetricInitMLPClassifier.fit
    others = []

    def fit_while_another_command_runs(self, X, y):
        if not others:
            others.append(True)
            run_study(dataset, design, folder=tmp_path)
        return fit(self, X, y)

    MetricInitMLPClassifier.fit = fit_while_another_command_runs  # undone by ``fits``
    run_study(dataset, design, folder=tmp_path)
    # The other command does both runs, and this one only the run that it had begun.
    assert sorted(fits) == ["metric", "metric", "random"]


# --- writing ---


def test_files_are_replaced_when_all_are_written_or_not_at_all(tmp_path, monkeypatch):
    write_files(tmp_path, {"a": b"old", "b": b"old"})
    sync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return sync(handle)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"cannot write to .*: No space left on device"):
        write_files(tmp_path, {"a": b"new", "b": b"new"})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "a": b"old",
        "b": b"old",
    }


def test_an_interruption_while_files_are_written_leaves_the_old_ones(
    tmp_path, monkeypatch
):
    write_files(tmp_path, {"a": b"old"})

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, {"a": b"new"})
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_folder_that_cannot_be_made_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file is a file"):
        make_folder(tmp_path / "file" / "deep" / "er")
    (tmp_path / "new" / "page").mkdir(parents=True)
    with pytest.raises(OutputError, match="page is a folder"):
        make_folder(tmp_path / "new", ["page"])
    with pytest.raises(OutputError, match="File name too long"):
        make_folder(tmp_path / "other" / ("x" * 300))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new"]


def test_two_commands_at_once_in_one_folder_do_not_mix(tmp_path):
    arguments = ["iris", "--sizes", "60", "--epochs", "2", "--n-exemplars", "6"]
    arguments += ["--output", "out", "--quiet", "--baselines", "none"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([*COMMAND, *arguments, "--seeds", n], cwd=tmp_path, **pipes)
        for n in ("2", "3")
    ]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert not errors
    folder = tmp_path / "out"
    written = pd.read_csv(folder / "curves.csv")
    n_seeds = written["seed"].nunique()
    assert n_seeds in {2, 3}
    assert f"{n_seeds} random splits" in (folder / "report.html").read_text("utf-8")
    assert len(pd.read_csv(folder / "to_target.csv")) == 3 * n_seeds
    dataset = load_dataset("iris")
    starts = starts_from_grid({"n_exemplars": [6], "batch_size": [32]})
    design = Design.from_dataset(dataset, starts, sizes=[60], n_seeds=n_seeds, n_epochs=2)
    expected = run_study(dataset, design).curves.drop(columns="seconds")
    pd.testing.assert_frame_equal(written.drop(columns="seconds"), expected)
    assert len(list((folder / "runs").iterdir())) == 9
    assert not list(folder.glob(".*"))
