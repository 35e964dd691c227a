"""The simulated Bitfinex keeps to the documented protocol."""

from __future__ import annotations

from typing import Any

from liquake.model import Side
from tests.unit.simulate.stage import Socket, Stage, read, read_until, stage

SOCKET = "/ws/2"
AMOUNT, BASE, MATCH, SOLD, PRICE = 5, 6, 8, 9, 11


async def opened(at: Stage) -> Socket:
    socket = await at.connect(SOCKET)
    assert (await read(socket))["event"] == "info"
    return socket


async def asked(socket: Socket, key: str) -> Any:
    await socket.send_json({"event": "subscribe", "channel": "status", "key": key})
    return await read(socket)


async def watching(at: Stage) -> Socket:
    """A connection to all liquidations, behind the first frame."""
    socket = await opened(at)
    assert (await asked(socket, "liq:global"))["event"] == "subscribed"
    await read(socket)
    return socket


async def test_a_trigger_of_the_whole_comes_before_the_executions_of_the_parts() -> None:
    async with stage("bitfinex") as at:
        socket = await watching(at)
        await at.liquidate("SOL", Side.SHORT, usd=30_000.0)
        (trigger,) = (await read(socket))[1]
        parts = [(await read(socket))[1][0] for _ in range(3)]
        published = at.server.published[1:]
    assert (trigger[MATCH], trigger[SOLD], trigger[PRICE], trigger[AMOUNT]) == (0, 1, None, -200.0)
    assert {(part[MATCH], part[SOLD], part[PRICE]) for part in parts} == {(1, 1, 150.0)}
    assert {part[1] for part in parts} == {trigger[1]}
    assert [part[AMOUNT] for part in parts] == [-66.667] * 3
    assert [event.amount for event in published] == [66.667] * 3
    assert {event.side for event in published} == {Side.SHORT}


async def test_a_large_position_is_taken_over_and_never_sold() -> None:
    async with stage("bitfinex") as at:
        socket = await watching(at)
        await at.liquidate("BTC", Side.LONG, usd=400_000.0)
        (row,) = (await read(socket))[1]
        *_, event = at.server.published
    assert (row[MATCH], row[SOLD], row[AMOUNT], row[PRICE]) == (0, 0, 5.0, 80_000.0)
    assert (event.side, event.usd) == (Side.LONG, 400_000.0)


async def test_the_first_frame_replays_what_is_old_and_it_counts_once() -> None:
    async with stage("bitfinex") as at:
        first, second = await opened(at), await opened(at)
        replayed = []
        for socket in (first, second):
            await asked(socket, "liq:global")
            replayed.append((await read(socket))[1])
        (event,) = at.server.published
    assert replayed[0] == replayed[1]
    assert len(replayed[0]) == 1
    assert event.ts < at.server.market.start


async def test_a_derivative_s_status_has_its_prices_where_they_are_documented() -> None:
    async with stage("bitfinex") as at:
        socket = await opened(at)
        channel = (await asked(socket, "deriv:tBTCF0:USTF0"))["chanId"]
        first = await read(socket)
        await at.wait(1.0)
        second = await read(socket)
        price = at.server.market.price("BTC")
    assert first[0] == second[0] == channel
    assert second[1][0] - first[1][0] == 1000
    assert (second[1][2], second[1][14]) == (price, price)


async def test_what_cannot_be_subscribed_to_is_refused_with_its_key() -> None:
    async with stage("bitfinex") as at:
        socket = await watching(at)
        codes = [(await asked(socket, key))["code"] for key in ("liq:none", "deriv:tBTCUSD", "liq:global")]
        await socket.send_str("what")
        unreadable = await read(socket)
        await socket.send_json({"event": "sing"})
        unknown = await read(socket)
    assert codes == [10300, 10300, 10301]
    assert (unreadable["event"], unknown["event"]) == ("error", "error")


async def test_no_more_than_25_channels_are_open_at_once() -> None:
    async with stage("bitfinex") as at:
        socket = await opened(at)
        at.server.connections[0].topics.update((f"deriv:t{number}", {"channel": number}) for number in range(25))
        assert (await asked(socket, "liq:global"))["code"] == 10305


async def test_a_channel_without_news_has_a_heartbeat_every_15_seconds() -> None:
    async with stage("bitfinex") as at:
        socket = await watching(at)
        await at.wait(15.0)
        assert (await read(socket))[1] == "hb"


async def test_a_close_is_announced() -> None:
    async with stage("bitfinex") as at:
        socket = await opened(at)
        await at.server.announce_close(1.0)
        notice = await read_until(socket, lambda message: isinstance(message, dict))
    assert (notice["event"], notice["code"]) == ("info", 20051)


async def test_history_is_cut_by_time_and_is_the_truth_of_what_was_missed() -> None:
    async with stage("bitfinex") as at:
        order = await at.liquidate("SOL", Side.LONG, usd=300.0)
        assert at.server.published == []
        now = order.ts // 1_000_000
        path = f"{at.address}/v2/liquidations/hist?limit=500"
        async with at.session.get(f"{path}&start={now}&end={now}&sort=1") as got:
            rows = await got.json()
        (event,) = at.server.published
        async with at.session.get(path) as got:
            everything = await got.json()
    assert [(row[MATCH], row[AMOUNT]) for (row,) in rows] == [(0, 2.0), (1, 2.0)]
    assert (event.amount, event.usd, event.subscribed) == (2.0, 300.0, 1)
    assert len(everything) == 3
    assert everything[0] == rows[-1]


async def test_the_lists_come_in_the_order_asked_for() -> None:
    async with stage("bitfinex") as at:
        lists = "pub:list:pair:margin,pub:list:pair:futures,pub:none"
        async with at.session.get(f"{at.address}/v2/conf/{lists}") as got:
            margin, futures, none = await got.json()
    assert "BTCUSD" in margin
    assert "BTCF0:USTF0" in futures
    assert none == []
