"""Every key, on a running application."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from rich.style import Style
from rich.text import Text
from textual import events
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static

from liquake.clock import ManualClock
from liquake.engine.snapshot import ALL, TOTAL_WINDOWS
from liquake.ingest.recording import read_csv
from liquake.model.alert import Alert, Level
from liquake.tui.app import MonitorApp, Options
from liquake.tui.help import EXPLANATIONS, Help, help_text
from liquake.tui.pages import PAGES, Page
from liquake.tui.palettes import PALETTES
from liquake.tui.panel import PanelWidget
from liquake.tui.panels.tape import recent
from liquake.tui.picture import THRESHOLDS
from tests.screens.moments import ALERTS, REPLAY, RICH, SECOND
from tests.screens.scene import EngineSource
from tests.screens.sources import FixedSource

if TYPE_CHECKING:
    from textual.pilot import Pilot


@asynccontextmanager
async def _running(source: FixedSource | None = None, refresh: float = 3600.0) -> AsyncIterator[Pilot[None]]:
    app = MonitorApp(source or FixedSource(), Options(refresh=refresh))
    async with app.run_test(size=(120, 40)) as pilot:
        yield pilot


def _app(pilot: Pilot[None]) -> MonitorApp:
    assert isinstance(pilot.app, MonitorApp)
    return pilot.app


def _shown(pilot: Pilot[None], panel: str) -> str:
    around = {"header", "footer", "tabs"}
    place = f"#{panel}" if panel in around else f"#page-{_app(pilot).view.page} #{panel}"
    drawn = pilot.app.screen_stack[0].query_one(place, PanelWidget).render()
    assert isinstance(drawn, Text)
    return drawn.plain


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_leaving_returns_normally(key: str) -> None:
    async with _running() as pilot:
        await pilot.press(key)
    assert pilot.app.return_code == 0


async def test_p_freezes_the_picture_and_tells_its_age() -> None:
    source = FixedSource()
    async with _running(source) as pilot:
        await pilot.press("p")
        source.advance(12.0, events=100)
        _app(pilot).look_again()
        await pilot.pause()
        assert "PAUSED, 12 s old" in _shown(pilot, "header")
        assert "00:12:34" in _shown(pilot, "header")
        assert "2,369 events" in _shown(pilot, "header")


async def test_p_again_shows_what_happened_meanwhile() -> None:
    source = FixedSource()
    async with _running(source) as pilot:
        await pilot.press("p")
        source.advance(12.0, events=100)
        await pilot.press("p")
        assert "PAUSED" not in _shown(pilot, "header")
        assert "2,469 events" in _shown(pilot, "header")


async def test_the_keys_that_stop_and_start_a_terminal_hold_the_picture_and_do_not_leave() -> None:
    async with _running() as pilot:
        seen = []
        for key in ("ctrl+s", "ctrl+s", "ctrl+q", "ctrl+q"):
            await pilot.press(key)
            seen.append(_app(pilot).view.paused)
        assert seen == [True, True, False, False]
        assert pilot.app.is_running


async def test_a_frozen_picture_still_follows_the_other_keys() -> None:
    async with _running() as pilot:
        await pilot.press("p", "u")
        assert "dollars" in _shown(pilot, "velocity")


async def test_u_switches_between_events_and_dollars() -> None:
    async with _running() as pilot:
        assert "$149k" not in _shown(pilot, "velocity")
        await pilot.press("u")
        assert "$149k" in _shown(pilot, "velocity")
        await pilot.press("u")
        assert "$149k" not in _shown(pilot, "velocity")


async def test_m_goes_through_all_markets_and_round() -> None:
    async with _running() as pilot:
        seen = []
        for _ in range(len(RICH.markets) + 1):
            await pilot.press("m")
            seen.append(_app(pilot).view.market)
        assert seen == [*RICH.markets, ALL]


async def test_shift_m_goes_the_other_way() -> None:
    async with _running() as pilot:
        await pilot.press("M")
        assert _app(pilot).view.market == RICH.markets[-1]


async def test_a_chosen_market_limits_activity_but_not_the_tape() -> None:
    async with _running() as pilot:
        await pilot.press("m")
        assert "ETHUSDT" not in _shown(pilot, "activity")
        assert "ETHUSDT" in _shown(pilot, "tape")


@pytest.mark.parametrize(("key", "expected"), [("plus", "$25.0k"), ("equals_sign", "$25.0k"), ("minus", "$5.00k")])
async def test_plus_and_minus_move_the_threshold_of_the_tape(key: str, expected: str) -> None:
    async with _running() as pilot:
        await pilot.press(key)
        assert f"from {expected}" in _shown(pilot, "tape")


async def test_the_threshold_stops_at_both_ends() -> None:
    async with _running() as pilot:
        await pilot.press(*["minus"] * 20)
        assert _app(pilot).view.threshold == THRESHOLDS[0]
        await pilot.press(*["plus"] * 20)
        assert _app(pilot).view.threshold == THRESHOLDS[-1]


async def test_slash_filters_the_tape_letter_by_letter_and_enter_keeps_it() -> None:
    async with _running() as pilot:
        await pilot.press("slash", *"eth")
        assert 'only "eth"' in _shown(pilot, "tape")
        assert "BTCUSDT" not in _shown(pilot, "tape")
        await pilot.press("enter", "q")
        assert _app(pilot).view.filter == "eth"
    assert pilot.app.return_code == 0


async def test_keys_typed_into_the_filter_are_letters() -> None:
    async with _running() as pilot:
        await pilot.press("slash", "q", "m", "p", "u")
        view = _app(pilot).view
        assert (view.filter, view.market, view.paused, view.dollars) == ("qmpu", ALL, False, False)


async def test_escape_while_filtering_restores_the_filter_before() -> None:
    async with _running() as pilot:
        await pilot.press("slash", *"eth", "enter", "slash", *" short", "escape")
        assert _app(pilot).view.filter == "eth"


@pytest.mark.parametrize("key", ["escape", "question_mark", "enter", "q"])
async def test_question_mark_explains_until_it_is_closed(key: str) -> None:
    async with _running() as pilot:
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, Help)
        await pilot.press(key)
        assert not isinstance(pilot.app.screen, Help)


async def test_the_help_scrolls_by_key_where_it_does_not_fit() -> None:
    async with _running() as pilot:
        await pilot.resize_terminal(80, 24)
        await pilot.press("question_mark", "end")
        await pilot.pause()
        page = pilot.app.screen.query_one(VerticalScroll)
        assert page.scroll_target_y == page.max_scroll_y > 0


async def test_ctrl_c_leaves_from_the_help_too() -> None:
    async with _running() as pilot:
        await pilot.press("question_mark", "ctrl+c")
    assert pilot.app.return_code == 0


async def test_escape_undoes_one_choice_at_a_time() -> None:
    async with _running() as pilot:
        await pilot.press("m", "slash", *"okx", "enter", "p")
        steps = []
        for _ in range(3):
            await pilot.press("escape")
            view = _app(pilot).view
            steps.append((view.filter, view.paused, view.market))
        assert steps == [("", True, "BTCUSDT"), ("", False, "BTCUSDT"), ("", False, ALL)]


async def test_the_source_is_asked_at_the_readers_pace() -> None:
    source = FixedSource()
    async with _running(source, refresh=0.05) as pilot:
        source.advance(1.0, events=1)
        for _ in range(100):
            await pilot.pause(0.05)
            if "2,370 events" in _shown(pilot, "header"):
                break
        assert "2,370 events" in _shown(pilot, "header")


async def test_choices_survive_a_resize() -> None:
    async with _running() as pilot:
        await pilot.press("u", "m")
        await pilot.resize_terminal(80, 24)
        assert "BTCUSDT · dollars" in _shown(pilot, "velocity")


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60), (40, 10)])
async def test_no_panel_draws_beyond_its_room(size: tuple[int, int]) -> None:
    app = MonitorApp(FixedSource(), Options(refresh=3600.0))
    async with app.run_test(size=size):
        for panel in app.query(PanelWidget):
            drawn = panel.render()
            assert len(drawn.split("\n")) <= max(panel.size.height, 1)
            assert max(line.cell_len for line in drawn.split("\n")) <= panel.size.width


@asynccontextmanager
async def _running_scene(size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    app = MonitorApp(EngineSource(), Options(refresh=3600.0))
    async with app.run_test(size=size) as pilot:
        yield pilot


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
async def test_a_number_opens_its_page(page: Page) -> None:
    async with _running_scene() as pilot:
        await pilot.press("2", page.key)
        assert _app(pilot).view.page == page.name
        for name in page.panels:
            if name != "outlook":
                assert pilot.app.query_one(f"#page-{page.name} #{name}").display
                assert _shown(pilot, name).strip()


async def test_escape_goes_back_through_the_pages() -> None:
    async with _running_scene() as pilot:
        await pilot.press("2", "4", "6")
        seen = []
        for _ in range(4):
            await pilot.press("escape")
            seen.append(_app(pilot).view.page)
        assert seen == ["tape", "overview", "monitor", "monitor"]


async def test_what_was_chosen_and_scrolled_survives_other_pages_and_a_resize() -> None:
    async with _running_scene((80, 24)) as pilot:
        await pilot.press("4", "right_square_bracket", "plus", *["j"] * 5)
        scrolled = _shown(pilot, "prints")
        await pilot.press("1", "5", "4")
        await pilot.resize_terminal(120, 40)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert _shown(pilot, "prints") == scrolled


@pytest.mark.parametrize(
    ("down", "up"), [("down", "up"), ("j", "k"), ("pagedown", "pageup"), ("end", "home"), ("G", "g")]
)
async def test_rows_scroll_to_the_end_and_back(down: str, up: str) -> None:
    async with _running_scene((80, 24)) as pilot:
        await pilot.press("4")
        top = _shown(pilot, "prints")
        await pilot.press(down)
        assert _shown(pilot, "prints") != top
        await pilot.press(*[down] * 3, "end", up, "home")
        assert _shown(pilot, "prints") == top


async def test_a_step_beyond_the_end_is_not_remembered() -> None:
    async with _running_scene((80, 24)) as pilot:
        await pilot.press("4", "end")
        end = _shown(pilot, "prints")
        await pilot.press(*["down"] * 5, "up", "down")
        assert _shown(pilot, "prints") == end


async def test_tab_gives_each_panel_the_focus_and_escape_takes_it() -> None:
    async with _running_scene() as pilot:
        focused = []
        for _ in range(7):
            await pilot.press("tab")
            assert pilot.app.focused is not None
            focused.append(pilot.app.focused.id)
        assert focused == ["velocity", "cascade-risk", "activity", "regime", "correlation", "alerts", "tape"]
        await pilot.press("escape")
        assert pilot.app.focused is None


async def test_help_is_of_the_panel_with_the_focus() -> None:
    async with _running_scene() as pilot:
        await pilot.press("tab", "tab", "tab", "question_mark")
        explained = help_text(_app(pilot).look, ("activity",)).plain
        assert str(pilot.app.screen.query_one(Static).content) == explained
        assert explained.startswith("Exchange activity\n")


async def test_every_panel_is_explained() -> None:
    assert {name for page in PAGES.values() for name in page.panels} <= set(EXPLANATIONS)


async def test_brackets_change_the_window_of_the_overview() -> None:
    async with _running_scene() as pilot:
        await pilot.press("2", "left_square_bracket")
        assert "last 24h" in _shown(pilot, "totals")
        await pilot.press(*["left_square_bracket"] * 9)
        assert "last 5m" in _shown(pilot, "totals")
        await pilot.press(*["right_square_bracket"] * 9)
        assert "since start" in _shown(pilot, "totals")


async def test_brackets_on_the_tape_put_prints_of_one_moment_together_and_name_the_window() -> None:
    async with _running_scene() as pilot:
        await pilot.press("4")
        assert " x2 " not in _shown(pilot, "prints")
        await pilot.press(*["right_square_bracket"] * 3)
        assert "prints within 10 s" in _shown(pilot, "prints")
        assert " x2 " in _shown(pilot, "prints")


async def test_sums_switch_between_dollars_and_counts() -> None:
    async with _running_scene() as pilot:
        await pilot.press("3")
        assert "$" in _shown(pilot, "sums-by-market")
        await pilot.press("u")
        assert "$" not in _shown(pilot, "sums-by-market")


async def test_a_market_chosen_on_any_page_holds_on_all() -> None:
    async with _running_scene() as pilot:
        await pilot.press("2", "m")
        market = _app(pilot).view.market
        assert market in _shown(pilot, "totals")
        await pilot.press("5")
        assert market in _shown(pilot, "numbers")


async def test_the_engine_is_asked_for_the_markets_on_the_screen_alone() -> None:
    async with _running_scene() as pilot:
        source = _app(pilot).source
        assert isinstance(source, EngineSource)
        assert source.asked == [()]
        await pilot.press("m")
        assert source.asked[-1] == (_app(pilot).view.market,)


async def test_the_command_palette_opens_a_page() -> None:
    async with _running_scene() as pilot:
        await pilot.press("colon")
        await pilot.pause()
        await pilot.press(*"six numbers")
        for _ in range(100):
            await pilot.pause(0.05)
            if pilot.app.screen.query_one(OptionList).option_count == 1:
                break
        await pilot.press("enter")
        for _ in range(100):
            await pilot.pause(0.05)
            if _app(pilot).view.page == "glance":
                break
        assert _app(pilot).view.page == "glance"


async def test_a_click_opens_a_page() -> None:
    async with _running_scene() as pilot:
        tabs = _shown(pilot, "tabs")
        await pilot.click("#tabs", offset=(tabs.index("cumulative") + 1, 0))
        await pilot.pause()
        assert _app(pilot).view.page == "cumulative"


async def test_the_wheel_scrolls_the_panel_under_it() -> None:
    async with _running_scene((80, 24)) as pilot:
        await pilot.press("4")
        top = _shown(pilot, "prints")
        panel = pilot.app.query_one("#prints", PanelWidget)
        panel.post_message(events.MouseScrollDown(panel, 5, 5, 0, 1, 0, False, False, False))
        await pilot.pause()
        assert _shown(pilot, "prints") != top


async def test_shift_t_goes_through_the_themes_and_mono_has_no_colour() -> None:
    async with _running_scene() as pilot:
        seen = []
        for _ in PALETTES:
            await pilot.press("T")
            drawn = pilot.app.query_one("#velocity", PanelWidget).render()
            colours = {span.style.color for span in drawn.spans if isinstance(span.style, Style)} - {None}
            seen.append((_app(pilot).look.name, bool(colours)))
        assert [name for name, _ in seen] == [*list(PALETTES)[1:], "dark"]
        assert dict(seen) == {name: name != "mono" for name in PALETTES}


async def test_no_color_keeps_the_screen_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with _running_scene() as pilot:
        await pilot.press("T")
        assert _app(pilot).look.name == "mono"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
async def test_e_exports_the_page_as_csv_and_as_json_with_the_same_rows(page: str, folder: Path) -> None:
    async with _running_scene() as pilot:
        await pilot.press(PAGES[page].key, "e", "E")
    (table,), (objects,) = folder.glob("*.csv"), folder.glob("*.json")
    written = list(csv.DictReader(table.read_text().splitlines()))
    assert [list(row) for row in written] == [list(row) for row in json.loads(objects.read_text())]
    assert written
    assert table.name.endswith("-20261120-140327.csv")


def _exported(folder: Path) -> list[dict[str, str]]:
    (path,) = folder.iterdir()
    return list(csv.DictReader(path.read_text().splitlines()))


async def test_of_the_overview_the_window_the_market_and_the_venues_on_the_screen_are_exported(folder: Path) -> None:
    async with _running_scene() as pilot:
        await pilot.press("2", "m", *["left_square_bracket"] * 9, "slash", *"okx", "enter", "e")
    rows = _exported(folder)
    assert {(row["market"], row["window"]) for row in rows} == {("BTCUSDT", "5m")}
    assert [(row["venue"], row["side"]) for row in rows] == [
        (venue, side) for venue in ("ALL", "okx") for side in ("BOTH", "LONG", "SHORT")
    ]
    assert int(rows[0]["events"]) == int(rows[1]["events"]) + int(rows[2]["events"]) > 0


async def test_of_the_sums_the_rows_on_the_screen_are_exported_each_once(folder: Path) -> None:
    async with _running_scene() as pilot:
        await pilot.press("3", "slash", *"sol short", "enter", "e")
    rows = _exported(folder)
    assert {(row["market"], row["venue"], row["side"]) for row in rows} == {("SOLUSDT", "ALL", "SHORT")}
    assert [row["window"] for row in rows] == list(TOTAL_WINDOWS)


async def test_an_exported_tape_is_a_recording_of_the_same_liquidations(folder: Path) -> None:
    async with _running_scene() as pilot:
        await pilot.press("4", "slash", *"btc", "enter", "e")
        shown = [entry for entry in recent(_app(pilot).picture.snapshot) if entry.asset == "BTC"]
    (path,) = folder.iterdir()
    again = list(read_csv(path))
    fields = ("venue", "instrument", "side", "price", "amount", "usd", "ts_event", "ts_recv")
    expected = sorted(shown, key=lambda entry: entry.ts_recv)
    for one, other in zip(again, expected, strict=True):
        assert [getattr(one, name) for name in fields[:6]] == [getattr(other, name) for name in fields[:6]]
        assert abs(one.ts_event - other.ts_event) < 1000


async def test_the_panel_with_the_focus_is_what_is_exported_and_no_file_is_overwritten(folder: Path) -> None:
    async with _running_scene() as pilot:
        await pilot.press("tab", "e", "e")
    assert sorted(path.name for path in folder.iterdir()) == [
        "liquake-velocity-20261120-140327-2.csv",
        "liquake-velocity-20261120-140327.csv",
    ]


async def test_a_folder_that_cannot_be_written_is_said_and_nothing_breaks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "cwd", lambda: folder / "gone")
    async with _running_scene() as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert any("cannot be written" in note.message for note in pilot.app._notifications)


async def test_s_writes_the_screen_as_a_picture(folder: Path) -> None:
    async with _running_scene() as pilot:
        await pilot.press("s")
    (path,) = folder.iterdir()
    assert path.name == "liquake-monitor-20261120-140327.svg"
    assert "VELOCITY" in path.read_text()


def _ringing(source: FixedSource) -> tuple[MonitorApp, ManualClock, list[float]]:
    """A monitor, the clock its bell counts by, and when it rang."""
    clock, rung = ManualClock(SECOND), list[float]()
    app = MonitorApp(source, Options(refresh=3600.0), clock.now)
    app.bell = lambda: rung.append(clock.now() / SECOND)  # type: ignore[method-assign]
    return app, clock, rung


def _alerted(level: Level, number: int) -> Alert:
    return msgspec.structs.replace(ALERTS[2], level=level, key=f"new-{number}")


async def test_the_bell_rings_for_new_alerts_of_critical_and_above_once_in_five_seconds() -> None:
    source = FixedSource()
    app, clock, rung = _ringing(source)
    async with app.run_test() as pilot:
        await pilot.press("b")
        app.look_again()
        assert len(rung) == 0
        steps = ((Level.WARNING, 0.0), (Level.CRITICAL, 1.0), (Level.EXTREME, 4.0), (Level.EXTREME, 1.0))
        for number, (level, seconds) in enumerate(steps):
            clock.advance(seconds)
            source.alert(_alerted(level, number))
            app.look_at_streams()
            app.look_again()
        assert rung == [2.0, 7.0]


async def test_a_frozen_picture_rings_too_and_without_sound_nothing_does() -> None:
    source = FixedSource()
    app, _, rung = _ringing(source)
    async with app.run_test() as pilot:
        source.alert(_alerted(Level.EXTREME, 1))
        app.look_again()
        assert len(rung) == 0
        await pilot.press("b", "p")
        source.alert(_alerted(Level.EXTREME, 2))
        app.look_again()
        assert len(rung) == 1


async def test_b_says_whether_there_is_sound_where_it_stays_visible() -> None:
    async with _running() as pilot:
        assert "sound off" in _shown(pilot, "footer")
        assert "sound off" in _shown(pilot, "alerts")
        await pilot.press("b")
        assert "sound on" in _shown(pilot, "footer")
        assert "sound on" in _shown(pilot, "alerts")


async def test_an_alert_is_shown_as_it_comes_not_at_the_next_refresh() -> None:
    source = FixedSource()
    async with _running(source) as pilot:
        source.alert(_alerted(Level.EXTREME, 1))
        _app(pilot).look_at_streams()
        assert "EXTREME" in _shown(pilot, "alerts")


async def test_a_liquidation_is_shown_as_it_comes_not_at_the_next_refresh() -> None:
    source = FixedSource()
    async with _running(source) as pilot:
        newest = msgspec.structs.replace(RICH.tape[-1], ts_event=RICH.now, price=66_666.6)
        source.now = msgspec.structs.replace(RICH, tape=(*RICH.tape, newest), arrived=RICH.arrived + 1)
        await pilot.press("4")
        later = msgspec.structs.replace(newest, ts_event=RICH.now + SECOND)
        source.now = msgspec.structs.replace(source.now, tape=(*source.now.tape, later), arrived=RICH.arrived + 2)
        assert _shown(pilot, "prints").count("66,666.6") == 1
        _app(pilot).look_at_streams()
        assert _shown(pilot, "prints").count("66,666.6") == 2


@pytest.mark.parametrize(("speed", "mixed"), [(1.0, True), (60.0, False), (None, False)])
async def test_a_hurried_replay_never_shows_two_moments_at_once(speed: float | None, *, mixed: bool) -> None:
    source = FixedSource(RICH, msgspec.structs.replace(REPLAY, speed=speed))
    async with _running(source) as pilot:
        source.alert(_alerted(Level.EXTREME, 1))
        _app(pilot).look_at_streams()
        assert ("EXTREME" in _shown(pilot, "alerts")) is mixed


async def test_the_speed_of_a_replay_changes_in_steps_and_is_shown() -> None:
    source = FixedSource(RICH, REPLAY)
    async with _running(source) as pilot:
        seen = []
        for key, times in (("greater_than_sign", 2), ("greater_than_sign", 9), ("less_than_sign", 20)):
            await pilot.press(*[key] * times)
            speed = source.session.speed
            seen.append(speed)
            assert f" {'max' if speed is None else f'{speed:g}x'} " in _shown(pilot, "header")
        assert seen == [300.0, None, 1.0]


async def test_what_is_live_has_no_speed_and_cannot_be_moved() -> None:
    async with _running() as pilot:
        await pilot.press("greater_than_sign", "right")
        said = [note.message for note in pilot.app._notifications]
        assert said == ["Only a replay has a speed.", "Only a replay can be moved."]


@pytest.mark.parametrize(("key", "seconds"), [("right", 60), ("left", -60), ("shift+right", 600), ("shift+left", -600)])
async def test_arrows_move_a_replay(key: str, seconds: int) -> None:
    source = FixedSource(RICH, REPLAY)
    async with _running(source) as pilot:
        await pilot.press(key)
        assert source.sought == [seconds]


@pytest.mark.parametrize(
    ("page", "panel", "word", "gone"),
    [
        ("monitor", "activity", "bybit", "binance"),
        ("monitor", "tape", "bybit", "binance"),
        ("tape", "prints", "eth", "BTCUSDT"),
        ("overview", "by-exchange", "okx", "bybit"),
        ("overview", "by-side", "okx", "bybit"),
        ("cumulative", "sums-by-venue", "okx", "bybit"),
        ("cumulative", "sums-by-market", "sol short", "ETHUSDT"),
        ("market", "markets", "sol", "ETHUSDT"),
        ("signals", "messages", "okx", "BTCUSDT"),
        ("risk", "cascade-risk", "eth", "BTCUSDT"),
    ],
)
async def test_slash_filters_every_list_and_stays_visible(page: str, panel: str, word: str, gone: str) -> None:
    async with _running_scene((200, 60)) as pilot:
        await pilot.press(PAGES[page].key)
        assert gone in _shown(pilot, panel)
        await pilot.press("slash", *word, "enter")
        title, *rows = _shown(pilot, panel).split("\n")
        assert f'only "{word}"' in title
        assert not any(gone in row for row in rows if "passing the filters" not in row)
        await pilot.press("slash", *" nothing so called", "enter")
        words = "None of the latest" if panel in ("tape", "prints") else "No row here matches"
        assert words in _shown(pilot, panel)


async def test_no_word_typed_for_a_list_hides_an_alert() -> None:
    async with _running() as pilot:
        before = _shown(pilot, "alerts")
        await pilot.press("slash", *"doge", "enter")
        assert _shown(pilot, "alerts") == before


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
async def test_help_and_the_way_out_are_on_every_screen(size: tuple[int, int]) -> None:
    app = MonitorApp(FixedSource(), Options(refresh=3600.0))
    async with app.run_test(size=size) as pilot:
        shown = _shown(pilot, "tabs")
        assert "? help" in shown
        assert shown.endswith("q leave")
        assert all(page.key in shown for page in PAGES.values())


INSTEAD = {"outlook": {"cascade-risk", "regime", "alerts", "correlation"}}
"""On the monitor, where there is no room for these panels, the first one sums them up."""


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
async def test_every_panel_of_every_page_is_on_the_screen(size: tuple[int, int]) -> None:
    app = MonitorApp(FixedSource(), Options(refresh=3600.0))
    async with app.run_test(size=size) as pilot:
        for page in PAGES.values():
            await pilot.press(page.key)
            await pilot.pause()
            places = {name: app.query_one(f"#page-{page.name} #{name}").region for name in page.panels}
            seen = {name for name, place in places.items() if place.area and app.screen.region.contains_region(place)}
            for summary, panels in INSTEAD.items():
                seen |= panels if summary in seen else {summary}
            assert seen >= set(page.panels), page.name
