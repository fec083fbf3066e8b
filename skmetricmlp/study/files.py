"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex

__all__ = ["OutputError", "discard_folders", "make_folder", "write_files"]


class OutputError(OSError):
    """A file or a folder cannot be written; the message says which one, and why."""


def make_folder(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Make a folder where it is missing, and try whether a file can be written there.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Files that will be written; folders of these names are in the way.

    Returns
    -------
    list of Path
        Folders that were made, the outermost first.

    Raises
    ------
    OutputError
        If that is not possible. What was made until then is removed.
    """
    made: list[Path] = []
    try:
        for path in reversed([folder, *folder.parents]):
            if path.is_dir():
                continue
            if path.exists():
                raise NotADirectoryError(None, f"{path} is a file")
            path.mkdir(exist_ok=True)
            made.append(path)
        _write(_draft(folder / "probe"), b"probe", keep=False)
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(None, f"{name} is a folder")
    except OSError as error:
        discard_folders(made)
        raise _cannot_write(folder, error) from error
    return made


def discard_folders(made: Sequence[Path]) -> None:
    """Remove folders that :func:`make_folder` made, as far as nothing is in them."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir()


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files to a folder: they take the place of older ones when all are written.

    Whoever reads them meanwhile sees the old files or the new ones, and two processes
    that write the same names leave the files of one of them.

    Parameters
    ----------
    folder : Path
        Is made if it is not there.
    contents : mapping of str to bytes
        By the names of the files.

    Raises
    ------
    OutputError
        If the folder or a file cannot be written. Older files are then as they were,
        unless only replacing them failed.
    """
    drafts = {name: _draft(folder / name) for name in contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _write(drafts[name], content)
        with _locked(folder):
            for name, draft in drafts.items():
                draft.replace(folder / name)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    """Return a name beside a file that no other process uses."""
    return path.with_name(f".{path.name[-40:]}-{os.getpid()}-{token_hex(4)}.tmp")


def _write(path: Path, content: bytes, *, keep: bool = True) -> None:
    try:
        # Opened anew, so that neither a file nor a link of that name is followed.
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    finally:
        if not keep:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time replace files, where the system can lock a folder."""
    if find_spec("fcntl") is None:
        yield
        return
    import fcntl  # noqa: PLC0415

    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network drives have no locks. Each file is whole there, too.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _cannot_write(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write to {folder}: {error.strerror or error}")
