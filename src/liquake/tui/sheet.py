"""A panel before it is cut to its height: what stands still above and below, and the rows that scroll in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from rich.style import Style
from rich.text import Text

from liquake.tui.table import stack


def _none(index: int) -> Text:
    raise IndexError(index)


class Sheet(msgspec.Struct, frozen=True):
    """Lines of one width. Rows are drawn when they are shown, so that a long list costs no more than a short one."""

    head: Sequence[Text]
    """The first of them is the title."""
    rows: int = 0
    row: Callable[[int], Text] = _none
    """The row of an index from 0 to `rows`."""
    tail: Sequence[Text] = ()
    """Right below the rows."""
    foot: Sequence[Text] = ()
    """At the lower edge."""
    position: Style = Style()
    """Of the words that tell which rows are shown."""

    def room(self, height: int) -> int:
        """Rows that a panel of `height` lines shows at once."""
        return max(height - len(self.head) - len(self.tail) - len(self.foot), 1)

    def last_first(self, height: int) -> int:
        """The row on top when the panel is scrolled to the end."""
        return max(self.rows - self.room(height), 0)

    def text(self, height: int, first: int = 0) -> Text:
        """The panel as its `lines`, one below the other."""
        return stack(self.lines(height, first))

    def lines(self, height: int, first: int = 0) -> list[Text]:
        """The panel in at most `height` lines, from the row `first` on; scrolled no further than to the end."""
        first = min(max(first, 0), self.last_first(height))
        end = min(first + self.room(height), self.rows)
        head = [self._with_position(self.head[0], first, end), *self.head[1:]] if self.head else []
        lines = [*head, *(self.row(index) for index in range(first, end)), *self.tail]
        gap = [Text()] * (height - len(lines) - len(self.foot))
        return ([*lines, *gap, *self.foot] if self.foot else lines)[:height]

    def _with_position(self, title: Text, first: int, end: int) -> Text:
        """The title with what is shown of how much in place of its rule's end."""
        if end - first == self.rows:
            return title
        words = f" {first + 1}-{end} of {self.rows:,}"
        rule = title.plain[-1:]
        if not rule or rule.isalnum() or not title.plain.endswith(rule * (len(words) + 2)):
            return title
        return title[: len(title.plain) - len(words)].append(words, self.position)
