"""Data larger than memory, chunks of a Dask array, and a cluster that loses a worker."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skmetricmlp import MetricInitMLPClassifier

EXAMPLES = Path(__file__).parents[1] / "examples"
# Half the rows, in numbers of twice the size, make a file of the same size.
SHORTER = {
    "N_GROUPS, N_ROWS = 120,": "N_GROUPS, N_ROWS = 60,",
    "float32": "float64",
}


def digits(n_rows):
    X, y = (array[:n_rows] for array in load_digits(return_X_y=True))
    return X / 16, y


def test_a_file_that_memory_does_not_hold_is_learned_from(tmp_path):
    pytest.importorskip("pyarrow")
    example = (EXAMPLES / "parquet_larger_than_memory.py").read_text(encoding="utf-8")
    for written, shorter in SHORTER.items():
        assert written in example
        example = example.replace(written, shorter)
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    # One thread: each has memory of its own, which the limit counts.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not run.returncode, run.stderr
    if sys.platform == "linux":
        assert "at once: ArrowMemoryError" in run.stdout
        size, limit = map(int, re.findall(r"(\d+) MB", run.stdout))
        assert limit < size
    lines = re.findall(r"accuracy ([\d.]+), of the nines ([\d.]+)", run.stdout)
    accuracies, nines = np.array(lines, float).T
    # After one row group, after half of them, which have no nines, and after all.
    assert nines[:2].tolist() == [0, 0]
    assert accuracies[:2].min() > 0.8
    assert nines[-1] > 0.7
    assert accuracies[-1] > 0.93


def test_incremental_is_partial_fit_for_one_chunk_after_the_other():
    da = pytest.importorskip("dask.array")
    wrappers = pytest.importorskip("dask_ml.wrappers")
    X, y = digits(900)
    chunks = da.from_array(X, chunks=(300, 64)), da.from_array(y, chunks=300)
    clf = MetricInitMLPClassifier(n_exemplars=15, n_comparisons=20, random_state=0)
    incremental = wrappers.Incremental(clf, shuffle_blocks=False)
    incremental.fit(*chunks, classes=range(10)).partial_fit(*chunks)
    by_hand = MetricInitMLPClassifier(n_exemplars=15, n_comparisons=20, random_state=0)
    for _ in range(2):
        for start in range(0, len(X), 300):
            rows = slice(start, start + 300)
            by_hand.partial_fit(X[rows], y[rows], classes=range(10))
    np.testing.assert_allclose(
        incremental.predict_proba(chunks[0]).compute(), by_hand.predict_proba(X)
    )
    assert incremental.score(*chunks) == by_hand.score(X, y)


def search(X, y, splits, scoring=None):
    clf = MetricInitMLPClassifier(n_comparisons=20, max_iter=0, random_state=0)
    grid = {"n_exemplars": [10, 12, 14]}
    settings = {"cv": splits, "scoring": scoring, "error_score": "raise"}
    return GridSearchCV(clf, grid, **settings).fit(X, y)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on Windows")
def test_a_search_survives_the_death_of_a_worker(tmp_path):
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    X, y = digits(300)
    splits = list(StratifiedKFold(2).split(X, y))
    arrays = [X, y, *(rows for split in splits for rows in split)]
    scored, died = tmp_path / "scored", tmp_path / "died"
    scored.mkdir()

    def score_or_die(clf, X, y):
        # The third fit to be scored takes its process with it: in the middle of the
        # search, whichever worker that is, and never again.
        (scored / f"{os.getpid()}-{clf.n_exemplars}-{y.sum()}").touch()
        if len(list(scored.iterdir())) >= 3:
            try:
                died.touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return clf.score(X, y)

    with (
        # Every worker has every array from the start, and none takes copies away: an
        # array that only the dead worker had could not be calculated anew.
        dask.config.set({"distributed.scheduler.active-memory-manager.start": False}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs="CRITICAL",  # it reports the dead worker
        ) as cluster,
        distributed.Client(cluster) as client,
        parallel_config("dask", scatter=arrays),
    ):
        pids = set(client.run(os.getpid).values())
        found = search(X, y, splits, score_or_die)
    assert died.exists()
    scored_by = {int(path.name.split("-")[0]) for path in scored.iterdir()}
    assert scored_by & pids
    assert os.getpid() not in scored_by
    expected = search(X, y, splits).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected)
