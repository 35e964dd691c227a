"""The session, or one window of it, in sums: how much, by whom, and which way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.text import Text

from liquake.engine.snapshot import ALL, Sum
from liquake.model import Side
from liquake.tui import bands, formats, sums
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.sums import Tally, tally
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title
from liquake.tui.theme import Theme

_BALANCED = 0.1
"""Part of the dollars by which one side must lead before the market leans."""
_FEW = 5
"""Liquidations from which a lean or a ratio is worth a word."""
_LABEL = 18


def totals(picture: Picture, width: int, height: int) -> Sheet:
    """Which way it leans, then events, dollars and coins: total, per hour, and on average."""
    del height
    theme, counted = picture.theme, _counted(picture)
    head = title("OVERVIEW", subject(picture), width, theme)
    if not counted.sum().events:
        return Sheet([head, *nothing(picture, width)])
    return Sheet([head, _lean(counted, theme, width), *_amounts(picture, counted, width)])


def subject(picture: Picture) -> list[Cell]:
    """Which market and which time the numbers are of."""
    theme, view = picture.theme, picture.view
    watched = formats.age(sums.elapsed(picture.snapshot, view.window))
    since = f"since start {watched}" if view.window == sums.SINCE_START else f"last {view.window}"
    return [
        ("all markets" if view.market == ALL else view.market, theme["strong"]),
        (f" {theme.glyphs.between} ", theme["faint"]),
        (since, theme["strong"]),
        *sums.heard(picture, view.market, view.window),
    ]


def nothing(picture: Picture, width: int) -> list[Text]:
    """Why there is no sum yet."""
    if picture.lacks_market:
        return picture.without_market(width)
    theme, view = picture.theme, picture.view
    if view.market != ALL and picture.snapshot.events:
        words = f"No liquidation of {view.market} in this time: m chooses another market, Esc shows all."
    elif view.window != sums.SINCE_START and picture.snapshot.events:
        words = f"No liquidation in the last {view.window}: ] takes a longer window."
    else:
        words = "No liquidation yet. Sums begin with the first one."
    return [phrase([(words, theme["text"])], width, theme)]


def passing_venues(picture: Picture, venues: Iterable[str]) -> list[str]:
    """Those that the filter lets through by their name and what their feed covers. Sums over all stay sums over all."""
    covered = {feed.venue: feed.kind.value for feed in picture.snapshot.venues}
    return [venue for venue in venues if picture.view.matches(venue, covered.get(venue, ""))]


def _counted(picture: Picture) -> Tally:
    return tally(picture.snapshot, picture.view.market, picture.view.window)


def _lean(counted: Tally, theme: Theme, width: int) -> Text:
    """Longs liquidated are forced selling, shorts forced buying: an arrow for what that does to the price."""
    long, whole = counted.sum(side=Side.LONG).usd, counted.sum().usd
    share = long / whole if whole else 0.5
    words, style = f"balanced {theme.glyphs.to}", theme["text"]
    if counted.sum().events < _FEW:
        words = "too few to lean"
    elif share > 0.5 + _BALANCED / 2:
        words, style = f"forced selling {theme.glyphs.down}", theme["side.long"]
    elif share < 0.5 - _BALANCED / 2:
        words, style = f"forced buying {theme.glyphs.up}", theme["side.short"]
    parts: list[Cell] = [(f"{words:<18}", style + theme["loud"])]
    parts += [(f"LONG {formats.percent(share, 1.0)}", theme["side.long"]), ("  ", theme["text"])]
    parts += [(f"SHORT {formats.percent(1.0 - share, 1.0)}", theme["side.short"])]
    return phrase(parts, width, theme)


_AMOUNTS = (
    Column("what", "", 7),
    Column("total", "total", 9, right=True),
    Column("rate", "per hour", 9, right=True),
    Column("average", "average", 9, right=True),
    Column("exact", "exact total", 22, right=True, least=70),
)


def _amounts(picture: Picture, counted: Tally, width: int) -> list[Text]:
    theme, whole = picture.theme, counted.sum()
    hours = sums.elapsed(picture.snapshot, picture.view.window) / 3600.0
    columns = shown(_AMOUNTS, width)
    sized, least = whole.events - whole.unsized, _least(counted, theme)
    lines = [
        {
            "what": ("events", theme["muted"]),
            "total": (least + formats.count(whole.events), theme["strong"]),
            "rate": (least + formats.short(counted.watched.events / hours) if hours else "-", theme["number"]),
            "exact": (least + formats.count(whole.events), theme["muted"]),
        },
        {
            "what": ("USD", theme["muted"]),
            "total": (sums.usd(whole, theme, least=counted.least()), theme["strong"]),
            "rate": (least + formats.dollars(counted.watched.usd / hours) if hours else "-", theme["number"]),
            "average": (formats.dollars(whole.usd / sized) if sized else formats.UNKNOWN, theme["number"]),
            "exact": (least + formats.exact_dollars(whole.usd), theme["muted"]),
        },
        *_coin_lines(picture, counted, hours),
    ]
    return [heading(columns, theme), *(row(columns, line, theme) for line in lines)]


def _least(counted: Tally, theme: Theme) -> str:
    return theme.glyphs.at_least if counted.least() else ""


def _coin_lines(picture: Picture, counted: Tally, hours: float) -> list[Mapping[str, Cell]]:
    """Coins of the chosen market; of the largest one where all are shown, since coins of different kinds do not add."""
    market = picture.view.market if picture.view.market != ALL else next(iter(picture.snapshot.markets), ALL)
    own = counted if market == picture.view.market else tally(picture.snapshot, market, picture.view.window)
    theme, whole = picture.theme, own.sum()
    if market == ALL or not whole.events:
        return []
    sized, least = whole.events - whole.unsized, _least(own, theme)
    return [
        {
            "what": (sums.asset(market), theme["muted"]),
            "total": (sums.coins(whole, theme, least=own.least()), theme["strong"]),
            "rate": (least + formats.short(own.watched.amount / hours) if hours else "-", theme["number"]),
            "average": (formats.short(whole.amount / sized) if sized else formats.UNKNOWN, theme["number"]),
            "exact": (least + formats.exact_coins(whole.amount, sums.asset(market)), theme["muted"]),
        }
    ]


def quick(picture: Picture, width: int, height: int) -> Sheet:
    """The few proportions a reader would work out from the tables."""
    del height
    theme, counted = picture.theme, _counted(picture)
    head = title("QUICK STATISTICS", [], width, theme)
    whole = counted.sum()
    if not whole.events:
        return Sheet([head])
    long, short = counted.sum(side=Side.LONG), counted.sum(side=Side.SHORT)
    leader = counted.venues()[0]
    share = formats.percent(counted.sum(leader).usd, whole.usd)
    lines = [
        (
            "dominance",
            [
                (leader, theme.venue(leader)),
                (f" {share}", theme["number"]),
            ],
        ),
        ("long/short ratio", [(_ratio(long, short), theme["number"])]),
        ("imbalance", _imbalance(long, short, theme)),
        ("average event", [(_average(whole), theme["number"])]),
        ("largest of hour", _largest(picture)),
    ]
    return Sheet(
        [head, *(phrase([(f"{name:<{_LABEL}}", theme["muted"]), *what], width, theme) for name, what in lines)]
    )


def _ratio(long: Sum, short: Sum) -> str:
    if not short.usd or not long.usd:
        return "one side only"
    return f"{formats.short(long.usd / short.usd)} : 1"


def _imbalance(long: Sum, short: Sum, theme: Theme) -> list[Cell]:
    whole = long.usd + short.usd
    if not whole:
        return [(formats.UNKNOWN, theme["muted"])]
    side = Side.LONG if long.usd >= short.usd else Side.SHORT
    return [(formats.percent(abs(long.usd - short.usd), whole), theme["number"]), (f" to {side}", theme.side(side))]


def _average(whole: Sum) -> str:
    sized = whole.events - whole.unsized
    return formats.dollars(whole.usd / sized) if sized else formats.UNKNOWN


def _largest(picture: Picture) -> list[Cell]:
    theme, market = picture.theme, picture.view.market
    found = next((e for e in picture.snapshot.largest if market in (ALL, f"{e.asset}USDT")), None)
    if found is None:
        return [("-", theme["muted"])]
    return [(formats.dollars(found.usd), theme.side(found.side)), (f" {found.asset} {found.side}", theme["text"])]


_BY_EXCHANGE = (
    Column("mark", "", 1),
    Column("venue", "exchange", 11),
    Column("events", "events", 8, right=True),
    Column("share", "share", 5, right=True),
    Column("usd", "USD", 9, right=True),
    Column("usd_share", "share", 5, right=True),
    Column("coin", "coins", 9, right=True),
    Column("average", "average", 8, right=True),
    Column("hour", bands.TITLE, bands.WIDTH, right=True, least=96),
    Column("bar", "", 16, least=84),
    Column("exact", "exact USD", 20, right=True, least=110),
)


def by_exchange(picture: Picture, width: int, height: int) -> Sheet:
    """Events, dollars and coins of each venue, with its part of the whole, and the whole below."""
    del height
    theme, counted = picture.theme, _counted(picture)
    known = counted.venues()
    venues = passing_venues(picture, known)
    head = title("BY EXCHANGE", picture.only(len(venues), len(known)), width, theme)
    if not counted.sum().events:
        return Sheet([head, *_samples(picture, width)])
    columns = shown(_BY_EXCHANGE, width)
    hours = bands.bands(picture.snapshot, picture.view.market)

    def line(index: int) -> Text:
        return row(columns, _exchange(picture, counted, venues[index], hours), theme)

    total = row(columns, _exchange(picture, counted, None, hours), theme)
    tail = [*([] if venues else picture.nothing_passes(width)), total, *_samples(picture, width)]
    return Sheet([head, heading(columns, theme)], len(venues), line, tail, position=theme["muted"])


def _exchange(
    picture: Picture, counted: Tally, venue: str | None, hours: Mapping[str, bands.Band]
) -> Mapping[str, Cell]:
    theme, whole, own = picture.theme, counted.sum(), counted.sum(venue)
    feed = next((feed for feed in picture.snapshot.venues if feed.venue == venue), None)
    mark = ("", theme["text"]) if feed is None else (theme.coverage(feed.coverage.kind, feed.state), picture.tone(feed))
    least = counted.least(venue)
    sign = theme.glyphs.at_least if least else ""
    number = theme["strong" if venue is None else "number"]
    one_market = picture.view.market != ALL
    return {
        "mark": mark,
        "venue": ("ALL", theme["strong"]) if venue is None else (venue, theme.venue(venue)),
        "events": (sums.events(own, theme, least=least), number),
        "share": (formats.percent(own.events, whole.events), theme["muted"]),
        "usd": (sums.usd(own, theme, least=least), number),
        "usd_share": (formats.percent(own.usd, whole.usd), theme["muted"]),
        "coin": (sums.coins(own, theme, least=least) if one_market else "-", number if one_market else theme["faint"]),
        "average": (_average(own), theme["number"]),
        "hour": (bands.words(hours, venue or ALL, theme), number),
        "bar": (share_bar(own.usd, whole.usd, 16, theme) if venue else "", theme.venue(venue) if venue else number),
        "exact": (sign + formats.exact_dollars(own.usd), theme["muted"]),
    }


def _samples(picture: Picture, width: int) -> list[Text]:
    """Feeds that are in no sum, named so that nobody looks for them."""
    theme = picture.theme
    names = [feed.venue for feed in picture.snapshot.venues if feed.sampled]
    if not names:
        return []
    return [phrase([(f"~ {', '.join(names)}: a sample, in no sum here", theme["muted"])], width, theme)]


def share_bar(part: float, whole: float, width: int, theme: Theme) -> str:
    """`part` of `whole` as a bar of at most `width` cells; what is there at all is at least one cell."""
    if part <= 0.0 or whole <= 0.0:
        return ""
    return theme.glyphs.bar[-1] * max(round(width * min(part / whole, 1.0)), 1)


_BY_SIDE = (
    Column("venue", "exchange", 13),
    Column("long", "LONG USD", 9, right=True),
    Column("long_events", "events", 7, right=True, least=100),
    Column("long_share", "", 4, right=True),
    Column("balance", "", 20, most=109),
    Column("balance", "", 40, least=110),
    Column("short_share", "", 4, right=True),
    Column("short", "SHORT USD", 9, right=True),
    Column("short_events", "events", 7, right=True, least=100),
    Column("ratio", "long/short", 13, right=True),
)


def by_side(picture: Picture, width: int, height: int) -> Sheet:
    """Longs against shorts for each venue, and for all of them."""
    del height
    theme, counted = picture.theme, _counted(picture)
    known = counted.venues()
    venues = passing_venues(picture, known)
    subject: list[Cell] = [("by dollars", theme["muted"]), *picture.only(len(venues), len(known))]
    head = title("LONG AGAINST SHORT", subject, width, theme)
    if not counted.sum().events:
        return Sheet([head])
    columns = shown(_BY_SIDE, width)
    bar = next(column.width for column in columns if column.name == "balance")

    def line(index: int) -> Text:
        return _sided(row(columns, _sides(picture, counted, venues[index], bar), theme), theme)

    total = _sided(row(columns, _sides(picture, counted, None, bar), theme), theme)
    tail = [*([] if venues else picture.nothing_passes(width)), total]
    return Sheet([head, heading(columns, theme)], len(venues), line, tail, position=theme["muted"])


def _sides(picture: Picture, counted: Tally, venue: str | None, bar: int) -> Mapping[str, Cell]:
    theme = picture.theme
    long, short = counted.sum(venue, Side.LONG), counted.sum(venue, Side.SHORT)
    whole = long.usd + short.usd
    long_least, short_least = counted.least(venue, Side.LONG), counted.least(venue, Side.SHORT)
    return {
        "venue": ("ALL", theme["strong"]) if venue is None else (venue, theme.venue(venue)),
        "long": (sums.usd(long, theme, least=long_least), theme["side.long"]),
        "long_events": (sums.events(long, theme, least=long_least), theme["muted"]),
        "long_share": (formats.percent(long.usd, whole), theme["muted"]),
        "balance": (_balance(long.usd, whole, bar, theme), theme["text"]),
        "short_share": (formats.percent(short.usd, whole), theme["muted"]),
        "short": (sums.usd(short, theme, least=short_least), theme["side.short"]),
        "short_events": (sums.events(short, theme, least=short_least), theme["muted"]),
        "ratio": (_ratio(long, short), theme["number"]),
    }


def _balance(long: float, whole: float, width: int, theme: Theme) -> str:
    if whole <= 0.0:
        return ""
    full = round(width * long / whole)
    return theme.glyphs.long_bar * full + theme.glyphs.short_bar * (width - full)


def _sided(line: Text, theme: Theme) -> Text:
    """Colour the two parts of the balance bar by side; their glyphs differ too."""
    for glyph, token in ((theme.glyphs.long_bar, "side.long"), (theme.glyphs.short_bar, "side.short")):
        first, last = line.plain.find(glyph), line.plain.rfind(glyph)
        if first >= 0:
            line.stylize(theme[token], first, last + 1)
    return line
