"""What every venue must do alike, whatever its frames look like."""

from __future__ import annotations

from liquake.conformance import Conformance
from liquake.venues import VENUES
from tests.venues.cases import cases_of


class TestVenues(Conformance):
    subjects = {venue: cases_of(name) for name, venue in VENUES.items()}  # noqa: RUF012 - the suite's
