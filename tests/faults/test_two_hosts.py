"""Binance tells of its liquidations on two hosts: what either brings is held, once, and one that falls silent costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from bench.fast_forward import FastForwardLoop, run

from liquake.clock import SECOND
from liquake.engine.engine import Engine
from liquake.ingest.link import Tempo
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, FeedState, FeedStatus, Liquidation
from liquake.simulate.binance import BinanceServer
from liquake.simulate.connection import Connection
from liquake.simulate.faults import Faults
from liquake.simulate.server import Row, Setting
from liquake.simulate.simulation import Simulation
from liquake.venues.binance import Binance

NOON = round(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()) * SECOND
MINUTES = 10
ROUTED = "/market/"


class Apart(BinanceServer):
    """Whose hosts tell of their own product only, whatever is documented."""

    def _frame(self, connection: Connection, topics: Sequence[str], message: Row) -> str | None:
        row = message.get("o", message)
        own = 1 if connection.path.startswith(ROUTED) else 2
        return super()._frame(connection, topics, message) if row["st"] == own else None


class Retired(BinanceServer):
    """Whose routed address has been given up: it connects, and says no more."""

    def _frame(self, connection: Connection, topics: Sequence[str], message: Row) -> str | None:
        return None if connection.path.startswith(ROUTED) else super()._frame(connection, topics, message)


class Unhosted(BinanceServer):
    """Whose other host has been given up."""

    def _frame(self, connection: Connection, topics: Sequence[str], message: Row) -> str | None:
        return super()._frame(connection, topics, message) if connection.path.startswith(ROUTED) else None


class Heard:
    """Some minutes of a busy market, as the engine counts them."""

    def __init__(self, server: type[BinanceServer]) -> None:
        self.loop = FastForwardLoop(NOON)
        self.engine = Engine({"binance": Binance.coverage})
        self.simulation = Simulation("busy", 7, ["binance"], self.loop, assets=("BTC", "ETH"))
        setting = Setting(self.simulation.market, self.loop, 7, True, Faults(), True)
        self.server = self.simulation.servers["binance"] = server(setting)
        self.counted: list[Liquidation] = []
        self.repeated = 0
        self.stale: set[str] = set()
        run(self._lived(), self.loop)
        (self.venue,) = self.engine.snapshot(self.loop.now()).venues

    async def _lived(self) -> None:
        async with self.simulation.serve() as addresses:
            feeds = feeds_of([Binance()], self.loop, self.receive, addresses=addresses, tempo=Tempo(watch=1.0))
            work = asyncio.create_task(supervise(feeds))
            await asyncio.sleep(60.0 * MINUTES)
            self.simulation.halt()
            await asyncio.sleep(60.0)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        del frame, ts_recv
        for event in events:
            fresh = self.engine.apply(event)
            if isinstance(event, Liquidation):
                self.repeated += not fresh
                self.counted += [event] if fresh else []
            elif isinstance(event, FeedStatus) and event.state is FeedState.STALE:
                self.stale.add(connection)

    def published(self) -> set[str]:
        """Keys of what was sent once both connections were surely up."""
        return {event.key for event in self.server.published if event.sent > NOON + 10 * SECOND}

    @property
    def heard(self) -> float:
        """Share of the last five minutes of which it is said that the venue was heard."""
        return self.venue.covered["5m"]


@pytest.mark.parametrize("server", [BinanceServer, Apart, Retired, Unhosted])
def test_everything_that_either_host_tells_is_counted_once(server: type[BinanceServer]) -> None:
    heard = Heard(server)
    keys = [event.key for event in heard.counted]
    assert len(set(keys)) == len(keys) > 30
    assert heard.published() <= set(keys) <= {event.key for event in heard.server.published}
    assert {event.instrument for event in heard.counted} >= {"BTCUSDT", "BTCUSD_PERP"}


def test_both_hosts_tell_of_both_products_and_the_second_time_is_dropped() -> None:
    heard = Heard(BinanceServer)
    assert heard.repeated == pytest.approx(len(heard.counted), abs=5)
    assert (heard.stale, heard.heard) == (set(), 1.0)


def test_a_silent_host_is_told_and_while_the_documented_one_is_heard_nothing_is_held_to_be_missing() -> None:
    heard = Heard(Unhosted)
    assert heard.stale == {"coin-margined"}
    assert heard.heard == 1.0


def test_when_the_documented_host_is_silent_more_may_be_missing_than_the_other_tells() -> None:
    heard = Heard(Retired)
    assert heard.stale == {"market"}
    assert heard.heard < 0.1
