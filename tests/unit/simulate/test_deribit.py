"""The simulated Deribit keeps to the documented protocol, and tells of liquidations as late as the real one."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.model import Side
from tests.unit.simulate.stage import START, Socket, Stage, ended, read, read_until, stage

PATH = "/ws/api/v2"
HISTORY = "/api/v2/public/get_last_trades_by_currency_and_time"


async def ask(socket: Socket, method: str, **parameters: object) -> Any:
    await socket.send_json({"jsonrpc": "2.0", "id": 7, "method": method, "params": parameters})
    return await read_until(socket, lambda message: "id" in message)


async def history(at: Stage, **changed: object) -> Any:
    query = {
        "currency": "USDC",
        "start_timestamp": START // 1_000_000 - 1_000,
        "end_timestamp": at.clock.now() // 1_000_000,
        "count": 1000,
        "sorting": "asc",
        **changed,
    }
    asked = {name: str(value) for name, value in query.items()}
    async with at.session.get(at.address + HISTORY, params=asked) as answer:
        return await answer.json()


async def test_trades_on_the_socket_have_no_flag() -> None:
    async with stage("deribit") as at:
        socket = await at.connect(PATH)
        assert (await ask(socket, "public/subscribe", channels=["trades.future.USDC.100ms"]))["result"]
        await at.liquidate("SOL", Side.LONG, usd=3_000.0)
        (row,) = (await read(socket))["params"]["data"]
        (event, *_) = at.server.published
    assert (row["instrument_name"], row["price"], row["amount"]) == ("SOL_USDC-PERPETUAL", 150.0, 20.0)
    assert "liquidation" not in row
    assert event.usd == 3_000.0


async def test_the_history_says_it_an_hour_later_and_not_before() -> None:
    async with stage("deribit") as at:
        await at.liquidate("SOL", Side.LONG)
        (event, *_) = at.server.published
        at.clock.advance(3599.0)
        (before,) = (await history(at))["result"]["trades"]
        at.clock.advance(2.0)
        (after,) = (await history(at))["result"]["trades"]
    assert "liquidation" not in before
    assert after["liquidation"] in ("T", "M", "MT")
    assert event.id == f"SOL_USDC-PERPETUAL|{after['trade_id']}|{after['liquidation'][0]}"


async def test_each_flag_names_the_party_whose_position_it_was() -> None:
    async with stage("deribit") as at:
        for _ in range(60):
            await at.liquidate("SOL", Side.LONG)
        at.clock.advance(3601.0)
        trades = (await history(at))["result"]["trades"]
        events = {event.id: event.side for event in at.server.published}
    directions = {(row["liquidation"], row["direction"]) for row in trades}
    # A long that is liquidated as taker sells; as maker it sells to a taker who buys.
    assert directions == {("T", "sell"), ("M", "buy"), ("MT", "sell")}
    both = next(row["trade_id"] for row in trades if row["liquidation"] == "MT")
    assert events[f"SOL_USDC-PERPETUAL|{both}|T"] is Side.LONG
    assert events[f"SOL_USDC-PERPETUAL|{both}|M"] is Side.SHORT


async def test_inverse_amounts_are_dollars_and_of_another_currency() -> None:
    async with stage("deribit") as at:
        await at.liquidate("ETH", usd=5_000.0)
        (row,) = (await history(at, currency="ETH"))["result"]["trades"]
        assert (await history(at, currency="USDC"))["result"]["trades"] == []
        (event, *_) = at.server.published
    assert (row["amount"], row["instrument_name"]) == (5_000.0, "ETH-PERPETUAL")
    assert (event.size, event.usd, event.amount) == (5_000.0, 5_000.0, 2.0)


async def test_pages_are_short_and_say_that_there_is_more() -> None:
    async with stage("deribit") as at:
        for _ in range(60):
            await at.liquidate("SOL")
        oldest, newest = await history(at), await history(at, sorting="desc", count=2)
    assert (len(oldest["result"]["trades"]), oldest["result"]["has_more"]) == (50, True)
    assert len(newest["result"]["trades"]) == 2
    assert newest["result"]["trades"][0]["trade_seq"] > oldest["result"]["trades"][-1]["trade_seq"]


async def test_a_history_of_no_time_is_refused() -> None:
    async with stage("deribit") as at:
        assert (await history(at, start_timestamp="soon"))["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("method", "parameters", "code"),
    [
        ("public/subscribe", {"channels": ["trades.BTC-PERPETUAL.raw"]}, 13778),
        ("public/set_heartbeat", {"interval": 5}, -32602),
        ("public/guess", {}, -32601),
    ],
)
async def test_refusals_have_their_code(method: str, parameters: dict[str, Any], code: int) -> None:
    async with stage("deribit") as at:
        answer = await ask(await at.connect(PATH), method, **parameters)
    assert answer["error"]["code"] == code


async def test_channels_that_do_not_exist_are_left_out_of_the_answer() -> None:
    async with stage("deribit") as at:
        socket = await at.connect(PATH)
        answer = await ask(socket, "public/subscribe", channels=["ticker.NO-SUCH.100ms", "ticker.BTC-PERPETUAL.100ms"])
        await at.wait(0.5)
        told = await read(socket)
    assert answer["result"] == ["ticker.BTC-PERPETUAL.100ms"]
    assert told["params"]["data"]["mark_price"] > 0.0


async def test_too_many_requests_of_a_second_are_refused() -> None:
    async with stage("deribit") as at:
        socket = await at.connect(PATH)
        codes = [(await ask(socket, "public/test")).get("error", {}).get("code") for _ in range(21)]
        await socket.send_str("{")
        assert (await read(socket))["error"]["code"] == -32700
    assert codes == [None] * 20 + [10028]


async def test_who_does_not_answer_heartbeats_is_cut() -> None:
    async with stage("deribit") as at:
        socket = await at.connect(PATH)
        assert (await ask(socket, "public/set_heartbeat", interval=10))["result"] == "ok"
        at.clock.advance(10.0)
        await at.wait(1.0)
        assert (await read(socket))["params"] == {"type": "test_request"}
        assert (await ask(socket, "public/test"))["result"]["version"]
        at.clock.advance(20.0)
        await at.wait(2.0)
        await ended(socket)


async def test_contracts_of_both_kinds_are_listed() -> None:
    async with stage("deribit") as at:
        address = at.address + "/api/v2/public/get_instruments"
        async with at.session.get(address, params={"currency": "any", "kind": "future"}) as answer:
            rows = {row["instrument_name"]: row for row in (await answer.json())["result"]}
    assert (rows["BTC-PERPETUAL"]["instrument_type"], rows["BTC-PERPETUAL"]["quote_currency"]) == ("reversed", "USD")
    assert rows["SOL_USDC-PERPETUAL"]["settlement_currency"] == "USDC"
