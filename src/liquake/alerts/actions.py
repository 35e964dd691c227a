"""What traders are known to do at each level and regime, read from `actions.toml`: data, so that it can be argued with."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from liquake.model.alert import NO_REGIME, Action, AlertRule, Level


def action_for(rule: AlertRule, signal: Level, regime: str | None) -> Action:
    """The entry for the market's `signal` in `regime`, whichever rule speaks: only the signal is a scored probability.

    An alert about liquidations is at least worth a look; that for lost sight of a venue has an entry of its own.
    """
    feed, table = _actions()
    if rule is AlertRule.FEED:
        return feed
    level = signal if rule is AlertRule.REGIME_CHANGE else max(signal, Level.WATCH)
    return table[level, regime or NO_REGIME]


def action_table() -> Mapping[tuple[Level, str], Action]:
    """Every entry by the market's signal and the name of the regime, for whoever shows what holds at the moment."""
    return _actions()[1]


@cache
def _actions() -> tuple[Action, dict[tuple[Level, str], Action]]:
    read = tomllib.loads(files(__package__).joinpath("actions.toml").read_text("utf-8"))
    table = {
        (Level[entry["level"]], regime): Action(entry["do"], entry["reason"])
        for entry in read["action"]
        for regime in entry["regimes"]
    }
    return Action(**read["feed"]), table
