"""What a venue is: facts about it, and a decoder. No sockets, no clock.

A venue module answers every question the session of `ingest` has; the session knows nothing of any venue.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, ClassVar, TypeVar

import msgspec

from liquake.errors import HistoryError, InstrumentsError
from liquake.model import (
    FUTURE_TOLERANCE,
    NANOSECONDS_PER_MILLISECOND,
    Coverage,
    DecodeError,
    Event,
    FeedState,
    FeedStatus,
    Gap,
    Instrument,
    Instruments,
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    asset_of,
)
from liquake.venues.endpoint import Endpoint as Endpoint

T = TypeVar("T")

_FRAME_KEPT = 4096
_TEXT_KEPT = 200

# What a number from a venue may be. msgspec checks these while it converts, and NaN passes none of them. The bounds are
# far outside any market, and close enough that products and quotients of two such numbers stay finite and above zero.
Positive = Annotated[float, msgspec.Meta(ge=1e-18, le=1e18)]
Amount = Annotated[float, msgspec.Meta(ge=0.0, le=1e18)]
Symbol = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
"""A venue's name of a contract: bounded, because names are kept."""
Milliseconds = Annotated[int, msgspec.Meta(ge=10**12, le=10**14)]
"""Since 1970. Fewer than 13 digits would be seconds, or no time at all."""


class Subscription(msgspec.Struct, frozen=True):
    """One frame that subscribes, and what its acknowledgement will be called."""

    frame: str
    acks: tuple[str, ...]
    """The `topic`s of the SUBSCRIBED or REJECTED statuses the decoder will give for this frame."""
    symbols: tuple[str, ...] | None = None
    """The contracts whose liquidations it brings: one for each of `acks`, or all of them for a single one. `None` for
    whatever the venue lists; none where it brings prices or heartbeats."""

    def brings(self, ack: str) -> frozenset[str] | None:
        """The contracts that are brought once the venue has acknowledged `ack`; `None` for whatever it lists."""
        if self.symbols is None or len(self.acks) == 1 or not self.symbols:
            return None if self.symbols is None else frozenset(self.symbols)
        return frozenset((self.symbols[self.acks.index(ack)],))


class Connection(msgspec.Struct, frozen=True):
    """One socket to open, and what to send once it is."""

    name: str
    """Unique within the venue: "linear-1"."""
    url: str
    subscriptions: tuple[Subscription, ...]
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values to send with the handshake."""
    priced: bool = True
    """Whether prices come on it, whose absence tells that it has fallen silent."""

    @property
    def spare(self) -> bool:
        """Whether nothing is held to be missing while it is down: no subscription of it is said to bring a contract."""
        return bool(self.subscriptions) and all(each.symbols == () for each in self.subscriptions)


class Heartbeat(msgspec.Struct, frozen=True):
    """How a connection is kept alive, and when it is dead. All in seconds."""

    every: float
    """Between two pings of ours."""
    frame: str | None
    """What to send as text; `None` for a WebSocket ping."""
    dead_after: float
    """Without any frame at all, pongs included, the connection is dead."""
    stale_after: float
    """Without a price the feed is stale, though the socket is open: silence of liquidations proves nothing."""


class Limits(msgspec.Struct, frozen=True):
    """What the venue allows one address."""

    lifetime: float | None
    """Seconds after which the venue closes every connection; `None` where it does not."""
    messages_per_second: float
    connects_per_minute: float
    requests_per_minute: float = 60.0
    """Of REST."""


class Poll(msgspec.Struct, frozen=True):
    """How a venue is listened to whose liquidations no socket tells: `Venue.history` is asked again and again.

    All in seconds. What happened between `behind + span` and `behind` ago is asked for.
    """

    every: float
    behind: float
    """How long the venue takes to know what was a liquidation."""
    span: float
    """More than `every`, so that a missed turn is made up for; what comes again is dropped by its key."""


class Request(msgspec.Struct, frozen=True):
    """One REST request. `body` makes it a POST of JSON."""

    url: str
    body: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """What `liquake venues` tells a user of a venue."""

    channel: str
    side: str
    """What the venue's side field means, and how it is read."""
    unit: str
    """What the venue's size field counts, and how it becomes coins and dollars."""
    price: str
    history: str
    """Whether gaps can be refilled."""
    source: str
    """Address of the documentation."""


def readable(text: str) -> str:
    """`text` of a venue, fit for a terminal: one line, no control characters, cut."""
    return "".join(mark if mark.isprintable() else "?" for mark in text[:_TEXT_KEPT])


def oddity(field: str, value: object) -> str:
    """The tag that keeps an enum value this version does not know."""
    return readable(f"{field}={value}")


def distinct(events: list[Event]) -> list[Event]:
    """`events` of one message, with an ordinal in the id of each liquidation that is in it more than once.

    Venues without ids send two equal orders of one millisecond as two equal rows: both happened.
    """
    # Where no two times are equal no two events are, and that is cheap to see.
    if len(events) < 2 or len({event.ts_event for event in events if isinstance(event, Liquidation)}) == len(events):
        return events
    seen: dict[str, int] = {}
    for index, event in enumerate(events):
        if event.__class__ is Liquidation:
            key = event.key
            ordinal = seen.get(key, 0)
            seen[key] = ordinal + 1
            if ordinal:
                events[index] = msgspec.structs.replace(event, id=f"{key}|{ordinal}")
    return events


def parse(frame: bytes | str) -> object:
    """`frame` as plain JSON values. Raises `ValueError` where it is none, in UTF-8 or in depth as in grammar."""
    try:
        return msgspec.json.decode(frame)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


class Decoder(ABC):
    """Reads the frames of one connection, in order. Holds that connection's state and no other."""

    def __init__(self, venue: str, connection: str, instruments: Instruments) -> None:
        self.venue, self.connection, self.instruments = venue, connection, instruments
        self.replies: list[str] = []
        """What the venue waits for as an answer to the frame just decoded: the session sends and empties it."""

    @abstractmethod
    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """The events of one frame, none for acknowledgements of pings and the like.

        `frame` is what the socket gave, `ts_recv` our clock in UTC nanoseconds. Never raises on what a venue may send:
        a frame that cannot be read gives a `DecodeError`, and one bad event in a batch leaves the others standing.
        """

    def examine(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """The events of a frame that is not in the shape of data: what `heed` makes of it as plain JSON values."""
        try:
            message = parse(frame)
        except ValueError as error:
            return (self.failure(frame, ts_recv, str(error)),)
        return self.heed(message, frame, ts_recv)

    def heed(self, message: object, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        """What `message`, which `frame` holds, says beside data: answers, other channels, shapes that are retired."""
        del message
        return (self.failure(frame, ts_recv, "neither data nor a known answer"),)

    def failure(self, frame: bytes | str, ts_recv: int, reason: str) -> DecodeError:
        """A `DecodeError` of this connection that holds `frame`, cut to what is kept."""
        raw = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else bytes(frame)
        return DecodeError(self.venue, self.connection, ts_recv, readable(reason), raw[:_FRAME_KEPT])

    def ahead(self, frame: bytes | str, ts_recv: int, milliseconds: int) -> DecodeError:
        """The failure of an event whose time, by the venue, has not come yet."""
        seconds = milliseconds / 1e3 - ts_recv / 1e9
        return self.failure(frame, ts_recv, f"event time is {seconds:.0f} s ahead of our clock")

    def prices(
        self,
        instrument: Instrument,
        told: Iterable[tuple[PriceKind, float | None]],
        milliseconds: int,
        frame: bytes | str,
        ts_recv: int,
    ) -> Sequence[Event]:
        """Those of `told` that there are, as of the venue's time; the failure of a time that has not come yet."""
        ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
        if ts_event > ts_recv + FUTURE_TOLERANCE:
            return (self.ahead(frame, ts_recv, milliseconds),)
        venue, symbol, asset = self.venue, instrument.symbol, instrument.asset
        return [Price(venue, symbol, asset, kind, price, ts_event, ts_recv) for kind, price in told if price]

    def status(self, state: FeedState, ts_recv: int, topic: str = "", reason: str = "") -> FeedStatus:
        """What the venue said of this connection."""
        return FeedStatus(self.venue, self.connection, state, ts_recv, readable(topic), readable(reason))


class Venue(ABC):
    """One venue. Stateless: everything that changes lives in a `Decoder` or in `Instruments`."""

    name: ClassVar[str]
    """liquake's name: lower case, what `--exchanges` takes."""
    title: ClassVar[str]
    """As the venue writes itself."""
    coverage: ClassVar[Coverage]
    heartbeat: ClassVar[Heartbeat]
    limits: ClassVar[Limits]
    facts: ClassVar[Facts]
    endpoints: ClassVar[tuple[Endpoint, ...]]
    """Those of its sockets. Of addresses that follow each other `connections` may name any: a session goes to the one that is
    valid, and from it to the next."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names a user may call it by."""
    recorded_as: ClassVar[tuple[str, ...]] = ()
    """Other names that recordings have for it, or for one of its products."""
    price_basis: ClassVar[PriceBasis | None] = None
    """What the price is the price of that its stream shows: for rows of recordings; `None` where that cannot be said."""
    rank: ClassVar[int] = 50
    """Where it stands among the others on screens: the lower the earlier, and by name where ranks are equal."""
    poll: ClassVar[Poll | None] = None
    """How its liquidations are asked for, where no socket tells them."""

    @abstractmethod
    def instrument_requests(self) -> tuple[Request, ...]:
        """The first page of each request that lists the venue's instruments."""

    @abstractmethod
    def read_instruments(self, answer: bytes) -> list[Instrument]:
        """The instruments in one answer to `instrument_requests`, or in a file a user saved it to.

        Raises `InstrumentsError` when it is not such an answer.
        """

    def next_page(self, request: Request, answer: bytes) -> Request | None:
        """The request for the page after `answer`, where the venue pages."""
        del request, answer
        return None

    def account_requests(self) -> tuple[Request, ...]:
        """The requests that list the accounts to watch, where the venue shows liquidations by account alone."""
        return ()

    def read_accounts(self, answer: bytes) -> list[str]:
        """The accounts in one answer to `account_requests`: `connections` finds them in `Instruments.accounts`.

        Raises `InstrumentsError` when it is not such an answer.
        """
        del answer
        return []

    def coin(self, symbol: str) -> str | None:
        """The coin that the venue's name of a contract names, without the list: for rows of recordings. `None` for none."""
        return asset_of(symbol)

    def read(
        self, answer: bytes, kind: type[T], refusal: type[InstrumentsError] | type[HistoryError] = InstrumentsError
    ) -> T:
        """`answer` of a REST request as `kind`, numbers in quotes or without. Raises `refusal` where it is none."""
        try:
            return msgspec.json.decode(answer, type=kind, strict=False)
        except (ValueError, RecursionError) as error:
            raise refusal(self.name, str(error)) from None

    @abstractmethod
    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """The sockets to open for `assets` (all where `None`), within the venue's limits."""

    @abstractmethod
    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        """A fresh decoder for one connection."""

    def retry(self, rejected: FeedStatus, subscription: Subscription) -> tuple[Subscription, ...]:
        """What to subscribe instead after the venue refused `subscription`: the part of it that may still be good."""
        del rejected, subscription
        return ()

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        """The first page of each request for what happened from `start` to `end`, UTC nanoseconds.

        None where the venue has no such history. Windows longer than the venue allows are cut into several requests. It is
        asked after gaps, and about silences: what it tells of and no socket brings is held to prove the sockets mute.
        """
        del instruments, assets, start, end
        return ()

    def refills(self, gap: Gap) -> bool:
        """Whether `history` has all that may be missing in `gap`."""
        del gap
        return True

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        """The liquidations in one answer to `history`, with the keys the stream would have given them.

        Raises `HistoryError` when it is not such an answer.
        """
        del answer, instruments, ts_recv
        raise HistoryError(self.name, f"{request.url} is not one of its requests")

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        """The request for the page after `answer`, where the venue pages."""
        del request, answer
        return None
