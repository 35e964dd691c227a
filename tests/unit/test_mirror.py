from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from liquake.app import engine_of, models_of
from liquake.clock import ManualClock
from liquake.config import Settings
from liquake.mirror import Mirror
from liquake.model import Event, FeedState, FeedStatus
from liquake.recall import resume
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.storage.sink import ended
from liquake.tui.status import ELSEWHERE, Mode, Status
from liquake.venues import find_venue
from tests.unit.engine.events import NOON, SECOND, liquidation, price

SETTINGS = Settings(exchanges=("binance", "bybit", "okx"), samples=True)
STATUS = Status(Mode.LIVE, "0", NOON, NOON)


async def collector(journal: Journal, clock: ManualClock) -> Run:
    venues = [find_venue(name) for name in SETTINGS.exchanges]
    run = Run(engine_of(venues, SETTINGS, models_of(SETTINGS, Mode.LIVE)), clock, STATUS, journal, None)
    await resume(run, journal, SETTINGS)
    return run


def live(run: Run, clock: ManualClock, events: list[Event], until: float) -> None:
    """Receive `events` at their times, and let a second pass after a second."""
    waiting = sorted(events, key=lambda event: getattr(event, "ts_recv", 0) or getattr(event, "ts", 0))
    while clock.now() < NOON + round(until * SECOND):
        clock.advance(1.0)
        while waiting and (getattr(waiting[0], "ts_recv", 0) or getattr(waiting[0], "ts", 0)) <= clock.now():
            run.receive([waiting.pop(0)], b"{}", "linear-1", clock.now())
        run.engine.advance(clock.now())
        run.heed()


def busy(start: float) -> list[Event]:
    """Two minutes with a burst in them, and prices."""
    quiet = [liquidation(start + 3.0 * n, venue="okx", usd=20_000.0) for n in range(40)]
    loud = [liquidation(start + 70.0 + n / 40.0, usd=400_000.0) for n in range(200)]
    return [*quiet, *loud, *(price(start + n, 60_000.0 - n) for n in range(120))]


@asynccontextmanager
async def mirrored(path: Path, clock: ManualClock) -> AsyncIterator[Mirror]:
    mirror = Mirror(path, Settings(), STATUS, clock)
    looking = asyncio.create_task(mirror.run())
    try:
        async with asyncio.timeout(30.0):
            yield mirror
    finally:
        await ended(looking)


async def come(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def shown(run: Run | Mirror) -> dict[str, object]:
    """What a screen shows that the journal decides."""
    held = run.snapshot()
    return {
        "sums": held.cells,
        "motion": held.kinematics,
        "bursts": held.bursts,
        "activity": held.activity,
        "tape": held.tape,
        "largest": held.largest,
        "prices": held.prices,
        "risks": held.risks,
        "regime": held.regime,
        "dependence": held.dependence,
        "episodes": held.episodes,
        "notices": held.notices,
        "venues": held.venues,
        "events": held.events,
        "alerts": run.status().alerts,
    }


async def test_every_number_is_the_collectors_own_also_after_it_has_begun_anew(tmp_path: Path) -> None:
    path, clock = tmp_path / "journal.db", ManualClock(NOON)
    journal = Journal(path)
    run = await collector(journal, clock)
    live(run, clock, [*busy(0.0), FeedStatus("okx", "public-1", FeedState.SUBSCRIBED, NOON + SECOND, "all")], 60.0)
    journal.flush()
    async with mirrored(path, clock) as mirror:
        await come(lambda: mirror.snapshot().events == run.snapshot().events)
        live(run, clock, busy(60.0), 185.0)
        journal.flush()
        await come(lambda: mirror.snapshot().events == run.snapshot().events)
        clock.advance(2.0)
        run.engine.advance(clock.now())
        await come(lambda: shown(mirror) == shown(run))
        assert run.snapshot().episodes
        assert any(risk.probability is not None for risk in run.snapshot().risks)
        assert run.snapshot().events > 200
        theirs, ours = run.status().journal, mirror.status().journal
        assert theirs is not None
        assert ours is not None
        assert ours.rows == theirs.rows == run.snapshot().events
        assert {mirror.status().redis, mirror.status().database} == {ELSEWHERE}

        journal.close()
        await come(lambda: mirror.snapshot().events == 0)
        gone = mirror.snapshot()
        assert {venue.state for venue in gone.venues} == {FeedState.DISCONNECTED}
        assert "nobody writes it any more" in str(mirror.status().journal)

        clock.advance(30.0)
        journal = Journal(path)
        again = await collector(journal, clock)
        live(again, clock, busy(220.0), 240.0)
        journal.flush()
        await come(lambda: shown(mirror) == shown(again))
        journal.close()
    assert sum(venue.gaps for venue in again.snapshot().venues) == 2


async def test_a_journal_whose_writer_says_nothing_of_itself_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record([liquidation(0.0)])
        journal.flush()
        async with mirrored(path, ManualClock(NOON)) as mirror:
            await come(lambda: "older liquake" in str(mirror.status().journal))
        assert mirror.snapshot().events == 0
