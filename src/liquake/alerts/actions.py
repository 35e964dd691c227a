"""What traders are known to do at each level and regime, read from `actions.toml`: data, so that it can be argued with."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from liquake.model.alert import Action, AlertRule, Level

UNKNOWN = "UNKNOWN"
"""In place of a regime's name before there is one."""


def action_for(rule: AlertRule, signal: Level, regime: str | None) -> Action:
    """The entry for the market's `signal` in `regime`, whichever rule speaks: only the signal is a scored probability.

    An alert about liquidations is at least worth a look; that for lost sight of a venue has an entry of its own.
    """
    feed, table = _actions()
    if rule is AlertRule.FEED:
        return feed
    level = signal if rule is AlertRule.REGIME_CHANGE else max(signal, Level.WATCH)
    return table[level, regime or UNKNOWN]


@cache
def _actions() -> tuple[Action, dict[tuple[Level, str], Action]]:
    read = tomllib.loads(files(__package__).joinpath("actions.toml").read_text("utf-8"))
    table = {
        (Level[entry["level"]], regime): Action(entry["do"], entry["reason"])
        for entry in read["action"]
        for regime in entry["regimes"]
    }
    return Action(**read["feed"]), table
