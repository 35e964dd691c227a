"""The simulated HTX keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import START, Socket, Stage, ended, read, read_until, stage

LINEAR, SWAPS, FUTURES, MARKET = "/linear-swap-notification", "/swap-notification", "/notification", "/linear-swap-ws"
ALL = "public.*.liquidation_orders"


async def subscribed(at: Stage, path: str = LINEAR, topic: str = ALL) -> Socket:
    socket = await at.connect(path)
    await socket.send_json({"op": "sub", "cid": "a", "topic": topic})
    answer = await read(socket)
    assert (answer["op"], answer["cid"], answer["topic"], answer["err-code"]) == ("sub", "a", topic, 0)
    return socket


async def test_the_direction_is_of_the_order_and_the_volume_counts_contracts() -> None:
    async with stage("htx") as at:
        socket = await subscribed(at)
        await at.liquidate("ETH", Side.LONG, usd=2_500.0, below=0.01)
        message = await read(socket)
        (event,) = at.server.published
    (row,) = message["data"]
    assert (message["op"], message["topic"]) == ("notify", "public.ETH-USDT.liquidation_orders")
    assert (row["direction"], row["offset"], row["created_at"]) == ("sell", "close", START // 1_000_000)
    assert (row["volume"], row["amount"], row["price"], row["trade_turnover"]) == (100, 1.0, 2_475.0, 2_475.0)
    assert (event.side, event.amount, event.usd, event.size) == (Side.LONG, 1.0, 2_475.0, 100.0)


async def test_each_product_has_its_socket() -> None:
    async with stage("htx") as at:
        sockets = {path: await subscribed(at, path) for path in (LINEAR, SWAPS, FUTURES)}
        for _ in range(200):
            await at.liquidate("BTC", Side.SHORT, usd=5_000.0)
        rows = {path: (await read(socket))["data"][0] for path, socket in sockets.items()}
    assert {path: row["contract_code"] for path, row in rows.items()} == {
        LINEAR: "BTC-USDT",
        SWAPS: "BTC-USD",
        FUTURES: "BTC270326",
    }
    assert rows[SWAPS]["volume"] == 50
    assert "trade_turnover" not in rows[SWAPS]
    assert {row["direction"] for row in rows.values()} == {"buy"}


async def test_what_is_asked_for_again_or_is_not_there_has_its_code() -> None:
    async with stage("htx") as at:
        socket = await subscribed(at)
        codes = []
        for topic in ("public.BTC-USDT.liquidation_orders", "public.BTC-USD.liquidation_orders", "orders.*"):
            await socket.send_json({"op": "sub", "topic": topic})
            codes.append((await read(socket))["err-code"])
        await socket.send_json({"op": "unsub", "topic": ALL})
        assert (await read(socket))["op"] == "unsub"
        await socket.send_str("what?")
        codes.append((await read(socket))["err-code"])
    assert codes == [2014, 2011, 2011, 2001]


def is_ping(message: dict[str, Any]) -> bool:
    return message.get("op") == "ping" or "ping" in message


@pytest.mark.parametrize(("path", "kind"), [(LINEAR, str), (SWAPS, int), (MARKET, int)])
async def test_pings_come_every_five_seconds_and_their_stamp_is_wanted_back(path: str, kind: type) -> None:
    async with stage("htx") as at:
        socket = await at.connect(path)
        for _ in range(8):
            await at.wait(5.0)
            ping = await read_until(socket, is_ping)
            stamp = ping.get("ts", ping.get("ping"))
            assert type(stamp) is kind
            await socket.send_json({"pong": stamp} if path == MARKET else {"op": "pong", "ts": stamp})
            await socket.send_json({"op": "sub"})
            await read(socket)
        assert not socket.closed
        assert at.server.connections


async def test_a_stamp_of_another_type_is_no_answer() -> None:
    async with stage("htx") as at:
        socket = await at.connect(LINEAR)
        for _ in range(5):
            await at.wait(5.0)
            ping = await read_until(socket, is_ping)
            await socket.send_json({"op": "pong", "ts": int(ping["ts"])})
            await socket.send_json({"op": "sub"})
            await read(socket)
        await at.wait(5.0)
        assert (await read(socket))["op"] == "close"
        await ended(socket)


async def test_prices_are_on_another_socket() -> None:
    async with stage("htx") as at:
        socket = await at.connect(MARKET)
        await socket.send_json({"sub": "market.NOSUCH-USDT.detail", "id": "1"})
        refused = await read(socket)
        await socket.send_json({"sub": "market.BTC-USDT.detail", "id": "2"})
        taken = await read(socket)
        await at.wait(1.0)
        price = await read(socket)
    assert (refused["status"], refused["err-code"], refused["id"]) == ("error", "bad-request", "1")
    assert (taken["status"], taken["subbed"], taken["id"]) == ("ok", "market.BTC-USDT.detail", "2")
    assert price["ch"] == "market.BTC-USDT.detail"
    assert price["tick"]["close"] > 0


async def test_an_end_is_announced() -> None:
    async with stage("htx") as at:
        socket = await subscribed(at)
        await at.server.announce_close()
        assert (await read(socket))["op"] == "close"


async def history(at: Stage, **query: str | int) -> Any:
    address = f"{at.address}/linear-swap-api/v3/swap_liquidation_orders"
    window = {"start_time": START // 1_000_000 - 1000, "end_time": START // 1_000_000 + 1000}
    async with at.session.get(address, params={"contract": "SOL-USDT", "trade_type": 0, **window, **query}) as answer:
        return await answer.json()


async def test_the_history_comes_in_pages_newest_first_and_is_published_by_being_told() -> None:
    async with stage("htx") as at:
        for nth in range(25):
            await at.liquidate("SOL", Side.LONG, usd=300.0 + 150.0 * nth)
        assert at.server.published == []
        first = (await history(at))["data"]
        oldest = min(row["query_id"] for row in first)
        rest = (await history(at, from_id=oldest))["data"]
        assert (await history(at, from_id=rest[-1]["query_id"]))["data"] == []
        assert (await history(at, start_time=0))["code"] == 1347
        published = at.server.published
    assert (len(first), len(rest)) == (20, 5)
    assert [row["query_id"] for row in first] == sorted((row["query_id"] for row in first), reverse=True)
    assert len({event.key for event in published}) == 25


async def test_the_history_tells_the_side_that_is_asked_for() -> None:
    async with stage("htx") as at:
        await at.liquidate("SOL", Side.LONG)
        await at.liquidate("SOL", Side.SHORT)
        directions = [[row["direction"] for row in (await history(at, trade_type=kind))["data"]] for kind in (0, 5, 6)]
    assert directions == [["buy", "sell"], ["sell"], ["buy"]]


async def test_contracts_are_listed_by_product() -> None:
    async with stage("htx") as at:
        sizes: dict[str, float] = {}
        for product in ("linear-swap-api", "swap-api"):
            async with at.session.get(f"{at.address}/{product}/v1/swap_contract_info") as answer:
                sizes |= {row["contract_code"]: row["contract_size"] for row in (await answer.json())["data"]}
    assert (sizes["BTC-USDT"], sizes["BTC-USD"], sizes["ETH-USD"]) == (0.001, 100.0, 10.0)
