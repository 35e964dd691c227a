from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquake.analytics.silence import LEARNT, LEAST_SURE, SUREST, SilenceDetector, improbable

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
HOUR = 3600
DAY = 24 * HOUR
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


def limit_of(venue: str, seconds: int, rate: float = 0.5) -> float:
    """A quarter of one over the pulses that `venue` has in a month, by those it had in the first `seconds`."""
    pulses = sum(name == venue for name, _ in trading(seconds, rate=rate))
    return 0.25 * seconds / (pulses * 30 * 24 * HOUR)


@pytest.mark.parametrize(
    ("pulses", "seconds", "limit"),
    [
        (1.0, 1.0, 1e-7),  # 0.25 / 2,592,000
        (1.0, 60.0, 0.25 / 43_200),
        (30.0, 3600.0, 0.25 / 21_600),
        (1000.0, 3 * 86_400.0, 0.25 / 10_000),
        (250.0, 3 * 86_400.0, 1e-4),
        (1.0, 3 * 86_400.0, 1e-4),
        (0.0, 3600.0, 0.25 / 720),
    ],
)
def test_what_is_improbable_is_a_quarter_of_one_in_a_month_of_silences(
    pulses: float, seconds: float, limit: float
) -> None:
    assert improbable(pulses, seconds) == pytest.approx(min(max(limit, SUREST), LEAST_SURE))


@given(st.floats(1.0, 1e6), st.floats(1.0, 1e6), st.floats(1.0, 10.0))
def test_who_speaks_more_often_must_be_missed_with_more_certainty(pulses: float, seconds: float, more: float) -> None:
    assert SUREST <= improbable(pulses * more, seconds) <= improbable(pulses, seconds) <= LEAST_SURE
    # By chance alone one a quarter of a month at most, unless it speaks in every second.
    month = pulses / seconds * 30 * 24 * HOUR
    assert improbable(pulses, seconds) * month <= max(0.25, SUREST * month) * 1.000_001


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_a_silence_is_found_as_soon_as_one_in_four_months_is_as_long_by_chance(rate: float) -> None:
    detector = after(trading(24 * HOUR, rate=rate))
    first_dark(detector, without("faint", trading(12 * HOUR, 24 * HOUR, rate)))
    (silence,) = detector.value()
    limit = limit_of("faint", 24 * HOUR, rate)
    # One more second in which all the others are heard lets expect a pulse at most: a factor e.
    assert limit / 3.0 < silence.p_value < 1.05 * limit


def test_a_pause_of_the_recorder_makes_no_venue_seem_to_speak_seldom() -> None:
    away = 6 * DAY
    detector = after(trading(12 * HOUR), trading(60, away))
    first_dark(detector, without("faint", trading(HOUR, away + 60)))
    (silence,) = detector.value()
    assert silence.p_value < 1.2 * limit_of("faint", 12 * HOUR)


CROWD = [*(f"large{n}" for n in range(8)), "small"]
BURST = 20


def crowded(seconds: int, start: int = 0, joins: bool = True) -> Iterator[Pulse]:
    """Twenty seconds of every hour all are heard, small too if it `joins`; in the others one in four seconds one is."""
    random = Random(start)
    for second in range(start, start + seconds):
        heard: list[str] = []
        if second % HOUR < BURST:
            heard = CROWD if joins else CROWD[:-1]
        elif second % 4 == 0:
            heard = random.choices(CROWD, [0.12] * 8 + [0.04])
        yield from ((name, START + second * SECOND) for name in heard)


def crowd_after(*parts: Iterable[Pulse]) -> SilenceDetector:
    detector = SilenceDetector(CROWD)
    for part in parts:
        for venue, ts in part:
            detector.update(venue, ts)
    return detector


def test_a_small_venue_that_is_heard_in_bursts_is_missed_within_one() -> None:
    """Of all its seconds it has half as many as a large one, and in a burst it has as many."""
    detector = crowd_after(crowded(DAY))
    found = first_dark(detector, without("small", crowded(HOUR, DAY)))
    assert found is not None
    assert found - START - DAY * SECOND <= BURST * SECOND


def test_one_that_keeps_out_of_bursts_is_not_missed_in_them() -> None:
    detector = crowd_after(crowded(DAY, joins=False))
    assert first_dark(detector, crowded(DAY, DAY, joins=False)) is None


def test_how_a_venue_once_was_in_bursts_is_forgotten() -> None:
    between = ((CROWD[n % 9], START + DAY * SECOND + n * 3000 * SECOND) for n in range(12 * DAY // 3000))
    detector = crowd_after(crowded(DAY, joins=False), between, crowded(DAY, 13 * DAY))
    found = first_dark(detector, without("small", crowded(HOUR, 14 * DAY)))
    assert found is not None
    assert found - START - 14 * DAY * SECOND <= BURST * SECOND


def test_ordinary_trading_has_no_dark_venue() -> None:
    assert first_dark(SilenceDetector(SHARES), trading(48 * HOUR)) is None


@pytest.mark.parametrize("venue", SHARES)
def test_a_silence_is_found_and_said_since_when_and_how_improbable(venue: str) -> None:
    detector = after(trading(6 * HOUR))
    found = first_dark(detector, without(venue, trading(HOUR, 6 * HOUR)))
    (silence,) = detector.value()
    assert silence.venue == venue
    assert silence.p_value < 1.05 * limit_of(venue, 6 * HOUR)
    assert found is not None
    assert START + 6 * HOUR * SECOND - 120 * SECOND <= silence.since < silence.found < found + SECOND
    # exp(-x) is 3e-7 at 15.0; a share that varies takes somewhat more.
    assert 13.0 < silence.expected < 30.0


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
