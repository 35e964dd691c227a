"""A line of a fixture: a frame, the contracts it speaks of, and what is made of it. `conformance.recorded` reads it."""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import Any

import msgspec

import liquake
from liquake.model import NANOSECONDS_PER_MILLISECOND, Liquidation
from liquake.venues import Decoder

_GZIP = b"\x1f\x8b"


def fixture_line(decoder: Decoder, frame: bytes, ts_recv: int, source: str) -> bytes:
    """The line for `frame`, received at `ts_recv`; `source` says where it is from."""
    events = [event for event in decoder.decode(frame, ts_recv) if isinstance(event, Liquidation)]
    symbols = dict.fromkeys(event.instrument for event in events)
    expected = [_expected(event) for event in events]
    line = {
        "source": source,
        **_raw(frame),
        "received": ts_recv,
        "instruments": [decoder.instruments[symbol] for symbol in symbols if symbol in decoder.instruments],
        "expected": expected[0] if len(expected) == 1 else expected or None,
        "expected_by": f"liquake {liquake.__version__}; not checked by hand yet",
    }
    return msgspec.json.encode(line) + b"\n"


def _raw(frame: bytes) -> dict[str, str]:
    """The frame as text, or what it is compressed to, in base64."""
    try:
        return {"raw": frame.decode()}
    except UnicodeDecodeError:
        packed = frame if frame.startswith(_GZIP) else gzip.compress(frame, mtime=0)
        return {"raw_gzip_b64": b64encode(packed).decode()}


def _expected(event: Liquidation) -> dict[str, Any]:
    """As in the recorded frames. An event that has no time of its own is as of its receipt."""
    timeless = event.ts_event == event.ts_recv
    return {
        "symbol": event.instrument,
        "liquidated_side": event.side.value,
        "price": event.price,
        "base_amount": event.amount,
        "usd": event.usd,
        "ts_ms": None if timeless else event.ts_event // NANOSECONDS_PER_MILLISECOND,
    }
