"""The simulated dYdX keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, ended, read, read_until, stage

PATH = "/v4/ws"


async def connected(at: Stage) -> Socket:
    socket = await at.connect(PATH)
    assert (await read(socket))["type"] == "connected"
    return socket


async def ask(socket: Socket, market: str, **more: object) -> Any:
    await socket.send_json({"type": "subscribe", "channel": "v4_trades", "id": market, **more})
    return await read(socket)


async def test_a_liquidated_long_sells_at_the_price_of_the_fill() -> None:
    async with stage("dydx", throttled=False) as at:
        socket = await connected(at)
        assert (await ask(socket, "SOL-USD"))["contents"] == {"trades": []}
        await at.liquidate("SOL", Side.LONG, usd=300.0, below=0.01)
        message = await read(socket)
        (event,) = at.server.published
    (row,) = message["contents"]["trades"]
    assert (message["type"], message["id"]) == ("channel_data", "SOL-USD")
    assert (row["type"], row["side"], row["size"], row["price"]) == ("LIQUIDATED", "SELL", "2.0", "150.00")
    assert (event.key, event.side, event.usd) == (row["id"], Side.LONG, 300.0)


async def test_batches_come_every_quarter_of_a_second() -> None:
    async with stage("dydx") as at:
        socket = await connected(at)
        await ask(socket, "SOL-USD", batched=True)
        for usd in (300.0, 600.0):
            await at.liquidate("SOL", Side.SHORT, usd=usd)
        await at.wait(0.3)
        message = await read_until(socket, lambda message: message["type"] == "channel_batch_data")
    rows = [row for part in message["contents"] for row in part["trades"] if row["type"] == "LIQUIDATED"]
    assert [(row["side"], row["size"]) for row in rows] == [("BUY", "2.0"), ("BUY", "4.0")]


async def test_what_nobody_was_told_comes_with_the_subscription_and_is_published_then() -> None:
    async with stage("dydx", throttled=False) as at:
        await at.liquidate("SOL")
        assert at.server.published == []
        answer = await ask(await connected(at), "SOL-USD")
        again = await ask(await connected(at), "SOL-USD")
        (event,) = at.server.published
    assert [row["id"] for row in answer["contents"]["trades"]] == [event.id]
    assert again["contents"] == answer["contents"]


async def test_the_history_ends_where_it_is_told_to() -> None:
    async with stage("dydx", throttled=False) as at:
        await at.liquidate("SOL")
        await at.wait(2.0)
        await at.liquidate("SOL")
        url = f"{at.address}/v4/trades/perpetualMarket/SOL-USD"
        async with at.session.get(url) as answer:
            newest, oldest = (await answer.json())["trades"]
        async with at.session.get(url, params={"createdBeforeOrAt": oldest["createdAt"]}) as answer:
            assert (await answer.json())["trades"] == [oldest]
        async with at.session.get(f"{at.address}/v4/trades/perpetualMarket/XYZ-USD") as answer:
            assert answer.status == 400
    assert newest["createdAt"] > oldest["createdAt"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"channel": "v4_trades", "id": "XYZ-USD"}, "Invalid subscription id for channel: (v4_trades-XYZ-USD)"),
        ({"channel": "v4_trades"}, "Invalid id: None"),
        ({"channel": "liquidations"}, "Invalid channel: liquidations"),
        ({}, "Invalid subscribe message: channel is required"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused_by_name(request_: dict[str, str], reason: str) -> None:
    async with stage("dydx") as at:
        socket = await connected(at)
        await socket.send_json({"type": "subscribe", **request_})
        answer = await read(socket)
    assert (answer["type"], answer["message"]) == ("error", reason)


async def test_no_words_and_strange_words_are_refused() -> None:
    async with stage("dydx") as at:
        socket = await connected(at)
        for text in ("hello", "{}", '{"type":"dance"}'):
            await socket.send_str(text)
            assert (await read(socket))["message"].startswith("Invalid message")


async def test_asking_again_is_refused_and_asking_too_often_ends_the_connection() -> None:
    async with stage("dydx") as at:
        socket = await connected(at)
        await ask(socket, "SOL-USD")
        assert "already subscribed (v4_trades-SOL-USD)" in (await ask(socket, "SOL-USD"))["message"]
        assert "Too many subscribe attempts" in (await ask(socket, "SOL-USD"))["message"]
        await ended(socket)
        assert socket.close_code == 1008


async def test_oracle_prices_are_of_all_markets() -> None:
    async with stage("dydx") as at:
        socket = await connected(at)
        await socket.send_json({"type": "subscribe", "channel": "v4_markets"})
        first = await read(socket)
        await at.wait(1.0)
        after = await read(socket)
        async with at.session.get(f"{at.address}/v4/perpetualMarkets") as answer:
            listed = (await answer.json())["markets"]
    assert first["contents"]["markets"].keys() == listed.keys()
    assert after["contents"]["oraclePrices"].keys() == listed.keys()
