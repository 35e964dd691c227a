"""The journal under what happens to processes and disks. LIQUAKE_KILLS sets how often a writer is killed (3)."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from liquake.errors import JournalError
from liquake.model import Liquidation
from liquake.storage.journal import Journal
from liquake.storage.reader import JournalReader, read_journal
from tests.unit.storage.events import liquidation

KILLS = int(os.environ.get("LIQUAKE_KILLS", "3"))
LOST_AT_MOST = 250_000_000
"""Nanoseconds of events that may be missing behind the last one recorded."""

# Records 4,000 events a second, received "now", and says after each twenty how many were recorded, when the last of
# them was, and how many are acknowledged.
WRITER = """
import sys, time
from pathlib import Path
from liquake.model import Liquidation, PriceBasis, Side
from liquake.storage.journal import Journal

journal, number = Journal(Path(sys.argv[1])), int(sys.argv[2])
began = number
while True:
    ts = time.time_ns()
    batch = [
        Liquidation("okx", "BTC-USDT-SWAP", "BTC", Side.LONG, 4100.0, PriceBasis.BANKRUPTCY, 0.1, 410.0, ts, ts, id=str(n))
        for n in range(number, number + 20)
    ]
    journal.record(batch, "x" * 300, "public-1")
    number += 20
    sys.stdout.write(f"{number} {ts} {began + journal.statistics().committed}\\n")
    sys.stdout.flush()
    time.sleep(0.005)
"""


class Said(NamedTuple):
    """What the writer said before it was killed."""

    recorded: int
    acknowledged: int
    first_ts: int
    last_ts: int


def killed_at_random(path: Path, first: int) -> Said:
    """Run the writer from event `first` on, and kill it."""
    said = path.with_suffix(".out")
    with (
        said.open("wb") as out,
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)], stdout=out) as writer,
    ):
        deadline = time.monotonic() + 60.0
        while said.stat().st_size == 0:
            assert writer.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(random.uniform(0.05, 0.8))
        writer.send_signal(signal.SIGKILL)
    lines = [tuple(map(int, line)) for line in re.findall(r"(\d+) (\d+) (\d+)\n", said.read_text())]
    recorded, last_ts, acknowledged = lines[-1]
    return Said(recorded, acknowledged, lines[0][1], last_ts)


def test_killed_at_any_moment_it_holds_all_it_acknowledged_and_all_but_the_last_quarter_second(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    first = 0
    for _ in range(KILLS):
        said = killed_at_random(path, first)
        kept = [event for event in read_journal(path) if isinstance(event, Liquidation)]
        new = [int(event.id or 0) for event in kept if event.ts_recv >= said.first_ts]
        assert new == list(range(first, first + len(new)))
        assert first + len(new) >= said.acknowledged
        latest = kept[-1].ts_recv if new else said.first_ts
        assert said.last_ts - latest <= LOST_AT_MOST
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        first += len(new)


# SQLite meets a limit on file size as a full disk.
FULL_DISK = """
import resource, sys
from pathlib import Path
from liquake.errors import JournalError
from liquake.model import Liquidation, PriceBasis, Side
from liquake.storage.journal import Journal

def events(numbers):
    return [
        Liquidation("okx", "BTC-USDT-SWAP", "BTC", Side.LONG, 4100.0, PriceBasis.FILL, None, None, n, n, id=str(n))
        for n in numbers
    ]

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
journal = Journal(Path(sys.argv[1]), capacity=3000)
journal.record(events(range(100)))
journal.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.with_name("journal.db-wal").stat().st_size + 4096, hard))
journal.record(events(range(100, 5100)))
try:
    journal.flush()
except JournalError as error:
    print(error)
held = journal.statistics()
print(held.rows, held.pending, held.dropped, bool(held.trouble))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
journal.flush()
well = journal.statistics()
print(well.rows, well.pending, well.dropped, bool(well.trouble))
journal.close()
"""


def test_a_full_disk_stops_nothing_is_shown_and_what_was_held_is_written_once_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    sentence, full, well = done.stdout.splitlines()
    assert sentence.startswith(f"journal {path}: the disk ")
    assert full == "100 3000 2000 True"
    assert well == "3100 0 2000 False"
    with JournalReader(path) as reader:
        assert reader.counts()["events"] == 3100


def test_a_lock_held_by_another_program_is_shown_and_waited_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.record([liquidation(1)])
        with pytest.raises(JournalError, match="another program holds it locked"):
            journal.flush()
        held = journal.statistics()
        other.execute("ROLLBACK")
        journal.flush()
        well = journal.statistics()
    assert (held.rows, held.pending, well.rows, well.pending, well.trouble) == (0, 1, 1, 0, "")


def test_what_could_not_be_written_by_the_end_is_said(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.record([liquidation(1), liquidation(2)])
        with pytest.raises(JournalError, match="2 events were lost at the end: another program holds it locked"):
            journal.close()
