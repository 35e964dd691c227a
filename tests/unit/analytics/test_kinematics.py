from __future__ import annotations

import random
from math import comb, exp, factorial, sqrt

import pytest

from liquake.analytics.kinematics import KINEMATIC_WINDOWS, SQUARES_TIME_CONSTANT, Derivative, Kinematics, Motion

SECOND = 1_000_000_000


def numbers(motion: Motion) -> tuple[float, ...]:
    return tuple(
        number
        for derivative in (motion.velocity, motion.acceleration, motion.jerk)
        for number in (derivative.value, derivative.error)
    )


def everything(kinematics: Kinematics, now: int) -> list[float]:
    return [number for pair in kinematics.value(now) for motion in pair for number in numbers(motion)]


def reference(events: list[tuple[int, float]], now: int, window: float) -> tuple[float, float, float]:
    """The definition: a sum over all events of Erlang kernels."""
    tau = window / 2.0
    s = [
        sum(w * (age / tau) ** k * exp(-age / tau) / (factorial(k) * tau) for w, age in weighted)
        for k in range(3)
        for weighted in [[(w, (now - time) / SECOND) for time, w in events]]
    ]
    return s[0], (s[0] - s[1]) / tau, (s[0] - 2 * s[1] + s[2]) / tau**2


def after(events: list[tuple[int, float]]) -> Kinematics:
    kinematics = Kinematics()
    for time, usd in events:
        kinematics.update(time, usd)
    return kinematics


def busy(count: int = 500) -> list[tuple[int, float]]:
    rng = random.Random(5)
    return [(rng.randrange(100 * SECOND), rng.lognormvariate(8, 1.5)) for _ in range(count)]


def test_two_events_at_tau_of_one_second_give_the_golden_numbers() -> None:
    counts, dollars = after([(0, 1.0), (SECOND, 1.0)]).value(2 * SECOND)[KINEMATIC_WINDOWS.index(2.0)]
    s0, s1, s2 = 0.503215, 0.638550, 0.454610
    for motion in (counts, dollars):
        assert motion.velocity.value == pytest.approx(s0, abs=1e-6)
        assert motion.acceleration.value == pytest.approx(s0 - s1, abs=1e-6)
        assert motion.jerk.value == pytest.approx(s0 - 2 * s1 + s2, abs=2e-6)
        assert motion.jerk.value == pytest.approx(-exp(-2) - exp(-1) / 2, rel=1e-12)


@pytest.mark.parametrize("scale", range(5))
def test_every_scale_is_the_sum_of_its_kernels(scale: int) -> None:
    events = sorted(busy())
    now = 100 * SECOND
    counts, dollars = after(events).value(now)[scale]
    expected_counts = reference([(time, 1.0) for time, _ in events], now, KINEMATIC_WINDOWS[scale])
    expected_dollars = reference(events, now, KINEMATIC_WINDOWS[scale])
    for motion, expected in ((counts, expected_counts), (dollars, expected_dollars)):
        values = (motion.velocity.value, motion.acceleration.value, motion.jerk.value)
        assert values == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("window", "velocity", "acceleration", "jerk"),
    [
        (0.1, 5.48, 77.5, 1342.0),
        (0.5, 2.45, 6.93, 24.0),
        (2.0, 1.22, 0.866, 0.750),
        (10.0, 0.548, 0.0775, 0.0134),
        (60.0, 0.224, 0.00527, 0.000152),
    ],
)
def test_standard_errors_at_three_events_per_second(
    window: float, velocity: float, acceleration: float, jerk: float
) -> None:
    # The errors go with the root of the estimated rate: scale what is read to a rate of exactly 3 per second.
    motion = after([(number * SECOND // 3, 0.0) for number in range(1_500)]).value(500 * SECOND)[
        KINEMATIC_WINDOWS.index(window)
    ][0]
    to_three = sqrt(3.0 / motion.velocity.value)
    read = (motion.velocity.error, motion.acceleration.error, motion.jerk.error)
    assert [error * to_three for error in read] == pytest.approx([velocity, acceleration, jerk], rel=5e-3)
    exact = [sqrt(3.0 * comb(2 * k, k) / window ** (2 * k + 1)) for k in range(3)]
    assert [error * to_three for error in read] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("scale", range(5))
def test_chain_and_adjacent_windows_have_the_same_variance(scale: int) -> None:
    # Campbell: the variance at one event per second is the integral of the squared response to a single event.
    window, steps = KINEMATIC_WINDOWS[scale], 8_000
    kinematics = after([(0, 0.0)])
    width = 20.0 * window / steps
    integrals = [0.0, 0.0, 0.0]
    for step in range(steps):
        counts, _ = kinematics.value(round((step + 0.5) * width * SECOND))[scale]
        for k, derivative in enumerate((counts.velocity, counts.acceleration, counts.jerk)):
            integrals[k] += derivative.value**2 * width
    # The k-th difference of adjacent windows weighs them with the binomials of k.
    boxcar = [sum(comb(k, j) ** 2 for j in range(k + 1)) / window ** (2 * k + 1) for k in range(3)]
    assert integrals == pytest.approx(boxcar, rel=1e-3)


def test_spread_over_many_poisson_streams_is_the_standard_error() -> None:
    rng = random.Random(11)
    rate, window, scale = 3.0, 2.0, KINEMATIC_WINDOWS.index(2.0)
    read: list[tuple[float, float, float]] = []
    for _ in range(1_500):
        times, time = [], 0.0
        while (time := time + rng.expovariate(rate)) < 12.0:
            times.append((round(time * SECOND), 1.0))
        counts, _ = after(times).value(12 * SECOND)[scale]
        read.append((counts.velocity.value, counts.acceleration.value, counts.jerk.value))
    for k, values in enumerate(zip(*read, strict=True)):
        mean = sum(values) / len(values)
        spread = sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
        assert spread == pytest.approx(sqrt(rate * comb(2 * k, k) / window ** (2 * k + 1)), rel=0.08)
        assert mean == pytest.approx(rate if k == 0 else 0.0, abs=5 * spread / sqrt(len(values)))


def test_events_in_any_order_are_absorbed_exactly() -> None:
    events = busy()
    in_order = everything(after(sorted(events)), 100 * SECOND)
    shuffled = everything(after(events), 100 * SECOND)
    assert shuffled == pytest.approx(in_order, rel=1e-9, abs=1e-12)


def test_two_half_steps_are_one_step() -> None:
    events = sorted(busy(50))
    now = events[-1][0] + 3 * SECOND
    whole, halves = after(events), after(events)
    # An event of no weight in the dollars makes the state step; its own count is taken off by comparing dollars only.
    halves.update(events[-1][0] + SECOND, 0.0)
    for (_, one), (_, two) in zip(whole.value(now), halves.value(now), strict=True):
        values = [(m.velocity.value, m.acceleration.value, m.jerk.value) for m in (one, two)]
        assert values[1] == pytest.approx(values[0], rel=1e-12, abs=1e-30)


def test_reading_changes_nothing() -> None:
    looked_at, left_alone = Kinematics(), Kinematics()
    for time, usd in sorted(busy()):
        looked_at.update(time, usd)
        looked_at.value(time + 1)
        left_alone.update(time, usd)
    assert looked_at.state() == left_alone.state()


def test_a_copy_goes_its_own_way() -> None:
    kinematics = after(sorted(busy()))
    before = kinematics.state()
    copied = kinematics.copy()
    copied.update(101 * SECOND, 5.0)
    assert kinematics.state() == before
    assert copied.state() != before


def test_reading_before_an_event_already_in_is_refused() -> None:
    with pytest.raises(ValueError, match="an event at 2000000000 is already in them"):
        after([(2 * SECOND, 1.0)]).value(SECOND)


def test_a_reset_forgets_everything_and_says_why() -> None:
    kinematics = after(busy())
    kinematics.reset("gap of 40 minutes")
    assert kinematics.state() == Kinematics().state()
    assert kinematics.reset_reason == "gap of 40 minutes"


def test_error_of_dollars_comes_from_the_slow_rate_of_squares() -> None:
    usd, step = 1_000.0, SECOND // 2
    kinematics = after([(number * step, usd) for number in range(10_000)])
    now = 9_999 * step
    _, dollars = kinematics.value(now)[KINEMATIC_WINDOWS.index(10.0)]
    # A geometric series: the average of usd^2 at one event per half second, as seen right after an event.
    squares = usd**2 / SQUARES_TIME_CONSTANT / (1.0 - exp(-0.5 / SQUARES_TIME_CONSTANT))
    assert dollars.velocity.error == pytest.approx(sqrt(squares / 10.0), rel=0.05)
    assert dollars.jerk.error == pytest.approx(sqrt(squares * 6.0 / 10.0**5), rel=0.05)


@pytest.mark.parametrize("usd", [1.0, 1_000_000.0])
def test_one_event_after_a_quiet_hour_is_no_more_certain_in_dollars_than_in_number(usd: float) -> None:
    for counts, dollars in after([(3_600 * SECOND, usd)]).value(3_600 * SECOND):
        assert dollars.velocity.value / dollars.velocity.error == pytest.approx(
            counts.velocity.value / counts.velocity.error
        )
        assert not dollars.velocity.significant


def test_a_quiet_stream_has_no_motion_and_no_significance() -> None:
    nothing = Derivative(0.0, 0.0)
    assert not nothing.significant
    for counts, dollars in Kinematics().value(SECOND):
        assert counts == dollars == Motion(nothing, nothing, nothing)


@pytest.mark.parametrize(("value", "significant"), [(1.99, False), (2.0, True), (-2.0, True), (-1.99, False)])
def test_significance_begins_at_two_standard_errors(value: float, significant: bool) -> None:
    assert Derivative(value, 1.0).significant is significant
