"""The stores behind the journal in one run: chosen by the settings, proved, fed, watched, and drained at the end.

Part of the composition root.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from liquake.config import Settings
from liquake.engine.snapshot import Moment, Snapshot
from liquake.errors import ExportError, JournalError, SettingError, SinkError
from liquake.model.alert import Alert
from liquake.storage import archive
from liquake.storage.address import without_password
from liquake.storage.journal import Journal, default_path
from liquake.storage.reader import JournalReader
from liquake.storage.sink import Follower, Sink, SinkState, SinkStatistics, ended
from liquake.storage.tail import COUNTED_AT_MOST, Behind, JournalTail
from liquake.tui.status import Publishing, Sending

if TYPE_CHECKING:
    from liquake.storage.current import StateWriter
    from liquake.storage.feeds import FeedWriter

_PROVE = 3.0
"""Seconds the stores may take to let us in before collecting begins without them."""
_DRAIN = 5.0
"""Seconds they may take at the end for what they do not hold yet; the next run sends the rest."""


_TURN_EVERY = 600.0
"""Seconds between two looks for what is too old for the journal."""


class Tiers:
    """What stands behind the journal of this run."""

    def __init__(
        self,
        followers: Sequence[Follower] = (),
        keys: StateWriter | None = None,
        window: Window | None = None,
        *,
        unwanted: bool = False,
    ) -> None:
        """`unwanted`: there is a Redis, and its keys are left to others."""
        self._followers, self._keys, self._window, self._unwanted = followers, keys, window, unwanted

    def keys(self) -> tuple[str, str]:
        """Who writes the keys of the moment, and why they are not written: empty while they are, or none are wanted."""
        if self._keys is None:
            return "", ""
        state = "WRITING" if self._keys.writing else "LEFT TO ANOTHER"
        return "" if self._keys.trouble else state, self._keys.trouble

    def publishing(self) -> Publishing:
        """Whether what is told goes out."""
        keys = self._keys
        if keys is None:
            return Publishing(Sending.UNWANTED if self._unwanted else Sending.NOBODY)
        return Publishing(Sending.HERE if keys.writing or keys.trouble else Sending.ANOTHER, keys.trouble, keys.sent)

    def window(self) -> str:
        """Why nothing leaves the journal at present, however old it is; empty while all is well."""
        return "" if self._window is None else self._window.trouble

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Publish `alerts` where there is somewhere to."""
        if self._keys is not None:
            for alert in alerts:
                self._keys.tell(alert)

    def statistics(self) -> tuple[SinkStatistics, ...]:
        """How far each store has come."""
        return tuple(follower.statistics() for follower in self._followers)

    def words(self, name: str) -> str:
        """How the store called `name` is doing, in a few words."""
        words = next((sink_words(sink) for sink in self.statistics() if sink.name == name), "off")
        behind = None if self._keys is None or name != "redis" else self._keys.behind
        return words if behind is None else keys_words(words, behind)

    async def drained(self) -> bool:
        """Whether everything in the journal is in each of them, after waiting for it a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                await asyncio.gather(*(follower.drained() for follower in self._followers))
                return True
        return False


class Window:
    """Keeps the journal to its last days: what is older is archived, then deleted, its sums stay.

    Nothing goes that a store behind the journal does not hold yet, or that could not be archived.
    """

    def __init__(
        self, settings: Settings, journal: Journal, followers: Sequence[Follower], now: Callable[[], int]
    ) -> None:
        self._journal, self._followers, self._now = journal, followers, now
        self._kept = int(settings.keep.removesuffix("d")) * archive.DAY
        self._folder = _archive_folder(settings, journal.path)
        self.trouble = ""
        """Why nothing leaves the journal at present; empty while all is well."""

    async def run(self) -> None:
        """Look for what is too old, now and then, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.turn)
                self.trouble = ""
            # A full disk or a folder that cannot be written: the rows stay where they are, and it is tried again.
            except (JournalError, ExportError) as error:
                self.trouble = str(error)
            except Exception as error:  # whatever DuckDB may come up with
                self.trouble = repr(error)
            await asyncio.sleep(_TURN_EVERY)

    def turn(self) -> None:
        """Archive and delete what is too old. Raises `ExportError`, `JournalError`."""
        seq = archive.closed_before(self._journal.path, self._now() - self._kept)
        seq = min([seq, *((follower.statistics().cursor or 0) + 1 for follower in self._followers)])
        if self._folder is not None:
            archive.archive(self._journal.path, seq, self._folder)
        self._journal.forget(seq)


def _archive_folder(settings: Settings, journal: Path) -> Path | None:
    """Where old days go; `None` for nowhere. Raises `SettingError` where they could not be written there."""
    if settings.archive == "off":
        return None
    if find_spec("duckdb") is None:
        raise SettingError(
            "keep", settings.keep, "archiving needs duckdb: pip install 'liquake[duckdb]', or --archive off"
        )
    return Path(settings.archive) if settings.archive else journal.parent / "archive"


def journal_path(settings: Settings) -> Path:
    """The journal that is there to be read; the user's own where `settings` name none."""
    told = settings.journal
    return Path(told) if told and told != "off" else default_path()


def archive_path(settings: Settings) -> Path | None:
    """Where what left the journal is; `None` where it is in the usual place, beside it."""
    return Path(settings.archive) if settings.archive not in ("", "off") else None


@asynccontextmanager
async def tiers(
    settings: Settings,
    journal: Journal | None,
    moment: Callable[[Sequence[str]], Moment],
    snapshot: Callable[[Sequence[str], Sequence[str]], Snapshot],
    now: Callable[[], int],
) -> AsyncIterator[Tiers]:
    """The stores told of in `settings`, fed inside the block from `moment` of some markets and `snapshot` of some and with
    the charts of some.

    Raises `SettingError` for an address that cannot be, `SinkRefused` for a store that does not let us in: whoever has
    just given the address is there to correct it. A store that is merely down is waited for while everything else runs.
    """
    sinks = sinks_of(settings)
    if journal is None:
        if sinks:
            why = "it is fed from the journal, and there is none in this run"
            raise SettingError(sinks[0].name, sinks[0].address, why)
        yield Tiers()
        return
    followers = [Follower(sink, journal.path, now) for sink in sinks]
    await _proved(followers)
    writer = _state_writer(settings, moment, snapshot)
    window = Window(settings, journal, followers, now) if settings.keep else None
    stores = Tiers(followers, writer, window, unwanted=bool(settings.redis) and writer is None)
    work: list[Coroutine[Any, Any, None]] = [follower.run() for follower in followers]
    if window is not None:
        work.append(window.run())
    if writer is not None:
        work.append(writer.run())
    elif settings.redis:
        work.append(_feed_writer(settings, journal, moment).run())
    running = [asyncio.create_task(part) for part in work]
    try:
        yield stores
    finally:
        with suppress(JournalError):
            await journal.flushed()
        await stores.drained()
        await ended(*running)


def _state_writer(
    settings: Settings,
    moment: Callable[[Sequence[str]], Moment],
    snapshot: Callable[[Sequence[str], Sequence[str]], Snapshot],
) -> StateWriter | None:
    """What writes the keys of the moment, where they are wanted."""
    if not settings.redis or settings.keys != "on":
        return None
    from liquake.storage.current import StateWriter

    return StateWriter(settings.redis, moment, snapshot)


def _feed_writer(settings: Settings, journal: Journal, moment: Callable[[Sequence[str]], Moment]) -> FeedWriter:
    """What says how the feeds stand, for whoever makes the keys of the moment elsewhere."""
    from liquake.storage.feeds import FeedWriter

    with JournalReader(journal.path) as reader:
        return FeedWriter(settings.redis, reader.journal, moment)


def sinks_of(settings: Settings) -> list[Sink]:
    """The stores that `settings` tell of. Raises `SettingError`."""
    sinks: list[Sink] = []
    if settings.redis:
        redis = redis_of("redis", settings.redis)
        redis.check(settings.redis)
        sinks.append(redis.RedisSink(settings.redis))
    if settings.database:
        timescale = _timescale_of("database", settings.database)
        sinks.append(timescale.TimescaleSink(settings.database, keep=settings.database_days or None))
    return sinks


def redis_of(setting: str, url: str) -> Any:
    """The module that speaks to Redis. Raises `SettingError` where its client is not installed."""
    try:
        from liquake.storage import redis
    except ModuleNotFoundError as error:
        raise _not_installed(setting, url, error, "redis") from None
    return redis


def _timescale_of(setting: str, url: str) -> Any:
    try:
        from liquake.storage import timescale
    except ModuleNotFoundError as error:
        raise _not_installed(setting, url, error, "postgres") from None
    return timescale


def _not_installed(setting: str, url: str, error: ModuleNotFoundError, extra: str) -> SettingError:
    mend = f"{error.name} is not installed: pip install 'liquake[{extra}]'"
    return SettingError(setting, without_password(url), mend)


async def _proved(followers: Sequence[Follower]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_PROVE):
            await asyncio.gather(*(follower.prove() for follower in followers))


def sink_words(sink: SinkStatistics) -> str:
    """How a store is doing, in a few words."""
    behind = f"{sink.behind or 0:,}{'+' if sink.behind == COUNTED_AT_MOST else ''}"
    if sink.state is SinkState.DOWN:
        return "DOWN" if sink.behind is None else f"DOWN, {behind} to send"
    if sink.state is SinkState.CONNECTING:
        return "connecting"
    if sink.state is SinkState.CATCHING_UP or (sink.lag or 0.0) > 2.0:
        return f"{behind} to send, {sink.lag or 0.0:,.0f} s behind"
    return "ok"


def keys_words(words: str, behind: float) -> str:
    """What is said of Redis whose keys are `behind` seconds old before they are written anew."""
    return f"{'' if words == 'ok' else f'{words}, '}keys {behind:.1f} s behind"


async def examine(settings: Settings, journal: Path, now: int) -> list[Mapping[str, Any]]:
    """What each store answers, for `liquake doctor`: a mapping per store told of. `now` is UTC nanoseconds.

    `behind` is how many rows of the journal it does not hold, `COUNTED_AT_MOST` where there are more; `lag` (s) how long
    the first of them has waited.
    """
    return [await _examined(sink, journal, now) for sink in sinks_of(settings)]


async def _examined(sink: Sink, journal: Path, now: int) -> Mapping[str, Any]:
    row: dict[str, Any] = {"store": sink.name, "address": sink.address, "found": "", "trouble": ""}
    row |= {"behind": None, "lag": None, "more": False}
    try:
        row["found"] = (await sink.look()).words
        if await asyncio.to_thread(journal.is_file):
            behind = await _behind(sink, journal, now)
            row |= {"behind": behind.rows, "more": behind.rows == COUNTED_AT_MOST}
            row["lag"] = None if behind.oldest is None else max(0.0, (now - behind.oldest) / 1e9)
    except (SinkError, JournalError) as error:
        row["trouble"] = str(error)
    finally:
        await sink.close()
    return row


async def _behind(sink: Sink, journal: Path, now: int) -> Behind:
    """Rows of the journal that are not in the store."""
    tail = JournalTail(journal)
    try:
        mark = await sink.mark(tail.journal)
        return tail.behind(tail.resume(mark, sink.oldest(now)))
    finally:
        tail.close()


def as_rows(statistics: Sequence[SinkStatistics]) -> list[dict[str, Any]]:
    """Statistics as what a log line or JSON holds."""
    return [msgspec.structs.asdict(sink) for sink in statistics]
