"""What the screens show, added up again from the journal by SQL and by the definitions, without the engine."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec
import pytest
from bench.simulated_feeds import SECOND, START, feed

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, TOTAL_WINDOWS, Derivative, Snapshot
from liquake.ingest.replay import moment
from liquake.model import Event, FeedState, FeedStatus, Liquidation
from liquake.simulate.market import Market
from liquake.storage.journal import Journal
from liquake.storage.reader import read_journal
from liquake.tui import formats
from liquake.tui.panels import cumulative, overview
from liquake.tui.picture import Picture, View
from liquake.tui.theme import load_theme
from liquake.venues.registry import VENUES, find_venue
from tests.screens.moments import DEMO

LENGTH = 600
NOW = START + (LENGTH + 7) * SECOND
AS_OF = NOW - SECOND
SHOWN = {name: venue for name in VENUES if (venue := find_venue(name)).coverage.kind != "SAMPLE"}
SINCE = {name: NOW - round(length * 1e9) if length is not None else 0 for name, length in TOTAL_WINDOWS.items()}
"""Where each window begins; its edge moves by the second up to 15 minutes, and else by the minute."""
ENGINE_TIME = "min(ts_event, ts_recv)"


def session() -> Iterator[Event]:
    """Ten minutes with a sweep on thirteen venues: replays from before the start, some told an hour late, some twice,
    some without a size, and all of it out of order."""
    random, venues = Random(5), list(SHOWN)
    for venue in venues:
        yield FeedStatus(venue, "1", FeedState.SUBSCRIBED, START, "liquidations")
    waiting: list[Liquidation] = []
    for event in feed(Market("flash", 21, START), LENGTH, seed=3):
        if not isinstance(event, Liquidation):
            yield event
            continue
        changed = msgspec.structs.replace(event, venue=random.choice(venues))
        if random.random() < 0.02:
            changed = msgspec.structs.replace(changed, amount=None, usd=None)
        late = {"deribit": 3_600.0, "bitget": 15.0}.get(changed.venue, 0.0)
        waiting.append(
            msgspec.structs.replace(changed, ts_event=changed.ts_event - round(late * random.random() * 1e9))
        )
        if len(waiting) > 5:
            yield (told := waiting.pop(random.randrange(len(waiting))))
            if random.random() < 0.05:
                yield told
    yield from waiting


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "journal.db"
    with Journal(path) as journal:
        for event in session():
            journal.record([event])
    return path


@pytest.fixture(scope="module")
def snapshot(kept: Path) -> Snapshot:
    engine = Engine({name: venue.coverage for name, venue in SHOWN.items()})
    for event in read_journal(kept):
        assert moment(event) <= NOW
        engine.apply(event)
    return engine.snapshot(NOW, largest=100)


@pytest.fixture
def rows(kept: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(kept)) as connection:
        yield connection


def edge(window: str) -> int:
    step = SECOND if (TOTAL_WINDOWS[window] or math.inf) <= 900.0 else 60 * SECOND
    return SINCE[window] // step * step


def added(rows: sqlite3.Connection, since: int, **of: str) -> tuple[int, float, float, int]:
    """Events, coins, dollars and events without a size of what came after `since`."""
    where = " AND ".join([f"{ENGINE_TIME} > ?", *(f"{name} = ?" for name in of)])
    sums = "count(*), total(amount), total(usd), count(*) - count(usd)"
    (found,) = rows.execute(f"SELECT {sums} FROM events WHERE {where}", (since, *of.values()))
    return found  # type: ignore[no-any-return]


def test_the_session_is_worth_the_trouble(snapshot: Snapshot, rows: sqlite3.Connection) -> None:
    events, _, usd, unsized = added(rows, 0)
    assert events > 1_000
    assert usd > 1e6
    assert unsized > 10
    assert 0 < added(rows, edge("5m"))[0] < added(rows, edge("1h"))[0] < events
    assert len({cell.venue for cell in snapshot.cells}) == len(SHOWN) == 13


@pytest.mark.parametrize("window", TOTAL_WINDOWS)
def test_every_sum_is_that_of_its_rows(window: str, snapshot: Snapshot, rows: sqlite3.Connection) -> None:
    seen = 0
    for cell in snapshot.cells:
        of = {"venue": cell.venue, "side": cell.side.value}
        if cell.market != ALL:
            of["asset"] = cell.market.removesuffix("USDT")
        events, amount, usd, unsized = added(rows, edge(window), **of)
        found = cell.sums[window]
        assert (found.events, found.unsized) == (events, unsized)
        assert found.usd == pytest.approx(usd, rel=1e-9, abs=1e-3)
        assert found.amount == pytest.approx(0.0 if cell.market == ALL else amount, rel=1e-9, abs=1e-3)
        seen += events if cell.market == ALL else 0
    assert seen == added(rows, edge(window))[0]


def chained(rows: list[tuple[int, float]], tau: float) -> tuple[float, float, float]:
    """Velocity, acceleration and jerk by their kernels, summed event by event."""
    ages = [((AS_OF - time) / 1e9 / tau, weight) for time, weight in rows if time <= AS_OF]
    s0, s1, s2 = (
        math.fsum(weight * age**k * math.exp(-age) / math.factorial(k) / tau for age, weight in ages) for k in range(3)
    )
    return s0, (s0 - s1) / tau, (s0 - 2 * s1 + s2) / tau**2


def check(found: Derivative, wanted: float, scale: float) -> None:
    assert found.value == pytest.approx(wanted, rel=1e-6, abs=1e-9 * scale)


def test_every_motion_is_that_of_its_rows(snapshot: Snapshot, rows: sqlite3.Connection) -> None:
    for market, windows in snapshot.kinematics.items():
        asset = market.removesuffix("USDT")
        events = rows.execute(
            f"SELECT {ENGINE_TIME}, coalesce(usd, 0) FROM events WHERE ? IN ('{ALL}', asset)", (asset,)
        ).fetchall()
        for row in windows:
            start, tau = AS_OF - round(row.window * 1e9), row.window / 2
            held = [usd for time, usd in events if start < time <= AS_OF]
            assert row.events == len(held)
            assert row.usd == pytest.approx(math.fsum(held), rel=1e-9, abs=1e-3)
            for motion, weighted in ((row.counts, [(time, 1.0) for time, _ in events]), (row.dollars, events)):
                velocity, acceleration, jerk = chained(weighted, tau)
                check(motion.velocity, velocity, 1.0)
                check(motion.acceleration, acceleration, velocity / tau)
                check(motion.jerk, jerk, velocity / tau**2)
            rate = row.counts.velocity.value
            for derivative, binomial, power in (("velocity", 1, 1), ("acceleration", 2, 3), ("jerk", 6, 5)):
                error = getattr(row.counts, derivative).error
                assert error == pytest.approx(math.sqrt(rate * binomial / row.window**power), rel=1e-9)


def test_every_last_liquidation_and_its_hour_are_those_of_the_rows(
    snapshot: Snapshot, rows: sqlite3.Connection
) -> None:
    pairs = rows.execute(f"SELECT venue, asset, max({ENGINE_TIME}) FROM events GROUP BY venue, asset").fetchall()
    assert len(snapshot.activity) == len(pairs)
    newest = {(venue, f"{asset}USDT"): time for venue, asset, time in pairs}
    for entry in snapshot.activity:
        assert entry.age == pytest.approx((NOW - newest[entry.venue, entry.market]) / 1e9, abs=1e-6)
        of = {"venue": entry.venue, "asset": entry.market.removesuffix("USDT")}
        assert entry.hour.usd == pytest.approx(added(rows, edge("1h"), **of)[2], rel=1e-9, abs=1e-3)


def test_the_largest_are_the_largest_of_the_hour(snapshot: Snapshot, rows: sqlite3.Connection) -> None:
    largest = f"SELECT usd FROM events WHERE {ENGINE_TIME} > ? ORDER BY usd DESC LIMIT 20"
    assert [event.usd for event in snapshot.largest] == [usd for (usd,) in rows.execute(largest, (edge("1h"),))]


def picture(snapshot: Snapshot) -> Picture:
    return Picture(snapshot, msgspec.structs.replace(DEMO, now=NOW, started=START), View(), load_theme())


def fields(lines: list[str], first: str) -> list[str]:
    return next(line.split() for line in lines if line.split()[:1] == [first] or line.split()[1:2] == [first])


def test_the_overview_prints_what_the_rows_add_up_to(snapshot: Snapshot, rows: sqlite3.Connection) -> None:
    shown = picture(snapshot)
    lines = overview.by_exchange(shown, 130, 40).text(40).plain.split("\n")
    for venue, told in SHOWN.items():
        _, _, usd, unsized = added(rows, 0, venue=venue)
        least = "≥" if told.coverage.lower_bound or unsized else ""
        assert fields(lines, venue)[-1] == f"{least}{formats.exact_dollars(usd)}"
    events, _, usd, _ = added(rows, 0)
    assert fields(lines, "ALL")[-1] == f"≥{formats.exact_dollars(usd)}"
    totals = overview.totals(shown, 130, 20).text(20).plain.split("\n")
    assert fields(totals, "events")[1] == f"≥{events:,}"
    hours, watched = (NOW - START) / 3.6e12, added(rows, START // SECOND * SECOND - SECOND)
    assert fields(totals, "events")[2] == "≥" + formats.short(watched[0] / hours)
    assert fields(totals, "USD")[2] == "≥" + formats.dollars(watched[2] / hours)
    long = added(rows, 0, side="LONG")[2] / usd
    assert f"LONG {100 * long:.0f}%" in totals[1]


def test_the_cumulative_page_prints_what_the_rows_add_up_to(snapshot: Snapshot, rows: sqlite3.Connection) -> None:
    lines = cumulative.by_venue(picture(snapshot), 130, 80).text(80).plain.split("\n")
    whole = fields(lines, "ALL")
    for place, window in enumerate(TOTAL_WINDOWS, 1):
        assert whole[place] == f"≥{formats.dollars(added(rows, edge(window))[2])}"
        for venue, told in SHOWN.items():
            events, _, usd, unsized = added(rows, edge(window), venue=venue)
            least = "≥" if told.coverage.lower_bound or unsized else ""
            wanted = f"{least}{formats.dollars(usd)}" if events > unsized else "unknown" if events else "·"
            assert fields(lines, venue)[place] == wanted
