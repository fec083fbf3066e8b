"""How much memory is available: from psutil, from Linux, or unknown."""

import sys
from math import inf
from types import SimpleNamespace

import pytest

from skmetricmlp.initialization import memory
from skmetricmlp.initialization.memory import available_memory

GIB = 2**30


@pytest.fixture
def no_psutil(monkeypatch):
    # An entry of None is how Python says that a module is not there.
    monkeypatch.setitem(sys.modules, "psutil", None)


@pytest.fixture
def linux(monkeypatch, tmp_path):
    """Files of a Linux machine, which has 8 GiB available and no limit."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(
        "MemTotal:       16777216 kB\n"
        "MemFree:         1048576 kB\n"
        "MemAvailable:    8388608 kB\n",
        encoding="ascii",
    )
    group = tmp_path / "cgroup"
    group.mkdir()
    monkeypatch.setattr(memory, "MEMORY_INFO", meminfo)
    monkeypatch.setattr(memory, "CGROUP", group)
    return SimpleNamespace(meminfo=meminfo, group=group)


def limit_group(group, limit, current=0, inactive_file=0):
    statistics = f"anon 17\nfile 4711\ninactive_file {inactive_file}\nactive_file 23\n"
    values = {"max": f"{limit}\n", "current": f"{current}\n", "stat": statistics}
    for name, text in values.items():
        (group / f"memory.{name}").write_text(text, encoding="ascii")


def test_psutil_tells_the_memory_where_it_is_installed(monkeypatch, linux):
    psutil = SimpleNamespace(virtual_memory=lambda: SimpleNamespace(available=3 * GIB))
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    assert available_memory() == 3 * GIB
    limit_group(linux.group, 2 * GIB)
    assert available_memory() == 2 * GIB


def test_the_memory_of_this_machine_is_near_that_of_psutil(monkeypatch):
    psutil = pytest.importorskip("psutil")
    if sys.platform != "linux":
        pytest.skip("other systems tell it through psutil alone")
    monkeypatch.setattr(memory, "CGROUP", memory.CGROUP / "none")
    expected = psutil.virtual_memory().available
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert available_memory() == pytest.approx(expected, rel=0.2)


@pytest.mark.usefixtures("no_psutil", "linux")
def test_without_psutil_the_kernel_tells_the_memory():
    assert available_memory() == 8 * GIB


@pytest.mark.usefixtures("no_psutil")
@pytest.mark.parametrize(
    ("limit", "current", "inactive_file", "expected"),
    [
        (4 * GIB, GIB, 0, 3 * GIB),
        # The kernel frees files that it has read.
        (4 * GIB, 3 * GIB, 2 * GIB, 3 * GIB),
        (4 * GIB, 4 * GIB, 0, 0),
        # The machine has less than the group may take.
        (64 * GIB, GIB, 0, 8 * GIB),
        ("max", GIB, 0, 8 * GIB),
    ],
)
def test_the_limit_of_the_control_group_counts(
    linux, limit, current, inactive_file, expected
):
    limit_group(linux.group, limit, current, inactive_file)
    assert available_memory() == expected


@pytest.mark.usefixtures("no_psutil")
def test_a_control_group_without_all_files_has_no_limit(linux):
    limit_group(linux.group, GIB)
    (linux.group / "memory.stat").unlink()
    assert available_memory() == 8 * GIB


@pytest.mark.usefixtures("no_psutil")
def test_memory_that_nothing_tells_is_infinite(linux):
    linux.meminfo.write_text("MemTotal: 16777216 kB\n", encoding="ascii")
    assert available_memory() == inf
    linux.meminfo.unlink()
    assert available_memory() == inf
