"""The pages on exchanges, the probability and alerts agree with the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquake.analytics import alarms, models, verification
from liquake.venues import VENUES, Venue

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


@pytest.mark.parametrize("venue", VENUES.values(), ids=VENUES.keys())
def test_every_exchange_has_its_evidence(venue: Venue) -> None:
    own = DOCS / "venues" / f"{venue.name}.md"
    text, coverage = own.read_text("utf-8") if own.is_file() else page("venues"), venue.coverage
    found = {venue.title, coverage.kind.value, venue.facts.source, *(endpoint.url for endpoint in venue.endpoints)}
    found |= {str(endpoint.valid_until) for endpoint in venue.endpoints if endpoint.valid_until}
    if coverage.since is not None:
        found.add(str(coverage.since))
    if coverage.lower_bound and coverage.throttle.value != "none":
        found.add(f"`{coverage.throttle.value}`")
    assert {words for words in found if words not in text} == set()


def test_the_page_on_the_probability_quotes_what_the_shipped_model_earned() -> None:
    text, scores = page("probability"), models.shipped("binance-60s").scores
    row = next(line for line in text.splitlines() if line.startswith("| **liquake**"))
    quoted = [cell.strip() for cell in row.split("|")[2:-1]]
    earned = [("brier_skill", "+.3f"), ("log_loss", ".4f"), ("auc", ".3f")]
    assert quoted[:3] == [f"{scores[f'liquake.{name}']:{form}}" for name, form in earned]
    assert quoted[4] == f"{scores['liquake.onset_brier_skill']:+.3f}"
    assert quoted[6] == f"{scores['liquake.onset_auc']:.3f}"


def test_the_page_on_the_probability_states_the_rules_of_scoring() -> None:
    text = page("probability")
    assert f"six a day in training; a hit is an onset from {alarms.LATE:g} s before to {alarms.LEAD:g} s after" in text
    assert alarms.BUDGET == 6.0
    assert f"({verification.EPISODE_GAP:g} s apart)" in text
    assert verification.BLOCK == 6 * 3600.0


def test_every_forecast_that_is_scored_is_explained() -> None:
    text = page("probability")
    for name in ("climatology", "persistence", "velocity_10s", "multiscale_rates", "six_weight_raw"):
        assert f"`{name}`" in text
