"""What is in the journal as CSV, JSON lines or Parquet, in constant memory however much it is."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from liquake.errors import ExportError
from liquake.model import Side, market_of
from liquake.storage.reader import JournalReader
from liquake.storage.schema import Row

FIELDS = {
    "time": "when it happened by the venue's clock, UTC, cut to microseconds",
    "venue": "liquake's name of the exchange",
    "instrument": "the exchange's own symbol",
    "asset": "the coin",
    "market": "the coin in dollars over all exchanges: BTCUSDT",
    "side": "the position that was liquidated: LONG or SHORT",
    "price": "in quote currency per quoted unit",
    "price_basis": "what the price is the price of: FILL, BANKRUPTCY, LIMIT or ENTRY",
    "amount": "coins; empty where the contract's multiplier is not known",
    "usd": "dollars; empty where the contract's multiplier is not known",
    "ts_event": "time in UTC nanoseconds since 1970",
    "ts_recv": "when it reached us, UTC nanoseconds since 1970",
    "key": "unique within the exchange",
    "tags": "what has no column, as a JSON list; mostly empty",
}
"""What is exported, in this order."""

_TYPES = {
    **dict.fromkeys(("price", "amount", "usd"), "DOUBLE"),
    **dict.fromkeys(("ts_event", "ts_recv"), "BIGINT"),
}

_encoder = msgspec.json.Encoder()

Progress = Callable[[float], None]
"""Told how much of the journal is done, 0 to 1."""


class Selection(msgspec.Struct, frozen=True):
    """Which liquidations are meant. What is `None` or empty leaves nothing out."""

    start: int | None = None
    """From this event time on, UTC nanoseconds."""
    end: int | None = None
    """Before this one."""
    venues: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    side: Side | None = None
    usd: float | None = None
    """At least so many dollars; those of unknown size are left out."""
    last: int | None = None
    """Up to this `seq` of the journal."""

    def where(self) -> tuple[str, list[Any]]:
        """As SQL over the journal's `events`: a condition and its parameters."""
        parts: list[tuple[str, list[Any]]] = [("1", [])]
        if self.start is not None:
            parts.append(("ts_event >= ?", [self.start]))
        if self.end is not None:
            parts.append(("ts_event < ?", [self.end]))
        if self.last is not None:
            parts.append(("seq <= ?", [self.last]))
        for column, names in (("venue", self.venues), ("asset", self.assets)):
            if names:
                parts.append((f"{column} IN ({','.join('?' * len(names))})", list(names)))
        if self.side is not None:
            parts.append(("side = ?", [str(self.side)]))
        if self.usd is not None:
            parts.append(("usd >= ?", [self.usd]))
        return " AND ".join(condition for condition, _ in parts), [value for _, values in parts for value in values]


def records(reader: JournalReader, selection: Selection, progress: Progress | None = None) -> Iterator[Row]:
    """Values in the order of `FIELDS`, in the order of receipt."""
    where, parameters = selection.where()
    for rows, done in reader.pages(where, parameters):
        for _, venue, key, instrument, asset, side, price, basis, amount, usd, ts_event, ts_recv, _, _, tags in rows:
            moment = _moment(ts_event)
            market = market_of(asset)
            yield (
                moment,
                venue,
                instrument,
                asset,
                market,
                side,
                price,
                basis,
                amount,
                usd,
                ts_event,
                ts_recv,
                key,
                tags,
            )
        if progress is not None:
            progress(done)


def _moment(nanoseconds: int) -> str:
    """Whole microseconds: dividing by a billion would lose the last of them."""
    seconds, rest = divmod(nanoseconds // 1000, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}Z"


def write_csv(rows: Iterable[Row], out: IO[bytes]) -> int:
    """A line of names, then a line for each of `rows`; how many."""
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    try:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(FIELDS)
        count = 0
        for row in rows:
            lines.writerow(row)
            count += 1
        return count
    finally:
        text.detach()


def write_jsonl(rows: Iterable[Row], out: IO[bytes]) -> int:
    """A JSON object on a line for each of `rows`; how many. What is not known is null."""
    names = tuple(FIELDS)
    count = 0
    for row in rows:
        fields = dict(zip(names, row, strict=True))
        fields["tags"] = msgspec.Raw(fields["tags"].encode() if fields["tags"] else b"[]")
        out.write(_encoder.encode(fields) + b"\n")
        count += 1
    return count


def write_parquet(rows: Iterable[Row], path: Path) -> int:
    """A Parquet file at `path` with `time` as a timestamp in UTC; how many rows. Raises `ExportError`.

    By way of a CSV file beside it: DuckDB reads that in a stream, and takes single rows a thousand times slower.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise ExportError("parquet", "duckdb is not installed: pip install 'liquake[duckdb]'") from None
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".csv") as lines:
        count = write_csv(rows, lines.file)
        lines.flush()
        types = ", ".join(f"'{name}': '{_TYPES.get(name, 'VARCHAR')}'" for name in FIELDS)
        columns = ", ".join(name for name in FIELDS if name != "time")
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(
                f"COPY (SELECT make_timestamptz(ts_event // 1000) AS time, {columns}"
                f" FROM read_csv($1, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false,"
                f" nullstr = '', columns = {{{types}}})) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)",
                [lines.name],
            )
    return count


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def export(
    journal: Path, kind: str, target: Path | IO[bytes], selection: Selection, progress: Progress | None = None
) -> int:
    """Write what `selection` means to `target`, a new file or an open stream, as `kind`: csv, jsonl or parquet.

    How many rows. A file appears under its name once it is whole. Raises `ExportError`, `JournalError`.
    """
    with JournalReader(journal) as reader:
        rows = records(reader, selection, progress)
        if not isinstance(target, Path):
            if kind == "parquet":
                raise ExportError("parquet", "it cannot be written to a stream: name a file with --output")
            return (write_csv if kind == "csv" else write_jsonl)(rows, target)
        if target.exists():
            raise ExportError(str(target), "it exists already: give another name, or move it away")
        part = target.with_name(target.name + ".part")
        try:
            count = _write_file(rows, kind, part)
            part.replace(target)
        except OSError as error:
            raise ExportError(str(target), f"{error.strerror or error}: give a file in a folder of yours") from None
        finally:
            part.unlink(missing_ok=True)
    return count


def _write_file(rows: Iterable[Row], kind: str, part: Path) -> int:
    if kind == "parquet":
        return write_parquet(rows, part)
    with part.open("wb") as out:
        return (write_csv if kind == "csv" else write_jsonl)(rows, out)
