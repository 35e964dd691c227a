"""Memory of the engine over millions of events: the resident size must stay where it is once every window is full.

Time is simulated: at the default rate, that of a stormy day, a million events are more than two days. The first million
fills the windows, and the size after it is the one to compare with.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
from pathlib import Path
from time import perf_counter

from liquake.engine.engine import Engine
from liquake.model import Coverage, CoverageKind, Liquidation, Price, PriceBasis, PriceKind, Side

SECOND = 1_000_000_000
START = 1_780_000_000 * SECOND
VENUES = ("binance", "bybit", "okx", "hyperliquid")


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Feed the engine and print its size at each million."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, help="liquidations in all (default %(default)s)")
    parser.add_argument("--markets", type=int, default=200, help="markets they are spread over (default %(default)s)")
    parser.add_argument("--rate", type=float, default=5.0, help="simulated events per second (default %(default)s)")
    arguments = parser.parse_args()
    rng = random.Random(1)
    assets = [f"COIN{number}" for number in range(arguments.markets)]
    engine = Engine({venue: Coverage(CoverageKind.COMPLETE, "") for venue in VENUES})
    time, begun, every = START, perf_counter(), max(1, min(1_000_000, arguments.events // 5))
    print(f"{'events':>12}  {'days':>6}  {'RSS MB':>8}  {'growth':>8}  {'events/s':>9}")
    before = resident()
    print(f"{0:>12,}  {0.0:>6.2f}  {before:>8.1f}")
    for number in range(1, arguments.events + 1):
        time += round(rng.expovariate(arguments.rate) * SECOND)
        # A quarter of the markets make most of the events, as in life.
        asset = assets[int(arguments.markets * rng.random() ** 3)]
        usd, happened = rng.lognormvariate(8.0, 1.5), time - rng.randrange(SECOND // 2)
        side = Side.LONG if rng.random() < 0.5 else Side.SHORT
        venue = VENUES[rng.randrange(4)]
        engine.apply(
            Liquidation(
                venue,
                f"{asset}USDT",
                asset,
                side,
                100.0,
                PriceBasis.FILL,
                usd / 100.0,
                usd,
                happened,
                time,
                usd / 100.0,
                str(number),
            )
        )
        if number % 10 == 0:
            engine.apply(Price(venue, f"{asset}USDT", asset, PriceKind.MARK, 100.0, happened, time))
        if number % every == 0:
            gc.collect()
            now = resident()
            rate = number / (perf_counter() - begun)
            print(
                f"{number:>12,}  {(time - START) / SECOND / 86_400:>6.2f}  {now:>8.1f}  {now - before:>+8.1f}"
                f"  {rate:>9,.0f}",
                flush=True,
            )
            before = now
    print(f"counted {engine.statistics().total.events:,} of {arguments.events:,}")


if __name__ == "__main__":
    main()
