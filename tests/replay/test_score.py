"""What the cascade probability earns on a recording it was not fitted on. The floors are those the project promises."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

import msgspec
import pytest

from liquake.analytics import models
from liquake.analytics.scoring import Score
from liquake.cli import main


@pytest.fixture(scope="module")
def january(shared: Path) -> Score:
    """What `liquake score` prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main(["score", str(shared / "data" / "buckets_binance_jan2023_krishna.csv.gz"), "--json"]) == 0
    return msgspec.json.decode(printed.getvalue(), type=Score)


def test_january_2023_clears_its_floors(january: Score) -> None:
    ours = january.models["liquake"]
    assert ours.brier_skill is not None
    assert ours.brier_skill >= 0.36
    assert ours.log_loss is not None
    assert ours.log_loss <= 0.0300
    assert ours.auc is not None
    assert ours.auc >= 0.955
    assert ours.onset.auc is not None
    assert ours.onset.auc >= 0.82


def test_january_2023_beats_the_recalibrated_six_component_score(january: Score) -> None:
    assert january.differences["six_weight_recalibrated"].low > 0.0


def test_the_shipped_model_says_what_it_earned(january: Score) -> None:
    earned = models.shipped("binance-60s").scores
    ours = january.models["liquake"]
    assert earned["liquake.brier_skill"] == pytest.approx(ours.brier_skill, abs=1e-6)
    assert earned["liquake.onset_auc"] == pytest.approx(ours.onset.auc, abs=1e-6)
