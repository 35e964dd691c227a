"""The simulated Binance keeps to the documented protocol."""

from __future__ import annotations

from aiohttp import WSMsgType

from liquake.clock import SECOND
from liquake.model import Side
from liquake.simulate.binance import BinanceServer
from tests.unit.simulate.stage import START, ended, read, read_until, stage
from tests.waiting import until

ALL = "/market/stream?streams=!forceOrder@arr"


async def test_a_forced_order_names_the_order_side_and_the_fill() -> None:
    async with stage("binance") as at:
        socket = await at.connect(ALL)
        await at.liquidate("ETH", Side.LONG, usd=5_000.0)
        await at.wait(1.0)
        message = await read(socket)
    row = message["data"]["o"]
    assert message["stream"] == "!forceOrder@arr"
    assert (message["data"]["e"], row["S"], row["st"], row["ps"]) == ("forceOrder", "SELL", 1, "ETHUSDT")
    assert (row["z"], row["q"], row["ap"]) == ("2.000", "2.000", "2500.00")
    assert float(row["p"]) < float(row["ap"])
    assert float(row["l"]) < float(row["z"])
    assert 0 <= message["data"]["E"] - row["T"] <= 1000


async def test_a_short_is_bought_back() -> None:
    async with stage("binance") as at:
        socket = await at.connect("/market/ws/!forceOrder@arr")
        await at.liquidate("SOL", Side.SHORT)
        await at.wait(1.0)
        message = await read(socket)
        (event,) = at.server.published
    assert message["o"]["S"] == "BUY"
    assert (event.side, event.instrument, event.subscribed) == (Side.SHORT, "SOLUSDT", 1)


async def test_only_the_largest_order_of_a_symbol_and_second_is_sent() -> None:
    async with stage("binance") as at:
        socket = await at.connect(ALL)
        for usd in (1_000.0, 9_000.0, 3_000.0):
            await at.liquidate("SOL", usd=usd)
            await at.wait(0.1)
        await at.liquidate("PEPE", usd=50.0)
        await at.wait(2.0)
        rows = [(await read(socket))["data"]["o"] for _ in range(2)]
        assert len(at.server.published) == 2
    assert {row["s"]: float(row["z"]) * float(row["ap"]) for row in rows} == {"SOLUSDT": 9_000.0, "1000PEPEUSDT": 50.0}


async def test_coin_margined_orders_come_on_the_same_stream_in_contracts() -> None:
    async with stage("binance", throttled=False) as at:
        socket = await at.connect(ALL)
        for _ in range(60):
            await at.liquidate("BTC", usd=20_000.0)
        message = await read_until(socket, lambda message: message["data"]["o"]["st"] == 2)
        event = next(event for event in at.server.published if event.instrument == "BTCUSD_PERP")
    assert (message["data"]["o"]["s"], message["data"]["o"]["z"]) == ("BTCUSD_PERP", "200")
    assert (event.usd, event.amount) == (20_000.0, 20_000.0 / event.price)


async def test_subscriptions_are_acknowledged_and_listed() -> None:
    async with stage("binance") as at:
        socket = await at.connect("/market/ws")
        await socket.send_json({"method": "SUBSCRIBE", "params": ["!forceOrder@arr", "btcusdt@markPrice@1s"], "id": 7})
        assert await read(socket) == {"result": None, "id": 7}
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 8})
        assert await read(socket) == {"result": ["!forceOrder@arr", "btcusdt@markPrice@1s"], "id": 8}
        await at.wait(1.0)
        mark = await read(socket)
        assert (mark["e"], mark["s"]) == ("markPriceUpdate", "BTCUSDT")
        await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@markPrice@1s"], "id": 9})
        assert await read(socket) == {"result": None, "id": 9}
        await socket.send_json({"method": "SHOUT", "id": 10})
        assert (await read(socket))["error"]["code"] == 2


async def test_the_retired_addresses_connect_acknowledge_and_stay_silent() -> None:
    async with stage("binance") as at:
        old = await at.connect("/stream?streams=!forceOrder@arr/btcusdt@markPrice@1s")
        bare = await at.connect("/ws")
        await bare.send_json({"method": "SUBSCRIBE", "params": ["!forceOrder@arr"], "id": 1})
        assert await read(bare) == {"result": None, "id": 1}
        await at.liquidate("SOL")
        await at.wait(2.0)
        for socket in (old, bare):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            assert (await read(socket))["id"] == 2
        (event,) = at.server.published
        assert event.subscribed == 0


async def test_trades_come_to_those_who_ask() -> None:
    async with stage("binance") as at:
        socket = await at.connect("/market/stream?streams=btcusdt@aggTrade")
        await at.wait(2.0)
        trades = [(await read(socket))["data"] for _ in range(3)]
    assert {trade["e"] for trade in trades} == {"aggTrade"}
    assert len({trade["a"] for trade in trades}) == 3


async def test_the_server_pings_and_lasts_a_day() -> None:
    async with stage("binance") as at:
        assert isinstance(at.server, BinanceServer)
        at.server.ping_every = 2.0
        at.server.lifetime = 5.0
        socket = await at.connect(ALL, autoping=False)
        await at.wait(2.5)
        message = await socket.receive(timeout=5.0)
        assert message.type is WSMsgType.PING
        await socket.pong(message.data)
        await at.wait(3.0)
        assert await ended(socket) is WSMsgType.CLOSE
        assert socket.close_code == 1001


async def test_more_than_ten_messages_a_second_end_the_connection() -> None:
    async with stage("binance") as at:
        socket = await at.connect("/market/ws")
        for number in range(11):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        await ended(socket)
        assert socket.close_code == 1008
        await until(lambda: not at.server.connections)


async def test_exchange_info_tells_contract_sizes() -> None:
    async with stage("binance") as at:
        async with at.session.get(at.address + "/fapi/v1/exchangeInfo") as answer:
            linear = {row["symbol"]: row for row in (await answer.json())["symbols"]}
        async with at.session.get(at.address + "/dapi/v1/exchangeInfo") as answer:
            inverse = {row["symbol"]: row for row in (await answer.json())["symbols"]}
    assert linear["1000PEPEUSDT"]["baseAsset"] == "1000PEPE"
    assert {symbol: row["contractSize"] for symbol, row in inverse.items()} == {"BTCUSD_PERP": 100, "ETHUSD_PERP": 10}
    assert linear["BTCUSDT"]["status"] == inverse["BTCUSD_PERP"]["contractStatus"] == "TRADING"


async def test_times_are_the_simulations() -> None:
    async with stage("binance", throttled=False) as at:
        socket = await at.connect(ALL)
        await at.wait(3.0)
        await at.liquidate("SOL")
        message = await read(socket)
        (event,) = at.server.published
    assert message["data"]["E"] == message["data"]["o"]["T"] == event.ts // 1_000_000
    assert event.ts == event.sent == START + 3 * SECOND
