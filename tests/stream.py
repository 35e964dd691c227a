"""A Redis stream as a collector fills it, and what its subscribers are told."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec

from liquake.clock import SECOND
from liquake.model import Liquidation, PriceBasis, Side
from liquake.model.alert import Alert, AlertRule
from liquake.storage.current import ALERTS
from liquake.storage.journal import Journal
from liquake.storage.redis import FED, FED_SECONDS, RedisSink
from liquake.storage.sink import ended
from liquake.storage.tail import JournalTail
from tests.unit.storage.conftest import client_of


def liquidation(
    number: int, *, asset: str = "BTC", venue: str = "okx", usd: float = 5_000.0, ago: float = 0.0
) -> Liquidation:
    received = time.time_ns() - round(ago * SECOND)
    return Liquidation(
        venue, f"{asset}-USDT-SWAP", asset, Side.LONG, 4_000.0, PriceBasis.FILL, usd / 4_000.0, usd,
        received - 20_000_000, received, id=str(number),
    )  # fmt: skip


async def send(url: str, folder: Path, events: list[Liquidation]) -> None:
    """Into the stream, by way of a journal of their own."""
    path = folder / f"{time.time_ns()}.db"
    with Journal(path) as journal:
        journal.record(events)
    sink = RedisSink(url)
    await sink.open()
    with closing(JournalTail(path)) as tail:
        await sink.write(path.name, tail.after(0, len(events)))
    await sink.close()


class Told:
    """What subscribers were told, and what was logged."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.log = io.BytesIO()

    def large(self) -> list[str]:
        """Where single large orders were told of: on a busy machine enough time may pass for cascades to be, too."""
        return [alert.market for alert in self.alerts if alert.rule is AlertRule.INSTITUTIONAL]

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Told]:
    """Subscribers of a stream that somebody feeds."""
    told = Told()

    async def listen() -> None:
        async for message in subscription.listen():
            if message["type"] == "message":
                told.alerts.append(msgspec.json.decode(message["data"], type=Alert))

    async def feed() -> None:
        # As a collector says it while there is nothing to send, however long a busy machine takes for a test.
        while True:
            await client.set(FED, "1", px=round(FED_SECONDS * 1000))
            await asyncio.sleep(1.0)

    async with client_of(url) as client, client.pubsub() as subscription:
        await subscription.subscribe(ALERTS)
        beside = [asyncio.create_task(work) for work in (listen(), feed())]
        try:
            yield told
        finally:
            await ended(*beside)
