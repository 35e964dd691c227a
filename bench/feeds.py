"""What all venues together take of one core: frames of every venue through decoders, engine and journal, in real time.

    python -m bench.feeds [--rate 5000] [--seconds 15]

The frames are those of `bench/corpora`, spread evenly over the time and over the venues, and given to decoders and to
`Run.receive` as the sockets give them; once a second it is asked what deserves an alert, as in the program. The sockets
themselves, screens and stores are not in it. A liquidation is an event: trades, changes and whatever else comes with the
liquidations of a venue are work and do not count. Of the processor's time, not of the clock's: other programs do not
change it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path

from bench.corpora import corpora
from bench.corpora.corpus import NOW, Corpus, Steady
from bench.decode import decode_of

from liquake.app import engine_of, models_of
from liquake.clock import SECOND, ManualClock
from liquake.config import Settings
from liquake.model import Event
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.tui.status import Mode, Status
from liquake.venues.registry import VENUES

Receive = Callable[[Sequence[Event], bytes, str, int], None]
_SAMPLE = 400
_TURN = 0.01
"""Seconds between two looks at what has come."""


class Lane:
    """The frames of one venue, and what they took."""

    def __init__(self, corpus: Corpus, frames: Sequence[tuple[bytes, int]]) -> None:
        self.venue, self.connection = corpus.venue, corpus.connection
        self.frames = [frame for frame, _ in frames]
        self.liquidations = sum(number for _, number in frames)
        self.read = decode_of(corpus, corpus.instruments())
        self.polled = corpus.reader is not None
        self.decoding = self.receiving = 0.0

    def give(self, frame: bytes, now: int, receive: Receive) -> None:
        """Have `receive` told of a frame of `now`. Processor seconds are counted."""
        begun = time.thread_time()
        events = self.read(frame, now)
        decoded = time.thread_time()
        if events:
            receive(events, b"" if self.polled else frame, self.connection, now)
        self.decoding += decoded - begun
        self.receiving += time.thread_time() - decoded


def chosen() -> list[Corpus]:
    """Of each venue the first corpus that has liquidations."""
    found: dict[str, Corpus] = {}
    for corpus in corpora():
        if corpus.venue not in found and any(number > 0 for _, number in corpus.frames(Steady("", 0.0, 1.0), _SAMPLE)):
            found[corpus.venue] = corpus
    return list(found.values())


def lane_of(corpus: Corpus, rate: float, seconds: float) -> Lane:
    """So many seconds of `corpus` at `rate` liquidations per second, which happen as they are given."""
    probe = Steady("", 0.0, 1.0)
    sample = list(corpus.frames(probe, _SAMPLE))
    # Of a page of history there are fewer than asked for.
    count = round(_SAMPLE * rate * seconds / sum(number for _, number in sample))
    step = seconds * 1000.0 / (probe.moments / _SAMPLE * count or 1.0)
    return Lane(corpus, list(corpus.frames(Steady(corpus.venue, NOW, step), count)))


def in_order(lanes: Sequence[Lane], seconds: float) -> list[tuple[float, Lane, bytes]]:
    """All frames, each at its moment in seconds: those of every venue come evenly, and no two venues' at once."""
    timed = (
        ((nth + place / len(lanes)) / len(lane.frames) * seconds, lane, frame)
        for place, lane in enumerate(lanes, 1)
        for nth, frame in enumerate(lane.frames)
    )
    return sorted(timed, key=itemgetter(0))


def run_of(journal: Journal | None, clock: ManualClock) -> Run:
    """A run as the program has it."""
    now, settings = clock.now(), Settings()
    engine = engine_of(list(VENUES.values()), settings, models_of(settings, Mode.LIVE))
    return Run(engine, clock, Status(Mode.LIVE, "bench", now, now), journal, None)


def measure(rate: float, seconds: float, journaled: bool) -> None:
    """Run it and print."""
    parts = chosen()
    lanes = [lane_of(corpus, rate / len(parts), seconds) for corpus in parts]
    frames = in_order(lanes, seconds)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        journal = stack.enter_context(Journal(Path(folder) / "journal.db")) if journaled else None
        clock = ManualClock(NOW * 1_000_000)
        run = run_of(journal, clock)
        worked = time.process_time()
        heeding = give_all(frames, run, clock)
        if journal is not None:
            journal.flush()
        spent = time.process_time() - worked
        kept = journal.statistics().rows if journal is not None else None
        report(lanes, run, kept, seconds, spent, heeding)


def give_all(frames: Sequence[tuple[float, Lane, bytes]], run: Run, clock: ManualClock) -> float:
    """Give everything, none of it before its time. Returns the processor seconds of looking for alerts.

    The clock stands still while a frame is read: a machine that is too busy for us does not make events late.
    """
    heeding, looked, begun, start = 0.0, 0.0, time.monotonic(), clock.now()
    for moment, lane, frame in frames:
        if moment > (passed := time.monotonic() - begun):
            time.sleep(moment - passed + _TURN)
        clock.set(start + round(moment * SECOND))
        lane.give(frame, clock.now(), run.receive)
        if moment - looked >= 1.0:
            looked, before = moment, time.thread_time()
            run.engine.advance(clock.now())
            run.heed()
            heeding += time.thread_time() - before
    return heeding


def report(lanes: Sequence[Lane], run: Run, kept: int | None, seconds: float, spent: float, heeding: float) -> None:
    """The shares of one core, by venue and over all."""
    offered = sum(lane.liquidations for lane in lanes)
    venues = run.snapshot().venues
    # Made by chance, a few are the same.
    counted, again = sum(each.events + each.sampled for each in venues), sum(each.duplicates for each in venues)
    if counted + again != offered or again > offered / 1000 or (kept is not None and kept != counted):
        raise SystemExit(f"{offered} liquidations were given, {counted} counted, {again} dropped, {kept} kept")
    title = "journal off" if kept is None else "journal on"
    print(f"{title}: {offered / seconds:,.0f} liquidations/s, per cent of one core")
    print(f"{'venue':<12}{'frames/s':>10}{'liq./s':>8}{'decoding':>10}{'receiving':>11}")
    for lane in lanes:
        print(
            f"{lane.venue:<12}{len(lane.frames) / seconds:>10,.0f}{lane.liquidations / seconds:>8,.0f}"
            f"{lane.decoding / seconds:>10.2%}{lane.receiving / seconds:>11.2%}"
        )
    decoding, receiving = sum(lane.decoding for lane in lanes), sum(lane.receiving for lane in lanes)
    rest = spent - decoding - receiving - heeding
    print(f"{'all':<12}{'':>18}{decoding / seconds:>10.2%}{receiving / seconds:>11.2%}")
    print(f"alerts {heeding / seconds:.2%}, the rest (the journal's thread, timing) {rest / seconds:.2%}")
    print(f"together {spent / seconds:.1%} of one core\n")


def main() -> None:
    """Without the journal, and with it."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rate", type=float, default=5000.0, help="liquidations per second, all venues together")
    arguments.add_argument("--seconds", type=float, default=15.0)
    told = arguments.parse_args()
    for journaled in (False, True):
        measure(told.rate, told.seconds, journaled)


if __name__ == "__main__":
    main()
