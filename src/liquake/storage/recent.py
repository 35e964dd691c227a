"""The latest alerts beside the snapshot, for a screen that attaches: what was published before it came is here."""

from __future__ import annotations

import msgspec

from liquake.errors import SinkRefused
from liquake.model.alert import Alert
from liquake.storage.redis import ANOTHER_VERSION, Client, explained

RECENT = "liquake:alerts:recent"
"""List: alerts as JSON, the newest first."""
MOST = 200
KEEP = 30 * 86_400
"""Seconds without a new alert after which the list is gone."""

# One that is sent again, by this collector or by the one that took over, stays once. In one step: what is between the
# two is never seen.
_ADD = """
redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""

_decoder = msgspec.json.Decoder(Alert)


async def add(client: Client, alert: bytes) -> None:
    """Put `alert`, as JSON, in front of the others."""
    await client.eval(_ADD, 1, RECENT, alert, MOST, KEEP)


class RecentAlerts:
    """Reads them; asks for all only where there is a new one."""

    def __init__(self) -> None:
        self._newest: list[bytes] = []
        self._held: tuple[Alert, ...] = ()

    async def read(self, client: Client) -> tuple[Alert, ...]:
        """The newest last, each once. Raises `SinkError`, `SinkRefused` where they are none of ours."""
        with explained("redis"):
            newest = await client.lrange(RECENT, 0, 0)
            if newest != self._newest:
                kept = await client.lrange(RECENT, 0, MOST - 1)
                try:
                    self._held = _alerts(kept)
                except ValueError:
                    raise SinkRefused("redis", ANOTHER_VERSION) from None
                self._newest = newest
        return self._held


def _alerts(kept: list[bytes]) -> tuple[Alert, ...]:
    # Two collectors find the same matter at almost the same time, and a message may come twice.
    once = {alert.key: alert for alert in map(_decoder.decode, kept)}
    return tuple(sorted(once.values(), key=lambda alert: alert.ts))
