from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from liquake.storage.hashes import Hash, hash_of, write
from liquake.storage.redis import connect, disconnect
from tests.unit.storage.conftest import client_of

NAMES = ("time", "rate", "count")


async def written(url: str, hashes: Iterable[Hash], expire: int = 60_000) -> None:
    client, _ = await connect(url)
    try:
        await write(client, iter(hashes), expire)
    finally:
        await disconnect(client)


def many(count: int) -> list[Hash]:
    return [
        Hash(f"h{number}", {"name": f"market {number}, of many"}, NAMES, [10**18 + number, number / 7.0, number])
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [1, 49, 51, 1234])
async def test_every_hash_is_written_with_each_number_as_it_is(redis: str, count: int) -> None:
    made = many(count)
    await written(redis, made)
    async with client_of(redis) as client:
        for each in made:
            held = await client.hgetall(each.key)
            assert set(held) == {"name", *NAMES}
            assert (held["name"], int(held["time"]), int(held["count"])) == (
                each.words["name"],
                each.numbers[0],
                each.numbers[2],
            )
            assert float(held["rate"]) == each.numbers[1]
        assert await client.dbsize() == count


async def test_every_hash_is_gone_with_its_writer(redis: str) -> None:
    made = many(60)
    await written(redis, made, expire=50_000)
    async with client_of(redis) as client:
        for each in made:
            assert 0 < await client.pttl(each.key) <= 50_000
        await written(redis, made, expire=1)
        async with asyncio.timeout(10.0):
            while await client.dbsize():
                await asyncio.sleep(0.01)


async def test_a_field_that_is_not_known_any_more_does_not_stay(redis: str) -> None:
    known = hash_of("h", {"market": "BTCUSDT", "score": 4, "reason": "warming up"})
    await written(redis, [known])
    await written(redis, [hash_of("h", {"market": "BTCUSDT", "score": 5})])
    async with client_of(redis) as client:
        assert await client.hgetall("h") == {"market": "BTCUSDT", "score": "5"}
        assert 0 < await client.pttl("h") <= 60_000


async def test_hashes_of_different_fields_go_together(redis: str) -> None:
    made = [hash_of("a", {"x": 1, "word": "one"}), hash_of("b", {"y": 2.5}), hash_of("c", {"x": 3, "word": "three"})]
    await written(redis, made)
    async with client_of(redis) as client:
        assert [await client.hgetall(key) for key in "abc"] == [
            {"x": "1", "word": "one"},
            {"y": "2.5"},
            {"x": "3", "word": "three"},
        ]


async def test_a_cluster_takes_hashes_of_every_slot(cluster: str) -> None:
    await written(cluster, many(300))
    async with client_of(cluster) as client:
        assert len([key async for key in client.scan_iter("h*")]) == 300


def test_fields_are_words_and_numbers_together() -> None:
    fields: dict[str, str | int | float] = {"market": "BTCUSDT", "score": 4, "reason": "none", "share": 0.5}
    assert hash_of("h", fields).fields == fields
