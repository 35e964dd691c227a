"""What the screen costs, on a real pseudo-terminal of 120 by 40 cells.

Three questions: the CPU of one full refresh of the monitor; what part of a core the whole process takes at a refresh of
2 s with 100 events/s; and how long a key waits for its answer while 10,000 events/s come in. A fourth is the time from
the command to the first paint. CPU is that of the process, of all its threads.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import pty
import random
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from liquake.engine.engine import Engine
from liquake.engine.snapshot import Latest, Snapshot
from liquake.garbage import collected
from liquake.model import Coverage, CoverageKind, FeedState, FeedStatus, Liquidation, Price, PriceBasis, PriceKind, Side
from liquake.tui.app import MonitorApp, Options
from liquake.tui.picture import View
from liquake.tui.source import Source
from liquake.tui.status import Mode, Status

SECOND = 1_000_000_000
SIZE = (120, 40)
VENUES = ("binance", "bybit", "okx", "hyperliquid")


class Feed(Source):
    """An engine fed with liquidations of `markets` coins at `rate` per second of the wall, as one loop's task."""

    def __init__(self, markets: int, *, seed: int = 1) -> None:
        self.engine = Engine({venue: Coverage(CoverageKind.COMPLETE, "") for venue in VENUES})
        self._rng, self._coins, self._number = random.Random(seed), [f"COIN{n}" for n in range(markets)], 0
        self.started = time.time_ns()
        for venue in VENUES:
            self.engine.apply(FeedStatus(venue, "main", FeedState.SUBSCRIBED, self.started, "all"))
        self.engine.apply(Price("binance", "BTCUSDT", "BTC", PriceKind.MARK, 60_000.0, self.started, self.started))

    def made(self, count: int) -> Iterator[Liquidation]:
        """That many liquidations of now."""
        rng, now = self._rng, time.time_ns()
        for _ in range(count):
            self._number += 1
            coin, usd = rng.choice(self._coins), rng.lognormvariate(8.0, 1.5)
            yield Liquidation(
                rng.choice(VENUES),
                f"{coin}USDT",
                coin,
                rng.choice((Side.LONG, Side.SHORT)),
                10.0,
                PriceBasis.FILL,
                usd / 10.0,
                usd,
                now,
                now + 1,
                usd / 10.0,
                str(self._number),
            )

    def emit(self, count: int) -> None:
        """Apply so many."""
        for event in self.made(count):
            self.engine.apply(event)

    async def run(self, rate: float, tick: float = 0.02, *, idly: bool = False) -> None:
        """`rate` per second, in portions of one `tick`; `idly` made and thrown away."""
        begun, given = time.monotonic(), 0
        while True:
            await asyncio.sleep(tick)
            due = int((time.monotonic() - begun) * rate)
            if idly:
                deque(self.made(due - given), maxlen=0)
            else:
                self.emit(due - given)
            given = due

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        return self.engine.snapshot(time.time_ns(), markets, charts, largest)

    def latest(self) -> Latest:
        return self.engine.latest()

    def status(self) -> Status:
        return Status(Mode.LIVE, "0", time.time_ns(), self.started)


@contextmanager
def terminal() -> Iterator[int]:
    """Put a pseudo-terminal in place of ours; yields the end that a reader holds, which a thread keeps empty."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    saved = [os.dup(fd) for fd in (0, 1, 2)]
    for fd in (0, 1, 2):
        os.dup2(inner, fd)
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            if select.select([outer], [], [], 0.1)[0]:
                os.read(outer, 1 << 16)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    try:
        yield outer
    finally:
        for fd, before in enumerate(saved):
            os.dup2(before, fd)
            os.close(before)
        over.set()
        reading.join()
        os.close(outer)
        os.close(inner)


async def shown(feed: Feed, rate: float, refresh: float, body: object, page: str = "monitor") -> list[float]:
    """Run the application on `feed` while `body` measures it."""
    app = MonitorApp(feed, Options(refresh=refresh, view=View(page=page)))
    feeding, showing = asyncio.create_task(feed.run(rate)), asyncio.create_task(app.run_async())
    # As beside every run of liquake.
    collecting = asyncio.create_task(collected())
    try:
        await asyncio.sleep(1.5)
        return await body(app)  # type: ignore[operator, no-any-return]
    finally:
        app.exit()
        await showing
        feeding.cancel()
        collecting.cancel()


async def painted(app: MonitorApp) -> None:
    """Wait until everything asked to be drawn has been drawn."""
    done = asyncio.Event()
    app.call_after_refresh(done.set)
    await done.wait()


def refreshes(times: int) -> list[float]:
    """Milliseconds of CPU of full refreshes: a snapshot, all panels, the compositor, the bytes."""

    async def body(app: MonitorApp) -> list[float]:
        costs = []
        for _ in range(times):
            feed.emit(100)
            begun = time.process_time_ns()
            app.look_again()
            await painted(app)
            await painted(app)
            costs.append((time.process_time_ns() - begun) / 1e6)
        return costs

    feed = Feed(20)
    feed.emit(5_000)
    with terminal():
        return asyncio.run(shown(feed, 0.0, 3600.0, body))


def share(seconds: float) -> list[float]:
    """Per cent of a core at a refresh of 2 s with 100 events/s."""

    async def body(_: MonitorApp) -> list[float]:
        begun, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        return [100.0 * (time.process_time() - cpu) / (time.monotonic() - begun)]

    with terminal():
        return asyncio.run(shown(Feed(20), 100.0, 2.0, body))


def feed_alone(seconds: float, *, idly: bool) -> float:
    """Per cent of a core that making up 100 events/s takes, which is not liquake's, and unless `idly` applying them."""

    async def run() -> float:
        feeding = asyncio.create_task(Feed(20).run(100.0, idly=idly))
        begun, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        feeding.cancel()
        return 100.0 * (time.process_time() - cpu) / (time.monotonic() - begun)

    return asyncio.run(run())


def answers(times: int, page: str) -> tuple[list[float], float]:
    """Milliseconds from a key to the end of the repaint that answers it, at 10,000 events/s; events/s that came in."""
    feed = Feed(50)
    counted: list[float] = []

    async def body(app: MonitorApp) -> list[float]:
        waits = []
        start, events = time.monotonic(), feed.engine.latest().arrived
        for _ in range(times):
            await asyncio.sleep(0.1)
            before, begun = app.view.dollars, time.monotonic()
            os.write(keyboard, b"u")
            while app.view.dollars == before:  # noqa: ASYNC110 - nothing tells when a key has come
                await asyncio.sleep(0.001)
            await painted(app)
            waits.append((time.monotonic() - begun) * 1e3)
        counted.append((feed.engine.latest().arrived - events) / (time.monotonic() - start))
        return waits

    with terminal() as keyboard:
        waits = asyncio.run(shown(feed, 10_000.0, 1.0, body, page))
    return waits, counted[0]


def first_paint() -> float:
    """Seconds from the command to the name of the first panel on the terminal."""
    root = Path(__file__).parents[1]
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(root / "src"), "LIQUAKE_JOURNAL": "off"}
    command = [sys.executable, "-m", "liquake", "monitor", "--symbols", "BTC"]
    begun = time.monotonic()
    process = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True
    )
    written = b""
    try:
        while b"VELOCITY" not in written and time.monotonic() - begun < 30.0:
            if select.select([outer], [], [], 0.1)[0]:
                written += os.read(outer, 1 << 16)
        return time.monotonic() - begun
    finally:
        process.kill()
        process.wait()
        os.close(outer)
        os.close(inner)


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="length of the share's measure (default %(default)s)"
    )
    seconds = parser.parse_args().seconds
    os.environ.setdefault("TERM", "xterm-256color")
    costs = refreshes(40)
    print(f"full refresh, 120x40        {median(costs):8.1f} ms CPU median, {max(costs):.1f} worst of {len(costs)}")
    whole, made, fed = share(seconds)[0], feed_alone(seconds, idly=True), feed_alone(seconds, idly=False)
    print(
        f"2 s refresh, 100 events/s   {whole:8.1f} % of a core: {made:.1f} for making the events up, "
        f"{fed - made:.1f} for applying them, {whole - fed:.1f} for the screen"
    )
    for page in ("monitor", "tape"):
        waits, rate = answers(30, page)
        what = f"key at {rate:,.0f} events/s, {page}"
        print(f"{what:<28}{median(waits):8.0f} ms median, {max(waits):.0f} worst of {len(waits)}")
    paints = [first_paint() for _ in range(5)]
    print(f"first paint                 {median(paints):8.2f} s median, {max(paints):.2f} worst of {len(paints)}")


if __name__ == "__main__":
    main()
