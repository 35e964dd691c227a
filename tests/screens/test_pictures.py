"""What the screen looks like, cell by cell. Run with --snapshot-update after looking at the report of a change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from liquake.engine.snapshot import Snapshot
from liquake.tui.app import MonitorApp, Options
from liquake.tui.pages import PAGES
from liquake.tui.picture import View
from liquake.tui.status import Status
from tests.screens.moments import DEMO, LIVE, NOTHING, REPLAY, RICH, SUBSCRIBED
from tests.screens.scene import EngineSource
from tests.screens.sources import FixedSource

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40), (200, 60))


def _app(snapshot: Snapshot = RICH, status: Status = DEMO, **options: object) -> MonitorApp:
    return MonitorApp(FixedSource(snapshot, status), Options(refresh=3600.0, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("theme", ["dark", "mono"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_fall_on_four_venues(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(_app(theme=theme), terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_connected_and_waiting_says_for_what_and_how_each_feed_is(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(_app(SUBSCRIBED, LIVE), terminal_size=size)


def test_before_the_first_connection(snap_compare: Compare) -> None:
    assert snap_compare(_app(NOTHING, LIVE), terminal_size=(80, 24))


def test_a_replay_shows_its_date_speed_and_progress(snap_compare: Compare) -> None:
    assert snap_compare(_app(RICH, REPLAY), terminal_size=(120, 40))


def test_dollars_of_one_market_with_a_filtered_tape(snap_compare: Compare) -> None:
    view = View(market="BTCUSDT", dollars=True, threshold=0.0, filter="btc long")
    assert snap_compare(_app(view=view), terminal_size=(80, 24))


def test_ascii_where_the_encoding_has_no_more(snap_compare: Compare) -> None:
    assert snap_compare(_app(theme="mono", unicode=False), terminal_size=(80, 24))


def test_help_over_the_panels(snap_compare: Compare) -> None:
    assert snap_compare(_app(), terminal_size=(120, 40), press=["question_mark"])


def test_the_filter_line_while_it_is_written(snap_compare: Compare) -> None:
    async def still(pilot: object) -> None:
        pilot.app.query_one("Input").cursor_blink = False  # type: ignore[attr-defined]

    assert snap_compare(_app(), terminal_size=(80, 24), press=["slash", "o", "k", "x"], run_before=still)


PAGE_NAMES = [name for name in PAGES if name != "monitor"]


@pytest.mark.parametrize("theme", ["dark", "mono"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGE_NAMES)
def test_a_page(snap_compare: Compare, page: str, size: tuple[int, int], theme: str) -> None:
    app = MonitorApp(EngineSource(), Options(refresh=3600.0, theme=theme, view=View(page=page)))
    assert snap_compare(app, terminal_size=size)


@pytest.mark.parametrize("theme", ["dark", "mono"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_risk_in_the_middle_of_a_cascade(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(_app(theme=theme, view=View(page="risk")), terminal_size=size)


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_a_page_before_anything_happened_says_what_it_waits_for(snap_compare: Compare, page: str) -> None:
    assert snap_compare(_app(SUBSCRIBED, LIVE, view=View(page=page)), terminal_size=(80, 24))


def test_the_monitor_at_100x30(snap_compare: Compare) -> None:
    assert snap_compare(MonitorApp(EngineSource(), Options(refresh=3600.0)), terminal_size=(100, 30))


@pytest.mark.parametrize("theme", ["light", "amber", "colourblind"])
@pytest.mark.parametrize("page", ["monitor", "charts"])
def test_the_other_themes(snap_compare: Compare, page: str, theme: str) -> None:
    app = MonitorApp(EngineSource(), Options(refresh=3600.0, theme=theme, view=View(page=page)))
    assert snap_compare(app, terminal_size=(120, 40))


@pytest.mark.parametrize("page", ["overview", "glance", "charts"])
def test_a_page_in_ascii(snap_compare: Compare, page: str) -> None:
    app = MonitorApp(EngineSource(), Options(refresh=3600.0, theme="mono", unicode=False, view=View(page=page)))
    assert snap_compare(app, terminal_size=(120, 40))


def test_prints_of_one_moment_as_one_line(snap_compare: Compare) -> None:
    app = MonitorApp(EngineSource(), Options(refresh=3600.0, view=View(page="tape", grouping=10.0)))
    assert snap_compare(app, terminal_size=(120, 40))
