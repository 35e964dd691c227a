"""The command line as a user meets it: a process, its output, its exit code."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from liquake.storage.reader import read_journal
from liquake.venues import VENUES

HEADER = "ts_ms,recv_ms,venue,symbol,side,price,base_amount,usd\n"


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """An environment whose data and settings folders are empty."""
    folders = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "100"}
    return {name: value for name, value in os.environ.items() if not name.startswith("LIQUAKE_")} | folders


def liquake(environment: dict[str, str], *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "liquake", *arguments],
        env=environment,
        input=feed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def recording(folder: Path, rows: int = 40) -> Path:
    """A short day of two markets."""
    lines = [
        f"{1_772_000_000_000 + 1700 * n},,okx_swap,{'BTC' if n % 3 else 'ETH'}-USDT-SWAP,"
        f"{'LONG' if n % 4 else 'SHORT'},{100 + n},{0.5 + n / 10},{(100 + n) * (0.5 + n / 10)}\n"
        for n in range(rows)
    ]
    file = folder / "recording.csv.gz"
    with gzip.open(file, "wt") as opened:
        opened.write(HEADER + "".join(lines))
    return file


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["monitor", "--symbols", "XYZ123", "--exchanges", "binance"], ["XYZ123", "BTC"]),
        (["monitor", "--symbols", "?!"], ["?!", "btc-usdt-swap"]),
        (["monitor", "--exchanges", "foo"], ["foo", "binance"]),
        (["--exchanges", "binance"], ["--exchanges", "liquake monitor --exchanges binance"]),
        (["monitor", "--refresh", "0"], ["refresh", "0.1"]),
        (["monitor", "--refresh", "soon"], ["soon", "a number", "0.1 to 60"]),
        (["monitor", "--duration", "-1"], ["-1", "above 0"]),
        (["monitor", "--source", "postgresql://host/x"], ["source 'postgresql://host/x'", "redis://", "journal"]),
        (["monitor", "--redis", "foo"], ["redis 'foo'", "redis://", "rediss://"]),
        (["collect", "--redis", "foo"], ["redis 'foo'", "redis://", "rediss://"]),
        (["collect", "--database", "foo"], ["database 'foo'", "postgresql://"]),
        (["analyze", "--redis", "foo"], ["redis 'foo'", "redis://", "rediss://"]),
        (["check", "--database", "redis://host"], ["database 'redis://host'", "postgresql://"]),
        (["doctor", "--redis", "http://host"], ["redis 'http://host'", "redis://"]),
        (["demo", "--scenario", "tsunami"], ["tsunami", "oct10"]),
        (["demo", "--symbols", "LTC", "--plain"], ["LTC", "BTC"]),
        (["replay", "absent.csv"], ["absent.csv"]),
        (["replay", "absent.csv", "--speed", "0"], ["--speed", "max"]),
        (["decode", "nowhere"], ["nowhere", "bybit"]),
        (["decode", "okx", "absent.jsonl"], ["absent.jsonl"]),
        (["dance"], ["dance", "--help"]),
        ([], ["COMMAND", "--help"]),
    ],
)
def test_a_bad_argument_gives_one_sentence_with_the_value_and_the_mend(
    elsewhere: dict[str, str], arguments: list[str], words: list[str]
) -> None:
    done = liquake(elsewhere, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert all(word in done.stderr for word in words)


def test_a_recording_without_a_needed_column_is_refused_by_name(elsewhere: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "half.csv"
    file.write_text("ts_ms,venue,symbol,side\n1,okx,BTC-USDT-SWAP,LONG\n")
    done = liquake(elsewhere, "replay", str(file), "--json")
    assert done.returncode == 2
    assert "base_amount" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def replayed(environment: dict[str, str], file: Path, *arguments: str) -> dict[str, Any]:
    done = liquake(environment, "replay", str(file), "--json", *arguments)
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_recording_gives_the_same_object_at_every_speed_and_refresh(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    file = recording(tmp_path)
    answers = [
        replayed(elsewhere, file, "--speed", speed, "--refresh", refresh)
        for speed, refresh in (("max", "2"), ("60", "0.1"), ("1000", "1"), ("max", "60"))
    ]
    assert answers[0]["events"] == 40
    assert all(answer == answers[0] for answer in answers)


def test_the_screen_as_text_ends_with_the_same_numbers(elsewhere: dict[str, str], tmp_path: Path) -> None:
    file = recording(tmp_path)
    answer = replayed(elsewhere, file, "--speed", "max")
    done = liquake(elsewhere, "replay", str(file), "--speed", "max", "--plain")
    assert done.returncode == 0
    assert answer["state_hash"] in done.stdout
    assert f"{answer['usd']:,.2f}" in done.stdout
    assert "\x1b" not in done.stdout


def test_only_the_markets_asked_for_are_replayed(elsewhere: dict[str, str], tmp_path: Path) -> None:
    answer = replayed(elsewhere, recording(tmp_path), "--speed", "max", "--symbols", "eth-usdt-swap")
    assert list(answer["by_market"]) == ["ETHUSDT"]
    assert answer["events"] == answer["by_market"]["ETHUSDT"]["events"] > 0


def test_a_recorded_day_adds_up(elsewhere: dict[str, str], shared: Path) -> None:
    file = shared / "data" / "okx_mar2026.csv.gz"
    answer = replayed(elsewhere, file, "--speed", "max")
    assert (answer["events"], answer["usd"]) == (5816, 27_526_274.61)
    assert (answer["by_side"]["LONG"]["events"], answer["by_side"]["SHORT"]["events"]) == (1812, 4004)
    bitcoin = answer["by_market"]["BTCUSDT"]["by_side"]
    assert (bitcoin["LONG"]["amount"], bitcoin["SHORT"]["amount"]) == (pytest.approx(46.7603), pytest.approx(79.5244))
    done = liquake(elsewhere, "replay", str(file), "--speed", "max", "--plain")
    words = ("5,816 events", "1,812 LONG and 4,004 SHORT", "$27,526,274.61", "46.7603 LONG and 79.5244 SHORT")
    assert all(word in done.stdout for word in words)


def test_decode_answers_each_line_in_order(elsewhere: dict[str, str], tmp_path: Path) -> None:
    order = {"s": "ETHUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "2", "p": "1990", "ap": "2000", "X": "FILLED"}
    frame = json.dumps(
        {"e": "forceOrder", "E": 1_700_000_000_500, "o": order | {"l": "2", "z": "2", "T": 1_700_000_000_000}}
    )
    lines = [frame, '{"result":null,"id":1}', "{broken", json.dumps({"raw": frame})]
    done = liquake(elsewhere, "decode", "binance", feed="\n".join(lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    event = {
        "venue": "binance",
        "instrument": "ETHUSDT",
        "asset": "ETH",
        "side": "LONG",
        "price": 2000.0,
        "price_basis": "FILL",
        "amount": 2.0,
        "usd": 4000.0,
        "ts_event_ms": 1_700_000_000_000,
    }
    assert [len(answer["events"]) for answer in answers] == [1, 0, 0, 1]
    assert [len(answer["errors"]) for answer in answers] == [0, 0, 1, 0]
    key = answers[0]["events"][0].pop("key")
    assert answers[0]["events"] == [event]
    assert answers[3]["events"][0]["key"] == key


def test_decode_needs_the_multiplier_to_name_a_size(elsewhere: dict[str, str], tmp_path: Path) -> None:
    detail = {"side": "buy", "posSide": "short", "bkPx": "50", "sz": "3", "ts": "1700000000000"}
    frame = json.dumps(
        {"arg": {"channel": "liquidation-orders"}, "data": [{"instId": "SOL-USDT-SWAP", "details": [detail]}]}
    )
    listed = {"instId": "SOL-USDT-SWAP", "ctVal": "0.5", "ctMult": "1", "ctType": "linear", "ctValCcy": "SOL"}
    file = tmp_path / "instruments.json"
    file.write_text(json.dumps({"code": "0", "data": [listed]}))
    without = json.loads(liquake(elsewhere, "decode", "okx", feed=frame).stdout)["events"][0]
    given = json.loads(liquake(elsewhere, "decode", "okx", "--instruments", str(file), feed=frame).stdout)["events"][0]
    assert (without["side"], without["amount"], without["usd"]) == ("SHORT", None, None)
    assert (given["amount"], given["usd"]) == (1.5, 75.0)


def test_the_list_is_of_the_venues_that_are_named_and_of_no_unknown_one(elsewhere: dict[str, str]) -> None:
    rows = json.loads(liquake(elsewhere, "venues", "--exchanges", "okx", "dydx", "--json").stdout)
    assert [row["venue"] for row in rows] == ["okx", "dydx"]
    done = liquake(elsewhere, "venues", "--exchanges", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere" in done.stderr


def test_venues_says_what_each_feed_means_and_leaves_out(elsewhere: dict[str, str]) -> None:
    text = liquake(elsewhere, "venues").stdout
    rows = json.loads(liquake(elsewhere, "venues", "--json").stdout)
    supported = [row for row in rows if row["supported"]]
    others = [row for row in rows if not row["supported"]]
    assert [row["venue"] for row in supported] == list(VENUES)
    assert {"kucoin", "backpack", "gmx"} <= {row["venue"] for row in others}
    assert all(row["title"] in text and row["why"] and row["source"].startswith("https://") for row in others)
    for row in supported:
        assert row["title"] in text
        assert all(
            row[name] for name in ("coverage", "contains", "channel", "side", "unit", "price", "history", "source")
        )


def test_doctor_without_a_network_says_so_in_a_sentence(elsewhere: dict[str, str]) -> None:
    nowhere = {"LIQUAKE_ENDPOINTS": "binance=http://127.0.0.1:9"}
    done = liquake(elsewhere | nowhere, "doctor", "--exchanges", "binance")
    assert done.returncode == 1
    assert "network" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "binance      unreachable: cannot connect" in done.stdout


def test_the_demo_collects_over_real_sockets_and_leaves_its_statistics(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    journal = tmp_path / "demo.db"
    told = ["--scenario", "saturated", "--plain", "--refresh", "1", "--duration", "6", "--journal", str(journal)]
    done = liquake(elsewhere, "demo", *told)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "WHAT THE FEEDS DO NOT CONTAIN" in done.stdout
    kept = list(read_journal(journal))
    answer = replayed(elsewhere, journal, "--speed", "max")
    assert answer["events"] > 20
    assert set(answer["by_venue"]) == {"binance", "bybit", "okx"}
    assert answer["state_hash"] in done.stdout
    assert len(kept) > answer["events"]


def test_a_signal_ends_the_demo_with_its_statistics_and_nothing_left_running(elsewhere: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "liquake", "demo", "--plain", "--refresh", "0.5"],
        env=elsewhere,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        next(line for line in lines if "live" in line)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        simulator = children.read_text().split() if children.exists() else []
        process.send_signal(signal.SIGINT)
        rest = "".join(lines)
        assert process.wait(timeout=20) == 0
    assert "Session" in rest
    deadline = time.monotonic() + 5.0
    while any(Path(f"/proc/{child}").exists() for child in simulator):
        assert time.monotonic() < deadline, f"still running: {simulator}"
