"""What goes wrong with a simulated venue on purpose, and that the truth of it is kept."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import aiohttp
import pytest

from liquake.clock import SECOND, ManualClock
from liquake.simulate.faults import Farewell, Faults, Move, Timetable, VenueClock
from liquake.simulate.simulation import Simulation
from tests.unit.simulate.stage import START, Stage, ended, read, stage
from tests.waiting import until

TOPIC = "allLiquidation.SOLUSDT"
PATH = "/v5/public/linear"


async def listening(at: Stage, address: str) -> aiohttp.ClientWebSocketResponse:
    socket = await at.session.ws_connect(address + PATH)
    await socket.send_json({"op": "subscribe", "args": [TOPIC]})
    assert (await read(socket))["success"]
    return socket


def test_the_clock_of_a_venue_is_wrong_both_ways_and_never_goes_back() -> None:
    clock = VenueClock(ManualClock(START), skew=2.0, phase=0.3)
    errors = [clock.at(START + minute * 60 * SECOND) - START - minute * 60 * SECOND for minute in range(180)]
    assert -2 * SECOND <= min(errors) < -1.9 * SECOND
    assert 1.9 * SECOND < max(errors) <= 2 * SECOND
    assert max(abs(later - earlier) for earlier, later in pairwise(errors)) < SECOND
    assert VenueClock(ManualClock(START), skew=0.0, phase=0.3).now() == START


def test_a_move_is_told_once_and_then_its_end() -> None:
    table = Timetable(Faults(moves=(Move(10.0, 5.0, Farewell.SILENT), Move(20.0, 5.0, Farewell.REFUSING))), "bybit")
    told = {second: list(table.moves(float(second))) for second in range(30)}
    assert {second: said for second, said in told.items() if said} == {
        10: [Farewell.SILENT],
        15: [None],
        20: [Farewell.REFUSING],
        25: [None],
    }


async def test_an_address_that_is_given_up_silently_acknowledges_and_tells_nothing_until_it_points_on() -> None:
    async with stage("bybit", throttled=False) as at:
        old = await listening(at, at.address)
        await at.server.move(Farewell.SILENT)
        assert at.server.address != at.address
        late = await listening(at, at.address)
        await at.liquidate("SOL")
        assert at.server.published == []
        assert len(at.server.missed) == 1
        new = await listening(at, at.server.address)
        await at.liquidate("SOL")
        assert (await read(new))["topic"] == TOPIC
        assert [event.subscribed for event in at.server.published] == [1]
        await at.server.move(None)
        assert {await ended(old), await ended(late)} <= {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        followed = await listening(at, at.address)
        await at.liquidate("SOL")
        assert (await read(followed))["topic"] == TOPIC


async def test_an_address_that_is_given_up_refuses_and_then_points_on() -> None:
    async with stage("bybit") as at:
        old = await listening(at, at.address)
        await at.server.move(Farewell.REFUSING)
        await ended(old)
        with pytest.raises(aiohttp.ClientError):
            await at.session.ws_connect(at.address + PATH)
        await at.server.move(None)
        async with at.session.get(at.address + "/v5/market/instruments-info?category=linear") as answer:
            assert answer.status == 200
            assert len(answer.history) == 1


async def test_who_connects_is_sent_again_what_others_were_sent() -> None:
    async with stage("bybit", throttled=False, faults=Faults(replay=2)) as at:
        first = await listening(at, at.address)
        sent = []
        for number in range(3):
            await at.liquidate("SOL", usd=1_000.0 + number)
            sent.append((await read(first))["data"])
        second = await listening(at, at.address)
        await until(lambda: len(at.server.connections) == 2)
        await at.wait(3.5)
        assert [(await read(second))["data"] for _ in range(2)] == sent[1:]
        assert len(at.server.published) == 3
        # The first is sent them too, three seconds after it came.
        assert at.server.suffered["replay"] == 4


async def test_orders_that_wait_reach_the_feed_out_of_order_and_none_is_lost() -> None:
    clock = ManualClock(START)
    simulation = Simulation("busy", 4, ["kraken", "bybit"], clock, faults=Faults(shuffle=1.5))
    for _ in range(3000):
        clock.advance(0.1)
        await simulation.advance(clock.now())
    waited = [event.sent - event.ts for event in simulation.servers["bybit"].missed]
    times = [event.ts for event in simulation.servers["bybit"].missed]
    assert len(times) > 50
    assert times != sorted(times)
    assert max(waited) < 2.2 * SECOND
    before = len(simulation.servers["bybit"].missed)
    simulation.halt()
    clock.advance(60.0)
    await simulation.advance(clock.now())
    assert len(simulation.servers["bybit"].missed) <= before + 3


async def test_a_venue_whose_clock_is_wrong_dates_events_by_it_and_the_truth_is_sent_by_ours() -> None:
    async with stage("bybit", throttled=False, faults=Faults(skew=2.0)) as at:
        socket = await listening(at, at.address)
        await at.liquidate("SOL")
        message = json.loads((await asyncio.wait_for(socket.receive(), 5.0)).data)
        (event,) = at.server.published
        assert event.sent == at.clock.now()
        assert abs(message["ts"] * 1_000_000 - at.server.clock.now()) < SECOND // 100
        assert event.ts != event.sent
