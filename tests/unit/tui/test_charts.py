"""Curves, bars and what they are made of."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from liquake.engine.snapshot import Series
from liquake.model import Side
from liquake.tui.panels.charts import WINDOW, velocities
from liquake.tui.panels.prints import grouped
from liquake.tui.plot import Canvas, Scale, band, curve, mirrored_bars
from liquake.tui.sheet import Sheet
from tests.screens.moments import SECOND, liquidation

NONE = Style()


def _series(events: list[int], usd: list[float]) -> Series:
    zeros = tuple(0 for _ in events)
    squares = tuple(value * value for value in usd)
    return Series(1.0, len(events) * SECOND, tuple(events), zeros, tuple(usd), tuple(map(float, zeros)), squares)


def test_velocity_is_the_count_of_ten_seconds_with_the_error_of_a_poisson_stream() -> None:
    points = velocities(_series([4] * 20, [0.0] * 20), 0, 20 * SECOND, dollars=False)
    assert points[: WINDOW - 1] == [None] * (WINDOW - 1)
    assert points[-1] == (4.0, 40**0.5 / 10)


def test_dollars_have_the_error_that_their_largest_event_gives_them() -> None:
    points = velocities(_series([1] * 10, [0.0] * 9 + [1000.0]), 0, 10 * SECOND, dollars=True)
    assert points[-1] == (100.0, 100.0)


def test_nothing_is_drawn_before_the_start_nor_where_prints_are_on_their_way() -> None:
    points = velocities(_series([1] * 30, [1.0] * 30), 5 * SECOND, 28 * SECOND, dollars=False)
    known = [index for index, point in enumerate(points) if point is not None]
    assert (known[0], known[-1]) == (14, 27)


def test_a_curve_is_joined_and_has_a_hole_where_nothing_is_known() -> None:
    canvas = Canvas(4, 1)
    curve(canvas, Scale(0.0, 3.0, canvas.down), [0.0, 3.0, None, None, 0.0, 0.0, 0.0, 0.0], NONE)
    assert [line.plain for line in canvas.lines()] == ["⡸ ⣀⣀"]


def test_a_curve_without_braille_is_stars() -> None:
    canvas = Canvas(4, 2, unicode=False)
    curve(canvas, Scale(0.0, 1.0, canvas.down), [0.0, 1.0, 1.0, 0.0], NONE)
    assert [line.plain for line in canvas.lines()] == [" ** ", "*  *"]


def test_the_band_of_the_error_has_a_sign_of_its_own_without_colour() -> None:
    canvas = Canvas(3, 3, unicode=False)
    band(canvas, Scale(0.0, 2.0, canvas.down), [(1.0, 1.0)] * 3, NONE, NONE)
    assert [line.plain for line in canvas.lines()] == [":::", "***", ":::"]


def test_bars_share_one_scale_and_the_smallest_is_still_seen() -> None:
    lines = mirrored_bars([4.0, 0.0, 0.001], [2.0, 0.0, 0.0], 4, (NONE, NONE))
    assert [line.plain for line in lines] == ["█  ", "█ ▄", "█  ", "   "]


def test_a_sheet_scrolls_to_its_ends_and_says_where_it_is() -> None:
    sheet = Sheet([Text("ROWS " + "-" * 30)], 9, lambda index: Text(f"row {index}"))
    assert sheet.last_first(4) == 6
    assert sheet.text(4, 99).plain.split("\n")[1:] == ["row 6", "row 7", "row 8"]
    assert sheet.text(4).plain.split("\n")[0].endswith(" 1-3 of 9")
    assert sheet.text(10).plain.split("\n")[0].endswith("---")


def test_prints_of_one_moment_are_one_line_with_their_sum() -> None:
    entries = [
        liquidation("okx", "BTC", Side.LONG, 100.0, 1.0, 0.0),
        liquidation("okx", "ETH", Side.LONG, 100.0, 1.0, 0.2),
        liquidation("okx", "BTC", Side.LONG, 100.0, 2.0, 0.5),
        liquidation("okx", "BTC", Side.SHORT, 100.0, 4.0, 0.6),
        liquidation("okx", "BTC", Side.LONG, 100.0, 8.0, 1.0),
    ]
    together = [(each.latest.asset, each.latest.side.value, each.count, each.amount) for each in grouped(entries, 1.0)]
    assert together == [
        ("BTC", "LONG", 2, 3.0),
        ("ETH", "LONG", 1, 1.0),
        ("BTC", "SHORT", 1, 4.0),
        ("BTC", "LONG", 1, 8.0),
    ]
    assert [each.count for each in grouped(entries, 0.0)] == [1] * 5


def test_a_sum_with_an_unknown_size_in_it_is_at_least() -> None:
    entries = [
        liquidation("okx", "BTC", Side.LONG, 100.0, 1.0, 0.0),
        liquidation("okx", "BTC", Side.LONG, 100.0, None, 0.5),
    ]
    assert [(each.usd, each.least) for each in grouped(entries, 1.0)] == [(100.0, True)]
    assert grouped(entries[1:], 1.0)[0].usd is None
