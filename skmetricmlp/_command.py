"""The command line, ``skmetricmlp compare``: calculated and random weights compared."""

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

#: Names of the models in :mod:`skmetricmlp.study.rivals`, which --help lists.
BASELINES = ("constant", "linear", "neighbors", "boosting", "forest", "mlp", "random")
#: Training rows from which on the command suggests a sample.
MANY_ROWS = 20_000
STUDY_PACKAGES = ("jinja2", "joblib", "matplotlib", "tqdm")


def _number_or_word(text: str) -> float | str:
    """Convert an option to an int or a float if it is a number."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _count_or_none(text: str) -> int | None:
    """Convert an option to an int, and "none" to None."""
    if text == "none":
        return None
    with suppress(ValueError):
        return int(text)
    msg = f"must be an int or none, got {text!r}"
    raise argparse.ArgumentTypeError(msg)


def _true_or_false(text: str) -> bool:
    if text not in {"true", "false"}:
        msg = f"must be true or false, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return text == "true"


#: Options that only apply to files.
OPTIONS_OF_FILES = (
    "target",
    "task",
    "separator",
    "no_header",
    "encoding",
    "decimal",
    "missing",
    "dates",
    "drop",
)

# Parameters of the estimator, with the conversion of their options.
SETTINGS: dict[str, Callable[[str], Any]] = {
    "n_exemplars": _number_or_word,
    "exemplars": str,
    "metric": str,
    "n_neighbors": _count_or_none,
    "activation": str,
    "sharpness": float,
    "output_init": str,
    "n_comparisons": int,
    "n_conjunctions": int,
    "max_features": _number_or_word,
    "tied": _true_or_false,
    "pairs": _number_or_word,
    "learning_rate_init": float,
    "batch_size": int,
}

HELP = {
    "n_exemplars": "number of exemplars, a share of the rows, or auto (default: 30)",
    "exemplars": "kmeans, random, kmedoids, condensed or lvq (default: kmeans)",
    "metric": "name of a distance, such as seuclidean or cosine (default: auto)",
    "n_neighbors": "number of nearest exemplars that vote, as in the network of the "
    "source; or none, for an output that is fitted to the comparisons (default: none)",
    "activation": "relu, logistic, tanh or step (default: relu)",
    "sharpness": "steepness of the votes (default: 1)",
    "output_init": "auto, ridge, logistic or norm_constrained (default: auto)",
    "n_comparisons": "comparisons in the hidden layer (default: 800)",
    "n_conjunctions": "conjunctions that each comparison forms (default: 1)",
    "max_features": "features that a comparison looks at: a number, a share, mixed, sqrt "
    "or log2 (default: mixed)",
    "tied": "true or false: whether votes share the scores (default: false)",
    "pairs": "exemplars that each is compared with: all, other_classes or a number "
    "(default: all)",
    "learning_rate_init": "step size of training (default: auto)",
    "batch_size": "rows of a gradient step (default: 32)",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    needed = [*STUDY_PACKAGES, *["pyarrow"] * (options.format == "parquet")]
    for package in needed:
        if not _is_installed(package):
            return _fail(f"the study needs {package}: pip install 'skmetricmlp[study]'")
    command = shlex.join(["python", "-m", "skmetricmlp", *arguments])
    return _compare(options, command)


def _parser() -> argparse.ArgumentParser:
    is_script = Path(sys.argv[0]).stem == "skmetricmlp"
    parser = argparse.ArgumentParser(
        prog="skmetricmlp" if is_script else "python -m skmetricmlp",
        description="Compare neural networks that start from calculated and from random "
        "weights.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "compare",
        help="train the same network from calculated and from random weights",
        description="Train the same network from calculated and from random weights, "
        "for several numbers of training rows and several random splits. Write a page "
        "with the differences and their confidence intervals. The results of finished "
        "runs are saved in FOLDER/runs, so that an interrupted command can be continued.",
    )
    add = command.add_argument
    add(
        "data",
        nargs="?",
        default="digits",
        help="a CSV file (or other text, such as .tsv), a Parquet file, one of "
        "breast_cancer, diabetes, digits, iris and wine, or openml:NAME for a download "
        "(default: %(default)s)",
    )
    add("--target", metavar="COLUMN", help="the column of the file to predict")
    add(
        "--task",
        choices=["classes", "values"],
        help="classification or regression (default: inferred from the target)",
    )
    add(
        "--separator",
        metavar="CHARACTER",
        help="separator of the columns of a CSV file, such as ';' or tab (default: "
        "guessed from the first rows)",
    )
    add(
        "--encoding",
        metavar="NAME",
        help="encoding of a CSV file, such as latin-1 (default: guessed, of utf-8 and "
        "cp1252)",
    )
    add(
        "--decimal",
        metavar="CHARACTER",
        help="decimal separator of a CSV file, such as ',' (default: guessed)",
    )
    add(
        "--missing",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="cells of a CSV file that count as missing, such as '?', besides empty ones "
        "and NA, null and the like",
    )
    add(
        "--dates",
        metavar="FORMAT",
        help="format of dates that are text, such as '%%m/%%d/%%Y', besides the usual "
        "ones",
    )
    add(
        "--drop",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="columns of the file to leave out",
    )
    add(
        "--no-header",
        action="store_true",
        help="the first row of the CSV file is data; the columns are named 0, 1, ...",
    )
    add(
        "--scale",
        choices=["standard", "minmax"],
        help="scaling of numbers (default: standard, and division by 16 for digits); "
        "metrics of nonnegative data need minmax",
    )
    add(
        "--max-rows",
        type=int,
        metavar="ROWS",
        help="draw a random sample of so many rows, stratified by class (default: all)",
    )
    add(
        "--scoring",
        metavar="NAME",
        help="score by which starts and models are compared: a scorer of scikit-learn, "
        "such as balanced_accuracy, average_precision, neg_log_loss or "
        "neg_mean_absolute_error (default: accuracy, or r2 for values)",
    )
    add("--sizes", type=int, nargs="+", metavar="ROWS", help="numbers of training rows")
    add(
        "--seeds",
        type=int,
        default=5,
        metavar="SPLITS",
        help="random splits (default: %(default)s)",
    )
    add("--epochs", type=int, default=10, help="number of epochs (default: %(default)s)")
    add(
        "--target-score",
        type=float,
        metavar="SCORE",
        help="score to reach, such as 0.95 (default: that of the calculated network "
        "before training)",
    )
    add(
        "--baselines",
        nargs="+",
        metavar="NAME",
        default=list(BASELINES),
        help=f"other models on the same splits, of {', '.join(BASELINES)}; or none "
        "(default: all)",
    )
    add(
        "--n-jobs",
        type=int,
        metavar="JOBS",
        help="number of parallel trainings; -1: all processors",
    )
    add("--output", type=Path, metavar="FOLDER", help="default: reports/compare-NAME")
    add(
        "--format", choices=["csv", "parquet"], default="csv", help="format of the tables"
    )
    add("--quiet", action="store_true", help="show no progress bar")
    starts = command.add_argument_group(
        "starts",
        "Parameters of the estimator, MetricInitMLPClassifier or MetricInitMLPRegressor. "
        "Each combination of values is a start. A start is compared with the one of the "
        "same parameters that has the last value of --init.",
    )
    starts.add_argument(
        "--init",
        nargs="+",
        metavar="VALUE",
        default=["metric", "random", "fitted"],
        help="metric, random, fitted (random units with a fitted output), or another "
        "baseline (default: these three)",
    )
    for name, convert in SETTINGS.items():
        option = "--" + name.replace("_", "-")
        starts.add_argument(
            option, type=convert, nargs="+", metavar="VALUE", help=HELP[name]
        )
    command.set_defaults(batch_size=[32])
    return parser


def _compare(options: argparse.Namespace, command: str) -> int:
    runs: Path | None = None
    made: list[Path] = []
    try:
        # The optional packages that these modules need are installed.
        with _exit_on_interrupt():
            from skmetricmlp.study import (  # noqa: PLC0415
                Design,
                run_study,
                starts_from_grid,
                write_report,
            )
            from skmetricmlp.study.files import (  # noqa: PLC0415
                discard_folders,
                make_folder,
            )
            from skmetricmlp.study.report import report_names  # noqa: PLC0415
            from skmetricmlp.study.rivals import (  # noqa: PLC0415
                check_rivals,
                compare_models,
            )

        settings = {
            name: values
            for name in SETTINGS
            if (values := getattr(options, name)) is not None
        }
        with _plain_warnings():
            dataset = _dataset(options)
            design = Design.from_dataset(
                dataset,
                starts_from_grid({"init": options.init, **settings}),
                sizes=options.sizes,
                n_seeds=options.seeds,
                n_epochs=options.epochs,
                target_score=options.target_score,
                scoring=options.scoring,
            )
            folder = options.output or Path("reports") / _folder_name(dataset.name)
            made = make_folder(folder, report_names(options.format))
            runs = folder / "runs"
            made += make_folder(runs)
            baselines = check_rivals(options.baselines)
            _print_data(dataset, is_guessed=_is_file(options.data) and not options.task)
            _print_plan(dataset, design, len(baselines))
            study = run_study(
                dataset,
                design,
                n_jobs=options.n_jobs,
                folder=runs,
                progress=not options.quiet,
            )
            if baselines:
                models = compare_models(
                    dataset,
                    design,
                    baselines,
                    n_jobs=options.n_jobs,
                    progress=not options.quiet,
                )
                study = replace(
                    study, models=models.scores, model_predictions=models.predictions
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
        # The process that reads the output has ended. The files have been written.
        _discard_output()
        return 0
    except MemoryError as error:
        status = _fail(f"not enough memory: {str(error) or 'try fewer rows'}")
    except BrokenProcessPool:
        cause = "a process was killed during a training, probably for lack of memory"
        status = _fail(f"{cause}: try a smaller --n-jobs")
    except (OSError, ValueError, TypeError) as error:
        status = _fail(str(error))
    else:
        return 0
    if made:
        discard_folders(made)
    return status


def _folder_name(name: str) -> str:
    """Return the name of the folder for a data set, with safe characters only."""
    return "compare-" + re.sub(r"[^\w.+-]", "_", name)[:60]


@contextmanager
def _exit_on_interrupt() -> Iterator[None]:
    """Exit on Ctrl-C. During imports an exception might be handled as a failed import."""
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
    details = " before a run was finished"
    if runs is not None and any(runs.glob("*.json")):
        details = f": finished runs are saved in {runs}; the same command continues there"
    print(f"\ninterrupted{details}", file=sys.stderr)
    return 130


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show each warning on one line, without its source code."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"warning: {_one_line(str(message))}", file=sys.stderr)

    with catch_warnings():
        warnings.showwarning = show
        yield


def _discard_output() -> None:
    """Redirect the standard output to nowhere, also for the end of the process."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dataset(options: argparse.Namespace) -> Any:
    from skmetricmlp.study import sample_rows, tabular_transformer  # noqa: PLC0415

    dataset = _whole_dataset(options)
    if options.scale:
        dataset = replace(dataset, transformer=tabular_transformer(options.scale))
    if options.max_rows is not None:
        dataset = sample_rows(dataset, options.max_rows)
    return dataset


def _whole_dataset(options: argparse.Namespace) -> Any:
    from skmetricmlp.study import DataError, load_dataset, read_dataset  # noqa: PLC0415

    if _is_file(options.data):
        return read_dataset(
            options.data,
            options.target,
            separator=options.separator,
            has_header=not options.no_header,
            encoding=options.encoding,
            decimal=options.decimal,
            missing=options.missing,
            dates=options.dates,
            drop=options.drop,
            task=options.task,
        )
    for name in OPTIONS_OF_FILES:
        if getattr(options, name):
            option = name.replace("_", "-")
            msg = f"--{option} only applies to a CSV or Parquet file"
            raise DataError(msg)
    return load_dataset(options.data)


def _is_file(data: str) -> bool:
    """Whether the argument names a file, which need not exist, and not a data set."""
    from skmetricmlp.study.data import NAMES, OPENML  # noqa: PLC0415

    path = Path(data)
    try:
        if path.is_file():
            return True
        if data in NAMES or data.startswith(OPENML):
            return False
        return bool(path.suffix) or os.sep in data or path.exists()
    except OSError:  # The name is too long, or the folder is not readable.
        return True


def _print_data(dataset: Any, *, is_guessed: bool) -> None:
    """Print what the data are, how they were read, and what looks unintended.

    If the task was guessed, name the option that changes it where it might be wrong.
    """
    from skmetricmlp.plotting._text import escape_controls  # noqa: PLC0415
    from skmetricmlp.study.columns import count_kinds, describe_target  # noqa: PLC0415
    from skmetricmlp.study.progress import format_count  # noqa: PLC0415
    from skmetricmlp.study.tasks import task_hint  # noqa: PLC0415

    # Characters that the terminal cannot encode are written as escapes.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    rows, columns = dataset.X.shape
    sample = ""
    if dataset.n_available is not None:
        sample = f" (a random sample of {dataset.n_available:,})"
    print(
        f"{escape_controls(dataset.name)}: {format_count(rows, 'row')}{sample}, "
        f"{format_count(columns, 'column')}, {dataset.y.nunique():,} {dataset.task.name}"
    )
    if dataset.guessed:
        print(f"Read with {escape_controls(dataset.guessed)}, guessed from the file")
    if (described := dataset.columns) is not None:
        print(f"Columns read as {count_kinds(described)}")
        unusual = described[described["note"] != ""]
        for name, note in zip(unusual["column"], unusual["note"], strict=True):
            print(f"  {escape_controls(name)}: {escape_controls(note)}")
    target = describe_target(dataset.y, dataset.task)
    if is_guessed and (hint := task_hint(dataset.y, dataset.task)):
        target += f"; {hint}"
    print(f"Target {escape_controls(target)}")
    sys.stdout.flush()


def _print_plan(dataset: Any, design: Any, n_baselines: int) -> None:
    """Print how much there is to do, and what makes it less."""
    from skmetricmlp.study.progress import format_count  # noqa: PLC0415

    runs = (
        f"{len(design.starts)} starts, {format_count(len(design.sizes), 'size')}, "
        f"{format_count(design.n_seeds, 'split')}"
    )
    plan = (
        f"{format_count(len(design.runs), 'training')} ({runs}) of "
        f"{format_count(design.n_epochs, 'epoch')}, on up to {design.sizes[-1]:,} rows"
    )
    if n_baselines:
        # This network is also fitted by default, and not trained.
        plan += f"; then {n_baselines + 2} models on each split"
    print(plan)
    if design.sizes[-1] > MANY_ROWS and dataset.n_available is None:
        print(
            f"This may take hours. It is shorter with --max-rows {MANY_ROWS}, "
            "fewer --seeds or fewer --baselines. Ctrl-C keeps what is finished."
        )
    sys.stdout.flush()


def _print(study: Any, paths: Sequence[Path]) -> None:
    from skmetricmlp.plotting._text import escape_controls  # noqa: PLC0415
    from skmetricmlp.study import (  # noqa: PLC0415
        conclusions,
        measure_table,
        model_table,
        ranking_table,
        recall_table,
        score_table,
        target_table,
    )
    from skmetricmlp.study.conclusions import has_several_settings  # noqa: PLC0415
    from skmetricmlp.study.progress import format_count  # noqa: PLC0415

    score, n_seeds = study.score, study.design.n_seeds
    largest = f"{study.design.sizes[-1]:,} training rows"
    epochs = format_count(study.design.n_epochs, "epoch")
    if study.models is not None:
        print(f"\nOther models on the same splits, the best {score.name} first\n")
        print(model_table(study).to_string())
    if has_several_settings(study):
        print(f"\nSettings with {largest}, the best first\n")
        print(ranking_table(study).to_string())
    print(
        f"\nTest {score.title} (mean ± standard deviation over "
        f"{format_count(n_seeds, 'split')}); epoch 0 is the untrained network\n"
    )
    print(score_table(study).to_string())
    print(f"\nAll measures with {largest} after {epochs}\n")
    print(measure_table(study).to_string())
    print(
        "\nEpochs and seconds (including the calculation of the weights) until the test "
        "score reaches the target: median over the splits (range)\n"
    )
    print(target_table(study).to_string())
    if study.dataset.task.name == "classes":
        print(f"\nRecall of each class in percent, with {largest}\n")
        print(recall_table(study).to_string())
    print("", *conclusions(study), sep="\n")
    report, *tables = paths
    print("\nTables:", *(escape_controls(str(table)) for table in tables), sep="\n  ")
    print(f"Report: {escape_controls(str(report))}")
    sys.stdout.flush()


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # find_spec raises it for modules that are blocked in sys.modules.
        return False


def _fail(message: str) -> int:
    print(f"error: {_one_line(message)}", file=sys.stderr)
    return 2


def _one_line(message: str) -> str:
    if message.isprintable():
        return message
    from skmetricmlp.plotting._text import escape_controls  # noqa: PLC0415

    return escape_controls(" ".join(message.split("\n")))
