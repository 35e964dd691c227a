"""Delays grow, are capped, jitter, and start over on reset."""

from __future__ import annotations

from random import Random

from liquake.ingest.backoff import Backoff


def test_delays_double_within_their_jitter_up_to_the_cap() -> None:
    backoff = Backoff(0.5, 30.0, Random(1))
    ceilings = [min(30.0, 0.5 * 2.0**n) for n in range(12)]
    for ceiling in ceilings:
        assert ceiling / 2 <= backoff.next() <= ceiling


def test_two_clients_do_not_wait_the_same() -> None:
    first, second = Backoff(1.0, 30.0, Random(1)), Backoff(1.0, 30.0, Random(2))
    assert [first.next() for _ in range(5)] != [second.next() for _ in range(5)]


def test_reset_begins_again() -> None:
    backoff = Backoff(0.5, 30.0, Random(1))
    for _ in range(100):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.5
