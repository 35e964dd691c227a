"""The simulated Gate keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import START, Socket, Stage, read, stage

USDT, BTC = "/v4/ws/usdt", "/v4/ws/btc"
SECOND = 1_000_000_000


def request(channel: str, *payload: str, event: str = "subscribe") -> dict[str, Any]:
    return {"time": 1, "channel": f"futures.{channel}", "event": event, "payload": payload}


async def subscribed(at: Stage, path: str = USDT, **options: Any) -> Socket:
    socket = await at.connect(path, **options)
    await socket.send_json(request("public_liquidates", "!all"))
    assert (await read(socket))["result"] == {"status": "success"}
    return socket


async def test_the_sign_is_of_the_order_and_the_price_is_the_order_s() -> None:
    async with stage("gate", throttled=False) as at:
        socket = await subscribed(at, headers={"X-Gate-Size-Decimal": "1"})
        await at.liquidate("SOL", Side.LONG, usd=315.0, below=0.01)
        await at.liquidate("SOL", Side.SHORT, usd=300.0)
        (sold,), (bought,) = [(await read(socket))["result"] for _ in range(2)]
        event = at.server.published[0]
    assert sold == {"price": "148.50", "size": "-2.1", "time_ms": START // 1_000_000, "contract": "SOL_USDT"}
    assert bought["size"] == "2.0"
    assert (event.side, event.amount, event.price) == (Side.LONG, 2.1, 148.5)


async def test_without_the_header_sizes_are_whole() -> None:
    async with stage("gate", throttled=False) as at:
        socket = await subscribed(at)
        await at.liquidate("SOL", Side.LONG, usd=315.0)
        (row,) = (await read(socket))["result"]
    assert row["size"] == -2


async def test_the_orders_of_a_second_come_in_one_array_and_twenty_at_once() -> None:
    async with stage("gate") as at:
        socket = await subscribed(at, headers={"X-Gate-Size-Decimal": "1"})
        for nth in range(23):
            await at.liquidate("SOL", Side.LONG, usd=300.0 if nth < 2 else 300.0 + 150.0 * nth)
        first = (await read(socket))["result"]
        await at.wait(1.0)
        rest = (await read(socket))["result"]
        published = at.server.published
    assert (len(first), len(rest)) == (20, 3)
    assert len({event.key for event in published}) == 23
    assert published[1].key == f"{published[0].key}|1"


async def test_settlement_currencies_have_sockets_of_their_own() -> None:
    async with stage("gate", throttled=False) as at:
        dollars, coins = await subscribed(at), await subscribed(at, BTC)
        for _ in range(80):
            await at.liquidate("BTC", Side.LONG, usd=5_000.0)
        (dollar,), (coin,) = (await read(dollars))["result"], (await read(coins))["result"]
    assert (dollar["contract"], coin["contract"], coin["size"]) == ("BTC_USDT", "BTC_USD", -5000)


@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        (request("public_liquidates", "NOSUCH_USDT"), 2, "unknown contract NOSUCH_USDT"),
        (request("tickers", "BTC_USD"), 2, "unknown contract BTC_USD"),
        (request("liquidates", "!all"), 2, "invalid argument"),
        (request("tickers"), 2, "invalid argument"),
        (request("tickers", "BTC_USDT", event="shout"), 2, "unknown event"),
        ({"channel": "futures.tickers"}, 1, "invalid argument struct"),
    ],
)
async def test_what_is_wrong_is_refused_by_code(asked: dict[str, Any], code: int, reason: str) -> None:
    async with stage("gate") as at:
        socket = await at.connect(USDT)
        await socket.send_json(asked)
        answer = await read(socket)
    assert answer["error"] == {"code": code, "message": reason}


async def test_pings_and_tickers() -> None:
    async with stage("gate") as at:
        socket = await at.connect(USDT)
        await socket.send_json({"time": 1, "channel": "futures.ping"})
        assert (await read(socket))["channel"] == "futures.pong"
        await socket.send_json(request("tickers", "BTC_USDT"))
        await read(socket)
        await at.wait(1.0)
        (row,) = (await read(socket))["result"]
        await socket.send_json(request("tickers", "BTC_USDT", event="unsubscribe"))
        await read(socket)
        assert not at.server.wanted("futures.tickers:BTC_USDT")
    assert row["contract"] == "BTC_USDT"
    assert float(row["index_price"]) < float(row["mark_price"])


async def test_the_history_has_the_other_sign_the_fill_and_what_nobody_was_told() -> None:
    async with stage("gate", throttled=False) as at:
        order = await at.liquidate("SOL", Side.LONG, usd=300.0, below=0.01)
        address = f"{at.address}/api/v4/futures/usdt/liq_orders"
        window = {"from": START // SECOND, "to": START // SECOND + 10}
        for _ in range(2):
            async with at.session.get(address, params=window) as answer:
                (row,) = await answer.json()
        (event,) = at.server.published
        async with at.session.get(address, params={**window, "to": START // SECOND + 3601}) as refused:
            assert refused.status == 400
            assert (await refused.json())["label"] == "INVALID_PARAM_VALUE"
    assert (row["size"], row["order_size"], row["order_price"]) == ("2.0", "-2.0", "148.50")
    assert float(row["fill_price"]) == order.price
    assert (event.side, event.subscribed) == (Side.LONG, 1)


async def test_contracts_are_listed_by_settlement_currency() -> None:
    async with stage("gate") as at:
        listed: dict[str, Any] = {}
        for settle in ("usdt", "btc"):
            async with at.session.get(f"{at.address}/api/v4/futures/{settle}/contracts") as answer:
                listed |= {row["name"]: row for row in await answer.json()}
    assert (listed["BTC_USDT"]["quanto_multiplier"], listed["BTC_USDT"]["type"]) == ("0.0001", "direct")
    assert (listed["BTC_USD"]["quanto_multiplier"], listed["BTC_USD"]["type"]) == ("0", "inverse")
