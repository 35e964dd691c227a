"""Recordings: liquidations kept as CSV, and how to tell one from a journal.

The columns `ts_ms, venue, symbol, side, price, base_amount, usd` must be there, `recv_ms` may be, others are ignored.
`side` is the position that was liquidated; an empty `base_amount` or `usd` means not known. Rows stand in the order
in which they were received.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from liquake.errors import RecordingError
from liquake.model import Liquidation, PriceBasis, Side, asset_of
from liquake.model.instrument import unbundle

COLUMNS = ("ts_ms", "venue", "symbol", "side", "price", "base_amount", "usd")
PRICE_BASIS_UNKNOWN = "price-basis-unknown"
"""Tag of a row whose venue is not known: its price then stands as LIMIT, which claims the least of what was paid."""

_NANOSECONDS_PER_MILLISECOND = 1_000_000
_EARLIEST_MS, _LATEST_MS = 1_230_768_000_000, 4_102_444_800_000  # 2009 to 2100
_BACKWARDS = 600 * 1_000_000_000
"""Nanoseconds a row may lie before those above it: prints come late, but a file sorted by coin is no sequence."""

VENUE_NAMES = {
    "binance_usdm": "binance",
    "bybit_linear": "bybit",
    "bybit_inverse": "bybit",
    "okx_swap": "okx",
    "okx_futures": "okx",
}
"""What recordings call a venue, where it is not our name for it."""
_BASES = {
    **dict.fromkeys(
        ("binance", "hyperliquid", "aster", "bitfinex", "deribit", "dydx", "kraken", "lighter"), PriceBasis.FILL
    ),
    **dict.fromkeys(("bybit", "okx", "bitget", "htx"), PriceBasis.BANKRUPTCY),
    **dict.fromkeys(("bitmex", "gate"), PriceBasis.LIMIT),
}
"""What the price is the price of that a venue's stream shows."""
_GZIP, _SQLITE = b"\x1f\x8b", b"SQLite format 3\x00"


def is_journal(path: Path) -> bool:
    """Whether `path` is an SQLite database rather than a CSV file. Raises `RecordingError` when it cannot be read.

    Not for a journal that this process is writing: closing any descriptor of it drops SQLite's locks.
    """
    return _start(path) == _SQLITE


def read_csv(path: Path) -> Iterator[Liquidation]:
    """The liquidations of a .csv or .csv.gz, one by one, in constant memory.

    Raises `RecordingError`: at the call for a file that cannot be read or lacks a column, on the way for a bad row.
    """
    with _opened(path) as file:
        _columns(path, csv.reader(file))
    return _rows(path)


def read_span(path: Path) -> tuple[int, int] | None:
    """When the first and the last row were received, UTC nanoseconds; `None` without rows. Reads the file once through.

    Raises `RecordingError`.
    """
    first: tuple[int, Sequence[str]] | None = None
    last: tuple[int, Sequence[str]] | None = None
    with _opened(path) as file:
        rows = csv.reader(file)
        columns = _columns(path, rows)
        for row in _guarded(path, rows):
            if row:
                last = rows.line_num, row
                first = first or last
    if first is None or last is None:
        return None
    start, end = (_Reader(path, columns).read(line, row).ts_recv for line, row in (first, last))
    return start, end


class _Reader:
    """Makes liquidations of the rows of one file, which it must be given in order."""

    def __init__(self, path: Path, columns: Mapping[str, int]) -> None:
        self._path = path
        self._width = len(columns)
        self._at: Callable[[Sequence[str]], tuple[str, ...]] = _picker(columns)
        self._latest = 0
        self._ordinals = _Ordinals()

    def read(self, line: int, row: Sequence[str]) -> Liquidation:
        """The liquidation in `row`. Raises `RecordingError`."""
        try:
            return self._liquidation(row)
        except ValueError as error:
            raise RecordingError(self._path, f"line {line}: {error}") from None

    def _liquidation(self, row: Sequence[str]) -> Liquidation:
        if len(row) < self._width:
            raise ValueError(f"{len(row)} fields instead of {self._width}: is the file cut off?")
        ts_ms, venue, symbol, side, price, base_amount, usd, recv_ms = self._at(row)
        ts_event = _time("ts_ms", ts_ms)
        ts_recv = _time("recv_ms", recv_ms) if recv_ms.strip() else ts_event
        self._check_order(ts_recv)
        name = VENUE_NAMES.get(venue, venue)
        basis = _BASES.get(name)
        fields = (symbol, side, price, base_amount, usd)
        return Liquidation(
            name,
            symbol,
            asset_in(name, symbol),
            _side(side),
            _price(price),
            basis or PriceBasis.LIMIT,
            _size("base_amount", base_amount),
            _size("usd", usd),
            ts_event,
            ts_recv,
            None,
            "|".join((ts_ms, *fields, str(self._ordinals.next((ts_ms, venue, *fields), ts_recv)))),
            () if basis else (PRICE_BASIS_UNKNOWN,),
        )

    def _check_order(self, ts_recv: int) -> None:
        if self._latest - ts_recv > _BACKWARDS:
            minutes = (self._latest - ts_recv) / 60e9
            raise ValueError(f"{minutes:.0f} minutes before a row above it: sort the rows by time")
        self._latest = max(self._latest, ts_recv)


class _Ordinals:
    """Numbers identical rows, so that each stays an event of its own. Remembers no further than rows may be apart."""

    def __init__(self) -> None:
        self._recent: dict[tuple[str, ...], int] = {}
        self._older: dict[tuple[str, ...], int] = {}
        self._since = 0

    def next(self, row: tuple[str, ...], ts: int) -> int:
        """How many rows identical to `row`, received at `ts`, came before it."""
        if ts - self._since > _BACKWARDS:
            self._older, self._recent, self._since = self._recent, {}, ts
        ordinal = self._recent.get(row, self._older.get(row, 0))
        self._recent[row] = ordinal + 1
        return ordinal


def _rows(path: Path) -> Iterator[Liquidation]:
    with _opened(path) as file:
        rows = csv.reader(file)
        reader = _Reader(path, _columns(path, rows))
        for row in _guarded(path, rows):
            if row:
                yield reader.read(rows.line_num, row)


def _columns(path: Path, rows: Iterator[list[str]]) -> dict[str, int]:
    """Where each column stands. Raises `RecordingError` when one is missing, naming all that are."""
    header = next(_guarded(path, rows), [])
    columns = {name.strip(): index for index, name in enumerate(header)}
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise RecordingError(
            path, f"it lacks the columns {', '.join(missing)}: the first line must name {', '.join(COLUMNS)}"
        )
    return columns


def _picker(columns: Mapping[str, int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    places = [columns[name] for name in COLUMNS]
    received = columns.get("recv_ms")

    def pick(row: Sequence[str]) -> tuple[str, ...]:
        return *(row[place] for place in places), "" if received is None else row[received]

    return pick


def _guarded(path: Path, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """`rows`, with what a damaged file does to its readers said in a sentence."""
    try:
        yield from rows
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RecordingError(path, f"its compression is damaged ({error}): fetch it again") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(path, f"it is not CSV text ({error}): give a .csv, a .csv.gz or a journal") from None
    except OSError as error:
        raise RecordingError(path, f"{error.strerror}: check the path") from None


def _opened(path: Path) -> IO[str]:
    packed = _start(path).startswith(_GZIP)
    if path.suffix == ".gz" and not packed:
        raise RecordingError(path, "it is named .gz but is not gzip data: fetch it again, or name it .csv")
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE))
    except OSError as error:
        raise RecordingError(path, f"{error.strerror}: check the path") from None


def asset_in(venue: str, symbol: str) -> str:
    """The coin that a row's `symbol` names. Raises `ValueError` where it names none."""
    # Hyperliquid's names are bare coins whose case counts: kPEPE is 1,000 PEPE, and "xyz:" names who listed it.
    if venue == "hyperliquid":
        asset: str | None = unbundle(symbol.rpartition(":")[2])[0]
    else:
        # dYdX names what anybody may list after all of a token: "FARTCOIN,RAYDIUM,9BB6...-USD".
        asset = asset_of(symbol.partition(",")[0] if venue == "dydx" else symbol)
    if not asset:
        raise ValueError(f"symbol {symbol!r} names no coin: give the venue's symbol, like BTC-USDT-SWAP")
    return asset


def _side(text: str) -> Side:
    try:
        return Side(text.strip().upper())
    except ValueError:
        raise ValueError(f"side {text!r} is not LONG or SHORT, the position that was liquidated") from None


def _time(column: str, text: str) -> int:
    """Nanoseconds of `text` in milliseconds, whole ones kept exact."""
    try:
        milliseconds: int | float = int(text)
    except ValueError:
        milliseconds = _number(column, text)
    if not _EARLIEST_MS <= milliseconds < _LATEST_MS:
        raise ValueError(f"{column} {text!r} is not a time in milliseconds since 1970")
    return round(milliseconds * _NANOSECONDS_PER_MILLISECOND)


def _price(text: str) -> float:
    price = _number("price", text)
    if price <= 0.0:
        raise ValueError(f"price {text!r} is not above zero")
    return price


def _size(column: str, text: str) -> float | None:
    if not text.strip():
        return None
    size = _number(column, text)
    if size < 0.0:
        raise ValueError(f"{column} {text!r} is below zero: the side says which position it was")
    return size


def _number(column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{column} {text!r} is not a number")
    return number
