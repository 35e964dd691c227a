"""Every key, on a running application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from rich.text import Text
from textual.containers import VerticalScroll

from liquake.engine.snapshot import ALL
from liquake.tui.app import MonitorApp, Options, PanelWidget
from liquake.tui.help import Help
from liquake.tui.picture import THRESHOLDS
from tests.screens.moments import RICH
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
    drawn = pilot.app.screen_stack[0].query_one(f"#{panel}", PanelWidget).render()
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
