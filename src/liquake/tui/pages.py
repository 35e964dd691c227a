"""The pages of the screen and what stands on each: one key, one name, some panels."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from liquake.engine.snapshot import ALL
from liquake.tui.panels import charts, cumulative, overview
from liquake.tui.panels.activity import activity
from liquake.tui.panels.alerts import alerts
from liquake.tui.panels.cascades import cascades
from liquake.tui.panels.correlation import correlation
from liquake.tui.panels.cumulative import MOST_MARKETS
from liquake.tui.panels.episodes import episodes_chart
from liquake.tui.panels.glance import glance
from liquake.tui.panels.markets import markets
from liquake.tui.panels.prints import prints
from liquake.tui.panels.regime import outlook, regime
from liquake.tui.panels.risk import cascade_risk
from liquake.tui.panels.signals import messages
from liquake.tui.panels.tape import tape
from liquake.tui.panels.velocity import velocity
from liquake.tui.picture import Panel, View

_COIN_LINES = 1
_LONGEST = ("tape", "sums-by-market", "by-exchange")


class Page(msgspec.Struct, frozen=True):
    """One page. Its panels by their name, which is also their id on the screen."""

    name: str
    key: str
    words: str
    panels: Mapping[str, Panel]

    @property
    def scrolls(self) -> str:
        """The panel that the arrows move while none has the focus."""
        return next((name for name in _LONGEST if name in self.panels), next(iter(self.panels)))


PAGES: Mapping[str, Page] = {
    page.name: page
    for page in (
        Page(
            "monitor",
            "1",
            "what happens now",
            {
                "velocity": velocity,
                "outlook": outlook,
                "cascade-risk": cascade_risk,
                "activity": activity,
                "regime": regime,
                "correlation": correlation,
                "alerts": alerts,
                "tape": tape,
            },
        ),
        Page(
            "overview",
            "2",
            "totals, exchanges, sides",
            {
                "totals": overview.totals,
                "quick": overview.quick,
                "by-exchange": overview.by_exchange,
                "by-side": overview.by_side,
            },
        ),
        Page(
            "cumulative",
            "3",
            "sums over six windows",
            {"sums-by-venue": cumulative.by_venue, "sums-by-market": cumulative.by_market},
        ),
        Page("tape", "4", "every liquidation", {"prints": prints}),
        Page("glance", "5", "six numbers", {"numbers": glance}),
        Page("market", "6", "coin by coin", {"markets": markets}),
        Page(
            "charts",
            "7",
            "velocity, price, sides and cascades over time",
            {
                "velocity-chart": charts.velocity_chart,
                "price-chart": charts.price_chart,
                "sides-chart": charts.sides_chart,
                "episodes-chart": episodes_chart,
            },
        ),
        Page(
            "risk",
            "8",
            "cascade risk, notices, regime, correlation",
            {"cascade-risk": cascade_risk, "cascades": cascades, "regime": regime, "correlation": correlation},
        ),
        Page("signals", "9", "what is published", {"messages": messages}),
    )
}
"""By name, in the order of their keys."""


def wanted(view: View) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """What to ask a source for to show `view`: markets, charts, and how many of the largest markets to sum up.

    The engine reads these alone: with hundreds of markets all of them would cost more than everything else.
    """
    markets = () if view.market == ALL else (view.market,)
    drawn = (ALL, charts.PRICED) if view.market == ALL else markets
    largest = {"cumulative": MOST_MARKETS, "overview": _COIN_LINES}
    return markets, drawn if view.page == "charts" else (), largest.get(view.page, 0)
