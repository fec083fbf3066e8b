"""Writing files atomically."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex

__all__ = ["OutputError", "discard_folders", "make_folder", "write_files"]


class OutputError(OSError):
    """A file or a folder cannot be written. The message has its path and the reason."""


def make_folder(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Make a folder if it does not exist, and check that files can be written to it.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Names of the files that will be written. Folders with these names are an error.

    Returns
    -------
    list of Path
        The folders that were made, the outermost first.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to. Folders made before are removed.
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
    """Remove the folders that :func:`make_folder` made if they are empty."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir()


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files to a folder, replacing older ones after all have been written.

    Other processes read either the old files or the new ones. If two processes write
    files with the same names, the files of one of them remain.

    Parameters
    ----------
    folder : Path
        It is made if it does not exist.
    contents : mapping of str to bytes
        The contents by the names of the files.

    Raises
    ------
    OutputError
        If the folder or a file cannot be written. Then the older files are unchanged,
        unless the error occurred while they were replaced.
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
    """Return a path in the folder of a file that no other process uses."""
    return path.with_name(f".{path.name[-40:]}-{os.getpid()}-{token_hex(4)}.tmp")


def _write(path: Path, content: bytes, *, keep: bool = True) -> None:
    try:
        # Mode "x" creates the file, so that a link with its name is not followed.
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    finally:
        if not keep:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time replace files, on systems that can lock a folder."""
    if find_spec("fcntl") is None:
        yield
        return
    import fcntl  # noqa: PLC0415

    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network drives have no locks. There, too, each file is complete.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _cannot_write(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write to {folder}: {error.strerror or error}")
