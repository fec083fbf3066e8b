"""Errors of the command: one helpful line and an exit status."""

import bz2
import gzip
import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmetricmlp._command import main

COMMAND = [sys.executable, "-m", "skmetricmlp", "compare"]
QUICK = ["--baselines", "none", "--sizes", "20", "--seeds", "1", "--epochs", "1"]
QUICK += ["--n-exemplars", "4"]

rng = np.random.default_rng(0)
SHOP = pd.DataFrame(
    {
        "age": rng.normal(50, 9, 40).round(1),
        "town": rng.choice(["Köln", "Bonn"], 40),
        "churn": rng.choice(["yes", "no"], 40),
    }
)
TEXT = SHOP.to_csv(index=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("started", "shown"),
    [("bin/skmetricmlp", "skmetricmlp"), ("__main__.py", "python -m skmetricmlp")],
)
def test_help_has_the_name_of_the_command_and_a_line_for_every_option(
    started, shown, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", [started])
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: {shown} compare")
    options = re.findall(r"(?m)^  (--[^ ]+.*(?:\n {3,}.*)*)", printed)
    assert len(options) > 30
    assert all(re.search(r"\s{2,}\S", option) for option in options)


def parquet(frame):
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return file.getvalue()


def compare(name, content, *options, target="churn"):
    """Run the command on a file with the given content."""
    if content is not None:
        content = content if isinstance(content, bytes) else content.encode()
        Path(name).write_bytes(content)
    about = [] if target is None else ["--target", target]
    return main(["compare", name, *about, *options, *QUICK, "--quiet"])


# --- files ---


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("t.tsv", SHOP.to_csv(index=False, sep="\t"), []),
        ("t.csv", SHOP.to_csv(index=False, sep="\t"), ["--separator", r"\t"]),
        ("t.txt", SHOP.to_csv(index=False, sep="\t"), ["--separator", "tab"]),
        ("t.dat", SHOP.to_csv(index=False, sep=" "), ["--separator", "space"]),
        ("T.CSV", TEXT, []),
        ("t.csv", TEXT.encode("utf-8-sig"), []),
        ("t.csv", TEXT.encode("latin-1"), ["--encoding", "latin-1"]),
        ("t.csv", TEXT.replace("\n", "\r\n"), []),
        (
            "t.csv",
            SHOP.to_csv(index=False, sep=";", decimal=",").encode("cp1252"),
            ["--separator", ";", "--decimal", ",", "--encoding", "cp1252"],
        ),
        ("t.csv.gz", gzip.compress(TEXT.encode()), []),
        ("t.csv.BZ2", bz2.compress(TEXT.encode()), []),
        ("t.csv.zip", zipped("t.csv"), []),
        ("T.Parquet", parquet(SHOP), []),
    ],
)
def test_files_of_several_kinds_hold_the_same_table(name, content, options):
    from skmetricmlp.study import read_dataset  # noqa: PLC0415

    Path("plain.csv").write_text(TEXT, encoding="utf-8")
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    keywords = {
        k.removeprefix("--"): v for k, v in zip(options[::2], options[1::2], strict=True)
    }
    read, plain = (
        read_dataset(name, "churn", **keywords),
        read_dataset("plain.csv", "churn"),
    )
    pd.testing.assert_frame_equal(read.X, plain.X)
    assert read.y.tolist() == plain.y.tolist()


GZIP = gzip.compress(TEXT.encode())
PARQUET = parquet(SHOP)

BROKEN = [
    ("t.txt", SHOP.to_csv(index=False, sep=" "), "did you mean --separator space?"),
    (
        "t.csv",
        SHOP.to_csv(index=False, sep=";").replace("Bonn", "Bo;nn", 1),
        "did you mean --separator ';'?",
    ),
    ("t.csv", SHOP.to_csv(sep=";").replace("churn", "left"), "(read with --separator"),
    ("t.csv", TEXT.encode() + b"1,\xff\x81,yes", "not utf-8 text (byte 0xff): name its"),
    ("t.csv", TEXT.encode() + b"1,\xff\x81,yes", "--encoding latin-1 or shift-jis"),
    ("t.csv", TEXT.encode("utf-16-le"), "t.csv has NUL bytes"),
    ("t.csv", TEXT.replace("yes", "y\0s"), "t.csv has NUL bytes"),
    ("t.csv", PARQUET, "t.csv has NUL bytes"),
    ("t.csv", "", "t.csv cannot be read: it is empty"),
    ("t.csv", "\n\n", "t.csv cannot be read: it is empty"),
    ("t.csv", "age,town,churn\n", "has the columns age, town, churn, and no rows"),
    ("t.csv", TEXT.replace("age", "churn"), "has two columns named 'churn'"),
    ("t.csv", TEXT.replace("age", " churn"), "has two columns named 'churn'"),
    ("t.csv", TEXT.replace("town", "age"), "has two columns named 'age'"),
    ("t.csv", TEXT.replace("\n", ",x\n").replace(",x", "", 1), "rows of 4 cells below"),
    ("t.csv", TEXT + "1,2,3,4\n", "t.csv cannot be read: Expected 3 fields"),
    ("t.csv", TEXT + '"1,2,3\n', "t.csv cannot be read: EOF inside string"),
    (
        "t.csv",
        TEXT + "inf,Bonn,yes\n",
        "the column 'age' has infinity in 1 row, first in",
    ),
    ("t.csv", TEXT + "1,Bonn,\n-inf,Bonn,yes\n", "first in row 42"),
    ("t.csv", TEXT + "1e300,Bonn,yes\n", "the column 'age' has 1e+300 in 1 row"),
    ("t.parquet", TEXT, "t.parquet cannot be read as Parquet"),
    ("t.parquet", b"", "t.parquet cannot be read as Parquet"),
    ("t.parquet", PARQUET[: len(PARQUET) // 2], "t.parquet cannot be read as Parquet"),
    ("t.parquet", parquet(SHOP.assign(churn=[[1]] * 40)), "values of type ndarray"),
    ("t.parquet", parquet(SHOP.assign(churn=[b"a"] * 40)), "values of type bytes"),
    (
        "t.csv.gz",
        GZIP[: len(GZIP) // 2],
        "t.csv.gz cannot be read: Compressed file ended",
    ),
    ("t.csv.gz", TEXT, "t.csv.gz cannot be read: Not a gzipped file"),
    ("t.csv.bz2", TEXT, "t.csv.bz2 cannot be read"),
    ("t.csv.xz", TEXT, "t.csv.xz cannot be read"),
    ("t.csv.zip", TEXT, "t.csv.zip cannot be read"),
    ("t.csv.zip", zipped("a", "b"), "must contain one file, and contains 2"),
    ("t.xlsx", "", "t.xlsx must be a .csv or .parquet file"),
    ("t", TEXT, "t must be a .csv or .parquet file"),
    ("x" * 300 + ".csv", None, "cannot be read: File name too long"),
    ("nowhere.csv", None, "no such file: nowhere.csv"),
    ("/dev/null", None, "/dev/null is not a regular file"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_cannot_be_read_is_an_error_of_one_line(
    folder, name, content, message, capsys
):
    assert compare(name, content) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not (folder / "reports").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("t.csv", ["--encoding", "klingon"], "--encoding must be an encoding of text"),
        ("t.csv", ["--encoding", "base64"], "--encoding must be an encoding of text"),
        ("t.csv", ["--encoding", "ascii"], "t.csv is not ascii text (byte 0xc3)"),
        ("t.csv", ["--separator", ""], "--separator must be a character or a regular"),
        ("t.csv", ["--separator", "("], "t.csv"),
        ("t.csv", ["--separator", "((,"], "t.csv cannot be read"),
        ("t.csv", ["--encoding", "utf-16"], "t.csv is not utf-16 text"),
        ("t.csv", ["--separator", ";"], "did you mean --separator ','?"),
        ("t.csv", ["--decimal", '"'], "--decimal must be one character other than"),
        ("t.csv", ["--dates", "%d.%m.%Y"], "no column has dates of the format '%d.%m"),
        ("t.csv", ["--dates", "%Q"], "--dates must be a format such as '%d.%m.%Y', got"),
        ("t.csv", ["--drop", "agee"], "no column 'agee' in t.csv (did you mean 'age'?)"),
        ("t.csv", ["--drop", "churn"], "--drop must not name the target 'churn'"),
        ("t.csv", ["--drop", "age", "town"], "no column besides the target"),
        ("t.parquet", ["--missing", "?"], "--missing applies to CSV files"),
        ("t.csv", ["--decimal", "12"], "--decimal must be one character other than"),
        ("t.csv", ["--task", "values"], "has values that are not finite numbers"),
        ("t.csv", ["--metric", "kl"], "the column 'age' has -"),
        ("t.csv", ["--metric", "kl"], "use --scale minmax"),
        (
            "t.csv",
            ["--metric", "itakura_saito"],
            "needs values > 0, and the column 'age'",
        ),
        ("t.parquet", ["--encoding", "cp1252"], "--encoding applies to CSV files"),
        ("t.parquet", ["--separator", ";"], "--separator applies to CSV files"),
        ("t.parquet", ["--no-header"], "--no-header applies to CSV files"),
    ],
)
def test_an_option_that_does_not_go_with_the_file(name, options, message, capsys):
    assert compare(name, PARQUET if name.endswith("t") else TEXT, *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line


@pytest.mark.parametrize(
    "option",
    ["--separator", "--encoding", "--decimal", "--missing", "--dates", "--drop"],
)
def test_an_option_about_files_without_a_file(option, capsys):
    assert main(["compare", "iris", option, ";"]) == 2
    assert f"{option} only applies to a CSV or Parquet file" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_directory_is_no_file(capsys):
    for name in ("tables", "tables.csv", "iris"):
        Path(name).mkdir()
    for name in ("tables", "tables.csv", "."):
        assert compare(name, None) == 2
        assert f"error: {name} is a directory" in capsys.readouterr().err
    # A directory with the name of a data set does not hide the data set.
    assert main(["compare", "iris", *QUICK, "--quiet"]) == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("method", ["is_dir", "exists", "open"])
def test_a_file_that_may_not_be_read(monkeypatch, capsys, method):
    """The error is raised by a patch, as "root" may read everything."""
    Path("t.csv").write_text(TEXT, encoding="utf-8")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    if method == "open":
        monkeypatch.setattr("skmetricmlp.study.tables.open", denied, raising=False)
    else:
        monkeypatch.setattr(Path, method, denied)
    assert compare("t.csv", None) == 2
    assert "error: t.csv cannot be read: Permission denied" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_what_a_name_holds_does_not_steer_the_terminal(capsys):
    assert compare("t.csv", TEXT.replace("age", "\x1b[31mage")) == 0
    assert compare("t.csv", None, target="\x1b[2J") == 2
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert r"\x1b[31mage" in shown.err


@pytest.mark.usefixtures("folder")
def test_one_column_is_no_plural(capsys):
    assert compare("t.csv", SHOP.drop(columns="town").to_csv(index=False)) == 0
    assert "t: 40 rows, 1 column, 2 classes" in capsys.readouterr().out
    page = Path("reports/compare-t/report.html").read_text("utf-8")
    assert "40 rows, 1 column, 2 classes; 1 random split with 10 test rows each" in page


# --- outputs ---


def limit_file_size():
    """Limit the size of files to 600 bytes, like a full disk."""
    import resource  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("/proc/nope", "cannot write to /proc/nope: "),
        ("a.csv", "cannot write to a.csv: a.csv is a file"),
        ("a.csv/b/c", "cannot write to a.csv/b/c: a.csv is a file"),
        ("there", "cannot write to there: curves.csv is a folder"),
        ("has_runs", "cannot write to has_runs/runs: has_runs/runs is a file"),
        ("new/" + "x" * 300, "File name too long"),
    ],
)
def test_an_output_that_cannot_be_written(folder, output, message, capsys, monkeypatch):
    if output.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("there is no /proc")
    Path("a.csv").write_text("mine")
    Path("there/curves.csv").mkdir(parents=True)
    Path("has_runs").mkdir()
    Path("has_runs/runs").write_text("mine")
    before = sorted(folder.rglob("*"))
    started = []
    monkeypatch.setattr("skmetricmlp.study.run_study", started.append)
    assert main(["compare", "iris", *QUICK, "--output", output]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: cannot write to ")
    assert message in line
    assert not started
    assert sorted(folder.rglob("*")) == before
    assert Path("a.csv").read_text() == "mine"


@pytest.mark.usefixtures("folder")
def test_a_folder_that_is_read_only(capsys):
    Path("locked").mkdir(mode=0o555)
    if os.access("locked", os.W_OK):
        pytest.skip("this user may write everywhere")
    assert main(["compare", "iris", *QUICK, "--output", "locked/new"]) == 2
    assert "error: cannot write to locked/new: " in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits")
def test_a_disk_that_is_full(tmp_path):
    result = subprocess.run(
        [*COMMAND, "iris", *QUICK, "--quiet", "--output", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_file_size,
    )
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: cannot write to out/runs: ")
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_no_empty_folder(folder, capsys):
    assert main(["compare", "iris", *QUICK, "--quiet", "--activation", "step"]) == 2
    assert "error: " in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("folder")
def test_whatever_a_file_is_called_its_report_has_a_folder_of_that_name():
    """Names that are too long or have a colon are replaced."""
    name = "ä: b" + "c" * 230
    assert compare(f"{name}.csv", TEXT) == 0
    (report,) = Path("reports").iterdir()
    assert report.name == "compare-ä__b" + "c" * 56


@pytest.mark.usefixtures("folder")
def test_data_that_are_downloaded_choose_no_other_folder(monkeypatch):
    from skmetricmlp.study import Dataset  # noqa: PLC0415

    data = Dataset.from_arrays(SHOP[["age"]], SHOP["churn"], name="../../x")
    monkeypatch.setattr("skmetricmlp.study.load_dataset", lambda _: data)
    assert main(["compare", "openml:../../x", *QUICK, "--quiet"]) == 0
    assert [path.name for path in Path("reports").iterdir()] == ["compare-.._.._x"]


def test_a_reader_that_has_gone_is_no_error(tmp_path):
    command = subprocess.Popen(
        [*COMMAND, "iris", *QUICK, "--quiet"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    command.stdout.close()
    assert command.stderr.read() == ""
    command.stderr.close()
    assert command.wait() == 0


def test_a_terminal_without_the_letters_gets_escapes(tmp_path):
    (tmp_path / "ü.csv").write_text(TEXT, encoding="utf-8")
    result = subprocess.run(
        [*COMMAND, "ü.csv", "--target", "churn", *QUICK, "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert result.stdout.startswith(r"\xfc: 40 rows")


# --- Ctrl-C ---


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("stage", "is_kept"),
    [
        ("load_dataset", False),
        ("Design.from_dataset", False),
        ("files.make_folder", False),
        ("run_study", False),
        ("write_report", True),
        ("score_table", True),
    ],
)
def test_an_interruption_at_any_stage(stage, is_kept, monkeypatch, capsys):
    monkeypatch.setattr(f"skmetricmlp.study.{stage}", interrupted)
    assert main(["compare", "iris", *QUICK, "--quiet"]) == 130
    shown = capsys.readouterr().err
    runs = Path("reports/compare-iris/runs")
    assert runs.is_dir() == is_kept
    if is_kept:
        kept = f"interrupted: finished runs are saved in {runs}; the same command"
    else:
        kept = "interrupted before a run was finished"
    assert kept in shown
    assert "Traceback" not in shown


def takes_interrupts():
    """Restore the handler of interrupts, which background processes ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT")
@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_an_interruption_of_a_process_that_begins(tmp_path, seconds):
    """The interrupt comes during the import of scikit-learn, or soon after."""
    process = subprocess.Popen(
        [*COMMAND, "digits", "--seeds", "50"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=takes_interrupts,  # noqa: PLW1509
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
