from __future__ import annotations

from pathlib import Path

import msgspec

from liquake.alerts.situation import situation_of
from liquake.clock import ManualClock
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.engine.snapshot import Episode, Snapshot
from liquake.model import FeedStatus, Gap, Liquidation, Side
from liquake.model.alert import Alert, AlertRule, Level
from liquake.recall import RECORD, resume
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.storage.reader import JournalReader
from liquake.tui.status import Mode, Status
from tests.unit.alerts.situations import risk
from tests.unit.engine.events import COVERAGES, HOUR, NOON, SECOND, liquidation, price

SETTINGS = Settings()


def run_on(journal: Journal, now: int) -> Run:
    status = Status(Mode.LIVE, "0", now, now)
    return Run(Engine(COVERAGES), ManualClock(now), status, journal, None)


def feed(run: Run, events: list[Liquidation]) -> None:
    for event in events:
        run.receive([event], b"{}", "1", event.ts_recv)


def burst(start: float, count: int) -> list[Liquidation]:
    return [liquidation(start + number / 50.0, usd=900_000.0) for number in range(count)]


def cells(snapshot: Snapshot) -> object:
    return sorted(snapshot.cells, key=str)


async def begun(path: Path, now: int) -> tuple[Run, Journal]:
    journal = Journal(path)
    run = run_on(journal, now)
    run.recalled = await resume(run, journal, SETTINGS)
    return run, journal


async def test_a_restart_shows_the_sums_and_motion_of_one_that_was_never_interrupted(tmp_path: Path) -> None:
    path, now = tmp_path / "journal.db", NOON + 61 * SECOND
    events = [*burst(-7200.0, 40), *burst(0.0, 300)]
    first, journal = await begun(path, NOON)
    feed(first, events)
    journal.close()
    again, journal = await begun(path, now)
    journal.close()
    first.clock = again.clock
    before, after = first.snapshot(), again.snapshot()
    assert again.recalled == 340
    assert cells(after) == cells(before)
    assert after.kinematics["BTCUSDT"][-1].counts == before.kinematics["BTCUSDT"][-1].counts
    assert after.tape == before.tape


async def test_what_a_venue_sends_again_after_a_restart_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    # Two hours old: longer ago than an engine remembers keys for by itself.
    events = [*burst(-7200.0, 40), *burst(0.0, 30)]
    first, journal = await begun(path, NOON)
    feed(first, events)
    journal.close()
    again, journal = await begun(path, NOON + 10 * SECOND)
    feed(again, [msgspec.structs.replace(event, ts_recv=NOON + 11 * SECOND) for event in events])
    journal.flush()
    assert (journal.statistics().rows, journal.statistics().duplicates) == (0, 70)
    journal.close()
    assert again.snapshot().events == 70


async def test_what_a_venue_sends_again_days_later_is_not_shown_as_new_after_a_restart(tmp_path: Path) -> None:
    path, day = tmp_path / "journal.db", 24 * 3600.0
    old = burst(-3 * day, 20)
    with Journal(path) as journal:
        journal.record([*old, *burst(-day / 2, 7)])
    run, journal = await begun(path, NOON)
    feed(run, [msgspec.structs.replace(event, ts_recv=NOON + SECOND) for event in old])
    journal.close()
    snapshot = run.snapshot()
    assert (snapshot.events, len(snapshot.tape)) == (7, 7)


async def test_only_the_last_day_and_the_chosen_exchanges_are_recalled(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record([*burst(-25 * 3600.0, 5), *burst(-23 * 3600.0, 7), liquidation(venue="okx")])
    with Journal(path) as journal:
        run = run_on(journal, NOON)
        assert await resume(run, journal, Settings(exchanges=("bybit",))) == 7


async def test_the_time_nobody_listened_is_a_gap_of_each_venue_on_screen_and_in_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record([liquidation(0.0), price(5.0)])
    run, journal = await begun(path, NOON + HOUR)
    journal.close()
    with JournalReader(path) as reader:
        gaps = [event for event in reader.events() if isinstance(event, Gap | FeedStatus)]
    began = price(5.0).ts_recv
    assert gaps == [Gap("bybit", "", began, NOON + HOUR, "liquake was not running")]
    (venue,) = (venue for venue in run.snapshot().venues if venue.venue == "bybit")
    assert (venue.gaps, venue.gap_seconds) == (1, (NOON + HOUR - began) / 1e9)


async def test_history_raises_no_alarm_and_what_comes_after_it_does(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record([*burst(-3000.0, 2), *burst(0.0, 500)])
    end = NOON + 10 * SECOND
    run, journal = await begun(path, end)
    clock = run.clock
    assert isinstance(clock, ManualClock)
    for _ in range(8):
        clock.advance(1.0)
        run.engine.advance(clock.now())
        run.heed()
    assert list(run.alerts) == []
    assert run.snapshot().notices == ()
    feed(run, [liquidation(19.0, usd=50e6, delay=0.0)])
    clock.advance(2.0)
    run.heed()
    journal.close()
    assert [alert.rule for alert in run.alerts] == [AlertRule.INSTITUTIONAL]
    with JournalReader(path) as reader:
        assert reader.alerts(0) == list(run.alerts)


def alert(ts: int, level: Level = Level.WATCH) -> Alert:
    return Alert(
        key=f"k{ts}",
        rule=AlertRule.CASCADE,
        level=level,
        ts=ts,
        market="BTCUSDT",
        side=Side.LONG,
        text="BTCUSDT",
        inputs={"probability": 0.2},
        coverage="bybit",
    )


def episode(start: int, end: int | None) -> Episode:
    return Episode("BTCUSDT", Side.LONG, start, 1e6, start + SECOND, end, 9, 2e6, {"bybit": 2e6}, 2e6, None)


async def test_alerts_and_episodes_of_the_run_before_are_shown_and_none_of_them_is_open(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    kept = [alert(NOON - RECORD - 1), alert(NOON - HOUR), alert(NOON - SECOND)]
    with Journal(path) as journal:
        journal.note(kept, [episode(NOON - HOUR, NOON - HOUR + 9 * SECOND), episode(NOON - 60 * SECOND, None)])
    run, journal = await begun(path, NOON)
    run.heed()
    journal.close()
    shown = run.snapshot()
    assert run.status().alerts == tuple(kept[1:])
    assert list(run.alerts) == []
    assert [held.start for held in shown.episodes] == [NOON - 60 * SECOND, NOON - HOUR]
    assert [held.end for held in shown.episodes] == [NOON - 59 * SECOND, NOON - HOUR + 9 * SECOND]
    with JournalReader(path) as reader:
        assert all(held.end is not None for held in reader.episodes(0))


async def test_the_matter_of_an_alert_told_a_moment_ago_is_not_told_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.note([alert(NOON - 30 * SECOND, Level.WARNING)], ())
    run, journal = await begun(path, NOON)
    journal.close()
    quiet = situation_of(run.snapshot())
    for level, told in ((Level.WATCH, 0), (Level.WARNING, 0), (Level.CRITICAL, 1)):
        quiet = msgspec.structs.replace(quiet, now=quiet.now + SECOND, risks=(risk(level),))
        assert len(run.notifier.update(quiet)) == told
