"""Files of a comparison: one page to read, and its figures as tidy tables."""

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

from skmetricmlp.plotting._text import escape_controls as visible
from skmetricmlp.study.compare import Study
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.files import write_files
from skmetricmlp.study.pictures import draw_pictures
from skmetricmlp.study.summary import (
    score_table,
    summarize,
    target_table,
    time_to_target,
)
from skmetricmlp.study.tasks import CLASSES
from skmetricmlp.study.verdict import verdict

__all__ = [
    "TableFormat",
    "counted",
    "mistakes_table",
    "report_names",
    "starts_table",
    "write_report",
]

TableFormat = Literal["csv", "parquet"]

PAGE = "report.html"
TABLES = ("curves", "predictions", "summary", "to_target", "starts")

#: What a formula begins with; a sign that stands alone is none.
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
    """Write a page with the verdict, pictures and tables, and the figures beside it.

    The page is one file: it needs no network and no other file, follows the light or
    dark scheme of whoever reads it, and fits a phone.

    Parameters
    ----------
    folder : str or Path
        Is made if it is not there; files of the same names are replaced, when all are
        written.
    study : Study
    table_format : {"csv", "parquet"}
        Of the tables. Parquet needs pyarrow. In CSV a label that a spreadsheet would take
        as a formula, such as "=1+1", has an apostrophe before it.
    n_jobs : int, optional
        With which the study was carried out, to be mentioned.
    command : str, optional
        That carried it out, to be mentioned.

    Returns
    -------
    list of Path
        "report.html", and the tables "curves", "predictions", "summary",
        "to_target" and "starts".

    Raises
    ------
    DataError
        If ``table_format`` is neither, or pyarrow is not there.
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
    """Return the names of the files of a report, the page first."""
    return [PAGE, *(f"{name}.{table_format}" for name in TABLES)]


def mistakes_table(study: Study) -> pd.DataFrame:
    """Find the most frequent mistakes at the end, with all training rows.

    Returns
    -------
    pandas.DataFrame
        Percent of the rows of a true class that were taken for another, by pairs of
        classes and starts; at most ten rows.
    """
    found, design = study.predictions, study.design
    found = found[
        (found["size"] == design.sizes[-1]) & (found["epoch"] == design.n_epochs)
    ]
    total = found.groupby(["start", "true"])["count"].sum().rename("total")
    wrong = found[found["true"] != found["predicted"]]
    counts = wrong.groupby(["start", "true", "predicted"])["count"].sum().reset_index()
    counts = counts.join(total, on=["start", "true"])
    counts["percent"] = 100 * counts["count"] / counts["total"]
    table = counts.pivot_table("percent", ["true", "predicted"], "start", fill_value=0.0)
    names = [start.name for start in design.starts]
    table = table.reindex(columns=names, fill_value=0.0)
    order = table.max(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order[:MOST_MISTAKES]].rename_axis(columns="start")


def counted(count: int, what: str) -> str:
    """Say how many there are of what.

    Examples
    --------
    >>> counted(1, "column"), counted(1797, "row")
    ('1 column', '1,797 rows')
    """
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def starts_table(study: Study) -> pd.DataFrame:
    """Say which parameters each start was given; all others have their defaults.

    Returns
    -------
    pandas.DataFrame
        A row per start, with the columns ``start``, ``reference``, and one of text for
        each parameter, empty where it was not given.
    """
    rows = [
        {"start": start.name, "reference": start.reference}
        | {name: str(value) for name, value in start.parameters.items()}
        for start in study.design.starts
    ]
    return pd.DataFrame(rows).fillna("")


def _page(study: Study, names: list[str], n_jobs: int | None, command: str | None) -> str:
    # Imported when a page is made: Jinja2 is optional.
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    source = files("skmetricmlp.study").joinpath("report.html.jinja").read_text("utf-8")
    dataset, design = study.dataset, study.design
    rows, columns = dataset.X.shape
    page = environment.from_string(source).render(
        title=f"{dataset.name}: does it matter where a network starts?",
        task=dataset.task,
        subtitle=f"{counted(rows, 'row')}, {counted(columns, 'column')}, "
        f"{_predicted(study)}; {counted(design.n_seeds, 'random split')} with "
        f"{counted(design.n_test, 'test row')} each; "
        f"{counted(design.n_epochs, 'epoch')}",
        verdict=verdict(study),
        uncertainty=_uncertainty(study),
        pictures=draw_pictures(study),
        tables=_tables(study),
        target=_target(study),
        jobs=_jobs(n_jobs),
        largest=design.sizes[-1],
        command=command,
        files=names,
    )
    # Names of the data are text, which does not steer the text around it either.
    return "\n".join(visible(line) for line in page.split("\n"))


def _tables(study: Study) -> dict[str, Any]:
    mistakes = None
    if study.dataset.task == CLASSES:
        mistakes = _html(mistakes_table(study), float_format="{:.1f}".format)
    return {
        "mistakes": mistakes,
        "scores": _html(score_table(study)),
        "target": _html(target_table(study)),
        "starts": _html(starts_table(study), classes="left", index=False),
        "versions": _html(_versions(), classes="left", header=False),
    }


def _html(table: pd.DataFrame, **options: Any) -> Any:
    from markupsafe import Markup  # noqa: PLC0415

    # pandas escapes what is in the cells.
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
        return "There is one split, so nothing can be said about how far others differ."
    return (
        f"Intervals hold with 95 % confidence, over {study.design.n_seeds} random splits "
        "of the same rows: for differences by the t-test that is corrected for "
        "resampling (Nadeau and Bengio, 2003), for ratios of epochs by the bootstrap of "
        "the mean curves."
    )


def _target(study: Study) -> str:
    task, target = study.dataset.task, study.design.target_score
    if target is not None:
        return f"The target is an {task.score_name} of {task.text(target)}."
    references = dict.fromkeys(start.reference for start in study.design.starts)
    return (
        f"The target is the mean {task.score_name} at which the reference ends "
        f"({'; '.join(references)}), for each number of training rows."
    )


def _jobs(n_jobs: int | None) -> str:
    if n_jobs in {None, 1}:
        return "one network after the other"
    return f"with n_jobs={n_jobs}, networks sharing the processors"


def _encoder(table_format: str) -> Callable[[pd.DataFrame], bytes]:
    if table_format == "csv":
        return lambda table: _encoded(_inert(table).to_csv(index=False))
    if table_format != "parquet":
        msg = f'table_format must be "csv" or "parquet", got {table_format!r}'
        raise DataError(msg)
    if find_spec("pyarrow") is None:
        raise DataError("Parquet needs pyarrow: pip install 'skmetricmlp[parquet]'")
    return lambda table: table.to_parquet(None, index=False)


def _inert(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text that a spreadsheet would take as a formula."""

    def cell(value: Any) -> Any:
        if not isinstance(value, str) or not FORMULA.match(value):
            return value
        with suppress(ValueError):
            float(value)
            return value
        return "'" + value

    texts = table.select_dtypes(exclude=["number", "bool"])
    return table.assign(**{str(name): column.map(cell) for name, column in texts.items()})


def _encoded(text: str) -> bytes:
    """Write as UTF-8 also names of files that are none."""
    return text.encode("utf-8", "backslashreplace")
