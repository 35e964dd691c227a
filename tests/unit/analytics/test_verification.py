from __future__ import annotations

from math import log

import numpy as np
import pytest

from liquake.analytics import verification
from liquake.analytics.alarms import alarm_times, threshold_within


def test_climatology_has_no_skill_and_certainty_has_all() -> None:
    happened = np.array([True, False, False, True, False])
    assert verification.scores(np.full(5, 0.4), happened, 0.4).brier_skill == 0.0
    assert verification.scores(happened.astype(np.float64), happened, 0.4).brier_skill == 1.0


def test_log_loss_is_the_mean_surprise() -> None:
    assert verification.log_loss(np.array([0.8, 0.3]), np.array([True, False])) == pytest.approx(
        -(log(0.8) + log(0.7)) / 2
    )
    assert verification.log_loss(np.array([0.0]), np.array([True])) == pytest.approx(-log(1e-6))


def test_auc_is_the_share_of_pairs_in_order_with_ties_half() -> None:
    generator = np.random.default_rng(0)
    forecast, happened = generator.integers(0, 8, 200) / 8.0, generator.random(200) < 0.3
    pairs = [(p > n) + 0.5 * (p == n) for p in forecast[happened] for n in forecast[~happened]]
    assert verification.auc(forecast, happened) == pytest.approx(np.mean(pairs))
    assert verification.auc(forecast, np.zeros(200, dtype=np.bool_)) is None


def test_average_precision_of_a_constant_is_the_base_rate() -> None:
    happened = np.array([True, False, False, False])
    assert verification.average_precision(np.full(4, 0.3), happened) == pytest.approx(0.25)
    assert verification.average_precision(np.array([0.9, 0.2, 0.1, 0.05]), happened) == 1.0
    assert verification.average_precision(np.array([0.5, 0.9, 0.1, 0.6]), happened) == pytest.approx(1.0 / 3.0)
    assert verification.average_precision(np.full(4, 0.3), np.zeros(4, dtype=np.bool_)) is None


def test_reliability_counts_episodes_not_seconds() -> None:
    seconds = np.r_[np.arange(0.0, 100.0), np.arange(350.0, 400.0), np.arange(1000.0, 1050.0)]
    happened = seconds < 100.0
    (found,) = verification.reliability(seconds, np.full(200, 0.4), happened, seed=0)
    assert (found.seconds, found.episodes) == (200, 2)
    assert found.happened == 0.5
    assert not found.enough
    assert found.low_rate < 0.5 < found.high_rate


def test_reliability_intervals_cover_a_calibrated_forecast() -> None:
    generator = np.random.default_rng(1)
    seconds = np.arange(3000.0) * 400.0
    forecast = generator.random(3000)
    bins = verification.reliability(seconds, forecast, generator.random(3000) < forecast, seed=0)
    assert sum(found.seconds for found in bins) == 3000
    assert sum(found.low_rate <= found.said <= found.high_rate for found in bins) >= len(bins) - 2


def test_wilson_interval_of_one_half() -> None:
    assert verification.wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    low, high = verification.wilson(0.0, 10)
    assert low == 0.0
    assert high == pytest.approx(0.2775, abs=1e-4)


def test_difference_of_a_forecast_to_itself_is_nothing_and_to_a_worse_one_excludes_zero() -> None:
    generator = np.random.default_rng(2)
    seconds = np.arange(0.0, 30 * 6 * 3600.0, 60.0)
    truth = generator.random(seconds.size)
    happened = generator.random(seconds.size) < truth
    found = verification.differences(
        seconds, happened, truth, {"same": truth, "flat": np.full(seconds.size, 0.5)}, 0.5, 0
    )
    assert found["same"] == verification.Difference(0.0, 0.0, 0.0, 30)
    assert 0.0 < found["flat"].low < found["flat"].brier_skill < found["flat"].high


def test_alarm_needs_two_reads() -> None:
    forecast = np.full(100, 0.01)
    forecast[10] = 0.9
    assert alarm_times(np.arange(100.0), forecast, 0.5).size == 0
    forecast[11] = 0.9
    assert alarm_times(np.arange(100.0), forecast, 0.5).tolist() == [11.0]


def test_a_new_alarm_waits_for_calm_and_for_the_cooldown() -> None:
    seconds = np.arange(2000.0)
    forecast = np.full(2000, 0.01)
    for start in (100, 130, 700, 1500):
        forecast[start : start + 5] = 0.9
    assert alarm_times(seconds, forecast, 0.5).tolist() == [101.0, 701.0, 1501.0]
    forecast[105:690] = 0.4  # above the lower threshold: the first alarm stays up, and 10 s of calm do not end it
    assert alarm_times(seconds, forecast, 0.5).tolist() == [101.0, 1501.0]


def test_budget_takes_the_loosest_threshold_before_the_first_violation() -> None:
    seconds = np.arange(86400.0)
    forecast = np.full(seconds.size, 0.01)
    for place, level in enumerate((0.9, 0.9, 0.62, 0.62, 0.33, 0.33)):
        forecast[5000 + 9000 * place : 5010 + 9000 * place] = level
    assert threshold_within(seconds, forecast, budget=2.0) == 0.65
    assert threshold_within(seconds, forecast, budget=4.0) == 0.35
