"""The state of this moment at Redis keys, for screens that attach and for tools of the user's own.

| key or channel | type | content |
|---|---|---|
| `velocity:BTCUSDT:current` | hash | of one market, and of `ALL`: see `velocity` |
| `cascade:probability:BTCUSDT` | hash | of each watched market: see `cascade` |
| `regime:current` | hash | see `regime` |
| `liquake:snapshot` | string | a `Snapshot` as JSON: see `StateWriter` and `SnapshotReader` |
| `liquake:wanted` | sorted set | what screens want of it beside the largest markets: see `wanted` |
| `liquake:signals`, `liquake:alerts` | pub/sub | JSON, one message each |
| `liquake:alerts:recent` | list | see `recent` |

Every key but the list expires soon after its writer is gone: nobody is to trade on a number that has stopped. Of several
writers one is at work, so that a reader never sees two engines in turn; another takes over before the keys are gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from itertools import chain
from random import Random
from secrets import token_hex

import msgspec

from liquake.engine.snapshot import ALL, COVERED_MARKETS, KINEMATIC_WINDOWS, NUMBERS, Moment, Risk, Snapshot
from liquake.errors import SinkError, SinkRefused
from liquake.model.alert import Alert
from liquake.storage import hashes, recent
from liquake.storage.address import without_password
from liquake.storage.hashes import Hash, hash_of
from liquake.storage.lease import Held, Lease
from liquake.storage.redis import ANOTHER_VERSION, PATIENCE, Client, connect, disconnect, explained
from liquake.storage.sink import RETRY_FIRST, RETRY_MOST
from liquake.storage.wanted import heeded

SNAPSHOT = "liquake:snapshot"
SIGNALS, ALERTS = "liquake:signals", "liquake:alerts"
WRITE_EVERY = 0.125
"""Seconds from one writing to the next: half of `CURRENT`, so that one may take as long again."""
CURRENT = 0.25
"""Seconds that a key may be old before it is written anew without a word about it."""
EXPIRE_AFTER = 3.0
"""Seconds after which a key that is not written any more is gone."""
_EXPIRE = round(EXPIRE_AFTER * 1000)

LARGEST = COVERED_MARKETS
"""Markets whose motion and sums are in `liquake:snapshot` without being asked for: no page lists more."""
_PART = 128
"""Markets whose hashes are made and sent together: the event loop is held up no longer, and none waits for all the others."""
_AT_ONCE = 5
"""Such parts under way: while Redis is at work on one the next are made."""

_SHARE = 0.5
"""Of the time how much at most goes into making `liquake:snapshot`: the hashes, which others may trade on, come first."""
_WHOLE_AT_LEAST = 1.0
"""Seconds after which it is written again whatever it takes."""

_BEGINNING = 160
"""Bytes of the snapshot that tell it from another: it begins with its moment and the events so far."""

_BREATH = 0.005
"""Seconds left to everything else between two writings, however long one takes, beside what Redis takes for each."""

LEASE = "liquake:writer"
"""String: who writes."""
LEASE_SECONDS = 2.0
HOLD_EVERY = 0.5
"""Seconds after which whoever writes makes sure that it still may."""
LOOK_EVERY = 0.25
"""Seconds between two looks of one that waits: together less than `EXPIRE_AFTER`."""

_SHORTEST = "5m"
"""The shortest window whose coverage is known; what these keys tell of is shorter."""
_WAITING = 1000
"""Messages held at most while Redis is away; older ones are given up, for they are of their moment."""

Fields = Mapping[str, str | int | float]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Snapshot)


def velocity(moment: Moment) -> Iterator[Hash]:
    """`velocity:{market}:current`, by window ("0.1s" to "60s") before each name.

    `2s_events`, `2s_usd` (exactly counted), `2s_velocity` (events per s), `2s_acceleration` (per s^2), `2s_jerk` (per
    s^3), each with `_error` (its standard error) and `_significance` (how many of those it is from zero); the same of
    dollars as `2s_usd_velocity` and so on; `2s_trusted` is 1 where enough events are expected for the derivatives to
    mean anything. `time` is the moment they describe, `written` that of writing, UTC nanoseconds.

    All of it is added up over venues: `at_least` is 1 where one of them withholds some or was not heard, and so the sums
    are lower bounds. `coverage` is that of the venue which shows least, `1h_heard` the share of the last hour in which
    every venue was heard that lists the market (0 to 1); not there for the smallest markets.
    """
    withheld = any(feed.coverage.lower_bound and feed.events for feed in moment.venues)
    for market, motion in moment.motion.items():
        kept = moment.coverage.get(market, {}).get(ALL)
        least = withheld or (kept is not None and kept.lost.get(_SHORTEST, 0.0) > 0.0)
        words, heard = {"market": market}, list[float]()
        if kept is not None:
            words["coverage"] = str(kept.kind)
            heard.append(kept.covered["1h"])
        numbers = [moment.as_of, moment.now, int(least), *heard, *motion]
        yield Hash(f"velocity:{market}:current", words, _names(covered=kept is not None), numbers)


@cache
def _names(*, covered: bool) -> tuple[str, ...]:
    """Of the numbers: put together once, for hundreds of markets have the same."""
    motion = (f"{window:g}s_{name}" for window in KINEMATIC_WINDOWS for name in NUMBERS)
    return "time", "written", "at_least", *(("1h_heard",) if covered else ()), *motion


def cascade(moment: Moment) -> Iterator[Hash]:
    """`cascade:probability:{market}`: of each side and horizon, `long_60s_` or `short_300s_` before each name.

    `probability` (of a cascade within the horizon), `base_rate`, `level` (0 none to 4 extreme), `score` (0 to 100),
    `threshold` (dollars that make a cascade), `warm` (0 to 1), `reason` (why there is no probability), and the log-odds
    of the six components: `rate`, `burst`, `usd`, `self-excitation`, `cross-venue`, `stress`. The same names alone are of
    the side and shortest horizon that are likelier, with `side` and `horizon` (s). What is not known is not there.
    """
    for market in dict.fromkeys(risk.market for risk in moment.risks):
        risks = [risk for risk in moment.risks if risk.market == market]
        shortest = min(risk.horizon for risk in risks)
        main = max((r for r in risks if r.horizon == shortest), key=lambda risk: risk.probability or 0.0)
        fields: dict[str, str | int | float] = {"market": market, "time": main.as_of, "written": moment.now}
        fields |= {"side": str(main.side), "horizon": main.horizon, "provenance": main.provenance, "model": main.model}
        fields.update(_risk("", main))
        for risk in risks:
            fields.update(_risk(f"{risk.side.lower()}_{risk.horizon:g}s_", risk))
        yield hash_of(f"cascade:probability:{market}", fields)


def _risk(prefix: str, risk: Risk) -> Iterator[tuple[str, str | int | float]]:
    known: dict[str, str | int | float | None] = {
        "probability": risk.probability,
        "base_rate": risk.base_rate,
        "level": int(risk.level),
        "score": risk.score,
        "threshold": risk.threshold,
        "warm": risk.warm,
        "reason": risk.reason or None,
        **{str(component): value for component, value in risk.contributions.items()},
    }
    yield from ((prefix + name, value) for name, value in known.items() if value is not None)


def regime(moment: Moment) -> Iterator[Hash]:
    """`regime:current`: `level` (0 calm to 5 extreme) and its `name` (WARMING UP without one), `since` (UTC
    nanoseconds), `percentile` (0 to 1 of its own week), `multiplier` (how much likelier a cascade has been from this
    level), `volatility`, `liquidity`, `trend`, `driver`, `warm` (s). What is not known is not there.
    """
    state = moment.regime
    if state is None:
        return
    known: dict[str, str | int | float | None] = {
        "level": None if state.level is None else int(state.level),
        "name": state.name,
        "since": state.since,
        "percentile": state.rank,
        "multiplier": state.multiplier,
        "volatility": state.volatility,
        "liquidity": state.liquidity,
        "trend": None if state.trend is None else str(state.trend),
        "driver": state.driver,
        "warm": state.warm,
        "time": moment.as_of,
        "written": moment.now,
    }
    yield hash_of("regime:current", {name: value for name, value in known.items() if value is not None})


HASHES: tuple[Callable[[Moment], Iterator[Hash]], ...] = (velocity, cascade, regime)
"""Whatever is served as a hash: a function of the moment that gives them."""


class StateWriter:
    """Writes what is told to the keys at `url` each `WRITE_EVERY` seconds, through every failure, until cancelled.

    The hashes are made of `moment` of some markets at a time, and `liquake:snapshot` of `snapshot` of the `LARGEST` and of
    those that screens want, with the charts that they want: all that goes by market is of these, and the rest is whole.
    Where it takes too long it is left out of some writings: see `_SHARE`. While another writer is at work this one waits,
    and takes over once that one is gone.
    """

    def __init__(
        self,
        url: str,
        moment: Callable[[Sequence[str]], Moment],
        snapshot: Callable[[Sequence[str], Sequence[str]], Snapshot],
        random: Random | None = None,
    ) -> None:
        self.address = without_password(url)
        self.trouble = ""
        """Why nothing is written at present; empty while all is well."""
        self.writing = False
        """Whether this one is at work: it may be well and wait."""
        self.sent: int | None = None
        """What was said until then is published, UTC nanoseconds; `None` before the first writing."""
        self._url, self._moment, self._snapshot = url, moment, snapshot
        self._markets: tuple[str, ...] = ()
        self._wanted: tuple[Sequence[str], Sequence[str]] = (), ()
        self._held, self._proved = Held(False, 0.0), 0.0
        """Whose the right to write is, and when that was last asked, by the event loop's clock."""
        self._taken = dict[object, float]()
        """By part of the writing when what the keys hold was taken, by the event loop's clock."""
        self._ages = dict[object, float]()
        """By the same how many seconds the keys last became old before they were written anew."""
        self._parted = 0
        """Parts of the last writing."""
        self._whole_due = 0.0
        self._random = random or Random()
        self._lease = Lease(LEASE, token_hex(8), LEASE_SECONDS)
        self._messages: deque[tuple[float, str, bytes]] = deque(maxlen=_WAITING)
        self._attempts = 0
        self._told: frozenset[object] | None = None

    @property
    def age(self) -> float | None:
        """Seconds that the oldest of the keys last became old before it was written anew; `None` before two writings."""
        return max(self._ages.values(), default=None)

    @property
    def behind(self) -> float | None:
        """The same; `None` while that is soon enough."""
        return self.age if self.age is not None and self.age > CURRENT else None

    def publish(self, channel: str, message: object) -> None:
        """Send `message` as JSON to the subscribers of `channel` with the next writing.

        Each writer is given its own of every message; what comes while another is at work is that one's to send.
        """
        self._messages.append((asyncio.get_running_loop().time(), channel, _encoder.encode(message)))

    def acquaint(self, told: Iterable[object] | None) -> None:
        """Signals that another has published; `None` for those that the next snapshot brings."""
        self._told = None if told is None else frozenset(told)

    def tell(self, alert: Alert) -> None:
        """Send `alert` to the subscribers of `liquake:alerts`."""
        self.publish(ALERTS, alert)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            client = None
            try:
                async with self._answered():
                    client, _ = await connect(self._url, None)
                await self._take_turns(client)
            except SinkError as error:
                self.trouble = str(error)
            except Exception as error:  # whatever a client library or a snapshot may come up with: it is to be seen
                self.trouble = f"{self.address}: {error!r}"
            finally:
                self.writing = False
                self._forget_ages()
                if client is not None:
                    with suppress(SinkError):
                        async with self._answered():
                            await self._lease.let_go(client)
                    await disconnect(client)
            ceiling = min(RETRY_MOST, RETRY_FIRST * 2.0 ** min(self._attempts, 20))
            self._attempts += 1
            await asyncio.sleep(ceiling * (0.5 + 0.5 * self._random.random()))

    async def _take_turns(self, client: Client) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        self._held, self._proved = Held(False, 0.0), 0.0
        # See `ended`: while each snapshot takes long, a cancellation may meet an answer again and again.
        while task is None or not task.cancelling():
            begun = loop.time()
            due = begun + WRITE_EVERY
            if not self._held.ours:
                await self._hold(client)
            if self._held.ours:
                await self._write(client)
            else:
                self._tell(self._moment(()).notices)
                due = begun + LOOK_EVERY
                self._forget_ages()
                self._leave_to(self._held)
            self.writing, self.trouble, self._attempts = self._held.ours, "", 0
            # What the writing took is part of the period: readers count from one writing to the next.
            await asyncio.sleep(max(_BREATH, due - loop.time()))
        raise asyncio.CancelledError

    async def _hold(self, client: Client) -> None:
        """Take the lease, or keep it; it lasts longer than the writing beside which it is kept."""
        begun = asyncio.get_running_loop().time()
        async with self._answered():
            self._held, self._proved = await self._lease.hold(client), begun

    async def _heed(self, client: Client) -> None:
        self._wanted = await heeded(client)

    @asynccontextmanager
    async def _answered(self) -> AsyncIterator[None]:
        """Redis answers inside the block, or why it does not is said in our words."""
        with explained(self.address):
            async with asyncio.timeout(PATIENCE):
                yield

    def _forget_ages(self) -> None:
        self._taken.clear()
        self._ages.clear()

    async def _write(self, client: Client) -> None:
        moment = self._moment(())
        self._markets = moment.markets
        self._tell(moment.notices)
        parts = self._parts(client)
        # None is left behind where one fails: the client is let go after it.
        lanes = (self._write_parts(parts, lane) for lane in range(_AT_ONCE))
        for failure in filter(None, await asyncio.gather(*lanes, return_exceptions=True)):
            raise failure
        async with self._answered():
            await self._send(client)
        self.sent = moment.now

    def _parts(self, client: Client) -> Iterator[tuple[object, Coroutine[None, None, None]]]:
        """What there is to do in one writing, that which makes keys current with a name. Each is made when it is its turn."""
        now = asyncio.get_running_loop().time()
        if now - self._proved >= HOLD_EVERY:
            yield None, self._hold(client)
            yield None, self._heed(client)
        divided = self._divided()
        if len(divided) != self._parted:
            self._forget_ages()
            self._parted = len(divided)
        for place, markets in enumerate(divided):
            yield place, self._write_hashes(client, markets, (velocity,) if place else HASHES)
        if now >= self._whole_due:
            yield SNAPSHOT, self._write_whole(client)

    def _divided(self) -> list[tuple[str, ...]]:
        """Every market, in parts of the same size. By name: in the order of their size markets would go from part to part,
        and wait for the last one once more."""
        names = ALL, *sorted(self._markets)
        size = -(-len(names) // -(-len(names) // _PART))
        return [names[place : place + size] for place in range(0, len(names), size)]

    async def _write_parts(self, parts: Iterator[tuple[object, Coroutine[None, None, None]]], lane: int) -> None:
        loop = asyncio.get_running_loop()
        # Each lane makes its first part in another turn of the event loop.
        for _ in range(lane):
            await asyncio.sleep(0)
        for name, writing in parts:
            begun = loop.time()
            async with self._answered():
                await writing
            if name is not None:
                if name in self._taken:
                    self._ages[name] = loop.time() - self._taken[name]
                self._taken[name] = begun

    async def _write_hashes(
        self, client: Client, markets: Sequence[str], made: Iterable[Callable[[Moment], Iterator[Hash]]]
    ) -> None:
        moment = self._moment(markets)
        await hashes.write(client, chain.from_iterable(each(moment) for each in made), _EXPIRE)

    async def _write_whole(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        snapshot = self._snapshot(*self._chosen())
        made = loop.time()
        # With hundreds of markets each of the two takes some time: in between the event loop has its turn.
        await asyncio.sleep(0)
        encoding = loop.time()
        held = _encoder.encode(snapshot)
        # How long others and Redis take is no time of this.
        taken = made - begun + loop.time() - encoding
        self._whole_due = begun + min(taken / _SHARE, _WHOLE_AT_LEAST)
        await client.set(SNAPSHOT, held, px=_EXPIRE)

    def _chosen(self) -> tuple[Sequence[str], Sequence[str]]:
        """The markets that the snapshot is of, and those whose charts are in it: nobody makes it grow by names of his own."""
        markets, charts = self._wanted
        known = frozenset((ALL, *self._markets))
        return tuple(
            dict.fromkeys((*self._markets[:LARGEST], *(name for name in markets if name in known and name != ALL)))
        ), [name for name in charts if name in known]

    async def _send(self, client: Client) -> None:
        while self._messages:
            _, channel, message = self._messages[0]
            # First: who hears of it may come and look.
            if channel == ALERTS:
                await recent.add(client, message)
            await client.publish(channel, message)
            self._messages.popleft()

    def _leave_to(self, other: Held) -> None:
        """Let go of the messages from before the other was last there: it has its own of them."""
        alive = asyncio.get_running_loop().time() - other.seen
        while self._messages and self._messages[0][0] <= alive:
            self._messages.popleft()

    def _tell(self, notices: Sequence[object]) -> None:
        """Publish the signals that are new; those from before this writer began were told by another."""
        if self._told is not None:
            for notice in notices:
                if notice not in self._told:
                    self.publish(SIGNALS, notice)
        self._told = frozenset(notices)


class SnapshotReader:
    """Reads the snapshot at `liquake:snapshot`; asks for all of it only where it is another than before."""

    def __init__(self) -> None:
        self._beginning = b""
        self._held: Snapshot | None = None

    async def read(self, client: Client) -> Snapshot | None:
        """The latest; `None` where no writer is at work. Raises `SinkError`, `SinkRefused` where it is none."""
        with explained("redis"):
            beginning = await client.getrange(SNAPSHOT, 0, _BEGINNING - 1)
            if beginning and beginning == self._beginning:
                return self._held
            held = await client.get(SNAPSHOT)
        self._beginning, self._held = b"", None
        if held is not None:
            self._held = _decoded(held)
            self._beginning = held[:_BEGINNING]
        return self._held


def _decoded(held: bytes) -> Snapshot:
    try:
        return _decoder.decode(held)
    except ValueError:
        raise SinkRefused("redis", ANOTHER_VERSION) from None
