"""Reading a table from a file, or saying in one line what is wrong with the file."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from skmetricmlp.study.errors import DataError

__all__ = ["TextFormat", "check_names", "listed", "read_frame", "separator_hint"]

TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat")
PARQUET = (".parquet", ".pq")
COMPRESSED = (".gz", ".bz2", ".xz", ".zip")

#: Of the columns of a file, where no other one is given.
SEPARATORS = {".tsv": "\t", ".tab": "\t"}

#: How a separator may be given, since a tab is hard to type.
WORDS = {"\\t": "\t", "tab": "\t", "space": r"\s+"}

#: Separators that are looked for where another one was taken.
USUAL = (";", "\t", "|", ",")

#: What a file begins with that is none of text in UTF-8.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

#: What unpacking a file may raise that is not whole.
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)

BLOCK = 1 << 20


@dataclass(frozen=True)
class TextFormat:
    """How a text file holds its table; None is what its ending says, or the usual.

    Attributes
    ----------
    separator : str, optional
        Between columns: a tab in ``.tsv`` and ``.tab``, otherwise a comma.
    has_header : bool
    encoding : str, optional
        UTF-8.
    decimal : str, optional
        A point.
    """

    separator: str | None = None
    has_header: bool = True
    encoding: str | None = None
    decimal: str | None = None

    @property
    def given(self) -> list[str]:
        """Options of the command that were given."""
        options = {
            "--separator": self.separator,
            "--no-header": None if self.has_header else True,
            "--encoding": self.encoding,
            "--decimal": self.decimal,
        }
        return [name for name, value in options.items() if value is not None]


def read_frame(path: Path, form: TextFormat) -> pd.DataFrame:
    """Read a text or Parquet file.

    Raises
    ------
    DataError
        Naming the file, what is wrong with it, and the option that helps if there is one.
    """
    _check_file(path)
    kind = _kind(path)
    if kind in PARQUET:
        if form.given:
            msg = f"{form.given[0]} is about CSV files, and {path} is Parquet"
            raise DataError(msg)
        frame = _read_parquet(path)
    else:
        frame = _read_text(path, _completed(form, kind))
    if not len(frame):
        msg = f"{path} has {listed(frame.columns)}, and no rows"
        raise DataError(msg)
    return frame


def check_names(names: list[str], whose: str) -> None:
    """Refuse two columns of one name: one might be the target, and the other a feature.

    Raises
    ------
    DataError
    """
    seen: set[str] = set()
    for name in (name.strip() for name in names):
        if name and name in seen:
            msg = f"{whose} has the column {name!r} named twice: rename or remove one"
            raise DataError(msg)
        seen.add(name)


def listed(columns: Any, most: int = 12, length: int = 40) -> str:
    """Name the first columns.

    Examples
    --------
    >>> listed(["age", "income"]), listed(["age"])
    ('the columns age, income', 'the column age')
    """
    names = [str(name) for name in columns]
    short = [n if len(n) <= length else n[: length - 1] + "…" for n in names[:most]]
    what = "column" if len(names) == 1 else "columns"
    return f"the {what} {', '.join(short)}" + (", ..." if len(names) > most else "")


def separator_hint(path: Path, form: TextFormat) -> str:
    """Suggest another separator if the first line of a text file looks like it.

    Returns
    -------
    str
        ", did you mean ...", or nothing.
    """
    kind = _kind(path)
    if kind in PARQUET:
        return ""
    form = _completed(form, kind)
    try:
        with _opened(path) as file:
            lines = file.read(BLOCK).decode(form.encoding or "", "replace").splitlines()
    except BROKEN:
        return ""
    first, second = [*lines, "", ""][:2]
    taken = form.separator or ""
    counts = {mark: _count(first, mark) for mark in USUAL if mark != taken}
    best = max(counts, key=lambda mark: counts[mark])
    if not counts[best] and not _count(first, taken):
        n_words = len(first.split())
        aligned = n_words > 1 and n_words == len(second.split())
        return " (did you mean --separator space?)" if aligned else ""
    if not counts[best] or _count(first, taken) >= counts[best]:
        return ""
    hint = f"did you mean --separator {_shown(best)}"
    if best == ";" and form.decimal == "." and re.search(r"(^|;)-?\d+,\d+(;|$)", second):
        hint += " --decimal ','"
    return f" ({hint}?)"


def _count(line: str, separator: str) -> int:
    """Count separators outside of quotes."""
    if len(separator) != 1:
        return 0
    cells = next(csv.reader([line[:100_000]], delimiter=separator), [])
    return max(len(cells) - 1, 0)


def _shown(separator: str) -> str:
    return r"'\t'" if separator == "\t" else f"'{separator}'"


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            msg = f"{path} is a directory: give a file in it"
            raise DataError(msg)
        if not path.exists():
            msg = f"no such file: {path}"
            raise DataError(msg)
        if not path.is_file():
            msg = f"{path} is no regular file: save what it gives to a .csv file first"
            raise DataError(msg)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise DataError(msg) from error


def _kind(path: Path) -> str:
    """Return the ending that says what a file is, of ``.csv.gz`` the first."""
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in COMPRESSED:
        endings = endings[:-1]
    kind = endings[-1] if endings else ""
    if kind in TEXT or (kind in PARQUET and path.suffix.lower() == kind):
        return kind
    msg = (
        f"{path} must be a .csv or .parquet file (text may also end in "
        f"{', '.join(TEXT[1:])}, and be compressed as {', '.join(COMPRESSED)}): "
        f"save the table as one of these"
    )
    raise DataError(msg)


def _completed(form: TextFormat, kind: str) -> TextFormat:
    separator = SEPARATORS.get(kind, ",") if form.separator is None else form.separator
    encoding, decimal = form.encoding or "utf-8", form.decimal or "."
    separator = WORDS.get(separator, separator)
    if not separator or "\n" in separator or "\r" in separator:
        msg = (
            f"--separator must be a character or a regular expression, got {separator!r}"
        )
        raise DataError(msg)
    if len(decimal) != 1 or decimal.isalnum() or decimal in {separator, '"', "\n", "\r"}:
        msg = (
            f"--decimal must be one character other than the separator {separator!r}, "
            f"got {decimal!r}"
        )
        raise DataError(msg)
    try:
        "a".encode(encoding)
    except (LookupError, ValueError) as error:
        msg = (
            f"--encoding must name an encoding of text, such as cp1252, got {encoding!r}"
        )
        raise DataError(msg) from error
    return TextFormat(separator, form.has_header, encoding, decimal)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pd.read_parquet(path)
    except ImportError as error:
        msg = "reading Parquet needs pyarrow: pip install 'skmetricmlp[parquet]'"
        raise DataError(msg) from error
    except MemoryError:
        raise
    # A file that is garbled may make pyarrow raise anything.
    except Exception as error:
        msg = f"{path} cannot be read as Parquet: {error}"
        raise DataError(msg) from error
    return frame


def _read_text(path: Path, form: TextFormat) -> pd.DataFrame:
    options: dict[str, Any] = {"sep": form.separator, "encoding": form.encoding}
    if len(form.separator or "") > 1:
        options["engine"] = "python"
    else:
        # A column is numbers or text as a whole, not piece by piece.
        options["low_memory"] = False
    try:
        _check_bytes(path, form)
        if form.has_header:
            _check_header(path, options)
        with _opened(path) as file:
            frame: pd.DataFrame = pd.read_csv(
                file,
                header=0 if form.has_header else None,
                decimal=form.decimal or ".",
                **options,
            )
    except UnicodeError as error:
        raise _not_text(path, form, error) from error
    except pd.errors.EmptyDataError as error:
        msg = f"{path} cannot be read: it is empty"
        raise DataError(msg) from error
    except DataError:
        raise
    except (ValueError, re.error, csv.Error, *BROKEN) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is cut off"
        reason = reason.removeprefix("Error tokenizing data. C error: ")
        msg = f"{path} cannot be read: {reason.strip()}{separator_hint(path, form)}"
        raise DataError(msg) from error
    _check_cells(path, frame, form)
    return frame


def _check_bytes(path: Path, form: TextFormat) -> None:
    """Refuse files that pandas would read as text, and that are none."""
    if (codecs.lookup(form.encoding or "").name).startswith(("utf-16", "utf-32")):
        return
    with _opened(path) as file:
        block = file.read(BLOCK)
        for mark, encoding in MARKS.items():
            if block.startswith(mark):
                msg = f"{path} is {encoding.upper()} text: give --encoding {encoding}"
                raise DataError(msg)
        while block:
            if b"\0" in block:
                msg = (
                    f"{path} has NUL bytes, which are not in text: it is no CSV file, "
                    f"is damaged, or needs --encoding utf-16-le"
                )
                raise DataError(msg)
            block = file.read(BLOCK)


def _check_header(path: Path, options: Mapping[str, Any]) -> None:
    """Look at the names before pandas tells the second of a name from the first."""
    with _opened(path) as file:
        first = pd.read_csv(
            file, header=None, nrows=1, dtype=str, keep_default_na=False, **options
        )
    check_names([str(name) for name in first.iloc[0]], str(path))


def _check_cells(path: Path, frame: pd.DataFrame, form: TextFormat) -> None:
    if not isinstance(frame.index, pd.RangeIndex):
        n_names = frame.shape[1]
        n_cells = n_names + frame.index.nlevels
        msg = (
            f"{path} has rows of {n_cells} cells below a header of {n_names}"
            f"{separator_hint(path, form)}: name each column, or remove what is surplus"
        )
        raise DataError(msg)


def _not_text(path: Path, form: TextFormat, error: UnicodeError) -> DataError:
    where = ""
    if isinstance(error, UnicodeDecodeError):
        where = f" (byte 0x{error.object[error.start]:02x})"
    if form.encoding == "utf-8":
        remedy = "give its encoding, for instance --encoding cp1252 or latin-1"
    else:
        remedy = "give another --encoding"
    return DataError(f"{path} is not {form.encoding} text{where}: {remedy}")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, and unpack it where its ending says so."""
    ending = path.suffix.lower()
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                msg = f"{path} must hold one file, and holds {len(names)}"
                raise DataError(msg)
            with archive.open(names[0]) as file:
                yield file
        return
    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    with openers.get(ending, open)(path, "rb") as file:
        yield file
