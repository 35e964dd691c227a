"""The simulated Hyperliquid keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from liquake.simulate.hyperliquid import VAULTS
from tests.unit.simulate.stage import Socket, Stage, ended, read, read_until, stage


async def subscribe(at: Stage, *subscriptions: dict[str, Any]) -> Socket:
    socket = await at.connect("/ws")
    for subscription in subscriptions:
        await socket.send_json({"method": "subscribe", "subscription": subscription})
        answer = await read_until(socket, lambda message: message["channel"] == "subscriptionResponse")
        assert answer["data"] == {"method": "subscribe", "subscription": subscription}
    return socket


def watching() -> list[dict[str, Any]]:
    return [{"type": "userFills", "user": vault} for vault in VAULTS]


async def fills_of(at: Stage, side: Side, orders: int) -> list[dict[str, Any]]:
    """The fills of watched addresses after `orders` forced orders."""
    socket = await subscribe(at, *watching())
    for _ in range(orders):
        await at.liquidate("SOL", side, usd=900.0)
    await socket.send_json({"method": "ping"})
    fills = []
    while (message := await read(socket))["channel"] != "pong":
        if not message["data"].get("isSnapshot"):
            fills += message["data"]["fills"]
    return fills


@pytest.mark.parametrize(("side", "taken"), [(Side.LONG, "B"), (Side.SHORT, "A")])
async def test_a_makers_fill_has_the_counterpartys_side(side: Side, taken: str) -> None:
    async with stage("hyperliquid") as at:
        fills = await fills_of(at, side, 40)
        published = at.server.published
    market = [fill for fill in fills if fill.get("liquidation", {}).get("method") == "market"]
    assert market
    assert {fill["side"] for fill in market} == {taken}
    assert {fill["crossed"] for fill in market} == {False}
    assert {event.side for event in published} == {side}


async def test_fills_with_a_liquidation_are_the_truth_and_others_are_not() -> None:
    async with stage("hyperliquid") as at:
        fills = await fills_of(at, Side.LONG, 300)
        published = at.server.published
    liquidations = [fill for fill in fills if "liquidation" in fill]
    assert [event.key for event in published] == [f"SOL|{fill['time']}|{fill['tid']}" for fill in liquidations]
    assert [event.amount for event in published] == [float(fill["sz"]) for fill in liquidations]
    assert len({fill["tid"] for fill in liquidations}) == len(liquidations)
    assert {fill["liquidation"]["method"] for fill in liquidations} == {"market", "backstop"}
    backstops = [fill for fill in liquidations if fill["liquidation"]["method"] == "backstop"]
    assert {fill["dir"].split()[0] + fill["dir"].split()[-1] for fill in backstops} == {"LiquidatedLong"}
    assert {fill["dir"] for fill in fills if "liquidation" not in fill} == {"Auto-Deleveraging"}


async def test_only_a_sample_of_the_liquidated_is_seen() -> None:
    async with stage("hyperliquid") as at:
        await fills_of(at, Side.SHORT, 200)
        seen = sum(event.usd for event in at.server.published)
    assert 0.1 < seen / (200 * 900.0) < 0.7


async def test_trades_begin_with_recent_ones_and_carry_no_marker() -> None:
    async with stage("hyperliquid") as at:
        socket = await subscribe(at, {"type": "trades", "coin": "BTC"})
        replay = await read(socket)
        await at.liquidate("BTC", Side.LONG)
        trade = await read(socket)
    assert replay["channel"] == trade["channel"] == "trades"
    assert len(replay["data"]) == 3
    keys = {"coin", "side", "px", "sz", "time", "hash", "tid", "users"}
    assert all(row.keys() == keys for row in replay["data"] + trade["data"])


async def test_user_fills_begin_with_a_snapshot_of_what_was_sent_before() -> None:
    async with stage("hyperliquid") as at:
        await fills_of(at, Side.LONG, 40)
        known = {int(event.key.rpartition("|")[2]) for event in at.server.published}
        socket = await subscribe(at, {"type": "userFills", "user": VAULTS[0].upper().replace("0X", "0x")})
        snapshot = (await read(socket))["data"]
    assert snapshot["isSnapshot"] is True
    assert snapshot["user"].lower() == VAULTS[0]
    assert {fill["tid"] for fill in snapshot["fills"] if "liquidation" in fill} <= known
    assert snapshot["fills"]


async def test_prices_come_every_second() -> None:
    async with stage("hyperliquid") as at:
        socket = await subscribe(at, {"type": "activeAssetCtx", "coin": "BTC"}, {"type": "allMids"})
        await at.wait(1.0)
        messages = {message["channel"]: message["data"] for message in [await read(socket), await read(socket)]}
    assert float(messages["activeAssetCtx"]["ctx"]["markPx"]) > 0
    assert "kPEPE" in messages["allMids"]["mids"]


async def test_ping_is_answered() -> None:
    async with stage("hyperliquid") as at:
        socket = await at.connect("/ws")
        await socket.send_json({"method": "ping"})
        assert await read(socket) == {"channel": "pong"}


async def test_a_wrong_coin_ends_the_connection() -> None:
    async with stage("hyperliquid") as at:
        socket = await at.connect("/ws")
        await socket.send_json({"method": "subscribe", "subscription": {"type": "trades", "coin": "NOSUCH"}})
        await ended(socket)


@pytest.mark.parametrize("kind", ["liquidations", "forceOrder", None])
async def test_there_is_no_liquidation_channel(kind: str | None) -> None:
    async with stage("hyperliquid") as at:
        socket = await at.connect("/ws")
        await socket.send_json({"method": "subscribe", "subscription": {"type": kind}})
        answer = await read(socket)
    assert answer["channel"] == "error"
    assert answer["data"].startswith("Invalid subscription")


async def test_more_than_ten_users_are_refused() -> None:
    async with stage("hyperliquid") as at:
        users = [{"type": "userFills", "user": f"0x{number:040x}"} for number in range(10)]
        socket = await subscribe(at, *users)
        await socket.send_json({"method": "subscribe", "subscription": {"type": "userFills", "user": f"0x{99:040x}"}})
        answer = await read_until(socket, lambda message: message["channel"] == "error")
    assert "10 total users" in answer["data"]


async def test_a_connection_told_nothing_for_a_minute_is_closed() -> None:
    async with stage("hyperliquid") as at:
        socket = await at.connect("/ws")
        at.clock.advance(61.0)
        await at.wait(1.0)
        await ended(socket)


async def test_info_lists_the_universe_and_knows_no_liquidations() -> None:
    async with stage("hyperliquid") as at:
        async with at.session.post(at.address + "/info", json={"type": "meta"}) as answer:
            names = [row["name"] for row in (await answer.json())["universe"]]
        async with at.session.post(at.address + "/info", json={"type": "liquidations"}) as answer:
            assert answer.status == 422
    assert {"BTC", "kPEPE"} <= set(names)
