"""What the conformance suite asks of a venue: frames of the documented shape, and what they must give.

A cell that a venue cannot have is `Absent` and says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liquake.model import Instrument, PriceBasis, PriceKind, Side

NOW = 1_790_000_000_123
"""When the events of the cases happened, in milliseconds."""
RECEIVED = (NOW + 250) * 1_000_000
"""When their frames reached us, in nanoseconds."""


class Absent(str):
    """Why a cell does not apply to a venue."""

    __slots__ = ()


@dataclass(frozen=True)
class Size:
    """One size and what it comes to."""

    frame: bytes
    amount: float | None
    usd: float | None
    asset: str = "BTC"


@dataclass(frozen=True)
class Cases:
    """Frames of one venue and what they must give."""

    instruments: tuple[Instrument, ...]
    """What the venue's instruments answer would have told of the contracts in the frames."""
    answer: bytes
    """An instruments answer of the venue."""
    answered: Mapping[str, Instrument]
    """Instruments that are in `answer`, by symbol."""
    absent_from_answer: tuple[str, ...]
    """Symbols in `answer` that must not be asked for."""
    sides: Mapping[str, tuple[bytes, Side]]
    """The truth table of the side fields, a name for each of its rows."""
    linear: Size
    """At a price of 64000, written as the venue writes prices, and nowhere else in the frame."""
    inverse: Size | Absent
    unknown: Size | Absent
    """A contract whose multiplier is needed and not known."""
    zero: Size | Absent
    """A contract whose multiplier the venue gives as 0."""
    bundle: Size | Absent
    """A contract in thousands of a token."""
    quarterly: Size | Absent
    """A contract with a day of delivery."""
    quanto: Size | Absent
    """A contract on one coin that is paid in another: without amounts."""
    basis: Mapping[str, tuple[bytes, PriceBasis, float]]
    """What the price is the price of, a name for each of the venue's prices."""
    maker: Mapping[str, tuple[bytes, Side]] | Absent
    """Liquidations whose frame is of who made, so that what it says is the other's side."""
    deleveraged: Mapping[str, bytes] | Absent
    """Frames that close a position of who was not liquidated: they give no event at all."""
    batch: tuple[bytes, tuple[Side, ...]] | Absent
    """Several liquidations in one message, in their order."""
    twins: bytes | Absent
    """One message with two equal liquidations, which both happened."""
    first: tuple[bytes, int] | Absent
    """The first frame after subscribing, and when its event happened (milliseconds)."""
    silent: Mapping[str, bytes]
    """Frames that give no event at all."""
    no_liquidation: Mapping[str, bytes]
    """Frames that give other events, or none, and never a liquidation nor an error."""
    acknowledged: tuple[bytes, str] | Absent
    """An acknowledgement, and the topic it is of."""
    rejected: Mapping[str, tuple[bytes, str, str]]
    """Refusals, the topic each is of, and a word of the reason."""
    closing: bytes | Absent
    """The announcement that the venue will close the connection."""
    strange: Mapping[str, tuple[bytes, tuple[str, ...]]] | Absent
    """Liquidations with enum values that are not documented, and the tags that keep them."""
    half_broken: tuple[bytes, int, int] | Absent
    """A batch in which some rows are broken, the number of good ones and of bad ones."""
    broken: Mapping[str, bytes]
    """Frames that are one error and nothing else."""
    later: Callable[[int], bytes] | Absent
    """A liquidation of the given millisecond. `Absent` where frames have no times: events are as of their receipt."""
    prices: tuple[bytes, Mapping[PriceKind, float]]
    recorded: tuple[str, ...] = ()
    """Files of recorded frames that are not part of the package, without their ending."""
    assumed: tuple[Instrument, ...] = ()
    """What those files assume of contracts and no frame says."""
    refused: tuple[str, ...] = ()
    """What stands in those of their frames that are errors."""
    fixtures: tuple[Path, ...] = ()
    """Files that `liquake decode --fixture` made of recorded frames, and somebody has checked."""
    excused: Mapping[bytes, str] = field(default_factory=dict)
    """What may stand for the price in `linear` without being an error, and why."""

    def refuses(self, recorded: Mapping[str, Any]) -> bool:
        """Whether a recorded line is an error of the venue, or cannot be told."""
        raw = str(recorded["raw"])
        return any(sign in raw for sign in self.refused) or "AMBIGUOUS" in str(recorded["expected_by"])


def text(message: object) -> bytes:
    """`message` as a venue writes it."""
    return json.dumps(message, separators=(",", ":")).encode()
