"""Recorded frames: what a line of a file holds, and what a decoder makes of it."""

from __future__ import annotations

import zlib
from base64 import b64decode

import msgspec

from liquake.model import NANOSECONDS_PER_MILLISECOND, DecodeError, Event, FeedState, FeedStatus, Liquidation
from liquake.venues.venue import Decoder

_BIGGEST_FRAME = 16 * 1024 * 1024
_GZIP = zlib.MAX_WBITS | 16


class _Recorded(msgspec.Struct):
    raw: str | None = None
    raw_gzip_b64: str | None = None


def read_line(line: bytes) -> bytes:
    """The frame in `line`: its `raw` text, its `raw_gzip_b64` decompressed, or the line itself where it has neither.

    Whatever cannot be read as a recording is the frame: what is wrong with it is for the decoder to say.
    """
    bare = line.strip(b"\r\n")
    try:
        recorded = msgspec.json.decode(bare, type=_Recorded)
        if recorded.raw is not None:
            return recorded.raw.encode()
        return bare if recorded.raw_gzip_b64 is None else _decompressed(recorded.raw_gzip_b64)
    except (ValueError, RecursionError, zlib.error):
        return bare


def _decompressed(text: str) -> bytes:
    # A few bytes can hold gigabytes: more than the largest frame is not read.
    return zlib.decompressobj(_GZIP).decompress(b64decode(text, validate=True), _BIGGEST_FRAME)


def decoded(decoder: Decoder, frame: bytes, ts_recv: int) -> dict[str, object]:
    """The liquidations of `frame` and what was wrong with it, as plain values for JSON; `ts_recv` in nanoseconds."""
    events = decoder.decode(frame, ts_recv)
    return {
        "events": [_plain(event) for event in events if isinstance(event, Liquidation)],
        "errors": [error for event in events if (error := _error(event))],
    }


def _error(event: Event) -> str:
    if isinstance(event, DecodeError):
        return event.reason
    if isinstance(event, FeedStatus) and event.state is FeedState.REJECTED:
        return event.reason or f"{event.topic} was refused"
    return ""


def _plain(event: Liquidation) -> dict[str, object]:
    plain: dict[str, object] = {
        "venue": event.venue,
        "instrument": event.instrument,
        "asset": event.asset,
        "side": event.side.value,
        "price": event.price,
        "price_basis": event.price_basis.value,
        "amount": event.amount,
        "usd": event.usd,
        "ts_event_ms": event.ts_event // NANOSECONDS_PER_MILLISECOND,
        "key": event.key,
    }
    if event.tags:
        plain["tags"] = list(event.tags)
    return plain
