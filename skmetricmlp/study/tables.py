"""Reading a table from a file, with errors of one line that name the cause."""

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

__all__ = [
    "TextFormat",
    "check_column_names",
    "format_columns",
    "read_frame",
    "separator_hint",
]

TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat")
PARQUET = (".parquet", ".pq")
COMPRESSED = (".gz", ".bz2", ".xz", ".zip")

#: Default separators of text files that are not comma-separated.
SEPARATORS = {".tsv": "\t", ".tab": "\t"}

#: Names of separators, as a tab is hard to type.
SEPARATOR_NAMES = {"\\t": "\t", "tab": "\t", "space": r"\s+"}

#: Separators that an error may suggest.
USUAL_SEPARATORS = (";", "\t", "|", ",")

#: Byte order marks, and the encodings that they identify.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

#: Errors of decompressing a damaged file.
DECOMPRESSION_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)

BLOCK = 1 << 20


@dataclass(frozen=True)
class TextFormat:
    """The format of a text file. None stands for a default.

    Attributes
    ----------
    separator : str, optional
        By default a tab in ``.tsv`` and ``.tab`` files, and a comma otherwise.
    has_header : bool
    encoding : str, optional
        By default UTF-8.
    decimal : str, optional
        By default a point.
    """

    separator: str | None = None
    has_header: bool = True
    encoding: str | None = None
    decimal: str | None = None

    @property
    def given_options(self) -> list[str]:
        """The options of the command that were given."""
        options = {
            "--separator": self.separator,
            "--no-header": None if self.has_header else True,
            "--encoding": self.encoding,
            "--decimal": self.decimal,
        }
        return [name for name, value in options.items() if value is not None]


def read_frame(path: Path, text_format: TextFormat) -> pd.DataFrame:
    """Read a text or Parquet file.

    Raises
    ------
    DataError
        If the file cannot be read. The message names the file, the cause, and an option
        that may help.
    """
    _check_file(path)
    kind = _kind(path)
    if kind in PARQUET:
        if text_format.given_options:
            option = text_format.given_options[0]
            msg = f"{option} applies to CSV files, and {path} is Parquet"
            raise DataError(msg)
        frame = _read_parquet(path)
    else:
        frame = _read_text(path, _with_defaults(text_format, kind))
    if not len(frame):
        msg = f"{path} has {format_columns(frame.columns)}, and no rows"
        raise DataError(msg)
    return frame


def check_column_names(names: list[str], source: str) -> None:
    """Refuse duplicate names of columns, as one might be the target.

    Raises
    ------
    DataError
        If two names are equal, apart from spaces at their ends.
    """
    seen: set[str] = set()
    for name in (name.strip() for name in names):
        if name and name in seen:
            msg = f"{source} has two columns named {name!r}: rename or remove one"
            raise DataError(msg)
        seen.add(name)


def format_columns(columns: Any, most: int = 12, length: int = 40) -> str:
    """Format the names of the first columns.

    Examples
    --------
    >>> format_columns(["age", "income"]), format_columns(["age"])
    ('the columns age, income', 'the column age')
    """
    names = [str(name) for name in columns]
    short = [n if len(n) <= length else n[: length - 1] + "…" for n in names[:most]]
    noun = "column" if len(names) == 1 else "columns"
    return f"the {noun} {', '.join(short)}" + (", ..." if len(names) > most else "")


def separator_hint(path: Path, text_format: TextFormat) -> str:
    """Suggest another separator if the first line of a text file has one.

    Returns
    -------
    str
        " (did you mean ...?)", or an empty string.
    """
    kind = _kind(path)
    if kind in PARQUET:
        return ""
    text_format = _with_defaults(text_format, kind)
    try:
        with _open(path) as file:
            lines = (
                file.read(BLOCK)
                .decode(text_format.encoding or "", "replace")
                .splitlines()
            )
    except DECOMPRESSION_ERRORS:
        return ""
    first, second = [*lines, "", ""][:2]
    used = text_format.separator or ""
    others = [separator for separator in USUAL_SEPARATORS if separator != used]
    counts = {separator: _count(first, separator) for separator in others}
    best = max(counts, key=lambda separator: counts[separator])
    if not counts[best] and not _count(first, used):
        n_words = len(first.split())
        aligned = n_words > 1 and n_words == len(second.split())
        return " (did you mean --separator space?)" if aligned else ""
    if not counts[best] or _count(first, used) >= counts[best]:
        return ""
    hint = f"did you mean --separator {_quote(best)}"
    if (
        best == ";"
        and text_format.decimal == "."
        and re.search(r"(^|;)-?\d+,\d+(;|$)", second)
    ):
        hint += " --decimal ','"
    return f" ({hint}?)"


def _count(line: str, separator: str) -> int:
    """Count the separators of a line that are not inside quotes."""
    if len(separator) != 1:
        return 0
    cells = next(csv.reader([line[:100_000]], delimiter=separator), [])
    return max(len(cells) - 1, 0)


def _quote(separator: str) -> str:
    return r"'\t'" if separator == "\t" else f"'{separator}'"


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            msg = f"{path} is a directory: name a file in it"
            raise DataError(msg)
        if not path.exists():
            msg = f"no such file: {path}"
            raise DataError(msg)
        if not path.is_file():
            msg = f"{path} is not a regular file: save its contents as a .csv file first"
            raise DataError(msg)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise DataError(msg) from error


def _kind(path: Path) -> str:
    """Return the suffix of the format, such as ``.csv`` for ``.csv.gz``."""
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


def _with_defaults(text_format: TextFormat, kind: str) -> TextFormat:
    separator = (
        SEPARATORS.get(kind, ",")
        if text_format.separator is None
        else text_format.separator
    )
    encoding, decimal = text_format.encoding or "utf-8", text_format.decimal or "."
    separator = SEPARATOR_NAMES.get(separator, separator)
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
        msg = f"--encoding must be an encoding of text, such as cp1252, got {encoding!r}"
        raise DataError(msg) from error
    return TextFormat(separator, text_format.has_header, encoding, decimal)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pd.read_parquet(path)
    except ImportError as error:
        msg = "reading Parquet needs pyarrow: pip install 'skmetricmlp[parquet]'"
        raise DataError(msg) from error
    except MemoryError:
        raise
    # pyarrow may raise any exception for a damaged file.
    except Exception as error:
        msg = f"{path} cannot be read as Parquet: {error}"
        raise DataError(msg) from error
    return frame


def _read_text(path: Path, text_format: TextFormat) -> pd.DataFrame:
    options: dict[str, Any] = {
        "sep": text_format.separator,
        "encoding": text_format.encoding,
    }
    if len(text_format.separator or "") > 1:
        options["engine"] = "python"
    else:
        # The type of a column is inferred from all rows, not in chunks.
        options["low_memory"] = False
    try:
        _check_bytes(path, text_format)
        if text_format.has_header:
            _check_header(path, options)
        with _open(path) as file:
            frame: pd.DataFrame = pd.read_csv(
                file,
                header=0 if text_format.has_header else None,
                decimal=text_format.decimal or ".",
                **options,
            )
    except UnicodeError as error:
        raise _not_text(path, text_format, error) from error
    except pd.errors.EmptyDataError as error:
        msg = f"{path} cannot be read: it is empty"
        raise DataError(msg) from error
    except DataError:
        raise
    except (ValueError, re.error, csv.Error, *DECOMPRESSION_ERRORS) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is truncated"
        reason = reason.removeprefix("Error tokenizing data. C error: ")
        msg = (
            f"{path} cannot be read: {reason.strip()}{separator_hint(path, text_format)}"
        )
        raise DataError(msg) from error
    _check_cells(path, frame, text_format)
    return frame


def _check_bytes(path: Path, text_format: TextFormat) -> None:
    """Refuse files that pandas would read, although they are not text."""
    if (codecs.lookup(text_format.encoding or "").name).startswith(("utf-16", "utf-32")):
        return
    with _open(path) as file:
        block = file.read(BLOCK)
        for mark, encoding in BYTE_ORDER_MARKS.items():
            if block.startswith(mark):
                msg = f"{path} is {encoding.upper()} text: use --encoding {encoding}"
                raise DataError(msg)
        while block:
            if b"\0" in block:
                msg = (
                    f"{path} has NUL bytes, which text does not have: it is not a CSV "
                    f"file, is damaged, or needs --encoding utf-16-le"
                )
                raise DataError(msg)
            block = file.read(BLOCK)


def _check_header(path: Path, options: Mapping[str, Any]) -> None:
    """Check the names of the columns before pandas renames duplicates."""
    with _open(path) as file:
        first = pd.read_csv(
            file, header=None, nrows=1, dtype=str, keep_default_na=False, **options
        )
    check_column_names([str(name) for name in first.iloc[0]], str(path))


def _check_cells(path: Path, frame: pd.DataFrame, text_format: TextFormat) -> None:
    if not isinstance(frame.index, pd.RangeIndex):
        n_names = frame.shape[1]
        n_cells = n_names + frame.index.nlevels
        msg = (
            f"{path} has rows of {n_cells} cells below a header of {n_names}"
            f"{separator_hint(path, text_format)}: name all columns, or remove the extra "
            f"cells"
        )
        raise DataError(msg)


def _not_text(path: Path, text_format: TextFormat, error: UnicodeError) -> DataError:
    byte = ""
    if isinstance(error, UnicodeDecodeError):
        byte = f" (byte 0x{error.object[error.start]:02x})"
    if text_format.encoding == "utf-8":
        remedy = "name its encoding, for instance --encoding cp1252 or latin-1"
    else:
        remedy = "use another --encoding"
    return DataError(f"{path} is not {text_format.encoding} text{byte}: {remedy}")


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, and decompress it according to its suffix."""
    ending = path.suffix.lower()
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                msg = f"{path} must contain one file, and contains {len(names)}"
                raise DataError(msg)
            with archive.open(names[0]) as file:
                yield file
        return
    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    with openers.get(ending, open)(path, "rb") as file:
        yield file
