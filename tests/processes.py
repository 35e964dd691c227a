"""liquake as processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import IO

_PATIENCE = 60.0


def collect(*arguments: str, command: str = "collect", **environment: str) -> AbstractAsyncContextManager[Process]:
    """One at work inside the block, whose output can be read."""
    return _running((command, *arguments), environment, PIPE)


@asynccontextmanager
async def monitor(folder: Path, name: str, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    """A screen as text at work inside the block; what it prints goes to the file called `name`."""
    told = ("monitor", "--plain", "--refresh", "0.3", *arguments, "--export-on-exit", str(folder / f"{name}.json"))
    with (folder / name).open("wb") as out:
        async with _running(told, environment, out) as process:
            yield process


@asynccontextmanager
async def _running(
    arguments: tuple[str, ...], environment: Mapping[str, str], out: int | IO[bytes]
) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "liquake", *arguments), env={**os.environ, **environment}, stdout=out, stderr=out
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(file: Path, text: str) -> None:
    """Wait until `text` is in `file`."""
    while not file.exists() or text not in file.read_text():
        await asyncio.sleep(0.1)


def endpoints(addresses: Mapping[str, str]) -> str:
    return ",".join(f"{venue}={address}" for venue, address in addresses.items())
