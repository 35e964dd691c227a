"""Recordings of liquidations in CSV, plain or gzip, as a tape to fit and score on."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from liquake.errors import RecordingError
from liquake.ingest.recording import asset_in, venue_in
from liquake.model import Side
from liquake.model.tape import Source, Tape

_NANOSECONDS_PER_MILLISECOND = 1_000_000
_REQUIRED = ("ts_ms", "venue", "side", "usd")


def read_tape(path: Path, keep: Callable[[str], bool] | None = None) -> Tape:
    """The liquidations of the CSV at `path`: columns ts_ms, venue, side, usd, and n_events where rows group orders.

    `side` is the position that was liquidated and starts with LONG or SHORT. Times are UTC milliseconds. Venues
    come out under liquake's names. With `keep` only rows of the coins that it says yes to, told by the column symbol.
    Raises `RecordingError` when a column is missing or a row cannot be read.
    """
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        rows = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    except (OSError, ValueError, EOFError) as error:
        raise RecordingError(path, str(error)) from error
    required = (*_REQUIRED, "symbol") if keep else _REQUIRED
    missing = [name for name in required if name not in (rows.fieldnames or ())]
    if missing:
        raise RecordingError(path, f"it has no column {', '.join(missing)}")
    every = list(_rows(rows, path, keep))
    sized = [row for row in every if row[2] > 0.0]
    digest = hashlib.sha256(raw).hexdigest()
    return Tape.of_rows(sized, path.name, sha256=digest, unsized=len(every) - len(sized))


def _rows(
    rows: csv.DictReader[str], path: Path, keep: Callable[[str], bool] | None
) -> Iterator[tuple[int, Source, float, int]]:
    for row in rows:
        try:
            usd = float(row["usd"] or 0.0)
            venue = venue_in(row["venue"])
            if keep and not keep(asset_in(venue, row["symbol"])):
                continue
            ts = int(row["ts_ms"]) * _NANOSECONDS_PER_MILLISECOND
            yield ts, Source(venue, _side(row["side"])), usd, int(row.get("n_events") or 1)
        except (ValueError, TypeError, AttributeError) as error:
            raise RecordingError(path, f"line {rows.line_num}: {error}") from error


def _side(text: str) -> Side:
    for side in Side:
        if text.startswith(side.value):
            return side
    raise ValueError(f"side {text!r} is neither LONG nor SHORT")
