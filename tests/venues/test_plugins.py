"""A venue of somebody else's package is a venue like any other, and no file of liquake knows of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import liquake
from liquake.config import Settings
from tests.plugin import build, describe, write

VIEWS = get_args(get_type_hints(Settings)["view"])
FRAME = {
    "id": "7",
    "symbol": "BTC-PERP",
    "position": "short",
    "contracts": "10",
    "price": "50",
    "time": 1_790_000_000_000,
}
SIMULATED = "from liquake.simulate.registry import SERVERS; print(SERVERS['toy'].__name__)"


class Installed:
    """Commands run where a package lies on the path."""

    def __init__(self, package: Path, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIQUAKE_")}
        path = os.pathsep.join((str(package), str(Path(liquake.__file__).parents[1])))
        self._environment = {**kept, "PYTHONPATH": path, "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        self._environment |= {"COLUMNS": "120"}
        self._folder = package

    def python(self, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._environment,
            input=feed,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def liquake(self, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
        return self.python("-m", "liquake", *arguments, feed=feed)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(build(tmp_path_factory.mktemp("package")), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def session(toy: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of some seconds of its simulator, over real sockets."""
    journal = tmp_path_factory.mktemp("session") / "day.db"
    told = ["--scenario", "saturated", "--plain", "--duration", "5", "--journal", str(journal)]
    done = toy.liquake("demo", "--exchanges", "toy", "okx", *told)
    assert (done.returncode, done.stderr) == (0, "")
    assert "toy         complete: Every liquidation is published" in done.stdout
    return journal


def test_it_is_listed(toy: Installed) -> None:
    rows = {row["venue"]: row for row in json.loads(toy.liquake("venues", "--json").stdout)}
    assert (rows["toy"]["title"], rows["toy"]["coverage"]) == ("Toy Exchange", "COMPLETE")
    assert "Toy Exchange (toy)" in toy.liquake("venues").stdout


def test_its_frames_are_decoded(toy: Installed) -> None:
    answer = json.loads(toy.liquake("decode", "toy", feed=json.dumps({"type": "liquidations", "data": [FRAME]})).stdout)
    (event,) = answer["events"]
    assert (event["venue"], event["asset"], event["side"], event["price"]) == ("toy", "BTC", "SHORT", 50.0)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_names_it(toy: Installed, session: Path, view: str) -> None:
    done = toy.liquake("replay", str(session), "--view", view, "--plain", "--speed", "max")
    picture, _, _ = done.stdout.partition("\nSession")
    assert done.stderr == ""
    assert "toy" in picture.lower()


def test_it_stands_in_sums_and_exports(toy: Installed, session: Path) -> None:
    sums = json.loads(toy.liquake("replay", str(session), "--speed", "max", "--json").stdout)["by_venue"]
    rows = toy.liquake("export", "--journal", str(session), "--exchanges", "toy", "--format", "jsonl").stdout
    assert sums["toy"]["events"] == len(rows.splitlines()) > 10
    assert sums["toy"]["usd"] > 0.0


def test_a_recording_of_its_own_is_replayed_under_its_name(toy: Installed, tmp_path: Path) -> None:
    rows = ("ts_ms,venue,symbol,side,price,base_amount,usd", f"{FRAME['time']},toy_perpetuals,BTC-PERP,LONG,50,2,100")
    path = tmp_path / "toy.csv"
    path.write_text("\n".join(rows) + "\n")
    told = json.loads(toy.liquake("replay", str(path), "--speed", "max", "--json").stdout)
    assert told["by_venue"]["toy"]["usd"] == 100.0
    assert told["coverage"]["toy"]["promise"] == "COMPLETE"
    assert (told["coverage"]["toy"]["heard_share"], told["by_venue"]["toy"]["at_least"]) == (1.0, False)
    script = f"from pathlib import Path; from liquake.ingest.recording import read_csv; print(*read_csv(Path({str(path)!r})))"
    assert "PriceBasis.FILL" in toy.python("-c", script).stdout


def test_an_export_and_a_check_say_what_of_it_was_heard(toy: Installed, session: Path, tmp_path: Path) -> None:
    done = toy.liquake("export", "--journal", str(session), "--output", str(tmp_path / "toy.csv"))
    assert done.returncode == 0
    rows = {(row["venue"], row["market"]): row for row in json.loads((tmp_path / "toy.csv.coverage.json").read_text())}
    assert rows["toy", "BTCUSDT"]["coverage"] == "COMPLETE"
    assert rows["ALL", "BTCUSDT"]["at_least"]
    found = json.loads(toy.liquake("check", "--journal", str(session), "--json").stdout)
    assert {row["rule"] for row in found if row["place"].split()[:1] == ["toy"]} >= {
        "coverage",
        "gaps",
        "units",
        "prices",
    }


def test_the_doctor_examines_it(toy: Installed, tmp_path: Path) -> None:
    done = toy.liquake("doctor", "--exchanges", "toy", "--journal", str(tmp_path / "j.db"), "--json")
    [row] = json.loads(done.stdout)["venues"]
    assert row["venue"] == "toy"


def test_its_events_are_in_what_redis_serves(toy: Installed, session: Path) -> None:
    script = f"""
import json, msgspec
from pathlib import Path
from liquake.engine.engine import Engine
from liquake.storage.current import velocity
from liquake.storage.reader import read_journal
from liquake.venues import VENUES
engine = Engine({{name: VENUES[name].coverage for name in ("toy", "okx")}})
now = 0
for event in read_journal(Path({str(session)!r})):
    if event.venue == "toy":
        engine.apply(event)
    now = max(now, getattr(event, "ts_recv", 0))
keys = {{each.key: each.fields for each in velocity(engine.moment(now))}}
print(json.dumps([keys, json.loads(msgspec.json.encode(engine.snapshot(now).venues))]))
"""
    keys, venues = json.loads(toy.python("-c", script).stdout)
    told = keys["velocity:BTCUSDT:current"]
    assert (told["60s_events"] > 0, told["at_least"], told["coverage"]) == (True, 0, "COMPLETE")
    assert "toy" in {venue["venue"] for venue in venues if venue["events"]}


def test_it_passes_the_suite_that_its_page_gives_it(toy: Installed) -> None:
    done = toy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:textual-snapshot", "test_toy.py")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


def test_the_package_on_its_page_can_be_installed(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    source.mkdir()
    script = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    done = Installed(write(source), home).python("-c", script)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(source / done.stdout.split()[-1]) as wheel:
        wheel.extractall(home)
    listed = json.loads(Installed(home, home).liquake("venues", "--json").stdout)
    assert "toy" in {row["venue"] for row in listed}
    assert "ToyServer" in Installed(home, home).python("-c", SIMULATED).stdout


def test_its_module_may_be_imported_first(toy: Installed) -> None:
    done = toy.python("-c", "import toy_venue, toy_simulator; from liquake.venues import VENUES; print(*VENUES)")
    assert "toy" in done.stdout.split()
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no\\nlicence')", "no licence"),
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("class Broken: pass", "derived from Venue"),
        ("from liquake.venues import Venue\nclass Broken(Venue): name = 'broken'", "abstract"),
        ("from liquake.venues.okx import Okx\nclass Broken(Okx): pass", "called okx already"),
        ("assert False", "AssertionError"),
    ],
)
def test_one_that_cannot_be_used_costs_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "broken_venue.py").write_text(text)
    describe(tmp_path, "broken", {"liquake.venues": {"broken": "broken_venue:Broken"}})
    done = Installed(tmp_path, tmp_path).liquake("venues", "--json")
    assert done.returncode == 0
    assert "okx" in {row["venue"] for row in json.loads(done.stdout)}
    (line,) = done.stderr.splitlines()
    assert line.startswith("liquake: the plug-in broken_venue:Broken is left out: ")
    assert words in line


def test_a_simulator_that_cannot_be_used_costs_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken_server.py").write_text("class Broken: pass")
    describe(tmp_path, "broken", {"liquake.simulators": {"broken": "broken_server:Broken"}})
    done = Installed(tmp_path, tmp_path).python("-c", "from liquake.simulate.registry import SERVERS; print(*SERVERS)")
    assert "okx" in done.stdout.split()
    assert "broken_server:Broken is left out: it is not a class derived from VenueServer" in done.stderr
