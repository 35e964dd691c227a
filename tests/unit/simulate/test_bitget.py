"""The simulated Bitget keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, ended, read, stage

SOCKET, API = "/v3/ws/public", "/api/v3/market"


async def subscribed(at: Stage, **argument: str) -> Socket:
    socket = await at.connect(SOCKET)
    asked = {"instType": "usdt-futures", "topic": "liquidation", **argument}
    await socket.send_json({"op": "subscribe", "args": [asked]})
    acknowledged = await read(socket)
    assert (acknowledged["event"], acknowledged["arg"]) == ("subscribe", asked)
    return socket


async def answer(at: Stage, path: str) -> Any:
    async with at.session.get(at.address + API + path) as got:
        assert got.status == 200
        return await got.json()


async def test_the_side_names_the_position_and_the_amount_is_dollars() -> None:
    async with stage("bitget", throttled=False) as at:
        socket = await subscribed(at)
        await at.liquidate("SOL", Side.LONG, usd=300.0, below=0.01)
        (row,) = (await read(socket))["data"]
        (event,) = at.server.published
    assert row | {"ts": ""} == {
        "symbol": "SOLUSDT",
        "side": "buy",
        "price": "148.500",
        "amount": "297.000000",
        "ts": "",
    }
    assert (event.side, event.amount, event.usd, event.size) == (Side.LONG, 2.0, 297.0, 297.0)


async def test_of_each_second_the_largest_long_and_the_largest_short_of_a_pair_are_published() -> None:
    async with stage("bitget") as at:
        socket = await subscribed(at)
        for side in (Side.LONG, Side.SHORT):
            for usd in (300.0, 900.0, 600.0):
                await at.liquidate("SOL", side, usd=usd, below=0.0)
        await at.wait(1.0)
        rows = (await read(socket))["data"]
        published = at.server.published
    assert sorted((row["side"], row["amount"]) for row in rows) == [("buy", "900.000000"), ("sell", "900.000000")]
    assert len(published) == 2


async def test_each_category_is_a_topic_of_its_own() -> None:
    async with stage("bitget", throttled=False) as at:
        socket = await subscribed(at, instType="coin-futures")
        for _ in range(60):
            await at.liquidate("BTC", usd=5_000.0)
        message = await read(socket)
    assert message["arg"]["instType"] == "coin-futures"
    assert message["data"][0]["symbol"] == "BTCUSD"


@pytest.mark.parametrize(
    "argument",
    [
        {"instType": "usdt-futures", "topic": "liquidationx"},
        {"instType": "options", "topic": "liquidation"},
        {"instType": "usdt-futures", "topic": "ticker", "symbol": "BTCUSD"},
    ],
    ids=str,
)
async def test_a_topic_that_is_none_is_refused_by_name(argument: dict[str, str]) -> None:
    async with stage("bitget") as at:
        socket = await at.connect(SOCKET)
        await socket.send_json({"op": "subscribe", "args": [argument]})
        refusal = await read(socket)
    assert (refusal["event"], refusal["code"], refusal["arg"]) == ("error", "30001", argument)


async def test_a_request_that_is_none_is_an_error() -> None:
    async with stage("bitget") as at:
        socket = await at.connect(SOCKET)
        await socket.send_str("what")
        assert (await read(socket))["event"] == "error"


async def test_a_ticker_comes_every_second_until_it_is_not_wanted_any_more() -> None:
    async with stage("bitget") as at:
        socket = await subscribed(at, topic="ticker", symbol="BTCUSDT")
        await at.wait(2.0)
        first, second = await read(socket), await read(socket)
        argument = {"instType": "usdt-futures", "topic": "ticker", "symbol": "BTCUSDT"}
        await socket.send_json({"op": "unsubscribe", "args": [argument]})
        assert (await read(socket))["event"] == "unsubscribe"
        assert not at.server.wanted("ticker:BTCUSDT")
    assert second["ts"] - first["ts"] == 1000
    assert {"lastPrice", "markPrice", "indexPrice"} <= first["data"][0].keys()


async def test_more_than_ten_messages_a_second_end_the_connection() -> None:
    async with stage("bitget") as at:
        socket = await at.connect(SOCKET)
        for _ in range(11):
            await socket.send_str("ping")
        assert await ended(socket) is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1008


async def test_a_client_that_says_nothing_for_two_minutes_is_cut() -> None:
    async with stage("bitget") as at:
        quiet, chatty = await at.connect(SOCKET), await at.connect(SOCKET)
        at.clock.advance(100.0)
        await chatty.send_str("ping")
        assert await read(chatty) == "pong"
        at.clock.advance(30.0)
        await at.wait(1.0)
        await ended(quiet)
        assert not chatty.closed


async def test_history_turns_pages_by_a_cursor_and_is_the_truth_of_what_was_missed() -> None:
    async with stage("bitget", throttled=False) as at:
        for number in range(5):
            await at.liquidate("SOL", usd=300.0 + number)
        assert at.server.published == []
        first = (await answer(at, "/liquidations?category=USDT-FUTURES&limit=3"))["data"]
        second = (await answer(at, f"/liquidations?category=USDT-FUTURES&limit=3&cursor={first['cursor']}"))["data"]
        again = (await answer(at, "/liquidations?category=USDT-FUTURES&limit=3"))["data"]
        published = at.server.published
    rows = first["list"] + second["list"]
    assert again["list"] == first["list"]
    assert (len(rows), second["cursor"]) == (5, "")
    assert sorted(float(row["amount"]) for row in rows) == sorted(event.usd for event in published)


async def test_a_category_that_is_none_is_an_error_inside_a_good_answer() -> None:
    async with stage("bitget") as at:
        for page in ("liquidations", "instruments"):
            assert (await answer(at, f"/{page}?category=OPTIONS"))["code"] == "40020"


async def test_instruments_come_by_category() -> None:
    async with stage("bitget") as at:
        rows = (await answer(at, "/instruments?category=USDC-FUTURES"))["data"]
    assert [(row["symbol"], row["quoteCoin"]) for row in rows] == [("BTCPERP", "USDC")]
