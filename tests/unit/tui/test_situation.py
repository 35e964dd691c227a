"""No state leaves a reader guessing whether the market or the program is silent."""

from __future__ import annotations

import msgspec
import pytest

from liquake.engine.snapshot import ConnectionState, Snapshot
from liquake.model import FeedState
from liquake.tui.picture import Picture, View
from liquake.tui.situation import situation
from liquake.tui.status import JournalStatus, Status
from liquake.tui.theme import load_theme
from tests.screens.moments import LIVE, NOTHING, REPLAY, RICH, SUBSCRIBED, ago, feed

ALIVE = tuple(
    msgspec.structs.replace(feed(name), last_liquidation=ago(5.0))
    for name in ("binance", "bybit", "okx", "hyperliquid")
)
HEALTHY = msgspec.structs.replace(RICH, venues=ALIVE)


def _situation(snapshot: Snapshot = HEALTHY, status: Status = LIVE) -> tuple[str, str]:
    found = situation(Picture(snapshot, status, View(), load_theme("dark")))
    return found.word, found.sentence


def test_a_busy_market_on_healthy_feeds_needs_no_word() -> None:
    assert _situation() == ("", "")


def test_before_a_feed_is_live_silence_means_nothing() -> None:
    assert _situation(NOTHING)[0] == "CONNECTING"


@pytest.mark.parametrize(("heartbeat", "words"), [(31.0, "the last was heard 31 s ago"), (None, "none has been heard")])
def test_once_every_feed_is_lost_nothing_shown_is_of_now(heartbeat: float | None, words: str) -> None:
    lost = (feed("okx", FeedState.STALE, heartbeat=heartbeat), feed("bybit", FeedState.CONNECTING, heartbeat=None))
    word, sentence = _situation(msgspec.structs.replace(RICH, venues=lost))
    assert (word, words in sentence) == ("CUT OFF", True)


@pytest.mark.parametrize(
    ("reasons", "told"), [(("nobody writes there",) * 2, True), (("it broke", "refused"), False), (("", ""), False)]
)
def test_what_all_feeds_were_lost_by_is_said(reasons: tuple[str, str], told: bool) -> None:
    lost = tuple(
        msgspec.structs.replace(held, connections=(ConnectionState("redis", FeedState.DISCONNECTED, 1, reason),))
        for held, reason in zip(ALIVE[:2], reasons, strict=True)
    )
    sentence = _situation(msgspec.structs.replace(RICH, venues=lost))[1]
    assert (f"All of them: {reasons[0]}." in sentence) is told
    assert ("All of them" in sentence) is told


def test_a_feed_in_trouble_is_named_with_its_age() -> None:
    assert _situation(RICH) == ("DEGRADED", "okx STALE for 12 s. The other numbers go on.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"redis": "away for 12 s"}, "redis away for 12 s"),
        ({"database": "down"}, "database down"),
        ({"journal": JournalStatus(error="disk full")}, "the journal keeps nothing"),
        ({"fault": "ValueError('x')"}, "the engine failed (ValueError('x')), please report it"),
    ],
)
def test_what_keeps_the_data_is_named_when_it_does_not(change: dict[str, object], words: str) -> None:
    word, sentence = _situation(status=msgspec.structs.replace(LIVE, **change))
    assert (word, words in sentence) == ("DEGRADED", True)


def test_the_first_minute_is_warming_up() -> None:
    young = msgspec.structs.replace(HEALTHY, started=ago(20.0))
    assert _situation(young) == ("WARMING UP", "Watching for 20 s: windows longer than that still fill.")


def test_quiet_is_proved_by_every_feeds_heartbeat() -> None:
    silent = tuple(msgspec.structs.replace(each, last_liquidation=ago(185.0)) for each in ALIVE)
    word, sentence = _situation(msgspec.structs.replace(HEALTHY, venues=silent))
    assert word == "QUIET 3m05s"
    assert sentence.count("heard 0.4 s ago, price 0.4 s") == 4


def test_a_feed_still_on_its_way_is_no_proof_of_quiet() -> None:
    on_its_way = (*ALIVE[:3], feed("hyperliquid", FeedState.DISCONNECTED))
    assert _situation(msgspec.structs.replace(HEALTHY, venues=on_its_way))[0] == "DEGRADED"


def test_a_recording_needs_no_connections_and_says_when_it_is_over() -> None:
    bare = msgspec.structs.replace(HEALTHY, venues=tuple(msgspec.structs.replace(v, connections=()) for v in ALIVE))
    assert _situation(bare, REPLAY)[0] == ""
    assert _situation(bare, msgspec.structs.replace(REPLAY, ended=True))[0] == "ENDED"


def test_half_connected_is_degraded() -> None:
    assert _situation(SUBSCRIBED)[0] == "DEGRADED"
