"""The composition root: wires the parts, owns the tasks and the shutdown of one run."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Thread
from typing import Any

import liquake
from liquake.analytics import models
from liquake.analytics.cascade import Model
from liquake.analytics.refit import refitted
from liquake.clock import WallClock
from liquake.collector import collect_alone
from liquake.config import Settings
from liquake.engine.engine import WATCHED, Engine
from liquake.errors import JournalBusy
from liquake.garbage import collected
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.markets import assets_of
from liquake.model import asset_of, market_of
from liquake.recall import resume
from liquake.run import Run
from liquake.storage.journal import Journal, default_path
from liquake.terminal import Tell, leave, on_terminal
from liquake.tiers import tiers
from liquake.tui.status import Mode, Status
from liquake.venues import Venue, find_venues
from liquake.venues.assets import KNOWN_ASSETS

SWITCH_EVERY = 0.0005
"""Seconds that a thread may keep the interpreter from another: Python's own 5 ms are many events."""
_WATCHED = 5
"""Markets that have probabilities of their own, at most: each costs as much as everything else."""
_REFIT_EVERY = 60.0
"""Seconds between two fits of who excites whom."""
_REFIT_PROCESS_AFTER = 2.0
"""Seconds before the process that fits is started: it would take the first picture its time."""
_REFIT_LEAST = 500
"""Liquidations that such a fit wants."""


async def watch(
    settings: Settings,
    mode: Mode,
    addresses: Mapping[str, str],
    *,
    scenario: str = "",
    seed: int | None = None,
    lasting: bool = True,
) -> int:
    """Watch venues at their `addresses`, their own where none is given, until the reader leaves.

    Where the terminal hangs up it goes on for the journal alone; without one that is `lasting` there is nothing to go on
    for, and it ends.
    """
    now = WallClock().now()
    status = Status(mode, liquake.__version__, now, now, refresh=settings.refresh, scenario=scenario, seed=seed)
    journal, trouble = _open_journal(settings.journal)
    venues = find_venues(settings.exchanges)
    async with gathering(settings, status, addresses, journal) as (run, work):
        run.without_journal(trouble)
        alone = None if journal is None or not lasting else partial(collect_alone, run, journal)
        await perform(work, settings, on_terminal(run, settings, alone))
    leave(run, venues, settings)
    return 0


def _open_journal(told: str) -> tuple[Journal | None, str]:
    """The journal, or none and why. Another liquake writing it is no reason not to watch."""
    if told == "off":
        return None, ""
    try:
        return Journal(Path(told) if told else default_path()), ""
    except JournalBusy as busy:
        return None, str(busy)


@asynccontextmanager
async def gathering(
    settings: Settings, status: Status, addresses: Mapping[str, str], journal: Journal | None
) -> AsyncIterator[tuple[Run, Coroutine[Any, Any, None]]]:
    """A run on the venues with its journal and what stands behind it, and the work that feeds it."""
    try:
        venues = find_venues(settings.exchanges)
        # The simulated exchanges list a few coins only, so there every name has to be asked for.
        known = frozenset[str]() if status.mode is Mode.DEMO else KNOWN_ASSETS
        assets = await assets_of(settings.symbols, venues, addresses, known)
        # It hands standard error to the process that fits; once the screen has taken that over there is none to hand.
        resource_tracker.ensure_running()
        clock = WallClock()
        run = Run(engine_of(venues, settings, models_of(settings, status.mode)), clock, status, journal, assets)
        feeds = feeds_of(venues, clock, run.receive, assets=assets, addresses=addresses, accounts=settings.accounts)
        if journal is not None:
            run.recalled, gaps = await resume(run, journal, settings)
            for feed in feeds:
                feed.missed(gap for gap in gaps if gap.venue == feed.venue.name)
        async with tiers(settings, journal, run.moment, run.snapshot, clock.now) as run.tiers:
            yield run, _watched(run, supervise(feeds))
    finally:
        if journal is not None:
            await asyncio.to_thread(journal.close)


async def perform(work: Coroutine[Any, Any, None], settings: Settings, tell: Tell) -> None:
    """Do `work` and `tell` of it until the reader leaves, the time is up or a signal comes.

    A fault in `work` is raised.
    """
    # What writes the journal and reads it again are threads: the loop is not to wait for each as long as Python lets it.
    sys.setswitchinterval(SWITCH_EVERY)
    working, collecting = asyncio.create_task(work), asyncio.create_task(collected())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Whoever starts it with nohup does not want it to end with the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.timeout(settings.duration):
            await tell(stop, working)
    except TimeoutError:
        pass
    finally:
        await ended(collecting)
        await ended(working)


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel `task` and wait for its end. What it failed with, if it failed, is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def engine_of(chosen: Sequence[Venue], settings: Settings, models: Sequence[Model]) -> Engine:
    """An engine on the `chosen` venues, with probabilities of their own for the markets asked for."""
    coverages = {venue.name: venue.coverage for venue in chosen}
    named = [market_of(asset) for symbol in settings.symbols if (asset := asset_of(symbol))]
    watched = tuple(dict.fromkeys(named))[:_WATCHED] or WATCHED
    return Engine(coverages, include_samples=settings.samples, watched=watched, models=models)


def models_of(settings: Settings, mode: Mode) -> list[Model]:
    """The user's own cascade models, then those that ship, those fitted on simulated markets last: where they speak,
    `Risk` says so. Raises `SettingError`."""
    own = models.read(Path(settings.models)) if settings.models else []
    simulated = [models.shipped(name) for name in models.names() if name.startswith("simulated")]
    recorded = [models.shipped(name) for name in models.names() if not name.startswith("simulated")]
    if mode is Mode.REPLAY:
        # Nobody knows which venues a recording lacks: a model of all of them would forecast on some.
        return [*own, *recorded]
    return [*own, *simulated] if mode is Mode.DEMO else [*own, *recorded, *simulated]


async def _watched(run: Run, work: Coroutine[Any, Any, None]) -> None:
    """`work`, beside what a run needs of the clock: seconds that pass without an event, and refits."""
    tending = asyncio.create_task(_tend(run))
    refitting = asyncio.create_task(refit(lambda: run.engine))
    try:
        await work
    finally:
        await ended(tending)
        await ended(refitting)


async def _tend(run: Run) -> None:
    while True:
        await asyncio.sleep(1.0)
        run.tend()


async def refit(engine: Callable[[], Engine]) -> None:
    """Now and then fit who excites whom on the last liquidations, in a process of its own: it takes half a second."""
    # Where the machine has no such process, or ended it: the matrix is worth showing, not worth more than that.
    with suppress(BrokenProcessPool, OSError):
        await _refit(engine)


async def _refit(engine: Callable[[], Engine]) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_stand_back) as pool:
        await asyncio.sleep(_REFIT_PROCESS_AFTER)
        # Starting it would hold the loop up for ten milliseconds.
        await asyncio.to_thread(pool.submit, int)
        while True:
            await asyncio.sleep(_REFIT_EVERY)
            tape = engine().recent()
            if len(tape) < _REFIT_LEAST:
                continue
            found = await asyncio.get_running_loop().run_in_executor(pool, refitted, tape)
            if found is not None:
                engine().adopt(found)


def _stand_back() -> None:
    """In the fitting process: give way to the run, and leave Ctrl+C and the end of the terminal to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.nice(10)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A run that is killed cannot tell its processes, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
