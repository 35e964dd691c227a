"""Views, themes and what a session leaves behind, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from liquake.cli import main

RECORDING = """\
ts_ms,venue,symbol,side,price,base_amount,usd
1790000000000,bybit,BTCUSDT,LONG,60000,0.5,30000
1790000001000,okx,ETH-USDT-SWAP,SHORT,3000,2,6000
1790000002000,bybit,BTCUSDT,LONG,59990,0.25,14997.5
"""


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three liquidations, and no settings but ours."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "recording.csv"
    path.write_text(RECORDING)
    return path


def test_the_statistics_are_written_at_the_end_as_json(recording: Path) -> None:
    target = recording.with_name("session.json")
    assert main(["replay", str(recording), "--speed", "max", "--plain", "--export-on-exit", str(target)]) == 0
    assert json.loads(target.read_text())["usd"] == 50997.5


def test_the_statistics_are_written_at_the_end_as_csv(recording: Path) -> None:
    target = recording.with_name("session.csv")
    assert main(["replay", str(recording), "--speed", "max", "--plain", "--export-on-exit", str(target)]) == 0
    rows = {(row["venue"], row["market"], row["side"]): row for row in csv.DictReader(target.read_text().splitlines())}
    assert rows["bybit", "BTCUSDT", "LONG"]["base_amount"] == "0.75"
    assert rows["bybit", "BTCUSDT", "LONG"]["events"] == "2"


def test_a_file_of_another_kind_is_refused_before_anything_runs(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(recording), "--export-on-exit", "session.txt"]) == 2
    assert "ends in .json or .csv" in capsys.readouterr().err


def test_statistics_that_cannot_be_written_are_a_failure_with_the_path(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = recording.with_name("nowhere") / "session.json"
    assert main(["replay", str(recording), "--speed", "max", "--plain", "--export-on-exit", str(target)]) == 1
    assert f"cannot export {target}" in capsys.readouterr().err


def test_an_unknown_theme_names_those_there_are(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recording), "--theme", "neon"]) == 2
    assert "colourblind" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("overview", "BY EXCHANGE"),
        ("cumulative", "CUMULATIVE"),
        ("tape", "59,990.0 B"),
        ("glance", "GLANCE"),
        ("market", "ETHUSDT"),
        ("charts", "BY SIDE"),
        ("risk", "CASCADE RISK"),
    ],
)
def test_each_view_opens_on_a_recording(
    recording: Path, capsys: pytest.CaptureFixture[str], command: str, words: str
) -> None:
    assert main([command, "--source", str(recording), "--plain"]) == 0
    shown = capsys.readouterr().out
    assert words in shown
    assert "VELOCITY  all markets · events" not in shown


def test_a_source_that_is_no_file_is_named(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tape", "--source", "nowhere.csv", "--plain"]) == 2
    assert "nowhere.csv" in capsys.readouterr().err


def test_the_first_view_can_be_set(
    recording: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIQUAKE_VIEW", "glance")
    assert main(["replay", str(recording), "--speed", "max", "--plain"]) == 0
    assert "GLANCE" in capsys.readouterr().out
