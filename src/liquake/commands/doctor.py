"""`liquake doctor`: what works on this machine."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import liquake
from liquake import app
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.errors import Offline
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, FeedState, FeedStatus, Price, Trade
from liquake.terminal import has_terminal, print_json
from liquake.tiers import examine, journal_path
from liquake.tui.listing import doctor_text
from liquake.venues import Venue, find_venue, shape

_PROBE = 12.0
"""Seconds to listen to a venue, """
_ATTEMPTS = 3
"""and connections to see fail before saying so."""


def doctor(settings: Settings, *, as_json: bool) -> int:
    """What works on this machine."""
    found = asyncio.run(_examine(settings))
    if as_json:
        print_json(found)
    else:
        sys.stdout.write(doctor_text(found))
    dead = [row["venue"] for row in found["venues"] if not row["answers"]]
    if len(dead) == len(found["venues"]):
        raise Offline(dead)
    lost = [row["store"] for row in found["stores"] if row["trouble"]]
    return 1 if dead or lost or found["data folder"]["trouble"] else 0


async def _examine(settings: Settings) -> dict[str, Any]:
    chosen = [find_venue(name) for name in settings.exchanges]
    answers = await asyncio.gather(*(_probe(venue, settings.endpoints.get(venue.name)) for venue in chosen))
    return {
        "versions": {
            "liquake": liquake.__version__,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": platform.platform(terse=True),
            **{name: importlib.metadata.version(name) for name in ("aiohttp", "msgspec", "textual")},
            "scanner": "compiled" if shape.compiled() else "none: msgspec reads every frame, more slowly",
        },
        "terminal": {
            "interactive": has_terminal(),
            "term": os.environ.get("TERM", ""),
            "encoding": sys.stdout.encoding,
            "colour": "NO_COLOR" not in os.environ,
            "size": "x".join(map(str, shutil.get_terminal_size())),
        },
        "data folder": _examine_folder(journal_path(settings)),
        "stores": await examine(settings, journal_path(settings)),
        "venues": answers,
    }


def _examine_folder(path: Path) -> dict[str, Any]:
    folder = next(parent for parent in path.parents if parent.exists())
    trouble = "" if os.access(folder, os.W_OK) else f"{folder} cannot be written: choose another file with --journal"
    free = shutil.disk_usage(folder).free
    return {"journal": str(path), "exists": path.exists(), "free bytes": free, "trouble": trouble}


async def _probe(venue: Venue, address: str | None) -> dict[str, Any]:
    """Listen to one venue as `monitor` would, until a price comes and every subscription is settled."""
    heard: list[Event] = []
    settled = asyncio.Event()

    def receive(events: Sequence[Event], *_: object) -> None:
        heard.extend(events)
        failed = sum(isinstance(event, FeedStatus) and event.state is FeedState.DISCONNECTED for event in heard)
        if failed >= _ATTEMPTS or any(isinstance(event, Price | Trade) for event in events):
            settled.set()

    addresses = {} if address is None else {venue.name: address}
    feeds = feeds_of([venue], WallClock(), receive, assets={"BTC"}, addresses=addresses)
    listening = asyncio.create_task(supervise(feeds))
    try:
        async with asyncio.timeout(_PROBE):
            await settled.wait()
    except TimeoutError:
        pass
    finally:
        await app.ended(listening)
    statuses = [event for event in heard if isinstance(event, FeedStatus)]
    refused = [s.reason for s in statuses if s.state in (FeedState.REJECTED, FeedState.DISCONNECTED)]
    answers = any(isinstance(event, Price | Trade) for event in heard)
    return {
        "venue": venue.name,
        "answers": answers,
        "instruments": len(feeds[0].instruments),
        "subscribed": sum(status.state is FeedState.SUBSCRIBED for status in statuses),
        "trouble": refused[-1] if refused and not answers else "",
    }
