"""Reading a table from a file, with errors of one line that name the cause."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
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

#: Separators that are tried.
USUAL_SEPARATORS = (",", ";", "\t", "|")

#: Rows of a text file that the separator and the decimal separator are guessed from.
FIRST_ROWS = 20
MANY_ROWS = 1000

#: Encodings that are tried. Excel in Western Europe writes the second.
USUAL_ENCODINGS = ("utf-8", "cp1252")

#: Numbers with a decimal comma, and those that may stand beside them.
WITH_COMMA = r"[+-]?\d+,\d+([eE][+-]?\d+)?"
THOUSANDS = r"[+-]?\d{1,3}(,\d{3})+"
INTEGER = r"[+-]?\d+"
WITH_POINT = r"[+-]?\d*\.\d+([eE][+-]?\d+)?"

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
    """The format of a text file. What is None is guessed from the file.

    Attributes
    ----------
    separator : str, optional
    has_header : bool
    encoding : str, optional
    decimal : str, optional
    missing : tuple of str
        Cells that count as missing, besides empty ones and "NA", "null" and the like.
    """

    separator: str | None = None
    has_header: bool = True
    encoding: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def given_options(self) -> list[str]:
        """The options of the command that were given."""
        options = {
            "--separator": self.separator,
            "--no-header": None if self.has_header else True,
            "--encoding": self.encoding,
            "--decimal": self.decimal,
            "--missing": self.missing or None,
        }
        return [name for name, value in options.items() if value is not None]

    def describe_guess(self, given: TextFormat, path: Path) -> str:
        """Return the options that say what was guessed, and is unusual for such a file.

        Examples
        --------
        >>> guessed = TextFormat(";", encoding="utf-8", decimal=",")
        >>> guessed.describe_guess(TextFormat(), Path("t.csv"))
        "--separator ';' --decimal ','"
        """
        usual = SEPARATORS.get(_kind(path), ",")
        options = {
            "--separator": (given.separator, self.separator, usual),
            "--encoding": (given.encoding, self.encoding, USUAL_ENCODINGS[0]),
            "--decimal": (given.decimal, self.decimal, "."),
        }
        return " ".join(
            f"{name} {_quote(value)}"
            for name, (given_value, value, usual_value) in options.items()
            if given_value is None and value and value != usual_value
        )


def read_frame(path: Path, given: TextFormat) -> tuple[pd.DataFrame, TextFormat]:
    """Read a text or Parquet file.

    Returns
    -------
    frame : pandas.DataFrame
    text_format : TextFormat
        What was given, and what was guessed for a text file.

    Raises
    ------
    DataError
        If the file cannot be read. The message names the file, the cause, and an option
        that may help.
    """
    _check_file(path)
    kind = _kind(path)
    if kind in PARQUET:
        if given.given_options:
            option = given.given_options[0]
            msg = f"{option} applies to CSV files, and {path} is Parquet"
            raise DataError(msg)
        frame, text_format = _read_parquet(path), given
    else:
        frame, text_format = _read_text(path, given)
    if not len(frame):
        msg = f"{path} has {format_columns(frame.columns)}, and no rows"
        raise DataError(msg)
    return frame, text_format


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
    """Suggest another separator if the first rows of a text file fit one better.

    Returns
    -------
    str
        " (did you mean ...?)", or an empty string.
    """
    if _kind(path) in PARQUET:
        return ""
    try:
        lines = _first_lines(path, text_format.encoding or USUAL_ENCODINGS[0])
    except (*DECOMPRESSION_ERRORS, UnicodeError):
        return ""
    used = text_format.separator or ","
    best = _best_separator(lines[:1], used)
    if best != used:
        return f" (did you mean --separator {_quote(best)}?)"
    first, second = [*lines, "", ""][:2]
    is_one_column = len(used) == 1 and _n_separators(lines[:1], used) in {None, 0}
    n_words = len(first.split())
    if is_one_column and n_words > 1 and n_words == len(second.split()):
        return " (did you mean --separator space?)"
    return ""


def _guess_encoding(path: Path) -> str:
    """Return the encoding of the byte order mark, or the first one that fits."""
    with _open(path) as file:
        start = file.read(4)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    fitting = (encoding for encoding in USUAL_ENCODINGS if _is_text(path, encoding))
    return next(fitting, USUAL_ENCODINGS[0])


def _is_text(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with _open(path) as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _first_lines(path: Path, encoding: str) -> list[str]:
    with _open(path) as file:
        text = io.TextIOWrapper(file, encoding, newline="")
        lines = list(islice(iter(lambda: text.readline(BLOCK), ""), FIRST_ROWS))
        text.detach()
    return lines


def _best_separator(lines: list[str], usual: str) -> str:
    """Return the separator that occurs in all rows alike, and most often.

    Of equals, and without any, it is the usual one.
    """
    candidates = dict.fromkeys([usual, *USUAL_SEPARATORS])
    counts = {separator: _n_separators(lines, separator) or 0 for separator in candidates}
    return max(counts, key=lambda separator: counts[separator])


def _n_separators(lines: list[str], separator: str) -> int | None:
    """Count the separators of a row outside quotes; None if rows differ."""
    if len(separator) != 1:
        return None
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:
        return None
    if len(lines) == FIRST_ROWS:
        rows = rows[:-1]  # The last one may go on in the next line.
    counts = {len(row) - 1 for row in rows}
    return counts.pop() if len(counts) == 1 else None


def _guess_decimal(path: Path, text_format: TextFormat, options: dict[str, Any]) -> str:
    """Return a comma if a column has numbers with one, and none has a point.

    Numbers such as 21,345 alone may have a thousands separator, and do not decide.
    """
    with _open(path) as file:
        cells = pd.read_csv(
            file,
            header=0 if text_format.has_header else None,
            dtype=str,
            nrows=MANY_ROWS,
            **options,
        )
    columns = [column.dropna().str.strip() for _, column in cells.items()]

    def share(column: pd.Series[Any], pattern: str) -> float:
        return float(column.str.fullmatch(pattern).mean()) if len(column) else 0.0

    has_comma = any(
        share(column, f"{WITH_COMMA}|{INTEGER}") > 0.5
        and column.str.fullmatch(WITH_COMMA).any()
        and share(column, f"{THOUSANDS}|{INTEGER}") < 1
        for column in columns
    )
    has_point = any(share(column, WITH_POINT) > 0.5 for column in columns)
    return "," if has_comma and not has_point else "."


def _quote(value: str) -> str:
    if value == "\t":
        return r"'\t'"
    return value if value.replace("-", "").isalnum() else f"'{value}'"


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


def _checked(given: TextFormat) -> TextFormat:
    """Check what was given of the format, and replace names of separators."""
    separator, decimal = given.separator, given.decimal
    if separator is not None:
        separator = SEPARATOR_NAMES.get(separator, separator)
        if not separator or "\n" in separator or "\r" in separator:
            msg = (
                f"--separator must be a character or a regular expression, got "
                f"{separator!r}"
            )
            raise DataError(msg)
    # Commas inside quotes may be decimal separators beside commas that separate.
    refused = {separator, '"', "\n", "\r"} - {","}
    if decimal is not None and (
        len(decimal) != 1 or decimal.isalnum() or decimal in refused
    ):
        msg = f"--decimal must be one character other than the separator, got {decimal!r}"
        raise DataError(msg)
    if given.encoding is not None:
        try:
            "a".encode(given.encoding)
        except (LookupError, ValueError) as error:
            msg = (
                f"--encoding must be an encoding of text, such as cp1252, got "
                f"{given.encoding!r}"
            )
            raise DataError(msg) from error
    return replace(given, separator=separator)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pd.read_parquet(path)
        if any(frame.index.names):
            # pandas saves an index as a column, and makes it the index again.
            frame = frame.reset_index()
    except ImportError as error:
        msg = "reading Parquet needs pyarrow: pip install 'skmetricmlp[study]'"
        raise DataError(msg) from error
    except MemoryError:
        raise
    # pyarrow may raise any exception for a damaged file.
    except Exception as error:
        msg = f"{path} cannot be read as Parquet: {error}"
        raise DataError(msg) from error
    return frame


def _read_text(path: Path, given: TextFormat) -> tuple[pd.DataFrame, TextFormat]:
    text_format = _checked(given)
    try:
        if text_format.encoding is None:
            text_format = replace(text_format, encoding=_guess_encoding(path))
        _check_bytes(path, text_format)
        if text_format.separator is None:
            lines = _first_lines(path, text_format.encoding or "")
            separator = _best_separator(lines, SEPARATORS.get(_kind(path), ","))
            text_format = replace(text_format, separator=separator)
        options = _options(text_format)
        if text_format.has_header:
            _check_header(path, options)
        if text_format.decimal is None:
            decimal = _guess_decimal(path, text_format, options)
            text_format = replace(text_format, decimal=decimal)
        with _open(path) as file:
            frame: pd.DataFrame = pd.read_csv(
                file,
                header=0 if text_format.has_header else None,
                decimal=text_format.decimal or ".",
                na_values=list(text_format.missing),
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
    return frame, text_format


def _options(text_format: TextFormat) -> dict[str, Any]:
    """Return the arguments of pandas that all its readings of a file share."""
    options: dict[str, Any] = {
        "sep": text_format.separator,
        "encoding": text_format.encoding,
    }
    if len(text_format.separator or "") > 1:
        return {**options, "engine": "python"}
    # The type of a column is inferred from all rows, not in chunks.
    return {**options, "low_memory": False}


def _check_bytes(path: Path, text_format: TextFormat) -> None:
    """Refuse files that pandas would read, although they are not text."""
    if (codecs.lookup(text_format.encoding or "").name).startswith(("utf-16", "utf-32")):
        return
    with _open(path) as file:
        while block := file.read(BLOCK):
            if b"\0" in block:
                msg = (
                    f"{path} has NUL bytes, which text does not have: it is not a CSV "
                    f"file, is damaged, or needs --encoding utf-16-le"
                )
                raise DataError(msg)


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
        remedy = "name its encoding, for instance --encoding latin-1 or shift-jis"
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
