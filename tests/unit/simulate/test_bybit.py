"""The simulated Bybit keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, ended, read, read_until, stage

LINEAR, INVERSE = "/v5/public/linear", "/v5/public/inverse"


async def subscribed(at: Stage, path: str, *topics: str) -> Socket:
    socket = await at.connect(path)
    await socket.send_json({"op": "subscribe", "args": topics, "req_id": "a"})
    assert (await read(socket))["success"] is True
    return socket


async def test_the_side_names_the_position_and_the_price_is_the_bankruptcy_price() -> None:
    async with stage("bybit") as at:
        socket = await subscribed(at, LINEAR, "allLiquidation.SOLUSDT")
        await at.liquidate("SOL", Side.LONG, usd=300.0, below=0.01)
        await at.wait(0.5)
        message = await read(socket)
        (event,) = at.server.published
    assert message["topic"] == "allLiquidation.SOLUSDT"
    assert message["data"][0] | {"T": 0} == {"T": 0, "s": "SOLUSDT", "S": "Buy", "v": "2.0", "p": "148.500"}
    assert (event.side, event.amount, event.usd) == (Side.LONG, 2.0, 297.0)


async def test_every_order_is_sent_in_batches_of_half_a_second() -> None:
    async with stage("bybit") as at:
        socket = await subscribed(at, LINEAR, "allLiquidation.SOLUSDT")
        for usd in (300.0, 300.0, 600.0):
            await at.liquidate("SOL", Side.SHORT, usd=usd)
        await at.wait(0.5)
        message = await read(socket)
        published = at.server.published
    assert [row["v"] for row in message["data"]] == ["2.0", "2.0", "4.0"]
    assert {row["S"] for row in message["data"]} == {"Sell"}
    assert [event.id for event in published] == [None, f"{published[0].key}|1", None]
    assert len({event.key for event in published}) == 3


async def test_inverse_sizes_are_dollars() -> None:
    async with stage("bybit", throttled=False) as at:
        socket = await subscribed(at, INVERSE, "allLiquidation.BTCUSD")
        for _ in range(60):
            await at.liquidate("BTC", Side.LONG, usd=5_000.0)
        message = await read(socket)
        event = next(event for event in at.server.published if event.instrument == "BTCUSD")
    assert message["data"][0]["v"] == "5000"
    assert (event.usd, event.amount) == (5_000.0, 5_000.0 / event.price)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("allLiquidation.NOSUCHUSDT", "Invalid symbol :[allLiquidation.NOSUCHUSDT]"),
        ("allLiquidation.BTCUSD", "Invalid symbol :[allLiquidation.BTCUSD]"),
        ("liquidation.BTCUSDT", "error:handler not found,topic:liquidation.BTCUSDT"),
    ],
)
async def test_one_wrong_topic_refuses_the_whole_request(topic: str, reason: str) -> None:
    async with stage("bybit", throttled=False) as at:
        socket = await at.connect(LINEAR)
        await socket.send_json({"op": "subscribe", "args": ["allLiquidation.SOLUSDT", topic], "req_id": "r1"})
        answer = await read(socket)
        await at.liquidate("SOL")
        (event,) = at.server.published
    assert (answer["success"], answer["ret_msg"], answer["req_id"], answer["op"]) == (False, reason, "r1", "subscribe")
    assert event.subscribed == 0


async def test_too_long_a_request_is_refused() -> None:
    async with stage("bybit") as at:
        socket = await at.connect(LINEAR)
        await socket.send_json({"op": "subscribe", "args": ["allLiquidation.SOLUSDT"] * 1000})
        assert (await read(socket))["success"] is False


async def test_ping_is_answered_with_its_number() -> None:
    async with stage("bybit") as at:
        socket = await at.connect(LINEAR)
        await socket.send_json({"op": "ping", "req_id": "p9"})
        answer = await read(socket)
    assert (answer["op"], answer["ret_msg"], answer["req_id"], answer["success"]) == ("ping", "pong", "p9", True)


async def test_tickers_are_a_snapshot_then_what_changed() -> None:
    async with stage("bybit") as at:
        socket = await subscribed(at, LINEAR, "tickers.BTCUSDT")
        first = await read(socket)
        await at.wait(8.0)
        deltas: list[dict[str, Any]] = [await read(socket) for _ in range(8)]
    assert first["type"] == "snapshot"
    assert {"lastPrice", "markPrice", "indexPrice", "bid1Size"} <= first["data"].keys()
    assert {delta["type"] for delta in deltas} == {"delta"}
    assert all("fundingRate" not in delta["data"] for delta in deltas)
    assert {"markPrice" in delta["data"] for delta in deltas} == {True, False}


async def test_instruments_come_in_pages() -> None:
    async with stage("bybit") as at:
        cursor, pages, symbols = "", 0, []
        while pages == 0 or cursor:
            query = {"category": "linear", "limit": "1000", "cursor": cursor}
            async with at.session.get(at.address + "/v5/market/instruments-info", params=query) as answer:
                body = await answer.json()
            assert body["retCode"] == 0
            symbols += [row["symbol"] for row in body["result"]["list"]]
            cursor, pages = body["result"]["nextPageCursor"], pages + 1
    assert pages == 3
    assert len(set(symbols)) == len(symbols) == 10


async def test_an_unknown_category_is_an_error_inside_a_good_answer() -> None:
    async with stage("bybit") as at, at.session.get(at.address + "/v5/market/instruments-info") as answer:
        assert answer.status == 200
        assert (await answer.json())["retCode"] == 10001


async def test_a_client_that_says_nothing_for_ten_minutes_is_cut() -> None:
    async with stage("bybit") as at:
        quiet, chatty = await at.connect(LINEAR), await at.connect(LINEAR)
        for _ in range(61):
            at.clock.advance(10.0)
            await chatty.send_json({"op": "ping"})
            await read_until(chatty, lambda answer: answer["ret_msg"] == "pong")
        await at.wait(1.0)
        await ended(quiet)
        assert not chatty.closed
