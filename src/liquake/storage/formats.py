"""Liquidations as CSV, JSON lines and Parquet, in constant memory however many they are."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from liquake.errors import ExportError
from liquake.model import market_of
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
    "size": "as the exchange counts it: contracts, coins or dollars; empty where only amounts are known",
    "id": "the exchange's own, where it has one",
    "tags": "what has no column, as a JSON list; mostly empty",
}
"""What of a liquidation is written, in this order."""

_TYPES = {
    **dict.fromkeys(("price", "amount", "usd", "size"), "DOUBLE"),
    **dict.fromkeys(("seq", "ts_event", "ts_recv"), "BIGINT"),
}

NO_DUCKDB = "duckdb is not installed: pip install 'liquake[duckdb]'"

_encoder = msgspec.json.Encoder()


def record(row: Row) -> Row:
    """Of a row of the journal (as of `schema.COLUMNS`) the values in the order of `FIELDS`."""
    _, venue, key, instrument, asset, side, price, basis, amount, usd, ts_event, ts_recv, size, told, tags = row
    moment, market = _moment(ts_event), market_of(asset)
    return (
        *(moment, venue, instrument, asset, market, side, price, basis, amount, usd, ts_event, ts_recv),
        *(key, size, told, tags),
    )


def _moment(nanoseconds: int) -> str:
    """Whole microseconds: dividing by a billion would lose the last of them."""
    seconds, rest = divmod(nanoseconds // 1000, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}Z"


def write_csv(rows: Iterable[Row], out: IO[bytes], names: Sequence[str] = tuple(FIELDS)) -> int:
    """A line of `names`, then a line for each of `rows`; how many."""
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    try:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(names)
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


def write_parquet(rows: Iterable[Row], path: Path, names: Sequence[str] = tuple(FIELDS)) -> int:
    """A Parquet file at `path` with `time` as a timestamp in UTC; how many rows. Raises `ExportError`.

    By way of a CSV file beside it: DuckDB reads that in a stream, and takes single rows a thousand times slower.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise ExportError("parquet", NO_DUCKDB) from None
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".csv") as lines:
        count = write_csv(rows, lines.file, names)
        lines.flush()
        types = ", ".join(f"'{name}': '{_TYPES.get(name, 'VARCHAR')}'" for name in names)
        columns = ", ".join(name for name in names if name != "time")
        try:
            with duckdb.connect(config={"threads": 1}) as connection:
                connection.execute(
                    f"COPY (SELECT make_timestamptz(ts_event // 1000) AS time, {columns}"
                    f" FROM read_csv($1, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false,"
                    f" nullstr = '', columns = {{{types}}})) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)",
                    [lines.name],
                )
        except duckdb.Error as error:
            raise ExportError(path, f"{str(error).splitlines()[0]}: see that the disk has room") from None
    return count


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
