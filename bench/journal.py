"""Sustained into the journal against bare sqlite3 of the same rows, in the same run.

    python bench/journal.py [--events N] [--rounds N]

Beside it what `record` costs the event loop, and the journal's rate with the interpreter kept busy by another thread,
as an event loop under load keeps it.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from liquake.model import Liquidation, PriceBasis, Side
from liquake.storage.database import CACHE_KIBIBYTES
from liquake.storage.journal import COMMIT_LARGEST, Journal
from liquake.storage.schema import TABLES, event_row, insertion

T = TypeVar("T")
_START = 1_760_000_000_000_000_000


def liquidations(count: int) -> list[Liquidation]:
    """Made-up liquidations over a few markets, one each millisecond."""
    coins = ("BTC", "ETH", "SOL", "DOGE", "XRP", "PEPE", "AVAX")
    return [
        Liquidation(
            "binance",
            f"{coins[i % 7]}USDT",
            coins[i % 7],
            Side.LONG if i % 3 else Side.SHORT,
            100.0 + i % 977,
            PriceBasis.FILL,
            0.25,
            25.0 + i % 977 / 4,
            _START + i * 1_000_000,
            _START + i * 1_000_000 + 40_000_000,
            0.25,
        )
        for i in range(count)
    ]


def journal_rate(folder: Path, events: list[Liquidation], frame: str | None) -> tuple[float, float]:
    """Events per second until committed, and microseconds per event of the recording thread."""
    frames = [events[i : i + 5] for i in range(0, len(events), 5)]
    with Journal(folder / "journal.db", capacity=len(events)) as journal:
        started = time.perf_counter()
        for batch in frames:
            journal.record(batch, frame, "market-1")
        recorded = time.perf_counter()
        journal.flush()
        done = time.perf_counter()
        kept = journal.statistics()
    if kept.rows != len(events) or kept.dropped:
        raise SystemExit(f"the journal holds {kept.rows} of {len(events)} events")
    return len(events) / (done - started), (recorded - started) / len(events) * 1e6


def bare_rate(folder: Path, events: list[Liquidation]) -> float:
    """Rows per second of `executemany`, the rows ready made, in transactions of the journal's size."""
    rows = [event_row(seq, event, None) for seq, event in enumerate(events, 1)]
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
    for table in TABLES:
        connection.execute(table)
    started = time.perf_counter()
    for start in range(0, len(rows), COMMIT_LARGEST):
        connection.execute("BEGIN")
        connection.executemany(insertion("events", 1), rows[start : start + COMMIT_LARGEST])
        connection.execute("COMMIT")
    done = time.perf_counter()
    connection.close()
    return len(events) / (done - started)


@contextmanager
def busy_interpreter() -> Iterator[None]:
    """Another thread that never lets go of the interpreter by itself."""
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def in_new_folder(measure: Callable[[Path], T]) -> T:
    """`measure` in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    events = liquidations(arguments.events)
    frame = '{"e":"forceOrder","E":1760000000000,"o":{"s":"BTCUSDT","S":"SELL","q":"0.25","p":"100"}}' * 2

    bare, plain, framed, cost = [], [], [], []
    for _ in range(arguments.rounds):
        bare.append(in_new_folder(lambda folder: bare_rate(folder, events)))
        plain.append(in_new_folder(lambda folder: journal_rate(folder, events, None))[0])
        rate, microseconds = in_new_folder(lambda folder: journal_rate(folder, events, frame))
        framed.append(rate)
        cost.append(microseconds)
    base = statistics.median(bare)
    print(f"{arguments.events:,} events, median of {arguments.rounds} rounds, SQLite {sqlite3.sqlite_version}")
    print(f"bare executemany, ready rows     {base:>10,.0f} rows/s")
    for name, rates in (("journal, events alone", plain), ("journal, with a frame per five", framed)):
        rate = statistics.median(rates)
        print(f"{name:<32} {rate:>10,.0f} events/s   {rate / base:.2f} of bare")
    print(f"record, on the event loop        {statistics.median(cost):>10.2f} us/event")

    few = events[: max(arguments.events // 100, 1000)]
    with busy_interpreter():
        busy = [in_new_folder(lambda folder: journal_rate(folder, few, frame))[0] for _ in range(arguments.rounds)]
    print(f"the same beside a busy thread    {statistics.median(busy):>10,.0f} events/s")


if __name__ == "__main__":
    main()
