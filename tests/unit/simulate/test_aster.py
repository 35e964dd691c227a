"""The simulated Aster keeps to the documented protocol."""

from __future__ import annotations

import pytest
from aiohttp import WSMsgType

from liquake.model import Side
from tests.unit.simulate.stage import read, stage

ALL = "/stream?streams=!forceOrder@arr"


async def test_only_the_latest_order_of_a_symbol_and_second_is_sent() -> None:
    async with stage("aster") as at:
        socket = await at.connect(ALL)
        for usd in (1_000.0, 9_000.0, 3_000.0):
            await at.liquidate("SOL", Side.LONG, usd=usd)
        await at.wait(1.0)
        message = await read(socket)
        (event,) = at.server.published
    row = message["data"]["o"]
    assert (row["s"], row["S"], row["z"], row["ap"]) == ("SOLUSDT", "SELL", "20.00", "150.000")
    assert (event.venue, event.side, event.usd) == ("aster", Side.LONG, 3_000.0)


async def test_nothing_tells_of_a_second_product() -> None:
    async with stage("aster") as at:
        socket = await at.connect(f"{ALL}/btcusdt@markPrice@1s")
        await at.liquidate("BTC", Side.SHORT)
        await at.wait(1.0)
        messages = [await read(socket) for _ in range(2)]
    order = next(message["data"]["o"] for message in messages if "o" in message["data"])
    mark = next(message["data"] for message in messages if message["data"]["e"] == "markPriceUpdate")
    assert order["S"] == "BUY"
    assert not {"st", "ps"} & (order.keys() | mark.keys())


@pytest.mark.parametrize("path", ["/ws/!forceOrder@arr", ALL])
async def test_both_addresses_are_live(path: str) -> None:
    async with stage("aster", throttled=False) as at:
        socket = await at.connect(path)
        await at.liquidate("SOL")
        assert "forceOrder" in str(await read(socket))


async def test_more_streams_than_one_connection_may_have_are_refused() -> None:
    async with stage("aster") as at:
        socket = await at.connect("/ws")
        await socket.send_json({"method": "SUBSCRIBE", "params": [f"s{n}@aggTrade" for n in range(201)], "id": 4})
        answer = await read(socket)
    assert "200 streams" in answer["error"]["msg"]


async def test_a_ping_comes_every_five_minutes() -> None:
    async with stage("aster") as at:
        socket = await at.connect("/ws/!forceOrder@arr", autoping=False)
        at.clock.advance(299.0)
        await at.wait(2.0)
        assert (await socket.receive()).type is WSMsgType.PING


async def test_instruments_are_listed_as_binance_does() -> None:
    async with stage("aster") as at, at.session.get(at.address + "/fapi/v3/exchangeInfo") as answer:
        symbols = {row["symbol"]: row for row in (await answer.json())["symbols"]}
    assert symbols["1000PEPEUSDT"]["baseAsset"] == "1000PEPE"
    assert not [row for row in symbols.values() if "contractSize" in row]
