from __future__ import annotations

from collections.abc import Callable
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from liquake.analytics import models
from liquake.analytics.cascade import Model
from liquake.engine.engine import Engine
from liquake.engine.snapshot import (
    ALL,
    KINEMATIC_WINDOWS,
    NUMBERS,
    TOTAL_WINDOWS,
    Derivative,
    Snapshot,
    WindowKinematics,
)
from liquake.model import Coverage, CoverageKind, Liquidation, PriceBasis, Side, Throttle

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_790_000_040 * SECOND
VENUES = ("binance", "bybit", "okx")
RULES = {"binance": Throttle.LARGEST, "bybit": Throttle.NONE, "okx": Throttle.LATEST}
COVERAGES = {venue: Coverage(CoverageKind.THROTTLED, "Some.", throttle=RULES[venue], interval=1.0) for venue in VENUES}

sizes = st.none() | st.floats(0.01, 1e7)


def liquidation(
    number: int, ts_event: int, delay: int, venue: str, asset: str, side: Side, usd: float | None
) -> Liquidation:
    return Liquidation(
        venue=venue,
        instrument=f"{asset}USDT",
        asset=asset,
        side=side,
        price=2.0,
        price_basis=PriceBasis.FILL,
        amount=None if usd is None else usd / 2.0,
        usd=usd,
        ts_event=ts_event,
        ts_recv=ts_event + delay,
        id=str(number),
    )


@st.composite
def sessions(draw: st.DrawFn, *, steps: st.SearchStrategy[int], lateness: int, most: int = 40) -> list[Liquidation]:
    """Events in order of arrival; each may come up to `lateness` nanoseconds after a newer one."""
    count = draw(st.integers(1, most))
    events, time = [], START
    for number in range(count):
        time += draw(steps)
        late = draw(st.integers(0, lateness)) if lateness else 0
        events.append(
            liquidation(
                number,
                time - late,
                late + draw(st.integers(1, SECOND // 4)),
                draw(st.sampled_from(VENUES)),
                draw(st.sampled_from(("BTC", "ETH"))),
                draw(st.sampled_from(Side)),
                draw(sizes),
            )
        )
    return events


quick = st.sampled_from((0, 1, SECOND // 100, SECOND // 10, SECOND, 7 * SECOND))
slow = st.sampled_from((0, SECOND, 59 * SECOND, 10 * MINUTE, 3 * 60 * MINUTE, 23 * 60 * MINUTE))


@cache
def simulated() -> tuple[Model, ...]:
    return tuple(models.shipped(name) for name in models.names() if name.startswith("simulated"))


def engine_after(
    events: list[Liquidation],
    between: Callable[[Engine, int], None] | None = None,
    given: tuple[Model, ...] = (),
) -> Engine:
    engine, newest = Engine(COVERAGES, watched=("BTCUSDT",), models=given), 0
    for event in events:
        engine.apply(event)
        newest = max(newest, event.ts_recv)
        if between is not None:
            between(engine, newest)
    return engine


def last_receipt(events: list[Liquidation]) -> int:
    return max(event.ts_recv for event in events)


def close(one: float, other: float, scale: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other), scale)


def rounding(events: list[Liquidation]) -> float:
    """The scale of sums that are differences of running ones: those have twelve digits of everything added so far."""
    return 1e-3 * sum(event.usd or 0.0 for event in events)


def assert_same_numbers(one: Snapshot, other: Snapshot, scale: float) -> None:
    """Equal in every count; in sums and derivatives up to the rounding of another order of addition."""
    assert (one.events, one.markets, one.as_of) == (other.events, other.markets, other.as_of)
    sums = {(cell.venue, cell.side, cell.market): cell.sums for cell in other.cells}
    assert len(one.cells) == len(sums)
    for cell in one.cells:
        for name, held in cell.sums.items():
            there = sums[cell.venue, cell.side, cell.market][name]
            assert (held.events, held.unsized) == (there.events, there.unsized)
            assert close(held.usd, there.usd, scale)
            assert close(held.amount, there.amount, scale)
    for market, rows in one.kinematics.items():
        for row, counterpart in zip(rows, other.kinematics[market], strict=True):
            assert row.events == counterpart.events
            assert close(row.usd, counterpart.usd, scale)
            for motion, twin in ((row.counts, counterpart.counts), (row.dollars, counterpart.dollars)):
                assert close(motion.velocity.value, twin.velocity.value, 1e-9)
                # Differences of sums of the size of velocity / tau^k: that is what their digits are digits of.
                speed = abs(motion.velocity.value) + motion.velocity.error
                assert close(motion.acceleration.value, twin.acceleration.value, speed * 2 / row.window)
                assert close(motion.jerk.value, twin.jerk.value, speed * (2 / row.window) ** 2)
                assert close(motion.jerk.error, twin.jerk.error, 1e-9)
            for z, counter in zip(row.significance, counterpart.significance, strict=True):
                assert close(z, counter, 1e-6)
            assert row.status == counterpart.status


def assert_same_outlook(one: Snapshot, other: Snapshot) -> None:
    """Equal in every word; in every number to nine digits."""
    assert [(r.market, r.side, r.horizon, r.as_of, r.level, r.since) for r in one.risks] == [
        (r.market, r.side, r.horizon, r.as_of, r.level, r.since) for r in other.risks
    ]
    for risk, twin in zip(one.risks, other.risks, strict=True):
        assert (risk.probability is None) is (twin.probability is None)
        assert close(risk.probability or 0.0, twin.probability or 0.0, 1e-9)
        assert close(risk.threshold, twin.threshold, 1e-9)
        for component, part in risk.contributions.items():
            assert close(part, twin.contributions[component], 1.0)
    for market, burst in one.bursts.items():
        assert close(burst.z, other.bursts[market].z, 1.0)
    assert one.regime is not None
    assert other.regime is not None
    assert (one.regime.level, one.regime.since) == (other.regime.level, other.regime.since)
    assert close(one.regime.rank, other.regime.rank, 1.0)
    assert one.dependence == other.dependence
    assert [(e.key, e.end, e.events) for e in one.episodes] == [(e.key, e.end, e.events) for e in other.episodes]
    for here, there in zip(one.understatements, other.understatements, strict=True):
        assert (here.venue, here.market, here.events) == (there.venue, there.market, there.events)
        assert close(here.usd_at_least, there.usd_at_least, 1.0)


@given(
    sessions(steps=quick, lateness=3 * SECOND),
    st.lists(st.tuples(st.booleans(), st.integers(0, 100 * SECOND), st.booleans()), min_size=60, max_size=60),
)
@settings(deadline=None, max_examples=40)
def test_reading_never_changes_what_comes_later(events: list[Liquidation], reads: list[tuple[bool, int, bool]]) -> None:
    plan = iter(reads)

    def look(engine: Engine, newest: int) -> None:
        wanted, ahead, all_of_it = next(plan)
        if wanted:
            engine.snapshot(newest + ahead, None if all_of_it else ["BTCUSDT", "NEWUSDT"])
            engine.statistics()

    looked_at, left_alone = engine_after(events, look, simulated()), engine_after(events, given=simulated())
    now = last_receipt(events) + SECOND // 3
    assert looked_at.state_hash() == left_alone.state_hash()
    assert looked_at.snapshot(now) == left_alone.snapshot(now)
    assert looked_at.statistics() == left_alone.statistics()


@given(sessions(steps=quick, lateness=3 * SECOND, most=20), st.data())
@settings(deadline=None, max_examples=40)
def test_a_read_gives_the_same_whatever_was_read_before(events: list[Liquidation], data: st.DataObject) -> None:
    engine, newest = Engine(COVERAGES, watched=("BTCUSDT",)), 0
    for count, event in enumerate(events, 1):
        engine.apply(event)
        newest = max(newest, event.ts_recv)
        for after in data.draw(st.lists(st.integers(0, 2 * SECOND), max_size=3)):
            assert engine.snapshot(newest + after) == engine_after(events[:count]).snapshot(newest + after)


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_order_of_arrival_within_the_watermark_does_not_matter(data: st.DataObject) -> None:
    in_order = sorted(data.draw(sessions(steps=quick, lateness=0)), key=lambda event: event.ts_event)
    delays = [data.draw(st.integers(0, SECOND - 1)) for _ in in_order]
    keys = [event.ts_event + delay for event, delay in zip(in_order, delays, strict=True)]
    shuffled = [event for _, event in sorted(zip(keys, in_order, strict=True), key=lambda pair: pair[0])]
    now = last_receipt(in_order) + SECOND
    one, other = engine_after(in_order, given=simulated()), engine_after(shuffled, given=simulated())
    assert_same_numbers(one.snapshot(now), other.snapshot(now), rounding(in_order))
    assert_same_outlook(one.snapshot(now), other.snapshot(now))
    for engine in (one, other):
        engine.advance(now + 300 * SECOND)
    later = now + 300 * SECOND
    assert_same_outlook(one.snapshot(later), other.snapshot(later))
    for peak, twin in zip(one.statistics().peaks, other.statistics().peaks, strict=True):
        assert (peak.events, peak.events_at) == (twin.events, twin.events_at)
        assert close(peak.usd, twin.usd, rounding(in_order))


@given(sessions(steps=quick, lateness=30 * SECOND), st.integers(0, 90 * SECOND))
@settings(deadline=None, max_examples=50)
def test_window_counts_are_those_of_a_slow_count(events: list[Liquidation], ahead: int) -> None:
    snapshot = engine_after(events).snapshot(last_receipt(events) + ahead)
    for market, rows in snapshot.kinematics.items():
        of_market = [event for event in events if market in (ALL, f"{event.asset}USDT")]
        for row, window in zip(rows, KINEMATIC_WINDOWS, strict=True):
            begin = snapshot.as_of - round(window * SECOND)
            inside = [event for event in of_market if begin < event.ts_event <= snapshot.as_of]
            assert (row.window, row.events) == (window, len(inside))
            assert close(row.usd, sum(event.usd or 0.0 for event in inside), rounding(of_market))


@given(sessions(steps=slow, lateness=20 * 60 * MINUTE))
@settings(deadline=None, max_examples=50)
def test_totals_are_those_of_a_slow_sum(events: list[Liquidation]) -> None:
    now = -(-last_receipt(events) // MINUTE) * MINUTE
    for cell in engine_after(events).snapshot(now).cells:
        of_cell = [
            event
            for event in events
            if (event.venue, event.side) == (cell.venue, cell.side) and cell.market in (ALL, f"{event.asset}USDT")
        ]
        for name, seconds in TOTAL_WINDOWS.items():
            inside = [event for event in of_cell if seconds is None or event.ts_event > now - int(seconds) * SECOND]
            held = cell.sums[name]
            assert held.events == len(inside)
            assert held.unsized == sum(event.usd is None for event in inside)
            assert close(held.usd, sum(event.usd or 0.0 for event in inside), rounding(of_cell))
            coins = 0.0 if cell.market == ALL else sum(event.amount or 0.0 for event in inside)
            assert close(held.amount, coins, rounding(of_cell))


@given(sessions(steps=quick, lateness=SECOND), st.lists(st.integers(0, 59), max_size=30))
@settings(deadline=None, max_examples=40)
def test_events_received_again_change_nothing(events: list[Liquidation], again: list[int]) -> None:
    repeated = [*events, *(events[number % len(events)] for number in again)]
    once, twice = engine_after(events), engine_after(repeated)
    assert twice.state_hash() == once.state_hash()
    assert twice.statistics().duplicates == len(again)


@settings(max_examples=60)
@given(sessions(steps=quick, lateness=3 * SECOND), st.data())
def test_a_moment_says_what_a_snapshot_of_it_says(events: list[Liquidation], data: st.DataObject) -> None:
    def looked_at(engine: Engine, newest: int) -> None:
        now = newest + data.draw(st.sampled_from((0, SECOND // 3, 2 * SECOND, 10 * MINUTE)))
        moment, snapshot = engine.moment(now), engine.snapshot(now)
        for name in moment.__struct_fields__:
            if name != "motion":
                assert getattr(moment, name) == getattr(snapshot, name)
        assert set(moment.motion) == set(snapshot.kinematics) == {ALL, *snapshot.markets}
        for market, rows in snapshot.kinematics.items():
            told = moment.motion[market]
            assert len(told) == len(rows) * len(NUMBERS)
            for place, row in enumerate(rows):
                said = dict(zip(NUMBERS, told[place * len(NUMBERS) :], strict=False))
                assert said == numbers_of(row)

    engine_after(events, looked_at)


def numbers_of(row: WindowKinematics) -> dict[str, float]:
    """What the screen has of one window, by the names of the keys."""
    found: dict[str, float] = {"events": row.events, "usd": row.usd, "trusted": row.trusted}
    for prefix, motion in (("", row.counts), ("usd_", row.dollars)):
        for name in ("velocity", "acceleration", "jerk"):
            derivative: Derivative = getattr(motion, name)
            found[f"{prefix}{name}"], found[f"{prefix}{name}_error"] = derivative.value, derivative.error
            errors = abs(derivative.value) / derivative.error if derivative.error > 0.0 else 0.0
            found[f"{prefix}{name}_significance"] = errors
    return found
