"""`liquake demo`: simulated venues in a process of their own, over real sockets."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from liquake import app
from liquake.config import Settings
from liquake.errors import SimulatorError, UnknownVenue
from liquake.simulate.presets import find_preset
from liquake.simulate.registry import SERVERS
from liquake.tui.status import Mode
from liquake.venues.registry import ALL, find_venues

SCENARIO = "flash"
SEED = 7
_START = 10.0
"""Seconds the simulator may take to say where its venues are."""


def demo(settings: Settings, scenario: str = SCENARIO, seed: int = SEED) -> int:
    """Watch simulated venues over real sockets on this machine."""
    find_preset(scenario)
    told = msgspec.structs.replace(settings, exchanges=_simulated(settings.exchanges))
    return asyncio.run(_demo(told, scenario, seed))


def _simulated(names: Sequence[str]) -> tuple[str, ...]:
    """The venues asked for, by their own names; of `all`, those that can be simulated. Raises `UnknownVenue`."""
    chosen = [venue.name for venue in find_venues(names)]
    if ALL in names:
        return tuple(name for name in chosen if name in SERVERS)
    for name in chosen:
        if name not in SERVERS:
            raise UnknownVenue(name, SERVERS)
    return tuple(chosen)


async def _demo(settings: Settings, scenario: str, seed: int) -> int:
    async with _simulator(scenario, seed, settings.exchanges) as addresses:
        with tempfile.TemporaryDirectory(prefix="liquake-demo-") as folder:
            # What never happened must not end up among what did, unless a file is named for it.
            journal = settings.journal or str(Path(folder) / "journal.db")
            told = msgspec.structs.replace(settings, journal=journal, redis="", database="")
            lasting = bool(settings.journal)
            return await app.watch(told, Mode.DEMO, addresses, scenario=scenario, seed=seed, lasting=lasting)


@asynccontextmanager
async def _simulator(scenario: str, seed: int, names: Sequence[str]) -> AsyncIterator[dict[str, str]]:
    """Simulated venues in a process of their own: their addresses by venue. They end when we do, however we end."""
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "liquake.simulate", "--scenario", scenario, "--seed", str(seed)),
            *("--venues", *names),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            # Ctrl+C in the terminal is for us to answer; the simulator ends when its standard input does.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START):
                line = await process.stdout.readline()
            if not line:
                complaints.seek(0)
                raise SimulatorError(complaints.read().decode("utf-8", "replace").strip() or "it ended at once")
            yield msgspec.json.decode(line, type=dict[str, str])
        except TimeoutError:
            raise SimulatorError(f"it was not ready within {_START:g} s") from None
        finally:
            process.stdin.close()
            await _gone(process)


async def _gone(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(3.0):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
