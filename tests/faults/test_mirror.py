"""A collector's own screen, and one on its journal in another process: the same numbers."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

from liquake.simulate.simulation import Simulation
from liquake.storage.reader import JournalReader
from tests.processes import endpoints, monitor, said


def kept(journal: Path) -> int:
    with JournalReader(journal) as reader:
        return reader.counts()["events"]


async def ended_well(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_two_processes_have_the_same_numbers_also_after_a_restart_of_the_first(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    simulation = Simulation(seed=5, venues=["okx", "bybit"], rate=80.0)
    mine = ("--exchanges", "okx", "bybit", "--journal", str(journal))
    async with simulation.serve() as addresses:
        told = {"LIQUAKE_ENDPOINTS": endpoints(addresses)}
        async with monitor(tmp_path, "first", *mine, **told) as first:
            while not journal.exists() or kept(journal) < 100:
                await asyncio.sleep(0.1)
            await ended_well(first)
        before = kept(journal)
        async with monitor(tmp_path, "again", *mine, **told) as collector:
            while kept(journal) < before + 100:
                await asyncio.sleep(0.1)
            async with monitor(tmp_path, "mirror", "--source", str(journal)) as mirror:
                halfway = kept(journal)
                while kept(journal) < halfway + 100:
                    await asyncio.sleep(0.1)
                await said(tmp_path / "mirror", "BTCUSDT")
                await ended_well(collector)
                await said(tmp_path / "mirror", "nobody writes it any more")
                await ended_well(mirror)
    theirs, ours = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("again", "mirror"))
    assert theirs["events"] == kept(journal) > before + 200
    # What came twice is in the journal once.
    assert (theirs.pop("duplicates") >= 0, ours.pop("duplicates")) == (True, 0)
    assert ours == theirs
