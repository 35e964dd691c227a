"""Where each panel of a page stands. `layout.tcss` says how large it is there, and in which terminals it is shown."""

from __future__ import annotations

from collections.abc import Mapping

from textual.containers import Container, Horizontal, Vertical

from liquake.tui.pages import Page
from liquake.tui.panel import PanelWidget

_LINES = ("outlook",)
"""Panels of a line or two that scroll nowhere: nothing for Tab to stop at."""


def place(page: str) -> str:
    """The id of a page's container."""
    return f"page-{page}"


def panels_of(page: Page) -> dict[str, PanelWidget]:
    """A widget for each panel of `page`, by name. Pages that show the same panel have one each."""
    alone = "alone" if len(page.panels) == 1 else ""
    return {
        name: PanelWidget(draw, name, classes=alone, focusable=name not in _LINES) for name, draw in page.panels.items()
    }


def laid_out(page: Page, panels: Mapping[str, PanelWidget]) -> Container:
    """The page's panels in the containers that its layout needs."""
    if page.name == "monitor":
        return Container(
            Container(
                Vertical(panels["velocity"], panels["outlook"], panels["cascade-risk"], panels["activity"], id="left"),
                Vertical(panels["regime"], panels["correlation"], panels["alerts"], id="right"),
                id="upper",
            ),
            panels["tape"],
            id=place(page.name),
            classes="page",
        )
    if page.name == "overview":
        return Container(
            Horizontal(panels["totals"], panels["quick"], id="proportions"),
            Container(panels["by-exchange"], panels["by-side"], id="exchanges"),
            id=place(page.name),
            classes="page",
        )
    if page.name == "charts":
        return Container(
            Vertical(panels["velocity-chart"], panels["price-chart"], id="curves"),
            Vertical(panels["sides-chart"], panels["episodes-chart"], id="bars"),
            id=place(page.name),
            classes="page",
        )
    if page.name == "risk":
        return Container(
            panels["cascade-risk"],
            panels["cascades"],
            Horizontal(panels["regime"], panels["correlation"], id="tension"),
            id=place(page.name),
            classes="page",
        )
    return Container(*panels.values(), id=place(page.name), classes="page")
