"""Many hashes at once, each written whole and with its time to live in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

import msgspec
from redis.asyncio import RedisCluster
from redis.crc import key_slot

from liquake.storage.redis import Client, pack

_AT_ONCE = 2000
"""Hashes sent together. Putting them together holds the event loop up by some milliseconds; each wait for an answer costs a
turn of it, which under load is more."""
_IN_ONE = 50
"""Hashes of one command: Redis does nothing else meanwhile."""

# Of all the keys each has the same fields, so that their names go once. What a key held besides goes with it: a field
# that is not known any more must not stay. In one step with the time to live: a key whose writer dies before that would
# stay for ever.
_WRITE = """
local names, rows = cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3])
local fields = {}
for place, name in ipairs(names) do fields[2 * place - 1] = name end
for number, key in ipairs(KEYS) do
    for place, value in ipairs(rows[number]) do fields[2 * place] = value end
    redis.call('HSET', key, unpack(fields))
    if redis.call('HLEN', key) ~= #names then
        redis.call('DEL', key)
        redis.call('HSET', key, unpack(fields))
    end
    redis.call('PEXPIRE', key, ARGV[1])
end
"""

_encode = msgspec.json.Encoder().encode


class Hash(NamedTuple):
    """One hash: what it says in words, and in numbers under `names`. Of hundreds the names may be the same tuple."""

    key: str
    words: Mapping[str, str]
    names: Sequence[str]
    numbers: Sequence[int | float]

    @property
    def fields(self) -> dict[str, str | int | float]:
        """All of it by name."""
        return {**self.words, **dict(zip(self.names, self.numbers, strict=True))}


def hash_of(key: str, fields: Mapping[str, str | int | float]) -> Hash:
    """The hash at `key` of words and numbers in any order."""
    words = {name: value for name, value in fields.items() if isinstance(value, str)}
    numbers = {name: value for name, value in fields.items() if not isinstance(value, str)}
    return Hash(key, words, tuple(numbers), tuple(numbers.values()))


async def write(client: Client, hashes: Iterator[Hash], expire: int) -> None:
    """Write `hashes`, each gone `expire` milliseconds after."""
    slot = _slots(client)
    while part := list(islice(hashes, _AT_ONCE)):
        sending = client.pipeline(transaction=False)
        for command in _commands(part, expire, slot):
            sending.execute_command(*command)
        await sending.execute()


def _slots(client: object) -> Callable[[bytes], int]:
    """The slot of a key: on a server by itself all are as good as one."""
    return key_slot if isinstance(client, RedisCluster) else lambda _: 0


def _commands(
    hashes: Sequence[Hash], expire: int, slot: Callable[[bytes], int]
) -> Iterator[tuple[str | int | bytes, ...]]:
    """A command for all that have the same fields; no command touches two slots."""
    alike: dict[tuple[object, ...], list[Hash]] = {}
    for each in hashes:
        alike.setdefault((slot(each.key.encode()), tuple(each.words), each.names), []).append(each)
    for (_, words, names), found in alike.items():
        for group in (found[place : place + _IN_ONE] for place in range(0, len(found), _IN_ONE)):
            keys = (each.key for each in group)
            yield "EVAL", _WRITE, len(group), *keys, expire, _packed_names(words, names), pack(_texts(group))


@lru_cache(maxsize=256)
def _packed_names(words: tuple[str, ...], names: tuple[str, ...]) -> bytes:
    return pack((*words, *names))


def _texts(group: Sequence[Hash]) -> list[list[str]]:
    """What each holds as text: Lua's own numbers have no place for nanoseconds."""
    width = len(group[0].names)
    # All in one go: a hundred numbers of hundreds of markets are written, and `repr` takes five times as long.
    written = _encode(list(chain.from_iterable(each.numbers for each in group)))[1:-1].decode().split(",")
    return [[*each.words.values(), *written[place * width : (place + 1) * width]] for place, each in enumerate(group)]
