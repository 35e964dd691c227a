"""The simulated venues as a child process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from liquake.simulate.registry import SERVERS

DEADLINE = 20.0
SOURCE = Path(__file__).parents[3] / "src"


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[Process]:
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "liquake.simulate", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def addresses(process: Process) -> dict[str, str]:
    assert process.stdout is not None
    found: dict[str, str] = json.loads(await asyncio.wait_for(process.stdout.readline(), DEADLINE))
    return found


async def test_it_prints_where_the_venues_are_and_they_answer() -> None:
    async with child("--scenario", "flash", "--seed", "7", "--venues", "binance", "okx") as process:
        found = await addresses(process)
        assert list(found) == ["binance", "okx"]
        async with aiohttp.ClientSession() as session:
            async with session.get(found["okx"] + "/api/v5/public/instruments?instType=SWAP") as answer:
                assert (await answer.json())["code"] == "0"
            async with session.ws_connect(found["binance"] + "/market/stream?streams=btcusdt@markPrice@1s") as socket:
                message = await asyncio.wait_for(socket.receive_json(), DEADLINE)
        assert message["data"]["s"] == "BTCUSDT"


async def test_it_ends_when_its_input_does() -> None:
    async with child() as process:
        found = await addresses(process)
        assert list(found) == list(SERVERS)
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0


async def test_it_ends_when_told_to_even_with_a_client() -> None:
    async with child("--venues", "bybit") as process, aiohttp.ClientSession() as session:
        found = await addresses(process)
        socket = await session.ws_connect(found["bybit"] + "/v5/public/linear")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
        assert (await asyncio.wait_for(socket.receive(), DEADLINE)).type is aiohttp.WSMsgType.CLOSED


async def test_an_unknown_scenario_is_one_sentence_and_exit_code_two() -> None:
    async with child("--scenario", "tsunami") as process:
        output, errors = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert (process.returncode, output) == (2, b"")
    assert errors.decode().startswith("unknown scenario 'tsunami': choose from calm")
    assert errors.count(b"\n") == 1
