"""The live probability: equal to the batch that was scored, additive, pure to read, refused where it does not fit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise
from math import log

import msgspec
import numpy as np
import pytest

from liquake.analytics import logistic
from liquake.analytics.calibration import CalibrationPrior, logit
from liquake.analytics.cascade import WARM_UP, Cascade, Forecast, Model, decode, encode
from liquake.analytics.features import FEATURES, Component, FeatureState, Scale, Sums
from liquake.analytics.grid import Events, Grid
from liquake.analytics.training import Trained, fit, train
from liquake.errors import ModelRefused
from liquake.model import Side, Throttle
from liquake.model.tape import Source, Tape
from tests.unit.analytics.tapes import SECOND, SOURCES, START, clustered, joined

VENUES = ("alpha", "beta")


@pytest.fixture(scope="module")
def tape() -> Tape:
    return clustered(30.0, seed=1)


@pytest.fixture(scope="module")
def trained(tape: Tape) -> Trained:
    return train(tape, horizon=60.0, share=0.6)


@pytest.fixture(scope="module")
def model(trained: Trained) -> Model:
    return trained.model


def rows(tape: Tape) -> list[tuple[int, Source, float]]:
    return [(ts, tape.sources[kind], usd) for ts, kind, usd in zip(tape.ts, tape.source, tape.usd, strict=True)]


def read_along(cascade: Cascade, tape: Tape, seconds: Sequence[float]) -> list[float]:
    """The probabilities at `seconds` of a live run over `tape`."""
    found, waiting = [], iter(seconds)
    due = next(waiting, None)
    for event in rows(tape):
        while due is not None and round(due * SECOND) < event[0]:
            cascade.advance(round(due * SECOND))
            found.append(cascade.value(round(due * SECOND)).probability)
            due = next(waiting, None)
        cascade.update(*event)
    return found


@pytest.mark.parametrize("side", [None, Side.LONG])
def test_live_features_are_those_of_the_batch(tape: Tape, side: Side | None) -> None:
    trained = train(tape, horizon=60.0, share=0.6, side=side)
    model, seconds = trained.model, trained.split.grid.seconds
    live = FeatureState(model.baseline, model.excitation, model.horizon, side)
    live.started = float(trained.split.grid.starts[0])
    place, checked = 0, 0
    events = rows(tape)
    for chosen in range(0, seconds.size, 997):
        while place < len(events) and events[place][0] <= seconds[chosen] * SECOND:
            ts, source, usd = events[place]
            live.update(ts * 1e-9, source, usd)
            place += 1
        assert live.value(float(seconds[chosen])) == pytest.approx(trained.columns[chosen].tolist(), rel=1e-6, abs=1e-6)
        checked += 1
    assert checked > 50


def test_live_probability_is_that_of_the_batch(tape: Tape, trained: Trained) -> None:
    grid, model = trained.split.grid, trained.model
    # Until the second midnight there is no full day, and the live threshold is the model's.
    batch = logistic.recalibrate(
        grid.seconds, grid.starts, trained.logits, trained.labels, model.calibration, model.horizon
    )
    second_midnight = (grid.seconds[0] // 86400.0 + 2.0) * 86400.0
    chosen = np.arange(0, int(np.searchsorted(grid.seconds, second_midnight)), 61)
    live = read_along(Cascade(model, VENUES, {}), tape, grid.seconds[chosen].tolist())
    assert len(live) == chosen.size > 100
    assert [logit(p) for p in live] == pytest.approx([logit(p) for p in batch[chosen]], abs=1e-5)


def test_contributions_add_up_to_the_log_odds(tape: Tape, model: Model) -> None:
    cascade = Cascade(model, VENUES, {})
    for event in rows(tape)[:500]:
        cascade.update(*event)
    forecast = cascade.value(tape.ts[499] + SECOND)
    assert set(forecast.contributions) == set(Component)
    total = forecast.intercept + sum(forecast.contributions.values())
    assert total == pytest.approx(log(forecast.probability / (1.0 - forecast.probability)), rel=1e-9)


def test_reading_changes_nothing(tape: Tape, model: Model) -> None:
    quiet, watched = (Cascade(model, VENUES, {}) for _ in range(2))
    generator = np.random.default_rng(0)
    events = rows(tape)[:800]
    for place, event in enumerate(events):
        quiet.update(*event)
        watched.update(*event)
        following = events[place + 1][0] if place + 1 < len(events) else event[0] + SECOND
        for share in np.sort(generator.random(generator.integers(0, 3))):
            watched.value(event[0] + int(share * (following - event[0])))
    assert quiet.value(events[-1][0] + 5 * SECOND) == watched.value(events[-1][0] + 5 * SECOND)


def test_telling_the_time_more_often_changes_nothing(tape: Tape, model: Model) -> None:
    """Over two midnights, so that the threshold moves too, and through a pause with many labels."""
    seldom, often = (Cascade(model, VENUES, {}) for _ in range(2))
    events = [event for event in rows(tape) if not 0.5 < (event[0] - tape.ts[0]) / SECOND / 3600.0 - 20.0 < 2.5]
    for event, following in pairwise(events):
        seldom.update(*event)
        often.update(*event)
        for share in (0.3, 0.9):
            often.advance(event[0] + int(share * (following[0] - event[0])))
    now = events[-1][0]
    often.advance(now)
    seldom.advance(now)
    assert often.value(now) == seldom.value(now)
    assert often.value(now).own_scale > 0.0


def test_shuffled_arrival_within_a_second_gives_the_same_features(tape: Tape, model: Model) -> None:
    events = rows(tape)[:600]
    generator = np.random.default_rng(2)
    late = sorted(events, key=lambda event: event[0] + int(generator.random() * SECOND))
    assert late != events
    values = []
    for order in (events, late):
        state = FeatureState(model.baseline, model.excitation, model.horizon)
        for ts, source, usd in order:
            state.update(ts * 1e-9, source, usd)
        values.append(state.value(events[-1][0] * 1e-9 + 2.0))
    assert values[0] == pytest.approx(values[1], rel=1e-9, abs=1e-9)


def test_a_stream_of_another_size_is_put_into_the_units_of_training(tape: Tape, model: Model) -> None:
    """Every event split in four: four times the rate, the same dollars, the same forecast."""
    whole = Cascade(model, VENUES, {})
    split = Cascade(model, VENUES, {}, rate=4.0 * model.baseline.rate)
    small = Cascade(model, VENUES, {}, threshold=model.baseline.threshold / 1000.0)
    events = rows(tape)[:700]
    for ts, source, usd in events:
        whole.update(ts, source, usd)
        small.update(ts, source, usd / 1000.0)
        for _ in range(4):
            split.update(ts, source, usd / 4.0)
    now = events[-1][0] + SECOND
    assert split.value(now).probability == pytest.approx(whole.value(now).probability, rel=1e-9)
    assert small.value(now).probability == pytest.approx(whole.value(now).probability, rel=1e-9)
    assert split.value(now).expected_events == pytest.approx(4.0 * whole.value(now).expected_events)
    assert small.value(now).expected_usd == pytest.approx(whole.value(now).expected_usd / 1000.0)


def test_a_steady_stream_stays_at_the_base_rate_once_its_own_scale_is_known() -> None:
    """Poisson at 0.1 events per second and a twentieth of the dollars, through a model of clustered training."""
    model = fit(clustered(48.0, seed=5, sources=SOURCES[:2]))
    cascade = Cascade(model, ("alpha",), {})
    generator = np.random.default_rng(6)
    span = 8.4 * 86400.0
    times = START + np.sort(generator.random(generator.poisson(0.1 * span)) * span)
    usd = np.exp(generator.normal(6.0, 1.0, times.size))
    said: list[Forecast] = []
    for ts, value, kind in zip(
        times.tolist(), usd.tolist(), generator.integers(0, 2, times.size).tolist(), strict=True
    ):
        cascade.update(round(ts * SECOND), SOURCES[kind], value)
        if ts - START > span - 36_000.0 and len(said) * 10.0 < ts - START - (span - 36_000.0):
            said.append(cascade.value(round(ts * SECOND)))
    assert all(forecast.own_scale == 1.0 for forecast in said)
    assert len(said) > 2000
    assert max(forecast.probability for forecast in said) < 0.05
    assert np.mean([forecast.probability for forecast in said]) < 2.0 * model.baseline.base_rate


def test_a_burst_raises_the_probability_and_silence_lowers_it(model: Model, tape: Tape) -> None:
    cascade = Cascade(model, VENUES, {})
    now = tape.ts[0]
    cascade.update(now, SOURCES[0], 5_000.0)
    quiet = cascade.value(now + 3600 * SECOND)
    now += 3600 * SECOND
    for _ in range(60):
        now += SECOND // 4
        cascade.update(now, SOURCES[0], 20_000.0)
    burst, after = cascade.value(now), cascade.value(now + 1800 * SECOND)
    assert burst.probability > 10.0 * quiet.probability
    assert burst.probability > 10.0 * after.probability
    assert burst.expected_events > quiet.expected_events
    assert burst.expected_usd > quiet.expected_usd


def test_risk_is_the_percentile_of_the_probability_in_its_own_history(tape: Tape, model: Model) -> None:
    cascade = Cascade(model, VENUES, {})
    risks, probabilities = [], []
    for event in rows(tape):
        cascade.update(*event)
        forecast = cascade.value(event[0])
        risks.append(forecast.risk)
        probabilities.append(forecast.probability)
    assert min(risks) >= 0.0
    assert max(risks) <= 100.0
    assert risks[int(np.argmax(probabilities))] > 99.0


def test_an_event_without_dollars_counts_but_adds_none(model: Model) -> None:
    state = FeatureState(model.baseline, model.excitation, model.horizon)
    state.update(1000.0, SOURCES[0], None)
    values = dict(zip(FEATURES, state.value(1000.0), strict=True))
    assert values["count_60s"] == pytest.approx(log(2.0))
    assert values["usd_60s"] == 0.0
    cascade = Cascade(model, VENUES, {})
    cascade.update(1000 * SECOND, SOURCES[0], None)
    assert (
        cascade.value(1000 * SECOND).contributions[Component.BURST]
        > cascade.value(1100 * SECOND).contributions[Component.BURST]
    )


RISES = tuple(name for name in FEATURES if name.startswith("rise_"))


def rises(state: FeatureState, now: float) -> list[float]:
    values = dict(zip(FEATURES, state.value(now), strict=True))
    return [values[name] for name in RISES]


def test_a_steady_stream_does_not_rise_however_short_it_has_been_seen_and_a_burst_does(model: Model) -> None:
    state = FeatureState(model.baseline, model.excitation, model.horizon)
    state.started = 0.0
    for tick in range(1, 1200):
        state.update(0.5 * tick, SOURCES[0], 100.0)
        assert max(rises(state, 0.5 * tick)) < 0.3
    before = rises(state, 600.0)
    for tick in range(100):
        state.update(600.0 + 0.1 * tick, SOURCES[0], 100.0)
    assert all(after > quiet + 1.0 for after, quiet in zip(rises(state, 610.0), before, strict=True))


def test_a_few_events_of_a_small_market_are_no_rise_because_each_stands_for_many(model: Model) -> None:
    found = []
    for unit in (1.0, 10.0):
        state = FeatureState(model.baseline, model.excitation, model.horizon)
        state.started, state.scale = 0.0, Scale(events=unit)
        for minute in range(60):
            state.update(60.0 * minute, SOURCES[0], 100.0)
        for tick in range(3):
            state.update(3600.0 + tick, SOURCES[0], 100.0)
        found.append(max(rises(state, 3602.0)))
    alone, of_many = found
    assert of_many < 1.0 < alone


def test_silence_never_raises_a_rise(model: Model) -> None:
    state = FeatureState(model.baseline, model.excitation, model.horizon)
    state.started = 0.0
    for tick in range(300):
        state.update(0.1 * tick, SOURCES[tick % len(SOURCES)], 100.0)
    silent = [rises(state, 30.0 + second) for second in range(0, 3000, 7)]
    for column in zip(*silent, strict=True):
        assert all(later <= earlier + 1e-12 for earlier, later in pairwise(column))
        assert column[-1] == 0.0


def test_the_threshold_is_never_below_the_floor(model: Model) -> None:
    cascade = Cascade(model, VENUES, {}, threshold=10.0, floor_usd=5_000.0)
    assert cascade.value(0).threshold == 5_000.0


def test_a_gap_forgets_the_past_and_warms_up_again(tape: Tape, model: Model) -> None:
    cascade = Cascade(model, VENUES, {})
    events = [event for event in rows(tape) if event[0] < tape.ts[0] + 7200 * SECOND]
    for event in events:
        cascade.update(*event)
    end = events[-1][0]
    assert cascade.value(end).warm == 1.0
    cascade.reset("gap of 40 s")
    cascade.advance(end + SECOND)
    fresh = cascade.value(end + SECOND)
    assert cascade.reset_reason == "gap of 40 s"
    assert fresh.warm == 0.0
    assert fresh.expected_events == pytest.approx(Cascade(model, VENUES, {}).value(end).expected_events)
    assert cascade.value(end + (round(0.5 * WARM_UP) + 1) * SECOND).warm == pytest.approx(0.5)


def test_the_forecast_learns_when_cascades_become_commoner(model: Model, tape: Tape) -> None:
    """A bar twenty times lower than the one the model was fitted on: what happens exceeds what is said."""
    eager = msgspec.structs.replace(model.calibration, alpha_variance=1.0, alpha_drift=1.0)
    cascade = Cascade(
        msgspec.structs.replace(model, calibration=eager), VENUES, {}, threshold=model.baseline.threshold / 20
    )
    before = cascade.calibration.alpha
    for event in rows(tape)[: len(tape) // 3]:
        cascade.update(*event)
    assert before == 0.0
    assert cascade.calibration.alpha > 0.05


def test_a_model_of_other_venues_is_refused_with_both_names(model: Model) -> None:
    with pytest.raises(ModelRefused, match=r"fitted on alpha, beta, the feeds are alpha, gamma"):
        Cascade(model, ("alpha", "gamma"), {})


def test_further_venues_are_no_reason_to_refuse(model: Model) -> None:
    model.check({*VENUES, "gamma"}, {"gamma": Throttle.LARGEST})


def test_a_model_of_another_throttle_rule_is_refused_with_both_rules(model: Model) -> None:
    with pytest.raises(ModelRefused, match=r"beta published under the rule 'none' in training, now 'largest'"):
        Cascade(model, VENUES, {"beta": Throttle.LARGEST})


@pytest.mark.parametrize("skill", [-0.0015, 0.0])
def test_a_model_that_earned_no_skill_does_not_speak(model: Model, skill: float) -> None:
    worthless = msgspec.structs.replace(model, scores={"liquake.brier_skill": skill})
    with pytest.raises(ModelRefused, match=r"Brier skill on held-out data is [+-]0.00\d, no better than its base rate"):
        worthless.check(set(model.throttles), model.throttles)


def test_a_model_with_skill_and_one_that_held_nothing_out_speak(model: Model) -> None:
    for scores in ({"liquake.brier_skill": 0.001}, {}):
        msgspec.structs.replace(model, scores=scores).check(set(model.throttles), model.throttles)


def test_a_model_of_another_schema_is_refused(model: Model) -> None:
    with pytest.raises(ModelRefused, match="schema"):
        Cascade(msgspec.structs.replace(model, schema=99), VENUES, {})


def test_a_model_with_other_features_is_refused(model: Model) -> None:
    with pytest.raises(ModelRefused, match="features"):
        Cascade(msgspec.structs.replace(model, weights=model.weights[1:]), VENUES, {})


def test_a_model_survives_its_json(model: Model) -> None:
    assert decode(encode(model), "copy") == model


def test_json_that_is_no_model_is_refused_by_name() -> None:
    with pytest.raises(ModelRefused, match=r"mine\.json"):
        decode(b'{"schema": 1}', "mine.json")


def test_provenance_names_the_training_part_alone(tape: Tape, model: Model) -> None:
    whole = fit(tape)
    assert model.provenance.rows < whole.provenance.rows == len(tape)
    assert whole.provenance.first_day == datetime.fromtimestamp(tape.ts[0] / SECOND, UTC).date().isoformat()
    assert whole.provenance.sha256 == tape.sha256
    assert model.throttles == {"alpha": Throttle.NONE, "beta": Throttle.NONE}


def test_one_venue_gives_nothing_to_cross_venue_terms() -> None:
    model = fit(clustered(24.0, seed=3, sources=SOURCES[:2]))
    cross = [weight.coefficient for weight in model.weights if FEATURES[weight.name] is Component.CROSS_VENUE]
    assert cross == [0.0, 0.0]


def test_training_does_not_see_what_comes_after_the_cut(tape: Tape) -> None:
    """Another future, the same past: the same model to the last digit."""
    cut = train(tape, share=0.5)
    past = [(ts, source, usd, 1) for ts, source, usd in rows(tape) if ts <= cut.split.end * SECOND]
    changed = joined(Tape.of_rows(past, tape.name), clustered(16.0, seed=9, start=int(cut.split.end) + 2))
    place = int(np.searchsorted(cut.split.grid.seconds, cut.split.end))
    again = train(changed, share=place / Grid.of(Events.of(changed), 60.0).seconds.size)
    assert again.split.end == cut.split.end
    assert changed.ts[-1] != tape.ts[-1]
    assert again.model.weights == cut.model.weights
    assert again.model.baseline == cut.model.baseline
    assert again.model.excitation == cut.model.excitation


def test_the_live_path_does_not_load_numpy() -> None:
    script = "import sys, liquake.analytics.cascade, liquake.analytics.models; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_calibration_prior_is_part_of_the_model(model: Model) -> None:
    assert model.calibration == CalibrationPrior()


def test_sums_that_forecasts_share_by_the_second_give_what_each_event_gives(tape: Tape, model: Model) -> None:
    hawkes = model.excitation.hawkes
    sums = Sums(hawkes.sources, hawkes.decays)
    alone = Cascade(model, VENUES, {})
    sharing = [Cascade(model, VENUES, {}, sums=sums) for _ in range(2)]
    events = [event for event in rows(tape) if event[0] < tape.ts[0] + 20 * 3600 * SECOND]
    for second, group in groupby(events, key=lambda event: -(-event[0] // SECOND)):
        held, now = list(group), second * SECOND
        for cascade in sharing:
            cascade.advance(now)
        sums.pass_to(float(second))
        for ts, source, usd in held:
            alone.update(ts, source, usd)
            sums.update(ts / SECOND, source, usd, sharing[0].mark(usd))
        for cascade in sharing:
            cascade.count(now, len(held), sum(usd for _, _, usd in held))
    now = -(-events[-1][0] // SECOND) * SECOND
    expected = alone.value(now)
    assert expected.warm == 1.0
    for cascade in sharing:
        found = cascade.value(now)
        # Seconds since 1970 as floats are good to 2e-7 s, against a fastest decay of 0.25 s.
        assert found.probability == pytest.approx(expected.probability, rel=1e-6)
        assert found.risk == expected.risk
        assert found.expected_usd == pytest.approx(expected.expected_usd, rel=1e-6)
        assert cascade.threshold == expected.threshold
