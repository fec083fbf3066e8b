"""Every example runs, and says something."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
NEEDS = {
    "dask_grid_search": "distributed",
    "dask_incremental": "dask_ml",
}
# It limits its own memory: tests/test_out_of_core.py runs it in a process apart.
ALONE = {"parquet_larger_than_memory"}


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "path", [p for p in EXAMPLES if p.stem not in ALONE], ids=lambda path: path.stem
)
def test_example_runs(path, capsys, monkeypatch, tmp_path):
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem])
    monkeypatch.chdir(tmp_path)  # some write a picture to reports/
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()
