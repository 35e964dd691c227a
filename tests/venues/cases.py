"""Where the cases of liquake's own venues are. What they are made of is `liquake.conformance`."""

from __future__ import annotations

import importlib

from liquake.conformance.cases import NOW, RECEIVED, Absent, Cases, Size, text

__all__ = ["NOW", "RECEIVED", "Absent", "Cases", "Size", "cases_of", "text"]


def cases_of(venue: str) -> Cases:
    """The cases of `venue`, from `tests/venues/<venue>_cases.py`."""
    cases = importlib.import_module(f"tests.venues.{venue}_cases").CASES
    assert isinstance(cases, Cases)
    return cases
