"""The composition root: wires the parts, owns the tasks and the shutdown of one run."""

from __future__ import annotations

import asyncio
import difflib
import importlib.metadata
import os
import platform
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

import liquake
from liquake.analytics.latency import Latency
from liquake.clock import SECOND, Clock, ManualClock, WallClock
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.engine.snapshot import Latest, Snapshot, Statistics
from liquake.errors import (
    ExportError,
    InstrumentsError,
    JournalBusy,
    RecordingError,
    SimulatorError,
    UnknownMarket,
    Unreachable,
)
from liquake.ingest.recording import is_journal, read_csv, read_span
from liquake.ingest.replay import Replay
from liquake.ingest.rest import fetch_instruments
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, FeedState, FeedStatus, Instruments, Liquidation, Price, Quote, Trade, asset_of
from liquake.storage.journal import Journal, default_path
from liquake.storage.reader import JournalReader, read_journal
from liquake.tui.pages import wanted
from liquake.tui.picture import Picture, View
from liquake.tui.plain import PlainScreen, speaks_unicode
from liquake.tui.statistics import statistics_csv, statistics_json, statistics_text
from liquake.tui.status import JournalStatus, Mode, Status
from liquake.tui.theme import load_theme
from liquake.venues import VENUES, Venue, find_venue
from liquake.venues.assets import KNOWN_ASSETS
from liquake.venues.frames import decoded, read_line

_DEMO_START = 10.0
"""Seconds the simulator may take to say where its venues are."""
_PROBE = 12.0
"""Seconds `doctor` listens to a venue."""


class Session:
    """One run: the engine, the journal, and what a screen asks of both.

    `receive` is the way of every event, from sockets and recordings alike. It is called from the event loop alone.
    """

    def __init__(
        self, engine: Engine, clock: Clock, status: Status, journal: Journal | None, assets: Collection[str] | None
    ) -> None:
        self.engine, self.clock, self.journal, self.assets = engine, clock, journal, assets
        self.replay: Replay | None = None
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
            state_latency=self._latency.value(),
            progress=None if replay is None else replay.progress,
            ended=replay is not None and replay.finished,
        )

    def seek(self, seconds: float) -> bool:
        """Move a recording by `seconds` of its own time. Whether there is one that can be moved there."""
        return self.replay is not None and self.replay.seek(self.clock.now() + round(seconds * SECOND))

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
    """Watch the venues themselves."""
    return asyncio.run(_watch(settings, Mode.LIVE, settings.endpoints))


def demo(settings: Settings, scenario: str, seed: int) -> int:
    """Watch simulated venues over real sockets on this machine."""
    return asyncio.run(_demo(settings, scenario, seed))


async def _demo(settings: Settings, scenario: str, seed: int) -> int:
    async with _simulator(scenario, seed, settings.exchanges) as addresses:
        with tempfile.TemporaryDirectory(prefix="liquake-demo-") as folder:
            # What never happened must not end up among what did, unless a file is named for it.
            journal = settings.journal or str(Path(folder) / "journal.db")
            told = msgspec.structs.replace(settings, journal=journal)
            return await _watch(told, Mode.DEMO, addresses, scenario=scenario, seed=seed)


async def _watch(
    settings: Settings, mode: Mode, addresses: Mapping[str, str], *, scenario: str = "", seed: int | None = None
) -> int:
    venues = [find_venue(name) for name in settings.exchanges]
    # The simulated exchanges list a few coins only, so there every name has to be asked for.
    known = KNOWN_ASSETS if mode is Mode.LIVE else frozenset[str]()
    assets = await _assets(settings.symbols, venues, addresses, known)
    clock = WallClock()
    now = clock.now()
    status = Status(mode, liquake.__version__, now, now, refresh=settings.refresh, scenario=scenario, seed=seed)
    journal, trouble = _open_journal(settings.journal)
    session = Session(_engine(venues, settings), clock, status, journal, assets)
    session.without_journal(trouble)
    feeds = feeds_of(venues, clock, session.receive, assets=assets, addresses=addresses)
    try:
        await _run(session, settings, supervise(feeds))
    finally:
        if journal is not None:
            await asyncio.to_thread(journal.close)
    _leave(session.statistics(), venues, settings)
    return 0


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
    session = Session(_engine(known, settings), clock, status, None, assets)

    def again() -> Iterator[Event]:
        session.engine = _engine(known, settings)
        return _events(file)

    session.replay = Replay(events, session.emit, clock, speed=speed, span=span, again=again)
    if as_json:
        await session.replay.run()
        sys.stdout.write(statistics_json(session.statistics()) + "\n")
        return 0
    await _run(session, settings, session.replay.run(stay=_full_screen(settings)))
    statistics = session.statistics()
    seen = {*statistics.by_venue, *statistics.sampled}
    _leave(statistics, [venue for venue in known if venue.name in seen], settings)
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
    instruments = Instruments(venue.default_instruments())
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
        raise Unreachable("no exchange", "is there a network here? `liquake demo` needs none")
    return 1 if dead or found["data folder"]["trouble"] else 0


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
        "venues": answers,
    }


def _examine_journal(told: str) -> dict[str, Any]:
    path = Path(told) if told and told != "off" else default_path()
    folder = next(parent for parent in path.parents if parent.exists())
    trouble = "" if os.access(folder, os.W_OK) else f"{folder} cannot be written: choose another file with --journal"
    free = shutil.disk_usage(folder).free
    return {"journal": str(path), "exists": path.exists(), "free bytes": free, "trouble": trouble}


async def _probe(venue: Venue, address: str | None) -> dict[str, Any]:
    """Listen to one venue as `monitor` would, until a price comes and every subscription is settled."""
    heard: list[Event] = []
    enough = asyncio.Event()

    def receive(events: Sequence[Event], *_: object) -> None:
        heard.extend(events)
        if any(isinstance(event, Price | Trade) for event in events):
            enough.set()

    addresses = {} if address is None else {venue.name: address}
    feeds = feeds_of([venue], WallClock(), receive, assets={"BTC"}, addresses=addresses)
    listening = asyncio.create_task(supervise(feeds))
    try:
        async with asyncio.timeout(_PROBE):
            await enough.wait()
    except TimeoutError:
        pass
    finally:
        await _ended(listening)
    statuses = [event for event in heard if isinstance(event, FeedStatus)]
    refused = [s.reason for s in statuses if s.state in (FeedState.REJECTED, FeedState.DISCONNECTED)]
    return {
        "venue": venue.name,
        "answers": enough.is_set(),
        "instruments": len(feeds[0].instruments),
        "subscribed": sum(status.state is FeedState.SUBSCRIBED for status in statuses),
        "trouble": refused[-1] if refused and not enough.is_set() else "",
    }


async def _run(session: Session, settings: Settings, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` and show it until the reader leaves, the time is up or a signal comes. A fault in `work` is raised."""
    working = asyncio.create_task(work)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    show = _draw if _full_screen(settings) else _print
    try:
        async with asyncio.timeout(settings.duration):
            await show(session, settings, working, stop)
    except TimeoutError:
        pass
    finally:
        await _ended(working)


async def _print(session: Session, settings: Settings, working: asyncio.Task[None], stop: asyncio.Event) -> None:
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


async def _draw(session: Session, settings: Settings, working: asyncio.Task[None], stop: asyncio.Event) -> None:
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
    """Whether a full screen can be drawn: Textual itself does not ask."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


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


def _engine(chosen: Sequence[Venue], settings: Settings) -> Engine:
    coverages = {venue.name: venue.coverage for venue in chosen}
    return Engine(coverages, include_samples=settings.samples)


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
                near = difflib.get_close_matches(str(asset), listed, 3) or sorted(listed)[:8]
                raise UnknownMarket(symbol, f"{asset} is not listed here; choose from {', '.join(near)}, ...")
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


def _leave(statistics: Statistics, shown: Sequence[Venue], settings: Settings) -> None:
    """Print the session's statistics, and write them where the reader wants them. Raises `ExportError`."""
    _print_statistics(statistics, shown)
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
