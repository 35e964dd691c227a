"""A terminal that is closed under the screen: what was begun goes on, and what cannot go on ends well."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from liquake.storage.reader import JournalReader
from tests.processes import monitor, said
from tests.screens.terminal import DEADLINE, Terminal
from tests.servers import until


@contextmanager
def demo(folder: Path, *arguments: str, controlling: bool = True, deaf: bool = False) -> Iterator[Terminal]:
    """The demo on a terminal inside the block; a `deaf` one was told not to hear of a hang-up, as nohup does."""
    terminal = Terminal(
        before=("sh", "-c", 'trap "" HUP; exec "$@"', "sh") if deaf else (),
        program=("liquake", "demo", "--refresh", "0.3", "--scenario", "saturated", *arguments),
        size=(40, 120),
        environment={"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        controlling=controlling,
    )
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()


def kept(journal: Path) -> int:
    with JournalReader(journal) as reader:
        return reader.counts()["events"]


def logged(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def spent(process: int) -> float:
    """Seconds of processor time a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["screen", "text"])
@pytest.mark.parametrize("controlling", [True, False], ids=["told by a signal", "found out"])
async def test_a_closed_window_leaves_a_collector_that_a_new_screen_attaches_to(
    tmp_path: Path, plain: tuple[str, ...], controlling: bool
) -> None:
    journal, exported = tmp_path / "journal.db", tmp_path / "session.json"
    log = tmp_path / "journal.db.log"
    told = ("--exchanges", "okx", "bybit", "--journal", str(journal), "--export-on-exit", str(exported), *plain)
    with demo(tmp_path, *told, controlling=controlling) as terminal:
        terminal.wait_for(b"BTCUSDT")
        terminal.vanish()
        until(lambda: any(line["event"] == "the terminal is gone" for line in logged(log)), DEADLINE)
        before, began, had = kept(journal), time.monotonic(), spent(terminal.process.pid)
        async with monitor(tmp_path, "mirror", "--source", str(journal)) as mirror:
            async with asyncio.timeout(DEADLINE):
                while kept(journal) < before + 40:
                    await asyncio.sleep(0.1)
            # A thread that reads or writes what is no more there takes a whole core.
            assert spent(terminal.process.pid) - had < 0.6 * (time.monotonic() - began)
            await said(tmp_path / "mirror", "BTCUSDT")
            terminal.process.send_signal(signal.SIGTERM)
            assert terminal.process.wait(DEADLINE) == 0
            await said(tmp_path / "mirror", "nobody writes it any more")
            mirror.send_signal(signal.SIGTERM)
            assert await mirror.wait() == 0
    theirs, ours = (json.loads(file.read_text()) for file in (exported, tmp_path / "mirror.json"))
    assert theirs["events"] == kept(journal) >= before + 40
    # What came twice is in the journal once.
    assert (theirs.pop("duplicates") >= 0, ours.pop("duplicates")) == (True, 0)
    assert theirs.pop("watched_ms") == pytest.approx(ours.pop("watched_ms"), abs=1000)
    # How long was watched, how much of it was heard, and what the last hour must have been, are as of each one's last look.
    for statistics in (theirs, ours):
        assert {hour["venue"] for hour in statistics.pop("last_hour")} <= {"okx"}
        parts = (statistics[name].values() for name in ("coverage", "by_venue", "by_market"))
        for part in (statistics, *chain.from_iterable(parts)):
            part["heard_share"] = round(part["heard_share"], 2)
    assert ours == theirs
    lines = logged(log)
    assert lines[0]["process"] == terminal.process.pid
    assert lines[0]["attach"] == f"liquake monitor --source {journal}"
    assert lines[-1]["event"] == "stopped"
    assert lines[-1]["journal"]["rows"] >= before + 40


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["screen", "text"])
def test_without_a_journal_of_its_own_a_closed_window_is_the_end(tmp_path: Path, plain: tuple[str, ...]) -> None:
    exported = tmp_path / "session.json"
    with demo(tmp_path, "--export-on-exit", str(exported), *plain) as terminal:
        terminal.wait_for(b"BTCUSDT")
        terminal.vanish()
        assert terminal.process.wait(DEADLINE) == 0
    assert json.loads(exported.read_text())["events"] > 0


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    (tmp_path / "journal.db.log").mkdir()
    with demo(tmp_path, "--journal", str(journal)) as terminal:
        terminal.wait_for(b"BTCUSDT")
        terminal.vanish()
        before = kept(journal)
        until(lambda: kept(journal) > before + 20, DEADLINE)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(DEADLINE) == 0


def test_a_program_that_is_not_to_hear_of_a_hang_up_keeps_its_screen(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    with demo(tmp_path, "--journal", str(journal), deaf=True) as terminal:
        terminal.wait_for(b"BTCUSDT")
        terminal.process.send_signal(signal.SIGHUP)
        before = kept(journal)
        while kept(journal) < before + 20:
            terminal.read()
            time.sleep(0.1)
        assert logged(tmp_path / "journal.db.log") == []
        terminal.press(b"q")
        terminal.wait_for(b"FEED HISTORY")
        assert terminal.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["screen", "text"])
def test_a_stopped_terminal_holds_up_no_counting_and_is_right_when_it_goes_on(
    tmp_path: Path, plain: tuple[str, ...]
) -> None:
    journal = tmp_path / "journal.db"
    with demo(tmp_path, "--exchanges", "okx", "bybit", "--journal", str(journal), *plain) as terminal:
        terminal.wait_for(b"BTCUSDT")
        # Of the screen these are keys, of a plain terminal what stops and starts its output.
        terminal.press(b"\x13")
        before = kept(journal)
        while kept(journal) < before + 40:
            terminal.read()
            time.sleep(0.1)
        terminal.written = b""
        terminal.press(b"\x11")
        counted = kept(journal)
        deadline = time.monotonic() + DEADLINE
        while events(terminal.written) < counted:
            assert time.monotonic() < deadline
            terminal.read()
            time.sleep(0.1)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.wait_for(b"FEED HISTORY")
        assert terminal.process.wait(DEADLINE) == 0


def events(written: bytes) -> int:
    """The count in the header last drawn."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode("utf-8", "replace"))
    return int(["0", *re.findall(r"([\d,]+) events", text)][-1].replace(",", ""))


def test_a_terminal_that_takes_no_more_does_not_hold_up_the_end(tmp_path: Path) -> None:
    journal, exported = tmp_path / "journal.db", tmp_path / "session.json"
    with demo(tmp_path, "--journal", str(journal), "--export-on-exit", str(exported)) as terminal:
        terminal.wait_for(b"BTCUSDT")
        # Longer than it takes to fill what stands between the two ends.
        before = kept(journal)
        until(lambda: kept(journal) > before + 60, DEADLINE)
        terminal.process.send_signal(signal.SIGTERM)
        until(exported.exists, DEADLINE)
        assert terminal.process.wait(DEADLINE) == 0
