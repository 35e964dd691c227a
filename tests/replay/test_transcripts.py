"""A session kept as raw frames is the session that the journal kept."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from liquake.cli import main
from liquake.clock import WallClock
from liquake.conformance.recorded import check_file
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.ingest.transcript import Transcript, read_lines, read_transcript
from liquake.model import Event, FeedState, FeedStatus, Liquidation
from liquake.simulate.faults import Faults
from liquake.simulate.registry import SERVERS
from liquake.simulate.simulation import Simulation
from liquake.storage.journal import Journal
from liquake.venues import VENUES, find_venue

SIMULATED = [name for name in VENUES if name in SERVERS]
PATIENCE = 30.0


def replayed(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["replay", str(path), "--speed", "max", "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


async def listened(folder: Path, events: int) -> tuple[Path, Path]:
    """A journal and a transcript of the same session, with connections that break, until so many liquidations came."""
    journal, transcript = folder / "journal.db", folder / "frames.jsonl.gz"
    simulation = Simulation("saturated", 3, SIMULATED, faults=Faults(drop_every=1.5, garbage_every=1.0))
    enough, count = asyncio.Event(), 0
    with Transcript(transcript, [VENUES[name] for name in SIMULATED], "1") as frames, Journal(journal) as rows:

        def receive(told: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
            nonlocal count
            frames.receive(told, frame, connection, ts_recv)
            rows.record(told, frame or None, connection)
            count += sum(isinstance(event, Liquidation) for event in told)
            if count >= events:
                enough.set()

        async with simulation.serve() as addresses:
            listening = asyncio.create_task(
                supervise(feeds_of(frames.venues, WallClock(), receive, addresses=addresses))
            )
            async with asyncio.timeout(PATIENCE):
                await enough.wait()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await rows.flushed()
    return journal, transcript


def without_shares(answer: object) -> object:
    """`answer` without the parts of time that anything was heard for."""
    if isinstance(answer, dict):
        return {name: without_shares(held) for name, held in answer.items() if name != "heard_share"}
    return [without_shares(held) for held in answer] if isinstance(answer, list) else answer


def test_its_replay_gives_the_totals_of_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal, transcript = asyncio.run(listened(tmp_path, 150))
    ours, theirs = replayed(transcript, capsys), replayed(journal, capsys)
    assert ours["events"] >= 50
    assert ours["state_hash"] == theirs["state_hash"]
    # The journal keeps an event once; the frames that brought it again are frames.
    assert ours.pop("duplicates") >= theirs.pop("duplicates") == 0
    # Shares of time depend on when the last thing was heard: the journal thins prices out.
    shares = [
        {venue: {name: told[name] for name in ("promise", "gaps")} for venue, told in answer.pop("coverage").items()}
        for answer in (ours, theirs)
    ]
    assert shares[0] == shares[1]
    assert without_shares(ours) == without_shares(theirs)
    states = {event.state for event in read_transcript(transcript) if isinstance(event, FeedStatus)}
    assert {FeedState.CONNECTED, FeedState.SUBSCRIBED, FeedState.DISCONNECTED} <= states


def test_its_lines_become_a_fixture_that_the_suite_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, transcript = asyncio.run(listened(tmp_path, 60))
    for venue in SIMULATED:
        assert main(["decode", venue, str(transcript)]) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        full = [answer["line"] for answer in answers if answer["events"]][:3]
        if not full:
            continue
        fixture = tmp_path / f"{venue}.jsonl"
        assert main(["decode", venue, str(transcript), "--lines", *map(str, full), "--fixture", str(fixture)]) == 0
        assert f"{len(full)} frames in" in capsys.readouterr().out
        check_file(find_venue(venue), fixture)
        assert all(json.loads(line)["expected"] for line in fixture.read_text().splitlines())
    assert list(tmp_path.glob("*.jsonl"))


def test_a_fixture_notices_another_reading(tmp_path: Path) -> None:
    _, transcript = asyncio.run(listened(tmp_path, 30))
    fixture = tmp_path / "fixture.jsonl"
    venue = next(
        line.venue for _, line in read_lines(transcript) if line.frame and b"liquidation" in line.frame.lower()
    )
    assert main(["decode", venue, str(transcript), "--fixture", str(fixture)]) == 0
    text = fixture.read_text()
    swapped = text.replace('"liquidated_side":"LONG"', '"liquidated_side":"?"').replace('"SHORT"', '"LONG"')
    fixture.write_text(swapped.replace('"?"', '"SHORT"'))
    assert swapped != text
    with pytest.raises(AssertionError):
        check_file(find_venue(venue), fixture)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lines", "0x7"], "give numbers of lines like 7, or 7-9"),
        (["--lines", "9-7"], "give numbers of lines like 7, or 7-9"),
        (["--lines", "99-120", "--fixture", "NEW"], "no frame of this exchange"),
        (["--fixture", "OLD"], "give another"),
        (["--fixture", "NOWHERE"], "No such file"),
    ],
)
def test_a_fixture_that_cannot_be_is_told(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = tmp_path / "frames.txt"
    frames.write_text("pong\n")
    (tmp_path / "old.jsonl").touch()
    places = {"NEW": "new.jsonl", "OLD": "old.jsonl", "NOWHERE": "no/where.jsonl"}
    told = [str(tmp_path / places[each]) if each in places else each for each in arguments]
    assert main(["decode", "okx", str(frames), *told]) == 2
    assert words in capsys.readouterr().err


async def test_what_record_keeps_outlives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "frames.jsonl.gz"
    async with Simulation("saturated", 5, ["okx", "bybit"]).serve() as addresses:
        environment = {**os.environ, "LIQUAKE_ENDPOINTS": ",".join(f"{name}={at}" for name, at in addresses.items())}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "liquake", "record", str(file), "--exchanges", "okx", "bybit"),
            env=environment,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                while not file.exists() or sum(1 for _ in _liquidations(file)) < 5:
                    assert process.returncode is None
                    await asyncio.sleep(0.2)
            killed = WallClock().now()
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()
    last = [line.ts for _, line in read_lines(file)][-1]
    assert killed - last < 5_000_000_000
    assert {event.venue for event in _liquidations(file)} <= {"okx", "bybit"}


def _liquidations(file: Path) -> list[Liquidation]:
    return [event for event in read_transcript(file) if isinstance(event, Liquidation)]


async def test_record_ends_whole_when_its_time_is_up(tmp_path: Path) -> None:
    file = tmp_path / "frames.jsonl.gz"
    async with Simulation("calm", 5, ["okx"]).serve() as addresses:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "liquake", "record", str(file), "--exchanges", "okx", "--duration", "2"),
            env={**os.environ, "LIQUAKE_ENDPOINTS": f"okx={addresses['okx']}"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, log = await process.communicate()
    lines = [json.loads(line) for line in log.splitlines()]
    assert process.returncode == 0
    assert [lines[0]["event"], lines[-1]["event"]] == ["started", "stopped"]
    assert lines[-1]["frames"] == sum(line.frame is not None for _, line in read_lines(file)) > 0
