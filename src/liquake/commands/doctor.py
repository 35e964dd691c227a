"""`liquake doctor`: what works on this machine."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import msgspec

import liquake
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.errors import JournalError, Offline
from liquake.ingest.probe import Verdict, probe
from liquake.storage.reader import JournalReader
from liquake.terminal import has_terminal, print_json
from liquake.tiers import examine, journal_path
from liquake.tui.listing import doctor_text
from liquake.venues import find_venues, shape

_PROBE = 12.0
"""Seconds to listen to a venue."""


def doctor(settings: Settings, *, as_json: bool) -> int:
    """What works on this machine."""
    found = asyncio.run(_examine(settings))
    if as_json:
        print_json(found)
    else:
        sys.stdout.write(doctor_text(found))
    lame = [row["venue"] for row in found["venues"] if row["verdict"] is not Verdict.WORKS]
    if all(row["verdict"] is Verdict.UNREACHABLE for row in found["venues"]):
        raise Offline(lame)
    lost = [row["store"] for row in found["stores"] if row["trouble"]]
    return 1 if lame or lost or found["data folder"]["trouble"] else 0


async def _examine(settings: Settings) -> dict[str, Any]:
    chosen = find_venues(settings.exchanges)
    clock, endpoints = WallClock(), settings.endpoints
    answers = await asyncio.gather(*(probe(venue, clock, _PROBE, endpoints.get(venue.name)) for venue in chosen))
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
        "stores": await examine(settings, journal_path(settings), clock.now()),
        "venues": [msgspec.structs.asdict(answer) for answer in answers],
    }


def _examine_folder(path: Path) -> dict[str, Any]:
    folder = next(parent for parent in path.parents if os.access(parent, os.F_OK))
    trouble = "" if os.access(folder, os.W_OK) else f"{folder} cannot be written: choose another file with --journal"
    free = shutil.disk_usage(folder).free
    there = os.access(path, os.F_OK)
    if there and not trouble:
        try:
            JournalReader(path).close()
        except JournalError as error:
            trouble = str(error)
    return {"journal": str(path), "exists": there, "free bytes": free, "trouble": trouble}
