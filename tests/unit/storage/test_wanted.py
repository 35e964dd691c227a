from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from liquake.storage import wanted
from liquake.storage.redis import connect, disconnect
from liquake.storage.wanted import CHARTS, MOST, WANTED, heeded, want
from tests.servers import Valkey
from tests.unit.storage.conftest import client_of


@pytest.mark.parametrize("clustered", [False, True])
async def test_what_screens_want_is_heeded_each_once(redis: str, cluster: str, clustered: bool) -> None:
    client, _ = await connect(cluster if clustered else redis)
    try:
        assert await heeded(client) == ([], [])
        assert await want(client, ["DOGEUSDT"])
        assert await want(client, [f"{CHARTS}ALL", f"{CHARTS}DOGEUSDT", "DOGEUSDT"])
        markets, charts = await heeded(client)
        assert (markets, set(charts)) == (["DOGEUSDT"], {"ALL", "DOGEUSDT"})
    finally:
        await disconnect(client)


async def test_nobody_makes_the_writer_heed_more_than_it_has_time_for(redis: str) -> None:
    client, _ = await connect(redis)
    try:
        await want(client, ["X" * 65])
        for number in range(2 * MOST):
            await want(client, [f"COIN{number}USDT"])
            await asyncio.sleep(0.002)
        markets, _ = await heeded(client)
    finally:
        await disconnect(client)
    assert len(markets) == MOST
    assert f"COIN{2 * MOST - 1}USDT" in markets
    async with client_of(redis) as other:
        assert await other.zcard(WANTED) <= MOST


async def test_what_is_not_wanted_any_more_is_forgotten(redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanted, "SECONDS", 0.1)
    client, _ = await connect(redis)
    try:
        await want(client, ["DOGEUSDT"])
        async with asyncio.timeout(10.0):
            while await heeded(client) != ([], []):
                await asyncio.sleep(0.02)
            async with client_of(redis) as other:
                while await other.exists(WANTED):
                    await asyncio.sleep(0.02)
    finally:
        await disconnect(client)


@pytest.mark.parametrize("asking", [False, True])
async def test_a_user_may_ask_who_may_do_what_the_manual_says(redis: str, asking: bool) -> None:
    more = [f"+{name}" for name in ("eval", "zadd", "zremrangebyscore", "zremrangebyrank", "pexpire", "time")]
    async with client_of(redis) as owner:
        rules = "reset", "on", ">secret", "~liquake:*", "+@read", "+@connection", "+info", *(more if asking else ())
        await owner.execute_command("ACL", "SETUSER", "screen", *rules)
    client, _ = await connect(redis.replace("redis://", "redis://screen:secret@"))
    try:
        assert await want(client, ["DOGEUSDT"]) is asking
    finally:
        await disconnect(client)


async def test_a_replica_is_read_from_and_asked_for_nothing(tmp_path: Path) -> None:
    server = Valkey(tmp_path)
    server.start()
    # One that follows another, which need not be there, takes no writes.
    assert server.ask("REPLICAOF", "127.0.0.1", "1") == "+OK"
    client, _ = await connect(server.url)
    try:
        assert await want(client, ["DOGEUSDT"]) is False
    finally:
        await disconnect(client)
        server.stop()
