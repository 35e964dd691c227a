"""What screens elsewhere want of the snapshot beside the largest markets: they say it in Redis, whoever writes goes by it."""

from __future__ import annotations

from collections.abc import Sequence

from redis.exceptions import ResponseError

from liquake.storage.redis import Client, explained

WANTED = "liquake:wanted"
"""Sorted set: names of markets, and `CHARTS` before those whose charts are wanted, by when that was last said."""
CHARTS = "charts:"
SECONDS = 5.0
"""After which what was wanted is not wanted any more."""
MOST = 20
"""Names that are heeded, those said last: what others ask for must not take the writer's time."""
_LONGEST = 64
"""Characters of a name."""

# The moments are the server's own: the clocks of screens and collectors may differ.
_NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
_WANT = (
    _NOW
    + """
for place = 3, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[place]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)
_HEED = _NOW + "return redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', now - ARGV[1], 'LIMIT', 0, ARGV[2])"


async def want(client: Client, names: Sequence[str]) -> bool:
    """Say that `names` are wanted, for `SECONDS`. Whether that may be said: a user may be let in to read alone, and what it
    reads may be a replica. Raises `SinkError`."""
    with explained("redis"):
        try:
            await client.eval(_WANT, 1, WANTED, round(SECONDS * 1000), MOST, *names)
        except ResponseError:
            return False
    return True


async def heeded(client: Client) -> tuple[list[str], list[str]]:
    """The markets that are wanted, and those whose charts are."""
    said = [each.decode(errors="replace") for each in await client.eval(_HEED, 1, WANTED, round(SECONDS * 1000), MOST)]
    names = [name for name in said if len(name) <= _LONGEST]
    drawn = [name.removeprefix(CHARTS) for name in names if name.startswith(CHARTS)]
    return [name for name in names if not name.startswith(CHARTS)], drawn
