"""Who of several does something in Redis: one at a time, and another once that one is gone."""

from __future__ import annotations

from typing import NamedTuple

from liquake.storage.redis import Client

# Kept only by whom it belongs to: one that was stopped for a while must not take it back from its successor.
_HOLD = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {1, 0} end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, redis.call('PTTL', KEYS[1])} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, 0}
"""
_LET_GO = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class Held(NamedTuple):
    """Whose the lease is."""

    ours: bool
    seen: float
    """Seconds since whoever else has it was last there; 0 where it is ours."""


class Lease:
    """The right that the string at `key` stands for, held by `name` for `seconds` after each `hold`."""

    def __init__(self, key: str, name: str, seconds: float) -> None:
        self.key, self.name, self.seconds = key, name, seconds

    async def hold(self, client: Client) -> Held:
        """Take it where it is free, keep it where it is ours."""
        ours, left = await client.eval(_HOLD, 1, self.key, self.name, round(self.seconds * 1000))
        return Held(bool(ours), 0.0 if ours else self.seconds - left / 1000.0)

    async def let_go(self, client: Client) -> None:
        """Give it back where it is ours, so that whoever is next need not wait for it to expire."""
        await client.eval(_LET_GO, 1, self.key, self.name)
