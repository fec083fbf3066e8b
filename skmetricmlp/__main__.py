"""``python -m skmetricmlp compare``: calculated against random weights, on your data."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


# Of the estimator; several values of one make several starts.
SETTINGS: dict[str, Callable[[str], Any]] = {
    "n_exemplars": _number_or_word,
    "exemplars": str,
    "metric": str,
    "n_neighbors": int,
    "readout": str,
    "activation": str,
    "sharpness": float,
    "output_init": str,
    "n_spare_units": int,
    "tied": _truth,
    "rivals": _number_or_word,
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
        help="a CSV or Parquet file; or breast_cancer, diabetes, digits, iris or wine, "
        "of scikit-learn; or openml:NAME, which is downloaded (%(default)s)",
    )
    add("--target", metavar="COLUMN", help="column of the file to predict")
    add(
        "--task",
        choices=["classes", "values"],
        help="what that column holds (judged by its values)",
    )
    add(
        "--separator", default=",", help="between the columns of a CSV file (%(default)s)"
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
    # Imported here, when it is known that what they need is there.
    from skmetricmlp.study import (  # noqa: PLC0415
        DataError,
        Design,
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
    try:
        dataset = _dataset(options)
        if options.scale:
            transformer = tabular_transformer(options.scale)
            dataset = replace(dataset, transformer=transformer)
        folder = options.output or Path("reports") / f"compare-{dataset.name}"
        design = Design.of(
            dataset,
            starts_of({"init": options.init, **settings}),
            sizes=options.sizes,
            n_seeds=options.seeds,
            n_epochs=options.epochs,
            target_score=options.target_score,
        )
        study = run_study(
            dataset,
            design,
            n_jobs=options.n_jobs,
            folder=folder / "runs",
            progress=not options.quiet,
        )
        paths = write_report(
            folder,
            study,
            table_format=options.format,
            n_jobs=options.n_jobs,
            command=command,
        )
    except (DataError, ValueError, TypeError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print(
            f"\ninterrupted: finished runs are kept in {folder / 'runs'}, and the same "
            f"command goes on from there",
            file=sys.stderr,
        )
        return 130
    _print(study, paths)
    return 0


def _dataset(options: argparse.Namespace) -> Any:
    from skmetricmlp.study import DataError, load_dataset, read_dataset  # noqa: PLC0415

    if Path(options.data).suffix or Path(options.data).exists():
        return read_dataset(
            options.data,
            options.target,
            separator=options.separator,
            has_header=not options.no_header,
            task=options.task,
        )
    for name in ("target", "task", "no_header"):
        if getattr(options, name):
            msg = f"--{name.replace('_', '-')} is about a file, and no file is given"
            raise DataError(msg)
    return load_dataset(options.data)


def _print(study: Any, paths: Sequence[Path]) -> None:
    from skmetricmlp.study import (  # noqa: PLC0415
        score_table,
        target_table,
        verdict,
    )

    rows, columns = study.dataset.X.shape
    task = study.dataset.task
    print(
        f"{study.dataset.name}: {rows} rows, {columns} columns, "
        f"{study.dataset.y.nunique()} {task.name}\n\n"
        f"Test {task.score_name}{' in percent' if task.unit else ''} (mean ± deviation "
        f"over {study.design.n_seeds} splits); epoch 0 is untrained\n"
    )
    print(score_table(study).to_string())
    print(
        "\nEpochs and seconds (calculating the weights included) until the test "
        "score reaches the target\n"
    )
    print(target_table(study).to_string())
    print("", *verdict(study), sep="\n")
    report, *tables = paths
    print("\nTables:", *tables, sep="\n  ")
    print(f"Report: {report}")


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # as find_spec says of a module that must not be imported
        return False


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
