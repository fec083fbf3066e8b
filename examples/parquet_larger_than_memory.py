"""
A Parquet file that is larger than memory
=========================================

The closed-form network needs only sums over rows. ``partial_fit`` adds those of a batch,
and the row groups of a Parquet file can serve as batches, so the file may be larger than
memory. One pass suffices, in any order. This example limits the memory of the process, so
that it cannot read the whole file at once.
"""

# %%
# The file contains scikit-learn's digits many times, shifted by a pixel and with noise:
# 77 MB in 120 row groups. The first half of the file contains no nines.
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier

N_GROUPS, N_ROWS = 120, 2500
PIXELS = [f"pixel_{i}" for i in range(64)]
MORE_MEMORY = 56 * 2**20  # 40 to 48 were needed

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)


def row_group(number):
    """Generate a row group; those of the first half contain no nine."""
    rng = np.random.default_rng(number)
    known = np.flatnonzero((y_train < 9) | (number >= N_GROUPS // 2))
    drawn = rng.choice(known, N_ROWS)
    images = X_train[drawn].reshape(-1, 8, 8)
    for axis in (1, 2):
        moved = rng.random(N_ROWS) < 0.3
        images[moved] = np.roll(images[moved], rng.choice([-1, 1]), axis)
    noisy = images.reshape(N_ROWS, 64) + rng.normal(0, 0.1, (N_ROWS, 64))
    columns = dict(zip(PIXELS, noisy.T.astype(np.float32), strict=True))
    return pa.table({**columns, "digit": y_train[drawn]})


def write(path):
    """Write the file, a row group at a time."""
    plain = {"compression": "none", "use_dictionary": False}
    with pq.ParquetWriter(path, row_group(0).schema, **plain) as writer:
        for number in range(N_GROUPS):
            writer.write_table(row_group(number))


# %%
# The limit is a number of bytes beyond the present memory of the process. It has an
# effect on Linux only.
@contextmanager
def memory_limit(more):
    """Limit the memory that the process can get in addition."""
    if sys.platform != "linux":
        yield
        return
    import resource  # noqa: PLC0415 - Windows has none

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


# %%
# The network is calculated from the sums when it is next asked for, here for a report.
# Threads are not used, because each would need its own memory, and ``working_memory``
# limits the temporary arrays of a batch, in MiB.
def learn(path):
    """Learn the file in one pass, and print the accuracy on the way."""
    clf = MetricInitMLPClassifier(
        solver="closed_form", n_comparisons=150, max_features=None, random_state=0
    )
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, use_threads=False)
            frame = table.to_pandas(use_threads=False, split_blocks=True)
            clf.partial_fit(frame[PIXELS].to_numpy(), frame["digit"], range(10))
            if group in {0, N_GROUPS // 2 - 1, N_GROUPS - 1}:
                report(f"{group + 1} row groups", clf)
    return clf


def report(when, clf):
    """Print the accuracy, and the accuracy on the nines."""
    nines = y_test == 9
    print(
        f"{when:>14}: accuracy {clf.score(X_test, y_test):.3f}, "
        f"of the nines {clf.score(X_test[nines], y_test[nines]):.3f}"
    )


# %%
with TemporaryDirectory() as folder:
    path = Path(folder) / "digits.parquet"
    write(path)
    print(
        f"file: {path.stat().st_size / 2**20:.0f} MB, limit: {MORE_MEMORY / 2**20:.0f} MB"
    )
    # BLAS allocates tens of megabytes at its first product: this comes before the limit.
    MetricInitMLPClassifier(max_iter=0).fit(X_train[:100], y_train[:100])
    pa.set_memory_pool(pa.system_memory_pool())  # it returns memory that is freed
    with memory_limit(MORE_MEMORY):
        try:
            with pq.ParquetFile(path) as file:
                print(file.read(use_threads=False).num_rows, "rows at once")
        except MemoryError as error:
            print(f"at once: {type(error).__name__}")
        with config_context(working_memory=4):
            learn(path)
