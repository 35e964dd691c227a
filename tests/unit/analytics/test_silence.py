from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

import pytest

from liquake.analytics.silence import IMPROBABLE, LEARNT, SilenceDetector

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
HOUR = 3600
SHARES = {"loud": 0.5, "middle": 0.3, "faint": 0.2}
Pulse = tuple[str, int]


def trading(seconds: int, start: int = 0, rate: float = 0.5, seed: int = 1) -> Iterator[Pulse]:
    """Every venue by its share, at `rate` per second of all together that swings fivefold and back every hour."""
    random = Random(seed)
    for second in range(start, start + seconds):
        swing = 5.0 if second % HOUR < HOUR // 4 else 1.0
        for venue, share in SHARES.items():
            if random.random() < min(rate * swing * share, 1.0):
                yield venue, START + second * SECOND


def without(venue: str, pulses: Iterable[Pulse]) -> Iterator[Pulse]:
    return (pulse for pulse in pulses if pulse[0] != venue)


def after(*parts: Iterable[Pulse]) -> SilenceDetector:
    detector = SilenceDetector(SHARES)
    for part in parts:
        for venue, ts in part:
            detector.update(venue, ts)
    return detector


def first_dark(detector: SilenceDetector, pulses: Iterable[Pulse]) -> int | None:
    """When somebody is first found dark, UTC nanoseconds."""
    for venue, ts in pulses:
        detector.update(venue, ts)
        if detector.value():
            return ts
    return None


def test_ordinary_trading_has_no_dark_venue() -> None:
    assert first_dark(SilenceDetector(SHARES), trading(48 * HOUR)) is None


@pytest.mark.parametrize("venue", SHARES)
def test_a_silence_is_found_and_said_since_when_and_how_improbable(venue: str) -> None:
    detector = after(trading(6 * HOUR))
    found = first_dark(detector, without(venue, trading(HOUR, 6 * HOUR)))
    (silence,) = detector.value()
    assert silence.venue == venue
    assert silence.p_value < IMPROBABLE
    assert found is not None
    assert START + 6 * HOUR * SECOND - 120 * SECOND <= silence.since < silence.found < found + SECOND
    # exp(-x) is IMPROBABLE at 16.1; a share that varies takes somewhat more.
    assert 16.1 < silence.expected < 30.0


def test_the_same_evidence_comes_sooner_when_the_market_is_busier() -> None:
    at_once = after(trading(6 * HOUR, rate=0.5))
    slowly = after(trading(6 * HOUR, rate=0.05))
    busy = first_dark(at_once, without("faint", trading(HOUR, 6 * HOUR, 0.5)))
    calm = first_dark(slowly, without("faint", trading(6 * HOUR, 6 * HOUR, 0.05)))
    assert busy is not None
    assert calm is not None
    assert (calm - START - 6 * HOUR * SECOND) > 3 * (busy - START - 6 * HOUR * SECOND)


def test_when_everybody_is_silent_nobody_is_dark() -> None:
    detector = after(trading(6 * HOUR))
    detector.advance(START + 30 * HOUR * SECOND)
    assert detector.value() == ()


def test_of_a_venue_that_is_hardly_known_nothing_is_said() -> None:
    known = [("faint", START + 10 * n * SECOND) for n in range(LEARNT - 1)]
    detector = SilenceDetector(SHARES)
    assert first_dark(detector, sorted([*known, *without("faint", trading(6 * HOUR))], key=lambda p: p[1])) is None


def test_a_share_of_which_only_some_pulses_tell_is_no_evidence() -> None:
    # By 100 pulses a share is known to 10 %, and a first hour may be like no other.
    known = list(trading(HOUR))
    own = [index for index, (venue, _) in enumerate(known) if venue == "faint"][:100]
    early = after(known[: own[-1] + 1])
    assert first_dark(early, without("faint", trading(6 * HOUR, HOUR))) is None


def test_the_next_sign_of_a_venue_ends_its_silence() -> None:
    detector = after(trading(6 * HOUR), without("middle", trading(HOUR, 6 * HOUR)))
    assert [silence.venue for silence in detector.value()] == ["middle"]
    detector.update("middle", START + 7 * HOUR * SECOND)
    detector.advance(START + (7 * HOUR + 1) * SECOND)
    assert detector.value() == ()


def test_a_late_sign_ends_a_silence_too() -> None:
    detector = after(trading(6 * HOUR), without("middle", trading(HOUR, 6 * HOUR)))
    detector.hear("middle", START + 6 * HOUR * SECOND + 1)
    assert detector.value() == ()


def test_while_a_venue_cannot_be_heard_its_silence_adds_nothing() -> None:
    detector = after(trading(6 * HOUR))
    detector.listen("middle", listening=False)
    assert first_dark(detector, without("middle", trading(2 * HOUR, 6 * HOUR))) is None
    detector.listen("middle", listening=True)
    assert first_dark(detector, without("middle", trading(HOUR, 8 * HOUR))) is not None


def test_a_venue_that_comes_back_is_expected_to_have_the_share_it_had() -> None:
    """Others must not seem to have grown while it was away, nor it to have shrunk."""
    detector = after(trading(6 * HOUR))
    detector.listen("loud", listening=False)
    assert first_dark(detector, without("loud", trading(24 * HOUR, 6 * HOUR))) is None
    detector.listen("loud", listening=True)
    assert first_dark(detector, trading(24 * HOUR, 30 * HOUR)) is None


def test_two_venues_silent_at_once_are_both_found() -> None:
    detector = after(trading(6 * HOUR))
    for venue, ts in without("faint", without("middle", trading(HOUR, 6 * HOUR))):
        detector.update(venue, ts)
    assert {silence.venue for silence in detector.value()} == {"middle", "faint"}


def test_a_whale_sold_in_pieces_on_one_venue_darkens_no_other() -> None:
    detector = after(trading(6 * HOUR))
    whale = [("loud", START + 6 * HOUR * SECOND + n * SECOND // 100) for n in range(1_000)]
    assert first_dark(detector, whale) is None


def test_shares_that_come_and_go_make_it_take_longer() -> None:
    """Half of the time one venue has twice its share, half of the time next to none."""

    def moody(seconds: int, start: int) -> Iterator[Pulse]:
        random = Random(3)
        for venue, ts in trading(seconds, start):
            often = (ts // SECOND // 60) % 2 == 0
            if venue != "faint" or often or random.random() < 0.1:
                yield venue, ts

    detector = after(moody(12 * HOUR, 0))
    first_dark(detector, without("faint", trading(2 * HOUR, 12 * HOUR)))
    (moody_one,) = detector.value()
    steady = after(trading(12 * HOUR))
    first_dark(steady, without("faint", trading(2 * HOUR, 12 * HOUR)))
    (steady_one,) = steady.value()
    assert moody_one.expected > 1.3 * steady_one.expected


def test_the_order_within_a_second_does_not_matter() -> None:
    pulses = list(trading(3 * HOUR))
    backwards = sorted(pulses, key=lambda pulse: (pulse[1], pulse[0]), reverse=True)
    backwards.sort(key=lambda pulse: pulse[1])
    silent = list(without("loud", trading(HOUR, 3 * HOUR)))
    assert after(pulses, silent).value() == after(backwards, silent).value()


def test_a_stranger_is_no_witness() -> None:
    detector = after(trading(6 * HOUR))
    strangers = (("stranger", START + (6 * HOUR + n) * SECOND) for n in range(HOUR))
    assert first_dark(detector, strangers) is None


def recalled(*parts: Iterable[Pulse]) -> SilenceDetector:
    detector = SilenceDetector(SHARES)
    for part in parts:
        for venue, ts in part:
            detector.recall(venue, ts)
    return detector


def test_what_an_earlier_run_heard_teaches_the_shares() -> None:
    detector = recalled(trading(6 * HOUR))
    assert first_dark(detector, without("faint", trading(HOUR, 9 * HOUR))) is not None


def test_who_was_silent_in_an_earlier_run_is_not_dark_for_it() -> None:
    """It may not have been among the venues of that run."""
    detector = recalled(trading(6 * HOUR), without("faint", trading(2 * HOUR, 6 * HOUR)))
    assert first_dark(detector, trading(HOUR, 9 * HOUR)) is None
