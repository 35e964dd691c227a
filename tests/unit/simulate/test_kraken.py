"""The simulated Kraken Futures keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, read, read_until, stage

SOCKET, API = "/ws/v1", "/derivatives/api/v3"


async def subscribed(at: Stage, *products: str) -> tuple[Socket, list[Any]]:
    """A connection to the trades of `products`, and the snapshots that came before them."""
    socket = await at.connect(SOCKET)
    assert await read(socket) == {"event": "info", "version": 1}
    await socket.send_json({"event": "subscribe", "feed": "trade", "product_ids": products})
    snapshots = []
    for product in products:
        assert await read(socket) == {"event": "subscribed", "feed": "trade", "product_ids": [product]}
        snapshots.append(await read(socket))
    return socket, snapshots


async def answer(at: Stage, path: str) -> Any:
    async with at.session.get(at.address + API + path) as got:
        return await got.json()


async def test_a_liquidated_long_is_sold_by_the_taker_at_what_was_paid() -> None:
    async with stage("kraken") as at:
        socket, _ = await subscribed(at, "PF_SOLUSD")
        await at.liquidate("SOL", Side.LONG, usd=300.0, below=0.01)
        row = await read(socket)
        (event,) = at.server.published
    assert {name: row[name] for name in ("feed", "type", "side", "qty", "price")} == {
        "feed": "trade",
        "type": "liquidation",
        "side": "sell",
        "qty": 2.0,
        "price": 150.0,
    }
    assert (event.key, event.side, event.amount, event.usd) == (row["uid"], Side.LONG, 2.0, 300.0)


async def test_sizes_of_inverse_contracts_are_dollars() -> None:
    async with stage("kraken") as at:
        socket, _ = await subscribed(at, "PI_XBTUSD", "FI_XBTUSD_270326")
        for _ in range(60):
            await at.liquidate("BTC", Side.SHORT, usd=5_000.0)
        row = await read_until(socket, lambda message: message["type"] == "liquidation")
        event = next(event for event in at.server.published if event.key == row["uid"])
    assert (row["qty"], row["side"]) == (5_000.0, "buy")
    assert (event.usd, event.amount) == (5_000.0, 5_000.0 / event.price)


async def test_trades_from_before_are_replayed_newest_first_and_published_once() -> None:
    async with stage("kraken") as at:
        _, (first,) = await subscribed(at, "PF_XBTUSD")
        assert [row["type"] for row in first["trades"]] == ["liquidation"]
        assert [event.key for event in at.server.published] == [first["trades"][0]["uid"]]
        await at.wait(3.0)
        _, (second,) = await subscribed(at, "PF_XBTUSD")
        times = [row["time"] for row in second["trades"]]
        assert len(at.server.published) == 1
    assert times == sorted(times, reverse=True)
    assert [row["type"] for row in second["trades"]] == ["fill", "fill", "fill", "liquidation"]


async def test_a_product_that_is_not_listed_is_refused_by_name() -> None:
    async with stage("kraken") as at:
        socket = await at.connect(SOCKET)
        await read(socket)
        await socket.send_json({"event": "subscribe", "feed": "trade", "product_ids": ["PF_NONEUSD"]})
        refusal = await read(socket)
        await socket.send_json({"event": "subscribe", "feed": "rumours", "product_ids": []})
        unknown = await read(socket)
        await socket.send_str("what")
        unreadable = await read(socket)
    assert refusal["event"] == "alert"
    assert "`PF_NONEUSD`" in refusal["message"]
    assert (unknown["event"], unreadable["event"]) == ("error", "error")


async def test_a_ticker_comes_on_subscribing_and_every_second() -> None:
    async with stage("kraken") as at:
        socket = await at.connect(SOCKET)
        await read(socket)
        await socket.send_json({"event": "subscribe", "feed": "ticker", "product_ids": ["PF_XBTUSD"]})
        await read(socket)
        await read(socket)
        await at.wait(2.0)
        tickers = [await read(socket) for _ in range(2)]
    assert all({"markPrice", "index", "last", "time"} <= ticker.keys() for ticker in tickers)
    assert tickers[1]["time"] - tickers[0]["time"] == 1000


async def test_history_has_what_happened_while_nobody_was_connected() -> None:
    async with stage("kraken") as at:
        order = await at.liquidate("SOL", Side.LONG, usd=300.0)
        assert at.server.published == []
        everything = await answer(at, "/history?symbol=PF_SOLUSD")
        before = await answer(at, "/history?symbol=PF_SOLUSD&lastTime=2020-01-01T00:00:00.000Z")
        wrong = await answer(at, "/history?symbol=PF_NONEUSD")
        (event,) = at.server.published
    assert [row["uid"] for row in everything["history"]] == [event.key]
    assert (event.ts, event.subscribed) == (order.ts // 1_000_000 * 1_000_000, 1)
    assert before["history"] == []
    assert wrong["result"] == "error"


async def test_instruments_say_of_each_what_it_is() -> None:
    async with stage("kraken") as at:
        rows = {row["symbol"]: row for row in (await answer(at, "/instruments"))["instruments"]}
    assert rows["PI_XBTUSD"]["type"] == "futures_inverse"
    assert (rows["PF_XBTUSD"]["type"], rows["PF_XBTUSD"]["base"]) == ("flexible_futures", "BTC")
    assert rows["in_xbtusd"]["tradeable"] is False
