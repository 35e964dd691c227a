"""Numbers large enough to read from across the room, out of block characters."""

from __future__ import annotations

from collections.abc import Mapping

_ROWS = 5
_FONT: Mapping[str, tuple[str, ...]] = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", " ##", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", " # ", " # "),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ".": (" ", " ", " ", " ", "#"),
    ",": (" ", " ", " ", "#", "#"),
    "-": ("  ", "  ", "##", "  ", "  "),
    "?": ("###", "  #", " ##", "   ", " # "),
}
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def scale(text: str, width: int, height: int) -> int:
    """The largest scale at which `text` fits into `width` by `height` cells; 0 where none does."""
    across = sum(len(_FONT[sign][0]) + 1 for sign in text) - 1
    return max(min(width // max(across, 1), 2 * height // _ROWS), 0)


def lines(text: str, size: int, *, unicode: bool = True) -> list[str]:
    """`text` (digits, point, comma, minus) with pixels `size` cells wide and `size` half cells high.

    >>> for line in lines("17", 2, unicode=False):
    ...     print(line.rstrip())
      ##    ######
    ####        ##
      ##        ##
      ##      ##
    ######    ##
    """
    pixels = [(" ".join(_FONT[sign][index] for sign in text)) for index in range(_ROWS)]
    half_rows = ["".join(pixel * size for pixel in line) for line in pixels for _ in range(size)]
    if len(half_rows) % 2:
        half_rows.append(" " * len(half_rows[0]))
    signs = _HALVES if unicode else {pair: "#" if any(pair) else " " for pair in _HALVES}
    return [
        "".join(
            signs[upper == "#", lower == "#"]
            for upper, lower in zip(half_rows[index], half_rows[index + 1], strict=True)
        )
        for index in range(0, len(half_rows), 2)
    ]
