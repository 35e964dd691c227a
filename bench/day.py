"""A day of the simulated market on every venue, through everything that goes wrong, against what the journal holds.

Every venue's own simulated server and the whole collector, over real sockets, in a loop whose time leaps. Venues drop
their connections, announce closes, send frames twice, replay old frames to who connects, send rubbish, tell of orders
out of order, have clocks wrong by up to 2 s, hang, fall silent, and move to new addresses while the old one refuses,
or acknowledges and stays silent; at midnight all of them do.

Equal means, key by key and for each venue: nothing is held that was not published; and what was published and is not
held was sent within a gap that the ledger holds as not refilled.

Then, without sockets, how often the truth lies within what is said of throttled venues (`bench/bands.py`).

python -m bench.day [--hours 24] [--preset busy] [--seed 1] [--assets BTC ETH SOL] [--exchanges NAME ...] [--pace 1800]
                    [--bands calm busy oct10]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count, takewhile
from math import ceil
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench.bands import score
from bench.fast_forward import FastForwardLoop, run
from bench.simulated_feeds import SECOND, START

from liquake.engine.engine import Engine
from liquake.ingest.link import Tempo
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, FeedState, FeedStatus, Gap, Liquidation
from liquake.simulate.contracts import Published
from liquake.simulate.faults import Farewell, Faults, Move
from liquake.simulate.presets import Health, Outage
from liquake.simulate.simulation import Simulation
from liquake.storage.journal import Journal
from liquake.storage.reader import read_journal
from liquake.venues import VENUES

NOON = START + 12 * 3600 * SECOND
MIDNIGHT = 12 * 3600.0
"""Seconds after the start, on which every address is said to be valid until."""
ASSETS = ("BTC", "ETH", "SOL")
UNTIL_SETTLED = 400.0
"""Seconds after the last order until every gap has ended and been refilled."""
UNTIL_TOLD = 3_700.0
"""Seconds until Deribit, an hour behind, has told of it too."""
SKEW, SHUFFLE, REPLAY = 2.0, 1.5, 20
_FAREWELLS = (Farewell.SILENT, Farewell.REFUSING)
_FAILURES = (Health.SILENT, Health.HALF_OPEN, Health.REFUSING)


class Account(NamedTuple):
    """One venue's day: keys."""

    published: int
    held: int
    extra: int
    """Held and never published."""
    lost: int
    """Published and not held."""
    unaccounted: Sequence[str]
    """Of those lost, the keys sent outside every gap that the ledger holds as open, each with its time and the nearest
    gap."""
    repeated: int
    """Liquidations received again."""
    gaps: int
    """Not refilled, and"""
    refilled: int
    faults: Mapping[str, int]
    connects: int
    mistaken: int
    """Held with another side than was published."""


def faults_of(venue: str, seconds: float, pace: float) -> Faults:
    """What goes wrong with `venue` in so many `seconds`: the connections drop about every `pace` seconds."""
    random = Random(f"{venue} faults")
    own = pace * random.uniform(0.9, 1.2)
    spells = list(takewhile(lambda at: at < seconds - own, (own * (1.0 + 1.7 * number) for number in count())))
    outages, moves = [], []
    for number, at in enumerate(spells):
        at += random.uniform(0.0, 0.2 * own)
        lasting = random.uniform(10.0, 120.0) + VENUES[venue].heartbeat.stale_after
        if number % 2:
            outages.append(Outage(venue, at, lasting, _FAILURES[number // 2 % 3]))
        elif abs(at - MIDNIGHT) > 600.0:
            moves.append(Move(at, lasting, _FAREWELLS[number // 2 % 2]))
    if seconds > MIDNIGHT:
        moves.append(Move(MIDNIGHT, 120.0, Farewell.SILENT))
    return Faults(
        drop_every=own,
        close_every=2.7 * own,
        garbage_every=0.4 * own,
        duplicate=True,
        outages=tuple(outages),
        moves=tuple(moves),
        skew=SKEW,
        shuffle=SHUFFLE,
        replay=REPLAY,
    )


class Collector:
    """Engine and journal behind the feeds, and what was heard of them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.engine = Engine({venue.name: venue.coverage for venue in VENUES.values()}, include_samples=True)
        self.repeated: Counter[str] = Counter()
        self.gaps: list[Gap] = []
        self.up: dict[tuple[str, str], int] = {}
        """When each connection was first subscribed."""
        self.connects: Counter[str] = Counter()

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        del ts_recv
        for event in events:
            fresh = self.engine.apply(event)
            if isinstance(event, Liquidation):
                self.repeated[event.venue] += not fresh
            elif isinstance(event, Gap):
                self.gaps.append(event)
            elif isinstance(event, FeedStatus):
                self._status(event)
        self.journal.record(events, frame or None, connection)

    def _status(self, status: FeedStatus) -> None:
        if status.state is FeedState.CONNECTED:
            self.connects[status.venue] += 1
        elif status.state is FeedState.SUBSCRIBED:
            self.up.setdefault((status.venue, status.connection), status.ts)


async def lived(simulation: Simulation, journal: Journal, loop: FastForwardLoop, seconds: float) -> Collector:
    """The collector after so many `seconds` of the market, and those until all was told."""
    collector = Collector(journal)
    venues = [VENUES[name] for name in simulation.servers]
    async with simulation.serve() as addresses:
        assets = tuple(simulation.market.coins)
        feeds = feeds_of(venues, loop, collector.receive, assets=assets, addresses=addresses, tempo=Tempo(watch=1.0))
        prompt = asyncio.create_task(supervise([feed for feed in feeds if feed.venue.poll is None]))
        late = asyncio.create_task(supervise([feed for feed in feeds if feed.venue.poll is not None]))
        await _passed(seconds, collector, loop)
        simulation.halt()
        await _ended(prompt, UNTIL_SETTLED)
        await _ended(late, UNTIL_TOLD)
    return collector


async def _passed(seconds: float, collector: Collector, loop: FastForwardLoop) -> None:
    """Wait for so many seconds of the loop; at every hour say how far it has come."""
    for hour in range(ceil(seconds / 3600.0)):
        await asyncio.sleep(min(3600.0, seconds - 3600.0 * hour))
        kept = collector.engine.latest().arrived
        print(f"{loop.time() / 3600.0:.1f} of {seconds / 3600.0:.1f} hours, {kept:,} events", file=sys.stderr)


async def _ended(work: asyncio.Task[None], after: float) -> None:
    await asyncio.sleep(after)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def account(venue: str, simulation: Simulation, collector: Collector, kept: Sequence[Liquidation]) -> Account:
    """What became of everything that `venue` published since all its connections were up for the first time."""
    server = simulation.servers[venue]
    first = max(at for (name, _), at in collector.up.items() if name == venue)
    truth: dict[str, list[Published]] = {}
    for event in (*server.published, *server.missed):
        truth.setdefault(event.key, []).append(event)
    held = {event.key: event for event in kept if event.venue == venue}
    refilled = {(gap.connection, gap.start, gap.end) for gap in collector.gaps if gap.venue == venue and gap.recovered}
    every = {(gap.connection, gap.start, gap.end) for gap in collector.gaps if gap.venue == venue}
    open_gaps = [(start, end) for _, start, end in every - refilled]
    due = {key for key, events in truth.items() if min(event.sent for event in events) >= first}
    lost = due - held.keys()
    sent = {key: min(event.sent for event in truth[key]) for key in lost}
    unaccounted = [key for key in lost if not any(start <= sent[key] <= end for start, end in open_gaps)]
    gaps = [gap for gap in collector.gaps if gap.venue == venue]
    return Account(
        published=len(due | (held.keys() & truth.keys())),
        held=len(held),
        extra=len(held.keys() - truth.keys()),
        lost=len(lost),
        unaccounted=[_placed(key, truth[key], gaps) for key in unaccounted],
        repeated=collector.repeated[venue],
        gaps=len(open_gaps),
        refilled=len(refilled),
        faults=server.suffered,
        connects=collector.connects[venue],
        mistaken=sum(event.side is not truth[key][0].side for key, event in held.items() if key in truth),
    )


def _placed(key: str, events: Sequence[Published], gaps: Sequence[Gap]) -> str:
    event = min(events, key=lambda event: event.sent)
    near = min(gaps, default=None, key=lambda gap: min(abs(gap.start - event.sent), abs(gap.end - event.sent)))
    return f"{key} of {_utc(event.ts)}, sent {_utc(event.sent)} to {event.subscribed}, {len(events)} times; nearest: {near}"


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / SECOND, UTC).strftime("%H:%M:%S.%f")


def day(
    seconds: float,
    preset: str,
    seed: int,
    assets: Collection[str],
    pace: float,
    path: Path,
    venues: Collection[str] = tuple(VENUES),
) -> dict[str, Account]:
    """The accounts of `venues`."""
    loop = FastForwardLoop(NOON)
    faults = {venue: faults_of(venue, seconds, pace) for venue in venues}
    simulation = Simulation(preset, seed, venues, loop, assets=assets, faults=faults)
    with Journal(path) as journal:
        collector = run(lived(simulation, journal, loop, seconds), loop)
    kept = [event for event in read_journal(path) if isinstance(event, Liquidation)]
    return {venue: account(venue, simulation, collector, kept) for venue in simulation.servers}


def report(accounts: Mapping[str, Account]) -> None:
    """A line per venue, and what happened to each."""
    print("venue       published     held  extra   lost  outside a gap  again  gaps  refilled  connects")
    for venue, a in accounts.items():
        print(
            f"{venue:<11} {a.published:>9} {a.held:>8} {a.extra:>6} {a.lost:>6} {len(a.unaccounted):>14} {a.repeated:>6} "
            f"{a.gaps:>5} {a.refilled:>9} {a.connects:>9}"
        )
    for venue, a in accounts.items():
        for words in a.unaccounted:
            print(f"{venue}: lost outside every gap: {words}")
    names = sorted({name for a in accounts.values() for name in a.faults})
    for name in names:
        print(f"{name}: " + ", ".join(f"{venue} {a.faults.get(name, 0)}" for venue, a in accounts.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--preset", default="busy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--assets", nargs="+", default=ASSETS)
    parser.add_argument("--exchanges", nargs="+", default=tuple(VENUES))
    parser.add_argument("--journal", type=Path, help="keep it here, a file that is not there yet")
    parser.add_argument("--pace", type=float, default=1800.0, help="seconds between two drops of a venue's connections")
    parser.add_argument(
        "--bands", nargs="*", default=("calm", "busy", "oct10"), help="presets; none where none is named"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=(1, 2, 3), help="of the bands")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = settings.journal or Path(folder) / "journal.db"
        seconds, chosen = settings.hours * 3600.0, settings.exchanges
        accounts = day(seconds, settings.preset, settings.seed, settings.assets, settings.pace, path, chosen)
    report(accounts)
    score(settings.bands, settings.seeds, round(settings.hours), tuple(VENUES))


if __name__ == "__main__":
    main()
