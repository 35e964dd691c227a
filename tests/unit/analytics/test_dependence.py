"""Correlations between streams, against every product of every second, and on streams whose dependence is known."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest

from liquake.analytics.dependence import COLOUR, DECISION, LAGS, Correlation, Dependence

SECOND = 1_000_000_000


def stream(rate: float, seconds: int, random: Random) -> list[float]:
    times, at = [], 0.0
    while (at := at + random.expovariate(rate)) < seconds:
        times.append(at)
    return times


def copied(times: list[float], share: float, delay: float, own: float, random: Random) -> list[float]:
    """A stream that repeats a share of another's events a little later, and has others of its own."""
    later = [at + delay * random.random() * 2 for at in times if random.random() < share]
    return sorted(later + stream(own, round(times[-1]), random))


def fed(streams: dict[str, list[float]], seconds: int) -> Dependence:
    dependence = Dependence(list(streams))
    tape = sorted((round(at * SECOND), name) for name, times in streams.items() for at in times)
    for ts, name in tape:
        dependence.update(name, ts)
    dependence.advance((seconds + 1) * SECOND)
    return dependence


def pair(dependence: Dependence, half_life: float = DECISION) -> Correlation:
    (only,) = dependence.value(half_life)
    return only


def binned(times: list[float], start: int, seconds: int) -> list[int]:
    counts = [0] * (seconds - start)
    for at in times:
        counts[int(at) - start] += 1
    return counts


def excess_of(counts: list[int]) -> tuple[list[float], list[float]]:
    rho = 1.0 - 1.0 / Dependence.SLOW
    excess, means = [], []
    for now, count in enumerate(counts):
        weights = [rho ** (now - 1 - then) for then in range(now)]
        mean = (
            sum(w * c for w, c in zip(weights, counts, strict=False)) / sum(weights) if now >= Dependence.WARM else 0.0
        )
        means.append(mean)
        excess.append(count - mean if now >= Dependence.WARM else 0.0)
    return excess, means


def test_it_is_the_decayed_sum_of_every_product() -> None:
    random, seconds = Random(3), 400
    first = stream(0.5, seconds, random)
    second = copied(first, 0.5, 0.8, 0.3, random)
    second = [at for at in second if at < seconds]
    start = int(min(first[0], second[0]))
    (a, mean_a), (b, mean_b) = (excess_of(binned(times, start, seconds)) for times in (first, second))
    count, rho = len(a), 2.0 ** (-1.0 / DECISION)

    def summed(x: list[float], y: list[float], lag: int) -> float:
        """Of x now with y `lag` seconds before, each as old as the later of the two."""
        products = [
            x[now] * y[now - lag] * rho ** float(count - 1 - max(now, now - lag))
            for now in range(count)
            if 0 <= now - lag < count
        ]
        return float(sum(products))

    lags = range(-LAGS, LAGS + 1)
    total = sum(summed(a, b, lag) for lag in lags)
    norm = sum(summed(a, a, lag) for lag in lags) * sum(summed(b, b, lag) for lag in lags)
    expected = [x * y for x, y in zip(mean_a, mean_b, strict=True)]
    variance = sum(rho ** (2 * (count - 1 - now)) * value for now, value in enumerate(expected))
    found = pair(fed({"a": first, "b": second}, seconds))
    assert found.r == pytest.approx(total / sqrt(norm))
    assert found.z == pytest.approx(total / sqrt((2 * LAGS + 1) * variance))
    lead = sum(summed(b, a, lag) - summed(a, b, lag) for lag in range(1, LAGS + 1))
    assert found.lead_z == pytest.approx(lead / sqrt(2 * LAGS * variance))
    chance = sum(rho ** (count - 1 - now) * value for now, value in enumerate(expected))
    assert found.coincidences == pytest.approx((2 * LAGS + 1) * chance)


@pytest.fixture(scope="module")
def independent() -> list[Correlation]:
    """Pairs of independent streams, read every 20 minutes for hours."""
    random, found = Random(11), []
    for _ in range(8):
        streams = {name: stream(0.5, 7200, random) for name in "abcd"}
        dependence = Dependence(list(streams))
        tape = sorted((round(at * SECOND), name) for name, times in streams.items() for at in times)
        due = 1200 * SECOND
        for ts, name in tape:
            if ts >= due:
                found += dependence.value()
                due += 1200 * SECOND
            dependence.update(name, ts)
    return found


def test_independent_streams_look_so(independent: list[Correlation]) -> None:
    assert len(independent) > 200
    beyond = sum(abs(cell.z) > 1.96 for cell in independent) / len(independent)
    covered = sum(cell.low <= 0.0 <= cell.high for cell in independent) / len(independent)
    assert beyond <= 0.10
    assert covered >= 0.90
    assert sum(cell.significant for cell in independent) <= 0.01 * len(independent)


def test_a_copied_stream_is_found_at_its_true_strength_and_its_source_leads() -> None:
    found = []
    for seed in range(20):
        random = Random(seed)
        first = stream(0.5, 3600, random)
        found.append(pair(fed({"a": first, "b": copied(first, 0.5, 0.8, 0.25, random)}, 3600)))
    assert sum(cell.r for cell in found) / len(found) == pytest.approx(0.5, abs=0.08)
    assert sum(cell.z > 3.0 for cell in found) >= 18
    assert all(cell.lead_z > 0.0 for cell in found)
    assert sum(cell.leader == "a" for cell in found) >= 8
    assert not any(cell.leader == "b" for cell in found)


def test_the_short_memory_sees_it_less_surely() -> None:
    random = Random(2)
    first = stream(0.5, 3600, random)
    dependence = fed({"a": first, "b": copied(first, 0.5, 0.8, 0.25, random)}, 3600)
    short, long = pair(dependence, COLOUR), pair(dependence, DECISION)
    assert short.high - short.low > 1.5 * (long.high - long.low)


def test_sparse_streams_are_insufficient_data_even_when_they_coincide() -> None:
    times = [100.0 + 50.0 * step for step in range(20)]
    cell = pair(fed({"a": times, "b": times}, 1100))
    assert cell.r > 0.7
    assert not cell.sufficient
    assert not cell.significant
    assert cell.leader is None


def test_a_stream_never_seen_is_insufficient_data() -> None:
    cell = pair(fed({"a": [float(second) for second in range(500)], "b": []}, 600))
    assert (cell.r, cell.low, cell.high, cell.z, cell.sufficient) == (0.0, -1.0, 1.0, 0.0, False)


def test_bursts_of_their_own_do_not_make_independent_streams_significant() -> None:
    wrong = 0
    for seed in range(20):
        random = Random(seed)
        streams = {}
        for name in "ab":
            parents = stream(0.1, 3600, random)
            streams[name] = sorted(
                time for at in parents for _ in range(5) if (time := at + random.expovariate(0.5)) < 3600
            )
        wrong += pair(fed(streams, 3600)).significant
    assert wrong <= 1


def test_order_of_arrival_within_the_watermark_does_not_matter() -> None:
    random = Random(6)
    streams = {name: stream(1.0, 600, random) for name in "abc"}
    tape = sorted((round(at * SECOND), name) for name, times in streams.items() for at in times)
    late = sorted(tape, key=lambda event: event[0] + random.random() * 0.99 * SECOND)
    late.remove(tape[0])
    one, other = Dependence("abc"), Dependence("abc")
    for dependence, events in ((one, tape), (other, [tape[0], *late])):
        for ts, name in events:
            dependence.update(name, ts)
        dependence.advance(700 * SECOND)
    for cell, again in zip(one.value(), other.value(), strict=True):
        assert again[2:] == pytest.approx(cell[2:], rel=1e-9)


def test_reading_changes_nothing() -> None:
    random = Random(6)
    dependence = fed({name: stream(1.0, 300, random) for name in "abc"}, 300)
    assert dependence.value(COLOUR) != dependence.value(DECISION)
    assert dependence.value() == dependence.value()


def test_a_gap_of_one_feed_leaves_the_others_alone() -> None:
    random = Random(6)
    dependence = fed({name: stream(1.0, 600, random) for name in "abc"}, 600)
    before = {(cell.first, cell.second): cell for cell in dependence.value()}
    dependence.update("b", 601 * SECOND)
    dependence.reset("gap at b", "b")
    dependence.advance(603 * SECOND)
    dependence.reset("gap at b", "b")
    after = {(cell.first, cell.second): cell for cell in dependence.value()}
    assert after["a", "c"].r == pytest.approx(before["a", "c"].r, abs=0.05)
    assert (after["a", "b"].sufficient, after["b", "c"].sufficient) == (False, False)
    assert dependence.reason == "gap at b"


def test_a_long_silence_is_forgotten_and_not_counted() -> None:
    random = Random(6)
    dependence = fed({name: stream(1.0, 600, random) for name in "ab"}, 600)
    assert pair(dependence).sufficient
    dependence.advance(10_000 * SECOND)
    assert not pair(dependence).sufficient
    assert dependence.reason == "silence"
