"""Where the cases of liquake's own venues are. What they are made of is `liquake.conformance`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liquake.conformance.cases import NOW, RECEIVED, Absent, Cases, Size, text

__all__ = ["NOW", "RECEIVED", "Absent", "Cases", "Size", "Wire", "cases_of", "text", "wire_of"]


@dataclass(frozen=True)
class Wire:
    """What a client says to the simulated server of a venue, and what it hears."""

    path: str
    ping: str
    """Something that is answered."""
    marker: str
    """What stands in every frame with a liquidation (with a trade at Hyperliquid), and in no other."""
    subscription: Mapping[str, Any] | None = None
    said_first: int = 0
    """Frames that come before the first liquidation: greetings, acknowledgements, tables as they stand."""


def cases_of(venue: str) -> Cases:
    """The cases of `venue`, from `tests/venues/<venue>_cases.py`."""
    cases = importlib.import_module(f"tests.venues.{venue}_cases").CASES
    assert isinstance(cases, Cases)
    return cases


def wire_of(venue: str) -> Wire:
    """The wire of `venue`, from the same file."""
    wire = importlib.import_module(f"tests.venues.{venue}_cases").WIRE
    assert isinstance(wire, Wire)
    return wire
