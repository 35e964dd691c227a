"""Wire to state: from a simulated venue's send to the event being in the engine, over loopback sockets.

The venues run in a process of their own and send every event at once in a frame of its own; this process is the real
client with its journal on. Prints percentiles per venue and over all, and whether anything was lost.

    python bench/latency.py [--rate 1000] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from time import time_ns

from liquake.clock import WallClock
from liquake.engine.engine import Engine
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, Liquidation
from liquake.simulate.simulation import Simulation
from liquake.storage.journal import Journal
from liquake.venues import VENUES

NAMES = ("binance", "bybit", "okx")
"""The venues whose totals count; what was measured is the same for all."""


def serve(pipe: Connection, rate: float) -> None:
    """The venues' process: addresses out, then on request what was sent and when."""

    async def run() -> None:
        simulation = Simulation(seed=1, venues=NAMES, rate=rate, throttled=False)
        async with simulation.serve() as addresses:
            pipe.send(addresses)
            await asyncio.to_thread(pipe.recv)
        received = {(event.venue, event.key) for event in simulation.published if event.subscribed}
        # What nobody had subscribed to yet is sent all the same, as a venue's first frame: it is no surprise.
        pipe.send(({key: sent for key, sent in simulation.sent.items() if key in received}, set(simulation.sent)))

    asyncio.run(run())


async def listen(addresses: dict[str, str], seconds: float) -> dict[tuple[str, str], int]:
    """When each event was in the engine, by venue and key."""
    applied: list[tuple[Liquidation, int]] = []
    engine = Engine({venue.name: venue.coverage for venue in VENUES.values()})
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.db") as journal:

        def receive(events: Sequence[Event], frame: bytes, connection: str, _: int) -> None:
            counted = [event for event in events if engine.apply(event)]
            now = time_ns()
            applied.extend((event, now) for event in counted if isinstance(event, Liquidation))
            journal.record(events, frame or None, connection)

        feeds = feeds_of([VENUES[name] for name in NAMES], WallClock(), receive, addresses=addresses)
        listening = asyncio.create_task(supervise(feeds))
        await asyncio.sleep(seconds)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return {(event.venue, event.key): at for event, at in applied}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    told = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, told.rate))
    process.start()
    applied = asyncio.run(listen(ours.recv(), told.seconds))
    ours.send("stop")
    sent: dict[tuple[str, str], int]
    sent, known = ours.recv()
    process.join()
    report(applied, sent, known, told.rate)


def report(
    applied: dict[tuple[str, str], int], sent: dict[tuple[str, str], int], known: set[tuple[str, str]], rate: float
) -> None:
    print(f"{rate:,.0f} events/s over {len(NAMES)} venues; milliseconds from the venue's send to the engine's state")
    print(f"{'venue':<12}{'events':>9}{'p50':>9}{'p90':>9}{'p99':>9}{'worst':>9}")
    for name in (*NAMES, "all"):
        delays = [(applied[key] - at) / 1e6 for key, at in sent.items() if key in applied and name in (key[0], "all")]
        cuts = statistics.quantiles(delays, n=100)
        print(f"{name:<12}{len(delays):>9,}{cuts[49]:>9.3f}{cuts[89]:>9.3f}{cuts[98]:>9.3f}{max(delays):>9.3f}")
    last = max(applied.values())
    lost = [key for key, at in sent.items() if key not in applied and at < last - 1_000_000_000]
    print(f"sent and never applied: {len(lost)}; applied and never sent: {len(set(applied) - known)}")


if __name__ == "__main__":
    main()
