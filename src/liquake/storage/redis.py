"""Redis as the bus between processes and machines: one stream of liquidations.

Everything a command touches lies in one slot, so that the same commands hold on a Redis Cluster: a key that has the
stream's name in braces lies in the stream's slot (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol, cast

import msgspec
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout

from liquake.errors import SinkDown, SinkError, SinkRefused
from liquake.model import market_of
from liquake.storage.address import unusable, without_password
from liquake.storage.schema import Row
from liquake.storage.sink import Look
from liquake.storage.tail import Mark
from liquake.storage.tally import Holding, tallied

STREAM = "liquake:liquidations"
CURSORS = f"{{{STREAM}}}:cursors"
"""Hash: by journal, how far it is in the stream."""
KEYS = f"{{{STREAM}}}:keys"
"""Sorted set: venue and key of every entry of the stream, by the time of its entry. What it holds is not added again."""
FED = f"{{{STREAM}}}:fed"
"""String: there while somebody feeds the stream, be there anything to feed it with or not."""
FED_SECONDS = 15.0
KEEP = 86_400.0
"""Seconds an entry stays in the stream."""

_PAGE = 1000
_UNWRITTEN = re.compile(r"^MISCONF | script: .*")
"""What stands around the reason in the answer of a server whose disk is full."""

PATIENCE = 5.0
"""Seconds an answer may take."""

# A key enters the set and its event the stream in one step, at the server's own time; both are trimmed at the same one.
_APPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local moment, oldest = string.format('%.0f', now), string.format('%.0f', now - tonumber(ARGV[4]))
local new = 0
for _, row in ipairs(cmsgpack.unpack(ARGV[6])) do
    if redis.call('ZADD', KEYS[3], 'NX', moment, row[1]) == 1 then
        redis.call('XADD', KEYS[1], '*', unpack(row, 2))
        new = new + 1
    end
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('XTRIM', KEYS[1], 'MINID', oldest)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. oldest)
redis.call('SET', KEYS[4], '1', 'PX', ARGV[5])
return new
"""

# Everything goes to a script in one argument: the client takes a microsecond over each. Numbers go as text, for Lua's own
# have no place for nanoseconds.
pack = msgspec.msgpack.Encoder().encode

# Changes nothing, for no journal has an empty name; but only who may write may run it.
_MAY_WRITE = "return redis.call('HDEL', KEYS[1], '')"


class Client(Protocol):
    """What is used of a client, be it of one server or of a cluster."""

    def eval(self, script: str, numkeys: int, *arguments: str | bytes | float) -> Awaitable[Any]:
        """Run a script."""
        ...

    def hget(self, name: str, key: str) -> Awaitable[bytes | None]:
        """One field of a hash."""
        ...

    def hlen(self, name: str) -> Awaitable[int]:
        """Fields of a hash."""
        ...

    def xrange(self, name: str, first: str, last: str, count: int) -> Awaitable[list[tuple[bytes, dict[bytes, bytes]]]]:
        """Entries of a stream."""
        ...

    def get(self, name: str) -> Awaitable[bytes | None]:
        """A string."""
        ...

    def getrange(self, key: str, start: int, end: int) -> Awaitable[bytes]:
        """Part of a string; empty where there is none."""
        ...

    def lrange(self, name: str, start: int, end: int) -> Awaitable[list[bytes]]:
        """Elements of a list."""
        ...

    def set(self, name: str, value: str | bytes, *, px: int) -> Awaitable[Any]:
        """Make a string that expires."""
        ...

    def exists(self, name: str) -> Awaitable[int]:
        """Whether there is such a key."""
        ...

    def publish(self, channel: str, message: bytes) -> Awaitable[int]:
        """Send to whoever subscribed."""
        ...

    def pipeline(self, transaction: bool = False) -> Any:
        """Commands sent together."""
        ...

    async def aclose(self) -> None:
        """Let the connections go."""
        ...


def check(url: str, setting: str = "redis") -> None:
    """Raises `SettingError` where the client cannot read `url`, given as `setting`: an option in it that is none."""
    try:
        Redis.from_url(url)
    except (ValueError, RedisError):
        raise unusable(url, setting) from None


async def connect(url: str, patience: float | None = PATIENCE) -> tuple[Client, str]:
    """A client of the server or cluster at `url`, and what was found. Raises `SinkDown`, `SinkRefused`.

    Without `patience` it waits for answers as long as they take: its user has a limit of his own around them. The client
    has a task for each command to keep its own, which costs two turns of the event loop.
    """
    # No retries of the client's own: a failure is to be seen, and is tried again by whoever sees it.
    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": patience,
        "socket_connect_timeout": PATIENCE,
        "client_name": "liquake",
    }
    client = Redis.from_url(url, **options)
    try:
        with explained(without_password(url)):
            about = await client.info("server")
            clustered = about.get("redis_mode") == "cluster" or about.get("server_mode") == "cluster"
            name = f"{about.get('server_name', 'redis')} {about.get('valkey_version', about.get('redis_version'))}"
            if not clustered:
                return cast("Client", client), name
            await client.aclose()
            cluster = RedisCluster.from_url(url, **options)
            try:
                await cluster.initialize()
            except BaseException:
                await disconnect(cast("Client", cluster))
                raise
            return cast("Client", cluster), f"{name} cluster"
    except BaseException:
        await client.aclose()
        raise


async def disconnect(client: Client) -> None:
    """Let `client` go, whatever state it is in."""
    with suppress(RedisError, OSError):
        await client.aclose()
        # One of a cluster that has just failed takes itself for closed, and leaves its connections to the garbage
        # collector, which complains of each on standard error.
        nodes: Any = getattr(client, "nodes_manager", None)
        if nodes is not None:
            await nodes.aclose("nodes_cache")
            await nodes.aclose("startup_nodes")


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Redis's complaints as ours, in one sentence each."""
    try:
        yield
    except (AuthenticationError, AuthorizationError) as error:
        raise SinkRefused(address, f"wrong user or password ({_one_line(error)}): correct the URL") from None
    except NoPermissionError as error:
        raise SinkRefused(address, f"this user may not do that ({_one_line(error)}): change its ACL") from None
    except OutOfMemoryError:
        raise SinkDown(address, "it has no memory left: raise maxmemory, or let its keys be evicted") from None
    except ReadOnlyError:
        raise SinkDown(address, "it is a read-only replica: give the primary's address") from None
    except BusyLoadingError:
        raise SinkDown(address, "it is loading its data") from None
    except (RedisConnectionError, RedisTimeout, OSError, TimeoutError) as error:
        raise SinkDown(
            address, f"it does not answer ({_one_line(error) or type(error).__name__}): is it running?"
        ) from None
    except RedisClusterException as error:  # no kin of RedisError
        raise SinkDown(address, f"its cluster is not whole ({_one_line(error)})") from None
    except RedisError as error:
        raise _unnamed(address, _one_line(error) or type(error).__name__) from None


def _unnamed(address: str, said: str) -> SinkError:
    """What it `said` that has no class of its own."""
    if "ACL failure" in said:  # of what a script does
        return SinkRefused(address, f"this user may not do that ({said}): change its ACL")
    if said.startswith("MISCONF"):
        why = f"it cannot write to its disk ({_UNWRITTEN.sub('', said)}): make room there, and writing goes on"
        return SinkDown(address, why)
    return SinkDown(address, said)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")


class RedisSink:
    """The stream `liquake:liquidations` at `url`, each event in it once, `keep` seconds long."""

    name = "redis"
    batch = 500

    def __init__(self, url: str, *, keep: float = KEEP) -> None:
        self.address = without_password(url)
        self._url, self._keep = url, keep
        self._client: Client | None = None

    async def open(self) -> str:
        """See `Sink.open`."""
        self._client, found = await connect(self._url)
        try:
            with explained(self.address):
                await self._client.eval(_MAY_WRITE, 1, CURSORS)
        except BaseException:
            await self.close()
            raise
        return found

    async def look(self) -> Look:
        """See `Sink.look`."""
        self._client, found = await connect(self._url)
        return Look(found, ready=True)

    async def close(self) -> None:
        """See `Sink.close`."""
        if self._client is not None:
            await disconnect(self._client)
            self._client = None

    def oldest(self, now: int) -> int:
        """See `Sink.oldest`."""
        return now - round(self._keep * 1e9)

    async def mark(self, journal: str) -> Mark | None:
        """See `Sink.mark`."""
        with explained(self.address):
            held = await self._connected().hget(CURSORS, journal)
        if held is None:
            return None
        seq, _, event = held.decode().partition(" ")
        return Mark(int(seq), event)

    async def prove(self, journal: str) -> None:
        """See `Sink.prove`."""
        del journal
        with explained(self.address):
            await self._connected().set(FED, "1", px=round(FED_SECONDS * 1000))

    async def write(self, journal: str, rows: Sequence[Row]) -> int:
        """See `Sink.write`."""
        last = rows[-1]
        position = journal, last[0], f"{last[1]}|{last[2]}"
        spans = round(self._keep * 1000), round(FED_SECONDS * 1000)
        packed = pack([(f"{row[1]}|{row[2]}", *entry(row)) for row in rows])
        with explained(self.address):
            connected = self._connected()
            return int(await connected.eval(_APPEND, 4, STREAM, CURSORS, KEYS, FED, *position, *spans, packed))

    async def holds(self, received: int) -> Holding:
        """See `Sink.holds`."""
        keys: Counter[str] = Counter()
        rows: list[tuple[int, str, str, float | None]] = []
        with explained(self.address):
            journals = await self._connected().hlen(CURSORS)
            async for number, fields in entries(self._connected()):
                try:
                    keys[f"{fields['venue']}|{fields['key']}"] += 1
                    if int(fields["ts_recv"]) >= received:
                        usd = float(fields["usd"]) if "usd" in fields else None
                        rows.append((int(fields["ts_event"]), fields["venue"], fields["side"], usd))
                except (KeyError, ValueError):
                    raise foreign(self.address, number) from None
        return Holding(tallied(rows), sum(count > 1 for count in keys.values()), journals)

    def _connected(self) -> Client:
        if self._client is None:
            raise SinkDown(self.address, "it is not connected")
        return self._client


ANOTHER_VERSION = "a liquake of another version writes there: use the same on both sides"


def foreign(address: str, number: bytes) -> SinkRefused:
    """What to say of an entry of the stream that cannot be read as an event."""
    why = (
        f"entry {number.decode()} of {STREAM} is not of this version of liquake: use the same on both sides, or XDEL it"
    )
    return SinkRefused(address, why)


async def entries(client: Client) -> AsyncIterator[tuple[bytes, dict[str, str]]]:
    """Every entry of the stream with its id, oldest first."""
    after = "-"
    while page := await client.xrange(STREAM, after, "+", _PAGE):
        for number, fields in page:
            yield number, {name.decode(): value.decode() for name, value in fields.items()}
        after = f"({page[-1][0].decode()}"


def entry(row: Row) -> list[str]:
    """The fields of a stream entry, names and values in turn. What is not known is left out."""
    _, venue, key, instrument, asset, side, price, basis, amount, usd, ts_event, ts_recv, size, told, tags = row
    fields = [
        *("venue", venue, "instrument", instrument, "asset", asset, "market", market_of(asset), "side", side),
        *("price", repr(price), "price_basis", basis, "ts_event", str(ts_event), "ts_recv", str(ts_recv)),
        *("key", key),
    ]
    for name, number in (("amount", amount), ("usd", usd), ("size", size)):
        if number is not None:
            fields += (name, repr(number))
    for name, words in (("id", told), ("tags", tags)):
        if words is not None:
            fields += (name, words)
    return fields
