from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from liquake.engine.snapshot import Episode
from liquake.model import Side
from liquake.model.alert import Action, Alert, AlertRule, Level, TrackRecord
from liquake.storage.journal import Journal
from liquake.storage.notes import Course
from liquake.storage.reader import JournalReader
from tests.unit.storage.events import SECOND, START, liquidation

ALERT = Alert(
    key="JERK-BTCUSDT-LONG-1-WATCH",
    rule=AlertRule.JERK,
    level=Level.WATCH,
    ts=START,
    market="BTCUSDT",
    side=Side.LONG,
    venue="okx",
    text="BTCUSDT: jerk",
    inputs={"jerk_10s_per_s3": 2.5, "driver": "volatility"},
    coverage=">= okx",
    record=TrackRecord(3, 12, 4.5),
    action=Action("wait", "it is loud"),
    within_budget=False,
)
EPISODE = Episode("ETHUSDT", Side.SHORT, START, 1e6, START + SECOND, None, 7, 1.5e6, {"okx": 1.5e6}, 1.2e6, 0.25)
COURSE = Course(recalled=1, first=5, started=START, mode="LIVE", exchanges=("okx",), symbols=("BTC",), samples=True)


def test_alerts_and_episodes_come_back_equal(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        journal.note([ALERT], [EPISODE])
    with JournalReader(tmp_path / "j.db") as reader:
        assert reader.alerts(START) == [ALERT]
        assert reader.alerts(START + 1) == []
        assert reader.episodes(START + SECOND) == [EPISODE]
        assert reader.episodes(START + SECOND + 1) == []


def test_an_alert_is_kept_once_and_an_episode_as_it_was_last(tmp_path: Path) -> None:
    later = msgspec.structs.replace(EPISODE, end=START + 9 * SECOND, events=8)
    with Journal(tmp_path / "j.db") as journal:
        for episode in (EPISODE, EPISODE, later):
            journal.note([ALERT], [episode])
            journal.flush()
        # The alert three times, the episode only when it was another.
        assert journal.statistics().committed == 5
    with JournalReader(tmp_path / "j.db") as reader:
        assert (reader.alerts(0), reader.episodes(0)) == ([ALERT], [later])


def test_notes_take_no_number_from_the_events_and_stay_when_those_go(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        journal.record([liquidation(1)])
        journal.note([ALERT], [EPISODE])
        journal.record([liquidation(2)])
        journal.flush()
        assert journal.newest == 2
        journal.forget(2)
        while journal._forget:
            journal.flush()
    with JournalReader(tmp_path / "j.db") as reader:
        assert reader.counts()["events"] == 1
        assert reader.alerts(0) == [ALERT]


def test_the_course_is_that_of_the_last_who_began(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        journal.flush()
        with JournalReader(tmp_path / "j.db") as reader:
            assert reader.course() is None
        journal.begin(msgspec.structs.replace(COURSE, first=2))
        journal.begin(COURSE)
    with JournalReader(tmp_path / "j.db") as reader:
        assert reader.course() == COURSE


def test_a_journal_from_before_there_were_notes_has_none_and_gets_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([liquidation(1)])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE alerts; DROP TABLE episodes; PRAGMA user_version = 2")
    with JournalReader(path) as reader:
        assert (reader.alerts(0), reader.episodes(0)) == ([], [])
    with Journal(path) as journal:
        journal.note([ALERT], [])
    with JournalReader(path) as reader:
        assert reader.alerts(0) == [ALERT]
        assert reader.counts()["events"] == 1
