"""How often a reader looks changes nothing of what is seen."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from liquake.engine.engine import Engine
from liquake.ingest.replay import moment
from liquake.model import Event
from liquake.tui.app import MonitorApp, Options
from liquake.tui.pages import PAGES
from liquake.tui.panel import PanelWidget
from liquake.tui.picture import View
from tests.screens.moments import COVERAGES, NOW, SECOND
from tests.screens.scene import EngineSource, scene

_LENGTH = 60


class GrowingSource(EngineSource):
    """The scene as it happens: an event is in the engine once it has been received."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__(0.0)
        self.engine = Engine(COVERAGES)
        self._coming = events
        self.now = NOW - _LENGTH * SECOND

    def advance(self, seconds: float) -> None:
        """Let time pass, and what was received meanwhile come in."""
        self.now += round(seconds * SECOND)
        while self._coming and moment(self._coming[0]) <= self.now:
            self.engine.apply(self._coming.pop(0))


@pytest.mark.parametrize("page", PAGES)
async def test_the_picture_of_a_moment_is_the_same_at_one_and_at_five_seconds(page: str) -> None:
    events = sorted(scene(float(_LENGTH)), key=moment)
    sources = [GrowingSource(list(events)) for _ in range(2)]
    options = Options(refresh=3600.0, view=View(page=page))
    async with AsyncExitStack() as stack:
        apps = [MonitorApp(source, options) for source in sources]
        pilots = [await stack.enter_async_context(app.run_test(size=(120, 40))) for app in apps]
        for second in range(1, _LENGTH + 1):
            sources[0].advance(1.0)
            apps[0].look_again()
            if second % 5:
                continue
            sources[1].advance(5.0)
            apps[1].look_again()
            for pilot in pilots:
                await pilot.pause()
            assert _shown(apps[0]) == _shown(apps[1])
        assert apps[0].picture.snapshot.events > 20


def _shown(app: MonitorApp) -> dict[str | None, str]:
    names = {"header", "footer", *PAGES[app.view.page].panels}
    drawn = {panel.id: panel.render() for panel in app.query(PanelWidget) if panel.id in names}
    return {name: text.plain for name, text in drawn.items()}
