"""The live state, the closed forms and the fit of the Hawkes process, against slow references and known answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log

import numpy as np
import pytest

from liquake.analytics import hawkes_em
from liquake.analytics.hawkes import (
    DECAYS,
    SPECTRAL_LIMIT,
    Hawkes,
    HawkesState,
    Productivity,
    none_at_all,
    usd_tail_logit,
)
from liquake.analytics.hawkes_moments import (
    Array,
    Moments,
    branching,
    functional,
    nested,
    spectral_radius,
    stable,
)
from liquake.model import Side
from liquake.model.tape import Source

LONG, SHORT = Source("here", Side.LONG), Source("here", Side.SHORT)


def process(
    background: Sequence[float], excitation: Sequence[Sequence[Sequence[float]]], decays: Sequence[float]
) -> Hawkes:
    sources = (LONG, SHORT)[: len(background)]
    return Hawkes(sources, tuple(background), nested(np.asarray(excitation)), decays=tuple(decays))


UNIVARIATE = process([0.2], [[[0.7]]], [1.0 / 0.3])
MUTUAL = process([0.1, 0.05], [[[0.1, 0.2], [0.1, 0.05]], [[0.0, 0.15], [0.2, 0.3]]], [2.0, 20.0])


def simulated(hawkes: Hawkes, span: float, seed: int, start: Array | None = None) -> tuple[list[float], list[int]]:
    """Events of the process over `span` seconds by thinning; every mark is one. `start` is R at time zero."""
    generator = np.random.default_rng(seed)
    decays = np.asarray(hawkes.decays)
    kernel = np.asarray(hawkes.excitation) / decays
    state = np.zeros((len(hawkes.sources), decays.size)) if start is None else start.copy()
    times: list[float] = []
    kinds: list[int] = []
    now = 0.0
    mu = np.asarray(hawkes.background)
    while True:
        bound = float((mu + (kernel * state).sum(axis=(1, 2))).sum())
        step = generator.exponential(1.0 / bound)
        now += step
        if now > span:
            return times, kinds
        state *= np.exp(-step / decays)
        rates = mu + (kernel * state).sum(axis=(1, 2))
        place = int(np.searchsorted(np.cumsum(rates), generator.random() * bound))
        if place < mu.size:
            times.append(now)
            kinds.append(place)
            state[place] += 1.0


def test_univariate_mean_is_the_textbook_formula() -> None:
    mu, n, beta, excitation, horizon = 0.2, 0.7, 0.3, 2.5, 60.0
    now, limit, pull = mu + n * beta * excitation, mu / (1.0 - n), beta * (1.0 - n)
    expected = limit * horizon + (now - limit) * (1.0 - exp(-pull * horizon)) / pull
    mean, _ = functional(UNIVARIATE, horizon, [1.0], Moments()).at([excitation])
    assert mean == pytest.approx(expected, rel=1e-9)


def test_univariate_variance_is_the_integral_of_squared_descendants() -> None:
    mu, n, beta, excitation, horizon = 0.2, 0.7, 0.3, 2.5, 60.0
    now, limit, pull = mu + n * beta * excitation, mu / (1.0 - n), beta * (1.0 - n)
    times = np.linspace(0.0, horizon, 200_001)
    left = horizon - times
    family = 1.0 + n * beta * (1.0 - np.exp(-pull * left)) / pull
    rate = limit + (now - limit) * np.exp(-pull * times)
    expected = float(np.trapezoid(family**2 * rate, times))
    _, variance = functional(UNIVARIATE, horizon, [1.0], Moments()).at([excitation])
    assert variance == pytest.approx(expected, rel=1e-4)


def test_moments_of_two_types_agree_with_simulation() -> None:
    start = np.array([[3.0, 4.0], [1.0, 2.0]])
    totals = np.array([len(simulated(MUTUAL, 30.0, seed, start)[0]) for seed in range(3000)])
    mean, variance = functional(MUTUAL, 30.0, [1.0, 1.0], Moments()).at(list(start.ravel()))
    error = totals.std() / np.sqrt(totals.size)
    assert abs(totals.mean() - mean) < 4.0 * error
    assert totals.var() == pytest.approx(variance, rel=0.12)


def test_moments_of_one_side_count_only_its_own_events() -> None:
    both = functional(MUTUAL, 30.0, [1.0, 1.0], Moments()).at([1.0, 1.0, 1.0, 1.0])[0]
    sides = [
        functional(MUTUAL, 30.0, target, Moments()).at([1.0, 1.0, 1.0, 1.0])[0] for target in ([1.0, 0.0], [0.0, 1.0])
    ]
    assert sum(sides) == pytest.approx(both, rel=1e-9)


def test_usd_moments_without_excitation_are_compound_poisson() -> None:
    alone = process([0.5], [[[0.0]]], [5.0])
    moments = Moments(value=3.0, value_squared=20.0, value_mark=3.5, mark_squared=1.4)
    mean, variance = functional(alone, 10.0, [1.0], moments).at([7.0])
    assert mean == pytest.approx(0.5 * 10.0 * 3.0)
    assert variance == pytest.approx(0.5 * 10.0 * 20.0)


def test_a_shortest_decay_of_half_a_second_is_integrated_to_one_in_ten_thousand() -> None:
    fast = process([0.01], [[[0.3, 0.2, 0.3]]], DECAYS)
    doubled = process([0.01], [[[0.3, 0.2, 0.3, 0.0]]], (*DECAYS, 0.05))  # an idle decay forces ten times finer steps
    coarse = functional(fast, 60.0, [1.0], Moments()).at([1.0, 1.0, 1.0])[1]
    fine = functional(doubled, 60.0, [1.0], Moments()).at([1.0, 1.0, 1.0, 0.0])[1]
    assert coarse == pytest.approx(fine, rel=1e-4)


def test_fit_recovers_a_known_branching_matrix() -> None:
    times, kinds = simulated(MUTUAL, 40_000.0, seed=1)
    past = hawkes_em.history((LONG, SHORT), [(0.0, 40_000.0)], times, kinds, [1.0] * len(times), MUTUAL.decays)
    fit = hawkes_em.fit(past, Productivity(exponent=0.0), MUTUAL.decays)
    assert branching(fit.hawkes) == pytest.approx(branching(MUTUAL), abs=0.08)
    assert spectral_radius(fit.hawkes) == pytest.approx(spectral_radius(MUTUAL), abs=0.06)


def test_credible_intervals_hold_the_truth() -> None:
    inside = 0
    for seed in range(5):
        times, kinds = simulated(MUTUAL, 15_000.0, seed=seed)
        past = hawkes_em.history((LONG, SHORT), [(0.0, 15_000.0)], times, kinds, [1.0] * len(times), MUTUAL.decays)
        truth = branching(MUTUAL)
        for cell in hawkes_em.fit(past, Productivity(exponent=0.0), MUTUAL.decays).cells:
            value = truth[(LONG, SHORT).index(cell.effect), (LONG, SHORT).index(cell.cause)]
            assert cell.low < cell.children < cell.high
            inside += bool(cell.low <= value <= cell.high)
    assert inside >= 15  # of 20 at 90 %, approximately


def test_a_poisson_stream_fits_as_nearly_unclustered() -> None:
    generator = np.random.default_rng(3)
    times = np.sort(generator.random(6000) * 10_000.0).tolist()
    past = hawkes_em.history((LONG,), [(0.0, 10_000.0)], times, [0] * 6000, [1.0] * 6000, DECAYS)
    assert spectral_radius(hawkes_em.fit(past, Productivity(exponent=0.0), DECAYS).hawkes) < 0.12


def test_switching_poisson_fakes_clustering() -> None:
    """The documented false positive: rate 0.3/s for 600 s, 5/s for 120 s, no excitation at all."""
    generator = np.random.default_rng(4)
    times: list[float] = []
    for cycle in range(30):
        times += (cycle * 720.0 + generator.random(generator.poisson(180)) * 600.0).tolist()
        times += (cycle * 720.0 + 600.0 + generator.random(generator.poisson(600)) * 120.0).tolist()
    times.sort()
    past = hawkes_em.history((LONG,), [(0.0, 21_600.0)], times, [0] * len(times), [1.0] * len(times), DECAYS)
    radius = spectral_radius(hawkes_em.fit(past, Productivity(exponent=0.0), DECAYS).hawkes)
    assert radius == pytest.approx(0.90, abs=0.06)


def test_the_prior_holds_cells_without_events() -> None:
    prior = process([0.1, 0.1], [[[0.2, 0.1], [0.05, 0.05]], [[0.0, 0.1], [0.1, 0.2]]], [2.0, 20.0])
    past = hawkes_em.history((LONG, SHORT), [(0.0, 5.0)], [1.0], [0], [1.0], prior.decays)
    fitted = hawkes_em.fit(past, Productivity(), prior.decays, prior).hawkes
    assert branching(fitted)[:, 1] == pytest.approx(branching(prior)[:, 1], abs=0.05)


def test_history_starts_afresh_in_every_segment() -> None:
    past = hawkes_em.history((LONG,), [(0.0, 1.0), (100.0, 101.0)], [0.5, 100.5], [0, 0], [1.0, 1.0], [1e6])
    assert past.states[1] == pytest.approx([0.0])
    assert past.span == 2.0


def test_state_is_the_decayed_sum_of_marks() -> None:
    events = [(1.0, 0, 2.0), (1.5, 1, 0.5), (4.0, 0, 1.0)]
    state = HawkesState(2)
    for event in events:
        state.update(*event)
    slow = [
        sum(mark * exp(-(6.0 - ts) / decay) for ts, kind, mark in events if kind == j)
        for j in (0, 1)
        for decay in DECAYS
    ]
    assert state.value(6.0) == pytest.approx(slow, rel=1e-12)


def test_order_of_arrival_does_not_matter() -> None:
    generator = np.random.default_rng(5)
    events = [
        (float(t), int(k), float(m))
        for t, k, m in zip(
            generator.random(200) * 60, generator.integers(0, 2, 200), generator.random(200), strict=True
        )
    ]
    states = []
    for order in (sorted(events), events):
        state = HawkesState(2)
        for event in order:
            state.update(*event)
        states.append(state.value(61.0))
    assert states[0] == pytest.approx(states[1], rel=1e-9)


def test_reading_changes_nothing_and_reset_forgets() -> None:
    state = HawkesState(1)
    state.update(10.0, 0, 1.0)
    later = state.value(100.0)
    assert state.value(9.0) == [1.0, 1.0, 1.0]
    assert state.value(10.0) == [1.0, 1.0, 1.0]
    assert state.value(100.0) == later
    state.reset()
    assert state.value(100.0) == [0.0, 0.0, 0.0]


def test_an_explosive_process_is_scaled_to_the_limit_before_it_forecasts() -> None:
    explosive = process([0.1, 0.1], [[[0.9], [0.4]], [[0.3], [0.8]]], [10.0])
    assert spectral_radius(explosive) > 1.0
    assert spectral_radius(stable(explosive)) == pytest.approx(SPECTRAL_LIMIT)
    assert stable(MUTUAL) is MUTUAL


def test_marks_are_capped_and_scaled() -> None:
    productivity = Productivity(exponent=0.5, cap=10.0, mean=2.0)
    assert productivity.mark(4.0) == pytest.approx(1.0)
    assert productivity.mark(1e9) == pytest.approx(5.0)


def test_nothing_at_all_is_poisson_without_overdispersion_and_likelier_with_it() -> None:
    assert none_at_all(2.0, 2.0) == pytest.approx(exp(-2.0))
    assert none_at_all(2.0, 4.0) == pytest.approx(0.25)  # negative binomial, size 2, p 1/2
    assert none_at_all(0.0, 0.0) == 1.0


def test_usd_tail_halves_at_the_median_of_a_certain_lognormal() -> None:
    count = 1e6  # so many events that "none" is impossible
    mean, variance = 100.0, 100.0**2 * (exp(0.25) - 1.0)
    median = mean * exp(-0.125)
    assert usd_tail_logit(count, count, mean, variance, median) == pytest.approx(0.0, abs=1e-9)


def test_usd_tail_falls_with_the_threshold_and_rises_with_the_mean() -> None:
    by_threshold = [usd_tail_logit(1.0, 3.0, 10.0, 400.0, threshold) for threshold in (1.0, 10.0, 100.0, 1000.0)]
    by_mean = [usd_tail_logit(1.0, 3.0, mean, 4.0 * mean**2, 50.0) for mean in (1.0, 5.0, 20.0)]
    assert all(high > low for high, low in pairwise(by_threshold))
    assert all(low < high for low, high in pairwise(by_mean))
    assert usd_tail_logit(0.0, 0.0, 0.0, 0.0, 1.0) < log(1e-8)
