"""The composition root: wires the parts, owns the tasks and the shutdown of one run."""

from __future__ import annotations

import asyncio
import difflib
import importlib.metadata
import multiprocessing
import os
import platform
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

import liquake
from liquake.alerts.actions import action_table
from liquake.alerts.notifier import Notifier
from liquake.alerts.situation import situation_of
from liquake.analytics import models
from liquake.analytics.cascade import Model
from liquake.analytics.latency import Latency
from liquake.analytics.refit import refitted
from liquake.clock import SECOND, Clock, ManualClock, WallClock
from liquake.config import Settings
from liquake.engine.engine import WATCHED, Engine
from liquake.engine.snapshot import Latest, Snapshot, Statistics
from liquake.errors import (
    ExportError,
    InstrumentsError,
    JournalBusy,
    Offline,
    RecordingError,
    SettingError,
    SimulatorError,
    UnknownMarket,
)
from liquake.ingest.recording import is_journal, read_csv, read_span
from liquake.ingest.replay import Replay
from liquake.ingest.rest import fetch_instruments
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import (
    Event,
    FeedState,
    FeedStatus,
    Instruments,
    Liquidation,
    Price,
    Quote,
    Trade,
    asset_of,
    market_of,
)
from liquake.model.alert import Alert
from liquake.simulate.presets import find_preset
from liquake.storage.check import Finding, check_journal, check_store
from liquake.storage.journal import Journal, default_path
from liquake.storage.reader import JournalReader, read_journal
from liquake.tiers import Tiers, examine, redis_of, sinks_of, tiers
from liquake.tui.pages import wanted
from liquake.tui.picture import Picture, View
from liquake.tui.plain import PlainScreen, speaks_unicode
from liquake.tui.statistics import alerts_text, statistics_csv, statistics_json, statistics_text
from liquake.tui.status import JournalStatus, Mode, Status
from liquake.tui.theme import load_theme
from liquake.venues import VENUES, Venue, find_venue
from liquake.venues.assets import KNOWN_ASSETS
from liquake.venues.frames import decoded, read_line

if TYPE_CHECKING:
    from liquake.attach import Attached

DEMO_SCENARIO = "flash"
DEMO_SEED = 7
_DEMO_START = 10.0
"""Seconds the simulator may take to say where its venues are."""
_ALERTS = 200
"""Alerts kept for whoever looks."""
_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
_WATCHED = 5
"""Markets that have probabilities of their own, at most: each costs as much as everything else."""
_REFIT_EVERY = 60.0
"""Seconds between two fits of who excites whom."""
_REFIT_LEAST = 500
"""Liquidations that such a fit wants."""
_PROBE = 12.0
"""Seconds `doctor` listens to a venue, """
_ATTEMPTS = 3
"""and connections it sees fail before it says so."""

_Tell = Callable[[asyncio.Event, asyncio.Task[None]], Coroutine[Any, Any, None]]


class Session:
    """One run: the engine, the journal, and what a screen asks of both.

    `receive` is the way of every event, from sockets and recordings alike. It is called from the event loop alone.
    """

    def __init__(
        self, engine: Engine, clock: Clock, status: Status, journal: Journal | None, assets: Collection[str] | None
    ) -> None:
        self.engine, self.clock, self.journal, self.assets = engine, clock, journal, assets
        self.replay: Replay | None = None
        self.tiers = Tiers()
        self.notifier = Notifier()
        self.alerts: deque[Alert] = deque(maxlen=_ALERTS)
        """The newest last."""
        self.hear: Callable[[Event], None] | None = None
        """Told of every event that is no price."""
        self._status = status
        self._latency = Latency()
        self._journal_trouble = ""

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Apply `events` and keep them; those of assets nobody asked for are left out."""
        if self.assets is not None:
            events = [event for event in events if self._wanted(event)]
        apply = self.engine.apply
        for event in events:
            apply(event)
        self._latency.update(self.clock.now() - ts_recv)
        if self.journal is not None:
            self.journal.record(events, frame or None, connection)
        if self.hear is not None:
            for event in events:
                if not isinstance(event, Price):
                    self.hear(event)

    def heed(self) -> None:
        """Look for what deserves an alert: once a second, however often a screen looks."""
        markets = tuple({risk.market for risk in self.engine.risks()})
        self.alerts += self.notifier.update(situation_of(self.snapshot(markets)))

    def emit(self, event: Event) -> None:
        """Apply one event of a recording."""
        if self._wanted(event):
            self.engine.apply(event)

    def _wanted(self, event: Event) -> bool:
        assets = self.assets
        return assets is None or not isinstance(event, Liquidation | Price | Quote | Trade) or event.asset in assets

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        """The engine at this moment. Of a recording, only the venues that are in it."""
        snapshot = self.engine.snapshot(self.clock.now(), markets, charts, largest)
        if self.replay is None:
            return snapshot
        seen = tuple(venue for venue in snapshot.venues if venue.last_recv is not None or venue.connections)
        return msgspec.structs.replace(snapshot, venues=seen)

    def latest(self) -> Latest:
        """The tape at this moment."""
        return self.engine.latest()

    def statistics(self) -> Statistics:
        """The session so far."""
        return self.engine.statistics()

    def status(self) -> Status:
        """The session around the engine."""
        replay = self.replay
        return msgspec.structs.replace(
            self._status,
            now=self.clock.now(),
            journal=self._journal_status(),
            redis=self.tiers.words("redis"),
            database=self.tiers.words("database"),
            state_latency=self._latency.value(),
            alerts=tuple(self.alerts),
            alerting=replay is None,
            actions=action_table(),
            speed=None if replay is None else replay.speed,
            progress=None if replay is None else replay.progress,
            ended=replay is not None and replay.finished,
        )

    def seek(self, seconds: float) -> bool:
        """Move a recording by `seconds` of its own time. Whether there is one that can be moved there."""
        return self.replay is not None and self.replay.seek(self.clock.now() + round(seconds * SECOND))

    def set_speed(self, speed: float | None) -> bool:
        """Let a recording run at `speed` seconds per second. Whether there is one."""
        if self.replay is not None:
            self.replay.speed = speed
        return self.replay is not None

    def without_journal(self, trouble: str) -> None:
        """Say on every picture why nothing is kept."""
        self._journal_trouble = trouble

    def _journal_status(self) -> JournalStatus | None:
        if self.journal is None:
            return JournalStatus(error=self._journal_trouble) if self._journal_trouble else None
        kept = self.journal.statistics()
        last = None if kept.commit_age is None else self.clock.now() - round(kept.commit_age * SECOND)
        lost = kept.dropped + kept.dropped_frames + kept.refused
        return JournalStatus(kept.rows, kept.pending, lost, last, kept.trouble)


def monitor(settings: Settings) -> int:
    """Watch the venues themselves, or what another process makes of them."""
    if settings.source == "live":
        return asyncio.run(_watch(settings, Mode.LIVE, settings.endpoints))
    if settings.source == "demo":
        return demo(settings, DEMO_SCENARIO, DEMO_SEED)
    if "://" in settings.source:
        return asyncio.run(_attach(settings))
    return replay(settings, Path(settings.source), 1.0, as_json=False)


async def _attach(settings: Settings) -> int:
    redis = redis_of("source", settings.source)
    redis.check(settings.source)
    from liquake.attach import Attached

    clock = WallClock()
    status = Status(Mode.LIVE, liquake.__version__, clock.now(), clock.now(), refresh=settings.refresh)
    attached = Attached(settings.source, status, clock.now)
    await attached.prove()
    await _run(attached, settings, attached.run())
    return 0


def demo(settings: Settings, scenario: str, seed: int) -> int:
    """Watch simulated venues over real sockets on this machine."""
    find_preset(scenario)
    return asyncio.run(_demo(settings, scenario, seed))


async def _demo(settings: Settings, scenario: str, seed: int) -> int:
    async with _simulator(scenario, seed, settings.exchanges) as addresses:
        with tempfile.TemporaryDirectory(prefix="liquake-demo-") as folder:
            # What never happened must not end up among what did, unless a file is named for it.
            journal = settings.journal or str(Path(folder) / "journal.db")
            told = msgspec.structs.replace(settings, journal=journal, redis="", database="")
            return await _watch(told, Mode.DEMO, addresses, scenario=scenario, seed=seed)


async def _watch(
    settings: Settings, mode: Mode, addresses: Mapping[str, str], *, scenario: str = "", seed: int | None = None
) -> int:
    now = WallClock().now()
    status = Status(mode, liquake.__version__, now, now, refresh=settings.refresh, scenario=scenario, seed=seed)
    journal, trouble = _open_journal(settings.journal)
    venues = [find_venue(name) for name in settings.exchanges]
    async with _gathering(settings, status, addresses, journal) as (session, work):
        session.without_journal(trouble)
        await _run(session, settings, work)
    _leave(session, venues, settings)
    return 0


def collect(settings: Settings) -> int:
    """Watch the venues without a screen."""
    return asyncio.run(_collect(settings))


async def _collect(settings: Settings) -> int:
    from liquake.collector import Collector
    from liquake.log import Log

    if settings.journal == "off":
        raise SettingError("journal", "off", "what is collected goes into it: name a file, or leave it out")
    clock, log = WallClock(), Log(sys.stderr.buffer)
    now = clock.now()
    status = Status(Mode.LIVE, liquake.__version__, now, now)
    journal = Journal(Path(settings.journal) if settings.journal else default_path())
    async with _gathering(settings, status, settings.endpoints, journal) as (session, work):
        collector = Collector(log, journal, session.tiers, clock.now)
        session.hear = collector.hear
        stores = [sink.address for sink in sinks_of(settings)]
        log.write(
            "started",
            now,
            version=liquake.__version__,
            exchanges=settings.exchanges,
            journal=str(journal.path),
            stores=stores,
        )
        await _run(session, settings, work, collector.run)
        await journal.flushed()
        drained = await session.tiers.drained()
        collector.progress("stopped" if drained else "stopped with rows still to send")
    return 0


def analyze(settings: Settings) -> int:
    """Keep the engine's numbers of a stream that others fill."""
    return asyncio.run(_analyze(settings))


async def _analyze(settings: Settings) -> int:
    if not settings.redis:
        raise SettingError("redis", "", "give the address of the stream with --redis: redis://host:6379/0")
    redis_of("redis", settings.redis).check(settings.redis)
    from liquake.analysis import Analysis
    from liquake.log import Log

    analysis = Analysis(settings, Log(sys.stderr.buffer), WallClock().now)
    await analysis.prove()
    await _run(None, settings, analysis.run(), analysis.tell)
    return 0


@asynccontextmanager
async def _gathering(
    settings: Settings, status: Status, addresses: Mapping[str, str], journal: Journal | None
) -> AsyncIterator[tuple[Session, Coroutine[Any, Any, None]]]:
    """A session on the venues with its journal and what stands behind it, and the work that feeds it."""
    try:
        venues = [find_venue(name) for name in settings.exchanges]
        # The simulated exchanges list a few coins only, so there every name has to be asked for.
        known = frozenset[str]() if status.mode is Mode.DEMO else KNOWN_ASSETS
        assets = await _assets(settings.symbols, venues, addresses, known)
        # It hands standard error to the process that fits; once the screen has taken that over there is none to hand.
        resource_tracker.ensure_running()
        clock = WallClock()
        session = Session(_engine(venues, settings, models=_models(status.mode)), clock, status, journal, assets)
        feeds = feeds_of(venues, clock, session.receive, assets=assets, addresses=addresses)
        async with tiers(settings, journal, session.snapshot, clock.now) as session.tiers:
            yield session, _watched(session, supervise(feeds))
    finally:
        if journal is not None:
            await asyncio.to_thread(journal.close)


def replay(settings: Settings, file: Path, speed: float | None, *, as_json: bool) -> int:
    """A recording through the same engine and screens."""
    return asyncio.run(_replay(settings, file, speed, as_json=as_json))


async def _replay(settings: Settings, file: Path, speed: float | None, *, as_json: bool) -> int:
    assets = await _assets(settings.symbols, (), {}, _assets_in(file) if settings.symbols else frozenset())
    events, span = _recording(file)
    clock = ManualClock(span[0] if span else 0)
    status = Status(
        Mode.REPLAY,
        liquake.__version__,
        clock.now(),
        clock.now(),
        refresh=settings.refresh,
        recording=file.name,
        speed=speed,
    )
    known = tuple(VENUES.values())

    def fresh() -> Engine:
        return _engine(known, settings, models=_models(Mode.REPLAY))

    session = Session(fresh(), clock, status, None, assets)

    def again() -> Iterator[Event]:
        session.engine = fresh()
        return _events(file)

    session.replay = Replay(events, session.emit, clock, speed=speed, span=span, again=again)
    if as_json:
        await session.replay.run()
        sys.stdout.write(statistics_json(session.statistics()) + "\n")
        return 0
    await _run(session, settings, session.replay.run(stay=_full_screen(settings)))
    statistics = session.statistics()
    seen = {*statistics.by_venue, *statistics.sampled}
    _leave(session, [venue for venue in known if venue.name in seen], settings)
    return 0


def _recording(file: Path) -> tuple[Iterator[Event], tuple[int, int] | None]:
    """The events of a recording and when the first and last were received. Raises `RecordingError`."""
    if not is_journal(file):
        return _events(file), read_span(file)
    with JournalReader(file) as reader:
        return _events(file), reader.span()


def _events(file: Path) -> Iterator[Event]:
    return iter(read_journal(file) if is_journal(file) else read_csv(file))


def _assets_in(file: Path) -> frozenset[str]:
    """The assets a recording speaks of."""
    return frozenset(event.asset for event in _recording(file)[0] if isinstance(event, Liquidation | Price))


def decode(venue_name: str, file: Path | None, instrument_files: Sequence[Path]) -> int:
    """Raw frames to one JSON line each: the events in it and what could not be read."""
    venue = find_venue(venue_name)
    instruments = Instruments()
    for path in instrument_files:
        try:
            instruments.update(venue.read_instruments(path.read_bytes()))
        except OSError as error:
            raise RecordingError(path, f"{error.strerror}; give the exchange's own instruments answer") from None
        except InstrumentsError as error:
            raise RecordingError(path, f"not an instruments answer of {venue.name}: {error}") from None
    decoder = venue.decoder("decode", instruments)
    clock = WallClock()
    with _lines(file) as lines:
        for line in lines:
            if line.strip():
                answer = decoded(decoder, read_line(line), clock.now())
                sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.flush()
    return 0


@contextmanager
def _lines(file: Path | None) -> Iterator[Iterable[bytes]]:
    if file is None:
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise RecordingError(file, f"{error.strerror}; give a file of frames, one per line") from None
    with opened:
        yield opened


def export(settings: Settings, kind: str, output: Path | None, **selected: Any) -> int:
    """What the journal holds of what is `selected` (see `Selection`), to a file or to standard output."""
    from liquake.storage.export import Selection
    from liquake.storage.export import export as write

    selection = Selection(**selected)
    journal = _journal_path(settings.journal)
    if output is None:
        write(journal, kind, sys.stdout.buffer, selection)
        sys.stdout.flush()
        return 0
    with _progress(output.name) as progress:
        count = write(journal, kind, output, selection, progress)
    sys.stdout.write(f"{count:,} liquidations in {output}\n")
    return 0


@contextmanager
def _progress(name: str) -> Iterator[Callable[[float], None]]:
    """A bar on the terminal's error stream; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda done: bar.update(task, completed=done)


def check(settings: Settings, *, as_json: bool) -> int:
    """Whether what is stored can be true, and is the same wherever it is stored."""
    from liquake.tui.listing import check_text

    findings = [msgspec.structs.asdict(finding) for finding in asyncio.run(_check(settings))]
    if as_json:
        _print_json(findings)
    else:
        sys.stdout.write(check_text(findings))
    return 0 if all(finding["ok"] for finding in findings) else 1


async def _check(settings: Settings) -> list[Finding]:
    path = _journal_path(settings.journal)
    findings = await asyncio.to_thread(check_journal, path)
    for sink in sinks_of(settings):
        findings += await check_store(sink, path, WallClock().now())
    return findings


def venues(*, as_json: bool) -> int:
    """What each venue's feed contains, means and leaves out."""
    from liquake.tui.listing import venues_text

    rows = [
        {
            "venue": venue.name,
            "title": venue.title,
            "coverage": venue.coverage.kind.value,
            "contains": venue.coverage.sentence,
            "since": venue.coverage.since,
            "throttle": venue.coverage.throttle.value,
            **msgspec.structs.asdict(venue.facts),
            "endpoints": [msgspec.structs.asdict(endpoint) for endpoint in venue.endpoints],
        }
        for venue in VENUES.values()
    ]
    if as_json:
        _print_json(rows)
    else:
        sys.stdout.write(venues_text(rows, shutil.get_terminal_size().columns))
    return 0


def doctor(settings: Settings, *, as_json: bool) -> int:
    """What works on this machine."""
    from liquake.tui.listing import doctor_text

    found = asyncio.run(_examine(settings))
    if as_json:
        _print_json(found)
    else:
        sys.stdout.write(doctor_text(found))
    dead = [row["venue"] for row in found["venues"] if not row["answers"]]
    if len(dead) == len(found["venues"]):
        raise Offline(dead)
    lost = [row["store"] for row in found["stores"] if row["trouble"]]
    return 1 if dead or lost or found["data folder"]["trouble"] else 0


async def _examine(settings: Settings) -> dict[str, Any]:
    chosen = [find_venue(name) for name in settings.exchanges]
    answers = await asyncio.gather(*(_probe(venue, settings.endpoints.get(venue.name)) for venue in chosen))
    return {
        "versions": {
            "liquake": liquake.__version__,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": platform.platform(terse=True),
            **{name: importlib.metadata.version(name) for name in ("aiohttp", "msgspec", "textual")},
        },
        "terminal": {
            "interactive": _has_terminal(),
            "term": os.environ.get("TERM", ""),
            "encoding": sys.stdout.encoding,
            "colour": "NO_COLOR" not in os.environ,
            "size": "x".join(map(str, shutil.get_terminal_size())),
        },
        "data folder": _examine_journal(settings.journal),
        "stores": await examine(settings, _journal_path(settings.journal)),
        "venues": answers,
    }


def _journal_path(told: str) -> Path:
    return Path(told) if told and told != "off" else default_path()


def _examine_journal(told: str) -> dict[str, Any]:
    path = _journal_path(told)
    folder = next(parent for parent in path.parents if parent.exists())
    trouble = "" if os.access(folder, os.W_OK) else f"{folder} cannot be written: choose another file with --journal"
    free = shutil.disk_usage(folder).free
    return {"journal": str(path), "exists": path.exists(), "free bytes": free, "trouble": trouble}


async def _probe(venue: Venue, address: str | None) -> dict[str, Any]:
    """Listen to one venue as `monitor` would, until a price comes and every subscription is settled."""
    heard: list[Event] = []
    settled = asyncio.Event()

    def receive(events: Sequence[Event], *_: object) -> None:
        heard.extend(events)
        failed = sum(isinstance(event, FeedStatus) and event.state is FeedState.DISCONNECTED for event in heard)
        if failed >= _ATTEMPTS or any(isinstance(event, Price | Trade) for event in events):
            settled.set()

    addresses = {} if address is None else {venue.name: address}
    feeds = feeds_of([venue], WallClock(), receive, assets={"BTC"}, addresses=addresses)
    listening = asyncio.create_task(supervise(feeds))
    try:
        async with asyncio.timeout(_PROBE):
            await settled.wait()
    except TimeoutError:
        pass
    finally:
        await _ended(listening)
    statuses = [event for event in heard if isinstance(event, FeedStatus)]
    refused = [s.reason for s in statuses if s.state in (FeedState.REJECTED, FeedState.DISCONNECTED)]
    answers = any(isinstance(event, Price | Trade) for event in heard)
    return {
        "venue": venue.name,
        "answers": answers,
        "instruments": len(feeds[0].instruments),
        "subscribed": sum(status.state is FeedState.SUBSCRIBED for status in statuses),
        "trouble": refused[-1] if refused and not answers else "",
    }


async def _run(
    session: Session | Attached | None,
    settings: Settings,
    work: Coroutine[Any, Any, None],
    tell: _Tell | None = None,
) -> None:
    """Do `work` and show or `tell` it until the reader leaves, the time is up or a signal comes.

    A fault in `work` is raised.
    """
    working = asyncio.create_task(work)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if tell is None:
        assert session is not None
        show = (_draw if _full_screen(settings) else _print)(session, settings, working, stop)
    else:
        show = tell(stop, working)
    try:
        async with asyncio.timeout(settings.duration):
            await show
    except TimeoutError:
        pass
    finally:
        await _ended(working)


async def _print(
    session: Session | Attached, settings: Settings, working: asyncio.Task[None], stop: asyncio.Event
) -> None:
    """A picture as text each refresh. A recording's last picture is shown however short it was."""
    screen, theme = PlainScreen(sys.stdout), load_theme(settings.theme, unicode=speaks_unicode(sys.stdout))
    view = View(page=settings.view)
    stopping = asyncio.create_task(stop.wait())
    try:
        while not working.done() and not stop.is_set():
            # At full speed there is nothing to see on the way.
            timeout = None if session.replay is not None and session.replay.speed is None else settings.refresh
            await asyncio.wait((working, stopping), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            screen.show(Picture(session.snapshot(*wanted(view)), session.status(), view, theme))
    finally:
        stopping.cancel()


async def _draw(
    session: Session | Attached, settings: Settings, working: asyncio.Task[None], stop: asyncio.Event
) -> None:
    """The screen, until the reader leaves. It stays after the end of a recording; a fault in `working` ends it."""
    from liquake.tui.app import MonitorApp, Options

    application = MonitorApp(
        session, Options(settings.refresh, settings.theme, speaks_unicode(sys.stdout), View(page=settings.view))
    )
    showing = asyncio.create_task(application.run_async())
    stopping = asyncio.create_task(stop.wait())
    waiting: set[asyncio.Task[Any]] = {showing, stopping, working}
    try:
        while not (showing.done() or stopping.done() or (working.done() and working.exception())):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting.discard(working)
    finally:
        stopping.cancel()
        if not showing.done():
            application.exit()
        await showing


def _full_screen(settings: Settings) -> bool:
    return not settings.plain and _has_terminal()


def _has_terminal() -> bool:
    """Whether a full screen can be drawn: Textual itself does not ask, and draws on standard error."""
    standard = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in standard) and os.environ.get("TERM", "dumb") not in ("", "dumb")


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel `task` and wait for its end. What it failed with, if it failed, is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def _simulator(scenario: str, seed: int, names: Sequence[str]) -> AsyncIterator[dict[str, str]]:
    """Simulated venues in a process of their own: their addresses by venue. They end when we do, however we end."""
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "liquake.simulate", "--scenario", scenario, "--seed", str(seed)),
            *("--venues", *names),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            # Ctrl+C in the terminal is for us to answer; the simulator ends when its standard input does.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_DEMO_START):
                line = await process.stdout.readline()
            if not line:
                complaints.seek(0)
                raise SimulatorError(complaints.read().decode("utf-8", "replace").strip() or "it ended at once")
            yield msgspec.json.decode(line, type=dict[str, str])
        except TimeoutError:
            raise SimulatorError(f"it was not ready within {_DEMO_START:g} s") from None
        finally:
            process.stdin.close()
            await _gone(process)


async def _gone(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(3.0):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _engine(chosen: Sequence[Venue], settings: Settings, models: Sequence[Model] = ()) -> Engine:
    coverages = {venue.name: venue.coverage for venue in chosen}
    named = [market_of(asset) for symbol in settings.symbols if (asset := asset_of(symbol))]
    watched = tuple(dict.fromkeys(named))[:_WATCHED] or WATCHED
    return Engine(coverages, include_samples=settings.samples, watched=watched, models=models)


def _models(mode: Mode) -> list[Model]:
    """The cascade models that ship, those fitted on simulated markets last: where they speak, `Risk` says so."""
    simulated = [models.shipped(name) for name in models.names() if name.startswith("simulated")]
    recorded = [models.shipped(name) for name in models.names() if not name.startswith("simulated")]
    if mode is Mode.REPLAY:
        # Nobody knows which venues a recording lacks: a model of all of them would forecast on some.
        return recorded
    return simulated if mode is Mode.DEMO else [*recorded, *simulated]


async def _watched(session: Session, work: Coroutine[Any, Any, None]) -> None:
    """`work`, beside what a session needs of the clock: seconds that pass without an event, and refits."""
    tending = asyncio.create_task(_tend(session))
    refitting = asyncio.create_task(_refit(session.engine))
    try:
        await work
    finally:
        await _ended(tending)
        await _ended(refitting)


async def _tend(session: Session) -> None:
    while True:
        await asyncio.sleep(1.0)
        session.engine.advance(session.clock.now())
        session.heed()


async def _refit(engine: Engine) -> None:
    """Now and then fit who excites whom on the last liquidations, in a process of its own: it takes half a second."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_stand_back) as pool:
        # Starting the process holds the loop up for a moment: now, before there is anything to miss.
        pool.submit(int)
        while True:
            await asyncio.sleep(_REFIT_EVERY)
            tape = engine.recent()
            if len(tape) < _REFIT_LEAST:
                continue
            try:
                found = await asyncio.get_running_loop().run_in_executor(pool, refitted, tape)
            except BrokenProcessPool:
                # The machine ended it. The matrix is worth showing, not worth more than that.
                return
            if found is not None:
                engine.adopt(found)


def _stand_back() -> None:
    """In the fitting process: give way to the session, and leave Ctrl+C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)


def _open_journal(told: str) -> tuple[Journal | None, str]:
    """The journal, or none and why. Another liquake writing it is no reason not to watch."""
    if told == "off":
        return None, ""
    try:
        return Journal(Path(told) if told else default_path()), ""
    except JournalBusy as busy:
        return None, str(busy)


async def _assets(
    symbols: Sequence[str], chosen: Sequence[Venue], addresses: Mapping[str, str], known: Collection[str]
) -> frozenset[str] | None:
    """The assets meant by `symbols`, or `None` for all. What is not `known` must be listed by one of the venues.

    Raises `UnknownMarket`.
    """
    assets = {symbol: asset_of(symbol) for symbol in symbols}
    for symbol, asset in assets.items():
        if asset is None:
            raise UnknownMarket(symbol, "write it like BTC, BTCUSDT or btc-usdt-swap")
    strange = {symbol: asset for symbol, asset in assets.items() if asset not in known}
    if strange:
        listed = {*known, *await _listed(chosen, addresses)}
        for symbol, asset in strange.items():
            if asset not in listed:
                near = difflib.get_close_matches(str(asset), listed, 3) or [each for each in _MAJORS if each in listed]
                raise UnknownMarket(symbol, f"nothing here lists {asset}; is it one of {', '.join(near)}?")
    return frozenset(asset for asset in assets.values() if asset) or None


async def _listed(chosen: Sequence[Venue], addresses: Mapping[str, str]) -> set[str]:
    """Every asset listed by a venue that answers."""
    if not chosen:
        return set()
    async with aiohttp.ClientSession() as client:
        answers = await asyncio.gather(
            *(fetch_instruments(client, venue, addresses.get(venue.name)) for venue in chosen), return_exceptions=True
        )
    return {instrument.asset for answer in answers if isinstance(answer, list) for instrument in answer}


def _print_statistics(statistics: Statistics, shown: Sequence[Venue]) -> None:
    coverages = {venue.name: venue.coverage for venue in shown}
    sys.stdout.write("\n" + statistics_text(statistics, coverages, unicode=speaks_unicode(sys.stdout)))
    sys.stdout.flush()


def _leave(session: Session, shown: Sequence[Venue], settings: Settings) -> None:
    """Print the session's statistics, and write them where the reader wants them. Raises `ExportError`."""
    statistics = session.statistics()
    _print_statistics(statistics, shown)
    sys.stdout.write(alerts_text(session.alerts))
    if settings.export_on_exit:
        path = Path(settings.export_on_exit)
        text = statistics_json(statistics) + "\n" if path.suffix == ".json" else statistics_csv(statistics)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ExportError(path, error.strerror or str(error)) from None
        sys.stdout.write(f"\nwritten to {path}\n")


def _print_json(what: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(what), indent=2) + b"\n")
    sys.stdout.flush()
