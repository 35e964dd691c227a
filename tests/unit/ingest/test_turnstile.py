"""No minute has more connections than the venue allows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from liquake.ingest.turnstile import MINUTE, Turnstile


def test_as_many_as_allowed_pass_at_once_and_the_next_waits_for_its_minute() -> None:
    turnstile = Turnstile(3)
    assert [turnstile.admit(10.0) for _ in range(5)] == [0.0, 0.0, 0.0, 60.0, 60.0]
    assert turnstile.admit(200.0) == 0.0


@given(st.lists(st.floats(0.0, 20.0), max_size=60), st.integers(1, 7))
def test_no_minute_has_more_than_allowed(pauses: list[float], allowed: int) -> None:
    turnstile = Turnstile(allowed)
    now, passes = 0.0, []
    for pause in pauses:
        now += pause
        passes.append(now + turnstile.admit(now))
    # What is waited for is a difference of two times, so that a sum of both is the time but for rounding.
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(passes))
    for earlier, later in zip(passes, passes[allowed:], strict=False):
        assert later - earlier >= MINUTE * (1 - 1e-12)
