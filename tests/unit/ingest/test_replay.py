from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from liquake.clock import SECOND, ManualClock
from liquake.errors import SettingError
from liquake.ingest.replay import Replay
from liquake.model import DecodeError, Event, FeedState, FeedStatus, Gap, Price, PriceKind

START = 1_760_000_000 * SECOND


class Wall:
    """The wall's time, which passes only while somebody sleeps; `during` is called at each sleep."""

    def __init__(self, during: Callable[[], None] = lambda: None) -> None:
        self.time = 0.0
        self.yields = 0
        self._during = during

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self._during()
        self.time += seconds
        self.yields += seconds == 0.0
        await asyncio.sleep(0)


async def turns(count: int) -> None:
    """Let the other tasks have `count` turns."""
    for _ in range(count):
        await asyncio.sleep(0)


def price(seconds: float) -> Price:
    ts = START + round(seconds * SECOND)
    return Price("okx", "BTC-USDT-SWAP", "BTC", PriceKind.MARK, 4100.0, ts, ts)


def replay(
    events: list[Event],
    wall: Wall,
    speed: float | None,
    *,
    tick: float = 0.05,
    back: bool = False,
) -> tuple[Replay, ManualClock, list[tuple[Event, int]]]:
    """A replay of `events` and what it gives out, each with the clock at the time."""
    clock = ManualClock()
    given: list[tuple[Event, int]] = []
    tape = Replay(
        events,
        lambda event: given.append((event, clock.now())),
        clock,
        speed=speed,
        span=(START, START + 60 * SECOND),
        again=again(given) if back else None,
        tick=tick,
        now=wall.now,
        sleep=wall.sleep,
    )
    return tape, clock, given


EVENTS: list[Event] = [
    FeedStatus("okx", "public-1", FeedState.CONNECTED, START),
    price(0.5),
    price(0.5),
    price(20.0),
    price(19.0),
    Gap("okx", "public-1", START + 20 * SECOND, START + 41 * SECOND, "connection lost"),
    DecodeError("okx", "public-1", START + 42 * SECOND, "not JSON", b"{"),
    price(60.0),
]
CLOCK = [START + round(seconds * SECOND) for seconds in (0.0, 0.5, 0.5, 20.0, 20.0, 41.0, 42.0, 60.0)]


@pytest.mark.parametrize("speed", [None, 1.0, 7.3, 60.0, 1e6])
async def test_the_same_comes_out_at_the_same_moments_at_every_speed(speed: float | None) -> None:
    tape, _, given = replay(EVENTS, Wall(), speed)
    await tape.run()
    assert given == list(zip(EVENTS, CLOCK, strict=True))
    assert tape.progress == 1.0


@pytest.mark.parametrize(("speed", "seconds"), [(None, 0.0), (1.0, 60.0), (60.0, 1.0), (0.5, 120.0)])
async def test_it_takes_the_recordings_time_by_the_speed(speed: float | None, seconds: float) -> None:
    wall = Wall()
    tape, _, _ = replay(EVENTS, wall, speed)
    await tape.run()
    assert wall.time == pytest.approx(seconds, abs=1e-6)


async def test_the_clock_moves_on_between_events() -> None:
    seen: list[int] = []
    clock = ManualClock()
    wall = Wall(lambda: seen.append(clock.now()))
    events = [price(0.0), price(1.0)]
    await Replay(events, lambda _: None, clock, speed=2.0, tick=0.1, now=wall.now, sleep=wall.sleep).run()
    assert [(moment - START) / SECOND for moment in seen] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8], abs=1e-6)


async def test_the_clock_never_passes_an_event_not_given_out_nor_runs_back() -> None:
    clock = ManualClock()
    seen: list[int] = []
    wall = Wall(lambda: seen.append(clock.now()))
    events: list[Event] = [price(seconds) for seconds in (0.0, 0.33, 0.2, 0.34, 5.0)]
    given: list[tuple[int, int]] = []

    def emit(event: Event) -> None:
        seen.append(clock.now())
        given.append((event.ts_recv if isinstance(event, Price) else 0, clock.now()))

    await Replay(events, emit, clock, speed=3.0, tick=0.07, now=wall.now, sleep=wall.sleep).run()
    assert seen == sorted(seen)
    assert all(shown >= due for due, shown in given)


async def test_at_full_speed_the_loop_still_has_its_turn() -> None:
    wall = Wall()
    tape, _, given = replay([price(0.0)] * 1000, wall, None)
    await tape.run()
    assert len(given) == 1000
    assert wall.yields >= 3


async def test_a_burst_of_one_moment_lets_the_loop_have_its_turn_too() -> None:
    wall = Wall()
    tape, _, _ = replay([price(0.0)] * 1000, wall, 1.0)
    await tape.run()
    assert wall.yields >= 3


async def test_it_falls_behind_a_slow_reader_and_catches_up() -> None:
    wall = Wall()
    clock = ManualClock()
    given: list[float] = []

    def emit(event: Event) -> None:
        given.append(wall.time)
        wall.time += 3.0 if len(given) == 1 else 0.0

    events = [price(0.0), price(1.0), price(2.0), price(10.0)]
    await Replay(events, emit, clock, speed=1.0, now=wall.now, sleep=wall.sleep).run()
    assert given == pytest.approx([0.0, 3.0, 3.0, 10.0], abs=1e-6)


async def test_a_pause_holds_the_clock_and_costs_no_events() -> None:
    wall = Wall()
    tape, clock, given = replay(EVENTS, wall, 1.0)
    stood = asyncio.Event()

    def stop_once() -> None:
        if wall.time >= 10.0 and not stood.is_set():
            tape.pause()
            stood.set()

    wall._during = stop_once
    running = asyncio.create_task(tape.run())
    await stood.wait()
    await turns(10)
    moment, progress = clock.now(), tape.progress
    wall.time += 1000.0
    await turns(10)
    assert tape.paused
    assert clock.now() == moment
    assert progress == pytest.approx(1 / 6, abs=0.01)
    tape.resume()
    await running
    assert [event for event, _ in given] == EVENTS
    assert wall.time == pytest.approx(1060.0, abs=0.1)


async def test_the_speed_may_change_on_the_way() -> None:
    wall = Wall()
    tape, _, given = replay(EVENTS, wall, 1.0)

    def hurry() -> None:
        if wall.time >= 10.0:
            tape.speed = 10.0

    wall._during = hurry
    await tape.run()
    assert given == list(zip(EVENTS, CLOCK, strict=True))
    assert wall.time == pytest.approx(15.0, abs=0.5)


async def test_nothing_to_replay_is_finished_at_once() -> None:
    tape, _, given = replay([], Wall(), 1.0)
    assert tape.progress == 0.0
    await tape.run()
    assert (given, tape.progress) == ([], 1.0)


async def test_progress_is_not_known_without_a_span() -> None:
    tape = Replay([price(0.0)], lambda _: None, ManualClock())
    assert tape.progress is None


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(SettingError, match="give a number above 0, or max"):
        Replay([], lambda _: None, ManualClock(), speed=speed)


def again(given: list[tuple[Event, int]]) -> Callable[[], list[Event]]:
    """Forget what was given out, and begin with all events."""

    def begin() -> list[Event]:
        given.clear()
        return EVENTS

    return begin


async def test_going_on_gives_out_what_lies_between_at_its_own_moments_without_waiting() -> None:
    wall = Wall()
    tape, clock, given = replay(EVENTS, wall, 1.0)
    running = asyncio.create_task(tape.run())
    await turns(3)
    assert tape.seek(START + 50 * SECOND)
    before = wall.time
    while clock.now() < START + 45 * SECOND:
        await turns(1)
    assert wall.time - before < 1.0
    await running
    assert given == list(zip(EVENTS, CLOCK, strict=True))


@pytest.mark.parametrize("speed", [None, 1.0, 60.0])
async def test_going_back_begins_again_and_the_same_comes_out(speed: float | None) -> None:
    tape, _, given = replay(EVENTS, Wall(), speed, back=True)
    running = asyncio.create_task(tape.run(stay=True))
    async with asyncio.timeout(10.0):
        while len(given) < len(EVENTS):
            await turns(1)
        given.append((EVENTS[0], 0))
        assert tape.seek(START + 5 * SECOND)
        while len(given) != len(EVENTS):
            await turns(1)
    assert given == list(zip(EVENTS, CLOCK, strict=True))
    running.cancel()


async def test_going_back_in_the_middle_of_a_wait_is_not_kept_waiting() -> None:
    wall = Wall()
    tape, clock, given = replay(EVENTS, wall, 1.0, back=True)
    running = asyncio.create_task(tape.run())
    while clock.now() < START + 30 * SECOND:
        await turns(1)
    at = wall.time
    assert tape.seek(START + 10 * SECOND)
    async with asyncio.timeout(10.0):
        while clock.now() > START + 20 * SECOND:
            await turns(1)
    assert wall.time - at < 1.0
    assert [event for event, _ in given] == EVENTS[:3]
    await running
    assert given == list(zip(EVENTS, CLOCK, strict=True))


async def test_what_cannot_be_begun_again_cannot_go_back_nor_on_after_its_end() -> None:
    tape, _, _ = replay(EVENTS, Wall(), None)
    await tape.run(stay=True)
    assert not tape.seek(START)
    assert not tape.seek(START + 100 * SECOND)
