"""What a throttle hid, told by complete feeds of the same market, on streams whose truth is known."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from random import Random
from statistics import median

import pytest

from liquake.analytics.thinning import HOUR, Behind, Crowd, Profile, behind, share_behind
from liquake.model import Throttle

SECOND = 1_000_000_000
Order = tuple[int, float]


def cascades(random: Random, seconds: int = 3600, share: float = 1.0) -> list[Order]:
    """Orders that come alone, and in bursts of dozens within a few seconds."""
    rates = [0.05] * seconds
    for _ in range(6):
        start = random.randrange(seconds - 20)
        for second in range(start, start + 15):
            rates[second] += 12.0 * random.expovariate(1.0)
    found = []
    for second, rate in enumerate(rates):
        at = random.expovariate(rate * share)
        while at < 1.0:
            found.append((round((second + at) * SECOND), random.lognormvariate(8.0, 1.3)))
            at += random.expovariate(rate * share)
    return found


def split(orders: list[Order], share: float, random: Random) -> tuple[list[Order], list[Order]]:
    """Each to one of two venues, independently."""
    here: list[Order] = []
    there: list[Order] = []
    for order in orders:
        (here if random.random() < share else there).append(order)
    return here, there


def shown(orders: list[Order], rule: Throttle) -> list[Order]:
    kept: dict[int, Order] = {}
    for ts, usd in orders:
        held = kept.get(ts // SECOND)
        if rule is Throttle.LATEST or held is None or usd > held[1]:
            kept[ts // SECOND] = ts, usd
    return list(kept.values())


def profile_of(orders: list[Order]) -> Profile:
    seconds = defaultdict[int, list[float]](list)
    for ts, usd in orders:
        seconds[ts // SECOND].append(usd)
    profile = Profile()
    for sizes in seconds.values():
        profile.add(sizes)
    return profile


@pytest.mark.parametrize("rule", [Throttle.LATEST, Throttle.LARGEST])
@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
def test_the_truth_of_cascades_lies_within_the_band_nine_times_in_ten(rule: Throttle, share: float) -> None:
    within, widths = [0, 0], []
    for seed in range(30):
        random = Random(seed)
        hidden, complete = split(cascades(random), share, random)
        seen = shown(hidden, rule)
        usd = sum(size for _, size in seen)
        found = behind(len(seen), usd, profile_of(complete), rule)
        assert found is not None
        events, dollars = found[0].band(len(seen)), found[1].band(usd)
        within[0] += events.low <= len(hidden) <= events.high
        within[1] += dollars.low <= sum(size for _, size in hidden) <= dollars.high
        widths.append(events.high / events.low)
    assert min(within) >= 27
    assert median(widths) < 3.0


def test_a_larger_venue_is_told_by_a_smaller_one_up_to_nearly_twice_its_size() -> None:
    random = Random(2)
    orders, complete = split(cascades(random, share=3.0), 0.61, random)
    share = share_behind(len(shown(orders, Throttle.LATEST)), profile_of(complete))
    assert share == pytest.approx(0.61 / 0.39, rel=0.1)


def test_what_the_complete_venues_cannot_explain_has_no_band() -> None:
    complete = profile_of([(second * SECOND, 1.0) for second in range(30)])
    assert behind(100, 100.0, complete, Throttle.LATEST) is None
    assert behind(3, 3.0, profile_of([(0, 1.0)]), Throttle.LATEST) is None


def test_orders_that_come_alone_hide_nothing() -> None:
    complete = profile_of([(second * 10 * SECOND, 100.0) for second in range(200)])
    found = behind(100, 5_000.0, complete, Throttle.LARGEST)
    assert found is not None
    assert found[0].value == pytest.approx(100.0)
    assert found[1].value == pytest.approx(5_000.0)
    assert found[1].band(5_000.0) == pytest.approx((5_000.0, 5_000.0), rel=1e-4)


def test_a_band_is_never_below_what_was_shown() -> None:
    band = Behind(100.0, 400.0, 10.0).band(95.0)
    assert band.low == 95.0
    assert band.high > 140.0


def test_a_crowd_forgets_what_is_an_hour_old() -> None:
    crowd = Crowd()
    crowd.update(0, 5.0)
    crowd.update(SECOND // 2, 7.0)
    crowd.update(2 * SECOND, 1.0)
    crowd.advance(3 * SECOND)
    assert crowd.profile.orders == [2, 1]
    assert crowd.profile.dollars == {Throttle.LATEST: [8.0, 5.0], Throttle.LARGEST: [8.0, 5.0]}
    crowd.advance(HOUR + 2 * SECOND)
    assert (crowd.profile.orders, crowd.profile.total) == ([1, 0], 1)
    crowd.advance(HOUR + 3 * SECOND)
    assert crowd.profile.total == 0


def test_profiles_add_up() -> None:
    one, other = profile_of([(0, 1.0), (1, 2.0)]), profile_of([(0, 4.0)])
    both = one.merged(other)
    assert both.orders == [2, 1]
    assert both.dollars[Throttle.LARGEST] == [6.0, 1.0]
    assert (both.usd, both.squares, both.total) == (7.0, 21.0, 3)


def test_few_crowded_seconds_do_not_hide_the_share_that_is_plain() -> None:
    """Beyond a share of 1 their series runs away at once: nothing of that is asked."""
    deep = Profile()
    for _ in range(30):
        deep.add([1.0] * 40)
    found = share_behind(20.0, deep)
    assert found is not None
    assert 1.0 - (1.0 - found) ** 40 == pytest.approx(20 / 30)
    assert share_behind(31.0, deep) is None


def test_next_to_nothing_with_much_doubt_has_no_upper_bound() -> None:
    assert Behind(1e-6, 1.0, 0.0).band(0.0) == (0.0, inf)
    assert Behind(0.0, 1.0, 0.0).band(0.0) == (0.0, 0.0)
    assert Behind(100.0, 400.0, 10.0).band(95.0).high < inf
