"""What the simulated venues do to a client when they fail, and that they tell the truth about it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import aiohttp
import pytest

from liquake.clock import SECOND, ManualClock, WallClock
from liquake.errors import UnknownScenario, UnknownVenue
from liquake.model import Side
from liquake.simulate.faults import Faults
from liquake.simulate.hyperliquid import VAULTS
from liquake.simulate.presets import Health, Outage
from liquake.simulate.registry import SERVERS
from liquake.simulate.simulation import Simulation
from tests.unit.simulate.stage import DEADLINE, START, Stage, content, ended, read, stage
from tests.venues.cases import wire_of
from tests.waiting import until

HANDSHAKE = (
    "GET /market/ws/!forceOrder@arr HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGlxdWFrZS1saXF1YWtlIQ==\r\n\r\n"
)
DATA = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
each_venue = pytest.mark.parametrize("venue", SERVERS)


async def subscribed(at: Stage) -> aiohttp.ClientWebSocketResponse:
    """A connection that gets liquidations (trades at Hyperliquid), with what comes first already read."""
    wire = wire_of(at.server.name)
    socket = await at.connect(wire.path)
    if wire.subscription is not None:
        await socket.send_json(wire.subscription)
    for _ in range(wire.said_first):
        await read(socket)
    return socket


async def answers_ping(at: Stage, socket: aiohttp.ClientWebSocketResponse, within: float = DEADLINE) -> bool:
    await socket.send_str(wire_of(at.server.name).ping)
    try:
        await asyncio.wait_for(socket.receive(), within)
    except TimeoutError:
        return False
    return True


@each_venue
async def test_a_drop_ends_every_connection_after_what_was_sent_before(venue: str) -> None:
    async with stage(venue, throttled=False) as at:
        sockets = [await subscribed(at) for _ in range(2)]
        await at.liquidate("SOL", Side.LONG)
        at.server.drop()
        for socket in sockets:
            assert (await asyncio.wait_for(socket.receive(), DEADLINE)).type in DATA
            assert await ended(socket) is not aiohttp.WSMsgType.CLOSE
        await until(lambda: not at.server.connections)
        again = await subscribed(at)
        assert await answers_ping(at, again)


@each_venue
async def test_silence_answers_pings_and_sends_nothing_else(venue: str) -> None:
    async with stage(venue, throttled=False) as at:
        socket = await subscribed(at)
        before = len(at.server.published)
        at.server.become(Health.SILENT)
        await at.liquidate("SOL")
        await at.wait(2.0)
        assert await answers_ping(at, socket)
        assert len(at.server.published) == before
        at.server.become(Health.HEALTHY)
        await at.liquidate("SOL")
        assert await read(socket)


@each_venue
async def test_half_open_answers_nothing_until_it_recovers(venue: str) -> None:
    async with stage(venue, throttled=False) as at:
        socket = await subscribed(at)
        at.server.become(Health.HALF_OPEN)
        assert not await answers_ping(at, socket, within=0.1)
        handshake = asyncio.create_task(at.connect(wire_of(venue).path))
        rest = asyncio.create_task(at.session.get(at.address + "/fapi/v1/exchangeInfo"))
        if venue in ("binance", "aster"):
            _, waiting = await asyncio.wait([handshake, rest], timeout=0.1)
            assert waiting == {handshake, rest}
        else:
            await asyncio.wait([rest], timeout=DEADLINE)
            assert (rest.done(), handshake.done()) == (True, False)
        assert at.server.connections
        at.server.become(Health.HEALTHY)
        fresh = await asyncio.wait_for(handshake, DEADLINE)
        assert await answers_ping(at, fresh)
        (await asyncio.wait_for(rest, DEADLINE)).close()


@each_venue
async def test_refusing_keeps_those_connected_and_cuts_newcomers(venue: str) -> None:
    async with stage(venue, throttled=False) as at:
        socket = await subscribed(at)
        at.server.become(Health.REFUSING)
        with pytest.raises(aiohttp.ClientError):
            await at.connect(wire_of(venue).path)
        assert await answers_ping(at, socket)
        at.server.become(Health.HEALTHY)
        await at.connect(wire_of(venue).path)


@each_venue
async def test_garbage_is_unreadable_and_published_nowhere(venue: str) -> None:
    async with stage(venue, throttled=False) as at:
        socket = await subscribed(at)
        before = len(at.server.published)
        count = await at.server.garbage(everything=True)
        frames = [await asyncio.wait_for(socket.receive(), DEADLINE) for _ in range(count)]
        assert len(at.server.published) == before
        assert await answers_ping(at, socket)
    assert {frame.type for frame in frames} == {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}
    texts = [frame.data for frame in frames if frame.type is aiohttp.WSMsgType.TEXT]
    assert any('"NaN"' in text for text in texts)
    with pytest.raises(json.JSONDecodeError):
        json.loads(texts[1])


@each_venue
async def test_duplicates_are_published_once(venue: str) -> None:
    async with stage(venue, throttled=False, faults=Faults(duplicate=True)) as at:
        socket = await subscribed(at)
        if venue == "hyperliquid":
            for vault in VAULTS:
                await socket.send_json({"method": "subscribe", "subscription": {"type": "userFills", "user": vault}})
        elif venue in ("okx", "bitfinex"):
            await read(socket)
        await socket.send_str(wire_of(venue).ping)
        await asyncio.sleep(0)
        await until(lambda: venue != "hyperliquid" or len(at.server.connections[0].topics) == 1 + len(VAULTS))
        before = len(at.server.published)
        for number in range(20):
            await at.liquidate("SOL", usd=1_000.0 + 150.0 * number)
        at.server.drop()
        frames = Counter([text async for message in socket if wire_of(venue).marker in (text := content(message))])
        published = len(at.server.published) - before
    assert published > 0
    assert set(frames.values()) == {2}
    assert len(frames) == published


@each_venue
async def test_an_announced_close_is_carried_out(venue: str) -> None:
    async with stage(venue) as at:
        socket = await subscribed(at)
        await at.server.announce_close(1.0)
        await at.wait(0.5)
        assert at.server.connections
        await at.wait(1.0)
        assert await ended(socket) is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1001
        await until(lambda: not at.server.connections)


async def test_faults_come_by_schedule() -> None:
    faults = Faults(drop_every=3.0, garbage_every=1.0, outages=(Outage("bybit", 10.0, 5.0, Health.SILENT),))
    async with stage("bybit", faults=faults) as at:
        socket = await at.connect(wire_of("bybit").path)
        await at.wait(2.5)
        for _ in range(2):
            await asyncio.wait_for(socket.receive(), DEADLINE)
        await at.wait(0.6)
        await ended(socket)
        health = {}
        for second in range(3, 17):
            health[second] = at.server.health
            await at.wait(1.0)
    assert [second for second, state in health.items() if state is Health.SILENT] == [10, 11, 12, 13, 14]


async def test_the_outage_scenario_silences_one_venue_in_its_sweep_and_hangs_another_later() -> None:
    clock = ManualClock(START)
    simulation = Simulation("outage", seed=2, clock=clock)
    states: dict[int, set[tuple[str, Health]]] = {}
    for second in (20, 45, 100, 170, 290):
        await simulation.advance(START + second * SECOND)
        states[second] = {(n, s.health) for n, s in simulation.servers.items() if s.health is not Health.HEALTHY}
    assert states[20] == states[100] == set()
    assert states[45] == {("bybit", Health.SILENT)}
    assert states[170] == {("binance", Health.HALF_OPEN)}
    assert states[290] == {("okx", Health.REFUSING)}
    assert any(cascade.ts < START + 45 * SECOND for cascade in simulation.market.cascades)


async def test_a_client_that_does_not_read_is_cut_and_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liquake.simulate.connection._UNREAD", 100_000)
    async with stage("binance", throttled=False) as at:
        host, port = at.address.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(HANDSHAKE.encode())
        await until(lambda: len(at.server.connections) == 1)
        good, received = await subscribed(at), 0

        async def drain() -> None:
            nonlocal received
            async for _ in good:
                received += 1

        reading, sent = asyncio.create_task(drain()), 0
        while len(at.server.connections) == 2:
            for _ in range(50):
                await at.liquidate("SOL")
            sent += 50
            await asyncio.sleep(0)
        await until(lambda: received == sent)
        reading.cancel()
        writer.transport.abort()


async def test_what_happens_while_nobody_is_connected_was_never_published() -> None:
    async with stage("binance", throttled=False) as at:
        await at.liquidate("SOL")
        assert at.server.published == []
        idle = await at.connect("/market/ws")
        await at.liquidate("SOL")
        (event,) = at.server.published
        assert (event.subscribed, idle.closed) == (0, False)


async def received_by(address: str, over: asyncio.Event) -> set[tuple[str, float, float, int]]:
    """Everything a simple client of Bybit's linear topics sees, reconnecting at once whenever it is cut."""
    seen: set[tuple[str, float, float, int]] = set()
    topics = [
        f"allLiquidation.{symbol}USDT" for symbol in ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "LINK", "AVAX")
    ]
    async with aiohttp.ClientSession() as session:
        while not over.is_set():
            async with session.ws_connect(address + wire_of("bybit").path) as socket:
                await socket.send_json({"op": "subscribe", "args": topics})
                async for message in socket:
                    for row in json.loads(message.data).get("data", ()):
                        seen.add((row["s"], float(row["v"]), float(row["p"]), row["T"] * 1_000_000))
    return seen


async def test_the_truth_is_what_a_client_saw_through_drops() -> None:
    simulation = Simulation(seed=3, venues=["bybit"], rate=400.0, faults=Faults(drop_every=0.7))
    over = asyncio.Event()
    async with simulation.serve() as addresses:
        client = asyncio.create_task(received_by(addresses["bybit"], over))
        server = simulation.servers["bybit"]
        await until(lambda: server.opened >= 4 and len(server.published) > 500)
        over.set()
        server.drop()
        seen = await asyncio.wait_for(client, DEADLINE)
    assert seen == {
        (event.instrument, event.size, event.price, event.ts) for event in simulation.published if event.subscribed
    }


async def test_wall_time_runs_by_itself_at_the_rate_asked_for() -> None:
    simulation = Simulation(venues=["bybit", "binance"], rate=500.0, throttled=False)
    async with simulation.serve() as addresses, aiohttp.ClientSession() as session:
        async with session.ws_connect(addresses["binance"] + wire_of("binance").path) as socket:
            first = json.loads((await asyncio.wait_for(socket.receive(), DEADLINE)).data)
            now = WallClock().now() // 1_000_000
        await until(lambda: len(simulation.servers["binance"].published) >= 1)
        events = simulation.servers["binance"].published
    assert abs(now - first["E"]) < 5_000
    assert all(event.sent >= event.ts for event in events)
    assert all(event.subscribed == 1 for event in events)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(UnknownScenario, match="'tsunami'"):
        Simulation("tsunami")
    with pytest.raises(UnknownVenue, match="'mtgox'"):
        Simulation(venues=["mtgox"])
