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
from typing import Any, Literal

import pandas as pd

from skmetricmlp.plotting._text import escape_controls
from skmetricmlp.study.compare import Study
from skmetricmlp.study.conclusions import conclusions
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.figures import draw_figures
from skmetricmlp.study.files import write_files
from skmetricmlp.study.summary import (
    model_table,
    score_table,
    summarize,
    target_table,
    time_to_target,
)
from skmetricmlp.study.tasks import CLASSES

__all__ = [
    "TableFormat",
    "format_count",
    "mistakes_table",
    "report_names",
    "starts_table",
    "write_report",
]

TableFormat = Literal["csv", "parquet"]

PAGE = "report.html"
TABLES = ("curves", "predictions", "summary", "to_target", "starts")

#: Text that a spreadsheet evaluates as a formula. A single sign is no formula.
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠].", re.DOTALL)  # noqa: RUF001

MOST_MISTAKES = 10
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


def format_count(count: int, noun: str) -> str:
    """Format a count with its noun in singular or plural.

    Examples
    --------
    >>> format_count(1, "column"), format_count(1797, "row")
    ('1 column', '1,797 rows')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


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


def _page(study: Study, names: list[str], n_jobs: int | None, command: str | None) -> str:
    # Jinja2 is optional, so that it is imported only for a page.
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    source = files("skmetricmlp.study").joinpath("report.html.jinja").read_text("utf-8")
    dataset, design = study.dataset, study.design
    rows, columns = dataset.X.shape
    page = environment.from_string(source).render(
        title=f"{dataset.name}: does it matter where a network starts?",
        task=dataset.task,
        subtitle=f"{format_count(rows, 'row')}, {format_count(columns, 'column')}, "
        f"{_predicted(study)}; {format_count(design.n_seeds, 'random split')} with "
        f"{format_count(design.n_test, 'test row')} each; "
        f"{format_count(design.n_epochs, 'epoch')}",
        conclusions=conclusions(study),
        uncertainty=_uncertainty(study),
        figures=draw_figures(study),
        tables=_tables(study),
        target=_target(study),
        timing=_timing(n_jobs),
        largest=design.sizes[-1],
        command=command,
        files=names,
    )
    # Names from the data may have control characters, which are escaped.
    return "\n".join(escape_controls(line) for line in page.split("\n"))


def _tables(study: Study) -> dict[str, Any]:
    mistakes = None
    if study.dataset.task == CLASSES:
        mistakes = _html(mistakes_table(study), float_format="{:.1f}".format)
    return {
        "mistakes": mistakes,
        "scores": _html(score_table(study)),
        "target": _html(target_table(study)),
        "columns": _columns(study),
        "models": None if study.models is None else _html(model_table(study)),
        "starts": _html(starts_table(study), classes="left", index=False),
        "versions": _html(_versions(), classes="left", header=False),
    }


def _columns(study: Study) -> Any:
    """How the columns were read, if they are not pixels."""
    table = study.dataset.columns
    return None if table is None else _html(table, classes="left", index=False)


def _html(table: pd.DataFrame, **options: Any) -> Any:
    from markupsafe import Markup  # noqa: PLC0415

    # pandas escapes the text of the cells.
    return Markup(table.to_html(border=0, **options))  # noqa: S704


def _versions() -> pd.DataFrame:
    system = {
        "Python": platform.python_version(),
        "system": platform.platform(terse=True),
        "processors": str(os.cpu_count()),
    }
    packages = {name: version(name) for name in PACKAGES}
    return pd.Series({**packages, **system}).to_frame()


def _predicted(study: Study) -> str:
    if study.dataset.task == CLASSES:
        return f"{study.dataset.y.nunique():,} classes"
    return f"values from {study.dataset.y.min():.4g} to {study.dataset.y.max():.4g}"


def _uncertainty(study: Study) -> str:
    if study.design.n_seeds == 1:
        return "There is one split, so the uncertainty is unknown."
    return (
        f"The intervals have 95 % confidence, over {study.design.n_seeds} random splits "
        "of the same rows. Those of differences are from the t-test corrected for "
        "resampling (Nadeau and Bengio, 2003), and those of ratios of epochs from a "
        "bootstrap of the mean curves."
    )


def _target(study: Study) -> str:
    task, target = study.dataset.task, study.design.target_score
    if target is not None:
        return f"The target is an {task.score_name} of {task.text(target)}."
    references = dict.fromkeys(start.reference for start in study.design.starts)
    return (
        f"The target is the last mean {task.score_name} of the reference "
        f"({'; '.join(references)}), for each number of training rows."
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
        raise DataError("Parquet needs pyarrow: pip install 'skmetricmlp[parquet]'")
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
