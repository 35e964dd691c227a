"""What is kept, in the journal and in its archive, as a file or a stream of another format."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import IO

from liquake.errors import ExportError
from liquake.storage.formats import record, write_csv, write_jsonl, write_parquet
from liquake.storage.kept import Kept
from liquake.storage.schema import Row
from liquake.storage.selection import Selection

Progress = Callable[[float], None]
"""Told how much is done, 0 to 1."""


def _records(kept: Kept, selection: Selection, progress: Progress | None) -> Generator[Row]:
    """Raises `JournalError`: at the call where it cannot be read, before anything is written."""
    pages = kept.pages(selection)
    return _flattened(next(pages, ([], 1.0)), pages, progress)


def _flattened(
    first: tuple[list[Row], float], others: Iterable[tuple[list[Row], float]], progress: Progress | None
) -> Generator[Row]:
    for rows, done in chain((first,), others):
        yield from map(record, rows)
        if progress is not None:
            progress(done)


def export(
    kept: Kept, kind: str, target: Path | IO[bytes], selection: Selection, progress: Progress | None = None
) -> int:
    """Write what `selection` means to `target`, a new file or an open stream, as `kind`: csv, jsonl or parquet.

    How many rows. A file appears under its name once it is whole. Raises `ExportError`, `JournalError`.
    """
    with closing(_records(kept, selection, progress)) as rows:
        if not isinstance(target, Path):
            if kind == "parquet":
                return _copy_parquet(rows, target)
            return (write_csv if kind == "csv" else write_jsonl)(rows, target)
        if target.exists():
            raise ExportError(str(target), "it exists already: give another name, or move it away")
        part = target.with_name(target.name + ".part")
        try:
            count = _write_file(rows, kind, part)
            part.replace(target)
        except OSError as error:
            raise ExportError(str(target), f"{error.strerror or error}: {_mend(error)}") from None
        finally:
            part.unlink(missing_ok=True)
    return count


def _mend(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
    return "make room, or give a file on another disk" if full else "give a file in a folder of yours"


def _copy_parquet(rows: Iterable[Row], out: IO[bytes]) -> int:
    """By way of a file: what Parquet begins with is known only at its end."""
    with tempfile.TemporaryDirectory(prefix="liquake-") as folder:
        part = Path(folder) / "part"
        count = write_parquet(rows, part)
        with part.open("rb") as whole:
            shutil.copyfileobj(whole, out)
    return count


def _write_file(rows: Iterable[Row], kind: str, part: Path) -> int:
    if kind == "parquet":
        return write_parquet(rows, part)
    with part.open("wb") as out:
        return (write_csv if kind == "csv" else write_jsonl)(rows, out)
