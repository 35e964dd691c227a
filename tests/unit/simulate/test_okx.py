"""The simulated OKX keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

import pytest

from liquake.clock import SECOND
from liquake.model import Side
from tests.unit.simulate.stage import START, Socket, Stage, ended, read, read_until, stage

PATH = "/ws/v5/public"
SWAP = {"channel": "liquidation-orders", "instType": "SWAP"}


async def subscribe(at: Stage, *arguments: dict[str, Any], **more: Any) -> Socket:
    socket = await at.connect(PATH)
    await socket.send_json({"op": "subscribe", "args": arguments, **more})
    return socket


async def watched(at: Stage) -> Socket:
    """Subscribed to swaps, with the acknowledgement and the old message behind it."""
    socket = await subscribe(at, SWAP)
    assert (await read(socket))["event"] == "subscribe"
    assert "data" in await read(socket)
    return socket


async def test_a_liquidation_names_position_and_order_and_counts_contracts() -> None:
    async with stage("okx") as at:
        socket = await watched(at)
        await at.liquidate("SOL", Side.LONG, usd=300.0, below=0.01)
        await at.wait(1.0)
        (entry,) = (await read(socket))["data"]
        event = at.server.published[-1]
    (detail,) = entry["details"]
    assert (entry["instId"], entry["instType"], entry["uly"]) == ("SOL-USDT-SWAP", "SWAP", "SOL-USDT")
    assert (detail["posSide"], detail["side"], detail["sz"], detail["bkPx"]) == ("long", "sell", "2.00", "148.50")
    assert (event.side, event.amount, event.usd) == (Side.LONG, 2.0, 297.0)


async def test_linear_contracts_are_a_fraction_of_a_coin_and_inverse_ones_are_dollars() -> None:
    async with stage("okx", throttled=False) as at:
        await watched(at)
        for _ in range(80):
            await at.liquidate("BTC", Side.SHORT, usd=8_000.0, below=0.0)
        by_symbol = {event.instrument: event for event in at.server.published}
    linear, inverse = by_symbol["BTC-USDT-SWAP"], by_symbol["BTC-USD-SWAP"]
    assert (linear.size, inverse.size) == (10.0, 80.0)
    assert [linear.amount, linear.usd] == pytest.approx([0.1, 8_000.0])
    assert [inverse.amount, inverse.usd] == pytest.approx([0.1, 8_000.0])
    assert by_symbol["BTC-USDT-270326"].subscribed == 0


async def test_only_the_latest_order_of_a_contract_and_second_is_sent() -> None:
    async with stage("okx") as at:
        socket = await watched(at)
        for usd in (900.0, 9_000.0, 300.0):
            await at.liquidate("SOL", usd=usd)
            await at.wait(0.1)
        await at.wait(2.0)
        (entry,) = (await read(socket))["data"]
        assert len(at.server.published) == 2
    assert [detail["sz"] for detail in entry["details"]] == ["2.00"]


async def test_the_first_message_is_old_and_comes_again_to_the_next_subscriber() -> None:
    async with stage("okx") as at:
        frames = []
        for _ in range(2):
            socket = await subscribe(at, SWAP)
            await read(socket)
            frames.append(await read(socket))
        (event,) = at.server.published
    assert frames[0] == frames[1]
    assert event.ts <= START - 1_000 * SECOND


async def test_each_argument_is_acknowledged_with_what_the_venue_uses_of_it() -> None:
    async with stage("okx") as at:
        mark = {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}
        socket = await subscribe(at, mark, SWAP | {"instFamily": "BTC-USDT"}, id="17")
        first, second = await read(socket), await read(socket)
        assert (first["event"], first["arg"], first["id"]) == ("subscribe", mark, "17")
        assert second["arg"] == SWAP
        await at.wait(1.0)
        price = await read_until(socket, lambda message: message.get("arg") == mark)
    assert float(price["data"][0]["markPx"]) > 0


@pytest.mark.parametrize(
    "argument",
    [{"channel": "liquidation-orders", "instId": "BTC-USDT-SWAP"}, {"channel": "mark-price", "instId": "NO-SUCH"}],
)
async def test_a_channel_that_is_not_there_is_an_error(argument: dict[str, str]) -> None:
    async with stage("okx") as at:
        socket = await subscribe(at, argument)
        answer = await read(socket)
    assert (answer["event"], answer["code"]) == ("error", "60018")
    assert argument["instId"] in answer["msg"]


@pytest.mark.parametrize("text", ["{", '{"op":"dance"}', '{"op":"subscribe"}', "[]"])
async def test_what_is_not_a_request_is_an_error(text: str) -> None:
    async with stage("okx") as at:
        socket = await at.connect(PATH)
        await socket.send_str(text)
        assert (await read(socket))["code"] == "60012"


async def test_a_connection_without_text_for_thirty_seconds_is_closed_whatever_is_pinged() -> None:
    async with stage("okx") as at:
        quiet, pinging, texting = [await at.connect(PATH) for _ in range(3)]
        for _ in range(4):
            at.clock.advance(10.0)
            await pinging.ping()
            await texting.send_str("ping")
            assert await read(texting) == "pong"
        await at.wait(1.0)
        await ended(quiet)
        await ended(pinging)
        assert (quiet.close_code, pinging.close_code) == (4004, 4004)
        await texting.send_str("ping")
        assert await read(texting) == "pong"


async def test_a_close_is_announced() -> None:
    async with stage("okx") as at:
        socket = await at.connect(PATH)
        await at.server.announce_close(2.0)
        notice = await read(socket)
        assert (notice["event"], notice["code"]) == ("notice", "64008")
        await at.wait(1.0)
        assert at.server.connections
        await at.wait(1.5)
        await ended(socket)


async def test_instruments_tell_contract_values() -> None:
    async with stage("okx") as at:
        rows: dict[str, dict[str, str]] = {}
        for kind in ("SWAP", "FUTURES"):
            async with at.session.get(f"{at.address}/api/v5/public/instruments?instType={kind}") as answer:
                rows |= {row["instId"]: row for row in (await answer.json())["data"]}
        async with at.session.get(f"{at.address}/api/v5/public/instruments") as answer:
            assert (await answer.json())["code"] == "50014"
    values = {symbol: (row["ctVal"], row["ctType"], row["ctValCcy"]) for symbol, row in rows.items()}
    assert values["BTC-USDT-SWAP"] == ("0.01", "linear", "BTC")
    assert values["BTC-USD-SWAP"] == ("100", "inverse", "USD")
    assert values["PEPE-USDT-SWAP"] == ("10000000", "linear", "PEPE")
    assert rows["BTC-USDT-270326"]["instType"] == "FUTURES"
