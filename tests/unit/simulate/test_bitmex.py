"""The simulated BitMEX keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, read, read_until, stage

PATH = "/realtime"


async def subscribed(at: Stage, *topics: str) -> tuple[Socket, list[Any]]:
    """A connection that asked for `topics`, and the tables as they stood."""
    socket = await at.connect(PATH)
    assert "Welcome" in (await read(socket))["info"]
    await socket.send_json({"op": "subscribe", "args": topics})
    partials = []
    for topic in topics:
        assert (await read(socket))["subscribe"] == topic
        partials.append(await read(socket))
    return socket, partials


def of(action: str) -> Any:
    return lambda message: message.get("action") == action and message["table"] == "liquidation"


@pytest.mark.parametrize(("side", "written"), [(Side.LONG, "Sell"), (Side.SHORT, "Buy")])
async def test_an_order_is_inserted_with_its_own_side_and_limit(side: Side, written: str) -> None:
    async with stage("bitmex", throttled=False) as at:
        socket, _ = await subscribed(at, "liquidation")
        await at.liquidate("SOL", side, usd=3_000.0, below=0.01)
        (row,) = (await read(socket))["data"]
        (event,) = at.server.published
    assert (row["symbol"], row["side"], row["leavesQty"]) == ("SOLUSDT", written, 200_000)
    assert row["price"] == (148.5 if side is Side.LONG else 151.5)
    assert (event.side, event.id, event.amount) == (side, row["orderID"], 20.0)


async def test_orders_stand_grow_and_go_and_each_rise_is_an_event() -> None:
    async with stage("bitmex") as at:
        socket, _ = await subscribed(at, "liquidation:SOLUSDT")
        for _ in range(12):
            await at.liquidate("SOL", usd=3_000.0)
        first = {row["orderID"]: row["leavesQty"] for _ in range(12) for row in (await read(socket))["data"]}
        await at.wait(1.0)
        rise = await read_until(socket, of("update"))
        while (identity := rise["data"][0]["orderID"]) and "price" in rise["data"][0]:
            rise = await read_until(socket, of("update"))
        await at.wait(1.5)
        gone = await read_until(socket, of("delete"))
        events = {event.id: event for event in at.server.published}
    total = rise["data"][0]["leavesQty"]
    assert total > first[identity]
    assert events[f"{identity}|{total}"].size == total - first[identity]
    assert gone["data"][0].keys() == {"orderID", "symbol"}
    assert gone["data"][0]["orderID"] in first


async def test_who_subscribes_later_gets_the_orders_that_stand() -> None:
    async with stage("bitmex", throttled=False) as at:
        _, (empty,) = await subscribed(at, "liquidation")
        await at.liquidate("BTC")
        await at.liquidate("SOL")
        _, (all_of_them,) = await subscribed(at, "liquidation")
        _, (one,) = await subscribed(at, "liquidation:SOLUSDT")
        async with at.session.get(at.address + "/api/v1/liquidation") as answer:
            assert await answer.json() == all_of_them["data"]
    assert (empty["action"], empty["data"]) == ("partial", [])
    assert len(all_of_them["data"]) == 2
    assert [row["symbol"] for row in one["data"]] == ["SOLUSDT"]


async def test_prices_are_a_partial_and_then_what_changed() -> None:
    async with stage("bitmex") as at:
        socket, (partial,) = await subscribed(at, "instrument:XBTUSD")
        await at.wait(1.0)
        (row,) = (await read(socket))["data"]
    assert partial["data"][0]["isInverse"] is True
    assert row.keys() >= {"symbol", "markPrice", "timestamp"}
    assert row["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ('{"op":"subscribe","args":["liq"]}', "Unknown table: liq"),
        ('{"op":"subscribe","args":"liquidation:NOSUCH"}', "Unknown or expired symbol: NOSUCH"),
        ("hello", "Unrecognized request"),
        ('{"op":"guess"}', "Unrecognized request"),
    ],
)
async def test_what_is_not_understood_is_refused_and_the_connection_stays(sent: str, error: str) -> None:
    async with stage("bitmex") as at:
        socket, _ = await subscribed(at)
        await socket.send_str(sent)
        answer = await read(socket)
        await socket.send_str("ping")
        assert await read(socket) == "pong"
    assert answer["status"] == 400
    assert error in answer["error"]


async def test_topics_may_stand_in_the_address_and_be_given_up() -> None:
    async with stage("bitmex", throttled=False) as at:
        socket = await at.connect(f"{PATH}?subscribe=liquidation")
        said = [await read(socket) for _ in range(3)]
        await socket.send_json({"op": "unsubscribe", "args": ["liquidation"]})
        assert (await read(socket))["unsubscribe"] == "liquidation"
        await at.liquidate("SOL")
        (event,) = at.server.published
    assert [*said[1], said[2]["action"]][1:] == ["subscribe", "request", "partial"]
    assert event.subscribed == 0


async def test_contracts_of_every_kind_are_listed() -> None:
    async with stage("bitmex") as at, at.session.get(at.address + "/api/v1/instrument/active") as answer:
        rows = {row["symbol"]: row for row in await answer.json()}
    assert rows["XBTUSD"]["isInverse"] is True
    assert rows["ETHUSD"]["isQuanto"] is True
    assert rows["XBTUSDT"]["underlyingToPositionMultiplier"] == pytest.approx(1e6)
    assert rows["XBT_USDT"]["typ"] == "IFXXXP"
