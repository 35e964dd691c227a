"""The log of a collector: one JSON object a line, for a journal daemon or a log store to read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO, Any

import msgspec

_encoder = msgspec.json.Encoder()


class Log:
    """Lines to `stream`: `time` (UTC), `event`, and what belongs to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, event: str, now: int, **fields: Any) -> None:
        """One line; `now` is UTC nanoseconds. A reader that has gone away does not stop the collecting."""
        time = datetime.fromtimestamp(now / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = _encoder.encode({"time": time, "event": event, **fields}) + b"\n"
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError:
            return
