"""The judge of benchmarks/tables.py: ranks, critical differences and few labels."""

import importlib.util
import sys
from pathlib import Path

import as_markdown
import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("tables", BENCHMARKS / "tables.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tables"] = module
    spec.loader.exec_module(module)
    return module


def test_ranks_are_means_of_ties_and_a_failure_is_last(tables):
    scores = pd.DataFrame([[0.9, 0.8, 0.9], [0.5, np.nan, 0.6]], columns=list("abc"))
    best_high = tables.ranks(scores, descending=True)
    assert best_high.to_numpy().tolist() == [[1.5, 3, 1.5], [2, 3, 1]]
    best_low = tables.ranks(scores, descending=False)
    assert best_low.to_numpy().tolist() == [[2.5, 1, 2.5], [1, 3, 2]]


def test_the_critical_difference_is_the_published_one(tables):
    """Demsar's example: four models and fourteen tables, q = 2.569."""
    expected = 2.569 * np.sqrt(4 * 5 / (6 * 14))
    assert tables.critical_difference(4, 14) == pytest.approx(expected, rel=1e-3)


def test_few_labels_are_the_first_of_each_class(tables):
    rows, codes = np.array([5, 3, 1, 0, 4, 2]), np.array([0, 1, 0, 1, 0, 0])
    assert tables.few_labels(rows, codes, 1).tolist() == [5, 3]
    assert tables.few_labels(rows, codes, 2).tolist() == [5, 3, 1, 0]
    assert sorted(tables.few_labels(rows, codes, 9)) == [0, 1, 2, 3, 4, 5]


def test_changes_are_paired_by_split_and_worse_ones_are_named(tables, capsys):
    """By hand: the splits of a table differ by far more than what training changes."""
    before = {"a": [0.5, 1.0, 1.5], "b": [0.2, 0.4, 0.6]}
    change = {"a": [0.1, 0.2, 0.3], "b": [0.1, -0.3, 0.2]}
    results = pd.DataFrame(
        [
            {
                "table": t,
                "seed": s,
                "model": model,
                "accuracy": 1 - loss,
                "log loss": loss,
            }
            for t in before
            for s in range(3)
            for model, loss in [
                ("start", before[t][s]),
                ("end", before[t][s] + change[t][s]),
            ]
        ]
    ).sample(frac=1.0, random_state=0)
    found = tables.changes(results, "start", "end")
    expected = {
        "accuracy": [-0.2, 0.0],
        "+- accuracy": [0.1 / 3**0.5, np.std(change["b"], ddof=1) / 3**0.5],
        "log loss, %": [20.0, 0.0],
        "+- log loss, %": [10 / 3**0.5, 250 * np.std(change["b"], ddof=1) / 3**0.5],
    }
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].tolist() == pytest.approx(values, abs=1e-12)
    tables.print_changes(results, "start", "end")
    lines = capsys.readouterr().out.splitlines()[-2:]
    assert [line.split(": ", 1)[0] for line in lines] == ["accuracy", "log loss, %"]
    assert all(line.endswith("on 1 of 2: a") for line in lines)


def test_an_optional_rival_that_is_not_installed_is_skipped(
    tables, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    arguments = ["--data", str(tmp_path), "--results", str(tmp_path / "r.jsonl")]
    tables.main([*arguments, "--models", "RealMLP", "linear"])
    assert "RealMLP is skipped: it needs pytabkit" in capsys.readouterr().out


def test_a_run_goes_on_and_reports(tables, tmp_path, capsys):
    rng = np.random.default_rng(0)
    pytest.importorskip("pyarrow")
    for name in ("one", "two"):
        table = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
        table["kind"] = pd.Categorical(rng.choice(["x", "y"], 80))
        table["target"] = np.where(table["a"] > 0, "yes", "no")
        table.to_parquet(tmp_path / f"{name}.parquet")
    arguments = ["--data", str(tmp_path), "--results", str(tmp_path / "r.jsonl")]
    arguments += ["--splits", "1", "--models", "linear", "k-NN", "boosting"]
    tables.main(arguments)
    results = (tmp_path / "r.jsonl").read_text()
    tables.main(arguments)
    assert (tmp_path / "r.jsonl").read_text() == results
    assert len(results.splitlines()) == 2 * 3
    assert "2000 rows, classes: 2 tables, 1 splits" in capsys.readouterr().out


def test_a_printed_table_becomes_one_of_markdown():
    columns = {
        "mean rank": [1.25, 1.75],
        "mean accuracy": [0.9, 0.8],
        "fit s": [2.0, 1.0],
        "predict s": [0.1, 0.2],
        "fit / boosting": [2.0, 1.0],
        "ours ahead by": [0.0, 0.1],
        "+-": [0.0, 0.05],
    }
    models = pd.Index(["calculated", "boosting, leaf 2"], name="model")
    printed = pd.DataFrame(columns, models).to_string().split("\n")
    lines = ["=== 10 rows ===", *printed, "critical difference: 1"]
    assert list(as_markdown.converted(lines)) == [
        "",
        "**10 rows**",
        "",
        "| model | rank | accuracy | fit / boosting | ahead by |",
        "| --- | --- | --- | --- | --- |",
        "| calculated | 1.25 | 0.900 | 2.00 |  |",
        "| boosting, leaf 2 | 1.75 | 0.800 | 1.00 | 0.1000±0.0500 |",
        "",
        "critical difference: 1",
    ]
