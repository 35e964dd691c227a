"""What happens to a feed. Trouble travels in the same stream as data."""

from __future__ import annotations

from enum import StrEnum

import msgspec

LIQUIDATIONS = "liquidations"
"""In place of a connection's name: what all of a venue's connections together should bring."""


class FeedState(StrEnum):
    """What became of a connection."""

    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    """The socket is open; nothing is known of the subscriptions yet."""
    SUBSCRIBED = "SUBSCRIBED"
    """The venue acknowledged `topic`."""
    REJECTED = "REJECTED"
    """The venue refused `topic`, for `reason`."""
    CLOSING = "CLOSING"
    """The venue announced that it will close the connection: replace it now."""
    STALE = "STALE"
    """The socket is open but what should arrive does not."""
    RESUMED = "RESUMED"
    """Data again after STALE, or after a reconnect."""
    DISCONNECTED = "DISCONNECTED"
    DARK = "DARK"
    """Silent while other venues' rates, or the venue's own history, say that it should not be: since `FeedStatus.ts`."""


class FeedStatus(msgspec.Struct, frozen=True, gc=False, tag="status"):
    """A connection changed state."""

    venue: str
    connection: str
    """The connection's name within the venue: "linear-1"."""
    state: FeedState
    ts: int
    """Our clock, UTC nanoseconds."""
    topic: str = ""
    """The acknowledgement name of a subscription, for SUBSCRIBED and REJECTED."""
    reason: str = ""


class Gap(msgspec.Struct, frozen=True, gc=False, tag="gap"):
    """From `start` to `end` (UTC nanoseconds, our clock) events of the venue may be missing."""

    venue: str
    connection: str
    start: int
    end: int
    cause: str
    recovered: bool = False
    """Whether what was missed has been fetched from the venue's history since."""


class Scope(msgspec.Struct, frozen=True, gc=False, tag="scope"):
    """Which markets a connection brings the liquidations of, from `ts` on. Until there is one, all that its venue has."""

    venue: str
    connection: str
    ts: int
    """Our clock, UTC nanoseconds."""
    assets: tuple[str, ...] | None
    """The coins, sorted; `None` for whatever the venue lists, as where one channel is of all."""
    refused: tuple[str, ...] | None = ()
    """Coins of which the venue refused a contract or all of them; `None` where they may be any."""

    def brings(self, asset: str) -> bool:
        """Whether liquidations of `asset` come this way."""
        return self.assets is None or asset in self.assets

    def lacks(self, asset: str) -> bool:
        """Whether some contract of `asset` was refused."""
        return self.refused is None or asset in self.refused


class Listing(msgspec.Struct, frozen=True, gc=False, tag="listing"):
    """Which coins a venue has contracts of, by its own list at `ts`: of others nothing can be missing."""

    venue: str
    connection: str
    """In place of one: whoever asked for the list."""
    ts: int
    """Our clock, UTC nanoseconds."""
    assets: tuple[str, ...]
    """Sorted."""


class DecodeError(msgspec.Struct, frozen=True, gc=False, tag="decode-error"):
    """A frame, or one event in it, could not be read. Counted and shown; never fatal to a feed."""

    venue: str
    connection: str
    ts: int
    """Our clock, UTC nanoseconds."""
    reason: str
    frame: bytes
    """The whole frame as received, cut at 4,096 bytes."""


FeedEvent = FeedStatus | Gap | DecodeError | Scope | Listing
"""What is known of feeds, beside what they bring."""
