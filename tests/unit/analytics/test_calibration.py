from __future__ import annotations

import numpy as np
import pytest

from liquake.analytics import logistic
from liquake.analytics.calibration import CalibrationPrior, Recalibration, RiskScale, logit, sigmoid

FREE = CalibrationPrior(alpha_variance=4.0, gamma_variance=1.0, alpha_drift=0.0, gamma_drift=0.0, spacing=10.0)


def test_it_starts_at_the_identity() -> None:
    fresh = Recalibration(CalibrationPrior(), 60.0)
    assert (fresh.alpha, fresh.gamma) == (0.0, 1.0)


def test_it_finds_the_map_that_the_outcomes_follow() -> None:
    generator = np.random.default_rng(0)
    learner = Recalibration(FREE, horizon=10.0)
    for value in generator.normal(0.0, 2.0, 20_000):
        learner.learn(float(value), bool(generator.random() < sigmoid(0.7 + 0.5 * value)))
    assert learner.alpha == pytest.approx(0.7, abs=0.1)
    assert learner.gamma == pytest.approx(0.5, abs=0.06)


def test_one_step_is_the_kalman_update_written_with_matrices() -> None:
    prior = CalibrationPrior()
    learner = Recalibration(prior, horizon=60.0)
    theta, covariance = np.array([0.0, 1.0]), np.diag([prior.alpha_variance, prior.gamma_variance])
    drift, weight = np.diag([prior.alpha_drift, prior.gamma_drift]) * 10.0 / 86400.0, 10.0 / 300.0
    for value, happened in ((-4.0, True), (-1.0, False), (2.0, False), (0.5, True)):
        learner.learn(value, happened)
        x = np.array([1.0, value])
        covariance = covariance + drift
        said = 1.0 / (1.0 + np.exp(-theta @ x))
        scale = 1.0 + weight * said * (1.0 - said) * (x @ covariance @ x)
        gain = covariance @ x / scale
        theta = theta + gain * weight * (happened - said)
        covariance = covariance - np.outer(gain, covariance @ x) * weight * said * (1.0 - said)
    assert (learner.alpha, learner.gamma) == pytest.approx(tuple(theta), rel=1e-12)


def test_repeated_labels_weigh_by_the_spacing_of_episodes() -> None:
    short, long = Recalibration(CalibrationPrior(), 60.0), Recalibration(CalibrationPrior(), 3000.0)
    for learner in (short, long):
        learner.learn(0.0, True)
    assert short.alpha == pytest.approx(10.0 * long.alpha, rel=0.02)


def test_batch_recalibration_uses_a_label_only_after_it_is_known() -> None:
    seconds = np.arange(1000.0, 3000.0)
    logits = np.full(seconds.size, -2.0)
    happened = np.zeros(seconds.size, dtype=np.bool_)
    changed = happened.copy()
    changed[1500 - 1000] = True
    before, after = (
        logistic.recalibrate(seconds, np.zeros(seconds.size), logits, labels, CalibrationPrior(), 60.0)
        for labels in (happened, changed)
    )
    assert seconds[np.flatnonzero(before != after)[0]] == 1561.0


def test_batch_recalibration_does_not_learn_across_a_gap() -> None:
    seconds = np.r_[np.arange(1000.0, 1031.0), np.arange(1060.0, 1091.0)]
    starts = np.r_[np.full(31, 0.0), np.full(31, 1050.0)]
    told = logistic.recalibrate(seconds, starts, np.zeros(62), np.ones(62, dtype=np.bool_), CalibrationPrior(), 60.0)
    assert set(told.tolist()) == {0.5}


def test_risk_is_the_rank_among_what_was_seen() -> None:
    scale = RiskScale((), 0.0)
    for value in np.linspace(-5.0, 5.0, 1001):
        scale.update(float(value), 10.0)
    assert scale.value(0.0) == pytest.approx(50.0, abs=1.0)
    assert scale.value(4.0) == pytest.approx(90.0, abs=1.0)
    assert scale.value(99.0) == pytest.approx(100.0)


def test_risk_starts_from_training_and_forgets_it_by_half_in_thirty_days() -> None:
    scale = RiskScale((-5.0,), 100.0)
    assert scale.value(0.0) == 100.0
    for _ in range(100):
        scale.update(3.0, 0.0)
    assert scale.value(0.0) == pytest.approx(50.0)
    scale.update(3.0, RiskScale.HALF_LIFE)
    assert scale.value(0.0) == pytest.approx(100.0 * 100.0 / 202.0)


def test_risk_survives_years() -> None:
    scale = RiskScale((-5.0,), 100.0)
    for _ in range(200):
        scale.update(1.0, RiskScale.HALF_LIFE)
    assert scale.value(0.0) == pytest.approx(0.0, abs=1e-6)


def test_sigmoid_and_logit_undo_each_other_and_do_not_overflow() -> None:
    assert logit(sigmoid(-3.0)) == pytest.approx(-3.0)
    assert sigmoid(-1000.0) == 0.0
    assert sigmoid(1000.0) == 1.0


def test_logistic_fit_matches_the_score_equations() -> None:
    generator = np.random.default_rng(1)
    columns = generator.normal(0.0, 1.0, (4000, 2)) + 3.0
    labels = (generator.random(4000) < 1.0 / (1.0 + np.exp(-(columns[:, 0] - 4.0)))).astype(np.float64)
    linear = logistic.fit(columns, labels, ridge=0.0)
    left = labels - logistic.sigmoid(linear.logit(columns))
    assert left.mean() == pytest.approx(0.0, abs=1e-6)
    kept = linear.coefficients > 0.0
    assert kept[0]
    assert (columns[:, kept] * left[:, None]).mean(axis=0) == pytest.approx(np.zeros(kept.sum()), abs=1e-4)


def test_logistic_coefficients_are_never_negative() -> None:
    generator = np.random.default_rng(2)
    columns = generator.normal(0.0, 1.0, (4000, 3))
    odds = columns @ np.array([1.5, -2.0, 0.5])
    labels = (generator.random(4000) < 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    linear = logistic.fit(columns, labels)
    assert linear.coefficients[1] == 0.0
    assert linear.coefficients[0] > linear.coefficients[2] > 0.0
