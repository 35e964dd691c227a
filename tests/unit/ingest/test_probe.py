"""What a venue does is told from what it should do, against simulated venues on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

import pytest
from aiohttp import web

from liquake.cli import main
from liquake.clock import WallClock
from liquake.ingest.probe import Finding, Verdict, probe
from liquake.simulate.aster import AsterServer
from liquake.simulate.connection import Connection
from liquake.simulate.okx import OkxServer
from liquake.simulate.presets import Health
from liquake.simulate.registry import SERVERS
from liquake.simulate.simulation import Simulation
from liquake.venues import VENUES, find_venue
from liquake.venues.okx import Okx
from liquake.venues.venue import Endpoint

CLOCK = WallClock()
SECONDS = 5.0
BRIEF = 1.5
"""Enough for a loopback venue to do everything but wait."""


async def found(venue: str, simulation: Simulation, seconds: float = BRIEF) -> Finding:
    async with simulation.serve() as addresses:
        return await probe(find_venue(venue), CLOCK, seconds, addresses[venue])


@pytest.mark.parametrize("venue", [name for name in VENUES if name in SERVERS])
async def test_a_venue_that_does_all_it_should_works(venue: str) -> None:
    finding = await found(venue, Simulation("calm", 1, [venue]), 20.0)
    assert (finding.verdict, finding.words, finding.unreadable) == (Verdict.WORKS, "", 0)
    assert finding.asked == finding.acknowledged > 0
    assert finding.heartbeats == finding.connections >= finding.prices > 0
    assert finding.instruments > 0


async def test_nobody_at_the_address_is_unreachable() -> None:
    finding = await probe(find_venue("okx"), CLOCK, SECONDS, "http://127.0.0.1:9")
    assert finding.verdict is Verdict.UNREACHABLE
    assert "cannot connect" in finding.words
    assert (finding.acknowledged, finding.instruments) == (0, 0)


@pytest.mark.parametrize(
    ("venue", "words", "answers"),
    [("okx", "no price on", False), ("dydx", "no price but what stood when it was asked, on", True)],
)
async def test_a_venue_that_comes_up_and_says_no_more_is_silent(venue: str, words: str, answers: bool) -> None:
    simulation = Simulation("calm", 1, [venue])
    simulation.servers[venue].become(Health.SILENT)
    finding = await found(venue, simulation)
    assert finding.verdict is Verdict.SILENT
    assert words in finding.words
    assert (finding.prices > 0) is answers


class Deaf(AsterServer):
    """Takes a client's ping for nothing."""

    async def _converse(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass


async def test_pings_without_an_answer_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = await found("aster", simulated_by("aster", Deaf, monkeypatch), SECONDS)
    assert finding.verdict is Verdict.SILENT
    assert finding.prices == 1
    assert "no answer to a ping" in finding.words
    assert "no price" not in finding.words


class Renamed(OkxServer):
    """Has no channel of the name that was documented."""

    async def hear(self, connection: Connection, text: str) -> None:
        await super().hear(connection, text.replace("liquidation-orders", "forced-orders"))


class Reshaped(OkxServer):
    """Sends prices in another shape."""

    async def send_topic(self, topic: str, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode()
        await super().send_topic(topic, text.replace('"data":[', '"rows":['))


class Relisted(OkxServer):
    """Answers with a page where the instruments were."""

    def pages(self) -> Sequence[web.RouteDef]:
        async def page(request: web.Request) -> web.Response:
            return web.Response(text="<html>moved</html>")

        return (web.get("/api/v5/public/instruments", page),)


def simulated_by(venue: str, server: type, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    monkeypatch.setattr("liquake.simulate.simulation.SERVERS", {venue: server})
    return Simulation("calm", 1, [venue])


@pytest.mark.parametrize(
    ("server", "verdict", "words"),
    [
        (Renamed, Verdict.REFUSED, "doesn't exist"),
        (Reshaped, Verdict.CHANGED, "unreadable"),
        (Relisted, Verdict.CHANGED, "cannot read the instruments answer of okx"),
    ],
)
async def test_what_a_venue_answers_instead_is_told(
    server: type, verdict: Verdict, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = await found("okx", simulated_by("okx", server, monkeypatch), SECONDS)
    assert finding.verdict is verdict
    assert words in finding.words


@asynccontextmanager
async def refusing(status: int) -> AsyncIterator[str]:
    """A server that answers every request with `status`."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.route("*", "/{any:.*}", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_handshake_that_is_answered_with_no_is_refused() -> None:
    async with refusing(403) as address:
        finding = await probe(find_venue("okx"), CLOCK, SECONDS, address)
    assert (finding.verdict, finding.words) == (Verdict.REFUSED, "the handshake was refused with HTTP 403")


class Retired(Okx):
    """Its address has had its last day."""

    endpoints = (Okx.endpoints[0], Endpoint("wss://ws.okx.com/ws/v5/public", valid_until=date(2020, 1, 1)))


async def test_an_address_past_its_announced_end_is_told() -> None:
    async with Simulation("calm", 1, ["okx"]).serve() as addresses:
        finding = await probe(Retired(), CLOCK, BRIEF, addresses["okx"])
    assert finding.verdict is Verdict.CHANGED
    assert finding.words == "wss://ws.okx.com/ws/v5/public was announced to end on 2020-01-01"


def test_the_table_names_each_venue_and_fails_where_one_does_not_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQUAKE_ENDPOINTS", "okx=http://127.0.0.1:9,bybit=http://127.0.0.1:9")
    told = ["venues", "--check", "--exchanges", "okx", "bybit", "--duration", "2"]
    assert main(told) == 1
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:3]] == [
        ["okx", "unreachable"],
        ["bybit", "unreachable"],
    ]
    assert main([*told, "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["venue"], row["verdict"]) for row in rows] == [("okx", "unreachable"), ("bybit", "unreachable")]


def test_what_is_listed_is_checked_whatever_is_listened_to_otherwise(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQUAKE_ENDPOINTS", ",".join(f"{venue}=http://127.0.0.1:9" for venue in VENUES))
    monkeypatch.setenv("LIQUAKE_EXCHANGES", "okx")
    assert main(["venues", "--check", "--duration", "1", "--json"]) == 1
    assert [row["venue"] for row in json.loads(capsys.readouterr().out)] == list(VENUES)
