"""What throttled feeds leave out, on streams whose truth is known."""

from __future__ import annotations

from math import inf, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.throttle import BLOCK, Estimate, RuleCheck, ThrottledSymbol, orders_per_print, rate_behind
from liquake.model import Throttle

SECOND = 1_000_000_000
Order = tuple[int, float]


def orders(rate: float, seconds: int, seed: int, clustered: bool = False) -> list[Order]:
    random, found, at = Random(seed), list[Order](), 0.0
    while at < seconds:
        pace = rate * random.expovariate(1.0) if clustered else rate
        end = at + 1.0
        while (at := at + random.expovariate(max(pace, 1e-9))) < end:
            found.append((round(at * SECOND), random.lognormvariate(8.0, 1.5)))
        at = end
    return [order for order in found if order[0] < seconds * SECOND]


def throttled(tape: list[Order], rule: Throttle) -> list[Order]:
    """One per second: the latest, or the largest."""
    shown: dict[int, Order] = {}
    for ts, usd in tape:
        before = shown.get(ts // SECOND)
        if rule is Throttle.LATEST or before is None or usd > before[1]:
            shown[ts // SECOND] = (ts, usd)
    return list(shown.values())


def estimates(shown: list[Order], rule: Throttle) -> list[Estimate]:
    symbol = ThrottledSymbol(rule)
    closed = [block for ts, usd in shown for block in symbol.update(ts, usd)]
    return closed + symbol.advance(10**6 * SECOND)


def ratio(tape: list[Order], rule: Throttle, believed: Throttle | None = None) -> tuple[float, float]:
    """Estimated over true, of events and of dollars."""
    blocks = estimates(throttled(tape, rule), believed or rule)
    return (
        sum(block.events for block in blocks) / len(tape),
        sum(block.usd for block in blocks) / sum(usd for _, usd in tape),
    )


def test_golden_numbers() -> None:
    assert rate_behind(0.632) == pytest.approx(1.0, abs=5e-4)
    assert orders_per_print(rate_behind(0.632)) == pytest.approx(1.582, abs=5e-4)
    assert (rate_behind(0.0), rate_behind(1.0), orders_per_print(0.0)) == (0.0, inf, 1.0)


@pytest.mark.parametrize("rule", [Throttle.LATEST, Throttle.LARGEST])
@pytest.mark.parametrize("rate", [0.05, 0.5, 2.0])
def test_a_steady_rate_is_recovered_from_what_is_shown(rule: Throttle, rate: float) -> None:
    tape = orders(rate, 14_400, seed=7)
    events, usd = ratio(tape, rule)
    assert events == pytest.approx(1.0, abs=0.06)
    assert usd == pytest.approx(1.0, abs=0.12)


def test_far_beyond_the_throttle_it_is_a_lower_bound_that_says_so() -> None:
    tape = orders(20.0, 3600, seed=1)
    for rule in (Throttle.LATEST, Throttle.LARGEST):
        shown = throttled(tape, rule)
        blocks = estimates(shown, rule)
        assert all(block.saturated and block.error == inf for block in blocks)
        events, usd = ratio(tape, rule)
        assert len(shown) / len(tape) < events < 0.5
        assert usd < 1.0
    # The largest of each second tells much of the dollars even then: they are in the largest orders.
    assert ratio(tape, Throttle.LARGEST)[1] > 0.7


def test_the_wrong_rule_overstates_dollars() -> None:
    tape = orders(2.0, 14_400, seed=3)
    assert ratio(tape, Throttle.LARGEST, believed=Throttle.LATEST)[1] > 1.5
    assert ratio(tape, Throttle.LARGEST)[1] == pytest.approx(1.0, abs=0.1)


def test_clustering_makes_it_low_and_never_high() -> None:
    tape = orders(4.0, 7200, seed=5, clustered=True)
    for rule in (Throttle.LATEST, Throttle.LARGEST):
        events, usd = ratio(tape, rule)
        assert events < 0.9
        assert usd < 1.05


def test_a_lone_order_is_one_order() -> None:
    (block,) = estimates([(100 * SECOND, 5000.0)], Throttle.LARGEST)
    assert (block.start, block.end) == (90 * SECOND, 120 * SECOND)
    assert block.events == pytest.approx(1.0, abs=1e-3)
    assert block.usd == pytest.approx(5000.0, rel=1e-3)


@given(st.lists(st.tuples(st.integers(0, 120), st.floats(1.0, 1e6)), max_size=60), st.sampled_from(list(Throttle)))
def test_it_is_never_less_than_what_was_shown(shown: list[tuple[int, float]], rule: Throttle) -> None:
    for block in estimates(sorted((second * SECOND, usd) for second, usd in shown), rule):
        assert block.events >= block.shown_events
        assert block.usd >= block.shown_usd * (1 - 1e-12)
        assert block.events_factor >= 1.0


def test_a_complete_feed_is_left_as_it_is() -> None:
    tape = orders(5.0, 300, seed=2)
    blocks = estimates(tape, Throttle.NONE)
    assert sum(block.events for block in blocks) == len(tape)
    assert sum(block.usd for block in blocks) == pytest.approx(sum(usd for _, usd in tape))
    assert {(block.error, block.saturated, block.events_factor) for block in blocks} == {(0.0, False, 1.0)}


def test_the_error_is_that_of_many_blocks() -> None:
    blocks = estimates(throttled(orders(1.0, 60_000, seed=8), Throttle.LATEST), Throttle.LATEST)
    mean = sum(block.events for block in blocks) / len(blocks)
    spread = (sum((block.events - mean) ** 2 for block in blocks) / len(blocks)) ** 0.5
    said = sum(block.error for block in blocks if not block.saturated) / len(blocks)
    assert said == pytest.approx(spread, rel=0.15)


def test_unknown_dollars_count_as_orders_only() -> None:
    symbol = ThrottledSymbol(Throttle.LATEST)
    for second in range(5):
        symbol.update(second * SECOND, None)
    (block,) = symbol.advance(100 * SECOND)
    assert (block.shown_events, block.shown_usd, block.usd, block.usd_factor) == (5, 0.0, 0.0, 1.0)


def test_the_open_block_can_be_read_without_closing_it() -> None:
    symbol = ThrottledSymbol(Throttle.LATEST)
    assert symbol.value(0) is None
    for second in range(10):
        symbol.update(second * SECOND, 100.0)
    read = symbol.value(9 * SECOND)
    assert read == symbol.value(9 * SECOND)
    assert read is not None
    assert read.shown_events == 10
    assert read.events == pytest.approx(BLOCK * log(30.5 / 20.5))
    assert symbol.advance(30 * SECOND) == []
    assert symbol.advance(31 * SECOND) == [read]
    assert symbol.value(31 * SECOND) is None


def test_order_of_arrival_within_the_watermark_does_not_matter() -> None:
    random = Random(1)
    shown = throttled(orders(1.0, 600, seed=4), Throttle.LARGEST)
    late = sorted(shown, key=lambda order: order[0] + random.random() * 0.99 * SECOND)
    assert estimates(late, Throttle.LARGEST) == estimates(shown, Throttle.LARGEST)


def test_reset_drops_the_block_a_gap_has_eaten() -> None:
    symbol = ThrottledSymbol(Throttle.LATEST)
    symbol.update(SECOND, 5.0)
    symbol.reset("gap")
    assert (symbol.advance(100 * SECOND), symbol.reason) == ([], "gap")


def checked(rule: Throttle) -> tuple[float, float]:
    check = RuleCheck()
    for seed, rate in enumerate([0.1, 0.3, 1.0, 2.0] * 20):
        shown = throttled(orders(rate, 300, seed), rule)
        for start in range(0, 300, BLOCK):
            logs = [log(usd) for ts, usd in shown if start <= ts / SECOND < start + BLOCK]
            if logs:
                check.update(sum(logs) / len(logs), len(logs))
    slope = check.value()
    assert slope is not None
    return slope


def test_the_rule_a_feed_follows_shows_in_its_sizes() -> None:
    slope, error = checked(Throttle.LATEST)
    assert abs(slope) < 3 * error
    slope, error = checked(Throttle.LARGEST)
    assert slope > 10 * error


def test_too_few_blocks_tell_no_rule() -> None:
    check = RuleCheck()
    for _ in range(RuleCheck.LEAST_BLOCKS):
        check.update(5.0, 1)
        assert check.value() is None
        check.update(5.0, 7)
    assert check.value() is None
    check.reset("rule changed")
    assert check.reason == "rule changed"
