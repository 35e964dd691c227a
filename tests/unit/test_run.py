"""What a screen asks of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from liquake.clock import SECOND, ManualClock
from liquake.engine.engine import Engine
from liquake.ingest.replay import Replay
from liquake.model import Coverage, CoverageKind, Event, Liquidation, PriceBasis, Side
from liquake.model.alert import Alert, AlertRule
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.storage.reader import read_journal
from liquake.tui.status import Mode, Status

START = 1_790_000_000 * SECOND
LARGE = 5_000_000.0


def _fresh() -> Engine:
    return Engine({"bybit": Coverage(CoverageKind.COMPLETE, "")})


def _liquidation(number: int, usd: float) -> Liquidation:
    when = START + number * SECOND
    return Liquidation("bybit", "BTCUSDT", "BTC", Side.LONG, 60_000.0, PriceBasis.FILL, usd / 60_000.0, usd, when, when)


def _recording() -> list[Event]:
    return [_liquidation(number, LARGE if number == 20 else 500.0) for number in range(0, 40, 2)]


def _run(events: Sequence[Event], speed: float | None = None) -> Run:
    clock = ManualClock(START)
    run = Run(_fresh(), clock, Status(Mode.REPLAY, "0", START, START), None, None)

    def again() -> Iterator[Event]:
        run.begin_again(_fresh())
        return iter(events)

    async def at_once(seconds: float) -> None:
        passed.append(seconds)

    passed: list[float] = []
    span = START, START + 40 * SECOND
    run.replay = Replay(
        events, run.emit, clock, speed=speed, span=span, again=again, now=lambda: sum(passed), sleep=at_once
    )
    return run


def _told(run: Run) -> list[tuple[AlertRule, int]]:
    alerts: tuple[Alert, ...] = run.status().alerts
    return [(alert.rule, alert.ts) for alert in alerts]


async def test_a_recording_raises_the_same_alerts_at_every_speed() -> None:
    told = []
    for speed in (None, 10.0):
        run = _run(_recording(), speed)
        assert run.replay is not None
        await run.replay.run()
        told.append(_told(run))
    assert told[0] == told[1]
    assert (AlertRule.INSTITUTIONAL, START + 20 * SECOND) in told[0]


async def test_going_back_in_a_recording_takes_its_alerts_back() -> None:
    run = _run(_recording())
    assert run.replay is not None
    await run.replay.run()
    assert _told(run)
    run.begin_again(_fresh())
    assert (_told(run), run.statistics().total.events) == ([], 0)


async def test_where_nobody_looks_at_alerts_none_are_looked_for_and_the_screen_knows() -> None:
    run = _run(_recording())
    run.alerting = False
    assert run.replay is not None
    await run.replay.run()
    assert _told(run) == []


def test_the_speed_of_a_recording_can_be_changed_and_is_told() -> None:
    run = _run(_recording(), 10.0)
    assert run.set_speed(60.0)
    assert run.status().speed == 60.0
    run.replay = None
    assert not run.set_speed(60.0)


class _Failing(Engine):
    def apply(self, event: Event) -> None:
        if isinstance(event, Liquidation) and event.usd == LARGE:
            raise OverflowError("math range error")
        super().apply(event)


async def test_a_fault_of_the_engine_costs_neither_the_feed_nor_what_is_kept_and_is_said(tmp_path: Path) -> None:
    engine = _Failing({"bybit": Coverage(CoverageKind.COMPLETE, "")})
    with Journal(tmp_path / "journal.db") as journal:
        run = Run(engine, ManualClock(START), Status(Mode.LIVE, "0", START, START), journal, None)
        run.receive([_liquidation(0, 500.0), _liquidation(1, LARGE), _liquidation(2, 700.0)], b"{}", "main", START)
        await journal.flushed()
    kept = [event.usd for event in read_journal(tmp_path / "journal.db") if isinstance(event, Liquidation)]
    assert kept == [500.0, LARGE, 700.0]
    assert run.statistics().total.events == 2
    assert run.status().fault == "OverflowError('math range error')"


def test_an_engine_that_cannot_tell_the_time_is_said_and_the_run_goes_on() -> None:
    run = Run(_fresh(), ManualClock(START), Status(Mode.LIVE, "0", START, START), None, None)
    run.engine = None  # type: ignore[assignment]
    run.tend()
    assert "advance" in run.fault
