"""Kept liquidations as an Arrow stream, which every table library of Python reads without one being needed here."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from liquake.errors import ExportError
from liquake.storage.export import export
from liquake.storage.formats import NO_DUCKDB
from liquake.storage.kept import Kept
from liquake.storage.selection import Selection


class Table:
    """What `selection` means of what is `kept`, as it was when this was made.

    Speaks Arrow's PyCapsule interface (https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html). By
    way of a Parquet file, which is gone when this is. Raises `ExportError`, `JournalError`.
    """

    def __init__(self, kept: Kept, selection: Selection) -> None:
        try:
            import duckdb
        except ModuleNotFoundError:
            raise ExportError("arrow", NO_DUCKDB) from None
        folder = Path(tempfile.mkdtemp(prefix="liquake-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        file = folder / "table.parquet"
        self._rows = export(kept, "parquet", file, selection)
        self._connection = duckdb.connect()
        # Arrow has the zone in its type: that of the machine would make the same table another one elsewhere.
        self._connection.execute("SET TimeZone = 'UTC'")
        self._relation = self._connection.from_parquet(str(file))

    def __len__(self) -> int:
        return self._rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream, anew each time it is asked for."""
        return self._relation.__arrow_c_stream__(requested_schema)
