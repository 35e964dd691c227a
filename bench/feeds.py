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
from pathlib import Path

from bench.corpora import corpora
from bench.corpora.corpus import Corpus, Steady
from bench.decode import decode_of

from liquake.app import engine_of, models_of
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.model import Event, Instruments
from liquake.run import Run
from liquake.storage.journal import Journal
from liquake.tui.status import Mode, Status
from liquake.venues.registry import VENUES

_SAMPLE = 400
_TURN = 0.01
"""Seconds between two looks at what has come."""


class Lane:
    """The frames of one venue, and what they took."""

    def __init__(self, corpus: Corpus, instruments: Instruments, frames: Sequence[bytes], liquidations: int) -> None:
        self.venue, self.connection, self.frames, self.liquidations = (
            corpus.venue,
            corpus.connection,
            frames,
            liquidations,
        )
        self.read = decode_of(corpus, instruments)
        self.polled = corpus.reader is not None
        self.given = 0
        self.decoding = self.receiving = 0.0

    def give(self, share: float, receive: Callable[[Sequence[Event], bytes, str, int], None]) -> None:
        """Give `receive` what has come when `share` of the time is over. Processor seconds are counted."""
        until = min(len(self.frames), int(len(self.frames) * share))
        for frame in self.frames[self.given : until]:
            now = time.time_ns()
            begun = time.thread_time()
            events = self.read(frame, now)
            decoded = time.thread_time()
            if events:
                receive(events, b"" if self.polled else frame, self.connection, now)
            self.decoding += decoded - begun
            self.receiving += time.thread_time() - decoded
        self.given = until


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
    made = list(corpus.frames(Steady(corpus.venue, time.time() * 1000.0, step), count))
    return Lane(corpus, corpus.instruments(), [frame for frame, _ in made], sum(number for _, number in made))


def run_of(journal: Journal | None) -> Run:
    """A run as the program has it."""
    now, settings = time.time_ns(), Settings()
    engine = engine_of(list(VENUES.values()), settings, models_of(settings, Mode.LIVE))
    return Run(engine, WallClock(), Status(Mode.LIVE, "bench", now, now), journal, None)


def measure(rate: float, seconds: float, journaled: bool) -> None:
    """Run it and print."""
    parts = chosen()
    lanes = [lane_of(corpus, rate / len(parts), seconds) for corpus in parts]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        journal = stack.enter_context(Journal(Path(folder) / "journal.db")) if journaled else None
        run = run_of(journal)
        begun, worked = time.monotonic(), time.process_time()
        heeding = give_all(lanes, run, begun, seconds)
        if journal is not None:
            journal.flush()
        spent, took = time.process_time() - worked, time.monotonic() - begun
        kept = journal.statistics().rows if journal is not None else None
        report(lanes, run, kept, spent, took, heeding)


def give_all(lanes: Sequence[Lane], run: Run, begun: float, seconds: float) -> float:
    """Give everything when its time has come. Returns the processor seconds of looking for alerts."""
    heeding, looked = 0.0, begun
    while any(lane.given < len(lane.frames) for lane in lanes):
        now = time.monotonic()
        for lane in lanes:
            lane.give((now - begun) / seconds, run.receive)
        if now - looked >= 1.0:
            looked, before = now, time.thread_time()
            run.engine.advance(run.clock.now())
            run.heed()
            heeding += time.thread_time() - before
        time.sleep(max(0.0, now + _TURN - time.monotonic()))
    return heeding


def report(lanes: Sequence[Lane], run: Run, kept: int | None, spent: float, took: float, heeding: float) -> None:
    """The shares of one core, by venue and over all."""
    offered = sum(lane.liquidations for lane in lanes)
    venues = run.snapshot().venues
    # Made by chance, a few are the same.
    counted, again = sum(each.events + each.sampled for each in venues), sum(each.duplicates for each in venues)
    if counted + again != offered or again > offered / 1000 or (kept is not None and kept != counted):
        raise SystemExit(f"{offered} liquidations were given, {counted} counted, {again} dropped, {kept} kept")
    title = "journal off" if kept is None else "journal on"
    print(f"{title}: {offered / took:,.0f} liquidations/s, per cent of one core")
    print(f"{'venue':<12}{'frames/s':>10}{'liq./s':>8}{'decoding':>10}{'receiving':>11}")
    for lane in lanes:
        print(
            f"{lane.venue:<12}{len(lane.frames) / took:>10,.0f}{lane.liquidations / took:>8,.0f}"
            f"{lane.decoding / took:>10.2%}{lane.receiving / took:>11.2%}"
        )
    decoding, receiving = sum(lane.decoding for lane in lanes), sum(lane.receiving for lane in lanes)
    rest = spent - decoding - receiving - heeding
    print(f"{'all':<12}{'':>18}{decoding / took:>10.2%}{receiving / took:>11.2%}")
    print(f"alerts {heeding / took:.2%}, the rest (the journal's thread, timing) {rest / took:.2%}")
    print(f"together {spent / took:.1%} of one core\n")


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
