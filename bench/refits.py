"""For how long a refit of the branching matrix, in its own process, holds up the loop that takes events in.

A task wakes every millisecond and notes how late it is, first alone, then while refits of 20,000 liquidations run. The
difference is theirs; on a machine with few free cores part of it is the scheduler's, not the loop's: `blocked` is the
longest that handing over and taking back held the loop, timed around the calls themselves.

python -m bench.refits [--refits 5]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from random import Random
from statistics import quantiles

from liquake.analytics.refit import refitted
from liquake.engine.engine import Engine
from liquake.model import Coverage, CoverageKind, Liquidation, PriceBasis, Side

SECOND = 1_000_000_000
VENUES = ("binance", "bybit", "hyperliquid", "okx")


def engine_of(events: int) -> Engine:
    """One that has seen `events` in bursts."""
    random, ts = Random(1), 1_780_000_000 * SECOND
    engine = Engine({venue: Coverage(CoverageKind.COMPLETE, "") for venue in VENUES}, watched=())
    for number in range(events):
        ts += round(random.expovariate(5.0 if number // 200 % 2 else 0.5) * SECOND)
        side, usd = random.choice(tuple(Side)), random.lognormvariate(8.0, 1.5)
        venue = random.choice(VENUES)
        event = Liquidation(
            venue, "BTCUSDT", "BTC", side, 1.0, PriceBasis.FILL, usd, usd, ts, ts + SECOND // 10, usd, str(number)
        )
        engine.apply(event)
    return engine


async def lateness(seconds: float) -> list[float]:
    """Milliseconds by which each wake-up was late."""
    late, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        late.append((time.perf_counter() - due) * 1e3)
    return late


async def refits(engine: Engine, pool: ProcessPoolExecutor, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds each took, and for which each held the loop."""
    took, blocked = [], []
    for _ in range(count):
        begun = time.perf_counter()
        waiting = asyncio.get_running_loop().run_in_executor(pool, refitted, engine.recent())
        handed = time.perf_counter()
        found = await waiting
        back = time.perf_counter()
        if found is not None:
            engine.adopt(found)
        blocked.append((handed - begun + time.perf_counter() - back) * 1e3)
        took.append((back - begun) * 1e3)
    return took, blocked


def line(label: str, late: list[float]) -> str:
    """Percentiles of `late` as text."""
    cuts = quantiles(late, n=1000)
    return (
        f"{label:<14} median {cuts[499]:6.2f}  p99 {cuts[989]:6.2f}  p99.9 {cuts[998]:6.2f}  most {max(late):6.2f} ms"
    )


async def measure(count: int) -> None:
    engine = engine_of(20_000)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        starting = asyncio.create_task(asyncio.to_thread(pool.submit, int))
        started = await lateness(1.0)
        await starting
        await refits(engine, pool, 1)
        print(line("alone", await lateness(3.0)))
        running = asyncio.create_task(refits(engine, pool, count))
        late = await lateness(0.2)
        while not running.done():
            late += await lateness(0.2)
        took, blocked = await running
    print(line("with refits", late))
    print(f"refits took {min(took):.0f} to {max(took):.0f} ms; blocked at most {max(blocked):.2f} ms")
    print(line("at its start", started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refits", type=int, default=5)
    asyncio.run(measure(parser.parse_args().refits))


if __name__ == "__main__":
    main()
