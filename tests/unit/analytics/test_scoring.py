"""The walk-forward evaluation, on synthetic tapes and on the recording the model is fitted on."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import numpy as np
import pytest

from liquake.analytics import comparators, models, score_report
from liquake.analytics.cascade import Cascade
from liquake.analytics.grid import Events, Grid
from liquake.analytics.scoring import Score, earned, score
from liquake.analytics.training import refit, train
from liquake.errors import ModelRefused, TapeTooShort
from liquake.ingest.tape import read_tape
from liquake.model import Side, Throttle
from liquake.model.tape import Source, Tape
from tests.unit.analytics.tapes import SECOND, SOURCES, START, clustered, joined

NAMES = [
    "liquake",
    "climatology",
    "persistence",
    "velocity_10s",
    "multiscale_rates",
    "six_weight_raw",
    "six_weight_recalibrated",
]


@pytest.fixture(scope="module")
def scored() -> Score:
    return score(clustered(60.0, seed=1), train_share=0.6)


def tape_of(*rows: tuple[float, float]) -> Tape:
    return Tape.of_rows([(START * SECOND + round(at * SECOND), SOURCES[0], usd, 1) for at, usd in rows], "few")


def test_every_forecast_is_scored_twice(scored: Score) -> None:
    assert list(scored.models) == NAMES
    for found in scored.models.values():
        assert found.auc is not None
        assert found.onset.log_loss is not None
    assert scored.models["climatology"].auc == 0.5
    assert scored.models["climatology"].brier_skill == pytest.approx(0.0)
    assert set(scored.differences) == set(NAMES) - {"liquake"}


def test_on_bursts_it_beats_climatology_and_the_raw_score(scored: Score) -> None:
    ours = scored.models["liquake"]
    assert ours.brier_skill is not None
    assert ours.brier_skill > 0.1
    assert ours.auc is not None
    assert ours.auc > 0.85
    reference = scored.models["climatology"].log_loss
    assert ours.log_loss is not None
    assert reference is not None
    assert ours.log_loss < reference


def test_the_score_is_the_same_every_time(scored: Score) -> None:
    assert score(clustered(60.0, seed=1), train_share=0.6) == scored


def test_the_score_encodes_to_json_and_back(scored: Score) -> None:
    assert msgspec.json.decode(msgspec.json.encode(scored), type=Score) == scored


def test_labels_and_back_sums_are_half_open_windows() -> None:
    tape = tape_of((0.0, 1.0), (4000.0, 10.0), (4060.0, 100.0), (4061.0, 1000.0), (9000.0, 1.0))
    grid = Grid.of(Events.of(tape), 60.0)
    at = {int(second) - START: place for place, second in enumerate(grid.seconds)}
    assert grid.ahead[at[4000]] == 100.0
    assert grid.ahead[at[3999]] == 10.0
    assert grid.ahead[at[4001]] == 1100.0
    assert grid.back[at[4060]] == 100.0
    assert grid.back[at[4061]] == 1100.0


def test_gaps_of_the_recorder_are_cut_with_their_warm_up() -> None:
    tape = tape_of(
        *((float(at), 1.0) for at in range(0, 7200, 60)), *((float(at), 1.0) for at in range(90_000, 97_200, 60))
    )
    seconds = Grid.of(Events.of(tape), 60.0).seconds - START
    assert seconds[0] == 3600.0
    assert seconds[np.flatnonzero(np.diff(seconds) > 1.0)[0] + 1] == 93_600.0
    assert seconds[-1] == 97_080.0


def test_onset_is_quiet_now_and_for_ten_minutes() -> None:
    tape = tape_of(*((float(at), 1.0) for at in range(0, 9000, 50)), (5000.0, 1000.0))
    grid = Grid.of(Events.of(tape), 60.0)
    onset = dict(zip((grid.seconds - START).tolist(), grid.onset(100.0).tolist(), strict=True))
    assert onset[4999.0]
    assert not onset[5000.0]
    assert not onset[5059.0 + 600.0]
    assert onset[5059.0 + 601.0]


def test_labels_of_one_side_ignore_the_other() -> None:
    rows = [(START * SECOND + at * 10 * SECOND, SOURCES[at % 2], float(1 + at % 2), 1) for at in range(1000)]
    grid = Grid.of(Events.of(Tape.of_rows(rows, "sides")), 60.0, Side.SHORT)
    assert set(np.unique(grid.ahead)) == {6.0}


def test_six_weight_follows_its_published_thresholds() -> None:
    """An order of $100k every other second of the minute before 4000, and five more in its last tenth of a second."""
    rows = [(3941.0 + 2.0 * place, 100e3) for place in range(30)] + [(3999.95, 100e3)] * 5
    grid = Grid.of(Events.of(tape_of((0.0, 1.0), *rows, (9000.0, 1.0))), 60.0)
    place = int(np.flatnonzero(grid.seconds == START + 4000)[0])
    assert comparators.velocity(grid, 0.1)[place] == pytest.approx(50.0)
    assert comparators.velocity(grid, 10.0)[place - 2 : place + 1] == pytest.approx([0.5, 0.5, 1.0])
    velocity, volume, clustering = 100.0, 100.0, 100.0
    acceleration, jerk = 12.5, 25.0  # both 0.5: half of the first threshold, and the whole of it
    expected = 0.25 * velocity + 0.20 * acceleration + 0.15 * jerk + 0.20 * volume + 0.05 * clustering
    assert comparators.six_weight(grid)[place] == pytest.approx(expected)


def test_too_short_a_recording_is_named() -> None:
    with pytest.raises(TapeTooShort, match="few is too short: no stretch"):
        score(tape_of((0.0, 1.0), (100.0, 1.0)))
    with pytest.raises(TapeTooShort, match="liquidations to train on"):
        score(tape_of(*((float(at), 1.0) for at in range(0, 10_000, 100))))


def test_a_future_without_cascades_cannot_be_scored() -> None:
    quiet = Tape.of_rows(
        [(START * SECOND + (60 * 3600 + at) * SECOND, SOURCES[0], 1.0, 1) for at in range(0, 180_000, 600)], "quiet"
    )
    with pytest.raises(TapeTooShort, match="no cascade"):
        score(joined(clustered(60.0, seed=1), quiet), train_share=0.55)


def test_the_report_names_every_forecast_and_fits_the_terminal(scored: Score) -> None:
    lines = score_report.text(scored).splitlines()
    for name in NAMES:
        assert any(line.startswith(name) for line in lines)
    assert max(map(len, lines)) <= 110


def test_a_bin_with_few_episodes_is_said_to_have_not_enough_history(scored: Score) -> None:
    few = msgspec.structs.replace(scored.reliability[0], episodes=9)
    assert "not enough history (9 episodes" in score_report.reliability_sentence(few)
    many = msgspec.structs.replace(few, episodes=10, low=0.2, high=0.3, happened=0.25)
    assert score_report.reliability_sentence(many).startswith("When 20%-30% was said, it happened 25.0% of the time")


def test_the_diagram_is_well_formed_and_has_a_mark_per_bin(scored: Score) -> None:
    root = ET.fromstring(score_report.reliability_svg(scored))
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == len(scored.reliability)


def test_the_model_carries_the_scores_it_earned(scored: Score) -> None:
    model = earned(train(clustered(60.0, seed=1), share=0.6).model, scored)
    assert model.scores["liquake.auc"] == scored.models["liquake"].auc
    assert model.reliability == scored.reliability


def test_the_january_2023_protocol_gives_the_documented_rates(shared: Path) -> None:
    tape = read_tape(shared / "data" / "buckets_binance_jan2023_krishna.csv.gz")
    assert tape.sources == (Source("binance", Side.LONG), Source("binance", Side.SHORT))
    assert (len(tape), sum(tape.orders)) == (12_076, 257_146)
    grid = Grid.of(Events.of(tape), 60.0)
    cut = round(0.55 * grid.seconds.size)
    threshold = np.quantile(grid.ahead[:cut], 0.995)
    assert threshold == pytest.approx(650e3, rel=0.005)
    assert (grid.ahead[:cut] >= threshold).mean() == pytest.approx(0.0050, abs=1e-4)
    assert (grid.ahead[cut:] >= threshold).mean() == pytest.approx(0.0107, abs=1e-4)


def test_refit_says_who_excites_whom_with_intervals() -> None:
    tape = clustered(40.0, seed=4)
    fit = refit(tape)
    assert {(cell.cause, cell.effect) for cell in fit.cells} == {(a, b) for a in SOURCES for b in SOURCES}
    assert (
        refit(tape, fit.hawkes).log_likelihood > fit.log_likelihood
    )  # a prior at the answer no longer pulls away from it
    strangers = msgspec.structs.replace(fit.hawkes, sources=SOURCES[:2])
    assert refit(tape, strangers) == fit
    with pytest.raises(TapeTooShort, match="200 are the least"):
        refit(tape_of((0.0, 1.0), (1.0, 1.0)))


def test_every_shipped_model_can_be_used_on_its_own_feeds_and_no_others() -> None:
    assert models.names()
    for name in models.names():
        model = models.shipped(name)
        assert model.name == name
        assert model.provenance.sha256
        assert model.scores["liquake.auc"] > 0.5
        Cascade(model, tuple(model.throttles), model.throttles)
        with pytest.raises(ModelRefused):
            Cascade(model, ("nowhere",), {})
        with pytest.raises(ModelRefused):
            Cascade(model, tuple(model.throttles), dict.fromkeys(model.throttles, Throttle.LARGEST))


def test_a_model_that_is_not_shipped_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        models.shipped("nowhere")
