"""Frames of a venue in the shape it documents, made here, and what typed msgspec reads the same bytes into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec

from liquake.model import ContractKind, Event, Instrument, Instruments

NOW = 1_791_000_000_000
"""Milliseconds; what happens in a corpus does so after it."""
LATEST = NOW + 10**7
COINS = tuple(f"{first}{second}X" for first in "ABCDEFGHJKLMNPQ" for second in "ACEGIKMOQSUW")


class Corpus(msgspec.Struct, frozen=True):
    """Frames of one kind of one venue.

    `frames` makes so many of them in the order of a socket, each with the number of liquidations in it: many symbols, the
    rows per frame that the venue sends, numbers and texts as it writes them. `typed` has the documented fields with their
    types. `unpacked` is what typed decoding, too, has to do first.
    """

    venue: str
    typed: Any
    frames: Callable[[Random, int], Iterator[tuple[bytes, int]]]
    instruments: Callable[[], Instruments]
    label: str = ""
    """What sets it apart from others of the venue: "4 rows"."""
    wanted: float = 0.5
    """Of the speed of typed decoding."""
    unpacked: Callable[[bytes], bytes] | None = None
    connection: str = "bench"
    """What the decoder is made for."""
    reader: Callable[[Instruments], Callable[[bytes, int], Sequence[Event]]] | None = None
    """What reads the bytes where no decoder does: answers of a venue that is asked."""

    @property
    def name(self) -> str:
        """The venue and the label."""
        return f"{self.venue} {self.label}".rstrip()


def alike(frame: Callable[[Random], tuple[bytes, int]]) -> Callable[[Random, int], Iterator[tuple[bytes, int]]]:
    """Frames that `frame` makes, none of which depends on another."""

    def frames(chance: Random, count: int) -> Iterator[tuple[bytes, int]]:
        return (frame(chance) for _ in range(count))

    return frames


def linear(form: str, multiplier: float = 1.0) -> Callable[[], Instruments]:
    """The instruments of all coins, as the venue's own answer would give them: `form` is "{}USDT" or the like."""

    def instruments() -> Instruments:
        return Instruments(Instrument(form.format(coin), coin, ContractKind.LINEAR, multiplier) for coin in COINS)

    return instruments


def encoded(message: object) -> bytes:
    """`message` without blanks, as the venues write."""
    return json.dumps(message, separators=(",", ":")).encode()


class Steady(Random):
    """Chance whose moments go on evenly from `start`, `step` apart, both in milliseconds."""

    def __init__(self, seed: str, start: float, step: float) -> None:
        super().__init__(seed)
        self.now, self.step, self.moments = start, step, 0

    def moment(self) -> int:
        """The next one."""
        self.moments += 1
        self.now += self.step
        return int(self.now)


def moment(chance: Random) -> int:
    """Milliseconds."""
    return chance.moment() if isinstance(chance, Steady) else NOW + chance.randrange(10**7 - 10**4)
