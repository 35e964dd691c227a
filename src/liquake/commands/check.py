"""`liquake check`: whether what is stored can be true, and is the same wherever it is stored."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from liquake.clock import WallClock
from liquake.config import Settings
from liquake.engine.snapshot import ALL
from liquake.errors import JournalError
from liquake.ledger import Covered, coverage
from liquake.storage.check import Progress, check_journal, check_store
from liquake.storage.finding import Finding
from liquake.terminal import print_json
from liquake.tiers import archive_path, journal_path, sinks_of
from liquake.tui import formats
from liquake.tui.listing import check_text

_APART = 0.001
"""Part of the time by which a market must differ from its venue to get a line."""


def check(settings: Settings, *, as_json: bool) -> int:
    """Whether what is stored can be true, and is the same wherever it is stored."""
    with _telling() as progress:
        findings = [msgspec.structs.asdict(finding) for finding in asyncio.run(_check(settings, progress))]
    if as_json:
        print_json(findings)
    else:
        sys.stdout.write(check_text(findings))
    return 0 if all(finding["ok"] for finding in findings) else 1


async def _check(settings: Settings, progress: Progress) -> list[Finding]:
    path, sinks = journal_path(settings), sinks_of(settings)
    findings = await asyncio.to_thread(check_journal, path, archive_path(settings), progress)
    progress("coverage")
    try:
        findings += map(_finding, _worth_telling(await asyncio.to_thread(coverage, path)))
    except JournalError as error:
        # It is damaged, which stands there already, with what could be read of it.
        findings.append(Finding("journal", "coverage", "", False, error.why))
    for sink in sinks:
        progress(sink.name)
        findings += await check_store(sink, path, WallClock().now())
    return findings


@contextmanager
def _telling() -> Iterator[Progress]:
    """What is looked at, on the terminal's error stream; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("checking") as status:
        yield lambda looking_at: status.update(f"checking {looking_at}")


def _worth_telling(rows: Sequence[Covered]) -> Iterator[Covered]:
    """Of each venue, and of those of its markets of which something else was heard."""
    whole = {row.venue: row for row in rows if row.market == ALL}
    for row in rows:
        venue = whole.get(row.venue, row)
        another = row.at_least is not venue.at_least or abs(row.heard_share - venue.heard_share) > _APART
        if row is venue or row.refused or another:
            yield row


def _finding(row: Covered) -> Finding:
    """What sums over everything kept cover. A gap is no fault of what is stored: it stands there."""
    place = row.venue if row.market == ALL else f"{row.venue} {row.market}"
    bound = ", a lower bound" if row.at_least else ""
    opened = [gap for gap in row.gaps if not gap.recovered]
    gaps = f"; {len(opened):,} of {len(row.gaps):,} gaps not refilled" if row.gaps else ""
    refused = "; some contracts refused" if row.refused else ""
    detail = f"{row.coverage.lower()}, heard {formats.share(row.heard_share)} of the time{bound}{gaps}{refused}"
    return Finding("journal", "coverage", place, True, detail)
