from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from liquake.analytics.cascade import decode
from liquake.cli import main
from liquake.commands.evaluation import Question, tape_of
from liquake.model import Liquidation, PriceBasis, Side, Throttle
from liquake.model.tape import Source, Tape
from liquake.storage.journal import Journal
from tests.unit.analytics.tapes import SOURCES, clustered

MODELS = {
    "liquake",
    "climatology",
    "persistence",
    "velocity_10s",
    "multiscale_rates",
    "six_weight_raw",
    "six_weight_recalibrated",
}
FIGURES = {"brier_skill", "log_loss", "auc", "pr_auc"}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(clustered(60.0, seed=1), tmp_path_factory.mktemp("tape") / "tape.csv")


def written(tape: Tape, path: Path) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("ts_ms", "venue", "symbol", "side", "price", "base_amount", "usd"))
        for ts, kind, usd in zip(tape.ts, tape.source, tape.usd, strict=True):
            source = tape.sources[kind]
            rows.writerow((ts // 1_000_000, source.venue, "BTCUSDT", source.side, "", "", usd))
    return path


def test_score_answers_with_one_object_of_every_forecast(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(recording), "--train-share", "0.6", "--json"]) == 0
    out, progress = capsys.readouterr()
    found = json.loads(out)
    assert set(found["models"]) == MODELS
    for model in found["models"].values():
        assert set(model) >= FIGURES
        assert set(model["onset"]) == FIGURES
        assert {"recall", "precision", "lead", "false_per_day"} <= set(model["alarms"])
    assert {"base_rate", "threshold_usd", "reliability", "alarms"} <= set(found)
    assert found["alarms"] == found["models"]["liquake"]["alarms"]
    assert set(found["differences"]) == MODELS - {"liquake"}
    assert all(gain["low"] <= gain["brier_skill"] <= gain["high"] for gain in found["differences"].values())
    assert found["models"]["liquake"]["brier_skill"] > found["models"]["climatology"]["brier_skill"] == 0.0
    assert "fitting on the first 60%" in progress


def test_score_prints_a_table_and_draws_its_diagram(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diagram = tmp_path / "reliability.svg"
    arguments = ["score", str(recording), "--train-share", "0.6", "--side", "long", "--diagram", str(diagram)]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line} >= MODELS
    assert ET.parse(diagram).getroot().tag.endswith("svg")


def test_fit_writes_a_model_that_carries_the_scores_it_earned(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.json"
    throttles = ["--throttle", "alpha=none", "--throttle", "beta=latest"]
    assert main(["fit", str(recording), "--out", str(out), "--note", "ours", *throttles]) == 0
    model = decode(out.read_bytes(), "mine")
    model.check(["alpha", "beta"], {"beta": Throttle.LATEST})
    assert model.provenance.note == "ours"
    assert model.provenance.train_share == 0.55
    assert model.scores["liquake.brier_skill"] > 0.0
    assert model.reliability
    assert "Brier skill +" in capsys.readouterr().out


def test_fit_on_the_whole_recording_carries_no_scores(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.json"
    rules = ["--throttle", "alpha=none", "--throttle", "beta=none"]
    assert main(["fit", str(recording), "--out", str(out), "--train-share", "1", *rules]) == 0
    assert decode(out.read_bytes(), "mine").scores == {}
    assert "no scores" in capsys.readouterr().out


def test_the_rule_of_today_is_not_claimed_of_an_older_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = tuple(Source("binance", side) for side in Side)
    recording = written(clustered(30.0, seed=1, sources=sources), tmp_path / "tape.csv")
    assert main(["fit", str(recording), "--out", str(tmp_path / "mine.json")]) == 2
    assert "the recording is older: give binance=none, latest or largest" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--horizon", "0"], "--horizon 0.0: give seconds from 1 to 3600"),
        (["--train-share", "1"], "--train-share 1.0: give a share of the time above 0 and below 1"),
        (["--train-share", "nan"], "--train-share nan: give a share"),
        (["--side", "both"], "invalid choice"),
        (["--symbols", "?"], "unknown symbol '?': write it like BTC"),
        (["--symbols", "BTC", "ETH"], "unknown symbol 'ETH': no liquidation in tape.csv is of ETH"),
        (["--diagram", "here.png"], "give a name that ends in .svg"),
        (["--diagram", "/nowhere/at/all.svg"], "there is no such folder"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(
    arguments: list[str], complaint: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(recording), *arguments]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"", b"ts_ms,venue\n", b"\x1f\x8bnot gzip", b"ts_ms,venue,side,usd\n1,a,NEITHER,2\n"]
)
def test_a_file_that_is_no_recording_is_a_question_that_cannot_be_answered(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "odd.csv"
    source.write_bytes(content)
    assert main(["score", str(source)]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_too_short_a_recording_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = written(clustered(2.0, seed=1), tmp_path / "short.csv")
    assert main(["score", str(recording)]) == 1
    assert "too short" in capsys.readouterr().err


def test_a_journal_is_the_same_tape_as_the_recording_without_what_is_only_a_sample(tmp_path: Path) -> None:
    tape = clustered(3.0, seed=2, sources=(*SOURCES[:2], Source("hyperliquid", Side.LONG)))
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        for number, (ts, kind, usd) in enumerate(zip(tape.ts, tape.source, tape.usd, strict=True)):
            venue, side = tape.sources[kind].venue, tape.sources[kind].side
            liquidation = Liquidation(
                venue, "BTCUSDT", "BTC", side, 100.0, PriceBasis.FILL, usd / 100.0, usd, ts, ts, usd, str(number)
            )
            journal.record([liquidation])
    read = tape_of(path)
    assert read.sources == SOURCES[:2]
    kept = [
        (ts, usd)
        for ts, kind, usd in zip(tape.ts, tape.source, tape.usd, strict=True)
        if tape.sources[kind].venue == "alpha"
    ]
    assert list(zip(read.ts, read.usd, strict=True)) == kept
    assert len(read.sha256) == 64
    assert tape_of(path).sha256 == read.sha256
    assert len(tape_of(path, lambda asset: asset == "BTC")) == len(read)
    assert not len(tape_of(path, lambda asset: asset == "ETH"))


def test_the_markets_asked_for_are_scored_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = written(clustered(60.0, seed=1), tmp_path / "alone.csv")
    beside = tmp_path / "beside.csv"
    others = [line.replace("BTCUSDT", "ETHUSDT") for line in alone.read_text().splitlines()[1::3]]
    beside.write_text(alone.read_text() + "\n".join(others) + "\n")
    scores = []
    for source, symbols in ((alone, []), (beside, ["--symbols", "btc-usdt-swap"]), (beside, [])):
        assert main(["score", str(source), "--train-share", "0.6", "--json", *symbols]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    assert scores[1]["recording"] == "beside.csv (btc-usdt-swap)"
    assert scores[0]["models"] == scores[1]["models"] != scores[2]["models"]


def test_a_question_about_everything_needs_nothing_left_to_score_on() -> None:
    Question(source=Path("tape.csv"), train_share=1.0).check(whole=True)
