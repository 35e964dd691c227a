"""The simulated Lighter keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, ended, read, read_until, stage


async def connected(at: Stage) -> Socket:
    socket = await at.connect("/stream?readonly=true")
    assert (await read(socket))["type"] == "connected"
    return socket


async def ask(socket: Socket, channel: str, kind: str = "subscribe") -> Any:
    await socket.send_json({"type": kind, "channel": channel})
    return await read(socket)


async def test_a_liquidated_long_is_sold_to_a_maker_who_bids() -> None:
    async with stage("lighter", throttled=False) as at:
        socket = await connected(at)
        answer = await ask(socket, "trade/2")
        await at.liquidate("SOL", Side.LONG, usd=300.0)
        message = await read(socket)
        (event,) = at.server.published
    assert (answer["type"], answer["channel"], answer["liquidation_trades"]) == ("subscribed/trade", "trade:2", [])
    row = message["liquidation_trades"][0]
    assert (row["type"], row["market_id"], row["is_maker_ask"]) == ("liquidation", 2, False)
    assert (row["size"], row["price"], float(row["usd_amount"])) == ("2.000", "150.000", 300.0)
    assert float(row["taker_position_size_before"]) == 2.0
    assert (event.key, event.side, event.usd) == (f"2|{row['trade_id']}", Side.LONG, 300.0)


async def test_a_liquidated_short_is_bought_from_a_maker_who_asks() -> None:
    async with stage("lighter", throttled=False) as at:
        socket = await connected(at)
        await ask(socket, "trade/4")
        await at.liquidate("PEPE", Side.SHORT, usd=500.0)
        row = (await read(socket))["liquidation_trades"][0]
        (event,) = at.server.published
    assert row["is_maker_ask"] is True
    assert float(row["taker_position_size_before"]) < 0.0
    assert event.amount == float(row["size"]) * 1000.0


async def test_what_nobody_was_told_comes_with_the_subscription_and_is_published_then() -> None:
    async with stage("lighter", throttled=False) as at:
        await at.liquidate("SOL")
        assert at.server.published == []
        answer = await ask(await connected(at), "trade/2")
        (event,) = at.server.published
    assert [f"2|{row['trade_id']}" for row in answer["liquidation_trades"]] == [event.key]


async def test_updates_tell_the_last_liquidation_again() -> None:
    async with stage("lighter", throttled=False) as at:
        socket = await connected(at)
        await ask(socket, "trade/2")
        await at.liquidate("SOL")
        first = await read(socket)
        await at.wait(40.0)
        again = await read_until(socket, lambda message: bool(message["liquidation_trades"]))
        assert len(at.server.published) == 1
    assert again["liquidation_trades"] == first["liquidation_trades"][:1]
    assert again["trades"]


@pytest.mark.parametrize(("channel", "code"), [("trade/999", 30005), ("liquidations/all", 30005), ("trade/2", 30003)])
async def test_what_cannot_be_subscribed_to_is_refused(channel: str, code: int) -> None:
    async with stage("lighter") as at:
        socket = await connected(at)
        await ask(socket, "trade/2")
        assert (await ask(socket, channel))["error"]["code"] == code


async def test_strange_words_are_refused() -> None:
    async with stage("lighter") as at:
        socket = await connected(at)
        for text in ("hello", '{"type":"dance"}'):
            await socket.send_str(text)
            assert (await read(socket))["error"]["code"] == 30001


async def test_more_than_two_hundred_messages_a_minute_are_refused() -> None:
    async with stage("lighter") as at:
        socket = await connected(at)
        for _ in range(200):
            await socket.send_json({"type": "ping"})
            assert await read(socket) == {"type": "pong"}
        assert (await ask(socket, "trade/2"))["error"]["code"] == 30009
        at.clock.advance(61.0)
        assert (await ask(socket, "trade/2"))["type"] == "subscribed/trade"


async def test_prices_come_every_second_until_they_are_not_wanted() -> None:
    async with stage("lighter") as at:
        socket = await connected(at)
        assert (await ask(socket, "market_stats/1"))["type"] == "subscribed/market_stats"
        await at.wait(1.0)
        message = await read(socket)
        assert (await ask(socket, "market_stats/1", "unsubscribe"))["type"] == "unsubscribed"
        assert not at.server.connections[0].topics
        async with at.session.get(f"{at.address}/api/v1/orderBookDetails") as answer:
            rows = (await answer.json())["order_book_details"]
    assert message["market_stats"]["symbol"] == "BTC"
    assert {row["market_id"]: row["symbol"] for row in rows}[4] == "1000PEPE"


async def test_a_client_that_says_nothing_for_two_minutes_is_cut() -> None:
    async with stage("lighter") as at:
        socket = await connected(at)
        at.clock.advance(121.0)
        await at.wait(1.0)
        await ended(socket)
