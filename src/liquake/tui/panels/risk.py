"""How likely a cascade is, market by market, and what makes it so; or why nobody can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from liquake.engine.snapshot import ALL, Component, Level, Risk, Snapshot
from liquake.model.alert import NO_REGIME
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.situation import live
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title
from liquake.tui.theme import Theme

WARMTH: Mapping[Level, str] = {level: f"heat.{level.value}" for level in Level}
_ROOMY = 118
_SAID_ANYWAY = 6
"""Columns up to and with the level, which may be raised without a probability."""
_FACTORS: Mapping[Component, tuple[str, str]] = {
    Component.RATE: ("rate", "rate"),
    Component.BURST: ("bur", "burst"),
    Component.USD: ("USD", "USD"),
    Component.SELF_EXCITATION: ("self", "self-exc."),
    Component.CROSS_VENUE: ("venu", "venues"),
    Component.STRESS: ("strs", "stress"),
}
"""Short and longer heads of the columns."""
_SOME_DO = "Some now (not advice):"
_ACTION_LINES = 3
_ROWS_AND_ACTION = 9
"""Lines of room from which all of it fits below the rows."""
_WITH_FOOT = 7
"""Lines of room from which the panel says what some do, and whose experience speaks."""
_CONSOLE = Console(file=StringIO())
"""Wraps; nothing is written to it."""
_SMALLEST = 0.05
"""Log-odds from which a component has a direction."""


def cascade_risk(picture: Picture, width: int, height: int) -> Sheet:
    """A row per market, side and horizon: markets with the loudest signal first, the others in their own order."""
    theme, chosen, risks = picture.theme, _chosen(picture), listed(picture)
    subject = [*_subject(picture, risks), *picture.only(len(risks), len(chosen))]
    first = title("CASCADE RISK", subject, width, theme)
    said = action(picture, width, _ACTION_LINES if height >= _ROWS_AND_ACTION else _ACTION_LINES - 1)
    if not risks:
        why = picture.nothing_passes(width) if chosen else [phrase([(_waiting(picture), theme["text"])], width, theme)]
        return Sheet([first, *why], foot=said)
    columns = shown(_columns(width), width)

    def line(index: int) -> Text:
        risk = risks[index]
        drawn = row(columns, _cells(risk, theme, width), theme)
        return drawn if risk.probability is not None else _without(risk, columns, width, theme)

    foot = [*_foot(risks, width, theme), *said] if height >= _WITH_FOOT else []
    return Sheet([first, heading(columns, theme)], len(risks), line, (), foot, theme["muted"])


def action(picture: Picture, width: int, height: int) -> list[Text]:
    """What traders are known to do at the loudest level in this regime, and why, in at most `height` lines."""
    theme, snapshot, regime = picture.theme, picture.snapshot, picture.snapshot.regime
    risk = loudest(snapshot, picture.view.market)
    if risk is None or not _known(risk, picture):
        return []
    level = risk.level
    state = NO_REGIME if regime is None or regime.level is None else regime.level.name
    found = picture.status.actions.get((level, state))
    if found is None:
        return []
    words = Text.assemble(
        (f"{_SOME_DO} ", theme[WARMTH[level]]), (f"{found.do}. ", theme["strong" if level else "text"])
    )
    words.append(f"Why: {found.reason}.", theme["muted"])
    lines = list(words.wrap(_CONSOLE, max(width, 1)))
    for line in lines:
        line.rstrip()
    if len(lines) > height > 0:
        lines[height - 1].truncate(max(width - 1, 0))
        lines[height - 1].append(theme.glyphs.ellipsis)
    return lines[:height] + [Text()] * (height - len(lines))


def loudest(snapshot: Snapshot, market: str) -> Risk | None:
    """The highest level, then probability, among the risks of `market` or of all."""
    risks = (risk for risk in snapshot.risks if market in (ALL, risk.market))
    return max(risks, key=lambda risk: (risk.level, risk.probability or 0.0), default=None)


def _known(risk: Risk, picture: Picture) -> bool:
    """Whether the level says anything: NONE without a probability, or while no feed is heard, is not "as usual"."""
    return live(picture) and (risk.level > Level.NONE or risk.probability is not None)


def listed(picture: Picture) -> list[Risk]:
    """What the filter lets through of the chosen market or of all, the loudest markets first."""
    return [risk for risk in _chosen(picture) if picture.view.matches(risk.market, risk.side, risk.level.name)]


def _chosen(picture: Picture) -> list[Risk]:
    """On the monitor the nearest horizon alone, row by row; on the page that has the room all, market by market."""
    market = picture.view.market
    risks = [risk for risk in picture.snapshot.risks if market in (ALL, risk.market)]
    if picture.view.page == "monitor":
        nearest = min((risk.horizon for risk in risks), default=0.0)
        rows = [risk for risk in risks if risk.horizon == nearest]
        return sorted(rows, key=lambda risk: (-risk.level, -(risk.probability or 0.0)))
    levels: dict[str, Level] = {}
    for risk in risks:
        levels[risk.market] = max(levels.get(risk.market, Level.NONE), risk.level)
    places = {market: place for place, market in enumerate(levels)}
    return sorted(risks, key=lambda risk: (-levels[risk.market], places[risk.market], -risk.level))


def _subject(picture: Picture, risks: Sequence[Risk]) -> list[Cell]:
    theme = picture.theme
    parts: list[Cell] = [] if picture.view.market == ALL else [(f"{picture.view.market}  ", theme["strong"])]
    warming = next((risk.warming for risk in risks if risk.probability is not None and risk.warming), "")
    if warming:
        parts.append((f"{warming}: errs on the low side", theme["state.waiting"]))
    return parts


def _waiting(picture: Picture) -> str:
    market = picture.view.market
    if picture.snapshot.risks and market != ALL:
        return f"{market} is not watched for cascades: m and M choose another market, Esc shows all."
    return "No market is watched yet: the first liquidation or price of one begins it."


def _columns(width: int) -> tuple[Column, ...]:
    roomy = width >= _ROOMY
    return (
        Column("market", "market", 14 if roomy else 9),
        Column("side", "side", 5),
        Column("horizon", "within" if roomy else "in", 6 if roomy else 5, right=True),
        Column("probability", "chance", 6, right=True),
        Column("base", "usual", 6 if roomy else 5, right=True),
        Column("level", "level", 8),
        Column("score", "score" if roomy else "rnk", 5 if roomy else 3, right=True),
        *(Column(part.value, heads[roomy], 9 if roomy else 4, right=True) for part, heads in _FACTORS.items()),
        Column("expected", "expected USD", 12, right=True, least=_ROOMY + 13),
        Column("threshold", "cascade from", 12, right=True, least=_ROOMY + 26),
        Column("because", "level because", 13, least=_ROOMY + 40),
    )


def _cells(risk: Risk, theme: Theme, width: int) -> dict[str, Cell]:
    heat = theme[WARMTH[risk.level]]
    cells = {
        "market": (risk.market, theme["text"]),
        "side": (str(risk.side), theme.side(risk.side)),
        "horizon": (formats.window(risk.horizon), theme["muted"]),
        "probability": (formats.chance(risk.probability), theme["strong" if risk.level else "number"]),
        "base": (formats.chance(None if risk.probability is None else risk.base_rate), theme["muted"]),
        "level": (risk.level.name, heat),
        "score": ("-" if risk.score is None else f"{risk.score:.0f}", theme["number"]),
        "expected": (formats.dollars(risk.expected_usd), theme["number"]),
        "threshold": (formats.dollars(risk.threshold), theme["muted"]),
        "because": (risk.because, theme["muted"]),
    }
    return cells | {part.value: _factor(risk, part, theme, roomy=width >= _ROOMY) for part in _FACTORS}


def _factor(risk: Risk, part: Component, theme: Theme, *, roomy: bool) -> Cell:
    """An arrow for where a component moves the odds, and how far, in log-odds."""
    value = risk.contributions.get(part, 0.0)
    if abs(value) < _SMALLEST:
        return theme.glyphs.between, theme["faint"]
    arrow = theme.glyphs.up if value > 0.0 else theme.glyphs.down
    amount = f"{abs(value):.2f}" if roomy else f"{abs(value):.1f}" if abs(value) < 9.95 else f"{abs(value):.0f}"
    return f"{arrow}{amount}", theme["text" if value > 0.0 else "muted"]


def _without(risk: Risk, columns: Sequence[Column], width: int, theme: Theme) -> Text:
    """The row of a market for which there is no probability: its level, and the reason in place of numbers."""
    head = row(columns[:_SAID_ANYWAY], _cells(risk, theme, width), theme).append(" ")
    reason = phrase([(risk.reason, theme["muted"])], max(width - head.cell_len, 0), theme)
    return head.append_text(reason) if head.cell_len < width else head[:width]


def _whose(risk: Risk) -> str:
    if not risk.venues:
        return risk.provenance
    return f"Of cascades on {', '.join(risk.venues)} alone. {risk.provenance}"


def _foot(risks: Sequence[Risk], width: int, theme: Theme) -> list[Text]:
    """Whose experience speaks, in the model's own words as far as they fit."""
    notes = dict.fromkeys(_whose(risk) for risk in risks if risk.provenance)
    return [phrase([(note, theme["state.waiting"])], width, theme) for note in notes]
