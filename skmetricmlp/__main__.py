"""``python -m skmetricmlp compare``: calculated against random weights, on your data."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from skmetricmlp import __version__
from skmetricmlp.study import (
    DataError,
    Dataset,
    accuracy_table,
    compare,
    load_digits_dataset,
    read_dataset,
    target_table,
    time_to_target,
    write_report,
)


def _exemplar_count(text: str) -> int | str:
    return text if text == "auto" else int(text)


SETTINGS: dict[str, Callable[[str], Any]] = {
    "n_exemplars": _exemplar_count,
    "exemplars": str,
    "metric": str,
    "n_neighbors": int,
    "readout": str,
    "activation": str,
    "sharpness": float,
    "output_init": str,
    "n_spare_units": int,
    "learning_rate_init": float,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _compare(options)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"error: the study needs {error.name}: pip install 'skmetricmlp[study]'",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m skmetricmlp", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "compare",
        help="train the same network from calculated and from random weights",
        description="Train the same network from calculated and from random weights, "
        "for several training-set sizes and seeds, and compare accuracy and time.",
    )
    add = command.add_argument
    add(
        "file", nargs="?", type=Path, help="CSV or Parquet; scikit-learn's digits if none"
    )
    add("--target", metavar="COLUMN", help="column of FILE with the class labels")
    add(
        "--separator", default=",", help="between the columns of a CSV file (%(default)s)"
    )
    add("--sizes", type=_positive, nargs="+", metavar="ROWS", help="training-set sizes")
    add("--seeds", type=_positive, default=5, help="number of seeds (%(default)s)")
    add("--epochs", type=_positive, default=10, help="number of epochs (%(default)s)")
    add("--baseline", default="random", help="init to compare with (%(default)s)")
    add("--batch-size", type=_positive, default=32, help="rows per step (%(default)s)")
    add("--target-accuracy", type=float, help="default: where the baseline ends")
    add("--output", type=Path, metavar="FOLDER", help="default: reports/compare-NAME")
    for name, kind in SETTINGS.items():
        add(
            "--" + name.replace("_", "-"),
            type=kind,
            help=f"{name} of the classifier (its default)",
        )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        msg = f"must be at least 1, got {value}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _compare(options: argparse.Namespace) -> int:
    # Imported here so that a missing extra is reported before any work is done.
    import matplotlib as mpl  # noqa: F401, PLC0415
    from tqdm import tqdm  # noqa: PLC0415

    dataset = _dataset(options)
    settings = {
        name: value for name in SETTINGS if (value := getattr(options, name)) is not None
    }
    settings["batch_size"] = options.batch_size
    with tqdm(desc=dataset.name, unit="run") as bar:

        def track(runs: Sequence[Any]) -> Iterator[Any]:
            bar.reset(total=len(runs))
            for run in runs:
                yield run
                bar.update()

        try:
            curves = compare(
                dataset,
                sizes=options.sizes,
                n_seeds=options.seeds,
                n_epochs=options.epochs,
                starts=("metric", options.baseline),
                settings=settings,
                track=track,
            )
        except (ValueError, TypeError) as error:
            raise DataError(str(error)) from error
    times = time_to_target(curves, options.target_accuracy)
    folder = options.output or Path("reports") / f"compare-{dataset.name}"
    title = (
        f"{dataset.name}: the same network from calculated and {options.baseline} weights"
    )
    paths = write_report(folder, curves, times, title)
    _print_tables(dataset, curves, times, options.seeds)
    print("\nWritten:", *paths, sep="\n  ")
    return 0


def _dataset(options: argparse.Namespace) -> Dataset:
    if options.file is None:
        if options.target is not None:
            msg = "--target names a column of a file, and no file is given"
            raise DataError(msg)
        return load_digits_dataset()
    return read_dataset(options.file, options.target, separator=options.separator)


def _print_tables(dataset: Dataset, curves: Any, times: Any, n_seeds: int) -> None:
    rows, columns = dataset.X.shape
    print(
        f"{dataset.name}: {rows} rows, {columns} columns, "
        f"{dataset.y.nunique()} classes\n\n"
        f"Test accuracy in percent (mean ± deviation over {n_seeds} seeds); "
        f"epoch 0 is untrained\n"
    )
    print(accuracy_table(curves).to_string())
    print(
        "\nEpochs and seconds (calculating the weights included) until the test "
        "accuracy reaches the target\n"
    )
    print(target_table(times).to_string())


if __name__ == "__main__":
    sys.exit(main())
