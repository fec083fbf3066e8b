"""The report of a comparison: an HTML page, and the results as tidy tables."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple
from warnings import catch_warnings

import pandas as pd
from sklearn.base import clone

from skmetricmlp.plotting._text import escape_controls
from skmetricmlp.study.columns import describe_target
from skmetricmlp.study.compare import Study
from skmetricmlp.study.conclusions import conclusions, has_several_settings
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.figures import draw_figures
from skmetricmlp.study.files import write_files
from skmetricmlp.study.progress import format_count
from skmetricmlp.study.runs import Split, split_rows, untrained
from skmetricmlp.study.scores import order_labels
from skmetricmlp.study.summary import (
    is_imbalanced,
    measure_table,
    model_table,
    ranking_table,
    recall_table,
    score_table,
    summarize,
    target_table,
    time_to_target,
)
from skmetricmlp.study.tasks import CLASSES

__all__ = [
    "Cells",
    "TableFormat",
    "mistakes_table",
    "report_names",
    "settings_table",
    "starts_table",
    "write_report",
]

TableFormat = Literal["csv", "parquet"]

PAGE = "report.html"
TABLES = ("curves", "predictions", "summary", "to_target", "starts")

#: Text that a spreadsheet evaluates as a formula. A single sign is no formula.
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠].", re.DOTALL)  # noqa: RUF001

MOST_MISTAKES = 10
#: Rows of a step that shows the learning rates.
BATCH = 32
PACKAGES = ("skmetricmlp", "scikit-learn", "numpy", "scipy", "pandas", "joblib")


def write_report(
    folder: str | Path,
    study: Study,
    *,
    table_format: TableFormat = "csv",
    n_jobs: int | None = None,
    command: str | None = None,
) -> list[Path]:
    """Write a page with conclusions, figures and tables, and the results as files.

    The page is one file that needs neither a network nor other files. It follows the
    reader's light or dark color scheme, and fits the screen of a phone.

    Parameters
    ----------
    folder : str or Path
        The folder is made if it does not exist. Files with the same names are replaced
        after all files have been written.
    study : Study
    table_format : {"csv", "parquet"}
        Format of the tables. Parquet needs pyarrow. In CSV an apostrophe is put before
        labels that a spreadsheet would evaluate as a formula, such as "=1+1".
    n_jobs : int, optional
        The ``n_jobs`` of the study, which is printed on the page.
    command : str, optional
        The command that ran the study, which is printed on the page.

    Returns
    -------
    list of Path
        "report.html", and the tables "curves", "predictions", "summary",
        "to_target" and "starts".

    Raises
    ------
    DataError
        If ``table_format`` is invalid, or needs pyarrow and it is not installed.
    OSError
        If a file cannot be written.
    """
    folder, encode = Path(folder), _encoder(table_format)
    tables = {
        "curves": study.curves,
        "predictions": study.predictions,
        "summary": summarize(study),
        "to_target": time_to_target(study),
        "starts": starts_table(study),
    }
    page, *names = report_names(table_format)
    contents = {page: _encoded(_page(study, names, n_jobs, command))}
    contents |= {
        name: encode(table) for name, table in zip(names, tables.values(), strict=True)
    }
    write_files(folder, contents)
    return [folder / name for name in contents]


def report_names(table_format: TableFormat = "csv") -> list[str]:
    """Return the names of the files of a report. The page is first."""
    return [PAGE, *(f"{name}.{table_format}" for name in TABLES)]


def mistakes_table(study: Study) -> pd.DataFrame:
    """Find the most frequent mistakes of the last epoch, for the largest size.

    Returns
    -------
    pandas.DataFrame
        Percentage of the rows of a true class that were predicted as another class. There
        is one row per pair of classes, at most ten, and one column per start.
    """
    pairs, design = study.predictions, study.design
    pairs = pairs[
        (pairs["size"] == design.sizes[-1]) & (pairs["epoch"] == design.n_epochs)
    ]
    total = pairs.groupby(["start", "true"])["count"].sum().rename("total")
    wrong = pairs[pairs["true"] != pairs["predicted"]]
    counts = wrong.groupby(["start", "true", "predicted"])["count"].sum().reset_index()
    counts = counts.join(total, on=["start", "true"])
    counts["percent"] = 100 * counts["count"] / counts["total"]
    table = counts.pivot_table("percent", ["true", "predicted"], "start", fill_value=0.0)
    names = [start.name for start in design.starts]
    table = table.reindex(columns=names, fill_value=0.0)
    order = table.max(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order[:MOST_MISTAKES]].rename_axis(columns="start")


def starts_table(study: Study) -> pd.DataFrame:
    """List the given parameters of each start. Others have their defaults.

    Returns
    -------
    pandas.DataFrame
        One row per start, with the columns ``start`` and ``reference``, and a column of
        text for each parameter, which is empty for a start without this parameter.
    """
    rows = [
        {"start": start.name, "reference": start.reference}
        | {name: str(value) for name, value in start.parameters.items()}
        for start in study.design.starts
    ]
    return pd.DataFrame(rows).fillna("")


def settings_table(study: Study) -> pd.DataFrame:
    """List the given parameters of each start, and what the default ones amount to.

    Returns
    -------
    pandas.DataFrame
        That of :func:`starts_table`, with the widths of the hidden layers, the learning
        rates of all layers, and the epochs. They are those of the first split with the
        largest number of training rows.
    """
    dataset, design = study.dataset, study.design
    train, _ = split_rows(dataset, Split(design.n_train, design.sizes[-1], 0))
    X = clone(dataset.transformer).fit_transform(dataset.X.iloc[train])
    rows = []
    for start in design.starts:
        model = untrained(dataset.task, start.parameters, 0)
        model.fit(X, dataset.y.iloc[train])
        # The rates of epochs, which differ from those of one fit.
        with catch_warnings(action="ignore"):  # of classes with few rows
            model.partial_fit(X[:BATCH], dataset.y.iloc[train[:BATCH]])
        rates = dict.fromkeys(f"{rate:g}" for rate in model._fit_state.rates)  # noqa: SLF001
        rows.append(
            {
                "start": start.name,
                "hidden units": " + ".join(str(len(b)) for b in model.intercepts_[:-1]),
                "learning rate": ", ".join(rates),
                "epochs": design.n_epochs,
            }
        )
    given = starts_table(study).drop(columns="learning_rate_init", errors="ignore")
    return given.merge(pd.DataFrame(rows), on="start")


def _page(study: Study, names: list[str], n_jobs: int | None, command: str | None) -> str:
    # Jinja2 is optional, so that it is imported only for a page.
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    source = files("skmetricmlp.study").joinpath("report.html.jinja").read_text("utf-8")
    dataset = study.dataset
    page = environment.from_string(source).render(
        title=f"{dataset.name}: does it matter where a network starts?",
        score=study.score,
        subtitle=_subtitle(study),
        conclusions=conclusions(study),
        uncertainty=_uncertainty(study),
        figures=draw_figures(study),
        tables=_tables(study),
        target=_target(study),
        timing=_timing(n_jobs),
        largest=study.design.sizes[-1],
        n_epochs=study.design.n_epochs,
        notes=_notes(study),
        is_imbalanced=is_imbalanced(study),
        command=command,
        reading=_reading(study),
        files=names,
    )
    # Names from the data may have control characters, which are escaped.
    return "\n".join(escape_controls(line) for line in page.split("\n"))


class Cells(NamedTuple):
    """A table of text for the page.

    Attributes
    ----------
    head : list of str
        Names of the columns.
    n_keys : int
        Number of the first columns, which name a row.
    rows : list of lists of str
    """

    head: list[str]
    n_keys: int
    rows: list[list[str]]


def _tables(study: Study) -> dict[str, Cells | None]:
    dataset = study.dataset
    is_classes = dataset.task == CLASSES
    tables: dict[str, pd.DataFrame | None] = {
        "models": None if study.models is None else model_table(study),
        "recalls": recall_table(study) if is_classes else None,
        "ranking": ranking_table(study) if has_several_settings(study) else None,
        "measures": measure_table(study),
        "scores": score_table(study).rename(columns=lambda epoch: f"epoch {epoch}"),
        "target": target_table(study),
        "mistakes": mistakes_table(study).map("{:.1f}".format) if is_classes else None,
        "columns": None
        if dataset.columns is None
        else dataset.columns.set_index("column"),
        "starts": settings_table(study).set_index("start"),
        "versions": _versions(),
    }
    return {
        name: None if table is None or table.empty else _cells(table)
        for name, table in tables.items()
    }


def _cells(table: pd.DataFrame) -> Cells:
    n_keys = table.index.nlevels
    flat = table.reset_index()
    numbers = {"training rows", "missing", "distinct"}
    rows = [
        [
            f"{value:,}" if name in numbers else str(value)
            for name, value in zip(flat.columns, row, strict=True)
        ]
        for row in flat.itertuples(index=False, name=None)
    ]
    return Cells([str(name) for name in flat.columns], n_keys, rows)


def _versions() -> pd.DataFrame:
    system = {
        "Python": platform.python_version(),
        "system": platform.platform(terse=True),
        "processors": str(os.cpu_count()),
    }
    packages = {name: version(name) for name in PACKAGES}
    named = pd.Series({**packages, **system}, name="version")
    return named.rename_axis("package").to_frame()


def _subtitle(study: Study) -> str:
    dataset, design = study.dataset, study.design
    n_rows, n_columns = dataset.X.shape
    rows = format_count(n_rows, "row")
    if dataset.n_available is not None:
        rows += f", a random sample of {dataset.n_available:,}"
    return (
        f"{rows}, {format_count(n_columns, 'column')}, {_predicted(study)}; "
        f"{format_count(design.n_seeds, 'random split')} with "
        f"{format_count(design.n_test, 'test row')} each; "
        f"{format_count(design.n_epochs, 'epoch')}"
    )


def _reading(study: Study) -> str:
    """Describe the target, and what was guessed of the file."""
    dataset = study.dataset
    target = f"Target {describe_target(dataset.y, dataset.task)}."
    guessed = f" Read with {dataset.guessed}, guessed from the file."
    return target + (guessed if dataset.guessed else "")


def _notes(study: Study) -> str:
    """Explain the measures that are not those of all classes."""
    if study.dataset.task != CLASSES:
        return ""
    labels = order_labels(study.dataset.task, study.dataset.y)
    assert labels is not None  # noqa: S101
    of = "the mean over the classes, each against the rest"
    if len(labels) == 2:
        of = f"that of the class “{labels[1]}”, which is the rarer one"
    return (
        "The balanced accuracy is the mean of the recalls of the classes. The average "
        f"precision is {of}."
    )


def _predicted(study: Study) -> str:
    if study.dataset.task == CLASSES:
        return f"{study.dataset.y.nunique():,} classes"
    return f"values from {study.dataset.y.min():.4g} to {study.dataset.y.max():.4g}"


def _uncertainty(study: Study) -> str:
    if study.design.n_seeds == 1:
        return "There is one split, so the uncertainty is unknown."
    return (
        f"The intervals have 95 % confidence, over {study.design.n_seeds} random splits "
        "of the same rows. They are from the t-test corrected for "
        "resampling (Nadeau and Bengio, 2003)."
    )


def _target(study: Study) -> str:
    score, target = study.score, study.design.target_score
    if target is not None:
        return f"The target is the {score.name} {score.text(score.sign * target)}."
    origins = [f"“{name}”" for name in dict.fromkeys(study.design.origins.values())]
    return (
        f"The target is the {score.name} of {' or '.join(origins)} before training, for "
        f"the same number of training rows and the same split."
        + (" Each start has that with the same parameters." if len(origins) > 1 else "")
    )


def _timing(n_jobs: int | None) -> str:
    if n_jobs in {None, 1}:
        return "One network was trained at a time."
    return f"With n_jobs={n_jobs}, networks shared the processors."


def _encoder(table_format: str) -> Callable[[pd.DataFrame], bytes]:
    if table_format == "csv":
        return lambda table: _encoded(_without_formulas(table).to_csv(index=False))
    if table_format != "parquet":
        msg = f'table_format must be "csv" or "parquet", got {table_format!r}'
        raise DataError(msg)
    if find_spec("pyarrow") is None:
        raise DataError("Parquet needs pyarrow: pip install 'skmetricmlp[study]'")
    return lambda table: table.to_parquet(None, index=False)


def _without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text that a spreadsheet would evaluate."""

    def escape(value: Any) -> Any:
        if not isinstance(value, str) or not FORMULA.match(value):
            return value
        with suppress(ValueError):
            float(value)
            return value
        return "'" + value

    texts = table.select_dtypes(exclude=["number", "bool"])
    return table.assign(
        **{str(name): column.map(escape) for name, column in texts.items()}
    )


def _encoded(text: str) -> bytes:
    """Encode as UTF-8, with escapes for names of files that are not valid Unicode."""
    return text.encode("utf-8", "backslashreplace")
