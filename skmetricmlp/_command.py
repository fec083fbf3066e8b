"""``python -m skmetricmlp compare``: calculated against random weights, on your data."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from warnings import catch_warnings

from skmetricmlp import __version__

EXTRA = ("jinja2", "joblib", "matplotlib", "tqdm")


def _number_or_word(text: str) -> float | str:
    """Return a count, a share or a word."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _truth(text: str) -> bool:
    if text not in {"true", "false"}:
        msg = f"must be true or false, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return text == "true"


def _int_or_none(text: str) -> int | None:
    return None if text == "none" else int(text)


# Parameters of the estimator. Several values of one make several starts.
SETTINGS: dict[str, Callable[[str], Any]] = {
    "n_exemplars": _number_or_word,
    "exemplars": str,
    "metric": str,
    "n_neighbors": _int_or_none,
    "activation": str,
    "sharpness": float,
    "output_init": str,
    "n_random_units": int,
    "tied": _truth,
    "pairs": _number_or_word,
    "learning_rate_init": float,
    "batch_size": int,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    needed = dict.fromkeys(EXTRA, "study")
    if options.format == "parquet":
        needed["pyarrow"] = "parquet"
    for package, extra in needed.items():
        if not _is_there(package):
            return _fail(f"the study needs {package}: pip install 'skmetricmlp[{extra}]'")
    command = shlex.join(["python", "-m", "skmetricmlp", *arguments])
    return _compare(options, command)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m skmetricmlp", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "compare",
        help="train the same network from calculated and from random weights",
        description="Train the same network from calculated and from random weights, "
        "for several training-set sizes and random splits, and write a page that says "
        "which was better, by how much, and how certain that is. Finished runs are kept "
        "in FOLDER/runs: a command that was stopped goes on where it was.",
    )
    add = command.add_argument
    add(
        "data",
        nargs="?",
        default="digits",
        help="a CSV (also .tsv and other text) or Parquet file; or breast_cancer, "
        "diabetes, digits, iris or wine, of scikit-learn; or openml:NAME, which is "
        "downloaded (%(default)s)",
    )
    add("--target", metavar="COLUMN", help="column of the file to predict")
    add(
        "--task",
        choices=["classes", "values"],
        help="what that column holds (judged by its values)",
    )
    add(
        "--separator",
        metavar="CHARACTER",
        help="between the columns of a CSV file, such as ';' or tab (a comma, in .tsv a "
        "tab)",
    )
    add(
        "--encoding",
        metavar="NAME",
        help="of a CSV file, such as cp1252 or latin-1 (utf-8)",
    )
    add(
        "--decimal",
        metavar="CHARACTER",
        help="of the numbers in a CSV file, such as ',' (a point)",
    )
    add(
        "--no-header",
        action="store_true",
        help="the first row of the CSV file is data; columns are called 0, 1, ...",
    )
    add(
        "--scale",
        choices=["standard", "minmax"],
        help="of numbers (standard; pixels of digits are shares of the greatest); minmax "
        "for metrics of values that are not negative",
    )
    add("--sizes", type=int, nargs="+", metavar="ROWS", help="training-set sizes")
    add("--seeds", type=int, default=5, help="number of random splits (%(default)s)")
    add("--epochs", type=int, default=10, help="how long to train (%(default)s)")
    add("--target-score", type=float, help="default: where the reference ends")
    add("--n-jobs", type=int, help="networks trained at once; -1: one a processor (1)")
    add("--output", type=Path, metavar="FOLDER", help="default: reports/compare-NAME")
    add("--format", choices=["csv", "parquet"], default="csv", help="of the tables")
    add("--quiet", action="store_true", help="no progress bar")
    starts = command.add_argument_group(
        "starts",
        "Parameters of the estimator. Several values of one make several starts, each "
        "compared with the same network that has the last of the values of --init.",
    )
    starts.add_argument("--init", nargs="+", default=["metric", "random"])
    for name, kind in SETTINGS.items():
        starts.add_argument("--" + name.replace("_", "-"), type=kind, nargs="+")
    command.set_defaults(batch_size=[32])
    return parser


def _compare(options: argparse.Namespace, command: str) -> int:
    runs: Path | None = None
    made: list[Path] = []
    try:
        # Imported here, when it is known that what they need is there.
        with _ended_at_once():
            from skmetricmlp.study import (  # noqa: PLC0415
                Design,
                discard_folders,
                make_folder,
                report_names,
                run_study,
                starts_of,
                tabular_transformer,
                write_report,
            )

        settings = {
            name: values
            for name in SETTINGS
            if (values := getattr(options, name)) is not None
        }
        with _plain_warnings():
            dataset = _dataset(options)
            if options.scale:
                transformer = tabular_transformer(options.scale)
                dataset = replace(dataset, transformer=transformer)
            design = Design.of(
                dataset,
                starts_of({"init": options.init, **settings}),
                sizes=options.sizes,
                n_seeds=options.seeds,
                n_epochs=options.epochs,
                target_score=options.target_score,
            )
            folder = options.output or Path("reports") / _folder_name(dataset.name)
            made = make_folder(folder, report_names(options.format))
            runs = folder / "runs"
            made += make_folder(runs)
            study = run_study(
                dataset,
                design,
                n_jobs=options.n_jobs,
                folder=runs,
                progress=not options.quiet,
            )
            paths = write_report(
                folder,
                study,
                table_format=options.format,
                n_jobs=options.n_jobs,
                command=command,
            )
        _print(study, paths)
    except KeyboardInterrupt:
        status = _interrupted(runs)
    except BrokenPipeError:
        # Whoever read what is printed has gone; the files are written.
        _silence()
        return 0
    except MemoryError as error:
        status = _fail(f"not enough memory: {str(error) or 'try fewer rows'}")
    except BrokenProcessPool:
        what = "a process that trained a network was ended, as happens for want of memory"
        status = _fail(f"{what}: try a smaller --n-jobs")
    except (OSError, ValueError, TypeError) as error:
        status = _fail(str(error))
    else:
        return 0
    if made:
        discard_folders(made)
    return status


def _folder_name(name: str) -> str:
    """Name a folder after a data set, whatever characters are in its name."""
    return "compare-" + re.sub(r"[^\w.+-]", "_", name)[:60]


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """End the process at Ctrl-C, which amid imports would be taken for their failure."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def end(*_: Any) -> None:
        os.write(2, b"\ninterrupted before a run was finished\n")
        os._exit(130)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupted(runs: Path | None) -> int:
    kept = " before a run was finished"
    if runs is not None and any(runs.glob("*.json")):
        kept = (
            f": finished runs are kept in {runs}, and the same command goes on from there"
        )
    print(f"\ninterrupted{kept}", file=sys.stderr)
    return 130


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show a warning as a line, without the line of code that it came from."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"warning: {_one_line(str(message))}", file=sys.stderr)

    with catch_warnings():
        warnings.showwarning = show
        yield


def _silence() -> None:
    """Let nothing more be printed, also not at the end of the process."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dataset(options: argparse.Namespace) -> Any:
    from skmetricmlp.study import DataError, load_dataset, read_dataset  # noqa: PLC0415

    if _is_file(options.data):
        return read_dataset(
            options.data,
            options.target,
            separator=options.separator,
            has_header=not options.no_header,
            encoding=options.encoding,
            decimal=options.decimal,
            task=options.task,
        )
    for name in ("target", "task", "separator", "no_header", "encoding", "decimal"):
        if getattr(options, name):
            msg = f"--{name.replace('_', '-')} is about a file, and no file is given"
            raise DataError(msg)
    return load_dataset(options.data)


def _is_file(data: str) -> bool:
    """Say whether a file is meant and not data with a name; it need not be there."""
    from skmetricmlp.study.data import NAMES, OPENML  # noqa: PLC0415

    path = Path(data)
    try:
        if path.is_file():
            return True
        if data in NAMES or data.startswith(OPENML):
            return False
        return bool(path.suffix) or os.sep in data or path.exists()
    except OSError:  # a name that is too long, or a folder that must not be looked into
        return True


def _print(study: Any, paths: Sequence[Path]) -> None:
    from skmetricmlp.study import (  # noqa: PLC0415
        counted,
        score_table,
        target_table,
        verdict,
        visible,
    )

    rows, columns = study.dataset.X.shape
    task, n_seeds = study.dataset.task, study.design.n_seeds
    # What the terminal has no letters for is written as escapes.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(
        f"{visible(study.dataset.name)}: {counted(rows, 'row')}, "
        f"{counted(columns, 'column')}, {study.dataset.y.nunique():,} {task.name}\n\n"
        f"Test {task.score_name}{' in percent' if task.unit else ''} (mean ± deviation "
        f"over {counted(n_seeds, 'split')}); epoch 0 is untrained\n"
    )
    print(score_table(study).to_string())
    print(
        "\nEpochs and seconds (calculating the weights included) until the test "
        "score reaches the target\n"
    )
    print(target_table(study).to_string())
    print("", *verdict(study), sep="\n")
    report, *tables = paths
    print("\nTables:", *(visible(str(table)) for table in tables), sep="\n  ")
    print(f"Report: {visible(str(report))}")
    sys.stdout.flush()


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # as find_spec says of a module that must not be imported
        return False


def _fail(message: str) -> int:
    print(f"error: {_one_line(message)}", file=sys.stderr)
    return 2


def _one_line(message: str) -> str:
    if message.isprintable():
        return message
    from skmetricmlp.study import visible  # noqa: PLC0415

    return visible(" ".join(message.split("\n")))
