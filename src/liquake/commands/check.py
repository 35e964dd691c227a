"""`liquake check`: whether what is stored can be true, and is the same wherever it is stored."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from liquake.clock import WallClock
from liquake.config import Settings
from liquake.storage.check import Finding, check_journal, check_store
from liquake.terminal import print_json
from liquake.tiers import archive_path, journal_path, sinks_of
from liquake.tui.listing import check_text


def check(settings: Settings, *, as_json: bool) -> int:
    """Whether what is stored can be true, and is the same wherever it is stored."""
    findings = [msgspec.structs.asdict(finding) for finding in asyncio.run(_check(settings))]
    if as_json:
        print_json(findings)
    else:
        sys.stdout.write(check_text(findings))
    return 0 if all(finding["ok"] for finding in findings) else 1


async def _check(settings: Settings) -> list[Finding]:
    path = journal_path(settings)
    findings = await asyncio.to_thread(check_journal, path, archive_path(settings))
    for sink in sinks_of(settings):
        findings += await check_store(sink, path, WallClock().now())
    return findings
