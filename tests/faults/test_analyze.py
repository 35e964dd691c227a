"""Two of `liquake analyze` on one stream; the one at work is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from liquake.storage.group import LEASE
from tests.stream import liquidation, listening, send
from tests.unit.storage.conftest import client_of
from tests.waiting import until


@contextmanager
def analyst(url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "liquake", "analyze", "--redis", url, "--exchanges", "okx"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


async def at_work(url: str) -> int:
    """The process that holds the lease; 0 for none."""
    async with client_of(url) as client:
        return int((await client.get(LEASE) or "0").rpartition("-")[2])


async def test_another_goes_on_with_alerts_and_keys_when_the_one_at_work_is_killed(redis: str, tmp_path: Path) -> None:
    async with listening(redis) as told, client_of(redis) as client:
        with ExitStack() as members:
            processes = {process.pid: process for process in (members.enter_context(analyst(redis)) for _ in range(2))}
            await send(redis, tmp_path, [liquidation(1)])
            async with asyncio.timeout(60.0):
                while not await client.exists("velocity:BTCUSDT:current"):
                    await asyncio.sleep(0.02)
            await send(redis, tmp_path, [liquidation(2, usd=3e6)])
            await until(lambda: len(told.large()) == 1)
            killed = await at_work(redis)
            os.kill(killed, signal.SIGKILL)
            processes[killed].wait()
            await send(redis, tmp_path, [liquidation(3, asset="ETH", usd=4e6)])
            await until(lambda: len(told.large()) == 2)
            assert await at_work(redis) in processes.keys() - {killed}
            assert await client.hget("velocity:ALL:current", "60s_events") == "3"
            assert await client.exists("cascade:probability:BTCUSDT")
    assert told.large() == ["BTCUSDT", "ETHUSDT"]
