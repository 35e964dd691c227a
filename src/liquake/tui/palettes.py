"""Hues by meaning, one palette per theme. Every palette answers every token.

Colour never stands alone: a word or a glyph says the same beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_DARK = {
    "heat.0": "#7d8794",
    "heat.1": "#c8ced6",
    "heat.2": "#e0b04c",
    "heat.3": "bold #ff9d5c",
    "heat.4": "bold #14181d on #ff7b54",
    "text": "#c8ced6",
    "strong": "bold #f2f5f8",
    "muted": "#7d8794",
    "faint": "#3a424d",
    "title": "bold #9aa5b3",
    "number": "#dfe4ea",
    "venue.binance": "#f0c33c",
    "venue.bybit": "#3fc9d4",
    "venue.okx": "#6f9bff",
    "venue.hyperliquid": "#d67ad9",
    "venue.other.0": "#e08f5c",
    "venue.other.1": "#9fc46b",
    "venue.other.2": "#a992e8",
    "venue.other.3": "#6fc2a4",
    "side.long": "#f2566b",
    "side.short": "#35c78a",
    "state.live": "#8fb98a",
    "state.waiting": "#e0b04c",
    "state.trouble": "bold #ff7b54",
    "age.LIVE": "bold #f2f5f8",
    "age.ACT": "#c8ced6",
    "age.idle": "#7d8794",
    "age.old": "#5a6470",
    "loud": "bold",
    "key": "bold #c8ced6",
    "mode.LIVE": "bold #8fb98a",
    "mode.DEMO": "bold #e0b04c",
    "mode.REPLAY": "bold #6f9bff",
    "paused": "bold #14181d on #e0b04c",
    "chart.band": "#4a5563",
    "focus": "reverse",
    "tab": "#7d8794",
    "tab.open": "bold #14181d on #9aa5b3",
}

_LIGHT = {
    "heat.0": "#6b7480",
    "heat.1": "#1d242c",
    "heat.2": "#8f5f00",
    "heat.3": "bold #b83200",
    "heat.4": "bold #ffffff on #b83200",
    "text": "#3b434d",
    "strong": "bold #0f141a",
    "muted": "#6b7480",
    "faint": "#c3cad2",
    "title": "bold #4d5763",
    "number": "#1d242c",
    "venue.binance": "#8f6a00",
    "venue.bybit": "#00737f",
    "venue.okx": "#2a5bd0",
    "venue.hyperliquid": "#9b2fa0",
    "venue.other.0": "#a3500f",
    "venue.other.1": "#4f7a16",
    "venue.other.2": "#6a4cc0",
    "venue.other.3": "#1f7a5a",
    "side.long": "#c01f3a",
    "side.short": "#0b7a48",
    "state.live": "#3f7a38",
    "state.waiting": "#8f5f00",
    "state.trouble": "bold #b83200",
    "age.LIVE": "bold #0f141a",
    "age.ACT": "#3b434d",
    "age.idle": "#6b7480",
    "age.old": "#98a1ab",
    "loud": "bold",
    "key": "bold #1d242c",
    "mode.LIVE": "bold #3f7a38",
    "mode.DEMO": "bold #8f5f00",
    "mode.REPLAY": "bold #2a5bd0",
    "paused": "bold #ffffff on #8f5f00",
    "chart.band": "#b3bcc6",
    "focus": "reverse",
    "tab": "#6b7480",
    "tab.open": "bold #ffffff on #4d5763",
}

_AMBER = dict.fromkeys(_DARK, "#d9962b") | {
    "heat.0": "#96661c",
    "heat.1": "#d9962b",
    "heat.2": "#ffc65c",
    "heat.3": "bold #ff8a3d",
    "heat.4": "bold reverse #ff8a3d",
    "strong": "bold #ffc65c",
    "muted": "#96661c",
    "faint": "#4d3510",
    "title": "bold #c2831f",
    "number": "#f0ac3c",
    "side.long": "bold #ff8a3d",
    "side.short": "#ffe08a",
    "state.waiting": "#ffc65c",
    "state.trouble": "bold reverse #ff8a3d",
    "age.LIVE": "bold #ffc65c",
    "age.idle": "#96661c",
    "age.old": "#6b4913",
    "loud": "bold",
    "key": "bold #f0ac3c",
    "mode.LIVE": "bold #d9962b",
    "mode.DEMO": "bold reverse #d9962b",
    "mode.REPLAY": "bold #ffc65c",
    "paused": "bold #140d02 on #ffc65c",
    "chart.band": "#6b4913",
    "focus": "reverse",
    "tab": "#96661c",
    "tab.open": "bold #140d02 on #d9962b",
}
"""One phosphor: sides and states differ in brightness, and by their words."""

_COLOURBLIND = _DARK | {
    "heat.0": "#7d8794",
    "heat.1": "#c8ced6",
    "heat.2": "#f0e442",
    "heat.3": "bold #ee9b2f",
    "heat.4": "bold reverse #ee9b2f",
    "side.long": "#ee9b2f",
    "side.short": "#5bb4ef",
    "state.live": "#7fb0c9",
    "state.waiting": "#f0e442",
    "state.trouble": "bold reverse #ee9b2f",
    "mode.LIVE": "bold #7fb0c9",
    "venue.binance": "#f0e442",
    "venue.bybit": "#56c5e8",
    "venue.okx": "#8aa4f0",
    "venue.hyperliquid": "#e59ac6",
    "venue.other.0": "#d5a56b",
    "venue.other.1": "#b8c4d0",
    "venue.other.2": "#a89bd8",
    "venue.other.3": "#72b7a1",
}
"""Orange and blue for the sides, which every common kind of colour blindness tells apart (Okabe and Ito, 2008)."""

_MONO = dict.fromkeys(_DARK, "") | {
    "heat.0": "dim",
    "heat.1": "",
    "heat.2": "bold",
    "heat.3": "bold underline",
    "heat.4": "bold reverse",
    "strong": "bold",
    "muted": "dim",
    "faint": "dim",
    "title": "bold",
    "side.long": "bold",
    "state.waiting": "bold",
    "state.trouble": "bold reverse",
    "age.LIVE": "bold",
    "age.idle": "dim",
    "age.old": "dim",
    "loud": "bold",
    "key": "bold",
    "mode.LIVE": "bold",
    "mode.DEMO": "bold reverse",
    "mode.REPLAY": "bold",
    "paused": "bold reverse",
    "chart.band": "dim",
    "focus": "reverse",
    "tab.open": "bold reverse",
}

PALETTES: Mapping[str, Mapping[str, str]] = {
    "dark": _DARK,
    "light": _LIGHT,
    "amber": _AMBER,
    "colourblind": _COLOURBLIND,
    "mono": _MONO,
}
"""By name, the default first."""


class Ground(msgspec.Struct, frozen=True):
    """What the text stands on."""

    background: str
    surface: str
    """Of what lies above the panels."""
    scrollbar: str
    dark: bool = True


_NIGHT = Ground("#0d1014", "#171b21", "#3a424d")
GROUNDS: Mapping[str, Ground] = {
    "dark": _NIGHT,
    "light": Ground("#f7f8fa", "#e9ecf0", "#b3bcc6", dark=False),
    "amber": Ground("#100b03", "#1c1406", "#4d3510"),
    "colourblind": _NIGHT,
}
"""By theme; mono leaves the terminal's own."""
