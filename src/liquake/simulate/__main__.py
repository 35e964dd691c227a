"""The simulated venues as a process of their own, for `liquake demo`.

Prints one line of JSON with the address of each venue when they answer, and serves until its standard input ends, so
that a parent that is killed leaves nothing behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from liquake.errors import LiquakeError
from liquake.simulate.presets import PRESETS
from liquake.simulate.registry import SERVERS
from liquake.simulate.simulation import Simulation


async def serve(scenario: str, seed: int, venues: Sequence[str]) -> None:
    """Serve until standard input ends or SIGTERM comes."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    await loop.connect_read_pipe(lambda: _UntilEnd(over), sys.stdin)
    async with Simulation(scenario, seed, venues, truth=False).serve() as addresses:
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        await over.wait()


class _UntilEnd(asyncio.Protocol):
    def __init__(self, over: asyncio.Event) -> None:
        self._over = over

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._over.set()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m liquake.simulate", description="Simulated venues on loopback.")
    parser.add_argument("--scenario", default="calm", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--venues", nargs="+", default=list(SERVERS))
    chosen = parser.parse_args(arguments)
    try:
        asyncio.run(serve(chosen.scenario, chosen.seed, chosen.venues))
    except LiquakeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
