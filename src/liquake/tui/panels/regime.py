"""How tense the market is, by its own week."""

from __future__ import annotations

from rich.text import Text

from liquake.engine.snapshot import ALL, Regime, RegimeState, Risk, Trend
from liquake.model.alert import Alert
from liquake.tui import formats
from liquake.tui.panels.alerts import headline, of_market
from liquake.tui.panels.risk import WARMTH, action, loudest
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.situation import situation
from liquake.tui.table import Cell, phrase, printable, title, whole
from liquake.tui.theme import Theme

_HEAT = {level: f"heat.{max(level.value - 1, 0)}" for level in Regime}
_NAMES = 12
"""Cells of the names on the left."""
_FRESH = 300 * 1_000_000_000
"""Nanoseconds for which an alert is news."""


def regime(picture: Picture, width: int, height: int) -> Sheet:
    """A line per measure; while its history is short the panel says so beside its name."""
    del height
    theme, state = picture.theme, picture.snapshot.regime
    if state is None:
        words = "No reading yet: it needs a price and a minute of events."
        return Sheet([title("REGIME", [], width, theme), phrase([(words, theme["text"])], width, theme)])
    warming = [(state.warming, theme["state.waiting"])] if state.warming else []
    lines = [
        phrase(whole([[(f"{name:<{_NAMES}}", theme["muted"])], *([part] for part in parts)], width, ""), width, theme)
        for name, parts in _lines(state, picture)
    ]
    return Sheet([title("REGIME", warming, width, theme), *lines])


def outlook(picture: Picture, width: int, height: int) -> Sheet:
    """The loudest risk and the regime; then the latest alert or else the state of it all, and what some do now."""
    theme, told, state = picture.theme, of_market(picture), situation(picture)
    lines = [_state(picture, width)]
    if told and picture.snapshot.now - told[0].ts < _FRESH:
        lines.append(_latest(told[0], picture, width))
    elif state.sentence:
        lines.append(phrase([(state.sentence, theme[state.token])], width, theme))
    elif told:
        lines.append(_latest(told[0], picture, width))
    return Sheet([*lines, *action(picture, width, max(height - len(lines), 0))][:height])


def _latest(alert: Alert, picture: Picture, width: int) -> Text:
    theme = picture.theme
    parts = [("ALERT", theme["title"]), ("  ", theme["text"]), *headline(alert, picture)]
    return phrase([*parts, (f"  {printable(alert.text)}", theme["text"])], width, theme)


def _state(picture: Picture, width: int) -> Text:
    theme, state = picture.theme, picture.snapshot.regime
    groups: list[list[Cell]] = [[("REGIME", theme["title"]), ("  no reading yet", theme["muted"])]]
    if state is not None:
        warming = state.warming if state.level is not None else state.warming.removeprefix("warming up ")
        groups = [
            [("REGIME", theme["title"]), (f"  {state.name}", theme[_heat(state)])],
            [(warming, theme["state.waiting"])] if warming else [],
            [("volatility ", theme["muted"]), (_volatility(state), theme["number"])],
            [("trend ", theme["muted"]), (_trend(state, theme), theme["number"])],
        ]
    return phrase(whole([*_risk(picture), *filter(None, groups)], width, "   "), width, theme)


def _risk(picture: Picture) -> list[list[Cell]]:
    """The highest level of all markets, and the chance of a cascade where there is one."""
    theme, risk = picture.theme, loudest(picture.snapshot, picture.view.market)
    name: Cell = ("RISK", theme["title"])
    if risk is None:
        return [[name, ("  no market watched yet", theme["muted"])]]
    level: Cell = (f"  {risk.level.name}", theme[WARMTH[risk.level]])
    if risk.probability is None:
        because = f" ({risk.because})" if risk.because else ""
        return [[name, level, (f" {_place(risk)}{because}, without a probability", theme["text"])]]
    chance = f"{formats.chance(risk.probability)} in {formats.window(risk.horizon)}"
    usual = f" (usual {formats.chance(risk.base_rate)})"
    market: list[Cell] = [(f" {_place(risk)} ", theme["text"]), (str(risk.side), theme.side(risk.side))]
    return [[name, level, *market, (f" {chance}", theme["number"]), (usual, theme["muted"])]]


def _place(risk: Risk) -> str:
    return "all markets" if risk.market == ALL else risk.market


def _lines(state: RegimeState, picture: Picture) -> list[tuple[str, list[Cell]]]:
    theme, now = picture.theme, picture.snapshot.now
    since = "" if state.since is None else f" for {formats.age((now - state.since) / 1e9)}"
    driver = f", by {state.driver}" if state.driver and state.level is not None else ""
    counted = (
        f" from {state.episodes} cascade{'s' if state.episodes > 1 else ''}" if state.episodes else " assumed, none yet"
    )
    multiplier: list[Cell] = [("not known", theme["number"])]
    if state.multiplier is not None:
        multiplier = [(f"x{state.multiplier:.2f}", theme["number"]), (counted, theme["muted"])]
    ease = "not known" if state.liquidity is None else f"rank {state.liquidity:.0%} of its week"
    return [
        ("level", [(state.name, theme[_heat(state)]), (since, theme["muted"]), (driver, theme["muted"])]),
        ("multiplier", multiplier),
        ("volatility", [(_volatility(state), theme["number"])]),
        ("liquidity", [(ease, theme["number"])]),
        ("trend", [(_trend(state, theme), theme["number"])]),
        ("BTC", _price(state, theme)),
    ]


def _heat(state: RegimeState) -> str:
    return "state.waiting" if state.level is None else _HEAT[state.level]


def _volatility(state: RegimeState) -> str:
    return "not known" if state.volatility is None else f"{100.0 * state.volatility:.1f}% a day"


def _trend(state: RegimeState, theme: Theme) -> str:
    if state.trend is None:
        return "not known"
    up, down = theme.glyphs.up, theme.glyphs.down
    arrow = "" if state.trend is Trend.FLAT else f"{up if state.trend.value.endswith('UP') else down} "
    return f"{arrow}{state.trend}"


def _price(state: RegimeState, theme: Theme) -> list[Cell]:
    if state.price is None:
        return [("no price yet", theme["muted"])]
    change = "" if state.change is None else f" {100.0 * state.change:+.2f}% in {state.change_minutes} min"
    return [(f"${formats.price(state.price)}", theme["number"]), (change, theme["muted"])]
