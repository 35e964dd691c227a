"""What each panel says, and that it never says more than it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from liquake.engine.snapshot import Quantiles, Snapshot, Sum
from liquake.model import FeedState, PriceBasis, Side
from liquake.tui.pages import PAGES
from liquake.tui.panels.activity import activity
from liquake.tui.panels.footer import footer
from liquake.tui.panels.header import header
from liquake.tui.panels.tabs import tabs
from liquake.tui.panels.tape import bar, recent, tape
from liquake.tui.panels.velocity import velocity
from liquake.tui.picture import Panel, Picture, View
from liquake.tui.status import JournalStatus, Status
from liquake.tui.theme import Glyphs, load_theme
from tests.screens.moments import ATTACHED, DEMO, LIVE, NOTHING, REPLAY, RICH, SUBSCRIBED, ago, feed, liquidation

if TYPE_CHECKING:
    from rich.text import Text

DARK = load_theme("dark")
PANELS: tuple[Panel, ...] = (header, footer, tabs, *(draw for page in PAGES.values() for draw in page.panels.values()))


def _picture(snapshot: Snapshot = RICH, status: Status = DEMO, **view: object) -> Picture:
    return Picture(snapshot, status, View(**view), DARK)  # type: ignore[arg-type]


def _drawn(panel: Panel, picture: Picture, width: int, height: int) -> Text:
    return panel(picture, width, height).text(height)


def _lines(panel: Panel, picture: Picture, width: int = 118, height: int = 30) -> list[str]:
    return _drawn(panel, picture, width, height).plain.split("\n")


def _line(lines: list[str], *words: str) -> str:
    return next(line for line in lines if all(word in line for word in words))


def _style(text: Text, word: str) -> str:
    at = text.plain.index(word)
    return " ".join(str(span.style) for span in text.spans if span.start <= at < span.end)


@pytest.mark.parametrize("snapshot", [RICH, SUBSCRIBED, NOTHING], ids=["rich", "subscribed", "nothing"])
@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
@pytest.mark.parametrize("room", [(1, 1), (20, 4), (78, 6), (118, 12), (300, 80)], ids=str)
def test_a_panel_keeps_to_its_room(panel: Panel, snapshot: Snapshot, room: tuple[int, int]) -> None:
    drawn = _drawn(panel, _picture(snapshot), *room)
    assert len(drawn.split("\n")) <= room[1]
    assert max(line.cell_len for line in drawn.split("\n")) <= room[0]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_drawing_twice_gives_the_same(panel: Panel) -> None:
    assert _drawn(panel, _picture(), 118, 20) == _drawn(panel, _picture(), 118, 20)


@pytest.mark.parametrize("page", ["monitor", "overview", "cumulative", "glance", "charts"])
def test_no_page_shows_noughts_for_a_market_that_is_not_in_the_picture(page: str) -> None:
    status = msgspec.structs.replace(DEMO, missing="the collector has been asked for them")
    held = msgspec.structs.replace(RICH, charts={})
    picture = _picture(held, status, page=page, market="SOLUSDT")
    text = "\n".join(line for draw in PAGES[page].panels.values() for line in _lines(draw, picture))
    assert "not in this picture: the collector has been asked for them." in text


class TestVelocity:
    def test_a_number_that_chance_explains_is_dim_and_without_an_arrow(self) -> None:
        row = _line(_lines(velocity, _picture()), "  2 s")
        assert "▲      +7.3 ±1.6" in row
        assert "        +2.4 ±1.4" in row
        assert _style(_drawn(velocity, _picture(), 118, 9), "+2.4") == str(DARK["muted"])
        assert _style(_drawn(velocity, _picture(), 118, 9), "+7.3") == str(DARK["strong"])

    def test_a_fall_has_the_other_arrow(self) -> None:
        rows = RICH.kinematics["ALL"]
        motion = rows[2].counts
        falling = msgspec.structs.replace(
            rows[2],
            counts=msgspec.structs.replace(
                motion, acceleration=msgspec.structs.replace(motion.acceleration, value=-motion.acceleration.value)
            ),
        )
        snapshot = msgspec.structs.replace(RICH, kinematics={"ALL": (falling,)})
        assert "▼      -7.3 ±1.6" in _line(_lines(velocity, _picture(snapshot)), "  2 s")

    def test_too_few_events_are_said_in_a_word_or_a_sign(self) -> None:
        assert "too few events" in _line(_lines(velocity, _picture()), "100 ms")
        assert "?    9.4" in _line(_lines(velocity, _picture(), 78), "100 ms")

    def test_without_events_no_error_is_claimed(self) -> None:
        row = _line(_lines(velocity, _picture(market="ETHUSDT"), 78), "10 s")
        assert row.split() == ["10", "s", "0", "?", "0", "?", "0", "?", "0", "STABLE"]

    def test_how_the_stream_moves_is_a_word_that_the_smallest_terminal_shows(self) -> None:
        rows = _lines(velocity, _picture(), 78)[2:7]
        assert [row.split()[-1] for row in rows] == ["STABLE", "NORMAL", "ACTIVE", "RAPID", "EXPLOSIVE"]

    def test_a_window_longer_than_the_session_is_still_filling(self) -> None:
        young = msgspec.structs.replace(RICH, started=ago(16.0))
        assert "filling, 25%" in _line(_lines(velocity, _picture(young)), " 60 s")

    def test_a_market_that_is_not_in_the_picture_is_not_said_to_be_quiet(self) -> None:
        assert "are not in this picture: the next picture has them." in _lines(velocity, _picture(market="SOLUSDT"))[2]

    def test_the_moment_described_is_told(self) -> None:
        assert "as of 1.0 s ago" in _lines(velocity, _picture())[0]


class TestActivity:
    def test_sums_of_a_throttled_feed_are_at_least(self) -> None:
        assert "≥$40.1M" in _line(_lines(activity, _picture()), "binance", "BTCUSDT")
        assert "≥" not in _line(_lines(activity, _picture()), "bybit", "BTCUSDT")

    def test_an_unknown_size_is_never_zero(self) -> None:
        row = _line(_lines(activity, _picture()), "okx", "DOGEUSDT")
        assert "size unknown" in row
        assert row.split()[8:10] == ["unknown", "unknown"]

    def test_a_stale_feed_says_since_when_and_why(self) -> None:
        row = _line(_lines(activity, _picture()), "STALE")
        assert row == "! okx         STALE for 12 s (no price for 30 s); last heartbeat 42 s ago"

    def test_a_quiet_feed_proves_that_it_lives(self) -> None:
        row = _line(_lines(activity, _picture(SUBSCRIBED, LIVE)), "binance")
        assert row == "≥ binance     waiting: no liquidation so far; last heartbeat 0.4 s ago"

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (FeedState.CONNECTING, "connecting"),
            (FeedState.CONNECTED, "subscribing"),
            (FeedState.DISCONNECTED, "DOWN for 3.0 s"),
            (FeedState.DARK, "DARK for 3.0 s"),
            (FeedState.REJECTED, "REFUSED for 3.0 s"),
        ],
    )
    def test_connecting_dead_and_quiet_read_differently(self, state: FeedState, words: str) -> None:
        snapshot = msgspec.structs.replace(SUBSCRIBED, venues=(feed("binance", state, since=3.0),))
        assert words in _line(_lines(activity, _picture(snapshot)), "binance")

    def test_a_sample_that_is_in_no_sum_shows_no_sum(self) -> None:
        entry = msgspec.structs.replace(RICH.activity[3], hour=Sum(), hour_long=Sum(), hour_short=Sum())
        row = _line(_lines(activity, _picture(msgspec.structs.replace(RICH, activity=(entry,))), 78), "hyperliquid")
        assert row.split()[-2:] == ["-", "-"]

    def test_words_of_a_venue_cannot_reach_the_terminal_as_commands(self) -> None:
        hostile = feed("okx", FeedState.REJECTED, reason="no\x1b[2J such\ntopic\u202e")
        drawn = _drawn(activity, _picture(msgspec.structs.replace(RICH, venues=(hostile,), activity=())), 118, 8).plain
        assert "no?[2J such?topic?" in drawn

    def test_what_has_no_room_is_counted(self) -> None:
        assert "1-3 of 9" in _lines(activity, _picture(), 78, 6)[0]

    def test_a_feed_in_trouble_keeps_its_line_in_the_smallest_room(self) -> None:
        assert any("STALE" in line for line in _lines(activity, _picture(), 78, 4))


class TestTape:
    def test_only_what_reaches_the_threshold_is_shown_and_the_rest_counted(self) -> None:
        lines = _lines(tape, _picture(threshold=1e6))
        assert "from $1.00M · of 10: 7 smaller" in lines[0]
        assert [line.split()[1] for line in lines[2:5]] == ["binance", "binance", "okx"]

    def test_an_unknown_size_passes_every_threshold(self) -> None:
        assert any("size unknown" in line for line in _lines(tape, _picture(threshold=1e7)))

    def test_the_filter_is_visible_and_counts_what_it_hides(self) -> None:
        assert 'only "okx long" · of 10: 9 filtered out' in _lines(tape, _picture(filter="okx long"))[0]

    def test_a_filter_that_nothing_matches_names_itself(self) -> None:
        assert any('matches "xrp"' in line for line in _lines(tape, _picture(filter="xrp")))

    @pytest.mark.parametrize(
        ("threshold", "mend"),
        [
            (0.0, 'matches "xrp >5k": / takes words of venue, market and side.'),
            (1e7, 'matches "xrp >5k" and reaches $10.0M: - lowers the bar, / filters.'),
        ],
    )
    def test_what_hides_every_line_is_said_with_its_mend(self, threshold: float, mend: str) -> None:
        assert any(mend in line for line in _lines(tape, _picture(filter="xrp >5k", threshold=threshold)))

    def test_the_newest_is_first_and_nothing_twice(self) -> None:
        entries = recent(RICH)
        assert len(entries) == len(RICH.tape)
        assert [entry.ts_event for entry in entries] == sorted((entry.ts_event for entry in entries), reverse=True)

    def test_the_largest_of_the_hour_stay_after_the_latest_have_moved_on(self) -> None:
        later = msgspec.structs.replace(RICH, tape=RICH.tape[:1])
        assert any("$1.24M" in line for line in _lines(tape, _picture(later)))

    @pytest.mark.parametrize(
        ("basis", "letter"),
        [(PriceBasis.FILL, "F"), (PriceBasis.BANKRUPTCY, "B"), (PriceBasis.LIMIT, "L"), (PriceBasis.ENTRY, "E")],
    )
    def test_the_price_says_what_it_is_the_price_of(self, basis: PriceBasis, letter: str) -> None:
        entry = liquidation("bybit", "BTC", Side.LONG, 66_000.0, 1.0, 1.0, basis)
        row = _line(_lines(tape, _picture(msgspec.structs.replace(RICH, tape=(entry,), largest=()))), "66,000")
        assert f"66,000.0 {letter}" in row

    @pytest.mark.parametrize(("side", "token"), [(Side.LONG, "side.long"), (Side.SHORT, "side.short")])
    def test_the_side_has_its_word_and_its_colour(self, side: Side, token: str) -> None:
        entry = liquidation("bybit", "BTC", side, 66_000.0, 0.2, 1.0)
        drawn = _drawn(tape, _picture(msgspec.structs.replace(RICH, tape=(entry,), largest=())), 118, 6)
        assert _style(drawn, side.value) == str(DARK[token])

    def test_a_sample_is_marked(self) -> None:
        assert _line(_lines(tape, _picture()), "hyperliquid").startswith("~")

    def test_the_bar_grows_with_the_size_and_an_unknown_size_has_none(self) -> None:
        lengths = [len(bar(usd, Glyphs())) for usd in (1e3, 1e4, 1e5, 1e6, 1e7, 1e9)]
        assert lengths == sorted(lengths)
        assert lengths[0] == 0
        assert lengths[-2:] == [10, 10]
        assert bar(None, Glyphs()) == ""


class TestHeader:
    def test_simulated_events_cannot_be_taken_for_the_market(self) -> None:
        assert "DEMO simulated: oct10 seed 7" in _lines(header, _picture())[0]
        assert "DEMO simulated" in _lines(header, _picture(), 78)[0]

    def test_a_replay_tells_file_speed_progress_and_day(self) -> None:
        lines = _lines(header, _picture(RICH, REPLAY), 78)
        assert "REPLAY march.csv.gz 60x 43%" in lines[0]
        assert lines[1].endswith("  11-20 14:03 UTC")

    def test_a_recording_without_connections_is_neither_live_nor_connecting(self) -> None:
        bare = tuple(msgspec.structs.replace(each, connections=()) for each in RICH.venues)
        venues = _lines(header, _picture(msgspec.structs.replace(RICH, venues=bare), REPLAY), 78)[1]
        assert venues.startswith("○ binance recorded  ○ bybit recorded")

    def test_a_replay_as_fast_as_it_goes_and_one_that_is_over(self) -> None:
        fast = msgspec.structs.replace(REPLAY, speed=None)
        assert "march.csv.gz max 43%" in _lines(header, _picture(RICH, fast))[0]
        assert "march.csv.gz ended" in _lines(header, _picture(RICH, msgspec.structs.replace(fast, ended=True)))[0]

    def test_an_old_price_says_how_old(self) -> None:
        price = msgspec.structs.replace(RICH.prices["BTCUSDT"], ts_recv=ago(95.0))
        late = msgspec.structs.replace(RICH, prices={"BTCUSDT": price})
        assert "$66,851.2 binance 1m35s old" in _lines(header, _picture(late))[0]

    def test_each_venue_has_a_sign_and_a_word(self) -> None:
        venues = _lines(header, _picture(), 78)[1]
        assert venues.startswith("● binance live  ● bybit live  ! okx STALE  ● hyperliquid live")

    def test_of_many_venues_those_in_trouble_are_named_and_the_others_counted(self) -> None:
        names = ("aster", "bitget", "bitmex", "deribit", "gate", "kraken", "lighter")
        venues = (*RICH.venues, *(msgspec.structs.replace(RICH.venues[0], venue=name) for name in names))
        lines = _lines(header, _picture(msgspec.structs.replace(RICH, venues=venues)), 78)
        assert lines[1].startswith("! okx STALE  ● 10 live  binance  bybit  hyperliquid")
        assert lines[1].endswith("UTC")


class TestFooter:
    def test_what_was_not_measured_is_not_zero(self) -> None:
        silent = msgspec.structs.replace(RICH, latency=Quantiles())
        assert "venue→us not measured" in _lines(footer, _picture(silent))[0]

    def test_lost_rows_and_a_failed_journal_come_first(self) -> None:
        losing = msgspec.structs.replace(DEMO, journal=JournalStatus(10, 0, 7))
        failed = msgspec.structs.replace(DEMO, journal=JournalStatus(10, 0, 0, error="disk is full"))
        assert "7 LOST" in _lines(footer, _picture(RICH, losing), 78)[1]
        assert _lines(footer, _picture(RICH, failed), 78)[1].startswith("journal FAILED: disk is full")

    @pytest.mark.parametrize("width", [78, 98, 118])
    def test_everything_has_its_place_at_every_width(self, width: int) -> None:
        how, what = _lines(footer, _picture(), width)[:2]
        assert all(word in how for word in ("venue→us 540 ms/1.0 s", "us→state 0.08 ms/0.42 ms", "gaps 1"))
        assert all(word in what for word in ("journal 2,366 kept", "redis off", " off  signals 6 shown", "engine 184"))

    def test_the_journal_of_another_process_is_not_called_off(self) -> None:
        assert _lines(footer, _picture(RICH, ATTACHED), 98)[1].startswith("journal the collector's  redis from")

    def test_a_journal_that_failed_leaves_room_for_the_stores_at_any_length(self) -> None:
        why = "~/journal.db: another liquake writes it (process 12345): look at it with --source ~/journal.db"
        failed = msgspec.structs.replace(DEMO, journal=JournalStatus(error=why), redis="DOWN, 12 to send")
        what = _lines(footer, _picture(RICH, failed), 78)[1]
        assert what.startswith("journal FAILED: ~/journal.db: another")
        assert "redis DOWN, 12 to send" in what

    def test_the_last_error_is_told_where_there_is_room(self) -> None:
        assert _lines(footer, _picture(), 170)[0].endswith("okx: sz is not a number: 'abc'")

    def test_rows_that_wait_too_long_for_the_disk_are_told(self) -> None:
        stuck = msgspec.structs.replace(DEMO, journal=JournalStatus(10, 3, 0, ago(8.0)))
        assert "3 pending for 8.0 s" in _lines(footer, _picture(RICH, stuck))[1]
        idle = msgspec.structs.replace(DEMO, journal=JournalStatus(10, 0, 0, ago(8.0)))
        assert "8.0 s" not in _lines(footer, _picture(RICH, idle))[1]
